"""The conformance suite's harness: a hand-worked life in, what an engine makes of it out.

A life (``tests/lives/*.yaml``, format in ``tests/lives/README.md``) is built into ``Lives`` of one patient.
Fates and graft speeds are written down as they stand in the file, never drawn, so that no recalibration moves
a life; candidacy and conditioning are decided by the policy's own rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from ruamel.yaml import YAML

from blinasim.engine.lives import Lives
from blinasim.model.chart import Charts
from blinasim.model.codes import (
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
    Reason,
    Source,
)
from blinasim.model.cohort import Cohort
from blinasim.model.fates import Fates
from blinasim.model.graft import Graft
from blinasim.model.history import History, LogEntry
from blinasim.model.rules import Plan, decide
from blinasim.scenario.settings import DepthName, DonorName, FitnessName, MrdName, Policy

#: An engine; one that keeps no log leaves the list empty.
Engine = Callable[[Lives, list[LogEntry]], History]
#: An event as the files write it, such as {"day": 0, "event": "cycle_start", "cycle": 1}.
Line = dict[str, int | str]

CauseName = Literal["progression", "infection", "adverse_event", "gvhd", "other"]
ReasonName = Literal["not_offered", "age", "fitness", "prior_hsct", "mrd", "depth", "declined"]
ConditioningName = Literal["myeloablative", "reduced"]
TreatmentName = Literal["maintenance", "bridging"]
EventName = Literal[
    "death",
    "relapse",
    "progression",
    "switch",
    "stop",
    "remission",
    "deepening",
    "no_remission",
    "relapse_detected",
    "candidacy",
    "search_start",
    "donor_found",
    "transplant",
    "cycle_start",
    "maintenance",
]
FateDays = Annotated[int, Field(ge=1, lt=NEVER)]
#: Below NEVER / HORIZON, so that a clock left out runs out at no speed before the horizon.
Speed = Annotated[int, Field(ge=0, le=20_000)]
#: A clock in days with at most three decimals, kept in milli-days.
ClockDays = Annotated[int | float, Field(gt=0, lt=NEVER)]

#: The one detail that an event carries, and the word for its code; cycles are plain numbers.
_DETAILS: dict[Event, tuple[str, Callable[[int], int | str]]] = {
    Event.CYCLE_START: ("cycle", int),
    Event.REMISSION: ("depth", lambda code: {Depth.CR: "CR", Depth.CRH: "CRh"}[Depth(code)]),
    Event.DONOR_FOUND: ("donor", lambda code: Donor(code).name.lower()),
    Event.DEATH: ("cause", lambda code: Cause(code).name.lower()),
    Event.MAINTENANCE: ("treatment", lambda code: AfterCycles(code).name.lower()),
}


#: The suite's own baseline, which no recalibration of the project's defaults moves.
_BASELINE = Path(__file__).parent / "lives" / "policies" / "baseline.yaml"


def _read(path: Path) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Lay one mapping over another; lists, and the acceptance of donors in its order, are replaced whole."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(below.get(key), dict) and key != "accept_from_day"
        merged[key] = _over(below[key], value) if both else value
    return merged


class _Words(BaseModel):
    """Frozen, and strict about unknown keys and about types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PatientWords(_Words):
    age_years: Annotated[int, Field(ge=0, le=120)] = 40
    prior_hsct: bool = False
    fitness: FitnessName = "good"


class DatedDeath(_Words):
    day: FateDays
    cause: CauseName


class DeathInRemission(_Words):
    days: FateDays
    cause: CauseName


class NonRelapseDeath(_Words):
    clock_days: ClockDays
    cause: CauseName  # by day 100
    late_cause: CauseName | None = None  # after it; the same by default


class Response(_Words):
    cycle: Literal[1, 2]
    depth: DepthName
    deepens: bool = False
    mrd: MrdName = "negative"

    @model_validator(mode="after")
    def _only_crh_of_cycle_1_deepens(self) -> Self:
        if self.deepens and (self.cycle, self.depth) != (1, "CRh"):
            raise ValueError("only a CRh of cycle 1 deepens")
        return self


