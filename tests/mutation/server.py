"""A warm process that forks for each mutant: the libraries are imported once, blinasim and the tests anew each time.

The mutated module never touches the disk: the child imports it from its changed text.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

#: Imported before the first fork; blinasim itself must not be.
_HEAVY = (
    *("numpy", "numpy.testing", "scipy.stats", "scipy.special", "scipy.optimize", "pandas", "pydantic", "simpy"),
    *("ruamel.yaml", "lifelines", "matplotlib.pyplot", "hypothesis", "hypothesis.strategies", "jsonschema", "pyarrow"),
    *("typer.testing", "rich.console", "coverage", "concurrent.futures", "SALib.analyze.sobol"),
)
#: Examples of each property-based test, always the same ones.
EXAMPLES = 12
_MEMORY_BYTES = 6_000_000_000
#: A test never ends, it is taken, after so many seconds of processor time, and so many times its own: one may be the
#: first to make what several share.
_LONGEST_SECONDS, _LONGEST_RATIO = 20.0, 2.0
#: What pytest is told for every file.
_OPTIONS = ["-x", "-q", "-n", "0", "-p", "no:cacheprovider", "-m", "not slow", "--no-header", "--tb=no"]


def warm_up() -> None:
    """Import what every child needs."""
    for name in _HEAVY:
        importlib.import_module(name)


class _Faulty(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module, and gives its changed text instead of the file's."""

    def __init__(self, name: str, path: Path, text: bytes) -> None:
        self.name, self.path, self.text = name, path, text

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:  # noqa: ARG002 -- the interface
        if name != self.name:
            return None
        inside = [str(self.path.parent)] if self.path.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(name, self.path, loader=self, submodule_search_locations=inside)

    def create_module(self, spec: Any) -> None:  # noqa: ARG002
        return None

    def exec_module(self, module: Any) -> None:
        exec(compile(self.text, str(self.path), "exec"), module.__dict__)


class _Watch:
    """Selects and orders the tests of a file, makes hypothesis quick, and notes what fails and how long each takes."""

    def __init__(
        self,
        wanted: dict[str, float] | None,
        switch: Callable[[str], None] | None = None,
        give_up: Callable[[str], None] | None = None,
    ) -> None:
        self.wanted, self.switch, self.give_up = wanted, switch, give_up
        self.failed: str | None = None
        self.seconds: dict[str, float] = {}

    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        wanted = self.wanted
        if wanted is not None:
            left_out = [item for item in items if item.nodeid not in wanted]
            items[:] = sorted((i for i in items if i.nodeid in wanted), key=lambda item: wanted[item.nodeid])
            config.hook.pytest_deselected(items=left_out)
        for item in items:
            _few_examples(getattr(item, "obj", None))

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.failed = self.failed or f"{report.nodeid} (import)"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Any:
        if self.switch:
            self.switch(item.nodeid)
        if self.give_up and self.wanted is not None:
            signal.signal(signal.SIGPROF, lambda *_: self.give_up(f"{item.nodeid} (too long)"))
            signal.setitimer(signal.ITIMER_PROF, _LONGEST_SECONDS + _LONGEST_RATIO * self.wanted[item.nodeid])
        began = time.process_time()
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0.0)
            self.seconds[item.nodeid] = time.process_time() - began
            if self.switch:
                self.switch("")

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.failed = self.failed or report.nodeid


def _few_examples(test: Any) -> None:
    import hypothesis

    test = getattr(test, "__func__", test)
    if not getattr(test, "is_hypothesis_test", False):
        return
    was = getattr(test, "_hypothesis_internal_use_settings", None)
    test._hypothesis_internal_use_settings = hypothesis.settings(
        was,
        max_examples=min(EXAMPLES, was.max_examples if was else EXAMPLES),
        derandomize=True,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )


def in_child(work: Callable[[Path], Any], cpu_seconds: float) -> dict[str, Any]:
    """Do some work in a fork and return what it says, or how it ended: ``{"ended": "timeout" or "crash"}``.

    ``work`` is given the file of its answer, for one that has to leave at once.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer, said = Path(folder) / "answer", Path(folder) / "said"
        child = os.fork()
        if child == 0:
            _be_child(work, cpu_seconds, answer, said, folder)
        _, status, used = os.wait4(child, 0)
        with_cpu = {"seconds": round(used.ru_utime + used.ru_stime, 2)}
        if answer.exists():
            return json.loads(answer.read_text()) | with_cpu
        out_of_time = os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL, signal.SIGALRM)
        last = said.read_text(errors="replace")[-2000:] if said.exists() else ""
        return {"ended": "timeout" if out_of_time else "crash", "said": last} | with_cpu


def _write(answer: Path, found: Any) -> None:
    whole = answer.with_suffix(".part")
    whole.write_text(json.dumps(found))
    whole.rename(answer)


def _be_child(work: Callable[[Path], Any], cpu_seconds: float, answer: Path, said: Path, folder: str) -> None:
    code = 1
    try:
        limit = int(cpu_seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 2))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
        signal.alarm(30 * limit)  # it may wait for ever without work
        os.environ["TMPDIR"] = folder
        tempfile.tempdir = folder
        out = os.open(said, os.O_CREAT | os.O_WRONLY)
        os.dup2(out, 1)
        os.dup2(out, 2)
        _write(answer, work(answer))
        code = 0
    except BaseException as problem:
        print(repr(problem), file=sys.stderr, flush=True)
    finally:
        os._exit(code)


def enter(root: Path) -> None:
    """Work in a copy of the repository: its sources and tests come first."""
    os.chdir(root)
    sys.path[:0] = [str(root / "src"), str(root / "tests")]


#: Tests by file, with how long each takes.
Tests = Sequence[tuple[str, dict[str, float]]]


def judged(root: Path, mutant: tuple[str, Path, bytes], files: Tests, answer: Path) -> dict[str, Any]:
    """Import the changed module and run tests, file by file, until one fails; to be done in a child."""

    def give_up(test: str) -> None:
        _write(answer, {"killer": test})
        os._exit(0)

    enter(root)
    sys.dont_write_bytecode = False
    sys.meta_path.insert(0, _Faulty(*mutant))
    for file, wanted in files:
        watch = _Watch(wanted, give_up=give_up)
        code = pytest.main([*_OPTIONS, file], plugins=[watch])
        if watch.failed or code not in (0, 5):
            return {"killer": watch.failed or file}
    return {"killer": None}


def measured(root: Path, file: str, _: Path) -> dict[str, Any]:
    """Run all tests of a file: how long each takes, and which lines it touches; to be done in a child."""
    import coverage

    enter(root)
    cover = coverage.Coverage(data_file=None, source=[str(root / "src" / "blinasim")], config_file=False)
    cover.start()
    watch = _Watch(None, cover.switch_context)
    pytest.main([option for option in _OPTIONS if option != "-x"] + [file], plugins=[watch])
    cover.stop()
    data = cover.get_data()
    number = {name: index for index, name in enumerate(watch.seconds)}
    lines = {
        Path(path).relative_to(root).as_posix(): {
            line: sorted(number[test] for test in tests if test in number)
            for line, tests in data.contexts_by_lineno(path).items()
        }
        for path in data.measured_files()
    }
    return {"tests": list(watch.seconds.items()), "lines": lines, "failed": watch.failed}
