"""Supply and privacy: what is installed is locked and listed; nothing goes out, and nothing is read or run unasked."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import blinasim
from blinasim.cli.main import _run

ROOT = Path(__file__).resolve().parents[1]
SOURCE = Path(blinasim.__file__).parent


def _lock() -> Any:
    spec = importlib.util.spec_from_file_location("lock", ROOT / "docs" / "lock.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


lock = _lock()

# --- lock and bill ----------------------------------------------------------------------------------------------------


def test_the_lock_is_of_the_constraints() -> None:
    """Run ``python docs/lock.py`` where this fails."""
    text = lock.LOCK.read_text(encoding="utf-8")
    wanted = lock.pins(lock.CONSTRAINTS.read_text(encoding="utf-8"))
    assert {name: version for name, (version, _) in lock.locked(text).items()} == wanted
    assert len(wanted) > 100
    assert all(hashes for _, hashes in lock.locked(text).values())


def test_the_lock_names_no_registry() -> None:
    text = lock.LOCK.read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^--", text, re.MULTILINE)


def test_the_bill_of_materials_is_current() -> None:
    """Run ``python docs/lock.py`` where this fails; licences stand in the bill alone."""
    there = json.loads(lock.SBOM.read_text(encoding="utf-8"))
    licences = {
        one["name"]: one["licenses"][0]["license"]["name"] if one["licenses"] else None for one in there["components"]
    }
    assert lock.bill(lock.LOCK.read_text(encoding="utf-8"), blinasim.__version__, licences) == there
    assert lock.SBOM.read_text(encoding="utf-8") == lock.written(there)


def test_the_bill_of_materials_is_cyclonedx() -> None:
    """The essentials of the schema, of version 1.6."""
    bill = json.loads(lock.SBOM.read_text(encoding="utf-8"))
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    components = bill["components"]
    assert len({one["bom-ref"] for one in [*components, bill["metadata"]["component"]]}) == len(components) + 1
    for one in components:
        assert one["type"] == "library"
        assert one["purl"] == f"pkg:pypi/{one['name']}@{one['version']}"
        assert re.fullmatch(r"pkg:pypi/[a-z0-9-]+@[^\s@]+", one["purl"])
        assert all(re.fullmatch(r"[0-9a-f]{64}", item["content"]) for item in one["hashes"])
        assert all(item["alg"] == "SHA-256" for item in one["hashes"])
    without = [one["name"] for one in components if not one["licenses"]]
    assert without == []


# --- nothing goes out -------------------------------------------------------------------------------------------------

#: Raises where anybody looks up a name or connects to another machine.
ALONE = """
import socket
def refuse(what, original):
    def refused(*arguments, **named):
        address = arguments[-1] if what == "connect" else arguments
        if isinstance(address, (str, bytes)) or (address and address[0] in ("127.0.0.1", "::1", "localhost")):
            return original(*arguments, **named)
        raise SystemExit(f"NETWORK: {what} {address}")
    return refused
socket.getaddrinfo = refuse("getaddrinfo", socket.getaddrinfo)
class Socket(socket.socket):
    connect = refuse("connect", socket.socket.connect)
    connect_ex = refuse("connect", socket.socket.connect_ex)
