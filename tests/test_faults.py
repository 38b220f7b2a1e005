"""Faults, injected for real into the program as a child process: the whole result or none, and one line about it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from blinasim.files import MANIFEST

#: A run that is quick, whatever happens to it.
RUN = ("run", "baseline", "--replications", "2", "--out")
#: Figures and their page take longer than all the rest; where a fault has nothing to do with them they are left out.
NO_FIGURES = """
import blinasim.report.folder as folder
import blinasim.report.contents as contents
assert folder._figures and contents.write_page
folder._figures, contents.write_page = (lambda *_: {}), (lambda *_: None)
"""
#: Finished chunks are kept from the first on.
KEEP = "import blinasim.study.checkpoint as checkpoint; checkpoint.WORTH_KEEPING_S = 0.0"

#: Who runs the tests in the background of a shell bids them ignore Ctrl-C, and the programs that they start.
HEED = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"


def program(arguments: Sequence[str], *before: str) -> list[str]:
    """The command line, after some code in the same process."""
    if not before:
        return [sys.executable, "-m", "blinasim", *arguments]
    code = "\n".join((*before, "from blinasim.cli.main import main", "main()"))
    return [sys.executable, "-c", code, *arguments]


def call(command: Sequence[str], **more: object) -> subprocess.CompletedProcess[str]:
    options: dict[str, object] = {"capture_output": True, "text": True, "encoding": "utf-8", "timeout": 300, **more}
    return subprocess.run(list(command), check=False, **options)  # type: ignore[call-overload,no-any-return]


def refused(done: subprocess.CompletedProcess[str], line: str, code: int = 2) -> None:
    """One line and no other on standard error, and its exit code."""
    assert done.stderr == f"blinasim: {line}\n"
    assert done.returncode == code


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def wait_for(condition: Callable[[], object], seconds: float = 240.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the run writes when nothing happens, with its figures."""
    folder = tmp_path_factory.mktemp("undisturbed") / "r"
    done = call(program([*RUN, str(folder)]))
    assert (done.returncode, done.stderr) == (0, "")
    return bytes_of(folder)


# --- disks ------------------------------------------------------------------------------------------------------------


def on_a_disk(folder: Path, mounted: str, command: Sequence[str], after: str = "") -> subprocess.CompletedProcess[str]:
    """Do something where a folder is another file system, which is seen by nobody else and ends with the command.

    What is left in the folder is listed, a file a line, after what the command prints.
    """
    whoami = ["--mount"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--mount"]
    unshare = shutil.which("unshare")
    if unshare is None or call([unshare, *whoami, "mount", "-t", "tmpfs", "tmpfs", str(folder)]).returncode != 0:
        pytest.skip("no file system may be mounted here")
    script = (
        f'cd "$1"; shift; {mounted}; "$@"; code=$?; {after or ":"}; '
        'echo "-- left:"; cd "$PWD"; find . -mindepth 1 -type f | sort; exit $code'
    )
    return call([unshare, *whoami, "sh", "-c", script, "sh", str(folder), *command], cwd=folder)


def left(done: subprocess.CompletedProcess[str]) -> list[str]:
    return done.stdout.partition("-- left:\n")[2].splitlines()


def tmpfs(size: str) -> str:
    return f'mount -t tmpfs -o size={size} tmpfs "$PWD"; cd "$PWD"'


#: The folder as it is, but read-only.
READ_ONLY = 'mount --bind "$PWD" "$PWD" && mount -o remount,bind,ro "$PWD"; cd "$PWD"'


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    done = on_a_disk(tmp_path, tmpfs("200k"), program([*RUN, "new/r"], NO_FIGURES))
    refused(done, "new/r: cannot be written (No space left on device); choose another --out")
    assert left(done) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("compare", "baseline", "haplo_first", "--replications", "2", "--out", "r"),
        ("trial", "single_arm_exact", "--replications", "2", "--out", "r"),
        ("effect", "baseline", "--replications", "2", "--out", "r"),
        ("validate", "--replications", "40", "--out", "r"),
        (*RUN, "r", "--patients"),
    ],
    ids=lambda command: command[-1] if command[0] == "run" else command[0],
)
def test_a_full_disk_leaves_nothing_of_any_command(command: tuple[str, ...], tmp_path: Path) -> None:
    done = on_a_disk(tmp_path, tmpfs("40k"), program(command))
    refused(done, "r: cannot be written (No space left on device); choose another --out")
    assert left(done) == []


