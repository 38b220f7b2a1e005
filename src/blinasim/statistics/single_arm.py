"""Single-arm trials with a binary outcome: exact test, Simon's two stages, predictive-probability monitoring.

All three are one thing: looks at so many patients, each with a number of responses at or below which the trial
stops for futility and one from which it stops with success. What such a plan does at a true response rate is
exact, by recursion over its looks (`BinomialPlan.characteristics`).

Simon, Control Clin Trials 1989;10:1-10. Lee and Liu, Clin Trials 2008;5:93-106.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, bdtrc, betainc, betaln, gammaln

from blinasim.statistics.curves import Floats, check_fraction

#: Probabilities are compared with their limits after this, so that a limit reached exactly counts as kept.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class PlanCharacteristics:
    """What a plan does at a true response rate, exactly.

    Attributes
    ----------
    success : float
        Probability of success at any look.
    stop_success, stop_futility : (K,) array of float
        Probabilities of ending at each look, with success or without; they add up to 1.
    expected_size : float
        Mean number of patients.
    """

    success: float
    stop_success: Floats
    stop_futility: Floats
    expected_size: float


@dataclass(frozen=True)
class BinomialPlan:
    """Looks at numbers of patients, and what their responses decide.

    Attributes
    ----------
    looks : tuple of int
        Patients at each of K looks, ascending; the last is the whole trial.
    futile_at_most : tuple of int
        Responses at or below which the trial stops for futility; -1 where none do.
    success_from : tuple of int
        Responses from which the trial succeeds; above the number of patients where none do. At the last look the
        two leave no gap.
    """

    looks: tuple[int, ...]
    futile_at_most: tuple[int, ...]
    success_from: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check that it is a plan."""
        if not len(self.looks) == len(self.futile_at_most) == len(self.success_from) or not self.looks:
            raise ValueError("a plan needs two limits for each of its looks")
        if self.looks[0] < 1 or any(later <= one for one, later in zip(self.looks, self.looks[1:], strict=False)):
            raise ValueError(f"looks must be at ascending numbers of patients, not {self.looks}")
        if any(low >= high for low, high in zip(self.futile_at_most, self.success_from, strict=True)):
            raise ValueError("a number of responses cannot be futile and a success")
        if self.success_from[-1] != self.futile_at_most[-1] + 1:
            raise ValueError("the last look must decide: success_from one above futile_at_most")

    @property
    def size(self) -> int:
        """Patients of the whole trial."""
        return self.looks[-1]

    def characteristics(self, rate: float) -> PlanCharacteristics:
        """Return what the plan does at a true response rate, 0 to 1, by recursion over the looks."""
        success, futility = np.zeros(len(self.looks)), np.zeros(len(self.looks))
        alive = np.ones(1)  # probability of so many responses while the trial goes on
        before = 0
        for k, patients in enumerate(self.looks):
            alive = np.convolve(alive, binomial_pmf(patients - before, rate))
            responses = np.arange(alive.size)
            low, high = responses <= self.futile_at_most[k], responses >= self.success_from[k]
            futility[k], success[k] = alive[low].sum(), alive[high].sum()
            alive = np.where(low | high, 0.0, alive)
            before = patients
        expected = float((success + futility) @ np.array(self.looks, dtype=np.float64))
        return PlanCharacteristics(float(success.sum()), success, futility, expected)


def binomial_pmf(n: int, rate: float) -> Floats:
    """Probabilities of 0 to n successes, shape (n + 1,)."""
    x = np.arange(n + 1)
    if rate in (0.0, 1.0):
        return np.asarray(x == n * rate, dtype=np.float64)
    log_choose = gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)
    return np.asarray(np.exp(log_choose + x * np.log(rate) + (n - x) * np.log1p(-rate)))


# --- exact test ------------------------------------------------------------------------------------------


def exact_test(p0: float, alpha: float, n: int) -> BinomialPlan:
    """One look: reject a response rate of p0 or less from the least number of responses that keeps alpha.

    Parameters
    ----------
    p0 : float
        Rate under the null hypothesis.
    alpha : float
        One-sided error, kept exactly.
    n : int
        Patients.

    Returns
    -------
    BinomialPlan

    Raises
    ------
    ValueError
        When a probability is not between 0 and 1, or no number of responses keeps alpha.
    """
    check_fraction("p0", p0)
    check_fraction("alpha", alpha)
    x = np.arange(1, n + 1)
    kept = np.flatnonzero(bdtrc(x - 1, n, p0) <= alpha + _ROUNDING)
    if not kept.size:
        raise ValueError(f"not even {n} responses among {n} patients keep alpha {alpha:g}; take more patients")
    reject_from = int(x[kept[0]])
    return BinomialPlan((n,), (reject_from - 1,), (reject_from,))


