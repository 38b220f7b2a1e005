"""A pathway of eight stages in SimPy, ciw, salabim and NumPy: the same stages, distributions and trials.

Nothing is contended: patients wait out a stage and go on to another, or leave. Each library does it as its own
documentation would, and all must find the mean time to the end that the pathway has in closed form. The numbers of the
pathway are round ones near the baseline's: it is for the comparison, not for the clinic.
"""

from __future__ import annotations

import math
import random
from bisect import bisect
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from itertools import accumulate
from typing import Any, Final

import numpy as np
import simpy
from measure import Spread, Table, in_turn, run_as_script
from numpy.typing import NDArray


@dataclass(frozen=True)
class Stage:
    """A stage lasts ``days`` exactly, or by a Weibull law of that scale; then come others, or with the rest the end."""

    name: str
    days: float
    weibull_shape: float | None = None
    then: Mapping[str, float] = field(default_factory=dict)

    def moment(self, power: int) -> float:
        """Return the mean of the stage's days, or of their square."""
        return self.days**power * (1.0 if self.weibull_shape is None else math.gamma(1 + power / self.weibull_shape))


#: Nobody goes back: what comes after a stage stands below it.
PATHWAY: Final = (
    Stage("cycle 1", 42, then={"cycle 2": 0.50, "work-up": 0.34, "failure": 0.10}),
    Stage("cycle 2", 42, then={"work-up": 0.18, "failure": 0.72}),
    Stage("work-up", 14, then={"donor search": 0.6, "consolidation": 0.4}),
    Stage("donor search", 45, 1.2, then={"early after transplant": 0.55, "failure": 0.42}),
    Stage("consolidation", 200, 0.9, then={"failure": 0.85}),
    Stage("early after transplant", 100, then={"late after transplant": 0.85}),
    Stage("late after transplant", 900, 0.7, then={"failure": 0.60}),
    Stage("failure", 120, 0.8),
)
END: Final = len(PATHWAY)
#: Chance of going from each stage (row) to each (column); what a row lacks of 1 goes to the end.
ROUTES: Final = np.array([[stage.then.get(other.name, 0.0) for other in PATHWAY] for stage in PATHWAY])
CUMULATIVE: Final[list[list[float]]] = [list(accumulate(row)) for row in ROUTES.tolist()]
PATIENTS: Final = 189
#: Days between the entries of two patients of a trial.
ENTRY_INTERVAL: Final = 4
#: How many standard errors a mean may be off before the libraries are said to disagree.
TOLERANCE: Final = 4.0

Days = Sequence[float] | NDArray[np.float64]


# --- the pathway, once in each library ----------------------------------------------------------------


def following(stage: int, uniform: float) -> int:
    """Return the stage that comes next, or END."""
    return bisect(CUMULATIVE[stage], uniform)


def in_simpy(trials: int) -> Days:
    """A generator a patient, an environment a trial."""
    ended: list[float] = []

    def patient(env: simpy.Environment, entry: float, rng: random.Random) -> Generator[simpy.Event, object, None]:
        yield env.timeout(entry)
        stage = 0
        while stage < END:
            law = PATHWAY[stage]
            shape = law.weibull_shape
            yield env.timeout(law.days if shape is None else rng.weibullvariate(law.days, shape))
            stage = following(stage, rng.random())
        ended.append(env.now - entry)

    for trial in range(trials):
        env, rng = simpy.Environment(), random.Random(trial)
        for number in range(PATIENTS):
            env.process(patient(env, ENTRY_INTERVAL * number, rng))
        env.run()
    return ended


def in_ciw(trials: int) -> Days:
    """A network of eight nodes, infinitely many servers at each."""
    import ciw

    entries = [0.0, *[float(ENTRY_INTERVAL)] * (PATIENTS - 1), math.inf]
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Sequential(entries), *[None] * (END - 1)],
        service_distributions=[
            ciw.dists.Deterministic(float(stage.days))
            if stage.weibull_shape is None
            else ciw.dists.Weibull(stage.days, stage.weibull_shape)
            for stage in PATHWAY
        ],
        routing=ROUTES.tolist(),
        number_of_servers=[math.inf] * END,
    )
    ended: list[float] = []
    for trial in range(trials):
        ciw.seed(trial)
        simulation = ciw.Simulation(network)
        simulation.simulate_until_max_customers(PATIENTS)
        records = (individual.data_records for individual in simulation.get_all_individuals())
        ended.extend(stages[-1].exit_date - stages[0].arrival_date for stages in records)
    return ended


