"""``blinasim trace``: one patient's life, told day by day."""

from __future__ import annotations

from typing import Annotated

import typer

from blinasim.cli.options import (
    MOST_TRIALS,
    ParametersOption,
    PolicyOption,
    ScenarioArgument,
    SeedOption,
    SetOption,
    all_changes,
)


def trace(
    scenario: ScenarioArgument,
    changes: SetOption = None,
    patient: Annotated[int, typer.Option(min=1, help="Which patient, from 1.")] = 1,
    trial: Annotated[int, typer.Option(min=1, max=MOST_TRIALS, help="Of which simulated trial, from 1.")] = 1,
    seed: SeedOption = None,
    parameters: ParametersOption = None,
    policy: PolicyOption = None,
) -> None:
    """Tell one patient's life, day by day."""
    from blinasim.inference.choice import parameters_said
    from blinasim.model.policy_file import policy_file
    from blinasim.report.story import tell
    from blinasim.scenario.loading import load_scenario

    asked = load_scenario(scenario, all_changes(changes, seed=seed))
    story = tell(
        asked,
        trial=trial,
        patient=patient,
        parameters=parameters_said(parameters),
        own_policy=policy_file(policy) if policy else None,
    )
    typer.echo(story)
