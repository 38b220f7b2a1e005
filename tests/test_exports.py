"""Exports: rows worked by hand, lifelines as the judge of ADTTE, vidigi of the event log, and the data dictionary."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import median_survival_times

from blinasim.errors import BlinasimError
from blinasim.luck import Draws, Luck
from blinasim.model.catalogue import load_parameters
from blinasim.model.codes import NONE, Cause, Depth, Donor
from blinasim.model.cohort import Cohort
from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.model.history import COLUMNS, History
from blinasim.model.records import TransplantRecord
from blinasim.report.exports import TABLES, adsl, adtte, comparison, data_dictionary, event_log, occupancy, patients
from blinasim.report.exports.adtte import Ending, cnsr
from blinasim.report.exports.columns import EPOCH, dates, words
from blinasim.report.exports.dictionary import ENDPOINTS
from blinasim.report.exports.event_log import Whereabouts
from blinasim.report.rows import endpoint_frame, rows_of
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.settings import Trial
from blinasim.statistics.competing import cumulative_incidence
from blinasim.statistics.survival import fit_causes
from blinasim.study.batch import Batch, World
from blinasim.study.compare import compare
from blinasim.study.replay import Replay, replay
from blinasim.study.simulate import simulate
from blinasim.trial.endpoints import estimate
from blinasim.trial.observe import observe
from blinasim.trial.occupancy import State
from blinasim.trial.occupancy import occupancy as true_occupancy
from worlds import cut, differing, scenario

ROOT = Path(__file__).resolve().parents[1]

# --- seven patients by hand --------------------------------------------------------------------------

#: Accrual of 300 days and a gap of 100: the cut-off is day 400. The rate of loss only says that there is some.
TRIAL = {"accrual": {"pieces": [{"days": 300}], "gap_days": 100}, "loss_per_year": 0.5}
ENTRY = [0, 100, 100, 0, 0, 200, 250]
LOST = [5000.0, 5000.0, 5000.0, 199.5, 5000.0, 5000.0, 5000.0]
ANN, BEN, CLEO, DAN, EVE, FAY, GUS = range(7)

SEVEN: list[dict[str, int]] = [
    # Ann: transplanted on study, dead 100 days later.
    {"remission": 28, "depth": Depth.CR, "donor": Donor.SIBLING, "hsct": 60, "death": 160, "cause": Cause.INFECTION},
    # Ben: relapse detected; dies on the day of the cut-off.
    {"remission": 28, "depth": Depth.CR, "relapse": 90, "relapse_detected": 112, "death": 300}
    | {"cause": Cause.PROGRESSION},
    # Cleo: switches, is transplanted later, and dies on the day after the cut-off.
    {"remission": 70, "depth": Depth.CR, "donor": Donor.UNRELATED, "switch": 100, "hsct": 150, "death": 301}
    | {"cause": Cause.GVHD},
    # Dan: in remission when he is lost on day 200.
    {"remission": 28, "depth": Depth.CRH},
    # Eve: transplanted on study, relapses, dies.
    {"remission": 70, "depth": Depth.CR, "donor": Donor.CORD, "hsct": 104, "relapse": 180, "relapse_detected": 196}
    | {"death": 205, "cause": Cause.PROGRESSION},
    # Fay: no remission.
    {"failure": 35, "death": 120, "cause": Cause.PROGRESSION},
    # Gus: transplanted on study on the day of the cut-off.
    {"remission": 28, "depth": Depth.CR, "donor": Donor.SIBLING, "hsct": 150},
]

#: AVAL and CNSR, worked out on paper: differences of the days above plus 1.
BY_HAND = {
    ("OS", ANN): (161, 0), ("OS", BEN): (301, 0), ("OS", CLEO): (301, 1), ("OS", DAN): (201, 2),
    ("OS", EVE): (206, 0), ("OS", FAY): (121, 0), ("OS", GUS): (151, 1),
    ("OSHSCT", ANN): (61, 3), ("OSHSCT", BEN): (301, 0), ("OSHSCT", CLEO): (301, 1), ("OSHSCT", DAN): (201, 2),
    ("OSHSCT", EVE): (105, 3), ("OSHSCT", FAY): (121, 0), ("OSHSCT", GUS): (151, 1),
    # Visits: 28, 70, 112, 154, 196, 287. Cleo's last is 287, Dan's 196, Gus's 112.
    ("RFS", ANN): (133, 0), ("RFS", BEN): (85, 0), ("RFS", CLEO): (218, 1), ("RFS", DAN): (169, 2),
    ("RFS", EVE): (127, 0), ("RFS", GUS): (85, 1),
    ("RFSHSCT", ANN): (33, 3), ("RFSHSCT", BEN): (85, 0), ("RFSHSCT", CLEO): (218, 1), ("RFSHSCT", DAN): (169, 2),
    ("RFSHSCT", EVE): (35, 3), ("RFSHSCT", GUS): (85, 1),
    ("TTHSCT", ANN): (33, 0), ("TTHSCT", BEN): (85, 5), ("TTHSCT", CLEO): (31, 4), ("TTHSCT", DAN): (173, 2),
    ("TTHSCT", EVE): (35, 0), ("TTHSCT", GUS): (123, 0),
    ("TRM", ANN): (101, 0), ("TRM", EVE): (93, 5), ("TRM", GUS): (1, 1),
}  # fmt: skip


@dataclass(frozen=True)
class LostAfter:
    """Luck by which each patient is lost after so many days, at a rate of 0.5 a year."""

    days: list[float]

    def uniform(self, name: str) -> np.ndarray:
        assert name == "trial.loss"
        return 1.0 - np.exp(-0.5 * np.array([self.days]) / 365.25)


def seven_patients(lives: list[dict[str, int]] = SEVEN, **rules: str) -> tuple[Batch, Trial]:
    of = scenario(trial=TRIAL | rules, size=7)
    nothing = dict.fromkeys(COLUMNS, NONE) | {"cycles": 2, "infusion_days": 56}
    history = History.of_rows([[(nothing | patient)[name] for name in nothing] for patient in lives])
    cohort = Cohort(
        replications=1,
        patients=7,
        entry_day=np.array(ENTRY, dtype=np.int32),
        site=np.array([0, 0, 4, 4, 4, 11, 11], dtype=np.int16),
        age_years=np.array([18, 64, 65, 79, 40, 40, 40], dtype=np.int16),
        prior_hsct=np.array([False, True, False, False, False, False, False]),
        salvage_lines=np.array([0, 1, 2, 3, 0, 0, 0], dtype=np.int8),
        eligibility=np.zeros(7, dtype=np.int8),
        blasts_pct=np.array([24.9, 25.0, 74.9, 75.0, 5.0, 50.0, 100.0]),
        fitness=np.zeros(7, dtype=np.int8),
        well_matched=np.zeros(7, dtype=np.bool_),
        frailty=np.ones(7),
    )
    code = np.where(history.hsct != NONE, 0, NONE).astype(np.int8)
    record = TransplantRecord(code, code, code)
    seen = observe(of, cohort, history, record, LostAfter(LOST))
    world = World(cohort, None, Draws(Luck(1), range(2, 3), 7), None)
    return Batch(world, history, record, seen), of.trial


def by_subject(frame: pd.DataFrame) -> dict[tuple[str, int], tuple[int, int]]:
    """AVAL and CNSR by PARAMCD and patient, from 0."""
    who = frame["USUBJID"].str[-4:].astype(int) - 1
    return {
        (code, subject): (aval, censoring)
        for code, subject, aval, censoring in zip(frame["PARAMCD"], who, frame["AVAL"], frame["CNSR"], strict=True)
    }


def test_adtte_of_seven_patients_worked_by_hand() -> None:
    assert by_subject(adtte(*seven_patients())) == BY_HAND


def test_any_recorded_hsct_censors_where_the_trial_says_so() -> None:
    changed = {("OSHSCT", CLEO): (151, 3), ("RFSHSCT", CLEO): (81, 3)}
    assert by_subject(adtte(*seven_patients(hsct_censoring="any_recorded"))) == BY_HAND | changed


def test_relapse_free_survival_ends_at_the_cutoff_where_the_trial_says_so() -> None:
    # In remission to the end of observation: Cleo on day 300, Dan 200, Gus 150 (from remission on 70, 28, 28). Cut at
    # the end of observation, which is the day of his HSCT, Gus is still censored by the cut-off.
    ends = {CLEO: (231, 1), DAN: (173, 2), GUS: (123, 1)}
    changed = {(code, subject): end for code in ("RFS", "RFSHSCT") for subject, end in ends.items()}
    frame = adtte(*seven_patients(rfs_censoring="cutoff"))
    assert by_subject(frame) == BY_HAND | changed
    taken = frame.loc[frame["PARAMCD"].eq("RFS") & frame["CNSR"].gt(0), "CNSDTDSC"]
    assert set(taken) == {"Data cut-off", "Last day known alive"}


def test_a_therapy_after_the_relapse_changes_nothing() -> None:
    lives = [*SEVEN]
    lives[BEN] = SEVEN[BEN] | {"switch": 120}
    assert by_subject(adtte(*seven_patients(lives))) == BY_HAND


def test_cnsr_is_the_reverse_of_an_event_flag() -> None:
    event = np.array([True, False, True, False])
    reason = np.array([Ending.CUTOFF, Ending.LOST, Ending.HSCT, Ending.COMPETING])
    codes = cnsr(event, reason)
    assert codes.tolist() == [0, 2, 0, 5]
    assert ((codes == 0) == event).all()
    assert [ending.value for ending in Ending] == [0, 1, 2, 3, 4, 5]


def test_descriptions_say_what_the_codes_say() -> None:
    frame = adtte(*seven_patients()).set_index(["PARAMCD", "USUBJID"])
    eve = "BLINASIM-0003-005-0005"
    assert frame.loc[("RFS", eve), "EVNTDESC"] == "Relapse detected"
    assert frame.loc[("RFS", "BLINASIM-0003-001-0001"), "EVNTDESC"] == "Death without relapse"
    assert frame.loc[("TRM", eve), "EVNTDESC"] == "Competing event: relapse"
    assert frame.loc[("OSHSCT", eve), "CNSDTDSC"] == "Day of HSCT"
    assert frame.loc[("RFS", "BLINASIM-0003-005-0004"), "CNSDTDSC"] == "Last visit before the loss to follow-up"
    assert frame["CNSDTDSC"].isna().eq(frame["CNSR"].eq(0)).all()


def test_adsl_of_seven_patients_worked_by_hand() -> None:
    frame = adsl(seven_patients()[0])
    assert frame["USUBJID"].tolist()[:3] == [f"BLINASIM-0003-{end}" for end in ("001-0001", "001-0002", "005-0003")]
    assert frame["SUBJID"].tolist() == [f"{number:04d}" for number in range(1, 8)]
    assert frame["AGEGR1"].tolist() == ["<65", "<65", ">=65", ">=65", "<65", "<65", "<65"]
    assert frame["BMBLGR1"].tolist() == ["<25", "25-<50", "50-<75", ">=75", "<25", "50-<75", ">=75"]
    assert frame["PRSALVN"].tolist() == [0, 1, 2, 3, 0, 0, 0]
    assert "".join(frame["PRHSCTFL"]) == "NYNNNNN"
    assert "".join(frame["HSCTFL"]) == "YNYNYNY"
    assert "".join(frame["HSCTONFL"]) == "YNNNYNY"
    assert "".join(frame["RESPFL"]) == "YYYYYNY"
    assert "".join(frame["DTHFL"]) == "YYNNYYN"
    assert frame["DTHCAUS"].tolist() == ["infection", "progression", None, None, "progression", "progression", None]

    def day(text: str) -> list[int]:
        """Days since the start of accrual, -1 for missing."""
        return ((frame[text] - pd.Timestamp(EPOCH)).dt.days).fillna(-1).astype(int).tolist()

    assert day("TRTSDT") == ENTRY
    assert day("EOSDT") == [160, 400, 400, 200, 205, 320, 400]
    assert day("DTHDT") == [160, 400, -1, -1, 205, 320, -1]
    assert day("HSCTDT") == [60, -1, 250, -1, 104, -1, 400]
    assert day("NACTDT") == [-1, -1, 200, -1, -1, -1, -1]
    assert day("CRDT") == [28, 128, 170, 28, 70, -1, 278]
    assert day("DCUTDT") == [400] * 7


def test_dates_count_from_the_epoch() -> None:
    told = dates(np.array([0, 10, 10]), np.array([0, 28, NONE]))
    assert told.astype(str).tolist() == ["2012-05-14", "2012-06-21", "NaT"]


def test_the_source_study_is_cut_in_october_2013() -> None:
    cut_off = EPOCH + np.timedelta64(load_scenario("baseline").trial.accrual.cutoff_day, "D")
    assert str(cut_off).startswith("2013-10")


# --- simulated trials --------------------------------------------------------------------------------

#: More losses than in the source study, so that every code occurs.
SIMULATED = scenario(trial={"loss_per_year": 0.15}, seed=5)
TRIALS = range(1, 6)


@pytest.fixture(scope="module")
def lived() -> list[Replay]:
    return [replay(SIMULATED, load_parameters(), trial) for trial in TRIALS]


@pytest.fixture(scope="module")
def times(lived: list[Replay]) -> list[pd.DataFrame]:
    return [adtte(trial.batch, SIMULATED.trial) for trial in lived]


@pytest.fixture(scope="module")
def subjects(lived: list[Replay]) -> list[pd.DataFrame]:
    return [adsl(trial.batch) for trial in lived]


def test_a_trial_replayed_is_the_trial_of_the_study(lived: list[Replay]) -> None:
    kept: list[Batch] = []
    simulate(SIMULATED.with_study(replications=3), keep=kept.append)
    shape = (3, SIMULATED.cohort.size)
    for row in range(3):
        for part in ("history", "record", "seen"):
            in_study = cut(getattr(kept[0], part), shape, slice(row, row + 1), slice(None))
            alone = cut(getattr(lived[row].batch, part), (1, shape[1]), slice(None), slice(None))
            assert differing(in_study, alone) == []


def test_one_patient_replayed_has_the_row_of_the_trial(lived: list[Replay]) -> None:
    whole = patients(lived[1].batch)
    alone = replay(SIMULATED, load_parameters(), 2, patient=54)
    pd.testing.assert_frame_equal(patients(alone.batch), whole[whole["patient"] == 54].reset_index(drop=True))
    story = event_log(lived[1].batch, lived[1].log)
    pd.testing.assert_frame_equal(
        event_log(alone.batch, alone.log), story[story["entity_id"] == 54].reset_index(drop=True)
    )


@pytest.mark.parametrize(("trial", "patient"), [(0, None), (1, 0), (1, 190)])
def test_no_such_trial_or_patient(trial: int, patient: int | None) -> None:
    with pytest.raises(BlinasimError, match=r"(trial|patient) \d+: "):
        replay(SIMULATED, load_parameters(), trial, patient=patient)


def test_tables_of_subjects_hold_one_trial() -> None:
    kept: list[Batch] = []
    simulate(scenario(size=3, replications=2), keep=kept.append)
    with pytest.raises(ValueError, match="one trial at a time"):
        adsl(kept[0])
    both = patients(kept[0])
    assert both[["trial", "patient"]].to_numpy().tolist() == [[1, 1], [1, 2], [1, 3], [2, 1], [2, 2], [2, 3]]


@pytest.mark.parametrize(
    ("code", "endpoint"), [("OS", "os"), ("OSHSCT", "os_cens"), ("RFS", "rfs"), ("RFSHSCT", "rfs_cens")]
)
def test_lifelines_finds_the_trials_own_medians_in_adtte(
    lived: list[Replay], times: list[pd.DataFrame], code: str, endpoint: str
) -> None:
    for trial, frame in zip(lived, times, strict=True):
        rows = frame[frame["PARAMCD"] == code]
        own = estimate(trial.batch.seen, SIMULATED.trial)[endpoint]
        judge = KaplanMeierFitter().fit(rows["AVAL"] - 1, rows["CNSR"] == 0)  # log-log limits
        limits = median_survival_times(judge.confidence_interval_).to_numpy()[0]
        expected = np.array([judge.median_survival_time_, *limits]) / DAYS_PER_MONTH
        assert own.lower is not None
        assert own.upper is not None
        np.testing.assert_allclose([own.value[0], own.lower[0], own.upper[0]], expected, rtol=1e-12)


def test_competing_events_are_five_and_the_event_is_nought(lived: list[Replay], times: list[pd.DataFrame]) -> None:
    """Aalen-Johansen over TRM, read by its codes, is the trial's own non-relapse mortality after HSCT."""
    compared = 0
    for trial, frame in zip(lived, times, strict=True):
        own = estimate(trial.batch.seen, SIMULATED.trial)["nrm_after_hsct"].value[0]
        if np.isnan(own):  # nobody was followed for so long
            continue
        rows = frame[frame["PARAMCD"] == "TRM"]
        time = rows["AVAL"].to_numpy(dtype=np.int32)[None] - 1
        kind = rows["CNSR"].map({0: 1, 5: 2}).fillna(0).to_numpy(dtype=np.int8)[None]
        everybody = np.ones(time.shape, dtype=bool)
        share = cumulative_incidence(fit_causes(time, kind, everybody), 1, day=12 * DAYS_PER_MONTH)[0]
        assert share == pytest.approx(own, abs=1e-12)
        compared += own > 0
    assert compared >= 3


