"""Execute the notebooks in place, so that what they show is what the program says now.

Run it from the repository after a change that moves numbers: ``python notebooks/refresh.py``, or with the names of some
notebooks. A second run changes nothing: what depends on the moment or the machine is not kept. Read the prose again
beside the new numbers before you commit them.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

HERE = Path(__file__).resolve().parent
#: All that a reader's program has to know about the kernel.
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
#: Seconds that a cell may take.
_PATIENCE = 120


def notebooks() -> list[Path]:
    """Return the notebooks in their order."""
    return sorted(HERE.glob("[0-9]*.ipynb"))


def read(path: Path) -> NotebookNode:
    """Read a notebook."""
    return nbformat.read(path, as_version=4)


def executed(notebook: NotebookNode) -> NotebookNode:
    """Execute a notebook in a kernel of its own, in a folder that is gone afterwards, and return it tidied."""
    # Notebooks print tables: a reader's own width of the terminal should not fold them.
    os.environ["COLUMNS"] = "120"
    # Streamlit sets this for the process that imports it: figures of a notebook would not be shown.
    os.environ.pop("MPLBACKEND", None)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=_PATIENCE,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            record_timing=False,
            coalesce_streams=True,
        )
        client.execute()
    return tidied(notebook)


def tidied(notebook: NotebookNode) -> NotebookNode:
    """Take out what another moment or machine would write otherwise."""
    notebook.metadata = nbformat.from_dict(_METADATA)
    for number, cell in enumerate(notebook.cells, start=1):
        cell.id = f"cell-{number:02d}"
        cell.metadata = nbformat.from_dict({})
        for output in cell.get("outputs", []):
            output.pop("transient", None)
            if "metadata" in output:
                output.metadata = nbformat.from_dict({})
    return notebook


def main(names: list[str]) -> None:
    """Refresh the notebooks named, or all."""
    for path in [HERE / Path(name).name for name in names] or notebooks():
        notebook = executed(read(path))
        nbformat.validate(notebook)
        nbformat.write(notebook, path)
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
