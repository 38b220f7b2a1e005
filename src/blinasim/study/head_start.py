"""The head start assumed: what a gain from searching otherwise is worth where other searches were under way anyway.

No figure is published on searches under way at enrolment, nor on their head start. Trials are lived again under other
values of both; each is a world that realizes another share of transplants than the source study did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from functools import partial
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from blinasim.luck import Luck
from blinasim.model.parameters import Changed, ParameterSource
from blinasim.study.chunks import cut
from blinasim.study.comparison import HeadStart
from blinasim.study.contrasts import Difference
from blinasim.study.executors import done
from blinasim.study.living import Living, joined
from blinasim.study.measures import MEASURE, measured

Floats = NDArray[np.float64]

HEAD_START_MEASURES: Final = ("realization", "rmst_24_months")
#: Shares of searches under way at enrolment; one about as large as the value in use gives way to it.
SHARES: Final = (0.0, 0.2, 0.4, 0.6, 0.8)
_ABOUT: Final = 0.05
#: Median head starts, as multiples of the value in use.
MEDIANS: Final = (0.5, 2.0)
#: A world takes so small a part of the trials, but for small studies.
_PART: Final = 5
_LEAST: Final = 20


class Assumed(NamedTuple):
    """The parameters of the head start, in the order of their names here.

    Attributes
    ----------
    under_way_share : float
        Share of patients whose search was under way at enrolment.
    median_days : float
        Median head start of those.
    """

    under_way_share: float
    median_days: float

    def changes(self, parameters: ParameterSource) -> ParameterSource:
        """Return the parameters with these in their places, the same in all trials, and all else as it is."""
        return Changed(
            parameters,
            {
                "donor_search.under_way_share": self.under_way_share,
                "donor_search.head_start_median_days": self.median_days,
            },
        )


def assumed_in_use(parameters: ParameterSource, trials: int, seed: int) -> Assumed:
    """Return what the parameters say: the mean over the first ``trials``, where they differ."""
    search = parameters.of(range(trials), seed).donor_search
    return Assumed(float(np.mean(search.under_way_share)), float(np.mean(search.head_start_median_days)))


def worlds(in_use: Assumed) -> tuple[Assumed, ...]:
    """Return the assumptions under which trials are lived again: other shares, those in use, other medians."""
    others = {share for share in SHARES if abs(share - in_use.under_way_share) >= _ABOUT}
    shares = [in_use._replace(under_way_share=share) for share in sorted({*others, in_use.under_way_share})]
    return (*shares, *(in_use._replace(median_days=times * in_use.median_days) for times in MEDIANS))


def searching_otherwise(arms: Mapping[str, Living]) -> list[str]:
    """Return the names of those that seek donors otherwise than the first."""
    (_, reference), *others = arms.items()
    usual = reference.scenario.policy.donor_search
    return [
        name
        for name, arm in others
        if arm.scenario.policy.donor_search != usual or arm.answers("searches", "accept_from_day")
    ]


def head_start_trials(arms: Mapping[str, Living], parameters: ParameterSource) -> int:
    """Return how many trials :func:`head_starts` lives and reports as progress."""
    return len(worlds(_in_use(arms, parameters))) * _trials(arms) if searching_otherwise(arms) else 0


def _trials(arms: Mapping[str, Living]) -> int:
    """Return the trials of each world, the first ones of the comparison."""
    trials = next(iter(arms.values())).scenario.study.replications
    return min(trials, max(_LEAST, trials // _PART))


def _in_use(arms: Mapping[str, Living], parameters: ParameterSource) -> Assumed:
    return assumed_in_use(parameters, _trials(arms), next(iter(arms.values())).scenario.study.seed)


def head_starts(
    arms: Mapping[str, Living],
    parameters: ParameterSource,
    step: int,
    executor: Executor | None,
    progress: Callable[[int], None] | None,
) -> dict[str, tuple[HeadStart, ...]]:
    """Live some trials of those that seek donors otherwise, and of the first, under other assumptions on head starts.

    Parameters
    ----------
    arms : dict of str to Living
        By name; the first is the reference.
    parameters : ParameterSource
        All other values of nature.
    step : int
        Trials done at a time.
    executor, progress
        As for :func:`blinasim.study.compare.compare`.

    Returns
    -------
    dict of str to tuple of HeadStart
        By name, in the order of :func:`worlds`; empty where nobody seeks donors otherwise.
    """
    names = searching_otherwise(arms)
    if not names:
        return {}
    chosen = (next(iter(arms.values())), *(arms[name] for name in names))
    in_use = _in_use(arms, parameters)
    every = worlds(in_use)
    pieces = [(assumed, block) for assumed in every for block in cut(range(_trials(arms)), step)]
    values: dict[Assumed, list[list[dict[str, Floats]]]] = {assumed: [] for assumed in every}
    job = partial(_live_block, chosen, parameters)
    lived = done(job, pieces, executor, progress, trials=lambda piece: len(piece[1]))
    for (assumed, _), one in zip(pieces, lived, strict=True):
        values[assumed].append(one)
    found: dict[str, list[HeadStart]] = {name: [] for name in names}
    for assumed in every:
        reference, *policies = (joined(parts) for parts in zip(*values[assumed], strict=True))
        for name, policy in zip(names, policies, strict=True):
            differences = {
                key: Difference.of(MEASURE[key], reference[key], policy[key], paired_trials=parameters.varies)
                for key in HEAD_START_MEASURES
            }
            found[name].append(HeadStart(*assumed, assumed == in_use, differences))
    return {name: tuple(points) for name, points in found.items()}


def _live_block(
    livings: tuple[Living, ...], parameters: ParameterSource, piece: tuple[Assumed, range]
) -> list[dict[str, Floats]]:
    assumed, block = piece
    changed = assumed.changes(parameters)
    measures = [MEASURE[key] for key in HEAD_START_MEASURES]
    luck = Luck(livings[0].scenario.study.seed)
    return [measured(living.truth(changed, luck, block), measures) for living in livings]
