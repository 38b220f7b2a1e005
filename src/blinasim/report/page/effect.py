"""The pages of the effect of HSCT: estimators beside the truth, and estimates in patients of the user's own."""

from __future__ import annotations

import math

from blinasim.report.effect import (
    EFFECT_DEFINITIONS,
    NO_ESTIMATE,
    NO_EVENTS,
    data_table,
    data_text,
    estimands_table,
    has_events,
    study_table,
    timing_text,
    truth_text,
    value_text,
)
from blinasim.report.page.asked import commands, facts, in_words, settings_tables
from blinasim.report.page.page import Page
from blinasim.report.resting import assumptions
from blinasim.report.words import listed, minus
from blinasim.statistics.curves import normal_quantile
from blinasim.study.effect import Effect, Finding
from blinasim.study.effect_data import DataEffect
from blinasim.study.estimators import ESTIMATORS, Timing


def effect_page(found: Effect) -> Page:
    """Return the page of a study of estimators."""
    scenario, timing = found.scenario, found.timing
    options = [*_timing_options(timing), *(["--detection", found.detection] if found.detection != "recorded" else [])]
    return Page(
        command="effect",
        title=f"The effect of HSCT: {scenario.title}",
        question="What would papers estimate for the effect of HSCT in such trials, and what is it in truth?",
        scenarios=in_words({"": scenario}),
        facts=(
            *facts(scenario, found.parameters, trials=scenario.study.replications),
            *_timing_facts(timing),
            ("Relapses", "as recorded" if found.detection == "recorded" else "seen on their day"),
        ),
        settings=settings_tables({"": scenario}),
        answer=answer(found),
        tables=(*(study_table(found, outcome) for outcome in found.outcomes), estimands_table()),
        definitions=EFFECT_DEFINITIONS,
        notes=(truth_text(found), f"Days count from remission: {timing_text(timing)}."),
        assumptions=assumptions([scenario], found.parameters),
        commands=tuple(commands("effect", scenario, found.parameters, options)),
        repeating=("manifest.json holds the scenario, fully resolved, and a hash of every file.",),
        limitations=(
            "The truth is that of the model: how strong HSCT acts here, and who is selected for it, are "
            "assumptions. What the study shows is how far an estimator lies from a truth that is known.",
            "Estimators of different estimands need not agree; each is held against what it is read for.",
        ),
    )


def answer(found: Effect) -> tuple[str, ...]:
    """Say how far the naive comparison of survival lies from the truth, and which estimators lie near it and far."""
    outcome, day = found.outcomes["os"], found.timing.day
    naive = outcome.of("naive_difference")
    said = []
    if all(map(math.isfinite, (naive.truth.value, naive.performance.mean.value))):
        bias = naive.performance.bias
        truth, mean = _points(naive.truth.value), _points(naive.performance.mean.value)
        if found.changed and math.isfinite(naive.truth.mcse):
            truth += f" (Monte Carlo standard error {100 * naive.truth.mcse:.1f})"
        error = f" (Monte Carlo standard error {100 * bias.mcse:.1f})" if math.isfinite(bias.mcse) else ""
        said.append(
            f"{_truly(found, truth)} on day {day} from remission; comparing those ever transplanted with those never "
            f"transplanted finds {mean} on average, a bias of {_points(bias.value)}{error}."
        )
    else:
        said.append("In these trials too few are transplanted to compare them with the others.")
    known = [one for one in outcome.findings if math.isfinite(one.performance.bias.mcse)]
    judged = [
        one
        for one in known
        if one.estimator.id not in ("naive_difference", "observed") and one.estimator.measure != "log_hazard_ratio"
    ]
    if judged:
        said.append(_others(sorted(judged, key=_bias, reverse=True)))
    said.extend(_dependent(one) for one in known if one.estimator.id == "time_dependent_hr" and _is_told(one, 1))
    return tuple(said)


def _others(judged: list[Finding]) -> str:
    """Say which of some estimators, the most biased first, are told from what they are read for, looking at all."""
    told = [one for one in judged if _is_told(one, len(judged))]
    among = f"the other {len(judged)} estimates of survival, or of a difference in it, that have a truth here"
    if not told:
        return f"Of {among}, the trials tell none from it."
    rest = "the trials do not tell the others from it" if len(told) < len(judged) else "that is all of them"
    return f"Of {among}, told from it are {listed([_named(one) for one in told])}; {rest}."


def _is_told(finding: Finding, among: int) -> bool:
    """Whether a bias is told from none with 95 % confidence, as one of several that are looked at (Bonferroni)."""
    bias = finding.performance.bias
    return abs(bias.value) > normal_quantile(1.0 - 0.05 / among) * bias.mcse


