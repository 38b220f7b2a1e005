"""Payoffs: what a history costs and how much health it holds, patient by patient, to the day.

A day that begins *t* days after the first infusion counts ``(1 + rate) ** (-t / 365.25)`` times. What goes on for a
stretch of days is summed in closed form, a geometric series; what happens once counts on its day. Health goes by the
true state of a day, care by what the clinic knows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import HORIZON, NEVER, NONE, Depth
from blinasim.model.durations import DAYS_PER_YEAR
from blinasim.model.history import History, cycle_start_days, or_never
from blinasim.model.places import days_in_bed
from blinasim.scenario.settings import Payoffs, Policy, Scenario

Floats = NDArray[np.float64]
Days = NDArray[np.int32]

#: The first phase of care after a transplant, days.
TRANSPLANT_YEAR_DAYS = 365


@dataclass(frozen=True)
class PatientPayoffs:
    """What P patients cost and gain, each of shape (P,).

    Attributes
    ----------
    cost : ndarray of float64
        Discounted, in the currency of the payoffs.
    qalys : ndarray of float64
        Quality-adjusted life-years, discounted.
    life_years : ndarray of float64
        Not discounted.
    """

    cost: Floats
    qalys: Floats
    life_years: Floats


def discounted_days(start: NDArray[np.integer], end: NDArray[np.integer], rate_per_year: float) -> Floats:
    """Return the discounted days of stretches [start, end).

    The sum of ``v ** d`` over the days d of the stretch, ``v = (1 + rate) ** (-1 / 365.25)``, which is
    ``(v ** start - v ** end) / (1 - v)``.

    Parameters
    ----------
    start, end : ndarray of int
        Days since the first infusion, of one shape.
    rate_per_year : float
        Of discounting; 0: none.

    Returns
    -------
    ndarray of float64
        Days; 0 where a stretch ends before it begins.
    """
    days = np.maximum(np.asarray(end, dtype=np.int64) - start, 0)
    if rate_per_year == 0.0:
        return days.astype(np.float64)
    log_v = -np.log1p(rate_per_year) / DAYS_PER_YEAR
    return np.asarray(np.exp(log_v * start) * np.expm1(log_v * days) / np.expm1(log_v))


def discounted_once(day: NDArray[np.integer], before: NDArray[np.integer], rate_per_year: float) -> Floats:
    """Return what a thing that happens once counts, ``(1 + rate) ** (-day / 365.25)``, of the shape of ``day``.

    It is 0 where it never comes (-1), or not before the end of counting.
    """
    happens = (day != NONE) & (day < before)
    return np.where(happens, np.exp(-np.log1p(rate_per_year) / DAYS_PER_YEAR * day), 0.0)


def payoffs_of(history: History, age_years: NDArray[np.integer], scenario: Scenario) -> PatientPayoffs:
    """Return what the lives of P patients cost, and how much health they hold.

    Parameters
    ----------
    history : History
        Their lives, to the end of the simulated world.
    age_years : ndarray of int, shape (P,)
        At enrolment.
    scenario : Scenario
        Its ``payoffs`` say what counts; its policy and places say which treatment the history is of.

    Returns
    -------
    PatientPayoffs

    Raises
    ------
    ValueError
        If the scenario has no payoffs.
    """
    payoffs = scenario.payoffs
    if payoffs is None:
        raise ValueError("the scenario has no payoffs")
    counted = _counted_until(age_years, payoffs)
    end = np.minimum(or_never(history.death), counted)
    return PatientPayoffs(
        cost=_treatment(history, end, scenario, payoffs) + _care(history, counted, end, payoffs),
        qalys=_health(history, end, payoffs),
        life_years=end / DAYS_PER_YEAR,
    )


def _counted_until(age_years: NDArray[np.integer], payoffs: Payoffs) -> Days:
    """Return the day from which nothing is counted any more, shape (P,)."""
    years = np.minimum(payoffs.horizon_years, payoffs.oldest_age_years - age_years.astype(np.float64))
    return np.clip(np.floor(years * DAYS_PER_YEAR), 0, HORIZON).astype(np.int32)


def _health(history: History, end: Days, payoffs: Payoffs) -> Floats:
    worth = payoffs.utilities
    failure = np.minimum(or_never(history.failure), or_never(history.relapse))
    well = np.minimum(failure, end)
    remission = np.minimum(or_never(history.remission), well)
    hsct = np.minimum(or_never(history.hsct), well)
    deep = np.where(history.depth == Depth.CR, remission, NEVER)
    deep = np.clip(np.where(history.deepening != NONE, history.deepening, deep), remission, hsct)
    first_year = np.minimum(hsct + TRANSPLANT_YEAR_DAYS, well)
    long_after = failure + int(payoffs.long_after_failure_from_years * DAYS_PER_YEAR)
    states = (
        (worth.induction, np.zeros_like(end), remission),
        (worth.remission_crh, remission, deep),
        (worth.remission_cr, deep, hsct),
        (worth.transplant_year, hsct, first_year),
        (worth.after_transplant, first_year, well),
        (worth.failure, failure, np.minimum(long_after, end)),
        (worth.long_after_failure, long_after, end),
    )
    rate = payoffs.discount_effects_per_year
    days = sum((utility * discounted_days(start, until, rate) for utility, start, until in states), np.zeros(end.shape))
    return np.asarray(days / DAYS_PER_YEAR)


def _treatment(history: History, end: Days, scenario: Scenario, payoffs: Payoffs) -> Floats:
    """Return the cost of cycles and what follows the last of them."""
    prices, policy, rate = payoffs.costs, scenario.policy, payoffs.discount_costs_per_year
    starts = cycle_start_days(history, policy.cycles)
    begun = starts != NONE
    until = end[:, np.newaxis]
    if policy.therapy == "standard":
        cost = prices.per_standard_course * discounted_once(starts, until, rate).sum(axis=1)
    else:
        infusion = _infusion_days(history, policy, begun)
        beds, whole = scenario.capacity.infusion_starts, policy.cycles.infusion_days
        number = np.arange(starts.shape[1])
        stay = np.minimum(np.where(number == 0, days_in_bed(beds, 1, whole), days_in_bed(beds, 2, whole)), infusion)
        cost = prices.per_cycle * discounted_once(starts, until, rate).sum(axis=1)
        for price, days in ((prices.per_infusion_day, infusion), (prices.per_inpatient_day, stay)):
            cost = cost + price * discounted_days(starts, np.minimum(starts + days, until), rate).sum(axis=1)
    return np.asarray(cost + _after_the_last_cycle(history, end, policy, payoffs))


def _infusion_days(history: History, policy: Policy, begun: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the days of infusion of each cycle, shape (P, cycles); 0 of one not begun.

    Whatever ends an infusion early ends the cycles too: all but the last one begun are whole.
    """
    whole = policy.cycles.infusion_days
    last = history.infusion_days - whole * np.maximum(history.cycles - 1, 0)
    is_last = np.arange(begun.shape[1]) == history.cycles[:, np.newaxis] - 1
    return np.where(begun, np.where(is_last, last[:, np.newaxis], whole), 0).astype(np.int64)


