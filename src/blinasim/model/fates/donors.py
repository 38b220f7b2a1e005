"""Fates of a donor search: who would be found when, and what the graft would be.

Types of donor stand in the order of ``Donor``; P = R * n patients, as the draws have them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blinasim.luck import Draws
from blinasim.model.codes import NEVER, Donor, Source
from blinasim.model.durations import log_logistic, remainder, whole_days
from blinasim.model.fates.attributes import Attributes
from blinasim.model.parameter_groups import Value
from blinasim.model.parameters import Parameters


def search(patient: Attributes, parameters: Parameters, draws: Draws) -> NDArray[np.int32]:
    """Days of the search at which a donor of each type is ready, (P, D) int32; NEVER where none exists."""
    search = parameters.donor_search
    unrelated = np.where(
        patient.well_matched, search.unrelated_exists_well_matched, search.unrelated_exists_poorly_matched
    )
    by_donor: dict[Donor, tuple[Value, Value]] = {
        Donor.SIBLING: (search.sibling_exists, search.sibling_median_days),
        Donor.UNRELATED: (unrelated, search.unrelated_median_days),
        Donor.HAPLOIDENTICAL: (search.haploidentical_exists, search.haploidentical_median_days),
        Donor.CORD: (search.cord_exists, search.cord_median_days),
    }
    days = np.empty((draws.replications * draws.patients, len(Donor)), dtype=np.int32)
    for donor, (exists, median) in by_donor.items():
        uniform = draws.uniform(f"donor.{donor.name.lower()}")
        found = whole_days(log_logistic(remainder(uniform, exists), median, search.search_shape))
        days[:, donor] = np.where(uniform < exists, found, NEVER).ravel()
    return days


def stem_cell_source(parameters: Parameters, draws: Draws) -> NDArray[np.int8]:
    """Source of the graft that a donor of each type gives, (P, D) int8."""
    search = parameters.donor_search
    uniform = draws.uniform("donor.stem_cell_source")
    source = np.full((uniform.size, len(Donor)), Source.CORD, dtype=np.int8)
    for donor, marrow in (
        (Donor.SIBLING, search.sibling_marrow),
        (Donor.UNRELATED, search.unrelated_marrow),
        (Donor.HAPLOIDENTICAL, search.haploidentical_marrow),
    ):
        source[:, donor] = np.where(uniform < marrow, Source.MARROW, Source.BLOOD).ravel()
    return source


def head_start(parameters: Parameters, draws: Draws) -> NDArray[np.int32]:
    """Days for which a search has been under way at enrolment, log-logistic; -1 without one."""
    search = parameters.donor_search
    uniform = draws.uniform("donor.head_start")
    days = log_logistic(remainder(uniform, search.under_way_share), search.head_start_median_days, search.search_shape)
    return np.where(uniform < search.under_way_share, whole_days(days), -1).astype(np.int32)