ALLOWED = {
    "OS": {0, 1, 2},
    "OSHSCT": {0, 1, 2, 3},
    "RFS": {0, 1, 2},
    "RFSHSCT": {0, 1, 2, 3},
    "TTHSCT": {0, 1, 2, 4, 5},
    "TRM": {0, 1, 2, 5},
}


def test_codes_of_cnsr_are_where_they_may_be_and_all_occur(times: list[pd.DataFrame]) -> None:
    found = pd.concat(times).groupby("PARAMCD")["CNSR"].agg(set).to_dict()
    assert found == ALLOWED


def test_subjects_and_parameters(subjects: list[pd.DataFrame], times: list[pd.DataFrame]) -> None:
    for people, rows in zip(subjects, times, strict=True):
        assert len(people) == SIMULATED.cohort.size
        assert people["USUBJID"].is_unique
        assert not rows.duplicated(["USUBJID", "PARAMCD"]).any()
        among = {code: set(part["USUBJID"]) for code, part in rows.groupby("PARAMCD")}
        everybody = set(people["USUBJID"])
        responders = set(people.loc[people["RESPFL"] == "Y", "USUBJID"])
        transplanted = set(people.loc[people["HSCTONFL"] == "Y", "USUBJID"])
        assert among["OS"] == among["OSHSCT"] == everybody
        assert among["RFS"] == among["RFSHSCT"] == among["TTHSCT"] == responders
        assert among["TRM"] == transplanted
        events = rows[rows["CNSR"] == 0]
        assert set(events.loc[events["PARAMCD"] == "TTHSCT", "USUBJID"]) == transplanted
        assert set(events.loc[events["PARAMCD"] == "OS", "USUBJID"]) == set(
            people.loc[people["DTHFL"] == "Y", "USUBJID"]
        )


