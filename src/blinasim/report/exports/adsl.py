"""ADSL: one row a subject of one trial, as its data base would hold it at the cut-off (CDISC-like)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from blinasim.luck import Draws
from blinasim.model.codes import BLAST_BANDS_PCT, NONE, OLDER_FROM_YEARS, Cause
from blinasim.report.exports.columns import EPOCH, Column, TableDescription, dates, worded, words
from blinasim.study.batch import Batch

if TYPE_CHECKING:
    import pandas as pd

TREATMENT: Final = "Blinatumomab"
#: Bands of marrow blasts, in the order of the edges in ``BLAST_BANDS_PCT``.
_BLAST_BANDS: Final = ("<25", "25-<50", "50-<75", ">=75")

ADSL: Final = TableDescription(
    "adsl.csv",
    "a subject of one simulated trial, as recorded by its data cut-off",
    (
        Column("STUDYID", "text", "", "Study: BLINASIM and the number of the simulated trial."),
        Column("USUBJID", "text", "", "Unique subject: study, site and subject."),
        Column("SUBJID", "text", "", "Subject within the trial: the number that `blinasim trace --patient` takes."),
        Column("SITEID", "text", "", "Study centre."),
        Column("AGE", "integer", "AGEU", "Age at enrolment."),
        Column("AGEU", "text", "", "Unit of AGE: YEARS."),
        Column("AGEGR1", "text", "years", f"Age group: <{OLDER_FROM_YEARS}, >={OLDER_FROM_YEARS}."),
        Column("TRT01P", "text", "", "Planned treatment."),
        Column("TRT01A", "text", "", "Actual treatment."),
        Column("TRTSDT", "date", "", "First infusion, day 0 of the patient."),
        Column("EOSDT", "date", "", "Last day under observation: death, loss to follow-up or the data cut-off."),
        Column("DTHDT", "date", "", "Death; missing where none was recorded."),
        Column("DTHFL", "text", "", "Death recorded: Y, N."),
        Column("DTHCAUS", "text", "", "Cause of death: " + ", ".join(words(Cause)) + "."),
        Column("ITTFL", "text", "", "Intention-to-treat population: Y for everybody enrolled."),
        Column("PRHSCTFL", "text", "", "HSCT before enrolment: Y, N."),
        Column("PRSALVN", "integer", "lines", "Earlier salvage therapies; 3 stands for three or more."),
        Column("BMBLGR1", "text", "%", "Marrow blasts at enrolment: " + ", ".join(_BLAST_BANDS) + "."),
        Column("HSCTFL", "text", "", "HSCT recorded after the first infusion, on study or later: Y, N."),
        Column("HSCTONFL", "text", "", "HSCT on study, in unbroken remission and without other therapy before: Y, N."),
        Column("HSCTDT", "date", "", "That HSCT, on study or later."),
        Column("NACTDT", "date", "", "Switch in remission to another antineoplastic therapy."),
        Column("CRDT", "date", "", "CR/CRh* within two cycles."),
        Column("RESPFL", "text", "", "Responder, CR/CRh* within two cycles: Y, N."),
        Column("NCYC", "integer", "cycles", "Cycles begun."),
        Column("DCUTDT", "date", "", "Data cut-off of the trial."),
    ),
    note=f"Dates count from {EPOCH}, the first day of accrual of every simulated trial: entry day plus day of the "
    "patient. Nothing later than EOSDT is in the table. HSCTONFL is what the realization rate counts.",
)


def adsl(batch: Batch, treatment: NDArray[np.object_] | None = None) -> pd.DataFrame:
    """Return the subjects of one trial, a row each.

    Parameters
    ----------
    batch : Batch
        One trial.
    treatment : ndarray of object, shape (n,), optional
        The arm of each subject; by default all are given blinatumomab.

    Returns
    -------
    DataFrame
        The columns of ``ADSL``.
    """
    cohort, seen, draws = batch.world.cohort, batch.seen, batch.world.draws
    n = cohort.patients
    treatments = np.full(n, TREATMENT, dtype=object) if treatment is None else treatment

    def date(day: NDArray[np.int32]) -> NDArray[np.datetime64]:
        return dates(cohort.entry_day, day[0])

    remission = np.where(seen.responder, seen.remission, NONE)
    band = np.searchsorted(BLAST_BANDS_PCT[1:-1], cohort.blasts_pct, side="right")
    return ADSL.frame(
        identifiers(batch)
        | {
            "SUBJID": [f"{number:04d}" for number in patient_numbers(draws)],
            "SITEID": [f"{site + 1:03d}" for site in cohort.site],
            "AGE": cohort.age_years,
            "AGEU": ["YEARS"] * n,
            "AGEGR1": np.where(cohort.older, f">={OLDER_FROM_YEARS}", f"<{OLDER_FROM_YEARS}"),
            "TRT01P": treatments,
            "TRT01A": treatments,
            "TRTSDT": date(np.zeros((1, n), dtype=np.int32)),
            "EOSDT": date(seen.follow_up_days),
            "DTHDT": date(seen.death),
            "DTHFL": _flag(seen.death[0] != NONE),
            "DTHCAUS": worded(Cause, seen.cause[0]),
            "ITTFL": ["Y"] * n,
            "PRHSCTFL": _flag(cohort.prior_hsct),
            "PRSALVN": cohort.salvage_lines,
            "BMBLGR1": np.array(_BLAST_BANDS, dtype=object)[band],
            "HSCTFL": _flag(seen.hsct[0] != NONE),
            "HSCTONFL": _flag(seen.on_study[0]),
            "HSCTDT": date(seen.hsct),
            "NACTDT": date(seen.switch),
            "CRDT": date(remission),
            "RESPFL": _flag(seen.responder[0]),
            "NCYC": seen.cycles[0],
            "DCUTDT": date(seen.potential_days),
        }
    )


def identifiers(batch: Batch) -> dict[str, list[str]]:
    """Return STUDYID and USUBJID of the subjects of one trial; each trial is a study of its own."""
    draws = batch.world.draws
    study = f"BLINASIM-{trial_number(draws):04d}"
    sites = batch.world.cohort.site.tolist()
    return {
        "STUDYID": [study] * len(sites),
        "USUBJID": [
            f"{study}-{site + 1:03d}-{number:04d}" for site, number in zip(sites, patient_numbers(draws), strict=True)
        ],
    }


def trial_number(draws: Draws) -> int:
    """Return the number, from 1, of the one trial of a batch.

    Raises
    ------
    ValueError
        If there are several.
    """
    if draws.replications != 1:
        raise ValueError(f"one trial at a time, not {draws.replications}")
    return draws.block.start + 1


def patient_numbers(draws: Draws) -> range:
    """Return the numbers, from 1, of the patients of each trial of a batch."""
    return range(draws.first_patient + 1, draws.first_patient + draws.patients + 1)


def _flag(values: NDArray[Any]) -> NDArray[np.object_]:
    return np.where(values, "Y", "N").astype(object)
