"""The calibration: priors, likelihood, sampler, posterior."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from blinasim.cli.main import _run as main_of
from blinasim.errors import OutputError, ParameterError, ScenarioError
from blinasim.inference.calibrate import FULL, Conduct, Progress, _identity, calibrate, problem_of
from blinasim.inference.choice import shipped_posterior
from blinasim.inference.likelihood import (
    Problem,
    Typical,
    expectations,
    information,
    log_between,
    log_counts,
    log_likelihoods,
    log_survival,
)
from blinasim.inference.posterior import Posterior, read_posterior
from blinasim.inference.priors import UNTOUCHED, Priors, log_standard_normal, sampled
from blinasim.inference.sampler import Effort, State, effective, sample, systematic
from blinasim.inference.study import MEDIANS, SUMMARIES, TERMS, Ensemble, Observed, Studies
from blinasim.inference.targets import Target, load_targets, published_binomials, published_cells
from blinasim.luck import Draws, Luck
from blinasim.model.catalogue import Prior, load_parameters, parameter_catalogue
from blinasim.model.cohort import draw_cohort, with_margins
from blinasim.model.parameters import Structure, parameters_of, parameters_to_dict
from blinasim.report.calibration_file import CalibrationFile
from blinasim.scenario.loading import load_scenario
from blinasim.statistics.pareto import smoothed
from blinasim.study.batch import live
from blinasim.trial.endpoints import ENDPOINTS, Share, estimate

# --- targets -----------------------------------------------------------------------------------------------


def test_the_cells_of_the_fit_are_those_that_the_published_figures_force() -> None:
    """Worked by hand from the abstract and the 63 CR and 18 CRh* of Stein 2018."""
    assert published_cells(load_targets()) == {
        "response_naive": (52, 125 - 52),
        "response_prior": (29, 64 - 29),
        "realized_naive": (27, 25),
        "realized_prior": (5, 24),
        "later_naive": (4, 21),
        "later_prior": (2, 22),
        "older_never_naive": (7, 14),
        "older_never_prior": (2, 20),
        "depth_realized": (28, 4),
        "depth_others": (35, 14),
        "cycle_1": (62, 15),
        "mrd": (60, 13),
        "conditioning": (11, 12),
        "donor": (17, 5, 6, 1),
        "fate": (2, 1, 3, 0, 3, 23, 0),
    }
    assert [term.name for term in TERMS if len(term.cells) != len(published_cells(load_targets())[term.name])] == []


def test_counts_that_contradict_each_other_are_refused() -> None:
    wrong = dict(load_targets())
    wrong["hsct_other"] = wrong["hsct_other"].model_copy(update={"count": 7})
    with pytest.raises(ParameterError, match="contradict"):
        published_cells(wrong)


def test_every_target_says_what_is_done_with_it() -> None:
    uses = {name: target.use for name, target in load_targets().items()}
    assert set(MEDIANS) | {"d100"} == {
        name for name, target in load_targets().items() if target.use == "fit" and target.count is None
    }
    assert {name for name, use in uses.items() if use == "held_out"} == {"cycles", "hsct_cycles"}
    known = {endpoint.id for endpoint in ENDPOINTS if isinstance(endpoint, Share)}
    assert {name for name, target in load_targets().items() if target.count is not None} <= known


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"count": 3, "denominator": None}, "denominator"),
        ({"count": 3, "denominator": 2}, "between 0"),
        ({"count": None, "value": 3.0, "rounding": None}, "rounding"),
        ({"value": 3.0}, "either count"),
    ],
)
def test_a_wrong_target_is_refused(wrong: dict[str, object], complaint: str) -> None:
    good = load_targets()["cr_naive"].model_dump()
    with pytest.raises(ValueError, match=complaint):
        Target.model_validate(good | wrong)


# --- priors ------------------------------------------------------------------------------------------------

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


def test_the_density_of_standard_normal_numbers_is_that_of_scipy() -> None:
    z = np.random.default_rng(2).standard_normal((50, 3))
    np.testing.assert_allclose(log_standard_normal(z), stats.norm.logpdf(z).sum(axis=1), rtol=1e-12)


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


# --- the likelihood ----------------------------------------------------------------------------------------


@cache
def problem() -> Problem:
    """The published figures, all parameters sampled."""
    return problem_of(3, Structure())[0]


@cache
def reports(replications: int = 120) -> Studies:
    posed = problem()
    return Ensemble(posed.scenario, posed.margins, Luck(3), range(replications)).reports(load_parameters())


def point() -> np.ndarray:
    """The point values as standard normal numbers, shape (1, d)."""
    priors = problem().priors
    return priors.normal_scores(np.array([[parameter_catalogue()[name].value for name in priors.names]]))


def test_margins_are_fixed_and_who_is_chosen_follows_age() -> None:
    scenario = load_scenario("baseline")
    draws = Draws(Luck(5), range(400), 189)
    drawn = draw_cohort(scenario.cohort, scenario.trial.accrual, load_parameters(), draws)
    fixed = with_margins(drawn, scenario.cohort, draws, prior_hsct=64, blasts_75=105)
    shape = (400, 189)
    assert np.all(fixed.prior_hsct.reshape(shape).sum(axis=1) == 64)
    assert np.all((fixed.blasts_pct >= 75).reshape(shape).sum(axis=1) == 105)
    share = fixed.prior_hsct[fixed.older].mean()
    assert share == pytest.approx(
        scenario.cohort.prior_hsct_share_65_and_over, abs=4 * np.sqrt(0.16 / fixed.older.sum())
    )
    below = fixed.blasts_pct[fixed.blasts_pct < 75]
    blasts = scenario.cohort.blasts
    expected = blasts.below_25_pct / (1 - blasts.from_75_pct)
    assert np.mean(below < 25) == pytest.approx(expected, abs=4 * np.sqrt(0.25 / below.size))


def test_counted_places_are_refused_and_not_left_out() -> None:
    posed = problem()
    beds = posed.scenario.capacity.transplant_beds.model_copy(update={"places": 1})
    capacity = posed.scenario.capacity.model_copy(update={"transplant_beds": beds})
    scarce = Ensemble(posed.scenario.model_copy(update={"capacity": capacity}), posed.margins, Luck(3), range(1))
    with pytest.raises(ScenarioError, match="engine fast knows no counted places"):
        scarce.reports(load_parameters())


def test_reports_count_what_the_results_table_counts() -> None:
    """The counts of the fit against the endpoints of the table, from one batch of the usual pipeline."""
    posed = problem()
    ensemble = Ensemble(posed.scenario, posed.margins, Luck(3), range(40))
    studies = ensemble.reports(load_parameters())
    for term in TERMS[:8]:
        assert np.all(studies.counts[term.name] >= 0)
    responders = studies.counts["response_naive"][:, 0] + studies.counts["response_prior"][:, 0]
    realized = studies.counts["realized_naive"][:, 0] + studies.counts["realized_prior"][:, 0]
    assert np.all(studies.counts["response_naive"].sum(axis=1) == 125)
    assert np.all(studies.counts["response_prior"].sum(axis=1) == 64)
    for name in ("realized_naive", "realized_prior"):
        later = name.replace("realized", "later")
        assert np.all(studies.counts[later].sum(axis=1) == studies.counts[name][:, 1])
        assert np.all(
            studies.counts[name.replace("realized", "older_never")].sum(axis=1) == studies.counts[later][:, 1]
        )
    for name in ("fate", "donor", "conditioning", "depth_realized"):
        assert np.all(studies.counts[name].sum(axis=1) == realized)
    assert np.all(studies.counts["cycle_1"].sum(axis=1) == responders)
    # And the shares of the usual pipeline, whose trials resample the margins, agree within their Monte Carlo error.
    batch = live(posed.scenario, load_parameters(), Draws(Luck(4), range(300), 189))
    table = estimate(batch.seen, posed.scenario.trial)
    studies = reports(300)
    for endpoint, term in (
        ("cr_naive", "response_naive"),
        ("hsct_naive", "realized_naive"),
        ("hsct_cr", "depth_realized"),
    ):
        pooled = studies.counts[term].sum(axis=0)
        values = table[endpoint].value
        error = np.hypot(values.std() / np.sqrt(values.size), values.std() / np.sqrt(300))
        assert pooled[0] / pooled.sum() == pytest.approx(values.mean(), abs=4.5 * error)
    for name, column in (("os", 0), ("rfs", 2)):
        log_median = np.log(table[name].value * 30.4375)
        log_median = log_median[np.isfinite(log_median)]
        error = log_median.std() * np.sqrt(2 / 300)
        ours = studies.summaries[:, column][np.isfinite(studies.summaries[:, column])]
        assert ours.mean() == pytest.approx(log_median.mean(), abs=4.5 * error)


def test_the_probability_of_counts_is_multinomial() -> None:
    """Against SciPy's multinomial at the pooled shares, smoothed by half a patient a cell."""
    studies, observed = reports(), problem().observed
    found = log_counts(studies, observed)
    assert set(found) == set(published_cells(load_targets()))
    for name, cells in observed.counts.items():
        pooled = studies.counts[name].sum(axis=0) + 0.5
        law = stats.multinomial(sum(cells), pooled / pooled.sum())
        assert found[name] == pytest.approx(law.logpmf(cells), abs=1e-9)


