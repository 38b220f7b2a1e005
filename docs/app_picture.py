"""Make docs/images/app.png: start the page, open it in headless Chromium, and take its picture."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

_PORT = 8599


def main() -> None:
    page = subprocess.Popen(
        [sys.executable, "-m", "blinasim", "app", "--port", str(_PORT), "--no-browser"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert page.stdout is not None
        page.stdout.readline()
        with sync_playwright() as started:
            browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            visit = browser.new_page(viewport={"width": 1280, "height": 860})
            visit.goto(f"http://127.0.0.1:{_PORT}")
            visit.locator("table.figures").wait_for(timeout=60_000)
            visit.wait_for_timeout(500)
            visit.screenshot(path=Path(__file__).parent / "images" / "app.png")
            browser.close()
    finally:
        page.send_signal(signal.SIGINT)
        page.wait()


if __name__ == "__main__":
    main()
