"""Results folders: tables and figures, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from blinasim.files import whole_folder
from blinasim.report import figures, style
from blinasim.report.rows import Row, endpoint_frame
from blinasim.study.simulate import Result
from blinasim.trial.occupancy import State


def write_results(result: Result, rows: list[Row], target: Path, *, force: bool = False) -> list[str]:
    """Write the results of a run into ``target`` and return the names of the files.

    Raises
    ------
    OutputError
        If the folder exists and ``force`` is False, or cannot be written.
    """
    with whole_folder(target, force=force) as folder:
        endpoint_frame(rows).to_csv(folder / "endpoints.csv", index=False)
        _write_occupancy(result, folder / "occupancy.csv")
        (folder / "figures").mkdir()
        drawn = {
            "survival": figures.survival(result),
            "published_against_simulated": figures.forest(rows),
            "state_occupancy": figures.occupancy(result),
        }
        for name, figure in drawn.items():
            for suffix in ("png", "svg"):
                style.save(figure, folder / "figures" / f"{name}.{suffix}")
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _write_occupancy(result: Result, path: Path) -> None:
    """One row a day; shares of all simulated patients, true states."""
    import pandas as pd

    shares = result.occupancy / result.occupancy.sum(axis=0)
    frame = pd.DataFrame(shares.T, columns=[state.name.lower() for state in State])
    frame.insert(0, "day", range(len(frame)))
    frame.to_csv(path, index=False)
