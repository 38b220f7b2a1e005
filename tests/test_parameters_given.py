"""Studies over posterior draws, and the parameters that a user names."""

from __future__ import annotations

import html
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import blinasim as bs
from blinasim.cli.main import _run
from blinasim.errors import ParameterError
from blinasim.files import data_folder
from blinasim.inference import choice
from blinasim.inference.choice import described, parameters_said, shipped_posterior
from blinasim.inference.posterior import prior_draws, read_posterior
from blinasim.luck import Draws, Luck
from blinasim.model.catalogue import load_parameters, parameter_catalogue
from blinasim.model.history import COLUMNS
from blinasim.model.parameters import Changed, Structure
from blinasim.model.point_file import read_points
from blinasim.report.manifest import AnalysisManifest, simulated
from blinasim.report.resting import assumptions
from blinasim.report.rows import endpoint_frame, rows_of
from blinasim.scenario.loading import load_scenario
from blinasim.statistics.pairs import inflation, mean_mcse, parts_of_variance
from blinasim.study.batch import live
from blinasim.study.compare import compare
from blinasim.study.precision import mean_and_mcse, median_mcse
from blinasim.study.replay import replay
from blinasim.study.simulate import Result, simulate
from blinasim.study.summary import summarize
from posteriors import small_posterior

BASELINE = load_scenario("baseline", ["study.replications=11", "cohort.size=40"])


def values(result: Result) -> bytes:
    return b"".join(estimates.value.tobytes() for estimates in result.estimates.values())


# --- studies ------------------------------------------------------------------------------------------------


def test_posterior_draws_give_the_same_bytes_however_a_study_is_done() -> None:
    posterior = small_posterior()
    whole = simulate(BASELINE, parameters=posterior)
    with ThreadPoolExecutor(2) as executor:
        for other in (
            simulate(BASELINE, parameters=posterior, chunk=1),
            simulate(BASELINE, parameters=posterior, chunk=3, executor=executor),
            simulate(BASELINE, parameters=posterior, engine="des", chunk=4),
        ):
            assert values(other) == values(whole)
            assert other.limits == whole.limits
            assert other.oracles == whole.oracles
    longer = simulate(BASELINE.with_study(replications=14), parameters=posterior)
    assert longer.estimates["os"].value[:11].tobytes() == whole.estimates["os"].value.tobytes()


def test_a_pair_of_trials_lives_under_one_draw_and_a_replayed_trial_under_its_own() -> None:
    posterior = small_posterior()
    size = BASELINE.cohort.size
    block = live(BASELINE, posterior, Draws(Luck(1), range(11), size))
    chosen = posterior.chosen(range(11), BASELINE.study.seed)
    assert list(chosen[0:10:2]) == list(chosen[1:10:2])
    for trial in (1, 8, 11):
        alone = replay(BASELINE, posterior, trial).batch.history
        rows = slice((trial - 1) * size, trial * size)
        single = replay(BASELINE, posterior, trial, patient=7).batch.history
        for name in COLUMNS:
            np.testing.assert_array_equal(getattr(alone, name), getattr(block.history, name)[rows])
            assert getattr(single, name)[0] == getattr(alone, name)[6]


def test_one_draw_alone_is_as_good_as_point_values() -> None:
    posterior = small_posterior()
    one = replace(posterior, draws=posterior.draws.iloc[[5]].assign(weight=1.0))
    as_values = simulate(BASELINE, parameters=one.means())
    as_draws = simulate(BASELINE, parameters=one)
    for name, estimates in as_values.estimates.items():
        np.testing.assert_allclose(as_draws.estimates[name].value, estimates.value, rtol=1e-12)


