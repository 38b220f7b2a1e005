"""What a calibration has learnt, parameter by parameter, and how far its own chance may have moved it.

All of it on the scale on which a prior is standard normal (:mod:`blinasim.inference.priors`): the prior's mean is 0 and
its standard deviation 1, whatever the distribution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blinasim.inference.posterior import Posterior
from blinasim.inference.priors import Priors
from blinasim.model.catalogue import parameter_catalogue
from blinasim.statistics.curves import normal_quantile

Floats = NDArray[np.float64]

#: Below this the figures have said next to nothing about a parameter.
LEAST_CONTRACTION: Final = 0.2
#: A standard normal number's 95 % limit.
_LIMIT: Final = normal_quantile(0.95)
#: Correlations of the posterior that are listed.
_LISTED: Final = 0.3


@dataclass(frozen=True)
class Learnt:
    """What the figures have said about one parameter.

    Attributes
    ----------
    name : str
        Dotted name.
    mean, sd : float
        Posterior mean and standard deviation, in the parameter's unit.
    lower, median, upper : float
        Quantiles of the posterior (2.5, 50, 97.5 %).
    prior_lower, prior_median, prior_upper : float
        The same of the prior.
    contraction : float
        1 less the posterior over the prior variance.
    z_score : float
        By how many of the prior's standard deviations the mean has moved.
    ess : float
        What the draws are worth, in independent ones, for the mean.
    mcse : float
        Standard error of the mean by the calibration's own chance, in posterior standard deviations.
    """

    name: str
    mean: float
    sd: float
    lower: float
    median: float
    upper: float
    prior_lower: float
    prior_median: float
    prior_upper: float
    contraction: float
    z_score: float
    ess: float
    mcse: float

    @property
    def is_informed(self) -> bool:
        """Whether the figures have said something about it."""
        return self.contraction > LEAST_CONTRACTION


@dataclass(frozen=True)
class Correlation:
    """Two parameters that the figures have tied to each other: correlation of their standard normal numbers."""

    first: str
    second: str
    correlation: float


def contraction(z: Floats, weights: Floats) -> Floats:
    """Return 1 less the posterior over the prior variance, shape (d,), of standard normal numbers (S, d).

    ``weights``, shape (S,), add up to 1. Schad, Betancourt and Vasishth, Psychol Methods 2021;26:103-126.
    """
    return np.asarray(1.0 - weights @ np.square(z - weights @ z))


def learnt(posterior: Posterior) -> tuple[Learnt, ...]:
    """Return what was learnt of every parameter that has a prior, in the order of the catalogue."""
    priors, z = standardised(posterior)
    weights = posterior.weights
    contracted = contraction(z, weights)
    worth = mean_worth(z, weights, kept_sweeps=_kept_sweeps(posterior))
    luck = 1.0 / max(_replications(posterior), 1.0)
    ends = priors.values(np.array([[-_LIMIT], [0.0], [_LIMIT]]) * np.ones((3, len(priors))))
    found = []
    for i, name in enumerate(priors.names):
        values = posterior.values(name)
        lower, median, upper = weighted_quantiles(values, weights, (0.025, 0.5, 0.975))
        found.append(
            Learnt(
                name,
                posterior.mean(name),
                posterior.standard_deviation(name),
                lower,
                median,
                upper,
                float(ends[0, i]),
                float(ends[1, i]),
                float(ends[2, i]),
                contraction=float(contracted[i]),
                z_score=float(weights @ z[:, i]),
                ess=float(worth[i]),
                mcse=float(np.sqrt(1.0 / worth[i] + max(contracted[i], 0.0) * luck)),
            )
        )
    return tuple(found)


def standardised(posterior: Posterior) -> tuple[Priors, Floats]:
    """Return all priors that are no constants, and the draws as standard normal numbers, shape (S, d)."""
    catalogue = parameter_catalogue()
    names = [name for name, info in catalogue.items() if info.prior.distribution != "fixed"]
    priors = Priors.of(catalogue, names)
    return priors, priors.normal_scores(np.stack([posterior.values(name) for name in names], axis=1))


def mean_worth(z: Floats, weights: Floats, *, kept_sweeps: int = 1) -> Floats:
    """Return the effective number of draws for the mean of each column.

    Draws are the particles of so many kept sweeps, one after the other; what descends in the same place from sweep to
    sweep is one cluster, whose members are not independent. The variance of the weighted mean is that between the
    clusters (a ratio estimator's: Cochran, Sampling Techniques, 1977, chapter 6).

    Parameters
    ----------
    z : (S, d) array of float
        Draws as standard normal numbers.
    weights : (S,) array of float
        Theirs, of any sum.
    kept_sweeps : int
        How many sweeps the draws are from; a divisor of S.

    Returns
    -------
    (d,) array of float
        The variance of a column over that of its mean.
    """
    shares = weights / weights.sum()
    deviations = (z - shares @ z) * shares[:, np.newaxis]
    clusters = deviations.reshape(kept_sweeps, -1, z.shape[1]).sum(axis=0)
    error = np.square(clusters).sum(axis=0)
    variance = shares @ np.square(z - shares @ z)
    return np.asarray(variance / np.maximum(error, 1e-300))


def _kept_sweeps(posterior: Posterior) -> int:
    """Return from how many sweeps the draws are, if they are all there."""
    effort: Mapping[str, Any] = posterior.about.get("conduct", {}).get("effort", {})
    particles = int(effort.get("particles", 0))
    draws = len(posterior.draws)
    return draws // particles if particles and draws % particles == 0 else 1


def _replications(posterior: Posterior) -> float:
    """Return how many simulated studies each draw was weighed by; their luck is the same for all draws."""
    return float(posterior.about.get("conduct", {}).get("final_replications", np.inf))


def weighted_quantiles(values: Floats, weights: Floats, probabilities: Sequence[float]) -> list[float]:
    """Return quantiles of weighted draws: the first at which the weights add up to the probability.

    Parameters
    ----------
    values, weights : (S,) array of float
        Draws, and their weights of any sum.
    probabilities : sequence of float
        From 0 to 1.

    Returns
    -------
    list of float
        In the unit of the values, one for each probability.
    """
    order = np.argsort(values, kind="stable")
    upto = np.cumsum(weights[order]) / weights.sum()
    places = np.minimum(np.searchsorted(upto, probabilities, side="left"), values.size - 1)
    return [float(value) for value in values[order][places]]


def correlations(posterior: Posterior, least: float = _LISTED) -> tuple[Correlation, ...]:
    """Return the pairs of parameters that are correlated under the posterior, strongest first.

    Parameters
    ----------
    posterior : Posterior
        Whose draws, as standard normal numbers.
    least : float
        Size of the weighted Pearson correlation from which a pair is listed.

    Returns
    -------
    tuple of Correlation
    """
    priors, z = standardised(posterior)
    weights = posterior.weights / posterior.weights.sum()
    deviations = z - weights @ z
    covariance = (deviations * weights[:, np.newaxis]).T @ deviations
    spread = np.sqrt(np.diag(covariance))
    matrix = covariance / np.outer(spread, spread)
    found = [
        Correlation(priors.names[i], priors.names[j], float(matrix[i, j]))
        for i, j in zip(*np.triu_indices(len(priors), 1), strict=True)
        if abs(matrix[i, j]) >= least
    ]
    return tuple(sorted(found, key=lambda pair: -abs(pair.correlation)))


@dataclass(frozen=True)
class Agreement:
    """How far two calibrations with other luck agree about one parameter.

    Attributes
    ----------
    name : str
        Dotted name.
    difference : float
        Of the posterior means, the first less the second, in posterior standard deviations.
    error : float
        Its standard error, in the same unit.
    larger_mcse, smaller_ess : float
        The worse of the two calibrations' own: see :class:`Learnt`.
    """

    name: str
    difference: float
    error: float
    larger_mcse: float
    smaller_ess: float

    @property
    def agrees(self) -> bool:
        """Whether the difference is within three standard errors."""
        return abs(self.difference) <= 3.0 * self.error


def agreement(first: Posterior, second: Posterior) -> tuple[Agreement, ...]:
    """Compare two calibrations in the parameters about which both have learnt something.

    Parameters
    ----------
    first, second : Posterior
        Of the same priors, with other luck.

    Returns
    -------
    tuple of Agreement
        In the order of the catalogue.
    """
    found = []
    (priors, z), (_, other_z) = standardised(first), standardised(second)
    for i, (one, other) in enumerate(zip(learnt(first), learnt(second), strict=True)):
        if not (one.is_informed and other.is_informed):
            continue
        means = first.weights @ z[:, i] - second.weights @ other_z[:, i]
        sd = np.sqrt(1.0 - (one.contraction + other.contraction) / 2.0)
        found.append(
            Agreement(
                priors.names[i],
                float(means / sd),
                float(np.hypot(one.mcse, other.mcse)),
                max(one.mcse, other.mcse),
                min(one.ess, other.ess),
            )
        )
    return tuple(found)
