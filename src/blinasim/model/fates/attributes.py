"""What a cohort brings to its fates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import BLAST_BANDS_PCT
from blinasim.model.cohort import Cohort
from blinasim.model.durations import Floats
from blinasim.model.parameter_groups import Value


@dataclass(frozen=True)
class Attributes:
    """The cohort as (R, n) arrays, to meet parameters of shape (R, 1).

    ``older`` is 65 years and over; ``frailty`` multiplies hazards and has the mean 1.
    """

    older: NDArray[np.bool_]
    prior_hsct: NDArray[np.bool_]
    blasts_pct: Floats
    well_matched: NDArray[np.bool_]
    frailty: Floats

    @classmethod
    def of(cls, cohort: Cohort) -> Attributes:
        """Read a cohort of P = R * n patients."""
        shape = (cohort.replications, cohort.patients)
        return cls(
            older=cohort.older.reshape(shape),
            prior_hsct=cohort.prior_hsct.reshape(shape),
            blasts_pct=cohort.blasts_pct.reshape(shape),
            well_matched=cohort.well_matched.reshape(shape),
            frailty=cohort.frailty.reshape(shape),
        )

    def by_blasts(self, below_25: Value, below_50: Value) -> Floats:
        """Return a factor by marrow blasts, shape (R, n): below 25 %, below 50 %, and 1 for 50 % or more."""
        _, low, middle, *_ = BLAST_BANDS_PCT
        return np.where(self.blasts_pct < low, below_25, np.where(self.blasts_pct < middle, below_50, 1.0))
