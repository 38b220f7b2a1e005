"""Scenarios as a caller may name them, and tables of what is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from blinasim.errors import Argument, BlinasimError, ScenarioError
from blinasim.files import complaint
from blinasim.scenario.design import Design
from blinasim.scenario.loading import load_named, load_scenario
from blinasim.scenario.settings import Scenario

Asked = TypeVar("Asked", Scenario, Design)


def named(
    scenarios: Sequence[str | Path | Scenario], replications: int | None, seed: int | None
) -> dict[str, Scenario]:
    """Load scenarios by the name of their file, or their title.

    Parameters
    ----------
    scenarios : sequence of str, Path or Scenario
        Shipped scenarios' names, YAML files, or scenarios already loaded.
    replications, seed : int, optional
        Of all of them, instead of their own.

    Returns
    -------
    dict of str to Scenario
        In the order given.

    Raises
    ------
    ScenarioError
        If a scenario is wrong, or two have one name.
    """

    def load(said: str | Path | Scenario) -> tuple[str, Scenario]:
        name = said.title if isinstance(said, Scenario) else Path(said).stem
        return name, studied(said, replications, seed)

    for one in scenarios:
        _check_scenario(one)
    return load_named(scenarios, load, "scenarios")


def studied(scenario: str | Path | Scenario, replications: int | None = None, seed: int | None = None) -> Scenario:
    """Return a scenario with another number of trials or another seed, where given.

    Parameters
    ----------
    scenario : str, Path or Scenario
        A shipped scenario's name, a YAML file, or a scenario already loaded.
    replications, seed : int, optional
        Instead of its own.

    Returns
    -------
    Scenario

    Raises
    ------
    ScenarioError
        If the scenario is wrong, or no study can have that number or seed.
    """
    _check_scenario(scenario)
    loaded = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    return with_study(loaded, replications, seed)


def with_study(asked: Asked, replications: int | None, seed: int | None) -> Asked:
    """Return what is asked with another number of trials or another seed, where given.

    Parameters
    ----------
    asked : Scenario or Design
        Already loaded.
    replications, seed : int, optional
        Instead of its own.

    Returns
    -------
    Scenario or Design

    Raises
    ------
    ScenarioError
        If no study can have that number or seed.
    """
    try:
        return asked.with_study(replications, seed)
    except ValidationError as problem:
        inside, what = complaint(problem)
        given = {"replications": replications, "seed": seed}[str(inside[-1])]
        raise ScenarioError(f"study.{inside[-1]}: {what}, not {given!r}") from None


def check_table(argument: str, given: object, example: str) -> None:
    """Refuse what is no dictionary where one is asked for.

    Raises
    ------
    BlinasimError
        One line with an example of what is.
    """
    if not isinstance(given, Mapping):
        raise BlinasimError(f"should be a dictionary, such as {example}", Argument.of_type(argument, given))


def _check_scenario(given: object) -> None:
    if not isinstance(given, str | Path | Scenario):
        raise ScenarioError(
            "should be the name of a shipped scenario, a YAML file, or what blinasim.load_scenario returns",
            Argument.of_type("scenario", given),
        )
