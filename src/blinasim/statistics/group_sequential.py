"""Group-sequential boundaries, and how often trials cross them.

At look k of K the standardised statistic Z_k has mean theta sqrt(I_k) and variance 1, and corr(Z_j, Z_k) =
sqrt(I_j / I_k) for j < k: the canonical joint distribution, which log-rank statistics have with I = D p (1 - p)
after D events and a share p of the patients in one group (Jennison and Turnbull, Group Sequential Methods, 2000,
chapters 3 and 19). Tests are one-sided: large Z speaks for the treatment.

Everything is done for many trials at once, each with an information of its own: that is what looks at calendar dates
need. How much error each look may spend is the matter of ``error_spending``, the integration of
``sequential_recursion``.

O'Brien and Fleming, Biometrics 1979;35:549-556; Wang and Tsiatis, Biometrics 1987;43:193-199. Haybittle, Br J Radiol
1971;44:793-797.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from blinasim.statistics.curves import Floats, check_fraction
from blinasim.statistics.sequential_recursion import WIDEST, Recursion, falls_to, in_blocks, per_look, steps_apart


@dataclass(frozen=True, eq=False)
class Crossing:
    """Probabilities of ending at each look, (R, K) arrays: across the upper boundary, and across the lower."""

    upper: Floats
    lower: Floats

    @property
    def success(self) -> Floats:
        """Probability of ever crossing the upper boundary, (R,) array."""
        return np.asarray(self.upper.sum(axis=1))


@dataclass(frozen=True, eq=False)
class Boundaries:
    """Boundaries of the standardised statistic at each look, (R, K) arrays; infinite where a look cannot stop."""

    upper: Floats
    lower: Floats


def spending_boundaries(
    information: ArrayLike,
    alpha_spent: ArrayLike,
    *,
    lower: ArrayLike | None = None,
    beta_spent: ArrayLike | None = None,
    drift: float = 0.0,
    binding: bool = False,
) -> Boundaries:
    """Boundaries that spend a given error by each look.

    Parameters
    ----------
    information : (R, K) or (K,) array of float
        Information at the looks of each trial, ascending.
    alpha_spent : (R, K) or (K,) array of float
        Cumulative one-sided error by each look, not falling.
    lower : (R, K) or (K,) array of float, optional
        A futility boundary as given; -inf where a look has none.
    beta_spent : (R, K) or (K,) array of float, optional
        Instead of `lower`: cumulative error of the second kind by each look under `drift`. The lower boundary is never
        above the upper one.
    drift : float
        theta of the alternative, per square root of information; for `beta_spent` alone.
    binding : bool
        Whether the upper boundary counts on trials being stopped for futility. If not, alpha is kept even where the
        lower boundary is overruled.

    Returns
    -------
    Boundaries
        Of each trial. At the last look whatever is not a success is none: the lower boundary meets the upper.

    Raises
    ------
    ValueError
        When shapes differ, information does not rise, or spending falls.
    """
    info = steps_apart(information)
    alpha = per_look(alpha_spent, info)
    beta = None if beta_spent is None else per_look(beta_spent, info)
    given = np.full(info.shape, -np.inf) if lower is None else per_look(lower, info)
    for what in (alpha, beta):
        if what is not None and (np.diff(what, axis=1, prepend=0.0) < -1e-12).any():
            raise ValueError("the error spent must not fall from look to look")

    def rows(who: NDArray[np.intp]) -> tuple[Floats, Floats]:
        return _boundaries(info[who], alpha[who], given[who], None if beta is None else beta[who], drift, binding)

    upper, low = in_blocks(rows, info)
    return Boundaries(upper, low)


def crossing(information: ArrayLike, upper: ArrayLike, lower: ArrayLike | None = None, drift: float = 0.0) -> Crossing:
    """Probabilities of ending at each look.

    Parameters
    ----------
    information : (R, K) or (K,) array of float
        Information at the looks, ascending.
    upper, lower : (R, K) or (K,) array of float
        Boundaries of the standardised statistic; without `lower` a trial ends early across `upper` alone.
    drift : float
        theta: the mean of Z_k is theta sqrt(I_k).

    Returns
    -------
    Crossing
        At the last look everything below the upper boundary has crossed the lower one.

    Raises
    ------
    ValueError
        When shapes differ, or information is not above 0 or falls.
    """
    info = steps_apart(information)
    high = per_look(upper, info)
    low = np.full(info.shape, -np.inf) if lower is None else per_look(lower, info).copy()
    low[:, -1] = high[:, -1]

    def rows(who: NDArray[np.intp]) -> tuple[Floats, Floats]:
        path = Recursion(info[who], drift)
        above, below = np.empty(info[who].shape), np.empty(info[who].shape)
        for k in range(info.shape[1]):
            above[:, k], below[:, k] = path.above(high[who, k]), path.below(low[who, k])
            path.advance(low[who, k], high[who, k])
        return above, below

    return Crossing(*in_blocks(rows, info))


def wang_tsiatis(fraction: ArrayLike, alpha: float, delta: float) -> Floats:
    """Boundaries of the form c t ** (delta - 1/2), of Wang and Tsiatis (1987): O'Brien and Fleming's and Pocock's.

    Parameters
    ----------
    fraction : (K,) array of float
        Information fractions of the looks, the last one 1.
    alpha : float
        One-sided error in all.
    delta : float
        Shape: 0 gives O'Brien and Fleming's boundaries, 1/2 Pocock's.

    Returns
    -------
    (K,) array of float
        The boundary of the statistic at each look.

    Raises
    ------
    ValueError
        When alpha is not between 0 and 1, or the fractions are not above 0 or fall.
    """
    check_fraction("alpha", alpha)
    t = np.asarray(fraction, dtype=np.float64)
    shape = t ** (delta - 0.5)
    constant = brentq(lambda c: float(crossing(t, c * shape).success[0]) - alpha, 0.0, WIDEST, xtol=1e-12)
    return np.asarray(constant * shape)


def haybittle_peto(information: ArrayLike, alpha: float, interim_z: float = 3.0) -> Floats:
    """One extreme boundary at all interim looks, and the last one such that alpha is kept in all.

    Parameters
    ----------
    information : (R, K) or (K,) array of float
        Information at the looks, ascending.
    alpha : float
        One-sided error in all.
    interim_z : float
        The boundary of the statistic at interim looks.

    Returns
    -------
    (R, K) array of float
        The boundary of the statistic at each look.

    Raises
    ------
    ValueError
        When the interim looks alone spend all of alpha, alpha is not between 0 and 1, or information falls.
    """
    check_fraction("alpha", alpha)
    info = steps_apart(information)
    upper = np.full(info.shape, float(interim_z))
    path = Recursion(info, 0.0)
    used = np.zeros(info.shape[0])
    for k in range(info.shape[1] - 1):
        used += path.above(upper[:, k])
        path.advance(np.full(info.shape[0], -np.inf), upper[:, k])
    if (used >= alpha).any():
        raise ValueError(f"interim boundaries of {interim_z:g} spend {used.max():.4g}, which is all of alpha {alpha:g}")
    upper[:, -1] = falls_to(path.above, alpha - used)
    return upper


def beta_spending_drift(
    information: ArrayLike, alpha_spent: ArrayLike, beta_spent: ArrayLike, *, binding: bool = False
) -> float:
    """Drift at which alpha and beta spending meet at the last look: that for which such a design has its power.

    Parameters
    ----------
    information, alpha_spent, beta_spent : (K,) array of float
        As in `spending_boundaries`; the last of `beta_spent` is 1 less the power.
    binding : bool
        As there.

    Returns
    -------
    float
        theta, per square root of information.

    Raises
    ------
    ValueError
        When shapes differ, information or spending falls, or no theta sqrt(I_K) from 0.5 to 15 has that power.
    """
    info = steps_apart(information)
    alpha, beta = per_look(alpha_spent, info), per_look(beta_spent, info)

    def beyond(theta: float) -> float:
        drift = theta / float(np.sqrt(info[0, -1]))
        bounds = spending_boundaries(info, alpha, beta_spent=beta, drift=drift, binding=binding)
        return float(crossing(info, bounds.upper, bounds.lower, drift).success[0]) - (1.0 - float(beta[0, -1]))

    return float(brentq(beyond, 0.5, 15.0, xtol=1e-9) / np.sqrt(info[0, -1]))


def _boundaries(
    information: Floats, alpha: Floats, lower: Floats, beta: Floats | None, drift: float, binding: bool
) -> tuple[Floats, Floats]:
    """Find the upper and the lower boundary look by look, (R, K) arrays."""
    null = Recursion(information, 0.0)
    alternative = Recursion(information, drift) if beta is not None else None
    upper, low = np.empty(information.shape), np.empty(information.shape)
    everywhere = np.full(information.shape[0], -np.inf)
    for k in range(information.shape[1]):
        last = k == information.shape[1] - 1
        upper[:, k] = falls_to(null.above, alpha[:, k] - (alpha[:, k - 1] if k else 0.0))
        low[:, k] = lower[:, k]
        if alternative is not None and beta is not None and not last:
            increment = beta[:, k] - (beta[:, k - 1] if k else 0.0)
            low[:, k] = -falls_to(lambda z: alternative.below(-z), increment)
        low[:, k] = upper[:, k] if last else np.minimum(low[:, k], upper[:, k])
        null.advance(low[:, k] if binding else everywhere, upper[:, k])
        if alternative is not None:
            alternative.advance(low[:, k], upper[:, k])
    return upper, low
