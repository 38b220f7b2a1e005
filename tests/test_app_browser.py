"""The page as a user has it: ``blinasim app`` driven in headless Chromium, at the widths of a phone and of a desk."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest

from blinasim.api import load_scenario

pytestmark = pytest.mark.slow
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
Axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe
pytest.importorskip("streamlit", reason="the extra app is not installed")

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
PAGES = (
    "Explore a policy", "A patient's story", "What the trial saw", "The transplant illusion", "Design a trial",
    "About and cite",
)  # fmt: skip
WIDTHS = {"desk": (1280, 900), "phone": (390, 844)}
BAD = "extends: baseline\npolicy:\n  donr_search: {starts: enrolment}\n"
GOOD = "extends: baseline\ntitle: Mine\npolicy: {transplant: {preparation_days: 77}}\n"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the command once; end it as Ctrl-C does, and see that it ends well."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = subprocess.Popen(
        [sys.executable, "-m", "blinasim", "app", "--port", str(port), "--no-browser"],
        cwd=tmp_path_factory.mktemp("app"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert started.stdout is not None
    said = started.stdout.readline()
    assert said == f"blinasim app: http://127.0.0.1:{port} (on this computer only; Ctrl-C ends it)\n"
    yield f"http://127.0.0.1:{port}"
    begin = time.monotonic()
    started.send_signal(signal.SIGINT)
    out, errors = started.communicate(timeout=20)
    assert started.returncode == 0
    assert out == "blinasim app: ended\n"
    assert "Traceback" not in errors
    assert time.monotonic() - begin < 15
    with socket.socket() as freed:
        assert freed.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is here")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield opened
        opened.close()


class Visit:
    """A visitor of the page, and what went wrong on the way."""

    def __init__(self, browser: Any, address: str, width: str) -> None:
        across, down = WIDTHS[width]
        self.page = browser.new_context(viewport={"width": across, "height": down}).new_page()
        self.page.set_default_timeout(30_000)
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(f"page error: {error}"))
        self.page.on(
            "console", lambda said: self.wrong.append(f"console: {said.text}") if said.type == "error" else None
        )
        self.page.on("request", lambda asked: self._heard(asked.url))
        self.page.goto(address)
        self.settled(PAGES[0])

    def _heard(self, url: str) -> None:
        if urlparse(url).scheme in ("http", "https", "ws", "wss") and urlparse(url).hostname != "127.0.0.1":
            self.wrong.append(f"request to {url}")

    def open(self, title: str) -> None:
        self.page.get_by_role("link", name=title, exact=True).click()
        self.settled(title)

    def settled(self, title: str) -> None:
        self.page.get_by_role("heading", name=title, exact=True, level=1).wait_for()
        self.at_rest()
        if title != PAGES[-1]:
            self.page.locator(".answer").wait_for()

    def at_rest(self) -> None:
        self.page.wait_for_function(
            "document.querySelector('[data-testid=stApp]').dataset.testScriptState == 'notRunning'"
        )

    @property
    def answer(self) -> str:
        return str(self.page.locator(".answer").inner_text())

    def changed(self, before: str) -> str:
        """Wait until the answer is another one."""
        self.page.wait_for_function(
            "before => (document.querySelector('.answer') || {}).innerText != before"
            " && document.querySelector('.answer') != null",
            arg=before,
        )
        self.at_rest()
        return self.answer

    def press(self, label: str, key: str) -> str:
        """Move a slider by the keyboard, and return the new answer."""
        before = self.answer
        thumb = self.page.get_by_test_id(re.compile("^st(Select)?Slider$")).filter(has_text=label).get_by_role("slider")
        thumb.focus()
        thumb.press(key)
        return self.changed(before)

    def is_well(self) -> None:
        assert self.wrong == []
        assert self.page.get_by_test_id("stException").count() == 0
        # What a rerun has replaced fades; a fading text has little contrast.
        # Fades are over; what turns for ever, such as a sign that something runs, is not waited for.
        self.page.wait_for_function(
            "!document.querySelector('[data-stale=true]') && !document.getAnimations().some("
            "one => one.playState === 'running' && one.effect.getComputedTiming().endTime !== Infinity)",
            timeout=90_000,
        )
        found = Axe().run(self.page).response["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
        main = "document.querySelector('[data-testid=stMain]')"
        assert self.page.evaluate(f"{main}.scrollWidth - {main}.clientWidth") <= 0


@pytest.fixture(params=WIDTHS)
def visit(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Visit]:
    made = Visit(browser, address, request.param)
    yield made
    made.page.context.close()


def test_every_page_opens_and_answers_a_slider_moved_by_the_keyboard(visit: Visit) -> None:
    assert "alive at 24 months" in visit.answer
    pictures = visit.page.locator("img[alt*='24 months']")
    assert pictures.count() == 2
    visit.press("Haploidentical donor from day", "Home")
    visit.is_well()

    visit.open("A patient's story")
    before = visit.page.get_by_text(re.compile(r"^Patient \d+ of trial \d+")).inner_text()
    visit.page.get_by_role("button", name="Take another").click()
    visit.page.get_by_text("this is number 2").wait_for()
    visit.page.wait_for_function("before => !document.body.innerText.includes(before)", arg=before)
    visit.is_well()

    visit.open("What the trial saw")
    first = visit.answer
    follow_up = [float(re.findall(r"With (\d+\.\d)", text)[0]) for text in (first, visit.press("Data cut-off", "End"))]
    assert follow_up[0] + 12 < follow_up[1]
    visit.is_well()

    visit.open("The transplant illusion")
    assert "HSCT does nothing" in visit.answer
    before = visit.answer
    visit.page.get_by_text("what the model says").click()
    assert "true gain" in visit.changed(before)
    visit.is_well()

    visit.open("Design a trial")
    assert "succeed" in visit.press("Patients", "Home")
    visit.is_well()

    visit.open("About and cite")
    visit.page.get_by_text("Not for decisions about patients").wait_for()
    visit.page.get_by_text(re.compile(r"\d+ of \d+ parameters are assumptions")).wait_for()
    visit.is_well()


def test_a_bad_file_is_refused_in_the_command_line_s_words_and_a_good_one_is_taken(
    browser: Any, address: str, tmp_path: Path
) -> None:
    visit = Visit(browser, address, "desk")
    bad, good = tmp_path / "bad.yaml", tmp_path / "good.yaml"
    bad.write_text(BAD)
    good.write_text(GOOD)
    said = subprocess.run(
        [sys.executable, "-m", "blinasim", "show", "bad.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    visit.page.get_by_text("Or from a file of yours").click()
    visit.page.locator("input[type=file]").set_input_files(bad)
    shown = visit.page.get_by_test_id("stCode").filter(has_text="bad.yaml")
    shown.wait_for()
    assert (
        shown.inner_text().strip()
        == said.stderr.strip()
        == ("blinasim: bad.yaml:3:3: policy.donr_search: no such setting; did you mean donor_search?")
    )
    visit.page.get_by_text("is not this file: it is still the scenario early_donor_search").wait_for()
    before = visit.answer
    visit.page.locator("input[type=file]").set_input_files(good)
    visit.changed(before)
    visit.page.get_by_text("Transplant", exact=True).click()
    slider = visit.page.get_by_test_id("stSlider").filter(has_text="Preparation, days").get_by_role("slider")
    assert slider.input_value() == "77"
    assert visit.page.get_by_test_id("stCode").count() == 0
    visit.is_well()
    visit.page.context.close()


def test_a_scenario_downloads_and_loads_as_it_stands_on_the_page(browser: Any, address: str, tmp_path: Path) -> None:
    visit = Visit(browser, address, "phone")
    visit.press("Cord blood from day", "End")
    with visit.page.expect_download() as asked:
        visit.page.get_by_role("button", name="Download this scenario").click()
    path = tmp_path / asked.value.suggested_filename
    asked.value.save_as(path)
    assert path.name == "early_donor_search_changed.yaml"
    scenario = load_scenario(path)
    usual = load_scenario("early_donor_search").policy
    accepted = {donor: day for donor, day in usual.donor_search.accept_from_day.items() if donor != "cord"}
    assert scenario.policy.donor_search.accept_from_day == accepted
    assert scenario.policy.transplant == usual.transplant
    assert scenario.policy.donor_search.starts == "enrolment"
    assert scenario.title == f"{load_scenario('early_donor_search').title}, changed"
    assert "accept_from_day" in scenario.why
    visit.is_well()
    visit.page.context.close()
