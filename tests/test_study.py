"""Studies: totals that add up over batches, and the public interface."""

import dataclasses
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

import blinasim as bs
from blinasim.errors import ScenarioError
from blinasim.study import chunks
from blinasim.study import simulate as study
from blinasim.study.executors import in_order
from blinasim.trial.tally import Tally
from worlds import arrays_of, differing, parameters, scenario


def same(one: study.Result, other: study.Result) -> bool:
    """Every number of two results, to the last bit."""
    estimates = all(
        differing(arrays_of(one.estimates[key]), arrays_of(other.estimates[key])) == []
        and one.limits[key] == other.limits[key]
        and one.oracles[key] == other.oracles[key]
        for key in one.estimates
    )
    curves = all(differing(arrays_of(one.curves[key]), arrays_of(other.curves[key])) == [] for key in one.curves)
    return estimates and curves and np.array_equal(one.occupancy, other.occupancy)


@pytest.mark.parametrize("patients", [1, 189, 400, 10_000])
def test_batches_do_not_change_a_number(monkeypatch: pytest.MonkeyPatch, patients: int) -> None:
    whole = study.simulate(scenario(replications=7))
    monkeypatch.setattr(chunks, "CHUNK_PATIENTS", patients)
    assert same(whole, study.simulate(scenario(replications=7)))


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_worker_processes_give_the_same_numbers(start: str) -> None:
    asked = scenario(replications=9)
    with ProcessPoolExecutor(2, mp_context=get_context(start)) as pool:
        assert same(study.simulate(asked), study.simulate(asked, executor=pool, chunk=2))


def test_a_worker_that_fails_is_heard() -> None:
    with ThreadPoolExecutor(2) as pool, pytest.raises(ZeroDivisionError):
        list(in_order(lambda piece: 1 // piece, [1, 2, 0, 3], pool))


def test_work_comes_back_in_order_and_not_too_far_ahead() -> None:
    begun: list[int] = []

    def job(piece: int) -> int:
        begun.append(piece)
        time.sleep(0.002 * (piece % 3))
        return piece

    with ThreadPoolExecutor(4) as pool:
        for expected, came in enumerate(in_order(job, range(60), pool)):
            assert came == expected
            assert max(begun) <= came + 16


def test_both_engines_give_the_same_numbers() -> None:
    asked = scenario(replications=5)
    assert same(study.simulate(asked, engine="des"), study.simulate(asked, engine="fast"))


def test_tallies_are_kept_as_totals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory must not grow with the patients: however many batches, the tallies alive stay as few."""
    alive: list[int] = []
    made: list[Tally] = []
    original = Tally.of

    def counting(*arguments: object, **named: object) -> Tally:
        import gc

        tally = original(*arguments, **named)  # type: ignore[arg-type]
        made.append(tally) if not made else None
        alive.append(sum(isinstance(thing, Tally) for thing in gc.get_objects()))
        return tally

    monkeypatch.setattr(Tally, "of", counting)
    study.simulate(scenario(replications=12), chunk=1)
    assert len(alive) == 12
    assert max(alive[-3:]) <= max(alive[:3]) + 1


def test_no_rest_between_infusions_loses_no_response() -> None:
    """With no rest the assessment of cycle 2 falls on day 56, the first day of what would be cycle 3."""
    for rest_days in (0, 1):
        result = study.simulate(scenario({"cycles": {"rest_days": rest_days}}, replications=20))
        assert result.limits["cr"] == pytest.approx(0.43, abs=0.03)
        assert result.limits["cr_cycle_1"] == pytest.approx(0.81, abs=0.03)


def test_the_limit_of_a_median_attribute_is_the_ordinary_median() -> None:
    result = study.simulate(scenario(size=4, replications=1))
    assert result.limits["age"] == result.estimates["age"].value[0]


def test_parameters_of_ones_own() -> None:
    hopeless = parameters({"response.probability": 1e-12})
    result = bs.simulate("baseline", replications=2, parameters=hopeless)
    assert result.limits["cr"] == 0.0
    assert dataclasses.replace(bs.load_parameters()) == bs.load_parameters()


@pytest.mark.parametrize(("given", "what"), [({"replications": 0}, "study.replications"), ({"seed": -1}, "study.seed")])
def test_a_wrong_number_is_a_scenario_error(given: dict[str, int], what: str) -> None:
    with pytest.raises(ScenarioError, match=what):
        bs.simulate("baseline", **given)  # type: ignore[arg-type]


def test_the_results_table_is_a_frame() -> None:
    table = bs.results_table(bs.simulate("baseline", replications=3)).set_index("id")
    assert table.loc["hsct", "published"] == pytest.approx(32 / 81)
    assert table.loc["os", "trials"] == 3
