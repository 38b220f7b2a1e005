"""The value of information as lines of tables and sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from blinasim.inference.value import Candidate, ValueOfInformation, Worth
from blinasim.report.table import INDENT, Table
from blinasim.report.words import share, value, with_error
from blinasim.study.measures import Unit

if TYPE_CHECKING:
    import pandas as pd

#: Single parameters in the table.
_SHOWN: Final = 10
#: What the columns mean.
VALUE_DEFINITIONS: Final = (
    ("gain", "Over the first policy, paired, ± Monte Carlo standard error."),
    ("best", "Probability of being the best under a draw of the parameters."),
    (
        "value",
        "What knowing the parameters would be worth, by regression of the gains on the draws, ± its "
        "standard error: one of less than two of them may be nothing. A set is never worth less than a set "
        "within it.",
    ),
    ("of EVPI", "As a part of what knowing all parameters would be worth."),
)
#: What is to be said of its figures.
TAKEN_AS_THEY_ARE: Final = "All sets and parameters: value.csv. Prices and utilities are taken as they are."
#: Decimals of a value of information, by the unit of the objective; shares in percentage points.
_DECIMALS: Final[dict[Unit, int]] = {"money": 0, "QALYs": 4, "share": 2}


def worth_text(number: float, error: float, unit: Unit) -> str:
    """Write a value of information with its Monte Carlo standard error."""
    factor, decimals = 100 if unit == "share" else 1, _DECIMALS.get(unit, 3)
    suffix = " pp" if unit == "share" else ""
    return f"{factor * number:,.{decimals}f} ±{factor * error:,.{decimals}f}{suffix}"


def unit_text(found: ValueOfInformation) -> str:
    """Say in what the objective is counted."""
    payoffs = found.payoffs
    if found.objective.unit == "money" and payoffs is not None:
        return f"{payoffs.currency} a patient"
    return "percentage points" if found.objective.unit == "share" else found.objective.unit


def candidate_cells(found: ValueOfInformation, one: Candidate) -> tuple[str, str, str, str]:
    """Return the line of a policy: name, objective, gain over the reference, probability of being the best."""
    unit = found.objective.unit
    gain = "reference" if one.name == found.reference else with_error(one.gain, one.gain_mcse, unit)
    error = f" ±{100 * one.best_error:.1f}" if one.best_error > 0 else ""
    return one.name, value(one.mean, unit), gain, f"{share(one.best)}{error}"


def worth_cells(found: ValueOfInformation, one: Worth) -> tuple[str, str, str, str]:
    """Return the line of a set of parameters: name, grade, what knowing it is worth, as a part of knowing all."""
    part = one.value / found.perfect.value if found.perfect.value > 0 else 0.0
    grade = one.info.grade if one.info else ""
    return one.name, grade, worth_text(one.value, one.error, found.objective.unit), f"{100 * part:.0f} %"


def candidate_table(found: ValueOfInformation) -> Table:
    """Return the table of the policies."""
    lines = tuple(candidate_cells(found, one) for one in found.candidates)
    return Table(("", found.objective.name, "gain", "best"), lines, "The policies, the reference first")


def worth_table(found: ValueOfInformation) -> Table:
    """Return the table of what is worth knowing: the single parameters that are worth most."""
    lines: list[tuple[str, ...]] = []
    kinds = (("Groups", found.groups), ("Sets asked for", found.asked), ("Single parameters", found.singles[:_SHOWN]))
    for kind, worths in kinds:
        if worths:
            lines.append((kind,))
            lines += [(f"{INDENT}{name}", *rest) for name, *rest in (worth_cells(found, one) for one in worths)]
    titles = ("Worth knowing", "grade", f"value, {unit_text(found)}", "of EVPI")
    return Table(titles, tuple(lines), "What it would be worth to know them before choosing")


def perfect_text(found: ValueOfInformation) -> str:
    """Say what is chosen without knowing more, and what knowing all parameters would be worth."""
    chosen, unit = found.chosen, found.objective.unit
    worth = worth_text(found.perfect.value, found.perfect.error, unit)
    at, said = "", "" if unit == "share" else f" {unit_text(found)}"
    if found.judged is not None and (payoffs := found.payoffs):
        at = f" at {payoffs.threshold_per_qaly:,.0f} {payoffs.currency} per QALY"
    return (
        f"Chosen as things stand{at}: {chosen.name}, the best with probability {share(chosen.best)}. "
        f"To know all parameters first would be worth {worth}{said} (EVPI)."
    )


def explained_text(found: ValueOfInformation) -> str:
    """Say how much of what differs between draws the regression sees."""
    said = []
    for one in found.candidates[1:]:
        if one.explained_of > 0.0:
            said.append(f"{one.name} {100 * one.explained / one.explained_of:.0f} %")
    if not said:
        return "Pairs of trials show no difference between draws."
    return (
        "The spread of the gains over draws that the parameters explain, of that which pairs of trials show: "
        f"{', '.join(said)}. Where it is much under 100 %, values of information are too small."
    )


def value_frame(found: ValueOfInformation) -> pd.DataFrame:
    """Return all values of information as data: a row a set of parameters."""
    import pandas as pd

    kinds = (("all", (found.perfect,)), ("group", found.groups), ("single", found.singles), ("asked", found.asked))
    return pd.DataFrame(
        [
            {
                "kind": kind,
                "name": one.name,
                "parameters": ";".join(one.parameters),
                "grade": one.info.grade if one.info else "",
                "objective": found.objective.id,
                "unit": found.objective.unit,
                "value": one.value,
                "mcse": one.error,
                "part_of_evpi": one.value / found.perfect.value if found.perfect.value > 0 else math.nan,
            }
            for kind, within in kinds
            for one in within
        ]
    )


def acceptability_frame(found: ValueOfInformation) -> pd.DataFrame | None:
    """Return acceptability by threshold as data: a row a threshold and policy; None where none is judged so."""
    import pandas as pd

    judged = found.judged
    if judged is None:
        return None
    return pd.DataFrame(
        [
            {
                "threshold_per_qaly": float(threshold),
                "policy": one.name,
                "acceptability": float(judged.acceptability[place, column]),
                "acceptability_error": float(judged.acceptability_error[place, column]),
                "evpi": float(judged.evpi[column]),
                "evpi_error": float(judged.evpi_error[column]),
            }
            for column, threshold in enumerate(judged.thresholds)
            for place, one in enumerate(found.candidates)
        ]
    )
