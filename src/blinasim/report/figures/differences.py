"""Paired differences of policies from the reference: one line a measure and policy, each unit on its own axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from blinasim.report import style
from blinasim.report.comparison import ComparisonRow, comparison_rows, whose_lives
from blinasim.report.words import lower_first, minus
from blinasim.study.comparison import Comparison
from blinasim.study.measures import Unit

#: Inches: a line, the widths of labels (and how far a level of them is set in), panel and text columns, the margin
#: around, and what an axis takes below.
_LINE: Final = 0.2
_LABELS: Final = 2.8
_INDENT: Final = 0.12
_PANEL: Final = 2.35
_COLUMNS: Final = (0.12, 1.92)  # left edges of the text columns, from the right edge of the panel
_RIGHT: Final = 2.42
_MARGIN: Final = 0.12
_AXIS: Final = 0.5
_TOP: Final = 1.16
#: Letters of a policy's name that the labels hold.
_NAME: Final = 36
_WIDTH: Final = 2 * _MARGIN + _LABELS + _PANEL + _RIGHT
_HALF_BAR: Final = 0.27
#: What an axis says, by unit.
_AXES: Final[dict[Unit, str]] = {
    "share": "Percentage points",
    "months": "Months",
    "days": "Days",
    "searches": "Searches a trial",
    "patient-days": "Patient-days a trial",
    "years": "Years",
    "QALYs": "QALYs",
    "money": "Currency units a patient",
}


@dataclass(frozen=True)
class _Line:
    """A line of the figure: a difference, or a heading; the first level of headings says whose the measures are."""

    label: str
    colour: str
    row: ComparisonRow | None = None
    level: int = 0


def differences(comparison: Comparison) -> style.Drawing:
    """Draw the paired difference of every measure, and of every policy from the reference.

    The pale bar holds 95 % of the trials' differences; the dot is their mean, the line through it its 95 % interval,
    which more trials would narrow. Measures without a value in any trial are left out.

    Parameters
    ----------
    comparison : Comparison
        A comparison of two or more scenarios.

    Returns
    -------
    Drawing
        A matplotlib figure; its ``alt`` is a sentence for those who do not see it.
    """
    rows = {policy: comparison_rows(comparison, policy) for policy in comparison.policies}
    blocks = []
    for unit, label in _AXES.items():
        lines = _lines(comparison, rows, unit)
        if lines:
            blocks.append((lines, unit, label))
    height = _TOP + sum(len(lines) * _LINE + _AXIS for lines, _, _ in blocks)
    with style.house_style():
        drawing = style.blank(_WIDTH, height)
        top = height - _TOP
        for number, (lines, unit, label) in enumerate(blocks):
            bottom = top - len(lines) * _LINE
            axes = style.place(drawing, _MARGIN + _LABELS, bottom, _PANEL, top - bottom)
            _draw_block(axes, lines, 100 if unit == "share" else 1, label)
            if number == 0:
                _head_columns(axes)
            top = bottom - _AXIS
        _head(drawing, comparison)
    drawing.alt = _alt(comparison, rows)
    return drawing


def _lines(comparison: Comparison, rows: dict[str, list[ComparisonRow]], unit: Unit) -> list[_Line]:
    """Return the lines of one unit under its sections: a line a measure, or a heading and a line a policy."""
    lines: list[_Line] = []
    several = len(comparison.policies) > 1
    section = ""
    for place, measure in enumerate(comparison.measures):
        drawn = [
            (style.shortened(policy, _NAME), style.colour_of(number), rows[policy][place])
            for number, policy in enumerate(comparison.policies, start=1)
            if not math.isnan(rows[policy][place].difference.mean)
        ]
        if measure.unit != unit or not drawn:
            continue
        row = drawn[0][-1]
        if row.section != section:
            section = row.section
            lines.append(_Line(section, style.MUTED))
        lines.append(_Line(measure.name, style.PUBLISHED, None if several else row, level=1))
        if several:
            lines += [_Line(*line, level=2) for line in drawn]
    return lines


def _across(inches: float) -> float:
    return inches / _PANEL


def _draw_block(axes: Axes, lines: Sequence[_Line], factor: float, label: str) -> None:
    low, high = _span(lines, factor)
    axes.set_xlim(low, high)
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(label, labelpad=2)
    axes.grid(axis="x")
    axes.axvline(0, color=style.MUTED, linewidth=0.9, zorder=1.5)
    several = any(line.level == 2 for line in lines)
    look: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "fontsize": 8, "va": "center_baseline"}
    for y, line in enumerate(lines):
        weight = "bold" if several and line.level == 1 else "normal"
        place = _across(-_LABELS + _INDENT * line.level)
        axes.text(place, y, line.label, color=line.colour, fontweight=weight, **look)
        if line.row is None:
            continue
        colour = line.colour if several else style.SIMULATED
        _draw_line(axes, y, line.row, factor, colour)
        axes.text(1 + _across(_COLUMNS[0]), y, minus(line.row.difference_text), **look)
        axes.text(1 + _across(_COLUMNS[1]), y, line.row.better_text, **look)


def _span(lines: Sequence[_Line], factor: float) -> tuple[float, float]:
    """Return the ends of an axis: all that is drawn, 0, and some air."""
    ends = [0.0]
    for line in lines:
        if line.row:
            one = line.row.difference
            drawn = (one.mean, one.lower, one.upper, one.trial_lower, one.trial_upper)
            ends += [factor * end for end in drawn if math.isfinite(end)]
    air = 0.06 * (max(ends) - min(ends)) or 1.0
    return min(ends) - air, max(ends) + air


def _draw_line(axes: Axes, y: float, row: ComparisonRow, factor: float, colour: str) -> None:
    one = row.difference
    if math.isfinite(one.trial_lower):
        left, right = factor * one.trial_lower, factor * one.trial_upper
        axes.add_patch(
            Rectangle(
                (left, y - _HALF_BAR), right - left, 2 * _HALF_BAR, facecolor=colour, alpha=0.25, linewidth=0, zorder=2
            )
        )
    if math.isfinite(one.lower):
        axes.plot((factor * one.lower, factor * one.upper), (y, y), color=colour, linewidth=1.8, zorder=3)
    axes.plot([factor * one.mean], [y], marker="o", markersize=4.2, color=colour, markeredgewidth=0, zorder=4)


def _head_columns(axes: Axes) -> None:
    look: dict[str, Any] = {
        "transform": axes.get_yaxis_transform(), "fontsize": 8, "color": style.MUTED, "va": "baseline",
    }  # fmt: skip
    axes.text(1 + _across(_COLUMNS[0]), -0.65, "Difference (95 % interval)", **look)
    axes.text(1 + _across(_COLUMNS[1]), -0.65, "Better", **look)


def _head(drawing: style.Drawing, comparison: Comparison) -> None:
    several = len(comparison.policies) > 1
    whose = f"{len(comparison.policies)} policies" if several else comparison.policies[0]
    trials, size = style.counted_trials(comparison.replications), comparison.reference.scenario.cohort.size
    style.heading(
        drawing,
        _MARGIN,
        style.shortened(f"{whose} less {comparison.reference.name}", 62),
        f"{trials} of {size:,} patients; {style.shortened(whose_lives(comparison), 62)}",
        "Dot and line: mean of the paired differences and its 95 % interval. Bar: 95 % of the trials.",
        "Better: share of the trials in which the policy is better, ties counting half. All are followed to the end.",
    )


def _alt(comparison: Comparison, rows: dict[str, list[ComparisonRow]]) -> str:
    said = []
    for policy in comparison.policies:
        named = [
            f"{lower_first(row.measure.name) if not row.measure.name[:2].isupper() else row.measure.name} "
            f"{minus(row.difference_text)}"
            for row in rows[policy]
            if row.measure.id in ("realization", "os_24_months", "rmst_24_months")
            and not math.isnan(row.difference.mean)
        ]
        said.append(f"{policy} less {comparison.reference.name}: {', '.join(named)}")
    trials = style.counted_trials(comparison.replications)
    return f"Paired differences over {trials}. {'; '.join(said)}."
