"""Counted places: given at the ward round, never by the order of processes; queues held against theory."""

from __future__ import annotations

from dataclasses import fields, replace
from math import exp, factorial
from typing import Any

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from blinasim.engine import des
from blinasim.engine.body import TICKS
from blinasim.engine.choice import walk
from blinasim.engine.lives import Lives
from blinasim.engine.ward import Ward, _ask, open_wards, stays_of
from blinasim.errors import ScenarioError
from blinasim.luck import Draws, Luck
from blinasim.model.codes import NEVER, NONE, Mrd, Place
from blinasim.model.history import History
from blinasim.model.places import Stays, counted_places, other_patients
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.settings import Background, Capacity, Policy, Scenario
from blinasim.study import simulate as study
from blinasim.study.batch import lives_of
from test_study import same
from worlds import differing_histories, in_remission_on_day_28, parameters, scenario

PLENTY = {
    "transplant_beds": {"places": 100_000},
    "infusion_starts": {"places": 100_000},
    "search_coordinators": {"places": 100_000},
}
SCARCE = {
    "transplant_beds": {"places": 2, "background": {"arrivals_per_year": 10.0}},
    "infusion_starts": {"places": 4, "background": {"arrivals_per_year": 20.0, "mean_stay_days": 10.0}},
    "search_coordinators": {"places": 8},
}


def with_places(of: Scenario, capacity: dict[str, Any]) -> Scenario:
    return Scenario.model_validate({**of.model_dump(), "capacity": capacity})


def lives(of: Scenario, trials: int = 6, seed: int = 3) -> Lives:
    return lives_of(of, parameters(), Draws(Luck(seed), range(trials), of.cohort.size)).lives


def lived(of: Scenario, trials: int = 6, seed: int = 3) -> tuple[History, list[Stays]]:
    stays: list[Stays] = []
    return des.walk(lives(of, trials, seed), stays=stays), stays


# --- places without number -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["baseline", "transplant_after_cycle_1", "early_donor_search", "maintenance"])
def test_places_enough_for_all_are_no_places_at_all(name: str) -> None:
    of = load_scenario(name)
    counted, stays = lived(with_places(of, PLENTY))
    free, _ = lived(of)
    assert not differing_histories(replace(counted, cycle_starts=None), free)
    # Where nothing delays a cycle, its day is that of the calendar.
    assert counted.cycle_starts is not None
    starts = np.where(counted.cycle_starts == NONE, np.arange(5) * 42, counted.cycle_starts)
    assert np.array_equal(starts, np.tile(np.arange(5) * 42, (starts.shape[0], 1)))
    assert all(np.array_equal(s.given[s.granted], s.asked[s.granted]) for s in stays)


def test_results_too_are_the_same_to_the_byte() -> None:
    of = scenario(replications=4)
    assert same(study.simulate(of), study.simulate(with_places(of, PLENTY)))


def test_the_fast_engine_refuses_in_one_line() -> None:
    with pytest.raises(ScenarioError, match="engine fast knows no counted places"):
        study.simulate(with_places(scenario(), PLENTY), engine="fast")


# --- the ward round --------------------------------------------------------------------------------------


def test_the_order_of_processes_does_not_matter() -> None:
    drawn = lives(with_places(scenario(), SCARCE), trials=3)
    one = des.walk(drawn)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(drawn.patients).tolist()
        assert not differing_histories(one, des.walk(drawn, order=order))


def test_stays_are_built_from_rows_in_the_order_of_their_fields() -> None:
    stays = Stays.of_rows([(4, 1, 17, -3, 5, 8), (4, 2, -1, 6, NEVER, 9)])
    assert [getattr(stays, item.name).tolist() for item in fields(Stays)] == [
        *([4, 4], [1, 2], [17, -1], [-3, 6], [5, NEVER], [8, 9]),
    ]
    assert stays.place.dtype == np.int8
    assert all(getattr(stays, item.name).dtype == np.int32 for item in fields(Stays) if item.name != "place")


