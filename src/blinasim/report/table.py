"""A table as data: the terminal prints it, and the report shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

Line = tuple[str, ...]
#: Spaces by which a label stands under what it is a part of.
INDENT: Final = "  "


@dataclass(frozen=True)
class Table:
    """Titles and lines of text.

    Attributes
    ----------
    titles : tuple of str
        Of the columns; the first, over the labels, is often empty.
    lines : tuple of tuple of str
        A line of one cell is a heading over those that follow. A label is indented by what it is a part of.
    caption : str
        What the table shows.
    """

    titles: Line
    lines: tuple[Line, ...]
    caption: str = ""

    def without(self, *titles: str) -> Table:
        """Return the table without some of its columns."""
        kept = [number for number, title in enumerate(self.titles) if title not in titles]
        return replace(
            self,
            titles=tuple(self.titles[number] for number in kept),
            lines=tuple(line if is_heading(line) else tuple(line[number] for number in kept) for line in self.lines),
        )

    def groups(self) -> Iterator[tuple[str, list[Line]]]:
        """Yield each heading, empty where there is none, with the lines under it."""
        heading, under = "", list[Line]()
        for line in self.lines:
            if is_heading(line):
                if under:
                    yield heading, under
                heading, under = line[0], []
            else:
                under.append(line)
        yield heading, under


def is_heading(line: Line) -> bool:
    """Whether a line is a heading."""
    return len(line) == 1


def level(label: str) -> int:
    """Return how deep a label is indented."""
    return (len(label) - len(label.lstrip(" "))) // len(INDENT)
