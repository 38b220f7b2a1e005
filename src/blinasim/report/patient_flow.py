"""The boxes of a patient flow: what each is called and holds, parts adding up to their whole, and their counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from blinasim.inference.targets import load_targets
from blinasim.model.codes import Cause
from blinasim.report.rows import as_published
from blinasim.scenario.settings import Scenario, Trial
from blinasim.statistics.intervals import predictive_interval
from blinasim.study.simulate import Flow
from blinasim.trial.flow import FLOW_SHAPE, Ended, Route

Bools: TypeAlias = NDArray[np.bool_]
#: Routes of those who did not reach remission, and of those who did and were no candidates.
_NO_REMISSION: Final = tuple(Route(number) for number in range(Route.DIED, Route.NOT_OFFERED))
_NO_CANDIDATE: Final = tuple(Route(number) for number in range(Route.NOT_OFFERED, Route.NO_DONOR))
_NO_HSCT: Final = (*_NO_CANDIDATE, Route.NO_DONOR, Route.NOT_TRANSPLANTED)
_ALIVE: Final = (0,)
_DEAD: Final = tuple(1 + cause for cause in Cause)

_ROUTES: Final = {
    Route.DIED: "died before response was assessed",
    Route.PROGRESSED: "progression under treatment",
    Route.STOPPED: "drug stopped by an adverse event",
    Route.NO_RESPONSE: "no response",
    Route.IN_INDUCTION: "response not yet assessed",
    Route.NOT_OFFERED: "no transplantation is offered",
    Route.AGE: "age",
    Route.FITNESS: "fitness",
    Route.PRIOR_HSCT: "prior HSCT",
    Route.MRD: "MRD result",
    Route.DEPTH: "depth of the response",
    Route.DECLINED: "declined or not referred",
    Route.OWN_POLICY: "the policy's own rule",
}
_CAUSES: Final = {
    Cause.PROGRESSION: "progression",
    Cause.INFECTION: "infection",
    Cause.ADVERSE_EVENT: "adverse event",
    Cause.GVHD: "GvHD",
    Cause.OTHER: "other causes",
}
_FIRST: Final = {
    Ended.RELAPSE: "relapse came first",
    Ended.SWITCH: "switch to another therapy first",
    Ended.DEATH: "death came first",
}


@dataclass(frozen=True, eq=False)
class Box:
    """One box, or a line in one.

    Attributes
    ----------
    name : str
        Its place in the figure; unique among its neighbours.
    label : str
        What stands there.
    cells : ndarray of bool, shape ``FLOW_SHAPE``
        Who is counted.
    parts : tuple of Box
        Boxes that together hold the same patients; no patient is in two of them.
    endpoint : str, optional
        Id of the published figure whose count is comparable.
    """

    name: str
    label: str
    cells: Bools
    parts: tuple[Box, ...] = ()
    endpoint: str | None = None

    def everything(self) -> Iterator[Box]:
        """Return the box and all parts of parts."""
        yield self
        for part in self.parts:
            yield from part.everything()


def _cells(
    routes: tuple[Route, ...], courses: tuple[Ended, ...] = tuple(Ended), later: tuple[int, ...] = (0, 1),
    last: tuple[int, ...] = _ALIVE + _DEAD,
) -> Bools:  # fmt: skip
    cells = np.zeros(FLOW_SHAPE, dtype=bool)
    cells[np.ix_(routes, courses, later, last)] = True
    return cells


def _dead(routes: tuple[Route, ...], later: tuple[int, ...] = (0, 1)) -> Box:
    causes = tuple(
        Box(cause.name.lower(), f"of {label}", _cells(routes, later=later, last=(1 + cause,)))
        for cause, label in _CAUSES.items()
    )
    return Box("died", "died", _cells(routes, later=later, last=_DEAD), causes)


def _by_course(name: str, label: str, route: Route, still: str) -> Box:
    """Return why candidates were not transplanted: what ended their remission first."""
    parts = {**_FIRST, Ended.UNBROKEN: still}
    lines = (Box(course.name.lower(), words, _cells((route,), (course,))) for course, words in parts.items())
    return Box(name, label, _cells((route,)), tuple(lines))


def _by_route(name: str, label: str, routes: tuple[Route, ...]) -> Box:
    return Box(
        name, label, _cells(routes), tuple(Box(each.name.lower(), _ROUTES[each], _cells((each,))) for each in routes)
    )


def _alive(routes: tuple[Route, ...], courses: tuple[Ended, ...], label: str, later: tuple[int, ...] = (0, 1)) -> Box:
    return Box(label, label, _cells(routes, courses, later, _ALIVE))


_ON_STUDY: Final = (Route.ON_STUDY_HSCT,)
#: Those who left the way to an on-study HSCT, from above, and those who had it.
NO_REMISSION: Final = _by_route("no_remission", "No CR/CRh*", _NO_REMISSION)
NO_CANDIDATE: Final = _by_route("no_candidate", "Not a candidate for HSCT", _NO_CANDIDATE)
NO_DONOR: Final = _by_course("no_donor", "No donor while in remission", Route.NO_DONOR, "in remission, none found yet")
NOT_TRANSPLANTED: Final = _by_course(
    "not_transplanted", "Donor, but no on-study HSCT", Route.NOT_TRANSPLANTED, "in remission, not yet transplanted"
)
#: How they were when last seen.
ON_STUDY_HSCT: Final = Box(
    "on_study_hsct",
    "On-study HSCT",
    _cells(_ON_STUDY),
    (
        _alive(_ON_STUDY, (Ended.UNBROKEN, Ended.SWITCH, Ended.DEATH), "alive in remission"),
        _alive(_ON_STUDY, (Ended.RELAPSE,), "alive after relapse"),
        _dead(_ON_STUDY),
    ),
    "hsct",
)
WITHOUT_HSCT: Final = Box(
    "no_on_study_hsct",
    "Remission, no on-study HSCT",
    _cells(_NO_HSCT),
    (
        Box(
            "never",
            "never transplanted",
            _cells(_NO_HSCT, later=(0,)),
            (
                _alive(_NO_HSCT, (Ended.UNBROKEN, Ended.DEATH), "alive in remission", (0,)),
                _alive(_NO_HSCT, (Ended.RELAPSE,), "alive after relapse", (0,)),
                _alive(_NO_HSCT, (Ended.SWITCH,), "alive after a switch", (0,)),
                _dead(_NO_HSCT, (0,)),
            ),
            "never",
        ),
        Box(
            "later",
            "transplanted later",
            _cells(_NO_HSCT, later=(1,)),
            (_alive(_NO_HSCT, tuple(Ended), "alive", (1,)), _dead(_NO_HSCT, (1,))),
            "hsct_other",
        ),
    ),
)
UNREMITTED: Final = Box(
    "no_remission",
    "No CR/CRh*",
    _cells(_NO_REMISSION),
    (_alive(_NO_REMISSION, tuple(Ended), "alive"), _dead(_NO_REMISSION)),
)
#: The way to an on-study HSCT: each holds the next and those who leave there.
DONOR: Final = Box(
    "donor", "Donor found in remission", _cells((Route.NOT_TRANSPLANTED, *_ON_STUDY)), (NOT_TRANSPLANTED, ON_STUDY_HSCT)
)
CANDIDATES: Final = Box(
    "candidates", "Candidates for HSCT", _cells((Route.NO_DONOR, Route.NOT_TRANSPLANTED, *_ON_STUDY)), (NO_DONOR, DONOR)
)
RESPONDERS: Final = Box(
    "responders", "CR/CRh* within 2 cycles", _cells((*_NO_HSCT, *_ON_STUDY)), (NO_CANDIDATE, CANDIDATES), "cr"
)
ENROLLED: Final = Box("enrolled", "Enrolled", _cells(tuple(Route)), (NO_REMISSION, RESPONDERS))
#: How everybody was when last seen.
LAST_SEEN: Final = Box("last_seen", "When last seen", ENROLLED.cells, (ON_STUDY_HSCT, WITHOUT_HSCT, UNREMITTED))


@dataclass(frozen=True)
class Count:
    """Patients in a box: a mean over trials with the interval that holds 95 % of the trials, or one trial's number.

    ``lower`` and ``upper`` are None for one trial, ``ever`` says whether anybody was ever there.
    """

    patients: float
    lower: float | None
    upper: float | None
    ever: bool


class Counts:
    """The counts of all boxes: means over all trials of a study, or the whole numbers of one of its first trials.

    Parameters
    ----------
    flow : Flow
        The study's patient flow.
    replications : int
        Its trials.
    trial : int, optional
        The trial whose own numbers are wanted, from 1.

    Raises
    ------
    ValueError
        If the flow of that trial is not kept.
    """

    def __init__(self, flow: Flow, replications: int, trial: int | None = None) -> None:
        kept = flow.of_trials.shape[0]
        if trial is not None and not 1 <= trial <= kept:
            raise ValueError(f"trial {trial}: this study keeps the patient flows of its trials 1 to {kept:,}")
        self.trial = trial
        self.trials = replications
        self._pooled = flow.pooled.ravel()
        self._held = np.flatnonzero(self._pooled)  # a seventh of the cells
        self._of_trials = flow.of_trials.reshape(kept, -1)[:, self._held].astype(np.float64)  # exact, and fast
        self._known: dict[int, Count] = {}

    def __call__(self, box: Box) -> Count:
        """Return the count of a box."""
        if id(box) not in self._known:
            self._known[id(box)] = self._counted(box.cells.ravel())
        return self._known[id(box)]

    def _counted(self, cells: Bools) -> Count:
        if self.trial is not None:
            patients = float(self._of_trials[self.trial - 1] @ cells[self._held])
            return Count(patients, None, None, ever=patients > 0)
        total = int(self._pooled[cells].sum())
        spread = predictive_interval(self._of_trials @ cells[self._held])
        return Count(total / self.trials, spread.lower, spread.upper, ever=total > 0)


def published_count(box: Box, scenario: Scenario) -> int | None:
    """Return the published count of a box, where the scenario is the source study and its trial is seen as that was."""
    target = load_targets().get(box.endpoint or "")
    comparable = as_published(scenario) and scenario.trial == Trial()
    return target.count if target is not None and comparable else None
