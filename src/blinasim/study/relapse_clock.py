"""A patient's relapse clock, told from a history: at which speed it ran when, and when it runs out.

The engines spend the clock as they walk; here its stretches are read from the days of what was done. Both must agree to
the day (SPECIFICATION 2), and a test holds them to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from blinasim.engine.body import runs_out
from blinasim.engine.lives import Lives
from blinasim.model.codes import ENDLESS_FROM, HORIZON, NEVER, NONE, ORDINARY_SPEED, AfterCycles, Event
from blinasim.model.history import History, cycle_start_days


class Pace(Enum):
    """What sets the speed of a relapse clock."""

    REST = "off the drug"
    INFUSION = "infusion"
    MAINTENANCE = "maintenance"
    BRIDGING = "bridging"
    OTHER_THERAPY = "other therapy"
    GRAFT = "graft"
    GRAFT_LATE = "graft, later on"


@dataclass(frozen=True)
class Stretch:
    """Days through which a clock runs at one speed.

    Attributes
    ----------
    start, end : int
        Since the first infusion; the first is included and the last is not.
    speed : int
        Milli-days of clock a day.
    pace : Pace
        Why it runs so.
    """

    start: int
    end: int
    speed: int
    pace: Pace


@dataclass(frozen=True)
class RelapseClock:
    """The relapse clock of a patient in remission.

    Attributes
    ----------
    millidays : int
        What there is to spend, from the remission on.
    stretches : tuple of Stretch
        One after the other from the day of remission, as if nobody died; the last has no end (NEVER).
    end : int
        Last day on which the clock ran: that of relapse, of death or of the horizon.
    relapsed : bool
        Whether the clock has run out by then.
    """

    millidays: int
    stretches: tuple[Stretch, ...]
    end: int
    relapsed: bool

    @property
    def remission(self) -> int:
        """Day on which the clock starts."""
        return self.stretches[0].start

    @property
    def runs_out(self) -> int:
        """Day on which the clock runs out if nobody dies before; NEVER where it does not."""
        start = self.remission
        phases = ((min(stretch.end - start, NEVER), stretch.speed) for stretch in self.stretches)
        return min(start + runs_out(self.millidays, *phases), NEVER)

    @property
    def counted(self) -> bool:
        """Whether the clock has a number of days at all: one that never runs out has none."""
        return self.millidays < ENDLESS_FROM

    def left(self, day: int) -> float:
        """Return how many days of clock are left on a day; 0 from the day of relapse on."""
        spent = sum(max(0, min(day, each.end) - each.start) * each.speed for each in self.stretches)
        return max(0, self.millidays - spent) / ORDINARY_SPEED


def relapse_clock(history: History, lives: Lives, patient: int = 0) -> RelapseClock | None:
    """Read a patient's relapse clock from what was done.

    Parameters
    ----------
    history : History
        Of P patients.
    lives : Lives
        Their fates, plans and grafts, and the policy that was carried out.
    patient : int
        Which patient, from 0.

    Returns
    -------
    RelapseClock or None
        None for a patient who never reached remission.
    """

    def day(of: str) -> int:
        return int(getattr(history, of)[patient])

    if day("remission") == NONE:
        return None
    stretches = _stretches(history, lives, patient)
    relapsed = day("relapse") != NONE
    last = next((each for each in (day("relapse"), day("death")) if each != NONE), HORIZON)
    return RelapseClock(int(lives.fates.relapse_clock_millidays[patient]), stretches, last, relapsed)


def _stretches(history: History, lives: Lives, patient: int) -> tuple[Stretch, ...]:
    """Order all changes of speed by day and by the order of the day; after a switch only a graft is another."""
    remission, switch, hsct = (int(getattr(history, of)[patient]) for of in ("remission", "switch", "hsct"))
    changes: list[tuple[int, Event, Pace]] = [(remission, Event.REMISSION, Pace.REST)]
    changes += _treatment(history, lives, patient)
    for moment, pace in (((switch, Event.SWITCH), Pace.OTHER_THERAPY), ((hsct, Event.TRANSPLANT), Pace.GRAFT)):
        if moment[0] != NONE:
            changes = [change for change in changes if change[:2] < moment] + [(*moment, pace)]
    if hsct != NONE:
        graft = lives.graft_of(int(history.conditioning[patient]))
        changes.append((hsct + int(graft.plateau_days[patient]), Event.HORIZON, Pace.GRAFT_LATE))
    changes.sort(key=lambda change: change[:2])
    ends = [each[0] for each in changes[1:]] + [NEVER]
    return tuple(
        Stretch(start, end, _speed(pace, history, lives, patient), pace)
        for (start, _, pace), end in zip(changes, ends, strict=True)
        if start < end
    )


def _treatment(history: History, lives: Lives, patient: int) -> list[tuple[int, Event, Pace]]:
    """Return what cycles in remission, and what follows them, change."""
    cycles = lives.policy.cycles
    remission, stop = int(history.remission[patient]), int(history.stop[patient])
    changes: list[tuple[int, Event, Pace]] = []
    for start in cycle_start_days(history, cycles)[patient].tolist():
        if start >= remission:
            end = start + cycles.infusion_days
            changes += [(start, Event.CYCLE_START, Pace.INFUSION)]
            changes += [(min(end, stop) if stop >= start else end, Event.STOP, Pace.REST)]
    begun = int(history.maintenance[patient])
    if begun != NONE:
        bridging = lives.plan.after_cycles[patient] == AfterCycles.BRIDGING
        changes += [(begun, Event.MAINTENANCE, Pace.BRIDGING if bridging else Pace.MAINTENANCE)]
        if not bridging:
            changes += [(begun + cycles.maintenance.days, Event.MAINTENANCE, Pace.REST)]
    return changes


def _speed(pace: Pace, history: History, lives: Lives, patient: int) -> int:
    fates, donor = lives.fates, int(history.donor[patient])
    graft = lives.graft_of(int(history.conditioning[patient]))
    match pace:
        case Pace.REST:
            speed = fates.relapse_speed_rest[patient]
        case Pace.INFUSION:
            speed = fates.relapse_speed_infusion[patient]
        case Pace.MAINTENANCE:
            speed = fates.relapse_speed_maintenance[patient]
        case Pace.BRIDGING:
            speed = fates.relapse_speed_bridging[patient]
        case Pace.OTHER_THERAPY:
            speed = fates.relapse_speed_other_therapy[patient]
        case Pace.GRAFT:
            speed = graft.relapse_speed[patient, donor]
        case Pace.GRAFT_LATE:
            speed = graft.relapse_speed_late[patient, donor]
    return int(speed)
