"""Where a calibration is kept while it runs, so that it can go on after an interruption."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

from blinasim.errors import OutputError
from blinasim.files import reason
from blinasim.files.arrays import DAMAGED
from blinasim.inference.sampler import State

_IDENTITY = "identity"
_ANOTHER: Final = "choose another {checkpoint}"


class Kept:
    """The state of one calibration, in a file that is written aside and renamed.

    Parameters
    ----------
    path : Path
        The file.
    identity : mapping
        Which calibration it is, in words and hashes.
    resume : bool
        Whether to go on from what is there.
    """

    def __init__(self, path: Path, identity: Mapping[str, str], *, resume: bool) -> None:
        self.path, self._identity, self._resume = path, dict(identity), resume

    def remarks(self) -> list[str]:
        """Say what becomes of what is there, before it is read or replaced; nothing if there is nothing to say."""
        there = self._there()
        same = there is not None and there[0] == self._identity
        if self._resume:
            return [] if there else ["there is nothing to resume; the calibration begins at the start"]
        return ["work of this same calibration is kept; with {resume} it would go on from it"] if same else []

    def read(self) -> State | None:
        """Return the state to go on from; None where there is none, or its file is damaged.

        Raises
        ------
        OutputError
            If it is of another calibration.
        """
        if not self._resume:
            return None
        there = self._there()
        if there is None:
            return None
        identity, state = there
        if identity != self._identity:
            different = ", ".join(key for key in self._identity if identity.get(key) != self._identity[key])
            raise OutputError(
                f"{self.path} is of another calibration (other {different})",
                advice=f"leave {{resume}} out to begin anew, or {_ANOTHER}",
            )
        return state

    def _there(self) -> tuple[dict[str, str], State] | None:
        """Return the file's calibration and its state; None where there is none, or it is damaged."""
        try:
            with np.load(self.path, allow_pickle=False) as file:
                arrays = dict(file)
            identity = dict(json.loads(str(arrays.pop(_IDENTITY))))
            return identity, State.from_arrays(arrays)
        except DAMAGED:
            return None

    def write(self, state: State) -> None:
        """Keep a state in place of the one before.

        Raises
        ------
        OutputError
            If it cannot be written; the one before is kept.
        """
        aside = self.path.with_suffix(".part")
        arrays = {_IDENTITY: np.array(json.dumps(self._identity)), **state.to_arrays()}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with aside.open("wb") as file:
                np.savez(file, allow_pickle=False, **arrays)
            aside.replace(self.path)
        except OSError as problem:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            raise OutputError(f"{self.path}: cannot be written ({reason(problem)})", advice=_ANOTHER) from None
