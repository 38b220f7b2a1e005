"""The validation as lines of a table, and in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from blinasim.inference.posterior import Posterior
from blinasim.inference.predictive import SHARPNESS_BAR, Check, Estimate, Misses, Use, Validation
from blinasim.report.rows import ENOUGH_TRIALS, NEARLY_ALL, Row, full_labels
from blinasim.report.table import INDENT, Table
from blinasim.report.words import NOT_APPLICABLE
from blinasim.study.summary import summarize

if TYPE_CHECKING:
    import pandas as pd

#: What the calibration does with the figures, in the order of the table.
GROUPS: Final[dict[Use, str]] = {
    "fit": "Fitted",
    "follows": "Following from fitted figures",
    "held_out": "Held out",
    "input": "Inputs of the simulation",
}
#: What the columns mean.
_DEFINITIONS: Final = (
    ("published", "As the source study published it; in brackets the 95 % confidence interval, or the range."),
    ("simulated", "Median of the simulated studies (95 % predictive interval)."),
    ("tail", "Two-sided tail area: how often a simulated study lies as far out as the published figure."),
    ("published is", "Where the published figure lies to the predictive interval."),
    (
        "width",
        "Of the interval, against that of chance alone at the mean of the draws; ! marks one that is surely too wide.",
    ),
    ("n/a", "No draws, or no finite width."),
)


def validation_definitions(studies: int) -> tuple[tuple[str, str], ...]:
    """Return what the columns mean, of so many simulated studies."""
    if studies >= ENOUGH_TRIALS:
        return _DEFINITIONS
    few = {"simulated": f"Median of the simulated studies, and {NEARLY_ALL}."}
    unjudged = ("tail", "published is")
    return tuple((name, few.get(name, said)) for name, said in _DEFINITIONS if name not in unjudged)


@dataclass(frozen=True)
class ValidationRow:
    """One line: a published figure, what is predicted in its place, and the verdict."""

    check: Check
    row: Row
    label: str

    @property
    def judged(self) -> bool:
        """Whether there are studies enough to judge the published figure by."""
        return self.check.predicted.n_values + self.check.predicted.n_missing >= ENOUGH_TRIALS

    @property
    def tail_text(self) -> str:
        """Two-sided tail area; empty of too few studies."""
        return probability(self.check.tail) if self.judged else ""

    @property
    def verdict_text(self) -> str:
        """Where the published figure lies; empty of too few studies."""
        return self.check.verdict if self.judged else ""

    @property
    def width_text(self) -> str:
        """Width of the interval, as a multiple of that of chance alone; marked where it is above the bar."""
        ratio = self.check.width_ratio
        return NOT_APPLICABLE if ratio is None else f"{ratio.value:.2f}{' !' * self.check.is_blunt}"


def validation_rows(validation: Validation) -> list[ValidationRow]:
    """Return the lines, group by group."""
    labels = full_labels()
    summaries = {summary.endpoint.id: summary for summary in summarize(validation.result)}
    return [
        ValidationRow(check, Row(summaries[check.endpoint.id], check.target), labels[check.endpoint.id])
        for use in GROUPS
        for check in validation.of(use)
    ]


def validation_table(rows: list[ValidationRow]) -> Table:
    """Return the table of published figures."""
    lines: list[tuple[str, ...]] = []
    group = None
    for one in rows:
        row, unit = one.row, one.check.endpoint.unit
        if group_of(row) != group:
            group = group_of(row)
            lines.append((group,))
        label = f"{INDENT}{one.label}{'' if unit in ('share', 'cycles') else f', {unit}'}"
        lines.append((label, row.published_text, row.simulated_text, one.tail_text, one.verdict_text, one.width_text))
    titles = ("", "published", "simulated", "tail", "published is", "width")
    return Table(titles, tuple(lines), "Published figures and what the model predicts in their place")


def group_of(row: Row) -> str:
    """Return under which heading a published figure stands."""
    assert row.published is not None
    return GROUPS[row.published.use]


def probability(estimate: Estimate, *, with_error: bool = False) -> str:
    """Write a tail area."""
    text = f"{estimate.value:.2f}" if estimate.value >= 0.1 else f"{estimate.value:.3f}"
    return f"{text} ±{estimate.mcse:.2g}" if with_error else text


def sentences(validation: Validation) -> Iterator[str]:
    """Say what the validation comes to, a line each."""
    if validation.result.replications < ENOUGH_TRIALS:
        yield f"Too few simulated studies to judge anything; {ENOUGH_TRIALS} or more are needed."
        return
    joint = validation.joint
    yield (
        f"Fitted: {_of(validation.misses['fit'])}. Joint tail area {probability(joint.both, with_error=True)} "
        f"(counts {probability(joint.counts)}, survival {probability(joint.survival)}): small is bad"
        f"{', and figures that were fitted make it large' * _fitted(validation)}."
    )
    yield f"Held out: {_of(validation.misses['held_out'])}."
    widths = [check for check in validation.checks if check.width_ratio is not None]
    if not widths:
        return
    blunt = [check for check in widths if check.is_blunt]
    widest = max(widths, key=lambda check: check.width_ratio.value if check.width_ratio else 0.0)
    assert widest.width_ratio is not None
    most = f"{widest.width_ratio.value:.2f} ±{widest.width_ratio.mcse:.2f} ({full_labels()[widest.endpoint.id]})"
    yield (
        f"Width, against chance alone at the mean of the draws: at most {most}; "
        f"{len(blunt) or 'none'} surely above {SHARPNESS_BAR}{' (!)' * bool(blunt)}."
    )


def _fitted(validation: Validation) -> bool:
    return isinstance(validation.parameters, Posterior) and validation.parameters.has_learnt


def _of(misses: Misses) -> str:
    inside = misses.among - misses.outside
    text = f"{inside} of {misses.among} inside the 95 % predictive interval"
    if not misses.outside:
        return f"{text} ({misses.expected:.1f} outside expected)"
    return f"{text}; {misses.outside} or more are outside in {100 * misses.tail.value:.0f} % of simulated studies"


def validation_frame(validation: Validation) -> pd.DataFrame:
    """Return the table as data: a row a published figure; shares are proportions, times as in ``unit``."""
    import pandas as pd

    return pd.DataFrame([_record(check) for use in GROUPS for check in validation.of(use)])


def _record(check: Check) -> dict[str, object]:
    ratio = check.width_ratio
    return {
        "id": check.endpoint.id,
        "label": full_labels()[check.endpoint.id],
        "use": check.target.use,
        "unit": check.endpoint.unit,
        "published": check.target.estimate,
        "simulated_median": check.predicted.median,
        "simulated_lower": check.predicted.lower,
        "simulated_upper": check.predicted.upper,
        "tail": check.tail.value,
        "tail_mcse": check.tail.mcse,
        "verdict": check.verdict,
        "width_ratio": ratio.value if ratio else None,
        "width_ratio_mcse": ratio.mcse if ratio else None,
    }
