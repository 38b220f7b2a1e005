"""Tallies: counted by hand, added in any grouping, stored and read again."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from blinasim.engine import fast
from blinasim.model.codes import NONE
from blinasim.model.records import record_transplants
from blinasim.scenario.settings import Trial
from blinasim.statistics.competing import IncidenceTable
from blinasim.study.batch import World
from blinasim.trial.endpoints import ENDPOINTS
from blinasim.trial.observe import TrialData, observe_all
from blinasim.trial.outcomes import OUTCOMES
from blinasim.trial.tally import Tally, TallySum
from worlds import arrays_of, differing, no_hsct, parameters, scenario, world

TRIALS = 8


@pytest.fixture(scope="module")
def worlds() -> tuple[TrialData, TrialData]:
    """Everything that happened in some trials, and what would have happened without HSCT."""
    words = scenario()
    drawn = world(words, parameters(), range(TRIALS))
    return everything(drawn), everything(replace(drawn, lives=no_hsct(drawn)))


def everything(drawn: World) -> TrialData:
    history = fast.walk(drawn.lives)
    record = record_transplants(history, drawn.lives.fates, drawn.parameters, drawn.draws)
    return observe_all(scenario(), drawn.cohort, history, record)


def tally_of(both: tuple[TrialData, TrialData], trials: slice) -> Tally:
    as_run, without = (
        replace(data, **{name: array[trials] for name, array in arrays_of(data).items()}) for data in both
    )
    return Tally.of(as_run, without, Trial())


def added(tallies: list[Tally]) -> Tally:
    total = TallySum()
    for tally in tallies:
        total.add(tally)
    return total.tally()


@pytest.mark.parametrize("cuts", [(0, 1, 8), (0, 3, 5, 8), tuple(range(9))])
def test_tallies_add_up_in_any_grouping(worlds: tuple[TrialData, TrialData], cuts: tuple[int, ...]) -> None:
    whole = arrays_of(tally_of(worlds, slice(None)))
    parts = [tally_of(worlds, slice(*ends)) for ends in pairwise(cuts)]
    in_one_go, backwards = added(parts), added(parts[::-1])
    by_twos = sum(parts[1:], parts[0])
    for total in (in_one_go, backwards, by_twos):
        assert differing(arrays_of(total), whole) == []


def test_a_tally_holds_its_counts_in_order_and_no_zero(worlds: tuple[TrialData, TrialData]) -> None:
    tally = tally_of(worlds, slice(None))
    assert np.all(np.diff(tally.cells) > 0)
    assert tally.counts.min() >= 1
    assert (tally.cells.dtype, tally.counts.dtype) == (np.int32, np.int64)
    assert tally.cells.size < 20 * 189 * TRIALS  # at most one cell for each patient and thing counted


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.id)
def test_tables_are_those_of_the_outcomes(worlds: tuple[TrialData, TrialData], outcome) -> None:
    """Limits by the rules of recording in the world as run; oracles by the truth, in the world that they are about."""
    tally, (as_run, without) = tally_of(worlds, slice(None)), worlds
    truth = outcome.truth(as_run if outcome.hsct_exists else without, Trial())
    for view, seen in (("limit", outcome.of(as_run, Trial())), ("oracle", truth)):
        expected = IncidenceTable.of(
            seen.time_days, seen.code, seen.member, causes=len(outcome.causes), days=tally.table("os").censored.size
        )
        assert differing(arrays_of(tally.table(outcome.id, view)), arrays_of(expected)) == []
        assert expected.events.sum() > 0


def test_only_outcomes_recorded_as_they_are_have_one_table_for_both_views() -> None:
    assert [outcome.id for outcome in OUTCOMES if outcome.records_the_truth] == ["os", "after_hsct"]


def test_a_stored_tally_is_read_as_it_was(worlds: tuple[TrialData, TrialData], tmp_path) -> None:
    tally = tally_of(worlds, slice(2, 5))
    np.savez(tmp_path / "tally.npz", **tally.to_arrays())
    with np.load(tmp_path / "tally.npz", allow_pickle=False) as stored:
        again = Tally.from_arrays(stored)
    assert differing(arrays_of(again), arrays_of(tally)) == []
    for endpoint in ENDPOINTS:
        for view in ("limit", "oracle"):
            assert again.value(endpoint, view) == tally.value(endpoint, view)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("cells", lambda a: a[:-1]),
        ("cells", lambda a: a[::-1]),
        ("cells", lambda a: a - a[0] - 1),
        ("cells", lambda a: np.append(a[:-1], np.int32(2**31 - 1))),
        ("counts", lambda a: a * 0),
        ("counts", lambda a: a[np.newaxis]),
    ],
)
def test_a_damaged_tally_is_refused(worlds: tuple[TrialData, TrialData], name: str, damage) -> None:
    arrays = tally_of(worlds, slice(0, 1)).to_arrays()
    arrays[name] = damage(arrays[name])
    with pytest.raises(ValueError, match="damaged"):
        Tally.from_arrays(arrays)


def test_a_tally_of_other_endpoints_is_refused(worlds: tuple[TrialData, TrialData]) -> None:
    arrays = tally_of(worlds, slice(0, 1)).to_arrays()
    arrays["layout"] = arrays["layout"] ^ 1
    with pytest.raises(ValueError, match="other outcomes"):
        Tally.from_arrays(arrays)


def test_nobody_in_a_population_is_no_value_rather_than_nought(worlds: tuple[TrialData, TrialData]) -> None:
    nothing = TallySum().tally()
    assert nothing.cells.size == 0
    assert all(nothing.value(endpoint, view) is None for endpoint in ENDPOINTS for view in ("limit", "oracle"))
    as_run, _ = worlds
    nobody = replace(
        as_run,
        responder=np.zeros_like(as_run.responder),
        on_study=np.zeros_like(as_run.on_study),
        remission=np.full_like(as_run.remission, NONE),
    )
    tally = Tally.of(nobody, nobody, Trial())
    values = {endpoint.id: tally.value(endpoint, "limit") for endpoint in ENDPOINTS}
    assert values["rfs"] is None
    assert values["cr_crh"] is None
    assert values["cr"] == 0.0
    assert values["os"] is not None
