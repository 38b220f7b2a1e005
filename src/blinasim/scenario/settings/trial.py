"""What the trial sees."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from blinasim.scenario.settings.base import Days, Settings


class AccrualPiece(Settings):
    """A stretch of the accrual period with one rate."""

    days: Annotated[int, Field(ge=1, le=36_525)] = Field(description="Length of the stretch, days.")
    relative_rate: Annotated[float, Field(ge=0.0, le=1e6, allow_inf_nan=False)] = Field(
        1.0, description="Enrolment rate relative to the other stretches; 0 is a pause."
    )


class Accrual(Settings):
    """How patients enter."""

    pieces: tuple[AccrualPiece, ...] = Field(
        (AccrualPiece(days=430, relative_rate=1.0),),
        strict=False,
        min_length=1,
        description="Stretches in order; one is uniform accrual (about 14 months gives the published follow-up).",
    )
    gap_days: Days = Field(
        84, description="Days from the end of accrual to the data cut-off, so that all can be assessed."
    )

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not any(piece.relative_rate > 0 for piece in self.pieces):
            raise ValueError("at least one stretch needs a relative_rate above 0")
        return self

    @property
    def cutoff_day(self) -> int:
        """Calendar day of the data cut-off, counted from the start of accrual."""
        return sum(piece.days for piece in self.pieces) + self.gap_days


class Trial(Settings):
    """What the trial sees of its patients."""

    accrual: Accrual = Field(default_factory=Accrual, description="Accrual and data cut-off.")
    loss_per_year: Annotated[float, Field(ge=0.0, le=10.0, allow_inf_nan=False)] = Field(
        0.02, description="Rate of loss to follow-up, per patient-year."
    )
    rfs_censoring: Literal["last_assessment", "cutoff"] = Field(
        "last_assessment", description="Where relapse-free survival without an event is censored."
    )
    hsct_censoring: Literal["on_study", "any_recorded"] = Field(
        "on_study", description="Which HSCT censors the endpoints that are censored at HSCT."
    )
    median_follow_up: Literal["reverse_km", "enrolment_to_cutoff"] = Field(
        "reverse_km", description="Definition of median follow-up."
    )
