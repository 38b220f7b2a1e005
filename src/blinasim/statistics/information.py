"""The value of information: what knowing some inputs would be worth to somebody who must decide.

Expected value of perfect information about inputs phi, where decision k gains g_k over the first one (g_1 = 0)::

    E[ max_k E[g_k | phi] ]  -  max_k E[g_k]

By regression on a sample of inputs and noisy gains (Strong, Oakley and Brennan, Med Decis Making 2014;34:311), so that
the noise of each simulated gain averages out instead of looking like something that could be known. Fitted means are
too far apart, as they follow some of the noise; they are drawn together until their covariance is an unbiased estimate
of that of the true ones (which the adjusted coefficient of determination is, for one gain).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from blinasim.statistics.conditional_mean import Fit, conditional_means
from blinasim.statistics.curves import Floats

#: Groups of points that are left out in turn for a standard error.
_GROUPS: Final = 20
#: Directions in which gains vary less than this part of the most are no directions.
_RANK: Final = 1e-10


def fitted_gains(inputs: Floats, gains: Floats, weights: Floats) -> Floats:
    """Return conditional means of gains given inputs, free of optimism.

    Parameters
    ----------
    inputs : (S, k) array of float
        A sample of what could be known, on scales on which it is about normal.
    gains : (S, d) array of float
        Noisy gains of d decisions over another one.
    weights : (S,) array of float
        Of the sample, adding up to 1.

    Returns
    -------
    (S, d) array of float
        In the unit of the gains.
    """
    return weights @ gains + without_optimism(conditional_means(inputs, gains, weights), weights)


def without_optimism(fit: Fit, weights: Floats, mixed: Floats | None = None) -> Floats:
    """Return fitted values drawn together until their covariance is an unbiased estimate of the true ones'.

    Parameters
    ----------
    fit : Fit
        Of m outcomes.
    weights : (S,) array of float
        As for the fit.
    mixed : (m, d) array of float, optional
        Of which mixtures of the outcomes; the outcomes themselves by default.

    Returns
    -------
    (S, d) array of float
        Of weighted mean 0.
    """
    explained, left = (part if mixed is None else part @ mixed for part in (fit.explained, fit.left))
    if fit.freedom <= 0.0:
        return np.zeros_like(explained)
    if fit.columns == 0:
        return explained
    return _drawn_together(explained, left, fit.columns, fit.freedom, weights)


def _drawn_together(explained: Floats, left: Floats, columns: int, freedom: float, weights: Floats) -> Floats:
    """Shrink fitted values until their covariance is that of the true conditional means, without bias.

    The covariance of fitted values is that of the true ones and, besides, the noise's times columns / size, which the
    rest estimates: its mean square is the noise's times freedom / size. Directions in which fitted values vary no more
    than noise may by one standard deviation, F below 1 + sqrt(2 / columns), are taken for noise.
    """
    scale = np.sqrt(weights @ np.square(explained))
    varying = scale > 0.0
    if not varying.any():
        return explained
    fitted, rest = explained[:, varying] / scale[varying], left[:, varying] / scale[varying]
    whole = (fitted * weights[:, np.newaxis]).T @ fitted
    noise = (rest * weights[:, np.newaxis]).T @ rest * columns / freedom
    size, axes = np.linalg.eigh(whole)
    kept = size > _RANK * size[-1]
    white = axes[:, kept] / np.sqrt(size[kept])  # fitted @ white has covariance 1
    parts, turn = np.linalg.eigh(np.eye(int(kept.sum())) - white.T @ noise @ white)
    parts = np.where(parts > 1.0 - 1.0 / (1.0 + np.sqrt(2.0 / columns)), np.minimum(parts, 1.0), 0.0)
    back = (axes[:, kept] * np.sqrt(size[kept])) @ turn
    drawn = np.zeros_like(explained)
    drawn[:, varying] = (fitted @ white @ turn * np.sqrt(parts)) @ back.T * scale[varying]
    return drawn


def value_given(conditional: Floats, weights: Floats) -> float:
    """Return what is gained by deciding on conditional means of gains instead of on their means; never below 0.

    Parameters
    ----------
    conditional : (S, d) array of float
        Conditional means of the gains of d decisions over another one.
    weights : (S,) array of float
        Of the sample, adding up to 1.

    Returns
    -------
    float
        In the unit of the gains.
    """
    deciding = weights @ np.maximum(conditional.max(axis=1), 0.0)
    return float(max(deciding - max((weights @ conditional).max(), 0.0), 0.0))


def value_of_information(inputs: Floats, gains: Floats, weights: Floats) -> float:
    """Return the expected value of perfect information about some inputs together.

    Strong, Oakley and Brennan, Med Decis Making 2014;34:311.

    Parameters
    ----------
    inputs, gains, weights
        As for :func:`fitted_gains`.

    Returns
    -------
    float
        In the unit of the gains.
    """
    return value_given(fitted_gains(inputs, gains, weights), weights)


def never_under_a_part(values: Floats, sets: Sequence[frozenset[int]]) -> Floats:
    """Return the values of knowing sets of inputs, none below that of a set within it.

    Who knows more can decide as if knowing less: a set is worth the most that any set within it is found to be.

    Parameters
    ----------
    values : (n,) array of float
        As estimated one by one.
    sets : sequence of frozenset
        The n sets.

    Returns
    -------
    (n,) array of float
    """
    return np.array([max(values[j] for j, part in enumerate(sets) if part <= whole) for whole in sets])


@dataclass(frozen=True)
class Jackknifed:
    """Figures and their standard errors, arrays of one shape."""

    value: Floats
    error: Floats


def jackknifed(figures: Callable[[Floats], Floats], points: int, groups: int = _GROUPS) -> Jackknifed:
    """Return figures of a weighted sample of so many points, with standard errors.

    By leaving out groups in turn (Shao and Tu, The Jackknife and Bootstrap, 1995, section 2.3); each group is every
    so manieth point.

    Parameters
    ----------
    figures : callable
        Of weights, shape (S,).
    points : int
        S.
    groups : int
        How many groups; never more than points.

    Returns
    -------
    Jackknifed
        Of the shape that ``figures`` gives.
    """
    groups = min(groups, points)
    member = np.arange(points) % groups
    whole = figures(np.full(points, 1.0 / points))
    without = []
    for group in range(groups):
        kept = (member != group).astype(np.float64)
        without.append(figures(kept / kept.sum()))
    apart = np.stack(without) - np.mean(without, axis=0)
    return Jackknifed(whole, np.sqrt((groups - 1) / groups * np.square(apart).sum(axis=0)))
