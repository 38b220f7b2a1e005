"""The chart: what is known about a patient on a day. Rules read charts; they never see a fate.

The rules of a scenario read the charts of all patients at once, as they stand at remission; a policy of one's own reads
one patient's chart as it stands on the day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blinasim.model.cohort import Cohort
from blinasim.model.fates import Fates


@dataclass(frozen=True)
class Charts:
    """What is known on the day of remission, of P patients at once; arrays of shape (P,).

    The centre's selection and the patient's wish are known to those who ask on that day. ``fitness``, ``mrd`` and
    ``depth`` are codes of :mod:`blinasim.model.codes`.
    """

    age_years: NDArray[np.int16]
    fitness: NDArray[np.int8]
    prior_hsct: NDArray[np.bool_]
    mrd: NDArray[np.int8]
    depth: NDArray[np.int8]
    selected_despite_age: NDArray[np.bool_]
    selected_despite_prior_hsct: NDArray[np.bool_]
    declines: NDArray[np.bool_]

    @classmethod
    def at_remission(cls, cohort: Cohort, fates: Fates) -> Charts:
        """Open the charts as they would read at a remission."""
        return cls(
            age_years=cohort.age_years,
            fitness=cohort.fitness,
            prior_hsct=cohort.prior_hsct,
            mrd=fates.mrd,
            depth=fates.depth,
            selected_despite_age=fates.selected_despite_age,
            selected_despite_prior_hsct=fates.selected_despite_prior_hsct,
            declines=fates.declines,
        )


@dataclass(frozen=True, slots=True)
class Chart:
    """What is known about one patient today; what a policy of one's own is asked with.

    Attributes
    ----------
    day : int
        Days since the first infusion; today.
    age_years, salvage_lines, blasts_pct, prior_hsct, fitness
        As at enrolment; fitness is good, fair or poor.
    cycles : int
        Cycles begun.
    infusing : bool
        Whether an infusion is under way.
    in_remission : bool
        In remission, as far as is known.
    remission_day : int or None
        Day of the remission, if there has been one.
    depth : {"CR", "CRh"} or None
        Best depth of the remission so far.
    mrd : {"negative", "positive", "unknown"} or None
        MRD as known at remission.
    search_day : int or None
        Day on which the donor search began.
    donor : {"sibling", "unrelated", "haploidentical", "cord"} or None
        Donor found.
    stopped, switched : bool
        Whether the drug was stopped for good, and whether the patient has switched to another therapy.
    excluded_by : str or None
        First reason of the scenario's rules against candidacy, as far as it is known today: before a remission only
        not_offered, age, fitness or prior_hsct.
    usual : object
        What the scenario's own rules would answer to the question asked.
    """

    day: int
    age_years: int
    salvage_lines: int
    blasts_pct: float
    prior_hsct: bool
    fitness: str
    cycles: int
    infusing: bool
    in_remission: bool
    remission_day: int | None
    depth: str | None
    mrd: str | None
    search_day: int | None
    donor: str | None
    stopped: bool
    switched: bool
    excluded_by: str | None
    usual: Any