def test_dates_agree_with_each_other(subjects: list[pd.DataFrame], times: list[pd.DataFrame]) -> None:
    for people, rows in zip(subjects, times, strict=True):
        both = rows.merge(people, on=["STUDYID", "USUBJID"], validate="many_to_one")
        assert ((both["ADT"] - both["STARTDT"]).dt.days + 1).eq(both["AVAL"]).all()
        assert both["ADT"].le(both["EOSDT"]).all()
        start = {"OS": "TRTSDT", "OSHSCT": "TRTSDT", "RFS": "CRDT", "RFSHSCT": "CRDT", "TTHSCT": "CRDT"}
        for code, variable in (start | {"TRM": "HSCTDT"}).items():
            part = both[both["PARAMCD"] == code]
            assert part["STARTDT"].eq(part[variable]).all()
        os = both[both["PARAMCD"] == "OS"]
        assert os["ADT"].eq(os["EOSDT"]).all()
        by_cutoff = os["CNSR"].eq(1)
        assert os.loc[by_cutoff, "ADT"].eq(os.loc[by_cutoff, "DCUTDT"]).all()
        assert os.loc[os["CNSR"].eq(2), "ADT"].lt(os.loc[os["CNSR"].eq(2), "DCUTDT"]).all()
        at = {(3, "OSHSCT"): "HSCTDT", (3, "RFSHSCT"): "HSCTDT", (4, "TTHSCT"): "NACTDT", (0, "TTHSCT"): "HSCTDT"}
        for (censoring, code), variable in at.items():
            part = both[both["CNSR"].eq(censoring) & both["PARAMCD"].eq(code)]
            assert len(part) > 0
            assert part["ADT"].eq(part[variable]).all()
        for variable in ("DTHDT", "HSCTDT", "NACTDT", "CRDT"):
            known = people[variable].notna()
            assert people.loc[known, variable].between(people.loc[known, "TRTSDT"], people.loc[known, "EOSDT"]).all()
        assert people["EOSDT"].le(people["DCUTDT"]).all()
        assert people["DTHDT"].notna().eq(people["DTHFL"].eq("Y")).all()
        assert people["DTHCAUS"].notna().eq(people["DTHFL"].eq("Y")).all()


