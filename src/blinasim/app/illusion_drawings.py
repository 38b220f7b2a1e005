"""Figures of the transplant illusion: hazard ratios, the naive split beside Simon-Makuch, and guaranteed time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from blinasim.app.pictures import WIDTH
from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.report import style
from blinasim.statistics.curves import normal_quantile
from blinasim.statistics.exposure import NEVER, Exposure
from blinasim.study.effect import Effect
from blinasim.trial.occupancy import State

#: Standard errors from a figure to the limits of its 95 % Monte Carlo interval.
REACH: Final = normal_quantile(0.95)
#: Colour of the time in which nobody of a group can die.
_GUARANTEED: Final = style.STATES[State.INDUCTION]
_RATIOS: Final = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
#: Half the width of a label, on the axis of log ratios.
_LABEL: Final = 0.3
_NAMES: Final = {
    "naive_hr": "Ever against\nnever",
    "landmark_hr": "Landmark",
    "time_dependent_hr": "From the day\nof HSCT on",
}
_CURVES: Final = (
    ("ever", "ever", style.SIMULATED, "solid"),
    ("never", "never", style.CENSORED, "solid"),
    ("transplanted_so_far", "so far", style.SIMULATED, (0, (4, 2))),
    ("not_yet", "not yet", style.CENSORED, (0, (4, 2))),
)


def ratios(found: Effect, names: Sequence[str]) -> style.Drawing:
    """Draw the mean hazard ratio of each estimator, the range of 95 % of the trials, and the truth if any."""
    with style.house_style():
        drawing = style.blank(WIDTH, 0.45 * len(names) + 0.95)
        axes = style.place(drawing, 1.15, 0.45, WIDTH - 1.35, 0.45 * len(names))
        no_effect = not found.changed
        axes.axvline(0.0, color=style.CENSORED if no_effect else style.MUTED, linewidth=1.6 if no_effect else 0.9)
        said = []
        for y, name in enumerate(names):
            one = found.outcomes["os"].of(name).performance
            mean, error, (lower, upper) = one.mean.value, REACH * one.mean.mcse, one.most
            axes.barh(y, upper - lower, 0.42, lower, color=style.SIMULATED_PALE, linewidth=0, zorder=1)
            axes.plot((mean - error, mean + error), (y, y), color=style.SIMULATED, linewidth=1.8, zorder=3)
            axes.plot([mean], [y], marker="o", markersize=5, color=style.SIMULATED, zorder=4)
            # Beside the line at 1, not on it.
            aside = abs(mean) < _LABEL
            place = math.copysign(0.05, mean) if aside else mean
            side = ("left" if mean > 0 else "right") if aside else "center"
            axes.text(place, y - 0.27, f"{math.exp(mean):.2f}", ha=side, va="bottom", fontsize=7.5, zorder=6)
            axes.text(-0.03, y, _NAMES[name], transform=axes.get_yaxis_transform(), ha="right", va="center",
                      fontsize=8, linespacing=1.1)  # fmt: skip
            said.append(f"{_NAMES[name].lower()} {math.exp(mean):.2f}".replace("\n", " "))
        axes.set_xlim(math.log(0.1), math.log(10.0))
        axes.set_ylim(len(names) - 0.5, -0.6)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_locator(FixedLocator([math.log(ratio) for ratio in _RATIOS]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xticklabels([f"{ratio:g}" for ratio in _RATIOS])
        axes.set_xlabel("Hazard ratio of death, HSCT against none", labelpad=2)
        axes.text(0.0, 1.02, f"{'truth' if no_effect else 'no effect'}: 1", transform=axes.get_xaxis_transform(),
                  ha="center", va="bottom", fontsize=7.5,
                  color=style.CENSORED if no_effect else style.MUTED)  # fmt: skip
        style.write(drawing, 0.1, 0.06, "Hazard ratios", fontsize=8.5, fontweight="bold")
    trials = style.counted_trials(found.scenario.study.replications)
    truth = "the truth is 1" if no_effect else "1 is no effect"
    drawing.alt = f"Mean hazard ratios of {trials}: {', '.join(said)}; {truth}."
    return drawing


def split(found: Effect) -> style.Drawing:
    """Draw survival of those ever and never transplanted, and of those transplanted so far and not yet."""
    one = found.outcomes["os"]
    months = one.days / DAYS_PER_MONTH
    with style.house_style():
        drawing = style.blank(WIDTH, 5.0)
        for number, kinds in enumerate((_CURVES[:2], _CURVES[2:])):
            axes = style.place(drawing, 0.5, 2.92 - 2.5 * number, WIDTH - 1.45, 1.75)
            labels: list[tuple[str, str, float]] = []
            for name, label, colour, _ in kinds:
                curve = one.groups[name]
                axes.fill_between(months, 100 * curve.lower, 100 * curve.upper, color=colour, alpha=0.15, linewidth=0)
                axes.plot(months, 100 * curve.mean, color=colour, linewidth=2.0)
                known = np.flatnonzero(np.isfinite(curve.mean))
                if known.size:
                    labels.append((label, colour, 100 * float(curve.mean[known[-1]])))
            if number == 0:
                axes.plot(months, 100 * one.never, color=style.PUBLISHED, linewidth=1.1)
                labels.append(("all, without\nHSCT: truth", style.PUBLISHED, 100 * float(one.never[-1])))
            _finish(axes, float(months[-1]), labels)
            title = (
                "Split by what came later (immortal time)"
                if number == 0
                else f"Split by what has come so far, from day {found.timing.landmark_day}"
            )
            style.write(drawing, 0.5, 0.08 + 2.5 * number, title, fontsize=8.5, fontweight="bold")
    drawing.alt = "Survival of responders from remission: " + ", ".join(
        f"{label} {100 * float(one.groups[name].mean[np.isfinite(one.groups[name].mean)][-1]):.0f} %".replace("\n", " ")
        for name, label, _, _ in _CURVES
        if np.isfinite(one.groups[name].mean).any()
    )
    return drawing


def _finish(axes: Axes, last: float, labels: list[tuple[str, str, float]]) -> None:
    heights = style.apart([height for *_, height in labels], 17.0, 8.0, 94.0)
    for (label, colour, height), place in zip(labels, heights, strict=True):
        words = f"{label}\n{height:.0f} %"
        axes.text(1.03 * last, place, words, color=colour, fontsize=7.5, va="center", linespacing=1.1, clip_on=False)
    axes.set_xlim(0, last)
    axes.set_ylim(0, 100)
    axes.set_xticks(range(0, int(last) + 1, 3))
    axes.set_yticks(range(0, 101, 25), [f"{tick} %" for tick in range(0, 101, 25)])
    axes.grid(axis="y")
    axes.set_xlabel("Months since remission", labelpad=1)


def waiting(data: Exposure, trial: int) -> style.Drawing:
    """Draw the responders of one trial as bars from remission on; the time before an HSCT is guaranteed."""
    time, treated, event = data.time_days[0], data.treated[0], data.event[0]
    ever = treated < NEVER
    order = np.lexsort((time, ~ever))  # those transplanted first, the shortest on top
    order = order[data.member[0][order]]
    most = max(60, int(np.quantile(time[order], 0.95))) if order.size else 60
    line = 0.058
    with style.house_style():
        drawing = style.blank(WIDTH, line * order.size + 1.25)
        axes = style.place(drawing, 0.15, 0.42, WIDTH - 0.3, line * order.size + 0.05)
        for y, who in enumerate(order.tolist()):
            end = int(time[who])
            if ever[who]:
                begin = int(treated[who])
                axes.barh(y, begin, 0.8, color=_GUARANTEED, linewidth=0)
                axes.barh(y, end - begin, 0.8, begin, color=style.SIMULATED, linewidth=0)
            else:
                axes.barh(y, end, 0.8, color=style.STATES[State.FAILURE], linewidth=0)
            if event[who] and end <= most:
                axes.plot([end], [y], marker="|", markersize=4.5, markeredgewidth=1.6, color="#111111", clip_on=False)
        axes.set_xlim(0, most)
        axes.set_ylim(order.size - 0.4, -0.6)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("Days since remission", labelpad=2)
        style.write(drawing, 0.15, 0.06, f"Responders of trial {trial}", fontsize=8.5, fontweight="bold")
        _key(drawing)
    drawing.alt = (
        f"{order.size} responders of trial {trial}, {int(ever.sum())} of them transplanted: the time from remission to "
        "HSCT, in which those transplanted could not have died, is set apart."
    )
    return drawing


def _key(drawing: style.Drawing) -> None:
    axes = style.place(drawing, 0.15, float(drawing.get_size_inches()[1]) - 0.72, WIDTH - 0.3, 0.4)
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    look: dict[str, Any] = {"fontsize": 7.5, "va": "center_baseline"}
    marks = (
        (0.0, 0.78, _GUARANTEED, "before HSCT: guaranteed, or they would not be here"),
        (0.0, 0.22, style.SIMULATED, "after HSCT"),
        (0.27, 0.22, style.STATES[State.FAILURE], "never transplanted"),
    )
    for left, height, colour, label in marks:
        axes.barh(height, 0.04, 0.36, left, color=colour, linewidth=0)
        axes.text(left + 0.055, height, label, **look)
    axes.plot([0.69], [0.22], marker="|", markersize=7, markeredgewidth=1.6, color="#111111")
    axes.text(0.71, 0.22, "death", **look)
