"""Write ``docs/calibration.md``: what the shipped posterior is worth, from the runs that made and judged it.

It reads what these commands leave behind (hours on two cores, all of them resumable), and simulates a little itself:

    blinasim calibrate --workers 2 --out results/calibration           # its posterior.csv and .json are shipped
    blinasim calibrate --workers 2 --seed 2 --out results/calibration_seed_2
    blinasim calibrate --workers 2 --quick --relapse log_logistic --out results/quick_log_logistic_log_logistic
    ... and so on for the other structures
    python benchmarks/sbc.py --workers 2                                # docs/sbc.csv
    python docs/calibration.py

What is read from ``results/`` is kept in ``docs/calibration.json``, so that the page can be written again without it.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import blinasim as bs
from blinasim.inference.diagnostics import agreement, learnt
from blinasim.inference.posterior import Posterior, read_posterior
from blinasim.inference.sbc import LEVELS, OS_12, SMALL, Coverage, Judged, coverage
from blinasim.report import figures, style
from blinasim.report.calibration import label
from blinasim.study.precision import mean_and_mcse

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs" / "calibration.json"
STRUCTURES = [(r, f) for r in ("weibull", "log_logistic") for f in ("log_logistic", "exponential_mixture")]
OUTCOMES = ("os_12_months", "os_24_months", "rmst_24_months", "realization")
TRIALS = 1_000
MOVED_TRIALS = 400


def outcomes_of(posterior: Posterior) -> dict[str, list[float]]:
    """Return means over the posterior with Monte Carlo errors, and what searching from enrolment on adds."""
    found = bs.compare("baseline", "early_donor_search", replications=TRIALS, parameters=posterior)
    usual, early = (arm.values for arm in found.arms)
    rows = {name: usual[name] for name in OUTCOMES} | {"gain": early["rmst_24_months"] - usual["rmst_24_months"]}
    return {name: list(mean_and_mcse(values, paired=True)) for name, values in rows.items()}


def moved(posterior: Posterior) -> list[dict[str, Any]]:
    """Return what the shipped scenarios come to under the point values and under the posterior."""
    rows = []
    for path in sorted((ROOT / "scenarios").glob("*.yaml")):
        row: dict[str, Any] = {"scenario": path.stem}
        for name, parameters in (("point", "point"), ("posterior", posterior)):
            result = bs.simulate(path.stem, replications=MOVED_TRIALS, parameters=parameters)
            table = bs.results_table(result).set_index("id")
            row[name] = {each: float(table.loc[each, "limit" if each.startswith("rmst") else "simulated_mean"])
                         for each in ("cr", "hsct", "rmst_24_months")}  # fmt: skip
        rows.append(row)
    return rows


def gather(results: Path) -> dict[str, Any]:
    """Read the runs."""
    shipped = read_posterior(ROOT / "calibration" / "posterior.csv")
    second = read_posterior(results / "calibration_seed_2" / "posterior.csv")
    structures = []
    for relapse, failure in STRUCTURES:
        usual = asdict(shipped.structure) == {"relapse": relapse, "failure": failure}
        path = results / f"quick_{relapse}_{failure}" / "posterior.csv"
        posterior = shipped if usual else read_posterior(path)
        structures.append(
            {
                "relapse": relapse,
                "failure": failure,
                "log_evidence": posterior.log_evidence,
                "pareto_k": posterior.pareto_k,
                "outcomes": outcomes_of(posterior),
            }
        )
    validation = json.loads((results / "calibration" / "calibration.json").read_text())["posterior_predictive"]
    return {
        "agreement": [asdict(one) | {"agrees": bool(one.agrees)} for one in agreement(shipped, second)],
        "second": {"log_evidence": second.log_evidence, "ess": second.ess, "pareto_k": second.pareto_k},
        "structures": structures,
        "moved": moved(shipped),
        "validation": {key: validation[key] for key in ("fitted", "held_out", "joint", "checks", "trials")},
    }


def table_line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(table_line(line) for line in lines)


def judged() -> tuple[Coverage, ...]:
    frame = pd.read_csv(ROOT / "docs" / "sbc.csv")
    return coverage([Judged(**row) for row in frame.to_dict("records")])


def sharpness(checks: list[dict[str, Any]]) -> str:
    wide = [check for check in checks if check["width_ratio"]]
    widest = max(wide, key=lambda check: check["width_ratio"]["value"])
    ratio = widest["width_ratio"]
    return f"{ratio['value']:.2f} ± {ratio['mcse']:.2f} ({widest['label']})"


def page(kept: dict[str, Any]) -> str:
    posterior = read_posterior(ROOT / "calibration" / "posterior.csv")
    known = learnt(posterior)
    informed = [one for one in known if one.is_informed]
    last = posterior.stages[-1]
    validation, joint = kept["validation"], kept["validation"]["joint"]["both"]
    agreements = kept["agreement"]
    apart = [one for one in agreements if not one["agrees"]]
    off = max(agreements, key=lambda one: abs(one["difference"]))
    ranked = judged()
    tested = [one for one in ranked if not np.isnan(one.p_value)]
    worst = min(tested, key=lambda one: one.p_value)
    covered = {level: [one.covered[level] for one in ranked] for level in LEVELS}
    told = [one for one in ranked if one.contraction > 0.2 or one.quantity == OS_12]
    survival = next(one for one in ranked if one.quantity == OS_12)
    surprises = [one for one in posterior.left_out if one.tail < 0.05]
    best = max(one["log_evidence"] for one in kept["structures"])

    def figure(pair: list[float], unit: str = "") -> str:
        factor, digits = (100, 1) if unit == "%" else (1, 2)
        return f"{factor * pair[0]:.{digits}f} ± {factor * pair[1]:.{digits}f}"

    def outcomes(found: dict[str, list[float]]) -> list[str]:
        units = ("%", "%", "", "%")
        return [*(figure(found[name], unit) for name, unit in zip(OUTCOMES, units, strict=True)), figure(found["gain"])]

    return f"""# The calibration, and what it is worth

