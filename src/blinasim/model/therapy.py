"""The treatment as a change of the parameters: standard salvage chemotherapy in place of blinatumomab."""

from __future__ import annotations

from dataclasses import replace

from blinasim.model.parameters import ONLY_UNDER, Parameters, Structure, Value
from blinasim.scenario.settings import Policy


def under_therapy(policy: Policy, parameters: Parameters) -> Parameters:
    """Return the parameters that hold under a policy's treatment.

    The luck stays, so that each patient can be compared with the same patient under the other treatment. Courses of
    standard chemotherapy are counted and assessed as cycles are; they do not slow the relapse clock.

    Parameters
    ----------
    policy : Policy
        Its ``therapy``.
    parameters : Parameters
        Values under blinatumomab; group ``standard_therapy`` says what differs.
    """
    if policy.therapy == "blinatumomab":
        return parameters
    standard, induction, response = parameters.standard_therapy, parameters.induction, parameters.response
    odds = response.probability / (1.0 - response.probability) * standard.response_odds_ratio

    def riskier(probability: Value) -> Value:
        return 1.0 - (1.0 - probability) ** standard.early_death_hazard_ratio

    return replace(
        parameters,
        response=replace(response, probability=odds / (1.0 + odds)),
        induction=replace(
            induction,
            death_cycle_1=riskier(induction.death_cycle_1),
            death_cycle_2=riskier(induction.death_cycle_2),
        ),
        # A clock that is shorter by a factor is a clock that always runs faster by it.
        relapse=replace(
            parameters.relapse, median_days=parameters.relapse.median_days / standard.relapse_speed, infusion_speed=1.0
        ),
        failure=replace(parameters.failure, median_days=parameters.failure.median_days / standard.failure_speed),
    )


def acts(parameter: str, policy: Policy, structure: Structure) -> bool:
    """Whether a parameter, by its dotted name, can change anything under a policy and a structure of the model."""
    group, _, name = parameter.partition(".")
    if group == "standard_therapy":
        return policy.therapy == "standard"
    offered = {"maintenance_speed": policy.cycles.maintenance.offered, "bridging_speed": policy.transplant.bridging}
    return offered.get(name, True) and ONLY_UNDER.get(parameter, structure.failure) == structure.failure
