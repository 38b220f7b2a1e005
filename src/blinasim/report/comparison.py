"""The comparison's tables as rows and text: what differs, who is touched, and what it depends on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from blinasim.model.codes import Place
from blinasim.report.rows import ENOUGH_TRIALS, NEARLY_ALL
from blinasim.report.words import NOT_APPLICABLE, fold, share, signed_value, value, with_error, with_limits
from blinasim.statistics.intervals import mean_mcse
from blinasim.study.comparison import Comparison, Contrast, HeadStart, Pairs
from blinasim.study.contrasts import Counts, Difference, Standing
from blinasim.study.cost_effectiveness import CostEffectiveness
from blinasim.study.head_start import HEAD_START_MEASURES
from blinasim.study.measures import MEASURE, Measure

#: How the places where a patient may stand are called, and the kinds of place for which patients wait.
STANDINGS: Final = {
    Standing.ALIVE_AFTER_HSCT: "alive after HSCT",
    Standing.ALIVE_IN_REMISSION: "alive in remission",
    Standing.ALIVE_AFTER_FAILURE: "alive after failure or relapse",
    Standing.DEAD_IN_REMISSION: "dead in remission, no HSCT",
    Standing.DEAD_AFTER_HSCT: "dead after HSCT, no relapse",
    Standing.DEAD_AFTER_RELAPSE: "dead after relapse",
    Standing.DEAD_WITHOUT_REMISSION: "dead without remission",
}
PLACES: Final = {
    Place.TRANSPLANT_BED: "Transplant beds",
    Place.INFUSION_BED: "Beds to start infusions in",
    Place.COORDINATOR: "Search coordinators",
}

#: What independent luck is, in a sentence.
DRAWN_AGAIN: Final = "drawn again from remission, or failure, on"
#: What the means are, and what the flows are not.
IDENTIFIED: Final = (
    "Means of paired differences are what the model identifies. Who gains and who loses rests on the two lives of a "
    "patient sharing their luck, and cannot be observed in any trial."
)
#: What the columns mean.
_DEFINITIONS: Final = (
    ("reference, policy", "Mean over the trials. All patients are followed to the end; nothing is censored."),
    (
        "difference",
        "Mean of the paired differences, policy less reference, and the 95 % Monte Carlo interval of that mean: more "
        "trials narrow it, and it knows nothing of how uncertain the parameters are.",
    ),
    ("95 % of trials", "What a single trial of this size may show: the range of 95 % of the trials' differences."),
    (
        "better",
        "Share of the trials in which the policy is better, ties counting half; empty where neither direction is "
        "better, or every trial ties.",
    ),
    ("shared luck", "Both lives of a patient share all chance. Who gains and who loses is known only so."),
    ("drawn again", f"The policy with luck {DRAWN_AGAIN}: the means stay, the flows do not."),
    ("reference again", "The reference so, against itself; what moves there moves without any policy."),
    (NOT_APPLICABLE, "Has no value, or no meaning there."),
)
_FEW: Final = f"With so few trials, of their differences {NEARLY_ALL}."
#: Measures whose means are shown with independent luck beside shared luck.
_SHOWN_AGAIN: Final = ("realization", "os_24_months", "rmst_24_months")
#: Ways between two places that the table names, the most travelled first.
_WAYS: Final = 6


def comparison_definitions(trials: int) -> tuple[tuple[str, str], ...]:
    """Return what the columns mean, of so many trials."""
    few = trials < ENOUGH_TRIALS
    return tuple((name, _FEW if few and name == "95 % of trials" else said) for name, said in _DEFINITIONS)


@dataclass(frozen=True)
class ComparisonRow:
    """One line of the comparison's table."""

    difference: Difference

    @property
    def measure(self) -> Measure:
        """What is compared."""
        return self.difference.measure

    @property
    def section(self) -> str:
        """The part of the table to which it belongs: whose the measure is, or for what a resource is counted."""
        measure = self.measure
        return f"Resources a {measure.per}" if measure.per else measure.population.capitalize()

    @property
    def label(self) -> str:
        """The measure within its section, with its unit where the figures do not say it."""
        unit = self.measure.unit
        return self.measure.name + (f", {unit}" if unit in ("months", "days", "patient-days", "years") else "")

    @property
    def reference_text(self) -> str:
        """Mean of the reference's trials."""
        return value(self.difference.reference, self.measure.unit)

    @property
    def policy_text(self) -> str:
        """Mean of the policy's trials."""
        return value(self.difference.policy, self.measure.unit)

    @property
    def difference_text(self) -> str:
        """Mean difference and its 95 % interval."""
        one = self.difference
        return with_limits(one.mean, one.lower, one.upper, self.measure.unit)

    @property
    def trials_text(self) -> str:
        """Range of 95 % of the trials' differences."""
        one = self.difference
        if math.isnan(one.trial_lower):
            return NOT_APPLICABLE
        return ", ".join(signed_value(limit, self.measure.unit) for limit in (one.trial_lower, one.trial_upper))

    @property
    def better_text(self) -> str:
        """Share of the trials in which the policy is better."""
        return "" if math.isnan(self.difference.better) else share(self.difference.better)