def test_a_comparison_lives_both_policies_under_the_same_draws() -> None:
    scenarios = {"a": BASELINE, "b": load_scenario("early_donor_search", ["cohort.size=40"])}
    whole = compare(scenarios, parameters=small_posterior())
    parts = compare(scenarios, parameters=small_posterior(), chunk=3)
    for one, other in zip(whole.arms, parts.arms, strict=True):
        assert {key: array.tobytes() for key, array in one.values.items()} == {
            key: array.tobytes() for key, array in other.values.items()
        }
    assert whole.contrasts[0].head_start
    apart = whole.arm("b").values["realization"] - whole.arm("a").values["realization"]
    found = whole.difference("realization")
    assert found.mcse == pytest.approx(mean_mcse(apart))


def test_changed_parameters_are_changed_in_every_trial_and_are_others() -> None:
    posterior = small_posterior()
    changed = Changed(posterior, {"relapse.shape": 0.7})
    there = changed.of(range(4), 1)
    assert there.relapse.shape == 0.7
    np.testing.assert_array_equal(there.relapse.median_days, posterior.of(range(4), 1).relapse.median_days)
    assert changed.varies
    points = load_parameters()
    prints = {source.fingerprint for source in (posterior, changed, points, Changed(points, {"relapse.shape": 0.7}))}
    assert len(prints) == 4
    mixture = replace(points, structure=Structure(failure="exponential_mixture"))
    assert points.changed({}).fingerprint == points.fingerprint != mixture.fingerprint
    assert mixture.changed({"relapse.shape": 0.7}).structure == mixture.structure


# --- parts of the variance ------------------------------------------------------------------------------------


def test_parts_of_a_variance_worked_by_hand() -> None:
    parts = parts_of_variance(np.array([1.0, 3.0, 5.0, 5.0, 8.0, 8.0, 100.0]))
    assert parts is not None
    # Pair means 2, 5, 8: variance 9. Within: (2 + 0 + 0) / 3.
    assert parts.within == pytest.approx(2 / 3)
    assert parts.between == pytest.approx(9 - 1 / 3)
    assert parts.share == pytest.approx((26 / 3) / (26 / 3 + 2 / 3))
    assert parts.pairs == 3
    assert parts_of_variance(np.array([1.0, np.inf, 2.0, 3.0, 4.0, 5.0, 1.0, 2.0])) is None
    assert parts_of_variance(np.ones(4)) is None
    assert np.isnan(parts_of_variance(np.ones(8)).share)  # type: ignore[union-attr]


def test_parts_of_a_variance_are_found_and_so_is_the_error_of_their_share() -> None:
    generator = np.random.default_rng(3)
    shares, errors = [], []
    for _ in range(200):
        common = np.repeat(generator.normal(0, 1, 150), 2)
        parts = parts_of_variance(common + generator.normal(0, 2, 300))
        assert parts is not None
        shares.append(parts.share)
        errors.append(parts.share_mcse)
    assert np.mean(shares) == pytest.approx(0.2, abs=0.02)
    assert np.mean(errors) == pytest.approx(np.std(shares), rel=0.15)


def test_monte_carlo_errors_of_trials_in_pairs() -> None:
    """Two alike are worth one: errors grow by the root of two, for means and medians."""
    generator = np.random.default_rng(4)
    alone = generator.normal(10, 3, 2_000)
    twice = np.repeat(alone, 2)
    assert mean_and_mcse(twice, paired=True)[1] == pytest.approx(mean_and_mcse(alone)[1], rel=1e-9)
    assert median_mcse(twice, paired=True) == pytest.approx(median_mcse(twice) * np.sqrt(2), rel=0.01)
    independent = generator.normal(10, 3, 4_000)
    assert mean_mcse(independent) == pytest.approx(mean_and_mcse(independent)[1], rel=0.06)
    assert 1.0 <= inflation(independent > 10, np.ones(4_000, dtype=bool)) < 1.05
    missing = np.where(np.arange(4_000) % 7 == 0, np.nan, twice)
    assert mean_mcse(missing) == pytest.approx(mean_and_mcse(alone)[1], rel=0.06)
    assert np.isnan(mean_mcse(np.array([1.0, np.inf, 2.0, 2.0])))
    assert inflation(np.ones(6, dtype=bool), np.ones(6, dtype=bool)) == 1.0


