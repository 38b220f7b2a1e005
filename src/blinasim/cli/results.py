"""What every command says of the results folder that it has written."""

from __future__ import annotations

from collections.abc import Sized
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from blinasim.report.contents import Contents


def keep(contents: Contents, target: Path, *, force: bool, as_json: bool) -> str | None:
    """Write a results folder and return the line that says so; as JSON, the document is printed, and None returned."""
    from blinasim.report.contents import write_folder

    files = write_folder(target, contents, force=force)
    if as_json:
        typer.echo(contents.document.model_dump_json(indent=1))
        return None
    return wrote(target, files)


def wrote(target: Path, files: Sized) -> str:
    """Say what has been written."""
    return f"Wrote {target}/ ({len(files)} files)"
