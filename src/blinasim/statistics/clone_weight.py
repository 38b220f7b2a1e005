"""Clones, censoring and weights: survival under strategies of treatment, for a batch of trials.

Every patient follows, as a clone, each strategy that her course so far agrees with, and is censored from one when her
course leaves it. That is known to depend on prognosis: only patients whose remission lasts are treated. The clones that
stay are therefore weighted by the inverse of their probability to have stayed, given what was known until then: the
covariates, and whether and since when the remission is broken. Where that is all on which treatment depends, the
weighted curves are those of worlds in which all follow the strategy.

Hernan, Sauer, Hernandez-Diaz, Platt and Shrier, J Clin Epidemiol 2016;79:70-75; Maringe, Benitez Majano, Exarchakou,
Smith, Rachet, Belot and Leyrat, Int J Epidemiol 2020;49:1719-1729. Inverse probability of censoring weights: Robins and
Finkelstein, Biometrics 2000;56:779-788.

Standard errors are those of a jackknife over patients, which sees that the weights are estimated too (Efron and Stein,
Ann Stat 1981;9:586-596).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blinasim.statistics import cox
from blinasim.statistics.curves import Bools, Floats
from blinasim.statistics.exposure import NEVER, Days, Estimate, Exposure

#: Groups of patients that the jackknife leaves out in turn: each alone in a small trial.
GROUPS: Final = 40
#: Steps of Newton's method with which a jackknife's fit sets out from that of all patients.
_JACKKNIFE_STEPS: Final = 2
#: Patients copied at a time, by which memory is bounded.
_AT_A_TIME: Final = 8_000
#: Prior precision of the slopes of the models of treatment, covariates as they are: weak, but they stay finite.
_RIDGE: Final = 0.25
_LOGISTIC_STEPS: Final = 12
#: Share of those at risk that begins on one day, at most: where all do, nobody is left to be weighted.
_MOST_SHARE: Final = 1.0 - 1e-9


@dataclass(frozen=True, eq=False)
class _Models:
    """Coefficients of the models of treatment: its hazard, (R, p), and its odds by the end of grace, (R, p + 1)."""

    hazard: Floats
    odds: Floats

    def trials(self, which: NDArray[np.intp]) -> _Models:
        return _Models(self.hazard[which], self.odds[which])


@dataclass(frozen=True, eq=False)
class Strategies:
    """Survival on a day under three strategies, and two contrasts, of R trials each.

    Attributes
    ----------
    practised : Estimate
        As the patients were treated: nobody is censored by a strategy.
    never : Estimate
        Nobody is treated.
    prompt : Estimate
        The eligible are treated by the end of the period of grace, if their remission lasts until then.
    practised_less_never, prompt_less_never : Estimate
        Differences of survival.
    """

    practised: Estimate
    never: Estimate
    prompt: Estimate
    practised_less_never: Estimate
    prompt_less_never: Estimate


def strategies(data: Exposure, day: int, grace_days: int, *, groups: int = GROUPS) -> Strategies:
    """Estimate survival on a day under each strategy.

    Parameters
    ----------
    data : Exposure
        R trials.
    day : int
        The day, from the origin.
    grace_days : int
        Within how many days the strategy of prompt treatment begins it; before ``day``.
    groups : int
        Of the jackknife; no more than there are patients are used. 0: no errors.

    Returns
    -------
    Strategies
        Estimates of each trial, shape (R,).

    Raises
    ------
    ValueError
        If the period of grace does not end before the day.
    """
    if not 0 < grace_days < day:
        raise ValueError(f"grace_days must lie between 0 and day {day}, not {grace_days}")
    data = data.packed()
    value, models = _survival(data, day, grace_days)
    contrasts = _contrasts(value)
    if not groups:
        return Strategies(*(Estimate(one, np.full(one.shape, np.nan)) for one in contrasts))
    error = _jackknife(data, day, grace_days, models, groups)
    return Strategies(*(Estimate.of(one, its) for one, its in zip(contrasts, error, strict=True)))


def _contrasts(value: Floats) -> Floats:
    """Put the contrasts beside the three values, shape (5, R)."""
    practised, never, prompt = value
    return np.stack([practised, never, prompt, practised - never, prompt - never])


def _jackknife(data: Exposure, day: int, grace_days: int, models: _Models, groups: int) -> Floats:
    """Return standard errors, shape (5, R)."""
    trials, patients = data.member.shape
    members = data.member.sum(axis=1)
    used = np.minimum(members, groups)
    of_group = np.where(data.member, np.arange(patients) % np.maximum(used, 1)[:, np.newaxis], -1)
    errors = np.full((5, trials), np.nan)
    step = max(1, _AT_A_TIME // max(patients * groups, 1))
    for first in range(0, trials, step):
        block = slice(first, min(first + step, trials))
        several = used[block]
        trial = np.repeat(np.arange(first, block.stop), several)
        left_out = np.concatenate([np.arange(count) for count in several])
        part = data.trials(trial)
        part = part.among(of_group[trial] != left_out[:, np.newaxis])
        found = _contrasts(_survival(part, day, grace_days, models.trials(trial))[0])
        mean, count = (_by_trial(values, trial - first, several.size) for values in (found, np.ones_like(found)))
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = mean / count
            squares = _by_trial((found - mean[:, trial - first]) ** 2, trial - first, several.size)
            errors[:, block] = np.sqrt(squares * (several - 1) / several)
    return errors


def _by_trial(values: Floats, trial: NDArray[np.intp], trials: int) -> Floats:
    return np.stack([np.bincount(trial, weights=row, minlength=trials) for row in values])


def _survival(data: Exposure, day: int, grace_days: int, begin: _Models | None = None) -> tuple[Floats, _Models]:
    """Return survival under the three strategies, shape (3, R), and the models of treatment.

    ``begin`` are models from which only a few steps are taken.
    """
    everybody = np.ones(data.time_days.shape)
    practised = _product(data, everybody, everybody, grace_days, day)
    never, hazard = _never(data, day, begin.hazard if begin else None)
    prompt, odds = _prompt(data, grace_days, day, begin.odds if begin else None)
    survival = np.where(_known(data, day), np.stack([practised, never, prompt]), np.nan)
    return survival, _Models(hazard, odds)


def _known(data: Exposure, day: int) -> Bools:
    """Whether somebody is followed up to the day, or nobody is left by death."""
    last = np.max(np.where(data.member, data.time_days, -1), axis=1, initial=-1)
    ends_in_event = np.any(data.member & data.event & (data.time_days == last[:, np.newaxis]), axis=1)
    censored_last = np.any(data.member & ~data.event & (data.time_days == last[:, np.newaxis]), axis=1)
    return np.asarray((last >= day) | (ends_in_event & ~censored_last))


# --- nobody is treated --------------------------------------------------------------------------------


def _never(data: Exposure, day: int, begin: Floats | None) -> tuple[Floats, Floats]:
    """Survival with all censored when treated, and weighted by the inverse probability of not being treated yet."""
    treated, broken = data.treated, data.broken
    ratio, coefficients = _hazard_ratios(data, begin)
    # In the state: at risk of treatment until treated, broken (which comes first on a day), or gone.
    at_risk_until = np.minimum(np.minimum(treated, broken - 1), data.time_days - data.event)
    in_state = data.member
    hazard = _daily_hazard(treated, at_risk_until, in_state & (treated < broken), in_state, ratio, day)
    before = _accumulated(hazard)
    # After it: by the days since it was broken.
    since = np.where(broken < NEVER, np.minimum(treated, data.time_days - data.event) - broken, -1)
    after = in_state & (broken < NEVER)
    late = _accumulated(
        _daily_hazard(np.where(treated < NEVER, treated - broken, NEVER), since, after & (treated >= broken), after,
                      np.ones(ratio.shape), day)
    )  # fmt: skip

    end = np.minimum(data.time_days, treated)
    died = data.member & data.event & (end == data.time_days) & (end <= day)
    days, who = _event_days(end, died)
    rows = np.arange(end.shape[0])[:, np.newaxis]
    # Cumulative hazards up to, and without, each day of death: of the state itself, until it is broken.
    to_day = before[rows, np.minimum(days, day + 1)][:, :, np.newaxis]
    to_break = before[rows, np.clip(broken, 0, day + 1)][:, np.newaxis, :]
    exponent = ratio[:, np.newaxis, :] * np.minimum(
        to_day, np.where((broken < NEVER)[:, np.newaxis, :], to_break, np.inf)
    )
    if late[:, -1].any():
        lag = np.clip(days[:, :, np.newaxis] - broken[:, np.newaxis, :], 0, day + 1)
        exponent = exponent + late[rows[..., np.newaxis], lag] * after[:, np.newaxis, :]
    exponent = np.where(in_state[:, np.newaxis, :], exponent, 0.0)
    at_risk = data.member[:, np.newaxis, :] & (end[:, np.newaxis, :] >= days[:, :, np.newaxis]) & who[:, :, np.newaxis]
    weight = np.where(at_risk, np.exp(np.minimum(exponent, 50.0)), 0.0)
    total = _sum(weight)
    deaths = _sum(np.where(died[:, np.newaxis, :] & (end[:, np.newaxis, :] == days[:, :, np.newaxis]), weight, 0.0))
    factor = np.where(who & (total > 0.0), 1.0 - deaths / np.where(total > 0.0, total, 1.0), 1.0)
    return _product_of(np.maximum(factor, 0.0)), coefficients


def _hazard_ratios(data: Exposure, begin: Floats | None) -> tuple[Floats, Floats]:
    """Ratio of each patient's hazard of treatment in the state to that at covariates of 0, by a Cox model."""
    p = data.covariates.shape[2]
    stop = np.minimum(np.minimum(data.treated, data.broken - 1), data.time_days - data.event)
    happens = (data.treated < data.broken) & (data.treated < NEVER)
    at_risk = data.member & (stop >= 0)
    if p == 0:
        return np.ones(stop.shape), np.zeros((stop.shape[0], 0))
    fitted = cox.fit(
        np.full(stop.shape, -1), stop, happens, data.covariates, at_risk,
        ties="breslow", ridge=_RIDGE, begin=begin, most_steps=30 if begin is None else _JACKKNIFE_STEPS,
    )  # fmt: skip
    coefficients = np.where(np.isfinite(fitted.coefficient), fitted.coefficient, 0.0)
    predictor = np.zeros(stop.shape)
    for column in range(p):
        predictor = predictor + coefficients[:, np.newaxis, column] * data.covariates[..., column]
    return np.exp(np.clip(predictor, -30.0, 30.0)), coefficients


