"""Trial designs: words, enrolment, looks, decisions, and what simulated trials come to."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from scipy.stats import binom
from typer.testing import CliRunner

from blinasim.cli.main import _run, app
from blinasim.errors import ScenarioError
from blinasim.files import read_yaml, shipped_designs
from blinasim.luck import Draws, Luck
from blinasim.model.catalogue import load_parameters
from blinasim.model.codes import NEVER, NONE, Donor
from blinasim.report import figures
from blinasim.report.design import characteristics, look_lines, sentences
from blinasim.report.design_file import DesignFile, design_file
from blinasim.report.manifest import hashes
from blinasim.scenario.design import AccrualStretch, Cut
from blinasim.scenario.design_file import TrialDesign, find_design, load_design
from blinasim.scenario.settings import Trial
from blinasim.scenario.writing import design_json_schema
from blinasim.statistics.intervals import clopper_pearson
from blinasim.statistics.sample_size import schoenfeld_power
from blinasim.study import design_trials
from blinasim.study.design_trials import course, live_arms, look_at_block, snapshots, trial_at_looks
from blinasim.study.evaluate_design import evaluate_design, under_null
from blinasim.study.evaluation import Evaluation
from blinasim.study.executors import processes
from blinasim.study.solve_design import solve_design
from blinasim.trial import decisions, enrolment, looks
from blinasim.trial.decisions import Ending
from blinasim.trial.looks import Course
from blinasim.trial.outcomes import OUTCOMES
from layout import assert_readable, words

TRIALS = 40
PHASE_3 = "phase3_standard_therapy"


def design(name: str, *changes: str) -> TrialDesign:
    return load_design(name, changes)


@cache
def evaluated(name: str, replications: int = 300, *, null: bool = False) -> Evaluation:
    return evaluate_design(design(name, f"study.replications={replications}"), null=null)


# --- words ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", shipped_designs())
def test_shipped_designs(name: str) -> None:
    path = find_design(name)
    jsonschema.validate(read_yaml(path, ScenarioError).data, design_json_schema())
    assert path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=design.schema.json\n")
    assert len(design(name).design.why) > 100


def test_what_is_shipped() -> None:
    assert set(shipped_designs()) == {
        "single_arm_exact", "simon_optimal", "simon_minimax", "predictive_probability", "phase3_early_search",
        PHASE_3, "sibling_donor",
    }  # fmt: skip
    of = design(PHASE_3).design
    assert of.planned_events == 330
    assert of.treated_share == pytest.approx(2 / 3)
    assert schoenfeld_power(0.7, 0.025, 330, 2.0) == pytest.approx(0.86, abs=0.005)


CONTRADICTIONS = [
    (PHASE_3, "alpha=0", r"alpha: 0 should be greater than 0"),
    (PHASE_3, "alpha=1", r"alpha: 1 should be less than 1"),
    (PHASE_3, "size=300", r"looks: final: events 330 cannot be reached with size 300"),
    (
        PHASE_3,
        "looks.0.when.events=250",
        r"out of order: three quarters \(events 248\) comes after half \(250\)",
    ),
    (PHASE_3, "looks.2.when={calendar_day: 9000}", r"calendar_day 9000 cannot be reached with longest_days 3653"),
    (PHASE_3, "looks.2.when={calendar_day: 900}", r"efficacy.planned_events is needed"),
    (PHASE_3, "arms.1.scenario=nowhere", r"arms.1.scenario: arm blinatumomab: no scenario named 'nowhere'"),
    (PHASE_3, "arms.1.scenario=scarce_beds", r"has counted places"),
    (PHASE_3, "arms.1.scenario=older_cohort", r"enrols other patients than the control"),
    (PHASE_3, "arms.1.name=standard", r"arms are both called standard"),
    (PHASE_3, "arms.1.changes=[policy.nonsense=1]", r"no such setting"),
    (PHASE_3, "test.kind=max_combo", r"only log_rank and cox can stop early with success"),
    (PHASE_3, "test.kind=rmst", r"test: day goes with kinds rmst and milestone"),
    (PHASE_3, "estimand.summary=rmst_difference", r"is not what test log_rank is about"),
    (PHASE_3, "estimand.variable=response", r"summary hazard_ratio does not summarize response"),
    (PHASE_3, "stratification=[]", r"test.stratified needs a stratification"),
    (PHASE_3, "futility.at=[0.1, 0.2, 0.3]", r"futility.at has 3 limits for 2 interim looks"),
    (PHASE_3, "futility.at=[1.5]", r"is no conditional_power"),
    (PHASE_3, "hazard_ratio=null", r"hazard_ratio is needed for the conditional power"),
    (PHASE_3, "accrual=[{days: 10, patients_per_month: 3}, {patients_per_month: 0}]", r"accrual ends with a pause"),
    (PHASE_3, "assignment=sibling_donor", r"knows no strata"),
    (PHASE_3, "hazard_ratio=1", r"hazard_ratio 1 is no alternative"),
    (PHASE_3, "futility={kind: beta_spending, beta: 2}", r"futility.beta: 2 should be less than 1"),
    ("sibling_donor", "test={kind: max_combo}", r"is not what test max_combo is about"),
    (PHASE_3, "looks.7.when.events=3", r"looks has no item 7"),
    (PHASE_3, "alhpa=0.1", r"alhpa: no such setting; did you mean alpha\?"),
    ("single_arm_exact", "plan.p1=0.2", r"plan: p1 0.2 should be above p0 0.3"),
    ("single_arm_exact", "sides=2", r"exact tests of a single arm are one-sided"),
    ("predictive_probability", "plan.looks_at=[30, 20]", r"looks_at \[30, 20\] are out of order"),
    ("predictive_probability", "size=40", r"plan.looks_at 50 is not before the whole trial of 40"),
]


@pytest.mark.parametrize(("name", "change", "message"), CONTRADICTIONS, ids=[one[1] for one in CONTRADICTIONS])
def test_contradictions_are_refused_in_one_line(name: str, change: str, message: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(design_trials, "live_arms", lambda *_: pytest.fail("was simulated"))
    with pytest.raises(ScenarioError, match=message) as refused:
        design(name, change)
    assert "\n" not in str(refused.value)
    assert re.match(r"(--set|.*\.yaml:\d+:\d+: )", str(refused.value)), "it says where"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (("efficacy.kind=haybittle_peto", "futility={kind: beta_spending}"), "goes with boundaries that spend alpha"),
        (("efficacy.kind=none", "futility.binding=true"), "that binds goes with boundaries that spend alpha"),
        (("looks=[{name: a, when: {events: 99}}]", "futility.kind=none", "test={kind: max_combo}", "sides=2"),
         "max_combo looks in one direction"),
        (("stratification=[]", "test={kind: log_rank}", "arms.1.allocation=1", "assignment=sibling_donor"),
         "allocation is not known beforehand"),
        (("looks.2.when={calendar_day: 900}", "efficacy.planned_events=330", "futility={kind: beta_spending}"),
         "needs events at every look"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(changes: tuple[str, ...], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        design(PHASE_3, *changes)


def test_a_simon_design_needs_its_patients() -> None:
    with pytest.raises(ScenarioError, match="simon_optimal: plan: needs 110 patients, and size is 60"):
        evaluate_design(design("simon_optimal", "size=60", "study.replications=2"))


def test_a_design_of_another_size_keeps_its_proportions() -> None:
    of = design(PHASE_3).design
    larger = of.of_size(800)
    assert [look.events for look in larger.looks] == [330, 496, 660]
    fewer = of.of_events(200)
    assert [look.events for look in fewer.looks] == [100, 151, 200]
    assert fewer.size == 400


# --- enrolment -----------------------------------------------------------------------------------------


def draws(patients: int = 200, trials: int = TRIALS, seed: int = 4) -> Draws:
    return Draws(Luck(seed), range(trials), patients)


def test_accrual_has_its_rates_and_pauses() -> None:
    stretches = [
        AccrualStretch(days=100, patients_per_month=30.4375),
        AccrualStretch(days=50, patients_per_month=0.0),
        AccrualStretch(patients_per_month=2 * 30.4375),
    ]
    day = enrolment.entry_days(stretches, draws(trials=400))
    assert (np.diff(day, axis=1) >= 0).all()
    assert not ((day >= 100) & (day < 150)).any()
    by_100, by_170 = (day < 100).sum(axis=1), ((day >= 150) & (day < 170)).sum(axis=1)
    assert by_100.mean() == pytest.approx(100, abs=4 * 10 / 20)
    assert by_100.var() == pytest.approx(100, rel=0.3)  # Poisson
    assert by_170.mean() == pytest.approx(40, abs=4 * np.sqrt(40) / 20)


def test_a_pause_at_an_interim_look_delays_whoever_comes_after_the_stage() -> None:
    """By the days until all of the stage are assessed; without a pause everybody comes on his own day."""

    def second_look(pause: str) -> tuple[np.ndarray, int]:
        asked = design("simon_optimal", f"plan.pause={pause}")
        first, last = trial_at_looks(asked, load_parameters(), 1)
        return last.batch.world.cohort.entry_day, first.batch.world.cohort.patients

    (paused, stage), (running, come) = second_look("true"), second_look("false")
    plan = design("simon_optimal").design.plan
    assert plan is not None
    assert come > stage  # who comes during the assessment is enrolled by then
    later = paused - running[: paused.size]
    assert later.tolist() == [0] * stage + [plan.assess_after_days] * (paused.size - stage)


def test_permuted_blocks_are_balanced_within_strata() -> None:
    luck = draws(patients=203)
    stratum = (luck.uniform("a test") < 0.3).astype(np.int8)
    arm = enrolment.allocate([1, 2], 2, stratum, luck)
    for number in (0, 1):
        for trial in range(TRIALS):
            mine = arm[trial, stratum[trial] == number]
            whole = mine[: mine.size // 6 * 6].reshape(-1, 6)
            assert (whole.sum(axis=1) == 4).all()
    assert len({tuple(row) for row in arm[:, :6].tolist()}) > 5


def test_more_patients_change_nobody() -> None:
    """Arrival, arm and life of the first patients are the same in a larger trial."""
    small, large = (live_arms(replace(design(PHASE_3), design=design(PHASE_3).design.of_size(n)), load_parameters(),
                              Luck(3), range(2)) for n in (400, 500))  # fmt: skip
    assert np.array_equal(small.arm, large.arm[:, :400])
    assert np.array_equal(small.cohort.entry_day.reshape(2, -1), large.cohort.entry_day.reshape(2, -1)[:, :400])
    assert np.array_equal(small.history.death.reshape(2, -1), large.history.death.reshape(2, -1)[:, :400])


def test_patients_are_in_one_arm_and_live_its_policy() -> None:
    asked = design("sibling_donor")
    lived = live_arms(asked, load_parameters(), Luck(2), range(5))
    has = (lived.fates.donor_search_days[:, Donor.SIBLING] < NEVER).reshape(lived.arm.shape)
    assert np.array_equal(lived.arm == 1, has)
    transplanted = (lived.history.hsct != NONE).reshape(lived.arm.shape)
    assert not transplanted[~has].any()
    assert transplanted[has].any()
    assert set(lived.history.donor[lived.history.hsct != NONE].tolist()) == {int(Donor.SIBLING)}


# --- looks ---------------------------------------------------------------------------------------------


def hand_made(**columns: Any) -> Course:
    """One trial of four patients."""
    usual: dict[str, Any] = {
        "entry_day": [0, 10, 20, 40],
        "lost_day": [500, 500, 15, 500],
        "start": [0, 0, 0, 0],
        "event": [30, 50, 20, NEVER],
        "competing": [NEVER] * 4,
    }
    arrays = {name: np.array([values], dtype=np.int32) for name, values in (usual | columns).items()}
    return Course(**arrays, last_visits=None, arm=np.array([[0, 1, 0, 1]], dtype=np.int8),
                  stratum=np.zeros((1, 4), dtype=np.int8))  # fmt: skip


@pytest.mark.parametrize(
    ("cut", "day"),
    [
        (Cut(calendar_day=35), 35),
        (Cut(events=1), 30),
        (Cut(events=2), 60),  # patient 3 dies on day 40, but was lost on day 35
        (Cut(events=3), 1000),  # never: the trial ends all the same
        (Cut(enrolled=3), 20),
        (Cut(enrolled=3, follow_up_days=28), 48),
        (Cut(follow_up_days=7), 47),
        (Cut(events=1, enrolled=4), 40),
        (Cut(any_of=(Cut(events=2), Cut(calendar_day=55))), 55),
        (Cut(all_of=(Cut(events=2), Cut(calendar_day=55))), 60),
        (Cut(calendar_day=58, any_of=(Cut(events=2), Cut(enrolled=2))), 58),
    ],
    ids=str,
)
def test_cuts_by_hand(cut: Cut, day: int) -> None:
    assert looks.cutoff_day(cut, hand_made(), 1000).tolist() == [day]


def test_a_snapshot_by_hand() -> None:
    at = looks.snapshot(hand_made(), np.array([30], dtype=np.int32))
    assert at.enrolled.tolist() == [3]  # the fourth comes on day 40
    assert at.member.tolist() == [[True, True, True, False]]
    assert at.time_days.tolist() == [[30, 20, 10, 0]]
    assert at.event.tolist() == [[True, False, False, False]]  # the day of the cut-off itself is seen
    composite = looks.snapshot(hand_made(competing=[25, NEVER, NEVER, NEVER]), np.array([30], dtype=np.int32))
    assert composite.time_days[0, 0] == 25
    assert not composite.event[0, 0]


@pytest.mark.parametrize(("variable", "hsct", "outcome"), [
    ("os", "treatment_policy", "os"), ("os", "hypothetical", "os_cens"),
    ("rfs", "treatment_policy", "rfs"), ("rfs", "while_on_treatment", "rfs_cens"),
])  # fmt: skip
def test_snapshots_agree_with_the_outcomes_of_trial_data(variable: str, hsct: str, outcome: str) -> None:
    """What a look sees is what the trial's data base at that cut-off would say, patient by patient."""
    population = "responders" if variable == "rfs" else "all_enrolled"
    asked = design(PHASE_3, f"estimand.variable={variable}", f"estimand.population={population}",
                   f"estimand.hsct={hsct}", "looks.0.when={calendar_day: 400}")  # fmt: skip
    of = next(one.of for one in OUTCOMES if one.id == outcome)
    for trial in (1, 2, 3):
        data = snapshots(
            asked.design, course(asked, live_arms(asked, load_parameters(), Luck(1), range(trial - 1, trial)))
        )
        for at, found in zip(trial_at_looks(asked, load_parameters(), trial), data, strict=True):
            n = int(found.enrolled[0])
            expected = of(at.batch.seen, Trial())
            member = found.member[0, :n]
            assert np.array_equal(expected.member[0], member)
            assert np.array_equal(expected.time_days[0][member], found.time_days[0, :n][member])
            assert np.array_equal(expected.event[0], found.event[0, :n])
            assert not found.member[0, n:].any()


