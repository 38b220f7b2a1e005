"""What is wrong with a scenario or a design, in one line at its place: from pydantic's complaints to words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from blinasim.errors import Place, ScenarioError
from blinasim.files import nearest, quoted, short
from blinasim.scenario.draft import EXTENDS, Draft, came_from
from blinasim.scenario.settings import AfterCycle, Scenario

#: Settings that are one of several kinds that a setting may have: pydantic names them in locations.
_ALTERNATIVES = (AfterCycle.__name__,)


def first_error(problem: ValidationError, draft: Draft, root: type[BaseModel] = Scenario) -> ScenarioError:
    """Turn the complaint that stands first in the file asked for into one line at its place.

    What is wrong inside a setting comes before what that makes of the setting, and what is written wrongly before
    what is missing, as it may well be the same.

    Parameters
    ----------
    problem : ValidationError
        All that pydantic complains of.
    draft : Draft
        What was checked, with the places.
    root : type of BaseModel
        What it was checked as.

    Returns
    -------
    ScenarioError
        To be raised: what, where, and the nearest valid key or value.
    """
    own = draft.lineage[0]
    every = problem.errors(include_url=False)
    inside = {details["loc"][:depth] for details in every for depth in range(len(details["loc"]))}

    def order(details: ErrorDetails) -> tuple[bool, bool, bool, int, int]:
        place = draft.place(details["loc"]) or Place("")
        return _of_the_other_kind(details), details["type"] == "missing", place.file != own, place.line, place.column

    details = min((one for one in every if one["loc"] not in inside), key=order)
    path = _keys(details)
    place = draft.place([*path, *_setting_complained_of(details)])
    dotted = ".".join(short(str(part)) or "''" for part in path) or f"the {root.__name__.lower()}"
    return ScenarioError(f"{dotted}: {_in_words(details, path, root)}{_inherited(place, draft)}", place)


def _keys(details: ErrorDetails) -> list[str | int]:
    """Return the keys and numbers that lead to a complaint; an unknown key may be called like anything else."""
    *above, last = details["loc"] or ("[key]",)
    keys = [part for part in above if part != "[key]" and not _names_an_alternative(part)]
    if details["type"] == "extra_forbidden" or not (last == "[key]" or _names_an_alternative(last)):
        keys.append(last)
    return keys


def _names_an_alternative(part: str | int) -> bool:
    """Whether a part of a location is no key, but one of several kinds that a setting may have."""
    return isinstance(part, str) and (part.startswith("literal[") or part in _ALTERNATIVES)


def _of_the_other_kind(details: ErrorDetails) -> bool:
    """Whether a complaint is that a word is no table, or a table no word, where either may stand."""
    if not any(_names_an_alternative(part) for part in details["loc"]):
        return False
    is_table = isinstance(details.get("input"), dict)
    return details["type"] == ("literal_error" if is_table else "model_type")


def _setting_complained_of(details: ErrorDetails) -> list[str]:
    """Return the setting with which a complaint about several begins."""
    if details["type"] != "value_error":
        return []
    return str(details.get("ctx", {}).get("error", "")).partition(" ")[0].rstrip(":").split(".")


def _inherited(place: Place | None, draft: Draft) -> str:
    """Say how a faulty setting of an ancestor came into the file asked for."""
    if place is None or place.file not in draft.lineage[1:]:
        return ""
    return came_from(draft.lineage[0], draft.extends)


def _in_words(details: ErrorDetails, path: list[Any], root: type[BaseModel]) -> str:
    given = quoted(details.get("input"))
    match details["type"]:
        case "extra_forbidden":
            return f"no such setting{_meant_setting(path, root)}"
        case "missing":
            return "is required"
        case "literal_error":
            expected = details.get("ctx", {}).get("expected", "").replace(" or ", ", ")
            return f"{given} is not one of {expected}{_meant(details.get('input'), expected)}"
        case "value_error":
            return str(details.get("ctx", {}).get("error", details["msg"]))
        case "model_type" | "dict_type":
            return f"{given} should be a table of settings"
        case "tuple_type" | "list_type":
            return f"{given} should be a list"
        case "bool_type":
            return f"{given} should be true or false"
        case "string_type":
            quotes = "; put it in quotes" if isinstance(details.get("input"), bool | int | float) else ""
            return f"{given} should be text{quotes}"
        case _:
            # Pydantic says "Input should be ...", "String should have ...", "Tuple should ... after validation, ...".
            should = details["msg"].partition(" should ")[2].partition(" after validation")[0]
            return f"{given} should {should}" if should else f"{given}: {details['msg']}"


def _meant(given: Any, expected: str) -> str:
    return nearest(str(given), [word.strip(" '") for word in expected.split(",")])


def _meant_setting(path: list[Any], root: type[BaseModel]) -> str:
    """Name the setting most like an unknown one: one that may stand there, or its namesake elsewhere."""
    name = str(path[-1])
    if near := nearest(name, _settings_at(path[:-1], root)):
        return near
    elsewhere = [dotted for dotted in _every_setting(root) if dotted.rpartition(".")[2] == name]
    return f"; did you mean {elsewhere[0]}?" if elsewhere else ""


def _every_setting(model: type[BaseModel], above: str = "") -> Iterator[str]:
    """Yield the dotted names of all settings."""
    for name, known in model.model_fields.items():
        yield f"{above}{name}"
        inner = _model_in(known.annotation)
        if inner is not None and inner is not model:
            yield from _every_setting(inner, f"{above}{name}.")


def _settings_at(path: list[Any], root: type[BaseModel]) -> list[str]:
    """Return the names of the settings that stand at a key path."""
    model = root
    for part in path:
        if not isinstance(part, int):
            model = _model_in(model.model_fields[part].annotation) or model
    return [*model.model_fields, *([EXTENDS] if model is Scenario else [])]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the class of settings that an annotation holds, alone, optional or in a list."""
    for kind in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None
