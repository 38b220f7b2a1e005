"""Patient flow: every patient of a trial in one cell of a table, so that the boxes of a flow diagram add up."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import NONE, Cause, Reason
from blinasim.model.fates import Fates
from blinasim.model.history import History, or_never
from blinasim.model.rules import Plan
from blinasim.trial.observe import Ints, TrialData


class Route(IntEnum):
    """How far a patient came, and what kept those back who came no further."""

    DIED = 0  # before response was known; so all up to the reasons
    PROGRESSED = 1
    STOPPED = 2
    NO_RESPONSE = 3
    IN_INDUCTION = 4  # response not known by the end of follow-up
    NOT_OFFERED = 5  # in remission and no candidate, in the order of ``Reason``
    AGE = 6
    FITNESS = 7
    PRIOR_HSCT = 8
    MRD = 9
    DEPTH = 10
    DECLINED = 11
    OWN_POLICY = 12
    NO_DONOR = 13  # a candidate; none found while the remission lasted
    NOT_TRANSPLANTED = 14  # a donor in time, and no on-study HSCT
    ON_STUDY_HSCT = 15


class Ended(IntEnum):
    """What ended a remission first, as seen: after the HSCT, of those transplanted on study."""

    UNBROKEN = 0  # also of those without a remission
    RELAPSE = 1
    SWITCH = 2
    DEATH = 3


#: Axes of a flow: route, course, HSCT after a relapse or a switch (no, yes), and last state (alive, or dead by cause).
FLOW_SHAPE: Final = (len(Route), len(Ended), 2, 1 + len(Cause))
_FIRST_REASON: Final = Route.NOT_OFFERED
assert [Route(_FIRST_REASON + reason).name for reason in Reason] == [reason.name for reason in Reason]


def patient_flow(seen: TrialData, history: History, fates: Fates, plan: Plan, *, own_policy: bool) -> NDArray[np.int32]:
    """Count the patients of each trial by how far they came and how they were when last seen.

    Parameters
    ----------
    seen : TrialData
        What the trials recorded, arrays of shape (R, n).
    history, fates, plan
        The same patients, arrays of shape (R * n,); nothing is taken from them that lies beyond a follow-up.
    own_policy : bool
        Whether a policy of the user's own decides on candidacy; then the plan's reasons are not its own.

    Returns
    -------
    ndarray of int32, shape (R, *FLOW_SHAPE)
        The cells of a trial add up to its patients.
    """
    shape = seen.death.shape
    route = _route(seen, history, fates, plan, own_policy=own_policy)
    since = np.where(seen.on_study, seen.hsct, seen.remission)
    ends = [
        np.where(day >= since, day, NONE) for day in (seen.death, seen.switch, seen.relapse_detected)
    ]  # in the order of a day
    first = np.minimum.reduce([or_never(day) for day in ends])
    course = np.full(shape, Ended.UNBROKEN, dtype=np.int64)
    for what, day in zip((Ended.RELAPSE, Ended.SWITCH, Ended.DEATH), reversed(ends), strict=True):
        course[seen.responder & (day != NONE) & (day == first)] = what
    later = seen.later_hsct.astype(np.int64)
    last = np.where(seen.death != NONE, 1 + seen.cause, 0)
    cell = np.ravel_multi_index((route, course, later, last), FLOW_SHAPE)
    size = int(np.prod(FLOW_SHAPE))
    rows = size * np.arange(shape[0])[:, np.newaxis]
    counts = np.bincount((cell + rows).ravel(), minlength=shape[0] * size)
    return counts.reshape(shape[0], *FLOW_SHAPE).astype(np.int32)


def _route(seen: TrialData, history: History, fates: Fates, plan: Plan, *, own_policy: bool) -> Ints:
    def by_trial(values: NDArray[np.generic]) -> Ints:
        return values.reshape(seen.death.shape).astype(np.int32)

    def known(day: Ints) -> Ints:
        days = by_trial(day)
        return np.where(days <= seen.follow_up_days, days, np.int32(NONE))

    failure, stop = known(history.failure), known(history.stop)
    failed = failure != NONE
    route = np.where(seen.death != NONE, np.int32(Route.DIED), np.int32(Route.IN_INDUCTION))
    route[failed] = Route.NO_RESPONSE
    route[failed & (stop == failure)] = Route.STOPPED
    route[failed & (by_trial(fates.progression_days) == failure)] = Route.PROGRESSED

    reason = by_trial(plan.reason)
    reason = np.where(own_policy | (reason == NONE), np.int32(Reason.OWN_POLICY), reason)
    candidate = by_trial(history.candidacy) != NONE
    end = np.minimum.reduce([or_never(day) for day in (seen.death, seen.switch, seen.relapse_detected)])
    found = known(history.donor_found)
    in_time = (found != NONE) & (found < end)
    of_candidates = np.where(in_time, np.int32(Route.NOT_TRANSPLANTED), np.int32(Route.NO_DONOR))
    route = np.where(seen.responder, np.where(candidate, of_candidates, _FIRST_REASON + reason), route)
    route[seen.on_study] = Route.ON_STUDY_HSCT
    return np.asarray(route, dtype=np.int32)
