"""``comparison.json``: what a comparison found, as one documented, versioned document."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from blinasim.report.comparison import DRAWN_AGAIN, STANDINGS
from blinasim.report.document import Document, finite
from blinasim.study.comparison import Band, Comparison, Contrast, HeadStart, LuckName, Pairs, Side
from blinasim.study.contrasts import Difference
from blinasim.study.cost_effectiveness import CostEffectiveness, cost_effectiveness
from blinasim.study.measures import Measure

#: Raised when a key changes its meaning or goes away; a new key does not raise it.
SCHEMA_VERSION: Final = 1


class MeasureDocument(Document):
    """By what the scenarios are compared."""

    id: str = Field(description="Identifier, the same in every file.")
    label: str = Field(description="What it is and whose, in words.")
    meaning: str = Field(description="A sentence that says what it is exactly.")
    population: str = Field(description="Whose it is; the policy changes who has responded or been transplanted.")
    unit: str = Field(description="share (0 to 1), months, days, searches, patient-days, years, QALYs or money.")
    per: str = Field(description="patient or trial, for a resource; empty for an outcome of patients.")
    direction: int = Field(description="1: more is better, -1: less is better, 0: neither.")


class DifferenceDocument(Document):
    """A policy less the reference in one measure, paired trial by trial; null where a figure does not exist."""

    measure: str = Field(description="Id of the measure, in whose unit all figures are.")
    reference: float | None = Field(description="Mean of the reference's trials.")
    reference_mcse: float | None = Field(description="Its Monte Carlo standard error.")
    policy: float | None = Field(description="Mean of the policy's trials.")
    policy_mcse: float | None = Field(description="Its Monte Carlo standard error.")
    difference: float | None = Field(description="Mean of the paired differences.")
    mcse: float | None = Field(description="Its Monte Carlo standard error.")
    lower: float | None = Field(description="Lower limit of the 95 % interval of that mean.")
    upper: float | None = Field(description="Upper limit of the same.")
    trial_lower: float | None = Field(description="2.5th percentile of the trials' differences.")
    trial_upper: float | None = Field(description="97.5th percentile of the same.")
    better: float | None = Field(
        description="Share of trials in which the policy is better, ties counting half; null where every trial ties."
    )
    better_mcse: float | None = Field(description="Its Monte Carlo standard error.")
    variance_reduction: float | None = Field(
        description="(var A + var B) / var(B - A) over trials; null also where no trial differs."
    )
    trials: int = Field(description="Trials in which both have a value.")


class TouchedDocument(Document):
    """Patients whose whole history differs, under shared luck; counts over all trials."""

    patients: int = Field(description="All patients.")
    touched: int = Field(description="Those whose history differs in anything.")
    touched_share_mcse: float | None = Field(
        description="Monte Carlo standard error, over trials, of the share of patients who are touched."
    )
    longer: int = Field(description="Of those, who live longer under the policy.")
    shorter: int = Field(description="Of those, who live shorter.")
    same: int = Field(description="Of those, who live as long.")


class FlowsDocument(Document):
    """Patients by where they stand at 24 months: a row for each standing under the reference."""

    standings: list[str] = Field(description="The standings, in the order of rows (reference) and columns (policy).")
    shared: list[list[int]] = Field(description="Under shared luck.")
    independent: list[list[int]] = Field(
        description=f"With luck {DRAWN_AGAIN}: to be read beside reference_again, what moves without any policy."
    )


class HeadStartDocument(Document):
    """Differences in a world where other searches were under way at enrolment anyway; fewer trials.

    Only the world in use was fitted to the source study: in the others the reference has other values, too.
    """

    under_way_share: float = Field(description="The parameter donor_search.under_way_share.")
    median_days: float = Field(description="The parameter donor_search.head_start_median_days.")
    in_use: bool = Field(description="Whether both are those of the comparison itself.")
    differences: list[DifferenceDocument] = Field(description="Differences in realization and restricted mean.")


class AgainDocument(Document):
    """The reference against its own life with independent luck: what moves without any policy."""

    differences: list[DifferenceDocument] = Field(description="In the order of the measures; policy is that life.")
    flows: list[list[int]] = Field(description="From where (rows) to where (columns), as in the contrasts' flows.")


class CostEffectivenessDocument(Document):
    """Cost and health of a policy against the reference, by the payoffs of the reference; figures a patient."""

    currency: str = Field(description="Currency of all costs.")
    price_year: int = Field(description="Year of the prices.")
    threshold_per_qaly: float = Field(description="What a QALY may cost.")
    quadrant: str = Field(
        description="more health, more cost; less health, less cost; dominant (more health for less cost); dominated; "
        "the same."
    )
    ratio: float | None = Field(
        description="Difference of costs over difference of QALYs, where both differ the same way and health certainly "
        "differs; null elsewhere: a ratio cannot tell dominant from dominated."
    )
    ratio_lower: float | None = Field(description="Lower limit of its 95 % interval by Fieller; null as the ratio.")
    ratio_upper: float | None = Field(description="Upper limit of the same.")


class ContrastDocument(Document):
    """A policy against the reference."""

    policy: str = Field(description="Name of the scenario.")
    differences: list[DifferenceDocument] = Field(description="Under shared luck, in the order of the measures.")
    independent_luck: list[DifferenceDocument] = Field(description=f"The same with luck {DRAWN_AGAIN}: the means stay.")
    touched: TouchedDocument | None = Field(
        description="How many patients the policy touches; null where the patients are others."
    )
    flows: FlowsDocument | None = Field(description="From where to where they move; null as above.")
    survival_gain: GainDocument = Field(description="Survival under the policy less that under the reference.")
    head_start: list[HeadStartDocument] = Field(description="Empty where donors are sought as in the reference.")
    cost_effectiveness: CostEffectivenessDocument | None = Field(None, description="Null without payoffs.")


class BandDocument(Document):
    """Mean over the trials and the range of 95 % of them, day by day."""

    mean: list[float] = Field(description="Mean of the trials.")
    lower: list[float] = Field(description="2.5th percentile.")
    upper: list[float] = Field(description="97.5th percentile.")


class GainDocument(Document):
    """Difference of the survival curves, on the same days."""

    mean: list[float] = Field(description="Mean of the paired differences, as a share of the patients.")
    lower: list[float | None] = Field(description="Lower limit of the 95 % interval of that mean.")
    upper: list[float | None] = Field(description="Upper limit of the same.")


class SurvivalDocument(Document):
    """Overall survival of uncensored trials."""

    days: list[int] = Field(description="Days since first infusion.")
    survival: BandDocument = Field(description="Share of the patients of a trial.")
    at_risk: list[float] = Field(description="Patients of a trial at risk, their mean.")


class QueueDocument(Document):
    """A counted kind of place, by calendar day from 0, the first day of accrual; other patients included."""

    place: str = Field(description="transplant_bed, infusion_bed or coordinator.")
    places: int = Field(description="How many there are.")
    waiting: BandDocument = Field(description="Who waits at the end of each day.")
    taken: BandDocument = Field(description="Places taken at the end of each day.")


class ScenarioDocument(Document):
    """One scenario of the comparison."""

    name: str = Field(description="What it is called here.")
    title: str = Field(description="The scenario's title.")
    own_policy: bool = Field(description="Whether a policy of one's own decided.")
    engine: str = Field(description="Engine that walked its patients.")
    overall_survival: SurvivalDocument = Field(description="Overall survival.")
    queues: list[QueueDocument] = Field(description="One for each kind of place that is counted.")


class ComparisonFile(Document):
    """What a comparison found."""

    schema_version: Literal[1] = Field(SCHEMA_VERSION, description="Version of this document's schema.")
    reference: str = Field(description="Name of the scenario that the others are compared with.")
    trials: int = Field(description="Simulated trials.")
    patients_per_trial: int = Field(description="Patients of each trial.")
    seed: int = Field(description="Seed of all luck.")
    measures: list[MeasureDocument] = Field(description="By what they are compared, in the order of the table.")
    scenarios: list[ScenarioDocument] = Field(description="Every scenario, the reference first.")
    contrasts: list[ContrastDocument] = Field(description="Each of the others against the reference.")
    reference_again: AgainDocument = Field(description=f"The reference with luck {DRAWN_AGAIN}, against itself.")


def comparison_file(comparison: Comparison) -> ComparisonFile:
    """Put the document together."""
    scenario = comparison.reference.scenario
    return ComparisonFile(
        reference=comparison.reference.name,
        trials=comparison.replications,
        patients_per_trial=scenario.cohort.size,
        seed=scenario.study.seed,
        measures=[_measure(measure) for measure in comparison.measures],
        scenarios=[_scenario(arm) for arm in comparison.arms],
        contrasts=[_contrast(comparison, contrast) for contrast in comparison.contrasts],
        reference_again=AgainDocument(
            differences=_differences(comparison, comparison.reference.name, "independent"),
            flows=_counts(comparison.reference_again.flows),
        ),
    )


def _measure(measure: Measure) -> MeasureDocument:
    return MeasureDocument(
        id=measure.id,
        label=measure.label,
        meaning=measure.meaning,
        population=measure.population,
        unit=measure.unit,
        per=measure.per,
        direction=measure.direction,
    )


def _scenario(arm: Side) -> ScenarioDocument:
    curve = arm.curve
    return ScenarioDocument(
        name=arm.name,
        title=arm.scenario.title,
        own_policy=arm.own_policy is not None,
        engine=arm.engine,
        overall_survival=SurvivalDocument(
            days=curve.days.tolist(), survival=_band(curve.survival), at_risk=curve.at_risk.tolist()
        ),
        queues=[
            QueueDocument(
                place=place.name.lower(), places=queue.places, waiting=_band(queue.waiting), taken=_band(queue.taken)
            )
            for place, queue in arm.queues.items()
        ],
    )


def _band(band: Band) -> BandDocument:
    return BandDocument(mean=band.mean.tolist(), lower=band.lower.tolist(), upper=band.upper.tolist())


def _contrast(comparison: Comparison, contrast: Contrast) -> ContrastDocument:
    pairs = contrast.pairs
    return ContrastDocument(
        policy=contrast.name,
        differences=_differences(comparison, contrast.name, "shared"),
        independent_luck=_differences(comparison, contrast.name, "independent"),
        touched=_touched(pairs) if pairs else None,
        flows=_flows(pairs) if pairs else None,
        survival_gain=GainDocument(
            mean=contrast.survival_gain.mean.tolist(),
            lower=[finite(limit) for limit in contrast.survival_gain.lower],
            upper=[finite(limit) for limit in contrast.survival_gain.upper],
        ),
        head_start=[_head_start(point) for point in contrast.head_start],
        cost_effectiveness=_cost_effectiveness(cost_effectiveness(comparison, contrast.name)),
    )


def _cost_effectiveness(found: CostEffectiveness | None) -> CostEffectivenessDocument | None:
    if found is None:
        return None
    payoffs, ratio = found.payoffs, found.ratio
    value, lower, upper = (ratio.value, ratio.lower, ratio.upper) if found.has_ratio else (None, None, None)
    return CostEffectivenessDocument(
        currency=payoffs.currency,
        price_year=payoffs.price_year,
        threshold_per_qaly=payoffs.threshold_per_qaly,
        quadrant=found.quadrant,
        ratio=value,
        ratio_lower=lower,
        ratio_upper=upper,
    )


def _differences(comparison: Comparison, policy: str, luck: LuckName) -> list[DifferenceDocument]:
    return [_difference(one) for one in comparison.differences(policy, luck)]


def _touched(pairs: Pairs) -> TouchedDocument:
    counts = pairs.touched
    return TouchedDocument(
        patients=counts.patients,
        touched=int(counts.touched.sum()),
        touched_share_mcse=finite(counts.share_mcse),
        longer=int(counts.longer.sum()),
        shorter=int(counts.shorter.sum()),
        same=int(counts.same.sum()),
    )


def _flows(pairs: Pairs) -> FlowsDocument:
    return FlowsDocument(
        standings=list(STANDINGS.values()), shared=_counts(pairs.flows), independent=_counts(pairs.flows_again)
    )


def _counts(flows: NDArray[np.int64]) -> list[list[int]]:
    counts: list[list[int]] = flows.tolist()
    return counts


def _head_start(point: HeadStart) -> HeadStartDocument:
    return HeadStartDocument(
        under_way_share=point.under_way_share,
        median_days=point.median_days,
        in_use=point.in_use,
        differences=[_difference(one) for one in point.differences.values()],
    )


def _difference(one: Difference) -> DifferenceDocument:
    return DifferenceDocument(
        measure=one.measure.id,
        reference=finite(one.reference),
        reference_mcse=finite(one.reference_mcse),
        policy=finite(one.policy),
        policy_mcse=finite(one.policy_mcse),
        difference=finite(one.mean),
        mcse=finite(one.mcse),
        lower=finite(one.lower),
        upper=finite(one.upper),
        trial_lower=finite(one.trial_lower),
        trial_upper=finite(one.trial_upper),
        better=finite(one.better),
        better_mcse=finite(one.better_mcse),
        variance_reduction=finite(one.variance_reduction),
        trials=one.trials,
    )
