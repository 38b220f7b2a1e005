"""Luck against its own description: a Philox written out here, frozen numbers, and no word used twice."""

import ast
import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from blinasim import luck as luck_module
from blinasim.engine import des
from blinasim.luck import TILE, Draws, Luck
from blinasim.model import fates
from blinasim.model.records import record_transplants
from blinasim.study.batch import lives_of
from blinasim.study.simulate import simulate
from blinasim.trial.observe import observe
from worlds import parameters, scenario

WORD = 2**64


#: What is drawn for the time before a remission or a failure, or decides whose donor, record and trial it is; and what
#: is of no patient. By the first word of the name: a new one is to be said here or in ``FROM_REMISSION_OR_FAILURE_ON``.
DRAWN_ONCE = frozenset(
    {"cohort", "response", "early_death", "progression", "stop", "candidacy", "donor", "record", "trial", "design",
     "others", "posterior", "sensitivity", "truth", "ties", "verify", "optimize"}
)  # fmt: skip


def names_drawn(source: Path) -> set[str]:
    """The names of all luck that a file asks for; of one put together, its beginning."""
    calls = [node for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    asked = [call.args[0] for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "uniform"]
    words = [node.values[0] if isinstance(node, ast.JoinedStr) else node for node in asked]
    return {str(node.value) for node in words if isinstance(node, ast.Constant)}


def test_all_luck_is_said_to_be_drawn_again_or_once() -> None:
    source = Path(fates.__file__).parents[2]
    drawn = set().union(*(names_drawn(path) for path in source.rglob("*.py")))
    assert drawn >= fates.FROM_REMISSION_OR_FAILURE_ON
    assert {name.partition(".")[0] for name in drawn - fates.FROM_REMISSION_OR_FAILURE_ON} == DRAWN_ONCE


# --- the description, written a second time --------------------------------------------------------


def philox(counter: list[int], key: list[int]) -> list[int]:
    """Philox4x64 of ten rounds (Salmon et al., SC11), in whole numbers of Python."""
    a, b, c, d = counter
    for turn in range(10):
        first = (key[0] + turn * 0x9E3779B97F4A7C15) % WORD
        second = (key[1] + turn * 0xBB67AE8584CAA73B) % WORD
        high_a, low_a = divmod(0xD2E7470EE14C6C93 * a, WORD)
        high_c, low_c = divmod(0xCA5A826395121157 * c, WORD)
        a, b, c, d = high_c ^ b ^ first, low_c, high_a ^ d ^ second, low_a
    return [a, b, c, d]


def described(seed: int, name: str, replication: int, patient: int) -> float:
    """SPECIFICATION 10, with the layout of luck.py: 48 steps of four words a tile and replication."""
    digest = hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=16).digest()
    key = [int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")]
    tile, place = divmod(patient, 192)
    # NumPy steps the counter before it draws.
    words = philox([replication * 48 + place // 4 + 1, tile, 0, 0], key)
    return (words[place % 4] // 2**12 + 0.5) / 2**52


def test_the_philox_written_here_gives_the_known_answers_of_random123() -> None:
    zeros = [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]
    ones = [0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0]

    assert philox([0] * 4, [0] * 2) == zeros
    assert philox([WORD - 1] * 4, [WORD - 1] * 2) == ones


@pytest.mark.parametrize("seed", [0, 1, 7, -1, -(10**30), 2**63 - 1, 2**63, 10**40])
@pytest.mark.parametrize("name", ["relapse.clock", "cohort.age", "", "Ä:1"])
def test_luck_is_what_the_specification_describes(seed: int, name: str) -> None:
    replications, patients = range(2, 4), 2 * TILE + 5
    drawn = Luck(seed).uniform(name, replications, patients)

    for row, replication in enumerate(replications):
        for patient in (0, 1, 3, 4, 190, 191, 192, 195, 196, 383, 384, 388):
            assert drawn[row, patient] == described(seed, name, replication, patient)


@pytest.mark.parametrize(
    ("seed", "name", "replication", "patient", "value"),
    [
        (1, "relapse.clock", 0, 0, "0x1.308fe1fe6dba0p-6"),
        (1, "relapse.clock", 0, 188, "0x1.2c569d869db52p-2"),
        (1, "relapse.clock", 0, 192, "0x1.50ca46d1017c4p-3"),
        (1, "relapse.clock", 199, 17, "0x1.060b42f31d05cp-3"),
        (1, "cohort.age", 0, 0, "0x1.222cba3a5008fp-1"),
        (2, "relapse.clock", 0, 0, "0x1.ebae1ca4fa1f9p-1"),
        (20120724, "donor.sibling", 9_999_999, 999_999, "0x1.a9ef33a9b35d1p-1"),
    ],
)
def test_luck_never_changes(seed: int, name: str, replication: int, patient: int, value: str) -> None:
    drawn = Luck(seed).uniform(name, range(replication, replication + 1), 1, first_patient=patient)

    assert drawn.shape == (1, 1)
    assert drawn[0, 0].hex() == value


# --- blocks ------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    first=st.integers(0, 9),
    count=st.integers(0, 6),
    first_patient=st.integers(0, 2 * TILE + 10),
    patients=st.integers(0, TILE + 20),
)
@example(first=0, count=3, first_patient=0, patients=TILE)
@example(first=3, count=2, first_patient=TILE - 1, patients=2)
@example(first=3, count=2, first_patient=TILE, patients=TILE)
@example(first=3, count=2, first_patient=TILE - 1, patients=1)
def test_a_block_drawn_alone_is_a_slice_of_the_whole(first: int, count: int, first_patient: int, patients: int) -> None:
    luck = Luck(3)
    whole = luck.uniform("relapse.clock", range(16), 4 * TILE)

    block = luck.uniform("relapse.clock", range(first, first + count), patients, first_patient)

    expected = whole[first : first + count, first_patient : first_patient + patients]
    assert block.shape == (count, patients)
    assert block.tobytes() == expected.tobytes()


def test_draws_are_the_luck_of_their_block() -> None:
    draws = Draws(Luck(5), range(4, 7), 200)

    assert draws.replications == 3
    assert np.array_equal(draws.uniform("x"), Luck(5).uniform("x", range(9), 300)[4:7, :200])


def test_replications_must_be_contiguous() -> None:
    with pytest.raises(ValueError, match="contiguous"):
        Luck(1).uniform("x", range(0, 6, 2), 3)


# --- what a uniform is -----------------------------------------------------------------------------


def test_a_uniform_is_an_odd_number_of_half_steps_strictly_between_0_and_1() -> None:
    drawn = Luck(1).uniform("x", range(100), 2000)
    halves = drawn * 2.0**53

    assert np.all((drawn > 0.0) & (drawn < 1.0))
    assert np.all(halves == np.floor(halves))
    assert np.all(halves % 2 == 1)


@pytest.mark.parametrize(("word", "value"), [(0, 2.0**-53), (WORD - 1, 1.0 - 2.0**-53)])
def test_not_even_the_outermost_words_give_0_or_1(monkeypatch: pytest.MonkeyPatch, word: int, value: float) -> None:
    def words(*_: object) -> np.ndarray:
        return np.full((1, TILE), word, dtype=np.uint64)

    monkeypatch.setattr(luck_module, "_tile_words", words)
    drawn = Luck(1).uniform("x", range(1), 3)

    assert np.all(drawn == value)
    assert 0.0 < value < 1.0


@pytest.mark.parametrize("name", ["relapse.clock", "cohort.age", "trial.loss"])
def test_uniforms_look_uniform(name: str) -> None:
    drawn = Luck(11).uniform(name, range(1000), 189)
    n = drawn.size

    assert abs(drawn.mean() - 0.5) < 4 * np.sqrt(1 / 12 / n)
    assert abs(drawn.var() - 1 / 12) < 4 * np.sqrt(1 / 180 / n)
    assert stats.kstest(drawn.ravel(), "uniform").pvalue > 1e-3
    cells = np.bincount((drawn * 256).astype(int).ravel(), minlength=256)
    assert stats.chisquare(cells).pvalue > 1e-3


@pytest.mark.parametrize(
    "neighbour",
    [
        lambda u: (u(1, "x")[:, 1:], u(1, "x")[:, :-1]),  # the next patient
        lambda u: (u(1, "x")[:, 4:], u(1, "x")[:, :-4]),  # the next step of the counter
        lambda u: (u(1, "x")[1:], u(1, "x")[:-1]),  # the next replication
        lambda u: (u(1, "x")[:, TILE : 2 * TILE], u(1, "x")[:, :TILE]),  # the next tile
        lambda u: (u(1, "x"), u(2, "x")),  # the next seed
        lambda u: (u(1, "x"), u(-1, "x")),
        lambda u: (u(1, "x"), u(1, "y")),  # another decision
        lambda u: (u(1, "1:x"), u(11, "x")),
    ],
)
def test_neighbours_are_independent(
    neighbour: Callable[[Callable[[int, str], np.ndarray]], tuple[np.ndarray, np.ndarray]],
) -> None:
    one, other = neighbour(lambda seed, name: Luck(seed).uniform(name, range(300), 2 * TILE))

    pairs = np.histogram2d(one.ravel(), other.ravel(), bins=8, range=[[0, 1], [0, 1]])[0]
    assert stats.chisquare(pairs.ravel()).pvalue > 1e-3


# --- names -------------------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts how often each decision is asked for from here on."""
    names: Counter[str] = Counter()
    uniform = Luck.uniform

    def spy(self: Luck, name: str, *rest: object) -> np.ndarray:
        names[name] += 1
        return uniform(self, name, *rest)

    monkeypatch.setattr(Luck, "uniform", spy)
    return names


def ask_one_world() -> None:
    """Cohort, fates, histories, records and the trial's view of one chunk of replications."""
    baseline, values = scenario(size=40), parameters()
    draws = Draws(Luck(1), range(2), 40)
    world = lives_of(baseline, values, draws)
    history = des.walk(world.lives)
    record = record_transplants(history, world.lives.fates, values, draws)
    observe(baseline, world.cohort, history, record, draws)


def test_each_decision_is_drawn_once_in_a_world(asked: Counter[str]) -> None:
    ask_one_world()

    assert len(asked) > 30
    assert {name: times for name, times in asked.items() if times > 1} == {}


def test_a_study_draws_no_other_decisions(asked: Counter[str]) -> None:
    ask_one_world()
    once = Counter(asked)
    asked.clear()

    simulate(scenario(size=40, replications=2))

    # The record is written twice with the same luck: as run, and in the world without HSCT.
    twice = Counter(name for name in once if name.startswith("record."))
    assert len(twice) == 2
    assert asked == once + twice


def test_no_two_decisions_share_a_key(asked: Counter[str]) -> None:
    ask_one_world()
    keys = {tuple(Luck(seed).key(name).tolist()) for name in asked for seed in (0, 1, 2, -1, 12)}

    assert len(keys) == 5 * len(asked)


def test_no_number_is_used_twice(asked: Counter[str]) -> None:
    ask_one_world()
    names = sorted(asked)
    drawn = [Luck(1).uniform(name, range(30), 3 * TILE).ravel() for name in names]
    drawn.append(Luck(2).uniform(names[0], range(30), 3 * TILE).ravel())
    numbers = np.sort(np.concatenate(drawn))

    # 52 bits: among 700,000 of them two would meet by chance once in 18,000 worlds.
    assert numbers.size > 600_000
    assert np.all(np.diff(numbers) > 0)
