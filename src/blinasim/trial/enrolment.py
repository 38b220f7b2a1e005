"""Who enters a designed trial on which day, and into which arm: the luck of patients in the order of their entry.

Both go by the patient's number, so that a trial of more patients begins with the same ones in the same arms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blinasim.luck import Draws
from blinasim.model.cohort import Cohort
from blinasim.model.durations import DAYS_PER_MONTH, DAYS_PER_YEAR, exponential, whole_days
from blinasim.scenario.design import AccrualStretch, StratumName

Ints = NDArray[np.int32]

#: The last stretch of accrual goes on for so long, if need be.
_FOR_EVER: Final = 10_000_000.0


def entry_days(accrual: Sequence[AccrualStretch], draws: Draws) -> Ints:
    """Draw the day of entry of every patient, by a Poisson process of piecewise constant rate.

    Parameters
    ----------
    accrual : sequence of AccrualStretch
        Stretches and their rates; the last goes on until all have come.
    draws : Draws
        Luck of R trials of n patients.

    Returns
    -------
    ndarray of int32, shape (R, n)
        Days since the first day of accrual, ascending in each trial.
    """
    expected = np.cumsum(exponential(draws.uniform("design.arrival")), axis=1)
    lengths = [*(stretch.days or 0 for stretch in accrual[:-1]), _FOR_EVER]
    rates = [stretch.patients_per_month / DAYS_PER_MONTH for stretch in accrual]
    edges = np.concatenate([[0.0], np.cumsum(lengths)])
    come = np.concatenate([[0.0], np.cumsum(np.array(lengths) * np.array(rates))])
    days: NDArray[np.float64] = np.floor(np.interp(expected, come, edges))
    return days.astype(np.int32)


def lost_days(loss_per_year: float, draws: Draws) -> Ints:
    """Draw the day since entry on which each patient is lost to follow-up, shape (R, n); a far one where none is."""
    if loss_per_year == 0.0:
        return np.full((draws.replications, draws.patients), np.iinfo(np.int32).max, dtype=np.int32)
    return whole_days(exponential(draws.uniform("trial.loss")) * DAYS_PER_YEAR / loss_per_year)


def strata(factors: Sequence[StratumName], cohort: Cohort) -> NDArray[np.int8]:
    """Return the stratum of each patient.

    Parameters
    ----------
    factors : sequence of str
        Of the allocation, each of two levels.
    cohort : Cohort
        P = R * n patients.

    Returns
    -------
    ndarray of int8, shape (R, n)
        From 0; the last factor changes fastest.
    """
    marks = {
        "age": cohort.older,
        "prior_hsct": cohort.prior_hsct,
        "salvage": cohort.two_or_more_salvage,
        "blasts": cohort.blasts_75,
    }
    stratum = np.zeros(cohort.entry_day.shape, dtype=np.int8)
    for factor in factors:
        stratum = (2 * stratum + marks[factor]).astype(np.int8)
    return stratum.reshape(cohort.replications, cohort.patients)


def allocate(allocation: Sequence[int], block: int, stratum: NDArray[np.int8], draws: Draws) -> NDArray[np.int8]:
    """Allocate patients to arms by permuted blocks within strata, in the order of entry.

    Parameters
    ----------
    allocation : sequence of int
        Patients of each arm in a smallest block.
    block : int
        Smallest blocks in a permuted block.
    stratum : ndarray of int8, shape (R, n)
        Strata.
    draws : Draws
        Luck of R trials of n patients.

    Returns
    -------
    ndarray of int8, shape (R, n)
        The arm of each patient, from 0.
    """
    slots = np.repeat(np.arange(len(allocation), dtype=np.int8), np.array(allocation) * block)
    arm = np.zeros(stratum.shape, dtype=np.int8)
    trials, patients = stratum.shape
    blocks = -(-patients // slots.size)
    for number in np.unique(stratum):
        uniform = draws.luck.uniform(f"design.block.{number}", draws.block, blocks * slots.size)
        order = np.argsort(uniform.reshape(trials, blocks, slots.size), axis=2, kind="stable")
        places = slots[order].reshape(trials, -1)
        here = stratum == number
        which = np.cumsum(here, axis=1) - 1
        arm = np.where(here, np.take_along_axis(places, np.maximum(which, 0), axis=1), arm)
    return arm.astype(np.int8)
