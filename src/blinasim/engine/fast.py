"""The pathway in array operations: the same lives as ``des``, patient by patient, without SimPy.

Written from SPECIFICATION.md, not from the SimPy engine: there the rules unfold in time, here each is a comparison
of days. That is double programming, and tests hold the two engines equal to the day. Nothing is shared between
patients here, so a scenario with capacity is for ``des`` alone.

The names of days: ``stop`` is when the drug would be stopped for good, ``switch``, ``relapse`` and so on likewise; a
day may lie beyond what really happens, and is compared with what comes before it. Days are int64 throughout and
NEVER or more where something never happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blinasim.engine.lives import Lives
from blinasim.model.codes import (
    EARLY_AFTER_HSCT_DAYS,
    HORIZON,
    NEVER,
    NONE,
    ORDINARY_SPEED,
    AfterCycles,
    Cause,
    Depth,
    Donor,
)
from blinasim.model.history import COLUMNS, History
from blinasim.scenario.settings import AfterCycle, Policy

Days = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Patients walked at a time: enough to amortise the calls, few enough to stay in the processor's cache.
BLOCK: Final = 10_240
_INDUCTION_CYCLES: Final = 2
_STOPPED_CLOCK: Final = NEVER * ORDINARY_SPEED


@dataclass(frozen=True)
class _Calendar:
    """The policy's days, and its cycles by number: the first is 1."""

    infusion: int
    cycle: int
    cycles: int
    induction_cycles: int  # after so many, no response is a failure
    maintenance: int
    visits: int
    search_after_cycle: int | None
    preparation: int
    earliest_cycle: int
    latest_cycle: int | None
    finishes_infusions: bool
    acceptance: dict[Donor, int]

    @classmethod
    def of(cls, policy: Policy) -> _Calendar:
        cycles, transplant, starts = policy.cycles, policy.transplant, policy.donor_search.starts
        return cls(
            infusion=cycles.infusion_days,
            cycle=cycles.infusion_days + cycles.rest_days,
            cycles=cycles.maximum,
            induction_cycles=cycles.stop_without_response_after,
            maintenance=cycles.maintenance.days,
            visits=policy.monitoring.visits_every_days,
            search_after_cycle=starts.after_cycle if isinstance(starts, AfterCycle) else None,
            preparation=transplant.preparation_days,
            earliest_cycle=transplant.earliest_cycle,
            latest_cycle=transplant.latest_cycle,
            finishes_infusions=transplant.finish_infusion,
            acceptance={Donor[name.upper()]: day for name, day in policy.donor_search.accept_from_day.items()},
        )

    def infusion_end(self, number: int) -> int:
        """Day on which the infusion of a cycle ends."""
        return self.infusion + (number - 1) * self.cycle

    def due_after(self, number: int) -> int:
        """Day on which the cycle after this one is due."""
        return number * self.cycle

    def infused(self, day: Days) -> Days:
        """Days of infusion given before ``day`` to a patient whom nothing delays or stops."""
        cycle, within = _parts(day, self.cycle)
        given = cycle * self.infusion + np.minimum(within, self.infusion)
        return np.asarray(np.minimum(given, self.cycles * self.infusion))

    def begun(self, day: Days) -> Days:
        """Cycles begun before ``day`` by a patient whom nothing delays or stops."""
        return np.minimum(-(-day // self.cycle), self.cycles)

    def day_of_infusion(self, count: Days) -> Days:
        """Day on which so many days of infusion have been given; NEVER if that is more than all cycles hold."""
        cycle, within = _parts(count - 1, self.infusion)
        return np.where(cycle < self.cycles, cycle * self.cycle + within + 1, NEVER)

    def visit(self, day: Days) -> Days:
        """First visit that is not before ``day``."""
        last = self.infusion_end(self.cycles)
        in_cycles = self.infusion + self.cycle * np.maximum(-((self.infusion - day) // self.cycle), 0)
        afterwards = last + self.visits * -((last - day) // self.visits)
        return np.where(day <= last, in_cycles, afterwards)


def walk(lives: Lives) -> History:
    """Walk every patient through the clinic.

    Parameters
    ----------
    lives : Lives
        P = replications * patients lives.

    Returns
    -------
    History
        Arrays of shape (P,), equal to those of the SimPy engine.
    """
    calendar = _Calendar.of(lives.policy)
    everybody = lives.entry_day.size
    history = {name: np.full(everybody, NONE, dtype=np.int32) for name in COLUMNS}
    for first in range(0, everybody, BLOCK):
        block = slice(first, min(first + BLOCK, everybody))
        _walk_block(lives, calendar, block, history)
    return History(**history)


def _walk_block(lives: Lives, calendar: _Calendar, block: slice, history: dict[str, NDArray[np.int32]]) -> None:
    """Live the lives of a block, and write them into the history."""
    induction = _induce(lives, calendar, block)
    found, donor = _find_donor(lives, calendar, block)
    remitted = np.flatnonzero(induction.remission < NEVER)
    who = block.start + remitted
    treated = _treat(lives, calendar, who, induction.remission[remitted], found[remitted], donor[remitted])
    columns = {
        "cycles": induction.cycles,
        "infusion_days": induction.infusion_days,
        "stop": induction.stop,
        "failure": induction.failure,
        "death": induction.death,
        "cause": induction.cause,
    }
    for name, values in columns.items():
        history[name][block] = values
    for name, values in treated.items():
        history[name][who] = values
    for name in _DAYS.intersection([*columns, *treated]):
        day = history[name][block]
        day[day > HORIZON] = NONE
    history["cause"][block][history["death"][block] == NONE] = NONE
    _search(lives, calendar, block, history, found, donor)


#: Columns that are days, not counts or codes; a day beyond the horizon is written as NONE.
_DAYS: Final = frozenset(COLUMNS) - {"cycles", "infusion_days", "depth", "mrd", "donor", "conditioning", "cause"}


# --- induction --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Induction:
    """How induction ends, shape of the block; NEVER where it does not end so."""

    remission: Days
    failure: Days
    death: Days
    cause: Days
    stop: Days
    cycles: Days
    infusion_days: Days


def _induce(lives: Lives, calendar: _Calendar, block: slice) -> _Induction:
    """Walk the cycles of induction: whichever comes first of death, progression, stop and the last assessment."""
    fates, last = lives.fates, calendar.induction_cycles
    response = fates.response_cycle[block].astype(np.int64)
    death = fates.early_death_days[block].astype(np.int64)
    progression = fates.progression_days[block].astype(np.int64)
    stop_count = fates.stop_infusion_days[block].astype(np.int64)
    stop = calendar.day_of_infusion(stop_count)
    responds = response > 0
    if last < _INDUCTION_CYCLES:  # whoever would respond later never does
        responds &= response <= last
    assessment = calendar.infusion + (np.where(responds, response, last) - 1) * calendar.cycle

    # In the order of a day: what stands first wins a tie.
    dies = death <= np.minimum(np.minimum(progression, stop), assessment)
    progresses = ~dies & (progression <= np.minimum(stop, assessment))
    stops = ~dies & ~progresses & (stop <= assessment)
    assessed = ~(dies | progresses | stops)
    remits = assessed & responds

    end = np.where(dies, death, np.where(progresses, progression, np.where(stops, stop, assessment)))
    failure = np.where(dies | remits, NEVER, end)
    after_failure = failure + _runs(
        fates.failure_clock_millidays[block], fates.failure_speed_refractory[block].astype(np.int64)
    )
    return _Induction(
        remission=np.where(remits, end, NEVER),
        failure=failure,
        death=np.where(dies, death, after_failure),
        cause=np.where(dies, fates.early_death_cause[block], Cause.PROGRESSION).astype(np.int64),
        stop=np.where(stops, stop, NEVER),
        cycles=np.minimum(calendar.begun(end), last),
        infusion_days=calendar.infused(end),
    )


# --- remission --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _AfterCycles:
    """Maintenance or bridging after the last cycle; arrays of shape (Q,)."""

    begins: int
    days: Days  # at most; 0 for a patient who never has any
    speed: Days  # of the relapse clock

    def begun(self, end: Days) -> Days:
        """Day on which it begins, if treatment has not ended by then."""
        return np.where((self.days > 0) & (self.begins < end), self.begins, NEVER)


@dataclass(frozen=True)
class _Remitted:
    """The fates of those who reach remission, shape (Q,), as int64."""

    remission: Days
    cycles_before: Days
    stop_count: Days
    clock: Days
    rest_speed: Days
    infusion_speed: Days
    other_speed: Days
    after: _AfterCycles | None  # nobody has any where it is None
    symptoms: Days
    death: Days
    death_cause: Days
    switch: Days
    later: Days
    failure_clock: Days
    candidate: Flags
    found: Days
    donor: Days


def _treat(lives: Lives, calendar: _Calendar, who: Days, remission: Days, found: Days, donor: Days) -> dict[str, Days]:
    """Walk patients from their remission to their end; columns of the history for ``who``."""
    one = _remitted(lives, calendar, who, remission, found, donor)
    fates = lives.fates

    # 1. What would come without any transplant.
    stop = calendar.day_of_infusion(one.stop_count)
    relapse = _relapse_under_treatment(one, calendar)
    switches = (one.switch < relapse) & (one.switch < one.death)
    switch = np.where(switches, one.switch, NEVER)
    left_at_switch = one.clock - _spent(one, calendar, np.minimum(switch, HORIZON))
    relapse = np.where(switches, switch + _runs(left_at_switch, one.other_speed), relapse)

    # 2. The on-study transplant: the first admissible day, if nothing has broken the remission by then.
    admissible = np.where(one.candidate, _admissible(one, calendar, stop, switch), NEVER)
    on_study = (admissible <= HORIZON) & (admissible < switch) & (admissible < relapse) & (admissible < one.death)
    switch = np.where(on_study, NEVER, switch)

    # 3. Relapse without a transplant before it; found by visit, symptoms, or the marrow before conditioning.
    relapses = ~on_study & (relapse < one.death)
    progression = relapse + _runs(one.failure_clock, fates.failure_speed_relapse[who].astype(np.int64))
    detected = _detected(one, calendar, relapse, progression)
    marrow = np.where(one.candidate & (relapse <= admissible) & (admissible < switch), admissible, NEVER)
    detected = np.minimum(detected, marrow)

    # 4. A later transplant, after a switch or a detected relapse, whichever was first.
    broken = np.minimum(switch, np.where(relapses, detected, NEVER))
    later = np.maximum(broken + one.later, one.found)
    alive_until = np.where(relapses, progression, one.death)
    transplanted_later = one.candidate & ~on_study & (broken < NEVER) & (later <= HORIZON) & (later < alive_until)
    after_relapse = transplanted_later & relapses & (relapse <= later)
    detected = np.where(after_relapse, np.minimum(detected, later), detected)
    hsct = np.where(on_study, admissible, np.where(transplanted_later, later, NEVER))

    # 5. After a transplant in remission the graft's speeds hold; after any, its own risk of death comes in.
    grafted = hsct < NEVER
    grafted_in_remission = grafted & ~after_relapse
    graft_death, graft_cause = _graft_death(lives, who, one, hsct)
    left = np.where(switch < hsct, left_at_switch - _other(one, switch, hsct), one.clock - _spent(one, calendar, hsct))
    relapse = np.where(grafted_in_remission, _relapse_after_graft(lives, who, one, hsct, left), relapse)
    relapses = np.where(grafted_in_remission, relapse < np.minimum(one.death, graft_death), relapses)
    late_progression = relapse + _runs(one.failure_clock, fates.failure_speed_relapse_after_hsct[who])
    progression = np.where(grafted_in_remission, late_progression, progression)
    detected = np.where(grafted_in_remission, _detected(one, calendar, relapse, progression), detected)
    # A transplant after a relapse changes the speed of death after failure from its day on.
    left_to_live = one.failure_clock - (hsct - relapse) * fates.failure_speed_relapse[who]
    salvage = hsct + _runs(left_to_live, fates.failure_speed_salvage_graft[who])
    progression = np.where(after_relapse, salvage, progression)

    # 6. Death: of progression after a relapse, else in remission; or of the graft, if that is sooner.
    death = np.where(relapses, progression, one.death)
    cause = np.where(relapses, Cause.PROGRESSION, one.death_cause)
    of_graft = graft_death < death
    death, cause = np.where(of_graft, graft_death, death), np.where(of_graft, graft_cause, cause)
    relapse = np.where(relapses, relapse, NEVER)
    detected = np.where(relapses & (detected < death), detected, NEVER)
    switch = np.where(switch < death, switch, NEVER)

    return _written(lives, calendar, who, one, _Course(stop, switch, hsct, relapse, detected, death, cause))


@dataclass(frozen=True)
class _Course:
    """The days that a remission took, shape (Q,), NEVER where something does not happen; the stop is the one due."""

    stop: Days
    switch: Days
    hsct: Days
    relapse: Days
    detected: Days
    death: Days
    cause: Days


def _written(lives: Lives, calendar: _Calendar, who: Days, one: _Remitted, course: _Course) -> dict[str, Days]:
    """Write a course as columns of the history, with the treatment that went with it."""
    fates, stop = lives.fates, course.stop
    # Cycles go on until a transplant, a switch, a detected relapse, death, a stop, or the last.
    end = np.minimum(np.minimum(course.hsct, course.switch), np.minimum(course.detected, course.death))
    stopped = (stop < np.minimum(course.death, course.switch)) & (stop <= np.minimum(course.detected, course.hsct))
    most = np.minimum(one.stop_count, NEVER)
    deepens = _deepens(lives, calendar, who, one, course.relapse, end)
    columns = {
        "remission": one.remission,
        "depth": np.where(deepens, Depth.CR, fates.depth[who].astype(np.int64)),
        "deepening": np.where(deepens, calendar.infusion_end(_INDUCTION_CYCLES), NEVER),
        "mrd": fates.mrd[who].astype(np.int64),
        "candidacy": np.where(one.candidate, one.remission, NEVER),
        "switch": course.switch,
        "hsct": course.hsct,
        "conditioning": np.where(course.hsct < NEVER, lives.plan.conditioning[who], NONE).astype(np.int64),
        "relapse": course.relapse,
        "relapse_detected": course.detected,
        "death": course.death,
        "cause": course.cause,
        "stop": np.where(stopped, stop, NEVER),
        "cycles": np.minimum(calendar.begun(np.minimum(end, NEVER)), -(-most // calendar.infusion)),
        "infusion_days": np.minimum(calendar.infused(np.minimum(end, NEVER)), most),
    }
    if one.after is not None:
        columns["maintenance"] = one.after.begun(end)
    return columns


def _remitted(lives: Lives, calendar: _Calendar, who: Days, remission: Days, found: Days, donor: Days) -> _Remitted:
    fates = lives.fates

    def whole(column: NDArray[np.integer]) -> Days:
        return column[who].astype(np.int64)

    return _Remitted(
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
        found=_search_start(lives, calendar, who, remission) + found,
        donor=donor,
    )


def _after_cycles(lives: Lives, calendar: _Calendar, who: Days) -> _AfterCycles | None:
    """What the plan gives after the last cycle to those whose drug has not been stopped."""
    plan, fates = lives.plan.after_cycles[who], lives.fates
    if np.all(plan == NONE):
        return None
    bridges = plan == AfterCycles.BRIDGING
    lasts = (plan != NONE) & (fates.stop_infusion_days[who] > calendar.cycles * calendar.infusion)
    return _AfterCycles(
        begins=calendar.due_after(calendar.cycles),
        days=np.where(lasts, np.where(bridges, NEVER, calendar.maintenance), 0),
        speed=np.where(bridges, fates.relapse_speed_bridging[who], fates.relapse_speed_maintenance[who]).astype(
            np.int64
        ),
    )


def _spent(one: _Remitted, calendar: _Calendar, day: Days) -> Days:
    """Milli-days of the relapse clock spent from remission to ``day`` under treatment."""
    given = np.minimum(calendar.infused(day), one.stop_count) - one.cycles_before * calendar.infusion
    spent = one.infusion_speed * given + one.rest_speed * (day - one.remission - given)
    if one.after is not None:
        spent += (one.after.speed - one.rest_speed) * np.clip(day - one.after.begins, 0, one.after.days)
    return spent


def _other(one: _Remitted, switch: Days, day: Days) -> Days:
    """Milli-days spent under another therapy, from the switch to ``day``."""
    days = np.maximum(np.minimum(day, HORIZON) - np.minimum(switch, HORIZON), 0)
    return np.asarray(one.other_speed * days)


def _relapse_under_treatment(one: _Remitted, calendar: _Calendar) -> Days:
    """Day on which the relapse clock runs out through rests and infusions, with no switch and no transplant."""
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
    in_rest = day + _runs(left, one.rest_speed)
    in_infusion = day + rest_days + _runs(left_after_rest, one.infusion_speed)
    afterwards = day + rest_days + infusion + _runs(left_after_rest - infused, one.rest_speed)
    relapse = np.where(resting_first, np.where(left_after_rest <= infused, in_infusion, afterwards), in_rest)
    if one.after is not None:
        relapse = np.where(relapse > one.after.begins, _relapse_after_cycles(one, calendar, one.after), relapse)
    return np.where(one.clock >= _STOPPED_CLOCK, NEVER, relapse)


def _relapse_after_cycles(one: _Remitted, calendar: _Calendar, after: _AfterCycles) -> Days:
    """Day on which what the last cycle has left of the relapse clock runs out, and rest follows what follows it."""
    left = one.clock - _spent(one, calendar, np.full(one.clock.shape, after.begins, dtype=np.int64))
    treated = _runs(left, after.speed)
    afterwards = after.days + _runs(left - after.days * after.speed, one.rest_speed)
    return after.begins + np.where(treated <= after.days, treated, afterwards)


def _admissible(one: _Remitted, calendar: _Calendar, stop: Days, switch: Days) -> Days:
    """First day on which the policy would transplant whoever is in remission; NEVER if that is too late for it."""
    day = np.maximum(one.found, one.remission + calendar.preparation)
    if calendar.earliest_cycle > 1:  # no remission is earlier than the first infusion's end
        day = np.maximum(day, np.minimum(calendar.infusion_end(calendar.earliest_cycle), stop))
    if calendar.finishes_infusions:
        day = _after_infusion(one, calendar, day, stop, switch)
    if calendar.latest_cycle is not None:
        day = np.where(day <= calendar.due_after(calendar.latest_cycle), day, NEVER)
    return day


def _after_infusion(one: _Remitted, calendar: _Calendar, day: Days, stop: Days, switch: Days) -> Days:
    """First day, from ``day`` on, that is outside an infusion already begun."""
    cycle, within = _parts(day, calendar.cycle)
    start = day - within
    begun = (cycle >= one.cycles_before) & (cycle < calendar.cycles) & (start < stop) & (start < switch)
    end = np.minimum(start + calendar.infusion, stop)
    return np.where(begun & (within > 0) & (day < end), end, day)


def _detected(one: _Remitted, calendar: _Calendar, relapse: Days, progression: Days) -> Days:
    """Day of a visit or of symptoms; a relapse shows before it kills."""
    return np.asarray(np.minimum(calendar.visit(relapse), np.minimum(relapse + one.symptoms, progression - 1)))


def _deepens(lives: Lives, calendar: _Calendar, who: Days, one: _Remitted, relapse: Days, end: Days) -> Flags:
    """Whether a CRh* of cycle 1 is a CR at the assessment of a completed cycle 2."""
    assessment = calendar.infusion_end(_INDUCTION_CYCLES)
    transplant_may_follow = end >= assessment  # on the day itself it comes after the assessment
    destined = lives.fates.deepens[who] & (lives.fates.depth[who] == Depth.CRH) & (one.cycles_before == 1)
    completed = one.stop_count > _INDUCTION_CYCLES * calendar.infusion
    ends_by_then = np.minimum(one.death, one.switch)
    lasts = transplant_may_follow & (ends_by_then > assessment)
    return np.asarray(destined & completed & (relapse > assessment) & lasts)


# --- donors and grafts --------------------------------------------------------------------------------


def _find_donor(lives: Lives, calendar: _Calendar, block: slice) -> tuple[Days, Days]:
    """Days of the search until the first acceptable donor, and the donor's type; ties to the type written first."""
    search_days = lives.fates.donor_search_days[block]
    head_start = np.maximum(lives.fates.head_start_days[block], 0)
    found = np.full(head_start.shape, NEVER, dtype=np.int64)
    donor = np.full(head_start.shape, NONE, dtype=np.int64)
    for kind, from_day in calendar.acceptance.items():
        search = search_days[:, kind]
        ready = np.where(search < NEVER, np.maximum(np.maximum(search, from_day) - head_start, 0), NEVER)
        sooner = ready < found
        np.copyto(found, ready, where=sooner)
        donor[sooner] = kind
    return found, donor


def _search_start(
    lives: Lives, calendar: _Calendar, who: Days | slice, remission: NDArray[np.integer[Any]]
) -> NDArray[np.integer[Any]]:
    """Day on which the search begins, if it does: at entry, or for a candidate, if alive."""
    if calendar.search_after_cycle is not None:
        remission = np.maximum(remission, calendar.infusion_end(calendar.search_after_cycle))
    return np.where(lives.plan.search_at_entry[who], 0, remission)


def _search(
    lives: Lives,
    calendar: _Calendar,
    block: slice,
    history: dict[str, NDArray[np.int32]],
    found: Days,
    donor: Days,
) -> None:
    """Write the search: for whom it began, and what it found before it ended."""
    at_entry = lives.plan.search_at_entry[block]
    candidate = history["candidacy"][block] != NONE
    start = _search_start(lives, calendar, block, history["remission"][block])
    searched = at_entry | candidate
    if calendar.search_after_cycle is not None:
        searched &= (history["death"][block] == NONE) | (start < history["death"][block])
    found_day = start + found
    finds = searched & (found_day <= HORIZON)
    for name, applies in (("death", None), ("failure", None), ("remission", ~candidate)):
        day = history[name][block]
        still = (day == NONE) | (found_day < day)
        finds &= still if applies is None else still | ~applies
    history["search_start"][block] = np.where(searched, start, NONE)
    history["donor_found"][block] = np.where(finds, found_day, NONE)
    history["donor"][block] = np.where(finds, donor, NONE)


def _graft_death(lives: Lives, who: Days, one: _Remitted, hsct: Days) -> tuple[Days, Days]:
    """Day and cause of non-relapse death, by the speeds of the donor; NEVER without a transplant."""
    graft, fates = lives.graft, lives.fates
    grafted = np.flatnonzero(hsct < NEVER)
    patient, donor = who[grafted], one.donor[grafted]
    days = _runs_through(
        fates.non_relapse_clock_millidays[patient],
        np.full(patient.shape, EARLY_AFTER_HSCT_DAYS, dtype=np.int64),
        graft.non_relapse_speed[patient, donor].astype(np.int64),
        graft.non_relapse_late_until_days[patient].astype(np.int64),
        graft.non_relapse_speed_late[patient, donor].astype(np.int64),
        graft.non_relapse_speed_tail[patient, donor].astype(np.int64),
    )
    early = days <= EARLY_AFTER_HSCT_DAYS
    death, cause = np.full(who.shape, NEVER, dtype=np.int64), np.full(who.shape, NONE, dtype=np.int64)
    death[grafted] = hsct[grafted] + days
    cause[grafted] = np.where(early, fates.non_relapse_cause_early[patient], fates.non_relapse_cause_late[patient])
    return death, cause


def _relapse_after_graft(lives: Lives, who: Days, one: _Remitted, hsct: Days, left: Days) -> Days:
    """Day on which what is left of the relapse clock runs out under the graft; NEVER without a transplant."""
    graft = lives.graft
    grafted = np.flatnonzero(hsct < NEVER)
    patient, donor = who[grafted], one.donor[grafted]
    plateau = graft.plateau_days[patient].astype(np.int64)
    speed = graft.relapse_speed[patient, donor].astype(np.int64)
    before = _runs(left[grafted], speed)
    after = plateau + _runs(left[grafted] - plateau * speed, graft.relapse_speed_late[patient, donor])
    relapse = np.full(who.shape, NEVER, dtype=np.int64)
    relapse[grafted] = hsct[grafted] + np.where(before <= plateau, before, after)
    return relapse


def _parts(day: Days, length: int) -> tuple[Days, Days]:
    """Whole stretches of so many days, and the days beyond them: ``divmod``, which NumPy has not made fast."""
    whole = day // length
    return whole, day - whole * length


def _runs(clock: Days, speed: NDArray[np.integer[Any]]) -> Days:
    """Days until a clock has run out at a speed."""
    still = (speed == 0) | (clock >= _STOPPED_CLOCK)
    # In floats, which divide faster: clocks and speeds are so small that a quotient that is not whole lies further from
    # a whole number than rounding can carry it.
    days = np.ceil(clock / np.maximum(speed, 1))
    return np.where(still, NEVER, np.minimum(days, NEVER)).astype(np.int64)


def _runs_through(clock: Days, first_end: Days, first: Days, second_end: Days, second: Days, third: Days) -> Days:
    """Days until a clock has run out through three phases."""
    in_first = _runs(clock, first)
    left = clock - first_end * first
    in_second = first_end + _runs(left, second)
    left = left - (second_end - first_end) * second
    in_third = second_end + _runs(left, third)
    return np.where(in_first <= first_end, in_first, np.where(in_second <= second_end, in_second, in_third))
