"""Dask: the workers of a cluster, here or elsewhere, as an executor. Nothing of Dask is imported unless asked for."""

from __future__ import annotations

import logging
import re
import signal
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from blinasim.errors import Argument, WorkerError
from blinasim.files import quoted
from blinasim.study.chunks import number_versions
from blinasim.study.executors import Workers, processes

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

#: A cluster on this machine, made for the run.
LOCAL: Final = "local"
#: Seconds in which a scheduler, and a first worker, must answer.
ANSWER_S: Final = 10

_ADDRESS = re.compile(r"[a-z]+://\S+")


@contextmanager
def hired(workers: int = 1, cluster: str | None = None) -> Iterator[Executor | None]:
    """Have workers for the time of the body: local processes, or those of a Dask cluster.

    Parameters
    ----------
    workers : int
        Local processes; one is this process itself, and None.
    cluster : str, optional
        ``local``, a Dask cluster of so many workers on this machine, or the address of a Dask scheduler.

    Yields
    ------
    Executor or None

    Raises
    ------
    WorkerError
        If the cluster cannot be had, or is lost.
    """
    with processes(workers) if cluster is None else dask_workers(cluster, workers) as executor:
        yield executor


@contextmanager
def dask_workers(cluster: str, workers: int) -> Iterator[Executor]:
    """Have the workers of a Dask cluster for the time of the body.

    When a worker dies, the scheduler gives its work to another; with none left, it waits for one to come.

    Parameters
    ----------
    cluster : str
        ``local``, or the address of a scheduler, such as tcp://127.0.0.1:8786.
    workers : int
        How many a local cluster has; 1 for any other, which has its own.

    Yields
    ------
    Executor

    Raises
    ------
    WorkerError
        If Dask is not installed, nobody answers, a worker has other versions, or the cluster is lost on the way.
    """
    if cluster != LOCAL and not _ADDRESS.fullmatch(cluster):
        raise WorkerError(
            "should be local, or an address such as tcp://127.0.0.1:8786", Argument("cluster", said=quoted(cluster))
        )
    if cluster != LOCAL and workers != 1:
        raise WorkerError(
            f"the cluster at {cluster} has workers of its own; ask for none", Argument("workers", said=f"{workers}")
        )
    try:
        from distributed import KilledWorker
        from distributed.comm.core import CommClosedError
    except ImportError:
        raise WorkerError(
            "needs Dask; install it with: pip install 'blinasim[cluster]'", Argument("cluster", said=cluster)
        ) from None
    with _quiet(), ExitStack() as stack:
        client = _client(cluster, workers, stack)
        _check_versions(client)
        try:
            # Not pure: Dask need not hash each piece of work to know it again.
            yield Workers(partial(client.get_executor, pure=False), sum(client.nthreads().values()))
        except KilledWorker as problem:
            raise WorkerError(
                f"workers of the cluster keep dying, {problem.allowed_failures + 1} over one piece of work "
                "(of too little memory, maybe); give each worker more memory"
            ) from None
        except (CancelledError, CommClosedError):
            raise WorkerError(f"the cluster {cluster} is lost; see to it and run again") from None


def _client(cluster: str, workers: int, stack: ExitStack) -> Client:
    """Return a client whose cluster has at least one worker."""
    from distributed import Client, LocalCluster

    address: Any = cluster
    if cluster == LOCAL:
        with _ctrl_c_blocked():
            address = LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL
            )
        stack.callback(_close, address)
    try:
        client = Client(address, timeout=ANSWER_S)
        stack.callback(_close, client)
        client.wait_for_workers(1, timeout=ANSWER_S)
    except (OSError, TimeoutError, ValueError):
        raise WorkerError(
            f"no scheduler with a worker answers within {ANSWER_S} s; start them, or mend the address",
            Argument("cluster", said=cluster),
        ) from None
    return client


def _close(what: Client | LocalCluster) -> None:
    """Close a client or a cluster; what goes wrong then changes nothing for what was done."""
    with suppress(Exception):
        what.close()


@contextmanager
def _ctrl_c_blocked() -> Iterator[None]:
    """Leave Ctrl-C to this thread: threads and processes that the body starts do not see it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's own log off the terminal: what goes wrong is said once, by us."""
    loggers = [logging.getLogger(name) for name in ("distributed", "tornado")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _check_versions(client: Client) -> None:
    """Refuse a cluster whose numbers might differ from ours, or that has no blinasim."""
    ours = number_versions()
    try:
        # The scheduler unpickles the work, too.
        theirs = {"scheduler": client.run_on_scheduler(number_versions), **client.run(number_versions)}
    except Exception as problem:
        raise WorkerError(f"the cluster cannot use blinasim ({problem}); install it there") from None
    for address, found in theirs.items():
        for name, needed in ours.items():
            if found[name] != needed:
                raise WorkerError(
                    f"the cluster ({address}) has {name} {found[name]} and this process {needed}; "
                    "install the same versions"
                )
