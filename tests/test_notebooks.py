"""The notebooks: their form, and that what they show is what the program says."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbformat (extra dev) is not here")
pytest.importorskip("nbclient", reason="nbclient (extra dev) is not here")
pytest.importorskip("ipykernel", reason="ipykernel (extra dev) is not here")

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9]*.ipynb"))
#: A code host shows no larger ones, and nobody wants to clone them.
MOST_BYTES = 3_000_000


def refresh() -> Any:
    spec = importlib.util.spec_from_file_location("refresh_notebooks", FOLDER / "refresh.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def prose(notebook: Any) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def links(path: Path) -> list[str]:
    return re.findall(r"\]\(([^)#]+)[^)]*\)", prose(read(path)))


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def texts(cell: Any) -> list[str]:
    """What a cell says in words; pictures are looked at by people."""
    return [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]


def test_there_are_seven_in_order() -> None:
    assert [int(path.name[:2]) for path in NOTEBOOKS] == list(range(1, 8))
    assert sum(path.stat().st_size for path in NOTEBOOKS) < MOST_BYTES


def test_links_are_found() -> None:
    assert len([target for path in NOTEBOOKS for target in links(path)]) > 3


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestForm:
    def test_the_first_cell_says_what_it_is_about(self, path: Path) -> None:
        first = read(path).cells[0]
        assert first.cell_type == "markdown"
        assert first.source.startswith(f"# {int(path.name[:2])} · ")
        for said in ("**You will learn**", "**Time:**", "**You need:**"):
            assert said in first.source

    def test_it_ends_with_two_exercises_and_their_solutions(self, path: Path) -> None:
        notebook = read(path)
        exercises, _, solutions = prose(notebook).partition("## Exercises")[2].partition("## Solutions")
        for number in (1, 2):
            assert f"**{number}." in exercises
            assert f"**{number}.**" in solutions
        after = [cell.source.startswith("## Solutions") for cell in notebook.cells].index(True)
        assert sum(cell.cell_type == "code" for cell in notebook.cells[after:]) >= 2

    def test_it_was_executed_whole_and_without_an_error(self, path: Path) -> None:
        cells = code_cells(read(path))
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
        assert not [output for cell in cells for output in cell.outputs if output.output_type == "error"]
        assert not [output for cell in cells for output in cell.outputs if output.get("name") == "stderr"]

    def test_it_holds_nothing_of_the_moment_or_the_machine(self, path: Path) -> None:
        notebook = read(path)
        nbformat.validate(notebook)
        text = path.read_text(encoding="utf-8")
        refresh().tidied(notebook)
        assert text == nbformat.writes(notebook) + "\n"
        assert str(Path.home()) not in text
        assert str(ROOT) not in text

    def test_what_it_links_to_is_there(self, path: Path) -> None:
        for target in links(path):
            assert target.startswith("https://") or (FOLDER / target).exists(), target

    @pytest.mark.slow
    def test_executed_again_it_says_the_same(self, path: Path) -> None:
        stored, again = read(path), refresh().executed(read(path))
        for before, after in zip(code_cells(stored), code_cells(again), strict=True):
            assert texts(after) == texts(before), f"{path.name}, {before.id}; python notebooks/refresh.py"
        pictures = [["image/png" in output.get("data", {}) for output in cell.outputs] for cell in code_cells(again)]
        assert any(any(cell) for cell in pictures)
