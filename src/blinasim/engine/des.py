"""The clinic on SimPy: the reference engine. Each patient is a process that reads like the protocol.

How to read it. ``Patient.life`` is the whole story; ``donor_search`` runs beside it. ``wait(moment)`` waits until a
moment, which is a day and a place in the order of that day, and returns the event that came: the one waited for, or
what befell the patient before it. How clocks run out, and how waiting works, is the matter of ``engine/body.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from blinasim.engine.body import (
    END,
    NEVER_MOMENT,
    Body,
    Fate,
    Process,
    Protocol,
    at,
    days_of,
    runs_out,
    without_cycle_collection,
)
from blinasim.engine.lives import Lives
from blinasim.model.codes import EARLY_AFTER_HSCT_DAYS, NEVER, NONE, Cause, Depth, Event
from blinasim.model.history import History, LogEntry


class Patient(Body):
    """One patient in the clinic."""

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
                moment = min(moment, at(prepared, Event.TRANSPLANT))
            came: Event = yield from self.wait(moment)
            if came != Event.DONOR_FOUND:
                self.interruptible = False
                return came

    def infusion(self, cycle: int, assessment: Event) -> Process:
        """Four weeks of infusion, unless an adverse event stops the drug; then the day's assessment."""
        start = self.day
        self.cycles, self.cycle_began = cycle, start
        self.note(Event.CYCLE_START, cycle)
        if self.remission != NONE:
            self.run_relapse_clock(self.fate.relapse_speed_infusion)
        end = start + self.protocol.infusion_days
        stop = start + self.fate.stop_infusion_days - self.infused_days
        if stop <= end:
            came: Event = yield from self.wait(at(stop, Event.STOP))
        else:
            came = yield from self.wait(at(end, assessment))
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
        moment = at(start + found, Event.DONOR_FOUND)
        if moment > END:
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
            came = yield from self.wait(at(ready, Event.TRANSPLANT) if self.donor != NONE else NEVER_MOMENT)
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
        while self.death == NONE and (yield from self.wait(NEVER_MOMENT)) != Event.HORIZON:
            pass

    # --- what the clinic does ----------------------------------------------------------------------

    def enter_remission(self) -> None:
        """Remission: its clocks start, and the transplant decision is taken."""
        today = self.day
        self.remission, self.depth = today, self.fate.depth
        self.note(Event.REMISSION, self.depth)
        self.progression_moment = NEVER_MOMENT
        self.relapse_clock_since = today
        self.dies_by(today + self.fate.remission_death_days, self.fate.remission_death_cause)
        self.switch_moment = at(today + self.fate.switch_days, Event.SWITCH)
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
        self.progression_moment = NEVER_MOMENT
        self.dies_by(
            (today + days_of(self.fate.failure_clock_millidays, self.fate.failure_speed_refractory)), Cause.PROGRESSION
        )

    def transplant(self) -> None:
        """The graft changes the speed of the clocks that run, and brings that of non-relapse death."""
        today = self.hsct = self.day
        self.note(Event.TRANSPLANT, self.donor)
        self.searching = False
        self.switch_moment = NEVER_MOMENT
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
            self.relapse_moment = at(relapse, Event.RELAPSE)
            self.dies_by(self.remission + self.fate.remission_death_days, self.fate.remission_death_cause)
        else:
            left = self.fate.failure_clock_millidays - (today - self.relapse) * self.fate.failure_speed_relapse
            self.dies_by(today + days_of(left, self.fate.failure_speed_salvage_graft), Cause.PROGRESSION)

    def next_cycle_moment(self) -> int:
        """Return when the next cycle is due; never after a stop or the last cycle."""
        if self.stop != NONE or self.cycles >= self.protocol.maximum_cycles:
            return NEVER_MOMENT
        return at(self.cycle_began + self.protocol.cycle_days, Event.CYCLE_START)


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
        story: list[LogEntry] | None = None if log is None else []
        with without_cycle_collection():
            env = simpy.Environment()
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
