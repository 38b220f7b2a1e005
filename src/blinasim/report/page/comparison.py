"""The page of a comparison: the same patients under several policies."""

from __future__ import annotations

import math
from collections.abc import Iterator

from blinasim.report.comparison import (
    HEAD_START_COLUMNS,
    HEAD_START_WORLDS,
    IDENTIFIED,
    block_title,
    comparison_definitions,
    cost_effectiveness_text,
    touched_text,
    whose_lives,
)
from blinasim.report.comparison_tables import comparison_table, flows_table, head_start_table, repeats_table
from blinasim.report.page.asked import facts, in_words, named_commands, settings_tables
from blinasim.report.page.page import Page
from blinasim.report.resting import assumptions
from blinasim.report.rows import ENOUGH_TRIALS
from blinasim.report.table import Table
from blinasim.report.words import listed, lower_first, minus, signed, signed_value
from blinasim.study.comparison import Comparison
from blinasim.study.contrasts import Difference
from blinasim.study.cost_effectiveness import cost_effectiveness

_LEVEL = "95 % Monte Carlo interval"
#: By what the answer is given.
_MAIN = ("realization", "rmst_24_months")


def comparison_page(comparison: Comparison) -> Page:
    """Return the page of a comparison."""
    scenarios = {arm.name: arm.scenario for arm in comparison.arms}
    reference, first = comparison.reference.name, comparison.reference.scenario
    own = any(arm.own_policy for arm in comparison.arms)
    return Page(
        command="compare",
        title=f"{reference} against {listed(comparison.policies)}",
        question=f"What would have happened under {listed(comparison.policies, 'or')} instead of {reference}? "
        f"Compared are {whose_lives(comparison)}.",
        scenarios=in_words(scenarios),
        facts=facts(first, comparison.parameters, trials=comparison.replications),
        settings=settings_tables(scenarios),
        answer=tuple(line for policy in comparison.policies for line in answer(comparison, policy)),
        tables=tuple(_tables(comparison)),
        definitions=comparison_definitions(comparison.replications),
        notes=tuple(_notes(comparison)),
        assumptions=assumptions(list(scenarios.values()), comparison.parameters),
        commands=() if own else tuple(named_commands("compare", scenarios, comparison.parameters)),
        repeating=(
            "manifest.json holds every scenario, fully resolved, and a hash of every file; with the same scenarios, "
            "seed and versions, blinasim compare writes the same bytes.",
        ),
        limitations=(
            IDENTIFIED,
            "A difference is that of the model, averaged over the parameters in use. Its interval knows that the "
            "simulated trials are finitely many, and nothing else: not how uncertain the parameters are, which shows "
            "in the 95 % of trials beside chance where they are drawn, and not whether the pathway is right.",
        ),
    )


def answer(comparison: Comparison, policy: str) -> Iterator[str]:
    """Say what a policy changes on average, and what a single trial of this size may show of it."""
    realization, survival = (comparison.difference(measure, policy) for measure in _MAIN)
    if comparison.replications < ENOUGH_TRIALS:
        means = " and ".join(_mean(one) for one in (realization, survival) if not math.isnan(one.mean))
        few = f"{comparison.replications} trial{'s' * (comparison.replications != 1)}"
        yield f"Under {policy} instead of {comparison.reference.name}, in {few}: {means or 'nothing to compare'}."
        yield f"{ENOUGH_TRIALS} or more simulated trials are needed to say how surely."
        return
    yield (
        f"Under {policy} instead of {comparison.reference.name}, {moved(realization)}, and {moved(survival)}: means of "
        "the paired differences over all trials."
    )
    if not math.isnan(survival.trial_lower) and (survival.trial_lower or survival.trial_upper):
        size = comparison.reference.scenario.cohort.size
        limits = " and ".join(signed_value(limit, "months") for limit in (survival.trial_lower, survival.trial_upper))
        yield (
            f"In a single trial of {size:,} such patients, both lives of each known, the difference in "
            f"{lower_name(survival)} lies between {minus(limits)} months with a probability of 95 % under the model."
        )


def moved(difference: Difference) -> str:
    """Say in which direction a measure moves and how surely; in the words of its 95 % interval."""
    name, unit = lower_name(difference), difference.measure.unit
    if math.isnan(difference.mean):
        return f"{name} has no value to compare"
    if not difference.mean and not difference.mcse:
        return f"{name} does not differ in any trial"
    said = "percentage points" if unit == "share" else unit
    mean, lower, upper = (signed(value, unit) for value in (difference.mean, difference.lower, difference.upper))
    if math.isnan(difference.lower):
        return f"{name} differs by {minus(mean)} {said}, without an interval"
    if difference.lower <= 0.0 <= difference.upper:
        limits = f"{minus(lower)} to {minus(upper)}"
        return f"whether {name} changes is left open, by {minus(mean)} {said} ({_LEVEL} {limits})"
    nearer, farther = (lower, upper) if difference.mean > 0 else (upper, lower)
    sizes = [text.lstrip("+-") for text in (mean, nearer, farther)]
    verb = "rises" if difference.mean > 0 else "falls"
    return f"{name} {verb} by {sizes[0]} {said} ({_LEVEL} {sizes[1]} to {sizes[2]})"


def _mean(difference: Difference) -> str:
    """Say a mean difference alone."""
    unit = difference.measure.unit
    said = "percentage points" if unit == "share" else unit
    return f"{lower_name(difference)} differs by {minus(signed(difference.mean, unit))} {said} on average"


def lower_name(difference: Difference) -> str:
    """Return the name of a measure as it stands in a sentence."""
    name = difference.measure.name
    return name if name[:2].isupper() else f"the {lower_first(name)}"


def _tables(comparison: Comparison) -> Iterator[Table]:
    for contrast in comparison.contrasts:
        yield comparison_table(comparison, contrast.name)
        if contrast.pairs:
            yield flows_table(comparison, contrast, contrast.pairs)
        yield repeats_table(comparison, contrast)
        if contrast.head_start:
            yield head_start_table(contrast)


def _notes(comparison: Comparison) -> Iterator[str]:
    for contrast in comparison.contrasts:
        yield f"{block_title(comparison, contrast.name)}."
        if judged := cost_effectiveness(comparison, contrast.name):
            yield cost_effectiveness_text(judged)
        if contrast.pairs:
            yield touched_text(contrast.pairs)
    if any(contrast.head_start for contrast in comparison.contrasts):
        yield f"Of searches under way: {lower_first(HEAD_START_COLUMNS)}. {HEAD_START_WORLDS}"
