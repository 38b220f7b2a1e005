"""Solve a design for its size: the least patients, or events, with a power.

Power has no formula here: effects are delayed and curves cross. The probit of a power is nearly linear in the square
root of the size, so a line through simulated powers is followed to the power wanted; a trial of more patients begins
with those of a smaller one, and the noise of neighbouring sizes is shared. A single arm is solved exactly, at the rate
p1 of its plan.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

import numpy as np
from pydantic import ValidationError
from scipy.special import ndtri

from blinasim.errors import Argument, ScenarioError
from blinasim.files import complaint
from blinasim.model.parameters import ParameterSource
from blinasim.scenario.design import Design
from blinasim.scenario.design_file import TrialDesign
from blinasim.statistics.single_arm import exact_size
from blinasim.study.evaluate_design import evaluate_design
from blinasim.study.evaluation import Estimated, Evaluation
from blinasim.trial import decisions

#: What a design is solved for.
Solved: TypeAlias = Literal["n", "events"]

#: Trials of the first steps, and the most of a later one; the size found is then simulated as often as was asked.
_FIRST, _MOST = 500, 2_000
_STEPS: Final = 8
#: How often the size found may be corrected by what all the trials say of it.
_ENDS: Final = 3
#: Sizes within this part of each other are one.
_CLOSE: Final = 0.01
_LARGEST: Final = 20_000
_LARGEST_ARM: Final = 2_000
#: Powers are taken to lie between these, and the line to go through alpha at size 0 within this error of the probit.
_TELLING: Final = (0.002, 0.998)
_ROUGHLY: Final = 0.3


@dataclass(frozen=True)
class Solution:
    """A size with the power that was wanted.

    Attributes
    ----------
    by : {"n", "events"}
        What was solved for.
    size : int
        Patients, or events, found.
    mcse : float
        Monte Carlo standard error of the size; 0 where it is exact.
    evaluation : Evaluation
        The design of that size, simulated.
    tried : tuple of (int, Estimated)
        The sizes on the way, with their powers.
    """

    by: Solved
    size: int
    mcse: float
    evaluation: Evaluation
    tried: tuple[tuple[int, Estimated], ...]


def solve_design(
    asked: TrialDesign,
    power: float,
    *,
    by: Solved = "n",
    parameters: ParameterSource | None = None,
    executor: Executor | None = None,
    progress: Callable[[int], None] | None = None,
) -> Solution:
    """Find the least size with a power.

    Parameters
    ----------
    asked : TrialDesign
        The design; its looks go in proportion to the size.
    power : float
        Wanted, between alpha and 1. Over draws of the parameters it is the assurance.
    by : {"n", "events"}
        Patients; or the events of the looks, with the patients as they are.
    parameters, executor, progress
        As for :func:`evaluate_design`.

    Returns
    -------
    Solution
        The size, and what the design of that size does.

    Raises
    ------
    ScenarioError
        If the power cannot be wanted, there are no events to solve for, or no size will do.
    """
    design = asked.design
    if not design.one_sided_alpha < power < 1.0:
        raise ScenarioError(
            f"should be above alpha {design.one_sided_alpha:g} and below 1", Argument("power", said=f"{power:g}")
        )
    if by == "events" and design.planned_events is None:
        raise ScenarioError(f"{asked.name}: the last look names no events to solve for; solve for n")
    if not design.two_arms:
        sized = replace(asked, design=_single_arm(asked, power))
        found = evaluate_design(sized, parameters=parameters, executor=executor, progress=progress)
        return Solution(by, sized.design.size, 0.0, found, ())

    def simulated(size: int, trials: int) -> Evaluation:
        few = _sized(asked, size, by).with_study(replications=trials)
        of = replace(asked, design=few)
        return evaluate_design(of, parameters=parameters, executor=executor, progress=progress)

    size = design.size if by == "n" else design.planned_events or 0
    tried: list[tuple[int, Estimated]] = []
    trials = min(_FIRST, design.study.replications)
    largest = _LARGEST if by == "n" else design.size
    for _ in range(_STEPS):
        tried.append((size, simulated(size, trials).success))
        wanted = _next(tried, power, design.one_sided_alpha)
        if wanted > largest:
            if size >= largest:
                raise _out_of_reach(asked, power, by, tried[-1])
            wanted = largest
        settled = abs(wanted - size) <= max(1.0, _CLOSE * size) and trials >= min(_MOST, design.study.replications)
        size = math.ceil(wanted)
        if settled:
            break
        trials = min(2 * trials, _MOST, design.study.replications)
    for _ in range(_ENDS):
        found = simulated(size, design.study.replications)
        if abs(found.success.value - power) <= 2.0 * found.success.mcse:
            break
        tried.append((size, found.success))
        wanted = math.ceil(_next(tried, power, design.one_sided_alpha))
        if wanted == size or wanted > largest:
            break
        size = wanted
    size = found.design.size if by == "n" else found.design.planned_events or size
    slope = _line([*tried, (size, found.success)], design.one_sided_alpha)[1] / (2.0 * math.sqrt(size))
    density = math.exp(-0.5 * float(ndtri(power)) ** 2) / math.sqrt(2.0 * math.pi)
    error = found.success.mcse / max(density * slope, 1e-12)
    return Solution(by, size, error, found, tuple(tried))


def _sized(asked: TrialDesign, size: int, by: Solved) -> Design:
    try:
        return asked.design.of_size(size) if by == "n" else asked.design.of_events(size)
    except ValidationError as problem:
        raise ScenarioError(f"{asked.name}: with {by} {size}: {complaint(problem)[1]}") from None


def _line(tried: list[tuple[int, Estimated]], alpha: float) -> tuple[float, float]:
    """Fit probit(power) = a + b sqrt(size) to the powers, weighted by their errors, and to alpha at size 0.

    The latter holds roughly, and keeps the noise of sizes close together from making the slope.
    """
    at_nothing = float(ndtri(alpha))
    points = [(0.0, at_nothing, _ROUGHLY)]
    for size, power in tried:
        share = min(max(power.value, _TELLING[0]), _TELLING[1])
        points.append((math.sqrt(size), float(ndtri(share)), _probit_error(Estimated(share, power.mcse))))
    x, y, error = (np.array(column) for column in zip(*points, strict=True))
    slope, start = np.polyfit(x, y, 1, w=1.0 / error)
    return float(start), float(slope)


def _probit_error(power: Estimated) -> float:
    density = math.exp(-0.5 * float(ndtri(power.value)) ** 2) / math.sqrt(2.0 * math.pi)
    return max(power.mcse, 1e-3) / density


def _next(tried: list[tuple[int, Estimated]], power: float, alpha: float) -> float:
    """Return the size at which the line has the power, at most four times the largest that was tried."""
    start, slope = _line(tried, alpha)
    largest = max(size for size, _ in tried)
    needed = (float(ndtri(power)) - start) / slope if slope > 0.0 else math.inf
    return max(10.0, min(needed, 2.0 * math.sqrt(largest)) ** 2) if needed > 0.0 else 10.0


def _out_of_reach(asked: TrialDesign, power: float, by: Solved, last: tuple[int, Estimated]) -> ScenarioError:
    size, found = last
    unit = "patients" if by == "n" else "events"
    return ScenarioError(
        f"{asked.name}: {size:,} {unit} have a power of {found.value:.3f} (Monte Carlo error {found.mcse:.2g}), not "
        f"{power:g}; {'the effect is too small' if by == 'n' else 'give the design more patients'}"
    )


def _single_arm(asked: TrialDesign, power: float) -> Design:
    """Return the least single-arm design with the power at p1."""
    design, plan = asked.design, asked.design.plan
    assert plan is not None
    try:
        if plan.kind == "exact":
            size = exact_size(plan.p0, plan.p1, design.alpha, power, most=_LARGEST_ARM).size
            return design.model_copy(update={"size": size})
        if plan.kind != "predictive_probability":
            update = {"size": _LARGEST_ARM, "plan": plan.model_copy(update={"beta": 1.0 - power})}
            large = design.model_copy(update=update)
            return large.model_copy(update={"size": decisions.plan_of(large).size})
    except ValueError as problem:
        raise ScenarioError(f"{asked.name}: {problem}") from None
    for size in range(2 + len(plan.looks_at), _LARGEST_ARM + 1):
        looks_at = tuple(sorted({max(1, round(at * size / design.size)) for at in plan.looks_at}))
        sized = design.model_copy(update={"size": size, "plan": plan.model_copy(update={"looks_at": looks_at})})
        try:
            characteristics = decisions.plan_of(sized).characteristics(plan.p1)
        except ValueError:  # too few patients for any posterior to convince, or a look on top of another
            continue
        if characteristics.success >= power:
            return sized
    raise ScenarioError(
        f"{asked.name}: no monitored plan of {_LARGEST_ARM:,} patients or fewer has the power {power:g}"
    )
