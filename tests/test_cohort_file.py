"""A cohort from a CSV file: checked, used as given or resampled, and weighted to published margins."""

from pathlib import Path

import numpy as np
import pytest

from blinasim.errors import ScenarioError
from blinasim.luck import Draws, Luck
from blinasim.model.catalogue import load_parameters
from blinasim.model.cohort import Cohort, draw_cohort
from blinasim.scenario.loading import load_scenario
from blinasim.scenario.reach import outside_allowed
from blinasim.scenario.settings import Scenario
from blinasim.statistics.weights import rake
from test_cohort import SameForAll

HEADER = "age_years,prior_hsct,salvage_lines,blasts_pct,fitness\n"
ROWS = ["30,no,0,80,good", "40,yes,1,20.5,fair", "70,no,2,60,poor", "50,no,3,30,good"]


def scenario(folder: Path, settings: str, rows: list[str] = ROWS, header: str = HEADER) -> Scenario:
    (folder / "patients.csv").write_text(header + "\n".join(rows) + "\n", encoding="utf-8")
    (folder / "s.yaml").write_text(f"extends: baseline\ncohort: {settings}\n", encoding="utf-8")
    return load_scenario(folder / "s.yaml")


def cohort(of: Scenario, trials: int = 3) -> Cohort:
    return draw_cohort(of.cohort, of.trial.accrual, load_parameters(), Draws(Luck(1), range(trials), of.cohort.size))


def test_rows_as_given_are_the_patients_of_every_trial(tmp_path: Path) -> None:
    drawn = cohort(scenario(tmp_path, "{size: 4, data: {file: patients.csv}}"))
    assert drawn.age_years.tolist() == [30, 40, 70, 50] * 3
    assert drawn.prior_hsct.tolist() == [False, True, False, False] * 3
    assert drawn.blasts_pct.tolist() == [80.0, 20.5, 60.0, 30.0] * 3
    assert drawn.fitness.tolist() == [0, 1, 2, 0] * 3


def test_the_file_is_found_beside_the_scenario_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario(tmp_path, "{size: 4, data: {file: patients.csv}}")
    below = tmp_path / "below"
    below.mkdir()
    (below / "t.yaml").write_text("extends: ../s.yaml\ntitle: t\n")
    monkeypatch.chdir(below)
    with outside_allowed():
        assert cohort(load_scenario("t.yaml")).age_years[0] == 30


def test_the_same_file_leaves_the_luck_of_everything_else_alone(tmp_path: Path) -> None:
    """Entry days, sites and frailty do not change when the baseline comes from a file."""
    given = cohort(scenario(tmp_path, "{size: 4, data: {file: patients.csv}}"))
    drawn = cohort(scenario(tmp_path, "{size: 4}"))
    for name in ("entry_day", "site", "frailty", "well_matched"):
        np.testing.assert_array_equal(getattr(given, name), getattr(drawn, name))


def test_resampled_rows_come_from_the_file(tmp_path: Path) -> None:
    drawn = cohort(scenario(tmp_path, "{size: 500, data: {file: patients.csv, rows: resampled}}"))
    shares = [np.mean(drawn.age_years == age) for age in (30, 40, 70, 50)]
    np.testing.assert_allclose(shares, 0.25, atol=0.05)
    assert set(zip(drawn.age_years, drawn.blasts_pct, strict=True)) == {(30, 80.0), (40, 20.5), (70, 60.0), (50, 30.0)}


def test_published_margins_reweight_resampled_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows = [
        f"{rng.integers(18, 80)},{rng.choice(['yes', 'no'])},{rng.integers(0, 4)},{rng.uniform(5, 100):.1f},good"
        for _ in range(400)
    ]
    of = scenario(
        tmp_path,
        "{size: 2000, data: {file: patients.csv, rows: resampled, match_margins: [prior_hsct, salvage, blasts, age]}}",
        rows,
    )
    drawn = cohort(of, trials=10)
    assert np.mean(drawn.prior_hsct) == pytest.approx(0.339, abs=0.012)
    assert np.mean(drawn.salvage_lines >= 2) == pytest.approx(0.392, abs=0.012)
    assert np.mean(drawn.blasts_pct >= 75) == pytest.approx(0.556, abs=0.012)
    assert np.mean(drawn.older) == pytest.approx(0.13, abs=0.012)


