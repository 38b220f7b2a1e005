"""ARCHITECTURE.md is true of the code: its rooms, in their order, and every file that it names."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def test_the_rooms_are_the_layers_of_the_import_contract() -> None:
    """Top room first; those that stand in one row may not import each other."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    table = PAGE.partition("| room of `src/blinasim/` | holds |")[2].partition("\n\n")[0]
    rooms = [re.findall(r"`(\w+)/?`", line.split("|")[1]) for line in table.splitlines()[2:]]
    assert [sorted(row) for row in rooms] == [sorted(re.split(r"\W+", layer)) for layer in layers]


def test_every_room_is_in_the_picture() -> None:
    picture = PAGE.partition("```text")[2].partition("```")[0]
    for room in (ROOT / "src" / "blinasim").iterdir():
        if room.is_dir() and room.name not in ("statistics", "files", "__pycache__", "data"):
            assert f"{room.name}/" in picture, room.name


def test_every_file_that_is_named_is_there() -> None:
    named = re.findall(r"`((?:src|tests|docs|calibration|scenarios|engine)/[\w./]+)`", PAGE)
    assert len(named) > 15
    for name in named:
        there = ROOT / name if not name.startswith("engine") else ROOT / "src" / "blinasim" / name
        assert there.exists(), name


def test_the_steps_name_what_is_in_those_files() -> None:
    for place, name in (
        ("trial/endpoint_table.py", "ENDPOINTS: "),
        ("model/therapy.py", "def acts"),
        ("model/chart.py", "class Charts"),
        ("scenario/settings/policy.py", "class Candidates"),
    ):
        assert name in (ROOT / "src" / "blinasim" / place).read_text(encoding="utf-8")


def test_it_is_one_page() -> None:
    assert len(PAGE.splitlines()) <= 110


def test_no_file_is_long() -> None:
    """A file above this holds more than one idea: split it by idea, not by lines."""
    most = 400
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / "src").rglob("*.py")}
    assert len(lines) > 200
    long = [f"{path.relative_to(ROOT)} has {count} lines" for path, count in sorted(lines.items()) if count > most]
    assert not long, f"above {most} lines: {', '.join(long)}"
