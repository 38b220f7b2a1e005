"""What is to be estimated, and the test or the plan by which the trial decides."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from blinasim.scenario.design.base import Count, Fraction, Positive
from blinasim.scenario.settings import Days, Settings

VariableName: TypeAlias = Literal["os", "rfs", "response", "complete_response", "mrd_negative"]
BINARY: tuple[str, ...] = ("response", "complete_response", "mrd_negative")
TestName: TypeAlias = Literal["log_rank", "weighted_log_rank", "max_combo", "cox", "rmst", "milestone"]
#: Tests whose statistics at successive looks have independent increments in the number of events.
SEQUENTIAL: tuple[TestName, ...] = ("log_rank", "cox")


class Estimand(Settings):
    """What is to be estimated, by the five attributes of ICH E9(R1)."""

    treatment: Annotated[str, Field(min_length=3)] = Field(description="The treatments compared, in words.")
    population: Literal["all_enrolled", "responders"] = Field("all_enrolled", description="Whose outcome it is.")
    variable: VariableName = Field(
        description="os, rfs (from CR/CRh*), response (CR/CRh* in two cycles), complete_response or mrd_negative."
    )
    hsct: Literal["treatment_policy", "hypothetical", "composite", "while_on_treatment"] = Field(
        "treatment_policy",
        description="Strategy for on-study HSCT as an intercurrent event: part of the treatment; censored, as if it "
        "had not been available; an event; censored, for the hazard until then.",
    )
    summary: Literal["hazard_ratio", "rmst_difference", "milestone_difference", "response_rate"] = Field(
        description="Population-level summary."
    )

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if (self.variable in BINARY) != (self.summary == "response_rate"):
            raise ValueError(f"summary {self.summary} does not summarize {self.variable}")
        if (self.variable == "rfs") != (self.population == "responders"):
            raise ValueError(f"population {self.population} has no {self.variable}: rfs is of responders alone")
        if self.variable in BINARY and self.hsct != "treatment_policy":
            raise ValueError(f"hsct {self.hsct}: comes after the {self.variable}; say treatment_policy")
        return self


class SingleArmPlan(Settings):
    """A single-arm plan of a binary outcome."""

    kind: Literal["exact", "simon_optimal", "simon_minimax", "predictive_probability"] = Field(description="The plan.")
    p0: Fraction = Field(description="Rate of no interest.")
    p1: Fraction = Field(description="Rate of interest.")
    beta: Fraction = Field(0.2, description="Error of the second kind at p1 that Simon's designs allow.")
    looks_at: tuple[Count, ...] = Field(
        (), strict=False, description="Patients at the interim looks of predictive-probability monitoring."
    )
    posterior: Fraction = Field(0.95, description="Posterior probability of a rate above p0 that is a success.")
    futility: Annotated[float, Field(ge=0.0, lt=1.0)] = Field(
        0.05, description="Predictive probability of success below which the trial stops."
    )
    success: Annotated[float, Field(gt=0.0, le=1.0)] = Field(
        1.0, description="Predictive probability above which it stops with success; 1: never."
    )
    prior: tuple[Positive, Positive] = Field((0.5, 0.5), strict=False, description="Beta prior of the rate.")
    assess_after_days: Days = Field(84, description="Days from a patient's entry after which the outcome is known.")
    pause: bool = Field(True, description="Whether accrual pauses at an interim look until all are assessed.")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not self.p0 < self.p1:
            raise ValueError(f"p1 {self.p1:g} should be above p0 {self.p0:g}")
        if (self.kind == "predictive_probability") != bool(self.looks_at):
            raise ValueError("looks_at goes with kind predictive_probability, and it with looks_at")
        if list(self.looks_at) != sorted(set(self.looks_at)):
            raise ValueError(f"looks_at {list(self.looks_at)} are out of order")
        if not self.futility < self.success:
            raise ValueError(f"success {self.success:g} should be above futility {self.futility:g}")
        return self


class Test(Settings):
    """How the arms are compared."""

    kind: TestName = Field(description="The test.")
    stratified: bool = Field(False, description="Whether patients are compared within the strata of the allocation.")
    rho: Annotated[float, Field(ge=0.0, le=5.0)] = Field(0.0, description="Of the weights of weighted_log_rank.")
    gamma: Annotated[float, Field(ge=0.0, le=5.0)] = Field(0.0, description="Of the weights of weighted_log_rank.")
    weights: tuple[tuple[float, float], ...] = Field(
        ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)), strict=False, max_length=4, description="rho and gamma of max_combo."
    )
    day: Annotated[int, Field(ge=1, le=36_525)] | None = Field(
        None, description="Horizon of rmst, or the milestone, days."
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.kind in ("rmst", "milestone")) != (self.day is not None):
            raise ValueError("day goes with kinds rmst and milestone, and they with a day")
        if self.kind in ("rmst", "milestone") and self.stratified:
            raise ValueError(f"stratified: {self.kind} has no strata")
        if self.kind == "weighted_log_rank" and not (self.rho or self.gamma):
            raise ValueError("gamma or rho should be above 0, or kind be log_rank")
        if min((part for pair in self.weights for part in pair), default=-1.0) < 0.0:
            raise ValueError("weights should be one to four pairs of numbers, at least 0")
        return self
