"""Policies of one's own: asked day by day with what is known, and to the byte what the scenario's words would do."""

from __future__ import annotations

import re
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from blinasim.engine.choice import walk
from blinasim.errors import PolicyError, ScenarioError
from blinasim.luck import Draws, Luck
from blinasim.model.chart import Chart
from blinasim.model.codes import NEVER, NONE, Conditioning, Place
from blinasim.model.history import History
from blinasim.model.own_policy import QUESTIONS, checked_policy
from blinasim.model.places import Stays
from blinasim.model.policy_file import policy_file
from blinasim.scenario.loading import load_scenario
from blinasim.study import simulate as study
from blinasim.study.batch import lives_of
from test_study import same
from worlds import differing_histories, parameters, scenario

TRIALS = range(6)


def lived(name: str, own: object = None, *changes: str) -> History:
    of = load_scenario(name, changes)
    world = lives_of(of, parameters(), Draws(Luck(5), TRIALS, of.cohort.size), own_policy=own)  # type: ignore[arg-type]
    return walk(world.lives)


class Usual:
    """Answers every question as the scenario's rules would."""

    def searches(self, chart: Chart) -> bool:
        return bool(chart.usual)

    def is_candidate(self, chart: Chart) -> bool:
        return bool(chart.usual)

    def accept_from_day(self, chart: Chart) -> dict[str, int]:
        return dict(chart.usual)

    def starts_cycle(self, chart: Chart) -> bool:
        return bool(chart.usual)

    def transplants(self, chart: Chart) -> bool:
        return bool(chart.usual)

    def conditioning(self, chart: Chart) -> str:
        return str(chart.usual)


class EarlySearch:
    """The documentation's example: search for everybody whom nothing known at enrolment excludes."""

    def searches(self, chart: Chart) -> bool:
        if chart.day == 0:
            return chart.excluded_by is None
        return bool(chart.usual)


class OnlyTheYoung:
    def is_candidate(self, chart: Chart) -> bool:
        return chart.age_years < 45 and chart.in_remission


class HaploAtOnce:
    def accept_from_day(self, chart: Chart) -> dict[str, int]:
        return {"haploidentical": 0, "sibling": 0, "unrelated": 0, "cord": 120}


class Reduced:
    def conditioning(self, chart: Chart) -> str:
        return "reduced"


class TwoCycles:
    def starts_cycle(self, chart: Chart) -> bool:
        return chart.cycles < 2


class Never:
    def transplants(self, chart: Chart) -> bool:
        return False


class Broken:
    def is_candidate(self, chart: Chart) -> bool:
        return 1 // (chart.age_years - chart.age_years) > 0


class Mumbling:
    def is_candidate(self, chart: Chart) -> bool:
        return "perhaps"  # type: ignore[return-value]


def test_the_usual_answers_change_nothing() -> None:
    for name in ("baseline", "transplant_after_cycle_1", "five_cycles_first"):
        assert not differing_histories(lived(name), lived(name, Usual))


def test_a_policy_from_the_documentation_is_early_donor_search_to_the_byte() -> None:
    assert not differing_histories(lived("early_donor_search"), lived("baseline", EarlySearch))
    asked = load_scenario("early_donor_search").with_study(replications=5, seed=2)
    own = load_scenario("baseline").with_study(replications=5, seed=2)
    assert same(study.simulate(asked), study.simulate(own, own_policy=EarlySearch))


def test_policies_say_what_the_scenarios_words_say() -> None:
    assert not differing_histories(lived("haplo_first"), lived("baseline", HaploAtOnce))
    assert not differing_histories(lived("reduced_intensity"), lived("baseline", Reduced))
    young = lived("baseline", None, "policy.transplant.candidates.max_age_years=44")
    own = lived("baseline", OnlyTheYoung)
    # The policy's own candidates are also those whom the rules would have refused for another reason.
    assert np.all((own.candidacy != NONE)[young.candidacy != NONE])
    assert (own.candidacy != NONE).sum() > (young.candidacy != NONE).sum()


def test_two_cycles_are_two_cycles() -> None:
    own = lived("baseline", TwoCycles)
    assert own.cycles.max() == 2
    untouched = lived("baseline").cycles <= 2
    assert np.array_equal(own.death[untouched], lived("baseline").death[untouched])


def test_a_transplant_put_off_for_ever_is_none() -> None:
    own = lived("baseline", Never)
    assert not own.on_study_hsct.any()
    assert (own.hsct != NONE).any()  # the later ones are not asked about


