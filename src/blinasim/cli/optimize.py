"""``blinasim optimize``: which values of some settings are best, and how sure that is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blinasim.cli.options import (
    ClusterOption,
    Engine,
    EngineOption,
    ForceOption,
    ParametersOption,
    ScenarioArgument,
    SeedOption,
    SetOption,
    WorkersOption,
    all_changes,
)
from blinasim.cli.results import keep

if TYPE_CHECKING:
    from blinasim.study.optimize import Optimization


def optimize(
    scenario: ScenarioArgument,
    over: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUES",
            help="A setting and its values: 1,2,3, a YAML list, or FROM:TO:STEP; repeated, every combination.",
        ),
    ] = None,
    grid: Annotated[
        Path | None, typer.Option(metavar="FILE.YAML", help="The same in a file: a table of settings and their values.")
    ] = None,
    maximize: Annotated[
        str | None, typer.Option(metavar="ID", help="The measure of which more is wanted; os_24_months by default.")
    ] = None,
    minimize: Annotated[str | None, typer.Option(metavar="ID", help="The measure of which less is wanted.")] = None,
    at_least: Annotated[
        list[str] | None,
        typer.Option(metavar="ID=BOUND", help="A limit: the mean of a measure is so much or more; may be repeated."),
    ] = None,
    at_most: Annotated[
        list[str] | None,
        typer.Option(metavar="ID=BOUND", help="A limit: the mean of a measure is so much or less; may be repeated."),
    ] = None,
    changes: SetOption = None,
    replications: Annotated[
        int | None, typer.Option(min=1, help="Simulated trials of the race at most, and as many on fresh luck.")
    ] = None,
    seed: SeedOption = None,
    parameters: ParametersOption = None,
    out: Annotated[Path | None, typer.Option(help="Results folder; results/optimize_NAME by default.")] = None,
    force: ForceOption = False,
    engine: EngineOption = Engine.auto,
    workers: WorkersOption = 1,
    cluster: ClusterOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print optimization.json.")] = False,
) -> None:
    """Find the best values of some settings: a race on shared luck, and the winner again on fresh luck."""
    import time

    from blinasim.cli.terminal import progress
    from blinasim.errors import ScenarioError
    from blinasim.files import check_free
    from blinasim.inference.choice import parameters_said
    from blinasim.report.analyses import optimization_contents
    from blinasim.scenario.loading import load_scenario
    from blinasim.study.cluster import hired
    from blinasim.study.grid import grid_of, parse_over, read_grid
    from blinasim.study.optimize import optimize as race

    if maximize and minimize:
        raise ScenarioError("--maximize and --minimize exclude each other; make one of them a limit")
    all_set = all_changes(changes, replications=replications, seed=seed)
    base = load_scenario(scenario, all_set)
    varied = read_grid(grid) if grid else {}
    for name, values in map(parse_over, over or ()):
        if name in varied:
            raise ScenarioError(f"--over {name}: is varied already; name it once")
        varied[name] = values
    made = grid_of(scenario, varied, all_set)
    target = out or Path("results") / f"optimize_{Path(scenario).stem}"
    check_free(target, force=force)
    values_of = parameters_said(parameters)
    start = time.perf_counter()
    most = 2 * len(made.candidates) * base.study.replications
    with hired(workers, cluster) as executor, progress(f"{scenario}: trials at most", most) as advance:
        found = race(
            base,
            made.candidates,
            parameters=values_of,
            objective=minimize or maximize or "os_24_months",
            better="minimize" if minimize else "maximize" if maximize else None,
            at_least=_bounds("--at-least", at_least),
            at_most=_bounds("--at-most", at_most),
            impossible=made.impossible,
            engine=engine.value,
            executor=executor,
            progress=advance,
        )
    seconds = time.perf_counter() - start
    written = keep(optimization_contents(found), target, force=force, as_json=as_json)
    if written is None:
        return
    _print(found, seconds)
    typer.echo(written)


def _bounds(option: str, said: list[str] | None) -> dict[str, float]:
    """Read ID=BOUND."""
    import math

    from blinasim.errors import BlinasimError, Place
    from blinasim.files import quoted, short

    found: dict[str, float] = {}
    for text in said or ():
        name, equals, bound = text.partition("=")
        place = Place(f"{option} {short(text)}")
        if not equals or not name.strip():
            raise BlinasimError("a limit is written ID=BOUND, such as realization=0.4", place)
        try:
            number = float(bound)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise BlinasimError(f"{quoted(bound)} is not a number", place)
        if name.strip() in found:
            raise BlinasimError(f"{name.strip()} has such a limit already; name it once", place)
        found[name.strip()] = number
    return found


def _print(found: Optimization, seconds: float) -> None:
    from blinasim.cli.terminal import console, legend, printed
    from blinasim.inference.choice import described
    from blinasim.report.optimization import (
        OPTIMIZATION_DEFINITIONS,
        RACE_RULE,
        SHOWN,
        best_text,
        impossible_text,
        optimization_table,
        race_text,
    )
    from blinasim.report.words import counted

    screen, base = console(), found.base
    screen.print(
        f"\n{base.title} · {len(found.runners):,} candidates · trials of {counted(base.cohort.size, 'patient')} · "
        f"{described(found.parameters)} · seed {base.study.seed} · {seconds:.1f} s\n",
        highlight=False,
        soft_wrap=True,
    )
    screen.print(printed(optimization_table(found), wrapping=1))
    if len(found.runners) > SHOWN:
        screen.print(f"... and {len(found.runners) - SHOWN:,} more (optimization.csv)", highlight=False)
    said = [best_text(found), race_text(found), impossible_text(found)]
    screen.print("", *filter(None, said), sep="\n", highlight=False, soft_wrap=True)
    screen.print(legend(OPTIMIZATION_DEFINITIONS))
    screen.print(f"{RACE_RULE} What was dropped is shown as it stood in the race.", highlight=False, soft_wrap=True)
