"""Every command, file and line of Python that the README and ``docs/`` show does what it is shown for.

Commands run page by page in the order of the page, as they stand there but for smaller trials.
"""

from __future__ import annotations

import re
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer.main
from typer.exceptions import TyperException

import blinasim as bs
from blinasim.cli.main import _run, app
from blinasim.errors import ScenarioError
from blinasim.files import read_yaml
from blinasim.inference.calibrate import Conduct, calibrate
from blinasim.inference.posterior import Posterior
from blinasim.inference.sampler import Effort
from blinasim.inference.sensitivity import Effort as Samples
from blinasim.scenario.settings import Payoffs
from documents import PAGES, ROOT, Block, Command, blocks, commands, files_of, inline_commands, text_of
from posteriors import small_posterior

SHOWN = [command for page in PAGES for command in commands(page)]
GROUP = typer.main.get_command(app)
COMMANDS: dict[str, Any] = GROUP.commands  # type: ignore[attr-defined]

#: What is shown and not run here, by how it begins, and why.
NOT_RUN = {
    ("python3", "-m", "venv"): "the README's two commands are run word for word by .ci/run",
    ("pip", "install"): "needs a registry; .ci/run installs so",
    ("python", "-m", "pytest"): "is what runs this",
    ("mkdocs", "serve"): "serves until it is stopped; .ci/run builds the site",
}
#: Commands that do not come to an end: only asked what they can do; tests of their own start and stop them.
ENDLESS = ("app",)
#: Trials in place of those shown or usual; enough for every table and figure.
TRIALS = {
    "run": 20, "compare": 20, "validate": 20, "effect": 8, "trial": 40, "optimize": 40, "value": 400, "calibrate": 20,
}  # fmt: skip
SMALL_COHORT = ("run", "compare", "optimize", "value")
TINY = Conduct(Effort(particles=24, moves=1, final_sweeps=4, kept_sweeps=2), 16, 12, 16, 12)


def complete(command: Command) -> bool:
    """Whether a command of a sentence could be typed as it stands: it names all that it needs, and no placeholder."""
    name = command.words[1] if len(command.words) > 1 else ""
    if name not in COMMANDS or any(re.search(r"\.\.\.|\b[A-Z]+\b", word) for word in command.words):
        return False
    try:
        COMMANDS[name].make_context(name, list(command.words[2:]))
    except TyperException:
        return False
    return True


def options_of(name: str) -> set[str]:
    return {option for param in COMMANDS[name].params for option in param.opts if option.startswith("--")}


def not_run(command: Command) -> bool:
    return any(command.words[: len(begin)] == begin for begin in NOT_RUN)


def programs(page: str) -> list[str]:
    """The programs of this repository that a page names in its sentences."""
    return re.findall(r"`python ((?:docs|benchmarks)/\w+\.py)", text_of(page))


# --- what is shown exists ---------------------------------------------------------------------------------------------


def test_there_are_commands_and_no_exception_is_idle() -> None:
    assert len([command for command in SHOWN if command.words[0] == "blinasim"]) > 40
    assert len([command for page in PAGES for command in inline_commands(page)]) > 40
    assert len([path for page in PAGES for path in programs(page)]) > 3
    assert {block.language for block in FILES} == {"yaml", "python"}
    for begin in NOT_RUN:
        assert any(command.words[: len(begin)] == begin for command in SHOWN), begin


@pytest.mark.parametrize("command", SHOWN, ids=str)
def test_a_command_shown_is_run_or_a_named_exception(command: Command) -> None:
    if not_run(command):
        return
    assert command.words[0] == "blinasim", "neither run by this file nor among its exceptions"
    if command.words[1].startswith("--"):
        assert command.words[1] in {option for param in GROUP.params for option in param.opts}
        return
    # Reads names, numbers and choices as the command itself would, and stops there.
    COMMANDS[command.words[1]].make_context(command.words[1], list(command.words[2:]))


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_sentences_have_the_options_that_they_name(page: str) -> None:
    own = {option for param in GROUP.params for option in param.opts} | {"--help"}
    for command in inline_commands(page):
        name = next((word for word in command.words[1:] if not word.startswith("--")), "")
        known = own | (options_of(name) if name in COMMANDS else set())
        assert name in COMMANDS or name in ("", "COMMAND", "...", "zsh"), command
        assert {word for word in command.words if word.startswith("--")} <= known, command


@pytest.mark.parametrize("page", PAGES)
def test_programs_named_in_sentences_are_there(page: str) -> None:
    for path in programs(page):
        assert (ROOT / path).is_file(), path


# --- what is shown works ----------------------------------------------------------------------------------------------


def smaller(command: Command) -> list[str]:
    """Return the command's words with few trials of few patients, and without other processes."""
    name, *words = command.words[1:]
    options = options_of(name)
    for option, value in (("--replications", TRIALS.get(name)), ("--samples", 8), ("--workers", 1)):
        if option in words:
            words[words.index(option) + 1] = str(value)
        elif option in options and value is not None and "--data" not in words:
            words += [option, str(value)]
    if name in SMALL_COHORT:
        words += ["--set", "cohort.size=20"]
    # A page may show a command twice, and each writes a folder.
    return [name, *words, *(["--force"] if "--force" in options and "--force" not in words else [])]


