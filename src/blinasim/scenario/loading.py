"""From YAML files and ``--set`` to a Scenario, or one clear line about what is wrong and where.

``scenario.finding`` finds the file, ``scenario.draft`` reads it with what it extends and what is changed in it,
``scenario.complaints`` says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from blinasim.errors import ScenarioError
from blinasim.files import reason, short
from blinasim.scenario.complaints import first_error
from blinasim.scenario.draft import Draft, change_draft, read_draft
from blinasim.scenario.finding import find_scenario
from blinasim.scenario.reach import check_reach, is_path
from blinasim.scenario.settings import MOST_TITLE, Scenario

Said = TypeVar("Said")
Loaded = TypeVar("Loaded")


def load_scenario(name_or_path: str | Path, changes: Sequence[str] = (), *, said_in: Path | None = None) -> Scenario:
    """Load a shipped scenario by name or a scenario file by path, with what it extends.

    Parameters
    ----------
    name_or_path : str or Path
        A shipped scenario's name, or a YAML file. Its ``extends`` names a shipped scenario, or a file relative
        to its own folder. What it names lies in this folder or below (``scenario.reach``).
    changes : sequence of str
        Settings changed on top, each ``dotted.key=value`` with the value in YAML.
    said_in : Path, optional
        The folder of a design's file that says all this; then its own paths are relative to it and lie in it.

    Returns
    -------
    Scenario
        Fully resolved: base, own settings, changes, and defaults for the rest. Nested settings are inherited one by
        one; lists and tables such as ``accept_from_day`` are replaced whole. Title and reasons are not inherited,
        and the title says what ``changes`` changed.

    Raises
    ------
    ScenarioError
        One line with file, line, column and the nearest valid key or value.
    """
    if said_in is not None and is_path(name_or_path):
        check_reach(said_in / name_or_path, str(name_or_path), said_in, "scenario", None)
    path = find_scenario(name_or_path, said_in)
    reach = said_in or path.parent
    draft = read_draft(path, (), reach if is_path(name_or_path) else path.parent)
    for change in changes:
        change_draft(draft, change)
    _entitle(draft, [change for change in changes if not change.startswith(("study.", "title"))])
    _locate_cohort_file(draft, reach, said_in)
    try:
        return Scenario.model_validate(draft.data)
    except ValidationError as problem:
        raise first_error(problem, draft) from None


def study_changes(replications: int | None, seed: int | None) -> list[str]:
    """Return the changes that say of a study how many trials, and with which seed, where given.

    Parameters
    ----------
    replications, seed : int or None
        Number of trials, and the seed of their luck; None leaves what the scenario says.

    Returns
    -------
    list of str
        Each ``dotted.key=value``.
    """
    given = {"study.replications": replications, "study.seed": seed}
    return [f"{key}={value}" for key, value in given.items() if value is not None]


def load_named(said: Iterable[Said], load: Callable[[Said], tuple[str, Loaded]], what: str) -> dict[str, Loaded]:
    """Load some scenarios or designs.

    Parameters
    ----------
    said : iterable
        Names, paths, or what else ``load`` takes.
    load : callable
        Gives the name of one, and what was loaded.
    what : str
        What they are, in the plural, for the error.

    Returns
    -------
    dict
        What was loaded, by name, in the order given.

    Raises
    ------
    ScenarioError
        If two have one name, or one cannot be loaded.
    """
    loaded: dict[str, Loaded] = {}
    for one in said:
        name, asked = load(one)
        if name in loaded:
            raise ScenarioError(f"two of the {what} are called {name}; name different ones, or copy one file")
        loaded[name] = asked
    return loaded


def _entitle(draft: Draft, changes: list[str]) -> None:
    """Let the title say what ``--set`` changed: results under it are not those of the scenario as it stands."""
    title = draft.data.get("title")
    if changes and isinstance(title, str):
        draft.data["title"] = short(f"{title} [{'; '.join(changes)}]", MOST_TITLE)


def _locate_cohort_file(draft: Draft, reach: Path, said_in: Path | None) -> None:
    """A cohort file's name is relative to the file that says it; one that the user says himself may lie anywhere."""
    data = draft.data.get("cohort")
    data = data.get("data") if isinstance(data, dict) else None
    if isinstance(data, dict) and isinstance(data.get("file"), str) and data["file"]:
        place = draft.place(("cohort", "data", "file"))
        folder = Path(place.file).parent if place and place.file in draft.lineage else said_in
        said = data["file"]
        if folder is not None:
            check_reach(folder / said, said, reach, "cohort.data.file", place)
        data["file"] = whole = _whole_path((folder or Path()) / said)
        try:
            whole.encode()
        except UnicodeEncodeError as problem:
            raise ScenarioError(f"cohort.data.file: cannot be read ({reason(problem)})", place) from None


def _whole_path(path: Path) -> str:
    try:
        return str(path.resolve())
    except (OSError, RuntimeError, ValueError):  # no such path can be; whoever opens it says why
        return str(path.absolute())
