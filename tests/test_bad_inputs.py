"""The front door: whatever is put in wrongly is one clear line with its place, exit code 2, and nothing left behind."""

from __future__ import annotations

import codecs
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from blinasim.cli.main import _run
from blinasim.files import shipped_scenarios
from blinasim.model.catalogue import load_parameters
from blinasim.model.parameters import parameters_to_dict
from blinasim.scenario.loading import load_scenario

#: The longest that any of these may take, seconds; most take milliseconds.
TIME_LIMIT = 10.0


@dataclass(frozen=True)
class Folder:
    """An empty folder, in place of a file's text."""


@dataclass(frozen=True)
class Link:
    """A symbolic link, in place of a file's text."""

    to: str


#: What stands in the working folder, by path: text, bytes, a folder or a link.
Files = Mapping[str, "str | bytes | Folder | Link"]


@dataclass(frozen=True)
class Bad:
    """A bad input, and the whole line expected on standard error; ``{folder}`` is the working folder."""

    what: str
    arguments: tuple[str, ...]
    line: str
    files: Files

    def __str__(self) -> str:
        return self.what.replace(" ", "_")


def bad(what: str, arguments: str | tuple[str, ...], line: str, files: Files | None = None) -> Bad:
    words = tuple(arguments.split()) if isinstance(arguments, str) else arguments
    return Bad(what, words, f"blinasim: {line}\n", files or {})


# --- kinds of rows ----------------------------------------------------------------------------------------------------


def scenario(what: str, text: str | bytes, line: str, **inherited: str) -> Bad:
    """A scenario file s.yaml is wrong, or one that it extends."""
    return bad(
        what, "show s.yaml", line, {"s.yaml": text, **{f"{name}.yaml": base for name, base in inherited.items()}}
    )


def change(what: str, setting: str, line: str, said: str | None = None) -> Bad:
    """A ``--set`` is wrong; the line begins with it."""
    return bad(what, ("show", "baseline", "--set", setting), f"--set {said or setting}: {line}")


HEADER = "age_years,prior_hsct,salvage_lines,blasts_pct\n"
ONE = "{size: 1, data: {file: p.csv}}"


def cohort(what: str, csv: str | bytes | Link | Folder | None, line: str, settings: str = ONE) -> Bad:
    """A cohort's CSV file p.csv is wrong."""
    files: dict[str, str | bytes | Folder | Link] = {"s.yaml": f"extends: baseline\ncohort: {settings}\n"}
    if csv is not None:
        files["p.csv"] = csv
    return bad(what, "run s.yaml --replications 1", f"{{folder}}/p.csv{line}", files)


def manifest(what: str, changes: dict[str, Any], line: str) -> Bad:
    """A manifest that is good but for some changes; ``None`` takes a key away."""
    whole: dict[str, Any] = {
        "manifest_version": 1,
        "blinasim": "0",
        "python": "3",
        "packages": {},
        "engine": "des",
        "patients": False,
        "scenario": load_scenario("baseline", ["study.replications=1"]).model_dump(mode="json"),
        "parameters": parameters_to_dict(load_parameters()),
        "files": {},
    }
    text = json.dumps({key: value for key, value in (whole | changes).items() if value is not None})
    return bad(what, "rerun m.json", f"m.json: not a manifest that can be repeated ({line})", {"m.json": text})


def parameters(**changes: Any) -> dict[str, Any]:
    """The parameters' values with some changed; ``None`` takes one away. ``__`` is a dot."""
    named = {name.replace("__", "."): value for name, value in changes.items()}
    values = parameters_to_dict(load_parameters()) | named
    return {"parameters": {name: value for name, value in values.items() if value is not None}}


NOT_DECIMAL = "is not a number that can be read; write it in plain decimal digits"
TOO_DEEP = "nested more than 32 levels deep; no setting lies so deep"
TOO_LARGE = "s.yaml: cannot be read (larger than 1,000,000 bytes)"
NOT_UTF8 = "cannot be read (not UTF-8 text); save the file as UTF-8"
NO_ALIAS = "are not allowed; write the value out"
NO_TAG = "is not allowed; write plain values"
SHIPPED = f"(shipped: {', '.join(shipped_scenarios())}; a file needs its .yaml)"
WRITTEN = "a change is written dotted.key=value, such as cohort.size=100"
NO_NAME = "is no name for a scenario; begin with a letter, go on with letters, digits, - or _"
OUTSIDE = "lies outside the folder of the file asked for; move it there, or allow it: blinasim --allow-outside ..."
DESIGN = """title: x
arms: [{name: a, scenario: baseline}]
size: 20
accrual: [{patients_per_month: 12}]
estimand: {treatment: all, variable: response, summary: response_rate}
plan: {kind: exact, p0: 0.30, p1: 0.43}
"""
FITNESS = "policy.transplant.candidates.fitness"

# --- the table --------------------------------------------------------------------------------------------------------

