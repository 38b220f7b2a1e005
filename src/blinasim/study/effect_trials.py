"""Some trials of a study of the effect of HSCT: what every estimator says of them, and what is true."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blinasim.engine.choice import EngineName
from blinasim.luck import Draws, Luck
from blinasim.model.cohort_file import CohortSource
from blinasim.model.parameters import ParameterSource
from blinasim.scenario.settings import Scenario
from blinasim.statistics import survival
from blinasim.statistics.counting import extended_kaplan_meier
from blinasim.statistics.exposure import NEVER, Estimate, Exposure, simon_makuch_groups
from blinasim.statistics.performance import Figure
from blinasim.study.batch import had_hsct_not_existed, live
from blinasim.study.chunks import with_curves
from blinasim.study.estimators import ESTIMATORS, JudgedBy, Timing, estimate_all
from blinasim.study.exposures import Detection, OutcomeId, exposure
from blinasim.trial.observe import observe_all

Floats = NDArray[np.float64]

#: Trials pooled as one large one, again and again, for an estimator's limit.
POOLED_TRIALS: Final = 25
#: Days between the points of the curves.
_STEP_DAYS: Final = 7


@dataclass(frozen=True)
class Sums:
    """What a truth is the share of, in each of R trials.

    Attributes
    ----------
    number : ndarray of float64, shape (R,)
        Patients, or the difference of two numbers of them.
    among : ndarray of float64, shape (R,)
        Of how many.
    """

    number: Floats
    among: Floats

    def truth(self) -> Figure:
        """Return the share among all, with the error of a ratio over trials."""
        apart = self.by_trial()
        error = float(apart.std(ddof=1) / np.sqrt(apart.size)) if apart.size > 1 else np.nan
        return Figure(self._share, error)

    def by_trial(self) -> Floats:
        """Return each trial's part of the truth."""
        apart: Floats = (self.number - self._share * self.among) / max(float(self.among.mean()), 1e-300)
        return apart

    @property
    def _share(self) -> float:
        among = float(self.among.sum())
        return float(self.number.sum()) / among if among else np.nan


@dataclass(frozen=True)
class OutcomeBlock:
    """What R trials give for one outcome.

    Attributes
    ----------
    estimates : dict of str to Estimate
        By estimator, (R,).
    pooled : dict of str to ndarray
        Estimates of whole pools of consecutive trials, by estimator.
    truths : dict of str to Sums
        By what judges an estimator, (R,).
    curves : dict of str to ndarray
        Survival by group on the days of :func:`curve_days`, (K, G) of the first K trials; NaN where nothing is known.
    alive : ndarray of int64, shape (2, G)
        Patients truly event-free, as practised and without HSCT.
    """

    estimates: dict[str, Estimate]
    pooled: dict[str, Floats]
    truths: dict[JudgedBy, Sums]
    curves: dict[str, Floats]  # (K, G)
    alive: NDArray[np.int64]  # (2, G): truly event-free, as practised and without HSCT


@dataclass(frozen=True)
class Wanted:
    """What is to be estimated of some trials, and how.

    Attributes
    ----------
    timing : Timing
        The days that the estimators name.
    detection : {"recorded", "at_once"}
        How relapses become known.
    outcomes : tuple of {"os", "rfs"}
        Which.
    estimators : tuple of str
        Ids.
    """

    timing: Timing
    detection: Detection
    outcomes: tuple[OutcomeId, ...]
    estimators: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """What some trials give: each outcome, and how many patients of a kind they have.

    ``responders`` reach remission, ``transplanted`` are among them; ``changed`` have another day of relapse or death
    in the world without HSCT.
    """

    outcomes: dict[OutcomeId, OutcomeBlock]
    responders: int
    transplanted: int
    changed: int


