"""What must not change anybody's life: another patient, replication, decision or order; the future; a null effect."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from blinasim.engine import des
from blinasim.engine.lives import Lives
from blinasim.luck import Draws, Luck
from blinasim.model.catalogue import parameter_catalogue
from blinasim.model.codes import HORIZON, NEVER, NONE, Cause, Event
from blinasim.model.fates import Fates
from blinasim.model.history import COLUMNS, History
from blinasim.model.parameters import parameters_of
from blinasim.model.records import record_transplants
from blinasim.scenario.settings import Policy, Scenario
from blinasim.study.batch import World, lives_of
from blinasim.trial.endpoints import ENDPOINTS, Share
from blinasim.trial.observe import TrialData, observe
from worlds import (
    Line,
    arrays_of,
    before,
    cut,
    differing,
    differing_histories,
    no_hsct,
    or_never,
    parameters,
    scenario,
    stories,
    under,
    untouched,
    world,
)

SEARCH = (Event.SEARCH_START, Event.DONOR_FOUND)
SEARCH_COLUMNS = ("search_start", "donor_found", "donor")


@dataclass(frozen=True)
class Lived:
    """Everything that is known about a block of replications."""

    of: World
    history: History
    data: TrialData

    def arrays(self, rows: slice = slice(None), columns: slice = slice(None)) -> dict[str, np.ndarray]:
        """Cohort, fates, plan, histories, records and the trial's view of some trials and patients."""
        shape = (self.of.cohort.replications, self.of.cohort.patients)
        record = record_transplants(self.history, self.of.lives.fates, self.of.parameters, self.of.draws)
        parts = {
            "cohort": self.of.cohort,
            "fates": self.of.lives.fates,
            "plan": self.of.lives.plan,
            "graft": self.of.lives.graft,
            "history": self.history,
            "record": record,
            "data": self.data,
        }
        return {
            f"{part}.{name}": array
            for part, whole in parts.items()
            for name, array in cut(whole, shape, rows, columns).items()
        }


def lived(of: Scenario, block: range, seed: int = 1, first_patient: int = 0) -> Lived:
    draws = Draws(Luck(seed), block, of.cohort.size, first_patient)
    drawn = lives_of(of, parameters(), draws)
    history = des.walk(drawn.lives)
    record = record_transplants(history, drawn.lives.fates, drawn.parameters, draws)
    return Lived(drawn, history, observe(of, drawn.cohort, history, record, draws))


# --- more of something -------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [50, 191, 192])
def test_a_further_patient_changes_nobody(size: int) -> None:
    some = lived(scenario(size=size), range(3))
    more = lived(scenario(size=size + 1), range(3))

    assert differing(some.arrays(), more.arrays(columns=slice(size))) == []


def test_a_further_replication_changes_nobody() -> None:
    some, more = lived(scenario(), range(3)), lived(scenario(), range(4))

    assert differing(some.arrays(), more.arrays(rows=slice(3))) == []


def test_a_block_of_replications_drawn_alone_is_the_same() -> None:
    alone, whole = lived(scenario(), range(3, 6)), lived(scenario(), range(8))

    assert differing(alone.arrays(), whole.arrays(rows=slice(3, 6))) == []


@pytest.mark.parametrize("patient", [0, 17, 191, 192])
def test_one_patient_drawn_alone_is_the_same(patient: int) -> None:
    alone = lived(scenario(size=1), range(2, 3), first_patient=patient)
    whole = lived(scenario(size=200), range(3))

    assert differing(alone.arrays(), whole.arrays(slice(2, 3), slice(patient, patient + 1))) == []


def test_a_further_decision_changes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = lived(scenario(size=60), range(3)).arrays()
    uniform = Draws.uniform

    def another_decision_first(self: Draws, name: str) -> np.ndarray:
        uniform(self, "a decision of tomorrow")
        uniform(self, f"{name} and its sequel")
        return uniform(self, name)

    monkeypatch.setattr(Draws, "uniform", another_decision_first)

    assert differing(plain, lived(scenario(size=60), range(3)).arrays()) == []


def test_the_same_seed_gives_the_same_lives_and_another_seed_others() -> None:
    one, again, other = (lived(scenario(), range(2), seed) for seed in (4, 4, 5))

    assert differing(one.arrays(), again.arrays()) == []
    assert len(differing_histories(one.history, other.history)) == len(COLUMNS) - 1  # nobody is maintained here


