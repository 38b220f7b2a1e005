"""``blinasim calibrate``: a posterior from the published figures and the priors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from blinasim.cli.options import ClusterOption, ForceOption, WorkersOption, option
from blinasim.cli.results import keep


class RelapseStructure(StrEnum):
    """Distributions of the relapse clock."""

    weibull = "weibull"
    log_logistic = "log_logistic"


class FailureStructure(StrEnum):
    """Distributions of survival after failure."""

    log_logistic = "log_logistic"
    exponential_mixture = "exponential_mixture"


def calibrate(
    out: Annotated[Path, typer.Option(help="Results folder.")] = Path("results/calibration"),
    quick: Annotated[bool, typer.Option("--quick", help="A rough posterior within minutes.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all luck.")] = 1,
    relapse: Annotated[
        RelapseStructure, typer.Option(help="Distribution of the relapse clock.")
    ] = RelapseStructure.weibull,
    failure: Annotated[
        FailureStructure, typer.Option(help="Distribution of survival after failure.")
    ] = FailureStructure.log_logistic,
    replications: Annotated[int, typer.Option(min=2, help="Simulated studies of each predictive check.")] = 2_000,
    workers: WorkersOption = 1,
    cluster: ClusterOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from what an interrupted run has kept.")] = False,
    force: ForceOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print calibration.json.")] = False,
) -> None:
    """Calibrate the parameters to the published figures; write posterior draws and all diagnostics."""
    from blinasim.cli.terminal import console, live_line, progress, remark
    from blinasim.errors import naming
    from blinasim.files import check_free
    from blinasim.inference.calibrate import FULL, QUICK, Progress
    from blinasim.inference.calibrate import calibrate as run
    from blinasim.inference.posterior import prior_draws
    from blinasim.inference.predictive import studies_to_simulate, validate
    from blinasim.model.parameters import Structure
    from blinasim.report import calibration as told
    from blinasim.report.analyses import calibration_contents
    from blinasim.report.validation import sentences
    from blinasim.scenario.loading import load_scenario
    from blinasim.study.cluster import hired

    check_free(out, force=force)
    structure = Structure(relapse.value, failure.value)
    # Beside the folder: it is written whole, and only at the end.
    checkpoint = out.with_name(f"{out.name}.state.npz")
    with _telling_what_is_kept(checkpoint), hired(workers, cluster) as executor:
        with live_line() as say:

            def note(now: Progress) -> None:
                say(f"{now.phase}: power {now.power:.3g} of 1 · sweep {now.sweeps} · {now.evaluations:,} likelihoods")

            posterior = run(
                conduct=QUICK if quick else FULL,
                seed=seed,
                structure=structure,
                executor=executor,
                progress=note,
                checkpoint=checkpoint,
                resume=resume,
                remark=lambda line: remark(naming(line, option)),
            )
        scenario = load_scenario("baseline").with_study(replications=replications, seed=seed)
        priors = prior_draws(structure, len(posterior.draws), seed)
        total = studies_to_simulate(scenario, priors) + studies_to_simulate(scenario, posterior)
        with progress("simulated studies", total) as advance:
            before, after = (
                validate(scenario, values, executor=executor, progress=advance) for values in (priors, posterior)
            )
        found = told.Calibration.of(posterior, before, after)
        written = keep(calibration_contents(found), out, force=force, as_json=as_json)
    checkpoint.unlink(missing_ok=True)
    if written is None:
        return
    closing = [*told.sentences(found), *sentences(after), written]
    console().print(*closing, sep="\n", highlight=False, soft_wrap=True)


@contextmanager
def _telling_what_is_kept(checkpoint: Path) -> Iterator[None]:
    """Say after Ctrl-C, also while checks are simulated and results written, that the calibration is kept."""
    from blinasim.errors import InterruptedRunError

    try:
        yield
    except KeyboardInterrupt:
        if checkpoint.exists():
            raise InterruptedRunError(f"stopped; {checkpoint} keeps what was done") from None
        raise