def _daily_hazard(begins: Days, at_risk_until: Days, happens: Bools, member: Bools, ratio: Floats, day: int) -> Floats:
    """Cumulative hazard of each day 0 to ``day`` at ratio 1, (R, day + 1).

    Treatments come many on one day, such as the last of an infusion, and few are at risk in the end. So the hazard is
    that of a discrete time: of those at risk, with their mean ratio, the share that begins that day is what an
    exponential of it would leave out. With equal ratios the weights are then those of Kaplan and Meier.
    """
    trials = begins.shape[0]
    columns = day + 2
    row = columns * np.arange(trials)[:, np.newaxis]
    held = member & (at_risk_until >= 0)
    last = (row + np.where(held, np.minimum(at_risk_until, day + 1), 0)).ravel()

    def per_day(cells: NDArray[np.intp], values: NDArray[Any]) -> Floats:
        summed: Floats = np.bincount(cells, values.ravel(), minlength=trials * columns).astype(np.float64)
        return summed.reshape(trials, columns)

    ratios, patients = (
        np.cumsum(per_day(last, values)[:, ::-1], axis=1)[:, ::-1]
        for values in (np.where(held, ratio, 0.0), held.astype(np.float64))
    )
    starts = held & happens & (begins <= day) & (begins >= 0)
    count = per_day((row + np.where(starts, begins, 0)).ravel(), starts.astype(np.float64))
    some = count > 0.0
    share = np.minimum(count / np.where(some, patients, 1.0), _MOST_SHARE)
    return np.where(some, -np.log1p(-share) * patients / np.where(some, ratios, 1.0), 0.0)[:, : day + 1]