YAML_ITSELF = [
    scenario("empty file", "", "s.yaml: the file is empty"),
    scenario("only a comment", "# nothing yet\n", "s.yaml: the file is empty"),
    scenario("null document", "---\n", "s.yaml:1:1: a scenario is a table of settings, such as `title: ...`"),
    scenario("a list", "- title: x\n", "s.yaml:1:1: a scenario is a table of settings, such as `title: ...`"),
    scenario(
        "bracket left open",
        "title: [x\n",
        "s.yaml:2:1: not valid YAML: while parsing a flow sequence begun at 1:8, "
        "expected ',' or ']', but got '<stream end>'",
    ),
    scenario(
        "tab for indentation",
        "title: x\npolicy:\n\tcycles: {}\n",
        "s.yaml:3:1: not valid YAML: while scanning for the next token, "
        "found character '\\t' that cannot start any token",
    ),
    scenario(
        "two documents",
        "title: x\n---\ntitle: y\n",
        "s.yaml:2:1: not valid YAML: expected a single document in the stream begun at 1:1, but found another document",
    ),
    scenario("duplicate key", "title: x\nwhy: a\ntitle: y\n", "s.yaml:3:1: title is written twice, first on line 1"),
    scenario(
        "duplicate key within",
        "title: x\ncohort: {size: 5, size: 6}\n",
        "s.yaml:2:19: size is written twice, first on line 2",
    ),
    scenario("NUL byte", "title: x\nwhy: a\0b\n", "s.yaml:2:7: the character U+0000 is not allowed; remove it"),
    scenario("control character", "title: a\x1b[1m\n", "s.yaml:1:9: the character U+001B is not allowed; remove it"),
    scenario("latin-1", "title: x\nwhy: Hämatologie\n".encode("latin-1"), f"s.yaml:2:7: {NOT_UTF8}"),
    scenario("UTF-16", "title: x\n".encode("utf-16"), f"s.yaml:1:1: {NOT_UTF8}"),
    scenario(
        "byte order mark hides nothing",
        codecs.BOM_UTF8 + b"titel: x\n",
        "s.yaml:1:1: titel: no such setting; did you mean title?",
    ),
    scenario("key that is a list", "title: x\n? [a, b]\n: 1\n", "s.yaml:2:3: a key must be a plain word"),
    scenario(
        "other version of YAML",
        "%YAML 9.9\n---\ntitle: x\n",
        "s.yaml:1:1: not valid YAML: found incompatible YAML document (version 1.* is required)",
    ),
]

HOSTILE = [
    scenario(
        "alias bomb",
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{name}: &{name} [{', '.join([f'*{below}'] * 9)}]\n"
            for below, name in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        f"s.yaml:1:4: anchors and aliases (&a) {NO_ALIAS}",
    ),
    scenario("alias of itself", "title: &a [*a]\n", f"s.yaml:1:8: anchors and aliases (&a) {NO_ALIAS}"),
    scenario("alias of nothing", "title: x\nwhy: *gone\n", f"s.yaml:2:6: anchors and aliases (*gone) {NO_ALIAS}"),
    scenario("merge key", "title: x\n<<: {why: y}\n", "s.yaml:2:1: <<: no such setting"),
    scenario(
        "tag that runs a command",
        "title: !!python/object/apply:os.system ['touch owned']\n",
        f"s.yaml:1:8: tag !!python/object/apply:os.system {NO_TAG}",
    ),
    scenario("binary tag", "title: !!binary aGVsbG8=\n", f"s.yaml:1:8: tag !!binary {NO_TAG}"),
    scenario("tag of one's own", "title: x\ncohort: !mine {}\n", f"s.yaml:2:9: tag !mine {NO_TAG}"),
    scenario("nested lists", "title: " + "[" * 100_000 + "]" * 100_000, f"s.yaml:1:39: {TOO_DEEP}"),
    scenario("nested lists left open", "title: " + "[" * 900_000, f"s.yaml:1:39: {TOO_DEEP}"),
    scenario("nested tables", "title: " + "{a: " * 200_000, f"s.yaml:1:129: {TOO_DEEP}"),
    scenario("nested blocks", "".join(" " * depth + "a:\n" for depth in range(1000)), f"s.yaml:32:32: {TOO_DEEP}"),
    scenario("nested keys", "? " * 400_000, f"s.yaml:1:65: {TOO_DEEP}"),
    scenario("a million levels", "[" * 1_000_001, TOO_LARGE),
    scenario("a line of 5 MB", "title: " + "a" * 5_000_000, TOO_LARGE),
    scenario(
        "a line of just under 1 MB",
        "title: " + "a" * 900_000,
        f"s.yaml:1:1: title: '{'a' * 57}...' should have at most 200 characters",
    ),
    scenario("a key of 900 kB", "? " + "k" * 900_000 + "\n: 1\n", f"s.yaml:1:3: {'k' * 57}...: no such setting"),
    scenario("key with a line break", 'title: x\n"a\\nb": 1\n', "s.yaml:2:1: a\\nb: no such setting"),
    scenario("key that colours the terminal", 'title: x\n"\\e[31m": 1\n', "s.yaml:2:1: \\x1b[31m: no such setting"),
    scenario(
        "integer of 10,000 digits",
        "title: x\ncohort: {size: " + "9" * 10_000 + "}\n",
        f"s.yaml:2:16: '{'9' * 57}...' {NOT_DECIMAL}",
    ),
    scenario(
        "integer of 100 digits",
        "title: x\nstudy: {seed: " + "9" * 100 + "}\n",
        f"s.yaml:2:9: study.seed: {'9' * 57}... should be less than or equal to 9223372036854775807",
    ),
]

