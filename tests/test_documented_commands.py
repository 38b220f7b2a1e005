"""Commands and files of docs/value.md and docs/optimize.md, as they stand there but for smaller trials."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import blinasim as bs
from blinasim.cli.main import _run
from blinasim.errors import ScenarioError
from blinasim.scenario.settings import Payoffs
from posteriors import small_posterior

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = ("value.md", "optimize.md")
TEXTS = {page: (DOCS / page).read_text(encoding="utf-8") for page in PAGES}
COMMANDS = [
    (page, line) for page in PAGES for line in re.findall(r"^ +blinasim (.+)$", TEXTS[page], flags=re.MULTILINE)
]


def test_there_are_commands_on_each_page() -> None:
    assert [page for page, _ in COMMANDS] == ["value.md"] * 4 + ["optimize.md"] * 2


@pytest.mark.slow  # each writes a folder with its figures
@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=lambda text: text[:40])
def test_a_documented_command_does_what_it_says(
    page: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in re.findall(r"```yaml\n# (\S+)\n(.*?)```", TEXTS[page], flags=re.DOTALL):
        Path(name).write_text(text, encoding="utf-8")
    trials = "400" if line.startswith("value") else "40"
    smaller = re.sub(r"--replications \d+", f"--replications {trials}", line)
    assert smaller.count(trials) == 1
    assert _run([*smaller.split(), "--set", "cohort.size=20"]) == 0
    assert "Wrote results/" in capsys.readouterr().out


def test_the_documented_prices_are_a_scenario(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n# ours.yaml\n(.*?)```", TEXTS["value.md"], flags=re.DOTALL)
    (tmp_path / "ours.yaml").write_text(text, encoding="utf-8")
    ours, shipped = (bs.load_scenario(name).payoffs for name in (tmp_path / "ours.yaml", "baseline_payoffs"))
    assert ours is not None
    assert shipped is not None
    assert (ours.costs.per_transplant, ours.costs.per_death) == (95_000.0, shipped.costs.per_death)
    documented = set(re.findall(r"`(\w+)`", TEXTS["value.md"]))
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
