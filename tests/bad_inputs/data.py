"""Bad inputs: files of patients, and manifests to be run again."""

from __future__ import annotations

import json
from typing import Any, Final

from bad_inputs.rows import NOT_UTF8, OUTSIDE, Bad, Folder, Link, bad, scenario
from blinasim.model.catalogue import load_parameters
from blinasim.model.parameters import parameters_to_dict
from blinasim.scenario.loading import load_scenario

HEADER = "age_years,prior_hsct,salvage_lines,blasts_pct\n"
ONE = "{size: 1, data: {file: p.csv}}"


def cohort(what: str, csv: str | bytes | Link | Folder | None, line: str, settings: str = ONE) -> Bad:
    """A cohort's CSV file p.csv is wrong."""
    files: dict[str, str | bytes | Folder | Link] = {"s.yaml": f"extends: baseline\ncohort: {settings}\n"}
    if csv is not None:
        files["p.csv"] = csv
    return bad(what, "run s.yaml --replications 1", f"{{folder}}/p.csv{line}", files)


def manifest(what: str, changes: dict[str, Any], line: str) -> Bad:
    """A manifest that is good but for some changes; ``None`` takes a key away."""
    whole: dict[str, Any] = {
        "manifest_version": 1,
        "blinasim": "0",
        "python": "3",
        "packages": {},
        "engine": "des",
        "patients": False,
        "scenario": load_scenario("baseline", ["study.replications=1"]).model_dump(mode="json"),
        "parameters": parameters_to_dict(load_parameters()),
        "files": {},
    }
    text = json.dumps({key: value for key, value in (whole | changes).items() if value is not None})
    return bad(what, "rerun m.json", f"m.json: not a manifest that can be repeated ({line})", {"m.json": text})


def parameters(**changes: Any) -> dict[str, Any]:
    """The parameters' values with some changed; ``None`` takes one away. ``__`` is a dot."""
    named = {name.replace("__", "."): value for name, value in changes.items()}
    values = parameters_to_dict(load_parameters()) | named
    return {"parameters": {name: value for name, value in values.items() if value is not None}}


MANIFESTS = [
    bad(
        "missing manifest",
        "rerun gone.json",
        "gone.json: cannot be read (No such file or directory); name a results folder's manifest.json",
    ),
    bad(
        "folder without a manifest",
        "rerun d",
        "d/manifest.json: cannot be read (No such file or directory); name a results folder's manifest.json",
        {"d": Folder()},
    ),
    bad(
        "empty manifest",
        "rerun m.json",
        "m.json:1:1: not a manifest that can be repeated (Invalid JSON: EOF while parsing a value)",
        {"m.json": ""},
    ),
    bad(
        "corrupt manifest",
        "rerun m.json",
        "m.json:2:8: not a manifest that can be repeated (Invalid JSON: expected value)",
        {"m.json": '{"blinasim": "0",\n "py": x}'},
    ),
    bad(
        "nested manifest",
        "rerun m.json",
        "m.json:1:202: not a manifest that can be repeated (Invalid JSON: recursion limit exceeded)",
        {"m.json": "[" * 1_000_000},
    ),
    bad(
        "manifest that is a list",
        "rerun m.json",
        "m.json: not a manifest that can be repeated (the file: Input should be an object)",
        {"m.json": "[]"},
    ),
    bad(
        "manifest of another program",
        "rerun m.json",
        "m.json: not a manifest that can be repeated (blinasim: is missing)",
        {"m.json": '{"name": "app", "version": "1.0"}'},
    ),
    manifest("manifest of another version", {"manifest_version": 2}, "manifest_version: Input should be 1"),
    manifest("manifest with more", {"extra": 1}, "extra: Extra inputs are not permitted"),
    manifest(
        "manifest with a wrong scenario",
        {"scenario": {"title": "x", "cohort": {"size": 0}}},
        "scenario.cohort.size: Input should be greater than or equal to 1",
    ),
    manifest("manifest without a scenario", {"scenario": None}, "scenario: is missing"),
    manifest(
        "manifest with an unknown parameter",
        parameters(relapse__shap=1.0),
        "parameters.relapse.shap: no such parameter; did you mean relapse.shape?",
    ),
    manifest("manifest without a parameter", parameters(relapse__shape=None), "parameters.relapse.shape: is missing"),
    manifest(
        "manifest with a negative parameter",
        parameters(relapse__shape=-1.0),
        "parameters.relapse.shape: -1: Input should be greater than or equal to 0",
    ),
    manifest(
        "manifest with a parameter that is no number",
        parameters(relapse__shape=float("nan")),
        "parameters.relapse.shape: nan: Input should be a finite number",
    ),
    manifest(
        "manifest with an impossible probability",
        parameters(recording__donor_unknown=1.5),
        "parameters.recording.donor_unknown: 1.5: value 1.5 is no probability; it should be at most 1",
    ),
    manifest("manifest of an unknown engine", {"engine": "steam"}, "engine: Input should be 'auto', 'fast' or 'des'"),
]

