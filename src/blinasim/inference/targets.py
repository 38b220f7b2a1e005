"""Targets: the figures that the source study published, read from ``calibration/targets.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from blinasim.errors import ParameterError
from blinasim.files import complaint, data_folder, nearest, read_yaml
from blinasim.trial.endpoints import ENDPOINTS

#: Published figures that no trial estimates.
NOT_ENDPOINTS: Final = ("n",)


class Target(BaseModel):
    """One published figure: a count of a denominator, or a value; in the unit of its endpoint.

    Attributes
    ----------
    statistic, population, estimator, source, note : str
        What it is, of whom, how it was estimated, and where it stands.
    count, denominator : int, optional
        Of a count.
    value, rounding : float, optional
        Of a value, and the step to which it was rounded.
    interval, range : tuple of float, optional
        The published confidence interval, and smallest and largest value.
    use : {"fit", "follows", "held_out", "input"}
        What the calibration does with it: fits it, has it follow from fitted cells, holds it out, or takes it into the
        simulation as it stands.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    statistic: str
    population: str
    count: int | None = None
    denominator: int | None = None
    value: float | None = None
    interval: tuple[float, float] | None = None
    range: tuple[float, float] | None = None
    rounding: float | None = None
    estimator: str
    source: str
    use: Literal["fit", "follows", "held_out", "input"]
    note: str = ""

    @model_validator(mode="after")
    def _one_figure(self) -> Self:
        if (self.count is None) == (self.value is None):
            raise ValueError("needs either count and denominator, or value")
        if self.count is not None:
            if self.denominator is None:
                raise ValueError("a count needs its denominator")
            if not 0 <= self.count <= self.denominator:
                raise ValueError("count must lie between 0 and denominator")
        elif self.rounding is None or not self.rounding > 0:
            raise ValueError("a value needs the rounding with which it was published")
        return self

    @property
    def estimate(self) -> float:
        """The figure as a number: a share for counts."""
        if self.count is not None and self.denominator is not None:
            return self.count / self.denominator
        assert self.value is not None
        return self.value

    def within(self, lower: float, upper: float) -> bool:
        """Whether the figure lies between two limits, in its unit, or on one."""
        return lower - 1e-12 <= self.estimate <= upper + 1e-12

    @property
    def rounded_from(self) -> tuple[float, float]:
        """The values that are published as this one: at least the first, below the second; in its unit."""
        assert self.value is not None
        assert self.rounding is not None
        return self.value - self.rounding / 2, self.value + self.rounding / 2


@cache
def load_targets(path: Path | None = None) -> dict[str, Target]:
    """Read the published figures by endpoint id (and ``NOT_ENDPOINTS``).

    Raises
    ------
    ParameterError
        With file, line and column.
    """
    document = read_yaml(path or data_folder("calibration") / "targets.yaml", ParameterError)
    known = [*NOT_ENDPOINTS, *(endpoint.id for endpoint in ENDPOINTS)]
    targets = {}
    for name, entry in document.data.items():
        if name not in known:
            raise ParameterError(f"{name}: no such endpoint{nearest(name, known)}", document.place((name,)))
        try:
            targets[name] = Target.model_validate(entry)
        except ValidationError as problem:
            raise ParameterError(f"{name}: {complaint(problem)[1]}", document.place((name,))) from None
    return targets


# --- the chain rule -----------------------------------------------------------------------------------------


def published_margins(targets: Mapping[str, Target]) -> dict[str, int]:
    """Return the patients of the margins that the calibration takes as they are."""
    return {name: targets[name].count or 0 for name in ("prior_hsct", "blasts75")}


def published_cells(targets: Mapping[str, Target]) -> dict[str, tuple[int, ...]]:
    """Return the counts of the fit by term: a partition of some patients, each patient used once.

    The order of the cells is that of ``likelihood.TERMS``. Most are published; the rest is what the published ones
    force, for example the later transplants by prior HSCT.

    Raises
    ------
    ParameterError
        If the published counts contradict each other.
    """
    count = {name: target.count for name, target in targets.items() if target.count is not None}
    among = {name: target.denominator for name, target in targets.items() if target.denominator is not None}
    not_realized = {who: count[f"cr_{who}"] - count[f"hsct_{who}"] for who in ("naive", "prior")}
    older = {"naive": count["never_older"], "prior": count["never_both"]}
    younger = {"naive": count["never_neither"], "prior": count["never_prior"]}
    cells: dict[str, tuple[int, ...]] = {}
    for who in ("naive", "prior"):
        never = older[who] + younger[who]
        cells[f"response_{who}"] = (count[f"cr_{who}"], among[f"cr_{who}"] - count[f"cr_{who}"])
        cells[f"realized_{who}"] = (count[f"hsct_{who}"], not_realized[who])
        cells[f"later_{who}"] = (not_realized[who] - never, never)
        cells[f"older_never_{who}"] = (older[who], younger[who])
    realized, responders = count["hsct"], count["cr"]
    crh_others = count["cr_crh"] - count["hsct_crh"]
    cells["depth_realized"] = (count["hsct_cr"], count["hsct_crh"])
    cells["depth_others"] = (responders - realized - crh_others, crh_others)
    cells["cycle_1"] = (count["cr_cycle_1"], among["cr_cycle_1"] - count["cr_cycle_1"])
    cells["mrd"] = (count["mrd_negative"], among["mrd_negative"] - count["mrd_negative"])
    cells["conditioning"] = (count["conditioning_mac"], count["conditioning_ric"])
    cells["donor"] = (
        count["donor_unrelated"] - count["source_urd_cord"],
        count["source_urd_cord"],
        count["donor_sibling"],
        count["donor_haplo"],
    )
    early = (count["deaths100_infection"], count["deaths100_gvhd"])
    late = (
        count["deaths_post_infection"] - early[0],
        count["deaths_post_gvhd"] - early[1],
        count["deaths_post_progression"],
    )
    alive = realized - count["deaths_post"]
    cells["fate"] = (*early, *late, alive, realized - sum(early) - sum(late) - alive)
    later = cells["later_naive"][0] + cells["later_prior"][0]
    if later != count["hsct_other"] or any(number < 0 for term in cells.values() for number in term):
        raise ParameterError("the published counts contradict each other; see calibration/targets.yaml")
    return cells


def published_binomials(targets: Mapping[str, Target]) -> dict[str, tuple[int, int]]:
    """Return, by parameter, the published count and denominator of which the parameter itself is the probability.

    Whether something is missing in the record, and the stem-cell source given the donor, touch nothing else, so
    their posteriors have closed forms.
    """

    def share(name: str) -> tuple[int, int]:
        target = targets[name]
        assert target.count is not None
        assert target.denominator is not None
        return target.count, target.denominator

    responders, assessed = share("cr")[0], share("mrd_negative")[1]
    unrelated_marrow, unrelated_blood = share("source_urd_marrow")[0], share("source_urd_blood")[0]
    sibling_marrow, siblings = share("source_sibling_marrow")[0], share("donor_sibling")[0]
    haploidentical = share("donor_haplo")[0]
    return {
        "recording.conditioning_unknown": share("conditioning_unknown"),
        "recording.donor_unknown": share("donor_unknown"),
        "response.mrd_unknown": (responders - assessed, responders),
        "donor_search.unrelated_marrow": (unrelated_marrow, unrelated_marrow + unrelated_blood),
        "donor_search.sibling_marrow": (sibling_marrow, siblings),
        "donor_search.haploidentical_marrow": (haploidentical - share("source_haplo_blood")[0], haploidentical),
    }
