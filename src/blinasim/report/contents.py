"""What a results folder holds, whatever the command, and how it is written: each file once, the manifest last."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blinasim.files import MANIFEST, whole_folder
from blinasim.inference.posterior import Posterior
from blinasim.model.cohort_file import read_cohort
from blinasim.report import style
from blinasim.report.document import Document
from blinasim.report.manifest import COHORT_FILE, POSTERIOR_FILE, Made, hashes, resolved
from blinasim.report.page.page import Page, write_page
from blinasim.scenario.settings import Scenario

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Contents:
    """What is written.

    Attributes
    ----------
    manifest : Made
        What it was made from; the hashes are added when the rest is written.
    name : str
        Of the document.
    document : Document
        The results as JSON.
    tables : dict of str to DataFrame
        By name; one with a slash lies in a folder of its own.
    figures : dict of str to Drawing
        By name; each as PNG and as SVG.
    page : Page
        The report.
    texts : dict of str to str
        Files of the user's that travel with the results as they were read, by their names there.
    posterior : Posterior, optional
        Draws that travel with the results.
    """

    manifest: Made
    name: str
    document: Document
    tables: Mapping[str, pd.DataFrame]
    figures: Mapping[str, style.Drawing]
    page: Page
    texts: Mapping[str, str] = field(default_factory=dict)
    posterior: Posterior | None = None


def write_contents(contents: Contents, folder: Path) -> list[str]:
    """Write everything into a folder that is there, and return the names of all its files."""
    _write_json(contents.document.model_dump(mode="json"), folder / f"{contents.name}.json")
    for name, table in contents.tables.items():
        _write_csv(table, folder / f"{name}.csv")
    _save_figures(contents.figures, folder / "figures")
    write_page(contents.page, contents.figures, folder)
    for name, text in contents.texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    if contents.posterior is not None:
        contents.posterior.write(folder / POSTERIOR_FILE)
    _write_json(contents.manifest.written(folder), folder / MANIFEST)
    return sorted([*hashes(folder), MANIFEST])


def write_folder(target: Path, contents: Contents, *, force: bool = False) -> list[str]:
    """Write a results folder, whole or not at all, and return the names of its files.

    Parameters
    ----------
    target : Path
        The folder to be.
    contents : Contents
        All that is written.
    force : bool
        Whether a results folder that is there is replaced.

    Returns
    -------
    list of str
        Sorted, relative to the folder.

    Raises
    ------
    OutputError
        If the folder exists and ``force`` is False, or cannot be written.
    """
    with whole_folder(target, force=force) as folder:
        return write_contents(contents, folder)


@dataclass(frozen=True)
class CohortCopies:
    """Copies of the cohorts' files that travel with the results.

    Attributes
    ----------
    names : dict of str to str
        Of the copies, by the path of the file.
    texts : dict of str to str
        What they hold, by name.
    """

    names: Mapping[str, str]
    texts: Mapping[str, str]

    @classmethod
    def of(cls, scenarios: Iterable[Scenario]) -> CohortCopies:
        """Read the files of some scenarios, each once.

        Raises
        ------
        ScenarioError
            If one can no longer be read.
        """
        names: dict[str, str] = {}
        texts: dict[str, str] = {}
        for scenario in scenarios:
            data = scenario.cohort.data
            if data is None or data.file in names:
                continue
            source = read_cohort(scenario.cohort)
            assert source is not None
            names[data.file] = f"cohort_{len(names) + 1}.csv" if names else COHORT_FILE
            texts[names[data.file]] = source.text
        return cls(names, texts)

    def resolved(self, scenario: Scenario) -> dict[str, Any]:
        """Return one of those scenarios as plain data; its cohort's file is the copy."""
        data = scenario.cohort.data
        return resolved(scenario, COHORT_FILE if data is None else self.names[data.file])


def _save_figures(drawn: Mapping[str, style.Drawing], folder: Path) -> None:
    folder.mkdir()
    for name, figure in drawn.items():
        for suffix in ("png", "svg"):
            style.save(figure, folder / f"{name}.{suffix}")


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table, the same bytes on every system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False, date_format="%Y-%m-%d", lineterminator="\n")


def _write_json(document: Any, path: Path) -> None:
    """Write a document, the same bytes on every system."""
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
