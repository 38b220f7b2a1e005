"""The public functions of :mod:`blinasim`; thin words over the rooms."""

from blinasim.api.choices import optimize, value_of_information
from blinasim.api.designs import evaluate_design
from blinasim.api.inference import calibrate, load_posterior, parameters_table, prior_draws, validate, validation_table
from blinasim.api.patients import patients_table, trace
from blinasim.api.studies import compare, effect, effect_of_data, results_table, simulate
from blinasim.model.catalogue import load_parameters
from blinasim.model.parameters import Parameters
from blinasim.scenario.design_file import load_design
from blinasim.scenario.loading import load_scenario
from blinasim.study.estimators import Timing

__all__ = [
    "Parameters",
    "Timing",
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
    "prior_draws",
    "results_table",
    "simulate",
    "trace",
    "validate",
    "validation_table",
    "value_of_information",
]
