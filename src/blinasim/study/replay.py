"""Replay: one trial of a study lived again by itself, or one patient of it, with the story of everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from numbers import Integral
from typing import Final

import numpy as np

from blinasim.errors import Argument, BlinasimError
from blinasim.files import short
from blinasim.luck import Draws, Luck
from blinasim.model.codes import NONE
from blinasim.model.cohort_file import CohortSource
from blinasim.model.history import LogEntry, chosen
from blinasim.model.parameters import ParameterSource
from blinasim.model.places import Stays
from blinasim.scenario.settings import Scenario
from blinasim.study.batch import Batch, live, without_hsct


@dataclass(frozen=True)
class Replay:
    """One trial, lived and seen, and its story; ``log`` and ``stays`` number the patients from 0 within the batch."""

    batch: Batch
    log: tuple[LogEntry, ...]
    stays: Stays | None = None  # requests for counted places


def replay(
    scenario: Scenario,
    parameters: ParameterSource,
    trial: int,
    *,
    patient: int | None = None,
    source: CohortSource | None = None,
    own_policy: Callable[[], object] | None = None,
) -> Replay:
    """Live one trial of a study again, or one patient of it.

    Luck is keyed by trial and patient, so that what is replayed alone is the same to the byte as in the study; a trial
    beyond those of the study is the one that a longer study would add.

    Parameters
    ----------
    scenario : Scenario
        The study.
    parameters : ParameterSource
        Its values of nature.
    trial : int
        Number of the trial, from 1.
    patient : int, optional
        Number of the patient, from 1; all by default.
    source : CohortSource, optional
        The cohort's file, read before.
    own_policy : callable, optional
        Makes a policy of the user's own.

    Returns
    -------
    Replay

    Raises
    ------
    BlinasimError
        If trial or patient cannot be.
    PolicyError
        If a policy of the user's own cannot be made, or fails.
    """
    size = scenario.cohort.size
    block = block_of(trial)
    if patient is not None and not (isinstance(patient, Integral) and 1 <= patient <= size):
        raise BlinasimError(f"the cohort has patients 1 to {size}", Argument("patient", said=short(repr(patient))))
    luck = Luck(scenario.study.seed)
    shared = scenario.capacity.limited  # then nobody lives alone
    draws = Draws(luck, block, size) if patient is None or shared else Draws(luck, block, 1, patient - 1)
    log: list[LogEntry] = []
    stays: list[Stays] = []
    batch = live(scenario, parameters, draws, log, source=source, own_policy=own_policy, stays=stays)
    whole = Replay(batch, tuple(log), stays[0] if stays else None)
    return whole if patient is None or not shared else _only(whole, patient - 1)


#: What the same patient's life is called in a world without HSCT.
WITHOUT_HSCT: Final = "the same patient without HSCT"


def replay_beside(
    scenario: Scenario,
    others: Mapping[str, Scenario],
    parameters: ParameterSource,
    trial: int,
    patient: int,
    *,
    name: str = "as treated",
    own_policy: Callable[[], object] | None = None,
) -> dict[str, Replay]:
    """Live one patient of a study again, and with the same luck under other policies.

    Parameters
    ----------
    scenario : Scenario
        The study.
    others : mapping of str to Scenario
        Scenarios with the same cohort, by name; their own seeds do not matter. Where there are none, a patient who was
        transplanted is also lived without HSCT.
    parameters, trial, patient, own_policy
        As for `replay`.
    name : str
        What the first life is called.

    Returns
    -------
    dict of str to Replay
        The lives by name, the first first.

    Raises
    ------
    BlinasimError
        If trial or patient cannot be, or a scenario has other patients.
    """
    lives = {name: replay(scenario, parameters, trial, patient=patient, own_policy=own_policy)}
    if not others and lives[name].batch.history.hsct[0] != NONE:
        others = {WITHOUT_HSCT: scenario.model_copy(update={"policy": without_hsct(scenario.policy)})}
    for other, asked in others.items():
        if asked.cohort != scenario.cohort:
            raise BlinasimError(f"{other} has other patients than {name}: their cohorts must be the same")
        lives[other] = replay(asked.with_study(seed=scenario.study.seed), parameters, trial, patient=patient)
    return lives


def _only(whole: Replay, patient: int) -> Replay:
    """Cut one patient out of a trial whose patients shared places."""
    batch, who = whole.batch, np.array([patient])
    world = batch.world
    alone = replace(
        batch,
        world=replace(
            world,
            cohort=replace(chosen(world.cohort, who), patients=1),
            lives=world.lives.of(who),
            draws=replace(world.draws, patients=1, first_patient=patient),
        ),
        history=chosen(batch.history, who),
        record=chosen(batch.record, who),
        seen=replace(batch.seen, **{item.name: getattr(batch.seen, item.name)[:, who] for item in fields(batch.seen)}),
    )
    log = tuple(replace(entry, patient=0) for entry in whole.log if entry.patient == patient)
    assert whole.stays is not None
    return Replay(alone, log, whole.stays.chosen(whole.stays.patient == patient))


def block_of(trial: int) -> range:
    """Return the replication that is a trial, which counts from 1.

    Raises
    ------
    BlinasimError
        If there is no such trial.
    """
    if not isinstance(trial, Integral) or trial < 1:
        raise BlinasimError("trials count from 1", Argument("trial", said=short(repr(trial))))
    return range(trial - 1, trial)
