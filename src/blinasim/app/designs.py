"""A trial design changed by a few settings, and what it would do: power, error, duration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from pydantic import ValidationError

from blinasim.app.pictures import Picture
from blinasim.errors import ScenarioError
from blinasim.files import complaint, shipped_designs
from blinasim.inference.choice import POINT, parameters_said
from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.report.design import NONE_OR_ALL, characteristics, look_lines, percent, success_word
from blinasim.report.figures import boundaries
from blinasim.scenario.design import Design
from blinasim.scenario.design_file import TrialDesign, load_design
from blinasim.study.evaluate_design import evaluate_design
from blinasim.study.evaluation import Evaluation

#: Simulated trials offered: few for an answer at once, more for a narrower interval.
TRIALS: Final = (200, 1_000, 4_000)
ALLOCATIONS: Final = {"2:1": (2, 1), "1:1": (1, 1), "1:2": (1, 2), "1:3": (1, 3)}


@dataclass(frozen=True)
class Planned:
    """A shipped design, and what of it is changed; None leaves it as it is."""

    name: str
    size: int | None = None
    looks: int | None = None
    allocation: str | None = None

    def load(self) -> TrialDesign:
        """Load the design as the command line would.

        Raises
        ------
        ScenarioError
            If no such design can be; one line says why.
        """
        whole = load_design(self.name, self.changes())
        if self.size is None or self.size == whole.design.size:
            return whole
        try:
            return replace(whole, design=whole.design.of_size(self.size))
        except ValidationError as problem:
            inside, what = complaint(problem)
            where = ".".join(str(part) for part in inside) or "the design"
            raise ScenarioError(f"{where}: {what}") from None

    def changes(self) -> list[str]:
        """Return what is changed of arms and looks, as ``--set`` would say it."""
        design = load_design(self.name).design
        changes = []
        if self.allocation is not None and self.allocation != allocation_of(design):
            shares = ALLOCATIONS[self.allocation]
            changes += [f"arms.{number}.allocation={share}" for number, share in enumerate(shares)]
        if self.looks is not None and self.looks != len(design.looks):
            events = design.planned_events
            assert events is not None
            at = [-(-events * look // self.looks) for look in range(1, self.looks + 1)]
            said = ", ".join(f"{{name: look {look}, when: {{events: {count}}}}}" for look, count in enumerate(at, 1))
            changes.append(f"looks=[{said}]")
            if self.looks == 1:
                changes.append("futility={kind: none}")
        return changes


def allocation_of(design: Design) -> str:
    """Write the allocation of a design's arms, control first."""
    return ":".join(str(arm.allocation) for arm in design.arms)


def can_change(design: Design) -> tuple[bool, bool, bool]:
    """Say whether size, looks and allocation of a design can be changed."""
    two = design.two_arms and design.assignment == "randomised"
    simon = design.plan is not None and design.plan.kind in ("simon_optimal", "simon_minimax")
    return not simon, two and all(look.events is not None for look in design.looks), two


def titles() -> dict[str, str]:
    """Return the shipped designs: names and titles."""
    return {name: load_design(name).design.title for name in shipped_designs()}


@dataclass(frozen=True)
class Judged:
    """What the page shows of a design."""

    sentence: str
    why: str
    rows: tuple[tuple[str, str, str], ...]
    look_titles: tuple[str, ...]
    looks: tuple[tuple[str, ...], ...]
    picture: Picture
    basis: str


def judged(planned: Planned, trials: int) -> Judged:
    """Simulate the trials of a design, with its effect and without, and say what it would do."""
    asked = planned.load()
    asked = replace(asked, design=asked.design.with_study(trials))
    parameters = parameters_said(POINT)
    found, null = (evaluate_design(asked, parameters=parameters, null=nothing) for nothing in (False, True))
    look_titles, looks = look_lines(found)
    # Success is one line of both columns, and where there is nothing to find it is an error.
    success = f"{success_word(found)}; {success_word(null).lower()}"
    told, beside = characteristics(found), dict(characteristics(null))
    return Judged(
        sentence=sentence(found, null),
        why=asked.design.why.strip(),
        rows=(
            (success, percent(found, found.success), percent(null, null.success)),
            *((name.strip(), text, beside.get(name, "")) for name, text in told[1:] if text),
        ),
        look_titles=look_titles,
        looks=tuple(looks),
        picture=Picture.of(boundaries(found)),
        basis=f"{trials:,} simulated trials with the effect that the scenarios have, and as many in a world in "
        "which there is nothing to find. ±: Monte Carlo standard error; the intervals are exact 95 % ones, of the "
        f"simulation alone. {NONE_OR_ALL}",
    )


def sentence(found: Evaluation, null: Evaluation) -> str:
    """Say power, error and duration."""
    power, error = (_share(one) for one in (found, null))
    return (
        f"If the patients' lives differ as the scenarios say, {power} of such trials succeed; with nothing to be found "
        f"{error} do. A trial takes {found.days.value / DAYS_PER_MONTH:.0f} months and "
        f"{found.size.value:.0f} patients on average."
    )


def _share(one: Evaluation) -> str:
    """Write the share of trials that succeed with its exact interval."""
    lower, upper = (100 * limit for limit in one.limits(one.success))
    return f"{100 * one.success.value:.1f} % (95 % interval {lower:.1f} to {upper:.1f})"
