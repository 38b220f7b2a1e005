"""Figures of what a trial sees: endpoints over the trials, and the survival curve, each beside the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from blinasim.app.pictures import WIDTH
from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.report import style
from blinasim.report.rows import Row
from blinasim.study.simulate import Result

_LEFT: Final = 1.5
_ROW: Final = 0.42
_LABELS: Final = {
    "os": "Median OS",
    "os_cens": "Median OS,\ncensored at HSCT",
    "rfs": "Median RFS",
    "rfs_cens": "Median RFS,\ncensored at HSCT",
    "d100": "Dead by 100 days\nafter HSCT",
}


def spreads(rows: Sequence[Row]) -> style.Drawing:
    """Draw each endpoint: what was published, what the trials see, and the truth; medians and shares apart."""
    months = [row for row in rows if row.summary.endpoint.unit == "months"]
    shares = [row for row in rows if row.summary.endpoint.unit == "share"]
    upper, lower = _ROW * len(months), _ROW * len(shares)
    with style.house_style():
        drawing = style.blank(WIDTH, upper + lower + 1.4)
        across = WIDTH - _LEFT - 0.15
        axes = style.place(drawing, _LEFT, lower + 1.0, across, upper)
        _draw(axes, months, 1.0, "Months")
        axes = style.place(drawing, _LEFT, 0.42, across, lower)
        _draw(axes, shares, 100.0, "Per cent")
        _key(drawing)
    drawing.alt = "; ".join(
        f"{row.summary.endpoint.label}: published {row.published_text or 'nothing'}, seen {row.simulated_text}, truth "
        f"{row.oracle_text}"
        for row in rows
    )
    return drawing


def _draw(axes: Axes, rows: Sequence[Row], factor: float, label: str) -> None:
    ends = [12.0 if factor == 1.0 else 40.0]  # so that bars can be seen to shrink and grow
    for y, row in enumerate(rows):
        one = row.summary
        axes.text(
            -0.03, y, _LABELS.get(one.endpoint.id, one.endpoint.label), transform=axes.get_yaxis_transform(),
            ha="right", va="center", fontsize=8, linespacing=1.1,
        )  # fmt: skip
        known = one.estimable and np.isfinite(one.predicted.lower) and np.isfinite(one.predicted.median)
        if known:
            high = one.predicted.upper if np.isfinite(one.predicted.upper) else 1e6
            axes.barh(y, factor * (high - one.predicted.lower), 0.5, factor * one.predicted.lower,
                      color=style.SIMULATED_PALE, linewidth=0)  # fmt: skip
            axes.plot([factor * one.predicted.median] * 2, (y - 0.25, y + 0.25), color=style.SIMULATED, linewidth=2.2)
            ends.append(factor * (high if high < 1e5 else 2 * one.predicted.median))
        else:
            why = "not reached in most trials" if one.estimable else "not estimable in most trials"
            axes.text(0.02, y, why, transform=axes.get_yaxis_transform(), va="center", fontsize=7.5, color=style.MUTED)
        if one.oracle is not None and np.isfinite(one.oracle):
            axes.plot([factor * one.oracle], [y], marker="D", markersize=5.5, zorder=5, linestyle="none", **_TRUTH)
            ends.append(factor * one.oracle)
        if row.published is not None:
            _published(axes, row, y, factor)
            ends.append(factor * (row.published.interval or (0.0, row.published.estimate))[1])
    axes.set_xlim(0, 1.05 * max(ends))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.grid(axis="x")
    axes.set_xlabel(label, labelpad=1)


_TRUTH: Final[dict[str, Any]] = {"markerfacecolor": "white", "markeredgecolor": style.CENSORED, "markeredgewidth": 1.6}


def _published(axes: Axes, row: Row, y: float, factor: float) -> None:
    assert row.published is not None
    if row.published.interval:
        lower, upper = (factor * end for end in row.published.interval)
        axes.plot((lower, upper), (y + 0.36, y + 0.36), color=style.PUBLISHED, linewidth=0.9)
    axes.plot([factor * row.published.estimate], [y + 0.36], marker="o", markersize=3.5, color=style.PUBLISHED)


def _key(drawing: style.Drawing) -> None:
    """Explain the marks above the panels."""
    axes = style.place(drawing, 0.1, float(drawing.get_size_inches()[1]) - 0.32, WIDTH - 0.2, 0.26)
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.barh(0.5, 0.06, 0.5, 0.0, color=style.SIMULATED_PALE, linewidth=0)
    axes.plot((0.03, 0.03), (0.25, 0.75), color=style.SIMULATED, linewidth=2.2)
    axes.plot([0.56], [0.5], marker="D", markersize=5.5, linestyle="none", **_TRUTH)
    axes.plot([0.75, 0.79], [0.5, 0.5], color=style.PUBLISHED, linewidth=0.9)
    axes.plot([0.77], [0.5], marker="o", markersize=3.5, color=style.PUBLISHED)
    for left, text in ((0.075, "seen: median, 95 % of the trials"), (0.585, "truth"), (0.805, "published")):
        axes.text(left, 0.5, text, va="center_baseline", fontsize=7.5)


def curve(result: Result) -> style.Drawing:
    """Draw overall survival as the trials see it, as far as half of them see it, and the truth."""
    seen = result.curves["os"]
    months = seen.days / DAYS_PER_MONTH
    known = np.isfinite(seen.survival).mean(axis=0) >= 0.5
    values = seen.survival[:, known]
    lower, upper = np.nanquantile(values, (0.025, 0.975), axis=0)
    with style.house_style():
        drawing = style.blank(WIDTH, 2.75)
        axes = style.place(drawing, 0.5, 0.42, WIDTH - 1.45, 2.05)
        axes.fill_between(months[known], 100 * lower, 100 * upper, color=style.SIMULATED_PALE, alpha=0.6, linewidth=0)
        axes.plot(months[known], 100 * np.nanmean(values, axis=0), color=style.SIMULATED, linewidth=2.0)
        axes.plot(months, 100 * seen.limit, color=style.CENSORED, linewidth=1.3, linestyle=(0, (4, 2)))
        last = int(np.flatnonzero(known)[-1])
        ends = [100 * float(np.nanmean(values[:, -1])), 100 * float(seen.limit[-1])]
        texts = (f"seen, to {months[last]:.0f}\nmonths", f"truth, {ends[1]:.0f} %\nat 24 months")
        for height, text, colour in zip(
            style.apart(ends, 17.0, 8.0, 92.0), texts, (style.SIMULATED, style.CENSORED), strict=True
        ):
            axes.text(24.6, height, text, color=colour, fontsize=7.5, va="center", linespacing=1.15, clip_on=False)
        axes.set_xlim(0, 24)
        axes.set_ylim(0, 100)
        axes.set_xticks(range(0, 25, 6))
        axes.set_yticks(range(0, 101, 25), [f"{tick} %" for tick in range(0, 101, 25)])
        axes.grid(axis="y")
        axes.set_xlabel("Months since first infusion", labelpad=2)
        style.write(drawing, 0.5, 0.06, "Overall survival, as seen and in truth", fontsize=8.5, fontweight="bold")
    drawing.alt = (
        f"Overall survival: as half of {style.counted_trials(result.replications)} or more see it, to "
        f"{months[last]:.0f} months, and the true curve, {ends[1]:.0f} % at 24 months."
    )
    return drawing
