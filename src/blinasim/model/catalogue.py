"""What is known about each parameter: its value with unit, prior, meaning, provenance grade and source.

The data are ``calibration/parameters.yaml``; the file is checked against ``model.parameter_groups``.
"""

from __future__ import annotations

import math
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from blinasim.errors import ParameterError
from blinasim.files import complaint, data_folder, nearest, read_yaml
from blinasim.model.parameter_groups import GROUPS
from blinasim.model.parameters import Parameters, parameters_of


class Prior(BaseModel):
    """A prior distribution by name: beta(a, b), lognormal(median, sigma), uniform(low, high) or fixed.

    Median, low and high are in the unit of the parameter; sigma is the standard deviation of its logarithm.

    Raises
    ------
    ValidationError
        If it has other numbers than its distribution takes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    distribution: Literal["beta", "lognormal", "uniform", "fixed"]
    a: float | None = None
    b: float | None = None
    median: float | None = None
    sigma: float | None = None
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        given = self.model_dump(exclude_none=True, exclude={"distribution"})
        return f"{self.distribution}({', '.join(f'{key} {value:g}' for key, value in given.items())})"

    @model_validator(mode="after")
    def _numbers_of_the_distribution(self) -> Self:
        needed = {
            "beta": {"a", "b"},
            "lognormal": {"median", "sigma"},
            "uniform": {"low", "high"},
            "fixed": set(),
        }[self.distribution]
        given = set(self.model_dump(exclude_none=True)) - {"distribution"}
        if given != needed:
            raise ValueError(f"{self.distribution} takes {', '.join(sorted(needed)) or 'no numbers'}")
        return self


#: No parameter is larger: so many days never come, and ratios so large decide everything.
_MOST: Final = 1_000_000.0


class ParameterInfo(BaseModel):
    """What is known about one parameter, and where it comes from.

    ``grade`` says how it is known: from the source study's abstract, from the same trial or drug elsewhere, from
    other literature, or by assumption; ``source`` says in words where exactly.

    Raises
    ------
    ValidationError
        If the value is not one of its unit, or something is missing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Annotated[float, Field(allow_inf_nan=False, ge=0.0)]
    unit: Literal[
        "probability",
        "share",
        "odds ratio",
        "hazard ratio",
        "speed ratio",
        "days",
        "per year",
        "shape",
        "variance",
    ]
    prior: Prior
    meaning: Annotated[str, Field(min_length=10)]
    grade: Literal["abstract", "trial", "literature", "assumption"]
    source: Annotated[str, Field(min_length=3)]

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the largest value that a parameter of this unit may have."""
        least = math.nextafter(0.0, 1.0) if self.unit in ("shape", "odds ratio") else 0.0
        return least, 1.0 if self.unit in ("probability", "share") else _MOST

    @model_validator(mode="after")
    def _value_of_the_unit(self) -> Self:
        least, most = self.bounds
        if not least <= self.value <= most:
            limit = "above 0" if self.value < least else f"at most {most:,.0f}"
            raise ValueError(f"value {self.value:g} is no {self.unit}; it should be {limit}")
        return self


@cache
def parameter_catalogue(path: Path | None = None) -> dict[str, ParameterInfo]:
    """Read all that is known about the parameters.

    Parameters
    ----------
    path : Path, optional
        A file like ``calibration/parameters.yaml``, which is read if none is given. It is read once.

    Returns
    -------
    dict of str to ParameterInfo
        By dotted name, such as ``relapse.shape``, in the order of ``model.parameter_groups``.

    Raises
    ------
    ParameterError
        If a parameter is missing, unknown or badly described, or the file cannot be read; with file, line and column.
    """
    document = read_yaml(path or data_folder("calibration") / "parameters.yaml", ParameterError)
    data = document.data if isinstance(document.data, dict) else {}
    known = {group: [item.name for item in fields(cls)] for group, cls in GROUPS.items()}
    _check_names((), list(data), list(known), document)
    catalogue = {}
    for group, names in known.items():
        _check_names((group,), list(data[group]), names, document)
        for name in names:
            try:
                catalogue[f"{group}.{name}"] = ParameterInfo.model_validate(data[group][name])
            except ValidationError as problem:
                inside, what = complaint(problem)
                keys = (group, name, *inside)
                where = ".".join(str(part) for part in keys)
                raise ParameterError(f"{where}: {what}", document.place(keys)) from None
    return catalogue


def _check_names(path: tuple[str, ...], given: list[str], known: list[str], document: Any) -> None:
    for name in given:
        if name not in known:
            dotted = ".".join((*path, name))
            raise ParameterError(f"{dotted}: no such parameter{nearest(name, known)}", document.place((*path, name)))
    for name in known:
        if name not in given:
            raise ParameterError(f"{'.'.join((*path, name))}: is missing", document.place(path))


def load_parameters(path: Path | None = None) -> Parameters:
    """Return the point values of ``calibration/parameters.yaml`` (or of another such file).

    Parameters
    ----------
    path : Path, optional
        The other file.

    Returns
    -------
    values : Parameters
        Numbers, the same in all trials, under the usual structure.

    Raises
    ------
    ParameterError
        As of :func:`parameter_catalogue`.
    """
    return parameters_of({name: info.value for name, info in parameter_catalogue(path).items()})
