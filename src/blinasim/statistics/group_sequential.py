"""Group-sequential boundaries and what they do, by recursive numerical integration.

At look k of K the standardised statistic Z_k has mean theta sqrt(I_k) and variance 1, and corr(Z_j, Z_k) =
sqrt(I_j / I_k) for j < k: the canonical joint distribution, which log-rank statistics have with I = D p (1 - p)
after D events and a share p of the patients in one group (Jennison and Turnbull, Group Sequential Methods, 2000,
chapters 3 and 19). Tests are one-sided: large Z speaks for the treatment.

The density of Z_k among trials that go on is carried from look to look on Gauss-Legendre nodes. Everything is done
for many trials at once, each with an information of its own: that is what looks at calendar dates need.

Lan and DeMets, Biometrika 1983;70:659-663. Hwang, Shih and DeCani, Stat Med 1990;9:1439-1445. O'Brien and Fleming,
Biometrics 1979;35:549-556; Wang and Tsiatis, Biometrics 1987;43:193-199. Haybittle, Br J Radiol 1971;44:793-797.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from blinasim.statistics.curves import Floats, check_fraction

Spending: TypeAlias = Literal["obrien_fleming", "pocock", "hwang_shih_decani"]

#: How far from its mean Z is followed, standard deviations: beyond lies less than 1e-17.
_REACH = 8.5
#: Nodes per standard deviation of what is integrated, and their least and most number.
_NODES_A_DEVIATION = 4.0
_NODES = (48, 640)
#: Two looks are treated as at least this far apart, as a share of the information: narrower steps need no finer nodes.
_LEAST_STEP = 1e-3
#: Cells of a transition that are held at once.
_CELLS = 4_000_000
#: A boundary is looked for between minus and plus this, and found to 20 / 2 ** 50.
_WIDEST, _HALVINGS = 20.0, 50


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


def spent(family: Spending, fraction: ArrayLike, alpha: float, gamma: float = -4.0) -> Floats:
    """Error spent by an information fraction.

    Parameters
    ----------
    family : {"obrien_fleming", "pocock", "hwang_shih_decani"}
        Lan and DeMets' spending functions like O'Brien and Fleming's boundaries and like Pocock's; Hwang, Shih and
        DeCani's family.
    fraction : float or array of float
        Information over the planned maximum; above 1 all is spent.
    alpha : float
        One-sided error in all.
    gamma : float
        Of the Hwang-Shih-DeCani family: -4 is like O'Brien and Fleming, 1 like Pocock, 0 is linear.

    Returns
    -------
    array of float
        Cumulative error, of the shape of `fraction`.

    Raises
    ------
    ValueError
        When alpha is not between 0 and 1, or the family is unknown.
    """
    check_fraction("alpha", alpha)
    t = np.clip(np.asarray(fraction, dtype=np.float64), 0.0, 1.0)
    if family == "obrien_fleming":
        with np.errstate(divide="ignore"):
            return np.asarray(2.0 * ndtr(ndtri(alpha / 2) / np.sqrt(t)))
    if family == "pocock":
        return np.asarray(alpha * np.log1p((np.e - 1.0) * t))
    if family == "hwang_shih_decani":
        return np.asarray(alpha * (t if gamma == 0.0 else np.expm1(-gamma * t) / np.expm1(-gamma)))
    raise ValueError(f"no spending function is called {family!r}")


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
    info = _information(information)
    alpha = _like(alpha_spent, info)
    beta = None if beta_spent is None else _like(beta_spent, info)
    given = np.full(info.shape, -np.inf) if lower is None else _like(lower, info)
    for what in (alpha, beta):
        if what is not None and (np.diff(what, axis=1, prepend=0.0) < -1e-12).any():
            raise ValueError("the error spent must not fall from look to look")

    def rows(who: NDArray[np.intp]) -> tuple[Floats, Floats]:
        return _boundaries(info[who], alpha[who], given[who], None if beta is None else beta[who], drift, binding)

    upper, low = _in_blocks(rows, info)
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
    """
    info = _information(information)
    high = _like(upper, info)
    low = np.full(info.shape, -np.inf) if lower is None else _like(lower, info).copy()
    low[:, -1] = high[:, -1]

    def rows(who: NDArray[np.intp]) -> tuple[Floats, Floats]:
        path = _Path(info[who], drift)
        above, below = np.empty(info[who].shape), np.empty(info[who].shape)
        for k in range(info.shape[1]):
            above[:, k], below[:, k] = path.above(high[who, k]), path.below(low[who, k])
            path.advance(low[who, k], high[who, k])
        return above, below

    return Crossing(*_in_blocks(rows, info))


