"""Simulation-based calibration: is a posterior right about abstracts whose truth is known?

Parameters are drawn from the priors, the study is simulated once under them, and its report is calibrated against as
the published one is. If everything is right, the place of the true value among the posterior's draws is uniform
(Talts and others, arXiv:1804.06788), and an interval covers as often as it says. What the same draws would have said if
every survival summary had been taken for independent evidence is kept beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from blinasim.inference.calibrate import Conduct, calibrate, problem_of
from blinasim.inference.likelihood import Problem, lived, log_between, log_survival
from blinasim.inference.sampler import Effort
from blinasim.inference.study import Ensemble, Observed, Studies, with_plain_mortality
from blinasim.luck import Luck
from blinasim.model.codes import NONE
from blinasim.model.parameters import Structure, parameters_of
from blinasim.statistics.pareto import smoothed

Floats = NDArray[np.float64]

#: The derived quantity that is judged beside the parameters: survival at 12 months, of the study's patients.
OS_12: Final = "os_12_months"
_YEAR_DAYS: Final = 365
#: Seeds of the true values' studies lie apart from those of the calibrations.
_TRUTH_SEED: Final = 1_000_000
#: Replications for the derived quantity and for independent terms; the same luck for the truth and for all draws.
_LOOKED_AT: Final = 40
_LOOK_BLOCK: Final = 2_000_000_000

#: A calibration small enough that hundreds can be done.
SMALL: Final = Conduct(
    Effort(particles=180, moves=4, final_sweeps=3, kept_sweeps=3, least_ess=0.4, coarse_up_to=0.3), 30, 20, 60, 60
)


@dataclass(frozen=True)
class Judged:
    """One quantity in one simulated abstract.

    Attributes
    ----------
    abstract : int
        Its number.
    quantity : str
        A parameter's dotted name, or ``OS_12``.
    truth, mean, sd : float
        True value, posterior mean and standard deviation; of a parameter as a standard normal number of its prior.
    place : float
        Posterior probability of a lower value than the true one: uniform if all is right.
    place_independent : float
        The same had the survival summaries been taken for independent of each other and of the counts.
    """

    abstract: int
    quantity: str
    truth: float
    mean: float
    sd: float
    place: float
    place_independent: float


def judge(
    number: int,
    *,
    conduct: Conduct = SMALL,
    structure: Structure | None = None,
    only: tuple[str, ...] | None = None,
    executor: Executor | None = None,
) -> tuple[Judged, ...]:
    """Simulate an abstract, calibrate against it, and look where the truth lies.

    Parameters
    ----------
    number : int
        Which abstract: its truth, its chance and the calibration's luck depend on it alone.
    conduct : Conduct
        How the calibration is done.
    structure : Structure, optional
        Distributions of relapse, and of survival after failure.
    only : tuple of str, optional
        Parameters that are drawn and sampled, the others staying at their point values; all that the figures touch by
        default.
    executor : concurrent.futures.Executor, optional
        Who does the work; this process by default.

    Returns
    -------
    tuple of Judged
        A row for each sampled parameter, and one for survival at 12 months.
    """
    structure = structure or Structure()
    problem, _ = problem_of(number, structure, only=only)
    names = problem.priors.names
    truth = special.ndtri(Luck(_TRUTH_SEED).uniform("truth", range(number, number + 1), len(names)))
    posterior = calibrate(
        conduct=conduct,
        seed=number,
        structure=structure,
        observed=simulated(problem, truth, number),
        only=names,
        executor=executor,
    )
    z = problem.priors.normal_scores(np.stack([posterior.values(name) for name in names], axis=1))
    looked = _look(problem, (np.concatenate([truth, z]), range(_LOOK_BLOCK, _LOOK_BLOCK + _LOOKED_AT)))
    survival, log_ratio = looked[:, 0], looked[1:, 1]
    with np.errstate(divide="ignore"):
        independent, _ = smoothed(np.log(posterior.weights) + log_ratio)
    weights, others = posterior.weights, np.exp(independent)
    true = np.append(truth[0], survival[0])
    draws = np.column_stack([z, survival[1:]])
    tie_breakers = Luck(_TRUTH_SEED).uniform("ties", range(number, number + 1), true.size)[0]
    mean = weights @ draws
    sd = np.sqrt(weights @ np.square(draws - mean))
    below = (draws < true) + tie_breakers * (draws == true)
    return tuple(
        Judged(number, name, *(float(each[i]) for each in (true, mean, sd, weights @ below, others @ below)))
        for i, name in enumerate((*names, OS_12))
    )


def simulated(problem: Problem, truth: Floats, number: int) -> Observed:
    """Return the report of one simulated study under true values.

    Parameters
    ----------
    problem : Problem
        The study, and what is fixed.
    truth : ndarray of float64, shape (1, d)
        Standard normal numbers.
    number : int
        The replication, which is the study's luck.

    Returns
    -------
    Observed
        Rounded as the published report is.
    """
    values = dict(zip(problem.priors.names, problem.priors.values(truth)[0].tolist(), strict=True))
    parameters = parameters_of({**problem.fixed, **values}, problem.structure)
    block = range(number, number + 1)
    studies = Ensemble(problem.scenario, problem.margins, Luck(_TRUTH_SEED), block).reports(parameters)
    return Observed.simulated(studies, 0)


def _look(problem: Problem, piece: tuple[Floats, range]) -> Floats:
    """Return, of each row, survival at 12 months, and by how much independent terms would be more likely."""
    rows = []
    for death, studies in lived(problem, piece):
        alive = np.mean((death == NONE) | (death > _YEAR_DAYS))
        together = log_survival(studies, problem.observed, problem.typical)
        rows.append((float(alive), independent_log_survival(studies, problem.observed) - together))
    return np.array(rows)


def independent_log_survival(studies: Studies, observed: Observed) -> float:
    """Return the log probability of the survival summaries, each taken for independent of all else.

    This is the mistake that :func:`blinasim.inference.likelihood.log_survival` avoids; it is here to be measured.

    Parameters
    ----------
    studies : Studies
        Simulated reports.
    observed : Observed
        The report.

    Returns
    -------
    float
        Sum over the summaries; normal densities integrated over the rounding.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        summaries = with_plain_mortality(studies.summaries, studies.deaths_by_100, studies.counts["fate"].sum(axis=1))
        limits = [
            with_plain_mortality(each, observed.deaths_by_100, sum(observed.counts["fate"]))
            for each in (observed.lower, observed.upper)
        ]
    total = 0.0
    for i in range(summaries.shape[1]):
        known = summaries[np.isfinite(summaries[:, i]), i]
        if known.size < 2 or np.isnan(limits[0][i]):
            continue
        low, high = ((each[i] - known.mean()) / max(float(known.std(ddof=1)), 1e-3) for each in limits)
        total += log_between(float(low), float(high))
    return total


