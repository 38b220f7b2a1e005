"""Leave one figure out: what the other figures say of it, and what it says that they do not.

The draws are re-weighted as if the figure had never been seen, by the inverse of its own part of the likelihood
(Gelfand, Dey and Chang 1992), smoothed (Vehtari, Gelman and Gabry, Stat Comput 2017;27:1413). What the figure's own
distribution is under those weights judges it without having learnt from it; how far the parameters move says what it
alone has taught. A count is judged given what it is counted of; the terms after it in the chain, and the survival
summaries, stay those given the published count. A Pareto k above 0.7 says that it has taught too much for that: then a
calibration without it would have to be run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from blinasim.inference.likelihood import Examined
from blinasim.inference.study import MEDIANS, SUMMARIES, TERMS, Observed, mortality_of
from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.statistics.pareto import smoothed

Floats = NDArray[np.float64]

#: A mixture of normal distributions is read off at so many points.
_GRID: Final = 1_001
#: Beyond so many standard deviations of every one of them nothing is left.
_FAR: Final = 6.0


@dataclass(frozen=True)
class LeftOut:
    """One fitted figure against what all others say of it.

    Attributes
    ----------
    figure, among : str
        What it is, and of whom, in words.
    unit : str
        ``patients``, ``months`` or ``share``.
    published : float
        The figure: a number of patients, months, or the mortality by day 100.
    of : int or None
        All patients, of a number of patients.
    median, lower, upper : float
        Median and 95 % predictive interval given all other figures, in the same unit.
    tail : float
        Two-sided tail area of the published figure, those that are published as the same counting half.
    pareto_k : float
        Of the weights without it.
    moved : str
        The parameter that moves most without it.
    moved_by : float
        By how many posterior standard deviations, with its sign.
    """

    figure: str
    among: str
    unit: str
    published: float
    of: int | None
    median: float
    lower: float
    upper: float
    tail: float
    pareto_k: float
    moved: str
    moved_by: float


def leave_one_out(
    examined: Examined, observed: Observed, weights: Floats, z: Floats, names: Sequence[str]
) -> tuple[LeftOut, ...]:
    """Judge each fitted figure by the others.

    Parameters
    ----------
    examined : Examined
        What N draws of the posterior say of each figure.
    observed : Observed
        The figures.
    weights : ndarray of float64, shape (N,)
        Of the draws, given all figures.
    z : ndarray of float64, shape (N, d)
        The draws of the sampled parameters, as standard normal numbers.
    names : sequence of str
        Their names.

    Returns
    -------
    tuple of LeftOut
        The cells of each term (of two cells the first) in the order of ``TERMS``, then the survival summaries. The
        cells of a term are left out together.
    """
    with np.errstate(divide="ignore"):
        log_weights = np.log(weights)
    mean = weights @ z
    deviation = np.sqrt(weights @ np.square(z - mean))
    found = []

    def without(own: Floats) -> tuple[Floats, tuple[float, str, float]]:
        smooth, k = smoothed(log_weights - own)
        rest = np.exp(smooth)
        shift = (rest @ z - mean) / deviation
        most = int(np.argmax(np.abs(shift)))
        return rest, (k, names[most], float(shift[most]))

    for term in TERMS:
        rest, taught = without(examined.log_term(term.name, observed))
        counts = observed.counts[term.name]
        listed = zip(term.cells, counts, np.exp(examined.cells(term.name)).T, strict=True)
        for cell, count, share in list(listed)[: 1 if len(counts) == 2 else None]:
            below, median, lower, upper = _of_counts(share, rest, count, sum(counts))
            found.append(
                LeftOut(
                    cell, term.among, "patients", float(count), sum(counts), median, lower, upper, _two_sided(below),
                    *taught,
                )
            )  # fmt: skip
    for i, name in enumerate(SUMMARIES):
        if not (np.isfinite(observed.lower[i]) and np.isfinite(observed.upper[i])):
            continue  # a figure that was not observed cannot be judged
        rest, taught = without(examined.given_others[:, i])
        limits = np.array([observed.lower[i], observed.upper[i]])
        below, at = _of_normals(examined.centre[:, i], examined.spread[:, i], rest, limits)
        scale = np.array([limits.mean(), *at])
        of = scale if name in MEDIANS else mortality_of(scale, observed)
        published, median, lower, upper = (np.exp(of) / DAYS_PER_MONTH if name in MEDIANS else of).tolist()
        unit = "months" if name in MEDIANS else "share"
        found.append(LeftOut(name, "", unit, published, None, median, lower, upper, _two_sided(below), *taught))
    return tuple(found)


def _two_sided(below: float) -> float:
    return 2.0 * min(below, 1.0 - below)


def _of_counts(share: Floats, weights: Floats, count: int, patients: int) -> tuple[float, float, float, float]:
    """Return the mid-probability below a count, and median and limits, of a mixture of binomials."""
    from scipy import stats  # slow to import

    numbers = np.arange(patients + 1)
    mass = weights @ stats.binom.pmf(numbers, patients, share[:, np.newaxis])
    upto = np.cumsum(mass)
    below = float(upto[count] - mass[count] / 2.0)
    at = np.searchsorted(upto, (0.5, 0.025, 0.975), side="left")
    median, lower, upper = (float(numbers[min(int(place), patients)]) for place in at)
    return below, median, lower, upper


def _of_normals(centre: Floats, spread: Floats, weights: Floats, limits: Floats) -> tuple[float, tuple[float, ...]]:
    """Return the probability below the middle of what is published, and median and limits, of a mixture of normals."""
    grid = np.linspace((centre - _FAR * spread).min(), (centre + _FAR * spread).max(), _GRID)
    upto, at_limits = (special.ndtr((at[:, np.newaxis] - centre) / spread) @ weights for at in (grid, limits))
    below = at_limits.mean()
    return float(below), tuple(np.interp((0.5, 0.025, 0.975), upto, grid).tolist())
