"""blinasim: what would have happened to these patients under another policy?

The public interface says the same things as the command line::

    import blinasim as bs

    result = bs.simulate("baseline", replications=50, seed=1)
    bs.results_table(result)          # a DataFrame, one row an endpoint
    bs.plot.survival(result)          # a matplotlib Figure
    bs.compare("baseline", "early_donor_search").difference("os_24_months")
    bs.evaluate_design("phase3_standard_therapy", replications=500).success   # power, with its Monte Carlo error
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from blinasim.version import __version__

__all__ = [
    "Parameters",
    "Timing",
    "__version__",
    "calibrate",
    "compare",
    "effect",
    "effect_of_data",
    "evaluate_design",
    "load_design",
    "load_parameters",
    "load_posterior",
    "load_scenario",
    "optimize",
    "parameters_table",
    "patients_table",
    "plot",
    "prior_draws",
    "results_table",
    "simulate",
    "trace",
    "validate",
    "validation_table",
    "value_of_information",
]

if TYPE_CHECKING:
    from blinasim import plot
    from blinasim.api import (
        Parameters,
        Timing,
        calibrate,
        compare,
        effect,
        effect_of_data,
        evaluate_design,
        load_design,
        load_parameters,
        load_posterior,
        load_scenario,
        optimize,
        parameters_table,
        patients_table,
        prior_draws,
        results_table,
        simulate,
        trace,
        validate,
        validation_table,
        value_of_information,
    )


def __getattr__(name: str) -> Any:
    # Late, so that ``blinasim --help`` need not wait for NumPy and its friends.
    if name == "plot":
        import importlib

        return importlib.import_module("blinasim.plot")
    if name in __all__:
        from blinasim import api

        return getattr(api, name)
    raise AttributeError(f"module 'blinasim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