def comparison_rows(comparison: Comparison, policy: str) -> list[ComparisonRow]:
    """Return the lines of a policy's table."""
    return [ComparisonRow(difference) for difference in comparison.differences(policy)]


# --- sentences and small tables -----------------------------------------------------------------------


def other_patients(comparison: Comparison) -> list[str]:
    """Return the names of the scenarios whose patients are others than the reference's."""
    return [contrast.name for contrast in comparison.contrasts if contrast.pairs is None]


def whose_lives(comparison: Comparison) -> str:
    """Say whether the scenarios share their patients and their luck."""
    others = other_patients(comparison)
    if not others:
        return "the same patients with the same luck"
    if len(others) == len(comparison.contrasts):
        return "other patients with the same luck"
    return f"the same luck, and the same patients but for {', '.join(others)}"


def block_title(comparison: Comparison, policy: str) -> str:
    """Return what stands over a policy's table."""
    reached = comparison.difference("rmst_24_months", policy).variance_reduction
    said = f"variance of the RMST difference reduced {fold(reached)}" if math.isfinite(reached) else fold(reached)
    same = "same luck, other patients" if comparison.contrast(policy).pairs is None else "same patients, same luck"
    return f"{comparison.reference.name} -> {policy} · {same} · {said}"


def touched_text(pairs: Pairs) -> str:
    """Say how many patients the policy touches, and how they fare."""
    counts = pairs.touched
    total = int(counts.touched.sum())
    if not total:
        return "Patients whose life differs: none."
    longer, shorter, same = (share(int(part.sum()) / total) for part in (counts.longer, counts.shorter, counts.same))
    return (
        f"Patients whose life differs in anything: {100 * counts.share:.1f} %; of them, "
        f"under shared luck, {longer} live longer, {shorter} shorter, {same} as long."
    )


def cost_effectiveness_text(found: CostEffectiveness) -> str:
    """Say in a sentence or two what health costs more or less under a policy."""
    payoffs, quadrant = found.payoffs, found.quadrant
    judged = (
        f"net benefit {with_limits(found.net_benefit.mean, found.net_benefit.lower, found.net_benefit.upper, 'money')} "
        f"{payoffs.currency} a patient at {payoffs.threshold_per_qaly:,.0f} {payoffs.currency} per QALY"
    )
    doubt = f"; the sign of the difference in {' and '.join(found.open_signs)} is open" if found.open_signs else ""
    if quadrant == "the same":
        return "Cost-effectiveness: costs and QALYs are the same."
    if quadrant in ("dominant", "dominated"):
        how = "more health for less cost" if quadrant == "dominant" else "less health for more cost"
        return f"Cost-effectiveness: {quadrant}, {how} (of a ratio nothing could be read{doubt}); {judged}."
    ratio, kind = found.ratio, "gained" if quadrant.startswith("more") else "given up"
    if not ratio.bounded:
        return (
            f"Cost-effectiveness: {quadrant}; whether QALYs differ at all is open, so that a cost per QALY has no "
            f"interval (take more trials); {judged}."
        )
    return (
        f"Cost-effectiveness: {quadrant}, {ratio.value:,.0f} {payoffs.currency} per QALY {kind} "
        f"(95 % interval by Fieller {ratio.lower:,.0f} to {ratio.upper:,.0f}{doubt}); {judged}."
    )


