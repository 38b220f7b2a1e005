"""Shipped policies against each other: the same patients and luck, different only where and after a policy decides."""

from __future__ import annotations

from functools import cache
from itertools import pairwise, zip_longest
from typing import Any

import numpy as np
import pytest

from blinasim.engine.choice import walk
from blinasim.files import shipped_scenarios
from blinasim.luck import Draws, Luck
from blinasim.model.codes import NONE, Conditioning, Event, Mrd
from blinasim.model.history import COLUMNS, History
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.settings import Scenario
from blinasim.study.batch import World, lives_of
from worlds import Line, parameters, scenario, stories, untouched

SEED, TRIALS = 6, 10


@cache
def loaded(name: str) -> Scenario:
    return load_scenario(name)


@cache
def world_of(name: str) -> World:
    of = loaded(name)
    return lives_of(of, parameters(), Draws(Luck(SEED), range(TRIALS), of.cohort.size))


@cache
def history_of(name: str) -> History:
    return walk(world_of(name).lives)


@cache
def stories_of(name: str) -> list[list[Line]]:
    return stories(world_of(name).lives)


#: Scenarios that give the same patients the same treatment, so that they differ by the policy alone.
SAME_PATIENTS = [
    name
    for name in shipped_scenarios()
    if not loaded(name).capacity.limited
    and loaded(name).cohort == loaded("baseline").cohort
    and loaded(name).policy.therapy == "blinatumomab"
    and loaded(name).payoffs is None  # which are a judgement and no policy
    and loaded(name).policy.transplant.effect == loaded("baseline").policy.transplant.effect  # which is nature's
]
PAIRS = [(a, b) for i, a in enumerate(SAME_PATIENTS) for b in SAME_PATIENTS[i + 1 :]]
#: What the clinic does or finds by doing it; everything else is what fate does.
DECISIONS = {
    Event.CANDIDACY,
    Event.SEARCH_START,
    Event.DONOR_FOUND,
    Event.TRANSPLANT,
    Event.CYCLE_START,
    Event.MAINTENANCE,
    Event.RELAPSE_DETECTED,  # in the marrow before an intended transplant
}


def test_all_shipped_scenarios_are_here() -> None:
    assert len(shipped_scenarios()) == 21
    assert len(SAME_PATIENTS) == 13
    for name in shipped_scenarios():
        of = loaded(name)
        assert len(of.why) > 100, f"{name} gives no reason and no assumptions"
        assert of.title != loaded("baseline").title or name == "baseline"


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=lambda name: name)
def test_what_first_differs_is_a_decision(one: str, other: str) -> None:
    """For every patient and every shipped pair: histories agree before the first difference, and that is no fate."""
    conditioning = [history_of(name).conditioning.tolist() for name in (one, other)]
    differ = 0
    for patient, (a, b) in enumerate(zip(stories_of(one), stories_of(other), strict=True)):
        if conditioning[0][patient] != conditioning[1][patient] and NONE not in (
            conditioning[0][patient],
            conditioning[1][patient],
        ):
            # Another conditioning on the day of the same transplant is a decision that a story does not tell.
            day = int(history_of(one).hsct[patient])
            a, b = ([line for line in story if line[0] <= day] for story in (a, b))
        first = next((pair for pair in zip_longest(a, b) if pair[0] != pair[1]), None)
        if first is None:
            continue
        differ += 1
        # In the order of days and of the day, what one clinic does and the other does not comes first.
        earlier = min((line for line in first if line is not None), key=lambda line: (line[0], line[1]))
        assert earlier[1] in DECISIONS, f"patient {patient}: {first}"
    assert (
        differ > 0 or {one, other} == {"reduced_intensity", "myeloablative_under_45"} or _only_conditioning(one, other)
    )


def _only_conditioning(one: str, other: str) -> bool:
    rules = {"baseline", "reduced_intensity", "myeloablative_under_45"}
    return {one, other} <= rules


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=lambda name: name)
def test_nobody_without_a_remission_is_touched_but_by_a_search(one: str, other: str) -> None:
    never = history_of("baseline").remission == NONE
    assert never.sum() > 800
    assert untouched(history_of(one), history_of(other), ignoring=("search_start", "donor_found", "donor"))[never].all()


def untouchable(name: str) -> np.ndarray:
    """Patients whom the policy cannot touch against the baseline, told from the baseline's charts and fates alone."""
    base, cohort, fates = history_of("baseline"), world_of("baseline").cohort, world_of("baseline").lives.fates
    plan = world_of("baseline").lives.plan
    no_candidate, everybody = base.candidacy == NONE, np.ones(base.death.size, dtype=bool)
    excluded = (cohort.age_years > 75) | ((cohort.age_years >= 65) & ~fates.selected_despite_age)
    excluded |= cohort.prior_hsct & ~fates.selected_despite_prior_hsct
    under_way = fates.head_start_days != NONE
    not_transplanted = base.hsct == NONE
    match name:
        case "early_donor_search":
            return excluded | under_way
        case "haplo_first":
            return no_candidate & ~plan.search_at_entry
        case "no_transplantation":
            return no_candidate & ~plan.search_at_entry
        case "no_second_hsct":
            return ~cohort.prior_hsct
        case "transplant_mrd_positive":
            return no_candidate | (fates.mrd != Mrd.NEGATIVE)
        case "transplant_mrd_negative":
            return no_candidate | (fates.mrd == Mrd.NEGATIVE)
        case "transplant_all_fit":
            return (base.remission == NONE) & ~under_way
        case "five_cycles_first":
            return no_candidate | (base.donor_found == NONE) & (base.hsct == NONE)
        case "transplant_after_cycle_1":
            return no_candidate & ~plan.search_at_entry & excluded
        case "reduced_intensity":
            return not_transplanted | (base.conditioning == Conditioning.REDUCED)
        case "myeloablative_under_45":
            return not_transplanted | (cohort.age_years >= 45)
        case "maintenance":
            return base.cycles < 5
        case _:
            assert name == "baseline"
            return everybody


