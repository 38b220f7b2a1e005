"""Which parameters of nature there are, grouped as the clinic meets them.

A field here is a parameter of ``calibration/parameters.yaml``, where its unit, prior, meaning and source stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: A parameter's value: one for all, or one per replication, shape (R, 1).
Value = float | NDArray[np.float64]


@dataclass(frozen=True)
class Baseline:
    """Attributes at enrolment that the scenario does not set."""

    poor_fitness: Value
    fair_fitness: Value
    worse_fitness_odds_per_decade: Value
    well_matched_share: Value
    frailty_variance: Value


@dataclass(frozen=True)
class Induction:
    """The first two cycles."""

    death_cycle_1: Value
    death_cycle_2: Value
    death_infection_share: Value
    death_adverse_event_share: Value
    death_ratio_25_to_50: Value
    death_ratio_below_25: Value
    progression_cycle_1: Value
    progression_cycle_2: Value
    stop_first_infusion: Value
    stop_later_infusion: Value


@dataclass(frozen=True)
class Response:
    """Remission, its depth and its MRD."""

    probability: Value
    odds_ratio_25_to_50: Value
    odds_ratio_below_25: Value
    odds_ratio_prior_hsct: Value
    odds_ratio_65_and_over: Value
    cycle_1_share: Value
    crh_share: Value
    crh_deepens: Value
    mrd_negative_cr: Value
    mrd_negative_crh: Value
    mrd_unknown: Value


@dataclass(frozen=True)
class Relapse:
    """The relapse clock and its speeds."""

    median_days: Value
    shape: Value
    mrd_negative_speed: Value
    crh_speed: Value
    prior_hsct_speed: Value
    infusion_speed: Value
    other_therapy_speed: Value
    maintenance_speed: Value
    bridging_speed: Value
    graft_speed: Value
    reduced_speed: Value
    sibling_speed: Value
    haploidentical_speed: Value
    cord_speed: Value
    graft_late_speed: Value
    plateau_days: Value
    symptoms_median_days: Value


@dataclass(frozen=True)
class Remission:
    """What else may end a remission, and transplants after it."""

    death_per_year: Value
    death_late_ratio: Value
    death_ratio_65_and_over: Value
    death_infection_share: Value
    switch_per_year: Value
    later_transplant: Value
    later_transplant_median_days: Value


@dataclass(frozen=True)
class DonorSearch:
    """Donors: whether there is one of each type, and how long the search for it takes."""

    sibling_exists: Value
    sibling_median_days: Value
    unrelated_exists_well_matched: Value
    unrelated_exists_poorly_matched: Value
    unrelated_median_days: Value
    haploidentical_exists: Value
    haploidentical_median_days: Value
    cord_exists: Value
    cord_median_days: Value
    search_shape: Value
    under_way_share: Value
    head_start_median_days: Value
    sibling_marrow: Value
    unrelated_marrow: Value
    haploidentical_marrow: Value


@dataclass(frozen=True)
class Candidacy:
    """What a policy cannot command: the centre's selection and the patient's wish."""

    selected_prior_hsct: Value
    selected_65_and_over: Value
    declines_cr: Value
    declines_crh: Value


@dataclass(frozen=True)
class NonRelapse:
    """Death after HSCT without relapse; the reference is myeloablative, unrelated donor, 40 years, fit, first HSCT."""

    infection_day_100: Value
    infection_late_per_year: Value
    gvhd_day_100: Value
    gvhd_late_per_year: Value
    other_day_100: Value
    other_late_per_year: Value
    late_until_days: Value
    tail_ratio: Value
    reduced_speed: Value
    sibling_speed: Value
    haploidentical_speed: Value
    cord_speed: Value
    speed_per_decade: Value
    fair_fitness_speed: Value
    poor_fitness_speed: Value
    second_hsct_speed: Value


@dataclass(frozen=True)
class Failure:
    """Survival after failure of induction or after relapse."""

    median_days: Value
    shape: Value
    relapse_speed: Value
    relapse_after_hsct_speed: Value
    salvage_graft_speed: Value
    long_share: Value
    long_speed: Value


@dataclass(frozen=True)
class StandardTherapy:
    """Standard salvage chemotherapy against blinatumomab, for policies that give it instead."""

    response_odds_ratio: Value
    early_death_hazard_ratio: Value
    relapse_speed: Value
    failure_speed: Value


@dataclass(frozen=True)
class Recording:
    """Missing data in the record of a transplant."""

    conditioning_unknown: Value
    donor_unknown: Value


#: The groups by name, in the order in which the clinic meets them.
GROUPS: Final[dict[str, Any]] = {
    "baseline": Baseline,
    "induction": Induction,
    "response": Response,
    "relapse": Relapse,
    "remission": Remission,
    "donor_search": DonorSearch,
    "candidacy": Candidacy,
    "non_relapse": NonRelapse,
    "failure": Failure,
    "standard_therapy": StandardTherapy,
    "recording": Recording,
}
