"""The swimmer plot: phases and marks of hand-made patients, who is drawn, and that nothing is cut or overlaps."""

from itertools import pairwise

import numpy as np
import pytest

from blinasim import plot
from blinasim.errors import BlinasimError
from blinasim.model.codes import NONE
from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.report import figures, style
from blinasim.scenario.loading import load_scenario
from blinasim.trial.observe import TrialData
from layout import assert_readable, words

SCENARIO = load_scenario("baseline")
TREATMENT, REMISSION, AFTER_HSCT, RELAPSED = "#F3D27A", "#2FB48C", "#00548A", "#E69A5B"
FALSE = ("older", "prior_hsct", "two_or_more_salvage", "blasts_75", "on_study")


def trial_of(*patients):
    """One trial of patients of whom only the words given are known; a responder in cycle 1 unless told otherwise."""
    columns = dict.fromkeys(TrialData.__dataclass_fields__, NONE) | dict.fromkeys(FALSE, False)
    columns |= {"responder": True, "remission": 28, "cycles": 1, "follow_up_days": 300, "potential_days": 300}
    rows = [columns | patient for patient in patients]
    return TrialData(**{name: np.array([[row[name] for row in rows]]) for name in columns})


def bars(drawing):
    """First and last day of each bar of the panel by colour, from the upper lane to the lower one."""
    found = {}
    for patch in sorted(drawing.axes[-1].patches, key=lambda patch: patch.get_y()):
        colour = "#{:02X}{:02X}{:02X}".format(*(round(255 * part) for part in patch.get_facecolor()[:3]))
        first, last = patch.get_x(), patch.get_x() + patch.get_width()
        found.setdefault(colour, []).append((round(first * DAYS_PER_MONTH), round(last * DAYS_PER_MONTH)))
    return found


def marks(drawing):
    """Days of each mark of the panel, in the order of drawing; empty ones left out."""
    lines = drawing.axes[-1].get_lines()
    named = zip(("remission", "on_study", "later", "relapse", "switch", "dead", "alive", "lost"), lines, strict=True)
    found = {name: [round(x * DAYS_PER_MONTH) for x in line.get_xdata()] for name, line in named}
    return {name: days for name, days in found.items() if days}


def drawn_patients(drawing):
    return [int(text.get_text()) for text in drawing.axes[-1].texts if text.get_text().isdigit()]


def draw(*patients, **how):
    return figures.swimmer(trial_of(*patients), SCENARIO, **how)


# ---- what a lane shows


def test_cycles_then_remission_off_the_drug():
    drawing = draw({"cycles": 3})  # the third infusion ends on day 2 * 42 + 28
    assert bars(drawing) == {TREATMENT: [(0, 112)], REMISSION: [(112, 300)]}
    assert marks(drawing) == {"remission": [28], "alive": [300]}


def test_transplanted_on_study_then_relapsed():
    drawing = draw({"cycles": 2, "hsct": 80, "on_study": True, "relapse_detected": 154, "follow_up_days": 200,
                    "potential_days": 400, "death": 200})  # fmt: skip
    assert bars(drawing) == {
        TREATMENT: [(0, 70)],
        REMISSION: [(70, 80)],
        AFTER_HSCT: [(80, 154)],
        RELAPSED: [(154, 200)],
    }
    assert marks(drawing) == {"remission": [28], "on_study": [80], "relapse": [154], "dead": [200]}


def test_the_relapsed_stay_so_after_a_later_transplant():
    drawing = draw({"cycles": 3, "relapse_detected": 100, "hsct": 160})
    assert bars(drawing) == {TREATMENT: [(0, 100)], RELAPSED: [(100, 300)]}
    assert marks(drawing) == {"remission": [28], "later": [160], "relapse": [100], "alive": [300]}


def test_a_switch_ends_the_drug_and_a_transplant_after_it_is_later():
    drawing = draw({"cycles": 2, "switch": 50, "hsct": 90, "follow_up_days": 120})
    assert bars(drawing) == {TREATMENT: [(0, 50)], REMISSION: [(50, 90)], AFTER_HSCT: [(90, 120)]}
    assert marks(drawing) == {"remission": [28], "later": [90], "switch": [50], "lost": [120]}


def test_the_relapse_that_nobody_saw_is_not_drawn():
    drawing = draw({"cycles": 1, "relapse": 60})
    assert bars(drawing) == {TREATMENT: [(0, 28)], REMISSION: [(28, 300)]}


def test_the_cut_off_ends_an_infusion_under_way():
    drawing = draw({"cycles": 2, "follow_up_days": 50, "potential_days": 50})
    assert bars(drawing) == {TREATMENT: [(0, 50)]}


def test_a_relapse_is_a_thinner_bar():
    panel = draw({"relapse_detected": 100}).axes[-1]
    assert len({round(patch.get_height(), 3) for patch in panel.patches}) == 2


# ---- who is drawn, and in which order


def test_responders_by_group_the_longest_first():
    short, long = {"follow_up_days": 100}, {"follow_up_days": 290}
    graft = {"hsct": 90, "on_study": True}
    drawing = draw(short, long | graft, {"responder": False}, long, short | graft, long | {"switch": 40, "hsct": 80})
    assert drawn_patients(drawing) == [2, 5, 6, 4, 1]
    said = [text.get_text() for text in words(drawing)]
    assert [line for line in said if "HSCT" in line and ":" in line] == [
        "HSCT on study: 2",
        "HSCT later, after a relapse or a switch: 1",
        "No HSCT by the cut-off: 2",
    ]


