"""``summary.json``: the results of a run as one documented, versioned document."""

from __future__ import annotations

import math
from typing import Final, Literal

from pydantic import Field

from blinasim.inference.choice import described
from blinasim.report.document import Document, finite
from blinasim.report.rows import Row
from blinasim.statistics.pairs import Parts
from blinasim.study.simulate import Result

#: Raised when a key changes its meaning or goes away; a new key does not raise it.
SCHEMA_VERSION: Final = 1

#: The trial whose patients are exported row by row (``adsl.csv``, ``adtte.csv``, ``events.csv``).
EXPORTED_TRIAL = 1


class Published(Document):
    """A published figure."""

    estimate: float = Field(description="The figure; a share for counts, else in the endpoint's unit.")
    lower: float | None = Field(description="Lower limit of the published 95 % interval, where there is one.")
    upper: float | None = Field(description="Upper limit of the published 95 % interval.")
    count: int | None = Field(description="Numerator of a published count.")
    denominator: int | None = Field(description="Denominator of a published count.")
    inside: bool | None = Field(description="Whether the figure lies in the simulated 95 % predictive interval.")


class Simulated(Document):
    """An endpoint over the simulated trials; null where it is not reached or nobody has it."""

    median: float | None = Field(description="Median of the trials, in the endpoint's unit.")
    lower: float | None = Field(description="2.5th percentile of the trials.")
    upper: float | None = Field(description="97.5th percentile of the trials; null where those trials do not reach it.")
    median_mcse: float | None = Field(description="Monte Carlo standard error of that median.")
    mean: float | None = Field(description="Mean of the trials.")
    mean_mcse: float | None = Field(description="Monte Carlo standard error of the mean.")
    trials: int = Field(description="Simulated trials.")
    trials_without_value: int = Field(description="Trials in which the endpoint cannot be estimated.")
    trials_not_reached: int = Field(description="Trials that do not reach the quantity (a median, say).")


class Variance(Document):
    """What the spread of the trials consists of, by analysis of variance over pairs of trials that share a draw."""

    parameter_sd: float = Field(description="Standard deviation that comes of not knowing the parameters.")
    sampling_sd: float = Field(description="Standard deviation of chance in a trial of this size.")
    parameter_share: float | None = Field(description="Part of the variance that comes of not knowing the parameters.")
    parameter_share_mcse: float | None = Field(description="Monte Carlo standard error of that part.")
    pairs: int = Field(description="Pairs of trials from which it is estimated.")


class EndpointSummary(Document):
    """One endpoint: published, simulated, limit and oracle."""

    id: str = Field(description="Identifier, the same in every file.")
    label: str = Field(description="Name in tables.")
    section: str = Field(description="Section of the results table.")
    unit: str = Field(description="share (0 to 1), months, years, days or cycles.")
    published: Published | None = Field(description="What the source study published, if anything.")
    simulated: Simulated = Field(description="The simulated trials.")
    variance: Variance | None = Field(
        description="Parts of their spread; null where the parameters do not vary, or too few trials have a value."
    )
    limit: float | None = Field(description="The same estimator without the trial's censoring by time.")
    oracle: float | None = Field(description="The estimand itself, from the same patients with the same luck.")


class TrialEstimate(Document):
    """One endpoint in one trial."""

    value: float | None = Field(description="Estimate, in the endpoint's unit.")
    lower: float | None = Field(description="The trial's own lower 95 % limit (medians: log-log).")
    upper: float | None = Field(description="The trial's own upper 95 % limit.")


class SummaryFile(Document):
    """The results of a run."""

    schema_version: Literal[1] = Field(SCHEMA_VERSION, description="Version of this document's schema.")
    title: str = Field(description="The scenario's title.")
    trials: int = Field(description="Simulated trials.")
    patients_per_trial: int = Field(description="Patients of each trial.")
    seed: int = Field(description="Seed of all luck.")
    parameters: str = Field(description="Under which parameters: point, or draws of a posterior.")
    endpoints: list[EndpointSummary] = Field(description="Every endpoint, in the order of the results table.")
    exported_trial: int = Field(
        description="The trial, from 1, whose patients adsl.csv, adtte.csv and events.csv hold."
    )
    exported_estimates: dict[str, TrialEstimate] = Field(description="That trial's own estimates by endpoint id.")


def summary_file(result: Result, rows: list[Row]) -> SummaryFile:
    """Put the document together."""
    index = EXPORTED_TRIAL - 1
    return SummaryFile(
        title=result.scenario.title,
        trials=result.replications,
        patients_per_trial=result.scenario.cohort.size,
        seed=result.scenario.study.seed,
        parameters=described(result.parameters),
        endpoints=[_endpoint(row) for row in rows],
        exported_trial=EXPORTED_TRIAL,
        exported_estimates={
            key: TrialEstimate(
                value=finite(estimates.value[index]),
                lower=None if estimates.lower is None else finite(estimates.lower[index]),
                upper=None if estimates.upper is None else finite(estimates.upper[index]),
            )
            for key, estimates in result.estimates.items()
        },
    )


def _endpoint(row: Row) -> EndpointSummary:
    summary, target = row.summary, row.published
    endpoint, predicted = summary.endpoint, summary.predicted
    published = None
    if target is not None:
        lower, upper = target.interval or (None, None)
        published = Published(
            estimate=target.estimate,
            lower=lower,
            upper=upper,
            count=target.count,
            denominator=target.denominator,
            inside=row.inside,
        )
    return EndpointSummary(
        id=endpoint.id,
        label=endpoint.label,
        section=endpoint.section,
        unit=endpoint.unit,
        published=published,
        simulated=Simulated(
            median=finite(predicted.median),
            lower=finite(predicted.lower),
            upper=finite(predicted.upper),
            median_mcse=finite(summary.median_mcse),
            mean=finite(summary.mean),
            mean_mcse=finite(summary.mean_mcse),
            trials=predicted.n_values + predicted.n_missing,
            trials_without_value=predicted.n_missing,
            trials_not_reached=predicted.n_infinite,
        ),
        variance=_variance(summary.parts),
        limit=finite(summary.limit),
        oracle=finite(summary.oracle),
    )


def _variance(parts: Parts | None) -> Variance | None:
    if parts is None:
        return None
    return Variance(
        parameter_sd=math.sqrt(parts.between),
        sampling_sd=math.sqrt(parts.within),
        parameter_share=finite(parts.share),
        parameter_share_mcse=finite(parts.share_mcse),
        pairs=parts.pairs,
    )
