"""What the program is, what it is not, and how to cite it: from the package itself, wherever it is installed."""

from __future__ import annotations

from importlib.metadata import metadata

from blinasim import __version__
from blinasim.model.catalogue import parameter_catalogue

#: Words for the grades of provenance, in their order.
GRADES = {
    "abstract": "read from the source study's abstract",
    "trial": "from other reports of the same trial",
    "literature": "from the literature",
    "assumption": "assumptions",
}


def citation() -> str:
    """Return how to cite the version that runs, from the package's own metadata."""
    about = metadata("blinasim")
    return (
        f"{about['Author']}. {about['Name']}, version {__version__} [software]. Licence: {about['License-Expression']}."
    )


def what_it_is() -> str:
    """Return the package's own summary."""
    return str(metadata("blinasim")["Summary"])


def grades() -> dict[str, int]:
    """Return how many parameters there are of each grade of provenance."""
    given = [info.grade for info in parameter_catalogue().values()]
    return {grade: sum(one == grade for one in given) for grade in GRADES}