@dataclass(frozen=True)
class Way:
    """From where to where patients move, as shares of all patients.

    Attributes
    ----------
    source, target : Standing
        Where they stand under the reference, and then.
    shared, independent : float
        From the reference to a policy, with shared and with independent luck.
    itself : float
        From the reference to its own life with independent luck.
    """

    source: Standing
    target: Standing
    shared: float
    independent: float
    itself: float


def ways(comparison: Comparison, pairs: Pairs) -> list[Way]:
    """Return the ways between different places that most patients take under shared luck, the most travelled first."""
    shared, independent, itself = map(_shares, (pairs.flows, pairs.flows_again, comparison.reference_again.flows))
    found = [
        Way(source, target, shared[source][target], independent[source][target], itself[source][target])
        for source in Standing
        for target in Standing
        if source != target and shared[source][target] > 0
    ]
    return sorted(found, key=lambda way: -way.shared)[:_WAYS]


def stayed(flows: Counts) -> float:
    """Return the share of all patients who stand in the same place under both policies."""
    return float(flows.trace() / flows.sum())


def _shares(flows: Counts) -> list[list[float]]:
    shares: list[list[float]] = (flows / flows.sum()).tolist()
    return shares


@dataclass(frozen=True)
class Repeat:
    """A mean difference with shared and with independent luck, and how far apart they are in standard errors.

    ``itself`` is that of the reference with independent luck from itself, where nothing differs but the luck.
    """

    shared: Difference
    independent: Difference
    itself: Difference
    standard_errors: float

    @property
    def texts(self) -> tuple[str, ...]:
        """Measure, the means with their Monte Carlo standard errors, and the distance."""
        measure = self.shared.measure
        means = (with_error(one.mean, one.mcse, measure.unit) for one in (self.shared, self.independent, self.itself))
        distance = NOT_APPLICABLE if math.isnan(self.standard_errors) else f"{self.standard_errors:.1f}"
        return measure.name, *means, distance


def repeats(comparison: Comparison, policy: str) -> Iterator[Repeat]:
    """Yield what independent luck leaves of the main differences."""
    values, again = comparison.arm(policy).values, comparison.contrast(policy).values_again
    for key in _SHOWN_AGAIN:
        shared, independent = (comparison.difference(key, policy, luck) for luck in ("shared", "independent"))
        apart = again[key] - values[key]
        apart = apart[~np.isnan(apart)]
        error = mean_mcse(apart)
        yield Repeat(
            shared,
            independent,
            comparison.difference(key, comparison.reference.name, "independent"),
            abs(float(apart.mean())) / error if error > 0.0 else math.nan,
        )


def head_start_lines(contrast: Contrast) -> Iterator[tuple[str, ...]]:
    """Yield the table of differences by what is assumed on searches under way: a heading, or a line of figures."""
    (in_use,) = (point for point in contrast.head_start if point.in_use)
    yield (f"Under way, with a median head start of {in_use.median_days:.0f} days",)
    for point in contrast.head_start:
        if point.median_days == in_use.median_days:
            yield _head_start_line(f"{100 * point.under_way_share:.0f} %", point)
    yield (f"Median head start, with {100 * in_use.under_way_share:.0f} % under way",)
    for point in sorted(contrast.head_start, key=lambda point: point.median_days):
        if point.under_way_share == in_use.under_way_share:
            yield _head_start_line(f"{point.median_days:.0f} days", point)


def _head_start_line(assumed: str, point: HeadStart) -> tuple[str, ...]:
    differences = [point.differences[key] for key in HEAD_START_MEASURES]
    return (
        f"{assumed}{' (in use)' * point.in_use}",
        value(differences[0].reference, differences[0].measure.unit),
        *(with_limits(one.mean, one.lower, one.upper, one.measure.unit) for one in differences),
    )


#: Titles of the columns of :func:`head_start_lines`, whose differences they are, and what its lines are.
HEAD_START_TITLES: Final = ("", "reference", *(MEASURE[key].name for key in HEAD_START_MEASURES))
HEAD_START_COLUMNS: Final = (
    f"{MEASURE[HEAD_START_MEASURES[0]].name} of the reference, and differences of the policy from it"
)
HEAD_START_WORLDS: Final = (
    "Only the lines in use are of the world fitted to the source study; in the others the reference, too, "
    "differs from it."
)
