"""Mutants: small faults put into the source, one at a time, in an order that does not depend on the run.

A mutant replaces the text of one node of the syntax tree. Docstrings, annotations, decorators, assertions and the words
of messages are left alone, and what only says that a method is for others to write.
"""

from __future__ import annotations

import ast
import hashlib
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_SWAPPED_NAMES = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "minimum": "maximum",
    "maximum": "minimum",
    "floor": "ceil",
    "ceil": "floor",
}
_SYMMETRIC = {*_SWAPPED_NAMES, "isinstance", "getattr", "hasattr", "setattr", "partial", "cast", "replace"}
#: By the annotation of what a function returns: the fault in it.
_RETURNED = {
    "bool": "not ({})",
    "int": "({}) + 1",
    "float": "({}) + 1",
    "Days": "({}) + 1",
    "Floats": "({}) + 1",
    "Ints": "({}) + 1",
    "Flags": "~({})",
    "Bools": "~({})",
}
_MUTE = {"__repr__", "__str__"}


@dataclass(frozen=True)
class Mutant:
    """One fault: ``after`` instead of ``before``, bytes ``start`` to ``end`` of the file.

    ``lines`` are those of the statement, first and last; ``key`` names the mutant by the function it is in and its
    text, so that it stays the same when code moves.
    """

    path: str
    line: int
    lines: tuple[int, int]
    start: int
    end: int
    operator: str
    before: str
    after: str
    scope: str
    key: str

    @property
    def module(self) -> str:
        """Dotted name of the module."""
        return self.path.removeprefix("src/").removesuffix(".py").replace("/", ".")

    def applied(self, source: bytes) -> bytes:
        """The source with the fault in it."""
        return source[: self.start] + self.after.encode() + source[self.end :]


def mutants_of(root: Path, rooms: list[str]) -> list[Mutant]:
    """Every mutant of some rooms, in the order of files and lines."""
    found: list[Mutant] = []
    for room in rooms:
        for path in sorted((root / "src" / "blinasim" / room).rglob("*.py")):
            found += _Finder(room, path.relative_to(root).as_posix(), path.read_bytes()).find()
    return found


def sampled(mutants: list[Mutant], size: int | None, seed: int) -> list[Mutant]:
    """A sample in proportion to the mutants of each file; a larger one of the same seed holds the smaller."""

    def luck(mutant: Mutant) -> str:
        return hashlib.sha256(f"{seed}:{mutant.key}".encode()).hexdigest()

    placed = []
    for path in sorted({mutant.path for mutant in mutants}):
        its = sorted((mutant for mutant in mutants if mutant.path == path), key=luck)
        placed += [((rank + 0.5) / len(its), luck(mutant), mutant) for rank, mutant in enumerate(its)]
    return [mutant for *_, mutant in sorted(placed, key=lambda one: one[:2])][:size]


