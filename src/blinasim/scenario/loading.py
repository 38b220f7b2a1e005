"""From YAML files and ``--set`` to a Scenario, or one clear line about what is wrong and where."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from blinasim.errors import Place, ScenarioError
from blinasim.files import (
    MOST_LEVELS,
    KeyPath,
    YamlFile,
    data_folder,
    nearest,
    parse_yaml,
    quoted,
    read_yaml,
    readable,
    reason,
    shipped_scenarios,
    short,
)
from blinasim.scenario.reach import check_reach, is_path
from blinasim.scenario.settings import MOST_TITLE, AfterCycle, Scenario, Settings

Said = TypeVar("Said")
Loaded = TypeVar("Loaded")

#: The key by which a scenario names the one that it inherits from.
EXTENDS = "extends"
_MOST_ANCESTORS = 20
#: Settings that are one of several kinds that a setting may have: pydantic names them in locations.
_ALTERNATIVES = (AfterCycle.__name__,)


@dataclass
class Draft:
    """A scenario while it is put together: plain data, and where each part of it was said."""

    data: dict[str, Any] = field(default_factory=dict)
    places: dict[KeyPath, Place] = field(default_factory=dict)
    #: Who extends whom, from the file asked for to its last ancestor.
    lineage: list[str] = field(default_factory=list)
    #: What the file asked for says that it extends.
    extends: str = ""

    def place(self, path: Iterable[str | int]) -> Place | None:
        """Return where ``path``, or its longest prefix, was said."""
        known = tuple(path)
        while known and known not in self.places:
            known = known[:-1]
        return self.places.get(known)


def load_scenario(name_or_path: str | Path, changes: Sequence[str] = (), *, said_in: Path | None = None) -> Scenario:
    """Load a shipped scenario by name or a scenario file by path, with what it extends.

    Parameters
    ----------
    name_or_path : str or Path
        A shipped scenario's name, or a YAML file. Its ``extends`` names a shipped scenario, or a file relative
        to its own folder. What it names lies in this folder or below (``scenario.reach``).
    changes : sequence of str
        Settings changed on top, each ``dotted.key=value`` with the value in YAML.
    said_in : Path, optional
        The folder of a design's file that says all this; then its own paths are relative to it and lie in it.

    Returns
    -------
    Scenario
        Fully resolved: base, own settings, changes, and defaults for the rest. Nested settings are inherited one by
        one; lists and tables such as ``accept_from_day`` are replaced whole. Title and reasons are not inherited,
        and the title says what ``changes`` changed.

    Raises
    ------
    ScenarioError
        One line with file, line, column and the nearest valid key or value.
    """
    if said_in is not None and is_path(name_or_path):
        check_reach(said_in / name_or_path, str(name_or_path), said_in, "scenario", None)
    path = find_scenario(name_or_path, said_in)
    reach = said_in or path.parent
    draft = _draft(path, (), reach if is_path(name_or_path) else path.parent)
    for change in changes:
        _change(draft, change)
    _entitle(draft, [change for change in changes if not change.startswith(("study.", "title"))])
    _locate_cohort_file(draft, reach, said_in)
    try:
        return Scenario.model_validate(draft.data)
    except ValidationError as problem:
        raise first_error(problem, draft) from None


def study_changes(replications: int | None, seed: int | None) -> list[str]:
    """Return the changes that say of a study how many trials, and with which seed, where given."""
    given = {"study.replications": replications, "study.seed": seed}
    return [f"{key}={value}" for key, value in given.items() if value is not None]


def load_named(said: Iterable[Said], load: Callable[[Said], tuple[str, Loaded]], what: str) -> dict[str, Loaded]:
    """Load some scenarios or designs (``what``); ``load`` gives the name of each too, and no two may have one.

    Raises
    ------
    ScenarioError
        If two have one name, or one cannot be loaded.
    """
    loaded: dict[str, Loaded] = {}
    for one in said:
        name, asked = load(one)
        if name in loaded:
            raise ScenarioError(f"two of the {what} are called {name}; name different ones, or copy one file")
        loaded[name] = asked
    return loaded


def find_scenario(name_or_path: str | Path, folder: Path | None = None) -> Path:
    """Return the file that a name or a path means; paths are relative to ``folder``, where given."""
    name, path = str(name_or_path), Path(name_or_path)
    names = shipped_scenarios()
    if is_path(path):
        return existing_file(folder / path if folder else path, names)
    if name not in names:
        raise ScenarioError(
            f"no scenario named {quoted(name)}{nearest(name, names)} "
            f"(shipped: {', '.join(names)}; a file needs its .yaml)"
        )
    return data_folder("scenarios") / f"{name}.yaml"


def existing_file(path: Path, shipped: list[str]) -> Path:
    """Return a path that is a file."""
    place = Place(str(path))
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        beside = sorted(found.name for found in path.parent.glob("*.yaml") if found.is_file())
        raise ScenarioError(f"no such scenario file{nearest(path.name, [*shipped, *beside])}", place) from None
    except (OSError, ValueError) as problem:
        raise ScenarioError(f"cannot be read ({reason(problem)})", place) from None
    if not stat.S_ISREG(mode):
        raise ScenarioError("is not a file; name a scenario's YAML file", place)
    return path


# --- inheritance and changes --------------------------------------------------------------------------


def _draft(path: Path, descendants: tuple[Path, ...], reach: Path) -> Draft:
    """Read a file on top of what it extends, which lies in the folder ``reach`` or is shipped."""
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
        draft = _draft(found, descendants, reach)
    except ScenarioError as problem:
        if len(descendants) > 1:
            raise
        raise ScenarioError(f"{problem.message}{_came_from(str(descendants[0]), said)}", problem.place) from None
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


def _change(draft: Draft, change: str) -> None:
    """Apply one ``dotted.key=value``."""
    path, value, place = said_change(change)
    nested: Any = value
    for part in reversed(path):
        nested = {part: nested}
    places: dict[KeyPath, Place] = {path[:depth]: place for depth in range(1, len(path) + 1)}
    _overlay(draft, nested, places, Scenario, ())


def said_change(change: str) -> tuple[tuple[str, ...], Any, Place]:
    """Read one ``dotted.key=value``: the key's parts, the value, and the place to complain of."""
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


