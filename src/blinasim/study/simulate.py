"""Simulate a scenario: many trials, each seen and estimated as the real one was, beside limit and oracle."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blinasim.engine.choice import EngineName, choose, walk
from blinasim.engine.lives import Lives
from blinasim.luck import Draws, Luck
from blinasim.model.chart import Charts
from blinasim.model.codes import NONE
from blinasim.model.cohort import Cohort, draw_cohort
from blinasim.model.cohort_file import CohortSource, read_cohort
from blinasim.model.fates import Fates, settle
from blinasim.model.graft import graft
from blinasim.model.history import History, LogEntry
from blinasim.model.parameters import Parameters, load_parameters
from blinasim.model.records import TransplantRecord, record_transplants
from blinasim.model.rules import decide
from blinasim.model.therapy import under_therapy
from blinasim.scenario.settings import Capacity, Policy, Scenario
from blinasim.statistics import survival
from blinasim.study.executors import in_order
from blinasim.trial.endpoints import ENDPOINTS, Endpoint, Estimates, estimate, fit_outcomes
from blinasim.trial.observe import TrialData, observe, observe_all
from blinasim.trial.occupancy import State, occupancy
from blinasim.trial.outcomes import OUTCOMES
from blinasim.trial.tally import Tally, TallySum

Floats = NDArray[np.float64]

#: Patients walked together: enough for arrays to pay, few enough for memory and a lively progress bar.
CHUNK_PATIENTS: Final = 60_000
#: Days of the occupancy and the curves kept for figures.
OCCUPANCY_DAYS: Final = 731
CURVE_DAYS: Final = tuple(range(0, 732, 7))


@dataclass(frozen=True)
class World:
    """A block of replications before they are lived."""

    cohort: Cohort
    lives: Lives
    draws: Draws
    parameters: Parameters


@dataclass(frozen=True)
class Curves:
    """Kaplan-Meier curves of one outcome in R trials, on a grid of days.

    ``survival`` and ``at_risk`` have shape (R, G); survival is NaN beyond the last observation of a trial.
    ``limit`` (G,) is the pooled curve without censoring by time.
    """

    days: NDArray[np.int64]
    survival: Floats
    at_risk: NDArray[np.int64]
    limit: Floats


@dataclass(frozen=True, repr=False)
class Result:
    """What a study found.

    Attributes
    ----------
    scenario : Scenario
        What was asked, with the replications and the seed used.
    estimates : dict of str to Estimates
        Values of each endpoint in each of the R trials, by endpoint id.
    limits, oracles : dict of str to float or None
        Pooled values by endpoint id; None where there is none.
    curves : dict of str to Curves
        Kaplan-Meier curves by outcome id.
    occupancy : ndarray of int64, shape (states, days)
        True state of all patients on each day, pooled.
    engine : str
        Which engine walked the patients.
    """

    scenario: Scenario
    estimates: dict[str, Estimates]
    limits: dict[str, float | None]
    oracles: dict[str, float | None]
    curves: dict[str, Curves]
    occupancy: NDArray[np.int64]
    engine: EngineName

    def __repr__(self) -> str:
        study, size = self.scenario.study, self.scenario.cohort.size
        return f"<Result: {study.replications} trials of {size} patients, seed {study.seed}: {self.scenario.title!r}>"

    @property
    def replications(self) -> int:
        """Number of simulated trials."""
        return self.scenario.study.replications


def lives_of(scenario: Scenario, parameters: Parameters, draws: Draws, source: CohortSource | None = None) -> World:
    """Draw a block of patients and settle their fates under the scenario's policy."""
    parameters = under_therapy(scenario.policy, parameters)
    cohort = draw_cohort(scenario.cohort, scenario.trial.accrual, parameters, draws, source)
    fates = settle(cohort, parameters, draws)
    lives = plan_lives(scenario.policy, cohort, fates, parameters, scenario.capacity, draws)
    return World(cohort, lives, draws, parameters)


def plan_lives(
    policy: Policy,
    cohort: Cohort,
    fates: Fates,
    parameters: Parameters,
    capacity: Capacity | None = None,
    draws: Draws | None = None,
) -> Lives:
    """Let a policy decide on given patients with given fates; ``draws`` are needed where places are counted."""
    plan = decide(Charts.at_remission(cohort, fates), fates.head_start_days != NONE, policy)
    return Lives(
        replications=cohort.replications,
        patients=cohort.patients,
        entry_day=cohort.entry_day,
        fates=fates,
        plan=plan,
        graft=graft(cohort, fates, plan.candidate & (fates.response_cycle > 0), plan.conditioning, parameters),
        policy=policy,
        capacity=capacity or Capacity(),
        draws=draws,
    )


def without_hsct(policy: Policy) -> Policy:
    """Return the same policy with no transplantation offered."""
    transplant = policy.transplant.model_copy(update={"offered": False})
    return policy.model_copy(update={"transplant": transplant})


@dataclass(frozen=True)
class Batch:
    """Some replications, lived and seen: what a reader of single patients needs; P = replications * patients."""

    world: World
    history: History
    record: TransplantRecord
    seen: TrialData


@dataclass(frozen=True)
class _Trials:
    """What each trial of a block estimates: grows with the trials, by little."""

    estimates: dict[str, Estimates]
    curves: dict[str, tuple[Floats, NDArray[np.int64]]]


@dataclass(frozen=True)
class _Pooled:
    """What all patients of a block add up to."""

    tally: Tally
    occupancy: NDArray[np.int64]


@dataclass(frozen=True)
class _Block:
    """What one piece of a study's work gives."""

    trials: _Trials
    pooled: _Pooled
    batch: Batch | None


