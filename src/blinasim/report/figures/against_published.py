"""Published against simulated: one line an endpoint, shares and months each on their own axis."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from blinasim.report import style
from blinasim.report.rows import ENOUGH_TRIALS, Row, full_labels
from blinasim.statistics.intervals import clopper_pearson
from blinasim.trial.endpoints import ENDPOINTS

#: Inches: a line, the widths of labels, panel and text columns, and the margin around.
_LINE: Final = 0.154
_LABELS: Final = 2.75
_PANEL: Final = 2.45
_COLUMNS: Final = (0.14, 1.28)  # left edges of the text columns, from the right edge of the panel
_RIGHT: Final = 2.5
_MARGIN: Final = 0.12
_AXIS: Final = 0.4  # under a panel
_TOP: Final = 1.06
_HEADING: Final = 1.3  # of a line
_HALF_BAR: Final = 0.31
#: Figures outside the interval that the alternative text names.
_NAMED: Final = 5
_WIDTH: Final = _MARGIN + _LABELS + _PANEL + _RIGHT


@dataclass(frozen=True)
class _Scale:
    """How values are drawn: what they are multiplied by, where the axis ends, and its ticks."""

    factor: float
    end: float
    ticks: Sequence[float]
    label: str


def forest(rows: Sequence[Row], heading: Callable[[Row], str] | None = None) -> style.Drawing:
    """Draw published figures against simulated ones.

    The bar is the 95 % predictive interval of the simulated trials with their median, the diamond the published figure
    with its own 95 % interval (exact binomial for counts). A published figure outside the bar becomes a cross. Shares
    and months have a panel each; other quantities, such as age, stand in the text columns only.

    Parameters
    ----------
    rows : sequence of Row
        The results table; rows without a published figure are left out.
    heading : callable, optional
        Says under which heading a row stands, rows of one heading following each other; its section by default, where
        parts are indented under their whole.

    Returns
    -------
    Drawing
        A matplotlib figure for a page in portrait; its ``alt`` is a sentence for those who do not see it.
    """
    published = [row for row in rows if row.published]
    in_months = [row for row in published if _unit(row) == "months"]
    others = [row for row in published if _unit(row) != "months"]
    blocks = [
        (_lines(others, "", heading), _Scale(100, 100, range(0, 101, 25), "Per cent of patients")),
        (_lines(in_months, ", months", heading), _months_scale(in_months)),
    ]
    blocks = [block for block in blocks if block[0]]
    # Exact sums: Pythons before 3.12 add floats otherwise, and figures are the same bytes on all.
    height = _TOP + math.fsum(_height(lines) * _LINE + _AXIS for lines, _ in blocks)
    with style.house_style():
        drawing = style.blank(_WIDTH, height)
        top = height - _TOP
        for number, (lines, scale) in enumerate(blocks):
            bottom = top - _height(lines) * _LINE
            axes = style.place(drawing, _MARGIN + _LABELS, bottom, _PANEL, top - bottom)
            _draw_block(axes, lines, scale, _labels(indented=heading is None))
            if number == 0:
                _head_columns(axes)
            top = bottom - _AXIS
        style.heading(drawing, _MARGIN, "Published against simulated", _verdict(published))
        _draw_key(drawing, judged=_trials(published) >= ENOUGH_TRIALS)
    drawing.alt = _alt(published)
    return drawing


def _unit(row: Row) -> str:
    return row.summary.endpoint.unit


def _trials(rows: Sequence[Row]) -> int:
    return max((row.summary.predicted.n_values + row.summary.predicted.n_missing for row in rows), default=0)


def _outside(row: Row) -> bool:
    return row.summary.estimable and row.inside is False and _trials([row]) >= ENOUGH_TRIALS


def _verdict(published: list[Row]) -> str:
    if not published:
        return "Nothing published to compare with"
    trials = _trials(published)
    counted = style.counted_trials(trials)
    if trials < ENOUGH_TRIALS:
        return f"{counted}: too few for a predictive interval, so that no published figure is judged"
    judged = [row for row in published if row.summary.estimable]
    inside = sum(not _outside(row) for row in judged)
    left = len(published) - len(judged)
    text = f"{counted}: {inside} of {len(judged)} published figures lie inside the 95 % predictive interval"
    return f"{text}; {left} not estimable" if left else text


def _height(lines: list[Row | str]) -> float:
    """Return the height of a block in lines: headings have some air above them."""
    return math.fsum(_HEADING if isinstance(line, str) else 1.0 for line in lines) + 0.3


def _lines(rows: list[Row], suffix: str, heading: Callable[[Row], str] | None) -> list[Row | str]:
    """Return headings and rows in the order of the table."""
    lines: list[Row | str] = []
    for title, members in groupby(rows, key=heading or (lambda row: row.summary.endpoint.section)):
        lines += [title + suffix, *members]
    return lines


def _labels(*, indented: bool) -> dict[str, tuple[int, str]]:
    """Return by endpoint how far its name is indented, and the name: the whole name where parts stand alone."""
    if indented:
        return {endpoint.id: (endpoint.level, endpoint.label) for endpoint in ENDPOINTS}
    return {name: (0, label) for name, label in full_labels().items()}


def _months_scale(rows: list[Row]) -> _Scale:
    values = [row.summary.predicted.upper for row in rows]
    values += [max((*(row.published.interval or ()), row.published.estimate)) for row in rows if row.published]
    longest = max((value for value in values if np.isfinite(value)), default=12.0)
    end = 3 * float(np.ceil(longest / 3 + 1e-9))
    return _Scale(1, end, np.arange(0, end + 1, 3 if end <= 18 else 6).tolist(), "Months")


# --- drawing ----------------------------------------------------------------------------------------


def _draw_block(axes: Axes, lines: list[Row | str], scale: _Scale, labels: dict[str, tuple[int, str]]) -> None:
    axes.set_xlim(0, scale.end)
    axes.set_ylim(_height(lines), 0)
    axes.set_xticks(scale.ticks)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(scale.label, labelpad=2)
    axes.grid(axis="x")
    stripe = False
    y = -0.5
    for line in lines:
        if isinstance(line, str):
            y += _HEADING
            _write_heading(axes, y, line)
            stripe = False
            continue
        y += 1
        if stripe:
            _draw_stripe(axes, y)
        stripe = not stripe
        _write_row(axes, y, line, *labels[line.summary.endpoint.id])
        if _unit(line) in ("share", "months"):
            _draw_row(axes, y, line, scale)
        else:
            _say_unit(axes, y, line)


def _across(inches: float) -> float:
    """Turn inches from the left edge of the panel into shares of its width."""
    return inches / _PANEL


def _write_heading(axes: Axes, y: float, text: str) -> None:
    where = axes.get_yaxis_transform()
    axes.text(_across(-_LABELS), y, text, transform=where, fontsize=8, fontweight="bold", va="center_baseline")


def _draw_stripe(axes: Axes, y: float) -> None:
    left, width = _across(-_LABELS - 0.04), _across(_WIDTH - 2 * _MARGIN + 0.08)
    axes.add_patch(
        Rectangle(
            (left, y - 0.5), width, 1, transform=axes.get_yaxis_transform(), facecolor=style.STRIPE,
            linewidth=0, clip_on=False, zorder=0.4,
        )
    )  # fmt: skip


def _write_row(axes: Axes, y: float, row: Row, level: int, label: str) -> None:
    look: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "fontsize": 8, "va": "center_baseline"}
    axes.text(_across(-_LABELS + 0.08 + 0.14 * level), y, label, **look)
    loud: dict[str, Any] = {"color": style.OUTSIDE, "fontweight": "bold"} if _outside(row) else {}
    axes.text(1 + _across(_COLUMNS[0]), y, _dashed(row.published_text), **look, **loud)
    axes.text(1 + _across(_COLUMNS[1]), y, _dashed(row.simulated_text), **look)


def _head_columns(axes: Axes) -> None:
    look: dict[str, Any] = {
        "transform": axes.get_yaxis_transform(),
        "fontsize": 8,
        "color": style.MUTED,
        "va": "baseline",
    }
    axes.text(1 + _across(_COLUMNS[0]), 0.3, "Published", **look)
    axes.text(1 + _across(_COLUMNS[1]), 0.3, "Simulated", **look)


def _dashed(text: str) -> str:
    return re.sub(r"(?<=\d)-(?=[\dn])", "–", text)


def _say_unit(axes: Axes, y: float, row: Row) -> None:
    said = f"median, {_unit(row)}" + ("; published (range)" if row.published and row.published.range else "")
    axes.text(
        0.5, y, said, transform=axes.get_yaxis_transform(), ha="center", va="center_baseline", fontsize=8,
        color=style.MUTED, fontstyle="italic",
    )  # fmt: skip


def _draw_row(axes: Axes, y: float, row: Row, scale: _Scale) -> None:
    predicted = row.summary.predicted
    if row.summary.estimable:
        lower, middle, upper = (scale.factor * value for value in (predicted.lower, predicted.median, predicted.upper))
        _draw_bar(axes, y, lower, middle, upper, scale.end)
    assert row.published is not None
    limits = _published_limits(row)
    if limits:
        axes.plot(
            [scale.factor * limit for limit in limits], (y, y), color=style.PUBLISHED, linewidth=0.9, zorder=4,
            clip_on=False,
        )  # fmt: skip
    _draw_marker(axes, scale.factor * row.published.estimate, y, _outside(row))


def _draw_bar(axes: Axes, y: float, lower: float, middle: float, upper: float, end: float) -> None:
    """Draw interval and median; what is not reached runs to the end of the axis and points on."""
    shown = min(upper, end)
    if lower < end:
        bar = Rectangle(
            (lower, y - _HALF_BAR), max(shown - lower, 0.004 * end), 2 * _HALF_BAR,
            facecolor=style.SIMULATED_PALE, linewidth=0, zorder=2,
        )  # fmt: skip
        axes.add_patch(bar)
    if middle <= end:
        axes.plot(
            (middle, middle), (y - _HALF_BAR, y + _HALF_BAR), color=style.SIMULATED, linewidth=2.2, zorder=3,
            solid_capstyle="butt", clip_on=False,
        )  # fmt: skip
    if upper > end:
        axes.plot(
            [end],
            [y],
            marker=">",
            markersize=5,
            color=style.SIMULATED,
            markeredgewidth=0,
            zorder=3,
            clip_on=False,
        )


def _published_limits(row: Row) -> tuple[float, float] | None:
    target = row.published
    if target is None or target.interval:
        return target.interval if target else None
    if target.count is None or target.denominator is None:
        return None
    lower, upper = clopper_pearson(target.count, target.denominator)
    return float(lower), float(upper)


def _draw_marker(axes: Axes, x: float, y: float, outside: bool) -> None:
    look: dict[str, Any] = (
        {"marker": "X", "markersize": 7.5, "markerfacecolor": style.OUTSIDE, "markeredgecolor": "white"}
        if outside
        else {
            "marker": "D",
            "markersize": 4.3,
            "markerfacecolor": style.PUBLISHED,
            "markeredgecolor": "white",
        }
    )
    axes.plot([x], [y], linestyle="", markeredgewidth=0.6, zorder=5, clip_on=False, **look)


def _draw_key(drawing: style.Drawing, *, judged: bool) -> None:
    """Say under the title how to read a line, with the marks themselves."""
    up = drawing.get_size_inches()[1]
    axes = style.place(drawing, _MARGIN, up - 0.83, _WIDTH - 2 * _MARGIN, 0.2)
    axes.set_xlim(0, _WIDTH - 2 * _MARGIN)
    axes.set_ylim(0.6, -0.6)
    axes.set_axis_off()
    look: dict[str, Any] = {"fontsize": 8, "color": style.MUTED, "va": "center_baseline"}
    _draw_bar(axes, 0, 0.02, 0.18, 0.34, 10)
    axes.text(0.44, 0, "simulated median and 95 % predictive interval", **look)
    axes.plot((3.47, 3.79), (0, 0), color=style.PUBLISHED, linewidth=0.9)
    _draw_marker(axes, 3.63, 0, False)
    axes.text(3.89, 0, "published, 95 % interval", **look)
    if judged:
        _draw_marker(axes, 5.57, 0, True)
        axes.text(5.69, 0, "outside the predictive interval", **look)


def _alt(published: list[Row]) -> str:
    outside, names = [], full_labels()
    for row in published:
        if _outside(row):
            name = names[row.summary.endpoint.id]
            outside.append(f"{name} (published {row.published_text}, simulated {row.simulated_text})")
    named = outside[:_NAMED] + ([f"{len(outside) - _NAMED} more"] if len(outside) > _NAMED else [])
    return _verdict(published) + (f"; outside: {'; '.join(named)}." if named else ".")
