"""Kaplan-Meier estimators for a batch of trials: R trials of n patients each in arrays of shape (R, n).

The patients of a trial are sorted by time, events before censorings on the same day, and every patient is a
step of his own. The single steps of one day telescope to the usual one: d factors 1 - 1 / n, 1 - 1 / (n - 1),
... have the product 1 - d / n, and Greenwood's terms 1 / (n (n - 1)), 1 / ((n - 1) (n - 2)), ... the sum
d / (n (n - d)). So the whole batch needs one sort and one cumulative product, and where an interval is asked
for one cumulative sum; and what a single event does depends on n alone: it is looked up, not computed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from blinasim.statistics import curves
from blinasim.statistics.curves import Bools, Floats, Integers, Transform


@dataclass(frozen=True, eq=False)
class SurvivalBatch:
    """Kaplan-Meier curves of R trials, a step per patient.

    Attributes
    ----------
    time : (R, m) array of int32
        Days, ascending in each row; `curves.NEVER` in the places behind the last member. There are as many
        places as the largest trial has members.
    code : (R, m) array of int
        What the step is: 0 a censoring (or nothing, behind the last member), otherwise the cause of the event,
        1 where there is only one; on one day events come first, by cause.
    at_risk : (R, m) array of int32
        Members at risk just before the step; 0 behind the last member.
    survival : (R, m) array of float
        Survival after the step. Within one day only the value after its last event is the estimate. Flat
        behind the last member, nan in rows without members.
    """

    time: NDArray[np.int32]
    code: NDArray[np.int32]
    at_risk: NDArray[np.int32]
    survival: Floats

    @cached_property
    def n_members(self) -> NDArray[np.int64]:
        """Members of each trial, (R,) array."""
        return np.asarray(self.at_risk.max(axis=1, initial=0), dtype=np.int64)

    @cached_property
    def event(self) -> Bools:
        """Whether the step is an event, of any cause; (R, m) array."""
        return self.code > 0

    @property
    def greenwood_terms(self) -> Floats:
        """Greenwood's term of each step, (R, m) array (see `curves.greenwood_terms`)."""
        return _looked_up(curves.greenwood_terms, self.at_risk, self.event)

    @cached_property
    def greenwood(self) -> Floats:
        """Sum of Greenwood's terms after each step: the variance of log survival; (R, m) array.

        A last step that leaves nobody at risk adds nothing.
        """
        return np.cumsum(self.greenwood_terms, axis=1)

    @cached_property
    def known_until(self) -> Floats:
        """Last day on which each curve is known, (R,) array.

        The day of the last observation; inf where nobody survived it, nan where there are no members.
        """
        if not self.time.shape[1]:
            return np.full(self.n_members.shape, np.nan)
        last = self.time[np.arange(self.n_members.size), np.maximum(self.n_members - 1, 0)]
        return _without_empty(self, np.where(self.survival[:, -1] <= 0.0, np.inf, last))


def fit(time_days: Integers, event: Bools, member: Bools | None = None) -> SurvivalBatch:
    """Fit the Kaplan-Meier curve of every trial.

    Parameters
    ----------
    time_days : (R, n) array of int
        Day of the event or of censoring, at least 0.
    event : (R, n) array of bool
        True for an event, False for a censoring.
    member : (R, n) array of bool, optional
        Who belongs to the analysed population; everybody by default. Rows may have different numbers of
        members, also none; what the other arrays hold for non-members does not matter.

    Returns
    -------
    SurvivalBatch
        The curves.

    Raises
    ------
    TypeError
        When times are not integers or a mask is not boolean.
    ValueError
        When shapes differ, there are not two axes, or a member's time is out of range.
    """
    curves.check_mask("event", event)
    return _fit(time_days, event.view(np.int8), member)


def fit_causes(time_days: Integers, code: Integers, member: Bools | None = None) -> SurvivalBatch:
    """Fit the curve of freedom from events of any cause, as `fit`, and keep the causes.

    Parameters
    ----------
    time_days, member
        As for `fit`.
    code : (R, n) array of int
        What happened: 0 for a censoring, otherwise the cause, 1 to 15.

    Returns
    -------
    SurvivalBatch
        The curves, for this module and for `competing.cumulative_incidence`.

    Raises
    ------
    TypeError, ValueError
        As `fit`; also when codes are not integers or a member's code is out of range.
    """
    curves.check_whole(code)
    curves.check_patients(time_days, member, code)
    if not curves.lies_within(0, curves.LAST_RANK, code, member):
        raise ValueError(f"causes are numbered from 1 to {curves.LAST_RANK}, and 0 is a censoring: no other code")
    return _fit(time_days, code, member)


