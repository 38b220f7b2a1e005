"""Measures: what policies are compared by, read in each trial from what truly happened to its patients.

No measure is censored: every patient is followed to the end. What is counted per patient has all patients of the trial
in its denominator; what is counted among some of them is NaN where there is nobody. Of those transplanted, neither
direction is better: who they are changes with the policy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from blinasim.errors import Argument, BlinasimError
from blinasim.files import nearest, quoted
from blinasim.model.codes import HORIZON, NONE, Place
from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.model.history import History
from blinasim.model.payoffs import PatientPayoffs, payoffs_of
from blinasim.model.places import Stays, counted_places, days_in_bed
from blinasim.scenario.settings import Capacity, Payoffs, Policy, Scenario
from blinasim.statistics import competing, survival
from blinasim.study.batch import Batch
from blinasim.trial.observe import Bools, Ints, TrialData, observe_all
from blinasim.trial.outcomes import first_after_hsct_true, overall_survival

Floats = NDArray[np.float64]
Unit: TypeAlias = Literal["share", "months", "days", "searches", "patient-days", "years", "QALYs", "money"]
Therapy: TypeAlias = Literal["blinatumomab", "standard"]
Population: TypeAlias = Literal[
    "all patients", "of responders", "of those transplanted on study", "lifetime, all patients"
]

ONE_YEAR_DAYS: Final = 12 * DAYS_PER_MONTH
TWO_YEARS_DAYS: Final = 24 * DAYS_PER_MONTH
_RELAPSE, _NON_RELAPSE_DEATH = 1, 2  # codes of first_after_hsct


@dataclass(frozen=True, eq=False)
class Truth:
    """All that happened to the patients of R trials of n patients, to the end of the simulated world.

    Attributes
    ----------
    scenario : Scenario
        The policy and the places under which they lived.
    data : TrialData
        Their days without any censoring, arrays of shape (R, n).
    history : History
        The same in full, arrays of shape (R * n,).
    stays : tuple of Stays
        Requests for counted places, one a trial; empty where nothing is counted.
    """

    scenario: Scenario
    data: TrialData
    history: History
    stays: tuple[Stays, ...] = ()

    @classmethod
    def of(cls, scenario: Scenario, batch: Batch, stays: Sequence[Stays] = ()) -> Truth:
        """See everything that happened to a batch."""
        seen = observe_all(scenario, batch.world.cohort, batch.history, batch.record)
        return cls(scenario, seen, batch.history, tuple(stays))

    @cached_property
    def overall_survival(self) -> survival.SurvivalBatch:
        """Survival of each trial from first infusion."""
        outcome = overall_survival(self.data, self.scenario.trial)
        return survival.fit(outcome.time_days, outcome.event, outcome.member)

    @cached_property
    def after_hsct(self) -> survival.SurvivalBatch:
        """Freedom from true relapse (1) and non-relapse death (2) after an on-study HSCT."""
        outcome = first_after_hsct_true(self.data, self.scenario.trial)
        return survival.fit_causes(outcome.time_days, outcome.code, outcome.member)

    @cached_property
    def payoffs(self) -> PatientPayoffs:
        """What the patients cost and gain, shape (R * n,), by the scenario's payoffs."""
        return payoffs_of(self.history, self.data.age_years.ravel(), self.scenario)

    def by_trial(self, values: Ints) -> Ints:
        """Arrange what the history holds by trial and patient, shape (R, n)."""
        return values.reshape(self.data.death.shape)


