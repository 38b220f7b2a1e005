"""Priors: each calibrated parameter as a standard normal number, and back.

The map goes through the prior's own quantiles: ``theta = F^-1(Phi(z))``. A priori ``z`` is then standard normal
whatever the distribution, in all coordinates and independently, which is what the sampler's moves are made for; and the
edges of a probability lie at infinity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from blinasim.errors import ParameterError
from blinasim.model.catalogue import ParameterInfo, Prior
from blinasim.model.parameters import ONLY_UNDER, Structure

Floats = NDArray[np.float64]

#: Probabilities nearer to 0 or 1 than this are taken for it: odds must stay finite.
_EDGE: Final = 1e-9
_LOG_ROOT_TWO_PI: Final = 0.5 * np.log(2.0 * np.pi)


def quantile(prior: Prior, z: Floats) -> Floats:
    """Return the values of a parameter at standard normal numbers.

    Parameters
    ----------
    prior : Prior
        Of the parameter.
    z : array of float
        Any shape.

    Returns
    -------
    array of float
        Of the same shape, in the parameter's unit.

    Raises
    ------
    ValueError
        If the parameter is fixed.
    """
    match prior:
        case Prior(distribution="beta", a=float(a), b=float(b)):
            return np.clip(special.betaincinv(a, b, special.ndtr(z)), _EDGE, 1.0 - _EDGE)
        case Prior(distribution="lognormal", median=float(median), sigma=float(sigma)):
            return np.asarray(median * np.exp(sigma * z))
        case Prior(distribution="uniform", low=float(low), high=float(high)):
            return np.asarray(low + (high - low) * special.ndtr(z))
    raise ValueError("a fixed parameter has no distribution")


def drawn(info: ParameterInfo, uniform: Floats) -> Floats:
    """Return draws of a parameter from its prior, given uniforms of any shape; a fixed one has its value in all."""
    if info.prior.distribution == "fixed":
        return np.full(uniform.shape, info.value)
    return quantile(info.prior, np.asarray(special.ndtri(uniform)))


def normal_score(prior: Prior, value: Floats) -> Floats:
    """Return the standard normal numbers of a parameter's values; the reverse of :func:`quantile`.

    Parameters
    ----------
    prior : Prior
        Of the parameter.
    value : array of float
        Any shape, in the parameter's unit.

    Returns
    -------
    array of float
        Of the same shape.

    Raises
    ------
    ValueError
        If the parameter is fixed.
    """
    match prior:
        case Prior(distribution="beta", a=float(a), b=float(b)):
            below: Floats = special.betainc(a, b, value)
            above: Floats = special.betaincc(a, b, value)
            return np.where(below < 0.5, special.ndtri(below), -special.ndtri(above))
        case Prior(distribution="lognormal", median=float(median), sigma=float(sigma)):
            return np.asarray(np.log(value / median) / sigma)
        case Prior(distribution="uniform", low=float(low), high=float(high)):
            return np.asarray(special.ndtri((value - low) / (high - low)))
    raise ValueError("a fixed parameter has no distribution")


@dataclass(frozen=True)
class Priors:
    """Some parameters' priors, independent of each other.

    Attributes
    ----------
    names : tuple of str
        Dotted names; the columns of all arrays.
    priors : tuple of Prior
        Their distributions; none is fixed.
    """

    names: tuple[str, ...]
    priors: tuple[Prior, ...]

    @classmethod
    def of(cls, catalogue: Mapping[str, ParameterInfo], names: Sequence[str]) -> Priors:
        """Take the priors of some parameters from the catalogue.

        Parameters
        ----------
        catalogue : mapping of str to ParameterInfo
            All parameters by dotted name.
        names : sequence of str
            Which, in the order of the columns.

        Returns
        -------
        Priors

        Raises
        ------
        ParameterError
            If there is no such parameter, or it is fixed.
        """
        for name in names:
            if name not in catalogue:
                raise ParameterError(f"{name}: no such parameter to calibrate; see calibration/parameters.yaml")
            if catalogue[name].prior.distribution == "fixed":
                raise ParameterError(f"{name}: is fixed; give it a prior to calibrate it")
        return cls(tuple(names), tuple(catalogue[name].prior for name in names))

    def __len__(self) -> int:
        return len(self.names)

    def values(self, z: Floats) -> Floats:
        """Return parameter values from standard normal numbers, both of shape (N, d)."""
        return np.stack([quantile(prior, z[:, i]) for i, prior in enumerate(self.priors)], axis=1)

    def normal_scores(self, values: Floats) -> Floats:
        """Return standard normal numbers from parameter values, both of shape (N, d)."""
        return np.stack([normal_score(prior, values[:, i]) for i, prior in enumerate(self.priors)], axis=1)


def log_standard_normal(z: Floats) -> Floats:
    """Return the log density of independent standard normal numbers of shape (N, d); shape (N,)."""
    return np.asarray(-0.5 * np.einsum("ij,ij->i", z, z) - z.shape[1] * _LOG_ROOT_TWO_PI)


# --- which parameters the targets touch ---------------------------------------------------------------------

#: Groups and parameters that act only under policies of the user, after the follow-up of the study, or on nothing that
#: was published: their posterior is their prior. The study followed nobody beyond 514 days.
UNTOUCHED: Final = frozenset(
    {
        "induction.death_infection_share",
        "induction.death_adverse_event_share",
        "relapse.maintenance_speed",
        "relapse.bridging_speed",
        "relapse.graft_late_speed",
        "relapse.plateau_days",
        "non_relapse.late_until_days",
        "non_relapse.tail_ratio",
        "standard_therapy.response_odds_ratio",
        "standard_therapy.early_death_hazard_ratio",
        "standard_therapy.relapse_speed",
        "standard_therapy.failure_speed",
    }
)


def sampled(
    catalogue: Mapping[str, ParameterInfo], closed_form: Sequence[str], structure: Structure
) -> tuple[str, ...]:
    """Return the parameters that the sampler moves, in the order of the catalogue.

    Parameters
    ----------
    catalogue : mapping of str to ParameterInfo
        All parameters by dotted name.
    closed_form : sequence of str
        Those with a closed-form posterior.
    structure : Structure
        Which says what is idle.

    Returns
    -------
    tuple of str
        Neither fixed, nor untouched by the targets, nor with a closed-form posterior.
    """
    idle = (name for name, needed in ONLY_UNDER.items() if needed != structure.failure)
    left_out = UNTOUCHED.union(closed_form, idle)
    return tuple(
        name for name, info in catalogue.items() if name not in left_out and info.prior.distribution != "fixed"
    )
