"""One patient's life, told day by day in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from blinasim.inference.choice import parameters_said
from blinasim.model.codes import (
    ENDLESS_FROM,
    HORIZON,
    NEVER,
    NONE,
    ORDINARY_SPEED,
    AfterCycles,
    Cause,
    Conditioning,
    Depth,
    Donor,
    Event,
    Fitness,
    Mrd,
    Place,
    Reason,
    Source,
)
from blinasim.model.history import History, LogEntry
from blinasim.model.parameters import ParameterSource
from blinasim.model.places import Stays
from blinasim.scenario.settings import Scenario
from blinasim.study.batch import World
from blinasim.study.replay import replay
from blinasim.trial.observe import TrialData

_CAUSES = {
    Cause.PROGRESSION: "progression of the leukaemia",
    Cause.INFECTION: "infection",
    Cause.ADVERSE_EVENT: "an adverse event",
    Cause.GVHD: "graft-versus-host disease",
    Cause.OTHER: "another cause",
}
_REASONS = {
    Reason.NOT_OFFERED: "no transplantation is offered",
    Reason.AGE: "age",
    Reason.FITNESS: "fitness",
    Reason.PRIOR_HSCT: "an earlier HSCT",
    Reason.MRD: "the MRD result",
    Reason.DEPTH: "the depth of the response",
    Reason.DECLINED: "declined or not referred",
    Reason.OWN_POLICY: "the policy's own rule",
}
_PLACES = {
    Place.TRANSPLANT_BED: "a transplant bed",
    Place.INFUSION_BED: "a bed to start the infusion in",
    Place.COORDINATOR: "a search coordinator",
}
_SALVAGE = ("first salvage", "second salvage", "third salvage", "fourth or later salvage")
_DEPTHS = {Depth.CR: "complete remission (CR)", Depth.CRH: "remission with partial recovery (CRh*)"}
_FITNESS = {Fitness.GOOD: "fit", Fitness.FAIR: "fair fitness", Fitness.POOR: "poor fitness"}


@dataclass(frozen=True)
class Story:
    """A patient's life in words: a heading, a line an event, and what the trial saw."""

    heading: str
    lines: list[tuple[int, str]]
    seen: str

    def __str__(self) -> str:
        days = (f"day {day:>5}   {words}" for day, words in self.lines)
        return "\n".join((self.heading, "", *days, "", self.seen))


def tell(
    scenario: Scenario,
    *,
    trial: int,
    patient: int,
    parameters: ParameterSource | None = None,
    own_policy: Callable[[], object] | None = None,
) -> Story:
    """Simulate one patient alone and tell the story.

    Parameters
    ----------
    scenario : Scenario
        The study.
    trial, patient : int
        Both count from 1.
    parameters : ParameterSource, optional
        The shipped posterior by default, or the point values where there is none.
    own_policy : callable, optional
        Makes a policy of the user's own.

    Returns
    -------
    Story

    Raises
    ------
    BlinasimError
        If the scenario has no such trial or patient.
    """
    replayed = replay(scenario, parameters or parameters_said(), trial, patient=patient, own_policy=own_policy)
    batch, log = replayed.batch, replayed.log
    return Story(
        heading=f"Patient {patient} of trial {trial} · {who(batch.world)}",
        lines=sorted(
            [
                *(line for entry in _entry_first(log) for line in _told(entry, batch.world, batch.history)),
                *_waits(replayed.stays, int(batch.world.cohort.entry_day[0])),
            ],
            key=lambda line: line[0],
        ),
        seen=f"The trial would have seen: {_seen(batch.seen)}.",
    )


def _waits(stays: Stays | None, entry_day: int) -> Iterator[tuple[int, str]]:
    """Tell where a counted place was not there when it was wanted."""
    if stays is None:
        return
    for place, asked, given in zip(stays.place.tolist(), stays.asked.tolist(), stays.given.tolist(), strict=True):
        if given != asked:
            after = f"; one is there on day {given - entry_day}" if given < NEVER else ", in vain"
            yield asked - entry_day, f"waits for {_PLACES[Place(place)]}{after}"


def _entry_first(log: Iterable[LogEntry]) -> list[LogEntry]:
    """Tell the first infusion before what else belongs to day 0."""
    return sorted(log, key=lambda entry: (entry.day, entry.day > 0 or entry.event != Event.CYCLE_START))


def who(world: World) -> str:
    """Say who a patient who was replayed alone is, as known at enrolment."""
    cohort = world.cohort
    prior = "an earlier HSCT" if cohort.prior_hsct[0] else "no prior HSCT"
    return " · ".join(
        (
            f"{cohort.age_years[0]} years",
            prior,
            _SALVAGE[min(cohort.salvage_lines[0], len(_SALVAGE) - 1)],
            f"{cohort.blasts_pct[0]:.0f} % blasts",
            _FITNESS[Fitness(cohort.fitness[0])],
        )
    )


