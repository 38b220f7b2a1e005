"""What the trials of a design came to: operating characteristics, look by look and in all.

Shares, means and their Monte Carlo errors are taken over the simulated trials, each as it ended. Beside them stand what
theory says of such a design, and the value that its estimator aims at.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blinasim.model.parameters import ParameterSource
from blinasim.scenario.design import SEQUENTIAL, Design
from blinasim.scenario.design_file import TrialDesign
from blinasim.statistics import group_sequential, intervals
from blinasim.statistics.curves import normal_quantile
from blinasim.statistics.group_sequential import Boundaries
from blinasim.statistics.hazard_ratio import pooled_hazard_ratio
from blinasim.statistics.pairs import Parts, parts_of_variance
from blinasim.statistics.sample_size import schoenfeld_power
from blinasim.statistics.single_arm import PlanCharacteristics
from blinasim.statistics.tables import SurvivalTable
from blinasim.study.design_trials import Counted, Looked, interval_of
from blinasim.study.precision import mean_and_mcse
from blinasim.trial import decisions
from blinasim.trial.decisions import Decision, Ending

Floats = NDArray[np.float64]

#: Level of the intervals whose coverage is counted.
LEVEL: Final = 0.95


@dataclass(frozen=True)
class Estimated:
    """A Monte Carlo figure and its standard error, both in the unit of the figure; NaN where nothing is known."""

    value: float
    mcse: float


@dataclass(frozen=True)
class LookSummary:
    """What happens at one look.

    Attributes
    ----------
    name : str
        As the design says it, or how many patients it judges.
    reached, success, futility, harm : Estimated
        Share of all trials that come to the look, and that end at it in each way.
    day : Estimated
        Mean calendar day of its data cut-off, of the trials that come to it; so are patients and events.
    day_lower, day_upper : float
        The middle 95 % of these days.
    enrolled, events : Estimated
        Mean number of patients enrolled, and of events or responses.
    upper, lower : float
        Boundaries of z, the median of the trials; in a single arm, of responses.
    """

    name: str
    reached: Estimated
    success: Estimated
    futility: Estimated
    harm: Estimated
    day: Estimated
    day_lower: float
    day_upper: float
    enrolled: Estimated
    events: Estimated
    upper: float
    lower: float


@dataclass(frozen=True, repr=False)
class Evaluation:
    """What the trials of a design came to.

    Attributes
    ----------
    asked : TrialDesign
        The design and its arms' scenarios, as simulated.
    parameters : ParameterSource
        The values of nature.
    null : bool
        Whether nothing was to be found: every arm lived the control's scenario, or the rate was p0.
    looked : Looked
        Every look of every trial, (R, K) arrays.
    bounds : Boundaries or None
        Boundaries of z in every trial; None in a single arm.
    decision, overruled : Decision
        Where the trials end, and where they would if nobody heeded futility.
    counted : Counted
        What all patients add up to.
    """

    asked: TrialDesign
    parameters: ParameterSource
    null: bool
    looked: Looked
    bounds: Boundaries | None
    decision: Decision
    overruled: Decision
    counted: Counted

    def __repr__(self) -> str:
        return f"<Evaluation: {self.replications} trials of {self.design.size} patients: {self.design.title!r}>"

    @property
    def design(self) -> Design:
        """The design."""
        return self.asked.design

    @property
    def replications(self) -> int:
        """Number of simulated trials."""
        return int(self.decision.look.size)

    @property
    def success(self) -> Estimated:
        """Share of the trials that succeed: the power, the error under the null, the assurance over draws."""
        return self._share(self.decision.outcome == Ending.SUCCESS)

    @property
    def harm(self) -> Estimated:
        """Share of the trials of a two-sided design that end with the opposite of success."""
        return self._share(self.decision.outcome == Ending.HARM)

    @property
    def futility(self) -> Estimated:
        """Share of the trials that stop for futility."""
        return self._share(self.decision.outcome == Ending.FUTILITY)

    @property
    def success_overruled(self) -> Estimated:
        """Share of the trials that would succeed if nobody heeded futility."""
        return self._share(self.overruled.outcome == Ending.SUCCESS)

    @property
    def size(self) -> Estimated:
        """Mean number of patients enrolled by the end."""
        return self._mean(self._at_end(self.looked.enrolled))

    @property
    def events(self) -> Estimated:
        """Mean number of events, or of responses, at the end."""
        return self._mean(self._at_end(self.looked.events))

    @property
    def days(self) -> Estimated:
        """Mean calendar day of the data cut-off at which the trial ends."""
        return self._mean(self._at_end(self.looked.day))

    @property
    def power_parts(self) -> Parts | None:
        """How the success of trials varies between draws of the parameters; None where these are the same to all."""
        return parts_of_variance((self.decision.outcome == Ending.SUCCESS).astype(np.float64)) if self._paired else None

    @cached_property
    def truth(self) -> float:
        """The value that the estimator aims at: its own in all trials together at their last look, none stopped early.

        A log hazard ratio, a difference in days or in survival, or a rate. The hazard ratio is stratified
        as the trials are, from their counts by day added up (``statistics.hazard_ratio.pooled_hazard_ratio``).
        """
        if not self.design.two_arms:
            responses, patients = self.counted.responses
            return float(responses / patients)
        assert self.design.test is not None
        arms = [self._pooled(arm) for arm in (0, 1)]
        day = self.design.test.day
        if self.design.test.kind == "rmst":
            assert day is not None
            return arms[1].rmst(day) - arms[0].rmst(day)
        if self.design.test.kind == "milestone":
            assert day is not None
            return arms[1].survival_at(day) - arms[0].survival_at(day)
        events = self.counted.final[:, :, 1]
        totals = self.counted.final.sum(axis=2)
        at_risk = totals[..., ::-1].cumsum(axis=-1)[..., ::-1]
        return float(pooled_hazard_ratio(events, at_risk).log[0])

    @property
    def bias(self) -> Estimated:
        """Mean of the estimates at the end, less the truth; NaN over draws, each of which has a truth of its own."""
        if self._paired:
            return Estimated(math.nan, math.nan)
        mean = self._mean(self._finite(self._at_end(self.looked.estimate)))
        return Estimated(mean.value - self.truth, mean.mcse)

    @property
    def coverage(self) -> Estimated:
        """Share of the usual 95 % intervals at the end that hold the truth; NaN over draws."""
        if self._paired:
            return Estimated(math.nan, math.nan)
        lower, upper = interval_of(self.asked, self.looked, self.decision.look, LEVEL)
        known = np.isfinite(lower) & np.isfinite(upper)
        return self._mean(np.where(known, (lower <= self.truth) & (self.truth <= upper), np.nan))

    @property
    def failures(self) -> int:
        """Trials without an estimate at their end."""
        return int((~np.isfinite(self._at_end(self.looked.estimate))).sum())

    @cached_property
    def exact(self) -> PlanCharacteristics | None:
        """What a single-arm plan does exactly, at the rate of all simulated patients; None with two arms."""
        return None if self.design.two_arms else decisions.plan_of(self.design).characteristics(self.truth)

    def analytic(self, hazard_ratio: float) -> group_sequential.Crossing | None:
        """What the boundaries do by theory under proportional hazards, with the mean events of each look.

        Parameters
        ----------
        hazard_ratio : float
            Of the treated to the control.

        Returns
        -------
        Crossing or None
            Probabilities of ending at each look, arrays of shape (1, K). None for tests other than log-rank and Cox,
            and for nature's allocation: there is no theory for these.
        """
        test = self.design.test
        if self.bounds is None or test is None or test.kind not in SEQUENTIAL:
            return None
        if self.design.assignment != "randomised":
            return None
        events = self.looked.events.mean(axis=0, keepdims=True)
        information = decisions.information(self.design, events)
        bounds = decisions.boundaries(self.design, np.rint(events).astype(np.int64))
        return group_sequential.crossing(information, bounds.upper, bounds.lower, -math.log(hazard_ratio))

    @property
    def power_by_formula(self) -> float | None:
        """Schoenfeld's power at the planned hazard ratio and events, looks aside; None where a design has not both.

        The formula is that of :func:`blinasim.statistics.sample_size.schoenfeld_power`.
        """
        design = self.design
        if design.hazard_ratio is None or design.planned_events is None or design.assignment != "randomised":
            return None
        ratio = design.treated_share / (1.0 - design.treated_share)
        return schoenfeld_power(design.hazard_ratio, design.one_sided_alpha, design.planned_events, ratio)

    def stops_by_theory(self) -> tuple[list[float], list[float]] | None:
        """Stop probabilities by look, success and futility, without simulation.

        Exact in a single arm, at the rate of all patients; otherwise proportional hazards at the truth, or at 1 under
        the null.

        Returns
        -------
        tuple of two lists of float, or None
            One probability a look, as shares of all trials. None over draws, and where there is no such theory.
        """
        if self.exact is not None:
            return [float(p) for p in self.exact.stop_success], [float(p) for p in self.exact.stop_futility]
        if self._paired:
            return None
        crossed = self.analytic(1.0 if self.null else math.exp(self.truth))
        return None if crossed is None else ([float(p) for p in crossed.upper[0]], [float(p) for p in crossed.lower[0]])

    @property
    def looked_patients(self) -> tuple[int, ...]:
        """Patients whose outcome the looks of a single arm judge; of two arms, the most that each look may hold."""
        if self.design.two_arms:
            return (self.design.size,) * len(self.design.looks)
        return decisions.plan_of(self.design).looks

    def looks(self) -> Iterator[LookSummary]:
        """Yield what happens at each look, in their order."""
        count = self.looked.day.shape[1]
        if self.design.two_arms:
            names = [look.name for look in self.design.looks]
        else:
            names = [f"{patients} patients" for patients in self.looked_patients]
        for k in range(count):
            there = self.decision.look >= k
            ends = self.decision.look == k
            upper, lower = self._limits(k)
            days = np.where(there, self.looked.day[:, k], np.nan)
            some = there.any()
            yield LookSummary(
                name=names[k],
                reached=self._share(there),
                success=self._share(ends & (self.decision.outcome == Ending.SUCCESS)),
                futility=self._share(ends & (self.decision.outcome == Ending.FUTILITY)),
                harm=self._share(ends & (self.decision.outcome == Ending.HARM)),
                day=self._mean(days),
                day_lower=intervals.quantile(days[there], 0.025) if some else math.nan,
                day_upper=intervals.quantile(days[there], 0.975) if some else math.nan,
                enrolled=self._mean(np.where(there, self.looked.enrolled[:, k], np.nan)),
                events=self._mean(np.where(there, self.looked.events[:, k], np.nan)),
                upper=upper,
                lower=lower,
            )

    def _limits(self, k: int) -> tuple[float, float]:
        """Return the boundaries at a look: of z, the median of the trials; of responses, those of the plan."""
        if self.bounds is not None:
            return float(np.median(self.bounds.upper[:, k])), float(np.median(self.bounds.lower[:, k]))
        plan = decisions.plan_of(self.design)
        return float(plan.success_from[k]), float(plan.futile_at_most[k])

    @property
    def _paired(self) -> bool:
        return self.parameters.varies

    def _pooled(self, arm: int) -> SurvivalTable:
        censored, events = self.counted.final[:, arm].sum(axis=0)
        return SurvivalTable(events[:-1], censored[:-1], int(events[-1] + censored[-1]))

    def _at_end(self, values: NDArray[np.generic]) -> Floats:
        row = np.arange(self.replications)
        return np.asarray(values[row, self.decision.look], dtype=np.float64)

    @staticmethod
    def _finite(values: Floats) -> Floats:
        return np.where(np.isfinite(values), values, np.nan)

    def limits(self, share: Estimated, trials: int | None = None) -> tuple[float, float]:
        """Return the 95 % Monte Carlo interval of a share of the trials, such as ``success``.

        Of independent trials it is exact (Clopper and Pearson); where pairs of trials share a draw of the parameters it
        rests on their error.

        Parameters
        ----------
        share : Estimated
            From 0 to 1.
        trials : int, optional
            How many trials it is a share of; all by default.

        Returns
        -------
        tuple of two float
            Lower and upper limit.
        """
        if self._paired and share.mcse > 0:
            far = normal_quantile(0.95) * share.mcse
            return max(0.0, share.value - far), min(1.0, share.value + far)
        among = self.replications if trials is None else trials
        lower, upper = intervals.clopper_pearson(round(share.value * among), among)
        return float(lower), float(upper)

    def _share(self, which: NDArray[np.bool_]) -> Estimated:
        return self._mean(which.astype(np.float64))

    def _mean(self, values: Floats) -> Estimated:
        return Estimated(*mean_and_mcse(values, paired=self._paired))
