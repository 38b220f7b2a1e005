"""One patient's life under two policies, and kinds of patients worth a look, found by search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blinasim.app.pictures import Picture
from blinasim.app.story_drawings import lanes
from blinasim.inference.choice import parameters_said
from blinasim.luck import Draws, Luck
from blinasim.model.codes import HORIZON, NONE
from blinasim.model.history import History, or_never
from blinasim.report.figures import clocks
from blinasim.report.story import Story, tell
from blinasim.scenario.settings import Scenario
from blinasim.study.batch import live
from blinasim.study.replay import replay_beside

Bools = NDArray[np.bool_]

#: Trials among whose patients the kinds are searched.
TRIALS: Final = 20
_LONG_DAYS: Final = 1826
_MUCH_DAYS: Final = 180


@dataclass(frozen=True)
class Kind:
    """A kind of patient: what is so about their life under the first policy, or about both."""

    label: str
    of: Callable[[History, History], Bools]


def _relapses_waiting(one: History, _: History) -> Bools:
    searching = (one.search_start != NONE) & (one.candidacy != NONE) & (one.hsct == NONE)
    return np.asarray(searching & (one.relapse != NONE) & (one.switch == NONE))


def _transplanted_and_alive(one: History, _: History) -> Bools:
    return np.asarray(one.on_study_hsct & (or_never(one.death) > _LONG_DAYS))


def _dies_of_the_transplant(one: History, _: History) -> Bools:
    return np.asarray(one.on_study_hsct & (one.relapse == NONE) & (one.death != NONE) & (one.death < HORIZON))


def _relapses_after(one: History, _: History) -> Bools:
    return np.asarray(one.on_study_hsct & (one.relapse > one.hsct))


def _well_without(one: History, _: History) -> Bools:
    long = np.minimum(or_never(one.death), or_never(one.relapse)) > _LONG_DAYS
    return np.asarray((one.remission != NONE) & (one.hsct == NONE) & long)


def _lives_longer(one: History, other: History) -> Bools:
    return _much_later(other, one)


def _dies_sooner(one: History, other: History) -> Bools:
    return _much_later(one, other)


def _much_later(one: History, other: History) -> Bools:
    """Whether a patient dies within five years in the other life, and much later in the one."""
    sooner = or_never(other.death)
    return np.asarray((sooner < _LONG_DAYS) & (or_never(one.death) > sooner + _MUCH_DAYS))


KINDS: Final = (
    Kind("lives longer under the other policy", _lives_longer),
    Kind("dies sooner under the other policy", _dies_sooner),
    Kind("relapses while a donor is sought", _relapses_waiting),
    Kind("is transplanted and alive after five years", _transplanted_and_alive),
    Kind("dies after a transplant, without relapse", _dies_of_the_transplant),
    Kind("relapses after a transplant", _relapses_after),
    Kind("stays in remission for five years without a transplant", _well_without),
    Kind("never reaches remission", lambda one, _: np.asarray(one.remission == NONE)),
)


def found(kind: str, one: Scenario, other: Scenario) -> tuple[tuple[int, int], ...]:
    """Return the patients of a kind, by trial and number, both from 1.

    Parameters
    ----------
    kind : str
        Its label in ``KINDS``.
    one, other : Scenario
        The two policies, of cohorts of one size.
    """
    lived = []
    for scenario in (one, other):
        draws = Draws(Luck(scenario.study.seed), range(TRIALS), scenario.cohort.size)
        lived.append(live(scenario, parameters_said(), draws).history)
    of = next(known.of for known in KINDS if known.label == kind)
    size = one.cohort.size
    return tuple((int(at) // size + 1, int(at) % size + 1) for at in np.flatnonzero(of(*lived)))


@dataclass(frozen=True)
class TwoLives:
    """A patient's life under two policies, day by day, and both drawn; no clock without a remission."""

    one: Story
    other: Story
    picture: Picture
    clock: Picture | None
    sentence: str


def two_lives(one: Scenario, other: Scenario, names: tuple[str, str], trial: int, patient: int) -> TwoLives:
    """Tell a patient's life under two policies; trials and patients count from 1."""
    stories = [tell(scenario, trial=trial, patient=patient) for scenario in (one, other)]
    # Two lives need two names, also where one policy is set beside itself.
    second = names[1] if names[1] != names[0] else f"{names[1]}, again"
    lives = replay_beside(one, {second: other}, parameters_said(), trial, patient, name=names[0])
    histories = [life.batch.history for life in lives.values()]
    responds = any(history.remission[0] != NONE for history in histories)
    same = stories[0].lines == stories[1].lines
    return TwoLives(
        stories[0],
        stories[1],
        Picture.of(lanes(histories, (one.policy.cycles, other.policy.cycles), names)),
        Picture.of(clocks(lives)) if responds else None,
        "This patient's life is the same under both, to the day." if same else _apart(histories, stories),
    )


def _apart(histories: list[History], stories: list[Story]) -> str:
    """Say from which day on two lives differ, and what becomes of it."""
    first = min(
        (day for one, other in zip(*(story.lines for story in stories), strict=False) if one != other
         for day in (one[0], other[0])),
        default=min(len(story.lines) for story in stories),
    )  # fmt: skip
    deaths = [int(history.death[0]) for history in histories]
    if deaths[0] == deaths[1]:
        return f"The two lives part on day {first}; the patient lives as long in both."
    if NONE in deaths:
        return f"The two lives part on day {first}."
    more = "longer" if deaths[1] > deaths[0] else "shorter"
    return (
        f"The two lives part on day {first}; under the other policy the patient lives {abs(deaths[1] - deaths[0]):,} "
        f"days {more}. One patient proves nothing: means are on the page Explore a policy."
    )
