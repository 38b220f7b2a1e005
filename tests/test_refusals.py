"""What functions refuse, and rare ways through them, by hand: the branches that no study takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blinasim.errors import DataError, ScenarioError
from blinasim.luck import Draws, Luck
from blinasim.model.codes import NEVER, NONE, Depth, Mrd
from blinasim.model.history import COLUMNS, History
from blinasim.scenario.design import Cut
from blinasim.scenario.design_file import load_design
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.settings import Policy
from blinasim.statistics.conditional_mean import variance_share
from blinasim.statistics.counting import Rows
from blinasim.statistics.differences import ArmDifference
from blinasim.statistics.sample_size import schoenfeld_events
from blinasim.statistics.single_arm import BinomialPlan, exact_size, lee_liu, simon
from blinasim.statistics.weights import rake
from blinasim.study import simulate as study
from blinasim.study.effect_data import effect_of_file
from blinasim.study.evaluate_design import evaluate_design
from blinasim.study.replay import replay
from blinasim.study.solve_design import solve_design
from blinasim.trial import decisions, enrolment
from blinasim.trial.looks import Course, binary_outcome, cutoff_day
from worlds import parameters

# --- statistics --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: BinomialPlan((10,), (2, 3), (3,)), "two limits for each"),
        (lambda: BinomialPlan((), (), ()), "two limits for each"),
        (lambda: BinomialPlan((10, 10), (2, 3), (5, 4)), "ascending"),
        (lambda: BinomialPlan((0, 10), (0, 3), (1, 4)), "ascending"),
        (lambda: BinomialPlan((10,), (3,), (3,)), "cannot be futile and a success"),
        (lambda: BinomialPlan((10,), (3,), (5,)), "last look must decide"),
        (lambda: exact_size(0.3, 0.31, 0.025, 0.9, most=50), "no exact test with 50 patients or fewer"),
        (lambda: simon(0.3, 0.35, 0.05, 0.1, most=30), "no two-stage design with 30 patients"),
        (lambda: lee_liu(0.3, 20, (10,), posterior=0.95, futility=0.5, success=0.4), "0 <= futility < success <= 1"),
        (lambda: lee_liu(0.3, 20, (10,), posterior=0.95, futility=0.1, prior=(0.0, 1.0)), "prior must be above 0"),
        (lambda: lee_liu(0.9, 2, (1,), posterior=0.99, futility=0.1), "no number of responses among 2"),
        (lambda: schoenfeld_events(1.0, 0.025, 0.9), "above 0 and not 1, not 1"),
        (lambda: schoenfeld_events(0.7, 0.025, 0.9, ratio=0.0), "ratio must be above 0"),
        (lambda: rake([np.array([[True, True], [False, False]])], [np.array([0.5, 0.5])]), "category 1 of a margin"),
        (lambda: Rows.of(np.zeros(3), np.ones(3), np.ones(3, dtype=bool)), "of one shape"),
        (lambda: Rows.of(np.ones((1, 2)), np.ones((1, 2)), np.ones((1, 2), dtype=bool)), "begin before it ends"),
    ],
)
def test_statistics_refuse_in_words(call: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call()


def test_a_difference_has_its_p_value_and_limits() -> None:
    """1.959964 standard errors from 0: p = 0.05, and limits of 0 and twice the value."""
    found = ArmDifference(np.array([1.959964]), np.array([1.0]))
    assert found.p_value == pytest.approx([0.05], abs=1e-7)
    lower, upper = found.interval()
    assert (lower[0], upper[0]) == pytest.approx((0.0, 3.919928), abs=1e-6)


def test_what_never_varies_has_no_share_of_variance() -> None:
    inputs, weights = np.arange(8.0).reshape(8, 1), np.full(8, 0.125)
    assert variance_share(inputs, np.full(8, 3.0), weights).value == 0.0


# --- trial ---------------------------------------------------------------------------------------------------


def histories(**columns: list[int]) -> History:
    n = len(next(iter(columns.values())))
    given = {name: np.array(column, dtype=np.int32) for name, column in columns.items()}
    return History(**{name: given.get(name, np.full(n, NONE, dtype=np.int32)) for name in COLUMNS})


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("response", [True, True, True, False, False, True, True]),
        ("complete_response", [True, False, True, False, False, True, False]),
        ("mrd_negative", [True, False, True, False, False, False, True]),
    ],
)
def test_binary_outcomes_by_the_day_of_assessment(variable: str, expected: list[bool]) -> None:
    """CR; CRh*; CRh* that deepens by day 70; in cycle 3; never; MRD unknown; CRh* that deepens after its loss."""
    history = histories(
        remission=[28, 28, 28, 112, NONE, 70, 28],
        depth=[Depth.CR, Depth.CRH, Depth.CR, Depth.CR, NONE, Depth.CR, Depth.CR],
        deepening=[NONE, NONE, 70, NONE, NONE, NONE, 70],
        mrd=[Mrd.NEGATIVE, Mrd.POSITIVE, Mrd.NEGATIVE, Mrd.NEGATIVE, NONE, Mrd.UNKNOWN, Mrd.NEGATIVE],
    )
    asked = load_design("single_arm_exact", [f"estimand.variable={variable}"]).design
    lost = np.array([[NEVER] * 6 + [69]], dtype=np.int32)
    assert binary_outcome(asked, Policy(), history, lost)[0].tolist() == expected


def test_a_look_at_more_events_than_patients_never_comes() -> None:
    nothing = np.zeros((2, 3), dtype=np.int32)
    far = np.full((2, 3), NEVER, dtype=np.int32)
    of = Course(nothing, far, nothing, nothing + 5, far, None, nothing.astype(np.int8), nothing.astype(np.int8))
    assert cutoff_day(Cut(events=3), of, 1_000).tolist() == [5, 5]
    assert cutoff_day(Cut(events=4), of, 1_000).tolist() == [1_000, 1_000]
    assert cutoff_day(Cut(any_of=(Cut(calendar_day=9), Cut(calendar_day=7))), of, 1_000).tolist() == [7, 7]
    assert cutoff_day(Cut(all_of=(Cut(calendar_day=9), Cut(calendar_day=7))), of, 1_000).tolist() == [9, 9]


def test_nobody_is_lost_at_a_rate_of_0() -> None:
    draws = Draws(Luck(1), range(2), 3)
    assert (enrolment.lost_days(0.0, draws) == np.iinfo(np.int32).max).all()
    assert (enrolment.lost_days(1.0, draws) < 10_000).all()


# --- study ---------------------------------------------------------------------------------------------------


def test_patients_and_a_checkpoint_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="keeps no patients"):
        study.simulate(load_scenario("baseline"), keep=print, checkpoint=object())  # type: ignore[arg-type]


def test_one_of_patients_who_share_places_is_cut_out_of_the_trial() -> None:
    scenario = load_scenario("scarce_beds", ["cohort.size=60"])
    whole = replay(scenario, parameters(), 1)
    for patient in (1, 17, 60):
        alone = replay(scenario, parameters(), 1, patient=patient)
        assert alone.batch.history.death.tolist() == [whole.batch.history.death[patient - 1]]
        assert [(line.day, line.event) for line in alone.log] == [
            (line.day, line.event) for line in whole.log if line.patient == patient - 1
        ]
        assert alone.batch.world.cohort.age_years.tolist() == [whole.batch.world.cohort.age_years[patient - 1]]


def test_a_monitored_single_arm_is_solved_for_its_least_size() -> None:
    """The least size whose plan has the power: the plan one smaller has not."""
    asked = load_design("predictive_probability", ["study.replications=4"])
    found = solve_design(asked, 0.7)
    plan = found.evaluation.design.plan
    assert plan is not None
    power = decisions.plan_of(found.evaluation.design).characteristics(plan.p1).success
    assert power >= 0.7
    smaller = found.evaluation.design.model_copy(update={"size": found.size - 1})
    looks_at = tuple(sorted({max(1, round(at * smaller.size / asked.design.size)) for at in (20, 30, 40, 50)}))
    smaller = smaller.model_copy(update={"plan": plan.model_copy(update={"looks_at": looks_at})})
    assert decisions.plan_of(smaller).characteristics(plan.p1).success < 0.7


def test_estimates_of_draws_have_no_single_truth() -> None:
    asked = load_design("single_arm_exact", ["study.replications=4"])
    found = evaluate_design(asked, parameters=parameters())
    assert np.isfinite(found.bias.value)
    assert "4 trials of 100 patients" in repr(found)
    varying = replace(found, parameters=_Varying())  # type: ignore[arg-type]
    assert np.isnan(varying.bias.value)
    assert np.isnan(varying.coverage.value)


class _Varying:
    varies = True


@pytest.mark.parametrize(
    ("text", "adjust", "said"),
    [
        ('time_days,event,transplant_days\n10,1,"5', [], "not valid CSV"),
        ("time_days,event,transplant_days\n", [], "needs a header and at least one patient"),
        ("time_days,event,transplant_days\n10,1,5\n", ["event"], "cannot be adjusted for"),
        ("time_days,event,transplant_days,age\n10,1,5,40\n", ["age", "age"], "adjusted for twice"),
        ("time_days,event,transplant_days,age\n10,1,5,old\n", ["age"], "should be a number, or yes or no"),
    ],
)
def test_patients_of_ones_own_are_refused_in_words(tmp_path: Path, text: str, adjust: list[str], said: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        effect_of_file(path, adjust)


def test_a_power_that_cannot_be_wanted() -> None:
    with pytest.raises(ScenarioError, match=r"should be above alpha 0\.06 and below 1"):
        solve_design(load_design("predictive_probability"), 0.05)
