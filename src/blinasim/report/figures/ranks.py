"""Simulation-based calibration: the distribution of the places of true values, against the uniform one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from blinasim.inference.sbc import OS_12
from blinasim.report import style

if TYPE_CHECKING:
    import pandas as pd

#: Inches.
_WIDTH, _HEIGHT, _TOP, _LEFT, _BOTTOM, _RIGHT = 6.6, 3.6, 0.85, 0.62, 0.5, 1.35
#: Quantities of which as many may leave the band by chance as one in twenty such pictures.
_LEVEL: Final = 0.05


def ranks(rows: pd.DataFrame) -> style.Drawing:
    """Draw how far the places of the true values are from uniform, a line a quantity.

    Parameters
    ----------
    rows : DataFrame
        A row for each abstract and quantity with a column ``place``, as ``benchmarks/sbc.py`` writes them.

    Returns
    -------
    Drawing
        A matplotlib figure; its ``alt`` says how many lines leave the band.
    """
    from scipy import stats  # slow to import

    by_name = {str(name): np.sort(group["place"].to_numpy()) for name, group in rows.groupby("quantity", sort=False)}
    abstracts = max(len(places) for places in by_name.values())
    # The Kolmogorov-Smirnov distance that one of so many quantities exceeds with this probability.
    band = float(stats.kstwo.isf(_LEVEL / len(by_name), abstracts))
    with style.house_style():
        drawing = style.blank(_WIDTH, _HEIGHT)
        axes = style.place(drawing, _LEFT, _BOTTOM, _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM)
        axes.axhspan(-band, band, color=style.GRID, alpha=0.6, linewidth=0)
        axes.axhline(0.0, color=style.MUTED, linewidth=0.8)
        outside = 0
        for name, places in by_name.items():
            upto = np.arange(1, places.size + 1) / places.size - places
            outside += bool(np.abs(upto).max() > band)
            survival = name == OS_12
            axes.step(
                np.concatenate([[0.0], places, [1.0]]),
                np.concatenate([[0.0], upto, [0.0]]),
                where="post",
                color=style.PUBLISHED if survival else style.SIMULATED,
                linewidth=1.6 if survival else 0.5,
                alpha=1.0 if survival else 0.35,
                zorder=3 if survival else 2,
            )
        axes.set_xlim(0.0, 1.0)
        limit = 1.5 * band
        axes.set_ylim(-limit, limit)
        axes.set_xlabel("Place of the true value among the draws")
        axes.set_ylabel("Share at or below, less uniform")
        end: dict[str, Any] = {"fontsize": 8, "va": "center", "transform": axes.get_yaxis_transform()}
        axes.text(1.02, 0.35 * band, "survival at\n12 months", color=style.PUBLISHED, **end)
        axes.text(1.02, -0.35 * band, f"{len(by_name) - 1} parameters", color=style.SIMULATED, **end)
        axes.text(1.02, band, "all inside in\n95 of 100", color=style.MUTED, **end)
        style.heading(
            drawing,
            0.14,
            "The truth lies anywhere among the draws, as it should",
            f"{abstracts} simulated abstracts, each calibrated against; a line a quantity. {outside or 'None'} of "
            f"{len(by_name)}",
            "leave the band in which all stay with a probability of 95 % if the calibration is right.",
        )
        if outside:
            drawing.texts[0].set_text("Where the truth lies among the draws")
    drawing.alt = (
        f"Empirical distribution of the true values' places less the uniform one, {len(by_name)} quantities, "
        f"{abstracts} simulated abstracts: {outside or 'none'} leave the simultaneous 95 % band."
    )
    return drawing
