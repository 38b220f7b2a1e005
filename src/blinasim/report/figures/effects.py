"""The effect of HSCT by every estimator: a forest with the truth, each scale on its own axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, MaxNLocator, NullFormatter, NullLocator

from blinasim.report import style
from blinasim.report.effect import MEASURES, data_cells, data_text, label_of, study_rows, timing_text, value_text
from blinasim.report.words import lower_first, minus
from blinasim.statistics.curves import normal_quantile
from blinasim.study.effect import Effect
from blinasim.study.effect_data import DataEffect
from blinasim.study.estimators import ESTIMATORS, Scale
from blinasim.study.exposures import OUTCOMES

#: Inches: a line, the widths of labels, panel and text columns, the margin around, a heading, an axis, and the top.
_LINE: Final = 0.2
_LABELS: Final = 2.65
_PANEL: Final = 2.6
_COLUMNS: Final = (0.12, 1.15, 1.95)  # left edges of the text columns, from the right edge of the panel
_RIGHT: Final = 2.75
_MARGIN: Final = 0.12
_HEADING: Final = 0.3
_AXIS: Final = 0.5
_TOP: Final = 1.0
_WIDTH: Final = 2 * _MARGIN + _LABELS + _PANEL + _RIGHT
_HALF_BAR: Final = 0.27
_AXES: Final[dict[Scale, str]] = {
    "log_hazard_ratio": "Hazard ratio, HSCT against none",
    "difference": "Percentage points of survival",
    "survival": "Per cent alive (or alive in remission)",
}
_LIMIT: Final = normal_quantile(0.95)
_RATIOS: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0)


@dataclass(frozen=True)
class _Line:
    """A line: dot, line through it, pale bar, what the truth is and large trials show; the scale's own numbers."""

    label: str
    dot: float
    line: tuple[float, float]
    bar: tuple[float, float] | None
    truth: float
    limit: float
    texts: tuple[str, ...]

    @property
    def drawn(self) -> list[float]:
        """All numbers that the axis must hold."""
        numbers = [self.dot, *self.line, *(self.bar or ()), self.truth, self.limit]
        return [number for number in numbers if math.isfinite(number)]


def effects(found: Effect | DataEffect) -> style.Drawing:
    """Draw what every estimator found.

    Of simulated trials: the dot is the mean of the estimates, the line through it its Monte Carlo 95 % interval, the
    pale bar what 95 % of the estimates lie between, the diamond the truth, the tick the limit of large trials. Of a
    user's own patients: the estimate and its 95 % interval.

    Parameters
    ----------
    found : Effect or DataEffect

    Returns
    -------
    Drawing
        A matplotlib figure; its ``alt`` is a sentence for those who do not see it.
    """
    blocks = _data_blocks(found) if isinstance(found, DataEffect) else _study_blocks(found)
    height = _TOP + sum(_HEADING * bool(title) + len(lines) * _LINE + _AXIS for title, _, lines in blocks)
    with style.house_style():
        drawing = style.blank(_WIDTH, height)
        top = height - _TOP
        for number, (title, measure, lines) in enumerate(blocks):
            top -= _HEADING * bool(title)
            bottom = top - len(lines) * _LINE
            axes = style.place(drawing, _MARGIN + _LABELS, bottom, _PANEL, top - bottom)
            _draw_block(axes, measure, lines)
            if title:
                style.write(drawing, _MARGIN, height - top - 0.24, title, fontsize=8.5, fontweight="bold")
            if number == 0:
                _head_columns(axes, study=isinstance(found, Effect))
            top = bottom - _AXIS
        _head(drawing, found)
    drawing.alt = _alt(found)
    return drawing


def _study_blocks(found: Effect) -> list[tuple[str, Scale, list[_Line]]]:
    blocks = []
    rows = study_rows(found)
    for outcome in OUTCOMES:
        for number, measure in enumerate(MEASURES):
            lines = []
            for row in rows:
                if row.outcome != outcome or row.finding.estimator.measure != measure:
                    continue
                one = row.finding.performance
                mean, reach = one.mean.value, _LIMIT * one.mean.mcse
                cells = row.cells
                lines.append(
                    _Line(
                        row.label,
                        mean,
                        (mean - reach, mean + reach),
                        one.most,
                        row.finding.truth.value,
                        row.finding.limit.value,
                        (cells[2], cells[4], cells[7]),
                    )
                )
            blocks.append((label_of(outcome, found.timing) if number == 0 else "", measure, lines))
    return blocks


def _data_blocks(found: DataEffect) -> list[tuple[str, Scale, list[_Line]]]:
    blocks: list[tuple[str, Scale, list[_Line]]] = []
    for measure in MEASURES:
        lines = []
        for one in ESTIMATORS:
            if one.measure != measure:
                continue
            estimate = found.estimates[one.id]
            lower, upper = estimate.interval()
            value, limits = float(estimate.value[0]), (float(lower[0]), float(upper[0]))
            texts = data_cells(found, one)[1:]
            lines.append(_Line(one.label, value, limits, None, math.nan, math.nan, texts))
        blocks.append(("", measure, lines))
    return blocks


