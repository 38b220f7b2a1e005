"""The words of a scenario: frozen settings, each with its unit in its name and its default.

The defaults are the source study's own conduct; a scenario file says only what differs.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

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


CycleNumber = Annotated[int, Field(ge=1, le=10)]


class Maintenance(Settings):
    """Treatment of untransplanted responders after their last cycle, while the remission lasts."""

    offered: bool = Field(False, description="Whether there is any.")
    days: Annotated[int, Field(ge=1, le=36_525)] = Field(730, description="Longest maintenance, days.")


class Cycles(Settings):
    """Blinatumomab cycles."""

    maximum: Annotated[int, Field(ge=2, le=10)] = Field(5, description="Most cycles given (2 of induction).")
    infusion_days: Annotated[int, Field(ge=1, le=365)] = Field(28, description="Days of infusion a cycle.")
    rest_days: Annotated[int, Field(ge=0, le=365)] = Field(14, description="Days of rest after an infusion.")
    stop_without_response_after: Annotated[int, Field(ge=1, le=2)] = Field(
        2, description="Cycle after which a patient without a response stops (abstract: 2)."
    )
    maintenance: Maintenance = Field(
        default_factory=Maintenance, description="Maintenance of untransplanted responders after the last cycle."
    )


def _default_acceptance() -> dict[DonorName, Days]:
    # The trial's centres turned to cord after a while and to haploidentical donors last: one of 29 known.
    return {"sibling": 0, "unrelated": 0, "cord": 120, "haploidentical": 180}


class AfterCycle(Settings):
    """A day of the protocol: the end of a cycle's infusion."""

    after_cycle: CycleNumber = Field(description="The cycle, by the protocol's calendar.")


class DonorSearch(Settings):
    """When the search for a donor begins, and how patient it is."""

    starts: Literal["enrolment", "remission"] | AfterCycle = Field(
        "remission",
        description="When the search begins: enrolment, remission, or {after_cycle: 2}: a candidate's at remission, "
        "but not before that cycle's assessment is due; searches under way at enrolment go on regardless.",
    )
    accept_from_day: dict[DonorName, Days] = Field(
        default_factory=_default_acceptance,
        description="Day of the search from which each donor type is acceptable; a type left out never is. "
        "Ties go to the type written first.",
    )


class Candidates(Settings):
    """Who is a candidate for HSCT at remission."""

    max_age_years: Years = Field(75, description="Oldest candidate, years.")
    selected_from_age_years: Years | None = Field(
        65, description="From this age, years, only patients whom the centre selects; null: no selection by age."
    )
    prior_hsct: Literal["allowed", "selected", "refused"] = Field(
        "selected", description="Patients with an earlier HSCT: all, those whom the centre selects, or none."
    )
    fitness: tuple[FitnessName, ...] = Field(
        ("good", "fair", "poor"), strict=False, description="Fitness (HCT-CI 0, 1-2, 3 or more) admitted."
    )
    mrd: tuple[MrdName, ...] = Field(
        ("negative", "positive", "unknown"), strict=False, description="MRD as known at remission admitted."
    )
    depth: tuple[DepthName, ...] = Field(
        ("CR", "CRh"), strict=False, description="Depth of response at remission admitted."
    )


class ConditioningRule(Settings):
    """Myeloablative for those who meet every condition, reduced intensity for the others."""

    myeloablative_below_age_years: Years = Field(45, description="Myeloablative below this age, years.")
    myeloablative_fitness: tuple[FitnessName, ...] = Field(
        ("good", "fair"), strict=False, description="Fitness that allows myeloablative conditioning."
    )
    second_hsct: Literal["reduced", "as_first"] = Field(
        "reduced", description="Conditioning of a patient with an earlier HSCT."
    )
    forced: Literal["myeloablative", "reduced"] | None = Field(
        None, description="One conditioning for everybody, whatever the rules above; null: by the rules."
    )


class Waiting(Settings):
    """What happens to a patient who is ready for an on-study transplant while no bed is free."""

    cycles: bool = Field(False, description="Whether further cycles are given meanwhile.")
    give_up_after_days: Days | None = Field(
        None, description="Days of waiting for a bed after which the patient is no longer waiting; null: never."
    )


