"""Mutation testing of the clinic, its engines and the trial: does a test fail when the code is wrong?

Run apart from the other checks (a mutant costs some seconds of processor time):

    python tests/mutation/run.py measure              which tests touch which line, and how long each takes
    python tests/mutation/run.py run --sample 400     a sample of mutants; resumes where it was interrupted
    python tests/mutation/run.py again                the survivors once more, after tests have been added
    python tests/mutation/run.py report               docs/mutation.md

All of it happens in a copy of the working tree. Outcomes are kept in ``results/mutation/``, which is not in git.
"""

from __future__ import annotations

import argparse
import compileall
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[threads] = "1"

import numpy as np  # noqa: E402 -- after the threads are limited
from mutants import Mutant, mutants_of, sampled  # noqa: E402

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
RESULTS = REPOSITORY / "results" / "mutation"
OUTCOMES, MEASURED = RESULTS / "outcomes.csv", RESULTS / "measured.json"
ROOMS = ["model", "engine", "trial"]
#: Quick tests that touch the rooms, in this process alone.
FILES = [
    "tests/test_lives.py",
    "tests/test_fast.py",
    "tests/test_invariances.py",
    "tests/test_closed_forms.py",
    "tests/test_cohort.py",
    "tests/test_cohort_file.py",
    "tests/test_places.py",
    "tests/test_policies.py",
    "tests/test_own_policy.py",
    "tests/test_payoffs.py",
    "tests/test_parameters_given.py",
    "tests/test_luck.py",
    "tests/test_study.py",
    "tests/test_trial_view.py",
    "tests/test_blind_trial_view.py",
    "tests/test_patient_flow.py",
    "tests/test_designs.py",
    "tests/test_refusals.py",
    "tests/test_compare.py",
    "tests/test_tally.py",
    "tests/test_exports.py",
    "tests/test_verify.py",
    "tests/test_bad_inputs.py",
    "tests/test_durations.py",
    "tests/test_parameters.py",
    "tests/test_fates.py",
    "tests/test_therapy.py",
    "tests/test_golden.py",
]
GOLDEN = "tests/test_golden.py"
#: Tests of a mutant take at most so long together, in seconds of processor time as measured without it: the quickest
#: first, then the golden results, which say least about the why, then the others.
_FIRST_SECONDS, _MOST_SECONDS = 6.0, 16.0
COLUMNS = (
    "when seed key path line scope operator before after outcome killer seconds".split()  # noqa: SIM905 -- one line
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Mutation testing, apart from the other checks.")
    parser.add_argument("what", choices=["measure", "run", "again", "report", "count"])
    parser.add_argument("--sample", type=int, help="mutants, in proportion to those of each file; all by default")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rooms", nargs="+", default=ROOMS)
    parser.add_argument("--only", nargs="+", default=[], help="keys of mutants; for measure, test files")
    asked = parser.parse_args()
    found = mutants_of(REPOSITORY, asked.rooms)
    if asked.what == "count":
        print(f"{len(found)} mutants")
    elif asked.what == "report":
        from report import write

        write(found)
    elif asked.what == "measure":
        with copied() as root:
            measure(root, asked.only or FILES)
    else:
        if not MEASURED.exists():
            sys.exit("first: python tests/mutation/run.py measure")
        chosen = sampled(found, asked.sample, asked.seed)
        latest = {row["key"]: row for row in outcomes()}
        if asked.only:
            chosen = [mutant for mutant in found if mutant.key in asked.only]
        elif asked.what == "again":
            chosen = [mutant for mutant in found if latest.get(mutant.key, {}).get("outcome") == "survived"]
        else:
            chosen = [mutant for mutant in chosen if mutant.key not in latest]
        with copied() as root:
            run(root, chosen, asked.seed)


@contextmanager
def copied() -> Iterator[Path]:
    """Copy the working tree, without what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        root = Path(folder).resolve()
        for name in listed.stdout.splitlines():
            if (REPOSITORY / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(REPOSITORY / name, root / name)
        compileall.compile_dir(root / "src", quiet=1)
        yield root


def measure(root: Path, files: list[str]) -> None:
    """Run the tests once without any fault, file by file."""
    import server

    server.warm_up()
    RESULTS.mkdir(parents=True, exist_ok=True)
    known = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
    for file in files:
        found = server.in_child(partial(server.measured, root, file), 900)
        if "ended" in found:
            sys.exit(f"{file}: the measurement ended in a {found['ended']}: {found['said']}")
        if found["failed"]:
            sys.exit(f"{found['failed']} fails without any fault")
        known[file] = {"tests": found["tests"], "lines": found["lines"]}
        MEASURED.write_text(json.dumps(known))
        print(f"{file}: {len(found['tests'])} tests, {found['seconds']} s of processor time with the measurement")


def run(root: Path, mutants: list[Mutant], seed: int) -> None:
    """Judge mutants one by one, and keep each outcome at once."""
    import server

    server.warm_up()
    chooser = _Chooser(json.loads(MEASURED.read_text()))
    new = not OUTCOMES.exists()
    with OUTCOMES.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if new:
            writer.writeheader()
        for index, mutant in enumerate(mutants, 1):
            source = (root / mutant.path).read_bytes()
            tests, expected = chooser.tests_of(mutant)
            one = (mutant.module.removesuffix(".__init__"), root / mutant.path, mutant.applied(source))
            found: dict[str, Any] = {"killer": None, "seconds": 0.0}
            if tests:
                found = server.in_child(partial(server.judged, root, one, tests), 40 + 2 * expected)
            outcome = found.get("ended") or ("killed" if found["killer"] else "survived" if tests else "no tests")
            row = {
                "when": datetime.now(UTC).isoformat(timespec="seconds"),
                "seed": seed,
                "outcome": outcome,
                "killer": found.get("killer") or "",
                "seconds": found["seconds"],
            }
            writer.writerow(row | {name: getattr(mutant, name) for name in COLUMNS if name not in row})
            file.flush()
            print(
                f"{index}/{len(mutants)} {mutant.path}:{mutant.line} {outcome} {row['killer']} {row['seconds']} s",
                flush=True,
            )


class _Chooser:
    """Chooses for each mutant the tests that touch its lines, quickest files and tests first."""

    def __init__(self, measured: dict[str, Any]) -> None:
        self.seconds: dict[str, float] = {}
        #: Tests by file and line, and the lines that are run at import; a test may be the first to import a file.
        self.touching: dict[str, dict[int, set[str]]] = {}
        self.at_import: dict[str, set[int]] = {}
        for file in (file for file in FILES if file in measured):
            names = [name for name, _ in measured[file]["tests"]]
            self.seconds |= {name: seconds for name, seconds in measured[file]["tests"] if _in_one_process(name)}
            for path, lines in measured[file]["lines"].items():
                of = self.touching.setdefault(path, {})
                for line, tests in lines.items():
                    of.setdefault(int(line), set()).update(names[test] for test in tests)
                self.at_import.setdefault(path, set()).update(int(line) for line, tests in lines.items() if not tests)

    def tests_of(self, mutant: Mutant) -> tuple[list[tuple[str, dict[str, float]]], float]:
        """Tests by file, with how long each takes, and how long all of them take."""
        of = self.touching.get(mutant.path, {})
        lines = {line for line in range(mutant.lines[0], mutant.lines[1] + 1) if line in of}
        if not lines:  # never run
            return [], 0.0
        touching, most = set().union(*(of[line] for line in lines)), _MOST_SECONDS
        # What is done at import is touched by every test of the module, or by all if it holds nothing else.
        if lines <= self.at_import.get(mutant.path, set()):
            touching, most = set().union(*of.values()), _FIRST_SECONDS
            if of.keys() <= self.at_import[mutant.path]:
                touching = set(self.seconds)
        ordered = sorted(touching & self.seconds.keys(), key=lambda name: (self.seconds[name], name))
        golden = [name for name in ordered if name.startswith(GOLDEN)]
        others = [name for name in ordered if not name.startswith(GOLDEN)]
        before = np.cumsum([self.seconds[name] for name in others])
        first = [name for name, until in zip(others, before, strict=True) if until <= _FIRST_SECONDS]
        second = [name for name, until in zip(others, before, strict=True) if _FIRST_SECONDS < until <= most]
        files = [*self._by_file(first), *self._by_file(golden), *self._by_file(second)]
        return files, sum(sum(its.values()) for _, its in files)

    def _by_file(self, tests: list[str]) -> list[tuple[str, dict[str, float]]]:
        by_file: dict[str, dict[str, float]] = {}
        for name in tests:
            by_file.setdefault(name.split("::")[0], {})[name] = self.seconds[name]
        return sorted(by_file.items(), key=lambda item: sum(item[1].values()))


def _in_one_process(test: str) -> bool:
    """Whether a test stays in its process; others import the code without the fault, and would fail for that."""
    return "worker" not in test and "spawn" not in test


def outcomes() -> list[dict[str, str]]:
    """Every outcome kept, oldest first."""
    if not OUTCOMES.exists():
        return []
    with OUTCOMES.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
