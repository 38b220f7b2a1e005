"""``manifest.json``: enough to repeat a run to the byte, and the hashes by which to tell."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from blinasim.errors import OutputError, Place
from blinasim.model.parameters import Parameters, parameters_of, parameters_to_dict
from blinasim.scenario.settings import Scenario

MANIFEST = "manifest.json"
#: The cohort's file travels with the results under this name.
COHORT_FILE = "cohort.csv"
#: Packages whose versions may move a byte of the results.
_PACKAGES = ("numpy", "scipy", "pandas", "simpy", "matplotlib", "pyarrow", "pydantic")


class Manifest(BaseModel):
    """What a results folder was made from, and what it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    manifest_version: Literal[1] = 1
    blinasim: str = Field(description="Version that made the results.")
    python: str = Field(description="Python version.")
    packages: dict[str, str] = Field(description="Versions of the packages that the bytes depend on.")
    engine: str = Field(description="Engine that walked the patients.")
    patients: bool = Field(description="Whether patients.parquet was asked for.")
    scenario: dict[str, Any] = Field(description="The scenario, fully resolved.")
    parameters: dict[str, float] = Field(description="The parameters' values by name.")
    files: dict[str, str] = Field(description="SHA-256 of every other file of the folder, by its name.")

    def resolved_scenario(self, folder: Path) -> Scenario:
        """Return the scenario; a cohort's file is the copy in the results folder."""
        scenario = Scenario.model_validate_json(_json(self.scenario))
        if scenario.cohort.data is None:
            return scenario
        data = scenario.cohort.data.model_copy(update={"file": str((folder / COHORT_FILE).resolve())})
        return scenario.model_copy(update={"cohort": scenario.cohort.model_copy(update={"data": data})})

    def parameter_values(self) -> Parameters:
        """Return the parameters of the run."""
        return parameters_of(self.parameters)


def manifest_of(scenario: Scenario, parameters: Parameters, engine: str, folder: Path, *, patients: bool) -> Manifest:
    """Describe a results folder whose other files have been written."""
    known = versions()
    described = scenario.model_dump(mode="json")
    if scenario.cohort.data is not None:
        described["cohort"]["data"]["file"] = COHORT_FILE
    return Manifest(
        blinasim=known.pop("blinasim"),
        python=known.pop("python"),
        packages=known,
        engine=engine,
        patients=patients,
        scenario=described,
        parameters=parameters_to_dict(parameters),
        files=hashes(folder),
    )


def versions() -> dict[str, str]:
    """Return the versions of blinasim, Python and the packages that the bytes depend on."""
    return {
        "blinasim": version("blinasim"),
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
    }


def read_manifest(path: Path) -> Manifest:
    """Read a manifest, or a results folder's own.

    Raises
    ------
    OutputError
        If there is none, or it is not one of ours.
    """
    path = path / MANIFEST if path.is_dir() else path
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as problem:
        raise OutputError(
            f"cannot be read ({problem.strerror}); name a results folder's {MANIFEST}", Place(str(path))
        ) from None
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise OutputError(
            f"not a manifest of blinasim ({where or 'the file'}: {first['msg']})", Place(str(path))
        ) from None


def hashes(folder: Path) -> dict[str, str]:
    """Return SHA-256 by file name, of every file below a folder but its manifest."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def _json(data: Any) -> str:
    import json

    return json.dumps(data)