def test_a_locked_look_never_changes() -> None:
    """Whatever happens after the cut-off, and to whoever enters after it, the look stays as it was, to the byte."""
    asked = design(PHASE_3)
    of = course(asked, live_arms(asked, load_parameters(), Luck(1), range(TRIALS)))
    locked = snapshots(asked.design, of)
    for at in locked[:-1]:
        seen_by = at.cutoff_day[:, np.newaxis] - of.entry_day
        later = {
            "event": np.where(of.event > seen_by, of.event + 17, of.event),
            "competing": np.where(of.competing > seen_by, seen_by + 1, of.competing),
            "lost_day": np.where(of.lost_day > seen_by, seen_by + 2, of.lost_day),
        }
        other = replace(of, **{name: values.astype(np.int32) for name, values in later.items()})
        again = looks.snapshot(other, at.cutoff_day)
        for item in fields(at):
            assert np.array_equal(getattr(at, item.name), getattr(again, item.name)), item.name
        assert not np.array_equal(looks.snapshot(other, locked[-1].cutoff_day).time_days, locked[-1].time_days)


def test_events_at_looks_are_those_asked_for() -> None:
    """The cut falls on the day of the event: more only where several die on it, and never one fewer."""
    looked, _ = look_at_block(design(PHASE_3), load_parameters(), Luck(1), range(TRIALS))
    surplus = looked.events - np.array([165, 248, 330])
    assert surplus.min() == 0
    assert surplus.max() <= 4
    assert (np.diff(looked.day, axis=1) > 0).all()


