"""The settings that the page lets a user move, and scenarios made of them by the loader of the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from blinasim.errors import BlinasimError, ScenarioError, one_line
from blinasim.files import shipped_scenarios, short
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.settings import MOST_TITLE, AfterCycle, Scenario
from blinasim.scenario.writing import changes_to_yaml, flow

#: The scenario that all others are compared with, and that downloads extend.
REFERENCE: Final = "baseline"
#: Ends the title of a scenario that was changed on the page.
_CHANGED: Final = ", changed"
_ACCEPT: Final = "policy.donor_search.accept_from_day"
#: Days of the search offered for accepting a type of donor; None is never.
_ACCEPT_DAYS: Final = (0, 14, 30, 60, 90, 120, 180, 270, 365, None)


@dataclass(frozen=True)
class Control:
    """One setting that can be moved.

    Attributes
    ----------
    path : str
        Dotted name of the setting; of a donor type, the table's name and the type.
    label : str
    options : tuple
        Values offered, in order; empty for a number between ``low`` and ``high``, or for yes and no.
    low, high, step : int
        Of a number.
    several : bool
        Whether any number of the options may be taken together.
    nothing : str
        What null means.
    """

    path: str
    label: str
    options: tuple[Any, ...] = ()
    low: int = 0
    high: int = 0
    step: int = 1
    several: bool = False
    nothing: str = "never"

    @property
    def meaning(self) -> str:
        """What the setting means, in the words of the schema."""
        return _field(self.path).description or ""

    def value(self, scenario: Scenario) -> Any:
        """Return the value in a scenario."""
        if self.path.startswith(f"{_ACCEPT}."):
            return scenario.policy.donor_search.accept_from_day.get(self.path.rpartition(".")[2])  # type: ignore[call-overload]
        return reduce(getattr, self.path.split("."), scenario)

    def offered(self, scenario: Scenario) -> tuple[Any, ...]:
        """Return the options, with the scenario's own value in its place if it is none of them."""
        own = self.value(scenario)
        if self.several or not self.options or own in self.options:
            return self.options
        if all(isinstance(one, int) or one is None for one in (*self.options, own)):
            return tuple(sorted((*self.options, own), key=lambda day: (day is None, day)))
        return (*self.options, own)

    def words(self, value: Any) -> str:
        """Say a value."""
        if isinstance(value, AfterCycle):
            return f"after cycle {value.after_cycle}"
        return self.nothing if value is None else str(value)

    def bounds(self, scenario: Scenario) -> tuple[int, int]:
        """Return the ends of a number, made wide enough for the scenario's own value."""
        own = self.value(scenario)
        return min(self.low, own), max(self.high, own)


#: By heading. What is missing here can be written in a file and uploaded.
CONTROLS: Final[dict[str, tuple[Control, ...]]] = {
    "Donor search": (
        Control(
            "policy.donor_search.starts",
            "Search starts",
            ("enrolment", "remission", *(AfterCycle(after_cycle=cycle) for cycle in (1, 2, 3))),
        ),
        Control(f"{_ACCEPT}.sibling", "Sibling donor from day", _ACCEPT_DAYS),
        Control(f"{_ACCEPT}.unrelated", "Unrelated donor from day", _ACCEPT_DAYS),
        Control(f"{_ACCEPT}.haploidentical", "Haploidentical donor from day", _ACCEPT_DAYS),
        Control(f"{_ACCEPT}.cord", "Cord blood from day", _ACCEPT_DAYS),
    ),
    "Candidates for HSCT": (
        Control("policy.transplant.candidates.max_age_years", "Oldest candidate, years", low=18, high=90),
        Control("policy.transplant.candidates.prior_hsct", "After an earlier HSCT", ("allowed", "selected", "refused")),
        Control("policy.transplant.candidates.fitness", "Fitness", ("good", "fair", "poor"), several=True),
        Control("policy.transplant.candidates.mrd", "MRD", ("negative", "positive", "unknown"), several=True),
    ),
    "Transplant": (
        Control("policy.transplant.offered", "HSCT is offered"),
        Control("policy.transplant.earliest_cycle", "Not before the end of cycle", low=1, high=5),
        Control("policy.transplant.preparation_days", "Preparation, days", low=0, high=120),
        Control("policy.transplant.finish_infusion", "Finish an infusion already begun"),
        Control(
            "policy.transplant.conditioning.forced",
            "Conditioning",
            (None, "myeloablative", "reduced"),
            nothing="by the rules",
        ),
    ),
    "Drug": (
        Control("policy.therapy", "Treatment", ("blinatumomab", "standard")),
        Control("policy.cycles.maximum", "Most cycles", low=2, high=10),
        Control("policy.cycles.maintenance.offered", "Maintenance after the last cycle"),
        Control("policy.cycles.maintenance.days", "Longest maintenance, days", low=30, high=1825, step=5),
    ),
    "Trial": (Control("cohort.size", "Patients a trial", low=20, high=500),),
}