def gaussian_studies(replications: int, beyond: float = np.inf, seed: int = 1) -> tuple[Studies, Observed, float]:
    """Studies whose log medians are linear in one proportion; what lies beyond a limit is not reached.

    Returns
    -------
    studies, observed, and the exact log probability of the observed summaries given the observed counts.
    """
    rng = np.random.default_rng(seed)
    counts = {
        name: rng.multinomial(sum(cells), (np.array(cells) + 0.5) / (np.array(cells) + 0.5).sum(), replications)
        for name, cells in problem().observed.counts.items()
    }
    share = counts["response_naive"][:, 0] / 125
    covariance = 0.02 * (0.7 + 0.3 * np.eye(5))
    noise = rng.multivariate_normal(np.zeros(5), covariance, replications)
    summaries = 5.0 + (share[:, np.newaxis] - 52 / 125) * 2.0 + noise
    reached = np.full(summaries.shape, -np.inf)
    unreached = summaries[:, 2] > beyond
    summaries[unreached, 2], reached[unreached, 2] = np.inf, beyond
    middle = np.array([5.1, 5.05, 4.95, 5.0, 5.1])
    observed = replace(problem().observed, lower=middle - 0.005, upper=middle + 0.005)
    exact = stats.multivariate_normal(np.full(5, 5.0), covariance).logpdf(middle) + 5 * np.log(0.01)
    return Studies(counts, summaries, reached, counts["fate"][:, 0]), observed, float(exact)


