"""The endpoints: every row of the results table, what it counts and among whom."""

from __future__ import annotations

from functools import partial, reduce

import numpy as np

from blinasim.model.codes import NONE, Cause, Conditioning, Depth, Donor, Mrd, Source
from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.trial.endpoint_kinds import Endpoint, FollowUp, Incidence, MedianOf, Share, Survival
from blinasim.trial.observe import Bools, Ints, TrialData


def _is(values: Ints, code: int) -> Bools:
    """Where a code stands; as a bare int, since NumPy takes a member of an enum for an int64 and casts the array."""
    return np.asarray(values == int(code))


def _everybody(data: TrialData) -> Bools:
    return np.ones(data.death.shape, dtype=bool)


def _responders(data: TrialData, prior_hsct: bool | None) -> tuple[Bools, Bools]:
    among = _everybody(data) if prior_hsct is None else data.prior_hsct == prior_hsct
    return data.responder, among


def _realized(data: TrialData, prior_hsct: bool | None) -> tuple[Bools, Bools]:
    _, group = _responders(data, prior_hsct)
    return data.on_study, data.responder & group


def _of_realized(data: TrialData, attribute: str, code: int) -> tuple[Bools, Bools]:
    return _is(getattr(data, attribute), code), data.on_study


def _donor_group(data: TrialData, donors: tuple[Donor, ...]) -> Bools:
    return data.on_study & reduce(np.logical_or, (_is(data.donor, donor) for donor in donors))


_UNRELATED = (Donor.UNRELATED, Donor.CORD)
_RELATED = (Donor.SIBLING, Donor.HAPLOIDENTICAL)


def _donors(data: TrialData, donors: tuple[Donor, ...]) -> tuple[Bools, Bools]:
    return _donor_group(data, donors), data.on_study


def _sources(
    data: TrialData, donors: tuple[Donor, ...], among: tuple[Donor, ...], source: Source
) -> tuple[Bools, Bools]:
    return _donor_group(data, donors) & _is(data.source, source), _donor_group(data, among)


def _never_why(data: TrialData, older: bool | None, prior: bool | None) -> tuple[Bools, Bools]:
    never = data.never_hsct
    if older is None:
        return data.older | data.prior_hsct, never
    return (data.older == older) & (data.prior_hsct == prior), never


def _deaths_after_hsct(data: TrialData, cause: Cause | None, within_days: int | None) -> tuple[Bools, Bools]:
    dead = data.on_study & (data.death != NONE)
    if cause is not None:
        dead &= _is(data.cause, cause)
    if within_days is not None:
        dead &= data.death - data.hsct <= within_days
    return dead, data.on_study


def _in_cycle_1(data: TrialData) -> tuple[Bools, Bools]:
    return data.responder & (data.cycle_of_remission == 1), data.responder


def _mrd_negative(data: TrialData) -> tuple[Bools, Bools]:
    return _is(data.mrd, Mrd.NEGATIVE), data.responder & ~_is(data.mrd, Mrd.UNKNOWN)


def _realized_by_depth(data: TrialData, depth: Depth) -> tuple[Bools, Bools]:
    return data.on_study, data.responder & _is(data.depth, depth)


_PATIENTS, _REMISSION, _HSCT, _NO_HSCT, _SURVIVAL, _ELSEWHERE, _BEYOND = (
    "Patients",
    "Remission",
    "On-study HSCT",
    "No on-study HSCT",
    "Survival",
    "The same trial, reported elsewhere",
    "Beyond the abstract",
)
_HALF_YEAR, _YEAR, _TWO_YEARS, _THREE_YEARS = (months * DAYS_PER_MONTH for months in (6, 12, 24, 36))

