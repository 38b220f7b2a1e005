"""Trials in pairs: two that share what is not known, and nothing else, tell it from chance.

Trials 0 and 1, 2 and 3, and so on are a pair: each was simulated with one draw of the parameters. How far apart pairs
lie is what comes of not knowing the parameters; how far apart the two of a pair lie is chance in trials of this size.
"""

from dataclasses import dataclass

import numpy as np

from blinasim.statistics.curves import Bools, Floats


@dataclass(frozen=True)
class Parts:
    """The variance of a trial's value over pairs, in two parts.

    Attributes
    ----------
    between, within : float
        Variance of what a pair has in common, at least 0, and of chance within it; in the square of the values' unit.
    share, share_mcse : float
        What part of the whole is between pairs, from 0 to 1, and its Monte Carlo standard error; NaN where nothing
        varies.
    pairs : int
        Pairs from which they are estimated.
    """

    between: float
    within: float
    share: float
    share_mcse: float
    pairs: int


def parts_of_variance(values: Floats) -> Parts | None:
    """Split the variance of trials into that between pairs and that within, by analysis of variance.

    One-way, with random effects: Fisher, Statistical Methods for Research Workers, 1925, chapter 7, also for the
    standard error of the share (the intraclass correlation of pairs).

    Parameters
    ----------
    values : (R,) array of float
        Trials in order; a pair with a value that is NaN or inf is left out, as is a last trial alone.

    Returns
    -------
    Parts or None
        None with fewer than three pairs, or where more than one pair in twenty is left out: then what is left would
        not be like the whole.
    """
    pairs = values[: values.size // 2 * 2].reshape(-1, 2)
    kept = pairs[np.isfinite(pairs).all(axis=1)]
    if kept.shape[0] < 3 or kept.shape[0] < 0.95 * pairs.shape[0]:
        return None
    within = float(np.square(kept[:, 1] - kept[:, 0]).mean() / 2.0)
    between = max(float(kept.mean(axis=1).var(ddof=1)) - within / 2.0, 0.0)
    whole = between + within
    share = between / whole if whole > 0 else float("nan")
    return Parts(between, within, share, (1.0 - share**2) / np.sqrt(kept.shape[0] - 1), kept.shape[0])


def mean_mcse(values: Floats) -> float:
    """Monte Carlo standard error of a mean of trials in pairs.

    Pairs are clusters: Cochran, Sampling Techniques, 1977, section 9A.

    Parameters
    ----------
    values : (R,) array of float
        Trials in order; NaN has no value, and is left out.

    Returns
    -------
    float
        NaN with fewer than two pairs, or when one is inf.
    """
    known = ~np.isnan(values)
    if np.isinf(values[known]).any():
        return float("nan")
    return float(np.sqrt(_variance_of_mean(values, known)))


def inflation(marked: Bools, known: Bools) -> float:
    """Return by what the standard error of a share of trials grows as they come in pairs; at least 1.

    Parameters
    ----------
    marked, known : (R,) arrays of bool
        Trials that count, and trials among which they do, in order.

    Returns
    -------
    float
    """
    share = float(marked[known].mean()) if known.any() else 0.0
    alone = share * (1.0 - share) / max(int(np.count_nonzero(known)), 1)
    if alone == 0.0:
        return 1.0
    return float(np.sqrt(max(_variance_of_mean(marked.astype(np.float64), known) / alone, 1.0)))


def _variance_of_mean(values: Floats, known: Bools) -> float:
    pair = np.arange(values.size) // 2
    pairs = np.unique(pair[known]).size
    if pairs < 2:
        return float("nan")
    apart = np.where(known, values - values[known].mean(), 0.0)
    squares = np.square(np.bincount(pair, weights=apart)).sum()
    return float(squares * pairs / (pairs - 1) / np.count_nonzero(known) ** 2)


def mean_covariance(values: Floats) -> Floats:
    """Monte Carlo covariance of the means of several values of trials in pairs; NaN with fewer than two pairs.

    Parameters
    ----------
    values : (k, R) array of float
        Trials in order, all with every value.

    Returns
    -------
    (k, k) array of float
        Its diagonal is the square of :func:`mean_mcse`.
    """
    trials = values.shape[1]
    pairs = (trials + 1) // 2
    if pairs < 2:
        return np.full((values.shape[0], values.shape[0]), np.nan)
    apart = values - values.mean(axis=1, keepdims=True)
    sums = np.add.reduceat(apart, np.arange(0, trials, 2), axis=1)
    return np.asarray(sums @ sums.T * pairs / (pairs - 1) / trials**2)
