"""State occupancy: how many patients are where on each day, counted from histories; counts add up over batches."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import NEVER
from blinasim.model.history import History, or_never


class State(IntEnum):
    """Where a patient is, in the order in which the areas are stacked."""

    INDUCTION = 0
    REMISSION = 1
    AFTER_HSCT = 2  # in remission
    FAILURE = 3  # no remission, or relapsed
    DEAD = 4


def occupancy(history: History, days: int) -> NDArray[np.int64]:
    """Count patients by true state on each day.

    A day belongs to the state in which it ends. A relapsed patient stays in FAILURE, also after a later HSCT.

    Parameters
    ----------
    history : History
        Of P patients.
    days : int
        How many days are counted, from day 0.

    Returns
    -------
    ndarray of int64, shape (len(State), days)
        Each column adds up to the number of patients.
    """
    failure = np.minimum(or_never(history.failure), or_never(history.relapse))
    death = or_never(history.death)
    remission = np.minimum(np.minimum(or_never(history.remission), failure), death)
    hsct = np.where(or_never(history.hsct) < failure, or_never(history.hsct), NEVER)
    reached = {
        State.REMISSION: remission,
        State.AFTER_HSCT: np.minimum(np.minimum(hsct, failure), death),
        State.FAILURE: np.minimum(failure, death),
        State.DEAD: death,
    }
    counts = np.empty((len(State), days), dtype=np.int64)
    counts[State.INDUCTION] = history.death.size
    for state, day in reached.items():
        arrivals = np.bincount(np.minimum(day, days), minlength=days + 1)[:days]
        counts[state] = np.cumsum(arrivals)
    counts[:-1] -= counts[1:]
    return counts
