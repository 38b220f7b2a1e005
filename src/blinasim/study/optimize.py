"""Optimize: which of many settings is best by a stated measure, under limits, and how sure that is.

All candidates are lived by the same patients with the same luck. They race: at each of a few looks, fixed beforehand,
candidates that are certainly not the best, or certainly beyond a limit, are dropped, and the others go on.
The best candidate is chosen when the race is over, and estimated again, with all that could not be told from it, on
luck that the race has not used: what chance lent the winner it does not keep.

The rule. Let there be K candidates, J looks and L limits, and an error of alpha in all, half for the objective and half
for the limits. A candidate is dropped as worse than a rival where the mean paired difference is beyond the one-sided
limit of Student's t at alpha / (2 J (K - 1)), and the rival keeps all limits with certainty; it is dropped as beyond a
limit where its mean is, one-sided at alpha / (2 J K L). A rival is certain to keep a limit at the same level. By
Bonferroni's inequality the best candidate that keeps the limits survives with a probability of 1 - alpha or more, as
far as means of so many trials are normal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from blinasim.engine.choice import EngineName, choose
from blinasim.errors import Argument, BlinasimError, ScenarioError
from blinasim.luck import Luck
from blinasim.model.cohort_file import read_cohort
from blinasim.model.parameters import PAIR, ParameterSource
from blinasim.scenario.settings import Scenario
from blinasim.study.living import Living
from blinasim.study.measures import Measure, measure_named, measures_of
from blinasim.study.paired import paired_values

Floats = NDArray[np.float64]
Better: TypeAlias = Literal["maximize", "minimize"]
#: What became of a candidate.
Verdict: TypeAlias = Literal["best", "not told apart", "worse", "beyond a limit", "worse on fresh luck"]

#: Probability of losing the best candidate, at most; and of a set of candidates not told apart without it.
ALPHA: Final = 0.05
#: Looks of a race, the first after this part of the trials, doubled from look to look.
LOOKS: Final = 5
#: Fewer trials, or pairs that share their parameters, are not looked at: their means are not normal enough.
FEWEST: Final = 20
#: Candidates at most.
MOST_CANDIDATES: Final = 2_000
#: Draws for the probability of being the best.
_DRAWS: Final = 20_000


@dataclass(frozen=True)
class Limit:
    """What the mean of a measure has to keep: at least, or at most, a bound in the measure's unit."""

    measure: Measure
    side: Literal["at least", "at most"]
    bound: float

    @property
    def sign(self) -> float:
        """1 where more is on the safe side, -1 where less is."""
        return 1.0 if self.side == "at least" else -1.0


@dataclass(frozen=True)
class Estimate:
    """A mean over trials, its Monte Carlo standard error, and the 95 % interval."""

    mean: float
    mcse: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Runner:
    """A candidate and what became of it.

    Attributes
    ----------
    name : str
        Its settings, as they were asked for.
    settings : tuple of (str, str)
        Dotted name and value of each.
    scenario : Scenario
        What was lived.
    verdict : str
        ``best``; ``not told apart`` from it; or why and when it is not: ``worse`` or ``beyond a limit`` in the race,
        ``worse on fresh luck`` after it.
    trials : int
        Trials that it raced over.
    raced : dict of str to Estimate
        The objective and the measures with limits, over those trials: of the best too high, as it was chosen by them.
    fresh : dict of str to Estimate
        The same on luck that the race did not use; empty for those dropped in the race.
    gap, fresh_gap : Estimate
        How much worse it is than the best, paired, in the race and on fresh luck; 0 of the best, None where it was not
        estimated.
    probability : float
        Probability, given fresh luck, that its mean is the best of those that were estimated on it; 0 of the others.
    keeps : bool or None
        Whether it keeps all limits; None where the trials do not say so for certain.
    """

    name: str
    settings: tuple[tuple[str, str], ...]
    scenario: Scenario
    verdict: Verdict
    trials: int
    raced: Mapping[str, Estimate]
    fresh: Mapping[str, Estimate]
    gap: Estimate | None
    fresh_gap: Estimate | None
    probability: float
    keeps: bool | None


