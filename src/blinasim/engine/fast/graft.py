"""What a graft does to the relapse clock, and its own risk of death."""

from __future__ import annotations

import numpy as np

from blinasim.engine.fast.clocks import Days, runs, runs_through
from blinasim.engine.fast.remission import Remitted
from blinasim.engine.lives import Lives
from blinasim.model.codes import EARLY_AFTER_HSCT_DAYS, NEVER, NONE


def death_of_graft(lives: Lives, who: Days, one: Remitted, hsct: Days) -> tuple[Days, Days]:
    """Day and cause of non-relapse death, by the speeds of the donor.

    Parameters
    ----------
    lives : Lives
        Of all patients.
    who : (Q,) array of int64
        Places of those who reach remission.
    one : Remitted
        Their fates.
    hsct : (Q,) array of int64
        Day of transplant; NEVER without one.

    Returns
    -------
    death : (Q,) array of int64
        As if nothing else killed; NEVER without a transplant.
    cause : (Q,) array of int64
        Its code; NONE without a transplant.
    """
    graft, fates = lives.graft, lives.fates
    grafted = np.flatnonzero(hsct < NEVER)
    patient, donor = who[grafted], one.donor[grafted]
    days = runs_through(
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


def relapse_after_graft(lives: Lives, who: Days, one: Remitted, hsct: Days, left: Days) -> Days:
    """Day on which the rest of the relapse clock runs out under the graft; NEVER without a transplant.

    Parameters
    ----------
    lives, who, one, hsct
        As for :func:`death_of_graft`.
    left : (Q,) array of int64
        What the clock has left on the day of transplant, milli-days.

    Returns
    -------
    (Q,) array of int64
    """
    graft = lives.graft
    grafted = np.flatnonzero(hsct < NEVER)
    patient, donor = who[grafted], one.donor[grafted]
    plateau = graft.plateau_days[patient].astype(np.int64)
    speed = graft.relapse_speed[patient, donor].astype(np.int64)
    before = runs(left[grafted], speed)
    after = plateau + runs(left[grafted] - plateau * speed, graft.relapse_speed_late[patient, donor])
    relapse = np.full(who.shape, NEVER, dtype=np.int64)
    relapse[grafted] = hsct[grafted] + np.where(before <= plateau, before, after)
    return relapse
