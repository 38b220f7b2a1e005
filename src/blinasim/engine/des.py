"""The clinic on SimPy: the reference engine. Each patient is a process that reads like the protocol.

How to read it. ``Patient.life`` is the whole story; ``donor_search`` runs beside it. A patient waits until a *moment*,
which is a day and a place in the order of that day, or until something befalls before it. What would befall
first is a matter of comparing fates, so nothing is raced: one timeout per wait.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import simpy
from numpy.typing import NDArray
from simpy.exceptions import Interrupt

from blinasim.engine.lives import Lives
from blinasim.model.codes import EARLY_AFTER_HSCT_DAYS, HORIZON, NEVER, NONE, ORDINARY_SPEED, Cause, Depth, Donor, Event
from blinasim.model.history import History
from blinasim.scenario.settings import Policy

Process: TypeAlias = Generator[simpy.Event, Any, Any]

#: One day on SimPy's clock has a tick for each event, in the order of the day.
TICKS = len(Event)
EVENTS = tuple(Event)
_END = HORIZON * TICKS + Event.HORIZON
_NEVER = NEVER * TICKS


@dataclass(frozen=True)
class LogEntry:
    """One line of a patient's story.

    ``detail`` is the cycle, depth, donor or cause of the event, or -1; ``relapse_clock_left`` is in milli-days, and -1
    before a remission.
    """

    patient: int
    day: int
    event: Event
    detail: int = NONE
    relapse_clock_left: int = NONE


@dataclass(frozen=True)
class Protocol:
    """The policy's rules that unfold in time, as plain numbers."""

    maximum_cycles: int
    infusion_days: int
    cycle_days: int
    visits_every_days: int
    preparation_days: int
    #: Donor types in the order that breaks ties, each with the day of the search from which it is acceptable.
    acceptance: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, policy: Policy) -> Protocol:
        """Read a policy."""
        cycles = policy.cycles
        return cls(
            maximum_cycles=cycles.maximum,
            infusion_days=cycles.infusion_days,
            cycle_days=cycles.infusion_days + cycles.rest_days,
            visits_every_days=policy.monitoring.visits_every_days,
            preparation_days=policy.transplant.preparation_days,
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


class Fate(NamedTuple):
    """What one patient is born with: a row of ``Fates``, ``Plan`` and ``Graft``; lists are by donor type."""

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
    relapse_speed: list[int]
    relapse_speed_late: list[int]
    plateau_days: int
    non_relapse_speed: list[int]
    non_relapse_speed_late: list[int]
    non_relapse_speed_tail: list[int]
    non_relapse_late_until_days: int


class Patient:
    """One patient in the clinic: fate, state and story."""

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
        self.cycles = 0
        self.infused_days = 0
        self.stop = self.failure = self.remission = self.depth = self.deepening = NONE
        self.candidacy = self.search_start = self.donor_found = self.donor = self.switch = self.hsct = NONE
        self.relapse = self.relapse_detected = self.death = self.cause = NONE
        # The clinic's view
        self.searching = False
        self.interruptible = False
        # What would befall next: a moment of each kind, and the first of them
        self.relapse_moment = self.switch_moment = self.detection_moment = _NEVER
        self.progression_moment = self.fate.progression_days * TICKS + Event.PROGRESSION
        self.relapse_clock = self.fate.relapse_clock_millidays  # what is left of it
        self.relapse_clock_since = self.relapse_speed = 0
        self.graft_death = NEVER
        self.dies_by(self.fate.early_death_days, self.fate.early_death_cause)
        self.care: simpy.Process = env.process(self.life())

    # --- the protocol ----------------------------------------------------------------------------

    def life(self) -> Process:
        """From the first infusion to death or the horizon."""
        yield self.env.timeout(self.birth)
        self.wake()
        if self.fate.search_at_entry:
            self.env.process(self.donor_search())
        yield from self.induction()
        if self.remission != NONE:
            yield from self.treatment_in_remission()
            yield from self.after_switch_or_relapse()
        yield from self.follow_up()

    def induction(self) -> Process:
        """Up to two cycles; response is judged at the end of each infusion."""
        came = Event.CYCLE_START
        for cycle in (1, 2):
            if cycle > 1:
                came = yield from self.wait(self.next_cycle_moment())
            if came != Event.CYCLE_START:
                break
            # (a place for an infusion start will be asked for here)
            came = yield from self.infusion(cycle, Event.REMISSION)
            if came != Event.REMISSION:
                break
            if self.fate.response_cycle == cycle:
                self.enter_remission()
                return
        if came == Event.REMISSION:  # assessed, and there was none
            self.note(Event.NO_REMISSION)
        if came != Event.DEATH:
            self.fail_induction()

    def treatment_in_remission(self) -> Process:
        """Further cycles, until a donor is there and no infusion under way, or the remission or the treatment ends."""
        while True:
            came = yield from self.rest()
            if came == Event.CYCLE_START:
                # (a place for an infusion start will be asked for here)
                came = yield from self.infusion(self.cycles + 1, Event.DEEPENING)
                if came == Event.DEEPENING:
                    self.deepen()
            if came == Event.TRANSPLANT:
                # (a transplant bed will be asked for here)
                if self.relapse == NONE:
                    self.transplant()
                else:
                    self.detect_relapse()  # in the marrow examined before conditioning
                return
            if came in (Event.DEATH, Event.SWITCH, Event.RELAPSE_DETECTED, Event.HORIZON):
                return

    def rest(self) -> Process:
        """Between infusions, and under observation after the last: a transplant is possible at once."""
        self.interruptible = True
        while True:
            moment = self.next_cycle_moment()
            if self.fate.candidate and self.donor != NONE:
                prepared = max(self.day, self.candidacy + self.protocol.preparation_days)
                moment = min(moment, prepared * TICKS + Event.TRANSPLANT)
            came: Event = yield from self.wait(moment)
            if came != Event.DONOR_FOUND:
                self.interruptible = False
                return came

    def infusion(self, cycle: int, assessment: Event) -> Process:
        """Four weeks of infusion, unless an adverse event stops the drug; then the day's assessment."""
        start = self.day
        self.cycles = cycle
        self.note(Event.CYCLE_START, cycle)
        if self.remission != NONE:
            self.run_relapse_clock(self.fate.relapse_speed_infusion)
        end = start + self.protocol.infusion_days
        stop = start + self.fate.stop_infusion_days - self.infused_days
        if stop <= end:
            came: Event = yield from self.wait(stop * TICKS + Event.STOP)
        else:
            came = yield from self.wait(end * TICKS + assessment)
        self.infused_days += self.day - start
        if came == Event.STOP:
            self.stop = stop
            self.note(Event.STOP)
        if self.remission != NONE and self.relapse == NONE:
            self.run_relapse_clock(self.speed_between_infusions())
        return came

    def donor_search(self) -> Process:
        """Every donor type is sought at once; each is acceptable from a day of the search that the policy names."""
        # (a search coordinator will be asked for here)
        start = self.search_start = self.day
        self.searching = True
        self.note(Event.SEARCH_START)
        head_start = max(0, self.fate.head_start_days)
        found, donor = NEVER, NONE
        for kind, acceptable in self.protocol.acceptance:
            ready = max(self.fate.donor_search_days[kind], acceptable)
            if ready < NEVER and max(0, ready - head_start) < found:
                found, donor = max(0, ready - head_start), kind
        moment = (start + found) * TICKS + Event.DONOR_FOUND
        if moment > _END:
            return
        yield self.env.timeout(moment - self.moment)
        self.wake()
        if self.searching:
            self.donor_found, self.donor = start + found, donor
            self.note(Event.DONOR_FOUND, donor)
            if self.interruptible:
                self.care.interrupt("a donor is found")

    def after_switch_or_relapse(self) -> Process:
        """A candidate may still be transplanted, later and outside the study's count."""
        if self.switch == NONE and self.relapse_detected == NONE:
            return
        broken = min(day for day in (self.switch, self.relapse_detected) if day != NONE)
        self.interruptible = True
        while self.fate.candidate and self.fate.later_transplant_days < NEVER:
            ready = max(broken + self.fate.later_transplant_days, self.day)
            came = yield from self.wait(ready * TICKS + Event.TRANSPLANT if self.donor != NONE else _NEVER)
            if came in (Event.DEATH, Event.HORIZON):
                break
            if came == Event.TRANSPLANT:
                if self.relapse != NONE and self.relapse_detected == NONE:
                    self.detect_relapse()
                self.transplant()
                break
        self.interruptible = False

    def follow_up(self) -> Process:
        """Whatever the treatment, the patient is followed until death or the horizon."""
        while self.death == NONE and (yield from self.wait(_NEVER)) != Event.HORIZON:
            pass

    # --- what the clinic does ----------------------------------------------------------------------

    def enter_remission(self) -> None:
        """Remission: its clocks start, and the transplant decision is taken."""
        today = self.day
        self.remission, self.depth = today, self.fate.depth
        self.note(Event.REMISSION, self.depth)
        self.progression_moment = _NEVER
        self.relapse_clock_since = today
        self.dies_by(today + self.fate.remission_death_days, self.fate.remission_death_cause)
        self.switch_moment = (today + self.fate.switch_days) * TICKS + Event.SWITCH
        self.run_relapse_clock(self.fate.relapse_speed_rest)
        if self.fate.candidate:
            self.candidacy = today
            self.note(Event.CANDIDACY)
            if not self.searching:
                self.env.process(self.donor_search())
        else:
            self.searching = False

    def deepen(self) -> None:
        """At the assessment of cycle 2 a CRh* may be found to have become a CR."""
        if self.cycles == 2 and self.fate.deepens and self.depth == Depth.CRH and self.relapse == NONE:
            self.depth, self.deepening = int(Depth.CR), self.day
            self.note(Event.DEEPENING, self.depth)

    def fail_induction(self) -> None:
        """No remission: treatment and search end, survival after failure begins."""
        self.failure = today = self.day
        self.searching = False
        self.progression_moment = _NEVER
        self.dies_by(
            (today + days_of(self.fate.failure_clock_millidays, self.fate.failure_speed_refractory)), Cause.PROGRESSION
        )

    def transplant(self) -> None:
        """The graft changes the speed of the clocks that run, and brings that of non-relapse death."""
        today = self.hsct = self.day
        self.note(Event.TRANSPLANT, self.donor)
        self.searching = False
        self.switch_moment = _NEVER
        self.graft_death = today + runs_out(
            self.fate.non_relapse_clock_millidays,
            (EARLY_AFTER_HSCT_DAYS, self.fate.non_relapse_speed[self.donor]),
            (self.fate.non_relapse_late_until_days, self.fate.non_relapse_speed_late[self.donor]),
            (NEVER, self.fate.non_relapse_speed_tail[self.donor]),
        )
        if self.relapse == NONE:
            self.run_relapse_clock(0)  # what is left runs as the graft lets it
            relapse = today + runs_out(
                self.relapse_clock,
                (self.fate.plateau_days, self.fate.relapse_speed[self.donor]),
                (NEVER, self.fate.relapse_speed_late[self.donor]),
            )
            self.relapse_moment = relapse * TICKS + Event.RELAPSE
            self.dies_by(self.remission + self.fate.remission_death_days, self.fate.remission_death_cause)
        else:
            left = self.fate.failure_clock_millidays - (today - self.relapse) * self.fate.failure_speed_relapse
            self.dies_by(today + days_of(left, self.fate.failure_speed_salvage_graft), Cause.PROGRESSION)

    def detect_relapse(self) -> None:
        """The relapse becomes known."""
        self.relapse_detected = self.day
        self.detection_moment = _NEVER
        self.note(Event.RELAPSE_DETECTED)
        self.look_ahead()

    # --- clocks --------------------------------------------------------------------------------------

    def run_relapse_clock(self, speed: int) -> None:
        """Spend the relapse clock up to today at its old speed; let it run on at the new one."""
        if self.relapse != NONE:
            return
        today = self.day
        self.relapse_clock -= (today - self.relapse_clock_since) * self.relapse_speed
        self.relapse_clock_since, self.relapse_speed = today, speed
        self.relapse_moment = (today + days_of(self.relapse_clock, speed)) * TICKS + Event.RELAPSE
        self.look_ahead()

    def dies_by(self, day: int, cause: int) -> None:
        """Death is due on ``day``, unless the risk that a graft brought falls before it."""
        if self.graft_death < day:
            early = self.graft_death - self.hsct <= EARLY_AFTER_HSCT_DAYS
            day = self.graft_death
            cause = self.fate.non_relapse_cause_early if early else self.fate.non_relapse_cause_late
        self.death_moment, self.death_cause_due = day * TICKS + Event.DEATH, cause
        self.look_ahead()

    def speed_between_infusions(self) -> int:
        """Return the relapse clock's speed off the drug."""
        return self.fate.relapse_speed_rest if self.switch == NONE else self.fate.relapse_speed_other_therapy

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
        """Wait until a moment, or what befalls before it; return the event that came.

        A relapse nobody has detected changes nothing for the clinic, so the wait goes on through it.
        """
        while True:
            target = min(moment, self.blow, _END)
            try:
                yield self.env.timeout(target - self.moment)
            except Interrupt:
                return Event.DONOR_FOUND
            self.wake()
            if target == _END:
                return Event.HORIZON
            if target != self.blow:
                return EVENTS[target % TICKS]
            came = self.befall()
            if came != Event.RELAPSE:
                return came

    def befall(self) -> Event:
        """What fate had for this moment happens."""
        came = EVENTS[self.blow % TICKS]
        today = self.day
        if came == Event.DEATH:
            self.death, self.cause = today, self.death_cause_due
            self.searching = False
            self.note(Event.DEATH, self.cause)
        elif came == Event.RELAPSE:
            self.relapse = today
            self.note(Event.RELAPSE)
            self.relapse_moment = self.switch_moment = _NEVER
            grafted = self.hsct != NONE
            speed = self.fate.failure_speed_relapse_after_hsct if grafted else self.fate.failure_speed_relapse
            progression_death = today + days_of(self.fate.failure_clock_millidays, speed)
            # Nobody dies of a relapse that never showed.
            symptoms = min(today + self.fate.symptoms_days, progression_death - 1)
            found = min(self.protocol.visit_on_or_after(today), symptoms)
            self.detection_moment = found * TICKS + Event.RELAPSE_DETECTED
            self.dies_by(progression_death, Cause.PROGRESSION)
        elif came == Event.PROGRESSION:
            self.note(Event.PROGRESSION)
        elif came == Event.SWITCH:
            self.switch = today
            self.note(Event.SWITCH)
            self.switch_moment = _NEVER
            self.run_relapse_clock(self.speed_between_infusions())
        elif came == Event.RELAPSE_DETECTED:
            self.detect_relapse()
        return came

    def next_cycle_moment(self) -> int:
        """Return when the next cycle is due; never after a stop or the last cycle."""
        if self.stop != NONE or self.cycles >= self.protocol.maximum_cycles:
            return _NEVER
        return self.cycles * self.protocol.cycle_days * TICKS + Event.CYCLE_START

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
            self.relapse,
            self.relapse_detected,
            self.death,
            self.cause,
        ]


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
    """Return the days until a clock has run out at a speed (SPECIFICATION 2.2)."""
    if speed == 0 or clock >= NEVER * ORDINARY_SPEED:
        return NEVER
    return min(-(-clock // speed), NEVER)


def walk(lives: Lives, log: list[LogEntry] | None = None, order: Sequence[int] | None = None) -> History:
    """Walk every patient through the clinic, one SimPy environment a replication.

    Parameters
    ----------
    lives : Lives
        P = replications * patients lives.
    log : list, optional
        Receives the story of every patient, in the order of the days of each.
    order : sequence of int, optional
        Order in which the processes of a replication are begun; it must not matter, and a test sees to it.

    Returns
    -------
    History
        Arrays of shape (P,).
    """
    protocol = Protocol.of(lives.policy)
    columns = [_column(lives, name) for name in Fate._fields]
    rows: list[list[int]] = []
    for replication in range(lives.replications):
        block = slice(replication * lives.patients, (replication + 1) * lives.patients)
        fates = [Fate._make(row) for row in zip(*(column[block].tolist() for column in columns), strict=True)]
        entry = lives.entry_day[block].tolist()
        env = simpy.Environment()
        story: list[LogEntry] | None = None if log is None else []
        patients: dict[int, Patient] = {}
        for index in order if order is not None else range(lives.patients):
            number = replication * lives.patients + index
            patients[index] = Patient(env, protocol, number, entry[index], fates[index], story)
        env.run()
        rows.extend(patients[index].row() for index in range(lives.patients))
        if log is not None and story is not None:
            log.extend(sorted(story, key=lambda entry: (entry.patient, entry.day, entry.event)))
    return History.of_rows(rows)


def _column(lives: Lives, name: str) -> NDArray[Any]:
    """Find a column of ``Fate`` in the part that holds it; no name stands in two of them."""
    for part in (lives.fates, lives.plan, lives.graft):
        if hasattr(part, name):
            return np.asarray(getattr(part, name))
    raise AttributeError(name)