@pytest.mark.parametrize("beyond", [np.inf, 5.1])
def test_survival_given_counts_is_the_conditional_gaussian(beyond: float) -> None:
    """With 5.1 a quarter of the third median is not reached: a censored term, not a discarded one."""
    studies, observed, exact = gaussian_studies(6_000, beyond)
    assert log_survival(studies, observed) == pytest.approx(exact, abs=0.12)
    # Shrunk towards what another sample of the same is like, few replications say nearly the same.
    typical = Typical.of(gaussian_studies(6_000, beyond, seed=2)[0], observed)
    few = [log_survival(gaussian_studies(40, beyond, seed)[0], observed, typical) for seed in range(3, 33)]
    alone = [log_survival(gaussian_studies(40, beyond, seed)[0], observed) for seed in range(3, 33)]
    assert np.mean(few) == pytest.approx(exact, abs=0.25)
    assert np.std(few) < 0.7 * np.std(alone)


def test_a_simulated_report_can_be_calibrated_against() -> None:
    """Its limits hold what it says, as wide as the rounding; its likelihood is finite."""
    studies = reports()
    others = Ensemble(problem().scenario, problem().margins, Luck(9), range(60)).reports(load_parameters())
    widths = []
    for row in range(20):
        seen = Observed.simulated(studies, row)
        known = np.isfinite(studies.summaries[row])
        assert np.all(seen.lower[known] <= studies.summaries[row][known] + 1e-9)
        assert np.all(studies.summaries[row][known] <= seen.upper[known] + 1e-9)
        months = np.exp(seen.upper[:2]) / 30.4375 - np.exp(seen.lower[:2]) / 30.4375
        widths.extend(months[known[:2]])
        assert np.isfinite(sum(log_counts(others, seen).values()) + log_survival(others, seen, problem().typical))
    np.testing.assert_allclose(widths, 0.1, atol=1e-6)
    assert Observed.simulated(studies, 3).counts["response_naive"] == tuple(studies.counts["response_naive"][3])


