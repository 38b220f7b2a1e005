"""What an engine is given: fates, plan and graft speeds of P patients, and the policy that unfolds in time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from blinasim.luck import Draws
from blinasim.model.fates import Fates
from blinasim.model.graft import Graft
from blinasim.model.history import chosen
from blinasim.model.own_policy import OwnRules
from blinasim.model.rules import Plan
from blinasim.scenario.settings import Capacity, Policy


@dataclass(frozen=True)
class Lives:
    """P = replications * patients lives before they are lived, replication after replication.

    Attributes
    ----------
    replications, patients : int
        How many, and patients of each.
    entry_day : (P,) array of int32
        Calendar day of each first infusion.
    fates : Fates
        What luck and parameters have settled.
    plan : Plan
        What the policy's static rules decide.
    graft : Graft
        Speeds after a transplant, by donor.
    policy : Policy
        Its rules that unfold in time.
    capacity : Capacity
        Places; as many as are asked for by default.
    draws : Draws, optional
        The block's luck, for the other patients where places are counted.
    own : OwnRules, optional
        A policy of the user's own.
    """

    replications: int
    patients: int
    entry_day: NDArray[np.int32]
    fates: Fates
    plan: Plan
    graft: Graft
    policy: Policy
    capacity: Capacity = field(default_factory=Capacity)
    draws: Draws | None = None
    own: OwnRules | None = None

    def graft_of(self, conditioning: int) -> Graft:
        """Return the speeds after a transplant with a conditioning: a policy of one's own may ask for either."""
        return self.graft if self.own is None else self.own.grafts[conditioning]

    def of(self, who: NDArray[np.intp]) -> Lives:
        """Return the lives of some patients alone, as one replication; ``who`` are their numbers, shape (Q,)."""
        return replace(
            self,
            replications=1,
            patients=who.size,
            entry_day=self.entry_day[who],
            fates=chosen(self.fates, who),
            plan=chosen(self.plan, who),
            graft=chosen(self.graft, who),
        )
