"""The published study, simulated many times over for one value of the parameters: what its report would have said.

Only what the likelihood needs is computed: counts of the chain rule, and five survival summaries. The published margins
are fixed (so many patients with a prior HSCT, so many with 75 % blasts or more); predictions resample them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blinasim.engine.choice import walk
from blinasim.inference.targets import Target, published_cells
from blinasim.luck import Draws, Luck
from blinasim.model.codes import EARLY_AFTER_HSCT_DAYS, NONE, Cause, Conditioning, Depth, Donor, Mrd
from blinasim.model.cohort import Cohort, draw_cohort, under_parameters, with_margins
from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.model.fates import settle
from blinasim.model.history import History
from blinasim.model.parameters import Parameters
from blinasim.model.records import TransplantRecord
from blinasim.scenario.settings import Scenario
from blinasim.statistics import survival
from blinasim.study.batch import plan_lives
from blinasim.trial import outcomes
from blinasim.trial.observe import Bools, TrialData, observe

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


# --- counts by the chain rule ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Term:
    """A partition of some patients: one multinomial of the likelihood.

    Attributes
    ----------
    name : str
        Name in ``targets.published_cells``.
    among : str
        Whom it partitions, in words.
    cells : tuple of str
        The cells in words, in the order of the counts.
    of : callable
        Marks the patients of each cell in trial data, as arrays of shape (R, n).
    """

    name: str
    among: str
    cells: tuple[str, ...]
    of: Callable[[TrialData], tuple[Bools, ...]]


def _split(among: Bools, yes: Bools) -> tuple[Bools, Bools]:
    return among & yes, among & ~yes


def _group(data: TrialData, prior: bool) -> Bools:
    return data.prior_hsct if prior else ~data.prior_hsct


def _by_prior(prior: bool) -> tuple[Term, ...]:
    """Response, realization, later transplant and age of those never transplanted, by prior HSCT."""
    who, key = ("prior HSCT", "prior") if prior else ("HSCT-naive", "naive")
    return (
        Term(
            f"response_{key}", f"enrolled, {who}", ("CR/CRh*", "none"), lambda d: _split(_group(d, prior), d.responder)
        ),
        Term(
            f"realized_{key}",
            f"responders, {who}",
            ("on-study HSCT", "none"),
            lambda d: _split(_group(d, prior) & d.responder, d.on_study),
        ),
        Term(
            f"later_{key}",
            f"responders without on-study HSCT, {who}",
            ("later HSCT", "never"),
            lambda d: _split(_group(d, prior) & d.responder & ~d.on_study, d.hsct != NONE),
        ),
        Term(
            f"older_never_{key}",
            f"responders never transplanted, {who}",
            ("65 years or more", "younger"),
            lambda d: _split(_group(d, prior) & d.never_hsct, d.older),
        ),
    )


def _mrd(data: TrialData) -> tuple[Bools, Bools]:
    return data.mrd == int(Mrd.NEGATIVE), data.mrd == int(Mrd.POSITIVE)


def _donor(data: TrialData) -> tuple[Bools, ...]:
    kinds = (Donor.UNRELATED, Donor.CORD, Donor.SIBLING, Donor.HAPLOIDENTICAL)
    return tuple(data.on_study & (data.donor == int(kind)) for kind in kinds)


def _fate(data: TrialData) -> tuple[Bools, ...]:
    dead = data.on_study & (data.death != NONE)
    early = dead & (data.death - data.hsct <= EARLY_AFTER_HSCT_DAYS)
    late = dead & ~early
    cells = (
        early & (data.cause == int(Cause.INFECTION)),
        early & (data.cause == int(Cause.GVHD)),
        late & (data.cause == int(Cause.INFECTION)),
        late & (data.cause == int(Cause.GVHD)),
        late & (data.cause == int(Cause.PROGRESSION)),
        data.on_study & ~dead,
    )
    listed = cells[0]
    for cell in cells[1:]:
        listed = listed | cell
    return (*cells, data.on_study & ~listed)


_NAIVE_TERMS, _PRIOR_TERMS = _by_prior(prior=False), _by_prior(prior=True)
TERMS: Final[tuple[Term, ...]] = (
    *_NAIVE_TERMS,
    *_PRIOR_TERMS,
    Term(
        "depth_realized", "on-study HSCT", ("best response CR", "CRh*"),
        lambda d: _split(d.on_study, d.depth == int(Depth.CR)),
    ),
    Term(
        "depth_others", "responders without on-study HSCT", ("best response CR", "CRh*"),
        lambda d: _split(d.responder & ~d.on_study, d.depth == int(Depth.CR)),
    ),
    Term(
        "cycle_1", "responders (of the FDA set)", ("remission in cycle 1", "in cycle 2"),
        lambda d: _split(d.responder, d.cycle_of_remission == 1),
    ),
    Term("mrd", "responders, MRD assessed", ("MRD-negative", "positive"), _mrd),
    Term(
        "conditioning", "on-study HSCT, conditioning recorded", ("myeloablative", "reduced intensity"),
        lambda d: _split(d.on_study, d.conditioning == int(Conditioning.MYELOABLATIVE)),
    ),
    Term("donor", "on-study HSCT, donor recorded", ("unrelated", "cord blood", "sibling", "haploidentical"), _donor),
    Term(
        "fate", "on-study HSCT",
        (
            "dead of infection by day 100", "of GvHD by day 100", "of infection later", "of GvHD later",
            "of progression later", "alive at the cut-off", "dead otherwise",
        ),
        _fate,
    ),
)  # fmt: skip


# --- survival summaries ------------------------------------------------------------------------------------

#: Medians, on the log scale of days; and mortality by day 100, on the scale of ``_excess``. In this order.
MEDIANS: Final = ("os", "os_cens", "rfs", "rfs_cens")
SUMMARIES: Final = (*MEDIANS, "d100")

_OUTCOMES: Final = (
    outcomes.overall_survival,
    outcomes.overall_survival_censored,
    outcomes.relapse_free_survival,
    outcomes.relapse_free_survival_censored,
)


def _cloglog(probability: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(-np.log1p(-probability)))


def _excess(mortality: Floats, deaths: Floats, patients: Floats) -> Floats:
    """Return what Kaplan-Meier mortality says beyond its count: complementary log-log, less that of the crude share.

    It is about how many were censored before day 100. NaN where nobody died, or everybody.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        crude = deaths / patients
        excess = _cloglog(mortality) - _cloglog(crude)
    return np.where((deaths > 0) & (crude < 1.0), excess, np.nan)


