"""Double programming: the array engine lives the same lives as the SimPy engine, to the day."""

import gc
import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from blinasim.engine import des, fast
from blinasim.engine.lives import Lives
from blinasim.files import shipped_scenarios
from blinasim.luck import Draws, Luck
from blinasim.model.catalogue import ParameterInfo, parameter_catalogue
from blinasim.model.codes import NEVER, NONE, Event
from blinasim.model.history import History
from blinasim.model.parameters import parameters_of
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.settings import Policy
from blinasim.study.batch import lives_of
from conformance import disagreements, load, play

#: Shipped scenarios in which no places are counted.
WITHOUT_CONTENTION = [name for name in shipped_scenarios() if not load_scenario(name).capacity.limited]
LIVES = sorted((Path(__file__).parent / "lives").glob("*.yaml"))


def assert_same(one: History, other: History) -> None:
    for column in fields(History):
        first, second = getattr(one, column.name), getattr(other, column.name)
        differ = np.flatnonzero(first != second)
        assert not differ.size, (
            f"{column.name} of patient {differ[0]}: {first[differ[0]]} and {second[differ[0]]} ({differ.size} differ)"
        )


def lives(policy: dict[str, Any], values: dict[str, Any], seed: int, trials: int, size: int) -> Lives:
    scenario = load_scenario("baseline")
    scenario = scenario.model_copy(
        update={
            "policy": Policy.model_validate(policy),
            "cohort": scenario.cohort.model_copy(update={"size": size}),
        }
    )
    known = {name: info.value for name, info in parameter_catalogue().items()}
    return lives_of(scenario, parameters_of(known | values), Draws(Luck(seed), range(trials), size)).lives


@pytest.mark.parametrize("path", LIVES, ids=lambda path: path.stem)
def test_walks_the_life_as_worked_by_hand(path: Path) -> None:
    life = load(path)
    assert not disagreements(life, play(life, lambda given, _: fast.walk(given)), logged=False)


@pytest.mark.parametrize("name", WITHOUT_CONTENTION)
def test_equals_the_simpy_engine(name: str) -> None:
    scenario = load_scenario(name)
    drawn = lives_of(
        scenario,
        parameters_of({key: info.value for key, info in parameter_catalogue().items()}),
        Draws(Luck(20), range(60), 189),
    ).lives
    assert_same(des.walk(drawn), fast.walk(drawn))


@pytest.mark.slow
@pytest.mark.parametrize("name", WITHOUT_CONTENTION)
def test_equals_the_simpy_engine_at_length(name: str) -> None:
    """28,350 patients of each shipped scenario without contention; 100,170 with BLINASIM_LONG_TESTS set."""
    trials = 530 if os.environ.get("BLINASIM_LONG_TESTS") else 150
    scenario = load_scenario(name)
    values = parameters_of({key: info.value for key, info in parameter_catalogue().items()})
    drawn = lives_of(scenario, values, Draws(Luck(21), range(trials), 189)).lives
    assert_same(des.walk(drawn), fast.walk(drawn))


def drawn_value(info: ParameterInfo) -> st.SearchStrategy[float]:
    """A value from the prior's wide middle, or an extreme that the unit allows."""
    prior = info.prior
    match prior.distribution:
        case "beta":
            low, high = stats.beta(prior.a, prior.b).ppf([0.001, 0.999])
        case "lognormal":
            low, high = stats.lognorm(prior.sigma, scale=prior.median).ppf([0.001, 0.999])
        case "uniform":
            low, high = prior.low, prior.high
        case _:
            return st.just(info.value)
    usual = {"speed ratio": [1.0], "per year": [20.0]}
    return st.one_of(
        st.floats(float(low), float(high)),
        st.sampled_from([info.value, *usual.get(info.unit, [])]),
        st.sampled_from(info.bounds),
    )


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    """Any policy that the arrays can walk; unusual settings are as likely as the usual ones."""
    most_cycles = draw(st.integers(2, 10))
    earliest = draw(st.just(1) | st.integers(1, most_cycles))
    return {
        "cycles": {
            "maximum": most_cycles,
            "infusion_days": draw(st.integers(1, 60)),
            "rest_days": draw(st.integers(0, 40)),
            "stop_without_response_after": draw(st.sampled_from([2, 1])),
            "maintenance": {"offered": draw(st.booleans()), "days": draw(st.integers(1, 900))},
        },
        "donor_search": {
            "starts": draw(
                st.sampled_from(["enrolment", "remission"])
                | st.builds(lambda cycle: {"after_cycle": cycle}, st.integers(1, most_cycles))
            ),
            "accept_from_day": draw(
                st.dictionaries(
                    st.sampled_from(["sibling", "unrelated", "haploidentical", "cord"]), st.integers(0, 200)
                )
            ),
        },
        "transplant": {
            "offered": draw(st.sampled_from([True, True, True, False])),
            "preparation_days": draw(st.integers(0, 60)),
            "earliest_cycle": earliest,
            "latest_cycle": draw(st.none() | st.integers(earliest, 10)),
            "finish_infusion": draw(st.booleans()),
            "bridging": draw(st.booleans()),
            "candidates": {
                "prior_hsct": draw(st.sampled_from(["allowed", "selected", "refused"])),
                "max_age_years": draw(st.integers(20, 90)),
            },
            "conditioning": {"forced": draw(st.sampled_from([None, "myeloablative", "reduced"]))},
        },
        "monitoring": {"visits_every_days": draw(st.integers(1, 400))},
    }


