"""The same patients for both programs of the trial's view: worlds, made-up histories, and the names in each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np

from blinasim.engine import des
from blinasim.model.codes import HORIZON, NONE, Cause, Conditioning, Depth, Donor, Mrd, Source
from blinasim.model.history import COLUMNS, History, cycle_start_days
from blinasim.model.records import TransplantRecord, record_transplants
from blinasim.scenario.settings import Scenario
from blinasim.trial.endpoints import Estimates, estimate
from blinasim.trial.observe import TrialData, observe, observe_all
from blinasim.trial.tally import Tally
from blind import trial_view as blind
from worlds import no_hsct, parameters, scenario, world

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

#: Histories made up so that days coincide: patients of each trial.
MADE_UP = {"days that coincide, one patient": 1, "days that coincide, five patients": 5}
ALL = [*WORLDS, *MADE_UP]

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
    if name in MADE_UP:
        return _made_up(MADE_UP[name])
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


@dataclass(frozen=True)
class _GivenLuck:
    """Luck by which patients are lost on given days."""

    lost_days: np.ndarray

    def uniform(self, name: str) -> np.ndarray:
        assert name == "trial.loss"
        return 1.0 - np.exp(-(self.lost_days - 0.5) * 5.0 / 365.25)


def _made_up(patients: int, trials: int = 240, last_entry: int = 60, cutoff: int = 200) -> Twice:
    """Histories in which days coincide that hardly ever do: no engine wrote them, but the order of a day is kept."""
    random = Random(patients)
    rows, entry, lost = [], [], []
    for _ in range(trials * patients):
        one = dict.fromkeys(COLUMNS, NONE) | {"cycles": random.choice((1, 2, 5)), "infusion_days": 28, "mrd": 0}
        entry.append(random.randrange(last_entry))
        ends = [cutoff - entry[-1] + shift for shift in (-1, 0, 1)]
        if random.random() < 0.8:
            remission = one["remission"] = random.choice((28, 70))
            one["depth"] = random.choice((Depth.CR, Depth.CRH))
            if remission == 28 and one["depth"] == Depth.CR:
                one["deepening"] = random.choice((NONE, 70))
            hsct = remission + random.choice((3, 5, 8)) if random.random() < 0.7 else NONE
            later = max(hsct, remission)
            ends += [later + shift for shift in (0, 1, 99, 100, 101)]
            one["switch"] = random.choice((NONE, NONE, remission + 1, remission + 3))
            if random.random() < 0.5:
                one["relapse"] = one["relapse_detected"] = random.choice((remission + 2, later, *ends))
            if one["switch"] > hsct != NONE:
                one["switch"] = NONE
            one["hsct"], one["donor"] = hsct, Donor.SIBLING
        one["death"] = random.choice((NONE, one["relapse_detected"], *ends))
        if one["death"] != NONE:  # it comes first on its day
            one["death"] = max(one["death"], *(one[name] + 1 for name in ("remission", "hsct", "relapse_detected")))
            for name in ("switch", "deepening"):
                one[name] = one[name] if one[name] < one["death"] else NONE
            one["cycles"] = min(one["cycles"], (one["death"] - 1) // 42 + 1)
        one["cycles"] = max(one["cycles"], 1 + (one["remission"] == 70))
        one["cause"] = random.choice((Cause.PROGRESSION, Cause.INFECTION, Cause.GVHD))
        lost.append(random.choice((1000, 1000, *ends)))
        rows.append([int(one[name]) for name in COLUMNS])
    history = History.of_rows(rows)
    of = scenario(trial={"accrual": {"pieces": [{"days": cutoff}], "gap_days": 0}, "loss_per_year": 5.0}, size=patients)
    cohort = world(of, parameters(), range(trials)).cohort
    cohort = replace(cohort, entry_day=np.array(entry, dtype=np.int32))
    record = TransplantRecord(*(np.where(history.hsct != NONE, 0, NONE).astype(np.int8) for _ in range(3)))
    luck = _GivenLuck(np.array(lost).reshape(trials, patients))
    drawn = SimpleNamespace(cohort=cohort, draws=luck)
    data = observe(of, cohort, history, record, luck)
    return Twice(of, data, _lives(of, drawn, history, record), _rules(of))


def without_cutoff(name: str) -> tuple[Tally, dict[str, list[blind.Life]], blind.Rules]:
    """All patients of a world to the horizon: the project's tally, and the lives of which limits and oracles are."""
    changes, values, replications = WORLDS[name]
    of = scenario(changes.get("policy"), changes.get("trial"), size=changes.get("size", 120))
    as_run = world(of, parameters(values), range(replications))
    seen, lives = {}, {}
    for which, drawn in (("limit", as_run.lives), ("no HSCT", no_hsct(as_run))):
        history = des.walk(drawn)
        record = record_transplants(history, drawn.fates, as_run.parameters, as_run.draws)
        seen[which] = observe_all(of, as_run.cohort, history, record)
        kept = [one for trial in _lives(of, as_run, history, record) for one in trial]
        lives[which] = [replace(one, entry_day=0, lost=None) for one in kept]
        relapses = [None if day == NONE else int(day) for day in history.relapse]
        true = [replace(one, relapse_detected=day) for one, day in zip(lives[which], relapses, strict=True)]
        lives["oracle" if which == "limit" else which] = true
    tally = Tally.of(seen["limit"], seen["no HSCT"], of.trial)
    return tally, lives, replace(_rules(of), cutoff_day=HORIZON)


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
