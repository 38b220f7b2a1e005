"""Given-data sensitivity: what part of an outcome's variance goes with some inputs, by regression on a sample of both.

The variance of the conditional mean, as a share of the whole variance, is the first-order index of an input, or of a
group of inputs that may depend on each other; it is also what knowing them would be worth where losses are quadratic
(Strong, Oakley and Brennan, Med Decis Making 2014;34:311).
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr, solve_triangular

from blinasim.statistics.curves import Floats

#: Inputs further from their mean than so many standard deviations count as this far: a cube would follow them alone.
_FAR = 3.0
#: A basis may have at most this part of the effective number of points as columns; else it is linear.
_MOST_COLUMNS = 0.2


@dataclass(frozen=True)
class VarianceShare:
    """Share of the variance, adjusted for the number of regressors, from 0 to 1 (``value``); and its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class Fit:
    """Conditional means of some outcomes given some inputs, by least squares.

    Attributes
    ----------
    explained : (S, m) array of float
        What the inputs say of each outcome, less its mean; all 0 where they say nothing.
    left : (S, m) array of float
        The rest, whose weighted mean is 0.
    columns : int
        Rank of the regressors, the mean not counted.
    size : float
        Effective number of points.
    """

    explained: Floats
    left: Floats
    columns: int
    size: float

    @property
    def freedom(self) -> float:
        """Degrees of freedom of what is left."""
        return self.size - self.columns - 1.0


def conditional_means(inputs: Floats, outcomes: Floats, weights: Floats) -> Fit:
    """Return what some inputs together say of some outcomes.

    By least squares on the cubic polynomials of each input (their sum: without interactions).

    Parameters
    ----------
    inputs : (S, k) array of float
        A sample of k inputs, on scales on which they are about normal.
    outcomes : (S, m) array of float
        What came of each.
    weights : (S,) array of float
        Of the sample, adding up to 1.

    Returns
    -------
    Fit
        Explained and remaining parts of the centred outcomes, (S, m) each.
    """
    size = 1.0 / float(np.square(weights).sum())
    centred = outcomes - weights @ outcomes
    basis = _basis(inputs, weights, size)
    if not basis.size:
        return Fit(np.zeros_like(centred), centred, 0, size)
    root = np.sqrt(weights)[:, np.newaxis]
    # Pivoted, so that regressors which others already say are left out; points without weight are fitted as well.
    across, triangle, order = qr(basis * root, mode="economic", pivoting=True)
    diagonal = np.abs(np.diag(triangle))
    columns = int(np.count_nonzero(diagonal > diagonal[0] * max(basis.shape) * np.finfo(np.float64).eps))
    slopes = solve_triangular(triangle[:columns, :columns], (across.T @ (centred * root))[:columns])
    explained = basis[:, order[:columns]] @ slopes
    return Fit(explained, centred - explained, columns, size)


def variance_share(inputs: Floats, outcome: Floats, weights: Floats) -> VarianceShare:
    """Return the share of an outcome's variance that goes with some inputs together.

    With the adjusted coefficient of determination of :func:`conditional_means`; the standard error is that of Olkin and
    Finn, Psychol Bull 1995;118:155.

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
    variance = float(weights @ np.square(outcome - weights @ outcome))
    if variance <= 0.0:
        return VarianceShare(0.0, 0.0)
    fit = conditional_means(inputs, outcome[:, np.newaxis], weights)
    size, freedom = fit.size, fit.freedom
    if fit.columns == 0:
        return VarianceShare(0.0, 0.0)
    if freedom <= 0:
        return VarianceShare(float("nan"), float("nan"))
    left = float(weights @ np.square(fit.left[:, 0]))
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
