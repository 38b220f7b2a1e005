"""``comparison.csv``: every difference of a comparison, a row each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blinasim.report.comparison import DRAWN_AGAIN
from blinasim.report.exports.columns import Column, TableDescription
from blinasim.study.comparison import Comparison, LuckName

if TYPE_CHECKING:
    import pandas as pd

COMPARISON: Final = TableDescription(
    "comparison.csv",
    "a policy, a measure and a kind of luck",
    (
        Column("reference_name", "text", "", "The scenario that the policy is compared with."),
        Column("policy_name", "text", "", "The policy's scenario, or its class; or the reference itself."),
        Column("measure", "text", "", "Name of the measure."),
        Column("label", "text", "", "Measure in words, and whose it is."),
        Column(
            "unit", "text", "",
            "share (a proportion), months, days, searches, patient-days, years, QALYs or money.",
        ),
        Column("per", "text", "", "patient or trial, for a resource; empty for an outcome of patients."),
        Column("direction", "integer", "", "1: more is better, -1: less is better, 0: neither."),
        Column(
            "luck", "text", "",
            f"shared, or independent: {DRAWN_AGAIN}. The reference's own rows are its life with such luck less itself.",
        ),
        Column("reference", "number", "`unit`", "Mean of the reference's trials, every patient followed to the end."),
        Column("reference_mcse", "number", "`unit`", "Monte Carlo standard error of the same."),
        Column("policy", "number", "`unit`", "Mean of the policy's trials."),
        Column("policy_mcse", "number", "`unit`", "Monte Carlo standard error of the same."),
        Column("difference", "number", "`unit`", "Mean of the differences, policy less reference, trial by trial."),
        Column("mcse", "number", "`unit`", "Monte Carlo standard error of the same."),
        Column("lower", "number", "`unit`", "Lower limit of the 95 % interval of that mean."),
        Column("upper", "number", "`unit`", "Upper limit of the same."),
        Column("trial_lower", "number", "`unit`", "2.5th percentile of the trials' differences."),
        Column("trial_upper", "number", "`unit`", "97.5th percentile of the same."),
        Column(
            "better", "number", "share of trials",
            "The policy is better in so many, ties counting half; missing where all tie.",
        ),
        Column("better_mcse", "number", "share of trials", "Monte Carlo standard error of the same."),
        Column(
            "variance_reduction", "number", "",
            "(var A + var B) / var(B - A) over the trials; inf where none differs.",
        ),
        Column("trials", "integer", "trials", "Trials in which both have a value."),
    ),
    note="In the folder of a comparison.",
)  # fmt: skip


def comparison(found: Comparison) -> pd.DataFrame:
    """Return every difference of a comparison: by policy, kind of luck and measure; the reference's own come last."""
    lucks: tuple[LuckName, ...] = ("shared", "independent")
    pairs = [(policy, luck) for policy in found.policies for luck in lucks]
    pairs.append((found.reference.name, "independent"))
    rows = [(policy, luck, one) for policy, luck in pairs for one in found.differences(policy, luck)]
    return COMPARISON.frame(
        {
            "reference_name": [found.reference.name] * len(rows),
            "policy_name": [policy for policy, _, _ in rows],
            "measure": [one.measure.id for _, _, one in rows],
            "label": [one.measure.label for _, _, one in rows],
            "unit": [one.measure.unit for _, _, one in rows],
            "per": [one.measure.per for _, _, one in rows],
            "direction": [one.measure.direction for _, _, one in rows],
            "luck": [luck for _, luck, _ in rows],
            "difference": [one.mean for _, _, one in rows],
            **{
                name: [getattr(one, name) for _, _, one in rows]
                for name in (
                    *("reference", "reference_mcse", "policy", "policy_mcse", "mcse", "lower", "upper"),
                    *("trial_lower", "trial_upper", "better", "better_mcse", "variance_reduction", "trials"),
                )
            },
        }
    )
