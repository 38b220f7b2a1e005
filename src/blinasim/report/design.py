"""The evaluation of designs as lines of tables, in sentences, and as data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.report.rows import ENOUGH_TRIALS
from blinasim.report.table import Table
from blinasim.report.words import NOT_APPLICABLE, minus
from blinasim.study.evaluation import Estimated, Evaluation
from blinasim.study.solve_design import Solution

if TYPE_CHECKING:
    import pandas as pd

#: What stands before the limit of a share that no simulated trial has, or all have.
_AT_MOST, _AT_LEAST = "≤", "≥"
NONE_OR_ALL: Final = "≤, ≥: no simulated trial, or every one; the far limit of the exact 95 % Monte Carlo interval."
#: Titles of the table of looks.
LOOK_TITLES: Final = ("look", "success at", "futile below", "month (95 %)", "patients", "events")


def success_word(evaluation: Evaluation) -> str:
    """Name what the share of successes is."""
    if evaluation.null:
        return "Error of the first kind"
    return "Assurance" if evaluation.parameters.varies else "Power"


def percent(evaluation: Evaluation, share: Estimated, trials: int | None = None) -> str:
    """Write a share of the trials, or of some, with its Monte Carlo error; of none or of all, with the other limit."""
    if math.isnan(share.value):
        return NOT_APPLICABLE
    return f"{100 * share.value:.2f} % {_reach(evaluation, share, trials)}"


def _reach(evaluation: Evaluation, share: Estimated, trials: int | None = None) -> str:
    """Say how far chance in the simulation reaches: where every trial is alike, their spread would say 0."""
    if 0.0 < share.value < 1.0:
        return f"±{100 * share.mcse:.2f}"
    lower, upper = evaluation.limits(share, trials)
    return f"({_AT_MOST}{100 * upper:.2f})" if share.value <= 0.0 else f"({_AT_LEAST}{100 * lower:.2f})"


def figure(estimated: Estimated, digits: int = 1, factor: float = 1.0) -> str:
    """Write a figure with its Monte Carlo error."""
    if math.isnan(estimated.value):
        return NOT_APPLICABLE
    return f"{factor * estimated.value:,.{digits}f} ±{factor * estimated.mcse:.{digits}f}"


def truth_text(evaluation: Evaluation) -> str:
    """Write what the estimator aims at."""
    summary, truth = evaluation.design.estimand.summary, evaluation.truth
    if summary == "hazard_ratio":
        return f"hazard ratio {math.exp(truth):.3f}"
    if summary == "rmst_difference":
        return minus(f"{truth:+.1f} days")
    return f"{100 * truth:.1f} %" if summary == "response_rate" else minus(f"{100 * truth:+.1f} pp")


def characteristics(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Return the operating characteristics of a design, name and text; the same names for all, empty where none is."""
    design, exact, parts = evaluation.design, evaluation.exact, evaluation.power_parts
    formula = None if evaluation.null else evaluation.power_by_formula
    estimated = evaluation.replications - evaluation.failures
    overruled = design.two_arms and evaluation.futility.value > 0 and not design.futility.binding
    return [
        (success_word(evaluation), percent(evaluation, evaluation.success)),
        ("  in the other direction", percent(evaluation, evaluation.harm) if design.sides == 2 else ""),
        ("  if futility is overruled", percent(evaluation, evaluation.success_overruled) if overruled else ""),
        ("  exact, at the rate of all", "" if exact is None else f"{100 * exact.success:.2f} %"),
        (
            "  by Schoenfeld, without looks",
            "" if formula is None else f"{100 * formula:.2f} % at {design.hazard_ratio:g}",
        ),
        ("  SD over draws", "" if parts is None else f"{100 * math.sqrt(parts.between):.1f} pp"),
        ("Stopped for futility", percent(evaluation, evaluation.futility) if _may_be_futile(evaluation) else "0.00 %"),
        ("Patients, mean", figure(evaluation.size)),
        ("Events or responses, mean", figure(evaluation.events)),
        ("Months to the end, mean", figure(evaluation.days, 2, 1 / DAYS_PER_MONTH)),
        ("Truth, by the last look", truth_text(evaluation)),
        ("Bias of the estimate", _bias(evaluation)),
        (
            "Coverage of the 95 % interval",
            percent(evaluation, evaluation.coverage, estimated),
        ),
        ("Trials without an estimate", f"{evaluation.failures:,}" if evaluation.failures else ""),
    ]


def _bias(evaluation: Evaluation) -> str:
    bias, summary = evaluation.bias, evaluation.design.estimand.summary
    if math.isnan(bias.value):
        return NOT_APPLICABLE
    digits = 1 if summary == "rmst_difference" else 4
    unit = {"hazard_ratio": " (log)", "rmst_difference": " days"}.get(summary, "")
    return minus(f"{bias.value:+.{digits}f} ±{bias.mcse:.{digits}f}{unit}")


