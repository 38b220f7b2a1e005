"""Survival curves of the simulated trials, with the published medians and the patients at risk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from numpy.typing import NDArray

from blinasim.inference.targets import Target, load_targets
from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.report import style
from blinasim.report.figures.trial_bands import Band, draw_axes, followed_months, whose, write_at_risk
from blinasim.report.rows import ENOUGH_TRIALS, number
from blinasim.report.words import lower_first
from blinasim.statistics.intervals import PredictiveInterval, predictive_interval
from blinasim.study.simulate import Curves, Result
from blinasim.trial.endpoints import ENDPOINTS, Survival
from blinasim.trial.outcomes import OUTCOMES

Floats = NDArray[np.float64]
_Outline: TypeAlias = tuple[Floats, Floats]

#: Inches: height of the panel, distance of the table's first line from it, and one more line.
_PANEL: Final = 3.6
_TABLE: Final = 0.62
_TABLE_LINE: Final = 0.19
#: What an outcome is called in the table, and where its time begins.
_WORDS: Final = {
    "os": ("OS", "first infusion"),
    "rfs": ("RFS", "CR/CRh*"),
    "after_hsct": ("Survival", "HSCT"),
    "after_remission": ("Event-free", "CR/CRh*"),
    "cause_after_hsct": ("Event-free", "HSCT"),
}
#: Per cent below which the labels stay.
_HIGHEST: Final = 98.0
_HALO: Final = [withStroke(linewidth=2.5, foreground="white")]


@dataclass(frozen=True)
class _Drawn:
    """One outcome, ready to draw: survival in per cent on a grid of months, empty where most trials have none."""

    name: str
    short: str
    colour: str
    months: Floats
    middle: Floats
    lower: Floats
    upper: Floats
    limit_months: Floats
    limit: Floats
    curves: Curves
    medians: PredictiveInterval | None
    published: Target | None

    @classmethod
    def of(cls, result: Result, outcome: str, name: str, short: str, colour: str) -> _Drawn:
        curves = result.curves[outcome]
        band = Band.of(curves.survival)
        endpoint = _median_endpoint(outcome)
        return cls(
            name=name,
            short=short,
            colour=colour,
            months=curves.days[band.held] / DAYS_PER_MONTH,
            middle=100 * band.middle,
            lower=100 * band.lower,
            upper=100 * band.upper,
            limit_months=curves.days / DAYS_PER_MONTH,
            limit=100 * curves.limit,
            curves=curves,
            medians=predictive_interval(result.estimates[endpoint].value) if endpoint else None,
            published=load_targets().get(endpoint) if endpoint else None,
        )

    @property
    def simulated_text(self) -> str:
        """Median time of the simulated trials, with its predictive interval."""
        if self.medians is None or not self.medians.n_values:
            return ""
        text = _months(self.medians.median)
        limits = f" ({_months(self.medians.lower)}–{_months(self.medians.upper)})"
        return text + limits if self.medians.n_values > 1 else text

    @property
    def published_text(self) -> str:
        """Published median time, with its confidence interval where there is one."""
        if self.published is None:
            return ""
        limits = self.published.interval
        text = _months(self.published.estimate)
        return f"{text} ({_months(limits[0])}–{_months(limits[1])})" if limits else text

    @property
    def label(self) -> str:
        """What stands at the curve."""
        lines = [self.name]
        if self.simulated_text:
            lines.append(f"simulated median {self.simulated_text} months")
        if self.published_text:
            lines.append(f"published median {self.published_text} months")
        return "\n".join(lines)


def survival(result: Result, outcome: str = "os", censored: str | None = "os_cens") -> style.Drawing:
    """Draw Kaplan-Meier curves of an outcome and of its twin censored at HSCT, beside the published medians.

    The line is the median of the simulated trials, day by day, the band holds 95 % of them (of the first 2,000, where
    there are more: ``Curves``). A trial keeps its last
    value; line and band end where fewer than half of the trials still follow somebody or have seen everybody die. The
    thin line is the limit: all trials pooled, without censoring by time.

    Parameters
    ----------
    result : Result
        A simulated study.
    outcome, censored : str
        Ids of outcomes; ``censored=None`` draws one curve only.

    Returns
    -------
    Drawing
        A matplotlib figure; its ``alt`` is a sentence for those who do not see it.
    """
    labels = {each.id: each.label for each in OUTCOMES}
    title = labels[outcome]
    short, since = _WORDS[outcome.removesuffix("_cens")]
    drawn = [_Drawn.of(result, outcome, title, short, style.SIMULATED)]
    if censored is not None:
        name = labels[censored].removeprefix(title).strip()
        name = name[:1].upper() + name[1:]
        drawn.append(_Drawn.of(result, censored, name, name, style.CENSORED))
    last_month = _last_month(drawn)
    with style.house_style():
        below = _TABLE + _TABLE_LINE * len(drawn) + 0.1
        drawing = style.blank(7.2, below + _PANEL + 1.0)
        axes = style.place(drawing, 1.35, below, 5.6, _PANEL)
        draw_axes(axes, last_month, since)
        for each in drawn:
            if each.months.size:
                _draw_curve(axes, each)
        _draw_published(axes, drawn)
        _label_curves(axes, drawn, last_month)
        rows = [(each.short, each.colour, each.curves) for each in drawn]
        write_at_risk(axes, rows, last_month, top=_TABLE / _PANEL, step=_TABLE_LINE / _PANEL)
        _head(drawing, result, title, any(each.published for each in drawn))
    drawing.alt = _alt(result, drawn)
    return drawing


def _head(drawing: style.Drawing, result: Result, title: str, published: bool) -> None:
    curves = next(iter(result.curves.values())).survival.shape[0]
    trials = style.counted_trials(result.replications)
    patients = style.counted_patients(result.scenario.cohort.size)
    rough = " (rough: few trials)" if result.replications < ENOUGH_TRIALS else ""
    band = f"Line and band: median of {whose(result.replications, curves)} and their 95 % predictive interval{rough}."
    diamond = " Diamond: published median, 95 % confidence interval." if published else ""
    style.heading(
        drawing,
        0.15,
        f"{title}, published and simulated" if published else f"{title}, simulated",
        f"{style.shortened(result.scenario.title)} · {trials} of {patients}",
        band,
        f"Thin line: limit, pooled without censoring by time.{diamond}",
    )


def _median_endpoint(outcome: str) -> str | None:
    for endpoint in ENDPOINTS:
        if isinstance(endpoint, Survival) and endpoint.outcome == outcome and endpoint.summary == "median":
            return endpoint.id
    return None


def _months(value: float) -> str:
    return "n.r." if np.isinf(value) else number(value, "months")


def _last_month(drawn: list[_Drawn]) -> int:
    """Return the end of the axis in full ticks: most trials still follow somebody, and all that was published fits."""
    published = [(each.published.interval or (0.0, each.published.estimate))[1] for each in drawn if each.published]
    return followed_months(drawn[0].curves, max(published, default=0.0))


def _draw_curve(axes: Axes, drawn: _Drawn) -> None:
    axes.fill_between(drawn.months, drawn.lower, drawn.upper, color=drawn.colour, alpha=0.17, linewidth=0)
    axes.plot(drawn.months, drawn.middle, color=drawn.colour, linewidth=2.2, solid_capstyle="butt", zorder=3)
    axes.plot(drawn.limit_months, drawn.limit, color=drawn.colour, linewidth=0.8, zorder=4)


def _draw_published(axes: Axes, drawn: list[_Drawn]) -> None:
    """Draw the published medians at 50 %, a little apart when there are two."""
    published = [each for each in drawn if each.published]
    for place, each in enumerate(published):
        assert each.published is not None
        height = 50 + 1.7 * (len(published) - 1) - 3.4 * place
        if each.published.interval:
            ends = each.published.interval, (height, height)
            axes.plot(*ends, color=each.colour, linewidth=1.3, path_effects=_HALO, zorder=5)
            axes.plot(*ends, color=each.colour, linestyle="", marker="|", markersize=6, markeredgewidth=1.3, zorder=6)
        axes.plot(
            [each.published.estimate], [height], linestyle="", marker="D", markersize=6, zorder=6,
            markerfacecolor="white", markeredgecolor=each.colour, markeredgewidth=1.5,
        )  # fmt: skip


def _label_curves(axes: Axes, drawn: list[_Drawn], last_month: int) -> None:
    """Label the higher curve above its band, the lower one below; where a band leaves no room, above it too."""
    present = [each for each in drawn if each.months.size]
    if not present:
        axes.text(last_month / 2, 25, "nobody to follow", color=style.MUTED, ha="center", va="center")
        return
    floor, ceiling = _outlines(present, last_month)
    common = min(each.middle.size for each in present)
    higher, *others = sorted(present, key=lambda each: -each.middle[:common].mean())
    text = _place_above(axes, higher, ceiling, last_month)
    for other in others:
        if _place_below(axes, other, floor, last_month) is None:
            _stack(axes, text, _place_above(axes, other, ceiling, last_month))


def _stack(axes: Axes, first: Text, second: Text) -> None:
    """Put the first of two texts at one place over the second, both lower where the axes end."""
    gap = 2.0
    first_height, second_height = style.extent(axes, first).height, style.extent(axes, second).height
    left, bottom = second.get_position()
    bottom = min(bottom, _HIGHEST - first_height - gap - second_height)
    second.set_position((left, bottom))
    first.set_position((left, bottom + second_height + gap))


def _outlines(drawn: list[_Drawn], last_month: int) -> tuple[_Outline, _Outline]:
    """Return the lower and the upper edge of all that is drawn, on a fine grid of months."""
    grid = np.linspace(0, last_month, 181)
    limits = [np.interp(grid, each.limit_months, each.limit) for each in drawn]
    lower = [np.interp(grid, each.months, each.lower) for each in drawn]
    upper = [np.interp(grid, each.months, each.upper) for each in drawn]
    return (grid, np.min(lower + limits, axis=0)), (grid, np.max(upper + limits, axis=0))


def _text(axes: Axes, drawn: _Drawn, ha: str, va: str) -> Text:
    return axes.text(
        0, 0, drawn.label, ha=ha, va=va, color=drawn.colour, fontsize=8.5, linespacing=1.3, path_effects=_HALO, zorder=7
    )


def _place_above(axes: Axes, drawn: _Drawn, ceiling: _Outline, last_month: int) -> Text:
    """Write above the ceiling and above the published medians, in the right half."""
    text = _text(axes, drawn, ha="left", va="bottom")
    box = style.extent(axes, text)
    left = max(0.0, min(0.42 * last_month, last_month - box.width))
    highest = float(ceiling[1][ceiling[0] >= left].max())
    text.set_position((left, min(max(highest + 2, 54.0), _HIGHEST - box.height)))
    return text


def _place_below(axes: Axes, drawn: _Drawn, floor: _Outline, last_month: int) -> Text | None:
    """Write below the floor, towards the right, if there is room above the axis."""
    text = _text(axes, drawn, ha="right", va="top")
    box = style.extent(axes, text)
    room = (floor[1] >= box.height + 4) & (floor[0] >= box.width + 0.02 * last_month)
    fits = floor[0][room & (floor[0] <= 0.47 * last_month)]
    if not fits.size:
        text.remove()
        return None
    right = float(fits[-1])
    text.set_position((right, float(np.interp(right, *floor)) - 2))
    return text


def _alt(result: Result, drawn: list[_Drawn]) -> str:
    parts = []
    for each in drawn:
        name = lower_first(each.name)
        if each.simulated_text:
            said = f"median {name} {each.simulated_text} months"
        elif each.months.size:
            said = f"{name} {each.middle[-1]:.0f} % at {each.months[-1]:.0f} months"
        else:
            said = f"{name}, nobody to follow"
        parts.append(said + (f", published {each.published_text}" if each.published_text else ""))
    return f"Kaplan-Meier curves of {style.counted_trials(result.replications)}: {'; '.join(parts)}."