def test_exported_days_are_days_of_the_history(
    lived: list[Replay], subjects: list[pd.DataFrame], times: list[pd.DataFrame]
) -> None:
    for trial, people, rows in zip(lived, subjects, times, strict=True):
        history = trial.batch.history
        for variable, day in {"DTHDT": history.death, "HSCTDT": history.hsct, "NACTDT": history.switch}.items():
            known = people[variable].notna().to_numpy()
            assert known.any()
            exported = (people[variable] - people["TRTSDT"]).dt.days[known].to_numpy()
            np.testing.assert_array_equal(exported, day[known])
        deaths = rows[rows["PARAMCD"].eq("OS") & rows["CNSR"].eq(0)]
        who = deaths["USUBJID"].str[-4:].astype(int).to_numpy() - 1
        np.testing.assert_array_equal(deaths["AVAL"] - 1, history.death[who])


def test_a_trial_of_one_patient_without_a_response_has_its_tables() -> None:
    of = scenario(size=1, seed=2)
    one = next(
        lone for trial in range(1, 50) if not (lone := replay(of, load_parameters(), trial)).batch.seen.responder.any()
    )
    assert adtte(one.batch, of.trial)["PARAMCD"].tolist() == ["OS", "OSHSCT"]
    assert adsl(one.batch)["CRDT"].isna().all()
    assert len(patients(one.batch)) == 1
    assert event_log(one.batch, one.log)["event"].iloc[-1] == "depart"


