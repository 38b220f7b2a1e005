"""Workers: any ``concurrent.futures.Executor``; results come in the order of the work, whoever did it."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Final, TypeVar

Work = TypeVar("Work")
Done = TypeVar("Done")

#: Pieces of work under way at a time: enough to keep the workers busy, few enough to bound memory.
_AHEAD: Final = 8


@contextmanager
def processes(workers: int) -> Iterator[Executor | None]:
    """Start local worker processes for the time of the body; one worker is this process itself, and None.

    Ctrl-C is for the parent: it cancels what has not begun, and its workers end with it.
    """
    if workers == 1:
        yield None
        return
    pool = ProcessPoolExecutor(workers, initializer=_leave_ctrl_c_to_the_parent)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def in_order(job: Callable[[Work], Done], pieces: Sequence[Work], executor: Executor | None) -> Iterator[Done]:
    """Do every piece of work and yield what it gives, in the order of the pieces.

    Parameters
    ----------
    job : callable
        Does one piece; with an executor of processes it must be picklable.
    pieces : sequence
        The work.
    executor : Executor or None
        Who does it; None is this process.
    """
    if executor is None:
        yield from map(job, pieces)
        return
    waiting: deque[Future[Done]] = deque()
    for piece in pieces:
        waiting.append(executor.submit(job, piece))
        if len(waiting) >= _AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _leave_ctrl_c_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
