"""Hostile input: what fuzzing has found is tried again; made-up input of every kind is refused in words or accepted."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FUZZ = Path(__file__).parent / "fuzz"
sys.path.insert(0, str(FUZZ))
changes, kinds = (importlib.import_module(name) for name in ("changes", "kinds"))


KINDS = ("scenario", "set", "design", "points", "posterior", "cohort", "effect", "manifest", "policy")
CORPUS = sorted(path for path in (FUZZ / "corpus").glob("*/*") if path.is_file())


def test_every_kind_is_fuzzed() -> None:
    assert set(kinds.KINDS) == set(KINDS)
    assert CORPUS


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_fuzzing_has_found_is_mended(path: Path, tmp_path: Path) -> None:
    kinds.attempt(path.parent.name, path.read_bytes(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_what_reached_new_code_is_refused_in_words_or_accepted(kind: str, tmp_path: Path) -> None:
    inputs = kinds.kept(kind)
    assert inputs
    for data in inputs:
        kinds.attempt(kind, data, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_what_fuzzing_begins_from_is_read(kind: str, tmp_path: Path) -> None:
    """At least one seed is accepted, or nothing beyond the door would ever be tried."""
    seeds = kinds.seeds_of(kind)[:3]
    said = [kinds.attempt(kind, seed, tmp_path) for seed in seeds]
    assert None in said, said


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32))
def test_changed_input_is_refused_in_words_or_accepted(kind: str, seed: int) -> None:
    luck = Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        kinds.attempt(kind, changes.changed(kind, luck.choice(kinds.seeds_of(kind)), luck), Path(folder))


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.binary(max_size=200), kind=st.sampled_from(KINDS))
def test_any_bytes_are_refused_in_words_or_accepted(data: bytes, kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        kinds.attempt(kind, data, Path(folder))


OF_A_FILE = ("run", "baseline", "--set", "cohort.data={file: s.yaml}")
HEADER = "age_years,prior_hsct,salvage_lines,blasts_pct,fitness,well_matched,site"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("show", "s.yaml"), "a: " + "[1, " * 31 + "x, " * 300_000),
        (("show", "s.yaml"), "title: x\n" + "".join(f"k{number}: 1\n" for number in range(90_000))),
        (("show", "s.yaml"), "title: x\ntrial: {accrual: {pieces: [" + "{days: 1}, " * 80_000 + "]}}\n"),
        (("effect", "--data", "s.yaml"), "time_days,event,transplant_days\n" + "9,yes,\n" * 500_001),
        (
            OF_A_FILE,
            f"{HEADER}\n" + "30,no,1,80.5,good,yes,3\n" * 500_001,
        ),
        (OF_A_FILE, f"{HEADER}\n" + '"' + "\U0001f489" * 12_000_000),
        (("trial", "s.yaml"), "title: x\narms: [" + "{name: a, scenario: baseline}, " * 30_000 + "]\n"),
    ],
    ids=["half a list", "many keys", "many stretches", "many rows", "many patients", "one wide cell", "many arms"],
)
def test_the_largest_files_take_little_time_and_memory(arguments: tuple[str, ...], text: str, tmp_path: Path) -> None:
    """Read by the program itself; all of it, with what it imports, below 500 MB.

    The peak is the kernel's of this program (VmHWM): that of getrusage begins with the peak of whoever started it.
    """
    if not Path("/proc/self/status").exists():
        pytest.skip("needs Linux's /proc to measure the memory of a program")
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    code = (
        "import re, sys, time, pathlib, blinasim.report.folder, blinasim.study.effect_data, blinasim.api\n"
        "from blinasim.cli.main import _run; start = time.process_time(); code = _run(sys.argv[1:]);"
        "peak = re.search(r'VmHWM:\\s+(\\d+) kB', pathlib.Path('/proc/self/status').read_text())[1];"
        "print(code, int(peak) / 1024, time.process_time() - start)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.stderr.startswith("blinasim: ")
    assert "s.yaml:" in done.stderr
    assert done.stderr.count("\n") == 1
    code_said, megabytes, seconds = map(float, done.stdout.split())
    assert code_said == 2
    assert megabytes < 500
    assert seconds < 5
