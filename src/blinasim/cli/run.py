"""``blinasim run``: simulate a scenario, print the results table, write tables and figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from blinasim.cli.options import (
    MOST_TRIALS,
    ClusterOption,
    Engine,
    EngineOption,
    ForceOption,
    ParametersOption,
    PolicyOption,
    ScenarioArgument,
    SeedOption,
    SetOption,
    WorkersOption,
    all_changes,
    option,
)
from blinasim.cli.results import wrote

if TYPE_CHECKING:
    from blinasim.scenario.settings import Scenario
    from blinasim.study.simulate import Result


#: Columns that the whole table takes; a narrower terminal gets it without limit and oracle.
_WIDTH = 96
#: With the part of the parameters.
_WIDTH_WITH_PARTS = 108


def run(
    scenario: ScenarioArgument,
    changes: SetOption = None,
    replications: Annotated[int | None, typer.Option(min=1, help="Simulated trials.")] = None,
    seed: SeedOption = None,
    out: Annotated[Path | None, typer.Option(help="Results folder; results/NAME by default.")] = None,
    force: ForceOption = False,
    parameters: ParametersOption = None,
    policy: PolicyOption = None,
    engine: EngineOption = Engine.auto,
    workers: WorkersOption = 1,
    cluster: ClusterOption = None,
    chunk: Annotated[
        int | None, typer.Option(min=1, max=MOST_TRIALS, help="Trials done at a time; the results are the same.")
    ] = None,
    precision: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ENDPOINT=VALUE",
            help="Double the trials until the Monte Carlo standard error of the endpoint's median (os_mean: mean) is "
            "at most this, in its unit; may be repeated.",
        ),
    ] = None,
    at_most: Annotated[
        int | None, typer.Option(min=1, max=MOST_TRIALS, help="Trials at which to give up on --precision.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from what an interrupted run has kept.")] = False,
    patients: Annotated[
        bool, typer.Option("--patients", help="Also write every patient of every trial (patients.parquet).")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the table as JSON.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")] = False,
) -> None:
    """Simulate a scenario and set it beside the source study's results."""
    import time

    from blinasim.files import check_free
    from blinasim.inference.choice import described, parameters_said
    from blinasim.model.policy_file import policy_file
    from blinasim.scenario.loading import load_scenario
    from blinasim.study.precision import Precision, shortfalls

    asked = load_scenario(scenario, all_changes(changes, replications=replications, seed=seed))
    own_policy = policy_file(policy) if policy else None
    wanted = tuple(Precision.parse(text) for text in precision or ())
    own_name = f"_{own_policy.name}" if own_policy else ""
    target = out or Path("results") / f"{Path(scenario).stem}{own_name}"
    values = parameters_said(parameters)
    if dry_run:
        from blinasim.engine.choice import choose

        walker = choose(engine.value, asked.capacity, own_policy=own_policy is not None)
        _say_what_would_be_done(asked, described(values), target, walker, force=force, more=bool(wanted))
        return
    check_free(target, force=force)
    # What draws and writes is slow to import: not for a dry run, or to refuse.
    from blinasim.cli.terminal import console, legend, printed, progress, remark
    from blinasim.errors import naming
    from blinasim.report.folder import RunOptions, run_into
    from blinasim.report.resting import assumptions
    from blinasim.report.rows import judged_text, results_table, rows_of, run_definitions
    from blinasim.report.words import NOT_APPLICABLE
    from blinasim.study.cluster import hired

    start = time.perf_counter()
    with (
        hired(workers, cluster) as executor,
        progress(f"{scenario}: trials", None if wanted else asked.study.replications) as advance,
    ):
        result, files = run_into(
            target,
            asked,
            values,
            RunOptions(engine.value, executor, chunk, wanted, at_most, keep_chunks=True, resume=resume),
            own_policy=own_policy,
            patients=patients,
            force=force,
            progress=advance,
            remark=lambda line: remark(naming(line, option)),
        )
    for line in shortfalls(wanted, result.estimates, paired=values.varies):
        remark(line)
    seconds = time.perf_counter() - start
    rows, own = rows_of(result), assumptions([result.scenario], values).own
    if as_json:
        from blinasim.report.rows import endpoint_frame

        typer.echo(endpoint_frame(rows).to_json(orient="records", indent=1))
        return
    name = f"{scenario}, policy {policy}" if policy else scenario
    out_console = console()
    out_console.print(_heading(name, result, seconds), highlight=False)
    narrow = out_console.width < (_WIDTH_WITH_PARTS if values.varies else _WIDTH)
    left_out = ("parameters", "limit", "oracle", NOT_APPLICABLE) * narrow  # which stands in these columns alone
    out_console.print(printed(results_table(rows, varies=values.varies).without(*left_out)))
    out_console.print(f"\n{judged_text(result.scenario, rows, own=own)}\n", highlight=False, soft_wrap=True)
    out_console.print(legend(run_definitions(result.replications, varies=values.varies), left_out))
    out_console.print(_closing(result, target, files, narrow=narrow), highlight=False, soft_wrap=True)


def _say_what_would_be_done(
    scenario: Scenario, parameters: str, target: Path, engine: Literal["fast", "des"], *, force: bool, more: bool
) -> None:
    from blinasim.model.cohort_file import read_cohort
    from blinasim.report.words import counted
    from blinasim.scenario.writing import to_yaml

    read_cohort(scenario.cohort)
    study = scenario.study
    typer.echo(to_yaml(scenario), nl=False)
    there = target.exists()
    fate = "it exists and would be refused (--force replaces it)" if there and not force else "nothing is written now"
    trials = f"{counted(study.replications, 'trial')}{' (more until --precision is reached)' * more}"
    typer.echo(
        f"# Would simulate {trials} of {counted(scenario.cohort.size, 'patient')} with seed {study.seed} "
        f"and {parameters} on engine {engine}, and write {target}/: {fate}."
    )


def _heading(name: str, result: Result, seconds: float) -> str:
    from blinasim.inference.choice import described
    from blinasim.report.words import counted

    study, cohort = result.scenario.study, result.scenario.cohort
    return (
        f"\n{name} · {counted(study.replications, 'trial')} of {counted(cohort.size, 'patient')} · "
        f"{described(result.parameters)} · seed {study.seed} · engine {result.engine} · {seconds:.1f} s\n"
    )


def _closing(result: Result, target: Path, files: list[str], *, narrow: bool) -> str:
    from blinasim.report.resting import rests_on
    from blinasim.report.rows import as_published
    from blinasim.report.sensitivity_file import stored_sentence

    scenario = result.scenario
    strongest = stored_sentence(result.parameters) if as_published(scenario) and result.parameters.varies else None
    return (
        f"\n{rests_on([scenario], result.parameters)}{f' {strongest}' if strongest else ''}\n"
        + ("The terminal is too narrow for limit and oracle: see endpoints.csv, or widen it.\n" if narrow else "")
        + wrote(target, files)
    )
