"""When the data are cut, and where the boundaries of early ends lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from blinasim.scenario.design.base import Count, Fraction, Positive
from blinasim.scenario.settings import Days, Settings


class Cut(Settings):
    """When the data are cut: all conditions that are said must hold, and the last to come true is the day."""

    calendar_day: Days | None = Field(None, description="Day since the first day of accrual.")
    events: Count | None = Field(None, description="Events of the variable.")
    enrolled: Count | None = Field(None, description="Patients enrolled.")
    follow_up_days: Days | None = Field(
        None, description="Days since the entry of the patient that `enrolled` counts, or else of the last patient."
    )
    all_of: tuple[Cut, ...] = Field((), strict=False, description="Cuts of which all must have come.")
    any_of: tuple[Cut, ...] = Field((), strict=False, description="Cuts of which the first to come counts.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not any(value not in (None, ()) for value in self.model_dump().values()):
            raise ValueError("a cut needs a condition, such as events: 100")
        return self

    def parts(self) -> Iterator[Cut]:
        """Yield the cut and all cuts in it."""
        yield self
        for inner in (*self.all_of, *self.any_of):
            yield from inner.parts()

    def scaled(self, factor: float, size: int, *, events: bool) -> Cut:
        """Return the same cut of a trial of another size.

        Parameters
        ----------
        factor : float
            By which patients, or events, are multiplied, and rounded up; at least 1 is left.
        size : int
            Patients of that trial, the most there can be.
        events : bool
            Whether only events are in proportion, and enrolment stays.

        Returns
        -------
        Cut
        """

        def times(count: int | None, most: int) -> int | None:
            return None if count is None else max(1, min(most, -int(-count * factor // 1)))

        inner = {
            name: tuple(cut.scaled(factor, size, events=events) for cut in getattr(self, name))
            for name in ("all_of", "any_of")
        }
        enrolled = self.enrolled if events else times(self.enrolled, size)
        return self.model_copy(update={"events": times(self.events, size), "enrolled": enrolled, **inner})


class Look(Settings):
    """A look at the data, locked at its cut-off."""

    name: Annotated[str, Field(min_length=1, max_length=40)] = Field(description="Name of the look.")
    when: Cut = Field(description="When the data are cut.")

    @property
    def events(self) -> int | None:
        """Most events that the look names; None where it names none."""
        return max((part.events for part in self.when.parts() if part.events is not None), default=None)


class Efficacy(Settings):
    """Boundaries of early success."""

    kind: Literal["obrien_fleming", "pocock", "hwang_shih_decani", "haybittle_peto", "none"] = Field(
        "obrien_fleming",
        description="Lan-DeMets spending like O'Brien-Fleming's or Pocock's, Hwang-Shih-DeCani spending, "
        "Haybittle-Peto, or no early success.",
    )
    gamma: Annotated[float, Field(ge=-20.0, le=20.0)] = Field(-4.0, description="Of hwang_shih_decani.")
    interim_z: Positive = Field(3.0, description="Boundary of haybittle_peto at interim looks.")
    planned_events: Count | None = Field(
        None, description="Events of the whole trial, all of the information; null: those of the last look."
    )


class Futility(Settings):
    """Boundaries of early futility."""

    kind: Literal["none", "z", "hazard_ratio", "conditional_power", "beta_spending"] = Field(
        "none",
        description="Stop where the statistic is below z; where the hazard ratio is above a limit; where the "
        "conditional power under the alternative is below one; or by spending beta (Hwang-Shih-DeCani).",
    )
    at: tuple[float, ...] = Field(
        (), strict=False, description="The limit at each interim look; one for all if only one is said."
    )
    beta: Fraction = Field(0.1, description="Error of the second kind that beta_spending spends.")
    gamma: Annotated[float, Field(ge=-20.0, le=20.0)] = Field(-2.0, description="Of beta_spending.")
    binding: bool = Field(
        False, description="Whether the boundaries of success count on it; if not, alpha is kept when it is overruled."
    )