def test_own_candidates_get_the_speeds_of_their_own_graft() -> None:
    """Whom no rule would transplant has a graft whose speeds are not zero."""

    class Everybody:
        def is_candidate(self, chart: Chart) -> bool:
            return chart.depth == "CR"

    own = lived("baseline", Everybody)
    assert set(np.unique(own.conditioning)) == {NONE, *Conditioning}
    assert own.on_study_hsct.sum() > lived("baseline").on_study_hsct.sum()
    assert (own.death[own.hsct != NONE] == NONE).mean() < 0.2


def test_what_is_known_on_the_day() -> None:
    seen: list[Chart] = []

    class Watching:
        def is_candidate(self, chart: Chart) -> bool:
            seen.append(chart)
            return bool(chart.usual)

    history = lived("baseline", Watching)
    remitted = np.flatnonzero(history.remission != NONE)
    assert len(seen) == remitted.size
    assert sorted(chart.day for chart in seen) == sorted(history.remission[remitted].tolist())
    assert all(chart.in_remission and chart.remission_day == chart.day and chart.cycles in (1, 2) for chart in seen)
    assert {chart.mrd for chart in seen} == {"negative", "positive", "unknown"}
    assert {chart.usual for chart in seen} == {True, False}
    assert all((chart.excluded_by is None) == chart.usual for chart in seen)


def test_one_line_says_which_policy_which_patient_and_which_day() -> None:
    of = scenario(replications=3)
    with pytest.raises(PolicyError, match=r"policy Broken\.is_candidate, patient \d+ of trial \d, day (28|70): Zero"):
        study.simulate(of, own_policy=Broken)
    with pytest.raises(PolicyError, match=r"Mumbling\.is_candidate.*answered 'perhaps'; True or False was asked for"):
        study.simulate(of, own_policy=Mumbling)


def test_the_fast_engine_refuses_in_one_line() -> None:
    with pytest.raises(ScenarioError, match="engine fast knows no policies of one's own"):
        study.simulate(scenario(), own_policy=Usual, engine="fast")


