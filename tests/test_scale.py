"""Studies at scale: the same bytes however they are done, stopped and resumed; precision; memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import blinasim as bs
from blinasim.cli.main import _run
from blinasim.errors import BlinasimError, InterruptedRunError, OutputError, WorkerError
from blinasim.model.catalogue import load_parameters
from blinasim.report import folder as results_folder
from blinasim.report.folder import RunOptions, checkpoint_folder, run_into
from blinasim.report.rows import endpoint_frame, rows_of
from blinasim.report.summary_file import summary_file
from blinasim.scenario.loading import load_scenario
from blinasim.study import checkpoint as checkpoints
from blinasim.study import chunks
from blinasim.study import simulate as study
from blinasim.study.checkpoint import Checkpoint, identify
from blinasim.study.cluster import hired
from blinasim.study.executors import MOST_DEATHS, Workers, in_order, processes
from blinasim.study.precision import FEWEST_TRIALS, LUMPY_TRIALS, Precision, stages
from layout import assert_readable, words
from worlds import scenario

TRIALS = 150


def tables(result: study.Result) -> tuple[str, str]:
    """What ``summary.json`` and ``endpoints.csv`` hold."""
    rows = rows_of(result)
    return summary_file(result, rows).model_dump_json(), endpoint_frame(rows).to_csv()


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def usual() -> tuple[str, str]:
    return tables(bs.simulate("baseline", replications=TRIALS))


# --- the same bytes however the work is done ----------------------------------------------------------------


@pytest.mark.parametrize("chunk", [1, 64, TRIALS, 10_000])
def test_chunks_of_any_size_give_the_same_bytes(usual: tuple[str, str], chunk: int) -> None:
    assert tables(bs.simulate("baseline", replications=TRIALS, chunk=chunk)) == usual


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_two_processes_give_the_same_bytes(usual: tuple[str, str], start: str) -> None:
    with Workers(partial(ProcessPoolExecutor, 2, mp_context=get_context(start)), 2) as pool:
        assert tables(bs.simulate("baseline", replications=TRIALS, executor=pool, chunk=20)) == usual


def test_a_run_with_workers_and_chunks_writes_the_same_folder(tmp_path: Path) -> None:
    run = ["run", "baseline", "--replications", "20", "--out"]
    assert _run([*run, str(tmp_path / "a")]) == 0
    assert _run([*run, str(tmp_path / "b"), "--workers", "2", "--chunk", "3"]) == 0
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")


def test_a_chunk_comes_back_from_plain_arrays_to_the_last_bit() -> None:
    job = partial(study._simulate_block, scenario(replications=9), load_parameters(), "auto", None, None, False)
    for block in (range(4), range(chunks.CURVE_TRIALS - 1, chunks.CURVE_TRIALS + 2), range(5_000, 5_002)):
        arrays = chunks.to_arrays(job(block).chunk)
        again = chunks.to_arrays(chunks.from_arrays(arrays))
        assert arrays.keys() == again.keys()
        assert all(arrays[key].tobytes() == again[key].tobytes() for key in arrays)
        assert not any(array.dtype.hasobject for array in arrays.values())


# --- workers that die -----------------------------------------------------------------------------------------


def _die_once(marks: Path, piece: int) -> int:
    """Kill this process, the first time that piece 5 comes."""
    if piece == 5 and not (marks / "died").exists():
        (marks / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return piece * piece


def _die(piece: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return piece


def test_what_a_dead_worker_had_is_done_by_another(tmp_path: Path) -> None:
    with processes(2) as pool:
        assert list(in_order(partial(_die_once, tmp_path), range(12), pool)) == [piece**2 for piece in range(12)]
    assert (tmp_path / "died").exists()


def test_workers_that_keep_dying_are_one_line() -> None:
    made = []

    def make() -> Executor:
        made.append(ProcessPoolExecutor(2))
        return made[-1]

    with Workers(make, 2) as pool, pytest.raises(WorkerError, match="workers keep dying"):
        list(in_order(_die, range(3), pool))
    assert len(made) == MOST_DEATHS + 1


def test_a_foreign_executor_that_breaks_is_one_line() -> None:
    with ProcessPoolExecutor(2) as pool, pytest.raises(WorkerError, match="workers keep dying"):
        list(in_order(_die, range(3), pool))


# --- Dask -----------------------------------------------------------------------------------------------------


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def dask_cluster(folder: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers, each a process of its own; its address, and the three."""
    file = folder / "scheduler.json"
    here = ("--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file))
    worker = ("-m", "distributed.cli.dask_worker", *here, "--nthreads", "1", "--no-nanny")
    with started("-m", "distributed.cli.dask_scheduler", *here, "--port", "0") as scheduler:
        wait_for(file.exists)
        with started(*worker) as one, started(*worker) as two:
            yield json.loads(file.read_text(encoding="utf-8"))["address"], [scheduler, one, two]


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_bytes_also_when_a_worker_is_killed(
    usual: tuple[str, str], tmp_path: Path
) -> None:
    with dask_cluster(tmp_path) as (address, (_, worker, _)), hired(cluster=address) as executor:
        assert tables(bs.simulate("baseline", replications=TRIALS, executor=executor, chunk=20)) == usual
        seen = 0

        def kill_half_way(trials: int) -> None:
            nonlocal seen
            seen += trials
            if seen >= TRIALS // 2 and worker.poll() is None:
                worker.kill()
                worker.wait()

        again = bs.simulate("baseline", replications=TRIALS, executor=executor, chunk=2, progress=kill_half_way)
        assert worker.returncode == -signal.SIGKILL
        assert tables(again) == usual


@pytest.mark.slow
def test_a_lost_cluster_is_one_line(tmp_path: Path) -> None:
    def work(address: str, scheduler: subprocess.Popen[bytes]) -> None:
        with hired(cluster=address) as executor:
            scheduler.kill()
            list(in_order(abs, range(3), executor))

    lost = pytest.raises(WorkerError, match=r"^the cluster tcp://.* is lost")
    with dask_cluster(tmp_path) as (address, (scheduler, *_)), lost:
        work(address, scheduler)


@pytest.mark.slow
def test_work_that_kills_the_workers_of_a_cluster_is_one_line() -> None:
    with pytest.raises(WorkerError, match=r"^workers of the cluster keep dying"), hired(2, "local") as executor:
        list(in_order(os._exit, [3], executor))


@pytest.mark.slow
def test_a_local_cluster_runs_from_the_command_line(tmp_path: Path) -> None:
    run = ["run", "baseline", "--replications", "20", "--out"]
    assert _run([*run, str(tmp_path / "a")]) == 0
    done = command(*run, str(tmp_path / "b"), "--cluster", "local", "--workers", "2", "--chunk", "3")
    assert done.returncode == 0, done.stderr
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")


@pytest.mark.parametrize(
    ("cluster", "workers", "line"),
    [
        ("nowhere", 1, r"^cluster 'nowhere': should be local, or an address such as tcp://127\.0\.0\.1:8786"),
        ("tcp://127.0.0.1:1", 2, "^workers 2: the cluster at tcp://127.0.0.1:1 has workers of its own; ask for none"),
        ("tcp://127.0.0.1:1", 1, "^cluster tcp://127.0.0.1:1: no scheduler with a worker answers within 1 s"),
    ],
)
def test_a_cluster_that_cannot_be_had_is_one_line(
    cluster: str, workers: int, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from blinasim.study import cluster as dask

    monkeypatch.setattr(dask, "ANSWER_S", 1)
    with pytest.raises(WorkerError, match=line), hired(workers, cluster):
        pass


def test_without_dask_the_extra_is_named_and_nothing_else_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys, blinasim.cli.run, blinasim.report.folder; print({'dask', 'distributed'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(WorkerError, match=r"install it with: pip install 'blinasim\[cluster\]'"), hired(2, "local"):
        pass


# --- precision ------------------------------------------------------------------------------------------------


def test_trials_are_doubled_until_the_standard_error_is_reached() -> None:
    asked = {"os": 0.12, "os_12_months_mean": 0.01}
    result = bs.simulate("baseline", replications=25, precision=asked)
    errors = {row.summary.endpoint.id: row.summary for row in rows_of(result)}
    assert errors["os"].median_mcse <= 0.12
    assert errors["os_12_months"].mean_mcse <= 0.01
    assert (
        result.replications == result.estimates["os"].value.size == 25 * 2 ** round(np.log2(result.replications / 25))
    )
    half = bs.simulate("baseline", replications=result.replications // 2)
    wanted = [Precision.named(name, at_most) for name, at_most in asked.items()]
    assert not all(each.reached(half.estimates[each.endpoint].value, paired=half.parameters.varies) for each in wanted)


def test_the_trials_that_a_precision_takes_depend_on_the_scenario_alone() -> None:
    asked = {"os": 0.12}
    once = bs.simulate("baseline", replications=25, precision=asked)
    with ProcessPoolExecutor(2) as pool:
        again = bs.simulate("baseline", replications=25, precision=asked, chunk=7, executor=pool)
    assert tables(once) == tables(again) == tables(bs.simulate("baseline", replications=once.replications))


def test_the_manifest_of_a_precise_run_repeats_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "r")
    assert _run(["run", "baseline", "--replications", "30", "--precision", "os_median=0.2", "--out", folder]) == 0
    took = json.loads((tmp_path / "r" / "manifest.json").read_text(encoding="utf-8"))["scenario"]["study"]
    assert took["replications"] in (60, 120, 240)
    capsys.readouterr()
    assert _run(["rerun", folder]) == 0
    assert "The same bytes" in capsys.readouterr().out


@pytest.mark.usefixtures("without_figures")
def test_a_precision_out_of_reach_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = ["run", "baseline", "--replications", "30", "--precision", "os=0.0001", "--at-most", "100", "--out"]
    assert _run([*run, str(tmp_path / "r")]) == 0
    said = capsys.readouterr()
    assert "baseline · 100 trials" in said.out
    assert said.err.startswith(
        "blinasim: precision os_median=0.0001 not reached after 100 trials: the standard error is"
    )
    assert said.err.count("\n") == 1
    # A mean that is infinite stays so: no further trial is tried.
    with pytest.warns(UserWarning, match="the mean is infinite; ask for rfs_cens_median"):
        result = bs.simulate(scenario(size=20, replications=50), precision={"rfs_cens_mean": 0.1})
    assert result.replications == 50


def test_few_trials_reach_nothing() -> None:
    """The median of a few whole numbers may have no spread, by chance."""
    result = bs.simulate("baseline", replications=2, precision={"cycles": 0.5})
    assert LUMPY_TRIALS <= result.replications < 2 * LUMPY_TRIALS
    result = bs.simulate("baseline", replications=2, precision={"os": 5.0})
    assert FEWEST_TRIALS <= result.replications < 2 * FEWEST_TRIALS


@pytest.mark.parametrize(
    ("first", "most", "expected"),
    [(100, 1_000, [100, 200, 400, 800, 1_000]), (100, 60, [60]), (600_000, None, [600_000, 1_000_000]), (7, 7, [7])],
)
def test_the_numbers_of_trials_are_fixed_beforehand(first: int, most: int | None, expected: list[int]) -> None:
    assert list(stages(first, [Precision("os", "median", 0.1)], most)) == expected
    assert list(stages(first, [], most)) == [first]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("oss=0.05", "--precision oss=0.05: no such endpoint; did you mean os?"),
        ("os_medain=0.05", "--precision os_medain=0.05: no such endpoint; did you mean os_median?"),
        ("os", "--precision os: a precision is written ENDPOINT=VALUE, such as os=0.05"),
        ("os=small", "--precision os=small: 'small' is not a number"),
        ("os=0", "--precision os=0: 0 should be a standard error above 0"),
        ("os=nan", "--precision os=nan: nan should be a standard error above 0"),
    ],
)
def test_a_wrong_precision_is_one_line(
    text: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _run(["run", "baseline", "--precision", text]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"blinasim: {line}")
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_many_trials_that_agree_by_chance_are_no_precision() -> None:
    """A lumpy figure: the few trials in the middle are equal, and their spread says 0."""
    values = np.repeat([0.03, 0.06, 0.09], (5, 70, 5))
    wanted = Precision.named("deaths100_gvhd", 0.001)
    assert wanted.error(values) == 0.0
    assert not wanted.reached(values)
    assert wanted.reached(np.repeat(values, 20))
    assert wanted.reached(np.full(80, 0.06))  # all the same: there is nothing to spread


def test_a_wrong_precision_from_python_is_a_blinasim_error() -> None:
    with pytest.raises(BlinasimError, match="precision rsf: no such endpoint; did you mean rfs"):
        bs.simulate("baseline", precision={"rsf": 0.1})


# --- checkpoints ----------------------------------------------------------------------------------------------

ASKED = scenario(replications=12)


@pytest.fixture
def kept_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "WORTH_KEEPING_S", 0.0)


@pytest.fixture
def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take longer than all the rest of a small run, and are made of the same result."""
    monkeypatch.setattr(results_folder, "_figures", lambda *_: {})


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[range]:
    """The blocks that this process simulates, as they come."""
    blocks: list[range] = []
    original = study._simulate_block

    def counting(*arguments: Any) -> Any:
        blocks.append(arguments[-1])
        return original(*arguments)

    monkeypatch.setattr(study, "_simulate_block", counting)
    return blocks


def stop_after(trials: int) -> Callable[[int], None]:
    """A progress that Ctrl-C ends."""
    seen = 0

    def progress(more: int) -> None:
        nonlocal seen
        seen += more
        if seen >= trials:
            raise KeyboardInterrupt

    return progress


def interrupted(target: Path, **changes: Any) -> str:
    """Run and stop after 8 of 12 trials; return what is said."""
    options = RunOptions(chunk=2, keep_chunks=True, **changes)
    with pytest.raises(InterruptedRunError) as stopped:
        run_into(target, ASKED, load_parameters(), options, progress=stop_after(8))
    assert not target.exists()
    return str(stopped.value)


def resumed(target: Path, asked: Any = ASKED, **changes: Any) -> list[str]:
    """Resume and return the remarks."""
    remarks: list[str] = []
    options = RunOptions(**{"chunk": 2, "keep_chunks": True, "resume": True, **changes})
    run_into(target, asked, load_parameters(), options, remark=remarks.append)
    return remarks


@pytest.fixture
def undisturbed(tmp_path_factory: pytest.TempPathFactory, without_figures: None) -> dict[str, bytes]:  # noqa: ARG001
    target = tmp_path_factory.mktemp("undisturbed") / "r"
    run_into(target, ASKED, load_parameters(), RunOptions())
    return bytes_of(target)


@pytest.mark.usefixtures("kept_at_once", "without_figures")
def test_what_is_finished_is_not_done_again(
    tmp_path: Path, undisturbed: dict[str, bytes], computed: list[range]
) -> None:
    target = tmp_path / "r"
    assert interrupted(target) == "stopped; 4 of 6 chunks are kept"
    first = list(computed)
    computed.clear()
    assert resumed(target) == ["goes on from 4 finished chunks"]
    assert first + computed == chunks.cut(range(12), 2)
    assert bytes_of(target) == undisturbed
    assert [path.name for path in tmp_path.iterdir()] == ["r"]  # the checkpoint has gone away


@pytest.mark.usefixtures("kept_at_once", "without_figures")
def test_a_damaged_or_strange_chunk_is_done_again(
    tmp_path: Path, computed: list[range], undisturbed: dict[str, bytes]
) -> None:
    target = tmp_path / "r"
    interrupted(target)
    first, second, third, fourth = sorted(checkpoint_folder(target).glob("*.npz"))
    whole = first.read_bytes()
    first.write_bytes(whole[: len(whole) // 2])
    middle = len(whole) // 3
    second.write_bytes(second.read_bytes()[:middle] + b"\xff\x00\xff\x00" + second.read_bytes()[middle + 4 :])
    third.write_bytes(fourth.read_bytes())  # whole, but of other trials
    computed.clear()
    resumed(target)
    done_again = chunks.cut(range(12), 2)
    assert computed == [*done_again[:3], *done_again[4:]]
    assert bytes_of(target) == undisturbed


@pytest.mark.usefixtures("kept_at_once", "without_figures")
@pytest.mark.parametrize(
    ("asked", "changes", "what"),
    [
        (ASKED.with_study(seed=2), {}, "scenario"),
        (ASKED, {"chunk": 3}, "trials a chunk"),
        (ASKED, {"engine": "des"}, "engine"),
    ],
)
def test_the_checkpoint_of_another_run_is_refused(tmp_path: Path, asked: Any, changes: Any, what: str) -> None:
    interrupted(tmp_path / "r")
    with pytest.raises(
        OutputError, match=rf"\.r\.checkpoint keeps 4 chunks of another run \(other {what}\); choose another --out, "
    ):
        resumed(tmp_path / "r", asked, **changes)
    assert len(list(checkpoint_folder(tmp_path / "r").glob("*.npz"))) == 4


@pytest.mark.usefixtures("kept_at_once", "without_figures")
def test_without_resume_an_old_checkpoint_is_replaced_and_said_if_it_fits(
    tmp_path: Path, computed: list[range], undisturbed: dict[str, bytes]
) -> None:
    target = tmp_path / "r"
    interrupted(target)
    computed.clear()
    expected = "4 finished chunks of this same run are kept; with --resume it would go on from them"
    assert resumed(target, resume=False) == [expected]
    assert computed == chunks.cut(range(12), 2)
    assert bytes_of(target) == undisturbed
    interrupted(tmp_path / "other")
    another = RunOptions(chunk=2, keep_chunks=True)
    with pytest.raises(
        OutputError, match=r"keeps 4 chunks of another run \(other scenario\); choose another --out, or disc"
    ):
        run_into(tmp_path / "other", ASKED.with_study(seed=2), load_parameters(), another)
    assert len(list(checkpoint_folder(tmp_path / "other").glob("*.npz"))) == 4
    run_into(tmp_path / "other", ASKED.with_study(seed=2), load_parameters(), another, force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "r"]


@pytest.mark.usefixtures("kept_at_once", "without_figures")
def test_what_is_kept_is_said_whatever_went_wrong(tmp_path: Path) -> None:
    def fail(done: int) -> None:
        if done:
            seen.append(done)
        if len(seen) == 3:
            raise WorkerError("workers keep dying")

    seen: list[int] = []
    options = RunOptions(chunk=2, keep_chunks=True)
    with pytest.raises(WorkerError, match=r"^workers keep dying; 3 of 6 chunks are kept: --resume goes on from them$"):
        run_into(tmp_path / "r", ASKED, load_parameters(), options, progress=fail)


@pytest.mark.usefixtures("kept_at_once", "without_figures")
def test_no_flipped_bit_of_a_kept_chunk_ends_in_a_traceback(tmp_path: Path) -> None:
    target = tmp_path / "r"
    interrupted(target)
    path = sorted(checkpoint_folder(target).glob("*.npz"))[0]
    whole = path.read_bytes()
    identity = identify(ASKED, load_parameters(), None, "auto", 2)
    luck = np.random.default_rng(1)
    places = np.concatenate([luck.integers(0, 400, 150), luck.integers(len(whole) - 1500, len(whole), 250)])
    for place in places.tolist():
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(luck.integers(8))
        path.write_bytes(bytes(damaged))
        Checkpoint(checkpoint_folder(target), identity, resume=True).read(range(2))


@pytest.mark.usefixtures("kept_at_once", "without_figures")
def test_a_fault_of_the_code_is_not_taken_for_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "r"
    interrupted(target)
    kept = Checkpoint(checkpoint_folder(target), identify(ASKED, load_parameters(), None, "auto", 2), resume=True)

    def broken(_: object) -> None:
        raise AttributeError("no such name")

    monkeypatch.setattr(checkpoints, "from_arrays", broken)
    with pytest.raises(AttributeError):
        kept.read(range(2))


@pytest.mark.usefixtures("kept_at_once", "without_figures")
def test_a_precise_run_resumes_through_its_stages(tmp_path: Path, computed: list[range]) -> None:
    precision = (Precision("os", "median", 0.15),)
    options = RunOptions(chunk=20, precision=precision, keep_chunks=True)
    asked = scenario(replications=50)
    with pytest.raises(InterruptedRunError, match=r"^stopped; 4 chunks are kept$"):
        run_into(tmp_path / "r", asked, load_parameters(), options, progress=stop_after(70))
    first = list(computed)
    computed.clear()
    resumed(tmp_path / "r", asked, chunk=20, precision=precision)
    assert first == [range(20), range(20, 40), range(40, 50), range(50, 70)]
    assert set(first).isdisjoint(computed)
    run_into(tmp_path / "whole", asked, load_parameters(), RunOptions(precision=precision))
    assert bytes_of(tmp_path / "r") == bytes_of(tmp_path / "whole")


@pytest.mark.usefixtures("without_figures")
def test_nothing_to_resume_is_said_and_a_short_run_keeps_nothing(tmp_path: Path) -> None:
    assert resumed(tmp_path / "r") == ["there is nothing to resume; the run begins at the start"]
    with pytest.raises(KeyboardInterrupt):
        run_into(
            tmp_path / "s",
            ASKED,
            load_parameters(),
            RunOptions(chunk=2, keep_chunks=True),
            progress=stop_after(8),
        )
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_patients_are_not_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["run", "baseline", "--patients", "--resume", "--out", str(tmp_path / "r")]) == 2
    assert capsys.readouterr().err.startswith("blinasim: --patients and --resume exclude each other")


@pytest.mark.usefixtures("kept_at_once", "without_figures")
def test_a_checkpoint_takes_away_its_own_files_only(tmp_path: Path) -> None:
    folder = checkpoint_folder(tmp_path / "r")
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    resumed(tmp_path / "r", resume=False)
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]


def test_an_identity_tells_a_cohort_file_by_its_content(tmp_path: Path) -> None:
    def identity(text: str, name: str) -> Any:
        path = tmp_path / name
        path.write_text(f"age_years,prior_hsct,salvage_lines,blasts_pct\n{text}\n", encoding="utf-8")
        (tmp_path / "s.yaml").write_text(f"extends: baseline\ncohort: {{size: 1, data: {{file: {name}}}}}\n")
        asked = load_scenario(tmp_path / "s.yaml")
        return identify(asked, load_parameters(), study.read_cohort(asked.cohort), "auto", 5)

    assert identity("30,no,1,80", "a.csv") == identity("30,no,1,80", "b.csv") != identity("31,no,1,80", "b.csv")


# --- killed for good ------------------------------------------------------------------------------------------


def program(*arguments: str) -> list[str]:
    """The command, keeping chunks from the first on."""
    code = (
        "from blinasim.study import checkpoint; checkpoint.WORTH_KEEPING_S = 0.0;"
        "from blinasim.cli.main import main; main()"
    )
    return [sys.executable, "-c", code, *arguments]


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "blinasim", *arguments], capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.slow
@pytest.mark.usefixtures("kept_at_once")
def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path, computed: list[range]) -> None:
    target = tmp_path / "r"
    run = ["run", "baseline", "--replications", "3000", "--chunk", "52", "--out", str(target)]

    def stop(with_signal: int, at: int, *more: str) -> str:
        process = subprocess.Popen(program(*run, *more), stderr=subprocess.PIPE, text=True, start_new_session=True)
        wait_for(lambda: len(list(checkpoint_folder(target).glob("*.npz"))) >= at)
        process.send_signal(with_signal)
        _, said = process.communicate(timeout=60)
        return said

    said = stop(signal.SIGTERM, 5)
    assert said.startswith("blinasim: stopped; ")
    assert " of 58 chunks are kept; go on with: blinasim run baseline --replications 3000" in said
    assert said.endswith("--resume\n")
    assert said.count("\n") == 1
    stop(signal.SIGKILL, 15, "--resume", "--workers", "2")
    kept = {path.name: path.stat().st_mtime_ns for path in checkpoint_folder(target).glob("*.npz")}
    assert 15 <= len(kept) < 58
    stop(signal.SIGKILL, len(kept) + 5, "--resume")
    now = {path.name: path.stat().st_mtime_ns for path in checkpoint_folder(target).glob("*.npz")}
    assert now.items() > kept.items()
    assert _run([*run, "--resume"]) == 0
    assert len(computed) == 58 - len(now)
    assert _run([*run[:-1], str(tmp_path / "undisturbed")]) == 0
    assert bytes_of(target) == bytes_of(tmp_path / "undisturbed")
    assert not checkpoint_folder(target).exists()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads /proc")
def test_the_workers_of_a_killed_run_end(tmp_path: Path) -> None:
    run = program("run", "baseline", "--replications", "20000", "--workers", "2", "--out", str(tmp_path / "r"))
    process = subprocess.Popen(run, start_new_session=True)

    def children() -> list[str]:
        return Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()

    wait_for(lambda: len(children()) >= 2 and any(checkpoint_folder(tmp_path / "r").glob("*.npz")))
    workers = children()
    process.kill()
    process.wait()
    wait_for(lambda: not any(_lives(worker) for worker in workers), seconds=20)


def _lives(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# --- memory ---------------------------------------------------------------------------------------------------


def test_curves_are_kept_of_the_first_trials_and_the_figure_says_so(
    monkeypatch: pytest.MonkeyPatch, usual: tuple[str, str]
) -> None:
    every = bs.simulate("baseline", replications=TRIALS)
    monkeypatch.setattr(chunks, "CURVE_TRIALS", 50)
    few = bs.simulate("baseline", replications=TRIALS, chunk=20)
    assert tables(few) == tables(every) == usual
    for outcome, curves in few.curves.items():
        assert curves.survival.shape == curves.at_risk.shape == (50, curves.days.size)
        assert np.array_equal(curves.survival, every.curves[outcome].survival[:50], equal_nan=True)
        assert np.array_equal(curves.limit, every.curves[outcome].limit, equal_nan=True)
    drawing = bs.plot.survival(few)
    assert_readable(drawing)
    assert any("median of the first 50 trials and their 95 %" in text.get_text() for text in words(drawing))


@pytest.mark.slow
def test_memory_grows_by_the_estimates_alone() -> None:
    code = (
        "import resource, sys, blinasim as bs;"
        "result = bs.simulate('baseline', replications=int(sys.argv[1]));"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )

    def peak_kb(trials: int) -> int:
        return int(subprocess.run([sys.executable, "-c", code, str(trials)], capture_output=True, check=True).stdout)

    grown_bytes = 1024 * (peak_kb(12_000) - peak_kb(3_000)) / 9_000
    assert grown_bytes < 3_000  # an estimate is 8 bytes, and there are 72; the curves of a trial would be 12,000