def in_salabim(trials: int) -> Days:
    """A component a patient, an environment a trial, processes that yield (greenlets were no faster)."""
    import salabim

    ended: list[float] = []

    class Patient(salabim.Component):  # type: ignore[misc]
        def process(self) -> Iterator[Any]:
            entry, stage = self.env.now(), 0
            while stage < END:
                yield self.hold(laws[stage].sample())
                stage = following(stage, random.random())  # the stream that salabim draws from and seeds
            ended.append(self.env.now() - entry)

    for trial in range(trials):
        env = salabim.Environment(trace=False, random_seed=trial, yieldless=False)
        laws = [
            salabim.Constant(stage.days, env=env)
            if stage.weibull_shape is None
            else salabim.Weibull(stage.days, stage.weibull_shape, env=env)
            for stage in PATHWAY
        ]
        salabim.ComponentGenerator(Patient, moments=[ENTRY_INTERVAL * number for number in range(PATIENTS)], env=env)
        env.run()
    return ended


def in_numpy(trials: int) -> Days:
    """Stage by stage, everybody who comes through it at once, all trials together."""
    rng = np.random.default_rng(0)
    days = np.zeros(trials * PATIENTS)
    where = np.zeros(days.size, dtype=np.int8)
    for number, stage in enumerate(PATHWAY):
        here = np.flatnonzero(where == number)
        shape = stage.weibull_shape
        days[here] += stage.days if shape is None else stage.days * rng.weibull(shape, here.size)
        where[here] = np.searchsorted(CUMULATIVE[number], rng.random(here.size), side="right")
    return days


@dataclass(frozen=True)
class Library:
    """Who walks the pathway; ``walk`` gives the days from entry to end of all patients of so many trials."""

    name: str
    walk: Callable[[int], Days]
    package: str

    @property
    def installed(self) -> bool:
        """Whether it is here to be compared."""
        return find_spec(self.package) is not None


SIMPY: Final = Library("SimPy", in_simpy, "simpy")
LIBRARIES: Final = (
    SIMPY,
    Library("ciw", in_ciw, "ciw"),
    Library("salabim", in_salabim, "salabim"),
    Library("NumPy arrays", in_numpy, "numpy"),
)


# --- agreement, then time -----------------------------------------------------------------------------


def visits() -> float:
    """Return the mean number of stages that a patient goes through."""
    return float(np.linalg.solve(np.eye(END) - ROUTES, np.ones(END))[0])


def exact_mean_and_deviation() -> tuple[float, float]:
    """Return mean and standard deviation of the days to the end: the pathway is a chain of independent stages."""
    first = np.array([stage.moment(1) for stage in PATHWAY])
    second = np.array([stage.moment(2) for stage in PATHWAY])
    mean = np.linalg.solve(np.eye(END) - ROUTES, first)
    square = np.linalg.solve(np.eye(END) - ROUTES, second + 2 * first * (ROUTES @ mean))
    return float(mean[0]), math.sqrt(square[0] - mean[0] ** 2)


def check_mean(name: str, days: Days, trials: int) -> float:
    """Return a library's mean days to the end, after holding it against the exact one.

    Raises
    ------
    ArithmeticError
        If patients are missing, or the mean is further off than chance would have it.
    """
    if len(days) != trials * PATIENTS:
        raise ArithmeticError(f"{name}: {len(days)} of {trials * PATIENTS} patients reached the end")
    mean, deviation = exact_mean_and_deviation()
    error = deviation / math.sqrt(len(days))
    found = float(np.mean(days))
    if abs(found - mean) > TOLERANCE * error:
        raise ArithmeticError(f"{name}: mean {found:.1f} days to the end, expected {mean:.1f} ± {error:.1f}; not timed")
    return found


def measure(trials: int = 20, rounds: int = 5) -> Table:
    """Hold the libraries against the exact mean, then time them in turn."""
    present = [library for library in LIBRARIES if library.installed]
    means = {library.name: check_mean(library.name, library.walk(trials), trials) for library in present}
    seconds = in_turn({library.name: partial(library.walk, trials) for library in present}, rounds)
    mean, deviation = exact_mean_and_deviation()
    error = deviation / math.sqrt(trials * PATIENTS)
    missing = [library.name for library in LIBRARIES if not library.installed]
    note = f" Not installed, so not here (`pip install -e '.[bench]'`): {', '.join(missing)}." if missing else ""
    return Table(
        title="An eight-stage pathway elsewhere",
        about=f"{trials} trials of {PATIENTS} patients, one entering every {ENTRY_INTERVAL} days, {visits():.2f} "
        "stages a patient, nothing contended: the pathway of blinasim reduced until every library can say it "
        f"(`benchmarks/peers.py`). The exact mean time to the end is {mean:.1f} days (Monte Carlo standard error here "
        f"{error:.1f}); a library that misses it by more than {TOLERANCE:g} of these is not timed. SimPy and "
        "salabim are given the same random numbers. Medians (range) of the rounds; ratios are of speeds, above 1 is "
        f"faster.{note}",
        columns=("", "mean days to end", "patients/s", "against SimPy"),
        rows=[
            (
                name,
                f"{means[name]:.1f}",
                str(Spread.of_rates(trials * PATIENTS, spent)),
                str(Spread.of_ratios(seconds[SIMPY.name], spent)),
            )
            for name, spent in seconds.items()
        ],
    )


if __name__ == "__main__":
    run_as_script(measure, quick={"trials": 1, "rounds": 1})
