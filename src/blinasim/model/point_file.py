"""A file of point values of the user's own: what differs from ``calibration/parameters.yaml``."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from blinasim.errors import ParameterError
from blinasim.files import YamlFile, complaint, nearest, quoted, read_yaml, short
from blinasim.model.catalogue import ParameterInfo, parameter_catalogue
from blinasim.model.parameters import Parameters, Structure, parameters_of

_STRUCTURE = "structure"


def read_points(path: Path) -> Parameters:
    """Read point values: groups of parameters as in ``calibration/parameters.yaml``, each a number or with a ``value``.

    Parameters that the file does not name keep their shipped values. ``structure`` may name the distributions of
    ``relapse`` and ``failure``.

    Raises
    ------
    ParameterError
        With file, line and column.
    """
    document = read_yaml(path, ParameterError)
    data = _mapping(document.data, (), document)
    catalogue = parameter_catalogue()
    groups = {name.partition(".")[0] for name in catalogue} | {_STRUCTURE}
    values = {name: info.value for name, info in catalogue.items()}
    for group, entries in data.items():
        if group not in groups:
            place = document.place((group,))
            head, _, name = group.partition(".")
            nested = f"; nest it: {head}: {{{short(name)}: ...}}" if name and head in groups else nearest(group, groups)
            raise ParameterError(f"{short(group)}: no such group of parameters{nested}", place)
        if group == _STRUCTURE:
            continue
        for name, entry in _mapping(entries, (group,), document).items():
            dotted = f"{group}.{name}"
            if dotted not in catalogue:
                place = document.place((group, name))
                raise ParameterError(f"{short(dotted)}: no such parameter{nearest(dotted, catalogue)}", place)
            values[dotted] = _value(entry, catalogue[dotted], (group, name), document)
    found = parameters_of(values, _structure(data.get(_STRUCTURE), document))
    return replace(found, file=short(path.name))


def _mapping(data: Any, path: tuple[str, ...], document: YamlFile) -> dict[str, Any]:
    if not isinstance(data, dict):
        where = ".".join(path) or "the file"
        raise ParameterError(f"{where}: should hold names and values, not {quoted(data)}", document.place(path))
    return data


def _value(entry: Any, info: ParameterInfo, path: tuple[str, ...], document: YamlFile) -> float:
    """Return a value, given alone or with all that is known about the parameter."""
    dotted = ".".join(path)
    if isinstance(entry, dict):
        if "value" not in entry:
            raise ParameterError(f"{dotted}: has no value", document.place(path))
        entry, path = entry["value"], (*path, "value")
    if isinstance(entry, bool) or not isinstance(entry, int | float):
        raise ParameterError(f"{dotted}: {quoted(entry)} should be a number", document.place(path))
    try:
        return ParameterInfo.model_validate({**info.model_dump(), "value": entry}).value
    except ValidationError as problem:
        raise ParameterError(f"{dotted}: {complaint(problem)[1]}", document.place(path)) from None


def _structure(data: Any, document: YamlFile) -> Structure:
    if data is None:
        return Structure()
    given = _mapping(data, (_STRUCTURE,), document)
    known = [item.name for item in fields(Structure)]
    for name in given:
        if name not in known:
            place = document.place((_STRUCTURE, name))
            raise ParameterError(f"{_STRUCTURE}.{short(name)}: no such distribution{nearest(name, known)}", place)
    try:
        return TypeAdapter(Structure).validate_python(given)
    except ValidationError as problem:
        inside, what = complaint(problem)
        path = (_STRUCTURE, *inside)
        where = ".".join(str(part) for part in path)
        raise ParameterError(f"{where}: {what}", document.place(path)) from None
