"""One page, whatever the command: its parts, and how they become a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from blinasim.report.page.picture import Album
from blinasim.report.resting import Assumptions
from blinasim.report.style import Drawing
from blinasim.report.table import Table, level
from blinasim.version import __version__

if TYPE_CHECKING:
    from jinja2 import Template

#: The page's file in a results folder.
REPORT_FILE: Final = "report.html"
_TEMPLATE: Final = "page.html.jinja"
#: A longer table of settings is folded.
_LONG: Final = 12

#: What holds for everything that blinasim computes.
LIMITATIONS: Final = (
    "Not for clinical decisions: nothing here says what is best for a patient.",
    "The patients are synthetic. {parameters} fitted to one published abstract of 189 patients with a median "
    "follow-up of 9.8 months, which says little or nothing about most of them; what happens later than about a year "
    "rests on assumptions.",
)
_FITTED: Final = "The parameters are"
_PARTLY_FITTED: Final = (
    "What the user set of the parameters is taken as it is, and rests on nothing else here; the others are"
)


@dataclass(frozen=True)
class Described:
    """A scenario or design as its author describes it; ``name`` is empty where there is only one."""

    name: str
    title: str
    why: str


@dataclass(frozen=True)
class Page:
    """What a report says.

    Attributes
    ----------
    command : str
        The command that it is of.
    title : str
        Of the scenario, or what was compared.
    question : str
        What was asked, in a sentence.
    scenarios : tuple of Scenario
        What was simulated, in its author's words.
    facts : tuple of (str, str)
        Numbers of trials and patients, parameters, seed.
    answer : tuple of str
        The result in a sentence or two, made from the numbers.
    tables : tuple of Table
    commands : tuple of str
        Command lines that give the same numbers; empty where none does.
    settings : tuple of Table
        Settings that differ from those of the source study; of designs, all.
    definitions : tuple of (str, str)
        What the columns of the tables mean.
    notes : tuple of str
        What else is to be said of the tables.
    assumptions : Assumptions, optional
        None where nothing is simulated.
    repeating : tuple of str
        Remarks on how to repeat it.
    limitations : tuple of str
        Of this analysis, besides ``LIMITATIONS``.
    """

    command: str
    title: str
    question: str
    scenarios: tuple[Described, ...]
    facts: tuple[tuple[str, str], ...]
    answer: tuple[str, ...]
    tables: tuple[Table, ...]
    commands: tuple[str, ...]
    settings: tuple[Table, ...] = ()
    definitions: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    assumptions: Assumptions | None = None
    repeating: tuple[str, ...] = ()
    limitations: tuple[str, ...] = ()


def write_page(page: Page, drawn: Mapping[str, Drawing], folder: Path) -> None:
    """Write ``report.html`` into a results folder whose figures have been written.

    The same bytes each time: it holds no date, no path, and nothing of how the work was done.

    Parameters
    ----------
    page : Page
        What it says.
    drawn : mapping of str to Drawing
        Figures by name, in order; each is there as ``figures/NAME.svg``.
    folder : Path
        The results folder.
    """
    album = Album()
    pictures = [
        album.add(name, figure.alt, (folder / "figures" / f"{name}.svg").read_text(encoding="utf-8"))
        for name, figure in drawn.items()
    ]
    own = page.assumptions is not None and page.assumptions.own
    general = (said.format(parameters=_PARTLY_FITTED if own else _FITTED) for said in LIMITATIONS)
    text = _template().render(
        page=page, pictures=pictures, version=__version__, limitations=(*page.limitations, *general), long=_LONG
    )
    (folder / REPORT_FILE).write_text(text, encoding="utf-8", newline="")


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(__package__, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["level"] = level
    return environment.get_template(_TEMPLATE)
