"""The pages of a validation and of a calibration: the published figures, and what they have taught."""

from __future__ import annotations

from dataclasses import asdict

from blinasim.inference.calibrate import QUICK
from blinasim.inference.diagnostics import LEAST_CONTRACTION
from blinasim.inference.posterior import Posterior
from blinasim.inference.predictive import Misses, Validation
from blinasim.model.parameters import Structure
from blinasim.report import calibration as told
from blinasim.report.calibration import Calibration, learnt_table
from blinasim.report.page.asked import command_line, facts, in_words, parameter_options, studied
from blinasim.report.page.page import Page
from blinasim.report.resting import assumptions
from blinasim.report.rows import ENOUGH_TRIALS, full_labels
from blinasim.report.validation import sentences, validation_definitions, validation_rows, validation_table
from blinasim.report.words import listed, lower_first

_AGREES_EASILY = "Figures that were fitted agree too easily: only the held-out ones are a test, and they are few."
#: Draws of the priors are made by blinasim validate --prior, not read from a file.
_PRIOR = ["--prior"]


def validation_page(found: Validation) -> Page:
    """Return the page of a validation."""
    scenario, parameters = found.scenario, found.parameters
    priors = isinstance(parameters, Posterior) and not parameters.has_learnt
    said = _PRIOR if priors else parameter_options(parameters)
    return Page(
        command="validate",
        title="The published figures against what the model predicts",
        question="Would a study like the source study, simulated, report what was published?",
        scenarios=in_words({"": scenario}),
        facts=facts(scenario, parameters, trials=found.result.replications, called="Simulated studies"),
        answer=answer(found),
        tables=(validation_table(validation_rows(found)),),
        definitions=validation_definitions(found.result.replications),
        notes=tuple(sentences(found)),
        assumptions=assumptions([scenario], parameters),
        commands=() if said is None else (command_line("validate", *studied(scenario.study), *said),),
        repeating=("manifest.json holds the scenario, fully resolved, and a hash of every file.",),
        limitations=(_AGREES_EASILY,),
    )


def answer(found: Validation) -> tuple[str, ...]:
    """Say how many published figures lie where studies are predicted: those held out, and those fitted."""
    if found.result.replications < ENOUGH_TRIALS:
        return (f"Too few simulated studies to judge anything; {ENOUGH_TRIALS} or more are needed.",)
    learnt = isinstance(found.parameters, Posterior) and found.parameters.has_learnt
    fitted, held_out = found.misses["fit"], found.misses["held_out"]
    said = [
        f"Of the published figures that {'were fitted' if learnt else 'a calibration fits'}, {_inside(fitted)}; of "
        f"those {'held out of the fit' if learnt else 'that it does not see'}, {_inside(held_out)}{_of_what(found)}."
    ]
    joint = found.joint
    said.append(
        f"Of {found.result.replications:,} simulated reports, {_percent(joint.both.value)} are at least as improbable "
        f"as the published one in the figures {'that were fitted' if learnt else 'of a fit'}, and "
        f"{_percent(joint.survival.value)} in those of survival alone. Few, such as less than 5 %, would speak against "
        f"the model{'; figures that were fitted make them many' if learnt else ''}."
    )
    return tuple(said)


def _of_what(found: Validation) -> str:
    """Name the figures that were held out, and say how little whole numbers can test."""
    held_out = [check.endpoint for check in found.checks if check.target.use == "held_out"]
    if not held_out:
        return ""
    labels = full_labels()
    weak = ", medians of whole cycles, which can scarcely miss" * all(one.unit == "cycles" for one in held_out)
    return f" ({listed([lower_first(labels[one.id]) for one in held_out])}{weak})"


def _inside(misses: Misses) -> str:
    if not misses.among:
        return "there are none"
    return f"{misses.among - misses.outside} of {misses.among} lie inside their 95 % predictive interval"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %".replace(".0 %", " %")


def calibration_page(found: Calibration) -> Page:
    """Return the page of a calibration."""
    posterior, scenario = found.posterior, found.after.scenario
    return Page(
        command="calibrate",
        title="Parameters calibrated to the published figures",
        question="Which parameters agree with the priors and the published figures, and how much do the figures say?",
        scenarios=in_words({"": scenario}),
        facts=(
            ("Draws", f"{len(posterior.draws):,}, worth {posterior.ess:,.0f}"),
            ("Relapse clock", posterior.structure.relapse.replace("_", " ").capitalize()),
            ("Survival after failure", posterior.structure.failure.replace("_", " ").capitalize()),
            ("Simulated studies of a check", f"{found.after.result.replications:,}"),
            ("Seed", f"{scenario.study.seed}"),
        ),
        answer=calibration_answer(found),
        tables=(learnt_table(found), validation_table(validation_rows(found.after))),
        definitions=(
            ("prior, posterior", "Median (95 % interval), in the parameter's unit."),
            ("contraction", "1 less posterior over prior variance: 0 where nothing was learnt."),
            ("moved", "By how many of the prior's standard deviations the mean has moved."),
            *validation_definitions(found.after.result.replications),
        ),
        notes=(*told.sentences(found), *sentences(found.after)),
        assumptions=assumptions([scenario], posterior),
        commands=(_calibrate(found),),
        repeating=("posterior.csv holds the draws; name it with --parameters to run other commands under it.",),
        limitations=(
            "A calibration to published margins cannot tell apart parameters that the margins do not tell apart; "
            "there the posterior is the prior.",
            _AGREES_EASILY,
        ),
    )


def calibration_answer(found: Calibration) -> tuple[str, ...]:
    """Say about how many parameters the figures have said something, and how the posterior predicts them."""
    informed = sum(one.is_informed for one in found.learnt)
    trust = (
        ""
        if found.posterior.pareto_k < told.TRUSTED
        else f" The weights of the draws are not to be trusted (Pareto k {found.posterior.pareto_k:.2f})."
    )
    others = " The others stay about where the priors put them." * (informed < len(found.learnt))
    return (
        f"The published figures say something about {informed} of {len(found.learnt)} parameters: they take more than "
        f"{100 * LEAST_CONTRACTION:.0f} % of the prior variance.{others}{trust}",
        *answer(found.after),
    )


def _calibrate(found: Calibration) -> str:
    posterior, usual, study = found.posterior, Structure(), found.after.scenario.study
    words = ["--quick"] * (posterior.about.get("conduct") == asdict(QUICK))
    for name in ("relapse", "failure"):
        if getattr(posterior.structure, name) != getattr(usual, name):
            words += [f"--{name}", getattr(posterior.structure, name)]
    return command_line("calibrate", *words, *studied(study))
