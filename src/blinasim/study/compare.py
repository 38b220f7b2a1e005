"""Compare policies: the same patients live each of them with the same luck, in the same trials."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blinasim.engine.choice import EngineName, choose
from blinasim.errors import ScenarioError
from blinasim.luck import Luck
from blinasim.model.catalogue import load_parameters
from blinasim.model.codes import Place
from blinasim.model.cohort_file import read_cohort
from blinasim.model.fates import FROM_REMISSION_OR_FAILURE_ON
from blinasim.model.own_policy import checked_policy
from blinasim.model.parameters import ParameterSource
from blinasim.model.places import counted_places
from blinasim.scenario.settings import Payoffs, Scenario
from blinasim.statistics import survival
from blinasim.study.chunks import cut, trials_at_a_time, usual_chunk, with_curves
from blinasim.study.comparison import Again, Band, Comparison, Contrast, Curve, Gain, HeadStart, Pairs, Queue, Side
from blinasim.study.contrasts import Counts, Touched, flows, touched
from blinasim.study.executors import done
from blinasim.study.head_start import head_start_trials, head_starts
from blinasim.study.living import Living, joined
from blinasim.study.measures import Measure, Truth, measured, measures_of
from blinasim.study.simulate import CURVE_DAYS

Floats = NDArray[np.float64]

#: Queues are followed from the first enrolment to so many days after the last one.
_QUEUE_DAYS_AFTER: Final = 365
#: Pieces into which the work is cut at least, so that several workers have something to do.
_PIECES: Final = 8


def compare(
    scenarios: Mapping[str, Scenario],
    *,
    policies: Mapping[str, Callable[[], object]] | None = None,
    parameters: ParameterSource | None = None,
    replications: int | None = None,
    seed: int | None = None,
    engine: EngineName = "auto",
    executor: Executor | None = None,
    progress: Callable[[int], None] | None = None,
    chunk: int | None = None,
    by_head_start: bool = True,
) -> Comparison:
    """Let the same patients live several scenarios with the same luck, and compare them trial by trial.

    Each is also lived with independent luck for everything drawn for the time from remission, or failure, on
    (:data:`blinasim.model.fates.FROM_REMISSION_OR_FAILURE_ON`): this leaves the means of the differences, and alters
    who gains. So much of that as comes of the luck alone is seen in the reference, set against itself in the same way.

    Parameters
    ----------
    scenarios : dict of str to Scenario
        By name; the first is the reference. All have as many patients. The payoffs of one of them are those of all.
    policies : dict of str to callable, optional
        Policies of one's own by name (:class:`blinasim.model.own_policy.OwnPolicy`), each such as a class: the
        reference scenario is also lived under each of them.
    parameters : ParameterSource, optional
        Values for all trials, or draws for pairs of trials; by default the point values of
        ``calibration/parameters.yaml``.
    replications, seed : int, optional
        Of all scenarios; those of the reference by default.
    engine : {"auto", "fast", "des"}
        Which engine walks the patients; the results are the same.
    executor : concurrent.futures.Executor, optional
        Who does the work; this process by default. The results are the same.
    progress : callable, optional
        Called with the number of trials finished since the last call; :func:`trials_to_live` says how many there are.
    chunk : int, optional
        Trials done at a time. The results are the same.
    by_head_start : bool
        Whether policies that seek donors otherwise are also lived under other head starts.

    Returns
    -------
    Comparison
        Values of every trial under each scenario, and the contrasts with the reference.

    Raises
    ------
    ScenarioError
        If there are fewer than two to compare, two have one name, or their numbers of patients differ.
    PolicyError
        If a policy of one's own cannot be made, or fails.
    WorkerError
        If those who do the work keep dying.
    """
    parameters = parameters or load_parameters()
    asked = arms_of(scenarios, policies or {}, replications, seed)
    arms = {name: replace(arm, source=read_cohort(arm.scenario.cohort), engine=engine) for name, arm in asked.items()}
    lived, reference = tuple(arms.values()), next(iter(arms.values())).scenario
    for arm in lived:
        _engine(arm)  # refuses an engine that cannot walk it, before any does
    measures = measures_of([arm.scenario.capacity for arm in lived], reference.payoffs)
    trials = reference.study.replications
    step = trials_at_a_time(chunk, min(usual_chunk(reference.cohort.size), -(-trials // _PIECES)))
    blocks = cut(range(trials), step)
    job = partial(_compare_block, lived, parameters, measures)
    found = list(done(job, blocks, executor, progress))
    other_worlds = head_starts(arms, parameters, step, executor, progress) if by_head_start else {}
    return Comparison(
        arms=tuple(
            _arm(name, living, [block.lived[index] for block in found])
            for index, (name, living) in enumerate(arms.items())
        ),
        contrasts=tuple(
            _contrast(
                name,
                [block.met[index] for block in found],
                Gain.of(
                    *(np.concatenate([block.lived[arm].survival for block in found]) for arm in (0, index + 1)),
                    paired_trials=parameters.varies,
                ),
                other_worlds.get(name, ()),
            )
            for index, name in enumerate(list(arms)[1:])
        ),
        reference_again=Again(
            joined(block.reference_again.values_again for block in found),
            _added([block.reference_again.flows for block in found]),
        ),
        measures=measures,
        parameters=parameters,
    )


def arms_of(
    scenarios: Mapping[str, Scenario],
    policies: Mapping[str, Callable[[], object]],
    replications: int | None = None,
    seed: int | None = None,
) -> dict[str, Living]:
    """Return what is compared, all with the same trials and luck: those asked for, or those of the first scenario.

    Parameters
    ----------
    scenarios, policies, replications, seed
        As for :func:`compare`.

    Returns
    -------
    dict of str to Living
        The reference first.

    Raises
    ------
    ScenarioError
        If there are fewer than two, or their patients cannot be the same.
    """
    if len(scenarios) + len(policies) < 2 or not scenarios:
        raise ScenarioError("a comparison needs a reference and at least one other scenario; name two or more")
    first, reference = next(iter(scenarios.items()))
    study = reference.with_study(replications, seed).study
    for name, scenario in scenarios.items():
        if scenario.cohort.size != reference.cohort.size:
            raise ScenarioError(
                f"{first} has {reference.cohort.size:,} patients and {name} {scenario.cohort.size:,}: they cannot be "
                "the same patients; give both one cohort.size"
            )
    payoffs = _common_payoffs(scenarios)
    for name, policy in policies.items():
        if name in scenarios:
            raise ScenarioError(f"a scenario and a policy are called {name}; name different ones")
        checked_policy(policy)
    asked = {name: Living(scenario) for name, scenario in scenarios.items()}
    asked |= {name: Living(reference, policy) for name, policy in policies.items()}
    common = {"study": study, "payoffs": payoffs}
    return {name: replace(arm, scenario=arm.scenario.model_copy(update=common)) for name, arm in asked.items()}


def _common_payoffs(scenarios: Mapping[str, Scenario]) -> Payoffs | None:
    """Return the payoffs by which all scenarios are judged: those of the first that has any."""
    given = {name: scenario.payoffs for name, scenario in scenarios.items() if scenario.payoffs}
    first = next(iter(given), "")
    for name, payoffs in given.items():
        if payoffs != given[first]:
            raise ScenarioError(
                f"{first} and {name} have different payoffs: nothing compared by both would mean anything; "
                "give the payoffs in one of them only"
            )
    return given.get(first)


def trials_to_live(arms: Mapping[str, Living], parameters: ParameterSource) -> int:
    """Return how many trials a comparison reports as progress."""
    return next(iter(arms.values())).scenario.study.replications + head_start_trials(arms, parameters)


def _engine(living: Living) -> EngineName:
    return choose(living.engine, living.scenario.capacity, own_policy=living.own_policy is not None)


# --- living -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Lived:
    """What some trials give under one scenario; curves and queues are those of the first trials that keep them."""

    values: dict[str, Floats]
    survival: Floats
    at_risk: NDArray[np.int64]
    queues: dict[Place, tuple[NDArray[np.int32], NDArray[np.int32]]]

    @classmethod
    def of(cls, truth: Truth, measures: Sequence[Measure], keep: int) -> _Lived:
        on_days, at_risk = survival.on_grid(truth.overall_survival, np.array(CURVE_DAYS))
        accrual = truth.scenario.trial.accrual
        days = accrual.cutoff_day - accrual.gap_days + _QUEUE_DAYS_AFTER
        queues = {}
        for place in counted_places(truth.scenario.capacity):
            stays = [trial.of(place) for trial in truth.stays[:keep]]
            waiting, taken = (
                np.array(counts, dtype=np.int32).reshape(len(stays), days)
                for counts in ([trial.waiting(0, days) for trial in stays], [trial.taken(0, days) for trial in stays])
            )
            queues[place] = (waiting, taken)
        return cls(measured(truth, measures), on_days[:keep], at_risk[:keep], queues)


@dataclass(frozen=True)
class _Met:
    """What some trials give when a policy meets the reference; no pairs where its patients are others."""

    values_again: dict[str, Floats]
    pairs: Pairs | None


@dataclass(frozen=True)
class _Block:
    """What some trials give: under each scenario, for the first against itself, and for each other against it."""

    lived: tuple[_Lived, ...]
    reference_again: Again
    met: tuple[_Met, ...]


def _compare_block(
    livings: tuple[Living, ...], parameters: ParameterSource, measures: tuple[Measure, ...], block: range
) -> _Block:
    keep = with_curves(block)
    luck = Luck(livings[0].scenario.study.seed)
    both = (luck, luck.drawn_again(FROM_REMISSION_OR_FAILURE_ON))
    reference, itself = (livings[0].truth(parameters, its, block) for its in both)
    lived, met = [_Lived.of(reference, measures, keep)], []
    for living in livings[1:]:
        shared, again = (living.truth(parameters, its, block) for its in both)
        lived.append(_Lived.of(shared, measures, keep))
        met.append(_Met(measured(again, measures), _pairs(reference, shared, again)))
    own = Again(measured(itself, measures), flows(reference.history, itself.history))
    return _Block(tuple(lived), own, tuple(met))


def _pairs(reference: Truth, shared: Truth, again: Truth) -> Pairs | None:
    """Set the same patients' lives against each other, if they are the same patients."""
    if shared.scenario.cohort != reference.scenario.cohort:
        return None
    one, other = ((truth.history, truth.scenario.policy) for truth in (reference, shared))
    return Pairs(
        touched(one, other, reference.scenario.cohort.size),
        flows(reference.history, shared.history),
        flows(reference.history, again.history),
    )