def wang_tsiatis(fraction: ArrayLike, alpha: float, delta: float) -> Floats:
    """Boundaries of the form c t ** (delta - 1/2): O'Brien and Fleming's at 0, Pocock's at 1/2.

    Parameters
    ----------
    fraction : (K,) array of float
        Information fractions of the looks, the last one 1.
    alpha : float
        One-sided error in all.
    delta : float
        Shape.

    Returns
    -------
    (K,) array of float
        The boundary at each look.
    """
    check_fraction("alpha", alpha)
    t = np.asarray(fraction, dtype=np.float64)
    shape = t ** (delta - 0.5)
    constant = brentq(lambda c: float(crossing(t, c * shape).success[0]) - alpha, 0.0, _WIDEST, xtol=1e-12)
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
        The boundary at interim looks.

    Returns
    -------
    (R, K) array of float
        The boundaries.

    Raises
    ------
    ValueError
        When the interim looks alone spend more than alpha.
    """
    check_fraction("alpha", alpha)
    info = _information(information)
    upper = np.full(info.shape, float(interim_z))
    path = _Path(info, 0.0)
    used = np.zeros(info.shape[0])
    for k in range(info.shape[1] - 1):
        used += path.above(upper[:, k])
        path.advance(np.full(info.shape[0], -np.inf), upper[:, k])
    if (used >= alpha).any():
        raise ValueError(f"interim boundaries of {interim_z:g} spend {used.max():.4g}, which is all of alpha {alpha:g}")
    upper[:, -1] = _solve(path.above, alpha - used)
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
    """
    info = _information(information)
    alpha, beta = _like(alpha_spent, info), _like(beta_spent, info)

    def beyond(theta: float) -> float:
        drift = theta / float(np.sqrt(info[0, -1]))
        bounds = spending_boundaries(info, alpha, beta_spent=beta, drift=drift, binding=binding)
        return float(crossing(info, bounds.upper, bounds.lower, drift).success[0]) - (1.0 - float(beta[0, -1]))

    return float(brentq(beyond, 0.5, 15.0, xtol=1e-9) / np.sqrt(info[0, -1]))


def conditional_power(
    z: ArrayLike, fraction: ArrayLike, final: float, drift: ArrayLike | None = None, *, share: float = 1.0
) -> Floats:
    """Probability of success at the last look, given the statistic at an earlier one.

    Parameters
    ----------
    z : float or array of float
        Statistic at the earlier look.
    fraction : float or array of float
        Its information fraction, below 1.
    final : float
        Boundary at the last look.
    drift : float or array of float, optional
        Mean of the statistic at the last look; by default the current trend, z / sqrt(fraction).
    share : float
        Information at the last look over the planned maximum, 1 by default.

    Returns
    -------
    array of float
        Conditional power (Lan and Wittes, Biometrics 1988;44:579-585).
    """
    statistic, t = np.asarray(z, dtype=np.float64), np.asarray(fraction, dtype=np.float64) / share
    end = statistic / np.sqrt(t) if drift is None else np.asarray(drift, dtype=np.float64)
    return np.asarray(ndtr((statistic * np.sqrt(t) + end * (1.0 - t) - final) / np.sqrt(1.0 - t)))


def conditional_power_boundary(
    power: float, fraction: ArrayLike, final: ArrayLike, drift: ArrayLike | None = None
) -> Floats:
    """Statistic below which the conditional power is below a limit; the inverse of `conditional_power`."""
    t, end = np.asarray(fraction, dtype=np.float64), np.asarray(final, dtype=np.float64)
    needed = end + ndtri(power) * np.sqrt(1.0 - t)
    if drift is None:  # z sqrt(t) + z (1 - t) / sqrt(t) = z / sqrt(t)
        return np.asarray(needed * np.sqrt(t))
    return np.asarray((needed - np.asarray(drift) * (1.0 - t)) / np.sqrt(t))


# --- the recursion ------------------------------------------------------------------------------------


class _Path:
    """Trials on their way through the looks: the density of Z among those that go on."""

    def __init__(self, information: Floats, drift: float) -> None:
        self._information = information
        self._drift = drift
        self._look = 0
        self._z = np.zeros((information.shape[0], 1))
        self._mass = np.ones((information.shape[0], 1))  # density times weight of each node

    def above(self, z: Floats) -> Floats:
        """Probability of going on to this look and lying above z there, (R,) array."""
        return np.asarray((self._mass * ndtr(-self._steps(z[:, np.newaxis]))).sum(axis=1))

    def below(self, z: Floats) -> Floats:
        """Probability of going on to this look and lying below z there, (R,) array."""
        return np.asarray((self._mass * ndtr(self._steps(z[:, np.newaxis]))).sum(axis=1))

    def advance(self, lower: Floats, upper: Floats) -> None:
        """Go on with the trials between two boundaries."""
        if self._look == self._information.shape[1] - 1:
            return
        here = self._information[:, self._look]
        middle = self._drift * np.sqrt(here)
        low = np.clip(lower, middle - _REACH, middle + _REACH)
        high = np.maximum(np.clip(upper, middle - _REACH, middle + _REACH), low)
        nodes, weights = _legendre(self._nodes((high - low).max()))
        half = 0.5 * (high - low)[:, np.newaxis]
        z = 0.5 * (high + low)[:, np.newaxis] + half * nodes
        steps = self._steps(z[:, :, np.newaxis])
        density = np.exp(-0.5 * steps**2) @ self._mass[:, :, np.newaxis]
        scale = np.sqrt(here / self._increment) / np.sqrt(2.0 * np.pi)
        self._mass = scale[:, np.newaxis] * density[:, :, 0] * half * weights
        self._z = z
        self._look += 1

    @property
    def _increment(self) -> Floats:
        here = self._information[:, self._look]
        return here if self._look == 0 else here - self._information[:, self._look - 1]

    def _steps(self, z: Floats) -> Floats:
        """Standardised steps from every node to z, which has a last axis of length 1 for them."""
        shape = (-1,) + (1,) * (z.ndim - 1)
        here = np.sqrt(self._information[:, self._look]).reshape(shape)
        step = self._increment.reshape(shape)
        before = np.zeros_like(self._z)
        if self._look:
            before = self._z * np.sqrt(self._information[:, self._look - 1])[:, np.newaxis]
        if z.ndim == 3:
            before = before[:, np.newaxis, :]
        return np.asarray((z * here - before - self._drift * step) / np.sqrt(step))

    def _nodes(self, length: float) -> int:
        """Nodes needed: what is integrated is as narrow as the step before and the step to come."""
        here = self._information[:, self._look]
        ahead = self._information[:, self._look + 1] - here
        narrow = np.sqrt(min(1.0, float((ahead / here).min()), float((self._increment / here).min())))
        return int(np.clip(np.ceil(_NODES_A_DEVIATION * length / narrow), *_NODES))


