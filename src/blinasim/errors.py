"""What can go wrong, in one line that says what, where and what to do."""

from __future__ import annotations

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


class BlinasimError(Exception):
    """Base of every error that a user can mend; its text is one whole line."""

    def __init__(self, message: str, place: Place | None = None) -> None:
        self.message = message
        self.place = place
        super().__init__(f"{place}: {message}" if place else message)


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
