"""Who is enrolled, how fast, into which arms and strata."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from blinasim.scenario.settings import Settings

StratumName: TypeAlias = Literal["age", "prior_hsct", "salvage", "blasts"]


class Arm(Settings):
    """An arm: patients who live a scenario."""

    name: Annotated[str, Field(min_length=1, max_length=40)] = Field(description="Name of the arm.")
    scenario: Annotated[str, Field(min_length=1)] = Field(
        description="The scenario that its patients live: a shipped name, or a file relative to the design's."
    )
    changes: tuple[str, ...] = Field(
        (), strict=False, description="Settings of that scenario changed, each dotted.key=value."
    )
    allocation: Annotated[int, Field(ge=1, le=10)] = Field(1, description="Patients of this arm in a smallest block.")


class AccrualStretch(Settings):
    """A stretch of the accrual with one rate."""

    days: Annotated[int, Field(ge=1, le=36_525)] | None = Field(
        None, description="Length, days; null: until all are enrolled (the last stretch always is)."
    )
    patients_per_month: Annotated[float, Field(ge=0.0, le=10_000.0, allow_inf_nan=False)] = Field(
        description="Mean number enrolled a month of 30.4375 days; 0 is a pause."
    )
