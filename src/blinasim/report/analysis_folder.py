"""Folders of analyses that are neither a run nor a comparison: a document, a table, figures and a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from blinasim.files import MANIFEST, whole_folder
from blinasim.model.parameters import ParameterSource
from blinasim.report.folder import save_figures, write_csv, write_json
from blinasim.report.manifest import AnalysisKind, analysis_manifest_of, hashes, write_posterior
from blinasim.report.page.page import Page, write_page
from blinasim.report.style import Drawing
from blinasim.report.summary_file import Document
from blinasim.scenario.settings import Scenario

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Analysis:
    """What is written: the document is named after the kind, tables and figures by their own names; and the report.

    ``others`` are further scenarios, for the manifest.
    """

    kind: AnalysisKind
    scenario: Scenario
    parameters: ParameterSource
    document: Document
    tables: Mapping[str, pd.DataFrame]
    figures: Mapping[str, Drawing]
    page: Page
    others: Mapping[str, Scenario] = field(default_factory=dict)


def write_analysis(target: Path, analysis: Analysis, *, force: bool = False) -> list[str]:
    """Write a results folder and return the names of its files.

    Raises
    ------
    OutputError
        If the folder exists and ``force`` is False, or cannot be written.
    """
    with whole_folder(target, force=force) as folder:
        write_json(analysis.document.model_dump(mode="json"), folder / f"{analysis.kind}.json")
        for name, table in analysis.tables.items():
            write_csv(table, folder / f"{name}.csv")
        save_figures(analysis.figures, folder / "figures")
        write_page(analysis.page, analysis.figures, folder)
        write_posterior(analysis.parameters, folder, always=analysis.kind == "calibration")
        manifest = analysis_manifest_of(analysis.kind, analysis.scenario, analysis.parameters, folder, analysis.others)
        write_json(manifest.model_dump(mode="json"), folder / MANIFEST)
        return sorted([*hashes(folder), MANIFEST])
