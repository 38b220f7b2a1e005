"""Every claim stands where it is said to stand, and every test that is named for it is there."""

from __future__ import annotations

import pytest

import traceability
from traceability import Claim, claims, known_tests, problems, traceability_document

A_TEST = "test_luck.py::test_luck_never_changes"


def test_every_claim_stands_in_its_document_and_its_tests_exist() -> None:
    assert problems() == []


def test_the_page_is_that_of_the_claims() -> None:
    """Run ``python docs/refresh.py --generated`` where this fails."""
    assert traceability.PAGE.read_text(encoding="utf-8") == traceability_document()


def test_the_claims_are_many_and_of_every_document() -> None:
    assert len(claims()) >= 60
    docs = traceability.ROOT / "docs"
    written = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}
    generated = {"traceability.md", "calibration_targets.md", "data_dictionary.md", "mutation.md"}
    # Made of the README, of code and of data; or words, whose commands and links are tested.
    generated |= {"index.md", "quick_start.md", "cite.md", "results.md", "commands.md", "api.md", "parameters.md"}
    generated |= {"scenario_settings.md", "design_settings.md", "glossary.md"}
    generated |= {"how_to/teach.md", "how_to/compare.md", "how_to/calibrate.md"}
    claimed = {claim.document.removeprefix("docs/") for claim in claims()}
    assert written - generated <= claimed
    assert {"README.md", "SPECIFICATION.md", "ARCHITECTURE.md"} <= claimed


@pytest.mark.parametrize(
    ("phrase", "tests", "measured", "complaint"),
    [
        ("no such phrase stands there", (A_TEST,), "", "does not stand there"),
        ("blinasim", ("test_luck.py::test_that_is_not",), "", "there is no test"),
        ("blinasim", ("lives/nobodys.yaml",), "", "there is no test"),
        ("blinasim", (), "", "either"),
        ("blinasim", (A_TEST,), "and measured", "either"),
    ],
)
def test_a_wrong_claim_is_noticed(phrase: str, tests: tuple[str, ...], measured: str, complaint: str) -> None:
    (found,) = Claim("README.md", "a claim", phrase, tests, measured).problems
    assert complaint in found


def test_tests_are_found_in_their_text() -> None:
    assert {A_TEST, "statistics/test_cox.py::test_hand_worked_ties", "lives/stopped_clock.yaml"} <= known_tests()
