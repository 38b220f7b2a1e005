"""Summaries of a study: one row an endpoint, each Monte Carlo figure with its standard error."""

from __future__ import annotations

from dataclasses import dataclass

from blinasim.statistics.intervals import PredictiveInterval, predictive_interval
from blinasim.statistics.pairs import Parts, parts_of_variance
from blinasim.study.precision import mean_and_mcse, median_mcse
from blinasim.study.simulate import Result
from blinasim.trial.endpoints import ENDPOINTS, Endpoint


@dataclass(frozen=True)
class Summary:
    """One endpoint over the simulated trials, in the endpoint's unit.

    Attributes
    ----------
    endpoint, predicted
        Which one, and its median and interval over the trials.
    median_mcse : float
        Monte Carlo standard error of the median of the trials.
    mean, mean_mcse : float
        Over the trials; NaN when one did not reach the quantity.
    limit, oracle : float or None
        Without the trial's censoring by time, and of the estimand itself; None where there is none.
    parts : Parts, optional
        The variance of the trials split into what comes of not knowing the parameters and chance in a trial of this
        size; None where the parameters do not vary.
    """

    endpoint: Endpoint
    predicted: PredictiveInterval
    median_mcse: float
    mean: float
    mean_mcse: float
    limit: float | None
    oracle: float | None
    parts: Parts | None = None

    @property
    def estimable(self) -> bool:
        """Whether at least half of the trials have a value."""
        return self.predicted.n_values >= max(1, self.predicted.n_missing)


def summarize(result: Result) -> list[Summary]:
    """Summarize every endpoint of a study, in the order of the results table."""
    return [_one(result, endpoint) for endpoint in ENDPOINTS]


def _one(result: Result, endpoint: Endpoint) -> Summary:
    values = result.estimates[endpoint.id].value
    paired = result.parameters.varies
    mean, mean_mcse = mean_and_mcse(values, paired=paired)
    return Summary(
        endpoint=endpoint,
        predicted=predictive_interval(values),
        median_mcse=median_mcse(values, paired=paired),
        mean=mean,
        mean_mcse=mean_mcse,
        limit=result.limits[endpoint.id],
        oracle=result.oracles[endpoint.id],
        parts=parts_of_variance(values) if paired else None,
    )
