"""The cycles of induction, until remission, failure or death."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blinasim.engine.fast.calendar import Calendar
from blinasim.engine.fast.clocks import Days, runs
from blinasim.engine.lives import Lives
from blinasim.model.codes import NEVER, RESPONSE_CYCLES, Cause


@dataclass(frozen=True)
class Induction:
    """How induction ends for the B patients of a block, arrays of shape (B,).

    Attributes
    ----------
    remission, failure : array of int64
        Days since the first infusion; NEVER where it does not end so.
    death, cause : array of int64
        Day and cause of death, in induction or after its failure; of no meaning for those who reach remission.
    stop : array of int64
        Day of a permanent stop; NEVER without one.
    cycles, infusion_days : array of int64
        Begun and given by the end of induction.
    """

    remission: Days
    failure: Days
    death: Days
    cause: Days
    stop: Days
    cycles: Days
    infusion_days: Days


def induce(lives: Lives, calendar: Calendar, block: slice) -> Induction:
    """Walk the cycles of induction: whichever comes first of death, progression, stop and the last assessment.

    Parameters
    ----------
    lives : Lives
        Of all patients.
    calendar : Calendar
        The policy's days.
    block : slice
        The patients who are walked.

    Returns
    -------
    Induction
    """
    fates, last = lives.fates, calendar.induction_cycles
    response = fates.response_cycle[block].astype(np.int64)
    death = fates.early_death_days[block].astype(np.int64)
    progression = fates.progression_days[block].astype(np.int64)
    stop_count = fates.stop_infusion_days[block].astype(np.int64)
    stop = calendar.day_of_infusion(stop_count)
    responds = response > 0
    if last < RESPONSE_CYCLES:  # whoever would respond later never does
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
    after_failure = failure + runs(
        fates.failure_clock_millidays[block], fates.failure_speed_refractory[block].astype(np.int64)
    )
    return Induction(
        remission=np.where(remits, end, NEVER),
        failure=failure,
        death=np.where(dies, death, after_failure),
        cause=np.where(dies, fates.early_death_cause[block], Cause.PROGRESSION).astype(np.int64),
        stop=np.where(stops, stop, NEVER),
        cycles=np.minimum(calendar.begun(end), last),
        infusion_days=calendar.infused(end),
    )
