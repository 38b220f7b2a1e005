"""The clinic on SimPy: the reference engine. Each patient is a process that reads like the protocol.

How to read it. ``Patient.life`` is the whole story; ``donor_search`` runs beside it. ``wait(moment)`` waits until a
moment, which is a day and a place in the order of that day, and returns the event that came: the one waited for, or
what befell the patient before it. How clocks run out, and how waiting works, is the matter of ``engine/body.py``;
what a patient is born with, of ``engine/fate.py``; how places are asked for and given back, of ``engine/clinic.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blinasim.engine.body import END, NEVER_MOMENT, Process, Protocol, at, days_of, without_cycle_collection
from blinasim.engine.clinic import PATIENCE_ENDS, Clinic, Guest
from blinasim.engine.fate import Fate, fates_by_replication
from blinasim.engine.lives import Lives
from blinasim.engine.ward import stays_of
from blinasim.model.codes import NEVER, NONE, RESPONSE_CYCLES, AfterCycles, Cause, Depth, Event, Place
from blinasim.model.history import History, LogEntry
from blinasim.model.places import Stays, days_in_bed


class Patient(Guest):
    """One patient in the clinic."""

    def __init__(self, clinic: Clinic, number: int, entry_day: int, fate: Fate, log: list[LogEntry] | None) -> None:
        self.candidate = self.infusing = self.maintained = False
        self.no_transplant_before = 0
        super().__init__(clinic, number, entry_day, fate, log)

    # --- the protocol ----------------------------------------------------------------------------

    def life(self) -> Process:
        """From the first infusion to death or the horizon."""
        yield self.env.timeout(self.birth - int(self.env.now))
        self.wake()
        if self.searches_at_entry():
            self.begin_search()
        yield from self.induction()
        if self.remission != NONE:
            yield from self.treatment_in_remission()
            yield from self.after_switch_or_relapse()
        yield from self.follow_up()
        self.leave()

    def induction(self) -> Process:
        """Up to two cycles; response is judged at the end of each infusion."""
        came = Event.CYCLE_START
        for cycle in range(1, self.protocol.last_cycle_without_response + 1):
            came = yield from self.start_of_cycle()
            if came != Event.CYCLE_START:
                break
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

    def start_of_cycle(self) -> Process:
        """Wait until the next cycle is due, and for a place to start its infusion in."""
        if self.cycles > 0:
            came: Event = yield from self.wait(self.cycle_due())
            if came != Event.CYCLE_START:
                return came
        while not self.obtains(Place.INFUSION_BED):
            came = yield from self.called(NEVER_MOMENT)
            if came not in (Event.CYCLE_START, Event.DONOR_FOUND):
                return came
        return Event.CYCLE_START

    def treatment_in_remission(self) -> Process:
        """Further cycles, until a donor is there and no infusion under way, or the remission or the treatment ends."""
        while True:
            came = yield from self.rest()
            if came == Event.CYCLE_START:
                came = yield from self.infusion(self.cycles + 1, Event.DEEPENING)
                if came == Event.DEEPENING:
                    self.deepen()
            if came == Event.TRANSPLANT:
                if self.relapse == NONE:
                    self.transplant()
                else:
                    self.detect_relapse()  # in the marrow examined before conditioning
            if came in (Event.TRANSPLANT, Event.DEATH, Event.SWITCH, Event.RELAPSE_DETECTED, Event.HORIZON):
                self.give_back(Place.INFUSION_BED)
                if came != Event.TRANSPLANT or self.hsct == NONE:
                    self.give_back(Place.TRANSPLANT_BED)
                return

    def rest(self) -> Process:
        """Between infusions, and under observation after the last: a transplant is possible at once."""
        while True:
            due = min(self.cycle_due(), self.transplant_due(), self.after_cycles_due(), self.give_up_due())
            came: Event = yield from self.called(due)
            if came == Event.CYCLE_START and self.may_start_a_cycle():
                return came
            if came == Event.TRANSPLANT and self.may_be_transplanted():
                return came
            if came == Event.MAINTENANCE:
                self.maintain()
            if came in (Event.DEATH, Event.SWITCH, Event.RELAPSE_DETECTED, Event.HORIZON):
                return came

    def infusion(self, cycle: int, assessment: Event) -> Process:
        """Four weeks of infusion, unless an adverse event stops the drug; then the day's assessment."""
        start = self.day
        self.cycles, self.cycle_began = cycle, start
        self.cycle_starts[cycle - 1] = start
        self.note(Event.CYCLE_START, cycle)
        self.occupy(Place.INFUSION_BED, days_in_bed(self.capacity.infusion_starts, cycle, self.protocol.infusion_days))
        if self.remission != NONE:
            self.run_relapse_clock(self.fate.relapse_speed_infusion)
        self.infusing = True
        end = start + self.protocol.infusion_days
        stop = start + self.fate.stop_infusion_days - self.infused_days
        over = at(stop, Event.STOP) if stop <= end else at(end, assessment)
        if self.protocol.finish_infusion:
            came: Event = yield from self.wait_out(over)
        else:
            came = yield from self.infusion_that_a_transplant_may_end(over)
        self.infusing = False
        self.infused_days += self.day - start
        if came == Event.STOP:
            self.stop = stop
            self.note(Event.STOP)
        if self.remission != NONE and self.relapse == NONE:
            self.run_relapse_clock(self.speed_between_infusions())
        return came

    def infusion_that_a_transplant_may_end(self, over: int) -> Process:
        """Wait for the end of an infusion, or for the transplant that ends it."""
        while True:
            came: Event = yield from self.called(min(over, self.transplant_due(), self.give_up_due()))
            if came == Event.TRANSPLANT and not self.may_be_transplanted():
                continue
            if came not in (Event.DONOR_FOUND, PATIENCE_ENDS):
                return came

    def donor_search(self) -> Process:
        """Every donor type is sought at once; each is acceptable from a day of the search that the policy names."""
        if self.remission != NONE and self.protocol.search_day > self.day:
            yield self.env.timeout(at(self.protocol.search_day, Event.SEARCH_START) - self.moment)
        if self.searching and not self.obtains(Place.COORDINATOR):
            yield self.coordinator_given
        if not self.searching:
            return
        self.wake()
        self.occupy(Place.COORDINATOR, self.capacity.search_coordinators.most_days_a_search)
        start = self.search_start = self.day
        self.note(Event.SEARCH_START)
        head_start = max(0, self.fate.head_start_days)
        found, donor = NEVER, NONE
        for kind, acceptable in self.acceptance():
            ready = max(self.fate.donor_search_days[kind], acceptable)
            if ready < NEVER and max(0, ready - head_start) < found:
                found, donor = max(0, ready - head_start), kind
        moment = at(start + found, Event.DONOR_FOUND)
        if moment > END:
            return
        yield self.env.timeout(moment - self.moment)
        if self.searching:
            self.wake()
            self.donor_found, self.donor = start + found, donor
            self.note(Event.DONOR_FOUND, donor)
            self.give_back(Place.COORDINATOR)
            if self.interruptible:
                self.call(Event.DONOR_FOUND)

    def after_switch_or_relapse(self) -> Process:
        """A candidate may still be transplanted, later and outside the study's count."""
        if self.switch == NONE and self.relapse_detected == NONE:
            return
        broken = min(day for day in (self.switch, self.relapse_detected) if day != NONE)
        while self.candidate and self.fate.later_transplant_days < NEVER:
            ready = max(broken + self.fate.later_transplant_days, self.day)
            waits = self.donor == NONE or Place.TRANSPLANT_BED in self.requests
            came = yield from self.called(NEVER_MOMENT if waits else at(ready, Event.TRANSPLANT))
            if came in (Event.DEATH, Event.HORIZON):
                break
            if came == Event.TRANSPLANT and self.obtains(Place.TRANSPLANT_BED):
                if self.relapse != NONE and self.relapse_detected == NONE:
                    self.detect_relapse()
                self.transplant()
                break

    def follow_up(self) -> Process:
        """Whatever the treatment, the patient is followed until death or the horizon."""
        while self.death == NONE and (yield from self.wait(NEVER_MOMENT)) != Event.HORIZON:
            pass

    # --- what the policy decides (a policy of one's own decides otherwise: ``engine/own.py``) ----------

    def searches_at_entry(self) -> bool:
        """Whether a donor is sought from day 0 on."""
        return self.fate.search_at_entry

    def searches_at_remission(self) -> bool:
        """Whether a candidate without a search gets one now."""
        return True

    def is_candidate(self) -> bool:
        """Whether the patient, in remission today, is a candidate for HSCT."""
        return self.fate.candidate

    def acceptance(self) -> Sequence[tuple[int, int]]:
        """Donor types in the order that breaks ties, each with the day of the search from which it is acceptable."""
        return self.protocol.acceptance

    def takes_cycle(self) -> bool:
        """Whether the cycle that is due is given."""
        return True

    def takes_transplant(self) -> bool:
        """Whether the transplant that could take place today does."""
        return True

    def chosen_conditioning(self) -> int:
        """Return the conditioning of today's transplant."""
        return self.fate.conditioning

    def may_start_a_cycle(self) -> bool:
        """Whether the cycle that is due is given and there is a place for it; a place not wanted goes to others."""
        if not self.takes_cycle():
            self.give_back(Place.INFUSION_BED)
            return False
        return self.obtains(Place.INFUSION_BED)

    def may_be_transplanted(self) -> bool:
        """Whether the transplant that is due takes place and there is a bed for it."""
        if not self.takes_transplant():
            self.give_back(Place.TRANSPLANT_BED)
            return False
        return self.obtains(Place.TRANSPLANT_BED)

    # --- when things are due ---------------------------------------------------------------------------

    def cycle_due(self) -> int:
        """Return when the next cycle is due: never after a stop or the last, nor while a place is waited for."""
        if self.stop != NONE or self.cycles >= self.protocol.maximum_cycles or Place.INFUSION_BED in self.requests:
            return NEVER_MOMENT
        if Place.TRANSPLANT_BED in self.requests and not self.protocol.cycles_while_waiting:
            return NEVER_MOMENT
        return at(max(self.day, self.cycle_began + self.protocol.cycle_days), Event.CYCLE_START)

    def transplant_due(self) -> int:
        """Return when a transplant could take place, as things stand and if a place is there."""
        if not self.candidate or self.donor == NONE or self.gave_up or Place.TRANSPLANT_BED in self.requests:
            return NEVER_MOMENT
        if self.stop == NONE and self.cycles - self.infusing < self.protocol.earliest_cycle:
            return NEVER_MOMENT
        day = max(self.day, self.candidacy + self.protocol.preparation_days, self.no_transplant_before)
        return at(day, Event.TRANSPLANT) if day <= self.protocol.latest_transplant_day else NEVER_MOMENT

    def after_cycles_due(self) -> int:
        """Return when maintenance or bridging begins, or when maintenance ends."""
        if self.fate.after_cycles == NONE or self.stop != NONE or self.cycles < self.protocol.maximum_cycles:
            return NEVER_MOMENT
        if self.maintenance == NONE:
            return at(max(self.day, self.cycle_began + self.protocol.cycle_days), Event.MAINTENANCE)
        if self.fate.after_cycles == AfterCycles.MAINTENANCE and self.maintained:
            return at(self.maintenance + self.protocol.maintenance_days, Event.MAINTENANCE)
        return NEVER_MOMENT

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
        self.candidate = self.is_candidate()
        if self.candidate:
            self.candidacy = today
            self.note(Event.CANDIDACY)
            if not self.searching and self.searches_at_remission():
                self.begin_search()
        else:
            self.end_search()

    def begin_search(self) -> None:
        """A donor search runs beside the patient's care."""
        self.searching = True
        self.env.process(self.donor_search())

    def end_search(self) -> None:
        """Nobody is sought any more."""
        self.searching = False
        self.give_back(Place.COORDINATOR)

    def maintain(self) -> None:
        """Maintenance or bridging begins; or maintenance has been given for long enough."""
        self.maintained = self.maintenance == NONE
        if self.maintained:
            self.maintenance = self.day
            self.note(Event.MAINTENANCE, self.fate.after_cycles)
            bridging = self.fate.after_cycles == AfterCycles.BRIDGING
            fate = self.fate
            self.run_relapse_clock(fate.relapse_speed_bridging if bridging else fate.relapse_speed_maintenance)
        else:
            self.run_relapse_clock(self.fate.relapse_speed_rest)

    def deepen(self) -> None:
        """At the assessment of cycle 2 a CRh* may be found to have become a CR."""
        if self.cycles == RESPONSE_CYCLES and self.fate.deepens and self.depth == Depth.CRH and self.relapse == NONE:
            self.depth, self.deepening = int(Depth.CR), self.day
            self.note(Event.DEEPENING, self.depth)

    def fail_induction(self) -> None:
        """No remission: treatment and search end, survival after failure begins."""
        self.failure = today = self.day
        self.end_search()
        self.give_back(Place.INFUSION_BED)
        self.progression_moment = NEVER_MOMENT
        left = days_of(self.fate.failure_clock_millidays, self.fate.failure_speed_refractory)
        self.dies_by(today + left, Cause.PROGRESSION)

    def transplant(self) -> None:
        """The graft changes the speed of the clocks that run, and brings that of non-relapse death."""
        today = self.hsct = self.day
        self.conditioning = self.chosen_conditioning()
        self.note(Event.TRANSPLANT, self.donor)
        self.end_search()
        self.occupy(Place.TRANSPLANT_BED, self.capacity.transplant_beds.stay_days)
        self.switch_moment = NEVER_MOMENT
        self.graft_death = today + self.days_to_non_relapse_death()
        if self.relapse == NONE:
            self.run_relapse_clock(0)  # what is left runs as the graft lets it
            self.relapse_moment = at(today + self.days_to_relapse_after_graft(), Event.RELAPSE)
            self.dies_by(self.remission + self.fate.remission_death_days, self.fate.remission_death_cause)
        else:
            left = self.fate.failure_clock_millidays - (today - self.relapse) * self.fate.failure_speed_relapse
            self.dies_by(today + days_of(left, self.fate.failure_speed_salvage_graft), Cause.PROGRESSION)


