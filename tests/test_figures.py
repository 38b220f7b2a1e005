"""Figures: what they show, that they survive small trials, and that their files are repeatable."""

import subprocess
import sys
from dataclasses import replace

import matplotlib
import numpy as np
import pytest

from blinasim import plot
from blinasim.luck import Draws, Luck
from blinasim.report import figures, style
from blinasim.report.rows import rows_of
from blinasim.scenario.loading import load_scenario
from blinasim.study.batch import live
from blinasim.study.simulate import simulate
from blinasim.trial.occupancy import State
from blinasim.trial.outcomes import first_after_remission
from layout import assert_readable, words


def run(replications, size, offered=True):
    scenario = load_scenario("baseline")
    policy = scenario.policy
    transplant = policy.transplant.model_copy(update={"offered": offered})
    changes = {
        "study": scenario.study.model_copy(update={"replications": replications}),
        "cohort": scenario.cohort.model_copy(update={"size": size}),
        "policy": policy.model_copy(update={"transplant": transplant}),
    }
    return simulate(scenario.model_copy(update=changes))


@pytest.fixture(scope="module")
def result():
    return run(40, 60)


@pytest.fixture(scope="module")
def nobody_transplanted():
    return run(3, 10, offered=False)


DRAW = {
    "survival": plot.survival,
    "relapse": lambda result: plot.survival(result, "rfs", "rfs_cens"),
    "after": lambda result: plot.survival(result, "after_hsct", None),
    "forest": plot.forest,
    "incidence": plot.cumulative_incidence,
    "occupancy": plot.occupancy,
}


# ---- files


@pytest.mark.parametrize("suffix", [".png", ".svg"])
@pytest.mark.parametrize("draw", [plot.survival, plot.forest, plot.occupancy])
def test_saving_twice_gives_the_same_bytes(result, tmp_path, draw, suffix):
    drawing = draw(result)
    files = [style.save(drawing, tmp_path / f"{name}{suffix}") for name in ("first", "again")]
    files.append(style.save(draw(result), tmp_path / f"redrawn{suffix}"))
    assert len({file.read_bytes() for file in files}) == 1


def test_the_file_says_what_the_figure_shows_and_nothing_of_the_moment(result):
    drawing = plot.occupancy(result)
    svg = style.render(drawing, ".svg").decode()
    assert "dc:date" not in svg
    assert drawing.alt in svg
    assert drawing.alt.encode() in style.render(drawing, ".png")
    assert b"Software" not in style.render(drawing, ".png")


def test_the_users_own_style_neither_matters_nor_changes(result):
    before = style.render(plot.occupancy(result), ".png")
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red", "savefig.bbox": "tight"}):
        mine = dict(matplotlib.rcParams)
        assert style.render(plot.occupancy(result), ".png") == before
        assert dict(matplotlib.rcParams) == mine


def test_other_formats_are_refused(result, tmp_path):
    with pytest.raises(ValueError, match=r"\.jpg: figures are written as \.png or \.svg"):
        style.save(plot.occupancy(result), tmp_path / "figure.jpg")


def test_no_pyplot():
    code = "import blinasim.plot, sys; print('matplotlib.pyplot' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


def test_a_figure_shows_itself_in_a_notebook(result):
    assert plot.occupancy(result)._repr_png_().startswith(b"\x89PNG")


# ---- layout


@pytest.mark.parametrize("trials", ["result", "nobody_transplanted"])
@pytest.mark.parametrize("name", DRAW)
def test_no_text_is_cut_or_lies_on_another(name, trials, request):
    drawing = DRAW[name](request.getfixturevalue(trials))
    assert_readable(drawing)


@pytest.mark.parametrize("name", DRAW)
def test_nobody_transplanted_can_be_drawn(name, nobody_transplanted):
    drawing = DRAW[name](nobody_transplanted)
    assert style.render(drawing, ".png")
    assert drawing.alt.endswith(".")
    assert "nan" not in drawing.alt
    assert not any("nan" in text.get_text() for text in words(drawing))


