"""Names of what a command is given, and of the folder that its results go to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from blinasim.scenario.design_file import TrialDesign
    from blinasim.scenario.settings import Scenario

#: Letters of a default folder's name.
_LONGEST: Final = 100


def load_scenarios(said: Iterable[str], changes: Sequence[str]) -> dict[str, Scenario]:
    """Load scenarios by the name of their file; each name once."""
    from blinasim.scenario.loading import load_named, load_scenario

    return load_named(said, lambda one: (Path(one).stem, load_scenario(one, changes)), "scenarios")


def load_designs(said: Iterable[str], changes: Sequence[str]) -> dict[str, TrialDesign]:
    """Load designs by the name of their file; each name once."""
    from blinasim.scenario.design_file import load_design
    from blinasim.scenario.loading import load_named

    return load_named(said, lambda one: (Path(one).stem, load_design(one, changes)), "designs")


def folder_of(command: str, names: Sequence[str], others: str = "policies") -> Path:
    """Return the default folder: named after all that is looked at, or after their number where that is too long."""
    whole = f"{command}_{'_'.join(names)}"
    if len(whole) > _LONGEST:
        whole = f"{command}_{names[0]}_with_{len(names) - 1}_{others}"[:_LONGEST]
    return Path("results") / whole
