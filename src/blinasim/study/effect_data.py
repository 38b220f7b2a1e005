"""The same estimators on patients of the user's own: a CSV file or a DataFrame, a row a patient."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from blinasim.errors import DataError, Place
from blinasim.files import NUMBER, YES_OR_NO, nearest, quoted, read_patients, short
from blinasim.statistics.exposure import Estimate, Exposure
from blinasim.study.estimators import Timing, estimate_all

if TYPE_CHECKING:
    import pandas as pd

_DAYS: Final = re.compile(r"0{0,9}[0-9]{1,5}")
_MOST_DAYS: Final = 36_525
#: Covariates beyond this are no measurements, and their squares no numbers.
_MOST: Final = 1e12
_REQUIRED: Final = ("time_days", "event", "transplant_days")
#: What each column says; days count from a common origin, such as the remission.
COLUMNS: Final = {
    "time_days": "day of the event, or of censoring",
    "event": "yes for an event, no for a censoring",
    "transplant_days": "day of the transplant; empty without one",
    "relapse_days": "day of the relapse, or of whatever ends that a patient may be transplanted; empty without one",
    "candidate": "yes for those who could be transplanted at all; everybody if there is no such column",
}


@dataclass(frozen=True, repr=False)
class DataEffect:
    """What the estimators say of one table of patients.

    Attributes
    ----------
    name : str
        Of the file or table.
    data : Exposure
        The patients, as one trial.
    covariates : tuple of str
        Columns that are adjusted for.
    timing : Timing
        The days that the estimators name.
    estimates : dict of str to Estimate
        By estimator id, arrays of shape (1,).
    """

    name: str
    data: Exposure
    covariates: tuple[str, ...]
    timing: Timing
    estimates: Mapping[str, Estimate]

    def __repr__(self) -> str:
        return f"<DataEffect: {self.data.member.sum()} patients of {self.name}>"


def effect_of_file(path: Path, adjust: Sequence[str] = (), timing: Timing | None = None) -> DataEffect:
    """Estimate the effect of HSCT in the patients of a CSV file.

    Parameters
    ----------
    path : Path
        A header, and a row a patient: ``COLUMNS``, and numbers (or yes and no) to adjust for. Other columns are left.
    adjust : sequence of str
        Columns to adjust for.
    timing : Timing, optional
        The days that the estimators name.

    Returns
    -------
    DataEffect

    Raises
    ------
    DataError
        One line with file, line and column.
    """
    file = read_patients(path, DataError)
    wanted = _columns(file.header, adjust, file.place)
    columns: dict[str, list[float]] = {name: [] for name in wanted}
    places = {name: file.header.index(name) for name in wanted}
    for number, cells in file.rows:
        for name, place in places.items():
            columns[name].append(_cell(name, cells[place], file.place.file, number, place + 1))
        _check_days(columns, file.place.file, number)
    return _estimated(path.name, columns, adjust, timing)


def effect_of_table(table: pd.DataFrame, adjust: Sequence[str] = (), timing: Timing | None = None) -> DataEffect:
    """Estimate the effect of HSCT in the patients of a DataFrame.

    Parameters
    ----------
    table : DataFrame
        A row a patient, with the columns of `effect_of_file`.
    adjust, timing
        As for `effect_of_file`.

    Returns
    -------
    DataEffect

    Raises
    ------
    DataError
        One line that names the row and the column.
    """
    wanted = _columns([str(name) for name in table.columns], adjust, Place("table"))
    if not len(table):
        raise DataError("needs at least one patient", Place("table"))
    columns: dict[str, list[float]] = {name: [] for name in wanted}
    for number, row in enumerate(table[wanted].itertuples(index=False), start=1):
        for place, (name, value) in enumerate(zip(wanted, row, strict=True), start=1):
            text = "" if value is None or value != value else str(value)
            columns[name].append(_cell(name, text.removesuffix(".0"), "table", number, place))
        _check_days(columns, "table", number)
    return _estimated("table", columns, adjust, timing)


def _columns(header: Sequence[str], adjust: Sequence[str], place: Place) -> list[str]:
    """Return the columns to read; what is missing, doubled, or nearly the name of one is an error."""
    if len(header) == 1 and (mark := next((one for one in ";\t|" if one in header[0]), None)):
        raise DataError(f"cells are separated by {mark!r}; save the file with commas between them", place)
    for name in header:
        if header.count(name) > 1:
            raise DataError(f"{quoted(name)}: this column stands twice", place)
        missing = [known for known in COLUMNS if known not in header]
        if name not in COLUMNS and name not in adjust and (hint := nearest(name, missing)):
            raise DataError(f"{quoted(name)}: no such column{hint}", place)
    gone = [f"{name!r}: this column is missing ({COLUMNS[name]})" for name in _REQUIRED if name not in header]
    if gone:
        raise DataError("; ".join(gone), place)
    for name in adjust:
        if name in COLUMNS:
            raise DataError(f"{name!r}: cannot be adjusted for; it is not known at the origin", place)
        if name not in header:
            others = [one for one in header if one not in COLUMNS]
            there = (
                f"there are {', '.join(short(other) for other in others[:12])}"
                if others
                else "there is none besides those of the days"
            )
            hint = nearest(name, others) or f" ({there})"
            raise DataError(f"{quoted(name)}: no such column to adjust for{hint}", place)
        if list(adjust).count(name) > 1:
            raise DataError(f"{name!r}: is adjusted for twice; name it once", place)
    return [name for name in header if name in COLUMNS or name in adjust]


def _cell(name: str, text: str, file: str, line: int, column: int) -> float:
    if name in ("event", "candidate"):
        if text.lower() not in YES_OR_NO:
            raise DataError(f"{name}: {quoted(text)} should be yes or no", Place(file, line, column))
        return float(YES_OR_NO[text.lower()])
    if name in COLUMNS:
        if not text and name != "time_days":
            return -1.0
        if not (_DAYS.fullmatch(text) and int(text) <= _MOST_DAYS):
            empty = "" if name == "time_days" else ", or empty"
            raise DataError(
                f"{name}: {quoted(text)} should be whole days from 0 to {_MOST_DAYS}{empty}", Place(file, line, column)
            )
        return float(text)
    if text.lower() in ("true", "yes", "false", "no"):
        return float(YES_OR_NO[text.lower()])
    if not (NUMBER.fullmatch(text) and abs(value := float(text)) <= _MOST):
        raise DataError(f"{name}: {quoted(text)} should be a number, or yes or no", Place(file, line, column))
    return value


def _check_days(columns: Mapping[str, list[float]], file: str, line: int) -> None:
    end = columns["time_days"][-1]
    for name in ("transplant_days", "relapse_days"):
        if name in columns and columns[name][-1] > end:
            raise DataError(f"{name}: {columns[name][-1]:.0f} is after time_days, {end:.0f}", Place(file, line, 1))


def _estimated(
    name: str, columns: Mapping[str, list[float]], adjust: Sequence[str], timing: Timing | None
) -> DataEffect:
    timing = timing or Timing()
    patients = len(columns["time_days"])
    nothing = [-1.0] * patients

    def days(column: str) -> NDArray[np.int32]:
        return np.array([columns.get(column, nothing)], dtype=np.int32)

    covariates = np.zeros((1, patients, len(adjust)))
    for place, column in enumerate(adjust):
        covariates[0, :, place] = columns[column]
    data = Exposure(
        time_days=days("time_days"),
        event=np.array([columns["event"]]) > 0.0,
        treated_day=days("transplant_days"),
        broken_day=days("relapse_days"),
        eligible=np.array([columns.get("candidate", [1.0] * patients)]) > 0.0,
        covariates=covariates,
        member=np.ones((1, patients), dtype=np.bool_),
    )
    return DataEffect(name, data, tuple(adjust), timing, estimate_all(data, timing))
