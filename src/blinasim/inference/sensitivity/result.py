"""What a sensitivity analysis says: of an outcome, what moves it and by how much."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blinasim.inference.diagnostics import LEAST_CONTRACTION
from blinasim.model.catalogue import ParameterInfo, parameter_catalogue
from blinasim.model.parameters import ParameterSource
from blinasim.scenario.settings import Scenario
from blinasim.statistics.conditional_mean import VarianceShare
from blinasim.study.measures import Truth

Floats = NDArray[np.float64]

#: A swing that is a smaller part of the largest one moves nothing much.
_LEAST_SWING: Final = 0.05


@dataclass(frozen=True)
class Quantity:
    """What is looked at: a measure of policies, or an endpoint without censoring by time; a mean over trials.

    Attributes
    ----------
    id, label, unit : str
        What it is called, and in which unit it is.
    of : callable
        The value of each trial, shape (R,), from all that happened.
    """

    id: str
    label: str
    unit: str
    of: Callable[[Truth], Floats]


@dataclass(frozen=True)
class Interval:
    """An outcome at both ends of the 95 % interval of a parameter's prior.

    Attributes
    ----------
    low, high : float
        In the outcome's unit, at the lower end and at the upper.
    mcse : float
        Monte Carlo standard error of their paired difference.
    """

    low: float
    high: float
    mcse: float

    @property
    def swing(self) -> float:
        """How far the outcome moves, without sign."""
        return abs(self.high - self.low)


@dataclass(frozen=True)
class Index:
    """Sobol indices with their standard errors (bootstrap): ``first`` alone, ``total`` with all interactions."""

    first: float
    first_error: float
    total: float
    total_error: float


@dataclass(frozen=True)
class Bearing:
    """What one parameter does to one outcome.

    Attributes
    ----------
    name : str
        Dotted name.
    low, high : float
        Ends of the 95 % interval of its prior.
    tornado : Interval
        The outcome there, the others at their centre.
    index : Index or None
        None where it has only one together with others.
    posterior : VarianceShare or None
        Part of the posterior variance of the outcome that goes with it; None without a posterior.
    contraction : float or None
        1 less the ratio of posterior to prior variance, on the scale on which the prior is normal.
    """

    name: str
    low: float
    high: float
    tornado: Interval
    index: Index | None
    posterior: VarianceShare | None
    contraction: float | None

    @property
    def info(self) -> ParameterInfo:
        """What is known about the parameter."""
        return parameter_catalogue()[self.name]

    @property
    def is_uninformed(self) -> bool:
        """Whether the figures have said next to nothing about it."""
        return self.contraction is not None and self.contraction < LEAST_CONTRACTION


@dataclass(frozen=True)
class OutcomeSensitivity:
    """One outcome, and what moves it.

    Attributes
    ----------
    outcome : Quantity
        Which.
    centre, centre_mcse : float
        Its value where all parameters are at their centre, in its unit, and the Monte Carlo standard error.
    bearings : tuple of Bearing
        Of each parameter, the most moving first.
    others : Index or None
        Sobol indices of all parameters together that have none of their own.
    groups : mapping of str to VarianceShare
        Parts of the posterior variance that go with groups of parameters, never less than with a member.
    spread : float or None
        Standard deviation under the posterior; None without one.
    """

    outcome: Quantity
    centre: float
    centre_mcse: float
    bearings: tuple[Bearing, ...]
    others: Index | None
    groups: Mapping[str, VarianceShare]
    spread: float | None

    def strongest(self, most: int = 3) -> list[Bearing]:
        """Return the parameters on which it rests most: by posterior variance, or by swing where there is no posterior.

        Draws of parameters depend on each other: one that does not move the outcome by itself is not named.
        """
        moving = [
            one
            for one in self.bearings
            if one.tornado.swing > max(2.0 * one.tornado.mcse, _LEAST_SWING * self.bearings[0].tornado.swing)
        ]
        if self.spread is not None:
            ranked = sorted(moving, key=lambda one: -(one.posterior.value if one.posterior else 0.0))
            return [one for one in ranked[:most] if one.posterior and one.posterior.value > 2.0 * one.posterior.error]
        return moving[:most]


@dataclass(frozen=True)
class Sensitivity:
    """What came of it, outcome by outcome; ``evaluations`` is the number of parameter values that were lived."""

    scenario: Scenario
    parameters: ParameterSource
    outcomes: tuple[OutcomeSensitivity, ...]
    evaluations: int
