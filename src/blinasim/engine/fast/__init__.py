"""The pathway in array operations: the same lives as ``des``, patient by patient, without SimPy.

Written from SPECIFICATION.md, not from the SimPy engine: there the rules unfold in time, here each is a comparison
of days. That is double programming, and tests hold the two engines equal to the day. Nothing is shared between
patients here, so a scenario with capacity is for ``des`` alone.

The names of days: ``stop`` is when the drug would be stopped for good, ``switch``, ``relapse`` and so on likewise; a
day may lie beyond what really happens, and is compared with what comes before it. Days are int64 throughout and
NEVER or more where something never happens.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from blinasim.engine.fast.calendar import Calendar
from blinasim.engine.fast.course import treat
from blinasim.engine.fast.donors import find_donor, search
from blinasim.engine.fast.induction import induce
from blinasim.engine.lives import Lives
from blinasim.model.codes import HORIZON, NEVER, NONE
from blinasim.model.history import COLUMNS, History

__all__ = ["BLOCK", "walk"]

#: Patients walked at a time: enough to amortise the calls, few enough to stay in the processor's cache.
BLOCK: Final = 10_240
#: Columns that are days, not counts or codes; a day beyond the horizon is written as NONE.
_DAYS: Final = frozenset(COLUMNS) - {"cycles", "infusion_days", "depth", "mrd", "donor", "conditioning", "cause"}


def walk(lives: Lives) -> History:
    """Walk every patient through the clinic.

    Parameters
    ----------
    lives : Lives
        P = replications * patients lives.

    Returns
    -------
    History
        Arrays of shape (P,), equal to those of the SimPy engine.
    """
    calendar = Calendar.of(lives.policy)
    everybody = lives.entry_day.size
    history = {name: np.full(everybody, NONE, dtype=np.int32) for name in COLUMNS}
    for first in range(0, everybody, BLOCK):
        block = slice(first, min(first + BLOCK, everybody))
        _walk_block(lives, calendar, block, history)
    return History(**history)


def _walk_block(lives: Lives, calendar: Calendar, block: slice, history: dict[str, NDArray[np.int32]]) -> None:
    """Live the lives of a block, and write them into the history."""
    induction = induce(lives, calendar, block)
    found, donor = find_donor(lives, calendar, block)
    remitted = np.flatnonzero(induction.remission < NEVER)
    who = block.start + remitted
    treated = treat(lives, calendar, who, induction.remission[remitted], found[remitted], donor[remitted])
    columns = {
        "cycles": induction.cycles,
        "infusion_days": induction.infusion_days,
        "stop": induction.stop,
        "failure": induction.failure,
        "death": induction.death,
        "cause": induction.cause,
    }
    for name, values in columns.items():
        history[name][block] = values
    for name, values in treated.items():
        history[name][who] = values
    for name in _DAYS.intersection([*columns, *treated]):
        day = history[name][block]
        day[day > HORIZON] = NONE
    history["cause"][block][history["death"][block] == NONE] = NONE
    search(lives, calendar, block, history, found, donor)
