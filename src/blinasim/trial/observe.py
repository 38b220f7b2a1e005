"""The trial's view: histories as recorded by a trial with this accrual, loss to follow-up and cut-off."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from blinasim.luck import Draws
from blinasim.model.codes import HORIZON, NONE, RESPONSE_CYCLES, Depth
from blinasim.model.cohort import Cohort
from blinasim.model.history import History
from blinasim.model.records import TransplantRecord
from blinasim.model.visits import cycle_assessed, last_visit
from blinasim.scenario.settings import Policy, Scenario
from blinasim.trial.enrolment import lost_days

Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class TrialData:
    """What is in the data base at the cut-off; arrays of shape (R, n), one row a trial.

    Days count from the first infusion and are -1 where the event had not been seen by the end of follow-up.
    """

    age_years: Ints
    older: Bools
    prior_hsct: Bools
    two_or_more_salvage: Bools
    blasts_75: Bools
    follow_up_days: Ints  # the last day on which the patient was under observation, dead or alive
    last_visit: Ints
    potential_days: Ints  # from first infusion to the cut-off
    cycles: Ints
    responder: Bools  # CR/CRh* within two cycles
    cycle_of_remission: Ints
    remission: Ints
    depth: Ints
    mrd: Ints  # of responders, as known; -1 for others
    switch: Ints
    hsct: Ints
    on_study: Bools  # HSCT in unbroken remission, without a switch
    conditioning: Ints  # as recorded, -1 missing
    donor: Ints
    source: Ints
    relapse: Ints  # true day, for oracles only
    relapse_detected: Ints
    death: Ints
    cause: Ints

    @property
    def later_hsct(self) -> Bools:
        """Responders transplanted after a switch or a relapse."""
        return np.asarray(self.responder & (self.hsct != NONE) & ~self.on_study)

    @property
    def never_hsct(self) -> Bools:
        """Responders not transplanted by the cut-off."""
        return np.asarray(self.responder & (self.hsct == NONE))

    @property
    def lost(self) -> Bools:
        """Lost to follow-up, alive, before the cut-off."""
        return np.asarray((self.death == NONE) & (self.follow_up_days < self.potential_days))

    def pooled(self) -> TrialData:
        """Return all patients as one trial, shape (1, R * n)."""
        return replace(self, **{f.name: getattr(self, f.name).reshape(1, -1) for f in fields(self)})


def observe(scenario: Scenario, cohort: Cohort, history: History, record: TransplantRecord, draws: Draws) -> TrialData:
    """See histories as the scenario's trial would.

    Staggered entry and a common cut-off censor everybody; some are lost before. The day of censoring itself is seen.

    Parameters
    ----------
    scenario : Scenario
        Its ``trial`` says when the cut-off is, and how many are lost.
    cohort, history, record
        Of P = R * n patients.
    draws : Draws
        The block's luck.

    Returns
    -------
    TrialData
        Arrays of shape (R, n).
    """
    potential = scenario.trial.accrual.cutoff_day - cohort.entry_day
    loss = scenario.trial.loss_per_year
    follow_up = np.minimum(potential, lost_days(loss, draws).ravel()) if loss else potential
    return seen_until(scenario, cohort, history, record, potential, follow_up)


def observe_all(scenario: Scenario, cohort: Cohort, history: History, record: TransplantRecord) -> TrialData:
    """See everything up to the horizon: no cut-off, nobody lost; parameters and shapes as for :func:`observe`."""
    forever = np.full(cohort.entry_day.shape, HORIZON, dtype=np.int32)
    return seen_until(scenario, cohort, history, record, forever, forever)


def seen_until(
    scenario: Scenario,
    cohort: Cohort,
    history: History,
    record: TransplantRecord,
    potential: Ints,
    follow_up: Ints,
) -> TrialData:
    """Return what has been recorded by the end of each follow-up.

    Parameters
    ----------
    scenario, cohort, history, record
        Of P patients.
    potential, follow_up : ndarray of int32, shape (P,)
        Days from first infusion to the cut-off, and to the end of observation.

    Returns
    -------
    TrialData
        Arrays of shape (R, n).
    """

    def known(day: Ints) -> Ints:
        return np.where(day <= follow_up, day, NONE).astype(np.int32)

    hsct, death, remission = known(history.hsct), known(history.death), known(history.remission)
    assessed = _cycle_of_remission(history, remission, scenario.policy)
    responder = (remission != NONE) & (assessed <= RESPONSE_CYCLES)
    unseen_deepening = (history.deepening != NONE) & (known(history.deepening) == NONE)
    depth = np.where(unseen_deepening, Depth.CRH, history.depth)
    end = np.where(death != NONE, death, follow_up).astype(np.int32)
    arrays = TrialData(
        age_years=cohort.age_years.astype(np.int32),
        older=cohort.older,
        prior_hsct=cohort.prior_hsct,
        two_or_more_salvage=cohort.two_or_more_salvage,
        blasts_75=cohort.blasts_75,
        follow_up_days=end,
        # The assessment that found the remission is a visit also where a delayed cycle puts it off the calendar.
        last_visit=np.maximum(last_visit(end, scenario.policy), remission),
        potential_days=potential,
        cycles=_cycles_begun_by(history, follow_up, scenario.policy),
        responder=responder,
        cycle_of_remission=np.where(responder, assessed, NONE).astype(np.int32),
        remission=remission,
        depth=np.where(responder, depth, NONE).astype(np.int32),
        mrd=np.where(responder, history.mrd, NONE).astype(np.int32),
        switch=known(history.switch),
        hsct=hsct,
        on_study=history.on_study_hsct & (hsct != NONE) & responder,
        conditioning=np.where(hsct != NONE, record.conditioning, NONE).astype(np.int32),
        donor=np.where(hsct != NONE, record.donor, NONE).astype(np.int32),
        source=np.where(hsct != NONE, record.source, NONE).astype(np.int32),
        relapse=known(history.relapse),
        relapse_detected=known(history.relapse_detected),
        death=death,
        cause=np.where(death != NONE, history.cause, NONE).astype(np.int32),
    )
    shape = (cohort.replications, cohort.patients)
    return replace(arrays, **{f.name: getattr(arrays, f.name).reshape(shape) for f in fields(arrays)})


def _cycle_of_remission(history: History, remission: Ints, policy: Policy) -> Ints:
    """Return the cycle at whose assessment each remission was found; without a remission it means nothing."""
    if history.cycle_starts is None:
        return cycle_assessed(remission, policy)
    return _starts_by(history.cycle_starts, remission)


def _cycles_begun_by(history: History, follow_up: Ints, policy: Policy) -> Ints:
    """Return the cycles begun by the end of each follow-up."""
    if history.cycle_starts is None:
        cycle_days = policy.cycles.infusion_days + policy.cycles.rest_days
        return np.minimum(history.cycles, follow_up // cycle_days + 1).astype(np.int32)
    return _starts_by(history.cycle_starts, follow_up)


def _starts_by(cycle_starts: Ints, day: Ints) -> Ints:
    begun = (cycle_starts != NONE) & (cycle_starts <= day[:, np.newaxis])
    return np.asarray(np.count_nonzero(begun, axis=1), dtype=np.int32)
