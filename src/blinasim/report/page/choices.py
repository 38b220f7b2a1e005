"""The pages of what a choice rests on: the value of information, the sensitivity of outcomes, the best settings."""

from __future__ import annotations

from blinasim.inference.sensitivity import Sensitivity
from blinasim.inference.value import ValueOfInformation
from blinasim.report.optimization import (
    OPTIMIZATION_DEFINITIONS,
    RACE_RULE,
    SHOWN,
    best_text,
    impossible_text,
    limit_text,
    optimization_table,
    race_text,
)
from blinasim.report.page.asked import facts, in_words, settings_tables
from blinasim.report.page.page import Page
from blinasim.report.resting import assumptions
from blinasim.report.sensitivity import (
    SENSITIVITY_DEFINITIONS,
    groups_text,
    others_text,
    sensitivity_table,
    sentence,
    uninformed_text,
)
from blinasim.report.value import (
    TAKEN_AS_THEY_ARE,
    VALUE_DEFINITIONS,
    candidate_table,
    explained_text,
    perfect_text,
    worth_table,
)
from blinasim.report.words import listed, lower_first
from blinasim.study.optimize import Optimization

_REPEATING = (
    "manifest.json holds every scenario, fully resolved, and a hash of every file; with the same options, seed and "
    "versions the command writes the same bytes.",
)


def value_page(found: ValueOfInformation) -> Page:
    """Return the page of a value of information."""
    first = found.scenarios[found.reference]
    return Page(
        command="value",
        title=f"What it would be worth to know, choosing among {listed(list(found.scenarios))}",
        question=f"Which policy is the best by {lower_first(found.objective.name)}, and what would it be worth to know "
        "parameters before one chooses?",
        scenarios=in_words(found.scenarios),
        facts=facts(first, found.parameters, trials=found.trials, called="Simulated trials of each policy"),
        settings=settings_tables(found.scenarios),
        answer=(perfect_text(found),),
        tables=(candidate_table(found), worth_table(found)),
        definitions=VALUE_DEFINITIONS,
        notes=(
            explained_text(found),
            TAKEN_AS_THEY_ARE,
        ),
        assumptions=assumptions(list(found.scenarios.values()), found.parameters),
        commands=(),
        repeating=_REPEATING,
        limitations=("Only the parameters are uncertain here: not the pathway, the prices or the utilities.",),
    )


def sensitivity_page(found: Sensitivity) -> Page:
    """Return the page of a sensitivity analysis."""
    outcomes = found.outcomes
    return Page(
        command="sensitivity",
        title=f"What outcomes rest on: {found.scenario.title}",
        question=f"On which parameters do {listed([lower_first(one.outcome.label) for one in outcomes])} rest?"
        if len(outcomes) > 1
        else f"On which parameters does {lower_first(outcomes[0].outcome.label)} rest?",
        scenarios=in_words({"": found.scenario}),
        facts=facts(found.scenario, found.parameters, trials=found.evaluations, called="Parameter values lived"),
        settings=settings_tables({"": found.scenario}),
        answer=tuple(map(sentence, outcomes)),
        tables=tuple(map(sensitivity_table, outcomes)),
        definitions=SENSITIVITY_DEFINITIONS,
        notes=(
            uninformed_text(found),
            *(said for one in outcomes for said in (others_text(one), groups_text(one)) if said),
            "All parameters and errors: sensitivity.csv.",
        ),
        assumptions=assumptions([found.scenario], found.parameters),
        commands=(),
        repeating=_REPEATING,
        limitations=("Parameters move within their priors: what the priors leave out is not seen.",),
    )


def optimization_page(found: Optimization) -> Page:
    """Return the page of an optimization."""
    limits = f", keeping {listed(list(map(limit_text, found.limits)))}" if found.limits else ""
    aim, more = lower_first(found.objective.name), len(found.runners) - SHOWN
    said = (race_text(found), impossible_text(found), f"{more:,} more: optimization.csv." if more > 0 else "")
    return Page(
        command="optimize",
        title=f"The best settings: {found.base.title}",
        question=f"Which of {len(found.runners):,} candidates {found.better}s {aim}{limits}?",
        scenarios=in_words({"": found.base}),
        facts=facts(found.base, found.parameters, trials=found.looks[-1], called="Simulated trials of a race at most"),
        settings=settings_tables({"varied": found.base, "best": found.best.scenario}),
        answer=(best_text(found),),
        tables=(optimization_table(found),),
        definitions=OPTIMIZATION_DEFINITIONS,
        notes=(
            *filter(None, said),
            RACE_RULE,
        ),
        assumptions=assumptions([found.best.scenario], found.parameters),
        commands=(),
        repeating=_REPEATING,
        limitations=("The best is the best of the model, among the candidates, by the objective that was asked for.",),
    )
