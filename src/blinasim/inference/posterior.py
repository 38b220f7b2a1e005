"""Posterior draws: as a table, as files, and as parameters of a study's trials."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from blinasim.errors import ParameterError, Place
from blinasim.files import complaint, read_bytes, reason, short
from blinasim.inference.leave_one_out import LeftOut
from blinasim.inference.priors import drawn
from blinasim.inference.sampler import Stage, effective
from blinasim.luck import Luck
from blinasim.model.catalogue import parameter_catalogue
from blinasim.model.parameters import PAIR, Parameters, Structure, parameters_of

Floats = NDArray[np.float64]

#: Columns of the draws that are no parameters.
WEIGHT, LOG_LIKELIHOOD = "weight", "log_likelihood"
_DRAWS_OF, _PRIORS = "draws of", "the priors"


@dataclass(frozen=True, eq=False, repr=False)
class Posterior:
    """What the calibration found.

    Attributes
    ----------
    draws : DataFrame
        A row a draw: ``weight`` (they add up to 1), ``log_likelihood`` (as re-computed at the end), then every
        parameter by its dotted name; those that the targets do not touch are drawn from their priors.
    structure : Structure
        Distributions of relapse, and of survival after failure.
    log_evidence : float
        Log probability of the published figures under priors and structure.
    pareto_k : float
        Of the final re-weighting: below 0.7 the weights can be trusted.
    stages : tuple of Stage
        Health of the sampler.
    about : dict
        How it was made: seed, effort, versions, hashes.
    left_out : tuple of LeftOut
        Each fitted figure against what all others say of it.
    """

    draws: pd.DataFrame
    structure: Structure
    log_evidence: float
    pareto_k: float
    stages: tuple[Stage, ...]
    about: Mapping[str, Any]
    left_out: tuple[LeftOut, ...] = ()

    def __repr__(self) -> str:
        return f"<Posterior: {len(self.draws)} draws worth {self.ess:.0f}, log evidence {self.log_evidence:.2f}>"

    @property
    def weights(self) -> Floats:
        """Weights of the draws, adding up to 1; shape (S,)."""
        return self.draws[WEIGHT].to_numpy(dtype=np.float64)

    @property
    def ess(self) -> float:
        """Effective number of draws by their weights alone."""
        with np.errstate(divide="ignore"):
            return effective(np.log(self.weights))

    def values(self, name: str) -> Floats:
        """Return the draws of one parameter, shape (S,)."""
        return self.draws[name].to_numpy(dtype=np.float64)

    def mean(self, name: str) -> float:
        """Return the posterior mean of a parameter."""
        return float(self.weights @ self.values(name))

    def standard_deviation(self, name: str) -> float:
        """Return the posterior standard deviation of a parameter."""
        return float(np.sqrt(self.weights @ np.square(self.values(name) - self.mean(name))))

    @property
    def has_learnt(self) -> bool:
        """Whether these are draws of a posterior; draws of the priors have learnt nothing."""
        return self.about.get(_DRAWS_OF) != _PRIORS

    @property
    def varies(self) -> bool:
        """Whether trials may differ in their parameters: those of different pairs may."""
        return True

    @property
    def fingerprint(self) -> str:
        """A hash of the draws, their weights and the structure, whatever the file looks like."""
        digest = hashlib.sha256(json.dumps(asdict(self.structure)).encode())
        for name in (WEIGHT, *parameter_catalogue()):
            digest.update(self.values(name).tobytes())
        return digest.hexdigest()

    def of(self, replications: range, seed: int) -> Parameters:
        """Return parameters with one draw for each pair of replications (0 and 1, 2 and 3, ...).

        Parameters
        ----------
        replications : range
            Which replications, contiguous. The same one has the same draw, however a study is cut.
        seed : int
            The study's; equal seeds choose the same draws.

        Returns
        -------
        values : Parameters
            Arrays of shape (R, 1).
        """
        chosen = self.chosen(replications, seed)
        values = {name: self.values(name)[chosen][:, np.newaxis] for name in parameter_catalogue()}
        return parameters_of(values, self.structure)

    def chosen(self, replications: range, seed: int) -> NDArray[np.intp]:
        """Return which draw each replication has.

        Parameters
        ----------
        replications, seed
            As for :meth:`of`.

        Returns
        -------
        ndarray of int, shape (R,)
            Rows of the draws.
        """
        pairs = range(replications.start // PAIR, (replications.stop - 1) // PAIR + 1)
        uniform = Luck(seed).uniform("posterior.draw", pairs, 1)[:, 0]
        edges = np.cumsum(self.weights)
        by_pair = np.minimum(np.searchsorted(edges, uniform * edges[-1], side="right"), edges.size - 1)
        return np.asarray(by_pair[np.arange(replications.start, replications.stop) // PAIR - pairs.start])

    def means(self) -> Parameters:
        """Return the posterior means, as parameters of all trials."""
        return parameters_of({name: self.mean(name) for name in parameter_catalogue()}, self.structure)

    def write(self, path: Path) -> None:
        """Write the draws as CSV, and what is known about them as JSON beside it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.draws.to_csv(path, index=False)
        about = {
            "structure": asdict(self.structure),
            "log_evidence": self.log_evidence,
            "pareto_k": self.pareto_k if np.isfinite(self.pareto_k) else None,
            "stages": [asdict(stage) for stage in self.stages],
            "left_out": [asdict(figure) for figure in self.left_out],
            "about": dict(self.about),
        }
        path.with_suffix(".json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def read_posterior(path: Path) -> Posterior:
    """Read a posterior from its CSV, and the JSON beside it.

    Raises
    ------
    ParameterError
        If a file is missing, or is not one that :meth:`Posterior.write` wrote for this version's parameters.
    """
    place = Place(str(path))
    draws = _read_draws(path)
    beside = read_bytes(path.with_suffix(".json"), ParameterError, most_bytes=_MOST_BYTES, doing=_PAIR)
    try:
        about = json.loads(beside.decode())
        stages = tuple(Stage(**stage) for stage in about["stages"])
        structure = TypeAdapter(Structure).validate_python(about["structure"])
        k = about["pareto_k"]
        found = Posterior(
            draws, structure, float(about["log_evidence"]), -np.inf if k is None else float(k), stages,
            dict(about["about"]), tuple(LeftOut(**figure) for figure in about["left_out"]),
        )  # fmt: skip
    except ValidationError as problem:
        raise ParameterError(f"is no posterior (its structure: {complaint(problem)[1]}); {_ANEW}", place) from None
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as problem:
        what = reason(problem) if isinstance(problem, KeyError | ValueError) else type(problem).__name__
        raise ParameterError(f"is no posterior ({what}); {_ANEW}", place) from None
    return found


_MOST_BYTES: Final = 100_000_000
_PAIR: Final = "; a posterior is a pair of files, NAME.csv and NAME.json beside it, as a calibration writes them"
_ANEW: Final = "calibrate anew (blinasim calibrate, or blinasim.calibrate in Python)"


def _read_draws(path: Path) -> pd.DataFrame:
    """Read the draws alone: a file that holds none should not be blamed on the one that belongs beside it."""
    place = Place(str(path))
    table = read_bytes(path, ParameterError, most_bytes=_MOST_BYTES, doing=_PAIR)
    if not table.strip():
        raise ParameterError(f"is empty{_PAIR}", place)
    try:
        draws = pd.read_csv(io.BytesIO(table), float_precision="round_trip")
    except UnicodeDecodeError:
        raise ParameterError(f"is not UTF-8 text{_PAIR}", place) from None
    except (ValueError, OverflowError, RecursionError) as problem:
        raise ParameterError(f"is no posterior ({reason(problem)}); {_ANEW}", place) from None
    _check(draws, place)
    return draws


def _check(draws: pd.DataFrame, place: Place) -> None:
    """Refuse draws that no calibration writes."""
    catalogue = parameter_catalogue()
    wanted = [WEIGHT, LOG_LIKELIHOOD, *catalogue]
    if sorted(draws.columns) != sorted(wanted):
        other = min(set(wanted).symmetric_difference(draws.columns), default="a column twice")
        raise ParameterError(f"is of other parameters ({short(other)}); {_ANEW}", place)
    if not len(draws):
        raise ParameterError(f"holds no draws; {_ANEW}", place)
    for name in wanted:
        column = draws[name].to_numpy()
        if column.dtype.kind not in "fiu" or not np.isfinite(column).all():
            raise ParameterError(f"{name}: some draws are no finite numbers; {_ANEW}", place)
    if (draws[WEIGHT] < 0).any() or not draws[WEIGHT].sum() > 0:
        raise ParameterError(f"{WEIGHT}: weights should be 0 or more, and not all 0; {_ANEW}", place)
    for name, info in catalogue.items():
        if not draws[name].between(*info.bounds).all():
            raise ParameterError(f"{name}: some draws are no {info.unit}; {_ANEW}", place)


#: Significant digits of draws: their own error is far larger, and files stay small.
_DIGITS: Final = 7


def as_written(draws: pd.DataFrame) -> pd.DataFrame:
    """Return draws as they are kept in files, with so many digits, so that nothing changes when they are read again."""
    text = draws.to_csv(index=False, float_format=f"%.{_DIGITS}g")
    return pd.read_csv(io.StringIO(text), float_precision="round_trip")


#: Draws of a parameter that is not sampled are made with luck of this name.
_LUCK_OF: Final = "posterior.value.{}"


def independent_uniforms(name: str, draws: int, seed: int) -> Floats:
    """Return uniforms for draws of a parameter that is not sampled, shape (S,)."""
    return np.asarray(Luck(seed).uniform(_LUCK_OF.format(name), range(draws), 1)[:, 0])


def prior_draws(structure: Structure, draws: int, seed: int) -> Posterior:
    """Return draws from the priors, as a posterior that has learnt nothing: all of the same weight.

    Parameters
    ----------
    structure : Structure
        Whose priors.
    draws : int
        How many; each is the same however many there are.
    seed : int
        Of the draws' luck.

    Returns
    -------
    Posterior
    """
    columns = {WEIGHT: np.full(draws, 1.0 / draws), LOG_LIKELIHOOD: np.zeros(draws)}
    for name, info in parameter_catalogue().items():
        columns[name] = drawn(info, independent_uniforms(name, draws, seed))
    return Posterior(pd.DataFrame(columns), structure, 0.0, -np.inf, (), {_DRAWS_OF: _PRIORS})
