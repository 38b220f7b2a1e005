"""Looks at a designed trial: on which day the data are cut, and what they then hold.

A snapshot is made of days up to its cut-off alone: whatever happens later cannot change it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import HORIZON, NEVER, NONE, RESPONSE_CYCLES, Depth, Mrd
from blinasim.model.history import History, or_never
from blinasim.model.visits import cycle_assessed, last_visit
from blinasim.scenario.design import Cut, Design
from blinasim.scenario.settings import Policy

Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Course:
    """What a trial will record of each patient as time goes by; arrays of shape (R, n).

    Attributes
    ----------
    entry_day : ndarray of int32
        Calendar day of entry, ascending in each trial.
    lost_day : ndarray of int32
        Day since entry on which a patient is lost to follow-up.
    start : ndarray of int32
        Day since entry from which the outcome counts; NONE for patients who are never members.
    event, competing : ndarray of int32
        Day since entry of the event, and of what censors it; NEVER where it does not come.
    last_visits : tuple of Policy or None
        By arm, whose visits say until when a patient is known to be free of the event; None: the last day.
    arm, stratum : ndarray of int8
        Arm and stratum of each patient.
    """

    entry_day: Ints
    lost_day: Ints
    start: Ints
    event: Ints
    competing: Ints
    last_visits: tuple[Policy, ...] | None
    arm: NDArray[np.int8]
    stratum: NDArray[np.int8]


@dataclass(frozen=True)
class Snapshot:
    """The data at a look.

    Attributes
    ----------
    cutoff_day, enrolled : ndarray of int32, shape (R,)
        Calendar day of the cut-off, and patients enrolled by it.
    time_days : ndarray of int32, shape (R, n)
        From each patient's origin to the event or to censoring.
    event, member : ndarray of bool, shape (R, n)
        Whether it is an event, and who is analysed.
    """

    cutoff_day: Ints
    enrolled: Ints
    time_days: Ints
    event: Bools
    member: Bools


def course_of(
    design: Design,
    policies: tuple[Policy, ...],
    history: History,
    entry_day: Ints,
    lost_day: Ints,
    arm: NDArray[np.int8],
    stratum: NDArray[np.int8],
    rfs_censoring: str = "last_assessment",
) -> Course:
    """Extract the design's variable, with its strategy for HSCT, from histories of P = R * n patients.

    An on-study HSCT is part of the treatment (treatment policy), an event (composite), or censors (hypothetical, while
    on treatment).

    Parameters
    ----------
    design : Design
        Its estimand says what is extracted.
    policies : tuple of Policy
        By arm, for the calendar of assessments.
    history : History
        Arrays of shape (P,).
    entry_day, lost_day : ndarray of int32, shape (R, n)
        Calendar day of entry, and days since entry until a patient is lost.
    arm, stratum : ndarray of int8, shape (R, n)
        Numbers from 0.
    rfs_censoring : str
        ``last_assessment``: relapse-free survival is censored at the last visit; else on the last day.

    Returns
    -------
    Course
    """
    shape = entry_day.shape

    def days(column: Ints) -> Ints:
        return or_never(column).reshape(shape)

    death, hsct = days(history.death), np.where(history.on_study_hsct, history.hsct, NONE).astype(np.int32)
    start = np.zeros(shape, dtype=np.int32)
    event = death
    visits = None
    if design.estimand.variable == "rfs":
        responder = _responders(history, arm, policies)
        start = np.where(responder, history.remission.reshape(shape), NONE).astype(np.int32)
        event = np.minimum(days(history.relapse_detected), death)
        visits = policies if rfs_censoring == "last_assessment" else None
    competing = np.full(shape, NEVER, dtype=np.int32)
    if design.estimand.hsct == "composite":
        event = np.minimum(event, days(hsct))
    elif design.estimand.hsct != "treatment_policy":
        competing = days(hsct)
    return Course(entry_day, lost_day, start, event, competing, visits, arm, stratum)


def _responders(history: History, arm: NDArray[np.int8], policies: tuple[Policy, ...]) -> Bools:
    """Mark patients with a remission found within two cycles of their arm's calendar, shape (R, n)."""
    remission = history.remission.reshape(arm.shape)
    assessed = np.choose(arm, [cycle_assessed(remission, policy) for policy in policies])
    return np.asarray((remission != NONE) & (assessed <= RESPONSE_CYCLES))