# --- adding up ----------------------------------------------------------------------------------------


def _arm(name: str, living: Living, parts: list[_Lived]) -> Side:
    scenario = living.scenario
    places = counted_places(scenario.capacity)
    return Side(
        name=name,
        scenario=scenario,
        engine=_engine(living),
        values=joined(part.values for part in parts),
        curve=Curve(
            np.array(CURVE_DAYS),
            Band.of(np.concatenate([part.survival for part in parts])),
            np.concatenate([part.at_risk for part in parts]).mean(axis=0),
        ),
        queues={
            place: Queue(
                places[place].places or 0,
                *(
                    Band.of(np.concatenate(counts))
                    for counts in zip(*(part.queues[place] for part in parts), strict=True)
                ),
            )
            for place in parts[0].queues
        },
        own_policy=living.own_policy,
        source=living.source,
    )


def _contrast(name: str, parts: list[_Met], survival_gain: Gain, head_start: tuple[HeadStart, ...]) -> Contrast:
    pairs = [part.pairs for part in parts if part.pairs is not None]
    return Contrast(
        name=name,
        values_again=joined(part.values_again for part in parts),
        survival_gain=survival_gain,
        pairs=Pairs(
            Touched.joined([one.touched for one in pairs]),
            _added([one.flows for one in pairs]),
            _added([one.flows_again for one in pairs]),
        )
        if pairs
        else None,
        head_start=head_start,
    )


def _added(parts: Sequence[Counts]) -> Counts:
    return np.asarray(np.sum(parts, axis=0, dtype=np.int64))