def test_a_parameter_for_each_replication_is_the_same_as_one_for_all() -> None:
    rng = np.random.default_rng(1)
    point = {name: info.value for name, info in parameter_catalogue().items()}
    factors = rng.uniform(0.8, 1.0, (3, len(point)))
    each = {name: np.round(value * factors[:, [column]], 4) for column, (name, value) in enumerate(point.items())}
    together = world(scenario(), parameters_of(each), range(3))
    history = des.walk(together.lives)

    for replication in range(3):
        own = parameters_of({name: float(value[replication, 0]) for name, value in each.items()})
        alone = world(scenario(), own, range(replication, replication + 1))
        rows = slice(replication, replication + 1)
        for part in ("cohort", "fates", "plan", "graft"):
            one, all_ = ((w.cohort if part == "cohort" else getattr(w.lives, part)) for w in (alone, together))
            assert differing(cut(one, (1, 189), slice(None), slice(None)), cut(all_, (3, 189), rows, slice(None))) == []
        walked = cut(history, (3, 189), rows, slice(None))
        assert differing(cut(des.walk(alone.lives), (1, 189), slice(None), slice(None)), walked) == []


# --- the order of processes --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def six_trials() -> World:
    return world(scenario(), parameters(), range(6))


@pytest.fixture(scope="module")
def six_histories(six_trials: World) -> History:
    return des.walk(six_trials.lives)


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_the_order_of_processes_does_not_matter(six_trials: World, six_histories: History, seed: int | None) -> None:
    order = list(reversed(range(189))) if seed is None else np.random.default_rng(seed).permutation(189).tolist()

    assert differing_histories(six_histories, des.walk(six_trials.lives, order=order)) == []


def test_being_watched_does_not_matter(six_trials: World, six_histories: History) -> None:
    assert differing_histories(six_histories, des.walk(six_trials.lives, log=[])) == []


def test_company_and_the_day_of_entry_do_not_matter(six_trials: World, six_histories: History) -> None:
    lives = six_trials.lives
    alone = replace(lives, replications=lives.entry_day.size, patients=1, entry_day=np.zeros_like(lives.entry_day))

    assert differing_histories(six_histories, des.walk(alone)) == []


# --- no foresight ------------------------------------------------------------------------------------

POLICIES: dict[str, dict[str, object]] = {
    "baseline": {},
    "search at enrolment": {"donor_search": {"starts": "enrolment"}},
    "everybody a candidate": {
        "transplant": {"candidates": {"selected_from_age_years": None, "prior_hsct": "allowed"}},
        "donor_search": {"accept_from_day": {"haploidentical": 0, "sibling": 0}},
    },
    "three cycles": {"cycles": {"maximum": 3}},
}


@cache
def told(policy: str) -> tuple[World, History, list[list[Line]]]:
    """250 patients under a policy, with their stories."""
    drawn = world(scenario(POLICIES[policy], size=250), parameters(), range(1), seed=9)
    return drawn, des.walk(drawn.lives), stories(drawn.lives)


