"""The page's screens by Streamlit's own test bench: what follows from what a visitor chooses."""

from __future__ import annotations

import re
from typing import Any

import pytest

from blinasim.errors import ScenarioError

testing = pytest.importorskip("streamlit.testing.v1", reason="the extra app is not installed")
explore = pytest.importorskip("blinasim.app.screens.explore")

SCREENS = ("explore", "story", "trial_view", "illusion", "design", "about")


def screen(name: str) -> Any:
    """Open a screen; what failed in it fails here."""
    opened = testing.AppTest.from_string(
        f"from blinasim.app.screens import {name}\n{name}.show()", default_timeout=120
    ).run()
    assert not opened.exception
    return opened


def labelled(widgets: Any, label: str) -> Any:
    return next(widget for widget in widgets if widget.label == label)


def shown(opened: Any) -> str:
    """Return all that a screen writes as HTML."""
    return " ".join(part.proto.body for part in opened.get("html"))


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_opens(name: str) -> None:
    opened = screen(name)
    assert opened.title[0].value
    assert not opened.error
    assert name == "about" or 'class="answer"' in shown(opened)
    used = {"explore": "posterior", "story": "posterior", "about": ""}.get(name, "point values")
    assert not used or re.search(f"Parameters: .*{used}", shown(opened))


def test_a_scenario_can_be_downloaded_before_its_answer_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_yet(*_: Any) -> None:
        raise ScenarioError("none yet")

    monkeypatch.setattr(explore, "_answer", none_yet)
    opened = screen("explore")
    assert "none yet" in opened.code[0].value
    assert len(opened.get("download_button")) == 1


def test_another_start_begins_with_its_own_settings() -> None:
    opened = screen("explore")
    moved = labelled(opened.slider, "Preparation, days").set_value(60).run()
    labelled(moved.selectbox, "Start from").set_value("no_second_hsct").run()
    assert labelled(moved.slider, "Preparation, days").value == 14
    assert labelled(moved.selectbox, "After an earlier HSCT").value == "refused"
    labelled(moved.selectbox, "Start from").set_value("transplant_mrd_positive").run()
    assert "Scenario transplant_mrd_positive" in shown(moved)


def test_settings_that_contradict_each_other_show_the_command_line_s_line() -> None:
    opened = screen("explore")
    labelled(opened.slider, "Most cycles").set_value(2).run()
    labelled(opened.slider, "Not before the end of cycle").set_value(4).run()
    assert opened.code[0].value.startswith("blinasim: ")
    assert "earliest_cycle 4 is beyond cycles.maximum 2" in opened.code[0].value
    assert not opened.exception
    labelled(opened.slider, "Not before the end of cycle").set_value(2).run()
    assert not opened.code


def test_shares_under_way_are_a_parameter_of_both_worlds() -> None:
    opened = screen("explore")
    before = shown(opened)
    labelled(opened.slider, "Donor searches under way at enrolment, %").set_value(100).run()
    assert shown(opened) != before
    assert not opened.code


def test_a_patient_is_chosen_by_number_or_the_next_of_a_kind() -> None:
    opened = screen("story")
    first = opened.markdown[1].value
    labelled(opened.button, "Take another").click().run()
    assert opened.markdown[1].value != first
    labelled(opened.selectbox, "A patient who (under the first policy) …").set_value("any").run()
    labelled(opened.number_input, "Patient").set_value(17).run()
    assert opened.markdown[1].value.startswith("**Patient 17 of trial 1 ·")


def test_a_policy_is_set_beside_itself_without_complaint() -> None:
    opened = screen("story")
    labelled(opened.selectbox, "The other policy").set_value("baseline").run()
    assert not opened.exception
    assert "the same under both" in shown(opened)


def test_a_patient_needs_policies_with_the_same_patients() -> None:
    opened = screen("story")
    labelled(opened.selectbox, "The other policy").set_value("older_cohort").run()
    assert "nobody lives under both" in shown(opened)
    assert not opened.exception


def test_a_design_offers_what_can_be_changed_of_it() -> None:
    opened = screen("design")
    assert {slider.label for slider in opened.slider} == {"Patients", "Looks at the data, the last included"}
    labelled(opened.slider, "Looks at the data, the last included").set_value(1).run()
    assert not opened.exception
    labelled(opened.selectbox, "Design").set_value("simon_minimax").run()
    assert not opened.slider
    assert "follows from its rates and errors" in shown(opened)
    labelled(opened.selectbox, "Design").set_value("predictive_probability").run()
    labelled(opened.slider, "Patients").set_value(20).run()
    assert opened.code[0].value.startswith("blinasim: ")
    assert not opened.exception
