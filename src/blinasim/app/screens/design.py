"""*Design a trial*: change a shipped design, and see what it would do."""

from __future__ import annotations

import streamlit as st

from blinasim.app import designs
from blinasim.app.designs import Planned
from blinasim.app.screens.common import (
    answered,
    kept,
    opened,
    point_used,
    quiet,
    refusing,
    shown_picture,
    shown_table,
    simulating,
)
from blinasim.scenario.design_file import load_design

_judged = kept(designs.judged)
_titles = kept(designs.titles)


def show() -> None:
    """Show the page."""
    head, left, right = opened(
        "Design a trial",
        "Before anyone enrols: how often a trial like this would succeed, how often it would if there were nothing to "
        "find, and how long it would take.",
    )
    with left:
        planned, trials = _planned()
    with refusing(head), head, simulating():
        found = _judged(planned, trials)
    with head:
        answered(found.sentence)
    with right:
        st.write(found.why)
        shown_picture(found.picture)
        shown_table(
            ("Of such trials", "As the scenarios say", "Nothing to find"), found.rows, "Operating characteristics"
        )
        shown_table(found.look_titles, found.looks, "Looks at the data")
        quiet(found.basis)
        point_used("blinasim trial has them as here by default", "so that there is one power and one error")


def _planned() -> tuple[Planned, int]:
    names = _titles()
    name = st.selectbox(
        "Design", list(names), index=list(names).index("phase3_standard_therapy"),
        format_func=names.__getitem__, key="design/name",
    )  # fmt: skip
    quiet(f"Design {name}: {names[name]}")
    design = load_design(name).design
    size, looks, allocation = designs.can_change(design)
    planned = Planned(
        name,
        size=st.slider("Patients", 20, 1_000, design.size, 10, key=f"design/{name}/size") if size else None,
        looks=st.slider("Looks at the data, the last included", 1, 5, len(design.looks), key=f"design/{name}/looks")
        if looks
        else None,
        allocation=st.selectbox(
            "Allocation, control first",
            list(designs.ALLOCATIONS),
            index=list(designs.ALLOCATIONS).index(designs.allocation_of(design)),
            key=f"design/{name}/allocation",
        )
        if allocation
        else None,
    )
    trials = st.select_slider(
        "Simulated trials", designs.TRIALS, key="design/trials", format_func=lambda number: f"{number:,}",
        help="More take longer, and narrow the interval of the simulation.",
    )  # fmt: skip
    if not size:
        quiet("The size of a Simon design follows from its rates and errors.")
    return planned, trials
