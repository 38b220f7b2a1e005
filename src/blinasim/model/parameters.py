"""Parameters of nature: values with unit, prior, meaning, provenance grade and source.

The data are ``calibration/parameters.yaml``; this module says which parameters there are and checks the file
against that. A value may be a number, or an array of shape (R, 1) with one value per replication.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from blinasim.errors import ParameterError
from blinasim.files import data_folder, nearest, read_yaml

#: A parameter's value: one for all, or one per replication, shape (R, 1).
Value = float | NDArray[np.float64]


@dataclass(frozen=True)
class Baseline:
    """Attributes at enrolment that the scenario does not set."""

    poor_fitness: Value
    fair_fitness: Value
    worse_fitness_odds_per_decade: Value
    well_matched_share: Value
    frailty_variance: Value


@dataclass(frozen=True)
class Induction:
    """The first two cycles."""

    death_cycle_1: Value
    death_cycle_2: Value
    death_infection_share: Value
    death_adverse_event_share: Value
    death_ratio_25_to_50: Value
    death_ratio_below_25: Value
    progression_cycle_1: Value
    progression_cycle_2: Value
    stop_first_infusion: Value
    stop_later_infusion: Value


@dataclass(frozen=True)
class Response:
    """Remission, its depth and its MRD."""

    probability: Value
    odds_ratio_25_to_50: Value
    odds_ratio_below_25: Value
    odds_ratio_prior_hsct: Value
    odds_ratio_65_and_over: Value
    cycle_1_share: Value
    crh_share: Value
    crh_deepens: Value
    mrd_negative_cr: Value
    mrd_negative_crh: Value
    mrd_unknown: Value


@dataclass(frozen=True)
class Relapse:
    """The relapse clock and its speeds."""

    median_days: Value
    shape: Value
    mrd_negative_speed: Value
    crh_speed: Value
    prior_hsct_speed: Value
    infusion_speed: Value
    other_therapy_speed: Value
    maintenance_speed: Value
    bridging_speed: Value
    graft_speed: Value
    reduced_speed: Value
    sibling_speed: Value
    haploidentical_speed: Value
    cord_speed: Value
    graft_late_speed: Value
    plateau_days: Value
    symptoms_median_days: Value


@dataclass(frozen=True)
class Remission:
    """What else may end a remission, and transplants after it."""

    death_per_year: Value
    death_late_ratio: Value
    death_ratio_65_and_over: Value
    death_infection_share: Value
    switch_per_year: Value
    later_transplant: Value
    later_transplant_median_days: Value


@dataclass(frozen=True)
class DonorSearch:
    """Donors: whether there is one of each type, and how long the search for it takes."""

    sibling_exists: Value
    sibling_median_days: Value
    unrelated_exists_well_matched: Value
    unrelated_exists_poorly_matched: Value
    unrelated_median_days: Value
    haploidentical_exists: Value
    haploidentical_median_days: Value
    cord_exists: Value
    cord_median_days: Value
    search_shape: Value
    under_way_share: Value
    head_start_median_days: Value
    sibling_marrow: Value
    unrelated_marrow: Value
    haploidentical_marrow: Value


@dataclass(frozen=True)
class Candidacy:
    """What a policy cannot command: the centre's selection and the patient's wish."""

    selected_prior_hsct: Value
    selected_65_and_over: Value
    declines_cr: Value
    declines_crh: Value


@dataclass(frozen=True)
class NonRelapse:
    """Death after HSCT without relapse; the reference is myeloablative, unrelated donor, 40 years, fit, first HSCT."""

    infection_day_100: Value
    infection_late_per_year: Value
    gvhd_day_100: Value
    gvhd_late_per_year: Value
    other_day_100: Value
    other_late_per_year: Value
    late_until_days: Value
    tail_ratio: Value
    reduced_speed: Value
    sibling_speed: Value
    haploidentical_speed: Value
    cord_speed: Value
    speed_per_decade: Value
    fair_fitness_speed: Value
    poor_fitness_speed: Value
    second_hsct_speed: Value


@dataclass(frozen=True)
class Failure:
    """Survival after failure of induction or after relapse."""

    median_days: Value
    shape: Value
    relapse_speed: Value
    relapse_after_hsct_speed: Value
    salvage_graft_speed: Value
    long_share: Value
    long_speed: Value


@dataclass(frozen=True)
class StandardTherapy:
    """Standard salvage chemotherapy against blinatumomab, for policies that give it instead."""

    response_odds_ratio: Value
    early_death_hazard_ratio: Value
    relapse_speed: Value
    failure_speed: Value


@dataclass(frozen=True)
class Recording:
    """Missing data in the record of a transplant."""

    conditioning_unknown: Value
    donor_unknown: Value


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

    A :class:`ParameterSource` that gives itself to all trials.
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
        """Return the same but for some values, given by dotted name."""
        return parameters_of(parameters_to_dict(self) | dict(values), self.structure)

    def by_patient(self, replication: NDArray[np.intp]) -> Parameters:
        """Return the values that hold for some patients, given the replication of each.

        Parameters
        ----------
        replication : ndarray of int, shape (Q,)
            Row of the patient in values of shape (R, 1), which become values of shape (Q,); numbers stay.
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
    """Another source's parameters, but for some values that are the same in all trials."""

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
        """Return the parameters of some replications."""
        return self.source.of(replications, seed).changed(self.values)


