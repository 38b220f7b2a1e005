"""Estimators of a treatment begun on the way: hand-worked cases, clones and weights, the jackknife, and a null."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from blinasim.statistics import exposure, survival
from blinasim.statistics.clone_weight import strategies
from blinasim.statistics.exposure import NEVER, Exposure
from blinasim.statistics.performance import performance


def one_trial(
    time: list[int],
    event: list[int],
    treated: list[int],
    broken: list[int] | None = None,
    eligible: list[int] | None = None,
) -> Exposure:
    patients = len(time)
    return Exposure(
        time_days=np.array([time], dtype=np.int32),
        event=np.array([event]) > 0,
        treated_day=np.array([treated], dtype=np.int32),
        broken_day=np.array([broken or [-1] * patients], dtype=np.int32),
        eligible=np.array([eligible or [1] * patients]) > 0,
        covariates=np.zeros((1, patients, 0)),
        member=np.ones((1, patients), dtype=bool),
    )


#: Treated on day 2; in the state until death; broken on day 1, dead on days 3 and 5.
FOUR = one_trial([6, 4, 3, 5], [1, 1, 1, 1], [2, -1, -1, -1], [-1, -1, 1, 1])


def test_clones_by_hand() -> None:
    # Day 2: one of the two in the state is treated, so that the other stands for both from then on.
    # Never: day 3: 1 of 2 + 1 + 1; day 4: 2 of 2 + 1. Prompt: day 3: 1 of 2 + 1 + 1; day 5: 1 of 2 + 1.
    on_day = {day: strategies(FOUR, day, 2, groups=0) for day in (3, 4, 5)}
    assert [float(one.never.value[0]) for one in on_day.values()] == pytest.approx([0.75, 0.25, 0.0])
    assert [float(one.prompt.value[0]) for one in on_day.values()] == pytest.approx([0.75, 0.75, 0.5], abs=1e-5)
    assert [float(one.practised.value[0]) for one in on_day.values()] == pytest.approx([0.75, 0.5, 0.25])
    censored = exposure.censored_at_treatment(FOUR, 4)
    assert censored.value[0] == pytest.approx(2 / 3 * 1 / 2)
    whole = on_day[4]
    assert whole.practised_less_never.value[0] == whole.practised.value[0] - whole.never.value[0]


def test_those_who_may_not_be_treated_are_not_censored_for_it() -> None:
    # The second may not: then nobody is censored at the end of grace.
    barred = one_trial([6, 4, 3, 5], [1, 1, 1, 1], [2, -1, -1, -1], [-1, -1, 1, 1], [1, 0, 1, 1])
    assert strategies(barred, 5, 2, groups=0).prompt.value[0] == pytest.approx(0.25, abs=1e-5)


def test_weights_that_know_nothing_leave_the_censored_curve_as_it_is() -> None:
    # With one hazard of treatment for all, weighted and unweighted ratios are the same.
    data = random_trials(5, 60, 1)
    plain = replace(data, broken_day=np.full_like(data.broken_day, -1), covariates=data.covariates[..., :0])
    weighted = strategies(plain, 40, 10, groups=0).never.value
    np.testing.assert_allclose(weighted, exposure.censored_at_treatment(plain, 40).value, atol=1e-12)


def test_the_jackknife_of_a_share_is_the_standard_error_of_a_mean() -> None:
    time = [3, 9, 4, 12, 30, 31, 32, 33, 34, 35]
    data = one_trial(time, [1] * 10, [-1] * 10)
    found = strategies(data, 20, 5)
    share = 0.6
    assert found.practised.value[0] == pytest.approx(share)
    assert found.practised.standard_error[0] == pytest.approx(np.sqrt(share * (1 - share) / 9))


def random_trials(trials: int, patients: int, seed: int) -> Exposure:
    generator = np.random.default_rng(seed)
    shape = (trials, patients)
    time = generator.integers(1, 80, size=shape).astype(np.int32)
    treated = np.where(generator.random(shape) < 0.5, generator.integers(0, 60, size=shape), -1).astype(np.int32)
    broken = np.where(generator.random(shape) < 0.4, generator.integers(0, 60, size=shape), -1).astype(np.int32)
    return Exposure(
        time_days=time,
        event=generator.random(shape) < 0.7,
        treated_day=treated,
        broken_day=broken,
        eligible=generator.random(shape) < 0.8,
        covariates=generator.normal(size=(*shape, 2)),
        member=generator.random(shape) < 0.9,
    )


def test_a_trial_does_not_depend_on_the_others_of_its_batch() -> None:
    data = random_trials(4, 50, 2)
    whole = strategies(data, 40, 15, groups=10)
    for trial in range(4):
        alone = strategies(data.trials(slice(trial, trial + 1)), 40, 15, groups=10)
        for item in fields(alone):
            one, other = getattr(alone, item.name), getattr(whole, item.name)
            np.testing.assert_array_equal(one.value[0], other.value[trial])
            np.testing.assert_allclose(one.standard_error[0], other.standard_error[trial], rtol=1e-12)


def test_packing_and_pooling_change_nobody() -> None:
    data = random_trials(4, 50, 3)
    packed = data.packed()
    assert packed.member.sum() == data.member.sum()
    for estimator in (exposure.ever_against_never, exposure.time_dependent):
        np.testing.assert_allclose(estimator(packed).value, estimator(data).value, rtol=1e-9)
    pooled = data.pooled(3)
    assert pooled.member.sum(axis=1).tolist() == [data.member[:3].sum(), data.member[3:].sum()]


def test_a_group_that_has_wholly_died_has_survival_0() -> None:
    # Treated on day 1, dead on days 4 and 5; of the others one dies on day 3 and one is alive on day 9.
    data = one_trial([4, 5, 3, 9], [1, 1, 1, 0], [1, 1, -1, -1])
    found = exposure.simon_makuch(data, 2, 8)
    assert found.value[0] == pytest.approx(0.0 - 0.5)
    assert found.standard_error[0] == pytest.approx(np.sqrt(0.5**2 * (1 / (2 * 1))))


def test_simon_makuch_by_hand() -> None:
    # From day 2: treated on day 1 (dies 5), on day 4 (alive 9), never (dies 3), never (alive 9).
    data = one_trial([5, 9, 3, 9], [1, 0, 1, 0], [1, 4, -1, -1])
    # Treated: on day 5 one of two dies. Not yet: on day 3 one of three (the later treated is among them).
    found = exposure.simon_makuch(data, 2, 8)
    assert found.value[0] == pytest.approx(1 / 2 - 2 / 3)
    # Greenwood: S^2 d / (n (n - d)) in each group.
    assert found.standard_error[0] == pytest.approx(np.sqrt(0.25 / 2 + (2 / 3) ** 2 / 6))


def test_ever_and_landmark_differences_by_hand() -> None:
    data = one_trial([5, 9, 3, 9], [1, 0, 1, 0], [1, 4, -1, -1])
    assert exposure.ever_against_never_difference(data, 8).value[0] == pytest.approx(1 / 2 - 1 / 2)
    # Alive on day 2: all. Treated by then: the first, dead by day 8; of the others one of three.
    assert exposure.landmark_difference(data, 2, 8).value[0] != exposure.landmark_difference(data, 2, 4).value[0]
    later = exposure.landmark_difference(data, 4, 6)
    assert np.isnan(later.standard_error[0]) or later.value[0] == pytest.approx(1 / 2 - 1.0)


def test_a_treatment_on_the_day_of_death_is_none_and_one_on_the_day_of_censoring_is_one() -> None:
    data = one_trial([5, 5], [1, 0], [5, 5])
    assert data.treated.tolist() == [[NEVER, 5]]


def test_the_whole_curve_without_treatment_is_kaplan_meier() -> None:
    data = random_trials(3, 40, 4)
    fitted = survival.fit(data.time_days, data.event, data.member)
    np.testing.assert_allclose(exposure.kaplan_meier(data, 30).value, survival.survival_at(fitted, 30))
    np.testing.assert_allclose(strategies(data, 30, 10, groups=0).practised.value, survival.survival_at(fitted, 30))


def illness_and_death(patients: int, seed: int) -> Exposure:
    """Remission, relapse and death; a treatment without effect is begun only in remission."""
    generator = np.random.default_rng(seed)
    relapse = np.ceil(generator.exponential(120, patients)).astype(np.int32)
    death = relapse + np.ceil(generator.exponential(90, patients)).astype(np.int32)
    wish = np.ceil(generator.exponential(80, patients)).astype(np.int32)
    treated = np.where(wish < relapse, wish, -1).astype(np.int32)
    end = np.minimum(death, 400).astype(np.int32)
    return Exposure(
        time_days=end[np.newaxis],
        event=(death <= 400)[np.newaxis],
        treated_day=treated[np.newaxis],
        broken_day=np.where(relapse <= end, relapse, -1).astype(np.int32)[np.newaxis],
        eligible=np.ones((1, patients), dtype=bool),
        covariates=np.zeros((1, patients, 0)),
        member=np.ones((1, patients), dtype=bool),
    )


def test_under_a_null_relapse_confounds_all_but_the_weighted_clones() -> None:
    data = illness_and_death(12_000, 6)
    naive, so_far = exposure.ever_against_never(data), exposure.time_dependent(data)
    assert naive.value[0] < so_far.value[0] < -8 * so_far.standard_error[0]
    weighted = strategies(data, 200, 60, groups=0)
    truth = float((data.time_days > 200).mean())
    mistaken = exposure.censored_at_treatment(data, 200)
    assert abs(mistaken.value[0] - truth) > 8 * mistaken.standard_error[0]
    # The weights leave about a third of the patients, from whom a share has this error.
    error = np.sqrt(truth * (1 - truth) / (12_000 / 4))
    assert abs(weighted.never.value[0] - truth) < 3 * error
    assert abs(weighted.prompt.value[0] - truth) < 3 * error


def test_without_relapse_in_the_weights_the_clones_are_wrong_too() -> None:
    data = illness_and_death(12_000, 6)
    blind = replace(data, broken_day=np.full_like(data.broken_day, -1))
    truth = float((data.time_days > 200).mean())
    assert strategies(blind, 200, 60, groups=0).never.value[0] < truth - 0.03


def test_the_period_of_grace_ends_before_the_day() -> None:
    with pytest.raises(ValueError, match="grace_days"):
        strategies(FOUR, 4, 4)


def test_performance_by_hand() -> None:
    estimate, error = np.array([1.0, 2.0, 3.0, np.nan]), np.array([1.0, 0.1, 2.0, 1.0])
    found = performance(estimate, error, truth=1.5)
    assert (found.trials, found.failures) == (4, 1)
    assert found.bias.value == pytest.approx(0.5)
    assert found.empirical_se.value == pytest.approx(1.0)
    assert found.bias.mcse == pytest.approx(1 / np.sqrt(3))
    assert found.empirical_se.mcse == pytest.approx(1 / 2)
    assert found.model_se.value == pytest.approx(np.sqrt((1 + 0.01 + 4) / 3))
    assert found.coverage.value == pytest.approx(2 / 3)
    assert found.coverage.mcse == pytest.approx(np.sqrt(2 / 27))
    assert found.rejection.value == pytest.approx(1 / 3)
    assert found.most == pytest.approx((1.05, 2.95))  # a twentieth of the way from 1 to 2, and from 3 to 2
    assert np.isnan(performance(estimate, error, truth=np.nan).coverage.value)
