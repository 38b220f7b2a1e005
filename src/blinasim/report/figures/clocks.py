"""One patient's relapse clock running down, faster and slower, and the same clock under another policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from matplotlib.axes import Axes

from blinasim.model.codes import HORIZON, NONE, ORDINARY_SPEED
from blinasim.model.history import History, cycle_start_days
from blinasim.report import style
from blinasim.report.story import who
from blinasim.study.relapse_clock import Pace, RelapseClock, relapse_clock
from blinasim.study.replay import Replay

#: Inches: the page and its panel.
_WIDTH: Final = 7.2
_LEFT: Final = 0.75
_PANEL_WIDTH: Final = 6.2
_PANEL: Final = 3.1
_UNDER: Final = 0.5
_TOP: Final = 0.7
_KEY_LINE: Final = 0.19
_ROW: Final = 0.17
#: Inches that a letter of a label takes at most, and air between two labels of a row.
_LETTER: Final = 0.064
_AIR: Final = 0.12
#: The axis ends where nothing has happened for so many times the days before; an end that comes after more than so
#: many times the days before it is not waited for. It has at least so many days, unless all lines end before.
_LONG: Final = 1.6
_TOO_LATE: Final = 6.0
_LEAST_DAYS: Final = 180
#: Days between ticks: the first of which there are few enough.
_TICKS: Final = (7, 14, 28, 56, 91, 182, 365, 730, 1826, 3652)
_MOST_TICKS: Final = 10

#: How a line is drawn at each pace: colour, width and pattern; the pattern says it without colour.
_LOOKS: Final[dict[Pace, tuple[str, float, Any]]] = {
    Pace.REST: (style.OUTSIDE, 1.9, "solid"),
    Pace.INFUSION: (style.SIMULATED, 3.2, "solid"),
    Pace.MAINTENANCE: ("#12806A", 2.4, (0, (4, 1.2))),
    Pace.BRIDGING: ("#9A4E8E", 2.4, (0, (4, 1.2, 1, 1.2))),
    Pace.OTHER_THERAPY: ("#8A6A00", 2.2, (0, (1.2, 1.0))),
    Pace.GRAFT: ("#111111", 2.6, (0, (6, 1.2))),
    Pace.GRAFT_LATE: ("#111111", 1.4, (0, (6, 1.2))),
}
#: The other lives are paler and thinner; of more than one other, each has a number at its end.
_TWO: Final = 2
_PALE: Final = 0.6
_THIN: Final = 0.7


@dataclass(frozen=True)
class _Life:
    """One life of the patient, ready to draw."""

    name: str
    clock: RelapseClock | None
    history: History
    cycle_starts: tuple[int, ...]

    @classmethod
    def of(cls, name: str, one: Replay) -> _Life:
        lives, history = one.batch.world.lives, one.batch.history
        starts = cycle_start_days(history, lives.policy.cycles)[0].tolist()
        return cls(name, relapse_clock(history, lives), history, tuple(day for day in starts if day != NONE))

    def day(self, event: str) -> int:
        """Return the day of an event; NONE where it never came."""
        return int(getattr(self.history, event)[0])

    @property
    def ending(self) -> str:
        """How the clock's line ends, in words."""
        if self.clock is None:
            return f"{self._death}, without a remission"
        if self.clock.relapsed:
            return f"relapse on day {self.clock.end:,}"
        left = f", {_days(self.clock.left(self.clock.end))} clock days left" if self.clock.counted else ""
        return f"{self._death} in remission{left}"

    @property
    def _death(self) -> str:
        death = self.day("death")
        return f"death on day {death:,}" if death != NONE else "alive at the horizon"

    def events(self) -> list[tuple[int, str]]:
        """Return what is written above the line, by day."""
        named = [
            (self.day("remission"), "remission"),
            (self.day("donor_found"), "donor found"),
            (self.day("switch"), "other therapy"),
            (self.day("stop"), "drug stopped"),
            (self.day("hsct"), "HSCT"),
            (self.day("relapse"), "relapse"),
            (self.day("death"), "death"),
        ]
        last = self.clock.end if self.clock else HORIZON
        start = self.clock.remission if self.clock else 0
        cycles = [(day, f"cycle {number}") for number, day in enumerate(self.cycle_starts, start=1) if day >= start]
        return sorted((day, words) for day, words in [*cycles, *named] if start <= day <= last)


