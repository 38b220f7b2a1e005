"""Survival curves of compared policies over each other, with the patients at risk."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.report import style
from blinasim.report.comparison import whose_lives
from blinasim.report.words import minus
from blinasim.study.comparison import Comparison, Side

_TICK_MONTHS: Final = 3
_MONTHS: Final = 24
#: Inches: the panel, the panel of differences and the room above it, what stands right of both, distance of the
#: table's first line from the panel above it, and one more line.
_WIDTH: Final = 7.5
_PANEL: Final = 3.1
_GAINS: Final = 1.3
_BETWEEN: Final = 0.42
_RIGHT: Final = 2.35
_TABLE: Final = 0.62
_TABLE_LINE: Final = 0.19
_LETTER: Final = 0.072
#: Least distance of two labels at the right edge, per cent.
_APART: Final = 4.6
#: With more scenarios than this, only the reference has a band.
_BANDS: Final = 3
#: Letters of a name, at most.
_NAME: Final = 24


def policies(comparison: Comparison) -> style.Drawing:
    """Draw overall survival under each policy, and how far each differs from the reference.

    A line is the mean of the uncensored trials, a band holds 95 % of them; with more than three scenarios only the
    reference has a band. Below stand the mean paired differences with their 95 % intervals, as policies that change
    the lives of few have curves that look the same; and how many patients of a trial are at risk, their mean.

    Parameters
    ----------
    comparison : Comparison
        A comparison of two or more scenarios.

    Returns
    -------
    Drawing
        A matplotlib figure; its ``alt`` is a sentence for those who do not see it.
    """
    arms = comparison.arms
    names = [style.shortened(arm.name, _NAME) for arm in arms]
    left = 0.3 + _LETTER * max(len("At risk (mean)"), *map(len, names))
    with style.house_style():
        below = _TABLE + _TABLE_LINE * len(arms) + 0.1
        drawing = style.blank(_WIDTH, below + _GAINS + _BETWEEN + _PANEL + 1.1)
        across = _WIDTH - left - _RIGHT
        axes = style.place(drawing, left, below + _GAINS + _BETWEEN, across, _PANEL)
        gains = style.place(drawing, left, below, across, _GAINS)
        _draw_axes(axes)
        _draw_gains(gains, comparison, names)
        for number, arm in enumerate(arms):
            _draw_curve(axes, arm, number, band=len(arms) <= _BANDS or number == 0)
        _label_ends(axes, arms, names)
        _write_at_risk(gains, arms, names)
        _head(drawing, comparison)
    drawing.alt = _alt(comparison)
    return drawing


def _draw_axes(axes: Axes) -> None:
    axes.set_xlim(0, _MONTHS)
    axes.set_ylim(0, 100)
    axes.set_xticks(range(0, _MONTHS + 1, _TICK_MONTHS), [])
    axes.set_yticks(range(0, 101, 25), [f"{tick} %" for tick in range(0, 101, 25)])
    axes.grid(axis="y")


def _draw_gains(axes: Axes, comparison: Comparison, names: list[str]) -> None:
    """Draw the mean paired differences of the curves with their intervals, in percentage points."""
    axes.axhline(0, color=style.REFERENCE, linewidth=0.9)
    ends = []
    for number, contrast in enumerate(comparison.contrasts, start=1):
        colour, gain = style.colour_of(number), contrast.survival_gain
        months = comparison.reference.curve.days / DAYS_PER_MONTH
        axes.fill_between(months, 100 * gain.lower, 100 * gain.upper, color=colour, alpha=0.2, linewidth=0)
        axes.plot(months, 100 * gain.mean, color=colour, linewidth=1.4, linestyle=style.dashes_of(number))
        ends.append(100 * float(gain.mean[-1]))
    axes.set_xlim(0, _MONTHS)
    axes.set_xticks(range(0, _MONTHS + 1, _TICK_MONTHS))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.grid(axis="y")
    axes.set_xlabel("Months since first infusion", labelpad=2)
    low, high = axes.get_ylim()
    heights = style.apart(ends, (high - low) * _TABLE_LINE * 0.85 / _GAINS, low, high)
    for number, (end, height) in enumerate(zip(ends, heights, strict=True), start=1):
        _label_end(axes, number, end, height, f"{names[number]} {minus(f'{end:+.1f}')} pp")


def _draw_curve(axes: Axes, arm: Side, number: int, *, band: bool) -> None:
    months, curve, colour = arm.curve.days / DAYS_PER_MONTH, arm.curve.survival, style.colour_of(number)
    if band:
        axes.fill_between(months, 100 * curve.lower, 100 * curve.upper, color=colour, alpha=0.13, linewidth=0)
    # The reference is drawn last and broken, so that a policy which changes little can be seen under it.
    broken: dict[str, Any] = {"linestyle": (0, (4, 2)), "zorder": 5}
    if number:
        broken = {"linestyle": style.dashes_of(number), "zorder": 4}
    axes.plot(months, 100 * curve.mean, color=colour, linewidth=1.7, **broken)


def _label_ends(axes: Axes, arms: tuple[Side, ...], names: list[str]) -> None:
    """Write each name beside the end of its curve, with a leader where it had to move."""
    ends = [100 * float(arm.curve.survival.mean[-1]) for arm in arms]
    for number, (name, end, height) in enumerate(zip(names, ends, style.apart(ends, _APART, 2.0, 98.0), strict=True)):
        _label_end(axes, number, end, height, f"{name} {end:.1f} %")


def _label_end(axes: Axes, number: int, end: float, height: float, text: str) -> None:
    colour = style.colour_of(number)
    axes.plot((_MONTHS, 1.03 * _MONTHS), (end, height), color=colour, linewidth=0.7, clip_on=False)
    axes.text(1.04 * _MONTHS, height, text, color=colour, fontsize=8, va="center_baseline", clip_on=False)


def _write_at_risk(axes: Axes, arms: tuple[Side, ...], names: list[str]) -> None:
    where = axes.get_xaxis_transform()
    gap = -0.07 * _MONTHS
    top, step = -_TABLE / _GAINS, -_TABLE_LINE / _GAINS
    look: dict[str, Any] = {"transform": where, "fontsize": 8, "va": "baseline", "clip_on": False}
    axes.text(gap, top, "At risk (mean)", ha="right", color=style.MUTED, **look)
    for row, (arm, name) in enumerate(zip(arms, names, strict=True), start=1):
        colour = style.colour_of(row - 1)
        axes.text(gap, top + row * step, name, ha="right", color=colour, **look)
        for month in range(0, _MONTHS + 1, _TICK_MONTHS):
            nearest = int(np.abs(arm.curve.days - month * DAYS_PER_MONTH).argmin())
            count = f"{arm.curve.at_risk[nearest]:.0f}"
            axes.text(month, top + row * step, count, ha="center", color=colour, **look)


def _head(drawing: style.Drawing, comparison: Comparison) -> None:
    trials, size = style.counted_trials(comparison.replications), comparison.reference.scenario.cohort.size
    several, whose = len(comparison.arms) > _BANDS, f"{style.shortened(comparison.reference.name, _NAME)}'s"
    style.heading(
        drawing,
        0.15,
        "Overall survival by policy",
        f"{trials} of {size:,} patients; {style.shortened(whose_lives(comparison), 62)}",
        f"Above: mean of the trials, and the range of 95 % of {whose if several else 'the trials'}. "
        "All are followed to the end.",
        "Below: paired difference from the reference, percentage points, with its 95 % interval.",
    )


def _alt(comparison: Comparison) -> str:
    said = [f"{arm.name} {100 * arm.curve.survival.mean[-1]:.1f} %" for arm in comparison.arms]
    return (
        f"Overall survival curves of {style.counted_trials(comparison.replications)}: at 24 months {', '.join(said)}."
    )