def _boundaries(
    information: Floats, alpha: Floats, lower: Floats, beta: Floats | None, drift: float, binding: bool
) -> tuple[Floats, Floats]:
    null = _Path(information, 0.0)
    alternative = _Path(information, drift) if beta is not None else None
    upper, low = np.empty(information.shape), np.empty(information.shape)
    everywhere = np.full(information.shape[0], -np.inf)
    for k in range(information.shape[1]):
        last = k == information.shape[1] - 1
        upper[:, k] = _solve(null.above, alpha[:, k] - (alpha[:, k - 1] if k else 0.0))
        low[:, k] = lower[:, k]
        if alternative is not None and beta is not None and not last:
            increment = beta[:, k] - (beta[:, k - 1] if k else 0.0)
            low[:, k] = -_solve(lambda z: alternative.below(-z), increment)
        low[:, k] = upper[:, k] if last else np.minimum(low[:, k], upper[:, k])
        null.advance(low[:, k] if binding else everywhere, upper[:, k])
        if alternative is not None:
            alternative.advance(low[:, k], upper[:, k])
    return upper, low


def _solve(above: Callable[[Floats], Floats], wanted: Floats) -> Floats:
    """Find z at which a falling function is as wanted, trial by trial; inf where nothing is wanted."""
    low, high = np.full(wanted.shape, -_WIDEST), np.full(wanted.shape, _WIDEST)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        too_much = above(middle) > wanted
        low, high = np.where(too_much, middle, low), np.where(too_much, high, middle)
    return np.where(wanted > 0.0, 0.5 * (low + high), np.inf)


_LEGENDRE: dict[int, tuple[Floats, Floats]] = {}


def _legendre(count: int) -> tuple[Floats, Floats]:
    if count not in _LEGENDRE:
        nodes, weights = np.polynomial.legendre.leggauss(count)
        _LEGENDRE[count] = (nodes, weights)
    return _LEGENDRE[count]


def _in_blocks(rows: Callable[[NDArray[np.intp]], tuple[Floats, Floats]], information: Floats) -> tuple[Floats, Floats]:
    """Do trials in blocks that memory holds, those with the narrowest steps apart: they need the most nodes."""
    step = (np.diff(information, axis=1) / information[:, 1:]).min(axis=1, initial=1.0)
    order = np.argsort(step, kind="stable")
    first, second = np.empty(information.shape), np.empty(information.shape)
    done = 0
    while done < order.size:
        nodes = min(_NODES[1], int(_NODES_A_DEVIATION * 2 * _REACH / np.sqrt(step[order[done]])) + 1)
        who = order[done : done + max(1, _CELLS // nodes**2)]
        first[who], second[who] = rows(who)
        done += who.size
    return first, second


def _information(information: ArrayLike) -> Floats:
    """Return information as (R, K), with steps of a least width."""
    info: NDArray[np.float64] = np.atleast_2d(np.asarray(information, dtype=np.float64))
    if not (info[:, 0] > 0.0).all() or (np.diff(info, axis=1) < 0.0).any():
        raise ValueError("information must be above 0 and must not fall from look to look")
    spread = info.copy()
    for k in range(1, info.shape[1]):
        spread[:, k] = np.maximum(info[:, k], spread[:, k - 1] * (1.0 + _LEAST_STEP))
    return spread


def _like(values: ArrayLike, information: Floats) -> Floats:
    given = np.asarray(values, dtype=np.float64)
    if given.shape[-1:] != information.shape[-1:]:
        raise ValueError(f"{given.shape[-1] if given.ndim else 1} values for {information.shape[1]} looks")
    return np.broadcast_to(given, information.shape)