class FateWords(_Words):
    """What awaits the patient; whatever is left out never happens."""

    early_death: DatedDeath | None = None
    progression_day: FateDays | None = None
    stop_after_infusion_days: FateDays | None = None
    response: Response | None = None
    relapse_clock_days: ClockDays | None = None
    symptoms_days: FateDays | None = None
    death_in_remission: DeathInRemission | None = None
    switch_days: FateDays | None = None
    later_transplant_days: FateDays | None = None
    declines: bool = False
    selected_despite_age: bool = False
    selected_despite_prior_hsct: bool = False
    donor_search_days: dict[DonorName, FateDays] = Field(default_factory=dict)
    search_under_way_days: FateDays | None = None
    non_relapse_death: NonRelapseDeath | None = None
    survival_after_failure_days: ClockDays | None = None

    @model_validator(mode="after")
    def _responders_do_not_progress(self) -> Self:
        if self.response is not None and self.progression_day is not None:
            raise ValueError("a patient destined to respond never progresses: give response or progression_day")
        return self


class SpeedWords(_Words):
    """Milli-days of clock spent per day; those of a transplant may be given by donor."""

    rest: Speed = ORDINARY_SPEED
    infusion: Speed = ORDINARY_SPEED
    other_therapy: Speed = ORDINARY_SPEED
    maintenance: Speed = ORDINARY_SPEED
    bridging: Speed = ORDINARY_SPEED
    graft: Speed | dict[DonorName, Speed] = ORDINARY_SPEED
    graft_late: Speed | dict[DonorName, Speed] = ORDINARY_SPEED
    non_relapse: Speed | dict[DonorName, Speed] = ORDINARY_SPEED
    non_relapse_late: Speed | dict[DonorName, Speed] | None = None  # as non_relapse
    non_relapse_tail: Speed | dict[DonorName, Speed] | None = None  # as non_relapse_late
    failure_refractory: Speed = ORDINARY_SPEED
    failure_relapse: Speed = ORDINARY_SPEED
    failure_relapse_after_hsct: Speed = ORDINARY_SPEED
    failure_salvage_graft: Speed = ORDINARY_SPEED


class HistoryLine(_Words):
    day: Annotated[int, Field(ge=0, le=HORIZON)]
    event: EventName
    cycle: Annotated[int, Field(ge=1)] | None = None
    depth: DepthName | None = None
    donor: DonorName | None = None
    cause: CauseName | None = None
    treatment: TreatmentName | None = None

    @property
    def code(self) -> Event:
        return Event[self.event.upper()]

    @property
    def line(self) -> Line:
        return self.model_dump(exclude_none=True)

    @model_validator(mode="after")
    def _its_own_detail(self) -> Self:
        wanted = {_DETAILS[self.code][0]} if self.code in _DETAILS else set()
        given = set(self.line) - {"day", "event"}
        if given != wanted:
            raise ValueError(f"{self.event} is written with {sorted(wanted) or 'no detail'}, not {sorted(given)}")
        return self


class Life(_Words):
    """One hand-worked life; ``history`` holds every event up to ``until_day``, in the order of the enum."""

    story: Annotated[str, Field(min_length=20)]
    patient: PatientWords = Field(default_factory=PatientWords)
    fate: FateWords = Field(default_factory=FateWords)
    speeds: SpeedWords = Field(default_factory=SpeedWords)
    plateau_days: Annotated[int, Field(ge=0, lt=NEVER)] = 730
    non_relapse_late_until_days: Annotated[int, Field(ge=100, lt=NEVER)] = 730
    policy: Policy
    until_day: Annotated[int, Field(ge=0, le=NEVER)]
    not_a_candidate: ReasonName | None = None
    conditioning: ConditioningName | None = None
    infusion_days: Annotated[int, Field(ge=0)] | None = None
    history: Annotated[list[HistoryLine], Field(min_length=1)]

    @field_validator("policy", mode="before")
    @classmethod
    def _policy(cls, words: Any) -> Policy:
        if words != "baseline" and not isinstance(words, dict):
            raise ValueError("policy is the word baseline, or a mapping of what differs from it")
        return Policy.model_validate(_over(_read(_BASELINE), {} if words == "baseline" else words))

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        keys = [(line.day, line.code) for line in self.history]
        if keys != sorted(set(keys)):
            raise ValueError("the history is not in the order of days and, within a day, of the specification")
        if keys[-1][0] > self.until_day:
            raise ValueError(f"the history goes beyond until_day {self.until_day}")
        once = Counter(code for _, code in keys if code != Event.CYCLE_START)
        if any(count > 1 for count in once.values()):
            raise ValueError("only cycle_start can happen twice")
        return self