VALUES = [
    scenario(
        "infinite by its exponent",
        "title: x\ncohort: {prior_hsct_share: 1e999}\n",
        f"s.yaml:2:28: '1e999' {NOT_DECIMAL}",
    ),
    scenario(
        "infinite",
        "title: x\ncohort: {prior_hsct_share: -.INF}\n",
        "s.yaml:2:10: cohort.prior_hsct_share: -inf should be a finite number",
    ),
    scenario(
        "not a number",
        "title: x\ncohort: {prior_hsct_share: .NaN}\n",
        "s.yaml:2:10: cohort.prior_hsct_share: nan should be a finite number",
    ),
    scenario("hexadecimal", "title: x\ncohort: {size: 0x10}\n", f"s.yaml:2:16: '0x10' {NOT_DECIMAL}"),
    scenario("octal", "title: x\ncohort: {size: 0o17}\n", f"s.yaml:2:16: '0o17' {NOT_DECIMAL}"),
    scenario("octal of old", "title: x\ncohort: {size: 017}\n", f"s.yaml:2:16: '017' {NOT_DECIMAL}"),
    scenario("underscores", "title: x\ncohort: {size: 1_000}\n", f"s.yaml:2:16: '1_000' {NOT_DECIMAL}"),
    scenario(
        "sexagesimal",
        "title: x\ncohort: {size: 1:30}\n",
        "s.yaml:2:10: cohort.size: '1:30' should be a valid integer",
    ),
    scenario(
        "timestamp",
        "title: x\ncohort: {size: 2020-01-01}\n",
        "s.yaml:2:10: cohort.size: '2020-01-01' should be a valid integer",
    ),
    scenario(
        "decimal for a whole number",
        "title: x\ncohort: {size: 189.0}\n",
        "s.yaml:2:10: cohort.size: 189.0 should be a valid integer",
    ),
    scenario(
        "text for a number",
        "title: x\ncohort:\n  size: '189'\n",
        "s.yaml:3:3: cohort.size: '189' should be a valid integer",
    ),
    scenario(
        "true for a number",
        "title: x\ncohort: {size: true}\n",
        "s.yaml:2:10: cohort.size: true should be a valid integer",
    ),
    scenario("true for text", "title: true\n", "s.yaml:1:1: title: true should be text; put it in quotes"),
    scenario(
        "yes for text by the old YAML",
        "%YAML 1.1\n---\ntitle: yes\n",
        "s.yaml:3:1: title: true should be text; put it in quotes",
    ),
    scenario("number for text", "title: 5\n", "s.yaml:1:1: title: 5 should be text; put it in quotes"),
    scenario("nothing for text", "title:\n", "s.yaml:1:1: title: null should be text"),
    scenario("empty text", "title: ''\n", "s.yaml:1:1: title: '' should have at least 1 character"),
    scenario(
        "yes for true",
        "title: x\npolicy: {transplant: {offered: yes}}\n",
        "s.yaml:2:23: policy.transplant.offered: 'yes' should be true or false",
    ),
    scenario(
        "number for a table",
        "title: x\ncohort: 5\n",
        "s.yaml:2:1: cohort: 5 should be a table of settings",
    ),
    scenario("table left empty", "title: x\npolicy:\n", "s.yaml:2:1: policy: null should be a table of settings"),
    scenario(
        "text for a list",
        "title: x\npolicy: {transplant: {candidates: {fitness: good}}}\n",
        f"s.yaml:2:36: {FITNESS}: 'good' should be a list",
    ),
    scenario(
        "typo in a list",
        "title: x\npolicy: {transplant: {candidates: {fitness: [good, fare]}}}\n",
        f"s.yaml:2:52: {FITNESS}.1: 'fare' is not one of 'good', 'fair', 'poor'; did you mean fair?",
    ),
    scenario(
        "typo in a choice",
        "title: x\npolicy: {donor_search: {starts: Remision}}\n",
        "s.yaml:2:25: policy.donor_search.starts: 'Remision' is not one of 'enrolment', 'remission'; "
        "did you mean remission?",
    ),
]

MEANINGS = [
    scenario(
        "impossible probability",
        "title: x\ncohort:\n  prior_hsct_share: 1.2\n",
        "s.yaml:3:3: cohort.prior_hsct_share: 1.2 should be less than or equal to 1",
    ),
    scenario(
        "negative days",
        "title: x\ntrial: {accrual: {gap_days: -1}}\n",
        "s.yaml:2:19: trial.accrual.gap_days: -1 should be greater than or equal to 0",
    ),
    scenario(
        "negative days of a donor type",
        "title: x\npolicy: {donor_search: {accept_from_day: {cord: -9}}}\n",
        "s.yaml:2:43: policy.donor_search.accept_from_day.cord: -9 should be greater than or equal to 0",
    ),
    scenario(
        "no accrual at all",
        "title: x\ntrial: {accrual: {pieces: []}}\n",
        "s.yaml:2:19: trial.accrual.pieces: [] should have at least 1 item",
    ),
    scenario(
        "accrual of no days",
        "title: x\ntrial:\n  accrual:\n    pieces:\n      - {days: 10}\n      - {days: 0}\n",
        "s.yaml:6:10: trial.accrual.pieces.1.days: 0 should be greater than or equal to 1",
    ),
    scenario(
        "accrual of nobody",
        "title: x\ntrial: {accrual: {pieces: [{days: 10, relative_rate: 0}]}}\n",
        "s.yaml:2:9: trial.accrual: at least one stretch needs a relative_rate above 0",
    ),
    scenario(
        "ages out of order",
        "title: x\ncohort: {age: {min_years: 50}}\n",
        "s.yaml:2:10: cohort.age: needs min_years < median_years < 65 <= max_years",
    ),
    scenario(
        "shares that are more than all",
        "title: x\ncohort: {blasts: {from_75_pct: 0.9}}\n",
        "s.yaml:2:10: cohort.blasts: the four shares must add up to 1, not 1.344",
    ),
    scenario(
        "shares that contradict each other",
        "title: x\ncohort: {no_prior_salvage_share: 0.7}\n",
        "s.yaml:2:10: cohort: no_prior_salvage_share + two_or_more_salvage_share must be at most 1",
    ),
    scenario(
        "settings that contradict each other",
        "title: x\ncohort: {data: {file: p.csv, match_margins: [age]}}\n",
        "s.yaml:2:30: cohort.data: match_margins needs rows: resampled",
    ),
]

