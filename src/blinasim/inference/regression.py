"""Survival summaries regressed on proportions over simulated reports, predicted at the observed proportions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from blinasim.inference.study import Observed, Studies

Floats = NDArray[np.float64]

#: How many replications typical slopes, variances and correlations are worth, beside those simulated.
_SLOPES_WORTH, _VARIANCES_WORTH, _CORRELATIONS_WORTH = 100.0, 50.0, 200.0
#: A residual variance of those summaries, worth one replication, where nothing typical is known.
_USUAL_VARIANCE: Final = 0.02
#: Rounds of imputing what is censored.
_ROUNDS: Final = 8
#: Place of the patients alive at the cut-off in the term "fate".
_ALIVE: Final = 5


@dataclass(frozen=True, eq=False)
class Typical:
    """How survival summaries depend on counts at typical parameters, towards which few replications are shrunk.

    How the median moves with the response rate hardly depends on the parameters, and estimating it anew from a few
    replications would be most of the noise of the likelihood.

    Attributes
    ----------
    spread : ndarray of float64, shape (k, k)
        Covariance of the proportions (the regressors) between replications.
    slopes : ndarray of float64, shape (k, 5)
        Of the summaries on the proportions.
    covariance : ndarray of float64, shape (5, 5)
        Of the summaries given the proportions.
    """

    spread: Floats
    slopes: Floats
    covariance: Floats

    @classmethod
    def of(cls, studies: Studies, observed: Observed) -> Typical:
        """Estimate it from many replications at typical parameters."""
        regression = given_counts(studies, observed, None)
        proportions = _design(studies, observed)[:, 1:]
        return cls(np.cov(proportions, rowvar=False), regression.slopes[1:], regression.covariance)


@dataclass(frozen=True, eq=False)
class Regression:
    """Summaries regressed on proportions over k proportions and 5 summaries.

    Attributes
    ----------
    slopes : ndarray of float64, shape (1 + k, 5)
        The first row is the mean at the observed proportions.
    covariance : ndarray of float64, shape (5, 5)
        Of the summaries given the proportions.
    leverage : float
        Variance of that mean in units of ``covariance``.
    """

    slopes: Floats
    covariance: Floats
    leverage: float


def given_counts(studies: Studies, observed: Observed, typical: Typical | None) -> Regression:
    """Regress the summaries on how far the proportions lie from the observed ones.

    A summary that a replication has not reached is a censored value of the regression (Tobin, Econometrica 1958;26:24):
    imputed by its mean given the limit, its spread added to the residual variance, until that settles.

    Parameters
    ----------
    studies : Studies
        Simulated reports.
    observed : Observed
        The report.
    typical : Typical, optional
        Towards which slopes and covariance are shrunk.

    Returns
    -------
    Regression
    """
    design = _design(studies, observed)
    replications, regressors = design.shape
    columns = studies.summaries.shape[1]
    missing = ~np.isfinite(studies.summaries)
    values = _first_guess(studies, missing)
    # What is typical stands in the normal equations as so many more replications.
    precision, known = design.T @ design, np.zeros((regressors, columns))
    scatter, freedom = _USUAL_VARIANCE * np.eye(columns), replications - regressors + 1.0
    if typical:
        precision[1:, 1:] += _SLOPES_WORTH * typical.spread
        known[1:] = _SLOPES_WORTH * typical.spread @ typical.slopes
        scatter, freedom = _VARIANCES_WORTH * typical.covariance, replications - 1.0 + _VARIANCES_WORTH
    inverse = np.linalg.inv(precision + np.diag([0.0, *(1e-6 * replications,) * (regressors - 1)]))
    extra = np.zeros_like(values)
    for _ in range(_ROUNDS if missing.any() else 0):
        fitted = design @ (inverse @ (design.T @ values + known))
        squares = np.square(values - fitted).sum(axis=0) + extra.sum(axis=0) + np.diag(scatter)
        deviation = np.sqrt(squares / freedom)
        limit = np.where(missing, np.minimum((studies.reached - fitted) / deviation, 8.0), -np.inf)
        beyond = mills(limit)
        variance = 1.0 + np.where(np.isfinite(limit), limit, 0.0) * beyond - beyond**2
        values = np.where(missing, fitted + deviation * beyond, values)
        extra = np.where(missing, deviation**2 * variance, 0.0)
    slopes = inverse @ (design.T @ values + known)
    residuals = values - design @ slopes
    scatter = residuals.T @ residuals + np.diag(extra.sum(axis=0)) + scatter
    covariance = scatter / freedom
    if typical:
        deviations = np.sqrt(np.diag(covariance))
        scatter += (_CORRELATIONS_WORTH - _VARIANCES_WORTH) * typical.covariance
        scale = deviations / np.sqrt(np.diag(scatter))
        covariance = scatter * scale * scale[:, np.newaxis]
    return Regression(slopes, covariance, float(inverse[0, 0]))


def _first_guess(studies: Studies, missing: NDArray[np.bool_]) -> Floats:
    """Return the summaries, with something in the place of those that are missing to begin with."""
    count = np.maximum((~missing).sum(axis=0), 1)
    typical = np.where(missing, 0.0, studies.summaries).sum(axis=0) / count
    limited = np.where(np.isfinite(studies.reached), studies.reached + 0.1, typical)
    return np.where(missing, limited, studies.summaries)


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


def mills(low: Floats) -> Floats:
    """Mean of a standard normal number above a limit; 0 above minus infinity."""
    return np.asarray(np.exp(-0.5 * np.square(low) - 0.5 * np.log(2.0 * np.pi) - special.log_ndtr(-low)))
