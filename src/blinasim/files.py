"""Reading YAML with positions, finding the shipped data, and writing results whole or not at all."""

from __future__ import annotations

import difflib
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blinasim.errors import BlinasimError, OutputError, Place

#: A key path inside a document: mapping keys and sequence positions.
KeyPath = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Document:
    """A YAML file as plain data, with the place of every key path in it."""

    data: Any
    places: dict[KeyPath, Place] = field(default_factory=dict)

    def place(self, path: Iterable[str | int]) -> Place:
        """Return the place of ``path``, or of its longest prefix that the file holds."""
        known = tuple(path)
        while known and known not in self.places:
            known = known[:-1]
        return self.places[known]


def read_yaml(path: Path, error: type[BlinasimError]) -> Document:
    """Read a YAML file of plain mappings, sequences and scalars.

    Anchors, aliases and tags are refused, as are duplicate keys: a scenario says what it means in one place.

    Raises
    ------
    BlinasimError
        Of the given class, with file, line and column.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "is not UTF-8 text"
        raise error(f"cannot be read ({reason})", Place(str(path))) from problem
    return parse_yaml(text, str(path), error)


def parse_yaml(text: str, name: str, error: type[BlinasimError]) -> Document:
    """Parse YAML text; see :func:`read_yaml`."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        where = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name)
        raise error(f"not valid YAML: {problem.problem or problem.context}", where) from problem
    except YAMLError as problem:
        raise error(f"not valid YAML: {' '.join(str(problem).split())}", Place(name)) from problem
    if root is None:
        raise error("the file is empty", Place(name))
    places: dict[KeyPath, Place] = {(): Place(name, 1, 1)}
    data = _construct(root, (), name, places, error)
    return Document(data, places)


def _construct(node: Any, path: KeyPath, name: str, places: dict[KeyPath, Place], error: type[BlinasimError]) -> Any:
    place = Place(name, node.start_mark.line + 1, node.start_mark.column + 1)
    places.setdefault(path, place)
    if node.anchor:
        raise error(f"anchors and aliases (&{node.anchor}) are not allowed; write the value out", place)
    kind = str(node.tag)
    if isinstance(node.value, str):
        return _scalar(kind, node.value, place, error)
    if kind == _TAG + "seq":
        return [_construct(item, (*path, index), name, places, error) for index, item in enumerate(node.value)]
    if kind != _TAG + "map":
        raise error(f"tag {kind.replace(_TAG, '!!')} is not allowed; write plain values", place)
    data: dict[str, Any] = {}
    for key_node, value_node in node.value:
        where = Place(name, key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        if not isinstance(key_node.value, str):
            raise error("a key must be a plain word", where)
        key = key_node.value
        if key in data:
            raise error(f"{key} is written twice", where)
        places[(*path, key)] = where
        data[key] = _construct(value_node, (*path, key), name, places, error)
    return data


def _scalar(kind: str, text: str, place: Place, error: type[BlinasimError]) -> Any:
    try:
        match kind.removeprefix(_TAG):
            case "str":
                return text
            case "int":
                return int(text.replace("_", ""), 0)
            case "float":
                return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
            case "bool":
                return text.lower() in ("true", "yes", "on")
            case "null":
                return None
            case "timestamp":
                return text
    except ValueError:
        raise error(f"{text!r} is not a number; write it in decimal digits", place) from None
    raise error(f"tag {kind.replace(_TAG, '!!')} is not allowed; write plain values", place)


def nearest(word: str, words: Iterable[str]) -> str:
    """Return ``"; did you mean X?"`` for the word closest to ``word``, or nothing."""
    close = difflib.get_close_matches(word, list(words), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def data_folder(name: str) -> Path:
    """Return the folder ``scenarios`` or ``calibration``: the package's own copy, else the repository's."""
    here = Path(__file__).resolve().parent
    for folder in (here / "data" / name, here.parents[1] / name):
        if folder.is_dir():
            return folder
    raise BlinasimError(f"the data folder {name!r} is missing; install blinasim again")


@contextmanager
def whole_folder(target: Path, *, force: bool) -> Iterator[Path]:
    """Write a results folder aside and rename it when it is whole.

    Yields a temporary folder beside ``target``. If the body ends well it becomes ``target``; otherwise it
    is removed and ``target`` is left as it was.

    Raises
    ------
    OutputError
        If ``target`` exists and ``force`` is False, or cannot be written.
    """
    check_free(target, force=force)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as problem:
        raise OutputError(f"{target}: cannot be written ({problem.strerror}); choose another --out") from problem
    try:
        aside.chmod(0o755)
        yield aside
        check_free(target, force=force)
        if target.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
            target.replace(old / "was")
            aside.replace(target)
            shutil.rmtree(old)
        else:
            aside.replace(target)
    except OSError as problem:
        shutil.rmtree(aside, ignore_errors=True)
        raise OutputError(f"{target}: cannot be written ({problem.strerror}); choose another --out") from problem
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def check_free(target: Path, *, force: bool) -> None:
    """Refuse a target that already exists, before any work is done for it."""
    if target.exists() and not force:
        raise OutputError(f"{target} already exists; say --force to replace it, or --out for another folder")
    if target.exists() and not target.is_dir():
        raise OutputError(f"{target} is a file, not a results folder; choose another --out")