KEYS = [
    scenario("unknown key at the top", "titel: x\n", "s.yaml:1:1: titel: no such setting; did you mean title?"),
    scenario("empty key", "title: x\n'': 2\n", "s.yaml:2:1: '': no such setting"),
    scenario("numeric key", "title: x\n1: 2\n", "s.yaml:2:1: 1: no such setting"),
    scenario(
        "unknown key of level 2",
        "title: x\ncohort: {siez: 5}\n",
        "s.yaml:2:10: cohort.siez: no such setting; did you mean size?",
    ),
    scenario(
        "unknown key of level 3",
        "title: x\npolicy:\n  cycles: {rest_day: 3}\n",
        "s.yaml:3:12: policy.cycles.rest_day: no such setting; did you mean rest_days?",
    ),
    scenario(
        "unknown key of level 4",
        "title: x\npolicy:\n  transplant:\n    candidates:\n      max_agee_years: 70\n",
        "s.yaml:5:7: policy.transplant.candidates.max_agee_years: no such setting; did you mean max_age_years?",
    ),
    scenario(
        "unknown key in a list",
        "title: x\ntrial: {accrual: {pieces: [{dayss: 3}]}}\n",
        "s.yaml:2:29: trial.accrual.pieces.0.dayss: no such setting; did you mean days?",
    ),
    scenario(
        "unknown key of a table of names",
        "title: x\npolicy: {donor_search: {accept_from_day: {sibbling: 0}}}\n",
        "s.yaml:2:43: policy.donor_search.accept_from_day.sibbling: 'sibbling' is not one of 'sibling', 'unrelated', "
        "'haploidentical', 'cord'; did you mean sibling?",
    ),
    scenario(
        "key at the wrong level",
        "title: x\nmax_age_years: 70\n",
        "s.yaml:2:1: max_age_years: no such setting; did you mean policy.transplant.candidates.max_age_years?",
    ),
    scenario("table that is not there", "title: x\nwards: {beds: 3}\n", "s.yaml:2:1: wards: no such setting"),
    scenario("required key left out", "why: y\n", "s.yaml:1:1: title: is required"),
    scenario(
        "required key within",
        "title: x\ncohort: {data: {rows: as_given}}\n",
        "s.yaml:2:10: cohort.data.file: is required",
    ),
]

POLICIES = [
    scenario(
        "latest cycle before the earliest",
        "title: x\npolicy: {transplant: {latest_cycle: 1, earliest_cycle: 3}}\n",
        "s.yaml:2:23: policy.transplant: latest_cycle 1 comes before earliest_cycle 3; no transplant could be on time: "
        "raise the one or lower the other",
    ),
    scenario(
        "earliest cycle that is never given",
        "title: x\npolicy:\n  cycles: {maximum: 3}\n  transplant: {earliest_cycle: 4}\n",
        "s.yaml:4:16: policy: transplant.earliest_cycle 4 is beyond cycles.maximum 3: lower the one or raise the other",
    ),
    scenario(
        "search after a cycle that is never given",
        "title: x\npolicy: {donor_search: {starts: {after_cycle: 6}}}\n",
        "s.yaml:2:34: policy: donor_search.starts.after_cycle 6 is beyond cycles.maximum 5: "
        "lower the one or raise the other",
    ),
    scenario(
        "start of the search that is neither word nor table",
        "title: x\npolicy: {donor_search: {starts: never}}\n",
        "s.yaml:2:25: policy.donor_search.starts: 'never' is not one of 'enrolment', 'remission'",
    ),
    scenario(
        "start of the search in a misspelt table",
        "title: x\npolicy: {donor_search: {starts: {after_cycl: 2}}}\n",
        "s.yaml:2:34: policy.donor_search.starts.after_cycl: no such setting; did you mean after_cycle?",
    ),
    scenario(
        "start of the search after cycle 0",
        "title: x\npolicy: {donor_search: {starts: {after_cycle: 0}}}\n",
        "s.yaml:2:34: policy.donor_search.starts.after_cycle: 0 should be greater than or equal to 1",
    ),
    scenario(
        "stop without response after a third cycle",
        "title: x\npolicy: {cycles: {stop_without_response_after: 3}}\n",
        "s.yaml:2:19: policy.cycles.stop_without_response_after: 3 should be less than or equal to 2",
    ),
    scenario(
        "conditioning that there is not",
        "title: x\npolicy: {transplant: {conditioning: {forced: reducd}}}\n",
        "s.yaml:2:38: policy.transplant.conditioning.forced: 'reducd' is not one of 'myeloablative', 'reduced'; "
        "did you mean reduced?",
    ),
    scenario(
        "treatment that there is not",
        "title: x\npolicy: {therapy: none_at_all}\n",
        "s.yaml:2:10: policy.therapy: 'none_at_all' is not one of 'blinatumomab', 'standard'",
    ),
    scenario(
        "no beds where transplants are offered",
        "title: x\ncapacity: {transplant_beds: {places: 0}}\n",
        "s.yaml:2:30: the scenario: capacity.transplant_beds.places is 0 while policy.transplant.offered is true: "
        "give at least one bed, or offer no transplantation",
    ),
    scenario(
        "other patients for places that nobody counts",
        "title: x\ncapacity: {search_coordinators: {background: {arrivals_per_year: 3.0}}}\n",
        "s.yaml:2:34: capacity: search_coordinators.background means nothing without search_coordinators.places; "
        "say how many there are",
    ),
    scenario(
        "priority that there is not",
        "title: x\ncapacity: {transplant_beds: {places: 2, priority: mrd_first}}\n",
        "s.yaml:2:41: capacity.transplant_beds.priority: 'mrd_first' is not one of 'first_come', 'mrd_negative_first', "
        "'mrd_positive_first'; did you mean mrd_positive_first?",
    ),
    scenario(
        "half a bed",
        "title: x\ncapacity: {transplant_beds: {places: 2.5}}\n",
        "s.yaml:2:30: capacity.transplant_beds.places: 2.5 should be a valid integer",
    ),
    scenario(
        "a stay of no days",
        "title: x\ncapacity: {transplant_beds: {places: 2, stay_days: 0}}\n",
        "s.yaml:2:41: capacity.transplant_beds.stay_days: 0 should be greater than or equal to 1",
    ),
    bad(
        "array engine asked for where places are counted",
        "run scarce_beds --engine fast",
        "engine fast knows no counted places (capacity); ask for des or auto",
    ),
    bad(
        "policy of one's own without a class",
        "run baseline --policy mine.py",
        "--policy mine.py: a policy is named as file.py:Class",
    ),
]