def exact_size(p0: float, p1: float, alpha: float, power: float, most: int = 2_000) -> BinomialPlan:
    """Least exact test from which on every larger one has the power as well.

    Power is not monotone in n: the least size that reaches it may be followed by ones that do not, and a trial that
    enrols a patient more must not lose what it was planned for.

    Parameters
    ----------
    p0, p1 : float
        Rates under the null hypothesis and under the alternative.
    alpha, power : float
        One-sided error, and power at p1.
    most : int
        Largest number of patients tried.

    Returns
    -------
    BinomialPlan

    Raises
    ------
    ValueError
        When p1 is not above p0, or no size up to `most` will do.
    """
    _check_rates(p0, p1)
    check_fraction("power", power)
    least = None
    for n in range(most, 0, -1):
        try:
            plan = exact_test(p0, alpha, n)
        except ValueError:
            break
        if bdtrc(plan.success_from[0] - 1, n, p1) < power:
            break
        least = plan
    if least is None:
        raise ValueError(f"no exact test with {most} patients or fewer has the power {power:g}")
    return least


# --- Simon's two stages --------------------------------------------------------------------------------


@dataclass(frozen=True)
class TwoStage:
    """Simon's design: stop after n1 patients with r1 responses or fewer; reject p0 with more than r among n.

    Control Clin Trials 1989;10:1-10.
    """

    r1: int
    n1: int
    r: int
    n: int

    @property
    def plan(self) -> BinomialPlan:
        """The design as looks and limits."""
        return BinomialPlan((self.n1, self.n), (self.r1, self.r), (self.n1 + 1, self.r + 1))

    def expected_size(self, rate: float) -> float:
        """Mean number of patients at a true response rate (Simon's EN)."""
        return self.n1 + (1.0 - self.early_stop(rate)) * (self.n - self.n1)

    def early_stop(self, rate: float) -> float:
        """Probability of stopping after the first stage (Simon's PET)."""
        return float(bdtr(self.r1, self.n1, rate))


@cache
def simon(p0: float, p1: float, alpha: float, beta: float, most: int = 400) -> tuple[TwoStage, TwoStage]:
    """Search every two-stage design for the optimal and the minimax one, by exact enumeration.

    Parameters
    ----------
    p0, p1 : float
        Response rates of no interest, and of interest.
    alpha, beta : float
        Errors that are allowed at p0 and at p1.
    most : int
        Largest number of patients looked at.

    Returns
    -------
    optimal, minimax : TwoStage
        The design of least mean size at p0, and the one of least mean size among those of least size.

    Raises
    ------
    ValueError
        When p1 is not above p0, an error is not between 0 and 1, or no design of so many patients exists.
    """
    _check_rates(p0, p1)
    check_fraction("alpha", alpha)
    check_fraction("beta", beta)
    optimal: TwoStage | None = None
    minimax: TwoStage | None = None
    least = np.inf
    for n in range(2, most + 1):
        if _best_power(n, p0, p1, alpha) < 1.0 - beta - _ROUNDING:
            continue
        # The mean size of any design of n patients is at least this, which grows with n: beyond the best, stop.
        bounds = [n1 + _least_going_on(n1, p0, p1, beta) * (n - n1) for n1 in range(1, n)]
        if min(bounds) > least:
            break
        for n1, bound in enumerate(bounds, start=1):
            if bound > least:
                continue
            for design in _two_stages(n1, n, p0, p1, alpha, beta):
                mean = design.expected_size(p0)
                if minimax is None or (n == minimax.n and mean < minimax.expected_size(p0)):
                    minimax = design
                if mean < least:
                    optimal, least = design, mean
    if optimal is None or minimax is None:
        raise ValueError(f"no two-stage design with {most} patients or fewer keeps both errors")
    return optimal, minimax


def _best_power(n: int, p0: float, p1: float, alpha: float) -> float:
    """Power of the randomised most powerful test with n patients, which no test of two stages exceeds."""
    tail_0, tail_1 = (np.append(np.cumsum(binomial_pmf(n, rate)[::-1])[::-1], 0.0) for rate in (p0, p1))
    r = int(np.argmax(tail_0 <= alpha))
    share = (alpha - tail_0[r]) / (tail_0[r - 1] - tail_0[r])
    return float(tail_1[r] + share * (tail_1[r - 1] - tail_1[r]))


def _least_going_on(n1: int, p0: float, p1: float, beta: float) -> float:
    """Least probability at p0 of a second stage that a first one of n1 patients may have with this power."""
    r1 = np.arange(n1)
    allowed = r1[bdtrc(r1, n1, p1) >= 1.0 - beta - _ROUNDING]
    return float(bdtrc(allowed[-1], n1, p0)) if allowed.size else 1.0