def test_files_hold_iso_dates(subjects: list[pd.DataFrame], times: list[pd.DataFrame]) -> None:
    assert subjects[0].to_csv(index=False).splitlines()[1].endswith(",2013-10-10")
    text = times[0][["STARTDT", "ADT"]].to_csv(index=False)
    assert all(len(field) == 10 for line in text.splitlines()[1:] for field in line.split(","))


# --- patients ------------------------------------------------------------------------------------------


def test_patients_hold_the_history_and_what_was_recorded(lived: list[Replay], tmp_path: Path) -> None:
    batch = lived[0].batch
    frame = patients(batch)
    for column in frame.columns:
        name = column.removesuffix("_day")
        if name in History.__dataclass_fields__ and column.endswith("_day"):
            np.testing.assert_array_equal(frame[column].fillna(NONE), getattr(batch.history, name))
        recorded = name.removeprefix("recorded_")
        if column.startswith("recorded_") and column.endswith("_day"):
            np.testing.assert_array_equal(frame[column].fillna(NONE), getattr(batch.seen, recorded)[0])
    assert frame["death_day"].dtype == "Int32"
    assert frame["cause"].cat.categories.tolist() == list(words(Cause))
    assert frame["donor"].isna().eq(frame["donor_found_day"].isna()).all()
    assert frame["conditioning"].isna().eq(frame["hsct_day"].isna()).all()
    assert frame["no_candidate_why"].isna().eq(frame["remission_day"].isna() | frame["candidacy_day"].notna()).all()
    frame.to_parquet(tmp_path / "patients.parquet", index=False)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "patients.parquet"), frame)


