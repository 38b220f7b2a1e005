"""Estimators of what a treatment does that patients begin on the way, as papers use them, for a batch of trials.

A patient must live, and stay fit for it, until the treatment begins. How an estimator treats that waiting time is all
the difference between them:

- by what came later (`ever_against_never`): the treated are given the time before their treatment, in which they could
  not die: immortal time (Suissa, Am J Epidemiol 2008;167:492-499);
- by what had come by a landmark (`landmark`): Anderson, Cain and Gelber, J Clin Oncol 1983;1:710-719;
- by what has come so far (`time_dependent`, `simon_makuch`): Crowley and Hu, J Am Stat Assoc 1977;72:27-36; Simon and
  Makuch, Stat Med 1984;3:35-44.

Clones and weights have a module of their own (:mod:`blinasim.statistics.clone_weight`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from blinasim.statistics import cox, curves, survival
from blinasim.statistics.counting import Rows, extended_kaplan_meier
from blinasim.statistics.cox import Ties
from blinasim.statistics.curves import Bools, Floats

Days = NDArray[np.int32]

#: What has not come: later than any day.
NEVER: Final = np.int32(1_000_000)
#: A standard error of a log hazard ratio beyond which the likelihood has no maximum: no event in one of the groups.
_NOT_ESTIMABLE: Final = 20.0


@dataclass(frozen=True, eq=False)
class Exposure:
    """Patients followed from a common origin, some of whom begin a treatment on the way; R trials of n.

    Attributes
    ----------
    time_days : (R, n) array of int32
        Day of the event or of censoring, at least 0.
    event : (R, n) array of bool
        Whether it is an event. On one day events come before treatments, and treatments before censorings.
    treated_day : (R, n) array of int32
        Day on which treatment begins; -1 if it does not while the patient is followed.
    broken_day : (R, n) array of int32
        Day on which the state ends in which the treatment is usually begun (a remission); -1 if it does not.
    eligible : (R, n) array of bool
        Who may be treated at all; the others count among the untreated.
    covariates : (R, n, p) array of float
        What is known about each patient at the origin.
    member : (R, n) array of bool
        Who is analysed; what the other arrays hold for the others does not matter.
    """

    time_days: Days
    event: Bools
    treated_day: Days
    broken_day: Days
    eligible: Bools
    covariates: Floats
    member: Bools

    @property
    def treated(self) -> Days:
        """Day of treatment, `NEVER` where it is not begun by the end of a patient's time."""
        seen = (self.treated_day >= 0) & (self.treated_day <= self.time_days - self.event)
        return np.where(seen & self.member, self.treated_day, NEVER)

    @property
    def broken(self) -> Days:
        """Day on which the state ends, `NEVER` where it does not by the end of a patient's time."""
        seen = (self.broken_day >= 0) & (self.broken_day <= self.time_days)
        return np.where(seen & self.member, self.broken_day, NEVER)

    def packed(self) -> Self:
        """Return the members alone, in their order, in as few places as the largest trial needs."""
        width = int(self.member.sum(axis=1).max(initial=0))
        order = np.argsort(~self.member, axis=1, kind="stable")[:, :width]

        def pick(array: NDArray[Any]) -> NDArray[Any]:
            return np.take_along_axis(array, order.reshape(*order.shape, *(1,) * (array.ndim - 2)), axis=1)

        return self._each(pick)

    def trials(self, which: NDArray[Any] | slice) -> Self:
        """Return some of the trials."""
        return self._each(lambda array: array[which])

    def among(self, member: Bools) -> Self:
        """Return the same with fewer members."""
        return replace(self, member=self.member & member)

    def pooled(self, trials: int) -> Self:
        """Return so many consecutive trials pooled as one, and so on; the last pool may hold fewer."""
        missing = -self.member.shape[0] % trials

        def pool(array: NDArray[Any]) -> NDArray[Any]:
            whole = np.concatenate([array, np.zeros((missing, *array.shape[1:]), dtype=array.dtype)])
            return whole.reshape(whole.shape[0] // trials, trials * whole.shape[1], *whole.shape[2:])

        return self._each(pool).packed()

    def _each(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Self:
        return replace(self, **{item.name: change(getattr(self, item.name)) for item in fields(self)})


@dataclass(frozen=True, eq=False)
class Estimate:
    """An estimate of each of R trials with the standard error that its model gives; nan where there is none.

    Attributes
    ----------
    value : (R,) array of float
        Log hazard ratio, or difference or share of survival.
    standard_error : (R,) array of float
        On the same scale.
    """

    value: Floats
    standard_error: Floats

    @classmethod
    def of(cls, value: Floats, standard_error: Floats) -> Self:
        """Blank what is no estimate: without a value, or without an error that is a positive number; (R,) arrays."""
        known = np.isfinite(value) & np.isfinite(standard_error) & (standard_error > 0.0)
        return cls(np.where(known, value, np.nan), np.where(known, standard_error, np.nan))

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Return the normal confidence limits."""
        reach = curves.normal_quantile(level) * self.standard_error
        return self.value - reach, self.value + reach


# --- hazard ratios ------------------------------------------------------------------------------------


def ever_against_never(data: Exposure, ties: Ties = "efron") -> Estimate:
    """Log hazard ratio of those treated at any time against those never treated, from the origin.

    Parameters
    ----------
    data : Exposure
        R trials.
    ties : {"efron", "breslow"}
        As for `cox.fit`.

    Returns
    -------
    Estimate
        Biased by immortal time (Suissa 2008).
    """
    return _first_coefficient(
        np.full(data.time_days.shape, -1), data.time_days, data.event, (data.treated < NEVER)[..., np.newaxis],
        data.member, ties,
    )  # fmt: skip


def landmark(data: Exposure, day: int, ties: Ties = "efron") -> Estimate:
    """Log hazard ratio, from a landmark day, of those treated by then against the others who are alive then.

    Who is treated later stays in the untreated group.

    Parameters
    ----------
    data : Exposure
        R trials.
    day : int
        The landmark, days from the origin; who has an event or is censored on it is left out.
    ties : {"efron", "breslow"}
        As for `cox.fit`.

    Returns
    -------
    Estimate
        After Anderson, Cain and Gelber (1983).
    """
    return _first_coefficient(
        np.full(data.time_days.shape, day), data.time_days, data.event, (data.treated <= day)[..., np.newaxis],
        data.member & (data.time_days > day), ties,
    )  # fmt: skip


def time_dependent(data: Exposure, *, adjusted: bool = False, ties: Ties = "efron") -> Estimate:
    """Log hazard ratio of treatment as a covariate that turns from 0 to 1 on its day.

    Parameters
    ----------
    data : Exposure
        R trials.
    adjusted : bool
        Whether the covariates are taken into the model.
    ties : {"efron", "breslow"}
        As for `cox.fit`.

    Returns
    -------
    Estimate
        After Crowley and Hu (1977).
    """
    start, stop, event, treated, member = _split(data, -1)
    x = treated[..., np.newaxis].astype(np.float64)
    if adjusted:
        x = np.concatenate([x, np.concatenate([data.covariates, data.covariates], axis=1)], axis=2)
    return _first_coefficient(start, stop, event, x, member, ties)


def _first_coefficient(
    start: NDArray[Any], stop: NDArray[Any], event: Bools, x: NDArray[Any], member: Bools, ties: Ties
) -> Estimate:
    found = cox.fit(start, stop, event, x.astype(np.float64), member, ties=ties)
    value, error = found.coefficient[:, 0], found.standard_error[:, 0]
    return Estimate.of(value, np.where(error < _NOT_ESTIMABLE, error, np.nan))


def _split(data: Exposure, origin: int) -> tuple[NDArray[Any], NDArray[Any], Bools, Bools, Bools]:
    """Return each patient's rows before and after treatment, from an origin on, shape (R, 2 n).

    Start, stop, event, treated, and where there is a row at all.
    """
    stop, begin = data.time_days, np.maximum(data.treated, origin)
    start = np.full(stop.shape, origin, dtype=stop.dtype)
    before = np.minimum(stop, begin)
    here = data.member & (stop > origin)
    return (
        np.concatenate([start, np.minimum(begin, stop)], axis=1),
        np.concatenate([before, stop], axis=1),
        np.concatenate([data.event & (stop <= begin), data.event], axis=1),
        np.concatenate([np.zeros(stop.shape, dtype=np.bool_), np.ones(stop.shape, dtype=np.bool_)], axis=1),
        np.concatenate([here & (before > start), here & (stop > begin)], axis=1),
    )


# --- survival on a day --------------------------------------------------------------------------------


def kaplan_meier(data: Exposure, day: int) -> Estimate:
    """Survival on a day from the origin, whatever the treatment, shape (R,); Greenwood's error."""
    return _survival(data.time_days, data.event, data.member, day)


def censored_at_treatment(data: Exposure, day: int) -> Estimate:
    """Survival on a day from the origin, patients censored when treated, shape (R,); Greenwood's error."""
    time = np.minimum(data.time_days, data.treated)
    return _survival(time, data.event & (time == data.time_days), data.member, day)


def ever_against_never_difference(data: Exposure, day: int) -> Estimate:
    """Survival on a day of those treated at any time less that of those never treated, from the origin.

    Parameters
    ----------
    data : Exposure
        R trials.
    day : int
        From the origin.

    Returns
    -------
    Estimate
        Greenwood's errors of the two groups, taken for independent; biased by immortal time.
    """
    ever = data.treated < NEVER
    return _less(
        _survival(data.time_days, data.event, data.member & ever, day),
        _survival(data.time_days, data.event, data.member & ~ever, day),
    )


def landmark_difference(data: Exposure, landmark_day: int, day: int) -> Estimate:
    """Survival on a day of those treated by the landmark less that of the others, all alive at the landmark.

    Parameters
    ----------
    data : Exposure
        R trials.
    landmark_day, day : int
        Days from the origin; the landmark comes first.

    Returns
    -------
    Estimate
        Difference of Kaplan-Meier survival; Greenwood's errors of the two groups, taken for independent.
    """
    alive, by_then = data.member & (data.time_days > landmark_day), data.treated <= landmark_day
    return _less(
        _survival(data.time_days, data.event, alive & by_then, day),
        _survival(data.time_days, data.event, alive & ~by_then, day),
    )


def simon_makuch(data: Exposure, landmark_day: int, day: int) -> Estimate:
    """Survival on a day, from a landmark, in the group treated so far less that in the group not yet treated.

    Parameters
    ----------
    data : Exposure
        R trials.
    landmark_day, day : int
        Days from the origin; the landmark comes first.

    Returns
    -------
    Estimate
        Difference of the curves of Simon and Makuch (1984); Greenwood's errors of the two, taken for independent.
    """
    both = []
    for rows, group in simon_makuch_groups(data, landmark_day):
        curve = extended_kaplan_meier(rows, group)
        value, greenwood, n = curve.on(day)
        dead = value == 0.0  # nobody is left, by death: that is known for good
        some = (group & rows.member).any(axis=1) & ((n > 0.0) | dead)
        error = np.where(dead, 0.0, value * np.sqrt(np.where(dead, 0.0, greenwood)))
        both.append(Estimate(np.where(some, value, np.nan), np.where(some, error, np.nan)))
    treated, untreated = both
    return _less(treated, untreated)


def simon_makuch_groups(data: Exposure, landmark_day: int) -> tuple[tuple[Rows, Bools], tuple[Rows, Bools]]:
    """Return rows from the landmark on, with which of them belong to the treated, and to those not yet treated.

    Parameters
    ----------
    data : Exposure
        R trials.
    landmark_day : int
        Day from the origin.

    Returns
    -------
    treated, untreated : tuple of Rows and (R, m) array of bool
        As `counting.extended_kaplan_meier` takes them.
    """
    start, stop, event, treated, member = _split(data, landmark_day)
    rows = Rows.of(start, stop, event, member)
    after = np.asarray(rows.sorted(treated), dtype=np.bool_) & rows.member
    return (rows, after), (rows, ~after & rows.member)


def _survival(time: Days, event: Bools, member: Bools, day: int) -> Estimate:
    fitted = survival.fit(time.astype(np.int32), event & member, member)
    value = survival.survival_at(fitted, day)
    greenwood = curves.value_at(fitted.time, fitted.greenwood, day, before=0.0)
    known = fitted.known_until >= day
    return Estimate(np.where(known, value, np.nan), np.where(known, value * np.sqrt(greenwood), np.nan))


def _less(one: Estimate, other: Estimate) -> Estimate:
    """Return the difference of two independent estimates."""
    return Estimate.of(one.value - other.value, np.hypot(one.standard_error, other.standard_error))
