"""Figures of a result, for notebooks and scripts: ``blinasim.plot.survival(result)``.

Each function returns a matplotlib figure that shows itself in a notebook, has its alternative text as ``alt``,
and is written to a file by `save` with the same bytes each time.
"""

from __future__ import annotations

from pathlib import Path

from blinasim.files import check_choice
from blinasim.inference.choice import parameters_said
from blinasim.inference.value import ValueOfInformation
from blinasim.luck import Draws, Luck
from blinasim.model.parameters import ParameterSource
from blinasim.report import figures
from blinasim.report.given import check_given
from blinasim.report.rows import rows_of
from blinasim.report.style import Drawing, save
from blinasim.scenario.settings import Scenario
from blinasim.study.batch import live
from blinasim.study.comparison import Comparison
from blinasim.study.effect import Effect
from blinasim.study.effect_data import DataEffect
from blinasim.study.evaluation import Evaluation
from blinasim.study.exposures import OutcomeId
from blinasim.study.optimize import Optimization
from blinasim.study.replay import block_of, replay_beside
from blinasim.study.simulate import Result
from blinasim.trial.outcomes import OUTCOMES

__all__ = [
    "acceptability",
    "boundaries",
    "clocks",
    "cumulative_incidence",
    "differences",
    "duration",
    "effects",
    "evppi",
    "flows",
    "forest",
    "hazard_ratio_over_time",
    "occupancy",
    "patient_flow",
    "plane",
    "policies",
    "power_curve",
    "queues",
    "race",
    "save",
    "simon_makuch",
    "survival",
    "swimmer",
]


def survival(result: Result, outcome: str = "os", censored: str | None = "os_cens") -> Drawing:
    """Draw Kaplan-Meier curves of an outcome and of its twin censored at HSCT, beside the published medians.

    Parameters
    ----------
    result : Result
        Of :func:`blinasim.simulate`.
    outcome : str
        Id of an outcome, such as ``os`` or ``rfs``.
    censored : str, optional
        Id of the twin, such as ``rfs_cens``; None draws none.

    Returns
    -------
    Drawing
    """
    check_given("result", result, Result)
    known = [each.id for each in OUTCOMES]
    check_choice("outcome", outcome, known)
    if censored is not None:
        check_choice("censored", censored, known)
    return figures.survival(result, outcome, censored)


def patient_flow(result: Result, trial: int | None = None) -> Drawing:
    """Draw how many patients went from enrolment to HSCT, who left the way and why, and who lives.

    Parameters
    ----------
    result : Result
        Of :func:`blinasim.simulate`.
    trial : int, optional
        One of the first 2,000, counted from 1, whose whole numbers are drawn; means over all trials by default.

    Returns
    -------
    Drawing

    Raises
    ------
    ValueError
        If the flow of that trial is not kept.
    """
    check_given("result", result, Result)
    return figures.patient_flow(result, trial)


def cumulative_incidence(result: Result) -> Drawing:
    """Draw what comes first after remission, and after HSCT: relapse, death, or HSCT itself."""
    check_given("result", result, Result)
    return figures.cumulative_incidence(result)


def forest(result: Result) -> Drawing:
    """Draw what was published against what was simulated, one line an endpoint."""
    check_given("result", result, Result)
    return figures.forest(rows_of(result))


def occupancy(result: Result) -> Drawing:
    """Draw how many patients are in which state on each day."""
    check_given("result", result, Result)
    return figures.occupancy(result)


def swimmer(
    scenario: Scenario, trial: int = 1, *, patients: int = 100, parameters: ParameterSource | str | Path | None = None
) -> Drawing:
    """Draw the responders of one simulated trial of a scenario as lanes, as seen at the data cut-off.

    A result keeps no patients, so that the trial is lived again, the same as in the study.

    Parameters
    ----------
    scenario : Scenario
        Its seed is the trial's luck.
    trial : int
        Which one, from 1.
    patients : int
        Lanes at most; of more responders evenly spaced ones are drawn.
    parameters : ParameterSource, str or Path, optional
        As for :func:`blinasim.simulate`.

    Returns
    -------
    Drawing

    Raises
    ------
    BlinasimError
        If there is no such trial, or the parameters cannot be used.
    ValueError
        If there is no lane to draw.
    """
    check_given("scenario", scenario, Scenario)
    draws = Draws(Luck(scenario.study.seed), block_of(trial), scenario.cohort.size)
    seen = live(scenario, parameters_said(parameters), draws).seen
    return figures.swimmer(seen, scenario, trial=trial, first_trial=trial, patients=patients)


