"""A row of the table of bad inputs: what is put in, with which files, and the line that is expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from blinasim.files import shipped_scenarios

NOT_DECIMAL = "is not a number that can be read; write it in plain decimal digits"
TOO_DEEP = "nested more than 32 levels deep; no setting lies so deep"
NOT_UTF8 = "cannot be read (not UTF-8 text); save the file as UTF-8"
NO_ALIAS = "are not allowed; write the value out"
SHIPPED = f"(shipped: {', '.join(shipped_scenarios())}; a file needs its .yaml)"
OUTSIDE = "lies outside the folder of the file asked for; move it there, or allow it: blinasim --allow-outside ..."


@dataclass(frozen=True)
class Folder:
    """An empty folder, in place of a file's text."""


@dataclass(frozen=True)
class Link:
    """A symbolic link, in place of a file's text."""

    to: str


#: What stands in the working folder, by path: text, bytes, a folder or a link.
Files = Mapping[str, "str | bytes | Folder | Link"]


@dataclass(frozen=True)
class Bad:
    """A bad input, and the whole line expected on standard error; ``{folder}`` is the working folder."""

    what: str
    arguments: tuple[str, ...]
    line: str
    files: Files

    def __str__(self) -> str:
        return self.what.replace(" ", "_")


def bad(what: str, arguments: str | tuple[str, ...], line: str, files: Files | None = None) -> Bad:
    words = tuple(arguments.split()) if isinstance(arguments, str) else arguments
    return Bad(what, words, f"blinasim: {line}\n", files or {})


def scenario(what: str, text: str | bytes, line: str, **inherited: str) -> Bad:
    """A scenario file s.yaml is wrong, or one that it extends."""
    return bad(
        what, "show s.yaml", line, {"s.yaml": text, **{f"{name}.yaml": base for name, base in inherited.items()}}
    )


def lay_out(folder: Path, files: Files) -> None:
    """Write the files of a row."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        match content:
            case Folder():
                path.mkdir()
            case Link(to):
                path.symlink_to(to)
            case bytes():
                path.write_bytes(content)
            case _:
                path.write_bytes(content.encode())
