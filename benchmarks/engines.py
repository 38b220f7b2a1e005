"""Patients per second of both engines, beside a bare SimPy pathway with as many timeouts, in one run.

Run it with ``python benchmarks/engines.py``. The ratio is what counts: machines differ, and drift.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import bare_simpy
import simpy

from blinasim.engine import des, fast
from blinasim.luck import Draws, Luck
from blinasim.model.parameters import load_parameters
from blinasim.scenario.loading import load_scenario
from blinasim.study.batch import lives_of

REPLICATIONS, PATIENTS, ROUNDS = 64, 189, 7


def count_timeouts(walk: Callable[[], object]) -> int:
    """Count the timeouts that a walk asks for."""
    count = 0
    original = simpy.Timeout.__init__

    def counting(self: simpy.Timeout, env: simpy.Environment, delay: float, value: object = None) -> None:
        nonlocal count
        count += 1
        original(self, env, delay, value)

    simpy.Timeout.__init__ = counting  # type: ignore[method-assign]
    try:
        walk()
    finally:
        simpy.Timeout.__init__ = original  # type: ignore[method-assign]
    return count


def patients_per_second(walk: Callable[[], object], patients: int) -> float:
    start = time.perf_counter()
    walk()
    return patients / (time.perf_counter() - start)


def main() -> None:
    scenario = load_scenario("baseline")
    draws = Draws(Luck(1), range(REPLICATIONS), PATIENTS)
    lives = lives_of(scenario, load_parameters(), draws).lives
    total = REPLICATIONS * PATIENTS
    timeouts = count_timeouts(lambda: des.walk(lives))
    each, more = divmod(timeouts, total)
    waits = [[100] * (each + (index < more)) for index in range(total)]
    engine, bare, arrays = [], [], []
    for _ in range(ROUNDS):  # in turn, so that drift of the machine hits both
        engine.append(patients_per_second(lambda: des.walk(lives), total))
        bare.append(patients_per_second(lambda: bare_simpy.walk(waits, PATIENTS), total))
        arrays.append(patients_per_second(lambda: fast.walk(lives), total))
    print(f"{total} patients, {timeouts / total:.2f} timeouts a patient, medians of {ROUNDS} rounds")
    print(f"engine/des   {statistics.median(engine):>9,.0f} patients/s")
    print(f"bare SimPy   {statistics.median(bare):>9,.0f} patients/s")
    ratios = [a / b for a, b in zip(engine, bare, strict=True)]
    print(f"des / bare   {statistics.median(ratios):>9.2f} ({min(ratios):.2f}-{max(ratios):.2f})")
    ratios = [a / b for a, b in zip(arrays, engine, strict=True)]
    print(f"engine/fast  {statistics.median(arrays):>9,.0f} patients/s")
    print(f"fast / des   {statistics.median(ratios):>9.0f} ({min(ratios):.0f}-{max(ratios):.0f})")


if __name__ == "__main__":
    main()
