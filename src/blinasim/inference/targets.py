"""Targets: the figures that the source study published, read from ``calibration/targets.yaml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from blinasim.errors import ParameterError
from blinasim.files import data_folder, nearest, read_yaml
from blinasim.trial.endpoints import ENDPOINTS


class Target(BaseModel):
    """One published figure: a count of a denominator, or a value; in the unit of its endpoint.

    ``use`` is ``input`` for a figure that goes into the simulation as it stands.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int | None = None
    denominator: int | None = None
    value: float | None = None
    interval: tuple[float, float] | None = None
    range: tuple[float, float] | None = None
    estimator: str
    use: Literal["fit", "input"] = "fit"
    note: str = ""

    @model_validator(mode="after")
    def _one_figure(self) -> Self:
        counted = self.count is not None and self.denominator is not None
        if counted == (self.value is not None):
            raise ValueError("needs either count and denominator, or value")
        if counted and not 0 <= (self.count or 0) <= (self.denominator or 0):
            raise ValueError("count must lie between 0 and denominator")
        return self

    @property
    def estimate(self) -> float:
        """The figure as a number: a share for counts."""
        if self.count is not None and self.denominator is not None:
            return self.count / self.denominator
        assert self.value is not None
        return self.value


@cache
def load_targets(path: Path | None = None) -> dict[str, Target]:
    """Read the published figures by endpoint id.

    Raises
    ------
    ParameterError
        With file, line and column.
    """
    document = read_yaml(path or data_folder("calibration") / "targets.yaml", ParameterError)
    known = [endpoint.id for endpoint in ENDPOINTS]
    targets = {}
    for name, entry in document.data.items():
        if name not in known:
            raise ParameterError(f"{name}: no such endpoint{nearest(name, known)}", document.place((name,)))
        try:
            targets[name] = Target.model_validate(entry)
        except ValidationError as problem:
            raise ParameterError(f"{name}: {problem.errors()[0]['msg']}", document.place((name,))) from None
    return targets
