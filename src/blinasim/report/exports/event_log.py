"""The event log of one trial, in vidigi's columns: what happened, and in which state each patient then was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from heapq import heappop, heappush
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import NEVER, NONE, Cause, Depth, Donor, Event, Place
from blinasim.model.history import LogEntry
from blinasim.model.places import Stays
from blinasim.report.exports.adsl import trial_number
from blinasim.report.exports.columns import Column, TableDescription, dates, words
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


_USE_ENDS: Final = "resource_use_end"
_DEAD, _LOST, _CUTOFF = "dead", "lost to follow-up", "alive at the cut-off"

EVENT_LOG: Final = TableDescription(
    "events.csv",
    "something that happened to a patient of one simulated trial, or the state that follows; in order of time",
    (
        Column("entity_id", "integer", "", "Patient, from 1."),
        Column("pathway", "text", "", "HSCT before enrolment: HSCT-naive, prior HSCT."),
        Column(
            "event_type", "text", "",
            "arrival_departure for arrival and depart; resource_use and resource_use_end for a counted place; queue "
            "for everything else.",
        ),
        Column(
            "event", "text", "",
            "arrival, depart; an event of the clinic; a state: " + ", ".join(Whereabouts) + "; or a place: "
            + ", ".join(words(Place)) + ", and waiting for it.",
        ),
        Column("time", "integer", "days", "Day since the start of accrual."),
        Column("timestamp", "date", "", "The same as a date."),
        Column("kind", "text", "", "event; state: where the patient is from then on; or place."),
        Column("resource_id", "day", "", "With resource_use and resource_use_end: which of the places, from 1."),
        Column("detail", "text", "", "Number of the cycle, depth of the remission, type of donor, cause of death."),
        Column("outcome", "text", "", f"With depart: {_DEAD}, {_LOST}, {_CUTOFF}."),
        Column("run_number", "integer", "", "Simulated trial, from 1."),
    ),
    note="The columns are those of vidigi 2. Every patient arrives at the first infusion and departs at death, loss to "
    "follow-up or the data cut-off, whichever is first; the log ends there, though the simulated life may not. Days "
    "are true days: a relapse stands on its day, and where it was detected in time, a relapse_detected on a later "
    "one. Events of one day keep the order in which they happened, and the day ends with the state, so that an "
    "animation finds every patient in a state: the states need positions, the events none. Only where a scenario "
    "counts places are there rows of places; they follow the state of their day, and a state follows the end of a use.",
)  # fmt: skip


class _Line(NamedTuple):
    day: int
    event_type: str
    event: str
    kind: str
    detail: str | None = None
    outcome: str | None = None
    resource_id: int = NONE


def event_log(batch: Batch, log: Sequence[LogEntry], stays: Stays | None = None) -> pd.DataFrame:
    """Return the log of one trial.

    Parameters
    ----------
    batch : Batch
        One trial.
    log : sequence of LogEntry
        Its story, patient by patient, as the engine tells it.
    stays : Stays, optional
        The requests for places, where places are counted.

    Returns
    -------
    DataFrame
        The columns of ``EVENT_LOG``, by time, then patient.
    """
    cohort, seen, draws = batch.world.cohort, batch.seen, batch.world.draws
    ends = seen.follow_up_days[0].tolist()
    outcomes = np.where(seen.death[0] != NONE, _DEAD, np.where(seen.lost, _LOST, _CUTOFF)[0]).tolist()
    places = _places(stays, cohort.entry_day) if stays is not None else {}
    patients: list[int] = []
    lines: list[_Line] = []
    for patient, story in groupby(log, key=lambda entry: entry.patient):
        told = list(_told(story, places.get(patient, {}), ends[patient], outcomes[patient]))
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
            "resource_id": np.array([line.resource_id for line in lines], dtype=np.int32)[order],
            "run_number": np.full(who.size, trial_number(draws)),
        }
        | {
            name: np.array([getattr(line, name) for line in lines], dtype=object)[order]
            for name in ("event_type", "event", "kind", "detail", "outcome")
        }
    )


def _told(story: Iterable[LogEntry], places: Mapping[int, Sequence[_Line]], end: int, outcome: str) -> Iterator[_Line]:
    """One patient's lines: arrival, each day's events and the state in which it ends, its places, departure."""
    yield _Line(0, "arrival_departure", "arrival", "event")
    state, donor = Whereabouts.INDUCTION, False
    events = {day: list(entries) for day, entries in groupby(story, key=lambda entry: entry.day)}
    for day in sorted({*events, *places}):
        if day > end:
            break
        for entry in events.get(day, ()):
            donor = donor or entry.event == Event.DONOR_FOUND
            state = _after(entry.event, state, donor)
            yield _Line(day, "queue", entry.event.name.lower(), "event", _detail(entry))
        of_the_day = places.get(day, ())
        yield from (line for line in of_the_day if line.event_type == _USE_ENDS)
        if day < end or outcome != _DEAD:
            yield _Line(day, "queue", state.value, "state")
        yield from (line for line in of_the_day if line.event_type != _USE_ENDS)
    yield _Line(end, "arrival_departure", "depart", "event", outcome=outcome)


def _places(stays: Stays, entry_day: NDArray[np.int32]) -> dict[int, dict[int, list[_Line]]]:
    """Return the lines of places by patient and day; a place is the one with the lowest number that is free."""
    lines: dict[int, dict[int, list[_Line]]] = {}
    free: dict[int, list[int]] = {place: [] for place in Place}
    taken = dict.fromkeys(Place, 0)
    leaving: dict[int, list[tuple[int, int]]] = {place: [] for place in Place}
    columns = (stays.place, stays.patient, stays.asked, stays.given, stays.left)
    requests = sorted(zip(*(column.tolist() for column in columns), strict=True), key=lambda r: (r[3], r[2], r[1]))
    for place, patient, asked, given, left in requests:
        number = NONE
        if given < NEVER:
            while leaving[place] and leaving[place][0][0] <= given:
                heappush(free[place], heappop(leaving[place])[1])
            number = heappop(free[place]) if free[place] else taken[Place(place)] + 1
            taken[Place(place)] = max(taken[Place(place)], number)
            heappush(leaving[place], (left, number))
        if patient == NONE:
            continue
        days = lines.setdefault(patient, {})
        name, birth = words(Place)[place], int(entry_day[patient])

        def add(day: int, kind: str, event: str, number: int = NONE, to: dict[int, list[_Line]] = days) -> None:
            to.setdefault(day, []).append(_Line(day, kind, event, "place", resource_id=number))

        if given != asked:
            add(asked - birth, "queue", f"waiting for {name}")
        if given < NEVER:
            add(given - birth, "resource_use", name, number)
            if left < NEVER:
                add(left - birth, _USE_ENDS, name, number)
    return lines


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