def _dependent(finding: Finding) -> str:
    """Say what is left in the time-dependent model where HSCT is known to do nothing."""
    value = finding.performance.mean.value
    return (
        f"The hazard ratio of “{finding.estimator.label}” is {value_text(value, 'log_hazard_ratio')} where the truth "
        "is 1: a relapse ends that a patient may be transplanted, so that those who have relapsed are among the "
        "untransplanted."
    )


def _truly(found: Effect, truth: str) -> str:
    if not found.changed:
        return "HSCT changes nobody's day of relapse or death here: it truly adds nothing to overall survival"
    return f"In those who are transplanted, HSCT truly changes overall survival by {truth}"


def _bias(finding: Finding) -> float:
    return abs(finding.performance.bias.value)


def _named(finding: Finding) -> str:
    bias = finding.performance.bias
    error = f", standard error {100 * bias.mcse:.1f}" if math.isfinite(bias.mcse) else ""
    return f"“{finding.estimator.label}” (bias {_points(bias.value)}{error})"


def _points(value: float) -> str:
    return minus(value_text(value, "difference"))


def _timing_facts(timing: Timing) -> tuple[tuple[str, str], ...]:
    return (
        ("Survival judged on", f"day {timing.day}"),
        ("Landmark", f"day {timing.landmark_day}"),
        ("Period of grace", f"{timing.grace_days} days"),
    )


def _timing_options(timing: Timing) -> list[str]:
    usual = Timing()
    said = {"--landmark": "landmark_day", "--grace": "grace_days", "--day": "day"}
    return [
        word
        for option, name in said.items()
        if getattr(timing, name) != getattr(usual, name)
        for word in (option, f"{getattr(timing, name)}")
    ]


def data_page(found: DataEffect) -> Page:
    """Return the page of estimates in patients of the user's own."""
    covariates = ", ".join(found.covariates)
    return Page(
        command="effect --data",
        title=f"The effect of HSCT in {found.name}",
        question="What do the estimators of the literature say of the effect of HSCT in these patients?",
        scenarios=(),
        facts=(
            ("Patients", f"{int(found.data.member.sum()):,}"),
            ("Adjusted for", covariates or "nothing"),
            *_timing_facts(found.timing),
        ),
        answer=data_answer(found),
        tables=(data_table(found), estimands_table()),
        definitions=(("n/a", f"{NO_ESTIMATE[:1].upper()}{NO_ESTIMATE[1:]}."),),
        notes=(f"{data_text(found)}.", f"Days count from the origin of the data: {timing_text(found.timing)}."),
        commands=(),
        repeating=(
            "Nothing is drawn at random: blinasim effect --data with the same file and options writes the same bytes. "
            "manifest.json holds a hash of the file, and of every file here.",
        ),
        limitations=(
            "These are observational data: no estimate here is causal without assumptions that the data cannot "
            "check, above all that nothing else differs between those transplanted and those not, at any time.",
        ),
    )


def data_answer(found: DataEffect) -> tuple[str, ...]:
    """Say what the time-dependent Cox model finds, beside the naive comparison."""
    key = "adjusted_hr" if found.covariates else "time_dependent_hr"
    label = next(one.label for one in ESTIMATORS if one.id == key)
    said = [] if has_events(found) else [NO_EVENTS]
    said.append(f"{label}: {_ratio(found, key)}.")
    naive = _ratio(found, "naive_hr")
    said.append(
        f"Comparing those ever transplanted with those never transplanted: {naive}. That groups patients by their "
        "future, which biases it in favour of HSCT."
    )
    said.append(
        "If the event is death, a relapse between the origin and HSCT biases the Cox models in favour of HSCT, too: "
        "relapsed patients are then among the untransplanted. The weighted clones are made for that."
    )
    return tuple(said)


def _ratio(found: DataEffect, key: str) -> str:
    estimate = found.estimates[key]
    value, (lower, upper) = float(estimate.value[0]), (float(limit[0]) for limit in estimate.interval())
    if not math.isfinite(value):
        return "no hazard ratio can be estimated"
    text = f"hazard ratio {value_text(value, 'log_hazard_ratio')}"
    if not (math.isfinite(lower) and math.isfinite(upper)):
        return f"{text}, without an interval"
    limits = " to ".join(value_text(limit, "log_hazard_ratio") for limit in (lower, upper))
    open_sign = "; whether HSCT goes with fewer events or more is left open" if lower <= 0.0 <= upper else ""
    return f"{text} (95 % interval {limits}){open_sign}"
