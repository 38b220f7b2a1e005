"""Trial designs: simulated trials per second, every look of each tested and decided."""

from __future__ import annotations

from functools import partial

from measure import Spread, Table, in_turn, run_as_script

from blinasim.scenario.design_file import load_design
from blinasim.study.evaluate_design import evaluate_design

#: Names of the table, the design, and what is changed.
DESIGNS = {
    "two arms, 400 patients, 3 looks, 8 strata": ("phase3_standard_therapy", ()),
    "the same, not stratified": ("phase3_standard_therapy", ("test.stratified=false",)),
    "two arms, 400 patients, 2 looks, 4 strata": ("phase3_early_search", ()),
    "two arms, 600 patients, RMST": ("sibling_donor", ()),
    "one arm, 110 patients, Simon": ("simon_optimal", ()),
}
#: What the bar speaks of.
TRIALS = 10_000


def measure(replications: int = 600, rounds: int = 3) -> Table:
    """Evaluate shipped designs in one process."""
    asked = {
        name: load_design(design, [*changes, f"study.replications={replications}"])
        for name, (design, changes) in DESIGNS.items()
    }
    seconds = in_turn({name: partial(evaluate_design, one) for name, one in asked.items()}, rounds)
    return Table(
        title="Trial designs",
        about=f"{replications:,} trials of each design, from luck to the decision of every look, by one process; the "
        f"last column is what {TRIALS:,} trials take of one core, and half of it of two. Medians (range).",
        columns=("", "trials/s", f"{TRIALS:,} trials, core seconds"),
        rows=[
            (
                name,
                str(Spread.of_rates(replications, seconds[name])),
                str(Spread.of([TRIALS * each / replications for each in seconds[name]])),
            )
            for name in seconds
        ],
    )


if __name__ == "__main__":
    run_as_script(measure, quick={"replications": 4, "rounds": 1})