Written by `docs/calibration.py` from the runs that its first lines name. What is fitted to what, by which terms, and the priors:
[targets and priors](calibration_targets.md). Every number below comes with the code's own Monte Carlo error where it has one.

## How it is done

The published counts are exact multinomials whose probabilities are those of all patients of {
        posterior.about["conduct"]["replications"]
    }
simulated replications of the whole study (189 patients, accrual, loss, cut-off, the same estimators); the four medians and the mortality
by day 100 are Gaussian *given those counts*, integrated over the rounding, and a median that a replication does not reach is a censored
value. Tempered sequential Monte Carlo carries {
        posterior.about["conduct"]["effort"]["particles"]:,} particles from the priors to the
posterior; the draws are then weighed again by {
        posterior.about["conduct"]["final_replications"]:,} replications each. Parameters that
are the probability of a published count and touch nothing else have exact beta posteriors; what nothing published touches keeps its prior.

`blinasim calibrate --workers 2` makes the shipped posterior again; `results/calibration/` then holds all of this as data, with the
predictive checks before and after, and the densities of the picture below. `--quick` takes a few minutes.

![Prior and posterior densities](images/overlays.png)

## Health of the sampler

{len(posterior.draws):,} draws, worth {posterior.ess:,.0f} by their weights; Pareto k of the weights {
        posterior.pareto_k:.2f} (under 0.7 they
can be trusted); log evidence {posterior.log_evidence:.2f}. {
        len(posterior.stages)
    } powers of the likelihood; at the last
{last.acceptance:.0%} of the moves were accepted, and a sweep moved particles by {
        last.moved:.2f} of their variances (2 is independence).

The figures have said something (contraction above 0.2) about {len(informed)} of {
        len(known)
    } parameters. A second run with other luck
(log evidence {kept["second"]["log_evidence"]:.2f}) agrees with it within three standard errors in {
        len(agreements) - len(apart)
    } of
{len(agreements)} of them; the largest difference is {abs(off["difference"]):.3f} posterior standard deviations ({
        off["name"]
    }), the largest