def test_a_wider_posterior_has_a_larger_part_in_the_spread() -> None:
    scenario = BASELINE.with_study(replications=160)
    parts = {}
    for spread in (0.05, 0.9):
        summaries = summarize(simulate(scenario, parameters=small_posterior(spread=spread)))
        parts[spread] = {one.endpoint.id: one.parts for one in summaries}
    narrow, wide = (parts[spread]["rmst_12_months"] for spread in (0.05, 0.9))
    assert narrow is not None
    assert wide is not None
    assert wide.share > narrow.share + 0.15
    assert narrow.within == pytest.approx(wide.within, rel=0.5)
    assert all(one.parts is None for one in summarize(simulate(BASELINE)))


# --- what a user names ------------------------------------------------------------------------------------------


def test_what_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.csv"
    small_posterior().write(path)
    assert parameters_said(path).fingerprint == small_posterior().fingerprint
    assert described(parameters_said(str(path))) == "posterior, 60 draws"
    points = parameters_said("point")
    assert points.fingerprint == load_parameters().fingerprint
    assert parameters_said(points) is points
    monkeypatch.setattr(choice, "data_folder", lambda _: tmp_path)
    assert shipped_posterior() is None
    assert parameters_said() == load_parameters()
    with pytest.raises(ParameterError, match="no posterior comes"):
        parameters_said("posterior")
    for suffix in ("csv", "json"):
        shutil.copy(path.with_suffix(f".{suffix}"), tmp_path / f"posterior.{suffix}")
    assert parameters_said().fingerprint == parameters_said("posterior").fingerprint == small_posterior().fingerprint
    with pytest.raises(ParameterError, match="neither posterior nor point"):
        parameters_said("posteror")


def test_point_values_are_read_over_the_shipped_ones(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "structure: {failure: exponential_mixture}\nrelapse: {median_days: 300, shape: {value: 1.1}}\n",
        encoding="utf-8",
    )
    found = read_points(path)
    assert (found.relapse.median_days, found.relapse.shape) == (300.0, 1.1)
    assert found.structure == Structure(failure="exponential_mixture")
    assert found.response == load_parameters().response
    assert read_points(data_folder("calibration") / "parameters.yaml") == load_parameters()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("relapse: {median_dys: 300}", "1:11: relapse.median_dys: no such parameter; did you mean relapse.median_days"),
        ("relaps: {}", "1:1: relaps: no such group of parameters; did you mean relapse"),
        ("relapse: {median_days: .inf}", "relapse.median_days: Input should be a finite number"),
        ("relapse: {median_days: true}", "relapse.median_days: true should be a number"),
        ("relapse: {median_days: {prior: 3}}", "relapse.median_days: has no value"),
        ("relapse: {shape: 0}", "relapse.shape: value 0 is no shape"),
        ("response: {probability: 1.5}", "response.probability: value 1.5 is no probability"),
        ("non_relapse: {late_until_days: 1.0e+20}", "value 1e+20 is no days; it should be at most 1,000,000"),
        ("relapse: 3", "relapse: should hold names and values, not 3"),
        ("- 3", "the file: should hold names and values"),
        ("structure: {relapse: gamma}", "structure.relapse: Input should be 'weibull' or 'log_logistic'"),
        ("structure: {relaps: weibull}", "structure.relaps: no such distribution; did you mean relapse"),
    ],
)
def test_wrong_point_values_are_refused_in_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError) as problem:
        read_points(path)
    assert complaint in str(problem.value)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda draws: draws.drop(columns="relapse.shape"), "of other parameters (relapse.shape)"),
        (lambda draws: draws.assign(colour=1.0), "of other parameters (colour)"),
        (lambda draws: draws.iloc[:0], "holds no draws"),
        (lambda draws: draws.assign(**{"relapse.shape": np.inf}), "relapse.shape: some draws are no finite numbers"),
        (lambda draws: draws.assign(**{"relapse.shape": "x"}), "relapse.shape: some draws are no finite numbers"),
        (
            lambda draws: draws.assign(**{"non_relapse.late_until_days": 1e20}),
            "late_until_days: some draws are no days",
        ),
        (lambda draws: draws.assign(**{"response.probability": 1.2}), "response.probability: some draws are no prob"),
        (lambda draws: draws.assign(weight=0.0), "weights should be 0 or more, and not all 0"),
        (lambda draws: draws.assign(weight=-1.0), "weights should be 0 or more"),
    ],
)
def test_wrong_draws_are_refused_in_one_line(tmp_path: Path, change: object, complaint: str) -> None:
    path = tmp_path / "mine.csv"
    small_posterior().write(path)
    change(small_posterior().draws).to_csv(path, index=False)  # type: ignore[operator]
    with pytest.raises(ParameterError) as problem:
        read_posterior(path)
    assert complaint in str(problem.value)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("change", [{"structure": {"relapse": "gamma"}}, {"stages": 3}, {"about": None}])
