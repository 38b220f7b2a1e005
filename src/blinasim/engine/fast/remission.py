"""Remission under treatment: the relapse clock through cycles and what follows them, and the admissible day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinasim.engine.fast.calendar import Calendar, parts
from blinasim.engine.fast.clocks import Days, Flags, runs
from blinasim.engine.fast.donors import search_start
from blinasim.engine.lives import Lives
from blinasim.model.codes import ENDLESS_FROM, HORIZON, NEVER, NONE, RESPONSE_CYCLES, AfterCycles, Depth


@dataclass(frozen=True)
class AfterTheCycles:
    """Maintenance or bridging after the last cycle; arrays of shape (Q,), days and milli-days of clock a day."""

    begins: int
    days: Days  # at most; 0 for a patient who never has any
    speed: Days  # of the relapse clock

    def begun(self, end: Days) -> Days:
        """Day on which it begins, if treatment has not ended by then."""
        return np.where((self.days > 0) & (self.begins < end), self.begins, NEVER)


@dataclass(frozen=True)
class Remitted:
    """The fates of those who reach remission, shape (Q,), as int64.

    Days count from the first infusion, except ``stop_count`` (infusion days until the drug is stopped) and ``symptoms``
    and ``later`` (days after the relapse, and after the remission is broken); clocks are in milli-days, speeds in
    milli-days a day.
    """

    remission: Days
    cycles_before: Days
    stop_count: Days
    clock: Days
    rest_speed: Days
    infusion_speed: Days
    other_speed: Days
    after: AfterTheCycles | None  # nobody has any where it is None
    symptoms: Days
    death: Days
    death_cause: Days
    switch: Days
    later: Days
    failure_clock: Days
    candidate: Flags
    found: Days
    donor: Days


def remitted_of(lives: Lives, calendar: Calendar, who: Days, remission: Days, found: Days, donor: Days) -> Remitted:
    """Take the fates of those who reach remission.

    Parameters
    ----------
    lives, calendar, who, remission, found, donor
        As for ``treat``.

    Returns
    -------
    Remitted
    """
    fates = lives.fates

    def whole(column: NDArray[np.integer]) -> Days:
        return column[who].astype(np.int64)

    return Remitted(
        remission=remission,
        cycles_before=whole(fates.response_cycle),
        stop_count=whole(fates.stop_infusion_days),
        clock=whole(fates.relapse_clock_millidays),
        rest_speed=whole(fates.relapse_speed_rest),
        infusion_speed=whole(fates.relapse_speed_infusion),
        other_speed=whole(fates.relapse_speed_other_therapy),
        after=_after_cycles(lives, calendar, who),
        symptoms=whole(fates.symptoms_days),
        death=remission + whole(fates.remission_death_days),
        death_cause=whole(fates.remission_death_cause),
        switch=remission + whole(fates.switch_days),
        later=whole(fates.later_transplant_days),
        failure_clock=whole(fates.failure_clock_millidays),
        candidate=lives.plan.candidate[who],
        found=search_start(lives, calendar, who, remission) + found,
        donor=donor,
    )


def _after_cycles(lives: Lives, calendar: Calendar, who: Days) -> AfterTheCycles | None:
    """What the plan gives after the last cycle to those whose drug has not been stopped."""
    plan, fates = lives.plan.after_cycles[who], lives.fates
    if np.all(plan == NONE):
        return None
    bridges = plan == AfterCycles.BRIDGING
    lasts = (plan != NONE) & (fates.stop_infusion_days[who] > calendar.cycles * calendar.infusion)
    return AfterTheCycles(
        begins=calendar.due_after(calendar.cycles),
        days=np.where(lasts, np.where(bridges, NEVER, calendar.maintenance), 0),
        speed=np.where(bridges, fates.relapse_speed_bridging[who], fates.relapse_speed_maintenance[who]).astype(
            np.int64
        ),
    )


def spent_under_treatment(one: Remitted, calendar: Calendar, day: Days) -> Days:
    """Milli-days of the relapse clock spent from remission on under treatment.

    Parameters
    ----------
    one : Remitted
        Q patients.
    calendar : Calendar
        The policy's days.
    day : (Q,) array of int64
        Until when, days since the first infusion.

    Returns
    -------
    (Q,) array of int64
    """
    given = np.minimum(calendar.infused(day), one.stop_count) - one.cycles_before * calendar.infusion
    spent = one.infusion_speed * given + one.rest_speed * (day - one.remission - given)
    if one.after is not None:
        spent += (one.after.speed - one.rest_speed) * np.clip(day - one.after.begins, 0, one.after.days)
    return spent


def spent_elsewhere(one: Remitted, switch: Days, day: Days) -> Days:
    """Milli-days of the relapse clock spent under another therapy, from the switch to ``day``, shape (Q,)."""
    days = np.maximum(np.minimum(day, HORIZON) - np.minimum(switch, HORIZON), 0)
    return np.asarray(one.other_speed * days)


def relapse_under_treatment(one: Remitted, calendar: Calendar) -> Days:
    """Day, (Q,), on which the relapse clock runs out through rests and infusions; no switch and no transplant."""
    rest_days = calendar.cycle - calendar.infusion
    rest = one.rest_speed * rest_days
    period = rest + one.infusion_speed * calendar.infusion
    possible = np.minimum(calendar.cycles, one.stop_count // calendar.infusion) - one.cycles_before
    # Whole periods of rest and infusion that leave something on the clock.
    periods = np.floor((one.clock - 1) / np.maximum(period, 1)).astype(np.int64)
    whole = np.minimum(np.where(period > 0, periods, possible), possible)
    left = one.clock - whole * period
    day = one.remission + whole * calendar.cycle
    more = one.cycles_before + whole < calendar.cycles
    infusion = np.where(
        more, np.clip(one.stop_count - (one.cycles_before + whole) * calendar.infusion, 0, calendar.infusion), 0
    )
    resting_first = (infusion > 0) & (left > rest)
    left_after_rest = left - rest
    infused = one.infusion_speed * infusion
    in_rest = day + runs(left, one.rest_speed)
    in_infusion = day + rest_days + runs(left_after_rest, one.infusion_speed)
    afterwards = day + rest_days + infusion + runs(left_after_rest - infused, one.rest_speed)
    relapse = np.where(resting_first, np.where(left_after_rest <= infused, in_infusion, afterwards), in_rest)
    if one.after is not None:
        relapse = np.where(relapse > one.after.begins, _relapse_after_cycles(one, calendar, one.after), relapse)
    return np.where(one.clock >= ENDLESS_FROM, NEVER, relapse)


def _relapse_after_cycles(one: Remitted, calendar: Calendar, after: AfterTheCycles) -> Days:
    """Day on which what the last cycle has left of the relapse clock runs out, and rest follows what follows it."""
    left = one.clock - spent_under_treatment(one, calendar, np.full(one.clock.shape, after.begins, dtype=np.int64))
    treated = runs(left, after.speed)
    afterwards = after.days + runs(left - after.days * after.speed, one.rest_speed)
    return after.begins + np.where(treated <= after.days, treated, afterwards)


def admissible_day(one: Remitted, calendar: Calendar, stop: Days, switch: Days) -> Days:
    """First day on which the policy would transplant whoever is in remission; NEVER if that is too late for it.

    Parameters
    ----------
    one : Remitted
        Q patients.
    calendar : Calendar
        The policy's days.
    stop, switch : (Q,) array of int64
        Days of a permanent stop, and of a switch; as late as NEVER without one.

    Returns
    -------
    (Q,) array of int64
    """
    day = np.maximum(one.found, one.remission + calendar.preparation)
    if calendar.earliest_cycle > 1:  # no remission is earlier than the first infusion's end
        day = np.maximum(day, np.minimum(calendar.infusion_end(calendar.earliest_cycle), stop))
    if calendar.finishes_infusions:
        day = _after_infusion(one, calendar, day, stop, switch)
    if calendar.latest_cycle is not None:
        day = np.where(day <= calendar.due_after(calendar.latest_cycle), day, NEVER)
    return day


def _after_infusion(one: Remitted, calendar: Calendar, day: Days, stop: Days, switch: Days) -> Days:
    """First day, from ``day`` on, that is outside an infusion already begun."""
    cycle, within = parts(day, calendar.cycle)
    start = day - within
    begun = (cycle >= one.cycles_before) & (cycle < calendar.cycles) & (start < stop) & (start < switch)
    end = np.minimum(start + calendar.infusion, stop)
    return np.where(begun & (within > 0) & (day < end), end, day)


def detection_day(one: Remitted, calendar: Calendar, relapse: Days, progression: Days) -> Days:
    """Day of a visit or of symptoms, shape (Q,), given those of relapse and of its death: it shows before it kills."""
    return np.asarray(np.minimum(calendar.visit(relapse), np.minimum(relapse + one.symptoms, progression - 1)))


def deepening(lives: Lives, calendar: Calendar, who: Days, one: Remitted, relapse: Days, end: Days) -> Flags:
    """Whether a CRh* of cycle 1 is a CR at the assessment of a completed cycle 2.

    Parameters
    ----------
    lives, calendar, who, one
        As for :func:`remitted_of`, and what it returns.
    relapse : (Q,) array of int64
        Its true day.
    end : (Q,) array of int64
        Day of the first of transplant, switch, detected relapse and death.

    Returns
    -------
    (Q,) array of bool
    """
    assessment = calendar.infusion_end(RESPONSE_CYCLES)
    transplant_may_follow = end >= assessment  # on the day itself it comes after the assessment
    destined = lives.fates.deepens[who] & (lives.fates.depth[who] == Depth.CRH) & (one.cycles_before == 1)
    completed = one.stop_count > RESPONSE_CYCLES * calendar.infusion
    ends_by_then = np.minimum(one.death, one.switch)
    lasts = transplant_may_follow & (ends_by_then > assessment)
    return np.asarray(destined & completed & (relapse > assessment) & lasts)
