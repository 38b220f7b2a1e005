"""Sensitivity: shares of variance with known answers, tornado, Sobol indices, contraction, and the command."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest

from blinasim.cli.main import _run
from blinasim.errors import BlinasimError
from blinasim.inference.posterior import prior_draws
from blinasim.inference.priors import Priors
from blinasim.inference.sensitivity import (
    Effort,
    Sensitivity,
    moved,
    outcomes_named,
    sensitivity,
    values_to_live,
)
from blinasim.inference.sensitivity import lives as module
from blinasim.luck import Draws, Luck
from blinasim.model.catalogue import load_parameters, parameter_catalogue
from blinasim.model.parameters import Structure
from blinasim.report import sensitivity_file as stored
from blinasim.report.sensitivity import sensitivity_frame, sentence, uninformed_text
from blinasim.report.sensitivity_file import sensitivity_file, stored_sentence
from blinasim.scenario.loading import load_scenario
from blinasim.statistics.conditional_mean import variance_share
from blinasim.study.batch import live
from blinasim.study.measures import MEASURE, Truth, measured
from posteriors import small_posterior

ROOT = Path(__file__).resolve().parents[1]
BASELINE = load_scenario("baseline")
SMALL = Effort(patients=378, tornado_patients=945, samples=8, draws=50)


@cache
def found() -> Sensitivity:
    return sensitivity(BASELINE, small_posterior(), effort=SMALL)


# --- shares of variance ------------------------------------------------------------------------------------------


def linear(size: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two inputs and noise: y = 2 a + b + noise, of variance 4 + 1 + 1."""
    generator = np.random.default_rng(seed)
    inputs = generator.normal(size=(size, 3))
    return inputs, 2 * inputs[:, 0] + inputs[:, 1] + generator.normal(size=size), np.full(size, 1 / size)


def test_shares_of_a_linear_outcome_are_the_known_ones() -> None:
    inputs, outcome, weights = linear(3_000, 1)
    for columns, expected in (([0], 4 / 6), ([1], 1 / 6), ([2], 0.0), ([0, 1], 5 / 6), ([0, 1, 2], 5 / 6)):
        share = variance_share(inputs[:, columns], outcome, weights)
        assert share.value == pytest.approx(expected, abs=0.03)
    curved = variance_share(inputs[:, [2]], inputs[:, 2] ** 2, weights)
    assert curved.value > 0.95
    assert variance_share(inputs, np.ones(3_000), weights).value == 0.0
    assert variance_share(np.ones((3_000, 1)), outcome, weights).value == 0.0


def test_shares_have_honest_errors_and_find_nothing_in_nothing() -> None:
    shares = [variance_share(linear(200, seed)[0][:, [1]], *linear(200, seed)[1:]) for seed in range(150)]
    assert np.mean([share.value for share in shares]) == pytest.approx(1 / 6, abs=0.02)
    assert np.mean([share.error for share in shares]) == pytest.approx(np.std([s.value for s in shares]), rel=0.3)
    nothing = [variance_share(linear(200, seed)[0][:, [2]], *linear(200, seed)[1:]).value for seed in range(150)]
    assert np.mean(nothing) < 0.01


def test_weights_count_as_so_many_points() -> None:
    inputs, outcome, _ = linear(400, 2)
    half = np.where(np.arange(400) < 200, 1 / 200, 0.0)
    weighted = variance_share(inputs[:, [0]], outcome, half)
    alone = variance_share(inputs[:200, [0]], outcome[:200], np.full(200, 1 / 200))
    assert weighted.value == pytest.approx(alone.value)
    assert weighted.error == pytest.approx(alone.error)


# --- the analysis ---------------------------------------------------------------------------------------------------


def test_the_tornado_is_what_the_same_trials_give_with_one_parameter_changed() -> None:
    outcome = found().outcomes[0]
    centre = small_posterior().means()
    draws = Draws(Luck(BASELINE.study.seed), range(5), BASELINE.cohort.size)
    measure = MEASURE["rmst_24_months"]
    bearing = outcome.bearings[0]
    for end, expected in ((bearing.low, bearing.tornado.low), (bearing.high, bearing.tornado.high)):
        truth = Truth.of(BASELINE, live(BASELINE, centre.changed({bearing.name: end}), draws))
        assert measured(truth, [measure])["rmst_24_months"].mean() == pytest.approx(expected)


def test_what_cannot_matter_moves_nothing_by_a_hair_and_the_most_moving_comes_first() -> None:
    for one in found().outcomes:
        swings = [bearing.tornado.swing for bearing in one.bearings]
        assert swings == sorted(swings, reverse=True)
        by_name = {bearing.name: bearing for bearing in one.bearings}
        for name in ("recording.donor_unknown", "donor_search.sibling_marrow", "induction.death_infection_share"):
            assert by_name[name].tornado.swing == pytest.approx(0.0, abs=1e-12)
    assert found().outcomes[0].bearings[0].name == "failure.median_days"


def test_only_parameters_that_act_are_moved() -> None:
    names = moved(BASELINE, small_posterior())
    assert "failure.shape" in names
    assert "failure.long_share" not in names
    assert not [name for name in names if name.startswith("standard_therapy")]
    assert "relapse.maintenance_speed" not in names
    standard = moved(load_scenario("baseline", ["policy.therapy=standard"]), load_parameters())
    assert "standard_therapy.relapse_speed" in standard


def test_every_value_is_counted_and_the_work_may_be_shared_out() -> None:
    seen: list[int] = []
    with ThreadPoolExecutor(2) as executor:
        again = sensitivity(BASELINE, small_posterior(), effort=SMALL, executor=executor, progress=seen.append)
    assert sum(seen) == again.evaluations == found().evaluations
    assert found().evaluations == values_to_live(BASELINE, small_posterior(), SMALL)
    assert sensitivity_frame(again).equals(sensitivity_frame(found()))


