"""Patient flow from enrolment to outcome, as a trial reports it: who went on, who left and why, who lives."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from blinasim.report import patient_flow as boxes
from blinasim.report import style
from blinasim.report.patient_flow import Box, Count, Counts, published_count
from blinasim.report.rows import ENOUGH_TRIALS
from blinasim.scenario.settings import Scenario
from blinasim.study.simulate import Result

#: Inches: the least page, the way down, those who leave it, the gap between the three boxes below, and what is around.
_WIDTH: Final = 7.2
_LEFT: Final = 0.15
_WAY: Final = 2.15
_EXITS: Final = 2.72
_EXIT_WIDTH: Final = 3.93
_END_GAP: Final = 0.15
_TOP: Final = 0.86
_ABOVE_EXITS: Final = 0.28
_BETWEEN: Final = 0.13
_BUS: Final = 0.62
_BOTTOM: Final = 0.12
#: Inches: a line, the air inside a box above and beside its text, an indent, and the air between two columns.
_LINE: Final = 0.163
_PAD: Final = 0.07
_SIDE: Final = 0.08
_INDENT: Final = 0.11
_COLUMN_GAP: Final = 0.14
_WAY_HEIGHT: Final = 2 * _PAD + 2 * _LINE
#: Inches that a letter of a line takes, one of a heading, and a digit in bold.
_LETTER: Final = 0.06
_BOLD_LETTER: Final = 0.069
_DIGIT: Final = 0.077
_EDGE: Final = "#8A8A8A"


def patient_flow(result: Result, trial: int | None = None) -> style.Drawing:
    """Draw how many patients went from enrolment to an on-study HSCT, who left the way and why, and who lives.

    Every box holds as many patients as those below it. What happened after a patient was last seen, at the data cut-off
    or before, does not count.

    Parameters
    ----------
    result : Result
        A simulated study.
    trial : int, optional
        Draw the whole numbers of one of its first 2,000 trials, counted from 1, instead of means over all trials with
        the interval that holds 95 % of (the first 2,000 of) them.

    Returns
    -------
    Drawing
        A matplotlib figure; its ``alt`` is a sentence for those who do not see it.

    Raises
    ------
    ValueError
        If the flow of that trial is not kept.
    """
    counts = Counts(result.flow, result.replications, trial)
    exits = [_Exit(box, above, counts) for box, above in _LEAVING]
    ends = [_End(box, counts, result.scenario) for box in boxes.LAST_SEEN.parts]
    exits_height = sum(each.slot for each in exits)
    height = _TOP + _ABOVE_EXITS + exits_height + _BUS + max(each.height for each in ends) + _BOTTOM
    least = max(_WIDTH, _EXITS + _exit_width(exits) + 0.27 + _LEFT)
    spare = max(0.0, least - 2 * _LEFT - sum(each.width + _END_GAP for each in ends) + _END_GAP) / len(ends)
    width = 2 * _LEFT + sum(each.width + spare + _END_GAP for each in ends) - _END_GAP
    with style.house_style():
        drawing = style.blank(width, height)
        axes = style.place(drawing, 0, 0, width, height)
        axes.set_xlim(0, width)
        axes.set_ylim(0, height)
        axes.set_axis_off()
        lefts = [_LEFT]
        for each in ends[:-1]:
            lefts.append(lefts[-1] + each.width + spare + _END_GAP)
        widths = [each.width + spare for each in ends]
        _draw(axes, exits, list(zip(ends, lefts, widths, strict=True)), height - _TOP)
        _draw_way(axes, counts, exits, height - _TOP, result.scenario)
        style.heading(drawing, _LEFT, "Patient flow", *_head(result, counts))
    drawing.alt = _alt(counts)
    return drawing


_WAY_DOWN: Final = (boxes.ENROLLED, boxes.RESPONDERS, boxes.CANDIDATES, boxes.DONOR)
#: Who leaves the way where, from above.
_LEAVING: Final = tuple(
    zip((boxes.NO_REMISSION, boxes.NO_CANDIDATE, boxes.NO_DONOR, boxes.NOT_TRANSPLANTED), _WAY_DOWN, strict=True)
)


def _head(result: Result, counts: Counts) -> tuple[str, ...]:
    title = style.shortened(result.scenario.title)
    if counts.trial is not None:
        return f"{title} · trial {counts.trial:,}, as seen at its data cut-off", "In brackets: of the box above."
    spread = ""
    if counts.trials >= ENOUGH_TRIALS:
        kept = result.flow.of_trials.shape[0]
        whose = "the trials" if kept == counts.trials else f"the first {kept:,} trials"
        spread = f" From–to: 95 % of {whose}."
    return (
        f"{title} · {style.counted_trials(counts.trials)}, as seen at their data cut-off",
        f"Mean patients a trial (per cent of the box above).{spread}",
    )


# --- what stands in the boxes -----------------------------------------------------------------------


@dataclass(frozen=True)
class _Line:
    """One line of a box: its words, how far they are indented, and its columns."""

    label: str
    level: int
    columns: tuple[str, ...]


def _below(box: Box, counts: Counts, level: int = 1) -> list[tuple[Box, Box, int]]:
    """Return the parts of a box, parts of parts below them; what never happened in any trial is left out."""
    found = []
    for part in box.parts:
        if counts(part).ever:
            found += [(part, box, level), *_below(part, counts, level + 1)]
    return found


class _Exit:
    """The box of those who leave the way."""

    def __init__(self, box: Box, above: Box, counts: Counts) -> None:
        rows = [(box, above, 0), *_below(box, counts)]
        self.lines = [
            _Line(
                part.label, level, _columns(_number(counts(part)), _share(counts, part, whole), _spread(counts, part))
            )
            for part, whole, level in rows
        ]
        self.height = _height(self.lines)
        #: So that the boxes of the way, which stand between two exits, have room.
        self.slot = max(self.height + _BETWEEN, _WAY_HEIGHT + 2 * _BETWEEN)


class _End:
    """The box of those who were last seen, and what was published of them."""

    def __init__(self, box: Box, counts: Counts, scenario: Scenario) -> None:
        rows = [(box, 0), *((part, level) for part, _, level in _below(box, counts))]
        self.lines = [
            _Line(part.label, level, _columns(_number(counts(part)), _spread(counts, part))) for part, level in rows
        ]
        self.height = _height(self.lines)
        self.width = 2 * _SIDE + max(_needed(line) for line in self.lines) + sum(_column_widths(self.lines))
        said = [(part, published_count(part, scenario)) for part, _ in rows]
        self.published = ", ".join(
            f"{count} {part.name}" if part is not box else f"{count}" for part, count in said if count is not None
        )


def _columns(*texts: str) -> tuple[str, ...]:
    """Leave an empty column out."""
    return tuple(text for text in texts if text)


def _height(lines: list[_Line]) -> float:
    return 2 * _PAD + _LINE * len(lines)


def _needed(line: _Line) -> float:
    return len(line.label) * (_LETTER if line.level else _BOLD_LETTER) + _INDENT * line.level


def _column_widths(lines: list[_Line]) -> list[float]:
    return [_DIGIT * max(map(len, column)) + _COLUMN_GAP for column in zip(*(x.columns for x in lines), strict=True)]


# --- drawing ----------------------------------------------------------------------------------------


def _draw(axes: Axes, exits: list[_Exit], ends: list[tuple[_End, float, float]], top: float) -> None:
    """Draw who left the way, and how everybody was when last seen, with the lines that lead there."""
    spine, right = _LEFT + _WAY / 2, _EXITS + _exit_width(exits)
    middles = _middles(exits, top)
    widths = _column_widths([line for each in exits for line in each.lines])
    bottom = middles[-1] - exits[-1].height / 2
    ends_top = top - _ABOVE_EXITS - sum(each.slot for each in exits) - _BUS + _BETWEEN
    bus = bottom - 0.14
    inner, outer = right + 0.13, right + 0.27
    _arrow(axes, [(spine, _centres(exits, top)[0]), (spine, ends_top)])
    for each, middle in zip(exits, middles, strict=True):
        _arrow(axes, [(spine, middle), (_EXITS, middle)])
        _write(axes, each.lines, _EXITS, middle + each.height / 2, right - _EXITS, widths, style.STRIPE)
    for middle in middles[1:]:
        axes.plot([right, inner], [middle, middle], color=_EDGE, linewidth=1.0, solid_capstyle="butt")
    leads = (spine, ends[1][1] + ends[1][2] / 2, outer)
    _arrow(axes, [(inner, middles[1]), (inner, bus), (leads[1], bus), (leads[1], ends_top)])
    _arrow(axes, [(right, middles[0]), (outer, middles[0]), (outer, ends_top)])
    look: dict[str, Any] = {"fontsize": 8, "color": style.MUTED, "va": "center_baseline"}
    for (end, left, width), lead in zip(ends, leads, strict=True):
        _write(axes, end.lines, left, ends_top, width, _column_widths(end.lines), "white")
        if end.published:
            axes.text(lead + 0.08, ends_top + 0.12, f"published {end.published}", **look)
    axes.text(spine + 0.08, bus, "When last seen:", fontstyle="italic", **look)


def _exit_width(exits: list[_Exit]) -> float:
    lines = [line for each in exits for line in each.lines]
    return max(_EXIT_WIDTH, 2 * _SIDE + max(map(_needed, lines)) + sum(_column_widths(lines)))


def _middles(exits: list[_Exit], top: float) -> list[float]:
    middles = []
    upper = top - _ABOVE_EXITS + _BETWEEN / 2
    for each in exits:
        middles.append(upper - each.slot / 2)
        upper -= each.slot
    return middles


def _centres(exits: list[_Exit], top: float) -> list[float]:
    """Return where the boxes of the way stand: each between two exits, the first above the first of them."""
    middles = _middles(exits, top)
    return [middles[0] + exits[0].slot / 2 - 0.02, *((one + other) / 2 for one, other in pairwise(middles))]


def _draw_way(axes: Axes, counts: Counts, exits: list[_Exit], top: float, scenario: Scenario) -> None:
    """Draw the boxes of the way down."""
    centre_x = _LEFT + _WAY / 2
    look: dict[str, Any] = {"fontsize": 8, "ha": "center", "va": "center_baseline"}
    for box, whole, centre in zip(_WAY_DOWN, (boxes.ENROLLED, *_WAY_DOWN), _centres(exits, top), strict=False):
        _frame(axes, _LEFT, centre + _WAY_HEIGHT / 2, _WAY, _WAY_HEIGHT, "white")
        text = _number(counts(box))
        if box is not whole:
            text += f" ({_share(counts, box, whole)})"
            text += f", {_spread(counts, box)}" if _spread(counts, box) and counts(box).ever else ""
        published = published_count(box, scenario)
        text += f"; published {published}" if published is not None else ""
        axes.text(centre_x, centre + _LINE / 2, box.label, fontweight="bold", **look)
        axes.text(centre_x, centre - _LINE / 2, text, **look)


def _write(
    axes: Axes, lines: list[_Line], left: float, top: float, width: float, columns: list[float], face: str
) -> None:
    """Write the lines of a box; the first is its heading."""
    _frame(axes, left, top, width, _height(lines), face)
    ends = left + width - _SIDE - np.cumsum([0.0, *columns[:0:-1]])[::-1]
    for row, line in enumerate(lines):
        height = top - _PAD - _LINE * (row + 0.5)
        look: dict[str, Any] = {"fontsize": 8, "va": "center_baseline", "fontweight": "normal" if row else "bold"}
        axes.text(left + _SIDE + _INDENT * line.level, height, line.label, **look)
        for text, end in zip(line.columns, ends, strict=True):
            axes.text(end, height, text, ha="right", **look)


def _frame(axes: Axes, left: float, top: float, width: float, height: float, face: str) -> None:
    axes.add_patch(
        Rectangle((left, top - height), width, height, facecolor=face, edgecolor=_EDGE, linewidth=0.8, zorder=2)
    )


def _arrow(axes: Axes, points: list[tuple[float, float]]) -> None:
    across, up = zip(*points, strict=True)
    axes.plot(across, up, color=_EDGE, linewidth=1.0, zorder=1, solid_joinstyle="miter")
    axes.annotate(
        "", points[-1], points[-2], zorder=1,
        arrowprops={"arrowstyle": "-|>", "color": _EDGE, "linewidth": 1.0, "shrinkA": 0, "shrinkB": 0},
    )  # fmt: skip


# --- words ------------------------------------------------------------------------------------------


def _number(count: Count) -> str:
    """Return a trial's own number, or a mean; a mean that is the same in every trial has no decimals either."""
    whole = count.lower is None or count.lower == count.upper == count.patients
    if 0 < count.patients < 0.05:
        return "<0.1"
    return f"{count.patients:,.0f}" if whole or count.patients >= 1000 else f"{count.patients:,.1f}"