@dataclass(frozen=True)
class Outcome:
    """What an engine made of a life: its log up to ``until_day``, its whole history, and its plan."""

    events: list[Line]
    history: History
    plan: Plan


def load(path: Path) -> Life:
    """Read and validate one file."""
    return Life.model_validate(_read(path))


def play(life: Life, engine: Engine) -> Outcome:
    """Let an engine live the life."""
    lives = build(life)
    log: list[LogEntry] = []
    history = engine(lives, log)
    entries = [entry for entry in log if entry.event != Event.HORIZON and entry.day <= life.until_day]
    return Outcome(events=[_line(entry) for entry in entries], history=history, plan=lives.plan)


def disagreements(life: Life, outcome: Outcome, *, logged: bool = True) -> list[str]:
    """Say where the outcome departs from the hand-worked history; nothing is agreement.

    Parameters
    ----------
    life, outcome
        The life, and what ``play`` made of it.
    logged : bool
        Whether the engine keeps a log; without one only its ``History`` is held against the life.
    """
    found = _log_disagreements(life, outcome.events) if logged else []
    plan, history = outcome.plan, outcome.history
    found += _plan_disagreements(life, plan) + _history_disagreements(life, history)
    carried_out, planned = int(history.conditioning[0]), int(plan.conditioning[0])
    if carried_out != (NONE if history.hsct[0] == NONE else planned):
        found.append(f"History.conditioning is {carried_out}, where {planned} is planned and hsct is {history.hsct[0]}")
    return found


# --- from words to arrays ---------------------------------------------------------------------------


def build(life: Life) -> Lives:
    """Build the one patient's lives."""
    cohort, fates = _cohort(life.patient), _fates(life.fate, life.speeds)
    plan = decide(Charts.at_remission(cohort, fates), fates.head_start_days != NONE, life.policy)
    return Lives(
        replications=1,
        patients=1,
        entry_day=cohort.entry_day,
        fates=fates,
        plan=plan,
        graft=_graft(life),
        policy=life.policy,
    )


def _cohort(patient: PatientWords) -> Cohort:
    """Give the patient's attributes as a cohort of one; what the rules do not read is zero."""
    return Cohort(
        replications=1,
        patients=1,
        entry_day=np.zeros(1, dtype=np.int32),
        site=np.zeros(1, dtype=np.int16),
        age_years=np.array([patient.age_years], dtype=np.int16),
        prior_hsct=np.array([patient.prior_hsct]),
        salvage_lines=np.zeros(1, dtype=np.int8),
        eligibility=np.zeros(1, dtype=np.int8),
        blasts_pct=np.zeros(1),
        fitness=np.array([Fitness[patient.fitness.upper()]], dtype=np.int8),
        well_matched=np.zeros(1, dtype=np.bool_),
        frailty=np.ones(1),
    )


