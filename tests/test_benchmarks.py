"""The benchmarks run, at tiny sizes, and refuse to time what does not agree. How fast anything is, is not tested."""

import re
import subprocess
import sys
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
BENCHMARKS = REPOSITORY / "benchmarks"


@pytest.fixture(autouse=True)
def _scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the benchmarks importable by the names that they call each other."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))


@pytest.fixture
def peers() -> ModuleType:
    import peers

    return peers


def _rows(section: str) -> dict[str, list[str]]:
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines[2:]}


@pytest.mark.slow
def test_every_script_is_run_and_the_page_written_without_name_or_path_of_the_machine(
    tmp_path: Path,
) -> None:
    import run_all

    page = tmp_path / "benchmarks.md"
    command = [sys.executable, BENCHMARKS / "run_all.py", "--quick", "--out", page]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    head, *sections = page.read_text(encoding="utf-8").split("\n## ")
    on_their_own = {path.stem for path in BENCHMARKS.glob("*.py") if "run_as_script(measure, quick" in path.read_text()}
    assert set(run_all.SCRIPTS) == on_their_own
    assert len(sections) == len(on_their_own)
    assert "cores, " in head
    assert re.search(r"numpy \d", head)
    assert str(REPOSITORY) not in page.read_text(encoding="utf-8")
    for section in sections:
        rows = _rows(section)
        assert rows, section
        for cells in rows.values():
            assert all(re.match(r"[\d,.]+( \([\d,.]+-[\d,.]+\))?$", cell) for cell in cells), section
    engines = _rows(sections[run_all.SCRIPTS.index("engines")])
    assert float(engines["engine `des`"][2]) == 1.0  # against itself


@pytest.mark.parametrize("package", ["simpy", "numpy", "ciw", "salabim"])
def test_a_library_finds_the_exact_mean_time_to_the_end(peers: ModuleType, package: str) -> None:
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed (extra bench): it is not compared here")
    (library,) = (each for each in peers.LIBRARIES if each.package == package)
    peers.check_mean(library.name, library.walk(3), 3)


def test_simpy_and_salabim_live_the_same_lives_from_the_same_seeds(peers: ModuleType) -> None:
    if find_spec("salabim") is None:
        pytest.skip("salabim is not installed (extra bench): it is not compared here")
    assert sorted(peers.in_salabim(2)) == pytest.approx(sorted(peers.in_simpy(2)), rel=1e-9)


def test_a_library_that_loses_patients_or_time_is_not_timed(peers: ModuleType) -> None:
    days = list(peers.in_simpy(3))
    with pytest.raises(ArithmeticError, match="566 of 567 patients"):
        peers.check_mean("SimPy", days[1:], 3)
    with pytest.raises(ArithmeticError, match="not timed"):
        peers.check_mean("SimPy", [1.5 * each for each in days], 3)


def test_the_exact_mean_of_the_pathway_is_that_of_its_routes_added_up(peers: ModuleType) -> None:
    def remaining(name: str) -> float:
        (stage,) = (each for each in peers.PATHWAY if each.name == name)
        return float(stage.moment(1) + sum(chance * remaining(after) for after, chance in stage.then.items()))

    mean, deviation = peers.exact_mean_and_deviation()
    assert mean == pytest.approx(remaining("cycle 1"), rel=1e-12)
    assert deviation > 0
    assert len(peers.PATHWAY) == 8


def test_spreads_and_ratios_are_taken_round_by_round() -> None:
    from measure import Spread, figure, in_turn

    assert Spread.of_ratios([2.0, 30.0, 8.0], [1.0, 10.0, 2.0]) == Spread(3.0, 2.0, 4.0)
    assert str(Spread.of_rates(10, [1.0, 2.0, 4.0])) == "5.00 (2.50-10.0)"
    assert [figure(value) for value in (0, 0.01234, 1.0, 45.67, 123456.7)] == ["0", "0.0123", "1.00", "45.7", "123,457"]
    asked, clock = [], count()
    jobs = {"a": lambda: asked.append("a"), "b": lambda: asked.append("b")}
    assert in_turn(jobs, 2, clock=lambda: next(clock)) == {"a": [1, 1], "b": [1, 1]}
    assert "".join(asked) == "ababab"  # in turn, after a round that does not count
