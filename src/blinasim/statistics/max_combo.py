"""MaxCombo: the largest of several weighted log-rank statistics, with its joint distribution.

Weighted log-rank statistics of one trial are jointly normal under the null hypothesis; the covariance of two with
weights v and w is the sum over days of v w times the hypergeometric variance (Karrison, Stata J 2016;16:678-690;
Lin, Lin, Roychoudhury et al, Stat Biopharm Res 2020;12:187-198). Fleming and Harrington's weights (1, 0) and (0, 1)
add up to (0, 0), so the covariance of the three is singular: the normal probability is integrated over the directions
of as many dimensions as it has, not by a density that does not exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import ndtr, roots_jacobi

from blinasim.statistics import curves
from blinasim.statistics.curves import Bools, Floats, Integers
from blinasim.statistics.logrank import event_days

#: Usual weights (rho, gamma): proportional, early, late and middle differences.
USUAL_WEIGHTS = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))
#: An eigenvalue of a correlation matrix below this is 0.
_NOTHING = 1e-9
#: Nodes of each angle, by the number of dimensions.
_NODES = {2: 2_048, 3: 64, 4: 28}
_CELLS = 4_000_000


@dataclass(frozen=True, eq=False)
class MaxCombo:
    """What the test found in each of R trials.

    Attributes
    ----------
    z : (R, W) array of float
        Each weighted statistic, above 0 where the group has more events; nan where nothing can be compared.
    correlation : (R, W, W) array of float
        Of the statistics under the null hypothesis.
    """

    z: Floats
    correlation: Floats

    def p_value(self, sign: float = 1.0) -> Floats:
        """One-sided p value.

        Parameters
        ----------
        sign : float
            1 to reject for more events in the group, -1 for fewer.

        Returns
        -------
        (R,) array of float
            NaN where a statistic is.
        """
        highest = (sign * self.z).max(axis=1)
        known = np.isfinite(highest)
        p = np.full(highest.shape, np.nan)
        p[known] = some_above(self.correlation[known], highest[known])
        return p


def max_combo(
    time_days: Integers,
    event: Bools,
    group: Bools,
    member: Bools | None = None,
    *,
    weights: Sequence[tuple[float, float]] = USUAL_WEIGHTS,
    stratum: Integers | None = None,
) -> MaxCombo:
    """Compute several Fleming-Harrington statistics of every trial, and how they are correlated.

    Parameters
    ----------
    time_days, event, group, member, stratum
        As for `logrank.log_rank`.
    weights : sequence of (float, float)
        rho and gamma of one to four statistics.

    Returns
    -------
    MaxCombo
        The statistics and their correlation.

    Raises
    ------
    TypeError, ValueError
        As `logrank.log_rank`; also without weights, or with more than four.
    """
    if not 1 <= len(weights) <= 4:
        raise ValueError(f"one to four weights can be combined, not {len(weights)}")
    curves.check_mask("event", event)
    curves.check_mask("group", group)
    trials, count = time_days.shape[0], len(weights)
    difference, covariance = np.zeros((trials, count)), np.zeros((trials, count, count))
    everybody = np.ones(time_days.shape, dtype=np.bool_) if member is None else member
    strata = [everybody] if stratum is None else [everybody & (stratum == one) for one in np.unique(stratum[everybody])]
    for who in strata:
        days = event_days(time_days, event, group, who)
        weight = [days.weight(rho, gamma) for rho, gamma in weights]
        for i in range(count):
            difference[:, i] += days.sums(weight[i] * (days.observed - days.expected))
            for j in range(i + 1):
                covariance[:, i, j] += days.sums(weight[i] * weight[j] * days.variance)
                covariance[:, j, i] = covariance[:, i, j]
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    known = variance > 0.0
    error = np.sqrt(np.where(known, variance, 1.0))
    z = np.where(known, difference / error, np.nan)
    return MaxCombo(z, covariance / (error[:, :, np.newaxis] * error[:, np.newaxis, :]))


def some_above(correlation: Floats, limit: Floats) -> Floats:
    """Probability that any of some standard normal variables is above a limit, also where they are dependent.

    They are linear in as many independent ones as the correlation has rank; in these, the set on which all lie below
    the limit is a polytope, and along each direction from the origin the probability of leaving it, or of never
    entering it, is a tail of the chi distribution. No difference of nearly equal numbers is taken, so that small
    probabilities are as accurate as large ones.

    Parameters
    ----------
    correlation : (R, W, W) array of float
        Correlation matrices, W at most 4, of any rank.
    limit : (R,) array of float
        The limit of each.

    Returns
    -------
    (R,) array of float
        Probabilities; deterministic, with a relative error of about 1e-3 at most at rank 3 and far less below.
    """
    values, vectors = np.linalg.eigh(correlation)
    values = np.where(values > _NOTHING * values[:, -1:], values, 0.0)
    rank = int((values > 0.0).sum(axis=1).max(initial=1))
    factor = (vectors * np.sqrt(values)[:, np.newaxis, :])[:, :, -rank:]
    directions, weights = _directions(rank)
    result = np.empty(limit.shape)
    block = max(1, _CELLS // (directions.shape[0] * correlation.shape[1]))
    for first in range(0, limit.size, block):
        who = slice(first, first + block)
        slope = factor[who] @ directions.T  # (R, W, N): growth of each variable along each direction
        bound, steepest = limit[who, np.newaxis], slope.max(axis=1)
        rising, falling = steepest > 0.0, steepest < 0.0
        leaves = bound / np.where(rising, steepest, 1.0)  # the limit is positive: all are below it until here
        out = np.where(rising, _chi_tail(np.maximum(leaves, 0.0), rank), 0.0)
        enters = bound / np.where(falling, steepest, -1.0)  # it is negative: all are below it only from here
        late = np.where(falling, 1.0 - _chi_tail(np.maximum(enters, 0.0), rank), 1.0)
        result[who] = np.where(bound >= 0.0, out, late) @ weights
    return np.clip(result, 0.0, 1.0)


def _chi_tail(distance: Floats, dimensions: int) -> Floats:
    """Probability that so many independent standard normals lie farther than this from the origin."""
    density = np.exp(-0.5 * distance**2)
    if dimensions % 2 == 0:
        return density if dimensions == 2 else density * (1.0 + 0.5 * distance**2)
    tail = 2.0 * ndtr(-distance)
    return np.asarray(tail if dimensions == 1 else tail + np.sqrt(2.0 / np.pi) * distance * density)


@cache
def _directions(dimensions: int) -> tuple[Floats, Floats]:
    """Directions (N, D) and weights (N,) by which a function on the sphere is averaged."""
    if dimensions == 1:
        return np.array([[1.0], [-1.0]]), np.array([0.5, 0.5])
    count = _NODES[dimensions]
    angle = 2.0 * np.pi * (np.arange(count) + 0.5) / count
    unit, weights = np.stack([np.cos(angle), np.sin(angle)], axis=1), np.full(count, 1.0 / count)
    for dimension in range(3, dimensions + 1):
        # The new coordinate has a density (1 - x^2) ** ((D - 3) / 2) on the sphere of D dimensions.
        x, w = roots_jacobi(count, (dimension - 3) / 2, (dimension - 3) / 2)
        flat = np.sqrt(1.0 - x**2)
        unit = np.concatenate(
            [
                (flat[:, np.newaxis, np.newaxis] * unit).reshape(-1, dimension - 1),
                np.repeat(x, unit.shape[0])[:, np.newaxis],
            ],
            axis=1,
        )
        weights = np.multiply.outer(w / w.sum(), weights).ravel()
    return unit, weights