def altered_after(day: int, lives: Lives, history: History, rng: np.random.Generator) -> Fates:
    """Settle anew all that has not taken effect by the end of a day, so that it takes effect later than it."""
    fates, graft = lives.fates, lives.graft
    patients = history.death.size

    def anew(values: np.ndarray, spent: int | np.ndarray, unit: int = 1) -> np.ndarray:
        """What exceeds the time spent by the end of the day gets another value that exceeds it."""
        later = spent + rng.integers(1, 300 * unit, values.shape)
        later = np.where(rng.random(values.shape) < 0.2, NEVER * unit, later)
        return np.where(values > spent, later, values).astype(values.dtype)

    def cause_anew(cause: np.ndarray, awaited: np.ndarray) -> np.ndarray:
        return np.where(awaited, rng.integers(0, len(Cause), patients), cause).astype(cause.dtype)

    def since(event: np.ndarray) -> np.ndarray:
        """Days from an event until the day; 0 where it has not happened by then."""
        return np.where((event != NONE) & (event <= day), day - event, 0)

    # At most so much infusion by the end of the day, whatever the treatment given.
    infused = sum(1 for past in range(day) if past % 42 < 28)
    in_remission = since(history.remission)
    not_yet = (history.remission == NONE) | (history.remission > day)
    failed = np.where(history.failure != NONE, history.failure, history.relapse)
    fastest_relapse = np.max(
        [
            fates.relapse_speed_rest,
            fates.relapse_speed_infusion,
            fates.relapse_speed_other_therapy,
            graft.relapse_speed.max(axis=1),
        ],
        axis=0,
    )
    fastest_failure = np.max(
        [
            fates.failure_speed_refractory,
            fates.failure_speed_relapse,
            fates.failure_speed_relapse_after_hsct,
            fates.failure_speed_salvage_graft,
        ],
        axis=0,
    )
    # Response is judged on days 28 and 70: who has not yet been judged may respond another time, or never.
    open_cycles = [0, 1, 2] if day < 28 else [0, 2] if day < 70 else []
    judged_later = np.isin(fates.response_cycle, open_cycles) & (fates.progression_days > day)
    other = rng.choice(open_cycles or [0], patients)
    response_cycle = np.where(judged_later, other, fates.response_cycle).astype(np.int8)
    progression = np.where(response_cycle == 0, anew(fates.progression_days, day), NEVER).astype(np.int32)
    head_start = np.maximum(fates.head_start_days, 0)[:, None]
    coin = rng.random(patients) < 0.5
    return replace(
        fates,
        early_death_days=anew(fates.early_death_days, day),
        early_death_cause=cause_anew(fates.early_death_cause, fates.early_death_days > day),
        progression_days=progression,
        stop_infusion_days=anew(fates.stop_infusion_days, infused),
        response_cycle=response_cycle,
        depth=np.where(not_yet & coin, 1 - fates.depth, fates.depth).astype(np.int8),
        deepens=fates.deepens ^ (coin & (day < 70)),
        mrd=np.where(not_yet & coin, (fates.mrd + 1) % 3, fates.mrd).astype(np.int8),
        declines=fates.declines ^ (not_yet & coin),
        relapse_clock_millidays=anew(fates.relapse_clock_millidays, in_remission * fastest_relapse, 1000),
        symptoms_days=anew(fates.symptoms_days, since(history.relapse)),
        remission_death_days=anew(fates.remission_death_days, in_remission),
        remission_death_cause=cause_anew(fates.remission_death_cause, fates.remission_death_days > in_remission),
        switch_days=anew(fates.switch_days, in_remission),
        later_transplant_days=anew(fates.later_transplant_days, in_remission),
        donor_search_days=anew(fates.donor_search_days, day + head_start),
        non_relapse_clock_millidays=anew(
            fates.non_relapse_clock_millidays,
            in_remission * np.maximum(graft.non_relapse_speed, graft.non_relapse_speed_late).max(axis=1),
            1000,
        ),
        failure_clock_millidays=anew(fates.failure_clock_millidays, since(failed) * fastest_failure, 1000),
    )


@settings(deadline=None, max_examples=40, derandomize=True)
@given(day=st.integers(0, 400), policy=st.sampled_from(sorted(POLICIES)), seed=st.integers(0, 10**6))
@example(day=27, policy="baseline", seed=1)
@example(day=28, policy="baseline", seed=1)
@example(day=60, policy="baseline", seed=1)
@example(day=69, policy="search at enrolment", seed=1)
@example(day=70, policy="search at enrolment", seed=1)
@example(day=100, policy="everybody a candidate", seed=1)
@example(day=150, policy="baseline", seed=1)
def test_nobody_foresees_a_fate(day: int, policy: str, seed: int) -> None:
    drawn, history, told_first = told(policy)
    altered = altered_after(day, drawn.lives, history, np.random.default_rng(seed))
    lives = under(drawn.lives.policy, replace(drawn, lives=replace(drawn.lives, fates=altered)))

    told_again = stories(lives)

    until = day + 1
    assert [before(until, story) for story in told_again] == [before(until, story) for story in told_first]
    # The alteration is one: of those alive by then, most go on to live otherwise.
    alive = (history.death == NONE) | (history.death > day)
    other = np.array([one != another for one, another in zip(told_first, told_again, strict=True)])
    assert other[alive].mean() > 0.6
    assert not other[~alive].any()


# --- policies that agree for a while -----------------------------------------------------------------


@pytest.fixture(scope="module")
def many() -> World:
    """1,890 patients under the source study's conduct."""
    return world(scenario(), parameters(), range(10), seed=2)


