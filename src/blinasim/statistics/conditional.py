"""Given-data sensitivity: what part of an outcome's variance goes with some inputs, by regression on a sample of both.

The variance of the conditional mean, as a share of the whole variance, is the first-order index of an input, or of a
group of inputs that may depend on each other; it is also what knowing them would be worth where losses are quadratic
(Strong, Oakley and Brennan, Med Decis Making 2014;34:311).
"""

from dataclasses import dataclass

import numpy as np

from blinasim.statistics.curves import Floats

#: Inputs further from their mean than so many standard deviations count as this far: a cube would follow them alone.
_FAR = 3.0
#: A basis may have at most this part of the effective number of points as columns; else it is linear.
_MOST_COLUMNS = 0.2


@dataclass(frozen=True)
class VarianceShare:
    """Share of the variance, adjusted for the number of regressors, from 0 to 1; and its standard error."""

    value: float
    error: float


def variance_share(inputs: Floats, outcome: Floats, weights: Floats) -> VarianceShare:
    """Return the share of an outcome's variance that goes with some inputs together.

    By least squares on the cubic polynomials of each input (their sum: without interactions), with the adjusted
    coefficient of determination; the standard error is that of Olkin and Finn, Psychol Bull 1995;118:155.

    Parameters
    ----------
    inputs : (S, k) array of float
        A sample of k inputs, on scales on which they are about normal.
    outcome : (S,) array of float
        What came of each.
    weights : (S,) array of float
        Of the sample, adding up to 1.

    Returns
    -------
    VarianceShare
        0 where the outcome does not vary.
    """
    size = 1.0 / float(np.square(weights).sum())
    centred = outcome - weights @ outcome
    variance = float(weights @ np.square(centred))
    if variance <= 0.0:
        return VarianceShare(0.0, 0.0)
    basis = _basis(inputs, weights, size)
    columns = np.linalg.matrix_rank(basis) if basis.size else 0
    if columns == 0:
        return VarianceShare(0.0, 0.0)
    root = np.sqrt(weights)
    slopes, *_ = np.linalg.lstsq(basis * root[:, np.newaxis], centred * root, rcond=None)
    left = float(weights @ np.square(centred - basis @ slopes))
    freedom = size - columns - 1.0
    if freedom <= 0:
        return VarianceShare(float("nan"), float("nan"))
    plain = min(max(1.0 - left / variance, 0.0), 1.0)
    adjusted = float(min(max(1.0 - (left / variance) * (size - 1.0) / freedom, 0.0), 1.0))
    spread = 4.0 * plain * (1.0 - plain) ** 2 * freedom**2 / ((size**2 - 1.0) * (size + 3.0))
    return VarianceShare(adjusted, float(np.sqrt(max(spread, 0.0))))


def _basis(inputs: Floats, weights: Floats, size: float) -> Floats:
    """Return centred regressors: each input standardised, its square and its cube where there are points enough."""
    mean = weights @ inputs
    deviation = np.sqrt(weights @ np.square(inputs - mean))
    varying = deviation > 1e-12
    z = np.clip((inputs[:, varying] - mean[varying]) / deviation[varying], -_FAR, _FAR)
    powers = (1, 2, 3) if 3 * z.shape[1] <= _MOST_COLUMNS * size else (1,)
    basis = np.concatenate([z**power for power in powers], axis=1)
    return np.asarray(basis - weights @ basis)
