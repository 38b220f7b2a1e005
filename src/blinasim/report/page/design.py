"""The page of evaluated trial designs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from blinasim.files import shipped_designs
from blinasim.inference.choice import described
from blinasim.model.durations import DAYS_PER_MONTH
from blinasim.model.parameters import Changed, ParameterSource
from blinasim.report.design import (
    characteristics_table,
    looks_table,
    sentences,
    solution_text,
    success_word,
)
from blinasim.report.page.asked import command_line, design_table, parameter_options, settings_tables, studied
from blinasim.report.page.page import Described, Page
from blinasim.report.resting import assumptions
from blinasim.report.words import listed, lower_first
from blinasim.scenario.design_file import load_design
from blinasim.study.evaluation import Estimated, Evaluation
from blinasim.study.solve_design import Solution


def design_page(
    evaluations: Sequence[Evaluation], solutions: Mapping[str, Solution] | None = None, *, trial: int = 1
) -> Page:
    """Return the page of one or more designs.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        One of each design, under one set of parameters.
    solutions : mapping of str to Solution, optional
        Sizes that were solved for, by name of the design.
    trial : int
        The one whose data are exported, from 1.

    Returns
    -------
    Page
    """
    first, several = evaluations[0], len(evaluations) > 1
    names = [one.asked.name for one in evaluations]
    arms = {
        f"{one.asked.name}, {arm.name}" if several else arm.name: scenario
        for one in evaluations
        for arm, scenario in zip(one.design.arms, one.asked.scenarios, strict=True)
    }
    return Page(
        command="trial",
        title=first.design.title if not several else f"Trial designs {listed(names)}",
        question="What would such a trial decide, how often, when and with how many patients"
        + (", if there were nothing to find?" if first.null else "?"),
        scenarios=tuple(
            Described(one.asked.name if several else "", one.design.title if several else "", one.design.why.strip())
            for one in evaluations
        ),
        facts=(
            ("Simulated trials", f"{first.replications:,}{' of each design' * several}"),
            ("Patients at most", listed([f"{one.design.size:,}" for one in evaluations])),
            ("Parameters", described(_source(first))),
            ("Seed", f"{first.design.study.seed}"),
        ),
        settings=(design_table({one.asked.name: one.design for one in evaluations}), *settings_tables(arms)),
        answer=answer(evaluations, solutions or {}),
        tables=(characteristics_table(evaluations), *map(looks_table, evaluations)),
        notes=(" ".join(sentences(evaluations)),),
        assumptions=assumptions(list(arms.values()), first.parameters),
        commands=tuple(_commands(evaluations, trial)),
        repeating=(
            "manifest.json holds the designs and the scenarios of their arms, fully resolved, and a hash of every "
            "file.",
        ),
        limitations=(
            "Power and error are those under the scenarios of the arms: if the treatments act otherwise, so does "
            "the trial.",
        ),
    )


def answer(evaluations: Sequence[Evaluation], solutions: Mapping[str, Solution]) -> tuple[str, ...]:
    """Say, design by design, how probable success is, with how many patients, and how long it takes."""
    several = len(evaluations) > 1
    said = []
    for one in evaluations:
        name = one.asked.name
        found = f"{name}: " if several else ""
        if name in solutions:
            found += f"The least size is {solution_text(solutions[name])}. "
        months = one.days.value / DAYS_PER_MONTH
        said.append(
            f"{found}{_error(one) if one.null else _success(one)} The trial ends after {months:.1f} months "
            f"with {one.size.value:,.0f} patients on average; in {100 * one.futility.value:.1f} % of cases it stops "
            "for futility."
        )
    return tuple(said)


def _success(one: Evaluation) -> str:
    exact = ""
    if one.exact is not None:
        exact = f" Exactly, at the response rate of all, it is {100 * one.exact.success:.2f} %."
    return f"The {lower_first(success_word(one))} is {_share(one, one.success)}.{exact}"


def _error(one: Evaluation) -> str:
    """Say how the errors of the first kind stand to those that were planned."""
    design, planned = one.design, one.design.one_sided_alpha
    if one.exact is not None:
        return (
            f"The error of the first kind is {_share(one, one.success)}; exactly, at the response rate of all, "
            f"{100 * one.exact.success:.2f} %, where {100 * planned:g} % were planned."
        )
    heeded = design.futility.kind != "none" and not design.futility.binding
    counted = one.success_overruled if heeded else one.success
    what = "The trial wrongly finds a benefit in" if design.sides == 2 else "The error of the first kind is"
    said = f"{what} {_share(one, counted)}{' with futility overruled' * heeded}, {_against(one, counted, planned)}."
    if heeded:
        said += f" With futility heeded it is {_share(one, one.success)}."
    if design.sides == 2:
        said += f" It wrongly finds harm in {_share(one, one.harm)}."
    return said


def _against(one: Evaluation, found: Estimated, planned: float) -> str:
    lower, upper = one.limits(found)
    if lower <= planned <= upper:
        return f"not told apart from the {100 * planned:g} % planned"
    return f"{'above' if found.value > planned else 'below'} the {100 * planned:g} % planned"


def _share(one: Evaluation, found: Estimated) -> str:
    lower, upper = one.limits(found)
    return f"{100 * found.value:.1f} % (95 % Monte Carlo interval {100 * lower:.1f} to {100 * upper:.1f})"


def _commands(evaluations: Sequence[Evaluation], trial: int) -> list[str]:
    first = evaluations[0]
    said = parameter_options(_source(first))
    if said is None or not all(map(_ships, evaluations)):
        return []
    options = [*["--null"] * first.null, *(["--export", f"{trial}"] if trial != 1 else [])]
    names = (one.asked.name for one in evaluations)
    study = first.design.study
    return [command_line("trial", *names, *studied(study), *said, *options)]


def _source(one: Evaluation) -> ParameterSource:
    """Return the parameters that were asked for: where nothing is to be found, a single arm has another rate."""
    return one.parameters.source if isinstance(one.parameters, Changed) else one.parameters


def _ships(one: Evaluation) -> bool:
    name = one.asked.name
    if name not in shipped_designs():
        return False
    shipped, ours = (each.model_dump(exclude={"study", "title"}) for each in (load_design(name).design, one.design))
    return shipped == ours
