"""What is written of the analyses that are neither a run, a comparison nor a design, each as one value."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from blinasim.inference.predictive import Validation
from blinasim.inference.sensitivity import Sensitivity
from blinasim.inference.value import ValueOfInformation
from blinasim.model.parameters import ParameterSource
from blinasim.report import figures
from blinasim.report.calibration import Calibration, correlations_frame, learnt_frame, left_out_frame, stages_frame
from blinasim.report.calibration_file import calibration_file
from blinasim.report.contents import CohortCopies, Contents
from blinasim.report.document import Document
from blinasim.report.effect import data_frame, study_frame
from blinasim.report.effect_file import effect_file
from blinasim.report.manifest import AnalysisKind, AnalysisManifest, DataManifest, made, posterior_to_keep, simulated
from blinasim.report.optimization import optimization_frame
from blinasim.report.optimization_file import optimization_file
from blinasim.report.page.choices import optimization_page, sensitivity_page, value_page
from blinasim.report.page.effect import data_page, effect_page
from blinasim.report.page.page import Page
from blinasim.report.page.validation import calibration_page, validation_page
from blinasim.report.sensitivity import sensitivity_frame
from blinasim.report.sensitivity_file import sensitivity_file
from blinasim.report.style import Drawing
from blinasim.report.validation import group_of, validation_frame, validation_rows
from blinasim.report.validation_file import validation_file
from blinasim.report.value import acceptability_frame, value_frame
from blinasim.report.value_file import value_file
from blinasim.scenario.settings import Scenario
from blinasim.study.effect import Effect
from blinasim.study.effect_data import DataEffect
from blinasim.study.optimize import Optimization

if TYPE_CHECKING:
    import pandas as pd


def effect_contents(found: Effect) -> Contents:
    """Return all that is written of the estimators of the effect of HSCT."""
    return _analysis(
        "effect",
        found.scenario,
        found.parameters,
        effect_file(found),
        {"effect": study_frame(found)},
        {
            "effects": figures.effects(found),
            "simon_makuch_os": figures.simon_makuch(found, "os"),
            "simon_makuch_rfs": figures.simon_makuch(found, "rfs"),
        },
        effect_page(found),
    )


def data_effect_contents(found: DataEffect, source: Path) -> Contents:
    """Return all that is written of the effect of HSCT in the patients of a file."""
    data = {"name": source.name, "sha256": hashlib.sha256(source.read_bytes()).hexdigest()}
    return Contents(
        DataManifest(**made(), data=data),
        "effect",
        effect_file(found),
        {"effect": data_frame(found)},
        {"effects": figures.effects(found), "simon_makuch": figures.simon_makuch(found)},
        data_page(found),
    )


def sensitivity_contents(found: Sensitivity) -> Contents:
    """Return all that is written of a sensitivity analysis."""
    return _analysis(
        "sensitivity",
        found.scenario,
        found.parameters,
        sensitivity_file(found),
        {"sensitivity": sensitivity_frame(found)},
        {"tornado": figures.tornado(found)},
        sensitivity_page(found),
    )


def value_contents(found: ValueOfInformation) -> Contents:
    """Return all that is written of a value of information."""
    tables, drawn = {"value": value_frame(found)}, {"evppi": figures.evppi(found)}
    if (accepted := acceptability_frame(found)) is not None:
        tables["acceptability"] = accepted
        drawn |= {"plane": figures.plane(found), "acceptability": figures.acceptability(found)}
    return _analysis(
        "value",
        found.scenarios[found.reference],
        found.parameters,
        value_file(found),
        tables,
        drawn,
        value_page(found),
        {name: scenario for name, scenario in found.scenarios.items() if name != found.reference},
    )


def optimization_contents(found: Optimization) -> Contents:
    """Return all that is written of an optimization."""
    return _analysis(
        "optimization",
        found.base,
        found.parameters,
        optimization_file(found),
        {"optimization": optimization_frame(found)},
        {"race": figures.race(found)},
        optimization_page(found),
        {"best": found.best.scenario},
    )


def validation_contents(found: Validation) -> Contents:
    """Return all that is written of a validation."""
    return _analysis(
        "validation",
        found.scenario,
        found.parameters,
        validation_file(found),
        {"validation": validation_frame(found)},
        {"validation": _forest(found)},
        validation_page(found),
    )


def calibration_contents(found: Calibration) -> Contents:
    """Return all that is written of a calibration."""
    return _analysis(
        "calibration",
        found.after.scenario,
        found.posterior,
        calibration_file(found),
        {
            "parameters": learnt_frame(found),
            "correlations": correlations_frame(found),
            "left_out": left_out_frame(found.posterior),
            "sampler": stages_frame(found.posterior),
            "prior_predictive": validation_frame(found.before),
            "posterior_predictive": validation_frame(found.after),
        },
        {
            "overlays": figures.overlays(found.posterior),
            "prior_predictive": _forest(found.before),
            "posterior_predictive": _forest(found.after),
        },
        calibration_page(found),
    )


def _forest(found: Validation) -> Drawing:
    return figures.forest([row.row for row in validation_rows(found)], group_of)


def _analysis(
    kind: AnalysisKind,
    scenario: Scenario,
    parameters: ParameterSource,
    document: Document,
    tables: Mapping[str, pd.DataFrame],
    drawn: Mapping[str, Drawing],
    page: Page,
    others: Mapping[str, Scenario] | None = None,
) -> Contents:
    """Return what is written of an analysis; ``others`` are the scenarios that the first is set against."""
    others = others or {}
    copies = CohortCopies.of((scenario, *others.values()))
    manifest = AnalysisManifest(
        **simulated(parameters),
        kind=kind,
        scenario=copies.resolved(scenario),
        others={name: copies.resolved(other) for name, other in others.items()},
    )
    keep = posterior_to_keep(parameters, always=kind == "calibration")
    return Contents(manifest, kind, document, tables, drawn, page, copies.texts, keep)
