"""Parts of the documentation's pages that are made from the code and the data each time the site is built.

A page asks for one with ``<!-- part: NAME -->`` (see ``docs/hooks.py``); nothing made here is kept in the repository.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import typer.main

from blinasim.cli.main import app
from blinasim.errors import BlinasimError
from blinasim.files import read_yaml, shipped_designs, shipped_scenarios
from blinasim.inference.priors import UNTOUCHED
from blinasim.model.catalogue import ParameterInfo, parameter_catalogue
from blinasim.model.codes import Event
from blinasim.report.validation import GROUPS
from blinasim.scenario.design import Design
from blinasim.scenario.design_file import load_design
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.settings import Scenario
from blinasim.trial.endpoints import ENDPOINTS

ROOT: Final = Path(__file__).resolve().parents[1]

#: What a day's events are, for the table of their order.
EVENTS: Final = {
    Event.DEATH: "death, of any cause",
    Event.RELAPSE: "the leukaemia returns, seen or not",
    Event.PROGRESSION: "the leukaemia grows before any remission",
    Event.SWITCH: "another antineoplastic therapy is begun",
    Event.STOP: "an adverse event stops the drug for good",
    Event.REMISSION: "CR or CRh* is found",
    Event.DEEPENING: "a CRh* is found to have become a CR",
    Event.NO_REMISSION: "no response at the last assessment of induction",
    Event.RELAPSE_DETECTED: "a relapse is found",
    Event.CANDIDACY: "a candidate for HSCT",
    Event.SEARCH_START: "a donor search begins",
    Event.DONOR_FOUND: "a donor is found",
    Event.TRANSPLANT: "HSCT",
    Event.CYCLE_START: "an infusion begins",
    Event.MAINTENANCE: "maintenance or bridging begins",
    Event.HORIZON: "the end of the simulated world",
}
GRADES: Final = {
    "abstract": "from the source study's abstract",
    "trial": "from the same trial or drug, reported elsewhere",
    "literature": "from other studies",
    "assumption": "by reasoning; nothing published settles it",
}


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(header)
    lines = [head, ["---"] * len(head), *([str(cell) for cell in row] for row in rows)]
    # A bar would end the cell, and a star begin emphasis (CRh*).
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def plain(text: str) -> str:
    """Keep Markdown from reading stars, angle brackets and underscores in a sentence of the code as its own."""
    return text.replace("*", "\\*").replace("<", "&lt;").replace("_", "\\_")


# --- the model --------------------------------------------------------------------------------------------------------


def order_of_a_day() -> str:
    return table(
        ("", "event", "what it is"),
        ((f"{event.value + 1}", event.name.lower().replace("_", " "), plain(EVENTS[event])) for event in Event),
    )


def endpoints() -> str:
    sections: dict[str, list[str]] = {}
    for endpoint in ENDPOINTS:
        sections.setdefault(endpoint.section, []).append(f"`{endpoint.id}`")
    return table(("section of the results", "endpoints"), ((name, ", ".join(ids)) for name, ids in sections.items()))


def scenarios() -> str:
    return table(("scenario", "what it is"), ((f"`{name}`", load_scenario(name).title) for name in shipped_scenarios()))


def designs() -> str:
    return table(
        ("design", "what it is"), ((f"`{name}`", load_design(name).design.title) for name in shipped_designs())
    )


def software() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = ", ".join(f"`{name}`" for name in project["dependencies"])
    return (
        f"Python `{project['requires-python']}`; {needed}. The versions it is tested with are in `constraints.txt`.\n"
    )


def grades() -> str:
    catalogue = parameter_catalogue()
    counts = Counter(info.grade for info in catalogue.values())
    rows = [(grade, meaning, f"{counts[grade]}") for grade, meaning in GRADES.items()]
    return table(("grade", "meaning", "parameters"), [*rows, ("**all**", "", f"**{len(catalogue)}**")])


def parameters() -> str:
    """Every parameter: what it is, what was believed of it, and why."""
    lines = []
    group = ""
    for name, info in parameter_catalogue().items():
        if name.partition(".")[0] != group:
            group = name.partition(".")[0]
            lines.append(f"## {group.replace('_', ' ').capitalize()}\n")
        lines.append(parameter(name, info))
    return "\n".join(lines)


def parameter(name: str, info: ParameterInfo) -> str:
    untouched = " · no published figure can touch it" if name in UNTOUCHED else ""
    return (
        f"### `{name}` {{ #{name.replace('.', '-')} .parameter }}\n\n{plain(info.meaning)}\n\n"
        f"**{info.value:g}** {info.unit} · prior {plain(str(info.prior))}{untouched}\n\n"
        f'<span class="grade {info.grade}">{info.grade}</span> {plain(info.source)}\n'
    )


# --- settings ---------------------------------------------------------------------------------------------------------


def scenario_settings() -> str:
    return _settings(Scenario.model_json_schema())


def design_settings() -> str:
    return _settings(Design.model_json_schema())


def _settings(schema: dict[str, Any]) -> str:
    """One table a block of settings, in the order of the file; what is no block comes first."""
    definitions = schema["$defs"]
    blocks = {name: known for name, known in schema["properties"].items() if _inner(known, definitions)}
    single = {name: known for name, known in schema["properties"].items() if name not in blocks}
    parts = [_settings_table(single.items(), definitions)]
    for name, known in blocks.items():
        inner = _inner(known, definitions)
        said = known.get("description") or definitions[inner]["description"]
        parts.append(f"\n## `{name}`\n\n{plain(said)}{_list_note(known)}\n")
        parts.append(_settings_table(_leaves("", inner, definitions, (inner,)), definitions))
    return "\n".join(parts)


def _list_note(known: dict[str, Any]) -> str:
    return " A list; each item has these settings." if "items" in known else ""


def _leaves(
    prefix: str, block: str, definitions: dict[str, Any], within: tuple[str, ...]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every setting of a block, those of its own blocks after each; a block within itself is not opened again."""
    for name, known in definitions[block]["properties"].items():
        inner = _inner(known, definitions)
        if not inner or "anyOf" in known or "items" in known:
            yield f"{prefix}{name}", known
        if inner and inner not in within:
            step = f"{prefix}{name}.N." if "items" in known else f"{prefix}{name}."
            yield from _leaves(step, inner, definitions, (*within, inner))