# --- decisions -----------------------------------------------------------------------------------------


def test_decisions_by_hand() -> None:
    of = design(PHASE_3).design
    bounds = decisions.boundaries(of, np.array([[165, 248, 330]] * 5))
    z = np.array([[3.0, 0, 0], [-1.0, 3, 3], [0, 2.5, 0], [1, 1.5, 1.9], [1, np.nan, 2.1]])
    found = decisions.decide(of, z, bounds)
    assert found.look.tolist() == [0, 0, 1, 2, 1]
    assert found.outcome.tolist() == [
        Ending.SUCCESS, Ending.FUTILITY, Ending.SUCCESS, Ending.NOT_SHOWN, Ending.FUTILITY
    ]  # fmt: skip
    one = decisions.Boundaries(bounds.upper[:1], bounds.lower[:1])
    on_the_boundary = np.array([[bounds.lower[0, 0], 9.0, 9.0]])  # of futility: it has to be crossed
    assert decisions.decide(of, on_the_boundary, one).look.tolist() == [1]
    anyway = decisions.decide(of, z, bounds, overruled=True)
    assert anyway.outcome.tolist() == [
        Ending.SUCCESS,
        Ending.SUCCESS,
        Ending.SUCCESS,
        Ending.NOT_SHOWN,
        Ending.SUCCESS,
    ]
    two_sided, looks_at = of.model_copy(update={"sides": 2}), np.array([[165, 248, 330]] * 2)
    mirrored = decisions.decide(
        two_sided, np.array([[-3.5, 0, 0], [-1, 0, 0]]), decisions.boundaries(two_sided, looks_at)
    )
    assert mirrored.outcome.tolist() == [Ending.HARM, Ending.FUTILITY]