def test_a_median_that_was_not_observed_is_integrated_over() -> None:
    studies, observed, _ = gaussian_studies(4_000)
    lower, upper = np.full(5, -np.inf), np.full(5, np.inf)
    lower[0], upper[0] = 5.095, 5.105
    alone = log_survival(studies, replace(observed, lower=lower, upper=upper))
    assert alone == pytest.approx(stats.norm(5.0, np.sqrt(0.02)).logpdf(5.1) + np.log(0.01), abs=0.06)
    lower[0], upper[0] = 5.1, np.inf
    beyond = log_survival(studies, replace(observed, lower=lower, upper=upper))
    assert beyond == pytest.approx(stats.norm(5.0, np.sqrt(0.02)).logsf(5.1), abs=0.06)


@pytest.mark.parametrize(("low", "high"), [(-1.0, 2.0), (5.0, 6.0), (-40.0, -39.0), (38.0, np.inf)])
def test_probabilities_far_out_are_exact(low: float, high: float) -> None:
    expected = (
        np.log(stats.norm.sf(low) - stats.norm.sf(high))
        if abs(low) < 30
        else stats.norm.logsf(min(abs(low), abs(high)))
    )
    assert log_between(low, high) == pytest.approx(float(expected), rel=1e-6)


def test_information_of_a_share_is_that_of_a_binomial() -> None:
    """62 of 77 in cycle 1: n / (p (1 - p)) times the squared slope of p; a mean adds its own, in deviations."""
    posed = problem()
    assert posed.typical is not None
    names = [term.name for term in TERMS for _ in term.cells]
    shares = np.concatenate(
        [np.array(posed.observed.counts[t.name]) / sum(posed.observed.counts[t.name]) for t in TERMS]
    )
    centre = np.log(np.concatenate([np.maximum(shares, 1e-12), np.ones(5)]))
    slopes = np.zeros((2, centre.size))
    first, p = names.index("cycle_1"), 62 / 77
    slopes[0, [first, first + 1]] = 0.1 / p, -0.1 / (1 - p)
    slopes[1, -1] = 0.3
    found = information(posed, centre, slopes)
    expected = [77 * 0.01 / (p * (1 - p)), 0.09 * np.linalg.inv(posed.typical.covariance)[-1, -1]]
    np.testing.assert_allclose(found, np.diag(expected), rtol=1e-9)


def test_expectations_move_with_their_parameters() -> None:
    posed = problem()
    z = np.repeat(point(), 2, axis=0)
    z[1, posed.priors.names.index("response.cycle_1_share")] += 0.5
    one, other = expectations(posed, (z, range(30)))
    names = [term.name for term in TERMS for _ in term.cells]
    assert other[names.index("cycle_1")] > one[names.index("cycle_1")] + 0.05
    assert other[names.index("cycle_1") + 1] < one[names.index("cycle_1") + 1] - 0.05
    assert one.size == len(names) + len(SUMMARIES)


