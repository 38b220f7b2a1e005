"""Figures of an evaluated trial design: boundaries with simulated paths, power, duration, hazard ratio over time."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.report import style
from blinasim.report.design import percent, success_word, truth_text
from blinasim.report.words import lower_first
from blinasim.statistics import group_sequential
from blinasim.statistics.curves import normal_quantile
from blinasim.study.evaluation import Evaluation
from blinasim.trial import decisions
from blinasim.trial.decisions import Ending

#: Inches.
_WIDTH: Final = 6.9
_PANEL: Final = 3.0
_LEFT: Final = 0.62
_RIGHT: Final = 1.55
_BOTTOM: Final = 0.48
_TOP: Final = 0.95
_HEIGHT: Final = _TOP + _PANEL + _BOTTOM
#: Paths drawn, the first trials.
_PATHS: Final = 60
_ENDINGS: Final = {
    Ending.SUCCESS: ("success", style.SIMULATED),
    Ending.FUTILITY: ("futility", style.CENSORED),
    Ending.HARM: ("harm", style.POLICIES[3]),
    Ending.NOT_SHOWN: ("nothing shown", style.REFERENCE),
}
#: The sign at the end of a path, which says without colour how the trial ends.
_SIGNS: Final = {Ending.SUCCESS: "^", Ending.FUTILITY: "v", Ending.HARM: "s", Ending.NOT_SHOWN: "o"}
_LIMIT: Final = normal_quantile(0.95)
#: Width of a window of the hazard ratio, days, and fewest events of an arm in it.
_WINDOW_DAYS: Final = 91
_FEWEST: Final = 10


def boundaries(evaluation: Evaluation) -> style.Drawing:
    """Draw the boundaries of every look and the paths of some simulated trials, each to where it ends.

    Parameters
    ----------
    evaluation : Evaluation
        An evaluated design.

    Returns
    -------
    Drawing
        A matplotlib figure; its ``alt`` says how the trials end.
    """
    two = evaluation.design.two_arms
    x = (
        evaluation.looked.events.astype(float)
        if two
        else np.tile(evaluation.looked_patients, (evaluation.replications, 1))
    )
    y = evaluation.looked.z if two else evaluation.looked.events.astype(float)
    with style.house_style():
        drawing, axes = _blank()
        for trial in range(min(_PATHS, evaluation.replications)):
            end = int(evaluation.decision.look[trial])
            outcome = Ending(int(evaluation.decision.outcome[trial]))
            colour = _ENDINGS[outcome][1]
            xs, ys = np.append(0.0, x[trial, : end + 1]), np.append(0.0, y[trial, : end + 1])
            axes.plot(xs, ys, color=colour, linewidth=0.7, alpha=0.45, zorder=2)
            axes.plot(
                xs[-1:], ys[-1:], marker=_SIGNS[outcome], markersize=4.0, color=colour, markeredgewidth=0, zorder=3
            )
        bounded = _draw_limits(axes, evaluation, x.mean(axis=0))
        _draw_boundaries_key(drawing, bounded)
        axes.set_xlim(0, 1.02 * float(x.max()))
        axes.set_xlabel("Events" if two else "Patients", labelpad=2)
        axes.set_ylabel("Standardised statistic z" if two else "Responses", labelpad=3)
        low, high = axes.get_ylim()
        ticks = [tick for tick in MaxNLocator(6, integer=True).tick_values(low, high) if low <= tick <= high]
        axes.set_yticks(ticks)
        axes.set_ylim(low, high)
        axes.grid(axis="y")
        _head(
            drawing,
            evaluation,
            f"Paths of the first {min(_PATHS, evaluation.replications)} trials, each to where it ends; "
            f"{style.counted_trials(evaluation.replications)} in all.",
        )
    ends = ", ".join(
        f"{name} {100 * float(np.mean(evaluation.decision.outcome == outcome)):.1f} %"
        for outcome, (name, _) in _ENDINGS.items()
    )
    drawing.alt = f"{evaluation.design.title}. Of {style.counted_trials(evaluation.replications)} end: {ends}."
    return drawing


def _draw_boundaries_key(drawing: style.Drawing, bounded: list[Ending]) -> None:
    """Say what thick lines, thin lines and signs are."""
    axes = style.place(drawing, 0.15, _HEIGHT - 0.92, _WIDTH - 0.3, 0.36)
    axes.set_xlim(0, _WIDTH - 0.3)
    axes.set_ylim(2, 0)
    axes.set_axis_off()
    look: dict[str, Any] = {"fontsize": 8, "va": "center_baseline"}
    for number, outcome in enumerate([*bounded, Ending.NOT_SHOWN]):
        left, (name, colour) = 1.65 * number, _ENDINGS[outcome]
        line: dict[str, Any] = {"color": colour, "clip_on": False}
        if outcome in bounded:
            ends = [left, left + 0.3]
            axes.plot(ends, [0.5, 0.5], linewidth=1.8, marker="D", markersize=4.5, markeredgecolor="white", **line)
            axes.text(left + 0.42, 0.5, f"{name} boundary", **look)
        axes.plot([left, left + 0.3], [1.5, 1.5], linewidth=0.7, alpha=0.45, **line)
        axes.plot([left + 0.3], [1.5], marker=_SIGNS[outcome], markersize=4.0, markeredgewidth=0, **line)
        axes.text(left + 0.42, 1.5, f"ends: {name}", **look)


def _draw_limits(axes: Axes, evaluation: Evaluation, x: NDArray[np.floating[Any]]) -> list[Ending]:
    """Draw boundaries as they are at each look, name them beside the last, and return which there are."""
    looks = list(evaluation.looks())
    last = len(looks) - 1
    limits: dict[Ending, list[tuple[float, float]]] = {Ending.SUCCESS: [], Ending.FUTILITY: [], Ending.HARM: []}
    for k, look in enumerate(looks):
        single = not evaluation.design.two_arms
        if math.isfinite(look.upper) and not (single and look.upper > evaluation.looked_patients[k]):
            limits[Ending.SUCCESS].append((x[k], look.upper))
            if evaluation.design.sides == 2:
                limits[Ending.HARM].append((x[k], -look.upper))
        if k < last and math.isfinite(look.lower) and not (single and look.lower < 0):
            limits[Ending.FUTILITY].append((x[k], look.lower))
    shares = {
        outcome: f"{name} {100 * float(np.mean(evaluation.decision.outcome == outcome)):.1f} %"
        for outcome, (name, _) in _ENDINGS.items()
    }
    places: list[tuple[Ending, float]] = []
    for outcome, points in limits.items():
        if points:
            xs, ys = zip(*points, strict=True)
            axes.plot(
                xs, ys, color=_ENDINGS[outcome][1], linewidth=1.8, marker="D", markersize=4.5, zorder=5,
                markeredgecolor="white", markeredgewidth=0.6,
            )  # fmt: skip
            places.append((outcome, ys[-1]))
    bounded = [outcome for outcome, _ in places]
    low, high = axes.get_ylim()
    middle = 0.3 * (low + high) if evaluation.design.two_arms else 0.5 * places[0][1]
    places.append((Ending.NOT_SHOWN, middle))
    heights = style.apart([y for _, y in places], 0.07 * (high - low), low, high)
    for (outcome, _), height in zip(places, heights, strict=True):
        axes.text(
            1.02, height, shares[outcome], transform=axes.get_yaxis_transform(), color=_ENDINGS[outcome][1],
            fontsize=8, va="center_baseline",
        )  # fmt: skip
    return bounded


def has_power_curve(evaluation: Evaluation) -> bool:
    """Whether theory gives the design a curve of its power."""
    return evaluation.exact is not None or evaluation.analytic(0.5) is not None


def power_curve(evaluation: Evaluation) -> style.Drawing:
    """Draw the power by theory against the truth, and what was simulated where the simulated truth lies.

    Raises
    ------
    ValueError
        If there is no theory for the design's test.
    """
    if not has_power_curve(evaluation):
        raise ValueError("there is no theory for the power of this test; none is drawn")
    design, word = evaluation.design, success_word(evaluation)
    two = design.two_arms
    truth = math.exp(evaluation.truth) if two else evaluation.truth
    with style.house_style():
        drawing, axes = _blank()
        if two:
            xs = np.linspace(0.5, 1.15, 53)
            ys = [float(_crossed(evaluation, ratio).success[0]) for ratio in xs]
            axes.set_xlabel("Hazard ratio, second arm against control", labelpad=2)
            marked, said = 1.0, f"alpha {100 * design.one_sided_alpha:.1f} %"
        else:
            plan = decisions.plan_of(design)
            assert design.plan is not None
            xs = np.linspace(max(0.0, design.plan.p0 - 0.2), min(1.0, design.plan.p1 + 0.2), 81)
            ys = [plan.characteristics(rate).success for rate in xs]
            axes.set_xlabel("True rate", labelpad=2)
            marked, said = design.plan.p0, f"alpha {100 * design.alpha:.1f} %"
        axes.plot(xs, 100 * np.array(ys), color=style.REFERENCE, linewidth=1.6, zorder=3)
        alpha = design.one_sided_alpha
        axes.plot([marked], [100 * alpha], marker="_", markersize=14, color=style.MUTED, zorder=2)
        axes.annotate(
            said, (marked, 100 * alpha), xytext=(5 if two else -5, 6), textcoords="offset points",
            ha="left" if two else "right", fontsize=8,
            color=style.MUTED,
        )  # fmt: skip
        simulated = evaluation.success
        axes.errorbar(
            [truth], [100 * simulated.value], yerr=_reach(evaluation), color=style.SIMULATED,
            marker="o", markersize=5, capsize=3, linewidth=1.4, zorder=5, clip_on=False,
        )  # fmt: skip
        axes.set_xlim(float(xs[0]), float(xs[-1]))
        axes.set_ylim(0, 100)
        axes.set_yticks(range(0, 101, 25), [f"{tick} %" for tick in range(0, 101, 25)])
        axes.grid(axis="y")
        theory = evaluation.exact.success if evaluation.exact else float(_crossed(evaluation, truth).success[0])
        where = style.apart([100 * simulated.value, 100 * theory], 13, 6, 94)
        look: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "fontsize": 8, "va": "center_baseline"}
        axes.text(1.02, where[0], f"simulated\n{percent(evaluation, simulated)}", color=style.SIMULATED, **look)
        axes.text(1.02, where[1], f"by theory\n{100 * theory:.2f} %", color=style.REFERENCE, **look)
        _head(
            drawing,
            evaluation,
            f"Line: by theory, {'proportional hazards and the mean events of each look' if two else 'exact'}.",
            f"Dot: {lower_first(word)} simulated, at the truth of all trials ({truth_text(evaluation)}), with "
            "its 95 % Monte Carlo interval.",
        )
    drawing.alt = (
        f"{design.title}. {word} {percent(evaluation, simulated)} simulated at {truth_text(evaluation)}; "
        f"{100 * theory:.2f} % by theory."
    )
    return drawing


def _reach(evaluation: Evaluation) -> tuple[list[float], list[float]]:
    """Return how far the 95 % Monte Carlo interval of the simulated power reaches down and up, per cent."""
    value, (low, high) = evaluation.success.value, evaluation.limits(evaluation.success)
    return [100 * (value - low)], [100 * (high - value)]


def _crossed(evaluation: Evaluation, ratio: float) -> group_sequential.Crossing:
    crossed = evaluation.analytic(float(ratio))
    assert crossed is not None
    return crossed


def duration(evaluation: Evaluation) -> style.Drawing:
    """Draw by when the trials have ended, and how."""
    row = np.arange(evaluation.replications)
    months = evaluation.looked.day[row, evaluation.decision.look] / DAYS_PER_MONTH
    grid = np.linspace(0.0, float(months.max()) * 1.02, 241)
    with style.house_style():
        drawing, axes = _blank()
        below = np.zeros(grid.size)
        ends: list[tuple[float, str, str]] = []
        for outcome in (Ending.SUCCESS, Ending.HARM, Ending.NOT_SHOWN, Ending.FUTILITY):
            name, colour = _ENDINGS[outcome]
            which = np.sort(months[evaluation.decision.outcome == outcome])
            share = 100 * np.searchsorted(which, grid, side="right") / evaluation.replications
            if not which.size:
                continue
            axes.fill_between(grid, below, below + share, color=colour, alpha=0.55, linewidth=0)
            ends.append((float(below[-1] + share[-1] / 2), f"{name} {share[-1]:.1f} %", colour))
            below = below + share
        axes.plot(grid, below, color=style.PUBLISHED, linewidth=1.2)
        heights = style.apart([height for height, _, _ in ends], 6.0, 2.0, 98.0)
        for (_, text, colour), height in zip(ends, heights, strict=True):
            axes.text(
                1.02, height, text, transform=axes.get_yaxis_transform(), color=colour, fontsize=8,
                va="center_baseline",
            )  # fmt: skip
        axes.set_xlim(0, float(grid[-1]))
        axes.set_ylim(0, 100)
        axes.set_yticks(range(0, 101, 25), [f"{tick} %" for tick in range(0, 101, 25)])
        axes.set_xlabel("Months since the first day of accrual", labelpad=2)
        axes.grid(axis="y")
        mean = float(months.mean())
        _head(
            drawing,
            evaluation,
            f"Share of {style.counted_trials(evaluation.replications)} that have ended, by the data cut-off of their "
            f"last look; {mean:.1f} months on average.",
        )
    drawing.alt = f"{evaluation.design.title}. Trials end after {mean:.1f} months on average."
    return drawing


def hazard_ratio_over_time(evaluation: Evaluation) -> style.Drawing:
    """Draw the hazard ratio of the arms in windows of a quarter of a year, from all patients without any cut-off.

    Raises
    ------
    ValueError
        For a single arm.
    """
    if not evaluation.design.two_arms:
        raise ValueError("a single arm has no hazard ratio")
    middle, ratio, lower, upper = _windows(evaluation.counted.true)
    with style.house_style():
        drawing, axes = _blank()
        axes.axhline(1.0, color=style.REFERENCE, linewidth=0.9)
        axes.fill_between(middle, lower, upper, color=style.SIMULATED, alpha=0.18, linewidth=0)
        axes.plot(middle, ratio, color=style.SIMULATED, linewidth=1.5, marker="o", markersize=3.2, markeredgewidth=0)
        axes.set_yscale("log")
        low, high = min(float(lower.min()), 0.8), max(float(upper.max()), 1.25)
        axes.set_ylim(max(low * 0.95, 0.1), min(high * 1.05, 10.0))
        ticks = [
            tick
            for tick in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.5, 2, 3, 5, 10)
            if low * 0.95 <= tick <= high * 1.05
        ]
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
        axes.minorticks_off()
        axes.set_xlim(0, 60)
        axes.set_xticks(range(0, 61, 12))
        axes.grid(axis="y")
        axes.set_xlabel("Months since entry", labelpad=2)
        axes.set_ylabel(f"Hazard ratio, {style.shortened(evaluation.design.arms[1].name, 24)}", labelpad=3)
        if evaluation.design.estimand.summary == "hazard_ratio":
            average = math.exp(evaluation.truth)
            axes.axhline(average, color=style.CENSORED, linewidth=1.1, linestyle=(0, (4, 2)))
            places = style.apart([0.0, math.log(average)], 0.07 * math.log(high / low), math.log(low), math.log(high))
            axes.text(
                1.02, math.exp(places[1]), f"Cox, to the\nlast look {average:.2f}", fontsize=8,
                transform=axes.get_yaxis_transform(), color=style.CENSORED, va="center",
            )  # fmt: skip
        _head(
            drawing,
            evaluation,
            f"All patients of {style.counted_trials(evaluation.replications)}, followed to the end, in quarters of a "
            "year (95 % Monte Carlo interval).",
            "A ratio that is not level is why power by formula misleads.",
        )
    drawing.alt = (
        f"{evaluation.design.title}. Hazard ratio {ratio[0]:.2f} in the first quarter of a year, "
        f"{ratio[min(3, ratio.size - 1)]:.2f} in the fourth."
    )
    return drawing


def _windows(true: NDArray[np.int64]) -> tuple[NDArray[np.float64], ...]:
    """Return middle (months), hazard ratio and its limits of every window with enough events in both arms."""
    events, totals = true[:, 1], true.sum(axis=1)
    at_risk = totals[:, ::-1].cumsum(axis=1)[:, ::-1]
    found = []
    for first in range(0, true.shape[2] - 1 - _WINDOW_DAYS, _WINDOW_DAYS):
        window = slice(first, first + _WINDOW_DAYS)
        d, days = events[:, window].sum(axis=1), at_risk[:, window].sum(axis=1)
        if d.min() < _FEWEST:
            continue
        log = math.log(d[1] / days[1]) - math.log(d[0] / days[0])
        reach = _LIMIT * math.sqrt(1 / d[0] + 1 / d[1])
        middle = (first + _WINDOW_DAYS / 2) / DAYS_PER_MONTH
        found.append((middle, math.exp(log), math.exp(log - reach), math.exp(log + reach)))
    return tuple(np.array(column) for column in zip(*found, strict=True))


def _blank() -> tuple[style.Drawing, Axes]:
    drawing = style.blank(_WIDTH, _HEIGHT)
    return drawing, style.place(drawing, _LEFT, _BOTTOM, _WIDTH - _LEFT - _RIGHT, _PANEL)


def _head(drawing: style.Drawing, evaluation: Evaluation, *lines: str) -> None:
    null = ", nothing to be found" if evaluation.null else ""
    style.heading(drawing, 0.15, f"{style.shortened(evaluation.design.title, 72 - len(null))}{null}", *lines)