def look_lines(evaluation: Evaluation) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return titles and lines of the table of looks; with what theory says, where there is one."""
    theory = evaluation.stops_by_theory()
    titles = [*LOOK_TITLES[:-1], "events" if evaluation.design.two_arms else "responses"]
    for stop in ("success, %", "futility, %"):
        titles += [stop, "theory"] if theory else [stop]
    lines = []
    for k, look in enumerate(evaluation.looks()):
        last = k == evaluation.looked.day.shape[1] - 1
        month = look.day.value / DAYS_PER_MONTH
        span = f"({look.day_lower / DAYS_PER_MONTH:.1f}-{look.day_upper / DAYS_PER_MONTH:.1f})"
        cells = [
            look.name,
            _limit(evaluation, look.upper, k, above=True),
            "" if last else _limit(evaluation, look.lower, k, above=False),
            f"{month:.1f} {span}" if look.reached.value else NOT_APPLICABLE,
            f"{look.enrolled.value:.1f}" if look.reached.value else NOT_APPLICABLE,
            f"{look.events.value:.1f}" if look.reached.value else NOT_APPLICABLE,
        ]
        for number, share in enumerate((look.success, look.futility)):
            told = number == 0 or not last
            may = cells[1 + number] or share.value  # it has a boundary
            reach = f" {_reach(evaluation, share)}" if may else ""
            cells.append(f"{100 * share.value:.2f}{reach}" if told else "")
            if theory:
                cells.append(f"{100 * theory[number][k]:.2f}" if told else "")
        lines.append(tuple(cells))
    return tuple(titles), lines


def characteristics_table(evaluations: Sequence[Evaluation]) -> Table:
    """Return the table of operating characteristics, a column a design."""
    columns = [dict(characteristics(evaluation)) for evaluation in evaluations]
    names = list(dict.fromkeys(name for column in columns for name in column))
    told = [(name, *(column.get(name, "") for column in columns)) for name in names]
    titles = [evaluation.asked.name for evaluation in evaluations] if len(evaluations) > 1 else [""]
    return Table(("", *titles), tuple(line for line in told if any(line[1:])), "Operating characteristics")


def looks_table(evaluation: Evaluation) -> Table:
    """Return the table of looks."""
    titles, lines = look_lines(evaluation)
    return Table(titles, tuple(lines), f"The looks of {evaluation.design.title}")


def _may_be_futile(evaluation: Evaluation) -> bool:
    """Whether a look before the last has a boundary of futility."""
    before_the_last = list(evaluation.looks())[:-1]
    return any(_limit(evaluation, look.lower, k, above=False) for k, look in enumerate(before_the_last))


def _limit(evaluation: Evaluation, limit: float, k: int, *, above: bool) -> str:
    """Write a boundary: of z, or of responses."""
    if evaluation.design.two_arms:
        return "" if math.isinf(limit) else minus(f"z {limit:.3f}")
    patients = evaluation.looked_patients[k]
    if (above and limit > patients) or (not above and limit < 0):
        return ""
    return f"{limit:.0f}/{patients}" if above else f"{limit + 1:.0f}/{patients}"


def sentences(evaluations: Sequence[Evaluation]) -> Iterator[str]:
    """Say what the figures mean, a line each."""
    yield "±: Monte Carlo standard error. Truth: the same estimator in all trials together, at their last look, none"
    yield "stopped early; bias and coverage are against it."
    if any(f"({word}" in text for word in (_AT_MOST, _AT_LEAST) for text in _texts(evaluations)):
        yield NONE_OR_ALL
    if any(evaluation.replications < ENOUGH_TRIALS for evaluation in evaluations):
        yield f"Too few simulated trials to judge a design; {ENOUGH_TRIALS} or more are needed."
    if any(evaluation.exact is not None for evaluation in evaluations):
        yield "theory, single arm: exact, at the response rate of all simulated patients."
    if any(evaluation.exact is None and evaluation.stops_by_theory() for evaluation in evaluations):
        yield "theory, two arms: proportional hazards at that hazard ratio, with the mean events of each look; where"
        yield "hazards are not proportional, the two differ, and the simulated figure is the one to plan by."


def _texts(evaluations: Sequence[Evaluation]) -> Iterator[str]:
    for evaluation in evaluations:
        yield from (text for _, text in characteristics(evaluation))
        for line in look_lines(evaluation)[1]:
            yield from line


def solution_text(solution: Solution) -> str:
    """Say which size was found."""
    unit = "patients" if solution.by == "n" else "events"
    error = f" ±{solution.mcse:.0f} (Monte Carlo)" if solution.mcse else ", exactly, at p1"
    tried = ", ".join(f"{size:,}: {100 * power.value:.1f} %" for size, power in solution.tried)
    return f"{solution.size:,} {unit}{error}{f'; tried {tried}' if tried else ''}"


def design_frame(evaluations: Sequence[Evaluation]) -> pd.DataFrame:
    """Return the looks of designs as data, a row a look; days are calendar days from the first day of accrual."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "design": evaluation.asked.name,
                "null": evaluation.null,
                "look": look.name,
                "reached": look.reached.value,
                "success": look.success.value,
                "success_mcse": look.success.mcse,
                "futility": look.futility.value,
                "futility_mcse": look.futility.mcse,
                "harm": look.harm.value,
                "harm_mcse": look.harm.mcse,
                "mean_days": look.day.value,
                "mean_days_mcse": look.day.mcse,
                "days_lower": look.day_lower,
                "days_upper": look.day_upper,
                "mean_patients": look.enrolled.value,
                "mean_events": look.events.value,
                "upper": look.upper,
                "lower": look.lower,
            }
            for evaluation in evaluations
            for look in evaluation.looks()
        ]
    )
