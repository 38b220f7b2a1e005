"""The page of a run: one scenario beside the source study."""

from __future__ import annotations

import math
from collections.abc import Sequence

from blinasim.model.policy_file import PolicyFile
from blinasim.report.manifest import POLICY_FILE
from blinasim.report.page.asked import commands, facts, in_words, settings_tables
from blinasim.report.page.page import Page
from blinasim.report.resting import assumptions
from blinasim.report.rows import (
    ENOUGH_TRIALS,
    Row,
    as_published,
    judged_text,
    number,
    results_table,
    run_definitions,
)
from blinasim.report.sensitivity_file import stored_sentence
from blinasim.scenario.settings import Scenario
from blinasim.study.simulate import Result


def run_page(result: Result, rows: list[Row], own_policy: PolicyFile | None) -> Page:
    """Return the page of a run.

    Parameters
    ----------
    result : Result
        What was simulated.
    rows : list of Row
        Its results table.
    own_policy : PolicyFile or None
        A policy of one's own, if one decided.

    Returns
    -------
    Page
    """
    scenario, varies = result.scenario, result.parameters.varies
    options = ["--policy", f"{POLICY_FILE}:{own_policy.name}"] if own_policy else []
    named = (("Policy", f"{own_policy.name}, a policy of one's own ({POLICY_FILE})"),) if own_policy else ()
    rest = assumptions([scenario], result.parameters)
    strongest = stored_sentence(result.parameters) if varies and as_published(scenario) else None
    return Page(
        command="run",
        title=scenario.title,
        question=f"What would a trial of {scenario.cohort.size:,} patients under this scenario have reported, and how "
        "does that compare with what the source study published?",
        scenarios=in_words({"": scenario}),
        facts=(*facts(scenario, result.parameters, trials=result.replications), *named),
        settings=settings_tables({"": scenario}),
        answer=answer(scenario, rows),
        tables=(results_table(rows, varies=varies),),
        definitions=run_definitions(result.replications, varies=varies),
        notes=tuple(filter(None, (judged_text(scenario, rows, own=rest.own), strongest))),
        assumptions=rest,
        commands=tuple(commands("run", scenario, result.parameters, options)),
        repeating=("In this folder, blinasim rerun . repeats the run and says whether every byte is the same.",),
        limitations=(
            "The 95 % intervals are of single trials of this size, not of means: more simulated trials do not narrow "
            "them.",
        ),
    )


def answer(scenario: Scenario, rows: Sequence[Row]) -> tuple[str, ...]:
    """Say what a trial would report of survival and of transplants, and what censoring at HSCT does to the estimate."""
    row = {one.summary.endpoint.id: one for one in rows}
    trials = row["os"].summary.predicted.n_values + row["os"].summary.predicted.n_missing
    size = f"{scenario.cohort.size:,} patient{'s' * (scenario.cohort.size != 1)}"
    what = f"In a trial of {size} under this scenario,"
    first = (
        f"{what} median overall survival {_estimated(row['os'])}, and the share of responders who are transplanted on "
        f"study, in unbroken remission, {_estimated(row['hsct'])}."
    )
    if trials < ENOUGH_TRIALS:
        few = "one trial was" if trials == 1 else f"{trials} trials were"
        return first, f"Only {few} simulated; {ENOUGH_TRIALS} or more are needed for a 95 % interval."
    return tuple(filter(None, (first, _censoring(row["os_cens"]))))


def _estimated(row: Row) -> str:
    """Say what the trials found of an endpoint."""
    summary, unit = row.summary, row.summary.endpoint.unit
    predicted = summary.predicted
    if not summary.estimable:
        return "cannot be estimated in most of the simulated trials"
    middle = "is not reached" if math.isinf(predicted.median) else f"is {_written(predicted.median, unit)}"
    if predicted.n_values < ENOUGH_TRIALS:
        return f"{middle} in the median of the simulated trials" if predicted.n_values > 1 else middle
    lower = number(predicted.lower, unit).removesuffix(" %") if math.isfinite(predicted.upper) else ""
    upper = _written(predicted.upper, unit)
    return f"{middle} (95 % predictive interval {lower or _written(predicted.lower, unit)} to {upper})"


def _written(value: float, unit: str) -> str:
    text = number(value, unit)
    return f"{text} {unit}" if unit == "months" and math.isfinite(value) else text


def _censoring(row: Row) -> str:
    """Say how far the median censored at HSCT lies from what it is read for."""
    limit, oracle = row.summary.limit, row.summary.oracle
    if limit is None or oracle is None or math.isnan(limit) or math.isnan(oracle):
        return ""
    world = "the median survival of the same patients with the same luck in a world without HSCT"
    if math.isinf(limit) or math.isinf(oracle):
        said = [
            number(value, "months") if math.isinf(value) else _written(value, "months") for value in (limit, oracle)
        ]
        return (
            f"Censored at HSCT and with everybody followed to the end, the median is {said[0]}; {world} is {said[1]}."
        )
    apart = float(number(limit, "months")) - float(number(oracle, "months"))
    start = f"Censored at HSCT and with everybody followed to the end, the median is {_written(limit, 'months')}"
    if abs(apart) < 0.05:
        return f"{start}, and so is {world}: censoring at HSCT misleads by less than 0.1 months here."
    return (
        f"{start}, and {world} is {_written(oracle, 'months')}: censoring at HSCT makes it {abs(apart):.1f} months too "
        f"{'long' if apart > 0 else 'short'}, however many patients there are."
    )
