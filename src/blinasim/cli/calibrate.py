"""``blinasim calibrate``: a posterior from the published figures and the priors."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from blinasim.cli.options import ClusterOption, WorkersOption

if TYPE_CHECKING:
    from blinasim.inference.posterior import Posterior


class RelapseStructure(StrEnum):
    """Distributions of the relapse clock."""

    weibull = "weibull"
    log_logistic = "log_logistic"


class FailureStructure(StrEnum):
    """Distributions of survival after failure."""

    log_logistic = "log_logistic"
    exponential_mixture = "exponential_mixture"


def calibrate(
    out: Annotated[Path, typer.Option(help="CSV of the draws; a JSON of diagnostics is written beside it.")] = Path(
        "results/posterior.csv"
    ),
    quick: Annotated[bool, typer.Option("--quick", help="A rough posterior within minutes.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all luck.")] = 1,
    relapse: Annotated[
        RelapseStructure, typer.Option(help="Distribution of the relapse clock.")
    ] = RelapseStructure.weibull,
    failure: Annotated[
        FailureStructure, typer.Option(help="Distribution of survival after failure.")
    ] = FailureStructure.log_logistic,
    workers: WorkersOption = 1,
    cluster: ClusterOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from what an interrupted run has kept.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the files.")] = False,
) -> None:
    """Calibrate the parameters to the published figures, and write posterior draws."""
    from blinasim.cli.terminal import console, live_line
    from blinasim.errors import InterruptedRunError, OutputError
    from blinasim.inference.calibrate import FULL, QUICK, Progress
    from blinasim.inference.calibrate import calibrate as run
    from blinasim.model.parameters import Structure
    from blinasim.study.cluster import hired

    if out.suffix != ".csv":
        raise OutputError(f"{out} does not end in .csv; the draws are written as CSV")
    if out.exists() and not force:
        raise OutputError(f"{out} already exists; say --force to replace it, or --out for another file")
    checkpoint = out.with_suffix(".state.npz")
    with hired(workers, cluster) as executor, live_line() as say:

        def progress(now: Progress) -> None:
            say(f"{now.phase}: power {now.power:.3g} of 1 · sweep {now.sweeps} · {now.evaluations:,} likelihoods")

        try:
            posterior = run(
                conduct=QUICK if quick else FULL,
                seed=seed,
                structure=Structure(relapse.value, failure.value),
                executor=executor,
                progress=progress,
                checkpoint=checkpoint,
                resume=resume,
            )
        except KeyboardInterrupt:
            if checkpoint.exists():
                raise InterruptedRunError(f"stopped; {checkpoint} keeps what was done") from None
            raise
    posterior.write(out)
    checkpoint.unlink(missing_ok=True)
    console().print(_closing(posterior, out), highlight=False, soft_wrap=True)


def _closing(posterior: Posterior, out: Path) -> str:
    last = posterior.stages[-1]
    trust = "" if posterior.pareto_k < _TRUSTED else f"; above {_TRUSTED} the weights are not to be trusted"
    return (
        f"{len(posterior.draws):,} draws worth {posterior.ess:,.0f} by their weights · "
        f"log evidence {posterior.log_evidence:.2f} · Pareto k {posterior.pareto_k:.2f}{trust}\n"
        f"{len(posterior.stages)} powers · at the last {last.acceptance:.0%} of moves accepted, "
        f"{last.unique} different particles\nWrote {out} and {out.with_suffix('.json')}"
    )


#: A Pareto k above this says that a few draws carry the weight.
_TRUSTED = 0.7