@pytest.mark.parametrize("name", SAME_PATIENTS)
def test_patients_whom_a_policy_cannot_touch_live_the_same_lives_to_the_byte(name: str) -> None:
    alone, base, other = untouchable(name), history_of("baseline"), history_of(name)
    assert alone.sum() > 100
    for column in COLUMNS:
        one, again = getattr(base, column)[alone], getattr(other, column)[alone]
        assert one.tobytes() == again.tobytes(), column
    if name != "baseline":
        assert not untouched(base, other)[~alone].all(), "the policy touches nobody"


def test_an_older_cohort_or_another_treatment_leaves_the_luck_as_it_is() -> None:
    """Not the same patients, but the same numbers: what no setting of theirs changes is the same."""
    base = world_of("baseline")
    for name in ("older_cohort", "first_salvage_cohort", "standard_therapy"):
        fates = world_of(name).lives.fates
        assert np.array_equal(fates.symptoms_days, base.lives.fates.symptoms_days)
        assert np.array_equal(fates.head_start_days, base.lives.fates.head_start_days)
    standard = world_of("standard_therapy").lives.fates
    assert np.all((standard.response_cycle > 0) <= (base.lives.fates.response_cycle > 0))
    assert np.all(standard.early_death_days <= base.lives.fates.early_death_days)
    assert np.all(standard.failure_clock_millidays <= base.lives.fates.failure_clock_millidays)


# --- pathwise ---------------------------------------------------------------------------------------------


def realized(policy: dict[str, Any], seed: int = SEED) -> np.ndarray:
    of = scenario(policy)
    return walk(lives_of(of, parameters(), Draws(Luck(seed), range(40), of.cohort.size)).lives).on_study_hsct


def never_lost(less: dict[str, Any], more: dict[str, Any]) -> None:
    """Whoever is transplanted on study under ``less`` is so under ``more``, and somebody else is too."""
    one, other = realized(less), realized(more)
    assert np.all(one <= other)
    assert one.sum() < other.sum()


STARTS = [{"after_cycle": 4}, {"after_cycle": 3}, {"after_cycle": 2}, "remission", "enrolment"]


@pytest.mark.parametrize(("later", "earlier"), list(pairwise(STARTS)), ids=str)
def test_an_earlier_search_never_loses_a_transplant(later: Any, earlier: Any) -> None:
    never_lost({"donor_search": {"starts": later}}, {"donor_search": {"starts": earlier}})


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ({"max_age_years": 50}, {"max_age_years": 60}),
        ({"max_age_years": 60}, {"max_age_years": 120, "selected_from_age_years": None}),
        ({"prior_hsct": "refused"}, {"prior_hsct": "selected"}),
        ({"prior_hsct": "selected"}, {"prior_hsct": "allowed"}),
        ({"fitness": ["good"]}, {"fitness": ["good", "fair"]}),
        ({"mrd": ["negative"]}, {"mrd": ["negative", "unknown"]}),
        ({"depth": ["CR"]}, {"depth": ["CR", "CRh"]}),
    ],
    ids=str,
)
def test_wider_candidacy_never_loses_a_transplant(narrow: dict[str, Any], wide: dict[str, Any]) -> None:
    never_lost({"transplant": {"candidates": narrow}}, {"transplant": {"candidates": wide}})


@pytest.mark.parametrize("donor", ["sibling", "unrelated", "cord", "haploidentical"])
def test_accepting_a_type_later_never_wins_a_transplant(donor: str) -> None:
    accepted = {"sibling": 0, "unrelated": 0, "cord": 60, "haploidentical": 60}
    later = accepted | {donor: accepted[donor] + 60}
    without = {key: day for key, day in accepted.items() if key != donor}
    never_lost({"donor_search": {"accept_from_day": later}}, {"donor_search": {"accept_from_day": accepted}})
    never_lost({"donor_search": {"accept_from_day": without}}, {"donor_search": {"accept_from_day": later}})


@pytest.mark.parametrize(
    ("late", "soon"),
    [
        ({"earliest_cycle": 5}, {"earliest_cycle": 3}),
        ({"latest_cycle": 2}, {"latest_cycle": 4}),
        ({"latest_cycle": 5}, {"latest_cycle": None}),
        ({"preparation_days": 40}, {"preparation_days": 7}),
        ({"finish_infusion": True}, {"finish_infusion": False}),
    ],
    ids=str,
)
def test_an_earlier_or_wider_window_never_loses_a_transplant(late: dict[str, Any], soon: dict[str, Any]) -> None:
    never_lost({"transplant": late}, {"transplant": soon})