@pytest.mark.parametrize(
    ("text", "said", "what"),
    [
        ("class P:\n    def is_candidat(self, chart): return True\n", "P", "did you mean is_candidate"),
        ("class P:\n    pass\n", "P", "answers no question"),
        ("class P:\n    def searches(self, chart): return True\n", "Q", "has no class Q"),
        ("Limit = 3\n\nclass Limits:\n    pass\n", "Limit_", "has no class Limit_; did you mean Limits"),
        ("class P(:\n", "P", ":1:"),
        ("import nothing_of_the_kind\n", "P", "cannot be imported: ModuleNotFoundError"),
        ("import sys\nsys.exit(0)\n", "P", "cannot be imported: SystemExit: 0"),
        ("class P:\n    def __init__(self): raise ValueError('no')\n", "P", "cannot be made: ValueError: no"),
    ],
)
def test_a_policy_file_that_will_not_do(tmp_path: Path, text: str, said: str, what: str) -> None:
    path = tmp_path / "own.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=what) as problem:
        policy_file(f"{path}:{said}")
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    "text",
    [
        # Dataclasses look their module up while it is imported.
        "from __future__ import annotations\nfrom dataclasses import dataclass\n\n"
        "@dataclass\nclass P:\n    limit: int = 45\n\n"
        "    def is_candidate(self, chart):\n        return chart.age_years < self.limit\n",
        # The documented class may be inherited from; what it only says is no answer.
        "from blinasim.model.own_policy import OwnPolicy\n\nclass P(OwnPolicy):\n"
        "    def is_candidate(self, chart):\n        return chart.age_years < 45\n",
        # A property is nobody's question, and is not looked at.
        "class P:\n    @property\n    def later(self):\n        raise ValueError('not yet')\n\n"
        "    def is_candidate(self, chart):\n        return chart.age_years < 45\n",
    ],
)
def test_ways_to_write_a_policy(tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.py"
    path.write_text(text, encoding="utf-8")

    class Plain:
        def is_candidate(self, chart: Chart) -> bool:
            return chart.age_years < 45

    assert not differing_histories(lived("baseline", policy_file(f"{path}:P")), lived("baseline", Plain))


def test_the_text_that_was_read_is_the_text_that_is_run(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text("class P:\n    def is_candidate(self, chart):\n        return False\n", encoding="utf-8")
    own = policy_file(f"{path}:P")
    path.write_text("class P:\n    def is_candidate(self, chart):\n        return True\n", encoding="utf-8")
    assert not (lived("baseline", own).candidacy != NONE).any()
    assert "return False" in own.text


class Lists:
    def conditioning(self, chart: Chart) -> str:
        return ["reduced"]  # type: ignore[return-value]


class EvenDays:
    """Declines on odd days what was wanted on even ones."""

    def transplants(self, chart: Chart) -> bool:
        return chart.day % 2 == 0

    def starts_cycle(self, chart: Chart) -> bool:
        return chart.day % 2 == 0


def test_an_answer_of_another_kind_is_one_line() -> None:
    with pytest.raises(PolicyError, match=r"Lists\.conditioning, patient .* answered \['reduced'\]; myeloabl"):
        lived("baseline", Lists)


def accepting(answer: object) -> type:
    return type("Accepting", (), {"accept_from_day": lambda self, chart: answer})  # noqa: ARG005


@pytest.mark.parametrize(
    "answer",
    [["sibling"], {"sibling": 0.5}, {"sibling": -1}, {"sibling": NEVER}, {"cousin": 0}, {"sibling": True}, None],
)
def test_days_by_donor_type_are_whole_days_by_known_types(answer: object) -> None:
    told = r"Accepting\.accept_from_day, patient \d+ of trial 1, day \d+: answered .*; days by donor type \(sibling, "
    with pytest.raises(PolicyError, match=told):
        lived("baseline", accepting(answer))


def test_the_first_and_the_last_day_from_which_a_donor_may_be_acceptable() -> None:
    same_words = lived("baseline", None, "policy.donor_search.accept_from_day={sibling: 0}")
    assert not differing_histories(lived("baseline", accepting({"sibling": 0})), same_words)
    assert (lived("baseline", accepting({"sibling": NEVER - 1})).hsct == NONE).all()
    assert (lived("baseline", accepting({})).hsct == NONE).all()


def test_a_place_that_a_policy_declines_goes_to_others() -> None:
    """Every bed that is given is used that day or free again: none is held for a patient who does not come."""
    scarce = ["capacity.transplant_beds.places=2", "capacity.infusion_starts.places=5"]
    of = load_scenario("baseline", scarce)
    world = lives_of(of, parameters(), Draws(Luck(5), range(3), of.cohort.size), own_policy=EvenDays)
    found: list[Stays] = []
    history = walk(world.lives, stays=found)
    for number, stays in enumerate(found):
        beds = stays.of(Place.TRANSPLANT_BED)
        used = beds.granted & (beds.left > beds.given)
        hsct = world.cohort.entry_day + history.hsct
        assert np.array_equal(hsct[beds.patient[used]], beds.given[used]), number
        starts = stays.of(Place.INFUSION_BED)
        assert (starts.granted & (starts.left == starts.given)).any()
    assert history.on_study_hsct.sum() > 20


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        policy_file(f"{tmp_path / 'nothing.py'}:P")
    with pytest.raises(PolicyError, match=r"file\.py:Class"):
        policy_file("own.py")


def test_workers_know_the_policy_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "early.py"
    path.write_text(
        "class Early:\n"
        "    def searches(self, chart):\n"
        "        return chart.excluded_by is None if chart.day == 0 else chart.usual\n",
        encoding="utf-8",
    )
    own = policy_file(f"{path}:Early")
    asked = load_scenario("baseline").with_study(replications=4)
    with ProcessPoolExecutor(2) as pool:
        result = study.simulate(asked, own_policy=own, executor=pool, chunk=1)
    assert same(result, study.simulate(load_scenario("early_donor_search").with_study(replications=4)))


def test_every_question_can_be_left_out_and_every_answer_is_documented() -> None:
    assert set(QUESTIONS) == {name for name in dir(Usual) if not name.startswith("_")}
    for question in QUESTIONS:
        only = type("Only", (), {question: getattr(Usual, question)})
        checked_policy(only)
        assert not differing_histories(lived("baseline"), lived("baseline", only))


def test_the_examples_of_the_documentation_are_policies(tmp_path: Path) -> None:
    """As they stand there; the one that says it equals a shipped scenario does, to the byte."""
    text = (Path(__file__).parents[1] / "docs" / "policies.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(examples) == 3
    path = tmp_path / "documented.py"
    path.write_text("\n\n".join(examples), encoding="utf-8")
    names = re.findall(r"^class (\w+)", "\n".join(examples), flags=re.MULTILINE)
    histories = {name: lived("baseline", policy_file(f"{path}:{name}")) for name in names}
    assert not differing_histories(histories["EarlySearch"], lived("early_donor_search"))
    assert all(differing_histories(history, lived("baseline")) for history in histories.values())
    # Every question and every entry of the chart is described.
    assert set(QUESTIONS) == set(re.findall(r"^\| `(\w+)\(chart\)`", text, flags=re.MULTILINE))
    described = set(re.findall(r"`(\w+)`", text[text.index("| the chart |") : text.index("Candidates under 45")]))
    assert {item.name for item in fields(Chart)} <= described
