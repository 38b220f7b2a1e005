"""*A patient's story*: one life day by day, and the same patient's under another policy."""

from __future__ import annotations

import streamlit as st

from blinasim.app import stories
from blinasim.app.screens.common import (
    answered,
    chosen_scenario,
    escaped,
    kept,
    posterior_used,
    quiet,
    refused,
    shown_picture,
    simulating,
)
from blinasim.errors import BlinasimError
from blinasim.report.story import Story
from blinasim.scenario.settings import Scenario

_found = kept(stories.found)
_two_lives = kept(stories.two_lives)
_ANY = "any"
_TURN = "story/turn"


def show() -> None:
    """Show the page."""
    st.title("A patient's story")
    st.write(
        "The same patient under two policies: the same illness, the same luck. What differs is what was decided, and "
        "what came of it."
    )
    first, second = st.columns(2)
    with first:
        one = chosen_scenario("Policy", "story/one")
    with second:
        other = chosen_scenario("The other policy", "story/other", start="early_donor_search")
    try:
        scenarios = one.load(), other.load()
        if scenarios[0].cohort != scenarios[1].cohort:
            answered("The two scenarios enrol other patients, so that nobody lives under both: choose another policy.")
            return
        trial, patient = _patient(*scenarios)
        with simulating():
            told = _two_lives(*scenarios, (one.name, other.name), trial, patient)
    except BlinasimError as problem:
        refused(problem)
        return
    answered(told.sentence)
    st.write(f"**{told.one.heading}**")
    lanes, clock = st.columns([1, 1.5], vertical_alignment="center")
    with lanes:
        shown_picture(told.picture)
    with clock:
        if told.clock:
            shown_picture(told.clock)
        else:
            quiet("Without a remission no relapse clock runs.")
    left, right = st.columns(2)
    for column, name, story in ((left, one.name, told.one), (right, other.name, told.other)):
        with column:
            st.header(name)
            _days(story)
    quiet(
        "A patient's luck is keyed by trial and number and settled before any decision, so that the same command tells "
        f"the same story: blinasim trace {one.name} --trial {trial} --patient {patient}. Who gains and who loses rests "
        "on both lives sharing their luck."
    )
    posterior_used("trace")


def _patient(one: Scenario, other: Scenario) -> tuple[int, int]:
    """Let the user choose a patient by number, or the next of a kind."""
    kind_column, button_column = st.columns([3, 1], vertical_alignment="bottom")
    with kind_column:
        kind = st.selectbox(
            "A patient who (under the first policy) …",
            [*(known.label for known in stories.KINDS), _ANY],
            format_func=lambda label: "any: choose by number" if label == _ANY else label,
            key="story/kind",
        )
    with button_column:
        if st.button("Take another", width="stretch", disabled=kind == _ANY):
            st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
    if kind == _ANY:
        trial_column, patient_column = st.columns(2)
        trial = trial_column.number_input("Trial", 1, 100_000, 1, key="story/trial")
        patient = patient_column.number_input("Patient", 1, one.cohort.size, 1, key="story/patient")
        return int(trial), int(patient)
    with simulating():
        known = _found(kind, one, other)
    if not known:
        quiet(f"Nobody of this kind among {stories.TRIALS} trials; here is the first patient instead.")
        return 1, 1
    turn = st.session_state.get(_TURN, 0) % len(known)
    quiet(f"{len(known):,} such patients in {stories.TRIALS} trials of {one.cohort.size}; this is number {turn + 1}.")
    return known[turn]


def _days(story: Story) -> None:
    rows = "".join(f"<tr><td>{day:,}</td><td>{escaped(words)}</td></tr>" for day, words in story.lines)
    st.html(
        '<table class="story"><thead><tr><th scope="col">Day</th><th scope="col">What happens</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )
    quiet(story.seen)