ENDPOINTS: tuple[Endpoint, ...] = (
    MedianOf("age", "Age", lambda d: (d.age_years, _everybody(d)), _PATIENTS, "years", by_cutoff=False),
    Share(
        "salvage2", "Two or more prior salvage therapies", lambda d: (d.two_or_more_salvage, _everybody(d)), _PATIENTS,
        by_cutoff=False,
    ),
    Share("prior_hsct", "Prior HSCT", lambda d: (d.prior_hsct, _everybody(d)), _PATIENTS, by_cutoff=False),
    Share("blasts75", "Marrow blasts 75 % or more", lambda d: (d.blasts_75, _everybody(d)), _PATIENTS, by_cutoff=False),
    MedianOf("cycles", "Cycles received", lambda d: (d.cycles, _everybody(d)), _PATIENTS, "cycles"),
    Share("cr", "CR/CRh* within 2 cycles", partial(_responders, prior_hsct=None), _REMISSION, by_cutoff=False),
    Share("cr_naive", "HSCT-naive", partial(_responders, prior_hsct=False), _REMISSION, 1, by_cutoff=False),
    Share("cr_prior", "prior HSCT", partial(_responders, prior_hsct=True), _REMISSION, 1, by_cutoff=False),
    Share("hsct", "Realization rate", partial(_realized, prior_hsct=None), _HSCT),
    Share("hsct_naive", "HSCT-naive", partial(_realized, prior_hsct=False), _HSCT, 1),
    Share("hsct_prior", "prior HSCT", partial(_realized, prior_hsct=True), _HSCT, 1),
    Share("hsct_cr", "best response CR", partial(_of_realized, attribute="depth", code=Depth.CR), _HSCT, 1),
    Share("hsct_crh", "best response CRh*", partial(_of_realized, attribute="depth", code=Depth.CRH), _HSCT, 1),
    MedianOf("hsct_cycles", "Cycles before HSCT", lambda d: (d.cycles, d.on_study), _HSCT, "cycles"),
    Share(
        "conditioning_mac", "Myeloablative conditioning",
        partial(_of_realized, attribute="conditioning", code=Conditioning.MYELOABLATIVE), _HSCT,
    ),
    Share(
        "conditioning_ric", "Reduced intensity",
        partial(_of_realized, attribute="conditioning", code=Conditioning.REDUCED), _HSCT,
    ),
    Share(
        "conditioning_unknown", "Conditioning not recorded",
        partial(_of_realized, attribute="conditioning", code=NONE), _HSCT,
    ),
    Share("donor_unrelated", "Unrelated donor", partial(_donors, donors=_UNRELATED), _HSCT),
    Share(
        "source_urd_blood", "blood",
        partial(_sources, donors=_UNRELATED, among=_UNRELATED, source=Source.BLOOD), _HSCT, 1,
    ),
    Share(
        "source_urd_marrow", "marrow",
        partial(_sources, donors=_UNRELATED, among=_UNRELATED, source=Source.MARROW), _HSCT, 1,
    ),
    Share(
        "source_urd_cord", "cord blood",
        partial(_sources, donors=_UNRELATED, among=_UNRELATED, source=Source.CORD), _HSCT, 1,
    ),
    Share("donor_related", "Related donor", partial(_donors, donors=_RELATED), _HSCT),
    Share("donor_sibling", "sibling", partial(_donors, donors=(Donor.SIBLING,)), _HSCT, 1),
    Share("donor_haplo", "haploidentical", partial(_donors, donors=(Donor.HAPLOIDENTICAL,)), _HSCT, 1),
    Share(
        "source_sibling_blood", "sibling, blood",
        partial(_sources, donors=(Donor.SIBLING,), among=_RELATED, source=Source.BLOOD), _HSCT, 1,
    ),
    Share(
        "source_sibling_marrow", "sibling, marrow",
        partial(_sources, donors=(Donor.SIBLING,), among=_RELATED, source=Source.MARROW), _HSCT, 1,
    ),
    Share(
        "source_haplo_blood", "haploidentical, blood",
        partial(_sources, donors=(Donor.HAPLOIDENTICAL,), among=_RELATED, source=Source.BLOOD), _HSCT, 1,
    ),
    Share("donor_unknown", "Donor not recorded", partial(_of_realized, attribute="donor", code=NONE), _HSCT),
    Share("hsct_other", "HSCT after other therapy or relapse", lambda d: (d.later_hsct, d.responder), _NO_HSCT),
    Share("never", "Never transplanted", lambda d: (d.never_hsct, d.responder), _NO_HSCT),
    Share("never_prior", "prior HSCT", partial(_never_why, older=False, prior=True), _NO_HSCT, 1),
    Share("never_older", "65 years or more", partial(_never_why, older=True, prior=False), _NO_HSCT, 1),
    Share("never_both", "both", partial(_never_why, older=True, prior=True), _NO_HSCT, 1),
    Share("never_neither", "neither", partial(_never_why, older=False, prior=False), _NO_HSCT, 1),
    Share("never_why", "one or both", partial(_never_why, older=None, prior=None), _NO_HSCT, 1),
    FollowUp("followup", "Median follow-up", _SURVIVAL),
    Survival("os", "Median OS", "os", "median", _SURVIVAL),
    Survival("os_cens", "Median OS censored at HSCT", "os_cens", "median", _SURVIVAL),
    Survival("rfs", "Median RFS", "rfs", "median", _SURVIVAL),
    Survival("rfs_cens", "Median RFS censored at HSCT", "rfs_cens", "median", _SURVIVAL),
    Survival("d100", "100-day mortality after HSCT", "after_hsct", "mortality", _SURVIVAL, 100),
    Share(
        "deaths100", "Deaths within 100 days of HSCT",
        partial(_deaths_after_hsct, cause=None, within_days=100), _SURVIVAL,
    ),
    Share(
        "deaths100_infection", "infection",
        partial(_deaths_after_hsct, cause=Cause.INFECTION, within_days=100), _SURVIVAL, 1,
    ),
    Share("deaths100_gvhd", "GvHD", partial(_deaths_after_hsct, cause=Cause.GVHD, within_days=100), _SURVIVAL, 1),
    Share(
        "deaths_post", "Deaths at any time after HSCT",
        partial(_deaths_after_hsct, cause=None, within_days=None), _SURVIVAL,
    ),
    Share(
        "deaths_post_infection", "infection",
        partial(_deaths_after_hsct, cause=Cause.INFECTION, within_days=None), _SURVIVAL, 1,
    ),
    Share(
        "deaths_post_progression", "progression",
        partial(_deaths_after_hsct, cause=Cause.PROGRESSION, within_days=None), _SURVIVAL, 1,
    ),
    Share("deaths_post_gvhd", "GvHD", partial(_deaths_after_hsct, cause=Cause.GVHD, within_days=None), _SURVIVAL, 1),
    Share("cr_cycle_1", "Remission in cycle 1, of responders", _in_cycle_1, _ELSEWHERE, by_cutoff=False),
    Share(
        "cr_crh", "Best response CRh*, of responders", lambda d: (_is(d.depth, Depth.CRH), d.responder), _ELSEWHERE,
        by_cutoff=False,
    ),
    Share("mrd_negative", "MRD-negative, of those assessed", _mrd_negative, _ELSEWHERE, by_cutoff=False),
    Share("hsct_of_cr", "Realization rate in CR", partial(_realized_by_depth, depth=Depth.CR), _ELSEWHERE),
    Share("hsct_of_crh", "Realization rate in CRh*", partial(_realized_by_depth, depth=Depth.CRH), _ELSEWHERE),
    Survival("os_12_months", "OS at 12 months", "os", "survival", _BEYOND, _YEAR),
    Survival("os_24_months", "OS at 24 months", "os", "survival", _BEYOND, _TWO_YEARS),
    Survival("os_36_months", "OS at 36 months", "os", "survival", _BEYOND, _THREE_YEARS),
    Survival("rmst_12_months", "RMST to 12 months", "os", "rmst", _BEYOND, _YEAR),
    Survival("rmst_24_months", "RMST to 24 months", "os", "rmst", _BEYOND, _TWO_YEARS),
    MedianOf(
        "days_to_hsct", "Remission to HSCT, those transplanted",
        lambda d: ((d.hsct - d.remission).astype(np.int32), d.on_study), _BEYOND, "days",
    ),
    Incidence("hsct_6_months", "HSCT by 6 months from remission", "after_remission", 1, _HALF_YEAR, _BEYOND),
    Incidence("relapse_6_months", "Relapse before HSCT by 6 months", "after_remission", 2, _HALF_YEAR, _BEYOND),
    Incidence("death_6_months", "Death before either by 6 months", "after_remission", 3, _HALF_YEAR, _BEYOND),
    Incidence("relapse_after_hsct", "Relapse, 12 months after HSCT", "cause_after_hsct", 1, _YEAR, _BEYOND),
    Incidence("nrm_after_hsct", "Non-relapse death, 12 months after HSCT", "cause_after_hsct", 2, _YEAR, _BEYOND),
)  # fmt: skip
