"""What the page computes, without Streamlit; and that its command says what is wrong in one line."""

from __future__ import annotations

import math
import os
import re
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from blinasim import __version__
from blinasim.api import compare, load_scenario
from blinasim.app import about, designs, explore, illusion, stories, trial_view
from blinasim.app.controls import CONTROLS, REFERENCE, Source, changes_of, downloaded, uploaded
from blinasim.errors import ScenarioError
from blinasim.files import shipped_designs, shipped_scenarios
from blinasim.report.story import tell
from blinasim.scenario.settings import AfterCycle
from blinasim.scenario.writing import changes_to_yaml

REPOSITORY = Path(__file__).parents[1]
ALL = [control for group in CONTROLS.values() for control in group]
BAD = b"extends: baseline\npolicy:\n  donr_search: {starts: enrolment}\n"


def saved(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


# --- settings and files -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", shipped_scenarios())
def test_a_download_is_the_same_scenario_and_says_no_more_than_it_needs(name: str, tmp_path: Path) -> None:
    scenario = load_scenario(name)
    text = downloaded(scenario)
    assert load_scenario(saved(tmp_path, text)) == scenario
    data = YAML(typ="safe").load(text)
    assert data["extends"] == REFERENCE
    reference = load_scenario(REFERENCE)
    for part in ("cohort", "policy", "capacity", "trial", "payoffs", "study"):
        assert (part in data) == (getattr(scenario, part) != getattr(reference, part)) or name == "haplo_first"


def test_a_download_keeps_the_order_of_donors_which_decides_ties(tmp_path: Path) -> None:
    haplo = load_scenario("haplo_first")
    read = load_scenario(saved(tmp_path, downloaded(haplo)))
    assert list(read.policy.donor_search.accept_from_day) == list(haplo.policy.donor_search.accept_from_day)
    same = ("sibling", "unrelated")
    one, other = (
        load_scenario("baseline", [f"policy.donor_search.accept_from_day={{{', '.join(f'{d}: 0' for d in order)}}}"])
        for order in (same, reversed(same))
    )
    assert one.policy == other.policy  # tables are equal in any order, and yet one says another thing
    assert "accept_from_day" in changes_to_yaml(other, one, "baseline")


@pytest.mark.parametrize("name", shipped_scenarios())
def test_controls_show_every_shipped_scenario_and_move_nothing_by_themselves(name: str) -> None:
    scenario = load_scenario(name)
    for control in ALL:
        value = control.value(scenario)
        assert control.meaning
        if control.several:
            assert set(value) <= set(control.options)
        elif control.options:
            assert value in control.offered(scenario)
        elif control.high:
            low, high = control.bounds(scenario)
            assert low <= value <= high
        else:
            assert isinstance(value, bool)
    assert changes_of(scenario, {control.path: control.value(scenario) for control in ALL}) == ()


MOVED = {
    "policy.donor_search.starts": AfterCycle(after_cycle=2),
    "policy.donor_search.accept_from_day.cord": None,
    "policy.donor_search.accept_from_day.haploidentical": 30,
    "policy.transplant.candidates.max_age_years": 60,
    "policy.transplant.candidates.fitness": ("good", "fair"),
    "policy.transplant.conditioning.forced": "reduced",
    "policy.transplant.offered": True,
    "policy.cycles.maintenance.offered": True,
    "cohort.size": 120,
}


def test_moved_settings_survive_download_and_upload(tmp_path: Path) -> None:
    source = Source("baseline")
    scenario = source.load(changes_of(source.load(), MOVED))
    assert scenario.policy.donor_search.starts == AfterCycle(after_cycle=2)
    assert scenario.policy.donor_search.accept_from_day == {"sibling": 0, "unrelated": 0, "haploidentical": 30}
    assert scenario.policy.transplant.candidates.fitness == ("good", "fair")
    again = uploaded("mine.yaml", downloaded(scenario).encode())
    assert again.load() == scenario == load_scenario(saved(tmp_path, downloaded(scenario)))
    titled = source.changed(changes_of(source.load(), MOVED))
    assert titled.model_copy(update={"title": scenario.title, "why": scenario.why}) == scenario
    assert titled.title == f"{source.load().title}, changed"
    assert all(change in titled.why for change in changes_of(source.load(), MOVED))
    twice = uploaded("mine.yaml", downloaded(titled).encode()).changed(("cohort.size=90",))
    assert twice.title == titled.title
    assert twice.why == f"{titled.why} Changed on the page: cohort.size=90."
    for path, value in MOVED.items():
        assert next(control for control in ALL if control.path == path).value(again.load()) == value


@pytest.mark.parametrize(
    "content",
    [BAD, b"extends: baseline\ncohort: {size: many}\n", b"extends: [\n", b"\xff\xfe\x00",
     b"extends: nothing\ntitle: x\n",
     b"", b"extends: baseline\ntitle: \x00\n",
     b"title: x\npolicy: {cycles: {maximum: 2}, transplant: {earliest_cycle: 4}}\n"],
)  # fmt: skip
def test_a_bad_upload_is_refused_in_the_words_of_the_command_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(content)
    with pytest.raises(ScenarioError) as refused:
        uploaded("mine.yaml", content)
    said = subprocess.run(
        [sys.executable, "-m", "blinasim", "show", "mine.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 2
    assert f"blinasim: {refused.value}\n" == said.stderr


def test_an_upload_names_no_place_of_this_computer_and_reads_no_patients() -> None:
    with pytest.raises(ScenarioError, match=r"^mine\.yaml: cohort\.data"):
        uploaded("mine.yaml", b"extends: baseline\ncohort: {data: {file: patients.csv}}\n")
    with pytest.raises(ScenarioError) as refused:
        uploaded("../../mine.yaml", b"extends: ../other.yaml\n")
    assert "/tmp" not in str(refused.value)


def test_settings_that_contradict_each_other_are_refused_in_one_line() -> None:
    source = Source("baseline")
    changes = changes_of(
        source.load(), {"policy.transplant.earliest_cycle": 5, "policy.cycles.maximum": 2, "cohort.size": 50}
    )
    with pytest.raises(ScenarioError, match=r"earliest_cycle 5 is beyond cycles\.maximum 2"):
        source.load(changes)


def test_a_cohort_too_large_for_a_page_is_refused_before_anything_is_drawn() -> None:
    with pytest.raises(ScenarioError, match=r"at most 5,000 patients a trial; blinasim compare takes more"):
        explore.answer(load_scenario("baseline", ["cohort.size=1000000"]))


# --- explore ------------------------------------------------------------------------------------------


def test_the_page_says_what_the_command_line_says() -> None:
    scenario = load_scenario("early_donor_search", ["cohort.size=100"])
    found = explore.compared(scenario)
    trials = explore.trials_for(scenario)
    said = compare(load_scenario("baseline", ["cohort.size=100"]), scenario, replications=trials)
    for measure in ("os_24_months", "realization", "transplanted"):
        one, other = found.difference(measure), said.difference(measure)
        assert (one.mean, one.lower, one.policy) == (other.mean, other.lower, other.policy)
    assert trials % 2 == 0


def test_an_answer_says_its_numbers_and_their_error() -> None:
    scenario = load_scenario("no_transplantation", ["cohort.size=60"])
    found = explore.answer(scenario)
    assert found.rows[4][:3] == ("Ever transplanted", found.rows[4][1], "0.0 %")
    assert re.search(r"95 % Monte Carlo interval [−+]\d+\.\d\d to [−+]\d+\.\d\d", found.sentence)
    assert f"{explore.trials_for(scenario):,} simulated trials of 60 patients" in found.basis
    assert found.flow is not None
    assert "24 months" in found.survival.alt
    assert found.survival.svg.startswith("<?xml")


@pytest.mark.parametrize(
    ("mean", "words"),
    [(-0.0012, "Survival is slightly lower in this model: a difference of less than 1 point is small."),
     (0.0012, "Survival is slightly higher in this model"),
     (-0.03, "Survival is lower in this model."),
     (0.03, "Survival is higher in this model.")],
)  # fmt: skip
def test_a_difference_is_said_in_proportion(mean: float, words: str) -> None:
    found = explore.compared(load_scenario("no_transplantation", ["cohort.size=30"])).difference("os_24_months")
    said = explore._survival_words(replace(found, mean=mean, lower=mean - 0.0005, upper=mean + 0.0005))
    assert words in said
    assert ("small" in said) == (abs(mean) < 0.01)


def test_the_baseline_beside_itself_differs_in_nobody() -> None:
    assert explore.answer(load_scenario("baseline", ["cohort.size=30"])).sentence == (
        "Nobody's life differs from the baseline's."
    )


def test_other_patients_have_no_flow() -> None:
    assert explore.answer(load_scenario("older_cohort", ["cohort.size=30"])).flow is None


def test_an_earlier_search_gains_more_where_fewer_are_under_way() -> None:
    scenario = load_scenario("early_donor_search", ["cohort.size=100"])
    few, many = (explore.compared(scenario, share).difference("realization").mean for share in (0.0, 0.9))
    assert few > many + 0.02
    assert 0.0 < explore.usual_under_way_share() < 1.0


# --- stories ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind.label for kind in stories.KINDS])
def test_patients_of_a_kind_are_such(kind: str) -> None:
    one, other = load_scenario("baseline"), load_scenario("early_donor_search")
    known = stories.found(kind, one, other)
    assert known
    trial, patient = known[-1]
    told = stories.two_lives(one, other, ("baseline", "early"), trial, patient)
    assert told.one == tell(one, trial=trial, patient=patient)
    assert told.other == tell(other, trial=trial, patient=patient)
    words = " ".join(text for _, text in told.one.lines)
    expected = {
        "relapses while a donor is sought": ("relapse", "donor search"),
        "is transplanted and alive after five years": ("on-study HSCT",),
        "dies after a transplant, without relapse": ("on-study HSCT", "dies of"),
        "relapses after a transplant": ("on-study HSCT", "relapse"),
    }
    assert all(word in words for word in expected.get(kind, ()))
    if kind == "never reaches remission":
        assert "remission (CR" not in words
    assert (told.clock is None) == ("never reaches" in kind)
    if "longer" in kind or "sooner" in kind:
        assert re.search(r"lives [\d,]+ days (longer|shorter)", told.sentence)
        assert ("longer" in told.sentence) == ("longer" in kind)


@pytest.mark.parametrize(
    "kind", ["lives longer under the other policy", "stays in remission for five years without a transplant"]
)
def test_a_lane_shows_the_last_event_or_says_when_it_comes(kind: str) -> None:
    one, other = load_scenario("baseline"), load_scenario("early_donor_search")
    trial, patient = stories.found(kind, one, other)[0]
    told = stories.two_lives(one, other, ("baseline", "early"), trial, patient)
    texts = " ".join(re.findall(r"<!-- (.*?) -->", told.picture.svg, re.DOTALL))
    for day in re.findall(r"(?:relapse|death) on day (\d+)", told.picture.alt):
        assert f"{int(day):,}" in texts


def test_equal_lives_are_said_to_be_equal() -> None:
    scenario = load_scenario("baseline")
    told = stories.two_lives(scenario, scenario, ("a", "b"), 3, 5)
    assert told.sentence == "This patient's life is the same under both, to the day."


# --- what the trial saw -------------------------------------------------------------------------------


def test_a_later_cut_off_changes_what_is_seen_and_not_what_is_true() -> None:
    early, late = (
        trial_view.simulate(
            trial_view.asked("baseline", 430, gap, 2, 60), parameters=trial_view.parameters_said("point")
        )
        for gap in (0, 730)
    )
    assert early.oracles["os"] == late.oracles["os"]
    assert np.median(early.estimates["followup"].value) + 20 < np.median(late.estimates["followup"].value)
    held = trial_view.coverage(late, "os")
    assert held is not None
    assert abs(held[0] - 0.95) < 4 * math.sqrt(0.95 * 0.05 / trial_view.TRIALS)
    assert trial_view.coverage(late, "d100") is None


def test_what_is_seen_is_said_with_its_range_and_the_reasons() -> None:
    found = trial_view.seen(trial_view.asked("baseline", 430, 84, 2, 100))
    assert re.search(r"median survival of \d+\.\d \(\d+\.\d-[\d.nr]+\) months; the truth is \d+\.\d", found.sentence)
    assert len(found.reasons) == 3
    assert re.search(r"Published: 11 % of 32 transplanted. Here a trial has about 1\d transplanted", found.reasons[0])
    assert "No cut-off mends that" in found.reasons[1]
    assert [row[0] for row in found.rows][-1] == "100-day mortality after HSCT"
    assert found.rows[-1][1] == "11 % (0-23)"


def test_a_trial_that_sees_too_little_says_so() -> None:
    found = trial_view.seen(trial_view.asked("baseline", 60, 0, 2, 30))
    assert "cannot be estimated in most trials" in found.sentence


def test_where_nobody_is_transplanted_no_reason_speaks_of_it() -> None:
    found = trial_view.seen(trial_view.asked("no_transplantation", 430, 84, 2, 60))
    assert len(found.reasons) == 1
    assert found.reasons[0].startswith("A relapse is dated")
    assert "published: 11 %" not in found.sentence


def test_a_cut_off_is_blamed_for_nothing_where_censoring_misleads_nobody() -> None:
    result = trial_view.simulate(
        trial_view.asked("baseline", 430, 84, 2, 60), parameters=trial_view.parameters_said("point")
    )
    rows = {row.summary.endpoint.id: row for row in trial_view.rows_of(result)}
    one = rows["os_cens"]
    limit = one.summary.limit
    assert limit is not None
    for oracle, blamed in ((limit, False), (limit + 0.2, True), (limit - 0.2, True)):
        rows["os_cens"] = replace(one, summary=replace(one.summary, oracle=oracle))
        said = " ".join(trial_view.reasons(result, rows))
        assert ("No cut-off mends that" in said) is blamed
        assert ("less than 0.1 months" in said) is not blamed


# --- the illusion -------------------------------------------------------------------------------------


def test_a_transplant_that_does_nothing_looks_good_to_the_naive() -> None:
    found = illusion.estimated("nothing at all", 90)
    assert found.changed == 0
    naive, fair = (found.outcomes["os"].of(name).performance.mean for name in ("naive_hr", "landmark_hr"))
    assert naive.value + 4 * naive.mcse < -0.3
    assert abs(fair.value) < abs(naive.value)
    shown = illusion.illusion("nothing at all", 90)
    assert "HSCT does nothing" in shown.sentence
    assert "due to relapse" in shown.sentence
    assert shown.rows[0][3] == "1.00"
    assert re.fullmatch(r"0\.\d\d \(0\.\d\d to 0\.\d\d\)", shown.rows[0][1])


def test_a_truth_that_is_not_exact_has_its_monte_carlo_interval() -> None:
    found = illusion.estimated("what the model says", 90)
    assert re.search(
        r"true gain is [+−]\d\.\d percentage points \([+−]\d\.\d to [+−]\d\.\d\)", illusion.sentence(found)
    )
    for one in found.outcomes["os"].findings:
        # Estimates of small trials are skew: the range must be that of the trials, not of a normal curve.
        assert one.performance.most[0] < one.performance.mean.value < one.performance.most[1]


def test_guaranteed_time_is_that_before_the_transplant() -> None:
    data = illusion.responders(load_scenario("null_transplant"), 2)
    treated, time = data.treated[0], data.time_days[0]
    ever = treated < illusion.NEVER
    assert np.all(treated[ever] <= time[ever])
    shown = illusion.guaranteed("nothing at all", 2)
    assert f"{int(ever.sum())} transplanted had to live {treated[ever].mean():.0f} days" in shown.sentence


# --- designs ------------------------------------------------------------------------------------------


def test_every_design_can_be_shown_as_it_is() -> None:
    assert list(designs.titles()) == shipped_designs()
    for name in shipped_designs():
        assert designs.Planned(name).changes() == []
        assert designs.can_change(designs.Planned(name).load().design)


def test_a_changed_design_is_what_was_asked_for() -> None:
    design = designs.Planned("phase3_standard_therapy", size=200, looks=2, allocation="1:1").load().design
    assert (design.size, len(design.looks), designs.allocation_of(design)) == (200, 2, "1:1")
    assert design.looks[-1].events == 165  # half of the patients, half of the 330 deaths
    assert design.looks[0].events == 83
    assert designs.Planned("phase3_early_search", looks=1).load().design.futility.kind == "none"


def test_a_design_is_judged_with_its_error() -> None:
    found = designs.judged(designs.Planned("single_arm_exact", size=60), 200)
    assert re.search(r"\d+\.\d % \(95 % interval \d+\.\d to \d+\.\d\) of such trials succeed", found.sentence)
    assert found.rows[0][0] == "Power; error of the first kind"
    assert float(found.rows[0][1].split()[0]) > float(found.rows[0][2].split()[0])


def test_an_impossible_design_is_refused_in_one_line() -> None:
    with pytest.raises(ScenarioError) as refused:
        designs.Planned("predictive_probability", size=30).load()
    assert "\n" not in str(refused.value)


# --- about, and the command ---------------------------------------------------------------------------


def test_the_citation_agrees_with_that_of_the_repository() -> None:
    cff = YAML(typ="safe").load(REPOSITORY / "CITATION.cff")
    assert about.citation() == (
        f"{cff['authors'][0]['name']}. {cff['title']}, version {__version__} [software]. Licence: {cff['license']}."
    )
    assert sum(about.grades().values()) > about.grades()["assumption"] > 0


def test_nothing_of_the_page_is_imported_by_the_command_line() -> None:
    code = (
        "import sys; from blinasim.cli import main; "
        "assert not [m for m in sys.modules if m.startswith(('streamlit', 'blinasim.app'))], 'page imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def page(*options: str, **given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "blinasim", "app", *options],
        capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **given},
    )  # fmt: skip


def test_without_streamlit_one_line_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'streamlit' else find(name, *a)\n"
    )
    said = page("--no-browser", PYTHONPATH=f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    assert said.returncode == 2
    assert said.stderr == "blinasim: the page needs Streamlit; install it with: pip install 'blinasim[app]'\n"


def test_a_port_that_is_taken_is_refused_in_one_line() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        said = page("--no-browser", "--port", str(other.getsockname()[1]))
    assert said.returncode == 2
    assert re.fullmatch(r"blinasim: port \d+ is taken or may not be used; choose another with --port\n", said.stderr)


def test_visitors_at_one_time_see_what_each_would_see_alone() -> None:
    asked = [load_scenario(name, ["cohort.size=40"]) for name in ("early_donor_search", "haplo_first", "maintenance")]
    alone = [explore.answer(scenario) for scenario in asked]
    with ThreadPoolExecutor(3) as visitors:
        assert list(visitors.map(explore.answer, asked)) == alone
