"""What an endpoint can be: a share, a median, a summary of a survival curve, an incidence, a follow-up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from blinasim.trial.observe import Bools, Ints, TrialData


@dataclass(frozen=True)
class Share:
    """Patients of one kind among those of another; an estimate is a share.

    ``by_cutoff`` says that the count depends on the cut-off, so that it has no limit and no oracle.
    """

    id: str
    label: str
    of: Callable[[TrialData], tuple[Bools, Bools]]
    section: str
    level: int = 0
    by_cutoff: bool = True
    unit: Literal["share"] = "share"


@dataclass(frozen=True)
class MedianOf:
    """Median of an integer attribute among some patients."""

    id: str
    label: str
    of: Callable[[TrialData], tuple[Ints, Bools]]
    section: str
    unit: str
    level: int = 0
    by_cutoff: bool = True


@dataclass(frozen=True)
class Survival:
    """A summary of an outcome's Kaplan-Meier curve.

    ``summary`` is a median (months), survival or mortality at ``day``, or the restricted mean up to ``day`` (months);
    days count from the outcome's origin.
    """

    id: str
    label: str
    outcome: str
    summary: Literal["median", "survival", "mortality", "rmst"]
    section: str
    day: float = 0.0
    level: int = 0

    @property
    def unit(self) -> str:
        """Months, or a share."""
        return "months" if self.summary in ("median", "rmst") else "share"


@dataclass(frozen=True)
class Incidence:
    """Cumulative incidence (Aalen-Johansen) of one cause of an outcome by ``day``; cause 1 is the first."""

    id: str
    label: str
    outcome: str
    cause: int
    day: float
    section: str
    level: int = 0
    unit: Literal["share"] = "share"


@dataclass(frozen=True)
class FollowUp:
    """Median follow-up, by the definition that the trial names."""

    id: str
    label: str
    section: str
    level: int = 0
    unit: Literal["months"] = "months"


Endpoint: TypeAlias = Share | MedianOf | Survival | Incidence | FollowUp
