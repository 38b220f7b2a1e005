"""``trial.json``: the operating characteristics of designs as one documented, versioned document."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from pydantic import Field

from blinasim.inference.choice import described
from blinasim.report.document import Document, finite
from blinasim.study.evaluation import Estimated, Evaluation, LookSummary
from blinasim.study.solve_design import Solution

#: Raised when a key changes its meaning or goes away; a new key does not raise it.
SCHEMA_VERSION: Final = 1


class Figure(Document):
    """A Monte Carlo figure; null where it does not exist."""

    value: float | None = Field(description="The figure.")
    mcse: float | None = Field(description="Its Monte Carlo standard error.")


class LookDocument(Document):
    """One look. Stops are shares of all trials; the rest is of the trials that come to it."""

    name: str = Field(description="Name of the look.")
    reached: Figure = Field(description="Share of the trials that come to it.")
    success: Figure = Field(description="Share of the trials that end here with success.")
    futility: Figure = Field(description="Share of the trials that end here for futility.")
    harm: Figure = Field(description="Share of the trials that end here with the opposite of success.")
    days: Figure = Field(description="Mean calendar day of the cut-off.")
    days_lower: float | None = Field(description="2.5th percentile of that day.")
    days_upper: float | None = Field(description="97.5th percentile of that day.")
    patients: Figure = Field(description="Mean number of patients enrolled.")
    events: Figure = Field(description="Mean number of events, or of responses.")
    upper: float | None = Field(description="Success from here on: z (median of the trials), or responses.")
    lower: float | None = Field(description="Futile below this z, or with so many responses or fewer; null: never.")
    success_by_theory: float | None = Field(description="By theory: exact, or proportional hazards at the truth.")
    futility_by_theory: float | None = Field(description="The same, for futility; of the last look, no success.")


class SolutionDocument(Document):
    """A size that was solved for."""

    by: Literal["n", "events"] = Field(description="Patients or events.")
    size: int = Field(description="The size found.")
    mcse: float = Field(description="Its Monte Carlo standard error; 0 where it is exact.")
    tried: dict[int, Figure] = Field(description="Power of the sizes on the way.")


class DesignDocument(Document):
    """What a design does."""

    name: str = Field(description="Name of the design.")
    title: str = Field(description="Its title.")
    null: bool = Field(description="Whether there was nothing to be found.")
    trials: int = Field(description="Simulated trials.")
    seed: int = Field(description="Seed of all luck.")
    most_patients: int = Field(description="Patients at most.")
    success: Figure = Field(description="Share that succeeds: power, error of the first kind, or assurance over draws.")
    success_overruled: Figure = Field(description="The same if nobody heeded futility.")
    harm: Figure = Field(description="Share that ends with the opposite of success, in two-sided designs.")
    futility: Figure = Field(description="Share that stops for futility.")
    patients: Figure = Field(description="Mean number of patients enrolled by the end.")
    events: Figure = Field(description="Mean number of events, or of responses, at the end.")
    days: Figure = Field(description="Mean calendar day of the cut-off at the end.")
    truth: float | None = Field(
        description="What the estimator aims at: log hazard ratio, difference (days, survival), or rate."
    )
    bias: Figure = Field(description="Mean estimate at the end, less the truth; null over draws.")
    coverage: Figure = Field(description="Share of the 95 % intervals at the end that hold it; null over draws.")
    failures: int = Field(description="Trials without an estimate at their end.")
    power_sd_between_draws: float | None = Field(description="Standard deviation of the power over draws.")
    looks: list[LookDocument] = Field(description="The looks in order.")
    solution: SolutionDocument | None = Field(description="What it was solved for, if it was.")


class DesignFile(Document):
    """What `blinasim trial` found."""

    schema_version: Literal[1] = Field(SCHEMA_VERSION, description="Version of this document's schema.")
    parameters: str = Field(description="Under which parameters.")
    designs: list[DesignDocument] = Field(description="The designs in the order asked.")


def design_file(evaluations: Sequence[Evaluation], solutions: Mapping[str, Solution] | None = None) -> DesignFile:
    """Put the document together; solutions are by the name of the design."""
    return DesignFile(
        parameters=described(evaluations[0].parameters),
        designs=[_design(evaluation, (solutions or {}).get(evaluation.asked.name)) for evaluation in evaluations],
    )


def _design(evaluation: Evaluation, solution: Solution | None) -> DesignDocument:
    parts = evaluation.power_parts
    return DesignDocument(
        name=evaluation.asked.name,
        title=evaluation.design.title,
        null=evaluation.null,
        trials=evaluation.replications,
        seed=evaluation.design.study.seed,
        most_patients=evaluation.design.size,
        success=_figure(evaluation.success),
        success_overruled=_figure(evaluation.success_overruled),
        harm=_figure(evaluation.harm),
        futility=_figure(evaluation.futility),
        patients=_figure(evaluation.size),
        events=_figure(evaluation.events),
        days=_figure(evaluation.days),
        truth=finite(evaluation.truth),
        bias=_figure(evaluation.bias),
        coverage=_figure(evaluation.coverage),
        failures=evaluation.failures,
        power_sd_between_draws=None if parts is None else math.sqrt(parts.between),
        looks=_looks(evaluation),
        solution=None if solution is None else _solution(solution),
    )


def _looks(evaluation: Evaluation) -> list[LookDocument]:
    theory = evaluation.stops_by_theory()
    return [
        _look(look, *((None, None) if theory is None else (theory[0][k], theory[1][k])))
        for k, look in enumerate(evaluation.looks())
    ]


def _look(look: LookSummary, success: float | None, futility: float | None) -> LookDocument:
    return LookDocument(
        name=look.name,
        reached=_figure(look.reached),
        success=_figure(look.success),
        futility=_figure(look.futility),
        harm=_figure(look.harm),
        days=_figure(look.day),
        days_lower=finite(look.day_lower),
        days_upper=finite(look.day_upper),
        patients=_figure(look.enrolled),
        events=_figure(look.events),
        upper=finite(look.upper),
        lower=finite(look.lower),
        success_by_theory=finite(success),
        futility_by_theory=finite(futility),
    )


def _solution(solution: Solution) -> SolutionDocument:
    return SolutionDocument(
        by=solution.by,
        size=solution.size,
        mcse=solution.mcse,
        tried={size: _figure(power) for size, power in solution.tried},
    )


def _figure(estimated: Estimated) -> Figure:
    return Figure(value=finite(estimated.value), mcse=finite(estimated.mcse))