# --- what many abstracts come to -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Coverage:
    """How one quantity fared over many abstracts.

    Attributes
    ----------
    quantity : str
        Its name.
    abstracts : int
        How many.
    p_value : float
        Of a Kolmogorov-Smirnov test that its places are uniform.
    covered : dict of float to float
        By nominal level, the share of central intervals that hold the truth.
    covered_independent : dict of float to float
        The same for independent terms.
    contraction : float
        Mean over the abstracts, 1 less posterior over prior variance; NaN for derived quantities.
    """

    quantity: str
    abstracts: int
    p_value: float
    covered: Mapping[float, float]
    covered_independent: Mapping[float, float]
    contraction: float


LEVELS: Final = (0.5, 0.9, 0.95)


def coverage(rows: Sequence[Judged]) -> tuple[Coverage, ...]:
    """Summarize abstracts by quantity, in the order of their first appearance."""
    from scipy import stats  # slow to import

    by_name: dict[str, list[Judged]] = {}
    for row in rows:
        by_name.setdefault(row.quantity, []).append(row)
    found = []
    for name, mine in by_name.items():
        places = np.array([row.place for row in mine])
        independent = np.array([row.place_independent for row in mine])
        learnt = float("nan") if name == OS_12 else float(np.mean([1.0 - row.sd**2 for row in mine]))
        found.append(
            Coverage(
                name, len(mine), float(stats.kstest(places, "uniform").pvalue), _covered(places), _covered(independent),
                learnt,
            )
        )  # fmt: skip
    return tuple(found)


def _covered(places: Floats) -> dict[float, float]:
    return {level: float(np.mean(np.abs(places - 0.5) <= level / 2.0)) for level in LEVELS}
