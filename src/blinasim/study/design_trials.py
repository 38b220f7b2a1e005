"""Trials of a design: patients enrolled, allocated and lived, and what every look at them finds.

Each patient lives in one arm. Where the policies of two arms share their parameters of nature, fates are settled once,
and each arm walks its own patients alone.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from blinasim.engine.choice import walk
from blinasim.luck import Draws, Luck
from blinasim.model.codes import NEVER, Donor
from blinasim.model.cohort import Cohort, draw_cohort
from blinasim.model.cohort_file import read_cohort
from blinasim.model.fates import Fates, settle
from blinasim.model.history import COLUMNS, History, chosen
from blinasim.model.parameters import Parameters, ParameterSource
from blinasim.model.records import record_transplants
from blinasim.model.therapy import under_therapy
from blinasim.scenario.design import Design
from blinasim.scenario.design_file import TrialDesign
from blinasim.scenario.settings import Scenario
from blinasim.statistics.curves import normal_quantile
from blinasim.statistics.intervals import clopper_pearson
from blinasim.statistics.tables import daily_counts
from blinasim.study.batch import Batch, World, plan_lives
from blinasim.trial import decisions, enrolment, looks
from blinasim.trial.looks import Course, Snapshot
from blinasim.trial.observe import seen_until

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]

#: Days of the arms' true curves.
LAST_CURVE_DAY = 1_827


@dataclass(frozen=True)
class Lived:
    """The patients of some trials, each in an arm, P = R * n; ``fates`` are those of the arm.

    Attributes
    ----------
    cohort, fates, history
        Arrays of shape (P,).
    arm, stratum : ndarray of int8, shape (R, n)
        Numbers from 0.
    lost_day : ndarray of int32, shape (R, n)
        Day since entry on which a patient is lost to follow-up.
    parameters, draws
        Values of nature, and the block's luck.
    """

    cohort: Cohort
    fates: Fates
    history: History
    arm: NDArray[np.int8]
    stratum: NDArray[np.int8]
    lost_day: Ints
    parameters: Parameters
    draws: Draws


@dataclass(frozen=True)
class Looked:
    """What the looks of R trials find, arrays of shape (R, K).

    Attributes
    ----------
    day, enrolled : ndarray of int32
        Calendar day of the cut-off, and patients enrolled by it.
    events : ndarray of int64
        Events of the variable; responses in a single arm.
    z : ndarray of float64
        Statistic, above 0 where the second arm does better; NaN in a single arm.
    estimate, standard_error : ndarray of float64
        A log hazard ratio, a difference in days or in survival, or a rate; and its error.
    """

    day: Ints
    enrolled: Ints
    events: NDArray[np.int64]
    z: Floats
    estimate: Floats
    standard_error: Floats

    @classmethod
    def joined(cls, parts: list[Looked]) -> Looked:
        """Join consecutive trials."""
        return cls(*(np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(cls)))


@dataclass(frozen=True)
class Counted:
    """What the patients of all trials add up to, int64.

    Attributes
    ----------
    final : ndarray, shape (S, A, 2, D + 1)
        Censorings and events (axis 2) by stratum, arm and day at the last look of every trial, whether or not it
        stopped before.
    true : ndarray, shape (A, 2, 1828)
        Events and the others by arm and day without any cut-off.
    responses : ndarray, shape (2,)
        Responses of all patients of a single arm, and the patients.
    """

    final: NDArray[np.int64]
    true: NDArray[np.int64]
    responses: NDArray[np.int64]

    def __add__(self, other: Counted) -> Counted:
        return Counted(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))


def live_arms(asked: TrialDesign, parameters: ParameterSource, luck: Luck, block: range) -> Lived:
    """Enrol, allocate and live the patients of some trials of a design.

    Parameters
    ----------
    asked : TrialDesign
        The design, and the scenarios of its arms.
    parameters : ParameterSource
        Values of nature, by trial.
    luck : Luck
        Of the study's seed.
    block : range
        Which trials, from 0; contiguous.

    Returns
    -------
    Lived
    """
    design, scenarios = asked.design, asked.scenarios
    draws = Draws(luck, block, design.size)
    nature = parameters.of(block, luck.seed)
    source = read_cohort(scenarios[0].cohort)
    entry = enrolment.entry_days(design.accrual, draws)
    drawn = draw_cohort(scenarios[0].cohort, scenarios[0].trial.accrual, nature, draws, source)
    cohort = replace(drawn, entry_day=entry.ravel())
    stratum = enrolment.strata(design.stratification, cohort)
    worlds = _worlds(scenarios, nature, cohort, draws)
    if not design.two_arms:
        arm = np.zeros(entry.shape, dtype=np.int8)
    elif design.assignment == "sibling_donor":
        arm = (worlds[0][1].donor_search_days[:, Donor.SIBLING] < NEVER).astype(np.int8).reshape(entry.shape)
    else:
        arm = enrolment.allocate([one.allocation for one in design.arms], design.block, stratum, draws)
    columns = {name: np.empty(cohort.entry_day.shape, dtype=np.int32) for name in COLUMNS}
    for number, (scenario, (values, fates)) in enumerate(zip(scenarios, worlds, strict=True)):
        who = np.flatnonzero(arm.ravel() == number)
        walked = walk(plan_lives(scenario.policy, cohort, fates, values).of(who))
        for name, column in columns.items():
            column[who] = getattr(walked, name)
    return Lived(
        cohort=cohort,
        fates=worlds[0][1],
        history=History(**columns),
        arm=arm,
        stratum=stratum,
        lost_day=enrolment.lost_days(design.loss_per_year, draws),
        parameters=nature,
        draws=draws,
    )


def _worlds(
    scenarios: tuple[Scenario, ...], nature: Parameters, cohort: Cohort, draws: Draws
) -> list[tuple[Parameters, Fates]]:
    """Return the parameters and fates of each arm; settled once for arms of one therapy."""
    settled: dict[str, tuple[Parameters, Fates]] = {}
    for scenario in scenarios:
        therapy = scenario.policy.therapy
        if therapy not in settled:
            values = under_therapy(scenario.policy, nature)
            settled[therapy] = (values, settle(cohort, values, draws))
    return [settled[scenario.policy.therapy] for scenario in scenarios]


def course(asked: TrialDesign, lived: Lived) -> Course:
    """Return what the trial will record of the patients of two arms."""
    return looks.course_of(
        asked.design,
        tuple(scenario.policy for scenario in asked.scenarios),
        lived.history,
        lived.cohort.entry_day.reshape(lived.arm.shape),
        lived.lost_day,
        lived.arm,
        lived.stratum,
        asked.scenarios[0].trial.rfs_censoring,
    )


def snapshots(design: Design, of: Course) -> list[Snapshot]:
    """Lock the data at every look; a look never comes before the one that precedes it."""
    found: list[Snapshot] = []
    for look in design.looks:
        day = looks.cutoff_day(look.when, of, design.longest_days)
        found.append(looks.snapshot(of, np.maximum(day, found[-1].cutoff_day) if found else day))
    return found


def look_at_block(asked: TrialDesign, parameters: ParameterSource, luck: Luck, block: range) -> tuple[Looked, Counted]:
    """Simulate some trials of a design, every look of each whether or not it would have stopped before.

    Parameters
    ----------
    asked, parameters, luck, block
        As for :func:`live_arms`.

    Returns
    -------
    looked : Looked
        Trial by trial.
    counted : Counted
        Of all patients.
    """
    lived = live_arms(asked, parameters, luck, block)
    if asked.design.two_arms:
        return _look_at_two(asked, lived)
    return _look_at_one(asked, lived)


def _look_at_two(asked: TrialDesign, lived: Lived) -> tuple[Looked, Counted]:
    design = asked.design
    of = course(asked, lived)
    data = snapshots(design, of)
    analyses = [decisions.analyse(design, of, at) for at in data]
    looked = Looked(
        day=np.stack([at.cutoff_day for at in data], axis=1),
        enrolled=np.stack([at.enrolled for at in data], axis=1),
        events=np.stack([at.event.sum(axis=1) for at in data], axis=1),
        z=np.stack([one.z for one in analyses], axis=1),
        estimate=np.stack([one.estimate for one in analyses], axis=1),
        standard_error=np.stack([one.standard_error for one in analyses], axis=1),
    )
    strata = 2 ** len(design.stratification) if design.test is not None and design.test.stratified else 1
    stratum = of.stratum if strata > 1 else np.zeros_like(of.stratum)
    true = looks.without_cutoff(of)
    return looked, Counted(
        final=_counts(data[-1], stratum * 2 + of.arm, 2 * strata, design.longest_days).reshape(strata, 2, 2, -1),
        true=_counts(true, of.arm, 2, LAST_CURVE_DAY),
        responses=np.zeros(2, dtype=np.int64),
    )


def _counts(data: Snapshot, group: NDArray[np.int8], groups: int, days: int) -> NDArray[np.int64]:
    """Count censorings and events by group and day, shape (groups, 2, days + 1)."""
    code = (2 * group.astype(np.int64) + data.event).astype(np.int64)
    return daily_counts(data.time_days, code, data.member, codes=2 * groups, days=days).reshape(groups, 2, -1)


def _look_at_one(asked: TrialDesign, lived: Lived) -> tuple[Looked, Counted]:
    design = asked.design
    assert design.plan is not None
    plan = decisions.plan_of(design)
    outcome = looks.binary_outcome(design, asked.scenarios[0].policy, lived.history, lived.lost_day)
    responses = decisions.responses_at(plan, outcome)
    day, enrolled, _ = _calendar(design, lived)
    rate = responses / np.array(plan.looks)
    looked = Looked(
        day=day,
        enrolled=enrolled,
        events=responses,
        z=np.full(rate.shape, np.nan),
        estimate=rate,
        standard_error=np.sqrt(rate * (1.0 - rate) / np.array(plan.looks)),
    )
    nothing = np.zeros((1, 1, 2, 1), dtype=np.int64)
    return looked, Counted(nothing, nothing[0], np.array([outcome.sum(), outcome.size], dtype=np.int64))


def _calendar(design: Design, lived: Lived) -> tuple[Ints, Ints, Ints]:
    """Return day and patients enrolled of the looks of a single arm, (R, K), and days of entry as paused, (R, n)."""
    assert design.plan is not None
    plan = decisions.plan_of(design)
    entry: Ints = lived.cohort.entry_day.reshape(lived.arm.shape).copy()
    day = np.empty((lived.draws.replications, len(plan.looks)), dtype=np.int32)
    enrolled = np.empty_like(day)
    for k, patients in enumerate(plan.looks):
        day[:, k] = entry[:, patients - 1] + design.plan.assess_after_days
        came = (entry[:, : plan.size] <= day[:, k, np.newaxis]).sum(axis=1)
        enrolled[:, k] = patients if design.plan.pause else came
        if design.plan.pause and k < len(plan.looks) - 1:
            # Nobody enters until the look has been: who would have come meanwhile comes as long after it.
            entry[:, patients:] += design.plan.assess_after_days
    return day, enrolled, entry


@dataclass(frozen=True)
class TrialAtLook:
    """One trial as its data base stands at a look: subjects enrolled by then, and the arm of each by name, (n,)."""

    name: str
    batch: Batch
    treatment: NDArray[np.object_]


def trial_at_looks(asked: TrialDesign, parameters: ParameterSource, trial: int) -> list[TrialAtLook]:
    """Live one trial of a design, and see it as at each of its looks.

    Parameters
    ----------
    asked : TrialDesign
        The design; its ``study`` says with which seed.
    parameters : ParameterSource
        The values of nature.
    trial : int
        Number of the trial, from 1.

    Returns
    -------
    list of TrialAtLook
        In the order of the looks.
    """
    design = asked.design
    block = range(trial - 1, trial)
    lived = live_arms(asked, parameters, Luck(design.study.seed), block)
    if design.two_arms:
        data = snapshots(design, course(asked, lived))
        ends = [
            (look.name, int(at.cutoff_day[0]), int(at.enrolled[0])) for look, at in zip(design.looks, data, strict=True)
        ]
        entry = lived.cohort.entry_day
    else:
        day, enrolled, paused = _calendar(design, lived)
        names = [f"{patients} patients" for patients in decisions.plan_of(design).looks]
        ends = [(name, int(day[0, k]), int(enrolled[0, k])) for k, name in enumerate(names)]
        entry = paused[0]
    cohort = replace(lived.cohort, entry_day=entry)
    return [_at(asked, replace(lived, cohort=cohort), name, day, patients) for name, day, patients in ends]


def _at(asked: TrialDesign, lived: Lived, name: str, cutoff: int, patients: int) -> TrialAtLook:
    who = np.arange(patients)
    cohort = replace(chosen(lived.cohort, who), patients=patients)
    history, fates, arm = chosen(lived.history, who), chosen(lived.fates, who), lived.arm[0, :patients]
    draws = Draws(lived.draws.luck, lived.draws.block, patients)
    record = record_transplants(history, fates, lived.parameters, draws)
    potential = (cutoff - cohort.entry_day).astype(np.int32)
    follow_up = np.minimum(potential, lived.lost_day[0, :patients]).astype(np.int32)
    by_arm = [seen_until(scenario, cohort, history, record, potential, follow_up) for scenario in asked.scenarios]
    seen = by_arm[0]
    if len(by_arm) == 2:
        columns = [item.name for item in fields(seen)]
        seen = replace(seen, **{c: np.where(arm == 1, getattr(by_arm[1], c), getattr(by_arm[0], c)) for c in columns})
    lives = plan_lives(asked.scenarios[0].policy, cohort, fates, lived.parameters)
    names = np.array([one.name for one in asked.design.arms], dtype=object)[arm]
    return TrialAtLook(name, Batch(World(cohort, lives, draws, lived.parameters), history, record, seen), names)


def interval_of(asked: TrialDesign, looked: Looked, look: NDArray[np.int64], level: float) -> tuple[Floats, Floats]:
    """Return the usual confidence limits at the look at which each trial ends, as if it had been the only one.

    Wald's of two arms; Clopper and Pearson's of a single one (Biometrika 1934;26:404-413).

    Parameters
    ----------
    asked : TrialDesign
        The design.
    looked : Looked
        R trials.
    look : ndarray of int64, shape (R,)
        Where each ends, from 0.
    level : float
        Confidence level.

    Returns
    -------
    lower, upper : ndarray of float64, shape (R,)
        In the unit of the estimate.
    """
    row = np.arange(look.size)
    if not asked.design.two_arms:
        patients = np.array(decisions.plan_of(asked.design).looks)[look]
        return clopper_pearson(looked.events[row, look], patients, level)
    reach = normal_quantile(level) * looked.standard_error[row, look]
    return looked.estimate[row, look] - reach, looked.estimate[row, look] + reach