def _told(entry: LogEntry, world: World, history: History) -> list[tuple[int, str]]:
    """Tell one event; a remission without candidacy says why."""
    lines = [(entry.day, _words(entry, world, history))]
    reason = world.lives.plan.reason[0]
    if world.lives.own is not None:  # the rules' reasons are not the policy's
        reason = Reason.OWN_POLICY if history.candidacy[0] == NONE else NONE
    if entry.event == Event.REMISSION and reason != NONE:
        lines.append((entry.day, f"no candidate for HSCT: {_REASONS[Reason(reason)]}"))
    return lines


def _words(entry: LogEntry, world: World, history: History) -> str:
    fates = world.lives.fates
    match entry.event:
        case Event.CYCLE_START if entry.detail == 1:
            return "enters; the first infusion begins (cycle 1)"
        case Event.CYCLE_START:
            return f"cycle {entry.detail} begins"
        case Event.STOP:
            return "an adverse event stops the drug for good"
        case Event.PROGRESSION:
            return "progression; treatment ends"
        case Event.NO_REMISSION:
            cycles = "two cycles" if history.cycles[0] > 1 else "one cycle"
            return f"no remission after {cycles}; treatment ends"
        case Event.REMISSION:
            mrd = {Mrd.UNKNOWN: "MRD not assessed"}.get(Mrd(fates.mrd[0]), f"MRD-{Mrd(fates.mrd[0]).name.lower()}")
            endless = _clock(world) >= ENDLESS_FROM
            clock = "never runs out" if endless else f"is of {_days(_clock(world))} days"
            return f"{_DEPTHS[Depth(entry.detail)]}, {mrd}; its relapse clock {clock}"
        case Event.DEEPENING:
            return "the remission has become complete (CR)"
        case Event.CANDIDACY:
            return "candidate for HSCT"
        case Event.SEARCH_START:
            head_start = fates.head_start_days[0]
            under_way = f", under way for {head_start} days already" if head_start > 0 else ""
            return f"donor search{under_way}" if under_way else "donor search begins"
        case Event.DONOR_FOUND:
            return f"{Donor(entry.detail).name.lower()} donor found"
        case Event.TRANSPLANT:
            return _transplant(entry, world, history)
        case Event.MAINTENANCE:
            return "bridging therapy begins" if entry.detail == AfterCycles.BRIDGING else "maintenance begins"
        case Event.SWITCH:
            return "switches to another antineoplastic therapy"
        case Event.RELAPSE:
            return "relapse, not yet detected"
        case Event.RELAPSE_DETECTED:
            return _detected(history, world)
        case Event.DEATH:
            return f"dies of {_CAUSES[Cause(entry.detail)]}"
        case _:
            return entry.event.name.lower()


def _transplant(entry: LogEntry, world: World, history: History) -> str:
    donor = Donor(entry.detail)
    source = Source(world.lives.fates.stem_cell_source[0, donor]).name.lower()
    conditioning = Conditioning(history.conditioning[0])
    intensity = "myeloablative" if conditioning == Conditioning.MYELOABLATIVE else "reduced-intensity"
    which = "on-study HSCT" if history.on_study_hsct[0] else "later HSCT, outside the study's count"
    whose = f"{donor.name.lower()} donor" + ("" if donor == Donor.CORD else f" ({source})")
    text = f"{intensity} conditioning, {whose}: {which}"
    if entry.relapse_clock_left == NONE or _clock(world) >= ENDLESS_FROM:
        return text
    spent = _clock(world) - entry.relapse_clock_left
    speed = world.lives.graft_of(conditioning).relapse_speed[0, donor] / ORDINARY_SPEED
    clock = f"The relapse clock, {_days(spent)} of its {_days(_clock(world))} days spent"
    return f"{text}. {clock}, now runs at {speed:.2g} of its full speed"


def _detected(history: History, world: World) -> str:
    by_symptoms = history.relapse[0] + world.lives.fates.symptoms_days[0] == history.relapse_detected[0]
    return "the relapse shows by symptoms" if by_symptoms else "the relapse is found in the marrow"


def _clock(world: World) -> int:
    return int(world.lives.fates.relapse_clock_millidays[0])


def _days(millidays: int) -> str:
    return f"{millidays / ORDINARY_SPEED:.0f}"


def _seen(data: TrialData) -> str:
    end = int(data.follow_up_days[0, 0])
    if data.death[0, 0] != NONE:
        return f"death on day {end}, of {_CAUSES[Cause(data.cause[0, 0])]}"
    why = "when lost to follow-up" if data.lost[0, 0] else "at the cut-off"
    if end >= HORIZON:
        why = "at the horizon"
    if data.relapse_detected[0, 0] != NONE:
        state = "after relapse"
    elif data.responder[0, 0]:
        state = "in remission"
    else:
        state = "without a remission"
    return f"alive {why} on day {end}, {state}"
