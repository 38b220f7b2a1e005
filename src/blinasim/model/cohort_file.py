"""A cohort from a CSV file: columns checked, bad rows named, and re-weighted to published margins where asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blinasim.errors import Place, ScenarioError
from blinasim.files import NUMBER, YES_OR_NO, PatientFile, nearest, quoted, read_patients
from blinasim.model.codes import BLAST_BANDS_PCT, OLDER_FROM_YEARS, Fitness
from blinasim.scenario.settings import CohortData, CohortSettings
from blinasim.statistics.weights import rake


@dataclass(frozen=True)
class CohortRows:
    """Baseline patients of a file, N rows; ``None`` where the file has no such column.

    Years, lines and per cent as whole numbers or floats; ``fitness`` holds codes of ``Fitness``; each of shape (N,).
    """

    age_years: NDArray[np.int16]
    prior_hsct: NDArray[np.bool_]
    salvage_lines: NDArray[np.int8]
    blasts_pct: NDArray[np.float64]
    fitness: NDArray[np.int8] | None
    well_matched: NDArray[np.bool_] | None
    site: NDArray[np.int16] | None

    def __len__(self) -> int:
        return len(self.age_years)


def _plain(text: str) -> str:
    if not NUMBER.fullmatch(text):
        raise ValueError
    return text


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(_plain(text))
        if not low <= value <= high:
            raise ValueError
        return value

    return read


def _per_cent(text: str) -> float:
    value = float(_plain(text))
    if not 0.0 <= value <= 100.0:
        raise ValueError
    return value


def _yes_or_no(text: str) -> bool:
    return YES_OR_NO[text.lower()]


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


@dataclass(frozen=True)
class CohortSource:
    """A cohort's file, read once for a study.

    Attributes
    ----------
    rows : CohortRows
        Its N patients.
    edges : ndarray of float64, shape (N,)
        Where each row's share of the luck ends, ascending to 1.
    text : str
        The file itself.
    """

    rows: CohortRows
    edges: NDArray[np.float64]
    text: str


def read_cohort(settings: CohortSettings) -> CohortSource | None:
    """Read the file of a cohort, if it has one, and check it against the cohort's settings.

    Raises
    ------
    ScenarioError
        One line with file, line and column.
    """
    data = settings.data
    if data is None:
        return None
    path = Path(data.file)
    file = read_patients(path, ScenarioError, "cohort.data.file: ")
    rows = _parse(file)
    if data.rows == "as_given" and len(rows) != settings.size:
        raise ScenarioError(
            f"cohort.data: the file has {len(rows)} patients and cohort.size is {settings.size}; "
            f"set cohort.size: {len(rows)}, or rows: resampled",
            Place(str(path)),
        )
    return CohortSource(rows, np.cumsum(_weights(rows, settings, data)), file.text)


def _parse(file: PatientFile) -> CohortRows:
    _check_header(file.header, file.place)
    values: dict[str, list[Any]] = {name: [] for name in file.header}
    columns = [(name, _COLUMNS[name], values[name].append) for name in file.header]
    for number, cells in file.rows:
        for position, (cell, (name, column, keep)) in enumerate(zip(cells, columns, strict=True), start=1):
            try:
                keep(column.read(cell))
            except (ValueError, KeyError, OverflowError):
                # The place counts columns of the table, not characters.
                place = replace(file.place, line=number, column=position)
                raise ScenarioError(f"{name}: {quoted(cell)} should be {column.says}", place) from None
    arrays: dict[str, Any] = {
        name: np.array(values[name], dtype=column.dtype) if name in values else None
        for name, column in _COLUMNS.items()
    }
    # Three stands for three or more, as in a drawn cohort.
    arrays["salvage_lines"] = np.minimum(arrays["salvage_lines"], 3)
    return CohortRows(**arrays)


def _check_header(header: list[str], place: Place) -> None:
    if len(header) == 1:
        raise ScenarioError(f"{quoted(header[0])}: one column alone; separate columns by commas", place)
    for position, name in enumerate(header, start=1):
        here = replace(place, column=position)
        if name not in _COLUMNS:
            close = nearest(name, _COLUMNS) or f"; known: {', '.join(_COLUMNS)}"
            raise ScenarioError(f"{quoted(name)}: no such column{close}", here)
        if header.index(name) != position - 1:
            raise ScenarioError(f"{name!r}: this column stands twice", here)
    for name, column in _COLUMNS.items():
        if column.required and name not in header:
            raise ScenarioError(f"{name!r}: this column is missing", place)


def _weights(rows: CohortRows, settings: CohortSettings, data: CohortData) -> NDArray[np.float64]:
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
    known: dict[str, list[tuple[str, NDArray[np.bool_], float]]] = {
        "prior_hsct": [
            ("prior_hsct no", ~rows.prior_hsct, 1.0 - settings.prior_hsct_share),
            ("prior_hsct yes", rows.prior_hsct, settings.prior_hsct_share),
        ],
        "salvage": [
            ("salvage_lines 0", rows.salvage_lines == 0, none),
            ("salvage_lines 1", rows.salvage_lines == 1, 1.0 - none - two_or_more),
            ("salvage_lines 2 or more", rows.salvage_lines >= 2, two_or_more),
        ],
        "blasts": [
            (f"blasts_pct {words}", np.digitize(rows.blasts_pct, BLAST_BANDS_PCT[1:-1]) == band, share)
            for band, (words, share) in enumerate(
                (
                    ("below 25", blasts.below_25_pct),
                    ("from 25 to 50", blasts.from_25_to_50_pct),
                    ("from 50 to 75", blasts.from_50_to_75_pct),
                    ("of 75 or more", blasts.from_75_pct),
                )
            )
        ],
        "age": [
            (f"age_years below {OLDER_FROM_YEARS}", rows.age_years < OLDER_FROM_YEARS, 1.0 - older),
            (f"age_years {OLDER_FROM_YEARS} or more", rows.age_years >= OLDER_FROM_YEARS, older),
        ],
    }
    margins = [known[name] for name in data.match_margins]
    for words, those, share in (category for margin in margins for category in margin):
        if share > 0.0 and not those.any():
            raise ScenarioError(
                f"cohort.data.match_margins: no row has {words}, and the cohort wants {100 * share:.3g} % of them",
                Place(data.file),
            )
    try:
        return rake(
            [np.stack([those for _, those, _ in margin]) for margin in margins],
            [np.array([share for _, _, share in margin]) for margin in margins],
        )
    except ValueError as problem:
        raise ScenarioError(
            f"cohort.data.match_margins ({', '.join(data.match_margins)}): {problem}", Place(data.file)
        ) from None
