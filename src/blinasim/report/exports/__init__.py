"""Exports: one trial as tables that other tools read, and the dictionary of every table."""

from blinasim.report.exports.adsl import adsl
from blinasim.report.exports.adtte import adtte
from blinasim.report.exports.comparison import comparison
from blinasim.report.exports.dictionary import TABLES, data_dictionary, occupancy
from blinasim.report.exports.event_log import event_log
from blinasim.report.exports.patients import patients

__all__ = ["TABLES", "adsl", "adtte", "comparison", "data_dictionary", "event_log", "occupancy", "patients"]
