"""Exact single-arm designs against published ones, brute force and direct simulation."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom, binom

from blinasim.statistics import single_arm
from blinasim.statistics.single_arm import BinomialPlan, TwoStage, exact_size, exact_test, lee_liu, simon


@pytest.mark.parametrize(
    ("asked", "optimal", "minimax"),
    [
        ((0.05, 0.25, 0.05, 0.20), TwoStage(0, 9, 2, 17), TwoStage(0, 12, 2, 16)),
        ((0.10, 0.30, 0.05, 0.20), TwoStage(1, 10, 5, 29), TwoStage(1, 15, 5, 25)),
        ((0.10, 0.30, 0.10, 0.10), TwoStage(1, 12, 5, 35), TwoStage(1, 16, 4, 25)),
        ((0.30, 0.50, 0.10, 0.10), TwoStage(7, 22, 17, 46), TwoStage(7, 28, 15, 39)),
    ],
)
def test_simons_tables(asked, optimal, minimax):
    assert simon(*asked) == (optimal, minimax)


def brute(p0, p1, alpha, beta, most):
    """Every two-stage design, one after another, by the definition."""
    good = []
    for n in range(2, most + 1):
        for n1 in range(1, n):
            x1 = np.arange(n1 + 1)
            for r1, r in product(range(n1), range(n)):
                if r < r1:
                    continue

                def reject(p, n=n, n1=n1, r1=r1, r=r, x1=x1):
                    goes_on = x1 > r1
                    return float(np.sum(binom.pmf(x1, n1, p) * goes_on * binom.sf(r - x1, n - n1, p)))

                if reject(p0) <= alpha and reject(p1) >= 1 - beta:
                    good.append(TwoStage(r1, n1, r, n))
    optimal = min(good, key=lambda design: design.expected_size(p0))
    least = min(design.n for design in good)
    return optimal, min((d for d in good if d.n == least), key=lambda design: design.expected_size(p0))


def test_simon_against_brute_force():
    asked = (0.1, 0.5, 0.1, 0.2)
    optimal, minimax = simon(*asked)
    assert (optimal, minimax) == brute(*asked, most=13)
    assert optimal.n < 13


@settings(max_examples=20, deadline=None)
@given(
    p0=st.floats(0.05, 0.5),
    gain=st.floats(0.2, 0.4),
    alpha=st.sampled_from([0.025, 0.05, 0.1]),
    beta=st.floats(0.1, 0.2),
)
def test_simon_keeps_its_errors(p0, gain, alpha, beta):
    p1 = p0 + gain
    for design in simon(p0, p1, alpha, beta):
        assert design.plan.characteristics(p0).success <= alpha + 1e-10
        assert design.plan.characteristics(p1).success >= 1 - beta - 1e-10
        assert design.plan.characteristics(p0).expected_size == pytest.approx(design.expected_size(p0))
        assert design.plan.characteristics(p0).stop_futility[0] == pytest.approx(design.early_stop(p0))


def test_exact_test():
    plan = exact_test(0.05, 0.025, 25)
    assert plan.success_from == (5,)
    assert plan.characteristics(0.2).success == pytest.approx(0.57932569, abs=5e-9)
    assert plan.characteristics(0.05).success == pytest.approx(binom.sf(4, 25, 0.05))
    with pytest.raises(ValueError, match="more patients"):
        exact_test(0.5, 0.01, 4)


def test_exact_size_holds_from_there_on():
    plan = exact_size(0.05, 0.2, 0.025, 0.8)
    power = [exact_test(0.05, 0.025, n).characteristics(0.2).success for n in range(plan.size - 1, plan.size + 60)]
    assert power[0] < 0.8
    assert min(power[1:]) >= 0.8


plans = st.integers(2, 12).flatmap(
    lambda size: st.tuples(st.just(size), st.integers(1, size - 1), st.integers(-1, 3), st.integers(1, 8))
)


@settings(max_examples=30, deadline=None)
@given(of=plans, rate=st.floats(0.0, 1.0))
def test_characteristics_by_enumeration(of, rate):
    """Every sequence of responses, with its probability."""
    size, first, low, high = of
    low, high = min(low, first), max(high, min(low, first) + 1)
    plan = BinomialPlan((first, size), (low, 3), (high, 4))
    success, patients = 0.0, 0.0
    for answers in product((0, 1), repeat=size):
        chance = rate ** sum(answers) * (1 - rate) ** (size - sum(answers))
        early = sum(answers[:first])
        stops = early <= low or early >= high
        success += chance * (early >= high if stops else sum(answers) >= 4)
        patients += chance * (first if stops else size)
    found = plan.characteristics(rate)
    assert found.success == pytest.approx(success, abs=1e-12)
    assert found.expected_size == pytest.approx(patients)


def test_predictive_probability():
    for n, seen in ((10, 4), (20, 9), (39, 20)):
        expected = betabinom.sf(22 - seen - 1, 40 - n, 0.5 + seen, 0.5 + n - seen)
        found = single_arm.predictive_probability(seen, n, 40, 22, (0.5, 0.5))
        assert found == pytest.approx(expected)
    assert single_arm.predictive_probability([21, 22], 40, 40, 22, (0.5, 0.5)).tolist() == [0.0, 1.0]


def test_lee_liu_limits_are_where_the_probability_crosses():
    prior, looks = (0.6, 0.4), (10, 20, 30)
    plan = lee_liu(0.6, 36, looks, posterior=0.9, futility=0.05, success=0.97, prior=prior)
    for n, low, high in zip(looks, plan.futile_at_most, plan.success_from, strict=False):
        chance = single_arm.predictive_probability(np.arange(n + 1), n, 36, plan.success_from[-1], prior)
        assert (chance[: low + 1] < 0.05).all()
        assert (chance[low + 1 :] >= 0.05).all()
        assert (chance[high:] > 0.97).all()
        assert (chance[:high] <= 0.97).all()
    rng = np.random.default_rng(5)
    answers = rng.random((100_000, 36)) < 0.75
    going, success = np.ones(100_000, dtype=bool), np.zeros(100_000, dtype=bool)
    for n, low, high in zip(plan.looks, plan.futile_at_most, plan.success_from, strict=True):
        x = answers[:, :n].sum(axis=1)
        success |= going & (x >= high)
        going &= (x > low) & (x < high)
    exact = plan.characteristics(0.75).success
    assert success.mean() == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 100_000))


def test_refusals():
    with pytest.raises(ValueError, match="above p0"):
        simon(0.3, 0.2, 0.05, 0.2)
    with pytest.raises(ValueError, match="ascending"):
        BinomialPlan((10, 10), (1, 2), (4, 3))
    with pytest.raises(ValueError, match="must decide"):
        BinomialPlan((10,), (1,), (4,))
    with pytest.raises(ValueError, match="futility < success"):
        lee_liu(0.3, 20, (10,), posterior=0.9, futility=0.5, success=0.4)
