"""The recursive integration of group-sequential trials: the density of Z among those that go on, from look to look.

Between looks Z sqrt(I) moves by a normal step with the increment of information as its variance. The density is carried
on Gauss-Legendre nodes (Armitage, McPherson and Rowe, J R Stat Soc A 1969;132:235-244; Jennison and Turnbull, Group
Sequential Methods, 2000, chapter 19), for many trials at once, each with an information of its own.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from blinasim.statistics.curves import Floats

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
WIDEST, _HALVINGS = 20.0, 50


class Recursion:
    """R trials on their way through K looks: the density of Z among those that go on.

    Parameters
    ----------
    information : (R, K) array of float
        Information at the looks, as of `steps_apart`.
    drift : float
        theta: the mean of Z_k is theta sqrt(I_k).
    """

    def __init__(self, information: Floats, drift: float) -> None:
        self._information = information
        self._drift = drift
        self._look = 0
        self._z = np.zeros((information.shape[0], 1))
        self._mass = np.ones((information.shape[0], 1))  # density times weight of each node

    def above(self, z: Floats) -> Floats:
        """Probability of coming to the look at hand and lying above z there, (R,) array, of z of that shape."""
        return np.asarray((self._mass * ndtr(-self._steps(z[:, np.newaxis]))).sum(axis=1))

    def below(self, z: Floats) -> Floats:
        """Probability of coming to the look at hand and lying below z there, (R,) array, of z of that shape."""
        return np.asarray((self._mass * ndtr(self._steps(z[:, np.newaxis]))).sum(axis=1))

    def advance(self, lower: Floats, upper: Floats) -> None:
        """Go on to the next look with what lies between two boundaries, (R,) arrays; after the last there is none."""
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


def falls_to(above: Callable[[Floats], Floats], wanted: Floats) -> Floats:
    """Find z at which a falling function comes down to what is wanted, by bisection, trial by trial.

    Parameters
    ----------
    above : callable
        Probabilities, (R,) array, of z of that shape; they fall with z.
    wanted : (R,) array of float
        Probabilities.

    Returns
    -------
    (R,) array of float
        From -20 to 20; inf where nothing is wanted.
    """
    low, high = np.full(wanted.shape, -WIDEST), np.full(wanted.shape, WIDEST)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        too_much = above(middle) > wanted
        low, high = np.where(too_much, middle, low), np.where(too_much, high, middle)
    return np.where(wanted > 0.0, 0.5 * (low + high), np.inf)


def steps_apart(information: ArrayLike) -> Floats:
    """Return information with steps of a least width, 1e-3 of what there was.

    Parameters
    ----------
    information : (R, K) or (K,) array of float
        Information at the looks.

    Returns
    -------
    (R, K) array of float
        The same, or a little more; R is 1 where one row was given.

    Raises
    ------
    ValueError
        When information is not above 0, or falls from look to look.
    """
    info: NDArray[np.float64] = np.atleast_2d(np.asarray(information, dtype=np.float64))
    if not (info[:, 0] > 0.0).all() or (np.diff(info, axis=1) < 0.0).any():
        raise ValueError("information must be above 0 and must not fall from look to look")
    spread = info.copy()
    for k in range(1, info.shape[1]):
        spread[:, k] = np.maximum(info[:, k], spread[:, k - 1] * (1.0 + _LEAST_STEP))
    return spread


def per_look(values: ArrayLike, information: Floats) -> Floats:
    """Return values at the looks, (K,) or (R, K), in the shape (R, K) of the information.

    Raises
    ------
    ValueError
        When there are more or fewer of them than looks.
    """
    given = np.asarray(values, dtype=np.float64)
    if given.shape[-1:] != information.shape[-1:]:
        raise ValueError(f"{given.shape[-1] if given.ndim else 1} values for {information.shape[1]} looks")
    return np.broadcast_to(given, information.shape)


def in_blocks(rows: Callable[[NDArray[np.intp]], tuple[Floats, Floats]], information: Floats) -> tuple[Floats, Floats]:
    """Do trials in blocks that memory holds, those with the narrowest steps apart: they need the most nodes.

    Parameters
    ----------
    rows : callable
        Two (Q, K) arrays of the numbers of Q trials.
    information : (R, K) array of float
        As of `steps_apart`.

    Returns
    -------
    tuple of two (R, K) arrays of float
        Of all trials.
    """
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


_LEGENDRE: dict[int, tuple[Floats, Floats]] = {}


def _legendre(count: int) -> tuple[Floats, Floats]:
    if count not in _LEGENDRE:
        nodes, weights = np.polynomial.legendre.leggauss(count)
        _LEGENDRE[count] = (nodes, weights)
    return _LEGENDRE[count]