@dataclass(frozen=True)
class Optimization:
    """What came of a race.

    Attributes
    ----------
    base : Scenario
        The scenario whose settings were varied.
    parameters : ParameterSource
        The values of nature.
    objective : Measure
        By which candidates were judged.
    better : {"maximize", "minimize"}
        In which direction.
    limits : tuple of Limit
        What candidates had to keep.
    runners : tuple of Runner
        All candidates: the best, those not told apart from it, and the others by how long they raced.
    impossible : dict of str to str
        Combinations of settings that are no scenario, and why.
    looks : tuple of int
        Trials after which candidates could be dropped.
    fresh_trials : int
        Trials of fresh luck.
    """

    base: Scenario
    parameters: ParameterSource
    objective: Measure
    better: Better
    limits: tuple[Limit, ...]
    runners: tuple[Runner, ...]
    impossible: Mapping[str, str]
    looks: tuple[int, ...]
    fresh_trials: int

    @property
    def best(self) -> Runner:
        """The candidate chosen by the race."""
        return self.runners[0]

    @cached_property
    def not_told_apart(self) -> tuple[Runner, ...]:
        """Candidates that may be as good as the best, or better."""
        return tuple(one for one in self.runners if one.verdict == "not told apart")

    @property
    def trials_lived(self) -> int:
        """Trials lived in all, each candidate's counted."""
        return sum(one.trials + (self.fresh_trials if one.fresh else 0) for one in self.runners)


def optimize(
    base: Scenario,
    candidates: Mapping[str, tuple[tuple[tuple[str, str], ...], Scenario]],
    *,
    parameters: ParameterSource,
    objective: str = "os_24_months",
    better: Better | None = None,
    at_least: Mapping[str, float] | None = None,
    at_most: Mapping[str, float] | None = None,
    impossible: Mapping[str, str] | None = None,
    engine: EngineName = "auto",
    executor: Executor | None = None,
    progress: Callable[[int], None] | None = None,
) -> Optimization:
    """Find the best of some candidates.

    Parameters
    ----------
    base : Scenario
        What was varied; its ``study`` gives the seed, the trials of the race, and as many of fresh luck.
    candidates : dict
        By name: the settings as (dotted name, value), and the scenario; see :mod:`blinasim.study.grid`.
    parameters : ParameterSource
        Values for all trials, or draws for pairs of trials.
    objective : str
        Id of the measure to be judged by.
    better : {"maximize", "minimize"}, optional
        Whether more or less of it is better; as the measure says by default.
    at_least, at_most : dict of str to float, optional
        Limits that the mean of a measure must keep, by id.
    impossible : dict of str to str, optional
        Combinations of settings that are no scenario, and why; only passed on.
    engine : {"auto", "fast", "des"}
        Which engine walks the patients; the results are the same.
    executor : concurrent.futures.Executor, optional
        Who does the work; this process by default. The results are the same.
    progress : callable, optional
        Called with the number of trials finished since the last call, each candidate's counted.

    Raises
    ------
    BlinasimError
        If there are too few or too many candidates, too few trials, no such measure, a measure without a value in some
        trial, or no candidate keeps the limits.
    WorkerError
        If those who do the work keep dying.
    """
    if not 2 <= len(candidates) <= MOST_CANDIDATES:
        raise BlinasimError(
            f"{len(candidates)} candidate{'s' * (len(candidates) != 1)}: there should be 2 to {MOST_CANDIDATES:,}; "
            "vary a setting over more values, or fewer"
        )
    scenarios = [scenario for _, scenario in candidates.values()]
    if len({scenario.cohort.size for scenario in scenarios}) > 1:
        raise ScenarioError("candidates with different cohort.size are not the same patients; vary other settings")
    measures = measures_of([scenario.capacity for scenario in scenarios], base.payoffs)
    known = {one.id: one for one in measures}
    judged = measure_named(objective, known)
    if better is None:
        if not judged.direction:
            raise BlinasimError(
                f"{objective}: neither more nor less of it is better by itself; say maximize or minimize"
            )
        better = "maximize" if judged.direction > 0 else "minimize"
    limits = (
        *(Limit(measure_named(name, known), "at least", bound) for name, bound in (at_least or {}).items()),
        *(Limit(measure_named(name, known), "at most", bound) for name, bound in (at_most or {}).items()),
    )
    race = _Race(base, scenarios, parameters, judged, better, limits, engine, executor, progress)
    race.run()
    race.again()
    return Optimization(
        base=base,
        parameters=parameters,
        objective=judged,
        better=better,
        limits=limits,
        runners=race.runners(candidates),
        impossible=dict(impossible or {}),
        looks=race.looks,
        fresh_trials=race.trials,
    )


