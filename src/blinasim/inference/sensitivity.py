"""Sensitivity: on which parameters an outcome of a scenario rests.

Three questions. How far does the outcome move as one parameter goes through the 95 % interval of its prior (a tornado)?
What part of its variance is each parameter's, alone and with all its interactions, before anything was fitted (Sobol
indices over the priors: Saltelli and others, Comput Phys Commun 2010;181:259)? And what part of its variance under the
posterior would go if the parameter were known (:mod:`blinasim.statistics.conditional`)? All values of the parameters
are lived by the same patients with the same luck.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from blinasim.engine.choice import choose
from blinasim.errors import BlinasimError
from blinasim.files import nearest, quoted
from blinasim.inference.diagnostics import LEAST_CONTRACTION, contraction
from blinasim.inference.posterior import Posterior
from blinasim.inference.priors import Priors
from blinasim.inference.study import RememberedDraws
from blinasim.luck import Luck
from blinasim.model.parameters import (
    ParameterInfo,
    Parameters,
    ParameterSource,
    parameter_catalogue,
)
from blinasim.model.places import counted_places
from blinasim.model.therapy import acts
from blinasim.scenario.settings import Payoffs, Scenario
from blinasim.statistics.conditional import VarianceShare, variance_share
from blinasim.statistics.curves import normal_quantile
from blinasim.study.batch import live
from blinasim.study.executors import in_order
from blinasim.study.measures import Measure, Truth, measures_of
from blinasim.trial.endpoints import ENDPOINTS, estimate

Floats = NDArray[np.float64]

#: Outcomes that are looked at where nobody names others.
USUAL: Final = ("rmst_24_months", "os_24_months", "realization")
#: What precedes the id of an endpoint that is to be taken without censoring by time.
LIMIT: Final = "limit:"
#: Parameters that get Sobol indices of their own, those that move an outcome most; the others have one together.
_OWN_INDEX: Final = 12
#: A swing that is a smaller part of the largest one moves nothing much.
_LEAST_SWING: Final = 0.05
#: Values of the parameters that a worker tries at a time.
_PIECE: Final = 40
#: Ends of the 95 % interval of a prior, as standard normal numbers.
_END: Final = normal_quantile(0.95)


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


@dataclass(frozen=True)
class Outcome:
    """What is looked at: a measure of policies, or an endpoint without censoring by time; a mean over trials.

    ``of`` gives the value of each trial, shape (R,).
    """

    id: str
    label: str
    unit: str
    of: Callable[[Truth], Floats]


@dataclass(frozen=True)
class Interval:
    """A Monte Carlo figure of each end of a prior's interval, and the standard error of their paired difference."""

    low: float
    high: float
    mcse: float

    @property
    def swing(self) -> float:
        """How far the outcome moves, without sign."""
        return abs(self.high - self.low)


@dataclass(frozen=True)
class Index:
    """Sobol indices with their standard errors (bootstrap): alone, and with all interactions."""

    first: float
    first_error: float
    total: float
    total_error: float


@dataclass(frozen=True)
class Bearing:
    """What one parameter does to one outcome.

    Attributes
    ----------
    name : str
        Dotted name.
    low, high : float
        Ends of the 95 % interval of its prior.
    tornado : Interval
        The outcome there, the others at their centre.
    index : Index or None
        None where it has only one together with others.
    posterior : VarianceShare or None
        Part of the posterior variance of the outcome that goes with it; None without a posterior.
    contraction : float or None
        1 less the ratio of posterior to prior variance, on the scale on which the prior is normal.
    """

    name: str
    low: float
    high: float
    tornado: Interval
    index: Index | None
    posterior: VarianceShare | None
    contraction: float | None

    @property
    def info(self) -> ParameterInfo:
        """What is known about the parameter."""
        return parameter_catalogue()[self.name]

    @property
    def is_uninformed(self) -> bool:
        """Whether the figures have said next to nothing about it."""
        return self.contraction is not None and self.contraction < LEAST_CONTRACTION


