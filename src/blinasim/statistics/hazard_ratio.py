"""Hazard ratios of two groups for a batch of trials: Cox's partial likelihood of one indicator, by Newton's method.

Ties by Efron's approximation (the default of R): of d events on a day the l-th meets the risk set less l / d of the
day's events, so that every event is a step of its own with a1 of the group and a0 of the others at risk, and the
score is D1 - sum a1 e / (a1 e + a0) with e the hazard ratio.

Cox, J R Stat Soc B 1972;34:187-220; Efron, J Am Stat Assoc 1977;72:557-565.
"""

from dataclasses import dataclass

import numpy as np

from blinasim.statistics import curves
from blinasim.statistics.curves import Bools, Floats, Integers, normal_quantile

_MOST_STEPS = 30
_CLOSE = 1e-10
#: A coefficient beyond this is infinite: one group has no events that the other could have had.
_INFINITE = 15.0


@dataclass(frozen=True, eq=False)
class HazardRatio:
    """Log hazard ratio of the group against the others in each of R trials.

    Attributes
    ----------
    log : (R,) array of float
        Log hazard ratio; -inf or inf where only one group has events among both at risk, nan without any.
    standard_error : (R,) array of float
        From the observed information; nan where `log` is not finite.
    """

    log: Floats
    standard_error: Floats

    @property
    def ratio(self) -> Floats:
        """Hazard ratio, (R,) array."""
        return np.asarray(np.exp(self.log))

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Wald limits of the hazard ratio, (R,) arrays; 0 and inf where it has none."""
        reach = normal_quantile(level) * np.where(np.isfinite(self.standard_error), self.standard_error, np.inf)
        finite = np.where(np.isfinite(self.log), self.log, 0.0)
        return np.exp(finite - reach), np.exp(finite + reach)


def hazard_ratio(
    time_days: Integers,
    event: Bools,
    group: Bools,
    member: Bools | None = None,
    *,
    stratum: Integers | None = None,
) -> HazardRatio:
    """Estimate the hazard ratio of two groups in every trial.

    Parameters
    ----------
    time_days, event, group, member, stratum
        As for `logrank.log_rank`; within strata every stratum has a baseline hazard of its own.

    Returns
    -------
    HazardRatio
        Log hazard ratios and their standard errors.

    Raises
    ------
    TypeError
        When times or strata are not integers or a mask is not boolean.
    ValueError
        When shapes differ, there are not two axes, or a member's time is out of range.
    """
    curves.check_mask("event", event)
    curves.check_mask("group", group)
    curves.check_patients(time_days, member, event, group)
    everybody = np.ones(time_days.shape, dtype=np.bool_) if member is None else member
    if stratum is None:
        strata = [member]
    else:
        curves.check_whole(stratum)
        strata = [everybody & (stratum == one) for one in np.unique(stratum[everybody])]
    parts = [_steps(time_days, event, group, who) for who in strata]
    trial, of_group, others, own = (np.concatenate(column) for column in zip(*parts, strict=True))
    return fit_steps(trial, of_group, others, own, time_days.shape[0])


def fit_steps(
    trial: Integers, of_group: Floats, others: Floats, own: Floats, trials: int, events: Floats | None = None
) -> HazardRatio:
    """Maximise the partial likelihood of given steps.

    Parameters
    ----------
    trial : (E,) array of int
        Trial of each step.
    of_group, others : (E,) array of float
        At risk at the step, of the group and of the others.
    own : (E,) array of float
        Events of the step that are the group's: 0 or 1 for single events.
    trials : int
        Number of trials R.
    events : (E,) array of float, optional
        Events of each step; one by default.

    Returns
    -------
    HazardRatio
        Log hazard ratios of shape (R,): nan in trials without a step, infinite where the likelihood grows for ever.
    """
    count = np.ones(own.shape) if events is None else events
    both = (of_group > 0.0) & (others > 0.0)  # a step at which only one group is at risk says nothing
    trial, count = trial[both], count[both]
    of_group, others, own = of_group[both], others[both], own[both]
    observed = np.bincount(trial, own, minlength=trials)
    steps = np.bincount(trial, count, minlength=trials)
    log = np.zeros(trials)
    information: Floats = np.zeros(trials)
    for _ in range(_MOST_STEPS):
        share = of_group * np.exp(log)[trial]
        share /= share + others
        score = observed - np.bincount(trial, count * share, minlength=trials)
        information = np.asarray(np.bincount(trial, count * share * (1.0 - share), minlength=trials), dtype=np.float64)
        step = np.where(information > 0.0, score / np.where(information > 0.0, information, 1.0), 0.0)
        log = np.clip(log + np.clip(step, -2.0, 2.0), -2 * _INFINITE, 2 * _INFINITE)
        if (np.abs(step) < _CLOSE).all() or (np.abs(log[np.abs(step) >= _CLOSE]) > _INFINITE).all():
            break
    log = np.where(steps == 0, np.nan, np.where(np.abs(log) > _INFINITE, np.copysign(np.inf, log), log))
    finite = np.isfinite(log)
    error = np.where(finite, 1.0 / np.sqrt(np.where(finite, information, 1.0)), np.nan)
    return HazardRatio(log, error)


def pooled_hazard_ratio(events: Integers, at_risk: Integers) -> HazardRatio:
    """Hazard ratio from daily counts, which add up over any number of trials.

    The events of a day are spread over it: each meets the risk sets of the middle of the day's events.

    Parameters
    ----------
    events, at_risk : (..., 2, D) array of int
        Events on each day and patients at risk just before, of the others and of the group; axes before are strata.

    Returns
    -------
    HazardRatio
        Of one trial, shape (1,).
    """
    d = events.reshape(-1, 2, events.shape[-1]).astype(np.float64)
    n = at_risk.reshape(d.shape) - d / 2.0
    others, of_group = (n[:, arm].ravel() for arm in (0, 1))
    both = d.sum(axis=1).ravel()
    some = both > 0.0
    trial = np.zeros(int(some.sum()), dtype=np.int64)
    return fit_steps(trial, of_group[some], others[some], d[:, 1].ravel()[some], 1, both[some])


def _steps(
    time_days: Integers, event: Bools, group: Bools, member: Bools | None
) -> tuple[Integers, Floats, Floats, Floats]:
    """Return trial, risk of the group and of the others, and whose event it is, of every event; shape (E,)."""
    in_two_bits = np.where(event, 0, 2) | ~group  # events first, and within them those of the group
    time, rank, at_risk = curves.sorted_rows(time_days, in_two_bits, member)
    places = time.shape[1]
    if not places:
        nothing = np.zeros(0)
        return np.zeros(0, dtype=np.int64), nothing, nothing, nothing
    happened = ((rank < 2) & (at_risk > 0)).ravel()
    of_group = (rank & 1) == 0
    passed = np.cumsum(of_group, axis=1, dtype=np.int32)
    group_at_risk = (passed[:, -1:] - passed + of_group).ravel()
    starts = np.ones(time.shape, dtype=np.bool_)
    starts[:, 1:] = time[:, 1:] > time[:, :-1]
    start = np.flatnonzero(starts)
    day = np.cumsum(starts.ravel()) - 1
    d = np.add.reduceat(happened, start, dtype=np.int32)
    d1 = np.add.reduceat(happened & of_group.ravel(), start, dtype=np.int32)
    step = np.flatnonzero(happened)
    day = day[step]
    n, n1 = at_risk.ravel()[start][day], group_at_risk[start][day]
    used = (step - start[day]) / d[day]  # events come first on a day, so the place in it counts them
    risk = n1 - used * d1[day]
    return step // places, risk, n - used * d[day] - risk, of_group.ravel()[step].astype(np.float64)
