"""The words of a trial design: frozen settings, and what would contradict itself refused before any simulation."""

from blinasim.scenario.design.analysis import BINARY, SEQUENTIAL, Estimand, SingleArmPlan, Test, TestName, VariableName
from blinasim.scenario.design.base import Count, Fraction, Positive
from blinasim.scenario.design.design import Design
from blinasim.scenario.design.enrolment import AccrualStretch, Arm, StratumName
from blinasim.scenario.design.looks import Cut, Efficacy, Futility, Look

__all__ = [
    "BINARY",
    "SEQUENTIAL",
    "AccrualStretch",
    "Arm",
    "Count",
    "Cut",
    "Design",
    "Efficacy",
    "Estimand",
    "Fraction",
    "Futility",
    "Look",
    "Positive",
    "SingleArmPlan",
    "StratumName",
    "Test",
    "TestName",
    "VariableName",
]
