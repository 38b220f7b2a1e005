"""The course of those who reach remission, from it to their end, with a transplant or without."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blinasim.engine.fast.calendar import Calendar
from blinasim.engine.fast.clocks import Days, runs
from blinasim.engine.fast.graft import death_of_graft, relapse_after_graft
from blinasim.engine.fast.remission import (
    Remitted,
    admissible_day,
    deepening,
    detection_day,
    relapse_under_treatment,
    remitted_of,
    spent_elsewhere,
    spent_under_treatment,
)
from blinasim.engine.lives import Lives
from blinasim.model.codes import HORIZON, NEVER, NONE, RESPONSE_CYCLES, Cause, Depth


def treat(lives: Lives, calendar: Calendar, who: Days, remission: Days, found: Days, donor: Days) -> dict[str, Days]:
    """Walk Q patients from their remission to their end.

    Parameters
    ----------
    lives : Lives
        Of all P patients.
    calendar : Calendar
        The policy's days.
    who : (Q,) array of int64
        Places, among all patients, of those who reach remission.
    remission : (Q,) array of int64
        Its day.
    found, donor : (Q,) array of int64
        Days of the search until a donor is found, and the donor's type, as from ``find_donor``.

    Returns
    -------
    dict of str to (Q,) array
        Columns of the history; days as late as NEVER where something does not happen.
    """
    one = remitted_of(lives, calendar, who, remission, found, donor)
    fates = lives.fates

    # 1. What would come without any transplant.
    stop = calendar.day_of_infusion(one.stop_count)
    relapse = relapse_under_treatment(one, calendar)
    switches = (one.switch < relapse) & (one.switch < one.death)
    switch = np.where(switches, one.switch, NEVER)
    left_at_switch = one.clock - spent_under_treatment(one, calendar, np.minimum(switch, HORIZON))
    relapse = np.where(switches, switch + runs(left_at_switch, one.other_speed), relapse)

    # 2. The on-study transplant: the first admissible day, if nothing has broken the remission by then.
    admissible = np.where(one.candidate, admissible_day(one, calendar, stop, switch), NEVER)
    on_study = (admissible <= HORIZON) & (admissible < switch) & (admissible < relapse) & (admissible < one.death)
    switch = np.where(on_study, NEVER, switch)

    # 3. Relapse without a transplant before it; found by visit, symptoms, or the marrow before conditioning.
    relapses = ~on_study & (relapse < one.death)
    progression = relapse + runs(one.failure_clock, fates.failure_speed_relapse[who].astype(np.int64))
    detected = detection_day(one, calendar, relapse, progression)
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
    graft_death, graft_cause = death_of_graft(lives, who, one, hsct)
    left = np.where(
        switch < hsct,
        left_at_switch - spent_elsewhere(one, switch, hsct),
        one.clock - spent_under_treatment(one, calendar, hsct),
    )
    relapse = np.where(grafted_in_remission, relapse_after_graft(lives, who, one, hsct, left), relapse)
    relapses = np.where(grafted_in_remission, relapse < np.minimum(one.death, graft_death), relapses)
    late_progression = relapse + runs(one.failure_clock, fates.failure_speed_relapse_after_hsct[who])
    progression = np.where(grafted_in_remission, late_progression, progression)
    detected = np.where(grafted_in_remission, detection_day(one, calendar, relapse, progression), detected)
    # A transplant after a relapse changes the speed of death after failure from its day on.
    left_to_live = one.failure_clock - (hsct - relapse) * fates.failure_speed_relapse[who]
    salvage = hsct + runs(left_to_live, fates.failure_speed_salvage_graft[who])
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


def _written(lives: Lives, calendar: Calendar, who: Days, one: Remitted, course: _Course) -> dict[str, Days]:
    """Write a course as columns of the history, with the treatment that went with it."""
    fates, stop = lives.fates, course.stop
    # Cycles go on until a transplant, a switch, a detected relapse, death, a stop, or the last.
    end = np.minimum(np.minimum(course.hsct, course.switch), np.minimum(course.detected, course.death))
    stopped = (stop < np.minimum(course.death, course.switch)) & (stop <= np.minimum(course.detected, course.hsct))
    most = np.minimum(one.stop_count, NEVER)
    deepens = deepening(lives, calendar, who, one, course.relapse, end)
    columns = {
        "remission": one.remission,
        "depth": np.where(deepens, Depth.CR, fates.depth[who].astype(np.int64)),
        "deepening": np.where(deepens, calendar.infusion_end(RESPONSE_CYCLES), NEVER),
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
