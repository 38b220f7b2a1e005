"""The trial's view, programmed twice: the slow program of ``blind/trial_view.py`` against the project's arrays."""

from __future__ import annotations

from dataclasses import replace
from math import isinf, isnan, nan

import numpy as np
import pytest

from blinasim.model.codes import NONE
from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.statistics.intervals import clopper_pearson
from blinasim.statistics.survival import median_interval
from blinasim.trial.endpoints import ENDPOINTS, FollowUp, Share, fit_outcomes
from blinasim.trial.outcomes import OUTCOMES
from blind import trial_view as blind
from blind.both import ALL, CURVES, ESTIMATES, SHARES, WORLDS, twice, without_cutoff


def near(one: float | None, other: float) -> bool:
    """Equal to 1e-9; None is no value, as nan."""
    one = nan if one is None else one
    if isnan(one) or isnan(other):
        return isnan(one) and isnan(other)
    return one == other if isinf(one) or isinf(other) else abs(one - other) <= 1e-9


@pytest.mark.parametrize("name", ALL)
def test_the_second_program_sees_the_same_days_and_flags(name: str) -> None:
    both = twice(name)
    data, wrong = both.data, []
    days = {
        "potential_days": "potential",
        "follow_up_days": "follow_up",
        "last_visit": "last_visit",
        "cycles": "cycles",
        "remission": "remission",
        "switch": "switch",
        "hsct": "hsct",
        "relapse_detected": "relapse_detected",
        "death": "death",
        "responder": "responder",
        "on_study": "on_study",
        "lost": "lost",
    }
    for trial, lives in enumerate(both.trials):
        for patient, life in enumerate(lives):
            seen = blind.observe(life, both.rules)
            assert seen is not None
            for column, attribute in days.items():
                value = getattr(seen, attribute)
                value = NONE if value is None else int(value)
                if int(getattr(data, column)[trial, patient]) != value:
                    wrong.append((trial, patient, column, int(getattr(data, column)[trial, patient]), value))
    assert wrong == []


@pytest.mark.parametrize("name", ALL)
def test_the_second_program_has_the_same_times_to_events(name: str) -> None:
    both = twice(name)
    for outcome in OUTCOMES:
        found = outcome.of(both.data, both.scenario.trial)
        for trial, lives in enumerate(both.trials):
            times = blind.times(lives, both.rules)[CURVES[outcome.id]]
            who = found.member[trial]
            pairs = list(zip(found.time_days[trial][who].tolist(), found.code[trial][who].tolist(), strict=True))
            assert pairs == [(time.days, time.kind) for time in times], (outcome.id, trial)


@pytest.mark.parametrize("name", ALL)
def test_the_second_program_counts_the_same(name: str) -> None:
    both = twice(name)
    shares = [endpoint for endpoint in ENDPOINTS if isinstance(endpoint, Share)]
    assert {share.id for share in shares} == SHARES.keys()
    estimates = both.estimates()
    for trial, lives in enumerate(both.trials):
        counts = blind.counts(lives, both.rules)
        assert counts.keys() == set(SHARES.values())
        for share in shares:
            who, among = share.of(both.data)
            found = (int(np.count_nonzero((who & among)[trial])), int(np.count_nonzero(among[trial])))
            expected = counts[SHARES[share.id]]
            assert found == expected, (share.id, trial)
            assert near(float(estimates[share.id].value[trial]), blind.share(*expected)), (share.id, trial)


@pytest.mark.parametrize("name", ALL)
def test_the_second_program_estimates_the_same(name: str) -> None:
    both = twice(name)
    found = both.estimates()
    assert found.keys() == SHARES.keys() | ESTIMATES.keys()
    wrong = []
    for trial, lives in enumerate(both.trials):
        expected = blind.estimates(lives, both.rules)
        for key, words in ESTIMATES.items():
            if not near(float(found[key].value[trial]), expected[words]):
                wrong.append((key, trial, float(found[key].value[trial]), expected[words]))
    assert wrong == []