def test_a_wrong_description_of_draws_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "mine.csv"
    small_posterior().write(path)
    about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    path.with_suffix(".json").write_text(json.dumps(about | change), encoding="utf-8")
    with pytest.raises(ParameterError, match="is no posterior"):
        read_posterior(path)
    path.with_suffix(".json").unlink()
    with pytest.raises(ParameterError, match=r"mine\.json"):
        read_posterior(path)


def test_draws_from_the_priors_have_the_priors_spread() -> None:
    drawn = prior_draws(Structure(), 4_000, seed=2)
    prior = parameter_catalogue()["response.probability"].prior
    assert prior.a is not None
    assert prior.b is not None
    assert drawn.mean("response.probability") == pytest.approx(prior.a / (prior.a + prior.b), abs=0.01)
    assert np.unique(drawn.values("relapse.median_days")).size == 4_000


# --- commands ---------------------------------------------------------------------------------------------------


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.csv"
    small_posterior().write(path)
    return path


def test_a_run_over_draws_says_so_takes_them_along_and_is_repeated(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "r"
    asked = ["run", "baseline", "--replications", "60", "--set", "cohort.size=60", "--parameters", str(mine)]
    assert _run([*asked, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "posterior, 60 draws" in said
    assert "Part of the trials' variance" in said
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["parameters"] is None
    assert manifest["posterior"]["fingerprint"] == small_posterior().fingerprint
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["parameters"] == "posterior, 60 draws"
    by_id = {one["id"]: one for one in summary["endpoints"]}
    variance = by_id["cr"]["variance"]
    assert variance["pairs"] == 30
    assert 0 <= variance["parameter_share"] <= 1
    mine.unlink()
    assert _run(["rerun", str(out)]) == 0
    assert "The same bytes" in capsys.readouterr().out
    # Another posterior in the folder is other results, and is named.
    small_posterior(seed=2).write(out / "posterior.csv")
    assert _run(["rerun", str(out)]) == 1
    assert "posterior.csv" in capsys.readouterr().out


def test_a_checkpoint_is_of_its_parameters(mine: Path) -> None:
    from blinasim.study.checkpoint import identify

    posterior = read_posterior(mine)
    prints = {
        identify(BASELINE, source, None, "auto", 10)["parameters"]
        for source in (posterior, load_parameters(), Changed(load_parameters(), {"relapse.shape": 0.7}))
    }
    assert len(prints) == 3
    assert identify(BASELINE, small_posterior(), None, "auto", 10) == identify(BASELINE, posterior, None, "auto", 10)


@pytest.mark.usefixtures("without_figures")
def test_every_command_takes_parameters(mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stories = {}
    for name in ("point", str(mine)):
        assert _run(["trace", "baseline", "--patient", "3", "--parameters", name]) == 0
        stories[name] = capsys.readouterr().out
    assert stories["point"] != stories[str(mine)]
    out = tmp_path / "c"
    asked = ["compare", "baseline", "early_donor_search", "--replications", "4", "--set", "cohort.size=30"]
    assert _run([*asked, "--parameters", str(mine), "--out", str(out)]) == 0
    assert "posterior, 60 draws" in capsys.readouterr().out
    assert read_posterior(out / "posterior.csv").fingerprint == small_posterior().fingerprint
    assert _run(["run", "baseline", "--parameters", str(tmp_path / "none.csv"), "--out", str(tmp_path / "x")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_posterior_that_is_no_longer_shipped_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped = tmp_path / "calibration"
    small_posterior().write(shipped / "posterior.csv")
    monkeypatch.setattr(choice, "data_folder", lambda _: shipped)
    choice._read.cache_clear()
    out = tmp_path / "r"
    assert _run(["run", "baseline", "--replications", "4", "--set", "cohort.size=30", "--out", str(out)]) == 0
    assert "posterior, 60 draws" in capsys.readouterr().out
    assert not (out / "posterior.csv").exists()
    assert _run(["rerun", str(out)]) == 0
    small_posterior(seed=2).write(shipped / "posterior.csv")
    choice._read.cache_clear()
    capsys.readouterr()
    assert _run(["rerun", str(out)]) == 2
    assert "its posterior is not the one that comes with blinasim" in capsys.readouterr().err


def test_python_says_the_same_as_the_command(mine: Path) -> None:
    result = bs.simulate(BASELINE, parameters=mine)
    assert values(result) == values(simulate(BASELINE, parameters=small_posterior()))
    table = endpoint_frame(rows_of(result)).set_index("id")
    assert table.loc["os", "parameter_share"] >= 0


# --- point values of the user's own --------------------------------------------------------------------------


def test_a_users_own_point_values_are_told_apart_from_the_shipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, out = tmp_path / "mine.yaml", tmp_path / "r"
    mine.write_text(
        "structure: {relapse: log_logistic}\nrelapse: {median_days: 300}\nresponse: {probability: 0.5}\n"
        f"failure: {{median_days: {load_parameters().failure.median_days}}}\n",
        encoding="utf-8",
    )
    words = ["run", "baseline", "--parameters", str(mine), "--replications", "4"]
    said = "point values of mine.yaml (2 changed; relapse log_logistic)"
    assert _run([*words, "--dry-run"]) == 0
    assert said in capsys.readouterr().out
    assert _run([*words, "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert said in printed
    assert "Rests on 2 values of the user's own and on" in printed
    assert json.loads((out / "summary.json").read_text())["parameters"] == said
    assert json.loads((out / "manifest.json").read_text())["parameters_file"] == "mine.yaml"
    page = (out / "report.html").read_text(encoding="utf-8")
    assert said in page
    assert page.count("yours") == 2
    assert parameter_catalogue()["response.probability"].source not in html.unescape(page)
    assert "The parameters are fitted" not in page
    assert "the others are fitted to one published abstract" in page
    assert str(tmp_path) not in page + (out / "manifest.json").read_text()
    assert _run(["rerun", str(out)]) == 0


def test_shipped_point_values_are_said_as_ever(tmp_path: Path) -> None:
    shipped, named = load_parameters(), tmp_path / "same.yaml"
    named.write_text("{}", encoding="utf-8")
    assert described(shipped) == described(Changed(shipped, {"response.probability": 0.9})) == "point parameters"
    assert described(shipped.changed({"response.probability": 0.9})) == "point values of the user (1 changed)"
    assert described(read_points(named)) == "point values of same.yaml (none changed)"
    assert not assumptions([BASELINE], read_points(named)).own
    assert "parameters_file" not in AnalysisManifest(**simulated(shipped), kind="effect", scenario={}).written(tmp_path)