def own_patients() -> str:
    """A table for ``blinasim effect --data``: docs/effect.md names its columns."""
    luck = np.random.default_rng(1)
    rows = ["time_days,event,transplant_days,relapse_days,age,prior_hsct"]
    for _ in range(120):
        transplant, time = luck.integers(20, 300), luck.integers(30, 900)
        rows.append(
            f"{time},{'yes' if luck.random() < 0.7 else 'no'},{transplant if transplant < time else ''},,"
            f"{luck.integers(18, 75)},{'yes' if luck.random() < 0.3 else 'no'}"
        )
    return "\n".join(rows) + "\n"


@cache
def tiny_posterior() -> Posterior:
    return calibrate(conduct=TINY, only=("response.probability", "failure.median_days"))


@pytest.fixture
def page_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder; calibrations and sensitivities are as small as they can be."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("blinasim.inference.calibrate.calibrate", lambda **_: tiny_posterior())
    few = partial(Samples, patients=378, tornado_patients=945, draws=50)
    monkeypatch.setattr("blinasim.inference.sensitivity.Effort", few)
    return tmp_path


def comes_to(command: Command) -> frozenset[str]:
    """Return what two commands share that do the same."""
    return frozenset(asked(command))


def asked(command: Command) -> tuple[str, ...]:
    """Return what is run for a command."""
    name = command.words[1]
    return (name, "--help") if name in ENDLESS else tuple(smaller(command))


@cache
def planned() -> dict[str, list[Command]]:
    """The commands that run for each page: those of its blocks, then those of its sentences that are complete.

    What comes to the same on several pages runs for the first of them, unless the page goes on from the results.
    """
    plan: dict[str, list[Command]] = {}
    before: set[frozenset[str]] = set()
    for page in PAGES:
        shown = [command for command in commands(page) if not not_run(command)]
        goes_on = any(word.startswith("results/") for command in shown for word in command.words)
        kept = [command for command in shown if goes_on or comes_to(command) not in before]
        before |= {comes_to(command) for command in kept}
        plan[page] = kept
    for page in PAGES:
        for command in filter(complete, inline_commands(page)):
            if comes_to(command) not in before:
                before.add(comes_to(command))
                plan[page].append(command)
    return plan


@pytest.mark.slow  # commands write folders with all their figures
@pytest.mark.parametrize("page", [page for page, shown in planned().items() if shown])
def test_the_commands_of_a_page_run_one_after_the_other(
    page: str, page_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in {"ours.csv": own_patients(), **files_of(page)}.items():
        (page_folder / name).write_text(text, encoding="utf-8")
    for command in planned()[page]:
        assert _run(list(asked(command))) == 0, (str(command), capsys.readouterr().err)
        printed = capsys.readouterr().out
        assert printed, str(command)
        if command.into:
            Path(command.into).write_text(printed, encoding="utf-8")


FILES = [block for page in PAGES for block in blocks(page) if block.language in ("yaml", "python")]


def named(block: Block) -> str:
    return f"{block.page}: {block.name or block.text[:30]!r}"


@pytest.mark.parametrize("block", [block for block in FILES if block.language == "yaml"], ids=named)
def test_a_file_shown_is_a_scenario_a_design_or_a_grid(block: Block, tmp_path: Path) -> None:
    for name, text in {**files_of(block.page), "shown.yaml": block.text}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    data = read_yaml(tmp_path / "shown.yaml", ScenarioError).data
    if "arms" in data:
        assert bs.load_design(tmp_path / "shown.yaml").design.title == data["title"]
    elif all("." in name for name in data):
        first = [f"{name}={'null' if values[0] is None else values[0]}" for name, values in data.items()]
        assert bs.load_scenario("baseline", first)
    else:
        assert bs.load_scenario(tmp_path / "shown.yaml").title == data["title"]


@pytest.mark.slow
@pytest.mark.parametrize("block", [block for block in FILES if block.language == "python"], ids=named)
def test_python_shown_runs(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "shown"}
    exec(compile(block.text, named(block), "exec"), names)
    for policy in [one for one in names.values() if isinstance(one, type)]:
        assert bs.simulate("baseline", policy=policy, replications=2).replications == 2


# --- what pages say of settings and of Python -------------------------------------------------------------------------


def test_the_documented_prices_are_a_scenario(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(files_of("docs/value.md")["ours.yaml"], encoding="utf-8")
    ours, shipped = (bs.load_scenario(name).payoffs for name in (tmp_path / "ours.yaml", "baseline_payoffs"))
    assert ours is not None
    assert shipped is not None
    assert (ours.costs.per_transplant, ours.costs.per_death) == (95_000.0, shipped.costs.per_death)
    documented = set(re.findall(r"`(\w+)`", text_of("docs/value.md")))
    assert set(Payoffs.model_fields) <= documented


def test_the_documented_python_is_python(tmp_path: Path) -> None:
    small_posterior().write(tmp_path / "mine.csv")
    with pytest.raises(ScenarioError, match="exclude each other"):
        bs.optimize("baseline", over={"policy.transplant.earliest_cycle": [1, 3]}, maximize="a", minimize="b")
    raced = bs.optimize(
        "baseline", over={"policy.transplant.earliest_cycle": (1, 3)}, maximize="os_24_months", replications=40
    )
    assert {one.name for one in raced.runners} == {"earliest_cycle=1", "earliest_cycle=3"}
    assert bs.plot.race(raced).alt
    two = [bs.load_scenario(name, ["cohort.size=10"]) for name in ("baseline_payoffs", "no_transplantation")]
    found = bs.value_of_information(*two, parameters=tmp_path / "mine.csv", replications=400)
    assert found.perfect.value >= max(one.value for one in found.singles)
    for draw in (bs.plot.plane, bs.plot.acceptability, bs.plot.evppi):
        assert draw(found).alt