class Prior(BaseModel):
    """A prior distribution by name: beta(a, b), lognormal(median, sigma), uniform(low, high) or fixed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    distribution: Literal["beta", "lognormal", "uniform", "fixed"]
    a: float | None = None
    b: float | None = None
    median: float | None = None
    sigma: float | None = None
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        given = self.model_dump(exclude_none=True, exclude={"distribution"})
        return f"{self.distribution}({', '.join(f'{key} {value:g}' for key, value in given.items())})"

    @model_validator(mode="after")
    def _numbers_of_the_distribution(self) -> Self:
        needed = {
            "beta": {"a", "b"},
            "lognormal": {"median", "sigma"},
            "uniform": {"low", "high"},
            "fixed": set(),
        }[self.distribution]
        given = set(self.model_dump(exclude_none=True)) - {"distribution"}
        if given != needed:
            raise ValueError(f"{self.distribution} takes {', '.join(sorted(needed)) or 'no numbers'}")
        return self


class ParameterInfo(BaseModel):
    """What is known about one parameter, and where it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Annotated[float, Field(allow_inf_nan=False, ge=0.0)]
    unit: Literal[
        "probability",
        "share",
        "odds ratio",
        "hazard ratio",
        "speed ratio",
        "days",
        "per year",
        "shape",
        "variance",
    ]
    prior: Prior
    meaning: Annotated[str, Field(min_length=10)]
    grade: Literal["abstract", "trial", "literature", "assumption"]
    source: Annotated[str, Field(min_length=3)]

    @model_validator(mode="after")
    def _value_of_the_unit(self) -> Self:
        if self.unit in ("probability", "share") and self.value > 1.0:
            raise ValueError(f"value {self.value:g} is not a {self.unit}")
        if self.unit in ("shape", "odds ratio") and not self.value > 0.0:
            raise ValueError(f"value {self.value:g} is no {self.unit}; it should be above 0")
        return self


@cache
def parameter_catalogue(path: Path | None = None) -> dict[str, ParameterInfo]:
    """Read all that is known about the parameters, by dotted name, in the order of the dataclasses.

    Raises
    ------
    ParameterError
        If a parameter is missing, unknown or badly described; with file, line and column.
    """
    document = read_yaml(path or data_folder("calibration") / "parameters.yaml", ParameterError)
    data = document.data if isinstance(document.data, dict) else {}
    known = {group: [item.name for item in fields(cls)] for group, cls in _GROUPS.items()}
    _check_names((), list(data), list(known), document)
    catalogue = {}
    for group, names in known.items():
        _check_names((group,), list(data[group]), names, document)
        for name in names:
            try:
                catalogue[f"{group}.{name}"] = ParameterInfo.model_validate(data[group][name])
            except ValidationError as problem:
                first = problem.errors()[0]
                where = ".".join(str(part) for part in (group, name, *first["loc"]))
                raise ParameterError(f"{where}: {first['msg']}", document.place((group, name, *first["loc"]))) from None
    return catalogue


def _check_names(path: tuple[str, ...], given: list[str], known: list[str], document: Any) -> None:
    for name in given:
        if name not in known:
            dotted = ".".join((*path, name))
            raise ParameterError(f"{dotted}: no such parameter{nearest(name, known)}", document.place((*path, name)))
    for name in known:
        if name not in given:
            raise ParameterError(f"{'.'.join((*path, name))}: is missing", document.place(path))


_GROUPS: dict[str, Any] = {
    "baseline": Baseline,
    "induction": Induction,
    "response": Response,
    "relapse": Relapse,
    "remission": Remission,
    "donor_search": DonorSearch,
    "candidacy": Candidacy,
    "non_relapse": NonRelapse,
    "failure": Failure,
    "standard_therapy": StandardTherapy,
    "recording": Recording,
}


def load_parameters(path: Path | None = None) -> Parameters:
    """Return the point values of ``calibration/parameters.yaml`` (or of another such file)."""
    return parameters_of({name: info.value for name, info in parameter_catalogue(path).items()})


def parameters_to_dict(parameters: Parameters) -> dict[str, Any]:
    """Return the values by dotted name; the reverse of :func:`parameters_of`."""
    return {
        f"{group}.{item.name}": getattr(getattr(parameters, group), item.name)
        for group, cls in _GROUPS.items()
        for item in fields(cls)
    }


def parameters_of(values: dict[str, Any], structure: Structure | None = None) -> Parameters:
    """Group values given by dotted name, for example ``{"relapse.shape": 0.9, ...}``; the usual structure if none."""
    return Parameters(
        **{
            group: cls(**{item.name: values[f"{group}.{item.name}"] for item in fields(cls)})
            for group, cls in _GROUPS.items()
        },
        structure=structure or Structure(),
    )
