"""``blinasim trial``: operating characteristics of trial designs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blinasim.cli.completion import design_names
from blinasim.cli.names import folder_of, load_designs
from blinasim.cli.options import (
    ClusterOption,
    ForceOption,
    SeedOption,
    SetOption,
    WorkersOption,
    all_changes,
)
from blinasim.cli.results import keep

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.table import Table

    from blinasim.scenario.design_file import TrialDesign
    from blinasim.study.evaluation import Evaluation
    from blinasim.study.solve_design import Solution


class SolveFor(StrEnum):
    """What a design is solved for."""

    n = "n"
    events = "events"


def trial(
    designs: Annotated[
        list[str],
        typer.Argument(
            help="Designs, in one table if several: shipped names, or YAML files.", autocompletion=design_names
        ),
    ],
    changes: SetOption = None,
    null: Annotated[bool, typer.Option("--null", help="Nothing is to be found: the error of the first kind.")] = False,
    solve: Annotated[SolveFor | None, typer.Option(help="Find the least n, or events, with --power.")] = None,
    power: Annotated[float | None, typer.Option(help="The power (over draws, the assurance) to solve for.")] = None,
    replications: Annotated[int | None, typer.Option(min=1, help="Simulated trials.")] = None,
    seed: SeedOption = None,
    parameters: Annotated[
        str,
        typer.Option(
            metavar="point|posterior|FILE",
            help="Point values: power, bias and coverage. Draws (posterior, or a file of them): assurance.",
        ),
    ] = "point",
    export: Annotated[
        int, typer.Option(min=1, metavar="TRIAL", help="The trial whose data are written as at each look.")
    ] = 1,
    out: Annotated[Path | None, typer.Option(help="Results folder; results/trial_DESIGNS by default.")] = None,
    force: ForceOption = False,
    workers: WorkersOption = 1,
    cluster: ClusterOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print trial.json.")] = False,
) -> None:
    """Evaluate trial designs before anyone enrols: power, error, size, duration, with their Monte Carlo errors."""
    import time

    from blinasim.cli.terminal import console, progress
    from blinasim.files import check_free
    from blinasim.inference.choice import described, parameters_said
    from blinasim.report.design import sentences, solution_text
    from blinasim.report.design_folder import design_contents
    from blinasim.report.words import counted
    from blinasim.study.cluster import hired
    from blinasim.study.evaluate_design import evaluate_design
    from blinasim.study.solve_design import solve_design

    asked = load_designs(designs, all_changes(changes, replications=replications, seed=seed))
    wanted = _power_wanted(solve, power, null=null)
    _check_exported(export, asked)
    values = parameters_said(parameters)
    target = out or folder_of("trial", list(asked), "designs")
    check_free(target, force=force)
    start = time.perf_counter()
    solutions: dict[str, Solution] = {}
    evaluations: list[Evaluation] = []
    total = None if solve else sum(one.design.study.replications for one in asked.values())
    with hired(workers, cluster) as executor, progress("trials", total) as advance:
        for name, one in asked.items():
            if solve is not None and wanted is not None:
                solutions[name] = solve_design(
                    one,
                    wanted,
                    by="n" if solve is SolveFor.n else "events",
                    parameters=values,
                    executor=executor,
                    progress=advance,
                )
                evaluations.append(solutions[name].evaluation)
            else:
                evaluations.append(
                    evaluate_design(one, parameters=values, null=null, executor=executor, progress=advance)
                )
    written = keep(design_contents(evaluations, solutions, trial=export), target, force=force, as_json=as_json)
    seconds = time.perf_counter() - start
    if written is None:
        return
    screen = console()
    first = evaluations[0]
    screen.print(
        f"\n{counted(first.replications, 'trial')}{' of each design' * (len(evaluations) > 1)} · "
        f"{described(values)} · seed {first.design.study.seed}{' · nothing to be found' * null} · {seconds:.1f} s",
        highlight=False,
        soft_wrap=True,
    )
    for name, solution in solutions.items():
        screen.print(f"\n[bold]{name}[/bold]: {solution_text(solution)}", highlight=False, soft_wrap=True)
    for part in _parts(evaluations):
        screen.print(part, highlight=False, soft_wrap=isinstance(part, str))
    for line in sentences(evaluations):
        screen.print(line, highlight=False, soft_wrap=True)
    screen.print(written, highlight=False, soft_wrap=True)


def _power_wanted(solve: SolveFor | None, power: float | None, *, null: bool) -> float | None:
    from blinasim.errors import ScenarioError

    if (solve is None) != (power is None):
        raise ScenarioError("--solve and --power go together, such as --solve n --power 0.9")
    if solve is not None and null:
        raise ScenarioError("--null and --solve exclude each other; leave one of them out")
    return power


def _check_exported(trial: int, asked: Mapping[str, TrialDesign]) -> None:
    """Refuse to export a trial that is not simulated."""
    from blinasim.errors import Argument, BlinasimError
    from blinasim.report.words import counted

    trials = min(one.design.study.replications for one in asked.values())
    if trial > trials:
        raise BlinasimError(
            f"there {'is' if trials == 1 else 'are'} {counted(trials, 'trial')}", Argument("export", said=f"{trial}")
        )


def _parts(evaluations: Sequence[Evaluation]) -> Iterator[str | Table]:
    """Yield what is printed, in order: the characteristics, a column a design, and the looks of each."""
    from rich.markup import escape

    from blinasim.cli.terminal import printed
    from blinasim.report.design import characteristics_table, looks_table

    several = len(evaluations) > 1
    yield ""
    if not several:
        yield f"[bold]{escape(evaluations[0].design.title)}[/bold]\n"
    yield printed(characteristics_table(evaluations))
    for evaluation in evaluations:
        yield f"\n[bold]{escape(evaluation.asked.name)}[/bold]" if several else ""
        yield printed(looks_table(evaluation))
    yield ""
