"""Trials designed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from blinasim.api.asked import with_study
from blinasim.inference.choice import parameters_said
from blinasim.model.parameters import ParameterSource
from blinasim.scenario.design_file import TrialDesign, load_design
from blinasim.study import evaluate_design as evaluating
from blinasim.study.evaluation import Evaluation


def evaluate_design(
    design: str | Path | TrialDesign,
    *,
    null: bool = False,
    replications: int | None = None,
    seed: int | None = None,
    parameters: ParameterSource | str | Path | None = "point",
    progress: Callable[[int], None] | None = None,
    executor: Executor | None = None,
    chunk: int | None = None,
) -> Evaluation:
    """Simulate the trials of a design: power or error, size, duration, bias and coverage.

    Parameters
    ----------
    design : str, Path or TrialDesign
        A shipped design's name, a YAML file, or a design already loaded with :func:`load_design`.
    null : bool
        Simulate a world in which there is nothing to be found.
    replications, seed : int, optional
        Instead of those of the design's ``study``.
    parameters, progress, executor, chunk
        As for :func:`simulate`, but for the point values by default: over draws of a posterior the share of successes
        is the assurance, and there is no one truth by which to judge bias and coverage.

    Returns
    -------
    Evaluation
        Every look of every trial; ``evaluation.success``, ``evaluation.looks()``.

    Raises
    ------
    ScenarioError
        If the design contradicts itself; one line says where and what to do.
    ParameterError
        If the parameters cannot be used.
    WorkerError
        If those who do the work keep dying.
    """
    asked = design if isinstance(design, TrialDesign) else load_design(design)
    return evaluating.evaluate_design(
        replace(asked, design=with_study(asked.design, replications, seed)),
        parameters=parameters_said(parameters),
        null=null,
        progress=progress,
        executor=executor,
        chunk=chunk,
    )
