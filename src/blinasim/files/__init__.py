"""Reading YAML with positions, finding the shipped data, and writing results whole or not at all."""

from blinasim.files.output import MANIFEST, check_free, whole_folder
from blinasim.files.plain_yaml import MOST_LEVELS, KeyPath, YamlFile, parse_yaml, read_yaml
from blinasim.files.shipped import data_folder, shipped_designs, shipped_scenarios
from blinasim.files.table import NUMBER, YES_OR_NO, PatientFile, read_patients
from blinasim.files.text import (
    check_choice,
    complaint,
    digest,
    nearest,
    quoted,
    read_bytes,
    read_text,
    readable,
    reason,
    short,
)

__all__ = [
    "MANIFEST",
    "MOST_LEVELS",
    "NUMBER",
    "YES_OR_NO",
    "KeyPath",
    "PatientFile",
    "YamlFile",
    "check_choice",
    "check_free",
    "complaint",
    "data_folder",
    "digest",
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
