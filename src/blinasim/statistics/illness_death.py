"""Closed forms of the illness-death model with constant hazards: well, ill (or progressed), dead.

h01 from well to ill, h02 from well to dead, h12 from ill to dead. Meller, Beyersmann and Rufibach, Stat Med
2019;38:4310-4333. They judge simulations and estimators: nothing here is fitted to anything.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from blinasim.statistics.curves import Floats


@dataclass(frozen=True)
class IllnessDeath:
    """Constant hazards, per unit of time, all above 0.

    Attributes
    ----------
    h01, h02, h12 : float
        From well to ill, from well to dead, from ill to dead.
    """

    h01: float
    h02: float
    h12: float

    @property
    def leaving(self) -> float:
        """Hazard of leaving the first state: that of progression-free survival."""
        return self.h01 + self.h02

    def overall_survival(self, time: ArrayLike) -> Floats:
        """Probability of being alive, of the shape of `time`."""
        t = np.asarray(time, dtype=np.float64)
        faster = self.leaving - self.h12
        if abs(faster) < 1e-9:
            ill = self.h01 * t * np.exp(-self.h12 * t)
        else:
            ill = self.h01 / faster * (np.exp(-self.h12 * t) - np.exp(-self.leaving * t))
        return np.asarray(np.exp(-self.leaving * t) + ill)

    @property
    def progression_free_median(self) -> float:
        """Median time in the first state."""
        return float(np.log(2.0) / self.leaving)

    @property
    def overall_median(self) -> float:
        """Median survival."""
        longest = 100.0 / min(self.leaving, self.h12)
        return float(brentq(lambda t: float(self.overall_survival(t)) - 0.5, 0.0, longest, xtol=1e-12))

    @property
    def overall_mean(self) -> float:
        """Mean survival."""
        return float(1.0 / self.leaving + self.h01 / self.leaving / self.h12)