def test_the_likelihood_of_a_point_depends_on_no_other_point() -> None:
    posed, block = problem(), range(40, 80)
    z = 0.5 * np.random.default_rng(7).standard_normal((5, len(posed.priors)))
    together = log_likelihoods(posed, (z, block))
    alone = np.concatenate([log_likelihoods(posed, (z[i : i + 1], block)) for i in range(5)])
    assert together.tobytes() == alone.tobytes()
    assert np.unique(together).size == 5


def test_parameters_left_out_of_the_sampler_touch_nothing() -> None:
    """Those drawn from their priors, and those with closed forms: the reports are the same to the byte."""
    posed = problem()
    catalogue = parameter_catalogue()
    # How often MRD is not assessed says nothing about it either, but of how many patients its share is known.
    others = set(catalogue) - set(posed.priors.names) - {"response.mrd_unknown"}
    at_the_edge = {name: float(Priors.of(catalogue, [name]).values(np.array([[1.5]]))[0, 0]) for name in others}
    changed = replace(posed, fixed=dict(posed.fixed) | at_the_edge)
    one, other = (log_likelihoods(it, (point(), range(30))) for it in (posed, changed))
    assert one.tobytes() == other.tobytes()


def test_wrong_parameters_are_less_likely() -> None:
    posed = problem()
    z = np.repeat(point(), 4, axis=0)
    for row, name in enumerate(("response.probability", "relapse.median_days", "failure.median_days"), start=1):
        z[row, posed.priors.names.index(name)] += 2.5
    found = log_likelihoods(posed, (z, range(60)))
    assert np.all(found[0] > found[1:] + 2.0)


# --- the sampler -------------------------------------------------------------------------------------------


class Toy:
    """A Gaussian likelihood in a few of many dimensions: mean, covariance and evidence are known."""

    def __init__(self, dimensions: int, informed: int, noise: float) -> None:
        rng = np.random.default_rng(11)
        self.loadings = rng.standard_normal((informed, dimensions)) / np.sqrt(dimensions)
        self.data = np.linspace(-1.0, 1.5, informed)
        self.spread, self.noise = 0.5, noise
        law = stats.multivariate_normal(np.zeros(informed), self.loadings @ self.loadings.T + 0.25 * np.eye(informed))
        self.log_evidence = float(law.logpdf(self.data))
        self.covariance = np.linalg.inv(np.eye(dimensions) + self.loadings.T @ self.loadings / 0.25)
        self.mean = self.covariance @ self.loadings.T @ self.data / 0.25

    def __call__(self, z: np.ndarray, sweep: int, *, coarse: bool) -> np.ndarray:
        noise = (2.0 if coarse else 1.0) * self.noise
        estimate = noise * np.random.default_rng(sweep).standard_normal(z.shape[0]) - 0.5 * noise**2
        residuals = (self.data - z @ self.loadings.T) / self.spread
        exact = stats.norm.logpdf(residuals).sum(axis=1) - self.data.size * np.log(self.spread)
        return np.asarray(exact + estimate)


@pytest.mark.parametrize(("noise", "informed"), [(0.0, False), (0.5, False), (0.5, True)])
def test_the_sampler_finds_a_known_gaussian_and_its_evidence(noise: float, informed: bool) -> None:
    toy = Toy(dimensions=15, informed=4, noise=noise)
    # An information that is wrong by a half shapes the steps and changes nothing else.
    information = toy.loadings.T @ toy.loadings / 0.25 / 2.0 if informed else None
    effort = Effort(particles=800, moves=6, final_sweeps=10, kept_sweeps=5)
    state = sample(toy, 15, effort, seed=1, information=information)
    z = np.concatenate([points for points, _ in state.kept])
    assert z.shape == (4000, 15)
    deviation = np.sqrt(np.diag(toy.covariance))
    assert np.all(np.abs(z.mean(axis=0) - toy.mean) < 4.5 * deviation / np.sqrt(800))
    np.testing.assert_allclose(z.std(axis=0), deviation, rtol=0.12)
    assert state.log_evidence == pytest.approx(toy.log_evidence, abs=0.35)
    assert state.power == 1.0
    assert [stage.power for stage in state.stages] == sorted({stage.power for stage in state.stages})
    assert all(stage.ess > 300 and stage.unique > 300 and 0.1 < stage.acceptance < 0.99 for stage in state.stages)


