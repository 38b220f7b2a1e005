"""The page's own figures: the house's look, as wide as a phone."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from blinasim.app.pictures import WIDTH
from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.report import style
from blinasim.report.comparison import STANDINGS
from blinasim.study.comparison import Comparison
from blinasim.study.contrasts import Standing
from blinasim.trial.occupancy import State

_LEFT: Final = 0.5
_RIGHT: Final = 1.0
_MONTHS: Final = 24
_TICKS: Final = range(0, _MONTHS + 1, 6)
_MINUS: Final = "−"
#: Colours of where a patient stands.
_STANDING_COLOURS: Final = {
    Standing.ALIVE_AFTER_HSCT: style.STATES[State.AFTER_HSCT],
    Standing.ALIVE_IN_REMISSION: style.STATES[State.REMISSION],
    Standing.ALIVE_AFTER_FAILURE: style.STATES[State.FAILURE],
    Standing.DEAD_IN_REMISSION: "#9FA8AE",
    Standing.DEAD_AFTER_HSCT: "#8AA9C0",
    Standing.DEAD_AFTER_RELAPSE: "#BDBDBD",
    Standing.DEAD_WITHOUT_REMISSION: style.STATES[State.DEAD],
}


def survival_beside(comparison: Comparison) -> style.Drawing:
    """Draw overall survival under the reference and one policy, and below it the paired difference.

    Lines are means of the trials, bands hold 95 % of them; the band of the difference is the 95 % interval of its mean.
    """
    reference, arm = comparison.arms
    gain = comparison.contrasts[0].survival_gain
    months = reference.curve.days / DAYS_PER_MONTH
    with style.house_style():
        drawing = style.blank(WIDTH, 4.1)
        across = WIDTH - _LEFT - _RIGHT
        axes = style.place(drawing, _LEFT, 1.72, across, 2.1)
        below = style.place(drawing, _LEFT, 0.42, across, 0.95)
        at_end = comparison.difference("os_24_months")
        ends = [100 * at_end.reference, 100 * at_end.policy]
        for number, one in enumerate((reference, arm)):
            colour, curve = style.colour_of(number), one.curve.survival
            broken: dict[str, Any] = {"linestyle": (0, (4, 2)), "zorder": 5} if number == 0 else {"zorder": 4}
            axes.fill_between(months, 100 * curve.lower, 100 * curve.upper, color=colour, alpha=0.13, linewidth=0)
            axes.plot(months, 100 * curve.mean, color=colour, linewidth=1.7, **broken)
        for number, height in enumerate(style.apart(ends, 15.0, 6.0, 94.0)):
            name = ("baseline", "this policy")[number]
            _beside(axes, height, f"{name}\n{ends[number]:.1f} %", style.colour_of(number))
        _per_cent(axes)
        axes.set_xticklabels([])
        style.write(drawing, _LEFT, 0.06, "Overall survival", fontsize=8.5, fontweight="bold")
        below.axhline(0, color=style.REFERENCE, linewidth=0.9)
        below.fill_between(months, 100 * gain.lower, 100 * gain.upper, color=style.SIMULATED, alpha=0.2, linewidth=0)
        below.plot(months, 100 * gain.mean, color=style.SIMULATED, linewidth=1.4)
        least = max(0.5, *(100 * np.abs(np.nan_to_num(part)).max() for part in (gain.lower, gain.upper)))
        below.set_ylim(-1.08 * least, 1.08 * least)
        below.yaxis.set_major_locator(MaxNLocator(3, symmetric=True))
        below.yaxis.set_major_formatter(lambda tick, _: f"{tick:+g}".replace("-", _MINUS) if tick else "0")
        _months(below, "Months since first infusion")
        end = 100 * at_end.mean
        _beside(below, end, f"{end:+.2f} pp".replace("-", _MINUS), style.SIMULATED)
        style.write(drawing, _LEFT, 2.47, "Difference, percentage points", fontsize=8.5, fontweight="bold")
    drawing.alt = (
        f"Overall survival in {style.counted_trials(comparison.replications)}: at 24 months {ends[0]:.1f} % under the "
        f"baseline and {ends[1]:.1f} % under this policy, a paired difference of {end:+.2f} percentage points."
    )
    return drawing


def standings(comparison: Comparison) -> style.Drawing:
    """Draw where the same patients stand at 24 months, under the reference and under one policy, a bar each."""
    flows = comparison.contrasts[0].pairs
    assert flows is not None
    shares = [100 * flows.flows.sum(axis=axis) / flows.flows.sum() for axis in (1, 0)]
    kinds = list(_STANDING_COLOURS)
    with style.house_style():
        drawing = style.blank(WIDTH, 3.9)
        axes = style.place(drawing, 0.72, 0.3, 1.0, 3.25)
        axes.set_xlim(-0.5, 1.5)
        axes.set_ylim(100, 0)
        tops = [0.0, 0.0]
        middles = []
        for kind in kinds:
            for bar in (0, 1):
                height = float(shares[bar][kind])
                axes.bar(bar, height, 0.82, bottom=tops[bar], color=_STANDING_COLOURS[kind], edgecolor="white")
                if height >= 3.2:
                    axes.text(
                        bar, tops[bar] + height / 2, f"{height:.1f}", ha="center", va="center_baseline", fontsize=7.5,
                        color=style.ink_on(_STANDING_COLOURS[kind]),
                    )  # fmt: skip
                if bar == 1:
                    middles.append(tops[1] + height / 2)
                tops[bar] += height
        for kind, middle, height in zip(kinds, middles, style.apart(middles, 8.6, 3.0, 97.0), strict=True):
            axes.plot((1.42, 1.6), (middle, height), color=style.MUTED, linewidth=0.7, clip_on=False)
            before, after = (float(share[kind]) for share in shares)
            words = f"{STANDINGS[kind]}\n{before:.1f} → {after:.1f} %"
            axes.text(1.66, height, words, fontsize=7.5, va="center", clip_on=False, linespacing=1.15)
        axes.set_xticks((0, 1), ("baseline", "this"))
        axes.tick_params(axis="x", length=0)
        axes.spines["bottom"].set_visible(False)
        axes.set_yticks(range(0, 101, 25), [f"{tick} %" for tick in range(0, 101, 25)])
        style.write(drawing, 0.1, 0.06, "Where the patients stand at 24 months", fontsize=8.5, fontweight="bold")
    said = ", ".join(f"{STANDINGS[kind]} {shares[0][kind]:.1f} and {shares[1][kind]:.1f} %" for kind in kinds)
    drawing.alt = f"Where the patients stand at 24 months, under the baseline and under this policy: {said}."
    return drawing


def _per_cent(axes: Axes) -> None:
    axes.set_ylim(0, 100)
    axes.set_yticks(range(0, 101, 25), [f"{tick} %" for tick in range(0, 101, 25)])
    _months(axes, "")


def _months(axes: Axes, label: str) -> None:
    axes.set_xlim(0, _MONTHS)
    axes.set_xticks(_TICKS)
    axes.grid(axis="y")
    axes.set_xlabel(label, labelpad=2)


def _beside(axes: Axes, height: float, text: str, colour: str) -> None:
    """Write a label to the right of the axes."""
    axes.text(
        1.03, height, text, color=colour, fontsize=7.5, va="center", clip_on=False, linespacing=1.15,
        transform=axes.get_yaxis_transform(),
    )  # fmt: skip
