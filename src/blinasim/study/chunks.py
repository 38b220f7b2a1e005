"""Chunks: what some consecutive trials give, so that the parts of a study add up to the whole.

What each trial estimates is kept trial by trial; what its patients add up to is counts, as many for a billion patients
as for one. A chunk can be written as plain arrays, and read back to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from importlib.metadata import version
from numbers import Integral
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from blinasim.errors import Argument, BlinasimError
from blinasim.files import short
from blinasim.trial.endpoints import Estimates
from blinasim.trial.flow import FLOW_SHAPE
from blinasim.trial.tally import Tally, TallySum
from blinasim.version import __version__

Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[Any]]

#: Patients walked together: enough for arrays to pay, few enough for memory and a lively progress bar.
CHUNK_PATIENTS: Final = 60_000
#: The same for the SimPy engine, to which arrays are nothing: a second's work or less.
SLOW_CHUNK_PATIENTS: Final = 6_000
#: Trials whose whole curves are kept, the first ones: a band needs no more, and a curve is a hundred times an estimate.
CURVE_TRIALS: Final = 2_000

_TRIALS, _CURVES, _INCIDENCES, _TALLY, _OCCUPANCY, _FLOW = (
    "trials", "curves", "incidences", "tally", "occupancy", "flow",
)  # fmt: skip


def usual_chunk(patients: int, engine: Literal["fast", "des"] = "fast") -> int:
    """Return how many trials of so many patients an engine does at a time where nobody says so."""
    return max(1, (CHUNK_PATIENTS if engine == "fast" else SLOW_CHUNK_PATIENTS) // patients)


def trials_at_a_time(asked: int | None, usual: int) -> int:
    """Return how many trials are done at a time: those that a user asks for, or the usual ones.

    Parameters
    ----------
    asked : int or None
        By the user.
    usual : int
        Where nobody says so.

    Returns
    -------
    int

    Raises
    ------
    BlinasimError
        If that is no number of trials.
    """
    if asked is None:
        return usual
    if not isinstance(asked, Integral) or asked < 1:
        raise BlinasimError("should be a whole number of trials, at least 1", Argument("chunk", short(repr(asked))))
    return asked


def cut(trials: range, chunk: int) -> list[range]:
    """Cut trials into chunks of so many, the last one maybe smaller."""
    return [range(first, min(first + chunk, trials.stop)) for first in range(trials.start, trials.stop, chunk)]


def with_curves(block: range) -> int:
    """Return how many trials of a block, its first ones, keep their curves."""
    return min(max(CURVE_TRIALS - block.start, 0), len(block))


def number_versions() -> dict[str, str]:
    """Return the versions of all that a chunk's numbers depend on, as they are in this process."""
    return {"blinasim": __version__, **{name: version(name) for name in ("numpy", "scipy", "simpy")}}


@dataclass(frozen=True)
class Trials:
    """What each of R trials estimates; the first K of them also keep curves and flows (:func:`with_curves`).

    Attributes
    ----------
    estimates : dict of str to Estimates
        By endpoint id, (R,).
    curves : dict of str to tuple
        Survival and numbers at risk by outcome id, each (K, G).
    incidences : dict of str to ndarray
        Cumulative incidences of outcomes that have causes, (K, causes, G).
    flows : ndarray of int32
        Patient flows, (K, *FLOW_SHAPE).
    """

    estimates: dict[str, Estimates]
    curves: dict[str, tuple[Floats, NDArray[np.int64]]]
    incidences: dict[str, Floats]
    flows: NDArray[np.int32]

    def columns(self) -> dict[str, Floats]:
        """Return the estimates as columns of shape (R,), named ``endpoint.value``, ``.lower`` or ``.upper``."""
        return {
            f"{endpoint}.{field.name}": column
            for endpoint, estimates in self.estimates.items()
            for field in fields(estimates)
            if (column := getattr(estimates, field.name)) is not None
        }


@dataclass(frozen=True)
class Pooled:
    """What all patients add up to.

    Attributes
    ----------
    tally : Tally
        What limits and oracles are read from.
    occupancy : ndarray of int64, shape (states, days)
        Patients by state and day.
    flow : ndarray of int64, shape FLOW_SHAPE
        Their flow.
    """

    tally: Tally
    occupancy: NDArray[np.int64]
    flow: NDArray[np.int64]


@dataclass(frozen=True)
class Chunk:
    """What one piece of a study's work gives."""

    trials: Trials
    pooled: Pooled


