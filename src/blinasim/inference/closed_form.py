"""Parameters that are the probability of a published binomial count: beta posteriors, without any sampling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from blinasim.errors import ParameterError
from blinasim.model.catalogue import Prior

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BetaPosterior:
    """A beta distribution that has learnt from a binomial count.

    Attributes
    ----------
    a, b : float
        Of the posterior: those of the prior, plus successes and failures.
    log_evidence : float
        Log probability of the count under the prior (beta-binomial).
    """

    a: float
    b: float
    log_evidence: float

    @classmethod
    def of(cls, prior: Prior, count: int, denominator: int) -> BetaPosterior:
        """Update a beta prior by a binomial count.

        Parameters
        ----------
        prior : Prior
            A beta distribution.
        count, denominator : int
            Successes among how many.

        Returns
        -------
        BetaPosterior

        Raises
        ------
        ParameterError
            If the prior is of another distribution.
        """
        if prior.a is None or prior.b is None:
            raise ParameterError(f"a closed-form posterior needs a beta prior, not {prior}")
        a, b = prior.a + count, prior.b + denominator - count
        ways = special.gammaln(denominator + 1.0) - special.gammaln(count + 1.0)
        ways -= special.gammaln(denominator - count + 1.0)
        return cls(a, b, float(ways + special.betaln(a, b) - special.betaln(prior.a, prior.b)))

    def quantile(self, probability: Floats) -> Floats:
        """Return quantiles."""
        return np.asarray(special.betaincinv(self.a, self.b, probability))
