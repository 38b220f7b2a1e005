"""From where to where patients move between two policies: an alluvial of their standings at 24 months."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from numpy.typing import NDArray

from blinasim.report import style
from blinasim.report.comparison import DRAWN_AGAIN, STANDINGS, stayed
from blinasim.report.words import share
from blinasim.study.comparison import Comparison, Pairs
from blinasim.study.contrasts import Standing

Floats = NDArray[np.float64]

#: Inches: the panel, the labels at its sides, and the air between two standings.
_WIDTH: Final = 2.6
_HEIGHT: Final = 4.0
_SIDE: Final = 2.3
_AIR: Final = 0.17
_TOP: Final = 1.5
#: Width of a standing's bar, as a share of the panel; and the thinnest way drawn, inches.
_BAR: Final = 0.05
_THINNEST: Final = 0.012
#: Letters of a scenario's name that a side holds.
_NAME: Final = 30
_LAST_ALIVE: Final = Standing.ALIVE_AFTER_FAILURE
_GAINED, _LOST, _ELSE, _STAYED = style.SIMULATED, style.OUTSIDE, "#8A8A8A", "#E4E4E4"


def flows(comparison: Comparison, policy: str | None = None) -> style.Drawing:
    """Draw where the same patients stand at 24 months under the reference and under a policy, under shared luck.

    Parameters
    ----------
    comparison : Comparison
        A comparison of two or more scenarios.
    policy : str, optional
        Name of the policy; where there is one only, it need not be named.

    Returns
    -------
    Drawing
        A matplotlib figure; its ``alt`` is a sentence for those who do not see it.

    Raises
    ------
    BlinasimError
        If there is no such policy, or several and none is named.
    ValueError
        If its patients are others than the reference's: none of them stands in two places.
    """
    contrast = comparison.contrast(policy)
    if contrast.pairs is None:
        raise ValueError(f"{contrast.name} has other patients than {comparison.reference.name}: there are no flows")
    pairs = contrast.pairs
    shares = pairs.flows / pairs.flows.sum()
    with style.house_style():
        drawing = style.blank(_WIDTH + 2 * _SIDE, _HEIGHT + _TOP + 0.2)
        axes = style.place(drawing, _SIDE, 0.2, _WIDTH, _HEIGHT)
        axes.set_xlim(0, 1)
        axes.set_ylim(-_HEIGHT, 0)
        axes.set_axis_off()
        left, right = _stack(shares.sum(axis=1)), _stack(shares.sum(axis=0))
        _draw_ways(axes, shares, left, right)
        _draw_side(axes, left, shares.sum(axis=1), at=0.0)
        _draw_side(axes, right, shares.sum(axis=0), at=1.0)
        _head(drawing, comparison, contrast.name, pairs)
    drawing.alt = _alt(comparison, contrast.name, pairs)
    return drawing


def _stack(shares: Floats) -> Floats:
    """Return the upper edge of each standing's bar, inches from the top: the best standing first."""
    scale = _scale()
    return np.asarray(-np.concatenate(([0.0], np.cumsum(shares * scale + _AIR)[:-1])))


def _scale() -> float:
    """Inches of all patients."""
    return _HEIGHT - _AIR * (len(Standing) - 1)


def _draw_ways(axes: Axes, shares: Floats, left: Floats, right: Floats) -> None:
    """Draw the ways, those who stay first, under the others."""
    scale = _scale()
    out, into = left.copy(), right.copy()
    drawn = []
    for source in Standing:
        for target in Standing:
            thick = scale * shares[source, target]
            if thick > 0:
                drawn.append((source != target, _colour(source, target), out[source], into[target], thick))
            out[source] -= thick
            into[target] -= thick
    for moves, colour, start, end, thick in sorted(drawn, key=lambda way: way[0]):
        axes.add_patch(
            PathPatch(
                _ribbon(start, end, max(thick, _THINNEST)), facecolor=colour, linewidth=0, alpha=0.85 if moves else 1.0
            )
        )


