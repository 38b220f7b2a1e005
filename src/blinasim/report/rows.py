"""The results table: what was published beside what was simulated, as rows and as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from blinasim.inference.targets import Target, load_targets
from blinasim.report.table import INDENT, Table
from blinasim.report.words import NOT_APPLICABLE
from blinasim.scenario.settings import Capacity, CohortSettings, Policy, Scenario
from blinasim.study.simulate import Result
from blinasim.study.summary import Summary, summarize
from blinasim.trial.endpoints import ENDPOINTS

if TYPE_CHECKING:
    import pandas as pd

#: Fewer trials than this give no 95 % predictive interval worth judging by.
ENOUGH_TRIALS: Final = 40
#: What a cell says where a trial cannot estimate the quantity.
NOT_ESTIMABLE: Final = "n/e"

_EACH_TRIAL: Final = (
    "Each has its own patients, staggered entry, data cut-off and losses, and is analysed with the source study's own "
    "estimators."
)
#: What the columns mean, and the words in them; the part of the parameters is a column where they vary.
_DEFINITIONS: Final = (
    ("published", "As the source study published it; in brackets the 95 % confidence interval, or the range."),
    (
        "simulated",
        f"Median of the simulated trials, and the interval that holds 95 % of them. {_EACH_TRIAL} * marks a published "
        "figure outside the interval.",
    ),
    ("limit", "The same estimator without censoring by time, in the patients of all trials together."),
    (
        "oracle",
        "The estimand itself, from the same patients with the same luck; for what is censored at HSCT, in a world "
        "without HSCT. Where limit and oracle differ, the estimator is biased, however many patients it is given.",
    ),
    (NOT_APPLICABLE, "A count by the data cut-off, of which there is neither limit nor oracle."),
    (NOT_ESTIMABLE, "Cannot be estimated in most of the trials."),
    ("n.r., not reached", "Fewer than half of the patients had the event by then."),
)
#: What interpolated 2.5 and 97.5 % quantiles are of fewer than ``ENOUGH_TRIALS`` trials.
NEARLY_ALL: Final = (
    f"about the whole range, from between the lowest two to between the highest two; fewer than {ENOUGH_TRIALS} "
    "give no 95 % interval"
)
_PARAMETERS: Final = (
    "parameters",
    "Part of the trials' variance that comes of not knowing the parameters; the rest is chance in a trial of this "
    "size.",
)


@dataclass(frozen=True)
class Row:
    """One line of the results table."""

    summary: Summary
    published: Target | None

    @property
    def inside(self) -> bool | None:
        """Whether the published figure lies in the 95 % predictive interval; None where there is nothing to compare."""
        few = self.summary.predicted.n_values < ENOUGH_TRIALS
        if self.published is None or few or not self.summary.estimable:
            return None
        predicted = self.summary.predicted
        return self.published.within(predicted.lower, predicted.upper)

    @property
    def published_text(self) -> str:
        """The published figure as it was published."""
        target = self.published
        if target is None:
            return ""
        unit = self.summary.endpoint.unit
        if target.count is not None:
            return f"{target.count}/{target.denominator} {number(target.estimate, unit)}"
        text = number(target.estimate, unit)
        limits = target.interval or target.range
        return f"{text} ({span(*limits, unit)})" if limits else text

    @property
    def simulated_text(self) -> str:
        """Median of the simulated trials and their 95 % predictive interval."""
        if not self.summary.estimable:
            return NOT_ESTIMABLE
        predicted, unit = self.summary.predicted, self.summary.endpoint.unit
        return f"{number(predicted.median, unit)} ({span(predicted.lower, predicted.upper, unit)})"

    @property
    def limit_text(self) -> str:
        """The same estimator without the trial's censoring by time."""
        return optional(self.summary.limit, self.summary.endpoint.unit)

    @property
    def oracle_text(self) -> str:
        """The estimand itself."""
        return optional(self.summary.oracle, self.summary.endpoint.unit)

    @property
    def parameter_text(self) -> str:
        """What part of the variance of the trials comes of not knowing the parameters."""
        parts = self.summary.parts
        return "" if parts is None or np.isnan(parts.share) else number(parts.share, "share")


def rows_of(result: Result) -> list[Row]:
    """Join a study's summaries with what was published."""
    targets = load_targets()
    return [Row(summary, targets.get(summary.endpoint.id)) for summary in summarize(result)]


def results_table(rows: list[Row], *, varies: bool) -> Table:
    """Return the results table; ``*`` marks a published figure that lies outside its interval.

    Parameters
    ----------
    rows : list of Row
        One an endpoint.
    varies : bool
        Whether parameters vary, so that their part of the variance has a column.

    Returns
    -------
    Table
    """
    lines: list[tuple[str, ...]] = []
    section = None
    for row in rows:
        endpoint = row.summary.endpoint
        if endpoint.section != section:
            section = endpoint.section
            lines.append((section,))
        unit = "" if endpoint.unit in ("share", "cycles") else f", {endpoint.unit}"
        lines.append(
            (
                f"{INDENT * (endpoint.level + 1)}{endpoint.label}{unit}",
                row.published_text,
                row.simulated_text + " *" * (row.inside is False),
                *[row.parameter_text] * varies,
                row.limit_text,
                row.oracle_text,
            )
        )
    titles = ("", "published", "simulated", *["parameters"] * varies, "limit", "oracle")
    return Table(titles, tuple(lines), "Published and simulated results")


