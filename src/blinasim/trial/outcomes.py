"""Outcomes: times to events, as extracted from trial data; one home for who is at risk, of what, until when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import NONE
from blinasim.model.history import earliest
from blinasim.scenario.settings import Trial
from blinasim.trial.observe import Bools, Ints, TrialData


@dataclass(frozen=True)
class TimeToEvent:
    """Times of one outcome.

    Attributes
    ----------
    time_days : ndarray of int32, shape (R, n)
        From the outcome's origin; 0 of those who are no members.
    code : ndarray of int8, shape (R, n)
        0 for censoring, otherwise the cause (1 where there is only one).
    member : ndarray of bool, shape (R, n)
        Who is analysed.
    """

    time_days: Ints
    code: NDArray[np.int8]
    member: Bools

    @property
    def event(self) -> Bools:
        """Whether the time ends in an event of any cause."""
        return self.code > 0


@dataclass(frozen=True)
class Outcome:
    """A named outcome, and its twin in which the estimand itself is seen.

    Attributes
    ----------
    id, label : str
        Name in files, and in tables.
    of : callable
        Extracts the outcome from trial data, as the named rules of the trial say.
    truth : callable
        Extracts what the outcome aims at: true days, no rule of recording.
    hsct_exists : bool
        False when the estimand is about a world without HSCT.
    causes : tuple of str
        Labels of the competing causes, code 1 first; one label for a single event.
    """

    id: str
    label: str
    of: Callable[[TrialData, Trial], TimeToEvent]
    truth: Callable[[TrialData, Trial], TimeToEvent]
    hsct_exists: bool = True
    causes: tuple[str, ...] = ("event",)

    @property
    def records_the_truth(self) -> bool:
        """Whether the record differs from the estimand by censoring alone, so that limit and oracle are one."""
        return self.hsct_exists and self.truth is self.of


def overall_survival(data: TrialData, trial: Trial) -> TimeToEvent:
    """Time from first infusion to death of any cause, all enrolled."""
    everybody = np.ones(data.death.shape, dtype=bool)
    return _until(data.follow_up_days, data.death != NONE, everybody)


def overall_survival_censored(data: TrialData, trial: Trial) -> TimeToEvent:
    """Overall survival, censored at the HSCT that the trial's rule names."""
    return _censored_at_hsct(overall_survival(data, trial), _censoring_hsct(data, trial))


def relapse_free_survival(data: TrialData, trial: Trial) -> TimeToEvent:
    """Time from CR/CRh* to detected relapse or death, responders; censored by the trial's named rule."""
    by_rule = data.last_visit if trial.rfs_censoring == "last_assessment" else data.follow_up_days
    return _relapse_or_death(data, data.relapse_detected, by_rule)


def relapse_free_survival_true(data: TrialData, trial: Trial) -> TimeToEvent:
    """Return the same with the true day of relapse."""
    return _relapse_or_death(data, data.relapse, data.follow_up_days)


def relapse_free_survival_censored(data: TrialData, trial: Trial) -> TimeToEvent:
    """Relapse-free survival, censored at the HSCT that the trial's rule names."""
    hsct = _censoring_hsct(data, trial)
    from_remission = np.where(hsct != NONE, hsct - data.remission, np.int32(NONE))
    return _censored_at_hsct(relapse_free_survival(data, trial), from_remission)


def survival_after_hsct(data: TrialData, trial: Trial) -> TimeToEvent:
    """Time from on-study HSCT to death of any cause."""
    return _until(data.follow_up_days - data.hsct, data.death != NONE, data.on_study)


def first_after_remission(data: TrialData, trial: Trial) -> TimeToEvent:
    """What comes first after remission: HSCT (1), detected relapse (2) or death (3)."""
    return _first_after_remission(data, data.relapse_detected)


def first_after_remission_true(data: TrialData, trial: Trial) -> TimeToEvent:
    """Return the same with the true day of relapse."""
    return _first_after_remission(data, data.relapse)


def first_after_hsct(data: TrialData, trial: Trial) -> TimeToEvent:
    """What comes first after an on-study HSCT: detected relapse (1) or death without it (2)."""
    return _first(data, data.hsct, data.on_study, {2: data.death, 1: data.relapse_detected})


def first_after_hsct_true(data: TrialData, trial: Trial) -> TimeToEvent:
    """Return the same with the true day of relapse."""
    return _first(data, data.hsct, data.on_study, {2: data.death, 1: data.relapse})


OUTCOMES: tuple[Outcome, ...] = (
    Outcome("os", "Overall survival", overall_survival, overall_survival),
    Outcome(
        "os_cens",
        "Overall survival censored at HSCT",
        overall_survival_censored,
        overall_survival,
        hsct_exists=False,
    ),
    Outcome("rfs", "Relapse-free survival", relapse_free_survival, relapse_free_survival_true),
    Outcome(
        "rfs_cens",
        "Relapse-free survival censored at HSCT",
        relapse_free_survival_censored,
        relapse_free_survival_true,
        hsct_exists=False,
    ),
    Outcome("after_hsct", "Survival after on-study HSCT", survival_after_hsct, survival_after_hsct),
    Outcome(
        "after_remission",
        "First event after remission",
        first_after_remission,
        first_after_remission_true,
        causes=("HSCT", "relapse before HSCT", "death before either"),
    ),
    Outcome(
        "cause_after_hsct",
        "First event after HSCT",
        first_after_hsct,
        first_after_hsct_true,
        causes=("relapse", "non-relapse death"),
    ),
)


def _until(time_days: Ints, event: Bools, member: Bools) -> TimeToEvent:
    return TimeToEvent(time_days * member, (event & member).view(np.int8), member)


def _censoring_hsct(data: TrialData, trial: Trial) -> Ints:
    if trial.hsct_censoring == "any_recorded":
        return data.hsct
    return np.where(data.on_study, data.hsct, np.int32(NONE))


def _censored_at_hsct(outcome: TimeToEvent, hsct: Ints) -> TimeToEvent:
    """Censor at HSCT. An event on the day of the HSCT itself still counts: events precede censoring."""
    time = earliest(outcome.time_days, hsct)
    return _until(time, outcome.event & (time == outcome.time_days), outcome.member)


def _relapse_or_death(data: TrialData, relapse: Ints, otherwise: Ints) -> TimeToEvent:
    first = earliest(relapse, data.death)
    event = first != NONE
    return _until(np.where(event, first, otherwise) - data.remission, event, data.responder)


def _first_after_remission(data: TrialData, relapse: Ints) -> TimeToEvent:
    return _first(data, data.remission, data.responder, {3: data.death, 2: relapse, 1: data.hsct})


def _first(data: TrialData, start: Ints, member: Bools, days: dict[int, Ints]) -> TimeToEvent:
    """Return the first of some events after ``start``, by code; on one day, in the order of the day as given."""
    first = earliest(*days.values())
    code = np.zeros(first.shape, dtype=np.int8)
    for cause, day in reversed(days.items()):
        np.copyto(code, cause, where=member & (day == first) & (day != NONE))
    time = np.where(first != NONE, first, data.follow_up_days) - start
    return TimeToEvent(time * member, code, member)
