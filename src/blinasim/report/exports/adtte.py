"""ADTTE: one row a subject and time-to-event parameter of one trial (CDISC-like).

Times and events are those of :mod:`blinasim.trial.outcomes`; only the reasons of censoring are found here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import NONE
from blinasim.report.exports.adsl import TREATMENT, identifiers
from blinasim.report.exports.columns import Column, TableDescription, dates
from blinasim.scenario.settings import Trial
from blinasim.study.batch import Batch
from blinasim.trial.observe import Bools, Ints, TrialData
from blinasim.trial.outcomes import OUTCOMES, TimeToEvent

if TYPE_CHECKING:
    import pandas as pd

Texts = NDArray[np.object_]

_OUTCOME: Final = {outcome.id: outcome.of for outcome in OUTCOMES}


class Ending(IntEnum):
    """Values of CNSR: 0 is the event, anything above says why a time ends without it."""

    EVENT = 0
    CUTOFF = 1
    LOST = 2
    HSCT = 3
    NEW_THERAPY = 4
    COMPETING = 5


#: EVNTDESC of the times that end without the event; a competing event is named after it.
_WITHOUT_EVENT: Final = {
    Ending.CUTOFF: "Censored at the data cut-off",
    Ending.LOST: "Censored when lost to follow-up",
    Ending.HSCT: "Censored at HSCT",
    Ending.NEW_THERAPY: "Censored at the switch to another antineoplastic therapy",
    Ending.COMPETING: "Competing event: ",
}
#: CNSDTDSC, the date that was taken.
_DATE: Final = {
    Ending.CUTOFF: "Data cut-off",
    Ending.LOST: "Last day known alive",
    Ending.HSCT: "Day of HSCT",
    Ending.NEW_THERAPY: "Day of the switch",
    Ending.COMPETING: "Day of the competing event",
}
_LAST_VISIT: Final = {
    Ending.CUTOFF: "Last visit by the data cut-off",
    Ending.LOST: "Last visit before the loss to follow-up",
}


@dataclass(frozen=True)
class Ended:
    """Times of one parameter in a batch of trials, arrays of shape (R, n).

    Attributes
    ----------
    time_days : ndarray of int32
        From the parameter's origin; AVAL is a day more.
    event, member : ndarray of bool
        Whether the event ended it, and who has the parameter.
    reason : ndarray of int32
        Code of ``Ending``, which counts where there is no event.
    what : ndarray of str
        The event, or the competing one, in words.
    """

    time_days: Ints
    event: Bools
    member: Bools
    reason: Ints
    what: Texts


@dataclass(frozen=True)
class Parameter:
    """A PARAMCD: what is followed, of whom, from when, until what.

    Attributes
    ----------
    code, label : str
        PARAMCD and PARAM.
    population : str
        Whom it is about, in words.
    start : str
        The variable of ADSL from which it counts.
    event, otherwise : str
        What ends it, and what does so without an event, in words.
    of : callable
        Times in a batch of trials.
    """

    code: str
    label: str
    population: str
    start: str
    event: str
    otherwise: str
    of: Callable[[TrialData, Trial], Ended]


def cnsr(event: NDArray[np.bool_], reason: NDArray[Any]) -> Ints:
    """Return CNSR, the reverse of an event flag: 0 for an event, otherwise the reason, which is above 0."""
    return np.where(event, Ending.EVENT, reason).astype(np.int32)


def _by_time(data: TrialData) -> Ints:
    """Return which of the two ended an observation that no event ended: the cut-off, or a loss before it."""
    return np.where(data.follow_up_days < data.potential_days, Ending.LOST, Ending.CUTOFF).astype(np.int32)


def _survival(data: TrialData, trial: Trial) -> Ended:
    return _ended(_OUTCOME["os"](data, trial), _by_time(data), _texts(data, "Death"))


def _survival_to_hsct(data: TrialData, trial: Trial) -> Ended:
    whole, cut = _OUTCOME["os"](data, trial), _OUTCOME["os_cens"](data, trial)
    return _ended(cut, _cut_at_hsct(whole, cut, data), _texts(data, "Death"))


def _relapse_free(data: TrialData, trial: Trial) -> Ended:
    return _ended(_OUTCOME["rfs"](data, trial), _by_time(data), _relapse_or_death(data))


def _relapse_free_to_hsct(data: TrialData, trial: Trial) -> Ended:
    whole, cut = _OUTCOME["rfs"](data, trial), _OUTCOME["rfs_cens"](data, trial)
    return _ended(cut, _cut_at_hsct(whole, cut, data), _relapse_or_death(data))


def _to_hsct(data: TrialData, trial: Trial) -> Ended:
    """A switch forfeits the on-study HSCT, so it censors; relapse and death before HSCT compete with it."""
    first = _OUTCOME["after_remission"](data, trial)
    switch = data.switch - data.remission
    switched = (data.switch != NONE) & (switch < first.time_days) & first.member
    reason = np.where(switched, Ending.NEW_THERAPY, np.where(first.event, Ending.COMPETING, _by_time(data)))
    return Ended(
        time_days=np.where(switched, switch, first.time_days).astype(np.int32),
        event=(first.code == 1) & ~switched,
        member=first.member,
        reason=reason.astype(np.int32),
        what=np.array(["", "On-study HSCT", "relapse", "death"], dtype=object)[first.code],
    )


def _non_relapse_death(data: TrialData, trial: Trial) -> Ended:
    first = _OUTCOME["cause_after_hsct"](data, trial)
    return Ended(
        time_days=first.time_days,
        event=first.code == 2,
        member=first.member,
        reason=np.where(first.event, Ending.COMPETING, _by_time(data)).astype(np.int32),
        what=np.array(["", "relapse", "Death without relapse"], dtype=object)[first.code],
    )


def _ended(outcome: TimeToEvent, reason: Ints, what: Texts) -> Ended:
    return Ended(outcome.time_days, outcome.event, outcome.member, reason, what)


def _cut_at_hsct(whole: TimeToEvent, cut: TimeToEvent, data: TrialData) -> Ints:
    """Where the censored twin of an outcome is the shorter, an HSCT has cut it."""
    return np.where(cut.time_days < whole.time_days, Ending.HSCT, _by_time(data)).astype(np.int32)


def _texts(data: TrialData, text: str) -> Texts:
    return np.full(data.death.shape, text, dtype=object)


def _relapse_or_death(data: TrialData) -> Texts:
    """Nothing is detected in the dead, so a detected relapse came before the death."""
    return np.where(data.relapse_detected != NONE, "Relapse detected", "Death without relapse").astype(object)


_RESPONDERS: Final = "responders (RESPFL)"
_TIME: Final = "cut-off (1), loss (2)"
PARAMETERS: Final = (
    Parameter("OS", "Overall survival", "everybody", "TRTSDT", "death", _TIME, _survival),
    Parameter(
        "OSHSCT", "Overall survival, censored at HSCT", "everybody", "TRTSDT", "death", f"{_TIME}, HSCT (3)",
        _survival_to_hsct,
    ),
    Parameter("RFS", "Relapse-free survival", _RESPONDERS, "CRDT", "relapse detected or death", _TIME, _relapse_free),
    Parameter(
        "RFSHSCT", "Relapse-free survival, censored at HSCT", _RESPONDERS, "CRDT", "relapse detected or death",
        f"{_TIME}, HSCT (3)", _relapse_free_to_hsct,
    ),
    Parameter(
        "TTHSCT", "Time from remission to on-study HSCT", _RESPONDERS, "CRDT", "on-study HSCT",
        f"{_TIME}, switch to another therapy (4); competing (5): relapse detected, death", _to_hsct,
    ),
    Parameter(
        "TRM", "Time from on-study HSCT to death without relapse", "on-study HSCT (HSCTONFL)", "HSCTDT",
        "death without a relapse detected", f"{_TIME}; competing (5): relapse detected", _non_relapse_death,
    ),
)  # fmt: skip

_PARAMETERS_TEXT: Final = "\n".join(
    f"| {p.code} | {p.population} | {p.start} | {p.event} | {p.otherwise} |" for p in PARAMETERS
)

ADTTE: Final = TableDescription(
    "adtte.csv",
    "a subject of one simulated trial and a parameter (PARAMCD) that concerns the subject",
    (
        Column("STUDYID", "text", "", "As in adsl.csv."),
        Column("USUBJID", "text", "", "As in adsl.csv."),
        Column("TRTP", "text", "", "Planned treatment."),
        Column("PARAM", "text", "", "Parameter in words."),
        Column("PARAMCD", "text", "", "Parameter: " + ", ".join(p.code for p in PARAMETERS) + "."),
        Column("AVAL", "integer", "AVALU", "Time to event or censoring: ADT - STARTDT + 1."),
        Column("AVALU", "text", "", "Unit of AVAL: DAYS."),
        Column("STARTDT", "date", "", "Day from which the time counts, itself day 1 of AVAL."),
        Column("ADT", "date", "", "Day of the event or of censoring."),
        Column(
            "CNSR", "integer", "",
            "The reverse of an event flag: 0 event, 1 cut-off, 2 lost to follow-up, 3 HSCT, 4 switch to another "
            "therapy, 5 competing event.",
        ),
        Column("EVNTDESC", "text", "", "The event, or why there is none."),
        Column("CNSDTDSC", "text", "", "Which date ADT is where CNSR is above 0; missing for events."),
    ),
    note="| PARAMCD | among | counts from | event (0) | otherwise |\n|---|---|---|---|---|\n"
    f"{_PARAMETERS_TEXT}\n\n"
    "The simulator's own days are AVAL - 1: its curves, medians and intervals are those of "
    "`Surv(AVAL - 1, CNSR == 0)`, and medians from AVAL itself are one day longer. The intervals are on the log-log "
    'scale: the default of SAS, `conf.type = "log-log"` in R. Where a curve is exactly one half for a while, R and SAS '
    "give the middle of that stretch, the simulator its first day; where it falls to zero at its last step, R leaves "
    "the upper limit open. For the parameters with competing events an event flag "
    "`CNSR == 0` alone gives a cause-specific hazard; for cumulative incidence take 0 as the event, 5 as the competing "
    "one and the others as censoring. Which HSCT censors, and where relapse-free survival without an event ends, are "
    "settings of the trial (`hsct_censoring`, `rfs_censoring`). An event on the day of an HSCT precedes the censoring "
    "there; an HSCT on the last day under observation censors nothing that the end of observation does not.",
)  # fmt: skip


def adtte(batch: Batch, trial: Trial, treatment: NDArray[np.object_] | None = None) -> pd.DataFrame:
    """Return the times of one trial, a row a subject and parameter, subject by subject.

    Parameters
    ----------
    batch : Batch
        One trial.
    trial : Trial
        The named rules of the trial.
    treatment : ndarray of object, shape (n,), optional
        The arm of each subject; by default all are given blinatumomab.

    Returns
    -------
    DataFrame
        The columns of ``ADTTE``.
    """
    everybody = np.full(batch.world.cohort.patients, TREATMENT, dtype=object) if treatment is None else treatment
    parts = [_rows(batch, trial, parameter, everybody) for parameter in PARAMETERS]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(joined.pop("subject"), kind="stable")
    return ADTTE.frame({name: values[order] for name, values in joined.items()})


def _rows(batch: Batch, trial: Trial, parameter: Parameter, treatment: Texts) -> dict[str, NDArray[Any]]:
    ended = parameter.of(batch.seen, trial)
    subject = np.flatnonzero(ended.member[0])
    time, event, reason = ended.time_days[0, subject], ended.event[0, subject], ended.reason[0, subject]
    code = cnsr(event, reason)
    start = _start(batch.seen, parameter)[0, subject]
    entry = batch.world.cohort.entry_day[subject]

    def same(text: str) -> Texts:
        return np.full(subject.size, text, dtype=object)

    return {name: np.array(values, dtype=object)[subject] for name, values in identifiers(batch).items()} | {
        "subject": subject,
        "TRTP": treatment[subject],
        "PARAM": same(parameter.label),
        "PARAMCD": same(parameter.code),
        "AVAL": time + 1,
        "AVALU": same("DAYS"),
        "STARTDT": dates(entry, start),
        "ADT": dates(entry, start + time),
        "CNSR": code,
        "EVNTDESC": _descriptions(code, ended.what[0, subject]),
        "CNSDTDSC": _date_descriptions(code, parameter, trial),
    }


def _start(data: TrialData, parameter: Parameter) -> Ints:
    starts = {"TRTSDT": np.zeros_like(data.death), "CRDT": data.remission, "HSCTDT": data.hsct}
    return starts[parameter.start]


def _descriptions(code: Ints, what: Texts) -> Texts:
    texts = []
    for ending, event in zip(code.tolist(), what.tolist(), strict=True):
        named = event if ending in (Ending.EVENT, Ending.COMPETING) else ""
        texts.append(_WITHOUT_EVENT.get(Ending(ending), "") + named)
    return np.array(texts, dtype=object)


def _date_descriptions(code: Ints, parameter: Parameter, trial: Trial) -> Texts:
    at_visit = parameter.code in ("RFS", "RFSHSCT") and trial.rfs_censoring == "last_assessment"
    taken = _DATE | (_LAST_VISIT if at_visit else {})
    return np.array([taken.get(Ending(ending)) for ending in code.tolist()], dtype=object)
