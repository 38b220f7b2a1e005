"""Swimmer plot: each responder of one simulated trial as a lane, as the trial saw it at its cut-off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation, Transform
from numpy.typing import NDArray

from blinasim.model.codes import NONE
from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.model.history import or_never
from blinasim.report import style
from blinasim.scenario.settings import Cycles, Scenario
from blinasim.trial.observe import TrialData
from blinasim.trial.occupancy import State

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: Lanes drawn unless told otherwise: more than nearly every trial of the source study's size has responders.
LANES: Final = 100
#: Inches: the page, the panel's left edge, what is above and below it.
_WIDTH: Final = 7.2
_LEFT: Final = 0.55
_RIGHT: Final = 0.2
_HEADER: Final = 0.475  # title; the lines and the key come below
_LINE: Final = 0.165
_KEY_LINE: Final = 0.19
_UNDER_KEY: Final = 0.1
_AXIS: Final = 0.45
#: Inches: height of all lanes together where there is a choice, of the thinnest and the thickest lane, of a group's
#: heading, and of the gap under a group.
_LANES: Final = 6.6
_LANE: Final = (0.114, 0.17)
_GROUP: Final = 0.21
_GAP: Final = 0.06
#: A full bar and a thin one, as shares of a lane.
_FULL: Final = 0.74
_THIN: Final = 0.34
#: Size of a patient's number, points: digits have no descenders, so that they fit the thinnest lane.
_DIGITS: Final = 8.0
#: Inches between the end of a lane and its mark.
_BEYOND: Final = 0.052
#: Months between ticks: the first of which there are few enough.
_TICKS: Final = (1, 3, 6, 12, 24, 60, 120, 240)
_MOST_TICKS: Final = 10


class _Phase(Enum):
    """What a bar stands for: its words, colour and share of a lane; relapse is thin, so that no colour is needed."""

    TREATMENT = ("blinatumomab cycles", style.STATES[State.INDUCTION], _FULL)
    REMISSION = ("in remission, off the drug", style.STATES[State.REMISSION], _FULL)
    AFTER_HSCT = ("in remission after HSCT", style.STATES[State.AFTER_HSCT], _FULL)
    RELAPSED = ("after relapse", style.STATES[State.FAILURE], _THIN)

    def __init__(self, label: str, colour: str, share: float) -> None:
        self.label, self.colour, self.share = label, colour, share


@dataclass(frozen=True)
class _Mark:
    """A sign on a lane or, ``beyond``, just right of its end."""

    label: str
    look: dict[str, Any]
    beyond: bool = False


_INK: Final = style.PUBLISHED
_DARK_ORANGE: Final = "#9C3A00"  # dark enough on the bar of relapse for a grey printer
_MARKS: Final = {
    "remission": _Mark("remission", {"marker": "o", "ms": 3.2, "mfc": "white", "mec": _INK, "mew": 0.6}),
    "on_study": _Mark("on-study HSCT", {"marker": "D", "ms": 4.2, "mfc": _INK, "mec": "white", "mew": 0.5}),
    "later": _Mark("later HSCT", {"marker": "D", "ms": 3.9, "mfc": "white", "mec": _INK, "mew": 0.9}),
    "relapse": _Mark("relapse detected", {"marker": "v", "ms": 4.8, "mfc": _DARK_ORANGE, "mec": "white", "mew": 0.4}),
    "switch": _Mark("switch to another therapy", {"marker": "s", "ms": 3.6, "mfc": "white", "mec": _INK, "mew": 0.9}),
    "dead": _Mark("died", {"marker": "x", "ms": 3.7, "mec": _INK, "mew": 1.2}, beyond=True),
    "alive": _Mark("alive at the cut-off", {"marker": ">", "ms": 3.8, "mfc": style.MUTED, "mew": 0}, beyond=True),
    "lost": _Mark("lost to follow-up", {"marker": "|", "ms": 5.0, "mec": _INK, "mew": 1.2}, beyond=True),
}


@dataclass(frozen=True)
class _Lanes:
    """Responders of one trial as seen: arrays with one element a patient, days since the first infusion."""

    patient: Ints  # number in the trial, from 1
    end: Ints
    remission: Ints
    switch: Ints
    hsct: Ints
    relapse: Ints  # detected
    drug_end: Ints
    on_study: Bools
    later: Bools
    dead: Bools
    lost: Bools

    @classmethod
    def of(cls, seen: TrialData, row: int, cycles: Cycles) -> _Lanes:
        """Read the responders of a row, grouped by transplantation, the longest under observation first."""
        (who,) = np.nonzero(seen.responder[row])
        end = seen.follow_up_days[row, who].astype(np.int64)
        on_study, later = seen.on_study[row, who], seen.later_hsct[row, who]
        order = np.lexsort((who, -end, np.where(on_study, 0, np.where(later, 1, 2))))
        who = who[order]

        def days(of: NDArray[np.int32]) -> Ints:
            return np.asarray(of[row, who], dtype=np.int64)

        hsct, switch, relapse, death = (days(of) for of in (seen.hsct, seen.switch, seen.relapse_detected, seen.death))
        end = end[order]
        last_infusion = (days(seen.cycles) - 1) * (cycles.infusion_days + cycles.rest_days) + cycles.infusion_days
        cut_short = np.minimum.reduce([or_never(hsct), or_never(switch), or_never(relapse), end])
        return cls(
            patient=who.astype(np.int64) + 1,
            end=end,
            remission=days(seen.remission),
            switch=switch,
            hsct=hsct,
            relapse=relapse,
            drug_end=np.minimum(last_infusion, cut_short),
            on_study=on_study[order],
            later=later[order],
            dead=death != NONE,
            lost=seen.lost[row, who],
        )

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.patient)

    @property
    def groups(self) -> list[tuple[str, Bools]]:
        """The groups in their order, each with its members."""
        return [
            ("HSCT on study", self.on_study),
            ("HSCT later, after a relapse or a switch", self.later),
            ("No HSCT by the cut-off", ~self.on_study & ~self.later),
        ]

    def only(self, which: Ints) -> _Lanes:
        """Return some of the lanes."""
        return _Lanes(**{name: column[which] for name, column in vars(self).items()})

    def phase(self, phase: _Phase) -> tuple[Ints, Ints]:
        """Return first and last day of a phase; where the last is not later, there is none."""
        relapse, hsct = np.minimum(or_never(self.relapse), self.end), np.minimum(or_never(self.hsct), self.end)
        match phase:
            case _Phase.TREATMENT:
                return np.zeros_like(self.end), self.drug_end
            case _Phase.REMISSION:
                return self.drug_end, np.minimum(relapse, hsct)
            case _Phase.AFTER_HSCT:
                return hsct, relapse
            case _Phase.RELAPSED:
                return relapse, self.end

    def days(self, mark: str) -> tuple[Bools, Ints]:
        """Return who has a mark, and on which day."""
        alive = ~self.dead & ~self.lost
        return {
            "remission": (self.remission != NONE, self.remission),
            "on_study": (self.on_study, self.hsct),
            "later": (self.later, self.hsct),
            "relapse": (self.relapse != NONE, self.relapse),
            "switch": (self.switch != NONE, self.switch),
            "dead": (self.dead, self.end),
            "alive": (alive, self.end),
            "lost": (self.lost, self.end),
        }[mark]


def swimmer(
    seen: TrialData, scenario: Scenario, *, trial: int = 1, first_trial: int = 1, patients: int = LANES
) -> style.Drawing:
    """Draw the responders of one trial as lanes, from first infusion to the end of their follow-up.

    Everything is as the trial saw it: a relapse counts from its detection, and what came after the cut-off is unknown.
    Cycles are drawn to the planned end of the last infusion begun, its rest periods included; they end earlier with
    HSCT, switch, detected relapse or death; that a side effect stopped one early is not in the data. A relapsed patient
    stays so, also after a later HSCT. An HSCT covers the mark of a remission on the same day.

    Parameters
    ----------
    seen : TrialData
        What the trial saw, one row a trial.
    scenario : Scenario
        The scenario of these trials: its title, and the length of its cycles.
    trial : int
        Number of the trial.
    first_trial : int
        Number of the trial in the first row of ``seen``: for batches, and for one trial replayed alone.
    patients : int
        Most lanes to draw. Of more responders, this many are drawn, evenly spaced in the order of the lanes: by
        group, the longest under observation first. Groups keep their shares that way.

    Returns
    -------
    Drawing
        A matplotlib figure for a page in portrait; its ``alt`` is a sentence for those who do not see it.

    Raises
    ------
    ValueError
        If there is no such trial in ``seen``, or no lane to draw.
    """
    row, rows = trial - first_trial, seen.responder.shape[0]
    if not 0 <= row < rows:
        raise ValueError(f"trial {trial}: here are trials {first_trial} to {first_trial + rows - 1}")
    if patients < 1:
        raise ValueError(f"{patients} patients: at least one lane is needed")
    everybody = _Lanes.of(seen, row, scenario.policy.cycles)
    lanes = everybody
    if everybody.count > patients:
        lanes = everybody.only(np.linspace(0, everybody.count - 1, patients).round().astype(np.int64))
    enrolled = seen.responder.shape[1]
    with style.house_style():
        lines = [
            f"{style.shortened(scenario.title)} · trial {trial:,}, as seen at its data cut-off",
            *_order(lanes.count, everybody.count),
        ]
        header = _HEADER + _LINE * len(lines)
        drawing = _draw(lanes, everybody, header) if lanes.count else style.blank(_WIDTH, header)
        title = f"The responders of one simulated trial: {everybody.count:,} of {_counted(enrolled, 'patient')}"
        style.heading(drawing, 0.15, title, *lines)
    drawing.alt = _alt(everybody, lanes.count, trial, enrolled)
    return drawing


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _order(drawn: int, responders: int) -> list[str]:
    if not responders:
        return ["Nobody reached a CR or CRh* within two cycles: there is no lane to draw."]
    lines = [
        "A lane is a patient with a CR or CRh* within two cycles, numbered as for trace; the longest under observation"
        " first."
    ]
    if drawn < responders:
        lines.append(f"Drawn are {drawn:,} of {responders:,}, evenly spaced in this order.")
    return lines


# --- drawing ----------------------------------------------------------------------------------------


def _draw(lanes: _Lanes, everybody: _Lanes, header: float) -> style.Drawing:
    """Draw key and lanes under the header; the y axis of the panel is in inches from its top."""
    lane = float(np.clip(_LANES / lanes.count, *_LANE))
    groups = zip(lanes.groups, everybody.groups, strict=True)
    present = [(name, members, int(of_all.sum())) for (name, members), (_, of_all) in groups if members.any()]
    panel = lanes.count * lane + len(present) * _GROUP + (len(present) - 1) * _GAP + 0.05
    rows = _key_rows()
    top = header + len(rows) * _KEY_LINE + _UNDER_KEY
    drawing = style.blank(_WIDTH, top + panel + _AXIS)
    _draw_key(drawing, rows, header)
    axes = style.place(drawing, _LEFT, _AXIS, _WIDTH - _LEFT - _RIGHT, panel)
    _draw_axes(axes, float(lanes.end.max()) / DAYS_PER_MONTH, panel)
    heights = np.empty(lanes.count)
    down = 0.0
    for name, members, of_all in present:
        _write_group(axes, down, name, int(members.sum()), of_all)
        down += _GROUP
        heights[members] = down + lane * (np.arange(members.sum()) + 0.5)
        down += lane * int(members.sum()) + _GAP
    _draw_bars(axes, lanes, heights, lane)
    _draw_marks(axes, lanes, heights)
    _write_numbers(axes, lanes, heights)
    return drawing


def _draw_axes(axes: Axes, last_month: float, panel: float) -> None:
    last_month = max(last_month, 1.0)
    step = next((step for step in _TICKS if last_month / step <= _MOST_TICKS), _TICKS[-1])
    axes.set_xlim(0, last_month * 1.025)
    axes.set_ylim(panel, 0)
    axes.set_xticks(range(0, int(last_month) + 1, step))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.set_xlabel("Months since first infusion", labelpad=2)


def _write_group(axes: Axes, down: float, name: str, drawn: int, responders: int) -> None:
    count = f"{responders:,}" if drawn == responders else f"{drawn:,} of {responders:,} drawn"
    across = axes.get_yaxis_transform()
    axes.text(
        0, down + _GROUP - 0.045, f"{name}: {count}", transform=across, fontsize=8, fontweight="bold", va="baseline",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6}, zorder=1,
    )  # fmt: skip


def _draw_bars(axes: Axes, lanes: _Lanes, heights: NDArray[np.float64], lane: float) -> None:
    for phase in _Phase:
        first, last = lanes.phase(phase)
        there = last > first
        axes.barh(
            heights[there], (last - first)[there] / DAYS_PER_MONTH, left=first[there] / DAYS_PER_MONTH,
            height=phase.share * lane, color=phase.colour, linewidth=0, zorder=2,
        )  # fmt: skip


def _draw_marks(axes: Axes, lanes: _Lanes, heights: NDArray[np.float64]) -> None:
    for name, mark in _MARKS.items():
        who, days = lanes.days(name)
        _draw_mark(axes, days[who] / DAYS_PER_MONTH, heights[who], mark, _right_of(axes) if mark.beyond else None)


def _right_of(axes: Axes) -> Transform:
    figure = axes.get_figure()
    assert figure is not None
    return axes.transData + ScaledTranslation(_BEYOND, 0, figure.dpi_scale_trans)


def _draw_mark(axes: Axes, x: Any, y: Any, mark: _Mark, where: Transform | None = None) -> None:
    axes.plot(x, y, linestyle="", zorder=4, clip_on=False, transform=where or axes.transData, **mark.look)


def _write_numbers(axes: Axes, lanes: _Lanes, heights: NDArray[np.float64]) -> None:
    look: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "ha": "right", "clip_on": False}
    for patient, height in zip(lanes.patient, heights, strict=True):
        axes.text(-0.008, height, str(patient), fontsize=_DIGITS, color=style.MUTED, va="center_baseline", **look)
    axes.text(-0.008, _GROUP - 0.045, "Patient", fontsize=8, color=style.MUTED, va="baseline", **look)


# --- key --------------------------------------------------------------------------------------------

_Sign = tuple[float, str, Callable[[Axes, float], None]]


def _key_rows() -> list[list[_Sign]]:
    """Return the lines of the key: the width of each sign in inches, its words, and how it is drawn."""

    def bar(phase: _Phase) -> _Sign:
        height = 0.12 * phase.share / _FULL
        return 0.28, phase.label, lambda axes, x: _draw_swatch(axes, x, height, phase.colour)

    def mark(name: str) -> _Sign:
        return 0.1, _MARKS[name].label, lambda axes, x: _draw_mark(axes, [x + 0.05], [0], _MARKS[name])

    return [
        [bar(phase) for phase in _Phase],
        [mark(name) for name in _MARKS if not _MARKS[name].beyond],
        [mark(name) for name in _MARKS if _MARKS[name].beyond],
    ]


def _draw_swatch(axes: Axes, x: float, height: float, colour: str) -> None:
    axes.barh([0], [0.28], left=[x], height=height, color=colour, linewidth=0)


def _draw_key(drawing: style.Drawing, rows: Sequence[Sequence[_Sign]], header: float) -> None:
    """Draw the key, axes in inches."""
    up, length = drawing.get_size_inches()[1], _WIDTH - 0.3
    for number, row in enumerate(rows):
        axes = style.place(drawing, 0.15, up - header - (number + 1) * _KEY_LINE, length, _KEY_LINE)
        axes.set_axis_off()
        axes.set_xlim(0, length)
        axes.set_ylim(-_KEY_LINE / 2, _KEY_LINE / 2)
        x = 0.0
        for width, label, draw in row:
            draw(axes, x)
            text = axes.text(x + width + 0.06, 0, label, fontsize=8, va="center_baseline")
            x += width + 0.06 + style.extent(axes, text).width + 0.2


# --- words ------------------------------------------------------------------------------------------


def _alt(lanes: _Lanes, drawn: int, trial: int, enrolled: int) -> str:
    if not lanes.count:
        return f"Swimmer plot of simulated trial {trial:,}: none of {_counted(enrolled, 'patient')} responded."
    alive = lanes.count - int(lanes.dead.sum()) - int(lanes.lost.sum())
    parts = [
        f"{lanes.on_study.sum():,} transplanted on study, {lanes.later.sum():,} later and"
        f" {lanes.count - lanes.on_study.sum() - lanes.later.sum():,} not",
        f"relapse detected in {(lanes.relapse != NONE).sum():,}",
        f"{lanes.dead.sum():,} died, {alive:,} alive at the cut-off, {lanes.lost.sum():,} lost to follow-up",
    ]
    some = f"; {drawn:,} of them drawn" if drawn < lanes.count else ""
    return (
        f"Swimmer plot of {_counted(lanes.count, 'responder')} among {_counted(enrolled, 'patient')} of simulated trial"
        f" {trial:,} at its data cut-off: {'; '.join(parts)}{some}."
    )