def clocks(
    scenario: Scenario,
    *others: Scenario,
    trial: int = 1,
    patient: int = 1,
    parameters: ParameterSource | str | Path | None = None,
) -> Drawing:
    """Draw how one patient's relapse clock runs down, and the same patient's, with the same luck, in other scenarios.

    Parameters
    ----------
    scenario : Scenario
        Its seed is the luck of all.
    *others : Scenario
        With its cohort. Where none is given, a patient who was transplanted is also shown without HSCT.
    trial, patient : int
        Whose clock; both count from 1.
    parameters : ParameterSource, str or Path, optional
        As for :func:`blinasim.simulate`.

    Returns
    -------
    Drawing

    Raises
    ------
    BlinasimError
        If there is no such trial or patient, or the cohorts differ.
    """
    for one in (scenario, *others):
        check_given("scenario", one, Scenario)
    named = {other.title: other for other in others}
    lives = replay_beside(scenario, named, parameters_said(parameters), trial, patient, name=scenario.title)
    return figures.clocks(lives)


def differences(comparison: Comparison) -> Drawing:
    """Draw the paired difference of every measure, and of every policy from the reference."""
    check_given("comparison", comparison, Comparison)
    return figures.differences(comparison)


def policies(comparison: Comparison) -> Drawing:
    """Draw overall survival under each policy, with the patients at risk."""
    check_given("comparison", comparison, Comparison)
    return figures.policies(comparison)


def flows(comparison: Comparison, policy: str | None = None) -> Drawing:
    """Draw where the same patients stand at 24 months under the reference and under a policy, under shared luck.

    Parameters
    ----------
    comparison : Comparison
        Of :func:`blinasim.compare`.
    policy : str, optional
        Its name; where there is one only, it need not be named.

    Returns
    -------
    Drawing

    Raises
    ------
    BlinasimError
        If there is no such policy, or several and none is named.
    ValueError
        If its patients are others than the reference's.
    """
    check_given("comparison", comparison, Comparison)
    return figures.flows(comparison, policy)


def queues(comparison: Comparison) -> Drawing:
    """Draw how many wait for each counted kind of place, and how many places are taken, day by day.

    Raises
    ------
    ValueError
        If no scenario counts places.
    """
    check_given("comparison", comparison, Comparison)
    return figures.queues(comparison)


def plane(found: ValueOfInformation) -> Drawing:
    """Draw the cost-effectiveness plane: each policy less the reference, a dot a draw of the parameters.

    Raises
    ------
    ValueError
        Without payoffs, or with another objective than net benefit.
    """
    check_given("found", found, ValueOfInformation)
    return figures.plane(found)


def acceptability(found: ValueOfInformation) -> Drawing:
    """Draw how probable it is that each policy is the best, by what a QALY may cost.

    Raises
    ------
    ValueError
        Without payoffs, or with another objective than net benefit.
    """
    check_given("found", found, ValueOfInformation)
    return figures.acceptability(found)


def evppi(found: ValueOfInformation) -> Drawing:
    """Draw what it would be worth to know parameters, alone and in groups."""
    check_given("found", found, ValueOfInformation)
    return figures.evppi(found)


def race(found: Optimization) -> Drawing:
    """Draw how far the candidates of an optimization are behind the best."""
    check_given("found", found, Optimization)
    return figures.race(found)


def effects(found: Effect | DataEffect) -> Drawing:
    """Draw the effect of HSCT by every estimator, beside the truth where the trials were simulated."""
    check_given("found", found, Effect, DataEffect)
    return figures.effects(found)


def simon_makuch(found: Effect | DataEffect, outcome: OutcomeId = "os") -> Drawing:
    """Draw survival of those ever and never transplanted beside that of those transplanted so far and not yet.

    Parameters
    ----------
    found : Effect or DataEffect
        Of :func:`blinasim.effect` or :func:`blinasim.effect_of_data`.
    outcome : {"os", "rfs"}
        Of simulated trials; data of one's own have one outcome.

    Returns
    -------
    Drawing
    """
    check_given("found", found, Effect, DataEffect)
    return figures.simon_makuch(found, outcome)


def boundaries(evaluation: Evaluation) -> Drawing:
    """Draw the boundaries of a trial design, and the paths of some simulated trials."""
    check_given("evaluation", evaluation, Evaluation)
    return figures.boundaries(evaluation)


def duration(evaluation: Evaluation) -> Drawing:
    """Draw by when the trials of a design have ended, and how."""
    check_given("evaluation", evaluation, Evaluation)
    return figures.duration(evaluation)


def hazard_ratio_over_time(evaluation: Evaluation) -> Drawing:
    """Draw the hazard ratio of a design's arms in windows of time.

    Raises
    ------
    ValueError
        For a single arm.
    """
    check_given("evaluation", evaluation, Evaluation)
    return figures.hazard_ratio_over_time(evaluation)


def power_curve(evaluation: Evaluation) -> Drawing:
    """Draw the power of a trial design by theory, and as simulated.

    Raises
    ------
    ValueError
        If there is no theory for the design's test.
    """
    check_given("evaluation", evaluation, Evaluation)
    return figures.power_curve(evaluation)