def _after_the_last_cycle(history: History, end: Days, policy: Policy, payoffs: Payoffs) -> Floats:
    """Return the cost of maintenance or bridging, which ends with a transplant, a switch or a relapse that is found."""
    start = or_never(history.maintenance)
    found = np.minimum(or_never(history.switch), or_never(history.relapse_detected))
    until = np.minimum(np.minimum(found, or_never(history.hsct)), end)
    bridged = (history.candidacy != NONE) & policy.transplant.bridging
    longest = np.where(bridged, NEVER, start + policy.cycles.maintenance.days)
    price = np.where(bridged, payoffs.costs.per_bridging_day, payoffs.costs.per_maintenance_day)
    return np.asarray(price * discounted_days(start, np.minimum(until, longest), payoffs.discount_costs_per_year))


def _care(history: History, counted: Days, end: Days, payoffs: Payoffs) -> Floats:
    """Return the cost of searches, transplants, follow-up and the end of life."""
    prices, rate = payoffs.costs, payoffs.discount_costs_per_year
    hsct, found = or_never(history.hsct), or_never(history.relapse_detected)
    failure = np.minimum(or_never(history.failure), found)
    # Care after a transplant ends with a relapse found after it; one that preceded it goes on to be cared for besides.
    grafted_until = np.where(found > hsct, np.minimum(found, end), end)
    first_year = np.minimum(hsct + TRANSPLANT_YEAR_DAYS, grafted_until)
    long_after = failure + int(payoffs.long_after_failure_from_years * DAYS_PER_YEAR)
    untransplanted = np.minimum(np.minimum(hsct, failure), end)
    a_year = (
        (prices.first_year_after_transplant_per_year, hsct, first_year),
        (prices.later_after_transplant_per_year, first_year, grafted_until),
        (prices.remission_per_year, or_never(history.remission), untransplanted),
        (prices.failure_per_year, failure, np.minimum(long_after, end)),
        (prices.long_after_failure_per_year, long_after, end),
    )
    once = (
        (prices.per_donor_search, history.search_start),
        (prices.per_transplant, history.hsct),
        (prices.per_death, history.death),
    )
    cost = np.zeros(end.shape)
    for price, start, until in a_year:
        cost = cost + price * discounted_days(start, until, rate) / DAYS_PER_YEAR
    for price, day in once:
        cost = cost + price * discounted_once(day, counted, rate)
    return cost
