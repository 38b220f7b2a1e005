"""Scenarios lived: one, several side by side, and the effect of HSCT estimated."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING

from blinasim.api.asked import check_table, named, studied
from blinasim.engine.choice import EngineName
from blinasim.errors import Argument, DataError
from blinasim.inference.choice import parameters_said
from blinasim.model.parameters import ParameterSource
from blinasim.report.given import check_given
from blinasim.report.rows import endpoint_frame, rows_of
from blinasim.scenario.settings import Scenario
from blinasim.study import compare as comparing
from blinasim.study import effect as estimating
from blinasim.study import simulate as study
from blinasim.study.comparison import Comparison
from blinasim.study.effect import Effect
from blinasim.study.effect_data import DataEffect, effect_of_file, effect_of_table
from blinasim.study.estimators import Timing
from blinasim.study.exposures import Detection
from blinasim.study.precision import Precision, shortfalls
from blinasim.study.simulate import Result

if TYPE_CHECKING:
    import pandas as pd


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
        If ``precision`` names no endpoint, or no positive number, or the parameters cannot be used.
    PolicyError
        If a policy of your own cannot be made, or fails.
    WorkerError
        If those who do the work keep dying.
    """
    check_table("precision", precision or {}, '{"os": 0.05}')
    asked = studied(scenario, replications, seed)
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
    WorkerError
        If those who do the work keep dying.
    """
    check_table("policies", policies or {}, '{"mine": MyPolicy}')
    return comparing.compare(
        named(scenarios, replications, seed),
        policies=policies,
        parameters=parameters_said(parameters),
        engine=engine,
        executor=executor,
        progress=progress,
        chunk=chunk,
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
        If the parameters differ between trials, or cannot be used.
    WorkerError
        If those who do the work keep dying.
    """
    return estimating.effect(
        studied(scenario, replications, seed),
        parameters=parameters_said(parameters),
        timing=timing,
        detection=detection,
        engine=engine,
        executor=executor,
        progress=progress,
    )


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
    if not hasattr(data, "columns"):  # of any DataFrame, without waiting for pandas
        raise DataError("should be a CSV file, or a table (a DataFrame)", Argument.of_type("data", data))
    return effect_of_table(data, adjust, timing)


def results_table(result: Result) -> pd.DataFrame:
    """Return the results table, one row an endpoint: published, simulated, limit and oracle."""
    check_given("result", result, Result)
    return endpoint_frame(rows_of(result))
