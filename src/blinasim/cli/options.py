"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from blinasim.cli.completion import scenario_names

#: A study has no more trials than this.
MOST_TRIALS = 10_000_000

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
        help="Posterior draws, point values, or a file of draws (.csv) or of values (.yaml); the shipped posterior by "
        "default, where there is one.",
    ),
]
WorkersOption: TypeAlias = Annotated[int, typer.Option(min=1, max=1024, help="Processes; the results are the same.")]
ClusterOption: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Dask workers: a scheduler's tcp://HOST:PORT, or local (then --workers)."),
]
ForceOption: TypeAlias = Annotated[bool, typer.Option("--force", help="Replace a results folder.")]


def all_changes(changes: list[str] | None, *, replications: int | None = None, seed: int | None = None) -> list[str]:
    """Return ``--set`` with what ``--replications`` and ``--seed`` change, so that all are checked the same way."""
    given = {"study.replications": replications, "study.seed": seed}
    return [*(changes or ()), *(f"{key}={value}" for key, value in given.items() if value is not None)]
