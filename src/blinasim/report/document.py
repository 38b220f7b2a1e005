"""The base of every JSON document, and the figures that JSON can hold."""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    """Base of what is written as JSON: frozen, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def finite(value: float | None) -> float | None:
    """Return a figure that JSON can hold: it knows neither NaN nor infinity."""
    return float(value) if value is not None and math.isfinite(value) else None
