"""The days of the policy: infusions, cycles due, visits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blinasim.engine.fast.clocks import Days
from blinasim.model.codes import NEVER, Donor
from blinasim.scenario.settings import AfterCycle, Policy


@dataclass(frozen=True)
class Calendar:
    """The policy's days, counted from the first infusion, and its cycles by number: the first is 1."""

    infusion: int
    cycle: int
    cycles: int
    induction_cycles: int  # after so many, no response is a failure
    maintenance: int
    visits: int
    search_after_cycle: int | None
    preparation: int
    earliest_cycle: int
    latest_cycle: int | None
    finishes_infusions: bool
    acceptance: dict[Donor, int]

    @classmethod
    def of(cls, policy: Policy) -> Calendar:
        """Read the calendar off a policy."""
        cycles, transplant, starts = policy.cycles, policy.transplant, policy.donor_search.starts
        return cls(
            infusion=cycles.infusion_days,
            cycle=cycles.infusion_days + cycles.rest_days,
            cycles=cycles.maximum,
            induction_cycles=cycles.stop_without_response_after,
            maintenance=cycles.maintenance.days,
            visits=policy.monitoring.visits_every_days,
            search_after_cycle=starts.after_cycle if isinstance(starts, AfterCycle) else None,
            preparation=transplant.preparation_days,
            earliest_cycle=transplant.earliest_cycle,
            latest_cycle=transplant.latest_cycle,
            finishes_infusions=transplant.finish_infusion,
            acceptance={Donor[name.upper()]: day for name, day in policy.donor_search.accept_from_day.items()},
        )

    def infusion_end(self, number: int) -> int:
        """Day on which the infusion of a cycle ends."""
        return self.infusion + (number - 1) * self.cycle

    def due_after(self, number: int) -> int:
        """Day on which the cycle after this one is due."""
        return number * self.cycle

    def infused(self, day: Days) -> Days:
        """Days of infusion given before ``day`` to a patient whom nothing delays or stops."""
        cycle, within = parts(day, self.cycle)
        given = cycle * self.infusion + np.minimum(within, self.infusion)
        return np.asarray(np.minimum(given, self.cycles * self.infusion))

    def begun(self, day: Days) -> Days:
        """Cycles begun before ``day`` by a patient whom nothing delays or stops."""
        return np.minimum(-(-day // self.cycle), self.cycles)

    def day_of_infusion(self, count: Days) -> Days:
        """Day on which so many days of infusion have been given; NEVER if that is more than all cycles hold."""
        cycle, within = parts(count - 1, self.infusion)
        return np.where(cycle < self.cycles, cycle * self.cycle + within + 1, NEVER)

    def visit(self, day: Days) -> Days:
        """First visit that is not before ``day``."""
        last = self.infusion_end(self.cycles)
        in_cycles = self.infusion + self.cycle * np.maximum(-((self.infusion - day) // self.cycle), 0)
        afterwards = last + self.visits * -((last - day) // self.visits)
        return np.where(day <= last, in_cycles, afterwards)


def parts(day: Days, length: int) -> tuple[Days, Days]:
    """Whole stretches of so many days, and the days beyond them: ``divmod``, which NumPy has not made fast."""
    whole = day // length
    return whole, day - whole * length
