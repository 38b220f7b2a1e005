"""Intervals and Monte Carlo standard errors.

Two kinds of uncertainty meet in a simulation study: that of a trial of 189 patients, which no number of
replications removes (`clopper_pearson` within a trial, `predictive_interval` over trials), and that of a
finite number of replications, which is a fault of ours and is reported apart (the `*_mcse` functions).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtr, stdtrit

from blinasim.statistics.curves import Floats, check_fraction


@dataclass(frozen=True)
class PredictiveInterval:
    """Range in which a given share of simulated trials lies.

    Attributes
    ----------
    lower, median, upper : float
        Quantiles of the values that exist, in their unit; inf where the quantile lies among trials that did
        not reach the quantity, nan when no value exists.
    level : float
        Share of the trials in the interval, 0.95 for 95 %.
    n_values : int
        Trials with a value, infinite ones included.
    n_infinite : int
        Trials whose value is infinite (a median not reached).
    n_missing : int
        Trials without a value (nan: nobody to estimate it from); they are left out of the quantiles.
    """

    lower: float
    median: float
    upper: float
    level: float
    n_values: int
    n_infinite: int
    n_missing: int


def clopper_pearson(x: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Exact binomial confidence limits of a proportion.

    Clopper and Pearson, Biometrika 1934;26:404-413, by quantiles of the beta distribution.

    Parameters
    ----------
    x, n : int or array of int
        Successes and trials, broadcast against each other.
    level : float
        Confidence level.

    Returns
    -------
    lower, upper : array of float
        Limits in [0, 1]; 0 and 1 exactly at x = 0 and x = n, and both when n = 0: nothing is known.

    Raises
    ------
    ValueError
        When x lies outside 0 to n, a count is not a whole number, or the level is not between 0 and 1.
    """
    check_fraction("level", level)
    successes, trials = _counts(x, n)
    failures = trials - successes
    tail = (1.0 - level) / 2
    # Where a limit is known, its beta distribution does not exist: a stand-in of 1 is masked out.
    lower = betaincinv(np.maximum(successes, 1.0), failures + 1.0, tail)
    upper = betaincinv(successes + 1.0, np.maximum(failures, 1.0), 1.0 - tail)
    return np.where(successes > 0, lower, 0.0), np.where(failures > 0, upper, 1.0)


def quantile(values: ArrayLike, p: float) -> float:
    """Quantile of a sample by linear interpolation between order statistics, infinities allowed.

    Type 7 of Hyndman and Fan, Am Stat 1996;50:361-365 (the default of NumPy and R). Between a finite value
    and inf the interpolation is inf; between two infinite values it is inf too, not nan.

    Parameters
    ----------
    values : (R,) array of float
        Values; inf stands for "not reached" and is larger than every number.
    p : float
        Probability, strictly between 0 and 1.

    Returns
    -------
    float
        The quantile; nan when there are no values.

    Raises
    ------
    ValueError
        When a value is nan or -inf, or p is not between 0 and 1.
    """
    check_fraction("p", p)
    ordered = _ordered(values)
    if ordered.size == 0:
        return float("nan")
    position = (ordered.size - 1) * p
    nearest = round(position)
    if abs(position - nearest) < 1e-9:  # 0.975 * 40 must not ask for a trace of the next, perhaps infinite, value
        return float(ordered[nearest])
    below, above = ordered[int(position)], ordered[int(position) + 1]
    return float(above if np.isinf(above) else below + (position - int(position)) * (above - below))


def predictive_interval(values: ArrayLike, level: float = 0.95) -> PredictiveInterval:
    """Equal-tailed interval that holds a given share of simulated trials.

    Parameters
    ----------
    values : (R,) array of float
        One value per trial; inf counts as larger than every number, nan is counted and left out.
    level : float
        Share of the trials.

    Returns
    -------
    PredictiveInterval
        Limits, median and how many values were infinite or missing.

    Raises
    ------
    ValueError
        When a value is -inf or the level is not between 0 and 1.
    """
    check_fraction("level", level)
    sample = np.asarray(values, dtype=np.float64)
    present = sample[~np.isnan(sample)]
    lower, middle, upper = (quantile(present, p) for p in ((1 - level) / 2, 0.5, (1 + level) / 2))
    return PredictiveInterval(
        lower=lower,
        median=middle,
        upper=upper,
        level=level,
        n_values=present.size,
        n_infinite=int(np.isinf(present).sum()),
        n_missing=sample.size - present.size,
    )