@dataclass(frozen=True)
class OutcomeSensitivity:
    """One outcome: its value at the centre, and what moves it, the most moving parameter first.

    ``others`` are the Sobol indices of all parameters together that have none of their own; ``groups`` the parts of the
    posterior variance that go with groups of parameters, never less than with a member; ``spread`` the standard
    deviation under the posterior.
    """

    outcome: Outcome
    centre: float
    centre_mcse: float
    bearings: tuple[Bearing, ...]
    others: Index | None
    groups: Mapping[str, VarianceShare]
    spread: float | None

    def strongest(self, most: int = 3) -> list[Bearing]:
        """Return the parameters on which it rests most: by posterior variance, or by swing where there is no posterior.

        Draws of parameters depend on each other: one that does not move the outcome by itself is not named.
        """
        moving = [
            one
            for one in self.bearings
            if one.tornado.swing > max(2.0 * one.tornado.mcse, _LEAST_SWING * self.bearings[0].tornado.swing)
        ]
        if self.spread is not None:
            ranked = sorted(moving, key=lambda one: -(one.posterior.value if one.posterior else 0.0))
            return [one for one in ranked[:most] if one.posterior and one.posterior.value > 2.0 * one.posterior.error]
        return moving[:most]


@dataclass(frozen=True)
class Sensitivity:
    """What came of it, outcome by outcome; ``evaluations`` is the number of parameter values that were lived."""

    scenario: Scenario
    parameters: ParameterSource
    outcomes: tuple[OutcomeSensitivity, ...]
    evaluations: int


def outcomes_named(names: Sequence[str] = USUAL, payoffs: Payoffs | None = None) -> tuple[Outcome, ...]:
    """Return outcomes by id: a measure such as ``os_24_months``, or ``limit:`` and an endpoint such as ``limit:os``.

    With payoffs, also their measures, such as ``qalys``.

    Raises
    ------
    BlinasimError
        If there is no such measure or endpoint.
    """
    measures = {measure.id: measure for measure in measures_of([], payoffs)}
    endpoints = {f"{LIMIT}{endpoint.id}": endpoint for endpoint in ENDPOINTS}
    found = []
    for name in dict.fromkeys(names):
        if name in measures:
            found.append(_of_measure(measures[name]))
        elif name in endpoints:
            endpoint = endpoints[name]
            limit = partial(_limit, endpoint=endpoint.id)
            found.append(Outcome(name, f"{endpoint.label}, without censoring by time", endpoint.unit, limit))
        else:
            known = [*measures, *endpoints]
            raise BlinasimError(
                f"--measure {quoted(name)}: no such measure{nearest(name, known)} (there are {', '.join(measures)}, "
                f"and {LIMIT} with an endpoint of summary.json)"
            )
    return tuple(found)


def _of_measure(measure: Measure) -> Outcome:
    return Outcome(measure.id, measure.label, measure.unit, measure.of)


def _limit(truth: Truth, endpoint: str) -> Floats:
    return estimate(truth.data, truth.scenario.trial)[endpoint].value


def sensitivity(
    scenario: Scenario,
    parameters: ParameterSource,
    outcomes: Sequence[Outcome] | None = None,
    *,
    effort: Effort | None = None,
    executor: Executor | None = None,
    progress: Callable[[int], None] | None = None,
) -> Sensitivity:
    """Find out on which parameters some outcomes of a scenario rest.

    Parameters
    ----------
    scenario : Scenario
        What is lived; its ``study`` gives the seed.
    parameters : ParameterSource
        A posterior, whose means are the centre and whose draws are regressed on; or point values, which are the centre.
    outcomes : sequence of Outcome, optional
        What is looked at; by default :data:`USUAL`.
    effort : Effort, optional
        How much is computed.
    executor : concurrent.futures.Executor, optional
        Who does the work; this process by default. The results are the same.
    progress : callable, optional
        Called with the number of parameter values finished since the last call; :func:`values_to_live` says how many
        there are.

    Returns
    -------
    Sensitivity
        Tornado, Sobol indices, parts of the posterior variance and contraction, for each outcome.

    Raises
    ------
    BlinasimError
        If the scenario counts places, which only the slow engine can live; or an outcome has no value somewhere.
    WorkerError
        If those who do the work keep dying.
    """
    if choose("auto", scenario.capacity) != "fast":
        counted = ", ".join(place.name.lower() for place in counted_places(scenario.capacity))
        raise BlinasimError(
            f"sensitivity needs the array engine, and this scenario counts places ({counted or 'of other patients'}); "
            "set them to null"
        )
    effort, asked = effort or Effort(), tuple(outcomes or outcomes_named())
    lived = _Lives(scenario, parameters, asked, effort, executor, progress)
    tornado = lived.tornado()
    ranked = _ranked(lived.priors.names, tornado)
    own = ranked[: min(_OWN_INDEX, len(ranked))]
    indices = lived.sobol(own)
    informed = lived.posterior()
    found = []
    for column, outcome in enumerate(asked):
        found.append(_put_together(lived, column, outcome, tornado[column], indices[column], informed))
    return Sensitivity(scenario, parameters, tuple(found), lived.evaluations)


