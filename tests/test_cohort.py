"""The cohort: margins within Monte Carlo error, jointly plausible patients, and the days on which they enter."""

from dataclasses import dataclass

import numpy as np
import pytest

from blinasim.luck import Draws, Luck
from blinasim.model.codes import Eligibility, Fitness
from blinasim.model.cohort import BLAST_BANDS_PCT, Cohort, draw_cohort, under_parameters, with_margins
from blinasim.model.parameters import Parameters
from blinasim.scenario.settings import Scenario
from worlds import Share, arrays_of, differing, parameters, scenario, strayed

MANY = range(600)
PATIENTS = len(MANY) * 189


def drawn(of: Scenario, values: Parameters | None = None, block: range = MANY) -> Cohort:
    draws = Draws(Luck(21), block, of.cohort.size)
    return draw_cohort(of.cohort, of.trial.accrual, values or parameters(), draws)


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return drawn(scenario())


def share(what: str, who: np.ndarray, probability: float) -> Share:
    return Share(what, int(who.sum()), who.size, probability)


# --- margins -----------------------------------------------------------------------------------------


def test_margins_are_those_of_the_source_study(cohort: Cohort) -> None:
    age, blasts, lines = cohort.age_years, cohort.blasts_pct, cohort.salvage_lines

    assert cohort.age_years.size == PATIENTS
    assert not strayed(
        [
            share("65 years or more", age >= 65, 0.13),
            share("prior HSCT", cohort.prior_hsct, 0.339),
            share("first salvage", lines == 0, 0.20),
            share("two or more salvage lines", lines >= 2, 0.392),
            share("blasts below 25 %", blasts < 25, 0.16),
            share("blasts 25 to 50 %", (blasts >= 25) & (blasts < 50), 0.14),
            share("blasts 50 to 75 %", (blasts >= 50) & (blasts < 75), 0.144),
            share("blasts 75 % or more", blasts >= 75, 0.556),
            share("well matched", cohort.well_matched, 0.8),
            share("one of 37 sites", cohort.site == 5, 1 / 37),
        ]
    )


def test_attributes_stay_within_their_ranges(cohort: Cohort) -> None:
    assert (cohort.age_years.min(), cohort.age_years.max()) == (18, 79)
    assert np.median(cohort.age_years) == 39
    assert cohort.blasts_pct.min() >= BLAST_BANDS_PCT[0]
    assert cohort.blasts_pct.max() <= BLAST_BANDS_PCT[-1]
    assert set(cohort.salvage_lines.tolist()) == {0, 1, 2, 3}
    assert set(cohort.site.tolist()) == set(range(37))
    assert set(cohort.fitness.tolist()) == set(Fitness)


def test_another_scenario_has_its_own_margins() -> None:
    words = {
        "age": {"min_years": 20, "median_years": 50, "share_65_and_over": 0.3, "max_years": 70},
        "prior_hsct_share": 0.25,
        "prior_hsct_share_65_and_over": 0.10,
        "no_prior_salvage_share": 0.5,
        "two_or_more_salvage_share": 0.1,
        "blasts": {
            "below_25_pct": 0.4,
            "from_25_to_50_pct": 0.3,
            "from_50_to_75_pct": 0.2,
            "from_75_pct": 0.1,
        },
    }
    cohort = drawn(scenario(cohort=words))
    older, blasts = cohort.age_years >= 65, cohort.blasts_pct

    assert (cohort.age_years.min(), cohort.age_years.max()) == (20, 70)
    assert np.median(cohort.age_years) == 50
    assert not strayed(
        [
            share("65 years or more", older, 0.3),
            share("prior HSCT", cohort.prior_hsct, 0.25),
            share("prior HSCT, 65 or more", cohort.prior_hsct[older], 0.10),
            share("first salvage", cohort.salvage_lines == 0, 0.5),
            share("two or more salvage lines", cohort.salvage_lines >= 2, 0.1),
            share("blasts below 25 %", blasts < 25, 0.4),
            share("blasts below 50 %", blasts < 50, 0.7),
            share("blasts 75 % or more", blasts >= 75, 0.1),
        ]
    )


