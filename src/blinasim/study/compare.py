"""Compare policies: the same patients live each of them with the same luck, in the same trials."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial, reduce
from operator import add
from typing import Final, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from blinasim.engine.choice import EngineName, choose
from blinasim.errors import BlinasimError, ScenarioError
from blinasim.files import nearest, quoted
from blinasim.luck import Draws, Luck
from blinasim.model.codes import Place
from blinasim.model.cohort_file import CohortSource, read_cohort
from blinasim.model.parameters import Changed, ParameterSource, load_parameters
from blinasim.model.places import Stays
from blinasim.scenario.settings import Scenario
from blinasim.statistics import pairs, survival
from blinasim.study.batch import live
from blinasim.study.chunks import cut, usual_chunk, with_curves
from blinasim.study.contrasts import REACH, Counts, Difference, Touched, flows, touched
from blinasim.study.executors import in_order
from blinasim.study.measures import MEASURE, Measure, Truth, counted_places, measured, measures_of
from blinasim.study.simulate import CURVE_DAYS

Floats = NDArray[np.float64]
Thing = TypeVar("Thing")
#: Whether a patient's two lives share their luck to the end, or only until the clinic has decided.
LuckName: TypeAlias = Literal["shared", "independent"]

#: Shares of searches under way at enrolment over which a gain from earlier search is computed again.
HEAD_START_GRID: Final = (0.0, 0.2, 0.4, 0.6, 0.8)
HEAD_START_MEASURES: Final = ("realization", "rmst_24_months")
_UNDER_WAY_SHARE: Final = "donor_search.under_way_share"
#: A point of that grid takes so small a part of the trials, but for small studies.
_HEAD_START_PART: Final = 5
_HEAD_START_LEAST: Final = 20
#: Queues are followed from the first enrolment to so many days after the last one.
_QUEUE_DAYS_AFTER: Final = 365
#: Pieces into which the work is cut at least, so that several workers have something to do.
_PIECES: Final = 8


@dataclass(frozen=True)
class Band:
    """Something that each trial has on each of G days: its mean, and the range of 95 % of the trials; shape (G,).

    Of the first 2,000 trials, where there are more.
    """

    mean: Floats
    lower: Floats
    upper: Floats

    @classmethod
    def of(cls, trials: NDArray[np.generic]) -> Band:
        """Summarize an array of shape (K, G)."""
        values = trials.astype(np.float64)
        lower, upper = np.quantile(values, (0.025, 0.975), axis=0)
        return cls(values.mean(axis=0), lower, upper)


@dataclass(frozen=True)
class Curve:
    """Overall survival of uncensored trials on ``days`` (G,), and how many of a trial are at risk, their mean."""

    days: NDArray[np.int64]
    survival: Band
    at_risk: Floats


@dataclass(frozen=True)
class Gain:
    """Survival under a policy less that under the reference on the days of the curves, shape (G,).

    The mean of the paired differences, and the 95 % interval of that mean (NaN with a single trial).
    """

    mean: Floats
    lower: Floats
    upper: Floats

    @classmethod
    def of(cls, reference: Floats, policy: Floats, *, paired_trials: bool = False) -> Gain:
        """Compare the curves of the same trials, shape (K, G); ``paired_trials`` as for :meth:`Difference.of`."""
        paired = policy - reference
        mean, trials = paired.mean(axis=0), paired.shape[0]
        if trials < 2:
            error = np.full(mean.shape, np.nan)
        elif paired_trials:
            error = np.array([pairs.mean_mcse(day) for day in paired.T])
        else:
            error = paired.std(axis=0, ddof=1) / np.sqrt(trials)
        return cls(mean, mean - REACH * error, mean + REACH * error)


@dataclass(frozen=True)
class Queue:
    """A counted kind of place, day by day of the calendar from the first enrolment on; other patients included."""

    places: int
    waiting: Band
    taken: Band


@dataclass(frozen=True, repr=False)
class Arm:
    """One scenario of a comparison.

    Attributes
    ----------
    name : str
        What it is called in tables and files.
    scenario : Scenario
        What was lived, with the replications and the seed of the comparison.
    engine : str
        Which engine walked the patients.
    values : dict of str to ndarray
        Value of each trial by measure id, shape (R,); NaN where a trial has nobody to measure.
    curve : Curve
        Overall survival.
    queues : dict of Place to Queue
        One for each kind of place that is counted.
    """

    name: str
    scenario: Scenario
    engine: EngineName
    values: dict[str, Floats]
    curve: Curve
    queues: dict[Place, Queue]

    def __repr__(self) -> str:
        return f"<Arm {self.name}: {self.scenario.title!r}>"


@dataclass(frozen=True)
class HeadStart:
    """Differences where another share of the searches was under way at enrolment anyway."""

    under_way_share: float
    in_use: bool
    differences: dict[str, Difference]


@dataclass(frozen=True, repr=False)
class Contrast:
    """A policy against the reference.

    Attributes
    ----------
    name : str
        The policy.
    touched : Touched
        How many patients it touches, and who lives longer and shorter under shared luck.
    flows, flows_again : ndarray of int64, shape (S, S)
        Patients by where they stand at 24 months (:class:`blinasim.study.contrasts.Standing`) under the reference (row)
        and the policy (column); under shared luck, and with independent luck after the decision.
    values_again : dict of str to ndarray
        The policy's values, shape (R,), with that independent luck.
    survival_gain : Gain
        Difference of the survival curves.
    head_start : tuple of HeadStart
        Where the search begins otherwise than in the reference; empty elsewhere.
    """

    name: str
    touched: Touched
    flows: Counts
    flows_again: Counts
    values_again: dict[str, Floats]
    survival_gain: Gain
    head_start: tuple[HeadStart, ...]

    def __repr__(self) -> str:
        return f"<Contrast {self.name}: {self.touched.touched:,} of {self.touched.patients:,} patients touched>"


@dataclass(frozen=True, repr=False)
class Comparison:
    """What a comparison found; the first of the ``arms`` is the reference, ``contrasts`` follow the others.

    Attributes
    ----------
    arms : tuple of Arm
        Every scenario, the reference first.
    contrasts : tuple of Contrast
        One for each of the others, in order.
    measures : tuple of Measure
        By what they were compared.
    parameters : ParameterSource
        The values of nature under which all of them lived.
    """

    arms: tuple[Arm, ...]
    contrasts: tuple[Contrast, ...]
    measures: tuple[Measure, ...]
    parameters: ParameterSource

    def __repr__(self) -> str:
        study, size = self.reference.scenario.study, self.reference.scenario.cohort.size
        names = " -> ".join([self.reference.name, ", ".join(contrast.name for contrast in self.contrasts)])
        return f"<Comparison {names}: {study.replications} trials of {size} patients, seed {study.seed}>"

    @property
    def reference(self) -> Arm:
        """The scenario that the others are compared with."""
        return self.arms[0]

    @property
    def policies(self) -> tuple[str, ...]:
        """Names of the others, in order."""
        return tuple(contrast.name for contrast in self.contrasts)

    @property
    def replications(self) -> int:
        """Number of simulated trials."""
        return self.reference.scenario.study.replications

    def arm(self, name: str) -> Arm:
        """Return a scenario by its name; errors as :meth:`contrast`."""
        return _named(name, {arm.name: arm for arm in self.arms}, "scenario")

    def contrast(self, policy: str | None = None) -> Contrast:
        """Return a policy's contrast by its name; where there is one only, it need not be named.

        Raises
        ------
        BlinasimError
            If there is no such policy, or several and none is named.
        """
        known = {contrast.name: contrast for contrast in self.contrasts}
        if policy is None:
            if len(known) > 1:
                raise BlinasimError(f"which policy? name one of {', '.join(known)}")
            policy = self.contrasts[0].name
        return _named(policy, known, "policy")

    def difference(self, measure: str, policy: str | None = None, luck: LuckName = "shared") -> Difference:
        """Return a policy's paired difference from the reference.

        Parameters
        ----------
        measure : str
            Id of a measure, for example ``"os_24_months"``.
        policy : str, optional
            Name of the policy; where there is one only, it need not be named.
        luck : {"shared", "independent"}
            Whether both lives of a patient share their luck, or only until the clinic has decided.

        Returns
        -------
        Difference
            Its figures are in the measure's unit.

        Raises
        ------
        BlinasimError
            If there is no such measure in the comparison, or no such policy.
        """
        contrast = self.contrast(policy)
        asked = _named(measure, {each.id: each for each in self.measures}, "measure")
        values = self.arm(contrast.name).values if luck == "shared" else contrast.values_again
        return Difference.of(
            asked, self.reference.values[measure], values[measure], paired_trials=self.parameters.varies
        )

    def differences(self, policy: str | None = None, luck: LuckName = "shared") -> list[Difference]:
        """Return the differences of a policy in all measures, in the order of the table; see :meth:`difference`."""
        return [self.difference(measure.id, policy, luck) for measure in self.measures]


def _named(name: str, known: Mapping[str, Thing], what: str) -> Thing:
    if name not in known:
        raise BlinasimError(f"no {what} {quoted(name)}{nearest(name, known)} (there are {', '.join(known)})")
    return known[name]


def compare(
    scenarios: Mapping[str, Scenario],
    *,
    parameters: ParameterSource | None = None,
    replications: int | None = None,
    seed: int | None = None,
    engine: EngineName = "auto",
    executor: Executor | None = None,
    progress: Callable[[int], None] | None = None,
    chunk: int | None = None,
) -> Comparison:
    """Let the same patients live several scenarios with the same luck, and compare them trial by trial.

    Each policy is also lived with independent luck for everything drawn for the time after the decision
    (:data:`blinasim.luck.AFTER_THE_DECISION`): this leaves the means of the differences, and alters who gains.

    Parameters
    ----------
    scenarios : dict of str to Scenario
        By name; the first is the reference. All have as many patients.
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

    Returns
    -------
    Comparison
        Values of every trial under each scenario, and the contrasts with the reference.

    Raises
    ------
    ScenarioError
        If there are fewer than two scenarios, or their numbers of patients differ.
    WorkerError
        If those who do the work keep dying.
    """
    parameters = parameters or load_parameters()
    asked = under_one_study(scenarios, replications, seed)
    reference = next(iter(asked.values()))
    measures = measures_of([scenario.capacity for scenario in asked.values()])
    lived = tuple(_Living(scenario, read_cohort(scenario.cohort), engine) for scenario in asked.values())
    engines = [choose(engine, scenario.capacity) for scenario in asked.values()]
    trials = reference.study.replications
    step = chunk or min(usual_chunk(reference.cohort.size), -(-trials // _PIECES))
    blocks = cut(range(trials), step)
    done = []
    for block, one in zip(
        blocks, in_order(partial(_compare_block, lived, parameters, measures), blocks, executor), strict=True
    ):
        done.append(one)
        if progress:
            progress(len(block))
    head_starts = _head_starts(asked, lived, parameters, step, executor, progress)
    return Comparison(
        arms=tuple(
            _arm(name, scenario, walker, [block.lived[index] for block in done])
            for index, ((name, scenario), walker) in enumerate(zip(asked.items(), engines, strict=True))
        ),
        contrasts=tuple(
            _contrast(
                name,
                [block.met[index] for block in done],
                Gain.of(
                    *(np.concatenate([block.lived[arm].survival for block in done]) for arm in (0, index + 1)),
                    paired_trials=parameters.varies,
                ),
                head_starts.get(name, ()),
            )
            for index, name in enumerate(list(asked)[1:])
        ),
        measures=measures,
        parameters=parameters,
    )


def under_one_study(
    scenarios: Mapping[str, Scenario], replications: int | None = None, seed: int | None = None
) -> dict[str, Scenario]:
    """Give all scenarios the same trials and luck: those asked for, or those of the first; errors as `compare`."""
    if len(scenarios) < 2:
        raise ScenarioError("a comparison needs a reference and at least one other scenario; name two or more")
    first, reference = next(iter(scenarios.items()))
    study = reference.with_study(replications, seed).study
    for name, scenario in scenarios.items():
        if scenario.cohort.size != reference.cohort.size:
            raise ScenarioError(
                f"{first} has {reference.cohort.size:,} patients and {name} {scenario.cohort.size:,}: they cannot be "
                "the same patients; give both one cohort.size"
            )
    return {name: scenario.with_study(study.replications, study.seed) for name, scenario in scenarios.items()}


def trials_to_live(scenarios: Mapping[str, Scenario], parameters: ParameterSource) -> int:
    """Return how many trials a comparison reports as progress; the scenarios are under one study already."""
    study = next(iter(scenarios.values())).study
    trials = study.replications
    grid = _grid(_share_in_use(parameters, trials, study.seed)) if _searching_otherwise(scenarios) else ()
    return trials + len(grid) * _head_start_trials(trials)


# --- living -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Living:
    """A scenario, its cohort's file as read before, and who walks."""

    scenario: Scenario
    source: CohortSource | None
    engine: EngineName

    def truth(self, parameters: ParameterSource, luck: Luck, block: range) -> Truth:
        """Let some trials be lived."""
        stays: list[Stays] = []
        draws = Draws(luck, block, self.scenario.cohort.size)
        batch = live(self.scenario, parameters, draws, engine=self.engine, source=self.source, stays=stays)
        return Truth.of(self.scenario, batch, stays)


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
    """What some trials give when a policy meets the reference."""

    touched: Touched
    flows: Counts
    flows_again: Counts
    values_again: dict[str, Floats]


