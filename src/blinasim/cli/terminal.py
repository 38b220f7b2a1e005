"""The terminal: a console for tables, and a progress bar that is silent when nobody watches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from blinasim.report.table import Table, is_heading

if TYPE_CHECKING:
    from rich.table import Table as RichTable

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


def legend(definitions: tuple[tuple[str, str], ...], left_out: Collection[str] = ()) -> RichTable:
    """Return what the columns of a table mean, but for those left out, as the terminal shows it."""
    return printed(Table(("", ""), tuple(line for line in definitions if line[0] not in left_out)), wrapping=2)


def printed(table: Table, wrapping: int = 0) -> RichTable:
    """Return a table as the terminal shows it, without rules; on a narrow one its first columns wrap, and no figure."""
    from rich.table import Table as RichTable

    shown = RichTable(
        box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0), show_header=any(table.titles)
    )
    for number, title in enumerate(table.titles):
        shown.add_column(Text(title), no_wrap=number >= wrapping)
    for line in table.lines:
        shown.add_row(*(Text(cell, style="bold" if is_heading(line) else "") for cell in line))
    return shown


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