def values_to_live(scenario: Scenario, parameters: ParameterSource, effort: Effort | None = None) -> int:
    """Return how many values of the parameters :func:`sensitivity` lives."""
    effort = effort or Effort()
    names = moved(scenario, parameters)
    draws = min(effort.draws, len(parameters.draws)) if isinstance(parameters, Posterior) else 0
    return 1 + 2 * len(names) + effort.samples * (min(_OWN_INDEX + 1, len(names)) + 2) + draws


def moved(scenario: Scenario, parameters: ParameterSource) -> tuple[str, ...]:
    """Return the parameters that are moved: neither fixed nor without effect under the policy or the structure."""
    structure = parameters.of(range(1), 0).structure
    return tuple(
        name
        for name, info in parameter_catalogue().items()
        if info.prior.distribution != "fixed" and acts(name, scenario.policy, structure)
    )


# --- living --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Question:
    """What is asked of each value of the parameters; it travels to the workers."""

    scenario: Scenario
    centre: Parameters
    names: tuple[str, ...]
    outcomes: tuple[Outcome, ...]


def _answers(question: _Question, piece: tuple[Floats, int]) -> Floats:
    """Live some values of the parameters, of shape (N, d), each in the same trials; shape (N, outcomes, R)."""
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


class _Lives:
    """Lives values of the parameters, and counts them."""

    def __init__(
        self,
        scenario: Scenario,
        parameters: ParameterSource,
        outcomes: tuple[Outcome, ...],
        effort: Effort,
        executor: Executor | None,
        progress: Callable[[int], None] | None,
    ) -> None:
        self.posterior_draws = parameters if isinstance(parameters, Posterior) else None
        centre = self.posterior_draws.means() if self.posterior_draws else parameters.of(range(1), 0)
        self.priors = Priors.of(parameter_catalogue(), moved(scenario, parameters))
        self._question = _Question(scenario, centre, self.priors.names, outcomes)
        self._seed, self._size = scenario.study.seed, scenario.cohort.size
        self._effort, self._executor, self._progress = effort, executor, progress
        self.evaluations = 0
        self.centre = np.array([[_value_of(centre, name) for name in self.priors.names]])

    def _live(self, values: Floats, patients: int) -> Floats:
        """Return the outcomes of each trial, shape (N, outcomes, R)."""
        trials = max(patients // self._size, 2)
        pieces = [(values[first : first + _PIECE], trials) for first in range(0, values.shape[0], _PIECE)]
        done = []
        for part in in_order(partial(_answers, self._question), pieces, self._executor):
            done.append(part)
            self.evaluations += part.shape[0]
            if self._progress:
                self._progress(part.shape[0])
        found = np.concatenate(done)
        for column, outcome in enumerate(self._question.outcomes):
            if not np.isfinite(_means(found[:, column])).all():
                raise BlinasimError(f"{outcome.id} has no value under some parameters; choose another --measure")
        return found

    def tornado(self) -> list[tuple[float, float, list[Interval]]]:
        """Return for each outcome its value at the centre with its error, and at both ends of each parameter."""
        names = self.priors.names
        ends = self.priors.values(np.array([[-_END], [_END]]) * np.ones((2, len(names))))
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
        """Return for each outcome the indices of some parameters by name, and of the others together by ``""``."""
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
            answers = _means(lived[:, column])
            if np.ptp(answers) == 0.0:
                found.append(dict.fromkeys(labels, Index(0.0, 0.0, 0.0, 0.0)))
                continue
            got = analysis.analyze(problem, answers, calc_second_order=False, seed=self._seed)
            columns = (got["S1"], got["S1_conf"] / _END, got["ST"], got["ST_conf"] / _END)
            found.append({label: Index(*(float(each[i]) for each in columns)) for i, label in enumerate(labels)})
        return found

    def posterior(self) -> _Informed | None:
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
        return _Informed(
            names=names,
            z=z[rows],
            weights=weights[rows] / weights[rows].sum(),
            outcomes=np.stack([_means(lived[:, column]) for column in range(lived.shape[1])], axis=1),
            contraction=dict(zip(names, contraction(z, weights).tolist(), strict=True)),
        )


def _value_of(parameters: Parameters, name: str) -> float:
    group, _, item = name.partition(".")
    return float(getattr(getattr(parameters, group), item))


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


# --- putting together ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Informed:
    """Posterior draws as standard normal numbers (S, d), their weights, and what came of them (S, outcomes)."""

    names: tuple[str, ...]
    z: Floats
    weights: Floats
    outcomes: Floats
    contraction: dict[str, float]

    def share(self, names: Sequence[str], column: int) -> VarianceShare:
        places = [self.names.index(name) for name in names]
        return variance_share(self.z[:, places], self.outcomes[:, column], self.weights)

    def spread(self, column: int) -> float:
        outcome = self.outcomes[:, column]
        return float(np.sqrt(self.weights @ np.square(outcome - self.weights @ outcome)))


def _ranked(names: tuple[str, ...], tornado: Sequence[tuple[float, float, list[Interval]]]) -> list[str]:
    """Order parameters by how much of all the swings of an outcome is theirs, in that outcome where it is most."""
    most = np.zeros(len(names))
    for _, _, intervals in tornado:
        swings = np.square([one.swing for one in intervals])
        if swings.sum() > 0:
            most = np.maximum(most, swings / swings.sum())
    return [names[place] for place in np.argsort(-most, kind="stable")]


def _put_together(
    lived: _Lives,
    column: int,
    outcome: Outcome,
    tornado: tuple[float, float, list[Interval]],
    indices: Mapping[str, Index],
    informed: _Informed | None,
) -> OutcomeSensitivity:
    centre, error, intervals = tornado
    names = lived.priors.names
    ends = lived.priors.values(np.array([[-_END], [_END]]) * np.ones((2, len(names))))
    bearings = [
        Bearing(
            name=name,
            low=float(ends[0, place]),
            high=float(ends[1, place]),
            tornado=intervals[place],
            index=indices.get(name),
            posterior=informed.share([name], column) if informed else None,
            contraction=informed.contraction[name] if informed else None,
        )
        for place, name in enumerate(names)
    ]
    return OutcomeSensitivity(
        outcome=outcome,
        centre=centre,
        centre_mcse=error,
        bearings=tuple(sorted(bearings, key=lambda one: -one.tornado.swing)),
        others=indices.get(""),
        groups=_groups(bearings, column, informed) if informed else {},
        spread=informed.spread(column) if informed else None,
    )


def _groups(bearings: Sequence[Bearing], column: int, informed: _Informed) -> dict[str, VarianceShare]:
    """Return what goes with each group of parameters: knowing a group is worth no less than knowing a member."""
    members: dict[str, list[Bearing]] = {}
    for one in bearings:
        members.setdefault(one.name.partition(".")[0], []).append(one)
    found = {}
    for group, within in members.items():
        together = informed.share([one.name for one in within], column)
        alone = [one.posterior for one in within if one.posterior]
        found[group] = max([together, *alone], key=lambda share: -1.0 if np.isnan(share.value) else share.value)
    return dict(sorted(found.items(), key=lambda each: -each[1].value))
