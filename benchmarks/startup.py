"""How long the first answers take: fresh processes, beside a Python that does nothing."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial

from measure import Spread, Table, figure, in_turn, run_as_script

BARE = "`python -c pass`"
COMMANDS: dict[str, tuple[str, ...]] = {
    BARE: ("-c", "pass"),
    "`import numpy`": ("-c", "import numpy"),
    "`import blinasim`": ("-c", "import blinasim"),
    "`blinasim --version`": ("-m", "blinasim", "--version"),
    "`blinasim --help`": ("-m", "blinasim", "--help"),
    "`blinasim run baseline --replications 1 --dry-run`": (
        *("-m", "blinasim", "run", "baseline"),
        *("--replications", "1", "--dry-run"),
    ),
}


def start(arguments: tuple[str, ...], folder: str) -> None:
    """Run a fresh Python to its end, in a folder where it meets nothing."""
    subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, check=True)


def measure(rounds: int = 11) -> Table:
    """Measure what a user waits for: the whole life of a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        jobs: dict[str, Callable[[], object]] = {
            name: partial(start, arguments, folder) for name, arguments in COMMANDS.items()
        }
        seconds = in_turn(jobs, rounds, clock=time.perf_counter)
    return Table(
        title="Start-up",
        about=f"Wall-clock time of {rounds} fresh processes each, files in the system's cache; `import numpy` only for "
        "comparison. The ratio is the median (range) of the rounds.",
        columns=("", "best, ms", "median, ms", "against a bare Python"),
        rows=[
            (
                name,
                figure(1000 * min(spent)),
                figure(1000 * Spread.of(spent).median),
                str(Spread.of_ratios(spent, seconds[BARE])),
            )
            for name, spent in seconds.items()
        ],
    )


if __name__ == "__main__":
    run_as_script(measure, quick={"rounds": 1})
