"""Golden results: every shipped scenario and design gives the figures kept in ``tests/golden``."""

import pytest

from golden.results import FOLDER, UPDATE, differences, figures_of, names, read


@pytest.mark.parametrize("name", names())
def test_gives_the_figures_kept(name: str) -> None:
    moved = differences(read(name), figures_of(name))
    assert not moved, "\n".join(
        [
            f"{len(moved)} golden figures of {name} have moved. If that was meant: {UPDATE} {name},",
            "and a line in CHANGELOG.md that says why the simulated numbers change.",
            *moved[:60],
        ]
    )


def test_nothing_is_kept_that_is_no_longer_shipped() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(names()), f"run {UPDATE}"


def test_a_difference_says_what_moved_from_what_to_what() -> None:
    kept = {"os_median.limit": 6.5, "history.relapse.sum": 12, "gone": 1}
    found = {"os_median.limit": 6.6, "history.relapse.sum": 12, "new": "inf"}
    assert differences(kept, found) == ["os_median.limit: 6.5 -> 6.6", "gone: 1 -> nothing", "new: nothing -> inf"]


def test_whole_numbers_are_exact_and_others_to_12_digits() -> None:
    assert differences({"days": 10**12}, {"days": 10**12 + 1})
    assert not differences({"months": 6.12345678901}, {"months": 6.12345678901 * (1 + 1e-13)})
    assert differences({"months": 6.12345678901}, {"months": 6.12345678901 * (1 + 1e-10)})
    assert differences({"value": 1}, {"value": 1.0}), "a count has become a share"
