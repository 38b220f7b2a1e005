"""A tornado: how far an outcome moves as each parameter goes through the 95 % interval of its prior."""

from __future__ import annotations

from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from blinasim.inference.sensitivity import Bearing, OutcomeSensitivity, Sensitivity
from blinasim.report import style
from blinasim.report.sensitivity import percent, sentence
from blinasim.report.words import lower_first, minus

#: Inches: a line, the widths of labels, panel and text columns, the margin around, title and axis of a panel, the top.
_LINE: Final = 0.2
_LABELS: Final = 2.85
_PANEL: Final = 2.6
_RIGHT: Final = 1.85
_COLUMNS: Final = (0.12, 1.05)  # left edges of the text columns, from the right edge of the panel
_MARGIN: Final = 0.12
_TITLE: Final = 0.32
_AXIS: Final = 0.5
_TOP: Final = 0.85
_WIDTH: Final = 2 * _MARGIN + _LABELS + _PANEL + _RIGHT
_HALF_BAR: Final = 0.32
#: Parameters drawn for each outcome.
_DRAWN: Final = 12


def tornado(found: Sensitivity) -> style.Drawing:
    """Draw the parameters that move each outcome most, a panel an outcome.

    Parameters
    ----------
    found : Sensitivity
        The analysis of one or more outcomes.

    Returns
    -------
    Drawing
        A matplotlib figure; its ``alt`` says on what each outcome rests.
    """
    drawn = [(one, one.bearings[:_DRAWN]) for one in found.outcomes]
    height = _TOP + sum(_TITLE + len(bearings) * _LINE + _AXIS for _, bearings in drawn)
    with style.house_style():
        drawing = style.blank(_WIDTH, height)
        top = height - _TOP
        for one, bearings in drawn:
            bottom = top - _TITLE - len(bearings) * _LINE
            axes = style.place(drawing, _MARGIN + _LABELS, bottom, _PANEL, len(bearings) * _LINE)
            _draw_panel(axes, one, bearings)
            top = bottom - _AXIS
        style.heading(
            drawing,
            _MARGIN,
            style.shortened(f"What moves the outcomes: {lower_first(found.scenario.title)}", 70),
            "The outcome with one parameter at the lower (pale) and the upper (dark) end of its prior's 95 % interval,",
            "the others at their centre (line). Italic: the published figures say next to nothing of it.",
        )
    drawing.alt = f"{found.scenario.title}. {' '.join(sentence(one) for one in found.outcomes)}"
    return drawing


def _draw_panel(axes: Axes, one: OutcomeSensitivity, bearings: tuple[Bearing, ...]) -> None:
    factor = 100 if one.outcome.unit == "share" else 1
    axes.set_ylim(len(bearings) - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.grid(axis="x")
    axes.set_xlabel("Per cent" if one.outcome.unit == "share" else one.outcome.unit.capitalize(), labelpad=2)
    look: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "fontsize": 8, "va": "center_baseline"}
    quiet = {**look, "color": style.MUTED}
    axes.text(-_LABELS / _PANEL, -0.95, one.outcome.label, **{**look, "fontsize": 8.5, "fontweight": "bold"})
    if one.spread is not None:
        axes.text(1 + _COLUMNS[0] / _PANEL, -0.95, "Posterior part", **quiet)
        axes.text(1 + _COLUMNS[1] / _PANEL, -0.95, "Contraction", **quiet)
    for y, bearing in enumerate(bearings):
        slant = "italic" if bearing.is_uninformed else "normal"
        axes.text(-_LABELS / _PANEL, y, bearing.name, fontstyle=slant, **look)
        for end, colour in ((bearing.tornado.low, style.SIMULATED_PALE), (bearing.tornado.high, style.SIMULATED)):
            left, right = sorted((factor * one.centre, factor * end))
            axes.add_patch(
                Rectangle((left, y - _HALF_BAR), right - left, 2 * _HALF_BAR, facecolor=colour, linewidth=0, zorder=2)
            )
        if bearing.posterior is not None:
            axes.text(1 + _COLUMNS[0] / _PANEL, y, percent(bearing.posterior.value), **look)
        if bearing.contraction is not None:
            axes.text(1 + _COLUMNS[1] / _PANEL, y, minus(f"{bearing.contraction:.2f}"), **look)
    axes.axvline(factor * one.centre, color=style.PUBLISHED, linewidth=0.9, zorder=3)
    axes.autoscale_view(scaley=False)
