"""Conditional power: how likely a trial is to succeed, given what one of its looks has found.

Lan and Wittes, Biometrics 1988;44:579-585; Jennison and Turnbull, Group Sequential Methods, 2000, chapter 10.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from blinasim.statistics.curves import Floats


def conditional_power(
    z: ArrayLike, fraction: ArrayLike, final: float, drift: ArrayLike | None = None, *, share: float = 1.0
) -> Floats:
    """Probability of success at the last look, given the statistic at an earlier one.

    Z sqrt(t) moves like a Brownian motion with drift: from z sqrt(t) at the share t of the information to a normal
    variable with mean z sqrt(t) + drift (1 - t) and variance 1 - t at its end (Lan and Wittes, 1988). Looks between
    the two are not counted.

    Parameters
    ----------
    z : float or array of float
        Statistic at the earlier look; large values speak for the treatment.
    fraction : float or array of float
        Its information over the planned maximum, above 0 and below `share`.
    final : float
        Boundary of the statistic at the last look.
    drift : float or array of float, optional
        Mean of the statistic at the last look; by default the current trend, z / sqrt(fraction).
    share : float
        Information at the last look over the planned maximum, 1 by default.

    Returns
    -------
    array of float
        Conditional power, from 0 to 1, of the shape to which `z`, `fraction` and `drift` broadcast.
    """
    statistic, t = np.asarray(z, dtype=np.float64), np.asarray(fraction, dtype=np.float64) / share
    end = statistic / np.sqrt(t) if drift is None else np.asarray(drift, dtype=np.float64)
    return np.asarray(ndtr((statistic * np.sqrt(t) + end * (1.0 - t) - final) / np.sqrt(1.0 - t)))


def conditional_power_boundary(
    power: float, fraction: ArrayLike, final: ArrayLike, drift: ArrayLike | None = None
) -> Floats:
    """Statistic below which the conditional power is below a limit; the inverse of `conditional_power`.

    Parameters
    ----------
    power : float
        The limit, between 0 and 1.
    fraction : float or array of float
        Information at the look over that at the last one, above 0 and below 1.
    final : float or array of float
        Boundary of the statistic at the last look.
    drift : float or array of float, optional
        Mean of the statistic at the last look; by default the current trend.

    Returns
    -------
    array of float
        Boundary at the look, of the shape to which `fraction`, `final` and `drift` broadcast.
    """
    t, end = np.asarray(fraction, dtype=np.float64), np.asarray(final, dtype=np.float64)
    needed = end + ndtri(power) * np.sqrt(1.0 - t)
    if drift is None:  # z sqrt(t) + z (1 - t) / sqrt(t) = z / sqrt(t)
        return np.asarray(needed * np.sqrt(t))
    return np.asarray((needed - np.asarray(drift) * (1.0 - t)) / np.sqrt(t))
