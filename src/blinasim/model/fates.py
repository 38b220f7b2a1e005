"""Fates: what luck and parameters settle before any decision, as whole days and as clocks.

Nothing here knows a policy. A *clock* is a number of milli-days, spent at a *speed* that decisions may change
(SPECIFICATION 2); a fate in plain days runs at one a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blinasim.luck import Draws
from blinasim.model.codes import EARLY_AFTER_HSCT_DAYS, NEVER, Cause, Depth, Donor, Mrd, Source
from blinasim.model.cohort import Cohort
from blinasim.model.durations import (
    DAYS_PER_YEAR,
    Floats,
    as_speed,
    clock_millidays,
    daily_hazard,
    exponential,
    exponential_mixture,
    log_logistic,
    piecewise,
    remainder,
    whole_days,
)
from blinasim.model.parameters import Parameters, Value

#: What is drawn for the time from remission, or failure, on. Some of it decides, with donor and policy, whether a
#: transplant is realized (relapse, death, switch); some is of patients about whom no policy decides anything.
FROM_REMISSION_OR_FAILURE_ON: Final = frozenset(
    {
        "relapse.clock",
        "relapse.symptoms",
        "remission_death.days",
        "remission_death.cause",
        "switch.days",
        "later_transplant.days",
        "non_relapse.clock",
        "non_relapse.cause",
        "failure.clock",
    }
)
#: Mean of the clock of non-relapse death, days: long, so that whole milli-days resolve small hazards.
NON_RELAPSE_CLOCK_DAYS = 10_000
#: The stretches over which probabilities of induction are given, days.
_CYCLE_DAYS, _INFUSION_DAYS = 42, 28
#: A cumulative hazard beyond which everybody has relapsed; its exponential is still finite.
_LARGEST_EXPOSURE = 500.0


@dataclass(frozen=True)
class Fates:
    """What awaits each patient; arrays of shape (P,), donors (P, D) in the order of ``Donor``.

    Days are int32, clocks int64 milli-days, speeds int32 milli-days a day; NEVER (or NEVER * 1000) never comes.
    """

    # Induction, days from the first infusion (the stop: days of infusion)
    early_death_days: NDArray[np.int32]
    early_death_cause: NDArray[np.int8]
    progression_days: NDArray[np.int32]
    stop_infusion_days: NDArray[np.int32]
    response_cycle: NDArray[np.int8]  # 1, 2, or 0 for a patient who will not respond
    depth: NDArray[np.int8]
    deepens: NDArray[np.bool_]
    mrd: NDArray[np.int8]  # as known: may be UNKNOWN
    # Remission, days from the remission
    relapse_clock_millidays: NDArray[np.int64]
    relapse_speed_rest: NDArray[np.int32]
    relapse_speed_infusion: NDArray[np.int32]
    relapse_speed_other_therapy: NDArray[np.int32]
    relapse_speed_maintenance: NDArray[np.int32]
    relapse_speed_bridging: NDArray[np.int32]
    symptoms_days: NDArray[np.int32]  # from relapse
    remission_death_days: NDArray[np.int32]
    remission_death_cause: NDArray[np.int8]
    switch_days: NDArray[np.int32]
    later_transplant_days: NDArray[np.int32]  # from switch or detected relapse
    # Candidacy and donors
    selected_despite_age: NDArray[np.bool_]
    selected_despite_prior_hsct: NDArray[np.bool_]
    declines: NDArray[np.bool_]
    donor_search_days: NDArray[np.int32]  # (P, D), of the search
    stem_cell_source: NDArray[np.int8]  # (P, D)
    head_start_days: NDArray[np.int32]  # -1: no search under way at enrolment
    # After a transplant: what each patient brings to its speeds (the rest is conditioning and donor)
    non_relapse_clock_millidays: NDArray[np.int64]
    non_relapse_cause_early: NDArray[np.int8]  # of a death by day 100
    non_relapse_cause_late: NDArray[np.int8]
    # After failure
    failure_clock_millidays: NDArray[np.int64]
    failure_speed_refractory: NDArray[np.int32]
    failure_speed_relapse: NDArray[np.int32]
    failure_speed_relapse_after_hsct: NDArray[np.int32]
    failure_speed_salvage_graft: NDArray[np.int32]

    def source_of(self, donor: NDArray[np.integer]) -> NDArray[np.int8]:
        """Return the stem-cell source of each patient's donor, shape (P,); without a donor it means nothing."""
        return np.asarray(self.stem_cell_source[np.arange(donor.size), np.maximum(donor, 0)])


