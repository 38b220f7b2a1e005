"""The value of information: the cost-effectiveness plane, acceptability by threshold, and what knowledge is worth."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from blinasim.inference.choice import described
from blinasim.inference.value import Judged, ValueOfInformation, Worth
from blinasim.report import style
from blinasim.report.value import perfect_text, unit_text, worth_text
from blinasim.report.words import minus, share
from blinasim.statistics.curves import normal_quantile
from blinasim.study.contrasts import reach

#: Inches: sides of the panels, what stands left, right and below, and the room above.
_WIDTH, _LEFT, _RIGHT, _TOP, _BELOW = 7.4, 0.85, 2.15, 0.95, 0.55
_SQUARE: Final = 3.6
_LOW: Final = 1.3
_GAP: Final = 0.25
#: The same of the bars: a line, the labels, the panel and the text beside it.
_LINE, _LABELS, _PANEL, _TEXT, _MARGIN = 0.2, 2.95, 2.5, 1.75, 0.15
#: Sets drawn of each kind.
_DRAWN: Final = 12
#: Draws shown as dots, at most.
_DOTS: Final = 500
_NAME: Final = 24
#: The signs of policies, so that they are told apart without colour.
_SIGNS: Final = ("D", "s", "^", "v", "P", "X")
_LIMIT: Final = normal_quantile(0.95)


def plane(found: ValueOfInformation) -> style.Drawing:
    """Draw the cost-effectiveness plane: each policy less the reference, a dot a draw of the parameters.

    Parameters
    ----------
    found : ValueOfInformation
        With payoffs, and net benefit as the objective.

    Returns
    -------
    Drawing
        A matplotlib figure; its ``alt`` says where the policies lie.

    Raises
    ------
    ValueError
        Without payoffs, or with another objective.
    """
    judged, payoffs = _judged(found), found.payoffs
    assert payoffs is not None
    with style.house_style():
        drawing = style.blank(_WIDTH, _TOP + _SQUARE + _BELOW)
        axes = style.place(drawing, _LEFT, _BELOW, _WIDTH - _LEFT - _RIGHT, _SQUARE)
        axes.axhline(0, color=style.MUTED, linewidth=0.9)
        axes.axvline(0, color=style.MUTED, linewidth=0.9)
        for place, one in enumerate(found.candidates[1:]):
            colour = style.colour_of(place + 1)
            qalys, cost = judged.qalys[place], judged.cost[place]
            look: dict[str, Any] = {"color": colour, "linewidth": 0, "markeredgewidth": 0}
            axes.plot(qalys[:_DOTS], cost[:_DOTS], marker="o", markersize=2.4, alpha=0.35, **look)
            mark: dict[str, Any] = {"markeredgecolor": "white", "markeredgewidth": 1.0, "zorder": 5}
            sign = _SIGNS[place % len(_SIGNS)]
            axes.plot([qalys.mean()], [cost.mean()], marker=sign, markersize=7, color=colour, **mark)
            wide, high = np.quantile(qalys, (0.025, 0.975)), np.quantile(cost, (0.025, 0.975))
            axes.plot(wide, [cost.mean()] * 2, color=colour, linewidth=1.2, zorder=4)
            axes.plot([qalys.mean()] * 2, high, color=colour, linewidth=1.2, zorder=4)
            text = f"{style.shortened(one.name, _NAME)}\n{qalys.mean():+.3f} QALYs, {cost.mean():+,.0f}"
            where = 1.0 - 0.16 * place
            beside: dict[str, Any] = {"transform": axes.transAxes, "color": colour, "clip_on": False}
            axes.plot([1.04], [where - 0.025], marker=sign, markersize=6, markeredgewidth=0, **beside)
            axes.text(1.07, where, minus(text), fontsize=8, va="top", **beside)
        _threshold_line(axes, payoffs.threshold_per_qaly, f"{payoffs.threshold_per_qaly:,.0f} per QALY")
        axes.set_xlabel(f"QALYs a patient, less those under {style.shortened(found.reference, 30)}", labelpad=2)
        axes.set_ylabel(f"Cost a patient, {payoffs.currency}, less that of it", labelpad=2)
        axes.yaxis.set_major_formatter(FuncFormatter(_money))
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.grid()
        style.heading(
            drawing,
            _MARGIN,
            "Cost-effectiveness under uncertain parameters",
            f"{_basis(found)}. Dots: draws, smoothed by regression.",
            "Large sign and lines: mean, range of 95 % of the draws. Below the broken line a policy is worth its cost.",
        )
    drawing.alt = f"Cost-effectiveness plane. {perfect_text(found)}"
    return drawing


def _threshold_line(axes: Axes, threshold: float, text: str) -> None:
    """Draw what a QALY may cost across the panel, within what is drawn already."""
    low, high = axes.get_xlim()
    below, above = axes.get_ylim()
    ends = np.clip((low, high), below / threshold, above / threshold)
    axes.plot(ends, threshold * ends, color=style.PUBLISHED, linewidth=1.0, linestyle=(0, (5, 3)), zorder=3)
    axes.set_xlim(low, high)
    axes.set_ylim(below, above)
    axes.text(1.03, 0.02, f"- - {text}", fontsize=8, color=style.PUBLISHED, transform=axes.transAxes)


def acceptability(found: ValueOfInformation) -> style.Drawing:
    """Draw how probable it is that each policy is the best by what a QALY may cost, and the EVPI below.

    Parameters
    ----------
    found : ValueOfInformation
        With payoffs, and net benefit as the objective.

    Returns
    -------
    Drawing
        A matplotlib figure; its ``alt`` is a sentence for those who do not see it.

    Raises
    ------
    ValueError
        Without payoffs, or with another objective.
    """
    judged, payoffs = _judged(found), found.payoffs
    assert payoffs is not None
    with style.house_style():
        drawing = style.blank(_WIDTH, _TOP + _SQUARE + _GAP + _LOW + _BELOW)
        across = _WIDTH - _LEFT - _RIGHT
        axes = style.place(drawing, _LEFT, _BELOW + _LOW + _GAP, across, _SQUARE)
        below = style.place(drawing, _LEFT, _BELOW, across, _LOW)
        ends = [100 * float(line[-1]) for line in judged.acceptability]
        heights = style.apart(ends, 4.6, 2.0, 98.0)
        for place, one in enumerate(found.candidates):
            colour, line = style.colour_of(place), 100 * judged.acceptability[place]
            _curve(axes, judged.thresholds, line, 100 * judged.acceptability_error[place], place, top=100.0)
            last = float(judged.thresholds[-1])
            axes.plot((last, 1.03 * last), (ends[place], heights[place]), color=colour, linewidth=0.7, clip_on=False)
            text = f"{style.shortened(one.name, _NAME)} {share(float(judged.acceptability[place, -1]))}"
            axes.text(1.04 * last, heights[place], text, color=colour, fontsize=8, va="center_baseline")
        _curve(below, judged.thresholds, judged.evpi, judged.evpi_error, 1)
        for panel in (axes, below):
            panel.set_xlim(0, float(judged.thresholds[-1]))
            panel.axvline(payoffs.threshold_per_qaly, color=style.MUTED, linewidth=0.9, linestyle=(0, (4, 2)))
            panel.grid(axis="y")
        axes.set_ylim(0, 100)
        axes.set_yticks(range(0, 101, 25), [f"{tick} %" for tick in range(0, 101, 25)])
        axes.tick_params(labelbottom=False)
        axes.set_ylabel("Probability of the greatest net benefit", labelpad=2)
        below.set_ylim(bottom=0)
        below.set_ylabel(f"EVPI, {payoffs.currency}", labelpad=2)
        below.yaxis.set_major_locator(MaxNLocator(4))
        below.set_xlabel(f"What a QALY may cost, {payoffs.currency}", labelpad=2)
        for axis in (below.xaxis, below.yaxis):
            axis.set_major_formatter(FuncFormatter(_money))
        style.heading(
            drawing,
            _MARGIN,
            "Which policy, by what a QALY may cost",
            f"{_basis(found)}. Bands: 95 % interval of the simulation error.",
            "Below: expected value of perfect information, a patient. Broken line: the threshold in use.",
        )
    drawing.alt = f"Acceptability by what a QALY may cost. {perfect_text(found)}"
    return drawing


def evppi(found: ValueOfInformation) -> style.Drawing:
    """Draw what knowing groups of parameters, sets that were asked for, and single parameters would be worth.

    Parameters
    ----------
    found : ValueOfInformation
        By any objective.

    Returns
    -------
    Drawing
        A matplotlib figure; its ``alt`` is a sentence for those who do not see it.
    """
    panels = [
        ("Groups of parameters", found.groups[:_DRAWN]),
        ("Sets asked for", found.asked[:_DRAWN]),
        ("Single parameters", found.singles[:_DRAWN]),
    ]
    panels = [(title, worths) for title, worths in panels if worths]
    factor = 100.0 if found.objective.unit == "share" else 1.0
    perfect = found.perfect
    end = (
        1.06
        * factor
        * max(one.value + _LIMIT * one.error for one in (perfect, *found.groups, *found.asked, *found.singles))
    )
    height = _TOP + sum(0.42 + len(worths) * _LINE for _, worths in panels) + _BELOW
    with style.house_style():
        drawing = style.blank(2 * _MARGIN + _LABELS + _PANEL + _TEXT, height)
        top = height - _TOP
        for number, (title, worths) in enumerate(panels):
            bottom = top - 0.32 - len(worths) * _LINE
            axes = style.place(drawing, _MARGIN + _LABELS, bottom, _PANEL, len(worths) * _LINE)
            _bars(axes, found, worths, title, factor, end or 1.0, last=number == len(panels) - 1)
            top = bottom - 0.1
        style.heading(
            drawing,
            _MARGIN,
            "What it would be worth to know parameters before choosing",
            f"{_basis(found)}. Line through a bar: 95 % interval of the simulation error.",
            f"Vertical line: all parameters (EVPI), {worth_text(perfect.value, perfect.error, found.objective.unit)}.",
        )
    drawing.alt = f"Value of information about parameters. {perfect_text(found)}"
    return drawing


def _bars(
    axes: Axes,
    found: ValueOfInformation,
    worths: tuple[Worth, ...],
    title: str,
    factor: float,
    end: float,
    *,
    last: bool,
) -> None:
    axes.set_xlim(0, end)
    axes.set_ylim(len(worths) - 0.5, -0.5)
    axes.set_yticks([])
    axes.grid(axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(_money))
    axes.tick_params(labelbottom=last)
    if last:
        axes.set_xlabel(f"{unit_text(found)[:1].upper()}{unit_text(found)[1:]}", labelpad=2)
    look: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "fontsize": 8, "va": "center_baseline"}
    axes.text(-_LABELS / _PANEL, -0.95, title, **{**look, "fontsize": 8.5, "fontweight": "bold"})
    for y, one in enumerate(worths):
        axes.text(-_LABELS / _PANEL, y, style.shortened(one.name, 46), **look)
        axes.add_patch(
            Rectangle((0, y - 0.32), factor * one.value, 0.64, facecolor=style.SIMULATED_PALE, linewidth=0, zorder=2)
        )
        low, high = (factor * max(one.value + side * _LIMIT * one.error, 0.0) for side in (-1, 1))
        axes.plot((low, high), (y, y), color=style.SIMULATED, linewidth=1.4, zorder=3)
        axes.text(1.05, y, worth_text(one.value, one.error, found.objective.unit), **look)
    axes.axvline(factor * found.perfect.value, color=style.PUBLISHED, linewidth=0.9, zorder=4)


def _curve(axes: Axes, across: Any, line: Any, error: Any, place: int, top: float = np.inf) -> None:
    """Draw a line with its band, as the candidate at a place has them."""
    far, colour = reach(20) * error, style.colour_of(place)
    axes.fill_between(
        across, np.maximum(line - far, 0.0), np.minimum(line + far, top), color=colour, alpha=0.18, linewidth=0
    )
    axes.plot(across, line, color=colour, linewidth=1.6, linestyle=style.dashes_of(place))


def _judged(found: ValueOfInformation) -> Judged:
    if found.judged is None:
        raise ValueError("there is no cost-effectiveness without payoffs")
    return found.judged


def _basis(found: ValueOfInformation) -> str:
    size = found.scenarios[found.reference].cohort.size
    return f"{style.counted_trials(found.trials)} of {size:,} patients; {described(found.parameters)}"


def _money(number: float, _: object) -> str:
    return minus(f"{number:,.10g}")
