"""Calibrate: from priors and published figures to a posterior."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logsumexp

from blinasim.files import digest
from blinasim.inference.closed_form import BetaPosterior
from blinasim.inference.keeping import Kept
from blinasim.inference.leave_one_out import leave_one_out
from blinasim.inference.likelihood import (
    LEAST_REPLICATIONS,
    Examined,
    Problem,
    examine,
    expectations,
    information,
    log_likelihoods,
)
from blinasim.inference.posterior import LOG_LIKELIHOOD, WEIGHT, Posterior, as_written, independent_uniforms
from blinasim.inference.priors import Priors, drawn, sampled
from blinasim.inference.regression import Typical
from blinasim.inference.sampler import Effort, State, sample
from blinasim.inference.study import Ensemble, Observed
from blinasim.inference.targets import load_targets, published_binomials, published_margins
from blinasim.luck import Luck
from blinasim.model.catalogue import ParameterInfo, parameter_catalogue
from blinasim.model.parameters import Structure, parameters_of
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.settings import Scenario
from blinasim.statistics.pareto import smoothed
from blinasim.study.chunks import number_versions
from blinasim.study.executors import in_order

Floats = NDArray[np.float64]
#: What a worker does with some parameter values on some replications.
Job = Callable[[tuple[Floats, range]], Floats]

#: Replications of the final re-weighting lie far from those of the sampler's sweeps.
_FINAL_BLOCK: Final = 1_000_000_000
#: The point values are simulated so often to know how survival depends on counts; the same luck for every calibration.
_TYPICAL_REPLICATIONS, _TYPICAL_SEED = 1_500, 0
#: Prior standard deviations by which parameters are moved to see what changes.
_DIFFERENCE: Final = 0.5


@dataclass(frozen=True)
class Conduct:
    """How a calibration is done.

    Attributes
    ----------
    effort : Effort
        Of the sampler.
    replications, coarse_replications, final_replications, difference_replications : int
        Of the study, for each evaluation of the likelihood; while its power is low; for the final re-weighting; and to
        see beforehand what each parameter changes.
    piece : int
        Parameter values that a worker evaluates at a time.
    """

    effort: Effort
    replications: int
    coarse_replications: int
    final_replications: int
    difference_replications: int
    piece: int = 25

    def __post_init__(self) -> None:
        least = min(self.replications, self.coarse_replications, self.final_replications, self.difference_replications)
        if least < LEAST_REPLICATIONS:
            raise ValueError(f"{least} replications are too few to regress on; take at least {LEAST_REPLICATIONS}")


FULL: Final = Conduct(Effort(particles=1000, moves=6, final_sweeps=16, kept_sweeps=4), 200, 60, 1000, 500)
QUICK: Final = Conduct(
    Effort(particles=500, moves=5, final_sweeps=8, kept_sweeps=4, least_ess=0.4, coarse_up_to=0.2), 50, 20, 150, 150
)


@dataclass(frozen=True)
class Progress:
    """How far a calibration is: the power of the likelihood reached, sweeps and evaluations done.

    Attributes
    ----------
    phase : str
        ``preparing``, ``sampling`` or ``re-weighting``.
    power : float
        Of the likelihood, from 0 (the priors) to 1 (the posterior).
    sweeps, evaluations : int
        How many were done; an evaluation is of one value of the parameters.
    """

    phase: str
    power: float
    sweeps: int
    evaluations: int


def calibrate(
    *,
    conduct: Conduct = FULL,
    seed: int = 1,
    structure: Structure | None = None,
    scenario: Scenario | None = None,
    observed: Observed | None = None,
    only: tuple[str, ...] | None = None,
    executor: Executor | None = None,
    progress: Callable[[Progress], None] | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    remark: Callable[[str], None] | None = None,
) -> Posterior:
    """Calibrate the parameters to the published figures.

    Parameters
    ----------
    conduct : Conduct
        How hard; ``FULL`` or ``QUICK``.
    seed : int
        Of all luck. The posterior depends on it, and not on who does the work.
    structure : Structure, optional
        Distributions of relapse, and of survival after failure; the usual ones by default.
    scenario : Scenario, optional
        The study's conduct; the shipped baseline by default.
    observed : Observed, optional
        The figures; those of ``calibration/targets.yaml`` by default. (Parameters that have closed forms learn from
        the published figures in any case.)
    only : tuple of str, optional
        Sample only these parameters, the others staying at their point values; all that the figures touch by default.
    executor : concurrent.futures.Executor, optional
        Who does the work; this process by default.
    progress : callable, optional
        Called after each sweep.
    checkpoint : Path, optional
        A file in which the sampler's state is kept while it runs.
    resume : bool
        Go on from that file, if it is there.
    remark : callable, optional
        Told what becomes of what the file keeps; arguments stand in braces.

    Returns
    -------
    Posterior
        Weighted draws of all parameters, log evidence and the sampler's health.

    Raises
    ------
    ParameterError
        If a parameter cannot be calibrated.
    OutputError
        If there is a state of another calibration to resume.
    WorkerError
        If those who do the work keep dying.
    """
    problem, closed = problem_of(seed, structure or Structure(), scenario, observed, only)
    kept = Kept(checkpoint, _identity(problem, conduct), resume=resume) if checkpoint else None
    if kept and remark:
        for line in kept.remarks():
            remark(line)
    evaluate = _Evaluator(problem, conduct, executor, progress)
    began = kept.read() if kept else None
    state = sample(
        evaluate,
        len(problem.priors),
        conduct.effort,
        seed,
        information=_information(problem, conduct, evaluate),
        state=began,
        keep=partial(_note, kept, evaluate),
    )
    return _weighted(problem, closed, conduct, state, evaluate)


def problem_of(
    seed: int,
    structure: Structure,
    scenario: Scenario | None = None,
    observed: Observed | None = None,
    only: tuple[str, ...] | None = None,
) -> tuple[Problem, dict[str, BetaPosterior]]:
    """Return what is sampled against what, and the closed-form posteriors of what need not be.

    Parameters
    ----------
    seed, structure, scenario, observed, only
        As for :func:`calibrate`.

    Returns
    -------
    problem : Problem
        With how survival depends on counts at the point values.
    closed : dict of str to BetaPosterior
        By dotted name of the parameter.

    Raises
    ------
    ParameterError
        If a parameter of ``only`` cannot be calibrated.
    """
    catalogue, targets = parameter_catalogue(), load_targets()
    binomials = published_binomials(targets)
    priors = Priors.of(catalogue, sampled(catalogue, list(binomials), structure) if only is None else only)
    problem = Problem(
        scenario=scenario or load_scenario("baseline"),
        observed=observed or Observed.published(targets),
        margins=published_margins(targets),
        priors=priors,
        fixed={name: info.value for name, info in catalogue.items() if name not in priors.names},
        structure=structure,
        seed=seed,
    )
    luck = Luck(_TYPICAL_SEED)
    at_the_point = parameters_of({name: info.value for name, info in catalogue.items()}, structure)
    studies = Ensemble(problem.scenario, problem.margins, luck, range(_TYPICAL_REPLICATIONS)).reports(at_the_point)
    problem = replace(problem, typical=Typical.of(studies, problem.observed))
    closed = {
        name: BetaPosterior.of(catalogue[name].prior, *counted)
        for name, counted in binomials.items()
        if name not in priors.names
    }
    return problem, closed


class _Evaluator:
    """The likelihood as the sampler asks for it, cut into pieces for the workers."""

    def __init__(
        self,
        problem: Problem,
        conduct: Conduct,
        executor: Executor | None,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._job = partial(log_likelihoods, problem)
        self._conduct, self._executor, self._progress = conduct, executor, progress
        self._evaluations, self.power = 0, 0.0

    def __call__(self, z: Floats, sweep: int, *, coarse: bool) -> Floats:
        conduct = self._conduct
        first = sweep * conduct.replications
        count = conduct.coarse_replications if coarse else conduct.replications
        return self.on("sampling", z, range(first, first + count), sweep)

    def on(self, phase: str, z: Floats, block: range, sweep: int, job: Job | None = None) -> Floats:
        """Evaluate points on some replications: their likelihood, or another job."""
        step = self._conduct.piece
        pieces = [(z[first : first + step], block) for first in range(0, z.shape[0], step)]
        found = []
        for done in in_order(job or self._job, pieces, self._executor):
            found.append(done)
            self._evaluations += len(done)
            if self._progress:
                self._progress(Progress(phase, self.power, sweep, self._evaluations))
        return np.concatenate(found)


def _information(problem: Problem, conduct: Conduct, evaluate: _Evaluator) -> Floats:
    """Return the information of the figures about the sampled parameters at their point values, by differences."""
    catalogue, priors = parameter_catalogue(), problem.priors
    centre = priors.normal_scores(np.array([[catalogue[name].value for name in priors.names]]))
    steps = _DIFFERENCE * np.eye(len(priors))
    points = np.concatenate([centre, centre + steps, centre - steps])
    block = range(_FINAL_BLOCK, _FINAL_BLOCK + conduct.difference_replications)
    expected = evaluate.on("preparing", points, block, 0, partial(expectations, problem))
    above, below = np.split(expected[1:], 2)
    return information(problem, expected[0], (above - below) / (2.0 * _DIFFERENCE))


def _note(kept: Kept | None, evaluate: _Evaluator, state: State) -> None:
    evaluate.power = state.power
    if kept:
        kept.write(state)


def _weighted(
    problem: Problem, closed: Mapping[str, BetaPosterior], conduct: Conduct, state: State, evaluate: _Evaluator
) -> Posterior:
    """Re-weight the draws by a better likelihood, and add the parameters that were not sampled."""
    z = np.concatenate([points for points, _ in state.kept])
    stored = np.concatenate([found for _, found in state.kept])
    evaluate.power = state.power
    block = range(_FINAL_BLOCK, _FINAL_BLOCK + conduct.final_replications)
    examined = Examined.of(evaluate.on("re-weighting", z, block, state.sweep, partial(examine, problem)))
    found = examined.log_likelihood(problem.observed)
    log_ratio = found - stored
    log_weights, k = smoothed(log_ratio)
    columns = {WEIGHT: np.exp(log_weights), LOG_LIKELIHOOD: found}
    values = dict(zip(problem.priors.names, problem.priors.values(z).T, strict=True))
    for name, info in parameter_catalogue().items():
        columns[name] = values[name] if name in values else _unsampled(name, info, closed, z.shape[0], problem.seed)
    evidence = state.log_evidence + float(logsumexp(log_ratio)) - np.log(log_ratio.size)
    return Posterior(
        draws=as_written(pd.DataFrame(columns)),
        structure=problem.structure,
        log_evidence=evidence + sum(beta.log_evidence for beta in closed.values()),
        pareto_k=k,
        stages=state.stages,
        left_out=leave_one_out(examined, problem.observed, columns[WEIGHT], z, problem.priors.names),
        about={**_identity(problem, conduct), "seed": problem.seed, "conduct": asdict(conduct), "sweeps": state.sweep},
    )


def _unsampled(name: str, info: ParameterInfo, closed: Mapping[str, BetaPosterior], draws: int, seed: int) -> Floats:
    """Draw a parameter from its closed-form posterior or, where the figures do not touch it, from its prior."""
    uniform = independent_uniforms(name, draws, seed)
    if name in closed:
        return closed[name].quantile(uniform)
    return drawn(info, uniform)


def _identity(problem: Problem, conduct: Conduct) -> dict[str, str]:
    """Return what the sampler's state depends on."""
    observed = problem.observed
    return {
        "scenario": digest(problem.scenario.model_dump(mode="json")),
        "figures": digest([dict(observed.counts), observed.lower.tolist(), observed.upper.tolist()]),
        "priors": digest([problem.priors.names, [prior.model_dump() for prior in problem.priors.priors]]),
        "fixed parameters": digest(dict(problem.fixed)),
        "structure": json.dumps(asdict(problem.structure)),
        "conduct": digest(asdict(conduct)),
        "seed": str(problem.seed),
        **number_versions(),
    }
