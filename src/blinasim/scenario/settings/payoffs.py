"""Costs and quality of life."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from blinasim.scenario.settings.base import Settings

Money = Annotated[float, Field(ge=0.0, le=1e9, allow_inf_nan=False)]
#: Health is 1, death 0; states worse than death are below.
Utility = Annotated[float, Field(ge=-1.0, le=1.0, allow_inf_nan=False)]
DiscountRate = Annotated[float, Field(ge=0.0, le=0.5, allow_inf_nan=False)]


class UnitCosts(Settings):
    """What things cost, in the currency of the payoffs; what is 0 is not counted."""

    per_infusion_day: Money = Field(0.0, description="A day of infusion of blinatumomab.")
    per_cycle: Money = Field(0.0, description="A cycle of blinatumomab begun, besides its days.")
    per_standard_course: Money = Field(0.0, description="A course of standard chemotherapy begun, its stay included.")
    per_inpatient_day: Money = Field(
        0.0, description="A day in hospital at the start of an infusion; a transplant's stay is in its own cost."
    )
    per_maintenance_day: Money = Field(0.0, description="A day of maintenance.")
    per_bridging_day: Money = Field(0.0, description="A day of bridging therapy.")
    per_donor_search: Money = Field(0.0, description="A donor search begun, those under way at enrolment included.")
    per_transplant: Money = Field(0.0, description="A transplant, on study or later, its stay included.")
    first_year_after_transplant_per_year: Money = Field(
        0.0,
        description="Care in the first 365 days after a transplant, until a relapse found after it, per patient-year.",
    )
    later_after_transplant_per_year: Money = Field(
        0.0, description="The same from then on, until a relapse found after it, per patient-year."
    )
    remission_per_year: Money = Field(
        0.0, description="Care in remission without a transplant, until a relapse is found, per patient-year."
    )
    failure_per_year: Money = Field(
        0.0, description="Care after failure, or a relapse that was found, per patient-year."
    )
    long_after_failure_per_year: Money = Field(
        0.0, description="The same of those who live on after long_after_failure_from_years, per patient-year."
    )
    per_death: Money = Field(0.0, description="Care at the end of life.")


class Utilities(Settings):
    """Quality of life by state of health, per year lived in it; states are the true ones, found or not."""

    induction: Utility = Field(0.50, description="From the first infusion to remission or failure.")
    remission_cr: Utility = Field(0.86, description="In CR, without a transplant.")
    remission_crh: Utility = Field(0.75, description="In CRh*, without a transplant.")
    transplant_year: Utility = Field(0.355, description="In remission, in the first 365 days after a transplant.")
    after_transplant: Utility = Field(0.86, description="In remission, later after a transplant.")
    failure: Utility = Field(0.30, description="After failure or relapse, also after a later transplant.")
    long_after_failure: Utility = Field(
        0.86, description="The same of those who live on after long_after_failure_from_years."
    )


class Payoffs(Settings):
    """What costs and what health are counted, and how: only the judgement of what happens depends on it."""

    currency: Annotated[str, Field(min_length=1, max_length=8)] = Field(description="Currency of all costs, as EUR.")
    price_year: Annotated[int, Field(ge=1980, le=2100)] = Field(description="Year of the prices.")
    threshold_per_qaly: Annotated[float, Field(gt=0.0, le=1e9, allow_inf_nan=False)] = Field(
        description="What a quality-adjusted life-year (QALY) may cost; net benefit is QALYs times this, less costs."
    )
    discount_costs_per_year: DiscountRate = Field(0.035, description="Discount rate of costs, per year.")
    discount_effects_per_year: DiscountRate = Field(0.035, description="Discount rate of QALYs, per year.")
    horizon_years: Annotated[float, Field(gt=0.0, le=100.0, allow_inf_nan=False)] = Field(
        50.0, description="Costs and health are counted for so many years from the first infusion."
    )
    oldest_age_years: Annotated[int, Field(ge=80, le=120)] = Field(
        100, description="And for nobody beyond this age, years: the model itself knows no death of old age."
    )
    long_after_failure_from_years: Annotated[float, Field(gt=0.0, le=100.0, allow_inf_nan=False)] = Field(
        5.0, description="Who lives so many years after failure or relapse has found a way back to health."
    )
    costs: UnitCosts = Field(default_factory=UnitCosts, description="Unit costs.")
    utilities: Utilities = Field(default_factory=Utilities, description="Quality of life by state.")
    sources: dict[str, str] = Field(
        default_factory=dict,
        description="Where a figure is from, by its name here, such as costs.per_transplant: provenance grade (trial, "
        "literature or assumption), then the source.",
    )

    @model_validator(mode="after")
    def _sources_of_what_there_is(self) -> Self:
        known = {
            *(name for name in type(self).model_fields if name not in ("costs", "utilities", "sources")),
            *(f"costs.{name}" for name in UnitCosts.model_fields),
            *(f"utilities.{name}" for name in Utilities.model_fields),
        }
        for name, text in self.sources.items():
            if name not in known:
                raise ValueError(f"sources.{name}: there is no such figure; name one such as costs.per_transplant")
            if not text.startswith(("trial: ", "literature: ", "assumption: ")):
                raise ValueError(f"sources.{name} should begin with its grade, as in 'literature: NICE TA450'")
        return self
