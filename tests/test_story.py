"""A patient's story, where it could say what is not so."""

from __future__ import annotations

from pathlib import Path

import pytest

import blinasim as bs
from blinasim.model.own_policy import OwnPolicy
from blinasim.scenario.loading import load_scenario

FEW = load_scenario("baseline", ["cohort.size=60"])


class Everybody(OwnPolicy):
    """Also those whom the rules exclude."""

    def is_candidate(self, chart: object) -> bool:  # noqa: ARG002
        return True


def lines(scenario: object, **options: object) -> list[str]:
    return [words for patient in range(1, 61) for _, words in bs.trace(scenario, patient, **options).lines]


@pytest.mark.parametrize(("judged_after", "cycles"), [(1, "one cycle"), (2, "two cycles")])
def test_the_cycles_without_a_remission_are_counted(judged_after: int, cycles: str) -> None:
    scenario = load_scenario(
        "baseline", ["cohort.size=60", f"policy.cycles.stop_without_response_after={judged_after}"]
    )
    told = {words for words in lines(scenario, parameters="point") if words.startswith("no remission")}
    assert told == {f"no remission after {cycles}; treatment ends"}


def test_a_graft_that_a_policy_of_ones_own_asks_for_has_its_speed() -> None:
    told = [words for words in lines(FEW, parameters="point", policy=Everybody) if "of its full speed" in words]
    assert told
    assert not [words for words in told if "runs at 0 of" in words]


def test_a_clock_that_never_runs_out_has_no_days(tmp_path: Path) -> None:
    (tmp_path / "slow.yaml").write_text("relapse: {median_days: 1000000, shape: 0.5}\n", encoding="utf-8")
    told = [words for words in lines(FEW, parameters=tmp_path / "slow.yaml") if "relapse clock" in words]
    assert any("its relapse clock never runs out" in words for words in told)
    assert not [words for words in told if "000000000" in words]
