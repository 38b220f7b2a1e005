"""Endpoints: every row of the results table, estimated.

An endpoint is estimated for each trial of a batch. The same definitions, applied to all patients without the trial's
censoring by time, give its limit; applied to the estimand itself, its oracle (both in :mod:`blinasim.trial.tally`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.scenario.settings import Trial
from blinasim.statistics import competing, survival
from blinasim.trial.endpoint_kinds import Endpoint, FollowUp, Incidence, MedianOf, Share, Survival
from blinasim.trial.endpoint_table import ENDPOINTS
from blinasim.trial.observe import Bools, Ints, TrialData
from blinasim.trial.outcomes import OUTCOMES, TimeToEvent

__all__ = [
    "ENDPOINTS",
    "Endpoint",
    "Estimates",
    "Fitted",
    "FollowUp",
    "Incidence",
    "MedianOf",
    "Share",
    "Survival",
    "estimate",
    "fit_outcomes",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimates:
    """One endpoint in R trials, in its unit.

    Attributes
    ----------
    value : ndarray of float64, shape (R,)
        NaN: nobody to estimate from, or beyond the follow-up of the trial; inf: a median not reached.
    lower, upper : ndarray of float64, shape (R,), optional
        For medians, the trials' own 95 % limits.
    """

    value: Floats
    lower: Floats | None = None
    upper: Floats | None = None


@dataclass(frozen=True)
class Fitted:
    """Every outcome of a batch of trials, by id, with its Kaplan-Meier fit: made once, for endpoints and figures."""

    outcomes: Mapping[str, TimeToEvent]
    fits: Mapping[str, survival.SurvivalBatch]


def fit_outcomes(data: TrialData, trial: Trial) -> Fitted:
    """Extract and fit every outcome, by the named rules of the trial."""
    outcomes = {outcome.id: outcome.of(data, trial) for outcome in OUTCOMES}
    return Fitted(outcomes, {key: survival.fit_causes(o.time_days, o.code, o.member) for key, o in outcomes.items()})


def estimate(data: TrialData, trial: Trial, fitted: Fitted | None = None) -> dict[str, Estimates]:
    """Estimate every endpoint in each trial of a batch.

    Parameters
    ----------
    data : TrialData
        Arrays of shape (R, n).
    trial : Trial
        The named rules.
    fitted : Fitted, optional
        The outcomes of the same data, where they are fitted already.

    Returns
    -------
    dict
        ``Estimates`` by endpoint id, in the order of ``ENDPOINTS``.
    """
    fitted = fitted or fit_outcomes(data, trial)
    return {endpoint.id: _estimate_one(endpoint, data, trial, fitted) for endpoint in ENDPOINTS}


def _estimate_one(endpoint: Endpoint, data: TrialData, trial: Trial, fitted: Fitted) -> Estimates:
    match endpoint:
        case Share():
            who, among = endpoint.of(data)
            with np.errstate(invalid="ignore"):
                return Estimates(_count(who & among) / _count(among))
        case MedianOf():
            values, among = endpoint.of(data)
            return Estimates(_row_medians(values, among))
        case Survival():
            return _summary(endpoint, fitted.fits[endpoint.outcome])
        case Incidence():
            fit = fitted.fits[endpoint.outcome]
            value = competing.cumulative_incidence(fit, endpoint.cause, day=endpoint.day)
            return Estimates(_within_follow_up(value, fit, endpoint.day))
        case FollowUp():
            return Estimates(_median_follow_up(data, trial, fitted) / DAYS_PER_MONTH)


def _count(mask: Bools) -> NDArray[np.int32]:
    """Count the patients of a kind in each trial."""
    return np.asarray(mask.sum(axis=1, dtype=np.int32))


def _median_follow_up(data: TrialData, trial: Trial, fitted: Fitted) -> Floats:
    """Return the median follow-up of each trial in days, by the definition that the trial names."""
    if trial.median_follow_up == "reverse_km":
        return survival.reverse_median(fitted.fits["os"])
    return np.asarray(np.median(data.potential_days, axis=1), dtype=np.float64)


def _summary(endpoint: Survival, fit: survival.SurvivalBatch) -> Estimates:
    match endpoint.summary:
        case "median":
            lower, upper = survival.median_interval(fit)
            days = survival.median(fit)
            return Estimates(days / DAYS_PER_MONTH, lower / DAYS_PER_MONTH, upper / DAYS_PER_MONTH)
        case "survival":
            value = survival.survival_at(fit, endpoint.day)
        case "mortality":
            value = 1.0 - survival.survival_at(fit, endpoint.day)
        case "rmst":
            value = survival.rmst(fit, endpoint.day) / DAYS_PER_MONTH
    return Estimates(_within_follow_up(value, fit, endpoint.day))


def _within_follow_up(value: Floats, fit: survival.SurvivalBatch, day: float) -> Floats:
    """Blank what a trial cannot estimate: a day beyond its last observation, while somebody is still at risk."""
    return np.where(day <= fit.known_until, value, np.nan)


def _row_medians(values: Ints, among: Bools) -> Floats:
    """Ordinary medians of the members of each row; NaN where there are none."""
    # Members first in each row, in order; then the middle one or two of them.
    held = np.where(among, values, np.iinfo(np.int32).max)
    held.sort(axis=1)
    count = among.sum(axis=1)
    rows = np.arange(held.shape[0])
    lower = held[rows, np.maximum((count - 1) // 2, 0)]
    upper = held[rows, np.minimum(count // 2, held.shape[1] - 1)]
    return np.where(count > 0, (lower + upper.astype(np.float64)) / 2.0, np.nan)
