"""The effect of HSCT as lines of a table: each estimator, what it found, and the truth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from blinasim.report.table import Table
from blinasim.report.words import NOT_APPLICABLE
from blinasim.statistics.exposure import NEVER
from blinasim.statistics.performance import Figure
from blinasim.study.effect import POOLED_TRIALS, Effect, Finding
from blinasim.study.effect_data import DataEffect
from blinasim.study.estimators import ESTIMATORS, Estimator, Scale, Timing
from blinasim.study.exposures import OUTCOMES, OutcomeId

if TYPE_CHECKING:
    import pandas as pd

#: Headings of the scales, in the order of the tables.
MEASURES: Final[dict[Scale, str]] = {
    "log_hazard_ratio": "Hazard ratio",
    "difference": "Difference in survival",
    "survival": "Survival",
}
STUDY_TITLES: Final = ("", "truth", "mean", "limit", "bias ±MC", "SD", "model SE", "coverage ±MC", "no value")
DATA_TITLES: Final = ("", "estimate", "95 % interval")
#: Why there may be no estimate, or no interval, in patients of the user's own.
NO_ESTIMATE: Final = (
    "no estimate, or no interval: nobody or no event in a group, nothing to adjust for, or no follow-up to that day"
)
NO_EVENTS: Final = "No events: nothing can be estimated."


@dataclass(frozen=True)
class StudyRow:
    """A line of a study: one estimator of one outcome."""

    outcome: OutcomeId
    finding: Finding

    @property
    def label(self) -> str:
        """The estimator's name."""
        return self.finding.estimator.label

    @property
    def cells(self) -> tuple[str, ...]:
        """The line's texts, in the order of ``STUDY_TITLES``."""
        one, measure = self.finding.performance, self.finding.estimator.measure
        scale = 1.0 if measure == "log_hazard_ratio" else 100.0
        return (
            f"  {self.label}",
            value_text(self.finding.truth.value, measure),
            value_text(one.mean.value, measure),
            value_text(self.finding.limit.value, measure),
            _with_error(one.bias, scale, 2 if scale == 1.0 else 1, sign=True),
            _plain(one.empirical_se.value, scale),
            _plain(one.model_se.value, scale),
            _with_error(one.coverage, 100.0, 1, sign=False),
            f"{one.failures}" if one.failures else "",
        )


def study_rows(found: Effect) -> list[StudyRow]:
    """Return all lines, by outcome and scale."""
    return [
        StudyRow(outcome, finding)
        for outcome in found.outcomes
        for measure in MEASURES
        for finding in found.outcomes[outcome].findings
        if finding.estimator.measure == measure
    ]


def study_table(found: Effect, outcome: OutcomeId) -> Table:
    """Return the table of an outcome."""
    lines: list[tuple[str, ...]] = []
    for measure, title in MEASURES.items():
        lines.append((title,))
        lines += [
            row.cells for row in study_rows(found) if (row.outcome, row.finding.estimator.measure) == (outcome, measure)
        ]
    return Table(STUDY_TITLES, tuple(lines), label_of(outcome, found.timing))


def data_table(found: DataEffect) -> Table:
    """Return the table of what the estimators say of patients of the user's own."""
    lines: list[tuple[str, ...]] = []
    for measure, title in MEASURES.items():
        on_day = "" if measure == "log_hazard_ratio" else f" on day {found.timing.day}"
        lines.append((f"{title}{on_day}",))
        lines += [data_cells(found, one) for one in ESTIMATORS if one.measure == measure]
    return Table(DATA_TITLES, tuple(lines), "Estimates of the effect of HSCT in these patients")


def estimands_table() -> Table:
    """Return the table of what each estimator is read for."""
    lines = tuple((f"{one.label} ({MEASURES[one.measure].lower()})", one.estimand) for one in ESTIMATORS)
    return Table(("estimator", "read for"), lines, "What each estimator is read for: how it treats HSCT")


def data_cells(found: DataEffect, estimator: Estimator) -> tuple[str, ...]:
    """Return the line of an estimator on patients of the user's own, in the order of ``DATA_TITLES``."""
    estimate = found.estimates[estimator.id]
    value, (lower, upper) = float(estimate.value[0]), (float(limit[0]) for limit in estimate.interval())
    if not math.isfinite(value):
        return f"  {estimator.label}", NOT_APPLICABLE, ""
    measure = estimator.measure
    if lower == upper:  # nothing happened by which its error could be told
        return f"  {estimator.label}", value_text(value, measure), NOT_APPLICABLE
    return (
        f"  {estimator.label}",
        value_text(value, measure),
        f"{value_text(lower, measure, unit=False)} to {value_text(upper, measure)}",
    )


def value_text(value: float, measure: Scale, *, unit: bool = True) -> str:
    """Write an estimate: hazard ratios as such, survival in per cent, differences in percentage points."""
    if not math.isfinite(value):
        return NOT_APPLICABLE
    match measure:
        case "log_hazard_ratio":
            return f"{math.exp(value):.2f}"
        case "survival":
            return f"{100 * value:.1f}{' %' * unit}"
        case "difference":
            return f"{_zero(100 * value):+.1f}{' pp' * unit}"


