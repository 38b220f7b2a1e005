"""Endpoints: every row of the results table, what it counts and among whom.

An endpoint is estimated for each trial of a batch. The same definitions, applied to all patients without the trial's
censoring by time, give its limit; applied to the estimand itself, its oracle (both in :mod:`blinasim.trial.tally`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, reduce
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import NONE, Cause, Conditioning, Depth, Donor, Mrd, Source
from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.scenario.settings import Trial
from blinasim.statistics import competing, survival
from blinasim.trial.observe import Bools, Ints, TrialData
from blinasim.trial.outcomes import OUTCOMES, TimeToEvent

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Share:
    """Patients of one kind among those of another; an estimate is a share.

    ``by_cutoff`` says that the count depends on the cut-off, so that it has no limit and no oracle.
    """

    id: str
    label: str
    of: Callable[[TrialData], tuple[Bools, Bools]]
    section: str
    level: int = 0
    by_cutoff: bool = True
    unit: Literal["share"] = "share"


@dataclass(frozen=True)
class MedianOf:
    """Median of an integer attribute among some patients."""

    id: str
    label: str
    of: Callable[[TrialData], tuple[Ints, Bools]]
    section: str
    unit: str
    level: int = 0
    by_cutoff: bool = True


@dataclass(frozen=True)
class Survival:
    """A summary of an outcome's Kaplan-Meier curve.

    ``summary`` is a median (months), survival or mortality at ``day``, or the restricted mean up to ``day`` (months).
    """

    id: str
    label: str
    outcome: str
    summary: Literal["median", "survival", "mortality", "rmst"]
    section: str
    day: float = 0.0
    level: int = 0

    @property
    def unit(self) -> str:
        """Months, or a share."""
        return "months" if self.summary in ("median", "rmst") else "share"


@dataclass(frozen=True)
class Incidence:
    """Cumulative incidence (Aalen-Johansen) of one cause of an outcome by ``day``; cause 1 is the first."""

    id: str
    label: str
    outcome: str
    cause: int
    day: float
    section: str
    level: int = 0
    unit: Literal["share"] = "share"


@dataclass(frozen=True)
class FollowUp:
    """Median follow-up, by the definition that the trial names."""

    id: str
    label: str
    section: str
    level: int = 0
    unit: Literal["months"] = "months"


Endpoint: TypeAlias = Share | MedianOf | Survival | Incidence | FollowUp


@dataclass(frozen=True)
class Estimates:
    """One endpoint in R trials: values and, for medians, the trials' own 95 % limits; shape (R,).

    NaN: nobody to estimate from, or beyond the follow-up of the trial; inf: a median not reached.
    """

    value: Floats
    lower: Floats | None = None
    upper: Floats | None = None


@dataclass(frozen=True)
class Fitted:
    """Every outcome of a batch of trials, by id, with its Kaplan-Meier fit: made once, for endpoints and figures."""

    outcomes: Mapping[str, TimeToEvent]
    fits: Mapping[str, survival.SurvivalBatch]


def fit_outcomes(data: TrialData, trial: Trial) -> Fitted:
    """Extract and fit every outcome, by the named rules of the trial."""
    outcomes = {outcome.id: outcome.of(data, trial) for outcome in OUTCOMES}
    return Fitted(outcomes, {key: survival.fit_causes(o.time_days, o.code, o.member) for key, o in outcomes.items()})


def estimate(data: TrialData, trial: Trial, fitted: Fitted | None = None) -> dict[str, Estimates]:
    """Estimate every endpoint in each trial of a batch.

    Parameters
    ----------
    data : TrialData
        Arrays of shape (R, n).
    trial : Trial
        The named rules.
    fitted : Fitted, optional
        The outcomes of the same data, where they are fitted already.

    Returns
    -------
    dict
        ``Estimates`` by endpoint id, in the order of ``ENDPOINTS``.
    """
    fitted = fitted or fit_outcomes(data, trial)
    return {endpoint.id: _estimate_one(endpoint, data, trial, fitted) for endpoint in ENDPOINTS}


def _estimate_one(endpoint: Endpoint, data: TrialData, trial: Trial, fitted: Fitted) -> Estimates:
    match endpoint:
        case Share():
            who, among = endpoint.of(data)
            with np.errstate(invalid="ignore"):
                return Estimates(_count(who & among) / _count(among))
        case MedianOf():
            values, among = endpoint.of(data)
            return Estimates(_row_medians(values, among))
        case Survival():
            return _summary(endpoint, fitted.fits[endpoint.outcome])
        case Incidence():
            fit = fitted.fits[endpoint.outcome]
            value = competing.cumulative_incidence(fit, endpoint.cause, day=endpoint.day)
            return Estimates(_within_follow_up(value, fit, endpoint.day))
        case FollowUp():
            return Estimates(_median_follow_up(data, trial, fitted) / DAYS_PER_MONTH)


def _count(mask: Bools) -> NDArray[np.int32]:
    """Count the patients of a kind in each trial."""
    return np.asarray(mask.sum(axis=1, dtype=np.int32))


def _median_follow_up(data: TrialData, trial: Trial, fitted: Fitted) -> Floats:
    """Return the median follow-up of each trial in days, by the definition that the trial names."""
    if trial.median_follow_up == "reverse_km":
        return survival.reverse_median(fitted.fits["os"])
    return np.asarray(np.median(data.potential_days, axis=1), dtype=np.float64)


def _summary(endpoint: Survival, fit: survival.SurvivalBatch) -> Estimates:
    match endpoint.summary:
        case "median":
            lower, upper = survival.median_interval(fit)
            days = survival.median(fit)
            return Estimates(days / DAYS_PER_MONTH, lower / DAYS_PER_MONTH, upper / DAYS_PER_MONTH)
        case "survival":
            value = survival.survival_at(fit, endpoint.day)
        case "mortality":
            value = 1.0 - survival.survival_at(fit, endpoint.day)
        case "rmst":
            value = survival.rmst(fit, endpoint.day) / DAYS_PER_MONTH
    return Estimates(_within_follow_up(value, fit, endpoint.day))


def _within_follow_up(value: Floats, fit: survival.SurvivalBatch, day: float) -> Floats:
    """Blank what a trial cannot estimate: a day beyond its last observation, while somebody is still at risk."""
    return np.where(day <= fit.known_until, value, np.nan)


def _row_medians(values: Ints, among: Bools) -> Floats:
    """Ordinary medians of the members of each row; NaN where there are none."""
    # Members first in each row, in order; then the middle one or two of them.
    held = np.where(among, values, np.iinfo(np.int32).max)
    held.sort(axis=1)
    count = among.sum(axis=1)
    rows = np.arange(held.shape[0])
    lower = held[rows, np.maximum((count - 1) // 2, 0)]
    upper = held[rows, np.minimum(count // 2, held.shape[1] - 1)]
    return np.where(count > 0, (lower + upper.astype(np.float64)) / 2.0, np.nan)


# --- what each share counts -------------------------------------------------------------------------


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
