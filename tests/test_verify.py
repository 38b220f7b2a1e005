"""The verification of an installation: it passes here, and it can fail."""

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from blinasim.cli.main import app
from blinasim.errors import ParameterError
from blinasim.files import data_folder
from blinasim.report.verification import VerificationFile
from blinasim.study import verify as verifying

ANSWERS = data_folder("calibration") / "reference_answers.yaml"


@pytest.fixture(scope="module")
def lines():
    return verifying.verify()


def test_every_answer_is_reproduced(lines):
    assert [line for line in lines if not line.passed] == []
    assert len({line.id for line in lines}) == verifying.answers_to_compute() == len(verifying.reference_answers())


def test_tolerances_are_half_a_digit_or_a_monte_carlo_error():
    """No published answer has a tolerance wider than half a unit of the last digit that its source shows."""
    simulated = {"illness_death_simulated", "log_rank_power", "group_sequential_error"}
    text = YAML(typ="rt").load(ANSWERS.read_text(encoding="utf-8"))
    for name, answer in verifying.reference_answers().items():
        if name in simulated:
            continue
        for value, said, tolerance in zip(text[name]["values"], answer.values, answer.tolerances, strict=True):
            digits = len(repr(value).partition(".")[2]) if said % 1 else 0
            assert tolerance <= 0.5 * 10.0**-digits + 1e-15, (name, value)


def test_json_and_exit_code(lines, monkeypatch):
    monkeypatch.setattr(verifying, "verify", lambda **_: lines)
    good = CliRunner().invoke(app, ["verify", "--json"])
    assert good.exit_code == 0
    document = json.loads(good.stdout)
    jsonschema.validate(document, VerificationFile.model_json_schema())
    assert document["passed"]
    assert len(document["figures"]) == len(lines)


def changed(folder: Path, old: str, new: str) -> Path:
    text = ANSWERS.read_text(encoding="utf-8")
    assert old in text
    path = folder / "answers.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_a_wrong_answer_fails(tmp_path, monkeypatch):
    wrong = verifying.verify(changed(tmp_path, "values: [330.378, 371.675]", "values: [330.378, 371.685]"))
    assert [line.label for line in wrong if not line.passed] == ["2:1"]
    monkeypatch.setattr(verifying, "verify", lambda **_: wrong)
    told = CliRunner().invoke(app, ["verify"])
    assert told.exit_code == 1
    assert "1 of 66 figures are not as expected" in told.stdout
    assert json.loads(CliRunner().invoke(app, ["verify", "--json"]).stdout)["passed"] is False


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\nschoenfeld:", "\nschoenfelt:", "schoenfelt: nothing of that name is computed"),
        ("labels: [chi square]", "labels: [chi square, p]", "must be equally many"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, old, new, message):
    with pytest.raises(ParameterError, match=message):
        verifying.reference_answers(changed(tmp_path, old, new))


def test_what_is_no_number_fails():
    nan = verifying.Verified("x", "what", "label", 1.0, float("nan"), 1.0, "source")
    assert not nan.passed
