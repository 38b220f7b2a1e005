"""A whole design, and what would contradict itself in it refused before any simulation."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from blinasim.scenario.design.analysis import BINARY, SEQUENTIAL, Estimand, SingleArmPlan, Test
from blinasim.scenario.design.base import Fraction, Positive
from blinasim.scenario.design.enrolment import AccrualStretch, Arm, StratumName
from blinasim.scenario.design.looks import Efficacy, Futility, Look
from blinasim.scenario.settings import MOST_TITLE, Settings, Study


class Design(Settings):
    """A trial before anyone enrols."""

    title: Annotated[str, Field(min_length=1, max_length=MOST_TITLE)] = Field(description="One line.")
    why: str = Field("", description="The question, and what the design assumes.")
    arms: tuple[Arm, ...] = Field(
        strict=False, min_length=1, max_length=2, description="One arm, or two: the control first."
    )
    size: Annotated[int, Field(ge=2, le=20_000)] = Field(description="Patients at most.")
    assignment: Literal["randomised", "sibling_donor"] = Field(
        "randomised",
        description="By permuted blocks, or by nature: patients with a sibling donor are in the second arm.",
    )
    stratification: tuple[StratumName, ...] = Field(
        (),
        strict=False,
        description="Factors of the allocation: age (65), prior_hsct, salvage (2 lines), blasts (75 %).",
    )
    block: Annotated[int, Field(ge=1, le=20)] = Field(2, description="Smallest blocks in a permuted block.")
    accrual: tuple[AccrualStretch, ...] = Field(
        strict=False, min_length=1, description="Stretches of accrual in order; patients come at random at these rates."
    )
    loss_per_year: Annotated[float, Field(ge=0.0, le=10.0, allow_inf_nan=False)] = Field(
        0.02, description="Rate of loss to follow-up, per patient-year."
    )
    longest_days: Annotated[int, Field(ge=1, le=36_525)] = Field(
        3_653, description="Calendar day on which the trial ends whatever has been reached."
    )
    estimand: Estimand = Field(description="What is to be estimated.")
    plan: SingleArmPlan | None = Field(None, description="The plan of a single arm.")
    test: Test | None = Field(None, description="The test of two arms.")
    alpha: Fraction = Field(0.025, description="Error of the first kind in all.")
    sides: Literal[1, 2] = Field(1, description="One-sided, or two-sided with half of alpha on each side.")
    looks: tuple[Look, ...] = Field((), strict=False, max_length=10, description="Looks at two arms; the last decides.")
    efficacy: Efficacy = Field(default_factory=Efficacy, description="Boundaries of early success.")
    futility: Futility = Field(default_factory=Futility, description="Boundaries of early futility.")
    hazard_ratio: Positive | None = Field(
        None, description="Alternative for which conditional power, and the power by formula, are computed."
    )
    study: Study = Field(default_factory=lambda: Study(replications=10_000), description="Simulated trials, and luck.")

    @property
    def two_arms(self) -> bool:
        """Whether arms are compared."""
        return len(self.arms) == 2

    @property
    def one_sided_alpha(self) -> float:
        """Error in the direction that is hoped for."""
        return self.alpha / self.sides

    @property
    def treated_share(self) -> float:
        """Share of the patients allocated to the second arm."""
        return self.arms[-1].allocation / sum(arm.allocation for arm in self.arms)

    @property
    def planned_events(self) -> int | None:
        """Events of the whole trial, by plan; None where nothing says how many."""
        if self.efficacy.planned_events is not None:
            return self.efficacy.planned_events
        return self.looks[-1].events if self.looks else None

    @model_validator(mode="after")
    def _who_is_compared(self) -> Self:
        names = [arm.name for arm in self.arms]
        if len(set(names)) < len(names):
            raise ValueError(f"arms are both called {names[0]}; name them differently")
        if self.two_arms != (self.plan is None):
            raise ValueError("plan goes with one arm, and one arm with a plan; two arms have a test and looks")
        if self.two_arms != (self.test is not None) or self.two_arms != bool(self.looks):
            raise ValueError("arms: two need a test and looks, and one has neither")
        if self.two_arms == (self.estimand.variable in BINARY):
            raise ValueError(
                f"estimand.variable {self.estimand.variable} needs {'one arm' if self.two_arms else 'two arms'}; "
                "one arm has a binary variable, two are compared in their survival"
            )
        if self.plan is not None and self.sides == 2:
            raise ValueError("sides 2: the exact tests of a single arm are one-sided")
        if self.plan is not None and self.plan.looks_at and self.plan.looks_at[-1] >= self.size:
            raise ValueError(f"plan.looks_at {self.plan.looks_at[-1]} is not before the whole trial of {self.size}")
        return self

    @model_validator(mode="after")
    def _everybody_comes(self) -> Self:
        if self.accrual[-1].patients_per_month == 0.0:
            raise ValueError(
                "accrual ends with a pause, so that not all are ever enrolled; give the last stretch a rate"
            )
        if any(stretch.days is None for stretch in self.accrual[:-1]):
            raise ValueError("accrual: a stretch before the last needs its days")
        if self.assignment == "sibling_donor" and (not self.two_arms or self.stratification):
            raise ValueError("assignment sibling_donor: nature allocates two arms, and knows no strata")
        if self.assignment == "sibling_donor" and any(arm.allocation != 1 for arm in self.arms):
            raise ValueError(
                "assignment sibling_donor: nature has an allocation of its own; leave that of the arms out"
            )
        if self.test is not None and self.test.stratified and not self.stratification:
            raise ValueError("test.stratified needs a stratification")
        return self

    @model_validator(mode="after")
    def _tests_its_estimand(self) -> Self:
        if self.test is None:
            return self
        summaries = {"rmst": "rmst_difference", "milestone": "milestone_difference"}
        if self.estimand.summary != summaries.get(self.test.kind, "hazard_ratio"):
            raise ValueError(f"estimand.summary {self.estimand.summary} is not what test {self.test.kind} is about")
        if self.test.day is not None and self.test.day > self.longest_days:
            raise ValueError(f"test.day {self.test.day} lies beyond longest_days {self.longest_days}")
        if self.test.kind not in SEQUENTIAL and len(self.looks) > 1:
            if self.efficacy.kind != "none":
                raise ValueError(
                    f"efficacy.kind {self.efficacy.kind}: only log_rank and cox can stop early with success; say none"
                )
            if self.futility.kind not in ("none", "z"):
                raise ValueError(f"futility.kind {self.futility.kind} needs test log_rank or cox; say z")
        return self

    @model_validator(mode="after")
    def _looks_in_order(self) -> Self:
        for look in self.looks:
            for part in look.when.parts():
                for what, most in (("events", self.size), ("enrolled", self.size), ("calendar_day", self.longest_days)):
                    asked = getattr(part, what)
                    if asked is not None and asked > most:
                        limit = "longest_days" if what == "calendar_day" else "size"
                        raise ValueError(f"looks: {look.name}: {what} {asked} cannot be reached with {limit} {most}")
        for one, later in zip(self.looks, self.looks[1:], strict=False):
            for what in ("events", "enrolled", "calendar_day"):
                before, after = getattr(one.when, what), getattr(later.when, what)
                if before is not None and after is not None and (after < before or one.when == later.when):
                    raise ValueError(
                        f"looks are out of order: {later.name} ({what} {after}) comes after {one.name} ({before})"
                    )
        if len({look.name for look in self.looks}) < len(self.looks):
            raise ValueError("looks: two have the same name")
        return self

    @model_validator(mode="after")
    def _boundaries_of_looks(self) -> Self:
        interim = len(self.looks) - 1
        if self.futility.kind != "none" and interim < 1:
            raise ValueError("futility needs an interim look")
        if self.futility.kind in ("z", "hazard_ratio", "conditional_power"):
            if len(self.futility.at) not in (1, interim):
                raise ValueError(
                    f"futility.at has {len(self.futility.at)} limits for {interim} interim looks; say one, or one each"
                )
            if self.futility.kind != "z" and min(self.futility.at) <= 0.0:
                raise ValueError(f"futility.at {min(self.futility.at):g} is no {self.futility.kind}")
            if self.futility.kind == "conditional_power" and max(self.futility.at) >= 1.0:
                raise ValueError(f"futility.at {max(self.futility.at):g} is no conditional_power")
        if self.futility.kind == "conditional_power" and self.hazard_ratio is None:
            raise ValueError("hazard_ratio is needed for the conditional power under the alternative")
        spends = interim > 0 and self.efficacy.kind != "none"
        if (spends or self.futility.kind not in ("none", "z")) and self.planned_events is None:
            raise ValueError(
                "efficacy.planned_events is needed: the last look names no events, so that nothing says what all is"
            )
        if self.futility.kind == "beta_spending" and any(look.events is None for look in self.looks):
            raise ValueError("futility.kind beta_spending needs events at every look, to say what is spent by when")
        if self.planned_events is not None and self.planned_events > self.size:
            raise ValueError(f"efficacy.planned_events {self.planned_events} cannot be reached with size {self.size}")
        return self

    @model_validator(mode="after")
    def _what_does_not_go_together(self) -> Self:
        if self.hazard_ratio == 1.0:
            raise ValueError("hazard_ratio 1 is no alternative; leave it out, or say another")
        if self.test is not None and self.test.kind == "max_combo" and self.sides == 2:
            raise ValueError("sides 2: max_combo looks in one direction; say sides: 1 with half of alpha")
        effect = self.futility.kind in ("hazard_ratio", "conditional_power", "beta_spending")
        if effect and self.assignment == "sibling_donor":
            raise ValueError(f"futility.kind {self.futility.kind}: nature's allocation is not known beforehand; say z")
        spends = self.efficacy.kind in ("obrien_fleming", "pocock", "hwang_shih_decani")
        if not spends and (self.futility.kind == "beta_spending" or self.futility.binding):
            raise ValueError(
                f"futility {'beta_spending' if self.futility.kind == 'beta_spending' else 'that binds'} goes with "
                f"boundaries that spend alpha, not with efficacy.kind {self.efficacy.kind}"
            )
        return self

    @property
    def interim_futility(self) -> tuple[float, ...]:
        """The limits of futility at the interim looks."""
        interim = len(self.looks) - 1
        return self.futility.at * interim if len(self.futility.at) == 1 else self.futility.at

    def with_study(self, replications: int | None = None, seed: int | None = None) -> Design:
        """Return the same design with another number of trials or another seed, where given."""
        given = {"replications": replications, "seed": seed}
        update = {key: value for key, value in given.items() if value is not None}
        return self.model_copy(update={"study": Study.model_validate({**self.study.model_dump(), **update})})

    def of_size(self, size: int) -> Design:
        """Return the design with another number of patients; events and patients at its looks go in proportion.

        Raises
        ------
        ValidationError
            If no such design can be.
        """
        factor = size / self.size
        return self._scaled(factor, size, events=False)

    def of_events(self, events: int) -> Design:
        """Return the design with other events at its looks, in proportion, and the same patients.

        Raises
        ------
        ValidationError
            If they cannot be reached.
        """
        assert self.planned_events is not None
        return self._scaled(events / self.planned_events, self.size, events=True)

    def _scaled(self, factor: float, size: int, *, events: bool) -> Design:
        planned = self.efficacy.planned_events
        efficacy = self.efficacy
        if planned is not None:
            efficacy = efficacy.model_copy(update={"planned_events": max(1, -int(-planned * factor // 1))})
        looks = tuple(
            look.model_copy(update={"when": look.when.scaled(factor, 100_000, events=events)}) for look in self.looks
        )
        return Design.model_validate(
            self.model_copy(update={"size": size, "looks": looks, "efficacy": efficacy}).model_dump()
        )
