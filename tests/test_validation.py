"""Predictive checks: tail areas, misses, the joint tail, sharpness, and the command."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest

from blinasim.cli.main import _run
from blinasim.inference.predictive import (
    SHARPNESS_BAR,
    Validation,
    joint_tails,
    studies_to_simulate,
    tail_area,
    validate,
)
from blinasim.inference.study import TERMS, Ensemble, Observed, Studies
from blinasim.inference.targets import Target, load_targets, published_margins
from blinasim.luck import Luck
from blinasim.model.catalogue import load_parameters
from blinasim.report.manifest import AnalysisManifest
from blinasim.report.rows import full_labels
from blinasim.report.validation import GROUPS, sentences, validation_rows
from blinasim.scenario.loading import load_scenario
from posteriors import small_posterior

ROOT = Path(__file__).resolve().parents[1]
SCENARIO = load_scenario("baseline", ["study.replications=120"])


@cache
def validated(spread: float = 0.4) -> Validation:
    return validate(SCENARIO, small_posterior(spread=spread))


def target(**figure: object) -> Target:
    about = {"statistic": "x", "population": "x", "estimator": "x", "source": "x", "use": "fit"}
    return Target.model_validate(about | figure)


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        (target(value=2.0, rounding=0.1), 0.8),  # 1 below, 2 the same, 2 above: 2 * (1 + 1) / 5
        (target(value=1.0, rounding=0.1), 0.2),  # half of the one that is the same, twice
        (target(value=3.0, rounding=0.1), 0.6),
        (target(value=4.0, rounding=0.1), 0.4),  # only the infinite one is above
        (target(value=0.5, rounding=0.1), 0.0),
        (target(count=1, denominator=1), 0.2),
    ],
)
def test_tail_areas_worked_by_hand(published: Target, expected: float) -> None:
    values = np.array([1.0, 2.04, 1.96, 3.0, np.inf, np.nan])
    assert tail_area(values, published).value == pytest.approx(expected)


def test_tail_areas_of_figures_that_the_model_made_are_even() -> None:
    generator = np.random.default_rng(5)
    values = generator.binomial(32, 0.3, 4_000) / 32
    tails = [tail_area(values, target(count=int(x), denominator=32)).value for x in generator.binomial(32, 0.3, 2_000)]
    assert np.mean(tails) == pytest.approx(0.5, abs=0.03)
    assert np.mean(np.array(tails) < 0.05) < 0.06
    error = tail_area(values, target(count=6, denominator=32)).mcse
    spread = [
        tail_area(generator.binomial(32, 0.3, 4_000) / 32, target(count=6, denominator=32)).value for _ in range(200)
    ]
    assert error == pytest.approx(np.std(spread), rel=0.25)


def test_every_published_endpoint_is_judged_with_its_use() -> None:
    found = validated()
    targets = load_targets()
    assert {check.endpoint.id for check in found.checks} == set(targets) - {"n"}
    assert sum(len(found.of(use)) for use in GROUPS) == len(found.checks)
    for check in found.checks:
        inside = check.predicted.lower - 1e-12 <= check.target.estimate <= check.predicted.upper + 1e-12
        assert (check.verdict == "inside") == inside
        if check.verdict == "inside":
            assert check.tail.value >= 0.03
    for use, misses in found.misses.items():
        judged = [check for check in found.of(use) if check.verdict != "not estimable"]
        assert misses.among == len(judged)
        assert misses.outside == sum(check.verdict != "inside" for check in judged)
        # Each figure is outside in at most a twentieth of the simulated studies.
        assert 0.0 <= misses.expected <= 0.05 * misses.among + 1e-9
        assert misses.tail.value == 1.0 or misses.outside > 0


def test_a_figure_far_off_is_found_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    from blinasim.inference import predictive

    wrong = dict(load_targets())
    wrong["cycles"] = wrong["cycles"].model_copy(update={"value": 5.0})
    monkeypatch.setattr(predictive, "load_targets", lambda: wrong)
    found = validate(SCENARIO.with_study(replications=60), small_posterior())
    by_id = {check.endpoint.id: check for check in found.checks}
    assert by_id["cycles"].verdict == "above"
    assert by_id["cycles"].tail.value == 0.0
    assert found.misses["held_out"].outside == 1
    assert found.misses["held_out"].tail.value < 0.2
    assert "1 or more are outside in" in "\n".join(sentences(found))


def test_a_wide_posterior_is_blunt_and_a_narrow_one_sharp() -> None:
    narrow, wide = validated(0.02), validated(1.5)
    ratios = {
        name: [check.width_ratio.value for check in found.of("fit") if check.width_ratio]
        for name, found in (("narrow", narrow), ("wide", wide))
    }
    assert np.median(ratios["narrow"]) == pytest.approx(1.0, abs=0.1)
    assert np.median(ratios["wide"]) > 1.3
    assert not any(check.is_blunt for check in narrow.checks)
    assert any(check.is_blunt for check in wide.checks)
    assert f"surely above {SHARPNESS_BAR} (!)" in "\n".join(sentences(wide))


def test_point_values_have_chance_alone() -> None:
    found = validate(SCENARIO.with_study(replications=60), load_parameters())
    assert all(check.width_ratio is None for check in found.checks)
    assert not any(line.startswith("Width") for line in sentences(found))


def test_progress_says_how_many_studies_there_are() -> None:
    seen: list[int] = []
    scenario = SCENARIO.with_study(replications=40)
    validate(scenario, small_posterior(), progress=seen.append)
    assert sum(seen) == studies_to_simulate(scenario, small_posterior()) == 120


def studies() -> Studies:
    ensemble = Ensemble(SCENARIO, published_margins(load_targets()), Luck(3), range(200))
    return ensemble.reports(small_posterior().of(range(200), 3))


def observed(of: Studies, row: int) -> Observed:
    summaries = np.nan_to_num(of.summaries[row], posinf=9.0)
    return Observed(
        {term.name: tuple(of.counts[term.name][row].tolist()) for term in TERMS},
        summaries - 0.01,
        summaries + 0.01,
        int(of.deaths_by_100[row]),
    )


def test_the_joint_tail_of_reports_that_the_model_made_is_even_and_of_others_small() -> None:
    simulated = studies()
    tails = np.array(
        [[part.value for part in (one.counts, one.survival, one.both)]
         for one in (joint_tails(simulated, observed(simulated, row)) for row in range(200))]
    )  # fmt: skip
    for column in tails.T:
        assert column.mean() == pytest.approx(0.5, abs=0.05)
        assert np.quantile(column, 0.1) == pytest.approx(0.1, abs=0.05)
    published = Observed.published(load_targets())
    counts = dict(published.counts) | {"response_naive": (115, 10)}
    assert joint_tails(simulated, replace(published, counts=counts)).counts.value < 0.01
    later = np.array([1.2, 0, 0, 0, 0])
    late = replace(published, lower=published.lower + later, upper=published.upper + later)
    assert joint_tails(simulated, late).survival.value < 0.02


def test_whole_labels_name_the_whole() -> None:
    labels = full_labels()
    assert labels["cr_prior"] == "CR/CRh* within 2 cycles, prior HSCT"
    assert len(set(labels.values())) == len(labels)
    assert validation_rows(validated())[0].label == "CR/CRh* within 2 cycles, HSCT-naive"


def test_too_few_studies_judge_no_figure() -> None:
    few, enough = (
        validation_rows(validate(load_scenario("baseline", [f"study.replications={n}"]), load_parameters()))
        for n in (20, 40)
    )
    assert {(row.tail_text, row.verdict_text) for row in few} == {("", "")}
    assert all(row.tail_text and row.verdict_text for row in enough)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.csv"
    small_posterior().write(path)
    return path


def test_the_command_writes_a_folder_and_prints_verdicts(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "v"
    assert _run(["validate", "--parameters", str(mine), "--replications", "60", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    for words in ("Fitted", "Held out", "Joint tail area", "posterior, 60 draws", "inside"):
        assert words in said
    document = json.loads((out / "validation.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, json.loads((ROOT / "docs" / "validation.schema.json").read_text(encoding="utf-8")))
    table = pd.read_csv(out / "validation.csv")
    assert list(table.id) == [check["id"] for check in document["checks"]]
    manifest = AnalysisManifest.model_validate_json((out / "manifest.json").read_bytes())
    assert manifest.kind == "validation"
    assert set(manifest.files) >= {"figures/validation.png", "figures/validation.svg", "posterior.csv"}
    assert _run(["rerun", str(out)]) == 2
    assert "say blinasim validate again" in capsys.readouterr().err
    assert _run(["validate", "--replications", "60", "--out", str(out)]) == 2
    assert "already exists" in capsys.readouterr().err


@pytest.mark.usefixtures("without_figures")
def test_the_priors_are_asked_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "v"
    assert _run(["validate", "--prior", "--replications", "40", "--json", "--out", str(out)]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"] == "priors, 2,000 draws"
    assert _run(["validate", "--prior", "--parameters", "point", "--out", str(tmp_path / "w")]) == 2
    assert "exclude each other" in capsys.readouterr().err