def _field(path: str) -> FieldInfo:
    model: type[BaseModel] = Scenario
    *above, last = path.removesuffix(f".{path.rpartition('.')[2]}" if path.startswith(f"{_ACCEPT}.") else "").split(".")
    for part in above:
        kind = model.model_fields[part].annotation
        assert isinstance(kind, type)
        assert issubclass(kind, BaseModel)
        model = kind
    return model.model_fields[last]


def changes_of(base: Scenario, values: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what differs from a scenario as ``--set`` would say it.

    Parameters
    ----------
    base : Scenario
    values : dict of str to object
        By the path of a control; controls that are not named keep the scenario's value.
    """
    changes = []
    accepted: dict[str, Any] = {str(donor): day for donor, day in base.policy.donor_search.accept_from_day.items()}
    for control in (control for group in CONTROLS.values() for control in group if control.path in values):
        value = values[control.path]
        if control.path.startswith(f"{_ACCEPT}."):
            accepted[control.path.rpartition(".")[2]] = value
        elif value != control.value(base):
            changes.append(f"{control.path}={flow(value)}")
    accepted = {donor: day for donor, day in accepted.items() if day is not None}
    if accepted != base.policy.donor_search.accept_from_day:
        changes.append(f"{_ACCEPT}={flow(accepted)}")
    return tuple(changes)


# --- scenarios ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Source:
    """A shipped scenario by its name, or a file that the user gave, with its content."""

    name: str
    content: bytes | None = None

    def load(self, changes: tuple[str, ...] = ()) -> Scenario:
        """Load it as the command line would.

        Raises
        ------
        ScenarioError
            Its text is the line that the command line would show after ``blinasim:``.
        """
        if self.content is None:
            return load_scenario(self.name, changes)
        with TemporaryDirectory() as folder:
            path = Path(folder) / Path(self.name).name
            path.write_bytes(self.content)
            try:
                scenario = load_scenario(path, changes)
            except BlinasimError as problem:
                raise ScenarioError(one_line(str(problem).replace(f"{folder}{os.sep}", ""))) from None
        if scenario.cohort.data is not None:
            raise ScenarioError(
                f"{path.name}: cohort.data names a file of patients, which the page does not read; "
                f"say blinasim run {path.name}"
            )
        return scenario

    def changed(self, changes: tuple[str, ...]) -> Scenario:
        """Load it with changes, which its reasons list: in the title, where the loader puts them, they are too many.

        Raises
        ------
        ScenarioError
            As :meth:`load`.
        """
        scenario, base = self.load(changes), self.load()
        if not changes:
            return base
        title = f"{short(base.title.removesuffix(_CHANGED), MOST_TITLE - len(_CHANGED))}{_CHANGED}"
        why = f"{_sentence(base.why.strip())} Changed on the page: {'; '.join(changes)}.".strip()
        return scenario.model_copy(update={"title": title, "why": why})


def _sentence(text: str) -> str:
    return text if not text or text.endswith(".") else f"{text}."


def uploaded(name: str, content: bytes) -> Source:
    """Take a file that the user gave.

    Raises
    ------
    ScenarioError
        If it is no scenario; as :meth:`Source.load`.
    """
    source = Source(Path(name).name, content)
    source.load()
    return source


def downloaded(scenario: Scenario) -> str:
    """Write a scenario as a file that extends the reference."""
    return changes_to_yaml(scenario, Source(REFERENCE).load(), REFERENCE)


def presets() -> dict[str, str]:
    """Return the shipped scenarios: names and titles, the reference first."""
    names = sorted(shipped_scenarios(), key=lambda name: (name != REFERENCE, name))
    return {name: load_scenario(name).title for name in names}
