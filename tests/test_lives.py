"""The SimPy engine against every hand-worked life, and the harness against lives that it must refuse."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from blinasim.engine.des import walk
from blinasim.model.codes import Event
from conformance import EventName, Life, disagreements, load, play

FOLDER = Path(__file__).parent / "lives"
FILES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_walks_the_life_as_worked_by_hand(path: Path) -> None:
    life = load(path)

    assert disagreements(life, play(life, walk)) == []


def test_there_are_many_lives() -> None:
    assert len(FILES) >= 25


def test_every_event_is_lived_somewhere() -> None:
    lived = {line.code for path in FILES for line in load(path).history}

    assert lived == set(Event) - {Event.HORIZON}


def test_event_names_are_those_of_the_enum() -> None:
    assert set(EventName.__args__) == {event.name.lower() for event in Event} - {"horizon"}


def words_of(name: str) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def words() -> dict[str, Any]:
    return words_of("donor_found_mid_infusion")


@pytest.mark.parametrize(
    ("where", "key"),
    [
        ((), "untill_day"),
        (("patient",), "age"),
        (("fate",), "relapse_clock"),
        (("fate", "response"), "mdr"),
        (("fate", "donor_search_days"), "sibbling"),
        (("speeds",), "infusions"),
        (("policy",), "cycle"),
        (("policy", "cycles"), "max"),
        (("history", 0), "cycles"),
    ],
)
def test_refuses_an_unknown_key(words: dict[str, Any], where: tuple[str | int, ...], key: str) -> None:
    words["policy"], words["speeds"] = {"cycles": {}}, {}
    Life.model_validate(words)
    place: Any = words
    for step in where:
        place = place[step]
    place[key] = 1

    with pytest.raises(ValidationError, match=key):
        Life.model_validate(words)


@pytest.mark.parametrize(
    ("line", "change"),
    [
        (0, {"cycle": None}),  # a detail left out
        (6, {"cause": "gvhd"}),  # a detail of another event
        (1, {"day": 71}),  # out of order
        (6, {"day": 71}),  # beyond until_day
        (6, {"event": "horizon"}),
        (6, {"day": "70"}),
    ],
)
def test_refuses_a_malformed_line(words: dict[str, Any], line: int, change: dict[str, Any]) -> None:
    words["history"][line] |= change

    with pytest.raises(ValidationError):
        Life.model_validate(words)


@pytest.mark.parametrize("logged", [True, False])
@pytest.mark.parametrize(("line", "change"), [(5, {"donor": "cord"}), (1, {"depth": "CRh"})])
def test_detects_a_wrong_detail(words: dict[str, Any], line: int, change: dict[str, Any], logged: bool) -> None:
    words["history"][line] |= change
    life = Life.model_validate(words)

    assert disagreements(life, play(life, walk), logged=logged)


@pytest.mark.parametrize("logged", [True, False])
@pytest.mark.parametrize("line", [1, 2, 3, 5, 6])
def test_detects_a_wrong_day(words: dict[str, Any], line: int, logged: bool) -> None:
    words["history"][line]["day"] += 1
    words["until_day"] = 71
    words["history"].sort(key=lambda entry: (entry["day"], Event[entry["event"].upper()]))
    life = Life.model_validate(words)

    assert disagreements(life, play(life, walk), logged=logged)


@pytest.mark.parametrize("logged", [True, False])
@pytest.mark.parametrize("line", range(7))
def test_detects_a_missing_event(words: dict[str, Any], line: int, logged: bool) -> None:
    del words["history"][line]
    life = Life.model_validate(words)

    assert disagreements(life, play(life, walk), logged=logged)


def test_detects_a_wrong_reason_conditioning_and_exposure(words: dict[str, Any]) -> None:
    words |= {"not_a_candidate": "age", "conditioning": "reduced", "infusion_days": 55}
    life = Life.model_validate(words)

    assert len(disagreements(life, play(life, walk))) == 3


@pytest.mark.parametrize("logged", [True, False])
def test_detects_maintenance_in_place_of_bridging(logged: bool) -> None:
    words = words_of("bridging_until_a_donor_comes")
    (line,) = (line for line in words["history"] if line["event"] == "maintenance")
    line["treatment"] = "maintenance"
    life = Life.model_validate(words)

    assert disagreements(life, play(life, walk), logged=logged)


def test_detects_a_conditioning_that_was_not_planned() -> None:
    life = load(FOLDER / "forced_conditioning.yaml")
    outcome = play(life, walk)

    other = replace(outcome.history, conditioning=1 - outcome.history.conditioning)
    assert disagreements(life, outcome) == []
    assert len(disagreements(life, replace(outcome, history=other))) == 1


def test_an_engine_without_a_log_is_held_to_its_history() -> None:
    life = load(FOLDER / "donor_found_mid_infusion.yaml")

    outcome = play(life, lambda lives, _: walk(lives, []))

    assert outcome.events == []
    assert disagreements(life, outcome, logged=False) == []
    assert disagreements(life, outcome, logged=True)


def test_refuses_a_clock_finer_than_a_milliday(words: dict[str, Any]) -> None:
    words["fate"]["relapse_clock_days"] = 10.0005
    life = Life.model_validate(words)

    with pytest.raises(ValueError, match="milli-days"):
        play(life, walk)
