"""A cohort from a CSV file: columns checked, bad rows named, and re-weighted to published margins where asked."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blinasim.errors import Place, ScenarioError
from blinasim.files import nearest
from blinasim.model.codes import BLAST_BANDS_PCT, OLDER_FROM_YEARS, Fitness
from blinasim.scenario.settings import CohortData, CohortSettings
from blinasim.statistics.weights import rake

_MOST_ROWS = 1_000_000


@dataclass(frozen=True)
class CohortRows:
    """Baseline patients of a file, N rows; ``None`` where the file has no such column."""

    age_years: NDArray[np.int16]
    prior_hsct: NDArray[np.bool_]
    salvage_lines: NDArray[np.int8]
    blasts_pct: NDArray[np.float64]
    fitness: NDArray[np.int8] | None
    well_matched: NDArray[np.bool_] | None
    site: NDArray[np.int16] | None

    def __len__(self) -> int:
        return len(self.age_years)


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise ValueError
        return value

    return read


def _per_cent(text: str) -> float:
    value = float(text)
    if not 0.0 <= value <= 100.0:
        raise ValueError
    return value


def _yes_or_no(text: str) -> bool:
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[text.lower()]


def _fitness(text: str) -> int:
    return int(Fitness[text.upper()])


@dataclass(frozen=True)
class _Column:
    read: Callable[[str], Any]
    says: str
    dtype: type[np.generic]
    required: bool = True


_COLUMNS: dict[str, _Column] = {
    "age_years": _Column(_whole(18, 120), "whole years from 18 to 120", np.int16),
    "prior_hsct": _Column(_yes_or_no, "yes or no", np.bool_),
    "salvage_lines": _Column(_whole(0, 20), "a whole number from 0 to 20", np.int8),
    "blasts_pct": _Column(_per_cent, "a percentage from 0 to 100", np.float64),
    "fitness": _Column(_fitness, "good, fair or poor", np.int8, required=False),
    "well_matched": _Column(_yes_or_no, "yes or no", np.bool_, required=False),
    "site": _Column(_whole(0, 32_767), "a whole number from 0 to 32767", np.int16, required=False),
}


def cohort_rows(settings: CohortSettings, data: CohortData) -> CohortRows:
    """Read the file of a cohort and check it against the cohort's size.

    Raises
    ------
    ScenarioError
        One line with file, line and column.
    """
    path = Path(data.file)
    try:
        stamp = path.stat().st_mtime_ns
    except OSError as problem:
        raise ScenarioError(f"cohort.data.file: cannot be read ({problem.strerror})", Place(str(path))) from None
    rows = _read(path, stamp)
    if data.rows == "as_given" and len(rows) != settings.size:
        raise ScenarioError(
            f"cohort.data: the file has {len(rows)} patients and cohort.size is {settings.size}; "
            f"set cohort.size: {len(rows)}, or rows: resampled",
            Place(str(path)),
        )
    return rows


@lru_cache(maxsize=4)
def _read(path: Path, stamp: int) -> CohortRows:  # noqa: ARG001 - the time of change is part of the key
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [(number, line) for number, line in enumerate(csv.reader(file, strict=True), start=1) if line]
    except UnicodeDecodeError:
        raise ScenarioError("cohort.data.file: is not UTF-8 text", Place(str(path))) from None
    except csv.Error as problem:
        raise ScenarioError(f"cohort.data.file: not valid CSV ({problem})", Place(str(path))) from None
    if len(lines) < 2:
        raise ScenarioError("cohort.data.file: needs a header and at least one patient", Place(str(path)))
    if len(lines) > _MOST_ROWS:
        raise ScenarioError(f"cohort.data.file: has more than {_MOST_ROWS:,} rows", Place(str(path)))
    header = [name.strip() for name in lines[0][1]]
    _check_header(header, path)
    values: dict[str, list[Any]] = {name: [] for name in header}
    for number, line in lines[1:]:
        if len(line) != len(header):
            raise ScenarioError(f"{len(line)} cells where the header has {len(header)}", Place(str(path), number, 1))
        for position, (name, text) in enumerate(zip(header, line, strict=True), start=1):
            values[name].append(_cell(name, text.strip(), Place(str(path), number, position)))
    arrays: dict[str, Any] = {
        name: np.array(values[name], dtype=column.dtype) if name in values else None
        for name, column in _COLUMNS.items()
    }
    return CohortRows(**arrays)


def _check_header(header: list[str], path: Path) -> None:
    for position, name in enumerate(header, start=1):
        if name not in _COLUMNS:
            raise ScenarioError(f"{name!r}: no such column{nearest(name, _COLUMNS)}", Place(str(path), 1, position))
        if header.index(name) != position - 1:
            raise ScenarioError(f"{name!r}: this column stands twice", Place(str(path), 1, position))
    for name, column in _COLUMNS.items():
        if column.required and name not in header:
            raise ScenarioError(f"{name!r}: this column is missing", Place(str(path), 1, 1))


def _cell(name: str, text: str, place: Place) -> Any:
    """Read one cell; the place counts columns of the table, not characters."""
    column = _COLUMNS[name]
    try:
        return column.read(text)
    except (ValueError, KeyError, OverflowError):
        raise ScenarioError(f"{name}: {text!r} should be {column.says}", place) from None


def weights(rows: CohortRows, settings: CohortSettings, data: CohortData) -> NDArray[np.float64]:
    """Return the weight of each row: equal, or raked to the margins asked for.

    Raises
    ------
    ScenarioError
        If the rows cannot be weighted to the margins.
    """
    if not data.match_margins:
        return np.full(len(rows), 1.0 / len(rows))
    blasts = settings.blasts
    two_or_more, none = settings.two_or_more_salvage_share, settings.no_prior_salvage_share
    older = settings.age.share_65_and_over
    known = {
        "prior_hsct": (
            np.stack([~rows.prior_hsct, rows.prior_hsct]),
            [1.0 - settings.prior_hsct_share, settings.prior_hsct_share],
        ),
        "salvage": (
            np.stack([rows.salvage_lines == 0, rows.salvage_lines == 1, rows.salvage_lines >= 2]),
            [none, 1.0 - none - two_or_more, two_or_more],
        ),
        "blasts": (
            np.stack([np.digitize(rows.blasts_pct, BLAST_BANDS_PCT[1:-1]) == band for band in range(4)]),
            [blasts.below_25_pct, blasts.from_25_to_50_pct, blasts.from_50_to_75_pct, blasts.from_75_pct],
        ),
        "age": (
            np.stack([rows.age_years < OLDER_FROM_YEARS, rows.age_years >= OLDER_FROM_YEARS]),
            [1.0 - older, older],
        ),
    }
    try:
        return rake(
            [known[name][0] for name in data.match_margins],
            [np.array(known[name][1]) for name in data.match_margins],
        )
    except ValueError as problem:
        margins = ", ".join(data.match_margins)
        raise ScenarioError(f"cohort.data.match_margins ({margins}): {problem}", Place(data.file)) from None
