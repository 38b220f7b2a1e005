"""Results folders, written whole or not at all, and by one run at a time.

Beside a target ``r`` stand, for a while, ``.r.unfinished`` (the folder that is being written) and ``.r.replaced`` (what
``force`` replaces, for the moment between two renames). A run that is killed leaves them there; the next run to the
same target clears the one away and puts the other back.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from blinasim.errors import OutputError
from blinasim.files.text import reason

if sys.platform != "win32":
    import fcntl

#: The file by which a results folder is known.
MANIFEST = "manifest.json"

_ANOTHER: Final = "choose another {target}"


@contextmanager
def whole_folder(target: Path, *, force: bool) -> Iterator[Path]:
    """Write a results folder aside and rename it when it is whole.

    Parameters
    ----------
    target : Path
        The folder to be.
    force : bool
        Whether one that is there may be replaced; see :func:`check_free`.

    Yields
    ------
    Path
        A temporary folder beside ``target``. If the body ends well it becomes ``target``; otherwise it is removed, with
        the folders made to hold it, and ``target`` is left as it was.

    Raises
    ------
    OutputError
        If ``target`` exists and ``force`` is False, cannot be written, or is being written by another run.
    """
    check_free(target, force=force)
    parents: list[Path] = []
    try:
        _make_parents(target, parents)
        with _claimed(target) as aside:
            _check_there(target, force=force)
            yield aside
            _check_there(target, force=force)
            _put(aside, target)
    except BaseException as problem:
        _remove_empty(parents)
        if isinstance(problem, OSError):
            raise _unwritable(target, problem) from problem
        raise


def check_free(target: Path, *, force: bool) -> None:
    """Refuse a target that already exists or is being written, before any work is done for it.

    With ``force``, a results folder (known by its manifest) or an empty folder may be replaced, and nothing else.
    What a killed run had taken from its place is put back first.

    Raises
    ------
    OutputError
        One line that says what to do.
    """
    with suppress(OSError, ValueError):  # then it is told below, or when it is written
        _refuse_if_written_elsewhere(target)
        _put_back(target)
    _check_there(target, force=force)


def _check_there(target: Path, *, force: bool) -> None:
    try:
        there, folder = os.path.lexists(target), target.is_dir()
        around = folder and Path.cwd().is_relative_to(target.resolve())
        ours = folder and ((target / MANIFEST).is_file() or not any(target.iterdir()))
    except (OSError, ValueError) as problem:
        raise _unwritable(target, problem) from problem
    if around:
        name = "an empty name, or .," if target == Path() else target  # a path does not tell one from the other
        raise OutputError(f"{name} is the folder you are in, or holds it", advice=_ANOTHER)
    if there and not force:
        advice = "say {force} to replace it, or {target} for another folder"
        raise OutputError(f"{target} already exists", advice=advice)
    if there and not folder:
        raise OutputError(f"{target} is not a folder", advice=_ANOTHER)
    if there and not ours:
        raise OutputError(f"{target} is not a results folder (it has no {MANIFEST})", advice=_ANOTHER)


def _unwritable(target: Path, problem: Exception) -> OutputError:
    return OutputError(f"{target}: cannot be written ({reason(problem)})", advice=_ANOTHER)


# --- the folder aside ---------------------------------------------------------------------------------


def _unfinished(target: Path) -> Path:
    return target.with_name(f".{target.name}.unfinished")


def _replaced(target: Path) -> Path:
    return target.with_name(f".{target.name}.replaced")


@contextmanager
def _claimed(target: Path) -> Iterator[Path]:
    """Make the folder aside, empty, and let no other run have it; it is gone when the body ends."""
    aside = _unfinished(target)
    with _claim(aside, target) as lock:
        try:
            _empty(aside)
            _put_back(target)
            yield aside
        finally:  # also after Ctrl-C
            if lock.is_of(aside):  # otherwise it has become the target
                shutil.rmtree(aside, ignore_errors=True)


def _claim(aside: Path, target: Path) -> _Lock:
    """Make a folder and lock it; one that is there and not locked is of a run that was killed."""
    while True:
        with suppress(FileExistsError):
            aside.mkdir()
        try:
            lock = _Lock(aside)
        except BlockingIOError:
            raise _written_by_another(target) from None
        except FileNotFoundError:  # another run has finished at this moment
            continue
        if lock.is_of(aside):
            return lock
        lock.close()


class _Lock:
    """A lock on a folder, which is this process's until it ends, however it ends.

    Where a system or a file system knows no such locks, everybody gets one.

    Raises
    ------
    BlockingIOError
        If another process has it.
    """

    _descriptor: int | None = None

    def __init__(self, folder: Path) -> None:
        if sys.platform == "win32":
            return
        descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise
        except OSError:  # a file system without locks
            pass
        self._descriptor = descriptor
        _held.add(self)

    def is_of(self, folder: Path) -> bool:
        """Whether the locked folder still goes by this name."""
        if self._descriptor is None:
            return True
        try:
            return os.path.samestat(os.fstat(self._descriptor), folder.lstat())
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Let the folder go."""
        _held.discard(self)
        if self._descriptor is not None:
            os.close(self._descriptor)

    def __enter__(self) -> _Lock:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _forget() -> None:
    """Let go in a forked worker: it may outlive by a moment the run that is killed."""
    for lock in list(_held):
        lock.close()


_held: set[_Lock] = set()
if sys.platform != "win32":
    os.register_at_fork(after_in_child=_forget)


def _refuse_if_written_elsewhere(target: Path) -> None:
    aside = _unfinished(target)
    if aside.is_dir():
        try:
            _Lock(aside).close()
        except BlockingIOError:
            raise _written_by_another(target) from None


def _written_by_another(target: Path) -> OutputError:
    return OutputError(f"{target} is being written by another run", advice=f"wait for its end, or {_ANOTHER}")


def _empty(folder: Path) -> None:
    """Remove what a killed run has left."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


# --- giving it its name -------------------------------------------------------------------------------


def _put(whole: Path, target: Path) -> None:
    """Give a finished folder its name; what had the name before is removed last, and put back if that fails."""
    if not os.path.lexists(target):
        whole.replace(target)
        return
    before = _replaced(target)
    target.replace(before)
    try:
        whole.replace(target)
    except BaseException:  # also Ctrl-C
        before.replace(target)
        raise
    shutil.rmtree(before, ignore_errors=True)


def _put_back(target: Path) -> None:
    """Put back what a run that was killed between two renames had taken away; or remove it, if it did not get there."""
    before = _replaced(target)
    if not before.is_dir() or before.is_symlink():
        return
    if os.path.lexists(target):
        shutil.rmtree(before, ignore_errors=True)
    else:
        before.replace(target)


def _make_parents(target: Path, made: list[Path]) -> None:
    """Make the folders that are missing above a target, and note them in ``made``, the deepest first."""
    for folder in reversed([folder for folder in target.parents if not folder.exists()]):
        folder.mkdir(exist_ok=True)
        made.insert(0, folder)


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # somebody else has put something there
            folder.rmdir()
