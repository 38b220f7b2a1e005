"""Reading YAML with positions, finding the shipped data, and writing results whole or not at all."""

from blinasim.files.output import MANIFEST, check_free, whole_folder
from blinasim.files.plain_yaml import MOST_LEVELS, Document, KeyPath, parse_yaml, read_yaml
from blinasim.files.shipped import data_folder, shipped_designs, shipped_scenarios
from blinasim.files.table import PatientFile, read_patients
from blinasim.files.text import nearest, quoted, read_bytes, read_text, readable, reason, short

__all__ = [
    "MANIFEST",
    "MOST_LEVELS",
    "Document",
    "KeyPath",
    "PatientFile",
    "check_free",
    "data_folder",
    "nearest",
    "parse_yaml",
    "quoted",
    "read_bytes",
    "read_patients",
    "read_text",
    "read_yaml",
    "readable",
    "reason",
    "shipped_designs",
    "shipped_scenarios",
    "short",
    "whole_folder",
]
