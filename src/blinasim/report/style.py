"""The one style of all figures: colours by role, plain axes, and files that are the same bytes each time.

No pyplot: a figure is an object like any other, nothing global remembers it, and importing stays light.
"""

from __future__ import annotations

import io
import re
import textwrap
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from blinasim.report.words import counted
from blinasim.trial.occupancy import State

#: Okabe and Ito's colours, the blue darkened, so that the roles differ in lightness too and survive a grey printer.
PUBLISHED: Final = "#111111"
OUTSIDE: Final = "#D55E00"
SIMULATED: Final = "#00548A"
SIMULATED_PALE: Final = "#A9CFE8"
CENSORED: Final = "#C85200"
MUTED: Final = "#666666"
GRID: Final = "#E3E3E3"
STRIPE: Final = "#F5F5F5"
#: The scenarios of a comparison: the reference, and the others in order, again and again.
REFERENCE: Final = "#444444"
POLICIES: Final = (SIMULATED, CENSORED, "#12806A", "#9A4E8E", "#8A6A00")
_SOLID: Final = "solid"
_PATTERNS: Final = ((0, (5, 1.5)), (0, (1.5, 1.2)))
STATES: Final = {
    State.INDUCTION: "#F3D27A",
    State.REMISSION: "#2FB48C",
    State.AFTER_HSCT: "#00548A",
    State.FAILURE: "#E69A5B",
    State.DEAD: "#DCDCDC",
}

_RC: Final[dict[str, Any]] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 8.5,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8.5,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "xtick.labelcolor": "#222222",
    "ytick.labelcolor": "#222222",
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "text.color": "#111111",
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "figure.dpi": 100,
    "svg.fonttype": "path",  # the same picture on a machine without the font
    "svg.hashsalt": "blinasim",
}


#: What each format would otherwise write about the moment and the software.
_SILENCED: Final[dict[str, dict[str, str | None]]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
}


#: UTF-8 bytes of characters that an XML file may not hold.
_NOT_IN_XML: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
#: Matplotlib's settings are those of the whole process, so only one thread may draw at a time.
_ONE_AT_A_TIME: Final = threading.RLock()


class Drawing(Figure):
    """A matplotlib figure that carries its alternative text and shows itself in a notebook without pyplot.

    Attributes
    ----------
    alt : str
        One sentence, made from the numbers, for those who do not see the figure.
    """

    alt: str = ""

    def _repr_png_(self) -> bytes:
        return render(self, ".png")


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the style of the house, whatever the user's own matplotlib settings are; other threads wait."""
    with _ONE_AT_A_TIME, matplotlib.style.context(["default", _RC]):
        yield


def blank(width: float, height: float) -> Drawing:
    """Return an empty figure, sizes in inches."""
    drawing = Drawing(figsize=(width, height))
    FigureCanvasAgg(drawing)
    return drawing


def place(drawing: Drawing, left: float, bottom: float, width: float, height: float) -> Axes:
    """Add axes at a place given in inches from the lower left corner."""
    across, up = drawing.get_size_inches()
    return drawing.add_axes((left / across, bottom / up, width / across, height / up))


def write(drawing: Drawing, left: float, down: float, text: str, **look: Any) -> Text:
    """Write text at a place given in inches from the upper left corner of the figure."""
    across, up = drawing.get_size_inches()
    return drawing.text(left / across, 1 - down / up, text, va="top", **look)


def heading(drawing: Drawing, left: float, title: str, *lines: str) -> None:
    """Write a title and quieter lines under it."""
    write(drawing, left, 0.12, title, fontsize=11, fontweight="bold")
    for number, line in enumerate(lines):
        write(drawing, left, 0.36 + 0.165 * number, line, fontsize=8, color=MUTED)


def counted_trials(trials: int) -> str:
    """Say how many trials were simulated."""
    return counted(trials, "simulated trial")


def counted_patients(patients: int) -> str:
    """Say how many patients there are."""
    return counted(patients, "patient")


