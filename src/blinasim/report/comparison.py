"""The comparison's tables as rows and text: what differs, who is touched, and what it depends on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from blinasim.model.codes import Place
from blinasim.report.rows import NOT_APPLICABLE
from blinasim.statistics.intervals import mean_mcse
from blinasim.study.compare import HEAD_START_MEASURES, Comparison, Contrast
from blinasim.study.contrasts import Counts, Difference, Standing
from blinasim.study.measures import MEASURE, Measure, Unit

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

#: How a unit is written: factor, decimals of a value, of a mean difference, and what follows a difference.
_WRITTEN: Final[dict[Unit, tuple[int, int, int, str]]] = {
    "share": (100, 1, 2, " pp"),
    "months": (1, 2, 3, ""),
    "days": (1, 1, 2, ""),
    "searches": (1, 1, 2, ""),
    "patient-days": (1, 0, 1, ""),
}
#: Measures whose means are shown with independent luck beside shared luck.
_SHOWN_AGAIN: Final = ("realization", "os_24_months", "rmst_24_months")
#: Ways between two places that the table names, the most travelled first.
_WAYS: Final = 6


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
        """The part of the table to which it belongs."""
        return {"": "Patients", "patient": "Resources a patient", "trial": "Resources a trial"}[self.measure.per]

    @property
    def label(self) -> str:
        """The measure, with its unit where the figures do not say it."""
        unit = self.measure.unit
        return self.measure.label + (f", {unit}" if unit in ("months", "days", "patient-days") else "")

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
        decimals = _WRITTEN[self.measure.unit][1]
        return ", ".join(signed(limit, self.measure.unit, decimals) for limit in (one.trial_lower, one.trial_upper))

    @property
    def better_text(self) -> str:
        """Share of the trials in which the policy is better."""
        return "" if math.isnan(self.difference.better) else share(self.difference.better)


def comparison_rows(comparison: Comparison, policy: str) -> list[ComparisonRow]:
    """Return the lines of a policy's table."""
    return [ComparisonRow(difference) for difference in comparison.differences(policy)]


# --- numbers ------------------------------------------------------------------------------------------


def value(number: float, unit: Unit) -> str:
    """Write a value in its unit."""
    if math.isnan(number):
        return NOT_APPLICABLE
    factor, decimals, _, _ = _WRITTEN[unit]
    return f"{factor * number:,.{decimals}f}{' %' if unit == 'share' else ''}"


def signed(number: float, unit: Unit, decimals: int | None = None) -> str:
    """Write a difference with its sign and without its unit; shares in percentage points. Only nothing at all is 0."""
    factor, _, usual, _ = _WRITTEN[unit]
    return f"{factor * number:+,.{usual if decimals is None else decimals}f}" if number else "0"


def with_limits(mean: float, lower: float, upper: float, unit: Unit) -> str:
    """Write a mean difference with the interval that more trials would narrow."""
    if math.isnan(mean):
        return NOT_APPLICABLE
    said = f"{signed(mean, unit)}{_WRITTEN[unit][3]}"
    return said if math.isnan(lower) else f"{said} ({signed(lower, unit)}, {signed(upper, unit)})"


def share(part: float) -> str:
    """Write a share in whole per cent, and never a small one as none or a large one as all."""
    if 0.0 < part < 0.005:
        return "<1 %"
    if 0.995 < part < 1.0:
        return ">99 %"
    return f"{100 * part:.0f} %"


def fold(times: float) -> str:
    """Write how many times the variance is reduced."""
    if math.isnan(times):
        return NOT_APPLICABLE
    if math.isinf(times):
        return "no difference in any trial"
    return f"{times:,.0f}x" if times >= 10 else f"{times:.1f}x"


# --- sentences and small tables -----------------------------------------------------------------------


def block_title(comparison: Comparison, policy: str) -> str:
    """Return what stands over a policy's table."""
    reached = comparison.difference("rmst_24_months", policy).variance_reduction
    said = f"variance of the RMST difference reduced {fold(reached)}" if math.isfinite(reached) else fold(reached)
    return f"{comparison.reference.name} -> {policy} · same patients, same luck · {said}"


def touched_text(contrast: Contrast) -> str:
    """Say how many patients the policy touches, and how they fare."""
    counts = contrast.touched
    if not counts.touched:
        return "Patients whose life differs: none."
    longer, shorter, same = (share(part / counts.touched) for part in (counts.longer, counts.shorter, counts.same))
    return (
        f"Patients whose life differs in anything: {100 * counts.touched / counts.patients:.1f} %; of them, "
        f"under shared luck, {longer} live longer, {shorter} shorter, {same} as long."
    )


@dataclass(frozen=True)
class Way:
    """From where to where patients move between two policies, as shares of all patients."""

    source: Standing
    target: Standing
    shared: float
    independent: float


def ways(contrast: Contrast) -> list[Way]:
    """Return the ways between different places that most patients take under shared luck, the most travelled first."""
    shared, independent = _shares(contrast.flows), _shares(contrast.flows_again)
    found = [
        Way(source, target, shared[source][target], independent[source][target])
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
    """A mean difference with shared and with independent luck, and how far apart they are in standard errors."""

    shared: Difference
    independent: Difference
    standard_errors: float

    @property
    def texts(self) -> tuple[str, str, str, str]:
        """Measure, both means with their Monte Carlo standard errors, and the distance."""
        unit = self.shared.measure.unit
        shared, independent = (with_error(one.mean, one.mcse, unit) for one in (self.shared, self.independent))
        distance = NOT_APPLICABLE if math.isnan(self.standard_errors) else f"{self.standard_errors:.1f}"
        return self.shared.measure.label, shared, independent, distance


def with_error(mean: float, mcse: float, unit: Unit) -> str:
    """Write a mean difference with its Monte Carlo standard error."""
    if math.isnan(mean):
        return NOT_APPLICABLE
    factor, _, decimals, suffix = _WRITTEN[unit]
    error = "" if math.isnan(mcse) else f" ±{factor * mcse:.{decimals}f}"
    return f"{signed(mean, unit)}{suffix}{error}"


def repeats(comparison: Comparison, policy: str) -> Iterator[Repeat]:
    """Yield what independent luck after the decision leaves of the main differences."""
    values, again = comparison.arm(policy).values, comparison.contrast(policy).values_again
    for key in _SHOWN_AGAIN:
        shared, independent = (comparison.difference(key, policy, luck) for luck in ("shared", "independent"))
        apart = again[key] - values[key]
        apart = apart[~np.isnan(apart)]
        error = mean_mcse(apart)
        yield Repeat(shared, independent, abs(float(apart.mean())) / error if error > 0.0 else math.nan)


def head_start_lines(contrast: Contrast) -> list[tuple[str, ...]]:
    """Return the table of differences by the share of searches that were under way anyway."""
    lines = []
    for point in contrast.head_start:
        texts = (
            with_limits(one.mean, one.lower, one.upper, one.measure.unit)
            for one in (point.differences[key] for key in HEAD_START_MEASURES)
        )
        lines.append((f"{100 * point.under_way_share:.0f} %{' (in use)' * point.in_use}", *texts))
    return lines


HEAD_START_LABELS: Final = tuple(MEASURE[key].label for key in HEAD_START_MEASURES)
