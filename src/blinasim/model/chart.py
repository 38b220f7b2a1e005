"""The chart: what is known about a patient on a day. Rules read charts; they never see a fate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinasim.model.cohort import Cohort
from blinasim.model.fates import Fates


@dataclass(frozen=True)
class Chart:
    """What is known on the day of remission, of P patients at once; arrays of shape (P,).

    The centre's selection and the patient's wish are known to those who ask on that day.
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
    def at_remission(cls, cohort: Cohort, fates: Fates) -> Chart:
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
