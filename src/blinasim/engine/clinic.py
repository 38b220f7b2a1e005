"""The clinic that patients share on SimPy: places, and what a patient does to get, use and give back one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import simpy

from blinasim.engine.body import NEVER_MOMENT, TICKS, Body, Process, Protocol, at
from blinasim.engine.fate import Fate
from blinasim.engine.lives import Lives
from blinasim.engine.ward import Request, Ward, open_wards
from blinasim.model.codes import NEVER, Event, Mrd, Place
from blinasim.model.history import LogEntry
from blinasim.model.own_policy import OwnRules
from blinasim.scenario.settings import Capacity

#: Where in a day patience ends: before the round of its beds. Nothing else is waited for at this place of the order.
PATIENCE_ENDS: Final = Event.CANDIDACY


@dataclass(frozen=True)
class Clinic:
    """What the patients of one replication share."""

    env: simpy.Environment
    protocol: Protocol
    capacity: Capacity
    wards: dict[Place, Ward]
    own: OwnRules | None = None
    policy: object = None  # of one's own

    @classmethod
    def open(cls, lives: Lives, protocol: Protocol, replication: int, last_entry: int) -> Clinic:
        """Open the clinic for a replication; where places are counted, other patients come before the first of ours.

        Parameters
        ----------
        lives : Lives
            Of a block of replications.
        protocol : Protocol
            The policy's rules.
        replication : int
            Number within the block.
        last_entry : int
            Calendar day of its last enrolment.

        Returns
        -------
        Clinic
        """
        capacity, own = lives.capacity, lives.own
        policy = own.make() if own else None
        if not capacity.limited:
            return cls(simpy.Environment(), protocol, capacity, {}, own, policy)
        assert lives.draws is not None
        env = simpy.Environment(initial_time=-capacity.warm_up_days * TICKS)
        wards = open_wards(env, capacity, lives.draws, replication, last_entry)
        return cls(env, protocol, capacity, wards, own, policy)


class Guest(Body):
    """A body in a clinic: it asks for places, waits for them, and gives them back."""

    def __init__(self, clinic: Clinic, number: int, entry_day: int, fate: Fate, log: list[LogEntry] | None) -> None:
        self.capacity = clinic.capacity
        self.wards = clinic.wards
        #: Requests for places that wait, or have just been granted; and places taken.
        self.requests: dict[Place, Request] = {}
        self.occupied: dict[Place, Request] = {}
        self.gave_up = False
        super().__init__(clinic.env, clinic.protocol, number, entry_day, fate, log)

    def called(self, moment: int) -> Process:
        """Wait until a moment, or until a call: a donor is found, or a place is given."""
        self.interruptible = True
        came: Event = yield from self.wait(moment)
        self.interruptible = False
        if came == PATIENCE_ENDS:
            self.gave_up = True
            self.give_back(Place.TRANSPLANT_BED)
        return came

    def call(self, news: Event) -> None:
        """Wake the patient, who waits to be called."""
        assert self.interruptible, f"patient {self.number} is called on day {self.day}, and does not wait"
        self.care.interrupt(news)

    def obtains(self, place: Place) -> bool:
        """Ask for a place, unless that has been done, and say whether it is there: at once where none is counted."""
        ward = self.wards.get(place)
        if ward is None:
            return True
        request = self.requests.get(place)
        if request is not None:
            return request.granted
        if place == Place.TRANSPLANT_BED and not self.protocol.cycles_while_waiting:
            self.give_back(Place.INFUSION_BED)  # no cycle is wanted any more
        self.requests[place] = ward.ask(self.number, self.told_of(place), self.priority(place))
        return False

    def told_of(self, place: Place) -> Callable[[], object]:
        """Return what tells the patient that a place is given."""
        if place == Place.COORDINATOR:
            self.coordinator_given = self.env.event()
            return self.coordinator_given.succeed
        return partial(self.call, Event.TRANSPLANT if place == Place.TRANSPLANT_BED else Event.CYCLE_START)

    def priority(self, place: Place) -> int:
        """Return 0 for those who come first."""
        rule = self.capacity.transplant_beds.priority
        if place != Place.TRANSPLANT_BED or rule == "first_come":
            return 0
        first = Mrd.NEGATIVE if rule == "mrd_negative_first" else Mrd.POSITIVE
        return int(self.fate.mrd != first)

    def occupy(self, place: Place, days: int) -> None:
        """Use the place that was given, for so many days."""
        request = self.requests.pop(place, None)
        if request is not None:
            if place in self.occupied:  # a stay from before, which may have ended long ago
                self.wards[place].end(self.occupied[place])
            self.occupied[place] = request
            self.wards[place].end_after(request, days)

    def give_back(self, place: Place) -> None:
        """Free a place, or withdraw the request for it."""
        for held in (self.requests, self.occupied):
            if place in held:
                self.wards[place].end(held.pop(place))

    def leave(self) -> None:
        """Let go, at the end of life or of the world, of all that the clinic holds for the patient."""
        self.searching = False
        for place in self.wards:
            self.give_back(place)

    def wait_out(self, over: int) -> Process:
        """Wait for the end of an infusion; a request for a transplant bed rests meanwhile."""
        request = self.requests.get(Place.TRANSPLANT_BED)
        if request is not None:
            self.wards[Place.TRANSPLANT_BED].rest(request)
        came: Event = yield from self.wait(over)
        if request is not None:
            self.wards[Place.TRANSPLANT_BED].take_up(request)
        return came

    def give_up_due(self) -> int:
        """Return when a patient who waits for a transplant bed waits no longer."""
        request = self.requests.get(Place.TRANSPLANT_BED)
        if request is None or request.granted or self.protocol.give_up_after_days >= NEVER:
            return NEVER_MOMENT
        patience_ends = request.asked - self.birth // TICKS + self.protocol.give_up_after_days + 1
        return at(max(self.day, patience_ends), PATIENCE_ENDS)