standard error of a mean {max(one["larger_mcse"] for one in agreements):.3f} (that one of {
        len(agreements)
    } is beyond three standard errors by chance
has a probability of {100 * (1 - 0.9973 ** len(agreements)):.0f} %), the smallest worth {
        min(one["smaller_ess"] for one in agreements):,.0f} draws.

{
        table(
            [
                "parameter",
                "posterior mean (95 %)",
                "prior median (95 %)",
                "contraction",
                "shift, prior SD",
                "draws' worth",
                "MC error, SD",
            ],
            [
                [
                    f"`{one.name}`",
                    f"{one.mean:.3g} ({one.lower:.3g} to {one.upper:.3g})",
                    f"{one.prior_median:.3g} ({one.prior_lower:.3g} to {one.prior_upper:.3g})",
                    f"{one.contraction:.2f}",
                    f"{one.z_score:+.2f}",
                    f"{one.ess:,.0f}",
                    f"{one.mcse:.3f}",
                ]
                for one in sorted(informed, key=lambda one: -one.contraction)
            ],
        )
    }

All others are left nearly where their priors were: a result that rests on one of them rests on an assumption, and `blinasim run` and
`blinasim sensitivity` say so. With a median follow-up of 9.8 months that is true of all that happens later than a year.

## Does it predict what was published?

Of {validation["fitted"]["among"]} fitted figures {
        validation["fitted"]["among"] - validation["fitted"]["outside"]
    } lie inside their 95 %
predictive interval; of {validation["held_out"]["among"]} held out, {
        validation["held_out"]["among"] - validation["held_out"]["outside"]
    }.
Joint tail area {joint["value"]:.2f} ± {
        joint["mcse"]:.2f} (large, as it should be for figures that were fitted). Widest interval against
that of chance alone at the posterior mean: {sharpness(validation["checks"])}.

![Published against predicted](images/posterior_predictive.png)

Two held-out figures are a weak test; leaving each fitted figure out in turn is a better one. Given all the others, {
        len(surprises)
    } of
{len(posterior.left_out)} have a tail area under 0.05{
        ": " + "; ".join(f"{label(one)} {one.tail:.3f}" for one in surprises) if surprises else ""
    }
({0.05 * len(posterior.left_out):.1f} would be expected). The ones that say most:

{
        table(
            ["figure left out", "published", "given the others (95 %)", "tail", "Pareto k", "moves most", "by SD"],
            [
                [
                    label(one),
                    f"{one.published:.3g}" + (f"/{one.of}" if one.of else ""),
                    f"{one.median:.3g} ({one.lower:.3g} to {one.upper:.3g})",
                    f"{one.tail:.2f}",
                    f"{one.pareto_k:.2f}",
                    f"`{one.moved}`",
                    f"{one.moved_by:+.1f}",
                ]
                for one in sorted(posterior.left_out, key=lambda one: -abs(one.moved_by))[:12]
            ],
        )
    }

## Other structures

The relapse clock may be Weibull or log-logistic, survival after failure log-logistic or a mixture of two exponentials. The first is the
shipped posterior, the others are calibrated at the settings of `--quick`; with {
        TRIALS:,} trials each; the evidence is on the log scale, less that of the best. What is added by searching
donors from enrolment on is in months of restricted mean survival to 24 months.

{
        table(
            [
                "relapse",
                "after failure",
                "log evidence",
                "alive at 12 months, %",
                "at 24 months, %",
                "RMST to 24 months",
                "realization, %",
                "early search adds",
            ],
            [
                [
                    one["relapse"].replace("_", "-"),
                    one["failure"].replace("_", " "),
                    f"{one['log_evidence'] - best:.1f}",
                    *outcomes(one["outcomes"]),
                ]
                for one in kept["structures"]
            ],
        )
    }

## Is the pipeline right? Simulation-based calibration

{
        survival.abstracts
    } abstracts were simulated under parameters drawn from the priors and calibrated against like the published one, with fewer
