"""The value of information: analytic answers, sets and their parts, noise that is no knowledge, the command."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from blinasim.cli.main import _run
from blinasim.errors import BlinasimError, ParameterError
from blinasim.inference import value as module
from blinasim.inference.posterior import prior_draws
from blinasim.inference.priors import Priors
from blinasim.inference.value import ValueOfInformation, value_of
from blinasim.model.catalogue import load_parameters, parameter_catalogue
from blinasim.model.parameters import Structure
from blinasim.report import figures
from blinasim.report.value import explained_text, perfect_text, value_frame
from blinasim.report.value_file import value_file
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.settings import Scenario
from blinasim.statistics.information import (
    fitted_gains,
    jackknifed,
    never_under_a_part,
    value_given,
    value_of_information,
)
from posteriors import small_posterior

ROOT = Path(__file__).resolve().parents[1]


def analytic(mean: float, sd: float) -> float:
    """E max(0, g) - max(0, E g) of a normal gain: unit normal loss."""
    z = abs(mean) / sd
    return sd * (np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) - z * ndtr(-z))


def even(points: int) -> np.ndarray:
    return np.full(points, 1.0 / points)


# --- the estimator ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("inputs", "noise"), [(1, 0.5), (4, 3.0), (60, 3.0)])
def test_two_decisions_with_a_normal_gain(inputs: int, noise: float) -> None:
    """A gain of 1 + z1 + noise, of which only z1 can be known: 0.0833 for z1, and for all inputs together."""
    generator = np.random.default_rng(inputs)
    found = []
    for _ in range(40):
        x = generator.normal(size=(1000, inputs))
        gain = 1.0 + x[:, [0]] + noise * generator.normal(size=(1000, 1))
        found.append([value_of_information(part, gain, even(1000)) for part in (x[:, [0]], x)])
    error = np.std(found, axis=0) / np.sqrt(40)
    assert np.mean(found, axis=0) == pytest.approx([analytic(1, 1)] * 2, abs=3 * error.max() + 0.004)


def test_noise_alone_is_worth_next_to_nothing() -> None:
    """Without regression, the best of each noisy draw would look like a gain of 1.1."""
    generator = np.random.default_rng(1)
    gains = [np.concatenate([3.0 * generator.normal(size=(600, 1)) + 0.3 for _ in range(2)], axis=1) for _ in range(40)]
    x = generator.normal(size=(600, 30))
    assert np.mean([value_given(one, even(600)) for one in gains]) > 1.0
    assert np.mean([value_of_information(x, one, even(600)) for one in gains]) < 0.08


def test_three_decisions_against_their_known_conditional_means() -> None:
    generator = np.random.default_rng(2)
    found, known = [], []
    for _ in range(40):
        x = generator.normal(size=(1500, 3))
        means = np.stack([0.2 + x[:, 0], 0.1 + 0.8 * x[:, 0] + x[:, 1] ** 2 - 1.0], axis=1)
        found.append(value_of_information(x, means + 2.0 * generator.normal(size=means.shape), even(1500)))
        known.append(value_given(means, even(1500)))
    # What noise there is in the means of the gains lets the chosen policy look a little better: up to 2 / sqrt(1500).
    assert np.mean(found) == pytest.approx(np.mean(known), abs=0.04)


def test_fitted_gains_have_the_right_spread_and_mean() -> None:
    generator = np.random.default_rng(3)
    spreads = []
    for _ in range(40):
        x = generator.normal(size=(400, 40))
        gain = x[:, [0]] + 2.0 * generator.normal(size=(400, 1))
        fitted = fitted_gains(x, gain, even(400))
        assert fitted.mean() == pytest.approx(gain.mean())
        spreads.append(fitted.var())
    assert np.mean(spreads) == pytest.approx(1.0, abs=0.12)  # plain least squares: 1 + 4 * 40 / 400 or more


def test_units_and_mixtures_of_gains_do_not_matter() -> None:
    generator = np.random.default_rng(4)
    x, noise = generator.normal(size=(500, 5)), generator.normal(size=(500, 2))
    gains = x[:, :2] + noise
    mixed = np.array([[1e6, 2.0], [-1e6, 3.0]])
    assert fitted_gains(x, gains @ mixed, even(500)) == pytest.approx(
        fitted_gains(x, gains, even(500)) @ mixed, rel=1e-6
    )
    twice = fitted_gains(x, gains[:, [0, 0]], even(500))
    assert twice[:, 0] == pytest.approx(twice[:, 1])
    assert value_of_information(x, np.zeros((500, 2)), even(500)) == 0.0
    assert value_of_information(np.ones((500, 1)), gains, even(500)) == 0.0


def test_weights_of_nothing_leave_points_out() -> None:
    generator = np.random.default_rng(5)
    x, gains = generator.normal(size=(300, 2)), generator.normal(size=(300, 1))
    gains = gains + 2.0 * x[:, [0]]
    weights = np.where(np.arange(300) < 200, 1 / 200, 0.0)
    alone = value_of_information(x[:200], gains[:200], even(200))
    assert value_of_information(x, gains, weights) == pytest.approx(alone)


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    sample = np.random.default_rng(6).normal(size=80)
    found = jackknifed(lambda weights: np.array([weights @ sample]), 80, groups=80)
    assert found.error[0] == pytest.approx(sample.std(ddof=1) / np.sqrt(80))


def test_errors_are_those_of_repeated_samples() -> None:
    generator = np.random.default_rng(7)
    values, errors = [], []
    for repeat in range(120):
        x = generator.normal(size=(600, 2))
        gain = 0.5 + x[:, [0]] + 2.0 * generator.normal(size=(600, 1))

        def of(weights: np.ndarray, x: np.ndarray = x, gain: np.ndarray = gain) -> np.ndarray:
            return np.array([value_of_information(x, gain, weights)])

        values.append(of(even(600))[0])
        if repeat < 30:
            errors.append(jackknifed(of, 600).error[0])
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.25)


@given(
    st.lists(st.frozensets(st.integers(0, 5), min_size=1), min_size=1, max_size=12), st.randoms(use_true_random=False)
)
def test_a_set_is_never_worth_less_than_a_set_within_it(sets: list[frozenset[int]], random: Any) -> None:
    values = np.array([random.random() for _ in sets])
    found = never_under_a_part(values, sets)
    assert np.all(found >= values)
    for one, worth in zip(sets, found, strict=True):
        assert all(worth >= other for part, other in zip(sets, found, strict=True) if part <= one)
    assert never_under_a_part(found, sets).tolist() == found.tolist()


# --- policies -----------------------------------------------------------------------------------------------------


@cache
def asked(*names: str, trials: int = 400, size: int = 15) -> dict[str, Scenario]:
    changes = [f"study.replications={trials}", f"cohort.size={size}"]
    return {name: load_scenario(name, changes) for name in names}


@cache
def found() -> ValueOfInformation:
    return value_of(
        asked("baseline_payoffs", "no_transplantation", "standard_therapy"),
        small_posterior(),
        known=["relapse,failure"],
    )


def test_whatever_is_known_is_worth_no_more_than_all_and_no_less_than_a_part() -> None:
    one = found()
    every = [one.perfect, *one.groups, *one.singles, *one.asked]
    for whole in every:
        assert 0.0 <= whole.value <= one.perfect.value
        for part in every:
            if set(part.parameters) <= set(whole.parameters):
                assert part.value <= whole.value
    assert {worth.name for worth in one.asked} == {"relapse,failure"}
    assert len(one.asked[0].parameters) == sum(
        len(g.parameters) for g in one.groups if g.name in ("relapse", "failure")
    )


@settings(max_examples=2, deadline=None)
@given(st.integers(0, 10**6), st.floats(-1.0, 1.0), st.floats(0.1, 3.0))
def test_the_same_of_gains_that_are_made_up(seed: int, mean: float, noise: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        made_up(patch, {"relapse.graft_speed": 1.0, "failure.median_days": -0.5}, mean, noise, seed)
        one = value_of(asked("baseline_payoffs", "no_transplantation"), small_posterior())
    for group in one.groups:
        assert group.value <= one.perfect.value
        inside = [single.value for single in one.singles if single.name.startswith(f"{group.name}.")]
        assert max(inside) <= group.value


def made_up(
    patch: pytest.MonkeyPatch, slopes: dict[str, float], mean: float, noise: float, seed: int, draws: Any = None
) -> None:
    """Let a policy gain, a patient, what its draw of some parameters says on the scale on which priors are normal."""
    posterior = draws or small_posterior()
    priors = Priors.of(parameter_catalogue(), list(slopes))
    z = priors.normal_scores(np.stack([posterior.values(name) for name in slopes], axis=1))
    z = (z - posterior.weights @ z) / np.sqrt(posterior.weights @ np.square(z - posterior.weights @ z))

    def known(livings: Any, parameters: Any, _: Any, trials: range, **__: Any) -> list[dict[str, np.ndarray]]:
        drawn = parameters.chosen(trials, livings[0].scenario.study.seed)
        gain = mean + z[drawn] @ np.array(list(slopes.values()))
        gain = gain + noise * np.random.default_rng(seed).normal(size=gain.shape)
        nothing = np.zeros(len(trials))
        first = dict.fromkeys(("net_benefit", "qalys", "cost", "os_24_months"), nothing)
        return [first, first | {"net_benefit": gain, "cost": -gain, "os_24_months": gain}]

    patch.setattr(module, "paired_values", known)


@pytest.mark.slow
def test_policies_with_a_known_gain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gain of 0.3 + z1 + z2 / 2 over draws: values of knowing z1, z2 and both are analytic."""
    draws = prior_draws(Structure(), 1_500, 3)
    slopes = {"relapse.graft_speed": 1.0, "failure.median_days": 0.5}
    made_up(monkeypatch, slopes, 0.3, 2.0, 1, draws)
    one = value_of(asked("baseline_payoffs", "no_transplantation", trials=3_000), draws, known=[",".join(slopes)])
    by_name = {worth.name: worth for worth in (*one.singles, *one.asked, *one.groups)}
    for name, sd in (("relapse.graft_speed", 1.0), ("failure.median_days", 0.5), (",".join(slopes), 1.25**0.5)):
        assert by_name[name].value == pytest.approx(analytic(0.3, sd), abs=3 * by_name[name].error + 0.005)
    assert one.perfect.value == pytest.approx(analytic(0.3, 1.25**0.5), abs=3 * one.perfect.error)
    assert one.singles[0].name == "relapse.graft_speed"
    assert np.mean([single.value for single in one.singles[2:]]) < 0.01
    best = one.candidates[1]
    assert best.best == pytest.approx(ndtr(0.3 / 1.25**0.5), abs=3 * best.best_error + 0.01)
    assert best.explained == pytest.approx(1.25**0.5, rel=0.12)
    assert best.explained_of == pytest.approx(1.25**0.5, rel=0.15)
    assert re.search(r"no_transplantation (8|9|10|11)\d %", explained_text(one))
    assert one.chosen.name == "no_transplantation"
    judged = one.judged
    assert judged is not None
    # Only costs differ: what a QALY may cost is of no account.
    assert np.ptp(judged.acceptability, axis=1) == pytest.approx([0, 0], abs=1e-9)
    assert np.ptp(judged.evpi) == pytest.approx(0.0, abs=1e-9)
    assert 0.9 * one.perfect.value < judged.evpi[0] <= one.perfect.value


