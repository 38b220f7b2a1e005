"""What an engine is given: fates, plan and graft speeds of P patients, and the policy that unfolds in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinasim.model.fates import Fates
from blinasim.model.graft import Graft
from blinasim.model.rules import Plan
from blinasim.scenario.settings import Policy


@dataclass(frozen=True)
class Lives:
    """P lives before they are lived; ``entry_day`` is the calendar day of each first infusion, shape (P,)."""

    replications: int
    patients: int
    entry_day: NDArray[np.int32]
    fates: Fates
    plan: Plan
    graft: Graft
    policy: Policy
