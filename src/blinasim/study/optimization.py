"""What came of a race: every candidate, what became of it, and how much worse than the best it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from blinasim.model.parameters import ParameterSource
from blinasim.scenario.settings import Scenario
from blinasim.study.measures import Measure

Better: TypeAlias = Literal["maximize", "minimize"]
#: What became of a candidate.
Verdict: TypeAlias = Literal["best", "not told apart", "worse", "beyond a limit", "worse on fresh luck"]


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
    """A mean over trials, its Monte Carlo standard error and the 95 % interval, in the measure's unit."""

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
