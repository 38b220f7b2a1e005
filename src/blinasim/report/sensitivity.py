"""The sensitivity of a scenario's outcomes as lines of a table, and in a sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blinasim.inference.diagnostics import LEAST_CONTRACTION
from blinasim.inference.sensitivity import Bearing, OutcomeSensitivity, Sensitivity
from blinasim.report.table import Table
from blinasim.report.words import NOT_APPLICABLE, listed

if TYPE_CHECKING:
    import pandas as pd


def heading(one: OutcomeSensitivity) -> str:
    """Say what an outcome is at the centre, and how far it spreads under the posterior."""
    unit = "" if one.outcome.unit == "share" else f", {one.outcome.unit}"
    spread = "" if one.spread is None else f"; posterior standard deviation {written(one.spread, one.outcome.unit)}"
    centre, error = (written(each, one.outcome.unit) for each in (one.centre, one.centre_mcse))
    return f"{one.outcome.label}{unit}: {centre.removesuffix(' %')} ±{error} at the centre{spread}"


def cells(bearing: Bearing, unit: str) -> tuple[str, ...]:
    """Return the line of a parameter: its prior's interval, the outcome there, indices, posterior part, contraction."""
    low, high = bearing.tornado.low, bearing.tornado.high
    index, part = bearing.index, bearing.posterior
    return (
        bearing.name,
        bearing.info.grade,
        f"{bearing.low:.3g} to {bearing.high:.3g}",
        f"{written(low, unit).removesuffix(' %')} to {written(high, unit)}",
        percent(index.first) if index else "",
        percent(index.total) if index else "",
        f"{percent(part.value)} ±{100 * part.error:.0f}" if part else NOT_APPLICABLE,
        NOT_APPLICABLE if bearing.contraction is None else f"{bearing.contraction:.2f}{' !' * bearing.is_uninformed}",
    )


#: Parameters in the table.
_SHOWN: Final = 10
#: What the columns mean.
SENSITIVITY_DEFINITIONS: Final = (
    (
        "outcome there",
        "With this parameter at the ends of its prior's 95 % interval, the others at the centre, same luck.",
    ),
    ("first, total", "Sobol indices over the priors: what the parameter does alone, and with the others."),
    ("posterior", "Part of the outcome's posterior variance that goes with it (± standard error)."),
    ("contraction", "1 less posterior over prior variance; ! marks next to nothing learnt."),
)


def sensitivity_table(one: OutcomeSensitivity) -> Table:
    """Return the table of the parameters that move an outcome most."""
    titles = ["parameter", "grade", "prior 95 %", "outcome there", "first", "total"]
    titles += ["posterior", "contraction"] * (one.spread is not None)
    lines = tuple(cells(bearing, one.outcome.unit)[: len(titles)] for bearing in one.bearings[:_SHOWN])
    return Table(tuple(titles), lines, heading(one))


def others_text(one: OutcomeSensitivity) -> str:
    """Say what the parameters without indices of their own have together."""
    if one.others is None:
        return ""
    alone, total = percent(one.others.first), percent(one.others.total)
    return f"All parameters without indices of their own, together: first order {alone}, total {total}."


def groups_text(one: OutcomeSensitivity, most: int = 4) -> str:
    """Say what parts of the posterior variance go with groups of parameters."""
    if not one.groups:
        return ""
    named = [f"{group} {percent(share.value)}" for group, share in list(one.groups.items())[:most]]
    return f"Posterior variance that goes with groups of parameters, which may overlap: {', '.join(named)}."


def sentence(one: OutcomeSensitivity) -> str:
    """Say on which assumptions an outcome rests."""
    named = one.strongest()
    if not named:
        return f"{one.outcome.label} rests on no single parameter."
    return f"{one.outcome.label} rests most on {listed([_named(each) for each in named])}."


def _named(bearing: Bearing) -> str:
    said: list[str] = []
    if bearing.posterior is not None:
        said.append(f"{percent(bearing.posterior.value)} of its posterior variance")
    said.append(bearing.info.grade)
    if bearing.is_uninformed:
        said.append("the figures say next to nothing about it")
    return f"{bearing.name} ({'; '.join(said)})"


def uninformed_text(found: Sensitivity) -> str:
    """Say how many of the parameters the figures have left where they were."""
    bearings = found.outcomes[0].bearings
    if any(one.contraction is None for one in bearings):
        return "No posterior: centre and ends are those of the point values and the priors."
    few = sum(one.is_uninformed for one in bearings)
    return f"Contraction under {LEAST_CONTRACTION} (!), next to nothing learnt: {few} of {len(bearings)} parameters."


def written(number: float, unit: str) -> str:
    """Write an outcome in its unit; shares as percentages."""
    return f"{100 * number:.1f} %" if unit == "share" else f"{number:.2f}"


def percent(share: float) -> str:
    """Write a share of the variance."""
    return f"{100 * share:.0f} %"


def sensitivity_frame(found: Sensitivity) -> pd.DataFrame:
    """Return everything as data: a row an outcome and parameter, outcomes in their units."""
    import pandas as pd

    return pd.DataFrame(
        [_record(one, bearing, rank) for one in found.outcomes for rank, bearing in enumerate(one.bearings, start=1)]
    )


def _record(one: OutcomeSensitivity, bearing: Bearing, rank: int) -> dict[str, object]:
    index, part = bearing.index, bearing.posterior
    return {
        "outcome": one.outcome.id,
        "unit": one.outcome.unit,
        "rank": rank,
        "parameter": bearing.name,
        "grade": bearing.info.grade,
        "prior_low": bearing.low,
        "prior_high": bearing.high,
        "centre": one.centre,
        "outcome_low": bearing.tornado.low,
        "outcome_high": bearing.tornado.high,
        "difference_mcse": bearing.tornado.mcse,
        "first_order": index.first if index else None,
        "first_order_error": index.first_error if index else None,
        "total": index.total if index else None,
        "total_error": index.total_error if index else None,
        "posterior_share": part.value if part else None,
        "posterior_share_error": part.error if part else None,
        "contraction": bearing.contraction,
    }
