"""The file of parameters: what it must say, and how its values reach patients."""

from contextlib import nullcontext
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from blinasim.engine.choice import walk
from blinasim.engine.fate import column
from blinasim.errors import ParameterError
from blinasim.files import data_folder
from blinasim.model.catalogue import ParameterInfo, Prior, load_parameters, parameter_catalogue
from blinasim.model.history import LogEntry
from blinasim.model.parameter_groups import Baseline
from blinasim.model.parameters import Changed, Structure, parameters_of, parameters_to_dict
from blinasim.model.point_file import read_points
from worlds import in_remission_on_day_28, parameters

SHIPPED = (data_folder("calibration") / "parameters.yaml").read_text(encoding="utf-8")


def replaced(old: str, new: str) -> str:
    assert old in SHIPPED
    return SHIPPED.replace(old, new, 1)


def without_well_matched() -> str:
    before, after = SHIPPED.split("  well_matched_share:\n")
    return before + "  frailty_variance:" + after.split("  frailty_variance:", 1)[1]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (replaced("baseline:\n", "basline:\n"), r":\d+:1: basline: no such parameter; did you mean baseline"),
        (without_well_matched(), r":\d+:1: baseline\.well_matched_share: is missing"),
        (
            replaced("value: 0.23\n", "value: 1.23\n"),
            r"baseline\.poor_fitness: .*value 1.23 is no probability",
        ),
        (replaced("value: 0.23\n", "value: -0.1\n"), r":\d+:\d+: baseline\.poor_fitness\.value: .*greater than or"),
        (replaced("value: 1.25\n", "value: 0.0\n"), r"worse_fitness_odds.*value 0 is no odds ratio; .* above 0"),
        (replaced("a: 23, b: 77", "median: 23, b: 77"), r"baseline\.poor_fitness\.prior: .*beta takes a, b"),
        (replaced("grade: literature", "grade: hearsay"), r":\d+:\d+: baseline\.poor_fitness\.grade: Input should be"),
    ],
)
def test_a_wrong_catalogue_is_refused_with_its_place(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "parameters.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError, match=complaint) as refused:
        load_parameters(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("unit", "value", "fits"),
    [
        *(("probability", 1.0, True), ("share", 1.01, False), ("hazard ratio", 1.01, True), ("shape", 0.0, False)),
        *(("shape", 0.01, True), ("odds ratio", 0.0, False), ("days", 0.0, True), ("variance", 0.0, True)),
    ],
)
def test_values_fit_their_units(unit: str, value: float, fits: bool) -> None:
    told = {"value": value, "unit": unit, "meaning": "of a test alone", "grade": "assumption", "source": "none"}
    with nullcontext() if fits else pytest.raises(ValueError, match=unit):
        ParameterInfo.model_validate({**told, "prior": {"distribution": "fixed"}})


def test_priors_are_said_in_a_word() -> None:
    assert str(Prior(distribution="beta", a=23, b=77)) == "beta(a 23, b 77)"
    with pytest.raises(ValueError, match="fixed takes no numbers"):
        Prior(distribution="fixed", a=1)
    with pytest.raises(ValueError, match="lognormal takes median, sigma"):
        Prior(distribution="lognormal", median=1)


def test_values_go_into_their_groups_and_come_back() -> None:
    values = {name: float(number) for number, name in enumerate(parameter_catalogue())}
    grouped = parameters_of(values)
    assert parameters_to_dict(grouped) == values
    assert grouped.baseline == Baseline(0.0, 1.0, 2.0, 3.0, 4.0)
    assert grouped.structure == Structure("weibull", "log_logistic")
    assert parameters_of(values, Structure("log_logistic")).structure.relapse == "log_logistic"


def test_values_by_trial_become_values_by_patient() -> None:
    per_trial = parameters({"relapse.shape": np.array([[0.5], [0.7], [0.9]])})
    by_patient = per_trial.by_patient(np.array([0, 0, 2, 1, 2]))
    assert by_patient.relapse.shape.tolist() == [0.5, 0.5, 0.9, 0.7, 0.9]  # type: ignore[union-attr]
    assert by_patient.relapse.median_days == per_trial.relapse.median_days
    same = parameters()
    assert same.by_patient(np.array([0, 1])) is same


def test_changed_parameters_stand_over_those_of_their_source() -> None:
    source = parameters()
    changed = Changed(source, {"relapse.shape": 0.5})
    assert not changed.varies
    values = changed.of(range(3), 1)
    assert values.relapse.shape == 0.5
    assert values.changed({"relapse.shape": source.relapse.shape}) == source
    assert changed.fingerprint != source.fingerprint == source.of(range(3), 1).fingerprint


def test_of_two_wrong_distributions_the_first_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("structure:\n  relapse: gompertz\n  failure: weibull\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"mine\.yaml:2:\d+: structure\.relapse: Input should be"):
        read_points(path)


# --- what the engines refuse ---------------------------------------------------------------------------


def test_only_des_tells_stories() -> None:
    lives = in_remission_on_day_28(1)
    with pytest.raises(ValueError, match="tells no stories"):
        walk(lives, "fast", log=[])
    log: list[LogEntry] = []
    told, untold = walk(lives, "auto", log=log), walk(lives, "fast")
    assert log
    for item in fields(told):
        assert np.array_equal(getattr(told, item.name), getattr(untold, item.name))


def test_a_column_that_nothing_holds_is_no_column() -> None:
    lives = in_remission_on_day_28(2)
    assert column(lives, "response_cycle").tolist() == [1, 1]
    with pytest.raises(AttributeError, match="colour"):
        column(lives, "colour")
