"""``docs/mutation.md``: from the outcomes that are kept, the reasons beside this file, and coverage if measured."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path

from mutants import Mutant
from ruamel.yaml import YAML
from run import GOLDEN, REPOSITORY, ROOMS, outcomes

PAGE = REPOSITORY / "docs" / "mutation.md"
REASONS = Path(__file__).parent / "reasons.yaml"
COVERAGE = REPOSITORY / "results" / "coverage.json"
_COVERED_ROOMS = ("model", "engine", "trial", "statistics", "inference", "study")
_SURVIVING = {"survived", "no tests"}

Row = dict[str, str]


def write(mutants: list[Mutant]) -> None:
    """Write the page."""
    reasons: dict[str, str] = YAML(typ="safe").load(REASONS) or {}
    rows = outcomes()
    there = {mutant.key: mutant for mutant in mutants}
    # A key outlives a move of its function to another file.
    rows = [row | {"path": there[row["key"]].path} if row["key"] in there else row for row in rows]
    first = {row["key"]: row for row in reversed(rows)}
    now = {row["key"]: row for row in rows}
    PAGE.write_text("\n".join(_page(mutants, first, now, reasons)) + "\n", encoding="utf-8")
    print(f"{PAGE.relative_to(REPOSITORY)}: {_score(now.values())}")


def _page(mutants: list[Mutant], first: dict[str, Row], now: dict[str, Row], reasons: dict[str, str]) -> Iterable[str]:
    survivors = [row for row in now.values() if row["outcome"] in _SURVIVING]
    equivalent = [row for row in survivors if reasons.get(row["key"], "").startswith("equivalent")]
    counted = [row for row in now.values() if row not in equivalent]
    yield "# Mutation testing and branch coverage"
    yield ""
    yield "Would a test fail if the code were wrong? A *mutant* is the code with one small fault: a comparison moved or"
    yield "turned round; an operator, constant, sign, minimum or argument exchanged; a statement removed; a returned"
    yield "value shifted. It is *killed* when a test fails or never ends, and *survives* otherwise. Made by"
    yield "`tests/mutation/run.py` (see there), which runs the tests that touch the fault, quickest first, 16 s of them"
    yield "at most (the golden results after 6 s), property-based tests with few examples."
    yield ""
    yield f"Of {len(mutants):,} mutants of `model/`, `engine/` and `trial/`, {len(now):,} were drawn, in proportion to"
    yield "those of each file (but fewer of `codes.py`, whose faults every test touches, and which take a minute each);"
    changed = now.keys() - {mutant.key for mutant in mutants}
    yield f"{len(changed)} of them in code that has been renamed or rewritten since."
    yield f"**Score {_score(now.values())}**; without the {len(equivalent)} that change nothing anybody could see,"
    yield f"{_score(counted)} (95 % intervals by Wilson). By room, all counted:"
    yield ", ".join(f"`{room}/` {_score(_of_room(now.values(), room))}" for room in ROOMS) + "."
    yield ""
    for seed in sorted({row["seed"] for row in first.values()}):
        its = [row for row in first.values() if row["seed"] == seed]
        again = [now[row["key"]] for row in its]
        yield f"- Sample {seed}, {len(its)} mutants: {_score(its)} when first run, {_score(again)} with today's tests."
    yield ""
    yield "Survivors of one sample led to tests; the first outcomes of the next are what these were not written for. A"
    yield "kill *by golden results* is weaker: they say that a number moved, not which is right."
    yield ""
    yield "## By file"
    yield ""
    yield from _table("file", mutants, now, lambda row: row["path"].removeprefix("src/blinasim/"))
    yield "## By fault"
    yield ""
    yield from _table("fault", mutants, now, lambda row: row["operator"])
    yield "## Survivors"
    yield ""
    for row in sorted(survivors, key=lambda row: (row["path"], int(row["line"]))):
        where = f"{row['path'].removeprefix('src/blinasim/')}, {row['scope'] or 'module'}"
        yield f"- {where}: `{_short(row['before'])}` → `{_short(row['after'])}` ({row['operator']}, {row['key']})."
        yield f"  {reasons.get(row['key'], 'Not examined yet.')}"
    yield ""
    yield from _coverage()


def _of_room(rows: Iterable[Row], room: str) -> list[Row]:
    return [row for row in rows if row["path"].startswith(f"src/blinasim/{room}/")]


def _table(head: str, mutants: list[Mutant], now: dict[str, Row], of: Callable[[Row], str]) -> Iterable[str]:
    yield f"| {head} | mutants | drawn | killed | of these by golden results | score |"
    yield "|---|--:|--:|--:|--:|---|"
    every = [{"path": mutant.path, "operator": mutant.operator} for mutant in mutants]
    for name in sorted({of(row) for row in [*every, *now.values()]}):
        its = [row for row in now.values() if of(row) == name]
        killed = [row for row in its if row["outcome"] not in _SURVIVING]
        golden = [row for row in killed if row["killer"].startswith(GOLDEN)]
        total = sum(of(row) == name for row in every)
        yield f"| {name} | {total} | {len(its)} | {len(killed)} | {len(golden)} | {_score(its)} |"
    yield ""


def _score(rows: Iterable[Row]) -> str:
    """Killed among all, with Wilson's 95 % interval."""
    its = list(rows)
    if not its:
        return "none drawn"
    n, z = len(its), 1.959964
    p = sum(row["outcome"] not in _SURVIVING for row in its) / n
    centre, half = (p + z * z / (2 * n)), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    lower, upper = (max(0.0, (centre - half) / (1 + z * z / n)), min(1.0, (centre + half) / (1 + z * z / n)))
    return f"{100 * p:.0f} % ({100 * lower:.0f}-{100 * upper:.0f})"


def _short(text: str, most: int = 110) -> str:
    line = " ".join(text.split()).replace("`", "'")
    return line if len(line) <= most else f"{line[: most - 3]}..."


def _coverage() -> Iterable[str]:
    yield "## Branch coverage"
    yield ""
    yield "Measured apart from `.ci/run`, as it takes too long for it: `python -m pytest --cov"
    yield "--cov-report=json:results/coverage.json`, then `run.py report`. Of the plain tests: slow ones only add."
    yield ""
    if not COVERAGE.exists():
        yield "Not measured."
        return
    files = json.loads(COVERAGE.read_text(encoding="utf-8"))["files"]
    yield "| room | statements | missing | branches | missing | covered |"
    yield "|---|--:|--:|--:|--:|--:|"
    for room in _COVERED_ROOMS:
        its = [item["summary"] for path, item in files.items() if f"blinasim/{room}/" in path]
        statements, missed, branches, missed_branches = (
            sum(summary[key] for summary in its)
            for key in ("num_statements", "missing_lines", "num_branches", "missing_branches")
        )
        whole = statements + branches
        covered = 100 * (1 - (missed + missed_branches) / whole)
        yield f"| {room} | {statements:,} | {missed} | {branches:,} | {missed_branches} | {covered:.1f} % |"


if __name__ == "__main__":
    raise SystemExit("python tests/mutation/run.py report")
