"""The trial's view: hand-made histories with exact times, a second reading of the rules, and lifelines as the judge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import median_survival_times

from blinasim.engine import des
from blinasim.engine.body import Protocol
from blinasim.model.codes import HORIZON, NONE, Cause, Depth, Donor
from blinasim.model.cohort import Cohort
from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.model.history import COLUMNS, History
from blinasim.model.records import TransplantRecord, record_transplants
from blinasim.model.visits import last_visit
from blinasim.scenario.settings import Policy, Scenario, Trial
from blinasim.study.batch import World
from blinasim.study.simulate import Result, simulate
from blinasim.trial.endpoints import estimate
from blinasim.trial.observe import TrialData, observe, observe_all
from blinasim.trial.occupancy import State, occupancy
from blinasim.trial.outcomes import OUTCOMES
from worlds import no_hsct, or_never, parameters, scenario, world

# --- six patients by hand ----------------------------------------------------------------------------

#: Accrual of 300 days and a gap of 100: the cut-off is day 400.
TRIAL = {"accrual": {"pieces": [{"days": 300}], "gap_days": 100}, "loss_per_year": 0.0}
ENTRY = [0, 100, 100, 250, 0, 200]

#: What happened to whom; everything else did not.
SIX: list[dict[str, int]] = [
    # Ann: transplanted on study, dead on day 100 after it.
    {"cycles": 1, "remission": 28, "depth": Depth.CR, "candidacy": 28, "search_start": 0, "donor_found": 50}
    | {"donor": Donor.SIBLING, "hsct": 60, "death": 160, "cause": Cause.INFECTION},
    # Ben: relapse on day 90, detected at the visit of day 112; dies on the day of the cut-off.
    {"cycles": 2, "remission": 28, "depth": Depth.CR, "relapse": 90, "relapse_detected": 112}
    | {"death": 300, "cause": Cause.PROGRESSION},
    # Cleo: switches, is transplanted later, and dies on the day after the cut-off.
    {"cycles": 2, "remission": 70, "depth": Depth.CR, "candidacy": 70, "search_start": 70, "donor_found": 140}
    | {"donor": Donor.UNRELATED, "switch": 100, "hsct": 150, "death": 301, "cause": Cause.GVHD},
    # Dan: CRh* that deepens; his relapse is detected only after the cut-off.
    {"cycles": 4, "remission": 28, "depth": Depth.CR, "deepening": 70, "relapse": 145, "relapse_detected": 154},
    # Eve: transplanted on study, relapses, dies on day 101 after the transplant.
    {"cycles": 2, "remission": 70, "depth": Depth.CRH, "candidacy": 70, "search_start": 70, "donor_found": 100}
    | {"donor": Donor.CORD, "hsct": 104, "relapse": 180, "relapse_detected": 196, "death": 205}
    | {"cause": Cause.PROGRESSION},
    # Fay: no remission, a failure, dead.
    {"cycles": 1, "failure": 35, "death": 120, "cause": Cause.PROGRESSION},
]


def history_of(patients: list[dict[str, int]]) -> History:
    nothing = dict.fromkeys(COLUMNS, NONE) | {"cycles": 1, "infusion_days": 28}
    return History.of_rows([[(nothing | patient)[name] for name in COLUMNS] for patient in patients])


def cohort_of(entry_day: list[int], replications: int = 1) -> Cohort:
    n = len(entry_day)
    return Cohort(
        replications=replications,
        patients=n // replications,
        entry_day=np.array(entry_day, dtype=np.int32),
        site=np.zeros(n, dtype=np.int16),
        age_years=np.full(n, 40, dtype=np.int16),
        prior_hsct=np.zeros(n, dtype=np.bool_),
        salvage_lines=np.zeros(n, dtype=np.int8),
        eligibility=np.zeros(n, dtype=np.int8),
        blasts_pct=np.full(n, 80.0),
        fitness=np.zeros(n, dtype=np.int8),
        well_matched=np.zeros(n, dtype=np.bool_),
        frailty=np.ones(n),
    )


def record_of(history: History) -> TransplantRecord:
    """Everything recorded: conditioning 0, source 0, and the donor."""
    zero = np.where(history.hsct != NONE, 0, NONE).astype(np.int8)
    return TransplantRecord(zero, history.donor.astype(np.int8), zero)


@dataclass(frozen=True)
class LostAfter:
    """Luck by which each patient is lost after so many days, at a rate of 0.5 a year."""

    days: tuple[float, ...]

    def uniform(self, name: str) -> np.ndarray:
        assert name == "trial.loss"
        return 1.0 - np.exp(-0.5 * np.array([self.days]) / 365.25)


def seen_of(
    patients: list[dict[str, int]], entry: list[int], trial: dict[str, object], luck: object = None
) -> TrialData:
    history = history_of(patients)
    return observe(scenario(trial=trial), cohort_of(entry), history, record_of(history), luck)


@pytest.fixture(scope="module")
def six() -> TrialData:
    return seen_of(SIX, ENTRY, TRIAL)


def rules(**changes: str) -> Trial:
    return Trial.model_validate(changes)


def of(outcome_id: str, data: TrialData, trial: Trial | None = None) -> list[tuple[int, int] | None]:
    """Time and code of each patient; None for those outside the population."""
    outcome = next(outcome for outcome in OUTCOMES if outcome.id == outcome_id).of(data, trial or rules())
    return [
        (int(time), int(code)) if member else None
        for time, code, member in zip(outcome.time_days[0], outcome.code[0], outcome.member[0], strict=True)
    ]


def row(values: np.ndarray) -> list[int]:
    return values[0].tolist()


def test_the_day_of_the_cutoff_is_seen_and_the_next_is_not(six: TrialData) -> None:
    assert row(six.potential_days) == [400, 300, 300, 150, 400, 200]
    assert row(six.death) == [160, 300, NONE, NONE, 205, 120]
    assert row(six.cause) == [Cause.INFECTION, Cause.PROGRESSION, NONE, NONE, Cause.PROGRESSION, Cause.PROGRESSION]
    assert row(six.follow_up_days) == [160, 300, 300, 150, 205, 120]


def test_what_comes_after_the_cutoff_is_not_in_the_data(six: TrialData) -> None:
    assert row(six.relapse) == [NONE, 90, NONE, 145, 180, NONE]
    assert row(six.relapse_detected) == [NONE, 112, NONE, NONE, 196, NONE]
    assert row(six.cycles) == [1, 2, 2, 4, 2, 1]
    assert row(six.responder) == [True, True, True, True, True, False]
    assert row(six.depth) == [Depth.CR, Depth.CR, Depth.CR, Depth.CR, Depth.CRH, NONE]


def test_on_study_and_later_transplants_are_told_apart(six: TrialData) -> None:
    assert row(six.hsct) == [60, NONE, 150, NONE, 104, NONE]
    assert row(six.on_study) == [True, False, False, False, True, False]
    assert row(six.later_hsct) == [False, False, True, False, False, False]
    assert row(six.never_hsct) == [False, True, False, True, False, False]
    assert row(six.donor) == [Donor.SIBLING, NONE, Donor.UNRELATED, NONE, Donor.CORD, NONE]


def test_overall_survival(six: TrialData) -> None:
    assert of("os", six) == [(160, 1), (300, 1), (300, 0), (150, 0), (205, 1), (120, 1)]


@pytest.mark.parametrize(("rule", "cleo"), [("on_study", (300, 0)), ("any_recorded", (150, 0))])
def test_overall_survival_censored_at_hsct(six: TrialData, rule: str, cleo: tuple[int, int]) -> None:
    expected = [(60, 0), (300, 1), cleo, (150, 0), (104, 0), (120, 1)]

    assert of("os_cens", six, rules(hsct_censoring=rule)) == expected


@pytest.mark.parametrize(
    ("rule", "cleo", "dan"),
    [
        ("last_assessment", (287 - 70, 0), (112 - 28, 0)),  # visits of day 287, and of day 112
        ("cutoff", (300 - 70, 0), (150 - 28, 0)),
    ],
)
def test_relapse_free_survival(six: TrialData, rule: str, cleo: tuple[int, int], dan: tuple[int, int]) -> None:
    expected = [(160 - 28, 1), (112 - 28, 1), cleo, dan, (196 - 70, 1), None]

    assert of("rfs", six, rules(rfs_censoring=rule)) == expected


@pytest.mark.parametrize("censoring", ["last_assessment", "cutoff"])
@pytest.mark.parametrize("hsct", ["on_study", "any_recorded"])
def test_relapse_free_survival_censored_at_hsct(six: TrialData, censoring: str, hsct: str) -> None:
    cleo = {"last_assessment": (217, 0), "cutoff": (230, 0)}[censoring] if hsct == "on_study" else (80, 0)
    dan = {"last_assessment": (84, 0), "cutoff": (122, 0)}[censoring]
    expected = [(60 - 28, 0), (84, 1), cleo, dan, (104 - 70, 0), None]

    assert of("rfs_cens", six, rules(rfs_censoring=censoring, hsct_censoring=hsct)) == expected


def test_survival_after_hsct_is_that_of_on_study_transplants(six: TrialData) -> None:
    assert of("after_hsct", six) == [(100, 1), None, None, None, (101, 1), None]


def test_day_100_is_inside_100_days(six: TrialData) -> None:
    found = estimate(six, rules())

    assert found["deaths100"].value[0] == 1 / 2
    assert found["deaths100_infection"].value[0] == 1 / 2
    assert found["d100"].value[0] == pytest.approx(1 / 2)
    assert found["deaths_post"].value[0] == 1.0


def test_first_events_after_remission_and_after_hsct(six: TrialData) -> None:
    assert of("after_remission", six) == [(32, 1), (84, 2), (80, 1), (122, 0), (34, 1), None]
    assert of("cause_after_hsct", six) == [(100, 2), None, None, None, (92, 1), None]


def test_the_truth_sees_the_day_of_the_relapse_itself(six: TrialData) -> None:
    truth = {outcome.id: outcome.truth(six, rules()) for outcome in OUTCOMES}

    assert row(truth["rfs"].time_days) == [132, 62, 230, 117, 110, 0]
    assert row(truth["rfs"].event) == [True, True, False, True, True, False]
    assert row(truth["rfs_cens"].time_days) == [132, 62, 230, 117, 110, 0]  # not censored at HSCT: it does not exist
    assert row(truth["after_remission"].code) == [1, 2, 1, 2, 1, 0]
    assert row(truth["cause_after_hsct"].time_days) == [100, 0, 0, 0, 76, 0]


def test_two_trials_are_two_rows() -> None:
    history = history_of(SIX)
    words = scenario(trial=TRIAL)
    two = observe(words, cohort_of(ENTRY, replications=2), history, record_of(history), None)

    assert two.death.tolist() == [[160, 300, NONE], [NONE, 205, 120]]
    assert row(two.pooled().death) == [160, 300, NONE, NONE, 205, 120]


@pytest.mark.parametrize(("cutoff_after", "depth"), [(69, Depth.CRH), (70, Depth.CR), (71, Depth.CR)])
def test_a_deepening_counts_from_the_day_on_which_it_is_seen(cutoff_after: int, depth: Depth) -> None:
    trial = TRIAL | {"accrual": {"pieces": [{"days": 1}], "gap_days": cutoff_after - 1}}
    data = seen_of([SIX[3]], [0], trial)

    assert row(data.depth) == [depth]


@pytest.mark.parametrize(("cutoff_after", "cycles"), [(41, 1), (42, 2), (83, 2), (84, 3), (125, 3), (126, 4)])
def test_a_cycle_counts_from_its_first_day(cutoff_after: int, cycles: int) -> None:
    trial = TRIAL | {"accrual": {"pieces": [{"days": 1}], "gap_days": cutoff_after - 1}}

    assert row(seen_of([SIX[3]], [0], trial).cycles) == [cycles]


def test_an_event_on_the_day_of_the_hsct_precedes_its_censoring() -> None:
    grafted = {"remission": 28, "depth": 0, "switch": 40, "hsct": 90, "donor_found": 80, "donor": 1}
    patients = [
        grafted | {"death": 90, "cause": Cause.OTHER},
        grafted | {"death": 91, "cause": Cause.OTHER},
        grafted | {"relapse": 85, "relapse_detected": 90},
        grafted | {"relapse": 91, "relapse_detected": 91},
    ]
    data = seen_of(patients, [0] * 4, TRIAL)
    any_recorded = rules(hsct_censoring="any_recorded", rfs_censoring="cutoff")

    assert of("os_cens", data, any_recorded) == [(90, 1), (90, 0), (90, 0), (90, 0)]
    assert of("rfs_cens", data, any_recorded) == [(62, 1), (62, 0), (62, 1), (62, 0)]


def test_who_is_lost_is_seen_up_to_that_day_and_not_after() -> None:
    """Lost after 79.5 days is lost on day 80: a duration, rounded up once."""
    dies = {"cycles": 2, "remission": 28, "depth": 0, "cause": Cause.OTHER}
    patients = [dies | {"death": 80}, dies | {"death": 81}, dies | {"relapse": 75, "relapse_detected": 80}]
    patients += [dies | {"relapse": 75, "relapse_detected": 81}, dies | {"death": 390}, dies | {"death": 450}]
    trial = TRIAL | {"loss_per_year": 0.5}

    data = seen_of(patients, [0] * 6, trial, LostAfter((79.5, 79.5, 79.5, 79.5, 5000.5, 5000.5)))

    assert of("os", data) == [(80, 1), (80, 0), (80, 0), (80, 0), (390, 1), (400, 0)]
    assert of("rfs", data) == [(52, 1), (42, 0), (52, 1), (42, 0), (362, 1), (350, 0)]
    assert row(data.potential_days) == [400] * 6


# --- visits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "visit"),
    [
        *((0, 0), (27, 0), (28, 28), (29, 28), (69, 28), (70, 70), (111, 70), (112, 112), (153, 112)),
        *((154, 154), (195, 154), (196, 196), (197, 196), (286, 196), (287, 287), (377, 287), (378, 378)),
    ],
)
def test_the_last_visit(day: int, visit: int) -> None:
    assert last_visit(np.array([day], dtype=np.int32), Policy()).tolist() == [visit]


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"cycles": {"maximum": 2}},
        {"cycles": {"infusion_days": 21, "rest_days": 0, "maximum": 3}, "monitoring": {"visits_every_days": 10}},
    ],
)
def test_the_trial_and_the_clinic_keep_one_calendar(words: dict[str, object]) -> None:
    policy = Policy.model_validate(words)
    days = np.arange(1500, dtype=np.int32)
    visited = set(last_visit(days, policy).tolist()) - {0}
    protocol = Protocol.of(policy)

    first = policy.cycles.infusion_days
    planned = {first + k * (first + policy.cycles.rest_days) for k in range(policy.cycles.maximum)}
    later = range(max(planned), 1500, policy.monitoring.visits_every_days)
    assert visited == planned | set(later)
    for day in range(1, 1300):
        assert protocol.visit_on_or_after(day) == min(visit for visit in visited if visit >= day)


# --- what the record lacks ---------------------------------------------------------------------------


def test_the_record_lacks_as_much_as_is_said_and_the_source_with_the_donor() -> None:
    """Nothing that happened depends on it."""
    missing = {"recording.conditioning_unknown": 0.3, "recording.donor_unknown": 0.6}
    of = world(scenario(size=189), parameters(missing), range(40))
    history = des.walk(of.lives)
    record = record_transplants(history, of.lives.fates, of.parameters, of.draws)
    done = history.hsct != NONE
    transplants = np.count_nonzero(done)

    for name, share in (("conditioning", 0.3), ("donor", 0.6), ("source", 0.6)):
        recorded = getattr(record, name)
        assert (recorded[~done] == NONE).all()
        lacking = np.mean(recorded[done] == NONE)
        assert abs(lacking - share) < 4 * np.sqrt(share * (1 - share) / transplants), name
    assert np.array_equal(record.source == NONE, record.donor == NONE)
    known = record.donor != NONE
    assert np.array_equal(record.donor[known], history.donor[known])


# --- occupancy ---------------------------------------------------------------------------------------


def test_six_patients_are_where_they_are_on_each_day() -> None:
    history = history_of(SIX)
    counts = occupancy(history, 401)

    def on(day: int) -> dict[str, int]:
        return {state.name: int(counts[state, day]) for state in State if counts[state, day]}

    assert on(0) == {"INDUCTION": 6}
    assert on(27) == {"INDUCTION": 6}
    assert on(28) == {"INDUCTION": 3, "REMISSION": 3}
    assert on(35) == {"INDUCTION": 2, "REMISSION": 3, "FAILURE": 1}
    assert on(60) == {"INDUCTION": 2, "REMISSION": 2, "AFTER_HSCT": 1, "FAILURE": 1}
    assert on(70) == {"REMISSION": 4, "AFTER_HSCT": 1, "FAILURE": 1}
    assert on(90) == {"REMISSION": 3, "AFTER_HSCT": 1, "FAILURE": 2}
    assert on(119) == {"REMISSION": 2, "AFTER_HSCT": 2, "FAILURE": 2}
    assert on(120) == {"REMISSION": 2, "AFTER_HSCT": 2, "FAILURE": 1, "DEAD": 1}
    assert on(150) == {"AFTER_HSCT": 3, "FAILURE": 2, "DEAD": 1}
    assert on(180) == {"AFTER_HSCT": 1, "FAILURE": 3, "DEAD": 2}
    assert on(400) == {"FAILURE": 1, "DEAD": 5}


def test_a_relapsed_patient_stays_a_failure_after_a_later_hsct() -> None:
    history = history_of([{"remission": 28, "depth": 0, "relapse": 90, "relapse_detected": 112, "hsct": 150}])
    counts = occupancy(history, 300)

    assert not counts[State.AFTER_HSCT].any()
    assert counts[State.FAILURE].tolist() == [0] * 90 + [1] * 210


# --- simulated trials, read a second time ------------------------------------------------------------

RULES = [
    {"rfs_censoring": censoring, "hsct_censoring": hsct}
    for censoring in ("last_assessment", "cutoff")
    for hsct in ("on_study", "any_recorded")
]


@dataclass(frozen=True)
class Simulated:
    """Some trials of the source study."""

    scenario: Scenario
    world: World
    history: History
    data: TrialData


@pytest.fixture(scope="module")
def simulated() -> Simulated:
    words = scenario(trial={"loss_per_year": 0.3})
    drawn = world(words, parameters(), range(20), seed=6)
    history = des.walk(drawn.lives)
    record = record_transplants(history, drawn.lives.fates, drawn.parameters, drawn.draws)
    return Simulated(words, drawn, history, observe(words, drawn.cohort, history, record, drawn.draws))


def read(one: Simulated, patient: int, lost: int, rule: dict[str, str]) -> dict[str, tuple[int, int] | None]:
    """The rules of SPECIFICATION 9 for one patient, in plain words."""
    h = {name: int(getattr(one.history, name)[patient]) for name in COLUMNS}
    end = min(514 - int(one.world.cohort.entry_day[patient]), lost)  # 430 days of accrual and a gap of 84

    def seen(name: str) -> int | None:
        return h[name] if 0 <= h[name] <= end else None

    death, hsct, remission, relapse = seen("death"), seen("hsct"), seen("remission"), seen("relapse_detected")
    on_study = hsct is not None and h["switch"] == NONE and not 0 <= h["relapse"] <= hsct
    censors = hsct if on_study or rule["hsct_censoring"] == "any_recorded" else None
    last = death if death is not None else end

    def censored(time: int, event: int, at: int | None) -> tuple[int, int]:
        return (time, event) if at is None or time <= at else (at, 0)

    found: dict[str, tuple[int, int] | None] = dict.fromkeys(outcome.id for outcome in OUTCOMES)
    found["os"] = (last, int(death is not None))
    found["os_cens"] = censored(*found["os"], censors)
    if remission is not None:
        events = [day for day in (relapse, death) if day is not None]
        visits = [28, 70, 112, 154, 196, *range(287, 600, 91)]
        stays = max(day for day in visits if day <= last) if rule["rfs_censoring"] == "last_assessment" else last
        rfs = (min(events) - remission, 1) if events else (stays - remission, 0)
        found["rfs"] = rfs
        found["rfs_cens"] = censored(*rfs, None if censors is None else censors - remission)
        ways = {1: hsct, 2: relapse, 3: death}
        # On one day a death comes before a detected relapse, and that before a transplant: here the higher code.
        came = min(((day, -code) for code, day in ways.items() if day is not None), default=(last, 0))
        first = (came[0], -came[1])
        found["after_remission"] = (first[0] - remission, first[1])
    if on_study:
        found["after_hsct"] = (last - hsct, int(death is not None))
        ways = {1: relapse, 2: death}
        after = min(((day, code) for code, day in ways.items() if day is not None), default=(last, 0))
        found["cause_after_hsct"] = (after[0] - hsct, after[1])
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: " ".join(rule.values()))
def test_a_second_reading_of_the_rules_gives_the_same_times(simulated: Simulated, rule: dict[str, str]) -> None:
    uniform = simulated.world.draws.uniform("trial.loss").ravel()
    lost = np.ceil(-np.log(1 - uniform) * 365.25 / 0.3).astype(int)
    read_again = [read(simulated, patient, int(lost[patient]), rule) for patient in range(lost.size)]
    trial = replace_rules(simulated.scenario.trial, rule)

    for outcome in OUTCOMES:
        seen = outcome.of(simulated.data, trial)
        cells = zip(seen.time_days.ravel(), seen.code.ravel(), seen.member.ravel(), strict=True)
        times = [(int(time), int(code)) if member else None for time, code, member in cells]
        assert times == [reading[outcome.id] for reading in read_again], outcome.id


def replace_rules(trial: Trial, rule: dict[str, str]) -> Trial:
    return trial.model_copy(update=rule)


def test_the_states_of_a_simulated_trial_add_up_and_are_those_of_its_patients(simulated: Simulated) -> None:
    history = simulated.history
    counts = occupancy(history, 731)

    assert np.all(counts.sum(axis=0) == history.death.size)
    assert np.all(counts >= 0)
    relapse, failure, death, hsct, remission = (
        or_never(getattr(history, name)) for name in ("relapse", "failure", "death", "hsct", "remission")
    )
    for day in (0, 27, 28, 70, 71, 150, 365, 730):
        state = np.full(death.size, State.INDUCTION)
        state[remission <= day] = State.REMISSION
        state[(hsct <= day) & (relapse > hsct)] = State.AFTER_HSCT
        state[(failure <= day) | (relapse <= day)] = State.FAILURE
        state[death <= day] = State.DEAD
        assert counts[:, day].tolist() == np.bincount(state, minlength=len(State)).tolist()


@pytest.mark.parametrize("rule", RULES[:2], ids=lambda rule: " ".join(rule.values()))
def test_endpoints_of_a_trial_are_those_of_lifelines(simulated: Simulated, rule: dict[str, str]) -> None:
    trial = replace_rules(simulated.scenario.trial, rule)
    found = estimate(simulated.data, trial)

    for outcome in OUTCOMES[:4]:
        seen = outcome.of(simulated.data, trial)
        for number in range(5):
            who = seen.member[number]
            fit = KaplanMeierFitter().fit(seen.time_days[number][who], seen.event[number][who])
            limits = median_survival_times(fit.confidence_interval_).to_numpy().ravel()
            estimates = found[outcome.id]
            ours = [estimates.value[number], estimates.lower[number], estimates.upper[number]]
            assert np.multiply(ours, DAYS_PER_MONTH) == pytest.approx([fit.median_survival_time_, *limits]), outcome.id
    after = next(outcome for outcome in OUTCOMES if outcome.id == "after_hsct").of(simulated.data, trial)
    for number in range(5):
        who = after.member[number]
        fit = KaplanMeierFitter().fit(after.time_days[number][who], after.event[number][who])
        assert found["d100"].value[number] == pytest.approx(1 - fit.predict(100))


# --- limits and oracles ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counted:
    """A small study, and the same patients walked again to be counted."""

    result: Result
    history: History
    without: History
    cohort: Cohort
    data: TrialData


@pytest.fixture(scope="module")
def counted() -> Counted:
    words = scenario(replications=12, seed=8)
    drawn = world(words, parameters(), range(12), seed=8)
    history = des.walk(drawn.lives)
    record = record_transplants(history, drawn.lives.fates, drawn.parameters, drawn.draws)
    data = observe_all(words, drawn.cohort, history, record)
    return Counted(simulate(words), history, des.walk(no_hsct(drawn)), drawn.cohort, data)


def median_of(days: np.ndarray) -> float:
    """The first day by whose end half of the patients have had the event."""
    return float(np.sort(days)[-(-days.size // 2) - 1])


def test_limits_are_counts_without_censoring(counted: Counted) -> None:
    limits, history, cohort = counted.result.limits, counted.history, counted.cohort
    responder, on_study = history.remission != NONE, history.on_study_hsct
    death = np.where(history.death == NONE, HORIZON, history.death)
    detected = np.minimum(death, or_never(history.relapse_detected))
    remission, hsct = history.remission, or_never(history.hsct)
    after = (death - hsct)[on_study]
    half_year, year = 182, 365
    first = np.stack([or_never(history.death), or_never(history.relapse_detected), hsct])  # in the order of a day
    came, day = first.argmin(axis=0)[responder], (first.min(axis=0) - remission)[responder]

    expected = {
        "age": np.median(cohort.age_years),
        "prior_hsct": cohort.prior_hsct.mean(),
        "cr": responder.mean(),
        "cr_prior": responder[cohort.prior_hsct].mean(),
        "os": median_of(death) / DAYS_PER_MONTH,
        "rfs": median_of((detected - remission)[responder]) / DAYS_PER_MONTH,
        "d100": (after <= 100).mean(),
        "os_12_months": (death > 365).mean(),
        "os_24_months": (death > 730).mean(),
        "os_36_months": (death > 1095).mean(),
        "rmst_12_months": np.minimum(death, 365.25).mean() / DAYS_PER_MONTH,
        "hsct_6_months": ((came == 2) & (day <= half_year)).mean(),
        "relapse_6_months": ((came == 1) & (day <= half_year)).mean(),
        "death_6_months": ((came == 0) & (day <= half_year)).mean(),
    }
    relapse_after = or_never(history.relapse_detected)[on_study]
    days = np.minimum(relapse_after, or_never(history.death)[on_study]) - history.hsct[on_study]
    relapsed = relapse_after < or_never(history.death)[on_study]
    expected["relapse_after_hsct"] = (relapsed & (days <= year)).mean()
    expected["nrm_after_hsct"] = (~relapsed & (days <= year)).mean()
    assert {name: limits[name] for name in expected} == pytest.approx(expected)


def test_counts_by_the_cutoff_have_no_limit(counted: Counted) -> None:
    for endpoint in ("cycles", "hsct", "never", "hsct_other", "deaths100", "deaths_post", "followup"):
        assert counted.result.limits[endpoint] is None
        assert counted.result.oracles[endpoint] is None


def test_oracles_are_counts_of_the_estimand_itself(counted: Counted) -> None:
    oracles, history, without = counted.result.oracles, counted.history, counted.without
    responder = history.remission != NONE

    def rfs(of_world: History) -> float:
        end = np.minimum(or_never(of_world.relapse), or_never(of_world.death)) - of_world.remission
        return median_of(end[responder]) / DAYS_PER_MONTH

    expected = {
        "os": median_of(or_never(history.death)) / DAYS_PER_MONTH,
        "os_cens": median_of(or_never(without.death)) / DAYS_PER_MONTH,
        "rfs": rfs(history),
        "rfs_cens": rfs(without),
    }
    assert {name: oracles[name] for name in expected} == pytest.approx(expected)
    assert expected["rfs"] != expected["rfs_cens"]


def test_the_study_pools_the_states_of_all_patients(counted: Counted) -> None:
    assert counted.result.occupancy.tolist() == occupancy(counted.history, 731).tolist()


def test_without_censoring_everything_is_seen(counted: Counted) -> None:
    data, history = counted.data, counted.history

    for name in ("remission", "switch", "hsct", "relapse", "relapse_detected", "death", "cycles", "depth", "cause"):
        assert np.array_equal(getattr(data, name).ravel(), getattr(history, name)), name
    assert np.array_equal(data.follow_up_days.ravel(), np.where(history.death == NONE, HORIZON, history.death))
    assert np.array_equal(data.on_study.ravel(), history.on_study_hsct)
    assert data.pooled().death.shape == (1, history.death.size)
