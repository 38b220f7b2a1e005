"""Contrasts: the same patients with the same luck under two policies, trial by trial and life by life.

Means of differences are what the model identifies. Who gains and who loses depends on the two lives of a patient
sharing their luck: such counts are *under shared luck*, and stand beside a repeat in which they do not share it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import NONE
from blinasim.model.history import COLUMNS, History, or_never
from blinasim.scenario.settings import Policy
from blinasim.statistics.curves import normal_quantile
from blinasim.statistics.intervals import quantile
from blinasim.study.measures import TWO_YEARS_DAYS, Measure
from blinasim.study.precision import mean_and_mcse

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Counts = NDArray[np.int64]

#: Standard errors to either limit of a 95 % interval of a mean.
REACH: Final = normal_quantile(0.95)


class Standing(IntEnum):
    """Where a patient stands at 24 months, from the best to the worst; everybody stands in one place."""

    ALIVE_AFTER_HSCT = 0
    ALIVE_IN_REMISSION = 1
    ALIVE_AFTER_FAILURE = 2  # of induction, or relapse
    DEAD_IN_REMISSION = 3
    DEAD_AFTER_HSCT = 4  # without relapse
    DEAD_AFTER_RELAPSE = 5
    DEAD_WITHOUT_REMISSION = 6


def standing(history: History, day: float = TWO_YEARS_DAYS) -> NDArray[np.int8]:
    """Return where each patient stands at the end of a day, shape (P,): a code of :class:`Standing`."""
    dead, remitted, relapsed, grafted = (
        or_never(days) <= day for days in (history.death, history.remission, history.relapse, history.hsct)
    )
    alive = np.select(
        [remitted & ~relapsed & grafted, remitted & ~relapsed],
        [Standing.ALIVE_AFTER_HSCT, Standing.ALIVE_IN_REMISSION],
        Standing.ALIVE_AFTER_FAILURE,
    )
    died = np.select(
        [~remitted, relapsed, grafted],
        [Standing.DEAD_WITHOUT_REMISSION, Standing.DEAD_AFTER_RELAPSE, Standing.DEAD_AFTER_HSCT],
        Standing.DEAD_IN_REMISSION,
    )
    return np.where(dead, died, alive).astype(np.int8)


def flows(reference: History, policy: History) -> Counts:
    """Count patients by where they stand at 24 months under the reference (row) and under the policy (column)."""
    cells = standing(reference).astype(np.int64) * len(Standing) + standing(policy)
    return np.bincount(cells, minlength=len(Standing) ** 2).reshape(len(Standing), len(Standing))


@dataclass(frozen=True)
class Touched:
    """How many patients a policy touches, and how these fare under shared luck; counts add up over trials."""

    patients: int
    touched: int
    longer: int
    shorter: int

    @property
    def same(self) -> int:
        """Touched patients who live as long as before."""
        return self.touched - self.longer - self.shorter

    def __add__(self, other: Touched) -> Touched:
        return Touched(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))


def touched(reference: tuple[History, Policy], policy: tuple[History, Policy]) -> Touched:
    """Compare the whole histories of the same patients, each with the policy under which they were lived."""
    differs = _differs(reference, policy)
    before, after = or_never(reference[0].death), or_never(policy[0].death)
    return Touched(
        patients=differs.size,
        touched=int(np.count_nonzero(differs)),
        longer=int(np.count_nonzero(after > before)),
        shorter=int(np.count_nonzero(after < before)),
    )


def _differs(one: tuple[History, Policy], other: tuple[History, Policy]) -> Bools:
    """Whether anything at all differs between two histories of a patient, shape (P,)."""
    different = np.any([getattr(one[0], name) != getattr(other[0], name) for name in COLUMNS], axis=0)
    starts, others = _cycle_starts(*one), _cycle_starts(*other)
    width = max(starts.shape[1], others.shape[1])
    return np.asarray(different | np.any(_widened(starts, width) != _widened(others, width), axis=1))


def _cycle_starts(history: History, policy: Policy) -> NDArray[np.int32]:
    """Return the day on which each cycle began, -1 if never: by the calendar of the protocol where nothing delays."""
    if history.cycle_starts is not None:
        return history.cycle_starts
    cycles = policy.cycles
    number = np.arange(cycles.maximum)
    due = number * (cycles.infusion_days + cycles.rest_days)
    return np.where(number < history.cycles[:, np.newaxis], due, NONE).astype(np.int32)


def _widened(starts: NDArray[np.int32], width: int) -> NDArray[np.int32]:
    return np.pad(starts, ((0, 0), (0, width - starts.shape[1])), constant_values=NONE)


@dataclass(frozen=True)
class Difference:
    """A policy less the reference, paired trial by trial, in the measure's unit; NaN where a figure does not exist.

    Attributes
    ----------
    measure : Measure
        What is compared.
    reference, reference_mcse, policy, policy_mcse : float
        Mean of each over its trials, and its Monte Carlo standard error.
    mean, mcse : float
        Mean of the paired differences, and its Monte Carlo standard error.
    lower, upper : float
        95 % interval of that mean: what more trials would narrow.
    trial_lower, trial_upper : float
        2.5th and 97.5th percentile over the trials: what one trial of this size may show.
    better : float
        Share of the trials in which the policy is better, ties counting half; NaN where neither direction is better.
    variance_reduction : float
        (var A + var B) / var(B - A): how many times as many unpaired trials would be needed; inf where nothing differs.
    trials : int
        Trials in which both have a value.
    """

    measure: Measure
    reference: float
    reference_mcse: float
    policy: float
    policy_mcse: float
    mean: float
    mcse: float
    lower: float
    upper: float
    trial_lower: float
    trial_upper: float
    better: float
    variance_reduction: float
    trials: int

    @classmethod
    def of(cls, measure: Measure, reference: Floats, policy: Floats, *, paired_trials: bool = False) -> Difference:
        """Compare the values of the same trials, shape (R,); NaN where a trial has nobody to measure.

        ``paired_trials`` says that trials come in pairs with the same parameters.
        """
        both = ~(np.isnan(reference) | np.isnan(policy))
        one, other = reference[both], policy[both]
        with np.errstate(invalid="ignore"):
            apart = policy - reference
        paired = apart[both]
        finite = bool(np.isfinite(paired).all())
        mean, mcse = mean_and_mcse(apart, paired=paired_trials) if finite else (math.nan, math.nan)
        low, high = (quantile(paired, p) if finite else math.nan for p in (0.025, 0.975))
        return cls(
            measure,
            *mean_and_mcse(reference, paired=paired_trials),
            *mean_and_mcse(policy, paired=paired_trials),
            mean=mean,
            mcse=mcse,
            lower=mean - REACH * mcse,
            upper=mean + REACH * mcse,
            trial_lower=low,
            trial_upper=high,
            better=_better(measure, one, other),
            variance_reduction=_variance_reduction(one, other, paired) if finite else math.nan,
            trials=int(np.count_nonzero(both)),
        )


def _better(measure: Measure, reference: Floats, policy: Floats) -> float:
    if not reference.size or not measure.direction:
        return math.nan
    wins = (policy > reference) if measure.direction > 0 else (policy < reference)
    return float((2 * np.count_nonzero(wins) + np.count_nonzero(policy == reference)) / (2 * reference.size))


def _variance_reduction(reference: Floats, policy: Floats, paired: Floats) -> float:
    if paired.size < 2:
        return math.nan
    apart, together = float(reference.var(ddof=1) + policy.var(ddof=1)), float(paired.var(ddof=1))
    if together == 0.0:
        return math.inf
    return apart / together
