"""A race of candidates: how far each is behind the best, and which were dropped."""

from __future__ import annotations

from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from blinasim.inference.choice import described
from blinasim.report import style
from blinasim.report.optimization import best_text, estimate_text, limit_text
from blinasim.report.words import share
from blinasim.study.optimize import Optimization, Runner

#: Inches: a line, the widths of labels, panel and text columns, the margin around, the room above and below.
_LINE, _PANEL, _MARGIN, _TOP, _BELOW = 0.2, 2.6, 0.15, 1.15, 0.55
_LETTER: Final = 0.071
_COLUMNS: Final = (0.12, 1.25, 2.0)  # left edges of the text columns, from the right edge of the panel
_RIGHT: Final = 3.3
#: Candidates drawn, and letters of a name.
_DRAWN, _NAME = 40, 72


def race(found: Optimization) -> style.Drawing:
    """Draw how much worse each candidate is than the best, paired, with 95 % intervals.

    Those that could not be told from the best are drawn as found on fresh luck; those dropped in the race are pale, as
    found over the trials that they ran.

    Parameters
    ----------
    found : Optimization
        Of two or more candidates.

    Returns
    -------
    Drawing
        A matplotlib figure; its ``alt`` says which candidate was chosen.
    """
    drawn = found.runners[:_DRAWN]
    names = [style.shortened(one.name, _NAME) for one in drawn]
    labels = 0.25 + _LETTER * max(map(len, names))
    factor = 100.0 if found.objective.unit == "share" else 1.0
    with style.house_style():
        drawing = style.blank(2 * _MARGIN + labels + _PANEL + _RIGHT, _TOP + len(drawn) * _LINE + _BELOW)
        axes = style.place(drawing, _MARGIN + labels, _BELOW, _PANEL, len(drawn) * _LINE)
        _draw(axes, found, drawn, names, labels, factor)
        left_out = len(found.runners) - len(drawn)
        limits = f" Limits: {'; '.join(map(limit_text, found.limits))}." if found.limits else ""
        style.heading(
            drawing,
            _MARGIN,
            style.shortened(f"{found.objective.name}: which settings are best", 62),
            f"{len(found.runners):,} candidates of {found.base.cohort.size:,} patients a trial; "
            f"{described(found.parameters)}.{limits}",
            "Dot and line: paired distance from the best, 95 % interval. Dark: on fresh luck. Pale: dropped in the race"
            f"{f'; {left_out:,} more not drawn' if left_out > 0 else ''}.",
        )
    drawing.alt = best_text(found)
    return drawing


def _draw(
    axes: Axes, found: Optimization, drawn: tuple[Runner, ...], names: list[str], labels: float, factor: float
) -> None:
    axes.set_ylim(len(drawn) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.axvline(0, color=style.MUTED, linewidth=0.9)
    axes.grid(axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    unit = "percentage points" if found.objective.unit == "share" else found.objective.unit
    axes.set_xlabel(f"{found.objective.name} less that of the best, {unit}", labelpad=2)
    # To the left is worse where more is wanted, to the right where less is.
    side = -factor if found.better == "maximize" else factor
    look: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "fontsize": 8, "va": "center_baseline"}
    titles = (found.objective.name, "Trials", "What became of it")
    for left, title in zip(_COLUMNS, titles, strict=True):
        axes.text(1 + left / _PANEL, -0.95, style.shortened(title, 18), color=style.MUTED, **look)
    for y, (one, name) in enumerate(zip(drawn, names, strict=True)):
        is_best, is_in = one is found.best, bool(one.fresh)
        colour = style.CENSORED if is_best else style.SIMULATED if is_in else "#9A9A9A"
        ink = style.PUBLISHED if is_in else style.MUTED
        weight = "bold" if is_best else "normal"
        axes.text(-labels / _PANEL, y, name, color=ink, fontweight=weight, **look)
        gap = one.fresh_gap or one.gap
        if gap is not None:
            if not is_best:
                axes.plot((side * gap.lower, side * gap.upper), (y, y), color=colour, linewidth=1.6, zorder=3)
            marker = "D" if is_best else "o"
            axes.plot([side * gap.mean], [y], marker=marker, markersize=4.6, color=colour, markeredgewidth=0, zorder=4)
        estimate = (one.fresh or one.raced)[found.objective.id]
        verdict = (
            f"{one.verdict}, {share(one.probability)}" if one.verdict in ("best", "not told apart") else one.verdict
        )
        for left, text in zip(_COLUMNS, (estimate_text(found, estimate), f"{one.trials:,}", verdict), strict=True):
            axes.text(1 + left / _PANEL, y, text, color=ink, **look)
