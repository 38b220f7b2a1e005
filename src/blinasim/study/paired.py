"""Values of the same trials under several scenarios, and nothing else of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blinasim.luck import Luck
from blinasim.model.parameters import ParameterSource
from blinasim.study.chunks import cut, usual_chunk
from blinasim.study.executors import done
from blinasim.study.living import Living, joined
from blinasim.study.measures import Measure, measured

Floats = NDArray[np.float64]

#: Pieces into which the work is cut at least, so that several workers have something to do.
_PIECES: Final = 8


def paired_values(
    livings: Sequence[Living],
    parameters: ParameterSource,
    measures: Sequence[Measure],
    trials: range,
    *,
    executor: Executor | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[dict[str, Floats]]:
    """Let the same trials be lived by all scenarios with the same luck.

    Parameters
    ----------
    livings : sequence of Living
        All with the same seed and number of patients.
    parameters : ParameterSource
        The values of nature.
    measures : sequence of Measure
        What is looked at.
    trials : range
        Which trials, contiguous; where parameters vary it should begin with an even one, as two share a draw.
    executor : concurrent.futures.Executor, optional
        Who does the work; this process by default. The values are the same.
    progress : callable, optional
        Called with the number of trials finished since the last call, a trial of each scenario counting as one.

    Returns
    -------
    list of dict
        For each scenario the values by measure id, shape (R,); NaN where a trial has none.
    """
    size = livings[0].scenario.cohort.size
    step = max(min(usual_chunk(size), -(-len(trials) // _PIECES)), 1)
    blocks = cut(trials, step)
    job = partial(_values, tuple(livings), parameters, tuple(measures))
    parts = list(done(job, blocks, executor, progress, trials=lambda block: len(block) * len(livings)))
    return [joined(part[place] for part in parts) for place in range(len(livings))]


def _values(
    livings: tuple[Living, ...], parameters: ParameterSource, measures: tuple[Measure, ...], block: range
) -> list[dict[str, Floats]]:
    luck = Luck(livings[0].scenario.study.seed)
    return [measured(living.truth(parameters, luck, block), measures) for living in livings]