def binary_outcome(design: Design, policy: Policy, history: History, lost_day: Ints) -> Bools:
    """Return which patients have the design's binary outcome by their assessment, and before they are lost.

    Parameters
    ----------
    design : Design
        A single arm.
    policy : Policy
        For the calendar of assessments.
    history : History
        Arrays of shape (R * n,).
    lost_day : ndarray of int32, shape (R, n)
        Days since entry until a patient is lost.

    Returns
    -------
    ndarray of bool, shape (R, n)
    """
    assert design.plan is not None
    shape = lost_day.shape
    by = np.minimum(lost_day, design.plan.assess_after_days)
    responder = _responders(history, np.zeros(shape, dtype=np.int8), (policy,))
    has = responder & (history.remission.reshape(shape) <= by)
    if design.estimand.variable == "complete_response":
        deepening = history.deepening.reshape(shape)
        crh_still = (history.depth.reshape(shape) == Depth.CRH) | ((deepening != NONE) & (deepening > by))
        has &= ~crh_still
    elif design.estimand.variable == "mrd_negative":
        has &= history.mrd.reshape(shape) == Mrd.NEGATIVE
    return np.asarray(has)


def cutoff_day(cut: Cut, course: Course, longest_days: int) -> Ints:
    """Return the calendar day of a cut in every trial, shape (R,); at latest ``longest_days``, when it ends."""
    return np.minimum(_day(cut, course), longest_days).astype(np.int32)


def _day(cut: Cut, course: Course) -> NDArray[np.int64]:
    entry = course.entry_day
    day = np.zeros(entry.shape[0], dtype=np.int64)
    if cut.calendar_day is not None:
        day = np.maximum(day, cut.calendar_day)
    if cut.events is not None:
        day = np.maximum(day, _day_of_event(cut.events, course))
    if cut.enrolled is not None or cut.follow_up_days is not None:
        number = entry.shape[1] if cut.enrolled is None else cut.enrolled
        day = np.maximum(day, entry[:, number - 1].astype(np.int64) + (cut.follow_up_days or 0))
    for inner in cut.all_of:
        day = np.maximum(day, _day(inner, course))
    if cut.any_of:
        day = np.maximum(day, np.min([_day(inner, course) for inner in cut.any_of], axis=0))
    return day


def _day_of_event(number: int, course: Course) -> NDArray[np.int64]:
    """Return the calendar day on which so many events have been seen; a far one where they never are."""
    seen = (course.start != NONE) & (course.event <= np.minimum(course.competing, course.lost_day))
    seen &= course.event < NEVER
    calendar = np.where(seen, course.entry_day.astype(np.int64) + course.event, np.iinfo(np.int32).max)
    if number > calendar.shape[1]:
        return np.full(calendar.shape[0], np.iinfo(np.int32).max, dtype=np.int64)
    return np.asarray(np.partition(calendar, number - 1, axis=1)[:, number - 1])


def snapshot(course: Course, cutoff: Ints) -> Snapshot:
    """Lock the data at a cut-off: the day of the cut-off is seen, and events precede censoring.

    Parameters
    ----------
    course : Course
        R trials of n patients.
    cutoff : ndarray of int32, shape (R,)
        Calendar day of the cut-off of each trial.

    Returns
    -------
    Snapshot
    """
    potential = cutoff[:, np.newaxis] - course.entry_day
    entered = potential >= 0
    follow_up = np.minimum(potential, course.lost_day)
    happened = course.event <= np.minimum(course.competing, follow_up)
    known_until = follow_up
    if course.last_visits is not None:
        visits = [last_visit(follow_up, policy) for policy in course.last_visits]
        known_until = visits[0] if len(visits) == 1 else np.choose(course.arm, visits)
    last = np.minimum(course.competing, known_until)
    member = entered & (course.start != NONE) & (course.start <= follow_up)
    event = happened & member
    time = np.where(event, course.event, last) - course.start
    return Snapshot(
        cutoff_day=cutoff,
        enrolled=entered.sum(axis=1, dtype=np.int32),
        time_days=np.where(member, time, 0).astype(np.int32),
        event=event,
        member=member,
    )


def without_cutoff(course: Course) -> Snapshot:
    """Return everything up to the horizon: no cut-off, nobody lost; what the arms' true curves are made of."""
    member = course.start != NONE
    end = np.minimum(course.competing, HORIZON)
    event = (course.event <= end) & member
    time = np.where(event, course.event, end) - course.start
    trials = course.entry_day.shape[0]
    return Snapshot(
        cutoff_day=np.full(trials, HORIZON, dtype=np.int32),
        enrolled=np.full(trials, course.entry_day.shape[1], dtype=np.int32),
        time_days=np.where(member, time, 0).astype(np.int32),
        event=event,
        member=member,
    )
