"""How much of the error of a trial is spent by a share of its information: spending functions.

Lan and DeMets, Biometrika 1983;70:659-663. Hwang, Shih and DeCani, Stat Med 1990;9:1439-1445.
"""

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from blinasim.statistics.curves import Floats, check_fraction

Spending: TypeAlias = Literal["obrien_fleming", "pocock", "hwang_shih_decani"]


def spent(family: Spending, fraction: ArrayLike, alpha: float, gamma: float = -4.0) -> Floats:
    """Error spent by an information fraction.

    Parameters
    ----------
    family : {"obrien_fleming", "pocock", "hwang_shih_decani"}
        Lan and DeMets' spending functions like O'Brien and Fleming's boundaries and like Pocock's; Hwang, Shih and
        DeCani's family.
    fraction : float or array of float
        Information over the planned maximum; above 1 all is spent.
    alpha : float
        One-sided error in all.
    gamma : float
        Of the Hwang-Shih-DeCani family: -4 is like O'Brien and Fleming, 1 like Pocock, 0 is linear.

    Returns
    -------
    array of float
        Cumulative error, of the shape of `fraction`.

    Raises
    ------
    ValueError
        When alpha is not between 0 and 1, or the family is unknown.
    """
    check_fraction("alpha", alpha)
    t = np.clip(np.asarray(fraction, dtype=np.float64), 0.0, 1.0)
    if family == "obrien_fleming":
        with np.errstate(divide="ignore"):
            return np.asarray(2.0 * ndtr(ndtri(alpha / 2) / np.sqrt(t)))
    if family == "pocock":
        return np.asarray(alpha * np.log1p((np.e - 1.0) * t))
    if family == "hwang_shih_decani":
        return np.asarray(alpha * (t if gamma == 0.0 else np.expm1(-gamma * t) / np.expm1(-gamma)))
    raise ValueError(f"no spending function is called {family!r}")
