"""Contrasts: the same patients with the same luck under two policies, trial by trial and life by life.

Means of differences are what the model identifies. Who gains and who loses depends on the two lives of a patient
sharing their luck: such counts are *under shared luck*, and stand beside a repeat in which they do not share it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import NONE
from blinasim.model.history import COLUMNS, History, cycle_start_days, or_never
from blinasim.scenario.settings import Policy
from blinasim.statistics.intervals import mean_mcse, quantile, student_quantile
from blinasim.study.measures import TWO_YEARS_DAYS, Measure
from blinasim.study.precision import mean_and_mcse

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Counts = NDArray[np.int64]


def reach(trials: int) -> float:
    """Return the standard errors from a mean over so many trials to either limit of its 95 % interval."""
    return student_quantile(0.95, trials - 1) if trials > 1 else math.nan


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
    """Return where each patient stands at the end of a day.

    Parameters
    ----------
    history : History
        Of P patients.
    day : float
        Since the first infusion; 24 months by default.

    Returns
    -------
    ndarray of int8, shape (P,)
        Codes of :class:`Standing`.
    """
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
    """Count patients by where they stand at 24 months under the reference (row) and the policy (column); (7, 7)."""
    cells = standing(reference).astype(np.int64) * len(Standing) + standing(policy)
    return np.bincount(cells, minlength=len(Standing) ** 2).reshape(len(Standing), len(Standing))


@dataclass(frozen=True, eq=False)
class Touched:
    """How many patients of each trial a policy touches, and how these fare under shared luck.

    Attributes
    ----------
    size : int
        Patients of each trial.
    touched, longer, shorter : ndarray of int64, shape (R,)
        Those whose history differs in anything; of them, those who live longer and shorter under the policy.
    """

    size: int
    touched: Counts
    longer: Counts
    shorter: Counts

    @property
    def patients(self) -> int:
        """All patients."""
        return self.size * self.touched.size

    @property
    def same(self) -> Counts:
        """Touched patients who live as long as before, shape (R,)."""
        return self.touched - self.longer - self.shorter

    @property
    def share(self) -> float:
        """Share of all patients who are touched."""
        return float(self.touched.sum() / self.patients)

    @property
    def share_mcse(self) -> float:
        """Monte Carlo standard error of that share, over trials; NaN with a single one."""
        return mean_mcse(self.touched / self.size)

    @classmethod
    def joined(cls, parts: Sequence[Touched]) -> Touched:
        """Join consecutive trials."""
        columns = ("touched", "longer", "shorter")
        return cls(parts[0].size, *(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


def touched(reference: tuple[History, Policy], policy: tuple[History, Policy], size: int) -> Touched:
    """Compare the whole histories of the same patients under two policies.

    Parameters
    ----------
    reference, policy : tuple of History and Policy
        Histories of P patients, each with its policy.
    size : int
        Patients of a trial.

    Returns
    -------
    Touched
        Counts by trial, (P / size,).
    """
    differs = _differs(reference, policy)
    before, after = or_never(reference[0].death), or_never(policy[0].death)

    def by_trial(who: Bools) -> Counts:
        return np.asarray(who.reshape(-1, size).sum(axis=1, dtype=np.int64))

    return Touched(size, by_trial(differs), by_trial(after > before), by_trial(after < before))


def _differs(one: tuple[History, Policy], other: tuple[History, Policy]) -> Bools:
    """Whether anything at all differs between two histories of a patient, shape (P,)."""
    different = np.any([getattr(one[0], name) != getattr(other[0], name) for name in COLUMNS], axis=0)
    starts, others = (cycle_start_days(history, policy.cycles) for history, policy in (one, other))
    width = max(starts.shape[1], others.shape[1])
    return np.asarray(different | np.any(_widened(starts, width) != _widened(others, width), axis=1))


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
        95 % Monte Carlo interval of that mean, by Student's t over the trials, or over pairs of trials that share
        their parameters: what more trials would narrow.
    trial_lower, trial_upper : float
        2.5th and 97.5th percentile over the trials: what one trial of this size may show.
    better, better_mcse : float
        Share of the trials in which the policy is better, ties counting half, and its Monte Carlo standard error; NaN
        where neither direction is better, and where every trial ties.
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
    better_mcse: float
    variance_reduction: float
    trials: int

    @classmethod
    def of(cls, measure: Measure, reference: Floats, policy: Floats, *, paired_trials: bool = False) -> Difference:
        """Compare the values of the same trials.

        Parameters
        ----------
        measure : Measure
            What they are of.
        reference, policy : (R,) array of float
            NaN where a trial has nobody to measure.
        paired_trials : bool
            Whether two trials in a row share their parameters, so that standard errors are of pairs.

        Returns
        -------
        Difference
            In the measure's unit, policy less reference.
        """
        both = ~(np.isnan(reference) | np.isnan(policy))
        one, other = reference[both], policy[both]
        with np.errstate(invalid="ignore"):
            paired = other - one
            apart = policy - reference
        finite = bool(np.isfinite(paired).all())
        mean, mcse = mean_and_mcse(apart, paired=paired_trials) if finite else (math.nan, math.nan)
        better, better_mcse = _better(measure, reference, policy, paired_trials=paired_trials)
        low, high = (quantile(paired, p) if finite else math.nan for p in (0.025, 0.975))
        far = reach(_independent(both, paired_trials=paired_trials)) * mcse
        return cls(
            measure,
            *mean_and_mcse(reference, paired=paired_trials),
            *mean_and_mcse(policy, paired=paired_trials),
            mean=mean,
            mcse=mcse,
            lower=mean - far,
            upper=mean + far,
            trial_lower=low,
            trial_upper=high,
            better=better,
            better_mcse=better_mcse,
            variance_reduction=_variance_reduction(one, other, paired) if finite else math.nan,
            trials=int(np.count_nonzero(both)),
        )


def _independent(known: Bools, *, paired_trials: bool) -> int:
    """Return how many trials have a value, or pairs of trials with the same parameters."""
    if not paired_trials:
        return int(np.count_nonzero(known))
    return int(np.pad(known, (0, known.size % 2)).reshape(-1, 2).any(axis=1).sum())


def _better(measure: Measure, reference: Floats, policy: Floats, *, paired_trials: bool) -> tuple[float, float]:
    """Return the mean of 1 for a trial won, 1/2 for a tie and 0 for one lost, and its Monte Carlo standard error."""
    known = ~(np.isnan(reference) | np.isnan(policy))
    if not measure.direction or np.array_equal(reference[known], policy[known]):
        return math.nan, math.nan
    wins = (policy > reference) if measure.direction > 0 else (policy < reference)
    won = np.where(policy == reference, 0.5, wins.astype(np.float64))
    return mean_and_mcse(np.where(known, won, np.nan), paired=paired_trials)


def _variance_reduction(reference: Floats, policy: Floats, paired: Floats) -> float:
    if paired.size < 2:
        return math.nan
    apart, together = float(reference.var(ddof=1) + policy.var(ddof=1)), float(paired.var(ddof=1))
    if together == 0.0:
        return math.inf
    return apart / together
