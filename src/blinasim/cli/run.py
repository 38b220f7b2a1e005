"""``blinasim run``: simulate a scenario, print the results table, write tables and figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from blinasim.report.rows import Row
    from blinasim.study.simulate import Result


def run(
    scenario: Annotated[str, typer.Argument(help="A shipped scenario's name, or a YAML file.")],
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; may be repeated.")
    ] = None,
    replications: Annotated[int | None, typer.Option(min=1, help="Simulated trials.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of all luck.")] = None,
    out: Annotated[Path | None, typer.Option(help="Results folder; results/NAME by default.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a results folder.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the table as JSON.")] = False,
) -> None:
    """Simulate a scenario and set it beside the source study's results."""
    import time

    from blinasim.cli.terminal import console, progress
    from blinasim.files import check_free
    from blinasim.report.folder import write_results
    from blinasim.report.rows import rows_of
    from blinasim.scenario.loading import load_scenario
    from blinasim.study.simulate import simulate

    asked = load_scenario(scenario, changes or ()).with_study(replications, seed)
    target = out or Path("results") / Path(scenario).stem
    check_free(target, force=force)
    start = time.perf_counter()
    with progress(f"{scenario}: trials", asked.study.replications) as advance:
        result = simulate(asked, progress=advance)
    seconds = time.perf_counter() - start
    rows = rows_of(result)
    files = write_results(result, rows, target, force=force)
    if as_json:
        from blinasim.report.rows import endpoint_frame

        typer.echo(endpoint_frame(rows).to_json(orient="records", indent=1))
        return
    out_console = console()
    out_console.print(_heading(scenario, result, seconds), highlight=False)
    out_console.print(_table(rows))
    out_console.print(_closing(rows, target, files), highlight=False)


def _heading(name: str, result: Result, seconds: float) -> str:
    study, cohort = result.scenario.study, result.scenario.cohort
    return (
        f"\n{name} · {study.replications:,} trials of {cohort.size} patients · point parameters · "
        f"seed {study.seed} · engine {result.engine} · {seconds:.1f} s\n"
    )


def _table(rows: list[Row]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("", no_wrap=True)
    for title in ("published", "simulated (95 % PI)", "limit", "oracle"):
        table.add_column(title, no_wrap=True)
    section = None
    for row in rows:
        endpoint = row.summary.endpoint
        if endpoint.section != section:
            section = endpoint.section
            table.add_row(f"[bold]{section}[/bold]")
        unit = "" if endpoint.unit in ("share", "cycles") else f", {endpoint.unit}"
        outside = "  *" if row.inside is False else ""
        table.add_row(
            f"{'  ' * (endpoint.level + 1)}{endpoint.label}{unit}",
            row.published_text,
            row.simulated_text + outside,
            row.limit_text,
            row.oracle_text,
        )
    return table


def _closing(rows: list[Row], target: Path, files: list[str]) -> str:
    from blinasim.model.parameters import parameter_catalogue

    judged = [row.inside for row in rows if row.inside is not None]
    grades = [info.grade for info in parameter_catalogue().values()]
    return (
        f"\nPublished figures inside the 95 % predictive interval: {sum(judged)} of {len(judged)} "
        "(* marks the others).\n"
        "limit: the same estimator without the trial's censoring by time; oracle: the estimand itself, same luck.\n"
        "n/a: a count by the cut-off; n/e: beyond the follow-up of most trials.\n"
        f"Rests on {grades.count('assumption')} assumptions among {len(grades)} parameters "
        "(grades and sources: calibration/parameters.yaml).\n"
        f"Wrote {target}/ ({len(files)} files)"
    )
