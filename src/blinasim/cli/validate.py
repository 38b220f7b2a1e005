"""``blinasim validate``: the published figures judged by simulated studies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from blinasim.cli.options import (
    ClusterOption,
    ForceOption,
    ParametersOption,
    SeedOption,
    WorkersOption,
    all_changes,
    parameters_or_prior,
)
from blinasim.cli.results import keep


def validate(
    parameters: ParametersOption = None,
    prior: Annotated[bool, typer.Option("--prior", help="Predict from the priors, before any fit.")] = False,
    replications: Annotated[int | None, typer.Option(min=2, help="Simulated studies.")] = None,
    seed: SeedOption = None,
    out: Annotated[Path | None, typer.Option(help="Results folder; results/validation by default.")] = None,
    force: ForceOption = False,
    workers: WorkersOption = 1,
    cluster: ClusterOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print validation.json.")] = False,
) -> None:
    """Judge the source study's figures by what the model predicts; the exit code is 0 whatever the verdict."""
    import time

    from blinasim.cli.terminal import console, legend, printed, progress
    from blinasim.files import check_free
    from blinasim.inference.choice import described
    from blinasim.inference.predictive import studies_to_simulate
    from blinasim.inference.predictive import validate as judge
    from blinasim.report.analyses import validation_contents
    from blinasim.report.validation import sentences, validation_definitions, validation_rows, validation_table
    from blinasim.report.words import counted
    from blinasim.scenario.loading import load_scenario
    from blinasim.study.cluster import hired

    target = out or Path("results") / "validation"
    check_free(target, force=force)
    scenario = load_scenario("baseline", all_changes(None, replications=replications, seed=seed))
    values = parameters_or_prior(parameters, prior=prior, seed=scenario.study.seed)
    start = time.perf_counter()
    with (
        hired(workers, cluster) as executor,
        progress("simulated studies", studies_to_simulate(scenario, values)) as advance,
    ):
        found = judge(scenario, values, executor=executor, progress=advance)
    seconds = time.perf_counter() - start
    written = keep(validation_contents(found), target, force=force, as_json=as_json)
    if written is None:
        return
    screen = console()
    screen.print(
        f"\n{counted(found.result.replications, 'simulated study', 'simulated studies')} of "
        f"{counted(scenario.cohort.size, 'patient')} · {described(values)} · "
        f"seed {scenario.study.seed} · {seconds:.1f} s\n",
        highlight=False,
    )
    screen.print(printed(validation_table(validation_rows(found))))
    screen.print("", *sentences(found), sep="\n", highlight=False, soft_wrap=True)
    screen.print(legend(validation_definitions(found.result.replications)))
    screen.print(written, sep="\n", highlight=False, soft_wrap=True)
