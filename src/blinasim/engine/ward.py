"""The ward round: counted places on SimPy's clock, given once a day by (priority, day asked, number)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush

import simpy

from blinasim.engine.body import TICKS, Process, after
from blinasim.luck import Draws
from blinasim.model.codes import NEVER, NONE, Event, Place
from blinasim.model.places import BACKGROUND_DAYS, Stays, counted_places, other_patients
from blinasim.scenario.settings import Capacity

#: Which event of the day each kind of place is for; its round comes right after it.
_ROUND_AFTER = {
    Place.TRANSPLANT_BED: Event.TRANSPLANT,
    Place.INFUSION_BED: Event.CYCLE_START,
    Place.COORDINATOR: Event.SEARCH_START,
}


@dataclass(eq=False)
class Request:
    """One patient's wish for a place; days are of the trial's calendar.

    Attributes
    ----------
    number : int
        Of the patient within the replication; NEVER or more for other patients.
    priority : int
        The least is given a place first.
    asked, given, left : int
        Days; NEVER: not so far.
    give : callable
        Called at the round that gives the place.
    resting : bool
        Not to be given a place just now, though it keeps its day.
    """

    number: int
    priority: int
    asked: int
    give: Callable[[], object]
    given: int = NEVER
    left: int = NEVER
    resting: bool = False

    @property
    def order(self) -> tuple[int, int, int]:
        """Who comes first."""
        return self.priority, self.asked, self.number

    @property
    def granted(self) -> bool:
        """Whether a place has been given."""
        return self.given != NEVER

    @property
    def open(self) -> bool:
        """Whether it still waits for a place."""
        return not self.granted and self.left == NEVER


class Ward:
    """So many places of one kind."""

    def __init__(self, env: simpy.Environment, place: Place, places: int) -> None:
        self.env = env
        self.free = places
        self.requests: list[Request] = []
        self._waiting: list[tuple[tuple[int, int, int], int, Request]] = []
        self._queued = 0
        self._round_after = _ROUND_AFTER[place]
        self._rounds: set[int] = set()

    @property
    def today(self) -> int:
        """The calendar day."""
        return int(self.env.now) // TICKS

    def ask(self, number: int, give: Callable[[], object], priority: int = 0) -> Request:
        """Ask for a place; ``give`` is called at the round that gives it."""
        request = Request(number, priority, self.today, give)
        self.requests.append(request)
        self._queue(request)
        return request

    def rest(self, request: Request) -> None:
        """Pass a request over until it is taken up again."""
        request.resting = True

    def take_up(self, request: Request) -> None:
        """Let a request wait again, since the day on which it was first made."""
        if request.resting and request.open:
            request.resting = False
            self._queue(request)

    def end(self, request: Request) -> None:
        """Free the place, or withdraw the request; what has ended already stays as it is."""
        if request.left != NEVER:
            return
        request.left = self.today
        if request.granted:
            self.free += 1
            self._call_round()

    def end_after(self, request: Request, days: int) -> None:
        """Free the place after so many days, if it is not free before."""
        leaving = self.env.timeout((self.today + days) * TICKS - int(self.env.now))
        assert leaving.callbacks is not None
        leaving.callbacks.append(lambda _: self.end(request))

    def _queue(self, request: Request) -> None:
        self._queued += 1  # only tells apart what a request left behind when it rested
        heappush(self._waiting, (request.order, self._queued, request))
        self._call_round()

    def _call_round(self) -> None:
        """See to it that there is a round today, or tomorrow if today's is over."""
        now = int(self.env.now)
        moment = after(self.today, self._round_after)
        if moment <= now:
            moment += TICKS
        if moment not in self._rounds:
            self._rounds.add(moment)
            due = self.env.timeout(moment - now)
            assert due.callbacks is not None
            due.callbacks.append(lambda _: self._round(moment))

    def _round(self, moment: int) -> None:
        self._rounds.discard(moment)
        while self.free and self._waiting:
            *_, request = heappop(self._waiting)
            if request.open and not request.resting:
                self.free -= 1
                request.given = self.today
                request.give()


def open_wards(
    env: simpy.Environment, capacity: Capacity, draws: Draws, replication: int, last_entry: int
) -> dict[Place, Ward]:
    """Open a ward for each kind of place that is counted, and let the other patients come.

    Parameters
    ----------
    env : simpy.Environment
        Of one replication, at the beginning of the warm-up.
    capacity : Capacity
        The scenario's places.
    draws : Draws
        Luck of the block.
    replication : int
        Number within the block.
    last_entry : int
        Calendar day of the last enrolment of the replication.

    Returns
    -------
    dict of Place to Ward
    """
    wards = {}
    for place, settings in counted_places(capacity).items():
        assert settings.places is not None
        ward = wards[place] = Ward(env, place, settings.places)
        first_come = place != Place.TRANSPLANT_BED or capacity.transplant_beds.priority == "first_come"
        coming = other_patients(
            draws.luck, draws.block[replication], place, settings.background, -capacity.warm_up_days
        )
        env.process(_others(env, ward, coming, last_entry + BACKGROUND_DAYS, priority=0 if first_come else 1))
    return wards


def stays_of(wards: dict[Place, Ward], replication: int) -> Stays:
    """Return all requests of a replication, in the order of places and of asking."""
    return Stays.of_rows(
        [
            (replication, place, NONE if r.number >= NEVER else r.number, r.asked, r.given, r.left)
            for place, ward in wards.items()
            for r in ward.requests
        ]
    )


def _others(
    env: simpy.Environment, ward: Ward, coming: Iterator[tuple[int, int]], until: int, priority: int
) -> Process:
    """Let the other patients come, ask, and leave after their stay; their numbers are after all of the trial's."""
    for number, (day, stay) in enumerate(coming, NEVER):
        if day > until:
            return
        if day * TICKS > env.now:
            yield env.timeout(day * TICKS - int(env.now))
        _ask(ward, number, stay, priority)


def _ask(ward: Ward, number: int, stay: int, priority: int) -> None:
    request = ward.ask(number, lambda: ward.end_after(request, stay), priority)
