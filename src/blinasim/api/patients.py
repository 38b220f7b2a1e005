"""Single patients, for those who want to see lives and not only estimates: a story, and a table of one trial."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from blinasim.api.asked import studied
from blinasim.inference.choice import parameters_said
from blinasim.model.parameters import ParameterSource
from blinasim.report.exports import patients
from blinasim.report.story import Story, tell
from blinasim.scenario.settings import Scenario
from blinasim.study.replay import replay

if TYPE_CHECKING:
    import pandas as pd


def trace(
    scenario: str | Path | Scenario = "baseline",
    patient: int = 1,
    *,
    trial: int = 1,
    parameters: ParameterSource | str | Path | None = None,
    policy: Callable[[], object] | None = None,
) -> Story:
    """Tell one patient's life, day by day.

    Parameters
    ----------
    scenario : str, Path or Scenario
        A shipped scenario's name, a YAML file, or a scenario already loaded.
    patient, trial : int
        Which patient of which simulated trial; both count from 1.
    parameters : Parameters, ParameterSource, str or Path, optional
        As for :func:`blinasim.simulate`.
    policy : callable, optional
        A policy of your own, as a class: see docs/policies.md.

    Returns
    -------
    Story
        ``print`` tells it; ``story.lines`` are its days and words.

    Raises
    ------
    BlinasimError
        If the scenario is wrong, or has no such trial or patient.
    """
    asked = studied(scenario)
    return tell(asked, trial=trial, patient=patient, parameters=parameters_said(parameters), own_policy=policy)


def patients_table(
    scenario: str | Path | Scenario = "baseline",
    *,
    trial: int = 1,
    parameters: ParameterSource | str | Path | None = None,
    policy: Callable[[], object] | None = None,
) -> pd.DataFrame:
    """Return the patients of one simulated trial, a row each: what happened, beside what the trial recorded.

    A result keeps no patients, so that the trial is lived again, the same as in the study.

    Parameters
    ----------
    scenario, trial, parameters, policy
        As for :func:`trace`.

    Returns
    -------
    DataFrame
        The columns of ``patients.parquet`` (docs/data_dictionary.md).

    Raises
    ------
    BlinasimError
        If the scenario is wrong, or has no such trial.
    """
    asked = studied(scenario)
    return patients(replay(asked, parameters_said(parameters), trial, own_policy=policy).batch)
