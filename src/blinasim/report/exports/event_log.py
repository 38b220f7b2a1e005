"""The event log of one trial, in vidigi's columns: what happened, and in which state each patient then was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from blinasim.model.codes import NONE, Cause, Depth, Donor, Event
from blinasim.model.history import LogEntry
from blinasim.report.exports.adsl import trial_number
from blinasim.report.exports.columns import Column, Table, dates, words
from blinasim.study.batch import Batch

if TYPE_CHECKING:
    import pandas as pd


class Whereabouts(StrEnum):
    """Where a patient is: the queues of the log, by the true day of relapse."""

    INDUCTION = "induction"
    REMISSION = "remission"
    AWAITING_DONOR = "awaiting donor"
    AWAITING_HSCT = "awaiting HSCT"
    OTHER_THERAPY = "other therapy"
    AFTER_HSCT = "after HSCT"
    FAILURE = "refractory or relapsed"


_DEAD, _LOST, _CUTOFF = "dead", "lost to follow-up", "alive at the cut-off"

EVENT_LOG: Final = Table(
    "events.csv",
    "something that happened to a patient of one simulated trial, or the state that follows; in order of time",
    (
        Column("entity_id", "integer", "", "Patient, from 1."),
        Column("pathway", "text", "", "HSCT before enrolment: HSCT-naive, prior HSCT."),
        Column("event_type", "text", "", "arrival_departure for arrival and depart, queue for everything else."),
        Column(
            "event", "text", "",
            "arrival, depart; an event of the clinic; or a state: " + ", ".join(Whereabouts) + ".",
        ),
        Column("time", "integer", "days", "Day since the start of accrual."),
        Column("timestamp", "date", "", "The same as a date."),
        Column("kind", "text", "", "event, or state: where the patient is from then on."),
        Column("detail", "text", "", "Number of the cycle, depth of the remission, type of donor, cause of death."),
        Column("outcome", "text", "", f"With depart: {_DEAD}, {_LOST}, {_CUTOFF}."),
        Column("run_number", "integer", "", "Simulated trial, from 1."),
    ),
    note="The columns are those of vidigi 2. Every patient arrives at the first infusion and departs at death, loss to "
    "follow-up or the data cut-off, whichever is first; the log ends there, though the simulated life may not. Days "
    "are true days: a relapse stands on its day, and where it was detected in time, a relapse_detected on a later "
    "one. Events of one day keep the order in which they happened, and the day ends with the state, so that an "
    "animation finds every patient in a state: the states need positions, the events none. There is no resource_use, "
    "as no place is scarce.",
)  # fmt: skip


class _Line(NamedTuple):
    day: int
    event_type: str
    event: str
    kind: str
    detail: str | None = None
    outcome: str | None = None


def event_log(batch: Batch, log: Sequence[LogEntry]) -> pd.DataFrame:
    """Return the log of one trial.

    Parameters
    ----------
    batch : Batch
        One trial.
    log : sequence of LogEntry
        Its story, patient by patient, as the engine tells it.

    Returns
    -------
    DataFrame
        The columns of ``EVENT_LOG``, by time, then patient.
    """
    cohort, seen, draws = batch.world.cohort, batch.seen, batch.world.draws
    ends = seen.follow_up_days[0].tolist()
    outcomes = np.where(seen.death[0] != NONE, _DEAD, np.where(seen.lost, _LOST, _CUTOFF)[0]).tolist()
    patients: list[int] = []
    lines: list[_Line] = []
    for patient, story in groupby(log, key=lambda entry: entry.patient):
        told = list(_told(story, ends[patient], outcomes[patient]))
        patients.extend([patient] * len(told))
        lines.extend(told)
    who = np.array(patients, dtype=np.int32)
    day = np.array([line.day for line in lines], dtype=np.int32)
    time = cohort.entry_day[who] + day
    order = np.lexsort((who, time))  # stable: what is on one day of a patient keeps its order
    return EVENT_LOG.frame(
        {
            "entity_id": (who + draws.first_patient + 1)[order],
            "pathway": np.where(cohort.prior_hsct, "prior HSCT", "HSCT-naive").astype(object)[who][order],
            "time": time[order],
            "timestamp": dates(cohort.entry_day[who], day)[order],
            "run_number": np.full(who.size, trial_number(draws)),
        }
        | {
            name: np.array([getattr(line, name) for line in lines], dtype=object)[order]
            for name in ("event_type", "event", "kind", "detail", "outcome")
        }
    )


def _told(story: Iterable[LogEntry], end: int, outcome: str) -> Iterator[_Line]:
    """One patient's lines: arrival, each day's events and the state in which it ends, departure."""
    yield _Line(0, "arrival_departure", "arrival", "event")
    state, donor = Whereabouts.INDUCTION, False
    for day, entries in groupby(story, key=lambda entry: entry.day):
        if day > end:
            break
        for entry in entries:
            donor = donor or entry.event == Event.DONOR_FOUND
            state = _after(entry.event, state, donor)
            yield _Line(day, "queue", entry.event.name.lower(), "event", _detail(entry))
        if day < end or outcome != _DEAD:
            yield _Line(day, "queue", state.value, "state")
    yield _Line(end, "arrival_departure", "depart", "event", outcome=outcome)


def _after(event: Event, state: Whereabouts, donor: bool) -> Whereabouts:
    """Return the state after an event."""
    match event:
        case Event.RELAPSE | Event.PROGRESSION | Event.NO_REMISSION:
            return Whereabouts.FAILURE
        case Event.STOP if state == Whereabouts.INDUCTION:
            return Whereabouts.FAILURE
        case Event.REMISSION:
            return Whereabouts.REMISSION
        case Event.CANDIDACY:
            return Whereabouts.AWAITING_HSCT if donor else Whereabouts.AWAITING_DONOR
        case Event.DONOR_FOUND if state == Whereabouts.AWAITING_DONOR:
            return Whereabouts.AWAITING_HSCT
        case Event.SWITCH:
            return Whereabouts.OTHER_THERAPY
        case Event.TRANSPLANT if state != Whereabouts.FAILURE:
            return Whereabouts.AFTER_HSCT
        case _:
            return state


def _detail(entry: LogEntry) -> str | None:
    match entry.event:
        case Event.CYCLE_START:
            return str(entry.detail)
        case Event.REMISSION | Event.DEEPENING:
            return words(Depth)[entry.detail]
        case Event.DONOR_FOUND | Event.TRANSPLANT:
            return words(Donor)[entry.detail]
        case Event.DEATH:
            return words(Cause)[entry.detail]
        case _:
            return None
