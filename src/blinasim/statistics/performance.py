"""How well an estimator does over simulated trials: bias, errors and coverage, each with its Monte Carlo error.

Morris, White and Crowther, Stat Med 2019;38:2074-2102, table 6 (the measures and errors of the ADEMP scheme).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blinasim.statistics.curves import Floats, normal_quantile


@dataclass(frozen=True)
class Figure:
    """A figure over trials and its Monte Carlo standard error; nan where there is none."""

    value: float
    mcse: float


@dataclass(frozen=True)
class Performance:
    """What an estimator did in R trials.

    Attributes
    ----------
    trials, failures : int
        Trials simulated, and those among them without an estimate, which all figures leave out.
    mean : Figure
        Mean of the estimates.
    bias : Figure
        Mean less the truth; nan without a truth.
    empirical_se : Figure
        Standard deviation of the estimates.
    most : (lower, upper)
        What 95 % of the estimates lie between: their quantiles at 2.5 and 97.5 %.
    model_se : Figure
        Root of the mean squared standard error that the trials themselves report.
    coverage : Figure
        Share of the trials whose interval holds the truth; nan without one.
    rejection : Figure
        Share of the trials whose interval excludes 0, "no effect".
    """

    trials: int
    failures: int
    mean: Figure
    bias: Figure
    empirical_se: Figure
    most: tuple[float, float]
    model_se: Figure
    coverage: Figure
    rejection: Figure


def performance(
    estimate: Floats, standard_error: Floats, truth: float, truth_by_trial: Floats | None = None, level: float = 0.95
) -> Performance:
    """Judge estimates by a truth.

    Parameters
    ----------
    estimate, standard_error : (R,) array of float
        Of each trial; nan where it has none.
    truth : float
        What is estimated; nan if unknown.
    truth_by_trial : (R,) array of float, optional
        Where the truth is the mean of what the same patients show in other worlds: each trial's part of it, whose
        chance the estimates share.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    Performance
        In the unit of the estimates; each figure with its Monte Carlo standard error.
    """
    known = np.isfinite(estimate) & np.isfinite(standard_error)
    values, errors = estimate[known], standard_error[known]
    n = values.size
    reach = normal_quantile(level) * errors
    with_truth = np.isfinite(truth)
    apart = values if truth_by_trial is None else values - truth_by_trial[known]
    spread = _deviation(values)
    squares = errors**2
    mean_square = float(squares.mean()) if n else np.nan
    return Performance(
        trials=estimate.size,
        failures=int(estimate.size - n),
        mean=Figure(float(values.mean()) if n else np.nan, _over_root(spread, n)),
        bias=Figure(float(values.mean()) - truth if n else np.nan, _over_root(_deviation(apart), n))
        if with_truth
        else Figure(np.nan, np.nan),
        empirical_se=Figure(spread, spread / np.sqrt(2.0 * (n - 1)) if n > 1 else np.nan),
        most=_most(values),
        model_se=Figure(
            float(np.sqrt(mean_square)),
            float(_deviation(squares) / np.sqrt(4.0 * n * mean_square)) if n > 1 and mean_square > 0 else np.nan,
        ),
        coverage=_share(np.abs(values - truth) <= reach) if with_truth else Figure(np.nan, np.nan),
        rejection=_share(np.abs(values) > reach),
    )


def _deviation(values: Floats) -> float:
    return float(values.std(ddof=1)) if values.size > 1 else np.nan


def _most(values: Floats) -> tuple[float, float]:
    if not values.size:
        return np.nan, np.nan
    lower, upper = np.quantile(values, (0.025, 0.975)).tolist()
    return lower, upper


def _over_root(deviation: float, n: int) -> float:
    return float(deviation / np.sqrt(n)) if n else np.nan


def _share(holds: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Figure:
    if not holds.size:
        return Figure(np.nan, np.nan)
    share = float(holds.mean())
    return Figure(share, float(np.sqrt(share * (1.0 - share) / holds.size)))
