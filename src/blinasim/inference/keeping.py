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

    def read(self) -> State | None:
        """Return the state to go on from; None where there is none, or its file is damaged.

        Raises
        ------
        OutputError
            If it is of another calibration.
        """
        if not self._resume:
            return None
        try:
            with np.load(self.path, allow_pickle=False) as file:
                arrays = dict(file)
            there = json.loads(str(arrays.pop(_IDENTITY)))
            state = State.from_arrays(arrays) if there == self._identity else None
        except DAMAGED:
            return None
        if state is None:
            different = ", ".join(key for key in self._identity if there.get(key) != self._identity[key])
            raise OutputError(
                f"{self.path} is of another calibration (other {different})",
                advice=f"leave {{resume}} out to begin anew, or {_ANOTHER}",
            )
        return state

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
