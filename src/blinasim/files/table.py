"""CSV files of patients: a header and a row a patient, read row by row so that a large file takes little memory."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from blinasim.errors import BlinasimError, Place
from blinasim.files.text import read_text

_MOST_BYTES: Final = 50_000_000
_MOST_ROWS: Final = 500_000
#: A line with its end, whatever that is.
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")


#: A number in plain decimal digits; Python alone would take 1_8 and the digits of other scripts.
NUMBER: Final = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
#: What stands for yes and for no, in small letters.
YES_OR_NO: Final = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True)
class PatientFile:
    """A file of patients.

    Attributes
    ----------
    text : str
        All of it.
    header : list of str
        Names of the columns.
    place : Place
        Of the header.
    rows : iterator of (int, list of str)
        Line and cells of each patient, once; there is at least one.
    """

    text: str
    header: list[str]
    place: Place
    rows: Iterator[tuple[int, list[str]]]


def read_patients(path: Path, error: type[BlinasimError], said: str = "") -> PatientFile:
    """Read a file of patients; its cells are checked when they come.

    Parameters
    ----------
    path : Path
        The file.
    error : type of BlinasimError
        The class of whatever is raised.
    said : str
        The setting by which the file was named, for messages about the file itself.

    Returns
    -------
    PatientFile
        Its header, and its rows as they are asked for.

    Raises
    ------
    BlinasimError
        With file, line and column.
    """
    try:
        text = read_text(path, error, most_bytes=_MOST_BYTES)
    except BlinasimError as problem:
        raise error(f"{said}{problem.message}", problem.place) from None
    rows = _rows(text, str(path), error)
    first = next(rows, None)
    second = next(rows, None) if first else None
    if first is None or second is None:
        raise error("needs a header and at least one patient", Place(str(path)))
    header = [name.strip() for name in first[1]]
    return PatientFile(text, header, Place(str(path), first[0], 1), _whole(chain([second], rows), header, path, error))


def _whole(
    rows: Iterator[tuple[int, list[str]]], header: list[str], path: Path, error: type[BlinasimError]
) -> Iterator[tuple[int, list[str]]]:
    """Yield rows with as many cells as the header, without space around them."""
    for number, cells in rows:
        if len(cells) != len(header):
            raise error(f"{len(cells)} cells where the header has {len(header)}", Place(str(path), number, 1))
        yield number, [cell.strip() for cell in cells]


def _rows(text: str, name: str, error: type[BlinasimError]) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that hold something, each with the number of the line on which it begins."""
    reader = csv.reader((line.group() for line in _LINE.finditer(text)), strict=True)
    count, begins = 0, 1
    try:
        for cells in reader:
            if cells:
                count += 1
                if count > _MOST_ROWS:
                    raise error(f"has more than {_MOST_ROWS:,} rows", Place(name, begins, 1))
                yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as problem:
        raise error(f"not valid CSV ({problem}) in the row that begins here", Place(name, begins, 1)) from None