def test_the_lesser_of_a_bad_thing_is_the_better(monkeypatch: pytest.MonkeyPatch) -> None:
    made_up(monkeypatch, {"relapse.graft_speed": 1.0}, 0.5, 0.1, 1)
    more = value_of(asked("baseline_payoffs", "no_transplantation"), small_posterior(), measure="os_24_months")
    less = value_of(asked("baseline_payoffs", "no_transplantation"), small_posterior(), measure="cost")
    assert more.chosen.name == less.chosen.name == "no_transplantation"
    assert more.judged is None
    assert less.perfect.value == pytest.approx(more.perfect.value)


def test_workers_do_not_matter() -> None:
    seen: list[int] = []
    names = ("baseline_payoffs", "no_transplantation", "standard_therapy")
    with ThreadPoolExecutor(2) as executor:
        again = value_of(
            asked(*names), small_posterior(), known=["relapse,failure"], executor=executor, progress=seen.append
        )
    assert sum(seen) == 3 * 400
    assert value_file(again) == value_file(found())
    assert value_frame(again).equals(value_frame(found()))


def test_what_cannot_be_valued_is_said_in_a_line() -> None:
    two = asked("baseline", "no_transplantation")
    for arguments, said in (
        ({}, "name baseline_payoffs first, or a measure"),
        ({"measure": "os_24_month"}, "no such measure; did you mean os_24_months"),
        ({"measure": "transplanted"}, "neither more nor less of it is better"),
        ({"measure": "os_24_months", "known": ["relaps"]}, "no such parameter or group; did you mean relapse"),
        ({"measure": "os_24_months", "known": ["relapse.maintenance_speed"]}, "has no effect under these policies"),
    ):
        with pytest.raises(BlinasimError, match=said):
            value_of(two, small_posterior(), **arguments)
    with pytest.raises(BlinasimError, match=r"parameters need \d+ trials or more"):
        value_of(asked("baseline", "no_transplantation", trials=50), small_posterior(), measure="os_24_months")
    with pytest.raises(ParameterError, match="known for certain"):
        value_of(two, load_parameters(), measure="os_24_months")


