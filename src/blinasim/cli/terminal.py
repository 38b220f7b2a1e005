"""The terminal: a console for tables, and a progress bar that is silent when nobody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from blinasim.model.parameters import Structure
    from blinasim.scenario.settings import Scenario

#: Width of tables written to a file or a pipe, columns.
_PIPE_WIDTH = 120
#: A narrower terminal wraps lines, and that loses nothing; cutting figures would.
_LEAST_WIDTH = 80


def console() -> Console:
    """Return a console on standard output; wide enough for the tables when it is not a terminal."""
    ours = Console()
    return Console(width=max(ours.width, _LEAST_WIDTH)) if ours.is_terminal else Console(width=_PIPE_WIDTH)


def remark(line: str) -> None:
    """Say something to the user beside the results."""
    Console(stderr=True).print(f"blinasim: {line}", highlight=False, markup=False, soft_wrap=True)


def rests_on(scenarios: Iterable[Scenario], structure: Structure) -> str:
    """Say on how many assumptions the results of some scenarios rest."""
    from blinasim.model.parameters import parameter_catalogue
    from blinasim.model.therapy import acts

    policies = [scenario.policy for scenario in scenarios]
    catalogue = parameter_catalogue().items()
    grades = [info.grade for name, info in catalogue if any(acts(name, policy, structure) for policy in policies)]
    return (
        f"Rests on {grades.count('assumption')} assumptions among {len(grades)} parameters "
        "(grades and sources: calibration/parameters.yaml)."
    )


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on standard error while the body runs, if that is a terminal; None is an unknown total.

    Yields
    ------
    callable
        Takes the number of units finished since the last call.
    """
    errors = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda units: bar.advance(task, units)


@contextmanager
def live_line() -> Iterator[Callable[[str], None]]:
    """Show one line on standard error that is replaced while the body runs, if that is a terminal.

    Yields
    ------
    callable
        Takes the line.
    """
    errors = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"), console=errors, transient=True, disable=not errors.is_terminal
    ) as bar:
        task = bar.add_task("")
        yield lambda line: bar.update(task, description=line)
