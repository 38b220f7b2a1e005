"""Places that patients share."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from blinasim.scenario.settings.base import Days, Settings


class Background(Settings):
    """Other patients who want the same places: they come at random, at a constant rate."""

    arrivals_per_year: Annotated[float, Field(ge=0.0, le=5_000.0, allow_inf_nan=False)] = Field(
        0.0, description="Other patients per year of the calendar."
    )
    mean_stay_days: Annotated[float, Field(gt=0.0, le=3650.0, allow_inf_nan=False)] = Field(
        30.0, description="Mean of their stay, days; stays are exponential."
    )


class TransplantBeds(Settings):
    """Beds of the transplant ward."""

    places: Annotated[int, Field(ge=0, le=100_000)] | None = Field(None, description="Beds; null: as many as wanted.")
    stay_days: Annotated[int, Field(ge=1, le=365)] = Field(
        30, description="Days in the bed from the transplant on; a death frees it sooner."
    )
    priority: Literal["first_come", "mrd_negative_first", "mrd_positive_first"] = Field(
        "first_come", description="Who is given a free bed first; then who asked first."
    )
    background: Background = Field(default_factory=Background, description="Other patients of the ward.")


class InfusionStarts(Settings):
    """Starts of an infusion, each of which takes a bed of the ward for its first days."""

    places: Annotated[int, Field(ge=1, le=100_000)] | None = Field(None, description="Beds; null: as many as wanted.")
    first_cycle_days: Annotated[int, Field(ge=1, le=28)] = Field(
        9, description="Days in hospital at the start of cycle 1 (label: at least 9)."
    )
    later_cycle_days: Annotated[int, Field(ge=1, le=28)] = Field(
        2, description="Days in hospital at the start of a later cycle (label: at least 2)."
    )
    background: Background = Field(default_factory=Background, description="Other patients of the ward.")


class SearchCoordinators(Settings):
    """Coordinators, each of whom conducts one donor search at a time until it is over."""

    places: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        None, description="Searches that can be conducted at once; null: as many as wanted."
    )
    most_days_a_search: Annotated[int, Field(ge=1, le=3650)] = Field(
        180, description="Days after which a search without a donor no longer takes up a coordinator."
    )
    background: Background = Field(default_factory=Background, description="Searches for other patients.")


class Capacity(Settings):
    """Places that patients share; none is scarce by default."""

    transplant_beds: TransplantBeds = Field(default_factory=TransplantBeds, description="Transplant beds.")
    infusion_starts: InfusionStarts = Field(default_factory=InfusionStarts, description="Beds to start infusions in.")
    search_coordinators: SearchCoordinators = Field(
        default_factory=SearchCoordinators, description="Coordinators of donor searches."
    )
    warm_up_days: Days = Field(
        365,
        description="Days before the first enrolment in which other patients already come, so no ward is empty.",
    )

    @property
    def limited(self) -> bool:
        """Whether any place is counted."""
        parts = (self.transplant_beds, self.infusion_starts, self.search_coordinators)
        return any(part.places is not None for part in parts)

    @model_validator(mode="after")
    def _the_background_needs_places(self) -> Self:
        for name in ("transplant_beds", "infusion_starts", "search_coordinators"):
            part = getattr(self, name)
            if part.places is None and part.background.arrivals_per_year > 0:
                raise ValueError(f"{name}.background means nothing without {name}.places; say how many there are")
        return self
