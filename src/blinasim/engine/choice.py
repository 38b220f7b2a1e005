"""One ``walk`` before two engines, and the choice between them."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

from blinasim.engine import des, fast
from blinasim.engine.des import Patient
from blinasim.engine.lives import Lives
from blinasim.engine.own import OwnPatient
from blinasim.errors import ScenarioError
from blinasim.files import check_choice
from blinasim.model.history import History, LogEntry
from blinasim.model.places import Stays
from blinasim.scenario.settings import Capacity

#: What a user may ask for; ``auto`` takes ``fast`` where the scenario allows it.
EngineName: TypeAlias = Literal["auto", "fast", "des"]
_NAMES: Final = get_args(EngineName)


def choose(asked: EngineName, capacity: Capacity, *, own_policy: bool = False) -> Literal["fast", "des"]:
    """Return the engine that will walk.

    Both live the same lives to the day; ``fast`` walks whatever has no counted places and no policy of the user's own.

    Parameters
    ----------
    asked : {"auto", "fast", "des"}
        By the user.
    capacity : Capacity
        The scenario's places.
    own_policy : bool
        Whether a policy of the user's own decides.

    Returns
    -------
    {"fast", "des"}

    Raises
    ------
    ScenarioError
        If there is no such engine, or ``fast`` is asked for where places are counted, or a policy of one's own decides.
    """
    check_choice("engine", asked, _NAMES, ScenarioError)
    if not capacity.limited and not own_policy:
        return "fast" if asked == "auto" else asked
    if asked == "fast":
        what = "policies of one's own" if own_policy else "counted places (capacity)"
        raise ScenarioError(f"engine fast knows no {what}; ask for des or auto")
    return "des"


def walk(
    lives: Lives,
    engine: EngineName = "auto",
    log: list[LogEntry] | None = None,
    stays: list[Stays] | None = None,
) -> History:
    """Walk every patient through the clinic.

    Parameters
    ----------
    lives : Lives
        P = replications * patients lives.
    engine : {"auto", "fast", "des"}
        Which engine walks.
    log : list, optional
        Receives the story of every patient; only ``des`` tells stories, so it walks wherever one is asked for.
    stays : list, optional
        Receives the requests for counted places of each replication.

    Returns
    -------
    History
        Arrays of shape (P,), the same for both engines.

    Raises
    ------
    ValueError
        If ``fast`` is asked for a story.
    ScenarioError
        As :func:`choose`.
    """
    if log is not None and engine == "fast":
        raise ValueError("engine 'fast' tells no stories; ask for 'des' or 'auto'")
    if choose(engine, lives.capacity, own_policy=lives.own is not None) == "des" or log is not None:
        return des.walk(lives, log, stays, make=Patient if lives.own is None else OwnPatient)
    return fast.walk(lives)
