"""The folder of evaluated designs: every file of it, written whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from blinasim.files import MANIFEST, whole_folder
from blinasim.report import exports, figures
from blinasim.report.design import design_frame
from blinasim.report.design_file import design_file
from blinasim.report.folder import save_figures, write_csv, write_json
from blinasim.report.manifest import analysis_manifest_of, hashes, write_posterior
from blinasim.report.page.design import design_page
from blinasim.report.page.page import write_page
from blinasim.report.style import Drawing
from blinasim.study.design_trials import trial_at_looks
from blinasim.study.evaluate_design import Evaluation
from blinasim.study.solve_design import Solution


def write_designs(
    target: Path,
    evaluations: Sequence[Evaluation],
    solutions: Mapping[str, Solution] | None = None,
    *,
    trial: int = 1,
    force: bool = False,
) -> list[str]:
    """Write a results folder and return the names of its files.

    Parameters
    ----------
    target : Path
        The folder; it appears when it is whole.
    evaluations : sequence of Evaluation
        One or more designs under one set of parameters.
    solutions : dict of str to Solution, optional
        By name of the design.
    trial : int
        Number of the trial that is exported as it stands at each look, from 1.
    force : bool
        Replace a folder that is there.

    Raises
    ------
    OutputError
        If the folder exists and ``force`` is False, or cannot be written.
    """
    first = evaluations[0]
    with whole_folder(target, force=force) as folder:
        write_json(design_file(evaluations, solutions).model_dump(mode="json"), folder / "trial.json")
        write_csv(design_frame(evaluations), folder / "looks.csv")
        drawn = _figures(evaluations)
        save_figures(drawn, folder / "figures")
        write_page(design_page(evaluations, solutions, trial=trial), drawn, folder)
        for evaluation in evaluations:
            _write_trial(evaluation, trial, folder / f"{evaluation.asked.name}_trial_{trial}")
        write_posterior(first.parameters, folder)
        designs = {
            one.asked.name: {
                "design": one.design.model_dump(mode="json"),
                "scenarios": [scenario.model_dump(mode="json") for scenario in one.asked.scenarios],
            }
            for one in evaluations
        }
        manifest = analysis_manifest_of("trial", first.asked.scenarios[0], first.parameters, folder, designs=designs)
        write_json(manifest.model_dump(mode="json"), folder / MANIFEST)
        return sorted([*hashes(folder), MANIFEST])


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


def _write_trial(evaluation: Evaluation, trial: int, folder: Path) -> None:
    """Write one trial as its data base stands at each look; what comes later is not in it."""
    rules = evaluation.asked.scenarios[0].trial
    for number, at in enumerate(trial_at_looks(evaluation.asked, evaluation.parameters, trial), start=1):
        there = folder / f"look_{number}"
        there.mkdir(parents=True)
        write_csv(exports.adsl(at.batch, at.treatment), there / "adsl.csv")
        write_csv(exports.adtte(at.batch, rules, at.treatment), there / "adtte.csv")