def test_a_group_is_worth_no_less_than_a_member_and_no_more_than_all() -> None:
    for one in found().outcomes:
        for bearing in one.bearings:
            assert bearing.posterior is not None
            group = one.groups[bearing.name.partition(".")[0]]
            assert np.isnan(group.value) or bearing.posterior.value <= group.value <= 1.0


def test_contraction_is_that_of_the_draws() -> None:
    contraction = [bearing.contraction for bearing in found().outcomes[0].bearings]
    assert np.mean([value for value in contraction if value is not None]) == pytest.approx(1 - 0.4**2, abs=0.05)
    assert not any(bearing.is_uninformed for bearing in found().outcomes[0].bearings)
    prior = sensitivity(BASELINE, prior_draws(Structure(), 50, 1), outcomes_named(["realization"]), effort=SMALL)
    uninformed = [bearing.is_uninformed for bearing in prior.outcomes[0].bearings]
    assert np.mean(uninformed) > 0.6
    assert "next to nothing" in uninformed_text(prior)


def test_sobol_indices_of_a_known_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """y = 3 z1 + z2 of two parameters' normal numbers: 0.9 and 0.1, and nothing for all others together."""
    names = ("failure.median_days", "relapse.median_days")

    def known(question: module.Question, piece: tuple[np.ndarray, int]) -> np.ndarray:
        values, trials = piece
        z = Priors.of(parameter_catalogue(), question.names).normal_scores(values)
        one, two = (z[:, question.names.index(name)] for name in names)
        return np.repeat((10 + 3 * one + two)[:, np.newaxis, np.newaxis], trials, axis=2)

    monkeypatch.setattr(module, "answers", known)
    posterior = small_posterior(draws=400)
    effort = Effort(patients=378, tornado_patients=378, samples=1024, draws=400)
    one = sensitivity(BASELINE, posterior, outcomes_named(["realization"]), effort=effort).outcomes[0]
    by_name = {bearing.name: bearing for bearing in one.bearings}
    for name, share in zip(names, (0.9, 0.1), strict=True):
        index, part = by_name[name].index, by_name[name].posterior
        assert index is not None
        assert part is not None
        assert index.first == pytest.approx(share, abs=4 * index.first_error + 0.02)
        assert index.total == pytest.approx(share, abs=4 * index.total_error + 0.02)
        assert part.value == pytest.approx(share, abs=0.06)
        assert by_name[name].tornado.swing == pytest.approx(2 * 1.96 * (3 if share > 0.5 else 1), rel=1e-3)
    assert one.others is not None
    assert abs(one.others.total) < 1e-6
    assert [bearing.name for bearing in one.strongest()] == list(names)
    assert sentence(one).startswith("Realization rate, of responders rests most on failure.median_days (9")


def test_outcomes_are_measures_or_limits() -> None:
    both = outcomes_named(["os_24_months", "limit:os", "os_24_months"])
    assert [one.id for one in both] == ["os_24_months", "limit:os"]
    with pytest.raises(BlinasimError, match="no such measure; did you mean os_24_months"):
        outcomes_named(["os_24_month"])
    one = sensitivity(
        BASELINE, load_parameters(), outcomes_named(["limit:cr"]), effort=Effort(378, 378, 8, 8)
    ).outcomes[0]
    assert one.centre == pytest.approx(0.43, abs=0.08)
    assert one.bearings[0].name == "response.probability"
    assert one.spread is None
    assert one.groups == {}
    assert "(abstract)" in sentence(one)


def test_scenarios_that_count_places_are_refused_in_one_line() -> None:
    counted = load_scenario("baseline", ["capacity.transplant_beds.places=2"])
    with pytest.raises(BlinasimError, match=r"counts places \(transplant_bed\); set them to null"):
        sensitivity(counted, load_parameters(), effort=SMALL)


def test_the_stored_analysis_is_cited_for_its_own_parameters_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "data_folder", lambda _: tmp_path)
    assert stored_sentence(small_posterior()) is None
    document = sensitivity_file(found())
    (tmp_path / "sensitivity.json").write_text(document.model_dump_json(), encoding="utf-8")
    assert stored_sentence(small_posterior()) == sentence(found().outcomes[0])
    assert stored_sentence(small_posterior(seed=2)) is None


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_command_writes_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "Effort", lambda samples: Effort(378, 378, samples, 20))
    mine, out = tmp_path / "mine.csv", tmp_path / "s"
    small_posterior().write(mine)
    asked = ["sensitivity", "early_donor_search", "--samples", "8", "--parameters", str(mine), "--out", str(out)]
    assert _run(asked) == 0
    said = capsys.readouterr().out
    for words in ("RMST to 24 months, all patients rests", "contraction", "posterior, 60 draws", "prior 95 %"):
        assert words in said
    document = json.loads((out / "sensitivity.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, json.loads((ROOT / "docs" / "sensitivity.schema.json").read_text(encoding="utf-8")))
    table = pd.read_csv(out / "sensitivity.csv")
    assert set(table.outcome) == {"rmst_24_months", "os_24_months", "realization"}
    assert (out / "figures" / "tornado.svg").is_file()
    assert "rests most on" in (out / "figures" / "tornado.svg").read_text(encoding="utf-8")
    assert _run(["sensitivity", "--samples", "9", "--out", str(tmp_path / "t")]) == 2
    assert "a power of 2, such as 8" in capsys.readouterr().err
