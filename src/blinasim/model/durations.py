"""Durations: their distributions, and how they are rounded, once, into whole days and clocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import ENDLESS_CLOCK, ENDLESS_FROM, NEVER, ORDINARY_SPEED
from blinasim.model.parameter_groups import Value

Floats = NDArray[np.float64]

DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = DAYS_PER_YEAR / 12


def whole_days(days: Floats) -> NDArray[np.int32]:
    """Round durations up to whole days, at least one, at most NEVER."""
    return np.clip(_up(days), 1, NEVER).astype(np.int32)


def clock_millidays(days: Floats) -> NDArray[np.int64]:
    """Round a clock of ``days`` up to whole milli-days, at least one; of NEVER days or more it is ENDLESS_CLOCK."""
    clock = np.maximum(_up(days * ORDINARY_SPEED), 1.0)
    return np.where(clock < ENDLESS_FROM, clock, ENDLESS_CLOCK).astype(np.int64)


def _up(values: Floats) -> Floats:
    """Round up; what is no number is nothing times something without end, as of a median of 0 days, and nothing."""
    return np.nan_to_num(np.ceil(values), nan=0.0, posinf=np.inf)


def as_speed(factor: Value) -> NDArray[np.int32]:
    """Turn a ratio to the ordinary speed into whole milli-days a day, at most what an int32 holds."""
    ratio: Floats = np.asarray(factor, dtype=np.float64)
    speed = np.nan_to_num(np.rint(ratio * ORDINARY_SPEED), nan=0.0)  # nothing times something without end is nothing
    return np.asarray(np.minimum(speed, np.iinfo(np.int32).max)).astype(np.int32)


def exponential(uniform: Floats) -> Floats:
    """Unit exponential; a small uniform is an early event."""
    return -np.log1p(-uniform)


def log_logistic(uniform: Floats, median: Value, shape: Value) -> Floats:
    """Log-logistic durations: a falling hazard with a long tail for shapes near 1, a bell for large ones.

    The quantile ``median * (u / (1 - u)) ** (1 / shape)``.

    Parameters
    ----------
    uniform : array of float
        Between 0 and 1; a small one is an early event.
    median, shape : float or array
        The median in any unit, and the shape; they broadcast with ``uniform``.

    Returns
    -------
    array of float
        In the unit of the median.
    """
    return np.asarray(median * (uniform / (1.0 - uniform)) ** (1.0 / np.asarray(shape)))


def exponential_mixture(uniform: Floats, median: Value, long_share: Value, long_speed: Value) -> Floats:
    """Durations of two exponentials, of which one has a clock that runs at another speed.

    Survival at the time x, in means of the first, is ``(1 - w) exp(-x) + w exp(-s x)``.

    Parameters
    ----------
    uniform : array of float
        Between 0 and 1; the highest share ``w`` of them lives by the second.
    median : float or array
        Of all, in any unit.
    long_share, long_speed : float or array
        The share w of the second, and its speed s against 1.

    Returns
    -------
    array of float
        In the unit of the median.
    """
    share = np.asarray(long_share, dtype=np.float64)
    # At 0 a majority of long survivors would have no median.
    speed = np.maximum(np.asarray(long_speed, dtype=np.float64), 1e-100)
    # Survival (1 - w) exp(-x) + w exp(-s x) falls and is convex: from 0 Newton's steps reach one half from the left.
    mean_medians = np.zeros(np.broadcast_shapes(share.shape, speed.shape))
    for _ in range(60):
        short, long = (1.0 - share) * np.exp(-mean_medians), share * np.exp(-speed * mean_medians)
        mean_medians = mean_medians + (short + long - 0.5) / (short + speed * long)
    lives_long = uniform >= 1.0 - share
    left = np.where(
        lives_long, (uniform - (1.0 - share)) / np.maximum(share, 1e-300), uniform / np.maximum(1.0 - share, 1e-300)
    )
    exposure = exponential(np.minimum(left, 1.0 - 2.0**-53))
    return np.asarray(median / mean_medians * exposure / np.where(lives_long, speed, 1.0))


def remainder(uniform: Floats, probability: Value) -> Floats:
    """Return the uniform that is left over where ``uniform < probability``, their ratio; elsewhere one half."""
    left = uniform / np.maximum(probability, 1e-300)
    return np.where((left > 0.0) & (left < 1.0), left, 0.5)


def daily_hazard(probability: Value, days: float) -> Floats:
    """Return the constant daily hazard that gives ``probability`` within ``days``: -log(1 - probability) / days."""
    return np.asarray(-np.log1p(-np.asarray(probability, dtype=np.float64)) / days)


def piecewise(exposure: Floats, edge: Value, before: Floats, after: Floats) -> Floats:
    """Time at which a hazard that changes once has used up an exposure.

    Parameters
    ----------
    exposure : array of float
        Cumulative hazard, such as a unit exponential.
    edge : float or array
        Time of the change, days.
    before, after : array of float
        Hazards a day, up to the change and from it on.

    Returns
    -------
    array of float
        Days; NEVER where the hazard ends before.
    """
    spent = edge * before
    with np.errstate(divide="ignore", invalid="ignore"):
        early = exposure / before
        late = edge + (exposure - spent) / after
    return np.where(exposure <= spent, early, np.where(after > 0, late, NEVER))
