"""The data dictionary: every column of every table, generated from the descriptions that build the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blinasim.report.exports.adsl import ADSL
from blinasim.report.exports.adtte import ADTTE
from blinasim.report.exports.columns import Column, TableDescription
from blinasim.report.exports.comparison import COMPARISON
from blinasim.report.exports.event_log import EVENT_LOG
from blinasim.report.exports.patients import PATIENTS
from blinasim.study.simulate import Result
from blinasim.trial.occupancy import State

if TYPE_CHECKING:
    import pandas as pd

ENDPOINTS: Final = TableDescription(
    "endpoints.csv",
    "an endpoint of the results table",
    (
        Column("id", "text", "", "Name of the endpoint."),
        Column("section", "text", "", "Section of the results table."),
        Column("label", "text", "", "Endpoint in words."),
        Column("unit", "text", "", "share (a proportion), months, days, years or cycles."),
        Column("published", "number", "`unit`", "The abstract's figure; missing where there is none."),
        Column("published_lower", "number", "`unit`", "Lower limit of the published 95 % confidence interval."),
        Column("published_upper", "number", "`unit`", "Upper limit of the same."),
        Column("published_count", "number", "patients", "Numerator of a published share."),
        Column("published_denominator", "number", "patients", "Denominator of a published share."),
        Column("simulated_median", "number", "`unit`", "Median of the simulated trials' estimates; inf: not reached."),
        Column("simulated_lower", "number", "`unit`", "Lower limit of their 95 % predictive interval."),
        Column("simulated_upper", "number", "`unit`", "Upper limit of the same."),
        Column("median_mcse", "number", "`unit`", "Monte Carlo standard error of simulated_median."),
        Column("simulated_mean", "number", "`unit`", "Mean of the estimates; missing where one was not reached."),
        Column("mean_mcse", "number", "`unit`", "Monte Carlo standard error of simulated_mean."),
        Column(
            "parameter_sd",
            "number",
            "`unit`",
            "Standard deviation over the trials that comes of not knowing the "
            "parameters; missing where these do not vary.",
        ),
        Column("sampling_sd", "number", "`unit`", "Standard deviation over the trials that is chance in a trial."),
        Column("parameter_share", "number", "share", "Part of the trials' variance that comes of the parameters."),
        Column("parameter_share_mcse", "number", "share", "Monte Carlo standard error of parameter_share."),
        Column("limit", "number", "`unit`", "The same estimator without the trial's censoring by time, all patients."),
        Column("oracle", "number", "`unit`", "The estimand itself, from the same patients with the same luck."),
        Column("trials", "integer", "trials", "Simulated trials."),
        Column("trials_without_value", "integer", "trials", "Trials in which the endpoint could not be estimated."),
        Column("trials_not_reached", "integer", "trials", "Trials in which a median was not reached."),
        Column(
            "published_inside", "boolean", "", "Whether the predictive interval holds the published figure, if any."
        ),
    ),
)

_STATES: Final = {
    State.INDUCTION: "Neither in remission nor failed yet.",
    State.REMISSION: "In remission, not transplanted in it.",
    State.AFTER_HSCT: "In remission after HSCT.",
    State.FAILURE: "No remission, or relapsed; also after a later HSCT.",
    State.DEAD: "Dead.",
}

OCCUPANCY: Final = TableDescription(
    "occupancy.csv",
    "a day since first infusion",
    (
        Column("day", "integer", "days since first infusion", "The day; a patient counts where the day ends."),
        *(Column(state.name.lower(), "number", "share of patients", _STATES[state]) for state in State),
    ),
    note="True states of all simulated patients of all trials; each row adds up to 1.",
)

#: Every table of a results folder.
TABLES: Final = (ENDPOINTS, PATIENTS, EVENT_LOG, ADSL, ADTTE, OCCUPANCY, COMPARISON)

_OPENING: Final = """\
# Data dictionary

Every column of every table in a results folder. This page is generated from the descriptions that build the tables
(`blinasim.report.exports.data_dictionary`); a test holds the two together.
"""


def occupancy(result: Result) -> pd.DataFrame:
    """Return the shares of all simulated patients in each true state, a row a day."""
    shares = result.occupancy / result.occupancy.sum(axis=0)
    return OCCUPANCY.frame(
        {"day": range(shares.shape[1])} | {state.name.lower(): shares[state] for state in State},
    )


def data_dictionary() -> str:
    """Return the data dictionary as Markdown."""
    return "\n".join((_OPENING, *(_section(table) for table in TABLES)))


def _section(table: TableDescription) -> str:
    lines = [f"## {table.file}", "", f"One row: {table.row}.", ""]
    if table.note:
        lines += [table.note, ""]
    lines += ["| column | type | unit | meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{column.name}` | {column.type_text} | {column.unit} | {column.meaning} |" for column in table.columns
    ]
    return "\n".join((*lines, ""))
