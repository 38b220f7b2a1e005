"""A patient's body on SimPy: clocks that run out, blows that fall, and waiting for them; the protocol is in ``des``.

A *moment* is a day and a place in the order of that day. A body waits until a moment, or until something befalls before
it. What would befall first is a matter of comparing fates, so nothing is raced: one timeout per wait.
"""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import simpy
from simpy.exceptions import Interrupt

from blinasim.engine.fate import Fate
from blinasim.model.codes import EARLY_AFTER_HSCT_DAYS, ENDLESS_FROM, HORIZON, NEVER, NONE, Cause, Donor, Event
from blinasim.model.history import LogEntry
from blinasim.scenario.settings import AfterCycle, Policy

Process: TypeAlias = Generator[simpy.Event, Any, Any]

#: One day on SimPy's clock has two ticks for each event, in the order of the day: for the event, and for the ward round
#: that may follow it.
TICKS = 2 * len(Event)
EVENTS = tuple(Event)


def at(day: int, event: Event) -> int:
    """Return the moment of an event on a day: days, and the order of the day within them."""
    return day * TICKS + 2 * event


def after(day: int, event: Event) -> int:
    """Return the moment right after an event of the day has come for every patient."""
    return at(day, event) + 1


def event_at(moment: int) -> Event:
    """Return the event of a moment."""
    return EVENTS[moment % TICKS // 2]


END = at(HORIZON, Event.HORIZON)
NEVER_MOMENT = NEVER * TICKS


@dataclass(frozen=True)
class Protocol:
    """The policy's rules that unfold in time, as plain numbers; days count from the first infusion."""

    maximum_cycles: int
    infusion_days: int
    cycle_days: int
    last_cycle_without_response: int
    maintenance_days: int
    visits_every_days: int
    #: Day before which no candidate's search begins.
    search_day: int
    preparation_days: int
    earliest_cycle: int
    #: Last day on which an on-study transplant may be meant to take place.
    latest_transplant_day: int
    finish_infusion: bool
    cycles_while_waiting: bool
    give_up_after_days: int
    #: Donor types in the order that breaks ties, each with the day of the search from which it is acceptable.
    acceptance: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, policy: Policy) -> Protocol:
        """Read a policy."""
        cycles, search, transplant = policy.cycles, policy.donor_search, policy.transplant
        cycle_days = cycles.infusion_days + cycles.rest_days
        search_day = 0
        if isinstance(search.starts, AfterCycle):
            search_day = (search.starts.after_cycle - 1) * cycle_days + cycles.infusion_days
        give_up = transplant.waiting.give_up_after_days
        return cls(
            maximum_cycles=cycles.maximum,
            infusion_days=cycles.infusion_days,
            cycle_days=cycle_days,
            last_cycle_without_response=cycles.stop_without_response_after,
            maintenance_days=cycles.maintenance.days,
            visits_every_days=policy.monitoring.visits_every_days,
            search_day=search_day,
            preparation_days=transplant.preparation_days,
            earliest_cycle=transplant.earliest_cycle,
            latest_transplant_day=NEVER if transplant.latest_cycle is None else transplant.latest_cycle * cycle_days,
            finish_infusion=transplant.finish_infusion,
            cycles_while_waiting=transplant.waiting.cycles,
            give_up_after_days=NEVER if give_up is None else give_up,
            acceptance=tuple(
                (int(Donor[name.upper()]), day) for name, day in policy.donor_search.accept_from_day.items()
            ),
        )

    def visit_on_or_after(self, day: int) -> int:
        """Return the first visit that is not before ``day``: day 29 of each planned cycle, then the later visits."""
        first = self.infusion_days
        last_of_cycles = first + self.cycle_days * (self.maximum_cycles - 1)
        if day <= last_of_cycles:
            return first + self.cycle_days * max(0, -(-(day - first) // self.cycle_days))
        return last_of_cycles + self.visits_every_days * -(-(day - last_of_cycles) // self.visits_every_days)


class Body:
    """What happens to a patient whatever the clinic does: fate, state, clocks and story."""

    def __init__(
        self,
        env: simpy.Environment,
        protocol: Protocol,
        number: int,
        entry_day: int,
        fate: Fate,
        log: list[LogEntry] | None,
    ) -> None:
        self.env = env
        self.protocol = protocol
        self.number = number
        self.log = log
        self.birth = entry_day * TICKS
        self.moment = self.day = 0
        self.fate = fate
        # The story so far
        self.cycles = self.cycle_began = 0
        self.cycle_starts = [NONE] * protocol.maximum_cycles
        self.infused_days = 0
        self.stop = self.failure = self.remission = self.depth = self.deepening = NONE
        self.candidacy = self.search_start = self.donor_found = self.donor = self.switch = self.hsct = NONE
        self.conditioning = self.maintenance = NONE
        self.relapse = self.relapse_detected = self.death = self.cause = NONE
        # The clinic's view
        self.searching = False
        self.interruptible = False
        # What would befall next: a moment of each kind, and the first of them
        self.relapse_moment = self.switch_moment = self.detection_moment = NEVER_MOMENT
        self.progression_moment = at(self.fate.progression_days, Event.PROGRESSION)
        self.relapse_clock = self.fate.relapse_clock_millidays  # what is left of it
        self.relapse_clock_since = self.relapse_speed = 0
        self.graft_death = NEVER
        self.dies_by(self.fate.early_death_days, self.fate.early_death_cause)
        self.care: simpy.Process = env.process(self.life())

    def life(self) -> Process:
        """Live, as the protocol has it; the care that a donor search may interrupt."""
        raise NotImplementedError

    def leave(self) -> None:
        """Let go, dying, of all that the clinic holds for the patient."""
        raise NotImplementedError

    # --- clocks --------------------------------------------------------------------------------------

    def run_relapse_clock(self, speed: int) -> None:
        """Spend the relapse clock up to today at its old speed; let it run on at the new one."""
        if self.relapse != NONE:
            return
        today = self.day
        self.relapse_clock -= (today - self.relapse_clock_since) * self.relapse_speed
        self.relapse_clock_since, self.relapse_speed = today, speed
        self.relapse_moment = at(today + days_of(self.relapse_clock, speed), Event.RELAPSE)
        self.look_ahead()

    def dies_by(self, day: int, cause: int) -> None:
        """Death is due on ``day``, unless the risk that a graft brought falls before it."""
        if self.graft_death < day:
            early = self.graft_death - self.hsct <= EARLY_AFTER_HSCT_DAYS
            day = self.graft_death
            cause = self.fate.non_relapse_cause_early if early else self.fate.non_relapse_cause_late
        self.death_moment, self.death_cause_due = at(day, Event.DEATH), cause
        self.look_ahead()

    def days_to_relapse_after_graft(self) -> int:
        """Return the days from the transplant until what is left of the relapse clock has run out."""
        return runs_out(
            self.relapse_clock,
            (self.fate.plateau_days, self.fate.relapse_speed[self.donor]),
            (NEVER, self.fate.relapse_speed_late[self.donor]),
        )

    def days_to_non_relapse_death(self) -> int:
        """Return the days from the transplant until the clock of non-relapse death has run out."""
        return runs_out(
            self.fate.non_relapse_clock_millidays,
            (EARLY_AFTER_HSCT_DAYS, self.fate.non_relapse_speed[self.donor]),
            (self.fate.non_relapse_late_until_days, self.fate.non_relapse_speed_late[self.donor]),
            (NEVER, self.fate.non_relapse_speed_tail[self.donor]),
        )

    def look_ahead(self) -> None:
        """Note which blow would fall first."""
        self.blow = min(
            self.death_moment,
            self.relapse_moment,
            self.progression_moment,
            self.switch_moment,
            self.detection_moment,
        )

    # --- waiting -------------------------------------------------------------------------------------

    def wait(self, moment: int) -> Process:
        """Wait until a moment, or what befalls before it, or a call (a donor, a place); return the event that came.

        A relapse nobody has detected changes nothing for the clinic, so the wait goes on through it.
        """
        while True:
            target = min(moment, self.blow, END)
            assert target >= self.moment, f"patient {self.number} waits on day {self.day} for what is past"
            try:
                yield self.env.timeout(target - self.moment)
            except Interrupt as call:
                self.wake()
                called_for: Any = call.cause
                return Event(called_for)
            self.wake()
            if target == END:
                return Event.HORIZON
            if target != self.blow:
                return event_at(target)
            came = self.befall()
            if came != Event.RELAPSE:
                return came

    def befall(self) -> Event:
        """What fate had for this moment happens."""
        came = event_at(self.blow)
        today = self.day
        if came == Event.DEATH:
            self.death, self.cause = today, self.death_cause_due
            self.note(Event.DEATH, self.cause)
            self.leave()
        elif came == Event.RELAPSE:
            self.relapse = today
            self.note(Event.RELAPSE)
            self.relapse_moment = self.switch_moment = NEVER_MOMENT
            grafted = self.hsct != NONE
            speed = self.fate.failure_speed_relapse_after_hsct if grafted else self.fate.failure_speed_relapse
            progression_death = today + days_of(self.fate.failure_clock_millidays, speed)
            # Nobody dies of a relapse that never showed.
            symptoms = min(today + self.fate.symptoms_days, progression_death - 1)
            found = min(self.protocol.visit_on_or_after(today), symptoms)
            self.detection_moment = at(found, Event.RELAPSE_DETECTED)
            self.dies_by(progression_death, Cause.PROGRESSION)
        elif came == Event.PROGRESSION:
            self.note(Event.PROGRESSION)
        elif came == Event.SWITCH:
            self.switch = today
            self.note(Event.SWITCH)
            self.switch_moment = NEVER_MOMENT
            self.run_relapse_clock(self.speed_between_infusions())
        elif came == Event.RELAPSE_DETECTED:
            self.detect_relapse()
        return came

    def speed_between_infusions(self) -> int:
        """Return the relapse clock's speed off the drug."""
        return self.fate.relapse_speed_rest if self.switch == NONE else self.fate.relapse_speed_other_therapy

    def detect_relapse(self) -> None:
        """The relapse becomes known."""
        self.relapse_detected = self.day
        self.detection_moment = NEVER_MOMENT
        self.note(Event.RELAPSE_DETECTED)
        self.look_ahead()

    def wake(self) -> None:
        """Look at the clock: the present moment and day since the patient's first infusion."""
        self.moment = int(self.env.now) - self.birth
        self.day = self.moment // TICKS

    def note(self, event: Event, detail: int = NONE) -> None:
        """Write a line of the story, if anybody wants to read it."""
        if self.log is not None:
            today = self.day
            left = self.relapse_clock - (today - self.relapse_clock_since) * self.relapse_speed
            known = self.remission != NONE and self.relapse == NONE
            self.log.append(LogEntry(self.number, today, event, detail, left if known else NONE))

    def row(self) -> list[int]:
        """Return the history, in the order of its fields."""
        return [
            self.cycles,
            self.infused_days,
            self.stop,
            self.failure,
            self.remission,
            self.depth,
            self.deepening,
            NONE if self.remission == NONE else self.fate.mrd,
            self.candidacy,
            self.search_start,
            self.donor_found,
            self.donor,
            self.switch,
            self.hsct,
            self.conditioning,
            self.maintenance,
            self.relapse,
            self.relapse_detected,
            self.death,
            self.cause,
        ]


@contextmanager
def without_cycle_collection() -> Iterator[None]:
    """Keep Python's cycle collector from looking at the living again and again: a third of the time otherwise."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def runs_out(clock: int, *phases: tuple[int, int]) -> int:
    """Return the day, counted from now, on which a clock runs out through phases of (last day, speed)."""
    start = 0
    for end, speed in phases:
        day = start + days_of(clock, speed)
        if day <= end:
            return day
        clock -= (end - start) * speed
        start = end
    return NEVER


def days_of(clock: int, speed: int) -> int:
    """Return the days until a clock (milli-days) has run out at a speed (milli-days a day): SPECIFICATION 2.2."""
    if speed == 0 or clock >= ENDLESS_FROM:
        return NEVER
    return min(-(-clock // speed), NEVER)
