"""Tables of daily counts: equal to the batch on the same pooled data, and adding up exactly."""

import numpy as np
import pytest

from blinasim.statistics import survival
from blinasim.statistics.tables import SurvivalTable

TRANSFORMS = ("log-log", "log", "plain")
DAYS = 45


def pooled(time, event, member):
    """The members of all trials as the one trial of a batch."""
    return time[member][np.newaxis], event[member][np.newaxis]


def assert_same(one, other):
    np.testing.assert_array_equal(one.events, other.events)
    np.testing.assert_array_equal(one.censored, other.censored)
    assert one.beyond == other.beyond


def test_counts_by_hand():
    time, event = np.array([2, 3, 3, 3, 9]), np.array([True, False, True, True, False])
    table = SurvivalTable.of(time, event, days=5)
    assert table.events.tolist() == [0, 0, 1, 2, 0]
    assert table.censored.tolist() == [0, 0, 0, 1, 0]
    assert table.beyond == 1
    assert table.at_risk.tolist() == [5, 5, 5, 4, 1]
    assert table.n_patients == 5
    np.testing.assert_allclose(table.survival(), [1, 1, 4 / 5, 4 / 5 * 2 / 4, 2 / 5])
    np.testing.assert_allclose(table.greenwood(), [0, 0, 1 / 20, 1 / 20 + 2 / (4 * 2), 3 / 10])


def test_table_equals_batch_on_a_sample(sample):
    time, event = sample
    table = SurvivalTable.of(time, event, days=int(time.max()) + 1)
    batch = survival.fit(time[np.newaxis], event[np.newaxis])
    check_against_batch(table, batch, taus=(time.max() / 3, time.max()))
    assert table.reverse_median() == survival.reverse_median(survival.fit(time[np.newaxis], event[np.newaxis]))[0]


def test_table_equals_batch_on_pooled_trials(batch_of_trials):
    table = SurvivalTable.of(*batch_of_trials, days=DAYS)
    check_against_batch(table, survival.fit(*pooled(*batch_of_trials)), taus=(11.5, 30, 200))
    assert table.reverse_median() == survival.reverse_median(survival.fit(*pooled(*batch_of_trials)))[0]


def check_against_batch(table, batch, taus):
    for q in (0.3, 0.5, 0.8):
        assert table.median(q) == survival.median(batch, q)[0]
    for day in table.days[:: max(1, len(table.days) // 50)]:
        assert table.survival_at(day) == pytest.approx(survival.survival_at(batch, day)[0], abs=1e-12)
    for tau in taus:
        assert table.rmst(tau) == pytest.approx(survival.rmst(batch, tau)[0])
        assert table.rmst_standard_error(tau) == pytest.approx(survival.rmst_standard_error(batch, tau)[0])
    for transform in TRANSFORMS:
        assert table.median_interval(transform=transform) == tuple(
            np.ravel(survival.median_interval(batch, transform=transform))
        )
        np.testing.assert_allclose(
            table.interval_at(taus[0], transform=transform),
            np.ravel(survival.interval_at(batch, taus[0], transform=transform)),
            atol=1e-12,
        )


def test_sum_over_chunks_is_the_table_of_the_whole(batch_of_trials):
    time, event, member = batch_of_trials
    whole = SurvivalTable.of(time, event, member, days=30)
    chunks = [
        SurvivalTable.of(time[rows], event[rows], member[rows], days=30)
        for rows in (slice(0, 1), slice(1, 4), slice(4, 33), slice(33, None))
    ]
    assert whole.beyond > 0
    assert_same(sum(chunks, SurvivalTable.empty(30)), whole)
    assert_same(sum(reversed(chunks), SurvivalTable.empty(30)), whole)


def test_more_days_change_nothing_but_the_horizon(batch_of_trials):
    short, long = (SurvivalTable.of(*batch_of_trials, days=days) for days in (20, 400))
    np.testing.assert_allclose(short.survival(), long.survival()[:20], rtol=1e-12)
    assert short.rmst(20) == pytest.approx(long.rmst(20))


def test_billions_of_patients_fit(batch_of_trials):
    small = SurvivalTable.of(*batch_of_trials, days=DAYS)
    factor = 4_000_000
    large = SurvivalTable(small.events * factor, small.censored * factor)
    assert large.n_patients == small.n_patients * factor > 3e9
    np.testing.assert_allclose(large.survival(), small.survival(), rtol=1e-12)
    assert large.median() == small.median()
    # Nothing overflows, and the standard error shrinks by the root of the factor: Greenwood's n (n - d) is a
    # product of two counts, so every term shrinks by the factor itself.
    error = large.rmst_standard_error(30) * np.sqrt(factor)
    assert error == pytest.approx(small.rmst_standard_error(30), rel=1e-9)


def test_nobody_is_nan():
    table = SurvivalTable.empty(10)
    assert table.n_patients == 0
    assert np.isnan(table.survival()).all()
    answers = (table.median(), table.survival_at(3), table.rmst(5), table.rmst_standard_error(5))
    assert np.isnan([*answers, table.reverse_median(), *table.median_interval(), *table.interval_at(3)]).all()
    assert SurvivalTable.of(np.array([4]), np.array([True]), np.array([False]), days=10).n_patients == 0


def test_what_lies_beyond_the_table_is_not_made_up():
    table = SurvivalTable.of(np.array([2, 50, 60]), np.array([True, True, True]), days=10)
    assert table.survival_at(9) == pytest.approx(2 / 3)
    assert table.rmst(10) == pytest.approx(2 + 8 * 2 / 3)
    assert table.median() == np.inf
    with pytest.raises(ValueError, match="beyond"):
        table.survival_at(10)
    with pytest.raises(ValueError, match="beyond"):
        table.rmst(11)
    closed = SurvivalTable.of(np.array([2, 5]), np.array([True, False]), days=10)
    assert closed.survival_at(1000) == 0.5
    assert closed.rmst(1002) == 2 + 500


def test_wrong_input_is_refused():
    time, event = np.array([1, 2]), np.array([True, False])
    with pytest.raises(ValueError, match="cannot be added"):
        SurvivalTable.empty(5) + SurvivalTable.empty(6)
    with pytest.raises(ValueError, match="negative"):
        SurvivalTable(np.array([-1]), np.array([0]))
    with pytest.raises(ValueError, match="must be"):
        SurvivalTable.empty(0)
    with pytest.raises(ValueError, match="outside"):
        SurvivalTable.of(-time, event, days=5)
    with pytest.raises(TypeError, match="event"):
        SurvivalTable.of(time, event.astype(int), days=5)
    with pytest.raises(TypeError, match="whole days"):
        SurvivalTable.of(time / 2, event, days=5)
