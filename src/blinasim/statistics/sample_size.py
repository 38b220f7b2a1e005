"""Numbers of events and patients for log-rank tests, before anything is simulated. Tests are one-sided.

Schoenfeld, Biometrics 1983;39:499-503: the variance of the log hazard ratio under the null hypothesis, 1 / (D p q).
Lachin and Foulkes, Biometrics 1986;42:507-519: exponential survival, uniform accrual and exponential loss, the
variance of the difference of hazards under both hypotheses.
"""

from dataclasses import dataclass
from math import ceil

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
    """
    _check(hazard_ratio, ratio)
    check_fraction("alpha", alpha)
    check_fraction("power", power)
    share = ratio / (1.0 + ratio)
    return float((ndtri(1.0 - alpha) + ndtri(power)) ** 2 / (share * (1.0 - share) * np.log(hazard_ratio) ** 2))


def schoenfeld_power(hazard_ratio: float, alpha: float, events: float, ratio: float = 1.0) -> float:
    """Power of a log-rank test with so many events; the inverse of `schoenfeld_events`."""
    _check(hazard_ratio, ratio)
    check_fraction("alpha", alpha)
    share = ratio / (1.0 + ratio)
    return float(ndtr(abs(np.log(hazard_ratio)) * np.sqrt(events * share * (1.0 - share)) - ndtri(1.0 - alpha)))


@dataclass(frozen=True)
class LachinFoulkes:
    """Size of a trial with exponential arms, not rounded; `patients_rounded` is what would be enrolled."""

    patients: float
    events: float
    ratio: float

    @property
    def patients_rounded(self) -> int:
        """Patients, up to whole ones in each arm."""
        control = self.patients / (1.0 + self.ratio)
        return ceil(control) + ceil(control * self.ratio)


def lachin_foulkes(
    control_per_year: float,
    treated_per_year: float,
    alpha: float,
    power: float,
    *,
    accrual_years: float,
    duration_years: float,
    loss_per_year: float = 0.0,
    ratio: float = 1.0,
) -> LachinFoulkes:
    """Patients at which the difference of two exponential hazards has a power.

    Parameters
    ----------
    control_per_year, treated_per_year : float
        Hazards.
    alpha, power : float
        One-sided error, and power.
    accrual_years, duration_years : float
        Length of the uniform accrual, and of the whole trial.
    loss_per_year : float
        Hazard of loss to follow-up.
    ratio : float
        Treated patients for each control.

    Raises
    ------
    ValueError
        When hazards are equal, or the trial ends before accrual does.
    """
    if min(control_per_year, treated_per_year) <= 0.0:
        raise ValueError("hazards must be above 0")
    _check(treated_per_year / control_per_year, ratio)
    check_fraction("alpha", alpha)
    check_fraction("power", power)
    if not 0.0 < accrual_years <= duration_years:
        raise ValueError("needs 0 < accrual_years <= duration_years")
    share = ratio / (1.0 + ratio)
    mean = share * treated_per_year + (1.0 - share) * control_per_year

    def seen(hazard: float) -> float:
        return event_probability(hazard, accrual_years, duration_years, loss_per_year)

    null = mean**2 / seen(mean) * (1.0 / share + 1.0 / (1.0 - share))
    alternative = treated_per_year**2 / (share * seen(treated_per_year))
    alternative += control_per_year**2 / ((1.0 - share) * seen(control_per_year))
    reach = ndtri(1.0 - alpha) * np.sqrt(null) + ndtri(power) * np.sqrt(alternative)
    patients = float((reach / (treated_per_year - control_per_year)) ** 2)
    events = patients * (share * seen(treated_per_year) + (1.0 - share) * seen(control_per_year))
    return LachinFoulkes(patients, events, ratio)


def event_probability(hazard: float, accrual_years: float, duration_years: float, loss_per_year: float = 0.0) -> float:
    """Probability that a patient's event is seen: exponential event and loss, uniform accrual."""
    total = hazard + loss_per_year
    least = duration_years - accrual_years
    missed = (np.exp(-total * least) - np.exp(-total * duration_years)) / (total * accrual_years)
    return float(hazard / total * (1.0 - missed))


def _check(hazard_ratio: float, ratio: float) -> None:
    if not 0.0 < hazard_ratio < np.inf or hazard_ratio == 1.0:
        raise ValueError(f"a hazard ratio to be found must be above 0 and not 1, not {hazard_ratio:g}")
    if not 0.0 < ratio < np.inf:
        raise ValueError(f"ratio must be above 0, not {ratio:g}")