@pytest.fixture(scope="module")
def many_histories(many: World) -> History:
    return des.walk(many.lives)


@pytest.fixture(scope="module")
def many_stories(many: World) -> list[list[Line]]:
    return stories(many.lives)


def first_differences(one: list[list[Line]], other: list[list[Line]], ignoring: tuple[Event, ...] = ()) -> list[int]:
    """The first day on which each pair of stories is not the same; NEVER where there is none."""
    days = []
    for a, b in zip(one, other, strict=True):
        a, b = before(NEVER, a, ignoring), before(NEVER, b, ignoring)
        common = next((k for k in range(min(len(a), len(b))) if a[k] != b[k]), min(len(a), len(b)))
        days.append(min((story[common][0] for story in (a, b) if len(story) > common), default=NEVER))
    return days


def words_of(**changes: object) -> Policy:
    return Policy.model_validate(changes)


@pytest.mark.parametrize(
    ("policy", "first_day"),
    [
        (words_of(cycles={"maximum": 4}), 168),  # the fifth cycle is not begun
        (words_of(cycles={"maximum": 3}), 126),
        (words_of(cycles={"maximum": 2}), 84),
        (words_of(monitoring={"visits_every_days": 60}), 256),  # 196 + 60
    ],
)
def test_policies_that_agree_for_a_while_give_the_same_lives_for_that_while(
    many: World, many_stories: list[list[Line]], policy: Policy, first_day: int
) -> None:
    days = first_differences(many_stories, stories(under(policy, many)))

    assert min(days) == first_day
    assert 0 < sum(day < NEVER for day in days) < len(days)


def test_a_donor_refused_for_longer_changes_nothing_before_he_would_have_been_taken(
    many: World, many_stories: list[list[Line]]
) -> None:
    patient = {"sibling": 0, "unrelated": 0, "cord": 150, "haploidentical": 180}
    days = first_differences(many_stories, stories(under(words_of(donor_search={"accept_from_day": patient}), many)))

    could_differ = 120 - np.maximum(many.lives.fates.head_start_days, 0)
    assert np.all(np.array(days) >= could_differ)
    assert min(days) < NEVER


def test_without_hsct_nothing_differs_before_candidacy_but_the_search(
    many: World, many_histories: History, many_stories: list[list[Line]]
) -> None:
    days = np.array(first_differences(many_stories, stories(no_hsct(many)), ignoring=SEARCH))
    candidates = many_histories.candidacy != NONE

    assert candidates.sum() > 300
    assert np.array_equal(days[candidates], many_histories.candidacy[candidates])
    assert np.all(days[~candidates] == NEVER)


def test_without_hsct_a_patient_who_is_no_candidate_lives_the_same_life(many: World, many_histories: History) -> None:
    same = untouched(many_histories, des.walk(no_hsct(many)), ignoring=SEARCH_COLUMNS)
    never = many_histories.candidacy == NONE

    assert same[never].all()
    assert not same[~never].any()


def test_an_earlier_search_leaves_those_alone_whom_it_does_not_concern(many: World, many_histories: History) -> None:
    earlier = words_of(donor_search={"starts": "enrolment"})
    lives = under(earlier, many)
    searched_earlier = lives.plan.search_at_entry & ~many.lives.plan.search_at_entry
    history = des.walk(lives)

    assert untouched(many_histories, history)[~searched_earlier].all()
    # Searched for in vain: only the search is written down.
    never = many_histories.candidacy == NONE
    assert untouched(many_histories, history, ignoring=SEARCH_COLUMNS)[never].all()
    assert (searched_earlier & never).sum() > 100
    # And those whom it does concern are transplanted no later, if they are at all.
    both = (many_histories.hsct != NONE) & (history.hsct != NONE)
    assert np.all(history.hsct[both] <= many_histories.hsct[both])
    assert (history.hsct[both] < many_histories.hsct[both]).sum() > 20


def test_another_age_limit_leaves_the_younger_alone(many: World, many_histories: History) -> None:
    history = des.walk(under(words_of(transplant={"candidates": {"max_age_years": 50}}), many))
    same = untouched(many_histories, history)

    assert same[many.cohort.age_years <= 50].all()
    assert not np.any(history.candidacy[many.cohort.age_years > 50] != NONE)
    assert (~same).sum() > 50


