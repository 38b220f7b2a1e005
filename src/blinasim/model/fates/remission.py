"""Fates of a remission but for its clock: death in it, a switch of therapy, a later transplant, symptoms of relapse.

Functions take patients as (R, n) arrays, parameters whose values are numbers or (R, 1) arrays, and the luck of the same
R replications of n patients; what they return is of shape (R, n) too: int32 days, NEVER for what never comes, or int8
codes.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from blinasim.luck import Draws
from blinasim.model.codes import NEVER, Cause
from blinasim.model.durations import DAYS_PER_YEAR, Floats, exponential, log_logistic, piecewise, remainder, whole_days
from blinasim.model.fates.attributes import Attributes
from blinasim.model.parameter_groups import Value
from blinasim.model.parameters import Parameters

#: Of the log-logistic days to a later transplant, by assumption: few come long before or long after the median.
_LATER_SHAPE: Final = 3.0


def death(patient: Attributes, parameters: Parameters, draws: Draws) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """Days from remission to a death in it, and its cause. Age and frailty multiply the hazard; year 1 has its own."""
    remission = parameters.remission
    risk = patient.frailty * np.where(patient.older, remission.death_ratio_65_and_over, 1.0)
    per_day = np.asarray(remission.death_per_year) / DAYS_PER_YEAR
    days = piecewise(
        exponential(draws.uniform("remission_death.days")) / risk,
        DAYS_PER_YEAR,
        per_day,
        per_day * remission.death_late_ratio,
    )
    infection = draws.uniform("remission_death.cause") < remission.death_infection_share
    return whole_days(days), np.where(infection, Cause.INFECTION, Cause.OTHER).astype(np.int8)


def switch(parameters: Parameters, draws: Draws) -> NDArray[np.int32]:
    """Days from remission to a switch to another therapy, exponential."""
    return whole_days(_per_year(draws.uniform("switch.days"), parameters.remission.switch_per_year))


def later_transplant(parameters: Parameters, draws: Draws) -> NDArray[np.int32]:
    """Days from a switch, or a detected relapse, to a later transplant, log-logistic; NEVER where there is none."""
    remission = parameters.remission
    uniform = draws.uniform("later_transplant.days")
    days = log_logistic(
        remainder(uniform, remission.later_transplant), remission.later_transplant_median_days, _LATER_SHAPE
    )
    return np.where(uniform < remission.later_transplant, whole_days(days), NEVER).astype(np.int32)


def symptoms(parameters: Parameters, draws: Draws) -> NDArray[np.int32]:
    """Days from a relapse until its symptoms show, exponential about a median."""
    median = parameters.relapse.symptoms_median_days
    return whole_days(exponential(draws.uniform("relapse.symptoms")) * median / np.log(2.0))


def _per_year(uniform: Floats, rate: Value) -> Floats:
    return np.asarray(exponential(uniform) * DAYS_PER_YEAR / rate)
