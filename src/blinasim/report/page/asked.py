"""What was asked: the scenario beside the source study's settings, and a command line that asks it again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from blinasim.files import shipped_scenarios
from blinasim.inference.choice import POINT, POSTERIOR, described, is_shipped
from blinasim.inference.posterior import Posterior
from blinasim.model.catalogue import load_parameters
from blinasim.model.parameters import ParameterSource
from blinasim.report.manifest import POSTERIOR_FILE
from blinasim.report.page.page import Described
from blinasim.report.table import Table
from blinasim.scenario.design import Design
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.settings import Scenario, Study

#: What a scenario says of itself, and how often it is simulated: no settings of the clinic.
_NOT_OF_THE_CLINIC: Final = ("title", "why", "study")
_DATA: Final = "cohort.data"
_NOT_SET: Final = "not set"
#: More changes than this are no command line that anybody would type.
_MOST_CHANGES: Final = 12


def facts(
    scenario: Scenario, parameters: ParameterSource, *, trials: int, called: str = "Simulated trials"
) -> tuple[tuple[str, str], ...]:
    """Return the numbers that say how much was simulated, and of what."""
    return (
        (called, f"{trials:,}"),
        ("Patients of each", f"{scenario.cohort.size:,}"),
        ("Parameters", described(parameters)),
        ("Seed", f"{scenario.study.seed}"),
    )


def in_words(scenarios: Mapping[str, Scenario]) -> tuple[Described, ...]:
    """Return scenarios as their authors describe them."""
    return tuple(Described(name, scenario.title, scenario.why.strip()) for name, scenario in scenarios.items())


def settings_tables(scenarios: Mapping[str, Scenario]) -> tuple[Table, ...]:
    """Return the table of the settings in which scenarios differ from the source study's; none where they do not."""
    usual = _settings(load_scenario("baseline"))
    found = [_settings(scenario) for scenario in scenarios.values()]
    keys = list(dict.fromkeys(key for each in (usual, *found) for key in each))
    rows = [(key, [_said(each.get(key, _NOT_SET)) for each in (usual, *found)]) for key in keys]
    lines = tuple((key, *said) for key, said in rows if len(set(said)) > 1)
    if not lines:
        return ()
    names = list(scenarios) if len(scenarios) > 1 else ["here"]
    if usual in found:  # one of them is the source study
        table = Table(("setting", *names), tuple((line[0], *line[2:]) for line in lines), "Settings that differ")
        return (table,)
    return (Table(("setting", "source study", *names), lines, "Settings that differ from the source study's"),)


def design_table(designs: Mapping[str, Design]) -> Table:
    """Return every setting of some designs."""
    found = [
        dict(_flat(one.model_dump(mode="json", exclude={"title", "why", "study"}), "")) for one in designs.values()
    ]
    keys = list(dict.fromkeys(key for each in found for key in each))
    lines = tuple((key, *(_said(each.get(key)) for each in found)) for key in keys)
    titles = list(designs) if len(designs) > 1 else ["value"]
    return Table(("setting", *titles), lines, "The design" if len(designs) == 1 else "The designs")


def _settings(scenario: Scenario) -> dict[str, Any]:
    """Return settings by dotted key. The name of a cohort's file is left out: a copy travels with the results."""
    data = scenario.model_dump(mode="json", exclude=set(_NOT_OF_THE_CLINIC))
    if data["cohort"]["data"] is not None:
        data["cohort"]["data"]["file"] = "a copy is in this folder"
    return {key: value for key, value in _flat(data, "") if value is not None}


def _flat(data: Mapping[str, Any], above: str) -> Iterable[tuple[str, Any]]:
    for name, value in data.items():
        key = f"{above}{name}"
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{key}.")
        elif isinstance(value, Sequence) and any(isinstance(each, Mapping) for each in value):
            yield from _flat({f"{number}": each for number, each in enumerate(value, start=1)}, f"{key}.")
        else:
            yield key, value


def _said(value: Any) -> str:
    if value is None:
        return _NOT_SET
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def commands(command: str, scenario: Scenario, parameters: ParameterSource, options: Sequence[str] = ()) -> list[str]:
    """Return the command line that simulates a scenario again, from what ships with blinasim.

    Parameters
    ----------
    command : str
        Such as ``run``.
    scenario : Scenario
        What was simulated.
    parameters : ParameterSource
        With which parameters.
    options : sequence of str
        Further words.

    Returns
    -------
    list of str
        One line; empty where none can.
    """
    said = parameter_options(parameters)
    usual, ours = _settings(load_scenario("baseline")), _settings(scenario)
    keys = [key for key in (*ours, *(key for key in usual if key not in ours)) if usual.get(key) != ours.get(key)]
    if said is None or len(keys) > _MOST_CHANGES or any(key.startswith((_DATA, "payoffs")) for key in keys):
        return []
    changes = [word for key in keys for word in ("--set", f"{key}={json.dumps(ours.get(key), ensure_ascii=False)}")]
    return [command_line(command, "baseline", *changes, *studied(scenario.study), *said, *options)]


def named_commands(
    command: str, scenarios: Mapping[str, Scenario], parameters: ParameterSource, options: Sequence[str] = ()
) -> list[str]:
    """Return the command line by the names of scenarios; empty where they are not those that ship with blinasim."""
    said = parameter_options(parameters)
    if said is None or not all(map(_ships, scenarios, scenarios.values())):
        return []
    first = next(iter(scenarios.values()))
    return [command_line(command, *scenarios, *studied(first.study), *said, *options)]


def command_line(*words: str) -> str:
    """Return a command line of blinasim, as a shell takes it."""
    return shlex.join(["blinasim", *words])


def _ships(name: str, scenario: Scenario) -> bool:
    return name in shipped_scenarios() and _settings(load_scenario(name)) == _settings(scenario)


def studied(study: Study) -> list[str]:
    """Return the options that say how many trials there are, and with which luck."""
    return ["--replications", f"{study.replications}", "--seed", f"{study.seed}"]


def parameter_options(parameters: ParameterSource) -> list[str] | None:
    """Return the options that name the parameters; None where a file of point values would be needed."""
    if isinstance(parameters, Posterior):
        return ["--parameters", POSTERIOR if is_shipped(parameters) else POSTERIOR_FILE]
    return ["--parameters", POINT] if parameters.fingerprint == load_parameters().fingerprint else None
