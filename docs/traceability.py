"""From each claim of the documentation to the test that shows it: ``docs/claims.yaml``, and ``docs/traceability.md``.

``python docs/refresh.py --generated`` writes the page with the others; ``python docs/traceability.py`` alone prints
what is wrong with the claims. Tests are looked up in the text of ``tests/``; none is run.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML

ROOT: Final = Path(__file__).resolve().parents[1]
CLAIMS: Final = ROOT / "docs" / "claims.yaml"
PAGE: Final = ROOT / "docs" / "traceability.md"
#: A life of the conformance suite is a test by its file, which these run on each engine.
LIVES: Final = "lives/"

HEAD: Final = """\
# Which test shows what is claimed

Generated from [`docs/claims.yaml`](claims.yaml) by `docs/refresh.py`. A test (`tests/test_traceability.py`) fails if a
claim no longer stands in its document, if a test that is named does not exist, or if this page is stale. Tests are in
[`tests/`](../tests); `lives/...` are hand-worked lives, which both engines walk. *Measured* is what no test can show in
reasonable time, with the command that measures it.
"""


@dataclass(frozen=True)
class Claim:
    """One claim: in words, where it stands, and the tests that show it or the command that measures it."""

    document: str
    words: str
    phrase: str
    tests: tuple[str, ...]
    measured: str

    @property
    def problems(self) -> Iterator[str]:
        """Say what is wrong with the claim, a line each."""
        about = f"{self.document}: {self.words}"
        if bool(self.tests) == bool(self.measured):
            yield f"{about}: needs either tests or the command that measures it"
        if plain(self.phrase) not in text_of(self.document):
            yield f"{about}: {self.phrase!r} does not stand there (any more)"
        for name in self.tests:
            if name not in known_tests():
                yield f"{about}: there is no test {name}"


def plain(text: str) -> str:
    """Return a text without its line breaks, so that a phrase may run over the end of a line."""
    return " ".join(text.split())


@cache
def text_of(document: str) -> str:
    """Return a document of the repository in one line."""
    return plain((ROOT / document).read_text(encoding="utf-8"))


@cache
def known_tests() -> frozenset[str]:
    """Return every test as ``file.py::test_name``, below ``tests/``, and every life."""
    folder = ROOT / "tests"
    names = {path.relative_to(folder).as_posix() for path in (folder / LIVES).rglob("*.yaml")}
    for path in folder.rglob("test_*.py"):
        for item in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(item, ast.FunctionDef) and item.name.startswith("test_"):
                names.add(f"{path.relative_to(folder).as_posix()}::{item.name}")
    return frozenset(names)


@cache
def claims() -> tuple[Claim, ...]:
    """Read the claims, in the order of the file."""
    documents = YAML(typ="safe").load(CLAIMS)
    return tuple(
        Claim(
            document=document,
            words=entry["claim"],
            phrase=entry["phrase"],
            tests=tuple(entry.get("tests", ())),
            measured=entry.get("measured", ""),
        )
        for document, entries in documents.items()
        for entry in entries
    )


def problems() -> list[str]:
    """Say what is wrong with the claims; nothing is agreement."""
    twice = [
        f"{document}: {phrase!r} is claimed more than once"
        for (document, phrase, _), number in Counter((c.document, plain(c.phrase), c.words) for c in claims()).items()
        if number > 1
    ]
    return twice + [problem for claim in claims() for problem in claim.problems]


def traceability_document() -> str:
    """Return the page, as Markdown."""
    shown = sum(bool(claim.tests) for claim in claims())
    measured = len(claims()) - shown
    lines = [HEAD, f"{len(claims())} claims: {shown} shown by tests, {measured} measured."]
    for document in dict.fromkeys(claim.document for claim in claims()):
        lines += ["", f"## [{document}](../{document})", "", "| claim | shown by |", "| --- | --- |"]
        lines += [f"| {claim.words} | {_evidence(claim)} |" for claim in claims() if claim.document == document]
    return "\n".join(lines) + "\n"


def _evidence(claim: Claim) -> str:
    if claim.measured:
        return f"*measured*: {claim.measured}"
    return "<br>".join(f"`{name.replace('::', ' ').removesuffix('.yaml')}`" for name in claim.tests)


if __name__ == "__main__":
    found = problems()
    print("\n".join(found) or "nothing is wrong")
    sys.exit(bool(found))
