"""The cohort: who is enrolled, drawn jointly, and on which day each enters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from blinasim.luck import Draws
from blinasim.model.codes import BLAST_BANDS_PCT, OLDER_FROM_YEARS, Eligibility, Fitness
from blinasim.model.cohort_file import CohortSource, read_cohort
from blinasim.model.odds import with_odds
from blinasim.model.parameters import Parameters
from blinasim.scenario.settings import Accrual, CohortSettings

_AGE_OF_REFERENCE_YEARS = 40


@dataclass(frozen=True)
class Cohort:
    """Baseline attributes of P = replications * patients; every array has shape (P,), replication after replication.

    Attributes
    ----------
    replications, patients : int
        How many, and patients of each.
    entry_day : ndarray of int32
        Calendar day of the first infusion.
    site : ndarray of int16
        Number of the centre, from 0.
    age_years, salvage_lines : ndarray of int
        At enrolment; salvage lines before it.
    prior_hsct, well_matched : ndarray of bool
        Whether there was an HSCT before, and whether a well-matched unrelated donor is likely to be found.
    eligibility, fitness : ndarray of int8
        Codes of the factors met, and of ``Fitness``.
    blasts_pct : ndarray of float64
        Of the marrow, %.
    frailty : ndarray of float64
        Of mean 1, shared by relapse, death and non-relapse death; no policy sees it.
    """

    replications: int
    patients: int
    entry_day: NDArray[np.int32]
    site: NDArray[np.int16]
    age_years: NDArray[np.int16]
    prior_hsct: NDArray[np.bool_]
    salvage_lines: NDArray[np.int8]
    eligibility: NDArray[np.int8]
    blasts_pct: NDArray[np.float64]
    fitness: NDArray[np.int8]
    well_matched: NDArray[np.bool_]
    frailty: NDArray[np.float64]

    @property
    def older(self) -> NDArray[np.bool_]:
        """Patients of 65 years or more, shape (P,)."""
        return self.age_years >= OLDER_FROM_YEARS

    @property
    def two_or_more_salvage(self) -> NDArray[np.bool_]:
        """Patients with two or more earlier salvage lines, shape (P,)."""
        return self.salvage_lines >= 2

    @property
    def blasts_75(self) -> NDArray[np.bool_]:
        """Patients with 75 % of marrow blasts or more, shape (P,)."""
        return self.blasts_pct >= BLAST_BANDS_PCT[3]

    @property
    def decades_over_40(self) -> NDArray[np.float64]:
        """Decades of age above the reference age of 40 years, shape (P,)."""
        return _decades(self.age_years)


def draw_cohort(
    settings: CohortSettings,
    accrual: Accrual,
    parameters: Parameters,
    draws: Draws,
    source: CohortSource | None = None,
) -> Cohort:
    """Draw the baseline attributes of all patients of some replications.

    Parameters
    ----------
    settings, accrual
        The scenario's words on who is enrolled, and when.
    parameters : Parameters
        Group ``baseline`` is used.
    draws : Draws
        Luck of R replications of n patients; P = R * n.
    source : CohortSource, optional
        The cohort's file as read before; read here otherwise, where the settings name one.

    Returns
    -------
    Cohort
        Arrays of shape (P,).
    """
    source = source or read_cohort(settings)
    if source is None:
        drawn = _from_settings(settings, parameters, draws)
    else:
        drawn = _from_file(source, settings, parameters, draws)
    age, prior, lines = drawn.age_years, drawn.prior_hsct, drawn.salvage_lines
    return Cohort(
        replications=draws.replications,
        patients=draws.patients,
        entry_day=_entry_day(accrual, draws.uniform("cohort.entry_day")).ravel(),
        site=drawn.site.ravel(),
        age_years=age.ravel(),
        prior_hsct=prior.ravel(),
        salvage_lines=lines.ravel(),
        eligibility=_eligibility(lines, prior, draws.uniform("cohort.eligibility")).ravel(),
        blasts_pct=drawn.blasts_pct.ravel(),
        fitness=drawn.fitness.ravel(),
        well_matched=drawn.well_matched.ravel(),
        frailty=_frailty(parameters, draws).ravel(),
    )


@dataclass(frozen=True)
class _Drawn:
    """Baseline attributes, arrays of shape (R, n)."""

    age_years: NDArray[np.int16]
    prior_hsct: NDArray[np.bool_]
    salvage_lines: NDArray[np.int8]
    blasts_pct: NDArray[np.float64]
    fitness: NDArray[np.int8]
    well_matched: NDArray[np.bool_]
    site: NDArray[np.int16]


def _from_settings(settings: CohortSettings, parameters: Parameters, draws: Draws) -> _Drawn:
    """Draw everything from the scenario's shares."""
    age = _age_years(settings, draws.uniform("cohort.age"))
    return _Drawn(
        age_years=age,
        prior_hsct=draws.uniform("cohort.prior_hsct") < _prior_share(settings, age >= OLDER_FROM_YEARS),
        salvage_lines=_salvage_lines(settings, draws.uniform("cohort.salvage_lines")),
        blasts_pct=_blasts_pct(settings, draws.uniform("cohort.blasts")),
        fitness=_fitness(parameters, age, draws.uniform("cohort.fitness")),
        well_matched=_well_matched(parameters, draws),
        site=_site(settings, draws),
    )


