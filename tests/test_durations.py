"""How luck becomes days: distributions and their rounding, by hand."""

import numpy as np
import pytest

from blinasim.engine.body import days_of, runs_out
from blinasim.engine.fast.clocks import runs
from blinasim.model.codes import ENDLESS_CLOCK, HORIZON, NEVER, Event
from blinasim.model.durations import (
    as_speed,
    clock_millidays,
    daily_hazard,
    exponential,
    exponential_mixture,
    log_logistic,
    piecewise,
    remainder,
    whole_days,
)
from blinasim.model.visits import cycle_assessed, last_visit
from blinasim.scenario.settings import Policy


def test_days_are_rounded_up_and_there_is_at_least_one() -> None:
    days = whole_days(np.array([0.0, 0.2, 1.0, 1.000001, 27.0, 999_999.5, 1e9, np.inf]))
    assert days.tolist() == [1, 1, 1, 2, 27, NEVER, NEVER, NEVER]
    assert days.dtype == np.int32


def test_clocks_are_rounded_up_to_milli_days() -> None:
    clock = clock_millidays(np.array([0.0, 0.0001, 0.001, 0.0011, 2.5, 1e9]))
    assert clock.tolist() == [1, 1, 1, 2, 2_500, ENDLESS_CLOCK]
    assert clock.dtype == np.int64


def test_speeds_are_rounded_to_the_nearest_milli_day() -> None:
    assert as_speed(np.array([0.0, 0.0004, 0.0006, 1.0, 2.3456])).tolist() == [0, 0, 1, 1_000, 2_346]


def test_a_small_uniform_is_an_early_event() -> None:
    assert exponential(np.array([0.0, 1.0 - np.exp(-2.0)])) == pytest.approx([0.0, 2.0])
    # Odds of 1/4, 1 and 4; the root of the odds by the shape.
    assert log_logistic(np.array([0.2, 0.5, 0.8]), 30.0, 2.0) == pytest.approx([15.0, 30.0, 60.0])
    assert log_logistic(np.array([0.8]), 30.0, 1.0) == pytest.approx([120.0])


def test_a_mixture_of_two_exponentials_has_its_median_and_its_two_speeds() -> None:
    """Shares of 0.7 at speed 1 and 0.3 at 0.25, by the survival function itself."""
    uniform = (np.arange(200_000) + 0.5) / 200_000
    days = exponential_mixture(uniform, 100.0, 0.3, 0.25)
    assert np.median(days) == pytest.approx(100.0, rel=1e-3)
    short, long = days[uniform < 0.7], days[uniform >= 0.7]
    assert short.mean() * 4 == pytest.approx(long.mean(), rel=1e-3)
    rate = 1.0 / short.mean()
    for day in (50.0, 200.0, 400.0):
        alive = 0.7 * np.exp(-rate * day) + 0.3 * np.exp(-0.25 * rate * day)
        assert (days > day).mean() == pytest.approx(alive, abs=2e-4)


@pytest.mark.parametrize(("share", "speed"), [(0.0, 0.25), (1.0, 0.25), (0.4, 1.0)])
def test_a_mixture_of_one_kind_is_an_exponential(share: float, speed: float) -> None:
    uniform = np.array([0.1, 0.5, 0.75]) if share in (0.0, 1.0) else (np.arange(1_000) + 0.5) / 1_000
    days = exponential_mixture(uniform, 100.0, share, speed)
    if share in (0.0, 1.0):
        assert days == pytest.approx(100.0 * np.log2(1.0 / (1.0 - uniform)))
    else:
        assert np.median(days) == pytest.approx(100.0, rel=2e-3)


def test_the_outermost_luck_of_a_mixture_is_finite() -> None:
    for share in np.linspace(0.05, 0.95, 19):
        assert np.isfinite(exponential_mixture(np.array([2.0**-53, 1.0 - 2.0**-53]), 100.0, share, 0.25)).all()


@pytest.mark.parametrize("share", [0.4, 0.6, 1.0])
def test_a_mixture_whose_long_survivors_never_die_keeps_its_median(share: float) -> None:
    uniform = (np.arange(1_001) + 0.5) / 1_001
    days = exponential_mixture(uniform, 100.0, share, 0.0)
    assert np.median(days) == pytest.approx(100.0, rel=1e-2)
    assert (np.diff(days) >= 0.0).all()


