"""Comparisons: measures and flows by hand, pairs that pair, luck that is shared and luck that is not."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

import blinasim as bs
from blinasim.errors import BlinasimError, PolicyError, ScenarioError
from blinasim.luck import Draws, Luck
from blinasim.model.chart import Chart
from blinasim.model.codes import NEVER, NONE, Place
from blinasim.model.cohort import draw_cohort
from blinasim.model.fates import FROM_REMISSION_OR_FAILURE_ON
from blinasim.model.history import History
from blinasim.model.own_policy import OwnPolicy
from blinasim.model.parameters import parameters_to_dict
from blinasim.model.places import Stays
from blinasim.model.records import TransplantRecord
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.settings import Capacity, Policy, Scenario
from blinasim.study.compare import compare
from blinasim.study.comparison import Comparison, Gain, Pairs
from blinasim.study.contrasts import Difference, Standing, Touched, flows, standing, touched
from blinasim.study.head_start import MEDIANS, SHARES, Assumed
from blinasim.study.living import Living
from blinasim.study.measures import MEASURE, Measure, Truth, days_at_infusion_starts, measured, measures_of
from blinasim.trial.observe import observe_all
from worlds import parameters, scenario

MONTH = 30.4375
#: Five lives, by what happened to them; what is not said did not happen.
LIVES: tuple[dict[str, int], ...] = (
    {"cycles": 2, "infusion_days": 56, "remission": 28, "search_start": 28, "hsct": 80, "death": 100},
    {"cycles": 5, "infusion_days": 140, "remission": 28, "search_start": 28, "relapse": 200, "death": 400},
    {"cycles": 2, "infusion_days": 40, "failure": 70, "death": 90},
    {"cycles": 3, "infusion_days": 84, "remission": 70, "search_start": 0},
    {"cycles": 5, "infusion_days": 140, "remission": 28, "relapse": 300, "hsct": 350, "death": 1000},
)


def history_of(*lives: dict[str, int]) -> History:
    """A history by hand."""
    names = [item.name for item in fields(History) if item.name != "cycle_starts"]
    return History.of_rows([[life.get(name, NONE) for name in names] for life in lives])


def truth_of(asked: Scenario, history: History, stays: tuple[Stays, ...] = ()) -> Truth:
    """One trial of lives made by hand; nothing here depends on who the patients are."""
    size = history.death.size
    cohort = draw_cohort(asked.cohort, asked.trial.accrual, parameters(), Draws(Luck(1), range(1), size))
    nothing = np.full(size, NONE, dtype=np.int32)
    record = TransplantRecord(**{item.name: nothing for item in fields(TransplantRecord)})
    return Truth(asked, observe_all(asked, cohort, history, record), history, stays)


def said_of(counts: Touched) -> tuple[int, list[int], list[int], list[int], list[int]]:
    """All patients, and by trial: touched, of these longer, shorter and the same."""
    return (counts.patients, *(part.tolist() for part in (counts.touched, counts.longer, counts.shorter, counts.same)))


def pairs_of(found: Comparison, policy: str | None = None) -> Pairs:
    """What becomes of the same patients."""
    pairs = found.contrast(policy).pairs
    assert pairs is not None
    return pairs


# --- measures ----------------------------------------------------------------------------------------


def test_measures_of_five_lives() -> None:
    found = measured(truth_of(scenario(size=5), history_of(*LIVES)), measures_of([Capacity()]))
    by_hand = {
        "realization": 1 / 4,  # the second transplant came after a relapse
        "transplanted": 2 / 5,
        "days_to_hsct": 52,
        "os_12_months": 3 / 5,
        "os_24_months": 2 / 5,
        "rmst_24_months": (100 + 400 + 90 + 730.5 + 730.5) / 5 / MONTH,
        "os_median": 400 / MONTH,
        "relapse_12_months": 2 / 4,
        "nrm_12_months": 1,
        "infusion_days": (56 + 140 + 40 + 84 + 140) / 5,
        "inpatient_days": ((11 + 20) + 17 + 11 + 13 + (17 + 30)) / 5,
        "transplant_bed_days": (20 + 30) / 5,
        "searches": 3,
    }
    assert {name: values.tolist() for name, values in found.items()} == {
        name: [pytest.approx(value, abs=1e-12)] for name, value in by_hand.items()
    }


def test_under_standard_therapy_nobody_is_infused() -> None:
    found = measured(truth_of(scenario({"therapy": "standard"}, size=5), history_of(*LIVES)), measures_of([Capacity()]))
    assert {name for name, values in found.items() if np.isnan(values[0])} == {"infusion_days", "inpatient_days"}
    assert found["transplant_bed_days"].tolist() == [10.0]


def test_every_measure_says_whose_it_is() -> None:
    assert MEASURE["os_12_months"].label == "OS at 12 months, all patients"
    assert MEASURE["relapse_12_months"].label == "Relapse by 12 months from remission, of responders"
    assert MEASURE["nrm_12_months"].label == (
        "Non-relapse death by 12 months from HSCT, of those transplanted on study"
    )
    assert MEASURE["searches"].label == "Searches begun, a trial"
    assert "infusions in between included" in MEASURE["bed_waiting_days"].meaning
    for measure in MEASURE.values():
        assert measure.meaning.endswith(".")
        # Who is transplanted changes with the policy: nothing that is counted among them is better or worse.
        assert measure.direction == 0 or measure.population != "of those transplanted on study"
        assert measure.direction == 0 or measure.per != "patient"


def test_nobody_to_measure_is_no_value() -> None:
    found = measured(truth_of(scenario(size=1), history_of(LIVES[2])), measures_of([Capacity()]))
    without = {name for name, values in found.items() if np.isnan(values[0])}
    assert without == {"realization", "days_to_hsct", "relapse_12_months", "nrm_12_months"}


@pytest.mark.parametrize(
    ("cycles", "infusion_days", "expected"),
    [(0, 0, 0), (1, 5, 5), (1, 28, 9), (2, 29, 10), (2, 56, 11), (4, 28 * 3 + 1, 9 + 2 + 2 + 1), (5, 140, 17)],
)
def test_no_stay_outlasts_its_infusion(cycles: int, infusion_days: int, expected: int) -> None:
    life = history_of({"cycles": cycles, "infusion_days": infusion_days})
    assert days_at_infusion_starts(life, scenario()).tolist() == [expected]


def test_waiting_is_that_of_the_trials_own_patients() -> None:
    counted = scenario(size=2).model_copy(
        update={"capacity": Capacity.model_validate({"transplant_beds": {"places": 1}})}
    )
    bed, coordinator = int(Place.TRANSPLANT_BED), int(Place.COORDINATOR)
    rows = [
        (0, bed, 0, 100, 104, 134),  # waits for four days
        (0, bed, 1, 100, NEVER, 110),  # withdrawn after ten
        (0, bed, NONE, 90, 140, NEVER),  # another patient
        (0, coordinator, 1, 10, 60, 80),
    ]
    truth = truth_of(counted, history_of(LIVES[0], LIVES[1]), (Stays.of_rows(rows),))
    asked = measures_of([counted.capacity, Capacity()])
    assert [each.id for each in asked if each.place is not None] == ["bed_waiting_days"]
    assert measured(truth, asked)["bed_waiting_days"].tolist() == [14.0]
    assert measured(replace(truth, scenario=scenario(size=2)), asked)["bed_waiting_days"].tolist() == [0.0]


# --- standings, flows, who is touched -------------------------------------------------------------------


def test_where_everybody_stands() -> None:
    lives = history_of(
        *LIVES,
        {"remission": 28, "death": 730},
        {"remission": 28, "death": 731},
        {"remission": 28, "hsct": 60, "relapse": 731},
        {"remission": 28, "hsct": 60, "relapse": 700, "death": 710},
        {"failure": 70, "hsct": 200},
    )
    assert [Standing(code).name for code in standing(lives)] == [
        "DEAD_AFTER_HSCT",
        "DEAD_AFTER_RELAPSE",
        "DEAD_WITHOUT_REMISSION",
        "ALIVE_IN_REMISSION",
        "ALIVE_AFTER_FAILURE",
        "DEAD_IN_REMISSION",
        "ALIVE_IN_REMISSION",
        "ALIVE_AFTER_HSCT",
        "DEAD_AFTER_RELAPSE",
        "ALIVE_AFTER_FAILURE",
    ]


def test_flows_go_from_the_reference_to_the_policy() -> None:
    found = flows(history_of(LIVES[0], LIVES[3], LIVES[3]), history_of(LIVES[3], LIVES[3], LIVES[1]))
    assert {(int(a), int(b)): int(found[a, b]) for a, b in zip(*found.nonzero(), strict=True)} == {
        (Standing.DEAD_AFTER_HSCT, Standing.ALIVE_IN_REMISSION): 1,
        (Standing.ALIVE_IN_REMISSION, Standing.ALIVE_IN_REMISSION): 1,
        (Standing.ALIVE_IN_REMISSION, Standing.DEAD_AFTER_RELAPSE): 1,
    }


def test_who_is_touched_lives_longer_shorter_or_the_same() -> None:
    before = history_of(LIVES[0], LIVES[1], LIVES[2], LIVES[3], LIVES[4])
    after = history_of({**LIVES[0], "death": 101}, {**LIVES[1], "death": 399}, {**LIVES[2], "stop": 3}, *LIVES[3:])
    found = touched((before, Policy()), (after, Policy()), 5)
    assert said_of(found) == (5, [3], [1], [1], [1])
    assert found.share == 3 / 5
    assert np.isnan(found.share_mcse)
    none = touched((before, Policy()), (before, Policy()), 5)
    both = Touched.joined([found, none])
    assert said_of(both) == (10, [3, 0], [1, 0], [1, 0], [1, 0])
    assert both.share == 3 / 10
    assert both.share_mcse == pytest.approx(0.3)  # of 3/5 and 0
    lives = (LIVES[0], LIVES[1], LIVES[2], LIVES[3], LIVES[4])
    in_one = touched(
        (history_of(*lives, *lives), Policy()),
        (history_of({**LIVES[0], "death": 101}, *lives[1:], {**LIVES[0], "death": 99}, *lives[1:]), Policy()),
        5,
    )
    assert said_of(in_one) == (10, [1, 1], [1, 0], [0, 1], [0, 0])


def test_a_cycle_that_begins_another_day_touches_a_patient() -> None:
    lives = history_of(LIVES[0], LIVES[0])
    on_time = np.array([[0, 42, NONE, NONE, NONE]] * 2, dtype=np.int32)
    delayed = on_time.copy()
    delayed[1, 1] = 45
    assert touched((lives, Policy()), (replace(lives, cycle_starts=on_time), Policy()), 2).share == 0.0
    assert touched((lives, Policy()), (replace(lives, cycle_starts=delayed), Policy()), 2).share == 0.5


# --- paired statistics ----------------------------------------------------------------------------------


def test_a_difference_by_hand() -> None:
    one = Difference.of(MEASURE["os_24_months"], np.array([0.1, 0.2, 0.3, np.nan]), np.array([0.2, 0.2, 0.7, 0.5]))
    assert one.trials == 3
    assert one.mean == pytest.approx(0.5 / 3)
    assert one.mcse == pytest.approx(np.std([0.1, 0.0, 0.4], ddof=1) / np.sqrt(3))
    assert one.upper - one.mean == pytest.approx(4.302653 * one.mcse)  # Student's t on two degrees of freedom
    assert one.better == pytest.approx(2.5 / 3)
    assert one.better_mcse == pytest.approx(np.std([1, 0.5, 1], ddof=1) / np.sqrt(3))
    assert one.variance_reduction == pytest.approx(
        (np.var([0.1, 0.2, 0.3], ddof=1) + np.var([0.2, 0.2, 0.7], ddof=1)) / np.var([0.1, 0.0, 0.4], ddof=1)
    )
    assert one.reference == pytest.approx(0.2)
    assert one.policy == pytest.approx(0.4)


def test_less_is_better_where_the_measure_says_so() -> None:
    waits = Difference.of(MEASURE["bed_waiting_days"], np.array([10.0, 10.0]), np.array([9.0, 11.0]))
    assert (waits.better, waits.better_mcse) == (0.5, 0.5)
    assert Difference.of(MEASURE["relapse_12_months"], np.array([0.5]), np.array([0.4])).better == 1.0
    assert np.isnan(Difference.of(MEASURE["searches"], np.array([5.0]), np.array([4.0])).better)


def test_where_every_trial_ties_neither_is_better() -> None:
    tied = Difference.of(MEASURE["os_24_months"], np.array([0.2, 0.3]), np.array([0.2, 0.3]))
    assert (tied.mean, tied.lower, tied.upper) == (0.0, 0.0, 0.0)
    assert np.isnan([tied.better, tied.better_mcse]).all()


def test_a_gain_of_few_trials_by_hand() -> None:
    gain = Gain.of(np.array([[1.0, 0.5], [1.0, 0.7]]), np.array([[1.0, 0.7], [1.0, 0.7]]))
    np.testing.assert_allclose(gain.mean, [0.0, 0.1])
    np.testing.assert_allclose(gain.upper - gain.mean, [0.0, 12.706205 * 0.1])
    assert np.isnan(Gain.of(np.ones((1, 2)), np.ones((1, 2))).lower).all()


def test_a_median_not_reached_has_no_mean() -> None:
    one = Difference.of(MEASURE["os_median"], np.array([5.0, np.inf, np.inf]), np.array([6.0, 7.0, np.inf]))
    assert np.isnan(one.mean)
    assert np.isnan(one.trial_upper)
    assert one.better == pytest.approx(1.5 / 3)


# --- comparisons ----------------------------------------------------------------------------------------


def same(one: Comparison, other: Comparison) -> bool:
    """Every number of two comparisons, to the last bit."""
    return all(_equal(getattr(one, name), getattr(other, name)) for name in ("arms", "contrasts", "reference_again"))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if hasattr(one, "__dataclass_fields__") and not isinstance(one, Measure):
        return all(_equal(getattr(one, item.name), getattr(other, item.name)) for item in fields(one))
    return bool(one == other or (one != one and other != other))


def shipped(*names: str) -> dict[str, Scenario]:
    return {name: load_scenario(name) for name in names}


@pytest.fixture(scope="module")
def early() -> Comparison:
    return compare(shipped("baseline", "early_donor_search"), replications=300)


def test_a_policy_against_itself_changes_nothing() -> None:
    found = compare({"one": load_scenario("baseline"), "other": load_scenario("baseline")}, replications=12)
    for one in found.differences():
        assert (one.mean, one.trial_lower, one.trial_upper) == (0.0, 0.0, 0.0)
        assert np.isnan(one.better)
    contrast, pairs = found.contrast(), pairs_of(found)
    assert said_of(pairs.touched) == (12 * 189, *([0] * 12,) * 4)
    assert np.count_nonzero(pairs.flows - np.diag(np.diag(pairs.flows))) == 0
    # With independent luck a policy that changes nothing moves whom the luck alone moves.
    np.testing.assert_array_equal(pairs.flows_again, found.reference_again.flows)
    assert _equal(contrast.values_again, found.reference_again.values_again)
    assert contrast.head_start == ()
    assert not contrast.survival_gain.mean.any()


def test_places_in_plenty_touch_nobody() -> None:
    plenty = load_scenario("baseline", ["capacity.infusion_starts.places=500", "capacity.transplant_beds.places=500"])
    found = compare({"baseline": load_scenario("baseline"), "plenty": plenty}, replications=2)
    assert pairs_of(found).touched.share == 0.0
    assert found.difference("bed_waiting_days").policy == 0.0
    assert found.arm("plenty").queues[Place.INFUSION_BED].taken.mean.max() > 1.0


def test_shared_luck_reduces_the_variance(early: Comparison) -> None:
    reached = early.difference("rmst_24_months").variance_reduction
    print(f"variance of the RMST difference reduced {reached:.0f} times")
    assert reached >= 10.0
    assert early.difference("rmst_24_months", luck="independent").variance_reduction < 3.0


def test_earlier_search_does_what_it_must(early: Comparison) -> None:
    assert early.difference("realization").lower > 0.0
    assert early.difference("days_to_hsct").upper < 0.0
    assert early.difference("searches").trial_lower > 0.0
    assert "bed_waiting_days" not in {each.id for each in early.measures}


def test_everybody_stands_somewhere_in_every_comparison(early: Comparison) -> None:
    pairs = pairs_of(early)
    every = (pairs.flows, pairs.flows_again, early.reference_again.flows)
    assert [int(flow.sum()) for flow in every] == [300 * 189] * 3
    assert pairs.touched.patients == 300 * 189
    # Under the reference everybody is the same in all of them.
    for flow in every[1:]:
        np.testing.assert_array_equal(pairs.flows.sum(axis=1), flow.sum(axis=1))


def test_independent_luck_leaves_the_means_and_alters_the_flows(early: Comparison) -> None:
    contrast, pairs, values = early.contrast(), pairs_of(early), early.arm("early_donor_search").values
    for key in ("realization", "os_12_months", "os_24_months", "rmst_24_months", "relapse_12_months", "infusion_days"):
        apart = contrast.values_again[key] - values[key]
        error = apart.std(ddof=1) / np.sqrt(apart.size)
        assert error > 0
        assert abs(apart.mean()) < 4 * error, key
    assert pairs.flows.trace() > 0.98 * pairs.flows.sum()
    assert pairs.flows_again.trace() < 0.75 * pairs.flows.sum()
    # What is settled before remission stays: the same searches begin.
    np.testing.assert_array_equal(contrast.values_again["searches"], values["searches"])


def test_the_reference_drawn_again_moves_as_much_as_any_policy(early: Comparison) -> None:
    stay, stay_itself = (flow.trace() for flow in (pairs_of(early).flows_again, early.reference_again.flows))
    assert stay_itself == pytest.approx(stay, rel=0.01)
    for key in ("realization", "os_24_months", "rmst_24_months"):
        itself = early.difference(key, "baseline", "independent")
        assert 0.0 < abs(itself.mean) < 4 * itself.mcse, key
        assert early.difference(key, "baseline").mean == 0.0
    one = early.difference("searches", "baseline", "independent")
    assert (one.mean, one.mcse) == (0.0, 0.0)


def test_only_what_comes_after_remission_or_failure_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    uniform = Luck.uniform

    def spy(self: Luck, name: str, *rest: Any) -> np.ndarray:
        asked.add(name)
        return uniform(self, name, *rest)

    monkeypatch.setattr(Luck, "uniform", spy)
    compare({"one": scenario(size=20), "other": scenario(size=20, policy={"transplant": {"offered": False}})})
    assert asked >= FROM_REMISSION_OR_FAILURE_ON
    groups = {name.split(".")[0] for name in FROM_REMISSION_OR_FAILURE_ON}
    assert {name for name in asked if name.split(".")[0] in groups} == FROM_REMISSION_OR_FAILURE_ON
    again = Luck(1).drawn_again(FROM_REMISSION_OR_FAILURE_ON)
    changed = {name for name in asked if not np.array_equal(Luck(1).key(name), again.key(name))}
    assert changed == FROM_REMISSION_OR_FAILURE_ON
    keys = {tuple(luck.key(name)) for name in asked for luck in (Luck(1), again)}
    assert len(keys) == len(asked) + len(changed)


def test_other_patients_are_not_set_against_each_other() -> None:
    found = compare(shipped("baseline", "older_cohort", "early_donor_search"), replications=3)
    contrast = found.contrast("older_cohort")
    assert contrast.pairs is None
    assert "other patients" in repr(contrast)
    assert found.contrast("early_donor_search").pairs is not None
    assert np.isfinite(found.difference("os_24_months", "older_cohort", "independent").mean)


def test_what_means_nothing_under_a_therapy_is_not_compared() -> None:
    found = compare(shipped("baseline", "standard_therapy"), replications=2)
    one = found.difference("infusion_days")
    assert one.reference > 0.0
    assert one.trials == 0
    assert np.isnan([one.policy, one.mean, one.lower, one.trial_lower]).all()


def test_chunks_and_workers_do_not_matter() -> None:
    asked = shipped("baseline", "early_donor_search", "scarce_beds")
    whole = compare(asked, replications=7)
    assert same(whole, compare(asked, replications=7, chunk=3))
    with ProcessPoolExecutor(2) as pool:
        assert same(whole, compare(asked, replications=7, executor=pool, chunk=2))


def test_both_engines_find_the_same() -> None:
    asked = shipped("baseline", "haplo_first")
    fast, des = (compare(asked, replications=3, engine=engine) for engine in ("fast", "des"))
    assert _equal([arm.values for arm in fast.arms], [arm.values for arm in des.arms])
    assert _equal(fast.contrasts, des.contrasts)


def test_all_live_the_trials_of_the_reference() -> None:
    asked = {"one": scenario(size=5, replications=3, seed=4), "other": scenario(size=5, replications=9, seed=8)}
    found = compare(asked)
    assert found.replications == 3
    assert {arm.scenario.study.seed for arm in found.arms} == {4}
    assert {arm.scenario.study.seed for arm in compare(asked, replications=2, seed=7).arms} == {7}


def test_curves_and_their_difference_agree(early: Comparison) -> None:
    before, after = (arm.curve.survival.mean for arm in early.arms)
    np.testing.assert_allclose(early.contrast().survival_gain.mean, after - before, atol=1e-12)
    assert before[0] == 1.0
    assert np.all(np.diff(before) <= 0)
    assert np.all((early.reference.curve.survival.lower <= before) & (before <= early.reference.curve.survival.upper))
    assert early.reference.curve.at_risk[0] == 189


def test_queues_by_day() -> None:
    found = compare(shipped("baseline", "scarce_beds"), replications=6)
    assert found.reference.queues == {}
    queue = found.arm("scarce_beds").queues[Place.TRANSPLANT_BED]
    assert queue.places == 3
    assert queue.taken.mean.max() <= 3.0
    assert queue.taken.upper.max() == 3.0
    assert queue.waiting.mean.max() > 1.0
    assert found.difference("bed_waiting_days").mean > 0.0


# --- the head start assumed -----------------------------------------------------------------------------


def test_the_gain_falls_with_the_head_start_assumed(early: Comparison) -> None:
    in_use = parameters().donor_search
    points = [point for point in early.contrast().head_start if point.median_days == in_use.head_start_median_days]
    shares = [point.under_way_share for point in points]
    assert shares == sorted(shares)
    assert set(shares) == {share for share in SHARES if abs(share - in_use.under_way_share) >= 0.05} | {
        in_use.under_way_share
    }
    assert [point.under_way_share for point in points if point.in_use] == [in_use.under_way_share]
    gains, levels = ([getattr(p.differences["realization"], name) for p in points] for name in ("mean", "reference"))
    assert gains == sorted(gains, reverse=True)
    assert levels == sorted(levels)
    used = next(point for point in points if point.in_use)
    here = used.differences["realization"]
    trials = here.trials
    assert 0 < trials < 300
    for key, one in (("realization", here), ("rmst_24_months", used.differences["rmst_24_months"])):
        first = [arm.values[key][:60] for arm in early.arms]
        assert one.mean == pytest.approx(float(np.mean(first[1] - first[0])), abs=1e-12)


def test_other_head_starts_are_other_worlds() -> None:
    found = compare(shipped("baseline", "haplo_first"), replications=20)
    in_use = parameters().donor_search
    points = [p for p in found.contrast().head_start if p.under_way_share == in_use.under_way_share]
    assert [p.median_days for p in points] == [times * in_use.head_start_median_days for times in (1.0, *MEDIANS)]
    assert [p.in_use for p in points] == [True, False, False]
    realized = {p.median_days: p.differences["realization"] for p in points}
    levels = [realized[days].reference for days in sorted(realized)]
    assert levels == sorted(set(levels))
    assert len({one.mean for one in realized.values()}) == 3


def test_an_assumed_head_start_leaves_all_other_parameters() -> None:
    usual = parameters()
    changed = Assumed(0.25, 30.0).changes(usual).of(range(3), 1)
    values, others = parameters_to_dict(usual), parameters_to_dict(changed)
    assert {name: others[name] for name in values if others[name] != values[name]} == {
        "donor_search.under_way_share": 0.25,
        "donor_search.head_start_median_days": 30.0,
    }
    for item in fields(usual):
        assert item.name == "donor_search" or getattr(changed, item.name) == getattr(usual, item.name)


def test_only_where_donors_are_sought_otherwise() -> None:
    found = compare(shipped("baseline", "haplo_first", "transplant_after_cycle_1", "no_second_hsct"), replications=2)
    assert [len(contrast.head_start) > 0 for contrast in found.contrasts] == [True, True, False]


# --- a policy of one's own ------------------------------------------------------------------------------


class EarlySearch:
    """Does what the shipped scenario early_donor_search does."""

    def searches(self, chart: Chart) -> bool:
        return chart.excluded_by is None if chart.day == 0 else bool(chart.usual)


class Declines:
    """Transplants nobody."""

    def is_candidate(self, chart: Chart) -> bool:
        return chart.day < 0


def test_a_policy_of_ones_own_does_what_the_same_scenario_does() -> None:
    told = bs.compare("baseline", policies={"Early": EarlySearch, "None": Declines}, replications=3)
    shipped_so = bs.compare("baseline", "early_donor_search", replications=3)
    assert told.policies == ("Early", "None")
    assert [arm.engine for arm in told.arms] == ["fast", "des", "des"]
    assert told.arm("Early").own_policy is EarlySearch
    assert _equal(told.arm("Early").values, shipped_so.arm("early_donor_search").values)
    assert _equal(pairs_of(told, "Early"), pairs_of(shipped_so))
    assert _equal(told.contrast("Early").head_start, shipped_so.contrast().head_start)
    assert told.difference("transplanted", "None").policy == 0.0
    assert told.contrast("None").head_start == ()


class Inherits(OwnPolicy):
    """Answers one question; the others are only described."""

    def conditioning(self, chart: Chart) -> str:
        return str(chart.usual)


def test_what_a_policy_only_inherits_is_no_answer() -> None:
    assert Living(scenario(), Inherits).answers("searches", "conditioning")
    assert not Living(scenario(), Inherits).answers("searches", "accept_from_day")
    assert not Living(scenario()).answers("conditioning")


def test_wrong_policies_of_ones_own_are_one_line() -> None:
    with pytest.raises(ScenarioError, match="a scenario and a policy are called baseline"):
        bs.compare("baseline", policies={"baseline": EarlySearch}, replications=1)
    with pytest.raises(ScenarioError, match="engine fast knows no policies of one's own"):
        bs.compare("baseline", policies={"Early": EarlySearch}, replications=1, engine="fast")
    with pytest.raises(PolicyError, match="answers no question"):
        bs.compare("baseline", policies={"Early": object}, replications=1)
    with pytest.raises(ScenarioError, match="at least one other scenario"):
        bs.compare(policies={"Early": EarlySearch, "None": Declines})


# --- words of Python -----------------------------------------------------------------------------------


def test_from_python() -> None:
    found = bs.compare("baseline", "early_donor_search", "haplo_first", replications=2, seed=3)
    assert found.policies == ("early_donor_search", "haplo_first")
    assert found.difference("os_24_months", "haplo_first").measure.label == "OS at 24 months, all patients"
    with pytest.raises(BlinasimError, match="which policy"):
        found.difference("os_24_months")
    with pytest.raises(BlinasimError, match="no such measure 'os_24_month'; did you mean os_24_months"):
        found.difference("os_24_month", "haplo_first")
    with pytest.raises(BlinasimError, match="no policy 'haplo'"):
        found.contrast("haplo")
    assert "2 trials of 189 patients, seed 3" in repr(found)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ((), "at least one other scenario"),
        (("baseline",), "at least one other scenario"),
        (("baseline", "baseline"), "two of the scenarios are called baseline"),
        (("baseline", "nonsense"), "no scenario named 'nonsense'"),
        ((scenario(size=5), "baseline"), "a test has 5 patients and baseline 189"),
    ],
)
def test_wrong_comparisons_are_one_line(asked: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        bs.compare(*asked, replications=2)
    assert "\n" not in str(caught.value)


def test_two_trials_of_one_draw_count_once_in_the_interval() -> None:
    """Student's t over 3 pairs, not 6 trials: 2 degrees of freedom, 4.303."""
    (measure,) = (one for one in measures_of([], None) if one.id == "rmst_24_months")
    policy = np.array([1.0, 1.0, 2.0, 2.0, 3.0, 3.0])
    found = Difference.of(measure, np.zeros(6), policy, paired_trials=True)
    assert found.mcse == pytest.approx(1 / np.sqrt(3))
    assert found.upper - found.mean == pytest.approx(4.30265 / np.sqrt(3), rel=1e-4)
    alone = Difference.of(measure, np.zeros(6), policy)
    assert alone.upper - alone.mean == pytest.approx(2.57058 * alone.mcse, rel=1e-4)
