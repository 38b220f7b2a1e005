"""How inputs are changed, and made: by lines, words and cells, and from the schema of their settings."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from kinds import seeds_of
from ruamel.yaml import YAML

from blinasim.scenario.writing import design_json_schema, json_schema

#: Words that have surprised readers of such files before.
_PLAIN = r"""
0 -1 1 0.5 1e308 -1e308 1e-320 5e-324 1e999 99999999999999999999 0x10 1_0 1:30 2.0 1000000 36525 36526
.nan .inf -.inf NaN Infinity null ~ true yes [] {} '' "" [[]] !x &a *a << | > --- ... # , " ' { [ } ] : 1,2 - = .
.. ../s.yaml s.yaml /etc/passwd /dev/null /dev/zero / baseline 2020-01-01 !!python/name:os.system é 医
"""
SURPRISES = [
    *_PLAIN.split(),
    "9" * 400,
    "{a: {}}",
    "? ",
    "- ",
    "%YAML 1.1",
    *"\t\r\0\x1b\u2028\ufeff\ud7ff\U0001f489",
    "\r\n",
]
#: Letters of an input at most: the next change reads all of the last one's.
MOST = 40_000
_TOKEN = re.compile(rb"[\w.+-]+|\"[^\"\n]*\"")


@cache
def words(kind: str) -> list[bytes]:
    """All that a file of this kind may say, and what surprises."""
    schema = json.dumps(design_json_schema() if kind == "design" else json_schema())
    said = {match for seed in seeds_of(kind) for match in _TOKEN.findall(seed)}
    if kind in ("scenario", "set", "design", "manifest"):
        said |= {match.strip(b'"') for match in _TOKEN.findall(schema.encode()) if b" " not in match}
    return sorted(said) + [text.encode("utf-8", "surrogatepass") for text in SURPRISES] * 3


@dataclass(frozen=True)
class Setting:
    """A setting by its key path, and what the schema says of it."""

    path: tuple[str, ...]
    schema: dict[str, Any]

    def value(self, luck: Random) -> Any:
        """Return a value at or beyond the edges of what is allowed, or within."""
        return _value(self.schema, luck)


@cache
def settings_of(kind: str) -> list[Setting]:
    """Return every setting of a scenario or a design, also those that hold others."""
    schema = design_json_schema() if kind == "design" else json_schema()
    found: list[Setting] = []

    def walk(node: dict[str, Any], path: tuple[str, ...]) -> None:
        if len(path) > 5:
            return
        for name, inner in _resolved(node, schema).get("properties", {}).items():
            found.append(Setting((*path, name), {**_resolved(inner, schema), "$defs": schema["$defs"]}))
            walk(inner, (*path, name))

    walk(schema, ())
    return found


def _resolved(node: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        node = root["$defs"][node["$ref"].rpartition("/")[2]] | {key: node[key] for key in node if key != "$ref"}
    return node


def _value(node: dict[str, Any], luck: Random, depth: int = 0) -> Any:
    root = {"$defs": node.get("$defs", {})}
    node = _resolved(node, root)
    if depth > 5:
        return None

    def inner(one: dict[str, Any]) -> Any:
        return _value({**one, **root}, luck, depth + 1)

    if choices := node.get("anyOf"):
        return inner(luck.choice(choices))
    if "enum" in node or "const" in node:
        return luck.choice(node.get("enum", [node.get("const")]))
    low, high = (
        node.get("minimum", node.get("exclusiveMinimum", 0)),
        node.get("maximum", node.get("exclusiveMaximum", 1e6)),
    )
    match node.get("type"):
        case "integer":
            return luck.choice((low, high, low + 1, luck.randint(int(low), int(high)), low - 1, high + 1))
        case "number":
            return luck.choice((low, high, luck.uniform(low, high), low + 1e-9, high - 1e-9, low - 1e-9, 1e-300))
        case "boolean":
            return luck.random() < 0.5
        case "array":
            item = node.get("items") or (node.get("prefixItems") or [{}])[0]
            return [inner(item) for _ in range(luck.choice((0, 1, 1, 2, 3, 40 if depth == 0 else 2)))]
        case "object" if "properties" in node:
            return {name: inner(one) for name, one in node["properties"].items() if luck.random() < 0.5}
        case "object":
            names = node.get("propertyNames", {}).get("enum", ["a", "b"])
            return {name: inner(node.get("additionalProperties") or {}) for name in names if luck.random() < 0.5}
        case "null":
            return None
        case _:
            return luck.choice(("baseline", "x", "", "a" * 300, "EUR"))


def made(kind: str, luck: Random) -> bytes:
    """Make a scenario, or changes of one, from its schema: rarely nonsense, often at the edges."""
    chosen = [luck.choice(settings_of(kind)) for _ in range(luck.choice((1, 1, 2, 3, 5)))]
    if kind == "set":
        said = (f"{'.'.join(one.path)}={json.dumps(one.value(luck))}" for one in chosen)
        return "\0".join(said).encode()
    document: dict[str, Any] = {"extends": luck.choice(("baseline", "scarce_beds", "baseline_payoffs"))}
    if kind == "design":
        document = YAML(typ="safe", pure=True).load(luck.choice(seeds_of(kind)))
    for one in chosen:
        at: Any = document
        for name in one.path[:-1]:
            at = at.setdefault(name, {}) if isinstance(at, dict) else {}
        if isinstance(at, dict):
            at[one.path[-1]] = one.value(luck)
    return json.dumps(document, indent=1).encode()


def changed(kind: str, data: bytes, luck: Random) -> bytes:
    """Change an input, or one of the seeds, by a few steps that know lines, words and cells; or make one anew."""
    if kind in ("scenario", "set", "design") and luck.random() < 0.4:
        return made(kind, luck)
    if luck.random() < 0.4:
        data = luck.choice(seeds_of(kind))
    for _ in range(luck.choice((1, 1, 1, 2, 2, 3, 5))):
        data = luck.choice(_STEPS)(kind, data, luck)[:MOST]
    return data


def _new_word(kind: str, data: bytes, luck: Random) -> bytes:
    tokens = list(_TOKEN.finditer(data))
    if not tokens:
        return luck.choice(words(kind))
    token = luck.choice(tokens)
    return data[: token.start()] + luck.choice(words(kind)) + data[token.end() :]


def _lines(_: str, data: bytes, luck: Random) -> bytes:
    """Take a line away, write one twice, move one, or indent one."""
    lines = data.split(b"\n")
    place, other = luck.randrange(len(lines)), luck.randrange(len(lines))
    what = luck.randrange(4)
    if what == 0:
        del lines[place]
    elif what == 1:
        lines.insert(other, lines[place])
    elif what == 2:
        lines[place], lines[other] = lines[other], lines[place]
    else:
        lines[place] = b" " * luck.randrange(5) + lines[place].lstrip()
    return b"\n".join(lines)


def _new_line(kind: str, data: bytes, luck: Random) -> bytes:
    lines = data.split(b"\n")
    separator = b"," if kind in ("cohort", "effect", "posterior") else b": "
    said = separator.join(luck.choice(words(kind)) for _ in range(luck.choice((1, 2, 2, 4))))
    lines.insert(luck.randrange(len(lines) + 1), b" " * luck.choice((0, 0, 2, 4, 6)) + said)
    return b"\n".join(lines)


def _nested(_: str, data: bytes, luck: Random) -> bytes:
    """Put a word in brackets, in a table, or write it many times."""
    tokens = list(_TOKEN.finditer(data))
    if not tokens:
        return data
    token = luck.choice(tokens)
    word = token.group()
    many = min(luck.choice((1, 2, 3, 50, 2_000)), MOST // len(word))
    instead = luck.choice(
        (
            b"[" * many + word + b"]" * many,
            b"{" + word + b": " + word + b"}",
            word * many,
            b"[" + b", ".join([word] * many) + b"]",
        )
    )
    return data[: token.start()] + instead + data[token.end() :]


def _bytes(kind: str, data: bytes, luck: Random) -> bytes:
    if not data:
        return bytes([luck.randrange(256)])
    place = luck.randrange(len(data))
    what = luck.randrange(3)
    if what == 0:
        return data[:place] + bytes([data[place] ^ (1 << luck.randrange(8))]) + data[place + 1 :]
    if what == 1:
        return data[:place] + data[place + luck.randrange(1, 20) :]
    return data[:place] + luck.choice(words(kind)) + data[place:]


def _spliced(kind: str, data: bytes, luck: Random) -> bytes:
    other = luck.choice(seeds_of(kind)).split(b"\n")
    lines = data.split(b"\n")
    begin = luck.randrange(len(other))
    place = luck.randrange(len(lines) + 1)
    return b"\n".join([*lines[:place], *other[begin : begin + luck.randrange(1, 6)], *lines[place:]])


_STEPS = (_new_word, _new_word, _new_word, _lines, _new_line, _nested, _bytes, _spliced)
