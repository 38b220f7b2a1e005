"""What is written of evaluated designs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from blinasim.report import exports, figures
from blinasim.report.contents import CohortCopies, Contents
from blinasim.report.design import design_frame
from blinasim.report.design_file import design_file
from blinasim.report.manifest import AnalysisManifest, posterior_to_keep, simulated
from blinasim.report.page.design import design_page
from blinasim.report.style import Drawing
from blinasim.study.design_trials import trial_at_looks
from blinasim.study.evaluation import Evaluation
from blinasim.study.solve_design import Solution

if TYPE_CHECKING:
    import pandas as pd


def design_contents(
    evaluations: Sequence[Evaluation], solutions: Mapping[str, Solution] | None = None, *, trial: int = 1
) -> Contents:
    """Return all that is written of designs.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        One or more designs under one set of parameters.
    solutions : dict of str to Solution, optional
        By name of the design.
    trial : int
        Number of the trial that is exported as it stands at each look, from 1.

    Returns
    -------
    Contents
    """
    first = evaluations[0]
    copies = CohortCopies.of(scenario for one in evaluations for scenario in one.asked.scenarios)
    designs = {
        one.asked.name: {
            "design": one.design.model_dump(mode="json"),
            "scenarios": [copies.resolved(scenario) for scenario in one.asked.scenarios],
        }
        for one in evaluations
    }
    return Contents(
        AnalysisManifest(
            **simulated(first.parameters),
            kind="trial",
            scenario=copies.resolved(first.asked.scenarios[0]),
            designs=designs,
        ),
        "trial",
        design_file(evaluations, solutions),
        {
            "looks": design_frame(evaluations),
            **{name: table for one in evaluations for name, table in _trial_tables(one, trial)},
        },
        _figures(evaluations),
        design_page(evaluations, solutions, trial=trial),
        copies.texts,
        posterior_to_keep(first.parameters),
    )


def _figures(evaluations: Sequence[Evaluation]) -> dict[str, Drawing]:
    several = len(evaluations) > 1
    drawn = {}
    for evaluation in evaluations:
        suffix = f"_{evaluation.asked.name}" if several else ""
        drawn[f"boundaries{suffix}"] = figures.boundaries(evaluation)
        drawn[f"duration{suffix}"] = figures.duration(evaluation)
        if figures.has_power_curve(evaluation):
            drawn[f"power{suffix}"] = figures.power_curve(evaluation)
        if evaluation.design.two_arms:
            drawn[f"hazard_ratio{suffix}"] = figures.hazard_ratio_over_time(evaluation)
    return drawn


def _trial_tables(evaluation: Evaluation, trial: int) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield one trial as its data base stands at each look; what comes later is not in it."""
    rules = evaluation.asked.scenarios[0].trial
    for number, at in enumerate(trial_at_looks(evaluation.asked, evaluation.parameters, trial), start=1):
        there = f"{evaluation.asked.name}_trial_{trial}/look_{number}"
        yield f"{there}/adsl", exports.adsl(at.batch, at.treatment)
        yield f"{there}/adtte", exports.adtte(at.batch, rules, at.treatment)