def test_information_is_recomputed_at_each_look() -> None:
    """With more events than planned at an early look less is left for later; the last spends what is left of alpha."""
    of = design(PHASE_3).design
    bounds = decisions.boundaries(of, np.array([[165, 248, 330], [200, 248, 330], [165, 248, 300]]))
    assert bounds.upper[1, 0] < bounds.upper[0, 0]
    from blinasim.statistics import group_sequential

    for row, events in enumerate([[165, 248, 330], [200, 248, 330], [165, 248, 300]]):
        crossed = group_sequential.crossing(np.array(events, dtype=float), bounds.upper[row])
        assert crossed.success[0] == pytest.approx(0.025, abs=1e-9)


@pytest.mark.parametrize(
    "change",
    ["efficacy.kind=pocock", "efficacy.kind=haybittle_peto", "efficacy.kind=hwang_shih_decani", "efficacy.kind=none",
     "futility={kind: beta_spending}", "futility={kind: beta_spending, binding: true}", "futility={kind: z, at: [0]}",
     "futility={kind: hazard_ratio, at: [1.1, 0.9], binding: true}", "futility={kind: none}"],
)  # fmt: skip
def test_every_boundary_keeps_alpha(change: str) -> None:
    from blinasim.statistics import group_sequential

    of = design(PHASE_3, change).design
    events = np.array([165.0, 248.0, 330.0])
    assert [look.events for look in of.looks] == events.tolist()
    bounds = decisions.boundaries(of, events[np.newaxis].astype(np.int64))
    obeyed = of.futility.binding
    crossed = group_sequential.crossing(events, bounds.upper, bounds.lower if obeyed else None)
    assert crossed.success[0] == pytest.approx(0.025, abs=2e-9)
    assert (bounds.lower[:, :-1] < bounds.upper[:, :-1]).all()
    assert (bounds.lower[:, -1] == bounds.upper[:, -1]).all()  # nobody goes on after the last look
    assert np.isfinite(bounds.lower[:, :-1]).all() == (of.futility.kind != "none")


