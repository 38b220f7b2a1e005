"""What README.md, SPECIFICATION.md and docs/ show, against the program: rows, commands, numbers, Python, links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import blinasim as bs
from blinasim.cli.main import app
from blinasim.inference.choice import shipped_posterior
from blinasim.inference.diagnostics import learnt
from blinasim.model.catalogue import load_parameters, parameter_catalogue
from blinasim.model.codes import Event
from blinasim.report.resting import rests_on
from blinasim.trial.endpoints import ENDPOINTS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / name for name in ("README.md", "SPECIFICATION.md", "ARCHITECTURE.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").glob("*.md"))


def block(language: str, after: str) -> str:
    """The first block of a language after a heading."""
    found = re.search(rf"```{language}\n(.*?)```", README.partition(after)[2], flags=re.DOTALL)
    assert found, after
    return found[1]


def test_the_table_shown_has_the_rows_of_the_endpoints() -> None:
    lines = [line.strip() for line in block("text", "<!-- shown: run -->").splitlines()]
    dots = lines.index("...")
    shown = [endpoint for endpoint in ENDPOINTS if any(line.startswith(endpoint.label) for line in lines)]
    first_left_out = next(i for i, endpoint in enumerate(ENDPOINTS) if endpoint.id == "conditioning_mac")
    last_left_out = next(i for i, endpoint in enumerate(ENDPOINTS) if endpoint.id == "donor_unknown")
    rows = [*ENDPOINTS[:first_left_out], *ENDPOINTS[last_left_out + 1 :]]
    assert {endpoint.id for endpoint in rows} <= {endpoint.id for endpoint in shown}
    place = 0
    for number, endpoint in enumerate(rows):
        place = next(i for i in range(place, len(lines)) if lines[i].startswith(endpoint.label)) + 1
        assert (place > dots) == (number >= first_left_out), endpoint.id


def test_the_numbers_of_parameters_are_those_of_the_files() -> None:
    assert rests_on([bs.load_scenario("baseline")], load_parameters()) in README
    posterior = shipped_posterior()
    assert posterior is not None
    informed = sum(one.is_informed for one in learnt(posterior))
    text = " ".join(README.split())
    assert f"which says something about {informed} of {len(parameter_catalogue())} of them" in text


def test_the_commands_of_the_table_are_those_of_the_program() -> None:
    table = README.partition("| command | does |")[2].partition("\n\n")[0]
    named: set[str] = set()
    for row in table.splitlines()[2:]:
        first_cell = row.split(" | ")[0]
        named |= {words.removeprefix("blinasim ").split()[0] for words in re.findall(r"`([^`]+)`", first_cell)}
    commands = {command.name for command in app.registered_commands if not command.hidden}
    assert commands == named


def test_the_python_shown_runs() -> None:
    code = block("python", "## From Python")
    fewer = re.sub(r"replications=\d+", "replications=40", code)
    assert fewer.count("replications=40") == 3
    names: dict[str, object] = {}
    exec(fewer, names)  # the README's own lines
    assert {"result", "comparison", "found"} <= names.keys()


def test_the_scenario_shown_is_one(tmp_path: Path) -> None:
    text = block("yaml", "## A scenario of one's own")
    (tmp_path / "early.yaml").write_text(text, encoding="utf-8")
    shown, shipped = bs.load_scenario(tmp_path / "early.yaml"), bs.load_scenario("early_donor_search")
    assert shown.policy == shipped.policy
    assert shown.trial == bs.load_scenario("baseline").trial


def test_the_order_of_the_day_is_that_of_the_enum() -> None:
    specification = (ROOT / "SPECIFICATION.md").read_text(encoding="utf-8")
    listed = " ".join(re.search(r"order of the `Event` enum:(.*?)horizon\.", specification, re.DOTALL)[1].split())  # type: ignore[index]
    words = [word.strip() for word in listed.replace("(or bridging)", "").split(",") if word.strip()]
    assert [word.replace(" ", "_").upper() for word in [*words, "horizon"]] == [event.name for event in Event]


def test_the_baseline_settings_shown_are_those_of_the_scenario() -> None:
    text = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    table = text.partition("| setting of `policy` | says | baseline |")[2].partition("\n\n")[0]
    shown = {
        re.findall(r"`([^`]+)`", row)[0]: row.split(" | ")[-1].removesuffix(" |") for row in table.splitlines()[2:]
    }
    policy = bs.load_scenario("baseline").policy
    for name in shown:
        setting: object = policy
        for part in name.split("."):
            setting = getattr(setting, part)
    cycles, search, transplant = policy.cycles, policy.donor_search, policy.transplant
    assert shown["cycles.maximum"] == f"{cycles.maximum}, {cycles.infusion_days}, {cycles.rest_days}"
    assert shown["cycles.stop_without_response_after"] == str(cycles.stop_without_response_after)
    assert shown["donor_search.starts"] == search.starts
    days = ", ".join(f"{donor} {day}" for donor, day in search.accept_from_day.items())
    assert shown["donor_search.accept_from_day"] == days
    assert shown["transplant.preparation_days"] == str(transplant.preparation_days)
    assert shown["transplant.effect"] == f"`{transplant.effect}`"
    for name in ("finish_infusion", "offered"):
        assert shown[f"transplant.{name}"] == str(getattr(transplant, name)).lower()
    assert (transplant.bridging, transplant.latest_cycle, cycles.maintenance.offered) == (False, None, False)
    assert (shown["transplant.bridging"], shown["cycles.maintenance"]) == ("no", "none")


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """Files of the repository, and headings of them."""
    for target in links(page):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, heading = target.partition("#")
        there = page.parent / file if file else page
        assert there.exists(), target
        if heading and "<!-- part: " not in (text := there.read_text(encoding="utf-8")):  # the built site is crawled
            headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", name.lower()).replace(" ", "-") for name in headings}, target


def test_links_are_found() -> None:
    found = [target for page in PAGES for target in links(page)]
    assert len([target for target in found if not re.match(r"[a-z]+:", target)]) > 100
    assert len([target for target in found if "#" in target]) > 10


def test_scenarios_and_designs_that_are_named_are_shipped() -> None:
    names = {path.stem for folder in ("scenarios", "scenarios/trials") for path in (ROOT / folder).glob("*.yaml")}
    asked = r"^(?:    |\$ )?blinasim (?:run|compare|effect|trial|optimize|value) ([^\n#]*)"
    for page in PAGES:
        for line in re.findall(asked, page.read_text(encoding="utf-8"), flags=re.MULTILINE):
            for word in line.partition(" --")[0].split():
                if "." not in word and not word.startswith("-"):
                    assert word in names, (page.name, line)
