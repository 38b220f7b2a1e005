"""What knowing parameters is worth, as it was found: by parameter, by policy, by threshold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinasim.inference.posterior import Posterior
from blinasim.model.catalogue import ParameterInfo, parameter_catalogue
from blinasim.scenario.settings import Payoffs, Scenario
from blinasim.study.measures import Measure

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Worth:
    """What it would be worth to know some parameters together.

    Attributes
    ----------
    name : str
        Of a parameter, a group of them, or a set that was asked for.
    parameters : tuple of str
        Dotted names.
    value, error : float
        In the unit of the objective, a patient, and its Monte Carlo standard error; never below that of a set within
        it.
    """

    name: str
    parameters: tuple[str, ...]
    value: float
    error: float

    @property
    def info(self) -> ParameterInfo | None:
        """What is known about it, where it is a single parameter."""
        return parameter_catalogue().get(self.name)


@dataclass(frozen=True)
class Candidate:
    """A policy that may be chosen.

    Attributes
    ----------
    name : str
        Of its scenario.
    mean, mcse : float
        Of the objective, and its Monte Carlo standard error.
    gain, gain_mcse : float
        The same over the reference, paired; 0 of the reference itself.
    best, best_error : float
        Probability that it is the best under a draw of the parameters, and its standard error.
    explained, explained_of : float
        Standard deviation over draws of the gain as the parameters explain it, and as pairs of trials show it without
        any regression; NaN of the reference.
    """

    name: str
    mean: float
    mcse: float
    gain: float
    gain_mcse: float
    best: float
    best_error: float
    explained: float
    explained_of: float


@dataclass(frozen=True)
class Judged:
    """Policies at other thresholds; T thresholds, K policies, S draws.

    Attributes
    ----------
    thresholds : ndarray, shape (T,)
        What a QALY may cost.
    acceptability, acceptability_error : ndarray, shape (K, T)
        Probability that a policy has the greatest net benefit (Fenwick, Claxton and Sculpher, Health Econ
        2001;10:779-787), and its standard error.
    evpi, evpi_error : ndarray, shape (T,)
        Expected value of perfect information, in the currency a patient, by the regression on all parameters alone.
    qalys, cost : ndarray, shape (K - 1, S)
        Differences from the reference under each draw, as the parameters explain them.
    """

    thresholds: Floats
    acceptability: Floats
    acceptability_error: Floats
    evpi: Floats
    evpi_error: Floats
    qalys: Floats
    cost: Floats


@dataclass(frozen=True)
class ValueOfInformation:
    """What came of it.

    Attributes
    ----------
    scenarios : dict of str to Scenario
        The policies, the reference first.
    parameters : Posterior
        The draws.
    objective : Measure
        By which one chooses.
    candidates : tuple of Candidate
        The policies, the reference first.
    perfect : Worth
        Of knowing all parameters: the expected value of perfect information.
    groups, singles, asked : tuple of Worth
        Of groups of parameters, single ones, and sets that were asked for; the most worth first.
    judged : Judged or None
        None without payoffs, or where another objective than net benefit was asked for.
    trials : int
        Trials of each policy; two in a row have one draw.
    """

    scenarios: Mapping[str, Scenario]
    parameters: Posterior
    objective: Measure
    candidates: tuple[Candidate, ...]
    perfect: Worth
    groups: tuple[Worth, ...]
    singles: tuple[Worth, ...]
    asked: tuple[Worth, ...]
    judged: Judged | None
    trials: int

    @property
    def reference(self) -> str:
        """Name of the scenario that the others are compared with."""
        return self.candidates[0].name

    @property
    def payoffs(self) -> Payoffs | None:
        """By what costs and health are judged."""
        return self.scenarios[self.reference].payoffs

    @property
    def chosen(self) -> Candidate:
        """The policy that one chooses without knowing more: the best on average."""
        sign = -1 if self.objective.direction < 0 else 1
        return max(self.candidates, key=lambda one: sign * one.gain)
