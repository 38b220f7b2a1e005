"""``report.html`` of every command: sound HTML, nothing from outside, safe, small, the same bytes, and accessible."""

from __future__ import annotations

import json
import math
import re
import shlex
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import blinasim as bs
import reports
from blinasim.cli.main import _run
from blinasim.inference.targets import load_targets
from blinasim.report import comparison as compared
from blinasim.report import style
from blinasim.report.page import comparison, design, effect, run
from blinasim.report.page.asked import commands, settings_tables
from blinasim.report.page.page import REPORT_FILE
from blinasim.report.page.picture import Album
from blinasim.report.rows import Row, run_definitions
from blinasim.report.table import Table, level
from blinasim.report.validation import validation_definitions
from blinasim.report.words import counted
from blinasim.scenario.loading import load_scenario
from blinasim.statistics.intervals import PredictiveInterval, predictive_interval
from blinasim.study.contrasts import Difference
from blinasim.study.measures import MEASURE
from blinasim.study.summary import Summary
from blinasim.trial.endpoints import ENDPOINTS

VOID = {"meta", "link", "br", "hr", "img", "input"}
EVERY = [
    *(pytest.param(name, id=name) for name in reports.FOLDERS),
    *(pytest.param(name, id=name, marks=pytest.mark.slow) for name in reports.SLOW_FOLDERS),
]


@pytest.fixture(scope="module", autouse=True)
def _clean_up() -> Iterator[None]:
    yield
    reports.remove_all()


def folder_of(name: str) -> Path:
    return (reports.FOLDERS | reports.SLOW_FOLDERS)[name]()


