"""``blinasim validate``: the published figures judged by simulated studies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from blinasim.cli.options import ClusterOption, ForceOption, ParametersOption, SeedOption, WorkersOption, all_changes


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

    from blinasim.cli.terminal import console, printed, progress
    from blinasim.errors import ParameterError
    from blinasim.files import check_free
    from blinasim.inference.choice import described, parameters_said
    from blinasim.inference.posterior import prior_draws
    from blinasim.inference.predictive import studies_to_simulate
    from blinasim.inference.predictive import validate as judge
    from blinasim.model.parameters import Structure
    from blinasim.report.analyses import validation_contents
    from blinasim.report.contents import write_folder
    from blinasim.report.validation import sentences, validation_rows, validation_table
    from blinasim.scenario.loading import load_scenario
    from blinasim.study.cluster import hired

    if prior and parameters is not None:
        raise ParameterError("--prior and --parameters exclude each other; leave one of them out")
    target = out or Path("results") / "validation"
    check_free(target, force=force)
    scenario = load_scenario("baseline", all_changes(None, replications=replications, seed=seed))
    values = prior_draws(Structure(), _PRIOR_DRAWS, scenario.study.seed) if prior else parameters_said(parameters)
    start = time.perf_counter()
    with (
        hired(workers, cluster) as executor,
        progress("simulated studies", studies_to_simulate(scenario, values)) as advance,
    ):
        found = judge(scenario, values, executor=executor, progress=advance)
    seconds = time.perf_counter() - start
    contents = validation_contents(found)
    files = write_folder(target, contents, force=force)
    if as_json:
        typer.echo(contents.document.model_dump_json(indent=1))
        return
    screen = console()
    screen.print(
        f"\n{found.result.replications:,} simulated studies of {scenario.cohort.size} patients · {described(values)} · "
        f"seed {scenario.study.seed} · {seconds:.1f} s\n",
        highlight=False,
    )
    screen.print(printed(validation_table(validation_rows(found))))
    screen.print("", *sentences(found), sep="\n", highlight=False, soft_wrap=True)
    screen.print(_LEGEND, f"Wrote {target}/ ({len(files)} files)", sep="\n", highlight=False, soft_wrap=True)


#: Draws of the priors.
_PRIOR_DRAWS = 2_000
_LEGEND = (
    "simulated: median of the studies (95 % predictive interval). tail: two-sided area beyond the published figure.\n"
    "width: of the interval, against that of chance alone at the mean of the draws."
)
