"""``blinasim value``: what it would be worth to know parameters before choosing among policies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blinasim.cli.completion import scenario_names
from blinasim.cli.names import folder_of, load_scenarios
from blinasim.cli.options import (
    ClusterOption,
    ForceOption,
    ParametersOption,
    SeedOption,
    SetOption,
    WorkersOption,
    all_changes,
    parameters_or_prior,
)
from blinasim.cli.results import keep

if TYPE_CHECKING:
    from blinasim.inference.value import ValueOfInformation

#: Trials where nobody says so: two a draw, and twenty draws or so a parameter.
_TRIALS = 4_000


def value(
    scenarios: Annotated[
        list[str],
        typer.Argument(
            help="The policies: shipped names, or YAML files, the reference first; one of them has payoffs.",
            autocompletion=scenario_names,
        ),
    ],
    changes: SetOption = None,
    measure: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Choose by another measure than net benefit, such as rmst_24_months."),
    ] = None,
    known: Annotated[
        list[str] | None,
        typer.Option(
            "--know",
            metavar="NAME,NAME",
            help="A set of parameters, or groups of them, whose knowledge is valued besides; may be repeated.",
        ),
    ] = None,
    replications: Annotated[int, typer.Option(min=2, help="Simulated trials of each policy, two a draw.")] = _TRIALS,
    seed: SeedOption = None,
    parameters: ParametersOption = None,
    prior: Annotated[bool, typer.Option("--prior", help="Draws from the priors, before any fit.")] = False,
    out: Annotated[Path | None, typer.Option(help="Results folder; results/value_A_B by default.")] = None,
    force: ForceOption = False,
    workers: WorkersOption = 1,
    cluster: ClusterOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print value.json.")] = False,
) -> None:
    """Say what it would be worth to know parameters before choosing among policies (EVPI, EVPPI).

    By net benefit, where one of the scenarios has payoffs (baseline_payoffs), or by any measure.
    """
    import time

    from blinasim.cli.terminal import progress
    from blinasim.files import check_free
    from blinasim.inference.value import value_of
    from blinasim.report.analyses import value_contents
    from blinasim.study.cluster import hired

    loaded = load_scenarios(scenarios, all_changes(changes, replications=replications, seed=seed))
    target = out or folder_of("value", list(loaded))
    check_free(target, force=force)
    draws = parameters_or_prior(parameters, prior=prior, seed=next(iter(loaded.values())).study.seed)
    start = time.perf_counter()
    with (
        hired(workers, cluster) as executor,
        progress(f"{' and '.join(loaded)}: trials", len(loaded) * replications) as advance,
    ):
        found = value_of(loaded, draws, measure=measure, known=known or (), executor=executor, progress=advance)
    seconds = time.perf_counter() - start
    written = keep(value_contents(found), target, force=force, as_json=as_json)
    if written is None:
        return
    _print(found, seconds)
    typer.echo(written)


def _print(found: ValueOfInformation, seconds: float) -> None:
    from blinasim.cli.terminal import console, legend, printed
    from blinasim.inference.choice import described
    from blinasim.report.value import (
        TAKEN_AS_THEY_ARE,
        VALUE_DEFINITIONS,
        candidate_table,
        explained_text,
        perfect_text,
        worth_table,
    )
    from blinasim.report.words import counted

    screen, study = console(), found.scenarios[found.reference].study
    size = found.scenarios[found.reference].cohort.size
    screen.print(
        f"\n{counted(found.trials, 'trial')} of {counted(size, 'patient')} · {described(found.parameters)} · "
        f"seed {study.seed} · {seconds:.1f} s\n",
        highlight=False,
        soft_wrap=True,
    )
    screen.print(printed(candidate_table(found), wrapping=1))
    screen.print("", perfect_text(found), "", sep="\n", highlight=False, soft_wrap=True)
    screen.print(printed(worth_table(found), wrapping=1))
    screen.print("", explained_text(found), sep="\n", highlight=False, soft_wrap=True)
    screen.print(legend(VALUE_DEFINITIONS))
    screen.print(TAKEN_AS_THEY_ARE, highlight=False, soft_wrap=True)
