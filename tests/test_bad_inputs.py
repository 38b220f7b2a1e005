"""The front door: whatever is put in wrongly is one clear line with its place, exit code 2, and nothing left behind."""

from __future__ import annotations

import codecs
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bad_inputs import command_line, data, inheritance, settings, yaml_itself
from bad_inputs.rows import Bad, lay_out
from blinasim.cli.main import _run
from blinasim.scenario.loading import load_scenario

#: The longest that any of these may take, seconds; most take milliseconds.
TIME_LIMIT = 10.0
TABLE = [*yaml_itself.TABLE, *settings.TABLE, *inheritance.TABLE, *command_line.TABLE, *data.TABLE]


def state(folder: Path) -> dict[str, object]:
    """All that is in a folder: names, with the text of each file and the target of each link."""

    def content(path: Path) -> object:
        if path.is_symlink():
            return path.readlink()
        return path.read_bytes() if path.is_file() else None

    return {str(path.relative_to(folder)): content(path) for path in sorted(folder.rglob("*"))}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder inside another, so that what is written beside it is found too."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def walked(*_: object) -> None:
        raise AssertionError("a patient was walked before the input was refused")

    monkeypatch.setattr("blinasim.study.batch.walk", walked)
    return folder


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_bad_input_is_one_line(row: Bad, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lay_out(here, row.files)
    before = state(here.parent)
    start = time.perf_counter()
    code = _run(list(row.arguments))
    seconds = time.perf_counter() - start
    said = capsys.readouterr()
    assert said.err == row.line.replace("{folder}", str(here))
    assert said.out == ""
    assert code == 2
    assert state(here.parent) == before
    assert seconds < TIME_LIMIT


def test_the_table_is_large_and_tells_its_rows_apart() -> None:
    assert len(TABLE) >= 70
    assert len({row.what for row in TABLE}) == len(TABLE)


@pytest.mark.parametrize(
    "row",
    [
        row
        for row in TABLE
        if row.what in ("alias bomb", "nested tables", "bad cell", "out below a file", "unknown command")
    ],
    ids=str,
)
def test_the_program_itself_says_the_same(row: Bad, tmp_path: Path) -> None:
    lay_out(tmp_path, row.files)
    before = state(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "blinasim", *row.arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    assert done.stderr == row.line.replace("{folder}", str(tmp_path.resolve()))
    assert (done.returncode, done.stdout) == (2, "")
    assert state(tmp_path) == before


@pytest.mark.parametrize("text", ["yes", "no", "on", "2020-01-01", "1:30", "0b", "<<", "="])
def test_what_yaml_1_2_calls_text_is_text(text: str, tmp_path: Path) -> None:
    """The Norway problem: none of these is a boolean, a date or a number."""
    path = tmp_path / "s.yaml"
    path.write_text(f"title: {text}\n")
    assert load_scenario(path).title == text


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(codecs.BOM_UTF8 + b"title: x\n")
    assert load_scenario(path).title == "x"


def test_an_ancestor_of_the_working_folder_is_never_replaced(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here.parent / "mine.txt").write_text("keep")
    assert _run(["run", "baseline", "--replications", "1", "--force", "--out", str(here.parent)]) == 2
    assert capsys.readouterr().err.endswith("is the folder you are in, or holds it; choose another --out\n")
    assert (here.parent / "mine.txt").read_text() == "keep"


def test_without_a_word_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run([]) == 0
    said = capsys.readouterr()
    assert "Usage: blinasim" in said.out
    assert said.err == ""