@np.errstate(over="ignore")  # a clock beyond all days is NEVER
def settle(cohort: Cohort, parameters: Parameters, draws: Draws) -> Fates:
    """Turn luck and parameters into fates.

    Parameters
    ----------
    cohort : Cohort
        P = R * n patients, drawn with the same ``draws``.
    parameters : Parameters
        Values are numbers, or arrays of shape (R, 1).
    draws : Draws
        Luck of the same R replications of n patients.

    Returns
    -------
    Fates
        Arrays of shape (P,) or (P, D).
    """
    patient = _Attributes.of(cohort)
    response_cycle = _response_cycle(patient, parameters, draws)
    depth, deepens = _depth(parameters, draws)
    negative, mrd = _mrd(depth, parameters, draws)
    death, death_cause = _early_death(patient, parameters, draws)
    progression = _progression(response_cycle, parameters, draws)
    remission_death, remission_cause = _remission_death(patient, parameters, draws)
    cause_early, cause_late = _non_relapse_causes(parameters, draws)
    head_start = _head_start(parameters, draws)
    speed = relapse_speed(patient.prior_hsct, depth, negative, parameters)
    candidacy = parameters.candidacy
    shape = (draws.replications, draws.patients)

    def everyone(factor: Value) -> NDArray[np.int32]:
        return np.broadcast_to(as_speed(factor), shape).ravel()

    return Fates(
        early_death_days=death.ravel(),
        early_death_cause=death_cause.ravel(),
        progression_days=progression.ravel(),
        stop_infusion_days=_stop(parameters, draws).ravel(),
        response_cycle=response_cycle.ravel(),
        depth=depth.ravel(),
        deepens=deepens.ravel(),
        mrd=mrd.ravel(),
        relapse_clock_millidays=_relapse_clock(patient, parameters, draws).ravel(),
        relapse_speed_rest=as_speed(speed).ravel(),
        relapse_speed_infusion=as_speed(speed * parameters.relapse.infusion_speed).ravel(),
        relapse_speed_other_therapy=as_speed(speed * parameters.relapse.other_therapy_speed).ravel(),
        relapse_speed_maintenance=as_speed(speed * parameters.relapse.maintenance_speed).ravel(),
        relapse_speed_bridging=as_speed(speed * parameters.relapse.bridging_speed).ravel(),
        symptoms_days=_symptoms(parameters, draws).ravel(),
        remission_death_days=remission_death.ravel(),
        remission_death_cause=remission_cause.ravel(),
        switch_days=_switch(parameters, draws).ravel(),
        later_transplant_days=_later_transplant(parameters, draws).ravel(),
        selected_despite_age=(draws.uniform("candidacy.selected_age") < candidacy.selected_65_and_over).ravel(),
        selected_despite_prior_hsct=(
            draws.uniform("candidacy.selected_prior_hsct") < candidacy.selected_prior_hsct
        ).ravel(),
        declines=(
            draws.uniform("candidacy.declines")
            < np.where(depth == Depth.CRH, candidacy.declines_crh, candidacy.declines_cr)
        ).ravel(),
        donor_search_days=_donor_search(patient, parameters, draws),
        stem_cell_source=_stem_cell_source(parameters, draws),
        head_start_days=head_start.ravel(),
        non_relapse_clock_millidays=_non_relapse_clock(patient, draws).ravel(),
        non_relapse_cause_early=cause_early.ravel(),
        non_relapse_cause_late=cause_late.ravel(),
        failure_clock_millidays=_failure_clock(patient, parameters, draws).ravel(),
        failure_speed_refractory=everyone(1.0),
        failure_speed_relapse=everyone(parameters.failure.relapse_speed),
        failure_speed_relapse_after_hsct=everyone(parameters.failure.relapse_after_hsct_speed),
        failure_speed_salvage_graft=everyone(parameters.failure.salvage_graft_speed),
    )


# --- the parts of a fate ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Attributes:
    """The cohort as (R, n) arrays, to meet parameters of shape (R, 1)."""

    older: NDArray[np.bool_]
    prior_hsct: NDArray[np.bool_]
    blasts_pct: Floats
    well_matched: NDArray[np.bool_]
    frailty: Floats

    @classmethod
    def of(cls, cohort: Cohort) -> _Attributes:
        shape = (cohort.replications, cohort.patients)
        return cls(
            older=cohort.older.reshape(shape),
            prior_hsct=cohort.prior_hsct.reshape(shape),
            blasts_pct=cohort.blasts_pct.reshape(shape),
            well_matched=cohort.well_matched.reshape(shape),
            frailty=cohort.frailty.reshape(shape),
        )

    def by_blasts(self, below_25: Value, below_50: Value) -> Floats:
        """A factor by blasts; the reference is 50 % or more."""
        return np.where(self.blasts_pct < 25.0, below_25, np.where(self.blasts_pct < 50.0, below_50, 1.0))


