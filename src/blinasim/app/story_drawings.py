"""A patient's life as a lane, one a policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from blinasim.app.pictures import WIDTH
from blinasim.model.codes import NONE
from blinasim.model.history import History, cycle_start_days
from blinasim.report import style
from blinasim.scenario.settings import Cycles
from blinasim.trial.occupancy import State

#: Days drawn: at most; for a patient still alive; and at least.
_LONGEST: Final = 3652
_LONG: Final = 1826
_LEAST: Final = 120
_EVENTS: Final = (
    ("remission", "remission"),
    ("search_start", "search"),
    ("donor_found", "donor"),
    ("hsct", "HSCT"),
    ("relapse", "relapse"),
    ("death", "death"),
)
_STATES: Final = {
    State.INDUCTION: "induction",
    State.REMISSION: "remission",
    State.AFTER_HSCT: "after HSCT",
    State.FAILURE: "failure or relapse",
}


def lanes(histories: Sequence[History], cycles: Sequence[Cycles], names: Sequence[str]) -> style.Drawing:
    """Draw lives of one patient: states as a band, infusions under it, events by name above it.

    Parameters
    ----------
    histories : sequence of History
        Of one patient each.
    cycles : sequence of Cycles
        The policies' cycles.
    names : sequence of str
        Of the policies.
    """
    end = max(_LEAST, *(_last(history) for history in histories))
    with style.house_style():
        drawing = style.blank(WIDTH, 1.15 * len(histories) + 0.75)
        height = float(drawing.get_size_inches()[1])
        for number, (history, course, name) in enumerate(zip(histories, cycles, names, strict=True)):
            bottom = height - 1.15 * (number + 1) - 0.05
            axes = style.place(drawing, 0.15, bottom, WIDTH - 0.3, 0.62)
            _lane(axes, history, course, end)
            style.write(
                drawing, 0.15, height - bottom - 1.02, style.shortened(name, 60), fontsize=8.5, fontweight="bold",
                color=style.colour_of(number),
            )  # fmt: skip
            if number == len(histories) - 1:
                axes.set_xlabel("Days since first infusion", labelpad=2)
            else:
                axes.set_xticklabels([])
        _key(drawing)
    drawing.alt = "; ".join(
        f"{name}: {', '.join(f'{label} on day {day}' for day, label in _events(history))}"
        for name, history in zip(names, histories, strict=True)
    )
    return drawing


def _last(history: History) -> int:
    """Return the day to which a lane is drawn at least."""
    last = max([day for day, _ in _events(history)], default=0)
    if history.death[0] == NONE:
        last = max(last + 90, _LONG)
    return round(1.02 * min(last, _LONGEST))


def _events(history: History) -> list[tuple[int, str]]:
    found = [(int(getattr(history, name)[0]), label) for name, label in _EVENTS]
    return sorted(((day, label) for day, label in found if day != NONE), key=lambda event: event[0])


def _lane(axes: Axes, history: History, cycles: Cycles, end: int) -> None:
    day = {label: value for value, label in _events(history)}
    death = min(day.get("death", end), end)
    for state, start, stop in _bands(day, int(history.failure[0]), death):
        axes.barh(0.45, stop - start, 0.5, start, color=style.STATES[state], linewidth=0)
    left = int(history.infusion_days[0])  # whatever ends an infusion early ends the cycles: all but the last are whole
    for start in cycle_start_days(history, cycles)[0].tolist():
        if start != NONE:
            given = min(cycles.infusion_days, left)
            left -= given
            axes.barh(0.08, min(given, death - start), 0.16, start, color="#777777", linewidth=0)
    places = [(value, label) for value, label in _events(history) if value <= end]
    later = [f"{label} {value:,}" for value, label in _events(history) if value > end]
    if later:
        axes.plot([end], [0.45], marker=">", markersize=7, color="#111111", clip_on=False)
        axes.text(0.985 * end, 0.45, f"on to {', '.join(later)}", fontsize=7, ha="right", va="center_baseline")
    wanted = [value / end for value, _ in places]
    for (value, label), place in zip(places, style.apart(wanted, 0.125, 0.06, 0.96), strict=True):
        axes.plot((value, value), (0.18, 0.75), color="#111111", linewidth=1.0)
        axes.plot((value, place * end), (0.75, 0.86), color=style.MUTED, linewidth=0.7, clip_on=False)
        axes.text(place * end, 0.88, f"{label}\n{value:,}", fontsize=7, ha="center", va="bottom", clip_on=False,
                  linespacing=1.05)  # fmt: skip
    axes.set_xlim(0, end)
    axes.set_ylim(0, 0.85)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))


def _bands(day: dict[str, int], failure: int, death: int) -> list[tuple[State, int, int]]:
    """Return states with the days on which they begin and end."""
    turns = [(0, State.INDUCTION)]
    if "remission" in day:
        turns.append((day["remission"], State.REMISSION))
    elif failure != NONE:
        turns.append((failure, State.FAILURE))
    if "HSCT" in day:
        turns.append((day["HSCT"], State.AFTER_HSCT))
    if "relapse" in day:
        turns.append((day["relapse"], State.FAILURE))
    turns = sorted((min(start, death), state) for start, state in turns)
    ends = [*(start for start, _ in turns[1:]), death]
    return [(state, start, stop) for (start, state), stop in zip(turns, ends, strict=True) if stop > start]


def _key(drawing: style.Drawing) -> None:
    axes = style.place(drawing, 0.15, 0.02, WIDTH - 0.3, 0.2)
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    marks = [*((style.STATES[state], label) for state, label in _STATES.items()), ("#777777", "infusion")]
    left = 0.0
    for colour, label in marks:
        axes.barh(0.5, 0.022, 0.6, left, color=colour, linewidth=0)
        axes.text(left + 0.03, 0.5, label, fontsize=7, va="center_baseline")
        left += 0.06 + 0.0132 * len(label)
