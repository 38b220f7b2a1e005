"""Golden results: what each shipped scenario and design comes to in one short study, as plain numbers by name.

``NAME.json`` beside this file holds them. Whole numbers (sums of what patients are born with and live through, a hash
of whole histories) are compared exactly, other figures to 12 significant digits, on any Python and processor.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from blinasim.engine import des, fast
from blinasim.files import shipped_designs, shipped_scenarios
from blinasim.inference.choice import parameters_said
from blinasim.luck import Draws, Luck
from blinasim.model.codes import NEVER, NONE
from blinasim.model.history import History
from blinasim.scenario.design_file import load_design
from blinasim.scenario.loading import load_scenario
from blinasim.study.batch import lives_of
from blinasim.study.evaluate_design import evaluate_design
from blinasim.study.simulate import simulate
from blinasim.trial.decisions import Ending

FOLDER = Path(__file__).parent
#: Trials of each study: two of each of two draws of the posterior. Few, as des walks where places are counted.
TRIALS, SEED = 4, 20
UPDATE = "python tests/golden/update.py"
_RELATIVE = 1e-11  # half a unit of the twelfth digit at worst

#: Figures, and lists of them, by dotted name.
Figure = int | float | str | None
Figures = dict[str, Figure | list[Figure]]


def names() -> list[str]:
    """Every shipped scenario and design; no two have one name."""
    return [*shipped_scenarios(), *shipped_designs()]


def figures_of(name: str) -> Figures:
    """Do the short study anew."""
    return _scenario(name) if name in shipped_scenarios() else _design(name)


def read(name: str) -> Figures:
    """What is kept; nothing for a scenario that is new."""
    path = FOLDER / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write(name: str, figures: Figures) -> None:
    """Keep figures, one a line."""
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in figures.items())
    (FOLDER / f"{name}.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


def differences(kept: Figures, found: Figures) -> list[str]:
    """Say which figures have moved, from what to what."""
    absent = "nothing"
    return [
        f"{key}: {kept.get(key, absent)} -> {found.get(key, absent)}"
        for key in [*kept, *(key for key in found if key not in kept)]
        if key not in kept or key not in found or not _same(kept[key], found[key])
    ]


def _same(kept: Any, found: Any) -> bool:
    if isinstance(kept, list) and isinstance(found, list):
        return len(kept) == len(found) and all(map(_same, kept, found))
    if isinstance(kept, float) and isinstance(found, float):
        return math.isclose(kept, found, rel_tol=_RELATIVE, abs_tol=1e-14)
    return type(kept) is type(found) and kept == found


def _scenario(name: str) -> Figures:
    scenario = load_scenario(name).with_study(replications=TRIALS, seed=SEED)
    parameters = parameters_said()
    world = lives_of(scenario, parameters, Draws(Luck(SEED), range(TRIALS), scenario.cohort.size))
    by_simpy = des.walk(world.lives)
    figures: Figures = {"trials": TRIALS, "patients_per_trial": scenario.cohort.size, "seed": SEED}
    figures |= _sums("cohort", world.cohort) | _sums("fates", world.lives.fates) | _sums("plan", world.lives.plan)
    figures |= _sums("history", by_simpy) | {"history.sha256 (des)": _hash(by_simpy)}
    if not scenario.capacity.limited:
        figures["history.sha256 (fast)"] = _hash(fast.walk(world.lives))
    result = simulate(scenario, parameters=parameters)
    for key, estimates in result.estimates.items():
        figures[f"{key}.trials"] = [_figure(value) for value in estimates.value]
        figures[f"{key}.limit_and_oracle"] = [_figure(result.limits[key]), _figure(result.oracles[key])]
    return figures


def _design(name: str) -> Figures:
    asked = load_design(name)
    study = asked.design.study.model_copy(update={"replications": TRIALS, "seed": SEED})
    asked = type(asked)(asked.name, asked.design.model_copy(update={"study": study}), asked.scenarios)
    found = evaluate_design(asked, parameters=parameters_said("point"))
    figures: Figures = {"trials": TRIALS, "patients": asked.design.size, "seed": SEED}
    figures["outcome.trials"] = [Ending(outcome).name for outcome in found.decision.outcome]
    figures["looks.trials"] = [_figure(look + 1) for look in found.decision.look]
    for look in range(found.looked.day.shape[1]):
        at_look = {item.name: getattr(found.looked, item.name)[:, look] for item in fields(found.looked)}
        if found.bounds is not None:
            at_look |= {"upper": found.bounds.upper[:, look], "lower": found.bounds.lower[:, look]}
        for key, values in at_look.items():
            figures[f"look_{look + 1}.{key}.trials"] = [_figure(value) for value in values]
    figures |= {"truth": _figure(found.truth), "bias": _figure(found.bias.value)}
    for item in fields(found.counted):
        figures[f"counted.{item.name}"] = int(getattr(found.counted, item.name).sum())
    return figures


def _sums(part: str, data: object) -> Figures:
    """How often each column of whole numbers has a value, and the sum of these: what moves, and by how much."""
    figures: Figures = {}
    for item in fields(data):  # type: ignore[arg-type]
        column = getattr(data, item.name)
        if isinstance(column, np.ndarray) and column.dtype.kind in "iub":
            days = column.astype(np.int64)
            never = NEVER * 1_000 if item.name.endswith("_millidays") else NEVER
            known = days[(days != NONE) & (days < never)]
            figures[f"{part}.{item.name} (how many, sum)"] = [known.size, int(known.sum())]
    return figures


def _hash(history: History) -> str:
    """A hash of all columns, as little-endian int32, in their order."""
    columns = (getattr(history, item.name) for item in fields(history))
    digest = hashlib.sha256()
    for column in columns:
        digest.update(b"" if column is None else column.astype("<i4").tobytes())
    return digest.hexdigest()


def _figure(value: Any) -> Figure:
    """A figure as JSON holds it: whole numbers as they are, others to 12 digits, infinity and NaN in words."""
    if value is None:
        return None
    if isinstance(value, int | np.integer):
        return int(value)
    return float(f"{value:.12g}") if math.isfinite(value) else str(float(value))
