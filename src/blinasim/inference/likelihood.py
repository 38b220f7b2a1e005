"""The likelihood of a report of the study: exact counts by the chain rule, times a synthetic likelihood of survival.

Counts: given the parameters the patients are independent, so each term is a multinomial whose probabilities are those
of all patients of all replications. Survival summaries: Gaussian (Wood, Nature 2010;466:1102), *given the counts*: they
are regressed on the proportions over the replications and predicted at the observed ones, so that what a count has said
already is not said again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from blinasim.inference.priors import Priors
from blinasim.inference.regression import Regression, Typical, given_counts, mills
from blinasim.inference.study import SUMMARIES, TERMS, Ensemble, Observed, Studies
from blinasim.luck import Luck
from blinasim.model.parameters import Structure, parameters_of
from blinasim.scenario.settings import Scenario

Floats = NDArray[np.float64]

#: Added to every cell of a pooled count: an empty cell is a rare one, not an impossible one.
_SMOOTHING: Final = 0.5
#: Fewer replications than this cannot be regressed on as many proportions as there are.
LEAST_REPLICATIONS: Final = 12
_LOWEST: Final = -1e6
#: Replications simulated in one go, of several parameter values where each has few: it saves time, and changes no bit.
_ROWS_AT_ONCE: Final = 200


def log_ways(cells: Floats) -> Floats:
    """Return the log number of ways in which counts come about, of the last axis: the multinomial coefficient."""
    return np.asarray(special.gammaln(cells.sum(axis=-1) + 1.0) - special.gammaln(cells + 1.0).sum(axis=-1))


def log_counts(studies: Studies, observed: Observed) -> dict[str, float]:
    """Return the log probability of the observed counts, by the name of their term.

    Multinomial, with the proportions of all patients of all simulated reports; each cell has a little added, so that
    an empty one is rare and not impossible.

    Parameters
    ----------
    studies : Studies
        Simulated reports.
    observed : Observed
        The report.

    Returns
    -------
    dict of str to float
    """
    found = {}
    for term in TERMS:
        cells = np.asarray(observed.counts[term.name], dtype=np.float64)
        pooled = studies.counts[term.name].sum(axis=0) + _SMOOTHING
        found[term.name] = float(log_ways(cells) + special.xlogy(cells, pooled / pooled.sum()).sum())
    return found


def log_survival(studies: Studies, observed: Observed, typical: Typical | None = None) -> float:
    """Return the log probability of the observed survival summaries, given the observed counts.

    Their joint Gaussian is integrated over the rounding of each in turn, given the ones before it; a median that was
    not observed is integrated over all that it may be.

    Parameters
    ----------
    studies : Studies
        Simulated reports.
    observed : Observed
        The report.
    typical : Typical, optional
        How survival depends on counts, towards which few replications are shrunk.

    Returns
    -------
    float
        Of all five together.
    """
    return _chain(given_counts(studies, observed, typical), observed, tuple(range(len(SUMMARIES))))[0]


def _chain(regression: Regression, observed: Observed, order: tuple[int, ...]) -> tuple[float, tuple[float, ...]]:
    """Return the log probability of the summaries, taken in an order; and of the last one given the others.

    Of the last: its log probability, and the mean and the standard deviation that the others let expect.
    """
    places = np.array(order)
    mean = regression.slopes[0][places]
    covariance = regression.covariance[np.ix_(places, places)] * (1.0 + regression.leverage)
    root = np.linalg.cholesky(covariance)
    total, standard, of_last = 0.0, np.zeros(mean.size), (0.0, 0.0, 1.0)
    for i, place in enumerate(order):
        centre, spread = mean[i] + root[i, :i] @ standard[:i], root[i, i]
        low, high = (observed.lower[place] - centre) / spread, (observed.upper[place] - centre) / spread
        found = log_between(low, high)
        total += found
        standard[i] = _middle(low, high)
        of_last = (max(found, _LOWEST), float(centre), float(spread))
    return max(total, _LOWEST), of_last


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
        return float(mills(np.asarray(low)))
    return -float(mills(np.asarray(-high))) if np.isfinite(high) else 0.0


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
    typical : Typical, optional
        How survival depends on counts, at typical parameters.
    """

    scenario: Scenario
    observed: Observed
    margins: Mapping[str, int]
    priors: Priors
    fixed: Mapping[str, float]
    structure: Structure
    seed: int
    typical: Typical | None = None


def _reports(problem: Problem, piece: tuple[Floats, range]) -> Iterator[Studies]:
    """Simulate the study at each row of a piece, with the same luck."""
    return (studies for _, studies in lived(problem, piece))


