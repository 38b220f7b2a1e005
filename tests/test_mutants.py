"""The mutants of ``tests/mutation``: which faults are put into a file, and that a sample is one."""

from pathlib import Path

import pytest

from mutation.mutants import Mutant, mutants_of, sampled

SOURCE = '''"""A module."""

from __future__ import annotations

LIMIT: int = 3


def later(day: int, least: int = 1) -> int:
    """Return a later day."""
    assert day > 0, "never touched"
    if day < least and not day == LIMIT:
        raise ValueError(f"{day} is too early")
    return max(day, least) + 2


def note(log: list[str], words: str) -> None:
    log.append(words)
'''


@pytest.fixture
def mutants(tmp_path: Path) -> list[Mutant]:
    folder = tmp_path / "src" / "blinasim" / "model"
    folder.mkdir(parents=True)
    (folder / "some.py").write_text(SOURCE, encoding="utf-8")
    return mutants_of(tmp_path, ["model"])


def test_faults_are_put_where_the_code_is(mutants: list[Mutant]) -> None:
    told = {(mutant.line, mutant.operator, mutant.after) for mutant in mutants}
    assert told == {
        *((5, "constant", "(4)"), (5, "constant", "(2)"), (8, "constant", "(2)"), (8, "constant", "(0)")),
        (11, "and/or", "(day < least or not day == LIMIT)"),
        *((11, "comparison", "(day <= least)"), (11, "comparison", "(day >= least)")),
        *((11, "comparison", "(day != LIMIT)"), (11, "removed sign or not", "(day == LIMIT)")),
        (12, "removed statement", "pass"),
        (13, "returned value", "((max(day, least) + 2) + 1)"),
        (13, "arithmetic", "(max(day, least) - 2)"),
        (13, "min/max", "(min(day, least))"),
        *((13, "constant", "(3)"), (13, "constant", "(1)")),
        (17, "removed statement", "pass"),
    }


def test_each_is_one_change_that_compiles_and_has_a_name_of_its_own(mutants: list[Mutant]) -> None:
    changed = [mutant.applied(SOURCE.encode()) for mutant in mutants]
    assert len(set(changed)) == len({mutant.key for mutant in mutants}) == len(mutants)
    for text in changed:
        assert text != SOURCE.encode()
        compile(text, "some.py", "exec")


def test_a_name_does_not_depend_on_where_the_function_stands(tmp_path: Path, mutants: list[Mutant]) -> None:
    (tmp_path / "src" / "blinasim" / "model" / "some.py").write_text("\n\n\n" + SOURCE, encoding="utf-8")
    assert [mutant.key for mutant in mutants_of(tmp_path, ["model"])] == [mutant.key for mutant in mutants]


def test_a_larger_sample_holds_the_smaller_and_another_seed_draws_another(mutants: list[Mutant]) -> None:
    keys = [mutant.key for mutant in sampled(mutants, 10, 1)]
    assert [mutant.key for mutant in sampled(mutants, 4, 1)] == keys[:4]
    assert [mutant.key for mutant in sampled(mutants, 10, 2)] != keys
    assert {mutant.key for mutant in sampled(mutants, None, 1)} == {mutant.key for mutant in mutants}
