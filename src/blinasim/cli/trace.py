"""``blinasim trace``: one patient's life, told day by day."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from blinasim.cli.completion import scenario_names
from blinasim.cli.options import (
    MOST_TRIALS,
    ParametersOption,
    PolicyOption,
    ScenarioArgument,
    SeedOption,
    SetOption,
    all_changes,
)
from blinasim.errors import OutputError


def trace(
    scenario: ScenarioArgument,
    changes: SetOption = None,
    patient: Annotated[int, typer.Option(min=1, help="Which patient, from 1.")] = 1,
    trial: Annotated[int, typer.Option(min=1, max=MOST_TRIALS, help="Of which simulated trial, from 1.")] = 1,
    seed: SeedOption = None,
    parameters: ParametersOption = None,
    policy: PolicyOption = None,
    figure: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also draw the patient's relapse clock into a new file (.svg or .png)."),
    ] = None,
    beside: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SCENARIO",
            help="With --figure: the same patient in this scenario too; may be repeated. Where none is named, "
            "a patient who was transplanted is drawn without HSCT too.",
            autocompletion=scenario_names,
        ),
    ] = None,
) -> None:
    """Tell one patient's life, day by day, and draw its relapse clock."""
    from blinasim.inference.choice import parameters_said
    from blinasim.model.policy_file import policy_file
    from blinasim.report.story import tell
    from blinasim.scenario.loading import load_scenario

    asked = load_scenario(scenario, all_changes(changes, seed=seed))
    own_policy, values = policy_file(policy) if policy else None, parameters_said(parameters)
    others = {name: load_scenario(name) for name in beside or ()}
    _check_figure(figure, beside=bool(beside))
    story = tell(asked, trial=trial, patient=patient, parameters=values, own_policy=own_policy)
    typer.echo(story)
    if figure is None:
        return
    from blinasim.files import reason
    from blinasim.report import figures, style
    from blinasim.study.replay import replay_beside

    name = f"{scenario}, policy {policy}" if policy else scenario
    drawing = figures.clocks(replay_beside(asked, others, values, trial, patient, name=name, own_policy=own_policy))
    try:
        style.save(drawing, figure)
    except OSError as problem:
        raise OutputError(f"{figure}: cannot be written ({reason(problem)}); choose another name") from None
    typer.echo(f"Wrote {figure}: {drawing.alt}")


def _check_figure(figure: Path | None, *, beside: bool) -> None:
    """Refuse, before any work, a file that could not be written."""
    if figure is None:
        if beside:
            raise OutputError("--beside says what --figure draws; name a file with --figure")
    elif figure.suffix not in (".svg", ".png"):
        raise OutputError(f"--figure {figure}: figures are written as .png or .svg; end the name so")
    elif figure.exists():
        raise OutputError(f"{figure} already exists; choose another name")
