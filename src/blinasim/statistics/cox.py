"""Cox's proportional hazards for a batch of trials, with late entry and covariates that change with time.

The partial likelihood of rows (start, stop] (:mod:`blinasim.statistics.counting`), maximised by Newton's method in all
trials at once. Cox, J R Stat Soc B 1972;34:187-220; ties by Efron, J Am Stat Assoc 1977;72:557-565 (as R), or by
Breslow, Biometrics 1974;30:89-99 (as SAS).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from blinasim.statistics.counting import Rows, Times
from blinasim.statistics.curves import Bools, Floats

Ties = Literal["efron", "breslow"]

_MOST_STEPS: Final = 30
_MOST_HALVINGS: Final = 12
#: Relative change of the log likelihood at which Newton's method stops, as in R's coxph.
_TOLERANCE: Final = 1e-9
#: Information below which a covariate tells nothing: it does not vary among those at risk.
_NO_INFORMATION: Final = 1e-10
#: Largest linear predictor; a likelihood that grows for ever (separation) is long flat there.
_MOST: Final = 30.0
#: Efron's denominators keep at least this part of an event's own risk: one over the most ties.
_LEAST_PART: Final = 1e-6


@dataclass(frozen=True, eq=False)
class CoxBatch:
    """What R fits found.

    Attributes
    ----------
    coefficient, standard_error : (R, p) array of float
        Log hazard ratios, with errors from the observed information; nan where the covariate does not vary among
        those at risk.
    log_likelihood : (R,) array of float
        Of the data, partial.
    converged : (R,) array of bool
        Whether the likelihood stopped rising within the steps allowed.
    events : (R,) array of int
        How many there were.
    """

    coefficient: Floats
    standard_error: Floats
    log_likelihood: Floats
    converged: Bools
    events: NDArray[np.int64]


def fit(
    start: Times,
    stop: Times,
    event: Bools,
    covariates: Floats,
    member: Bools | None = None,
    *,
    ties: Ties = "efron",
    ridge: float = 0.0,
    begin: Floats | None = None,
    most_steps: int = _MOST_STEPS,
) -> CoxBatch:
    """Fit R trials.

    Parameters
    ----------
    start, stop : (R, n) array
        Each row's stretch (start, stop], in any unit; a patient may have several rows.
    event : (R, n) array of bool
        Whether each row ends with an event.
    covariates : (R, n, p) array of float
        Their values during the row.
    member : (R, n) array of bool, optional
        Which places hold a row; all by default.
    ties : {"efron", "breslow"}
        How events at one time are treated.
    ridge : float
        Penalty: half of it times the sum of squared coefficients is taken from the log likelihood.
    begin : (R, p) array of float, optional
        Where Newton's method begins; at 0 by default.
    most_steps : int
        Of Newton's method.

    Returns
    -------
    CoxBatch

    Raises
    ------
    ValueError
        If shapes do not agree, a row does not begin before it ends, or ties are named otherwise.
    """
    if ties not in ("efron", "breslow"):
        raise ValueError(f"ties must be efron or breslow, not {ties!r}")
    if covariates.ndim != 3 or covariates.shape[:2] != stop.shape:
        raise ValueError(f"covariates must have shape (R, n, p), not {covariates.shape}")
    rows = Rows.of(start, stop, event, member)
    return fit_rows(
        rows, rows.sorted(covariates).astype(np.float64), ties=ties, ridge=ridge, begin=begin, most_steps=most_steps
    )


def fit_rows(
    rows: Rows,
    x: Floats,
    *,
    ties: Ties = "efron",
    ridge: float = 0.0,
    begin: Floats | None = None,
    most_steps: int = _MOST_STEPS,
) -> CoxBatch:
    """Fit rows that are sorted already; see `fit`.

    Parameters
    ----------
    rows : Rows
        Rows of R trials.
    x : (R, m, p) array of float
        Covariates during each row, in the order of ``rows``.
    ties, ridge, begin, most_steps
        As for `fit`.

    Returns
    -------
    CoxBatch
    """
    trials, _, p = x.shape
    held = rows.member[..., np.newaxis]
    count = np.maximum(rows.member.sum(axis=1), 1)[:, np.newaxis, np.newaxis]
    x = np.where(held, x - _sum(np.where(held, x, 0.0))[:, np.newaxis] / count, 0.0)
    problem = _Problem.of(rows, x, ties, ridge)
    beta = np.zeros((trials, p)) if begin is None else np.array(begin, dtype=np.float64)
    at = problem.at(beta)
    converged: Bools = np.asarray(~rows.event.any(axis=1))
    for _ in range(most_steps):
        going = ~converged
        if not going.any():
            break
        part, old = problem.trials(going), _Point(*(array[going] for array in at))
        step = _solved(old.information, old.score)
        new_beta = beta[going] + step
        new = part.at(new_beta)
        for _ in range(_MOST_HALVINGS):
            worse = ~(new.log_likelihood >= old.log_likelihood - 1e-12 * np.abs(old.log_likelihood))
            if not worse.any():
                break
            step[worse] *= 0.5
            new_beta[worse] = beta[going][worse] + step[worse]
            again = part.trials(worse).at(new_beta[worse])
            for target, source in zip(new, again, strict=True):
                target[worse] = source
        change = np.abs(new.log_likelihood - old.log_likelihood)
        beta[going] = new_beta
        for target, source in zip(at, new, strict=True):
            target[going] = source
        converged[going] = change <= _TOLERANCE * np.maximum(np.abs(new.log_likelihood), 1e-3)
    variance = np.diagonal(_inverse(at.information), axis1=1, axis2=2)
    informed = np.diagonal(at.information, axis1=1, axis2=2) > _NO_INFORMATION
    with np.errstate(invalid="ignore"):
        error = np.sqrt(variance)
    return CoxBatch(
        coefficient=np.where(informed, beta, np.nan),
        standard_error=np.where(informed, error, np.nan),
        log_likelihood=at.log_likelihood,
        converged=converged,
        events=rows.event.sum(axis=1),
    )


class _Point(tuple[Floats, Floats, Floats]):
    """Log likelihood (R,), score (R, p) and information (R, p, p) at some coefficients."""

    def __new__(cls, log_likelihood: Floats, score: Floats, information: Floats) -> _Point:
        return super().__new__(cls, (log_likelihood, score, information))

    @property
    def log_likelihood(self) -> Floats:
        return self[0]

    @property
    def score(self) -> Floats:
        return self[1]

    @property
    def information(self) -> Floats:
        return self[2]


@dataclass(frozen=True, eq=False)
class _Problem:
    """Rows, their centred covariates, products of these, and the part of its tied events that each event leaves out."""

    rows: Rows
    x: Floats
    products: Floats
    left_out: Floats | None
    ridge: float

    @classmethod
    def of(cls, rows: Rows, x: Floats, ties: Ties, ridge: float) -> _Problem:
        upper = np.triu_indices(x.shape[2])
        products = x[..., upper[0]] * x[..., upper[1]]
        left_out = None
        if ties == "efron":
            happened = rows.event.astype(np.float64)
            d = rows.tied(happened[..., np.newaxis])[..., 0]
            if (d > 1.0).any():
                passed = np.cumsum(happened, axis=1) - happened
                rank = passed - np.take_along_axis(passed, rows.first, axis=1)
                left_out = np.where(rows.event, rank / np.maximum(d, 1.0), 0.0)
        return cls(rows, x, products, left_out, ridge)

    def trials(self, which: Bools) -> _Problem:
        """Return the problems of some trials."""
        if which.all():
            return self
        left_out = None if self.left_out is None else self.left_out[which]
        return _Problem(self.rows.trials(which), self.x[which], self.products[which], left_out, self.ridge)

    def at(self, beta: Floats) -> _Point:
        """Evaluate the likelihood and its derivatives; beta has shape (R, p)."""
        rows, x = self.rows, self.x
        p = x.shape[2]
        predictor = np.clip(_sum_last(x * beta[:, np.newaxis]), -_MOST, _MOST)
        risk = np.where(rows.member, np.exp(predictor), 0.0)[..., np.newaxis]
        values = np.concatenate([risk, risk * x, risk * self.products], axis=2)
        sums = rows.at_risk(values)
        if self.left_out is not None:
            sums -= self.left_out[..., np.newaxis] * rows.tied(values * rows.event[..., np.newaxis])
        happened = rows.event
        # Rounding may leave less than the patient's own part, where others that enter later have a far higher risk.
        total = np.where(happened, np.maximum(sums[..., 0], risk[..., 0] * _LEAST_PART), 1.0)
        mean = sums[..., 1 : 1 + p] / total[..., np.newaxis]
        second = sums[..., 1 + p :] / total[..., np.newaxis]
        upper = np.triu_indices(p)
        spread = second - mean[..., upper[0]] * mean[..., upper[1]]
        information = np.zeros((x.shape[0], p, p))
        packed = _sum(np.where(happened[..., np.newaxis], spread, 0.0))
        information[:, upper[0], upper[1]] = packed
        information[:, upper[1], upper[0]] = packed
        information += self.ridge * np.eye(p)
        likelihood = _sum(np.where(happened, predictor - np.log(total), 0.0)[..., np.newaxis])[..., 0]
        likelihood -= 0.5 * self.ridge * np.sum(beta**2, axis=1)
        score = _sum(np.where(happened[..., np.newaxis], x - mean, 0.0)) - self.ridge * beta
        return _Point(likelihood, score, information)


def _sum(values: Floats) -> Floats:
    """Sum over places, one by one: places that other trials of the batch need change nothing."""
    if values.shape[1] == 0:
        return np.zeros((values.shape[0], values.shape[2]))
    running: Floats = np.cumsum(values, axis=1)
    return running[:, -1]


def _sum_last(values: Floats) -> Floats:
    """Sum over covariates, in their order."""
    total = np.zeros(values.shape[:2])
    for column in range(values.shape[2]):
        total = total + values[..., column]
    return total


def _regular(information: Floats) -> Floats:
    """Give covariates that tell nothing a coefficient of 0."""
    p = information.shape[-1]
    silent = np.diagonal(information, axis1=1, axis2=2) <= _NO_INFORMATION
    blank = silent[:, :, np.newaxis] | silent[:, np.newaxis, :]
    return np.where(blank, np.eye(p), information)


def _solved(information: Floats, score: Floats) -> Floats:
    silent = np.diagonal(information, axis1=1, axis2=2) <= _NO_INFORMATION
    step: Floats = (_inverse(information) @ np.where(silent, 0.0, score)[..., np.newaxis])[..., 0]
    return step


def _inverse(information: Floats) -> Floats:
    """Invert, trial by trial; of covariates that say the same, the least squares share."""
    regular = _regular(information)
    scale = np.sqrt(np.maximum(np.diagonal(regular, axis1=1, axis2=2), 1e-300))
    scaled = regular / (scale[:, :, np.newaxis] * scale[:, np.newaxis, :])
    return np.asarray(
        np.linalg.pinv(scaled, rcond=1e-9, hermitian=True) / (scale[:, :, np.newaxis] * scale[:, np.newaxis, :])
    )
