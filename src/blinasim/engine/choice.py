"""One ``walk`` before two engines, and the choice between them."""

from __future__ import annotations

from typing import Literal, TypeAlias

from blinasim.engine import des, fast
from blinasim.engine.lives import Lives
from blinasim.model.history import History, LogEntry

#: What a user may ask for; ``auto`` takes ``fast`` where the scenario allows it.
EngineName: TypeAlias = Literal["auto", "fast", "des"]


def choose(asked: EngineName) -> Literal["fast", "des"]:
    """Return the engine that will walk.

    Both live the same lives to the day. ``fast`` walks whatever has no contention and no policy of the user's own,
    which is everything so far.
    """
    return "fast" if asked == "auto" else asked


def walk(lives: Lives, engine: EngineName = "auto", log: list[LogEntry] | None = None) -> History:
    """Walk every patient through the clinic.

    Parameters
    ----------
    lives : Lives
        P = replications * patients lives.
    engine : {"auto", "fast", "des"}
        Which engine walks.
    log : list, optional
        Receives the story of every patient; only ``des`` tells stories, so it walks wherever one is asked for.

    Returns
    -------
    History
        Arrays of shape (P,), the same for both engines.

    Raises
    ------
    ValueError
        If ``fast`` is asked for a story.
    """
    if log is not None and engine == "fast":
        raise ValueError("engine 'fast' tells no stories; ask for 'des' or 'auto'")
    if log is not None or choose(engine) == "des":
        return des.walk(lives, log)
    return fast.walk(lives)
