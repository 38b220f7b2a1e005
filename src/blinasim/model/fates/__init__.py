"""Fates: what luck and parameters settle before any decision, as whole days and as clocks.

Nothing here knows a policy. A *clock* is a number of milli-days, spent at a *speed* that decisions may change
(SPECIFICATION 2); a fate in plain days runs at one a day. How each is drawn stands in ``induction``, ``remission``,
``candidacy``, ``donors`` and ``clocks``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blinasim.luck import Draws
from blinasim.model.cohort import Cohort
from blinasim.model.durations import as_speed
from blinasim.model.fates import candidacy, clocks, donors, induction, remission
from blinasim.model.fates.attributes import Attributes
from blinasim.model.parameter_groups import Value
from blinasim.model.parameters import Parameters

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


@dataclass(frozen=True)
class Fates:
    """What awaits each patient; arrays of shape (P,), donors (P, D) in the order of ``Donor``.

    Days are int32, clocks int64 milli-days, speeds int32 milli-days a day. NEVER days never come, and a clock of
    ENDLESS_FROM never runs out.
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


@np.errstate(divide="ignore", over="ignore", invalid="ignore")  # hazards without end, and clocks beyond all days
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
    patient = Attributes.of(cohort)
    response_cycle = induction.response_cycle(patient, parameters, draws)
    depth, deepens = induction.depth(parameters, draws)
    negative, mrd = induction.mrd(depth, parameters, draws)
    death, death_cause = induction.early_death(patient, parameters, draws)
    progression = induction.progression(response_cycle, parameters, draws)
    remission_death, remission_cause = remission.death(patient, parameters, draws)
    cause_early, cause_late = clocks.non_relapse_causes(parameters, draws)
    head_start = donors.head_start(parameters, draws)
    speed = clocks.relapse_speed(patient.prior_hsct, depth, negative, parameters)
    shape = (draws.replications, draws.patients)

    def everyone(factor: Value) -> NDArray[np.int32]:
        return np.broadcast_to(as_speed(factor), shape).ravel()

    return Fates(
        early_death_days=death.ravel(),
        early_death_cause=death_cause.ravel(),
        progression_days=progression.ravel(),
        stop_infusion_days=induction.stop(parameters, draws).ravel(),
        response_cycle=response_cycle.ravel(),
        depth=depth.ravel(),
        deepens=deepens.ravel(),
        mrd=mrd.ravel(),
        relapse_clock_millidays=clocks.relapse_clock(patient, parameters, draws).ravel(),
        relapse_speed_rest=as_speed(speed).ravel(),
        relapse_speed_infusion=as_speed(speed * parameters.relapse.infusion_speed).ravel(),
        relapse_speed_other_therapy=as_speed(speed * parameters.relapse.other_therapy_speed).ravel(),
        relapse_speed_maintenance=as_speed(speed * parameters.relapse.maintenance_speed).ravel(),
        relapse_speed_bridging=as_speed(speed * parameters.relapse.bridging_speed).ravel(),
        symptoms_days=remission.symptoms(parameters, draws).ravel(),
        remission_death_days=remission_death.ravel(),
        remission_death_cause=remission_cause.ravel(),
        switch_days=remission.switch(parameters, draws).ravel(),
        later_transplant_days=remission.later_transplant(parameters, draws).ravel(),
        selected_despite_age=candidacy.selected_despite_age(parameters, draws).ravel(),
        selected_despite_prior_hsct=candidacy.selected_despite_prior_hsct(parameters, draws).ravel(),
        declines=candidacy.declines(depth, parameters, draws).ravel(),
        donor_search_days=donors.search(patient, parameters, draws),
        stem_cell_source=donors.stem_cell_source(parameters, draws),
        head_start_days=head_start.ravel(),
        non_relapse_clock_millidays=clocks.non_relapse_clock(patient, draws).ravel(),
        non_relapse_cause_early=cause_early.ravel(),
        non_relapse_cause_late=cause_late.ravel(),
        failure_clock_millidays=clocks.failure_clock(patient, parameters, draws).ravel(),
        failure_speed_refractory=everyone(1.0),
        failure_speed_relapse=everyone(parameters.failure.relapse_speed),
        failure_speed_relapse_after_hsct=everyone(parameters.failure.relapse_after_hsct_speed),
        failure_speed_salvage_graft=everyone(parameters.failure.salvage_graft_speed),
    )
