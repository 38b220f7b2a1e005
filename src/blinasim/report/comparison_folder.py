"""The folder of a comparison: every file of it, written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path

from blinasim.engine.choice import EngineName
from blinasim.files import whole_folder
from blinasim.model.parameters import ParameterSource
from blinasim.model.policy_file import PolicyFile
from blinasim.report import exports, figures
from blinasim.report.comparison_file import comparison_file
from blinasim.report.contents import Contents, write_contents
from blinasim.report.manifest import ComparisonManifest, posterior_to_keep, resolved, simulated
from blinasim.report.page.comparison import comparison_page
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
        files = write_contents(_contents(comparison, policies or {}), folder)
    return comparison, files


def _contents(comparison: Comparison, policies: Mapping[str, PolicyFile]) -> Contents:
    arms = comparison.arms
    manifest = ComparisonManifest(
        **simulated(comparison.parameters),
        engines={arm.name: arm.engine for arm in arms},
        scenarios={arm.name: resolved(arm.scenario, _cohort_file(arm)) for arm in arms},
        policies={name: policy.name for name, policy in policies.items()},
    )
    cohorts = {_cohort_file(arm): arm.source.text for arm in arms if arm.source is not None}
    return Contents(
        manifest,
        "comparison",
        comparison_file(comparison),
        {"comparison": exports.comparison(comparison)},
        _figures(comparison),
        comparison_page(comparison),
        cohorts | {f"policy_{name}.py": policy.text for name, policy in policies.items()},
        posterior_to_keep(comparison.parameters),
    )


def _cohort_file(arm: Side) -> str:
    return f"cohort_{arm.name}.csv"


def _figures(comparison: Comparison) -> dict[str, Drawing]:
    drawn = {"differences": figures.differences(comparison), "survival": figures.policies(comparison)}
    drawn |= {f"flows_{each.name}": figures.flows(comparison, each.name) for each in comparison.contrasts if each.pairs}
    if any(arm.queues for arm in comparison.arms):
        drawn["queues"] = figures.queues(comparison)
    return drawn