def test_raking_a_two_by_two_table_by_hand() -> None:
    """Four rows, one in each cell: independent margins give the product of the shares."""
    one, two = np.array([0, 0, 1, 1], bool), np.array([0, 1, 0, 1], bool)
    weights = rake([np.stack([~one, one]), np.stack([~two, two])], [np.array([0.7, 0.3]), np.array([0.9, 0.1])])
    np.testing.assert_allclose(weights, [0.63, 0.07, 0.27, 0.03], atol=1e-8)


def test_margins_that_the_rows_cannot_meet_are_refused(tmp_path: Path) -> None:
    settings = "{size: 9, data: {file: patients.csv, rows: resampled, match_margins: [prior_hsct]}}"
    with pytest.raises(ScenarioError, match=r"match_margins: no row has prior_hsct yes, and the cohort wants 33\.9 %"):
        cohort(scenario(tmp_path, settings, ["30,no,0,80,good"]))


@pytest.mark.parametrize(
    ("header", "rows", "what"),
    [
        (HEADER, ["30,no,0,80"], ":2:1: 4 cells where the header has 5"),
        (HEADER, ["thirty,no,0,80,good"], ":2:1: age_years: 'thirty' should be whole years from 18 to 120"),
        (HEADER, [ROWS[0], "12,no,0,80,good"], ":3:1: age_years: '12' should be whole years from 18 to 120"),
        (HEADER, ["30,maybe,0,80,good"], ":2:2: prior_hsct: 'maybe' should be yes or no"),
        (HEADER, ["30,no,-1,80,good"], ":2:3: salvage_lines: '-1' should be a whole number from 0 to 20"),
        (HEADER, ["30,no,0,120,good"], ":2:4: blasts_pct: '120' should be a percentage from 0 to 100"),
        (HEADER, ["30,no,0,nan,good"], ":2:4: blasts_pct: 'nan' should be a percentage from 0 to 100"),
        (HEADER, ["30,no,0,80,great"], ":2:5: fitness: 'great' should be good, fair or poor"),
        (HEADER, [], "needs a header and at least one patient"),
        (
            "age_years,prior_hst,salvage_lines,blasts_pct\n",
            ["1,1,1,1"],
            ":1:2: 'prior_hst': no such column; did you mean",
        ),
        ("age_years,salvage_lines,blasts_pct\n", ["1,1,1"], ":1:1: 'prior_hsct': this column is missing"),
        ("age_years,age_years\n", ["1,1"], ":1:2: 'age_years': this column stands twice"),
        (
            HEADER,
            [*ROWS, ROWS[0]],
            "the file has 5 patients and cohort.size is 4; set cohort.size: 5, or rows: resampled",
        ),
    ],
)
def test_a_bad_file_is_one_line_with_its_row(tmp_path: Path, header: str, rows: list[str], what: str) -> None:
    of = scenario(tmp_path, "{size: 4, data: {file: patients.csv}}", rows, header)
    with pytest.raises(ScenarioError) as caught:
        cohort(of)
    assert what in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "patients.csv"))


def test_a_file_of_too_many_rows_is_refused_at_the_first_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blinasim.files.table._MOST_ROWS", 5)
    cohort(scenario(tmp_path, "{size: 4, data: {file: patients.csv}}"))
    with pytest.raises(ScenarioError, match=r"patients\.csv:6:1: has more than 5 rows"):
        cohort(scenario(tmp_path, "{size: 5, data: {file: patients.csv}}", rows=[*ROWS, ROWS[0]]))


EVERY = "age_years,prior_hsct,salvage_lines,blasts_pct,fitness,well_matched,site\n"


