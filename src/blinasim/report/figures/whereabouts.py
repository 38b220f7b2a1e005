"""Where the patients are: stacked areas of their true states."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.report import style
from blinasim.report.words import lower_first
from blinasim.study.simulate import Result
from blinasim.trial.occupancy import State

Floats = NDArray[np.float64]

_LABELS: Final = {
    State.INDUCTION: "Induction",
    State.REMISSION: "Remission",
    State.AFTER_HSCT: "Remission after HSCT",
    State.FAILURE: "Refractory or relapsed",
    State.DEAD: "Dead",
}
_TICK_MONTHS: Final = 3
#: Panel in inches.
_WIDTH: Final = 5.85
_HEIGHT: Final = 3.35
#: Least distance of two figures at the right edge, in per cent of the patients.
_APART: Final = 4.2


def occupancy(result: Result) -> style.Drawing:
    """Draw the share of patients in each true state over the days that a result keeps.

    Parameters
    ----------
    result : Result
        A simulated study; all its trials are pooled, followed beyond their cut-off.

    Returns
    -------
    Drawing
        A matplotlib figure; its ``alt`` is a sentence for those who do not see it.
    """
    patients = int(result.occupancy[:, 0].sum())
    shares = 100 * result.occupancy / patients
    months = np.arange(shares.shape[1]) / DAYS_PER_MONTH
    edges = np.vstack([np.zeros(months.size), np.cumsum(shares, axis=0)])
    with style.house_style():
        drawing = style.blank(7.2, 4.55)
        axes = style.place(drawing, 0.65, 0.5, _WIDTH, _HEIGHT)
        _draw_areas(axes, months, edges)
        for state in State:
            _label_inside(axes, state, months, edges[state], edges[state + 1])
        _label_end(axes, months[-1], shares[:, -1])
        style.heading(
            drawing,
            0.15,
            "Where the patients are",
            f"{style.shortened(result.scenario.title)} · {patients:,} simulated patients, true states, all followed for"
            f" {months[-1]:.0f} months",
        )
    drawing.alt = _alt(patients, months, shares)
    return drawing


def _draw_areas(axes: Axes, months: Floats, edges: Floats) -> None:
    for state in State:
        low, high = edges[state], edges[state + 1]
        axes.fill_between(months, low, high, facecolor=style.STATES[state], edgecolor="white", linewidth=0.8)
    axes.set_xlim(0, months[-1])
    axes.set_ylim(0, 100)
    axes.set_xticks(range(0, int(months[-1] + 0.5) + 1, _TICK_MONTHS))
    axes.set_yticks(range(0, 101, 25), [f"{tick} %" for tick in range(0, 101, 25)])
    axes.set_xlabel("Months since first infusion", labelpad=2)
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_visible(False)


def _label_inside(axes: Axes, state: State, months: Floats, low: Floats, high: Floats) -> None:
    """Write a state's name into its area: level if there is room, else along the area, else upright, else nowhere."""
    text = axes.text(0, 0, _LABELS[state], color=style.ink_on(style.STATES[state]), fontsize=9)
    text.set(ha="center", va="center", rotation_mode="anchor")
    box = style.extent(axes, text)
    across, up = _WIDTH / months[-1], _HEIGHT / 100
    length, thickness = box.width * across + 0.1, box.height * up
    area = (months * across, low * up, high * up)
    for slope in ("level", "along", "upright"):
        if slope == "upright":
            spot = _roomiest(area, thickness, length, along=False)
        else:
            spot = _roomiest(area, length, thickness, along=slope == "along")
        if spot:
            x, y, angle = spot
            text.set_position((x / across, y / up))
            text.set_rotation(90.0 if slope == "upright" else angle)
            return
    text.remove()


def _roomiest(
    area: tuple[Floats, Floats, Floats], length: float, thickness: float, *, along: bool
) -> tuple[float, float, float] | None:
    """Find where a box fits best between two curves, all in inches; near the middle where there is plenty of room.

    Returns
    -------
    tuple of float, or None
        Centre and angle (degrees) of the box; None where it fits nowhere.
    """
    x, low, high = area
    best, best_score = None, 0.0
    along_box = np.linspace(-0.5, 0.5, 25) * length
    for centre in np.arange(length / 2, x[-1] - length / 2, 0.04):
        points = centre + along_box
        middle = (np.interp(points, x, low) + np.interp(points, x, high)) / 2
        slope = float((middle[-1] - middle[0]) / length) if along else 0.0
        points = centre + along_box / np.hypot(1, slope)
        line = slope * (points - centre)
        ceiling = float((np.interp(points, x, high) - line).min())
        floor = float((np.interp(points, x, low) - line).max())
        room = (ceiling - floor) / np.hypot(1, slope) / thickness
        score = min(room, 3.0) - 0.01 * abs(centre / x[-1] - 0.5)
        if room > 1.05 and score > best_score:
            best, best_score = (float(centre), (ceiling + floor) / 2, float(np.degrees(np.arctan(slope)))), score
    return best


def _label_end(axes: Axes, last_month: float, shares: Floats) -> None:
    """Write the final shares beside the areas, pushed up where areas are thin."""
    right = last_month * 1.012
    height = -_APART
    for state, middle in zip(State, np.cumsum(shares) - shares / 2, strict=True):
        if shares[state] > 0:
            height = max(float(middle), height + _APART)
            axes.text(right, height, _percent(shares[state]), va="center_baseline", fontsize=8, clip_on=False)


def _percent(share: float) -> str:
    return f"{share:.0f} %" if share >= 0.5 else "<1 %"


def _alt(patients: int, months: Floats, shares: Floats) -> str:
    def at(month: int) -> str:
        column = shares[:, min(round(month * DAYS_PER_MONTH), shares.shape[1] - 1)]
        named = [f"{lower_first(_LABELS[state])} {_percent(column[state])}" for state in State if column[state]]
        return f"after {month} months {', '.join(named)}"

    return f"States of {patients:,} simulated patients: {at(6)}; {at(round(months[-1]))}."