def _response_cycle(patient: _Attributes, parameters: Parameters, draws: Draws) -> NDArray[np.int8]:
    response = parameters.response
    odds = (
        np.asarray(response.probability / (1.0 - np.asarray(response.probability)))
        * patient.by_blasts(response.odds_ratio_below_25, response.odds_ratio_25_to_50)
        * np.where(patient.prior_hsct, response.odds_ratio_prior_hsct, 1.0)
        * np.where(patient.older, response.odds_ratio_65_and_over, 1.0)
    )
    probability = odds / (1.0 + odds)
    uniform = draws.uniform("response.cycle")
    return np.where(uniform < probability * response.cycle_1_share, 1, np.where(uniform < probability, 2, 0)).astype(
        np.int8
    )


def _depth(parameters: Parameters, draws: Draws) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    response = parameters.response
    uniform = draws.uniform("response.depth")
    crh = uniform < response.crh_share
    deepens = crh & (remainder(uniform, response.crh_share) < response.crh_deepens)
    return np.where(crh, Depth.CRH, Depth.CR).astype(np.int8), deepens


def _mrd(depth: NDArray[np.int8], parameters: Parameters, draws: Draws) -> tuple[NDArray[np.bool_], NDArray[np.int8]]:
    """Return true MRD negativity, which slows the relapse clock, and the result as known."""
    response = parameters.response
    uniform = draws.uniform("response.mrd")
    negative = uniform < np.where(depth == Depth.CRH, response.mrd_negative_crh, response.mrd_negative_cr)
    unknown = draws.uniform("response.mrd_unknown") < response.mrd_unknown
    known = np.where(negative, Mrd.NEGATIVE, Mrd.POSITIVE)
    return negative, np.where(unknown, Mrd.UNKNOWN, known).astype(np.int8)


def _early_death(
    patient: _Attributes, parameters: Parameters, draws: Draws
) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
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


def _progression(response_cycle: NDArray[np.int8], parameters: Parameters, draws: Draws) -> NDArray[np.int32]:
    induction = parameters.induction
    days = piecewise(
        exponential(draws.uniform("progression.days")),
        _CYCLE_DAYS,
        daily_hazard(induction.progression_cycle_1, _CYCLE_DAYS),
        daily_hazard(induction.progression_cycle_2, _CYCLE_DAYS),
    )
    return np.where(response_cycle == 0, whole_days(days), NEVER).astype(np.int32)


def _stop(parameters: Parameters, draws: Draws) -> NDArray[np.int32]:
    induction = parameters.induction
    return whole_days(
        piecewise(
            exponential(draws.uniform("stop.infusion_days")),
            _INFUSION_DAYS,
            daily_hazard(induction.stop_first_infusion, _INFUSION_DAYS),
            daily_hazard(induction.stop_later_infusion, _INFUSION_DAYS),
        )
    )


def relapse_speed(
    prior_hsct: NDArray[np.bool_],
    depth: NDArray[np.int8],
    mrd_negative: NDArray[np.bool_],
    parameters: Parameters,
) -> Floats:
    """Return the relapse clock's speed off the drug, as a ratio: the reference is an MRD-positive CR, HSCT-naive."""
    relapse = parameters.relapse
    return np.asarray(
        np.where(mrd_negative, relapse.mrd_negative_speed, 1.0)
        * np.where(depth == Depth.CRH, relapse.crh_speed, 1.0)
        * np.where(prior_hsct, relapse.prior_hsct_speed, 1.0)
    )


def _relapse_clock(patient: _Attributes, parameters: Parameters, draws: Draws) -> NDArray[np.int64]:
    """Clock of the distribution that the structure names; frailty multiplies its hazard."""
    relapse = parameters.relapse
    exposure = exponential(draws.uniform("relapse.clock")) / patient.frailty
    if parameters.structure.relapse == "weibull":
        of_median = exposure / np.log(2.0)
    else:
        of_median = np.expm1(np.minimum(exposure, _LARGEST_EXPOSURE))
    return clock_millidays(relapse.median_days * np.asarray(of_median ** (1.0 / np.asarray(relapse.shape))))