socket.socket = Socket
"""
COMMANDS = (
    ("list",),
    ("schema",),
    ("show", "baseline"),
    ("trace", "baseline", "--patient", "3"),
    ("run", "baseline", "--replications", "2", "--workers", "2"),
    ("compare", "baseline", "haplo_first", "--replications", "2"),
    ("validate", "--replications", "40"),
    ("trial", "single_arm_exact", "--replications", "2"),
)


def without_a_network() -> list[str]:
    """What makes a process that has no network, not even to this machine; nothing where that cannot be had."""
    unshare = shutil.which("unshare")
    for rights in ([], ["--user", "--map-root-user"]):
        command = [unshare or "", *rights, "--net"]
        if unshare and subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
            return command
    return []


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_no_command_needs_or_tries_a_network(command: tuple[str, ...], tmp_path: Path) -> None:
    code = f"{ALONE}\nfrom blinasim.cli.main import main\nmain()"
    done = subprocess.run(
        [*without_a_network(), sys.executable, "-c", code, *command],
        cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_the_guard_against_the_network_works() -> None:
    code = f"{ALONE}\nimport urllib.request\nurllib.request.urlopen('http://192.0.2.1/', timeout=1)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "NETWORK: " in done.stderr


def test_the_page_is_for_this_computer_and_takes_little() -> None:
    from blinasim.cli.app import _OPTIONS

    assert _OPTIONS["server.address"] == _OPTIONS["browser.serverAddress"] == "127.0.0.1"
    assert int(_OPTIONS["server.maxUploadSize"]) <= 50
    assert _OPTIONS["browser.gatherUsageStats"] == "false"
    assert _OPTIONS["server.enableXsrfProtection"] == _OPTIONS["server.enableCORS"] == "true"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only there is every address that begins with 127 this computer's")
def test_the_page_answers_at_one_address_alone(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "blinasim", "app", "--no-browser", "--port", str(port)]
    page = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        assert page.stdout is not None
        assert page.stdout.readline().startswith(f"blinasim app: http://127.0.0.1:{port}")
        answers = {}
        for address in ("127.0.0.1", "127.0.0.2"):
            with socket.socket() as asking:
                answers[address] = asking.connect_ex((address, port)) == 0
        assert answers == {"127.0.0.1": True, "127.0.0.2": False}
    finally:
        page.terminate()
        page.communicate(timeout=30)


# --- nothing is read or run unasked -----------------------------------------------------------------------------------


def imported(path: Path) -> set[str]:
    """All modules that a file imports, wherever in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    whole = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return whole | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}


def test_nothing_is_unpickled_from_a_file() -> None:
    sources = list(SOURCE.rglob("*.py"))
    assert any("np.load(" in path.read_text(encoding="utf-8") for path in sources)
    for path in sources:
        roots = {name.partition(".")[0] for name in imported(path)}
        assert not roots & {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}, path
        text = path.read_text(encoding="utf-8")
        assert "read_pickle" not in text, path
        assert "allow_pickle=True" not in text, path
        assert text.count("np.load(") == text.count("allow_pickle=False") - text.count("np.savez("), path


def test_code_is_run_in_one_place_alone() -> None:
    """``--policy`` is the one way in."""
    calls = {
        (path.relative_to(SOURCE).as_posix(), node.func.id)
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in ("exec", "eval", "compile", "__import__")
    }
    assert calls == {("model/policy_file.py", "exec"), ("model/policy_file.py", "compile")}


def test_a_scenario_cannot_name_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'owned')!r}, 'w')\nclass Mine: pass\n")
    for setting in ("policy: mine.py:Mine", "policy: {file: mine.py}", "policy: {own: mine.py:Mine}"):
        (tmp_path / "s.yaml").write_text(f"extends: baseline\n{setting}\n")
        assert _run(["run", str(tmp_path / "s.yaml"), "--replications", "1", "--out", str(tmp_path / "r")]) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.py", "s.yaml"]
    assert capsys.readouterr().err.count("\n") == 3


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*")}


@pytest.mark.slow
def test_nothing_is_written_outside_the_results_folder(tmp_path: Path) -> None:
    """Not in the working folder, not at home, not where temporary files go, not in the package."""
    here, home, scratch = (tmp_path / name for name in ("here", "home", "scratch"))
    for folder in (here, home, scratch):
        folder.mkdir()
    (here / "s.yaml").write_text("extends: baseline\n")
    places = {"HOME": str(home), "TMPDIR": str(scratch), "MPLCONFIGDIR": str(tmp_path / "fonts")}
    environment = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")} | places
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    package = tree(SOURCE)
    for command in (
        ["run", "s.yaml", "--replications", "2", "--out", "../out/r"],
        ["compare", "baseline", "haplo_first", "--replications", "2", "--out", "../out/c"],
        ["rerun", "../out/r"],
        ["show", "s.yaml"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "blinasim", *command],
            cwd=here, env=environment, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["c", "r"]
    assert list(tree(here)) == ["s.yaml"]
    assert tree(home) == tree(scratch) == {}
    assert tree(SOURCE) == package
