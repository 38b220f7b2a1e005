"""Tempered sequential Monte Carlo for a posterior whose prior is standard normal and whose likelihood is simulated.

Particles are drawn from the prior and carried to the posterior through powers of the likelihood, each chosen so that
enough of them keep their weight (Del Moral, Doucet and Jasra, J R Stat Soc B 2006;68:411). Between powers they are
moved by steps that would leave a Gaussian with the mean and covariance of other particles unchanged (a preconditioned
Crank-Nicolson step: Cotter and others, Stat Sci 2013;28:424; Rudolf and Sprungk, Found Comput Math 2018;18:309), so
that steps stay long however many dimensions there are of which the data say little. The likelihood of the current
point is stored with it and not computed anew (pseudo-marginal: Andrieu and Roberts, Ann Stat 2009;37:697); every sweep
of moves has new luck, common to all particles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from blinasim.inference.priors import log_standard_normal
from blinasim.luck import Luck

Floats = NDArray[np.float64]

_SHORTEST, _LONGEST = 0.02, 1.0
_BISECTIONS: Final = 60
#: What a particle is worth in independent ones, and the least variance of a direction.
_WORTH, _LEAST_VARIANCE = 0.5, 1e-4
#: Groups of particles; each is moved by what the others look like.
_GROUPS: Final = 4


class LogLikelihood(Protocol):
    """A simulated log likelihood.

    Of points of shape (N, d), with the luck of sweep number ``sweep``; shape (N,). ``coarse`` asks for a cheap one:
    low powers of a likelihood bear much noise in its logarithm.
    """

    def __call__(self, z: Floats, sweep: int, *, coarse: bool) -> Floats:
        """Evaluate the points."""
        ...


@dataclass(frozen=True)
class Effort:
    """How hard the sampler works.

    Attributes
    ----------
    particles : int
        Points carried along.
    moves : int
        Sweeps of moves at each power.
    final_sweeps : int
        Sweeps at the posterior itself, of which draws are kept.
    kept_sweeps : int
        Sweeps, evenly among the final ones and the last included, whose particles are draws.
    least_ess : float
        Share of the particles that the next power must leave as effective.
    acceptance : float
        Share of accepted steps that the length of steps aims at.
    coarse_up_to : float
        Power up to which a coarse likelihood will do.
    """

    particles: int
    moves: int
    final_sweeps: int
    kept_sweeps: int
    least_ess: float = 0.5
    acceptance: float = 0.3
    coarse_up_to: float = 0.1


@dataclass(frozen=True)
class Stage:
    """Health of the sampler at one power of the likelihood.

    Attributes
    ----------
    power, ess : float
        Of the likelihood, and the effective number of particles after re-weighting to it.
    unique, sweeps : int
        Different particles after the moves, and sweeps of moves.
    acceptance, step : float
        Of the last sweep.
    moved : float
        Mean squared distance from where the stage began, in variances of the particles: 2 is independence.
    log_likelihood_mean, log_likelihood_sd : float
        Over the particles.
    """

    power: float
    ess: float
    unique: int
    acceptance: float
    step: float
    moved: float
    sweeps: int
    log_likelihood_mean: float
    log_likelihood_sd: float


@dataclass(frozen=True, eq=False)
class State:
    """Where the sampler is: enough to go on from. Arrays of N particles in d dimensions.

    Attributes
    ----------
    z : ndarray of float64, shape (N, d)
        The particles.
    log_likelihood : ndarray of float64, shape (N,)
        As stored, of the luck of the sweep that accepted each.
    power : float
        Of the likelihood, from 0 to 1.
    sweep, final_sweeps : int
        The next, whose number is its luck; and how many were done at power 1.
    log_evidence, step : float
        Of the powers so far, and the size of the moves.
    stages : tuple of Stage
        Health so far.
    kept : tuple of (z, log_likelihood)
        Particles after the sweeps that are kept.
    """

    z: Floats
    log_likelihood: Floats
    power: float = 0.0
    sweep: int = 1  # 0 was the first evaluation
    log_evidence: float = 0.0
    step: float = 0.5
    final_sweeps: int = 0
    stages: tuple[Stage, ...] = ()
    kept: tuple[tuple[Floats, Floats], ...] = field(default=())

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return plain arrays of numbers to be stored; `from_arrays` reads them."""
        numbers = [self.power, self.sweep, self.log_evidence, self.step, self.final_sweeps]
        stages = [list(asdict(stage).values()) for stage in self.stages]
        shape = (len(self.kept), *self.z.shape)
        return {
            "z": self.z,
            "log_likelihood": self.log_likelihood,
            "numbers": np.array(numbers, dtype=np.float64),
            "stages": np.array(stages, dtype=np.float64).reshape(len(stages), len(fields(Stage))),
            "kept_z": np.array([z for z, _ in self.kept], dtype=np.float64).reshape(shape),
            "kept_log_likelihood": np.array([found for _, found in self.kept], dtype=np.float64).reshape(shape[:2]),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> State:
        """Read what `to_arrays` gave."""
        power, sweep, log_evidence, step, final_sweeps = arrays["numbers"].tolist()
        stages = []
        for row in arrays["stages"].tolist():
            stage = Stage(*row)
            stages.append(replace(stage, unique=int(stage.unique), sweeps=int(stage.sweeps)))
        return cls(
            arrays["z"],
            arrays["log_likelihood"],
            power,
            int(sweep),
            log_evidence,
            step,
            int(final_sweeps),
            tuple(stages),
            tuple(zip(arrays["kept_z"], arrays["kept_log_likelihood"], strict=True)),
        )


def sample(
    log_likelihood: LogLikelihood,
    dimensions: int,
    effort: Effort,
    seed: int,
    *,
    information: Floats | None = None,
    state: State | None = None,
    keep: Callable[[State], None] | None = None,
) -> State:
    """Carry particles from the prior to the posterior.

    Parameters
    ----------
    log_likelihood : LogLikelihood
        Of points; the prior is standard normal in all dimensions.
    dimensions : int
        How many.
    effort : Effort
        Particles and sweeps.
    seed : int
        Of the sampler's own luck; the result depends on it and on the likelihood alone.
    information : ndarray of float64, shape (d, d), optional
        An estimate of the likelihood's information, by which steps are shaped; it makes them longer, and is no part of
        what they lead to. None by default.
    state : State, optional
        Where an earlier run was when it ended.
    keep : callable, optional
        Called with the state after each power, and after each of the final sweeps.

    Returns
    -------
    State
        ``kept`` holds the draws, with their stored log likelihoods; ``log_evidence`` that of the model.
    """
    shape = _Shape.of(np.zeros((dimensions, dimensions)) if information is None else information)
    if state is None:
        z = _generator(seed, 0).standard_normal((effort.particles, dimensions))
        state = State(z, log_likelihood(z, 0, coarse=effort.coarse_up_to > 0.0))
        if keep:
            keep(state)
    while state.power < 1.0:
        state = _next_power(state, log_likelihood, shape, effort, seed)
        if keep:
            keep(state)
    kept_after = _evenly(effort.final_sweeps, effort.kept_sweeps)
    while state.final_sweeps < effort.final_sweeps:
        state, _ = _move(state, log_likelihood, shape, effort, seed)
        done = state.final_sweeps + 1
        more = ((state.z, state.log_likelihood),) if done in kept_after else ()
        state = replace(state, final_sweeps=done, kept=(*state.kept, *more))
        if keep:
            keep(state)
    return state


def _evenly(sweeps: int, kept: int) -> set[int]:
    return {sweeps - (sweeps * i) // kept for i in range(min(kept, sweeps))}


def _generator(seed: int, sweep: int) -> np.random.Generator:
    """Return the luck of one sweep, so that a run can be taken up after any of them."""
    return np.random.Generator(np.random.Philox(key=Luck(seed).key(f"calibration.sweep.{sweep}")))


def _next_power(state: State, log_likelihood: LogLikelihood, shape: _Shape, effort: Effort, seed: int) -> State:
    """Raise the power as far as the weights allow, choose particles by weight, and move them."""
    before, power = state.power * state.log_likelihood, _highest_power(state, effort)
    if _coarse(state.power, effort) and not _coarse(power, effort):
        # From here on a better likelihood is wanted: of the points as they are, and what the coarse one did is undone.
        state = replace(state, log_likelihood=log_likelihood(state.z, state.sweep, coarse=False), sweep=state.sweep + 1)
    log_weights = power * state.log_likelihood - before
    evidence = state.log_evidence + float(logsumexp(log_weights)) - np.log(log_weights.size)
    chosen = systematic(log_weights, float(_generator(seed, -state.sweep).random()))
    state = replace(
        state, z=state.z[chosen], log_likelihood=state.log_likelihood[chosen], power=power, log_evidence=evidence
    )
    began, accepted = state.z, 0.0
    for _ in range(effort.moves):
        state, accepted = _move(state, log_likelihood, shape, effort, seed)
    variance = state.z.var(axis=0)
    stage = Stage(
        power=power,
        ess=effective(log_weights),
        unique=np.unique(state.z, axis=0).shape[0],
        acceptance=accepted,
        step=state.step,
        moved=float(np.mean(np.square(state.z - began) / variance)),
        sweeps=effort.moves,
        log_likelihood_mean=float(state.log_likelihood.mean()),
        log_likelihood_sd=float(state.log_likelihood.std()),
    )
    return replace(state, stages=(*state.stages, stage))


def _coarse(power: float, effort: Effort) -> bool:
    return power < effort.coarse_up_to


def _highest_power(state: State, effort: Effort) -> float:
    least = effort.least_ess * state.log_likelihood.size

    def enough(power: float) -> bool:
        return effective((power - state.power) * state.log_likelihood) >= least

    if enough(1.0):
        return 1.0
    low, high = state.power, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if enough(middle) else (low, middle)
    return max(low, float(np.nextafter(state.power, 1.0)))


def effective(log_weights: Floats) -> float:
    """Return the effective number of weighted points, (sum of w)^2 / sum of w^2: Kish, Survey Sampling, 1965."""
    return float(np.exp(2.0 * logsumexp(log_weights) - logsumexp(2.0 * log_weights)))


def systematic(log_weights: Floats, uniform: float) -> NDArray[np.intp]:
    """Choose as many points as there are, in proportion to their weights, with one uniform; ascending.

    Systematic resampling: Kitagawa, J Comput Graph Stat 1996;5:1-25.
    """
    shares = np.exp(log_weights - logsumexp(log_weights))
    edges = np.cumsum(shares)
    points = (np.arange(shares.size) + uniform) / shares.size
    return np.minimum(np.searchsorted(edges, points, side="right"), shares.size - 1)


def _move(state: State, log_likelihood: LogLikelihood, shape: _Shape, effort: Effort, seed: int) -> tuple[State, float]:
    """Move every particle once; return the state and the share of moves accepted."""
    luck = _generator(seed, state.sweep)
    noise, uniform = luck.standard_normal(state.z.shape), luck.random(state.z.shape[0])
    proposed, log_ratio = np.empty_like(state.z), np.empty(state.z.shape[0])
    for group in np.array_split(np.arange(state.z.shape[0]), _GROUPS):
        others = np.delete(state.z, group, axis=0)
        mean, root = _reference(others, *shape.at(state.power))
        proposed[group], log_ratio[group] = _steps(state.z[group], noise[group], state.step, mean, root)
    found = log_likelihood(proposed, state.sweep, coarse=_coarse(state.power, effort))
    log_ratio += state.power * (found - state.log_likelihood)
    accepted = np.log(uniform) < log_ratio
    share = float(accepted.mean())
    return (
        replace(
            state,
            z=np.where(accepted[:, np.newaxis], proposed, state.z),
            log_likelihood=np.where(accepted, found, state.log_likelihood),
            sweep=state.sweep + 1,
            step=float(np.clip(state.step * np.exp(share - effort.acceptance), _SHORTEST, _LONGEST)),
        ),
        share,
    )


@dataclass(frozen=True, eq=False)
class _Shape:
    """Eigenvectors and eigenvalues of the likelihood's information, in the prior's standard units."""

    directions: Floats
    information: Floats

    @classmethod
    def of(cls, information: Floats) -> _Shape:
        values, directions = np.linalg.eigh(information)
        return cls(directions, np.maximum(values, 0.0))

    def at(self, power: float) -> tuple[Floats, Floats]:
        """Return the root of the covariance that a Gaussian posterior would have at a power, and its inverse."""
        deviations = 1.0 / np.sqrt(1.0 + power * self.information)
        return (self.directions * deviations) @ self.directions.T, (self.directions / deviations) @ self.directions.T


def _steps(z: Floats, noise: Floats, length: float, mean: Floats, root: Floats) -> tuple[Floats, Floats]:
    """Propose steps that would leave a Gaussian unchanged, that of other particles.

    Particles must not be moved by a Gaussian that they have shaped themselves: in d dimensions n of them would find it
    too narrow, by d / n of its variance at each sweep.

    Returns
    -------
    proposed : ndarray of float64, shape (N, d)
        Where to.
    log_ratio : ndarray of float64, shape (N,)
        The prior's part of the log acceptance ratio.
    """
    proposed = mean + np.sqrt(1.0 - length**2) * (z - mean) + length * noise @ root.T

    def beyond_reference(at: Floats) -> Floats:
        """Log prior less the log density of the Gaussian."""
        standard = np.asarray(np.linalg.solve(root, (at - mean).T).T, dtype=np.float64)
        return np.asarray(log_standard_normal(at) - log_standard_normal(standard))

    return proposed, beyond_reference(proposed) - beyond_reference(z)


def _reference(z: Floats, expected: Floats, inverse: Floats) -> tuple[Floats, Floats]:
    """Mean and a root of the covariance of the particles, with the expected one where they cannot tell.

    In units of the expected root the covariance is the identity but for few directions. Eigenvalues that so many
    particles in so many dimensions would show by chance alone are taken for 1; the others are rid of their bias
    (Donoho, Gavish and Johnstone, Ann Stat 2018;46:1742). Particles are worth half their number: some descend from the
    same one.
    """
    centre, root = _spiked(z @ inverse)
    return centre @ expected, expected @ root


def _spiked(z: Floats) -> tuple[Floats, Floats]:
    """Mean and the root of a covariance that is the identity but for the directions in which it is clearly less."""
    n, d = z.shape
    mean = z.mean(axis=0)
    different = np.unique(z[:, 0]).size
    ratio = d / (_WORTH * different)
    found, directions = np.linalg.eigh((z - mean).T @ (z - mean) / n)
    # Fewer particles than dimensions leave directions without any variance, which says nothing.
    low = (1.0 - np.sqrt(ratio)) ** 2 if ratio < 1.0 else -np.inf
    middle = 1.0 + found - ratio
    away = np.sqrt(np.maximum(np.square(middle) - 4.0 * found, 0.0))
    # A variance above the prior's is left to the length of the steps: chance would show it sooner than the data.
    values = np.where(found < low, (middle - away) / 2.0, 1.0)
    return mean, (directions * np.sqrt(np.maximum(values, _LEAST_VARIANCE))) @ directions.T
