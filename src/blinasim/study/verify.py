"""Verify an installation: reference answers and closed forms, computed on this machine and compared.

What is expected stands in ``calibration/reference_answers.yaml``, with its source; this module only computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from scipy.special import ndtri

from blinasim.engine import des, fast
from blinasim.errors import ParameterError
from blinasim.files import complaint, data_folder, read_yaml
from blinasim.luck import Draws, Luck
from blinasim.model.catalogue import load_parameters
from blinasim.model.durations import DAYS_PER_MONTH, exponential, whole_days
from blinasim.model.history import COLUMNS
from blinasim.scenario.loading import load_scenario
from blinasim.statistics import cox, group_sequential, sample_size, survival
from blinasim.statistics.error_spending import spent
from blinasim.statistics.hazard_ratio import hazard_ratio
from blinasim.statistics.illness_death import IllnessDeath
from blinasim.statistics.intervals import clopper_pearson
from blinasim.statistics.logrank import log_rank
from blinasim.statistics.single_arm import TwoStage, exact_test, simon
from blinasim.study.batch import lives_of

_FILE: Final = "reference_answers.yaml"
#: Seed of whatever is simulated here.
_SEED: Final = 1


class Answer(BaseModel):
    """What is expected, and from whom.

    Attributes
    ----------
    what : str
        In words.
    labels, values, tolerances : tuple
        Of each figure, equally many; tolerances are absolute.
    source : str
        Publication or package, or the closed form.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: str = Field(min_length=10)
    labels: tuple[str, ...]
    values: tuple[float, ...]
    tolerances: tuple[float, ...]
    source: str = Field(min_length=3)

    @model_validator(mode="after")
    def _of_one_length(self) -> Answer:
        if not len(self.labels) == len(self.values) == len(self.tolerances):
            raise ValueError("labels, values and tolerances must be equally many")
        return self


@dataclass(frozen=True)
class Verified:
    """One figure: expected and obtained, and whether they agree within the tolerance."""

    id: str
    what: str
    label: str
    expected: float
    obtained: float
    tolerance: float
    source: str

    @property
    def passed(self) -> bool:
        """Whether it agrees; what is not a number never does."""
        # A tolerance of half a unit of the last digit holds the ends, which decimal fractions miss by a rounding.
        return abs(self.obtained - self.expected) <= self.tolerance * (1.0 + 1e-9) + 1e-12


def reference_answers(path: Path | None = None) -> dict[str, Answer]:
    """Read what is expected, by id.

    Raises
    ------
    ParameterError
        If the file is wrong, or does not hold exactly what can be computed; one line with its place.
    """
    document = read_yaml(path or data_folder("calibration") / _FILE, ParameterError)
    answers = {}
    for name, said in document.data.items():
        if name not in _COMPUTED:
            raise ParameterError(f"{name}: nothing of that name is computed", document.place((name,)))
        try:
            answers[name] = Answer.model_validate(said)
        except ValidationError as problem:
            inside, what = complaint(problem)
            where = ".".join(str(part) for part in (name, *inside))
            raise ParameterError(f"{where}: {what}", document.place((name, *inside))) from None
    for name in _COMPUTED:
        if name not in answers:
            raise ParameterError(f"{name}: is missing", document.place(()))
    return answers


def verify(path: Path | None = None, progress: Callable[[int], None] | None = None) -> list[Verified]:
    """Compute every reference answer on this machine.

    Parameters
    ----------
    path : Path, optional
        Another file of answers.
    progress : callable, optional
        Called with 1 after each answer.

    Returns
    -------
    list of Verified
        A line for each figure, in the order of the file.
    """
    lines: list[Verified] = []
    for name, answer in reference_answers(path).items():
        obtained = [float(value) for value in _COMPUTED[name]()]
        for label, expected, found, tolerance in zip(
            answer.labels, answer.values, obtained, answer.tolerances, strict=True
        ):
            lines.append(Verified(name, answer.what, label, expected, found, tolerance, answer.source))
        if progress:
            progress(1)
    return lines


