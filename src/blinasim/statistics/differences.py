"""Differences of two groups that need no proportional hazards: restricted means, and survival on a day.

Royston and Parmar, BMC Med Res Methodol 2013;13:152 (restricted mean survival time); Klein, Logan, Harhoff and
Andersen, Stat Med 2007;26:4505-4519 (survival at a fixed point, here on its own scale).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from blinasim.statistics import curves, survival
from blinasim.statistics.curves import Bools, Floats, Integers, normal_quantile


@dataclass(frozen=True, eq=False)
class ArmDifference:
    """A difference, group less others, in each of R trials.

    Attributes
    ----------
    value : (R,) array of float
        The difference; nan where a group is empty.
    standard_error : (R,) array of float
        Its standard error.
    """

    value: Floats
    standard_error: Floats

    @property
    def z(self) -> Floats:
        """Standardised difference, (R,) array; nan where the standard error is 0."""
        known = self.standard_error > 0.0
        return np.where(known, self.value / np.where(known, self.standard_error, 1.0), np.nan)

    @property
    def p_value(self) -> Floats:
        """Two-sided p value, (R,) array."""
        return np.asarray(2.0 * ndtr(-np.abs(self.z)))

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Wald limits, (R,) arrays."""
        reach = normal_quantile(level) * self.standard_error
        return self.value - reach, self.value + reach


def rmst_difference(
    time_days: Integers, event: Bools, group: Bools, member: Bools | None = None, *, tau_days: float
) -> ArmDifference:
    """Difference of restricted mean survival times to tau, days.

    Parameters
    ----------
    time_days, event, group, member
        As for `logrank.log_rank`.
    tau_days : float
        Horizon, days; nan where a group is not followed that long.

    Returns
    -------
    ArmDifference
        Group less others, days; the errors of both by Greenwood's formula, as for `survival.rmst_standard_error`.
    """
    one, other = _fits(time_days, event, group, member)
    errors = [survival.rmst_standard_error(fit, tau_days) for fit in (one, other)]
    difference = survival.rmst(one, tau_days) - survival.rmst(other, tau_days)
    return ArmDifference(_known(difference, (one, other), tau_days), np.hypot(*errors))


def milestone_difference(
    time_days: Integers, event: Bools, group: Bools, member: Bools | None = None, *, day: float
) -> ArmDifference:
    """Difference of Kaplan-Meier survival on a day, with Greenwood's standard errors.

    Parameters
    ----------
    time_days, event, group, member
        As for `logrank.log_rank`.
    day : float
        The milestone, days; its events are included. nan where a group is not followed that long.

    Returns
    -------
    ArmDifference
        Group less others, as shares.
    """
    values, errors = [], []
    both = _fits(time_days, event, group, member)
    for fit in both:
        at = survival.survival_at(fit, day)
        values.append(at)
        errors.append(at * np.sqrt(curves.value_at(fit.time, fit.greenwood, day, before=0.0)))
    return ArmDifference(_known(values[0] - values[1], both, day), np.hypot(*errors))


def _known(difference: Floats, fits: tuple[survival.SurvivalBatch, ...], day: float) -> Floats:
    """Blank the differences of trials in which a group is not followed up to the day."""
    return np.where(np.min([fit.known_until for fit in fits], axis=0) >= day, difference, np.nan)


def _fits(
    time_days: Integers, event: Bools, group: Bools, member: Bools | None
) -> tuple[survival.SurvivalBatch, survival.SurvivalBatch]:
    curves.check_mask("group", group)
    everybody = np.ones(time_days.shape, dtype=np.bool_) if member is None else member
    return survival.fit(time_days, event, everybody & group), survival.fit(time_days, event, everybody & ~group)
