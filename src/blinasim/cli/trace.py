"""``blinasim trace``: one patient's life, told day by day."""

from __future__ import annotations

from typing import Annotated

import typer

from blinasim.cli.completion import scenario_names

#: A study has no more trials than this.
_MOST_TRIALS = 10_000_000


def trace(
    scenario: Annotated[
        str, typer.Argument(help="A shipped scenario's name, or a YAML file.", autocompletion=scenario_names)
    ],
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; may be repeated.")
    ] = None,
    patient: Annotated[int, typer.Option(min=1, help="Which patient, from 1.")] = 1,
    trial: Annotated[int, typer.Option(min=1, max=_MOST_TRIALS, help="Of which simulated trial, from 1.")] = 1,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of all luck.")] = None,
) -> None:
    """Tell one patient's life, day by day."""
    from blinasim.report.story import tell
    from blinasim.scenario.loading import load_scenario

    story = tell(load_scenario(scenario, changes or ()).with_study(seed=seed), trial=trial, patient=patient)
    typer.echo(story.heading + "\n")
    for day, words in story.lines:
        typer.echo(f"day {day:>5}   {words}")
    typer.echo(f"\n{story.seen}")
