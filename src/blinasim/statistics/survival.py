"""Kaplan-Meier estimators for a batch of trials: R trials of n patients each in arrays of shape (R, n).

The patients of a trial are sorted by time, events before censorings on the same day, and every patient is a
step of his own. The single steps of one day telescope to the usual one: d factors 1 - 1 / n, 1 - 1 / (n - 1),
... have the product 1 - d / n, and Greenwood's terms 1 / (n (n - 1)), 1 / ((n - 1) (n - 2)), ... the sum
d / (n (n - d)). So the whole batch needs one sort, one cumulative product and one cumulative sum.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinasim.statistics import curves
from blinasim.statistics.curves import Bools, Floats, Integers, Transform


@dataclass(frozen=True, eq=False)
class SurvivalBatch:
    """Kaplan-Meier curves of R trials, a step per patient.

    Attributes
    ----------
    time : (R, n) array of int32
        Days, ascending in each row; `curves.NEVER` in the places behind the last member.
    event : (R, n) array of bool
        Whether the step is an event; on one day events come first.
    at_risk : (R, n) array of int32
        Members at risk just before the step; 0 behind the last member.
    survival : (R, n) array of float
        Survival after the step. Within one day only the value after its last event is the estimate. Flat
        behind the last member, nan in rows without members.
    greenwood : (R, n) array of float
        Sum of Greenwood's terms after the step: the variance of log survival. A last step that leaves nobody
        at risk adds nothing (see `curves.greenwood_terms`).
    n_members : (R,) array of int
        Members of each trial.
    """

    time: NDArray[np.int32]
    event: Bools
    at_risk: NDArray[np.int32]
    survival: Floats
    greenwood: Floats
    n_members: NDArray[np.int64]


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
    time, is_event, at_risk = _sorted_events(time_days, event, member)
    return _batch(time, is_event, at_risk)


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
    trials, grid = batch.time.shape[0], days.size
    member = batch.at_risk > 0
    row = np.broadcast_to(np.arange(trials)[:, None], batch.time.shape)[member]

    def counted(first: NDArray[np.intp]) -> NDArray[np.int64]:
        """How many members of each trial come in at or before each day of the grid."""
        counts = np.bincount(row * (grid + 1) + first, minlength=trials * (grid + 1))
        return np.cumsum(counts.reshape(trials, grid + 1)[:, :grid], axis=1)

    time = batch.time[member]
    passed = counted(np.searchsorted(days, time, side="left"))
    at_risk = batch.n_members[:, None] - counted(np.searchsorted(days, time, side="right"))
    last = np.take_along_axis(batch.survival, np.maximum(passed - 1, 0), axis=1)
    survival = np.where(passed > 0, last, 1.0)
    known = (batch.n_members[:, None] > 0) & ((at_risk > 0) | (survival <= 0.0))
    return np.where(known, survival, np.nan), at_risk


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
    return _without_empty(batch, curves.rectangles(batch.time, batch.survival, tau_days).sum(axis=-1))


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
    terms = curves.greenwood_terms(batch.at_risk, batch.event)
    return _without_empty(batch, np.sqrt(curves.restricted_mean_variance(areas, terms)))


def reverse_median(time_days: Integers, event: Bools, member: Bools | None = None) -> Floats:
    """Median follow-up by the reverse Kaplan-Meier method: censoring is the event and the event censors.

    Schemper and Smith, Control Clin Trials 1996;17:343-346.

    The order of a day stays what it is in the forward curve: events first. A patient who dies on day t is
    therefore no longer at risk of being censored on day t, and on every day forward survival times reverse
    survival is exactly the fraction of patients whose time lies later. Software that merely flips the event
    column (R, lifelines) puts the censorings first and counts such a patient as still at risk; the two agree
    when no day has both events and censorings.

    Parameters
    ----------
    time_days, event, member
        As for `fit`; `event` is the true event (death), not the flipped one.

    Returns
    -------
    (R,) array of float
        Days; inf where half of the reverse curve is never reached (almost everybody died), nan without
        members.

    Raises
    ------
    TypeError, ValueError
        As `fit`.
    """
    time, is_event, at_risk = _sorted_events(time_days, event, member)
    return median(_batch(time, ~is_event & (at_risk > 0), at_risk))


def _sorted_events(
    time_days: Integers, event: Bools, member: Bools | None
) -> tuple[NDArray[np.int32], Bools, NDArray[np.int32]]:
    """Sort the rows, events before censorings: time, event and number at risk."""
    curves.check_mask("event", event)
    time, rank, at_risk = curves.sorted_rows(time_days, ~event, member)
    return time, rank == 0, at_risk


def _batch(time: NDArray[np.int32], event: Bools, at_risk: NDArray[np.int32]) -> SurvivalBatch:
    """Curves of sorted rows in which every `event` is a step."""
    n_members = np.count_nonzero(at_risk, axis=1)
    survival = curves.product_limit(at_risk, event)
    survival[n_members == 0] = np.nan
    return SurvivalBatch(
        time=time,
        event=event,
        at_risk=at_risk,
        survival=survival,
        greenwood=np.cumsum(curves.greenwood_terms(at_risk, event), axis=1),
        n_members=n_members,
    )


def _without_empty(batch: SurvivalBatch, values: Floats) -> Floats:
    """Values with nan for trials without members."""
    return np.where(batch.n_members > 0, values, np.nan)
