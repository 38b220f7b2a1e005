"""Data that several tests of the room share."""

from collections.abc import Callable

import numpy as np
import pytest
from lifelines import datasets

Sample = tuple[np.ndarray, np.ndarray]


def _lung() -> Sample:
    data = datasets.load_lung()
    return data["time"].to_numpy(), data["status"].to_numpy() == 1


def _waltons() -> Sample:
    data = datasets.load_waltons()
    return data["T"].to_numpy().astype(int), data["E"].to_numpy() == 1


def _rossi() -> Sample:
    data = datasets.load_rossi()
    return data["week"].to_numpy(), data["arrest"].to_numpy() == 1


def _larynx() -> Sample:
    data = datasets.load_larynx()
    return np.rint(data["time"].to_numpy() * 10).astype(int), data["death"].to_numpy() == 1


def _gbsg2() -> Sample:
    data = datasets.load_gbsg2()
    return data["time"].to_numpy(), data["cens"].to_numpy() == 1


def _leukemia() -> Sample:
    data = datasets.load_leukemia()
    return data["t"].to_numpy(), data["status"].to_numpy() == 1


def _simulated(n: int, scale: float, seed: int) -> Sample:
    rng = np.random.default_rng(seed)
    death, censoring = rng.exponential(scale, n), rng.uniform(0, 3 * scale, n)
    return np.minimum(death, censoring).astype(int), death <= censoring


SAMPLES: dict[str, Callable[[], Sample]] = {
    "lung": _lung,
    "waltons": _waltons,
    "rossi": _rossi,
    "larynx": _larynx,
    "gbsg2": _gbsg2,
    "leukemia": _leukemia,
    "trial": lambda: _simulated(189, 300.0, seed=1),
    "many ties": lambda: _simulated(189, 6.0, seed=2),
    "few patients": lambda: _simulated(9, 100.0, seed=3),
    "one day": lambda: (np.full(6, 4), np.array([True, True, False, True, False, False])),
    "no events": lambda: (np.array([3, 8, 8, 20]), np.zeros(4, dtype=bool)),
    "all events": lambda: (np.array([3, 8, 8, 20]), np.ones(4, dtype=bool)),
    "one death": lambda: (np.array([12]), np.array([True])),
    "one censoring": lambda: (np.array([12]), np.array([False])),
    "death on day 0": lambda: (np.array([0, 5, 7]), np.array([True, True, False])),
}


@pytest.fixture(params=SAMPLES)
def sample(request: pytest.FixtureRequest) -> Sample:
    """Times and events of one data set after another, (n,) each."""
    return SAMPLES[request.param]()


@pytest.fixture
def lung() -> Sample:
    """The lung cancer data of R's survival package."""
    return _lung()


@pytest.fixture
def lung_by_sex() -> dict[str, Sample]:
    """The same, men and women apart."""
    data = datasets.load_lung()
    time, event = _lung()
    return {name: (time[data["sex"] == sex], event[data["sex"] == sex]) for name, sex in (("m", 1), ("f", 2))}


@pytest.fixture
def batch_of_trials() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """40 trials of 60 patients with many ties; members differ in number, trial 0 has none and trial 1 one."""
    rng = np.random.default_rng(7)
    time = rng.integers(0, 40, (40, 60))
    event = rng.random((40, 60)) < 0.6
    member = rng.random((40, 60)) < rng.uniform(0.1, 1.0, (40, 1))
    member[0] = False
    member[1] = np.arange(60) == 17
    return time, event, member