def _fates(fate: FateWords, speeds: SpeedWords) -> Fates:
    def days(value: int | None, otherwise: int = NEVER) -> np.ndarray:
        return np.array([otherwise if value is None else value], dtype=np.int32)

    def flag(value: bool) -> np.ndarray:
        return np.array([value])

    def code(value: int) -> np.ndarray:
        return np.array([value], dtype=np.int8)

    def cause(death: DatedDeath | DeathInRemission | NonRelapseDeath | None) -> np.ndarray:
        return code(Cause.OTHER if death is None else Cause[death.cause.upper()])

    response, early, later = fate.response, fate.early_death, fate.death_in_remission
    non_relapse = fate.non_relapse_death
    return Fates(
        early_death_days=days(early and early.day),
        early_death_cause=cause(early),
        progression_days=days(fate.progression_day),
        stop_infusion_days=days(fate.stop_after_infusion_days),
        response_cycle=code(response.cycle if response else 0),
        depth=code(Depth[response.depth.upper()] if response else Depth.CR),
        deepens=flag(response is not None and response.deepens),
        mrd=code(Mrd[response.mrd.upper()] if response else Mrd.UNKNOWN),
        relapse_clock_millidays=_clock(fate.relapse_clock_days),
        relapse_speed_rest=days(speeds.rest),
        relapse_speed_infusion=days(speeds.infusion),
        relapse_speed_other_therapy=days(speeds.other_therapy),
        relapse_speed_maintenance=days(speeds.maintenance),
        relapse_speed_bridging=days(speeds.bridging),
        symptoms_days=days(fate.symptoms_days),
        remission_death_days=days(later and later.days),
        remission_death_cause=cause(later),
        switch_days=days(fate.switch_days),
        later_transplant_days=days(fate.later_transplant_days),
        selected_despite_age=flag(fate.selected_despite_age),
        selected_despite_prior_hsct=flag(fate.selected_despite_prior_hsct),
        declines=flag(fate.declines),
        donor_search_days=_by_donor(fate.donor_search_days, NEVER),
        stem_cell_source=np.full((1, len(Donor)), Source.BLOOD, dtype=np.int8),
        head_start_days=days(fate.search_under_way_days, NONE),
        non_relapse_clock_millidays=_clock(non_relapse and non_relapse.clock_days),
        non_relapse_cause_early=cause(non_relapse),
        non_relapse_cause_late=cause(non_relapse)
        if non_relapse is None or non_relapse.late_cause is None
        else code(Cause[non_relapse.late_cause.upper()]),
        failure_clock_millidays=_clock(fate.survival_after_failure_days),
        failure_speed_refractory=days(speeds.failure_refractory),
        failure_speed_relapse=days(speeds.failure_relapse),
        failure_speed_relapse_after_hsct=days(speeds.failure_relapse_after_hsct),
        failure_speed_salvage_graft=days(speeds.failure_salvage_graft),
    )


def _graft(life: Life) -> Graft:
    speeds = life.speeds
    late = speeds.non_relapse if speeds.non_relapse_late is None else speeds.non_relapse_late
    tail = late if speeds.non_relapse_tail is None else speeds.non_relapse_tail
    return Graft(
        relapse_speed=_by_donor(speeds.graft, ORDINARY_SPEED),
        relapse_speed_late=_by_donor(speeds.graft_late, ORDINARY_SPEED),
        plateau_days=np.array([life.plateau_days], dtype=np.int32),
        non_relapse_speed=_by_donor(speeds.non_relapse, ORDINARY_SPEED),
        non_relapse_speed_late=_by_donor(late, ORDINARY_SPEED),
        non_relapse_speed_tail=_by_donor(tail, ORDINARY_SPEED),
        non_relapse_late_until_days=np.array([life.non_relapse_late_until_days], dtype=np.int32),
    )


def _by_donor(value: int | dict[DonorName, int], otherwise: int) -> np.ndarray:
    if isinstance(value, int):
        return np.full((1, len(Donor)), value, dtype=np.int32)
    return np.array([[value.get(donor.name.lower(), otherwise) for donor in Donor]], dtype=np.int32)


def _clock(clock_days: float | None) -> np.ndarray:
    if clock_days is None:
        return np.array([NEVER * 1000], dtype=np.int64)
    millidays = round(clock_days * 1000)
    if abs(clock_days * 1000 - millidays) > 1e-6 or millidays < 1:
        raise ValueError(f"a clock is a whole number of milli-days, which {clock_days} days is not")
    return np.array([millidays], dtype=np.int64)


# --- from arrays to words, and the comparison -------------------------------------------------------


def _line(entry: LogEntry) -> Line:
    line: Line = {"day": int(entry.day), "event": Event(entry.event).name.lower()}
    if entry.event in _DETAILS:
        name, word = _DETAILS[entry.event]
        line[name] = word(entry.detail)
    return line


def _log_disagreements(life: Life, events: list[Line]) -> list[str]:
    expected = [line.line for line in life.history]
    if events == expected:
        return []
    missing = [f"the engine lacks {line}" for line in expected if line not in events]
    surplus = [f"the engine adds {line}" for line in events if line not in expected]
    return missing + surplus or [f"the engine has another order or repeats itself: {events}"]


