"""What the shell offers when the user presses TAB. Every press starts Python anew, so nothing heavy is imported."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

_OPTIONS = ("--install-completion", "--show-completion")


def scenario_names(incomplete: str) -> list[str]:
    """Return the shipped scenarios and the scenario files of this folder that begin with ``incomplete``.

    Where none does, the shell completes file names by itself.
    """
    from blinasim.files import shipped_scenarios

    own = sorted(path.name for path in Path().glob("*.yaml"))
    return [name for name in shipped_scenarios() + own if name.startswith(incomplete)]


def design_names(incomplete: str) -> list[str]:
    """Return the shipped designs and the YAML files of this folder that begin with ``incomplete``."""
    from blinasim.files import shipped_designs

    own = sorted(path.name for path in Path().glob("*.yaml"))
    return [name for name in shipped_designs() + own if name.startswith(incomplete)]


def heed_named_shell(arguments: Sequence[str]) -> None:
    """Let ``--show-completion zsh`` mean zsh.

    Typer finds out in which shell it runs and would print the script of that one, whichever is named. Told not to
    find out, it wants the name.
    """
    if len(arguments) == 2 and arguments[0] in _OPTIONS:
        os.environ["_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"] = "1"
