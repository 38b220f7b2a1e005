"""The relapse clock read from histories ends on the day on which the engines relapse."""

from pathlib import Path

import numpy as np
import pytest

from blinasim.cli.main import _run
from blinasim.engine import des, fast
from blinasim.errors import BlinasimError
from blinasim.luck import Draws, Luck
from blinasim.model.catalogue import load_parameters
from blinasim.model.codes import HORIZON, NEVER, NONE
from blinasim.report import figures
from blinasim.scenario.settings import Scenario
from blinasim.study.batch import live, lives_of
from blinasim.study.relapse_clock import relapse_clock
from blinasim.study.replay import WITHOUT_HSCT, replay, replay_beside
from conformance import build, load
from layout import assert_readable
from worlds import scenario

LIVES = sorted((Path(__file__).parent / "lives").glob("*.yaml"))
POLICIES = {
    "baseline": {},
    "maintenance": {"cycles": {"maintenance": {"offered": True, "days": 200}}},
    "bridging": {"transplant": {"bridging": True}, "cycles": {"maximum": 3}},
    "mid-infusion": {"transplant": {"finish_infusion": False}, "donor_search": {"starts": "enrolment"}},
    "no rest": {"cycles": {"rest_days": 0}},
}


def assert_ends_with(clock, history, patient):
    """Whoever relapses does so on the day the clock runs out; whoever dies has not relapsed before."""
    relapse, death = int(history.relapse[patient]), int(history.death[patient])
    if relapse != NONE:
        assert clock.runs_out == relapse
        assert clock.left(relapse) == 0
        assert clock.left(relapse - 1) > 0 or relapse == clock.remission
        assert clock.relapsed
    else:
        assert clock.runs_out >= (death if death != NONE else HORIZON + 1)
        assert not clock.relapsed
    assert clock.end == (relapse if relapse != NONE else death if death != NONE else HORIZON)
    assert clock.stretches[-1].end == NEVER
    for one, other in zip(clock.stretches, clock.stretches[1:], strict=False):
        assert one.end == other.start


@pytest.mark.parametrize("engine", [des.walk, fast.walk], ids=["des", "fast"])
@pytest.mark.parametrize("path", LIVES, ids=lambda path: path.stem)
def test_hand_worked_lives(path, engine):
    lives = build(load(path))
    history = engine(lives)
    clock = relapse_clock(history, lives)
    assert (clock is None) == (history.remission[0] == NONE)
    if clock is not None:
        assert_ends_with(clock, history, 0)


@pytest.mark.parametrize("engine", [des.walk, fast.walk], ids=["des", "fast"])
@pytest.mark.parametrize("name", POLICIES)
def test_random_patients(name, engine):
    asked = scenario(POLICIES[name], size=400)
    lives = lives_of(asked, load_parameters(), Draws(Luck(11), range(1), 400)).lives
    history = engine(lives)
    relapses = 0
    for patient in np.flatnonzero(history.remission != NONE):
        clock = relapse_clock(history, lives, patient)
        assert_ends_with(clock, history, patient)
        relapses += clock.relapsed
    assert relapses > 50


def test_the_log_knows_the_same_clock():
    asked = scenario(POLICIES["maintenance"], size=120)
    lives = lives_of(asked, load_parameters(), Draws(Luck(5), range(1), 120)).lives
    log = []
    history = des.walk(lives, log)
    seen = 0
    for entry in log:
        clock = relapse_clock(history, lives, entry.patient)
        hsct = history.hsct[entry.patient]
        # After a graft the engine knows the day of relapse, and spends the clock no more.
        if entry.relapse_clock_left > 0 and clock is not None and (hsct == NONE or entry.day <= hsct):
            assert clock.left(entry.day) == entry.relapse_clock_left / 1000
            seen += 1
    assert seen > 150


def test_waiting_for_a_bed_delays_cycles_and_the_clock_follows():
    asked = scenario(size=150).model_dump()
    asked["capacity"] = {"infusion_starts": {"places": 4}}
    whole = Scenario.model_validate(asked)
    lives = lives_of(whole, load_parameters(), Draws(Luck(5), range(1), 150)).lives
    history = des.walk(lives)
    assert np.any(history.cycle_starts[:, 1] > 42)
    for patient in np.flatnonzero(history.remission != NONE):
        assert_ends_with(relapse_clock(history, lives, patient), history, patient)


# ---- the figure


@pytest.fixture(scope="module")
def transplanted():
    """Numbers of some patients of the first trial who were transplanted and later relapsed."""
    history = live(scenario(), load_parameters(), Draws(Luck(1), range(1), 189)).history
    return (1 + np.flatnonzero((history.hsct != NONE) & (history.relapse > history.hsct))).tolist()


