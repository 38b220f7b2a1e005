"""Fates of the first two cycles: death, progression, the stop of the drug, and the response.

Functions take patients as (R, n) arrays, parameters whose values are numbers or (R, 1) arrays, and the luck of the same
R replications of n patients; what they return is of shape (R, n) too: int32 days, NEVER for what never comes, or int8
codes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blinasim.luck import Draws
from blinasim.model.codes import NEVER, Cause, Depth, Mrd
from blinasim.model.durations import daily_hazard, exponential, piecewise, remainder, whole_days
from blinasim.model.fates.attributes import Attributes
from blinasim.model.odds import with_odds
from blinasim.model.parameters import Parameters

#: The stretches over which probabilities of induction are given, days.
_CYCLE_DAYS, _INFUSION_DAYS = 42, 28


def early_death(
    patient: Attributes, parameters: Parameters, draws: Draws
) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """Day of a death in induction, and its cause. Blasts and frailty multiply the hazard, cycle by cycle."""
    induction = parameters.induction
    risk = patient.frailty * patient.by_blasts(induction.death_ratio_below_25, induction.death_ratio_25_to_50)
    exposure = exponential(draws.uniform("early_death.days")) / risk
    days = piecewise(
        exposure,
        _CYCLE_DAYS,
        daily_hazard(induction.death_cycle_1, _CYCLE_DAYS),
        daily_hazard(induction.death_cycle_2, _CYCLE_DAYS),
    )
    uniform = draws.uniform("early_death.cause")
    infection = np.asarray(induction.death_infection_share)
    cause = np.where(
        uniform < infection,
        Cause.INFECTION,
        np.where(uniform < infection + induction.death_adverse_event_share, Cause.ADVERSE_EVENT, Cause.PROGRESSION),
    )
    return whole_days(days), cause.astype(np.int8)


def progression(response_cycle: NDArray[np.int8], parameters: Parameters, draws: Draws) -> NDArray[np.int32]:
    """Day of a progression in induction; NEVER for a patient who will respond."""
    induction = parameters.induction
    days = piecewise(
        exponential(draws.uniform("progression.days")),
        _CYCLE_DAYS,
        daily_hazard(induction.progression_cycle_1, _CYCLE_DAYS),
        daily_hazard(induction.progression_cycle_2, _CYCLE_DAYS),
    )
    return np.where(response_cycle == 0, whole_days(days), NEVER).astype(np.int32)


def stop(parameters: Parameters, draws: Draws) -> NDArray[np.int32]:
    """Days of infusion after which an adverse event stops the drug; the first infusion has a hazard of its own."""
    induction = parameters.induction
    return whole_days(
        piecewise(
            exponential(draws.uniform("stop.infusion_days")),
            _INFUSION_DAYS,
            daily_hazard(induction.stop_first_infusion, _INFUSION_DAYS),
            daily_hazard(induction.stop_later_infusion, _INFUSION_DAYS),
        )
    )


def response_cycle(patient: Attributes, parameters: Parameters, draws: Draws) -> NDArray[np.int8]:
    """Cycle of the response: 1, 2, or 0 for never. Blasts, prior HSCT and age multiply the odds."""
    response = parameters.response
    probability = with_odds(
        response.probability,
        patient.by_blasts(response.odds_ratio_below_25, response.odds_ratio_25_to_50),
        np.where(patient.prior_hsct, response.odds_ratio_prior_hsct, 1.0),
        np.where(patient.older, response.odds_ratio_65_and_over, 1.0),
    )
    uniform = draws.uniform("response.cycle")
    return np.where(uniform < probability * response.cycle_1_share, 1, np.where(uniform < probability, 2, 0)).astype(
        np.int8
    )


def depth(parameters: Parameters, draws: Draws) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Depth of the remission, and whether a CRh* becomes a CR by cycle 2, bool."""
    response = parameters.response
    uniform = draws.uniform("response.depth")
    crh = uniform < response.crh_share
    deepens = crh & (remainder(uniform, response.crh_share) < response.crh_deepens)
    return np.where(crh, Depth.CRH, Depth.CR).astype(np.int8), deepens


def mrd(depth: NDArray[np.int8], parameters: Parameters, draws: Draws) -> tuple[NDArray[np.bool_], NDArray[np.int8]]:
    """True MRD negativity, bool, which slows the relapse clock, and the result as known, by depth of remission."""
    response = parameters.response
    uniform = draws.uniform("response.mrd")
    negative = uniform < np.where(depth == Depth.CRH, response.mrd_negative_crh, response.mrd_negative_cr)
    unknown = draws.uniform("response.mrd_unknown") < response.mrd_unknown
    known = np.where(negative, Mrd.NEGATIVE, Mrd.POSITIVE)
    return negative, np.where(unknown, Mrd.UNKNOWN, known).astype(np.int8)
