"""Scenario files: strict, and clear about what is wrong and where."""

from pathlib import Path

import pytest

from blinasim.errors import ScenarioError
from blinasim.files import shipped_scenarios
from blinasim.scenario.loading import load_scenario


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", shipped_scenarios())
def test_shipped_scenarios_load(name: str) -> None:
    assert load_scenario(name).title


def test_the_defaults_are_the_source_study() -> None:
    scenario = load_scenario("baseline")
    assert scenario.cohort.size == 189
    assert (scenario.policy.cycles.infusion_days, scenario.policy.cycles.rest_days) == (28, 14)
    assert scenario.trial.accrual.gap_days >= 84
    assert scenario.study.replications == 2_000


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("", "", "the file is empty"),
        ("- a", ":1:1", "a scenario is a table of settings, such as `title: ...`"),
        ("policy: {}", ":1:1", "title: is required"),
        ("title: x\ntitel: y", ":2:1", "titel: no such setting; did you mean title?"),
        ("title: x\ntitle: y", ":2:1", "title is written twice"),
        (
            "title: x\npolicy:\n  transplant:\n    candidates:\n      max_agee_years: 70",
            ":5:7",
            "policy.transplant.candidates.max_agee_years: no such setting; did you mean max_age_years?",
        ),
        (
            "title: x\npolicy:\n  donor_search:\n    accept_from_day: {sibbling: 0}",
            ":4:23",
            "policy.donor_search.accept_from_day.sibbling: 'sibbling' is not one of 'sibling', 'unrelated', "
            "'haploidentical', 'cord'; did you mean sibling?",
        ),
        (
            "title: x\npolicy: {donor_search: {starts: remision}}",
            ":2:25",
            "policy.donor_search.starts: 'remision' is not one of 'enrolment', 'remission'; did you mean remission?",
        ),
        ("title: x\ncohort: {size: 0}", ":2:10", "cohort.size: 0 should be greater than or equal to 1"),
        ("title: x\ncohort: {size: many}", ":2:10", "cohort.size: 'many' should be a valid integer"),
        (
            "title: x\ncohort: {prior_hsct_share: 1.2}",
            ":2:10",
            "cohort.prior_hsct_share: 1.2 should be less than",
        ),
        (
            "title: x\ncohort: {prior_hsct_share: .nan}",
            ":2:10",
            "cohort.prior_hsct_share: nan should be a finite number",
        ),
        (
            "title: x\ncohort: {blasts: {from_75_pct: 0.9}}",
            ":2:10",
            "cohort.blasts: the four shares must add up to 1, not 1.344",
        ),
        (
            "title: x\nstudy: &a {seed: 1}",
            ":2:8",
            "anchors and aliases (&a) are not allowed; write the value out",
        ),
        ("title: !!python/object:os.system x", ":1:8", "tag !!python/object:os.system is not allowed"),
        ("title: [x", ":1:10", "not valid YAML"),
    ],
)
def test_a_wrong_file_is_one_line_with_its_place(tmp_path: Path, text: str, where: str, what: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert str(caught.value).startswith(f"{path}{where}: {what}")
    assert "\n" not in str(caught.value)


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("title: Hämatologie".encode("latin-1"))
    with pytest.raises(ScenarioError, match="cannot be read"):
        load_scenario(path)
