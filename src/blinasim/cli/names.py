"""Names of what a command is given, and of the folder that its results go to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, Literal, TypeVar

_Loaded = TypeVar("_Loaded")

#: Letters of a default folder's name.
_LONGEST: Final = 100


def load_each(
    said: Iterable[str], load: Callable[[str], _Loaded], kind: Literal["scenarios", "designs"]
) -> dict[str, _Loaded]:
    """Load scenarios or designs by the name of their file; each name once."""
    from blinasim.errors import ScenarioError

    loaded: dict[str, _Loaded] = {}
    for one in said:
        name = Path(one).stem
        if name in loaded:
            raise ScenarioError(f"two of the {kind} are called {name}; name different ones, or copy one file")
        loaded[name] = load(one)
    return loaded


def folder_of(command: str, names: Sequence[str], others: str = "policies") -> Path:
    """Return the default folder: named after all that is looked at, or after their number where that is too long."""
    whole = f"{command}_{'_'.join(names)}"
    if len(whole) > _LONGEST:
        whole = f"{command}_{names[0]}_with_{len(names) - 1}_{others}"[:_LONGEST]
    return Path("results") / whole
