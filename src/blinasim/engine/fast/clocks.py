"""Days until clocks run out at their speeds; exposure on whole days (SPECIFICATION 2)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import ENDLESS_FROM, NEVER

Days = NDArray[np.int64]
Flags = NDArray[np.bool_]


def runs(clock: Days, speed: NDArray[np.integer[Any]]) -> Days:
    """Days until a clock has run out at a speed.

    Parameters
    ----------
    clock : array of int64
        What is left of it, milli-days.
    speed : array of int
        Milli-days a day; at 0 it never runs out.

    Returns
    -------
    array of int64
        Whole days, of the arrays' common shape; NEVER where it does not run out.
    """
    still = (speed == 0) | (clock >= ENDLESS_FROM)
    # In floats, which divide faster: clocks and speeds are so small that a quotient that is not whole lies further from
    # a whole number than rounding can carry it.
    days = np.ceil(clock / np.maximum(speed, 1))
    return np.where(still, NEVER, np.minimum(days, NEVER)).astype(np.int64)


def runs_through(clock: Days, first_end: Days, first: Days, second_end: Days, second: Days, third: Days) -> Days:
    """Days until a clock has run out through three phases.

    Parameters
    ----------
    clock : array of int64
        What is left of it, milli-days.
    first_end, second_end : array of int64
        Last days of the first two phases, counted from now.
    first, second, third : array of int64
        Speeds of the phases, milli-days a day.

    Returns
    -------
    array of int64
        Whole days; at least NEVER where it does not run out.
    """
    in_first = runs(clock, first)
    left = clock - first_end * first
    in_second = first_end + runs(left, second)
    left = left - (second_end - first_end) * second
    in_third = second_end + runs(left, third)
    return np.where(in_first <= first_end, in_first, np.where(in_second <= second_end, in_second, in_third))
