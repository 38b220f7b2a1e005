"""``blinasim effect``: what papers would estimate for HSCT, beside the truth."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blinasim.cli.completion import scenario_names
from blinasim.cli.options import ClusterOption, ForceOption, SeedOption, SetOption, WorkersOption, all_changes
from blinasim.cli.results import keep

if TYPE_CHECKING:
    from blinasim.study.estimators import Timing


class Detection(StrEnum):
    """How relapses become known."""

    recorded = "recorded"
    at_once = "at_once"


def effect(
    scenario: Annotated[
        str | None,
        typer.Argument(help="A shipped scenario's name, or a YAML file; baseline.", autocompletion=scenario_names),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Patients of your own instead: a CSV file with time_days, event, transplant_days and, if you have "
            "them, relapse_days and candidate."
        ),
    ] = None,
    adjust: Annotated[
        str | None, typer.Option(metavar="COLUMN,...", help="Columns of --data to adjust for, known at the origin.")
    ] = None,
    changes: SetOption = None,
    parameters: Annotated[
        str, typer.Option(metavar="point|FILE", help="Point values, or a file of values: one truth for all trials.")
    ] = "point",
    detection: Annotated[
        Detection, typer.Option(help="Relapses as recorded, or as if each had been seen on its day.")
    ] = Detection.recorded,
    landmark: Annotated[int, typer.Option(min=1, help="Landmark, days from remission.")] = 90,
    grace: Annotated[int, typer.Option(min=1, help="Period of grace for a transplant, days.")] = 100,
    day: Annotated[int, typer.Option(min=2, help="Day on which survival is judged.")] = 274,
    replications: Annotated[int | None, typer.Option(min=2, help="Simulated trials.")] = None,
    seed: SeedOption = None,
    out: Annotated[Path | None, typer.Option(help="Results folder; results/effect_NAME by default.")] = None,
    force: ForceOption = False,
    workers: WorkersOption = 1,
    cluster: ClusterOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print effect.json.")] = False,
) -> None:
    """Estimate the effect of HSCT as papers do, in simulated trials beside the truth, or in patients of your own."""
    from blinasim.errors import BlinasimError
    from blinasim.files import check_free
    from blinasim.study.estimators import Timing

    timing = Timing(landmark, grace, day)
    if data is not None and scenario is not None:
        raise BlinasimError(f"{scenario} and --data exclude each other; leave one of them out")
    if data is None and adjust is not None:
        raise BlinasimError("--adjust names columns of --data; simulated trials are adjusted for what they record")
    if data is not None:
        idle = {"--set": bool(changes), "--replications": replications is not None, "--seed": seed is not None,
                "--detection": detection is not Detection.recorded, "--parameters": parameters != "point"}  # fmt: skip
        for option in (each for each, said in idle.items() if said):
            raise BlinasimError(f"{option} is for simulated trials; leave it out with --data")
    name = data.stem if data is not None else Path(scenario or "baseline").stem
    target = out or Path("results") / f"effect_{name}"
    check_free(target, force=force)
    if data is not None:
        _of_data(data, adjust, timing, target, force=force, as_json=as_json)
        return
    _of_trials(
        scenario or "baseline",
        all_changes(changes, replications=replications, seed=seed),
        parameters,
        detection,
        timing,
        target,
        force=force,
        workers=workers,
        cluster=cluster,
        as_json=as_json,
    )


def _of_trials(
    said: str,
    changes: list[str],
    parameters: str,
    detection: Detection,
    timing: Timing,
    target: Path,
    *,
    force: bool,
    workers: int,
    cluster: str | None,
    as_json: bool,
) -> None:
    import time

    from blinasim.cli.terminal import console, legend, printed, progress
    from blinasim.inference.choice import described, parameters_said
    from blinasim.report.analyses import effect_contents
    from blinasim.report.effect import EFFECT_DEFINITIONS, label_of, study_table, timing_text, truth_text
    from blinasim.report.resting import rests_on
    from blinasim.report.words import counted
    from blinasim.scenario.loading import load_scenario
    from blinasim.study.cluster import hired
    from blinasim.study.effect import effect as judge

    asked = load_scenario(said, changes)
    values = parameters_said(parameters)
    start = time.perf_counter()
    with hired(workers, cluster) as executor, progress(f"{said}: trials", asked.study.replications) as advance:
        found = judge(
            asked, parameters=values, timing=timing, detection=detection.value, executor=executor, progress=advance
        )
    seconds = time.perf_counter() - start
    written = keep(effect_contents(found), target, force=force, as_json=as_json)
    if written is None:
        return
    screen = console()
    screen.print(
        f"\n{said} · {counted(asked.study.replications, 'trial')} of {counted(asked.cohort.size, 'patient')} · "
        f"{described(values)} · seed "
        f"{asked.study.seed} · {seconds:.1f} s\n{timing_text(timing)}; relapses "
        f"{'as recorded' if detection is Detection.recorded else 'seen on their day'}\n{truth_text(found)}\n",
        highlight=False,
        soft_wrap=True,
    )
    for outcome in found.outcomes:
        screen.print(f"[bold]{label_of(outcome, timing)}[/bold]", highlight=False)
        screen.print(printed(study_table(found, outcome), wrapping=1))
        screen.print()
    resting = rests_on([asked], values)
    screen.print(legend(EFFECT_DEFINITIONS))
    screen.print("What each estimator is read for: effect.csv and docs/effect.md.", highlight=False, soft_wrap=True)
    screen.print(resting, highlight=False, soft_wrap=True)
    screen.print(written, highlight=False, soft_wrap=True)


def _of_data(data: Path, adjust: str | None, timing: Timing, target: Path, *, force: bool, as_json: bool) -> None:
    from blinasim.cli.terminal import console, printed
    from blinasim.report.analyses import data_effect_contents
    from blinasim.report.effect import NO_ESTIMATE, NO_EVENTS, data_table, data_text, has_events, timing_text
    from blinasim.study.effect_data import effect_of_file

    columns = [name.strip() for name in adjust.split(",")] if adjust else []
    found = effect_of_file(data, columns, timing)
    written = keep(data_effect_contents(found, data), target, force=force, as_json=as_json)
    if written is None:
        return
    screen = console()
    screen.print(f"\n{data} · {data_text(found)}\n{timing_text(timing)}\n", highlight=False, soft_wrap=True)
    screen.print(printed(data_table(found), wrapping=1))
    screen.print(
        f"\n{'' if has_events(found) else f'{NO_EVENTS} '}n/a: {NO_ESTIMATE}. What each is read for: effect.csv.",
        written,
        sep="\n",
        highlight=False,
        soft_wrap=True,
    )
