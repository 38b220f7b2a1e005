"""Calibration and validation from Python: draws of the parameters, and published figures judged by them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING

from blinasim.errors import Argument, ParameterError
from blinasim.files import short
from blinasim.inference import calibrate as calibrating
from blinasim.inference import posterior as drawing
from blinasim.inference import predictive
from blinasim.inference.calibrate import FULL, QUICK, Progress
from blinasim.inference.choice import POSTERIOR, parameters_said
from blinasim.inference.posterior import Posterior
from blinasim.inference.predictive import Validation
from blinasim.model.catalogue import parameter_catalogue
from blinasim.model.parameters import ParameterSource, Structure
from blinasim.report.given import check_given
from blinasim.report.validation import validation_frame
from blinasim.scenario.loading import load_scenario, study_changes

if TYPE_CHECKING:
    import pandas as pd


def parameters_table() -> pd.DataFrame:
    """Return the parameters by dotted name: point value, unit, prior, meaning, and how well it is known (``grade``)."""
    import pandas as pd

    columns = ("value", "unit", "prior", "grade", "meaning", "source")
    rows = {
        name: {column: getattr(info, column) for column in columns} | {"prior": str(info.prior)}
        for name, info in parameter_catalogue().items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("parameter")


def load_posterior(path: str | Path = POSTERIOR) -> Posterior:
    """Load draws of the parameters.

    Parameters
    ----------
    path : str or Path
        ``"posterior"``, the draws that come with blinasim, or a file as ``blinasim calibrate`` writes it.

    Returns
    -------
    Posterior
        ``posterior.draws`` is a DataFrame, a row a draw, with weights.

    Raises
    ------
    ParameterError
        If it cannot be read, or holds no draws.
    """
    found = parameters_said(path)
    if not isinstance(found, Posterior):
        raise ParameterError(f"{path} holds point values, not draws; load_parameters reads those")
    return found


def prior_draws(draws: int = 2_000, *, seed: int = 1) -> Posterior:
    """Return draws from the priors, as a posterior that has learnt nothing.

    Parameters
    ----------
    draws : int
        How many, all of the same weight.
    seed : int
        Of their luck.

    Returns
    -------
    Posterior
        Of the usual structure.

    Raises
    ------
    ParameterError
        If there is not even one draw.
    """
    if not isinstance(draws, Integral) or draws < 1:
        raise ParameterError("take at least one draw", Argument("draws", said=short(repr(draws))))
    return drawing.prior_draws(Structure(), draws, seed)


def validate(
    parameters: ParameterSource | str | Path | None = None,
    *,
    replications: int | None = None,
    seed: int | None = None,
    progress: Callable[[int], None] | None = None,
    executor: Executor | None = None,
) -> Validation:
    """Judge the source study's figures by what the model predicts.

    Parameters
    ----------
    parameters : Parameters, ParameterSource, str or Path, optional
        As for :func:`blinasim.simulate`; :func:`prior_draws` predicts before any fit.
    replications, seed : int, optional
        Simulated studies, and the seed of all luck.
    progress, executor
        As for :func:`blinasim.simulate`.

    Returns
    -------
    Validation
        Every published figure with its predictive interval, tail area and verdict; :func:`validation_table` makes a
        table of it, ``blinasim.plot.forest(found.result)`` a figure.

    Raises
    ------
    BlinasimError
        If there is no such posterior or file, or no study can have these replications or this seed.
    WorkerError
        If those who do the work keep dying.
    """
    scenario = load_scenario("baseline", study_changes(replications, seed))
    return predictive.validate(scenario, parameters_said(parameters), executor=executor, progress=progress)


def validation_table(validation: Validation) -> pd.DataFrame:
    """Return a validation as data, one row a published figure; shares are proportions, times as in ``unit``."""
    check_given("validation", validation, Validation)
    return validation_frame(validation)


def calibrate(
    *,
    quick: bool = False,
    seed: int = 1,
    structure: Structure | None = None,
    executor: Executor | None = None,
    progress: Callable[[Progress], None] | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
) -> Posterior:
    """Calibrate the parameters to the published figures; takes a few minutes (``quick``), or half an hour on two cores.

    Parameters
    ----------
    quick : bool
        A rough posterior.
    seed : int
        Of all luck.
    structure : Structure, optional
        Distributions of relapse, and of survival after failure; the usual ones by default.
    executor : concurrent.futures.Executor, optional
        Who does the work; this process by default.
    progress : callable, optional
        Called after each sweep.
    checkpoint : Path, optional
        A file in which the sampler's state is kept while it runs.
    resume : bool
        Go on from that file, if it is there.

    Returns
    -------
    Posterior
        Draws, for ``parameters=`` of the other functions; ``posterior.write(path)`` keeps them.

    Raises
    ------
    OutputError
        If the checkpoint is of another calibration, or cannot be written.
    WorkerError
        If those who do the work keep dying.
    """
    return calibrating.calibrate(
        conduct=QUICK if quick else FULL,
        seed=seed,
        structure=structure,
        executor=executor,
        progress=progress,
        checkpoint=checkpoint,
        resume=resume,
    )
