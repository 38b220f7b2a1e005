"""What is fuzzed: each kind of input, seeds of it, and what may come of it."""

from __future__ import annotations

import hashlib
import json
import re
import resource
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from blinasim.errors import BlinasimError, one_line
from blinasim.files import data_folder
from blinasim.inference.posterior import prior_draws, read_posterior
from blinasim.model.catalogue import load_parameters
from blinasim.model.cohort_file import read_cohort
from blinasim.model.parameters import Structure, parameters_to_dict
from blinasim.model.point_file import read_points
from blinasim.model.policy_file import policy_file
from blinasim.report.manifest import read_manifest
from blinasim.scenario.design_file import load_design
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.settings import Capacity, CohortSettings, Scenario
from blinasim.scenario.writing import to_yaml
from blinasim.study.effect_data import COLUMNS, effect_of_file
from blinasim.study.evaluate_design import evaluate_design
from blinasim.study.simulate import simulate

CORPUS = Path(__file__).parent / "corpus"
#: Bars, for one input: seconds of processor time; memory beside what the program itself takes, of 500 MB in all.
MOST_SECONDS, MOST_MB = 5.0, 300.0
#: A scenario or a design that is accepted is lived by so many patients at most.
FEW_PATIENTS = 20
#: A design of more is read alone.
MOST_ENROLLED = 120
#: Other patients in a ward, per year, in whose company they are lived.
MOST_OTHERS = 500
#: Between the two files of a posterior.
SEAM = b"\n=====\n"


@dataclass(frozen=True)
class Kind:
    """A kind of input.

    Attributes
    ----------
    read : callable
        Takes an empty folder and the input, and does with it what the program would do; a BlinasimError is well.
    seeds : callable
        Returns inputs to begin from.
    """

    read: Callable[[Path, bytes], None]
    seeds: Callable[[], list[bytes]]


class FindingError(AssertionError):
    """An input that broke the promise."""


def attempt(kind: str, data: bytes, folder: Path) -> str | None:
    """Try one input in an empty folder and return the complaint, or None where it is accepted.

    Raises
    ------
    FindingError
        If it ends in anything but a complaint of one line, takes too long or too much, or writes anything.
    """
    start, before = time.process_time(), _peak_mb(anew=True)
    said = None
    with _silence_kept(folder):
        try:
            KINDS[kind].read(folder, data)
        except BlinasimError as problem:
            said = str(problem)
        except MemoryError as problem:
            raise FindingError(f"{kind}: out of memory") from problem
        except Exception as problem:
            raise FindingError(f"{kind}: {type(problem).__name__}: {problem}") from problem
    seconds = time.process_time() - start
    megabytes = _peak_mb() - before
    if seconds > MOST_SECONDS:
        raise FindingError(f"{kind}: took {seconds:.1f} s")
    if megabytes > MOST_MB:
        raise FindingError(f"{kind}: took {megabytes:.0f} MB")
    if said is not None and said != one_line(said):
        raise FindingError(f"{kind}: a complaint of several lines")
    # The name of a policy's file is told whole, and a byte of it may be spelt out in six letters.
    if said is not None and not 0 < len(said) < 4_000 + (6 * len(data) if kind == "policy" else 0):
        raise FindingError(f"{kind}: a complaint of {len(said)} letters")
    return said


def _peak_mb(*, anew: bool = False) -> float:
    """Return the most memory that this process has had; ``anew``: from now on."""
    try:
        if anew:
            Path("/proc/self/clear_refs").write_text("5")
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        return int(peak[1]) / 1024 if peak else 0.0
    except OSError:  # another system: the peak of all inputs so far
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def _silence_kept(folder: Path) -> Iterator[None]:
    """What is read writes nothing into its folder but the inputs themselves, which it takes away again."""
    yield
    if left := [path for path in folder.rglob("*") if path.name not in INPUTS]:
        raise FindingError(f"wrote {left}")


INPUTS = ("s.yaml", "d.yaml", "p.yaml", "p.csv", "p.json", "e.csv", "m.json", "policy.py")

