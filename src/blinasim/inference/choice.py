"""Which parameters: the shipped posterior, the point values, or a file of either."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from blinasim.errors import Argument, ParameterError
from blinasim.files import data_folder, quoted
from blinasim.inference.posterior import Posterior, read_posterior
from blinasim.model.catalogue import load_parameters
from blinasim.model.parameters import Changed, Parameters, ParameterSource, Structure, parameters_to_dict
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
    """Say in a few words which parameters those are, and of a user's own how many values differ from the shipped."""
    if isinstance(source, Posterior):
        return f"{'posterior' if source.has_learnt else 'priors'}, {len(source.draws):,} draws"
    points = _points(source)
    own, distributions = own_values(source), own_distributions(source)
    if points is None or not (points.file or own or distributions):
        return "point parameters"
    changed = "; ".join((f"{len(own) or 'none'} changed", *distributions))
    return f"point values of {points.file or 'the user'} ({changed})"


def own_values(source: ParameterSource) -> frozenset[str]:
    """Return the names of the parameters whose point values a user changed: none of draws, and none that a study set.

    Parameters
    ----------
    source : ParameterSource
        Of a study.

    Returns
    -------
    frozenset of str
        Dotted names of what differs from ``calibration/parameters.yaml``.
    """
    points = _points(source)
    if points is None:
        return frozenset()
    shipped = parameters_to_dict(load_parameters())
    return frozenset(name for name, value in parameters_to_dict(points).items() if np.any(value != shipped[name]))


def own_distributions(source: ParameterSource) -> tuple[str, ...]:
    """Return the distributions of point values that are not the usual ones, such as ``relapse log_logistic``."""
    points, usual = _points(source), asdict(Structure())
    if points is None:
        return ()
    return tuple(f"{name} {said}" for name, said in asdict(points.structure).items() if said != usual[name])


def point_file(source: ParameterSource) -> str | None:
    """Return the name of the user's file that point values were read from; None where there was none."""
    points = _points(source)
    return points.file or None if points is not None else None


def _points(source: ParameterSource) -> Parameters | None:
    """Return the point values that a study was given, beneath what it set itself; None where there are none."""
    while isinstance(source, Changed):
        source = source.source
    return source if isinstance(source, Parameters) else None