def simulate(
    scenario: Scenario,
    *,
    parameters: Parameters | None = None,
    engine: EngineName = "auto",
    progress: Callable[[int], None] | None = None,
    keep: Callable[[Batch], None] | None = None,
    source: CohortSource | None = None,
    executor: Executor | None = None,
) -> Result:
    """Simulate the trials of a scenario.

    Parameters
    ----------
    scenario : Scenario
        Its ``study`` says how many trials, and with which seed.
    parameters : Parameters, optional
        The point values of ``calibration/parameters.yaml`` by default.
    engine : {"auto", "fast", "des"}
        Which engine walks the patients; the results are the same.
    progress : callable, optional
        Called with the number of trials finished since the last call.
    keep : callable, optional
        Called with every batch of patients, in the order of the trials; patients are forgotten otherwise.
    source : CohortSource, optional
        The cohort's file as read before; read here otherwise, where the scenario names one.
    executor : concurrent.futures.Executor, optional
        Who does the work; this process by default. The results are the same.

    Returns
    -------
    Result
        Estimates of every trial, beside limits and oracles of the same patients.
    """
    parameters = parameters or load_parameters()
    source = source or read_cohort(scenario.cohort)
    total, size = scenario.study.replications, scenario.cohort.size
    step = max(1, CHUNK_PATIENTS // size)
    blocks = [range(first, min(first + step, total)) for first in range(0, total, step)]
    job = partial(_simulate_block, scenario, parameters, engine, source, keep is not None)
    trials: list[_Trials] = []
    tallied = TallySum()
    occupied = np.zeros((len(State), OCCUPANCY_DAYS), dtype=np.int64)
    for block, done in zip(blocks, in_order(job, blocks, executor), strict=True):
        trials.append(done.trials)
        tallied.add(done.pooled.tally)
        occupied += done.pooled.occupancy
        if keep and done.batch:
            keep(done.batch)
        if progress:
            progress(len(block))
    return _put_together(scenario, trials, _Pooled(tallied.tally(), occupied), choose(engine, scenario.capacity))


def _simulate_block(
    scenario: Scenario,
    parameters: Parameters,
    engine: EngineName,
    source: CohortSource | None,
    with_patients: bool,
    block: range,
) -> _Block:
    draws = Draws(Luck(scenario.study.seed), block, scenario.cohort.size)
    batch = live(scenario, parameters, draws, engine=engine, source=source)
    return _Block(_trials(scenario, batch), _pool(scenario, batch, engine), batch if with_patients else None)


def live(
    scenario: Scenario,
    parameters: Parameters,
    draws: Draws,
    log: list[LogEntry] | None = None,
    engine: EngineName = "auto",
    source: CohortSource | None = None,
) -> Batch:
    """Draw patients, let them live, and see them as the trial would; ``log`` receives their stories."""
    world = lives_of(scenario, parameters, draws, source)
    history = walk(world.lives, engine, log)
    record = _record(world, history)
    return Batch(world, history, record, observe(scenario, world.cohort, history, record, draws))


def _trials(scenario: Scenario, batch: Batch) -> _Trials:
    fitted = fit_outcomes(batch.seen, scenario.trial)
    days = np.array(CURVE_DAYS)
    curves = {key: survival.on_grid(fit, days) for key, fit in fitted.fits.items()}
    return _Trials(estimate(batch.seen, scenario.trial, fitted), curves)


def _pool(scenario: Scenario, batch: Batch, engine: EngineName) -> _Pooled:
    as_run = observe_all(scenario, batch.world.cohort, batch.history, batch.record)
    no_hsct = _had_hsct_not_existed(scenario, batch.world, engine)
    return _Pooled(Tally.of(as_run, no_hsct, scenario.trial), occupancy(batch.history, OCCUPANCY_DAYS))


def _record(world: World, history: History) -> TransplantRecord:
    return record_transplants(history, world.lives.fates, world.parameters, world.draws)


def _had_hsct_not_existed(scenario: Scenario, world: World, engine: EngineName) -> TrialData:
    """Return the same patients with the same luck in a world without HSCT."""
    policy = without_hsct(scenario.policy)
    was = world.lives
    lives = plan_lives(policy, world.cohort, was.fates, world.parameters, was.capacity, world.draws)
    history = walk(lives, engine)
    return observe_all(scenario, world.cohort, history, _record(world, history))


def _put_together(scenario: Scenario, trials: list[_Trials], pooled: _Pooled, engine: EngineName) -> Result:
    days = np.array(CURVE_DAYS)
    return Result(
        scenario=scenario,
        estimates={endpoint.id: _joined(endpoint, trials) for endpoint in ENDPOINTS},
        limits={endpoint.id: pooled.tally.value(endpoint, "limit") for endpoint in ENDPOINTS},
        oracles={endpoint.id: pooled.tally.value(endpoint, "oracle") for endpoint in ENDPOINTS},
        curves={
            outcome.id: Curves(
                days,
                np.concatenate([block.curves[outcome.id][0] for block in trials]),
                np.concatenate([block.curves[outcome.id][1] for block in trials]),
                pooled.tally.table(outcome.id).all_causes().survival()[days],
            )
            for outcome in OUTCOMES
        },
        occupancy=pooled.occupancy,
        engine=engine,
    )


def _joined(endpoint: Endpoint, trials: list[_Trials]) -> Estimates:
    parts = [block.estimates[endpoint.id] for block in trials]
    lowers = [part.lower for part in parts if part.lower is not None]
    uppers = [part.upper for part in parts if part.upper is not None]
    return Estimates(
        np.concatenate([part.value for part in parts]),
        np.concatenate(lowers) if lowers else None,
        np.concatenate(uppers) if uppers else None,
    )
