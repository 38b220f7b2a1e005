"""Log-rank tests in batches: by hand, against lifelines and a textbook loop, and by properties."""

import numpy as np
import pytest
from lifelines import datasets
from lifelines.statistics import logrank_test

from blinasim.statistics.logrank import log_rank

WEIGHTS = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (0.5, 2.0)]


@pytest.fixture
def two_groups(batch_of_trials):
    """The batch of trials in two groups; (time, event, group, member). Days from 1: lifelines' weights need it."""
    time, event, member = batch_of_trials
    return time + 1, event, np.random.default_rng(8).random(time.shape) < 0.4, member


def judge(time, event, group, rho=0.0, gamma=0.0):
    """Test by lifelines."""
    weights = {"weightings": "fleming-harrington", "p": rho, "q": gamma} if rho or gamma else {}
    return logrank_test(time[group], time[~group], event[group], event[~group], **weights)


def textbook(time, event, group, rho=0.0, gamma=0.0):
    """Observed, expected and variance, one day after another."""
    survival, sums = 1.0, np.zeros(3)
    for day in np.unique(time[event]):
        n, n1 = np.count_nonzero(time >= day), np.count_nonzero(group & (time >= day))
        d, d1 = np.count_nonzero(event & (time == day)), np.count_nonzero(event & group & (time == day))
        weight = survival**rho * (1 - survival) ** gamma
        variance = d * (n1 / n) * (1 - n1 / n) * (n - d) / (n - 1) if n > 1 else 0.0
        sums += weight * d1, weight * d * n1 / n, weight**2 * variance
        survival *= 1 - d / n
    return sums


def sums_of(found):
    """Observed, expected and variance, (3, R)."""
    return np.array([found.observed, found.expected, found.variance])


def test_by_hand():
    # day    2: group; other censored   n = 5, n1 = 3: e = 3/5, v = 3/5 * 2/5 = 6/25
    #        4: one of each             n = 3, n1 = 2: e = 4/3, v = 2 * 2/3 * 1/3 * (3 - 2) / (3 - 1) = 2/9
    #        7: group, the last         n = 1, n1 = 1: e = 1,   v = 0
    # observed 3, expected 44/15, variance 104/225; z = (1/15) / sqrt(104/225) = 1 / sqrt(104).
    time, event = np.array([[4, 2, 7, 4, 2]]), np.array([[True, True, True, True, False]])
    group = np.array([[True, True, True, False, False]])
    found = log_rank(time, event, group)
    np.testing.assert_allclose(sums_of(found)[:, 0], [3, 44 / 15, 104 / 225])
    np.testing.assert_allclose(found.z, 1 / np.sqrt(104))
    np.testing.assert_allclose(found.chi_square, 1 / 104)
    # Weights by S before the day: 1, 4/5, 4/15.
    early, late = log_rank(time, event, group, rho=1), log_rank(time, event, group, gamma=1)
    np.testing.assert_allclose(early.observed, 1 + 4 / 5 + 4 / 15)
    np.testing.assert_allclose(early.expected, 3 / 5 + 4 / 5 * 4 / 3 + 4 / 15)
    np.testing.assert_allclose(early.variance, 6 / 25 + 16 / 25 * 2 / 9)
    np.testing.assert_allclose(late.observed, 0 + 1 / 5 + 11 / 15)


def test_lung_by_sex_is_that_of_r():
    data = datasets.load_lung()
    time, event, women = data["time"].to_numpy(), data["status"].to_numpy() == 1, data["sex"].to_numpy() == 2
    found = log_rank(time[None], event[None], women[None])
    assert found.chi_square[0] == pytest.approx(10.3267, abs=5e-5)
    assert found.p_value[0] == pytest.approx(0.001311, abs=5e-7)
    assert found.observed[0] == 53
    assert found.z[0] < 0  # women die more rarely


@pytest.mark.parametrize(("rho", "gamma"), WEIGHTS)
def test_a_batch_with_members_equals_lifelines_trial_by_trial(two_groups, rho, gamma):
    time, event, group, member = two_groups
    found = log_rank(time, event, group, member, rho=rho, gamma=gamma)
    compared = 0
    for row, who in enumerate(member):
        if np.isnan(found.z[row]):
            continue
        theirs = judge(time[row][who], event[row][who], group[row][who], rho, gamma)
        assert found.chi_square[row] == pytest.approx(theirs.test_statistic, rel=1e-9)
        assert found.p_value[row] == pytest.approx(theirs.p_value, rel=1e-9)
        compared += 1
    assert compared >= 35


