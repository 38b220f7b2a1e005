"""The treatment as a change of the parameters: standard chemotherapy for blinatumomab, an HSCT without effect."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from blinasim.model.odds import with_odds
from blinasim.model.parameter_groups import Value
from blinasim.model.parameters import ONLY_UNDER, Parameters, Structure
from blinasim.scenario.settings import Policy


def under_therapy(policy: Policy, parameters: Parameters) -> Parameters:
    """Return the parameters that hold under a policy's treatment.

    The luck stays, so that each patient can be compared with the same patient under the other treatment. Courses of
    standard chemotherapy are counted and assessed as cycles are; they do not slow the relapse clock.

    Parameters
    ----------
    policy : Policy
        Its ``therapy``, and the ``effect`` of its transplants.
    parameters : Parameters
        Values under blinatumomab and with transplants as modelled; group ``standard_therapy`` says what differs under
        the other therapy.

    Returns
    -------
    changed : Parameters
        Of the same structure.
    """
    if policy.therapy == "standard":
        parameters = _standard(parameters)
    if policy.transplant.effect == "none":
        parameters = without_effect_of_hsct(parameters)
    return parameters


def without_effect_of_hsct(parameters: Parameters) -> Parameters:
    """Return the parameters under which an HSCT moves nobody's day of relapse or death.

    An HSCT does not only bring a graft: it ends the infusions, and what follows them, and nobody switches after it. So
    the relapse clock must run at one speed whatever is given.
    """
    same = dict.fromkeys(_SPEEDS_BY_TREATMENT, 1.0) | dict.fromkeys(_NON_RELAPSE_RISKS, 0.0)
    after_relapse = dict.fromkeys(_SPEEDS_AFTER_RELAPSE, parameters.failure.relapse_speed)
    return parameters.changed(same | after_relapse)


#: What an HSCT changes, or ends: speeds of the relapse clock, its own risks of death, and survival after a relapse.
_SPEEDS_BY_TREATMENT: Final = tuple(
    f"relapse.{name}_speed"
    for name in (
        *("infusion", "other_therapy", "maintenance", "bridging"),
        *("graft", "graft_late", "reduced", "sibling", "haploidentical", "cord"),
    )
)
_NON_RELAPSE_RISKS: Final = tuple(
    f"non_relapse.{name}"
    for name in (
        *("infection_day_100", "infection_late_per_year", "gvhd_day_100", "gvhd_late_per_year"),
        *("other_day_100", "other_late_per_year"),
    )
)
_SPEEDS_AFTER_RELAPSE: Final = ("failure.relapse_after_hsct_speed", "failure.salvage_graft_speed")
#: All that does nothing where an HSCT has no effect: these, and what multiplies them.
_OF_AN_EFFECT: Final = {*_SPEEDS_BY_TREATMENT, *_SPEEDS_AFTER_RELAPSE, "relapse.plateau_days"}


def _standard(parameters: Parameters) -> Parameters:
    standard, induction, response = parameters.standard_therapy, parameters.induction, parameters.response

    def riskier(probability: Value) -> Value:
        return 1.0 - (1.0 - probability) ** standard.early_death_hazard_ratio

    def as_long(median_days: Value, speed: Value) -> Value:
        """Median of a clock that runs at a speed; without end where it stands still."""
        with np.errstate(divide="ignore", invalid="ignore"):
            days: Value = np.divide(median_days, speed)
        return days

    return replace(
        parameters,
        response=replace(response, probability=with_odds(response.probability, standard.response_odds_ratio)),
        induction=replace(
            induction,
            death_cycle_1=riskier(induction.death_cycle_1),
            death_cycle_2=riskier(induction.death_cycle_2),
        ),
        # A clock that always runs faster by a factor is a clock that is shorter by it.
        relapse=replace(
            parameters.relapse,
            median_days=as_long(parameters.relapse.median_days, standard.relapse_speed),
            infusion_speed=1.0,
        ),
        failure=replace(
            parameters.failure, median_days=as_long(parameters.failure.median_days, standard.failure_speed)
        ),
    )


def acts(parameter: str, policy: Policy, structure: Structure) -> bool:
    """Whether a parameter can change anything under a policy and a structure of the model.

    Parameters
    ----------
    parameter : str
        Dotted name.
    policy : Policy
        Which therapy, maintenance and bridging there are, and whether a transplant has any effect.
    structure : Structure
        Distributions of the two clocks.

    Returns
    -------
    bool
    """
    group, _, name = parameter.partition(".")
    if group == "standard_therapy":
        return policy.therapy == "standard"
    if policy.transplant.effect == "none" and (parameter in _OF_AN_EFFECT or group == "non_relapse"):
        return False
    offered = {"maintenance_speed": policy.cycles.maintenance.offered, "bridging_speed": policy.transplant.bridging}
    return offered.get(name, True) and ONLY_UNDER.get(parameter, structure.failure) == structure.failure
