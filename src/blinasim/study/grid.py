"""Grids: the scenarios that come of setting some settings to some values, in every combination."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

from blinasim.errors import Argument, Place, ScenarioError
from blinasim.files import parse_yaml, quoted, read_yaml, short
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.settings import Scenario

#: FROM:TO:STEP, whole or decimal, both ends included.
_RANGE: Final = re.compile(r"\s*(-?\d+(?:\.\d+)?):(-?\d+(?:\.\d+)?):(\d+(?:\.\d+)?)\s*")
#: Values of a setting, and combinations, at most: more are a slip.
_MOST_VALUES: Final = 200
_MOST_COMBINATIONS: Final = 10_000
#: What judges or counts candidates, and makes none.
_NOT_VARIED: Final = frozenset({"extends", "title", "why", "study", "payoffs", "trial"})


@dataclass(frozen=True)
class Grid:
    """Candidates of an optimization.

    Attributes
    ----------
    candidates : dict
        By name, such as ``earliest_cycle=2, starts=enrolment``: the settings by dotted name, and the scenario.
    impossible : dict of str to str
        Combinations that are no scenario, and why.
    """

    candidates: Mapping[str, tuple[tuple[tuple[str, str], ...], Scenario]]
    impossible: Mapping[str, str]


def grid_of(scenario: str | Path, over: Mapping[str, Sequence[str]], changes: Sequence[str] = ()) -> Grid:
    """Return the scenarios of every combination of values.

    Parameters
    ----------
    scenario : str or Path
        What is varied.
    over : dict
        By dotted name, the values in YAML.
    changes : sequence of str
        Settings changed in all of them, as ``--set`` has them.

    Returns
    -------
    Grid
        Combinations that are scenarios, and why the others are none.

    Raises
    ------
    ScenarioError
        If nothing is varied, no combination is a scenario, or there are too many.
    """
    if not over:
        raise ScenarioError("nothing is varied; name a setting and its values", Argument("over"))
    for name in over:
        if name.partition(".")[0] in _NOT_VARIED:
            raise ScenarioError(f"{name} cannot be varied: candidates differ by what happens, under policy or capacity")
    count = 1
    for values in over.values():
        count *= len(values)
    if count > _MOST_COMBINATIONS:
        raise ScenarioError(f"{count:,} combinations are too many; name fewer values (at most {_MOST_COMBINATIONS:,})")
    words = _words(list(over))
    candidates: dict[str, tuple[tuple[tuple[str, str], ...], Scenario]] = {}
    impossible: dict[str, str] = {}
    problem: ScenarioError | None = None
    for combination in product(*over.values()):
        settings = tuple(zip(over, combination, strict=True))
        name = ", ".join(f"{words[key]}={value}" for key, value in settings)
        try:
            made = load_scenario(scenario, [*changes, *(f"{key}={value}" for key, value in settings)])
        except ScenarioError as found:
            impossible[name], problem = found.message, _said_by_over(found, over)
            continue
        candidates[name] = (settings, made)
    if not candidates and problem is not None:
        raise problem
    return Grid(candidates, impossible)


def _said_by_over(found: ScenarioError, over: Mapping[str, Sequence[str]]) -> ScenarioError:
    """Name the option that set what is wrong."""
    said = str(found.place or "").removeprefix("--set ")
    varied = found.place is not None and said != str(found.place) and said.partition("=")[0] in over
    return ScenarioError(found.message, Argument("over", said=said)) if varied else found


def _words(names: list[str]) -> dict[str, str]:
    """Return the shortest ends of dotted names that tell them apart."""
    short_names = {}
    for name in names:
        parts = name.split(".")
        ends = [".".join(parts[-depth:]) for depth in range(1, len(parts) + 1)]
        alone = (end for end in ends if sum(other == end or other.endswith(f".{end}") for other in names) == 1)
        short_names[name] = next(alone, name)
    return short_names


def parse_over(text: str) -> tuple[str, list[str]]:
    """Read ``NAME=VALUES``: values with commas, a YAML list, or FROM:TO:STEP; both ends of a range are included.

    Raises
    ------
    ScenarioError
        If it is not so written.
    """
    place = Argument("over", said=short(text))
    name, equals, values = text.partition("=")
    if not equals or not name.strip() or not values.strip():
        raise ScenarioError("is written NAME=VALUES, such as policy.transplant.earliest_cycle=1,2,3 or =1:5:1", place)
    found = _RANGE.fullmatch(values)
    if found:
        return name.strip(), _stepped(found.groups(), place)
    listed = values if values.strip().startswith("[") else f"[{values}]"
    return name.strip(), _texts(parse_yaml(listed, "", ScenarioError).data, place)


def _stepped(ends_and_step: tuple[str, ...], place: Place | Argument) -> list[str]:
    first, last, step = ends_and_step
    decimals = max(len(part.partition(".")[2]) for part in (first, last, step))
    low, high, by = (round(float(part) * 10**decimals) for part in (first, last, step))
    if by <= 0 or high < low:
        raise ScenarioError("a range goes up: FROM:TO:STEP with TO at least FROM and STEP above 0", place)
    if (high - low) // by + 1 > _MOST_VALUES:
        raise ScenarioError(f"has more than {_MOST_VALUES} values; take a larger step", place)
    return [f"{number / 10**decimals:.{decimals}f}" for number in range(low, high + 1, by)]


def values_said(name: str, values: Any) -> list[str]:
    """Return the values of a setting as YAML on one line each; errors as :func:`parse_over`."""
    return _texts(list(values) if isinstance(values, tuple) else values, Place(name))


def _texts(values: Any, place: Place | Argument) -> list[str]:
    """Write values as YAML on one line, each once."""
    if not isinstance(values, list) or not values:
        raise ScenarioError(f"{quoted(values)} should be a list of values", place)
    if len(values) > _MOST_VALUES:
        raise ScenarioError(f"has more than {_MOST_VALUES} values; name fewer", place)
    return list(dict.fromkeys(_text(value) for value in values))


def _text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_text(item) for item in value) + "]"
    return str(value)


def read_grid(path: Path) -> dict[str, list[str]]:
    """Read a grid's file: a table of dotted names, each with a list of values, or a range in quotes.

    Raises
    ------
    ScenarioError
        If it cannot be read, or is no such table; with line and column.
    """
    document = read_yaml(path, ScenarioError)
    if not isinstance(document.data, dict) or not document.data:
        raise ScenarioError(
            "a grid is a table of settings and their values, such as policy.transplant.earliest_cycle: [1, 2, 3]",
            document.place(()),
        )
    found = {}
    for name, values in document.data.items():
        place = document.place((name,)) or Place(str(path))
        stepped = _RANGE.fullmatch(values) if isinstance(values, str) else None
        found[str(name)] = _stepped(stepped.groups(), place) if stepped else _texts(values, place)
    return found