@dataclass(frozen=True)
class _Block:
    """What some trials give: under each scenario, and for each of the others against the first."""

    lived: tuple[_Lived, ...]
    met: tuple[_Met, ...]


def _compare_block(
    livings: tuple[_Living, ...], parameters: ParameterSource, measures: tuple[Measure, ...], block: range
) -> _Block:
    keep = with_curves(block)
    luck = Luck(livings[0].scenario.study.seed)
    reference = livings[0].truth(parameters, luck, block)
    lived, met = [_Lived.of(reference, measures, keep)], []
    for living in livings[1:]:
        shared = living.truth(parameters, luck, block)
        again = living.truth(parameters, luck.drawn_again(), block)
        lived.append(_Lived.of(shared, measures, keep))
        met.append(
            _Met(
                touched((reference.history, reference.scenario.policy), (shared.history, shared.scenario.policy)),
                flows(reference.history, shared.history),
                flows(reference.history, again.history),
                measured(again, measures),
            )
        )
    return _Block(tuple(lived), tuple(met))


def _arm(name: str, scenario: Scenario, engine: EngineName, parts: list[_Lived]) -> Arm:
    places = counted_places(scenario.capacity)
    return Arm(
        name=name,
        scenario=scenario,
        engine=engine,
        values=_joined(part.values for part in parts),
        curve=Curve(
            np.array(CURVE_DAYS),
            Band.of(np.concatenate([part.survival for part in parts])),
            np.concatenate([part.at_risk for part in parts]).mean(axis=0),
        ),
        queues={
            place: Queue(
                places[place],
                *(
                    Band.of(np.concatenate(counts))
                    for counts in zip(*(part.queues[place] for part in parts), strict=True)
                ),
            )
            for place in parts[0].queues
        },
    )


