"""What can go wrong, in one line that says what, where and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where in a file something was said; lines and columns count from 1, 0 is unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True)
class Argument(Place):
    """An argument of a function, called ``file`` here, and what it was given; a command calls it an option."""

    said: str = ""

    def __str__(self) -> str:
        return f"{self.file} {self.said}".rstrip()


def naming(advice: str, call: Callable[[str], str] = str) -> str:
    """Return advice with the arguments that it names in braces as its reader calls them; functions by their names."""
    return re.sub(r"\{(\w+)\}", lambda name: call(name[1]), advice)


class BlinasimError(Exception):
    """Base of every error that a user can mend; its text is one whole line.

    Parameters
    ----------
    message : str
        What is wrong.
    place : Place, optional
        Where.
    advice : str
        What to do, where that is to give another argument: its name stands in braces. Nothing else is quoted there.
    """

    def __init__(self, message: str, place: Place | None = None, advice: str = "") -> None:
        self.message = message
        self.place = place
        self.advice = advice
        super().__init__(self.told())

    def told(self, call: Callable[[str], str] = str) -> str:
        """Return the line, with arguments as its reader calls them."""
        place = self.place
        where = f"{call(place.file)} {place.said}".rstrip() if isinstance(place, Argument) else place
        line = f"{where}: {self.message}" if where else self.message
        return f"{line}; {naming(self.advice, call)}" if self.advice else line


class ScenarioError(BlinasimError):
    """A scenario file, or a setting in it, is wrong."""


class ParameterError(BlinasimError):
    """A parameter or target file is wrong."""


class OutputError(BlinasimError):
    """Results cannot be written where they were asked for."""


class PolicyError(BlinasimError):
    """A policy of one's own cannot be used, or failed when it was asked."""


class WorkerError(BlinasimError):
    """Those who should do the work cannot be reached, or keep dying."""


class InterruptedRunError(BlinasimError):
    """Ctrl-C or SIGTERM ended a run of which something is kept."""


class DataError(BlinasimError):
    """A file of patients of the user's own is wrong."""


def one_line(message: str) -> str:
    """Spell out what would break the line or the terminal: a message may quote anything."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in message)
