"""Static rules: candidacy, conditioning and search at entry, evaluated once, for both engines.

Rules that unfold in time (donor and patience, admissible day, cycles) belong to the engines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinasim.model.chart import Charts
from blinasim.model.codes import NONE, AfterCycles, Conditioning, Depth, Fitness, Mrd, Reason
from blinasim.scenario.settings import Candidates, ConditioningRule, Policy


@dataclass(frozen=True)
class Plan:
    """What the policy would decide for each patient; arrays of shape (P,)."""

    candidate: NDArray[np.bool_]
    reason: NDArray[np.int8]  # why not a candidate; -1 for candidates
    reason_at_entry: NDArray[np.int8]  # the same, as far as it is known at enrolment
    conditioning: NDArray[np.int8]
    search_at_entry: NDArray[np.bool_]
    after_cycles: NDArray[np.int8]  # codes of ``AfterCycles``; -1: nothing


def decide(chart: Charts, under_way: NDArray[np.bool_], policy: Policy) -> Plan:
    """Apply the static rules of a policy.

    Parameters
    ----------
    chart : Charts
        The charts at remission, P patients.
    under_way : ndarray of bool, shape (P,)
        Patients whose donor search was under way at enrolment, whatever the policy says.
    policy : Policy
        The policy's settings.

    Returns
    -------
    Plan
    """
    transplant = policy.transplant
    exclusions = _exclusions(chart, transplant.candidates)
    known_at_entry = (Reason.AGE, Reason.FITNESS, Reason.PRIOR_HSCT)
    reason = _first_reason(exclusions, offered=transplant.offered)
    at_entry = _first_reason({why: exclusions[why] for why in known_at_entry}, offered=transplant.offered)
    searched = np.ones_like(under_way) if policy.donor_search.starts == "enrolment" else under_way
    candidate = reason == NONE
    after_cycles = AfterCycles.MAINTENANCE if policy.cycles.maintenance.offered else NONE
    return Plan(
        candidate=candidate,
        reason=reason,
        reason_at_entry=at_entry,
        conditioning=_conditioning(chart, transplant.conditioning),
        search_at_entry=searched & (at_entry == NONE),
        after_cycles=np.where(candidate & transplant.bridging, AfterCycles.BRIDGING, after_cycles).astype(np.int8),
    )


def _first_reason(exclusions: dict[Reason, NDArray[np.bool_]], *, offered: bool) -> NDArray[np.int8]:
    """Return the first reason that applies to each patient, -1 where none does."""
    some = next(iter(exclusions.values()))
    if not offered:
        return np.full(some.shape, Reason.NOT_OFFERED, dtype=np.int8)
    reason = np.full(some.shape, NONE, dtype=np.int8)
    for why in sorted(exclusions, reverse=True):  # the first reason is written last
        reason[exclusions[why]] = why
    return reason


def _exclusions(chart: Charts, rule: Candidates) -> dict[Reason, NDArray[np.bool_]]:
    too_old = chart.age_years > rule.max_age_years
    if rule.selected_from_age_years is not None:
        too_old = too_old | ((chart.age_years >= rule.selected_from_age_years) & ~chart.selected_despite_age)
    refused = {
        "allowed": np.zeros_like(chart.prior_hsct),
        "selected": chart.prior_hsct & ~chart.selected_despite_prior_hsct,
        "refused": chart.prior_hsct,
    }[rule.prior_hsct]
    return {
        Reason.AGE: too_old,
        Reason.FITNESS: ~np.isin(chart.fitness, [Fitness[name.upper()] for name in rule.fitness]),
        Reason.PRIOR_HSCT: refused,
        Reason.MRD: ~np.isin(chart.mrd, [Mrd[name.upper()] for name in rule.mrd]),
        Reason.DEPTH: ~np.isin(chart.depth, [Depth[name.upper()] for name in rule.depth]),
        Reason.DECLINED: chart.declines,
    }


def _conditioning(chart: Charts, rule: ConditioningRule) -> NDArray[np.int8]:
    if rule.forced is not None:
        return np.full(chart.age_years.shape, Conditioning[rule.forced.upper()], dtype=np.int8)
    myeloablative = (
        (chart.age_years < rule.myeloablative_below_age_years)
        & np.isin(chart.fitness, [Fitness[name.upper()] for name in rule.myeloablative_fitness])
        & np.isin(chart.mrd, [Mrd[name.upper()] for name in rule.myeloablative_mrd])
    )
    if rule.second_hsct == "reduced":
        myeloablative &= ~chart.prior_hsct
    return np.where(myeloablative, Conditioning.MYELOABLATIVE, Conditioning.REDUCED).astype(np.int8)