def _entitle(draft: Draft, changes: list[str]) -> None:
    """Let the title say what ``--set`` changed: results under it are not those of the scenario as it stands."""
    title = draft.data.get("title")
    if changes and isinstance(title, str):
        draft.data["title"] = short(f"{title} [{'; '.join(changes)}]", MOST_TITLE)


def _locate_cohort_file(draft: Draft, reach: Path, said_in: Path | None) -> None:
    """A cohort file's name is relative to the file that says it; one that the user says himself may lie anywhere."""
    data = draft.data.get("cohort")
    data = data.get("data") if isinstance(data, dict) else None
    if isinstance(data, dict) and isinstance(data.get("file"), str) and data["file"]:
        place = draft.place(("cohort", "data", "file"))
        folder = Path(place.file).parent if place and place.file in draft.lineage else said_in
        said = data["file"]
        if folder is not None:
            check_reach(folder / said, said, reach, "cohort.data.file", place)
        data["file"] = whole = _whole_path((folder or Path()) / said)
        try:
            whole.encode()
        except UnicodeEncodeError as problem:
            raise ScenarioError(f"cohort.data.file: cannot be read ({reason(problem)})", place) from None


def _whole_path(path: Path) -> str:
    try:
        return str(path.resolve())
    except (OSError, RuntimeError, ValueError):  # no such path can be; whoever opens it says why
        return str(path.absolute())


# --- errors in words -------------------------------------------------------------------------------------


def first_error(problem: ValidationError, draft: Draft, root: type[BaseModel] = Scenario) -> ScenarioError:
    """Turn the complaint that stands first in the file asked for into one line at its place.

    What is wrong inside a setting comes before what that makes of the setting, and what is written wrongly before
    what is missing, as it may well be the same.
    """
    own = draft.lineage[0]
    every = problem.errors(include_url=False)
    inside = {details["loc"][:depth] for details in every for depth in range(len(details["loc"]))}

    def order(details: ErrorDetails) -> tuple[bool, bool, bool, int, int]:
        place = draft.place(details["loc"]) or Place("")
        return _of_the_other_kind(details), details["type"] == "missing", place.file != own, place.line, place.column

    details = min((one for one in every if one["loc"] not in inside), key=order)
    path = [part for part in details["loc"] if part != "[key]" and not _names_an_alternative(part)]
    place = draft.place([*path, *_setting_complained_of(details)])
    dotted = ".".join(short(str(part)) or "''" for part in path) or f"the {root.__name__.lower()}"
    return ScenarioError(f"{dotted}: {_in_words(details, path, root)}{_inherited(place, draft)}", place)


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
    return _came_from(draft.lineage[0], draft.extends)


def _came_from(own: str, said: str) -> str:
    return f"; inherited by {own} (extends: {said})"


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
