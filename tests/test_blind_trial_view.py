"""The trial's view, programmed twice: the slow program of ``blind/trial_view.py`` against the project's arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import isinf, isnan
from typing import Any

import numpy as np
import pytest

from blinasim.engine import des
from blinasim.model.codes import NONE, Cause, Conditioning, Depth, Donor, Mrd, Source
from blinasim.model.history import cycle_start_days
from blinasim.model.records import record_transplants
from blinasim.scenario.settings import Scenario
from blinasim.statistics.intervals import clopper_pearson
from blinasim.statistics.survival import median_interval
from blinasim.trial.endpoints import DAYS_PER_MONTH, ENDPOINTS, Estimates, Share, estimate, fit_outcomes
from blinasim.trial.observe import TrialData, observe
from blinasim.trial.outcomes import OUTCOMES
from blind import trial_view as blind
from worlds import parameters, scenario, world

_CAUSES = {Cause.PROGRESSION: "progression", Cause.INFECTION: "infection", Cause.GVHD: "GvHD"}

#: Scenario, parameters, trials: some hundred patients in each, and what is rare in the source study.
WORLDS: dict[str, tuple[dict[str, Any], dict[str, Any], int]] = {
    "source study": ({}, {}, 3),
    "other named rules": (
        {
            "trial": {
                "rfs_censoring": "cutoff",
                "hsct_censoring": "any_recorded",
                "median_follow_up": "enrolment_to_cutoff",
            }
        },
        {},
        2,
    ),
    "half are lost each year": ({"trial": {"loss_per_year": 1.0}}, {}, 3),
    "an early cut-off": ({"trial": {"accrual": {"pieces": [{"days": 200}], "gap_days": 0}}}, {}, 3),
    "followed for seven years": ({"trial": {"accrual": {"pieces": [{"days": 100}], "gap_days": 2500}}}, {}, 2),
    "no responders": ({}, {"response.probability": 1e-9}, 2),
    "nobody transplanted": ({"policy": {"transplant": {"offered": False}}}, {}, 2),
    "one patient": ({"size": 1}, {}, 40),
    "two patients": ({"size": 2}, {}, 30),
    "delayed infusions": (
        {"size": 60, "capacity": {"infusion_starts": {"places": 1, "first_cycle_days": 20}}},
        {},
        4,
    ),
}

#: The second program's names of the project's endpoints.
SHARES = {
    "salvage2": "two or more prior salvage therapies",
    "prior_hsct": "prior HSCT",
    "blasts75": "marrow blasts of 75 % or more",
    "cr": "response",
    "cr_naive": "response, no prior HSCT",
    "cr_prior": "response, prior HSCT",
    "hsct": "HSCT",
    "hsct_naive": "HSCT, no prior HSCT",
    "hsct_prior": "HSCT, prior HSCT",
    "hsct_cr": "HSCT in CR",
    "hsct_crh": "HSCT in CRh*",
    "conditioning_mac": "myeloablative",
    "conditioning_ric": "reduced",
    "conditioning_unknown": "conditioning unknown",
    "donor_unrelated": "unrelated",
    "source_urd_blood": "unrelated, blood",
    "source_urd_marrow": "unrelated, marrow",
    "source_urd_cord": "unrelated, cord",
    "donor_related": "related",
    "donor_sibling": "sibling",
    "donor_haplo": "haploidentical",
    "source_sibling_blood": "sibling, blood",
    "source_sibling_marrow": "sibling, marrow",
    "source_haplo_blood": "haploidentical, blood",
    "donor_unknown": "donor unknown",
    "hsct_other": "later HSCT",
    "never": "never HSCT",
    "never_prior": "never, prior HSCT alone",
    "never_older": "never, 65 or more alone",
    "never_both": "never, both",
    "never_neither": "never, neither",
    "never_why": "never, one or both",
    "deaths100": "deaths by day 100",
    "deaths100_infection": "deaths by day 100, infection",
    "deaths100_gvhd": "deaths by day 100, GvHD",
    "deaths_post": "deaths",
    "deaths_post_infection": "deaths, infection",
    "deaths_post_progression": "deaths, progression",
    "deaths_post_gvhd": "deaths, GvHD",
    "cr_cycle_1": "remission in cycle 1",
    "cr_crh": "CRh*",
    "mrd_negative": "MRD-negative",
    "hsct_of_cr": "HSCT of CR",
    "hsct_of_crh": "HSCT of CRh*",
}
ESTIMATES = {
    "age": "age",
    "cycles": "cycles",
    "hsct_cycles": "cycles before HSCT",
    "followup": "follow-up, months",
    "os": "OS, months",
    "os_cens": "OS censored at HSCT, months",
    "rfs": "RFS, months",
    "rfs_cens": "RFS censored at HSCT, months",
    "d100": "100-day mortality",
    "os_12_months": "OS at 12 months",
    "os_24_months": "OS at 24 months",
    "os_36_months": "OS at 36 months",
    "rmst_12_months": "RMST to 12 months",
    "rmst_24_months": "RMST to 24 months",
    "days_to_hsct": "remission to HSCT, days",
    "hsct_6_months": "HSCT by 6 months",
    "relapse_6_months": "relapse before HSCT by 6 months",
    "death_6_months": "death before either by 6 months",
    "relapse_after_hsct": "relapse by 12 months after HSCT",
    "nrm_after_hsct": "non-relapse death by 12 months after HSCT",
}
CURVES = {
    "os": "OS",
    "os_cens": "OS, censored",
    "rfs": "RFS",
    "rfs_cens": "RFS, censored",
    "after_hsct": "death after HSCT",
    "after_remission": "to HSCT",
    "cause_after_hsct": "after HSCT",
}


@dataclass(frozen=True)
class Twice:
    """The same patients seen by both programs."""

    scenario: Scenario
    data: TrialData
    trials: list[list[blind.Life]]
    rules: blind.Rules

    def estimates(self) -> dict[str, Estimates]:
        return estimate(self.data, self.scenario.trial)


@cache
def twice(name: str) -> Twice:
    changes, values, replications = WORLDS[name]
    draft = scenario(changes.get("policy"), changes.get("trial"), size=changes.get("size", 120))
    draft = Scenario.model_validate(draft.model_dump() | {"capacity": changes.get("capacity", {})})
    of = world(draft, parameters(values), range(replications))
    history = des.walk(of.lives)
    record = record_transplants(history, of.lives.fates, of.parameters, of.draws)
    return Twice(
        draft,
        observe(draft, of.cohort, history, record, of.draws),
        _lives(draft, of, history, record),
        _rules(draft),
    )


def _rules(of: Scenario) -> blind.Rules:
    cycles, trial = of.policy.cycles, of.trial
    return blind.Rules(
        cutoff_day=sum(piece.days for piece in trial.accrual.pieces) + trial.accrual.gap_days,
        infusion_days=cycles.infusion_days,
        rest_days=cycles.rest_days,
        most_cycles=cycles.maximum,
        visits_every_days=of.policy.monitoring.visits_every_days,
        rfs_censoring=trial.rfs_censoring,
        hsct_censoring=trial.hsct_censoring,
        median_follow_up=trial.median_follow_up,
    )


def _lives(of: Scenario, drawn: Any, history: Any, record: Any) -> list[list[blind.Life]]:
    cohort = drawn.cohort
    starts = cycle_start_days(history, of.policy.cycles)
    uniform = drawn.draws.uniform("trial.loss").ravel()

    def day(column: np.ndarray, patient: int) -> int | None:
        return None if column[patient] == NONE else int(column[patient])

    lives = []
    for i in range(history.death.size):
        conditioning, donor, source = int(record.conditioning[i]), int(record.donor[i]), int(record.source[i])
        lives.append(
            blind.Life(
                entry_day=int(cohort.entry_day[i]),
                age_years=int(cohort.age_years[i]),
                prior_hsct=bool(cohort.prior_hsct[i]),
                salvage_lines=int(cohort.salvage_lines[i]),
                blasts_pct=float(cohort.blasts_pct[i]),
                cycle_starts=tuple(int(start) for start in starts[i] if start != NONE),
                remission=day(history.remission, i),
                crh_at_first=history.depth[i] == Depth.CRH or history.deepening[i] != NONE,
                deepening=day(history.deepening, i),
                mrd=Mrd(int(history.mrd[i])).name.lower() if history.mrd[i] != NONE else "",
                switch=day(history.switch, i),
                hsct=day(history.hsct, i),
                relapse_detected=day(history.relapse_detected, i),
                death=day(history.death, i),
                cause=_CAUSES.get(history.cause[i], "other"),
                lost=blind.lost_day(float(uniform[i]), of.trial.loss_per_year),
                conditioning="" if conditioning == NONE else Conditioning(conditioning).name.lower(),
                donor="" if donor == NONE else Donor(donor).name.lower(),
                source="" if source == NONE else Source(source).name.lower(),
            )
        )
    patients = cohort.patients
    return [lives[first : first + patients] for first in range(0, len(lives), patients)]


def near(one: float, other: float) -> bool:
    if isnan(one) or isnan(other):
        return isnan(one) and isnan(other)
    return one == other if isinf(one) or isinf(other) else abs(one - other) <= 1e-9


@pytest.mark.parametrize("name", WORLDS)
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


@pytest.mark.parametrize("name", WORLDS)
def test_the_second_program_has_the_same_times_to_events(name: str) -> None:
    both = twice(name)
    for outcome in OUTCOMES:
        found = outcome.of(both.data, both.scenario.trial)
        for trial, lives in enumerate(both.trials):
            times = blind.times(lives, both.rules)[CURVES[outcome.id]]
            who = found.member[trial]
            pairs = list(zip(found.time_days[trial][who].tolist(), found.code[trial][who].tolist(), strict=True))
            assert pairs == [(time.days, time.kind) for time in times], (outcome.id, trial)


@pytest.mark.parametrize("name", WORLDS)
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


@pytest.mark.parametrize("name", WORLDS)
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


@pytest.mark.parametrize("name", WORLDS)
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
