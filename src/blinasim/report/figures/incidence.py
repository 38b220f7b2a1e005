"""Cumulative incidences of competing events: what comes first after remission, and after HSCT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes

from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.report import style
from blinasim.report.figures.trial_bands import Band, Floats, draw_axes, followed_months, whose, write_at_risk
from blinasim.report.rows import ENOUGH_TRIALS
from blinasim.report.words import lower_first
from blinasim.study.simulate import Curves, Incidences, Result

#: Inches: the page, a panel with what stands beside and under it, and the top.
_WIDTH: Final = 7.2
_LEFT: Final = 1.3
_PANEL_WIDTH: Final = 3.75
_PANEL: Final = 2.35
_TITLE: Final = 0.3
_UNDER: Final = 0.95
_TOP: Final = 0.92
#: Per cent between the middles of two labels of two lines, and month at which they say how many.
_APART: Final = 17.0
_LABEL_MONTH: Final = 12
_NO_RELAPSE: Final = "#555555"


@dataclass(frozen=True)
class _Cause:
    """How a cause is called and drawn; the pattern of the line says it without colour."""

    label: str
    colour: str
    dashes: Any


@dataclass(frozen=True)
class _Panel:
    """An outcome with causes: its title, where its time begins, and the causes in the order of their codes."""

    outcome: str
    title: str
    since: str
    causes: tuple[_Cause, ...]


_SOLID: Final = "solid"
_DASHED: Final = (0, (5, 1.6))
_DOTTED: Final = (0, (1.4, 1.2))
_PANELS: Final = (
    _Panel(
        "after_remission",
        "What comes first after CR/CRh*",
        "CR/CRh*",
        (
            _Cause("HSCT, on study or later", style.SIMULATED, _SOLID),
            _Cause("relapse before HSCT", style.CENSORED, _DASHED),
            _Cause("death before either", _NO_RELAPSE, _DOTTED),
        ),
    ),
    _Panel(
        "cause_after_hsct",
        "What comes first after on-study HSCT",
        "HSCT",
        (_Cause("relapse", style.CENSORED, _DASHED), _Cause("non-relapse death", _NO_RELAPSE, _DOTTED)),
    ),
)


@dataclass(frozen=True)
class _Drawn:
    """One cause, ready to draw: per cent on a grid of months, empty where most trials follow nobody."""

    cause: _Cause
    months: Floats
    band: Band
    limit: Floats
    last_month: int
    trials: int

    @classmethod
    def of(cls, cause: _Cause, curves: Curves, incidences: Incidences, code: int) -> _Drawn:
        band = Band.of(incidences.of_trials[:, code])
        return cls(
            cause=cause,
            months=curves.days[band.held] / DAYS_PER_MONTH,
            band=band,
            limit=100 * incidences.limit[code],
            last_month=followed_months(curves),
            trials=incidences.of_trials.shape[0],
        )

    @property
    def said(self) -> str:
        """The share by the month that the labels name, or by the last that most trials reach."""
        if not self.months.size:
            return "nobody to follow"
        month = min(_LABEL_MONTH, self.last_month, int(self.months[-1]))
        at = int(np.abs(self.months - month).argmin())
        lower, middle, upper = (100 * float(each[at]) for each in (self.band.lower, self.band.middle, self.band.upper))
        limits = f" ({lower:.0f}–{upper:.0f})" if self.trials > 1 else ""
        return f"{middle:.0f} %{limits} by month {month}"


def cumulative_incidence(result: Result) -> style.Drawing:
    """Draw what comes first after remission, and after an on-study HSCT, as cumulative incidences (Aalen-Johansen).

    The line is the median of the simulated trials, the band holds 95 % of them (of the first 2,000, where there are
    more), as in the survival figure; the thin line is the limit: all trials pooled, without censoring by time. On each
    day the incidences of a panel and the share without an event add up to 100 % in each trial.

    Parameters
    ----------
    result : Result
        A simulated study.

    Returns
    -------
    Drawing
        A matplotlib figure; its ``alt`` is a sentence for those who do not see it.
    """
    drawn = {panel.outcome: _drawn(result, panel) for panel in _PANELS}
    one = _TITLE + _PANEL + _UNDER
    height = _TOP + one * len(_PANELS)
    with style.house_style():
        drawing = style.blank(_WIDTH, height)
        for number, panel in enumerate(_PANELS):
            bottom = height - _TOP - one * number - _TITLE - _PANEL
            axes = style.place(drawing, _LEFT, bottom, _PANEL_WIDTH, _PANEL)
            _draw_panel(axes, panel, result.curves[panel.outcome], drawn[panel.outcome])
            style.write(drawing, 0.15, height - bottom - _PANEL - 0.22, panel.title, fontsize=9, fontweight="bold")
        _head(drawing, result)
    drawing.alt = _alt(result, drawn)
    return drawing


def _drawn(result: Result, panel: _Panel) -> list[_Drawn]:
    curves = result.curves[panel.outcome]
    assert curves.incidences is not None, "an outcome with causes keeps their incidences"
    return [_Drawn.of(cause, curves, curves.incidences, code) for code, cause in enumerate(panel.causes)]


def _draw_panel(axes: Axes, panel: _Panel, curves: Curves, drawn: list[_Drawn]) -> None:
    last_month = followed_months(curves)
    draw_axes(axes, last_month, panel.since)
    for each in drawn:
        colour = each.cause.colour
        if each.months.size:
            axes.fill_between(
                each.months, 100 * each.band.lower, 100 * each.band.upper, color=colour, alpha=0.16, linewidth=0
            )
            axes.plot(
                each.months, 100 * each.band.middle, color=colour, linewidth=2.0, linestyle=each.cause.dashes, zorder=3
            )
            axes.plot(curves.days / DAYS_PER_MONTH, each.limit, color=colour, linewidth=0.7, zorder=4)
    present = [each for each in drawn if each.months.size]
    if not present:
        axes.text(last_month / 2, 50, "nobody to follow", color=style.MUTED, ha="center", va="center")
    ends = [100 * float(each.band.middle[-1]) for each in present]
    for each, end, place in zip(present, ends, style.apart(ends, _APART, 4, 96), strict=True):
        right, colour = 1.03 * last_month, each.cause.colour
        axes.plot(
            [min(float(each.months[-1]), last_month), right], [end, place], color=colour, linewidth=0.7, clip_on=False
        )
        axes.text(
            right + 0.012 * last_month, place, f"{each.cause.label}\n{each.said}", color=colour, fontsize=8,
            va="center", clip_on=False, linespacing=1.25,
        )  # fmt: skip
    write_at_risk(axes, [("patients", "#222222", curves)], last_month, top=0.53 / _PANEL, step=0.18 / _PANEL)


def _head(drawing: style.Drawing, result: Result) -> None:
    kept = result.curves[_PANELS[0].outcome].survival.shape[0]
    rough = " (rough: few trials)" if result.replications < ENOUGH_TRIALS else ""
    style.heading(
        drawing,
        0.15,
        "Cumulative incidence",
        f"{style.shortened(result.scenario.title)} · {style.counted_trials(result.replications)} of "
        f"{style.counted_patients(result.scenario.cohort.size)} · Aalen-Johansen",
        f"Line and band: median of {whose(result.replications, kept)} and their 95 % predictive interval{rough}.",
        "A trial that follows nobody any more keeps its last value. Thin line: limit, pooled, not censored by time.",
    )


def _alt(result: Result, drawn: dict[str, list[_Drawn]]) -> str:
    parts = []
    for panel in _PANELS:
        causes = ", ".join(f"{each.cause.label} {each.said}" for each in drawn[panel.outcome])
        parts.append(f"{lower_first(panel.title.removeprefix('What comes first '))}: {causes}")
    return f"Cumulative incidences in {style.counted_trials(result.replications)}; {'; '.join(parts)}."
