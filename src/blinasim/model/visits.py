"""The protocol's calendar of visits: day 29 of each planned cycle, then at fixed intervals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blinasim.scenario.settings import Policy


def cycle_assessed(day: NDArray[np.int32], policy: Policy) -> NDArray[np.int32]:
    """Return the cycle whose assessment (at the end of its infusion) falls on each day.

    Parameters
    ----------
    day : ndarray of int32
        Days of assessments since the first infusion, any shape.
    policy : Policy
        Its ``cycles`` give the calendar.

    Returns
    -------
    ndarray of int32
        Of the same shape; the first cycle is 1.
    """
    cycles = policy.cycles
    cycle_days = cycles.infusion_days + cycles.rest_days
    return ((day - cycles.infusion_days) // cycle_days + 1).astype(np.int32)


def last_visit(day: NDArray[np.int32], policy: Policy) -> NDArray[np.int32]:
    """Return the last visit on or before each day, and day 0 where there was none yet.

    Parameters
    ----------
    day : ndarray of int32
        Days since the first infusion, any shape.
    policy : Policy
        Its ``cycles`` and ``monitoring`` give the calendar.

    Returns
    -------
    ndarray of int32
        Days, of the same shape.
    """
    cycles = policy.cycles
    first = cycles.infusion_days
    length = cycles.infusion_days + cycles.rest_days
    last_of_cycles = first + length * (cycles.maximum - 1)
    interval = policy.monitoring.visits_every_days
    in_cycles = first + length * ((day - first) // length)
    afterwards = last_of_cycles + interval * ((day - last_of_cycles) // interval)
    visit = np.where(day >= last_of_cycles, afterwards, in_cycles)
    return np.where(day < first, 0, visit).astype(np.int32)
