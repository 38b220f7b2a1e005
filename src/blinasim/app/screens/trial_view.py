"""*What the trial saw*: move the data cut-off, and watch what the trial reports."""

from __future__ import annotations

import streamlit as st

from blinasim.app import trial_view
from blinasim.app.screens.common import (
    answered,
    chosen_scenario,
    kept,
    opened,
    point_used,
    quiet,
    refusing,
    shown_picture,
    shown_table,
    simulating,
)

_seen = kept(trial_view.seen)
_flow = kept(trial_view.flow)


def show() -> None:
    """Show the page."""
    head, left, right = opened(
        "What the trial saw",
        "A trial does not see lives, it sees them up to a day. Move that day, and watch the medians, the 11 % and "
        "their intervals, beside what is true of the same patients.",
    )
    with left:
        source = chosen_scenario("Scenario", "trial/preset")
        base = source.load()
        accrual = base.trial.accrual
        gap = st.slider(
            "Data cut-off, days after the last enrolment", 0, 1095, accrual.gap_days, 7, key="trial/gap",
            help="The source study reported 84 days after, as far as can be told.",
        )  # fmt: skip
        accrual_days = st.slider(
            "Accrual, days", 60, 1095, sum(piece.days for piece in accrual.pieces), 5, key="trial/accrual",
            help="How long it takes to enrol all patients, at a constant rate.",
        )  # fmt: skip
        loss = st.slider("Lost to follow-up, % a year", 0, 50, round(100 * base.trial.loss_per_year), key="trial/loss")
        size = st.slider("Patients a trial", 30, 500, min(max(base.cohort.size, 30), 500), key="trial/size")
    with refusing(head):
        scenario = trial_view.asked(source.name, accrual_days, gap, loss, size)
        with head, simulating():
            found = _seen(scenario)
    with head:
        answered(found.sentence)
    with right:
        spread, curve = st.columns(2)
        with spread:
            shown_picture(found.spreads)
        with curve:
            shown_picture(found.curve)
        shown_table(
            ("Endpoint", "Published", "Seen", "Truth", "Interval holds it"),
            found.rows,
            "Endpoints as seen and in truth",
        )
        st.header("Why")
        for reason in found.reasons:
            st.markdown(f"- {reason}")
        quiet(found.basis)
        point_used(
            f"blinasim run {source.name} --parameters point has them as here",
            "so that there is one truth for the intervals to hold",
        )
        if st.toggle("Show the patient flow", key="trial/flow"):
            with simulating():
                flow = _flow(scenario)
            shown_picture(flow)