def walk(
    lives: Lives,
    log: list[LogEntry] | None = None,
    stays: list[Stays] | None = None,
    order: Sequence[int] | None = None,
    make: type[Patient] = Patient,
) -> History:
    """Walk every patient through the clinic, one SimPy environment a replication.

    Parameters
    ----------
    lives : Lives
        P = replications * patients lives.
    log : list, optional
        Receives the story of every patient, in the order of the days of each.
    stays : list, optional
        Receives the requests for counted places of each replication.
    order : sequence of int, optional
        Order in which the processes of a replication are begun; it must not matter, and a test sees to it.
    make : type of Patient
        Who takes the decisions: by the scenario's rules, or by a policy of one's own.

    Returns
    -------
    History
        Arrays of shape (P,).
    """
    protocol = Protocol.of(lives.policy)
    rows: list[list[int]] = []
    cycle_starts: list[list[int]] = []
    for replication, fates in enumerate(fates_by_replication(lives)):
        first = replication * lives.patients
        entry = lives.entry_day[first : first + lives.patients].tolist()
        story: list[LogEntry] | None = None if log is None else []
        with without_cycle_collection():
            clinic = Clinic.open(lives, protocol, replication, max(entry))
            patients: dict[int, Patient] = {}
            for index in order if order is not None else range(lives.patients):
                patients[index] = make(clinic, first + index, entry[index], fates[index], story)
            clinic.env.run()
        rows.extend(patients[index].row() for index in range(lives.patients))
        cycle_starts.extend(patients[index].cycle_starts for index in range(lives.patients))
        if log is not None and story is not None:
            log.extend(sorted(story, key=lambda entry: (entry.patient, entry.day, entry.event)))
        if stays is not None:
            stays.append(stays_of(clinic.wards, replication))
    delayed = lives.capacity.limited  # also by waiting for another place
    return History.of_rows(rows, np.array(cycle_starts, dtype=np.int32) if delayed else None)
