"""Values of the parameters, lived by the same patients with the same luck."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from blinasim.errors import Argument, BlinasimError
from blinasim.inference.diagnostics import contraction
from blinasim.inference.posterior import Posterior
from blinasim.inference.priors import Priors
from blinasim.inference.sensitivity.result import Index, Interval, Quantity
from blinasim.inference.study import RememberedDraws
from blinasim.luck import Luck
from blinasim.model.catalogue import parameter_catalogue
from blinasim.model.parameters import Parameters, ParameterSource, parameters_to_dict
from blinasim.model.therapy import acts
from blinasim.scenario.settings import Scenario
from blinasim.statistics.conditional_mean import VarianceShare, variance_share
from blinasim.statistics.curves import normal_quantile
from blinasim.study.batch import live
from blinasim.study.executors import in_order
from blinasim.study.measures import Truth

Floats = NDArray[np.float64]

#: Values of the parameters that a worker tries at a time.
_PIECE: Final = 40
#: Ends of the 95 % interval of a prior, as standard normal numbers.
END: Final = normal_quantile(0.95)


@dataclass(frozen=True)
class Effort:
    """How much is computed.

    Attributes
    ----------
    patients : int
        Patients, in whole trials, that live each value of the parameters for Sobol indices and posterior draws.
    tornado_patients : int
        The same for the tornado.
    samples : int
        Base points of the Sobol sequence, a power of 2; each costs as many values as there are indices, and two more.
    draws : int
        Draws of the posterior at most.
    """

    patients: int = 3_780
    tornado_patients: int = 18_900
    samples: int = 512
    draws: int = 1_000


def moved(scenario: Scenario, parameters: ParameterSource) -> tuple[str, ...]:
    """Return the parameters that are moved: neither fixed nor without effect under the policy or the structure."""
    structure = parameters.structure
    return tuple(
        name
        for name, info in parameter_catalogue().items()
        if info.prior.distribution != "fixed" and acts(name, scenario.policy, structure)
    )


@dataclass(frozen=True)
class Question:
    """What is asked of each value of the parameters; it travels to the workers.

    Attributes
    ----------
    scenario : Scenario
        What is lived.
    centre : Parameters
        Values of all parameters that are not asked about.
    names : tuple of str
        The d parameters that are, by dotted name.
    outcomes : tuple of Quantity
        What is looked at.
    """

    scenario: Scenario
    centre: Parameters
    names: tuple[str, ...]
    outcomes: tuple[Quantity, ...]


def answers(question: Question, piece: tuple[Floats, int]) -> Floats:
    """Live some values of the parameters, each in the same trials.

    Parameters
    ----------
    question : Question
        What is asked about d parameters.
    piece : tuple
        Values of the parameters, (N, d), and the number of trials R.

    Returns
    -------
    ndarray of float64, shape (N, outcomes, R)
        In the outcomes' units.
    """
    values, trials = piece
    scenario = question.scenario
    draws = RememberedDraws(Luck(scenario.study.seed), range(trials), scenario.cohort.size)
    found = np.empty((values.shape[0], len(question.outcomes), trials))
    for row, value in enumerate(values):
        changed = question.centre.changed(dict(zip(question.names, value.tolist(), strict=True)))
        truth = Truth.of(scenario, live(scenario, changed, draws))
        for column, outcome in enumerate(question.outcomes):
            found[row, column] = outcome.of(truth)
    return found


class Experiment:
    """Lives values of the parameters, and counts them."""

    def __init__(
        self,
        scenario: Scenario,
        parameters: ParameterSource,
        outcomes: tuple[Quantity, ...],
        effort: Effort,
        executor: Executor | None,
        progress: Callable[[int], None] | None,
    ) -> None:
        self.posterior_draws = parameters if isinstance(parameters, Posterior) else None
        centre = self.posterior_draws.means() if self.posterior_draws else parameters.of(range(1), 0)
        self.priors = Priors.of(parameter_catalogue(), moved(scenario, parameters))
        self._question = Question(scenario, centre, self.priors.names, outcomes)
        self._seed, self._size = scenario.study.seed, scenario.cohort.size
        self._effort, self._executor, self._progress = effort, executor, progress
        self.evaluations = 0
        values = parameters_to_dict(centre)
        self.centre = np.array([[float(values[name]) for name in self.priors.names]])

    def _live(self, values: Floats, patients: int) -> Floats:
        """Return the outcomes of each trial, shape (N, outcomes, R)."""
        trials = max(patients // self._size, 2)
        pieces = [(values[first : first + _PIECE], trials) for first in range(0, values.shape[0], _PIECE)]
        done = []
        for part in in_order(partial(answers, self._question), pieces, self._executor):
            done.append(part)
            self.evaluations += part.shape[0]
            if self._progress:
                self._progress(part.shape[0])
        found = np.concatenate(done)
        for column, outcome in enumerate(self._question.outcomes):
            if not np.isfinite(_means(found[:, column])).all():
                raise BlinasimError(
                    "has no value under some parameters; choose another", Argument("measure", said=outcome.id)
                )
        return found

    def tornado(self) -> list[tuple[float, float, list[Interval]]]:
        """Return for each outcome its value at the centre with its error, and at both ends of each parameter."""
        names = self.priors.names
        ends = self.priors.values(np.array([[-END], [END]]) * np.ones((2, len(names))))
        values = np.repeat(self.centre, 1 + 2 * len(names), axis=0)
        for place in range(len(names)):
            values[1 + 2 * place : 3 + 2 * place, place] = ends[:, place]
        lived = self._live(values, self._effort.tornado_patients)
        found = []
        for column in range(lived.shape[1]):
            trials = lived[:, column]
            centre = trials[0][~np.isnan(trials[0])]
            error = float(centre.std(ddof=1) / np.sqrt(centre.size))
            intervals = [_interval(trials[1 + 2 * i], trials[2 + 2 * i]) for i in range(len(names))]
            found.append((float(centre.mean()), error, intervals))
        return found

    def sobol(self, own: Sequence[str]) -> list[dict[str, Index]]:
        """Return for each outcome the indices of some parameters by name, and of the others together by ``""``.

        By SALib: the first-order estimator of Saltelli and others, Comput Phys Commun 2010;181:259, and the total one
        of Jansen, Comput Phys Commun 1999;117:35-43.
        """
        from SALib.analyze import sobol as analysis
        from SALib.sample import sobol as sampling

        names = self.priors.names
        groups = [name if name in own else "" for name in names]
        labels = list(dict.fromkeys(groups))
        problem = {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}
        if "" in labels:
            problem["groups"] = groups
        uniform = sampling.sample(problem, self._effort.samples, calc_second_order=False, seed=self._seed)
        z = special.ndtri(np.clip(uniform, 1e-9, 1.0 - 1e-9))
        lived = self._live(self.priors.values(z), self._effort.patients)
        found = []
        for column in range(lived.shape[1]):
            means = _means(lived[:, column])
            if np.ptp(means) == 0.0:
                found.append(dict.fromkeys(labels, Index(0.0, 0.0, 0.0, 0.0)))
                continue
            got = analysis.analyze(problem, means, calc_second_order=False, seed=self._seed)
            columns = (got["S1"], got["S1_conf"] / END, got["ST"], got["ST_conf"] / END)
            found.append({label: Index(*(float(each[i]) for each in columns)) for i, label in enumerate(labels)})
        return found

    def posterior(self) -> Informed | None:
        """Return the outcomes of draws of the posterior, where there is one."""
        posterior = self.posterior_draws
        if posterior is None:
            return None
        names = self.priors.names
        rows = _some(len(posterior.draws), self._effort.draws, self._seed)
        values = np.stack([posterior.values(name) for name in names], axis=1)
        z = self.priors.normal_scores(values)
        weights = posterior.weights / posterior.weights.sum()
        lived = self._live(values[rows], self._effort.patients)
        return Informed(
            names=names,
            z=z[rows],
            weights=weights[rows] / weights[rows].sum(),
            outcomes=np.stack([_means(lived[:, column]) for column in range(lived.shape[1])], axis=1),
            contraction=dict(zip(names, contraction(z, weights).tolist(), strict=True)),
        )


@dataclass(frozen=True)
class Informed:
    """Posterior draws and what came of them.

    Attributes
    ----------
    names : tuple of str
        The d parameters, by dotted name.
    z : ndarray of float64, shape (S, d)
        Draws as standard normal numbers.
    weights : ndarray of float64, shape (S,)
        Theirs.
    outcomes : ndarray of float64, shape (S, outcomes)
        Means over the trials of each draw.
    contraction : dict of str to float
        Of each parameter.
    """

    names: tuple[str, ...]
    z: Floats
    weights: Floats
    outcomes: Floats
    contraction: dict[str, float]

    def share(self, names: Sequence[str], column: int) -> VarianceShare:
        """Return the part of the variance of an outcome, by its column, that goes with some parameters together."""
        places = [self.names.index(name) for name in names]
        return variance_share(self.z[:, places], self.outcomes[:, column], self.weights)

    def spread(self, column: int) -> float:
        """Standard deviation of an outcome over the draws."""
        outcome = self.outcomes[:, column]
        return float(np.sqrt(self.weights @ np.square(outcome - self.weights @ outcome)))


def _means(trials: Floats) -> Floats:
    """Return the mean over those trials that have a value; NaN where none has. Shape (N, R) gives (N,)."""
    known = ~np.isnan(trials)
    count = known.sum(axis=1)
    total = np.where(known, trials, 0.0).sum(axis=1)
    return np.asarray(np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0))


def _interval(low: Floats, high: Floats) -> Interval:
    """Summarize the trials at both ends; those with a value at both are paired."""
    apart = high - low
    apart = apart[~np.isnan(apart)]
    error = float(apart.std(ddof=1) / np.sqrt(apart.size)) if apart.size > 1 else float("nan")
    lower, upper = (float(_means(each[np.newaxis])[0]) for each in (low, high))
    return Interval(lower, upper, error)


def _some(there: int, wanted: int, seed: int) -> NDArray[np.intp]:
    """Choose so many rows at most, in order, without favour."""
    if there <= wanted:
        return np.arange(there)
    order = np.argsort(Luck(seed).uniform("sensitivity.draws", range(there), 1)[:, 0], kind="stable")
    return np.sort(order[:wanted])