# --- event log -----------------------------------------------------------------------------------------


def test_everybody_arrives_once_and_departs_once(lived: list[Replay]) -> None:
    for trial in lived:
        log = event_log(trial.batch, trial.log)
        seen, entry = trial.batch.seen, trial.batch.world.cohort.entry_day
        assert log["time"].is_monotonic_increasing
        assert log["time"].max() <= SIMULATED.trial.accrual.cutoff_day
        ends = log["event_type"].eq("arrival_departure")
        assert set(log.loc[ends, "event"]) == {"arrival", "depart"}
        assert set(log.loc[~ends, "event_type"]) == {"queue"}
        told = log.groupby("entity_id")
        assert told["event"].first().eq("arrival").all()
        assert told["event"].last().eq("depart").all()
        assert log.loc[ends].groupby("entity_id").size().eq(2).all()
        np.testing.assert_array_equal(told["time"].first(), entry)
        np.testing.assert_array_equal(told["time"].last(), entry + seen.follow_up_days[0])
        outcome = log[log["event"] == "depart"].set_index("entity_id")["outcome"].sort_index()
        np.testing.assert_array_equal(outcome == "dead", seen.death[0] != NONE)
        lost = (seen.death[0] == NONE) & (seen.follow_up_days[0] < seen.potential_days[0])
        np.testing.assert_array_equal(outcome == "lost to follow-up", lost)
        assert log["outcome"].notna().eq(log["event"].eq("depart")).all()
        died = log[log["event"] == "death"].set_index("entity_id").sort_index()
        np.testing.assert_array_equal(died.index - 1, np.flatnonzero(seen.death[0] != NONE))
        np.testing.assert_array_equal(died["detail"], [words(Cause)[c] for c in seen.cause[0][died.index - 1]])