def shortened(title: str, letters: int = 45) -> str:
    """Cut a long title or name of a scenario to what a line holds."""
    words = textwrap.shorten(title, letters, placeholder=" …")
    return words if len(words) > 1 or len(title) <= letters else f"{title[: letters - 1]}…"


def colour_of(number: int) -> str:
    """Return the colour of a comparison's scenario; number 0 is the reference."""
    return REFERENCE if number == 0 else POLICIES[(number - 1) % len(POLICIES)]


def dashes_of(number: int) -> Any:
    """Return the pattern of the line of a comparison's scenario: colours come again, with another pattern."""
    return (_SOLID, *_PATTERNS)[max(0, number - 1) // len(POLICIES) % (1 + len(_PATTERNS))]


def apart(wanted: Sequence[float], least: float, low: float, high: float) -> list[float]:
    """Move places on a line as little as needed, so that they keep a distance and lie between two ends.

    Their order stays; where they do not fit, they begin at the lower end.

    Parameters
    ----------
    wanted : sequence of float
        Places, in any unit and order.
    least : float
        The distance that neighbours keep.
    low, high : float
        The ends.

    Returns
    -------
    list of float
        In the order of ``wanted``.
    """
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    groups: list[tuple[float, list[int]]] = []  # middle of a group, and its members from below
    for index in order:
        groups.append((wanted[index], [index]))
        while len(groups) > 1 and _overlap(groups[-2], groups[-1], least):
            (first, one), (second, other) = groups[-2:]
            middle = (first * len(one) + second * len(other)) / (len(one) + len(other))
            groups[-2:] = [(middle, one + other)]
    places = [0.0] * len(wanted)
    for middle, members in groups:
        for rank, index in enumerate(members):
            places[index] = middle + (rank - (len(members) - 1) / 2) * least
    for index in reversed(order):
        places[index] = high = min(places[index], high)
        high -= least
    for index in order:
        places[index] = low = max(places[index], low)
        low += least
    return places


def _overlap(lower: tuple[float, list[int]], upper: tuple[float, list[int]], least: float) -> bool:
    return upper[0] - lower[0] < (len(lower[1]) + len(upper[1])) / 2 * least


def extent(axes: Axes, text: Text) -> Bbox:
    """Return the box that a text fills, in the data coordinates of its axes."""
    return axes.transData.inverted().transform_bbox(text.get_window_extent())


def ink_on(colour: str) -> str:
    """Return black or white, whichever reads better on a colour.

    By the relative luminance of WCAG 2: at 0.179 both have the same contrast.
    """
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#111111" if luminance > 0.179 else "#FFFFFF"


def render(figure: Figure, suffix: str, dpi: float = 150) -> bytes:
    """Return a figure as the bytes of a file: equal figures, equal bytes.

    Parameters
    ----------
    figure : Figure
        Its alternative text, if it has one, goes into the file as its description.
    suffix : str
        ``.png`` or ``.svg``.
    dpi : float
        Dots per inch of a PNG.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        For another format.
    """
    if suffix not in _SILENCED:
        raise ValueError(f"{suffix}: figures are written as {' or '.join(_SILENCED)}")
    metadata = dict(_SILENCED[suffix])
    if alt := getattr(figure, "alt", ""):
        metadata["Description"] = alt
    buffer = io.BytesIO()
    with house_style():
        figure.savefig(buffer, format=suffix[1:], dpi=dpi, metadata=metadata)
    # matplotlib writes a title's text into comments as it is, and XML allows no control characters there either.
    return _NOT_IN_XML.sub(b" ", buffer.getvalue()) if suffix == ".svg" else buffer.getvalue()


def save(figure: Figure, path: Path, dpi: float = 150) -> Path:
    """Write a figure to a file, the same bytes each time; see `render`.

    Parameters
    ----------
    figure : Figure
        Its alternative text goes into the file.
    path : Path
        Its suffix names the format, ``.png`` or ``.svg``.
    dpi : float
        Dots per inch of a PNG.

    Returns
    -------
    Path
        The same.

    Raises
    ------
    ValueError
        For another format.
    """
    path.write_bytes(render(figure, path.suffix, dpi))
    return path
