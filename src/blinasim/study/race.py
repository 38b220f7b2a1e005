"""The race of candidates on shared luck, and the winner again on fresh luck; the rule is told in ``optimize``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from blinasim.engine.choice import EngineName, choose
from blinasim.errors import Argument, BlinasimError
from blinasim.luck import Luck
from blinasim.model.cohort_file import read_cohort
from blinasim.model.parameters import PAIR, ParameterSource
from blinasim.scenario.settings import Scenario
from blinasim.study.living import Living
from blinasim.study.measures import Measure
from blinasim.study.optimization import Better, Estimate, Limit, Runner, Verdict
from blinasim.study.paired import paired_values

Floats = NDArray[np.float64]

#: Probability of losing the best candidate, at most; and of a set of candidates not told apart without it.
ALPHA: Final = 0.05
#: Looks of a race, the first after this part of the trials, doubled from look to look.
LOOKS: Final = 5
#: Fewer trials, or pairs that share their parameters, are not looked at: their means are not normal enough.
FEWEST: Final = 20
#: Draws for the probability of being the best.
_DRAWS: Final = 20_000


def looks_of(trials: int) -> tuple[int, ...]:
    """Return the numbers of trials at which a race looks: 1/16, 1/8, 1/4, 1/2 of them, all; even, none twice."""
    found = [-(-trials // 2 ** (LOOKS - 1 - look) // PAIR) * PAIR for look in range(LOOKS)]
    return tuple(dict.fromkeys(min(one, trials) for one in found if one >= FEWEST * PAIR or one >= trials))


class Race:
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
        """Race: live the trials of each look, and drop who is certainly not the best.

        Raises
        ------
        BlinasimError
            If no candidate keeps the limits.
        """
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
