"""``sensitivity.json``: on which parameters outcomes rest, as one documented, versioned document."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from blinasim.files import data_folder
from blinasim.inference.choice import described
from blinasim.inference.sensitivity import Bearing, Index, OutcomeSensitivity, Sensitivity
from blinasim.model.parameters import ParameterSource
from blinasim.report.document import Document, finite
from blinasim.report.sensitivity import sentence
from blinasim.statistics.conditional_mean import VarianceShare

#: Raised when a key changes its meaning or goes away; a new key does not raise it.
SCHEMA_VERSION: Final = 1
#: The analysis of the baseline that comes with blinasim, in the folder ``calibration``: this very document.
SHIPPED: Final = "sensitivity.json"


class IndexDocument(Document):
    """Sobol indices over the priors, with bootstrap standard errors."""

    first: float = Field(description="Part of the variance that goes with it alone.")
    first_error: float = Field(description="Standard error.")
    total: float = Field(description="The same with all interactions.")
    total_error: float = Field(description="Standard error.")


class ShareDocument(Document):
    """Part of the posterior variance that goes with knowing something, by regression on posterior draws."""

    value: float | None = Field(description="From 0 to 1.")
    error: float | None = Field(description="Standard error.")


class BearingDocument(Document):
    """What one parameter does to the outcome."""

    parameter: str = Field(description="Its name in calibration/parameters.yaml.")
    grade: str = Field(description="Provenance: abstract, trial, literature or assumption.")
    prior: tuple[float, float] = Field(description="95 % interval of its prior.")
    outcome: tuple[float, float] = Field(description="The outcome at both ends, the other parameters at the centre.")
    difference_mcse: float | None = Field(description="Monte Carlo standard error of the difference between them.")
    sobol: IndexDocument | None = Field(description="Null where it has an index only together with others.")
    posterior: ShareDocument | None = Field(description="Null without a posterior.")
    contraction: float | None = Field(
        description="1 less posterior over prior variance, on the scale on which the prior is normal; null without one."
    )


class OutcomeDocument(Document):
    """One outcome, and what moves it."""

    id: str = Field(description="A measure of comparisons, or limit: and an endpoint.")
    label: str = Field(description="Its name.")
    unit: str = Field(description="share (0 to 1), months, days and so on.")
    centre: float = Field(description="Its value at the posterior means, or at the point values.")
    centre_mcse: float = Field(description="Monte Carlo standard error.")
    posterior_sd: float | None = Field(description="Standard deviation over posterior draws; null without a posterior.")
    rests_on: str = Field(description="The strongest parameters, in a sentence.")
    parameters: list[BearingDocument] = Field(description="Every parameter that is moved, the most moving first.")
    others: IndexDocument | None = Field(description="Sobol indices of all parameters together that have none alone.")
    groups: dict[str, ShareDocument] = Field(description="Parts of the posterior variance by group of parameters.")


class SensitivityFile(Document):
    """What the sensitivity analysis found."""

    schema_version: Literal[1] = Field(SCHEMA_VERSION, description="Version of this document's schema.")
    title: str = Field(description="The scenario's title.")
    seed: int = Field(description="Seed of all luck.")
    central: str = Field(description="Which parameters are the centre.")
    fingerprint: str = Field(description="SHA-256 of those parameters.")
    evaluations: int = Field(description="Values of the parameters that were lived.")
    outcomes: list[OutcomeDocument] = Field(description="Every outcome.")


def sensitivity_file(found: Sensitivity) -> SensitivityFile:
    """Put the document together."""
    return SensitivityFile(
        title=found.scenario.title,
        seed=found.scenario.study.seed,
        central=described(found.parameters),
        fingerprint=found.parameters.fingerprint,
        evaluations=found.evaluations,
        outcomes=[_outcome(one) for one in found.outcomes],
    )


def stored_sentence(parameters: ParameterSource) -> str | None:
    """Return on what the baseline's first outcome rests, by the analysis that comes with blinasim.

    None where there is none, or it is of other parameters.
    """
    path = data_folder("calibration") / SHIPPED
    if not path.is_file():
        return None
    stored = SensitivityFile.model_validate_json(path.read_bytes())
    return stored.outcomes[0].rests_on if stored.fingerprint == parameters.fingerprint else None


def _outcome(one: OutcomeSensitivity) -> OutcomeDocument:
    return OutcomeDocument(
        id=one.outcome.id,
        label=one.outcome.label,
        unit=one.outcome.unit,
        centre=one.centre,
        centre_mcse=one.centre_mcse,
        posterior_sd=one.spread,
        rests_on=sentence(one),
        parameters=[_bearing(bearing) for bearing in one.bearings],
        others=_index(one.others),
        groups={name: _share(share) for name, share in one.groups.items()},
    )


def _bearing(bearing: Bearing) -> BearingDocument:
    return BearingDocument(
        parameter=bearing.name,
        grade=bearing.info.grade,
        prior=(bearing.low, bearing.high),
        outcome=(bearing.tornado.low, bearing.tornado.high),
        difference_mcse=finite(bearing.tornado.mcse),
        sobol=_index(bearing.index),
        posterior=_share(bearing.posterior) if bearing.posterior else None,
        contraction=bearing.contraction,
    )


def _index(index: Index | None) -> IndexDocument | None:
    if index is None:
        return None
    return IndexDocument(
        first=index.first, first_error=index.first_error, total=index.total, total_error=index.total_error
    )


def _share(share: VarianceShare) -> ShareDocument:
    return ShareDocument(value=finite(share.value), error=finite(share.error))
