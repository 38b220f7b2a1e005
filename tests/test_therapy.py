"""What a policy's treatment does to the parameters, by hand."""

import pytest

from blinasim.model.catalogue import parameter_catalogue
from blinasim.model.parameters import Structure, parameters_to_dict
from blinasim.model.therapy import acts, under_therapy
from blinasim.scenario.settings import Policy
from worlds import parameters

STANDARD = Policy.model_validate({"therapy": "standard"})
NO_EFFECT = Policy.model_validate({"transplant": {"effect": "none"}})


def changed_by(policy: Policy, changes: dict[str, float]) -> dict[str, float]:
    before = parameters(changes)
    after = parameters_to_dict(under_therapy(policy, before))
    return {name: value for name, value in after.items() if value != parameters_to_dict(before)[name]}


def test_blinatumomab_is_what_the_parameters_are_of() -> None:
    assert changed_by(Policy(), {}) == {}


def test_standard_therapy_by_hand() -> None:
    """Odds of 1 halved; a survival of 0.9 and 0.8 squared; clocks shorter by factors of 2 and 1.5; no slowing."""
    changes = {
        "standard_therapy.response_odds_ratio": 0.5,
        "standard_therapy.early_death_hazard_ratio": 2.0,
        "standard_therapy.relapse_speed": 2.0,
        "standard_therapy.failure_speed": 1.5,
        "response.probability": 0.5,
        "induction.death_cycle_1": 0.1,
        "induction.death_cycle_2": 0.2,
        "relapse.median_days": 80.0,
        "relapse.infusion_speed": 0.6,
        "failure.median_days": 60.0,
    }
    assert changed_by(STANDARD, changes) == pytest.approx(
        {
            "response.probability": 1 / 3,
            "induction.death_cycle_1": 0.19,
            "induction.death_cycle_2": 0.36,
            "relapse.median_days": 40.0,
            "relapse.infusion_speed": 1.0,
            "failure.median_days": 40.0,
        }
    )


def test_standard_therapy_at_its_edges() -> None:
    """A certain response stays certain; a clock that stands still has no median."""
    changes = {
        "standard_therapy.response_odds_ratio": 0.5,
        "standard_therapy.relapse_speed": 0.0,
        "standard_therapy.failure_speed": 0.0,
        "response.probability": 1.0,
    }
    found = changed_by(STANDARD, changes)
    assert "response.probability" not in found
    assert found["relapse.median_days"] == found["failure.median_days"] == float("inf")


def test_a_transplant_without_effect_by_hand() -> None:
    changes = dict.fromkeys(parameter_catalogue(), 0.123)
    changed = changed_by(NO_EFFECT, changes | {"failure.relapse_speed": 0.6})
    speeds = [
        *("infusion_speed", "other_therapy_speed", "maintenance_speed", "bridging_speed", "graft_speed"),
        *("graft_late_speed", "reduced_speed", "sibling_speed", "haploidentical_speed", "cord_speed"),
    ]
    risks = [f"{cause}_{phase}" for cause in ("infection", "gvhd", "other") for phase in ("day_100", "late_per_year")]
    assert changed == {
        **{f"relapse.{name}": 1.0 for name in speeds},
        **{f"non_relapse.{name}": 0.0 for name in risks},
        **{f"failure.{name}": 0.6 for name in ("relapse_after_hsct_speed", "salvage_graft_speed")},
    }


@pytest.mark.parametrize(
    ("parameter", "policy", "structure", "expected"),
    [
        ("relapse.shape", {}, {}, True),
        ("standard_therapy.failure_speed", {}, {}, False),
        ("standard_therapy.failure_speed", {"therapy": "standard"}, {}, True),
        ("relapse.maintenance_speed", {}, {}, False),
        ("relapse.maintenance_speed", {"cycles": {"maintenance": {"offered": True}}}, {}, True),
        ("relapse.bridging_speed", {}, {}, False),
        ("relapse.bridging_speed", {"transplant": {"bridging": True}}, {}, True),
        ("failure.shape", {}, {}, True),
        ("failure.shape", {}, {"failure": "exponential_mixture"}, False),
        ("failure.long_share", {}, {}, False),
        ("failure.long_speed", {}, {"failure": "exponential_mixture"}, True),
        ("relapse.graft_speed", {"transplant": {"effect": "none"}}, {}, False),
        ("relapse.plateau_days", {"transplant": {"effect": "none"}}, {}, False),
        ("non_relapse.tail_ratio", {"transplant": {"effect": "none"}}, {}, False),
        ("failure.salvage_graft_speed", {"transplant": {"effect": "none"}}, {}, False),
        ("relapse.shape", {"transplant": {"effect": "none"}}, {}, True),
        ("non_relapse.tail_ratio", {}, {}, True),
        ("relapse.plateau_days", {}, {}, True),
    ],
)
def test_which_parameters_can_change_anything(
    parameter: str, policy: dict[str, object], structure: dict[str, str], expected: bool
) -> None:
    found = acts(parameter, Policy.model_validate(policy), Structure(**structure))  # type: ignore[arg-type]
    assert found is expected
