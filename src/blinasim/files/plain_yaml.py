"""Plain YAML, with the place of everything that it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blinasim.errors import BlinasimError, Place
from blinasim.files.text import place_after, quoted, read_text, short

#: A key path inside a document: mapping keys and sequence positions.
KeyPath = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"([-+]?)\.(inf|nan)", re.IGNORECASE)

#: A file written by hand is shorter and flatter; what exceeds this is refused before it costs time or memory.
_MOST_YAML_BYTES = 1_000_000
MOST_LEVELS = 32
_MOST_VALUES = 20_000


@dataclass(frozen=True)
class YamlFile:
    """A YAML file as plain data, with the place of every key path (a tuple of keys and indices) in it."""

    data: Any
    places: dict[KeyPath, Place] = field(default_factory=dict)

    def place(self, path: Iterable[str | int]) -> Place:
        """Return the place of ``path``, or of its longest prefix that the file holds."""
        known = tuple(path)
        while known and known not in self.places:
            known = known[:-1]
        return self.places[known]


def read_yaml(path: Path, error: type[BlinasimError]) -> YamlFile:
    """Read a YAML file of plain mappings, sequences and scalars.

    Anchors, aliases and tags are refused, as are duplicate keys: a scenario says what it means in one place.

    Parameters
    ----------
    path : Path
        The file.
    error : type of BlinasimError
        The class of whatever is raised.

    Returns
    -------
    YamlFile

    Raises
    ------
    BlinasimError
        Of the given class, with file, line and column.
    """
    return parse_yaml(read_text(path, error, most_bytes=_MOST_YAML_BYTES), str(path), error)


def parse_yaml(text: str, name: str, error: type[BlinasimError]) -> YamlFile:
    """Parse YAML text as :func:`read_yaml` does a file's.

    Parameters
    ----------
    text : str
        All of it.
    name : str
        What the text is called in messages.
    error : type of BlinasimError
        The class of whatever is raised.

    Returns
    -------
    YamlFile

    Raises
    ------
    BlinasimError
        Of the given class, with line and column.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.reader import ReaderError

    def refuse(message: str, mark: Any) -> BlinasimError:
        return error(message, _place(name, mark))

    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _plain_composer(refuse)
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as problem:
        raise refuse(f"not valid YAML: {_complaint(problem)}", problem.problem_mark or problem.context_mark) from None
    except ReaderError as problem:
        character = f"U+{problem.character:04X}"
        where = place_after(text[: problem.position], name)
        raise error(f"the character {character} is not allowed; remove it", where) from None
    if root is None:
        raise error("the file is empty", Place(name))
    places: dict[KeyPath, Place] = {(): Place(name, 1, 1)}
    data = _construct(root, (), name, places, error)
    return YamlFile(data, places)


def _place(name: str, mark: Any) -> Place:
    return Place(name, mark.line + 1, mark.column + 1) if mark else Place(name)


def _complaint(problem: Any) -> str:
    """Say what the YAML reader found, and where the structure that it was reading begins."""
    begun = problem.context_mark
    context = f"{problem.context}{f' begun at {begun.line + 1}:{begun.column + 1}' if begun else ''}"
    words = [context] if problem.context else []
    words += [problem.problem] if problem.problem else []
    return " ".join(", ".join(words).split())


def _plain_composer(refuse: Callable[[str, Any], BlinasimError]) -> Any:
    """Return a composer of plain YAML; it refuses anchors, aliases, tags and deep nesting before they cost anything."""
    from ruamel.yaml.composer import Composer
    from ruamel.yaml.events import AliasEvent

    class PlainComposer(Composer):
        level = values = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            event = self.parser.peek_event()
            if event.anchor:
                sign = "*" if isinstance(event, AliasEvent) else "&"
                raise refuse(
                    f"anchors and aliases ({sign}{short(event.anchor)}) are not allowed; write the value out",
                    event.start_mark,
                )
            if event.ctag is not None:
                tag = str(event.ctag).replace(_TAG, "!!")
                raise refuse(f"tag {short(tag)} is not allowed; write plain values", event.start_mark)
            if self.level == MOST_LEVELS:
                raise refuse(f"nested more than {MOST_LEVELS} levels deep; no setting lies so deep", event.start_mark)
            self.values += 1
            if self.values > _MOST_VALUES:
                raise refuse(f"more than {_MOST_VALUES:,} keys and values; no file needs so many", event.start_mark)
            self.level += 1
            node = super().compose_node(parent, index)
            self.level -= 1
            return node

    return PlainComposer


def _construct(node: Any, path: KeyPath, name: str, places: dict[KeyPath, Place], error: type[BlinasimError]) -> Any:
    place = _place(name, node.start_mark)
    places.setdefault(path, place)
    kind = str(node.tag).removeprefix(_TAG)
    if kind == "seq":
        return [_construct(item, (*path, index), name, places, error) for index, item in enumerate(node.value)]
    if kind != "map":
        return _scalar(kind, node.value, place, error)
    data: dict[str, Any] = {}
    for key_node, value_node in node.value:
        where = _place(name, key_node.start_mark)
        if not isinstance(key_node.value, str):
            raise error("a key must be a plain word", where)
        key = key_node.value
        if key in data:
            raise error(f"{short(key)} is written twice, first on line {places[(*path, key)].line}", where)
        places[(*path, key)] = where
        data[key] = _construct(value_node, (*path, key), name, places, error)
    return data


def _scalar(kind: str, text: str, place: Place, error: type[BlinasimError]) -> Any:
    if kind == "bool":
        return text.lower() in ("true", "yes", "on")
    if kind == "null":
        return None
    if kind not in ("int", "float"):
        return text
    if special := _NOT_FINITE.fullmatch(text):
        return float("".join(special.groups()))
    try:
        if kind == "int" and _WHOLE.fullmatch(text):
            return int(text)
        if kind == "float" and _DECIMAL.fullmatch(text) and abs(number := float(text)) != float("inf"):
            return number
    except ValueError:  # more digits than Python reads
        pass
    raise error(f"{quoted(text)} is not a number that can be read; write it in plain decimal digits", place)