#: The states of the log, coarsened to those of occupancy.csv.
COARSE = {
    Whereabouts.INDUCTION: State.INDUCTION,
    Whereabouts.REMISSION: State.REMISSION,
    Whereabouts.AWAITING_DONOR: State.REMISSION,
    Whereabouts.AWAITING_HSCT: State.REMISSION,
    Whereabouts.OTHER_THERAPY: State.REMISSION,
    Whereabouts.AFTER_HSCT: State.AFTER_HSCT,
    Whereabouts.FAILURE: State.FAILURE,
}


def test_states_of_the_log_are_those_of_the_histories(lived: list[Replay]) -> None:
    """The log reads the engine's story, occupancy the histories; two roads to one place."""
    met: set[str] = set()
    for trial in lived:
        log, batch = event_log(trial.batch, trial.log), trial.batch
        states = log[log["kind"] == "state"].copy()
        states["day"] = states["time"] - batch.world.cohort.entry_day[states["entity_id"] - 1]
        met |= set(states["event"])
        for day in (0, 27, 28, 42, 70, 85, 112, 150, 200, 300, 400):
            there = (batch.seen.follow_up_days[0] > day) & (batch.seen.potential_days[0] > day)
            now = states[states["day"] <= day].groupby("entity_id")["event"].last()
            now = now[there[now.index - 1]]
            counts = np.bincount([COARSE[Whereabouts(state)] for state in now], minlength=len(State))
            history = replace(
                batch.history,
                **{f.name: getattr(batch.history, f.name)[there] for f in fields(History) if f.name in COLUMNS},
            )
            np.testing.assert_array_equal(counts, true_occupancy(history, day + 1)[:, day])
    assert met == set(Whereabouts)


