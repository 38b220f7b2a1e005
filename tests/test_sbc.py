"""Simulation-based calibration: abstracts whose truth is known."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy import stats

from blinasim.inference.calibrate import Conduct, problem_of
from blinasim.inference.likelihood import log_survival
from blinasim.inference.sampler import Effort
from blinasim.inference.sbc import OS_12, Judged, coverage, independent_log_survival, judge, simulated
from blinasim.inference.study import Ensemble
from blinasim.luck import Luck
from blinasim.model.catalogue import load_parameters
from blinasim.model.parameters import Structure

FEW = ("response.probability", "response.cycle_1_share", "failure.median_days")
TINY = Conduct(Effort(particles=40, moves=2, final_sweeps=3, kept_sweeps=3, coarse_up_to=0.3), 20, 15, 20, 15)
#: With fewer moves than four the draws are too narrow to be right.
SMALLEST = Conduct(
    Effort(particles=80, moves=4, final_sweeps=3, kept_sweeps=3, least_ess=0.4, coarse_up_to=0.3), 30, 15, 40, 15
)


@cache
def judged(number: int) -> tuple[Judged, ...]:
    return judge(number, conduct=TINY, only=FEW)


def test_an_abstract_is_judged_in_every_parameter_and_in_survival() -> None:
    rows = judged(1)
    assert [row.quantity for row in rows] == [*FEW, OS_12]
    assert all(0.0 <= row.place <= 1.0 and 0.0 <= row.place_independent <= 1.0 for row in rows)
    assert all(row.sd < 1.0 for row in rows)


def test_a_report_follows_from_its_number_and_truth() -> None:
    problem, _ = problem_of(1, Structure(), only=FEW)
    low, high = (simulated(problem, np.full((1, 3), z), 5) for z in (-1.5, 1.5))
    assert low.counts["response_naive"][0] < high.counts["response_naive"][0]
    assert low.upper[0] < high.lower[0]  # longer survival after failure is longer survival
    again = simulated(problem, np.full((1, 3), 1.5), 5)
    assert again.counts == high.counts
    assert again.lower.tobytes() == high.lower.tobytes()


def test_independent_terms_are_those_of_each_summary_alone() -> None:
    problem, _ = problem_of(1, Structure())
    studies = Ensemble(problem.scenario, problem.margins, Luck(3), range(300)).reports(load_parameters())
    found = independent_log_survival(studies, problem.observed)
    expected = 0.0
    for i in range(4):
        law = stats.norm(studies.summaries[:, i].mean(), studies.summaries[:, i].std(ddof=1))
        if np.isfinite(studies.summaries[:, i]).all():
            expected += np.log(law.cdf(problem.observed.upper[i]) - law.cdf(problem.observed.lower[i]))
    assert found < expected < 0.0  # and the mortality by day 100
    assert found != pytest.approx(log_survival(studies, problem.observed, problem.typical), abs=0.1)


def rows(places: np.ndarray, independent: np.ndarray) -> list[Judged]:
    pairs = zip(places.tolist(), independent.tolist(), strict=True)
    return [Judged(i, "x", 0.0, 0.0, 0.5, one, other) for i, (one, other) in enumerate(pairs)]


def test_coverage_counts_central_intervals() -> None:
    places = np.array([0.01, 0.03, 0.2, 0.5, 0.8, 0.96, 0.99, 0.26, 0.74, 0.4])
    (found,) = coverage(rows(places, np.full(10, 0.5)))
    assert found.covered == {0.5: 0.4, 0.9: 0.6, 0.95: 0.8}
    assert found.covered_independent == {0.5: 1.0, 0.9: 1.0, 0.95: 1.0}
    assert found.contraction == pytest.approx(0.75)
    assert found.abstracts == 10


def test_places_that_are_not_uniform_are_found() -> None:
    uniform = np.random.default_rng(1).random(200)
    crowded = stats.norm.cdf(1.5 * stats.norm.ppf(uniform))
    even, odd = (coverage(rows(each, each))[0] for each in (uniform, crowded))
    assert even.p_value > 0.05
    assert odd.p_value < even.p_value
    assert odd.covered[0.95] < 0.88


@pytest.mark.slow
def test_a_small_calibration_is_right_about_its_own_abstracts() -> None:
    abstracts = 6
    found = coverage([row for number in range(1, abstracts + 1) for row in judge(number, conduct=SMALLEST, only=FEW)])
    assert [each.quantity for each in found] == [*FEW, OS_12]
    for each in found:
        assert each.p_value > 0.05 / (100 * len(found))
        # Of 6 intervals of 95 %, 2 or fewer hold the truth once in ten thousand times.
        assert abstracts * each.covered[0.95] >= 3
