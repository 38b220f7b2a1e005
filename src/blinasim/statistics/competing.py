"""Aalen-Johansen estimators of cumulative incidence under competing risks.

The incidence of a cause grows on each day by S(t-) d / n: survival of all causes just before the day, times
the share of those at risk who have an event of this cause. Survival and all incidences add up to 1.

Aalen and Johansen, Scand J Stat 1978;5:141-150.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinasim.statistics import curves, survival
from blinasim.statistics.curves import Bools, Floats, Integers
from blinasim.statistics.survival import SurvivalBatch
from blinasim.statistics.tables import SurvivalTable, check_counts, check_same_grid, daily_counts


def cumulative_incidence(batch: SurvivalBatch, cause: int, *, day: float) -> Floats:
    """Cumulative incidence of one cause by a day, in each trial of a batch.

    Parameters
    ----------
    batch : SurvivalBatch
        Curves of R trials that know the causes, as `survival.fit_causes` gives.
    cause : int
        The cause asked for, at least 1.
    day : float
        The day; its events are included.

    Returns
    -------
    (R,) array of float
        Probability of an event of this cause by the day; flat beyond the last observation, nan where there
        are no members.

    Raises
    ------
    ValueError
        When the cause is not at least 1.
    """
    if cause < 1:
        raise ValueError(f"causes are numbered from 1: there is no cause {cause}")
    # Patient by patient as in `survival`: within a day S / n stays the same from one event to the next,
    # S (1 - 1 / n) / (n - 1) = S / n, so the single steps add up to S(t-) d / n, in whichever order causes come.
    counted = (batch.code == cause) & (batch.time <= day)
    incidence = _probability(curves.total(_steps(batch.survival, batch.at_risk, counted)))
    return np.where(batch.n_members > 0, incidence, np.nan)


def on_grid(batch: SurvivalBatch, causes: int, days: NDArray[np.int64]) -> Floats:
    """Cumulative incidences on each day of a grid.

    Parameters
    ----------
    batch : SurvivalBatch
        Curves of R trials that know the causes, as `survival.fit_causes` gives.
    causes : int
        Number of causes K.
    days : (G,) array of int
        Ascending days.

    Returns
    -------
    (R, K, G) array of float
        As `cumulative_incidence`, but nan where `survival.on_grid` is.
    """
    trials, places = batch.time.shape
    _, up_to = survival.steps_passed(batch, days)
    where = up_to + (places + 1) * np.arange(trials)[:, np.newaxis]
    known = days <= batch.known_until[:, np.newaxis]
    found = np.empty((trials, causes, days.size))
    for cause in range(1, causes + 1):
        after_steps = np.zeros((trials, places + 1))
        np.cumsum(_steps(batch.survival, batch.at_risk, batch.code == cause), axis=1, out=after_steps[:, 1:])
        found[:, cause - 1] = np.where(known, _probability(after_steps).take(where), np.nan)
    return found


@dataclass(frozen=True, eq=False)
class IncidenceTable:
    """Events of K causes and censorings on each of the days 0 to D - 1, pooled over any number of patients.

    Attributes
    ----------
    events : (K, D) array of int64
        Events of each cause on each day; row 0 is cause 1.
    censored : (D,) array of int64
        Censorings on each day; they follow the events of the day.
    beyond : int
        Patients whose time is day D or later: at risk on every day of the table.

    Raises
    ------
    ValueError
        When the shapes do not fit or a count is negative.
    """

    events: NDArray[np.int64]
    censored: NDArray[np.int64]
    beyond: int = 0

    def __post_init__(self) -> None:
        if self.events.ndim != 2 or self.events.size == 0 or self.events.shape[1:] != self.censored.shape:
            raise ValueError(f"events {self.events.shape} must be (K, D), censored {self.censored.shape} (D,)")
        check_counts(self.events, self.censored, self.beyond)

    @classmethod
    def of(
        cls, time_days: Integers, code: Integers, member: Bools | None = None, *, causes: int, days: int
    ) -> "IncidenceTable":
        """Count the patients of a trial or a batch.

        Parameters
        ----------
        time_days : array of int, any shape
            Day of the event or of censoring, at least 0.
        code : array of int
            0 for a censoring, otherwise the cause, 1 to K.
        member : array of bool, optional
            Who is counted; everybody by default.
        causes, days : int
            Number of causes K and of days D.

        Returns
        -------
        IncidenceTable
            The counts.

        Raises
        ------
        TypeError
            When times or codes are not integers or `member` is not boolean.
        ValueError
            When shapes differ, or a member's time or code is out of range.
        """
        curves.check_whole(code)
        return cls.of_counts(daily_counts(time_days, code, member, codes=causes + 1, days=days))

    @classmethod
    def of_counts(cls, counts: NDArray[np.int64]) -> "IncidenceTable":
        """Read a grid of counts, shape (K + 1, D + 1), laid out as by `tables.daily_counts`."""
        return cls(counts[1:, :-1], counts[0, :-1], int(counts[:, -1].sum()))

    @classmethod
    def empty(cls, *, causes: int, days: int) -> "IncidenceTable":
        """Make a table of nobody, the start of a sum."""
        return cls(np.zeros((causes, days), dtype=np.int64), np.zeros(days, dtype=np.int64))

    def __add__(self, other: "IncidenceTable") -> "IncidenceTable":
        """Pool two tables; ValueError when they have different numbers of causes or days."""
        check_same_grid(self.events, other.events)
        return IncidenceTable(self.events + other.events, self.censored + other.censored, self.beyond + other.beyond)

    def all_causes(self) -> SurvivalTable:
        """Survival table in which an event of any cause is an event."""
        return SurvivalTable(self.events.sum(axis=0), self.censored, self.beyond)

    def cumulative_incidence(self) -> Floats:
        """Aalen-Johansen curves: probability of an event of each cause by each day, the day included.

        Returns
        -------
        (K, D) array of float
            Row 0 is cause 1; nan when there are no patients. The rows and
            `all_causes().survival()` add up to 1.
        """
        pooled = self.all_causes()
        if not pooled.n_patients:
            return np.full(self.events.shape, np.nan)
        return _probability(np.cumsum(_steps(pooled.survival(), pooled.at_risk, self.events), axis=-1))


def _probability(sums: Floats) -> Floats:
    """Cut what the rounding of a sum of steps puts above 1."""
    return np.minimum(sums, 1.0)


def _steps(survival: Floats, at_risk: Integers, events: curves.Counts) -> Floats:
    """Growth of incidence at each step, S(t-) d / n; `survival` is the value after each step."""
    return curves.just_before(survival, 1.0) * events / np.maximum(at_risk, 1)
