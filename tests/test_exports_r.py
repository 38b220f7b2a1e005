"""ADTTE in R: the survival package finds the trial's own medians and intervals in the exported file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from blinasim.model.catalogue import load_parameters
from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.report.exports import adtte
from blinasim.statistics import survival
from blinasim.study.replay import replay
from blinasim.trial.endpoints import estimate
from worlds import scenario

pytestmark = pytest.mark.slow

ENDPOINT = {"OS": "os", "OSHSCT": "os_cens", "RFS": "rfs", "RFSHSCT": "rfs_cens"}

#: Median and limits as R's quantile gives them ("quantile"), and as the first days on which the curve and its limits
#: are at or below one half ("first"). R's default scale of the intervals is log, ours log-log.
SCRIPT = """
suppressPackageStartupMessages(library(survival))
rows <- read.csv(commandArgs(trailingOnly = TRUE)[1])
first <- function(time, curve) {
  reached <- which(curve <= 0.5 + 1e-9)
  if (length(reached)) time[reached[1]] else NA
}
for (code in unique(rows$PARAMCD)) {
  fit <- survfit(Surv(AVAL - 1, CNSR == 0) ~ 1, data = rows[rows$PARAMCD == code, ], conf.type = "log-log")
  q <- quantile(fit, 0.5)
  cat(code, "quantile", q$quantile, q$lower, q$upper, "\\n")
  cat(code, "first", first(fit$time, fit$surv), first(fit$time, fit$lower), first(fit$time, fit$upper), "\\n")
}
"""


@pytest.fixture(scope="module")
def rscript(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """R with the survival package, and the script; both are in Debian: r-base-core, r-cran-survival."""
    program = shutil.which("Rscript")
    if program is None:
        pytest.skip("Rscript is not installed: ADTTE is not checked in R")
    if subprocess.run([program, "-e", "library(survival)"], capture_output=True, check=False).returncode:
        pytest.skip("R has no survival package: ADTTE is not checked in R")
    script = tmp_path_factory.mktemp("r") / "medians.R"
    script.write_text(SCRIPT, encoding="utf-8")
    return [program, str(script)]


def in_r(rscript: list[str], frame: pd.DataFrame, folder: Path) -> dict[tuple[str, str], list[float]]:
    """Median, lower and upper limit in days by PARAMCD and kind; NaN is R's NA, a limit that is not reached."""
    path = folder / "adtte.csv"
    frame.to_csv(path, index=False)
    done = subprocess.run([*rscript, str(path)], capture_output=True, text=True, check=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    return {(code, kind): [float(v) if v != "NA" else np.nan for v in values] for code, kind, *values in lines}


def as_r_has_it(rows: pd.DataFrame, own: list[float]) -> list[float]:
    """Our median and limits as R's quantile would have them.

    R takes the middle of the stretch on which the curve is exactly one half, where lifelines and we take its first
    day; and where the curve falls to zero, R has no limit any more, while ours closes there.
    """
    fit = survival.fit(
        rows["AVAL"].to_numpy(dtype=np.int32)[None] - 1,
        rows["CNSR"].to_numpy()[None] == 0,
        np.ones((1, len(rows)), bool),
    )
    median, lower, upper = own
    at = fit.survival[0][fit.time[0] == median]
    if at.size and np.isclose(at[-1], 0.5, atol=1e-9):
        later = fit.time[0][fit.event[0] & (fit.time[0] > median)]
        median = (median + (later[0] if later.size else median)) / 2
    dead_out = fit.time[0][fit.survival[0] <= 1e-12]
    if dead_out.size and upper >= dead_out[0]:
        upper = np.inf
    return [value if np.isfinite(value) else np.nan for value in (median, lower, upper)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_r_finds_the_trials_own_medians(rscript: list[str], tmp_path: Path, seed: int) -> None:
    of = scenario(seed=seed)
    batch = replay(of, load_parameters(), 1).batch
    frame = adtte(batch, of.trial)
    found = in_r(rscript, frame, tmp_path)
    estimates = estimate(batch.seen, of.trial)
    for code, endpoint in ENDPOINT.items():
        one = estimates[endpoint]
        assert one.lower is not None
        assert one.upper is not None
        own = [float(values[0]) * DAYS_PER_MONTH for values in (one.value, one.lower, one.upper)]
        np.testing.assert_allclose(found[code, "first"], [v if np.isfinite(v) else np.nan for v in own], rtol=1e-9)
        expected = as_r_has_it(frame[frame["PARAMCD"] == code], own)
        np.testing.assert_allclose(found[code, "quantile"], expected, rtol=1e-9)


def test_r_takes_the_middle_where_the_curve_is_one_half(rscript: list[str], tmp_path: Path) -> None:
    """Two of four die on days 10 and 20, the others on 40 and 50: one half from day 20 to day 40."""
    frame = pd.DataFrame({"PARAMCD": "OS", "AVAL": [11, 21, 41, 51], "CNSR": 0})
    found = in_r(rscript, frame, tmp_path)
    fit = survival.fit(np.array([[10, 20, 40, 50]], dtype=np.int32), np.ones((1, 4), dtype=bool))
    own = [float(value[0]) for value in (survival.median(fit), *survival.median_interval(fit))]
    assert own[0] == found["OS", "first"][0] == 20
    assert found["OS", "quantile"][0] == 30
    np.testing.assert_allclose(found["OS", "quantile"], as_r_has_it(frame, own))
