"""Scenarios as text: resolved YAML, a commented starting file, and the JSON Schema that editors read."""

from __future__ import annotations

from io import StringIO
from typing import Any

from pydantic import BaseModel

from blinasim.scenario.design import Design
from blinasim.scenario.draft import EXTENDS
from blinasim.scenario.settings import Scenario, Settings

#: Name of the schema file that stands beside the shipped scenarios.
SCHEMA_FILE = "scenario.schema.json"
#: Settings that may be null as a whole, and have parts that are required where they are not.
_MAY_BE_INHERITED = ("CohortData", "Payoffs")
#: And of that beside the shipped designs, in their folder.
DESIGN_SCHEMA_FILE = "design.schema.json"


def to_yaml(scenario: Scenario) -> str:
    """Write a resolved scenario: every setting, nothing inherited; reading it back gives an equal scenario."""
    return _dumped(scenario.model_dump(mode="json"))


def _dumped(data: dict[str, Any]) -> str:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 110
    text = StringIO()
    yaml.dump(data, text)
    return text.getvalue()


def changes_to_yaml(scenario: Scenario, base: Scenario, name: str) -> str:
    """Write a scenario as what differs from the one it extends; loading the text gives an equal scenario.

    Parameters
    ----------
    scenario, base : Scenario
    name : str
        By which ``base`` is found: a shipped scenario's name.

    Returns
    -------
    str
        YAML with ``extends``.
    """
    # Title and reasons are not inherited.
    text = {"title": scenario.title, **({"why": scenario.why} if scenario.why else {})}
    differing = {key: value for key, value in _differing(scenario, base).items() if key not in ("title", "why")}
    return _dumped({EXTENDS: name, **text, **differing})


def _differing(settings: Settings, base: Settings) -> dict[str, Any]:
    """Return the settings that differ, nested as they are inherited: tables and lists whole."""
    written, found = settings.model_dump(mode="json"), {}
    for key in type(settings).model_fields:
        own, other = getattr(settings, key), getattr(base, key)
        if isinstance(own, Settings) and type(own) is type(other):
            if inner := _differing(own, other):
                found[key] = inner
        elif own != other or _order(own) != _order(other):
            found[key] = written[key]
    return found


def _order(value: Any) -> list[Any]:
    """Return what the order of a table says: ties go to the donor written first."""
    return list(value) if isinstance(value, dict) else []


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of scenario files; every setting is described, with its unit."""
    schema = Scenario.model_json_schema()
    # What is required may be inherited, so a file need not say it.
    for part in (schema, *(part for name, part in schema["$defs"].items() if name in _MAY_BE_INHERITED)):
        part.pop("required", None)
    schema["properties"] = {
        EXTENDS: {
            "type": "string",
            "minLength": 1,
            "description": "The scenario to inherit from: a shipped name, or a file relative to this one.",
        },
        **schema["properties"],
    }
    return _described(schema, "blinasim scenario")


def design_json_schema() -> dict[str, Any]:
    """Return the JSON Schema of design files; every setting is described, with its unit."""
    return _described(Design.model_json_schema(), "blinasim trial design")


def _described(schema: dict[str, Any], title: str) -> dict[str, Any]:
    """Give every setting its description, and the schema its name."""
    for part in (schema, *schema["$defs"].values()):
        for known in part.get("properties", {}).values():
            # Pydantic leaves a description out where it equals that of the settings referred to.
            if "description" not in known:
                known["description"] = schema["$defs"][known["$ref"].rpartition("/")[2]]["description"]
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = title
    return schema


def starting_file(name: str) -> str:
    """Return a commented scenario that changes nothing yet: each setting with its default and meaning."""
    lines = [
        f"# yaml-language-server: $schema={SCHEMA_FILE}",
        f"# (`blinasim schema > {SCHEMA_FILE}` writes what this line names; editors then complete and check settings)",
        f"# A blinasim scenario: what differs from the one it extends. Run it: blinasim run {name}.yaml",
        "# Take the # away from what you change, and from the headings above it.",
        f"{EXTENDS}: baseline",
        f'title: "{name}"',
        "why: >",
        "  What the scenario asks, and what it assumes.",
        "",
    ]
    for key, known in Scenario.model_fields.items():
        settings = _settings(known.annotation)
        if settings is not None and settings.model_fields:
            lines += ["", f"# {key}:  # {known.description}", *_commented(settings, 1)]
        elif known.default is None:
            lines += [
                "",
                f"# # {known.description} `blinasim show baseline_payoffs` shows what may stand here.",
                f"# {key}: null",
            ]
    return "\n".join(lines) + "\n"


def _commented(model: type[BaseModel], depth: int) -> list[str]:
    lines = []
    indent = "  " * depth
    for key, known in model.model_fields.items():
        settings = _settings(known.annotation)
        if settings is not None:
            lines += [f"# {indent}{key}:  # {known.description}", *_commented(settings, depth + 1)]
        else:
            lines += [
                f"# {indent}# {known.description}",
                f"# {indent}{key}: {flow(known.get_default(call_default_factory=True))}",
            ]
    return lines


def _settings(kind: Any) -> type[Settings] | None:
    """Return the class of a setting that has settings of its own."""
    return kind if isinstance(kind, type) and issubclass(kind, Settings) else None


def flow(value: Any) -> str:
    """Write a value on one line, as after ``--set key=``."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, Settings):
        return flow(value.model_dump())
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return str(value)
