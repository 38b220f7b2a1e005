"""Fuzz one kind of input for some minutes of processor time: ``python tests/fuzz/run.py KIND [--minutes 10]``.

Coverage-guided where atheris is installed (the extra ``fuzz``), otherwise by luck alone. What is found is kept in
``tests/fuzz/corpus/KIND/``, and some of the inputs that reached new code in ``tests/fuzz/corpus/KIND.zip``;
``tests/test_fuzz.py`` tries both again.

The time is spent in rounds, each in a process of its own that goes on from the inputs the earlier ones thought worth
keeping: the memory that atheris takes for watching grows with each input (the same inputs unwatched leave none behind).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

try:
    import atheris
except ImportError:
    atheris = None

if atheris is not None:
    with atheris.instrument_imports(include=["blinasim"], enable_loader_override=False):
        import changes
        import kinds
else:
    import changes
    import kinds


#: A round ends with so much memory held, or after so much processor time.
_ROUND_MB, _ROUND_MINUTES = 1_500, 2.0


def _held_mb() -> float:
    """Return the memory this process holds, or 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
    except OSError:
        return 0.0


class Session:
    """Tries inputs until the time is over, and counts what became of them."""

    def __init__(self, kind: str, minutes: float, seed: int) -> None:
        self.kind, self.seed, self.end = kind, seed, 60.0 * minutes
        self.count: Counter[str] = Counter()
        self.luck = Random(seed)
        self.folder = Path(tempfile.mkdtemp(prefix="blinasim-fuzz-"))
        self.found: set[str] = set()

    def try_one(self, data: bytes) -> None:
        """Try one input and keep it if it breaks the promise; the same fault is kept once."""
        for path in self.folder.iterdir():
            path.unlink()
        try:
            said = kinds.attempt(self.kind, data, self.folder)
        except kinds.FindingError as problem:
            self.count["found"] += 1
            cause = problem.__cause__
            where = ""
            if cause is not None and cause.__traceback__ is not None:
                last = cause.__traceback__
                while last.tb_next is not None:
                    last = last.tb_next
                where = f"{last.tb_frame.f_code.co_filename}:{last.tb_lineno}"
            if (what := f"{where} {str(problem)[:60]}") not in self.found:
                self.found.add(what)
                folder = kinds.CORPUS / self.kind
                folder.mkdir(parents=True, exist_ok=True)
                path = folder / hashlib.sha256(data).hexdigest()[:12]
                path.write_bytes(data)
                print(f"FOUND {problem}\n  at {where}\n  kept as {path}", flush=True)
        else:
            self.count["refused" if said else "accepted"] += 1

    def report(self, path: Path) -> None:
        """Write how it went."""
        spent = time.process_time()
        path.write_text(json.dumps({"seconds": spent, "count": self.count, "faults": sorted(self.found)}))

    @property
    def over(self) -> bool:
        """Whether the time is over, or the fuzzer has taken much memory for itself."""
        return time.process_time() > self.end or _held_mb() > _ROUND_MB


def by_luck(session: Session) -> None:
    """Change the seeds, and what came of them, by luck alone."""
    pool = list(kinds.seeds_of(session.kind))
    while not session.over:
        data = changes.changed(session.kind, session.luck.choice(pool), session.luck)
        session.try_one(data)
        if session.luck.random() < 0.05 and len(pool) < 200:
            pool.append(data)


def by_coverage(session: Session, seeds: Path, report: Path) -> None:
    """Let atheris choose which inputs are worth changing, and change most of them by words."""

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        luck = Random(seed)
        if luck.random() < 0.8:
            return changes.changed(session.kind, data, luck)[:most]
        return bytes(atheris.Mutate(data, most))

    def one(data: bytes) -> None:
        session.try_one(data)
        if session.over:
            session.report(report)
            sys.stdout.flush()
            os._exit(0)

    flags = [
        "fuzz",
        str(seeds),
        f"-seed={session.seed}",
        f"-max_len={changes.MOST}",
        "-timeout=120",
        "-rss_limit_mb=0",
        "-verbosity=0",
        "-print_final_stats=0",
    ]
    atheris.Setup(flags, one, custom_mutator=mutate)
    atheris.Fuzz()


def in_rounds(kind: str, minutes: float, seed: int, *, plain: bool) -> bool:
    """Spend the time in processes of their own and say how it went; whether nothing was found."""
    seeds, report = Path(tempfile.mkdtemp(prefix="blinasim-seeds-")), Path(tempfile.mkdtemp()) / "round.json"
    for number, data in enumerate(kinds.seeds_of(kind)):
        (seeds / str(number)).write_bytes(data)
    count: Counter[str] = Counter()
    faults: set[str] = set()
    spent = 0.0
    while (left := minutes - spent / 60) > 0.01:
        command = [sys.executable, __file__, kind, "--minutes", str(min(left, _ROUND_MINUTES)), "--seed", str(seed)]
        report.unlink(missing_ok=True)
        run = subprocess.run([*command, "--round", str(seeds), str(report), *(["--plain"] if plain else [])])
        if not report.exists():
            print(f"{kind}: a round ended with exit code {run.returncode}, seed {seed}")
            return False
        said = json.loads(report.read_text())
        spent, seed = spent + said["seconds"], seed + 1
        count.update(said["count"])
        faults.update(said["faults"])
    tried = f"{sum(count.values()):,} inputs in {spent / 60:.1f} minutes of processor time"
    print(f"{kind}: {tried}, {dict(count)}, {len(list(seeds.iterdir()))} to go on from, {len(faults)} faults")
    kinds.keep(kind, (path.read_bytes() for path in seeds.iterdir()))
    return not faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=sorted(kinds.KINDS))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plain", action="store_true", help="by luck alone")
    parser.add_argument("--round", type=Path, nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.round is None:
        sys.exit(0 if in_rounds(asked.kind, asked.minutes, asked.seed, plain=asked.plain) else 1)
    session = Session(asked.kind, asked.minutes, asked.seed)
    if asked.plain or atheris is None:
        by_luck(session)
        session.report(asked.round[1])
    else:
        by_coverage(session, *asked.round)


if __name__ == "__main__":
    main()
