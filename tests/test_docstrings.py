"""Docstrings keep up with the code: what a section names is there, and what a statistician must know is named."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import blinasim
from blinasim.report import figures

SOURCE = Path(blinasim.__file__).parent
#: Rooms whose functions are called from notebooks and scripts; commands have their help, and pages no callers.
ROOMS = ("statistics", "luck", "files", "scenario", "model", "engine", "trial", "study", "inference", "api", "plot")
#: Functions of one kind, whose folder says in each module what all of them take and give.
OF_ONE_KIND = "model/fates/"
#: Lines of code, and parameters, up to which one sentence says everything.
FEW_LINES, FEW_PARAMETERS = 4, 2
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Documented(NamedTuple):
    where: str
    node: Function | ast.ClassDef
    sections: dict[str, str]


def _sections(node: Function | ast.ClassDef) -> dict[str, str]:
    parts = re.split(r"^(\w+)\n-{3,}\n", ast.get_docstring(node) or "", flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _names(section: str) -> list[str]:
    """Read the names before each colon, or those of a line that has none: ``first, second : int``, ``*others``."""
    heads = [line.partition(" : ")[0] for line in section.splitlines() if line and not line[0].isspace()]
    return [name.strip().lstrip("*") for head in heads for name in head.split(",")]


def _walk(body: list[ast.stmt], where: str) -> Iterator[Documented]:
    for node in body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield Documented(f"{where}:{node.name}", node, _sections(node))
            if isinstance(node, ast.ClassDef):
                yield from _walk(node.body, f"{where}:{node.name}")


EVERYTHING = [
    one
    for path in sorted(SOURCE.rglob("*.py"))
    for one in _walk(ast.parse(path.read_text(encoding="utf-8")).body, path.relative_to(SOURCE).as_posix())
]
CALLED = [one for one in EVERYTHING if isinstance(one.node, Function) and re.split(r"[/.:]", one.where)[0] in ROOMS]
REPORTS = [one for one in EVERYTHING if isinstance(one.node, Function) and one.where.startswith("report")]


def _parameters(node: Function) -> list[str]:
    given = node.args
    named = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    return [one.arg for one in named if one is not None and one.arg not in ("self", "cls")]


def _fields(node: ast.ClassDef) -> list[str]:
    said = [one for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)]
    return [one.target.id for one in said if isinstance(one.target, ast.Name) and not one.target.id.startswith("_")]


def _raised(node: ast.AST) -> set[str]:
    """Return what the code itself raises by name, in functions within it too; ``raise`` alone raises nothing new."""
    found = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Raise) and one.exc is not None:
            what = one.exc.func if isinstance(one.exc, ast.Call) else one.exc
            # A method that is there to be written by others is none that fails.
            if isinstance(what, ast.Name) and what.id.endswith("Error") and what.id != "NotImplementedError":
                found.add(what.id)
    return found


def _lines(node: Function) -> int:
    code = node.body[1:] or node.body
    return (node.end_lineno or 0) - code[0].lineno + 1


def _listed(wrong: list[str]) -> str:
    return "\n" + "\n".join(wrong)


def test_parameters_are_those_of_the_signature() -> None:
    wrong = []
    for where, node, sections in EVERYTHING:
        if isinstance(node, Function) and "Parameters" in sections:
            said, there = _names(sections["Parameters"]), _parameters(node)
            if sorted(said) != sorted(there):
                wrong.append(f"{where}: {sorted(set(said) ^ set(there))} said or taken, not both")
    assert not wrong, _listed(wrong)


def test_attributes_are_the_fields_of_the_class() -> None:
    wrong = []
    for where, node, sections in EVERYTHING:
        if isinstance(node, ast.ClassDef) and "Attributes" in sections and _fields(node):
            said, there = _names(sections["Attributes"]), _fields(node)
            if sorted(said) != sorted(there):
                wrong.append(f"{where}: {sorted(set(said) ^ set(there))} said or there, not both")
    assert not wrong, _listed(wrong)


def test_what_the_code_raises_is_said() -> None:
    wrong = [
        f"{where}: {sorted(missing)}"
        for where, node, sections in [*CALLED, *REPORTS]
        if (missing := {name for name in _raised(node) if name not in sections.get("Raises", "")})
    ]
    assert not wrong, _listed(wrong)


@pytest.mark.parametrize("section", ["Parameters", "Returns"])
def test_whatever_takes_more_than_a_sentence_has_the_section(section: str) -> None:
    wrong = []
    for where, node, sections in CALLED:
        assert isinstance(node, Function)
        many = len(_parameters(node)) > FEW_PARAMETERS and _lines(node) > FEW_LINES
        gives = node.returns is not None and not (isinstance(node.returns, ast.Constant) and node.returns.value is None)
        needed = many and (section == "Parameters" or gives) and not where.startswith(OF_ONE_KIND)
        if needed and not ({section, "Yields" if section == "Returns" else section} & set(sections)):
            wrong.append(where)
    assert not wrong, _listed(wrong)


def test_whoever_says_what_is_taken_says_what_is_given() -> None:
    wrong = [
        where
        for where, node, sections in [*CALLED, *REPORTS]
        if isinstance(node, Function)
        and "Parameters" in sections
        and node.returns is not None
        and not (isinstance(node.returns, ast.Constant) and node.returns.value is None)
        and not {"Returns", "Yields"} & set(sections)
    ]
    assert not wrong, _listed(wrong)


def test_the_public_interface_says_everything() -> None:
    """Every function of the package itself, of which users read only the help."""
    for name in set(blinasim.__all__) - {"plot", "__version__", "Parameters", "Timing"}:
        function = getattr(blinasim, name)
        said = function.__doc__
        takes = [one for one in function.__annotations__ if one != "return"]
        if len(takes) > 1:
            assert all(f"{section}\n" in said for section in ("Parameters", "Returns", "Raises")), name


def test_a_figure_of_the_interface_says_what_drawing_it_raises() -> None:
    for name in set(blinasim.plot.__all__) - {"save"}:
        drawn, said = (getattr(home, name).__doc__ for home in (figures, blinasim.plot))
        for error in re.findall(r"^    (\w+Error)$", drawn.partition("Raises\n")[2], flags=re.MULTILINE):
            assert name == "clocks" or error in said.partition("Raises\n")[2], (name, error)  # one life by construction