@pytest.mark.slow
def test_a_disk_too_full_to_keep_a_chunk_leaves_nothing(tmp_path: Path) -> None:
    done = on_a_disk(tmp_path, tmpfs("8k"), program([*RUN, "r", "--chunk", "1"], NO_FIGURES, KEEP))
    refused(done, "r: cannot be written (No space left on device); choose another --out")
    assert left(done) == []


@pytest.mark.slow
def test_what_a_full_disk_could_keep_is_gone_on_from(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    run = program([*RUN, "r", "--chunk", "1"], KEEP)
    again = 'mount -o remount,size=20m "$PWD"; "$@" --resume >/dev/null; code=$?; cp -r r "$OUT"'
    os.environ["OUT"] = str(tmp_path / "copied")
    disk = tmp_path / "disk"
    disk.mkdir()
    done = on_a_disk(disk, tmpfs("700k"), run, again)
    first, second = done.stderr.splitlines()
    assert first == (
        "blinasim: r: cannot be written (No space left on device); choose another --out; "
        "2 of 2 chunks are kept: --resume goes on from them"
    )
    assert second == "blinasim: goes on from 2 finished chunks"
    assert done.returncode == 0
    assert bytes_of(tmp_path / "copied") == undisturbed


def test_a_file_that_may_not_grow_leaves_nothing(tmp_path: Path) -> None:
    """The limit of a quota, which needs no rights to be set; a block is of 512 or 1,024 bytes."""
    done = call(["sh", "-c", 'ulimit -f 20; exec "$@"', "sh", *program([*RUN, "r"], NO_FIGURES)], cwd=tmp_path)
    refused(done, "r: cannot be written (File too large); choose another --out")
    assert names(tmp_path) == []


def test_a_full_disk_leaves_no_part_of_a_starting_file(tmp_path: Path) -> None:
    done = on_a_disk(tmp_path, tmpfs("4k"), program(["new", "mine"]))
    refused(done, "mine.yaml: cannot be written (No space left on device); make room, or choose another folder")
    assert left(done) == []


def test_a_calibration_that_cannot_be_kept_keeps_the_state_before(tmp_path: Path) -> None:
    (tmp_path / "c.state.npz").write_bytes(b"before")
    code = (
        "from pathlib import Path; import numpy as np; from blinasim.inference.keeping import Kept\n"
        "class State:\n    def to_arrays(self): return {'a': np.zeros(99_999)}\n"
        "Kept(Path('c.state.npz'), {}, resume=False).write(State())"
    )
    done = call(["sh", "-c", 'ulimit -f 20; exec "$@"', "sh", sys.executable, "-c", code], cwd=tmp_path)
    assert done.stderr.splitlines()[-1] == (
        "blinasim.errors.OutputError: c.state.npz: cannot be written (File too large); choose another checkpoint"
    )
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"c.state.npz": b"before"}


@pytest.mark.slow
def test_a_read_only_folder_is_said(tmp_path: Path) -> None:
    done = on_a_disk(tmp_path, READ_ONLY, program([*RUN, "r"], NO_FIGURES))
    refused(done, "r: cannot be written (Read-only file system); choose another --out")
    assert left(done) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_forbidden_folder_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    folder.mkdir(mode=0o555)
    refused(
        call(program([*RUN, "d/r"], NO_FIGURES), cwd=tmp_path),
        "d/r: cannot be written (Permission denied); choose another --out",
    )
    assert names(folder) == []