class Transplant(Settings):
    """The transplant decision."""

    offered: bool = Field(True, description="false: no transplantation at all.")
    effect: Literal["modelled", "none"] = Field(
        "modelled",
        description="none: an HSCT changes nobody's day of relapse or death (graft, conditioning, non-relapse death "
        "and the infusions that it replaces do nothing): a world in which estimators of its effect should find none.",
    )
    preparation_days: Days = Field(
        14, description="Least days from candidacy to an on-study transplant (work-up, conditioning)."
    )
    earliest_cycle: CycleNumber = Field(
        1, description="Cycle to be completed before an on-study transplant, unless the drug was stopped for good."
    )
    latest_cycle: CycleNumber | None = Field(
        None,
        description="No on-study transplant later than the day on which the cycle after this one is due, by the "
        "protocol's calendar; null: no limit.",
    )
    finish_infusion: bool = Field(
        True, description="Whether an infusion already begun is finished first; false: the transplant ends it."
    )
    bridging: bool = Field(
        False, description="Bridging therapy for candidates who wait in remission after their last cycle."
    )
    waiting: Waiting = Field(default_factory=Waiting, description="While no transplant bed is free.")
    candidates: Candidates = Field(default_factory=Candidates, description="Candidacy at remission.")
    conditioning: ConditioningRule = Field(default_factory=ConditioningRule, description="Conditioning rule.")

    @model_validator(mode="after")
    def _a_window(self) -> Self:
        if self.latest_cycle is not None and self.latest_cycle < self.earliest_cycle:
            raise ValueError(
                f"latest_cycle {self.latest_cycle} comes before earliest_cycle {self.earliest_cycle}; "
                "no transplant could be on time: raise the one or lower the other"
            )
        return self


class Monitoring(Settings):
    """How relapse is looked for."""

    visits_every_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        91,
        description="Days between visits after the last planned cycle; before, one at each cycle's day 29.",
    )


class Policy(Settings):
    """What the clinic does."""

    therapy: Literal["blinatumomab", "standard"] = Field(
        "blinatumomab", description="The treatment: blinatumomab, or standard salvage chemotherapy in as many courses."
    )
    cycles: Cycles = Field(default_factory=Cycles, description="Blinatumomab cycles.")
    donor_search: DonorSearch = Field(default_factory=DonorSearch, description="Donor search.")
    transplant: Transplant = Field(default_factory=Transplant, description="Transplant decision.")
    monitoring: Monitoring = Field(default_factory=Monitoring, description="Visits.")

    @model_validator(mode="after")
    def _cycles_that_there_are(self) -> Self:
        most = self.cycles.maximum
        if self.transplant.earliest_cycle > most:
            raise ValueError(
                f"transplant.earliest_cycle {self.transplant.earliest_cycle} is beyond cycles.maximum {most}: "
                "lower the one or raise the other"
            )
        starts = self.donor_search.starts
        if isinstance(starts, AfterCycle) and starts.after_cycle > most:
            raise ValueError(
                f"donor_search.starts.after_cycle {starts.after_cycle} is beyond cycles.maximum {most}: "
                "lower the one or raise the other"
            )
        return self


class Background(Settings):
    """Other patients who want the same places: they come at random, at a constant rate."""

    arrivals_per_year: Annotated[float, Field(ge=0.0, le=100_000.0, allow_inf_nan=False)] = Field(
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


class Study(Settings):
    """How often the trial is simulated, and with which luck."""

    replications: Annotated[int, Field(ge=1, le=10_000_000)] = Field(2_000, description="Simulated trials.")
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = Field(1, description="Seed of all luck.")


#: Letters of a title, at most.
MOST_TITLE = 200


class Scenario(Settings):
    """Everything that a run depends on, besides the parameters of nature."""

    title: Annotated[str, Field(min_length=1, max_length=MOST_TITLE)] = Field(description="One line.")
    why: str = Field("", description="The reason for the scenario, and what it assumes.")
    cohort: CohortSettings = Field(default_factory=CohortSettings, description="Who is enrolled.")
    policy: Policy = Field(default_factory=Policy, description="What the clinic does.")
    capacity: Capacity = Field(default_factory=Capacity, description="Places that patients share.")
    trial: Trial = Field(default_factory=Trial, description="What the trial sees.")
    payoffs: Payoffs | None = Field(None, description="Costs and quality of life; null: neither is counted.")
    study: Study = Field(default_factory=Study, description="How often, and with which luck.")

    @model_validator(mode="after")
    def _beds_for_transplants(self) -> Self:
        if self.capacity.transplant_beds.places == 0 and self.policy.transplant.offered:
            raise ValueError(
                "capacity.transplant_beds.places is 0 while policy.transplant.offered is true: "
                "give at least one bed, or offer no transplantation"
            )
        return self

    def with_study(self, replications: int | None = None, seed: int | None = None) -> Scenario:
        """Return the same scenario with another number of trials or another seed, where given."""
        given = {"replications": replications, "seed": seed}
        update = {key: value for key, value in given.items() if value is not None}
        study = Study.model_validate({**self.study.model_dump(), **update})
        return self.model_copy(update={"study": study})
