"""``blinasim compare``: the same patients under several policies, with the same luck."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blinasim.cli.completion import scenario_names
from blinasim.cli.options import ClusterOption, ParametersOption, SeedOption, SetOption, WorkersOption, all_changes
from blinasim.cli.run import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from blinasim.report.comparison import ComparisonRow
    from blinasim.scenario.settings import Scenario
    from blinasim.study.compare import Comparison

#: Columns that the whole table takes; a narrower terminal gets it without the range over trials, and one narrower
#: than the second without the probability of being better.
_WIDTH, _NARROW_WIDTH = 112, 92


def compare(
    scenarios: Annotated[
        list[str],
        typer.Argument(
            help="The reference, and the scenarios to compare with it: shipped names, or YAML files.",
            autocompletion=scenario_names,
        ),
    ],
    changes: SetOption = None,
    replications: Annotated[int | None, typer.Option(min=1, help="Simulated trials.")] = None,
    seed: SeedOption = None,
    out: Annotated[Path | None, typer.Option(help="Results folder; results/compare_A_B by default.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a results folder.")] = False,
    parameters: ParametersOption = None,
    engine: Annotated[Engine, typer.Option(help="Which engine walks; the results are the same.")] = Engine.auto,
    workers: WorkersOption = 1,
    cluster: ClusterOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON (comparison.json).")] = False,
) -> None:
    """Compare policies: the same patients live each of them with the same luck."""
    import time

    from blinasim.cli.terminal import console, progress
    from blinasim.files import check_free
    from blinasim.inference.choice import parameters_said
    from blinasim.report.comparison_folder import compare_into
    from blinasim.study.cluster import hired
    from blinasim.study.compare import trials_to_live, under_one_study

    asked = under_one_study(_loaded(scenarios, all_changes(changes, replications=replications, seed=seed)))
    target = out or Path("results") / f"compare_{'_'.join(asked)}"
    check_free(target, force=force)
    values = parameters_said(parameters)
    start = time.perf_counter()
    with (
        hired(workers, cluster) as executor,
        progress(f"{' and '.join(asked)}: trials", trials_to_live(asked, values)) as advance,
    ):
        comparison, files = compare_into(
            target, asked, values, engine=engine.value, executor=executor, force=force, progress=advance
        )
    seconds = time.perf_counter() - start
    if as_json:
        from blinasim.report.comparison_file import comparison_file

        typer.echo(comparison_file(comparison).model_dump_json(indent=1))
        return
    screen = console()
    for part in _parts(comparison, seconds, screen.width):
        screen.print(part, highlight=False, soft_wrap=isinstance(part, str))
    screen.print(f"Wrote {target}/ ({len(files)} files)", highlight=False, soft_wrap=True)


def _loaded(scenarios: Sequence[str], changes: list[str]) -> dict[str, Scenario]:
    """Load scenarios by the name of their file; each name once."""
    from blinasim.errors import ScenarioError
    from blinasim.scenario.loading import load_scenario

    loaded: dict[str, Scenario] = {}
    for said in scenarios:
        name = Path(said).stem
        if name in loaded:
            raise ScenarioError(f"two of the scenarios are called {name}; name different ones, or copy one file")
        loaded[name] = load_scenario(said, changes)
    return loaded


def _parts(comparison: Comparison, seconds: float, width: int) -> Iterator[str | Table]:
    """Yield what is printed, in order."""
    from blinasim.cli.terminal import rests_on
    from blinasim.inference.choice import described
    from blinasim.report.comparison import block_title, comparison_rows, touched_text

    study, size = comparison.reference.scenario.study, comparison.reference.scenario.cohort.size
    engines = "/".join(dict.fromkeys(arm.engine for arm in comparison.arms))
    yield (
        f"\n{study.replications:,} trial{'s' * (study.replications != 1)} of {size} patients · "
        f"{described(comparison.parameters)} · seed {study.seed} · engine {engines} · {seconds:.1f} s"
    )
    for contrast in comparison.contrasts:
        yield f"\n[bold]{block_title(comparison, contrast.name)}[/bold]\n"
        rows = comparison_rows(comparison, contrast.name)
        yield _table(rows, width)
        yield f"\n{touched_text(contrast)}\n"
        yield from _details(comparison, contrast.name)
    yield (
        "\ndifference: mean of the paired differences (95 % interval of that mean). "
        "better: share of the trials in which\nthe policy is better, ties counting half. "
        "All patients are followed to the end.\n"
        "Means of paired differences are what the model identifies; who gains and who loses rests on the two lives\n"
        "of a patient sharing their luck.\n"
        + rests_on(arm.scenario for arm in comparison.arms)
        + ("" if width >= _WIDTH else "\nThe terminal is too narrow for all columns: see comparison.csv, or widen it.")
    )


def _table(rows: list[ComparisonRow], width: int) -> Table:
    with_trials, with_better = width >= _WIDTH, width >= _NARROW_WIDTH
    titles = ["", "reference", "policy", "difference (95 % interval)"]
    titles += ["95 % of trials"] * with_trials + ["better"] * with_better
    lines: list[tuple[str, ...]] = []
    section = None
    for row in rows:
        if row.section != section:
            section = row.section
            lines.append((f"[bold]{section}[/bold]",))
        cells = [f"  {row.label}", row.reference_text, row.policy_text, row.difference_text]
        lines.append((*cells, *[row.trials_text] * with_trials, *[row.better_text] * with_better))
    return _plain(titles, lines)


def _details(comparison: Comparison, policy: str) -> Iterator[str | Table]:
    """Yield the small tables under a policy's own: flows, the repeat with independent luck, the head start."""
    from blinasim.report.comparison import (
        HEAD_START_LABELS,
        STANDINGS,
        head_start_lines,
        repeats,
        stayed,
        ways,
    )

    contrast = comparison.contrast(policy)
    lines: list[tuple[str, ...]] = [
        (
            f"  {STANDINGS[way.source]}",
            STANDINGS[way.target],
            f"{100 * way.shared:.2f} %",
            f"{100 * way.independent:.2f} %",
        )
        for way in ways(contrast)
    ]
    stay = (f"{100 * stayed(flows):.2f} %" for flows in (contrast.flows, contrast.flows_again))
    lines.append(("  the same under both", "", *stay))
    titles = ("At 24 months, under the reference", "under the policy", "under shared luck", "independent luck")
    yield _plain(titles, lines)
    yield ""
    yield _plain(
        ("Mean difference ± its standard error", "under shared luck", "independent luck", "apart, s.e."),
        [(f"  {name}", *texts) for name, *texts in (repeat.texts for repeat in repeats(comparison, policy))],
    )
    if contrast.head_start:
        trials = next(iter(contrast.head_start[0].differences.values())).trials
        yield f"\nWhat it rests on: searches under way at enrolment anyway ({trials:,} trials each)\n"
        yield _plain(
            ("  under way", *HEAD_START_LABELS), [(f"  {line[0]}", *line[1:]) for line in head_start_lines(contrast)]
        )


def _plain(titles: Sequence[str], lines: Sequence[Sequence[str]]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title in titles:
        table.add_column(title)
    for line in lines:
        table.add_row(*line)
    return table
