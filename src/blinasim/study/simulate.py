"""Simulate a scenario: many trials, each seen and estimated as the real one was, beside limit and oracle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blinasim.engine.choice import EngineName, choose
from blinasim.luck import Draws, Luck
from blinasim.model.catalogue import load_parameters
from blinasim.model.cohort_file import CohortSource, read_cohort
from blinasim.model.own_policy import checked_policy
from blinasim.model.parameters import ParameterSource
from blinasim.scenario.settings import Scenario
from blinasim.statistics import competing, survival
from blinasim.study.batch import Batch, had_hsct_not_existed, live
from blinasim.study.checkpoint import Checkpoint
from blinasim.study.chunks import Chunk, Gathered, Pooled, Trials, cut, trials_at_a_time, usual_chunk, with_curves
from blinasim.study.executors import in_order
from blinasim.study.precision import Precision, settled, stages
from blinasim.trial.endpoints import ENDPOINTS, Estimates, estimate, fit_outcomes
from blinasim.trial.flow import patient_flow
from blinasim.trial.observe import observe_all
from blinasim.trial.occupancy import occupancy
from blinasim.trial.outcomes import OUTCOMES
from blinasim.trial.tally import Tally

Floats = NDArray[np.float64]

#: Days of the occupancy and the curves kept for figures.
OCCUPANCY_DAYS: Final = 731
CURVE_DAYS: Final = tuple(range(0, 732, 7))


@dataclass(frozen=True)
class Incidences:
    """Cumulative incidences (Aalen-Johansen) of the causes of one outcome, on the G days of its `Curves`.

    Attributes
    ----------
    of_trials : ndarray of float64, shape (K, causes, G)
        Of the first K trials, NaN beyond the last observation of a trial.
    limit : ndarray of float64, shape (causes, G)
        Of all trials pooled, without censoring by time.
    """

    of_trials: Floats
    limit: Floats


@dataclass(frozen=True)
class Flow:
    """How far the patients came and how they were when last seen: counts in the cells of ``trial.flow``.

    ``of_trials`` (K, *FLOW_SHAPE) is of the first K trials, ``pooled`` (*FLOW_SHAPE) of all.
    """

    of_trials: NDArray[np.int32]
    pooled: NDArray[np.int64]


@dataclass(frozen=True)
class Curves:
    """Kaplan-Meier curves of one outcome in the first K trials of a study, on a grid of G days.

    Attributes
    ----------
    days : ndarray of int64, shape (G,)
        From the outcome's origin.
    survival, at_risk : ndarray, shape (K, G)
        K is the number of trials, at most 2,000 (``chunks.CURVE_TRIALS``): memory must not grow by whole curves.
        Survival is NaN beyond the last observation of a trial.
    limit : ndarray of float64, shape (G,)
        The curve of all trials pooled, without censoring by time.
    incidences : Incidences or None
        Where there are causes.
    """

    days: NDArray[np.int64]
    survival: Floats
    at_risk: NDArray[np.int64]
    limit: Floats
    incidences: Incidences | None = None  # where there are causes


@dataclass(frozen=True, repr=False)
class Result:
    """What a study found.

    Attributes
    ----------
    scenario : Scenario
        What was asked, with the replications and the seed used.
    parameters : ParameterSource
        The values of nature under which it was lived.
    estimates : dict of str to Estimates
        Values of each endpoint in each of the R trials, by endpoint id.
    limits, oracles : dict of str to float or None
        Pooled values by endpoint id; None where there is none.
    curves : dict of str to Curves
        Kaplan-Meier curves by outcome id, of the first 2,000 trials.
    occupancy : ndarray of int64, shape (states, days)
        True state of all patients on each day, pooled.
    flow : Flow
        How far the patients came and how they were when last seen, at the trials' cut-offs.
    engine : str
        Which engine walked the patients.
    """

    scenario: Scenario
    parameters: ParameterSource
    estimates: dict[str, Estimates]
    limits: dict[str, float | None]
    oracles: dict[str, float | None]
    curves: dict[str, Curves]
    occupancy: NDArray[np.int64]
    flow: Flow
    engine: EngineName

    def __repr__(self) -> str:
        study, size = self.scenario.study, self.scenario.cohort.size
        return f"<Result: {study.replications} trials of {size} patients, seed {study.seed}: {self.scenario.title!r}>"

    @property
    def replications(self) -> int:
        """Number of simulated trials."""
        return self.scenario.study.replications


@dataclass(frozen=True)
class _Done:
    """What one piece of a study's work gives, with its patients where they are wanted."""

    chunk: Chunk
    batch: Batch | None


