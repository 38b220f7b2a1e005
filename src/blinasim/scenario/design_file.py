"""From a design's YAML file to a Design and the scenarios of its arms, or one clear line about what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from blinasim.errors import Place, ScenarioError
from blinasim.files import data_folder, nearest, quoted, read_yaml, shipped_designs, shipped_scenarios
from blinasim.scenario.complaints import first_error
from blinasim.scenario.design import Design
from blinasim.scenario.draft import Draft, said_change
from blinasim.scenario.finding import check_name, existing_file
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.reach import is_path
from blinasim.scenario.settings import Scenario

_FOLDER: Final = "trials"


@dataclass(frozen=True)
class TrialDesign:
    """A design, called ``name`` by its file, and the scenario that each of its arms lives, the control first."""

    name: str
    design: Design
    scenarios: tuple[Scenario, ...]


def load_design(name_or_path: str | Path, changes: Sequence[str] = ()) -> TrialDesign:
    """Load a shipped design by name or a design file by path, with the scenarios of its arms.

    Parameters
    ----------
    name_or_path : str or Path
        A shipped design's name, or a YAML file.
    changes : sequence of str
        Settings changed on top, each ``dotted.key=value`` with the value in YAML.

    Returns
    -------
    TrialDesign
        The design and its arms' scenarios, checked against each other.

    Raises
    ------
    ScenarioError
        One line with file, line, column and what to do; also for an arm whose scenario does not exist or cannot be
        compared with the other's.
    """
    path = find_design(name_or_path)
    document = read_yaml(path, ScenarioError)
    if not isinstance(document.data, dict):
        raise ScenarioError("a design is a table of settings, such as `title: ...`", document.place(()))
    draft = Draft(dict(document.data), dict(document.places), [str(path)])
    for change in changes:
        _change(draft, change)
    try:
        design = Design.model_validate(draft.data)
    except ValidationError as problem:
        raise first_error(problem, draft, Design) from None
    scenarios = tuple(_scenario(design, number, path, draft) for number in range(len(design.arms)))
    _check_comparable(scenarios, design, draft)
    return TrialDesign(path.stem, design, scenarios)


def find_design(name_or_path: str | Path) -> Path:
    """Return the file that a shipped design's name, or a path, means.

    Raises
    ------
    ScenarioError
        If there is none.
    """
    check_name(name_or_path, "design")
    name, path = str(name_or_path), Path(name_or_path)
    names = shipped_designs()
    if is_path(path):
        return existing_file(path, names)
    if name in shipped_scenarios():
        what = "is a scenario, not a trial design; simulate it with blinasim run, in Python with simulate"
        raise ScenarioError(f"{name} {what}")
    if name not in names:
        raise ScenarioError(
            f"no design named {quoted(name)}{nearest(name, names)} "
            f"(shipped: {', '.join(names)}; a file needs its .yaml)"
        )
    return data_folder("scenarios") / _FOLDER / f"{name}.yaml"


def _change(draft: Draft, change: str) -> None:
    """Apply one ``dotted.key=value``; a number in the key counts the items of a list from 0."""
    path, value, place = said_change(change)
    at: Any = draft.data
    known: list[str | int] = []
    for depth, part in enumerate(path):
        last = depth == len(path) - 1
        if isinstance(at, list):
            if not part.isdecimal() or int(part) >= len(at):
                raise ScenarioError(f"{'.'.join(path[:depth])} has no item {part}; it has 0 to {len(at) - 1}", place)
            key: str | int = int(part)
        else:
            key = part
            if not last and not isinstance(at.get(part), dict | list):
                at[part] = {}
        known.append(key)
        draft.places[tuple(known)] = place
        if last:
            at[key] = value
            for below in [below for below in draft.places if below[: len(known)] == tuple(known) != below]:
                del draft.places[below]
        else:
            at = at[key]


def _scenario(design: Design, number: int, path: Path, draft: Draft) -> Scenario:
    arm = design.arms[number]
    try:
        return load_scenario(arm.scenario, arm.changes, said_in=path.parent)
    except ScenarioError as problem:
        raise ScenarioError(
            f"arms.{number}.scenario: arm {arm.name}: {problem}", draft.place(("arms", number, "scenario"))
        ) from None


def _check_comparable(scenarios: tuple[Scenario, ...], design: Design, draft: Draft) -> None:
    """Refuse arms that share places, or that enrol patients of different kinds."""
    for number, scenario in enumerate(scenarios):
        if scenario.capacity.limited:
            raise _refused(design, number, draft, "has counted places, which arms would share; leave capacity out")
        data = scenario.cohort.data
        if data is not None and data.rows == "as_given":
            raise _refused(design, number, draft, "takes a file's patients as they are; say rows: resampled")
    if any(_who(scenario) != _who(scenarios[0]) for scenario in scenarios):
        raise _refused(design, 1, draft, "enrols other patients than the control; a trial has one kind of cohort")


def _who(scenario: Scenario) -> dict[str, Any]:
    return scenario.cohort.model_dump(exclude={"size"})


def _refused(design: Design, number: int, draft: Draft, why: str) -> ScenarioError:
    place: Place | None = draft.place(("arms", number, "scenario"))
    return ScenarioError(f"arms.{number}.scenario: arm {design.arms[number].name} {why}", place)