@pytest.mark.parametrize("efficacy", ["none", "haybittle_peto", "pocock"])
def test_futility_is_looked_at_whatever_the_boundary_of_success(efficacy: str) -> None:
    of = design(PHASE_3, f"efficacy.kind={efficacy}", "futility={kind: z, at: [-0.2, 0.3]}").design
    bounds = decisions.boundaries(of, np.array([[165, 248, 330]]))
    assert bounds.lower[0, :-1].tolist() == [-0.2, 0.3]


# --- what simulated trials come to -----------------------------------------------------------------------


def test_a_single_arm_is_as_exact_theory_says() -> None:
    """Success, stops and sizes of the simulated plan against the exact ones at the rate of all patients."""
    for name in ("single_arm_exact", "simon_optimal", "simon_minimax"):
        found = evaluated(name, 1_000)
        exact = found.exact
        assert exact is not None
        assert found.success.value == pytest.approx(exact.success, abs=3.5 * found.success.mcse)
        assert found.size.value == pytest.approx(exact.expected_size, abs=3.5 * found.size.mcse + 1e-9)
        for k, look in enumerate(found.looks()):
            assert look.futility.value + look.success.value >= 0
            early = look.futility.value if k + 1 < len(found.looked_patients) else 1 - look.success.value
            assert early >= 0
            error = np.sqrt(exact.stop_success[k] * (1 - exact.stop_success[k]) / 1_000)
            assert look.success.value == pytest.approx(exact.stop_success[k], abs=3.5 * error + 1e-12)


def test_the_null_of_a_single_arm_has_the_rate_p0() -> None:
    found = evaluated("single_arm_exact", 600, null=True)
    assert found.truth == pytest.approx(0.30, abs=0.001)
    error = found.exact.success if found.exact else 0.0
    assert error == pytest.approx(binom.sf(39, 100, found.truth), rel=1e-9)
    assert found.success.value == pytest.approx(error, abs=3.5 * np.sqrt(error / 600))


def test_under_the_null_both_arms_live_the_control() -> None:
    asked, _ = under_null(design(PHASE_3), load_parameters())
    assert asked.scenarios[0] == asked.scenarios[1]
    found = evaluated(PHASE_3, 300, null=True)
    assert abs(found.truth) < 0.03
    assert found.success.value < 0.07


def test_an_evaluation_hangs_together() -> None:
    found = evaluated(PHASE_3)
    summaries = list(found.looks())
    assert sum(look.success.value + look.futility.value + look.harm.value for look in summaries) == pytest.approx(
        found.success.value + found.futility.value
    )
    assert summaries[0].reached.value == 1.0
    assert summaries[1].reached.value == pytest.approx(1 - summaries[0].success.value - summaries[0].futility.value)
    assert found.success.mcse == pytest.approx(
        np.sqrt(found.success.value * (1 - found.success.value) / (found.replications - 1)), rel=1e-9
    )
    assert found.power_by_formula == pytest.approx(0.863, abs=5e-4)
    assert found.success_overruled.value >= found.success.value
    assert found.failures == 0


def test_the_pooled_truth_is_what_a_huge_trial_estimates() -> None:
    """The hazard ratio from daily counts against the same patients analysed as one trial."""
    from blinasim.statistics.hazard_ratio import hazard_ratio

    asked = design(PHASE_3, "test.stratified=false", "study.replications=60")
    found = evaluate_design(asked)
    of = course(asked, live_arms(asked, load_parameters(), Luck(1), range(60)))
    last = snapshots(asked.design, of)[-1]
    flat = [values.reshape(1, -1) for values in (last.time_days, last.event, of.arm == 1, last.member)]
    assert found.truth == pytest.approx(hazard_ratio(*flat).log[0], abs=2e-4)


