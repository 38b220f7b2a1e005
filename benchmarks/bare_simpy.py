"""A bare SimPy pathway: nothing but processes and timeouts. Frozen; engines are measured beside it.

Do not improve this file. It is the yardstick: the same number of timeouts as a patient of ``engine/des`` has, in
environments of one replication each, without any medicine.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import simpy


def pathway(env: simpy.Environment, waits: Sequence[int]) -> Generator[simpy.Event, object, None]:
    """Wait, and wait again."""
    for days in waits:
        yield env.timeout(days)


def walk(waits: Sequence[Sequence[int]], patients: int) -> None:
    """Walk everybody, ``patients`` to an environment."""
    for first in range(0, len(waits), patients):
        env = simpy.Environment()
        for days in waits[first : first + patients]:
            env.process(pathway(env, days))
        env.run()
