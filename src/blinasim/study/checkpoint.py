"""Checkpoints: finished chunks of a long study on disk, so that what was done need not be done again.

A checkpoint is a folder: ``checkpoint.json`` says of which study, by hashes and versions, and each finished chunk is a
file of plain arrays, written aside and renamed. It is not part of the results, and goes away when they are whole.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np

from blinasim.engine.choice import EngineName, choose
from blinasim.errors import OutputError
from blinasim.files import digest
from blinasim.files.arrays import DAMAGED
from blinasim.model.cohort_file import CohortSource
from blinasim.model.parameters import ParameterSource
from blinasim.model.policy_file import PolicyFile
from blinasim.scenario.settings import Scenario
from blinasim.study.chunks import Arrays, Chunk, from_arrays, number_versions, to_arrays

#: A run shorter than this is sooner done again than looked after; it leaves nothing behind.
WORTH_KEEPING_S: Final = 5.0

_ABOUT, _FINGERPRINT = "checkpoint.json", "fingerprint"

#: What a study is, in words and hashes by which to tell it from another.
Identity = Mapping[str, str]


def identify(
    scenario: Scenario,
    parameters: ParameterSource,
    source: CohortSource | None,
    engine: EngineName,
    chunk: int,
    own_policy: PolicyFile | None = None,
) -> Identity:
    """Return what a chunk's numbers, and its place among the others, depend on.

    Parameters
    ----------
    scenario : Scenario
        The study.
    parameters : ParameterSource
        Known by its fingerprint.
    source : CohortSource, optional
        The cohort's file, which counts by what it holds.
    engine : {"auto", "fast", "des"}
        As asked for.
    chunk : int
        Trials of a chunk.
    own_policy : PolicyFile, optional
        A policy of the user's own, which counts by its text.

    Returns
    -------
    dict of str to str
        Hashes and versions, by what they are of.

    Raises
    ------
    ScenarioError
        If ``fast`` is asked for where it cannot walk.
    """
    settings = scenario.model_dump(mode="json")
    if source is not None:
        settings["cohort"]["data"]["file"] = None  # it counts by what it holds, not by where it lies
    return {
        "scenario": digest(settings),
        "parameters": parameters.fingerprint,
        "cohort file": digest(source.text if source else None),
        "engine": choose(engine, scenario.capacity, own_policy=own_policy is not None),
        "policy": digest([own_policy.text, own_policy.name] if own_policy else None),
        "trials a chunk": str(chunk),
        **number_versions(),
    }


class Checkpoint:
    """The finished chunks of one study.

    Parameters
    ----------
    folder : Path
        Where they are kept; made when there is something worth keeping.
    identity : mapping
        Of which study (:func:`identify`).
    resume : bool
        Read the finished chunks that are there; otherwise they are replaced by the first of this run.
    force : bool
        Discard a checkpoint of another study that is there.

    Raises
    ------
    OutputError
        If there is a checkpoint of another study, to be resumed or not to be lost.
    """

    def __init__(self, folder: Path, identity: Identity, *, resume: bool, force: bool = False) -> None:
        self.folder = folder
        self._identity = dict(identity)
        self._mark = np.frombuffer(bytes.fromhex(digest(self._identity)), dtype=np.uint8)
        self._start = time.monotonic()
        self._waiting: list[tuple[range, Arrays]] = []
        #: Finished chunks on disk that are of this study.
        self.kept = 0
        self._ours = resume
        there = _read_about(folder)
        #: Whether there are chunks of this very study.
        self.resumable = there == self._identity
        if there is not None and not self.resumable and not (force and not resume):
            different = ", ".join(key for key in self._identity if there.get(key) != self._identity[key])
            raise OutputError(
                f"{folder} keeps {self.found():,} chunks of another run (other {different})",
                advice="choose another {folder}, or discard them with {force}" + " and without {resume}" * resume,
            )

    def found(self) -> int:
        """Return the number of chunks in the folder, whether they are read or not."""
        return sum(1 for _ in self.folder.glob("*.npz"))

    def read(self, block: range) -> Chunk | None:
        """Return a finished chunk; None where there is none, or where its file is damaged."""
        if not (self._ours and self.resumable):
            return None
        try:
            with np.load(self._path(block), allow_pickle=False) as file:
                arrays = dict(file)
            if not np.array_equal(arrays.pop(_FINGERPRINT), self._marked(block)):
                return None
            chunk = from_arrays(arrays)
        except DAMAGED:  # the chunk is simply done again
            return None
        self.kept += 1
        return chunk

    def write(self, block: range, chunk: Chunk) -> None:
        """Keep a finished chunk, once the run has lasted long enough for that to be of use."""
        self._waiting.append((block, to_arrays(chunk)))
        if time.monotonic() - self._start < WORTH_KEEPING_S:
            return
        self._make_ours()
        for finished, arrays in self._waiting:
            path = self._path(finished)
            aside = path.with_suffix(".part")
            try:
                with aside.open("wb") as file:
                    np.savez(file, allow_pickle=False, **{_FINGERPRINT: self._marked(finished), **arrays})
                aside.replace(path)
            except OSError:
                with suppress(OSError):
                    aside.unlink(missing_ok=True)
                raise
            self.kept += 1
        self._waiting.clear()

    def remove(self) -> None:
        """Take this run's checkpoint away, and one that it replaces."""
        _clear(self.folder)

    def leave(self) -> None:
        """Take away what this run has begun of a checkpoint, if no chunk is kept in it."""
        if self._ours and not self.found():
            _clear(self.folder)

    def _make_ours(self) -> None:
        """Have a folder that is of this study."""
        if _read_about(self.folder) == self._identity and self._ours:
            return
        _clear(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = self.folder / f"{_ABOUT}.part"
        aside.write_text(json.dumps(self._identity, indent=1) + "\n", encoding="utf-8")
        aside.replace(self.folder / _ABOUT)
        self._ours = True

    def _path(self, block: range) -> Path:
        return self.folder / f"trials-{block.start + 1:08d}-{block.stop:08d}.npz"

    def _marked(self, block: range) -> Any:
        """Return what each file says of itself: of which study it is, and which trials."""
        trials = np.array([block.start, block.stop], dtype="<i8").view(np.uint8)
        return np.concatenate([self._mark, trials])


def _read_about(folder: Path) -> dict[str, str] | None:
    """Return of which study a checkpoint is; None where there is none that can be read."""
    try:
        about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return about if isinstance(about, dict) else None


def _clear(folder: Path) -> None:
    """Remove a checkpoint: what may be one of its files, and the folder if nothing else is in it."""
    for pattern in (_ABOUT, "*.npz", "*.part"):  # what says whose the chunks are goes first
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()
