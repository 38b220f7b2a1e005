"""The public functions of :mod:`blinasim`; thin words over the rooms."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from blinasim.api.inference import calibrate, load_posterior, parameters_table, prior_draws, validate, validation_table
from blinasim.api.patients import patients_table, trace
from blinasim.engine.choice import EngineName
from blinasim.errors import ScenarioError
from blinasim.inference.choice import parameters_said
from blinasim.inference.value import ValueOfInformation, value_of
from blinasim.model.parameters import Parameters, ParameterSource, load_parameters
from blinasim.report.rows import endpoint_frame, rows_of
from blinasim.scenario.design_file import TrialDesign, load_design
from blinasim.scenario.loading import load_named, load_scenario, study_changes
from blinasim.scenario.settings import Scenario
from blinasim.study import compare as comparing
from blinasim.study import effect as estimating
from blinasim.study import evaluate_design as evaluating
from blinasim.study import optimize as optimizing
from blinasim.study import simulate as study
from blinasim.study.comparison import Comparison
from blinasim.study.effect import Effect
from blinasim.study.effect_data import DataEffect, effect_of_file, effect_of_table
from blinasim.study.estimators import Timing
from blinasim.study.evaluate_design import Evaluation
from blinasim.study.exposures import Detection
from blinasim.study.grid import grid_of, values_said
from blinasim.study.optimize import Optimization
from blinasim.study.precision import Precision, shortfalls
from blinasim.study.simulate import Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Parameters",
    "Timing",
    "calibrate",
    "compare",
    "effect",
    "effect_of_data",
    "evaluate_design",
    "load_design",
    "load_parameters",
    "load_posterior",
    "load_scenario",
    "optimize",
    "parameters_table",
    "patients_table",
    "prior_draws",
    "results_table",
    "simulate",
    "trace",
    "validate",
    "validation_table",
    "value_of_information",
]


def simulate(
    scenario: str | Path | Scenario,
    *,
    replications: int | None = None,
    seed: int | None = None,
    parameters: ParameterSource | str | Path | None = None,
    engine: EngineName = "auto",
    progress: Callable[[int], None] | None = None,
    precision: Mapping[str, float] | None = None,
    most: int | None = None,
    executor: Executor | None = None,
    chunk: int | None = None,
    policy: Callable[[], object] | None = None,
) -> Result:
    """Simulate a scenario.

    Parameters
    ----------
    scenario : str, Path or Scenario
        A shipped scenario's name, a YAML file, or a scenario already loaded.
    replications, seed : int, optional
        Instead of those of the scenario's ``study``.
    parameters : Parameters, ParameterSource, str or Path, optional
        ``"posterior"``, ``"point"``, a file of either, or parameters already loaded; the shipped posterior by default,
        or the point values where there is none.
    engine : {"auto", "fast", "des"}
        Which engine walks the patients; the results are the same.
    progress : callable, optional
        Called with the number of trials finished since the last call.
    precision : dict of str to float, optional
        Monte Carlo standard errors wanted by endpoint, in its unit: ``{"os": 0.05}`` (or ``os_median``) of the median
        of the trials, ``{"os_mean": 0.05}`` of their mean. The number of trials is doubled until all are reached.
    most : int, optional
        Trials at which to give up on ``precision``, with a warning; a million by default.
    executor : concurrent.futures.Executor, optional
        Who does the work (processes, a Dask client's executor); this process by default. The results are the same.
    chunk : int, optional
        Trials done at a time; the results are the same.
    policy : callable, optional
        A policy of your own, as a class: see docs/policies.md.

    Returns
    -------
    Result
        Estimates of every trial, limits, oracles, curves; :func:`results_table` makes a table of it.

    Raises
    ------
    ScenarioError
        If the scenario is wrong; one line says where and what to do.
    BlinasimError
        If ``precision`` names no endpoint, or no positive number.
    """
    asked = _studied(scenario if isinstance(scenario, Scenario) else load_scenario(scenario), replications, seed)
    wanted = [Precision.named(name, at_most) for name, at_most in (precision or {}).items()]
    result = study.simulate(
        asked,
        parameters=parameters_said(parameters),
        engine=engine,
        progress=progress,
        precision=wanted,
        most=most,
        executor=executor,
        chunk=chunk,
        own_policy=policy,
    )
    for line in shortfalls(wanted, result.estimates, paired=result.parameters.varies):
        warnings.warn(line, stacklevel=2)
    return result


def compare(
    *scenarios: str | Path | Scenario,
    policies: Mapping[str, Callable[[], object]] | None = None,
    replications: int | None = None,
    seed: int | None = None,
    parameters: ParameterSource | str | Path | None = None,
    engine: EngineName = "auto",
    progress: Callable[[int], None] | None = None,
    executor: Executor | None = None,
    chunk: int | None = None,
) -> Comparison:
    """Let the same patients live several scenarios with the same luck, and compare them trial by trial.

    Parameters
    ----------
    *scenarios : str, Path or Scenario
        The reference first: shipped scenarios' names, YAML files, or scenarios already loaded, which are called by
        their titles.
    policies : dict of str to callable, optional
        Policies of your own by name, as classes (see docs/policies.md): the reference is also lived under each of them.
    replications, seed : int, optional
        Of all of them, instead of those of the reference's ``study``.
    parameters : Parameters, ParameterSource, str or Path, optional
        ``"posterior"``, ``"point"``, a file of either, or parameters already loaded; the shipped posterior by default,
        or the point values where there is none.
    engine : {"auto", "fast", "des"}
        Which engine walks the patients; the results are the same.
    progress : callable, optional
        Called with the number of trials finished since the last call.
    executor : concurrent.futures.Executor, optional
        Who does the work; this process by default. The results are the same.
    chunk : int, optional
        Trials done at a time; the results are the same.

    Returns
    -------
    Comparison
        Values of every trial under each scenario, paired differences, flows; ``comparison.difference("os_24_months")``.

    Raises
    ------
    ScenarioError
        If a scenario is wrong, there are fewer than two to compare, two have one name, or their numbers of patients
        differ.
    PolicyError
        If a policy of your own cannot be made, or fails.
    """
    return comparing.compare(
        _named(scenarios, replications, seed),
        policies=policies,
        parameters=parameters_said(parameters),
        engine=engine,
        executor=executor,
        progress=progress,
        chunk=chunk,
    )


def value_of_information(
    *scenarios: str | Path | Scenario,
    parameters: ParameterSource | str | Path | None = None,
    measure: str | None = None,
    known: Sequence[str] = (),
    replications: int = 4_000,
    seed: int | None = None,
    progress: Callable[[int], None] | None = None,
    executor: Executor | None = None,
) -> ValueOfInformation:
    """Find out what it would be worth to know parameters before choosing among policies (EVPI, EVPPI).

    Parameters
    ----------
    *scenarios : str, Path or Scenario
        The policies, the reference first; one of them has payoffs, such as ``"baseline_payoffs"``, unless a measure is
        named.
    parameters : ParameterSource, str or Path, optional
        Draws: a posterior, a file of one, or draws of the priors (:func:`blinasim.inference.posterior.prior_draws`).
    measure : str, optional
        By which one chooses, net benefit by default.
    known : sequence of str
        Sets of parameters, or groups of them, whose knowledge is valued besides, such as ``"relapse,failure"``.
    replications, seed : int, optional
        Trials of each policy, two a draw, and the seed of all luck.
    progress, executor
        As for :func:`compare`.

    Returns
    -------
    ValueOfInformation
        ``perfect``, ``groups``, ``singles``, ``candidates``; ``blinasim.plot.evppi`` draws it.

    Raises
    ------
    BlinasimError
        If the scenarios cannot be compared, the parameters are no draws, or there are too few trials.
    """
    return value_of(
        _named(scenarios, replications, seed),
        parameters_said(parameters),
        measure=measure,
        known=known,
        executor=executor,
        progress=progress,
    )


def optimize(
    scenario: str | Path,
    *,
    over: Mapping[str, Sequence[Any]],
    maximize: str | None = None,
    minimize: str | None = None,
    at_least: Mapping[str, float] | None = None,
    at_most: Mapping[str, float] | None = None,
    replications: int | None = None,
    seed: int | None = None,
    parameters: ParameterSource | str | Path | None = None,
    engine: EngineName = "auto",
    progress: Callable[[int], None] | None = None,
    executor: Executor | None = None,
) -> Optimization:
    """Find the best values of some settings: a race on shared luck, and the winner again on fresh luck.

    Parameters
    ----------
    scenario : str or Path
        A shipped scenario's name, or a YAML file.
    over : dict of str to sequence
        Values by dotted name of the setting; every combination is a candidate.
    maximize, minimize : str, optional
        The measure of which more, or less, is wanted; ``os_24_months`` is maximized by default.
    at_least, at_most : dict of str to float, optional
        Limits that the mean of a measure must keep, in its unit.
    replications, seed : int, optional
        Trials of the race at most, and as many of fresh luck; seed of all luck.
    parameters, engine, progress, executor
        As for :func:`compare`.

    Returns
    -------
    Optimization
        ``best``, ``not_told_apart``, ``runners``; ``blinasim.plot.race`` draws it.

    Raises
    ------
    BlinasimError
        If no combination is a scenario, a measure is unknown, or no candidate keeps the limits.
    """
    if maximize and minimize:
        raise ScenarioError("maximize and minimize exclude each other; make one of them a limit")
    changes = study_changes(replications, seed)
    made = grid_of(scenario, {name: values_said(name, values) for name, values in over.items()}, changes)
    return optimizing.optimize(
        load_scenario(scenario, changes),
        made.candidates,
        parameters=parameters_said(parameters),
        objective=minimize or maximize or "os_24_months",
        better="minimize" if minimize else "maximize" if maximize else None,
        at_least=at_least,
        at_most=at_most,
        impossible=made.impossible,
        engine=engine,
        executor=executor,
        progress=progress,
    )


def effect(
    scenario: str | Path | Scenario = "baseline",
    *,
    replications: int | None = None,
    seed: int | None = None,
    parameters: ParameterSource | str | Path | None = "point",
    detection: Detection = "recorded",
    timing: Timing | None = None,
    engine: EngineName = "auto",
    progress: Callable[[int], None] | None = None,
    executor: Executor | None = None,
) -> Effect:
    """Estimate the effect of HSCT in every trial of a scenario as papers do, and judge the estimators by the truth.

    Parameters
    ----------
    scenario : str, Path or Scenario
        A shipped scenario's name (``"null_transplant"``: an HSCT without effect), a YAML file, or one already loaded.
    replications, seed : int, optional
        Instead of those of the scenario's ``study``.
    parameters : Parameters, str or Path
        ``"point"``, a file of values, or values already loaded: one truth for all trials.
    detection : {"recorded", "at_once"}
        Relapses as they were found, or as if each had been seen on its day.
    timing : Timing, optional
        Landmark, period of grace, and the day on which survival is judged, from remission.
    engine : {"auto", "fast", "des"}
        Which engine walks the patients; the results are the same.
    progress : callable, optional
        Called with the number of trials finished since the last call.
    executor : concurrent.futures.Executor, optional
        Who does the work; this process by default. The results are the same.

    Returns
    -------
    Effect
        ``found.outcomes["os"].of("adjusted_hr").performance.coverage``; `blinasim.plot.effects` draws it.

    Raises
    ------
    ScenarioError
        If the scenario is wrong.
    ParameterError
        If the parameters differ between trials.
    """
    return estimating.effect(
        _studied(scenario if isinstance(scenario, Scenario) else load_scenario(scenario), replications, seed),
        parameters=parameters_said(parameters),
        timing=timing,
        detection=detection,
        engine=engine,
        executor=executor,
        progress=progress,
    )


def _named(
    scenarios: Sequence[str | Path | Scenario], replications: int | None, seed: int | None
) -> dict[str, Scenario]:
    """Load scenarios by the name of their file, or their title; each name once."""

    def load(said: str | Path | Scenario) -> tuple[str, Scenario]:
        name = said.title if isinstance(said, Scenario) else Path(said).stem
        return name, _studied(said if isinstance(said, Scenario) else load_scenario(said), replications, seed)

    return load_named(scenarios, load, "scenarios")


def effect_of_data(
    data: str | Path | pd.DataFrame, adjust: Sequence[str] = (), *, timing: Timing | None = None
) -> DataEffect:
    """Estimate the effect of HSCT in patients of your own, by the same estimators.

    Parameters
    ----------
    data : str, Path or DataFrame
        A CSV file or a table, a row a patient: ``time_days``, ``event``, ``transplant_days`` (empty without one), and
        if you have them ``relapse_days`` and ``candidate``; days count from one origin, such as the remission.
    adjust : sequence of str
        Columns, numbers or yes and no, known at the origin.
    timing : Timing, optional
        Landmark, period of grace, and the day on which survival is judged.

    Returns
    -------
    DataEffect
        ``found.estimates["time_dependent_hr"].value``; `blinasim.plot.effects` draws it.

    Raises
    ------
    DataError
        If the data are wrong; one line says where and what to do.
    """
    if isinstance(data, str | Path):
        return effect_of_file(Path(data), adjust, timing)
    return effect_of_table(data, adjust, timing)


def evaluate_design(
    design: str | Path | TrialDesign,
    *,
    null: bool = False,
    replications: int | None = None,
    seed: int | None = None,
    parameters: ParameterSource | str | Path | None = "point",
    progress: Callable[[int], None] | None = None,
    executor: Executor | None = None,
    chunk: int | None = None,
) -> Evaluation:
    """Simulate the trials of a design: power or error, size, duration, bias and coverage.

    Parameters
    ----------
    design : str, Path or TrialDesign
        A shipped design's name, a YAML file, or a design already loaded with :func:`load_design`.
    null : bool
        Simulate a world in which there is nothing to be found.
    replications, seed : int, optional
        Instead of those of the design's ``study``.
    parameters, progress, executor, chunk
        As for :func:`simulate`, but for the point values by default: over draws of a posterior the share of successes
        is the assurance, and there is no one truth by which to judge bias and coverage.

    Returns
    -------
    Evaluation
        Every look of every trial; ``evaluation.success``, ``evaluation.looks()``.

    Raises
    ------
    ScenarioError
        If the design contradicts itself; one line says where and what to do.
    """
    asked = design if isinstance(design, TrialDesign) else load_design(design)
    try:
        asked = replace(asked, design=asked.design.with_study(replications, seed))
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        raise ScenarioError(f"study.{first['loc'][-1]}: {first['msg']}, not {first['input']!r}") from None
    return evaluating.evaluate_design(
        asked,
        parameters=parameters_said(parameters),
        null=null,
        progress=progress,
        executor=executor,
        chunk=chunk,
    )


def _studied(scenario: Scenario, replications: int | None, seed: int | None) -> Scenario:
    try:
        return scenario.with_study(replications, seed)
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        raise ScenarioError(f"study.{first['loc'][-1]}: {first['msg']}, not {first['input']!r}") from None


def results_table(result: Result) -> pd.DataFrame:
    """Return the results table, one row an endpoint: published, simulated, limit and oracle."""
    return endpoint_frame(rows_of(result))
