"""Reading YAML with positions, finding the shipped data, and writing results whole or not at all."""

from __future__ import annotations

import difflib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blinasim.errors import BlinasimError, OutputError, Place

#: The file by which a results folder is known.
MANIFEST = "manifest.json"
#: A key path inside a document: mapping keys and sequence positions.
KeyPath = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"([-+]?)\.(inf|nan)", re.IGNORECASE)

#: A file written by hand is shorter and flatter; what exceeds this is refused before it costs time or memory.
_MOST_YAML_BYTES = 1_000_000
MOST_LEVELS = 32
#: Longest quotation of a user's own text in a message.
_QUOTED = 60


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


def read_text(path: Path, error: type[BlinasimError], *, most_bytes: int) -> str:
    """Read a UTF-8 file, with or without a byte order mark.

    Raises
    ------
    BlinasimError
        Of the given class, if it cannot be read, is too large, or is not UTF-8; then with line and column.
    """
    place = Place(str(path))
    try:
        with path.open("rb") as file:
            raw = file.read(most_bytes + 1)
    except (OSError, ValueError) as problem:
        raise error(f"cannot be read ({reason(problem)})", place) from None
    if len(raw) > most_bytes:
        raise error(f"cannot be read (larger than {most_bytes:,} bytes)", place)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        # A byte order mark says UTF-16 before any line begins.
        before = "" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else raw[: problem.start].decode("utf-8-sig")
        raise error("cannot be read (not UTF-8 text); save the file as UTF-8", _after(before, str(path))) from None


def reason(problem: Exception) -> str:
    """Return why a file could not be used, without its name."""
    return getattr(problem, "strerror", None) or str(problem)


def _after(text: str, name: str) -> Place:
    """Return the place right after a text."""
    line = text.count("\n")
    return Place(name, line + 1, len(text) - text.rfind("\n"))


def read_yaml(path: Path, error: type[BlinasimError]) -> Document:
    """Read a YAML file of plain mappings, sequences and scalars.

    Anchors, aliases and tags are refused, as are duplicate keys: a scenario says what it means in one place.

    Raises
    ------
    BlinasimError
        Of the given class, with file, line and column.
    """
    return parse_yaml(read_text(path, error, most_bytes=_MOST_YAML_BYTES), str(path), error)


def parse_yaml(text: str, name: str, error: type[BlinasimError]) -> Document:
    """Parse YAML text; see :func:`read_yaml`."""
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
        where = _after(text[: problem.position], name)
        raise error(f"the character {character} is not allowed; remove it", where) from None
    if root is None:
        raise error("the file is empty", Place(name))
    places: dict[KeyPath, Place] = {(): Place(name, 1, 1)}
    data = _construct(root, (), name, places, error)
    return Document(data, places)


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
        level = 0

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


def short(text: str, most: int = _QUOTED) -> str:
    """Return a user's own text, cut where it is too long for a message (or another number of letters)."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def quoted(value: Any) -> str:
    """Return a value as a user would write it, cut where it is too long for a message."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return repr(short(value)) if isinstance(value, str) else short(repr(value))


def nearest(word: str, words: Iterable[str]) -> str:
    """Return ``"; did you mean X?"`` for the word closest to ``word``, or nothing; a file's ending does not count."""
    known = {known.removesuffix(".yaml").lower(): known for known in words}
    close = difflib.get_close_matches(word.removesuffix(".yaml").lower(), known, n=1)
    return f"; did you mean {known[close[0]]}?" if close else ""


def data_folder(name: str) -> Path:
    """Return the folder ``scenarios`` or ``calibration``: the package's own copy, else the repository's."""
    here = Path(__file__).resolve().parent
    for folder in (here / "data" / name, here.parents[1] / name):
        if folder.is_dir():
            return folder
    raise BlinasimError(f"the data folder {name!r} is missing; install blinasim again")


def shipped_scenarios() -> list[str]:
    """Return the names of the scenarios that come with blinasim."""
    return sorted(path.stem for path in data_folder("scenarios").glob("*.yaml"))


def shipped_designs() -> list[str]:
    """Return the names of the trial designs that come with blinasim."""
    return sorted(path.stem for path in (data_folder("scenarios") / "trials").glob("*.yaml"))


@contextmanager
def whole_folder(target: Path, *, force: bool) -> Iterator[Path]:
    """Write a results folder aside and rename it when it is whole.

    Yields a temporary folder beside ``target``. If the body ends well it becomes ``target``; otherwise it
    is removed, with the folders made to hold it, and ``target`` is left as it was.

    Raises
    ------
    OutputError
        If ``target`` exists and ``force`` is False, or cannot be written.
    """
    check_free(target, force=force)
    parents: list[Path] = []
    try:
        _make_parents(target, parents)
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as problem:
        _remove_empty(parents)
        raise _unwritable(target, problem) from problem
    try:
        aside.chmod(0o755)
        yield aside
        check_free(target, force=force)
        _put(aside, target)
    except BaseException as problem:
        shutil.rmtree(aside, ignore_errors=True)
        _remove_empty(parents)
        if isinstance(problem, OSError):
            raise _unwritable(target, problem) from problem
        raise


def _make_parents(target: Path, made: list[Path]) -> None:
    """Make the folders that are missing above a target, and note them in ``made``, the deepest first."""
    for folder in reversed([folder for folder in target.parents if not folder.exists()]):
        folder.mkdir(exist_ok=True)
        made.insert(0, folder)


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # somebody else has put something there
            folder.rmdir()


def _put(whole: Path, target: Path) -> None:
    """Give a finished folder its name; what had the name before is removed last, and put back if that fails."""
    if not os.path.lexists(target):
        whole.replace(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
    try:
        target.replace(old / "was")
    except OSError:
        old.rmdir()
        raise
    try:
        whole.replace(target)
    except BaseException:  # also Ctrl-C
        (old / "was").replace(target)
        old.rmdir()
        raise
    shutil.rmtree(old, ignore_errors=True)


def _unwritable(target: Path, problem: Exception) -> OutputError:
    return OutputError(f"{target}: cannot be written ({reason(problem)}); choose another --out")


def check_free(target: Path, *, force: bool) -> None:
    """Refuse a target that already exists, before any work is done for it.

    With ``force``, a results folder (known by its manifest) or an empty folder may be replaced, and nothing else.
    """
    try:
        there, folder = os.path.lexists(target), target.is_dir()
        around = folder and Path.cwd().is_relative_to(target.resolve())
        ours = folder and ((target / MANIFEST).is_file() or not any(target.iterdir()))
    except (OSError, ValueError) as problem:
        raise _unwritable(target, problem) from problem
    if there and not force:
        raise OutputError(f"{target} already exists; say --force to replace it, or --out for another folder")
    if there and not folder:
        raise OutputError(f"{target} is not a folder; choose another --out")
    if around:
        raise OutputError(f"{target} is the folder you are in, or holds it; choose another --out")
    if there and not ours:
        raise OutputError(f"{target} is not a results folder (it has no {MANIFEST}); choose another --out")
