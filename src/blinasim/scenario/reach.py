"""How far a file reaches: what it names lies in the folder of the file asked for or below, unless the user allows more.

A scenario may come from anywhere; it should not read what else is on this machine. Shipped names are always allowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from blinasim.errors import Place, ScenarioError
from blinasim.files import quoted

_anywhere: ContextVar[bool] = ContextVar("anywhere", default=False)


@contextmanager
def outside_allowed() -> Iterator[None]:
    """Let files name what lies outside their folder while the body runs."""
    token = _anywhere.set(True)
    try:
        yield
    finally:
        _anywhere.reset(token)


def is_path(said: str | Path) -> bool:
    """Whether a scenario or a design is named by its file."""
    path = Path(said)
    return path.suffix in (".yaml", ".yml") or len(path.parts) > 1


def check_reach(path: Path, said: str, folder: Path, what: str, place: Place | None) -> None:
    """Refuse a file that lies outside a folder, also one that a link in the folder points to.

    Parameters
    ----------
    path : Path
        The file.
    said : str
        As it was named.
    folder : Path
        Of the file asked for.
    what : str
        The setting that named it.
    place : Place or None
        Where it did.

    Raises
    ------
    ScenarioError
        One line that says how to allow it.
    """
    if _anywhere.get():
        return
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # no such path can be; whoever opens it says why
        return
    if not inside:
        raise ScenarioError(
            f"{what}: {quoted(said)} lies outside the folder of the file asked for; move it there, or allow it: "
            "blinasim --allow-outside ..., in Python with blinasim.scenario.reach.outside_allowed()",
            place,
        )
