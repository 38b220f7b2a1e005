"""*About and cite*: what it is, what it is not, and what it rests on."""

from __future__ import annotations

import streamlit as st

from blinasim.app import about
from blinasim.app.screens.common import shown_table
from blinasim.version import __version__


def show() -> None:
    """Show the page."""
    st.title("About and cite")
    st.write(about.what_it_is())
    st.header("What it is not")
    st.warning(
        "Not for decisions about patients. The patients are synthetic; the parameters are set so that the published "
        "figures of one abstract of 189 patients come out, with 9.8 months of median follow-up. Survival beyond about "
        "a year rests on assumptions. It is a tool for study design, method and teaching."
    )
    st.header("What it rests on")
    counted = about.grades()
    total = sum(counted.values())
    st.write(f"{counted['assumption']} of {total} parameters are assumptions; each says so, with its reason.")
    rows = [(words.capitalize(), str(counted[grade])) for grade, words in about.GRADES.items()]
    shown_table(("Provenance", "Parameters"), rows, "Parameters by provenance")
    st.header("How to cite")
    st.code(about.citation(), language=None, wrap_lines=True)
    st.write(
        f"This is version {__version__}. The rules of the simulated world are in `SPECIFICATION.md` (Pathway 1.0), "
        "every parameter with its source in `calibration/parameters.yaml`, how they were calibrated in "
        "`docs/calibration.md`. What a page shows, the command line shows too: `blinasim compare`, `trace`, `run`, "
        "`effect` and `trial`."
    )
    st.header("Private")
    st.write(
        "The page runs on this computer alone and answers nobody else. It sends nothing anywhere, and keeps no file "
        "that you upload."
    )
