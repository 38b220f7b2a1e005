"""Policies of one's own: a class with some of the methods of :class:`OwnPolicy`, asked with a patient's chart.

A policy is asked on the day, knows what is known that day, and never sees a fate. It is made anew for each replication
and should keep nothing between patients: the order in which they are asked on one day means nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from blinasim.errors import PolicyError
from blinasim.files import nearest
from blinasim.luck import Draws
from blinasim.model.chart import Chart
from blinasim.model.cohort import Cohort
from blinasim.model.graft import Graft


class OwnPolicy:
    """What a policy of one's own may be asked; to be inherited from, or only read.

    Every method may be left out: the scenario's rules then hold. ``chart.usual`` is what those rules would answer, so
    that a method can change the answer for some patients only.
    """

    def searches(self, chart: Chart) -> bool:
        """Whether a donor search begins now: asked on day 0, and of candidates without a search at remission."""
        raise NotImplementedError

    def is_candidate(self, chart: Chart) -> bool:
        """Whether the patient is a candidate for HSCT: asked on the day of remission."""
        raise NotImplementedError

    def accept_from_day(self, chart: Chart) -> dict[str, int]:
        """Day of the search from which each donor type is acceptable, ties to the first: asked as a search begins."""
        raise NotImplementedError

    def starts_cycle(self, chart: Chart) -> bool:
        """Whether a further cycle is given: asked of patients in remission when it is due; no ends the cycles."""
        raise NotImplementedError

    def transplants(self, chart: Chart) -> bool:
        """Whether an on-study transplant takes place today: asked on the first admissible day; no, again in a week."""
        raise NotImplementedError

    def conditioning(self, chart: Chart) -> str:
        """Conditioning of today's transplant: myeloablative or reduced."""
        raise NotImplementedError


#: What may be asked.
QUESTIONS = tuple(name for name in vars(OwnPolicy) if not name.startswith("_"))


def answers(policy: object, question: str) -> bool:
    """Whether a policy answers a question itself; what it only inherits from :class:`OwnPolicy` is no answer."""
    own = getattr(type(policy), question, None)
    return own is not None and own is not getattr(OwnPolicy, question)


@dataclass(frozen=True)
class OwnRules:
    """What an engine needs for a policy of one's own; ``make`` makes it, anew for each replication."""

    make: Callable[[], object]
    #: Speeds after a transplant by conditioning, in the order of ``Conditioning``, for every responder.
    grafts: tuple[Graft, Graft]
    cohort: Cohort
    draws: Draws


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
    kind = type(policy)
    methods = [key for key in dir(kind) if not key.startswith("_") and callable(getattr(kind, key))]
    for key in methods:
        if key not in QUESTIONS and (hint := nearest(key, QUESTIONS)):
            raise PolicyError(f"policy {name}: nobody asks {key}{hint}; begin its name with _ if it is your own")
    if not any(answers(policy, question) for question in QUESTIONS):
        raise PolicyError(f"policy {name} answers no question ({', '.join(QUESTIONS)})")
    return policy
