"""Workers: any ``concurrent.futures.Executor``; results come in the order of the work, whoever did it."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import connection, parent_process
from typing import Any, Final, TypeVar

from blinasim.errors import WorkerError

Work = TypeVar("Work")
Done = TypeVar("Done")

#: Pieces under way for each worker: enough to keep all busy, few enough to bound memory; and at least so many.
_AHEAD_EACH: Final = 2
_AHEAD: Final = 8
#: How often the workers may die over one piece of work.
MOST_DEATHS: Final = 3


class Workers(Executor):
    """An executor that knows how many work for it, and that is made anew when its workers have died.

    Parameters
    ----------
    make : callable
        Makes the executor that does the work.
    count : int
        How many pieces it does at a time.
    """

    def __init__(self, make: Callable[[], Executor], count: int) -> None:
        self._make = make
        self._executor = make()
        self.count = count

    def submit(self, fn: Callable[..., Done], /, *args: Any, **kwargs: Any) -> Future[Done]:
        """Have one piece of work done."""
        return self._executor.submit(fn, *args, **kwargs)

    def renew(self) -> None:
        """Leave the broken executor to itself and make another."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = self._make()

    def kill(self) -> None:
        """End processes of this machine at once, in the middle of their work."""
        for process in list((getattr(self._executor, "_processes", None) or {}).values()):
            process.kill()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers."""
        self._executor.shutdown(wait=wait, cancel_futures=cancel_futures)


@contextmanager
def processes(workers: int) -> Iterator[Executor | None]:
    """Start local worker processes for the time of the body; one worker is this process itself, and None.

    Ctrl-C is for the parent: it cancels what has not begun, and its workers end with it, however it ends.
    """
    if workers == 1:
        yield None
        return
    pool = Workers(partial(ProcessPoolExecutor, workers, initializer=_follow_the_parent), workers)
    try:
        yield pool
    except BaseException:
        pool.kill()  # nobody wants what they are at
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def in_order(job: Callable[[Work], Done], pieces: Sequence[Work], executor: Executor | None) -> Iterator[Done]:
    """Do every piece of work and yield what it gives, in the order of the pieces.

    Pieces that were under way when workers died are given to new ones, if the executor can be made anew.

    Parameters
    ----------
    job : callable
        Does one piece; with an executor of processes it must be picklable.
    pieces : sequence
        The work.
    executor : Executor or None
        Who does it; None is this process.

    Yields
    ------
    Done
        What ``job`` returns.

    Raises
    ------
    WorkerError
        If workers die more than ``MOST_DEATHS`` times over one piece, or cannot be replaced.
    """
    if executor is None:
        yield from map(job, pieces)
        return
    ahead = max(_AHEAD, _AHEAD_EACH * getattr(executor, "count", 0))
    under_way: deque[Future[Done]] = deque()
    finished = deaths = 0
    while finished < len(pieces):
        try:
            for piece in pieces[finished + len(under_way) : finished + ahead]:
                under_way.append(executor.submit(job, piece))
            done = under_way[0].result()
        except BrokenExecutor:
            deaths += 1
            if deaths > MOST_DEATHS or not isinstance(executor, Workers):
                raise WorkerError("workers keep dying (of too little memory, maybe); take fewer workers") from None
            executor.renew()
            under_way.clear()
            continue
        under_way.popleft()
        finished, deaths = finished + 1, 0
        yield done


def done(
    job: Callable[[Work], Done],
    pieces: Sequence[Work],
    executor: Executor | None,
    progress: Callable[[int], None] | None,
    *,
    trials: Callable[[Work], int] = len,  # type: ignore[assignment]  # most pieces are blocks of trials
) -> Iterator[Done]:
    """Do every piece of work as :func:`in_order`, and say how far it is.

    Parameters
    ----------
    job, pieces, executor
        As for :func:`in_order`.
    progress : callable or None
        Called with the number of trials of a piece, when what it gives has been taken.
    trials : callable
        Says how many trials a piece has.

    Yields
    ------
    Done
        What ``job`` returns.

    Raises
    ------
    WorkerError
        As :func:`in_order`.
    """
    for piece, one in zip(pieces, in_order(job, pieces, executor), strict=True):
        yield one
        if progress:
            progress(trials(piece))


def _follow_the_parent() -> None:
    """Leave Ctrl-C to the parent process, and end when it ends, even when it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
