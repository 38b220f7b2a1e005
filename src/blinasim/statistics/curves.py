"""Step functions of time: the ideas that a batch of trials and a table of daily counts have in common.

Every function works along the last axis, so it serves (R, n) arrays of sorted patients as well as the (D,)
daily grid. A curve is a pair of arrays: `days`, ascending, and the value that holds from each of them on.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]
Counts = NDArray[np.integer[Any]] | NDArray[np.bool_]
Transform = Literal["log-log", "log", "plain"]

RANK_BITS = 4
"""Low bits of a sort key: they hold a rank, the order within a day."""

LAST_RANK = (1 << RANK_BITS) - 1
"""The highest rank."""

NEVER = int(np.iinfo(np.int32).max) >> RANK_BITS
"""Day that stands for "never", about 1.5 million years: the time of a place that belongs to no patient."""

TOLERANCE = 1e-9
"""How far above a level a curve may lie by rounding and still count as having reached it.

Rounding in a product of a few thousand factors stays below 1e-12, while two different values of a curve on n
patients near one half lie about 1 / n apart.
"""


def check_patients(time_days: Integers, member: Bools | None, *others: NDArray[Any]) -> None:
    """Check the times of the members, and that all arrays have one shape.

    Parameters
    ----------
    time_days : array of int
        Days, at least 0 and below `NEVER` for every member; the times of others may be anything.
    member : array of bool or None
        Who belongs to the analysed population; None means everybody.
    *others : array
        More arrays that must have the shape of `time_days`.

    Raises
    ------
    TypeError
        When the times are not whole numbers or `member` is not boolean.
    ValueError
        When shapes differ, or a member's time is negative or too late.
    """
    if time_days.dtype.kind not in "iu":
        raise TypeError(f"times must be whole days (an integer array), not {time_days.dtype}")
    if member is not None:
        check_mask("member", member)
        others = (*others, member)
    for other in others:
        if other.shape != time_days.shape:
            raise ValueError(f"shapes differ: times {time_days.shape}, another array {other.shape}")
    if not lies_within(0, NEVER - 1, time_days, member):
        raise ValueError(f"a time lies outside 0 to {NEVER - 1} days")


def check_whole(code: Integers) -> None:
    """Refuse codes that are no whole numbers.

    Raises
    ------
    TypeError
        Unless their type is one of integers.
    """
    if code.dtype.kind not in "iu":
        raise TypeError(f"codes must be integers, not {code.dtype}")


def lies_within(low: int, high: int, values: Counts, member: Bools | None) -> bool:
    """Whether the members' values lie between two numbers, both included; those of others may be anything."""
    if not values.size or (values.min() >= low and values.max() <= high):
        return True  # as a rule everybody's do, and members need not be picked out
    return member is not None and lies_within(low, high, values[member], None)


def check_mask(name: str, mask: Bools) -> None:
    """Refuse a mask that is not boolean: one of 0 and 1 would index instead of select.

    Raises
    ------
    TypeError
        Unless the array is boolean.
    """
    if mask.dtype != np.bool_:
        raise TypeError(f"{name} must be a boolean array, not {mask.dtype}")