def _colour(source: Standing, target: Standing) -> str:
    if source == target:
        return _STAYED
    was, now = source <= _LAST_ALIVE, target <= _LAST_ALIVE
    return _ELSE if was == now else _GAINED if now else _LOST


def _ribbon(start: float, end: float, thick: float) -> Path:
    near, far, middle = _BAR, 1 - _BAR, 0.5
    points = [
        (near, start), (middle, start), (middle, end), (far, end),
        (far, end - thick), (middle, end - thick), (middle, start - thick), (near, start - thick), (near, start),
    ]  # fmt: skip
    curve = Path.CURVE4
    return Path(points, [Path.MOVETO, curve, curve, curve, Path.LINETO, curve, curve, curve, Path.CLOSEPOLY])


def _draw_side(axes: Axes, tops: Floats, shares: Floats, *, at: float) -> None:
    """Draw the bars of one side and write beside them who stands there."""
    there = [standing for standing in Standing if shares[standing] > 0]
    thick = _scale() * shares
    middles = [float(tops[standing] - thick[standing] / 2) for standing in there]
    for standing, height in zip(there, style.apart(middles, _AIR, -_HEIGHT + 0.04, -0.04), strict=True):
        bar = (at - _BAR * at, float(tops[standing] - thick[standing]))
        axes.add_patch(Rectangle(bar, _BAR, float(thick[standing]), facecolor=style.REFERENCE, linewidth=0))
        look: dict[str, Any] = {"fontsize": 8, "va": "center_baseline", "clip_on": False}
        text = f"{STANDINGS[standing]}  {100 * shares[standing]:.1f} %"
        if at:
            text = f"{100 * shares[standing]:.1f} %  {STANDINGS[standing]}"
        axes.text(1.03 if at else -0.03, height, text, ha="left" if at else "right", **look)


def _head(drawing: style.Drawing, comparison: Comparison, policy: str, pairs: Pairs) -> None:
    style.heading(
        drawing,
        0.15,
        "Where the same patients stand at 24 months",
        f"{pairs.touched.patients:,} simulated patients, each living both with the same luck",
        f"Under shared luck {_moved(pairs.flows)} end elsewhere; with luck {DRAWN_AGAIN}, {_moved(pairs.flows_again)}.",
        f"So do {_moved(comparison.reference_again.flows)} in the reference itself, drawn again in the same way.",
    )
    for left, colour, text in (
        (0.15, _GAINED, "alive instead of dead"),
        (1.85, _LOST, "dead instead of alive"),
        (3.55, _ELSE, "elsewhere"),
        (4.55, "#A8A8A8", "the same"),
    ):
        style.write(drawing, left, 1.0, "■", fontsize=8, color=colour)
        style.write(drawing, left + 0.13, 1.0, text, fontsize=8)
    for left, name, side in ((_SIDE, comparison.reference.name, "right"), (_SIDE + _WIDTH, policy, "left")):
        style.write(drawing, left, 1.28, style.shortened(name, _NAME), fontsize=8, fontweight="bold", ha=side)


def _moved(counts: NDArray[np.int64]) -> str:
    return share(1 - stayed(counts))


def _alt(comparison: Comparison, policy: str, pairs: Pairs) -> str:
    shares = pairs.flows / pairs.flows.sum()
    alive = slice(0, _LAST_ALIVE + 1)
    dead = slice(_LAST_ALIVE + 1, None)
    return (
        f"Flows of {pairs.touched.patients:,} patients from {comparison.reference.name} to {policy}, shared luck: "
        f"at 24 months {100 * shares[dead, alive].sum():.2f} % are alive instead of dead, "
        f"{100 * shares[alive, dead].sum():.2f} % dead instead of alive; "
        f"{share(stayed(pairs.flows))} stand where they did."
    )
