"""Precision: the Monte Carlo standard error of an endpoint over the trials, and how many trials an asked one takes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from blinasim.errors import Argument, BlinasimError, Place
from blinasim.files import nearest, quoted, short
from blinasim.statistics import intervals, pairs
from blinasim.trial.endpoints import ENDPOINTS, Estimates

Floats = NDArray[np.float64]
Summary = Literal["median", "mean"]

#: Trials at which to give up where nobody says so.
MOST_TRIALS: Final = 1_000_000
#: Fewer trials judge nothing: their standard error is itself too rough, and may be 0 by chance.
FEWEST_TRIALS: Final = 40
#: With fewer, a standard error of 0 is not believed where trials differ: many agree on a lumpy figure by chance.
LUMPY_TRIALS: Final = 1_000

_UNITS: Final = {endpoint.id: endpoint.unit for endpoint in ENDPOINTS}
_NAMES: Final[dict[str, tuple[str, Summary]]] = {
    **{f"{key}_mean": (key, "mean") for key in _UNITS},
    **{f"{key}_median": (key, "median") for key in _UNITS},
    **{key: (key, "median") for key in _UNITS},
}


def median_mcse(values: Floats, *, paired: bool = False) -> float:
    """Return the Monte Carlo standard error of the median over trials.

    Parameters
    ----------
    values : (R,) array of float
        NaN where a trial has none; inf where it does not reach the quantity.
    paired : bool
        Whether trials come in pairs with the same parameters, and are worth less than as many alone.

    Returns
    -------
    float
        In the unit of the values; NaN of fewer than two.
    """
    return quantile_mcse(values, 0.5, paired=paired)


def quantile_mcse(values: Floats, p: float, *, paired: bool = False) -> float:
    """Return the Monte Carlo standard error of a quantile over trials.

    Parameters
    ----------
    values : (R,) array of float
        NaN where a trial has none.
    p : float
        Probability of the quantile.
    paired : bool
        Whether trials come in pairs with the same parameters.

    Returns
    -------
    float
        In the unit of the values; NaN of fewer than two.
    """
    there = ~np.isnan(values)
    known = values[there]
    if known.size < 2:
        return math.nan
    error = intervals.quantile_mcse(known, p)
    return error * pairs.inflation(values <= intervals.quantile(known, p), there) if paired else error


def mean_and_mcse(values: Floats, *, paired: bool = False) -> tuple[float, float]:
    """Return the mean over trials, and its standard error.

    Parameters
    ----------
    values : (R,) array of float
        NaN where a trial has none.
    paired : bool
        Whether trials come in pairs with the same parameters.

    Returns
    -------
    mean, mcse : float
        In the unit of the values; NaN when one is infinite.
    """
    known = values[~np.isnan(values)]
    if not known.size or np.isinf(known).any():
        return math.nan, math.nan
    return float(known.mean()), pairs.mean_mcse(values) if paired else intervals.mean_mcse(known)


@dataclass(frozen=True)
class Precision:
    """A Monte Carlo standard error that is wanted.

    Attributes
    ----------
    endpoint : str
        Id of an endpoint.
    of : {"median", "mean"}
        Over the trials.
    at_most : float
        The standard error, in the endpoint's unit.
    """

    endpoint: str
    of: Summary
    at_most: float

    @classmethod
    def named(cls, name: str, at_most: float, place: Place | Argument | None = None) -> Precision:
        """Return what ``os``, ``os_median`` or ``os_mean`` means.

        Parameters
        ----------
        name : str
            An endpoint's id, and of what over the trials: their median if nothing is said.
        at_most : float
            The standard error wanted, in the endpoint's unit.
        place : Place, optional
            Where that was said.

        Returns
        -------
        Precision

        Raises
        ------
        BlinasimError
            If there is no such endpoint, or the value is not positive and finite.
        """
        place = place or Argument("precision", said=short(name))
        if name not in _NAMES:
            raise BlinasimError(
                f"no such endpoint{nearest(name, _NAMES)} (an endpoint of summary.json, or that and _mean)", place
            )
        if not isinstance(at_most, Real):
            raise BlinasimError(f"{short(repr(at_most))} should be a number", place)
        if not (at_most > 0.0 and math.isfinite(at_most)):
            raise BlinasimError(f"{at_most:g} should be a standard error above 0", place)
        return cls(*_NAMES[name], at_most)

    @classmethod
    def parse(cls, text: str) -> Precision:
        """Read ``ENDPOINT=VALUE``, as the command line has it.

        Raises
        ------
        BlinasimError
            If it is not written so; else as :meth:`named`.
        """
        place = Argument("precision", said=short(text))
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise BlinasimError("a precision is written ENDPOINT=VALUE, such as os=0.05", place)
        try:
            at_most = float(value)
        except ValueError:
            raise BlinasimError(f"{quoted(value)} is not a number", place) from None
        return cls.named(name.strip(), at_most, place)

    def error(self, values: Floats, *, paired: bool = False) -> float:
        """Return the standard error reached, NaN or inf where it does not exist."""
        if self.of == "median":
            return median_mcse(values, paired=paired)
        return mean_and_mcse(values, paired=paired)[1]

    def reached(self, values: Floats, *, paired: bool = False) -> bool:
        """Whether the trials give the standard error that is wanted."""
        error = self.error(values, paired=paired)
        known = values[~np.isnan(values)]
        lucky = error == 0.0 and known.size < LUMPY_TRIALS and bool(np.any(known != known[0]))
        return values.size >= FEWEST_TRIALS and error <= self.at_most and not lucky

    def is_out_of_reach(self, values: Floats) -> bool:
        """Whether no number of further trials can help: a mean that is infinite stays so."""
        return self.of == "mean" and bool(np.isinf(values).any())

    def shortfall(self, values: Floats, *, paired: bool = False) -> str | None:
        """Say in one line that the standard error is not reached; None where it is."""
        if self.reached(values, paired=paired):
            return None
        asked = f"precision {self.endpoint}_{self.of}={self.at_most:g} not reached after {values.size:,} trials"
        if self.is_out_of_reach(values):
            return f"{asked}: some do not reach the quantity, and the mean is infinite; ask for {self.endpoint}_median"
        error = self.error(values, paired=paired)
        if not math.isfinite(error):
            return f"{asked}: too few of them have a value; ask for another endpoint"
        unit = _UNITS[self.endpoint]
        return f"{asked}: the standard error is {error:.3g} ({unit}); allow more trials, or a larger error"


def stages(first: int, precision: Sequence[Precision], most: int | None) -> Iterator[int]:
    """Yield the numbers of trials at which a study looks whether it may end.

    Without a precision that is the scenario's own number; else its doubles up to ``most``, in order: fixed beforehand,
    so that the answer depends on neither time nor workers.

    Parameters
    ----------
    first : int
        The scenario's own number.
    precision : sequence of Precision
        What is wanted.
    most : int or None
        Trials at which to give up; None: ``MOST_TRIALS``, or the scenario's own number if that is more.

    Yields
    ------
    int
    """
    if not precision:
        yield first
        return
    most = max(first, MOST_TRIALS) if most is None else most
    total = min(first, most)
    yield total
    while total < most:
        total = min(2 * total, most)
        yield total


def settled(precision: Sequence[Precision], estimates: Mapping[str, Estimates], *, paired: bool = False) -> bool:
    """Whether each precision is reached, or one of them cannot be; ``paired`` as for :func:`median_mcse`."""
    values = [(each, estimates[each.endpoint].value) for each in precision]
    reached = all(each.reached(of, paired=paired) for each, of in values)
    return reached or any(each.is_out_of_reach(of) for each, of in values)


def shortfalls(
    precision: Sequence[Precision], estimates: Mapping[str, Estimates], *, paired: bool = False
) -> list[str]:
    """Return a line for each precision that is not reached; ``paired`` as for :func:`median_mcse`."""
    lines = (each.shortfall(estimates[each.endpoint].value, paired=paired) for each in precision)
    return [line for line in lines if line]
