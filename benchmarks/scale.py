"""Cost of a patient from a thousand to a hundred million of them: time and peak memory, each in a fresh process."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from measure import Spread, Table, figure, peak_memory_mib, run_as_script
from throughput import baseline, histories, study

from blinasim.model.catalogue import load_parameters
from blinasim.model.parameters import Parameters
from blinasim.scenario.settings import Scenario

#: Larger than this is walked once, not in rounds: noise is small there, and patience too.
IN_ROUNDS_UP_TO = 10**6
WORK: dict[str, Callable[[Scenario, Parameters], object]] = {"luck to history": histories, "whole study": study}


@dataclass(frozen=True)
class Cost:
    """What some patients cost a process of their own; ``idle_mib`` is its peak before the first patient."""

    seconds_per_patient: float
    peak_mib: float
    idle_mib: float


def cost(work: str, patients: int) -> Cost:
    """Live at least so many patients, in whole trials."""
    size = baseline(1).cohort.size
    scenario, parameters = baseline(-(-patients // size)), load_parameters()
    WORK[work](baseline(1), parameters)  # what is loaded at first use is no patient's cost
    idle_mib, start = peak_memory_mib(), time.process_time()
    WORK[work](scenario, parameters)
    spent = time.process_time() - start
    return Cost(spent / (scenario.study.replications * size), peak_memory_mib(), idle_mib)


def cost_in_fresh_process(work: str, patients: int) -> Cost:
    """Let a process that did nothing else before pay."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
        return fresh.submit(cost, work, patients).result()


def measure(to: int = 6, rounds: int = 3) -> Table:
    """Measure 10^3 to 10^TO patients; --to 8 takes about ten minutes."""
    costs: dict[tuple[int, str], list[Cost]] = {}
    sizes = [10**exponent for exponent in range(min(3, to), to + 1)]
    for number in range(rounds):  # in turn, as everywhere
        for patients in sizes:
            for work in WORK:
                if number == 0 or patients <= IN_ROUNDS_UP_TO:
                    costs.setdefault((patients, work), []).append(cost_in_fresh_process(work, patients))
    idle = [figure(costs[sizes[0], work][0].idle_mib) for work in WORK]
    return Table(
        title="Cost of a patient, by their number",
        about=f"Trials of {baseline(1).cohort.size}, each cell in a fresh process on one core, medians (range) of the "
        f"rounds (one above {IN_ROUNDS_UP_TO:,}). Of the peak memory {' and '.join(idle)} MiB were held after a first "
        "trial, which does not count: Python and libraries. A study keeps the estimates of every trial, and so grows "
        "with the trials by half a kilobyte each; nothing grows with luck to history.",
        columns=("patients", *(f"{work}, {unit}" for work in WORK for unit in ("µs a patient", "peak MiB"))),
        rows=[(f"{patients:,}", *_cells([costs[patients, work] for work in WORK])) for patients in sizes],
    )


def _cells(found: list[list[Cost]]) -> list[str]:
    return [
        str(spread)
        for costs in found
        for spread in (
            Spread.of([1e6 * each.seconds_per_patient for each in costs]),
            Spread.of([each.peak_mib for each in costs]),
        )
    ]


if __name__ == "__main__":
    run_as_script(measure, quick={"to": 3, "rounds": 1})
