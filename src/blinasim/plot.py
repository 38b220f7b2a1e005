"""Figures of a result, for notebooks and scripts: ``blinasim.plot.survival(result)``.

Each function returns a matplotlib figure that shows itself in a notebook, has its alternative text as ``alt``,
and is written to a file by `save` with the same bytes each time.
"""

from __future__ import annotations

from blinasim.report import figures
from blinasim.report.rows import rows_of
from blinasim.report.style import Drawing, save
from blinasim.study.simulate import Result

__all__ = ["forest", "occupancy", "save", "survival"]


def survival(result: Result, outcome: str = "os", censored: str | None = "os_cens") -> Drawing:
    """Draw Kaplan-Meier curves of an outcome and of its twin censored at HSCT, beside the published medians."""
    return figures.survival(result, outcome, censored)


def forest(result: Result) -> Drawing:
    """Draw what was published against what was simulated, one line an endpoint."""
    return figures.forest(rows_of(result))


def occupancy(result: Result) -> Drawing:
    """Draw how many patients are in which state on each day."""
    return figures.occupancy(result)
