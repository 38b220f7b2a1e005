"""The donor search: when it begins, what it finds, and when it ends."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from blinasim.engine.fast.calendar import Calendar
from blinasim.engine.fast.clocks import Days
from blinasim.engine.lives import Lives
from blinasim.model.codes import HORIZON, NEVER, NONE


def find_donor(lives: Lives, calendar: Calendar, block: slice) -> tuple[Days, Days]:
    """Find the first acceptable donor; ties go to the type written first in the policy.

    Parameters
    ----------
    lives : Lives
        Of all patients.
    calendar : Calendar
        The policy's days.
    block : slice
        B of the patients.

    Returns
    -------
    found : (B,) array of int64
        Days from the start of the search, shortened by any head start; NEVER without a donor.
    donor : (B,) array of int64
        The type; NONE without a donor.
    """
    search_days = lives.fates.donor_search_days[block]
    head_start = np.maximum(lives.fates.head_start_days[block], 0)
    found = np.full(head_start.shape, NEVER, dtype=np.int64)
    donor = np.full(head_start.shape, NONE, dtype=np.int64)
    for kind, from_day in calendar.acceptance.items():
        search = search_days[:, kind]
        ready = np.where(search < NEVER, np.maximum(np.maximum(search, from_day) - head_start, 0), NEVER)
        sooner = ready < found
        np.copyto(found, ready, where=sooner)
        donor[sooner] = kind
    return found, donor


def search_start(
    lives: Lives, calendar: Calendar, who: Days | slice, remission: NDArray[np.integer[Any]]
) -> NDArray[np.integer[Any]]:
    """Day on which the search begins, if it does: at entry, or for a candidate, if alive; shape of ``remission``."""
    if calendar.search_after_cycle is not None:
        remission = np.maximum(remission, calendar.infusion_end(calendar.search_after_cycle))
    return np.where(lives.plan.search_at_entry[who], 0, remission)


def search(
    lives: Lives,
    calendar: Calendar,
    block: slice,
    history: dict[str, NDArray[np.int32]],
    found: Days,
    donor: Days,
) -> None:
    """Write the search into the history: for whom it began, and what it found before it ended.

    Parameters
    ----------
    lives, calendar, block
        As for :func:`find_donor`.
    history : dict of str to (P,) array of int32
        Columns ``search_start``, ``donor_found`` and ``donor`` are written; those that the search depends on are there.
    found, donor : (B,) array of int64
        From :func:`find_donor`.
    """
    at_entry = lives.plan.search_at_entry[block]
    candidate = history["candidacy"][block] != NONE
    start = search_start(lives, calendar, block, history["remission"][block])
    searched = at_entry | candidate
    if calendar.search_after_cycle is not None:
        searched &= (history["death"][block] == NONE) | (start < history["death"][block])
    found_day = start + found
    finds = searched & (found_day <= HORIZON)
    for name, applies in (("death", None), ("failure", None), ("remission", ~candidate)):
        day = history[name][block]
        still = (day == NONE) | (found_day < day)
        finds &= still if applies is None else still | ~applies
    history["search_start"][block] = np.where(searched, start, NONE)
    history["donor_found"][block] = np.where(finds, found_day, NONE)
    history["donor"][block] = np.where(finds, donor, NONE)
