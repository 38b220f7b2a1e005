"""What the screens share: the look, pictures, tables, errors, and what is kept between reruns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from blinasim.app.controls import Source, presets
from blinasim.app.pictures import Picture
from blinasim.errors import BlinasimError
from blinasim.scenario.settings import Scenario

Found = TypeVar("Found")

#: Restrained: less room above, lines that are not too long, tables as in a paper.
LOOK: Final = """<style>
.block-container {max-width: 1260px; padding-top: 1.2rem; padding-bottom: 3rem;}
.block-container {padding-left: 2rem; padding-right: 2rem;}
@media (max-width: 640px) {.block-container {padding-left: 1rem; padding-right: 1rem;}}
h1 {font-size: 1.65rem !important; padding-bottom: 0.3rem !important;}
[data-testid=stSelectbox] input {text-overflow: ellipsis;}
h2, h3 {font-size: 1.15rem !important; padding-bottom: 0.2rem !important;}
[data-testid=stHeader] {display: none;}
.answer {font-size: 1.08rem; line-height: 1.5; border-left: 4px solid #00548A; padding: 0.1rem 0 0.1rem 0.8rem;}
.quiet {color: #595959; font-size: 0.85rem; line-height: 1.4;}
table.figures {border-collapse: collapse; width: 100%; max-width: 52rem;}
table.figures {font-size: 0.87rem; font-variant-numeric: tabular-nums;}
table.figures th {text-align: right; font-weight: 600; border-bottom: 1px solid #999; padding: 0.2rem 0 0.2rem 0.6rem;}
table.figures td {text-align: right; border-bottom: 1px solid #e6e6e6; padding: 0.25rem 0 0.25rem 0.6rem;}
table.figures th:first-child, table.figures td:first-child {text-align: left; padding-left: 0;}
table.story {border-collapse: collapse; width: 100%; font-size: 0.9rem; line-height: 1.35;}
table.story th {text-align: left; font-weight: 600; border-bottom: 1px solid #999; padding: 0.2rem 0.6rem 0.2rem 0;}
table.story td {border-bottom: 1px solid #e6e6e6; padding: 0.25rem 0.6rem 0.25rem 0; vertical-align: top;}
table.story td:first-child {text-align: right; color: #595959; font-variant-numeric: tabular-nums; width: 3.2rem;}
.whole {white-space: nowrap;}
/* What is wider than its box scrolls in it; a shadow at an edge says that there is more. */
.wide {overflow-x: auto; background:
  linear-gradient(to right, #fff 30%, #fff0) left / 3rem 100% no-repeat local,
  linear-gradient(to left, #fff 30%, #fff0) right / 3rem 100% no-repeat local,
  linear-gradient(to right, #0004, #0000) left / 0.9rem 100% no-repeat scroll,
  linear-gradient(to left, #0004, #0000) right / 0.9rem 100% no-repeat scroll, #fff;}
.wide img {mix-blend-mode: multiply;}
</style>"""


def kept(function: Callable[..., Found]) -> Callable[..., Found]:
    """Keep what a pure function returns, by the resolved scenario and whatever else it is given."""
    keys: dict[str | type[Any], Callable[[Any], Any]] = {Scenario: lambda scenario: scenario.model_dump_json()}
    return st.cache_data(show_spinner=False, max_entries=64, hash_funcs=keys)(function)


@contextmanager
def simulating() -> Iterator[None]:
    """Say that an answer is being made, on a line of its own; the one before stays readable below it.

    The cache's own sign is painted over what stands there.
    """
    with st.container(), st.spinner("Simulating …"):
        yield


def shown_picture(picture: Picture) -> None:
    """Show a picture with its alternative text."""
    st.html(picture.as_html)


def shown_table(titles: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> None:
    """Show a small table of texts, its caption for those who hear the page."""
    head = "".join(f'<th scope="col">{escaped(title)}</th>' for title in titles)
    body = "".join(f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>" for row in rows)
    st.html(
        f'<div class="wide" tabindex="0" role="group" aria-label="{escaped(caption)}">'
        f'<table class="figures"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(text: str) -> str:
    """Write a cell that breaks before its brackets only, if it holds figures."""
    figure, bracket, limits = text.partition(" (")
    if not any(char.isdigit() for char in figure) or len(figure) > 16:
        return escaped(text)
    return " ".join(f'<span class="whole">{escaped(part)}</span>' for part in (figure, bracket[1:] + limits) if part)


def answered(text: str) -> None:
    """Show the answer, in a sentence."""
    st.html(f'<p class="answer">{escaped(text)}</p>')


def quiet(text: str) -> None:
    """Show what the answer rests on."""
    st.html(f'<p class="quiet">{escaped(text)}</p>')


def posterior_used(command: str) -> None:
    """Say that a page draws its parameters, as a command does."""
    quiet(f"Parameters: draws of the posterior that comes with blinasim, as blinasim {command} has them by default.")


def point_used(command: str, why: str) -> None:
    """Say that a page has one value of each parameter, and why it does not agree with ``blinasim run`` to the digit."""
    quiet(
        f"Parameters: the point values of calibration/parameters.yaml, the same in all trials, {why}. blinasim run "
        "draws them from the posterior instead, anew for every trial or two, so that its medians and ranges are "
        f"others; {command}."
    )


def escaped(text: str) -> str:
    """Write a text, which may hold a user's own words, as HTML."""
    import html

    return html.escape(text, quote=True)


def refused(problem: BlinasimError) -> None:
    """Show the one line of an error, as the command line does."""
    st.error("This is not possible:")
    st.code(f"blinasim: {problem}", language=None, wrap_lines=True)


def opened(title: str, lead: str) -> tuple[DeltaGenerator, DeltaGenerator, DeltaGenerator]:
    """Open a page, and return where its answer, its settings and its results go."""
    st.title(title)
    st.write(lead)
    head = st.container()
    settings, results = st.columns([1, 3.1], gap="medium")
    return head, settings, results


@contextmanager
def refusing(place: DeltaGenerator) -> Iterator[None]:
    """Refuse in one line what is not possible, and show no more of the page."""
    try:
        yield
    except BlinasimError as problem:
        with place:
            refused(problem)
        st.stop()


@st.cache_data(show_spinner=False)
def titles() -> dict[str, str]:
    """Return the shipped scenarios: names and titles."""
    return presets()


def chosen_scenario(label: str, key: str, *, start: str = "baseline") -> Source:
    """Let the user choose a shipped scenario."""
    names = list(titles())
    name = st.selectbox(label, names, index=names.index(start), format_func=titles().__getitem__, key=key)
    quiet(f"Scenario {name}: {titles()[name]}")
    return Source(name)