COHORTS = [
    cohort("missing cohort file", None, ": cohort.data.file: cannot be read (No such file or directory)"),
    cohort("cohort file that is a folder", Folder(), ": cohort.data.file: cannot be read (Is a directory)"),
    cohort(
        "cohort file that is a loop of links",
        Link("p.csv"),
        ": cohort.data.file: cannot be read (Too many levels of symbolic links)",
    ),
    scenario(
        "cohort file above the folder",
        "title: x\ncohort: {size: 1, data: {file: ../p.csv}}\n",
        f"s.yaml:2:26: cohort.data.file: '../p.csv' {OUTSIDE}",
    ),
    scenario(
        "cohort file that is a device",
        "title: x\ncohort: {size: 1, data: {file: /dev/zero}}\n",
        f"s.yaml:2:26: cohort.data.file: '/dev/zero' {OUTSIDE}",
    ),
    bad(
        "cohort file that has no end",
        ("run", "baseline", "--set", "cohort.data={file: /dev/zero}", "--set", "cohort.size=1"),
        "/dev/zero: cohort.data.file: cannot be read (not a file)",
    ),
    cohort("empty cohort file", "", ": needs a header and at least one patient"),
    cohort("cohort of nobody", HEADER, ": needs a header and at least one patient"),
    cohort(
        "missing column", "age_years,prior_hsct,salvage_lines\n30,no,0\n", ":1:1: 'blasts_pct': this column is missing"
    ),
    cohort("duplicate column", "age_years,age_years\n30,30\n", ":1:2: 'age_years': this column stands twice"),
    cohort(
        "unknown column",
        "age_years,prior_hst\n30,no\n",
        ":1:2: 'prior_hst': no such column; did you mean prior_hsct?",
    ),
    cohort(
        "semicolons",
        "age_years;prior_hsct\n30;no\n",
        ":1:1: 'age_years;prior_hsct': one column alone; separate columns by commas",
    ),
    cohort("bad cell", HEADER + "30,no,0,80\n40,maybe,0,80\n", ":3:2: prior_hsct: 'maybe' should be yes or no"),
    cohort(
        "bad cell after a cell of two lines",
        HEADER.replace("\n", ",fitness\n") + '30,no,0,80,"good\n"\n40,no,0,x,good\n',
        ":4:4: blasts_pct: 'x' should be a percentage from 0 to 100",
    ),
    cohort(
        "cell of digits that are no decimals",
        HEADER + "1_8,no,0,80\n",
        ":2:1: age_years: '1_8' should be whole years from 18 to 120",
    ),
    cohort(
        "cell of 10,000 digits",
        HEADER + "9" * 10_000 + ",no,0,80\n",
        f":2:1: age_years: '{'9' * 57}...' should be whole years from 18 to 120",
    ),
    cohort("cell too few", HEADER + "30,no,0\n", ":2:1: 3 cells where the header has 4"),
    cohort(
        "quotes left open",
        HEADER + '30,no,0,80\n30,"no,0,80\n',
        ":3:1: not valid CSV (unexpected end of data) in the row that begins here",
    ),
    cohort(
        "cohort file in latin-1",
        (HEADER + "30,nö,0,80\n").encode("latin-1"),
        f":2:5: cohort.data.file: {NOT_UTF8}",
    ),
    cohort(
        "more patients than the size",
        HEADER + "30,no,0,80\n" * 2,
        ": cohort.data: the file has 2 patients and cohort.size is 1; set cohort.size: 2, or rows: resampled",
    ),
    cohort(
        "margin without a row",
        HEADER + "30,no,0,80\n",
        ": cohort.data.match_margins: no row has prior_hsct yes, and the cohort wants 33.9 % of them",
        "{size: 9, data: {file: p.csv, rows: resampled, match_margins: [prior_hsct]}}",
    ),
    cohort(
        "margins that exclude each other",
        HEADER + "30,no,0,80\n70,yes,1,20\n",
        ": cohort.data.match_margins (prior_hsct, age): the margins contradict each other in this sample: "
        "0.21 is left after 1,000 rounds",
        "{size: 9, data: {file: p.csv, rows: resampled, match_margins: [prior_hsct, age]}}",
    ),
]


PAIR = "a posterior is a pair of files, NAME.csv and NAME.json beside it, as a calibration writes them"
PARAMETERS = [
    bad(what, f"run baseline --parameters {file}", f"{file}{line}", {} if content is None else {file: content})
    for what, file, content, line in (
        ("missing posterior", "p.csv", None, f": cannot be read (No such file or directory); {PAIR}"),
        ("empty posterior", "p.csv", "", f": is empty; {PAIR}"),
        ("binary posterior", "p.csv", b"\xff\xfe\x00\x01", f": is not UTF-8 text; {PAIR}"),
        (
            "posterior of nothing known",
            "p.csv",
            "a\n1\n",
            ": is of other parameters (a); calibrate anew (blinasim calibrate, or blinasim.calibrate in Python)",
        ),
        (
            "point value by its dotted name",
            "p.yaml",
            "failure.median_days: 3\n",
            ":1:1: failure.median_days: no such group of parameters; nest it: failure: {median_days: ...}",
        ),
    )
]
PATIENTS = [
    bad(
        "patients without two columns",
        "effect --data d.csv",
        "d.csv:1:1: 'event': this column is missing (yes for an event, no for a censoring); 'transplant_days': this "
        "column is missing (day of the transplant; empty without one)",
        {"d.csv": "time_days\n5\n"},
    )
]

TABLE: Final = [*MANIFESTS, *COHORTS, *PARAMETERS, *PATIENTS]
