"""Luck: uniform numbers keyed by (seed, decision, replication, patient), never by the order of asking.

Each decision has a stream of its own, so a new decision, a further patient or another replication changes
nobody else's numbers by a bit. One Philox stream serves a *tile* of patients over all replications: one
generator object per (decision, replication) would cost more than the simulation itself.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

#: Patients per tile. The multiple of four (Philox yields four words a step) that holds the source study's
#: 189 patients, so that a replication of the study is a single tile with little waste.
TILE = 192
_WORDS_PER_STEP = 4
_STEPS_PER_TILE = TILE // _WORDS_PER_STEP
_EXPONENT_OF_ONE = np.float64(1.0).view(np.uint64)


@dataclass(frozen=True)
class Luck:
    """All the random numbers of one seed.

    Parameters
    ----------
    seed : int
        Any integer; equal seeds give equal luck on every machine.
    afresh : frozenset of str
        Names of decisions that are drawn again, independently of what the seed otherwise gives.
    """

    seed: int
    afresh: frozenset[str] = frozenset()

    def drawn_again(self, names: frozenset[str]) -> Luck:
        """Return the same luck but for some decisions, which are drawn independently."""
        return replace(self, afresh=names)

    def uniform(self, name: str, replications: range, patients: int, first_patient: int = 0) -> NDArray[np.float64]:
        """Draw the uniforms of one decision.

        Parameters
        ----------
        name : str
            Name of the decision, for example ``"relapse.clock"``.
        replications : range
            Contiguous replications, counted from 0.
        patients : int
            How many patients of each replication.
        first_patient : int
            The number of the first patient; any block can be drawn alone.

        Returns
        -------
        ndarray of float64, shape (len(replications), patients)
            Each is ``(k + 1/2) / 2**52`` with ``k`` the top 52 bits of a Philox word: never 0, never 1. (Philox:
            Salmon, Moraes, Dror and Shaw, SC 2011.)

        Raises
        ------
        ValueError
            If the replications are not contiguous.
        """
        if replications.step != 1:
            raise ValueError("replications must be contiguous")
        key = self.key(name)
        count = len(replications)
        drawn = np.empty((count, patients), dtype=np.float64)
        last = first_patient + patients
        for tile in range(first_patient // TILE, -(-last // TILE)):
            words = _tile_words(key, tile, replications.start, count)
            start, stop = max(first_patient, tile * TILE), min(last, (tile + 1) * TILE)
            # 52 bits below the exponent of 1 are a number in [1, 2); less 1, plus the half: exact, and no conversion.
            block = words[:, start - tile * TILE : stop - tile * TILE] >> np.uint64(12)
            block |= _EXPONENT_OF_ONE
            np.subtract(
                block.view(np.float64), 1.0 - 2.0**-53, out=drawn[:, start - first_patient : stop - first_patient]
            )
        return drawn

    def key(self, name: str) -> NDArray[np.uint64]:
        """Return the 128-bit Philox key of a decision: blake2b over ``"seed:name"``, or ``"seed:name:again"``."""
        asked = f"{self.seed}:{name}{':again' * (name in self.afresh)}"
        digest = hashlib.blake2b(asked.encode(), digest_size=16).digest()
        return np.frombuffer(digest, dtype="<u8").astype(np.uint64)


def _tile_words(key: NDArray[np.uint64], tile: int, first: int, count: int) -> NDArray[np.uint64]:
    """Raw words of one tile, (count, TILE): word 0 of the counter walks replications, word 1 is the tile."""
    # NumPy's Philox steps its counter before it draws; the layout only has to be injective, and it is.
    counter = np.array([first * _STEPS_PER_TILE, tile, 0, 0], dtype=np.uint64)
    raw = np.random.Philox(key=key, counter=counter).random_raw(count * TILE)
    return np.asarray(raw, dtype=np.uint64).reshape(count, TILE)


@dataclass(frozen=True)
class Draws:
    """The luck of a block: some replications of a trial of so many patients.

    Parameters
    ----------
    luck : Luck
        All the luck of a seed.
    block : range
        The replications, contiguous.
    patients : int
        Patients of each replication.
    first_patient : int
        Number of the first of them, from 0; one patient can be drawn alone.
    """

    luck: Luck
    block: range
    patients: int
    first_patient: int = 0

    @property
    def replications(self) -> int:
        """How many replications the block holds."""
        return len(self.block)

    def uniform(self, name: str) -> NDArray[np.float64]:
        """Return the uniforms of one decision, shape (replications, patients)."""
        return self.luck.uniform(name, self.block, self.patients, self.first_patient)
