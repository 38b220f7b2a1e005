"""The effect of HSCT by every estimator: what each costs a trial, and all of them in a study of many trials."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from measure import Spread, Table, in_turn, run_as_script

from blinasim.luck import Draws, Luck
from blinasim.model.catalogue import load_parameters
from blinasim.scenario.loading import load_scenario
from blinasim.statistics import exposure
from blinasim.statistics.clone_weight import strategies
from blinasim.study.batch import live
from blinasim.study.effect import effect
from blinasim.study.estimators import Timing
from blinasim.study.exposures import exposure as tabulated

NAIVE, ADJUSTED = "ever against never, Cox", "time-dependent Cox, adjusted"
SIMON_MAKUCH, WEIGHTED, PLAIN = "Simon-Makuch", "clones, weighted, jackknife", "clones, weighted, without errors"
STUDY = "all estimators, both outcomes, their limits and truths (`effect`)"


def measure(replications: int = 100, rounds: int = 5) -> Table:
    """Measure each estimator on overall survival, and the whole study."""
    scenario = load_scenario("null_transplant", [f"study.replications={replications}"])
    batch = live(scenario, load_parameters(), Draws(Luck(1), range(replications), scenario.cohort.size))
    data, timing = tabulated("os", scenario, batch, batch.seen).packed(), Timing()
    jobs: dict[str, Callable[[], object]] = {
        NAIVE: partial(exposure.ever_against_never, data),
        ADJUSTED: partial(exposure.time_dependent, data, adjusted=True),
        SIMON_MAKUCH: partial(exposure.simon_makuch, data, timing.landmark_day, timing.day),
        PLAIN: partial(strategies, data, timing.day, timing.grace_days, groups=0),
        WEIGHTED: partial(strategies, data, timing.day, timing.grace_days),
        STUDY: partial(effect, scenario),
    }
    seconds = in_turn(jobs, rounds)
    return Table(
        title="The effect of HSCT",
        about=f"{replications} trials of {scenario.cohort.size} patients without an effect, on one core: seconds for "
        "1,000 trials, medians (range) of the rounds; the last column is time, as a multiple of the naive model's.",
        columns=("", "seconds for 1,000 trials", "time against the naive model"),
        rows=[
            (
                name,
                str(Spread.of([each * 1000 / replications for each in spent])),
                str(Spread.of_ratios(spent, seconds[NAIVE])),
            )
            for name, spent in seconds.items()
        ],
    )


if __name__ == "__main__":
    run_as_script(measure, quick={"replications": 2, "rounds": 1})
