"""A scenario whole, and how often it is simulated."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from blinasim.scenario.settings.base import Settings
from blinasim.scenario.settings.capacity import Capacity
from blinasim.scenario.settings.cohort import CohortSettings
from blinasim.scenario.settings.payoffs import Payoffs
from blinasim.scenario.settings.policy import Policy
from blinasim.scenario.settings.trial import Trial


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