class _Finder:
    """Walks one file."""

    def __init__(self, room: str, path: str, source: bytes) -> None:
        self.room, self.path, self.source = room, path, source
        lengths = [0]
        for line in source.splitlines(keepends=True):
            lengths.append(lengths[-1] + len(line))
        self.offsets = lengths
        self.found: list[Mutant] = []
        self.seen: dict[str, int] = {}
        self.scope: list[str] = []
        self.statement: ast.stmt | None = None
        self.returns: list[str] = []

    def find(self) -> list[Mutant]:
        for node in ast.parse(self.source).body:
            self.visit_statement(node)
        return self.found

    # --- statements ----------------------------------------------------------------------------------

    def visit_statement(self, node: ast.stmt) -> None:
        outer, self.statement = self.statement, node
        match node:
            case ast.FunctionDef():
                self.visit_function(node)
            case ast.ClassDef():
                if not any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases):
                    self.within(node.name, node.body)
            case ast.Import() | ast.ImportFrom() | ast.Assert():
                pass
            case ast.Raise(exc=ast.Name(id="NotImplementedError")):
                pass
            case ast.Raise():
                self.emit(node, "removed statement", "pass")
            case ast.If() if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
                pass
            case _:
                self.visit_other(node)
        self.statement = outer

    def visit_function(self, node: ast.FunctionDef) -> None:
        if node.name in _MUTE:
            return
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.visit(default)
        self.returns.append(ast.unparse(node.returns) if node.returns else "")
        self.within(node.name, node.body)
        self.returns.pop()

    def within(self, name: str, body: list[ast.stmt]) -> None:
        self.scope.append(name)
        for statement in body:
            self.visit_statement(statement)
        self.scope.pop()

    def visit_other(self, node: ast.stmt) -> None:
        match node:
            case ast.Expr(value=ast.Constant()):
                return
            case ast.Expr() | ast.Continue() | ast.Break():
                self.emit(node, "removed statement", "pass")
            case ast.AugAssign():
                self.emit(node, "removed statement", "pass")
                other = _COMPUTED.get(type(node.op))
                if other:
                    self.changed(node, "arithmetic", op=other())
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_]):
                self.emit(node, "removed statement", "pass")
            case ast.Return(value=value) if value is not None and self.returns[-1:] and self.returns[-1] in _RETURNED:
                self.emit(value, "returned value", f"({_RETURNED[self.returns[-1]].format(ast.unparse(value))})")
        for name, value in ast.iter_fields(node):
            if name not in ("annotation", "targets", "target") or name == "targets":
                self.visit_field(value)

    def visit_field(self, value: Any) -> None:
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, ast.stmt):
                self.visit_statement(item)
            elif isinstance(item, ast.AST):
                self.visit(item)

    # --- expressions -----------------------------------------------------------------------------------

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.JoinedStr):
            return
        inside = bool(self.returns)
        match node:
            case ast.Compare():
                for index, op in enumerate(node.ops):
                    for other in _COMPARED[type(op)]:
                        self.changed(node, "comparison", ops=_at(node.ops, index, other()))
            case ast.BinOp() if type(node.op) in _COMPUTED and (inside or not isinstance(node.op, ast.BitOr)):
                if not any(isinstance(side, ast.Constant | ast.JoinedStr) and _is_text(side) for side in _sides(node)):
                    self.changed(node, "arithmetic", op=_COMPUTED[type(node.op)]())
            case ast.BoolOp():
                self.changed(node, "and/or", op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
            case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()):
                self.emit(node, "removed sign or not", f"({ast.unparse(node.operand)})")
            case ast.Constant(value=bool()):
                self.emit(node, "constant", str(not node.value))
            case ast.Constant(value=int() | float()):
                self.emit(node, "constant", f"({node.value + 1!r})")
                self.emit(node, "constant", f"({node.value - 1!r})")
            case ast.Call():
                self.visit_call(node)
            case ast.IfExp(test=test) | ast.comprehension(ifs=[test]):
                self.negated(test)
            case ast.Lambda():
                self.visit(node.body)
                return
        if isinstance(node, ast.If | ast.While):
            self.negated(node.test)
        for name, value in ast.iter_fields(node):
            if name != "annotation":
                self.visit_field(value)

    def visit_call(self, node: ast.Call) -> None:
        named = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if named in _SWAPPED_NAMES:
            func = copy(node.func)
            setattr(func, "attr" if isinstance(func, ast.Attribute) else "id", _SWAPPED_NAMES[named])
            self.changed(node, "min/max", func=func)
        first = 1 if named == "where" else 0
        if named not in _SYMMETRIC and len(node.args) >= first + 2:
            one, two = node.args[first], node.args[first + 1]
            if not any(isinstance(item, ast.Starred) for item in (one, two)) and ast.dump(one) != ast.dump(two):
                args = [*node.args[:first], two, one, *node.args[first + 2 :]]
                self.changed(node, "swapped arguments", args=args)

    def negated(self, test: ast.expr) -> None:
        if isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
            self.emit(test, "condition", f"(not {ast.unparse(test)})")

    # --- mutants -----------------------------------------------------------------------------------------

    def changed(self, node: Any, operator: str, **parts: Any) -> None:
        other = copy(node)
        for name, value in parts.items():
            setattr(other, name, value)
        text = ast.unparse(other)
        self.emit(node, operator, text if isinstance(node, ast.stmt) else f"({text})")

    def emit(self, node: Any, operator: str, after: str) -> None:
        assert self.statement is not None
        start = self.offsets[node.lineno - 1] + node.col_offset
        end = self.offsets[node.end_lineno - 1] + node.end_col_offset
        before, scope = ast.unparse(node), ".".join(self.scope)
        place = scope or Path(self.path).stem
        named = f"{self.room}:{place}:{operator}:{before}:{after}"
        self.seen[named] = self.seen.get(named, 0) + 1
        key = hashlib.sha256(f"{named}:{self.seen[named]}".encode()).hexdigest()[:12]
        lines = self.statement.lineno, self.statement.end_lineno or self.statement.lineno
        if isinstance(self.statement, ast.If | ast.While | ast.For | ast.With | ast.FunctionDef):
            lines = node.lineno, node.end_lineno  # the head, not the body
        self.found.append(Mutant(self.path, node.lineno, lines, start, end, operator, before, after, scope, key))


def _at(items: list[Any], index: int, other: Any) -> list[Any]:
    return [*items[:index], other, *items[index + 1 :]]


def _sides(node: ast.BinOp) -> tuple[ast.expr, ast.expr]:
    return node.left, node.right


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
