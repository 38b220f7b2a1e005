"""*Explore a policy*: move its settings, and see what becomes of the same patients."""

from __future__ import annotations

from typing import Any

import streamlit as st

from blinasim.app import explore
from blinasim.app.controls import CONTROLS, Control, Source, changes_of, downloaded, uploaded
from blinasim.app.screens.common import (
    answered,
    chosen_scenario,
    kept,
    opened,
    posterior_used,
    quiet,
    refused,
    refusing,
    shown_picture,
    shown_table,
    simulating,
)
from blinasim.errors import BlinasimError
from blinasim.scenario.settings import Scenario

_answer = kept(explore.answer)
_usual_share = kept(explore.usual_under_way_share)


def show() -> None:
    """Show the page."""
    head, left, right = opened(
        "Explore a policy",
        "What would have happened to these patients under another policy? Start from a scenario and move its "
        "settings; beside it stands the baseline, the source study as it was conducted.",
    )
    with left:
        source = _source()
        base = source.load()
        values, share = _settings(source, base)
    with refusing(head):
        scenario = source.changed(changes_of(base, values))
        with left:
            # Before the answer: until it is there, a click would download what was asked before.
            _download(scenario, source)
        with head, simulating():
            found = _answer(scenario, share)
    with head:
        answered(found.sentence)
    with right:
        _results(found)


def _source() -> Source:
    """Let the user choose where to start from: a shipped scenario, or a file."""
    chosen = chosen_scenario("Start from", "explore/preset", start="early_donor_search")
    with st.expander("Or from a file of yours"):
        file = st.file_uploader("Upload a scenario (YAML)", type=["yaml", "yml"], key="explore/file")
    if file is None:
        return chosen
    try:
        return uploaded(file.name, file.getvalue())
    except BlinasimError as problem:
        refused(problem)
        quiet(f"What the page shows is not this file: it is still the scenario {chosen.name}.")
        return chosen


def _settings(source: Source, base: Scenario) -> tuple[dict[str, Any], float | None]:
    """Let the user move settings; the keys name the start, so that another start begins with its own values."""
    key = f"explore/{source.name}/{hash(source.content)}"
    values = {}
    for number, (heading, controls) in enumerate(CONTROLS.items()):
        with st.expander(heading, expanded=number == 0):
            for control in controls:
                values[control.path] = _widget(control, base, f"{key}/{control.path}")
    with st.expander("The world, for both"):
        usual = round(100 * _usual_share())
        share = st.slider(
            "Donor searches under way at enrolment, %",
            0,
            100,
            usual,
            key=f"{key}/under_way",
            help="A parameter, not a setting: nothing is published on it; what an earlier search gains rests on it.",
        )
    return values, None if share == usual else share / 100


def _widget(control: Control, base: Scenario, key: str) -> Any:
    value, options = control.value(base), control.offered(base)
    if control.several:
        return tuple(
            st.pills(control.label, options, selection_mode="multi", default=value, key=key, help=control.meaning)
        )
    if isinstance(value, bool):
        return st.toggle(control.label, value, key=key, help=control.meaning)
    if control.high:
        low, high = control.bounds(base)
        return st.slider(control.label, low, high, value, control.step, key=key, help=control.meaning)
    if None in options and len(options) > 4:
        return st.select_slider(control.label, options, value, format_func=control.words, key=key, help=control.meaning)
    return st.selectbox(
        control.label, options, options.index(value), format_func=control.words, key=key, help=control.meaning
    )


def _results(found: explore.Answer) -> None:
    figures, flow = st.columns(2)
    with figures:
        shown_picture(found.survival)
    with flow:
        if found.flow:
            shown_picture(found.flow)
        else:
            quiet("The patients are others than the baseline's, so that no patient has two lives to compare.")
    shown_table(
        ("Outcome", "Baseline", "This policy", "Difference (95 % interval)"), found.rows, "Outcomes under both policies"
    )
    quiet(f"{found.basis} {found.touched}")
    posterior_used("compare")


def _download(scenario: Scenario, source: Source) -> None:
    name = source.name.rpartition(".")[0] or source.name
    st.download_button(
        "Download this scenario (YAML)",
        downloaded(scenario),
        file_name=f"{name}_changed.yaml" if scenario != source.load() else f"{name}.yaml",
        mime="application/yaml",
        on_click="ignore",
        width="stretch",
    )
    quiet("It says what differs from the baseline; blinasim run, compare and trace take it.")
