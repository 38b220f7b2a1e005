"""Tables as they are described: a frame is built from the very columns that the data dictionary prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import NONE

if TYPE_CHECKING:
    import pandas as pd

Kind: TypeAlias = Literal["text", "integer", "number", "boolean", "date", "day"]

#: The first day of accrual of every simulated trial. With the source study's 430 days of accrual and 84 days to the
#: cut-off, the data are cut on 10 October 2013, in the month that the abstract names.
EPOCH: Final = np.datetime64("2012-05-14", "D")

#: How the kinds are called in the data dictionary.
_KINDS: Final[dict[Kind, str]] = {
    "text": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "true or false",
    "date": "ISO date",
    "day": "integer or missing",
}
#: Words that are not simply the lower case of their names.
_SPELLING: Final = {
    "CR": "CR",
    "CRH": "CRh",
    "GVHD": "GvHD",
    "MRD": "MRD",
    "PRIOR_HSCT": "prior HSCT",
    "RELAPSE_AFTER_HSCT": "relapse after HSCT",
}


@dataclass(frozen=True)
class Column:
    """One column of a table.

    A type that is an enumeration becomes a categorical of its words; -1 is missing there, and in a ``day``.

    Attributes
    ----------
    name : str
        In the header.
    type : str or type of IntEnum
        What it holds.
    unit : str
        Empty where there is none.
    meaning : str
        In words.
    """

    name: str
    type: Kind | type[IntEnum]
    unit: str
    meaning: str

    @property
    def type_text(self) -> str:
        """The type as the data dictionary says it."""
        if isinstance(self.type, str):
            return _KINDS[self.type]
        return "one of: " + ", ".join(words(self.type))


@dataclass(frozen=True)
class TableDescription:
    """A file of a results folder.

    Attributes
    ----------
    file : str
        Its name.
    row : str
        What one row of it is.
    columns : tuple of Column
        In order.
    note : str
        What else a reader must know.
    """

    file: str
    row: str
    columns: tuple[Column, ...]
    note: str = ""

    def frame(self, data: Mapping[str, Any]) -> pd.DataFrame:
        """Build the frame; its columns are exactly those described, in their order.

        Parameters
        ----------
        data : mapping of str to array
            Values by the name of the column, all of one length.

        Returns
        -------
        DataFrame

        Raises
        ------
        ValueError
            If a column is described and not given, or given and not described.
        """
        import pandas as pd

        described = [column.name for column in self.columns]
        if set(data) != set(described):
            raise ValueError(f"{self.file}: {sorted(set(data) ^ set(described))} is described or given, not both")
        return pd.DataFrame({column.name: _series(column, data[column.name]) for column in self.columns})


def words(codes: type[IntEnum]) -> tuple[str, ...]:
    """Return the words of an enumeration whose codes count from 0, in their order."""
    return tuple(_SPELLING.get(code.name, code.name.lower().replace("_", " ")) for code in codes)


def worded(codes: type[IntEnum], values: NDArray[Any]) -> NDArray[np.object_]:
    """Return the words of some codes, of any shape; None where there is none (-1)."""
    return np.array([*words(codes), None], dtype=object)[np.where(values == NONE, len(codes), values)]


def dates(entry_day: NDArray[Any], day: NDArray[Any]) -> NDArray[np.datetime64]:
    """Return calendar dates of days since first infusion, as numpy.datetime64 in days; not-a-time where the day is -1.

    ``entry_day`` counts from the first day of accrual, which is ``EPOCH``; both are of one shape.
    """
    calendar = EPOCH + entry_day.astype("timedelta64[D]") + day.astype("timedelta64[D]")
    return np.where(day == NONE, np.datetime64("NaT", "D"), calendar)


def _series(column: Column, values: Any) -> Any:
    import pandas as pd

    match column.type:
        case "text":
            return pd.Series(values, dtype=object)
        case "integer":
            return pd.Series(np.asarray(values, dtype=np.int32))
        case "number":
            return pd.Series(np.asarray(values, dtype=np.float64))
        case "boolean":
            return pd.Series(np.asarray(values, dtype=np.bool_))
        case "date":
            return pd.Series(np.asarray(values).astype("datetime64[s]"))
        case "day":
            days = np.asarray(values, dtype=np.int32)
            return pd.Series(pd.arrays.IntegerArray(days, days == NONE))
        case codes:
            held = np.asarray(values, dtype=np.int64)
            return pd.Series(pd.Categorical.from_codes(held, categories=pd.Index(words(codes))))
