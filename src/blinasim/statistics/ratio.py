"""Ratios of two means, and when such a ratio has an interval at all."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ratio:
    """A ratio of two means with Fieller's interval.

    Attributes
    ----------
    value : float
        The ratio; NaN where the denominator is 0.
    lower, upper : float
        Limits of the interval; NaN where it has none.
    bounded : bool
        Whether there is an interval. Where the denominator may be 0 as far as the data tell, the set of ratios
        compatible with them is the whole line, or all of it outside an interval, and no two limits can say so.
    """

    value: float
    lower: float
    upper: float
    bounded: bool


def fieller(
    numerator: float,
    denominator: float,
    variance_numerator: float,
    variance_denominator: float,
    covariance: float,
    reach: float,
) -> Ratio:
    """Return a ratio of means with the interval of Fieller, J R Stat Soc B 1954;16:175.

    The ratios r for which ``(numerator - r * denominator) ** 2 <= reach ** 2 * variance of that difference``.

    Parameters
    ----------
    numerator, denominator : float
        The two means.
    variance_numerator, variance_denominator, covariance : float
        Of the means.
    reach : float
        Standard errors from a mean to its limits, such as 1.96.

    Returns
    -------
    Ratio
        Limits are nan where the interval is not bounded.
    """
    squared = reach**2
    a = denominator**2 - squared * variance_denominator
    b = numerator * denominator - squared * covariance
    c = numerator**2 - squared * variance_numerator
    value = numerator / denominator if denominator != 0.0 else float("nan")
    if not a > 0.0:
        return Ratio(value, float("nan"), float("nan"), bounded=False)
    # With a > 0 the ratio itself satisfies the inequality, and the root is that of a number that is not negative.
    root = np.sqrt(max(b**2 - a * c, 0.0))
    return Ratio(value, float((b - root) / a), float((b + root) / a), bounded=True)
