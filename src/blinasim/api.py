"""The public functions of :mod:`blinasim`; thin words over the rooms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from blinasim.engine.choice import EngineName
from blinasim.errors import ScenarioError
from blinasim.model.parameters import Parameters, load_parameters
from blinasim.report.rows import endpoint_frame, rows_of
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.settings import Scenario
from blinasim.study import simulate as study
from blinasim.study.simulate import Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Parameters", "load_parameters", "load_scenario", "results_table", "simulate"]


def simulate(
    scenario: str | Path | Scenario,
    *,
    replications: int | None = None,
    seed: int | None = None,
    parameters: Parameters | None = None,
    engine: EngineName = "auto",
    progress: Callable[[int], None] | None = None,
) -> Result:
    """Simulate a scenario.

    Parameters
    ----------
    scenario : str, Path or Scenario
        A shipped scenario's name, a YAML file, or a scenario already loaded.
    replications, seed : int, optional
        Instead of those of the scenario's ``study``.
    parameters : Parameters, optional
        Instead of the shipped point values.
    engine : {"auto", "fast", "des"}
        Which engine walks the patients; the results are the same.
    progress : callable, optional
        Called with the number of trials finished since the last call.

    Returns
    -------
    Result
        Estimates of every trial, limits, oracles, curves; :func:`results_table` makes a table of it.

    Raises
    ------
    ScenarioError
        If the scenario is wrong; one line says where and what to do.
    """
    asked = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    try:
        asked = asked.with_study(replications, seed)
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        raise ScenarioError(f"study.{first['loc'][-1]}: {first['msg']}, not {first['input']!r}") from None
    return study.simulate(asked, parameters=parameters, engine=engine, progress=progress)


def results_table(result: Result) -> pd.DataFrame:
    """Return the results table, one row an endpoint: published, simulated, limit and oracle."""
    return endpoint_frame(rows_of(result))
