"""The words of a scenario: frozen settings, each with its unit in its name and its default.

The defaults are the source study's own conduct; a scenario file says only what differs.
"""

from blinasim.scenario.settings.base import (
    Days,
    DepthName,
    DonorName,
    FitnessName,
    MrdName,
    Probability,
    Settings,
    Years,
)
from blinasim.scenario.settings.capacity import Background, Capacity, InfusionStarts, SearchCoordinators, TransplantBeds
from blinasim.scenario.settings.cohort import Age, Blasts, CohortData, CohortSettings
from blinasim.scenario.settings.payoffs import DiscountRate, Money, Payoffs, UnitCosts, Utilities, Utility
from blinasim.scenario.settings.policy import (
    AfterCycle,
    Candidates,
    ConditioningRule,
    CycleNumber,
    Cycles,
    DonorSearch,
    Maintenance,
    Monitoring,
    Policy,
    Transplant,
    Waiting,
)
from blinasim.scenario.settings.scenario import MOST_TITLE, Scenario, Study
from blinasim.scenario.settings.trial import Accrual, AccrualPiece, Trial

__all__ = [
    "MOST_TITLE",
    "Accrual",
    "AccrualPiece",
    "AfterCycle",
    "Age",
    "Background",
    "Blasts",
    "Candidates",
    "Capacity",
    "CohortData",
    "CohortSettings",
    "ConditioningRule",
    "CycleNumber",
    "Cycles",
    "Days",
    "DepthName",
    "DiscountRate",
    "DonorName",
    "DonorSearch",
    "FitnessName",
    "InfusionStarts",
    "Maintenance",
    "Money",
    "Monitoring",
    "MrdName",
    "Payoffs",
    "Policy",
    "Probability",
    "Scenario",
    "SearchCoordinators",
    "Settings",
    "Study",
    "Transplant",
    "TransplantBeds",
    "Trial",
    "UnitCosts",
    "Utilities",
    "Utility",
    "Waiting",
    "Years",
]
