"""The public functions of :mod:`blinasim`; thin words over the rooms."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from blinasim.engine.choice import EngineName
from blinasim.errors import ScenarioError
from blinasim.inference.choice import parameters_said
from blinasim.model.parameters import Parameters, ParameterSource, load_parameters
from blinasim.report.rows import endpoint_frame, rows_of
from blinasim.scenario.design_file import TrialDesign, load_design
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.settings import Scenario
from blinasim.study import compare as comparing
from blinasim.study import evaluate_design as evaluating
from blinasim.study import simulate as study
from blinasim.study.comparison import Comparison
from blinasim.study.evaluate_design import Evaluation
from blinasim.study.precision import Precision, shortfalls
from blinasim.study.simulate import Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Parameters",
    "compare",
    "evaluate_design",
    "load_design",
    "load_parameters",
    "load_scenario",
    "results_table",
    "simulate",
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
    asked: dict[str, Scenario] = {}
    for said in scenarios:
        name = said.title if isinstance(said, Scenario) else Path(said).stem
        if name in asked:
            raise ScenarioError(f"two of the scenarios are called {name}; name different ones")
        asked[name] = _studied(said if isinstance(said, Scenario) else load_scenario(said), replications, seed)
    return comparing.compare(
        asked,
        policies=policies,
        parameters=parameters_said(parameters),
        engine=engine,
        executor=executor,
        progress=progress,
        chunk=chunk,
    )


def evaluate_design(
    design: str | Path | TrialDesign,
    *,
    null: bool = False,
    replications: int | None = None,
    seed: int | None = None,
    parameters: ParameterSource | str | Path | None = None,
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
        As for :func:`simulate`. Over draws of a posterior the share of successes is the assurance.

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
