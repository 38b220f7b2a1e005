"""What the clinic does."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from blinasim.scenario.settings.base import Days, DepthName, DonorName, FitnessName, MrdName, Settings, Years

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
    myeloablative_mrd: tuple[MrdName, ...] = Field(
        ("negative", "positive", "unknown"),
        strict=False,
        description="MRD as known at remission that allows myeloablative conditioning.",
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
