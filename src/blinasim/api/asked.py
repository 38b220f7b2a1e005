"""Scenarios as a caller may name them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from blinasim.errors import ScenarioError
from blinasim.files import complaint
from blinasim.scenario.loading import load_named, load_scenario
from blinasim.scenario.settings import Scenario


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
        return name, studied(said if isinstance(said, Scenario) else load_scenario(said), replications, seed)

    return load_named(scenarios, load, "scenarios")


def studied(scenario: Scenario, replications: int | None, seed: int | None) -> Scenario:
    """Return a scenario with another number of trials or another seed, where given.

    Parameters
    ----------
    scenario : Scenario
        As loaded.
    replications, seed : int, optional
        Instead of its own.

    Returns
    -------
    Scenario

    Raises
    ------
    ScenarioError
        If no study can have that number or seed.
    """
    try:
        return scenario.with_study(replications, seed)
    except ValidationError as problem:
        inside, what = complaint(problem)
        given = {"replications": replications, "seed": seed}[str(inside[-1])]
        raise ScenarioError(f"study.{inside[-1]}: {what}, not {given!r}") from None