def answers_to_compute() -> int:
    """Return how many answers `verify` computes."""
    return len(_COMPUTED)


# --- what is computed -----------------------------------------------------------------------------------


def _simon(p0: float, p1: float, alpha: float, beta: float, *, minimax: bool, stop: bool = True) -> list[float]:
    design: TwoStage = simon(p0, p1, alpha, beta)[minimax]
    figures = [design.r1, design.n1, design.r, design.n, design.expected_size(p0), design.early_stop(p0)]
    return figures[: 6 if stop else 5]


def _exact() -> list[float]:
    plan = exact_test(0.05, 0.025, 25)
    return [plan.success_from[0], plan.characteristics(0.20).success]


def _clopper_pearson() -> Iterator[float]:
    for lower, upper in zip(*clopper_pearson([81, 60, 3], [189, 73, 32]), strict=True):
        yield from (lower, upper)


def _lan_demets() -> list[float]:
    fraction = np.array([0.5, 0.75, 1.0])
    alpha_spent = spent("obrien_fleming", fraction, 0.025)
    return [float(z) for z in group_sequential.spending_boundaries(fraction, alpha_spent).upper[0]]


def _lung() -> tuple[Any, Any, Any]:
    """Return days, deaths and women of the lung data, arrays of shape (1, 228)."""
    from lifelines.datasets import load_lung

    data = load_lung()
    columns = (data["time"].to_numpy(), data["status"].to_numpy() == 1, data["sex"].to_numpy() == 2)
    return columns[0][np.newaxis], columns[1][np.newaxis], columns[2][np.newaxis]


def _lung_median() -> list[float]:
    time, event, _ = _lung()
    fit = survival.fit(time, event)
    limits = [survival.median_interval(fit, transform=transform) for transform in ("log-log", "log")]
    return [survival.median(fit)[0], *(limit[0] for pair in limits for limit in pair)]


def _lung_log_rank() -> list[float]:
    return [log_rank(*_lung()).chi_square[0]]


def _lung_cox() -> list[float]:
    found = hazard_ratio(*_lung())
    return [found.log[0], found.standard_error[0]]


def _lung_rmst() -> Iterator[float]:
    time, event, women = _lung()
    for who in (~women, women):
        fit = survival.fit(time, event, who)
        yield survival.rmst(fit, 965)[0]
        yield survival.rmst_standard_error(fit, 965)[0]


def _heart_start_stop() -> list[float]:
    from lifelines.datasets import load_stanford_heart_transplants

    data = load_stanford_heart_transplants()
    entry, stop = (np.rint(2.0 * data[each].to_numpy()).astype(np.int64)[np.newaxis] for each in ("start", "stop"))
    event, transplanted = (data[each].to_numpy()[np.newaxis] == 1 for each in ("event", "transplant"))
    fitted = cox.fit(entry, stop, event, transplanted[..., np.newaxis].astype(np.float64))
    return [float(fitted.coefficient[0, 0]), float(fitted.standard_error[0, 0])]


def _heart_naive() -> list[float]:
    from lifelines.datasets import load_stanford_heart_transplants

    patients = load_stanford_heart_transplants().groupby("id")[["stop", "event", "transplant"]].max()
    half_days = np.rint(2.0 * patients["stop"].to_numpy()).astype(np.int64)
    event, ever = patients["event"].to_numpy() == 1, patients["transplant"].to_numpy() == 1
    return [hazard_ratio(half_days[np.newaxis], event[np.newaxis], ever[np.newaxis]).ratio[0]]


_PROCESS: Final = IllnessDeath(0.11, 0.03, 0.10)


def _illness_death() -> list[float]:
    return [_PROCESS.progression_free_median, _PROCESS.overall_median, _PROCESS.overall_mean]