def _mortality(excess: Floats, deaths: Floats, patients: Floats) -> Floats:
    """Return the Kaplan-Meier mortality from its excess; the reverse of ``_excess``."""
    return np.asarray(-np.expm1(-np.exp(excess + _cloglog(deaths / patients))))


@dataclass(frozen=True)
class Studies:
    """R simulated reports of the study.

    Attributes
    ----------
    counts : dict of str to ndarray of int64
        By term, shape (R, cells).
    summaries : ndarray of float64, shape (R, 5)
        In the order of ``SUMMARIES``; inf for a median not reached, NaN for what cannot be estimated.
    reached : ndarray of float64, shape (R, 5)
        What is known of a summary that is not: a lower limit, on its scale; -inf where nothing is.
    deaths_by_100 : ndarray of int64, shape (R,)
        Deaths of any cause within 100 days of an on-study HSCT.
    """

    counts: dict[str, Ints]
    summaries: Floats
    reached: Floats
    deaths_by_100: Ints

    @property
    def replications(self) -> int:
        """How many reports."""
        return len(self.summaries)

    def rows(self, which: slice) -> Studies:
        """Return some of the reports."""
        return Studies(
            {name: counts[which] for name, counts in self.counts.items()},
            self.summaries[which],
            self.reached[which],
            self.deaths_by_100[which],
        )


def report(data: TrialData, scenario: Scenario) -> Studies:
    """Reduce trial data, as seen with complete records of transplants, to what the likelihood needs."""
    counts = {term.name: np.stack([cell.sum(axis=1) for cell in term.of(data)], axis=1) for term in TERMS}
    replications = data.death.shape[0]
    summaries = np.empty((replications, len(SUMMARIES)))
    reached = np.full((replications, len(SUMMARIES)), -np.inf)
    for column, outcome in enumerate(_OUTCOMES):
        its = outcome(data, scenario.trial)
        fit = survival.fit(its.time_days, its.event, its.member)
        summaries[:, column] = _log_days(survival.median(fit))
        beyond = np.isinf(summaries[:, column])
        reached[beyond, column] = _log_days(fit.known_until)[beyond]
    after = outcomes.survival_after_hsct(data, scenario.trial)
    mortality = 1.0 - survival.survival_at(survival.fit(after.time_days, after.event, after.member), 100)
    dead, all_of = data.on_study & (data.death != NONE), counts["fate"].sum(axis=1)
    by_100 = (dead & (data.death - data.hsct <= EARLY_AFTER_HSCT_DAYS)).sum(axis=1)
    summaries[:, -1] = _excess(mortality, by_100.astype(np.float64), all_of.astype(np.float64))
    return Studies(counts, summaries, reached, by_100)


def _log_days(days: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(days, 0.5)))


