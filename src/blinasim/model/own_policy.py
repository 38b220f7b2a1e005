"""Policies of one's own: a class with some of the methods of :class:`OwnPolicy`, asked with a patient's chart.

A policy is asked on the day, knows what is known that day, and never sees a fate. It is made anew for each replication
and should keep nothing between patients: the order in which they are asked on one day means nothing.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Protocol

from blinasim.errors import Place, PolicyError
from blinasim.files import nearest, read_text, reason
from blinasim.luck import Draws
from blinasim.model.chart import Chart
from blinasim.model.cohort import Cohort
from blinasim.model.graft import Graft


class OwnPolicy(Protocol):
    """What a policy of one's own may be asked. Every method may be left out: the scenario's rules then hold.

    ``chart.usual`` is what those rules would answer, so that a method can change the answer for some patients only.
    """

    def searches(self, chart: Chart) -> bool:
        """Whether a donor search begins now: asked on day 0, and of candidates without a search at remission."""

    def is_candidate(self, chart: Chart) -> bool:
        """Whether the patient is a candidate for HSCT: asked on the day of remission."""

    def accept_from_day(self, chart: Chart) -> dict[str, int]:
        """Day of the search from which each donor type is acceptable, ties to the first: asked as a search begins."""

    def starts_cycle(self, chart: Chart) -> bool:
        """Whether a further cycle is given: asked of patients in remission when it is due; no ends the cycles."""

    def transplants(self, chart: Chart) -> bool:
        """Whether an on-study transplant takes place today: asked on the first admissible day; no, again in a week."""

    def conditioning(self, chart: Chart) -> str:
        """Conditioning of today's transplant: myeloablative or reduced."""


_MOST_BYTES = 1_000_000

#: What may be asked.
QUESTIONS = tuple(name for name, _ in inspect.getmembers(OwnPolicy, inspect.isfunction) if not name.startswith("_"))


@dataclass(frozen=True)
class PolicyFile:
    """A policy class in a Python file; calling it makes a policy. It goes to worker processes as its two names."""

    file: str
    name: str

    @property
    def text(self) -> str:
        """What the file holds."""
        return read_text(Path(self.file), PolicyError, most_bytes=_MOST_BYTES)

    def __call__(self) -> object:
        """Make a policy.

        Raises
        ------
        PolicyError
            If the file or the class cannot be used.
        """
        return _policy_class(self.file, self.name)()


@dataclass(frozen=True)
class OwnRules:
    """What an engine needs for a policy of one's own."""

    make: Callable[[], object]
    #: Speeds after a transplant by conditioning, in the order of ``Conditioning``, for every responder.
    grafts: tuple[Graft, Graft]
    cohort: Cohort
    draws: Draws


def policy_file(said: str) -> PolicyFile:
    """Read ``file.py:Class``, and try whether a policy can be made of it.

    Raises
    ------
    PolicyError
        One line that says what is wrong.
    """
    file, colon, name = said.rpartition(":")
    if not colon or not file or not name:
        raise PolicyError(f"--policy {said}: a policy is named as file.py:Class")
    policy = PolicyFile(str(Path(file).resolve()), name)
    checked_policy(policy)
    return policy


def checked_policy(make: Callable[[], object]) -> object:
    """Make a policy, and check that it answers at least one question and misspells none.

    Raises
    ------
    PolicyError
        If it cannot be made, answers nothing, or has a method that is nearly but not quite a question.
    """
    name = getattr(make, "__name__", None) or getattr(make, "name", type(make).__name__)
    try:
        policy = make()
    except PolicyError:
        raise
    except Exception as problem:
        raise PolicyError(f"policy {name} cannot be made: {type(problem).__name__}: {problem}") from problem
    own = [key for key in dir(policy) if not key.startswith("_") and callable(getattr(policy, key))]
    if not set(own) & set(QUESTIONS):
        near = next((hint for key in own if (hint := nearest(key, QUESTIONS))), "")
        raise PolicyError(f"policy {name} answers no question{near} ({', '.join(QUESTIONS)})")
    for key in own:
        if key not in QUESTIONS and (hint := nearest(key, QUESTIONS)):
            raise PolicyError(f"policy {name}: nobody asks {key}{hint}; begin its name with _ if it is your own")
    return policy


def _policy_class(file: str, name: str) -> Callable[[], object]:
    module_name = f"blinasim_policy_{abs(hash(file))}"
    module = sys.modules.get(module_name)
    if module is None:
        place = Place(file)
        spec = spec_from_file_location(module_name, file)
        if spec is None or spec.loader is None:
            raise PolicyError("is no Python file; a policy is named as file.py:Class", place)
        module = module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except OSError as problem:
            raise PolicyError(f"cannot be read ({reason(problem)})", place) from None
        except SyntaxError as problem:
            raise PolicyError(f"{problem.msg}", Place(file, problem.lineno or 0, problem.offset or 0)) from None
        except Exception as problem:
            raise PolicyError(f"cannot be imported: {type(problem).__name__}: {problem}", place) from problem
        sys.modules[module_name] = module
    found = getattr(module, name, None)
    if not isinstance(found, type):
        classes = [key for key, value in vars(module).items() if isinstance(value, type)]
        raise PolicyError(f"has no class {name}{nearest(name, classes)}", Place(file))
    made: Callable[[], object] = found
    return made