def test_same_bytes_for_any_number_of_workers_and_chunk() -> None:
    asked = design(PHASE_3, "study.replications=24")
    one = evaluate_design(asked)
    with processes(2) as executor:
        other = evaluate_design(asked, executor=executor, chunk=7)
    for item in fields(one.looked):
        assert getattr(one.looked, item.name).tobytes() == getattr(other.looked, item.name).tobytes(), item.name
    for item in fields(one.counted):
        assert np.array_equal(getattr(one.counted, item.name), getattr(other.counted, item.name))
    assert one.decision.outcome.tobytes() == other.decision.outcome.tobytes()


@pytest.mark.parametrize(
    "changes",
    [("test={kind: max_combo}", "efficacy.kind=none", "futility={kind: none}"),
     ("test={kind: weighted_log_rank, gamma: 1}", "efficacy.kind=none", "futility={kind: z, at: [0]}"),
     ("test={kind: milestone, day: 365}", "estimand.summary=milestone_difference", "efficacy.kind=none",
      "futility={kind: none}"),
     ("test={kind: cox, stratified: true}",), ("estimand.hsct=composite",)],
)  # fmt: skip
def test_other_tests_and_strategies(changes: tuple[str, ...]) -> None:
    found = evaluate_design(design(PHASE_3, "study.replications=30", *changes))
    assert np.isfinite(found.looked.z).all()
    assert found.success.value > 0.2  # all of them see the effect more often than chance
    assert np.isfinite(found.truth)


def test_assurance_over_draws() -> None:
    """Over draws success is the assurance, in pairs of trials; bias and coverage have no single truth."""
    from posteriors import small_posterior

    found = evaluate_design(design(PHASE_3, "study.replications=40"), parameters=small_posterior())
    assert found.power_parts is not None
    assert np.isnan(found.bias.value)
    pairs = (found.decision.outcome == Ending.SUCCESS).reshape(-1, 2).mean(axis=1)
    assert found.success.mcse == pytest.approx(pairs.std(ddof=1) / np.sqrt(20))


# --- solving, command line, figures -----------------------------------------------------------------------


def test_a_size_is_solved() -> None:
    asked = design(PHASE_3, "study.replications=200", "test.stratified=false")
    found = solve_design(asked, 0.7)
    assert found.size == found.evaluation.design.size
    assert found.evaluation.success.value == pytest.approx(0.7, abs=4 * found.evaluation.success.mcse)
    assert 200 < found.size < 380
    assert found.mcse > 0
    exact = solve_design(design("single_arm_exact", "study.replications=2"), 0.9)
    assert decisions.plan_of(exact.evaluation.design).characteristics(0.43).success >= 0.9
    smaller = exact.evaluation.design.model_copy(update={"size": exact.size - 1})
    assert decisions.plan_of(smaller).characteristics(0.43).success < 0.9


def test_no_size_for_no_effect(monkeypatch: Any) -> None:
    from blinasim.study import solve_design as solving

    monkeypatch.setattr(solving, "_LARGEST", 500)
    with pytest.raises(ScenarioError, match=r"500 patients have a power of 0\.\d+ .* the effect is too small"):
        solve_design(design("phase3_early_search", "study.replications=20"), 0.9)
    with pytest.raises(ScenarioError, match="should be above alpha"):
        solve_design(design(PHASE_3), 0.01)


