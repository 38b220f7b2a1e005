"""Odds: how a ratio of odds changes a probability."""

from __future__ import annotations

import numpy as np

from blinasim.model.parameter_groups import Value


def with_odds(probability: Value, *ratios: Value) -> Value:
    """Return the probability whose odds are those of another times some ratios; 0 and 1 stay what they are.

    Parameters
    ----------
    probability : float or array
        Between 0 and 1.
    *ratios : float or array
        0 or more, broadcast with ``probability``.

    Returns
    -------
    float or array
        Between 0 and 1, of the shape that all of them broadcast to.
    """
    given = np.asarray(probability, dtype=np.float64)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # odds without end are of probability 1
        odds = given / (1.0 - given)
        for ratio in ratios:
            odds = odds * ratio
        changed = np.where(np.isinf(odds), 1.0, odds / (1.0 + odds))
    result: Value = np.where((given <= 0.0) | (given >= 1.0), given, changed)[()]
    return result
