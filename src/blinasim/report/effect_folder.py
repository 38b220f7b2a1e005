"""The results folder of the effect of HSCT in patients of the user's own: no scenario, but the data's hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

from blinasim.files import MANIFEST, whole_folder
from blinasim.report import figures
from blinasim.report.effect import data_frame
from blinasim.report.effect_file import effect_file
from blinasim.report.folder import save_figures, write_csv, write_json
from blinasim.report.manifest import hashes, versions
from blinasim.report.page.effect import data_page
from blinasim.report.page.page import write_page
from blinasim.study.effect_data import DataEffect


def write_data_effect(target: Path, found: DataEffect, source: Path, *, force: bool = False) -> list[str]:
    """Write a results folder and return the names of its files.

    Raises
    ------
    OutputError
        If the folder exists and ``force`` is False, or cannot be written.
    """
    with whole_folder(target, force=force) as folder:
        write_json(effect_file(found).model_dump(mode="json"), folder / "effect.json")
        write_csv(data_frame(found), folder / "effect.csv")
        drawn = {"effects": figures.effects(found), "simon_makuch": figures.simon_makuch(found)}
        save_figures(drawn, folder / "figures")
        write_page(data_page(found), drawn, folder)
        manifest = {
            "manifest_version": 1,
            "kind": "effect_of_data",
            **versions(),
            "data": {"name": source.name, "sha256": hashlib.sha256(source.read_bytes()).hexdigest()},
            "files": hashes(folder),
        }
        write_json(manifest, folder / MANIFEST)
        return sorted([*hashes(folder), MANIFEST])