def test_the_sampler_goes_on_to_the_same_bytes_from_any_state() -> None:
    toy, effort = Toy(8, 3, 0.3), Effort(particles=60, moves=2, final_sweeps=4, kept_sweeps=2)
    states: list[State] = []
    whole = sample(toy, 8, effort, seed=2, keep=states.append)
    assert len(states) > 6
    for state in states[:-1]:
        stored = State.from_arrays(state.to_arrays())
        again = sample(toy, 8, effort, seed=2, state=stored)
        for name, array in whole.to_arrays().items():
            assert again.to_arrays()[name].tobytes() == array.tobytes()


def test_systematic_choice_and_effective_numbers() -> None:
    log_weights = np.log(np.array([0.1, 0.2, 0.3, 0.4]))
    counts = np.zeros(4)
    for uniform in (np.arange(1000) + 0.5) / 1000:
        counts += np.bincount(systematic(log_weights, uniform), minlength=4)
    np.testing.assert_allclose(counts / 4000, [0.1, 0.2, 0.3, 0.4], atol=1e-3)
    assert effective(log_weights + 7.0) == pytest.approx(1 / 0.3)


@pytest.mark.parametrize("shape", [0.2, 0.6, 0.9])
def test_pareto_k_is_the_shape_of_the_tail(shape: float) -> None:
    weights = stats.genpareto(shape).rvs(40_000, random_state=3)
    smooth, k = smoothed(np.log(weights + 1e-12))
    assert k == pytest.approx(shape, abs=0.12)
    assert np.exp(smooth).sum() == pytest.approx(1.0)
    assert np.exp(smooth).max() <= weights.max() / weights.sum() * 3


def test_equal_weights_stay_equal() -> None:
    smooth, k = smoothed(np.zeros(500))
    np.testing.assert_allclose(np.exp(smooth), 1 / 500)
    assert k == -np.inf


# --- the whole ---------------------------------------------------------------------------------------------

TINY = Conduct(Effort(particles=24, moves=1, final_sweeps=4, kept_sweeps=2), 16, 12, 16, 12, piece=7)
FEW = ("response.probability", "failure.median_days", "relapse.median_days")
DRAWN = "recording.donor_unknown"


@cache
def tiny() -> Posterior:
    return calibrate(conduct=TINY, seed=4, only=FEW)


def test_draws_do_not_depend_on_the_workers() -> None:
    reports: list[Progress] = []
    with ThreadPoolExecutor(2) as executor:
        other = calibrate(conduct=TINY, seed=4, only=FEW, executor=executor, progress=reports.append)
    assert other.draws.equals(tiny().draws)
    assert other.log_evidence == tiny().log_evidence
    assert reports[-1].phase == "re-weighting"
    assert reports[-1].evaluations == other.about["sweeps"] * 24 + 48 + 1 + 2 * len(FEW)
    assert not calibrate(conduct=TINY, seed=5, only=FEW).draws.equals(tiny().draws)


