"""The folder of a comparison: every file of it, written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path

from blinasim.engine.choice import EngineName
from blinasim.files import MANIFEST, whole_folder
from blinasim.model.parameters import ParameterSource
from blinasim.model.policy_file import PolicyFile
from blinasim.report import exports, figures
from blinasim.report.comparison_file import comparison_file
from blinasim.report.folder import save_figures, write_csv, write_json
from blinasim.report.manifest import comparison_manifest_of, hashes, write_posterior
from blinasim.report.page.comparison import comparison_page
from blinasim.report.page.page import write_page
from blinasim.report.style import Drawing
from blinasim.scenario.settings import Scenario
from blinasim.study.compare import compare
from blinasim.study.comparison import Comparison, Side


def compare_into(
    target: Path,
    scenarios: Mapping[str, Scenario],
    parameters: ParameterSource,
    *,
    policies: Mapping[str, PolicyFile] | None = None,
    engine: EngineName = "auto",
    executor: Executor | None = None,
    force: bool = False,
    progress: Callable[[int], None] | None = None,
) -> tuple[Comparison, list[str]]:
    """Compare scenarios and write the results folder.

    Parameters
    ----------
    target : Path
        The folder; it appears when it is whole.
    scenarios, parameters, engine, executor, progress
        As for :func:`blinasim.study.compare.compare`.
    policies : dict of str to PolicyFile, optional
        Policies of one's own by name; their files are copied into the folder.
    force : bool
        Replace a folder that is there.

    Returns
    -------
    tuple of Comparison and list of str
        The comparison, and the names of the files written.

    Raises
    ------
    OutputError
        If the folder exists and ``force`` is False, or cannot be written.
    ScenarioError, PolicyError, WorkerError
        As :func:`blinasim.study.compare.compare`.
    """
    with whole_folder(target, force=force) as folder:
        comparison = compare(
            scenarios,
            policies=policies,
            parameters=parameters,
            engine=engine,
            executor=executor,
            progress=progress,
        )
        _write(comparison, policies or {}, folder)
        files = sorted([*hashes(folder), MANIFEST])
    return comparison, files


def _write(comparison: Comparison, policies: Mapping[str, PolicyFile], folder: Path) -> None:
    """Write everything; the manifest comes last, as it describes the rest."""
    write_json(comparison_file(comparison).model_dump(mode="json"), folder / "comparison.json")
    write_csv(exports.comparison(comparison), folder / "comparison.csv")
    drawn = _figures(comparison)
    save_figures(drawn, folder / "figures")
    write_page(comparison_page(comparison), drawn, folder)
    scenarios = {arm.name: arm.scenario for arm in comparison.arms}
    for name, policy in policies.items():
        (folder / f"policy_{name}.py").write_text(policy.text, encoding="utf-8", newline="")
    write_posterior(comparison.parameters, folder)
    manifest = comparison_manifest_of(
        scenarios,
        comparison.parameters,
        {arm.name: arm.engine for arm in comparison.arms},
        _write_cohorts(comparison.arms, folder),
        {name: policy.name for name, policy in policies.items()},
        folder,
    )
    write_json(manifest.model_dump(mode="json"), folder / MANIFEST)


def _figures(comparison: Comparison) -> dict[str, Drawing]:
    drawn = {"differences": figures.differences(comparison), "survival": figures.policies(comparison)}
    drawn |= {f"flows_{each.name}": figures.flows(comparison, each.name) for each in comparison.contrasts if each.pairs}
    if any(arm.queues for arm in comparison.arms):
        drawn["queues"] = figures.queues(comparison)
    return drawn


def _write_cohorts(arms: Sequence[Side], folder: Path) -> dict[str, str]:
    """Write the cohorts' files as they were read to the results, and return their names there by scenario."""
    names = {}
    for arm in arms:
        if arm.source is not None:
            names[arm.name] = f"cohort_{arm.name}.csv"
            (folder / names[arm.name]).write_text(arm.source.text, encoding="utf-8", newline="")
    return names