def clocks(lives: Mapping[str, Replay]) -> style.Drawing:
    """Draw how one patient's relapse clock runs down: its slope is its speed, and where it ends the patient relapses.

    Parameters
    ----------
    lives : mapping of str to Replay
        One patient, replayed alone: first the life whose events are marked, then the same patient, with the same luck,
        under other policies; by the names of the policies.

    Returns
    -------
    Drawing
        A matplotlib figure; its ``alt`` is a sentence for those who do not see it.

    Raises
    ------
    ValueError
        If there is no life, or one is of several patients or of another one.
    """
    if not lives:
        raise ValueError("there is no life to draw")
    replays = list(lives.values())
    who_first = _identity(replays[0])
    if any(_identity(other) != who_first for other in replays):
        raise ValueError("these are lives of different patients: trial, patient, seed and cohort must be the same")
    drawn = [_Life.of(name, one) for name, one in lives.items()]
    last_day = _last_day(drawn)
    labels = _labels(drawn, last_day)
    keys = _keys(drawn)
    rows = 1 + max((row for *_, row in labels), default=-1)
    over = _KEY_LINE * len(keys) + 0.1 + _ROW * rows
    height = _TOP + over + _PANEL + _UNDER
    with style.house_style():
        drawing = style.blank(_WIDTH, height)
        axes = style.place(drawing, _LEFT, _UNDER, _PANEL_WIDTH, _PANEL)
        _draw(axes, drawn, last_day)
        for day, words, left, row in labels:
            _write_event(axes, day, words, left, row)
        _write_keys(drawing, keys)
        draws = replays[0].batch.world.draws
        style.heading(
            drawing,
            0.15,
            f"Relapse clock of patient {draws.first_patient + 1:,} of trial {draws.block[0] + 1:,}",
            who(replays[0].batch.world),
        )
    drawing.alt = _alt(drawn, draws.first_patient + 1, draws.block[0] + 1)
    return drawing


def _identity(one: Replay) -> tuple[Any, ...]:
    world = one.batch.world
    cohort = world.cohort
    if cohort.age_years.size != 1:
        raise ValueError("a clock is of one patient: replay one alone")
    same = (cohort.age_years, cohort.prior_hsct, cohort.blasts_pct, cohort.fitness, cohort.frailty)
    draws = world.draws
    return (draws.luck.seed, draws.block[0], draws.first_patient, *(array[0].item() for array in same))


def _last_day(drawn: list[_Life]) -> int:
    """Return the end of the axis: all lines fit, unless nothing happens any more for long."""
    clocks = [life.clock for life in drawn if life.clock is not None]
    if not clocks:
        return _LEAST_DAYS
    told = _LEAST_DAYS
    for clock in clocks:
        told = max([told, *(each.start for each in clock.stretches if each.pace != Pace.GRAFT_LATE)])
    ends = sorted(clock.end for clock in clocks)
    for end in ends:
        if end <= _TOO_LATE * told:
            told = max(told, end)
    return round(1.04 * min(ends[-1], _LONG * told))


def _days(days: float) -> str:
    return f"{days:,.0f}" if days >= 10 else f"{days:.1f}"


# --- labels of events -------------------------------------------------------------------------------


def _labels(drawn: list[_Life], last_day: int) -> list[tuple[int, str, float, int]]:
    """Place the first life's events over the panel: day, words, left end in inches, and row from below."""
    placed: list[tuple[int, str, float, int]] = []
    free: list[float] = []  # right end of the last label of each row
    by_day: dict[int, list[str]] = {}
    for day, words in drawn[0].events():
        if day <= last_day:
            by_day.setdefault(day, []).append(words)
    for day, several in by_day.items():
        words = ", ".join(several)
        length = _LETTER * len(words)
        left = min(_PANEL_WIDTH * day / last_day - 0.03, _PANEL_WIDTH + 0.15 - length)
        row = next((number for number, end in enumerate(free) if end + _AIR <= left), len(free))
        free[row : row + 1] = [left + length]
        placed.append((day, words, left, row))
    return placed


def _write_event(axes: Axes, day: int, words: str, left: float, row: int) -> None:
    height = 1 + (0.1 + _ROW * row) / _PANEL
    where = axes.get_xaxis_transform()
    axes.text(left / _PANEL_WIDTH, height, words, transform=axes.transAxes, fontsize=8, va="bottom", clip_on=False)
    axes.plot([day, day], [0, height], transform=where, color="#BBBBBB", linewidth=0.6, clip_on=False, zorder=0.5)


# --- the lines --------------------------------------------------------------------------------------


def _draw(axes: Axes, drawn: list[_Life], last_day: int) -> None:
    clocks = [life.clock for life in drawn if life.clock is not None]
    counted = [clock.millidays / ORDINARY_SPEED for clock in clocks if clock.counted]
    most = max(counted, default=1.0)
    axes.set_xlim(0, last_day)
    axes.set_ylim(0, 1.06 * most)
    step = next((days for days in _TICKS if last_day / days <= _MOST_TICKS), _TICKS[-1])
    axes.set_xticks(range(0, last_day + 1, step))
    axes.set_xlabel("Days since first infusion", labelpad=2)
    axes.set_ylabel("Clock days left")
    axes.grid(axis="y")
    axes.set_yticks([tick for tick in axes.get_yticks() if 0 <= tick <= 1.06 * most])
    if not counted:
        said = "No remission: the relapse clock never starts." if not clocks else "The clock never runs out."
        axes.set_yticks([])
        axes.text(last_day / 2, 0.5, said, color=style.MUTED, ha="center", va="center")
        return
    _write_later(axes, clocks, last_day)
    for number, life in reversed(list(enumerate(drawn))):
        if life.clock is not None and life.clock.counted:
            _draw_clock(axes, life.clock, last_day, first=number == 0)
            if number and len(drawn) > _TWO:
                end = min(life.clock.end, last_day)
                axes.annotate(
                    f"{number}", (end, life.clock.left(end)), (0, 5 + 9 * number), textcoords="offset points",
                    fontsize=8, ha="center", va="bottom", annotation_clip=False,
                )  # fmt: skip