def median(batch: SurvivalBatch, q: float = 0.5) -> Floats:
    """First day on which survival is at or below q.

    Parameters
    ----------
    batch : SurvivalBatch
        Curves of R trials.
    q : float
        Level between 0 and 1; one half by default. A curve that equals q counts as having reached it, as in
        lifelines. (R and SAS take the middle of the flat piece when the curve equals q on one.)

    Returns
    -------
    (R,) array of float
        Days; inf where the level is never reached, nan where there are no members.
    """
    return _without_empty(batch, curves.first_day(batch.time, curves.has_reached(batch.survival, q)))


def median_interval(
    batch: SurvivalBatch, level: float = 0.95, transform: Transform = "log-log", q: float = 0.5
) -> tuple[Floats, Floats]:
    """Brookmeyer-Crowley limits of the median: the first days on which the band's limits are at or below q.

    Brookmeyer and Crowley, Biometrics 1982;38:29-41, with the band of `curves.band`: "log-log" as SAS
    LIFETEST, "log" as R's survfit. Where survival falls to 0 the band closes at 0, so that a last event makes
    the upper limit finite, as in lifelines; R leaves it open there (NA).

    Parameters
    ----------
    batch : SurvivalBatch
        Curves of R trials.
    level : float
        Confidence level.
    transform : {"log-log", "log", "plain"}
        Scale of the band.
    q : float
        Level of survival whose day is estimated.

    Returns
    -------
    lower, upper : (R,) array of float
        Days; inf where the limit is never reached, nan where there are no members.

    Raises
    ------
    ValueError
        When a level is not between 0 and 1 or the transform is unknown.
    """
    # A band need not fall at every step, and within a day it means nothing: only the last event of a day
    # counts.
    settled = np.ones(batch.time.shape, dtype=np.bool_)
    settled[:, :-1] = (batch.time[:, 1:] > batch.time[:, :-1]) | ~batch.event[:, 1:]
    lower, upper = (
        _without_empty(batch, curves.first_day(batch.time, curves.has_reached(limit, q) & settled))
        for limit in curves.band(batch.survival, batch.greenwood, level, transform)
    )
    return lower, upper


def survival_at(batch: SurvivalBatch, day: float) -> Floats:
    """Survival on a day, the events of that day included.

    Parameters
    ----------
    batch : SurvivalBatch
        Curves of R trials.
    day : float
        The day.

    Returns
    -------
    (R,) array of float
        Survival; flat beyond the last observation, nan where there are no members.
    """
    return _without_empty(batch, curves.value_at(batch.time, batch.survival, day, before=1.0))