def mean_mcse(values: ArrayLike) -> float:
    """Monte Carlo standard error of a mean over R replications: sd / sqrt(R).

    Morris, White and Crowther, Stat Med 2019;38:2074-2102, table 6.

    Parameters
    ----------
    values : (R,) array of float
        One value per replication.

    Returns
    -------
    float
        Unit of the values; nan with fewer than two values, and when one is inf: the mean is infinite then.

    Raises
    ------
    ValueError
        When a value is nan or -inf.
    """
    sample = _ordered(values)
    if sample.size < 2 or np.isinf(sample[-1]):
        return float("nan")
    return float(sample.std(ddof=1) / np.sqrt(sample.size))


def student_quantile(level: float, freedom: int) -> float:
    """Two-sided quantile of Student's t of a confidence level: standard errors from a mean to its limits.

    Parameters
    ----------
    level : float
        Confidence level.
    freedom : int
        Degrees of freedom: one less than the values whose mean it is.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the level is not between 0 and 1, or there is no degree of freedom.
    """
    check_fraction("level", level)
    if freedom < 1:
        raise ValueError("Student's t needs at least one degree of freedom")
    return float(stdtrit(freedom, 0.5 + level / 2))


def proportion_mcse(x: ArrayLike, n: ArrayLike) -> Floats:
    """Monte Carlo standard error of a proportion over n replications: sqrt(p (1 - p) / n).

    Morris, White and Crowther, Stat Med 2019;38:2074-2102, table 6. It is 0 when all replications agree,
    which claims too much: give `clopper_pearson` then.

    Parameters
    ----------
    x, n : int or array of int
        Replications with the property, and all of them.

    Returns
    -------
    array of float
        Standard error of x / n; nan where n = 0.

    Raises
    ------
    ValueError
        When x lies outside 0 to n or a count is not a whole number.
    """
    successes, trials = _counts(x, n)
    share = successes / np.maximum(trials, 1.0)
    return np.where(trials > 0, np.sqrt(share * (1.0 - share) / np.maximum(trials, 1.0)), np.nan)


def quantile_mcse(values: ArrayLike, p: float = 0.5) -> float:
    """Monte Carlo standard error of a quantile: half the width of its one-sigma interval of order statistics.

    The share of replications below the quantile is binomial; its posterior under a flat prior,
    Beta(R p + 1, R (1 - p) + 1), is cut at the normal probabilities of -1 and +1 and carried over to the
    values by their order. Vehtari, Gelman, Simpson, Carpenter and Buerkner, Bayesian Anal 2021;16:667-718
    (`mcse_quantile` of the R package posterior, here for independent replications).

    No density has to be estimated, and infinite values matter only when they come near the quantile; Maritz
    and Jarrett's weighted sum of all order statistics would be infinite with one of them. Ranks are rounded
    outwards, so the error is a little too large rather than too small: by about 5 % for 2000 values.

    Parameters
    ----------
    values : (R,) array of float
        One value per replication; inf allowed.
    p : float
        Probability of the quantile, strictly between 0 and 1.

    Returns
    -------
    float
        Unit of the values; inf when the interval reaches into the infinite values, nan when all of it does
        (the quantile is not reached) or with fewer than two values.

    Raises
    ------
    ValueError
        When a value is nan or -inf, or p is not between 0 and 1.
    """
    check_fraction("p", p)
    ordered = _ordered(values)
    size = ordered.size
    if size < 2:
        return float("nan")
    shares = betaincinv(size * p + 1.0, size * (1.0 - p) + 1.0, ndtr(np.array([-1.0, 1.0])))
    first = max(int(np.floor(shares[0] * size)), 1) - 1
    last = min(int(np.ceil(shares[1] * size)), size) - 1
    if np.isinf(ordered[first]):
        return float("nan")
    return float((ordered[last] - ordered[first]) / 2)


def _ordered(values: ArrayLike) -> Floats:
    """Sorted values; ValueError for nan, which has no place in an order, and for -inf."""
    sample = np.sort(np.asarray(values, dtype=np.float64).ravel())
    if sample.size and (np.isnan(sample[-1]) or np.isneginf(sample[0])):
        raise ValueError("a value is nan or -inf: count such values and leave them out first")
    return sample


def _counts(x: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    """Successes and trials as floats of one shape; ValueError unless whole and 0 <= x <= n."""
    successes: NDArray[np.float64]
    trials: NDArray[np.float64]
    successes, trials = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(n, dtype=np.float64))
    if not np.all((successes >= 0) & (successes <= trials)):
        raise ValueError("successes must lie between 0 and the number of trials")
    if np.any(successes % 1) or np.any(trials % 1):
        raise ValueError("counts must be whole numbers")
    return successes, trials
