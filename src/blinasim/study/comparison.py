"""What a comparison found: values under each scenario, paired differences, flows, queues, and what they rest on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from blinasim.engine.choice import EngineName
from blinasim.errors import BlinasimError
from blinasim.files import nearest, quoted
from blinasim.model.codes import Place
from blinasim.model.cohort_file import CohortSource
from blinasim.model.parameters import ParameterSource
from blinasim.scenario.settings import Scenario
from blinasim.statistics import pairs
from blinasim.study.contrasts import Counts, Difference, Touched, reach
from blinasim.study.measures import Measure, measure_named

Floats = NDArray[np.float64]
Thing = TypeVar("Thing")
#: Whether a patient's two lives share their luck to the end, or only until remission or failure.
LuckName: TypeAlias = Literal["shared", "independent"]


@dataclass(frozen=True)
class Band:
    """Something that each trial has on each of G days, of the first 2,000 trials where there are more.

    Attributes
    ----------
    mean : ndarray of float64, shape (G,)
        Over the trials.
    lower, upper : ndarray of float64, shape (G,)
        The range of 95 % of the trials.
    """

    mean: Floats
    lower: Floats
    upper: Floats

    @classmethod
    def of(cls, trials: NDArray[np.generic]) -> Band:
        """Summarize an array of shape (K, G)."""
        values = trials.astype(np.float64)
        lower, upper = np.quantile(values, (0.025, 0.975), axis=0)
        return cls(values.mean(axis=0), lower, upper)


@dataclass(frozen=True)
class Curve:
    """Overall survival of uncensored trials.

    Attributes
    ----------
    days : ndarray of int64, shape (G,)
        Since the first infusion.
    survival : Band
        On those days.
    at_risk : ndarray of float64, shape (G,)
        Patients of a trial at risk, the mean.
    """

    days: NDArray[np.int64]
    survival: Band
    at_risk: Floats


@dataclass(frozen=True)
class Gain:
    """Survival under a policy less that under the reference on the days of the curves, shape (G,).

    The mean of the paired differences, and the 95 % interval of that mean by Student's t (NaN with a single trial).
    """

    mean: Floats
    lower: Floats
    upper: Floats

    @classmethod
    def of(cls, reference: Floats, policy: Floats, *, paired_trials: bool = False) -> Gain:
        """Compare the curves of the same K trials on G days.

        Parameters
        ----------
        reference, policy : (K, G) array of float
            Survival.
        paired_trials : bool
            As for :meth:`Difference.of`.

        Returns
        -------
        Gain
        """
        paired = policy - reference
        mean, trials = paired.mean(axis=0), paired.shape[0]
        if trials < 2:
            error = np.full(mean.shape, np.nan)
        elif paired_trials:
            error = np.array([pairs.mean_mcse(day) for day in paired.T])
        else:
            error = paired.std(axis=0, ddof=1) / np.sqrt(trials)
        return cls(mean, mean - reach(trials) * error, mean + reach(trials) * error)


@dataclass(frozen=True)
class Queue:
    """A counted kind of place, which has so many places, day by day of the calendar from the first enrolment on.

    ``waiting`` and ``taken`` count patients of a trial and the other patients together.
    """

    places: int
    waiting: Band
    taken: Band


@dataclass(frozen=True, repr=False)
class Side:
    """One scenario of a comparison.

    Attributes
    ----------
    name : str
        What it is called in tables and files.
    scenario : Scenario
        What was lived, with the replications and the seed of the comparison.
    engine : str
        Which engine walked the patients.
    values : dict of str to ndarray
        Value of each trial by measure id, shape (R,); NaN where a trial has nobody to measure, and where the measure
        means nothing under the scenario's policy.
    curve : Curve
        Overall survival.
    queues : dict of Place to Queue
        One for each kind of place that is counted.
    own_policy : callable, optional
        The policy of one's own that decided, if one did.
    source : CohortSource, optional
        The cohort's file as it was read, where the scenario names one.
    """

    name: str
    scenario: Scenario
    engine: EngineName
    values: dict[str, Floats]
    curve: Curve
    queues: dict[Place, Queue]
    own_policy: Callable[[], object] | None = None
    source: CohortSource | None = None

    def __repr__(self) -> str:
        return f"<Side {self.name}: {self.scenario.title!r}>"


@dataclass(frozen=True)
class HeadStart:
    """Differences in a world where other searches were under way at enrolment anyway.

    Attributes
    ----------
    under_way_share, median_days : float
        The parameters ``donor_search.under_way_share`` and ``donor_search.head_start_median_days`` of that world.
    in_use : bool
        Whether both are those of the comparison itself.
    differences : dict of str to Difference
        By measure id.
    """

    under_way_share: float
    median_days: float
    in_use: bool
    differences: dict[str, Difference]


@dataclass(frozen=True, eq=False)
class Again:
    """The reference lived once more, its luck drawn again from remission, or failure, on; against itself.

    What moves here moves without any policy: beside it stands what moves under a policy with the same independent luck.

    Attributes
    ----------
    values_again : dict of str to ndarray
        Value of each trial by measure id, shape (R,).
    flows : ndarray of int64, shape (S, S)
        Patients by where they stand at 24 months in the one life (row) and in the other (column).
    """

    values_again: dict[str, Floats]
    flows: Counts


@dataclass(frozen=True, eq=False)
class Pairs:
    """The same patients under reference and policy, life by life.

    Attributes
    ----------
    touched : Touched
        How many the policy touches, and who lives longer and shorter under shared luck.
    flows, flows_again : ndarray of int64, shape (S, S)
        Patients by where they stand at 24 months (:class:`blinasim.study.contrasts.Standing`) under the reference (row)
        and the policy (column); under shared luck, and with luck drawn again from remission, or failure, on.
    """

    touched: Touched
    flows: Counts
    flows_again: Counts


@dataclass(frozen=True, repr=False)
class Contrast:
    """A policy against the reference.

    Attributes
    ----------
    name : str
        The policy.
    values_again : dict of str to ndarray
        The policy's values, shape (R,), with luck drawn again from remission, or failure, on.
    survival_gain : Gain
        Difference of the survival curves.
    pairs : Pairs or None
        What becomes of each patient; None where the scenario's patients are others than the reference's.
    head_start : tuple of HeadStart
        Where donors are sought otherwise than in the reference; empty elsewhere.
    """

    name: str
    values_again: dict[str, Floats]
    survival_gain: Gain
    pairs: Pairs | None
    head_start: tuple[HeadStart, ...]

    def __repr__(self) -> str:
        if self.pairs is None:
            return f"<Contrast {self.name}: other patients>"
        counts = self.pairs.touched
        return f"<Contrast {self.name}: {counts.touched.sum():,} of {counts.patients:,} patients touched>"


@dataclass(frozen=True, repr=False)
class Comparison:
    """What a comparison found; the first of the ``arms`` is the reference, ``contrasts`` follow the others.

    Attributes
    ----------
    arms : tuple of Side
        Every scenario, the reference first.
    contrasts : tuple of Contrast
        One for each of the others, in order.
    reference_again : Again
        The reference against itself with independent luck.
    measures : tuple of Measure
        By what they were compared.
    parameters : ParameterSource
        The values of nature under which all of them lived.
    """

    arms: tuple[Side, ...]
    contrasts: tuple[Contrast, ...]
    reference_again: Again
    measures: tuple[Measure, ...]
    parameters: ParameterSource

    def __repr__(self) -> str:
        study, size = self.reference.scenario.study, self.reference.scenario.cohort.size
        names = " -> ".join([self.reference.name, ", ".join(contrast.name for contrast in self.contrasts)])
        return f"<Comparison {names}: {study.replications} trials of {size} patients, seed {study.seed}>"

    @property
    def reference(self) -> Side:
        """The scenario that the others are compared with."""
        return self.arms[0]

    @property
    def policies(self) -> tuple[str, ...]:
        """Names of the others, in order."""
        return tuple(contrast.name for contrast in self.contrasts)

    @property
    def replications(self) -> int:
        """Number of simulated trials."""
        return self.reference.scenario.study.replications

    def arm(self, name: str) -> Side:
        """Return a scenario by its name; errors as :meth:`contrast`."""
        return _named(name, {arm.name: arm for arm in self.arms}, "scenario")

    def contrast(self, policy: str | None = None) -> Contrast:
        """Return a policy's contrast by its name; where there is one only, it need not be named.

        Raises
        ------
        BlinasimError
            If there is no such policy, or several and none is named.
        """
        known = {contrast.name: contrast for contrast in self.contrasts}
        if policy is None:
            if len(known) > 1:
                raise BlinasimError(f"which policy? name one of {', '.join(known)}")
            policy = self.contrasts[0].name
        return _named(policy, known, "policy")

    def difference(self, measure: str, policy: str | None = None, luck: LuckName = "shared") -> Difference:
        """Return a policy's paired difference from the reference.

        Parameters
        ----------
        measure : str
            Id of a measure, for example ``"os_24_months"``.
        policy : str, optional
            Name of the policy; where there is one only, it need not be named. The reference's name sets it against
            itself, which with independent luck shows what luck alone does.
        luck : {"shared", "independent"}
            Whether both lives of a patient share their luck, or it is drawn again from remission, or failure, on.

        Returns
        -------
        Difference
            Its figures are in the measure's unit.

        Raises
        ------
        BlinasimError
            If there is no such measure in the comparison, or no such policy.
        """
        asked = measure_named(measure, {each.id: each for each in self.measures})
        values = self._values(policy) if luck == "shared" else self._values_again(policy)
        return Difference.of(
            asked, self.reference.values[measure], values[measure], paired_trials=self.parameters.varies
        )

    def differences(self, policy: str | None = None, luck: LuckName = "shared") -> list[Difference]:
        """Return the differences of a policy in all measures, in the order of the table; see :meth:`difference`."""
        return [self.difference(measure.id, policy, luck) for measure in self.measures]

    def _values(self, policy: str | None) -> dict[str, Floats]:
        return self.arm(self.reference.name if policy == self.reference.name else self.contrast(policy).name).values

    def _values_again(self, policy: str | None) -> dict[str, Floats]:
        return (self.reference_again if policy == self.reference.name else self.contrast(policy)).values_again


def _named(name: str, known: Mapping[str, Thing], what: str) -> Thing:
    if name not in known:
        raise BlinasimError(f"no {what} {quoted(name)}{nearest(name, known)} (there are {', '.join(known)})")
    return known[name]
