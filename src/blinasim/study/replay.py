"""Replay: one trial of a study lived again by itself, or one patient of it, with the story of everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from blinasim.errors import BlinasimError
from blinasim.luck import Draws, Luck
from blinasim.model.cohort_file import CohortSource
from blinasim.model.history import LogEntry
from blinasim.model.parameters import Parameters
from blinasim.scenario.settings import Scenario
from blinasim.study.batch import Batch, live


@dataclass(frozen=True)
class Replay:
    """One trial, lived and seen, and its story; ``log`` numbers the patients from 0 within the batch."""

    batch: Batch
    log: tuple[LogEntry, ...]


def replay(
    scenario: Scenario,
    parameters: Parameters,
    trial: int,
    *,
    patient: int | None = None,
    source: CohortSource | None = None,
    own_policy: Callable[[], object] | None = None,
) -> Replay:
    """Live one trial of a study again, or one patient of it; both count from 1.

    Luck is keyed by trial and patient, so that what is replayed alone is the same to the byte as in the study; a trial
    beyond those of the study is the one that a longer study would add.

    Raises
    ------
    BlinasimError
        If trial or patient cannot be.
    """
    size = scenario.cohort.size
    if trial < 1:
        raise BlinasimError(f"--trial {trial}: trials count from 1")
    if patient is not None and not 1 <= patient <= size:
        raise BlinasimError(f"--patient {patient}: the cohort has patients 1 to {size}")
    luck, block = Luck(scenario.study.seed), range(trial - 1, trial)
    draws = Draws(luck, block, size) if patient is None else Draws(luck, block, 1, patient - 1)
    log: list[LogEntry] = []
    batch = live(scenario, parameters, draws, log, source=source, own_policy=own_policy)
    return Replay(batch, tuple(log))
