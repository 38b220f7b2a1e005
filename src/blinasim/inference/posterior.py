"""Posterior draws: as a table, as files, and as parameters of a study's trials."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blinasim.errors import ParameterError, Place
from blinasim.files import reason
from blinasim.inference.sampler import Stage, effective
from blinasim.luck import Luck
from blinasim.model.parameters import Parameters, Structure, parameter_catalogue, parameters_of

Floats = NDArray[np.float64]

#: Columns of the draws that are no parameters.
WEIGHT, LOG_LIKELIHOOD = "weight", "log_likelihood"


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
    """

    draws: pd.DataFrame
    structure: Structure
    log_evidence: float
    pareto_k: float
    stages: tuple[Stage, ...]
    about: Mapping[str, Any]

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

    def parameters(self, replications: range, seed: int) -> Parameters:
        """Return parameters with one draw a replication.

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
        uniform = Luck(seed).uniform("posterior.draw", replications, 1)[:, 0]
        edges = np.cumsum(self.weights)
        chosen = np.minimum(np.searchsorted(edges, uniform * edges[-1], side="right"), edges.size - 1)
        values = {name: self.values(name)[chosen][:, np.newaxis] for name in parameter_catalogue()}
        return parameters_of(values, self.structure)

    def write(self, path: Path) -> None:
        """Write the draws as CSV, to the last bit, and what is known about them as JSON beside it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.draws.to_csv(path, index=False)
        about = {
            "structure": asdict(self.structure),
            "log_evidence": self.log_evidence,
            "pareto_k": self.pareto_k if np.isfinite(self.pareto_k) else None,
            "stages": [asdict(stage) for stage in self.stages],
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
    try:
        draws = pd.read_csv(path, float_precision="round_trip")
        about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        stages = tuple(Stage(**stage) for stage in about["stages"])
        k = about["pareto_k"]
        found = Posterior(
            draws, Structure(**about["structure"]), about["log_evidence"], -np.inf if k is None else k, stages,
            about["about"],
        )  # fmt: skip
    except OSError as problem:
        raise ParameterError(f"cannot be read ({reason(problem)}); make it with blinasim calibrate", place) from None
    except (KeyError, TypeError, ValueError) as problem:
        raise ParameterError(
            f"is no posterior ({reason(problem)}); make it anew with blinasim calibrate", place
        ) from None
    wanted = [WEIGHT, LOG_LIKELIHOOD, *parameter_catalogue()]
    if sorted(draws.columns) != sorted(wanted):
        missing = next(iter(set(wanted).symmetric_difference(draws.columns)))
        raise ParameterError(f"is of other parameters ({missing}); make it anew with blinasim calibrate", place)
    if not (np.isfinite(draws.to_numpy(dtype=np.float64)).all() and (found.weights >= 0).all()):
        raise ParameterError("holds numbers that are not finite; make it anew with blinasim calibrate", place)
    return found


#: Draws of a parameter that is not sampled are made with luck of this name.
_LUCK_OF: Final = "posterior.value.{}"


def independent_uniforms(name: str, draws: int, seed: int) -> Floats:
    """Return uniforms for draws of a parameter that is not sampled, shape (S,)."""
    return np.asarray(Luck(seed).uniform(_LUCK_OF.format(name), range(draws), 1)[:, 0])