def on_grid(batch: SurvivalBatch, days: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
    """Survival and patients at risk on each day of a grid, in one pass.

    Parameters
    ----------
    batch : SurvivalBatch
        Curves of R trials.
    days : (G,) array of int
        Ascending days.

    Returns
    -------
    survival : (R, G) array of float
        As `survival_at`, but nan on days after the last observation of a trial, unless nobody survived it.
    at_risk : (R, G) array of int
        Members whose time is at least the day.
    """
    places = batch.time.shape[1]
    before, up_to = steps_passed(batch, days)
    row = np.arange(batch.time.shape[0])[:, np.newaxis]
    after_steps = np.concatenate([np.ones((row.size, 1)), batch.survival], axis=1)
    survival = after_steps.take(up_to + (places + 1) * row)
    known = days <= batch.known_until[:, np.newaxis]
    return np.where(known, survival, np.nan), batch.n_members[:, np.newaxis] - before


def steps_passed(batch: SurvivalBatch, days: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count each trial's steps before each day of a grid, and up to it.

    Parameters
    ----------
    batch : SurvivalBatch
        Curves of R trials.
    days : (G,) array of int64
        Ascending.

    Returns
    -------
    before, upto : (R, G) array of int64
    """
    trials = batch.time.shape[0]
    # Columns of the counts: before the first day of the grid, on it, between it and the next, on the next, ...
    # Which column a time belongs to is looked up by day, up to the first day behind the grid.
    behind = max(int(days[-1]), 0) + 1
    every_day = np.arange(behind + 1)
    column = np.searchsorted(days, every_day, side="left") + np.searchsorted(days, every_day, side="right")
    columns = 2 * days.size + 1
    row = np.arange(trials)[:, np.newaxis]
    cells = column.take(np.minimum(batch.time, behind)) + columns * row
    counts = np.bincount(cells.ravel(), minlength=trials * columns).reshape(trials, columns)
    passed = np.cumsum(counts, axis=1)
    return passed[:, :-1:2], passed[:, 1::2]


def interval_at(
    batch: SurvivalBatch, day: float, level: float = 0.95, transform: Transform = "log-log"
) -> tuple[Floats, Floats]:
    """Pointwise Greenwood limits of survival on a day.

    Parameters
    ----------
    batch : SurvivalBatch
        Curves of R trials.
    day : float
        The day; its events are included.
    level : float
        Confidence level.
    transform : {"log-log", "log", "plain"}
        Scale of the band, see `curves.band`.

    Returns
    -------
    lower, upper : (R,) array of float
        Limits in [0, 1]; nan where there are no members.

    Raises
    ------
    ValueError
        When the level is not between 0 and 1 or the transform is unknown.
    """
    greenwood = curves.value_at(batch.time, batch.greenwood, day, before=0.0)
    return curves.band(survival_at(batch, day), greenwood, level, transform)


def rmst(batch: SurvivalBatch, tau_days: float) -> Floats:
    """Restricted mean survival time: the area under the curve on [0, tau].

    Parameters
    ----------
    batch : SurvivalBatch
        Curves of R trials.
    tau_days : float
        Horizon in days. When the last observation lies before tau and is censored, the curve is extended flat
        up to tau.

    Returns
    -------
    (R,) array of float
        Days; nan where there are no members.

    Raises
    ------
    ValueError
        When tau is negative or not finite.
    """
    return _without_empty(batch, curves.total(curves.rectangles(batch.time, batch.survival, tau_days)))


def rmst_standard_error(batch: SurvivalBatch, tau_days: float) -> Floats:
    """Greenwood standard error of the restricted mean survival time.

    Not the spread of min(T, tau) between patients, which lifelines calls the variance of the restricted mean.

    Parameters
    ----------
    batch : SurvivalBatch
        Curves of R trials.
    tau_days : float
        Horizon in days, as in `rmst`.

    Returns
    -------
    (R,) array of float
        Days; nan where there are no members.

    Raises
    ------
    ValueError
        When tau is negative or not finite.
    """
    areas = curves.rectangles(batch.time, batch.survival, tau_days)
    return _without_empty(batch, np.sqrt(curves.restricted_mean_variance(areas, batch.greenwood_terms)))


def reverse_median(batch: SurvivalBatch) -> Floats:
    """Median follow-up by the reverse Kaplan-Meier method: censoring is the event and the event censors.

    Schemper and Smith, Control Clin Trials 1996;17:343-346.

    The order of a day stays what it is in the forward curve: events first. A patient who dies on day t is
    therefore no longer at risk of being censored on day t, and on every day forward survival times reverse
    survival is exactly the fraction of patients whose time lies later. Software that merely flips the event
    column (R, lifelines) puts the censorings first and counts such a patient as still at risk; the two agree
    when no day has both events and censorings.

    Parameters
    ----------
    batch : SurvivalBatch
        The forward curves: their event is the true one (death), not the flipped one.

    Returns
    -------
    (R,) array of float
        Days; inf where half of the reverse curve is never reached (almost everybody died), nan without
        members.
    """
    censored = (~batch.event & (batch.at_risk > 0)).astype(np.int32)
    return median(_batch(batch.time, censored, batch.at_risk))


def _fit(time_days: Integers, code: Integers, member: Bools | None) -> SurvivalBatch:
    """Curves of unsorted rows; codes are known to be fit for ranks."""
    # Causes rank from 0, and a censoring wraps round to the last rank, behind them.
    time, rank, at_risk = curves.sorted_rows(time_days, (code - 1) & curves.LAST_RANK, member)
    return _batch(time, (rank + 1) & curves.LAST_RANK, at_risk)


def _batch(time: NDArray[np.int32], code: NDArray[np.int32], at_risk: NDArray[np.int32]) -> SurvivalBatch:
    """Curves of sorted rows."""
    survival = np.cumprod(_looked_up(curves.kept, at_risk, code > 0), axis=1, dtype=np.float64)
    survival[at_risk.max(axis=1, initial=0) == 0] = np.nan
    return SurvivalBatch(time=time, code=code, at_risk=at_risk, survival=survival)


def _looked_up(function: Callable[[Integers, Bools], Floats], at_risk: NDArray[np.int32], event: Bools) -> Floats:
    """Apply a function of those at risk and of the events to steps of at most one event, by a table."""
    n = np.arange(at_risk.max(initial=0) + 1)
    return function(n, n > 0).take(at_risk * event)


def _without_empty(batch: SurvivalBatch, values: Floats) -> Floats:
    """Values with nan for trials without members."""
    return np.where(batch.n_members > 0, values, np.nan)
