"""Survival curves of the simulated trials, with the published medians and the patients at risk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from numpy.typing import NDArray

from blinasim.inference.targets import Target, load_targets
from blinasim.report import style
from blinasim.report.rows import number
from blinasim.statistics.intervals import PredictiveInterval, predictive_interval
from blinasim.study.simulate import Curves, Result
from blinasim.trial.endpoints import DAYS_PER_MONTH, ENDPOINTS, Survival
from blinasim.trial.outcomes import OUTCOMES

Floats = NDArray[np.float64]
_Outline: TypeAlias = tuple[Floats, Floats]

_TICK_MONTHS: Final = 3
#: Inches: height of the panel, distance of the table's first line from it, and one more line.
_PANEL: Final = 3.6
_TABLE: Final = 0.62
_TABLE_LINE: Final = 0.19
_SINCE: Final = {
    "os": "first infusion", "os_cens": "first infusion", "rfs": "CR/CRh*", "rfs_cens": "CR/CRh*", "after_hsct": "HSCT",
    "after_remission": "CR/CRh*", "cause_after_hsct": "HSCT",
}  # fmt: skip
_HALO: Final = [withStroke(linewidth=2.5, foreground="white")]


@dataclass(frozen=True)
class _Drawn:
    """One outcome, ready to draw: survival in per cent on a grid of months, empty where most trials have none."""

    name: str
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
    def of(cls, result: Result, outcome: str, name: str, colour: str) -> _Drawn:
        curves = result.curves[outcome]
        known = ~np.isnan(curves.survival)
        held = known.any(axis=0) & (2 * known.sum(axis=0) >= known.shape[0])
        lower, middle, upper = 100 * np.nanquantile(curves.survival[:, held], (0.025, 0.5, 0.975), axis=0)
        endpoint = _median_endpoint(outcome)
        return cls(
            name=name,
            colour=colour,
            months=curves.days[held] / DAYS_PER_MONTH,
            middle=middle,
            lower=lower,
            upper=upper,
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
        limits = f"({_months(self.medians.lower)}–{_months(self.medians.upper)})"
        return f"{_months(self.medians.median)} {limits}"

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

    The line is the median of the simulated trials, day by day, the band holds 95 % of them; both end where fewer than
    half of the trials have a value. The thin line is the limit: all trials pooled, without censoring by time.

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
    drawn = [_Drawn.of(result, outcome, title, style.SIMULATED)]
    if censored is not None:
        name = labels[censored].removeprefix(title).strip()
        drawn.append(_Drawn.of(result, censored, name[:1].upper() + name[1:], style.CENSORED))
    last_month = _last_month(drawn[0].curves)
    with style.house_style():
        below = _TABLE + _TABLE_LINE * len(drawn) + 0.1
        drawing = style.blank(7.2, below + _PANEL + 1.0)
        axes = style.place(drawing, 1.35, below, 5.6, _PANEL)
        _draw_axes(axes, last_month, _SINCE.get(outcome, "start"))
        for each in drawn:
            _draw_curve(axes, each)
        _draw_published(axes, drawn)
        _label_curves(axes, drawn, last_month)
        _write_at_risk(axes, drawn, last_month)
        _head(drawing, result, title, any(each.published for each in drawn))
    drawing.alt = _alt(result, drawn)
    return drawing


def _head(drawing: style.Drawing, result: Result, title: str, published: bool) -> None:
    trials, patients = style.counted_trials(result.replications), result.scenario.cohort.size
    rough = " (rough: few trials)" if result.replications < style.ENOUGH_TRIALS else ""
    band = f"Line and band: median of the trials and their 95 % predictive interval{rough}."
    diamond = " Diamond: published median with its 95 % confidence interval." if published else ""
    style.heading(
        drawing,
        0.15,
        f"{title}, published and simulated" if published else f"{title}, simulated",
        f"{result.scenario.title} · {trials} of {patients:,} patients",
        band,
        f"Thin line: limit, all trials pooled without censoring by time.{diamond}",
    )


def _median_endpoint(outcome: str) -> str | None:
    for endpoint in ENDPOINTS:
        if isinstance(endpoint, Survival) and endpoint.outcome == outcome and endpoint.summary == "median":
            return endpoint.id
    return None


def _months(value: float) -> str:
    return "n.r." if np.isinf(value) else number(value, "months")


def _last_month(curves: Curves) -> int:
    """Return the end of the axis: the last day on which most trials still follow somebody, in full ticks."""
    followed = 2 * (curves.at_risk > 0).sum(axis=0) > curves.at_risk.shape[0]
    last_day = curves.days[followed].max(initial=0)
    end = int(curves.days[-1] / DAYS_PER_MONTH + 0.5)
    ticks = max(1, int(np.ceil(last_day / DAYS_PER_MONTH / _TICK_MONTHS)))
    return min(ticks * _TICK_MONTHS, end)


def _draw_axes(axes: Axes, last_month: int, since: str) -> None:
    axes.set_xlim(0, last_month)
    axes.set_ylim(0, 100)
    axes.set_xticks(range(0, last_month + 1, _TICK_MONTHS))
    axes.set_yticks(range(0, 101, 25), [f"{tick} %" for tick in range(0, 101, 25)])
    axes.grid(axis="y")
    axes.set_xlabel(f"Months since {since}", labelpad=2)


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
            axes.plot(
                each.published.interval, (height, height), color=each.colour, linewidth=1.3, zorder=5,
                marker="|", markersize=6, markeredgewidth=1.3, path_effects=_HALO,
            )  # fmt: skip
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
    higher, *others = sorted(present, key=lambda each: -each.middle.mean())
    texts = [_place_above(axes, higher, ceiling, last_month, 98.0)]
    for other in others:
        if _place_below(axes, other, floor, last_month) is None:
            texts.append(_place_above(axes, other, ceiling, last_month, style.extent(axes, texts[-1]).y0 - 2))


def _outlines(drawn: list[_Drawn], last_month: int) -> tuple[_Outline, _Outline]:
    """Return the lower and the upper edge of all that is drawn, on a fine grid of months."""
    grid = np.linspace(0, last_month, 181)
    limits = [np.interp(grid, each.limit_months, each.limit) for each in drawn]
    lower = [np.interp(grid, each.months, each.lower) for each in drawn]
    upper = [np.interp(grid, each.months, each.upper) for each in drawn]
    return (grid, np.min(lower + limits, axis=0)), (grid, np.max(upper + limits, axis=0))


def _text(axes: Axes, drawn: _Drawn, **where: str) -> Text:
    look: dict[str, Any] = {
        "color": drawn.colour,
        "fontsize": 8.5,
        "linespacing": 1.3,
        "path_effects": _HALO,
        "zorder": 7,
    }
    return axes.text(0, 0, drawn.label, **look, **where)


def _place_above(axes: Axes, drawn: _Drawn, ceiling: _Outline, last_month: int, top: float) -> Text:
    """Write above the ceiling, as near to it as there is room under ``top``, in the right half."""
    text = _text(axes, drawn, ha="left", va="bottom")
    box = style.extent(axes, text)
    left = max(0.0, min(0.42 * last_month, last_month - box.width))
    highest = float(ceiling[1][ceiling[0] >= left].max())
    text.set_position((left, max(0.0, min(max(highest + 2, 54), top - box.height))))
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


def _write_at_risk(axes: Axes, drawn: list[_Drawn], last_month: int) -> None:
    where = axes.get_xaxis_transform()
    gap = -0.045 * last_month  # between the row labels and the first number
    top, step = -_TABLE / _PANEL, -_TABLE_LINE / _PANEL
    look: dict[str, Any] = {"transform": where, "fontsize": 8, "va": "baseline", "clip_on": False}
    axes.text(gap, top, "At risk (median)", ha="right", color=style.MUTED, **look)
    for row, each in enumerate(drawn, start=1):
        axes.text(gap, top + row * step, each.name, ha="right", color=each.colour, **look)
        for month in range(0, last_month + 1, _TICK_MONTHS):
            nearest = int(np.abs(each.curves.days - month * DAYS_PER_MONTH).argmin())
            count = float(np.median(each.curves.at_risk[:, nearest]))
            axes.text(month, top + row * step, f"{count:.0f}", ha="center", color=each.colour, **look)


def _alt(result: Result, drawn: list[_Drawn]) -> str:
    parts = []
    for each in drawn:
        said = f"median {style.lower_first(each.name)}"
        simulated = each.simulated_text or "not estimable,"
        published = f", published {each.published_text}" if each.published_text else ""
        parts.append(f"{said} {simulated} months{published}")
    return f"Kaplan-Meier curves of {style.counted_trials(result.replications)}: {'; '.join(parts)}."
