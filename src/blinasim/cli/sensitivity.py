"""``blinasim sensitivity``: on which parameters a scenario's outcomes rest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blinasim.cli.completion import scenario_names
from blinasim.cli.options import (
    ClusterOption,
    ForceOption,
    ParametersOption,
    SeedOption,
    SetOption,
    WorkersOption,
    all_changes,
)
from blinasim.cli.results import keep

if TYPE_CHECKING:
    from blinasim.inference.sensitivity import OutcomeSensitivity


def sensitivity(
    scenario: Annotated[
        str, typer.Argument(help="A shipped scenario's name, or a YAML file.", autocompletion=scenario_names)
    ] = "baseline",
    changes: SetOption = None,
    measures: Annotated[
        list[str] | None,
        typer.Option(
            "--measure",
            metavar="ID",
            help="What is looked at: a measure of comparisons (rmst_24_months), or an endpoint without censoring by "
            "time (limit:os); may be repeated.",
        ),
    ] = None,
    parameters: ParametersOption = None,
    samples: Annotated[int, typer.Option(min=8, max=65_536, help="Base points for Sobol indices, a power of 2.")] = 512,
    seed: SeedOption = None,
    out: Annotated[Path | None, typer.Option(help="Results folder; results/sensitivity_NAME by default.")] = None,
    force: ForceOption = False,
    workers: WorkersOption = 1,
    cluster: ClusterOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print sensitivity.json.")] = False,
) -> None:
    """Say on which parameters outcomes rest: tornado, Sobol indices, parts of the posterior variance, contraction."""
    import time

    from blinasim.cli.terminal import console, legend, progress
    from blinasim.errors import BlinasimError
    from blinasim.files import check_free
    from blinasim.inference.choice import described, parameters_said
    from blinasim.inference.sensitivity import USUAL, Effort, outcomes_named, values_to_live
    from blinasim.inference.sensitivity import sensitivity as analyse
    from blinasim.report.analyses import sensitivity_contents
    from blinasim.report.sensitivity import SENSITIVITY_DEFINITIONS, sentence, uninformed_text
    from blinasim.scenario.loading import load_scenario
    from blinasim.study.cluster import hired

    if samples & (samples - 1):
        raise BlinasimError(f"--samples {samples}: should be a power of 2, such as {1 << samples.bit_length() - 1}")
    asked = load_scenario(scenario, all_changes(changes, seed=seed))
    outcomes = outcomes_named(measures or USUAL, asked.payoffs)
    target = out or Path("results") / f"sensitivity_{Path(scenario).stem}"
    check_free(target, force=force)
    values, effort = parameters_said(parameters), Effort(samples=samples)
    start = time.perf_counter()
    with (
        hired(workers, cluster) as executor,
        progress(f"{scenario}: parameter values", values_to_live(asked, values, effort)) as advance,
    ):
        found = analyse(asked, values, outcomes, effort=effort, executor=executor, progress=advance)
    seconds = time.perf_counter() - start
    written = keep(sensitivity_contents(found), target, force=force, as_json=as_json)
    if written is None:
        return
    screen = console()
    screen.print(
        f"\n{scenario} · {found.evaluations:,} parameter values · {described(values)} · seed {asked.study.seed} · "
        f"{seconds:.1f} s",
        highlight=False,
    )
    for one in found.outcomes:
        _print(one)
    closing = [*(sentence(one) for one in found.outcomes), uninformed_text(found)]
    screen.print("", *closing, sep="\n", highlight=False, soft_wrap=True)
    screen.print(legend(SENSITIVITY_DEFINITIONS))
    screen.print("All errors: sensitivity.csv.", written, sep="\n", highlight=False, soft_wrap=True)


def _print(one: OutcomeSensitivity) -> None:
    from blinasim.cli.terminal import console, printed
    from blinasim.report.sensitivity import groups_text, heading, others_text, sensitivity_table

    screen = console()
    screen.print(f"\n[bold]{heading(one)}[/bold]", highlight=False, soft_wrap=True)
    screen.print(printed(sensitivity_table(one), wrapping=1))  # a long name is folded, no figure ever cut
    for line in filter(None, (others_text(one), groups_text(one))):
        screen.print(line, highlight=False, soft_wrap=True)
