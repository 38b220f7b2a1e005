"""Cost-effectiveness of a policy against the reference: what health costs more, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from blinasim.scenario.settings import Payoffs
from blinasim.statistics import pairs
from blinasim.statistics.ratio import Ratio, fieller
from blinasim.study.comparison import Comparison
from blinasim.study.contrasts import Difference, reach
from blinasim.study.measures import COST, NET_BENEFIT, QALYS

Floats = NDArray[np.float64]
#: Where a policy lies on the cost-effectiveness plane; a ratio means something only where both differ the same way.
Quadrant: TypeAlias = Literal["more health, more cost", "less health, less cost", "dominant", "dominated", "the same"]


@dataclass(frozen=True)
class CostEffectiveness:
    """A policy against the reference, a patient.

    Attributes
    ----------
    payoffs : Payoffs
        By what it is judged.
    cost, qalys, net_benefit : Difference
        Paired differences.
    ratio : Ratio
        Cost difference over QALY difference, with the 95 % interval by Fieller's theorem that more trials would narrow.
        It is a cost per QALY gained only with more health at more cost, and a saving per QALY lost only with less of
        both; a dominant and a dominated policy may have the same ratio.
    """

    payoffs: Payoffs
    cost: Difference
    qalys: Difference
    net_benefit: Difference
    ratio: Ratio

    @property
    def quadrant(self) -> Quadrant:
        """Where the mean differences lie."""
        cost, qalys = self.cost.mean, self.qalys.mean
        if cost == 0.0 and qalys == 0.0:
            return "the same"
        if qalys > 0.0 < cost:
            return "more health, more cost"
        if qalys < 0.0 > cost:
            return "less health, less cost"
        return "dominant" if qalys >= 0.0 >= cost else "dominated"

    @property
    def open_signs(self) -> tuple[str, ...]:
        """Of which differences even the sign is open, by their 95 % intervals."""
        both = (("costs", self.cost), ("QALYs", self.qalys))
        return tuple(name for name, one in both if not (one.lower > 0.0 or one.upper < 0.0))

    @property
    def has_ratio(self) -> bool:
        """Whether the ratio means something: both means differ the same way, and health certainly differs."""
        return self.ratio.bounded and self.quadrant in ("more health, more cost", "less health, less cost")


def cost_effectiveness(comparison: Comparison, policy: str | None = None) -> CostEffectiveness | None:
    """Return the cost-effectiveness of a policy; None where the comparison has no payoffs.

    Parameters
    ----------
    comparison : Comparison
        Of two or more scenarios.
    policy : str, optional
        Name of the policy; where there is one only, it need not be named.

    Returns
    -------
    CostEffectiveness or None
        Its ratio has Fieller's interval.

    Raises
    ------
    BlinasimError
        If there is no such policy, or several and none is named.
    """
    payoffs = comparison.reference.scenario.payoffs
    if payoffs is None:
        return None
    cost, qalys, net_benefit = (comparison.difference(key, policy) for key in (COST, QALYS, NET_BENEFIT))
    name = comparison.contrast(policy).name
    apart = [comparison.arm(name).values[key] - comparison.reference.values[key] for key in (COST, QALYS)]
    variance = covariance_of_means(*apart, paired_trials=comparison.parameters.varies)
    ratio = fieller(
        cost.mean, qalys.mean, variance[0, 0], variance[1, 1], variance[0, 1], reach(independent(comparison))
    )
    return CostEffectiveness(payoffs, cost, qalys, net_benefit, ratio)


def independent(comparison: Comparison) -> int:
    """Return how many trials, or pairs of them with the same parameters, are independent of each other."""
    trials = comparison.replications
    return -(-trials // 2) if comparison.parameters.varies else trials


def covariance_of_means(*values: Floats, paired_trials: bool) -> Floats:
    """Return the Monte Carlo covariance of the means of k values of the same trials, each of shape (R,); (k, k)."""
    return pairs.mean_covariance(np.stack(values)) if paired_trials else np.cov(values) / values[0].size