INHERITANCE = [
    scenario(
        "extends a list",
        "extends: [a, b]\n",
        "s.yaml:1:1: extends: ['a', 'b'] should be the name or the file of one scenario",
    ),
    scenario(
        "extends nothing",
        "title: x\nextends: ''\n",
        "s.yaml:2:1: extends: '' should be the name or the file of one scenario",
    ),
    scenario(
        "extends null",
        "extends:\ntitle: x\n",
        "s.yaml:1:1: extends: null should be the name or the file of one scenario",
    ),
    scenario(
        "extends itself", "extends: ./s.yaml\n", "s.yaml:1:1: extends: inheritance goes in a circle (s.yaml -> s.yaml)"
    ),
    scenario(
        "extends in a circle of three",
        "extends: b.yaml\n",
        "c.yaml:2:1: extends: inheritance goes in a circle (s.yaml -> b.yaml -> c.yaml -> s.yaml); "
        "inherited by s.yaml (extends: b.yaml)",
        b="extends: c.yaml\n",
        c="title: x\nextends: s.yaml\n",
    ),
    scenario(
        "extends without end",
        "extends: a0.yaml\n",
        "a19.yaml:1:1: extends: more than 20 scenarios extend each other here; inherited by s.yaml (extends: a0.yaml)",
        **{f"a{number}": f"extends: a{number + 1}.yaml\n" for number in range(1000)},
    ),
    scenario(
        "extends a typo of a shipped name",
        "extends: basline\n",
        f"s.yaml:1:1: extends: no scenario named 'basline'; did you mean baseline? {SHIPPED}",
    ),
    scenario(
        "extends a file that is not there",
        "extends: erly.yaml\n",
        "s.yaml:1:1: extends: erly.yaml: no such scenario file; did you mean early.yaml?",
        early="title: x\n",
    ),
    scenario(
        "the base extends a file that is not there",
        "extends: b.yaml\n",
        "b.yaml:1:1: extends: gone.yaml: no such scenario file; inherited by s.yaml (extends: b.yaml)",
        b="extends: gone.yaml\n",
    ),
    scenario(
        "typo in an inherited file",
        "extends: b.yaml\ntitle: y\n",
        "b.yaml:2:10: cohort.siez: no such setting; did you mean size?; inherited by s.yaml (extends: b.yaml)",
        b="title: x\ncohort: {siez: 1}\n",
    ),
    scenario(
        "wrong value inherited through two levels",
        "extends: b.yaml\n",
        "c.yaml:2:10: cohort.size: 0 should be greater than or equal to 1; inherited by s.yaml (extends: b.yaml)",
        b="extends: c.yaml\nwhy: b\n",
        c="title: x\ncohort: {size: 0}\n",
    ),
    scenario(
        "empty file inherited through two levels",
        "extends: b.yaml\n",
        "c.yaml: the file is empty; inherited by s.yaml (extends: b.yaml)",
        b="extends: c.yaml\n",
        c="",
    ),
    scenario(
        "own fault comes before an inherited one",
        "extends: b.yaml\ncohort: {sites: 0}\n",
        "s.yaml:2:10: cohort.sites: 0 should be greater than or equal to 1",
        b="title: x\ncohort: {size: 0}\n",
    ),
    scenario(
        "extends a file above its folder",
        "title: x\nextends: ../b.yaml\n",
        f"s.yaml:2:1: extends: '../b.yaml' {OUTSIDE}",
    ),
    scenario(
        "extends a file by its whole path",
        "extends: /etc/b.yaml\n",
        f"s.yaml:1:1: extends: '/etc/b.yaml' {OUTSIDE}",
    ),
    scenario(
        "the base extends a file above the folder of the file asked for",
        "extends: b.yaml\n",
        f"b.yaml:1:1: extends: '../c.yaml' {OUTSIDE}; inherited by s.yaml (extends: b.yaml)",
        b="extends: ../c.yaml\n",
    ),
    bad(
        "extends a link that leads out",
        "show s.yaml",
        f"s.yaml:1:1: extends: 'b.yaml' {OUTSIDE}",
        {"s.yaml": "extends: b.yaml\n", "b.yaml": Link("/etc/hostname")},
    ),
    bad(
        "arm of a design above its folder",
        "trial d.yaml",
        f"d.yaml:2:18: arms.0.scenario: arm a: scenario: '../s.yaml' {OUTSIDE}",
        {"d.yaml": DESIGN.replace("baseline", "../s.yaml")},
    ),
    bad(
        "arm of a design with patients above its folder",
        "trial d.yaml",
        "d.yaml:2:18: arms.0.scenario: arm a: --set cohort.data={file: ../p.csv, rows: resampled}: cohort.data.file: "
        f"'../p.csv' {OUTSIDE}",
        {
            "d.yaml": DESIGN.replace(
                "scenario: baseline",
                "scenario: baseline, changes: ['cohort.data={file: ../p.csv, rows: resampled}']",
            )
        },
    ),
    bad(
        "fault in the base in another folder",
        "show s.yaml",
        "bases/b.yaml:1:1: titel: no such setting; did you mean title?; inherited by s.yaml (extends: bases/b.yaml)",
        {"s.yaml": "extends: bases/b.yaml\n", "bases/b.yaml": "titel: x\n"},
    ),
]