def _write_later(axes: Axes, clocks: list[RelapseClock], last_day: int) -> None:
    """Say when the lines end that go on beyond the axis: above the highest, below the lowest; the key says them all."""
    later = sorted(
        (clock for clock in clocks if clock.counted and clock.end > last_day), key=lambda one: one.left(last_day)
    )
    for clock, over in [(one, True) for one in later[-1:]] + [(one, False) for one in later[:-1][:1]]:
        axes.annotate(
            f"on to day {clock.end:,}", (last_day, clock.left(last_day)), (-2, 5 if over else -6),
            textcoords="offset points", fontsize=8, ha="right", va="bottom" if over else "top", annotation_clip=False,
        )  # fmt: skip


def _draw_clock(axes: Axes, clock: RelapseClock, last_day: int, *, first: bool) -> None:
    look: dict[str, Any] = {"alpha": 1.0 if first else _PALE, "zorder": 3 if first else 2, "clip_on": False}
    end = min(clock.end, last_day)
    for stretch in clock.stretches:
        days = (stretch.start, min(stretch.end, end))
        if days[0] >= days[1]:
            continue
        colour, width, dashes = _LOOKS[stretch.pace]
        heights = [clock.left(day) for day in days]
        axes.plot(
            days, heights, color=colour, linewidth=width if first else _THIN * width, linestyle=dashes,
            solid_capstyle="butt", dash_capstyle="butt", **look,
        )  # fmt: skip
    if clock.end > last_day:
        marker: dict[str, Any] = {"marker": ">", "markersize": 6, "color": style.MUTED}
    elif clock.relapsed:
        marker = {"marker": "v", "markersize": 8, "color": style.OUTSIDE, "markeredgecolor": "white"}
    else:
        marker = {"marker": "X", "markersize": 8, "color": style.PUBLISHED, "markeredgecolor": "white"}
    axes.plot([end], [clock.left(end)], linestyle="", **marker, **(look | {"zorder": 5}))


# --- keys -------------------------------------------------------------------------------------------


def _keys(drawn: list[_Life]) -> list[list[tuple[Pace | None, str]]]:
    """Say what the lines mean: paces with their speeds, two in a line; then how each life ends."""
    speeds: dict[Pace, list[str]] = {}
    for life in drawn:
        for stretch in life.clock.stretches if life.clock else ():
            if stretch.start < life.clock.end if life.clock else False:
                said = f"{stretch.speed / ORDINARY_SPEED:.2g}"
                if said not in speeds.setdefault(stretch.pace, []):
                    speeds[stretch.pace].append(said)
    paces: list[tuple[Pace | None, str]] = [
        (pace, f"{pace.value}: {' or '.join(speeds[pace])} clock days a day") for pace in Pace if pace in speeds
    ]
    lines = [paces[first : first + 2] for first in range(0, len(paces), 2)]
    several = len(drawn) > 1
    for number, life in enumerate(drawn):
        which = "bold line" if number == 0 else f"pale line{f' {number}' if len(drawn) > _TWO else ''}"
        line = f"{which}, {style.shortened(life.name, 40)}: {life.ending}"
        lines.append([(None, line if several else f"{style.shortened(life.name, 50)}: {life.ending}")])
    return lines


def _write_keys(drawing: style.Drawing, keys: list[list[tuple[Pace | None, str]]]) -> None:
    up = drawing.get_size_inches()[1]
    axes = style.place(drawing, 0, up - _TOP - _KEY_LINE * len(keys) + 0.06, _WIDTH, _KEY_LINE * len(keys))
    axes.set_xlim(0, _WIDTH)
    axes.set_ylim(len(keys), 0)
    axes.set_axis_off()
    for row, line in enumerate(keys):
        for column, (pace, words) in enumerate(line):
            left = 0.15 + 3.5 * column
            if pace is not None:
                colour, width, dashes = _LOOKS[pace]
                axes.plot([left, left + 0.34], [row + 0.5, row + 0.5], color=colour, linewidth=width, linestyle=dashes)
            axes.text(left + (0.44 if pace else 0), row + 0.5, words, fontsize=8, va="center_baseline")


def _alt(drawn: list[_Life], patient: int, trial: int) -> str:
    first = drawn[0].clock
    budget = f" of {_days(first.millidays / ORDINARY_SPEED)} days" if first is not None and first.counted else ""
    lives = "; ".join(f"{life.name}: {life.ending}" for life in drawn)
    return f"Relapse clock{budget} of patient {patient:,} of trial {trial:,}; {lives}."