def _share(counts: Counts, box: Box, whole: Box) -> str:
    return _per_cent(counts(box), counts(whole))


def _spread(counts: Counts, box: Box) -> str:
    count = counts(box)
    if counts.trials < ENOUGH_TRIALS or count.lower is None or count.upper is None:
        return ""
    if not count.ever:
        return "–"
    return f"{count.lower:,.0f}–{count.upper:,.0f}"


def _per_cent(count: Count, whole: Count) -> str:
    return f"{100 * count.patients / whole.patients:.0f} %" if whole.patients else "–"


def _alt(counts: Counts) -> str:
    def said(box: Box) -> str:
        return _number(counts(box))

    whose = f"trial {counts.trial:,}" if counts.trial is not None else f"mean of {style.counted_trials(counts.trials)}"
    realized = _per_cent(counts(boxes.ON_STUDY_HSCT), counts(boxes.RESPONDERS))
    dead = (part for end in boxes.LAST_SEEN.parts for part in end.everything() if part.name == "died")
    deaths = round(sum(counts(part).patients for part in dead), 1)
    return (
        f"Patient flow, {whose}: {said(boxes.ENROLLED)} enrolled, {said(boxes.RESPONDERS)} with CR/CRh*, "
        f"{said(boxes.CANDIDATES)} candidates for HSCT, {said(boxes.DONOR)} with a donor found in remission, "
        f"{said(boxes.ON_STUDY_HSCT)} transplanted on study ({realized} of those with CR/CRh*); "
        f"when last seen {deaths:,.{1 if deaths % 1 else 0}f} had died."
    )
