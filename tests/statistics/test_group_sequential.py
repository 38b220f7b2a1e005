"""Boundaries against published constants, direct simulation and their own definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import multivariate_normal

from blinasim.statistics import group_sequential as gs
from blinasim.statistics.conditional_power import conditional_power, conditional_power_boundary
from blinasim.statistics.error_spending import spent as error_spent


def test_obrien_fleming_and_pocock_constants():
    fraction = np.arange(1, 4) / 3
    np.testing.assert_allclose(gs.wang_tsiatis(fraction, 0.025, 0.0), [3.4710914, 2.4544323, 2.0040356], atol=5e-8)
    # Jennison and Turnbull 2000, table 2.1: C_P(5, 0.05) = 2.413.
    np.testing.assert_allclose(gs.wang_tsiatis(np.arange(1, 6) / 5, 0.025, 0.5), np.full(5, 2.413), atol=5e-4)


def test_lan_demets_boundaries():
    fraction = np.array([0.5, 0.75, 1.0])
    found = gs.spending_boundaries(fraction, error_spent("obrien_fleming", fraction, 0.025))
    np.testing.assert_allclose(found.upper[0], [2.963, 2.359, 2.014], atol=5e-4)


def test_one_look_is_the_fixed_test():
    found = gs.spending_boundaries([1.0], [0.025])
    np.testing.assert_allclose(found.upper, [[1.959963984540054]], atol=1e-9)
    np.testing.assert_allclose(
        gs.crossing([4.0], [[1.959963984540054]], drift=1.0).success, ndtr(2.0 - 1.959964), atol=1e-7
    )


looks = st.lists(st.floats(0.05, 1.0), min_size=1, max_size=4, unique=True).map(sorted)


@settings(max_examples=15, deadline=None)
@given(
    information=looks,
    alpha=st.floats(0.001, 0.2),
    family=st.sampled_from(["obrien_fleming", "pocock", "hwang_shih_decani"]),
    gamma=st.floats(-6, 3),
)
def test_boundaries_spend_what_they_should(information, alpha, family, gamma):
    """For any looks: what crosses by each look is what the function allows; all of it at full information."""
    info = np.array(information)
    info[1:] = np.maximum(info[1:], info[:-1] + 0.01)
    fraction = info / info[-1]
    spent = error_spent(family, fraction, alpha, gamma)
    found = gs.spending_boundaries(info, spent)
    np.testing.assert_allclose(np.cumsum(gs.crossing(info, found.upper).upper[0]), spent, atol=1e-9)
    np.testing.assert_allclose(spent[-1], alpha)


@pytest.mark.parametrize("information", [[0.4, 0.7, 1.0], [0.1, 0.11, 0.95, 1.0]])
def test_crossing_against_the_multivariate_normal(information):
    """P(first crossing at k) by the joint normal distribution of the statistics, which knows no recursion."""
    info, drift = np.array(information), 1.5
    upper = gs.spending_boundaries(info, error_spent("pocock", info, 0.05)).upper[0]
    lower = np.linspace(-0.5, 0.6, info.size)
    found = gs.crossing(info, upper, lower, drift)
    covariance = np.sqrt(np.minimum.outer(info, info) / np.maximum.outer(info, info))
    mean = drift * np.sqrt(info)
    for k in range(info.size):
        part = multivariate_normal(mean[: k + 1], covariance[: k + 1, : k + 1], allow_singular=False)

        def inside(last_low, last_high, part=part, k=k):
            low, high = np.append(lower[:k], last_low), np.append(upper[:k], last_high)
            return part.cdf(high, lower_limit=low, rng=np.random.default_rng(1))

        assert found.upper[0, k] == pytest.approx(inside(upper[k], np.inf), abs=3e-5)
        last = upper[k] if k == info.size - 1 else lower[k]
        assert found.lower[0, k] == pytest.approx(inside(-np.inf, last), abs=3e-5)


@pytest.mark.parametrize("binding", [False, True])
def test_futility(binding):
    """Alpha is kept with every futility boundary obeyed if it binds, and with none obeyed if it does not."""
    info = np.array([0.4, 0.7, 1.0])
    spent, beta = error_spent("obrien_fleming", info, 0.025), error_spent("hwang_shih_decani", info, 0.1, -2.0)
    drift = gs.beta_spending_drift(info, spent, beta, binding=binding)
    found = gs.spending_boundaries(info, spent, beta_spent=beta, drift=drift, binding=binding)
    under_null = gs.crossing(info, found.upper, found.lower if binding else None)
    np.testing.assert_allclose(under_null.upper[0].cumsum(), spent, atol=1e-9)
    under_alternative = gs.crossing(info, found.upper, found.lower, drift)
    np.testing.assert_allclose(under_alternative.lower[0].cumsum(), beta, atol=1e-7)
    assert found.lower[0, -1] == found.upper[0, -1]
    free = gs.spending_boundaries(info, spent).upper[0]
    if binding:
        assert found.upper[0, -1] < free[-1]
    else:
        np.testing.assert_allclose(found.upper[0], free)


def test_information_of_each_trial():
    """Trials in a batch are what they would be alone, whatever the others are."""
    info = np.array([[100.0, 200.0, 330.0], [101.0, 202.0, 331.0], [120.0, 150.0, 330.0], [100.0, 200.0, 330.0]])
    spent = error_spent("obrien_fleming", info / 330, 0.025)
    together = gs.spending_boundaries(info, spent).upper
    for row in range(4):
        np.testing.assert_allclose(
            gs.spending_boundaries(info[row], spent[row]).upper[0], together[row], rtol=1e-9, atol=0
        )


def test_haybittle_peto_keeps_alpha():
    info = np.array([0.3, 0.6, 1.0])
    upper = gs.haybittle_peto(info, 0.025)
    np.testing.assert_allclose(upper[0, :2], 3.0)
    np.testing.assert_allclose(gs.crossing(info, upper).success, 0.025, atol=1e-10)
    with pytest.raises(ValueError, match="all of alpha"):
        gs.haybittle_peto(info, 0.025, interim_z=1.9)


def test_conditional_power_by_simulation():
    rng = np.random.default_rng(3)
    z, fraction, final, drift = 1.2, 0.6, 2.0, 2.8
    rest = rng.normal((1 - fraction) * drift, np.sqrt(1 - fraction), 400_000)
    share = np.mean(z * np.sqrt(fraction) + rest > final)
    assert conditional_power(z, fraction, final, drift) == pytest.approx(share, abs=4 * np.sqrt(0.25 / 400_000))
    for given_drift in (drift, None):
        power = conditional_power(z, fraction, final, given_drift)
        assert conditional_power_boundary(float(power), fraction, final, given_drift) == pytest.approx(z)


def test_pocock_boundaries_cost_the_published_number_of_patients():
    info = np.array([0.5, 1.0])
    upper = gs.wang_tsiatis(info, 0.025, 0.5)
    drift = brentq(lambda drift: float(gs.crossing(info, upper, drift=drift).success[0]) - 0.9, 0.0, 10.0, xtol=1e-10)
    # Jennison and Turnbull 2000, table 2.2 (Pocock, K = 2, power .9): 1.100 times the size of the fixed test.
    assert drift**2 / (1.959964 + 1.281552) ** 2 == pytest.approx(1.100, abs=5e-4)


def test_refusals():
    with pytest.raises(ValueError, match="must not fall"):
        gs.spending_boundaries([1.0, 2.0], [0.02, 0.01])
    with pytest.raises(ValueError, match="information"):
        gs.crossing([2.0, 1.0], [2.0, 2.0])
    with pytest.raises(ValueError, match="values for 2 looks"):
        gs.crossing([1.0, 2.0], [2.0, 2.0, 2.0])
