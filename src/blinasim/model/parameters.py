"""Parameters of nature: the values of all of them, and who gives them to the trials of a study.

A value may be a number, or an array of shape (R, 1) with one value per replication. Which parameters there are is said
in ``model.parameter_groups``, what is known about each in ``model.catalogue``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from blinasim.model.parameter_groups import (
    GROUPS,
    Baseline,
    Candidacy,
    DonorSearch,
    Failure,
    Induction,
    NonRelapse,
    Recording,
    Relapse,
    Remission,
    Response,
    StandardTherapy,
    Value,
)


@dataclass(frozen=True)
class Structure:
    """What the calibration cannot settle by a number: the distribution of two clocks, by name.

    ``relapse`` is the relapse clock's, with ``relapse.median_days`` and ``relapse.shape``; frailty multiplies its
    hazard. ``failure`` is that of survival after failure, with ``failure.median_days`` and either ``failure.shape``, or
    ``failure.long_share`` and ``failure.long_speed``.
    """

    relapse: Literal["weibull", "log_logistic"] = "weibull"
    failure: Literal["log_logistic", "exponential_mixture"] = "log_logistic"


#: Parameters that act only under one structure of survival after failure.
ONLY_UNDER: Final = {
    "failure.shape": "log_logistic",
    "failure.long_share": "exponential_mixture",
    "failure.long_speed": "exponential_mixture",
}


class ParameterSource(Protocol):
    """What gives the trials of a study their parameters: the same to all of them, or not."""

    @property
    def varies(self) -> bool:
        """Whether trials may differ; those of a pair (0 and 1, 2 and 3, ...) never do."""
        ...

    @property
    def fingerprint(self) -> str:
        """A hash by which to tell it from another."""
        ...

    @property
    def structure(self) -> Structure:
        """The structure of all its values."""
        ...

    def of(self, replications: range, seed: int) -> Parameters:
        """Return the parameters of some replications, the same ones however a study is cut.

        Parameters
        ----------
        replications : range
            Contiguous, counted from 0.
        seed : int
            The study's.

        Returns
        -------
        values : Parameters
            Numbers, or arrays of shape (R, 1).
        """
        ...


#: Consecutive trials, from an even one on, that have the same parameters where these vary: two, so that chance in a
#: trial can be told from not knowing the parameters.
PAIR: Final = 2


@dataclass(frozen=True)
class Parameters:
    """All parameters, grouped as the clinic meets them, and the structure that they are parameters of.

    A :class:`ParameterSource` that gives itself to all trials. ``file`` names the user's file that they were read from,
    without its folder; it is no part of the values, and empty where there was none.
    """

    baseline: Baseline
    induction: Induction
    response: Response
    relapse: Relapse
    remission: Remission
    donor_search: DonorSearch
    candidacy: Candidacy
    non_relapse: NonRelapse
    failure: Failure
    standard_therapy: StandardTherapy
    recording: Recording
    structure: Structure = Structure()
    file: str = field(default="", compare=False)

    @property
    def varies(self) -> bool:
        """Whether trials may differ: no."""
        return False

    @property
    def fingerprint(self) -> str:
        """A hash of all values and of the structure."""
        values = {name: np.asarray(value).tolist() for name, value in parameters_to_dict(self).items()}
        return hashlib.sha256(json.dumps([values, asdict(self.structure)], sort_keys=True).encode()).hexdigest()

    def of(self, replications: range, seed: int) -> Parameters:  # noqa: ARG002 -- a ParameterSource
        """Return these parameters, whatever the replications."""
        return self

    def changed(self, values: Mapping[str, Value]) -> Parameters:
        """Return the same but for some values.

        Parameters
        ----------
        values : mapping of str to float or ndarray
            New values by dotted name; arrays are of shape (R, 1).

        Returns
        -------
        changed : Parameters
        """
        return parameters_of(parameters_to_dict(self) | dict(values), self.structure)

    def by_patient(self, replication: NDArray[np.intp]) -> Parameters:
        """Return the values that hold for some patients, given the replication of each.

        Parameters
        ----------
        replication : ndarray of int, shape (Q,)
            Row of the patient in values of shape (R, 1).

        Returns
        -------
        values : Parameters
            Values of shape (R, 1) become values of shape (Q,); numbers stay.
        """
        values = parameters_to_dict(self)
        if not any(isinstance(value, np.ndarray) for value in values.values()):
            return self
        return parameters_of(
            {name: v[replication, 0] if isinstance(v, np.ndarray) else v for name, v in values.items()},
            self.structure,
        )


@dataclass(frozen=True)
class Changed:
    """Another source's parameters, but for some values that are the same in all trials.

    Attributes
    ----------
    source : ParameterSource
        Who gives the other values.
    values : mapping of str to float
        The new values by dotted name.
    """

    source: ParameterSource
    values: Mapping[str, float]

    @property
    def varies(self) -> bool:
        """Whether trials may differ, in the other values."""
        return self.source.varies

    @property
    def fingerprint(self) -> str:
        """A hash of the source and the changes."""
        return hashlib.sha256(json.dumps([self.source.fingerprint, dict(self.values)]).encode()).hexdigest()

    @property
    def structure(self) -> Structure:
        """The structure of the source."""
        return self.source.structure

    def of(self, replications: range, seed: int) -> Parameters:
        """Return the parameters of some replications, as of :meth:`ParameterSource.of`."""
        return self.source.of(replications, seed).changed(self.values)


def parameters_to_dict(parameters: Parameters) -> dict[str, Any]:
    """Return the values by dotted name, in the order of the groups; the reverse of :func:`parameters_of`."""
    return {
        f"{group}.{item.name}": getattr(getattr(parameters, group), item.name)
        for group, cls in GROUPS.items()
        for item in fields(cls)
    }


def parameters_of(values: dict[str, Any], structure: Structure | None = None) -> Parameters:
    """Group values given by dotted name; the reverse of :func:`parameters_to_dict`.

    Parameters
    ----------
    values : dict of str to float or ndarray
        All values, for example ``{"relapse.shape": 0.9, ...}``; arrays are of shape (R, 1).
    structure : Structure, optional
        What they are parameters of; the usual one by default.

    Returns
    -------
    values : Parameters
        The same values in their groups; what no group has is left out.

    Raises
    ------
    KeyError
        If a parameter has no value.
    """
    return Parameters(
        **{
            group: cls(**{item.name: values[f"{group}.{item.name}"] for item in fields(cls)})
            for group, cls in GROUPS.items()
        },
        structure=structure or Structure(),
    )