def _two_stages(n1: int, n: int, p0: float, p1: float, alpha: float, beta: float) -> Iterator[TwoStage]:
    """Yield the designs of two given stages that keep both errors: for each r1 the one with the largest power."""
    type_1, power = (_more_than(n1, n, rate) for rate in (p0, p1))
    kept = type_1 <= alpha + _ROUNDING
    for r1 in range(n1):
        r = int(np.argmax(kept[r1]))  # the first r that keeps alpha: the most powerful
        if kept[r1, r] and r >= r1 and power[r1, r] >= 1.0 - beta - _ROUNDING:
            yield TwoStage(r1, n1, r, n)


def _more_than(n1: int, n: int, rate: float) -> Floats:
    """Probability of more than r1 responses among n1 and more than r among n, for all r1 and r, (n1 + 1, n + 1)."""
    x = np.arange(n1 + 1)[:, np.newaxis]
    needed = np.arange(n + 1)[np.newaxis, :] - x  # more than this many in the second stage
    second = np.where(needed < 0, 1.0, bdtrc(np.clip(needed, 0, n - n1), n - n1, rate))
    joint = binomial_pmf(n1, rate)[:, np.newaxis] * second
    above = np.zeros((n1 + 1, n + 1))
    above[:-1] = np.cumsum(joint[::-1], axis=0)[::-1][1:]
    return above


def _check_rates(p0: float, p1: float) -> None:
    check_fraction("p0", p0)
    check_fraction("p1", p1)
    if not p0 < p1:
        raise ValueError(f"p1 {p1:g} must be above p0 {p0:g}")


# --- predictive probability ---------------------------------------------------------------------------


def predictive_probability(
    responses: ArrayLike, n: int, size: int, reject_from: int, prior: tuple[float, float]
) -> Floats:
    """Probability that the whole trial will reject, given the responses so far and a beta prior.

    Parameters
    ----------
    responses : int or array of int
        Responses among the n patients seen.
    n, size : int
        Patients seen, and of the whole trial.
    reject_from : int
        Responses among all from which the trial rejects.
    prior : tuple of float
        Parameters a and b of the beta prior of the rate.

    Returns
    -------
    array of float
        Beta-binomial probability, of the shape of `responses`.
    """
    seen = np.asarray(responses, dtype=np.float64)[..., np.newaxis]
    left = size - n
    y = np.arange(left + 1, dtype=np.float64)
    a, b = prior[0] + seen, prior[1] + n - seen
    log_choose = gammaln(left + 1) - gammaln(y + 1) - gammaln(left - y + 1)
    mass = np.exp(log_choose + betaln(a + y, b + left - y) - betaln(a, b))
    return np.asarray((mass * (seen + y >= reject_from)).sum(axis=-1))


def lee_liu(
    p0: float,
    size: int,
    looks: tuple[int, ...],
    *,
    posterior: float,
    futility: float,
    success: float = 1.0,
    prior: tuple[float, float] = (0.5, 0.5),
) -> BinomialPlan:
    """Monitor a single-arm trial by predictive probability.

    Parameters
    ----------
    p0 : float
        Rate of no interest.
    size : int
        Patients of the whole trial.
    looks : tuple of int
        Patients at the interim looks, ascending, below `size`.
    posterior : float
        The whole trial rejects where the posterior probability of a rate above p0 is above this (theta_T).
    futility, success : float
        Stop where the predictive probability of rejecting is below `futility` (theta_L), or above `success`
        (theta_U); at 1 the trial never stops early with success.
    prior : tuple of float
        Beta prior of the rate.

    Returns
    -------
    BinomialPlan
        The looks and the whole trial, with the numbers of responses at which each stops.

    Raises
    ------
    ValueError
        When a probability is out of range, or no number of responses would reject.
    """
    check_fraction("p0", p0)
    check_fraction("posterior", posterior)
    if not 0.0 <= futility < success <= 1.0:
        raise ValueError("needs 0 <= futility < success <= 1")
    if min(prior) <= 0.0:
        raise ValueError("both parameters of the prior must be above 0")
    x = np.arange(size + 1)
    convinced = np.flatnonzero(1.0 - betainc(prior[0] + x, prior[1] + size - x, p0) > posterior)
    if not convinced.size:
        raise ValueError(f"no number of responses among {size} patients gives a posterior above {posterior:g}")
    reject_from = int(convinced[0])
    low: list[int] = []
    high: list[int] = []
    for n in looks:
        chance = predictive_probability(np.arange(n + 1), n, size, reject_from, prior)
        low.append(int(np.count_nonzero(chance < futility)) - 1)  # it rises with the responses
        high.append(n + 1 - int(np.count_nonzero(chance > success)) if success < 1.0 else n + 1)
    return BinomialPlan((*looks, size), (*low, reject_from - 1), (*high, reject_from))
