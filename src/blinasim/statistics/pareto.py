"""Pareto-smoothed importance sampling: weights that can be trusted, and a number that says whether they can.

Vehtari, Simpson, Gelman, Yao and Gabry, J Mach Learn Res 2024;25(72):1-58.
"""

import numpy as np
from scipy.special import logsumexp

from blinasim.statistics.curves import Floats


def smoothed(log_weights: Floats) -> tuple[Floats, float]:
    """Replace the largest importance weights by the quantiles of a generalised Pareto distribution fitted to them.

    Parameters
    ----------
    log_weights : (S,) array of float
        Log importance weights, up to a constant.

    Returns
    -------
    log_weights : (S,) array of float
        Smoothed, their exponentials adding up to 1.
    k : float
        Shape of the fitted tail: below 0.5 the weights are good, above 0.7 they are not to be trusted; -inf where
        there are too few points for a tail, or all weights are the same.
    """
    shifted = log_weights - log_weights.max()
    size = shifted.size
    tail = int(min(0.2 * size, 3.0 * np.sqrt(size)))
    k = -np.inf
    if tail >= 5:
        order = np.argsort(shifted, kind="stable")
        largest, cutoff = order[-tail:], shifted[order[-tail - 1]]
        excess = np.exp(shifted[largest]) - np.exp(cutoff)
        if excess[0] > 0 or excess[-1] > 0:
            k, scale = _fit(np.maximum(excess, 1e-300))
            probability = (np.arange(tail) + 0.5) / tail
            with np.errstate(over="ignore"):  # of a hopeless tail the largest are infinite: they are cut below
                quantile = (
                    scale * np.expm1(-k * np.log1p(-probability)) / k
                    if abs(k) > 1e-12
                    else -scale * np.log1p(-probability)
                )
            shifted = shifted.copy()
            shifted[largest] = np.minimum(np.log(np.exp(cutoff) + quantile), 0.0)
    return shifted - logsumexp(shifted), float(k)


def _fit(excess: Floats) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto distribution, of ascending positive values.

    Zhang and Stephens, Technometrics 2009;51:316, with the weak prior on the shape of Vehtari and others.
    """
    size = excess.size
    grid = 30 + int(np.sqrt(size))
    quartile = excess[int(size / 4 + 0.5) - 1]
    theta = 1.0 / excess[-1] + (1.0 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))) / (3.0 * quartile)
    shape = np.mean(np.log1p(-theta[:, np.newaxis] * excess), axis=1)
    profile = size * (np.log(-theta / shape) - shape - 1.0)
    weight = np.exp(profile - logsumexp(profile))
    best = float(np.sum(theta * weight))
    k = float(np.mean(np.log1p(-best * excess)))
    scale = -k / best
    return (size * k + 10 * 0.5) / (size + 10), scale