def _symptoms(parameters: Parameters, draws: Draws) -> NDArray[np.int32]:
    median = parameters.relapse.symptoms_median_days
    return whole_days(exponential(draws.uniform("relapse.symptoms")) * median / np.log(2.0))


def _remission_death(
    patient: _Attributes, parameters: Parameters, draws: Draws
) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
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


def _switch(parameters: Parameters, draws: Draws) -> NDArray[np.int32]:
    return whole_days(_per_year(draws.uniform("switch.days"), parameters.remission.switch_per_year))


def _per_year(uniform: Floats, rate: Value) -> Floats:
    with np.errstate(divide="ignore"):
        return np.asarray(exponential(uniform) * DAYS_PER_YEAR / rate)


def _later_transplant(parameters: Parameters, draws: Draws) -> NDArray[np.int32]:
    remission = parameters.remission
    uniform = draws.uniform("later_transplant.days")
    days = log_logistic(remainder(uniform, remission.later_transplant), remission.later_transplant_median_days, 3.0)
    return np.where(uniform < remission.later_transplant, whole_days(days), NEVER).astype(np.int32)


def _donor_search(patient: _Attributes, parameters: Parameters, draws: Draws) -> NDArray[np.int32]:
    """Days of the search at which a donor of each type is ready; NEVER where none exists."""
    search = parameters.donor_search
    unrelated = np.where(
        patient.well_matched, search.unrelated_exists_well_matched, search.unrelated_exists_poorly_matched
    )
    by_donor: dict[Donor, tuple[Value, Value]] = {
        Donor.SIBLING: (search.sibling_exists, search.sibling_median_days),
        Donor.UNRELATED: (unrelated, search.unrelated_median_days),
        Donor.HAPLOIDENTICAL: (search.haploidentical_exists, search.haploidentical_median_days),
        Donor.CORD: (search.cord_exists, search.cord_median_days),
    }
    days = np.empty((draws.replications * draws.patients, len(Donor)), dtype=np.int32)
    for donor, (exists, median) in by_donor.items():
        uniform = draws.uniform(f"donor.{donor.name.lower()}")
        found = whole_days(log_logistic(remainder(uniform, exists), median, search.search_shape))
        days[:, donor] = np.where(uniform < exists, found, NEVER).ravel()
    return days


def _stem_cell_source(parameters: Parameters, draws: Draws) -> NDArray[np.int8]:
    search = parameters.donor_search
    uniform = draws.uniform("donor.stem_cell_source")
    source = np.full((uniform.size, len(Donor)), Source.CORD, dtype=np.int8)
    for donor, marrow in (
        (Donor.SIBLING, search.sibling_marrow),
        (Donor.UNRELATED, search.unrelated_marrow),
        (Donor.HAPLOIDENTICAL, search.haploidentical_marrow),
    ):
        source[:, donor] = np.where(uniform < marrow, Source.MARROW, Source.BLOOD).ravel()
    return source


def _head_start(parameters: Parameters, draws: Draws) -> NDArray[np.int32]:
    search = parameters.donor_search
    uniform = draws.uniform("donor.head_start")
    days = log_logistic(remainder(uniform, search.under_way_share), search.head_start_median_days, search.search_shape)
    return np.where(uniform < search.under_way_share, whole_days(days), -1).astype(np.int32)


def _non_relapse_clock(patient: _Attributes, draws: Draws) -> NDArray[np.int64]:
    """Clock of non-relapse death of any cause: exponential, frailty multiplies its hazard.

    The hazards themselves are its speeds, in real days (:class:`blinasim.model.graft.Graft`), so that ratios of
    speeds are hazard ratios.
    """
    return clock_millidays(exponential(draws.uniform("non_relapse.clock")) / patient.frailty * NON_RELAPSE_CLOCK_DAYS)


def _non_relapse_causes(parameters: Parameters, draws: Draws) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Cause of a non-relapse death by day 100, and of a later one, by the causes' shares of the hazard."""
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

    Returns
    -------
    tuple of two ndarrays of float64
        Shape (3,), or (3, R, 1) for parameters by replication; at the reference (see ``NonRelapse``).
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


def _failure_clock(patient: _Attributes, parameters: Parameters, draws: Draws) -> NDArray[np.int64]:
    """Clock of the distribution that the structure names; frailty shortens it in proportion."""
    failure, uniform = parameters.failure, draws.uniform("failure.clock")
    if parameters.structure.failure == "log_logistic":
        days = log_logistic(uniform, failure.median_days, failure.shape)
    else:
        days = exponential_mixture(uniform, failure.median_days, failure.long_share, failure.long_speed)
    return clock_millidays(days / patient.frailty)
