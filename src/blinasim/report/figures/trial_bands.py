"""Curves of many trials as one line and a band, and the patients at risk under them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.report import style
from blinasim.study.simulate import Curves

Floats = NDArray[np.float64]

TICK_MONTHS: Final = 3


@dataclass(frozen=True)
class Band:
    """Median of the trials and the limits that hold 95 % of them, on the days that most trials reach.

    Attributes
    ----------
    held : ndarray of bool, shape (G,)
        Which days of the grid those are, D of them.
    lower, middle, upper : ndarray of float64, shape (D,)
        Quantiles 2.5, 50 and 97.5 % of the trials.
    """

    held: NDArray[np.bool_]
    lower: Floats
    middle: Floats
    upper: Floats

    @classmethod
    def of(cls, curves: Floats) -> Band:
        """Read curves of shape (K, G), NaN beyond the last observation of a trial.

        A trial keeps its last value when its follow-up ends: medians over fewer and fewer trials would rise and fall.
        """
        known = ~np.isnan(curves)
        held = known.any(axis=0) & (2 * known.sum(axis=0) >= known.shape[0])
        if not held.any():
            return cls(held, *np.empty((3, 0)))
        return cls(held, *np.nanquantile(_carried(curves)[:, held], (0.025, 0.5, 0.975), axis=0))


def _carried(curves: Floats) -> Floats:
    columns = np.arange(curves.shape[1])
    last_known = np.maximum.accumulate(np.where(np.isnan(curves), 0, columns), axis=1)
    return np.take_along_axis(curves, last_known, axis=1)


def followed_months(curves: Curves, reach: float = 0.0) -> int:
    """Return the end of an axis in full ticks: most trials still follow somebody, and ``reach`` months fit."""
    followed = 2 * (curves.at_risk > 0).sum(axis=0) > curves.at_risk.shape[0]
    last_day = curves.days[followed].max(initial=0)
    end = int(curves.days[-1] / DAYS_PER_MONTH + 0.5)
    ticks = max(1, int(np.ceil(max(last_day / DAYS_PER_MONTH, reach) / TICK_MONTHS)))
    return min(ticks * TICK_MONTHS, end)


def draw_axes(axes: Axes, last_month: int, since: str) -> None:
    """Give a panel months to the right and per cent upwards."""
    axes.set_xlim(0, last_month)
    axes.set_ylim(0, 100)
    axes.set_xticks(range(0, last_month + 1, TICK_MONTHS))
    axes.set_yticks(range(0, 101, 25), [f"{tick} %" for tick in range(0, 101, 25)])
    axes.grid(axis="y")
    axes.set_xlabel(f"Months since {since}", labelpad=2)


def write_at_risk(axes: Axes, rows: list[tuple[str, str, Curves]], last_month: int, *, top: float, step: float) -> None:
    """Write the median number of patients at risk under the ticks.

    Parameters
    ----------
    axes : Axes
        The panel.
    rows : list of (label, colour, Curves)
        The lines of the table.
    last_month : int
        End of the axis.
    top, step : float
        Where the table's heading stands, and how far one line is below another, as shares of the panel's height.
    """
    gap = -0.045 * last_month  # between the row labels and the first number
    look: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "fontsize": 8, "va": "baseline", "clip_on": False}
    axes.text(gap, -top, "At risk (median)", ha="right", color=style.MUTED, **look)
    for row, (label, colour, curves) in enumerate(rows, start=1):
        axes.text(gap, -top - row * step, label, ha="right", color=colour, **look)
        for month in range(0, last_month + 1, TICK_MONTHS):
            nearest = int(np.abs(curves.days - month * DAYS_PER_MONTH).argmin())
            count = float(np.median(curves.at_risk[:, nearest]))
            axes.text(month, -top - row * step, f"{count:.0f}", ha="center", color=colour, **look)


def whose(trials: int, kept: int) -> str:
    """Say of which trials a band is."""
    return "the trials" if kept == trials else f"the first {kept:,} trials"
