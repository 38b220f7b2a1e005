"""Who is enrolled."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from blinasim.scenario.settings.base import Probability, Settings, Years


class Age(Settings):
    """Age at enrolment."""

    min_years: Years = Field(18, description="Youngest age enrolled, years (abstract: 18).")
    median_years: Years = Field(39, description="Median age, years (abstract: 39).")
    share_65_and_over: Probability = Field(
        0.13, description="Share of patients aged 65 or more (assumption, near the FDA set's share)."
    )
    max_years: Years = Field(79, description="Oldest age enrolled, years (abstract: 79).")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.min_years < self.median_years < 65 <= self.max_years:
            raise ValueError("needs min_years < median_years < 65 <= max_years")
        if self.share_65_and_over >= 0.5:
            raise ValueError("share_65_and_over must be below 0.5, as the median is below 65")
        return self


class Blasts(Settings):
    """Shares of patients by marrow blasts at enrolment; they add up to 1."""

    below_25_pct: Probability = Field(0.16, description="Share with 5 to <25 % blasts (assumption).")
    from_25_to_50_pct: Probability = Field(0.14, description="Share with 25 to <50 % blasts (assumption).")
    from_50_to_75_pct: Probability = Field(0.144, description="Share with 50 to <75 % blasts (assumption).")
    from_75_pct: Probability = Field(0.556, description="Share with 75 % blasts or more (abstract: 105/189).")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        total = self.below_25_pct + self.from_25_to_50_pct + self.from_50_to_75_pct + self.from_75_pct
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"the four shares must add up to 1, not {total:.6g}")
        return self


class CohortData(Settings):
    """Baseline patients from a CSV file instead of drawn ones."""

    file: Annotated[str, Field(min_length=1)] = Field(
        description="CSV file with a header, relative to the scenario file: age_years, prior_hsct, salvage_lines, "
        "blasts_pct; optional fitness, well_matched, site."
    )
    rows: Literal["as_given", "resampled"] = Field(
        "as_given",
        description="as_given: the rows are the patients of every trial (size must be their number); resampled: each "
        "trial draws its patients from the rows, with replacement.",
    )
    match_margins: tuple[Literal["prior_hsct", "salvage", "blasts", "age"], ...] = Field(
        (),
        strict=False,
        description="Re-weight resampled rows so that these margins equal the cohort's settings (raking).",
    )

    @model_validator(mode="after")
    def _weights_need_resampling(self) -> Self:
        if self.match_margins and self.rows == "as_given":
            raise ValueError("match_margins needs rows: resampled")
        return self


class CohortSettings(Settings):
    """Who is enrolled."""

    size: Annotated[int, Field(ge=1, le=1_000_000)] = Field(189, description="Patients (abstract: 189).")
    age: Age = Field(default_factory=Age, description="Age at enrolment.")
    prior_hsct_share: Probability = Field(0.339, description="Share with an earlier HSCT (abstract: 64/189).")
    prior_hsct_share_65_and_over: Probability = Field(
        0.20, description="The same among patients of 65 or more (assumption; 0.10 to 0.35 is plausible)."
    )
    no_prior_salvage_share: Probability = Field(
        0.20, description="Share enrolled in first salvage, without an earlier salvage line (assumption)."
    )
    two_or_more_salvage_share: Probability = Field(
        0.392, description="Share with two or more earlier salvage lines (abstract: 74/189)."
    )
    blasts: Blasts = Field(default_factory=Blasts, description="Marrow blasts at enrolment.")
    sites: Annotated[int, Field(ge=1, le=10_000)] = Field(37, description="Study centres (assumption).")
    data: CohortData | None = Field(
        None, description="Baseline patients from a file; null: drawn from the settings above."
    )

    @model_validator(mode="after")
    def _joint(self) -> Self:
        if self.no_prior_salvage_share + self.two_or_more_salvage_share > 1.0:
            raise ValueError("no_prior_salvage_share + two_or_more_salvage_share must be at most 1")
        older = self.age.share_65_and_over
        younger = (self.prior_hsct_share - older * self.prior_hsct_share_65_and_over) / (1.0 - older)
        if not 0.0 <= younger <= 1.0:
            raise ValueError(
                "prior_hsct_share cannot be met with this prior_hsct_share_65_and_over: "
                f"the younger patients' share would be {younger:.3g}"
            )
        return self