# --- what was observed -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Observed:
    """One report of the study: the published one, or a simulated one to be calibrated against.

    Attributes
    ----------
    counts : dict of str to tuple of int
        By term.
    lower, upper : ndarray of float64, shape (5,)
        Between which values each summary lies, on its scale; the width is that of the rounding. An infinite limit
        says that nothing is known on that side.
    deaths_by_100 : int
        Deaths of any cause within 100 days of an on-study HSCT.
    """

    counts: Mapping[str, tuple[int, ...]]
    lower: Floats
    upper: Floats
    deaths_by_100: int

    @classmethod
    def published(cls, targets: Mapping[str, Target]) -> Observed:
        """Take the figures of ``calibration/targets.yaml``."""
        cells = published_cells(targets)
        deaths, patients = float(targets["deaths100"].count or 0), float(sum(cells["fate"]))
        limits = [
            [np.log(targets[name].rounded_from[side] * DAYS_PER_MONTH) for name in MEDIANS]
            + [float(_excess(*map(np.asarray, (targets["d100"].rounded_from[side], deaths, patients))))]
            for side in (0, 1)
        ]
        return cls(cells, np.array(limits[0]), np.array(limits[1]), int(deaths))

    @classmethod
    def simulated(cls, studies: Studies, row: int) -> Observed:
        """Take one simulated report, rounded as the published one was: to 0.1 months, and 0.01 of mortality."""
        counts = {name: tuple(int(cell) for cell in cells[row]) for name, cells in studies.counts.items()}
        summaries, lower, upper = studies.summaries[row], studies.reached[row].copy(), np.full(len(SUMMARIES), np.inf)
        for i in np.flatnonzero(np.isfinite(summaries[: len(MEDIANS)])):
            months = np.round(np.exp(summaries[i]) / DAYS_PER_MONTH, 1)
            lower[i], upper[i] = np.log(np.maximum(months + np.array([-0.05, 0.05]), 1e-3) * DAYS_PER_MONTH)
        if np.isfinite(summaries[-1]):
            patients = np.asarray(float(sum(counts["fate"])))
            deaths = np.asarray(studies.deaths_by_100[row], dtype=np.float64)
            mortality = _mortality(summaries[-1], deaths, patients)
            rounded = np.clip(np.round(mortality, 2) + np.array([-0.005, 0.005]), 1e-3, 1.0 - 1e-3)
            lower[-1], upper[-1] = _excess(rounded, np.full(2, deaths), np.full(2, patients))
        return cls(counts, lower, upper, int(studies.deaths_by_100[row]))


def with_plain_mortality(
    summaries: Floats, deaths_by_100: NDArray[np.integer] | int, transplanted: Ints | int
) -> Floats:
    """Return summaries (R, 5) whose last, the excess mortality, is replaced by the mortality itself, cloglog."""
    share = np.asarray(deaths_by_100, dtype=np.float64) / np.asarray(transplanted, dtype=np.float64)
    changed = np.array(summaries)
    changed[..., -1] += _cloglog(share)
    return changed


def mortality_of(excess: Floats, observed: Observed) -> Floats:
    """Return the Kaplan-Meier mortality by day 100 that an excess over the observed deaths amounts to."""
    cells = observed.counts["fate"]
    return _mortality(excess, np.asarray(float(observed.deaths_by_100)), np.asarray(float(sum(cells))))


# --- simulating --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RememberedDraws(Draws):
    """The luck of a block, drawn once for all values of the parameters.

    ``copies`` of the block, one after the other, let as many values be simulated at once with the same luck.
    """

    copies: int = 1
    _drawn: dict[str, Floats] = field(default_factory=dict)

    @property
    def replications(self) -> int:
        """How many replications the block holds, in all its copies."""
        return self.copies * super().replications

    def uniform(self, name: str) -> Floats:
        """Return the uniforms of one decision, shape (replications, patients)."""
        if name not in self._drawn:
            once = super().uniform(name)
            self._drawn[name] = once if self.copies == 1 else np.tile(once, (self.copies, 1))
        return self._drawn[name]


class Ensemble:
    """Some replications of the study, with the same luck for every value of the parameters.

    Parameters
    ----------
    scenario : Scenario
        The study's conduct.
    margins : dict of str to int
        Patients with ``prior_hsct`` and ``blasts75``.
    luck : Luck
        The calibration's luck.
    block : range
        The replications, contiguous.
    copies : int
        How many copies of them, one after the other, each with parameters of its own.
    """

    def __init__(
        self, scenario: Scenario, margins: Mapping[str, int], luck: Luck, block: range, copies: int = 1
    ) -> None:
        self._scenario, self._margins = scenario, dict(margins)
        self._draws = RememberedDraws(luck, block, scenario.cohort.size, copies=copies)
        self._cohort: Cohort | None = None

    def reports(self, parameters: Parameters) -> Studies:
        """Simulate the study and reduce it to its reports; values are numbers, or arrays of shape (copies * R, 1)."""
        return self.lived(parameters)[1]

    def lived(self, parameters: Parameters) -> tuple[History, Studies]:
        """Simulate the study: its patients' histories, and its reports."""
        scenario, draws = self._scenario, self._draws
        if self._cohort is None:
            drawn = draw_cohort(scenario.cohort, scenario.trial.accrual, parameters, draws)
            margins = self._margins
            self._cohort = with_margins(
                drawn, scenario.cohort, draws, prior_hsct=margins["prior_hsct"], blasts_75=margins["blasts75"]
            )
        cohort = under_parameters(self._cohort, parameters, draws)
        fates = settle(cohort, parameters, draws)
        lives = replace(plan_lives(scenario.policy, cohort, fates, parameters), capacity=scenario.capacity)
        history = walk(lives, "fast")
        # Whether something is missing in the record touches nothing else: its parameters have closed-form posteriors.
        complete = TransplantRecord(
            history.conditioning.astype(np.int8), history.donor.astype(np.int8), fates.source_of(history.donor)
        )
        return history, report(observe(scenario, cohort, history, complete, draws), scenario)