def _illness_death_simulated() -> list[float]:
    """Live the process with our luck, our days, and our estimators; every stage is rounded up to whole days."""
    patients = 200_000
    draws = Draws(Luck(_SEED), range(1), patients)

    def days(name: str, per_month: float) -> Any:
        return whole_days(exponential(draws.uniform(f"verify.{name}")) * DAYS_PER_MONTH / per_month)

    first = days("first", _PROCESS.leaving)
    falls_ill = draws.uniform("verify.ill") < _PROCESS.h01 / _PROCESS.leaving
    death = first + np.where(falls_ill, days("second", _PROCESS.h12), 0)
    everybody = np.ones(death.shape, dtype=np.bool_)
    stages = 1.0 + _PROCESS.h01 / _PROCESS.leaving
    fits = [survival.fit(time.astype(np.int64), everybody) for time in (first, death)]
    corrected = [
        survival.median(fits[0])[0] - 0.5,
        survival.median(fits[1])[0] - 0.5 * stages,
        death.mean() - 0.5 * stages,
    ]
    return [value / DAYS_PER_MONTH for value in corrected]


def _log_rank_power() -> list[float]:
    """Test two exponential arms after exactly 200 events; nobody is censored before."""
    trials, patients, events = 4_000, 300, 200
    draws = Draws(Luck(_SEED), range(trials), patients)
    treated = np.broadcast_to(np.arange(patients) % 2 == 1, (trials, patients))
    time = whole_days(exponential(draws.uniform("verify.power")) * 1_000.0 / np.where(treated, 0.7, 1.0))
    end = np.partition(time, events - 1, axis=1)[:, events - 1 : events]
    z = log_rank(np.minimum(time, end).astype(np.int64), time <= end, treated).z
    return [float(np.mean(z < ndtri(0.025)))]


def _group_sequential_error() -> Iterator[float]:
    """Walk a Brownian motion to the three looks, and count where it first crosses."""
    information = np.array([0.5, 0.75, 1.0])
    steps = ndtri(Draws(Luck(_SEED), range(100_000), 3).uniform("verify.motion"))
    z = np.cumsum(steps * np.sqrt(np.diff(information, prepend=0.0)), axis=1) / np.sqrt(information)
    above = z >= np.array(_lan_demets())
    first = np.where(above.any(axis=1), above.argmax(axis=1), -1)
    for look in range(3):
        yield float(np.mean(first == look))


def _engines() -> list[float]:
    scenario = load_scenario("baseline")
    world = lives_of(scenario, load_parameters(), Draws(Luck(_SEED), range(2), scenario.cohort.size))
    one, other = fast.walk(world.lives), des.walk(world.lives)
    differ = [getattr(one, name) != getattr(other, name) for name in COLUMNS]
    return [float(np.any(differ, axis=0).sum())]


_COMPUTED: Final[dict[str, Callable[[], Any]]] = {
    "simon_optimal_05_25": lambda: _simon(0.05, 0.25, 0.05, 0.20, minimax=False),
    "simon_minimax_05_25": lambda: _simon(0.05, 0.25, 0.05, 0.20, minimax=True),
    "simon_optimal_10_30": lambda: _simon(0.10, 0.30, 0.05, 0.20, minimax=False),
    "simon_minimax_10_30": lambda: _simon(0.10, 0.30, 0.05, 0.20, minimax=True, stop=False),
    "exact_binomial": _exact,
    "clopper_pearson": _clopper_pearson,
    "obrien_fleming_constants": lambda: group_sequential.wang_tsiatis(np.arange(1, 4) / 3, 0.025, 0.0),
    "lan_demets_obrien_fleming": _lan_demets,
    "schoenfeld": lambda: [sample_size.schoenfeld_events(0.7, 0.025, 0.9, ratio) for ratio in (1.0, 2.0)],
    "lung_median": _lung_median,
    "lung_log_rank": _lung_log_rank,
    "lung_cox": _lung_cox,
    "lung_rmst": _lung_rmst,
    "heart_start_stop": _heart_start_stop,
    "heart_naive": _heart_naive,
    "illness_death_simidm": lambda: [IllnessDeath(0.7, 0.5, 0.8).overall_survival(1.0)],
    "illness_death_trialsimulator": _illness_death,
    "illness_death_simulated": _illness_death_simulated,
    "log_rank_power": _log_rank_power,
    "group_sequential_error": _group_sequential_error,
    "engines": _engines,
}
