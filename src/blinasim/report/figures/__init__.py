"""Figures: pure functions from results to matplotlib figures."""

from blinasim.report.figures.against_published import forest
from blinasim.report.figures.designs import (
    boundaries,
    duration,
    has_power_curve,
    hazard_ratio_over_time,
    power_curve,
)
from blinasim.report.figures.differences import differences
from blinasim.report.figures.flows import flows
from blinasim.report.figures.kaplan_meier import survival
from blinasim.report.figures.policies import policies
from blinasim.report.figures.queues import queues
from blinasim.report.figures.swimmer import swimmer
from blinasim.report.figures.tornado import tornado
from blinasim.report.figures.whereabouts import occupancy

__all__ = [
    "boundaries",
    "differences",
    "duration",
    "flows",
    "forest",
    "has_power_curve",
    "hazard_ratio_over_time",
    "occupancy",
    "policies",
    "power_curve",
    "queues",
    "survival",
    "swimmer",
    "tornado",
]