def lines_of(drawing):
    """The thick stretches of the clocks, by colour."""
    return [line for line in drawing.axes[0].get_lines() if len(line.get_xdata()) == 2 and line.get_zorder() == 3]


def test_the_line_ends_at_zero_on_the_day_of_relapse(transplanted):
    for patient in transplanted[:5]:
        lives = replay_beside(scenario(), {}, load_parameters(), 1, patient)
        assert list(lives) == ["as treated", WITHOUT_HSCT]
        drawing = figures.clocks(lives)
        relapse = int(lives["as treated"].batch.history.relapse[0])
        hsct = int(lives["as treated"].batch.history.hsct[0])
        drawn = lines_of(drawing)
        assert drawn[0].get_xdata()[0] == lives["as treated"].batch.history.remission[0]
        assert any(line.get_xdata()[0] == hsct for line in drawn)
        shown = drawing.axes[0].get_xlim()[1]
        assert drawn[-1].get_xdata()[1] == min(relapse, shown)
        if relapse <= shown:
            assert drawn[-1].get_ydata()[1] == 0
        assert f"as treated: relapse on day {relapse:,}" in drawing.alt
        without = int(lives[WITHOUT_HSCT].batch.history.relapse[0])
        assert without == NONE or f"{WITHOUT_HSCT}: relapse on day {without:,}." in drawing.alt


def test_slopes_are_speeds(transplanted):
    lives = replay_beside(scenario(), {}, load_parameters(), 1, transplanted[0])
    fates = lives["as treated"].batch.world.lives.fates
    first = lines_of(figures.clocks(lives))[0]
    (start, end), (above, below) = first.get_xdata(), first.get_ydata()
    assert (above - below) / (end - start) == pytest.approx(fates.relapse_speed_rest[0] / 1000)


@pytest.mark.parametrize("patients", [range(1, 13)])
def test_every_patient_can_be_drawn_and_read(patients):
    for patient in patients:
        drawing = figures.clocks(replay_beside(scenario(), {}, load_parameters(), 1, patient))
        assert_readable(drawing)
        assert drawing.alt.endswith(".")
        assert "nan" not in drawing.alt


def test_the_same_patient_under_other_policies(transplanted):
    early = scenario({"donor_search": {"starts": "enrolment"}}, seed=99)
    kept = scenario({"cycles": {"maintenance": {"offered": True}}})
    others = {"early search": early, "maintenance": kept, "a policy with a very long name " * 4: kept}
    lives = replay_beside(scenario(), others, load_parameters(), 1, transplanted[0])
    clocks = {one.batch.world.lives.fates.relapse_clock_millidays[0] for one in lives.values()}
    assert len(clocks) == 1
    drawing = figures.clocks(lives)
    assert_readable(drawing)
    assert "; early search: " in drawing.alt


def test_lives_of_other_patients_are_refused():
    with pytest.raises(BlinasimError, match="other has other patients than as treated"):
        replay_beside(scenario(), {"other": scenario(size=50)}, load_parameters(), 1, 1)
    one, other = (replay(scenario(), load_parameters(), 1, patient=number) for number in (1, 2))
    with pytest.raises(ValueError, match="different patients"):
        figures.clocks({"one": one, "other": other})
    with pytest.raises(ValueError, match="replay one alone"):
        figures.clocks({"all": replay(scenario(), load_parameters(), 1)})
    with pytest.raises(ValueError, match="no life"):
        figures.clocks({})


def test_trace_draws_it(tmp_path, capsys):
    file = tmp_path / "clock.svg"
    command = ["trace", "baseline", "--patient", "8", "--parameters", "point", "--figure", str(file)]
    assert _run(command) == 0
    assert f"Wrote {file}: Relapse clock of " in capsys.readouterr().out
    assert "<svg" in file.read_text(encoding="utf-8")
    for wrong, said in (
        (command, "already exists; choose another name"),
        ([*command[:-1], "clock.jpg"], "figures are written as .png or .svg"),
        ([*command[:-2], "--beside", "haplo_first"], "name a file with --figure"),
        ([*command[:-1], str(tmp_path / "no" / "folder.png")], "cannot be written"),
    ):
        assert _run(wrong) == 2
        assert said in capsys.readouterr().err
    beside = [*command[:-1], str(tmp_path / "two.png"), "--beside", "haplo_first"]
    assert _run(beside) == 0
    assert "; haplo_first: " in capsys.readouterr().out
