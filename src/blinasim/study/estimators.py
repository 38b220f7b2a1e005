"""Estimators of the effect of HSCT: what each computes, which estimand it is read for, and what truth judges it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from blinasim.errors import BlinasimError
from blinasim.statistics import exposure
from blinasim.statistics.clone_weight import GROUPS, strategies
from blinasim.statistics.exposure import Estimate, Exposure

#: Log hazard ratios, survival on a day, and its differences.
Scale: TypeAlias = Literal["log_hazard_ratio", "survival", "difference"]
#: What judges an estimator: survival as practised or without HSCT, their difference in all or in those transplanted (by
#: the landmark); nothing but an HSCT without effect, where every contrast is 0.
JudgedBy: TypeAlias = Literal[
    "practised", "never", "practised_less_never", "transplanted", "transplanted_by_landmark", "null"
]


@dataclass(frozen=True)
class Timing:
    """Days from remission that the estimators name.

    Attributes
    ----------
    landmark_day : int
        On which the landmark analyses group patients.
    grace_days : int
        Within which prompt treatment begins.
    day : int
        On which survival is judged.
    """

    landmark_day: int = 90
    grace_days: int = 100
    day: int = 274

    def __post_init__(self) -> None:
        for name, value in (("landmark", self.landmark_day), ("grace", self.grace_days)):
            if not 0 < value < self.day:
                raise BlinasimError(
                    f"the {name} day is {value} and survival is judged on day {self.day}: it should lie between 1 "
                    f"and {self.day - 1}"
                )


@dataclass(frozen=True)
class Estimator:
    """One way of estimating.

    Attributes
    ----------
    id, label : str
        Name in files, and in tables.
    measure : {"log_hazard_ratio", "survival", "difference"}
        Its scale.
    truth : str
        What judges it.
    estimand : str
        What it is read for: how it treats HSCT, an intercurrent event, in the words of ICH E9(R1).
    """

    id: str
    label: str
    measure: Scale
    truth: JudgedBy
    estimand: str


ESTIMATORS: Final = (
    Estimator(
        "naive_hr", "Ever against never, Cox", "log_hazard_ratio", "null",
        "none: the groups are formed by the future (immortal time)",
    ),
    Estimator(
        "landmark_hr", "Landmark, Cox", "log_hazard_ratio", "null",
        "hazards of those transplanted by the landmark and of the others alive then; a later HSCT: treatment policy",
    ),
    Estimator(
        "time_dependent_hr", "Time-dependent Cox", "log_hazard_ratio", "null",
        "hypothetical: hazard with an HSCT so far against none so far, if nothing else differs",
    ),
    Estimator(
        "adjusted_hr", "Time-dependent Cox, adjusted", "log_hazard_ratio", "null",
        "hypothetical: the same, at equal covariates at remission",
    ),
    Estimator(
        "naive_difference", "Ever less never", "difference", "transplanted",
        "none: the groups are formed by the future; judged by the effect in those transplanted",
    ),
    Estimator(
        "landmark_difference", "Landmark", "difference", "transplanted_by_landmark",
        "treatment policy from the landmark on; judged by the effect in those transplanted by then and alive",
    ),
    Estimator(
        "simon_makuch", "Simon-Makuch", "difference", "null",
        "hypothetical: a cohort always transplanted from the landmark on against one never transplanted",
    ),
    Estimator("observed", "Kaplan-Meier", "survival", "practised", "treatment policy: HSCT as practised"),
    Estimator(
        "censored", "Kaplan-Meier censored at HSCT", "survival", "never",
        "hypothetical: had HSCT not been available, if censoring told nothing",
    ),
    Estimator(
        "weighted_never", "Clones: never transplanted", "survival", "never",
        "hypothetical: had HSCT not been available",
    ),
    Estimator(
        "weighted_practised", "Clones: as practised less never", "difference", "practised_less_never",
        "treatment policy less hypothetical: HSCT as practised against none",
    ),
    Estimator(
        "weighted_prompt", "Clones: prompt less never", "difference", "null",
        "hypothetical: candidates transplanted within the period of grace against nobody transplanted",
    ),
)  # fmt: skip


#: The estimators of one exposure by their ids, but for those that weight clones, which share their work.
_PLAIN: Final[dict[str, Callable[[Exposure, Timing], Estimate]]] = {
    "naive_hr": lambda data, _: exposure.ever_against_never(data),
    "landmark_hr": lambda data, timing: exposure.landmark(data, timing.landmark_day),
    "time_dependent_hr": lambda data, _: exposure.time_dependent(data),
    "adjusted_hr": lambda data, _: exposure.time_dependent(data, adjusted=True),
    "naive_difference": lambda data, timing: exposure.ever_against_never_difference(data, timing.day),
    "landmark_difference": lambda data, timing: exposure.landmark_difference(data, timing.landmark_day, timing.day),
    "simon_makuch": lambda data, timing: exposure.simon_makuch(data, timing.landmark_day, timing.day),
    "observed": lambda data, timing: exposure.kaplan_meier(data, timing.day),
    "censored": lambda data, timing: exposure.censored_at_treatment(data, timing.day),
}
ALL: Final = tuple(one.id for one in ESTIMATORS)


def estimate_all(
    data: Exposure, timing: Timing, *, groups: int = GROUPS, wanted: Collection[str] = ALL
) -> dict[str, Estimate]:
    """Estimate by every estimator, or by some, in their order.

    Parameters
    ----------
    data : Exposure
        R trials.
    timing : Timing
        The days they name.
    groups : int
        Of the jackknife behind the errors of weighted estimates; 0 for none, and then they have no errors.
    wanted : collection of str
        Ids of the estimators.

    Returns
    -------
    dict of str to Estimate
        Arrays of shape (R,) by estimator id.
    """
    found = {name: of(data, timing) for name, of in _PLAIN.items() if name in wanted}
    if {"weighted_never", "weighted_practised", "weighted_prompt"}.intersection(wanted):
        weighted = strategies(data, timing.day, timing.grace_days, groups=groups)
        found |= {
            "weighted_never": weighted.never,
            "weighted_practised": weighted.practised_less_never,
            "weighted_prompt": weighted.prompt_less_never,
        }
    return found
