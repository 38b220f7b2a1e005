"""Summaries of a study: one row an endpoint, each Monte Carlo figure with its standard error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blinasim.statistics.intervals import PredictiveInterval, mean_mcse, predictive_interval, quantile_mcse
from blinasim.study.simulate import Result
from blinasim.trial.endpoints import ENDPOINTS, Endpoint


@dataclass(frozen=True)
class Summary:
    """One endpoint over the simulated trials, in the endpoint's unit.

    ``mean`` and its standard error are NaN when a trial did not reach the quantity; ``median_mcse`` is the Monte
    Carlo standard error of the median of the trials.
    """

    endpoint: Endpoint
    predicted: PredictiveInterval
    median_mcse: float
    mean: float
    mean_mcse: float
    limit: float | None
    oracle: float | None

    @property
    def estimable(self) -> bool:
        """Whether at least half of the trials have a value."""
        return self.predicted.n_values >= max(1, self.predicted.n_missing)


def summarize(result: Result) -> list[Summary]:
    """Summarize every endpoint of a study, in the order of the results table."""
    return [_one(result, endpoint) for endpoint in ENDPOINTS]


def _one(result: Result, endpoint: Endpoint) -> Summary:
    values = result.estimates[endpoint.id].value
    known = values[~np.isnan(values)]
    finite = known.size > 0 and bool(np.all(np.isfinite(known)))
    return Summary(
        endpoint=endpoint,
        predicted=predictive_interval(values),
        median_mcse=quantile_mcse(known) if known.size > 1 else float("nan"),
        mean=float(known.mean()) if finite else float("nan"),
        mean_mcse=mean_mcse(known) if finite and known.size > 1 else float("nan"),
        limit=result.limits[endpoint.id],
        oracle=result.oracles[endpoint.id],
    )