def test_vidigi_animates_the_log_without_a_warning(lived: list[Replay]) -> None:
    animation = pytest.importorskip("vidigi.animation", reason="vidigi is not installed: the event log is not animated")
    utils = pytest.importorskip("vidigi.utils")
    log = event_log(lived[0].batch, lived[0].log)
    positions = [
        utils.ArrivalPosition(x=100, y=700),
        *(
            utils.EventPosition(event=state.value, x=300, y=100 * (place + 1), label=state.value)
            for place, state in enumerate(Whereabouts)
        ),
        utils.ExitPosition(x=600, y=50),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = animation.animate_activity_log(
            log,
            utils.create_event_position_df(positions),
            simulation_time_unit="days",
            every_x_time_units=28,
            limit_duration=SIMULATED.trial.accrual.cutoff_day,
            start_date=str(EPOCH),
            time_display_units="%d %B %Y",
        )
    assert len(figure.frames) == SIMULATED.trial.accrual.cutoff_day // 28 + 2


def test_vidigi_accepts_every_row_of_the_log(lived: list[Replay]) -> None:
    logging = pytest.importorskip("vidigi.logging", reason="vidigi is not installed: rows are not checked against it")
    log = event_log(lived[0].batch, lived[0].log)
    assert len(log)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for row in log.to_dict("records"):
            logging.BaseEvent.model_validate(row)


# --- the data dictionary -------------------------------------------------------------------------------


def test_the_data_dictionary_is_up_to_date() -> None:
    page = ROOT / "docs" / "data_dictionary.md"
    assert page.read_text(encoding="utf-8") == data_dictionary(), (
        "write it again: python -c 'from blinasim.report.exports import data_dictionary; "
        f'print(data_dictionary(), end="")\' > {page.relative_to(ROOT)}'
    )


def test_every_column_is_described(
    lived: list[Replay], times: list[pd.DataFrame], subjects: list[pd.DataFrame]
) -> None:
    result = simulate(scenario(size=30, replications=2))
    produced = {
        "adsl.csv": subjects[0],
        "adtte.csv": times[0],
        "events.csv": event_log(lived[0].batch, lived[0].log),
        "patients.parquet": patients(lived[0].batch),
        "endpoints.csv": endpoint_frame(rows_of(result)),
        "occupancy.csv": occupancy(result),
        "comparison.csv": comparison(compare({"one": result.scenario, "other": result.scenario})),
    }
    assert {table.file for table in TABLES} == set(produced)
    page = data_dictionary()
    for table in TABLES:
        described = [column.name for column in table.columns]
        assert described == list(produced[table.file].columns)
        assert len(set(described)) == len(described)
        section = page.split(f"## {table.file}\n")[1].split("\n## ")[0]
        for column in table.columns:
            assert f"| `{column.name}` | {column.type_text} |" in section
            assert column.meaning.endswith(".")
            assert "|" not in column.meaning + column.unit


def test_a_frame_that_disagrees_with_its_description_is_refused() -> None:
    with pytest.raises(ValueError, match=r"endpoints.csv: .*'surplus'"):
        ENDPOINTS.frame({"surplus": [1]})


def test_occupancy_adds_up() -> None:
    shares = occupancy(simulate(scenario(size=20, replications=1)))
    np.testing.assert_allclose(shares.drop(columns="day").sum(axis=1), 1.0)
    assert shares.loc[0, "induction"] == 1.0
