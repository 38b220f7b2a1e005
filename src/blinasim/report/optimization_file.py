"""``optimization.json``: a race of candidates, as one documented, versioned document."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from blinasim.inference.choice import described
from blinasim.report.document import Document, finite
from blinasim.study.optimize import ALPHA, Estimate, Optimization, Runner

#: Raised when a key changes its meaning or goes away; a new key does not raise it.
SCHEMA_VERSION: Final = 1


class EstimateDocument(Document):
    """A mean over trials."""

    mean: float = Field(description="The mean.")
    mcse: float | None = Field(description="Its Monte Carlo standard error.")
    lower: float | None = Field(description="Lower limit of its 95 % interval.")
    upper: float | None = Field(description="Upper limit of the same.")


class LimitDocument(Document):
    """What the mean of a measure has to keep."""

    measure: str = Field(description="Its id.")
    side: Literal["at least", "at most"] = Field(description="On which side of the bound.")
    bound: float = Field(description="In the measure's unit.")


class RunnerDocument(Document):
    """A candidate, and what became of it."""

    name: str = Field(description="Its settings in short.")
    settings: dict[str, str] = Field(description="Its settings by dotted name, in YAML.")
    fate: str = Field(description="best; not told apart; worse; beyond a limit; worse on fresh luck.")
    trials: int = Field(description="Trials that it raced over.")
    raced: dict[str, EstimateDocument] = Field(description="Measures over those trials; of the best too good.")
    fresh: dict[str, EstimateDocument] = Field(description="The same on luck that the race did not use.")
    gap: EstimateDocument | None = Field(description="How much worse than the best, paired, in the race.")
    fresh_gap: EstimateDocument | None = Field(description="The same on fresh luck.")
    probability_best: float = Field(
        description="That its mean is the best, given fresh luck; 0 of those dropped before."
    )
    keeps_limits: bool | None = Field(description="Null where the trials do not say so for certain.")


class OptimizationFile(Document):
    """What the optimization found."""

    schema_version: Literal[1] = Field(SCHEMA_VERSION, description="Version of this document's schema.")
    title: str = Field(description="Title of the scenario that was varied.")
    objective: str = Field(description="Id of the measure.")
    unit: str = Field(description="Its unit.")
    better: Literal["maximize", "minimize"] = Field(description="In which direction.")
    limits: list[LimitDocument] = Field(description="What candidates had to keep.")
    alpha: float = Field(description="Probability of losing the best candidate in the race, at most.")
    parameters: str = Field(description="Which parameters.")
    fingerprint: str = Field(description="SHA-256 of them.")
    seed: int = Field(description="Seed of all luck.")
    patients_per_trial: int = Field(description="Patients of each trial.")
    looks: list[int] = Field(description="Trials after which candidates could be dropped.")
    fresh_trials: int = Field(description="Trials of fresh luck.")
    trials_lived: int = Field(description="Trials lived in all, each candidate's counted.")
    candidates: list[RunnerDocument] = Field(description="All of them: the best, those not told apart, the others.")
    impossible: dict[str, str] = Field(description="Combinations of settings that are no scenario, and why.")


def optimization_file(found: Optimization) -> OptimizationFile:
    """Put the document together."""
    return OptimizationFile(
        title=found.base.title,
        objective=found.objective.id,
        unit=found.objective.unit,
        better=found.better,
        limits=[LimitDocument(measure=one.measure.id, side=one.side, bound=one.bound) for one in found.limits],
        alpha=ALPHA,
        parameters=described(found.parameters),
        fingerprint=found.parameters.fingerprint,
        seed=found.base.study.seed,
        patients_per_trial=found.base.cohort.size,
        looks=list(found.looks),
        fresh_trials=found.fresh_trials,
        trials_lived=found.trials_lived,
        candidates=[_runner(one) for one in found.runners],
        impossible=dict(found.impossible),
    )


def _runner(one: Runner) -> RunnerDocument:
    return RunnerDocument(
        name=one.name,
        settings=dict(one.settings),
        fate=one.verdict,
        trials=one.trials,
        raced={key: _estimate(each) for key, each in one.raced.items()},
        fresh={key: _estimate(each) for key, each in one.fresh.items()},
        gap=_estimate(one.gap) if one.gap else None,
        fresh_gap=_estimate(one.fresh_gap) if one.fresh_gap else None,
        probability_best=one.probability,
        keeps_limits=one.keeps,
    )


def _estimate(one: Estimate) -> EstimateDocument:
    return EstimateDocument(mean=one.mean, mcse=finite(one.mcse), lower=finite(one.lower), upper=finite(one.upper))