def _accumulated(hazard: Floats) -> Floats:
    """Return what has accumulated before each day, (R, day + 2)."""
    sums = np.zeros((hazard.shape[0], hazard.shape[1] + 1))
    np.cumsum(hazard, axis=1, out=sums[:, 1:])
    return sums


def _event_days(end: Days, died: Bools) -> tuple[Days, Bools]:
    """Return the different days of events of each trial in order, and which places hold one; shape (R, E)."""
    days = np.where(died, end, NEVER)
    days.sort(axis=1)
    again = np.zeros(days.shape, dtype=np.bool_)
    again[:, 1:] = days[:, 1:] == days[:, :-1]
    days[again] = NEVER
    days.sort(axis=1)
    width = int((days < NEVER).sum(axis=1).max(initial=0))
    days = days[:, :width]
    return np.where(days < NEVER, days, 0), days < NEVER


# --- treated by the end of the period of grace -----------------------------------------------------------


def _prompt(data: Exposure, grace_days: int, day: int, begin: Floats | None) -> tuple[Floats, Floats]:
    """Survival with the eligible censored at the end of grace who could have been treated and were not.

    Those who were, and whose state lasted until then, are weighted by the inverse probability of it among all whose
    state did: a logistic model of the covariates, whose coefficients are returned too.
    """
    at_end = data.member & data.eligible & (data.time_days > grace_days) & (data.broken > grace_days)
    began = at_end & (data.treated <= grace_days)
    probability, coefficients = _logistic(data.covariates, began, at_end, begin)
    after = np.where(began, 1.0 / probability, np.where(at_end, 0.0, 1.0))
    survival = _product(data, np.ones(after.shape), after, grace_days, day)
    return np.where(began.any(axis=1) | ~at_end.any(axis=1), survival, np.nan), coefficients


