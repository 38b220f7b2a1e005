"""Sensitivity: on which parameters an outcome of a scenario rests.

Three questions. How far does the outcome move as one parameter goes through the 95 % interval of its prior (a tornado)?
What part of its variance is each parameter's, alone and with all its interactions, before anything was fitted (Sobol
indices over the priors: Saltelli and others, Comput Phys Commun 2010;181:259)? And what part of its variance under the
posterior would go if the parameter were known (:mod:`blinasim.statistics.conditional_mean`)? All values of the
parameters are lived by the same patients with the same luck.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blinasim.engine.choice import choose
from blinasim.errors import Argument, BlinasimError
from blinasim.files import nearest, quoted
from blinasim.inference.posterior import Posterior
from blinasim.inference.sensitivity.lives import END, Effort, Experiment, Informed, moved
from blinasim.inference.sensitivity.result import Bearing, Index, Interval, OutcomeSensitivity, Quantity, Sensitivity
from blinasim.model.parameters import ParameterSource
from blinasim.model.places import counted_places
from blinasim.scenario.settings import Payoffs, Scenario
from blinasim.statistics.conditional_mean import VarianceShare
from blinasim.study.measures import Measure, Truth, measures_of
from blinasim.trial.endpoints import ENDPOINTS, estimate

__all__ = [
    "LIMIT",
    "USUAL",
    "Bearing",
    "Effort",
    "Index",
    "Interval",
    "OutcomeSensitivity",
    "Quantity",
    "Sensitivity",
    "moved",
    "outcomes_named",
    "sensitivity",
    "values_to_live",
]

Floats = NDArray[np.float64]

#: Outcomes that are looked at where nobody names others.
USUAL: Final = ("rmst_24_months", "os_24_months", "realization")
#: What precedes the id of an endpoint that is to be taken without censoring by time.
LIMIT: Final = "limit:"
#: Parameters that get Sobol indices of their own, those that move an outcome most; the others have one together.
_OWN_INDEX: Final = 12


def outcomes_named(names: Sequence[str] = USUAL, payoffs: Payoffs | None = None) -> tuple[Quantity, ...]:
    """Return outcomes by id.

    Parameters
    ----------
    names : sequence of str
        A measure such as ``os_24_months``, or ``limit:`` and an endpoint such as ``limit:os``.
    payoffs : Payoffs, optional
        With them, also their measures, such as ``qalys``.

    Returns
    -------
    tuple of Quantity
        In the order named, each once.

    Raises
    ------
    BlinasimError
        If there is no such measure or endpoint.
    """
    measures = {measure.id: measure for measure in measures_of([], payoffs)}
    endpoints = {f"{LIMIT}{endpoint.id}": endpoint for endpoint in ENDPOINTS}
    found = []
    for name in dict.fromkeys(names):
        if name in measures:
            found.append(_of_measure(measures[name]))
        elif name in endpoints:
            endpoint = endpoints[name]
            limit = partial(_limit, endpoint=endpoint.id)
            found.append(Quantity(name, f"{endpoint.label}, without censoring by time", endpoint.unit, limit))
        else:
            known = [*measures, *endpoints]
            raise BlinasimError(
                f"no such measure{nearest(name, known)} (there are {', '.join(measures)}, "
                f"and {LIMIT} with an endpoint of summary.json)",
                Argument("measure", said=quoted(name)),
            )
    return tuple(found)


def _of_measure(measure: Measure) -> Quantity:
    return Quantity(measure.id, measure.label, measure.unit, measure.of)


def _limit(truth: Truth, endpoint: str) -> Floats:
    return estimate(truth.data, truth.scenario.trial)[endpoint].value


def sensitivity(
    scenario: Scenario,
    parameters: ParameterSource,
    outcomes: Sequence[Quantity] | None = None,
    *,
    effort: Effort | None = None,
    executor: Executor | None = None,
    progress: Callable[[int], None] | None = None,
) -> Sensitivity:
    """Find out on which parameters some outcomes of a scenario rest.

    Parameters
    ----------
    scenario : Scenario
        What is lived; its ``study`` gives the seed.
    parameters : ParameterSource
        A posterior, whose means are the centre and whose draws are regressed on; or point values, which are the centre.
    outcomes : sequence of Quantity, optional
        What is looked at; by default :data:`USUAL`.
    effort : Effort, optional
        How much is computed.
    executor : concurrent.futures.Executor, optional
        Who does the work; this process by default. The results are the same.
    progress : callable, optional
        Called with the number of parameter values finished since the last call; :func:`values_to_live` says how many
        there are.

    Returns
    -------
    Sensitivity
        Tornado, Sobol indices, parts of the posterior variance and contraction, for each outcome.

    Raises
    ------
    BlinasimError
        If the scenario counts places, which only the slow engine can live; or an outcome has no value somewhere.
    WorkerError
        If those who do the work keep dying.
    """
    if choose("auto", scenario.capacity) != "fast":
        counted = ", ".join(place.name.lower() for place in counted_places(scenario.capacity))
        raise BlinasimError(
            f"sensitivity needs the array engine, and this scenario counts places ({counted or 'of other patients'}); "
            "set them to null"
        )
    effort, asked = effort or Effort(), tuple(outcomes or outcomes_named())
    lived = Experiment(scenario, parameters, asked, effort, executor, progress)
    tornado = lived.tornado()
    ranked = _ranked(lived.priors.names, tornado)
    own = ranked[: min(_OWN_INDEX, len(ranked))]
    indices = lived.sobol(own)
    informed = lived.posterior()
    found = []
    for column, outcome in enumerate(asked):
        found.append(_put_together(lived, column, outcome, tornado[column], indices[column], informed))
    return Sensitivity(scenario, parameters, tuple(found), lived.evaluations)


def values_to_live(scenario: Scenario, parameters: ParameterSource, effort: Effort | None = None) -> int:
    """Return how many values of the parameters :func:`sensitivity` lives."""
    effort = effort or Effort()
    names = moved(scenario, parameters)
    draws = min(effort.draws, len(parameters.draws)) if isinstance(parameters, Posterior) else 0
    return 1 + 2 * len(names) + effort.samples * (min(_OWN_INDEX + 1, len(names)) + 2) + draws


def _ranked(names: tuple[str, ...], tornado: Sequence[tuple[float, float, list[Interval]]]) -> list[str]:
    """Order parameters by how much of all the swings of an outcome is theirs, in that outcome where it is most."""
    most = np.zeros(len(names))
    for _, _, intervals in tornado:
        swings = np.square([one.swing for one in intervals])
        if swings.sum() > 0:
            most = np.maximum(most, swings / swings.sum())
    return [names[place] for place in np.argsort(-most, kind="stable")]


def _put_together(
    lived: Experiment,
    column: int,
    outcome: Quantity,
    tornado: tuple[float, float, list[Interval]],
    indices: Mapping[str, Index],
    informed: Informed | None,
) -> OutcomeSensitivity:
    centre, error, intervals = tornado
    names = lived.priors.names
    ends = lived.priors.values(np.array([[-END], [END]]) * np.ones((2, len(names))))
    bearings = [
        Bearing(
            name=name,
            low=float(ends[0, place]),
            high=float(ends[1, place]),
            tornado=intervals[place],
            index=indices.get(name),
            posterior=informed.share([name], column) if informed else None,
            contraction=informed.contraction[name] if informed else None,
        )
        for place, name in enumerate(names)
    ]
    return OutcomeSensitivity(
        outcome=outcome,
        centre=centre,
        centre_mcse=error,
        bearings=tuple(sorted(bearings, key=lambda one: -one.tornado.swing)),
        others=indices.get(""),
        groups=_groups(bearings, column, informed) if informed else {},
        spread=informed.spread(column) if informed else None,
    )


def _groups(bearings: Sequence[Bearing], column: int, informed: Informed) -> dict[str, VarianceShare]:
    """Return what goes with each group of parameters: knowing a group is worth no less than knowing a member."""
    members: dict[str, list[Bearing]] = {}
    for one in bearings:
        members.setdefault(one.name.partition(".")[0], []).append(one)
    found = {}
    for group, within in members.items():
        together = informed.share([one.name for one in within], column)
        alone = [one.posterior for one in within if one.posterior]
        found[group] = max([together, *alone], key=lambda share: -1.0 if np.isnan(share.value) else share.value)
    return dict(sorted(found.items(), key=lambda each: -each[1].value))