CHANGES = [
    change("set without equals", "cohort.size", WRITTEN),
    change("set of no key", "=5", WRITTEN),
    change("set of half a key", "cohort..size=1", WRITTEN),
    change("set of an unknown key", "zzz=1", "zzz: no such setting"),
    change("set of a typo", "cohort.siez=5", "cohort.siez: no such setting; did you mean size?"),
    change("set of a key without its table", "size=5", "size: no such setting; did you mean cohort.size?"),
    change("set of a wrong type", "cohort.size=many", "cohort.size: 'many' should be a valid integer"),
    change("set of a list", "cohort.size=[1, 2]", "cohort.size: [1, 2] should be a valid integer"),
    change("set of a negative size", "cohort.size=-1", "cohort.size: -1 should be greater than or equal to 1"),
    change("set to nothing", "cohort.size=", "cohort.size: null should be a valid integer"),
    change("set of a table to a number", "cohort=5", "cohort: 5 should be a table of settings"),
    change("set below a text", "title.x=1", "title: {'x': 1} should be text"),
    change("set of the base", "extends=baseline", "extends cannot be changed by --set; name another scenario instead"),
    change(
        "set of broken YAML",
        "cohort.size=[1",
        "not valid YAML: while parsing a flow sequence begun at 1:1, expected ',' or ']', but got '<stream end>'",
    ),
    change("set of an alias", "why=&a x", f"anchors and aliases (&a) {NO_ALIAS}"),
    change(
        "set with a line break", "cohort.size=1\n2", "cohort.size: '1 2' should be a valid integer", "cohort.size=1\\n2"
    ),
    change("set of nested lists", "why=" + "[" * 50_000, TOO_DEEP, f"why={'[' * 53}..."),
    change("set of a key of 20,000 parts", "a." * 20_000 + "a=1", TOO_DEEP, f"{('a.' * 40)[:57]}..."),
    bad(
        "the second of two sets",
        "show baseline --set cohort.size=5 --set cohort.sizes=5",
        "--set cohort.sizes=5: cohort.sizes: no such setting; did you mean size?",
    ),
]

NAMES = [
    bad("unknown scenario", "run basline", f"no scenario named 'basline'; did you mean baseline? {SHIPPED}"),
    bad("scenario in capitals", "run BASELINE", f"no scenario named 'BASELINE'; did you mean baseline? {SHIPPED}"),
    bad("unknown scenario like no other", "trace zzz", f"no scenario named 'zzz' {SHIPPED}"),
    bad("scenario of no name", ("show", ""), f"no scenario named '' {SHIPPED}"),
    bad("scenario of a long name", ("show", "a" * 5000), f"no scenario named '{'a' * 57}...' {SHIPPED}"),
    bad("missing file", "run gone.yaml", "gone.yaml: no such scenario file"),
    bad(
        "shipped name with an ending",
        "run baseline.yaml",
        "baseline.yaml: no such scenario file; did you mean baseline?",
    ),
    bad("file of a long name", ("show", "a" * 300 + ".yaml"), f"{'a' * 300}.yaml: cannot be read (File name too long)"),
    bad(
        "directory named x.yaml",
        "show x.yaml",
        "x.yaml: is not a file; name a scenario's YAML file",
        {"x.yaml": Folder()},
    ),
    bad(
        "loop of links",
        "show x.yaml",
        "x.yaml: cannot be read (Too many levels of symbolic links)",
        {"x.yaml": Link("y.yaml"), "y.yaml": Link("x.yaml")},
    ),
    bad("link to nothing", "show x.yaml", "x.yaml: no such scenario file", {"x.yaml": Link("gone.yaml")}),
]

OPTIONS = [
    bad("unknown command", "shw", "No such command 'shw'. Did you mean 'show'? (see blinasim --help)"),
    bad("unknown option", "--nope", "No such option: --nope (see blinasim --help)"),
    bad(
        "typo of an option",
        "run baseline --sed 1",
        "No such option: --sed (Possible options: --seed, --set) (see blinasim run --help)",
    ),
    bad("argument left out", "show", "Missing argument 'scenario' (see blinasim show --help)"),
    bad("argument too many", "show baseline x", "Got unexpected extra argument(s) (x) (see blinasim show --help)"),
    bad("option without its value", "run baseline --out", "Option '--out' requires an argument (see blinasim --help)"),
    bad(
        "negative seed",
        "run baseline --seed -1",
        "Invalid value for '--seed': Input should be greater than or equal to 0 (see blinasim run --help)",
    ),
    bad(
        "no trials",
        "run baseline --replications 0",
        "Invalid value for '--replications': Input should be greater than or equal to 1 (see blinasim run --help)",
    ),
    bad(
        "half a trial",
        "run baseline --replications 1.5",
        "Invalid value for '--replications': Input should be a valid integer, unable to parse string as an integer "
        "(see blinasim run --help)",
    ),
    bad(
        "trial beyond any study",
        "trace baseline --trial 99999999999999999999",
        "Invalid value for '--trial': Input should be less than or equal to 10000000 (see blinasim trace --help)",
    ),
    bad("patient beyond the cohort", "trace baseline --patient 190", "--patient 190: the cohort has patients 1 to 189"),
]

RUN = "run baseline --replications 1 --out "
TAKEN = "already exists; say --force to replace it, or --out for another folder"

