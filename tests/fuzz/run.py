"""Fuzz one kind of input for some minutes of processor time: ``python tests/fuzz/run.py KIND [--minutes 10]``.

Coverage-guided where atheris is installed (the extra ``fuzz``), otherwise by luck alone. What is found is kept in
``tests/fuzz/corpus/KIND/``, which ``tests/test_fuzz.py`` tries again.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

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


class Session:
    """Tries inputs until the time is over, and counts what became of them."""

    def __init__(self, kind: str, minutes: float, seed: int) -> None:
        self.kind, self.end = kind, time.process_time() + 60.0 * minutes
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

    def report(self) -> None:
        """Say how it went."""
        tried = sum(self.count.values())
        spent = f"{time.process_time() / 60:.1f} minutes of processor time"
        faults = f"{len(self.found)} different faults"
        print(f"{self.kind}: {tried:,} inputs in {spent}, {dict(self.count)}, {faults}", flush=True)

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return time.process_time() > self.end


def by_luck(session: Session) -> None:
    """Change the seeds, and what came of them, by luck alone."""
    pool = list(kinds.seeds_of(session.kind))
    while not session.over:
        data = changes.changed(session.kind, session.luck.choice(pool), session.luck)
        session.try_one(data)
        if session.luck.random() < 0.05 and len(pool) < 200:
            pool.append(data)


def by_coverage(session: Session) -> None:
    """Let atheris choose which inputs are worth changing, and change half of them by words."""

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        luck = Random(seed)
        if luck.random() < 0.8:
            return changes.changed(session.kind, data, luck)[:most]
        return bytes(atheris.Mutate(data, most))

    def one(data: bytes) -> None:
        session.try_one(data)
        if session.over:
            session.report()
            sys.stdout.flush()
            os._exit(1 if session.found else 0)

    seeds = Path(tempfile.mkdtemp(prefix="blinasim-seeds-"))
    for number, data in enumerate(kinds.seeds_of(session.kind)):
        (seeds / str(number)).write_bytes(data)
    flags = [
        "fuzz",
        str(seeds),
        "-max_len=40000",
        "-timeout=120",
        "-rss_limit_mb=2000",
        "-verbosity=0",
        "-print_final_stats=0",
    ]
    atheris.Setup(flags, one, custom_mutator=mutate)
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=sorted(kinds.KINDS))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plain", action="store_true", help="by luck alone")
    asked = parser.parse_args()
    session = Session(asked.kind, asked.minutes, asked.seed)
    search: Any = by_luck if asked.plain or atheris is None else by_coverage
    search(session)
    session.report()
    sys.exit(1 if session.found else 0)


if __name__ == "__main__":
    main()
