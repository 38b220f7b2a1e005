"""Text of the user's: reading a file of it, and quoting it in a message."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import stat
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blinasim.errors import Argument, BlinasimError, Place

if TYPE_CHECKING:
    from pydantic import ValidationError

#: Longest quotation of a user's own text in a message.
_QUOTED = 60


def read_text(path: Path, error: type[BlinasimError], *, most_bytes: int) -> str:
    """Read a UTF-8 file, with or without a byte order mark.

    Parameters
    ----------
    path : Path
        The file.
    error : type of BlinasimError
        The class of whatever is raised.
    most_bytes : int
        How large the file may be.

    Returns
    -------
    str

    Raises
    ------
    BlinasimError
        Of the given class, if it cannot be read, is too large, or is not UTF-8; then with line and column.
    """
    raw = read_bytes(path, error, most_bytes=most_bytes)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        # A byte order mark says UTF-16 before any line begins.
        before = (
            "" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else raw[: problem.start].decode("utf-8-sig", errors="ignore")
        )
        raise error("cannot be read (not UTF-8 text); save the file as UTF-8", place_after(before, str(path))) from None


def read_bytes(path: Path, error: type[BlinasimError], *, most_bytes: int, doing: str = "") -> bytes:
    """Read a file; a pipe or a device, which may have no end, is none.

    Parameters
    ----------
    path : Path
        The file.
    error : type of BlinasimError
        The class of whatever is raised.
    most_bytes : int
        How large the file may be.
    doing : str
        What to do if it cannot be read, for the message.

    Returns
    -------
    bytes

    Raises
    ------
    BlinasimError
        Of the given class, if it cannot be read, or is too large.
    """
    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            why = "not a file"
        else:
            with path.open("rb") as file:
                raw = file.read(most_bytes + 1)
            if len(raw) <= most_bytes:
                return raw
            why = f"larger than {most_bytes:,} bytes"
    except (OSError, ValueError) as problem:
        why = reason(problem)
    raise error(f"cannot be read ({why}){doing}", Place(str(path)))


def reason(problem: Exception) -> str:
    """Return why a file could not be used, without its name."""
    if isinstance(problem, UnicodeEncodeError):
        return "this locale does not know all letters of its name; set PYTHONUTF8=1"
    if isinstance(problem, OSError) and problem.errno:
        return os.strerror(problem.errno)  # libraries have words of their own
    return str(problem)


def place_after(text: str, name: str) -> Place:
    """Return the place right after a text that begins the file called ``name``."""
    line = text.count("\n")
    return Place(name, line + 1, len(text) - text.rfind("\n"))


def readable(said: str) -> str:
    """Return what was said on the command line as text; a locale without its letters makes lone surrogates of them."""
    try:
        raw = said.encode("utf-8", errors="surrogateescape")
    except UnicodeEncodeError:  # surrogates of another origin
        raw = said.encode("utf-8", errors="replace")
    return raw.decode("utf-8", errors="replace")


def short(text: str, most: int = _QUOTED) -> str:
    """Return a user's own text, cut where it is too long for a message (or another number of letters)."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def quoted(value: Any) -> str:
    """Return a value as a user would write it, cut where it is too long for a message."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return repr(short(value)) if isinstance(value, str) else short(repr(value))


def check_choice(
    argument: str, given: object, choices: Collection[str], error: type[BlinasimError] = BlinasimError
) -> None:
    """Refuse a word that is none of those that an argument may be.

    Parameters
    ----------
    argument : str
        What it was given as.
    given : object
        What it is.
    choices : collection of str
        What it may be.
    error : type of BlinasimError
        The class of what is raised.

    Raises
    ------
    BlinasimError
        Of the given class, with the choices.
    """
    if given not in choices:
        raise error(f"should be one of {', '.join(choices)}", Argument(argument, short(repr(given))))


def complaint(problem: ValidationError) -> tuple[tuple[str | int, ...], str]:
    """Return what a check complains of first: where, as a path of keys, and in words."""
    first = problem.errors(include_url=False)[0]
    what = "is missing" if first["type"] == "missing" else first["msg"].removeprefix("Value error, ")
    return first["loc"], what


def nearest(word: str, words: Iterable[str]) -> str:
    """Return ``"; did you mean X?"`` for the word closest to ``word``, or nothing; a file's ending does not count."""
    known = {known.removesuffix(".yaml").lower(): known for known in words}
    close = difflib.get_close_matches(word.removesuffix(".yaml").lower(), known, n=1)
    return f"; did you mean {known[close[0]]}?" if close else ""


def digest(data: Any) -> str:
    """Return the hash of data as JSON, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
