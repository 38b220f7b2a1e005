"""Cox's model with late entry: hand-worked likelihoods, R's and lifelines' answers, and the batch."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter, CoxTimeVaryingFitter, KaplanMeierFitter
from lifelines.datasets import load_stanford_heart_transplants

from blinasim.statistics import cox
from blinasim.statistics.counting import Rows, extended_kaplan_meier


def fitted(start: list[float], stop: list[float], event: list[int], x: list[float], **options) -> tuple[float, float]:
    found = cox.fit(
        np.array([start], dtype=float),
        np.array([stop], dtype=float),
        np.array([event]) > 0,
        np.array([x], dtype=float)[..., np.newaxis],
        **options,
    )
    assert found.converged.all()
    return float(found.coefficient[0, 0]), float(found.standard_error[0, 0])


def test_hand_worked_without_ties() -> None:
    # L = r / (2 r + 1) * 1 / (1 + r): largest at r^2 = 1/2. Information: q (1 - q), summed, q = 2r/(2r+1), r/(1+r).
    value, error = fitted([0, 0, 0], [1, 2, 3], [1, 1, 1], [1, 0, 1])
    r = np.sqrt(0.5)
    assert value == pytest.approx(np.log(r), abs=1e-7)
    shares = np.array([2 * r / (2 * r + 1), r / (1 + r)])
    assert error == pytest.approx(1 / np.sqrt((shares * (1 - shares)).sum()), abs=1e-6)


def test_hand_worked_ties() -> None:
    # Two events on one day, one of them in the group: Breslow r / (r + 2)^2, Efron 2 r / ((r + 2) (r + 3)).
    data = ([0, 0, 0], [1, 1, 2], [1, 1, 0], [1, 0, 0])
    assert fitted(*data, ties="breslow")[0] == pytest.approx(np.log(2), abs=1e-6)
    assert fitted(*data, ties="efron")[0] == pytest.approx(0.5 * np.log(6), abs=1e-6)


def test_who_enters_later_is_not_at_risk_before_and_who_enters_at_the_event_neither() -> None:
    before = ([0, 0, 0], [1, 2, 3], [1, 1, 1], [1, 0, 1])
    late = ([0, 0, 0, 1, 5], [1, 2, 3, 1.5, 7], [1, 1, 1, 0, 0], [1, 0, 1, 1, 0])
    assert fitted(*late) == pytest.approx(fitted(*before), abs=1e-9)


def test_stanford_heart_transplants() -> None:
    data = load_stanford_heart_transplants()
    start, stop, event, transplant = (data[name].tolist() for name in ("start", "stop", "event", "transplant"))
    value, error = fitted(start, stop, event, transplant)
    assert (value, error) == (pytest.approx(0.12714, abs=5e-6), pytest.approx(0.30114, abs=5e-6))
    ever = data.groupby("id").agg(stop=("stop", "max"), event=("event", "max"), transplant=("transplant", "max"))
    naive, _ = fitted([-1.0] * len(ever), ever["stop"].tolist(), ever["event"].tolist(), ever["transplant"].tolist())
    assert np.exp(naive) == pytest.approx(0.266, abs=5e-4)


def test_as_lifelines_with_several_covariates_that_change() -> None:
    data = load_stanford_heart_transplants()
    names = ["age", "year", "surgery", "transplant"]
    judge = CoxTimeVaryingFitter().fit(data, id_col="id", event_col="event", start_col="start", stop_col="stop")
    found = cox.fit(
        data["start"].to_numpy()[np.newaxis],
        data["stop"].to_numpy()[np.newaxis],
        data["event"].to_numpy()[np.newaxis] > 0,
        data[names].to_numpy(dtype=float)[np.newaxis],
    )
    np.testing.assert_allclose(found.coefficient[0], judge.params_[names], atol=1e-6)
    np.testing.assert_allclose(found.standard_error[0], judge.standard_errors_[names], atol=1e-6)


def drawn(trials: int, patients: int, seed: int) -> tuple[np.ndarray, ...]:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(trials, patients, 3))
    time = np.ceil(generator.exponential(20 * np.exp(-0.5 * x[..., 0]))).astype(np.int32)
    return np.full(time.shape, -1), time, generator.random(time.shape) < 0.7, x, generator.random(time.shape) < 0.8


def test_as_lifelines_with_many_ties() -> None:
    _, time, event, x, _ = drawn(3, 80, 1)
    found = cox.fit(np.full(time.shape, -1), time, event, x)
    for trial in range(3):
        table = pd.DataFrame(x[trial], columns=list("abc")).assign(time=time[trial], event=event[trial])
        judge = CoxPHFitter().fit(table, "time", "event")
        np.testing.assert_allclose(found.coefficient[trial], judge.params_, atol=1e-5)
        np.testing.assert_allclose(found.standard_error[trial], judge.standard_errors_, atol=1e-5)
        assert found.log_likelihood[trial] == pytest.approx(judge.log_likelihood_, abs=1e-6)


def test_a_trial_does_not_depend_on_the_others_of_its_batch() -> None:
    start, time, event, x, member = drawn(6, 60, 2)
    member[3, 10:] = False
    whole = cox.fit(start, time, event, x, member)
    for trial in range(6):
        one = slice(trial, trial + 1)
        alone = cox.fit(start[one], time[one], event[one], x[one], member[one])
        assert alone.coefficient.tobytes() == whole.coefficient[one].tobytes()
        assert alone.standard_error.tobytes() == whole.standard_error[one].tobytes()


def test_what_cannot_be_estimated_is_said() -> None:
    start, time, event, x, _ = drawn(1, 40, 3)
    same = x.copy()
    same[..., 1] = 4.0
    found = cox.fit(start, time, event, same)
    assert np.isnan(found.coefficient[0, 1])
    two = cox.fit(start, time, event, same[..., [0, 2]])
    np.testing.assert_allclose(found.coefficient[0, [0, 2]], two.coefficient[0], atol=1e-8)
    nothing = cox.fit(start, time, np.zeros_like(event), x)
    assert np.isnan(nothing.coefficient).all()
    assert nothing.converged.all()
    group = (np.arange(40) % 2 == 0)[np.newaxis]
    separated = cox.fit(start, time, event & ~group, group[..., np.newaxis].astype(float))
    assert separated.coefficient[0, 0] < -5
    assert separated.standard_error[0, 0] > 20


def test_a_ridge_shrinks_and_bad_input_is_refused() -> None:
    start, time, event, x, _ = drawn(1, 40, 4)
    free, shrunk = (cox.fit(start, time, event, x, ridge=ridge).coefficient for ridge in (0.0, 50.0))
    assert np.abs(shrunk).max() < np.abs(free).max()
    with pytest.raises(ValueError, match="ties must be"):
        cox.fit(start, time, event, x, ties="exact")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="begin before it ends"):
        cox.fit(time, time, event, x)
    with pytest.raises(ValueError, match="covariates must have shape"):
        cox.fit(start, time, event, x[..., 0])


def test_extended_kaplan_meier_is_kaplan_meier_with_late_entry() -> None:
    generator = np.random.default_rng(5)
    entry = generator.integers(0, 20, size=(4, 50))
    time = entry + generator.integers(1, 40, size=(4, 50))
    event = generator.random((4, 50)) < 0.6
    rows = Rows.of(entry, time, event)
    everybody = extended_kaplan_meier(rows, rows.member)
    for trial in range(4):
        judge = KaplanMeierFitter().fit(time[trial], event[trial], entry=entry[trial])
        for day in (5, 20, 35, 50):
            survival, *_ = everybody.on(day)
            assert survival[trial] == pytest.approx(float(judge.predict(day)), abs=1e-9)
