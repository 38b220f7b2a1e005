"""``docs/calibration_targets.md``: what the calibration learns from and believed before, from the data files."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from blinasim.inference.priors import UNTOUCHED, Priors
from blinasim.inference.study import TERMS
from blinasim.inference.targets import Target, load_targets, published_binomials, published_cells
from blinasim.model.catalogue import ParameterInfo, parameter_catalogue
from blinasim.model.parameters import ONLY_UNDER
from blinasim.statistics.curves import normal_quantile

Floats = NDArray[np.float64]

#: Standard normal numbers of the limits of a 95 % interval.
_LIMITS: Final = normal_quantile(0.95)

_INTRODUCTION = """# Targets and priors of the calibration

Generated from [`calibration/targets.yaml`](../calibration/targets.yaml) and
[`calibration/parameters.yaml`](../calibration/parameters.yaml) by `docs/refresh.py`; a test holds it against them.

## Published figures

**fit**: its likelihood is part of the posterior. **follows**: a total or complement of fitted cells. **held_out**:
never seen by the calibration. **input**: goes into the simulation as it stands. Months are 30.4375 days; values are
rounded to the unit shown, and the likelihood integrates over the rounding.
"""

_CHAIN = """
## The counts of the fit

By the chain rule, so that each patient is used once for each thing that was published about them. A term is a
multinomial with the probabilities of all simulated patients; what the published cells force is worked out (of the six
later transplants, two were those of patients with a prior HSCT).
"""

_CLOSED = """
## Parameters with closed-form posteriors

Each is the probability of a published count and touches nothing else; its beta prior is updated exactly, outside the
sampler.
"""

_PRIORS = """
## Priors

What is fitted is no part of a prior. The last column says what the calibration does with a parameter: `sampled`,
`closed form`, or `prior` where nothing published can touch it (it acts only under policies of the user, after the
follow-up of the study, or on what was not reported). Reasons and sources stand in the file.
"""


def calibration_document() -> str:
    """Return the document, as Markdown."""
    targets, catalogue = load_targets(), parameter_catalogue()
    parts = [
        _INTRODUCTION,
        _table(
            ("id", "statistic", "population", "estimator", "published", "rounding", "use", "source", "note"),
            [_target(name, target) for name, target in targets.items()],
        ),
        _CHAIN,
        _table(("among", "cells", "counts"), _terms(targets)),
        _CLOSED,
        _table(
            ("parameter", "count", "prior"),
            [
                (f"`{name}`", f"{count} of {among}", str(catalogue[name].prior))
                for name, (count, among) in published_binomials(targets).items()
            ],
        ),
        _PRIORS,
        _table(
            ("parameter", "unit", "point", "prior", "95 % of the prior", "grade", "calibration"),
            [_parameter(name, info) for name, info in catalogue.items()],
        ),
    ]
    return "\n".join(parts)


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines) + "\n"


def _target(name: str, target: Target) -> tuple[str, ...]:
    if target.count is not None:
        published = f"{target.count}/{target.denominator}"
    else:
        published = f"{target.value:g}"
        for what, limits in (("", target.interval), ("range ", target.range)):
            published += f" ({what}{limits[0]:g}-{limits[1]:g})" if limits else ""
        published += f" of {target.denominator}" if target.denominator else ""
    rounding = "exact" if target.rounding is None else f"{target.rounding:g}"
    return (
        f"`{name}`", target.statistic, target.population, target.estimator, published, rounding, target.use,
        target.source, target.note,
    )  # fmt: skip


def _terms(targets: dict[str, Target]) -> list[tuple[str, ...]]:
    cells = published_cells(targets)
    return [(term.among, ", ".join(term.cells), ", ".join(map(str, cells[term.name]))) for term in TERMS]


def _parameter(name: str, info: ParameterInfo) -> tuple[str, ...]:
    fixed = info.prior.distribution == "fixed"
    limits = [] if fixed else [float(Priors((name,), (info.prior,)).values(_column(z))[0, 0]) for z in (-1, 1)]
    return (
        f"`{name}`", info.unit, f"{info.value:g}", str(info.prior), " to ".join(f"{limit:.3g}" for limit in limits),
        info.grade, "fixed" if fixed else _treatment(name),
    )  # fmt: skip


def _column(sign: int) -> Floats:
    return np.array([[sign * _LIMITS]])


def _treatment(name: str) -> str:
    if name in UNTOUCHED:
        return "prior"
    if name in published_binomials(load_targets()):
        return "closed form"
    only = ONLY_UNDER.get(name)
    return f"sampled, if survival after failure is {only}" if only else "sampled"
