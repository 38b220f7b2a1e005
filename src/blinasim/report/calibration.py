"""What a calibration has learnt, as tables and in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from blinasim.inference.diagnostics import LEAST_CONTRACTION, Correlation, Learnt, correlations, learnt
from blinasim.inference.leave_one_out import LeftOut
from blinasim.inference.posterior import Posterior
from blinasim.inference.predictive import Validation
from blinasim.inference.study import SUMMARIES
from blinasim.model.catalogue import parameter_catalogue
from blinasim.report.rows import full_labels
from blinasim.report.table import Table
from blinasim.report.words import three_digits

if TYPE_CHECKING:
    import pandas as pd

#: Weights whose Pareto k is above this are not to be trusted.
TRUSTED: Final = 0.7
#: A mean whose standard error is larger, in posterior standard deviations, is not known well.
WELL_KNOWN: Final = 0.1
#: A figure with a smaller tail area given all the others disagrees with them.
DISAGREES: Final = 0.05


@dataclass(frozen=True, eq=False)
class Calibration:
    """A posterior, what it has learnt, and the published figures predicted before and after."""

    posterior: Posterior
    learnt: tuple[Learnt, ...]
    correlations: tuple[Correlation, ...]
    before: Validation
    after: Validation

    @classmethod
    def of(cls, posterior: Posterior, before: Validation, after: Validation) -> Calibration:
        """Diagnose a posterior."""
        return cls(posterior, learnt(posterior), correlations(posterior), before, after)


def sentences(found: Calibration) -> Iterator[str]:
    """Say what the calibration comes to, a line each."""
    posterior = found.posterior
    last = posterior.stages[-1]
    trust = "" if posterior.pareto_k < TRUSTED else f"; above {TRUSTED} the weights are not to be trusted"
    yield (
        f"{len(posterior.draws):,} draws worth {posterior.ess:,.0f} by their weights · "
        f"log evidence {posterior.log_evidence:.2f} · Pareto k {posterior.pareto_k:.2f}{trust}"
    )
    yield (
        f"{len(posterior.stages)} powers · at the last {last.acceptance:.0%} of moves accepted, "
        f"{last.unique} different particles"
    )
    informed = [one for one in found.learnt if one.is_informed]
    if informed:
        worst = max(informed, key=lambda one: one.mcse)
        yield (
            f"Contraction above {LEAST_CONTRACTION} in {len(informed)} of {len(found.learnt)} parameters; "
            f"of these the mean of {worst.name} is known least: worth {worst.ess:,.0f} draws, standard error "
            f"{worst.mcse:.2f} of its posterior standard deviation{' (!)' * (worst.mcse > WELL_KNOWN)}"
        )
    surprising = [one for one in posterior.left_out if one.tail < DISAGREES]
    if posterior.left_out:
        named = ": " + ", ".join(f"{label(one)} ({one.tail:.3f})" for one in surprising) if surprising else ""
        yield (
            f"Left out one at a time, {len(surprising) or 'none'} of {len(posterior.left_out)} figures "
            f"have a tail area under {DISAGREES} given the others{named}"
        )


def label(figure: LeftOut) -> str:
    """Return what a figure is, of whom."""
    if figure.figure in SUMMARIES:
        return full_labels()[figure.figure]
    return f"{figure.figure} ({figure.among})"


def learnt_table(found: Calibration) -> Table:
    """Return the table of the parameters about which the figures have said something, by how much."""
    informed = sorted((one for one in found.learnt if one.is_informed), key=lambda one: -one.contraction)
    catalogue = parameter_catalogue()
    lines = tuple(
        (
            one.name,
            catalogue[one.name].unit,
            "{} ({} to {})".format(*map(three_digits, (one.prior_median, one.prior_lower, one.prior_upper))),
            "{} ({} to {})".format(*map(three_digits, (one.median, one.lower, one.upper))),
            f"{one.contraction:.2f}",
            f"{one.z_score:+.1f}",
        )
        for one in informed
    )
    titles = ("parameter", "unit", "prior", "posterior", "contraction", "moved")
    return Table(titles, lines, f"Parameters with a contraction above {LEAST_CONTRACTION} (all: parameters.csv)")


def learnt_frame(found: Calibration) -> pd.DataFrame:
    """Return what was learnt of each parameter: a row a parameter, in its unit."""
    import pandas as pd

    catalogue = parameter_catalogue()
    return pd.DataFrame(
        [{**asdict(one), "unit": catalogue[one.name].unit, "grade": catalogue[one.name].grade} for one in found.learnt]
    )


def correlations_frame(found: Calibration) -> pd.DataFrame:
    """Return the pairs of parameters that the figures have tied to each other, strongest first."""
    import pandas as pd

    return pd.DataFrame([asdict(pair) for pair in found.correlations], columns=["first", "second", "correlation"])


def left_out_frame(posterior: Posterior) -> pd.DataFrame:
    """Return each fitted figure against what all others say of it."""
    import pandas as pd

    return pd.DataFrame([{"label": label(one), **asdict(one)} for one in posterior.left_out])


def stages_frame(posterior: Posterior) -> pd.DataFrame:
    """Return the health of the sampler: a row a power of the likelihood."""
    import pandas as pd

    return pd.DataFrame([asdict(stage) for stage in posterior.stages])