def _contrast(name: str, parts: list[_Met], survival_gain: Gain, head_start: tuple[HeadStart, ...]) -> Contrast:
    return Contrast(
        name=name,
        touched=reduce(add, (part.touched for part in parts)),
        flows=reduce(add, (part.flows for part in parts)),
        flows_again=reduce(add, (part.flows_again for part in parts)),
        values_again=_joined(part.values_again for part in parts),
        survival_gain=survival_gain,
        head_start=head_start,
    )


def _joined(parts: Iterable[Mapping[str, Floats]]) -> dict[str, Floats]:
    """Join the values of consecutive trials, by measure."""
    columns: dict[str, list[Floats]] = {}
    for part in parts:
        for name, values in part.items():
            columns.setdefault(name, []).append(values)
    return {name: np.concatenate(column) for name, column in columns.items()}


# --- the head start assumed -----------------------------------------------------------------------------


def _searching_otherwise(scenarios: Mapping[str, Scenario]) -> list[str]:
    """Return the names of the scenarios in which the donor search begins otherwise than in the first."""
    first, *others = scenarios.items()
    return [
        name for name, scenario in others if scenario.policy.donor_search.starts != first[1].policy.donor_search.starts
    ]


def _head_start_trials(trials: int) -> int:
    return min(trials, max(_HEAD_START_LEAST, trials // _HEAD_START_PART))


def _share_in_use(parameters: ParameterSource, trials: int, seed: int) -> float:
    """Return the share of searches under way in the trials that repeat the comparison; its mean where it varies."""
    lived = parameters.of(range(_head_start_trials(trials)), seed)
    return float(np.mean(lived.donor_search.under_way_share))


def _grid(in_use: float) -> tuple[float, ...]:
    """Return the shares of searches under way at which the comparison is repeated; the value in use is one of them."""
    return tuple(sorted({*HEAD_START_GRID, in_use}))


def _head_starts(
    asked: Mapping[str, Scenario],
    livings: tuple[_Living, ...],
    parameters: ParameterSource,
    step: int,
    executor: Executor | None,
    progress: Callable[[int], None] | None,
) -> dict[str, tuple[HeadStart, ...]]:
    """Repeat some trials of the policies that search otherwise, over the grid of shares of searches under way."""
    names = _searching_otherwise(asked)
    if not names:
        return {}
    chosen = (livings[0], *(living for name, living in zip(asked, livings, strict=True) if name in names))
    study = chosen[0].scenario.study
    trials = _head_start_trials(study.replications)
    in_use = _share_in_use(parameters, study.replications, study.seed)
    grid, blocks = _grid(in_use), cut(range(trials), step)
    pieces = [(share, block) for share in grid for block in blocks]
    values: dict[float, list[list[dict[str, Floats]]]] = {share: [] for share in grid}
    job = partial(_head_start_block, chosen, parameters)
    for (share, block), done in zip(pieces, in_order(job, pieces, executor), strict=True):
        values[share].append(done)
        if progress:
            progress(len(block))
    found: dict[str, list[HeadStart]] = {name: [] for name in names}
    for share in grid:
        reference, *policies = (_joined(parts) for parts in zip(*values[share], strict=True))
        for name, policy in zip(names, policies, strict=True):
            differences = {
                key: Difference.of(MEASURE[key], reference[key], policy[key], paired_trials=parameters.varies)
                for key in HEAD_START_MEASURES
            }
            found[name].append(HeadStart(share, share == in_use, differences))
    return {name: tuple(points) for name, points in found.items()}


def _head_start_block(
    livings: tuple[_Living, ...], parameters: ParameterSource, piece: tuple[float, range]
) -> list[dict[str, Floats]]:
    share, block = piece
    assumed = Changed(parameters, {_UNDER_WAY_SHARE: share})
    measures = [MEASURE[key] for key in HEAD_START_MEASURES]
    luck = Luck(livings[0].scenario.study.seed)
    return [measured(living.truth(assumed, luck, block), measures) for living in livings]
