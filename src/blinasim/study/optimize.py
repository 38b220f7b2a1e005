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

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Final

from blinasim.engine.choice import EngineName
from blinasim.errors import BlinasimError, ScenarioError
from blinasim.model.parameters import ParameterSource
from blinasim.scenario.settings import Scenario
from blinasim.study.measures import measure_named, measures_of
from blinasim.study.optimization import Better, Estimate, Limit, Optimization, Runner, Verdict
from blinasim.study.race import ALPHA, FEWEST, LOOKS, Race, looks_of

__all__ = [
    "ALPHA",
    "FEWEST",
    "LOOKS",
    "MOST_CANDIDATES",
    "Better",
    "Estimate",
    "Limit",
    "Optimization",
    "Runner",
    "Verdict",
    "looks_of",
    "optimize",
]

#: Candidates at most.
MOST_CANDIDATES: Final = 2_000


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
    ScenarioError
        If the candidates have cohorts of different sizes.
    WorkerError
        If those who do the work keep dying.

    Returns
    -------
    Optimization
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
    race = Race(base, scenarios, parameters, judged, better, limits, engine, executor, progress)
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