OUTPUT = [
    bad("results are there", "run baseline", f"results/baseline {TAKEN}", {"results/baseline/mine.txt": "keep"}),
    bad("out is a file", RUN + "o", f"o {TAKEN}", {"o": "keep"}),
    bad("out is a file, by force", RUN + "o --force", "o is not a folder; choose another --out", {"o": "keep"}),
    bad("out is a link to nothing", RUN + "o", f"o {TAKEN}", {"o": Link("gone")}),
    bad("out is a loop of links", RUN + "o", f"o {TAKEN}", {"o": Link("o")}),
    bad("out below a file", RUN + "f/o", "f/o: cannot be written (Not a directory); choose another --out", {"f": "x"}),
    bad(
        "out far below a file",
        RUN + "f/a/o",
        "f/a/o: cannot be written (Not a directory); choose another --out",
        {"f": "x"},
    ),
    bad(
        "out of a long name, in a folder to be made",
        RUN + "new/" + "a" * 300,
        f"new/{'a' * 300}: cannot be written (File name too long); choose another --out",
    ),
    bad("out is here", RUN + ".", f". {TAKEN}"),
    bad("out is here, by force", RUN + ". --force", ". is the folder you are in, or holds it; choose another --out"),
    bad("out is above, by force", RUN + ".. --force", ".. is the folder you are in, or holds it; choose another --out"),
    bad("new onto a file", "new mine", "mine.yaml already exists; choose another name", {"mine.yaml": "keep"}),
    bad("new onto a link", "new mine", "mine.yaml already exists; choose another name", {"mine.yaml": Link("gone")}),
    bad(
        "new in a missing folder",
        "new gone/mine",
        "gone/mine.yaml: cannot be written (No such file or directory); choose another name",
    ),
    bad("new of no name", ("new", ""), f"'' {NO_NAME}"),
    bad("new of two lines", ("new", "a\nb"), f"'a\\nb' {NO_NAME}"),
    bad("new of a name that YAML misreads", ("new", "a: b"), f"'a: b' {NO_NAME}"),
    bad("new of a number", ("new", "2024"), f"'2024' {NO_NAME}"),
]

MANIFESTS = [
    bad(
        "missing manifest",
        "rerun gone.json",
        "gone.json: cannot be read (No such file or directory); name a results folder's manifest.json",
    ),
    bad(
        "folder without a manifest",
        "rerun d",
        "d/manifest.json: cannot be read (No such file or directory); name a results folder's manifest.json",
        {"d": Folder()},
    ),
    bad(
        "empty manifest",
        "rerun m.json",
        "m.json:1:1: not a manifest that can be repeated (Invalid JSON: EOF while parsing a value)",
        {"m.json": ""},
    ),
    bad(
        "corrupt manifest",
        "rerun m.json",
        "m.json:2:8: not a manifest that can be repeated (Invalid JSON: expected value)",
        {"m.json": '{"blinasim": "0",\n "py": x}'},
    ),
    bad(
        "nested manifest",
        "rerun m.json",
        "m.json:1:202: not a manifest that can be repeated (Invalid JSON: recursion limit exceeded)",
        {"m.json": "[" * 1_000_000},
    ),
    bad(
        "manifest that is a list",
        "rerun m.json",
        "m.json: not a manifest that can be repeated (the file: Input should be an object)",
        {"m.json": "[]"},
    ),
    bad(
        "manifest of another program",
        "rerun m.json",
        "m.json: not a manifest that can be repeated (blinasim: Field required)",
        {"m.json": '{"name": "app", "version": "1.0"}'},
    ),
    manifest("manifest of another version", {"manifest_version": 2}, "manifest_version: Input should be 1"),
    manifest("manifest with more", {"extra": 1}, "extra: Extra inputs are not permitted"),
    manifest(
        "manifest with a wrong scenario",
        {"scenario": {"title": "x", "cohort": {"size": 0}}},
        "scenario.cohort.size: Input should be greater than or equal to 1",
    ),
    manifest("manifest without a scenario", {"scenario": None}, "scenario: Field required"),
    manifest(
        "manifest with an unknown parameter",
        parameters(relapse__shap=1.0),
        "parameters.relapse.shap: no such parameter; did you mean relapse.shape?",
    ),
    manifest("manifest without a parameter", parameters(relapse__shape=None), "parameters.relapse.shape: is missing"),
    manifest(
        "manifest with a negative parameter",
        parameters(relapse__shape=-1.0),
        "parameters.relapse.shape: -1: Input should be greater than or equal to 0",
    ),
    manifest(
        "manifest with a parameter that is no number",
        parameters(relapse__shape=float("nan")),
        "parameters.relapse.shape: nan: Input should be a finite number",
    ),
    manifest(
        "manifest with an impossible probability",
        parameters(recording__donor_unknown=1.5),
        "parameters.recording.donor_unknown: 1.5: Value error, value 1.5 is not a probability",
    ),
    manifest("manifest of an unknown engine", {"engine": "steam"}, "engine: Input should be 'auto', 'fast' or 'des'"),
]

