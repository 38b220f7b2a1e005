"""Log-rank tests of two groups for a batch of trials, weighted and stratified.

On each day with events, d of them among n at risk, the events of the group are compared with those expected if
both groups had one hazard, d n1 / n for n1 of the group at risk; given the margins their variance is
hypergeometric, d (n1 / n) (1 - n1 / n) (n - d) / (n - 1).

Mantel, Cancer Chemother Rep 1966;50:163-170. Weights S(t-) ** rho (1 - S(t-)) ** gamma, with S the Kaplan-Meier
curve of both groups together, just before the day: Fleming and Harrington, Counting Processes and Survival
Analysis, 1991, section 7.2.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from blinasim.statistics import curves
from blinasim.statistics.curves import Bools, Floats, Integers


@dataclass(frozen=True, eq=False)
class LogRank:
    """What a log-rank test of two groups found in each of R trials.

    Attributes
    ----------
    observed, expected : (R,) array of float
        Events in the group, and those expected if both groups had one hazard; weighted, where weights were asked
        for.
    variance : (R,) array of float
        Variance of their difference; 0 where nothing can be compared: without events, or with events only on days
        on which one group is at risk.
    """

    observed: Floats
    expected: Floats
    variance: Floats

    @property
    def z(self) -> Floats:
        """Standardised difference, (R,) array: above 0 where the group has more events; nan where variance is 0."""
        known = self.variance > 0.0
        error = np.sqrt(np.where(known, self.variance, 1.0))
        return np.where(known, (self.observed - self.expected) / error, np.nan)

    @property
    def chi_square(self) -> Floats:
        """The test statistic on one degree of freedom, (R,) array."""
        return self.z**2

    @property
    def p_value(self) -> Floats:
        """Two-sided p value, (R,) array; a one-sided one is the normal tail at `z`."""
        return np.asarray(2.0 * ndtr(-np.abs(self.z)))


def log_rank(
    time_days: Integers,
    event: Bools,
    group: Bools,
    member: Bools | None = None,
    *,
    stratum: Integers | None = None,
    rho: float = 0.0,
    gamma: float = 0.0,
) -> LogRank:
    """Compare the hazards of two groups in every trial.

    Parameters
    ----------
    time_days : (R, n) array of int
        Day of the event or of censoring, at least 0; on one day events come before censorings.
    event : (R, n) array of bool
        True for an event, False for a censoring.
    group : (R, n) array of bool
        True for the group whose events are counted, False for the other.
    member : (R, n) array of bool, optional
        Who belongs to the analysed population; everybody by default.
    stratum : (R, n) array of int, optional
        The stratum of each patient: patients are compared within theirs alone. Cost grows with the number of
        different strata.
    rho, gamma : float
        Fleming and Harrington's weights, at least 0: rho above 0 weighs early differences more, gamma late ones;
        0 and 0 is the log-rank test itself. Within strata the weights are those of the stratum's own curve.

    Returns
    -------
    LogRank
        Observed and expected events, and the variance of their difference, summed over days and strata.

    Raises
    ------
    TypeError
        When times or strata are not integers or a mask is not boolean.
    ValueError
        When shapes differ, there are not two axes, a member's time is out of range, or a weight is negative.
    """
    curves.check_mask("event", event)
    curves.check_mask("group", group)
    for name, weight in (("rho", rho), ("gamma", gamma)):
        if not 0.0 <= weight < np.inf:
            raise ValueError(f"{name} must be a finite number, at least 0, not {weight}")
    if stratum is None:
        curves.check_patients(time_days, member, event, group)
        return LogRank(*_within_stratum(time_days, event, group, member, rho, gamma))
    curves.check_patients(time_days, member, event, group, stratum)
    curves.check_whole(stratum)
    everybody = np.ones(time_days.shape, dtype=np.bool_) if member is None else member
    sums = np.zeros((3, time_days.shape[0]))
    for one in np.unique(stratum[everybody]):
        sums += _within_stratum(time_days, event, group, everybody & (stratum == one), rho, gamma)
    return LogRank(*sums)


@dataclass(frozen=True, eq=False)
class EventDays:
    """The days with events of R trials, one after another, shape (E,): what weighted log-rank sums are made of.

    Attributes
    ----------
    trials : int
        Number of trials R.
    trial : (E,) array of int
        Trial of each day.
    observed, expected, variance : (E,) array of float
        Events of the group, expected events, and hypergeometric variance.
    before : (E,) array of float
        Kaplan-Meier survival of both groups together just before the day.
    """

    trials: int
    trial: Integers
    observed: Floats
    expected: Floats
    variance: Floats
    before: Floats

    def weight(self, rho: float, gamma: float) -> Floats:
        """Return Fleming and Harrington's weights of the days, S(t-) ** rho (1 - S(t-)) ** gamma; (E,) array."""
        if not rho and not gamma:
            return np.ones(self.before.shape)
        return np.asarray(self.before**rho * (1.0 - self.before) ** gamma)

    def sums(self, terms: Floats) -> Floats:
        """Sum terms of days within each trial, (R,) array."""
        # bincount adds one by one: a trial's sums do not depend on the other trials of the batch.
        return np.asarray(np.bincount(self.trial, terms, minlength=self.trials), dtype=np.float64)


def event_days(time_days: Integers, event: Bools, group: Bools, member: Bools | None = None) -> EventDays:
    """Reduce a batch of trials to its days with events.

    Parameters
    ----------
    time_days, event, group, member
        As for `log_rank`.

    Returns
    -------
    EventDays
        Arrays of shape (E,), E the days with events of all trials, one trial after another.
    """
    # What happened and to whom in two bits, so that one sort carries both: events first, and bit 0 unset only for
    # the group (the last rank, of places without a patient, has it set).
    in_two_bits = np.where(event, 0, 2) | ~group
    time, rank, at_risk = curves.sorted_rows(time_days, in_two_bits, member)
    trials, places = time.shape
    if not places:
        nothing = np.zeros(0)
        return EventDays(trials, np.zeros(0, dtype=np.int64), nothing, nothing, nothing, nothing)
    happened, of_group = rank < 2, (rank & 1) == 0
    passed = np.cumsum(of_group, axis=1, dtype=np.int32)
    group_at_risk = passed[:, -1:] - passed + of_group

    # From places to days: where each starts, in all rows one after another, and its events.
    starts = np.ones(time.shape, dtype=np.bool_)
    starts[:, 1:] = time[:, 1:] > time[:, :-1]
    start = np.flatnonzero(starts)
    events = np.add.reduceat(happened.ravel(), start, dtype=np.int32)
    group_events = np.add.reduceat((happened & of_group).ravel(), start, dtype=np.int32)
    some = events > 0
    start, d, d1 = start[some], events[some], group_events[some]
    n = at_risk.ravel()[start]
    share = group_at_risk.ravel()[start] / n
    expected = d * share
    variance = expected * (1.0 - share) * (n - d) / np.maximum(n - 1, 1)

    before = curves.just_before(curves.product_limit(at_risk, happened), 1.0).ravel()[start]
    return EventDays(trials, start // places, d1.astype(np.float64), expected, variance, before)


def _within_stratum(
    time_days: Integers, event: Bools, group: Bools, member: Bools | None, rho: float, gamma: float
) -> NDArray[np.float64]:
    """Return observed, expected and variance of one stratum, shape (3, R)."""
    days = event_days(time_days, event, group, member)
    weight = days.weight(rho, gamma)
    terms = (weight * days.observed, weight * days.expected, weight**2 * days.variance)
    return np.stack([days.sums(term) for term in terms])