def test_another_conditioning_changes_nothing_before_the_transplant(
    many: World, many_histories: History, many_stories: list[list[Line]]
) -> None:
    rule = {"myeloablative_below_age_years": 60, "myeloablative_fitness": ["good", "fair", "poor"]}
    lives = under(words_of(transplant={"conditioning": rule}), many)
    changed = lives.plan.conditioning != many.lives.plan.conditioning
    days = np.array(first_differences(many_stories, stories(lives)))

    assert np.all(days[~changed] == NEVER)
    differ = days < NEVER
    assert differ.sum() > 20
    assert np.all(many_histories.hsct[differ] != NONE)
    assert np.all(days[differ] > many_histories.hsct[differ])


# --- one clock ---------------------------------------------------------------------------------------

NO_NON_RELAPSE_DEATH = {
    f"non_relapse.{cause}_{when}": 0.0
    for cause in ("infection", "gvhd", "other")
    for when in ("day_100", "late_per_year")
}
NULL_EFFECT = NO_NON_RELAPSE_DEATH | {
    "relapse.graft_speed": 1.0,
    "relapse.reduced_speed": 1.0,
    "relapse.sibling_speed": 1.0,
    "relapse.haploidentical_speed": 1.0,
    "relapse.cord_speed": 1.0,
    "relapse.graft_late_speed": 1.0,
    "relapse.infusion_speed": 1.0,
    "relapse.other_therapy_speed": 1.0,
    "failure.relapse_speed": 0.7,
    "failure.relapse_after_hsct_speed": 0.7,
    "failure.salvage_graft_speed": 0.7,
}


@pytest.fixture(scope="module")
def null_effect() -> tuple[World, History, History]:
    """Lives with HSCT and without, where it has no effect."""
    drawn = world(scenario(size=1000), parameters(NULL_EFFECT), range(4), seed=3)
    return drawn, des.walk(drawn.lives), des.walk(no_hsct(drawn))


def test_a_transplant_without_effect_moves_nobodys_relapse_or_death(
    null_effect: tuple[World, History, History],
) -> None:
    _, with_hsct, without = null_effect

    assert (with_hsct.hsct != NONE).sum() > 400
    assert (with_hsct.on_study_hsct).sum() > 300
    assert not np.any(without.hsct != NONE)
    for name in ("failure", "remission", "relapse", "death", "cause"):
        assert np.array_equal(getattr(with_hsct, name), getattr(without, name)), name
    # The clocks ran: after the transplant there were relapses and deaths.
    transplanted = with_hsct.hsct != NONE
    assert (with_hsct.relapse[transplanted] > with_hsct.hsct[transplanted]).sum() > 100
    assert (with_hsct.death[transplanted] != NONE).sum() > 200


def test_it_changes_only_what_a_transplant_itself_is(null_effect: tuple[World, History, History]) -> None:
    """A graft ends cycles and switches, and the marrow before conditioning shows a hidden relapse early."""
    _, with_hsct, without = null_effect
    with_day, without_day = or_never(with_hsct.relapse_detected), or_never(without.relapse_detected)
    earlier = with_day < without_day

    assert np.all(with_day <= without_day)
    assert np.all(with_hsct.donor_found[earlier] != NONE)
    assert np.all(with_hsct.donor_found[earlier] <= with_day[earlier])
    switch, would_switch = or_never(with_hsct.switch), or_never(without.switch)
    prevented = switch != would_switch
    assert np.all(switch[prevented] == NEVER)
    assert np.all(would_switch[prevented] >= with_hsct.hsct[prevented])
    untransplanted = (with_hsct.hsct == NONE) & ~earlier
    assert untouched(with_hsct, without, ignoring=(*SEARCH_COLUMNS, "candidacy"))[untransplanted].all()


def test_a_graft_that_slows_the_clock_never_brings_relapse_forward() -> None:
    drawn = world(scenario(size=1000), parameters(), range(4), seed=3)
    with_hsct, without = des.walk(drawn.lives), des.walk(no_hsct(drawn))
    fates, graft = drawn.lives.fates, drawn.lives.graft
    slowest = np.minimum(fates.relapse_speed_infusion, fates.relapse_speed_other_therapy)
    slowed = graft.relapse_speed.max(axis=1) <= slowest
    later = or_never(with_hsct.relapse) >= or_never(without.relapse)

    assert slowed.mean() > 0.99
    assert later[slowed].all()
    assert (with_hsct.relapse != without.relapse).sum() > 100


