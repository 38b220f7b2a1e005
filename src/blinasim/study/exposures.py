"""Exposures: responders of simulated trials as a paper on the effect of HSCT would tabulate them, and their truth."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import NONE, Depth, Fitness, Mrd
from blinasim.model.history import earliest
from blinasim.scenario.settings import Scenario
from blinasim.statistics.exposure import Exposure
from blinasim.study.batch import Batch
from blinasim.trial.observe import Bools, Ints, TrialData

Floats = NDArray[np.float64]
OutcomeId: TypeAlias = Literal["os", "rfs"]
Detection: TypeAlias = Literal["recorded", "at_once"]

OUTCOMES: Final[dict[OutcomeId, str]] = {"os": "Overall survival", "rfs": "Relapse-free survival"}
#: What a trial records of a responder by the day of remission, and an adjusted model takes: no more than the events of
#: a trial of this size bear.
COVARIATES: Final = ("age_65_or_over", "prior_hsct", "fitness_poor", "mrd_positive", "mrd_unknown", "crh")


def exposure(
    outcome: OutcomeId, scenario: Scenario, batch: Batch, seen: TrialData, detection: Detection = "recorded"
) -> Exposure:
    """Tabulate the responders from their remission on.

    Parameters
    ----------
    outcome : {"os", "rfs"}
        Death; or relapse or death.
    scenario : Scenario
        Its trial's rule censors relapse-free survival.
    batch : Batch
        The patients as lived.
    seen : TrialData
        What is known of them, at the cut-off or in all.
    detection : {"recorded", "at_once"}
        Relapses as they were found, by visits, symptoms or the marrow before conditioning; or as if each had been seen
        on its day, and then nobody's remission ends with a last visit.

    Returns
    -------
    Exposure
        Days from remission; the state in which HSCT is usually done is broken by relapse or another therapy.
    """
    shape = seen.death.shape
    origin, member = seen.remission, seen.responder
    relapse = seen.relapse_detected if detection == "recorded" else seen.relapse
    if outcome == "os":
        end, event = seen.follow_up_days, seen.death != NONE
    else:
        at_visit = detection == "recorded" and scenario.trial.rfs_censoring == "last_assessment"
        by_rule = seen.last_visit if at_visit else seen.follow_up_days
        first = earliest(relapse, seen.death)
        event = first != NONE
        end = np.where(event, first, by_rule)
    return Exposure(
        time_days=_since(end, origin, member),
        event=event & member,
        treated_day=_since(seen.hsct, origin, member),
        broken_day=_since(earliest(relapse, seen.switch), origin, member),
        eligible=(batch.history.candidacy != NONE).reshape(shape),
        covariates=covariates(batch, seen),
        member=member,
    )


def covariates(batch: Batch, seen: TrialData) -> Floats:
    """Return what is known at remission.

    Parameters
    ----------
    batch : Batch
        R trials of n patients.
    seen : TrialData
        The same patients, as the trial sees them or to the end.

    Returns
    -------
    ndarray of float64, shape (R, n, p)
        In the order of ``COVARIATES``; 0 or 1.
    """
    cohort, history, shape = batch.world.cohort, batch.history, seen.death.shape
    # A CRh* that deepens is a CR by cycle 2, but only in those who are not transplanted before: that came after.
    crh = (history.depth == int(Depth.CRH)) | (history.deepening != NONE)
    columns = (
        seen.older,
        seen.prior_hsct,
        cohort.fitness.reshape(shape) == int(Fitness.POOR),
        seen.mrd == int(Mrd.POSITIVE),
        seen.mrd == int(Mrd.UNKNOWN),
        crh.reshape(shape),
    )
    return np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=2)


def _since(day: Ints, origin: Ints, member: Bools) -> Ints:
    """Days from the origin, NONE for what did not happen."""
    return np.where(member & (day != NONE), day - origin, NONE).astype(np.int32)
