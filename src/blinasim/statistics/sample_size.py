"""Numbers of events for log-rank tests, before anything is simulated. Tests are one-sided.

Schoenfeld, Biometrics 1983;39:499-503: the variance of the log hazard ratio under the null hypothesis, 1 / (D p q).
"""

import numpy as np
from scipy.special import ndtr, ndtri

from blinasim.statistics.curves import check_fraction


def schoenfeld_events(hazard_ratio: float, alpha: float, power: float, ratio: float = 1.0) -> float:
    """Events at which a log-rank test has a power, not rounded.

    Parameters
    ----------
    hazard_ratio : float
        Under the alternative; not 1.
    alpha : float
        One-sided error.
    power : float
        Power.
    ratio : float
        Patients of one group for each of the other.

    Returns
    -------
    float
        (z[1 - alpha] + z[power]) ** 2 / (p q log(hazard_ratio) ** 2), with p the share of one group and q = 1 - p.

    Raises
    ------
    ValueError
        When the hazard ratio is 1 or not positive, the ratio not positive, or a probability not between 0 and 1.
    """
    _check(hazard_ratio, ratio)
    check_fraction("alpha", alpha)
    check_fraction("power", power)
    share = ratio / (1.0 + ratio)
    return float((ndtri(1.0 - alpha) + ndtri(power)) ** 2 / (share * (1.0 - share) * np.log(hazard_ratio) ** 2))


def schoenfeld_power(hazard_ratio: float, alpha: float, events: float, ratio: float = 1.0) -> float:
    """Power of a log-rank test with so many events; the inverse of `schoenfeld_events`.

    Parameters
    ----------
    hazard_ratio, alpha, ratio
        As for `schoenfeld_events`.
    events : float
        How many.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        As for `schoenfeld_events`.
    """
    _check(hazard_ratio, ratio)
    check_fraction("alpha", alpha)
    share = ratio / (1.0 + ratio)
    return float(ndtr(abs(np.log(hazard_ratio)) * np.sqrt(events * share * (1.0 - share)) - ndtri(1.0 - alpha)))


def _check(hazard_ratio: float, ratio: float) -> None:
    if not 0.0 < hazard_ratio < np.inf or hazard_ratio == 1.0:
        raise ValueError(f"a hazard ratio to be found must be above 0 and not 1, not {hazard_ratio:g}")
    if not 0.0 < ratio < np.inf:
        raise ValueError(f"ratio must be above 0, not {ratio:g}")