def simulate(
    scenario: Scenario,
    *,
    parameters: ParameterSource | None = None,
    engine: EngineName = "auto",
    progress: Callable[[int], None] | None = None,
    keep: Callable[[Batch], None] | None = None,
    source: CohortSource | None = None,
    executor: Executor | None = None,
    chunk: int | None = None,
    precision: Sequence[Precision] = (),
    most: int | None = None,
    checkpoint: Checkpoint | None = None,
    own_policy: Callable[[], object] | None = None,
) -> Result:
    """Simulate the trials of a scenario.

    Parameters
    ----------
    scenario : Scenario
        Its ``study`` says how many trials, and with which seed.
    parameters : ParameterSource, optional
        Values for all trials, or draws for pairs of trials; by default the point values of
        ``calibration/parameters.yaml``.
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
    chunk : int, optional
        Trials done at a time; by default as many as make ``chunks.CHUNK_PATIENTS`` patients. The results are the same.
    precision : sequence of Precision
        Monte Carlo standard errors wanted: the scenario's number of trials is doubled until all are reached, which
        depends on the scenario alone. The result's scenario says how many trials it took.
    most : int, optional
        Trials at which to give up on ``precision``; a million by default, or the scenario's own number if that is more.
    checkpoint : Checkpoint, optional
        Where finished chunks are kept, and where those of an interrupted run are read; it keeps no patients.
    own_policy : callable, optional
        Makes a policy of the user's own (:class:`blinasim.model.own_policy.OwnPolicy`), such as its class; to be done
        by other processes it must be importable there.

    Returns
    -------
    Result
        Estimates of every trial, beside limits and oracles of the same patients.

    Raises
    ------
    WorkerError
        If those who do the work keep dying.
    ValueError
        If patients are wanted with a checkpoint.
    """
    if keep and checkpoint:
        raise ValueError("a checkpoint keeps no patients: keep and checkpoint exclude each other")
    parameters = parameters or load_parameters()
    source = source or read_cohort(scenario.cohort)
    walker = choose(engine, scenario.capacity, own_policy=own_policy is not None)
    step = trials_at_a_time(chunk, usual_chunk(scenario.cohort.size, walker))
    job = partial(_simulate_block, scenario, parameters, engine, source, own_policy, keep is not None)
    if own_policy:
        checked_policy(own_policy)
    gathered, done = Gathered(), 0

    def finished(block: range, its: Chunk) -> None:
        gathered.add(block, its)
        if progress:
            progress(len(block))

    for total in stages(scenario.study.replications, precision, most):
        gathered.reserve(total)
        missing = []
        for block in cut(range(done, total), step):
            kept = checkpoint.read(block) if checkpoint else None
            if kept:
                finished(block, kept)
            else:
                missing.append(block)
        for block, new in zip(missing, in_order(job, missing, executor), strict=True):
            if checkpoint:
                checkpoint.write(block, new.chunk)
            if keep and new.batch:
                keep(new.batch)
            finished(block, new.chunk)
        done = total
        if settled(precision, gathered.estimates(), paired=parameters.varies):
            break
    return _put_together(scenario.with_study(replications=done), parameters, gathered, walker)


def _simulate_block(
    scenario: Scenario,
    parameters: ParameterSource,
    engine: EngineName,
    source: CohortSource | None,
    own_policy: Callable[[], object] | None,
    with_patients: bool,
    block: range,
) -> _Done:
    draws = Draws(Luck(scenario.study.seed), block, scenario.cohort.size)
    batch = live(scenario, parameters, draws, engine=engine, source=source, own_policy=own_policy)
    lives = batch.world.lives
    flows = patient_flow(batch.seen, batch.history, lives.fates, lives.plan, own_policy=own_policy is not None)
    trials = _trials(scenario, batch, flows, curves=with_curves(block))
    return _Done(Chunk(trials, _pool(scenario, batch, engine, flows)), batch if with_patients else None)


def _trials(scenario: Scenario, batch: Batch, flows: NDArray[np.int32], *, curves: int) -> Trials:
    """Estimate each trial; its first ones, as many as ``curves``, keep their curves and their flows."""
    fitted = fit_outcomes(batch.seen, scenario.trial)
    kept, incidences = {}, {}
    if curves:
        days = np.array(CURVE_DAYS)
        for key, fit in fitted.fits.items():
            on_days, at_risk = survival.on_grid(fit, days)
            kept[key] = (on_days[:curves], at_risk[:curves])
        for outcome in OUTCOMES:
            if len(outcome.causes) > 1:
                incidence = competing.on_grid(fitted.fits[outcome.id], len(outcome.causes), days)
                incidences[outcome.id] = incidence[:curves]
    return Trials(estimate(batch.seen, scenario.trial, fitted), kept, incidences, flows[:curves])


def _pool(scenario: Scenario, batch: Batch, engine: EngineName, flows: NDArray[np.int32]) -> Pooled:
    as_run = observe_all(scenario, batch.world.cohort, batch.history, batch.record)
    no_hsct = had_hsct_not_existed(scenario, batch, engine)
    tally = Tally.of(as_run, no_hsct, scenario.trial)
    return Pooled(tally, occupancy(batch.history, OCCUPANCY_DAYS), flows.sum(axis=0, dtype=np.int64))


def _put_together(scenario: Scenario, parameters: ParameterSource, gathered: Gathered, engine: EngineName) -> Result:
    days, pooled, firsts = np.array(CURVE_DAYS), gathered.pooled, gathered.firsts()
    incidences = {
        key: Incidences(incidence, pooled.tally.table(key).cumulative_incidence()[:, days])
        for key, incidence in firsts.incidences.items()
    }
    return Result(
        scenario=scenario,
        parameters=parameters,
        estimates=gathered.estimates(),
        limits={endpoint.id: pooled.tally.value(endpoint, "limit") for endpoint in ENDPOINTS},
        oracles={endpoint.id: pooled.tally.value(endpoint, "oracle") for endpoint in ENDPOINTS},
        curves={
            key: Curves(days, *curve, pooled.tally.table(key).all_causes().survival()[days], incidences.get(key))
            for key, curve in firsts.curves.items()
        },
        occupancy=pooled.occupancy,
        flow=Flow(firsts.flows, pooled.flow),
        engine=engine,
    )
