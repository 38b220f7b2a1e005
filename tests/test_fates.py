"""Fates by hand: given numbers for luck, what each part of a fate must be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, exp
from typing import Any

import numpy as np
import pytest

from blinasim.model.codes import NEVER, Cause, Conditioning, Depth, Donor, Fitness, Mrd, Source
from blinasim.model.cohort import Cohort
from blinasim.model.fates import Fates, settle
from blinasim.model.graft import Graft, graft
from blinasim.model.parameters import Structure
from worlds import parameters

YEAR = 365.25


@dataclass(frozen=True)
class Given:
    """Luck by the name of the decision, the same for everybody or one number each; one half elsewhere.

    A little less than said, so that rounding up does not hang on the last bit of a logarithm.
    """

    patients: int
    said: Mapping[str, Any] = field(default_factory=dict)
    replications: int = 1

    def uniform(self, name: str) -> np.ndarray:
        drawn = np.asarray(self.said.get(name, 0.5), dtype=np.float64)
        return np.broadcast_to(drawn * (1.0 - 1e-9), (1, self.patients))


def spending(exposure: float) -> float:
    """The luck that spends so much hazard."""
    return 1.0 - exp(-exposure)


def people(n: int, **attributes: Any) -> Cohort:
    """Patients of 40 years and good fitness, 80 % blasts, no prior HSCT and no frailty, but for what is given."""
    usual: dict[str, Any] = {
        "entry_day": np.zeros(n, dtype=np.int32),
        "site": np.zeros(n, dtype=np.int16),
        "age_years": np.full(n, 40, dtype=np.int16),
        "prior_hsct": np.zeros(n, dtype=np.bool_),
        "salvage_lines": np.ones(n, dtype=np.int8),
        "eligibility": np.zeros(n, dtype=np.int8),
        "blasts_pct": np.full(n, 80.0),
        "fitness": np.full(n, Fitness.GOOD, dtype=np.int8),
        "well_matched": np.ones(n, dtype=np.bool_),
        "frailty": np.ones(n),
    }
    given = {name: np.asarray(value, dtype=usual[name].dtype) for name, value in attributes.items()}
    return Cohort(replications=1, patients=n, **(usual | given))


def fates(cohort: Cohort, luck: Mapping[str, Any], *, structure: Structure | None = None, **changes: Any) -> Fates:
    """Fates under the shipped values but for changes, written group__name."""
    values = parameters({name.replace("__", "."): value for name, value in changes.items()})
    if structure:
        values = type(values)(**{**vars(values), "structure": structure})
    return settle(cohort, values, Given(cohort.patients, luck))  # type: ignore[arg-type]


# --- induction ---------------------------------------------------------------------------------------------

RESPONSE = {
    "response__probability": 0.2,
    "response__cycle_1_share": 0.75,
    "response__odds_ratio_25_to_50": 4.0,
    "response__odds_ratio_below_25": 16.0,
    "response__odds_ratio_prior_hsct": 6.0,
    "response__odds_ratio_65_and_over": 12.0,
}


def test_response_in_cycle_1_or_2_or_not() -> None:
    """Odds of 1 to 4: 15 % in cycle 1, 5 % in cycle 2."""
    found = fates(people(4), {"response.cycle": [0.149, 0.151, 0.199, 0.201]}, **RESPONSE)
    assert found.response_cycle.tolist() == [1, 2, 2, 0]


@pytest.mark.parametrize(
    ("who", "probability"),
    [
        *(({"blasts_pct": 50.0}, 0.2), ({"blasts_pct": 49.9}, 0.5), ({"blasts_pct": 25.0}, 0.5)),
        *(({"blasts_pct": 24.9}, 0.8), ({"prior_hsct": True}, 0.6), ({"age_years": 65}, 0.75)),
        ({"age_years": 64}, 0.2),
    ],
)
def test_odds_of_response_by_who_one_is(who: dict[str, Any], probability: float) -> None:
    """Odds of 1 to 4 times 4, 16, 6 and 12."""
    cohort = people(2, **{name: [value, value] for name, value in who.items()})
    found = fates(cohort, {"response.cycle": [probability - 1e-6, probability + 1e-6]}, **RESPONSE)
    assert found.response_cycle.tolist() == [2, 0]


@pytest.mark.parametrize(("given", "everybody"), [(1.0, True), (0.0, False)])
def test_a_certain_response_stays_certain_whatever_the_odds_ratios(given: float, everybody: bool) -> None:
    cohort = people(3, blasts_pct=[10.0, 30.0, 90.0], prior_hsct=[True, False, False], age_years=[70, 30, 30])
    found = fates(cohort, {"response.cycle": [0.5, 0.001, 0.999]}, **{**RESPONSE, "response.probability": given})
    assert (found.response_cycle > 0).tolist() == [everybody] * 3


def test_depth_and_whether_it_deepens_are_one_luck() -> None:
    found = fates(
        people(4), {"response.depth": [0.099, 0.101, 0.399, 0.401]}, response__crh_share=0.4, response__crh_deepens=0.25
    )
    assert found.depth.tolist() == [Depth.CRH, Depth.CRH, Depth.CRH, Depth.CR]
    assert found.deepens.tolist() == [True, False, False, False]


def test_mrd_by_depth_and_whether_it_is_known() -> None:
    luck = {
        "response.depth": [0.1, 0.1, 0.9, 0.9, 0.9],
        "response.mrd": [0.49, 0.51, 0.79, 0.81, 0.1],
        "response.mrd_unknown": [0.5, 0.5, 0.5, 0.5, 0.09],
    }
    shares = {"response__mrd_negative_crh": 0.5, "response__mrd_negative_cr": 0.8, "response__mrd_unknown": 0.1}
    found = fates(people(5), luck, response__crh_share=0.4, **shares)
    assert found.mrd.tolist() == [Mrd.NEGATIVE, Mrd.POSITIVE, Mrd.NEGATIVE, Mrd.POSITIVE, Mrd.UNKNOWN]


def test_early_death_by_cycle_blasts_and_frailty() -> None:
    """One unit of hazard in cycle 1, that is 1/42 a day, two in each later 42 days."""
    risks = {
        "induction__death_cycle_1": spending(1.0),
        "induction__death_cycle_2": spending(2.0),
        "induction__death_ratio_25_to_50": 0.5,
        "induction__death_ratio_below_25": 0.25,
    }
    luck = {"early_death.days": [spending(0.5), spending(2.0), spending(0.5), spending(0.2), spending(2.0)]}
    cohort = people(5, blasts_pct=[80, 80, 30, 10, 80], frailty=[1, 1, 1, 1, 4])
    found = fates(cohort, luck, **risks)
    # 0.5 units: 21 days; 2: 42 + 21; 0.5 at half the risk: 42; 0.2 at a quarter: 33.6; 2 at four times: 21
    assert found.early_death_days.tolist() == [21, 63, 42, 34, 21]


def test_cause_of_an_early_death() -> None:
    found = fates(
        people(4),
        {"early_death.cause": [0.39, 0.41, 0.69, 0.71]},
        induction__death_infection_share=0.4,
        induction__death_adverse_event_share=0.3,
    )
    expected = [Cause.INFECTION, Cause.ADVERSE_EVENT, Cause.ADVERSE_EVENT, Cause.PROGRESSION]
    assert found.early_death_cause.tolist() == expected


def test_progression_is_for_those_who_will_not_respond() -> None:
    found = fates(
        people(3),
        {"progression.days": [spending(0.5), spending(2.0), spending(0.5)], "response.cycle": [0.9, 0.9, 0.1]},
        induction__progression_cycle_1=spending(1.0),
        induction__progression_cycle_2=spending(2.0),
        response__probability=0.5,
    )
    assert found.progression_days.tolist() == [21, 63, NEVER]


def test_stops_by_days_of_infusion() -> None:
    found = fates(
        people(2),
        {"stop.infusion_days": [spending(0.5), spending(1.5)]},
        induction__stop_first_infusion=spending(1.0),
        induction__stop_later_infusion=spending(2.0),
    )
    assert found.stop_infusion_days.tolist() == [14, 35]  # half of 28 days; 28 and a quarter of 28


# --- remission -----------------------------------------------------------------------------------------------


def test_the_relapse_clock_has_its_median_and_frailty_multiplies_its_hazard() -> None:
    """A shape of 2: the median at one half; four times the hazard, half the days."""
    cohort = people(3, frailty=[1, 4, 0.25])
    named = {"relapse__median_days": 100.0, "relapse__shape": 2.0}
    assert fates(cohort, {}, **named).relapse_clock_millidays.tolist() == [100_000, 50_000, 200_000]
    # Log-logistic odds are exp(H) - 1: of three units of log 2, 7, and a root of it.
    luck = {"relapse.clock": [0.5, 0.5, 1 - 2.0**-3]}
    other = fates(people(3, frailty=[1, 0.5, 1]), luck, structure=Structure("log_logistic"), **named)
    assert other.relapse_clock_millidays.tolist() == [100_000, ceil(100_000 * 3**0.5), ceil(100_000 * 7**0.5)]


def test_speeds_of_the_relapse_clock_multiply() -> None:
    luck = {"response.depth": [0.9, 0.9, 0.1, 0.9, 0.1], "response.mrd": [0.99, 0.01, 0.99, 0.99, 0.01]}
    found = fates(
        people(5, prior_hsct=[0, 0, 0, 1, 1]),
        luck,
        relapse__mrd_negative_speed=0.5,
        relapse__crh_speed=1.4,
        relapse__prior_hsct_speed=1.1,
        relapse__infusion_speed=0.6,
        relapse__other_therapy_speed=2.0,
        relapse__maintenance_speed=0.7,
        relapse__bridging_speed=0.8,
    )
    rest = [1_000, 500, 1_400, 1_100, 770]
    assert found.relapse_speed_rest.tolist() == rest
    assert found.relapse_speed_infusion.tolist() == [600, 300, 840, 660, 462]
    assert found.relapse_speed_other_therapy.tolist() == [2 * speed for speed in rest]
    assert found.relapse_speed_maintenance.tolist() == [700, 350, 980, 770, 539]
    assert found.relapse_speed_bridging.tolist() == [800, 400, 1_120, 880, 616]


def test_death_in_remission_by_age_and_year() -> None:
    """0.5 a year in the first year, a tenth of it later; twice as much from 65 on."""
    luck = {
        "remission_death.days": [spending(0.25), spending(0.25), spending(0.55)],
        "remission_death.cause": [0.69, 0.71, 0.1],
    }
    found = fates(
        people(3, age_years=[64, 65, 64]),
        luck,
        remission__death_per_year=0.5,
        remission__death_late_ratio=0.1,
        remission__death_ratio_65_and_over=2.0,
        remission__death_infection_share=0.7,
    )
    assert found.remission_death_days.tolist() == [ceil(YEAR / 2), ceil(YEAR / 4), ceil(2 * YEAR)]
    assert found.remission_death_cause.tolist() == [Cause.INFECTION, Cause.OTHER, Cause.INFECTION]


def test_symptoms_switch_and_later_transplant() -> None:
    found = fates(
        people(2),
        {"relapse.symptoms": [0.5, 0.75], "switch.days": spending(0.4), "later_transplant.days": [0.3, 0.61]},
        relapse__symptoms_median_days=45.0,
        remission__switch_per_year=0.8,
        remission__later_transplant=0.6,
        remission__later_transplant_median_days=42.0,
    )
    assert found.symptoms_days.tolist() == [45, 90]
    assert found.switch_days.tolist() == [ceil(YEAR / 2)] * 2
    assert found.later_transplant_days.tolist() == [42, NEVER]
    never = fates(people(1), {}, remission__switch_per_year=0.0)
    assert never.switch_days.tolist() == [NEVER]


def test_candidacy_is_luck_of_its_own() -> None:
    luck = {
        "candidacy.selected_age": [0.39, 0.41, 0.5, 0.5],
        "candidacy.selected_prior_hsct": [0.5, 0.29, 0.31, 0.5],
        "candidacy.declines": [0.04, 0.06, 0.34, 0.36],
        "response.depth": [0.9, 0.9, 0.1, 0.1],
    }
    found = fates(
        people(4),
        luck,
        candidacy__selected_65_and_over=0.4,
        candidacy__selected_prior_hsct=0.3,
        candidacy__declines_cr=0.05,
        candidacy__declines_crh=0.35,
    )
    assert found.selected_despite_age.tolist() == [True, False, False, False]
    assert found.selected_despite_prior_hsct.tolist() == [False, True, False, False]
    assert found.declines.tolist() == [True, False, True, False]


# --- donors ----------------------------------------------------------------------------------------------------


def test_donors_by_type_and_match() -> None:
    """Half of each probability is the median; four fifths of it, by a shape of 2, twice the median."""
    exists = {
        "donor_search__sibling_exists": 0.4,
        "donor_search__unrelated_exists_well_matched": 0.8,
        "donor_search__unrelated_exists_poorly_matched": 0.2,
        "donor_search__haploidentical_exists": 0.9,
        "donor_search__cord_exists": 0.5,
    }
    medians = {f"donor_search__{donor.name.lower()}_median_days": 10.0 * (donor + 1) for donor in Donor}
    luck = {
        "donor.sibling": [0.2, 0.32, 0.41],
        "donor.unrelated": [0.4, 0.1, 0.21],
        "donor.haploidentical": [0.45, 0.72, 0.91],
        "donor.cord": [0.25, 0.4, 0.51],
    }
    found = fates(people(3, well_matched=[1, 0, 0]), luck, donor_search__search_shape=2.0, **exists, **medians)
    assert found.donor_search_days.tolist() == [[10, 20, 30, 40], [20, 20, 60, 80], [NEVER] * 4]


def test_source_of_the_stem_cells_and_head_start() -> None:
    found = fates(
        people(4),
        {"donor.stem_cell_source": [0.1, 0.3, 0.5, 0.7], "donor.head_start": [0.3, 0.48, 0.59, 0.61]},
        donor_search__sibling_marrow=0.2,
        donor_search__unrelated_marrow=0.4,
        donor_search__haploidentical_marrow=0.6,
        donor_search__under_way_share=0.6,
        donor_search__head_start_median_days=50.0,
        donor_search__search_shape=2.0,
    )
    blood, marrow, cord = Source.BLOOD, Source.MARROW, Source.CORD
    assert found.stem_cell_source.tolist() == [
        [marrow, marrow, marrow, cord],
        [blood, marrow, marrow, cord],
        [blood, blood, marrow, cord],
        [blood, blood, blood, cord],
    ]
    chosen = np.array([Donor.CORD, Donor.HAPLOIDENTICAL, -1, Donor.SIBLING])
    assert found.source_of(chosen).tolist() == [cord, marrow, blood, blood]
    last = ceil(50.0 * (0.59 / 0.01) ** 0.5)
    assert found.head_start_days.tolist() == [50, 100, last, -1]


# --- after a transplant and after failure ------------------------------------------------------------------------


def test_clock_and_causes_of_non_relapse_death() -> None:
    """Of the early hazard 2 in 10 are infection and 3 GvHD; of the late one 6 in 10 and 3."""
    risks = {
        "non_relapse__infection_day_100": spending(0.2),
        "non_relapse__gvhd_day_100": spending(0.3),
        "non_relapse__other_day_100": spending(0.5),
        "non_relapse__infection_late_per_year": 0.6,
        "non_relapse__gvhd_late_per_year": 0.3,
        "non_relapse__other_late_per_year": 0.1,
    }
    luck = {"non_relapse.cause": [0.19, 0.21, 0.49, 0.51, 0.61, 0.91], "non_relapse.clock": spending(0.5)}
    found = fates(people(6, frailty=[1, 2, 1, 1, 1, 1]), luck, **risks)
    infection, gvhd, other = Cause.INFECTION, Cause.GVHD, Cause.OTHER
    assert found.non_relapse_cause_early.tolist() == [infection, gvhd, gvhd, other, other, other]
    assert found.non_relapse_cause_late.tolist() == [infection, infection, infection, infection, gvhd, other]
    assert found.non_relapse_clock_millidays[:2].tolist() == [5_000_000, 2_500_000]


def test_survival_after_failure() -> None:
    named = {
        "failure__median_days": 60.0,
        "failure__relapse_speed": 0.6,
        "failure__relapse_after_hsct_speed": 0.7,
        "failure__salvage_graft_speed": 0.4,
    }
    luck = {"failure.clock": [0.5, 0.8, 0.5]}
    found = fates(people(3, frailty=[1, 1, 2]), luck, failure__shape=2.0, **named)
    assert found.failure_clock_millidays.tolist() == [60_000, 120_000, 30_000]
    assert found.failure_speed_refractory.tolist() == [1_000] * 3
    assert found.failure_speed_relapse.tolist() == [600] * 3
    assert found.failure_speed_relapse_after_hsct.tolist() == [700] * 3
    assert found.failure_speed_salvage_graft.tolist() == [400] * 3
    # An exponential mixture whose long share has all: an exponential of that median.
    mixture = fates(
        people(1),
        {"failure.clock": 0.75},
        structure=Structure(failure="exponential_mixture"),
        failure__long_share=1.0,
        failure__long_speed=0.1,
        **named,
    )
    assert mixture.failure_clock_millidays[0] == pytest.approx(120_000, abs=1)


def grafts(cohort: Cohort, conditioning: list[Conditioning], candidate: list[bool], **changes: Any) -> Graft:
    values = parameters({name.replace("__", "."): value for name, value in changes.items()})
    born = settle(cohort, values, Given(cohort.patients, {"response.mrd": 0.999, "response.depth": 0.999}))  # type: ignore[arg-type]
    return graft(cohort, born, np.array(candidate), np.array(conditioning, dtype=np.int8), values)


def test_speeds_of_a_graft_by_conditioning_donor_and_patient() -> None:
    mac, ric = Conditioning.MYELOABLATIVE, Conditioning.REDUCED
    cohort = people(
        6,
        age_years=[40, 40, 60, 40, 40, 40],
        fitness=[Fitness.GOOD, Fitness.GOOD, Fitness.GOOD, Fitness.FAIR, Fitness.POOR, Fitness.GOOD],
        prior_hsct=[0, 0, 0, 0, 0, 1],
    )
    found = grafts(
        cohort,
        [mac, ric, mac, mac, mac, mac],
        [True] * 6,
        relapse__graft_speed=0.2,
        relapse__reduced_speed=1.5,
        relapse__sibling_speed=1.1,
        relapse__haploidentical_speed=0.9,
        relapse__cord_speed=0.8,
        relapse__graft_late_speed=0.1,
        relapse__prior_hsct_speed=1.0,
        relapse__plateau_days=700.4,
        non_relapse__infection_day_100=spending(0.01),
        non_relapse__gvhd_day_100=spending(0.02),
        non_relapse__other_day_100=spending(0.03),
        non_relapse__infection_late_per_year=0.01 * YEAR,
        non_relapse__gvhd_late_per_year=0.02 * YEAR,
        non_relapse__other_late_per_year=0.01 * YEAR,
        non_relapse__late_until_days=600.0,
        non_relapse__tail_ratio=0.25,
        non_relapse__reduced_speed=0.5,
        non_relapse__sibling_speed=0.8,
        non_relapse__haploidentical_speed=1.2,
        non_relapse__cord_speed=1.4,
        non_relapse__speed_per_decade=2.0,
        non_relapse__fair_fitness_speed=1.5,
        non_relapse__poor_fitness_speed=3.0,
        non_relapse__second_hsct_speed=2.5,
    )
    # Sibling, unrelated, haploidentical, cord
    assert found.relapse_speed[:2].tolist() == [[220, 200, 180, 160], [330, 300, 270, 240]]
    assert found.relapse_speed_late[:2].tolist() == [[22, 20, 18, 16], [33, 30, 27, 24]]
    assert found.plateau_days.tolist() == [700] * 6
    # 0.06 in 100 days, of a clock of 10,000 days: 6 days a day; later 0.04 a day: 400
    by_donor = np.array([0.8, 1.0, 1.2, 1.4])
    factor = np.array([1.0, 0.5, 4.0, 1.5, 3.0, 2.5])
    assert found.non_relapse_speed.tolist() == np.rint(6_000 * np.outer(factor, by_donor)).astype(int).tolist()
    assert found.non_relapse_speed_late.tolist() == np.rint(400_000 * np.outer(factor, by_donor)).astype(int).tolist()
    assert found.non_relapse_speed_tail.tolist() == np.rint(100_000 * np.outer(factor, by_donor)).astype(int).tolist()
    assert found.non_relapse_late_until_days.tolist() == [600] * 6


def test_who_may_not_be_transplanted_has_no_speeds() -> None:
    found = grafts(people(2), [Conditioning.REDUCED] * 2, [False, True])
    for name, column in vars(found).items():
        assert not np.any(column[0]), name
        assert np.all(column[1]), name