def test_an_interrupted_calibration_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"

    def interrupt(now: Progress) -> None:
        if now.sweeps == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(conduct=TINY, seed=4, only=FEW, progress=interrupt, checkpoint=path)
    assert path.is_file()
    said: list[str] = []

    def stop(_: Progress) -> None:
        raise KeyboardInterrupt

    kept = path.read_bytes()
    with pytest.raises(KeyboardInterrupt):  # before anything is replaced
        calibrate(conduct=TINY, seed=4, only=FEW, progress=stop, checkpoint=path, remark=said.append)
    with pytest.raises(KeyboardInterrupt):
        calibrate(conduct=TINY, seed=6, only=FEW, progress=stop, checkpoint=path, remark=said.append)
    assert said == ["work of this same calibration is kept; with {resume} it would go on from it"]
    assert path.read_bytes() == kept
    seen: list[Progress] = []
    again = calibrate(conduct=TINY, seed=4, only=FEW, progress=seen.append, checkpoint=path, resume=True)
    assert again.draws.equals(tiny().draws)
    assert min(now.sweeps for now in seen if now.phase == "sampling") > 0  # the first evaluation was not done again
    what = r"of another calibration \(other seed\); leave resume out to begin anew, or choose another checkpoint$"
    with pytest.raises(OutputError, match=what):
        calibrate(conduct=TINY, seed=6, only=FEW, checkpoint=path, resume=True)
    path.unlink()
    with pytest.raises(KeyboardInterrupt):
        calibrate(conduct=TINY, seed=4, only=FEW, progress=stop, checkpoint=path, resume=True, remark=said.append)
    assert said[1:] == ["there is nothing to resume; the calibration begins at the start"]


def test_a_posterior_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "posterior.csv"
    tiny().write(path)
    found = read_posterior(path)
    assert found.draws.equals(tiny().draws)
    assert (found.log_evidence, found.structure, found.stages) == (tiny().log_evidence, tiny().structure, tiny().stages)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("relapse.shape", "relapse.shap", 1), encoding="utf-8")
    with pytest.raises(ParameterError, match="other parameters"):
        read_posterior(path)
    with pytest.raises(ParameterError, match="cannot be read"):
        read_posterior(tmp_path / "nothing.csv")


def test_each_pair_of_replications_has_its_own_draw_however_a_study_is_cut() -> None:
    whole = parameters_to_dict(tiny().of(range(50), seed=9))
    parts = [parameters_to_dict(tiny().of(block, seed=9)) for block in (range(19), range(19, 50))]
    for name, values in whole.items():
        assert values.shape == (50, 1)
        assert np.concatenate([part[name] for part in parts]).tobytes() == values.tobytes()
    draws = tiny().draws
    # A draw is a row: all its parameters together. That of a parameter with a closed form is different in every row.
    rows = [int(np.flatnonzero(draws[DRAWN] == value)[0]) for value in whole[DRAWN][:, 0]]
    assert rows[::2] == rows[1::2]
    assert np.unique(rows).size > 15
    for name in FEW:
        np.testing.assert_array_equal(draws[name].to_numpy()[rows], whole[name][:, 0])
    many = tiny().of(range(40_000), seed=1).response.probability
    mean, deviation = tiny().mean(FEW[0]), tiny().standard_deviation(FEW[0])
    assert np.mean(many) == pytest.approx(mean, abs=4.5 * deviation / np.sqrt(20_000))


def test_closed_form_posteriors_are_drawn_from() -> None:
    """9 of 32 under a flat prior is beta(10, 24), and 8 of 81 updates the prior of unknown MRD."""
    catalogue = parameter_catalogue()
    _, closed = problem_of(1, Structure())
    assert (closed["recording.conditioning_unknown"].a, closed["recording.conditioning_unknown"].b) == (10.0, 24.0)
    # Under a flat prior all counts are equally probable.
    assert closed["recording.donor_unknown"].log_evidence == pytest.approx(np.log(1 / 33))
    for name, (count, among) in published_binomials(load_targets()).items():
        prior = catalogue[name].prior
        assert prior.a is not None
        assert prior.b is not None
        law = stats.beta(prior.a + count, prior.b + among - count)
        assert stats.kstest(tiny().values(name), law.cdf).pvalue > 1e-4


