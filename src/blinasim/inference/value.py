"""The value of information: what it would be worth to know parameters before choosing among policies.

Each pair of trials has its own draw of the parameters, and all policies are lived by the same patients with the same
luck. Trials are small, so that what a draw gains is noisy: it is regressed on the parameters
(:mod:`blinasim.statistics.information`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blinasim.errors import Argument, BlinasimError, ParameterError
from blinasim.files import nearest, quoted
from blinasim.inference.posterior import Posterior
from blinasim.inference.priors import Priors
from blinasim.inference.sensitivity import moved
from blinasim.inference.worth import Candidate, Judged, ValueOfInformation, Worth
from blinasim.model.catalogue import parameter_catalogue
from blinasim.model.parameters import PAIR, ParameterSource
from blinasim.scenario.settings import Payoffs, Scenario
from blinasim.statistics.conditional_mean import Fit, conditional_means
from blinasim.statistics.information import (
    Jackknifed,
    fitted_gains,
    jackknifed,
    never_under_a_part,
    value_given,
    value_of_information,
    without_optimism,
)
from blinasim.statistics.pairs import parts_of_variance
from blinasim.study.compare import arms_of
from blinasim.study.measures import COST, NET_BENEFIT, QALYS, Measure, measure_named, measures_of
from blinasim.study.paired import paired_values
from blinasim.study.precision import mean_and_mcse

__all__ = ["Candidate", "Judged", "ValueOfInformation", "Worth", "objective_named", "value_of"]

Floats = NDArray[np.float64]

#: Thresholds at which policies are judged, from 0 to twice that of the payoffs.
_THRESHOLDS: Final = 41
#: Pairs of trials for each parameter that is known at once; fewer say nothing of it.
_PAIRS_A_PARAMETER: Final = 2


def value_of(
    scenarios: Mapping[str, Scenario],
    parameters: ParameterSource,
    *,
    measure: str | None = None,
    known: Sequence[str] = (),
    executor: Executor | None = None,
    progress: Callable[[int], None] | None = None,
) -> ValueOfInformation:
    """Find out what it would be worth to know parameters before choosing among policies.

    Parameters
    ----------
    scenarios : dict of str to Scenario
        The policies by name, two or more; trials and seed are those of the first.
    parameters : ParameterSource
        Draws, of a posterior or of the priors.
    measure : str, optional
        Id of the measure by which one chooses; net benefit by default, which needs payoffs.
    known : sequence of str
        Sets of parameters whose knowledge is valued besides: names of parameters or groups, separated by commas.
    executor : concurrent.futures.Executor, optional
        Who does the work; this process by default. The results are the same.
    progress : callable, optional
        Called with the number of trials finished since the last call, each policy's counted.

    Returns
    -------
    ValueOfInformation

    Raises
    ------
    ScenarioError
        If the scenarios cannot be compared.
    ParameterError
        If the parameters are no draws, or a set names none that acts.
    BlinasimError
        If there is no such measure, it has no better or worse, or there are too few trials.
    """
    if not isinstance(parameters, Posterior):
        raise ParameterError(
            "point values are known for certain; name draws of a posterior, or of the priors", Argument("parameters")
        )
    arms = arms_of(scenarios, {})
    asked = {name: arm.scenario for name, arm in arms.items()}
    reference = next(iter(asked.values()))
    objective = objective_named(measure, reference.payoffs)
    catalogue = parameter_catalogue()
    acting = {name for scenario in asked.values() for name in moved(scenario, parameters)}
    names = tuple(name for name in catalogue if name in acting)
    sets = _sets(names, known)
    trials = reference.study.replications // PAIR * PAIR
    least = PAIR * _PAIRS_A_PARAMETER * (len(names) + 1)
    if trials < least:
        raise BlinasimError(
            f"{len(names)} parameters need {least:,} trials or more",
            Argument("replications", said=f"{reference.study.replications:,}"),
        )
    by_payoffs = reference.payoffs is not None and objective.id == NET_BENEFIT
    wanted = {one.id: one for one in (*measures_of([], reference.payoffs), objective)}
    looked_at = [wanted[key] for key in dict.fromkeys((objective.id, *((QALYS, COST) if by_payoffs else ())))]
    values = paired_values(
        list(arms.values()), parameters, looked_at, range(trials), executor=executor, progress=progress
    )
    for name, of in zip(asked, values, strict=True):
        if not np.isfinite(of[objective.id]).all():
            raise BlinasimError(
                f"has no value in some trials of {name}; choose another", Argument("measure", said=objective.id)
            )
    draws = parameters.chosen(range(trials), reference.study.seed)[::PAIR]
    inputs = Priors.of(catalogue, names).normal_scores(np.stack([parameters.values(n)[draws] for n in names], axis=1))
    return _put_together(asked, parameters, objective, names, sets, values, inputs, by_payoffs=by_payoffs)


def objective_named(measure: str | None, payoffs: Payoffs | None) -> Measure:
    """Return the measure by which one chooses.

    Parameters
    ----------
    measure : str or None
        Its id; net benefit if none is named.
    payoffs : Payoffs or None
        With them, there are measures of costs and effects.

    Returns
    -------
    Measure

    Raises
    ------
    BlinasimError
        If there is no such measure, it has no better or worse, or nothing is named and no scenario has payoffs.
    """
    known = {one.id: one for one in measures_of([], payoffs)}
    if measure is None and payoffs is None:
        raise BlinasimError(
            "no scenario has payoffs, so that there is no net benefit to choose by: name baseline_payoffs first, or "
            "a measure, such as rmst_24_months"
        )
    name = measure or NET_BENEFIT
    found = measure_named(name, known, Argument("measure", said=quoted(name)))
    if not found.direction:
        raise BlinasimError(
            "neither more nor less of it is better, so that nobody can choose by it", Argument("measure", said=name)
        )
    return found


@dataclass(frozen=True)
class _Set:
    name: str
    columns: frozenset[int]


def _sets(names: tuple[str, ...], known: Sequence[str]) -> dict[str, list[_Set]]:
    """Return the sets of parameters to be valued, by kind; columns are places in ``names``."""
    groups: dict[str, set[int]] = {}
    for place, name in enumerate(names):
        groups.setdefault(name.partition(".")[0], set()).add(place)
    asked = []
    for text in known:
        columns: set[int] = set()
        for said in (part.strip() for part in text.split(",")):
            if said in names:
                columns.add(names.index(said))
            elif said in groups:
                columns |= groups[said]
            else:
                all_known = [*names, *groups]
                why = (
                    "has no effect under these policies, or is fixed"
                    if said in parameter_catalogue()
                    else (f"no such parameter or group{nearest(said, all_known)}")
                )
                raise ParameterError(why, Argument("known", said=quoted(said)))
        asked.append(_Set(text, frozenset(columns)))
    return {
        "all": [_Set("all parameters", frozenset(range(len(names))))],
        "groups": [_Set(name, frozenset(columns)) for name, columns in groups.items()],
        "singles": [_Set(name, frozenset({place})) for place, name in enumerate(names)],
        "asked": asked,
    }


def _put_together(
    scenarios: dict[str, Scenario],
    parameters: Posterior,
    objective: Measure,
    names: tuple[str, ...],
    sets: dict[str, list[_Set]],
    values: list[dict[str, Floats]],
    inputs: Floats,
    *,
    by_payoffs: bool,
) -> ValueOfInformation:
    sign = -1.0 if objective.direction < 0 else 1.0
    of_trials = np.stack([of[objective.id] for of in values])
    gains = sign * _by_draw(of_trials[1:] - of_trials[0])
    every = [one for kind in sets.values() for one in kind]
    members = [one.columns for one in every]
    payoffs = next(iter(scenarios.values())).payoffs if by_payoffs else None
    judging = _Judging.of(values, payoffs) if payoffs else None
    others = gains.shape[1]
    outcomes = np.concatenate([gains, judging.outcomes], axis=1) if judging else gains
    only_gains = np.eye(outcomes.shape[1], others)

    def figures(weights: Floats) -> Floats:
        """Return values of all sets, probabilities of being the best, and curves by threshold: one after the other."""
        fit, mean = conditional_means(inputs, outcomes, weights), weights @ outcomes
        of_all = mean[:others] + without_optimism(fit, weights, only_gains)
        plain = [value_given(of_all, weights)]
        plain += [value_of_information(inputs[:, sorted(columns)], gains, weights) for columns in members[1:]]
        worths = never_under_a_part(np.array(plain), members)
        curves = judging.curves(fit, mean, weights).ravel() if judging else np.zeros(0)
        return np.concatenate([worths, _shares_of_best(of_all, weights), curves])

    points = gains.shape[0]
    done = jackknifed(figures, points)
    worth, shares, curves = (
        Jackknifed(value, error)
        for value, error in zip(
            *(np.split(part, (len(every), len(every) + others + 1)) for part in (done.value, done.error)), strict=True
        )
    )
    found = iter(zip(every, worth.value.tolist(), worth.error.tolist(), strict=True))
    by_kind: dict[str, list[Worth]] = {}
    for kind, within in sets.items():
        of_kind = [next(found) for _ in within]
        by_kind[kind] = sorted(
            (
                Worth(one.name, tuple(names[i] for i in sorted(one.columns)), value, error)
                for one, value, error in of_kind
            ),
            key=lambda one: -one.value,
        )
    return ValueOfInformation(
        scenarios=scenarios,
        parameters=parameters,
        objective=objective,
        candidates=_candidates(list(scenarios), of_trials, inputs, shares),
        perfect=by_kind["all"][0],
        groups=tuple(by_kind["groups"]),
        singles=tuple(by_kind["singles"]),
        asked=tuple(by_kind["asked"]),
        judged=judging.judged(curves, inputs) if judging else None,
        trials=of_trials.shape[1],
    )


def _by_draw(of_trials: Floats) -> Floats:
    """Return the means of pairs of trials, which share a draw: (d, R) gives (S, d)."""
    return np.asarray(of_trials.reshape(of_trials.shape[0], -1, PAIR).mean(axis=2).T)


def _shares_of_best(gains: Floats, weights: Floats) -> Floats:
    """Return how often each decision is the best, the one without a gain first; shape (K,). Ties are shared."""
    whole = np.concatenate([np.zeros((gains.shape[0], 1)), gains], axis=1)
    first = whole == whole.max(axis=1, keepdims=True)
    return np.asarray(weights @ (first / first.sum(axis=1, keepdims=True)))


def _candidates(names: list[str], of_trials: Floats, inputs: Floats, shares: Jackknifed) -> tuple[Candidate, ...]:
    found = []
    points = inputs.shape[0]
    weights = np.full(points, 1.0 / points)
    for place, name in enumerate(names):
        gain, gain_mcse = mean_and_mcse(of_trials[place] - of_trials[0], paired=True)
        explained = shown = float("nan")
        if place:
            apart = of_trials[place] - of_trials[0]
            fitted = fitted_gains(inputs, _by_draw(apart[np.newaxis]), weights)
            parts = parts_of_variance(apart)
            explained = float(fitted.std())
            shown = float(np.sqrt(parts.between)) if parts else float("nan")
        best, error = float(shares.value[place]), float(shares.error[place])
        mean, mcse = mean_and_mcse(of_trials[place], paired=True)
        found.append(Candidate(name, mean, mcse, gain, gain_mcse, best, error, explained, shown))
    return tuple(found)


@dataclass(frozen=True)
class _Judging:
    """QALYs, then costs, of each policy less those of the reference by draw, shape (S, 2 (K - 1)); thresholds (T,)."""

    outcomes: Floats
    thresholds: Floats

    @classmethod
    def of(cls, values: list[dict[str, Floats]], payoffs: Payoffs) -> _Judging:
        parts = [np.stack([of[key] for of in values]) for key in (QALYS, COST)]
        outcomes = np.concatenate([_by_draw(part[1:] - part[0]) for part in parts], axis=1)
        return cls(outcomes, np.linspace(0.0, 2.0 * payoffs.threshold_per_qaly, _THRESHOLDS))

    @property
    def others(self) -> int:
        """Policies besides the reference."""
        return int(self.outcomes.shape[1] // 2)

    def curves(self, fit: Fit, mean: Floats, weights: Floats) -> Floats:
        """Return acceptability of each policy, and value of information last, by threshold; shape (K + 1, T).

        The last outcomes of the fit are these.
        """
        found = np.empty((self.others + 2, self.thresholds.size))
        before = np.zeros((fit.explained.shape[1] - 2 * self.others, self.others))
        for column, threshold in enumerate(self.thresholds):
            mixed = np.concatenate([before, threshold * np.eye(self.others), -np.eye(self.others)])
            gains = mean @ mixed + without_optimism(fit, weights, mixed)
            found[:-1, column] = _shares_of_best(gains, weights)
            found[-1, column] = value_given(gains, weights)
        return found

    def judged(self, curves: Jackknifed, inputs: Floats) -> Judged:
        """Put together what is shown by threshold."""
        value, error = (part.reshape(self.others + 2, -1) for part in (curves.value, curves.error))
        points = inputs.shape[0]
        drawn = fitted_gains(inputs, self.outcomes, np.full(points, 1.0 / points))
        return Judged(
            thresholds=self.thresholds,
            acceptability=value[:-1],
            acceptability_error=error[:-1],
            evpi=value[-1],
            evpi_error=error[-1],
            qalys=drawn[:, : self.others].T,
            cost=drawn[:, self.others :].T,
        )
