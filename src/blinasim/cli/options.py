"""Arguments and options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from blinasim.cli.completion import scenario_names

if TYPE_CHECKING:
    from blinasim.model.parameters import ParameterSource

#: A study has no more trials than this.
MOST_TRIALS: Final = 10_000_000
#: Options called otherwise than the arguments that they are.
_OPTIONS: Final = {"known": "know", "target": "out", "folder": "out", "checkpoint": "out"}
#: Draws of the priors, where they are asked for.
_PRIOR_DRAWS: Final = 2_000


class Engine(StrEnum):
    """The engines by name."""

    auto = "auto"
    fast = "fast"
    des = "des"


EngineOption: TypeAlias = Annotated[Engine, typer.Option(help="Which engine walks; the results are the same.")]

ScenarioArgument: TypeAlias = Annotated[
    str, typer.Argument(help="A shipped scenario's name, or a YAML file.", autocompletion=scenario_names)
]
SetOption: TypeAlias = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; may be repeated.")
]
SeedOption: TypeAlias = Annotated[int | None, typer.Option(min=0, help="Seed of all luck.")]

PolicyOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--policy", metavar="FILE.PY:CLASS", help="A policy of your own: runs the code of that file."),
]

ParametersOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--parameters",
        metavar="posterior|point|FILE",
        help="Posterior draws, point values, or a file of draws (NAME.csv, with NAME.json beside it) or of values "
        "(.yaml); the shipped posterior by default, where there is one.",
    ),
]
WorkersOption: TypeAlias = Annotated[int, typer.Option(min=1, max=1024, help="Processes; the results are the same.")]
ClusterOption: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Dask workers: a scheduler's tcp://HOST:PORT, or local (then --workers)."),
]
ForceOption: TypeAlias = Annotated[bool, typer.Option("--force", help="Replace a results folder.")]


def option(argument: str) -> str:
    """Return the option that gives an argument."""
    return f"--{_OPTIONS.get(argument, argument)}"


def all_changes(changes: list[str] | None, *, replications: int | None = None, seed: int | None = None) -> list[str]:
    """Return ``--set`` with what ``--replications`` and ``--seed`` change, so that all are checked the same way."""
    from blinasim.scenario.loading import study_changes

    return [*(changes or ()), *study_changes(replications, seed)]


def parameters_or_prior(parameters: str | None, *, prior: bool, seed: int) -> ParameterSource:
    """Return what ``--parameters`` names, or with ``--prior`` draws of the priors."""
    from blinasim.errors import ParameterError
    from blinasim.inference.choice import parameters_said
    from blinasim.inference.posterior import prior_draws
    from blinasim.model.parameters import Structure

    if prior and parameters is not None:
        raise ParameterError("--prior and --parameters exclude each other; leave one of them out")
    return prior_draws(Structure(), _PRIOR_DRAWS, seed) if prior else parameters_said(parameters)
