"""An optimization as lines of a table and sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from blinasim.report.table import Table
from blinasim.report.words import share, value, with_error, with_limits
from blinasim.study.optimize import Estimate, Limit, Optimization, Runner

if TYPE_CHECKING:
    import pandas as pd


#: Candidates in the table.
SHOWN: Final = 25
#: What the columns mean.
OPTIMIZATION_DEFINITIONS: Final = (
    (
        "behind",
        "Paired difference from the best (95 % interval, one by one; what is told apart is so for all at "
        "once), on fresh luck where it was estimated there.",
    ),
    ("best", "Probability that its mean is the best, by chance in the simulation alone."),
)
#: How candidates leave the race.
RACE_RULE: Final = (
    "In the race a candidate is dropped as worse, or beyond a limit, by a rule fixed beforehand, which loses the best "
    "one with a probability of 5 % at most."
)


def limit_text(limit: Limit) -> str:
    """Say what a limit asks."""
    return f"{limit.measure.name} {limit.side} {value(limit.bound, limit.measure.unit)}"


def estimate_text(found: Optimization, estimate: Estimate) -> str:
    """Write the objective with its Monte Carlo standard error."""
    unit = found.objective.unit
    error = with_error(estimate.mcse, math.nan, unit).lstrip("+").removesuffix(" pp")
    return f"{value(estimate.mean, unit).removesuffix(' %')} ±{error}{' %' if unit == 'share' else ''}"


def runner_cells(found: Optimization, one: Runner) -> tuple[str, ...]:
    """Return the line of a candidate: name, what became of it, trials raced, objective, gap, probability, limits."""
    estimates = one.fresh or one.raced
    gap, unit = one.fresh_gap or one.gap, found.objective.unit
    behind = ""
    if gap is not None and one is not found.best:
        less = found.better == "maximize"
        mean, lower, upper = (-gap.mean, -gap.upper, -gap.lower) if less else (gap.mean, gap.lower, gap.upper)
        behind = with_limits(mean, lower, upper, unit)
    kept = {True: "kept", False: "broken", None: "open"}[one.keeps] if found.limits else ""
    return (
        one.name,
        one.verdict,
        f"{one.trials:,}",
        estimate_text(found, estimates[found.objective.id]),
        behind,
        share(one.probability) if one.fresh else "",
        kept,
    )


def optimization_table(found: Optimization) -> Table:
    """Return the table of the candidates, the best first; of very many, the first ones."""
    titles = ("candidate", "", "trials", found.objective.name, "behind", "best", "limits")
    table = Table(
        titles, tuple(runner_cells(found, one) for one in found.runners[:SHOWN]), "The candidates, the best first"
    )
    return table if found.limits else table.without("limits")


def best_text(found: Optimization) -> str:
    """Say which candidate was chosen, what is expected of it, and what could not be told from it."""
    best, unit = found.best, found.objective.unit
    fresh = best.fresh[found.objective.id]
    limits = " that keeps " + " and ".join(map(limit_text, found.limits)) if found.limits else ""
    said = (
        f"Chosen of {len(found.runners):,}{limits}: {best.name}. {found.objective.name} on luck that the race did not "
        f"use: {value(fresh.mean, unit)} (95 % interval {value(fresh.lower, unit)} to {value(fresh.upper, unit)})."
    )
    if found.limits and best.keeps is not True:
        said += (
            " Whether it keeps the limits is not certain." if best.keeps is None else " On that luck it breaks a limit."
        )
    rivals = found.not_told_apart
    if not rivals:
        others = "worse or beyond a limit" if found.limits else "worse"
        return f"{said} Every other candidate is {others}, with 95 % confidence."
    return (
        f"{said} It is the best with probability {share(best.probability)}: {len(rivals)} other"
        f"{'s' * (len(rivals) != 1)} cannot be told from it ({_some([one.name for one in rivals])})."
    )


def _some(names: list[str], most: int = 4) -> str:
    shown = "; ".join(names[:most])
    return shown if len(names) <= most else f"{shown}; and {len(names) - most} more"


def race_text(found: Optimization) -> str:
    """Say how the race was run, and what it saved."""
    whole = len(found.runners) * (found.looks[-1] + found.fresh_trials)
    looks = ", ".join(f"{look:,}" for look in found.looks)
    return (
        f"Looks after {looks} trials; {found.fresh_trials:,} trials of fresh luck. {found.trials_lived:,} trials lived "
        f"instead of {whole:,}."
    )


def impossible_text(found: Optimization) -> str:
    """Say which combinations are no scenario."""
    if not found.impossible:
        return ""
    name, why = next(iter(found.impossible.items()))
    more = f", and {len(found.impossible) - 1:,} more" if len(found.impossible) > 1 else ""
    return f"No scenario, and left out: {name} ({why}){more}."


def optimization_frame(found: Optimization) -> pd.DataFrame:
    """Return all candidates as data, a row each; measures in their units."""
    import pandas as pd

    return pd.DataFrame([_record(found, one) for one in found.runners])


def _record(found: Optimization, one: Runner) -> dict[str, object]:
    record: dict[str, object] = {
        "candidate": one.name,
        **dict(one.settings),
        "fate": one.verdict,
        "objective": found.objective.id,
        "trials_raced": one.trials,
        "probability_best": one.probability,
        "keeps_limits": one.keeps,
    }
    for kind, estimates in (("raced", one.raced), ("fresh", one.fresh)):
        for key in one.raced:
            estimate = estimates.get(key)
            record[f"{kind}_{key}"] = estimate.mean if estimate else None
            record[f"{kind}_{key}_mcse"] = estimate.mcse if estimate else None
    for kind, gap in (("gap", one.gap), ("fresh_gap", one.fresh_gap)):
        record |= {
            kind: gap.mean if gap else None,
            f"{kind}_lower": gap.lower if gap else None,
            f"{kind}_upper": gap.upper if gap else None,
        }
    return record
