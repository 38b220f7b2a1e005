"""``effect.json``: the effect of HSCT as estimated, as one documented, versioned document."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field

from blinasim.inference.choice import described
from blinasim.report.document import Document, finite
from blinasim.report.effect import study_rows
from blinasim.statistics.performance import Figure
from blinasim.study.effect import Effect
from blinasim.study.effect_data import DataEffect
from blinasim.study.estimators import ESTIMATORS, Estimator, Scale, Timing
from blinasim.study.exposures import Detection, OutcomeId

#: Raised when a key changes its meaning or goes away; a new key does not raise it.
SCHEMA_VERSION: Final = 1


class FigureDocument(Document):
    """A Monte Carlo figure; null where it does not exist."""

    value: float | None = Field(description="The figure.")
    mcse: float | None = Field(description="Its Monte Carlo standard error.")


class EstimatorDocument(Document):
    """An estimator."""

    id: str = Field(description="Identifier, the same in every file.")
    label: str = Field(description="Its name.")
    measure: Scale = Field(description="Scale: log_hazard_ratio, survival (a share), or a difference of shares.")
    estimand: str = Field(description="What it is read for, in the words of ICH E9(R1).")


class FindingDocument(EstimatorDocument):
    """What an estimator did over the trials."""

    outcome: OutcomeId = Field(description="os or rfs, from remission.")
    judged_by: str = Field(description="Which truth judges it.")
    truth: FigureDocument = Field(description="That truth; null where there is none.")
    limit: FigureDocument = Field(description="Mean of the estimates in large pooled trials.")
    trials: int = Field(description="Simulated trials.")
    failures: int = Field(description="Trials without an estimate.")
    mean: FigureDocument = Field(description="Mean of the estimates.")
    bias: FigureDocument = Field(description="Mean less truth.")
    empirical_se: FigureDocument = Field(description="Standard deviation of the estimates.")
    model_se: FigureDocument = Field(description="Root mean square of the standard errors that trials report.")
    coverage: FigureDocument = Field(description="Share of the 95 % intervals that hold the truth.")
    rejection: FigureDocument | None = Field(description="Share that excludes 0; null where 0 means nothing.")


class EstimateDocument(EstimatorDocument):
    """What an estimator says of one table of patients; null where it says nothing."""

    estimate: float | None = Field(description="The estimate.")
    standard_error: float | None = Field(description="Its standard error.")
    lower: float | None = Field(description="Lower limit of the 95 % interval.")
    upper: float | None = Field(description="Upper limit of the 95 % interval.")


class TimingDocument(Document):
    """Days from the origin that the estimators name."""

    landmark_day: int = Field(description="Of the landmark analyses.")
    grace_days: int = Field(description="Within which prompt transplants are done.")
    day: int = Field(description="On which survival is judged.")


class StudyDocument(Document):
    """What the trials were."""

    title: str = Field(description="Of the scenario.")
    parameters: str = Field(description="Under which parameters.")
    trials: int = Field(description="Simulated trials.")
    seed: int = Field(description="Seed of all luck.")
    detection: Detection = Field(description="Relapses as recorded, or as if each had been seen at once.")
    responders: int = Field(description="Patients of all trials in remission.")
    transplanted: int = Field(description="Of them, transplanted at some time.")
    changed: int = Field(description="Of them, with another day of relapse or death in the world without HSCT.")


class DataDocument(Document):
    """What the patients of the user's own are."""

    name: str = Field(description="Name of the file.")
    patients: int = Field(description="Patients.")
    events: int = Field(description="Events.")
    covariates: list[str] = Field(description="Columns adjusted for.")


class EffectFile(Document):
    """The effect of HSCT as estimated, in simulated trials or in patients of the user's own."""

    schema_version: Literal[1] = Field(SCHEMA_VERSION, description="Version of this document's schema.")
    timing: TimingDocument = Field(description="Days that the estimators name.")
    study: StudyDocument | None = Field(None, description="The trials, where they are simulated.")
    findings: list[FindingDocument] = Field([], description="What each estimator did over them.")
    data: DataDocument | None = Field(None, description="The user's own patients.")
    estimates: list[EstimateDocument] = Field([], description="What each estimator says of them.")


def effect_file(found: Effect | DataEffect) -> EffectFile:
    """Put the document together."""
    timing = _timing(found.timing)
    if isinstance(found, DataEffect):
        data = DataDocument(
            name=found.name,
            patients=int(found.data.member.sum()),
            events=int(found.data.event.sum()),
            covariates=list(found.covariates),
        )
        return EffectFile(timing=timing, data=data, estimates=[_estimate(found, one) for one in ESTIMATORS])
    study = StudyDocument(
        title=found.scenario.title,
        parameters=described(found.parameters),
        trials=found.scenario.study.replications,
        seed=found.scenario.study.seed,
        detection=found.detection,
        responders=found.responders,
        transplanted=found.transplanted,
        changed=found.changed,
    )
    findings = []
    for row in study_rows(found):
        finding, one = row.finding, row.finding.performance
        findings.append(
            FindingDocument(
                **_named(finding.estimator),
                outcome=row.outcome,
                judged_by=finding.estimator.truth,
                truth=_figure(finding.truth),
                limit=_figure(finding.limit),
                trials=one.trials,
                failures=one.failures,
                mean=_figure(one.mean),
                bias=_figure(one.bias),
                empirical_se=_figure(one.empirical_se),
                model_se=_figure(one.model_se),
                coverage=_figure(one.coverage),
                rejection=None if finding.estimator.measure == "survival" else _figure(one.rejection),
            )
        )
    return EffectFile(timing=timing, study=study, findings=findings)


def _named(estimator: Estimator) -> dict[str, Any]:
    return {name: getattr(estimator, name) for name in ("id", "label", "measure", "estimand")}


def _timing(timing: Timing) -> TimingDocument:
    return TimingDocument(landmark_day=timing.landmark_day, grace_days=timing.grace_days, day=timing.day)


def _figure(figure: Figure) -> FigureDocument:
    return FigureDocument(value=finite(figure.value), mcse=finite(figure.mcse))


def _estimate(found: DataEffect, estimator: Estimator) -> EstimateDocument:
    estimate = found.estimates[estimator.id]
    lower, upper = estimate.interval()
    return EstimateDocument(
        **_named(estimator),
        estimate=finite(float(estimate.value[0])),
        standard_error=finite(float(estimate.standard_error[0])),
        lower=finite(float(lower[0])),
        upper=finite(float(upper[0])),
    )
