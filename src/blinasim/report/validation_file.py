"""``validation.json``: the published figures judged, as one documented, versioned document."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from blinasim.inference.choice import described
from blinasim.inference.predictive import SHARPNESS_BAR, Check, Estimate, Misses, Use, Validation
from blinasim.report.document import Document, finite
from blinasim.report.rows import full_labels
from blinasim.report.validation import GROUPS

#: Raised when a key changes its meaning or goes away; a new key does not raise it.
SCHEMA_VERSION: Final = 1


class EstimateDocument(Document):
    """A Monte Carlo figure; null where it does not exist."""

    value: float | None = Field(description="The figure.")
    mcse: float | None = Field(description="Its Monte Carlo standard error.")


class CheckDocument(Document):
    """A published figure against its predictive distribution."""

    id: str = Field(description="Identifier of the endpoint, the same in every file.")
    label: str = Field(description="Its name.")
    use: Use = Field(description="fit, follows (from fitted figures), held_out, or input of the simulation.")
    unit: str = Field(description="share (0 to 1), months, years, days or cycles.")
    published: float = Field(description="The figure; a share for counts.")
    count: int | None = Field(description="Numerator of a published count.")
    denominator: int | None = Field(description="Denominator of a published count.")
    median: float | None = Field(description="Median of the simulated studies.")
    lower: float | None = Field(description="2.5th percentile of the simulated studies.")
    upper: float | None = Field(description="97.5th percentile; null where those studies do not reach it.")
    tail: EstimateDocument = Field(description="Two-sided tail area, studies that round to the figure counting half.")
    verdict: str = Field(description="Where the published figure lies: inside, above, below, or not estimable.")
    width_ratio: EstimateDocument | None = Field(
        description="Width of the interval against that of chance alone at the mean of the draws; null without draws."
    )


class MissesDocument(Document):
    """Figures outside their intervals, against how many a simulated study has outside."""

    outside: int = Field(description="Published figures outside.")
    among: int = Field(description="Published figures judged.")
    expected: float = Field(description="Mean number outside of a simulated study.")
    tail: EstimateDocument = Field(description="Share of simulated studies with as many outside, or more.")


class JointDocument(Document):
    """Shares of simulated reports at least as improbable as the published one, in all fitted figures at once."""

    counts: EstimateDocument = Field(description="By the log probability of the counts.")
    survival: EstimateDocument = Field(description="By the Mahalanobis distance of the survival summaries.")
    both: EstimateDocument = Field(description="By both.")
    replications: int = Field(description="Simulated reports.")


class ValidationFile(Document):
    """What the validation found."""

    schema_version: Literal[1] = Field(SCHEMA_VERSION, description="Version of this document's schema.")
    parameters: str = Field(description="Under which parameters.")
    trials: int = Field(description="Simulated studies.")
    seed: int = Field(description="Seed of all luck.")
    sharpness_bar: float = Field(SHARPNESS_BAR, description="Width ratio that should not be exceeded.")
    checks: list[CheckDocument] = Field(description="Every published figure, by use.")
    fitted: MissesDocument = Field(description="Fitted figures outside their intervals.")
    held_out: MissesDocument = Field(description="Held-out figures outside their intervals.")
    joint: JointDocument = Field(description="All fitted figures at once.")


def validation_file(validation: Validation) -> ValidationFile:
    """Put the document together."""
    joint = validation.joint
    return ValidationFile(
        parameters=described(validation.parameters),
        trials=validation.result.replications,
        seed=validation.scenario.study.seed,
        checks=[_check(check) for use in GROUPS for check in validation.of(use)],
        fitted=_misses(validation.misses["fit"]),
        held_out=_misses(validation.misses["held_out"]),
        joint=JointDocument(
            counts=estimate_document(joint.counts),
            survival=estimate_document(joint.survival),
            both=estimate_document(joint.both),
            replications=joint.replications,
        ),
    )


def estimate_document(estimate: Estimate) -> EstimateDocument:
    """Write down a Monte Carlo figure."""
    return EstimateDocument(value=finite(estimate.value), mcse=finite(estimate.mcse))


def _check(check: Check) -> CheckDocument:
    return CheckDocument(
        id=check.endpoint.id,
        label=full_labels()[check.endpoint.id],
        use=check.target.use,
        unit=check.endpoint.unit,
        published=check.target.estimate,
        count=check.target.count,
        denominator=check.target.denominator,
        median=finite(check.predicted.median),
        lower=finite(check.predicted.lower),
        upper=finite(check.predicted.upper),
        tail=estimate_document(check.tail),
        verdict=check.verdict,
        width_ratio=estimate_document(check.width_ratio) if check.width_ratio else None,
    )


def _misses(misses: Misses) -> MissesDocument:
    return MissesDocument(
        outside=misses.outside, among=misses.among, expected=misses.expected, tail=estimate_document(misses.tail)
    )