# --- scenarios and designs --------------------------------------------------------------------------------------------


def live(scenario: Scenario) -> None:
    """One trial of few patients; thousands of others in the wards take their time, and are no hang."""
    few = {"size": min(scenario.cohort.size, FEW_PATIENTS), "data": None}
    asked = scenario.with_study(replications=1)
    others = (
        getattr(asked.capacity, name).background for name in type(asked.capacity).model_fields if name != "warm_up_days"
    )
    if max(one.arrivals_per_year for one in others) > MOST_OTHERS:
        asked = asked.model_copy(update={"capacity": Capacity()})
    simulate(asked.model_copy(update={"cohort": asked.cohort.model_copy(update=few)}))


def _scenario(folder: Path, data: bytes) -> None:
    path = folder / "s.yaml"
    path.write_bytes(data)
    scenario = load_scenario(path)
    to_yaml(scenario)
    live(scenario)


def _set(_: Path, data: bytes) -> None:
    changes = [text for text in data.decode("utf-8", "surrogateescape").split("\0") if text]
    live(load_scenario("baseline", changes))


def _design(folder: Path, data: bytes) -> None:
    path = folder / "d.yaml"
    path.write_bytes(data)
    asked = load_design(path)
    design = asked.design
    if design.size <= MOST_ENROLLED:
        once = design.study.model_copy(update={"replications": 1})
        evaluate_design(replace(asked, design=design.model_copy(update={"study": once})))


# --- parameters -------------------------------------------------------------------------------------------------------


def _points(folder: Path, data: bytes) -> None:
    path = folder / "p.yaml"
    path.write_bytes(data)
    values = read_points(path)
    simulate(_few(), parameters=values)


@cache
def _few() -> Scenario:
    return load_scenario("baseline", [f"cohort.size={FEW_PATIENTS}", "study.replications=1"])


def _posterior(folder: Path, data: bytes) -> None:
    table, _, about = data.partition(SEAM)
    (folder / "p.csv").write_bytes(table)
    (folder / "p.json").write_bytes(about)
    simulate(_few(), parameters=read_posterior(folder / "p.csv"))


# --- patients ---------------------------------------------------------------------------------------------------------


def _cohort(folder: Path, data: bytes) -> None:
    path = folder / "p.csv"
    path.write_bytes(data)
    given = {"file": str(path), "rows": "resampled", "match_margins": ["salvage"] if len(data) % 2 else []}
    settings = CohortSettings.model_validate({"size": FEW_PATIENTS, "data": given})
    source = read_cohort(settings)
    simulate(_few().model_copy(update={"cohort": settings}), source=source)


def _effect(folder: Path, data: bytes) -> None:
    path = folder / "e.csv"
    path.write_bytes(data)
    effect_of_file(path, ["age"] if b"age" in data else [])


# --- manifests and policies -------------------------------------------------------------------------------------------


def _manifest(folder: Path, data: bytes) -> None:
    path = folder / "m.json"
    path.write_bytes(data)
    manifest = read_manifest(path)
    scenario = manifest.resolved_scenario(folder)
    manifest.parameter_source(folder)
    live(scenario)


POLICY = b"""from blinasim.model.own_policy import *\nclass Never:\n    def is_candidate(self, chart): return False\n"""


def _policy(folder: Path, data: bytes) -> None:
    (folder / "policy.py").write_bytes(POLICY)
    said = data.decode("utf-8", "surrogateescape")
    policy_file(said.replace("{folder}", str(folder)))


# --- seeds ------------------------------------------------------------------------------------------------------------


