"""The command line as a user meets it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from blinasim.cli.main import _run
from blinasim.errors import OutputError
from blinasim.files import check_free


def blinasim(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "blinasim", *arguments], capture_output=True, text=True, cwd=cwd, check=False
    )


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from blinasim.cli.main import _run; _run(['--help']);"
        "heavy = {'numpy', 'scipy', 'pandas', 'lifelines', 'matplotlib', 'simpy', 'pydantic', 'ruamel'};"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "run" in done.stdout
    assert done.stderr.strip() == "[]"


def test_version() -> None:
    assert blinasim("--version").stdout.startswith("blinasim 0.")


@pytest.fixture(scope="module")
def done_in(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """A run of the program itself, and the folder in which it was done."""
    folder = tmp_path_factory.mktemp("done")
    return blinasim("run", "baseline", "--replications", "4", "--out", "r", cwd=folder), folder


def test_run_prints_the_table_and_writes_whole_results(
    done_in: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, folder = done_in
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no progress bar where nobody watches
    for text in ("81/189 43 %", "Realization rate", "Median OS", "6.1 (4.2-7.5)", "oracle"):
        assert text in done.stdout
    written = {str(path.relative_to(folder / "r")) for path in (folder / "r").rglob("*") if path.is_file()}
    assert {"endpoints.csv", "occupancy.csv", "figures/survival.png", "figures/survival.svg"} <= written
    assert [path.name for path in folder.iterdir()] == ["r"]  # nothing left aside


def test_results_are_the_same_bytes_twice(
    done_in: tuple[subprocess.CompletedProcess[str], Path], tmp_path: Path
) -> None:
    first, again = done_in[1] / "r", tmp_path / "again"
    assert _run(["run", "baseline", "--replications", "4", "--out", str(again)]) == 0
    assert bytes_of(again) == bytes_of(first)


@pytest.mark.usefixtures("without_figures")
def test_an_existing_folder_is_refused_before_any_work_and_replaced_by_force(tmp_path: Path) -> None:
    target = tmp_path / "r"
    target.mkdir()
    (target / "mine.txt").write_text("keep")
    (target / "manifest.json").write_text("{}")
    done = blinasim("run", "baseline", "--replications", "2", "--out", str(target))
    assert done.returncode == 2
    assert done.stderr == f"blinasim: {target} already exists; say --force to replace it, or --out for another folder\n"
    with pytest.raises(OutputError, match=r"already exists; say force to replace it, or target for another folder$"):
        check_free(target, force=False)
    assert (target / "mine.txt").exists()
    assert _run(["run", "baseline", "--replications", "2", "--out", str(target), "--force"]) == 0
    assert not (target / "mine.txt").exists()
    assert (target / "endpoints.csv").exists()


def test_force_replaces_results_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "chapter1.tex").write_text("years of work")
    assert _run(["run", "baseline", "--replications", "2", "--out", str(thesis), "--force"]) == 2
    assert "is not a results folder (it has no manifest.json)" in capsys.readouterr().err
    assert (thesis / "chapter1.tex").read_text() == "years of work"


@pytest.mark.usefixtures("without_figures")
def test_json_is_the_table_as_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["run", "baseline", "--replications", "3", "--out", str(tmp_path / "r"), "--json"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["hsct"]["published"] == pytest.approx(32 / 81)
    assert rows["os"]["unit"] == "months"
    assert rows["os"]["trials"] == 3


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("run", "basline"), "no scenario named 'basline'; did you mean baseline?"),
        (("run", "nowhere.yaml"), "nowhere.yaml: no such scenario file"),
        (("rn",), "No such command 'rn'. Did you mean 'run'? (see blinasim --help)"),
        (("run", "baseline", "--replications", "0"), "Invalid value for '--replications'"),
        (("run", "baseline", "--frce"), "No such option: --frce"),
        (("trace", "baseline", "--patient", "500"), "--patient 500: the cohort has patients 1 to 189"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(list(arguments)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"blinasim: {line}")
    assert captured.err.count("\n") == 1


def test_ctrl_c_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from blinasim.report import folder

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(folder, "_figures", interrupted)
    assert _run(["run", "baseline", "--replications", "2", "--out", str(tmp_path / "r")]) == 130
    assert capsys.readouterr().err == "blinasim: stopped; nothing is left half written\n"
    assert list(tmp_path.iterdir()) == []


def test_trace_tells_the_life_that_the_study_simulated(capsys: pytest.CaptureFixture[str]) -> None:
    from blinasim.engine import des
    from blinasim.inference.choice import parameters_said
    from blinasim.luck import Draws, Luck
    from blinasim.scenario.loading import load_scenario
    from blinasim.study.batch import lives_of

    scenario = load_scenario("baseline")
    history = des.walk(lives_of(scenario, parameters_said().of(range(3), 1), Draws(Luck(1), range(3), 189)).lives)
    patient = 2 * 189 + int((history.hsct[2 * 189 :] >= 0).argmax())  # the first transplanted of trial 3
    assert _run(["trace", "baseline", "--trial", "3", "--patient", str(patient - 2 * 189 + 1)]) == 0
    told = capsys.readouterr().out
    assert f"day {history.hsct[patient]:>5}   " in told
    assert f"day {history.death[patient]:>5}   dies of" in told
    assert "HSCT" in told
