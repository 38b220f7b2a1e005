"""Results folders of every command, small and made once, for the tests of their reports."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from blinasim.cli.main import _run
from blinasim.inference.predictive import validate
from blinasim.inference.sampler import Stage
from blinasim.report.analyses import calibration_contents
from blinasim.report.calibration import Calibration
from blinasim.report.contents import write_folder
from blinasim.scenario.loading import load_scenario
from posteriors import small_posterior

#: A user's own words, at their worst.
TITLE = "<script>alert('x')</script> \"quoted\" & --> $\\bad{$ ]]> </svg>"
WHY = "</p><img src=http://example.org/x.png onerror=alert(1)> {{ 7*7 }} & <b>bold</b>"
COLUMN = "b<script>"
#: Commands without scenario or design files of their own; those that take many seconds apart.
QUICK = {
    "run": "run {hostile} --replications 6 --seed 3",
    "compare": "compare baseline {hostile} --replications 6 --set cohort.size=40",
    "effect": "effect {hostile} --replications 6",
    "trial": "trial simon_optimal --replications 30",
    "validate": "validate --parameters point --replications 4",
    "optimize": "optimize {hostile} --over policy.transplant.earliest_cycle=1,3 --replications 40 --parameters point",
}
SLOW = {
    "two designs": "trial phase3_early_search phase3_standard_therapy --replications 20",
    "no errors": "trial simon_minimax --null --replications 100",
    "sensitivity": "sensitivity baseline --parameters point --samples 8 --set cohort.size=60",
    "value": "value baseline_payoffs no_transplantation --replications 400 --set cohort.size=20",
    "run of many": "run baseline --replications 60",
}


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="blinasim-reports-"))


def remove_all() -> None:
    shutil.rmtree(_folder(), ignore_errors=True)
    for each in (_folder, of, calibrated, of_data):
        each.cache_clear()


def hostile_scenario() -> Path:
    path = _folder() / "x'<b>&.yaml"
    lines = (f"title: {_quoted(TITLE)}", f"why: {_quoted(WHY)}", "cohort: {size: 40}")
    path.write_text("extends: baseline\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@cache
def of(command: str, *more: str) -> Path:
    out = _folder() / ("_".join((command, *more)).replace(" ", "_"))
    words = [word.format(hostile=hostile_scenario()) for word in (QUICK | SLOW)[command].split()]
    assert _run([*words, *more, "--out", str(out)]) == 0
    return out


@cache
def calibrated() -> Path:
    scenario = load_scenario("baseline", ["study.replications=4"])
    stages = (Stage(1.0, 50.0, 60, 0.3, 0.5, 1.5, 8, -80.0, 2.0),)
    priors, posterior = (replace(small_posterior(seed=seed), stages=stages) for seed in (2, 1))
    before, after = (validate(scenario, values) for values in (priors, posterior))
    write_folder(_folder() / "calibrated", calibration_contents(Calibration.of(posterior, before, after)))
    return _folder() / "calibrated"


@cache
def of_data() -> Path:
    path = _folder() / "pat<i>ents & 'co'.csv"
    rows = (f"{30 + 11 * k},{k % 3 == 0},{20 + k if k % 4 == 1 else ''},{k % 7}" for k in range(60))
    head = f"time_days,event,transplant_days,{COLUMN}\n"
    path.write_text(head + "\n".join(row.replace("True", "yes").replace("False", "no") for row in rows) + "\n")
    assert _run(["effect", "--data", str(path), "--adjust", COLUMN, "--out", str(_folder() / "data")]) == 0
    return _folder() / "data"


FOLDERS: dict[str, Callable[[], Path]] = {
    **{name: (lambda name=name: of(name)) for name in QUICK},  # type: ignore[misc]
    "effect --data": of_data,
    "calibrate": calibrated,
}
SLOW_FOLDERS: dict[str, Callable[[], Path]] = {name: (lambda name=name: of(name)) for name in SLOW}  # type: ignore[misc]
