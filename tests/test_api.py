"""The Python interface: what it says is what the command line says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import blinasim as bs
from blinasim import api
from blinasim.cli.main import _run, app
from blinasim.errors import BlinasimError, ParameterError, ScenarioError
from blinasim.inference import calibrate as calibrating
from blinasim.inference.calibrate import FULL, QUICK
from blinasim.inference.targets import load_targets
from blinasim.model.catalogue import parameter_catalogue
from blinasim.model.parameters import Structure, parameters_to_dict


def test_every_public_name_is_there() -> None:
    assert all(getattr(bs, name) is not None for name in bs.__all__)
    assert sorted(bs.__all__) == sorted([*api.__all__, "__version__", "plot"])


def test_a_story_is_that_of_the_command_line() -> None:
    said = CliRunner().invoke(app, ["trace", "baseline", "--patient", "30", "--trial", "2", "--parameters", "point"])
    assert said.exit_code == 0
    assert str(bs.trace("baseline", 30, trial=2, parameters="point")) == said.output.rstrip("\n")


class Nobody:
    def is_candidate(self, chart: object) -> bool:  # noqa: ARG002
        return False


def test_a_story_under_a_policy_of_ones_own() -> None:
    assert "candidate for HSCT" in [words for _, words in bs.trace("baseline", 30, parameters="point").lines]
    told = [words for _, words in bs.trace("baseline", 30, parameters="point", policy=Nobody).lines]
    assert "candidate for HSCT" not in told


def test_a_story_of_nobody_is_an_error() -> None:
    with pytest.raises(BlinasimError, match="patients 1 to 189"):
        bs.trace("baseline", 190)


def test_errors_name_the_argument_and_commands_their_option(capsys: pytest.CaptureFixture[str]) -> None:
    two, drawn = ("baseline", "no_transplantation"), {"parameters": bs.prior_draws(4)}
    for call, line, command in (
        (lambda: bs.trace("baseline", 1, trial=0), "trial 0: trials count from 1", None),
        (lambda: bs.trace("baseline", 500), "patient 500: the cohort has", "trace baseline --patient 500"),
        (
            lambda: bs.value_of_information(*two, measure="nope", **drawn),
            "measure 'nope': no such measure",
            "value baseline no_transplantation --measure nope --prior",
        ),
        (
            lambda: bs.value_of_information(*two, measure="os_24_months", known=["nope"], **drawn),
            "known 'nope': no such parameter or group",
            "value baseline no_transplantation --measure os_24_months --know nope --prior",
        ),
        (
            lambda: bs.value_of_information(*two, measure="os_24_months", replications=20, **drawn),
            "replications 20: ",
            "value baseline no_transplantation --measure os_24_months --replications 20 --prior",
        ),
    ):
        with pytest.raises(BlinasimError) as found:
            call()
        assert str(found.value).startswith(line)
        assert "--" not in str(found.value)
        if command:
            assert _run(command.split()) == 2
            said = capsys.readouterr().err
            assert said.startswith(f"blinasim: --{line.replace('known', 'know')}"), said


def test_the_table_holds_the_lives_that_stories_tell() -> None:
    table = bs.patients_table("baseline", trial=2, parameters="point").set_index("patient")
    assert len(table) == 189
    assert set(table.trial) == {2}
    for patient in (1, 30, 77):
        last_day, words = bs.trace("baseline", patient, trial=2, parameters="point").lines[-1]
        assert words.startswith("dies") == (table.death_day.notna()[patient])
        assert not words.startswith("dies") or table.death_day[patient] == last_day


def test_the_table_under_a_policy_of_ones_own() -> None:
    table = bs.patients_table("baseline", parameters="point", policy=Nobody)
    assert table.candidacy_day.isna().all()
    assert table.remission_day.notna().any()


def test_the_table_of_parameters() -> None:
    table = bs.parameters_table()
    assert list(table.index) == list(parameter_catalogue())
    assert table.value.to_dict() == parameters_to_dict(bs.load_parameters())
    assert table.prior["response.probability"] == "beta(a 4, b 6)"


def test_draws_of_posterior_and_priors(tmp_path: Path) -> None:
    posterior, priors = bs.load_posterior(), bs.prior_draws(300, seed=2)
    assert posterior.has_learnt
    assert not priors.has_learnt
    assert len(priors.draws) == 300
    assert abs(priors.mean("response.probability") - 0.4) < 0.04  # 0.148 / sqrt(300) is 0.009
    assert posterior.standard_deviation("response.probability") < priors.standard_deviation("response.probability") / 2
    priors.write(tmp_path / "draws.csv")
    assert np.array_equal(
        bs.load_posterior(tmp_path / "draws.csv").values("relapse.shape"), priors.values("relapse.shape")
    )


def test_no_draws_are_refused() -> None:
    with pytest.raises(ParameterError, match="draws 0: take at least one draw"):
        bs.prior_draws(0)


def test_points_are_no_draws() -> None:
    with pytest.raises(ParameterError, match="point holds point values, not draws"):
        bs.load_posterior("point")


def test_validate_says_what_the_command_line_says(tmp_path: Path) -> None:
    table = bs.validation_table(bs.validate(replications=40, seed=3))
    assert set(table.id) <= set(load_targets())
    assert {"fit", "held_out"} <= set(table.use)
    out = tmp_path / "validation"
    said = CliRunner().invoke(app, ["validate", "--replications", "40", "--seed", "3", "--out", str(out)])
    assert said.exit_code == 0
    written = pd.read_csv(out / "validation.csv")
    assert list(written.id) == list(table.id)
    for column in ("published", "simulated_median", "tail"):
        assert np.allclose(written[column], table[column], equal_nan=True)


def test_validate_refuses_what_is_no_number_of_studies() -> None:
    with pytest.raises(ScenarioError, match="replications"):
        bs.validate(replications=0)


def test_calibrate_hands_everything_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []
    monkeypatch.setattr(calibrating, "calibrate", lambda **said: asked.append(said))
    structure = Structure("log_logistic", "log_logistic")
    bs.calibrate()
    bs.calibrate(quick=True, seed=4, structure=structure, checkpoint=Path("state.npz"), resume=True)
    assert asked[0]["conduct"] is FULL
    assert asked[0]["seed"] == 1
    assert asked[1]["conduct"] is QUICK
    assert asked[1]["structure"] is structure
    assert (asked[1]["seed"], asked[1]["checkpoint"], asked[1]["resume"]) == (4, Path("state.npz"), True)


def test_public_names_are_listed() -> None:
    assert set(bs.__all__) <= set(dir(bs))


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (
            lambda: bs.simulate("baseline", engine="slow", replications=2),
            "engine 'slow': should be one of auto, fast, des",
        ),
        (
            lambda: bs.compare("baseline", "no_transplantation", engine="slow", replications=2),
            "engine 'slow': should be one of auto, fast, des",
        ),
        (lambda: bs.simulate("baseline", chunk=0), "chunk 0: should be a whole number of trials, at least 1"),
        (
            lambda: bs.compare("baseline", "no_transplantation", chunk=-5),
            "chunk -5: should be a whole number of trials, at least 1",
        ),
        (
            lambda: bs.evaluate_design("phase3_early_search", chunk=0),
            "chunk 0: should be a whole number of trials, at least 1",
        ),
        (
            lambda: bs.simulate(None),
            "scenario of type NoneType: should be the name of a shipped scenario, a YAML file, or what "
            "blinasim.load_scenario returns",
        ),
        (lambda: bs.compare("baseline", {"title": "x"}), "scenario of type dict: should be the name"),
        (lambda: bs.load_scenario(3), "scenario of type int: should be the name of a shipped scenario, or a YAML file"),
        (lambda: bs.evaluate_design(3), "design of type int: should be the name of a shipped design, or a YAML file"),
        (
            lambda: bs.simulate("baseline", parameters={"x": 1}),
            "parameters of type dict: should be posterior, point, a file of either, or parameters already loaded",
        ),
        (lambda: bs.simulate("baseline", precision=0.05), "precision of type float: should be a dictionary, such as {"),
        (lambda: bs.optimize("baseline", over="policy"), "over of type str: should be a dictionary, such as {"),
        (
            lambda: bs.optimize("baseline", over={"policy.transplant.earliest_cycle": [1]}, at_least="os"),
            "at_least of type str: should be a dictionary, such as {",
        ),
        (lambda: bs.optimize("baseline", over=None), "over of type NoneType: should be a dictionary, such as {"),
        (lambda: bs.simulate("baseline", precision={"os": "x"}), "precision os: 'x' should be a number"),
        (lambda: bs.effect("baseline", detection="seen"), "detection 'seen': should be one of recorded, at_once"),
        (lambda: bs.effect_of_data(3), "data of type int: should be a CSV file, or a table (a DataFrame)"),
        (lambda: bs.prior_draws("x"), "draws 'x': take at least one draw"),
        (lambda: bs.trace("baseline", 1, trial="x"), "trial 'x': trials count from 1"),
        (lambda: bs.trace("baseline", "x"), "patient 'x': the cohort has"),
        (lambda: bs.plot.survival(3), "result of type int: should be what blinasim.simulate returns"),
        (lambda: bs.plot.differences("x"), "comparison of type str: should be what blinasim.compare returns"),
        (
            lambda: bs.plot.effects(None),
            "found of type NoneType: should be what blinasim.effect or blinasim.effect_of_data returns",
        ),
        (lambda: bs.results_table(3), "result of type int: should be what blinasim.simulate returns"),
    ],
)
def test_what_a_function_cannot_use_is_one_line(call: Callable[[], object], line: str) -> None:
    with pytest.raises(BlinasimError) as found:
        call()
    assert str(found.value).startswith(line)
    assert "\n" not in str(found.value)
