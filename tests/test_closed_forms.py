"""The engine against exact answers: with constant hazards and speeds the pathway is an illness-death model.

Durations are rounded up, so that a hazard is judged in discrete form: a clock of exponential length has not run out
by the end of a day with probability exp(-hazard * time spent). All tolerances are four Monte Carlo standard errors.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from scipy.optimize import brentq

from blinasim.engine import des
from blinasim.luck import Draws, Luck
from blinasim.model.codes import HORIZON, NEVER, NONE, ORDINARY_SPEED, Cause, Depth, Donor, Fitness
from blinasim.model.cohort import Cohort
from blinasim.model.durations import clock_millidays, exponential, whole_days
from blinasim.model.fates import Fates, settle
from blinasim.model.fates.clocks import NON_RELAPSE_CLOCK_DAYS
from blinasim.model.history import COLUMNS, History
from blinasim.model.parameters import Parameters, Structure
from blinasim.model.rules import Plan
from blinasim.study.batch import lives_of, plan_lives
from worlds import Share, in_remission_on_day_28, or_never, parameters, scenario, strayed

#: In many small environments: SimPy is several times slower with all patients in one queue of events.
REPLICATIONS, SIZE = 1000, 100
PATIENTS = REPLICATIONS * SIZE
YEAR = 365.25
LN2 = np.log(2.0)

#: Everybody alike: no frailty, no effect of blasts, age, earlier HSCT, depth or MRD.
ALIKE: dict[str, float] = {
    "baseline.frailty_variance": 0.0,
    "induction.death_ratio_25_to_50": 1.0,
    "induction.death_ratio_below_25": 1.0,
    "response.odds_ratio_25_to_50": 1.0,
    "response.odds_ratio_below_25": 1.0,
    "response.odds_ratio_prior_hsct": 1.0,
    "response.odds_ratio_65_and_over": 1.0,
    "relapse.mrd_negative_speed": 1.0,
    "relapse.crh_speed": 1.0,
    "relapse.prior_hsct_speed": 1.0,
    "remission.death_ratio_65_and_over": 1.0,
}
#: Everybody is in remission on day 28.
ALL_RESPOND: dict[str, float] = ALIKE | {
    "response.probability": 1.0 - 1e-12,
    "response.cycle_1_share": 1.0,
    "induction.death_cycle_1": 0.0,
    "induction.death_cycle_2": 0.0,
    "induction.stop_first_infusion": 0.0,
    "induction.stop_later_infusion": 0.0,
}
NO_HSCT = {"transplant": {"offered": False}}


def walked(policy: dict[str, object], values: Parameters, seed: int) -> History:
    draws = Draws(Luck(seed), range(REPLICATIONS), SIZE)
    return des.walk(lives_of(scenario(policy, size=SIZE), values, draws).lives)


def by(day: int, event: np.ndarray) -> np.ndarray:
    return (event != NONE) & (event <= day)


def states(history: History, day: int) -> dict[str, np.ndarray]:
    """Who is where at the end of a day."""
    dead = by(day, history.death)
    failed = (by(day, history.relapse) | by(day, history.failure)) & ~dead
    remission = by(day, history.remission) & ~failed & ~dead
    return {"dead": dead, "failed": failed, "in remission": remission, "in induction": ~(dead | failed | remission)}


def shares_of(history: History, day: int, probabilities: dict[str, float]) -> list[Share]:
    counted = states(history, day)
    return [
        Share(f"{state} on day {day}", int(counted[state].sum()), history.death.size, float(probability))
        for state, probability in probabilities.items()
    ]


def convolved(arrivals: np.ndarray, stays: np.ndarray) -> np.ndarray:
    """Who is still there at the end of each day, of those who arrived on a day and stay for some days."""
    return np.convolve(arrivals, stays)[: arrivals.size]


def falls(curve: np.ndarray) -> np.ndarray:
    """What is lost on each day; nothing on day 0."""
    return np.concatenate(([0.0], -np.diff(curve)))


def log_logistic_survival(days: np.ndarray, median: float, shape: float) -> np.ndarray:
    return 1.0 / (1.0 + (days / median) ** shape)


# --- remission, relapse, death -----------------------------------------------------------------------


class IllnessDeath:
    """Remission on day 28, relapse at a speed that infusions halve, constant hazard of death, then failure."""

    relapse_hazard, death_hazard = LN2 / 15.0, 8.0 / YEAR
    failure_median, failure_shape, failure_speed = 60.0, 1.3, 0.7
    infusion_speed = 0.5
    days = np.arange(801)

    def __init__(self) -> None:
        since = np.maximum(self.days - 28, 0)
        # Time spent of the relapse clock before each day: infusions of the cycles 2 to 5 run at half speed.
        infused = (self.days >= 28) & (self.days < 196) & (self.days % 42 < 28)
        speed = np.where(self.days < 28, 0.0, np.where(infused, self.infusion_speed, 1.0))
        spent = np.concatenate(([0.0], np.cumsum(speed)[:-1]))
        no_relapse, no_death = np.exp(-self.relapse_hazard * spent), np.exp(-self.death_hazard * since)
        self.in_remission = no_relapse * no_death
        self.relapses = falls(no_relapse) * no_death  # on one day death comes first
        self.deaths_in_remission = falls(no_death) * np.concatenate(([1.0], no_relapse[:-1]))
        stays = log_logistic_survival(self.failure_speed * self.days, self.failure_median, self.failure_shape)
        self.failed = convolved(self.relapses, stays)

    @property
    def parameters(self) -> Parameters:
        return parameters(
            ALL_RESPOND
            | {
                "relapse.shape": 1.0,
                "relapse.median_days": LN2 / self.relapse_hazard,
                "relapse.infusion_speed": self.infusion_speed,
                "remission.death_per_year": self.death_hazard * YEAR,
                "remission.death_late_ratio": 1.0,
                "remission.death_infection_share": 0.7,
                "remission.switch_per_year": 0.0,
                "failure.median_days": self.failure_median,
                "failure.shape": self.failure_shape,
                "failure.relapse_speed": self.failure_speed,
            }
        )


@pytest.fixture(scope="module")
def illness_death() -> tuple[IllnessDeath, History]:
    exact = IllnessDeath()
    return exact, walked(NO_HSCT, exact.parameters, seed=31)


def test_the_exact_states_of_the_illness_death_model_add_up() -> None:
    exact = IllnessDeath()
    left = exact.in_remission + np.cumsum(exact.relapses) + np.cumsum(exact.deaths_in_remission)

    assert np.allclose(left[28:], 1.0)


def test_states_after_remission_are_those_of_the_illness_death_model(
    illness_death: tuple[IllnessDeath, History],
) -> None:
    exact, history = illness_death

    assert np.all(history.remission == 28)
    shares = []
    for day in (29, 30, 41, 42, 43, 50, 69, 70, 71, 77, 84, 85, 100, 112, 130, 196, 250, 400, 800):
        in_remission, failed = exact.in_remission[day], exact.failed[day]
        shares += shares_of(
            history, day, {"in remission": in_remission, "failed": failed, "dead": 1 - in_remission - failed}
        )
    assert not strayed(shares)


def test_an_infusion_halves_the_daily_hazard_of_relapse(illness_death: tuple[IllnessDeath, History]) -> None:
    exact, history = illness_death
    full, half = (1 - np.exp(-exact.relapse_hazard * speed) for speed in (1.0, 0.5))
    survives = np.exp(-exact.death_hazard)

    shares = []
    for first, last, hazard in ((29, 42, full), (43, 70, half), (71, 84, full), (85, 112, half)):
        # A relapse falls on the day after the last that the clock was spent on: the windows are half-open.
        at_risk = sum(int(states(history, day - 1)["in remission"].sum()) for day in range(first, last + 1))
        relapses = int(np.sum((history.relapse >= first) & (history.relapse <= last)))
        shares.append(Share(f"relapses of days {first} to {last}", relapses, at_risk, survives * hazard))
    assert not strayed(shares)


def test_on_one_day_death_comes_before_relapse(illness_death: tuple[IllnessDeath, History]) -> None:
    exact, history = illness_death
    died = (history.relapse == NONE) & (history.death != NONE)
    infection = history.cause[died] == Cause.INFECTION

    assert exact.in_remission[-1] < 1e-6
    assert not strayed(
        [
            Share("relapses", int((history.relapse != NONE).sum()), PATIENTS, exact.relapses.sum()),
            Share("deaths in remission", int(died.sum()), PATIENTS, exact.deaths_in_remission.sum()),
            Share("of these of infection", int(infection.sum()), int(died.sum()), 0.7),
        ]
    )


def test_survival_after_relapse_is_log_logistic_at_its_speed(
    illness_death: tuple[IllnessDeath, History],
) -> None:
    exact, history = illness_death
    relapsed = history.relapse != NONE
    survived = (or_never(history.death) - history.relapse)[relapsed]

    days = np.array([1, 2, 10, 40, 86, 200, 1000, 10_000])
    expected = log_logistic_survival(exact.failure_speed * days, exact.failure_median, exact.failure_shape)
    assert not strayed(
        [
            Share(f"alive {day} days after relapse", int((survived > day).sum()), survived.size, probability)
            for day, probability in zip(days.tolist(), expected, strict=True)
        ]
    )
    assert set(history.cause[relapsed & (history.death != NONE)].tolist()) == {Cause.PROGRESSION}


def test_a_switch_changes_the_speed_from_its_day_on() -> None:
    relapse_hazard, switch_hazard, faster = LN2 / 60.0, 5.0 / YEAR, 3.0
    values = parameters(
        ALL_RESPOND
        | {
            "relapse.shape": 1.0,
            "relapse.median_days": LN2 / relapse_hazard,
            "relapse.infusion_speed": 0.5,
            "relapse.other_therapy_speed": faster,
            "remission.death_per_year": 0.0,
            "remission.switch_per_year": switch_hazard * YEAR,
        }
    )
    history = walked(NO_HSCT, values, seed=32)

    days = np.arange(401)
    infused = (days < 196) & (days % 42 < 28)
    speed = np.where(days < 28, 0.0, np.where(infused, 0.5, 1.0))
    spent = np.concatenate(([0.0], np.cumsum(speed)[:-1]))
    no_switch = np.exp(-switch_hazard * np.maximum(days - 28, 0))
    unswitched = no_switch * np.exp(-relapse_hazard * spent)
    # Switched on a day, before any relapse up to that day, and since then without one.
    switched = convolved(falls(no_switch) * np.exp(-relapse_hazard * spent), np.exp(-relapse_hazard * faster * days))
    shares = []
    for day in (29, 42, 43, 60, 70, 84, 100, 150, 200, 400):
        well, switch = ~by(day, history.relapse), by(day, history.switch)
        shares += [
            Share(f"no switch, no relapse by day {day}", int((well & ~switch).sum()), PATIENTS, unswitched[day]),
            Share(f"switch and no relapse by day {day}", int((well & switch).sum()), PATIENTS, switched[day]),
        ]
    assert not strayed(shares)


# --- induction ---------------------------------------------------------------------------------------


class Induction:
    """The first two cycles: death, progression, stop and the two assessments, in the order of the day."""

    deaths, progressions, stops = (0.15, 0.20), (0.40, 0.55), (0.12, 0.06)
    responders, in_cycle_1 = 0.5, 0.7
    failure_median, failure_shape = 80.0, 1.25
    days = np.arange(401)

    def __init__(self) -> None:
        first, second = np.minimum(self.days, 42) / 42, np.maximum(self.days - 42, 0) / 42
        infused = np.minimum(self.days, 28) / 28, np.clip(self.days - 42, 0, 28) / 28
        self.no_death = (1 - self.deaths[0]) ** first * (1 - self.deaths[1]) ** second
        self.no_progression = (1 - self.progressions[0]) ** first * (1 - self.progressions[1]) ** second
        self.no_stop = (1 - self.stops[0]) ** infused[0] * (1 - self.stops[1]) ** infused[1]
        shares = {
            1: self.responders * self.in_cycle_1,
            2: self.responders * (1 - self.in_cycle_1),
            0: 1 - self.responders,
        }
        self.early_deaths = np.zeros(self.days.size)
        self.failures = np.zeros(self.days.size)
        self.remissions = {28: 0.0, 70: 0.0}
        for cycle, share in shares.items():
            last = {1: 28, 2: 70, 0: 70}[cycle]
            here = (self.days <= last).astype(float)
            quiet = self.no_progression if cycle == 0 else np.ones(self.days.size)
            left = quiet * self.no_stop
            before = np.concatenate(([1.0], left[:-1]))
            self.early_deaths += share * here * falls(self.no_death) * before
            self.failures += share * here * self.no_death * falls(left)
            unresolved = share * self.no_death[last] * left[last]
            if cycle == 0:
                self.failures[70] += unresolved
            else:
                self.remissions[last] += unresolved

    @property
    def parameters(self) -> Parameters:
        return parameters(
            ALIKE
            | {
                "response.probability": self.responders,
                "response.cycle_1_share": self.in_cycle_1,
                "induction.death_cycle_1": self.deaths[0],
                "induction.death_cycle_2": self.deaths[1],
                "induction.death_infection_share": 0.4,
                "induction.death_adverse_event_share": 0.1,
                "induction.progression_cycle_1": self.progressions[0],
                "induction.progression_cycle_2": self.progressions[1],
                "induction.stop_first_infusion": self.stops[0],
                "induction.stop_later_infusion": self.stops[1],
                "failure.median_days": self.failure_median,
                "failure.shape": self.failure_shape,
            }
        )


@pytest.fixture(scope="module")
def induction() -> tuple[Induction, History]:
    exact = Induction()
    return exact, walked(NO_HSCT, exact.parameters, seed=33)


def test_the_exact_ways_out_of_induction_add_up() -> None:
    exact = Induction()

    assert sum(exact.remissions.values()) + exact.failures.sum() + exact.early_deaths.sum() == pytest.approx(1.0)


def test_remission_needs_survival_and_the_whole_infusion(induction: tuple[Induction, History]) -> None:
    exact, history = induction
    by_hand = {
        28: 0.5 * 0.7 * 0.85 ** (28 / 42) * 0.88,
        70: 0.5 * 0.3 * 0.85 * 0.80 ** (28 / 42) * 0.88 * 0.94,
    }

    assert exact.remissions == pytest.approx(by_hand)
    assert not strayed(
        [
            Share(f"remission on day {day}", int((history.remission == day).sum()), PATIENTS, probability)
            for day, probability in by_hand.items()
        ]
    )


def test_induction_ends_as_its_hazards_say(induction: tuple[Induction, History]) -> None:
    exact, history = induction
    died = (history.failure == NONE) & (history.remission == NONE)

    shares = []
    for day in (1, 2, 14, 27, 28, 29, 41, 42, 43, 56, 69, 70, 71):
        failed = by(day, history.failure)
        dead = died & by(day, history.death)
        shares += [
            Share(f"failed by day {day}", int(failed.sum()), PATIENTS, exact.failures[: day + 1].sum()),
            Share(f"died before by day {day}", int(dead.sum()), PATIENTS, exact.early_deaths[: day + 1].sum()),
        ]
    assert not strayed(shares)
    assert not np.any(died & ~by(70, history.death))


def test_deaths_of_induction_have_their_causes(induction: tuple[Induction, History]) -> None:
    _, history = induction
    cause = history.cause[(history.failure == NONE) & (history.remission == NONE)]

    assert not strayed(
        [
            Share(which.name, int((cause == which).sum()), cause.size, probability)
            for which, probability in (
                (Cause.INFECTION, 0.4),
                (Cause.ADVERSE_EVENT, 0.1),
                (Cause.PROGRESSION, 0.5),
                (Cause.GVHD, 0.0),
            )
        ]
    )


def test_failure_has_a_log_logistic_tail(induction: tuple[Induction, History]) -> None:
    exact, history = induction
    failed = history.failure != NONE
    survived = (or_never(history.death) - history.failure)[failed]

    days = np.array([1, 5, 20, 80, 81, 300, 1500, 20_000])
    expected = log_logistic_survival(days, exact.failure_median, exact.failure_shape)
    assert expected[3] == 0.5
    assert not strayed(
        [
            Share(f"alive {day} days after failure", int((survived > day).sum()), survived.size, probability)
            for day, probability in zip(days.tolist(), expected, strict=True)
        ]
    )


def test_failed_patients_on_each_day_are_those_of_the_convolution(induction: tuple[Induction, History]) -> None:
    exact, history = induction
    failed = convolved(exact.failures, log_logistic_survival(exact.days, exact.failure_median, exact.failure_shape))

    shares = []
    for day in (10, 40, 70, 100, 200, 400):
        still = by(day, history.failure) & ~by(day, history.death)
        shares.append(Share(f"failed and alive on day {day}", int(still.sum()), PATIENTS, failed[day]))
    assert not strayed(shares)


# --- after a transplant ------------------------------------------------------------------------------


class AfterTransplant:
    """The reference patient, transplanted on day 29 from an unrelated donor; nobody dies of relapse."""

    relapse_hazard, graft_speed, late_speed, plateau = LN2 / 150.0, 0.3, 0.2, 400
    late_until, tail_ratio = 500, 0.1
    by_day_100: ClassVar = {Cause.INFECTION: 0.10, Cause.GVHD: 0.06, Cause.OTHER: 0.02}
    late_per_year: ClassVar = {Cause.INFECTION: 0.30, Cause.GVHD: 0.20, Cause.OTHER: 0.05}
    days = np.arange(3001)  # since the transplant

    def __init__(self) -> None:
        early, late, tail = (
            np.minimum(self.days, 100) / 100,
            np.clip(self.days - 100, 0, self.late_until - 100) / YEAR,
            np.maximum(self.days - self.late_until, 0) / YEAR,
        )
        self.alive = np.ones(self.days.size)
        for cause, probability in self.by_day_100.items():
            exposure = self.late_per_year[cause] * (late + self.tail_ratio * tail)
            self.alive *= (1 - probability) ** early * np.exp(-exposure)
        # One day at rest between remission and transplant, then the graft, then the plateau.
        spent = (
            1.0
            + self.graft_speed * np.minimum(self.days, self.plateau)
            + self.graft_speed * self.late_speed * np.maximum(self.days - self.plateau, 0)
        )
        self.no_relapse = np.exp(-self.relapse_hazard * spent)

    @property
    def parameters(self) -> Parameters:
        return parameters(
            ALL_RESPOND
            | {f"non_relapse.{cause.name.lower()}_day_100": p for cause, p in self.by_day_100.items()}
            | {f"non_relapse.{cause.name.lower()}_late_per_year": r for cause, r in self.late_per_year.items()}
            | {
                "non_relapse.late_until_days": self.late_until,
                "non_relapse.tail_ratio": self.tail_ratio,
                "relapse.shape": 1.0,
                "relapse.median_days": LN2 / self.relapse_hazard,
                "relapse.graft_speed": self.graft_speed,
                "relapse.graft_late_speed": self.late_speed,
                "relapse.plateau_days": self.plateau,
                "remission.death_per_year": 0.0,
                "remission.switch_per_year": 0.0,
                "candidacy.declines_cr": 0.0,
                "candidacy.declines_crh": 0.0,
                "donor_search.unrelated_exists_well_matched": 1.0,
                "donor_search.unrelated_exists_poorly_matched": 1.0,
                "donor_search.unrelated_median_days": 1e-6,
                "donor_search.under_way_share": 0.0,
                "failure.median_days": 1e12,
            }
        )


def reference_patients(cohort: Cohort) -> Cohort:
    """40 years old, fit, never transplanted."""
    return replace(
        cohort,
        age_years=np.full_like(cohort.age_years, 40),
        fitness=np.full_like(cohort.fitness, Fitness.GOOD),
        prior_hsct=np.zeros_like(cohort.prior_hsct),
    )


@pytest.fixture(scope="module")
def after_transplant() -> tuple[AfterTransplant, History]:
    exact = AfterTransplant()
    at_once = {"donor_search": {"accept_from_day": {"unrelated": 0}}, "transplant": {"preparation_days": 0}}
    of = scenario(at_once, size=SIZE)
    values, draws = exact.parameters, Draws(Luck(34), range(REPLICATIONS), SIZE)
    cohort = reference_patients(lives_of(of, values, draws).cohort)
    history = des.walk(plan_lives(of.policy, cohort, settle(cohort, values, draws), values))
    grafted = history.hsct == 29
    # But for a relapse on day 29 itself, everybody is transplanted on that day.
    assert np.all(grafted | (history.relapse == 29))
    assert np.all(history.donor[grafted] == Donor.UNRELATED)
    return exact, History(*(getattr(history, name)[grafted] for name in COLUMNS))


def test_non_relapse_mortality_of_the_reference_patient_is_the_parameter(
    after_transplant: tuple[AfterTransplant, History],
) -> None:
    exact, history = after_transplant
    n, survived = history.death.size, or_never(history.death) - history.hsct

    days = (1, 2, 30, 99, 100, 101, 200, 365, 500, 501, 1000, 3000)
    shares = [Share(f"alive {day} days after", int((survived > day).sum()), n, exact.alive[day]) for day in days]
    assert 1 - exact.alive[100] == pytest.approx(1 - 0.90 * 0.94 * 0.98)
    # Of causes with constant hazards each has its share of the deaths.
    hazards = {cause: -np.log1p(-probability) for cause, probability in exact.by_day_100.items()}
    for cause, hazard in hazards.items():
        dead = (survived <= 100) & (history.cause == cause)
        probability = hazard / sum(hazards.values()) * (1 - exact.alive[100])
        shares.append(Share(f"dead of {cause.name} by day 100", int(dead.sum()), n, probability))
    assert not strayed(shares)


def test_the_graft_slows_the_relapse_clock_and_the_plateau_again(
    after_transplant: tuple[AfterTransplant, History],
) -> None:
    exact, history = after_transplant
    n, hsct = history.death.size, history.hsct
    no_relapse = exact.no_relapse / exact.no_relapse[0]  # of those transplanted
    relapses = np.cumsum(falls(no_relapse) * exact.alive)

    shares = []
    for day in (1, 10, 100, 399, 400, 401, 402, 410, 700, 2000):
        dead, relapsed = by(day + 29, history.death), by(day + 29, history.relapse)
        free = int((~dead & ~relapsed).sum())
        shares += [
            Share(f"relapsed by day {day}", int(relapsed.sum()), n, relapses[day]),
            Share(f"alive without relapse on day {day}", free, n, exact.alive[day] * no_relapse[day]),
        ]
    assert np.all(or_never(history.relapse) > hsct)
    assert not strayed(shares)


# --- answers of others -------------------------------------------------------------------------------


def illness_death_by_hand(rates: dict[str, float], days_per_unit: float, seed: int) -> History:
    """An illness-death model with clocks of exponential length, from remission on day 28."""

    def clock(name: str) -> np.ndarray:
        uniform = Luck(seed).uniform(f"{name} of simIDM", range(1), PATIENTS).ravel()
        return exponential(uniform) * days_per_unit / rates[name]

    lives = in_remission_on_day_28(
        PATIENTS,
        relapse_clock_millidays=clock_millidays(clock("h01")),
        remission_death_days=whole_days(clock("h02")),
        failure_clock_millidays=clock_millidays(clock("h12")),
    )
    return des.walk(replace(lives, replications=REPLICATIONS, patients=SIZE))


@pytest.mark.parametrize(("days_per_year", "seed"), [(YEAR, 35), pytest.param(3650.0, 36, marks=pytest.mark.slow)])
def test_overall_survival_at_one_year_is_that_of_simidm(days_per_year: float, seed: int) -> None:
    rates = {"h01": 0.7, "h02": 0.5, "h12": 0.8}
    day = int(days_per_year)
    alive = ~by(28 + day, illness_death_by_hand(rates, days_per_year, seed).death)

    # In whole days, exactly.
    days = np.arange(day + 1)
    no_relapse, no_death = np.exp(-0.7 * days / days_per_year), np.exp(-0.5 * days / days_per_year)
    failed = convolved(falls(no_relapse) * no_death, np.exp(-0.8 * days / days_per_year))[day]
    discrete = no_relapse[day] * no_death[day] + failed
    assert not strayed([Share("alive after a year", int(alive.sum()), PATIENTS, discrete)])
    # In continuous time, but for half a day at each of two stages.
    error = 4 * np.sqrt(0.56043 * 0.43957 / PATIENTS)
    assert abs(alive.mean() - 0.56043) < error + 0.5 * (1.2 + 0.8) / days_per_year


@pytest.mark.slow
def test_the_three_state_trial_of_trialsimulator() -> None:
    days_per_month = 300.0
    history = illness_death_by_hand({"h01": 0.11, "h02": 0.03, "h12": 0.10}, days_per_month, seed=37)
    progression_free = np.minimum(or_never(history.relapse), or_never(history.death)) - 28
    overall = or_never(history.death) - 28

    for months, median in ((progression_free, 4.951), (overall, 12.057)):
        share = Share(f"beyond {median} months", int((months / days_per_month > median).sum()), PATIENTS, 0.5)
        assert not strayed([share])
    # The horizon cuts off 1 in 10,000 lives at 121 months.
    mean = np.minimum(overall, HORIZON) / days_per_month
    assert abs(mean.mean() - 15.0) < 4 * mean.std() / np.sqrt(PATIENTS) + 0.003


# --- fates -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cohort_and_fates() -> tuple[Cohort, Fates, Parameters]:
    values = parameters(
        {
            "baseline.frailty_variance": 0.4,
            "response.probability": 0.4,
            "response.odds_ratio_below_25": 4.0,
            "response.odds_ratio_25_to_50": 3.0,
            "response.odds_ratio_prior_hsct": 1.5,
            "response.odds_ratio_65_and_over": 0.5,
            "response.cycle_1_share": 0.8,
            "response.crh_share": 0.3,
            "response.crh_deepens": 0.25,
            "response.mrd_negative_cr": 0.9,
            "response.mrd_negative_crh": 0.6,
            "response.mrd_unknown": 0.1,
            "relapse.median_days": 70.0,
            "relapse.shape": 0.9,
            "remission.death_per_year": 1.0,
            "remission.death_late_ratio": 0.25,
            "remission.death_ratio_65_and_over": 2.0,
            "remission.later_transplant": 0.6,
            "remission.later_transplant_median_days": 40.0,
        }
    )
    of = scenario(size=400_000)
    drawn = lives_of(of, values, Draws(Luck(38), range(1), of.cohort.size))
    return drawn.cohort, drawn.lives.fates, values


def test_response_follows_the_odds_ratios(cohort_and_fates: tuple[Cohort, Fates, Parameters]) -> None:
    cohort, fates, _ = cohort_and_fates
    bands = {4.0: cohort.blasts_pct < 25, 3.0: (cohort.blasts_pct >= 25) & (cohort.blasts_pct < 50)}
    bands[1.0] = cohort.blasts_pct >= 50

    shares = []
    for ratio, band in bands.items():
        for prior in (False, True):
            for older in (False, True):
                group = band & (cohort.prior_hsct == prior) & (cohort.older == older)
                odds = 0.4 / 0.6 * ratio * (1.5 if prior else 1.0) * (0.5 if older else 1.0)
                cycle = fates.response_cycle[group]
                what = f"blasts {ratio}, prior HSCT {prior}, older {older}"
                shares += [
                    Share(f"{what}: response", int((cycle > 0).sum()), cycle.size, odds / (1 + odds)),
                    Share(f"{what}: cycle 1", int((cycle == 1).sum()), cycle.size, 0.8 * odds / (1 + odds)),
                ]
    assert not strayed(shares)


def test_depth_and_mrd_have_their_shares(cohort_and_fates: tuple[Cohort, Fates, Parameters]) -> None:
    _, fates, _ = cohort_and_fates
    n, crh = fates.depth.size, fates.depth == Depth.CRH

    assert not np.any(fates.deepens & ~crh)
    assert not strayed(
        [
            Share("CRh*", int(crh.sum()), n, 0.3),
            Share("deepens", int(fates.deepens.sum()), n, 0.3 * 0.25),
            Share("unknown MRD", int((fates.mrd == 2).sum()), n, 0.1),
            Share("negative in CR", int((fates.mrd[~crh] == 0).sum()), int((~crh).sum()), 0.9 * 0.9),
            Share("negative in CRh*", int((fates.mrd[crh] == 0).sum()), int(crh.sum()), 0.9 * 0.6),
        ]
    )


def test_frailty_is_shared_by_relapse_and_death(cohort_and_fates: tuple[Cohort, Fates, Parameters]) -> None:
    """Given frailty the two are independent; its log-normal distribution is integrated by Gauss and Hermite."""
    cohort, fates, _ = cohort_and_fates
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    log_variance = np.log1p(0.4)
    frailty = np.exp(np.sqrt(log_variance) * nodes - log_variance / 2)
    weights = weights / weights.sum()

    shares = []
    for older, ratio in ((False, 1.0), (True, 2.0)):
        group = cohort.older == older
        relapse, death = fates.relapse_clock_millidays[group], fates.remission_death_days[group]
        for clock, day in ((20, 0), (70, 0), (300, 0), (0, 100), (0, 365), (0, 366), (0, 1500), (70, 200), (200, 600)):
            first_year, later = min(day, YEAR) / YEAR, max(day - YEAR, 0) / YEAR
            hazards = LN2 * (clock / 70.0) ** 0.9 + ratio * (first_year + 0.25 * later)
            both = int(((relapse > clock * 1000) & (death > day)).sum())
            probability = float(np.sum(weights * np.exp(-frailty * hazards)))
            shares.append(Share(f"clock over {clock}, death after {day}", both, relapse.size, probability))
    assert not strayed(shares)


def test_searches_and_delays_are_log_logistic_where_there_are_any(
    cohort_and_fates: tuple[Cohort, Fates, Parameters],
) -> None:
    cohort, fates, values = cohort_and_fates
    search, well = values.donor_search, cohort.well_matched
    everybody = np.ones_like(well)
    kinds = [
        (Donor.SIBLING, everybody, search.sibling_exists, search.sibling_median_days),
        (Donor.UNRELATED, well, search.unrelated_exists_well_matched, search.unrelated_median_days),
        (Donor.UNRELATED, ~well, search.unrelated_exists_poorly_matched, search.unrelated_median_days),
        (Donor.HAPLOIDENTICAL, everybody, search.haploidentical_exists, search.haploidentical_median_days),
        (Donor.CORD, everybody, search.cord_exists, search.cord_median_days),
    ]
    durations = [
        (donor.name, fates.donor_search_days[who, donor], exists, median, search.search_shape)
        for donor, who, exists, median in kinds
    ]
    durations.append(("later transplant", fates.later_transplant_days, 0.6, 40.0, 3.0))
    head_start = or_never(fates.head_start_days)
    durations.append(
        ("head start", head_start, search.under_way_share, search.head_start_median_days, search.search_shape)
    )

    shares = []
    for what, days, exists, median, shape in durations:
        shares.append(Share(f"{what} at all", int((days < NEVER).sum()), days.size, exists))
        for day in (int(0.6 * median), int(median), int(1.5 * median)):
            probability = exists * (1 - log_logistic_survival(np.array(day), median, shape))
            shares.append(Share(f"{what} by day {day}", int((days <= day).sum()), days.size, float(probability)))
    assert not strayed(shares)


def test_the_other_structures_have_their_distributions() -> None:
    """Without frailty: a log-logistic relapse clock, and a mixture of exponentials after failure, median and tail."""
    changes = {
        "baseline.frailty_variance": 0.0,
        "relapse.median_days": 80.0,
        "relapse.shape": 1.4,
        "failure.median_days": 90.0,
        "failure.long_share": 0.3,
        "failure.long_speed": 0.2,
    }
    values = replace(parameters(changes), structure=Structure(relapse="log_logistic", failure="exponential_mixture"))
    of = scenario(size=200_000)
    fates = lives_of(of, values, Draws(Luck(39), range(1), of.cohort.size)).lives.fates
    days = np.array([10.0, 80.0, 400.0])
    relapse = [
        Share(
            f"relapse by {d}",
            int((fates.relapse_clock_millidays <= 1000 * d).sum()),
            of.cohort.size,
            float(1 - log_logistic_survival(np.array(d), 80.0, 1.4)),
        )
        for d in days
    ]
    rate = brentq(lambda x: 0.7 * np.exp(-90 * x) + 0.3 * np.exp(-90 * 0.2 * x) - 0.5, 1e-6, 1.0)
    failure = [
        Share(
            f"death by {d}",
            int((fates.failure_clock_millidays <= 1000 * d).sum()),
            of.cohort.size,
            float(1 - 0.7 * np.exp(-rate * d) - 0.3 * np.exp(-0.2 * rate * d)),
        )
        for d in (10, 90, 900)
    ]
    assert not strayed(relapse + failure)


def test_the_plan_of_the_reference_patient_brings_the_ordinary_speed() -> None:
    of, values = scenario(size=20), parameters()
    draws = Draws(Luck(1), range(1), 20)
    cohort = reference_patients(lives_of(of, values, draws).cohort)
    lives = plan_lives(of.policy, cohort, settle(cohort, values, draws), values)

    assert isinstance(lives.plan, Plan)
    # The hazards of the reference patient, nothing else.
    risks = values.non_relapse
    early = -sum(np.log1p(-p) for p in (risks.infection_day_100, risks.gvhd_day_100, risks.other_day_100)) / 100
    speed = round(early * NON_RELAPSE_CLOCK_DAYS * ORDINARY_SPEED)
    may_be_transplanted = lives.plan.candidate & (lives.fates.response_cycle > 0)
    assert may_be_transplanted.any()
    assert np.all(lives.graft.non_relapse_speed[may_be_transplanted, Donor.UNRELATED] == speed)
    assert not lives.graft.non_relapse_speed[~may_be_transplanted].any()
