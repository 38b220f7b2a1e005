"""A small synthetic posterior for the tests: draws around the point values, by a part of the prior's spread."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from blinasim.inference.posterior import LOG_LIKELIHOOD, WEIGHT, Posterior, independent_uniforms
from blinasim.inference.priors import normal_score, quantile
from blinasim.model.catalogue import parameter_catalogue
from blinasim.model.parameters import Structure


@cache
def small_posterior(draws: int = 60, spread: float = 0.4, seed: int = 1) -> Posterior:
    """Draws whose standard normal numbers lie around those of the point values with this standard deviation."""
    from scipy.special import ndtri

    weights = 1.0 + 0.5 * np.sin(np.arange(draws))
    columns = {WEIGHT: weights / weights.sum(), LOG_LIKELIHOOD: np.zeros(draws)}
    for name, info in parameter_catalogue().items():
        if info.prior.distribution == "fixed":
            columns[name] = np.full(draws, info.value)
            continue
        z = spread * ndtri(independent_uniforms(name, draws, seed))
        columns[name] = quantile(info.prior, normal_score(info.prior, np.array([info.value])) + z)
    return Posterior(pd.DataFrame(columns), Structure(), -80.0, 0.2, (), {"made by": "the tests"})
