"""The clocks of a fate, one for each cause: relapse, non-relapse death after a transplant, death after failure.

A clock is drawn once, in milli-days, and spent at speeds that decisions may change (SPECIFICATION 2).

Functions take patients as (R, n) arrays, parameters whose values are numbers or (R, 1) arrays, and the luck of the same
R replications of n patients; what they return is of shape (R, n) too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blinasim.luck import Draws
from blinasim.model.codes import EARLY_AFTER_HSCT_DAYS, Cause, Depth
from blinasim.model.durations import (
    DAYS_PER_YEAR,
    Floats,
    clock_millidays,
    daily_hazard,
    exponential,
    exponential_mixture,
    log_logistic,
)
from blinasim.model.fates.attributes import Attributes
from blinasim.model.parameters import Parameters

#: Mean of the clock of non-relapse death, days: long, so that whole milli-days resolve small hazards.
NON_RELAPSE_CLOCK_DAYS = 10_000
#: A cumulative hazard beyond which everybody has relapsed; its exponential is still finite.
_LARGEST_EXPOSURE = 500.0


def relapse_clock(patient: Attributes, parameters: Parameters, draws: Draws) -> NDArray[np.int64]:
    """Relapse clock, milli-days: Weibull or log-logistic, as the structure says; frailty multiplies its hazard.

    From an exponential E, minus the logarithm of the survival: ``median_days * (E / log 2) ** (1 / shape)`` days,
    or ``median_days * (exp(E) - 1) ** (1 / shape)``.
    """
    relapse = parameters.relapse
    exposure = exponential(draws.uniform("relapse.clock")) / patient.frailty
    if parameters.structure.relapse == "weibull":
        of_median = exposure / np.log(2.0)
    else:
        of_median = np.expm1(np.minimum(exposure, _LARGEST_EXPOSURE))
    return clock_millidays(relapse.median_days * np.asarray(of_median ** (1.0 / np.asarray(relapse.shape))))


def relapse_speed(
    prior_hsct: NDArray[np.bool_],
    depth: NDArray[np.int8],
    mrd_negative: NDArray[np.bool_],
    parameters: Parameters,
) -> Floats:
    """Return the relapse clock's speed off the drug, by the patient's attributes.

    Parameters
    ----------
    prior_hsct : ndarray of bool, shape (R, n)
        Transplanted before the study.
    depth : ndarray of int8, shape (R, n)
        Codes of ``Depth``.
    mrd_negative : ndarray of bool, shape (R, n)
        True MRD negativity, also where the result is not known.
    parameters : Parameters
        ``mrd_negative_speed``, ``crh_speed`` and ``prior_hsct_speed`` of the group ``relapse``;
        ``calibration/parameters.yaml`` says where each comes from.

    Returns
    -------
    ndarray of float64, shape (R, n)
        Days of clock a day. The three ratios multiply; the reference, 1, is an MRD-positive CR without prior HSCT.
    """
    relapse = parameters.relapse
    return np.asarray(
        np.where(mrd_negative, relapse.mrd_negative_speed, 1.0)
        * np.where(depth == Depth.CRH, relapse.crh_speed, 1.0)
        * np.where(prior_hsct, relapse.prior_hsct_speed, 1.0)
    )


def non_relapse_clock(patient: Attributes, draws: Draws) -> NDArray[np.int64]:
    """Clock of non-relapse death of any cause, milli-days: exponential, frailty multiplies its hazard.

    The hazards themselves are its speeds, in real days (:class:`blinasim.model.graft.Graft`), so that ratios of
    speeds are hazard ratios.
    """
    return clock_millidays(exponential(draws.uniform("non_relapse.clock")) / patient.frailty * NON_RELAPSE_CLOCK_DAYS)


def non_relapse_causes(parameters: Parameters, draws: Draws) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Codes of ``Cause`` of a non-relapse death by day 100, and of a later one, by the causes' shares of the hazard."""
    uniform = draws.uniform("non_relapse.cause")
    causes = []
    for hazards in non_relapse_hazards(parameters):
        with np.errstate(invalid="ignore"):
            infection, gvhd, _ = hazards / hazards.sum(axis=0)
        cause = np.where(
            uniform < infection, Cause.INFECTION, np.where(uniform < infection + gvhd, Cause.GVHD, Cause.OTHER)
        )
        causes.append(cause.astype(np.int8))
    return causes[0], causes[1]


def non_relapse_hazards(parameters: Parameters) -> tuple[Floats, Floats]:
    """Return daily hazards of infection, GvHD and other non-relapse death, up to day 100 and after it.

    Parameters
    ----------
    parameters : Parameters
        The group ``non_relapse``: risks by day 100, and rates a year after it.

    Returns
    -------
    tuple of two ndarrays of float64
        Per day. Shape (3,), or (3, R, 1) for parameters by replication; at the reference (see ``NonRelapse``).
    """
    risks = parameters.non_relapse
    early = [
        daily_hazard(value, EARLY_AFTER_HSCT_DAYS)
        for value in (risks.infection_day_100, risks.gvhd_day_100, risks.other_day_100)
    ]
    late = [
        np.asarray(value, dtype=np.float64) / DAYS_PER_YEAR
        for value in (risks.infection_late_per_year, risks.gvhd_late_per_year, risks.other_late_per_year)
    ]
    return np.stack(np.broadcast_arrays(*early)), np.stack(np.broadcast_arrays(*late))


def failure_clock(patient: Attributes, parameters: Parameters, draws: Draws) -> NDArray[np.int64]:
    """Clock of death after failure, milli-days: log-logistic, or a mixture of two exponentials, as the structure says.

    Frailty shortens it in proportion.
    """
    failure, uniform = parameters.failure, draws.uniform("failure.clock")
    if parameters.structure.failure == "log_logistic":
        days = log_logistic(uniform, failure.median_days, failure.shape)
    else:
        days = exponential_mixture(uniform, failure.median_days, failure.long_share, failure.long_speed)
    return clock_millidays(days / patient.frailty)