def test_the_sampler_reproduces_a_closed_form() -> None:
    """One parameter that is a binomial probability given what is upstream, sampled as the others are.

    The share of early remissions, in a world without death or stop in induction: 62 of 77, beta prior.
    """
    catalogue = parameter_catalogue()
    name = "response.cycle_1_share"
    posed, _ = problem_of(8, Structure(), only=(name,))
    calm = {key: 1e-6 for key in catalogue if key.startswith(("induction.death_cycle", "induction.stop"))}
    posed = replace(posed, fixed=dict(posed.fixed) | calm)
    ensemble = Ensemble(posed.scenario, posed.margins, Luck(8), range(8))

    def likelihood(z: np.ndarray, _: int, *, coarse: bool) -> np.ndarray:
        assert coarse in (True, False)
        found = []
        for value in posed.priors.values(z)[:, 0]:
            values = {**posed.fixed, name: float(value)}
            found.append(log_counts(ensemble.reports(parameters_of(values)), posed.observed)["cycle_1"])
        return np.array(found)

    state = sample(likelihood, 1, Effort(particles=60, moves=3, final_sweeps=3, kept_sweeps=2), seed=8)
    draws = posed.priors.values(np.concatenate([z for z, _ in state.kept]))[:, 0]
    prior = catalogue[name].prior
    assert prior.a is not None
    assert prior.b is not None
    exact = stats.beta(prior.a + 62, prior.b + 15)
    assert draws.mean() == pytest.approx(exact.mean(), abs=4.5 * exact.std() / np.sqrt(60))
    assert draws.std() == pytest.approx(exact.std(), rel=0.3)
    evidence = stats.betabinom(77, prior.a, prior.b).logpmf(62)
    assert state.log_evidence == pytest.approx(evidence, abs=0.4)


def test_the_command_writes_a_posterior_and_its_diagnostics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("blinasim.inference.calibrate.QUICK", TINY)
    monkeypatch.chdir(tmp_path)
    command = ["calibrate", "--quick", "--seed", "3", "--relapse", "log_logistic", "--replications", "60", "--out", "p"]

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as late:  # while the checks are simulated
        late.setattr("blinasim.inference.predictive.validate", stopped)
        assert main_of(command) == 130
    again = f"blinasim {' '.join(command)} --resume"
    assert capsys.readouterr().err == f"blinasim: stopped; p.state.npz keeps what was done; go on with: {again}\n"
    with monkeypatch.context() as early:
        early.setattr("blinasim.inference.calibrate.sample", stopped)
        assert main_of(command) == 130
    kept = "blinasim: work of this same calibration is kept; with --resume it would go on from it\n"
    assert capsys.readouterr().err.startswith(kept)
    assert main_of([*command, "--resume"]) == 0
    said = capsys.readouterr().out
    assert "Wrote p/" in said
    assert "Left out one at a time" in said
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == [
        "calibration.json", "correlations.csv", "figures", "left_out.csv", "manifest.json", "parameters.csv",
        "posterior.csv", "posterior.json", "posterior_predictive.csv", "prior_predictive.csv", "report.html",
        "sampler.csv",
    ]  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["p"]
    found = read_posterior(tmp_path / "p" / "posterior.csv")
    assert found.structure == Structure(relapse="log_logistic")
    assert len(found.draws) == 48
    document = CalibrationFile.model_validate_json((tmp_path / "p" / "calibration.json").read_text())
    assert len(document.left_out) == len(found.left_out)
    assert {one.name for one in document.learnt} == {
        name for name, info in parameter_catalogue().items() if info.prior.distribution != "fixed"
    }
    assert main_of(command) == 2
    assert "already exists" in capsys.readouterr().err


def test_the_shipped_posterior_is_that_of_the_shipped_figures_and_priors() -> None:
    """Whoever changes a target or a prior has to calibrate again, and to say so in the changelog."""
    shipped = shipped_posterior()
    assert shipped is not None
    assert len(shipped.draws) >= 2_000
    assert shipped.pareto_k < 0.7
    posed, _ = problem_of(int(shipped.about["seed"]), Structure())
    now = _identity(posed, FULL)
    for what in ("figures", "priors", "fixed parameters", "structure"):
        assert shipped.about[what] == now[what], what
    assert shipped.about["conduct"] == asdict(FULL)
    assert shipped.left_out