def test_places_are_given_by_priority_then_day_then_number() -> None:
    env, given = simpy.Environment(), []
    ward = Ward(env, Place.TRANSPLANT_BED, 0)

    def give(name: str) -> Any:
        return lambda: given.append((name, int(env.now) // TICKS))

    def asking() -> Any:
        ward.ask(9, give("nine"))
        ward.ask(4, give("four"))
        yield env.timeout(TICKS)
        ward.ask(1, give("one, a day later"))
        ward.ask(8, give("eight, first in line"), priority=-1)
        withdrawn = ward.ask(0, give("nobody"))
        resting = ward.ask(2, give("two, which rests"))
        ward.rest(resting)
        ward.end(withdrawn)
        yield env.timeout(TICKS)
        ward.free = 3
        ward._call_round()
        yield env.timeout(TICKS)
        ward.take_up(resting)
        ward.free = 5
        ward._call_round()

    env.process(asking())
    env.run()
    names = [("eight, first in line", 2), ("four", 2), ("nine", 2), ("one, a day later", 3), ("two, which rests", 3)]
    assert given == names


def test_a_place_is_free_again_for_the_round_of_the_day() -> None:
    """One bed for 30 days from the transplant on; two patients ready on day 42: the second on day 72."""
    made = in_remission_on_day_28(
        2, donor_search_days=np.full((2, 4), 1, dtype=np.int32), stop_infusion_days=np.full(2, 40, dtype=np.int32)
    )
    made = replace(
        made,
        plan=replace(made.plan, candidate=np.ones(2, dtype=bool), reason=np.full(2, NONE, dtype=np.int8)),
        policy=Policy.model_validate({"transplant": {"preparation_days": 14}}),
        capacity=Capacity.model_validate({"transplant_beds": {"places": 1, "stay_days": 30}}),
        draws=Draws(Luck(1), range(1), 2),
    )
    stays: list[Stays] = []
    assert des.walk(made, stays=stays).hsct.tolist() == [42, 72]
    beds = stays[0].of(Place.TRANSPLANT_BED)
    assert beds.asked.tolist() == [42, 42]
    assert beds.given.tolist() == [42, 72]
    assert beds.left.tolist() == [72, 102]
    assert beds.waiting(40, 40).tolist() == [0] * 2 + [1] * 30 + [0] * 8
    assert beds.taken(40, 65).tolist() == [0] * 2 + [1] * 60 + [0] * 3
    # Who gives up after ten days is not transplanted; with cycles meanwhile the bed waits for the end of the infusion.
    impatient = Policy.model_validate({"transplant": {"waiting": {"give_up_after_days": 10}}})
    assert des.walk(replace(made, policy=impatient)).hsct.tolist() == [42, NONE]
    # A death on day 50 frees the bed that day.
    dead = replace(made, fates=replace(made.fates, remission_death_days=np.array([22, NEVER], dtype=np.int32)))
    assert des.walk(dead).hsct.tolist() == [42, 50]


def test_who_waits_starts_no_cycle_unless_the_policy_says_so() -> None:
    made = in_remission_on_day_28(2, donor_search_days=np.full((2, 4), 1, dtype=np.int32))
    made = replace(
        made,
        plan=replace(made.plan, candidate=np.ones(2, dtype=bool), reason=np.full(2, NONE, dtype=np.int8)),
        policy=Policy(),
        capacity=Capacity.model_validate({"transplant_beds": {"places": 1, "stay_days": 50}}),
        draws=Draws(Luck(1), range(1), 2),
    )
    first, second = 42, 92
    patient = des.walk(made)
    assert patient.hsct.tolist() == [first, second]
    assert patient.cycles.tolist() == [1, 1]
    # Cycles 2 and 3 begin on days 42 and 84; the bed that is free on day 92 waits until the infusion ends on day 112.
    treated = des.walk(replace(made, policy=Policy.model_validate({"transplant": {"waiting": {"cycles": True}}})))
    assert treated.hsct.tolist() == [first, 112]
    assert treated.cycles.tolist() == [1, 3]


@pytest.mark.parametrize("entry", [0, 100])
@pytest.mark.parametrize(("patience", "second"), [(31, 72), (30, 72), (29, NONE), (0, NONE)])
def test_patience_ends_before_the_round_of_the_day_after_its_last(patience: int, second: int, entry: int) -> None:
    """A bed asked for on day 42 and free on day 72, after 30 days: by the patient's days, whenever she came."""
    made = in_remission_on_day_28(
        2, donor_search_days=np.full((2, 4), 1, dtype=np.int32), stop_infusion_days=np.full(2, 40, dtype=np.int32)
    )
    made = replace(
        made,
        entry_day=np.full(2, entry, dtype=np.int32),
        plan=replace(made.plan, candidate=np.ones(2, dtype=bool), reason=np.full(2, NONE, dtype=np.int8)),
        policy=Policy.model_validate(
            {"transplant": {"preparation_days": 14, "waiting": {"give_up_after_days": patience}}}
        ),
        capacity=Capacity.model_validate({"transplant_beds": {"places": 1, "stay_days": 30}}),
        draws=Draws(Luck(1), range(1), 2),
    )
    stays: list[Stays] = []
    assert des.walk(made, stays=stays).hsct.tolist() == [42, second]
    beds = stays[0].of(Place.TRANSPLANT_BED)
    assert beds.asked.tolist() == [entry + 42, entry + 42]
    if second == NONE:
        assert beds.given.tolist() == [entry + 42, NEVER]
        assert beds.left.tolist() == [entry + 72, entry + 42 + patience + 1]


@pytest.mark.parametrize(
    ("rule", "mrd", "expected"),
    [
        ("first_come", [Mrd.POSITIVE, Mrd.NEGATIVE], [42, 72]),
        ("mrd_negative_first", [Mrd.POSITIVE, Mrd.NEGATIVE], [72, 42]),
        ("mrd_negative_first", [Mrd.UNKNOWN, Mrd.NEGATIVE], [72, 42]),
        ("mrd_negative_first", [Mrd.UNKNOWN, Mrd.POSITIVE], [42, 72]),
        ("mrd_positive_first", [Mrd.NEGATIVE, Mrd.POSITIVE], [72, 42]),
        ("mrd_positive_first", [Mrd.POSITIVE, Mrd.NEGATIVE], [42, 72]),
    ],
)
def test_the_rule_says_who_of_two_gets_the_bed(rule: str, mrd: list[Mrd], expected: list[int]) -> None:
    """Both are ready on day 42, and the bed is free again on day 72; beds for infusions go by number all the same."""
    made = in_remission_on_day_28(
        2,
        donor_search_days=np.full((2, 4), 1, dtype=np.int32),
        stop_infusion_days=np.full(2, 40, dtype=np.int32),
        mrd=np.array(mrd, dtype=np.int8),
    )
    made = replace(
        made,
        plan=replace(made.plan, candidate=np.ones(2, dtype=bool), reason=np.full(2, NONE, dtype=np.int8)),
        policy=Policy.model_validate({"transplant": {"preparation_days": 14}}),
        capacity=Capacity.model_validate({"transplant_beds": {"places": 1, "stay_days": 30, "priority": rule}}),
        draws=Draws(Luck(1), range(1), 2),
    )
    assert des.walk(made).hsct.tolist() == expected
    beds = {"transplant_beds": {"priority": rule}, "infusion_starts": {"places": 1, "first_cycle_days": 5}}
    untransplanted = replace(made, plan=in_remission_on_day_28(2).plan, capacity=Capacity.model_validate(beds))
    starts = des.walk(untransplanted).cycle_starts
    assert starts is not None
    assert starts[:, 0].tolist() == [0, 5]


def test_a_delayed_cycle_counts_from_its_actual_start() -> None:
    """One bed for infusion starts, 9 days at first and 2 later: the second patient's cycles all come 9 days later."""
    made = in_remission_on_day_28(2)
    made = replace(
        made,
        capacity=Capacity.model_validate({"infusion_starts": {"places": 1}}),
        draws=Draws(Luck(1), range(1), 2),
    )
    history = des.walk(made)
    assert history.cycle_starts is not None
    assert history.cycle_starts[0].tolist() == [0, 42, 84, 126, 168]
    assert history.cycle_starts[1].tolist() == [9, 51, 93, 135, 177]
    assert history.remission.tolist() == [28, 37]


def test_histories_agree_until_the_first_place_is_given_differently() -> None:
    stays: list[list[Stays]] = [[], []]
    logs: list[list[Any]] = [[], []]
    for places, log, its in zip((2, 1), logs, stays, strict=True):
        drawn = lives(with_places(scenario(), {"transplant_beds": {"places": places}}), trials=1)
        des.walk(drawn, log, its)
    one, other = (
        {(who, asked): given for who, asked, given in zip(s.patient, s.asked, s.given, strict=True)} for (s,) in stays
    )
    both = [(one[key], other[key]) for key in one.keys() & other.keys()]
    differ = [min(day for day in days if day < NEVER) for days in both if days[0] != days[1]]
    first = min(differ)
    assert first > 30, "nothing happens before"

    def before(log: list[Any]) -> list[Any]:
        return [entry for entry in log if drawn.entry_day[entry.patient] + entry.day < first]

    assert before(logs[0]) == before(logs[1])
    assert logs[0] != logs[1]


def test_waiting_costs_transplants_and_more_beds_give_them_back() -> None:
    """On means of paired replications: fewer beds never raise realization."""
    rates = []
    for places in (1, 2, 4, 100):
        beds = {"places": places, "background": {"arrivals_per_year": 12.0}}
        history, _ = lived(with_places(scenario(), {"transplant_beds": beds}), trials=60)
        rates.append(history.on_study_hsct.mean())
    assert rates == sorted(rates)
    assert rates[0] < 0.7 * rates[-1]


@pytest.mark.slow
def test_fewer_beds_and_priorities_on_paired_replications() -> None:
    realized, by_mrd = {}, {}
    for name, places in (("scarce_beds", 3), ("scarce_beds", 2), ("scarce_beds_mrd_first", 3)):
        of = load_scenario(name, [f"capacity.transplant_beds.places={places}"])
        drawn = lives(of, trials=200)
        history = walk(drawn)
        by_trial = history.on_study_hsct.reshape(200, -1).mean(axis=1)
        positive = ((history.mrd == Mrd.POSITIVE) & (history.candidacy != NONE)).reshape(200, -1)
        realized[name, places] = by_trial
        by_mrd[name, places] = (history.on_study_hsct.reshape(200, -1) & positive).sum(axis=1) / positive.sum(axis=1)
    fewer = realized["scarce_beds", 2] - realized["scarce_beds", 3]
    assert fewer.mean() < 0
    assert fewer.mean() + 3 * fewer.std() / np.sqrt(200) < 0
    helped = by_mrd["scarce_beds_mrd_first", 3] - by_mrd["scarce_beds", 3]
    assert np.nanmean(helped) - 3 * np.nanstd(helped) / np.sqrt(200) > 0


# --- other patients, and queueing theory -----------------------------------------------------------------


def test_other_patients_come_at_their_rate_and_stay_their_days() -> None:
    background = Background(arrivals_per_year=50.0, mean_stay_days=20.0)
    coming = other_patients(Luck(4), 7, Place.TRANSPLANT_BED, background, -100)
    days, stays = np.array([next(coming) for _ in range(20_000)]).T
    assert days[0] >= -100
    assert np.all(np.diff(days) >= 0)
    rate = 20_000 / (days[-1] + 100)
    assert rate == pytest.approx(50.0 / 365.25, rel=0.03)
    # Rounded up: geometric, with mean 1 / (1 - exp(-1 / 20)).
    assert stays.mean() == pytest.approx(1 / (1 - exp(-1 / 20)), rel=0.03)
    again = other_patients(Luck(4), 7, Place.TRANSPLANT_BED, background, -100)
    assert [next(again) for _ in range(500)] == list(zip(days[:500].tolist(), stays[:500].tolist(), strict=True))


def erlang_c(servers: int, load: float) -> float:
    """Probability of waiting in M/M/c (Erlang 1917); ``load`` is arrival rate times mean stay."""
    last = load**servers / factorial(servers) * servers / (servers - load)
    return last / (sum(load**k / factorial(k) for k in range(servers)) + last)


@pytest.mark.parametrize(("servers", "per_year", "mean_stay"), [(3, 8.0, 100.0), (2, 2.7, 200.0)])
def test_a_queue_with_exponential_stays_waits_as_mm_c_does(servers: int, per_year: float, mean_stay: float) -> None:
    """Mean wait in M/M/c: C(c, a) / (c / stay - rate); a day is so short against a stay that rounding is nothing."""
    waits, replications, years = [], 40, 300
    capacity = Capacity.model_validate(
        {
            "transplant_beds": {
                "places": servers,
                "background": {"arrivals_per_year": per_year, "mean_stay_days": mean_stay},
            }
        }
    )
    for replication in range(replications):
        env = simpy.Environment(initial_time=-365 * TICKS)
        draws = Draws(Luck(11), range(replications), 1)
        ward = open_wards(env, capacity, draws, replication, years * 365)[Place.TRANSPLANT_BED]
        env.run()
        settled = [r for r in ward.requests if 20 * 365 < r.asked < years * 365]
        waits.append(float(np.mean([r.given - r.asked for r in settled])))
    rate, stay = per_year / 365.25, 1 / (1 - exp(-1 / mean_stay))
    expected = erlang_c(servers, rate * stay) / (servers / stay - rate)
    standard_error = float(np.std(waits, ddof=1)) / np.sqrt(replications)
    assert standard_error < 0.06 * expected
    assert abs(np.mean(waits) - expected) < 4 * standard_error


def test_other_patients_come_until_five_years_after_the_last_enrolment() -> None:
    """Ten a day, from the first day of the warm-up to day 1,826 after the last enrolment, that day included."""
    beds = {"places": 50, "background": {"arrivals_per_year": 3_652.5, "mean_stay_days": 1.0}}
    capacity = Capacity.model_validate({"infusion_starts": beds, "warm_up_days": 30})
    env = simpy.Environment(initial_time=-30 * TICKS)
    ward = open_wards(env, capacity, Draws(Luck(1), range(1), 1), 0, last_entry=100)[Place.INFUSION_BED]
    env.run()
    asked = [request.asked for request in ward.requests]
    assert (min(asked), max(asked)) == (-30, 100 + 1_826)


def test_a_place_given_on_the_day_before_the_trial_comes_back() -> None:
    """Days of the warm-up are negative, and none of them may mean "never"."""
    for first in (-2, -1, 0):
        env = simpy.Environment(initial_time=-10 * TICKS)
        ward = Ward(env, Place.TRANSPLANT_BED, 1)

        def coming(env: simpy.Environment = env, ward: Ward = ward, first: int = first) -> Any:
            for day in (first, 3, 50):
                yield env.timeout(day * TICKS - env.now)
                _ask(ward, NEVER + day, 5, 0)

        env.process(coming())
        env.run()
        assert [(r.asked, r.given, r.left) for r in ward.requests] == [
            (first, first, first + 5),
            (3, max(first + 5, 3), max(first + 5, 3) + 5),
            (50, 50, 55),
        ]
        assert ward.free == 1
        stays = stays_of({Place.TRANSPLANT_BED: ward}, 0)
        assert stays.granted.all()
        assert stays.taken(-5, 65).sum() == 15
        assert stays.waiting(-5, 65).sum() == max(first + 5, 3) - 3


def test_cycles_delayed_by_waiting_for_a_bed_are_dated_too() -> None:
    beds = {"transplant_beds": {"places": 1, "background": {"arrivals_per_year": 12.0}}}
    of = with_places(scenario({"transplant": {"waiting": {"give_up_after_days": 20}}}), beds)
    history, _ = lived(of)
    assert history.cycle_starts is not None
    calendar = np.where(history.cycle_starts == NONE, NONE, np.arange(5) * 42)
    delayed = (history.cycle_starts != calendar).any(axis=1)
    assert delayed.sum() > 10
    assert np.all(history.cycle_starts >= calendar)
    assert np.array_equal((history.cycle_starts != NONE).sum(axis=1), history.cycles)


# --- whatever the words ------------------------------------------------------------------------------------

BACKGROUND = st.fixed_dictionaries({"arrivals_per_year": st.floats(0, 80), "mean_stay_days": st.floats(1, 60)})
WARDS = st.fixed_dictionaries(
    {
        "transplant_beds": st.fixed_dictionaries(
            {
                "places": st.integers(1, 4),
                "stay_days": st.integers(1, 60),
                "priority": st.sampled_from(["first_come", "mrd_negative_first", "mrd_positive_first"]),
                "background": BACKGROUND,
            }
        ),
        "infusion_starts": st.fixed_dictionaries(
            {
                "places": st.integers(1, 5),
                "first_cycle_days": st.integers(1, 28),
                "later_cycle_days": st.integers(1, 28),
                "background": BACKGROUND,
            }
        ),
        "search_coordinators": st.fixed_dictionaries(
            {"places": st.integers(1, 6), "most_days_a_search": st.integers(1, 200), "background": BACKGROUND}
        ),
        "warm_up_days": st.integers(0, 100),
    }
)
CLINICS = st.fixed_dictionaries(
    {
        "cycles": st.fixed_dictionaries({"infusion_days": st.integers(1, 40), "rest_days": st.integers(0, 20)}),
        "donor_search": st.fixed_dictionaries(
            {"starts": st.sampled_from(["enrolment", "remission", {"after_cycle": 2}])}
        ),
        "transplant": st.fixed_dictionaries(
            {
                "preparation_days": st.integers(0, 30),
                "finish_infusion": st.booleans(),
                "earliest_cycle": st.integers(1, 3),
                "bridging": st.booleans(),
                "waiting": st.fixed_dictionaries(
                    {"cycles": st.booleans(), "give_up_after_days": st.none() | st.integers(0, 60)}
                ),
            }
        ),
    }
)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(policy=CLINICS, capacity=WARDS, seed=st.integers(0, 10**6))
def test_no_place_is_held_twice_or_for_the_dead(policy: dict[str, Any], capacity: dict[str, Any], seed: int) -> None:
    of = with_places(scenario(policy, size=60), capacity)
    drawn = lives_of(of, parameters(), Draws(Luck(seed), range(1), 60)).lives
    found: list[Stays] = []
    history = des.walk(drawn, stays=found)
    (stays,) = found
    death = drawn.entry_day + np.where(history.death == NONE, NEVER, history.death)
    first, days = -of.capacity.warm_up_days, 3000
    for place, most in ((Place(p), s.places) for p, s in counted_places(of.capacity).items()):
        its = stays.of(place)
        assert most is not None
        assert its.taken(first, days).max() <= most
        ours = its.patient != NONE
        # Death frees a place that day, and withdraws a request.
        assert np.all(its.left[ours] <= np.maximum(death[its.patient[ours]], its.asked[ours]))
        assert np.all(its.given >= its.asked)
        assert np.all(its.left >= np.where(its.granted, its.given, its.asked))
    # A transplant takes place on the day on which its bed is given, and each has one.
    beds = stays.of(Place.TRANSPLANT_BED)
    used = (beds.patient != NONE) & beds.granted & (beds.left > beds.given)
    hsct = np.where(history.hsct == NONE, NONE, drawn.entry_day + history.hsct)
    transplanted = np.flatnonzero(history.hsct != NONE)
    assert sorted(beds.patient[used].tolist()) == transplanted.tolist()
    assert np.array_equal(hsct[beds.patient[used]], beds.given[used])
    # So does a cycle; and nobody starts one while waiting for a transplant bed, unless the policy says so.
    starts, cycles = stays.of(Place.INFUSION_BED), history.cycle_starts
    assert cycles is not None
    begun = {(who, int(drawn.entry_day[who] + day)) for who, row in enumerate(cycles) for day in row if day != NONE}
    mine = (starts.patient != NONE) & starts.granted
    assert begun == set(zip(starts.patient[mine].tolist(), starts.given[mine].tolist(), strict=True))
    if not of.policy.transplant.waiting.cycles:
        for who, asked, given, left in zip(beds.patient, beds.asked, beds.given, beds.left, strict=True):
            until = min(given, left)
            assert not any(patient == who and asked <= day < until for patient, day in begun)