def test_what_is_left_of_a_uniform() -> None:
    assert remainder(np.array([0.1, 0.19, 0.2, 0.7]), 0.2) == pytest.approx([0.5, 0.95, 0.5, 0.5])
    assert remainder(np.array([0.3]), 0.0) == 0.5
    assert remainder(np.array([0.3]), 1.0) == 0.3


def test_a_constant_hazard_gives_its_probability() -> None:
    hazard = daily_hazard(0.2, 42)
    assert 1.0 - np.exp(-42 * hazard) == pytest.approx(0.2)
    assert daily_hazard(0.0, 42) == 0.0


def test_a_hazard_that_changes_once() -> None:
    """0.1 a day for ten days, then 0.2 a day: one unit is spent by the tenth day, 0.4 more takes two days."""
    exposure = np.array([0.5, 1.0, 1.4])
    assert piecewise(exposure, 10.0, np.array(0.1), np.array(0.2)) == pytest.approx([5.0, 10.0, 12.0])
    assert piecewise(exposure, 10.0, np.array(0.1), np.array(0.0)).tolist() == [5.0, 10.0, NEVER]
    assert piecewise(exposure, 10.0, np.array(0.0), np.array(0.2)) == pytest.approx([12.5, 15.0, 17.0])


def test_clocks_run_out_on_the_first_day_that_reaches_them() -> None:
    assert [days_of(clock, 300) for clock in (0, 1, 300, 301)] == [0, 1, 1, 2]
    assert days_of(5, 0) == NEVER
    assert days_of(NEVER * 1_000, 2_000) == NEVER
    assert days_of(NEVER * 1_000 - 1, 1) == NEVER
    assert days_of(NEVER * 1_000 - 1, 1_000) == NEVER


def test_what_has_been_spent_of_an_endless_clock_does_not_matter() -> None:
    fastest = int(as_speed(1e300))
    assert fastest == np.iinfo(np.int32).max
    assert days_of(ENDLESS_CLOCK - HORIZON * fastest, fastest) == NEVER
    assert runs_out(ENDLESS_CLOCK, (NEVER - 1, fastest), (NEVER, fastest)) == NEVER
    spent = np.array([ENDLESS_CLOCK - HORIZON * fastest])
    assert runs(spent, np.array([fastest])).tolist() == [NEVER]


def test_nothing_times_something_without_end_is_nothing() -> None:
    assert whole_days(np.array([np.nan])).tolist() == clock_millidays(np.array([np.nan])).tolist() == [1]
    assert as_speed(np.nan) == 0


def test_clocks_run_out_through_phases() -> None:
    """Ten days at 100, ten at 50, then 20 a day: 1,000 and 500 milli-days, and the rest."""
    phases = ((10, 100), (20, 50), (NEVER, 20))
    assert [runs_out(clock, *phases) for clock in (1, 1_000, 1_001, 1_500, 1_501, 1_520, 1_521)] == [
        *(1, 10, 11, 20, 21, 21, 22),
    ]
    assert runs_out(1_501, (10, 100), (20, 50), (NEVER, 0)) == NEVER
    assert runs_out(1_501, (10, 100), (20, 50)) == NEVER


def test_the_calendar_of_visits() -> None:
    """Day 29 of five cycles of 42 days, offsets 28 to 196; then at intervals from the last of them."""
    policy = Policy()
    every = policy.monitoring.visits_every_days
    days = np.array([0, 27, 28, 69, 70, 195, 196, 195 + every, 196 + every, 196 + 3 * every + 1], dtype=np.int32)
    expected = [0, 0, 28, 28, 70, 154, 196, 196, 196 + every, 196 + 3 * every]
    assert last_visit(days, policy).tolist() == expected
    assert cycle_assessed(np.array([28, 70, 112, 196], dtype=np.int32), policy).tolist() == [1, 2, 3, 5]


def test_the_order_of_a_day_is_that_of_the_specification() -> None:
    assert [event.name for event in sorted(Event)] == [
        *("DEATH", "RELAPSE", "PROGRESSION", "SWITCH", "STOP", "REMISSION", "DEEPENING", "NO_REMISSION"),
        *("RELAPSE_DETECTED", "CANDIDACY", "SEARCH_START", "DONOR_FOUND", "TRANSPLANT", "CYCLE_START"),
        *("MAINTENANCE", "HORIZON"),
    ]
    assert [int(event) for event in sorted(Event)] == list(range(16))
    assert HORIZON < NEVER
