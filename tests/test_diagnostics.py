"""Diagnostics of a calibration: what was learnt, its Monte Carlo error, and each figure judged by the others."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from blinasim.inference.calibrate import problem_of
from blinasim.inference.diagnostics import (
    agreement,
    contraction,
    correlations,
    learnt,
    mean_worth,
    weighted_quantiles,
)
from blinasim.inference.leave_one_out import LeftOut, leave_one_out
from blinasim.inference.likelihood import Examined, Problem, examine, log_likelihoods
from blinasim.inference.posterior import Posterior
from blinasim.inference.priors import normal_score, quantile
from blinasim.inference.study import SUMMARIES, TERMS, mortality_of
from blinasim.inference.targets import load_targets
from blinasim.model.catalogue import parameter_catalogue
from blinasim.model.parameters import Structure
from posteriors import small_posterior

NAME = "response.cycle_1_share"


@cache
def problem() -> Problem:
    return problem_of(4, Structure(), only=(NAME, "response.probability"))[0]


@cache
def examined() -> Examined:
    return Examined.of(examine(problem(), (points(), range(60))))


def points() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((40, 2))


def test_what_is_examined_adds_up_to_the_likelihood() -> None:
    whole = log_likelihoods(problem(), (points(), range(60)))
    np.testing.assert_allclose(examined().log_likelihood(problem().observed), whole, rtol=1e-10)
    assert sum(examined().cells(term.name).shape[1] for term in TERMS) == examined().log_cells.shape[1]
    np.testing.assert_allclose(np.exp(examined().cells("fate")).sum(axis=1), 1.0)


def test_the_mortality_by_day_100_comes_back_from_its_excess() -> None:
    observed = problem().observed
    limits = mortality_of(np.array([observed.lower[-1], observed.upper[-1]]), observed)
    np.testing.assert_allclose(limits, (0.105, 0.115))


def conjugate(draws: int = 40_000) -> tuple[Examined, np.ndarray, np.ndarray]:
    """Draws of the exact posterior of the share of remissions in cycle 1, given 62 of 77 alone."""
    prior = parameter_catalogue()[NAME].prior
    assert prior.a is not None
    assert prior.b is not None
    share = stats.beta(prior.a + 62, prior.b + 15).rvs(draws, random_state=3)
    one = examined()
    cells = np.tile(one.log_cells[:1], (draws, 1))
    first = 0
    for term in TERMS:
        if term.name == "cycle_1":
            cells[:, first], cells[:, first + 1] = np.log(share), np.log1p(-share)
        first += len(term.cells)
    alone = Examined(
        cells,
        np.zeros(draws),
        np.zeros((draws, len(SUMMARIES))),
        np.tile(one.centre[:1], (draws, 1)),
        np.tile(one.spread[:1], (draws, 1)),
    )
    return alone, np.full(draws, 1.0 / draws), normal_score(prior, share)[:, np.newaxis]


def row(found: tuple[LeftOut, ...], figure: str, among: str = "") -> LeftOut:
    return next(one for one in found if one.figure == figure and among in one.among)


def test_a_count_left_out_is_predicted_by_its_prior_predictive_distribution() -> None:
    alone, weights, z = conjugate()
    found = leave_one_out(alone, problem().observed, weights, z, (NAME,))
    one = row(found, "remission in cycle 1")
    prior = parameter_catalogue()[NAME].prior
    exact = stats.betabinom(77, prior.a, prior.b)
    assert (one.published, one.of, one.moved) == (62.0, 77, NAME)
    below = exact.cdf(61) + exact.pmf(62) / 2
    assert one.tail == pytest.approx(2 * min(below, 1 - below), abs=0.06)
    assert one.median == pytest.approx(exact.median(), abs=3)
    assert one.moved_by < 0  # without its 81 % the share is the prior's, 75 %
    # The other terms do not depend on the parameter: leaving them out changes nothing.
    other = row(found, "MRD-negative")
    assert other.moved_by == pytest.approx(0.0, abs=1e-9)


def test_a_summary_left_out_lies_where_the_others_say() -> None:
    alone, weights, z = conjugate(500)
    observed = problem().observed
    middle = (observed.lower + observed.upper) / 2
    for shift, expected in ((0.0, 1.0), (1.959964, 0.05), (-1.959964, 0.05)):
        placed = replace(alone, centre=np.tile(middle + shift * 0.2, (500, 1)), spread=np.full((500, 5), 0.2))
        one = row(leave_one_out(placed, observed, weights, z, (NAME,)), "os")
        assert one.tail == pytest.approx(expected, abs=0.002)
        assert one.published == pytest.approx(6.1, abs=0.01)
        assert one.median == pytest.approx(6.1 * np.exp(shift * 0.2), rel=0.01)
        assert one.upper == pytest.approx(6.1 * np.exp((shift + 1.959964) * 0.2), rel=0.01)


def test_independent_draws_are_worth_their_number_and_repeated_ones_no_more() -> None:
    z = np.random.default_rng(2).standard_normal((2_000, 3))
    assert mean_worth(z, np.full(2_000, 1 / 2_000)) == pytest.approx(2_000.0, rel=1e-9)
    twice = np.concatenate([z, z])
    assert mean_worth(twice, np.full(4_000, 1.0), kept_sweeps=2) == pytest.approx(2_000.0, rel=1e-9)
    weights = np.random.default_rng(3).gamma(1.0, size=2_000)
    assert mean_worth(z, weights) == pytest.approx(1_000.0, rel=0.12)  # 1 / E[w^2] of an exponential


def test_the_worth_of_draws_is_the_error_that_repetitions_show() -> None:
    generator = np.random.default_rng(4)
    means, worth = [], []
    for _ in range(400):
        first = generator.standard_normal((150, 1))
        second = 0.6 * first + 0.8 * generator.standard_normal((150, 1))
        both = np.concatenate([first, second])
        means.append(both.mean())
        worth.append(mean_worth(both, np.full(300, 1.0), kept_sweeps=2)[0])
    assert np.mean(worth) == pytest.approx(1.0 / np.var(means), rel=0.2)


def gaussian(mean: float, sd: float, draws: int = 4_000, seed: int = 0) -> Posterior:
    """Draws that have learnt about one parameter, two of the others being the same number."""
    there = small_posterior(draws, seed=seed)
    frame = there.draws.copy()
    generator = np.random.default_rng(seed)
    catalogue = parameter_catalogue()
    z = mean + sd * generator.standard_normal(draws)
    frame["weight"] = 1.0 / draws
    for name in ("relapse.median_days", "relapse.shape"):
        frame[name] = quantile(catalogue[name].prior, z)
    return Posterior(pd.DataFrame(frame), Structure(), 0.0, 0.1, (), {})


def test_what_was_learnt_is_counted_in_the_units_of_the_prior() -> None:
    found = {one.name: one for one in learnt(gaussian(0.7, 0.5))}
    one = found["relapse.median_days"]
    prior = parameter_catalogue()["relapse.median_days"].prior
    assert one.contraction == pytest.approx(0.75, abs=0.02)
    assert one.z_score == pytest.approx(0.7, abs=0.03)
    assert one.prior_median == pytest.approx(prior.median)
    assert one.median == pytest.approx(float(quantile(prior, np.array(0.7))), rel=0.02)
    assert one.lower == pytest.approx(float(quantile(prior, np.array(0.7 - 0.98))), rel=0.03)
    assert one.mcse == pytest.approx(1 / np.sqrt(4_000), rel=1e-6)
    np.testing.assert_allclose(contraction(np.zeros((5, 2)), np.full(5, 0.2)), 1.0)


def test_parameters_that_are_tied_are_listed_first() -> None:
    first = correlations(gaussian(0.0, 1.0))[0]
    assert {first.first, first.second} == {"relapse.median_days", "relapse.shape"}
    assert first.correlation == pytest.approx(1.0)


def test_two_calibrations_agree_or_do_not() -> None:
    same = agreement(gaussian(0.5, 0.3, seed=1), gaussian(0.5, 0.3, seed=2))
    one = next(each for each in same if each.name == "relapse.shape")
    assert one.agrees
    assert one.error == pytest.approx(np.sqrt(2 / 4_000), rel=0.01)
    moved = agreement(gaussian(0.5, 0.3, seed=1), gaussian(0.6, 0.3, seed=2))
    assert not next(each for each in moved if each.name == "relapse.shape").agrees


def test_weighted_quantiles_worked_by_hand() -> None:
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([0.2, 0.5, 0.3])
    assert weighted_quantiles(values, weights, (0.5, 0.51, 0.8, 0.81)) == [1.0, 2.0, 2.0, 3.0]


def test_every_fitted_figure_is_left_out_once() -> None:
    alone, weights, z = conjugate(50)
    found = leave_one_out(alone, problem().observed, weights, z, (NAME,))
    cells = sum(1 if len(term.cells) == 2 else len(term.cells) for term in TERMS)
    assert len(found) == cells + len(SUMMARIES)
    fitted = {name for name, target in load_targets().items() if target.use == "fit" and target.count is None}
    assert {one.figure for one in found} >= fitted