def run_definitions(trials: int, *, varies: bool) -> tuple[tuple[str, str], ...]:
    """Return what the columns of the results table mean, of so many trials."""
    published, simulated, *others = _DEFINITIONS
    if trials < ENOUGH_TRIALS:
        simulated = ("simulated", f"Median of the simulated trials, and {NEARLY_ALL}. {_EACH_TRIAL}")
    return (published, simulated, *[_PARAMETERS] * varies, *others)


def as_published(scenario: Scenario) -> bool:
    """Whether a scenario is the source study as it was conducted."""
    return (scenario.cohort, scenario.policy, scenario.capacity) == (CohortSettings(), Policy(), Capacity())


def judged_text(scenario: Scenario, rows: list[Row], *, own: bool = False) -> str:
    """Say how many of the published figures lie where trials are predicted, and what that is worth.

    Parameters
    ----------
    scenario : Scenario
        What was simulated.
    rows : list of Row
        Its results table.
    own : bool
        Whether some parameters are the user's own.

    Returns
    -------
    str
    """
    judged = [row.published for row in rows if row.published is not None and row.inside is not None]
    if not judged:
        return f"Too few trials to judge the published figures; {ENOUGH_TRIALS} or more are needed."
    inputs, inside = sum(target.use == "input" for target in judged), sum(bool(row.inside) for row in rows)
    others = "some parameters are the user's own" if own else "its parameters were set to reproduce the rest"
    worth = (
        f"{inputs} are inputs of the baseline; {others}: agreement is no proof."
        if as_published(scenario)
        else "They are those of the source study; this scenario is another, and need not agree."
    )
    counted = f"{inside} of {len(judged)} published figures (* marks the others)"
    return f"Inside the 95 % predictive interval: {counted}. {worth}"


def full_labels() -> dict[str, str]:
    """Return the name of every endpoint by id, with what it is a part of."""
    labels, whole = {}, ""
    for endpoint in ENDPOINTS:
        whole = whole if endpoint.level else endpoint.label
        labels[endpoint.id] = f"{whole}, {endpoint.label}" if endpoint.level else endpoint.label
    return labels


def number(value: float, unit: str) -> str:
    """Write one figure in its unit."""
    if np.isinf(value):
        return "not reached"
    if unit == "share":
        return f"{np.floor(100 * value + 0.5):.0f} %"  # a half is rounded up, as readers do
    text = f"{value:.1f}"
    return text if unit == "months" else text.removesuffix(".0")


def span(lower: float, upper: float, unit: str) -> str:
    """Write two limits, the unit said once elsewhere."""

    def short(value: float) -> str:
        return "n.r." if np.isinf(value) else number(value, unit).removesuffix(" %")

    return f"{short(lower)}-{short(upper)}"


def optional(value: float | None, unit: str) -> str:
    """Write a figure that may not exist."""
    return NOT_APPLICABLE if value is None else number(value, unit)


def endpoint_frame(rows: list[Row]) -> pd.DataFrame:
    """Return the results table as data: one row an endpoint; shares are proportions, times as in ``unit``."""
    import pandas as pd

    return pd.DataFrame([_record(row) for row in rows])


def _record(row: Row) -> dict[str, object]:
    summary, target = row.summary, row.published
    endpoint, predicted, parts = summary.endpoint, summary.predicted, summary.parts
    interval = target.interval if target and target.interval else (None, None)
    return {
        "id": endpoint.id,
        "section": endpoint.section,
        "label": endpoint.label,
        "unit": endpoint.unit,
        "published": target.estimate if target else None,
        "published_lower": interval[0],
        "published_upper": interval[1],
        "published_count": target.count if target else None,
        "published_denominator": target.denominator if target and target.count is not None else None,
        "simulated_median": predicted.median,
        "simulated_lower": predicted.lower,
        "simulated_upper": predicted.upper,
        "median_mcse": summary.median_mcse,
        "simulated_mean": summary.mean,
        "mean_mcse": summary.mean_mcse,
        "parameter_sd": np.sqrt(parts.between) if parts else None,
        "sampling_sd": np.sqrt(parts.within) if parts else None,
        "parameter_share": parts.share if parts else None,
        "parameter_share_mcse": parts.share_mcse if parts else None,
        "limit": summary.limit,
        "oracle": summary.oracle,
        "trials": predicted.n_values + predicted.n_missing,
        "trials_without_value": predicted.n_missing,
        "trials_not_reached": predicted.n_infinite,
        "published_inside": row.inside,
    }