def test_of_too_many_evenly_spaced_ones_are_drawn_and_the_figure_says_so():
    drawing = draw(*({"follow_up_days": 600 - day, "potential_days": 600} for day in range(500)), patients=100)
    patients = drawn_patients(drawing)
    assert len(patients) == 100
    assert (patients[0], patients[-1]) == (1, 500)
    assert set(np.diff(patients)) == {5, 6}
    said = [text.get_text() for text in words(drawing)]
    assert "Drawn are 100 of 500, evenly spaced in this order." in said
    assert "No HSCT by the cut-off: 100 of 500 drawn" in said
    assert drawing.alt.endswith("; 100 of them drawn.")


def test_rows_are_trials():
    one, other = trial_of({"cycles": 1}), trial_of({"cycles": 3})
    both = TrialData(**{name: np.concatenate([column, getattr(other, name)]) for name, column in vars(one).items()})
    assert bars(figures.swimmer(both, SCENARIO, trial=2))[TREATMENT] == [(0, 112)]
    assert bars(figures.swimmer(both, SCENARIO, trial=12, first_trial=11))[TREATMENT] == [(0, 112)]
    for trial in (0, 3):
        with pytest.raises(ValueError, match=f"trial {trial}: here are trials 1 to 2"):
            figures.swimmer(both, SCENARIO, trial=trial)


def test_no_lane_is_refused():
    with pytest.raises(ValueError, match="at least one lane"):
        draw({}, patients=0)


# ---- words


def test_alternative_text_holds_the_numbers():
    drawing = draw(
        {"hsct": 70, "on_study": True, "death": 290, "follow_up_days": 290},
        {"relapse_detected": 70, "hsct": 150},
        {"relapse_detected": 70, "follow_up_days": 200},
        {"responder": False},
    )
    assert drawing.alt == (
        "Swimmer plot of 3 responders among 4 patients of simulated trial 1 at its data cut-off: 1 transplanted on"
        " study, 1 later and 1 not; relapse detected in 2; 1 died, 1 alive at the cut-off, 1 lost to follow-up."
    )


def test_nobody_responded():
    drawing = draw({"responder": False}, {"responder": False})
    assert drawing.alt == "Swimmer plot of simulated trial 1: none of 2 patients responded."
    assert "Nobody reached a CR" in " ".join(text.get_text() for text in words(drawing))
    assert style.render(drawing, ".png")


# ---- simulated trials


def sized(size):
    return SCENARIO.model_copy(update={"cohort": SCENARIO.cohort.model_copy(update={"size": size})})


@pytest.fixture(scope="module")
def simulated():
    return {size: plot.swimmer(sized(size)) for size in (189, 1200)}


LAYOUTS = {
    "a trial": lambda simulated: simulated[189],
    "a large trial": lambda simulated: simulated[1200],
    "one lane": lambda _: draw({"hsct": 90, "on_study": True}),
    "one day": lambda _: draw({"remission": 28, "follow_up_days": 28, "potential_days": 28}),
    "a lifetime": lambda _: draw({"follow_up_days": 36_525, "potential_days": 36_525}),
    "three groups of one": lambda _: draw({"hsct": 90, "on_study": True}, {"switch": 40, "hsct": 90}, {}),
    "nobody": lambda _: draw({"responder": False}),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_no_text_is_cut_or_lies_on_another(name, simulated):
    drawing = LAYOUTS[name](simulated)
    assert_readable(drawing)


@pytest.mark.parametrize("name", LAYOUTS)
def test_marks_stay_on_the_page(name, simulated):
    drawing = LAYOUTS[name](simulated)
    drawing.draw_without_rendering()
    for axes in drawing.axes:
        for line in axes.get_lines():
            if len(line.get_xdata()):
                assert line.get_window_extent().x1 <= drawing.bbox.x1


def test_all_responders_of_a_trial_have_a_lane(simulated):
    count = len(drawn_patients(simulated[189]))
    assert simulated[189].alt.startswith(f"Swimmer plot of {count} responders among 189 patients of simulated trial 1 ")
    assert len(drawn_patients(simulated[1200])) == 100


def test_bars_of_a_lane_follow_one_another(simulated):
    panel = simulated[189].axes[-1]
    lanes = {}
    for patch in panel.patches:
        middle = round(patch.get_y() + patch.get_height() / 2, 4)
        lanes.setdefault(middle, []).append((patch.get_x(), patch.get_x() + patch.get_width()))
    for pieces in lanes.values():
        pieces.sort()
        assert pieces[0][0] == 0
        for (_, last), (first, _) in pairwise(pieces):
            assert first == pytest.approx(last)


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_same_trial_gives_the_same_bytes(suffix):
    first, again = (plot.swimmer(sized(60), trial=3) for _ in range(2))
    assert "trial 3" in first.alt
    assert style.render(first, suffix) == style.render(first, suffix) == style.render(again, suffix)


def test_trials_count_from_one():
    with pytest.raises(BlinasimError, match=r"^trial 0: trials count from 1$"):
        plot.swimmer(SCENARIO, trial=0)
