"""How long the page takes to answer: each change as a visitor makes it, in this process, without the browser.

``python benchmarks/app.py [TIMES]`` prints the median of so many changes (5), each to a value not seen before, so that
nothing comes from the page's memory. A browser adds what it takes to show a few pictures.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from streamlit.testing.v1 import AppTest

from blinasim.app import designs, explore, illusion, stories, trial_view
from blinasim.scenario.loading import load_scenario

#: Seconds within which a page should answer.
BAR = 1.0


def computations() -> dict[str, Callable[[int], object]]:
    """Return what each page computes and draws for the n-th value of a setting."""
    baseline, early = load_scenario("baseline"), load_scenario("early_donor_search")

    def policy(n: int) -> object:
        return explore.answer(load_scenario("early_donor_search", [f"policy.transplant.preparation_days={15 + n}"]))

    def patient(n: int) -> object:
        trial, number = stories.found("relapses while a donor is sought", baseline, early)[n]
        return stories.two_lives(baseline, early, ("baseline", "early_donor_search"), trial, number)

    return {
        "Explore a policy": policy,
        "A patient's story": patient,
        "What the trial saw": lambda n: trial_view.seen(trial_view.asked("baseline", 430, 90 + n, 2, 189)),
        "The transplant illusion": lambda n: (
            illusion.illusion("nothing at all", 90 + n),
            illusion.guaranteed("nothing at all", 2 + n),
        ),
        "Design a trial": lambda n: designs.judged(designs.Planned("phase3_standard_therapy", size=390 - n), 200),
    }


class Taken(NamedTuple):
    """Seconds of one change: by the clock, and of this process's work, which others on the machine do not lengthen."""

    clock: float
    work: float


def timed(what: Callable[[int], object], times: int) -> list[Taken]:
    """Time each change after the first, which also imports what is needed."""
    return [taken(what, n) for n in range(times + 1)][1:]


def taken(what: Callable[[int], object], n: int) -> Taken:
    """Time one change."""
    begin, busy = time.perf_counter(), time.process_time()
    what(n)
    return Taken(time.perf_counter() - begin, time.process_time() - busy)


def whole_page(times: int) -> list[Taken]:
    """Time whole reruns of Explore a policy after a slider is moved, by Streamlit's own test bench."""
    page = AppTest.from_string("from blinasim.app.screens import explore\nexplore.show()", default_timeout=60).run()

    def move(n: int) -> object:
        slider = next(one for one in page.slider if one.label == "Preparation, days")
        return slider.set_value(40 + n).run()

    return timed(move, times)


def main() -> None:
    """Print a line a page."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{'page':<42}  by the clock, s  slowest, s  work, s   (medians of {times} changes)")
    found = {name: timed(what, times) for name, what in computations().items()}
    found["Explore a policy, with Streamlit's rerun"] = whole_page(times)
    for name, changes in found.items():
        clock, work = (statistics.median(column) for column in zip(*changes, strict=True))
        late = "" if clock <= BAR else f"   over {BAR:g} s"
        print(f"{name:<42}  {clock:15.2f}  {max(changes).clock:10.2f}  {work:7.2f}{late}")


if __name__ == "__main__":
    main()