@pytest.mark.parametrize("name", ALL)
def test_the_second_program_has_the_same_limits_of_medians(name: str) -> None:
    both = twice(name)
    found = both.estimates()
    fits = fit_outcomes(both.data, both.scenario.trial).fits
    wrong = []
    for trial, lives in enumerate(both.trials):
        times = blind.times(lives, both.rules)
        for outcome_id, words in CURVES.items():
            expected = blind.median_interval(times[words])
            limits = [float(limit[trial]) for limit in median_interval(fits[outcome_id])]
            if not all(map(near, limits, expected)):
                wrong.append((outcome_id, trial, limits, expected))
            if outcome_id in ("os", "os_cens", "rfs", "rfs_cens"):
                own = found[outcome_id]
                assert own.lower is not None
                assert own.upper is not None
                assert near(float(own.lower[trial]) * DAYS_PER_MONTH, limits[0])
                assert near(float(own.upper[trial]) * DAYS_PER_MONTH, limits[1])
    assert wrong == []


@pytest.mark.parametrize("name", ["source study", "other named rules", "nobody transplanted"])
def test_limits_and_oracles_are_those_of_the_second_program(name: str) -> None:
    """The limit follows all to the horizon; the oracle has true relapses, and no HSCT where HSCT would censor."""
    tally, lives, rules = without_cutoff(name)
    true_rules = replace(rules, rfs_censoring="cutoff")
    limit, oracle, no_hsct_world = (
        blind.estimates(lives[which], its_rules)
        for which, its_rules in (("limit", rules), ("oracle", true_rules), ("no HSCT", true_rules))
    )
    counted = blind.counts(lives["limit"], rules)
    elsewhere = {"os_cens": "OS, months", "rfs_cens": "RFS, months"}
    compared = 0
    for endpoint in ENDPOINTS:
        found, true = (tally.value(endpoint, view) for view in ("limit", "oracle"))
        if found is None and endpoint.id not in ESTIMATES:
            continue  # a share by the cut-off
        if isinstance(endpoint, Share):
            assert near(found, blind.share(*counted[SHARES[endpoint.id]])), endpoint.id
        elif getattr(endpoint, "by_cutoff", isinstance(endpoint, FollowUp)):
            assert found is true is None
        else:
            words = ESTIMATES[endpoint.id]
            assert near(found, limit[words]), endpoint.id
            expected = no_hsct_world[elsewhere[endpoint.id]] if endpoint.id in elsewhere else oracle[words]
            assert near(true, expected), endpoint.id
        compared += 1
    assert compared >= 18


@pytest.mark.parametrize(
    ("count", "total"), [(0, 0), (0, 1), (1, 1), (3, 32), (5, 29), (32, 81), (81, 189), (189, 189)]
)
def test_the_second_program_has_the_same_exact_interval(count: int, total: int) -> None:
    lower, upper = clopper_pearson(count, total)
    assert all(map(near, (float(lower), float(upper)), blind.exact_interval(count, total)))


def test_the_worlds_hold_what_they_are_for() -> None:
    """Else an agreement would show less than it says."""
    seen = {name: twice(name).data for name in WORLDS}
    assert all(data.death.shape[0] * data.death.shape[1] >= 40 for data in seen.values())
    assert seen["half are lost each year"].lost.mean() > 0.2
    assert not seen["no responders"].responder.any()
    assert not seen["nobody transplanted"].on_study.any()
    late = seen["delayed infusions"]
    off_calendar = late.responder & ~np.isin(late.remission, (28, 70))
    assert off_calendar.any()
    assert seen["source study"].later_hsct.any()
    made = twice("days that coincide, five patients").data
    died, known = made.death != NONE, made.follow_up_days - made.hsct
    assert (made.on_study & died & (known == 100)).any()  # a death on day 100
    assert (made.on_study & ~died & (known == 100)).any()  # the end of observation on day 100
    assert (died & (made.death == made.potential_days)).any()  # a death on the day of the cut-off
    assert (made.responder & (made.hsct == made.follow_up_days)).any()  # an HSCT on the last day seen
