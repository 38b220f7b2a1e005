"""``manifest.json``: enough to repeat a run to the byte, and the hashes by which to tell."""

from __future__ import annotations

import hashlib
import platform
import re
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from blinasim.engine.choice import EngineName
from blinasim.errors import OutputError, Place
from blinasim.files import MANIFEST, complaint, nearest, read_bytes, short
from blinasim.inference.choice import is_shipped, point_file, shipped_posterior
from blinasim.inference.posterior import Posterior, read_posterior
from blinasim.model.catalogue import ParameterInfo, parameter_catalogue
from blinasim.model.parameters import ParameterSource, Structure, parameters_of, parameters_to_dict
from blinasim.scenario.settings import Scenario
from blinasim.version import __version__

#: The cohort's file travels with the results under this name.
COHORT_FILE = "cohort.csv"
#: So does the file of a policy of one's own.
POLICY_FILE = "policy.py"
#: So does a posterior that does not come with blinasim (and what is known about it, as .json).
POSTERIOR_FILE: Final = "posterior.csv"
_MOST_BYTES: Final = 10_000_000
#: Packages whose versions may move a byte of the results.
_PACKAGES = ("numpy", "scipy", "pandas", "simpy", "matplotlib", "pyarrow", "pydantic", "jinja2")
#: Where in a manifest the models stand that are read one by one.
_ABOVE = {"Scenario": ("scenario",)}


AnalysisKind: TypeAlias = Literal[
    "calibration", "validation", "sensitivity", "effect", "trial", "value", "optimization"
]
#: By which command the folders that are not of a run are made again.
_COMMANDS: Final = {
    "comparison": "compare",
    "calibration": "calibrate",
    "validation": "validate",
    "sensitivity": "sensitivity",
    "effect": "effect",
    "effect_of_data": "effect",
    "trial": "trial",
    "value": "value",
    "optimization": "optimize",
}
#: Keys at either end of every manifest; what only some have stands between them.
_FIRST: Final = ("manifest_version", "kind", "blinasim", "python", "packages")
_LAST: Final = ("parameters", "parameters_file", "posterior", "structure", "files")


class PosteriorUsed(BaseModel):
    """The posterior whose draws a study used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    draws: int = Field(description="How many draws it has.")
    fingerprint: str = Field(description="SHA-256 of draws, weights and structure.")
    file: Literal["posterior.csv"] | None = Field(description="Its copy in the folder; null: it comes with blinasim.")


class _Kind(BaseModel):
    """What a file says of its kind, whatever else it says; a run says nothing."""

    kind: str | None = None


class Made(BaseModel):
    """Base of every manifest: what made a results folder, and what the folder holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    manifest_version: Literal[1] = 1
    blinasim: str = Field(description="Version that made the results.")
    python: str = Field(description="Python version.")
    packages: dict[str, str] = Field(description="Versions of the packages that the bytes depend on.")
    files: dict[str, str] = Field(description="SHA-256 of every other file of the folder, by its name.")

    def written(self, folder: Path) -> dict[str, Any]:
        """Return the manifest as plain data, with the hashes of a folder whose other files have been written."""
        plain = self.model_copy(update={"files": hashes(folder)}).model_dump(mode="json")
        if plain.get("parameters_file") is None:  # only where there is such a file
            plain.pop("parameters_file", None)
        keys = [key for key in plain if key not in (*_FIRST, *_LAST)]
        return {key: plain[key] for key in (*_FIRST, *keys, *_LAST) if key in plain}


class Simulated(Made):
    """Base of the manifests of what was simulated: under which parameters."""

    parameters: dict[str, float] | None = Field(description="Point values by name; null: draws of a posterior.")
    parameters_file: str | None = Field(None, description="Name of the user's file of point values, if one was read.")
    posterior: PosteriorUsed | None = Field(None, description="The posterior, where there are draws of one.")
    structure: Structure = Field(Structure(), description="The distributions that they are parameters of, by name.")


class Manifest(Simulated):
    """What the folder of a run was made from."""

    engine: EngineName = Field(description="Engine that walked the patients.")
    patients: bool = Field(description="Whether patients.parquet was asked for.")
    policy: str | None = Field(None, description="Class in policy.py of a policy of one's own; null: none.")
    scenario: dict[str, Any] = Field(description="The scenario, fully resolved.")

    def resolved_scenario(self, folder: Path) -> Scenario:
        """Return the scenario; a cohort's file is the copy in the results folder."""
        scenario = Scenario.model_validate_json(_json(self.scenario))
        if scenario.cohort.data is None:
            return scenario
        data = scenario.cohort.data.model_copy(update={"file": str((folder / COHORT_FILE).resolve())})
        return scenario.model_copy(update={"cohort": scenario.cohort.model_copy(update={"data": data})})

    def parameter_source(self, folder: Path) -> ParameterSource:
        """Return the parameters of the run; a posterior that was named is read from its copy in the results folder.

        Raises
        ------
        OutputError
            If it was the shipped posterior, and another is shipped now.
        ParameterError
            If the copy cannot be read.
        """
        if self.parameters is not None:
            return replace(parameters_of(self.parameters, self.structure), file=self.parameters_file or "")
        assert self.posterior is not None
        if self.posterior.file is not None:
            return read_posterior(folder / self.posterior.file)
        shipped = shipped_posterior()
        if shipped is None or shipped.fingerprint != self.posterior.fingerprint:
            raise _complaint(
                f"its posterior is not the one that comes with blinasim {__version__}; install {self.blinasim}",
                Place(str(folder / MANIFEST)),
            )
        return shipped