def estimated_block(
    scenario: Scenario,
    parameters: ParameterSource,
    wanted: Wanted,
    engine: EngineName,
    source: CohortSource | None,
    block: range,
) -> Block:
    """Live some trials, and estimate in them.

    Parameters
    ----------
    scenario, parameters
        What is lived.
    wanted : Wanted
        What is estimated.
    engine : {"auto", "fast", "des"}
        Which engine walks the patients.
    source : CohortSource, optional
        The cohort's file, read before.
    block : range
        Which trials, from 0; contiguous.

    Returns
    -------
    Block
    """
    batch = live(
        scenario,
        parameters,
        Draws(Luck(scenario.study.seed), block, scenario.cohort.size),
        engine=engine,
        source=source,
    )
    practised = observe_all(scenario, batch.world.cohort, batch.history, batch.record)
    never = had_hsct_not_existed(scenario, batch, engine)
    outcomes: dict[OutcomeId, OutcomeBlock] = {}
    timing = wanted.timing
    for name in wanted.outcomes:
        seen = exposure(name, scenario, batch, batch.seen, wanted.detection).packed()
        true, other = (exposure(name, scenario, batch, world, "at_once") for world in (practised, never))
        outcomes[name] = OutcomeBlock(
            estimates=estimate_all(seen, timing, wanted=wanted.estimators),
            pooled=_pooled(seen, timing, wanted=wanted.estimators),
            truths=_truths(true, other, timing),
            curves=_curves(seen.trials(slice(0, with_curves(block))), timing),
            alive=_alive(true, other, timing),
        )
    differs = (practised.death != never.death) | (practised.relapse != never.relapse)
    return Block(
        outcomes=outcomes,
        responders=int(practised.responder.sum()),
        transplanted=int((practised.responder & (practised.hsct >= 0)).sum()),
        changed=int(differs.sum()),
    )


def _pooled(seen: Exposure, timing: Timing, *, wanted: Collection[str]) -> dict[str, Floats]:
    """Return the estimates of whole pools of trials, none if there are fewer."""
    whole = seen.member.shape[0] // POOLED_TRIALS * POOLED_TRIALS
    if not whole:
        return {one.id: np.empty(0) for one in ESTIMATORS}
    pooled = seen.trials(slice(0, whole)).pooled(POOLED_TRIALS)
    found = estimate_all(pooled, timing, groups=0, wanted=wanted)
    return {name: estimate.value for name, estimate in found.items()}


def _truths(practised: Exposure, never: Exposure, timing: Timing) -> dict[JudgedBy, Sums]:
    """Count who is event-free on the day in both worlds."""
    members, day = practised.member, timing.day
    with_hsct, without = (world.member & (world.time_days > day) for world in (practised, never))
    treated = members & (practised.treated < NEVER)
    by_landmark = treated & (practised.treated <= timing.landmark_day) & (practised.time_days > timing.landmark_day)

    def count(who: NDArray[np.bool_]) -> Floats:
        return np.asarray(np.count_nonzero(who, axis=1), dtype=np.float64)

    def gain(who: NDArray[np.bool_]) -> Sums:
        return Sums(count(with_hsct & who) - count(without & who), count(who))

    return {
        "practised": Sums(count(with_hsct), count(members)),
        "never": Sums(count(without), count(members)),
        "practised_less_never": gain(members),
        "transplanted": gain(treated),
        "transplanted_by_landmark": gain(by_landmark),
    }


def curve_days(timing: Timing) -> NDArray[np.int64]:
    """Return the days of the curves: one a week, the landmark and the last."""
    return np.union1d(np.arange(0, timing.day, _STEP_DAYS), (timing.landmark_day, timing.day)).astype(np.int64)


def _alive(practised: Exposure, never: Exposure, timing: Timing) -> NDArray[np.int64]:
    days = curve_days(timing)[:, np.newaxis]
    return np.stack([(world.time_days[world.member] > days).sum(axis=1) for world in (practised, never)])


def _curves(seen: Exposure, timing: Timing) -> dict[str, Floats]:
    """Return each trial's curves, nan where it knows nothing."""
    days = curve_days(timing)
    found = {}
    ever = seen.treated < NEVER
    for name, group in (("ever", ever), ("never", ~ever)):
        fitted = survival.fit(seen.time_days, seen.event & seen.member, seen.member & group)
        found[name] = survival.on_grid(fitted, days)[0]
    groups = zip(("transplanted_so_far", "not_yet"), simon_makuch_groups(seen, timing.landmark_day), strict=True)
    for name, (rows, inside) in groups:
        curve = extended_kaplan_meier(rows, inside)
        values = np.stack([curve.on(day)[0] for day in days.tolist()], axis=1)
        last = np.max(np.where(inside & rows.member, rows.stop, -1.0), axis=1, initial=-1.0)[:, np.newaxis]
        known = (days >= timing.landmark_day) & (days <= last)
        found[name] = np.where(known, values, np.nan)
    return found