# --- together --------------------------------------------------------------------------------------


def test_prior_hsct_is_rarer_among_older_patients(cohort: Cohort) -> None:
    older = cohort.age_years >= 65

    assert np.array_equal(cohort.older, older)
    assert not strayed(
        [
            share("prior HSCT, 65 or more", cohort.prior_hsct[older], 0.20),
            share("prior HSCT, below 65", cohort.prior_hsct[~older], (0.339 - 0.13 * 0.20) / 0.87),
        ]
    )


def test_every_patient_meets_the_factor_that_made_him_eligible(cohort: Cohort) -> None:
    salvaged, prior = cohort.salvage_lines >= 1, cohort.prior_hsct
    meets = {
        Eligibility.SECOND_OR_LATER_SALVAGE: salvaged,
        Eligibility.RELAPSE_AFTER_HSCT: prior,
        Eligibility.PRIMARY_REFRACTORY: ~prior & ~salvaged,
        Eligibility.EARLY_FIRST_RELAPSE: ~prior & ~salvaged,
    }

    assert set(cohort.eligibility.tolist()) == set(Eligibility)
    for factor, met in meets.items():
        assert np.all(met[cohort.eligibility == factor]), factor


def test_a_patient_in_first_salvage_relapsed_after_hsct_just_if_there_was_one(cohort: Cohort) -> None:
    first_salvage = cohort.salvage_lines == 0
    relapsed = cohort.eligibility == Eligibility.RELAPSE_AFTER_HSCT

    assert np.array_equal(relapsed[first_salvage], cohort.prior_hsct[first_salvage])


def test_age_multiplies_the_odds_of_worse_fitness() -> None:
    values = parameters(
        {
            "baseline.poor_fitness": 0.2,
            "baseline.fair_fitness": 0.3,
            "baseline.worse_fitness_odds_per_decade": 1.5,
        }
    )
    cohort = drawn(scenario(), values)

    shares = []
    for age in (20, 30, 40, 50, 60, 70):
        of_that_age = cohort.fitness[cohort.age_years == age]
        for worst, probability in ((Fitness.POOR, 0.2), (Fitness.FAIR, 0.5)):
            odds = probability / (1 - probability) * 1.5 ** ((age - 40) / 10)
            shares.append(share(f"{worst.name} or worse at {age}", of_that_age >= worst, odds / (1 + odds)))
    assert not strayed(shares)


def test_attributes_drawn_apart_are_independent(cohort: Cohort) -> None:
    blasts_75, lines = cohort.blasts_pct >= 75, cohort.salvage_lines >= 2

    assert not strayed(
        [
            share("blasts 75 % and prior HSCT", blasts_75 & cohort.prior_hsct, 0.556 * 0.339),
            share("blasts 75 % and two or more lines", blasts_75 & lines, 0.556 * 0.392),
            share("older and well matched", cohort.older & cohort.well_matched, 0.13 * 0.8),
        ]
    )


# --- frailty -----------------------------------------------------------------------------------------


def test_frailty_has_mean_1_and_the_variance_given() -> None:
    cohort = drawn(scenario(), parameters({"baseline.frailty_variance": 0.3}))
    n = cohort.frailty.size

    assert cohort.frailty.min() > 0
    assert abs(cohort.frailty.mean() - 1) < 4 * np.sqrt(0.3 / n)
    # The log-normal is log-normal: its logarithm has variance ln(1 + variance) and mean minus half of that.
    log_variance = np.log(1.3)
    logs = np.log(cohort.frailty)
    assert abs(logs.mean() + log_variance / 2) < 4 * np.sqrt(log_variance / n)
    assert abs(logs.var() / log_variance - 1) < 4 * np.sqrt(2 / n)


def test_frailty_without_variance_is_exactly_1() -> None:
    cohort = drawn(scenario(), parameters({"baseline.frailty_variance": 0.0}))

    assert np.all(cohort.frailty == 1.0)