@pytest.mark.parametrize(("rho", "gamma"), WEIGHTS)
def test_strata_are_compared_apart_and_summed(two_groups, rho, gamma):
    time, event, group, member = two_groups
    stratum = np.random.default_rng(9).choice([-1, 0, 7], time.shape)
    found = sums_of(log_rank(time, event, group, member, stratum=stratum, rho=rho, gamma=gamma))
    for row in range(len(time)):
        expected = np.zeros(3)
        for one in (-1, 0, 7):
            who = member[row] & (stratum[row] == one)
            expected += textbook(time[row][who], event[row][who], group[row][who], rho, gamma)
        np.testing.assert_allclose(found[:, row], expected, rtol=1e-12, atol=1e-14)


def test_one_stratum_is_no_stratification(two_groups):
    time, event, group, member = two_groups
    plain = sums_of(log_rank(time, event, group, member, rho=1))
    one = sums_of(log_rank(time, event, group, member, stratum=np.full(time.shape, 3), rho=1))
    np.testing.assert_array_equal(plain, one)


def test_exchanging_the_groups_changes_the_sign_alone(two_groups):
    time, event, group, member = two_groups
    one, other = log_rank(time, event, group, member), log_rank(time, event, ~group, member)
    np.testing.assert_allclose(one.z, -other.z, atol=1e-12)
    np.testing.assert_allclose(one.observed + other.observed, (event & member).sum(axis=1))
    np.testing.assert_allclose(one.observed + other.observed, one.expected + other.expected)


def test_a_row_equals_the_row_alone_to_the_last_bit():
    rng = np.random.default_rng(12)
    time, event, group = rng.integers(0, 400, (6, 700)), rng.random((6, 700)) < 0.7, rng.random((6, 700)) < 0.5
    member = np.arange(700) < np.array([[700], [40], [500], [140], [0], [1]])
    stratum = rng.integers(0, 3, time.shape)
    for options in ({"rho": 1.0}, {"gamma": 0.5}, {"stratum": stratum}):
        together = sums_of(log_rank(time, event, group, member, **options))
        for row in range(6):
            cut = slice(row, row + 1)
            own = options | ({"stratum": stratum[cut]} if "stratum" in options else {})
            alone = sums_of(log_rank(time[cut], event[cut], group[cut], member[cut], **own))
            np.testing.assert_array_equal(together[:, row], alone[:, 0])


def test_what_cannot_be_compared_is_nan(two_groups):
    time, event, group, member = two_groups
    nothing = np.zeros_like(event)
    for found in (
        log_rank(time, nothing, group, member),
        log_rank(time, event, nothing, member),
        log_rank(time, event, group, nothing),
        log_rank(time[:, :0], event[:, :0], group[:, :0]),
    ):
        assert found.z.shape == (len(time),)
        assert np.isnan([found.z, found.chi_square, found.p_value]).all()
        assert (found.variance == 0).all()
    assert np.isnan(log_rank(time, event, group, member).z[0])  # nobody is in trial 0


def test_under_one_hazard_p_values_are_uniform():
    rng = np.random.default_rng(13)
    time, censored = rng.exponential(100, (4000, 60)), rng.exponential(200, (4000, 60))
    found = log_rank(np.minimum(time, censored).astype(int), time <= censored, rng.random((4000, 60)) < 0.5)
    assert np.mean(found.p_value < 0.05) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 4000))
    assert np.mean(found.z) == pytest.approx(0.0, abs=4 / np.sqrt(4000))


def test_wrong_input_is_refused(two_groups):
    time, event, group, member = two_groups
    with pytest.raises(TypeError, match="event"):
        log_rank(time, event.astype(int), group)
    with pytest.raises(TypeError, match="group"):
        log_rank(time, event, group.astype(int))
    with pytest.raises(TypeError, match="integers"):
        log_rank(time, event, group, stratum=time.astype(float))
    with pytest.raises(ValueError, match="shapes"):
        log_rank(time, event, group[:, :1])
    with pytest.raises(ValueError, match="shapes"):
        log_rank(time, event, group, member, stratum=time[:1])
    with pytest.raises(ValueError, match="two axes"):
        log_rank(time[0], event[0], group[0])
    with pytest.raises(ValueError, match="outside"):
        log_rank(-time, event, group)
    with pytest.raises(ValueError, match="rho"):
        log_rank(time, event, group, rho=-1)
    with pytest.raises(ValueError, match="gamma"):
        log_rank(time, event, group, gamma=np.nan)