def test_words_and_figures() -> None:
    assert perfect_text(found()).startswith(
        "Chosen as things stand at 50,000 GBP per QALY: standard_therapy, the best with"
    )
    for draw in (figures.plane, figures.acceptability, figures.evppi):
        assert perfect_text(found()) in draw(found()).alt


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_command_writes_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine, out = tmp_path / "mine.csv", tmp_path / "v"
    small_posterior().write(mine)
    few = ["--replications", "400", "--set", "cohort.size=15"]
    line = ["value", "baseline_payoffs", "no_transplantation", "--parameters", str(mine), *few, "--out", str(out)]
    assert _run(line) == 0
    said = capsys.readouterr().out
    for words in ("Net benefit, GBP", "Chosen as things stand", "of EVPI", "Single parameters", "posterior, 60 draws"):
        assert words in said
    document = json.loads((out / "value.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, json.loads((ROOT / "docs" / "value.schema.json").read_text(encoding="utf-8")))
    assert set(pd.read_csv(out / "value.csv").kind) == {"all", "group", "single"}
    accepted = pd.read_csv(out / "acceptability.csv")
    assert np.allclose(accepted.groupby("threshold_per_qaly").acceptability.sum(), 1.0)
    assert sorted(path.name for path in (out / "figures").glob("*.svg")) == [
        "acceptability.svg",
        "evppi.svg",
        "plane.svg",
    ]
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert list(manifest["others"]) == ["no_transplantation"]
    assert _run(["rerun", str(out)]) == 2
    assert "say blinasim value again" in capsys.readouterr().err
    prior = ["value", "baseline", "no_transplantation", "--measure", "os_24_months", "--prior", *few, "--json"]
    assert _run([*prior, "--out", str(tmp_path / "w")]) == 0
    assert json.loads(capsys.readouterr().out)["judged"] is None
    assert _run([*prior, "--parameters", "point"]) == 2
