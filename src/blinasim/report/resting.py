"""On what a result rests: the parameters that act, with the grades of their evidence and their sources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from blinasim.inference.choice import own_distributions, own_values
from blinasim.inference.posterior import Posterior
from blinasim.model.catalogue import ParameterInfo, parameter_catalogue
from blinasim.model.parameters import Changed, ParameterSource, Structure, parameters_to_dict
from blinasim.model.therapy import acts
from blinasim.report.table import INDENT, Table
from blinasim.report.words import three_digits
from blinasim.scenario.settings import Scenario


@dataclass(frozen=True)
class Assumptions:
    """A sentence, and every parameter that acts with its grade and source; whether a user set any of their values."""

    sentence: str
    table: Table
    own: bool = False


def rests_on(scenarios: Iterable[Scenario], parameters: ParameterSource) -> str:
    """Say on how many assumptions the results of some scenarios rest, and on how many values of the user's own."""
    own = own_values(parameters)
    acting = _acting(scenarios, parameters.structure)
    grades = [info.grade for name, info in acting.items() if name not in own]
    yours = len(acting) - len(grades)
    said, others = (f"{yours} value{'s' * (yours != 1)} of the user's own and on ", "other ") if yours else ("", "")
    return (
        f"Rests on {said}{grades.count('assumption')} assumptions among {len(grades)} {others}parameters "
        "(grades and sources: calibration/parameters.yaml)."
    )


def _acting(scenarios: Iterable[Scenario], structure: Structure) -> dict[str, ParameterInfo]:
    policies = [scenario.policy for scenario in scenarios]
    return {
        name: info
        for name, info in parameter_catalogue().items()
        if any(acts(name, policy, structure) for policy in policies)
    }


def assumptions(scenarios: Sequence[Scenario], parameters: ParameterSource) -> Assumptions:
    """Return the parameters that act under some scenarios, with what is known about each."""
    own = own_values(parameters)
    acting = _acting(scenarios, parameters.structure)
    lines: list[tuple[str, ...]] = []
    group = ""
    for name, info in acting.items():
        above, _, rest = name.partition(".")
        if above != group:
            group = above
            lines.append((group.replace("_", " ").capitalize(),))
        grade, source = ("yours", "") if name in own else (info.grade, info.source)
        lines.append((f"{INDENT}{rest}", _value(parameters, name), info.unit, grade, info.meaning, source))
    return Assumptions(
        rests_on(scenarios, parameters),
        Table(
            ("parameter", "mean (SD)" if parameters.varies else "value", "unit", "grade", "meaning", "source"),
            tuple(lines),
            "Every parameter that acts here, with the grade of its evidence and its source",
        ),
        own=not own.isdisjoint(acting) or bool(own_distributions(parameters)),
    )


def _value(parameters: ParameterSource, name: str) -> str:
    """Write the value of a parameter; of draws their mean and standard deviation."""
    if isinstance(parameters, Changed):
        changed = parameters.values.get(name)
        return _value(parameters.source, name) if changed is None else three_digits(changed)
    if isinstance(parameters, Posterior):
        return f"{three_digits(parameters.mean(name))} ({three_digits(parameters.standard_deviation(name))})"
    return three_digits(parameters_to_dict(parameters.of(range(1), 0))[name])
