"""The verification of an installation as one documented, versioned document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from pydantic import Field

from blinasim.report.document import Document, finite
from blinasim.report.manifest import versions
from blinasim.study.verify import Verified

#: Raised when a key changes its meaning or goes away; a new key does not raise it.
SCHEMA_VERSION: Final = 1


class VerifiedDocument(Document):
    """One figure, expected and obtained."""

    id: str = Field(description="Identifier of the answer.")
    what: str = Field(description="What is computed.")
    label: str = Field(description="Which figure of it.")
    expected: float = Field(description="The answer as its source gives it.")
    obtained: float | None = Field(description="What this machine computes; null: not a number.")
    tolerance: float = Field(description="Largest difference allowed.")
    source: str = Field(description="Where the answer comes from.")
    passed: bool = Field(description="Whether the difference is allowed.")


class VerificationFile(Document):
    """What `blinasim verify --json` prints."""

    schema_version: Literal[1] = Field(SCHEMA_VERSION, description="Version of this document's schema.")
    versions: dict[str, str] = Field(description="Versions of blinasim, Python and the packages that compute.")
    passed: bool = Field(description="Whether all figures are as expected.")
    figures: list[VerifiedDocument] = Field(description="Every figure, in the order of the reference answers.")


def verification_file(lines: Sequence[Verified]) -> VerificationFile:
    """Put the document together."""
    return VerificationFile(
        versions=versions(),
        passed=all(line.passed for line in lines),
        figures=[
            VerifiedDocument(
                id=line.id,
                what=line.what,
                label=line.label,
                expected=line.expected,
                obtained=finite(line.obtained),
                tolerance=line.tolerance,
                source=line.source,
                passed=line.passed,
            )
            for line in lines
        ],
    )
