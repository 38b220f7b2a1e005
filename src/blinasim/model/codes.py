"""The words of the clinic as small integers, so that arrays can hold them; -1 is always "none"."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

#: Last day of the simulated world, and a day that never comes; NEVER plus anything is NEVER.
HORIZON: Final = 36_525
NEVER: Final = 1_000_000
#: Milli-days of clock spent per day at the ordinary speed.
ORDINARY_SPEED: Final = 1_000
#: A clock of so many milli-days never runs out (SPECIFICATION 2.4).
ENDLESS_FROM: Final = NEVER * ORDINARY_SPEED
#: What such a clock holds: more than the highest speed can spend of it by the horizon and leave less than that.
ENDLESS_CLOCK: Final = 4 * 10**18
#: The first phase after a transplant ends with this day.
EARLY_AFTER_HSCT_DAYS: Final = 100
#: Edges of the bands of marrow blasts, per cent, and the age from which the source study speaks of older patients.
BLAST_BANDS_PCT: Final = (5.0, 25.0, 50.0, 75.0, 100.0)
OLDER_FROM_YEARS: Final = 65
#: Response is judged in so many cycles; a remission found within them is a response to the study (SPECIFICATION 4, 8).
RESPONSE_CYCLES: Final = 2
#: "None", "not by the horizon".
NONE: Final = -1


class Event(IntEnum):
    """What can happen on a day, in the order in which it happens (SPECIFICATION 1.2, and nowhere else)."""

    DEATH = 0
    RELAPSE = 1
    PROGRESSION = 2
    SWITCH = 3
    STOP = 4
    REMISSION = 5
    DEEPENING = 6
    NO_REMISSION = 7
    RELAPSE_DETECTED = 8
    CANDIDACY = 9
    SEARCH_START = 10
    DONOR_FOUND = 11
    TRANSPLANT = 12
    CYCLE_START = 13
    MAINTENANCE = 14
    HORIZON = 15


class Cause(IntEnum):
    """Cause of death."""

    PROGRESSION = 0
    INFECTION = 1
    ADVERSE_EVENT = 2
    GVHD = 3
    OTHER = 4


class Depth(IntEnum):
    """Depth of a remission: complete, or complete with partial haematological recovery (CRh*)."""

    CR = 0
    CRH = 1


class Mrd(IntEnum):
    """Minimal residual disease at remission, as known."""

    NEGATIVE = 0
    POSITIVE = 1
    UNKNOWN = 2


class Fitness(IntEnum):
    """Fitness for transplantation: HCT-CI 0, 1-2, 3 or more."""

    GOOD = 0
    FAIR = 1
    POOR = 2


class Donor(IntEnum):
    """Donor type."""

    SIBLING = 0
    UNRELATED = 1
    HAPLOIDENTICAL = 2
    CORD = 3


class Source(IntEnum):
    """Source of the stem cells."""

    BLOOD = 0
    MARROW = 1
    CORD = 2


class Conditioning(IntEnum):
    """Intensity of the conditioning before a transplant."""

    MYELOABLATIVE = 0
    REDUCED = 1


class Place(IntEnum):
    """Places that patients share where the scenario counts them."""

    TRANSPLANT_BED = 0
    INFUSION_BED = 1
    COORDINATOR = 2


class AfterCycles(IntEnum):
    """Treatment of an untransplanted responder after the last cycle."""

    MAINTENANCE = 0
    BRIDGING = 1


class Reason(IntEnum):
    """Why a patient in remission is not a candidate; the first that applies, in this order."""

    NOT_OFFERED = 0
    AGE = 1
    FITNESS = 2
    PRIOR_HSCT = 3
    MRD = 4
    DEPTH = 5
    DECLINED = 6
    OWN_POLICY = 7


class Eligibility(IntEnum):
    """The factor by which a patient is eligible for the study."""

    SECOND_OR_LATER_SALVAGE = 0
    RELAPSE_AFTER_HSCT = 1
    PRIMARY_REFRACTORY = 2
    EARLY_FIRST_RELAPSE = 3
