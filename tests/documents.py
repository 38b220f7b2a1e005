"""What the README and the pages of ``docs/`` show as code: blocks, commands, and files."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")))

_BLOCK = re.compile(r"^( *)```(\w*)(?: title=\"([^\"]+)\")?\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_NAMED = re.compile(r"# (\S+\.(?:yaml|py))\n")
_INDENTED = re.compile(r"^ {4,}((?:blinasim|python) .+)$", re.MULTILINE)
_INLINE = re.compile(r"`(blinasim [^`]+)`")
_REPEATED = re.compile(r"<!-- readme: (.+?) -->")


@dataclass(frozen=True)
class Block:
    """A fenced block of code; ``name`` is the file that it is said to be, if any."""

    page: str
    language: str
    name: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command line as it is shown; ``into`` is the file that takes its output."""

    page: str
    words: tuple[str, ...]
    into: str = ""

    def __str__(self) -> str:
        return f"{self.page}: {shlex.join(self.words)}"


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    found = []
    for indent, language, title, text in _BLOCK.findall(text_of(page)):
        lines = "".join(line.removeprefix(indent) for line in text.splitlines(keepends=True))
        named = _NAMED.match(lines)
        found.append(Block(page, language, title or (named[1] if named else ""), lines))
    return found


def files_of(page: str) -> dict[str, str]:
    """The files that a page shows by name; those of the README too where the page repeats a part of it."""
    sources = ["README.md", page] if _REPEATED.search(text_of(page)) else [page]
    return {block.name: block.text for source in sources for block in blocks(source) if block.name}


def commands(page: str) -> list[Command]:
    """Every command line in a block of shell, after a prompt, or in an indented block."""
    lines = []
    for block in blocks(page):
        if block.language == "sh":
            lines += block.text.replace("\\\n", " ").splitlines()
        elif block.language == "text":
            lines += re.findall(r"^\$ (.+)$", block.text, flags=re.MULTILINE)
    lines += _INDENTED.findall(_BLOCK.sub("", text_of(page)))
    return [command for line in lines for command in _commands(page, line)]


def inline_commands(page: str) -> list[Command]:
    """Every ``blinasim ...`` in a sentence or a table; it may hold words that stand for others."""
    return [Command(page, tuple(line.split())) for line in _INLINE.findall(_BLOCK.sub("", text_of(page)))]


def _commands(page: str, line: str) -> list[Command]:
    found: list[Command] = []
    words: list[str] = []
    for word in [*shlex.split(line, comments=True), "&&"]:
        if word != "&&":
            words.append(word.removeprefix(".venv/bin/"))
            continue
        into = words[words.index(">") + 1] if ">" in words else ""
        kept = words[: words.index(">")] if ">" in words else words
        found += [Command(page, tuple(kept), into)] if kept else []
        words = []
    return found