def test_the_slower_the_graft_makes_the_clock_the_later_the_relapse() -> None:
    # Fates do not depend on the graft's speed, so these are the same patients, transplanted on the same days.
    slow, slower = (
        world(scenario(size=1000), parameters({"relapse.graft_speed": speed}), range(4), seed=3)
        for speed in (0.30, 0.15)
    )
    history, other = des.walk(slow.lives), des.walk(slower.lives)

    assert differing(arrays_of(slow.lives.fates), arrays_of(slower.lives.fates)) == []
    assert np.array_equal(history.hsct, other.hsct)
    assert np.all(or_never(other.relapse) >= or_never(history.relapse))
    assert (or_never(other.relapse) > or_never(history.relapse)).sum() > 40


def test_non_relapse_death_only_ever_shortens_a_life() -> None:
    deadly, harmless = (
        world(scenario(size=1000), parameters(changes), range(4), seed=3) for changes in ({}, NO_NON_RELAPSE_DEATH)
    )
    history, other = des.walk(deadly.lives), des.walk(harmless.lives)

    assert np.all(or_never(history.death) <= or_never(other.death))
    shortened = history.death != other.death
    assert shortened.sum() > 40
    assert np.all(history.hsct[shortened] != NONE)


# --- bookkeeping in every trial ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def trials() -> Lived:
    """The source study, 200 times."""
    return lived(scenario(), range(200))


def counted(endpoint_id: str, data: TrialData) -> np.ndarray:
    """Patients whom a share counts, in each trial."""
    endpoint = next(endpoint for endpoint in ENDPOINTS if endpoint.id == endpoint_id)
    assert isinstance(endpoint, Share)
    who, among = endpoint.of(data)
    return (who & among).sum(axis=1)


@pytest.mark.parametrize(
    ("whole", "parts"),
    [
        ("cr", ("hsct", "hsct_other", "never")),
        ("cr", ("cr_naive", "cr_prior")),
        ("hsct", ("hsct_naive", "hsct_prior")),
        ("hsct", ("hsct_cr", "hsct_crh")),
        ("hsct", ("conditioning_mac", "conditioning_ric", "conditioning_unknown")),
        ("hsct", ("donor_unrelated", "donor_related", "donor_unknown")),
        ("donor_related", ("donor_sibling", "donor_haplo")),
        ("donor_unrelated", ("source_urd_blood", "source_urd_marrow", "source_urd_cord")),
        ("donor_sibling", ("source_sibling_blood", "source_sibling_marrow")),
        ("never", ("never_prior", "never_older", "never_both", "never_neither")),
        ("never_why", ("never_prior", "never_older", "never_both")),
    ],
)
def test_the_parts_add_up_to_the_whole_in_every_trial(trials: Lived, whole: str, parts: tuple[str, ...]) -> None:
    counts = [counted(part, trials.data) for part in parts]

    assert np.array_equal(counted(whole, trials.data), np.sum(counts, axis=0))
    assert all(count.any() for count in counts)


@pytest.mark.parametrize(
    ("whole", "causes"),
    [
        ("deaths_post", ("deaths_post_infection", "deaths_post_progression", "deaths_post_gvhd")),
        ("deaths100", ("deaths100_infection", "deaths100_gvhd")),
    ],
)
def test_deaths_after_hsct_add_up_with_the_causes_not_listed(
    trials: Lived, whole: str, causes: tuple[str, ...]
) -> None:
    data = trials.data
    within = (data.death - data.hsct <= 100) | (whole == "deaths_post")
    listed = [Cause[cause.split("_")[-1].upper()] for cause in causes]
    others = data.on_study & (data.death != NONE) & within & ~np.isin(data.cause, listed)

    counts = np.sum([counted(cause, data) for cause in causes], axis=0)
    assert np.array_equal(counted(whole, data), counts + others.sum(axis=1))
    assert counted(whole, data).sum() > 100


def test_what_a_trial_has_seen_lies_within_its_follow_up(trials: Lived) -> None:
    data = trials.data

    for name in ("remission", "switch", "hsct", "relapse", "relapse_detected", "death"):
        assert np.all(getattr(data, name) <= data.follow_up_days), name
    assert np.all(data.follow_up_days <= data.potential_days)
    assert np.all(data.last_visit <= data.follow_up_days)
    assert np.all((data.cycles >= 1) & (data.cycles <= 5))
    assert np.all(data.potential_days > 84)  # the gap between the last entry and the cut-off
    assert np.all(data.potential_days <= 430 + 84)


