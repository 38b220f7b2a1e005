"""Aalen-Johansen: by hand, against lifelines, and that all probabilities add up to 1."""

import warnings

import numpy as np
import pytest
from lifelines import AalenJohansenFitter

from blinasim.statistics import curves, survival
from blinasim.statistics.competing import IncidenceTable, cumulative_incidence, on_grid


def judge(time, code, cause):
    """Fit by lifelines, deaths of a day in the morning (integers), censorings at noon.

    lifelines breaks ties between causes by jittering the events by up to 0.0001 day. With the censorings out
    of the way that is harmless: whichever of the tied events comes first, S(t-) / n is the same for all of
    them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitter = AalenJohansenFitter(calculate_variance=False, seed=1)
        return fitter.fit(time + 0.5 * (code == 0), code, event_of_interest=cause)


def by_day(fitter, day):
    """Incidence in lifelines at the end of a day."""
    return fitter.cumulative_density_.loc[: day + 0.9].iloc[-1, 0]


@pytest.fixture
def without_ties():
    rng = np.random.default_rng(3)
    return rng.permutation(np.arange(1, 121)), rng.integers(0, 4, 120)


@pytest.fixture
def with_ties():
    rng = np.random.default_rng(4)
    return rng.integers(1, 25, 150), rng.integers(0, 4, 150)


@pytest.fixture
def coded(batch_of_trials):
    """The batch of trials with three causes; (time, code, member)."""
    time, event, member = batch_of_trials
    return time, np.where(event, np.random.default_rng(5).integers(1, 4, event.shape), 0), member


def incidence(time, code, cause, member=None, *, day):
    """Fit and ask at once."""
    return cumulative_incidence(survival.fit_causes(time, code, member), cause, day=day)


def test_by_hand():
    # day 1: cause 1 among 5, S = 4/5; day 2: causes 1 and 2 and a censoring among 4, S = 4/5 * 2/4 = 2/5;
    # day 4: cause 2 among 1, S = 0.
    # cause 1: 1/5 + 4/5 * 1/4 = 2/5; cause 2: 4/5 * 1/4 = 1/5 by day 2, + 2/5 * 1/1 = 3/5 by day 4.
    time, code = np.array([[2, 1, 2, 4, 2]]), np.array([[0, 1, 2, 2, 1]])
    first = [incidence(time, code, 1, day=day)[0] for day in (0, 1, 2, 3, 4, 9)]
    second = [incidence(time, code, 2, day=day)[0] for day in (0, 1, 2, 3, 4, 9)]
    np.testing.assert_allclose(first, [0, 1 / 5, 2 / 5, 2 / 5, 2 / 5, 2 / 5], atol=1e-15)
    np.testing.assert_allclose(second, [0, 0, 1 / 5, 1 / 5, 3 / 5, 3 / 5], atol=1e-15)
    table = IncidenceTable.of(time, code, causes=2, days=5)
    expected = [[0, 0.2, 0.4, 0.4, 0.4], [0, 0, 0.2, 0.2, 0.6]]
    np.testing.assert_allclose(table.cumulative_incidence(), expected, atol=1e-15)


@pytest.mark.parametrize("data", ["without_ties", "with_ties"])
@pytest.mark.parametrize("cause", [1, 2, 3])
def test_equals_lifelines(data, cause, request):
    time, code = request.getfixturevalue(data)
    fitter = judge(time, code, cause)
    curve = IncidenceTable.of(time, code, causes=3, days=130).cumulative_incidence()[cause - 1]
    for day in range(0, 130, 3):
        ours = incidence(time[np.newaxis], code[np.newaxis], cause, day=day)[0]
        assert ours == pytest.approx(by_day(fitter, day), abs=1e-12)
        assert curve[day] == pytest.approx(ours, abs=1e-12)


def test_a_batch_with_members_equals_lifelines_trial_by_trial(coded):
    time, code, member = coded[0] + 1, *coded[1:]
    found = incidence(time, code, 2, member, day=20)
    for row in range(1, len(time)):
        fitter = judge(time[row][member[row]], code[row][member[row]], 2)
        assert found[row] == pytest.approx(by_day(fitter, 20), abs=1e-12)


def test_on_a_grid_as_day_by_day(coded):
    time, code, member = coded
    batch = survival.fit_causes(time, code, member)
    days = np.array([0, 1, 7, 8, 20, 64, 400])
    found = on_grid(batch, 3, days)
    known = ~np.isnan(survival.on_grid(batch, days)[0])
    assert known.any()
    assert not known.all()
    for cause in (1, 2, 3):
        for column, day in enumerate(days):
            expected = np.where(known[:, column], cumulative_incidence(batch, cause, day=day), np.nan)
            np.testing.assert_array_equal(found[:, cause - 1, column], expected)


def test_no_incidence_is_above_1_by_rounding():
    # Five events on five days: the steps of 1/5 add up to 1.0000000000000002.
    time = np.arange(1, 6, dtype=np.int32)[np.newaxis]
    code = np.ones(time.shape, dtype=np.int8)
    batch = survival.fit_causes(time, code)
    assert cumulative_incidence(batch, 1, day=9)[0] == 1.0
    assert on_grid(batch, 1, np.array([5])).max() == 1.0
    assert IncidenceTable.of(time, code, causes=1, days=9).cumulative_incidence().max() == 1.0


def test_incidences_and_survival_add_up_to_1(coded):
    time, code, member = coded
    batch = survival.fit(time, code > 0, member)
    for day in (0, 10, 39, 100):
        of_all = sum(incidence(time, code, cause, member, day=day) for cause in (1, 2, 3))
        np.testing.assert_allclose(of_all[1:] + survival.survival_at(batch, day)[1:], 1.0)
    table = IncidenceTable.of(*coded, causes=3, days=45)
    np.testing.assert_allclose(table.cumulative_incidence().sum(axis=0) + table.all_causes().survival(), 1.0)


def test_a_single_cause_is_one_minus_survival(batch_of_trials):
    time, event, member = batch_of_trials
    batch = survival.fit(time, event, member)
    found = incidence(time, event.astype(int), 1, member, day=15)
    np.testing.assert_allclose(found, 1 - survival.survival_at(batch, 15))


def test_the_curve_is_that_of_all_causes_and_the_last_cause_fits(coded):
    time, code, member = coded
    code = np.where(code == 3, curves.LAST_RANK, code)
    batch, pooled = survival.fit_causes(time, code, member), survival.fit(time, code > 0, member)
    np.testing.assert_array_equal(batch.survival, pooled.survival)
    np.testing.assert_array_equal(batch.event, pooled.event)
    for cause in (1, 2, 3, curves.LAST_RANK):
        expected = [np.count_nonzero(row[who] == cause) for row, who in zip(code, member, strict=True)]
        assert (batch.code == cause).sum(axis=1).tolist() == expected


def test_a_trial_without_members_is_nan(coded):
    found = incidence(*coded[:2], 1, coded[2], day=15)
    assert np.isnan(found[0])
    assert not np.isnan(found[1:]).any()
    assert np.isnan(IncidenceTable.empty(causes=2, days=1).cumulative_incidence()).all()


def test_the_codes_of_others_do_not_matter(coded):
    time, code, member = coded
    elsewhere = np.where(member, code, -5)
    np.testing.assert_array_equal(
        incidence(time, elsewhere, 1, member, day=15),
        incidence(time, code, 1, member, day=15),
    )


def test_sum_over_chunks_is_the_table_of_the_whole(coded):
    whole = IncidenceTable.of(*coded, causes=3, days=30)
    chunks = (
        IncidenceTable.of(*(array[rows] for array in coded), causes=3, days=30)
        for rows in (slice(0, 7), slice(7, None))
    )
    total = sum(chunks, IncidenceTable.empty(causes=3, days=30))
    np.testing.assert_array_equal(total.events, whole.events)
    np.testing.assert_array_equal(total.censored, whole.censored)
    assert total.beyond == whole.beyond > 0


def test_wrong_input_is_refused():
    time, code = np.array([[1, 2]]), np.array([[0, 3]])
    with pytest.raises(TypeError, match="integers"):
        incidence(time, code > 0, 1, day=2)
    with pytest.raises(ValueError, match="numbered"):
        incidence(time, -code, 1, day=2)
    with pytest.raises(ValueError, match="numbered"):
        incidence(time, code + curves.LAST_RANK, 1, day=2)
    with pytest.raises(ValueError, match="no cause 0"):
        incidence(time, code, 0, day=2)
    with pytest.raises(ValueError, match="shapes"):
        incidence(time, code[:, :1], 1, day=2)
    with pytest.raises(ValueError, match="code lies outside"):
        IncidenceTable.of(time, code, causes=2, days=5)
    with pytest.raises(ValueError, match="cannot be added"):
        IncidenceTable.empty(causes=2, days=5) + IncidenceTable.empty(causes=3, days=5)
    with pytest.raises(ValueError, match="must be"):
        IncidenceTable(np.zeros((2, 5), dtype=int), np.zeros(4, dtype=int))