def _draw_block(axes: Axes, measure: Scale, lines: Sequence[_Line]) -> None:
    factor = 1.0 if measure == "log_hazard_ratio" else 100.0
    drawn = [factor * number for line in lines for number in line.drawn]
    ends = drawn + [0.0] * (measure != "survival") or [0.0]
    air = 0.06 * (max(ends) - min(ends)) or 1.0
    axes.set_xlim(min(ends) - air, max(ends) + air)
    axes.set_ylim(len(lines) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    if measure == "log_hazard_ratio":
        shown = [ratio for ratio in _RATIOS if min(ends) - air <= math.log(ratio) <= max(ends) + air]
        axes.xaxis.set_major_locator(FixedLocator([math.log(ratio) for ratio in shown]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xticklabels([f"{ratio:g}" for ratio in shown])
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.set_xlabel(_AXES[measure], labelpad=2)
    axes.grid(axis="x")
    if measure != "survival":
        axes.axvline(0, color=style.MUTED, linewidth=0.9, zorder=1.5)
    look: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "fontsize": 8, "va": "center_baseline"}
    for y, line in enumerate(lines):
        axes.text(-_LABELS / _PANEL, y, line.label, **look)
        for left, text in zip(_COLUMNS, line.texts, strict=False):
            axes.text(1 + left / _PANEL, y, minus(text), **look)
        if not math.isfinite(line.dot):
            continue
        if line.bar and math.isfinite(line.bar[0]):
            left, right = (factor * end for end in line.bar)
            axes.add_patch(
                Rectangle(
                    (left, y - _HALF_BAR), right - left, 2 * _HALF_BAR, facecolor=style.SIMULATED_PALE, linewidth=0
                )
            )
        if math.isfinite(line.limit):
            axes.plot([factor * line.limit], [y], marker="|", markersize=9, markeredgewidth=1.6, color=style.CENSORED)
        if math.isfinite(line.line[0]):
            axes.plot([factor * end for end in line.line], (y, y), color=style.SIMULATED, linewidth=1.8, zorder=3)
        axes.plot(
            [factor * line.dot], [y], marker="o", markersize=4.2, color=style.SIMULATED, markeredgewidth=0, zorder=4
        )
        if math.isfinite(line.truth):
            axes.plot(
                [factor * line.truth], [y], marker="D", markersize=5, markerfacecolor="white", zorder=5,
                markeredgecolor=style.PUBLISHED, markeredgewidth=1.1, alpha=0.9,
            )  # fmt: skip


def _head_columns(axes: Axes, *, study: bool) -> None:
    titles = ("Mean", "Bias ±MC", "Coverage, %") if study else ("Estimate", "95 % interval")
    for left, title in zip(_COLUMNS, titles, strict=False):
        axes.text(
            1 + left / _PANEL, -0.65, title, transform=axes.get_yaxis_transform(), fontsize=8, color=style.MUTED,
            va="baseline",
        )  # fmt: skip


def _head(drawing: style.Drawing, found: Effect | DataEffect) -> None:
    if isinstance(found, DataEffect):
        style.heading(
            drawing,
            _MARGIN,
            f"The effect of HSCT as papers estimate it: {style.shortened(found.name, 40)}",
            style.shortened(data_text(found), 110),
            f"Survival on day {found.timing.day}; {timing_text(found.timing)}.",
            "Dot and line: estimate and its 95 % interval.",
        )
        return
    size = found.scenario.cohort.size
    style.heading(
        drawing,
        _MARGIN,
        "The effect of HSCT as papers estimate it, and the truth",
        f"{style.shortened(found.scenario.title)} · {style.counted_trials(found.scenario.study.replications)} of "
        f"{size:,} patients · {timing_text(found.timing)}",
        "Dot and line: mean of the estimates and its Monte Carlo 95 % interval. Bar: 95 % of the trials.",
        "Orange tick: limit of large trials. Diamond: truth, where there is one.",
    )


def _alt(found: Effect | DataEffect) -> str:
    if isinstance(found, DataEffect):
        said = ", ".join(
            f"{lower_first(one.label)} {value_text(float(found.estimates[one.id].value[0]), one.measure)}"
            for one in ESTIMATORS
        )
        return f"Effect of HSCT in {found.name}: {said}."
    said = ", ".join(
        f"{lower_first(row.label)} {row.cells[2]} (truth {row.cells[1]})"
        for row in study_rows(found)
        if row.outcome == "os"
    )
    return f"Effect of HSCT on overall survival in {style.counted_trials(found.scenario.study.replications)}: {said}."
