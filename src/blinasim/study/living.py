"""Living: a scenario whose patients are to live, and the values that its trials give."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinasim.engine.choice import EngineName
from blinasim.luck import Draws, Luck
from blinasim.model.cohort_file import CohortSource
from blinasim.model.own_policy import answers
from blinasim.model.parameters import ParameterSource
from blinasim.model.places import Stays
from blinasim.scenario.settings import Scenario
from blinasim.study.batch import live
from blinasim.study.measures import Truth

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Living:
    """A scenario whose patients are to live.

    Attributes
    ----------
    scenario : Scenario
        Which.
    own_policy : callable, optional
        Makes a policy of one's own, if one decides.
    source : CohortSource, optional
        The cohort's file as read before.
    engine : {"auto", "fast", "des"}
        Who walks.
    """

    scenario: Scenario
    own_policy: Callable[[], object] | None = None
    source: CohortSource | None = None
    engine: EngineName = "auto"

    def truth(self, parameters: ParameterSource, luck: Luck, block: range) -> Truth:
        """Let some trials be lived to the end.

        Parameters
        ----------
        parameters : ParameterSource
            Values of nature, by trial.
        luck : Luck
            Of a seed.
        block : range
            Which trials, from 0; contiguous.

        Returns
        -------
        Truth
        """
        stays: list[Stays] = []
        batch = live(
            self.scenario,
            parameters,
            Draws(luck, block, self.scenario.cohort.size),
            engine=self.engine,
            source=self.source,
            own_policy=self.own_policy,
            stays=stays,
        )
        return Truth.of(self.scenario, batch, stays)

    def answers(self, *questions: str) -> bool:
        """Whether a policy of one's own decides, and answers any of some questions itself."""
        if self.own_policy is None:
            return False
        policy = self.own_policy()
        return any(answers(policy, question) for question in questions)


def joined(parts: Iterable[Mapping[str, Floats]]) -> dict[str, Floats]:
    """Join the values of consecutive trials, by measure."""
    columns: dict[str, list[Floats]] = {}
    for part in parts:
        for name, values in part.items():
            columns.setdefault(name, []).append(values)
    return {name: np.concatenate(column) for name, column in columns.items()}
