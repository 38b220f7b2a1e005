"""Which policy: the best settings, and what knowing the parameters would be worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from blinasim.api.asked import check_table, named
from blinasim.engine.choice import EngineName
from blinasim.errors import ScenarioError
from blinasim.inference.choice import parameters_said
from blinasim.inference.value import ValueOfInformation, value_of
from blinasim.model.parameters import ParameterSource
from blinasim.scenario.loading import load_scenario, study_changes
from blinasim.scenario.settings import Scenario
from blinasim.study import optimize as optimizing
from blinasim.study.grid import grid_of, values_said
from blinasim.study.optimize import Optimization


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
    ScenarioError
        If the scenario is wrong, no combination is a scenario, or both ``maximize`` and ``minimize`` are given.
    BlinasimError
        If a measure or the parameters are unknown, or no candidate keeps the limits.
    WorkerError
        If those who do the work keep dying.
    """
    if maximize and minimize:
        raise ScenarioError("maximize and minimize exclude each other; make one of them a limit")
    check_table("over", over, '{"policy.transplant.earliest_cycle": [1, 3]}')
    check_table("at_least", at_least or {}, '{"realization": 0.3}')
    check_table("at_most", at_most or {}, '{"transplant_bed_days": 8}')
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

    By regression of noisy gains on the draws: Strong, Oakley and Brennan, Med Decis Making 2014;34:311.

    Parameters
    ----------
    *scenarios : str, Path or Scenario
        The policies, the reference first; one of them has payoffs, such as ``"baseline_payoffs"``, unless a measure is
        named.
    parameters : ParameterSource, str or Path, optional
        Draws: a posterior, a file of one, or draws of the priors (:func:`blinasim.prior_draws`).
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
    ScenarioError
        If a scenario is wrong, or they cannot be compared.
    ParameterError
        If the parameters are no draws, or a set of ``known`` names none that acts.
    BlinasimError
        If there is no such measure, it has no better or worse, or there are too few trials.
    WorkerError
        If those who do the work keep dying.
    """
    return value_of(
        named(scenarios, replications, seed),
        parameters_said(parameters),
        measure=measure,
        known=known,
        executor=executor,
        progress=progress,
    )
