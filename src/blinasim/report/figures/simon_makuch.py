"""Survival by transplant: of those ever and never transplanted, and of those transplanted so far and not yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.report import style
from blinasim.report.effect import data_text
from blinasim.report.words import lower_first
from blinasim.statistics import curves, survival
from blinasim.statistics.counting import extended_kaplan_meier
from blinasim.statistics.exposure import NEVER, Exposure, simon_makuch_groups
from blinasim.study.effect import Effect, GroupCurve, curve_days
from blinasim.study.effect_data import DataEffect
from blinasim.study.exposures import OUTCOMES, OutcomeId

Floats = NDArray[np.float64]

#: Inches: a panel, the gap between two (which holds the labels), the margins.
_PANEL: Final = (2.45, 2.7)
_GAP: Final = 1.85
_LEFT: Final = 0.6
_RIGHT: Final = 1.35
_BELOW: Final = 0.5
_TOP: Final = 1.0
_TICK_MONTHS: Final = 3
_SIDES: Final = "Left: immortal time. Right: Simon and Makuch."
#: Least distance between two labels, per cent.
_APART: Final = 8.5


@dataclass(frozen=True)
class _Curve:
    label: str
    colour: str
    months: Floats
    curve: GroupCurve


_LABELS: Final = {
    "ever": ("Ever transplanted", style.SIMULATED),
    "never": ("Never", style.CENSORED),
    "transplanted_so_far": ("Transplanted so far", style.SIMULATED),
    "not_yet": ("Not yet", style.CENSORED),
}
_PANELS: Final = (("ever", "never"), ("transplanted_so_far", "not_yet"))


def simon_makuch(found: Effect | DataEffect, outcome: OutcomeId = "os") -> style.Drawing:
    """Draw curves by what came later, which immortal time sets apart, beside those by what has come so far.

    Of simulated trials: their mean and the range of 95 % of them; the thin line is the true survival of all responders
    in a world without HSCT. Of a user's own patients: the estimate and its pointwise 95 % interval.

    Parameters
    ----------
    found : Effect or DataEffect
    outcome : {"os", "rfs"}
        Of simulated trials.

    Returns
    -------
    Drawing
        A matplotlib figure; its ``alt`` is a sentence for those who do not see it.
    """
    if isinstance(found, DataEffect):
        days, groups, truth = curve_days(found.timing), _of_data(found.data, found), None
        since = "the origin"
    else:
        one = found.outcomes[outcome]
        days, groups, truth = one.days, one.groups, 100 * one.never
        since = "remission"
    months = days / DAYS_PER_MONTH
    with style.house_style():
        width = _LEFT + 2 * _PANEL[0] + _GAP + _RIGHT
        drawing = style.blank(width, _BELOW + _PANEL[1] + _TOP)
        for number, names in enumerate(_PANELS):
            axes = style.place(drawing, _LEFT + number * (_PANEL[0] + _GAP), _BELOW, *_PANEL)
            axes.set_title(
                "By what came later"
                if number == 0
                else f"By what has come so far, from day {found.timing.landmark_day}",
                loc="left", fontweight="bold",
            )  # fmt: skip
            shown = [_Curve(*_LABELS[name], months, groups[name]) for name in names]
            _draw(axes, shown, truth if number == 0 else None, since)
        _head(drawing, found, outcome)
    drawing.alt = _alt(found, groups, outcome)
    return drawing


def _draw(axes: Axes, shown: list[_Curve], truth: Floats | None, since: str) -> None:
    months = shown[0].months
    axes.set_xlim(0, months[-1])
    axes.set_ylim(0, 100)
    axes.set_xticks(np.arange(0, months[-1] + 0.1, _TICK_MONTHS))
    axes.set_yticks(range(0, 101, 25), [f"{tick} %" for tick in range(0, 101, 25)])
    axes.grid(axis="y")
    axes.set_xlabel(f"Months since {since}", labelpad=2)
    labels = []
    for one in shown:
        lower, mean, upper = (100 * part for part in (one.curve.lower, one.curve.mean, one.curve.upper))
        axes.fill_between(months, lower, upper, color=one.colour, alpha=0.17, linewidth=0)
        axes.plot(months, mean, color=one.colour, linewidth=2.2, zorder=3)
        known = np.flatnonzero(np.isfinite(mean))
        if known.size:
            labels.append((one.label, one.colour, float(mean[known[-1]])))
    if truth is not None:
        axes.plot(months, truth, color=style.PUBLISHED, linewidth=1.0, zorder=4)
        labels.append(("All, had HSCT not\nbeen available (truth)", style.PUBLISHED, float(truth[-1])))
    heights = style.apart([height for *_, height in labels], _APART, 4.0, 96.0)
    for (label, colour, _), height in zip(labels, heights, strict=True):
        axes.text(1.03 * months[-1], height, label, color=colour, ha="left", va="center", fontsize=8, linespacing=1.2)


def _of_data(data: Exposure, found: DataEffect) -> Mapping[str, GroupCurve]:
    """Return the curves of a user's own patients with their log-log intervals."""
    days = curve_days(found.timing)
    groups = {}
    ever = data.treated < NEVER
    for name, group in (("ever", ever), ("never", ~ever)):
        fitted = survival.fit(data.time_days, data.event & data.member, data.member & group)
        mean = survival.on_grid(fitted, days)[0][0]
        limits = [survival.interval_at(fitted, float(day)) for day in days]
        lower, upper = (np.array([limit[side][0] for limit in limits]) for side in (0, 1))
        known = np.isfinite(mean)
        groups[name] = GroupCurve(mean, np.where(known, lower, np.nan), np.where(known, upper, np.nan))
    both = zip(_PANELS[1], simon_makuch_groups(data, found.timing.landmark_day), strict=True)
    for name, (rows, inside) in both:
        curve = extended_kaplan_meier(rows, inside)
        last = np.max(np.where(inside & rows.member, rows.stop, -1.0), initial=-1.0)
        known = (days >= found.timing.landmark_day) & (days <= last)
        mean, greenwood, _ = (np.array(values)[:, 0] for values in zip(*map(curve.on, days.tolist()), strict=True))
        lower, upper = curves.band(mean, greenwood, 0.95, "log-log")
        groups[name] = GroupCurve(*(np.where(known, part, np.nan) for part in (mean, lower, upper)))
    return groups


def _head(drawing: style.Drawing, found: Effect | DataEffect, outcome: OutcomeId) -> None:
    if isinstance(found, DataEffect):
        style.heading(
            drawing, 0.15, f"Survival by transplant: {style.shortened(found.name, 45)}",
            style.shortened(data_text(found), 100), f"Line and band: estimate, pointwise 95 % interval. {_SIDES}",
        )  # fmt: skip
        return
    style.heading(
        drawing,
        0.15,
        f"{OUTCOMES[outcome]} by transplant",
        f"{style.shortened(found.scenario.title)} · {style.counted_trials(found.scenario.study.replications)} of "
        f"{found.scenario.cohort.size:,} patients; responders",
        f"Line and band: mean of the trials and the range of 95 % of them. {_SIDES}",
    )


def _alt(found: Effect | DataEffect, groups: Mapping[str, GroupCurve], outcome: OutcomeId) -> str:
    said = []
    for name, (label, _) in _LABELS.items():
        known = np.flatnonzero(np.isfinite(groups[name].mean))
        if known.size:
            said.append(f"{lower_first(label)} {100 * groups[name].mean[known[-1]]:.0f} %")
    what = "Survival" if isinstance(found, DataEffect) else OUTCOMES[outcome]
    return f"{what} by transplant at the end of the curves: {', '.join(said)}."
