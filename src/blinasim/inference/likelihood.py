"""The likelihood of a report of the study: exact counts by the chain rule, times a synthetic likelihood of survival.

Counts: given the parameters the patients are independent, so each term is a multinomial whose probabilities are those
of all patients of all replications. Survival summaries: Gaussian (Wood, Nature 2010;466:1102), *given the counts*: they
are regressed on the proportions over the replications and predicted at the observed ones, so that what a count has said
already is not said again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from blinasim.inference.priors import Priors
from blinasim.inference.study import TERMS, Ensemble, Observed, Studies
from blinasim.luck import Luck
from blinasim.model.parameters import Structure, parameters_of
from blinasim.scenario.settings import Scenario

Floats = NDArray[np.float64]

#: Added to every cell of a pooled count: an empty cell is a rare one, not an impossible one.
_SMOOTHING: Final = 0.5
#: A residual standard deviation and how many replications it is worth: where next to no replication reaches a median.
_USUAL_DEVIATION, _ITS_WEIGHT = 0.15, 2.0
#: Correlations are shrunk by this over (this + replications).
_SHRINKAGE: Final = 10.0
#: Fewer replications than this cannot be regressed on as many proportions as there are.
LEAST_REPLICATIONS: Final = 12
#: Rounds of imputing what is censored.
_ROUNDS: Final = 8
_LOWEST: Final = -1e6
#: Place of the patients alive at the cut-off in the term "fate".
_ALIVE: Final = 5


def log_counts(studies: Studies, observed: Observed) -> dict[str, float]:
    """Return the log probability of the observed counts, by term."""
    found = {}
    for term in TERMS:
        cells = np.asarray(observed.counts[term.name], dtype=np.float64)
        pooled = studies.counts[term.name].sum(axis=0) + _SMOOTHING
        ways = special.gammaln(cells.sum() + 1.0) - special.gammaln(cells + 1.0).sum()
        found[term.name] = float(ways + special.xlogy(cells, pooled / pooled.sum()).sum())
    return found


def log_survival(studies: Studies, observed: Observed) -> float:
    """Return the log probability of the observed survival summaries, given the observed counts.

    Their joint Gaussian is integrated over the rounding of each in turn, given the ones before it; a median that was
    not observed is integrated over all that it may be.
    """
    mean, covariance = _given_counts(studies, observed)
    root = np.linalg.cholesky(covariance)
    total, standard = 0.0, np.zeros(mean.size)
    for i in range(mean.size):
        centre, spread = mean[i] + root[i, :i] @ standard[:i], root[i, i]
        low, high = (observed.lower[i] - centre) / spread, (observed.upper[i] - centre) / spread
        total += log_between(low, high)
        standard[i] = _middle(low, high)
    return max(total, _LOWEST)


def log_between(low: float, high: float) -> float:
    """Return the log probability that a standard normal number lies between two limits, also far out in a tail."""
    if low > 0:
        low, high = -high, -low
    above, below = float(special.log_ndtr(high)), float(special.log_ndtr(low))
    with np.errstate(divide="ignore"):
        return float(above + np.log1p(-np.exp(min(below - above, 0.0))))


def _middle(low: float, high: float) -> float:
    """Return a standard normal number's place between two limits: midway, or its mean where one of them is infinite."""
    if np.isfinite(low) and np.isfinite(high):
        return (low + high) / 2.0
    if np.isfinite(low):
        return float(_mills(np.asarray(low)))
    return -float(_mills(np.asarray(-high))) if np.isfinite(high) else 0.0


def _mills(low: Floats) -> Floats:
    """Mean of a standard normal number above a limit; 0 above minus infinity."""
    return np.asarray(np.exp(-0.5 * np.square(low) - 0.5 * np.log(2.0 * np.pi) - special.log_ndtr(-low)))


