"""What a designed trial decides: the statistic of each look, its boundaries, and where the trial ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from blinasim.scenario.design import Design
from blinasim.statistics import group_sequential
from blinasim.statistics.conditional_power import conditional_power_boundary
from blinasim.statistics.differences import ArmDifference, milestone_difference, rmst_difference
from blinasim.statistics.error_spending import spent
from blinasim.statistics.group_sequential import Boundaries
from blinasim.statistics.hazard_ratio import hazard_ratio
from blinasim.statistics.logrank import log_rank
from blinasim.statistics.max_combo import max_combo
from blinasim.statistics.single_arm import BinomialPlan, exact_test, lee_liu, simon
from blinasim.trial.looks import Course, Snapshot

Floats = NDArray[np.float64]


class Ending(IntEnum):
    """How a trial ends."""

    NOT_SHOWN = 0
    SUCCESS = 1
    FUTILITY = 2
    HARM = 3


@dataclass(frozen=True)
class Analysis:
    """What a look finds in each of R trials, arrays of shape (R,).

    Attributes
    ----------
    z : ndarray of float64
        Above 0 where the second arm does better; NaN where nothing can be compared.
    estimate, standard_error : ndarray of float64
        A log hazard ratio, or a difference in days or in survival, second arm less or against first; and its error.
    """

    z: Floats
    estimate: Floats
    standard_error: Floats


def analyse(design: Design, course: Course, data: Snapshot) -> Analysis:
    """Test and estimate, by the design's test, in every trial; see :mod:`blinasim.statistics` for the tests.

    Parameters
    ----------
    design : Design
        Two arms.
    course : Course
        Whose arms and strata are compared.
    data : Snapshot
        The data at a look.

    Returns
    -------
    Analysis
    """
    assert design.test is not None
    test = design.test
    treated = course.arm == 1
    stratum = course.stratum.astype(np.int64) if test.stratified else None
    arrays = (data.time_days, data.event, treated, data.member)
    if test.kind in ("rmst", "milestone"):
        assert test.day is not None
        found: ArmDifference = (
            rmst_difference(*arrays, tau_days=test.day)
            if test.kind == "rmst"
            else milestone_difference(*arrays, day=test.day)
        )
        return Analysis(found.z, found.value, found.standard_error)
    ratio = hazard_ratio(*arrays, stratum=stratum)
    if test.kind == "cox":
        z = -ratio.log / ratio.standard_error
    elif test.kind == "max_combo":
        combined = max_combo(*arrays, weights=test.weights, stratum=stratum)
        z = -ndtri(combined.p_value(-1.0))
    else:
        z = -log_rank(*arrays, stratum=stratum, rho=test.rho, gamma=test.gamma).z
    return Analysis(np.asarray(z), ratio.log, ratio.standard_error)


def information(design: Design, events: NDArray[np.integer]) -> Floats:
    """Return the information of so many events about a log hazard ratio, D p (1 - p), with p of the second arm.

    Schoenfeld, Biometrics 1983;39:499-503. Without any event it is that of one.
    """
    share = design.treated_share
    return np.asarray(np.maximum(events, 1) * share * (1.0 - share), dtype=np.float64)


def boundaries(design: Design, events: NDArray[np.integer]) -> Boundaries:
    """Return the boundaries of z at every look of every trial, from the events that it had.

    Parameters
    ----------
    design : Design
        Two arms.
    events : ndarray of int, shape (R, K)
        Events at the looks.

    Returns
    -------
    Boundaries
        Of shape (R, K).
    """
    rows, back = np.unique(np.asarray(events), axis=0, return_inverse=True)
    found = _boundaries(design, rows)
    back = back.reshape(-1)
    return Boundaries(found.upper[back], found.lower[back])


def _boundaries(design: Design, events: NDArray[np.integer]) -> Boundaries:
    alpha, looks = design.one_sided_alpha, events.shape[1]
    info = information(design, events)
    lower = np.full(info.shape, -np.inf)
    if looks == 1 or design.efficacy.kind == "none":
        upper = np.full(info.shape, np.inf)
        upper[:, -1] = -ndtri(alpha)
        if looks > 1:
            lower[:, :-1] = _futility(design, events, upper[:, -1])[:, : looks - 1]
        lower[:, -1] = upper[:, -1]
        return Boundaries(upper, lower)
    if design.efficacy.kind == "haybittle_peto":
        upper = group_sequential.haybittle_peto(info, alpha, design.efficacy.interim_z)
        lower = _futility(design, events, upper[:, -1])
        lower[:, -1] = upper[:, -1]
        return Boundaries(upper, np.minimum(lower, upper))
    alpha_spent = _spent_alpha(design, events)
    binding = design.futility.binding
    if design.futility.kind == "beta_spending":
        beta, drift = _spent_beta(design, events), _drift(design)
        return group_sequential.spending_boundaries(info, alpha_spent, beta_spent=beta, drift=drift, binding=binding)
    if design.futility.kind != "none":
        lower = _futility(design, events, _last_boundary(design, info, alpha_spent))
    return group_sequential.spending_boundaries(info, alpha_spent, lower=lower, binding=binding)


def _fraction(design: Design, events: NDArray[np.integer]) -> Floats:
    """Information fractions; whatever the last look has had is all there is."""
    assert design.planned_events is not None
    fraction = np.minimum(events / design.planned_events, 1.0)
    fraction[:, -1] = 1.0
    return np.asarray(np.maximum.accumulate(fraction, axis=1))


def _spent_alpha(design: Design, events: NDArray[np.integer]) -> Floats:
    kind = design.efficacy.kind
    assert kind in ("obrien_fleming", "pocock", "hwang_shih_decani")
    return spent(kind, _fraction(design, events), design.one_sided_alpha, design.efficacy.gamma)


def _spent_beta(design: Design, events: NDArray[np.integer]) -> Floats:
    futility = design.futility
    return spent("hwang_shih_decani", _fraction(design, events), futility.beta, futility.gamma)


def _drift(design: Design) -> float:
    """Return the effect for which beta spending is planned: that at which it meets the boundary of success."""
    planned = np.array([[look.events for look in design.looks]], dtype=np.int64)
    errors = _spent_alpha(design, planned), _spent_beta(design, planned)
    return group_sequential.beta_spending_drift(information(design, planned), *errors, binding=design.futility.binding)


def _last_boundary(design: Design, info: Floats, alpha_spent: Floats) -> Floats:
    """Return the last boundary without futility, shape (R,): what conditional power looks forward to."""
    if design.futility.kind != "conditional_power":
        return np.full(info.shape[0], np.nan)
    return np.asarray(group_sequential.spending_boundaries(info, alpha_spent).upper[:, -1])


def _futility(design: Design, events: NDArray[np.integer], final: Floats) -> Floats:
    """Return the futility boundary of z as the design says it, shape (R, K); nothing at the last look."""
    lower = np.full(events.shape, -np.inf)
    kind, info = design.futility.kind, information(design, events)
    for k, limit in enumerate(design.interim_futility if kind not in ("none", "beta_spending") else ()):
        if kind == "z":
            lower[:, k] = limit
        elif kind == "hazard_ratio":
            lower[:, k] = -np.log(limit) * np.sqrt(info[:, k])
        else:
            assert design.hazard_ratio is not None
            assert design.planned_events is not None
            whole = np.maximum(information(design, np.array(design.planned_events)), info[:, k] + 1e-9)
            drift = -np.log(design.hazard_ratio) * np.sqrt(whole)
            lower[:, k] = conditional_power_boundary(limit, info[:, k] / whole, final, drift)
    return lower


@dataclass(frozen=True)
class Decision:
    """Where R trials end, and how.

    Attributes
    ----------
    look : ndarray of int64, shape (R,)
        From 0.
    outcome : ndarray of int8, shape (R,)
        Codes of ``Ending``.
    """

    look: NDArray[np.int64]
    outcome: NDArray[np.int8]


def decide(design: Design, z: Floats, bounds: Boundaries, *, overruled: bool = False) -> Decision:
    """Go through the looks of every trial, as planned.

    Parameters
    ----------
    design : Design
        Its ``sides`` say whether harm is looked for.
    z : ndarray of float, shape (R, K)
        Statistics; NaN, where nothing can be compared, decides nothing.
    bounds : Boundaries
        Of each trial.
    overruled : bool
        Go on where a look says futility.

    Returns
    -------
    Decision
    """
    known = np.where(np.isnan(z), 0.0, z)
    success = known >= bounds.upper
    harm = (known <= -bounds.upper) if design.sides == 2 else np.zeros_like(success)
    futile = (known < bounds.lower) & ~harm
    if overruled:
        futile[:] = False
    last = z.shape[1] - 1
    futile[:, last] = False
    ends = success | harm | futile
    ends[:, last] = True
    look = ends.argmax(axis=1)
    row = np.arange(z.shape[0])
    outcome = np.select(
        [success[row, look], harm[row, look], futile[row, look]],
        [Ending.SUCCESS, Ending.HARM, Ending.FUTILITY],
        Ending.NOT_SHOWN,
    )
    return Decision(look, outcome.astype(np.int8))


def plan_of(design: Design) -> BinomialPlan:
    """Return the looks and limits of a single-arm design.

    Raises
    ------
    ValueError
        If there is no such plan, or it needs more patients than the design has.
    """
    plan = design.plan
    assert plan is not None
    if plan.kind == "exact":
        return exact_test(plan.p0, design.alpha, design.size)
    if plan.kind == "predictive_probability":
        return lee_liu(
            plan.p0,
            design.size,
            plan.looks_at,
            posterior=plan.posterior,
            futility=plan.futility,
            success=plan.success,
            prior=plan.prior,
        )
    optimal, minimax = simon(plan.p0, plan.p1, design.alpha, plan.beta)
    found = (optimal if plan.kind == "simon_optimal" else minimax).plan
    if found.looks[-1] > design.size:
        # The best plan within the size would be another one by the same name.
        raise ValueError(f"needs {found.looks[-1]} patients, and size is {design.size}; make size {found.looks[-1]}")
    return found


def responses_at(plan: BinomialPlan, outcome: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count the responses among the first patients of each look, (R, n) in the order of entry to (R, K)."""
    return np.stack([outcome[:, :patients].sum(axis=1) for patients in plan.looks], axis=1).astype(np.int64)


def end_of(plan: BinomialPlan, responses: NDArray[np.integer]) -> Decision:
    """Return where the trials of a single-arm plan end.

    Parameters
    ----------
    plan : BinomialPlan
        Its looks.
    responses : ndarray of int, shape (R, K)
        At each look, of all patients by then.

    Returns
    -------
    Decision
    """
    success = responses >= np.array(plan.success_from)
    futile = responses <= np.array(plan.futile_at_most)
    look = (success | futile).argmax(axis=1)
    row = np.arange(responses.shape[0])
    last = look == len(plan.looks) - 1
    ended = np.where(success[row, look], Ending.SUCCESS, np.where(last, Ending.NOT_SHOWN, Ending.FUTILITY))
    return Decision(look, ended.astype(np.int8))
