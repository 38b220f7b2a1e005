"""The fate of one patient on SimPy: a row of the arrays that all patients' fates, plans and grafts stand in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from blinasim.engine.lives import Lives


class Fate(NamedTuple):
    """What is settled of one life before it is lived: its fate, what static rules plan, what a graft would do.

    A row of ``Fates``, ``Plan`` and ``Graft``, with their units; lists are by donor type, in the order of ``Donor``.
    """

    early_death_days: int
    early_death_cause: int
    progression_days: int
    stop_infusion_days: int
    response_cycle: int
    depth: int
    deepens: bool
    mrd: int
    relapse_clock_millidays: int
    relapse_speed_rest: int
    relapse_speed_infusion: int
    relapse_speed_other_therapy: int
    relapse_speed_maintenance: int
    relapse_speed_bridging: int
    symptoms_days: int
    remission_death_days: int
    remission_death_cause: int
    switch_days: int
    later_transplant_days: int
    donor_search_days: list[int]
    head_start_days: int
    non_relapse_clock_millidays: int
    non_relapse_cause_early: int
    non_relapse_cause_late: int
    failure_clock_millidays: int
    failure_speed_refractory: int
    failure_speed_relapse: int
    failure_speed_relapse_after_hsct: int
    failure_speed_salvage_graft: int
    candidate: bool
    search_at_entry: bool
    reason: int
    reason_at_entry: int
    conditioning: int
    after_cycles: int
    relapse_speed: list[int]
    relapse_speed_late: list[int]
    plateau_days: int
    non_relapse_speed: list[int]
    non_relapse_speed_late: list[int]
    non_relapse_speed_tail: list[int]
    non_relapse_late_until_days: int


def fates_by_replication(lives: Lives) -> Iterator[list[Fate]]:
    """Yield the fates of the patients of each replication, as plain numbers: Python reads these faster than arrays."""
    columns = [column(lives, name) for name in Fate._fields]
    for first in range(0, lives.replications * lives.patients, lives.patients):
        block = slice(first, first + lives.patients)
        yield [Fate._make(row) for row in zip(*(values[block].tolist() for values in columns), strict=True)]


def column(lives: Lives, name: str) -> NDArray[Any]:
    """Find a column of ``Fate`` in the part of the lives that holds it; no name stands in two of them.

    Returns
    -------
    ndarray
        Shape (P,), or (P, D) for what differs by donor type.

    Raises
    ------
    AttributeError
        If no part has it.
    """
    for part in (lives.fates, lives.plan, lives.graft):
        if hasattr(part, name):
            return np.asarray(getattr(part, name))
    raise AttributeError(name)