def test_one_trial_of_one_patient_can_be_drawn():
    alone = run(1, 1)
    for draw in DRAW.values():
        assert style.render(draw(alone), ".png")


# ---- survival


def lines(axes, colour):
    return [line for line in axes.get_lines() if line.get_color() == colour]


def test_curves_never_rise_and_end_where_most_trials_have_ended(result):
    values = result.curves["os"].survival.copy()
    values[:25, 40:] = np.nan  # 15 of 40 trials go on
    curves = {**result.curves, "os": replace(result.curves["os"], survival=values)}
    axes = plot.survival(replace(result, curves=curves)).axes[0]
    middle = lines(axes, style.SIMULATED)[0]
    assert np.all(np.diff(middle.get_ydata()) <= 0)
    assert middle.get_xdata()[-1] == pytest.approx(39 * 7 / 30.4375)
    np.testing.assert_allclose(middle.get_ydata()[:20], 100 * np.median(values[:, :20], axis=0))


def test_published_medians_stand_at_half(result):
    axes = plot.survival(result).axes[0]
    diamonds = [line for line in axes.get_lines() if line.get_marker() == "D"]
    assert [line.get_xdata()[0] for line in diamonds] == [6.1, 5.1]
    assert all(abs(line.get_ydata()[0] - 50) < 2 for line in diamonds)


def test_at_risk_stands_under_the_ticks(result):
    drawing = plot.survival(result)
    at_risk = result.curves["os"].at_risk
    shown = {text.get_position()[0]: text.get_text() for text in words(drawing) if text.get_color() == style.SIMULATED}
    for month, week in ((0, 0), (3, 13), (6, 26), (12, 52)):
        assert shown[month] == f"{np.median(at_risk[:, week]):.0f}"


def test_alternative_text_of_survival_holds_the_medians(result):
    alt = plot.survival(result).alt
    assert alt.startswith("Kaplan-Meier curves of 40 simulated trials: median overall survival ")
    assert "published 6.1 (4.2–7.5); median censored at HSCT " in alt


# ---- cumulative incidence


def test_incidences_are_drawn_as_the_median_of_the_trials(result):
    first, second = plot.cumulative_incidence(result).axes
    for axes, outcome, labels in ((first, "after_remission", 3), (second, "cause_after_hsct", 2)):
        of_trials = result.curves[outcome].incidences.of_trials
        assert of_trials.shape[1] == labels
        thick = [line for line in axes.get_lines() if line.get_linewidth() == 2.0]
        for code, line in enumerate(thick):
            np.testing.assert_allclose(line.get_ydata()[:15], 100 * np.median(of_trials[:, code, :15], axis=0))
            assert np.all(np.diff(line.get_ydata()) >= 0)
        assert len({str(line.get_linestyle()) + str(line._unscaled_dash_pattern) for line in thick}) == labels


@pytest.mark.parametrize("outcome", ["after_remission", "cause_after_hsct"])
def test_incidences_and_those_without_an_event_are_everybody(result, outcome):
    curves = result.curves[outcome]
    together = curves.incidences.of_trials.sum(axis=1) + curves.survival
    assert np.array_equal(np.isnan(together), np.isnan(curves.survival))
    np.testing.assert_allclose(together[~np.isnan(together)], 1.0)
    np.testing.assert_allclose(curves.incidences.limit.sum(axis=0) + curves.limit, 1.0)


def test_incidences_meet_the_endpoints(result):
    week = round(6 * 30.4375 / 7)
    after = result.curves["after_remission"].incidences.limit[:, week]
    limits = [result.limits[name] for name in ("hsct_6_months", "relapse_6_months", "death_6_months")]
    np.testing.assert_allclose(after, limits, atol=0.01)


