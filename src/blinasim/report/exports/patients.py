"""Patients: one row a patient and trial, with what happened beside what was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import (
    HORIZON,
    NONE,
    Cause,
    Conditioning,
    Depth,
    Donor,
    Eligibility,
    Fitness,
    Mrd,
    Reason,
    Source,
)
from blinasim.report.exports.adsl import patient_numbers
from blinasim.report.exports.columns import Column, TableDescription
from blinasim.study.batch import Batch

if TYPE_CHECKING:
    import pandas as pd

_DAY: Final = "days since first infusion"

_BASELINE: Final = (
    Column("trial", "integer", "", "Simulated trial, from 1."),
    Column("patient", "integer", "", "Patient within the trial, from 1."),
    Column("entry_day", "integer", "days", "Day of the first infusion, from the start of accrual."),
    Column("site", "integer", "", "Study centre, from 1."),
    Column("age_years", "integer", "years", "Age at enrolment."),
    Column("prior_hsct", "boolean", "", "HSCT before enrolment."),
    Column("salvage_lines", "integer", "lines", "Earlier salvage therapies; 3 stands for three or more."),
    Column("eligibility", Eligibility, "", "The factor by which the patient is eligible."),
    Column("blasts_pct", "number", "%", "Marrow blasts at enrolment."),
    Column("fitness", Fitness, "", "Fitness for transplantation: HCT-CI 0, 1-2, 3 or more."),
    Column("well_matched", "boolean", "", "Has well-matched unrelated donors in the registries."),
    Column("frailty", "number", "", "Latent frailty of mean 1; no policy and no record sees it."),
)
_TRUE: Final = (
    Column("cycles", "integer", "cycles", "Cycles begun."),
    Column("infusion_days", "integer", "days", "Days of infusion."),
    Column("stop_day", "day", _DAY, "Drug stopped for good by an adverse event."),
    Column("failure_day", "day", _DAY, "Failure of induction."),
    Column("remission_day", "day", _DAY, "CR or CRh*."),
    Column("depth", Depth, "", "Best depth of the remission by the assessment of cycle 2."),
    Column("deepening_day", "day", _DAY, "A CRh* found to have become a CR."),
    Column("mrd", Mrd, "", "Minimal residual disease as known at remission."),
    Column("no_candidate_why", Reason, "", "Why a patient in remission is no candidate for HSCT."),
    Column("candidacy_day", "day", _DAY, "Candidate for HSCT."),
    Column("search_start_day", "day", _DAY, "Start of the donor search, 0 if under way at enrolment."),
    Column("donor_found_day", "day", _DAY, "Donor found."),
    Column("donor", Donor, "", "Type of the donor found."),
    Column("switch_day", "day", _DAY, "Switch to another antineoplastic therapy."),
    Column("hsct_day", "day", _DAY, "HSCT."),
    Column("on_study_hsct", "boolean", "", "HSCT in unbroken remission, without a switch before."),
    Column("conditioning", Conditioning, "", "Conditioning of the HSCT."),
    Column("source", Source, "", "Stem cells of the HSCT."),
    Column("relapse_day", "day", _DAY, "Relapse, on its true day."),
    Column("relapse_detected_day", "day", _DAY, "Relapse detected."),
    Column("death_day", "day", _DAY, "Death."),
    Column("cause", Cause, "", "Cause of death."),
)
_RECORDED: Final = (
    Column("follow_up_days", "integer", "days", "Under observation, to death, loss or the data cut-off."),
    Column("potential_days", "integer", "days", "From first infusion to the data cut-off."),
    Column("lost", "boolean", "", "Lost to follow-up, alive, before the data cut-off."),
    Column("last_visit_day", "integer", _DAY, "Last visit under observation, 0 before the first."),
    Column("recorded_cycles", "integer", "cycles", "Cycles begun."),
    Column("recorded_responder", "boolean", "", "CR/CRh* within two cycles."),
    Column("recorded_remission_day", "day", _DAY, "CR or CRh*."),
    Column("recorded_depth", Depth, "", "Best depth of the remission."),
    Column("recorded_switch_day", "day", _DAY, "Switch to another antineoplastic therapy."),
    Column("recorded_hsct_day", "day", _DAY, "HSCT."),
    Column("recorded_on_study_hsct", "boolean", "", "HSCT of a responder in unbroken remission, without a switch."),
    Column("recorded_conditioning", Conditioning, "", "Conditioning; may be missing from the record."),
    Column("recorded_donor", Donor, "", "Type of donor; may be missing from the record."),
    Column("recorded_source", Source, "", "Stem cells; missing where the donor is."),
    Column("recorded_relapse_detected_day", "day", _DAY, "Relapse detected."),
    Column("recorded_death_day", "day", _DAY, "Death."),
    Column("recorded_cause", Cause, "", "Cause of death."),
)

PATIENTS: Final = TableDescription(
    "patients.parquet",
    "a patient of a simulated trial",
    (*_BASELINE, *_TRUE, *_RECORDED),
    note=f"Up to `cause` the patient as he or she lived, followed to day {HORIZON:,} whatever the trial saw; from "
    "`follow_up_days` what is in the trial's data base at the cut-off. A day or code is missing where the thing did "
    "not happen, or was not recorded.",
)


def patients(batch: Batch) -> pd.DataFrame:
    """Return the patients of one trial or more, a row each, trial by trial.

    Parameters
    ----------
    batch : Batch
        R trials of n patients.

    Returns
    -------
    DataFrame
        The columns of ``PATIENTS``, R * n rows; codes are categoricals of words, days nullable integers.
    """
    return PATIENTS.frame(_baseline(batch) | _true(batch) | _recorded(batch))


def _baseline(batch: Batch) -> dict[str, NDArray[Any]]:
    cohort, draws = batch.world.cohort, batch.world.draws
    return {
        "trial": np.repeat(np.array(draws.block) + 1, cohort.patients),
        "patient": np.tile(np.array(patient_numbers(draws)), cohort.replications),
        "entry_day": cohort.entry_day,
        "site": cohort.site + 1,
        "age_years": cohort.age_years,
        "prior_hsct": cohort.prior_hsct,
        "salvage_lines": cohort.salvage_lines,
        "eligibility": cohort.eligibility,
        "blasts_pct": cohort.blasts_pct,
        "fitness": cohort.fitness,
        "well_matched": cohort.well_matched,
        "frailty": cohort.frailty,
    }


def _true(batch: Batch) -> dict[str, NDArray[Any]]:
    history, plan, fates = batch.history, batch.world.lives.plan, batch.world.lives.fates
    remission, hsct = history.remission != NONE, history.hsct != NONE
    source = fates.source_of(history.donor)
    reason = plan.reason if batch.world.lives.own is None else Reason.OWN_POLICY
    return {
        "cycles": history.cycles,
        "infusion_days": history.infusion_days,
        "stop_day": history.stop,
        "failure_day": history.failure,
        "remission_day": history.remission,
        "depth": history.depth,
        "deepening_day": history.deepening,
        "mrd": np.where(remission, fates.mrd, NONE),
        "no_candidate_why": np.where(remission & (history.candidacy == NONE), reason, NONE),
        "candidacy_day": history.candidacy,
        "search_start_day": history.search_start,
        "donor_found_day": history.donor_found,
        "donor": history.donor,
        "switch_day": history.switch,
        "hsct_day": history.hsct,
        "on_study_hsct": history.on_study_hsct,
        "conditioning": history.conditioning,
        "source": np.where(hsct, source, NONE),
        "relapse_day": history.relapse,
        "relapse_detected_day": history.relapse_detected,
        "death_day": history.death,
        "cause": history.cause,
    }


def _recorded(batch: Batch) -> dict[str, NDArray[Any]]:
    seen = batch.seen
    columns = {
        "follow_up_days": seen.follow_up_days,
        "potential_days": seen.potential_days,
        "lost": seen.lost,
        "last_visit_day": seen.last_visit,
        "recorded_cycles": seen.cycles,
        "recorded_responder": seen.responder,
        "recorded_remission_day": seen.remission,
        "recorded_depth": seen.depth,
        "recorded_switch_day": seen.switch,
        "recorded_hsct_day": seen.hsct,
        "recorded_on_study_hsct": seen.on_study,
        "recorded_conditioning": seen.conditioning,
        "recorded_donor": seen.donor,
        "recorded_source": seen.source,
        "recorded_relapse_detected_day": seen.relapse_detected,
        "recorded_death_day": seen.death,
        "recorded_cause": seen.cause,
    }
    return {name: values.ravel() for name, values in columns.items()}
