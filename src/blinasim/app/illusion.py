"""The effect of HSCT as papers estimate it, where the truth is known: none at all, or that of the model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from blinasim.app.illusion_drawings import REACH, ratios, split, waiting
from blinasim.app.pictures import Picture
from blinasim.inference.choice import POINT, parameters_said
from blinasim.luck import Draws, Luck
from blinasim.report.effect import value_text
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.settings import Scenario
from blinasim.statistics.exposure import NEVER, Exposure
from blinasim.statistics.performance import Figure
from blinasim.study.batch import live
from blinasim.study.effect import Effect, Finding, OutcomeEffect, effect
from blinasim.study.estimators import Scale, Timing
from blinasim.study.exposures import exposure

#: Simulated trials, few enough for an answer within about a second.
TRIALS: Final = 100
RATIOS: Final = ("naive_hr", "landmark_hr", "time_dependent_hr")
DIFFERENCES: Final = ("naive_difference", "landmark_difference", "simon_makuch")
#: What a transplant does, as the page says it: the scenario for each.
WORLDS: Final = {"nothing at all": "null_transplant", "what the model says": "baseline"}


@dataclass(frozen=True)
class Illusion:
    """What the page shows.

    ``rows`` hold estimator, mean, the range of 95 % of the trials, truth, false findings; mean and truth with their
    Monte Carlo interval.
    """

    sentence: str
    rows: tuple[tuple[str, str, str, str, str], ...]
    ratios: Picture
    split: Picture
    basis: str


def estimated(world: str, landmark_day: int) -> Effect:
    """Estimate the effect of HSCT on overall survival in every trial of a world."""
    scenario = load_scenario(WORLDS[world], [f"study.replications={TRIALS}"])
    return effect(
        scenario,
        parameters=parameters_said(POINT),
        timing=Timing(landmark_day=landmark_day),
        outcomes=("os",),
        estimators=(*RATIOS, *DIFFERENCES),
    )


def illusion(world: str, landmark_day: int) -> Illusion:
    """Estimate the effect of HSCT in a world, and set the estimators beside the truth."""
    found = estimated(world, landmark_day)
    one = found.outcomes["os"]
    return Illusion(
        sentence=sentence(found),
        rows=tuple(_row(one.of(name)) for name in (*RATIOS, *DIFFERENCES)),
        ratios=Picture.of(ratios(found, RATIOS)),
        split=Picture.of(split(found)),
        basis=f"{TRIALS} simulated trials of {found.scenario.cohort.size} patients; overall survival of responders "
        f"from remission, differences on day {found.timing.day}. Mean of the trials (of hazard ratios the geometric "
        "mean) and truth: with their 95 % Monte Carlo interval, which more trials would narrow. 95 % of the trials: "
        "between the quantiles at 2.5 and 97.5 %. Wrongly found: trials whose own 95 % interval excludes no effect, "
        "where there is none, ± Monte Carlo standard error; 5 % would be right." + _left_out(one),
    )


def sentence(found: Effect) -> str:
    """Say what the naive comparison makes of the truth."""
    naive, timed = (found.outcomes["os"].of(name) for name in ("naive_hr", "time_dependent_hr"))
    ratio = math.exp(naive.performance.mean.value)
    shown, fair = (figure_text(one.performance.mean, one.estimator.measure) for one in (naive, timed))
    if not found.changed:
        return (
            "Here HSCT does nothing: not one patient would have died on another day without it. Comparing those ever "
            f"transplanted with the others, papers find a mean hazard ratio of {shown}: {_better(ratio)}. "
            f"{100 * naive.performance.rejection.value:.0f} % of the trials call that significant. Counted from its "
            f"own day on, the same HSCT has one of {fair}. What is left below 1 is mostly due to relapse, which comes "
            "between remission and HSCT: whoever has relapsed, if only by the marrow before HSCT, is hardly ever "
            "transplanted, and so fills the untransplanted and dies among them. No adjustment for what is known at "
            "remission, fitness included, mends that. In brackets: 95 % Monte Carlo intervals of the means."
        )
    difference = found.outcomes["os"].of("naive_difference")
    return (
        f"Comparing those ever transplanted with the others, papers find a mean hazard ratio of {shown}: "
        f"{_better(ratio)}. Their mean difference in survival on day {found.timing.day} is "
        f"{figure_text(difference.performance.mean, 'difference')}; in those transplanted the true gain is "
        f"{figure_text(difference.truth, 'difference')}. Counted from its own day HSCT has a mean hazard ratio of "
        f"{fair}. In brackets: 95 % Monte Carlo intervals."
    ).replace(" pp", " percentage points")


def figure_text(figure: Figure, measure: Scale) -> str:
    """Write a figure with its 95 % Monte Carlo interval; one that is exact, or that is none, alone."""
    said, reach = value_text(figure.value, measure), REACH * figure.mcse
    if reach > 0:
        said += f" ({_range(figure.value - reach, figure.value + reach, measure)})"
    return said.replace("-", "−")


def _range(lower: float, upper: float, measure: Scale) -> str:
    return f"{value_text(lower, measure, unit=False)} to {value_text(upper, measure, unit=False)}".replace("-", "−")


def _left_out(one: OutcomeEffect) -> str:
    most = max(one.of(name).performance.failures for name in (*RATIOS, *DIFFERENCES))
    return f" Trials without an estimate, up to {most} for one estimator, are left out." if most else ""


def _better(ratio: float) -> str:
    how = "cut" if ratio < 1 else "raised"
    return f"the hazard of death {how} by {100 * abs(1 - ratio):.0f} %"


def _row(one: Finding) -> tuple[str, str, str, str, str]:
    measure, done = one.estimator.measure, one.performance
    null = one.truth.value == 0.0 and one.truth.mcse == 0.0
    return (
        one.estimator.label,
        figure_text(done.mean, measure),
        _range(*done.most, measure),
        figure_text(one.truth, measure),
        f"{100 * done.rejection.value:.0f} % ±{100 * done.rejection.mcse:.0f}" if null else "",
    )


# --- immortal time, patient by patient ------------------------------------------------------------------


def responders(scenario: Scenario, trial: int) -> Exposure:
    """Return the responders of one trial as a paper would tabulate them, from remission on; trials count from 1."""
    draws = Draws(Luck(scenario.study.seed), range(trial - 1, trial), scenario.cohort.size)
    batch = live(scenario, parameters_said(POINT), draws)
    return exposure("os", scenario, batch, batch.seen).packed()


@dataclass(frozen=True)
class Guaranteed:
    """Immortal time in one trial."""

    picture: Picture
    sentence: str


def guaranteed(world: str, trial: int) -> Guaranteed:
    """Show the time that those ever transplanted were given for certain, in one trial."""
    data = responders(load_scenario(WORLDS[world]), trial)
    treated = data.treated[0]
    ever = treated < NEVER
    before, died = int(np.where(ever, treated, 0).sum()), int((data.event[0] & ~ever).sum())
    followed = int(data.time_days[0][ever].sum())
    if not ever.any():
        return Guaranteed(Picture.of(waiting(data, trial)), "Nobody is transplanted in this trial.")
    return Guaranteed(
        Picture.of(waiting(data, trial)),
        f"The {int(ever.sum())} transplanted had to live {before / int(ever.sum()):.0f} days on average before their "
        f"HSCT: {100 * before / followed:.0f} % of all the time for which HSCT is given the credit. Whoever died "
        f"waiting is among the {int((~ever).sum())} others, of whom {died} died.",
    )