# --- entry -------------------------------------------------------------------------------------------

PAUSE = {
    "pieces": [
        {"days": 100, "relative_rate": 1.0},
        {"days": 50, "relative_rate": 0.0},
        {"days": 100, "relative_rate": 3.0},
    ],
    "gap_days": 30,
}


def test_nobody_enters_in_a_pause() -> None:
    entry = drawn(scenario(trial={"accrual": PAUSE})).entry_day

    assert not np.any((entry >= 100) & (entry < 150))
    assert {0, 99, 150, 249} <= set(entry.tolist())
    assert entry.min() == 0
    assert entry.max() == 249


def test_entries_follow_the_rates_and_are_even_within_a_stretch() -> None:
    entry = drawn(scenario(trial={"accrual": PAUSE})).entry_day

    days = [(day, 1 / 400) for day in (0, 1, 50, 99)] + [(day, 3 / 400) for day in (150, 200, 249)]
    assert not strayed(
        [
            share("first stretch", entry < 100, 0.25),
            share("first half of the first stretch", entry < 50, 0.125),
            *(share(f"day {day}", entry == day, probability) for day, probability in days),
        ]
    )


def test_the_gap_before_the_cutoff_is_respected() -> None:
    paused = scenario(trial={"accrual": PAUSE})
    entry = drawn(paused).entry_day

    assert paused.trial.accrual.cutoff_day == 280
    assert (paused.trial.accrual.cutoff_day - entry).min() == 31  # the last enters on day 249


def test_a_pause_may_stand_at_either_end() -> None:
    pieces = [{"days": 9, "relative_rate": 0}, {"days": 5}, {"days": 9, "relative_rate": 0}]
    entry = drawn(scenario(trial={"accrual": {"pieces": pieces}})).entry_day

    assert set(entry.tolist()) == {9, 10, 11, 12, 13}


# --- the ends of luck --------------------------------------------------------------------------------


@dataclass(frozen=True)
class SameForAll:
    """Luck that gives everybody the same number."""

    number: float
    replications: int = 1
    patients: int = 3

    def uniform(self, name: str) -> np.ndarray:  # noqa: ARG002
        return np.full((self.replications, self.patients), self.number)


@pytest.mark.parametrize("number", [2.0**-53, 1 - 2.0**-53])
@pytest.mark.parametrize("sites", [1, 33, 37, 64])
def test_the_outermost_luck_is_still_a_patient(number: float, sites: int) -> None:
    of = scenario(cohort={"sites": sites})
    cohort = draw_cohort(of.cohort, of.trial.accrual, parameters(), SameForAll(number))

    ranges = {"entry_day": (0, 429), "site": (0, sites - 1), "age_years": (18, 79), "blasts_pct": (5, 100)}
    outside = {
        name: getattr(cohort, name)[0]
        for name, (least, most) in ranges.items()
        if not least <= getattr(cohort, name)[0] <= most
    }
    assert outside == {}
    assert all(np.all(np.isfinite(array)) for array in arrays_of(cohort).values())


@pytest.mark.parametrize("number", [2.0**-53, 0.25 - 2.0**-53, 0.25 + 2.0**-53, 1 - 2.0**-53])
def test_the_luck_next_to_a_pause_is_not_in_it(number: float) -> None:
    of = scenario(trial={"accrual": PAUSE})
    entry = draw_cohort(of.cohort, of.trial.accrual, parameters(), SameForAll(number)).entry_day

    assert int(entry[0]) in (0, 99, 150, 249)


@pytest.mark.parametrize("number", [2.0**-53, 1 - 2.0**-53])
def test_the_outermost_luck_is_not_in_a_pause_at_either_end(number: float) -> None:
    pieces = [{"days": 9, "relative_rate": 0}, {"days": 5}, {"days": 9, "relative_rate": 0}]
    of = scenario(trial={"accrual": {"pieces": pieces}})
    entry = draw_cohort(of.cohort, of.trial.accrual, parameters(), SameForAll(number)).entry_day

    assert int(entry[0]) in (9, 13)


