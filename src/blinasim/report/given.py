"""What a function of Python is given of another one's results: the right kind, or one clear line."""

from __future__ import annotations

from typing import Final

from blinasim.errors import Argument, BlinasimError
from blinasim.inference.predictive import Validation
from blinasim.inference.value import ValueOfInformation
from blinasim.scenario.settings import Scenario
from blinasim.study.comparison import Comparison
from blinasim.study.effect import Effect
from blinasim.study.effect_data import DataEffect
from blinasim.study.evaluation import Evaluation
from blinasim.study.optimize import Optimization
from blinasim.study.simulate import Result

#: The function that returns each kind.
_FROM: Final[dict[type, str]] = {
    Result: "simulate",
    Comparison: "compare",
    Effect: "effect",
    DataEffect: "effect_of_data",
    Evaluation: "evaluate_design",
    Optimization: "optimize",
    ValueOfInformation: "value_of_information",
    Validation: "validate",
    Scenario: "load_scenario",
}


def check_given(argument: str, given: object, *kinds: type) -> None:
    """Refuse what is of none of some kinds.

    Parameters
    ----------
    argument : str
        What it was given as.
    given : object
        What it is.
    *kinds : type
        What it may be.

    Raises
    ------
    BlinasimError
        One line that says which function returns what is wanted.
    """
    if not isinstance(given, kinds):
        sources = " or ".join(f"blinasim.{_FROM[kind]}" for kind in kinds)
        raise BlinasimError(f"should be what {sources} returns", Argument.of_type(argument, given))