def label_of(outcome: OutcomeId, timing: Timing) -> str:
    """Say what the outcome is and when survival is judged."""
    return f"{OUTCOMES[outcome]} from remission; survival on day {timing.day}"


def timing_text(timing: Timing) -> str:
    """Say which days the estimators name."""
    return f"landmark day {timing.landmark_day}, period of grace {timing.grace_days} days"


def truth_text(found: Effect) -> str:
    """Say how many lives HSCT changes: what the truth rests on."""
    trials = found.scenario.study.replications
    responders, transplanted = found.responders / trials, found.transplanted / trials
    changed = "nobody" if not found.changed else f"{found.changed:,}"
    return (
        f"{responders:.1f} responders a trial, {transplanted:.1f} of them transplanted at some time; {changed} of "
        f"{found.responders:,} would have relapsed or died on another day without HSCT."
    )


#: What the columns mean.
EFFECT_DEFINITIONS: Final = (
    (
        "truth",
        "The same patients, uncensored, with the same luck in a world without HSCT. Hazard ratios have one only "
        "where no life differs.",
    ),
    ("mean", "Of the estimates over the trials; of hazard ratios on the log scale, as are bias and errors."),
    ("limit", f"Mean in trials pooled by {POOLED_TRIALS}: where large trials of this kind would arrive."),
    ("bias ±MC", "Mean less truth, and its Monte Carlo standard error; in percentage points, or on the log scale."),
    ("SD", "Standard deviation of the estimates."),
    ("model SE", "The standard error that the trials themselves report."),
    ("coverage ±MC", "Share of the trials whose 95 % interval holds the truth, and its Monte Carlo standard error."),
    ("no value", "Trials without an estimate, which all figures leave out."),
    ("n/a", "Has no value, or no truth."),
)


def study_frame(found: Effect) -> pd.DataFrame:
    """Return everything as data: a row an outcome and estimator, log hazard ratios and shares."""
    import pandas as pd

    return pd.DataFrame([_record(row.outcome, row.finding) for row in study_rows(found)])


def _record(outcome: OutcomeId, finding: Finding) -> dict[str, object]:
    one, estimator = finding.performance, finding.estimator
    record: dict[str, object] = {
        "outcome": outcome,
        "estimator": estimator.id,
        "label": estimator.label,
        "measure": estimator.measure,
        "estimand": estimator.estimand,
        "judged_by": estimator.truth,
        "truth": finding.truth.value,
        "truth_mcse": finding.truth.mcse,
        "limit": finding.limit.value,
        "limit_mcse": finding.limit.mcse,
        "trials": one.trials,
        "failures": one.failures,
    }
    for name in ("mean", "bias", "empirical_se", "model_se", "coverage", "rejection"):
        figure: Figure = getattr(one, name)
        record |= {name: figure.value, f"{name}_mcse": figure.mcse}
    return record


def data_frame(found: DataEffect) -> pd.DataFrame:
    """Return the estimates as data, a row an estimator: log hazard ratios and shares."""
    import pandas as pd

    rows = []
    for estimator in ESTIMATORS:
        estimate = found.estimates[estimator.id]
        lower, upper = estimate.interval()
        rows.append(
            {
                "estimator": estimator.id,
                "label": estimator.label,
                "measure": estimator.measure,
                "estimand": estimator.estimand,
                "estimate": estimate.value[0],
                "standard_error": estimate.standard_error[0],
                "lower": lower[0],
                "upper": upper[0],
            }
        )
    return pd.DataFrame(rows)


def data_text(found: DataEffect) -> str:
    """Say who is analysed."""
    data = found.data
    patients, events, treated = (
        int(np.sum(what)) for what in (data.member, data.event & data.member, data.treated < NEVER)
    )
    adjusted = f"adjusted for {', '.join(found.covariates)}" if found.covariates else "nothing to adjust for"
    return f"{patients:,} patients, {events:,} events, {treated:,} transplanted · {adjusted}"


def has_events(found: DataEffect) -> bool:
    """Whether any patient had the event."""
    return bool(np.any(found.data.event & found.data.member))


def _with_error(figure: Figure, scale: float, places: int, *, sign: bool) -> str:
    if not math.isfinite(figure.value):
        return NOT_APPLICABLE
    value = f"{_zero(scale * figure.value, places):{'+' if sign else ''}.{places}f}"
    return f"{value} ±{scale * figure.mcse:.{places}f}" if math.isfinite(figure.mcse) else value


def _plain(value: float, scale: float) -> str:
    return f"{scale * value:.{2 if scale == 1.0 else 1}f}" if math.isfinite(value) else NOT_APPLICABLE


def _zero(value: float, places: int = 1) -> float:
    """Leave no minus before a 0."""
    return 0.0 if abs(value) < 0.5 * 10.0**-places else value
