"""Patient flow: every patient is counted once, boxes add up, and the figure says what the counts are."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import blinasim as bs
from blinasim import plot
from blinasim.luck import Draws, Luck
from blinasim.model.catalogue import load_parameters
from blinasim.model.codes import NONE
from blinasim.report import figures
from blinasim.report import patient_flow as boxes
from blinasim.report.patient_flow import Counts
from blinasim.study.batch import live
from blinasim.study.replay import replay
from blinasim.study.simulate import simulate
from blinasim.trial.flow import FLOW_SHAPE, Route, patient_flow
from layout import assert_readable, words
from worlds import scenario

ALL = [*boxes.ENROLLED.everything(), *boxes.LAST_SEEN.everything()]


@pytest.fixture(scope="module")
def result():
    return simulate(scenario(size=60, replications=45))


def test_no_patient_is_in_two_parts_of_a_box_and_all_are_in_one():
    for box in ALL:
        if box.parts:
            assert np.array_equal(np.sum([part.cells for part in box.parts], axis=0), box.cells), box.name
        assert len({part.name for part in box.parts}) == len(box.parts), box.name
    assert boxes.ENROLLED.cells.all()
    assert boxes.LAST_SEEN.cells.all()


@pytest.mark.parametrize("trial", [None, 7])
def test_every_box_equals_the_sum_of_those_below(result, trial):
    counts = Counts(result.flow, result.replications, trial)
    for box in ALL:
        if box.parts:
            assert sum(counts(part).patients for part in box.parts) == pytest.approx(counts(box).patients, abs=1e-9)
    assert counts(boxes.ENROLLED).patients == 60


def test_boxes_are_what_the_record_says(result):
    counts = Counts(result.flow, result.replications, 3)
    batch = replay(result.scenario, result.parameters, 3).batch
    seen, history = batch.seen, batch.history
    said = {box.name: counts(box).patients for box in ALL}
    assert said["responders"] == np.count_nonzero(seen.responder)
    assert said["candidates"] == np.count_nonzero(seen.responder.ravel() & (history.candidacy != NONE))
    assert said["on_study_hsct"] == np.count_nonzero(seen.on_study)
    assert said["never"] == np.count_nonzero(seen.never_hsct)
    assert said["later"] == np.count_nonzero(seen.later_hsct)
    dead = [box for box in boxes.LAST_SEEN.everything() if box.name == "died"]
    assert sum(counts(box).patients for box in dead) == np.count_nonzero(seen.death != NONE)
    by_cause = np.bincount(seen.cause[seen.cause != NONE], minlength=5)
    assert np.array_equal(result.flow.of_trials[2].sum(axis=(0, 1, 2))[1:], by_cause)


def test_the_way_meets_the_endpoints(result):
    of_trials = result.flow.of_trials.sum(axis=(2, 3, 4))
    responders = of_trials[:, Route.NOT_OFFERED :].sum(axis=1)
    np.testing.assert_allclose(responders / 60, result.estimates["cr"].value)
    realized = of_trials[:, Route.ON_STUDY_HSCT] / responders
    np.testing.assert_allclose(realized, result.estimates["hsct"].value)


@pytest.mark.parametrize(
    ("policy", "route"),
    [
        ({"transplant": {"offered": False}}, Route.NOT_OFFERED),
        ({"transplant": {"candidates": {"max_age_years": 18}}}, Route.AGE),
    ],
)
def test_who_is_no_candidate_has_the_reason(policy, route):
    flow = simulate(scenario(policy, size=50, replications=4)).flow.pooled
    routes = flow.sum(axis=(1, 2, 3))
    assert routes[route] > 0
    assert routes[Route.ON_STUDY_HSCT] == 0 or route == Route.AGE


def test_induction_ends_as_the_log_tells():
    one = replay(scenario(size=189), load_parameters(), 1)
    lives = one.batch.world.lives
    flow = patient_flow(one.batch.seen, one.batch.history, lives.fates, lives.plan, own_policy=False)[0].sum(
        axis=(1, 2, 3)
    )
    last = {}
    cutoff = one.batch.seen.follow_up_days[0]
    for entry in one.log:
        if entry.day <= cutoff[entry.patient]:
            last.setdefault(entry.event.name, set()).add(entry.patient)
    assert flow[Route.PROGRESSED] == len(last["PROGRESSION"])
    assert flow[Route.NO_RESPONSE] == len(last["NO_REMISSION"])
    assert flow[Route.STOPPED] == len(last["STOP"] - last["REMISSION"])


def test_flows_add_up_over_chunks_and_workers():
    asked = scenario(size=30, replications=12)
    whole = simulate(asked).flow
    with ThreadPoolExecutor(2) as executor:
        cut = simulate(asked, chunk=5, executor=executor).flow
    assert np.array_equal(whole.of_trials, cut.of_trials)
    assert np.array_equal(whole.pooled, cut.pooled)
    assert np.array_equal(whole.of_trials.sum(axis=0), whole.pooled)
    assert whole.pooled.shape == FLOW_SHAPE
    assert whole.pooled.sum() == 360


def test_both_engines_give_the_same_flow():
    draws = Draws(Luck(3), range(2), 60)
    flows = []
    for engine in ("fast", "des"):
        batch = live(scenario(size=60), load_parameters(), draws, engine=engine)
        lives = batch.world.lives
        flows.append(patient_flow(batch.seen, batch.history, lives.fates, lives.plan, own_policy=False))
    assert np.array_equal(*flows)


# ---- the figure


def test_the_figure_shows_the_means_and_their_spread(result):
    said = [text.get_text() for text in words(plot.patient_flow(result))]
    counts = Counts(result.flow, result.replications)
    donor, candidates = counts(boxes.DONOR), counts(boxes.CANDIDATES)
    share = f"{100 * donor.patients / candidates.patients:.0f} %"
    assert f"{donor.patients:.1f} ({share}), {donor.lower:.0f}–{donor.upper:.0f}" in said
    for box in boxes.NO_CANDIDATE.parts:
        assert (box.label in said) == counts(box).ever


def test_one_trial_shows_whole_numbers(result):
    drawing = plot.patient_flow(result, trial=3)
    responders = int(Counts(result.flow, result.replications, 3)(boxes.RESPONDERS).patients)
    assert drawing.alt.startswith(f"Patient flow, trial 3: 60 enrolled, {responders} with CR/CRh*, ")
    assert not any("." in text.get_text() for text in words(drawing) if text.get_text()[:1].isdigit())
    with pytest.raises(ValueError, match="keeps the patient flows of its trials 1 to 45"):
        plot.patient_flow(result, trial=46)


def test_published_counts_stand_only_beside_the_source_study_as_it_was_seen(result):
    def published(of):
        return [text.get_text() for text in words(figures.patient_flow(of)) if "published" in text.get_text()]

    assert published(result) == []
    assert published(simulate(scenario({"transplant": {"offered": False}}, replications=1))) == []
    later = bs.load_scenario("baseline", ["trial.accrual.gap_days=900", "study.replications=1"])
    assert published(simulate(later)) == []
    whole = published(simulate(scenario(replications=1)))
    assert sorted(text.split("published ")[1] for text in whole) == ["32", "43 never, 6 later", "81"]


@pytest.mark.parametrize(
    ("replications", "size", "policy"),
    [(45, 189, {}), (1, 1, {}), (45, 8, {"transplant": {"offered": False}}), (41, 3_000, {})],
)
def test_no_text_is_cut_or_lies_on_another(replications, size, policy):
    drawing = plot.patient_flow(simulate(scenario(policy, size=size, replications=replications)))
    assert_readable(drawing)
    assert "nan" not in drawing.alt
