"""Simulation-based calibration of the whole pipeline, abstract by abstract; it can be stopped and goes on.

``python benchmarks/sbc.py --abstracts 200 --workers 2`` keeps each finished abstract as a file of its own in
``results/sbc`` and, when all are there, writes ``docs/sbc.csv`` with every place of a true value. ``python
docs/calibration.py`` makes the page and the picture of it. With ``--quick`` each abstract is calibrated at the settings
of ``blinasim calibrate --quick``, which takes some minutes each, instead of the smaller ones of
``blinasim.inference.sbc.SMALL``.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from blinasim.inference.calibrate import QUICK
from blinasim.inference.sbc import SMALL, judge

ROOT = Path(__file__).resolve().parents[1]


def one(number: int, folder: Path, quick: bool) -> Path:
    path = folder / f"{number:04}.csv"
    rows = judge(number, conduct=QUICK if quick else SMALL)
    aside = path.with_suffix(".part")
    pd.DataFrame([asdict(row) for row in rows]).to_csv(aside, index=False, float_format="%.6g")
    aside.replace(path)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--abstracts", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="calibrate each at the settings of --quick")
    parser.add_argument("--folder", type=Path, default=None, help="where finished abstracts are kept")
    said = parser.parse_args()
    folder = said.folder or ROOT / "results" / ("sbc_quick" if said.quick else "sbc")
    folder.mkdir(parents=True, exist_ok=True)
    numbers = range(1, said.abstracts + 1)
    missing = [number for number in numbers if not (folder / f"{number:04}.csv").exists()]
    print(f"{said.abstracts - len(missing)} abstracts are there, {len(missing)} to do", flush=True)
    with ProcessPoolExecutor(said.workers) as pool:
        for done in as_completed([pool.submit(one, number, folder, said.quick) for number in missing]):
            print(done.result().name, flush=True)
    rows = pd.concat([pd.read_csv(folder / f"{number:04}.csv") for number in numbers])
    target = ROOT / "docs" / ("sbc_quick.csv" if said.quick else "sbc.csv")
    rows.to_csv(target, index=False)
    print(f"Wrote {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
