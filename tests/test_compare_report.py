"""Comparisons as a user meets them: the command, its folder and documents, its figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import blinasim as bs
from blinasim import plot
from blinasim.cli import compare as command
from blinasim.cli.main import _run
from blinasim.cli.names import folder_of
from blinasim.files import shipped_scenarios
from blinasim.model.fates import FROM_REMISSION_OR_FAILURE_ON
from blinasim.report import comparison as words_of
from blinasim.report import style
from blinasim.report.comparison_file import ComparisonFile, comparison_file
from blinasim.report.exports.comparison import comparison as comparison_table
from blinasim.report.words import share
from blinasim.study.comparison import Comparison
from blinasim.study.contrasts import Standing
from layout import assert_readable, words
from worlds import scenario

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def two() -> Comparison:
    return bs.compare("baseline", "early_donor_search", replications=40)


@pytest.fixture(scope="module")
def five() -> Comparison:
    return bs.compare(
        "baseline", "early_donor_search", "standard_therapy", "no_transplantation", "scarce_beds_mrd_first",
        replications=6,
    )  # fmt: skip


@pytest.fixture(scope="module")
def alone() -> Comparison:
    few = scenario(size=2).model_copy(update={"title": "two patients"})
    none = scenario({"transplant": {"offered": False}}, size=2).model_copy(update={"title": "without HSCT"})
    return bs.compare(few, none, replications=1)


def shown(comparison: Comparison, width: int) -> str:
    """What the command prints on a terminal of that many columns."""
    screen = Console(width=width, record=True, file=open("/dev/null", "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    for part in command._parts(comparison, 1.0, width):
        screen.print(part, highlight=False, soft_wrap=isinstance(part, str))
    return screen.export_text()


# --- the command ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("compare") / "r"
    arguments = ["compare", "baseline", "early_donor_search", "scarce_beds", "--replications", "5", "--seed", "3"]
    assert _run([*arguments, "--set", "cohort.size=50", "--out", str(target)]) == 0
    return target


def test_the_folder_is_whole_and_described(folder: Path) -> None:
    names = ("differences", "survival", "flows_early_donor_search", "flows_scarce_beds", "queues")
    expected = {f"figures/{name}.{suffix}" for name in names for suffix in ("png", "svg")}
    expected |= {"comparison.csv", "comparison.json", "manifest.json", "report.html"}
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert written == expected
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) == expected - {"manifest.json"}
    assert list(manifest["scenarios"]) == ["baseline", "early_donor_search", "scarce_beds"]
    assert manifest["engines"] == {"baseline": "fast", "early_donor_search": "fast", "scarce_beds": "des"}
    for resolved in manifest["scenarios"].values():
        assert resolved["study"] == {"replications": 5, "seed": 3}
        assert resolved["cohort"]["size"] == 50
    assert manifest["parameters"] is None
    assert manifest["posterior"]["draws"] >= 2_000
    assert manifest["posterior"]["file"] is None  # it comes with blinasim


def test_the_document_agrees_with_its_schema_and_the_table(folder: Path) -> None:
    document = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    schema = json.loads((ROOT / "docs" / "comparison.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)
    read = ComparisonFile.model_validate(document)
    table = pd.read_csv(folder / "comparison.csv", float_precision="round_trip")
    assert len(table) == (2 * 2 + 1) * len(read.measures)
    itself = table[table.policy_name == "baseline"].set_index("measure")
    assert set(itself.luck) == {"independent"}
    assert [one.difference for one in read.reference_again.differences] == itself.difference.tolist()
    assert [sum(row) for row in read.reference_again.flows] == [sum(row) for row in read.contrasts[0].flows.shared]
    for contrast in read.contrasts:
        for luck, differences in (("shared", contrast.differences), ("independent", contrast.independent_luck)):
            rows = table[(table.policy_name == contrast.policy) & (table.luck == luck)].set_index("measure")
            for one in differences:
                held = rows.loc[one.measure, "difference"]
                assert (one.difference is None and np.isnan(held)) or one.difference == held
            assert {one.better_mcse is None for one in differences if one.better is not None} <= {False}
        assert sum(map(sum, contrast.flows.shared)) == contrast.touched.patients == 5 * 50
        assert contrast.touched.touched_share_mcse > 0.0
        assert contrast.flows.standings == [words_of.STANDINGS[standing] for standing in Standing]
        assert bool(contrast.head_start) == (contrast.policy == "early_donor_search")
    assert [queue.place for queue in read.scenarios[2].queues] == ["transplant_bed"]
    assert read.scenarios[0].queues == []


def test_the_same_bytes_by_two_workers(folder: Path, tmp_path: Path) -> None:
    arguments = ["compare", "baseline", "early_donor_search", "scarce_beds", "--replications", "5", "--seed", "3"]
    again = tmp_path / "again"
    assert _run([*arguments, "--set", "cohort.size=50", "--out", str(again), "--workers", "2"]) == 0
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (again / path.relative_to(folder)).read_bytes(), path


@pytest.mark.usefixtures("without_figures")
def test_json_is_the_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "r"
    assert _run(["compare", "baseline", "haplo_first", "--replications", "2", "--json", "--out", str(target)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((target / "comparison.json").read_text(encoding="utf-8"))


@pytest.mark.usefixtures("without_figures")
def test_the_default_folder_names_the_scenarios(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["compare", "baseline", "haplo_first", "--replications", "2", "--set", "cohort.size=20"]
    assert _run(arguments) == 0
    assert "Wrote results/compare_baseline_haplo_first/" in capsys.readouterr().out
    assert _run(arguments) == 2
    assert "already exists; say --force" in capsys.readouterr().err
    assert _run([*arguments, "--force"]) == 0


@pytest.mark.usefixtures("without_figures")
def test_a_cohorts_file_travels_with_the_results(tmp_path: Path) -> None:
    (tmp_path / "ours.csv").write_text(
        "age_years,prior_hsct,salvage_lines,blasts_pct\n35,no,1,80\n52,yes,2,30\n", encoding="utf-8"
    )
    (tmp_path / "ours.yaml").write_text(
        "title: ours\nextends: baseline\ncohort: {size: 2, data: {file: ours.csv}}\n", encoding="utf-8"
    )
    (tmp_path / "later.yaml").write_text(
        "title: later\nextends: ours.yaml\npolicy: {transplant: {earliest_cycle: 3}}\n", encoding="utf-8"
    )
    target = tmp_path / "r"
    files = [str(tmp_path / "ours.yaml"), str(tmp_path / "later.yaml")]
    assert _run(["compare", *files, "--replications", "3", "--out", str(target)]) == 0
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    assert {each["cohort"]["data"]["file"] for each in manifest["scenarios"].values()} == {
        "cohort_ours.csv",
        "cohort_later.csv",
    }
    assert (target / "cohort_later.csv").read_text(encoding="utf-8").startswith("age_years")


def test_other_patients_have_no_flows_in_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "r"
    assert _run(["compare", "baseline", "older_cohort", "--replications", "2", "--out", str(target)]) == 0
    said = capsys.readouterr().out
    assert "same luck, other patients" in said
    assert "live longer" not in said
    assert "At 24 months, under the reference" not in said
    document = json.loads((target / "comparison.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, json.loads((ROOT / "docs" / "comparison.schema.json").read_text(encoding="utf-8")))
    assert document["contrasts"][0]["touched"] is document["contrasts"][0]["flows"] is None
    assert {path.stem for path in (target / "figures").iterdir()} == {"differences", "survival"}


@pytest.mark.usefixtures("without_figures")
def test_a_policy_of_ones_own_is_one_more_arm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "mine.py"
    own.write_text("class Nobody:\n    def is_candidate(self, chart):\n        return False\n", encoding="utf-8")
    target = tmp_path / "r"
    arguments = ["compare", "baseline", "--policy", f"{own}:Nobody", "--replications", "2", "--set", "cohort.size=30"]
    assert _run([*arguments, "--out", str(target), "--workers", "2"]) == 0
    assert "baseline -> Nobody" in capsys.readouterr().out
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["policies"] == {"Nobody": "Nobody"}
    assert manifest["engines"] == {"baseline": "fast", "Nobody": "des"}
    assert (target / "policy_Nobody.py").read_text(encoding="utf-8") == own.read_text(encoding="utf-8")
    document = json.loads((target / "comparison.json").read_text(encoding="utf-8"))
    assert [each["own_policy"] for each in document["scenarios"]] == [False, True]
    assert _run(["compare", "baseline", "--policy", "mine.py", "--out", str(tmp_path / "other")]) == 2
    assert capsys.readouterr().err == "blinasim: --policy mine.py: a policy is named as file.py:Class\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["baseline"], "a comparison needs a reference and at least one other scenario; name two or more"),
        (["baseline", "basline"], "no scenario named 'basline'; did you mean baseline?"),
        (["baseline", "baseline"], "two of the scenarios are called baseline; name different ones"),
        (["baseline", "haplo_first", "--set", "cohort.sise=3"], "--set cohort.sise=3"),
        (["baseline", "scarce_beds", "--engine", "fast"], "engine fast knows no counted places"),
        (["baseline", "haplo_first", "--replications", "0"], "Invalid value for '--replications'"),
    ],
)
def test_wrong_input_is_one_line(
    arguments: list[str], line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(["compare", *arguments, "--out", str(tmp_path / "r")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"blinasim: {line}")
    assert captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_different_sizes_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "small.yaml").write_text("title: small\nextends: baseline\ncohort: {size: 20}\n", encoding="utf-8")
    assert _run(["compare", "baseline", str(tmp_path / "small.yaml"), "--out", str(tmp_path / "r")]) == 2
    assert capsys.readouterr().err == (
        "blinasim: baseline has 189 patients and small 20: they cannot be the same patients; "
        "give both one cohort.size\n"
    )


def test_rerun_refuses_a_comparison_in_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["rerun", str(folder)]) == 2
    assert capsys.readouterr().err == (
        f"blinasim: {folder / 'manifest.json'}: is of a comparison, which is not rerun; say blinasim compare again\n"
    )


# --- the tables -----------------------------------------------------------------------------------------


def test_the_table_says_what_was_found(two: Comparison) -> None:
    said = shown(two, 120)
    one = two.difference("realization")
    assert f"{100 * one.reference:.1f} %" in said
    assert f"{100 * one.mean:+.2f} pp ({100 * one.lower:+.2f}, {100 * one.upper:+.2f})" in said
    for text in (
        *("under shared luck", "drawn again", "reference again", "from remission, or failure, on", "(in use)"),
        *("assumptions among", "95 % of trials", "better", "Of those transplanted on study"),
    ):
        assert text in said
    points = two.contrast().head_start
    lines = said[said.index("What it rests on") :].splitlines()
    for point in points:
        held = f"{100 * point.differences['realization'].reference:.1f} %"
        named = (f"{100 * point.under_way_share:.0f} %", f"{point.median_days:.0f} days")
        assert any(line.strip().startswith(named) and held in line for line in lines)
    assert "…" not in said


@pytest.mark.parametrize(("width", "without"), [(100, "95 % of trials"), (80, "better  ")])
def test_a_narrow_terminal_loses_columns_and_no_figures(
    two: Comparison, five: Comparison, width: int, without: str
) -> None:
    for found in (two, five):
        said = shown(found, width)
        assert without not in said
        assert "too narrow for all columns" in said
        assert "…" not in said
        for policy in found.policies:
            for row in words_of.comparison_rows(found, policy):
                assert row.difference_text in said
            for line in words_of.head_start_lines(found.contrast(policy)) if found.contrast(policy).head_start else ():
                assert all(text in said for text in line[1:])


def test_a_wide_terminal_wraps_no_label(five: Comparison) -> None:
    said = shown(five, 120)
    for row in words_of.comparison_rows(five, "scarce_beds_mrd_first"):
        assert f"  {row.label} " in said


def test_what_does_not_exist_is_said_so(five: Comparison) -> None:
    rows = {row.measure.id: row for row in words_of.comparison_rows(five, "no_transplantation")}
    assert rows["days_to_hsct"].policy_text == rows["days_to_hsct"].difference_text == "n/a"
    assert rows["realization"].policy_text == "0.0 %"
    standard = {row.measure.id: row for row in words_of.comparison_rows(five, "standard_therapy")}
    assert standard["infusion_days"].policy_text == standard["inpatient_days"].difference_text == "n/a"
    assert "nan" not in shown(five, 120)


def test_a_single_trial_has_no_interval(alone: Comparison) -> None:
    assert "nan" not in shown(alone, 120)
    document = comparison_file(alone)
    assert document.contrasts[0].differences[0].mcse is None
    assert len(comparison_table(alone)) == (2 + 1) * len(alone.measures)


@pytest.mark.parametrize(
    ("part", "text"), [(0.0, "0 %"), (0.001, "<1 %"), (0.4, "40 %"), (0.999, ">99 %"), (1.0, "100 %")]
)
def test_a_small_share_is_not_none(part: float, text: str) -> None:
    assert share(part) == text


def test_the_specification_names_what_is_drawn_again() -> None:
    said = (ROOT / "SPECIFICATION.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in said for name in FROM_REMISSION_OR_FAILURE_ON)


def test_whose_lives_are_compared() -> None:
    found = bs.compare("baseline", "older_cohort", "haplo_first", "first_salvage_cohort", replications=1)
    assert words_of.other_patients(found) == ["older_cohort", "first_salvage_cohort"]
    assert words_of.whose_lives(found) == (
        "the same luck, and the same patients but for older_cohort, first_salvage_cohort"
    )
    assert_readable(plot.differences(found))
    assert_readable(plot.policies(found))
    with pytest.raises(ValueError, match="older_cohort has other patients than baseline: there are no flows"):
        plot.flows(found, "older_cohort")
    assert words_of.whose_lives(bs.compare("baseline", "older_cohort", replications=1)).startswith("other patients")


# --- figures --------------------------------------------------------------------------------------------

DRAW: dict[str, Any] = {
    "differences": plot.differences,
    "policies": plot.policies,
    "flows": lambda found: plot.flows(found, found.policies[-1]),
}


@pytest.mark.parametrize("found", ["two", "five", "alone"])
@pytest.mark.parametrize("name", DRAW)
def test_no_text_is_cut_or_lies_on_another(name: str, found: str, request: pytest.FixtureRequest) -> None:
    drawing = DRAW[name](request.getfixturevalue(found))
    assert_readable(drawing)
    assert drawing.alt.endswith(".")
    assert "nan" not in drawing.alt
    assert not any("nan" in text.get_text() for text in words(drawing))
    assert style.render(drawing, ".svg") == style.render(drawing, ".svg")


def test_many_policies_with_long_names_are_told_apart() -> None:
    named = [
        scenario({"cycles": {"rest_days": 10 + number}}, size=20).model_copy(
            update={"title": f"{number} " + "a long name " * 9}
        )
        for number in range(8)
    ]
    found = bs.compare(*named, replications=2)
    drawing = plot.policies(found)
    assert_readable(drawing)
    assert_readable(plot.differences(found))
    assert_readable(plot.flows(found, found.policies[-1]))
    curves = [line for line in drawing.axes[0].get_lines() if line.get_linewidth() == 1.7]
    looks = {(line.get_color(), str(line._unscaled_dash_pattern)) for line in curves}
    assert len(curves) == len(looks) == 8


def test_queues_are_drawn_where_places_are_counted(two: Comparison, five: Comparison) -> None:
    drawing = plot.queues(five)
    assert_readable(drawing)
    assert "scarce_beds_mrd_first, transplant beds: at most" in drawing.alt
    with pytest.raises(ValueError, match="nobody waits"):
        plot.queues(two)


def test_the_forest_has_a_line_for_each_measure(two: Comparison) -> None:
    said = [text.get_text() for text in words(plot.differences(two))]
    for measure in two.measures:
        assert measure.name in said
        assert words_of.ComparisonRow(two.difference(measure.id)).section in said


def test_flows_fill_both_sides(five: Comparison) -> None:
    said = " ".join(text.get_text() for text in words(plot.flows(five, "no_transplantation")))
    pairs = five.contrast("no_transplantation").pairs
    assert pairs is not None
    shares = pairs.flows / (6 * 189)
    assert f"So do {share(1 - words_of.stayed(five.reference_again.flows))} in the reference itself" in said
    assert f"dead without remission  {100 * shares.sum(axis=1)[Standing.DEAD_WITHOUT_REMISSION]:.1f} %" in said
    assert f"{100 * shares.sum(axis=0)[Standing.DEAD_AFTER_RELAPSE]:.1f} %  dead after relapse" in said


def test_at_risk_stands_under_the_curves(two: Comparison) -> None:
    said = [text.get_text() for text in words(plot.policies(two))]
    assert said.count("189") == 2
    week_104 = two.reference.curve.at_risk[-1]
    assert f"{week_104:.0f}" in said


@pytest.mark.parametrize(
    ("wanted", "placed"),
    [
        ([5.0, 1.0], [5.0, 1.0]),
        ([5.0, 5.0], [4.5, 5.5]),
        ([9.9, 10.0, 9.95], [8.0, 10.0, 9.0]),
        ([0.0, 0.1], [0.0, 1.0]),
        ([3.0, 3.4, 4.2], [2.53, 3.53, 4.53]),
    ],
)
def test_labels_keep_their_distance(wanted: list[float], placed: list[float]) -> None:
    assert style.apart(wanted, 1.0, 0.0, 10.0) == pytest.approx(placed, abs=0.01)


def test_the_default_folder_of_many_policies_has_a_name_that_can_be() -> None:
    assert folder_of("compare", ["baseline", "maintenance"]).name == "compare_baseline_maintenance"
    many = folder_of("compare", shipped_scenarios()).name
    assert len(many) <= 100
    assert many == f"compare_baseline_with_{len(shipped_scenarios()) - 1}_policies"
