"""The effect of HSCT as papers estimate it, in many simulated trials, beside the truth of the same patients' lives.

Laid out as a simulation study should be (ADEMP: Morris, White and Crowther, Stat Med 2019;38:2074-2102). The truth is
no model's parameter: the same patients live with the same luck in a world without HSCT, to the end and uncensored, and
the truth is the difference. So it exists for survival on a day. A marginal hazard ratio is no parameter of any such
world; it has a truth only where no life differs at all, and is 1 there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from blinasim.engine.choice import EngineName, choose
from blinasim.errors import Argument, ParameterError
from blinasim.files import check_choice
from blinasim.model.catalogue import load_parameters
from blinasim.model.cohort_file import read_cohort
from blinasim.model.parameters import ParameterSource
from blinasim.scenario.settings import Scenario
from blinasim.statistics.performance import Figure, Performance, performance
from blinasim.study.chunks import cut
from blinasim.study.effect_trials import POOLED_TRIALS, OutcomeBlock, Sums, Wanted, curve_days, estimated_block
from blinasim.study.estimators import ALL, ESTIMATORS, Estimator, JudgedBy, Timing
from blinasim.study.executors import done
from blinasim.study.exposures import OUTCOMES, Detection, OutcomeId

__all__ = [
    "GROUPS",
    "POOLED_TRIALS",
    "Effect",
    "Finding",
    "GroupCurve",
    "OutcomeEffect",
    "curve_days",
    "effect",
]

Floats = NDArray[np.float64]

#: Trials done at a time: a multiple of those pooled.
_BLOCK: Final = 4 * POOLED_TRIALS
#: The groups whose curves are drawn.
GROUPS: Final = ("ever", "never", "transplanted_so_far", "not_yet")


@dataclass(frozen=True)
class Finding:
    """What one estimator did for one outcome.

    Attributes
    ----------
    estimator : Estimator
    truth : Figure
        What judges it, with the Monte Carlo error of the lives lived; nan where nothing does.
    performance : Performance
        Over the trials.
    limit : Figure
        Mean of the estimates in trials pooled by 25: where large trials of this kind would arrive, but for a rest.
    """

    estimator: Estimator
    truth: Figure
    performance: Performance
    limit: Figure


@dataclass(frozen=True)
class GroupCurve:
    """Survival of one group on the G days of the curves, (G,): mean of the trials, and the range of 95 % of them."""

    mean: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class OutcomeEffect:
    """What was found for one outcome.

    Attributes
    ----------
    findings : tuple of Finding
        By estimator.
    days : ndarray of int64, shape (G,)
        From remission.
    groups : mapping of str to GroupCurve
        By what came later, and by what has come so far.
    practised, never : ndarray of float64, shape (G,)
        True survival of all responders on those days: HSCT as practised, and had it not been available.
    """

    findings: tuple[Finding, ...]
    days: NDArray[np.int64]
    groups: Mapping[str, GroupCurve]
    practised: Floats  # true survival on those days, HSCT as practised
    never: Floats  # and had HSCT not been available

    def of(self, estimator: str) -> Finding:
        """Return the finding of an estimator, by its id."""
        return next(finding for finding in self.findings if finding.estimator.id == estimator)


@dataclass(frozen=True, repr=False)
class Effect:
    """What the estimators found.

    Attributes
    ----------
    scenario, parameters
        What was lived; its ``study`` says how many trials.
    timing : Timing
        The days that the estimators name.
    detection : {"recorded", "at_once"}
        How relapses become known.
    outcomes : dict of {"os", "rfs"} to OutcomeEffect
    responders, transplanted, changed : int
        Patients of all trials: in remission, transplanted among them, and with another day of relapse or death in the
        world without HSCT.
    """

    scenario: Scenario
    parameters: ParameterSource
    timing: Timing
    detection: Detection
    outcomes: Mapping[OutcomeId, OutcomeEffect]
    responders: int
    transplanted: int
    changed: int

    def __repr__(self) -> str:
        return f"<Effect: {self.scenario.study.replications} trials of {self.scenario.title!r}>"


def effect(
    scenario: Scenario,
    *,
    parameters: ParameterSource | None = None,
    timing: Timing | None = None,
    detection: Detection = "recorded",
    outcomes: Sequence[OutcomeId] = tuple(OUTCOMES),
    estimators: Collection[str] = ALL,
    engine: EngineName = "auto",
    executor: Executor | None = None,
    progress: Callable[[int], None] | None = None,
) -> Effect:
    """Estimate the effect of HSCT in every trial of a scenario, and judge the estimators by the truth.

    Parameters
    ----------
    scenario : Scenario
        Its ``study`` says how many trials, and with which seed.
    parameters : ParameterSource, optional
        The same values for all trials; by default the point values of ``calibration/parameters.yaml``.
    timing : Timing, optional
        The days that the estimators name.
    detection : {"recorded", "at_once"}
        Relapses as they were found, or as if each had been seen on its day.
    outcomes : sequence of {"os", "rfs"}
        Those wanted.
    estimators : collection of str
        Ids of those wanted; the ones that weight clones take most of the time.
    engine : {"auto", "fast", "des"}
        Which engine walks the patients; the results are the same.
    executor : concurrent.futures.Executor, optional
        Who does the work; this process by default. The results are the same.
    progress : callable, optional
        Called with the number of trials finished since the last call.

    Returns
    -------
    Effect

    Raises
    ------
    ParameterError
        If parameters differ between trials: an interval can only cover one truth.
    WorkerError
        If those who do the work keep dying.
    """
    parameters = parameters or load_parameters()
    if parameters.varies:
        raise ParameterError(
            "intervals should cover one truth, that of one set of values; take point, or a file of values",
            Argument("parameters"),
        )
    timing = timing or Timing()
    source = read_cohort(scenario.cohort)
    check_choice("detection", detection, get_args(Detection))
    choose(engine, scenario.capacity)  # refuses an engine that cannot walk it, before any does
    blocks = cut(range(scenario.study.replications), _BLOCK)
    wanted = Wanted(timing, detection, tuple(outcomes), tuple(estimators))
    job = partial(estimated_block, scenario, parameters, wanted, engine, source)
    found = list(done(job, blocks, executor, progress))
    changed = sum(one.changed for one in found)
    return Effect(
        scenario=scenario,
        parameters=parameters,
        timing=timing,
        detection=detection,
        outcomes={
            name: _outcome([one.outcomes[name] for one in found], timing, no_effect=changed == 0) for name in outcomes
        },
        responders=sum(one.responders for one in found),
        transplanted=sum(one.transplanted for one in found),
        changed=changed,
    )


# --- adding up ------------------------------------------------------------------------------------------


def _outcome(parts: list[OutcomeBlock], timing: Timing, *, no_effect: bool) -> OutcomeEffect:
    sums = {
        name: Sums(
            np.concatenate([part.truths[name].number for part in parts]),
            np.concatenate([part.truths[name].among for part in parts]),
        )
        for name in parts[0].truths
    }
    alive: NDArray[np.int64] = np.stack([part.alive for part in parts]).sum(axis=0)
    members = float(sums["practised"].among.sum())
    return OutcomeEffect(
        findings=tuple(
            _finding(one, parts, sums, no_effect=no_effect) for one in ESTIMATORS if one.id in parts[0].estimates
        ),
        days=curve_days(timing),
        groups={name: _band(np.concatenate([part.curves[name] for part in parts])) for name in GROUPS},
        practised=alive[0] / members if members else np.full(alive.shape[1], np.nan),
        never=alive[1] / members if members else np.full(alive.shape[1], np.nan),
    )


def _finding(
    estimator: Estimator, parts: list[OutcomeBlock], sums: Mapping[JudgedBy, Sums], *, no_effect: bool
) -> Finding:
    value, error = (
        np.concatenate([getattr(part.estimates[estimator.id], name) for part in parts])
        for name in ("value", "standard_error")
    )
    truth, by_trial = Figure(np.nan, np.nan), None
    if estimator.truth in sums:
        truth, by_trial = sums[estimator.truth].truth(), sums[estimator.truth].by_trial()
    elif no_effect:
        truth = Figure(0.0, 0.0)
    pooled = np.concatenate([part.pooled[estimator.id] for part in parts])
    pooled = pooled[np.isfinite(pooled)]
    limit = Figure(
        float(pooled.mean()) if pooled.size else np.nan,
        float(pooled.std(ddof=1) / np.sqrt(pooled.size)) if pooled.size > 1 else np.nan,
    )
    return Finding(estimator, truth, performance(value, error, truth.value, by_trial), limit)


def _band(trials: Floats) -> GroupCurve:
    """Summarize the trials that know a group's survival on a day; nan where fewer than half do."""
    known = np.isfinite(trials)
    enough = 2 * known.sum(axis=0) >= max(trials.shape[0], 1)
    mean, lower, upper = (np.full(trials.shape[1], np.nan) for _ in range(3))
    for place in np.flatnonzero(enough):
        values = trials[known[:, place], place]
        mean[place] = values.mean()
        lower[place], upper[place] = np.quantile(values, (0.025, 0.975))
    return GroupCurve(mean, lower, upper)
