"""The calibration: priors, likelihood, sampler, posterior."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from blinasim.errors import ParameterError
from blinasim.inference.priors import UNTOUCHED, Priors, log_standard_normal, sampled
from blinasim.inference.targets import load_targets, published_binomials
from blinasim.model.parameters import Prior, Structure, parameter_catalogue

SEVERAL = Priors(
    ("a", "b", "c"),
    (
        Prior(distribution="beta", a=2.0, b=5.0),
        Prior(distribution="lognormal", median=3.0, sigma=0.4),
        Prior(distribution="uniform", low=2.0, high=9.0),
    ),
)


def test_a_standard_normal_number_is_a_draw_of_the_prior() -> None:
    z = np.random.default_rng(1).standard_normal((20_000, 3))
    values = SEVERAL.values(z)
    for column, law in zip(values.T, (stats.beta(2, 5), stats.lognorm(0.4, scale=3), stats.uniform(2, 7)), strict=True):
        assert stats.kstest(column, law.cdf).pvalue > 1e-3
    np.testing.assert_allclose(SEVERAL.normal_scores(values), z, atol=1e-6)


def test_densities_and_jacobians_are_those_of_scipy_and_of_differences() -> None:
    z = np.random.default_rng(2).standard_normal((50, 3))
    values = SEVERAL.values(z)
    expected = stats.beta(2, 5).logpdf(values[:, 0]) + stats.lognorm(0.4, scale=3).logpdf(values[:, 1]) - np.log(7)
    np.testing.assert_allclose(SEVERAL.log_density(values), expected, rtol=1e-10)
    np.testing.assert_allclose(log_standard_normal(z), stats.norm.logpdf(z).sum(axis=1), rtol=1e-12)
    step = 1e-5
    slopes = (SEVERAL.values(z + step) - SEVERAL.values(z - step)) / (2 * step)
    np.testing.assert_allclose(SEVERAL.log_jacobian(z), np.log(slopes).sum(axis=1), atol=1e-5)


@pytest.mark.parametrize("name", parameter_catalogue())
def test_point_values_and_far_draws_survive_the_transform(name: str) -> None:
    priors = Priors.of(parameter_catalogue(), [name])
    value = np.array([[parameter_catalogue()[name].value]])
    np.testing.assert_allclose(priors.values(priors.normal_scores(value)), value, rtol=1e-8)
    far = priors.values(np.array([[-9.0], [9.0]]))
    assert np.all(np.isfinite(far))
    if parameter_catalogue()[name].unit in ("probability", "share"):
        assert np.all((far > 0) & (far < 1))


def test_parameters_that_cannot_be_calibrated_are_refused_in_one_line() -> None:
    with pytest.raises(ParameterError, match="no such parameter"):
        Priors.of(parameter_catalogue(), ["relapse.colour"])
    fixed = parameter_catalogue()["relapse.shape"].model_copy(update={"prior": Prior(distribution="fixed")})
    with pytest.raises(ParameterError, match="is fixed"):
        Priors.of({"relapse.shape": fixed}, ["relapse.shape"])


def test_every_parameter_is_sampled_or_in_closed_form_or_drawn_from_its_prior() -> None:
    closed = published_binomials(load_targets())
    names = sampled(parameter_catalogue(), list(closed), Structure())
    assert not set(names) & set(closed)
    assert "failure.shape" in names
    mixture = sampled(parameter_catalogue(), list(closed), Structure(failure="exponential_mixture"))
    assert set(mixture) - set(names) == {"failure.long_share", "failure.long_speed"}
    assert set(names) | set(mixture) | set(closed) | UNTOUCHED == set(parameter_catalogue())
