"""``calibration.json``: what a calibration has learnt, as one documented, versioned document."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final, Literal

from pydantic import Field

from blinasim.report.calibration import Calibration, label
from blinasim.report.document import Document, finite
from blinasim.report.validation_file import ValidationFile, validation_file

#: Raised when a key changes its meaning or goes away; a new key does not raise it.
SCHEMA_VERSION: Final = 1


class LearntDocument(Document):
    """What the figures have said about one parameter."""

    name: str = Field(description="Dotted name.")
    mean: float = Field(description="Posterior mean, in the parameter's unit.")
    sd: float = Field(description="Posterior standard deviation.")
    lower: float = Field(description="2.5th percentile of the posterior.")
    median: float = Field(description="Median of the posterior.")
    upper: float = Field(description="97.5th percentile of the posterior.")
    prior_lower: float = Field(description="2.5th percentile of the prior.")
    prior_median: float = Field(description="Median of the prior.")
    prior_upper: float = Field(description="97.5th percentile of the prior.")
    contraction: float = Field(description="1 less posterior over prior variance, where the prior is standard normal.")
    z_score: float = Field(description="Posterior mean there: by how many prior standard deviations it has moved.")
    ess: float = Field(description="Worth of the draws for the mean, in independent ones.")
    mcse: float = Field(description="Standard error of the mean, in posterior standard deviations.")


class CorrelationDocument(Document):
    """Two parameters that the figures have tied to each other."""

    first: str = Field(description="Dotted name.")
    second: str = Field(description="Dotted name.")
    correlation: float = Field(description="Posterior correlation, where the priors are standard normal.")


class LeftOutDocument(Document):
    """A fitted figure against what all other figures say of it."""

    label: str = Field(description="What it is, of whom.")
    unit: str = Field(description="patients, months or share.")
    published: float = Field(description="The figure.")
    of: int | None = Field(description="All patients, of a number of patients.")
    median: float = Field(description="Predictive median given the others.")
    lower: float = Field(description="2.5th percentile given the others.")
    upper: float = Field(description="97.5th percentile given the others.")
    tail: float = Field(description="Two-sided tail area, those published as the same counting half.")
    pareto_k: float | None = Field(description="Of the weights without it; above 0.7 the row is not to be trusted.")
    moved: str = Field(description="Parameter that moves most without it.")
    moved_by: float = Field(description="By how many posterior standard deviations.")


class StageDocument(Document):
    """Health of the sampler at one power of the likelihood."""

    power: float = Field(description="Power of the likelihood.")
    ess: float = Field(description="Effective particles after re-weighting to it.")
    unique: int = Field(description="Different particles after the moves.")
    acceptance: float = Field(description="Share of moves accepted in the last sweep.")
    step: float = Field(description="Length of the steps, 1 is an independent proposal.")
    moved: float = Field(description="Mean squared distance moved, in variances; 2 is independence.")
    sweeps: int = Field(description="Sweeps of moves.")
    log_likelihood_mean: float = Field(description="Mean log likelihood of the particles.")
    log_likelihood_sd: float = Field(description="Its standard deviation.")


class CalibrationFile(Document):
    """What the calibration found; the draws themselves are in ``posterior.csv``."""

    schema_version: Literal[1] = Field(SCHEMA_VERSION, description="Version of this document's schema.")
    structure: dict[str, str] = Field(description="Distributions of relapse, and of survival after failure.")
    draws: int = Field(description="Draws in posterior.csv.")
    ess: float = Field(description="Effective draws by their weights.")
    log_evidence: float = Field(description="Log probability of the figures under priors and structure.")
    pareto_k: float | None = Field(description="Of the final re-weighting; under 0.7 the weights can be trusted.")
    about: dict[str, Any] = Field(description="How it was made: seed, effort, versions, hashes.")
    learnt: list[LearntDocument] = Field(description="Every parameter that has a prior.")
    correlations: list[CorrelationDocument] = Field(description="Strongest first.")
    left_out: list[LeftOutDocument] = Field(description="Every fitted figure against the others.")
    stages: list[StageDocument] = Field(description="Health of the sampler.")
    prior_predictive: ValidationFile = Field(description="The published figures predicted from the priors.")
    posterior_predictive: ValidationFile = Field(description="The same from the posterior.")


def calibration_file(found: Calibration) -> CalibrationFile:
    """Put the document together."""
    posterior = found.posterior
    return CalibrationFile(
        structure=asdict(posterior.structure),
        draws=len(posterior.draws),
        ess=posterior.ess,
        log_evidence=posterior.log_evidence,
        pareto_k=finite(posterior.pareto_k),
        about=dict(posterior.about),
        learnt=[LearntDocument(**asdict(one)) for one in found.learnt],
        correlations=[CorrelationDocument(**asdict(pair)) for pair in found.correlations],
        left_out=[
            LeftOutDocument(
                label=label(one),
                **{key: value for key, value in asdict(one).items() if key not in ("figure", "among", "pareto_k")},
                pareto_k=finite(one.pareto_k),
            )
            for one in posterior.left_out
        ],
        stages=[StageDocument(**asdict(stage)) for stage in posterior.stages],
        prior_predictive=validation_file(found.before),
        posterior_predictive=validation_file(found.after),
    )