class Parsed(HTMLParser):
    """A page as its elements; tags must be closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        assert len({key for key, _ in attrs}) == len(attrs), (tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for each, attributes in self.elements if each == tag]


@pytest.mark.parametrize("name", EVERY)
def test_a_report_is_sound(name: str) -> None:
    path = folder_of(name) / REPORT_FILE
    text = path.read_text(encoding="utf-8")
    page = Parsed(text)
    assert len(text.encode()) < 1_500_000  # the bar is 3 MB
    assert not page.all("script")
    assert not page.all("img")
    # Nothing from outside: every reference leads into the page itself.
    ids = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    assert max(ids.values()) == 1, ids.most_common(3)
    for tag, attributes in page.elements:
        assert "src" not in attributes, tag
        assert not any(key.startswith("on") for key in attributes), attributes
        if href := attributes.get("href"):
            assert href == "data:," or href.removeprefix("#") in ids, href
        for value in attributes.values():
            for target in re.findall(r"url\((.*?)\)", value):
                assert target.removeprefix("#") in ids, target
        for key in ("aria-labelledby", "aria-describedby"):
            assert all(each in ids for each in attributes.get(key, "").split()), attributes
    assert "@import" not in text
    assert "url(" not in text[text.index("<style>") : text.index("</style>")]
    # Figures have names; headings do not skip a level; tables have captions and scopes.
    drawings = page.all("svg")
    assert len(drawings) == len(list((path.parent / "figures").glob("*.svg"))) > 0
    assert all(one["role"] == "img" and one["aria-labelledby"] for one in drawings)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table")) > 0
    assert all(one["scope"] in ("col", "row", "rowgroup") for one in page.all("th"))
    sections = [one["id"] for one in page.all("h2")]
    wanted = ["asked", "answer", "figures", "tables", "rests", "repeat", "limitations"]
    assert sections == [one for one in wanted if one != "rests" or name != "effect --data"]
    assert "Not for clinical decisions" in "".join(page.text)
    assert "nan" not in re.findall(r"\bnan\b", "".join(page.text).lower())


@pytest.mark.parametrize("name", EVERY)
def test_a_report_is_in_the_manifest(name: str) -> None:
    assert REPORT_FILE in json.loads((folder_of(name) / "manifest.json").read_text(encoding="utf-8"))["files"]


@pytest.mark.parametrize("name", ["run", "compare", "effect", "optimize", "effect --data"])
def test_a_users_text_stays_text(name: str) -> None:
    page = Parsed((folder_of(name) / REPORT_FILE).read_text(encoding="utf-8"))
    said = "".join(page.text)
    if name == "effect --data":
        assert reports.COLUMN in said
        assert "pat<i>ents & 'co'.csv" in said
    else:
        assert reports.TITLE in said
        assert reports.WHY in said
    assert not {"b", "i", "script", "img"} & {tag for tag, _ in page.elements}


@pytest.mark.parametrize("name", ["run", "effect", "trial", "compare"])
def test_a_report_says_nothing_of_how_the_work_was_done(name: str) -> None:
    path = folder_of(name) / REPORT_FILE
    again = reports.of(name, "--workers", "2") / REPORT_FILE
    assert again.read_bytes() == path.read_bytes()
    assert str(path.parent.parent) not in path.read_text(encoding="utf-8")


@pytest.mark.usefixtures("without_figures")
def test_the_command_that_a_report_names_gives_the_same_numbers(tmp_path: Path, capsys: Any) -> None:
    first = tmp_path / "first"
    settings = [
        "policy.donor_search.starts=enrolment",
        "cohort.size=30",
        "policy.transplant.candidates.max_age_years=70",
    ]
    changes = [word for one in settings for word in ("--set", one)]
    assert _run(["run", "baseline", *changes, "--replications", "4", "--seed", "9", "--out", str(first)]) == 0
    (line,) = re.findall(r"<code>(.*?)</code>", (first / REPORT_FILE).read_text(encoding="utf-8"))
    program, *words = shlex.split(line.replace("&#39;", "'").replace("&#34;", '"'))
    assert program == "blinasim"
    assert _run([*words, "--out", str(tmp_path / "again")]) == 0
    for file in ("endpoints.csv", "adsl.csv"):
        assert (tmp_path / "again" / file).read_bytes() == (first / file).read_bytes()
    capsys.readouterr()


def test_settings_are_those_that_differ() -> None:
    baseline, early = load_scenario("baseline"), load_scenario("early_donor_search")
    assert settings_tables({"": baseline}) == ()
    (alone,) = settings_tables({"": early})
    assert alone.lines == (("policy.donor_search.starts", "remission", "enrolment"),)
    assert alone.titles == ("setting", "source study", "here")
    (both,) = settings_tables({"baseline": baseline, "early": early})
    assert both.titles == ("setting", "baseline", "early")
    parameters = load_parameters_of_points()
    assert "--set" in commands("run", early, parameters)[0]
    own = baseline.model_copy(update={"payoffs": load_scenario("baseline_payoffs").payoffs})
    assert commands("run", own, parameters) == []


@pytest.mark.parametrize("parameters", ["point", "posterior"])
def test_a_design_with_nothing_to_find_is_reported(parameters: str) -> None:
    folder = reports.of("trial", "--null", "--parameters", parameters)
    text = "".join(Parsed((folder / REPORT_FILE).read_text(encoding="utf-8")).text)
    assert "The error of the first kind is " in text
    assert f"--seed 1 --parameters {parameters} --null" in text


def load_parameters_of_points() -> Any:
    from blinasim.model.catalogue import load_parameters

    return load_parameters()


# --- tables and pictures -------------------------------------------------------------------------------


def test_a_table_gives_its_groups_and_leaves_columns_out() -> None:
    table = Table(("", "a", "b"), (("  x", "1", "2"), ("Heading",), ("  y", "3", "4"), ("    z", "5", "6")))
    assert [(heading, len(lines)) for heading, lines in table.groups()] == [("", 1), ("Heading", 2)]
    assert table.without("a").lines == (("  x", "2"), ("Heading",), ("  y", "4"), ("    z", "6"))
    assert [level(line[0]) for line in table.lines] == [1, 0, 1, 2]


def test_pictures_of_one_page_share_letters_and_no_ids() -> None:
    head = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 10 10">'
    text = (
        f'{head}<metadata>m</metadata><style>*{{}}</style><defs><clipPath id="c"><rect x="1.2345"/></clipPath></defs>'
        '<defs><path id="A" d="M 1 2 \nL 3 4 " transform="scale(0.015625)"/></defs><g id="unused" clip-path="url(#c)">'
        '<use xlink:href="#A" transform="translate(3.14159 0)"/></g><!-- - -&gt;<script> --></svg>'
    )
    album = Album()
    one, other = (album.add(name, "alt & <b>", text) for name in ("one", "other"))
    assert "m<" not in one.svg
    assert "script" not in one.svg
    assert "unused" not in one.svg
    assert 'x="3.1"' in one.svg
    assert 'd="M1 2L3 4"' in one.svg
    assert 'x="1.2"' in one.svg
    assert " d=" not in other.svg  # the letter is that of the first
    found = [re.findall(r' id="(.*?)"', each.svg) for each in (one, other)]
    assert not set(found[0]) & set(found[1])
    (letter,) = re.findall(r'href="#(.*?)"', other.svg)
    assert letter in found[0]


def test_a_control_character_in_a_title_makes_no_broken_figure() -> None:
    drawing = style.blank(2, 1)
    style.heading(drawing, 0.1, "bell \a, escape \x1b, no character \ufffe --> <b>")
    album = Album()
    picture = album.add("title", "alt", style.render(drawing, ".svg").decode())
    assert picture.svg.count("<use") > 10


# --- answers ------------------------------------------------------------------------------------------

BY_ID = {endpoint.id: endpoint for endpoint in ENDPOINTS}


def row_of(
    key: str,
    median: float = 6.0,
    lower: float = 4.0,
    upper: float = 9.0,
    *,
    trials: int = 100,
    missing: int = 0,
    limit: float | None = 6.0,
    oracle: float | None = 6.0,
) -> Row:
    predicted = PredictiveInterval(
        lower, median, upper, 0.95, n_values=trials - missing, n_missing=missing, n_infinite=0
    )
    summary = Summary(BY_ID[key], predicted, 0.1, 6.0, 0.1, limit, oracle)
    return Row(summary, load_targets().get(key))


def answered(os: Row | None = None, hsct: Row | None = None, censored: Row | None = None) -> tuple[str, ...]:
    rows = [os or row_of("os"), hsct or row_of("hsct", 0.4, 0.3, 0.5), censored or row_of("os_cens")]
    return run.answer(load_scenario("baseline"), rows)


def test_the_answer_of_a_run() -> None:
    first, second = answered()
    assert "median overall survival is 6.0 months (95 % predictive interval 4.0 to 9.0 months)" in first
    assert "is 40 % (95 % predictive interval 30 to 50 %)." in first
    assert "misleads by less than 0.1 months here" in second
    assert "0.9 months too short, however" in answered(censored=row_of("os_cens", limit=6.0, oracle=6.9))[1]
    assert "0.4 months too long" in answered(censored=row_of("os_cens", limit=6.4, oracle=6.0))[1]


def test_the_answer_of_a_run_where_figures_do_not_exist() -> None:
    first = answered(os=row_of("os", math.inf, 8.0, math.inf))[0]
    assert "is not reached (95 % predictive interval 8.0 months to not reached)" in first
    assert "4.0 months to not reached" in answered(os=row_of("os", 6.0, 4.0, math.inf))[0]
    assert "cannot be estimated in most of the simulated trials" in answered(hsct=row_of("hsct", missing=60))[0]
    assert len(answered(censored=row_of("os_cens", limit=None, oracle=None))) == 1
    assert len(answered(censored=row_of("os_cens", limit=math.nan))) == 1
    beyond = answered(censored=row_of("os_cens", limit=6.0, oracle=math.inf))[1]
    assert "the median is 6.0 months" in beyond
    assert beyond.endswith("is not reached.")
    few = answered(os=row_of("os", trials=1))
    assert "Only one trial was simulated" in few[1]
    assert "interval" not in few[0].split("share")[0]


def difference(mean: float, half: float, key: str = "rmst_24_months", **more: float) -> Difference:
    figures = dict.fromkeys(
        ("reference", "reference_mcse", "policy", "policy_mcse", "better", "better_mcse", "variance_reduction"), 0.5
    )
    limits = {"lower": mean - half, "upper": mean + half, "trial_lower": -1.0, "trial_upper": 1.0, "mcse": half / 2}
    return Difference(measure=MEASURE[key], mean=mean, trials=10, **(figures | limits | more))


def test_the_answer_of_a_comparison() -> None:
    moved = comparison.moved
    assert (
        moved(difference(0.5, 0.1))
        == "RMST to 24 months rises by 0.500 months (95 % Monte Carlo interval 0.400 to 0.600)"
    )
    assert (
        moved(difference(-0.5, 0.1))
        == "RMST to 24 months falls by 0.500 months (95 % Monte Carlo interval 0.400 to 0.600)"
    )
    share = moved(difference(0.03, 0.01, "realization"))
    assert share == "the realization rate rises by 3.00 percentage points (95 % Monte Carlo interval 2.00 to 4.00)"
    across = moved(difference(-0.01, 0.1))
    assert across == (
        "whether RMST to 24 months changes is left open, by −0.010 months (95 % Monte Carlo interval −0.110 to +0.090)"
    )
    assert "left open" in moved(difference(0.1, 0.1))  # a limit on zero
    assert moved(difference(0.0, 0.0)) == "RMST to 24 months does not differ in any trial"
    assert moved(difference(math.nan, math.nan)) == "RMST to 24 months has no value to compare"
    assert "without an interval" in moved(replace(difference(0.2, 0.1), lower=math.nan, upper=math.nan))


def test_the_answers_stand_in_the_reports() -> None:
    for name, words in {
        "effect": ["ever transplanted"],
        "trial": ["The power is ", "95 % Monte Carlo interval", "patients on average"],
        "validate": ["Too few simulated studies to judge anything"],
        "effect --data": ["hazard ratio", "groups patients by their future"],
        "calibrate": ["say something about", "of the prior variance"],
        "optimize": ["Chosen of 2"],
    }.items():
        text = "".join(Parsed((folder_of(name) / REPORT_FILE).read_text(encoding="utf-8")).text)
        answer = text[text.index("The answer") : text.index("Figures\n")]
        for said in words:
            assert said in answer, (name, said)


def test_few_trials_are_given_no_95_percent_of_them() -> None:
    whole = "about the whole range, from between the lowest two to between the highest two; fewer than 40 give no 95 %"
    of = {
        "run": lambda trials: dict(run_definitions(trials, varies=True))["simulated"],
        "compare": lambda trials: dict(compared.comparison_definitions(trials))["95 % of trials"],
        "validate": lambda trials: dict(validation_definitions(trials))["simulated"],
    }
    for said in of.values():
        assert whole in said(39)
        assert "whole range" not in said(40)
    values = np.arange(39.0)  # what the sentence says of the limits
    found = predictive_interval(values)
    assert 0 <= found.lower <= 1
    assert 37 <= found.upper <= 38
    assert {"tail", "published is"}.isdisjoint(dict(validation_definitions(20)))


def test_one_of_something_is_no_plural() -> None:
    assert counted(1, "trial") == "1 trial"
    assert counted(1_000, "trial") == "1,000 trials"
    assert counted(2, "simulated study", "simulated studies") == "2 simulated studies"


def test_few_trials_are_given_no_interval() -> None:
    said = list(comparison.answer(bs.compare("baseline", "early_donor_search", replications=3), "early_donor_search"))
    assert "in 3 trials: the realization rate differs by" in said[0]
    assert said[1] == "40 or more simulated trials are needed to say how surely."
    assert "%" not in said[1]


def test_every_bias_that_is_told_is_named_and_no_other() -> None:
    found = bs.effect("null_transplant", replications=60)
    said = effect.answer(found)
    judged = [
        one
        for one in found.outcomes["os"].findings
        if one.estimator.measure != "log_hazard_ratio"
        and one.estimator.id not in ("naive_difference", "observed")
        and math.isfinite(one.performance.bias.mcse)
    ]
    told = {one.estimator.label for one in judged if effect._is_told(one, len(judged))}
    assert f"the other {len(judged)} estimates" in said[1]
    assert {one.estimator.label for one in judged if f"“{one.estimator.label}”" in said[1]} == told
    assert "Time-dependent Cox" in said[2]
    assert "where the truth is 1" in said[2]


def test_no_success_in_few_trials_is_no_proof_of_a_small_error() -> None:
    two_sided = bs.evaluate_design("sibling_donor", replications=20, null=True)
    (said,) = design.answer([two_sided], {})
    assert "wrongly finds a benefit in" in said
    assert "wrongly finds harm in" in said
    assert "not told apart from the 2.5 % planned" in said
    exact = bs.evaluate_design("single_arm_exact", replications=20, null=True)
    assert f"exactly, at the response rate of all, {100 * exact.exact.success:.2f} %" in design.answer([exact], {})[0]
    binding = bs.evaluate_design("phase3_early_search", replications=20, null=True)
    assert "with futility overruled" in design.answer([binding], {})[0]


# --- in a browser -------------------------------------------------------------------------------------


def in_a_browser(names: list[str], widths: tuple[int, ...] = (390, 1280)) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium here")
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    with playwright.sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = driver.chromium.launch(executable_path=chromium, args=arguments)
        try:
            for name in names:
                for width in widths:
                    _look(browser.new_page(viewport={"width": width, "height": 900}), axe.Axe(), name, width)
        finally:
            browser.close()


def _look(page: Any, axe: Any, name: str, width: int) -> None:
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    address = (folder_of(name) / REPORT_FILE).as_uri()
    page.route("**/*", lambda route: (asked.append(route.request.url), route.continue_()))
    page.goto(address)
    assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth"), (name, width)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth"), (name, width)
    found = axe.run(page).response["violations"]
    bad = [(one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in ("serious", "critical")]
    assert not bad, (name, width, bad)
    assert [url for url in asked if not url.startswith("data:")] == [address]
    assert not said, (name, width, said)
    size = page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
    assert size >= 16
    page.close()


def test_a_report_in_a_browser_asks_for_nothing_and_is_accessible() -> None:
    in_a_browser(["run"])


@pytest.mark.slow
def test_every_report_in_a_browser() -> None:
    """On a phone, where there is least room; that of a run is looked at on a desk, too."""
    in_a_browser([*reports.FOLDERS, *reports.SLOW_FOLDERS], (390,))