def lived(problem: Problem, piece: tuple[Floats, range]) -> Iterator[tuple[NDArray[np.integer], Studies]]:
    """Simulate the study at each row of a piece, with the same luck; few replications of several rows at once.

    Parameters
    ----------
    problem : Problem
        What is calibrated against what.
    piece : tuple
        Standard normal numbers (N, d), and the replications.

    Yields
    ------
    death : ndarray of integers, shape (R, n)
        Day of death of every patient, ``NONE`` for those alive at the horizon.
    studies : Studies
        What the study reports.
    """
    z, block = piece
    ensembles: dict[int, Ensemble] = {}
    values = problem.priors.values(z)
    at_once = max(1, _ROWS_AT_ONCE // len(block))
    for first in range(0, z.shape[0], at_once):
        some = values[first : first + at_once]
        copies = some.shape[0]
        if copies not in ensembles:
            luck = Luck(problem.seed)
            ensembles[copies] = Ensemble(problem.scenario, problem.margins, luck, block, copies)
        each = [float(some[0, i]) if copies == 1 else np.repeat(some[:, i], len(block))[:, np.newaxis]
                for i in range(some.shape[1])]  # fmt: skip
        named: dict[str, float | Floats] = {**problem.fixed, **dict(zip(problem.priors.names, each, strict=True))}
        history, studies = ensembles[copies].lived(parameters_of(named, problem.structure))
        for copy in range(copies):
            rows = slice(copy * len(block), (copy + 1) * len(block))
            yield history.death[rows], studies if copies == 1 else studies.rows(rows)


def expectations(problem: Problem, piece: tuple[Floats, range]) -> Floats:
    """Return what some parameter values let expect: log probabilities of all cells, then means of the summaries.

    Parameters
    ----------
    problem, piece
        As for :func:`log_likelihoods`.

    Returns
    -------
    ndarray of float64, shape (N, cells + 5)
        The cells in the order of ``TERMS``.
    """
    rows = []
    for studies in _reports(problem, piece):
        mean = given_counts(studies, problem.observed, problem.typical).slopes[0]
        rows.append(np.concatenate([_log_cells(studies), mean]))
    return np.array(rows)


def _log_cells(studies: Studies) -> Floats:
    """Return the log probabilities of all cells, in the order of ``TERMS``."""
    pooled = [studies.counts[term.name].sum(axis=0) + _SMOOTHING for term in TERMS]
    return np.concatenate([np.log(cells / cells.sum()) for cells in pooled])


@dataclass(frozen=True, eq=False)
class Examined:
    """What some parameter values say of each figure, arrays of N rows.

    Attributes
    ----------
    log_cells : ndarray of float64, shape (N, cells)
        Log probabilities of the cells of all terms, in the order of ``TERMS``.
    survival : ndarray of float64, shape (N,)
        Log probability of the survival summaries together, given the counts.
    given_others : ndarray of float64, shape (N, 5)
        Log probability of each summary, given the counts and the other summaries.
    centre, spread : ndarray of float64, shape (N, 5)
        Mean and standard deviation of each summary, on its scale, given the same.
    """

    log_cells: Floats
    survival: Floats
    given_others: Floats
    centre: Floats
    spread: Floats

    @classmethod
    def of(cls, columns: Floats) -> Examined:
        """Take the columns that :func:`examine` returns."""
        each = len(SUMMARIES)
        first = columns.shape[1] - 3 * each - 1
        own = columns[:, first + 1 :]
        return cls(columns[:, :first], columns[:, first], own[:, :each], own[:, each : 2 * each], own[:, 2 * each :])

    def cells(self, term: str) -> Floats:
        """Return the log probabilities of one term's cells, shape (N, its cells).

        Raises
        ------
        KeyError
            If there is no such term.
        """
        first = 0
        for each in TERMS:
            if each.name == term:
                return self.log_cells[:, first : first + len(each.cells)]
            first += len(each.cells)
        raise KeyError(term)

    def log_term(self, term: str, observed: Observed) -> Floats:
        """Return the log probability of the observed counts of one term, shape (N,)."""
        counts = np.asarray(observed.counts[term], dtype=np.float64)
        return np.asarray(log_ways(counts) + self.cells(term) @ counts)

    def log_likelihood(self, observed: Observed) -> Floats:
        """Return the log likelihood of all figures, shape (N,)."""
        return np.asarray(sum(self.log_term(term.name, observed) for term in TERMS) + self.survival)


def examine(problem: Problem, piece: tuple[Floats, range]) -> Floats:
    """Return what some parameter values say of each figure, as columns that :class:`Examined` reads.

    Parameters
    ----------
    problem, piece
        As for :func:`log_likelihoods`.

    Returns
    -------
    ndarray of float64, shape (N, columns)
        A row a value: cells of all terms; summaries jointly; log probability, mean and SD of each given the others.
    """
    last_in_turn = [(*(j for j in range(len(SUMMARIES)) if j != i), i) for i in range(len(SUMMARIES))]
    rows = []
    for studies in _reports(problem, piece):
        regression = given_counts(studies, problem.observed, problem.typical)
        joint, _ = _chain(regression, problem.observed, tuple(range(len(SUMMARIES))))
        own = np.array([_chain(regression, problem.observed, order)[1] for order in last_in_turn])
        rows.append(np.concatenate([_log_cells(studies), [joint], *own.T]))
    return np.array(rows)


def information(problem: Problem, centre: Floats, slopes: Floats) -> Floats:
    """Return the expected (Fisher) information of the figures about the parameters, as standard normal numbers.

    Parameters
    ----------
    problem : Problem
        With what is typical of survival.
    centre : ndarray of float64, shape (cells + 5,)
        The expectations at a point.
    slopes : ndarray of float64, shape (d, cells + 5)
        How they change with each parameter.

    Returns
    -------
    ndarray of float64, shape (d, d)
        Symmetrical, not negative.
    """
    assert problem.typical is not None
    patients = np.concatenate([np.full(len(term.cells), sum(problem.observed.counts[term.name])) for term in TERMS])
    of_cells, of_means = slopes[:, : patients.size], slopes[:, patients.size :]
    weights = patients * np.exp(centre[: patients.size])
    found = (of_cells * weights) @ of_cells.T
    found += of_means @ np.linalg.solve(problem.typical.covariance, of_means.T)
    return np.asarray((found + found.T) / 2.0)


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
    found = np.empty(piece[0].shape[0])
    for row, studies in enumerate(_reports(problem, piece)):
        found[row] = sum(log_counts(studies, problem.observed).values()) + log_survival(
            studies, problem.observed, problem.typical
        )
    return found
