"""Evaluating a trial design: its trials are simulated, and what it would decide in each is found.

Every trial is simulated to its last look; where it ends is decided afterwards, from what each look had found. Looks
are locked, so that nothing of what comes later is in it. What that comes to is the matter of ``study.evaluation``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Final

from scipy.optimize import brentq

from blinasim.errors import ScenarioError
from blinasim.luck import Luck
from blinasim.model.catalogue import load_parameters
from blinasim.model.parameters import Changed, ParameterSource
from blinasim.scenario.design_file import TrialDesign
from blinasim.study.chunks import cut, trials_at_a_time, usual_chunk
from blinasim.study.design_trials import Counted, Looked, live_arms, look_at_block
from blinasim.study.evaluation import Evaluation
from blinasim.study.executors import done
from blinasim.trial import decisions, looks

#: Patients from whom the response rate of a null world is found.
_NULL_PATIENTS: Final = 200_000
_RESPONSE: Final = "response.probability"


def evaluate_design(
    asked: TrialDesign,
    *,
    parameters: ParameterSource | None = None,
    null: bool = False,
    progress: Callable[[int], None] | None = None,
    executor: Executor | None = None,
    chunk: int | None = None,
) -> Evaluation:
    """Simulate the trials of a design.

    Parameters
    ----------
    asked : TrialDesign
        The design; its ``study`` says how many trials, and with which seed.
    parameters : ParameterSource, optional
        Values for all trials, or draws for pairs of trials: success is then the assurance. Point values by default.
    null : bool
        Simulate a world in which there is nothing to be found: all arms live the control's scenario; a single arm
        has the response rate p0 of its plan.
    progress : callable, optional
        Called with the number of trials finished since the last call.
    executor : concurrent.futures.Executor, optional
        Who does the work; the results are the same.
    chunk : int, optional
        Trials done at a time; the results are the same.

    Returns
    -------
    Evaluation
        Every look of every trial, where each ends, and what that comes to.

    Raises
    ------
    ScenarioError
        If a single-arm design has no such plan with its size, or no response probability gives its p0 under the null.
    """
    nature = parameters or load_parameters()
    _check_plan(asked)
    if null:
        asked, nature = under_null(asked, nature)
    luck, total = Luck(asked.design.study.seed), asked.design.study.replications
    blocks = cut(range(total), trials_at_a_time(chunk, usual_chunk(asked.design.size)))
    found: list[Looked] = []
    counted: Counted | None = None
    for looked, its in done(partial(look_at_block, asked, nature, luck), blocks, executor, progress):
        found.append(looked)
        counted = its if counted is None else counted + its
    assert counted is not None
    return _decided(asked, nature, null, Looked.joined(found), counted)


def _decided(
    asked: TrialDesign, parameters: ParameterSource, null: bool, looked: Looked, counted: Counted
) -> Evaluation:
    """Find where each trial ends, from what its looks have found."""
    if asked.design.two_arms:
        bounds = decisions.boundaries(asked.design, looked.events)
        decision, overruled = (
            decisions.decide(asked.design, looked.z, bounds, overruled=overruled) for overruled in (False, True)
        )
        return Evaluation(asked, parameters, null, looked, bounds, decision, overruled, counted)
    decision = decisions.end_of(decisions.plan_of(asked.design), looked.events)
    return Evaluation(asked, parameters, null, looked, None, decision, decision, counted)


def _check_plan(asked: TrialDesign) -> None:
    if not asked.design.two_arms:
        try:
            decisions.plan_of(asked.design)
        except ValueError as problem:
            raise ScenarioError(f"{asked.name}: plan: {problem}") from None


# --- the null world -----------------------------------------------------------------------------------


def under_null(asked: TrialDesign, parameters: ParameterSource) -> tuple[TrialDesign, ParameterSource]:
    """Return the same design and parameters in a world in which there is nothing to be found.

    Parameters
    ----------
    asked : TrialDesign
        The design and its arms' scenarios.
    parameters : ParameterSource
        The values of nature.

    Returns
    -------
    asked : TrialDesign
        Two arms: both live the control's scenario. A single arm: as given.
    parameters : ParameterSource
        Two arms: as given. A single arm: ``response.probability`` is such that all patients together have the rate p0
        of the plan.

    Raises
    ------
    ScenarioError
        If no response probability gives this rate.
    """
    if asked.design.two_arms:
        control = asked.scenarios[0]
        return TrialDesign(asked.name, asked.design, (control, control)), parameters
    return asked, Changed(parameters, {_RESPONSE: _response_probability(asked, parameters)})


def _response_probability(asked: TrialDesign, parameters: ParameterSource) -> float:
    """Find the probability of a response, of the patients it is said of, at which all together have the rate p0."""
    design = asked.design
    assert design.plan is not None
    luck = Luck(design.study.seed)
    trials = min(max(2, _NULL_PATIENTS // design.size), design.study.replications)
    p0, policy = design.plan.p0, asked.scenarios[0].policy

    def excess(logit: float) -> float:
        world = Changed(parameters, {_RESPONSE: 1.0 / (1.0 + math.exp(-logit))})
        lived = live_arms(asked, world, luck, range(trials))
        return float(looks.binary_outcome(design, policy, lived.history, lived.lost_day).mean()) - p0

    try:
        logit = brentq(excess, -9.0, 9.0, xtol=1e-4)
    except ValueError:
        raise ScenarioError(f"{asked.name}: plan.p0 {p0:g}: no response probability gives this rate") from None
    return float(1.0 / (1.0 + math.exp(-logit)))