def _yaml_seeds(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*.yaml"))]


def _scenario_seeds() -> list[bytes]:
    return [*_yaml_seeds(data_folder("scenarios")), to_yaml(load_scenario("scarce_beds")).encode()]


def _set_seeds() -> list[bytes]:
    return [
        b"cohort.size=10", b"policy.donor_search.starts={after_cycle: 2}\0policy.cycles.maximum=3", b"why=a",
        b"trial.accrual.pieces=[{days: 3, relative_rate: 0.5}]", b"policy.transplant.candidates.mrd=[negative]",
        b"policy.donor_search.accept_from_day={sibling: 3}", b"capacity.transplant_beds.places=2",
    ]  # fmt: skip


def _posterior_seeds() -> list[bytes]:
    folder = data_folder("calibration")
    about = (folder / "posterior.json").read_bytes()
    few = prior_draws(Structure(), 3, 1).draws.to_csv(index=False).encode()
    return [few + SEAM + about]


def _points_seeds() -> list[bytes]:
    return [b"relapse: {shape: 1.2}\nstructure: {relapse: log_logistic}\n", b"failure:\n  median_days: {value: 90}\n"]


HEADER = "age_years,prior_hsct,salvage_lines,blasts_pct"


def _cohort_seeds() -> list[bytes]:
    return [
        f"{HEADER},fitness,well_matched,site\n30,no,1,80,good,yes,3\n70,yes,0,20.5,poor,no,9\n45,no,2,9,fair,no,9\n".encode(),
        f"{HEADER}\r\n30,no,1,80\r\n".encode(),
    ]


def _effect_seeds() -> list[bytes]:
    rows = [f"{20 * i + 9},{'yes' if i % 3 else 'no'},{7 * i if i % 2 else ''},,yes,{20 + i}" for i in range(12)]
    return [
        "\n".join([f"{','.join(COLUMNS)},age", *rows]).encode(),
        b"time_days,event,transplant_days\n30,yes,\n40,no,9\n",
    ]


def _manifest_seeds() -> list[bytes]:
    whole = {
        "manifest_version": 1, "blinasim": "0", "python": "3", "packages": {}, "engine": "des", "patients": False,
        "scenario": load_scenario("baseline", ["study.replications=1"]).model_dump(mode="json"),
        "parameters": parameters_to_dict(load_parameters()), "files": {},
    }  # fmt: skip
    posterior = {"draws": 3, "fingerprint": "0", "file": "posterior.csv"}
    return [json.dumps(one).encode() for one in (whole, whole | {"parameters": None, "posterior": posterior})]


KINDS: dict[str, Kind] = {
    "scenario": Kind(_scenario, _scenario_seeds),
    "set": Kind(_set, _set_seeds),
    "design": Kind(_design, lambda: _yaml_seeds(data_folder("scenarios") / "trials")),
    "points": Kind(_points, _points_seeds),
    "posterior": Kind(_posterior, _posterior_seeds),
    "cohort": Kind(_cohort, _cohort_seeds),
    "effect": Kind(_effect, _effect_seeds),
    "manifest": Kind(_manifest, _manifest_seeds),
    "policy": Kind(_policy, lambda: [b"{folder}/policy.py:Never", b"policy.py:Always"]),
}


@cache
def seeds_of(kind: str) -> list[bytes]:
    """Return inputs to begin from."""
    return KINDS[kind].seeds()


# --- what reached new code --------------------------------------------------------------------------------------------

#: Of each kind so many inputs are kept, of so many bytes at most.
MOST_KEPT, LARGEST_KEPT = 40, 4_000


def keep(kind: str, inputs: Iterable[bytes]) -> None:
    """Keep some inputs, beside those kept before, in one file; which, depends on the inputs alone."""
    small = [data for data in [*kept(kind), *inputs] if len(data) <= LARGEST_KEPT]
    named = {hashlib.sha256(data).hexdigest()[:12]: data for data in small}
    with zipfile.ZipFile(CORPUS / f"{kind}.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for name in sorted(named)[:MOST_KEPT]:
            # A date of its own would change the file each time.
            file.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), named[name], zipfile.ZIP_DEFLATED)


def kept(kind: str) -> list[bytes]:
    """Return the inputs kept."""
    path = CORPUS / f"{kind}.zip"
    if not path.exists():
        return []
    with zipfile.ZipFile(path) as file:
        return [file.read(name) for name in file.namelist()]
