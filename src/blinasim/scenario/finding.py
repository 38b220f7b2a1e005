"""From the name or the path of a scenario to its file."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Literal

from blinasim.errors import Argument, Place, ScenarioError
from blinasim.files import data_folder, nearest, quoted, reason, shipped_designs, shipped_scenarios
from blinasim.scenario.reach import is_path


def find_scenario(name_or_path: str | Path, folder: Path | None = None) -> Path:
    """Return the file that a name or a path means.

    Parameters
    ----------
    name_or_path : str or Path
        A shipped scenario's name, or a YAML file.
    folder : Path, optional
        What a path is relative to; the working folder by default.

    Returns
    -------
    Path

    Raises
    ------
    ScenarioError
        If there is no such scenario or file, with the nearest name.
    """
    check_name(name_or_path, "scenario")
    name, path = str(name_or_path), Path(name_or_path)
    names = shipped_scenarios()
    if is_path(path):
        return existing_file(folder / path if folder else path, names)
    if name in shipped_designs():
        what = "is a trial design, not a scenario; evaluate it with blinasim trial, in Python with evaluate_design"
        raise ScenarioError(f"{name} {what}")
    if name not in names:
        raise ScenarioError(
            f"no scenario named {quoted(name)}{nearest(name, names)} "
            f"(shipped: {', '.join(names)}; a file needs its .yaml)"
        )
    return data_folder("scenarios") / f"{name}.yaml"


def check_name(name_or_path: object, what: Literal["scenario", "design"]) -> None:
    """Refuse what can be neither a name nor a path.

    Raises
    ------
    ScenarioError
        If it is neither.
    """
    if not isinstance(name_or_path, str | Path):
        raise ScenarioError(
            f"should be the name of a shipped {what}, or a YAML file", Argument.of_type(what, name_or_path)
        )


def existing_file(path: Path, shipped: list[str]) -> Path:
    """Return a path that is a file.

    Parameters
    ----------
    path : Path
        What should be one.
    shipped : list of str
        Names that may have been meant instead, beside those of the YAML files in its folder.

    Returns
    -------
    Path
        The same.

    Raises
    ------
    ScenarioError
        If there is nothing, no file, or nothing that may be looked at.
    """
    place = Place(str(path))
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        beside = sorted(found.name for found in path.parent.glob("*.yaml") if found.is_file())
        raise ScenarioError(f"no such scenario file{nearest(path.name, [*shipped, *beside])}", place) from None
    except (OSError, ValueError) as problem:
        raise ScenarioError(f"cannot be read ({reason(problem)})", place) from None
    if not stat.S_ISREG(mode):
        raise ScenarioError("is not a file; name a scenario's YAML file", place)
    return path