# --- the same patients otherwise -----------------------------------------------------------------------


def test_margins_choose_the_patients_with_the_lowest_odds() -> None:
    """Who has had an HSCT, and who has many blasts, chosen one by one; nothing else changes."""
    of, block = scenario(size=40), range(6)
    draws = Draws(Luck(23), block, 40)
    before = drawn_with(of, draws)
    after = with_margins(before, of.cohort, draws, prior_hsct=13, blasts_75=22)

    older = before.older.reshape(6, 40)
    share = 0.339
    younger_share = (share - 0.13 * of.cohort.prior_hsct_share_65_and_over) / 0.87
    luck, many = draws.uniform("cohort.prior_hsct"), draws.uniform("cohort.margin_of_blasts")
    prior, blasts = after.prior_hsct.reshape(6, 40), after.blasts_pct.reshape(6, 40)
    for trial in range(6):
        chance = np.where(older[trial], of.cohort.prior_hsct_share_65_and_over, younger_share)
        ratio = [u / (1 - u) * (1 - p) / p for u, p in zip(luck[trial], chance, strict=True)]
        assert set(np.flatnonzero(prior[trial])) == set(np.argsort(ratio)[:13])
        assert set(np.flatnonzero(blasts[trial] >= 75)) == set(np.argsort(many[trial])[:22])
    # Within the bands the patient's own luck decides, as ever: even from 75 to 100, and below by the bands' shares.
    within = draws.uniform("cohort.blasts").ravel()
    assert after.blasts_pct[after.blasts_pct >= 75] == pytest.approx(75 + 25 * within[after.blasts_pct >= 75])
    assert np.array_equal(after.blasts_pct < 25, (within < 0.16 / 0.444) & (after.blasts_pct < 75))
    relapsed = after.eligibility == Eligibility.RELAPSE_AFTER_HSCT
    assert np.array_equal(relapsed, after.prior_hsct & (after.salvage_lines == 0))
    changed = {"prior_hsct", "blasts_pct", "eligibility"}
    assert set(differing(arrays_of(before), arrays_of(after))) == changed


def test_the_same_patients_under_other_parameters_are_those_drawn_under_them() -> None:
    of, draws = scenario(size=60), Draws(Luck(24), range(5), 60)
    values = parameters(
        {"baseline.poor_fitness": 0.5, "baseline.well_matched_share": 0.4, "baseline.frailty_variance": 2}
    )
    moved = under_parameters(drawn_with(of, draws), values, draws)
    assert not differing(arrays_of(moved), arrays_of(drawn_with(of, draws, values)))
    assert differing(arrays_of(moved), arrays_of(drawn_with(of, draws))) == ["fitness", "well_matched", "frailty"]


def drawn_with(of: Scenario, draws: Draws, values: Parameters | None = None) -> Cohort:
    return draw_cohort(of.cohort, of.trial.accrual, values or parameters(), draws)


# --- by hand -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Named:
    """Luck by the name of a decision; one half elsewhere."""

    name: str
    numbers: list[float]
    replications: int = 1

    @property
    def patients(self) -> int:
        return len(self.numbers)

    def uniform(self, name: str) -> np.ndarray:
        return np.array([self.numbers]) if name == self.name else np.full((1, self.patients), 0.5)


def by_hand(name: str, numbers: list[float], of: Scenario | None = None, **changes: float) -> Cohort:
    of = of or scenario()
    values = parameters({f"baseline.{key}": value for key, value in changes.items()})
    return draw_cohort(of.cohort, of.trial.accrual, values, Named(name, numbers))  # type: ignore[arg-type]


def test_age_by_its_quantiles() -> None:
    """18 to 39.5 in the lower half, to 65 at 87 %, to 80 at the end: linear between them, in completed years."""
    ages = by_hand("cohort.age", [0.0001, 0.25, 0.4999, 0.5001, 0.8699, 0.8701, 0.935, 0.9999]).age_years
    assert ages.tolist() == [18, 28, 39, 39, 64, 65, 72, 79]


