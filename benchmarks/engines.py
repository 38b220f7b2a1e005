"""Patients per second of both engines, beside a bare SimPy pathway with as many timeouts."""

from __future__ import annotations

from collections.abc import Callable

import bare_simpy
import simpy
from measure import Spread, Table, in_turn, run_as_script

from blinasim.engine import des, fast
from blinasim.luck import Draws, Luck
from blinasim.model.catalogue import load_parameters
from blinasim.scenario.loading import load_scenario
from blinasim.study.batch import lives_of

BARE, DES, FAST = "bare SimPy, as many timeouts", "engine `des`", "engine `fast`"


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


def measure(replications: int = 64, rounds: int = 7) -> Table:
    """Walk the same lives with both engines, and wait as often in a bare SimPy pathway."""
    scenario = load_scenario("baseline")
    size = scenario.cohort.size
    lives = lives_of(scenario, load_parameters(), Draws(Luck(1), range(replications), size)).lives
    total = replications * size
    timeouts = count_timeouts(lambda: des.walk(lives))
    each, more = divmod(timeouts, total)
    waits = [[100] * (each + (index < more)) for index in range(total)]
    seconds = in_turn(
        {BARE: lambda: bare_simpy.walk(waits, size), DES: lambda: des.walk(lives), FAST: lambda: fast.walk(lives)},
        rounds,
    )
    return Table(
        title="The two engines",
        about=f"The same {total:,} lives, trials of {size}, from fates to histories, without an event log; "
        f"{timeouts / total:.2f} timeouts a patient in `des`. The bare pathway is frozen (`benchmarks/bare_simpy.py`) "
        "and has no medicine in it. Medians (range) of the rounds; ratios are of speeds, above 1 is faster.",
        columns=("", "patients/s", "against bare SimPy", "against `des`"),
        rows=[
            (
                name,
                str(Spread.of_rates(total, seconds[name])),
                str(Spread.of_ratios(seconds[BARE], seconds[name])),
                str(Spread.of_ratios(seconds[DES], seconds[name])),
            )
            for name in seconds
        ],
    )


if __name__ == "__main__":
    run_as_script(measure, quick={"replications": 2, "rounds": 1})
