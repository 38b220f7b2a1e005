"""``blinasim compare``: the same patients under several policies, with the same luck."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blinasim.cli.completion import scenario_names
from blinasim.cli.names import folder_of, load_scenarios
from blinasim.cli.options import (
    ClusterOption,
    Engine,
    EngineOption,
    ForceOption,
    ParametersOption,
    PolicyOption,
    SeedOption,
    SetOption,
    WorkersOption,
    all_changes,
)
from blinasim.cli.results import wrote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from blinasim.study.comparison import Comparison, Contrast

#: Columns that the whole table takes; a narrower terminal gets it without the range over trials, and one narrower
#: than the second without the probability of being better.
_WIDTH, _NARROW_WIDTH = 118, 92


def compare(
    scenarios: Annotated[
        list[str],
        typer.Argument(
            help="The reference, and the scenarios to compare with it: shipped names, or YAML files.",
            autocompletion=scenario_names,
        ),
    ],
    changes: SetOption = None,
    policy: PolicyOption = None,
    replications: Annotated[int | None, typer.Option(min=1, help="Simulated trials.")] = None,
    seed: SeedOption = None,
    parameters: ParametersOption = None,
    out: Annotated[Path | None, typer.Option(help="Results folder; results/compare_A_B by default.")] = None,
    force: ForceOption = False,
    engine: EngineOption = Engine.auto,
    workers: WorkersOption = 1,
    cluster: ClusterOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON (comparison.json).")] = False,
) -> None:
    """Compare policies: the same patients live each of them with the same luck.

    With --policy, the reference is also lived under a policy of one's own.
    """
    import time

    from blinasim.cli.terminal import console, progress
    from blinasim.files import check_free
    from blinasim.inference.choice import parameters_said
    from blinasim.model.policy_file import policy_file
    from blinasim.report.comparison_folder import compare_into
    from blinasim.study.cluster import hired
    from blinasim.study.compare import arms_of, trials_to_live

    loaded = load_scenarios(scenarios, all_changes(changes, replications=replications, seed=seed))
    own = policy_file(policy) if policy else None
    policies = {own.name: own} if own else {}
    arms = arms_of(loaded, policies)
    target = out or folder_of("compare", list(arms))
    check_free(target, force=force)
    values = parameters_said(parameters)
    start = time.perf_counter()
    with (
        hired(workers, cluster) as executor,
        progress(f"{' and '.join(arms)}: trials", trials_to_live(arms, values)) as advance,
    ):
        comparison, files = compare_into(
            target,
            loaded,
            values,
            policies=policies,
            engine=engine.value,
            executor=executor,
            force=force,
            progress=advance,
        )
    seconds = time.perf_counter() - start
    if as_json:
        from blinasim.report.comparison_file import comparison_file

        typer.echo(comparison_file(comparison).model_dump_json(indent=1))
        return
    screen = console()
    for part in _parts(comparison, seconds, screen.width):
        screen.print(part, highlight=False, soft_wrap=isinstance(part, str))
    screen.print(wrote(target, files), highlight=False, soft_wrap=True)


def _parts(comparison: Comparison, seconds: float, width: int) -> Iterator[str | Table]:
    """Yield what is printed, in order."""
    from blinasim.cli.terminal import legend, printed
    from blinasim.inference.choice import described
    from blinasim.report.comparison import (
        IDENTIFIED,
        block_title,
        comparison_definitions,
        cost_effectiveness_text,
        touched_text,
    )
    from blinasim.report.comparison_tables import comparison_table, flows_table
    from blinasim.report.resting import rests_on
    from blinasim.report.words import counted
    from blinasim.study.cost_effectiveness import cost_effectiveness

    study, size = comparison.reference.scenario.study, comparison.reference.scenario.cohort.size
    engines = "/".join(dict.fromkeys(arm.engine for arm in comparison.arms))
    yield (
        f"\n{counted(study.replications, 'trial')} of {counted(size, 'patient')} · "
        f"{described(comparison.parameters)} · seed {study.seed} · engine {engines} · {seconds:.1f} s"
    )
    left_out = ["95 % of trials"] * (width < _WIDTH) + ["better"] * (width < _NARROW_WIDTH)
    for contrast in comparison.contrasts:
        yield f"\n[bold]{block_title(comparison, contrast.name)}[/bold]\n"
        table = comparison_table(comparison, contrast.name)
        yield printed(table.without(*left_out), wrapping=1)
        if judged := cost_effectiveness(comparison, contrast.name):
            yield f"\n{cost_effectiveness_text(judged)}"
        if contrast.pairs:
            yield f"\n{touched_text(contrast.pairs)}\n"
            yield printed(flows_table(comparison, contrast, contrast.pairs), wrapping=2)
        yield ""
        yield from _rests(comparison, contrast)
    yield ""
    yield legend(comparison_definitions(comparison.replications), left_out)
    yield f"\n{IDENTIFIED}"
    yield (
        rests_on((arm.scenario for arm in comparison.arms), comparison.parameters)
        + ("" if width >= _WIDTH else "\nThe terminal is too narrow for all columns: see comparison.csv, or widen it.")
    )


def _rests(comparison: Comparison, contrast: Contrast) -> Iterator[str | Table]:
    """Yield the small tables on what a policy's means rest on: the repeat with independent luck, the head start."""
    from blinasim.cli.terminal import printed
    from blinasim.report.comparison import HEAD_START_COLUMNS, HEAD_START_WORLDS
    from blinasim.report.comparison_tables import head_start_table, repeats_table
    from blinasim.report.words import counted

    yield printed(repeats_table(comparison, contrast), wrapping=1)
    if contrast.head_start:
        trials = next(iter(contrast.head_start[0].differences.values())).trials
        yield (
            f"\nWhat it rests on: searches under way at enrolment anyway ({counted(trials, 'trial')} a line).\n"
            f"{HEAD_START_COLUMNS}:\n"
        )
        yield printed(head_start_table(contrast), wrapping=1)
        yield f"\n{HEAD_START_WORLDS}"
