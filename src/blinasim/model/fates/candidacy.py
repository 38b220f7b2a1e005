"""Fates of a candidacy: who would be selected in spite of age or a prior HSCT, and who declines or is not referred.

Functions take parameters whose values are numbers or (R, 1) arrays, and the luck of R replications of n patients; what
they return is of shape (R, n), bool.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blinasim.luck import Draws
from blinasim.model.codes import Depth
from blinasim.model.parameters import Parameters


def selected_despite_age(parameters: Parameters, draws: Draws) -> NDArray[np.bool_]:
    """Whether a patient of 65 or more is transplanted all the same, where the policy selects."""
    return draws.uniform("candidacy.selected_age") < parameters.candidacy.selected_65_and_over


def selected_despite_prior_hsct(parameters: Parameters, draws: Draws) -> NDArray[np.bool_]:
    """Whether a patient with a prior HSCT is transplanted again, where the policy selects."""
    return draws.uniform("candidacy.selected_prior_hsct") < parameters.candidacy.selected_prior_hsct


def declines(depth: NDArray[np.int8], parameters: Parameters, draws: Draws) -> NDArray[np.bool_]:
    """Whether a patient declines, or is not referred, by depth of the remission."""
    share = np.where(depth == Depth.CRH, parameters.candidacy.declines_crh, parameters.candidacy.declines_cr)
    return np.asarray(draws.uniform("candidacy.declines") < share)