def _plan_disagreements(life: Life, plan: Plan) -> list[str]:
    found = []
    code = int(plan.reason[0])
    reason = None if code == NONE else Reason(code).name.lower()
    if reason != life.not_a_candidate:
        found.append(f"the plan's reason against candidacy is {reason}, not {life.not_a_candidate}")
    conditioning = Conditioning(int(plan.conditioning[0])).name.lower()
    if life.conditioning not in (None, conditioning):
        found.append(f"the plan's conditioning is {conditioning}, not {life.conditioning}")
    after = int(plan.after_cycles[0])
    treatment = None if after == NONE else AfterCycles(after).name.lower()
    for line in life.history:
        if line.code == Event.MAINTENANCE and line.treatment != treatment:
            found.append(f"the plan's treatment after the last cycle is {treatment}, not {line.treatment}")
    return found


def _history_disagreements(life: Life, history: History) -> list[str]:
    """Hold the arrays against the listed events; what is not listed lies beyond ``until_day`` or never is."""
    first = {line.code: line for line in reversed(life.history)}
    days = {event: line.day for event, line in first.items()}
    wanted: dict[str, int | None] = {
        "stop": days.get(Event.STOP),
        "failure": _failure_day(days),
        "remission": days.get(Event.REMISSION),
        "deepening": days.get(Event.DEEPENING),
        "candidacy": days.get(Event.CANDIDACY),
        "search_start": days.get(Event.SEARCH_START),
        "donor_found": days.get(Event.DONOR_FOUND),
        "switch": days.get(Event.SWITCH),
        "hsct": days.get(Event.TRANSPLANT),
        "maintenance": days.get(Event.MAINTENANCE),
        "relapse": days.get(Event.RELAPSE),
        "relapse_detected": days.get(Event.RELAPSE_DETECTED),
        "death": days.get(Event.DEATH),
    }
    values = {name: int(getattr(history, name)[0]) for name in (*wanted, *_CODED, "cycles", "infusion_days")}
    found = []
    for name, day in wanted.items():
        if day is None and values[name] != NONE and not life.until_day < values[name] <= HORIZON:
            found.append(f"History.{name} is {values[name]}, but no such event is listed by day {life.until_day}")
        if day is not None and values[name] != day:
            found.append(f"History.{name} is {values[name]}, not {day}")
    for name, (event, codes) in _CODED.items():
        if event in first:
            code = codes(first[event])
            code = Depth.CR if name == "depth" and Event.DEEPENING in first else code
            if values[name] != code:
                found.append(f"History.{name} is {values[name]}, not {code}")
        elif values[name] != NONE and life.until_day >= HORIZON:
            found.append(f"History.{name} is {values[name]}, but no such event is listed")
    begun = sum(line.code == Event.CYCLE_START for line in life.history)
    over = begun == life.policy.cycles.maximum or _CYCLES_END & days.keys() or wanted["failure"] is not None
    if values["cycles"] != begun and (over or values["cycles"] < begun):
        found.append(f"History.cycles is {values['cycles']}, not {begun}")
    if life.infusion_days is not None and values["infusion_days"] != life.infusion_days:
        found.append(f"History.infusion_days is {values['infusion_days']}, not {life.infusion_days}")
    if Event.TRANSPLANT in days:
        on_study = not days.keys() & {Event.SWITCH} and days.get(Event.RELAPSE, NEVER) > days[Event.TRANSPLANT]
        if bool(history.on_study_hsct[0]) != on_study:
            found.append(f"History.on_study_hsct is {not on_study}")
    return found


_CYCLES_END = {Event.DEATH, Event.SWITCH, Event.STOP, Event.TRANSPLANT, Event.RELAPSE_DETECTED}
_CODED: dict[str, tuple[Event, Callable[[HistoryLine], int]]] = {
    "depth": (Event.REMISSION, lambda line: Depth[(line.depth or "").upper()]),
    "donor": (Event.DONOR_FOUND, lambda line: Donor[(line.donor or "").upper()]),
    "cause": (Event.DEATH, lambda line: Cause[(line.cause or "").upper()]),
}


def _failure_day(days: dict[Event, int]) -> int | None:
    """Day of the failure of induction: progression, a stop before remission, or the last assessment."""
    if Event.PROGRESSION in days:
        return days[Event.PROGRESSION]
    if Event.REMISSION in days:
        return None
    if Event.STOP in days:
        return days[Event.STOP]
    return days.get(Event.NO_REMISSION)
