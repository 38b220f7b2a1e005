"""What a user's own files become in the results folders of analyses: a copy, and no path of this machine."""

import json
from pathlib import Path

import pytest

from blinasim.cli.main import _run
from blinasim.report.manifest import hashes

pytestmark = pytest.mark.usefixtures("without_figures")

ROWS = "age_years,prior_hsct,salvage_lines,blasts_pct\n30,no,0,80\n40,yes,1,20.5\n70,no,2,60\n50,no,3,30\n"
SCENARIO = "extends: baseline\ncohort: {size: 40, data: {file: ours.csv, rows: resampled}}\n"
DESIGN = """title: ours
arms:
  - {name: a, scenario: ours.yaml}
size: 110
accrual:
  - {patients_per_month: 8}
estimand: {treatment: blinatumomab, variable: response, summary: response_rate}
plan: {kind: simon_optimal, p0: 0.30, p1: 0.45, beta: 0.10}
alpha: 0.05
"""
COMMANDS = {
    "effect": "effect ours.yaml --replications 3",
    "optimization": "optimize ours.yaml --over policy.transplant.earliest_cycle=1,3 --replications 40 "
    "--parameters point",
    "trial": "trial design.yaml --replications 20",
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {"ours.csv": ROWS, "ours.yaml": SCENARIO, "design.yaml": DESIGN}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def files_named(value: object) -> set[str]:
    """All cohorts' files that a manifest names, wherever."""
    if isinstance(value, list):
        return set().union(*map(files_named, value))
    if not isinstance(value, dict):
        return set()
    named = {value["data"]["file"]} if isinstance(value.get("data"), dict) else set()
    return named.union(*map(files_named, value.values()))


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_cohorts_file_travels_with_an_analysis(kind: str, here: Path) -> None:
    assert _run([*COMMANDS[kind].split(), "--out", "r"]) == 0
    assert (here / "r" / "cohort.csv").read_text(encoding="utf-8") == ROWS
    assert "a copy is in this folder" in (here / "r" / "report.html").read_text(encoding="utf-8") or kind == "trial"
    text = (here / "r" / "manifest.json").read_text(encoding="utf-8")
    assert str(here) not in text
    manifest = json.loads(text)
    assert manifest["kind"] == kind
    assert files_named(manifest) == {"cohort.csv"}
    assert manifest["files"] == hashes(here / "r")


def test_several_cohorts_files_are_told_apart(here: Path) -> None:
    (here / "theirs.csv").write_text(ROWS.replace("30,no", "31,no"), encoding="utf-8")
    (here / "theirs.yaml").write_text(SCENARIO.replace("ours", "theirs"), encoding="utf-8")
    (here / "second.yaml").write_text(DESIGN.replace("ours", "theirs"), encoding="utf-8")
    assert _run(["trial", "design.yaml", "second.yaml", "--replications", "20", "--out", "r"]) == 0
    assert (here / "r" / "cohort.csv").read_text(encoding="utf-8") == ROWS
    assert "31,no" in (here / "r" / "cohort_2.csv").read_text(encoding="utf-8")
    designs = json.loads((here / "r" / "manifest.json").read_text(encoding="utf-8"))["designs"]
    assert [files_named(designs[name]) for name in ("design", "second")] == [{"cohort.csv"}, {"cohort_2.csv"}]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("effect --data patients.csv", "is of an effect of data, which is not rerun; say blinasim effect again"),
        (COMMANDS["optimization"], "is of an optimization, which is not rerun; say blinasim optimize again"),
    ],
)
def test_rerun_says_which_command_to_say_again(
    words: str, said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = "\n".join(f"{30 + k},{k % 2},{'' if k % 3 else 20}" for k in range(30))
    (here / "patients.csv").write_text(f"time_days,event,transplant_days\n{days}\n", encoding="utf-8")
    assert _run([*words.split(), "--out", "r"]) == 0
    assert {"blinasim", "python", "packages", "files"} <= set(json.loads((here / "r" / "manifest.json").read_text()))
    capsys.readouterr()
    assert _run(["rerun", "r"]) == 2
    assert capsys.readouterr().err == f"blinasim: {Path('r') / 'manifest.json'}: {said}\n"