def _logistic(covariates: Floats, happened: Bools, member: Bools, begin: Floats | None) -> tuple[Floats, Floats]:
    """Fit the probability of each patient, slopes shrunk a little so that separation does no harm."""
    trials, patients, p = covariates.shape
    x = np.concatenate([np.ones((trials, patients, 1)), covariates], axis=2)
    weight = member.astype(np.float64)
    steps = _LOGISTIC_STEPS if begin is None else _JACKKNIFE_STEPS
    if begin is None:
        count = np.maximum(_sum(weight), 1.0)
        share = np.clip(_sum((happened & member).astype(np.float64)) / count, 1e-3, 1.0 - 1e-3)
        beta = np.zeros((trials, p + 1))
        beta[:, 0] = np.log(share / (1.0 - share))
    else:
        beta = begin
    penalty = np.full(p + 1, _RIDGE)
    penalty[0] = 1e-6
    upper = np.triu_indices(p + 1)
    products = x[..., upper[0]] * x[..., upper[1]]
    for _ in range(steps):
        fitted = _expit(x, beta)
        score = _down(x * (weight * (happened - fitted))[..., np.newaxis]) - penalty * beta
        packed = _down(products * (weight * fitted * (1.0 - fitted))[..., np.newaxis])
        information = np.zeros((trials, p + 1, p + 1))
        information[:, upper[0], upper[1]] = packed
        information[:, upper[1], upper[0]] = packed
        information += np.diag(penalty)
        beta = beta + np.clip(np.linalg.solve(information, score[..., np.newaxis])[..., 0], -4.0, 4.0)
    return np.clip(_expit(x, beta), 1e-6, 1.0), beta


def _down(values: Floats) -> Floats:
    """Sum over the patients, one by one."""
    running: Floats = np.cumsum(values, axis=1)
    return running[:, -1]


def _expit(x: Floats, beta: Floats) -> Floats:
    predictor = np.zeros(x.shape[:2])
    for column in range(x.shape[2]):
        predictor = predictor + x[..., column] * beta[:, np.newaxis, column]
    fitted: Floats = 1.0 / (1.0 + np.exp(-np.clip(predictor, -30.0, 30.0)))
    return fitted


def _product(data: Exposure, early: Floats, late: Floats, switch_day: int, day: int) -> Floats:
    """Weighted Kaplan-Meier product up to a day; weights are ``early`` up to a day, and ``late`` after it."""
    time = data.time_days
    trials = time.shape[0]
    columns = day + 2
    row = columns * np.arange(trials)[:, np.newaxis]
    last = np.where(data.member, np.minimum(time, day + 1), 0)
    cells = (row + last).ravel()
    events = data.event & data.member & (time <= day)
    hazards = []
    for weight in (early, late):
        held = np.where(data.member, weight, 0.0)
        ends = np.bincount(cells, held.ravel(), minlength=trials * columns).reshape(trials, columns)
        at_risk = np.cumsum(ends[:, ::-1], axis=1)[:, ::-1]
        died = np.bincount(cells, (held * events).ravel(), minlength=trials * columns).reshape(trials, columns)
        some = died > 0.0
        hazards.append(np.where(some, died / np.where(some, np.maximum(at_risk, died), 1.0), 0.0))
    daily = np.where(np.arange(columns) <= switch_day, *hazards)[:, : day + 1]
    return _product_of(1.0 - daily)


def _sum(values: Floats) -> Floats:
    """Sum along the last axis, one by one."""
    if values.shape[-1] == 0:
        return np.zeros(values.shape[:-1])
    running: Floats = np.cumsum(values, axis=-1)
    return running[..., -1]


def _product_of(factors: Floats) -> Floats:
    """Multiply along the last axis, one by one."""
    if factors.shape[-1] == 0:
        return np.ones(factors.shape[:-1])
    running: Floats = np.cumprod(factors, axis=-1, dtype=np.float64)
    return running[..., -1]
