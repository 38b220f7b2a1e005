"""Survival tables: counts per whole day that add up exactly.

A table of D days is as large for a billion patients as for a thousand, and the sum of the tables of the parts
is the table of the whole: integers, no rounding. The estimators are those of `survival`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinasim.statistics import curves
from blinasim.statistics.curves import Bools, Floats, Integers, Transform


@dataclass(frozen=True, eq=False)
class SurvivalTable:
    """Events and censorings on each of the days 0 to D - 1, pooled over any number of patients.

    Attributes
    ----------
    events : (D,) array of int64
        Events on each day.
    censored : (D,) array of int64
        Censorings on each day; they follow the events of the day.
    beyond : int
        Patients whose time is day D or later. They are at risk on every day of the table; what happened to
        them is not recorded.

    Raises
    ------
    ValueError
        When the arrays are not both (D,) with D at least 1, or a count is negative.
    """

    events: NDArray[np.int64]
    censored: NDArray[np.int64]
    beyond: int = 0

    def __post_init__(self) -> None:
        if self.events.ndim != 1 or self.events.size == 0 or self.events.shape != self.censored.shape:
            raise ValueError(f"events {self.events.shape} and censored {self.censored.shape} must be (D,)")
        check_counts(self.events, self.censored, self.beyond)

    @classmethod
    def of(cls, time_days: Integers, event: Bools, member: Bools | None = None, *, days: int) -> "SurvivalTable":
        """Count the patients of a trial or a batch.

        Parameters
        ----------
        time_days : array of int, any shape
            Day of the event or of censoring, at least 0.
        event : array of bool
            True for an event, False for a censoring.
        member : array of bool, optional
            Who is counted; everybody by default.
        days : int
            D, the number of days in the table.

        Returns
        -------
        SurvivalTable
            The counts.

        Raises
        ------
        TypeError
            When times are not integers or a mask is not boolean.
        ValueError
            When shapes differ, a member's time is out of range, or there are no days.
        """
        curves.check_mask("event", event)
        counts = daily_counts(time_days, event, member, codes=2, days=days)
        return cls(counts[1, :-1], counts[0, :-1], int(counts[:, -1].sum()))

    @classmethod
    def empty(cls, days: int) -> "SurvivalTable":
        """Make a table of nobody, the start of a sum: `sum(tables, SurvivalTable.empty(days))`."""
        return cls(np.zeros(days, dtype=np.int64), np.zeros(days, dtype=np.int64))

    def __add__(self, other: "SurvivalTable") -> "SurvivalTable":
        """Pool two tables; ValueError when they have different numbers of days."""
        check_same_grid(self.events, other.events)
        return SurvivalTable(self.events + other.events, self.censored + other.censored, self.beyond + other.beyond)

    @property
    def days(self) -> NDArray[np.int64]:
        """The days of the table, (D,) array: 0 to D - 1."""
        return np.arange(self.events.size, dtype=np.int64)

    @property
    def at_risk(self) -> NDArray[np.int64]:
        """Patients at risk on each day, (D,) array: those whose time is that day or later."""
        return np.cumsum((self.events + self.censored)[::-1])[::-1] + np.int64(self.beyond)

    @property
    def n_patients(self) -> int:
        """Patients in the table."""
        return int(self.at_risk[0])

    def survival(self) -> Floats:
        """Kaplan-Meier survival on each day, the events of the day included.

        Returns
        -------
        (D,) array of float
            Survival; nan when there are no patients.
        """
        return self._unless_empty(curves.product_limit(self.at_risk, self.events))

    def greenwood(self) -> Floats:
        """Sum of Greenwood's terms up to each day: the variance of log survival.

        Returns
        -------
        (D,) array of float
            The sums; a day that leaves nobody at risk adds nothing (see `curves.greenwood_terms`).
        """
        return np.cumsum(self._greenwood_terms())

    def median(self, q: float = 0.5) -> float:
        """First day on which survival is at or below q.

        Parameters
        ----------
        q : float
            Level between 0 and 1; one half by default, see `survival.median`.

        Returns
        -------
        float
            Day; inf when the level is not reached on the days of the table, nan when there are no patients.
        """
        return float(self._unless_empty(curves.first_day(self.days, curves.has_reached(self.survival(), q))))

    def median_interval(
        self, level: float = 0.95, transform: Transform = "log-log", q: float = 0.5
    ) -> tuple[float, float]:
        """Brookmeyer-Crowley limits of the median, as `survival.median_interval`.

        Parameters
        ----------
        level, transform, q
            Confidence level, scale of the band and level of survival.

        Returns
        -------
        lower, upper : float
            Days; inf when not reached on the days of the table, nan when there are no patients.

        Raises
        ------
        ValueError
            When a level is not between 0 and 1 or the transform is unknown.
        """
        lower, upper = (
            float(self._unless_empty(curves.first_day(self.days, curves.has_reached(limit, q))))
            for limit in curves.band(self.survival(), self.greenwood(), level, transform)
        )
        return lower, upper

    def survival_at(self, day: float) -> float:
        """Survival on a day, the events of that day included.

        Parameters
        ----------
        day : float
            The day.

        Returns
        -------
        float
            Survival; flat beyond the last observation, nan when there are no patients.

        Raises
        ------
        ValueError
            When patients were followed beyond the table and the day lies there.
        """
        self._check_known(day, last=self.events.size - 1)
        return float(self._unless_empty(curves.value_at(self.days, self.survival(), day, before=1.0)))

    def interval_at(self, day: float, level: float = 0.95, transform: Transform = "log-log") -> tuple[float, float]:
        """Pointwise Greenwood limits of survival on a day, as `survival.interval_at`.

        Parameters
        ----------
        day, level, transform
            The day, the confidence level and the scale of the band.

        Returns
        -------
        lower, upper : float
            Limits in [0, 1]; nan when there are no patients.

        Raises
        ------
        ValueError
            As `survival_at`; also when the level is not between 0 and 1 or the transform is unknown.
        """
        survival = np.asarray(self.survival_at(day))
        greenwood = curves.value_at(self.days, self.greenwood(), day, before=0.0)
        lower, upper = curves.band(survival, greenwood, level, transform)
        return float(lower), float(upper)

    def rmst(self, tau_days: float) -> float:
        """Restricted mean survival time: the area under the curve on [0, tau].

        Parameters
        ----------
        tau_days : float
            Horizon in days; the curve is extended flat beyond a last, censored observation.

        Returns
        -------
        float
            Days; nan when there are no patients.

        Raises
        ------
        ValueError
            When tau is negative or not finite, or patients were followed beyond the table and tau lies there.
        """
        return float(self._rectangles(tau_days).sum())

    def rmst_standard_error(self, tau_days: float) -> float:
        """Greenwood standard error of the restricted mean survival time, as `survival.rmst_standard_error`.

        Parameters
        ----------
        tau_days : float
            Horizon in days.

        Returns
        -------
        float
            Days; nan when there are no patients.

        Raises
        ------
        ValueError
            As `rmst`.
        """
        areas = self._rectangles(tau_days)
        return float(np.sqrt(curves.restricted_mean_variance(areas, self._greenwood_terms())))

    def reverse_median(self) -> float:
        """Median follow-up by the reverse Kaplan-Meier method, as `survival.reverse_median`.

        Returns
        -------
        float
            Day; inf when not reached on the days of the table, nan when there are no patients.
        """
        reverse = curves.product_limit(self.at_risk - self.events, self.censored)
        return float(self._unless_empty(curves.first_day(self.days, curves.has_reached(reverse, 0.5))))

    def _greenwood_terms(self) -> Floats:
        return curves.greenwood_terms(self.at_risk, self.events)

    def _rectangles(self, tau_days: float) -> Floats:
        # The last value holds for one whole day, so the area is known up to D.
        self._check_known(tau_days, last=self.events.size)
        return curves.rectangles(self.days, self.survival(), tau_days)

    def _check_known(self, day: float, last: int) -> None:
        if self.beyond and day > last:
            raise ValueError(f"day {day}: {self.beyond} patients were followed beyond day {last} of the table")

    def _unless_empty(self, values: Floats) -> Floats:
        return values if self.n_patients else np.full_like(values, np.nan)


def daily_cells(
    time_days: Integers, code: curves.Counts, member: Bools | None, *, codes: int, days: int
) -> NDArray[np.int32]:
    """Number the cell of a (codes, days + 1) grid in which each patient is counted, row after row.

    Parameters
    ----------
    time_days : array of int, any shape
        Days, at least 0. The last column of the grid takes everybody whose time is day D or later.
    code : array of int or bool
        What happened, 0 to `codes` - 1.
    member : array of bool or None
        Who is counted; None means everybody.
    codes, days : int
        Number of codes K and of days D.

    Returns
    -------
    (N,) array of int32
        The cell of each member.

    Raises
    ------
    TypeError
        When times are not integers or `member` is not boolean.
    ValueError
        When shapes differ, a member's time or code is out of range.
    """
    curves.check_patients(time_days, member, code)
    if not curves.lies_within(0, codes - 1, code, member):
        raise ValueError(f"a code lies outside 0 to {codes - 1}")
    cells = code.astype(np.int32) * np.int32(days + 1) + np.minimum(time_days, days).astype(np.int32)
    return cells.ravel() if member is None else cells.ravel().take(np.flatnonzero(member))


def daily_counts(
    time_days: Integers, code: curves.Counts, member: Bools | None, *, codes: int, days: int
) -> NDArray[np.int64]:
    """Count patients by what happened to them and on which day.

    Parameters
    ----------
    time_days, code, member, codes, days
        As for `daily_cells`.

    Returns
    -------
    (K, D + 1) array of int64
        Patients with this code on this day; in the last column those whose time is day D or later.

    Raises
    ------
    TypeError, ValueError
        As `daily_cells`.
    """
    cells = daily_cells(time_days, code, member, codes=codes, days=days)
    return np.bincount(cells, minlength=codes * (days + 1)).reshape(codes, days + 1).astype(np.int64)


def check_counts(events: NDArray[np.int64], censored: NDArray[np.int64], beyond: int) -> None:
    """Refuse counts that are negative.

    Raises
    ------
    ValueError
        When one is.
    """
    if beyond < 0 or (events < 0).any() or (censored < 0).any():
        raise ValueError("counts cannot be negative")


def check_same_grid(one: NDArray[np.int64], other: NDArray[np.int64]) -> None:
    """Refuse two tables whose counts differ in shape: they do not add up.

    Raises
    ------
    ValueError
        When they do.
    """
    if one.shape != other.shape:
        raise ValueError(f"tables of shapes {one.shape} and {other.shape} cannot be added")
