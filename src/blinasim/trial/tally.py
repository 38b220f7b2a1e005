"""Tallies: pooled counts that add up exactly over batches, and the limits and oracles read from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import HORIZON
from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.scenario.settings import Trial
from blinasim.statistics.competing import IncidenceTable
from blinasim.statistics.tables import SurvivalTable, daily_cells
from blinasim.trial.endpoints import (
    ENDPOINTS,
    Endpoint,
    FollowUp,
    Incidence,
    MedianOf,
    Share,
    Survival,
)
from blinasim.trial.observe import Bools, Ints, TrialData
from blinasim.trial.outcomes import OUTCOMES, Outcome

View = Literal["limit", "oracle"]
#: Ascending cells, and how many patients are counted in each.
_Part: TypeAlias = tuple[NDArray[np.int32], NDArray[np.int64]]

_DAYS: Final = HORIZON + 1
_SHARES: Final = tuple(e for e in ENDPOINTS if isinstance(e, Share) and not e.by_cutoff)
_MEDIANS: Final = tuple(e for e in ENDPOINTS if isinstance(e, MedianOf) and not e.by_cutoff)
_OUTCOME: Final = {outcome.id: outcome for outcome in OUTCOMES}


@dataclass(frozen=True)
class _Grid:
    """Where the counts of one thing lie among all counts: ``rows`` of ``columns`` cells from ``start`` on."""

    start: int
    rows: int
    columns: int

    @property
    def stop(self) -> int:
        return self.start + self.rows * self.columns


def _laid_out() -> dict[str, _Grid]:
    """Give all that is counted its place: outcomes by code and day, attributes by value, shares by part and whole."""
    shapes = {
        _name(outcome, view): (1 + len(outcome.causes), _DAYS + 1)
        for outcome in OUTCOMES
        for view in ("limit", "oracle")
    }
    shapes |= {endpoint.id: (1, _DAYS + 1) for endpoint in _MEDIANS}
    shapes |= {endpoint.id: (1, 2) for endpoint in _SHARES}
    grids: dict[str, _Grid] = {}
    start = 0
    for name, (rows, columns) in shapes.items():
        grids[name] = _Grid(start, rows, columns)
        start = grids[name].stop
    return grids


def _name(outcome: Outcome, view: View) -> str:
    """Name the counts of an outcome; where the record is the truth, limit and oracle are the same counts."""
    return f"{'limit' if outcome.records_the_truth else view} of {outcome.id}"


_GRIDS: Final = _laid_out()
_CELLS: Final = max(grid.stop for grid in _GRIDS.values())
_LAYOUT: Final = np.frombuffer(blake2b(repr(_GRIDS).encode(), digest_size=16).digest(), dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts of all patients of some trials, seen without censoring by time, and of the estimands themselves.

    Of all possible counts only those that are not 0 are held, so that a batch's tally is small.

    Attributes
    ----------
    cells : (M,) array of int32
        What is counted, as a number; ascending.
    counts : (M,) array of int64
        How many patients, at least 1.
    """

    cells: NDArray[np.int32]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, as_run: TrialData, no_hsct: TrialData, trial: Trial) -> Tally:
        """Count a batch.

        Parameters
        ----------
        as_run, no_hsct : TrialData
            Everything that happens to the same patients, in the world as run and in one without HSCT.
        trial : Trial
            The named rules of what is recorded.

        Returns
        -------
        Tally
        """
        parts = []
        for outcome in OUTCOMES:
            parts.append(_count_outcome(outcome, "limit", as_run, trial))
            if not outcome.records_the_truth:
                world = as_run if outcome.hsct_exists else no_hsct
                parts.append(_count_outcome(outcome, "oracle", world, trial))
        for attribute in _MEDIANS:
            values, among = attribute.of(as_run)
            parts.append(_counted(attribute.id, values, np.zeros(values.shape, dtype=np.int8), among))
        for share in _SHARES:
            who, among = share.of(as_run)
            patients = np.array([np.count_nonzero(who & among), np.count_nonzero(among)])
            parts.append(_not_zero(share.id, patients))
        cells, counts = (np.concatenate(part) for part in zip(*parts, strict=True))
        return cls(cells, counts)

    def __add__(self, other: Tally) -> Tally:
        """Pool two tallies; many are pooled faster by :class:`TallySum`."""
        total = TallySum()
        total.add(self)
        total.add(other)
        return total.tally()

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return plain arrays of numbers to be stored; `from_arrays` reads them."""
        return {"cells": self.cells, "counts": self.counts, "layout": _LAYOUT}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Tally:
        """Read what `to_arrays` gave.

        Raises
        ------
        ValueError
            If the arrays are damaged, or count other things than this version does.
        """
        if not np.array_equal(arrays["layout"], _LAYOUT):
            raise ValueError("a stored tally counts other outcomes and endpoints than this version: count it again")
        cells, counts = np.asarray(arrays["cells"], dtype=np.int32), np.asarray(arrays["counts"], dtype=np.int64)
        within = cells.ndim == 1 and cells.shape == counts.shape and bool(np.all((cells >= 0) & (cells < _CELLS)))
        if not (within and np.all(np.diff(cells) > 0) and np.all(counts > 0)):
            raise ValueError("a stored tally is damaged: count it again")
        return cls(cells, counts)

    def table(self, outcome_id: str, view: View = "limit") -> IncidenceTable:
        """Return an outcome by day: as recorded without censoring by time, or the estimand itself."""
        return IncidenceTable.of_counts(self._grid(_name(_OUTCOME[outcome_id], view)))

    def value(self, endpoint: Endpoint, view: View) -> float | None:
        """Return an endpoint's limit or oracle among the pooled patients, in the endpoint's unit.

        None where it has none without a cut-off, or nothing is known.
        """
        match endpoint:
            case FollowUp():
                return None
            case Share() | MedianOf() if endpoint.by_cutoff:
                return None
            case Share():
                who, among = self._grid(endpoint.id)[0].tolist()
                return who / among if among else None
            case MedianOf():
                return _ordinary_median(self._grid(endpoint.id)[0])
            case Incidence():
                curves = self.table(endpoint.outcome, view).cumulative_incidence()
                return _known(curves[endpoint.cause - 1, int(endpoint.day)])
            case Survival():
                return _known(_summary(endpoint, self.table(endpoint.outcome, view).all_causes()))

    def _grid(self, name: str) -> NDArray[np.int64]:
        """Return all counts of one thing, zeros included."""
        grid = _GRIDS[name]
        first, last = np.searchsorted(self.cells, (grid.start, grid.stop))
        counts = np.zeros(grid.rows * grid.columns, dtype=np.int64)
        counts[self.cells[first:last] - grid.start] = self.counts[first:last]
        return counts.reshape(grid.rows, grid.columns)


class TallySum:
    """A running total of tallies: exact, the same in whatever order and grouping they are added."""

    def __init__(self) -> None:
        self._counts = np.zeros(_CELLS, dtype=np.int64)

    def add(self, tally: Tally) -> None:
        """Add the counts of some more trials."""
        self._counts[tally.cells] += tally.counts

    def tally(self) -> Tally:
        """Return the total so far."""
        cells = np.flatnonzero(self._counts)
        return Tally(cells.astype(np.int32), self._counts[cells])


def _count_outcome(outcome: Outcome, view: View, data: TrialData, trial: Trial) -> _Part:
    seen = (outcome.of if view == "limit" else outcome.truth)(data, trial)
    return _counted(_name(outcome, view), seen.time_days, seen.code, seen.member)


def _counted(name: str, days: Ints, code: NDArray[np.int8], member: Bools) -> _Part:
    """Count members by code and day, or value."""
    grid = _GRIDS[name]
    cells = daily_cells(days, code, member, codes=grid.rows, days=_DAYS)
    return _not_zero(name, np.bincount(cells, minlength=grid.rows * grid.columns))


def _not_zero(name: str, counts: NDArray[np.int64]) -> _Part:
    """Return the cells of a grid that are not empty, and their counts."""
    held = np.flatnonzero(counts > 0)
    return (_GRIDS[name].start + held).astype(np.int32), counts[held]


def _summary(endpoint: Survival, table: SurvivalTable) -> float:
    match endpoint.summary:
        case "median":
            return table.median() / DAYS_PER_MONTH
        case "survival":
            return table.survival_at(endpoint.day)
        case "mortality":
            return 1.0 - table.survival_at(endpoint.day)
        case "rmst":
            return table.rmst(endpoint.day) / DAYS_PER_MONTH


def _ordinary_median(counts: NDArray[np.int64]) -> float | None:
    """Return the median of values counted from 0, midway between the middle two where their number is even."""
    reached = np.cumsum(counts)
    count = int(reached[-1])
    if not count:
        return None
    lower, upper = (int(np.searchsorted(reached, rank, side="left")) for rank in ((count + 1) // 2, count // 2 + 1))
    return (lower + upper) / 2.0


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