def _prior_share(settings: CohortSettings, older: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Probability of an earlier HSCT, by age."""
    older_share = settings.age.share_65_and_over
    prior_older = settings.prior_hsct_share_65_and_over
    prior_younger = (settings.prior_hsct_share - older_share * prior_older) / (1.0 - older_share)
    return np.where(older, prior_older, prior_younger)


def with_margins(cohort: Cohort, settings: CohortSettings, draws: Draws, *, prior_hsct: int, blasts_75: int) -> Cohort:
    """Return a cohort in which exactly so many patients of each replication have had an HSCT, and 75 % blasts or more.

    For the calibration, which takes published margins as they are. Who has had an HSCT is a sample without replacement
    whose chances follow age (Pareto sampling: Rosen, J Stat Plan Inference 1997;62:159); who has many blasts is a
    simple one.

    Parameters
    ----------
    cohort : Cohort
        As drawn from ``settings`` with ``draws``.
    settings : CohortSettings
        The shares, by which patients differ in their chances, and blasts are drawn within their bands.
    draws : Draws
        The same luck.
    prior_hsct, blasts_75 : int
        Patients of each replication.

    Returns
    -------
    Cohort
        The same patients but for those two attributes and what goes with them.
    """
    shape = (cohort.replications, cohort.patients)
    uniform, chance = draws.uniform("cohort.prior_hsct"), _prior_share(settings, cohort.older.reshape(shape))
    prior = _lowest(uniform / (1.0 - uniform) * (1.0 - chance) / chance, prior_hsct)
    many = _lowest(draws.uniform("cohort.margin_of_blasts"), blasts_75)
    within, share = draws.uniform("cohort.blasts"), settings.blasts.from_75_pct
    blasts = _blasts_pct(settings, np.where(many, 1.0 - share + share * within, (1.0 - share) * within))
    lines = cohort.salvage_lines.reshape(shape)
    return replace(
        cohort,
        prior_hsct=prior.ravel(),
        blasts_pct=blasts.ravel(),
        eligibility=_eligibility(lines, prior, draws.uniform("cohort.eligibility")).ravel(),
    )


def _lowest(score: NDArray[np.float64], count: int) -> NDArray[np.bool_]:
    """Mark the patients with the lowest scores, so many of each replication."""
    chosen = np.zeros(score.shape, dtype=np.bool_)
    np.put_along_axis(chosen, np.argsort(score, axis=1, kind="stable")[:, :count], True, axis=1)
    return chosen


def under_parameters(cohort: Cohort, parameters: Parameters, draws: Draws) -> Cohort:
    """Return the same patients, with the same luck, under other parameters; their file's columns are not kept.

    Parameters
    ----------
    cohort : Cohort
        As drawn.
    parameters : Parameters
        Group ``baseline`` is what patients' attributes depend on.
    draws : Draws
        The same luck.

    Returns
    -------
    Cohort
    """
    shape = (cohort.replications, cohort.patients)
    fitness = _fitness(parameters, cohort.age_years.reshape(shape), draws.uniform("cohort.fitness"))
    return replace(
        cohort,
        fitness=fitness.ravel(),
        well_matched=_well_matched(parameters, draws).ravel(),
        frailty=_frailty(parameters, draws).ravel(),
    )


def _from_file(source: CohortSource, settings: CohortSettings, parameters: Parameters, draws: Draws) -> _Drawn:
    """Take the rows of a file, in order or resampled; what the file does not hold is drawn as ever."""
    assert settings.data is not None
    rows = source.rows
    if settings.data.rows == "as_given":
        first = draws.first_patient
        row = np.tile(np.arange(first, first + draws.patients), (draws.replications, 1))
    else:
        row = np.minimum(np.searchsorted(source.edges, draws.uniform("cohort.row"), side="right"), len(rows) - 1)
    age = rows.age_years[row]
    return _Drawn(
        age_years=age,
        prior_hsct=rows.prior_hsct[row],
        salvage_lines=rows.salvage_lines[row],
        blasts_pct=rows.blasts_pct[row],
        fitness=_fitness(parameters, age, draws.uniform("cohort.fitness"))
        if rows.fitness is None
        else rows.fitness[row],
        well_matched=_well_matched(parameters, draws) if rows.well_matched is None else rows.well_matched[row],
        site=_site(settings, draws) if rows.site is None else rows.site[row],
    )


def _well_matched(parameters: Parameters, draws: Draws) -> NDArray[np.bool_]:
    return np.asarray(draws.uniform("cohort.well_matched") < parameters.baseline.well_matched_share)


def _site(settings: CohortSettings, draws: Draws) -> NDArray[np.int16]:
    site: NDArray[np.float64] = np.floor(draws.uniform("cohort.site") * settings.sites)
    return np.minimum(site, settings.sites - 1).astype(np.int16)


def _decades(age_years: NDArray[np.int16]) -> NDArray[np.float64]:
    return np.asarray((age_years - _AGE_OF_REFERENCE_YEARS) / 10.0)


def _age_years(settings: CohortSettings, uniform: NDArray[np.float64]) -> NDArray[np.int16]:
    """Whole years, from a quantile function that is linear between youngest, median, 65 and oldest."""
    age = settings.age
    knots = (0.0, 0.5, 1.0 - age.share_65_and_over, 1.0)
    # Half a year above the median, so that the completed years have it in their middle.
    years = (age.min_years, age.median_years + 0.5, OLDER_FROM_YEARS, age.max_years + 1)
    return np.minimum(np.floor(np.interp(uniform, knots, years)), age.max_years).astype(np.int16)


def _salvage_lines(settings: CohortSettings, uniform: NDArray[np.float64]) -> NDArray[np.int8]:
    """Earlier salvage lines: 0, 1, 2 or 3 (three or more)."""
    two_or_more = uniform >= 1.0 - settings.two_or_more_salvage_share
    # Of those with two or more, four in ten have three or more (an assumption without consequence so far).
    three_or_more = uniform >= 1.0 - 0.4 * settings.two_or_more_salvage_share
    some = uniform >= settings.no_prior_salvage_share
    return some.astype(np.int8) + two_or_more.astype(np.int8) + three_or_more.astype(np.int8)


def _eligibility(lines: NDArray[np.int8], prior: NDArray[np.bool_], uniform: NDArray[np.float64]) -> NDArray[np.int8]:
    """Return the factor that makes each patient eligible; everybody meets one."""
    first_salvage = np.where(
        prior,
        Eligibility.RELAPSE_AFTER_HSCT,
        np.where(uniform < 0.5, Eligibility.PRIMARY_REFRACTORY, Eligibility.EARLY_FIRST_RELAPSE),
    )
    return np.where(lines >= 1, Eligibility.SECOND_OR_LATER_SALVAGE, first_salvage).astype(np.int8)


def _blasts_pct(settings: CohortSettings, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Per cent of marrow blasts, even within each band."""
    blasts = settings.blasts
    shares = (blasts.below_25_pct, blasts.from_25_to_50_pct, blasts.from_50_to_75_pct, blasts.from_75_pct)
    return np.interp(uniform, np.concatenate(([0.0], np.cumsum(shares))), BLAST_BANDS_PCT)


def _fitness(parameters: Parameters, age: NDArray[np.int16], uniform: NDArray[np.float64]) -> NDArray[np.int8]:
    """Fitness class; age multiplies the odds of the worse classes."""
    baseline = parameters.baseline
    decades = _decades(age)
    with np.errstate(divide="ignore", over="ignore"):
        score = with_odds(uniform, 1.0 / baseline.worse_fitness_odds_per_decade**decades)
    poor = score < baseline.poor_fitness
    fair = score < baseline.poor_fitness + baseline.fair_fitness
    return np.where(poor, Fitness.POOR, np.where(fair, Fitness.FAIR, Fitness.GOOD)).astype(np.int8)


def _frailty(parameters: Parameters, draws: Draws) -> NDArray[np.float64]:
    """Log-normal frailty of mean 1 and the variance given; exactly 1 where the variance is 0."""
    from scipy.special import ndtri

    log_variance = np.log1p(parameters.baseline.frailty_variance)
    return np.asarray(np.exp(np.sqrt(log_variance) * ndtri(draws.uniform("cohort.frailty")) - 0.5 * log_variance))


def _entry_day(accrual: Accrual, uniform: NDArray[np.float64]) -> NDArray[np.int32]:
    """Calendar day of entry, from piecewise constant accrual rates."""
    weights = np.cumsum([0.0, *(piece.days * piece.relative_rate for piece in accrual.pieces)])
    edges = np.cumsum([0, *(piece.days for piece in accrual.pieces)])
    days: NDArray[np.float64] = np.interp(uniform, weights / weights[-1], edges)
    # A uniform next to 1 may be interpolated to the very end of accrual, which is no longer a day of it.
    last = max(end for end, piece in zip(edges[1:], accrual.pieces, strict=True) if piece.relative_rate > 0)
    whole: NDArray[np.float64] = np.minimum(np.floor(days), last - 1)
    return whole.astype(np.int32)
