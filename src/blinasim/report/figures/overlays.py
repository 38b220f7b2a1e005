"""Posterior against prior: what the published figures have said about each parameter."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from blinasim.inference.diagnostics import Learnt, learnt
from blinasim.inference.posterior import Posterior
from blinasim.inference.priors import normal_score, quantile
from blinasim.model.catalogue import Prior, parameter_catalogue
from blinasim.report import style

Floats = NDArray[np.float64]

#: Panels across and down: the parameters about which most was learnt.
_ACROSS: Final = 4
_DOWN: Final = 7
#: Inches: a panel with its margins, the space above for its title and below for its axis, the top.
_WIDE: Final = 2.15
_HIGH: Final = 1.32
_TITLE: Final = 0.4
_AXIS: Final = 0.3
_LEFT: Final = 0.16
_TOP: Final = 0.78
#: Points of a curve, and how far it goes in standard deviations of the prior.
_POINTS: Final = 400
_FAR: Final = 4.5
#: Part of the prior that is in sight.
_IN_SIGHT: Final = 2.4


def overlays(posterior: Posterior) -> style.Drawing:
    """Draw the densities of the parameters about which most was learnt, before and after.

    Parameters
    ----------
    posterior : Posterior
        What a calibration found.

    Returns
    -------
    Drawing
        A matplotlib figure; its ``alt`` says what was learnt most.
    """
    everything = learnt(posterior)
    drawn = sorted(everything, key=lambda one: -one.contraction)[: _ACROSS * _DOWN]
    rows = -(-len(drawn) // _ACROSS)
    height = _TOP + rows * (_HIGH + 0.02)
    with style.house_style():
        drawing = style.blank(_ACROSS * _WIDE + _LEFT, height)
        for number, one in enumerate(drawn):
            down, across = divmod(number, _ACROSS)
            axes = style.place(
                drawing,
                _LEFT + across * _WIDE,
                height - _TOP - (down + 1) * _HIGH + _AXIS,
                _WIDE - 2 * _LEFT,
                _HIGH - _TITLE - _AXIS,
            )
            _draw_panel(axes, posterior, one)
        style.heading(
            drawing,
            _LEFT,
            "What the published figures say about the parameters",
            "Prior (line) and posterior (filled), for the parameters about which most was learnt; the number is the",
            f"contraction, 1 less posterior over prior variance. {len(everything) - len(drawn)} others are not drawn.",
        )
    most = ", ".join(f"{one.name} ({one.contraction:.2f})" for one in drawn[:3])
    drawing.alt = f"Prior and posterior densities of {len(drawn)} parameters; contraction is largest in {most}."
    return drawing


def _draw_panel(axes: Axes, posterior: Posterior, one: Learnt) -> None:
    info = parameter_catalogue()[one.name]
    z = np.linspace(-_FAR, _FAR, _POINTS)
    values = quantile(info.prior, z)
    density = _density(normal_score(info.prior, posterior.values(one.name)), posterior.weights, z)
    stretched = np.gradient(values, z)
    prior = np.exp(-0.5 * np.square(z)) / np.sqrt(2.0 * np.pi) / stretched
    after = density / stretched
    low, high = _sight(info.prior, z, density)
    axes.fill_between(values, after, color=style.SIMULATED_PALE, linewidth=0)
    axes.plot(values, after, color=style.SIMULATED, linewidth=1.1)
    axes.plot(values, prior, color=style.MUTED, linewidth=0.9)
    inside = (values >= low) & (values <= high)
    # A density may be infinite at an edge of a prior; what was learnt sets the scale.
    axes.set_ylim(0.0, 1.08 * float(after[inside].max()))
    axes.set_xlim(low, high)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.tick_params(labelsize=8, pad=1.5, length=2)
    group, _, name = one.name.partition(".")
    axes.set_title(f"{group}\n{name}", loc="left", fontsize=8, fontweight="normal", pad=3, linespacing=1.1)
    axes.text(1.0, 1.06, f"{one.contraction:.2f}", transform=axes.transAxes, fontsize=8, ha="right", color=style.MUTED)


def _sight(prior: Prior, z: Floats, density: Floats) -> tuple[float, float]:
    """Return between which values a panel looks: most of the prior, and of the posterior."""
    upto = np.cumsum(density) / density.sum()
    learnt_low, learnt_high = np.interp((0.002, 0.998), upto, z)
    low, high = quantile(prior, np.array([min(-_IN_SIGHT, learnt_low), max(_IN_SIGHT, learnt_high)]))
    return float(low), float(high)


def _density(z: Floats, weights: Floats, at: Floats) -> Floats:
    """Estimate a density from weighted draws: Gaussian kernels of Silverman's width."""
    shares = weights / weights.sum()
    spread = np.sqrt(shares @ np.square(z - shares @ z))
    width = 1.06 * spread * np.square(shares).sum() ** 0.2
    kernels = np.exp(-0.5 * np.square((at[:, np.newaxis] - z) / width))
    return np.asarray(kernels @ shares / (width * np.sqrt(2.0 * np.pi)))
