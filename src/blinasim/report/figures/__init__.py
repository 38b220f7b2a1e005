"""Figures: pure functions from results to matplotlib figures."""

from blinasim.report.figures.against_published import forest
from blinasim.report.figures.clocks import clocks
from blinasim.report.figures.designs import (
    boundaries,
    duration,
    has_power_curve,
    hazard_ratio_over_time,
    power_curve,
)
from blinasim.report.figures.differences import differences
from blinasim.report.figures.effects import effects
from blinasim.report.figures.flows import flows
from blinasim.report.figures.incidence import cumulative_incidence
from blinasim.report.figures.kaplan_meier import survival
from blinasim.report.figures.optimization import race
from blinasim.report.figures.overlays import overlays
from blinasim.report.figures.patient_flow import patient_flow
from blinasim.report.figures.policies import policies
from blinasim.report.figures.queues import queues
from blinasim.report.figures.ranks import ranks
from blinasim.report.figures.simon_makuch import simon_makuch
from blinasim.report.figures.swimmer import swimmer
from blinasim.report.figures.tornado import tornado
from blinasim.report.figures.value import acceptability, evppi, plane
from blinasim.report.figures.whereabouts import occupancy

__all__ = [
    "acceptability",
    "boundaries",
    "clocks",
    "cumulative_incidence",
    "differences",
    "duration",
    "effects",
    "evppi",
    "flows",
    "forest",
    "has_power_curve",
    "hazard_ratio_over_time",
    "occupancy",
    "overlays",
    "patient_flow",
    "plane",
    "policies",
    "power_curve",
    "queues",
    "race",
    "ranks",
    "simon_makuch",
    "survival",
    "swimmer",
    "tornado",
]
