"""Which parameters: the shipped posterior, the point values, or a file of either."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from blinasim.errors import Argument, ParameterError
from blinasim.files import data_folder, quoted
from blinasim.inference.posterior import Posterior, read_posterior
from blinasim.model.catalogue import load_parameters
from blinasim.model.parameters import ParameterSource
from blinasim.model.point_file import read_points

POSTERIOR, POINT = "posterior", "point"
#: The shipped posterior, in the folder ``calibration``.
_SHIPPED: Final = "posterior.csv"


def parameters_said(said: ParameterSource | str | Path | None = None) -> ParameterSource:
    """Return the parameters that a user names.

    Parameters
    ----------
    said : ParameterSource, str or Path, optional
        ``"posterior"``: the draws that come with blinasim. ``"point"``: the values of ``calibration/parameters.yaml``.
        A file: draws as ``blinasim calibrate`` writes them (``.csv``), or point values (``.yaml``). By default the
        posterior, or the point values where none is shipped.

    Returns
    -------
    ParameterSource

    Raises
    ------
    ParameterError
        If there is no such posterior or file, or it cannot be used.
    """
    if said is None:
        return shipped_posterior() or load_parameters()
    if not isinstance(said, str | Path):
        if not (hasattr(said, "of") and hasattr(said, "varies")):
            raise ParameterError(
                "should be posterior, point, a file of either, or parameters already loaded",
                Argument.of_type("parameters", said),
            )
        return said
    if said == POINT:
        return load_parameters()
    if said == POSTERIOR:
        found = shipped_posterior()
        if found is None:
            raise ParameterError("no posterior comes with this version; calibrate anew, and name the file of draws")
        return found
    path = Path(said)
    if path.suffix == ".csv":
        return read_posterior(path)
    if path.suffix in (".yaml", ".yml"):
        return read_points(path)
    raise ParameterError(
        "is neither posterior nor point, nor a file of draws (.csv) or of point values (.yaml)",
        Argument("parameters", said=quoted(str(said))),
    )


def shipped_posterior() -> Posterior | None:
    """Return the posterior that comes with blinasim, or None."""
    path = data_folder("calibration") / _SHIPPED
    return _read(path) if path.is_file() else None


def is_shipped(posterior: Posterior) -> bool:
    """Whether a posterior is the one that comes with blinasim."""
    shipped = shipped_posterior()
    return shipped is not None and shipped.fingerprint == posterior.fingerprint


@cache
def _read(path: Path) -> Posterior:
    return read_posterior(path)


def described(source: ParameterSource) -> str:
    """Say in a few words which parameters those are."""
    if not isinstance(source, Posterior):
        return "point parameters"
    return f"{'posterior' if source.has_learnt else 'priors'}, {len(source.draws):,} draws"
