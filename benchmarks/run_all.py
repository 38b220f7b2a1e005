"""Run every benchmark and write ``docs/benchmarks.md``: ``python benchmarks/run_all.py``.

Each script runs in a process of its own, one after another, and prints its section.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCRIPTS = ("engines", "throughput", "effect", "scale", "designs", "startup", "peers")
PACKAGES = ("blinasim", "numpy", "scipy", "simpy", "pandas", "ciw", "salabim")

HEAD = """\
# Benchmarks

Written by `python benchmarks/run_all.py`; not by hand. Ratios within a table were measured in turn in one run and
travel to other machines; absolute figures are this machine's, which may have been shared. Each script of `benchmarks/`
also runs alone and tells its sizes with `--help`; ciw and salabim come with the extra `bench`
(`pip install -c constraints.txt -e '.[bench]'`).
"""


def machine() -> str:
    """Describe the machine by what matters to speed: never by name or path."""
    return f"{os.cpu_count()} cores, {_processor()}, {_memory_gib():.0f} GiB of memory, {platform.system()}."


def software() -> str:
    """Name the versions of Python and of the packages that are measured."""
    return f"{platform.python_implementation()} {platform.python_version()}; {', '.join(_versions())}."


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _versions() -> Iterable[str]:
    for package in PACKAGES:
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            yield f"{package} not installed"


def section(script: str, arguments: Sequence[str]) -> str:
    """Run a script and return what it prints; what it complains of is seen at once."""
    start = time.perf_counter()
    command = [sys.executable, str(HERE / f"{script}.py"), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", check=True)
    print(f"{script}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description="Run every benchmark and write its results page.")
    parser.add_argument("--out", type=Path, default=HERE.parent / "docs" / "benchmarks.md", help="the page to write")
    parser.add_argument("--to", type=int, default=6, help="largest number of patients, as a power of ten")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does it run at all?")
    asked = parser.parse_args()
    sections = []
    for script in SCRIPTS:
        larger = ["--to", str(asked.to)] if script == "scale" else []
        sections.append(section(script, ["--quick"] if asked.quick else larger))
    asked.out.write_text("\n".join([HEAD, machine(), software(), "", *sections]), encoding="utf-8")
    print(f"Wrote {asked.out.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
