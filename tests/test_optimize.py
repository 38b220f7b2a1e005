"""Optimization: grids, a known optimum, candidates not told apart, the error of the race, limits, fresh luck."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from blinasim.cli.main import _run
from blinasim.errors import BlinasimError, ScenarioError
from blinasim.report import figures
from blinasim.report.optimization import best_text, optimization_frame
from blinasim.report.optimization_file import optimization_file
from blinasim.scenario.loading import load_scenario
from blinasim.study import race as module
from blinasim.study.grid import Grid, grid_of, parse_over, read_grid
from blinasim.study.optimize import Optimization, looks_of, optimize
from posteriors import small_posterior
from worlds import parameters

ROOT = Path(__file__).resolve().parents[1]
SMALL = ["study.replications=80", "cohort.size=60"]


def grid(*over: str, changes: list[str] | None = None) -> Grid:
    return grid_of("baseline", dict(map(parse_over, over)), SMALL if changes is None else changes)


def race(made: Grid, changes: list[str] | None = None, **arguments: Any) -> Optimization:
    base = load_scenario("baseline", SMALL if changes is None else changes)
    return optimize(base, made.candidates, impossible=made.impossible, **{"parameters": parameters(), **arguments})


# --- grids --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a.b=1,2,3", ["1", "2", "3"]),
        ("a.b=0:56:28", ["0", "28", "56"]),
        ("a.b=0.1:0.3:0.1", ["0.1", "0.2", "0.3"]),
        ("a.b=1:6:2", ["1", "3", "5"]),
        ("a.b=enrolment, {after_cycle: 2}, null, true", ["enrolment", "{after_cycle: 2}", "null", "true"]),
        ("a.b=[[good], [good, fair]]", ["[good]", "[good, fair]"]),
        ("a.b=2,2", ["2"]),
    ],
)
def test_values_of_a_setting(text: str, values: list[str]) -> None:
    assert parse_over(text) == ("a.b", values)


@pytest.mark.parametrize("text", ["a.b", "=1", "a.b=", "a.b=5:1:1", "a.b=1:9:0", "a.b=0:1000:1", "a.b=[1"])
def test_values_that_are_none(text: str) -> None:
    with pytest.raises(ScenarioError):
        parse_over(text)


def test_every_combination_that_is_a_scenario_is_a_candidate() -> None:
    made = grid("policy.transplant.earliest_cycle=1:3:1", "policy.transplant.latest_cycle=2,null")
    assert len(made.candidates) == 5
    assert list(made.impossible) == ["earliest_cycle=3, latest_cycle=2"]
    assert "comes before earliest_cycle" in made.impossible["earliest_cycle=3, latest_cycle=2"]
    settings, scenario = made.candidates["earliest_cycle=2, latest_cycle=null"]
    assert settings == (("policy.transplant.earliest_cycle", "2"), ("policy.transplant.latest_cycle", "null"))
    assert scenario.policy.transplant.earliest_cycle == 2
    assert scenario.cohort.size == 60


def test_names_are_as_short_as_they_can_be() -> None:
    made = grid("capacity.transplant_beds.places=2", "capacity.search_coordinators.places=3,4")
    assert next(iter(made.candidates)) == "transplant_beds.places=2, search_coordinators.places=3"


def test_a_grid_that_is_none_is_told_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="did you mean"):
        grid("policy.transplants.earliest_cycle=1,2")
    with pytest.raises(ScenarioError, match="nothing is varied"):
        grid_of("baseline", {})
    with pytest.raises(ScenarioError, match="cannot be varied"):
        grid("study.seed=1,2")
    with pytest.raises(ScenarioError, match="combinations are too many"):
        grid("policy.transplant.preparation_days=0:150:1", "policy.cycles.rest_days=0:150:1")
    file = tmp_path / "grid.yaml"
    file.write_text("policy.transplant.earliest_cycle: [1, 2]\npolicy.transplant.preparation_days: '0:28:14'\n")
    assert read_grid(file) == {
        "policy.transplant.earliest_cycle": ["1", "2"],
        "policy.transplant.preparation_days": ["0", "14", "28"],
    }
    file.write_text("policy.transplant.earliest_cycle: 2\n")
    with pytest.raises(ScenarioError, match=r"grid.yaml:1:1: 2 should be a list"):
        read_grid(file)


# --- real races -----------------------------------------------------------------------------------------------


def test_what_is_wrong_in_a_value_is_said_of_the_option_that_gave_it() -> None:
    with pytest.raises(
        ScenarioError, match=r"^over policy\.transplant\.earliest_cycle=x: .* should be a valid integer"
    ):
        grid_of("baseline", {"policy.transplant.earliest_cycle": ["x"]})
    with pytest.raises(ScenarioError, match=r"^--set policy\.cycles\.maximum=x: "):
        grid_of("baseline", {"policy.transplant.earliest_cycle": ["1"]}, ["policy.cycles.maximum=x"])


def test_the_known_optimum_of_a_world_built_to_have_one() -> None:
    """Where a graft cures and harms nobody, and all are candidates, the sooner everybody is transplanted the better."""
    harmless = {
        "relapse.graft_speed": 0.0, "relapse.graft_late_speed": 0.0, "donor_search.under_way_share": 0.0,
        "non_relapse.infection_day_100": 0.0, "non_relapse.gvhd_day_100": 0.0, "non_relapse.other_day_100": 0.0,
        "non_relapse.infection_late_per_year": 0.0, "non_relapse.gvhd_late_per_year": 0.0,
        "non_relapse.other_late_per_year": 0.0, "candidacy.declines_cr": 0.0, "candidacy.declines_crh": 0.0,
    }  # fmt: skip
    every = ["policy.transplant.candidates={max_age_years: 120, selected_from_age_years: null, prior_hsct: allowed}"]
    made = grid(
        "policy.transplant.offered=false,true",
        "policy.transplant.preparation_days=0,60,150",
        "policy.donor_search.starts=remission,enrolment",
        changes=[*SMALL, *every],
    )
    found = race(made, [*SMALL, *every], parameters=parameters(harmless), objective="rmst_24_months")
    assert found.best.name == "offered=true, preparation_days=0, starts=enrolment"
    assert not found.not_told_apart
    assert "Every other candidate is worse, with 95 % confidence." in best_text(found)
    without = [one for one in found.runners if one.name.startswith("offered=false")]
    assert all(one.verdict == "worse" and one.trials < 80 for one in without)
    assert found.trials_lived < 0.5 * 2 * 80 * 12


def test_policies_that_do_the_same_cannot_be_told_apart() -> None:
    made = grid("policy.cycles.maintenance.days=365,730", "policy.transplant.offered=true,false")
    found = race(made, objective="realization")
    same = {"days=365, offered=true", "days=730, offered=true"}
    assert {found.best.name, *(one.name for one in found.not_told_apart)} == same
    assert [one.probability for one in found.runners] == [0.5, 0.5, 0.0, 0.0]
    assert "best with probability 50 %: 1 other cannot be told from it" in best_text(found)


def test_the_race_is_lived_on_shared_luck_and_the_best_again_on_other(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, range]] = []
    usual = module.paired_values

    def noted(livings: Any, parameters: Any, measures: Any, trials: range, **others: Any) -> Any:
        asked.append((len(livings), trials))
        return usual(livings, parameters, measures, trials, **others)

    monkeypatch.setattr(module, "paired_values", noted)
    found = race(grid("policy.cycles.maintenance.days=365,730"))
    assert found.looks == (40, 80)
    assert asked == [(2, range(40)), (2, range(40, 80)), (2, range(80, 160))]


def test_looks_are_even_and_end_with_all_trials() -> None:
    assert looks_of(2_000) == (126, 250, 500, 1000, 2000)
    assert looks_of(40) == (40,)
    assert looks_of(90) == (46, 90)


def test_workers_do_not_matter_and_draws_may_vary() -> None:
    made = grid("policy.transplant.earliest_cycle=1,5", "policy.donor_search.starts=remission,enrolment")
    alone = race(made, parameters=small_posterior(), at_most={"searches": 40})
    seen: list[int] = []
    with ThreadPoolExecutor(2) as executor:
        shared = race(
            made, parameters=small_posterior(), at_most={"searches": 40}, executor=executor, progress=seen.append
        )
    assert optimization_file(shared) == optimization_file(alone)
    assert optimization_frame(shared).equals(optimization_frame(alone))
    assert sum(seen) == alone.trials_lived
    # Searches from enrolment are begun for more than forty patients of sixty.
    assert {one.name for one in alone.runners if one.verdict == "beyond a limit"} == {
        "earliest_cycle=1, starts=enrolment", "earliest_cycle=5, starts=enrolment",
    }  # fmt: skip


# --- races of made-up candidates --------------------------------------------------------------------------------


def made_up(patch: pytest.MonkeyPatch, means: list[float], seed: int, costs: list[float] | None = None) -> None:
    """Let candidates have known means of OS at 24 months: common noise of 1 and own noise of 0.5 a trial."""
    numbers: dict[int, int] = {}

    def known(livings: Any, parameters: Any, measures: Any, trials: range, **_: Any) -> list[dict[str, np.ndarray]]:
        if not numbers:
            numbers.update({id(living): number for number, living in enumerate(livings)})
        generator = np.random.default_rng([seed, trials.start])
        common = generator.normal(size=len(trials))
        own = 0.5 * generator.normal(size=(len(means), len(trials)))
        spent = 0.5 * generator.normal(size=(len(means), len(trials)))
        assert parameters is not None
        return [
            {measure.id: (costs or means)[n] + spent[n] if measure.id == "searches" else means[n] + common + own[n]
             for measure in measures}
            for n in (numbers[id(living)] for living in livings)
        ]  # fmt: skip

    patch.setattr(module, "paired_values", known)


def made_up_race(means: list[float], seed: int, costs: list[float] | None = None, **arguments: Any) -> Optimization:
    with pytest.MonkeyPatch.context() as patch:
        made_up(patch, means, seed, costs)
        values = ",".join(str(100 + number) for number in range(len(means)))
        return race(MADE[values], RACE, **arguments)


RACE = ["study.replications=320"]
MADE: dict[str, Grid] = {
    values: grid(f"policy.cycles.maintenance.days={values}", changes=RACE)
    for values in (",".join(str(100 + number) for number in range(count)) for count in (2, 6))
}


def test_the_best_is_seldom_lost_and_the_bad_are_dropped_early() -> None:
    means = [0.0, 0.0, 0.05, -0.5, -1.0, 0.02]
    found = [made_up_race(means, seed) for seed in range(70)]
    fates = [{one.name: one for one in each.runners} for each in found]
    lost = [each["days=102"].verdict in ("worse", "beyond a limit") for each in fates]
    assert np.mean(lost) <= 0.05
    assert all(each["days=104"].verdict == "worse" and each["days=104"].trials == 40 for each in fates)
    kept = [each["days=102"].verdict in ("best", "not told apart") for each in fates]
    assert np.mean(kept) >= 0.93


def test_equal_candidates_are_rarely_told_apart() -> None:
    found = [made_up_race([0.0] * 6, seed) for seed in range(70)]
    dropped = [any(one.verdict == "worse" for one in each.runners) for each in found]
    # All fifteen pairs of equals are compared at each look, three times as many as the rule allows for.
    assert np.mean(dropped) < 0.12


def test_the_winners_luck_is_taken_from_it() -> None:
    found = [made_up_race([0.0] * 6, seed).best for seed in range(80)]
    raced, fresh = ([getattr(one, kind)["os_24_months"].mean for one in found] for kind in ("raced", "fresh"))
    assert np.mean(fresh) == pytest.approx(0.0, abs=3 * np.std(fresh) / np.sqrt(80))
    assert np.mean(raced) > 0.02
    inside = [one.fresh["os_24_months"].lower <= 0.0 <= one.fresh["os_24_months"].upper for one in found]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.07)


def test_the_probability_of_being_the_best_is_that_of_the_means() -> None:
    found = made_up_race([0.0, 0.02], 3)
    first = next(one for one in found.runners if one.name == "days=100")
    gap = next(one for one in found.runners if one is not found.best).fresh_gap
    assert gap is not None
    behind = ndtr(-gap.mean / gap.mcse)
    assert first.probability == pytest.approx(1 - behind if first is found.best else behind, abs=0.015)
    assert sum(one.probability for one in found.runners) == pytest.approx(1.0)


def test_who_breaks_a_limit_neither_wins_nor_drops_another() -> None:
    means, costs = [1.0, 0.5, 0.0], [3.0, 1.0, 0.0]
    padded = (means + [-1.0] * 3, costs + [0.0] * 3)
    for seed in range(30):
        found = made_up_race(padded[0], seed, padded[1], at_most={"searches": 2.0})
        by_name = {one.name: one for one in found.runners}
        assert found.best.name == "days=101"
        assert found.best.keeps
        assert by_name["days=100"].verdict == "beyond a limit"
        assert by_name["days=100"].keeps is False
    with pytest.raises(BlinasimError, match="no candidate keeps the limits"):
        made_up_race(padded[0], 1, padded[1], at_least={"searches": 20.0})


def test_a_limit_that_cannot_be_settled_is_told() -> None:
    open_limits = [made_up_race([1.0, 0.0], seed, [2.0, 1.0], at_most={"searches": 2.0}) for seed in range(12)]
    assert any("Whether it keeps the limits is not certain" in best_text(one) for one in open_limits)
    assert {one.best.name for one in open_limits} <= {"days=100", "days=101"}


def test_less_may_be_better() -> None:
    found = made_up_race([0.0, 1.0], 1, better="minimize")
    assert found.best.name == "days=100"
    assert made_up_race([0.0, 1.0], 1).best.name == "days=101"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"objective": "os_24_month"}, "did you mean os_24_months"),
        ({"objective": "transplanted"}, "say maximize or minimize"),
        ({"at_least": {"qalys": 1.0}}, "no such measure 'qalys'"),
    ],
)
def test_what_cannot_be_optimized_is_said_in_a_line(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(BlinasimError, match=said):
        race(grid("policy.cycles.maintenance.days=365,730"), **arguments)


def test_too_few_of_anything_are_refused() -> None:
    with pytest.raises(BlinasimError, match="1 candidate: there should be 2"):
        race(grid("policy.cycles.maintenance.days=365"))
    with pytest.raises(BlinasimError, match="a race needs 40 trials or more"):
        race(grid("policy.cycles.maintenance.days=365,730"), ["study.replications=20"])
    with pytest.raises(ScenarioError, match=r"cohort\.size"):
        race(grid("cohort.size=20,30"))


# --- the command ----------------------------------------------------------------------------------------------


def test_the_command_writes_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, file = tmp_path / "o", tmp_path / "grid.yaml"
    file.write_text("policy.transplant.preparation_days: [0, 60]\n", encoding="utf-8")
    few = ["--set", "cohort.size=40", "--replications", "40"]
    line = ["optimize", "baseline_payoffs", "--grid", str(file), "--over", "policy.transplant.earliest_cycle=1,5", *few]
    assert _run([*line, "--maximize", "qalys", "--at-most", "searches=40", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    for words in ("4 candidates", "Chosen of 4 that keeps Searches begun at most 40.0", "Looks after 40 trials"):
        assert words in said
    document = json.loads((out / "optimization.json").read_text(encoding="utf-8"))
    schema = json.loads((ROOT / "docs" / "optimization.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)
    table = pd.read_csv(out / "optimization.csv")
    assert table["policy.transplant.preparation_days"].tolist().count(60) == 2
    assert table.fate[0] == "best"
    assert (out / "figures" / "race.svg").is_file()
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert list(manifest["others"]) == ["best"]
    assert _run([*line, "--over", "policy.transplant.preparation_days=1", "--out", str(out)]) == 2
    assert "is varied already" in capsys.readouterr().err
    for limit in ("searches", "searches=x", "searches=inf"):
        assert _run([*line, "--at-least", limit, "--out", str(tmp_path / "p")]) == 2
    assert _run([*line, "--maximize", "a", "--minimize", "b"]) == 2


def test_the_figure_says_what_the_table_says() -> None:
    found = race(grid("policy.transplant.offered=true,false"))
    assert figures.race(found).alt == best_text(found)
