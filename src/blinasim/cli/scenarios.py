"""``blinasim list``, ``show``, ``new`` and ``schema``: scenario files before they are run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from blinasim.cli.options import ScenarioArgument, SetOption

#: What may be the name of a scenario: its title is read back as text, and a shell takes it as one word.
_NAME = re.compile(r"[^\W\d_][\w.-]*")


def list_scenarios(
    designs: Annotated[bool, typer.Option("--designs", help="List the trial designs instead.")] = False,
) -> None:
    """List the shipped scenarios, or trial designs."""
    from blinasim.files import shipped_designs, shipped_scenarios
    from blinasim.scenario.design_file import load_design
    from blinasim.scenario.loading import load_scenario

    names = shipped_designs() if designs else shipped_scenarios()
    width = max(len(name) for name in names)
    for name in names:
        title = load_design(name).design.title if designs else load_scenario(name).title
        typer.echo(f"{name:<{width}}  {title}")


def show(
    scenario: ScenarioArgument,
    changes: SetOption = None,
) -> None:
    """Print a scenario fully resolved: every setting, nothing inherited."""
    from blinasim.scenario.loading import load_scenario
    from blinasim.scenario.writing import to_yaml

    typer.echo(to_yaml(load_scenario(scenario, changes or ())), nl=False)


def new(
    name: Annotated[str, typer.Argument(help="Name of the scenario; NAME.yaml is written.")],
) -> None:
    """Write a commented starting file."""
    import errno

    from blinasim.errors import OutputError
    from blinasim.files import quoted, reason
    from blinasim.scenario.writing import starting_file

    path = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    if not _NAME.fullmatch(path.stem):
        raise OutputError(
            f"{quoted(name)} is no name for a scenario; begin with a letter, go on with letters, digits, - or _"
        )
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(starting_file(path.stem))
    except FileExistsError:
        raise OutputError(f"{path} already exists; choose another name") from None
    except (OSError, ValueError) as problem:
        if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            path.unlink(missing_ok=True)  # what was written of it, if anything
            what = "make room, or choose another folder"
        else:
            what = "choose another name"
        raise OutputError(f"{path}: cannot be written ({reason(problem)}); {what}") from None
    typer.echo(f"Wrote {path}. Run it: blinasim run {path}")


def schema(
    design: Annotated[bool, typer.Option("--design", help="Of trial design files instead.")] = False,
) -> None:
    """Print the JSON Schema of scenario files, or of trial designs, for editors."""
    import json

    from blinasim.scenario.writing import design_json_schema, json_schema

    typer.echo(json.dumps(design_json_schema() if design else json_schema(), indent=2, ensure_ascii=False))