COHORTS = [
    cohort("missing cohort file", None, ": cohort.data.file: cannot be read (No such file or directory)"),
    cohort("cohort file that is a folder", Folder(), ": cohort.data.file: cannot be read (Is a directory)"),
    cohort(
        "cohort file that is a loop of links",
        Link("p.csv"),
        ": cohort.data.file: cannot be read (Too many levels of symbolic links)",
    ),
    scenario(
        "cohort file above the folder",
        "title: x\ncohort: {size: 1, data: {file: ../p.csv}}\n",
        f"s.yaml:2:26: cohort.data.file: '../p.csv' {OUTSIDE}",
    ),
    scenario(
        "cohort file that is a device",
        "title: x\ncohort: {size: 1, data: {file: /dev/zero}}\n",
        f"s.yaml:2:26: cohort.data.file: '/dev/zero' {OUTSIDE}",
    ),
    bad(
        "cohort file that has no end",
        ("run", "baseline", "--set", "cohort.data={file: /dev/zero}", "--set", "cohort.size=1"),
        "/dev/zero: cohort.data.file: cannot be read (not a file)",
    ),
    cohort("empty cohort file", "", ": needs a header and at least one patient"),
    cohort("cohort of nobody", HEADER, ": needs a header and at least one patient"),
    cohort(
        "missing column", "age_years,prior_hsct,salvage_lines\n30,no,0\n", ":1:1: 'blasts_pct': this column is missing"
    ),
    cohort("duplicate column", "age_years,age_years\n30,30\n", ":1:2: 'age_years': this column stands twice"),
    cohort(
        "unknown column",
        "age_years,prior_hst\n30,no\n",
        ":1:2: 'prior_hst': no such column; did you mean prior_hsct?",
    ),
    cohort(
        "semicolons",
        "age_years;prior_hsct\n30;no\n",
        ":1:1: 'age_years;prior_hsct': one column alone; separate columns by commas",
    ),
    cohort("bad cell", HEADER + "30,no,0,80\n40,maybe,0,80\n", ":3:2: prior_hsct: 'maybe' should be yes or no"),
    cohort(
        "bad cell after a cell of two lines",
        HEADER.replace("\n", ",fitness\n") + '30,no,0,80,"good\n"\n40,no,0,x,good\n',
        ":4:4: blasts_pct: 'x' should be a percentage from 0 to 100",
    ),
    cohort(
        "cell of digits that are no decimals",
        HEADER + "1_8,no,0,80\n",
        ":2:1: age_years: '1_8' should be whole years from 18 to 120",
    ),
    cohort(
        "cell of 10,000 digits",
        HEADER + "9" * 10_000 + ",no,0,80\n",
        f":2:1: age_years: '{'9' * 57}...' should be whole years from 18 to 120",
    ),
    cohort("cell too few", HEADER + "30,no,0\n", ":2:1: 3 cells where the header has 4"),
    cohort(
        "quotes left open",
        HEADER + '30,no,0,80\n30,"no,0,80\n',
        ":3:1: not valid CSV (unexpected end of data) in the row that begins here",
    ),
    cohort(
        "cohort file in latin-1",
        (HEADER + "30,nö,0,80\n").encode("latin-1"),
        f":2:5: cohort.data.file: {NOT_UTF8}",
    ),
    cohort(
        "more patients than the size",
        HEADER + "30,no,0,80\n" * 2,
        ": cohort.data: the file has 2 patients and cohort.size is 1; set cohort.size: 2, or rows: resampled",
    ),
    cohort(
        "margin without a row",
        HEADER + "30,no,0,80\n",
        ": cohort.data.match_margins: no row has prior_hsct yes, and the cohort wants 33.9 % of them",
        "{size: 9, data: {file: p.csv, rows: resampled, match_margins: [prior_hsct]}}",
    ),
    cohort(
        "margins that exclude each other",
        HEADER + "30,no,0,80\n70,yes,1,20\n",
        ": cohort.data.match_margins (prior_hsct, age): the margins contradict each other in this sample: "
        "0.21 is left after 1,000 rounds",
        "{size: 9, data: {file: p.csv, rows: resampled, match_margins: [prior_hsct, age]}}",
    ),
]

TABLE = [
    *YAML_ITSELF,
    *HOSTILE,
    *VALUES,
    *MEANINGS,
    *KEYS,
    *POLICIES,
    *INHERITANCE,
    *CHANGES,
    *NAMES,
    *OPTIONS,
    *OUTPUT,
    *MANIFESTS,
    *COHORTS,
]

# --- what is asked of every row ---------------------------------------------------------------------------------------


def lay_out(folder: Path, files: Files) -> None:
    """Write the files of a row."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        match content:
            case Folder():
                path.mkdir()
            case Link(to):
                path.symlink_to(to)
            case bytes():
                path.write_bytes(content)
            case _:
                path.write_bytes(content.encode())


def state(folder: Path) -> dict[str, object]:
    """All that is in a folder: names, with the text of each file and the target of each link."""

    def content(path: Path) -> object:
        if path.is_symlink():
            return path.readlink()
        return path.read_bytes() if path.is_file() else None

    return {str(path.relative_to(folder)): content(path) for path in sorted(folder.rglob("*"))}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder inside another, so that what is written beside it is found too."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def walked(*_: object) -> None:
        raise AssertionError("a patient was walked before the input was refused")

    monkeypatch.setattr("blinasim.study.batch.walk", walked)
    return folder


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_bad_input_is_one_line(row: Bad, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lay_out(here, row.files)
    before = state(here.parent)
    start = time.perf_counter()
    code = _run(list(row.arguments))
    seconds = time.perf_counter() - start
    said = capsys.readouterr()
    assert said.err == row.line.replace("{folder}", str(here))
    assert said.out == ""
    assert code == 2
    assert state(here.parent) == before
    assert seconds < TIME_LIMIT


def test_the_table_is_large_and_tells_its_rows_apart() -> None:
    assert len(TABLE) >= 70
    assert len({row.what for row in TABLE}) == len(TABLE)


@pytest.mark.parametrize(
    "row",
    [
        row
        for row in TABLE
        if row.what in ("alias bomb", "nested tables", "bad cell", "out below a file", "unknown command")
    ],
    ids=str,
)
def test_the_program_itself_says_the_same(row: Bad, tmp_path: Path) -> None:
    lay_out(tmp_path, row.files)
    before = state(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "blinasim", *row.arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    assert done.stderr == row.line.replace("{folder}", str(tmp_path.resolve()))
    assert (done.returncode, done.stdout) == (2, "")
    assert state(tmp_path) == before


@pytest.mark.parametrize("text", ["yes", "no", "on", "2020-01-01", "1:30", "0b", "<<", "="])
def test_what_yaml_1_2_calls_text_is_text(text: str, tmp_path: Path) -> None:
    """The Norway problem: none of these is a boolean, a date or a number."""
    path = tmp_path / "s.yaml"
    path.write_text(f"title: {text}\n")
    assert load_scenario(path).title == text


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(codecs.BOM_UTF8 + b"title: x\n")
    assert load_scenario(path).title == "x"


def test_an_ancestor_of_the_working_folder_is_never_replaced(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here.parent / "mine.txt").write_text("keep")
    assert _run(["run", "baseline", "--replications", "1", "--force", "--out", str(here.parent)]) == 2
    assert capsys.readouterr().err.endswith("is the folder you are in, or holds it; choose another --out\n")
    assert (here.parent / "mine.txt").read_text() == "keep"


def test_without_a_word_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run([]) == 0
    said = capsys.readouterr()
    assert "Usage: blinasim" in said.out
    assert said.err == ""
