"""Results folders: complete, described, and repeatable to the byte."""

import importlib.util
import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import median_survival_times

from blinasim.cli.main import _run
from blinasim.errors import ScenarioError
from blinasim.files import data_folder, read_yaml, shipped_scenarios
from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.report.summary_file import SummaryFile
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.writing import json_schema, starting_file, to_yaml
from blinasim.trial.endpoints import ENDPOINTS

ROOT = Path(__file__).resolve().parents[1]
EXPECTED = {
    "adsl.csv",
    "adtte.csv",
    "endpoints.csv",
    "events.csv",
    "manifest.json",
    "occupancy.csv",
    "patients.parquet",
    "report.html",
    "summary.json",
    *(
        f"figures/{name}.{suffix}"
        for name in (
            "cumulative_incidence",
            "patient_flow",
            "published_against_simulated",
            "state_occupancy",
            "survival",
            "swimmer",
        )
        for suffix in ("png", "svg")
    ),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "r"
    assert _run(["run", "baseline", "--replications", "6", "--patients", "--out", str(folder)]) == 0
    return folder


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_folder_holds_what_the_design_says(results: Path) -> None:
    assert set(bytes_of(results)) == EXPECTED


def test_summary_is_documented_and_agrees_with_the_table(results: Path) -> None:
    document = json.loads((results / "summary.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, json.loads((ROOT / "docs" / "summary.schema.json").read_text(encoding="utf-8")))
    summary = SummaryFile.model_validate(document)
    table = pd.read_csv(results / "endpoints.csv", float_precision="round_trip").set_index("id")
    assert (
        [endpoint.id for endpoint in summary.endpoints] == [endpoint.id for endpoint in ENDPOINTS] == list(table.index)
    )
    for endpoint in summary.endpoints:
        assert endpoint.simulated.trials == 6
        if endpoint.simulated.median is not None:
            assert endpoint.simulated.median == table.loc[endpoint.id, "simulated_median"]


def test_adtte_gives_lifelines_the_medians_of_the_summary(results: Path) -> None:
    """AVAL is one more than the day of the event; CNSR is the reverse of an event flag."""
    estimates = json.loads((results / "summary.json").read_text(encoding="utf-8"))["exported_estimates"]
    adtte = pd.read_csv(results / "adtte.csv")
    for code, endpoint in (("OS", "os"), ("OSHSCT", "os_cens"), ("RFS", "rfs"), ("RFSHSCT", "rfs_cens")):
        rows = adtte[code == adtte.PARAMCD]
        fit = KaplanMeierFitter().fit(rows.AVAL - 1, rows.CNSR == 0)
        limits = median_survival_times(fit.confidence_interval_).to_numpy().ravel()
        expected = estimates[endpoint]
        assert fit.median_survival_time_ / DAYS_PER_MONTH == pytest.approx(expected["value"])
        assert limits[0] / DAYS_PER_MONTH == pytest.approx(expected["lower"])
        assert expected["upper"] is None or limits[1] / DAYS_PER_MONTH == pytest.approx(expected["upper"])


def test_patients_are_all_there(results: Path) -> None:
    patients = pd.read_parquet(results / "patients.parquet")
    assert len(patients) == 6 * 189
    assert patients.groupby("trial", observed=True).size().tolist() == [189] * 6


def test_rerun_gives_the_same_bytes_from_another_folder(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _run(["rerun", str(results / "manifest.json"), "--out", "again"]) == 0
    assert capsys.readouterr().out == f"The same bytes: all {len(EXPECTED) - 1} files.\n"
    assert bytes_of(tmp_path / "again") == bytes_of(results)


def test_rerun_says_what_differs(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = json.loads((results / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["endpoints.csv"] = "0" * 64
    manifest["packages"]["numpy"] = "1.0"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert _run(["rerun", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert f"1 of {len(EXPECTED) - 1} files differ: endpoints.csv" in said
    assert "numpy 1.0 then" in said


def test_rerun_says_what_is_changed_or_missing_since(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "r"
    shutil.copytree(results, folder)
    (folder / "adsl.csv").unlink()
    (folder / "endpoints.csv").write_text("id\n", encoding="utf-8")
    assert _run(["rerun", str(folder)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"Changed since the run, in {folder}: endpoints.csv.",
        f"Missing since the run, in {folder}: adsl.csv.",
        f"Not confirmed: the run itself gives the same bytes again (all {len(EXPECTED) - 1} files), but the folder no "
        "longer holds them.",
    ]


def test_show_printed_to_a_file_and_run_gives_the_same_bytes(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(["show", "baseline", "--set", "study.replications=6"]) == 0
    (tmp_path / "shown.yaml").write_text(capsys.readouterr().out, encoding="utf-8")
    assert _run(["run", str(tmp_path / "shown.yaml"), "--patients", "--out", str(tmp_path / "r")]) == 0
    assert bytes_of(tmp_path / "r") == bytes_of(results)


def test_a_cohort_file_travels_with_the_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "\n".join(f"{20 + i},{'yes' if i % 3 == 0 else 'no'},{i % 4},{5 + i}" for i in range(60))
    (tmp_path / "mine.csv").write_text(f"age_years,prior_hsct,salvage_lines,blasts_pct\n{rows}\n", encoding="utf-8")
    (tmp_path / "s.yaml").write_text(
        "extends: baseline\ncohort: {size: 60, data: {file: mine.csv}}\n", encoding="utf-8"
    )
    assert _run(["run", str(tmp_path / "s.yaml"), "--replications", "2", "--out", str(tmp_path / "r")]) == 0
    (tmp_path / "mine.csv").unlink()
    moved = (tmp_path / "r").rename(tmp_path / "elsewhere")
    capsys.readouterr()
    assert _run(["rerun", str(moved)]) == 0
    assert "The same bytes" in capsys.readouterr().out


@pytest.mark.usefixtures("without_figures")
def test_set_reaches_the_run(tmp_path: Path) -> None:
    target = tmp_path / "r"
    change = "policy.transplant.offered=false"
    assert _run(["run", "baseline", "--replications", "3", "--set", change, "--out", str(target)]) == 0
    table = pd.read_csv(target / "endpoints.csv").set_index("id")
    assert table.loc["hsct", "simulated_upper"] == 0.0
    assert json.loads((target / "manifest.json").read_text())["scenario"]["policy"]["transplant"]["offered"] is False


def test_dry_run_says_what_would_be_done_and_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _run(["run", "baseline", "--seed", "9", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("title: The source study")
    assert "# Would simulate 2,000 trials of 189 patients with seed 9" in said
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "resolved.yaml").write_text(said, encoding="utf-8")
    assert load_scenario("resolved.yaml").study.seed == 9


# --- schema and starting file --------------------------------------------------------------------------


@pytest.mark.parametrize("name", shipped_scenarios())
def test_shipped_scenarios_validate_against_the_schema(name: str) -> None:
    path = data_folder("scenarios") / f"{name}.yaml"
    jsonschema.validate(read_yaml(path, ScenarioError).data, json_schema())
    assert path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=scenario.schema.json\n")


def test_resolved_scenarios_validate_and_read_back(tmp_path: Path) -> None:
    scenario = load_scenario("baseline")
    (tmp_path / "s.yaml").write_text(to_yaml(scenario), encoding="utf-8")
    assert load_scenario(tmp_path / "s.yaml") == scenario
    jsonschema.validate(scenario.model_dump(mode="json"), json_schema())


def test_the_schema_refuses_what_the_loader_refuses() -> None:
    for wrong in ({"titel": "x"}, {"cohort": {"size": 0}}, {"policy": {"donor_search": {"starts": "soon"}}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"title": "x", **wrong}, json_schema())


def properties(schema: Any) -> dict[str, Any]:
    found = {f"/{key}": value for key, value in schema["properties"].items()}
    for name, part in schema["$defs"].items():
        found |= {f"{name}/{key}": value for key, value in part.get("properties", {}).items()}
    return found


def test_every_setting_is_described_with_its_unit() -> None:
    known = properties(json_schema())
    assert len(known) > 50
    for name, setting in known.items():
        assert len(setting.get("description", "")) > 4, name
        for ending, unit in (("_days", "day"), ("_years", "year"), ("_per_year", "per patient-year"), ("_pct", "%")):
            if name.endswith(ending):
                unit = "patients per year" if name.endswith("arrivals_per_year") else unit
                unit = "per year" if "/discount_" in name else unit
                assert unit in setting["description"].lower(), name


def test_every_default_of_a_starting_file_can_be_uncommented(tmp_path: Path) -> None:
    text = starting_file("mine")
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    assert load_scenario(tmp_path / "mine.yaml").policy == load_scenario("baseline").policy
    head, _, body = text.partition("  What the scenario asks, and what it assumes.\n")
    bare = "\n".join(line.removeprefix("# ") for line in body.splitlines())
    (tmp_path / "bare.yaml").write_text(f"{head}  nothing\n{bare}\n", encoding="utf-8")
    uncommented, baseline = load_scenario(tmp_path / "bare.yaml"), load_scenario("baseline")
    assert uncommented == baseline.model_copy(update={"title": "mine", "why": uncommented.why})


@cache
def refresh() -> Any:
    spec = importlib.util.spec_from_file_location("refresh", ROOT / "docs" / "refresh.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_documents_are_true_of_the_code() -> None:
    """Run ``python docs/refresh.py`` where this fails."""
    for path, content in refresh().generated().items():
        assert path.read_text(encoding="utf-8") == content, path
