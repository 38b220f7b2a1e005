"""Fill what the documentation shows of the program with what the program says now.

Run it from the repository after a change that moves numbers: ``python docs/refresh.py``. It replaces the blocks of
the README that follow ``<!-- shown: ... -->``, the pictures in ``docs/images``, and the documents generated from
the code (data dictionary, schemas). With ``--generated`` only the latter, in seconds.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from blinasim.report.calibration_file import CalibrationFile
from blinasim.report.calibration_targets import calibration_document
from blinasim.report.comparison_file import ComparisonFile
from blinasim.report.design_file import DesignFile
from blinasim.report.document import Document
from blinasim.report.effect_file import EffectFile
from blinasim.report.exports import data_dictionary
from blinasim.report.optimization_file import OptimizationFile
from blinasim.report.sensitivity_file import SensitivityFile
from blinasim.report.summary_file import SummaryFile
from blinasim.report.validation_file import ValidationFile
from blinasim.report.value_file import ValueFile
from blinasim.report.verification import VerificationFile
from blinasim.scenario.writing import DESIGN_SCHEMA_FILE, SCHEMA_FILE, design_json_schema, json_schema
from traceability import traceability_document

ROOT = Path(__file__).resolve().parents[1]
#: The patient whose life the README tells; chosen because much happens in it.
PATIENT = 54
#: What the README compares.
COMPARED = ("baseline", "early_donor_search")
#: What is written as JSON, by the name of its schema.
DOCUMENTS: dict[str, type[Document]] = {
    "summary": SummaryFile,
    "comparison": ComparisonFile,
    "calibration": CalibrationFile,
    "validation": ValidationFile,
    "effect": EffectFile,
    "sensitivity": SensitivityFile,
    "optimization": OptimizationFile,
    "value": ValueFile,
    "trial": DesignFile,
    "verification": VerificationFile,
}


def blinasim(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "blinasim", *arguments], capture_output=True, text=True, check=True)
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


def excerpt(table: str) -> str:
    """Leave the details of the transplants out: the README wants one screen."""
    lines = table.splitlines()
    first = next(i for i, line in enumerate(lines) if "Myeloablative" in line)
    last = next(i for i, line in enumerate(lines) if line.startswith("No on-study HSCT"))
    kept = [*lines[:first], "  ...", *lines[last:]]
    return untimed("\n".join(kept))


def untimed(text: str) -> str:
    return re.sub(r" · [\d.]+ s$", "", text, flags=re.MULTILINE)


def show(text: str, name: str, content: str) -> str:
    block = re.compile(rf"(<!-- shown: {name} -->\n```text\n).*?(```\n)", re.DOTALL)
    assert block.search(text), name
    return block.sub(lambda found: f"{found[1]}{content}\n{found[2]}", text)


def generated() -> dict[Path, str]:
    """Documents that are generated whole; a test holds each against the code."""
    return {
        ROOT / "docs" / "data_dictionary.md": data_dictionary(),
        ROOT / "docs" / "calibration_targets.md": calibration_document(),
        ROOT / "docs" / "traceability.md": traceability_document(),
        **{
            ROOT / "docs" / f"{name}.schema.json": indented(document.model_json_schema())
            for name, document in DOCUMENTS.items()
        },
        ROOT / "scenarios" / SCHEMA_FILE: indented(json_schema()),
        ROOT / "scenarios" / "trials" / DESIGN_SCHEMA_FILE: indented(design_json_schema()),
    }


def indented(schema: object) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--generated", action="store_true", help="only the documents that are generated whole")
    if not parser.parse_args().generated:
        refresh_shown()
    for path, content in generated().items():
        path.write_text(content, encoding="utf-8")


def refresh_shown() -> None:
    """Run what the README shows."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        table = blinasim("run", "baseline", "--out", f"{folder}/r").replace(f"{folder}/r/", "results/baseline/")
        shutil.copy(f"{folder}/r/figures/survival.png", ROOT / "docs" / "images" / "survival.png")
        compared = blinasim("compare", *COMPARED, "--out", f"{folder}/c")
        shutil.copy(f"{folder}/c/figures/differences.png", ROOT / "docs" / "images" / "differences.png")
    text = show(text, "run", excerpt(table))
    compared = untimed(compared).replace(f"{folder}/c/", f"results/compare_{'_'.join(COMPARED)}/")
    text = show(text, "compare", f"$ blinasim compare {' '.join(COMPARED)}\n{compared}")
    story = blinasim("trace", "baseline", "--patient", str(PATIENT))
    text = show(text, "trace", f"$ blinasim trace baseline --patient {PATIENT}\n{story}")
    readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
