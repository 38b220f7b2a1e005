"""What all settings have in common, and the types of their values."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Probability = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Days = Annotated[int, Field(ge=0, le=36_525)]
Years = Annotated[int, Field(ge=0, le=120)]

DonorName = Literal["sibling", "unrelated", "haploidentical", "cord"]
FitnessName = Literal["good", "fair", "poor"]
MrdName = Literal["negative", "positive", "unknown"]
DepthName = Literal["CR", "CRh"]


class Settings(BaseModel):
    """Base of all settings: frozen, strict about unknown keys and about types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