def follows(history: History, first: str, then: str, *, apart: int = 0) -> bool:
    """Whether an event never happens without another at least so many days before it."""
    one, other = getattr(history, first), getattr(history, then)
    happened = other != NONE
    return bool(happened.any() and np.all((one[happened] != NONE) & (other[happened] >= one[happened] + apart)))


@pytest.mark.parametrize(
    ("first", "then", "apart"),
    [
        ("remission", "candidacy", 0),
        ("remission", "switch", 1),
        ("remission", "relapse", 1),
        ("relapse", "relapse_detected", 0),
        ("remission", "deepening", 42),
        ("search_start", "donor_found", 0),
        ("donor_found", "hsct", 0),
        ("candidacy", "hsct", 0),
    ],
)
def test_events_follow_each_other(trials: Lived, first: str, then: str, apart: int) -> None:
    assert follows(trials.history, first, then, apart=apart)


def test_nothing_happens_after_death_or_the_horizon(trials: Lived) -> None:
    history = trials.history
    codes = {"cycles", "infusion_days", "depth", "mrd", "donor", "conditioning", "cause"}
    dated = [name for name in COLUMNS if name not in codes]

    for name in dated:
        day = getattr(history, name)
        assert np.all(day <= or_never(history.death)), name
        assert np.all((day >= 0) | (day == NONE)), name
        assert np.all(day <= HORIZON), name
    # Death comes first on its day, so that nothing else happens on it.
    for name in set(dated) - {"death"}:
        assert not np.any((getattr(history, name) == history.death) & (history.death != NONE)), name


def test_histories_are_of_one_piece(trials: Lived) -> None:
    history, plan = trials.history, trials.of.lives.plan
    remission, relapse = history.remission != NONE, history.relapse != NONE
    switch, hsct, stop = history.switch, history.hsct, history.stop

    assert not np.any(remission & (history.failure != NONE))
    assert set(history.remission.tolist()) == {NONE, 28, 70}
    assert set(history.deepening.tolist()) == {NONE, 70}
    assert np.array_equal(history.depth != NONE, remission)
    assert np.array_equal(history.cause != NONE, history.death != NONE)
    assert np.array_equal(history.donor != NONE, history.donor_found != NONE)
    assert np.array_equal(history.candidacy != NONE, remission & plan.candidate)
    assert np.array_equal(history.candidacy[remission & plan.candidate], history.remission[remission & plan.candidate])
    # A switch comes in remission: not on or after the day of a relapse, nor after a transplant.
    assert np.all((switch < history.relapse)[(switch != NONE) & relapse])
    assert np.all((switch < hsct)[(switch != NONE) & (hsct != NONE)])
    # Cycles: begun one after the other, each infused for at most 28 days, none after the drug was stopped.
    assert np.all((history.cycles >= 1) & (history.cycles <= 5))
    assert np.all(history.infusion_days <= 28 * history.cycles)
    assert np.all(history.infusion_days >= 28 * (history.cycles - 1))
    assert np.all(history.cycles[history.failure != NONE] <= 2)
    stopped = stop != NONE
    assert np.all(stop[stopped] > 42 * (history.cycles[stopped] - 1))
    assert np.all(stop[stopped] <= 42 * (history.cycles[stopped] - 1) + 28)
    assert np.array_equal(stop[stopped] - 14 * (history.cycles[stopped] - 1), history.infusion_days[stopped])


def test_transplants_are_where_they_may_be(trials: Lived) -> None:
    history = trials.history
    on_study = history.on_study_hsct
    later = (history.hsct != NONE) & ~on_study
    infusion_ends = 42 * (history.cycles - 1) + 28

    assert on_study.sum() > 1000
    assert later.sum() > 100
    assert np.all((history.hsct >= infusion_ends)[on_study & (history.stop == NONE)])
    assert np.all((history.hsct >= history.stop)[on_study & (history.stop != NONE)])
    assert np.all((or_never(history.relapse) > history.hsct)[on_study])
    broken = np.minimum(or_never(history.switch), or_never(history.relapse_detected))
    assert np.all((broken < history.hsct)[later])
