"""Intervals and Monte Carlo standard errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from blinasim.statistics.intervals import (
    clopper_pearson,
    mean_mcse,
    predictive_interval,
    proportion_mcse,
    quantile,
    quantile_mcse,
    student_quantile,
)

# ---- Student's t
# -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("freedom", "expected"), [(1, 12.7062), (10, 2.2281), (100, 1.9840), (100_000, 1.9600)])
def test_published_quantiles_of_students_t(freedom, expected):
    assert student_quantile(0.95, freedom) == pytest.approx(expected, abs=5e-5)


def test_one_value_has_no_interval():
    with pytest.raises(ValueError, match="degree of freedom"):
        student_quantile(0.95, 0)


# ---- Clopper-Pearson
# -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "n", "limits"), [(81, 189, (0.357, 0.502)), (60, 73, (0.715, 0.902)), (3, 32, (0.020, 0.250))]
)
def test_published_limits(x, n, limits):
    assert tuple(np.round(clopper_pearson(x, n), 3)) == limits


def test_limits_equal_scipy_for_every_count():
    n = 23
    lower, upper = clopper_pearson(np.arange(n + 1), n, level=0.9)
    exact = [binomtest(x, n).proportion_ci(0.9, method="exact") for x in range(n + 1)]
    np.testing.assert_allclose(lower, [limits.low for limits in exact], atol=1e-12)
    np.testing.assert_allclose(upper, [limits.high for limits in exact], atol=1e-12)


def test_limits_at_the_ends():
    lower, upper = clopper_pearson([0, 10, 0], [10, 10, 0])
    # With no success in 10 the upper limit solves (1 - p)^10 = 0.025; with none in none nothing is known.
    np.testing.assert_allclose(lower, [0, 0.025**0.1, 0])
    np.testing.assert_allclose(upper, [1 - 0.025**0.1, 1, 1])


@pytest.mark.parametrize(("x", "n"), [(-1, 5), (6, 5), (1.5, 5), (np.nan, 5)])
def test_impossible_counts_are_refused(x, n):
    with pytest.raises(ValueError, match="must"):
        clopper_pearson(x, n)
    with pytest.raises(ValueError, match="must"):
        proportion_mcse(x, n)


def test_levels_in_percent_are_refused():
    with pytest.raises(ValueError, match="level"):
        clopper_pearson(1, 5, level=95)
    with pytest.raises(ValueError, match="level"):
        predictive_interval([1.0], level=1)


# ---- quantiles and predictive intervals
# ----------------------------------------------------------------------


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30),
    st.floats(0.01, 0.99, exclude_min=True, exclude_max=True),
)
def test_finite_quantiles_are_those_of_numpy(values, p):
    assert quantile(values, p) == pytest.approx(np.quantile(values, p), rel=1e-9, abs=1e-6)


def test_infinite_values_are_larger_than_every_number():
    values = [1.0, 2.0, 3.0, np.inf, np.inf]
    assert quantile(values, 0.5) == 3.0  # the third of five, exactly
    assert quantile(values, 0.4) == pytest.approx(2.6)
    assert quantile(values, 0.6) == np.inf  # between 3 and inf
    assert quantile(values, 0.9) == np.inf  # between inf and inf


def test_rounding_of_the_position_does_not_reach_for_infinity():
    # 0.975 * 40 and its like are whole only up to rounding.
    for p in (0.025, 0.05, 0.1, 0.35, 0.7, 0.9, 0.95, 0.975):
        values = np.where(np.arange(41) <= round(40 * p), 1.0, np.inf)
        expected = 1.0 if abs(40 * p - round(40 * p)) < 1e-9 else None
        if expected is not None:
            assert quantile(values, p) == expected


def test_predictive_interval_reports_what_is_not_a_number():
    values = np.concatenate([np.arange(1.0, 38.0), [np.inf] * 4, [np.nan] * 3])
    found = predictive_interval(values, level=0.8)
    # 41 values: positions 4, 20 and 36 from 0.
    assert (found.lower, found.median, found.upper) == (5.0, 21.0, 37.0)
    assert (found.n_values, found.n_infinite, found.n_missing) == (41, 4, 3)
    assert predictive_interval(values, level=0.95).upper == np.inf


def test_predictive_interval_of_nothing():
    found = predictive_interval([np.nan, np.nan])
    assert np.isnan([found.lower, found.median, found.upper]).all()
    assert (found.n_values, found.n_infinite, found.n_missing) == (0, 0, 2)


@pytest.mark.parametrize("bad", [np.nan, -np.inf])
def test_values_without_order_are_refused(bad):
    for function in (mean_mcse, quantile_mcse, lambda values: quantile(values, 0.5)):
        with pytest.raises(ValueError, match="nan or -inf"):
            function([1.0, 2.0, bad])


# ---- Monte Carlo standard errors
# -----------------------------------------------------------------------------


def test_standard_error_of_a_mean():
    # Mean 4, squared distances 9 + 1 + 1 + 9 = 20, variance 20 / 3, over 4 replications 5 / 3.
    assert mean_mcse([1, 3, 5, 7]) == pytest.approx(np.sqrt(5 / 3))
    assert np.isnan(mean_mcse([5.0]))
    assert np.isnan(mean_mcse([5.0, 6.0, np.inf]))


def test_standard_error_of_a_proportion():
    np.testing.assert_allclose(proportion_mcse([25, 0, 100], 100), [np.sqrt(0.25 * 0.75 / 100), 0, 0])
    assert np.isnan(proportion_mcse(0, 0))


@pytest.mark.parametrize(("p", "factor"), [(0.5, 1.2533), (0.1, 1.7094), (0.975, 2.6714)])
def test_standard_error_of_a_quantile_is_the_spread_over_repetitions(p, factor):
    # Large samples of a standard normal: sqrt(p (1 - p)) / density(quantile) / sqrt(R). The ranks are rounded
    # outwards, so what is claimed is a little too large, never too small.
    samples = np.random.default_rng(11).standard_normal((300, 2000))
    claimed = np.mean([quantile_mcse(sample, p) for sample in samples])
    assert 1.0 < claimed / (factor / np.sqrt(2000)) < 1.08
    assert claimed == pytest.approx(np.std([quantile(sample, p) for sample in samples]), rel=0.15)


def test_standard_error_of_a_quantile_with_infinite_values():
    values = np.arange(1.0, 101.0)
    few = np.where(values > 80, np.inf, values)
    half = np.where(values > 51, np.inf, values)
    most = np.where(values > 20, np.inf, values)
    assert quantile_mcse(few) == quantile_mcse(values)
    assert quantile_mcse(half) == np.inf
    assert np.isnan(quantile_mcse(most))
    assert np.isnan(quantile_mcse([3.0]))