class Gathered:
    """The chunks of a study that are done, in whichever order they came.

    It grows by the estimates of each trial, 8 bytes a figure, and by nothing else.
    """

    def __init__(self) -> None:
        self._tallied = TallySum()
        self._occupied: NDArray[np.int64] | None = None
        self._flow = np.zeros(FLOW_SHAPE, dtype=np.int64)
        self._columns: dict[str, Floats] = {}
        self._firsts: dict[int, Trials] = {}
        self._trials = 0

    def reserve(self, trials: int) -> None:
        """Make room for so many trials in all."""
        self._trials = trials
        for name, column in self._columns.items():  # one at a time: never two copies of everything
            self._columns[name] = np.empty(trials)
            self._columns[name][: column.size] = column

    def add(self, block: range, chunk: Chunk) -> None:
        """Put a chunk in its place."""
        self._tallied.add(chunk.pooled.tally)
        occupied = chunk.pooled.occupancy
        self._occupied = occupied if self._occupied is None else self._occupied + occupied
        self._flow += chunk.pooled.flow
        for name, values in chunk.trials.columns().items():
            if name not in self._columns:
                self._columns[name] = np.empty(self._trials)
            self._columns[name][block.start : block.stop] = values
        if with_curves(block):
            self._firsts[block.start] = replace(chunk.trials, estimates={})

    @property
    def pooled(self) -> Pooled:
        """What all patients add up to."""
        assert self._occupied is not None, "a study has at least one trial"
        return Pooled(self._tallied.tally(), self._occupied, self._flow)

    def estimates(self) -> dict[str, Estimates]:
        """Return the estimates of every trial by endpoint id, without a copy."""
        return estimates_of(self._columns)

    def firsts(self) -> Trials:
        """Return curves, incidences and flows of the first trials, without estimates."""
        parts = [self._firsts[start] for start in sorted(self._firsts)]
        joined = {}
        for outcome in parts[0].curves:
            on_days, at_risk = zip(*(part.curves[outcome] for part in parts), strict=True)
            joined[outcome] = (np.concatenate(on_days), np.concatenate(at_risk))
        incidences = {
            outcome: np.concatenate([part.incidences[outcome] for part in parts]) for outcome in parts[0].incidences
        }
        return Trials({}, joined, incidences, np.concatenate([part.flows for part in parts]))


def estimates_of(columns: Mapping[str, Floats]) -> dict[str, Estimates]:
    """Return estimates by endpoint id from columns named as those of :meth:`Trials.columns`."""
    parts: dict[str, dict[str, Floats]] = {}
    for name, column in columns.items():
        endpoint, _, part = name.partition(".")
        parts.setdefault(endpoint, {})[part] = column
    return {endpoint: Estimates(**named) for endpoint, named in parts.items()}


# --- plain arrays ------------------------------------------------------------------------------------------


def to_arrays(chunk: Chunk) -> Arrays:
    """Return a chunk as plain arrays by name; few and large ones, as each costs time to write."""
    columns, curves, pooled = chunk.trials.columns(), chunk.trials.curves, chunk.pooled
    arrays: Arrays = {
        f"{_TRIALS}/names": np.array(list(columns)),
        _TRIALS: np.stack(list(columns.values())),
        f"{_CURVES}/names": np.array(list(curves), dtype=np.str_),
        _OCCUPANCY: pooled.occupancy,
        _FLOW: pooled.flow,
        f"{_FLOW}/trials": chunk.trials.flows,
        **{f"{_INCIDENCES}/{outcome}": incidence for outcome, incidence in chunk.trials.incidences.items()},
    }
    if curves:
        arrays[f"{_CURVES}/survival"] = np.stack([survival for survival, _ in curves.values()])
        arrays[f"{_CURVES}/at_risk"] = np.stack([at_risk for _, at_risk in curves.values()])
    return arrays | {f"{_TALLY}/{part}": array for part, array in pooled.tally.to_arrays().items()}


def from_arrays(arrays: Arrays) -> Chunk:
    """Return the chunk that :func:`to_arrays` made arrays of.

    Raises
    ------
    KeyError, IndexError, ValueError
        If they are not such arrays.
    """
    columns = dict(zip(arrays[f"{_TRIALS}/names"].tolist(), arrays[_TRIALS], strict=True))
    outcomes = arrays[f"{_CURVES}/names"].tolist()
    curves = dict(
        zip(outcomes, zip(arrays[f"{_CURVES}/survival"], arrays[f"{_CURVES}/at_risk"], strict=True), strict=True)
        if outcomes
        else ()
    )
    tally = Tally.from_arrays(_within(arrays, _TALLY))
    return Chunk(
        Trials(estimates_of(columns), curves, _within(arrays, _INCIDENCES), arrays[f"{_FLOW}/trials"]),
        Pooled(tally, arrays[_OCCUPANCY], arrays[_FLOW]),
    )


def _within(arrays: Arrays, folder: str) -> Arrays:
    """Return the arrays whose names begin with a folder's, by the rest of their names."""
    inner = f"{folder}/"
    return {name.removeprefix(inner): array for name, array in arrays.items() if name.startswith(inner)}