VALUES = st.fixed_dictionaries({name: drawn_value(info) for name, info in parameter_catalogue().items()})


@settings(deadline=None, max_examples=60)
@given(policy=policies(), values=VALUES, seed=st.integers(0, 10**9))
def test_equals_the_simpy_engine_whatever_the_policy_and_the_parameters(
    policy: dict[str, Any], values: dict[str, float], seed: int
) -> None:
    drawn = lives(policy, values, seed, trials=2, size=120)
    assert_same(des.walk(drawn), fast.walk(drawn))


def test_equals_the_simpy_engine_where_the_drug_stops_as_an_infusion_ends() -> None:
    drawn = lives({"cycles": {"maximum": 8}}, {"relapse.infusion_speed": 0.3}, 5, trials=2, size=400)
    ends = 28 * (1 + np.arange(drawn.fates.depth.size) % 7)
    drawn = replace(drawn, fates=replace(drawn.fates, stop_infusion_days=ends.astype(np.int32)))
    assert_same(des.walk(drawn), fast.walk(drawn))


def test_equals_the_simpy_engine_where_switches_and_transplants_fall_on_one_day() -> None:
    drawn = lives(
        {"transplant": {"preparation_days": 14}}, {"donor_search.under_way_share": 0.0}, 7, trials=2, size=800
    )
    days = 14 * (1 + np.arange(drawn.fates.depth.size) % 9)
    fates = replace(
        drawn.fates,
        switch_days=days.astype(np.int32),
        donor_search_days=np.full_like(drawn.fates.donor_search_days, 14),
        stop_infusion_days=np.full_like(drawn.fates.stop_infusion_days, NEVER),
    )
    drawn = replace(drawn, fates=fates)
    walked = fast.walk(drawn)
    assert (walked.switch != NONE).any()
    assert (walked.hsct != NONE).any()
    assert_same(des.walk(drawn), walked)


def test_the_log_knows_what_is_left_of_the_relapse_clock_in_remission_alone() -> None:
    drawn, log = lives({}, {}, 8, trials=1, size=150), []
    history = des.walk(drawn, log)
    for entry in log:
        relapse, remission = (int(getattr(history, of)[entry.patient]) for of in ("relapse", "remission"))
        in_remission = NONE != remission <= entry.day and (relapse == NONE or entry.day < relapse)
        if entry.event == Event.REMISSION:
            assert entry.relapse_clock_left == drawn.fates.relapse_clock_millidays[entry.patient]
        elif entry.event not in (Event.RELAPSE, Event.DEATH) and entry.day not in (remission, relapse):
            assert (entry.relapse_clock_left > 0) == in_remission, entry


def test_the_cycle_collector_is_left_as_it_was() -> None:
    drawn = lives({}, {}, 6, trials=1, size=2)
    try:
        for switch in (gc.disable, gc.enable):
            switch()
            was = gc.isenabled()
            des.walk(drawn)
            assert gc.isenabled() == was
    finally:
        gc.enable()


def test_parameters_may_differ_by_replication() -> None:
    values = {name: np.full((4, 1), info.value) for name, info in parameter_catalogue().items()}
    values["relapse.median_days"] = np.array([[20.0], [100.0], [500.0], [72.0]])
    drawn = lives({}, values, seed=3, trials=4, size=189)
    assert_same(des.walk(drawn), fast.walk(drawn))


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    # A block may hold no candidate, so that it has nobody to bridge.
    drawn = lives({"transplant": {"bridging": True}}, {}, seed=4, trials=5, size=189)
    whole = fast.walk(drawn)
    monkeypatch.setattr(fast, "BLOCK", 17)
    assert_same(whole, fast.walk(drawn))
