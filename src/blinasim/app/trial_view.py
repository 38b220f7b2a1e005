"""What a trial sees of its patients, by its data cut-off, its accrual and its losses, beside the truth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from blinasim.app.pictures import Picture
from blinasim.app.trial_drawings import curve, spreads
from blinasim.inference.choice import POINT, parameters_said
from blinasim.report.figures import patient_flow
from blinasim.report.rows import Row, rows_of
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.settings import Scenario
from blinasim.statistics.intervals import proportion_mcse
from blinasim.study.simulate import Result, simulate

#: Simulated trials, few enough for an answer within a second; fewer where patients share places, on SimPy's engine.
TRIALS: Final = 200
_TRIALS_DES: Final = 40
#: What is followed, in the order of the figure.
SHOWN: Final = ("os", "os_cens", "rfs", "rfs_cens", "d100")


@dataclass(frozen=True)
class Seen:
    """What the page shows of a trial's view.

    ``rows`` hold the endpoint, what was published, what the trials see, the truth, and how often a trial's own 95 %
    interval holds it.
    """

    sentence: str
    reasons: tuple[str, ...]
    rows: tuple[tuple[str, str, str, str, str], ...]
    spreads: Picture
    curve: Picture
    basis: str


def asked(name: str, accrual_days: int, gap_days: int, loss_pct_per_year: int, size: int) -> Scenario:
    """Return a shipped scenario with another trial: uniform accrual, cut-off and loss."""
    scenario = load_scenario(
        name,
        [
            f"trial.accrual={{pieces: [{{days: {accrual_days}}}], gap_days: {gap_days}}}",
            f"trial.loss_per_year={loss_pct_per_year / 100:g}",
            f"cohort.size={size}",
        ],
    )
    return scenario.with_study(_TRIALS_DES if scenario.capacity.limited else TRIALS)


def seen(scenario: Scenario) -> Seen:
    """Simulate the trials of a scenario, and set what they see beside the truth.

    All trials have the same parameters, so that there is one truth for their intervals to hold.
    """
    result = simulate(scenario.model_copy(update={"payoffs": None}), parameters=parameters_said(POINT))
    rows = {row.summary.endpoint.id: row for row in rows_of(result)}
    shown = [rows[name] for name in SHOWN]
    return Seen(
        sentence=sentence(rows),
        reasons=tuple(reasons(result, rows)),
        rows=tuple(_cells(result, row) for row in shown),
        spreads=Picture.of(spreads(shown)),
        curve=Picture.of(curve(result)),
        basis=f"{result.replications} simulated trials of {scenario.cohort.size:,} patients. Seen: median of "
        "the trials, and in brackets the range of 95 % of them, each analysed as the source study was. Truth: the "
        "same patients to the end, for endpoints censored at HSCT in a world without HSCT. Interval holds it: share of "
        "the trials whose own 95 % interval holds the truth, ± Monte Carlo standard error.",
    )


def flow(scenario: Scenario) -> Picture:
    """Draw how the patients of a scenario's trials flow from enrolment to outcome, by the data cut-off."""
    return Picture.of(
        patient_flow(simulate(scenario.model_copy(update={"payoffs": None}), parameters=parameters_said(POINT)))
    )


def coverage(result: Result, endpoint: str) -> tuple[float, float] | None:
    """Return the share of the trials whose own 95 % interval holds the truth, and its Monte Carlo error."""
    estimates, truth = result.estimates[endpoint], result.oracles[endpoint]
    if estimates.lower is None or estimates.upper is None or truth is None:
        return None
    known = np.isfinite(estimates.lower)
    trials = int(known.sum())
    if not trials:
        return None
    holds = int(((estimates.lower <= truth) & (truth <= estimates.upper))[known].sum())
    return holds / trials, float(proportion_mcse(holds, trials))


def _cells(result: Result, row: Row) -> tuple[str, str, str, str, str]:
    held = coverage(result, row.summary.endpoint.id)
    return (
        row.summary.endpoint.label + (", months" if row.summary.endpoint.unit == "months" else ""),
        row.published_text,
        row.simulated_text,
        row.oracle_text,
        f"{100 * held[0]:.0f} % ±{100 * held[1]:.0f}" if held else "",
    )


def sentence(rows: Mapping[str, Row]) -> str:
    """Say what a trial with this cut-off sees, and what is true."""
    said = (
        f"With {rows['followup'].summary.predicted.median:.1f} months of median follow-up a trial sees a median "
        f"survival of {rows['os'].simulated_text} months; the truth is {rows['os'].oracle_text}."
    )
    mortality = rows["d100"]
    if not mortality.summary.estimable:
        return f"{said} Mortality by 100 days after HSCT cannot be estimated in most trials."
    return (
        f"{said} It sees a mortality of {mortality.simulated_text} by 100 days after HSCT (published: 11 %); the truth "
        f"is {mortality.oracle_text}."
    )


def reasons(result: Result, rows: Mapping[str, Row]) -> list[str]:
    """Say why what is seen differs from the truth, and what the cut-off changes."""
    said = []
    transplanted = result.scenario.cohort.size * rows["cr"].summary.mean * rows["hsct"].summary.mean
    if transplanted > 0:  # false for nan, too: nobody in remission
        said += [_few(rows["d100"], transplanted), *_censored_at_hsct(rows["os_cens"])]
    limit, oracle = _both(rows["rfs"])
    if limit != oracle:
        said.append(
            "A relapse is dated when it is found, not when it happens: without any cut-off the median of relapse-free "
            f"survival would be {limit} months, by the true days {oracle}."
        )
    return said


def _few(mortality: Row, transplanted: float) -> str:
    seen = mortality.summary.predicted
    spread = (
        f": in 95 % of the trials it lies between {100 * seen.lower:.0f} and {100 * seen.upper:.0f} %"
        if mortality.summary.estimable
        else ""
    )
    return (
        "Mortality by 100 days rests on few. Published: 11 % of 32 transplanted. Here a trial has about "
        f"{max(1, round(transplanted))} transplanted on study by the cut-off. "
        f"That is why it moves so much from trial to trial{spread}. A later cut-off adds few transplants; a larger "
        "trial adds more."
    )


def _censored_at_hsct(median: Row) -> list[str]:
    limit, oracle = _both(median)
    if not limit:
        return []
    said = (
        "Censoring at HSCT is another matter. Without any cut-off, in very many patients, the estimator would say "
        f"{limit} months; had HSCT not existed, the same patients would have had a median of {oracle}."
    )
    if limit == oracle:
        return [f"{said} Here it misleads by less than 0.1 months."]
    return [f"{said} No cut-off mends that: who is transplanted, and who is censored with it, is not drawn at random."]


def _both(median: Row) -> tuple[str, str]:
    """Return the limit and the oracle as they are printed, since no difference unseen needs a reason; else blanks."""
    limit, oracle = median.summary.limit, median.summary.oracle
    if limit is None or oracle is None or not (math.isfinite(limit) and math.isfinite(oracle)):
        return "", ""
    return f"{limit:.1f}", f"{oracle:.1f}"
