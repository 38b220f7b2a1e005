"""The comparison's tables: differences, flows, the repeat with independent luck, and what is assumed on searches."""

from __future__ import annotations

from typing import Final

from blinasim.report.comparison import (
    HEAD_START_TITLES,
    STANDINGS,
    comparison_rows,
    head_start_lines,
    repeats,
    stayed,
    ways,
)
from blinasim.report.table import INDENT, Table, is_heading
from blinasim.study.comparison import Comparison, Contrast, Pairs

#: Titles of columns by luck: a policy, or at last the reference itself, against the reference.
_LUCKS: Final = ("shared luck", "drawn again", "reference again")


def comparison_table(comparison: Comparison, policy: str) -> Table:
    """Return the table of a policy's paired differences."""
    lines: list[tuple[str, ...]] = []
    section = None
    for row in comparison_rows(comparison, policy):
        if row.section != section:
            section = row.section
            lines.append((section,))
        cells = (row.reference_text, row.policy_text, row.difference_text, row.trials_text, row.better_text)
        lines.append((f"{INDENT}{row.label}", *cells))
    titles = ("", "reference", "policy", "difference (95 % interval)", "95 % of trials", "better")
    return Table(titles, tuple(lines), f"{policy} against {comparison.reference.name}")


def flows_table(comparison: Comparison, contrast: Contrast, pairs: Pairs) -> Table:
    """Return the table of where the same patients stand: under the policy, and under the reference itself again.

    Parameters
    ----------
    comparison : Comparison
        Which also has the reference lived again with independent luck.
    contrast : Contrast
        Of the policy.
    pairs : Pairs
        Its flows, by luck.

    Returns
    -------
    Table
        Shares of all patients.
    """
    lines: list[tuple[str, ...]] = [
        (
            f"{INDENT}{STANDINGS[way.source]}",
            STANDINGS[way.target],
            *(f"{100 * part:.2f} %" for part in (way.shared, way.independent, way.itself)),
        )
        for way in ways(comparison, pairs)
    ]
    every = (pairs.flows, pairs.flows_again, comparison.reference_again.flows)
    lines.append((f"{INDENT}the same in both", "", *(f"{100 * stayed(flows):.2f} %" for flows in every)))
    titles = ("At 24 months, under the reference", "in the other life", *_LUCKS)
    return Table(titles, tuple(lines), f"Where the same patients stand: {contrast.name}, shares of all")


def repeats_table(comparison: Comparison, contrast: Contrast) -> Table:
    """Return the table of what independent luck leaves of the main differences."""
    lines = ((f"{INDENT}{name}", *texts) for name, *texts in (one.texts for one in repeats(comparison, contrast.name)))
    titles = ("Mean difference ± its standard error", *_LUCKS, "apart, s.e.")
    return Table(titles, tuple(lines), f"Means with shared and with independent luck: {contrast.name}")


def head_start_table(contrast: Contrast) -> Table:
    """Return the table of differences by what is assumed on searches under way at enrolment."""
    lines = (line if is_heading(line) else (f"{INDENT}{line[0]}", *line[1:]) for line in head_start_lines(contrast))
    return Table(HEAD_START_TITLES, tuple(lines), f"If other searches were under way at enrolment: {contrast.name}")
