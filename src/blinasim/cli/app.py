"""``blinasim app``: the teaching page, in a browser on this computer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import subprocess

#: The only address that the page answers at: this computer.
_ADDRESS = "127.0.0.1"
#: Colours are the figures' own; the font is one that comes with Streamlit.
_OPTIONS = {
    "server.address": _ADDRESS,
    "server.headless": "true",  # no question about an e-mail address; the browser is opened here
    "server.fileWatcherType": "none",
    "server.maxUploadSize": "1",
    "server.enableCORS": "true",
    "server.enableXsrfProtection": "true",
    "browser.serverAddress": _ADDRESS,
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showSidebarNavigation": "false",
    "runner.magicEnabled": "false",
    "logger.level": "error",
    "theme.base": "light",
    "theme.primaryColor": "#00548A",
    "theme.textColor": "#1A1A1A",
    "theme.secondaryBackgroundColor": "#F4F6F8",
    "theme.font": "sans-serif",
}


def app(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this computer.")] = 8501,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
) -> None:
    """Explore policies, patients, trials and designs in a page in the browser."""
    import subprocess
    import sys
    from importlib.util import find_spec

    from blinasim.errors import BlinasimError

    if find_spec("streamlit") is None:
        raise BlinasimError("the page needs Streamlit; install it with: pip install 'blinasim[app]'")
    _check_free(port)
    options = {**_OPTIONS, "server.port": str(port)}
    command = [sys.executable, "-m", "streamlit", "run", str(_page())]
    page = subprocess.Popen(
        [*command, *(f"--{name}={value}" for name, value in options.items())], stdout=subprocess.DEVNULL
    )
    try:
        if _answers(port, page):
            address = f"http://{_ADDRESS}:{port}"
            typer.echo(f"blinasim app: {address} (on this computer only; Ctrl-C ends it)")
            if not no_browser:
                import webbrowser

                webbrowser.open(address)
        code = page.wait()
    except KeyboardInterrupt:
        code = 0
    finally:
        _end(page)
    if code:
        raise BlinasimError(f"the page ended by itself (exit code {code}); what it said stands above")
    typer.echo("blinasim app: ended")


def _page() -> Path:
    """Return the page's script, without importing it."""
    from blinasim import __file__ as package

    return Path(package).parent / "app" / "main.py"


def _check_free(port: int) -> None:
    import socket

    from blinasim.errors import BlinasimError

    with socket.socket() as ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            ours.bind((_ADDRESS, port))
        except OSError:
            raise BlinasimError(f"port {port} is taken or may not be used; choose another with --port") from None


def _answers(port: int, page: subprocess.Popen[bytes]) -> bool:
    """Wait until the page answers, and say whether it does; it does not if it has ended."""
    import socket
    import time

    while page.poll() is None:
        with socket.socket() as ours:
            if ours.connect_ex((_ADDRESS, port)) == 0:
                return True
        time.sleep(0.1)
    return False


def _end(page: subprocess.Popen[bytes]) -> None:
    """Let the page end as after Ctrl-C, and make sure that it does."""
    import signal
    import subprocess

    if page.poll() is None:
        page.send_signal(signal.SIGTERM)
        try:
            page.wait(timeout=5)
        except subprocess.TimeoutExpired:
            page.kill()
            page.wait()
