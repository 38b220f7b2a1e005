"""``value.json``: the value of information about parameters, as one documented, versioned document."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from blinasim.inference.choice import described
from blinasim.inference.value import Candidate, Judged, ValueOfInformation, Worth
from blinasim.report.document import Document, finite

#: Raised when a key changes its meaning or goes away; a new key does not raise it.
SCHEMA_VERSION: Final = 1


class CandidateDocument(Document):
    """A policy that may be chosen; figures in the unit of the objective."""

    name: str = Field(description="Of its scenario.")
    title: str = Field(description="The scenario's title.")
    mean: float = Field(description="Mean of the trials, over the draws of the parameters.")
    mcse: float | None = Field(description="Its Monte Carlo standard error.")
    gain: float = Field(description="Mean of the paired differences from the first policy.")
    gain_mcse: float | None = Field(description="Its Monte Carlo standard error.")
    best: float = Field(description="Probability that it is the best under a draw of the parameters.")
    best_error: float = Field(description="Its Monte Carlo standard error.")
    explained_sd: float | None = Field(
        description="Standard deviation of the gain over draws, as the parameters explain it; null of the first."
    )
    paired_sd: float | None = Field(description="The same as pairs of trials with one draw show it; null of the first.")


class WorthDocument(Document):
    """What knowing some parameters together would be worth before one chooses, a patient."""

    name: str = Field(description="A parameter, a group of parameters, or a set that was asked for.")
    parameters: list[str] = Field(description="Their names in calibration/parameters.yaml.")
    value: float = Field(description="In the unit of the objective; never less than that of a set within it.")
    mcse: float = Field(description="Its Monte Carlo standard error (jackknife).")


class AcceptabilityDocument(Document):
    """Probability of the greatest net benefit, by what a QALY may cost."""

    policy: str = Field(description="Its name.")
    acceptability: list[float] = Field(description="By threshold.")
    acceptability_error: list[float] = Field(description="Standard errors.")


class JudgedDocument(Document):
    """The policies at other thresholds."""

    thresholds_per_qaly: list[float] = Field(description="What a QALY may cost.")
    policies: list[AcceptabilityDocument] = Field(description="Every policy.")
    evpi: list[float] = Field(description="Expected value of perfect information by threshold, a patient.")
    evpi_error: list[float] = Field(description="Standard errors.")


class ValueFile(Document):
    """What the value-of-information analysis found."""

    schema_version: Literal[1] = Field(SCHEMA_VERSION, description="Version of this document's schema.")
    objective: str = Field(description="Id of the measure by which one chooses.")
    unit: str = Field(description="Its unit; money is in the currency.")
    currency: str | None = Field(description="Of the payoffs; null where there are none.")
    price_year: int | None = Field(description="The same.")
    threshold_per_qaly: float | None = Field(description="The same.")
    parameters: str = Field(description="Which draws.")
    fingerprint: str = Field(description="SHA-256 of those draws.")
    trials: int = Field(description="Trials of each policy; two in a row have one draw.")
    patients_per_trial: int = Field(description="Patients of each trial.")
    seed: int = Field(description="Seed of all luck.")
    policies: list[CandidateDocument] = Field(description="Every policy, the reference first.")
    chosen: str = Field(description="The best on average.")
    evpi: WorthDocument = Field(description="Expected value of perfect information: of knowing all parameters.")
    groups: list[WorthDocument] = Field(description="Of groups of parameters, the most worth first.")
    singles: list[WorthDocument] = Field(description="Of single parameters, the most worth first.")
    asked: list[WorthDocument] = Field(description="Of sets that were asked for.")
    judged: JudgedDocument | None = Field(description="Null where net benefit is not the objective.")


def value_file(found: ValueOfInformation) -> ValueFile:
    """Put the document together."""
    reference = found.scenarios[found.reference]
    payoffs = found.payoffs
    return ValueFile(
        objective=found.objective.id,
        unit=found.objective.unit,
        currency=payoffs.currency if payoffs else None,
        price_year=payoffs.price_year if payoffs else None,
        threshold_per_qaly=payoffs.threshold_per_qaly if payoffs else None,
        parameters=described(found.parameters),
        fingerprint=found.parameters.fingerprint,
        trials=found.trials,
        patients_per_trial=reference.cohort.size,
        seed=reference.study.seed,
        policies=[_candidate(one, found.scenarios[one.name].title) for one in found.candidates],
        chosen=found.chosen.name,
        evpi=_worth(found.perfect),
        groups=[_worth(one) for one in found.groups],
        singles=[_worth(one) for one in found.singles],
        asked=[_worth(one) for one in found.asked],
        judged=_judged(found.judged, [one.name for one in found.candidates]) if found.judged else None,
    )


def _candidate(one: Candidate, title: str) -> CandidateDocument:
    return CandidateDocument(
        name=one.name,
        title=title,
        mean=one.mean,
        mcse=finite(one.mcse),
        gain=one.gain,
        gain_mcse=finite(one.gain_mcse),
        best=one.best,
        best_error=one.best_error,
        explained_sd=finite(one.explained),
        paired_sd=finite(one.explained_of),
    )


def _worth(one: Worth) -> WorthDocument:
    return WorthDocument(name=one.name, parameters=list(one.parameters), value=one.value, mcse=one.error)


def _judged(judged: Judged, names: list[str]) -> JudgedDocument:
    return JudgedDocument(
        thresholds_per_qaly=judged.thresholds.tolist(),
        policies=[
            AcceptabilityDocument(
                policy=name,
                acceptability=judged.acceptability[place].tolist(),
                acceptability_error=judged.acceptability_error[place].tolist(),
            )
            for place, name in enumerate(names)
        ],
        evpi=judged.evpi.tolist(),
        evpi_error=judged.evpi_error.tolist(),
    )
