"""Batches: the patients of some trials, drawn, lived and seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from blinasim.engine.choice import EngineName, choose, walk
from blinasim.engine.lives import Lives
from blinasim.luck import Draws
from blinasim.model.chart import Charts
from blinasim.model.codes import NONE, AfterCycles, Conditioning
from blinasim.model.cohort import Cohort, draw_cohort
from blinasim.model.cohort_file import CohortSource
from blinasim.model.fates import Fates, settle
from blinasim.model.graft import graft
from blinasim.model.history import COLUMNS, History, LogEntry
from blinasim.model.own_policy import OwnRules
from blinasim.model.parameters import Parameters, ParameterSource
from blinasim.model.places import Stays
from blinasim.model.records import TransplantRecord, record_transplants
from blinasim.model.rules import decide
from blinasim.model.therapy import under_therapy
from blinasim.scenario.settings import Policy, Scenario
from blinasim.trial.observe import TrialData, observe, observe_all


@dataclass(frozen=True)
class World:
    """A block of replications before they are lived.

    Attributes
    ----------
    cohort : Cohort
        Who they are.
    lives : Lives
        What is settled, and what the policy has decided.
    draws : Draws
        Their luck.
    parameters : Parameters
        Values of nature under the policy's treatment.
    """

    cohort: Cohort
    lives: Lives
    draws: Draws
    parameters: Parameters


def lives_of(
    scenario: Scenario,
    parameters: ParameterSource,
    draws: Draws,
    source: CohortSource | None = None,
    own_policy: Callable[[], object] | None = None,
) -> World:
    """Draw a block of patients and settle their fates under the scenario's policy, or one of the user's own.

    Parameters
    ----------
    scenario : Scenario
        Cohort, policy, places and accrual.
    parameters : ParameterSource
        Values of nature, by replication.
    draws : Draws
        The block's luck: R replications of n patients, P in all.
    source : CohortSource, optional
        The cohort's file, read before.
    own_policy : callable, optional
        Makes a policy of the user's own.

    Returns
    -------
    World
    """
    values = under_therapy(scenario.policy, parameters.of(draws.block, draws.luck.seed))
    cohort = draw_cohort(scenario.cohort, scenario.trial.accrual, values, draws, source)
    fates = settle(cohort, values, draws)
    lives = plan_lives(scenario.policy, cohort, fates, values)
    own = _own_rules(own_policy, cohort, fates, values, draws) if own_policy else None
    return World(cohort, replace(lives, capacity=scenario.capacity, draws=draws, own=own), draws, values)


def plan_lives(policy: Policy, cohort: Cohort, fates: Fates, parameters: Parameters) -> Lives:
    """Let a policy decide on P given patients with given fates.

    Parameters
    ----------
    policy : Policy
        Its static rules are applied now.
    cohort, fates
        Of P patients.
    parameters : Parameters
        For the speeds that a transplant would bring.

    Returns
    -------
    Lives
        Without counted places; see :func:`lives_of`.
    """
    plan = decide(Charts.at_remission(cohort, fates), fates.head_start_days != NONE, policy)
    return Lives(
        replications=cohort.replications,
        patients=cohort.patients,
        entry_day=cohort.entry_day,
        fates=fates,
        plan=plan,
        graft=graft(cohort, fates, plan.candidate & (fates.response_cycle > 0), plan.conditioning, parameters),
        policy=policy,
    )


def _own_rules(
    make: Callable[[], object], cohort: Cohort, fates: Fates, parameters: Parameters, draws: Draws
) -> OwnRules:
    """Prepare for a policy of one's own, which may transplant any responder after any conditioning."""
    responder = fates.response_cycle > 0
    myeloablative, reduced = (
        graft(cohort, fates, responder, np.full(responder.shape, code, dtype=np.int8), parameters)
        for code in Conditioning
    )
    return OwnRules(make, (myeloablative, reduced), cohort, draws)


def without_hsct(policy: Policy) -> Policy:
    """Return the same policy with no transplantation offered."""
    transplant = policy.transplant.model_copy(update={"offered": False})
    return policy.model_copy(update={"transplant": transplant})


@dataclass(frozen=True)
class Batch:
    """Some replications, lived and seen: what a reader of single patients needs; P = replications * patients.

    Attributes
    ----------
    world : World
        Before they were lived.
    history, record
        What happened, and what is recorded of transplants; (P,).
    seen : TrialData
        As the trial sees it; (R, n).
    """

    world: World
    history: History
    record: TransplantRecord
    seen: TrialData


def live(
    scenario: Scenario,
    parameters: ParameterSource,
    draws: Draws,
    log: list[LogEntry] | None = None,
    engine: EngineName = "auto",
    source: CohortSource | None = None,
    own_policy: Callable[[], object] | None = None,
    stays: list[Stays] | None = None,
) -> Batch:
    """Draw patients, let them live, and see them as the trial would.

    Parameters
    ----------
    scenario, parameters, draws, source, own_policy
        As for :func:`lives_of`.
    log : list of LogEntry, optional
        Receives their stories.
    engine : {"auto", "fast", "des"}
        Which engine walks the patients; the history is the same.
    stays : list of Stays, optional
        Receives their requests for counted places.

    Returns
    -------
    Batch

    Raises
    ------
    ScenarioError
        If ``fast`` is asked for where it cannot walk.
    PolicyError
        If a policy of the user's own cannot be made, or fails.
    """
    world = lives_of(scenario, parameters, draws, source, own_policy)
    history = walk(world.lives, engine, log, stays)
    record = _record(world, history)
    return Batch(world, history, record, observe(scenario, world.cohort, history, record, draws))


def _record(world: World, history: History) -> TransplantRecord:
    return record_transplants(history, world.lives.fates, world.parameters, world.draws)


def had_hsct_not_existed(scenario: Scenario, batch: Batch, engine: EngineName) -> TrialData:
    """Return the same patients with the same luck in a world without HSCT: their relapses and deaths, uncensored.

    Where nothing is shared, whoever was neither transplanted nor bridged relapses and dies on the same days there, and
    only the others are lived again.

    Parameters
    ----------
    scenario : Scenario
        That was lived.
    batch : Batch
        Its patients.
    engine : {"auto", "fast", "des"}
        As for :func:`live`.

    Returns
    -------
    TrialData
        Of relapse and death only the true days hold; (R, n).
    """
    world, was = batch.world, batch.world.lives
    lives = replace(
        plan_lives(without_hsct(scenario.policy), world.cohort, was.fates, world.parameters),
        capacity=was.capacity,
        draws=was.draws,
        own=was.own,
    )
    if choose(engine, was.capacity, own_policy=was.own is not None) == "fast":
        touched = (batch.history.hsct != NONE) | (was.plan.after_cycles == AfterCycles.BRIDGING)
        history = _with(batch.history, np.flatnonzero(touched), lives, engine)
    else:
        history = walk(lives, engine)
    return observe_all(scenario, world.cohort, history, _record(world, history))


def _with(history: History, who: NDArray[np.intp], lives: Lives, engine: EngineName) -> History:
    """Return a history in which some patients have lived other lives."""
    anew = walk(lives.of(who), engine)
    columns = {name: getattr(history, name).copy() for name in COLUMNS}
    for name, column in columns.items():
        column[who] = getattr(anew, name)
    return replace(history, **columns)
