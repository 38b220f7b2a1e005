"""Tallies: pooled counts that add up exactly over batches, and the limits and oracles read from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blinasim.model.codes import HORIZON
from blinasim.scenario.settings import Trial
from blinasim.statistics.competing import IncidenceTable
from blinasim.statistics.tables import SurvivalTable
from blinasim.trial.endpoints import (
    DAYS_PER_MONTH,
    ENDPOINTS,
    Endpoint,
    FollowUp,
    Incidence,
    MedianOf,
    Share,
    Survival,
)
from blinasim.trial.observe import TrialData
from blinasim.trial.outcomes import OUTCOMES, Outcome

_DAYS: Final = HORIZON + 1


@dataclass(frozen=True)
class Tally:
    """Counts of all patients of some trials, seen without censoring by time.

    ``outcomes`` holds daily tables by outcome id, ``shares`` a count and its denominator by endpoint id, ``medians``
    the distribution of an attribute as a table.
    """

    outcomes: dict[str, IncidenceTable]
    shares: dict[str, tuple[int, int]]
    medians: dict[str, SurvivalTable]

    @classmethod
    def of(cls, data: TrialData, trial: Trial, *, truth: bool = False) -> Tally:
        """Count a batch; with ``truth`` the estimands' own days instead of recorded ones."""
        outcomes, shares, medians = {}, {}, {}
        for outcome in OUTCOMES:
            seen = (outcome.truth if truth else outcome.of)(data, trial)
            outcomes[outcome.id] = IncidenceTable.of(
                seen.time_days, seen.code, seen.member, causes=len(outcome.causes), days=_DAYS
            )
        for endpoint in ENDPOINTS:
            if isinstance(endpoint, Share):
                who, among = endpoint.of(data)
                shares[endpoint.id] = (int(np.sum(who & among)), int(np.sum(among)))
            elif isinstance(endpoint, MedianOf) and not endpoint.by_cutoff:
                values, among = endpoint.of(data)
                medians[endpoint.id] = SurvivalTable.of(values, among, among, days=_DAYS)
        return cls(outcomes, shares, medians)

    def __add__(self, other: Tally) -> Tally:
        """Pool two tallies."""
        return Tally(
            {key: table + other.outcomes[key] for key, table in self.outcomes.items()},
            {key: (x + other.shares[key][0], n + other.shares[key][1]) for key, (x, n) in self.shares.items()},
            {key: table + other.medians[key] for key, table in self.medians.items()},
        )

    def to_arrays(self) -> dict[str, NDArray[np.int64]]:
        """Return the counts as plain arrays: those that are not zero, and their places in the row of all counts."""
        tables: list[IncidenceTable | SurvivalTable] = [*self.outcomes.values(), *self.medians.values()]
        counts = np.concatenate([np.vstack([table.events, table.censored]).ravel() for table in tables])
        where = np.flatnonzero(counts)
        return {
            "where": where,
            "counts": counts[where],
            "beyond": np.array([table.beyond for table in tables], dtype=np.int64),
            "shares": np.array(list(self.shares.values()), dtype=np.int64),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[np.int64]]) -> Tally:
        """Return the tally that ``to_arrays`` made arrays of; KeyError, IndexError or ValueError if they are none."""
        medians = [each.id for each in ENDPOINTS if isinstance(each, MedianOf) and not each.by_cutoff]
        shares = [each.id for each in ENDPOINTS if isinstance(each, Share)]
        rows_of = [len(outcome.causes) + 1 for outcome in OUTCOMES] + [2] * len(medians)
        counts = np.zeros(sum(rows_of) * _DAYS, dtype=np.int64)
        counts[arrays["where"]] = arrays["counts"]
        tables = np.split(counts.reshape(-1, _DAYS), np.cumsum(rows_of)[:-1])
        pairs = list(zip(tables, arrays["beyond"].tolist(), strict=True))
        return cls(
            {
                outcome.id: IncidenceTable(table[:-1], table[-1], beyond)
                for outcome, (table, beyond) in zip(OUTCOMES, pairs[: len(OUTCOMES)], strict=True)
            },
            {key: (int(x), int(n)) for key, (x, n) in zip(shares, arrays["shares"], strict=True)},
            {
                key: SurvivalTable(table[0], table[1], beyond)
                for key, (table, beyond) in zip(medians, pairs[len(OUTCOMES) :], strict=True)
            },
        )

    def value(self, endpoint: Endpoint) -> float | None:
        """Return the endpoint's value among the pooled patients; None where it has none without a cut-off."""
        match endpoint:
            case FollowUp():
                return None
            case Share() | MedianOf() if endpoint.by_cutoff:
                return None
            case Share():
                who, among = self.shares[endpoint.id]
                return who / among if among else None
            case MedianOf():
                return _ordinary_median(self.medians[endpoint.id])
            case Incidence():
                curves = self.outcomes[endpoint.outcome].cumulative_incidence()
                return _known(curves[endpoint.cause - 1, int(endpoint.day)])
            case Survival():
                return _known(_summary(endpoint, self.outcomes[endpoint.outcome].all_causes()))


def _summary(endpoint: Survival, table: SurvivalTable) -> float:
    match endpoint.summary:
        case "median":
            return table.median() / DAYS_PER_MONTH
        case "survival":
            return table.survival_at(endpoint.day)
        case "mortality":
            return 1.0 - table.survival_at(endpoint.day)
        case "rmst":
            return table.rmst(endpoint.day) / DAYS_PER_MONTH


def _ordinary_median(table: SurvivalTable) -> float | None:
    """Return the median of counted values, midway between the middle two where their number is even."""
    count = table.n_patients
    if not count:
        return None
    reached = np.cumsum(table.events)
    lower, upper = (int(np.searchsorted(reached, rank, side="left")) for rank in ((count + 1) // 2, count // 2 + 1))
    return (lower + upper) / 2.0


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def oracle_world(endpoint: Endpoint) -> str:
    """Return the world in which an endpoint's estimand is defined: ``as_run`` or ``no_hsct``."""
    outcome = _outcome(endpoint)
    return "as_run" if outcome is None or outcome.hsct_exists else "no_hsct"


def _outcome(endpoint: Endpoint) -> Outcome | None:
    if isinstance(endpoint, Survival | Incidence):
        return next(outcome for outcome in OUTCOMES if outcome.id == endpoint.outcome)
    return None
