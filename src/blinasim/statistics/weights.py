"""Weights that make a sample agree with published margins."""

import numpy as np
from numpy.typing import NDArray

from blinasim.statistics.curves import Bools, Floats


def rake(groups: list[Bools], targets: list[NDArray[np.float64]], *, tolerance: float = 1e-9) -> Floats:
    """Rake a sample: iterative proportional fitting of weights to margins.

    Parameters
    ----------
    groups : list of (K_m, N) arrays of bool
        For each margin m, which of the N rows belong to each of its K_m categories; every row to exactly one.
    targets : list of (K_m,) arrays of float
        The share wanted of each category, adding up to 1 for each margin.
    tolerance : float
        Largest difference allowed between a weighted share and its target.

    Returns
    -------
    (N,) array of float
        Weights that add up to 1.

    Raises
    ------
    ValueError
        When a category with a positive target has no rows, or the margins contradict each other in this sample.

    Notes
    -----
    Deming and Stephan, Annals of Mathematical Statistics 1940;11:427.
    """
    weights = np.full(groups[0].shape[1], 1.0 / groups[0].shape[1])
    for group, target in zip(groups, targets, strict=True):
        empty = (~group.any(axis=1)) & (target > 0)
        if empty.any():
            raise ValueError(f"category {int(np.argmax(empty))} of a margin is wanted but no row is in it")
    for _ in range(1000):
        for group, target in zip(groups, targets, strict=True):
            share = group @ weights
            factor = np.divide(target, share, out=np.zeros_like(target), where=share > 0)
            weights = weights * (factor @ group)
        worst = max(
            float(np.abs(group @ weights - target).max()) for group, target in zip(groups, targets, strict=True)
        )
        if worst <= tolerance:
            return np.asarray(weights / weights.sum())
    raise ValueError(f"the margins contradict each other in this sample: {worst:.2g} is left after 1,000 rounds")
