"""*The transplant illusion*: what papers find for HSCT where the truth is known."""

from __future__ import annotations

import streamlit as st

from blinasim.app import illusion
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

_illusion = kept(illusion.illusion)
_guaranteed = kept(illusion.guaranteed)


def show() -> None:
    """Show the page."""
    head, left, right = opened(
        "The transplant illusion",
        "Who is transplanted has lived to be transplanted. Counted as the transplant's merit, that time makes any "
        "transplant look good, even one that does nothing. Here the truth is known, as the same patients also live "
        "without HSCT.",
    )
    with left:
        world = st.radio("What HSCT truly does", list(illusion.WORLDS), key="illusion/world")
        landmark = st.slider(
            "Landmark, days from remission", 30, 240, 90, 10, key="illusion/landmark",
            help="Patients alive on this day are split by what had come by then; those who died before are left out.",
        )  # fmt: skip
        trial = st.slider("Trial shown patient by patient", 1, 50, 1, key="illusion/trial")
    with refusing(head), head, simulating():
        found, shown = _illusion(world, landmark), _guaranteed(world, trial)
    with head:
        answered(found.sentence)
    with right:
        waiting, curves = st.columns(2)
        with waiting:
            shown_picture(shown.picture)
            quiet(shown.sentence)
        with curves:
            shown_picture(found.ratios)
            shown_picture(found.split)
        shown_table(
            ("Estimator", "Mean (interval)", "95 % of the trials", "Truth (interval)", "Wrongly found"),
            found.rows,
            "Estimators and the truth",
        )
        quiet(found.basis)
        point_used("blinasim effect has them as here by default", "so that there is one truth for the estimators")
