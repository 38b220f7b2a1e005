"""What the benchmarks share: taking turns, spreads, tables, peak memory, and the command line of a script.

Machines differ and drift, so things compared are measured in turn, several rounds in one process, and what counts is
the ratio within a round. Time is the processor's for whatever runs in this process: a neighbour who takes the core
does not count, a thread too many does.
"""

from __future__ import annotations

import argparse
import gc
import inspect
import math
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Spread:
    """Median and range of a figure over the rounds."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Take the figure of every round."""
        return cls(statistics.median(values), min(values), max(values))

    @classmethod
    def of_ratios(cls, above: Sequence[float], below: Sequence[float]) -> Spread:
        """Round by round: what slows a whole round down cancels."""
        return cls.of([a / b for a, b in zip(above, below, strict=True)])

    @classmethod
    def of_rates(cls, amount: float, seconds: Sequence[float]) -> Spread:
        """So much, done in so many seconds in each round."""
        return cls.of([amount / each for each in seconds])

    def __str__(self) -> str:
        if self.lowest == self.highest:
            return figure(self.median)
        return f"{figure(self.median)} ({figure(self.lowest)}-{figure(self.highest)})"


def figure(value: float) -> str:
    """Write a number with three significant digits, or whole if it has more."""
    if value == 0:
        return "0"
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


@dataclass(frozen=True)
class Table:
    """What a benchmark found: a section of the results page, as Markdown."""

    title: str
    about: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    def markdown(self) -> str:
        """Aligned, so that it can be read as it stands."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.columns))]
        rule = tuple("-" * (width - 1) + ":" if column else "-" * width for column, width in enumerate(widths))
        text = [_aligned(line, widths) for line in (self.columns, rule, *self.rows)]
        return "\n".join([f"## {self.title}", "", self.about, "", *text])


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Names to the left, figures to the right."""
    name, *figures = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join([name.strip().ljust(widths[0]), *figures])} |"


def in_turn(
    jobs: Mapping[str, Callable[[], object]], rounds: int, clock: Callable[[], float] = time.process_time
) -> dict[str, list[float]]:
    """Return the seconds of each job in each round, after a round that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for number in range(-1, rounds):
        for name, job in jobs.items():
            gc.collect()  # nobody pays for another's garbage
            start = clock()
            job()
            spent = clock() - start
            if number >= 0:
                seconds[name].append(spent)
    return seconds


def peak_memory_mib() -> float:
    """Return the most memory that this process has held since it began.

    ``ru_maxrss`` is not it where the system knows better: on Linux a new program inherits the peak of the process
    that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) / 1024
    import resource

    peak_rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak_rss / (1024 * 1024 if sys.platform == "darwin" else 1024)


def run_as_script(measure: Callable[..., Table], quick: Mapping[str, int]) -> None:
    """Make the command line of a script from what it measures: an option for each size; ``--quick`` is for tests."""
    summary = (inspect.getdoc(measure) or "").splitlines()[0]
    parser = argparse.ArgumentParser(description=summary, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    sizes = inspect.signature(measure).parameters
    for name, size in sizes.items():
        parser.add_argument(f"--{name}", type=_at_least_one, default=size.default, help=f"({quick[name]} if quick)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does it run at all?")
    given = vars(parser.parse_args())
    print(measure(**(quick if given.pop("quick") else given)).markdown())


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)
