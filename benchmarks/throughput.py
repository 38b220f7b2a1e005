"""From luck to history, to the estimates of every trial, to the whole study: how much on one core."""

from __future__ import annotations

from collections.abc import Iterator

from measure import Spread, Table, in_turn, run_as_script

from blinasim.engine import fast
from blinasim.luck import Draws, Luck
from blinasim.model.catalogue import load_parameters
from blinasim.model.parameters import Parameters
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.settings import Scenario
from blinasim.study.batch import live, lives_of
from blinasim.study.chunks import CHUNK_PATIENTS
from blinasim.study.simulate import Result, simulate
from blinasim.trial.endpoints import ENDPOINTS, estimate

PLANS, WALK, HISTORIES = "luck to fates and plan", "fates and plan to history", "luck to history"
ESTIMATES, STUDY = "... and seen, all endpoints of each trial", "... and limits, oracles, curves (`simulate`)"


def baseline(replications: int) -> Scenario:
    """Return the source study, so many trials of it."""
    return load_scenario("baseline", [f"study.replications={replications}"])


def blocks(scenario: Scenario) -> Iterator[Draws]:
    """Yield the luck of the scenario's trials in the blocks that a study takes them in."""
    total, size = scenario.study.replications, scenario.cohort.size
    step = max(1, CHUNK_PATIENTS // size)
    for first in range(0, total, step):
        yield Draws(Luck(scenario.study.seed), range(first, min(first + step, total)), size)


def histories(scenario: Scenario, parameters: Parameters) -> None:
    """Live all trials, without an event log, and forget them."""
    for draws in blocks(scenario):
        fast.walk(lives_of(scenario, parameters, draws).lives)


def estimates(scenario: Scenario, parameters: Parameters) -> None:
    """Live all trials, see each as the trial would, and estimate every endpoint of each."""
    for draws in blocks(scenario):
        estimate(live(scenario, parameters, draws, engine="fast").seen, scenario.trial)


def study(scenario: Scenario, parameters: Parameters) -> Result:
    """Do all that a study does, in this process."""
    return simulate(scenario, parameters=parameters, engine="fast")


def measure(replications: int = 260, rounds: int = 7) -> Table:
    """Measure each step, from the luck of the patients to the whole of a study."""
    scenario, parameters = baseline(replications), load_parameters()
    lives = [lives_of(scenario, parameters, draws).lives for draws in blocks(scenario)]
    seconds = in_turn(
        {
            PLANS: lambda: [lives_of(scenario, parameters, draws) for draws in blocks(scenario)],
            WALK: lambda: [fast.walk(block) for block in lives],
            HISTORIES: lambda: histories(scenario, parameters),
            ESTIMATES: lambda: estimates(scenario, parameters),
            STUDY: lambda: study(scenario, parameters),
        },
        rounds,
    )
    total = replications * scenario.cohort.size
    return Table(
        title="From luck to results",
        about=f"{replications} trials of {scenario.cohort.size} patients of the baseline on one core, {len(ENDPOINTS)} "
        "endpoints, no event log. Medians (range) of the rounds; the last column is time, as a multiple of that of "
        "luck to history.",
        columns=("", "patients/s", "trials/s", "time against luck to history"),
        rows=[
            (
                name,
                str(Spread.of_rates(total, spent)),
                str(Spread.of_rates(replications, spent)),
                str(Spread.of_ratios(spent, seconds[HISTORIES])),
            )
            for name, spent in seconds.items()
        ],
    )


if __name__ == "__main__":
    run_as_script(measure, quick={"replications": 2, "rounds": 1})