def sorted_rows(
    time_days: Integers, rank: Counts, member: Bools | None
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Sort each row by time, within a day by rank, non-members last.

    Time and rank are packed into one integer key, so that a plain sort of keys does what an argsort and two
    gathers would do, in a fraction of the time. Places at the end that no row needs for its members are cut
    off: a small population costs little.

    Parameters
    ----------
    time_days : (R, n) array of int
        Days.
    rank : (R, n) array of int
        0 to `LAST_RANK`; lower ranks come first on the same day.
    member : (R, n) array of bool or None
        Who is analysed; None means everybody.

    Returns
    -------
    time : (R, m) array of int32
        Sorted days, m the members of the largest row; `NEVER` in places that belong to no patient.
    rank : (R, m) array of int32
        Sorted ranks; `LAST_RANK` in places that belong to no patient.
    at_risk : (R, m) array of int32
        Members from this place on: at the first place all of them, 0 where there is no patient.

    Raises
    ------
    TypeError, ValueError
        As `check_patients`; also when the arrays do not have two axes.
    """
    if time_days.ndim != 2:
        raise ValueError(f"a batch has two axes (trials, patients), not {time_days.ndim}")
    check_patients(time_days, member, rank)
    # Rows in one piece: the order in which sums are rounded must not depend on the layout of the input.
    key = time_days.astype(np.int32, order="C")
    key <<= RANK_BITS
    key |= rank
    rows, places = key.shape
    if member is None:
        n_members = np.full(rows, places, dtype=np.int32)
    else:
        np.maximum(key, ~member * np.int32(np.iinfo(np.int32).max), out=key)
        n_members = member.sum(axis=1, dtype=np.int32)
    key.sort(axis=1)
    key = key[:, : n_members.max(initial=0)]
    at_risk = np.maximum(n_members[:, np.newaxis] - np.arange(key.shape[1], dtype=np.int32), np.int32(0))
    return key >> RANK_BITS, key & LAST_RANK, at_risk


def total(values: Floats) -> Floats:
    """Sum along the last axis, one by one from the left.

    Places behind the last member hold 0 and change nothing then. NumPy's own sum adds in pairs, and its rounding
    depends on how many places there are: on the other trials of a batch.
    """
    if values.shape[-1] == 0:
        return np.zeros(values.shape[:-1])
    running: Floats = np.cumsum(values, axis=-1)
    return running[..., -1]


def kept(at_risk: Integers, events: Counts) -> Floats:
    """Share 1 - d / n that each step leaves; steps with nobody at risk leave everything."""
    lost: Floats = np.divide(events, np.maximum(at_risk, 1), dtype=np.float64)
    return 1.0 - lost


def product_limit(at_risk: Integers, events: Counts) -> Floats:
    """Kaplan-Meier product of 1 - d / n after each step; steps with nobody at risk change nothing.

    Kaplan and Meier, J Am Stat Assoc 1958;53:457-481.

    Parameters
    ----------
    at_risk, events : (..., m) array of int
        Patients at risk n just before, and events d at, each step.

    Returns
    -------
    (..., m) array of float
        Survival after each step.
    """
    return np.cumprod(kept(at_risk, events), axis=-1, dtype=np.float64)


def just_before(values: Floats, start: float) -> Floats:
    """Value just before each step, from the values after each step and the one before all; (..., m) array."""
    before = np.full_like(values, start)
    before[..., 1:] = values[..., :-1]
    return before


def greenwood_terms(at_risk: Integers, events: Counts) -> Floats:
    """Greenwood's terms d / (n (n - d)): what each step adds to the variance of log survival.

    The term of a step that leaves nobody at risk (n = d) would be infinite and is set to 0. Survival is 0
    from there on, so the variance of survival itself is 0 and no later area is multiplied with the term.

    Greenwood, Rep Public Health Med Subj 1926;33:1-26.

    Parameters
    ----------
    at_risk, events : (..., m) array of int
        Patients at risk n just before, and events d at, each step.

    Returns
    -------
    (..., m) array of float
        The terms, in units of 1.
    """
    # Floats first: the product of two counts of a pooled table would not fit an integer.
    denominator = at_risk * np.subtract(at_risk, events, dtype=np.float64)
    left = denominator > 0
    return np.where(left, events, 0) / np.where(left, denominator, 1.0)


def check_fraction(name: str, value: float) -> None:
    """Refuse a value that is no proper fraction.

    Raises
    ------
    ValueError
        Unless 0 < value < 1.
    """
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} must lie between 0 and 1, not {value}")


def normal_quantile(level: float) -> float:
    """Two-sided standard normal quantile of a confidence level, 1.96 for 0.95.

    Raises
    ------
    ValueError
        When the level is not between 0 and 1.
    """
    check_fraction("level", level)
    return float(ndtri(0.5 + level / 2))


def band(survival: Floats, greenwood: Floats, level: float, transform: Transform) -> tuple[Floats, Floats]:
    """Pointwise Greenwood limits of survival, clipped to [0, 1].

    With z the normal quantile and s = sqrt(greenwood), the standard error of log S, the limits are
    S -+ z S s ("plain"), S exp(-+ z s) ("log", the default of R's survfit) and S ** exp(+- z s / -log S)
    ("log-log", the default of SAS LIFETEST). Where S is 1 or 0 its estimated variance is 0 and both limits
    are S, as in lifelines (R leaves those at S = 0 open).

    Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data, 2nd ed. 2002, section 1.4.

    Parameters
    ----------
    survival, greenwood : array of float
        Survival and the sum of Greenwood's terms, one shape.
    level : float
        Confidence level, 0.95 for a 95 % band.
    transform : {"log-log", "log", "plain"}
        Scale on which the band is symmetrical.

    Returns
    -------
    lower, upper : array of float
        Shape of `survival`.

    Raises
    ------
    ValueError
        When the level is not between 0 and 1 or the transform is unknown.
    """
    reach = normal_quantile(level) * np.sqrt(greenwood)
    if transform == "plain":
        return np.maximum(survival * (1.0 - reach), 0.0), np.minimum(survival * (1.0 + reach), 1.0)
    if transform == "log":
        return survival * np.exp(-reach), np.minimum(survival * np.exp(reach), 1.0)
    if transform == "log-log":
        # S = 0 has an infinite hazard, which stretching leaves as it is; S = 1 the smallest number above 0 for it.
        with np.errstate(divide="ignore"):
            hazard = np.maximum(-np.log(survival), np.finfo(np.float64).tiny)
        stretch = np.exp(reach / hazard)
        return np.exp(-hazard * stretch), np.exp(-hazard / stretch)
    raise ValueError(f"unknown transform {transform!r}")


def has_reached(values: Floats, q: float) -> Bools:
    """Where a falling curve has come down to q, an exact q counting despite rounding (`TOLERANCE`).

    Raises
    ------
    ValueError
        When q is not between 0 and 1.
    """
    check_fraction("q", q)
    return values <= q + TOLERANCE


def first_day(days: Integers, reached: Bools) -> Floats:
    """First day on which something holds, along the last axis; inf where it never does.

    Parameters
    ----------
    days : (..., m) array of int
        Days below `NEVER`; later ones are taken as never.
    reached : (..., m) array of bool
        Whether it holds.

    Returns
    -------
    (...) array of float
        Days.
    """
    first = np.where(reached, days, NEVER).min(axis=-1, initial=NEVER)
    return np.where(first < NEVER, first, np.inf)


def value_at(days: Integers, values: Floats, day: float, before: float) -> Floats:
    """Value of step functions on a day, what happens on that day included.

    Parameters
    ----------
    days : (..., m) array of int
        Ascending days on which the curve may change.
    values : (..., m) array of float
        Value from each of these days on; of several equal days the last counts.
    day : float
        The day asked for.
    before : float
        Value before the first day.

    Returns
    -------
    (...) array of float
        Values; beyond the last day the curve stays flat.
    """
    if days.shape[-1] == 0:
        return np.full(days.shape[:-1], before)
    passed = np.count_nonzero(days <= day, axis=-1, keepdims=True)
    last = np.take_along_axis(values, np.maximum(passed - 1, 0), axis=-1)
    return np.where(passed > 0, last, before)[..., 0]


def rectangles(days: Integers, survival: Floats, tau: float) -> Floats:
    """Cut the area under survival on [0, tau] into the rectangles between successive days.

    Parameters
    ----------
    days : (..., m) array of int
        Ascending days.
    survival : (..., m) array of float
        Survival from each of these days on; it is 1 before the first and stays flat after the last.
    tau : float
        End of the area in days, at least 0.

    Returns
    -------
    (..., m + 1) array of float
        Areas in days: before the first day, then after each day.

    Raises
    ------
    ValueError
        When tau is negative or not finite.
    """
    if not 0.0 <= tau < np.inf:
        raise ValueError(f"tau must be a finite number of days, at least 0, not {tau}")
    edges = np.minimum(days, float(tau))
    areas = np.diff(edges, axis=-1, prepend=0.0, append=float(tau))
    areas[..., 1:] *= survival
    return areas


def restricted_mean_variance(areas: Floats, terms: Floats) -> Floats:
    """Greenwood variance of the restricted mean: the sum of A_i ** 2 d_i / (n_i (n_i - d_i)).

    A_i is the area from t_i, a day with d_i events among n_i at risk, to tau.

    Klein and Moeschberger, Survival Analysis, 2nd ed. 2003, formula 4.5.2; the same as R's survRM2.

    Parameters
    ----------
    areas : (..., m + 1) array of float
        What `rectangles` gave, in days.
    terms : (..., m) array of float
        What `greenwood_terms` gave for the same days; those after tau meet an area of 0.

    Returns
    -------
    (...) array of float
        Variance in days squared.
    """
    still_to_come = np.cumsum(areas[..., :0:-1], axis=-1)[..., ::-1]
    return total(still_to_come**2 * terms)
