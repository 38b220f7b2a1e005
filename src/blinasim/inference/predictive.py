"""Predictive checks: the published figures judged by what the model says such a study would have reported.

Under draws of a posterior each simulated study differs by chance and by what is not known of the parameters; the
published figures should look like one of them (Rubin, Ann Stat 1984;12:1151; Gelman, Meng and Stern, Stat Sinica
1996;6:733). Figures that the calibration has seen agree too easily: only the held-out ones are a test, and the joint
tail area is conservative.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, fields
from functools import partial
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from blinasim.inference.likelihood import log_ways
from blinasim.inference.posterior import Posterior
from blinasim.inference.study import TERMS, Ensemble, Observed, Studies
from blinasim.inference.targets import Target, load_targets, published_margins
from blinasim.luck import Luck
from blinasim.model.parameters import ParameterSource
from blinasim.scenario.settings import Scenario
from blinasim.statistics.intervals import PredictiveInterval
from blinasim.study.chunks import cut
from blinasim.study.executors import done
from blinasim.study.precision import mean_and_mcse, quantile_mcse
from blinasim.study.simulate import Result, simulate
from blinasim.study.summary import summarize
from blinasim.trial.endpoints import Endpoint

Floats = NDArray[np.float64]
Use: TypeAlias = Literal["fit", "follows", "held_out", "input"]

#: A predictive interval should not be wider than so many times that from sampling alone at the posterior mean.
SHARPNESS_BAR: Final = 1.6
#: Replications of the joint check that are simulated at a time.
_BLOCK: Final = 300


@dataclass(frozen=True)
class Estimate:
    """A Monte Carlo figure and its standard error."""

    value: float
    mcse: float


@dataclass(frozen=True)
class Check:
    """One published figure, and what the simulated studies report in its place.

    Attributes
    ----------
    endpoint : Endpoint
        What it is.
    target : Target
        The published figure.
    predicted : PredictiveInterval
        Median and 95 % predictive interval of the simulated studies, in the endpoint's unit.
    tail : Estimate
        Two-sided tail area: twice the smaller share of the studies beyond the published figure, those that round to it
        counting half (mid-p).
    verdict : {"inside", "above", "below", "not estimable"}
        Where the published figure lies to the predictive interval.
    width_ratio : Estimate or None
        Width of the interval, as a multiple of that from sampling alone at the mean of the draws, the unit of
        publication included (a median of 1 to 3 cycles is 3 cycles wide); None without draws, or where one of them
        has no finite width.
    """

    endpoint: Endpoint
    target: Target
    predicted: PredictiveInterval
    tail: Estimate
    verdict: Literal["inside", "above", "below", "not estimable"]
    width_ratio: Estimate | None

    @property
    def is_blunt(self) -> bool:
        """Whether the interval is wider than the bar, by more than its Monte Carlo error."""
        ratio = self.width_ratio
        return ratio is not None and ratio.value - 2.0 * ratio.mcse > SHARPNESS_BAR


@dataclass(frozen=True)
class Misses:
    """Published figures outside their predictive intervals, against how many a simulated study has outside.

    Attributes
    ----------
    outside, among : int
        Figures outside, and all of them.
    expected : float
        Mean number outside of a simulated study.
    tail : Estimate
        Share of the simulated studies that have as many outside, or more.
    """

    outside: int
    among: int
    expected: float
    tail: Estimate


@dataclass(frozen=True)
class Joint:
    """All fitted figures at once: how improbable the published report is among simulated ones.

    Attributes
    ----------
    counts, survival, both : Estimate
        Share of simulated reports that are at least as improbable: by the log probability of the counts, by the
        Mahalanobis distance of the survival summaries' normal scores, and by both.
    replications : int
        Simulated reports.
    """

    counts: Estimate
    survival: Estimate
    both: Estimate
    replications: int


@dataclass(frozen=True)
class Validation:
    """What came of it.

    Attributes
    ----------
    scenario, parameters
        What was simulated.
    checks : tuple of Check
        Of each published figure, in the order of the results table.
    misses : dict of str to Misses
        How many lie outside their intervals, by use.
    joint : Joint
        All fitted figures at once.
    result : Result
        The simulated studies.
    """

    scenario: Scenario
    parameters: ParameterSource
    checks: tuple[Check, ...]
    misses: dict[Use, Misses]
    joint: Joint
    result: Result

    def of(self, use: Use) -> list[Check]:
        """Return the checks of the figures with which the calibration did this."""
        return [check for check in self.checks if check.target.use == use]


def validate(
    scenario: Scenario,
    parameters: ParameterSource,
    *,
    executor: Executor | None = None,
    progress: Callable[[int], None] | None = None,
) -> Validation:
    """Judge the published figures by simulated studies.

    Parameters
    ----------
    scenario : Scenario
        The source study's conduct; its ``study`` says how many simulated studies, and with which seed.
    parameters : ParameterSource
        Draws of a posterior or of the priors; or one value for all, to see the part of chance alone.
    executor : concurrent.futures.Executor, optional
        Who does the work; this process by default.
    progress : callable, optional
        Called with the number of simulated studies finished since the last call; :func:`studies_to_simulate` says how
        many there are.

    Returns
    -------
    Validation
        Every published figure with its predictive interval, tail area and verdict; and all of them together.

    Raises
    ------
    WorkerError
        If those who do the work keep dying.
    """
    result = simulate(scenario, parameters=parameters, executor=executor, progress=progress)
    at_mean = None
    if isinstance(parameters, Posterior):
        at_mean = simulate(scenario, parameters=parameters.means(), executor=executor, progress=progress)
    checks = tuple(_checks(result, at_mean))
    return Validation(
        scenario=scenario,
        parameters=parameters,
        checks=checks,
        misses={
            use: _misses([each for each in checks if each.target.use == use], result) for use in ("fit", "held_out")
        },
        joint=joint_tails(
            _studies(scenario, parameters, executor, progress),
            Observed.published(load_targets()),
            paired=parameters.varies,
        ),
        result=result,
    )


def studies_to_simulate(scenario: Scenario, parameters: ParameterSource) -> int:
    """Return how many simulated studies :func:`validate` reports as progress."""
    return scenario.study.replications * (3 if isinstance(parameters, Posterior) else 2)


# --- figure by figure ----------------------------------------------------------------------------------------


def _checks(result: Result, at_mean: Result | None) -> Sequence[Check]:
    targets = load_targets()
    paired = result.parameters.varies
    found = []
    for summary in summarize(result):
        endpoint = summary.endpoint
        if endpoint.id not in targets:
            continue
        target, values = targets[endpoint.id], result.estimates[endpoint.id].value
        ratio = None
        if at_mean:
            ratio = _width_ratio(values, at_mean.estimates[endpoint.id].value, target.rounding or 0.0, paired=paired)
        found.append(
            Check(
                endpoint,
                target,
                summary.predicted,
                tail_area(values, target, paired=paired),
                _verdict(target, summary.predicted) if summary.estimable else "not estimable",
                ratio,
            )
        )
    return found


def _verdict(target: Target, predicted: PredictiveInterval) -> Literal["inside", "above", "below"]:
    if target.within(predicted.lower, predicted.upper):
        return "inside"
    return "above" if target.estimate > predicted.upper else "below"


def tail_area(values: Floats, target: Target, *, paired: bool = False) -> Estimate:
    """Return the two-sided mid-p tail area of a published figure (Lancaster, J Am Stat Assoc 1961;56:223-234).

    Parameters
    ----------
    values : ndarray of float64, shape (R,)
        What the simulated studies report; inf where a median is not reached, NaN where nothing can be estimated: these
        are left out.
    target : Target
        The published figure; a study that rounds to it has the same.
    paired : bool
        Whether studies come in pairs with the same parameters.

    Returns
    -------
    Estimate
        Twice the smaller tail, at most 1.
    """
    low, high = target.rounded_from if target.count is None else (target.estimate - 1e-9, target.estimate + 1e-9)
    known = ~np.isnan(values)
    same = np.where((values >= low) & (values < high), 0.5, 0.0)
    sides = [
        mean_and_mcse(np.where(known, beyond + same, np.nan), paired=paired)
        for beyond in (values < low, values >= high)
    ]
    smaller, error = min(sides)
    return Estimate(min(2.0 * smaller, 1.0), 2.0 * error)


def _width_ratio(values: Floats, at_mean: Floats, rounding: float, *, paired: bool) -> Estimate | None:
    """Compare the widths of two intervals of published values: each value stands for all that round to it."""
    widths, errors = [], []
    for each, in_pairs in ((values, paired), (at_mean, False)):
        known = each[~np.isnan(each)]
        if known.size < 2 or np.isinf(np.quantile(known, 0.975, method="higher")):
            return None
        low, high = np.quantile(known, (0.025, 0.975))
        widths.append(float(high - low) + rounding)
        lower, upper = (quantile_mcse(each, p, paired=in_pairs) for p in (0.025, 0.975))
        errors.append(math.hypot(lower, upper))
    if widths[1] <= 0:
        return None
    ratio = widths[0] / widths[1]
    relative = [error / width if width > 0 else 0.0 for error, width in zip(errors, widths, strict=True)]
    return Estimate(ratio, ratio * math.hypot(*relative))


def _misses(checks: Sequence[Check], result: Result) -> Misses:
    """Count figures outside, in the published study and in each simulated one."""
    judged = [check for check in checks if check.verdict != "not estimable"]
    simulated = np.zeros(result.replications)
    for check in judged:
        values, predicted = result.estimates[check.endpoint.id].value, check.predicted
        simulated += (values < predicted.lower - 1e-12) | (values > predicted.upper + 1e-12)
    outside = sum(check.verdict != "inside" for check in judged)
    as_many = (simulated >= outside).astype(np.float64)
    tail = Estimate(*mean_and_mcse(as_many, paired=result.parameters.varies))
    return Misses(outside, len(judged), float(simulated.mean()), tail)


# --- all fitted figures at once --------------------------------------------------------------------------------


def _studies(
    scenario: Scenario,
    parameters: ParameterSource,
    executor: Executor | None,
    progress: Callable[[int], None] | None,
) -> Studies:
    """Simulate reports as the likelihood sees them, with the published margins."""
    blocks = cut(range(scenario.study.replications), _BLOCK)
    parts = list(done(partial(_block, scenario, parameters), blocks, executor, progress))
    counts = {term.name: np.concatenate([part.counts[term.name] for part in parts]) for term in TERMS}
    others = [item.name for item in fields(Studies) if item.name != "counts"]
    return Studies(counts, **{name: np.concatenate([getattr(part, name) for part in parts]) for name in others})


def _block(scenario: Scenario, parameters: ParameterSource, block: range) -> Studies:
    seed = scenario.study.seed
    margins = published_margins(load_targets())
    return Ensemble(scenario, margins, Luck(seed), block).reports(parameters.of(block, seed))


def joint_tails(studies: Studies, observed: Observed, *, paired: bool = False) -> Joint:
    """Return how improbable a report is among simulated ones, in all figures at once.

    Parameters
    ----------
    studies : Studies
        Simulated reports.
    observed : Observed
        The report.
    paired : bool
        Whether studies come in pairs with the same parameters.

    Returns
    -------
    Joint
    """
    theirs_counts = np.zeros(studies.replications)
    ours_counts = 0.0
    for term in TERMS:
        simulated = studies.counts[term.name]
        pooled = simulated.sum(axis=0) + 0.5  # an empty cell is a rare one, not an impossible one
        share = pooled / pooled.sum()
        theirs_counts = theirs_counts - _log_multinomial(simulated.astype(np.float64), share)
        ours_counts -= float(_log_multinomial(np.array([observed.counts[term.name]], dtype=np.float64), share)[0])
    theirs, ours = _normal_scores(studies.summaries, observed)
    inverse = np.linalg.inv(np.cov(theirs.T) + 1e-9 * np.eye(theirs.shape[1]))
    theirs_survival = np.einsum("ri,ij,rj->r", theirs, inverse, theirs) / 2.0
    ours_survival = float(ours @ inverse @ ours) / 2.0

    def share_beyond(simulated: Floats, published: float) -> Estimate:
        score = np.where(np.isclose(simulated, published), 0.5, (simulated > published).astype(np.float64))
        return Estimate(*mean_and_mcse(score, paired=paired))

    return Joint(
        counts=share_beyond(theirs_counts, ours_counts),
        survival=share_beyond(theirs_survival, ours_survival),
        both=share_beyond(theirs_counts + theirs_survival, ours_counts + ours_survival),
        replications=studies.replications,
    )


def _log_multinomial(cells: Floats, share: Floats) -> Floats:
    """Return the log probability of each row of counts, given its total."""
    return np.asarray(log_ways(cells) + special.xlogy(cells, share).sum(axis=1), dtype=np.float64)


def _normal_scores(summaries: Floats, observed: Observed) -> tuple[Floats, Floats]:
    """Return where each summary stands among the simulated ones, as a standard normal number; shapes (R, s) and (s,).

    By rank, so that a median that is not reached is simply the largest; what cannot be estimated says nothing, as
    the middle does. The published ones stand midway between the simulated ones that round to them.
    """
    from scipy import stats  # slow to import

    theirs, ours = np.zeros(summaries.shape), np.zeros(summaries.shape[1])
    for column in range(summaries.shape[1]):
        known = ~np.isnan(summaries[:, column])
        values, count = summaries[known, column], int(known.sum())
        if not count:
            continue
        theirs[known, column] = special.ndtri((stats.rankdata(values) - 0.5) / count)
        below = np.mean(values < observed.lower[column]) + np.mean(values < observed.upper[column])
        ours[column] = special.ndtri(np.clip(below / 2.0, 0.5 / count, 1.0 - 0.5 / count))
    return theirs, ours