def _inner(known: dict[str, Any], definitions: dict[str, Any]) -> str:
    """The name of the settings that a setting holds: its own, those of its items, or those instead of null."""
    for form in (known, known.get("items", {}), *known.get("anyOf", ())):
        if "$ref" in form:
            name: str = form["$ref"].rpartition("/")[2]
            return name if "properties" in definitions[name] else ""
    return ""


def _settings_table(settings: Iterable[tuple[str, dict[str, Any]]], definitions: dict[str, Any]) -> str:
    return table(
        ("setting", "default", "may be", "meaning"),
        (
            (f"`{name}`", _default(known), _allowed(known, definitions), plain(known.get("description", "")))
            for name, known in settings
        ),
    )


def _default(known: dict[str, Any]) -> str:
    if "default" not in known:
        return "by type" if "additionalProperties" in known else "required"
    value = known["default"]
    return f"`{value if isinstance(value, str) and value else json.dumps(value)}`"


def _allowed(known: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in known:
        return "a block"
    if "anyOf" in known:
        return " or ".join(_allowed(form, definitions) for form in known["anyOf"])
    if "enum" in known:
        return ", ".join(f"`{word}`" for word in known["enum"])
    kind = known.get("type", "")
    if kind == "array":
        return f"a list of {_allowed(known['items'], definitions)}" if "items" in known else "a list"
    if kind in ("integer", "number"):
        words = "a whole number" if kind == "integer" else "a number"
        for key, before in (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"),
                            ("exclusiveMaximum", "below")):  # fmt: skip
            if key in known:
                words += f" {before} {known[key]:,}".removesuffix(".0")
        return words
    return {"boolean": "true or false", "string": "text", "object": "a block"}.get(kind, kind)


# --- reference --------------------------------------------------------------------------------------------------------


def commands() -> str:
    group = typer.main.get_command(app)
    options = group.make_context("blinasim", [], resilient_parsing=True)
    parts = ["## blinasim\n", table(("option", "meaning"), _records(group, options))]
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        context = command.make_context(name, [], resilient_parsing=True)
        arguments = [param for param in command.params if type(param).__name__ == "TyperArgument"]
        usage = " ".join(
            ["blinasim", name, *(_shown(param) for param in arguments)]
            + ["[OPTIONS]"] * (len(arguments) < len(command.params))
        )
        parts += [f"\n## {name}\n", f"{plain(command.help)}\n", f"    {usage}\n"]
        parts.append(table(("argument or option", "meaning"), _records(command, context)))
    return "\n".join(parts)


def _shown(argument: Any) -> str:
    word = argument.name.upper() + ("..." if argument.nargs != 1 else "")
    return word if argument.required else f"[{word}]"


def _records(command: Any, context: Any) -> Iterator[tuple[str, str]]:
    for param in command.params:
        record = param.get_help_record(context)
        if record:
            yield f"`{record[0]}`", plain(record[1])


def schemas() -> str:
    rows = []
    for path in sorted([*(ROOT / "docs").glob("*.schema.json"), *(ROOT / "scenarios").rglob("*.schema.json")]):
        link = path.name if path.parent.name == "docs" else f"../{path.relative_to(ROOT).as_posix()}"
        rows.append((f"[`{path.name}`]({link})", _of_schema(path)))
    return table(("schema", "of"), rows)


def _of_schema(path: Path) -> str:
    schema = json.loads(path.read_text(encoding="utf-8"))
    return plain(schema.get("description") or schema["title"])


# --- evidence ---------------------------------------------------------------------------------------------------------


def published() -> str:
    """The published figures beside what the shipped posterior predicts, by what the calibration did with them."""
    validation = json.loads((ROOT / "docs" / "calibration.json").read_text(encoding="utf-8"))["validation"]
    parts = [
        f"{validation['trials']:,} simulated studies under the shipped posterior. The tail area is two-sided, with its "
        "Monte Carlo standard error; a figure lies inside if the 95 % predictive interval holds it.\n"
    ]
    for use, title in GROUPS.items():
        rows = [_check(check) for check in validation["checks"] if check["use"] == use]
        if rows:
            parts += [f"\n### {title}\n", table(("figure", "published", "predicted (95 %)", "tail", ""), rows)]
    return "\n".join(parts)


def _check(check: dict[str, Any]) -> tuple[str, ...]:
    def said(value: float | None) -> str:
        if value is None:
            return "not reached"
        return f"{100 * value:.0f} %" if check["unit"] == "share" else f"{value:.3g}"

    count = f"{check['count']}/{check['denominator']} · " if check["count"] is not None else ""
    unit = "" if check["unit"] == "share" else f", {check['unit']}"
    return (
        plain(check["label"]) + unit, count + said(check["published"]),
        f"{said(check['median'])} ({said(check['lower'])} to {said(check['upper'])})",
        f"{check['tail']['value']:.2f} ± {check['tail']['mcse']:.2f}", check["verdict"],
    )  # fmt: skip


def reference_answers() -> str:
    answers = read_yaml(ROOT / "calibration" / "reference_answers.yaml", BlinasimError).data
    return table(
        ("answer", "source"), ((plain(answer["what"]), plain(answer["source"])) for answer in answers.values())
    )


def counted_lives() -> str:
    return f"{sum(1 for _ in (ROOT / 'tests' / 'lives').glob('*.yaml'))}"


# --- citation ---------------------------------------------------------------------------------------------------------


def citation() -> str:
    cited = read_yaml(ROOT / "CITATION.cff", BlinasimError).data
    authors = " and ".join(author["name"] for author in cited["authors"])
    return (
        f"> {authors}. *{cited['title']}*, version {cited['version']}. {cited['abstract'].strip()}\n\n"
        f"```bibtex\n@software{{blinasim,\n  author = {{{{{authors}}}}},\n  title = {{{{{cited['title']}}}}},\n"
        f"  version = {{{cited['version']}}},\n  license = {{{cited['license']}}}\n}}\n```\n"
    )


PARTS: Final[dict[str, Callable[[], str]]] = {
    part.__name__: cache(part)
    for part in (
        order_of_a_day, endpoints, scenarios, designs, software, grades, parameters, scenario_settings,
        design_settings, commands, schemas, published, reference_answers, counted_lives, citation,
    )
}  # fmt: skip
