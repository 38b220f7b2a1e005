"""Places that patients share: who asked for one, who got it and when; and the other patients who want them too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from blinasim.luck import TILE, Luck
from blinasim.model.codes import NEVER, Place
from blinasim.model.durations import DAYS_PER_YEAR, exponential, whole_days
from blinasim.scenario.settings import Background, Capacity, InfusionStarts, SearchCoordinators, TransplantBeds

#: Other patients come until so many days after the last enrolment of a replication.
BACKGROUND_DAYS = 1_826


@dataclass(frozen=True)
class Stays:
    """Every request for a counted place, shape (Q,).

    Attributes
    ----------
    replication : ndarray of int32
        Within the block.
    place : ndarray of int8
        Code of ``Place``.
    patient : ndarray of int32
        Number within the block, or -1 for another patient.
    asked, given, left : ndarray of int32
        Days of the trial's calendar, negative before its first patient. ``given`` is NEVER where the request was
        withdrawn; ``left`` is when the place was free again, or the request withdrawn (NEVER: not by the end).
    """

    replication: NDArray[np.int32]
    place: NDArray[np.int8]
    patient: NDArray[np.int32]
    asked: NDArray[np.int32]
    given: NDArray[np.int32]
    left: NDArray[np.int32]

    @classmethod
    def of_rows(cls, rows: list[tuple[int, int, int, int, int, int]]) -> Stays:
        """Build from rows in the order of the fields."""
        table = np.array(rows, dtype=np.int32).reshape(len(rows), 6).T
        return cls(table[0], table[1].astype(np.int8), *(np.ascontiguousarray(column) for column in table[2:]))

    def of(self, place: Place) -> Stays:
        """Return the requests for one kind of place."""
        return self.chosen(self.place == place)

    def chosen(self, which: NDArray[np.bool_]) -> Stays:
        """Return some of the requests."""
        return Stays(*(getattr(self, item.name)[which] for item in fields(self)))

    @property
    def granted(self) -> NDArray[np.bool_]:
        """Whether a place was given, shape (Q,)."""
        return np.asarray(self.given != NEVER)

    def waiting(self, first_day: int, days: int) -> NDArray[np.int64]:
        """Count who waits at the end of each day, pooled over replications.

        Parameters
        ----------
        first_day, days : int
            The first calendar day, and how many.

        Returns
        -------
        ndarray of int64, shape (days,)
        """
        until = np.minimum(self.given, self.left)
        return _present(self.asked, until, first_day, days)

    def taken(self, first_day: int, days: int) -> NDArray[np.int64]:
        """Count places taken at the end of each day, pooled over replications; else as :meth:`waiting`."""
        got = self.granted
        return _present(self.given[got], self.left[got], first_day, days)


def _present(since: NDArray[np.int32], until: NDArray[np.int32], first_day: int, days: int) -> NDArray[np.int64]:
    """Count who is there at the end of each day, having come on ``since`` and gone on ``until``."""
    change = np.zeros(days + 1, dtype=np.int64)
    np.add.at(change, np.clip(since - first_day, 0, days), 1)
    np.subtract.at(change, np.clip(until - first_day, 0, days), 1)
    return np.cumsum(change)[:days]


Places: TypeAlias = TransplantBeds | InfusionStarts | SearchCoordinators


def counted_places(capacity: Capacity) -> dict[Place, Places]:
    """Return the settings of each kind of place that a scenario counts."""
    every: dict[Place, Places] = {
        Place.TRANSPLANT_BED: capacity.transplant_beds,
        Place.INFUSION_BED: capacity.infusion_starts,
        Place.COORDINATOR: capacity.search_coordinators,
    }
    return {place: settings for place, settings in every.items() if settings.places is not None}


def days_in_bed(beds: InfusionStarts, cycle: int, infusion_days: int) -> int:
    """Return the days in hospital at the start of a cycle: never more than the infusion lasts."""
    return min(beds.first_cycle_days if cycle == 1 else beds.later_cycle_days, infusion_days)


def other_patients(
    luck: Luck, replication: int, place: Place, background: Background, first_day: int
) -> Iterator[tuple[int, int]]:
    """Yield the other patients, who come at random (a Poisson process), in the order of coming, without end.

    Parameters
    ----------
    luck : Luck
        All the luck of the seed; the n-th other patient has the uniforms of patient n of the replication.
    replication : int
        Which replication.
    place, background
        What they want, and how many come.
    first_day : int
        Calendar day before which none comes.

    Yields
    ------
    coming, stay : int
        Calendar day of coming, and days of stay.
    """
    if background.arrivals_per_year <= 0:
        return
    between, name = DAYS_PER_YEAR / background.arrivals_per_year, place.name.lower()
    block = range(replication, replication + 1)
    clock, number = float(first_day), 0
    while True:
        gaps = exponential(luck.uniform(f"others.{name}.arrival", block, TILE, number)[0]) * between
        stays = whole_days(
            exponential(luck.uniform(f"others.{name}.stay", block, TILE, number)[0]) * background.mean_stay_days
        )
        arrivals = clock + np.cumsum(gaps)
        days = np.floor(np.minimum(arrivals, NEVER)).astype(int)
        yield from zip(days.tolist(), stays.tolist(), strict=True)
        clock, number = float(arrivals[-1]), number + TILE