particles and replications than `--quick` (`blinasim.inference.sbc.SMALL`: {SMALL.effort.particles} particles, {
        SMALL.replications
    } replications), which would take some four
minutes of a core each; so what is found is the worse end. The study goes on from where it stopped with
`python benchmarks/sbc.py --abstracts 200`. Over {len(ranked)} quantities
(all sampled parameters, and survival at 12 months) the smallest p-value of uniform places is {worst.p_value:.2g} ({
        worst.quantity
    }; after
Bonferroni {min(1.0, worst.p_value * len(tested)):.2g}). Central intervals of 50, 90 and 95 % hold the truth in
{", ".join(f"{100 * np.mean(covered[level]):.1f}" for level in LEVELS)} % on average over the quantities (95 %: from
{100 * min(covered[0.95]):.0f} to {100 * max(covered[0.95]):.0f} %); those of survival at 12 months in
{", ".join(f"{100 * survival.covered[level]:.0f}" for level in LEVELS)} %.

![Places of the true values](images/sbc.png)

### Independent terms under-cover

Median survival with and without censoring at transplant are nearly one figure, and both follow from how many responded. Whoever multiplies
the five summaries as if each were evidence of its own is too sure: the same draws, weighed that way, give 95 % intervals that hold
the truth in {100 * survival.covered_independent[0.95]:.0f} % for survival at 12 months (jointly {
        100 * survival.covered[0.95]:.0f} %), and on
average over the {len(told)} quantities about which something is learnt in
{100 * np.mean([one.covered_independent[0.95] for one in told]):.1f} % (jointly {
        100 * np.mean([one.covered[0.95] for one in told]):.1f} %). A part of that is that fewer draws carry
the weight then.

{
        table(
            ["quantity", "contraction", "p of uniform places", "50 %", "90 %", "95 %", "95 %, independent terms"],
            [
                [
                    f"`{one.quantity}`",
                    "" if np.isnan(one.contraction) else f"{one.contraction:.2f}",
                    f"{one.p_value:.2f}",
                    *(f"{100 * one.covered[level]:.0f}" for level in LEVELS),
                    f"{100 * one.covered_independent[0.95]:.0f}",
                ]
                for one in sorted(told, key=lambda one: -one.contraction if one.quantity != OS_12 else -9.0)
            ],
        )
    }

## What moved when the posterior became the default

Every shipped scenario under the point values of `calibration/parameters.yaml`, and under the posterior ({
        MOVED_TRIALS
    } trials each): mean response
and realization rate, and restricted mean survival to 24 months without censoring by time.

{
        table(
            ["scenario", "response, %", "realization, %", "RMST to 24 months"],
            [
                [
                    f"`{row['scenario']}`",
                    *(
                        f"{factor * row['point'][name]:.1f} → {factor * row['posterior'][name]:.1f}"
                        for name, factor in (("cr", 100), ("hsct", 100), ("rmst_24_months", 1))
                    ),
                ]
                for row in kept["moved"]
            ],
        )
    }

## What it cannot say

The length of accrual is set so that the median follow-up is the published 9.8 months, and is not sampled. Which HSCT censors survival, and
how follow-up was defined, are options of the trial. The intervals published with the medians are not fitted: they are other points of
the same curves. Survival beyond a year, relapse after transplant and non-relapse mortality rest on priors.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=None, help="read the runs anew from this folder")
    said = parser.parse_args()
    if said.results:
        KEPT.write_text(json.dumps(gather(said.results), indent=1) + "\n", encoding="utf-8")
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    (ROOT / "docs" / "calibration.md").write_text(page(kept), encoding="utf-8")
    images = ROOT / "docs" / "images"
    style.save(figures.overlays(read_posterior(ROOT / "calibration" / "posterior.csv")), images / "overlays.png")
    style.save(figures.ranks(pd.read_csv(ROOT / "docs" / "sbc.csv")), images / "sbc.png")
    if said.results:
        picture = said.results / "calibration" / "figures" / "posterior_predictive.png"
        (images / "posterior_predictive.png").write_bytes(picture.read_bytes())


if __name__ == "__main__":
    main()
