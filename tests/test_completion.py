"""What the shell offers at TAB, and the scripts that make it ask."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from blinasim.files import shipped_scenarios


def blinasim(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "blinasim", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=os.environ | environment,
        check=False,
    )


def offered(line: str, cwd: Path) -> list[str]:
    """Return what bash is offered with the cursor at the end of ``line``."""
    done = blinasim(
        cwd=cwd, _BLINASIM_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(line.split(" ")) - 1)
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.fixture
def on_path(tmp_path: Path) -> str:
    """Return a PATH on which ``blinasim`` is the one under test."""
    command = tmp_path / "bin" / "blinasim"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m blinasim "$@"\n')
    command.chmod(0o755)
    return f"{command.parent}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("shell", "text"), [("bash", "complete -o default -F"), ("zsh", "#compdef"), ("fish", "complete --command")]
)
def test_the_script_is_that_of_the_shell_named(shell: str, text: str) -> None:
    done = blinasim("--show-completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert text in done.stdout
    assert f"_BLINASIM_COMPLETE=complete_{shell}" in done.stdout


def test_installing_writes_below_the_home_folder_for_the_shell_named(tmp_path: Path) -> None:
    done = blinasim("--install-completion", "fish", HOME=str(tmp_path), USERPROFILE=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["blinasim.fish"]


def test_an_unknown_shell_is_one_line() -> None:
    done = blinasim("--show-completion", "tcsh")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("blinasim: ")
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_commands_are_offered(tmp_path: Path) -> None:
    assert offered("blinasim sh", tmp_path) == ["show"]


@pytest.mark.parametrize("command", ["run", "trace", "show"])
def test_scenarios_are_offered_the_shipped_ones_and_those_of_this_folder(command: str, tmp_path: Path) -> None:
    (tmp_path / "early.yaml").touch()
    assert offered(f"blinasim {command} ", tmp_path) == [*shipped_scenarios(), "early.yaml"]
    assert offered(f"blinasim {command} older", tmp_path) == ["older_cohort"]
    assert offered(f"blinasim {command} ear", tmp_path) == ["early_donor_search", "early.yaml"]
    assert offered(f"blinasim {command} ./ea", tmp_path) == []  # the shell completes paths by itself


@pytest.mark.parametrize(
    ("shell", "asked"),
    [("zsh", "_arguments '*: :((\"older_cohort\"))'"), ("fish", "older_cohort")],
)
def test_zsh_and_fish_are_offered_scenarios_in_their_own_words(shell: str, asked: str, tmp_path: Path) -> None:
    done = blinasim(
        cwd=tmp_path,
        _BLINASIM_COMPLETE=f"complete_{shell}",
        _TYPER_COMPLETE_ARGS="blinasim show older",
        _TYPER_COMPLETE_FISH_ACTION="get-args",
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, asked, "")


def test_pressing_tab_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from blinasim.cli.completion import scenario_names; import blinasim.cli.main;"
        "assert 'baseline' in scenario_names('');"
        "heavy = {'numpy', 'scipy', 'pandas', 'lifelines', 'matplotlib', 'simpy', 'pydantic', 'ruamel'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_itself_completes_a_scenario(on_path: str, tmp_path: Path) -> None:
    script = (
        'eval "$(blinasim --show-completion bash)"; complete -p blinasim;'
        'COMP_WORDS=(blinasim run older); COMP_CWORD=2; _blinasim_completion blinasim; echo "${COMPREPLY[*]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PATH": on_path},
        check=True,
    )
    assert done.stdout.splitlines() == ["complete -o default -F _blinasim_completion blinasim", "older_cohort"]
    assert done.stderr == ""


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish here")
def test_fish_itself_completes_a_scenario(on_path: str, tmp_path: Path) -> None:
    script = 'blinasim --show-completion fish | source; complete -C "blinasim run older"'
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PATH": on_path},
        check=True,
    )
    assert done.stdout.split() == ["older_cohort"]