@pytest.mark.slow
def test_without_a_home_or_a_cache_nothing_is_said(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    """Matplotlib would like to write beside the user's settings."""
    nowhere = {key: value for key, value in os.environ.items() if key not in ("HOME", "MPLCONFIGDIR")}
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HOME"):
        nowhere[name] = "/proc/nowhere"
    done = call(program([*RUN, "r"]), cwd=tmp_path, env=nowhere)
    assert (done.returncode, done.stderr) == (0, "")
    assert bytes_of(tmp_path / "r") == undisturbed


@pytest.mark.slow
def test_a_full_standard_output_is_said_and_the_results_are_whole(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    for more in ((), ("--json",)):
        with Path("/dev/full").open("w") as full:
            done = call(
                program([*RUN, f"r{len(more)}", *more], NO_FIGURES),
                cwd=tmp_path, capture_output=False, stdout=full, stderr=subprocess.PIPE,
            )  # fmt: skip
        refused(
            done,
            "cannot print (No space left on device); make room or print elsewhere: results folders are whole, "
            "or not there",
        )
        assert (tmp_path / f"r{len(more)}" / MANIFEST).is_file()


# --- ends in the middle -----------------------------------------------------------------------------------------------

#: Waits in the middle of writing until there is a file ``go``.
HOLD = f"""{NO_FIGURES}
import time, pathlib
def hold(*_):
    pathlib.Path("written").touch()
    while not pathlib.Path("go").exists():
        time.sleep(0.02)
contents.write_page = hold
"""
#: Dies at once in the middle of writing.
DIE = f"""{NO_FIGURES}
import os, signal
contents.write_page = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""
#: Dies between the two renames by which --force replaces a folder.
DIE_BETWEEN = """
import os, signal, pathlib
original = pathlib.Path.replace
def replace(self, target):
    original(self, target)
    if str(target).endswith(".replaced"):
        os.kill(os.getpid(), signal.SIGKILL)
pathlib.Path.replace = replace
"""


@pytest.mark.parametrize(
    "ending", ["SIGTERM", *(pytest.param(name, marks=pytest.mark.slow) for name in ("SIGINT", "SIGHUP"))]
)
def test_a_signal_in_the_middle_of_writing_leaves_nothing(ending: str, tmp_path: Path) -> None:
    number = getattr(signal, ending)
    (tmp_path / "d").mkdir()
    process = subprocess.Popen(program([*RUN, "d/r"], HEED, HOLD), cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    wait_for((tmp_path / "written").exists)
    assert names(tmp_path / "d") == [".r.unfinished"]
    process.send_signal(number)
    _, said = process.communicate(timeout=240)
    assert said == "blinasim: stopped; nothing is left half written\n"
    assert process.returncode == 130
    assert names(tmp_path / "d") == []


@pytest.mark.slow
def test_a_run_that_ignores_hanging_up_goes_on(tmp_path: Path) -> None:
    ignoring = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *program([*RUN, "r"], HOLD)]
    process = subprocess.Popen(ignoring, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_for((tmp_path / "written").exists)
    process.send_signal(signal.SIGHUP)
    (tmp_path / "go").touch()
    _, said = process.communicate(timeout=240)
    assert (process.returncode, said) == (0, "")
    assert (tmp_path / "r" / MANIFEST).is_file()


@pytest.mark.slow
def test_what_a_killed_run_leaves_is_cleared_away_by_the_next(tmp_path: Path) -> None:
    assert call(program([*RUN, "d/r"], DIE), cwd=tmp_path).returncode == -signal.SIGKILL
    assert names(tmp_path / "d") == [".r.unfinished"]
    done = call(program([*RUN, "d/r"], NO_FIGURES), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert names(tmp_path / "d") == ["r"]
    assert MANIFEST in bytes_of(tmp_path / "d" / "r")


@pytest.mark.slow
@pytest.mark.parametrize("force", [False, True])
def test_what_a_killed_run_had_taken_away_is_put_back_by_the_next(force: bool, tmp_path: Path) -> None:
    old = tmp_path / "d" / "r"
    old.mkdir(parents=True)
    (old / MANIFEST).write_text("old")
    killed = call(program([*RUN, "d/r", "--force"], NO_FIGURES, DIE_BETWEEN), cwd=tmp_path)
    assert killed.returncode == -signal.SIGKILL
    assert names(tmp_path / "d") == [".r.replaced", ".r.unfinished"]
    done = call(program([*RUN, "d/r", *["--force"] * force], NO_FIGURES), cwd=tmp_path)
    if force:
        assert (done.returncode, done.stderr) == (0, "")
        assert (old / MANIFEST).read_text() != "old"
        assert names(tmp_path / "d") == ["r"]
    else:
        refused(done, "d/r already exists; say --force to replace it, or --out for another folder")
        assert bytes_of(old) == {MANIFEST: b"old"}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads /proc")
def test_a_killed_worker_of_a_run_changes_no_byte(tmp_path: Path) -> None:
    run = ["run", "baseline", "--replications", "600", "--chunk", "10", "--out"]
    process = subprocess.Popen(
        program([*run, "r", "--workers", "2"], NO_FIGURES, KEEP), cwd=tmp_path, stdout=subprocess.DEVNULL
    )
    wait_for(lambda: any((tmp_path / ".r.checkpoint").glob("*.npz")))
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) >= 2
    os.kill(int(children[0]), signal.SIGKILL)
    assert process.wait(timeout=240) == 0
    assert call(program([*run, "alone"], NO_FIGURES), cwd=tmp_path).returncode == 0
    assert bytes_of(tmp_path / "r") == bytes_of(tmp_path / "alone")
    assert names(tmp_path) == ["alone", "r"]


# --- two at a time ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("force", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_of_two_runs_into_one_folder_the_second_is_told(force: bool, tmp_path: Path) -> None:
    first = subprocess.Popen(program([*RUN, "d/r"], HOLD), cwd=tmp_path, stdout=subprocess.DEVNULL)
    wait_for((tmp_path / "written").exists)
    second = call(program([*RUN, "d/r", *["--force"] * force], NO_FIGURES), cwd=tmp_path)
    refused(second, "d/r is being written by another run; wait for its end, or choose another --out")
    assert names(tmp_path / "d") == [".r.unfinished"]
    (tmp_path / "go").touch()
    assert first.wait(timeout=240) == 0
    assert names(tmp_path / "d") == ["r"]
    assert MANIFEST in bytes_of(tmp_path / "d" / "r")


@pytest.mark.slow
def test_of_many_runs_into_one_folder_one_wins_and_it_is_whole(tmp_path: Path) -> None:
    runs = [
        subprocess.Popen(
            program([*RUN, "d/r", "--seed", str(seed)], NO_FIGURES),
            cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        for seed in range(4)
    ]  # fmt: skip
    said = [run.communicate(timeout=240)[1] for run in runs]
    won = [seed for seed, run in enumerate(runs) if run.returncode == 0]
    assert len(won) == 1
    assert names(tmp_path / "d") == ["r"]
    assert call(program([*RUN, "alone", "--seed", str(won[0])], NO_FIGURES), cwd=tmp_path).returncode == 0
    assert bytes_of(tmp_path / "d" / "r") == bytes_of(tmp_path / "alone")
    for seed, line in enumerate(said):
        told = ("blinasim: d/r is being written by another run", "blinasim: d/r already exists")
        assert line == "" if seed in won else line.startswith(told)


# --- the world around -------------------------------------------------------------------------------------------------

#: A clock that goes back by an hour whenever somebody looks, from a year before ZIP files were thought of.
BACKWARDS = """
import time
now = [200_000_000.0]
def earlier():
    now[0] -= 3600.0
    return now[0]
time.time = earlier
time.time_ns = lambda: int(1e9 * earlier())
"""


@pytest.mark.slow
def test_a_clock_that_goes_backwards_changes_no_byte(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    done = call(program([*RUN, "r", "--chunk", "1"], KEEP, BACKWARDS), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert bytes_of(tmp_path / "r") == undisturbed


@pytest.mark.slow
def test_without_any_standard_stream_the_results_are_whole(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *program([*RUN, "r"])]
    assert call(closed, cwd=tmp_path).returncode == 0
    assert bytes_of(tmp_path / "r") == undisturbed


def test_a_reader_that_leaves_is_no_fault_to_speak_of() -> None:
    done = call(["sh", "-c", '"$@" | head -n 1', "sh", *program(["schema"])])
    assert (done.stdout, done.stderr) == ("{\n", "")


@pytest.mark.slow
def test_a_narrow_terminal_cuts_no_figure_and_no_message(tmp_path: Path) -> None:
    def seen(columns: int, arguments: Sequence[str]) -> tuple[list[str], int]:
        pty = pytest.importorskip("pty")
        ours, theirs = pty.openpty()
        environment = {**os.environ, "COLUMNS": str(columns), "TERM": "dumb"}
        process = subprocess.Popen(
            program(arguments, NO_FIGURES), cwd=tmp_path, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        said = b""
        try:
            while part := os.read(ours, 65_536):
                said += part
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        return said.decode().replace("\r", "").splitlines(), process.wait()

    table, code = seen(40, [*RUN, "r"])
    assert code == 0
    medians = [line.split() for line in table if line.strip().startswith("Median OS, months")]
    assert len(medians) == 1
    assert medians[0][3:5] == ["6.1", "(4.2-7.5)"]
    assert medians[0][-1].endswith(")")
    assert not any("…" in line for line in table)
    complaint, code = seen(40, ["run", "basline"])
    assert code == 2
    assert len(complaint) == 1
    assert complaint[0].startswith("blinasim: no scenario named 'basline'; did you mean baseline?")


#: A locale that knows ASCII alone, with all that Python does about it switched off.
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
PATIENT = "age_years,prior_hsct,salvage_lines,blasts_pct\n30,no,1,30\n"


@pytest.mark.slow
@pytest.mark.parametrize("locale", ["usual", "C"])
def test_paths_with_spaces_and_letters_of_any_kind(locale: str, tmp_path: Path) -> None:
    environment = os.environ | (ASCII if locale == "C" else {})
    environment.pop("PYTHONIOENCODING", None)
    folder = tmp_path / "Ärzte 医生" / "é ü"
    folder.mkdir(parents=True)
    (folder / "früh.yaml").write_text("extends: baseline\n", encoding="utf-8")
    where = os.fspath(folder.relative_to(tmp_path))
    done = call(
        program(["run", f"{where}/früh.yaml", *RUN[2:], f"{where}/r ß"], NO_FIGURES),
        cwd=tmp_path, env=environment, errors="replace",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert '"title": "früh (extends baseline)"' in (folder / "r ß" / MANIFEST).read_text(encoding="utf-8")
    again = call(program(["rerun", f"{where}/r ß"], NO_FIGURES), cwd=tmp_path, env=environment)
    assert again.stdout.startswith("The same bytes: ")


@pytest.mark.slow
def test_a_locale_that_lacks_the_letters_of_a_cohort_file_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "ü"
    folder.mkdir()
    (folder / "p.csv").write_text(PATIENT)
    (folder / "s.yaml").write_text("extends: baseline\ncohort: {size: 1, data: {file: p.csv}}\n")
    refused(
        call(program([*RUN[:1], "s.yaml", *RUN[2:], "r"], NO_FIGURES), cwd=folder, env=os.environ | ASCII),
        "s.yaml:2:26: cohort.data.file: cannot be read (this locale does not know all letters of its name; "
        "set PYTHONUTF8=1)",
    )
    done = call(program([*RUN[:1], "s.yaml", *RUN[2:], "r"], NO_FIGURES), cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_a_plain_locale_shows_the_table_with_question_marks_for_what_it_lacks(tmp_path: Path) -> None:
    done = call(program([*RUN, "r"], NO_FIGURES), cwd=tmp_path, env=os.environ | ASCII)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert "baseline ? 2 trials of 189 patients" in done.stdout
    assert call(program(["--help"]), env=os.environ | ASCII).returncode == 0