@dataclass(frozen=True)
class Measure:
    """One thing by which policies are compared.

    Attributes
    ----------
    id : str
        Name in files.
    name : str
        What it is, and from when it is counted unless that is the first infusion.
    meaning : str
        A sentence that says what it is exactly.
    unit : {"share", "months", "days", "searches", "patient-days", "years", "QALYs", "money"}
        Of the values; a share is from 0 to 1, money in the currency of the payoffs.
    direction : {1, -1, 0}
        Whether more is better, worse, or neither.
    of : callable
        Gives the value of each trial, shape (R,).
    population : str
        Whose it is.
    per : {"", "patient", "trial"}
        What a resource is counted for; empty for an outcome of patients.
    place : Place, optional
        The kind of place without whose count the measure means nothing.
    therapy : str, optional
        The treatment under which alone the measure means something.
    """

    id: str
    name: str
    meaning: str
    unit: Unit
    direction: Literal[1, -1, 0]
    of: Callable[[Truth], Floats]
    population: Population = "all patients"
    per: Literal["", "patient", "trial"] = ""
    place: Place | None = None
    therapy: Therapy | None = None

    @property
    def label(self) -> str:
        """What it is, and whose."""
        return f"{self.name}, {f'a {self.per}' if self.per else self.population}"

    def applies_to(self, policy: Policy) -> bool:
        """Whether the measure means something under a policy."""
        return self.therapy in (None, policy.therapy)


def measures_of(capacities: Sequence[Capacity], payoffs: Payoffs | None = None) -> tuple[Measure, ...]:
    """Return the measures by which scenarios with these places are compared, in the order of the table.

    Waiting is a measure where at least one of them counts the places; where the others do not, nobody waits. Costs and
    quality of life are measures where there are payoffs.
    """
    counted = {place for capacity in capacities for place in counted_places(capacity)}
    usual = tuple(measure for measure in MEASURES if measure.place is None or measure.place in counted)
    return usual + (payoff_measures(payoffs) if payoffs else ())


def measured(truth: Truth, measures: Sequence[Measure]) -> dict[str, Floats]:
    """Return the values of some measures by id, shape (R,); NaN where a measure means nothing under the policy."""
    nothing = np.full(truth.data.death.shape[0], np.nan)
    return {
        measure.id: measure.of(truth) if measure.applies_to(truth.scenario.policy) else nothing for measure in measures
    }


# --- patients -----------------------------------------------------------------------------------------


def _share(who: Bools, among: Bools) -> Floats:
    """Return the share of some patients among others in each trial; NaN where there are no others."""
    return _mean(who, among)


def _mean(values: NDArray[np.bool_] | Ints, among: Bools) -> Floats:
    """Return the mean of whole numbers among some patients of each trial; exact sums, NaN where there are none."""
    with np.errstate(invalid="ignore"):
        total = np.where(among, values, 0).sum(axis=1, dtype=np.int64)
        return np.asarray(total / among.sum(axis=1, dtype=np.int64), dtype=np.float64)


def _realization(truth: Truth) -> Floats:
    return _share(truth.data.on_study, truth.data.responder)


def _transplanted(truth: Truth) -> Floats:
    return _per_patient(truth.data.hsct != NONE)


def _days_to_hsct(truth: Truth) -> Floats:
    return _mean(truth.data.hsct - truth.data.remission, truth.data.on_study)


def _survival_at(truth: Truth, day: float) -> Floats:
    return survival.survival_at(truth.overall_survival, day)


def _rmst_months(truth: Truth, day: float) -> Floats:
    return survival.rmst(truth.overall_survival, day) / DAYS_PER_MONTH


def _median_months(truth: Truth) -> Floats:
    return survival.median(truth.overall_survival) / DAYS_PER_MONTH


def _relapse_by(truth: Truth, day: float) -> Floats:
    data = truth.data
    return _share((data.relapse != NONE) & (data.relapse - data.remission <= day), data.responder)


def _non_relapse_death_by(truth: Truth, day: float) -> Floats:
    return competing.cumulative_incidence(truth.after_hsct, _NON_RELAPSE_DEATH, day=day)


# --- resources ----------------------------------------------------------------------------------------


def _per_patient(values: NDArray[np.bool_] | Ints) -> Floats:
    return _mean(values, np.ones(values.shape, dtype=np.bool_))


def _infusion_days(truth: Truth) -> Floats:
    return _per_patient(truth.by_trial(truth.history.infusion_days))


def _inpatient_days(truth: Truth) -> Floats:
    return _per_patient(truth.by_trial(days_at_infusion_starts(truth.history, truth.scenario)) + _bed_days(truth))


