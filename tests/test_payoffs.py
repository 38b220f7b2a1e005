"""Payoffs: costs and quality of life by hand and day by day, ratios with an interval or none, and compare."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import blinasim as bs
from blinasim.cli.main import _run
from blinasim.errors import ScenarioError
from blinasim.luck import Luck
from blinasim.model.codes import NONE, Depth
from blinasim.model.history import History
from blinasim.model.payoffs import discounted_days, discounted_once, payoffs_of
from blinasim.report.comparison import cost_effectiveness_text
from blinasim.report.comparison_file import comparison_file
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.settings import Payoffs, Scenario
from blinasim.statistics import pairs
from blinasim.statistics.ratio import fieller
from blinasim.study.cost_effectiveness import cost_effectiveness, covariance_of_means
from blinasim.study.living import Living
from blinasim.study.measures import measured, measures_of
from posteriors import small_posterior
from worlds import parameters, scenario

ROOT = Path(__file__).resolve().parents[1]
YEAR = 365.25
#: Round prices, no discount; health is counted as years by default.
PRICES = {
    "currency": "EUR",
    "price_year": 2020,
    "threshold_per_qaly": 1000.0,
    "discount_costs_per_year": 0.0,
    "discount_effects_per_year": 0.0,
}


def judged(
    costs: dict[str, float] | None = None,
    utilities: dict[str, float] | None = None,
    policy: dict[str, Any] | None = None,
    **settings: float,
) -> Scenario:
    payoffs = Payoffs.model_validate({**PRICES, **settings, "costs": costs or {}, "utilities": utilities or {}})
    return scenario(policy).model_copy(update={"payoffs": payoffs})


def life(**days: int) -> History:
    names = [item.name for item in fields(History) if item.name != "cycle_starts"]
    return History.of_rows([[days.get(name, NONE) for name in names]])


def cost_of(history: History, asked: Scenario, age: int = 40) -> float:
    return float(payoffs_of(history, np.array([age]), asked).cost[0])


def qalys_of(history: History, asked: Scenario, age: int = 40) -> float:
    return float(payoffs_of(history, np.array([age]), asked).qalys[0])


#: CRh* that deepens, transplanted, relapsed, dead.
GRAFTED = life(
    cycles=2, infusion_days=50, remission=28, depth=Depth.CR, deepening=70, candidacy=28, search_start=28, hsct=84,
    relapse=500, relapse_detected=520, death=600,
)  # fmt: skip
#: In remission to the end of the world.
WELL = life(cycles=5, infusion_days=140, remission=28, depth=Depth.CR)
#: Never in remission; lives long.
FAILED = life(cycles=2, infusion_days=56, failure=70, death=4000)


# --- by hand ----------------------------------------------------------------------------------------------


def test_health_of_three_lives_by_hand() -> None:
    worth = {
        "induction": 0.1, "remission_crh": 0.2, "remission_cr": 0.3, "transplant_year": 0.4, "after_transplant": 0.5,
        "failure": 0.6, "long_after_failure": 0.7,
    }  # fmt: skip
    asked = judged(utilities=worth, long_after_failure_from_years=5)
    grafted = 28 * 0.1 + 42 * 0.2 + 14 * 0.3 + 365 * 0.4 + (500 - 449) * 0.5 + 100 * 0.6
    assert qalys_of(GRAFTED, asked) == pytest.approx(grafted / YEAR)
    assert qalys_of(FAILED, asked) == pytest.approx((70 * 0.1 + 1826 * 0.6 + (4000 - 1896) * 0.7) / YEAR)
    assert qalys_of(WELL, asked) == pytest.approx((28 * 0.1 + (18262 - 28) * 0.3) / YEAR)  # fifty years
    assert qalys_of(WELL, asked, age=79) == pytest.approx((28 * 0.1 + (7670 - 28) * 0.3) / YEAR)  # to his hundredth
    assert payoffs_of(FAILED, np.array([40]), asked).life_years.tolist() == [4000 / YEAR]


@pytest.mark.parametrize(
    ("item", "grafted", "failed", "well"),
    [
        ("per_infusion_day", 50, 56, 140),
        ("per_cycle", 2, 2, 5),
        ("per_standard_course", 0, 0, 0),
        ("per_inpatient_day", 9 + 2, 9 + 2, 9 + 4 * 2),
        ("per_donor_search", 1, 0, 0),
        ("per_transplant", 1, 0, 0),
        ("first_year_after_transplant_per_year", 365 / YEAR, 0, 0),
        ("later_after_transplant_per_year", (520 - 84 - 365) / YEAR, 0, 0),
        ("remission_per_year", (84 - 28) / YEAR, 0, (18262 - 28) / YEAR),
        ("failure_per_year", (600 - 520) / YEAR, 1826 / YEAR, 0),
        ("long_after_failure_per_year", 0, (4000 - 1896) / YEAR, 0),
        ("per_death", 1, 1, 0),
        ("per_maintenance_day", 0, 0, 0),
        ("per_bridging_day", 0, 0, 0),
    ],
)
def test_every_price_counts_what_it_says(item: str, grafted: float, failed: float, well: float) -> None:
    asked = judged({item: 1000.0})
    for history, expected in ((GRAFTED, grafted), (FAILED, failed), (WELL, well)):
        assert cost_of(history, asked) == pytest.approx(1000 * expected)


def test_prices_of_other_treatments() -> None:
    standard = judged({"per_standard_course": 10.0, "per_infusion_day": 99.0, "per_cycle": 99.0},
                      policy={"therapy": "standard", "cycles": {"maximum": 2}})  # fmt: skip
    assert cost_of(FAILED, standard) == 20.0
    kept = life(cycles=5, infusion_days=140, remission=28, depth=Depth.CR, maintenance=210, candidacy=28)
    prices = {"per_maintenance_day": 1.0, "per_bridging_day": 2.0}
    offered = {"cycles": {"maintenance": {"offered": True, "days": 100}}}
    assert cost_of(kept, judged(prices, policy=offered)) == 100.0
    bridged = life(cycles=5, infusion_days=140, remission=28, maintenance=210, candidacy=28, hsct=300, death=900)
    assert cost_of(bridged, judged(prices, policy={"transplant": {"bridging": True}})) == 180.0


def test_a_delayed_cycle_is_paid_when_it_is_given() -> None:
    names = [item.name for item in fields(History) if item.name != "cycle_starts"]
    row = [{"cycles": 2, "infusion_days": 56, "failure": 110}.get(name, NONE) for name in names]
    delayed = History.of_rows([row], np.array([[0, 82, NONE, NONE, NONE]], dtype=np.int32))
    asked = judged({"per_cycle": 100.0}, discount_costs_per_year=0.5)
    assert cost_of(delayed, asked) == pytest.approx(100 + 100 * 1.5 ** (-82 / YEAR))


# --- discounting --------------------------------------------------------------------------------------------


@given(st.integers(0, 20_000), st.integers(0, 3_000), st.sampled_from([0.0, 1e-9, 0.015, 0.035, 0.5]))
def test_a_stretch_is_the_sum_of_its_days(start: int, days: int, rate: float) -> None:
    day_by_day = np.sum((1 + rate) ** (-np.arange(start, start + days) / YEAR))
    found = discounted_days(np.array([start]), np.array([start + days]), rate)[0]
    assert found == pytest.approx(day_by_day, rel=1e-9, abs=1e-12)
    assert discounted_days(np.array([start]), np.array([start - days]), rate)[0] == 0.0


def test_what_happens_once_counts_on_its_day() -> None:
    found = discounted_once(np.array([NONE, 0, 731, 800]), np.array([800, 800, 800, 800]), 0.1)
    assert found.tolist() == [0.0, 1.0, pytest.approx(1.1 ** (-731 / YEAR)), 0.0]


def test_simulated_lives_cost_what_their_days_cost() -> None:
    """Every life of a trial again, day by day in plain Python, from the shipped prices."""
    asked = load_scenario("baseline_payoffs", ["cohort.size=40"])
    truth = Living(asked).truth(parameters(), Luck(3), range(2))
    for patient in range(80):
        days = {item.name: int(getattr(truth.history, item.name)[patient]) for item in fields(History)[:-1]}
        expected = day_by_day(days, int(truth.data.age_years.ravel()[patient]), asked)
        found = (truth.payoffs.cost[patient], truth.payoffs.qalys[patient])
        assert found == pytest.approx(expected, rel=1e-9)


def day_by_day(days: dict[str, int], age: int, asked: Scenario) -> tuple[float, float]:
    payoffs = asked.payoffs
    assert payoffs is not None
    price, worth = payoffs.costs, payoffs.utilities
    never = 10**6
    at = {name: day if day >= 0 else never for name, day in days.items()}
    last = int(min(payoffs.horizon_years, payoffs.oldest_age_years - age) * YEAR)
    ill, known = min(at["failure"], at["relapse"]), min(at["failure"], at["relapse_detected"])
    long = int(payoffs.long_after_failure_from_years * YEAR)
    left = days["infusion_days"]
    cost = qalys = 0.0
    for day in range(min(at["death"] + 1, last)):
        v = (1.035) ** (-day / YEAR)
        for event, item in (("search_start", price.per_donor_search), ("hsct", price.per_transplant)):
            cost += v * item * (at[event] == day)
        if at["death"] == day:
            cost += v * price.per_death
            break
        cycle, into = divmod(day, 42)
        if cycle < days["cycles"] and into < 28 and left > 0:
            left -= 1
            cost += v * (price.per_infusion_day + price.per_inpatient_day * (into < (9 if cycle == 0 else 2)))
        rate = 0.0
        if day >= at["hsct"] and not at["hsct"] < known <= day:
            early = day < at["hsct"] + 365
            rate += price.first_year_after_transplant_per_year if early else price.later_after_transplant_per_year
        if day >= known:
            rate += price.failure_per_year if day < known + long else price.long_after_failure_per_year
        elif day >= at["remission"] and day < at["hsct"]:
            rate += price.remission_per_year
        cost += v * rate / YEAR
        if day >= ill:
            state = worth.failure if day < ill + long else worth.long_after_failure
        elif day >= at["hsct"]:
            state = worth.transplant_year if day < at["hsct"] + 365 else worth.after_transplant
        elif day >= at["remission"]:
            deep = days["depth"] == Depth.CR and (days["deepening"] < 0 or day >= days["deepening"])
            state = worth.remission_cr if deep else worth.remission_crh
        else:
            state = worth.induction
        qalys += v * state / YEAR
    return cost, qalys


# --- ratios -------------------------------------------------------------------------------------------------


def test_fieller_by_hand() -> None:
    # No variance below: the interval of the numerator over the denominator.
    plain = fieller(10.0, 2.0, 1.0, 0.0, 0.0, 2.0)
    assert (plain.value, plain.lower, plain.upper, plain.bounded) == (5.0, 4.0, 6.0, True)
    # a = 4 - 4 * 0.25 = 3, b = 20, c = 100 - 4 = 96: (20 -+ sqrt(112)) / 3
    both = fieller(10.0, 2.0, 1.0, 0.25, 0.0, 2.0)
    assert (both.lower, both.upper) == pytest.approx(((20 - 112**0.5) / 3, (20 + 112**0.5) / 3))
    assert not fieller(10.0, 2.0, 1.0, 1.0, 0.0, 2.0).bounded
    assert np.isnan(fieller(1.0, 0.0, 1.0, 1.0, 0.0, 2.0).value)


def test_fiellers_interval_covers_what_it_says() -> None:
    generator = np.random.default_rng(1)
    covered = []
    for _ in range(2000):
        cost, effect = generator.multivariate_normal([30.0, 2.0], [[400.0, 12.0], [12.0, 1.0]], size=40).T
        variance = np.cov(cost, effect) / 40
        found = fieller(cost.mean(), effect.mean(), variance[0, 0], variance[1, 1], variance[0, 1], 2.023)
        covered.append(found.lower <= 15.0 <= found.upper)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)


def test_covariances_of_paired_trials_are_those_of_clusters() -> None:
    generator = np.random.default_rng(2)
    values = np.repeat(generator.normal(size=(2, 300)), 2, axis=1) + 0.1 * generator.normal(size=(2, 600))
    found = covariance_of_means(*values, paired_trials=True)
    assert np.sqrt(np.diag(found)) == pytest.approx([pairs.mean_mcse(row) for row in values])
    means = values.reshape(2, 300, 2).mean(axis=2)
    assert found == pytest.approx(np.cov(means) / 300)
    assert covariance_of_means(*values, paired_trials=False)[0, 0] == pytest.approx(values[0].var(ddof=1) / 600)


# --- scenarios and comparisons --------------------------------------------------------------------------------


def test_settings_of_payoffs_are_inherited_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "extends: baseline_payoffs\ntitle: mine\npayoffs: {threshold_per_qaly: 20000, costs: {per_death: 1}}\n",
        encoding="utf-8",
    )
    mine, base = load_scenario(tmp_path / "mine.yaml").payoffs, load_scenario("baseline_payoffs").payoffs
    assert mine is not None
    assert base is not None
    assert mine.costs == base.costs.model_copy(update={"per_death": 1.0})
    assert mine.model_copy(update={"costs": base.costs, "threshold_per_qaly": 50_000.0}) == base
    assert load_scenario("baseline_payoffs", ["payoffs=null"]).payoffs is None
    changed = load_scenario("baseline_payoffs", ["payoffs.horizon_years=2"]).payoffs
    assert changed == base.model_copy(update={"horizon_years": 2.0})


def test_every_shipped_figure_has_a_source() -> None:
    payoffs = load_scenario("baseline_payoffs").payoffs
    assert payoffs is not None
    figures = {f"costs.{name}" for name in type(payoffs.costs).model_fields}
    figures |= {f"utilities.{name}" for name in type(payoffs.utilities).model_fields}
    figures |= set(Payoffs.model_fields) - {"costs", "utilities", "sources", "currency", "price_year"}
    assert set(payoffs.sources) == figures


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("payoffs.costs.per_transplants=1", "no such setting; did you mean per_transplant?"),
        ("payoffs.sources={costs.per_graft: 'trial: x'}", "sources.costs.per_graft: there is no such figure"),
        ("payoffs.sources={costs.per_death: mine}", "should begin with its grade"),
        ("payoffs.utilities.failure=1.2", "1.2 should be less than or equal to 1"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(change: str, said: str) -> None:
    with pytest.raises(ScenarioError) as problem:
        load_scenario("baseline_payoffs", [change])
    assert said in str(problem.value)
    with pytest.raises(ScenarioError, match="currency: is required"):
        load_scenario("baseline", ["payoffs.price_year=2017", "payoffs.threshold_per_qaly=1"])


def test_nothing_that_happens_depends_on_payoffs() -> None:
    one, other = (bs.compare(name, "early_donor_search", replications=4) for name in ("baseline", "baseline_payoffs"))
    assert {m.id for m in other.measures} - {m.id for m in one.measures} == {
        "cost",
        "qalys",
        "life_years",
        "net_benefit",
    }
    for measure in one.measures:
        assert one.arms[1].values[measure.id].tobytes() == other.arms[1].values[measure.id].tobytes()


def test_one_scenarios_payoffs_judge_all_and_two_kinds_none() -> None:
    found = bs.compare("baseline_payoffs", "early_donor_search", replications=4)
    assert found.arms[1].scenario.payoffs == found.reference.scenario.payoffs
    again = bs.compare("baseline", "baseline_payoffs", replications=4)
    assert again.difference("cost").mean == 0.0
    assert cost_effectiveness_text(found_of(again)).endswith("costs and QALYs are the same.")
    dear = load_scenario("baseline_payoffs", ["payoffs.costs.per_death=9"])
    with pytest.raises(ScenarioError, match="have different payoffs"):
        bs.compare("baseline_payoffs", dear)


def found_of(comparison: Any) -> Any:
    found = cost_effectiveness(comparison)
    assert found is not None
    return found


def test_net_benefit_is_health_at_the_threshold_less_cost() -> None:
    asked = load_scenario("baseline_payoffs", ["cohort.size=30"])
    values = measured(Living(asked).truth(parameters(), Luck(1), range(3)), measures_of([], asked.payoffs))
    assert values["net_benefit"] == pytest.approx(50_000 * values["qalys"] - values["cost"])
    assert np.all(values["qalys"] < values["life_years"])


@pytest.mark.parametrize(
    ("price", "quadrant", "words"),
    [
        (None, "less health, less cost", "per QALY given up (95 % interval by Fieller"),
        (10.0, "dominated", "less health for more cost (of a ratio nothing could be read)"),
    ],
)
def test_the_sign_of_a_ratio_is_told_in_words(price: float | None, quadrant: str, words: str) -> None:
    changes = [] if price is None else ["payoffs.costs.per_infusion_day=10", "payoffs.costs.per_standard_course=90000"]
    found = bs.compare(load_scenario("baseline_payoffs", changes), "standard_therapy", replications=30)
    judged_by = found_of(found)
    assert judged_by.quadrant == quadrant
    assert words in cost_effectiveness_text(judged_by)
    document = json.loads(comparison_file(found).model_dump_json())
    jsonschema.validate(document, json.loads((ROOT / "docs" / "comparison.schema.json").read_text(encoding="utf-8")))
    stored = document["contrasts"][0]["cost_effectiveness"]
    assert stored["quadrant"] == quadrant
    assert (stored["ratio"] is None) == (quadrant == "dominated")


def test_few_trials_leave_a_ratio_without_an_interval() -> None:
    found = bs.compare("baseline_payoffs", "myeloablative_under_45", replications=4, parameters=small_posterior())
    judged_by = found_of(found)
    assert not judged_by.ratio.bounded
    assert not judged_by.has_ratio


def test_the_command_shows_payoffs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["compare", "baseline_payoffs", "no_transplantation", "--replications", "20", "--out", str(tmp_path / "r")]
    assert _run(asked) == 0
    said = capsys.readouterr().out
    for words in ("Lifetime, all patients", "QALYs", "Cost, GBP", "Net benefit, GBP", "Cost-effectiveness: "):
        assert words in said