def test_the_command(tmp_path: Path) -> None:
    out = tmp_path / "t"
    said = ["trial", PHASE_3, "simon_minimax", "--replications", "20", "--parameters", "point", "--out", str(out)]
    done = CliRunner().invoke(app, said)
    assert done.exit_code == 0, done.output
    assert "Power" in done.output
    document = json.loads((out / "trial.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, DesignFile.model_json_schema())
    assert [one["name"] for one in document["designs"]] == [PHASE_3, "simon_minimax"]
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert {f"{PHASE_3}_trial_1/look_3/adsl.csv", "simon_minimax_trial_1/look_1/adtte.csv", "looks.csv"} <= names
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["files"] == hashes(out)
    assert set(manifest["designs"]) == {PHASE_3, "simon_minimax"}


def test_the_same_bytes_again_with_workers(tmp_path: Path) -> None:
    said = ["trial", "single_arm_exact", "--replications", "20", "--parameters", "point", "--seed", "3", "--out"]
    for name, workers in (("one", "1"), ("two", "2")):
        done = CliRunner().invoke(app, [*said, str(tmp_path / name), "--workers", workers, "--json"])
        assert json.loads(done.output) == json.loads((tmp_path / name / "trial.json").read_text(encoding="utf-8"))
    assert hashes(tmp_path / "one") == hashes(tmp_path / "two")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--solve", "n"], "--solve and --power go together"),
        (["--power", "0.9"], "--solve and --power go together"),
        (["--null", "--solve", "n", "--power", "0.9"], "exclude each other"),
    ],
)
def test_wrong_options(arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(app, ["trial", PHASE_3, *arguments])
    assert message in str(done.exception)


def test_what_no_trial_shows_has_a_limit_and_not_an_error_of_0() -> None:
    """By hand: of none among 20 trials the exact upper limit is 1 - 0.025 ** (1 / 20), 16.84 %."""
    few = evaluated("single_arm_exact", 20, null=True)
    assert few.success.value == 0.0
    told = dict(characteristics(few))
    assert told["Error of the first kind"] == "0.00 % (≤16.84)"
    assert told["Coverage of the 95 % interval"] == "100.00 % (≥83.16)"
    assert told["Stopped for futility"] == "0.00 %"  # there is no such look
    assert "±0.00" not in " ".join(cell for line in look_lines(few)[1] for cell in line)
    said = " ".join(sentences([few]))
    assert "far limit of the exact 95 % Monte Carlo interval" in said
    assert "Too few simulated trials to judge a design; 40 or more are needed." in said
    assert next(few.looks()).success.mcse == 0.0  # the data keep it
    assert few.limits(few.coverage, 10)[0] == pytest.approx(0.025**0.1)


def test_enough_trials_are_not_called_too_few() -> None:
    enough = evaluated("single_arm_exact", 300)
    said = " ".join((*sentences([enough]), *dict(characteristics(enough)).values()))
    assert "Too few" not in said
    assert "≤" not in said


def test_a_trial_that_is_not_simulated_cannot_be_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["trial", "single_arm_exact", "--replications", "20", "--out", str(tmp_path / "t")]
    assert _run([*asked, "--export", "21"]) == 2
    assert capsys.readouterr().err == "blinasim: --export 21: there are 20 trials\n"
    assert not (tmp_path / "t").exists()


def test_exported_trials_hold_what_the_look_saw() -> None:
    """ADTTE of a look has its events, ADSL its subjects and their arms."""
    from blinasim.report.exports import adsl, adtte

    asked = design(PHASE_3)
    looked, _ = look_at_block(asked, load_parameters(), Luck(1), range(3))
    for k, at in enumerate(trial_at_looks(asked, load_parameters(), 2)):
        subjects = adsl(at.batch, at.treatment)
        times = adtte(at.batch, Trial(), at.treatment)
        assert len(subjects) == looked.enrolled[1, k]
        assert set(subjects["TRT01P"]) == {"standard", "blinatumomab"}
        overall = times[times["PARAMCD"] == "OS"]
        assert int((overall["CNSR"] == 0).sum()) == looked.events[1, k]
        assert (subjects["EOSDT"] <= subjects["DCUTDT"]).all()
        assert dict(zip(times["USUBJID"], times["TRTP"], strict=True)) == dict(
            zip(subjects["USUBJID"], subjects["TRT01P"], strict=True)
        ) or set(times["USUBJID"]) <= set(subjects["USUBJID"])


@pytest.mark.parametrize("name", [PHASE_3, "sibling_donor", "simon_optimal"])
def test_figures_can_be_read(name: str) -> None:
    found = evaluated(name, 1_000 if name == "simon_optimal" else 300)
    drawn = [figures.boundaries(found), figures.duration(found)]
    if found.design.two_arms:
        drawn.append(figures.hazard_ratio_over_time(found))
    if figures.has_power_curve(found):
        drawn.append(figures.power_curve(found))
    if name == "simon_optimal":
        assert_readable(figures.power_curve(evaluated("single_arm_exact", 600, null=True)))
    for drawing in drawn:
        assert_readable(drawing)
        assert drawing.alt.startswith(found.design.title)


def test_few_trials_can_be_read_and_the_key_names_every_ending() -> None:
    found = evaluated(PHASE_3, 4)
    drawing = figures.boundaries(found)
    assert_readable(drawing)
    said = {text.get_text() for text in words(drawing)}
    assert {"success boundary", "futility boundary", "ends: success", "ends: futility", "ends: nothing shown"} <= said


def test_the_interval_of_a_simulated_power_has_a_width_where_all_or_none_succeed() -> None:
    found = evaluated("single_arm_exact", 2, null=True)
    assert not found.parameters.varies
    (bar,) = figures.power_curve(found).axes[0].containers
    (segment,) = bar[2][0].get_segments()
    successes = round(2 * found.success.value)
    np.testing.assert_allclose(segment[:, 1] / 100, clopper_pearson(successes, 2))
    assert segment[1, 1] > segment[0, 1]


def test_the_document_says_what_the_evaluation_says() -> None:
    found = evaluated(PHASE_3)
    document = design_file([found]).designs[0]
    assert document.success.value == found.success.value
    assert document.looks[1].success_by_theory == pytest.approx(found.analytic(np.exp(found.truth)).upper[0, 1])  # type: ignore[union-attr]


# --- bars, slow ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_error_and_stops_of_a_group_sequential_design() -> None:
    """20,000 trials 1:1 under the null: the error within 3 Monte Carlo errors of alpha, the stops as by theory."""
    asked = design(
        PHASE_3, "study.replications=20000", "arms.1.allocation=1", "futility={kind: z, at: [0], binding: true}"
    )
    with processes(2) as executor:
        found = evaluate_design(asked, null=True, executor=executor)
    assert found.success.value == pytest.approx(0.025, abs=3 * np.sqrt(0.025 * 0.975 / 20_000))
    theory = found.analytic(1.0)
    assert theory is not None
    for k, look in enumerate(found.looks()):
        for simulated, expected in (
            (look.success.value, theory.upper[0, k]),
            (look.futility.value, theory.lower[0, k]),
        ):
            if k < 2 or simulated > 0:
                assert simulated == pytest.approx(expected, abs=3.5 * np.sqrt(expected * (1 - expected) / 20_000))


@pytest.mark.slow
@pytest.mark.parametrize(("ratio", "events"), [(0.7, 200), (0.75, 300), (0.6, 100)])
def test_log_rank_power_of_exponential_arms(ratio: float, events: int) -> None:
    """The whole of looks and decisions on exponential lives 1:1: power within 0.015 of Schoenfeld's."""
    trials, patients = 8_000, 400
    luck = Draws(Luck(9), range(trials), patients)
    arm = enrolment.allocate([1, 1], 2, np.zeros((trials, patients), dtype=np.int8), luck)
    days = np.ceil(-np.log1p(-luck.uniform("a life")) * 400 / np.where(arm == 1, ratio, 1.0)).astype(np.int32)
    nothing = np.zeros((trials, patients), dtype=np.int32)
    entry = enrolment.entry_days([AccrualStretch(patients_per_month=30)], luck)
    far = np.full_like(nothing, NEVER)
    of = Course(entry, far, nothing, days, far, None, arm, nothing.astype(np.int8))
    only = f"looks=[{{name: only, when: {{events: {events}}}}}]"
    one = design(PHASE_3, "test.stratified=false", "arms.1.allocation=1", only, "futility={kind: none}").design
    data = looks.snapshot(of, looks.cutoff_day(one.looks[0].when, of, 36_525))
    z = decisions.analyse(one, of, data).z[:, np.newaxis]
    found = decisions.decide(one, z, decisions.boundaries(one, data.event.sum(axis=1)[:, np.newaxis]))
    power = float(np.mean(found.outcome == Ending.SUCCESS))
    assert power == pytest.approx(schoenfeld_power(ratio, 0.025, events), abs=0.015)


# --- documentation ------------------------------------------------------------------------------------------

DOCUMENT = (Path(__file__).parents[1] / "docs" / "designs.md").read_text(encoding="utf-8")


def test_the_documented_commands_are_understood(monkeypatch: Any, tmp_path: Path) -> None:
    """Every line of the terminal block, with few trials and a folder of its own."""
    block = re.findall(r"```sh\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    assert len(block) == 1
    monkeypatch.chdir(tmp_path)
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr("blinasim.study.verify.verify", lambda **_: [])
    monkeypatch.setattr("blinasim.report.design_folder._figures", lambda _: {})
    monkeypatch.setattr("blinasim.cli.terminal.console", lambda: Quiet())
    monkeypatch.setattr("blinasim.inference.choice.shipped_posterior", lambda: small())
    monkeypatch.setattr("blinasim.inference.choice.is_shipped", lambda _: False)
    for number, line in enumerate(block[0].strip().splitlines()):
        command, *arguments = line.split()
        assert command == "blinasim"
        extra = ["--out", f"r{number}", "--replications", "12"] if arguments[0] == "trial" else []
        done = CliRunner().invoke(app, [*arguments, *extra])
        reachable = "--solve" in arguments and isinstance(done.exception, ScenarioError)
        assert done.exit_code == 0 or reachable, (line, done.exception)
        asked.append(tuple(arguments))
    assert len(asked) == 10


class Quiet:
    width = 120

    def print(self, *_: object, **__: object) -> None:
        return


def small() -> Any:
    from posteriors import small_posterior

    return small_posterior()


def test_the_documented_python_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    assert "replications=200" in example
    names: dict[str, Any] = {}
    exec(example.replace("replications=200", 'replications=20, parameters="point"'), names)
    assert names["found"].replications == 20


def test_the_documented_design_is_one(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    path = tmp_path / "documented.yaml"
    path.write_text(example, encoding="utf-8")
    asked = load_design(path, ["study.replications=10"])
    assert np.isfinite(evaluate_design(asked).looked.z).all()


def test_the_document_names_every_test_boundary_and_plan() -> None:
    schema = json.dumps(design_json_schema())
    from typing import get_args

    from blinasim.scenario.design import TestName

    for word in (
        *get_args(TestName)[:-1],
        "beta_spending",
        "conditional_power",
        "predictive_probability",
        "sibling_donor",
    ):
        assert f"`{word}`" in DOCUMENT, word
        assert word in schema
