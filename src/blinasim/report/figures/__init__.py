"""Figures: pure functions from results to matplotlib figures."""

from blinasim.report.figures.against_published import forest
from blinasim.report.figures.kaplan_meier import survival
from blinasim.report.figures.swimmer import swimmer
from blinasim.report.figures.whereabouts import occupancy

__all__ = ["forest", "occupancy", "survival", "swimmer"]
