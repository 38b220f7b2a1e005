"""Histories: the dated events of each patient, in whole days, as every engine must write them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import reduce
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import NEVER, NONE, Event
from blinasim.scenario.settings import Cycles

Days = NDArray[np.int32]
PatientArrays = TypeVar("PatientArrays", bound=Any)


def or_never(day: NDArray[np.integer]) -> Days:
    """Return days to compare by: NEVER for what did not happen."""
    return np.where(day == NONE, NEVER, day).astype(np.int32)


def earliest(*days: Days) -> Days:
    """Return the first of some days, NONE where none of them came; read as an unsigned number, NONE is the largest."""
    return reduce(np.minimum, (day.view(np.uint32) for day in days)).view(np.int32)


@dataclass(frozen=True)
class LogEntry:
    """One line of a patient's story.

    Attributes
    ----------
    patient, day : int
        Number within the block, from 0, and days since the first infusion.
    event : Event
        What happened.
    detail : int
        Cycle, depth, donor or cause of the event, or -1.
    relapse_clock_left : int
        Milli-days; -1 before a remission.
    """

    patient: int
    day: int
    event: Event
    detail: int = NONE
    relapse_clock_left: int = NONE


@dataclass(frozen=True)
class History:
    """What happened to P patients; int32 arrays of shape (P,), -1 where it did not happen by the horizon.

    Days count from the first infusion. ``cycles`` and ``infusion_days`` are counts; ``depth``, ``mrd``, ``donor``,
    ``conditioning`` and ``cause`` are codes.
    """

    cycles: Days  # begun
    infusion_days: Days
    stop: Days  # the drug stopped for good by an adverse event
    failure: Days  # of induction
    remission: Days
    depth: Days  # best, of the first two cycles
    deepening: Days  # of a CRh* to a CR
    mrd: Days  # as known at remission
    candidacy: Days
    search_start: Days
    donor_found: Days
    donor: Days
    switch: Days
    hsct: Days
    conditioning: Days  # of the transplant
    maintenance: Days  # or bridging, begun
    relapse: Days
    relapse_detected: Days
    death: Days
    cause: Days
    #: Day on which each cycle began, shape (P, most cycles), -1 if never; None where nothing delays a cycle.
    cycle_starts: NDArray[np.int32] | None = None

    @property
    def on_study_hsct(self) -> NDArray[np.bool_]:
        """Transplanted in unbroken remission, without a switch before: what the realization rate counts."""
        unbroken = (self.relapse == NONE) | (self.relapse > self.hsct)
        return np.asarray((self.hsct != NONE) & (self.switch == NONE) & unbroken)

    @classmethod
    def of_rows(cls, rows: list[list[int]], cycle_starts: NDArray[np.int32] | None = None) -> History:
        """Build a history from one row per patient, columns in the order of ``COLUMNS``."""
        table = np.array(rows, dtype=np.int32).reshape(len(rows), len(COLUMNS))
        columns = dict(zip(COLUMNS, map(np.ascontiguousarray, table.T), strict=True))
        return cls(**columns, cycle_starts=cycle_starts)


#: The columns of a history that every engine writes, one value a patient.
COLUMNS: Final = tuple(column.name for column in fields(History) if column.name != "cycle_starts")


def cycle_start_days(history: History, cycles: Cycles) -> Days:
    """Return the day on which each cycle began: by the calendar of the protocol where nothing delays a cycle.

    Parameters
    ----------
    history : History
        Of P patients.
    cycles : Cycles
        The policy's.

    Returns
    -------
    ndarray of int32, shape (P, most cycles)
        Days since the first infusion, -1 if never.
    """
    if history.cycle_starts is not None:
        return history.cycle_starts
    number = np.arange(cycles.maximum)
    due = number * (cycles.infusion_days + cycles.rest_days)
    return np.where(number < history.cycles[:, np.newaxis], due, NONE).astype(np.int32)


def chosen(data: PatientArrays, who: NDArray[np.intp]) -> PatientArrays:
    """Return some patients of a dataclass whose arrays have a row a patient; what is no array stays as it is."""
    values = {item.name: getattr(data, item.name) for item in fields(data)}
    return replace(data, **{name: array[who] for name, array in values.items() if isinstance(array, np.ndarray)})