def _given_counts(studies: Studies, observed: Observed) -> tuple[Floats, Floats]:
    """Return mean and covariance of the summaries of a study with the observed counts.

    A summary that a replication has not reached is a censored value of the regression (Tobin, Econometrica 1958;26:24):
    imputed by its mean given the limit, its spread added to the residual variance, until that settles.
    """
    design = _design(studies, observed)
    replications, regressors = design.shape
    missing = ~np.isfinite(studies.summaries)
    values = np.where(missing, np.where(np.isfinite(studies.reached), studies.reached + 0.1, 0.0), studies.summaries)
    known = np.where(missing, np.nan, values)
    for column in np.flatnonzero(np.all(~np.isfinite(studies.reached) | ~missing, axis=0) & missing.any(axis=0)):
        present = ~missing[:, column]
        values[missing[:, column], column] = np.mean(known[present, column]) if present.any() else 0.0
    precision = design.T @ design + np.diag([0.0, *(1e-6 * replications,) * (regressors - 1)])
    inverse = np.linalg.inv(precision)
    projection = inverse @ design.T
    freedom = replications - regressors + _ITS_WEIGHT
    spread = np.zeros_like(values)
    for _ in range(_ROUNDS if missing.any() else 1):
        slopes = projection @ values
        fitted = design @ slopes
        squares = np.square(values - fitted).sum(axis=0) + spread.sum(axis=0) + _ITS_WEIGHT * _USUAL_DEVIATION**2
        deviation = np.sqrt(squares / freedom)
        limit = np.where(missing, np.clip((studies.reached - fitted) / deviation, -np.inf, 8.0), -np.inf)
        beyond = _mills(limit)
        with np.errstate(invalid="ignore"):
            shape = 1.0 + np.where(np.isfinite(limit), limit * beyond, 0.0) - beyond**2
        values = np.where(missing, fitted + deviation * beyond, values)
        spread = np.where(missing, deviation**2 * shape, 0.0)
    slopes = projection @ values
    residuals = values - design @ slopes
    scatter = residuals.T @ residuals + np.diag(spread.sum(axis=0) + _ITS_WEIGHT * _USUAL_DEVIATION**2)
    kept = replications / (replications + _SHRINKAGE)
    covariance = scatter / freedom
    covariance = kept * covariance + (1.0 - kept) * np.diag(np.diag(covariance))
    covariance *= 1.0 + inverse[0, 0]  # the mean is estimated, too
    return np.asarray(slopes[0], dtype=np.float64), covariance


def _design(studies: Studies, observed: Observed) -> Floats:
    """Return the regressors: 1, and how far the proportions lie from the observed ones; shape (R, 1 + regressors)."""
    theirs = _proportions({name: counts.astype(np.float64) for name, counts in studies.counts.items()})
    ours = _proportions({name: np.asarray([cells], dtype=np.float64) for name, cells in observed.counts.items()})
    deviations = theirs - ours
    unknown = np.isnan(deviations)
    if unknown.any():
        typical = np.where(unknown, 0.0, deviations).sum(axis=0) / np.maximum((~unknown).sum(axis=0), 1)
        deviations = np.where(unknown, typical, deviations)
    return np.concatenate([np.ones((deviations.shape[0], 1)), deviations], axis=1)


def _proportions(counts: Mapping[str, Floats]) -> Floats:
    """Return the proportions that tell about survival: responses, transplants, and deaths after them."""
    later = counts["later_naive"] + counts["later_prior"]
    fate = counts["fate"]
    halves = [counts[f"{term}_{who}"] for term in ("response", "realized") for who in ("naive", "prior")] + [later]
    parts = [half[:, 0] for half in halves] + [fate[:, 0] + fate[:, 1], fate.sum(axis=1) - fate[:, _ALIVE]]
    wholes = [half.sum(axis=1) for half in halves] + [fate.sum(axis=1)] * 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.stack(parts, axis=1) / np.stack(wholes, axis=1), dtype=np.float64)


# --- of parameters -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """What is calibrated against what; it travels to the workers.

    Attributes
    ----------
    scenario : Scenario
        The study's conduct.
    observed : Observed
        Its report.
    margins : dict of str to int
        Patients with ``prior_hsct`` and ``blasts75``.
    priors : Priors
        Of the parameters that are sampled.
    fixed : dict of str to float
        All other parameters.
    structure : Structure
        Distributions of relapse, and of survival after failure.
    seed : int
        Of all luck.
    """

    scenario: Scenario
    observed: Observed
    margins: Mapping[str, int]
    priors: Priors
    fixed: Mapping[str, float]
    structure: Structure
    seed: int


def log_likelihoods(problem: Problem, piece: tuple[Floats, range]) -> Floats:
    """Return the log likelihood of some parameter values.

    Parameters
    ----------
    problem : Problem
        What is calibrated.
    piece : tuple of ndarray of float64, shape (N, d), and range
        Standard normal numbers of the parameters (:class:`Priors`), and the replications to simulate.

    Returns
    -------
    ndarray of float64, shape (N,)
        Of each row alone: it depends neither on the other rows, nor on who computes it.
    """
    z, block = piece
    ensemble = Ensemble(problem.scenario, problem.margins, Luck(problem.seed), block)
    found = np.empty(z.shape[0])
    for row, values in enumerate(problem.priors.values(z)):
        named = dict(problem.fixed) | dict(zip(problem.priors.names, values.tolist(), strict=True))
        studies = ensemble.reports(parameters_of(named, problem.structure))
        found[row] = sum(log_counts(studies, problem.observed).values()) + log_survival(studies, problem.observed)
    return found