class ComparisonManifest(Simulated):
    """What the folder of a comparison was made from."""

    kind: Literal["comparison"] = "comparison"
    engines: dict[str, EngineName] = Field(description="Engine that walked the patients, by scenario.")
    scenarios: dict[str, dict[str, Any]] = Field(description="The scenarios, fully resolved; the reference first.")
    policies: dict[str, str] = Field(
        {}, description="Class in policy_NAME.py of each policy of one's own, by its name."
    )


class AnalysisManifest(Simulated):
    """What the folder of an analysis was made from."""

    kind: AnalysisKind = Field(description="Which analysis.")
    scenario: dict[str, Any] = Field(description="The scenario, fully resolved.")
    others: dict[str, dict[str, Any]] = Field({}, description="Scenarios that it is set against, by name.")
    designs: dict[str, Any] | None = Field(None, description="Designs with the scenarios of their arms, by name.")


class DataManifest(Made):
    """What the folder of an analysis of patients of one's own was made from: no scenario, but a file."""

    kind: Literal["effect_of_data"] = "effect_of_data"
    data: dict[Literal["name", "sha256"], str] = Field(description="The file's name, and SHA-256 of what it held.")


def made() -> dict[str, Any]:
    """Return what every manifest says; the files are hashed when all have been written."""
    known = versions()
    return {"blinasim": known.pop("blinasim"), "python": known.pop("python"), "packages": known, "files": {}}


def simulated(parameters: ParameterSource) -> dict[str, Any]:
    """Return what the manifest of every simulation says."""
    return {
        **made(),
        "parameters": None if parameters.varies else parameters_to_dict(parameters.of(range(1), 0)),
        "parameters_file": point_file(parameters),
        "posterior": _posterior(parameters),
        "structure": parameters.structure,
    }


def _posterior(parameters: ParameterSource) -> PosteriorUsed | None:
    """Describe a posterior; one that does not come with blinasim travels with the results."""
    if not isinstance(parameters, Posterior):
        return None
    return PosteriorUsed(
        draws=len(parameters.draws),
        fingerprint=parameters.fingerprint,
        file=None if is_shipped(parameters) else POSTERIOR_FILE,
    )


def posterior_to_keep(parameters: ParameterSource, *, always: bool = False) -> Posterior | None:
    """Return the posterior that travels with the results: one that does not come with blinasim, or any."""
    return parameters if isinstance(parameters, Posterior) and (always or not is_shipped(parameters)) else None


def resolved(scenario: Scenario, cohort_file: str) -> dict[str, Any]:
    """Return a resolved scenario as plain data; a cohort's file is the copy in the results folder."""
    described = scenario.model_dump(mode="json")
    if scenario.cohort.data is not None:
        described["cohort"]["data"]["file"] = cohort_file
    return described


def versions() -> dict[str, str]:
    """Return the versions of blinasim, Python and the packages that the bytes depend on."""
    return {
        "blinasim": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
    }


def read_manifest(path: Path) -> Manifest:
    """Read a manifest, or a results folder's own.

    Raises
    ------
    OutputError
        If there is none, it is not one of ours, or it is that of a comparison or an analysis.
    """
    with suppress(OSError, ValueError):  # then it is told below
        path = path / MANIFEST if path.is_dir() else path
    text = read_bytes(path, OutputError, most_bytes=_MOST_BYTES, doing=f"; name a results folder's {MANIFEST}")
    if (kind := _kind(text)) in _COMMANDS:
        what = f"{'an' if kind[0] in 'aeiou' else 'a'} {kind.replace('_', ' ')}"
        raise OutputError(f"is of {what}, which is not rerun; say blinasim {_COMMANDS[kind]} again", Place(str(path)))
    try:
        manifest = Manifest.model_validate_json(text)
        Scenario.model_validate_json(_json(manifest.scenario))
    except ValidationError as problem:
        raise _not_ours(problem, path) from None
    if (manifest.parameters is None) == (manifest.posterior is None):
        raise _complaint("parameters: give either point values or a posterior", Place(str(path)))
    if manifest.parameters is not None:
        _check_parameters(manifest.parameters, path)
    return manifest


def _kind(text: bytes) -> str:
    try:
        return _Kind.model_validate_json(text).kind or ""
    except ValidationError:  # it is told of what a run's manifest lacks
        return ""


def _not_ours(problem: ValidationError, path: Path) -> OutputError:
    inside, what = complaint(problem)
    where = ".".join(str(part) for part in (*_ABOVE.get(problem.title, ()), *inside))
    at = re.fullmatch(r"(.*) at line (\d+) column (\d+)", what)
    if at:
        return _complaint(at[1], Place(str(path), int(at[2]), max(int(at[3]), 1)))
    return _complaint(f"{where or 'the file'}: {what}", Place(str(path)))


def _complaint(what: str, place: Place) -> OutputError:
    return OutputError(f"not a manifest that can be repeated ({what})", place)


def _check_parameters(values: dict[str, float], path: Path) -> None:
    """Refuse parameters that this version does not know, and values that no parameter file may hold."""
    known, place = parameter_catalogue(), Place(str(path))
    for name in values:
        if name not in known:
            raise _complaint(f"parameters.{short(name)}: no such parameter{nearest(name, known)}", place)
    for name, info in known.items():
        if name not in values:
            raise _complaint(f"parameters.{name}: is missing", place)
        try:
            ParameterInfo.model_validate({**info.model_dump(), "value": values[name]})
        except ValidationError as problem:
            raise _complaint(f"parameters.{name}: {values[name]:g}: {complaint(problem)[1]}", place) from None


def hashes(folder: Path) -> dict[str, str]:
    """Return SHA-256 by file name, of every file below a folder but its manifest."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): _sha256(path) for path in files}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _json(data: Any) -> str:
    import json

    return json.dumps(data)