def looks_of(trials: int) -> tuple[int, ...]:
    """Return the numbers of trials at which a race looks: 1/16, 1/8, 1/4, 1/2 of them, all; even, none twice."""
    found = [-(-trials // 2 ** (LOOKS - 1 - look) // PAIR) * PAIR for look in range(LOOKS)]
    return tuple(dict.fromkeys(min(one, trials) for one in found if one >= FEWEST * PAIR or one >= trials))


class _Race:
    """Candidates by number, the values of their trials so far, and what became of each."""

    def __init__(
        self,
        base: Scenario,
        scenarios: Sequence[Scenario],
        parameters: ParameterSource,
        objective: Measure,
        better: Better,
        limits: tuple[Limit, ...],
        engine: EngineName,
        executor: Executor | None,
        progress: Callable[[int], None] | None,
    ) -> None:
        self.trials = base.study.replications // PAIR * PAIR
        if self.trials < 2 * FEWEST:
            raise BlinasimError(
                f"a race needs {2 * FEWEST} trials or more", Argument("replications", said=f"{base.study.replications}")
            )
        self.looks = looks_of(self.trials)
        self._livings = [
            Living(
                scenario.model_copy(update={"study": base.study, "payoffs": base.payoffs}),
                source=read_cohort(scenario.cohort),
                engine=engine,
            )
            for scenario in scenarios
        ]
        for living in self._livings:
            choose(engine, living.scenario.capacity)  # refuses an engine that cannot walk it, before any does
        self._parameters, self._limits = parameters, limits
        self._objective, self._sign = objective, 1.0 if better == "maximize" else -1.0
        self._measures = list({one.id: one for one in (objective, *(limit.measure for limit in limits))}.values())
        self._executor, self._progress = executor, progress
        count = len(scenarios)
        self._level = ALPHA / (2.0 * len(self.looks) * max(count - 1, 1))
        self._limit_level = ALPHA / (2.0 * len(self.looks) * count * max(len(limits), 1))
        self._raced: list[dict[str, Floats]] = [{} for _ in scenarios]
        self._fresh: dict[int, dict[str, Floats]] = {}
        self._verdict: dict[int, Verdict] = {}
        self.best = 0

    @property
    def _running(self) -> list[int]:
        return [one for one in range(len(self._livings)) if one not in self._verdict]

    def run(self) -> None:
        """Race: live the trials of each look, and drop who is certainly not the best."""
        done = 0
        for look in self.looks:
            for one, new in self._live(self._running, range(done, look)).items():
                old = self._raced[one]
                self._raced[one] = {key: np.concatenate([old[key], new[key]]) if old else new[key] for key in new}
            done = look
            self._drop()
            if len(self._running) < 2:
                break
        if not self._running:
            raise BlinasimError(
                "no candidate keeps the limits; widen them, or vary the settings further "
                f"({', '.join(f'{limit.measure.id} {limit.side} {limit.bound:g}' for limit in self._limits)})"
            )
        means = {one: self._sign * self._mean(self._raced[one]) for one in self._running}
        # One that does not keep the limits as far as the trials say is chosen only where no other is left.
        keeping = [one for one in means if self._excess(self._raced[one]) >= 0.0] or [
            max(means, key=lambda one: self._excess(self._raced[one]))
        ]
        self.best = max(keeping, key=lambda one: means[one])

    def again(self) -> None:
        """Estimate those still running on luck that the race has not used, and tell them from the best."""
        self._fresh = self._live(self._running, range(self.trials, 2 * self.trials))
        rivals = [one for one in self._running if one != self.best]
        for one in rivals:
            # The best is one fixed beforehand, so that as many comparisons are made as there are rivals.
            if self._beyond(self._fresh[one], ALPHA / (2.0 * len(rivals) * max(len(self._limits), 1))):
                self._verdict[one] = "beyond a limit"
            elif self._worse(self._fresh[one], self._fresh[self.best], ALPHA / (2.0 * len(rivals))):
                self._verdict[one] = "worse on fresh luck"
            else:
                self._verdict[one] = "not told apart"
        self._verdict[self.best] = "best"

    def _live(self, who: list[int], trials: range) -> dict[int, dict[str, Floats]]:
        found = paired_values(
            [self._livings[one] for one in who],
            self._parameters,
            self._measures,
            trials,
            executor=self._executor,
            progress=self._progress,
        )
        for values in found:
            for measure in self._measures:
                if not np.isfinite(values[measure.id]).all():
                    raise BlinasimError(
                        f"{measure.id} has no value in some trials of some candidates; take another measure"
                    )
        return dict(zip(who, found, strict=True))

    def _drop(self) -> None:
        running = self._running
        for one in running:
            if self._beyond(self._raced[one], self._limit_level):
                self._verdict[one] = "beyond a limit"
        certain = [one for one in self._running if self._keeps(self._raced[one], self._limit_level)]
        worse = [
            one
            for one in self._running
            if any(self._worse(self._raced[one], self._raced[rival], self._level) for rival in certain if rival != one)
        ]
        self._verdict |= dict.fromkeys(worse, "worse")

    # --- judging -------------------------------------------------------------------------------------------

    def _units(self, values: Floats) -> Floats:
        """Return what is independent of each other: trials, or means of pairs that share their parameters."""
        return values.reshape(-1, PAIR).mean(axis=1) if self._parameters.varies else values

    def _estimate(self, values: Floats, level: float = ALPHA / 2.0) -> Estimate:
        """Return the mean with its interval, each side one-sided at a level."""
        units = self._units(values)
        error = float(units.std(ddof=1) / np.sqrt(units.size))
        far = -float(stdtrit(units.size - 1, level)) * error
        mean = float(units.mean())
        return Estimate(mean, error, mean - far, mean + far)

    def _mean(self, values: Mapping[str, Floats]) -> float:
        return float(values[self._objective.id].mean())

    def _worse(self, values: Mapping[str, Floats], rival: Mapping[str, Floats], level: float) -> bool:
        """Whether a candidate is certainly worse than a rival in the same trials."""
        apart = self._sign * (rival[self._objective.id] - values[self._objective.id])
        return self._estimate(apart, level).lower > 0.0

    def _beyond(self, values: Mapping[str, Floats], level: float) -> bool:
        """Whether a candidate certainly breaks a limit."""
        return any(
            self._estimate(limit.sign * (values[limit.measure.id] - limit.bound), level).upper < 0.0
            for limit in self._limits
        )

    def _keeps(self, values: Mapping[str, Floats], level: float) -> bool:
        """Whether a candidate certainly keeps all limits."""
        return all(
            self._estimate(limit.sign * (values[limit.measure.id] - limit.bound), level).lower >= 0.0
            for limit in self._limits
        )

    def _excess(self, values: Mapping[str, Floats]) -> float:
        """Return by how much the tightest limit is kept, as a part of its bound; negative where one is broken."""
        return min(
            (
                limit.sign * (float(values[limit.measure.id].mean()) - limit.bound) / (abs(limit.bound) or 1.0)
                for limit in self._limits
            ),
            default=0.0,
        )

    # --- putting together ------------------------------------------------------------------------------------

    def runners(self, candidates: Mapping[str, tuple[tuple[tuple[str, str], ...], Scenario]]) -> tuple[Runner, ...]:
        """Return all candidates and what became of them, the best first."""
        probabilities = self._probabilities()
        found = []
        for one, (name, (settings, _)) in enumerate(candidates.items()):
            raced, fresh = self._raced[one], self._fresh.get(one, {})
            decided, level = fresh or raced, ALPHA / 2.0
            keeps = self._keeps(decided, level)
            found.append(
                Runner(
                    name=name,
                    settings=settings,
                    scenario=self._livings[one].scenario,
                    verdict=self._verdict[one],
                    trials=raced[self._objective.id].size,
                    raced={key: self._estimate(values) for key, values in raced.items()},
                    fresh={key: self._estimate(values) for key, values in fresh.items()},
                    gap=self._gap(raced, self._raced[self.best]),
                    fresh_gap=self._gap(fresh, self._fresh[self.best]) if fresh else None,
                    probability=probabilities.get(one, 0.0),
                    keeps=True if keeps else False if self._beyond(decided, level) else None,
                )
            )
        order: dict[Verdict, int] = {"best": 0, "not told apart": 1}
        return tuple(sorted(found, key=lambda one: (order.get(one.verdict, 2), -one.trials, self._rank(one))))

    def _rank(self, one: Runner) -> float:
        estimates = one.fresh or one.raced
        return -self._sign * estimates[self._objective.id].mean

    def _gap(self, values: Mapping[str, Floats], best: Mapping[str, Floats]) -> Estimate:
        """Return how much worse a candidate is than the best in the trials that both have."""
        mine, other = values[self._objective.id], best[self._objective.id]
        common = min(mine.size, other.size)
        return self._estimate(self._sign * (other[:common] - mine[:common]))

    def _probabilities(self) -> dict[int, float]:
        """Return the probability that each candidate's mean is the best, given the fresh trials.

        Means are taken to be jointly normal around those found, with their paired covariance and a flat prior; who does
        not certainly break a limit takes part. Candidates that are the same in every trial share theirs.
        """
        who = [one for one in self._fresh if self._verdict[one] != "beyond a limit"]
        units = np.stack([self._sign * self._units(self._fresh[one][self._objective.id]) for one in who])
        if len(who) == 1:
            return {who[0]: 1.0}
        covariance = np.cov(units) / units.shape[1]
        size, axes = np.linalg.eigh(covariance)
        uniform = Luck(self._livings[0].scenario.study.seed).uniform("optimize.best", range(len(who)), _DRAWS).T
        drawn = units.mean(axis=1) + (ndtri(uniform) * np.sqrt(np.maximum(size, 0.0))) @ axes.T
        first = drawn >= drawn.max(axis=1, keepdims=True) - 1e-12 * np.abs(drawn).max()
        shares = (first / first.sum(axis=1, keepdims=True)).mean(axis=0)
        return dict(zip(who, shares.tolist(), strict=True))
