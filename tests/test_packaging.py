"""The wheel, the sdist and a wheel of the sdist, used far from the repository; and the files that cite and pin it.

Nothing here goes online: the build back end and the dependencies are those of the environment that runs the tests.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from ruamel.yaml import YAML

import blinasim

REPOSITORY = Path(__file__).resolve().parents[1]

#: What the sdist is made of, as pyproject.toml says it; absent ones are left out.
_SHIPPED = ("src", "scenarios", "calibration", "tests", "docs", "benchmarks", "notebooks")

#: What lies about in a working checkout and must not travel. The ignored names are those of .gitignore.
_LITTER = (
    ".venv/lib/python3.11/site-packages/other/tests/test_other.py",
    "another-venv/lib/python3.11/site-packages/other/src/other.py",
    "another-venv/lib/python3.11/site-packages/other/README.md",
    "results/baseline/endpoints.csv",
    "results/baseline/docs/report.md",
    "src/blinasim/__pycache__/__init__.cpython-311.pyc",
    "scenarios/__pycache__/x.pyc",
    "calibration/.DS_Store",
    "calibration/.pytest_cache/README.md",
    "build/lib/blinasim/__init__.py",
    "dist/blinasim-0.0.0.tar.gz",
)


@dataclass(frozen=True)
class Built:
    """What was built: two wheels that should be one, and the sdist between them."""

    source: Path
    wheels: dict[str, Path]
    sdist: Path


def _python(*arguments: object, python: Path | str = sys.executable, cwd: Path) -> str:
    # Only the environment's own packages: no PYTHONPATH that leads back to the repository, and no index.
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))}
    done = subprocess.run(
        [str(python), *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=clean | {"PYTHONNOUSERSITE": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1"},
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(map(str, arguments))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _checkout(target: Path) -> Path:
    """Copy the repository as it stands, and strew about what its users strew about."""
    target.mkdir(parents=True)
    for path in REPOSITORY.iterdir():
        if path.is_file():
            shutil.copy(path, target)
    unwanted = shutil.ignore_patterns("__pycache__", ".*")
    for name in _SHIPPED:
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, target / name, ignore=unwanted)
    for name in _LITTER:
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("litter")
    (target / ".git").mkdir()  # as far as a build looks
    return target


def _build(kind: str, source: Path, out: Path) -> Path:
    _python("-m", "build", "--no-isolation", f"--{kind}", "--outdir", out, source, cwd=source)
    (made,) = out.iterdir()
    return made


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("packaging")
    source = _checkout(folder / "checkout")
    sdist = _build("sdist", source, folder / "sdist")
    with tarfile.open(sdist) as archive:
        # Python 3.11.4 and later
        safely: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(folder / "unpacked", **safely)
    (unpacked,) = (folder / "unpacked").iterdir()
    wheels = {
        "wheel": _build("wheel", source, folder / "wheel"),
        "wheel of the sdist": _build("wheel", unpacked, folder / "wheel-of-sdist"),
    }
    return Built(source, wheels, sdist)


def _files(folder: Path) -> list[Path]:
    """Return the files that a package is made of: neither litter nor the bytecode of those who ran it."""
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return [path for path in files if path.read_bytes() != b"litter"]


def _contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _environment(folder: Path) -> tuple[Path, Path]:
    """Make a virtual environment without any package; return its Python and its folder of packages."""
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    variables = {"base": str(folder), "platbase": str(folder)}
    return scripts / "python", Path(sysconfig.get_path("purelib", vars=variables))


def _lend_dependencies(packages: Path) -> None:
    """Let an environment see this one's packages, but not follow their .pth files (this project's among them)."""
    lent = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    (packages / "lent.pth").write_text("\n".join(lent) + "\n")


def _pip(python: Path, *arguments: object, cwd: Path) -> None:
    offline = ("--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    _python("-m", "pip", "--python", python, "install", "--quiet", *offline, *arguments, cwd=cwd)


def _use(python: Path, empty: Path) -> tuple[Path, Path, Path]:
    """Use blinasim as its user does, from an empty folder; return where its code and its data came from."""
    command = python.parent / ("blinasim.exe" if os.name == "nt" else "blinasim")

    def run(*arguments: str) -> str:
        if os.name == "nt":
            return _python("-m", "blinasim", *arguments, python=python, cwd=empty)
        return _python(*arguments, python=command, cwd=empty)

    assert command.is_file()
    assert run("--version") == f"blinasim {blinasim.__version__}\n"
    assert re.search(r"^baseline +\S", run("list"), flags=re.MULTILINE)
    table = run("run", "baseline", "--replications", "2", "--out", "r")
    assert "Median OS" in table
    assert (empty / "r" / "endpoints.csv").stat().st_size > 0
    assert [path.name for path in empty.iterdir()] == ["r"]
    where = (
        "import blinasim; from blinasim.files import data_folder;"
        "print(blinasim.__file__, data_folder('scenarios'), data_folder('calibration'), sep='\\n')"
    )
    code, scenarios, calibration = map(Path, _python("-c", where, python=python, cwd=empty).splitlines())
    return code.parent.resolve(), scenarios.resolve(), calibration.resolve()


@pytest.mark.slow
@pytest.mark.parametrize("which", ["wheel", "wheel of the sdist"])
def test_an_installed_wheel_works_from_an_empty_folder_with_its_own_data(
    built: Built, which: str, tmp_path: Path
) -> None:
    python, packages = _environment(tmp_path / "env")
    _pip(python, built.wheels[which], cwd=tmp_path)
    _lend_dependencies(packages)
    empty = tmp_path / "empty"
    empty.mkdir()
    home = (packages / "blinasim").resolve()
    assert _use(python, empty) == (home, home / "data" / "scenarios", home / "data" / "calibration")


@pytest.mark.slow
def test_an_editable_install_works_with_the_data_of_the_checkout(built: Built, tmp_path: Path) -> None:
    python, packages = _environment(tmp_path / "env")
    _lend_dependencies(packages)  # before the installation, whose build needs the back end
    _pip(python, "--force-reinstall", "--editable", built.source, cwd=tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    home = built.source.resolve()
    assert _use(python, empty) == (home / "src" / "blinasim", home / "scenarios", home / "calibration")
    assert not (packages / "blinasim").exists()  # a second copy of the data would go stale there


@pytest.mark.slow
def test_the_wheel_holds_the_package_its_data_and_licence_and_nothing_else(built: Built) -> None:
    contents = _contents(built.wheels["wheel"])
    source = built.source
    code = {path.relative_to(source / "src").as_posix() for path in _files(source / "src")}
    data = {
        f"blinasim/data/{path.relative_to(source).as_posix()}"
        for folder in ("scenarios", "calibration")
        for path in _files(source / folder)
    }
    assert {"blinasim/py.typed", "blinasim/data/scenarios/baseline.yaml"} <= code | data
    about = f"blinasim-{blinasim.__version__}.dist-info"
    notes = {f"{about}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")}
    assert set(contents) == code | data | notes
    assert contents[f"{about}/licenses/LICENSE"] == (REPOSITORY / "LICENSE").read_bytes() != b""
    assert b"License-Expression: MIT" in contents[f"{about}/METADATA"]
    assert all(content != b"litter" for content in contents.values())


@pytest.mark.slow
def test_both_wheels_hold_the_same_files(built: Built) -> None:
    direct, through_sdist = (_contents(wheel) for wheel in built.wheels.values())
    assert sorted(direct) == sorted(through_sdist)
    assert direct == through_sdist


@pytest.mark.slow
def test_the_sdist_holds_what_is_shipped_and_no_litter(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        names = {member.name.partition("/")[2] for member in members}
        litter = [member.name for member in members if archive.extractfile(member).read() == b"litter"]  # type: ignore[union-attr]
    assert litter == []
    roots = {name.partition("/")[0] for name in names if "/" in name}
    assert roots == {name for name in _SHIPPED if (REPOSITORY / name).is_dir()}
    assert {
        "LICENSE",
        "README.md",
        "CITATION.cff",
        "constraints.txt",
        "environment.yml",
        "pyproject.toml",
        "scenarios/baseline.yaml",
        "calibration/parameters.yaml",
        "tests/test_packaging.py",
        "src/blinasim/py.typed",
    } <= names


def test_the_citation_agrees_with_the_package() -> None:
    citation = YAML(typ="safe").load(REPOSITORY / "CITATION.cff")
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert str(citation["version"]) == blinasim.__version__
    assert citation["cff-version"] == "1.2.0"
    assert {"title", "message", "authors"} <= set(citation)
    assert citation["title"] == project["name"]
    assert citation["license"] == project["license"]
    assert citation["authors"] == project["authors"]
    assert citation["keywords"] == project["keywords"]


def test_every_package_that_is_asked_for_is_pinned_at_a_version_that_fits() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    pinned = {canonicalize_name(name): version for name, version in pins.items()}
    extras = project["optional-dependencies"]
    asked = [Requirement(text) for text in project["dependencies"] + extras["dev"] + extras["bench"]]
    unfit = [
        str(requirement)
        for requirement in asked
        if not requirement.specifier.contains(pinned.get(canonicalize_name(requirement.name), "0"))
    ]
    assert unfit == []


def test_the_conda_environment_is_the_readme_installation() -> None:
    environment = YAML(typ="safe").load(REPOSITORY / "environment.yml")
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    python, pip, through_pip = environment["dependencies"]
    assert project["requires-python"] == f">={python.removeprefix('python=')}"
    assert pip == "pip"
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8").replace("'", "")
    assert f"pip install -q {' '.join(through_pip['pip'])} " in readme
