"""A scenario while it is put together: a file, on top of what it extends, and what ``--set`` changes in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from blinasim.errors import Place, ScenarioError
from blinasim.files import MOST_LEVELS, KeyPath, YamlFile, parse_yaml, quoted, read_yaml, readable, short
from blinasim.scenario.finding import find_scenario
from blinasim.scenario.reach import check_reach, is_path
from blinasim.scenario.settings import Scenario, Settings

#: The key by which a scenario names the one that it inherits from.
EXTENDS = "extends"
_MOST_ANCESTORS = 20


@dataclass
class Draft:
    """A scenario while it is put together: plain data, and where each part of it was said.

    Attributes
    ----------
    data : dict
        Settings as YAML has them, not yet checked.
    places : dict of key path to Place
        Where each of them was said: a file's line and column, or a ``--set``.
    lineage : list of str
        Who extends whom, from the file asked for to its last ancestor.
    extends : str
        What the file asked for says that it extends.
    """

    data: dict[str, Any] = field(default_factory=dict)
    places: dict[KeyPath, Place] = field(default_factory=dict)
    lineage: list[str] = field(default_factory=list)
    extends: str = ""

    def place(self, path: Iterable[str | int]) -> Place | None:
        """Return where ``path``, or its longest prefix, was said; None where nothing is known of either."""
        known = tuple(path)
        while known and known not in self.places:
            known = known[:-1]
        return self.places.get(known)


def read_draft(path: Path, descendants: tuple[Path, ...], reach: Path) -> Draft:
    """Read a file on top of what it extends.

    Parameters
    ----------
    path : Path
        The file.
    descendants : tuple of Path
        The files that extend it, the one asked for first; none if it is the one asked for.
    reach : Path
        The folder in which what it extends lies, unless that is shipped (``scenario.reach``).

    Returns
    -------
    Draft
        Title and reasons are not inherited.

    Raises
    ------
    ScenarioError
        If a file is no table of settings or cannot be read, extends itself by way of others, or extends what does not
        exist or lies too far away; with file, line and column.
    """
    document = read_yaml(path, ScenarioError)
    if not isinstance(document.data, dict):
        raise ScenarioError("a scenario is a table of settings, such as `title: ...`", document.place(()))
    data = dict(document.data)
    draft = Draft()
    if EXTENDS in data:
        base = data.pop(EXTENDS)
        found = _base_of(base, path, document, (*descendants, path), reach)
        draft = _base(found, base, (*descendants, path), reach if is_path(base) else found.parent)
        # A changed scenario is another scenario: it does not go by the title and the reasons of its base.
        draft.data.pop("why", None)
        draft.data["title"] = f"{readable(path.stem)} (extends {base})"
    _overlay(draft, data, document.places, Scenario, ())
    draft.places[()] = document.places[()]
    draft.lineage.insert(0, str(path))
    return draft


def _base(found: Path, said: str, descendants: tuple[Path, ...], reach: Path) -> Draft:
    """Read what a file extends; what is wrong with it is told once, with the file asked for."""
    try:
        draft = read_draft(found, descendants, reach)
    except ScenarioError as problem:
        if len(descendants) > 1:
            raise
        raise ScenarioError(f"{problem.message}{came_from(str(descendants[0]), said)}", problem.place) from None
    draft.extends = said
    return draft


def _base_of(base: Any, path: Path, document: YamlFile, descendants: tuple[Path, ...], reach: Path) -> Path:
    place = document.place((EXTENDS,))
    if not isinstance(base, str) or not base:
        raise ScenarioError(f"extends: {quoted(base)} should be the name or the file of one scenario", place)
    if is_path(base):
        check_reach(path.parent / base, base, reach, EXTENDS, place)
    try:
        found = find_scenario(base, path.parent)
    except ScenarioError as problem:
        raise ScenarioError(f"extends: {problem}", place) from None
    if found.resolve() in {descendant.resolve() for descendant in descendants}:
        circle = " -> ".join([*(descendant.name for descendant in descendants), found.name])
        raise ScenarioError(f"extends: inheritance goes in a circle ({circle})", place)
    if len(descendants) > _MOST_ANCESTORS:
        raise ScenarioError(f"extends: more than {_MOST_ANCESTORS} scenarios extend each other here", place)
    return found


def change_draft(draft: Draft, change: str) -> None:
    """Apply one ``dotted.key=value`` to a draft; whether there is such a setting is not asked here.

    Raises
    ------
    ScenarioError
        As of :func:`said_change`.
    """
    path, value, place = said_change(change)
    nested: Any = value
    for part in reversed(path):
        nested = {part: nested}
    places: dict[KeyPath, Place] = {path[:depth]: place for depth in range(1, len(path) + 1)}
    _overlay(draft, nested, places, Scenario, ())


def said_change(change: str) -> tuple[tuple[str, ...], Any, Place]:
    """Read one ``dotted.key=value``, with the value in YAML.

    Returns
    -------
    path : tuple of str
        The key's parts.
    value : object
        The value; None where nothing follows the equals sign.
    place : Place
        What to complain of.

    Raises
    ------
    ScenarioError
        If it is not written like this, would change what is extended, or lies deeper than any setting.
    """
    change = readable(change)
    place = Place(f"--set {short(change)}")
    key, equals, text = change.partition("=")
    path = tuple(part.strip() for part in key.split("."))
    if not equals or not all(path):
        raise ScenarioError("a change is written dotted.key=value, such as cohort.size=100", place)
    if path[0] == EXTENDS:
        raise ScenarioError("extends cannot be changed by --set; name another scenario instead", place)
    if len(path) > MOST_LEVELS:
        raise ScenarioError(f"nested more than {MOST_LEVELS} levels deep; no setting lies so deep", place)
    try:
        value = parse_yaml(text, "", ScenarioError).data if text.strip() else None
    except ScenarioError as problem:
        raise ScenarioError(problem.message, place) from None
    return path, value, place


def _overlay(
    draft: Draft, data: dict[str, Any], places: dict[KeyPath, Place], model: type[BaseModel], at: KeyPath
) -> None:
    """Lay settings over a draft. Only settings with settings of their own are merged; anything else is replaced."""
    target = _at(draft.data, at)
    said, known = _by_key(places, at), _by_key(draft.places, at)
    for key, value in data.items():
        path = (*at, key)
        inner = _settings_class(model, key)
        if inner is not None and isinstance(value, dict) and isinstance(target.get(key, {}), dict):
            target.setdefault(key, {})
            draft.places[path] = places.get(path, Place(""))
            _overlay(draft, value, places, inner, path)
        else:
            target[key] = value
            for below in known.get(key, ()):
                del draft.places[below]
            draft.places |= {below: places[below] for below in said.get(key, ())}


def _by_key(places: dict[KeyPath, Place], at: KeyPath) -> dict[str | int, list[KeyPath]]:
    """Return the key paths below one of them, by the next key: a file may have thousands."""
    depth = len(at)
    found: dict[str | int, list[KeyPath]] = {}
    for path in places:
        if len(path) > depth and path[:depth] == at:
            found.setdefault(path[depth], []).append(path)
    return found


def _at(data: dict[str, Any], path: KeyPath) -> dict[str, Any]:
    for key in path:
        data = data[str(key)]
    return data


def _settings_class(model: type[BaseModel], key: str) -> type[Settings] | None:
    """Return the class of a setting that has settings of its own, also of one that may be null."""
    known = model.model_fields.get(key)
    kinds = [kind for kind in (known.annotation, *get_args(known.annotation)) if kind] if known else []
    whole = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Settings)]
    return whole[0] if whole and set(kinds[1:]) <= {*whole, type(None)} else None


def came_from(own: str, said: str) -> str:
    """Return what a line about a faulty ancestor ends with: the file asked for, and what it says that it extends."""
    return f"; inherited by {own} (extends: {said})"
