"""Worlds that tests share: scenarios and parameters that differ in a few words, and lives made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from blinasim.engine import des
from blinasim.engine.lives import Lives
from blinasim.luck import Draws, Luck
from blinasim.model.catalogue import parameter_catalogue
from blinasim.model.codes import NEVER, NONE, ORDINARY_SPEED, Conditioning, Donor, Event, Reason
from blinasim.model.fates import Fates
from blinasim.model.graft import Graft
from blinasim.model.history import COLUMNS, History, LogEntry
from blinasim.model.parameters import Parameters, parameters_of
from blinasim.model.rules import Plan
from blinasim.scenario.settings import Policy, Scenario
from blinasim.study.batch import World, lives_of, plan_lives, without_hsct

#: One line of a story: day, event, detail.
Line = tuple[int, Event, int]


def parameters(changes: Mapping[str, Any] | None = None) -> Parameters:
    """The point values, but for those named with a dot."""
    values: dict[str, Any] = {name: info.value for name, info in parameter_catalogue().items()}
    assert set(changes or {}) <= set(values), "no such parameter"
    return parameters_of(values | dict(changes or {}))


def scenario(
    policy: Mapping[str, Any] | None = None,
    trial: Mapping[str, Any] | None = None,
    *,
    size: int = 189,
    cohort: Mapping[str, Any] | None = None,
    replications: int = 1,
    seed: int = 1,
) -> Scenario:
    """The schema's defaults, which are the source study's conduct, but for what is given."""
    return Scenario.model_validate(
        {
            "title": "a test",
            "cohort": {"size": size, **(cohort or {})},
            "policy": dict(policy or {}),
            "trial": dict(trial or {}),
            "study": {"replications": replications, "seed": seed},
        }
    )


def world(of: Scenario, with_parameters: Parameters, block: range, seed: int = 1) -> World:
    """Draw and settle a block of replications."""
    return lives_of(of, with_parameters, Draws(Luck(seed), block, of.cohort.size))


def under(policy: Policy, same: World) -> Lives:
    """The same patients with the same fates under another policy."""
    return plan_lives(policy, same.cohort, same.lives.fates, same.parameters)


def no_hsct(same: World) -> Lives:
    """The same patients in a world without HSCT."""
    return under(without_hsct(same.lives.policy), same)


# --- comparing ---------------------------------------------------------------------------------------


def cut(data: Any, shape: tuple[int, int], rows: slice, columns: slice) -> dict[str, np.ndarray]:
    """Every array of a dataclass that holds (R * n, ...) or (R, n) arrays, for some trials and patients."""
    arrays = {f.name: getattr(data, f.name) for f in fields(data)}
    cells = shape[0] * shape[1]
    return {
        name: value.reshape(*shape, *([value.size // cells] if value.size != cells else []))[rows, columns]
        for name, value in arrays.items()
        if isinstance(value, np.ndarray)
    }


def arrays_of(data: Any) -> dict[str, np.ndarray]:
    """Every array of a dataclass, by name."""
    return {f.name: a for f in fields(data) if isinstance(a := getattr(data, f.name), np.ndarray)}


def differing(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> list[str]:
    """Names of the arrays that are not the same byte for byte; none is agreement."""
    assert one.keys() == other.keys()
    assert one, "nothing to compare"
    return [
        name
        for name, array in one.items()
        if array.dtype != other[name].dtype
        or array.shape != other[name].shape
        or array.tobytes() != other[name].tobytes()
    ]


def differing_histories(one: History, other: History) -> list[str]:
    """Names of the columns in which two sets of histories are not the same byte for byte."""
    return differing(arrays_of(one), arrays_of(other))


def untouched(one: History, other: History, ignoring: Sequence[str] = ()) -> np.ndarray:
    """Patients with identical whole histories, but for the columns ignored; shape (P,)."""
    names = [name for name in COLUMNS if name not in ignoring]
    return np.all([getattr(one, name) == getattr(other, name) for name in names], axis=0)


def stories(lives: Lives) -> list[list[Line]]:
    """The story of each patient."""
    log: list[LogEntry] = []
    history = des.walk(lives, log)
    told: list[list[Line]] = [[] for _ in range(history.death.size)]
    for entry in log:
        told[entry.patient].append((entry.day, entry.event, entry.detail))
    return told


def before(day: int, story: Sequence[Line], ignoring: Sequence[Event] = ()) -> list[Line]:
    """The part of a story before a day."""
    return [line for line in story if line[0] < day and line[1] not in ignoring]


def or_never(day: np.ndarray) -> np.ndarray:
    """Days, with NEVER for what did not happen."""
    return np.where(day == NONE, NEVER, day)


# --- lives made by hand ------------------------------------------------------------------------------


def in_remission_on_day_28(patients: int, **fates: np.ndarray) -> Lives:
    """Patients who respond in cycle 1, to whom nothing happens but the fates given; no transplantation."""

    def days(value: int) -> np.ndarray:
        return np.full(patients, value, dtype=np.int32)

    def codes(value: int) -> np.ndarray:
        return np.full(patients, value, dtype=np.int8)

    never, never_clock = days(NEVER), np.full(patients, NEVER * 1000, dtype=np.int64)
    ordinary, no = days(ORDINARY_SPEED), np.zeros(patients, dtype=np.bool_)
    uneventful = Fates(
        early_death_days=never,
        early_death_cause=codes(0),
        progression_days=never,
        stop_infusion_days=never,
        response_cycle=codes(1),
        depth=codes(0),
        deepens=no,
        mrd=codes(0),
        relapse_clock_millidays=never_clock,
        relapse_speed_rest=ordinary,
        relapse_speed_infusion=ordinary,
        relapse_speed_other_therapy=ordinary,
        relapse_speed_maintenance=ordinary,
        relapse_speed_bridging=ordinary,
        symptoms_days=never,
        remission_death_days=never,
        remission_death_cause=codes(4),
        switch_days=never,
        later_transplant_days=never,
        selected_despite_age=no,
        selected_despite_prior_hsct=no,
        declines=no,
        donor_search_days=np.full((patients, len(Donor)), NEVER, dtype=np.int32),
        stem_cell_source=np.zeros((patients, len(Donor)), dtype=np.int8),
        head_start_days=days(NONE),
        non_relapse_clock_millidays=never_clock,
        non_relapse_cause_early=codes(1),
        non_relapse_cause_late=codes(1),
        failure_clock_millidays=never_clock,
        failure_speed_refractory=ordinary,
        failure_speed_relapse=ordinary,
        failure_speed_relapse_after_hsct=ordinary,
        failure_speed_salvage_graft=ordinary,
    )
    speeds = np.full((patients, len(Donor)), ORDINARY_SPEED, dtype=np.int32)
    return Lives(
        replications=1,
        patients=patients,
        entry_day=days(0),
        fates=replace(uneventful, **fates),
        plan=Plan(
            no, codes(Reason.NOT_OFFERED), codes(Reason.NOT_OFFERED), codes(Conditioning.MYELOABLATIVE), no, codes(NONE)
        ),
        graft=Graft(speeds, speeds, days(730), speeds, speeds, speeds, days(730)),
        policy=Policy(),
    )


# --- Monte Carlo ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Share:
    """A share counted among so many, beside the probability that it should have."""

    what: str
    counted: int
    among: int
    probability: float

    @property
    def standard_errors(self) -> float:
        """Distance of the count from its expectation, in Monte Carlo standard errors."""
        expected = self.among * self.probability
        spread = np.sqrt(expected * (1.0 - self.probability))
        if spread == 0.0:
            return 0.0 if self.counted == round(expected) else np.inf
        return float(abs(self.counted - expected) / spread)


def strayed(shares: Sequence[Share], limit: float = 4.0) -> list[str]:
    """Say which shares lie more than ``limit`` Monte Carlo standard errors from their probabilities."""
    assert shares, "nothing to compare"
    return [
        f"{share.what}: {share.counted / share.among:.5f}, not {share.probability:.5f} "
        f"({share.standard_errors:.1f} standard errors)"
        for share in shares
        if not share.standard_errors <= limit
    ]