def days_at_infusion_starts(history: History, scenario: Scenario) -> Ints:
    """Return each patient's days in hospital at the starts of infusions, shape (P,); no stay outlasts its infusion."""
    starts, infusion = scenario.capacity.infusion_starts, scenario.policy.cycles.infusion_days
    begun = history.cycles
    # Whatever ends an infusion early ends the cycles too: all but the last one begun are whole.
    last = history.infusion_days - infusion * np.maximum(begun - 1, 0)
    first_stay = np.where(begun == 1, np.minimum(starts.first_cycle_days, last), days_in_bed(starts, 1, infusion))
    between = days_in_bed(starts, 2, infusion) * np.maximum(begun - 2, 0)
    last_stay = np.where(begun > 1, np.minimum(starts.later_cycle_days, last), 0)
    return np.where(begun > 0, first_stay + between + last_stay, 0).astype(np.int32)


def _bed_days(truth: Truth) -> Ints:
    """Days in a transplant bed, shape (R, n): from the transplant on, and no longer than to death."""
    hsct, death = truth.data.hsct, truth.data.death
    stay = np.int32(truth.scenario.capacity.transplant_beds.stay_days)
    until_death = np.where(death != NONE, death - hsct, stay)
    return np.where(hsct != NONE, np.minimum(stay, until_death), 0).astype(np.int32)


def _transplant_bed_days(truth: Truth) -> Floats:
    return _per_patient(_bed_days(truth))


def _searches(truth: Truth) -> Floats:
    begun = truth.by_trial(truth.history.search_start) != NONE
    return np.asarray(np.count_nonzero(begun, axis=1), dtype=np.float64)


def _waiting_days(truth: Truth, place: Place) -> Floats:
    """Days that the patients of each trial spent waiting for a kind of place; who still waits at the end, to it."""
    if place not in counted_places(truth.scenario.capacity):
        return np.zeros(truth.data.death.shape[0])
    return np.array([_waited_days(stays.of(place)) for stays in truth.stays], dtype=np.float64)


def _waited_days(stays: Stays) -> int:
    ours = stays.chosen(stays.patient != NONE)
    until = np.minimum(np.minimum(ours.given, ours.left), HORIZON)
    return int((until - ours.asked).sum(dtype=np.int64))


def _waiting(key: str, name: str, place: Place, rest: str = "") -> Measure:
    """Return the measure of waiting for a kind of place, which all of a trial's patients do together."""
    meaning = f"Days from the request to the place, or to its withdrawal{rest}; whoever still waits at the end, to it."
    wait = partial(_waiting_days, place=place)
    return Measure(key, name, meaning, "patient-days", -1, wait, per="trial", place=place)


_TRANSPLANTED: Final[Population] = "of those transplanted on study"
MEASURES: Final = (
    Measure(
        "transplanted", "Ever transplanted", "Share with an HSCT on study, or later.",
        "share", 0, _transplanted,
    ),
    Measure(
        "os_12_months", "OS at 12 months", "Share alive 12 months after first infusion.",
        "share", 1, partial(_survival_at, day=ONE_YEAR_DAYS),
    ),
    Measure(
        "os_24_months", "OS at 24 months", "Share alive 24 months after first infusion.",
        "share", 1, partial(_survival_at, day=TWO_YEARS_DAYS),
    ),
    Measure(
        "rmst_24_months", "RMST to 24 months", "Mean time alive within 24 months of first infusion.",
        "months", 1, partial(_rmst_months, day=TWO_YEARS_DAYS),
    ),
    Measure(
        "os_median", "Median OS", "Median time from first infusion to death.",
        "months", 1, _median_months,
    ),
    Measure(
        "realization", "Realization rate", "Share with an on-study HSCT among remissions within two cycles.",
        "share", 1, _realization, "of responders",
    ),
    Measure(
        "relapse_12_months", "Relapse by 12 months from remission",
        "Share with a relapse, detected or not, by 12 months from remission; deaths before it are none.",
        "share", -1, partial(_relapse_by, day=ONE_YEAR_DAYS), "of responders",
    ),
    Measure(
        "days_to_hsct", "Remission to HSCT", "Mean time from remission to an on-study HSCT.",
        "days", 0, _days_to_hsct, _TRANSPLANTED,
    ),
    Measure(
        "nrm_12_months", "Non-relapse death by 12 months from HSCT",
        "Cumulative incidence of death without relapse by 12 months from an on-study HSCT.",
        "share", 0, partial(_non_relapse_death_by, day=ONE_YEAR_DAYS), _TRANSPLANTED,
    ),
    Measure(
        "infusion_days", "Infusion of blinatumomab", "Days of infusion; the mean of all patients.",
        "days", 0, _infusion_days, per="patient", therapy="blinatumomab",
    ),
    Measure(
        "inpatient_days", "In hospital",
        "Days in hospital at the starts of infusions and in a transplant bed; the mean of all patients.",
        "days", 0, _inpatient_days, per="patient", therapy="blinatumomab",
    ),
    Measure(
        "transplant_bed_days", "In a transplant bed", "Days in a transplant bed; the mean of all patients.",
        "days", 0, _transplant_bed_days, per="patient",
    ),
    Measure(
        "searches", "Searches begun", "Donor searches begun, those under way at enrolment included.",
        "searches", 0, _searches, per="trial",
    ),
    _waiting(
        "bed_waiting_days", "Waiting for a transplant bed", Place.TRANSPLANT_BED, ", infusions in between included"
    ),
    _waiting("coordinator_waiting_days", "Waiting for a coordinator", Place.COORDINATOR),
    _waiting("infusion_waiting_days", "Waiting to start an infusion", Place.INFUSION_BED),
)  # fmt: skip
MEASURE: Final = {measure.id: measure for measure in MEASURES}