def test_one_trial_of_incidences_equals_lifelines(result):
    from lifelines import AalenJohansenFitter

    draws = Draws(Luck(result.scenario.study.seed), range(4, 5), 60)
    seen = live(result.scenario, result.parameters, draws).seen
    outcome = first_after_remission(seen, result.scenario.trial)
    who = outcome.member[0]
    time, code = outcome.time_days[0, who].astype(float), outcome.code[0, who]
    # lifelines moves ties at random; here each event stays before the censorings of its day, by a little.
    time += np.where(code == 0, 0.5, 0.0) + 0.2 * np.argsort(np.argsort(code, kind="stable")) / time.size
    curves = result.curves["after_remission"]
    for cause in (1, 2, 3):
        fitter = AalenJohansenFitter(calculate_variance=False).fit(time, code, event_of_interest=cause)
        days = curves.days[~np.isnan(curves.incidences.of_trials[4, 0])]
        theirs = [fitter.cumulative_density_.loc[: day + 0.7].iloc[-1, 0] for day in days]
        np.testing.assert_allclose(curves.incidences.of_trials[4, cause - 1, : days.size], theirs, atol=1e-12)


def test_alternative_text_of_incidences_holds_them(result):
    drawing = plot.cumulative_incidence(result)
    hsct = next(line for line in drawing.axes[0].get_lines() if line.get_linewidth() == 2.0)
    by_month_12 = hsct.get_ydata()[round(12 * 30.4375 / 7)]
    assert f"after CR/CRh*: HSCT, on study or later {by_month_12:.0f} % (" in drawing.alt


# ---- forest


def with_published(rows, endpoint, **changes):
    return [
        replace(row, published=row.published.model_copy(update=changes))
        if row.published and row.summary.endpoint.id == endpoint
        else row
        for row in rows
    ]


def crosses(drawing):
    return sum(line.get_marker() == "X" for axes in drawing.axes if axes.axison for line in axes.get_lines())


def test_forest_has_a_line_for_each_published_figure_and_no_other(result):
    rows = rows_of(result)
    said = [text.get_text() for text in words(figures.forest(rows))]
    for row in rows:
        if row.published:
            assert row.summary.endpoint.label in said
    assert "OS at 12 months" not in said
    assert "81/189 43 %" in said


def test_a_figure_outside_the_interval_is_a_cross_and_named(result):
    rows = rows_of(result)
    moved = with_published(with_published(rows, "hsct_prior", count=29), "cr", count=81)
    assert crosses(figures.forest(moved)) == 1 + crosses(figures.forest(with_published(rows, "hsct_prior", count=4)))
    assert "Realization rate, prior HSCT (published 29/29 100 %" in figures.forest(moved).alt


def test_counts_have_exact_limits(result):
    panel = figures.forest(rows_of(result)).axes[0]
    ends = [tuple(np.round(line.get_xdata(), 1)) for line in panel.get_lines() if len(line.get_xdata()) == 2]
    assert (35.7, 50.2) in ends  # Clopper-Pearson of 81/189
    assert (0.0, 23.0) in ends  # the published interval of 100-day mortality


def test_few_trials_judge_nothing(nobody_transplanted):
    drawing = plot.forest(nobody_transplanted)
    assert "3 simulated trials: too few" in drawing.alt
    assert crosses(drawing) == 0


def test_nothing_published_is_said():
    assert figures.forest([]).alt == "Nothing published to compare with."


# ---- occupancy


def test_areas_fill_the_panel(result):
    axes = plot.occupancy(result).axes[0]
    assert len(axes.collections) == len(State)
    tops = [area.get_paths()[0].vertices[:, 1].max() for area in axes.collections]
    assert tops[-1] == pytest.approx(100)


def test_alternative_text_of_occupancy_holds_the_final_shares(result):
    dead = 100 * result.occupancy[State.DEAD, -1] / result.occupancy[:, -1].sum()
    alt = plot.occupancy(result).alt
    assert alt.startswith("States of 2,400 simulated patients: after 6 months ")
    assert alt.endswith(f"dead {dead:.0f} %.")
