"""Hazard ratios, MaxCombo, restricted means, milestones and sizes: by hand, by lifelines, by direct simulation."""

import numpy as np
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter, datasets
from lifelines.utils import restricted_mean_survival_time
from scipy.integrate import quad

from blinasim.statistics.differences import milestone_difference, rmst_difference
from blinasim.statistics.hazard_ratio import hazard_ratio
from blinasim.statistics.illness_death import IllnessDeath
from blinasim.statistics.logrank import log_rank
from blinasim.statistics.max_combo import max_combo, some_above
from blinasim.statistics.sample_size import schoenfeld_events, schoenfeld_power


@pytest.fixture
def lung():
    data = datasets.load_lung()
    return data["time"].to_numpy()[np.newaxis], data["status"].to_numpy()[np.newaxis] == 1, data["sex"].to_numpy() == 2


@pytest.fixture
def batch():
    """Three trials of 60 patients in two groups and two strata, with many ties."""
    rng = np.random.default_rng(11)
    time, event = rng.integers(1, 15, (3, 60)), rng.random((3, 60)) < 0.7
    return time, event, rng.random((3, 60)) < 0.4, rng.integers(0, 2, (3, 60))


def test_hazard_ratio_of_lung(lung):
    time, event, woman = lung
    found = hazard_ratio(time, event, woman[np.newaxis])
    assert found.log[0] == pytest.approx(-0.53102, abs=5e-6)  # R survival, Efron
    assert found.standard_error[0] == pytest.approx(0.16718, abs=5e-6)


@pytest.mark.parametrize("stratified", [False, True])
def test_hazard_ratio_by_lifelines(batch, stratified):
    import pandas as pd

    time, event, group, stratum = batch
    found = hazard_ratio(time, event, group, stratum=stratum if stratified else None)
    for row in range(3):
        frame = pd.DataFrame(
            {"time": time[row], "event": event[row], "group": group[row].astype(float), "stratum": stratum[row]}
        )
        strata = ["stratum"] if stratified else None
        if not stratified:
            frame = frame.drop(columns="stratum")
        judge = CoxPHFitter().fit(frame, "time", "event", strata=strata, fit_options={"precision": 1e-12})
        assert found.log[row] == pytest.approx(judge.params_["group"], abs=1e-5)
        assert found.standard_error[row] == pytest.approx(judge.standard_errors_["group"], abs=1e-5)


def test_hazard_ratio_by_hand():
    # day 1: the group has the event, 2 against 1 at risk; day 2: the other, 1 against 1. Score 1 - 2e/(2e+1) - e/(e+1)
    # is 0 at 2 e ** 2 = 1.
    found = hazard_ratio(np.array([[1, 2, 3]]), np.array([[True, True, False]]), np.array([[True, False, True]]))
    assert found.ratio[0] == pytest.approx(1 / np.sqrt(2))


def test_hazard_ratio_without_an_answer():
    time, event = np.array([[1, 2, 3, 4]] * 2), np.array([[True, True, False, False], [False] * 4])
    found = hazard_ratio(time, event, np.array([[True, True, False, False]] * 2))
    assert found.log[0] == np.inf
    assert np.isnan(found.log[1])
    lower, upper = found.interval()
    assert lower.tolist() == [0.0, 0.0]
    assert upper.tolist() == [np.inf, np.inf]


def test_max_combo_holds_the_single_tests(batch):
    time, event, group, stratum = batch
    weights = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))
    for strata in (None, stratum):
        found = max_combo(time, event, group, weights=weights, stratum=strata)
        for number, (rho, gamma) in enumerate(weights):
            alone = log_rank(time, event, group, rho=rho, gamma=gamma, stratum=strata)
            np.testing.assert_allclose(found.z[:, number], alone.z)
    one = max_combo(time, event, group, weights=[(0.0, 0.0)])
    np.testing.assert_allclose(one.p_value(1.0) + one.p_value(-1.0), 1.0)


def test_max_combo_with_a_singular_covariance(lung):
    """Its p value against draws from the very correlation, whose rank is 2 for three statistics."""
    time, event, woman = lung
    found = max_combo(time, event, woman[np.newaxis], weights=((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)))
    values, vectors = np.linalg.eigh(found.correlation[0])
    assert values[0] == pytest.approx(0.0, abs=1e-12)
    draws = np.random.default_rng(1).normal(size=(2_000_000, 2)) @ (vectors[:, 1:] * np.sqrt(values[1:])).T
    share = np.mean(draws.max(axis=1) > (-found.z).max())
    assert found.p_value(-1.0)[0] == pytest.approx(share, abs=5 * np.sqrt(share / 2_000_000))


@pytest.mark.parametrize("limit", [-0.6, 0.0, 0.7, 2.5])
@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_some_above_by_simulation(rank, limit):
    rng = np.random.default_rng(rank)
    factor = rng.normal(size=(4, rank)) + 0.8
    factor /= np.linalg.norm(factor, axis=1)[:, np.newaxis]
    found = some_above((factor @ factor.T)[np.newaxis], np.array([limit]))[0]
    share = np.mean((rng.normal(size=(400_000, rank)) @ factor.T).max(axis=1) > limit)
    assert found == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 400_000) + 1e-6)


def test_differences(lung):
    time, event, woman = lung
    found = rmst_difference(time, event, woman[np.newaxis], tau_days=965)
    assert found.value[0] == pytest.approx(455.9041 - 324.0484, abs=1e-4)  # R survRM2
    assert found.standard_error[0] == pytest.approx(np.hypot(22.29794, 32.91742), abs=2e-5)
    fits = [KaplanMeierFitter().fit(time[0][who], event[0][who]) for who in (woman, ~woman)]
    means = [restricted_mean_survival_time(fit, 965) for fit in fits]
    assert found.value[0] == pytest.approx(means[0] - means[1])
    at = milestone_difference(time, event, woman[np.newaxis], day=365)
    assert at.value[0] == pytest.approx(fits[0].predict(365) - fits[1].predict(365))
    assert at.standard_error[0] == pytest.approx(0.0738519, abs=1e-6)


def test_sizes():
    assert schoenfeld_events(0.7, 0.025, 0.9) == pytest.approx(330.378, abs=5e-4)
    assert schoenfeld_events(0.7, 0.025, 0.9, ratio=2.0) == pytest.approx(371.675, abs=5e-4)
    assert schoenfeld_power(0.7, 0.025, schoenfeld_events(0.7, 0.025, 0.83)) == pytest.approx(0.83)
    assert schoenfeld_power(0.7, 0.025, 330, ratio=2.0) == pytest.approx(0.863, abs=5e-4)


def test_illness_death():
    assert IllnessDeath(0.7, 0.5, 0.8).overall_survival(1.0) == pytest.approx(0.56043, abs=5e-6)
    model = IllnessDeath(0.11, 0.03, 0.10)
    assert model.progression_free_median == pytest.approx(4.951, abs=5e-4)
    assert model.overall_median == pytest.approx(12.057, abs=5e-4)
    assert model.overall_mean == pytest.approx(15.0)
    assert quad(model.overall_survival, 0, 500)[0] == pytest.approx(15.0)
    one = IllnessDeath(0.5, 0.3, 0.8)  # the hazards of leaving are one: a limit of the formula
    assert one.overall_survival(2.0) == pytest.approx(float(IllnessDeath(0.5, 0.3, 0.8 + 1e-7).overall_survival(2.0)))
