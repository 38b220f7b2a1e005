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

    def told(self, call: Callable[[str], str] = str) -> str:  # noqa: ARG002 -- a file is called the same by everybody
        """Return the place as its reader calls it."""
        return str(self)


@dataclass(frozen=True)
class Argument:
    """An argument of a function, and what it was given; a command calls it an option."""

    name: str
    said: str = ""

    @classmethod
    def of_type(cls, name: str, given: object) -> Argument:
        """Return an argument that was given something of a wrong type; a whole result would be no word for a line."""
        return cls(name, f"of type {type(given).__name__}")

    def __str__(self) -> str:
        return self.told()

    def told(self, call: Callable[[str], str] = str) -> str:
        """Return the argument as its reader calls it, and what it was given."""
        return f"{call(self.name)} {self.said}".rstrip()


def naming(advice: str, call: Callable[[str], str] = str) -> str:
    """Return advice with the arguments that it names in braces as its reader calls them; functions by their names."""
    return re.sub(r"\{(\w+)\}", lambda name: call(name[1]), advice)


class BlinasimError(Exception):
    """Base of every error that a user can mend; its text is one whole line.

    Parameters
    ----------
    message : str
        What is wrong.
    place : Place or Argument, optional
        Where.
    advice : str
        What to do, where that is to give another argument: its name stands in braces. Nothing else is quoted there.
    """

    def __init__(self, message: str, place: Place | Argument | None = None, advice: str = "") -> None:
        self.message = message
        self.place = place
        self.advice = advice
        super().__init__(self.told())

    def told(self, call: Callable[[str], str] = str) -> str:
        """Return the line, with arguments as its reader calls them."""
        line = f"{self.place.told(call)}: {self.message}" if self.place else self.message
        return one_line(f"{line}; {naming(self.advice, call)}" if self.advice else line)


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
