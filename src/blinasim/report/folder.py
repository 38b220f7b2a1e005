"""Results folders: every file of a run, written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blinasim.engine.choice import EngineName
from blinasim.files import MANIFEST, whole_folder
from blinasim.model.cohort_file import read_cohort
from blinasim.model.parameters import Parameters
from blinasim.report import exports, figures, style
from blinasim.report.manifest import COHORT_FILE, hashes, manifest_of
from blinasim.report.rows import Row, endpoint_frame, rows_of
from blinasim.report.summary_file import EXPORTED_TRIAL, summary_file
from blinasim.scenario.settings import Scenario
from blinasim.study.executors import processes
from blinasim.study.replay import Replay, replay
from blinasim.study.simulate import Batch, Result, simulate

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

PATIENTS_FILE = "patients.parquet"


def run_into(
    target: Path,
    scenario: Scenario,
    parameters: Parameters,
    *,
    engine: EngineName = "auto",
    patients: bool = False,
    workers: int = 1,
    force: bool = False,
    progress: Callable[[int], None] | None = None,
) -> tuple[Result, list[str]]:
    """Run a scenario and write its results folder.

    Parameters
    ----------
    target : Path
        The folder; it appears when it is whole.
    scenario, parameters
        What is run.
    engine : {"auto", "fast", "des"}
        Which engine walks the patients.
    patients : bool
        Also write every patient of every trial, to ``patients.parquet``.
    workers : int
        Processes that share the work; the results are the same.
    force : bool
        Replace a folder that is there.
    progress : callable, optional
        Called with the number of trials finished since the last call.

    Returns
    -------
    tuple of Result and list of str
        The result, and the names of the files written.

    Raises
    ------
    OutputError
        If the folder exists and ``force`` is False, or cannot be written.
    """
    source = read_cohort(scenario.cohort)
    with whole_folder(target, force=force) as folder:
        writer = _PatientsWriter(folder / PATIENTS_FILE) if patients else None
        try:
            with processes(workers) as executor:
                result = simulate(
                    scenario,
                    parameters=parameters,
                    engine=engine,
                    progress=progress,
                    keep=writer.write if writer else None,
                    source=source,
                    executor=executor,
                )
        finally:
            if writer:
                writer.close()
        one = replay(scenario, parameters, EXPORTED_TRIAL, source=source)
        rows = rows_of(result)
        _write_tables(result, rows, one, folder)
        _write_figures(result, rows, one, folder / "figures")
        if source is not None:
            (folder / COHORT_FILE).write_text(source.text, encoding="utf-8", newline="")
        manifest = manifest_of(scenario, parameters, result.engine, folder, patients=patients)
        _write_json(manifest.model_dump(mode="json"), folder / MANIFEST)
        return result, sorted([*hashes(folder), MANIFEST])


def _write_tables(result: Result, rows: list[Row], one: Replay, folder: Path) -> None:
    scenario = result.scenario
    _write_json(summary_file(result, rows).model_dump(mode="json"), folder / "summary.json")
    _write_csv(endpoint_frame(rows), folder / "endpoints.csv")
    _write_csv(exports.occupancy(result), folder / "occupancy.csv")
    _write_csv(exports.adsl(one.batch), folder / "adsl.csv")
    _write_csv(exports.adtte(one.batch, scenario.trial), folder / "adtte.csv")
    _write_csv(exports.event_log(one.batch, one.log), folder / "events.csv")


def _write_figures(result: Result, rows: list[Row], one: Replay, folder: Path) -> None:
    folder.mkdir()
    drawn = {
        "survival": figures.survival(result),
        "published_against_simulated": figures.forest(rows),
        "state_occupancy": figures.occupancy(result),
        "swimmer": figures.swimmer(one.batch.seen, result.scenario, trial=EXPORTED_TRIAL, first_trial=EXPORTED_TRIAL),
    }
    for name, figure in drawn.items():
        for suffix in ("png", "svg"):
            style.save(figure, folder / f"{name}.{suffix}")


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, date_format="%Y-%m-%d", lineterminator="\n")


def _write_json(document: Any, path: Path) -> None:
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


class _PatientsWriter:
    """Writes batches of patients to one Parquet file, a row group a batch; nothing is kept in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def write(self, batch: Batch) -> None:
        """Append a batch."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pandas(exports.patients(batch), preserve_index=False)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table)

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()
