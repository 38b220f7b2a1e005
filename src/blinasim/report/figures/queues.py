"""Queues over time: who waits for a counted kind of place, and how many places are taken, under each policy."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from blinasim.model.codes import Place
from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.report import style
from blinasim.report.comparison import PLACES
from blinasim.report.words import lower_first
from blinasim.study.comparison import Comparison, Queue

_TICK_MONTHS: Final = 3
#: Inches: a panel, what stands beside it, and what its axis and title take.
_WIDTH: Final = 7.2
_PANEL: Final = 1.45
_LEFT: Final = 0.6
_RIGHT: Final = 1.85
_BETWEEN: Final = 0.72
_TOP: Final = 1.1
#: Least distance of two labels at the right edge, inches.
_APART: Final = 0.16
_NAME: Final = 24

_Side = Literal["waiting", "taken"]
_TITLES: Final[dict[_Side, str]] = {"waiting": "patients waiting", "taken": "places taken"}


def queues(comparison: Comparison) -> style.Drawing:
    """Draw how many wait for each counted kind of place, and how many places are taken, day by day.

    Parameters
    ----------
    comparison : Comparison
        At least one of its scenarios counts places.

    Returns
    -------
    Drawing
        A matplotlib figure; its ``alt`` is a sentence for those who do not see it.

    Raises
    ------
    ValueError
        If no scenario counts places, so that nobody waits.
    """
    places = [place for place in Place if any(place in arm.queues for arm in comparison.arms)]
    if not places:
        raise ValueError("no scenario of the comparison counts places (capacity): nobody waits, and nothing is drawn")
    panels: list[tuple[Place, _Side]] = [(place, side) for place in places for side in _TITLES]
    height = _TOP + len(panels) * (_PANEL + _BETWEEN) - 0.1
    with style.house_style():
        drawing = style.blank(_WIDTH, height)
        for number, (place, side) in enumerate(panels):
            bottom = height - _TOP - (number + 1) * _PANEL - number * _BETWEEN - 0.1
            axes = style.place(drawing, _LEFT, bottom, _WIDTH - _LEFT - _RIGHT, _PANEL)
            _draw_panel(axes, comparison, place, side)
        _head(drawing, comparison)
    drawing.alt = _alt(comparison, places)
    return drawing


def _draw_panel(axes: Axes, comparison: Comparison, place: Place, side: _Side) -> None:
    ends, labels = [], []
    top = 1.0
    last_month = 0.0
    for number, arm in enumerate(comparison.arms):
        if place not in arm.queues:
            continue
        queue, colour = arm.queues[place], style.colour_of(number)
        band = getattr(queue, side)
        months = np.arange(band.mean.size) / DAYS_PER_MONTH
        axes.fill_between(months, band.lower, band.upper, step="post", color=colour, alpha=0.13, linewidth=0)
        axes.plot(months, band.mean, color=colour, linewidth=1.6, linestyle=style.dashes_of(number))
        ends.append(float(band.mean[-1]))
        labels.append((style.shortened(arm.name, _NAME), colour))
        top = max(top, float(band.upper.max()), queue.places if side == "taken" else 0)
        last_month = max(last_month, float(months[-1]))
    axes.set_xlim(0, last_month)
    axes.set_ylim(0, 1.05 * top)
    axes.set_xticks(range(0, int(last_month) + 1, _TICK_MONTHS))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.grid(axis="y")
    axes.set_xlabel("Months since the first enrolment", labelpad=2)
    axes.set_title(f"{PLACES[place]}: {_TITLES[side]}", loc="left", fontsize=8.5)
    heights = style.apart(ends, _APART * 1.05 * top / _PANEL, 0.03 * top, 1.02 * top)
    for (name, colour), end, height in zip(labels, ends, heights, strict=True):
        axes.plot((last_month, 1.025 * last_month), (end, height), color=colour, linewidth=0.7, clip_on=False)
        axes.text(1.035 * last_month, height, name, color=colour, fontsize=8, va="center_baseline", clip_on=False)


def _head(drawing: style.Drawing, comparison: Comparison) -> None:
    style.heading(
        drawing,
        0.15,
        "Queues over time",
        f"{style.counted_trials(comparison.replications)}; other patients included where there are any",
        "Line: mean of the trials at the end of each day. Band: 95 % of the trials.",
    )


def _alt(comparison: Comparison, places: list[Place]) -> str:
    def longest(queue: Queue) -> str:
        return f"{queue.waiting.mean.max():.1f}"

    said = [
        f"{arm.name}, {lower_first(PLACES[place])}: at most {longest(arm.queues[place])} wait on average"
        for place in places
        for arm in comparison.arms
        if place in arm.queues
    ]
    return f"Queues of {style.counted_trials(comparison.replications)}. {'; '.join(said)}."
