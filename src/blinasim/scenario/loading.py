"""From a YAML file to a Scenario, or one clear line about what is wrong and where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from blinasim.errors import Place, ScenarioError
from blinasim.files import Document, data_folder, nearest, read_yaml
from blinasim.scenario.settings import Scenario


def shipped_scenarios() -> list[str]:
    """Return the names of the scenarios that come with blinasim."""
    return sorted(path.stem for path in data_folder("scenarios").glob("*.yaml"))


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Load a shipped scenario by name, or a scenario file by path.

    Raises
    ------
    ScenarioError
        One line with file, line, column and the nearest valid key or value.
    """
    document = read_yaml(find_scenario(name_or_path), ScenarioError)
    try:
        return Scenario.model_validate(document.data)
    except ValidationError as problem:
        raise _first_error(problem, document) from None


def find_scenario(name_or_path: str | Path) -> Path:
    """Return the file that a name or a path means."""
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        if not path.is_file():
            raise ScenarioError("no such scenario file", Place(str(path)))
        return path
    shipped = data_folder("scenarios") / f"{name_or_path}.yaml"
    if not shipped.is_file():
        names = shipped_scenarios()
        raise ScenarioError(
            f"no scenario named {name_or_path!r}{nearest(str(name_or_path), names)} "
            f"(shipped: {', '.join(names)}; a file needs its .yaml)"
        )
    return shipped


def _first_error(problem: ValidationError, document: Document) -> ScenarioError:
    """Turn pydantic's first complaint into one line at the place where the file says it."""

    def position(details: ErrorDetails) -> tuple[int, int]:
        place = document.place(details["loc"])
        return place.line, place.column

    details = min(problem.errors(include_url=False), key=position)
    path = [part for part in details["loc"] if part != "[key]"]
    dotted = ".".join(str(part) for part in path) or "the scenario"
    return ScenarioError(f"{dotted}: {_in_words(details, path)}", document.place(path))


def _in_words(details: ErrorDetails, path: list[Any]) -> str:
    given = details.get("input")
    match details["type"]:
        case "extra_forbidden":
            return f"no such setting{nearest(str(path[-1]), _settings_at(path[:-1]))}"
        case "missing":
            return "is required"
        case "literal_error":
            expected = details.get("ctx", {}).get("expected", "")
            return f"{given!r} is not one of {expected.replace(' or ', ', ')}{_meant(given, expected)}"
        case "value_error":
            return str(details.get("ctx", {}).get("error", details["msg"]))
        case _:
            message = details["msg"].removeprefix("Input should be ").removeprefix("Value should be ")
            return f"{given!r} should be {message}"


def _meant(given: Any, expected: str) -> str:
    words = [word.strip(" '") for word in expected.replace(" or ", ",").split(",")]
    return nearest(str(given), words)


def _settings_at(path: list[Any]) -> list[str]:
    """Return the names of the settings that stand at a key path."""
    model: Any = Scenario
    for part in path:
        if isinstance(part, int):
            continue
        model = model.model_fields[part].annotation
        for inner in getattr(model, "__args__", ()):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                model = inner
                break
    return list(model.model_fields)