# --- payoffs ------------------------------------------------------------------------------------------

#: Ids of the measures of costs and effects.
COST, QALYS, NET_BENEFIT = "cost", "qalys", "net_benefit"
_LIFETIME: Final[Population] = "lifetime, all patients"


def _mean_payoff(truth: Truth, of: str) -> Floats:
    values = getattr(truth.payoffs, of).reshape(truth.data.death.shape)
    return np.asarray(values.mean(axis=1), dtype=np.float64)


def _net_benefit(truth: Truth, threshold: float) -> Floats:
    return threshold * _mean_payoff(truth, "qalys") - _mean_payoff(truth, "cost")


def payoff_measures(payoffs: Payoffs) -> tuple[Measure, ...]:
    """Return the measures of costs and effects by some payoffs; each is the mean of all patients of a trial.

    Net benefit is what the QALYs are worth less what they cost: Stinnett and Mullahy, Med Decis Making 1998;18:S68-80.
    """
    currency, threshold = payoffs.currency, payoffs.threshold_per_qaly
    span = f"to {payoffs.horizon_years:g} years or age {payoffs.oldest_age_years}"
    return (
        Measure(
            "life_years", "Life-years", f"Mean years of life {span}; not discounted.",
            "years", 1, partial(_mean_payoff, of="life_years"), _LIFETIME,
        ),
        Measure(
            QALYS, "QALYs",
            f"Mean quality-adjusted life-years {span}, discounted by "
            f"{100 * payoffs.discount_effects_per_year:g} % a year.",
            "QALYs", 1, partial(_mean_payoff, of="qalys"), _LIFETIME,
        ),
        Measure(
            COST, f"Cost, {currency}",
            f"Mean cost {span}, in {currency} of {payoffs.price_year}, discounted by "
            f"{100 * payoffs.discount_costs_per_year:g} % a year.",
            "money", -1, partial(_mean_payoff, of="cost"), _LIFETIME,
        ),
        Measure(
            NET_BENEFIT, f"Net benefit, {currency}",
            f"QALYs at {threshold:,.0f} {currency} each, less cost.",
            "money", 1, partial(_net_benefit, threshold=threshold), _LIFETIME,
        ),
    )  # fmt: skip


def measure_named(name: str, known: Mapping[str, Measure], argument: Argument | None = None) -> Measure:
    """Return a measure by its id; ``argument`` is where it was named.

    Raises
    ------
    BlinasimError
        If there is no such measure.
    """
    if name not in known:
        said = "" if argument else f" {quoted(name)}"
        raise BlinasimError(f"no such measure{said}{nearest(name, known)} (there are {', '.join(known)})", argument)
    return known[name]