def test_every_column_to_its_ends(tmp_path: Path) -> None:
    rows = ["18,0,0,0,GOOD,true,0", "120,1,20,100,fair,No,32767", "18,yes,3,99.5,poor,1,+7", "18,FALSE,2,.5,good,0,1e0"]
    with pytest.raises(ScenarioError, match=r"patients\.csv:5:7: site: '1e0' should be a whole number from 0 to 32767"):
        cohort(scenario(tmp_path, "{size: 4, data: {file: patients.csv}}", rows, EVERY))
    rows[3] = rows[3].replace("1e0", "1")
    drawn = cohort(scenario(tmp_path, "{size: 4, data: {file: patients.csv}}", rows, EVERY), trials=1)
    assert drawn.age_years.tolist() == [18, 120, 18, 18]
    assert drawn.prior_hsct.tolist() == [False, True, True, False]
    assert drawn.salvage_lines.tolist() == [0, 3, 3, 2]  # three stands for three or more
    assert drawn.blasts_pct.tolist() == [0.0, 100.0, 99.5, 0.5]
    assert drawn.fitness.tolist() == [0, 1, 2, 0]
    assert drawn.well_matched.tolist() == [True, False, True, False]
    assert drawn.site.tolist() == [0, 32_767, 7, 1]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        *(("17,no,0,80,good,yes,1", 1), ("121,no,0,80,good,yes,1", 1), ("40,no,-1,80,good,yes,1", 3)),
        *(("40,no,21,80,good,yes,1", 3), ("40,no,0,-0.1,good,yes,1", 4), ("40,no,0,100.1,good,yes,1", 4)),
        *(("40,no,0,80,good,yes,-1", 7), ("40,no,0,80,good,yes,32768", 7), ("40,no,0,80,good,maybe,1", 6)),
        *(("40.5,no,0,80,good,yes,1", 1), ("40,no,0,1_0,good,yes,1", 4), ("40,2,0,80,good,yes,1", 2)),
    ],
)
def test_a_cell_beyond_its_end_is_refused_with_its_place(tmp_path: Path, row: str, column: int) -> None:
    rows = ["40,no,0,80,good,yes,1", row]
    with pytest.raises(ScenarioError, match=rf"patients\.csv:3:{column}: \w+: .* should be"):
        cohort(scenario(tmp_path, "{size: 2, data: {file: patients.csv}}", rows, EVERY))


@pytest.mark.parametrize("column", ["fitness", "well_matched", "site"])
def test_a_column_that_may_be_missing_is_drawn(tmp_path: Path, column: str) -> None:
    position = EVERY.strip().split(",").index(column)
    rows = ["40,no,0,80,poor,no,1000"] * 4
    shorter = [",".join(row.split(",")[:position] + row.split(",")[position + 1 :]) for row in [EVERY.strip(), *rows]]
    drawn = cohort(scenario(tmp_path, "{size: 4, data: {file: patients.csv}}", shorter[1:], shorter[0] + "\n"), 50)
    given = {"fitness": 2, "well_matched": False, "site": 1_000}
    for name, value in given.items():
        assert np.all(getattr(drawn, name) == value) == (name != column), name


@pytest.mark.parametrize("column", ["age_years", "prior_hsct", "salvage_lines", "blasts_pct"])
def test_a_column_that_must_be_there(tmp_path: Path, column: str) -> None:
    names = [name for name in EVERY.strip().split(",") if name != column]
    with pytest.raises(ScenarioError, match=f"'{column}': this column is missing"):
        cohort(scenario(tmp_path, "{size: 1, data: {file: patients.csv}}", ["1,1,1,1,1,1"], ",".join(names) + "\n"))


def test_the_outermost_luck_still_draws_the_last_row(tmp_path: Path) -> None:
    """Ten weights of 0.1 add up to less than 1."""
    rows = [f"{30 + number},no,0,80,good" for number in range(10)]
    of = scenario(tmp_path, "{size: 3, data: {file: patients.csv, rows: resampled}}", rows)
    for luck, age in ((1 - 2.0**-53, 39), (2.0**-53, 30), (0.1001, 31)):
        drawn = draw_cohort(of.cohort, of.trial.accrual, load_parameters(), SameForAll(luck))  # type: ignore[arg-type]
        assert drawn.age_years.tolist() == [age] * 3
