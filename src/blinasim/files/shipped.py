"""The data that come with blinasim."""

from __future__ import annotations

from pathlib import Path

from blinasim.errors import BlinasimError


def data_folder(name: str) -> Path:
    """Return the folder ``scenarios`` or ``calibration``: the package's own copy, else the repository's.

    Raises
    ------
    BlinasimError
        If there is neither.
    """
    here = Path(__file__).resolve().parents[1]
    for folder in (here / "data" / name, here.parents[1] / name):
        if folder.is_dir():
            return folder
    raise BlinasimError(f"the data folder {name!r} is missing; install blinasim again")


def shipped_scenarios() -> list[str]:
    """Return the names of the scenarios that come with blinasim."""
    return sorted(path.stem for path in data_folder("scenarios").glob("*.yaml"))


def shipped_designs() -> list[str]:
    """Return the names of the trial designs that come with blinasim."""
    return sorted(path.stem for path in (data_folder("scenarios") / "trials").glob("*.yaml"))
