"""What a policy does, beside the reference: the same patients with the same luck."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from blinasim.app.controls import REFERENCE
from blinasim.app.drawings import standings, survival_beside
from blinasim.app.pictures import Picture
from blinasim.errors import ScenarioError
from blinasim.inference.choice import parameters_said
from blinasim.model.parameters import Changed, ParameterSource
from blinasim.report.comparison import ComparisonRow, comparison_rows, touched_text
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.settings import Scenario
from blinasim.study.compare import compare
from blinasim.study.comparison import Comparison
from blinasim.study.contrasts import Difference
from blinasim.study.head_start import assumed_in_use

#: Patients lived at a time, on the fast engine and on SimPy's, so that an answer comes within about a second.
_PATIENTS: Final = 37_800
_PATIENTS_DES: Final = 1_900
#: Patients of a trial, at most: ten trials of more would take the memory of a small computer.
_MOST_PATIENTS: Final = 5_000
_POLICY: Final = "policy"
_UNDER_WAY: Final = "donor_search.under_way_share"
#: A difference in survival below this is called small, however narrow its interval.
_SMALL: Final = 0.01
#: What the table shows, in its order.
_SHOWN: Final = (
    "os_12_months", "os_24_months", "rmst_24_months", "os_median", "transplanted", "realization", "relapse_12_months",
    "days_to_hsct", "nrm_12_months", "infusion_days",
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What the page shows of a policy.

    ``rows`` hold what it is, the reference, the policy, and the difference with its 95 % interval.
    """

    sentence: str
    basis: str
    rows: tuple[tuple[str, str, str, str], ...]
    survival: Picture
    flow: Picture | None
    touched: str


def trials_for(scenario: Scenario) -> int:
    """Return how many trials are lived: an even number, as two in a row share their parameters."""
    patients = _PATIENTS_DES if scenario.capacity.limited else _PATIENTS
    return min(max(2 * round(patients / scenario.cohort.size / 2), 10), 400)


def compared(scenario: Scenario, under_way_share: float | None = None) -> Comparison:
    """Let the reference and a scenario be lived by the same patients, as many as the scenario's.

    Parameters
    ----------
    scenario : Scenario
    under_way_share : float, optional
        Share of donor searches under way at enrolment in both, instead of the parameters' own.

    Raises
    ------
    ScenarioError
        If the scenario has more patients than the page can wait for.
    """
    if scenario.cohort.size > _MOST_PATIENTS:
        raise ScenarioError(
            f"cohort.size {scenario.cohort.size:,}: the page simulates at most {_MOST_PATIENTS:,} patients a trial; "
            "blinasim compare takes more"
        )
    reference = load_scenario(REFERENCE, [f"cohort.size={scenario.cohort.size}"])
    parameters: ParameterSource = parameters_said()
    if under_way_share is not None:
        parameters = Changed(parameters, {_UNDER_WAY: under_way_share})
    return compare(
        {REFERENCE: reference, _POLICY: scenario.model_copy(update={"payoffs": None})},
        parameters=parameters,
        replications=trials_for(scenario),
        seed=scenario.study.seed,
        by_head_start=False,
    )


def usual_under_way_share() -> float:
    """Return the share of donor searches under way at enrolment that the parameters say."""
    return assumed_in_use(parameters_said(), 200, 1).under_way_share


def answer(scenario: Scenario, under_way_share: float | None = None) -> Answer:
    """Compare a scenario with the reference, and say and draw what came of it; parameters as :func:`compared`."""
    found = compared(scenario, under_way_share)
    rows = {row.measure.id: row for row in comparison_rows(found, _POLICY)}
    pairs = found.contrasts[0].pairs
    same = "the same patients with the same luck" if pairs else "the same luck, but other patients"
    return Answer(
        sentence=sentence(found),
        basis=f"{found.replications:,} simulated trials of {scenario.cohort.size:,} patients each way; {same}. "
        "Intervals are 95 % Monte Carlo intervals of the mean difference: more trials narrow them.",
        rows=tuple(_cells(rows[key]) for key in _SHOWN if key in rows),
        survival=Picture.of(survival_beside(found)),
        flow=Picture.of(standings(found)) if pairs else None,
        touched=touched_text(pairs) if pairs else "",
    )


def _cells(row: ComparisonRow) -> tuple[str, str, str, str]:
    return row.label, row.reference_text, row.policy_text, row.difference_text.replace("-", "−")


def sentence(found: Comparison) -> str:
    """Answer in a sentence made from the numbers."""
    pairs = found.contrasts[0].pairs
    if pairs and not pairs.touched.touched.sum():
        return "Nobody's life differs from the baseline's."
    survival, realized = (found.difference(measure, _POLICY) for measure in ("os_24_months", "realization"))
    return f"{_survival_words(survival)} {_realized_words(realized)}".strip()


def _survival_words(one: Difference) -> str:
    said = (
        f"Of 100 patients {100 * one.policy:.1f} are alive at 24 months under this policy and "
        f"{100 * one.reference:.1f} under the baseline: a difference of {_points(one.mean)} (95 % Monte Carlo interval "
        f"{_points(one.lower, unit=False)} to {_points(one.upper, unit=False)})"
    )
    if one.lower <= 0 <= one.upper:
        return f"{said}, which {one.trials:,} trials cannot tell from none."
    way = "higher" if one.mean > 0 else "lower"
    if abs(one.mean) < _SMALL:
        return f"{said}. Survival is slightly {way} in this model: a difference of less than 1 point is small."
    return f"{said}. Survival is {way} in this model."


def _realized_words(one: Difference) -> str:
    if math.isnan(one.mean):
        return ""
    how = "more" if one.mean > 0 else "fewer"
    if not one.mean:
        return f"As many responders reach an HSCT on study ({100 * one.reference:.0f} %)."
    return (
        f"On study {100 * one.policy:.0f} % of the responders are transplanted instead of {100 * one.reference:.0f} % "
        f"({abs(100 * one.mean):.1f} in 100 {how})."
    )


def _points(share: float, *, unit: bool = True) -> str:
    """Write a difference in percentage points."""
    return f"{100 * share:+.2f}{' percentage points' * unit}".replace("-", "−")