def test_salvage_lines_and_eligibility() -> None:
    """20 % none, 39.2 % two or more, of these four in ten three or more."""
    drawn = by_hand("cohort.salvage_lines", [0.199, 0.201, 0.607, 0.609, 0.843, 0.8433])
    assert drawn.salvage_lines.tolist() == [0, 1, 1, 2, 2, 3]
    assert drawn.eligibility[1:].tolist() == [Eligibility.SECOND_OR_LATER_SALVAGE] * 5
    of = scenario(cohort={"no_prior_salvage_share": 0.6, "two_or_more_salvage_share": 0.2})
    refractory, early = Eligibility.PRIMARY_REFRACTORY, Eligibility.EARLY_FIRST_RELAPSE
    assert by_hand("cohort.eligibility", [0.49, 0.51], of).eligibility.tolist() == [refractory, early]


def test_prior_hsct_by_age() -> None:
    of = scenario()
    younger = (of.cohort.prior_hsct_share - 0.13 * of.cohort.prior_hsct_share_65_and_over) / 0.87
    drawn = by_hand("cohort.prior_hsct", [younger - 1e-6, younger + 1e-6])
    assert drawn.prior_hsct.tolist() == [True, False]


@pytest.mark.parametrize(("luck", "fitness"), [(0.229, Fitness.POOR), (0.231, Fitness.FAIR), (0.419, Fitness.FAIR)])
def test_fitness_at_40(luck: float, fitness: Fitness) -> None:
    of = scenario(cohort={"age": {"median_years": 40}})
    shares = {"poor_fitness": 0.23, "fair_fitness": 0.19, "worse_fitness_odds_per_decade": 1.25}
    drawn = by_hand("cohort.fitness", [luck, 0.421], of, **shares)
    assert drawn.age_years[0] == 40
    assert drawn.fitness.tolist() == [fitness, Fitness.GOOD]


def test_blasts_are_even_within_their_bands() -> None:
    """16 % from 5 to 25, 14 % to 50, 14.4 % to 75, 55.6 % to 100."""
    blasts = by_hand("cohort.blasts", [0.08, 0.16, 0.23, 0.30, 0.372, 0.444, 0.722]).blasts_pct
    assert blasts == pytest.approx([15.0, 25.0, 37.5, 50.0, 62.5, 75.0, 87.5])


def test_frailty_site_and_match() -> None:
    assert by_hand("cohort.frailty", [0.5], frailty_variance=0.3).frailty == pytest.approx([1.3**-0.5])
    one_sd = by_hand("cohort.frailty", [0.8413447460685429], frailty_variance=0.3).frailty
    assert np.log(one_sd) == pytest.approx([np.sqrt(np.log(1.3)) - 0.5 * np.log(1.3)])
    assert by_hand("cohort.site", [0.001, 0.5, 0.999]).site.tolist() == [0, 18, 36]
    assert by_hand("cohort.well_matched", [0.79, 0.81], well_matched_share=0.8).well_matched.tolist() == [True, False]


def test_entry_by_the_rates_of_accrual() -> None:
    """100 days at a rate of 1 and 50 at a rate of 2: half of the patients each."""
    pieces = [{"days": 100}, {"days": 50, "relative_rate": 2}]
    of = scenario(trial={"accrual": {"pieces": pieces}})
    assert by_hand("cohort.entry_day", [0.001, 0.25, 0.4999, 0.75, 0.9999], of).entry_day.tolist() == [
        0,
        50,
        99,
        125,
        149,
    ]


def test_older_begins_with_65_and_decades_count_from_40() -> None:
    drawn = by_hand("cohort.age", [0.25, 0.8699, 0.8701])
    assert drawn.older.tolist() == [False, False, True]
    assert drawn.decades_over_40 == pytest.approx([-1.2, 2.4, 2.5])
