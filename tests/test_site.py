"""The documentation site: what is made for it from code and data, and the built pages in a browser."""

from __future__ import annotations

import functools
import importlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from blinasim.cli.main import app
from blinasim.model.catalogue import parameter_catalogue
from blinasim.model.codes import Event
from blinasim.scenario.settings import Scenario
from documents import PAGES, ROOT, text_of


def of_docs(name: str) -> ModuleType:
    """Import a program of ``docs/``."""
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(ROOT / "docs"))


# --- parts --------------------------------------------------------------------------------------------------


def test_every_part_is_asked_for_and_every_asking_has_a_part() -> None:
    asked = {name for page in PAGES for name in re.findall(r"<!-- part: (\w+) -->", text_of(page))}
    assert asked == set(of_docs("parts").PARTS)


def test_every_parameter_is_told_with_its_source() -> None:
    told = of_docs("parts").PARTS["parameters"]()
    for name, info in parameter_catalogue().items():
        assert f"### `{name}`" in told
        assert info.grade in told
        assert of_docs("parts").plain(info.source) in told


def test_the_order_of_a_day_is_that_of_the_events() -> None:
    rows = of_docs("parts").PARTS["order_of_a_day"]().splitlines()[2:]
    assert [row.split(" | ")[1].replace(" ", "_").upper() for row in rows] == [event.name for event in Event]


def test_every_setting_has_a_row() -> None:
    told = of_docs("parts").PARTS["scenario_settings"]()
    for block, known in Scenario.model_fields.items():
        assert f"`{block}`" in told
        for name in getattr(known.annotation, "model_fields", {}):
            assert f"`{name}" in told, f"{block}.{name}"
    assert "`transplant.candidates.max_age_years` | `75` | a whole number from 0 to 120" in told


def test_a_block_in_a_list_shows_its_settings() -> None:
    told = of_docs("parts").PARTS["design_settings"]()
    assert "| `when.events` |" in told
    assert "| `when.all_of` |" in told
    assert "`when.all_of.N.all_of.N" not in told


def test_every_command_is_told_with_its_options() -> None:
    told = of_docs("parts").PARTS["commands"]()
    for command in app.registered_commands:
        assert f"\n## {command.name}\n" in told
    assert "| `--replications <int range>` | Simulated trials." in told


# --- the check ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        ('<a href="other.html#there">x</a><a href="https://example.org">x</a><img src="dot.svg">', ""),
        ('<a href="nowhere.html">x</a>', "a.html: links to nowhere.html, which is not there"),
        ('<a href="other.html#gone">x</a>', "a.html: links to other.html#gone, an anchor that is not there"),
        ('<img src="gone.png">', "a.html: links to gone.png, which is not there"),
        ('<script src="https://cdn.example.org/x.js"></script>', "a.html: loads https://cdn.example.org/x.js"),
        ('<link rel="stylesheet" href="//fonts.example.org/x">', "a.html: loads //fonts.example.org/x"),
        ('<link rel="canonical" href="https://example.org/a">', ""),
    ],
)
def test_the_check_finds_what_is_broken_or_fetched(page: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(page, encoding="utf-8")
    (tmp_path / "other.html").write_text('<h2 id="there">x</h2>', encoding="utf-8")
    (tmp_path / "dot.svg").write_text("<svg/>", encoding="utf-8")
    assert of_docs("check_site").faults(tmp_path) == ([fault] if fault else [])


def test_the_check_finds_styles_that_fetch(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("", encoding="utf-8")
    (tmp_path / "a.css").write_text("@import url(https://fonts.example.org/x)", encoding="utf-8")
    assert of_docs("check_site").faults(tmp_path) == ["a.css: loads from elsewhere"]


# --- the built site -----------------------------------------------------------------------------------------


@functools.cache
def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("material", reason="the extra docs is not installed")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


@pytest.mark.slow
def test_the_built_site_is_whole_and_fetches_nothing(site: Path) -> None:
    assert of_docs("check_site").faults(site) == []


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if chromium() is None:
        pytest.skip("Chromium is not here")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=chromium())
        yield opened
        opened.close()


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
def test_pages_open_from_the_disk_without_an_error(site: Path, browser: object, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})  # type: ignore[attr-defined]
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda asked: faults.append(asked.url) if asked.url.startswith("http") else None)
    # The page for what is not found names its files from the root of a server.
    for file in sorted(set(site.rglob("*.html")) - {site / "404.html"}):
        page.goto(file.as_uri())
        if page.evaluate("document.documentElement.scrollWidth") > width:
            faults.append(f"{file.relative_to(site)}: wider than the window")
    assert faults == []


@pytest.mark.slow
def test_the_search_works_from_the_disk(site: Path, browser: object) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})  # type: ignore[attr-defined]
    page.goto((site / "index.html").as_uri())
    page.click(".md-search__input")
    page.keyboard.type("immortal")
    page.wait_for_selector(".md-search-result__item")
    assert "effect.html" in page.inner_html(".md-search-result__list")
