"""Every figure of the published abstract and every figure that follows from it, derived a second time.

Written from the abstract alone, before the project's own table of targets was read; the history of this file shows it.
Percentages are whole numbers, rounded half up; `compatible` holds every count that the printed percentage allows.
"""

from typing import NamedTuple

ONE_PERCENT = 0.01
TENTH_OF_A_MONTH = 0.1  # a month is 365.25 / 12 days
COUNTED = 0.0  # a count is printed without rounding


class Proportion(NamedTuple):
    """A printed or derived share: so many of so many."""

    name: str
    population: str
    count: int
    denominator: int
    percent: int | None = None  # as printed; None where the abstract prints no percentage of this share
    compatible: tuple[int, ...] = ()  # all counts that the printed percentage allows
    derived: bool = False  # True: it follows by adding or subtracting printed counts


class Median(NamedTuple):
    """A printed median, with its 95 % confidence limits or its range where one is printed."""

    name: str
    population: str
    value: float
    unit: str
    rounding: float
    interval_95: tuple[float, float] | None = None
    range: tuple[int, int] | None = None


class Rate(NamedTuple):
    """A printed estimate that is no plain quotient of printed counts."""

    name: str
    population: str
    value: float
    rounding: float
    not_quotients: tuple[tuple[int, int], ...] = ()  # plain quotients that would have been printed differently


ENROLLED = 189
PRIOR_HSCT = 64
HSCT_NAIVE = 125  # 189 - 64; printed again as the denominator of the naive response rate
RESPONDERS = 81
HSCT_IN_REMISSION = 32
HSCT_AFTER_OTHER_TREATMENT = 6
NEVER_HSCT = 43

PROPORTIONS = (
    # --- At enrolment. 74, 64 and 105 of 189 agree with 39, 34 and 56 %; the neighbours that would too are listed.
    Proportion("two or more prior salvage therapies", "enrolled", 74, ENROLLED, 39, (73, 74)),
    Proportion("prior HSCT", "enrolled", PRIOR_HSCT, ENROLLED, 34, (64, 65)),
    Proportion("marrow blasts of 75 % or more", "enrolled", 105, ENROLLED, 56, (105, 106)),
    Proportion("no prior HSCT", "enrolled", HSCT_NAIVE, ENROLLED, derived=True),
    Proportion("fewer than two prior salvage therapies", "enrolled", 115, ENROLLED, derived=True),  # 189 - 74
    # 189 - 105, if no marrow count is missing: the abstract does not say so.
    Proportion("marrow blasts under 75 %", "enrolled", 84, ENROLLED, derived=True),
    # --- Response: CR or CRh* within two cycles. 52 + 29 = 81 and 125 + 64 = 189, so the groups make up the whole.
    Proportion("response", "enrolled", RESPONDERS, ENROLLED, 43, (81, 82)),
    Proportion("response", "no prior HSCT", 52, HSCT_NAIVE, 42, (52, 53)),
    Proportion("response", "prior HSCT", 29, PRIOR_HSCT, 45, (29,)),
    Proportion("no response", "enrolled", 108, ENROLLED, derived=True),  # 189 - 81
    Proportion("no response", "no prior HSCT", 73, HSCT_NAIVE, derived=True),  # 125 - 52
    Proportion("no response", "prior HSCT", 35, PRIOR_HSCT, derived=True),  # 64 - 29
    Proportion("prior HSCT", "responders", 29, RESPONDERS, derived=True),
    # --- HSCT in the remission, before any other antileukaemic treatment. 27 + 5 = 32.
    Proportion("HSCT in remission", "responders", HSCT_IN_REMISSION, RESPONDERS, 40, (32,)),
    Proportion("HSCT in remission", "responders without prior HSCT", 27, 52, 52, (27,)),
    Proportion("HSCT in remission", "responders with prior HSCT", 5, 29, 17, (5,)),
    Proportion("CR at HSCT", "HSCT in remission", 28, HSCT_IN_REMISSION, derived=True),  # 28 + 4 = 32
    Proportion("CRh* at HSCT", "HSCT in remission", 4, HSCT_IN_REMISSION, derived=True),
    Proportion("prior HSCT", "HSCT in remission", 5, HSCT_IN_REMISSION, derived=True),
    Proportion("HSCT in remission", "enrolled", HSCT_IN_REMISSION, ENROLLED, derived=True),  # nobody outside the 81
    Proportion("HSCT in remission", "no prior HSCT", 27, HSCT_NAIVE, derived=True),
    Proportion("HSCT in remission", "prior HSCT", 5, PRIOR_HSCT, derived=True),
    Proportion("no HSCT in remission", "responders", 49, RESPONDERS, derived=True),  # 81 - 32
    Proportion("no HSCT in remission", "responders without prior HSCT", 25, 52, derived=True),  # 52 - 27
    Proportion("no HSCT in remission", "responders with prior HSCT", 24, 29, derived=True),  # 29 - 5
    # --- Six more responders had other antileukaemic treatment first and then HSCT: 32 + 6 + 43 = 81 accounts for all.
    Proportion("HSCT after other treatment", "responders", HSCT_AFTER_OTHER_TREATMENT, RESPONDERS, derived=True),
    Proportion("any HSCT", "responders", 38, RESPONDERS, derived=True),  # 32 + 6
    Proportion("never HSCT", "responders", NEVER_HSCT, RESPONDERS, derived=True),  # 81 - 38
    # --- The 43 that never reached HSCT.
    Proportion("prior HSCT", "responders never transplanted", 20, NEVER_HSCT, 47, (20,)),
    Proportion("aged 65 or over", "responders never transplanted", 7, NEVER_HSCT, 16, (7,)),
    Proportion("aged 65 or over and prior HSCT", "responders never transplanted", 2, NEVER_HSCT, 5, (2,)),
    # --- The 32 transplants: 11 + 12 + 9 = 32 by conditioning, 22 + 7 + 3 = 32 by donor.
    Proportion("myeloablative conditioning", "HSCT in remission", 11, HSCT_IN_REMISSION, 34, (11,)),
    Proportion(
        "reduced-intensity conditioning", "HSCT in remission", 12, HSCT_IN_REMISSION, 38, (12,)
    ),  # 37.5, half up
    Proportion("unknown conditioning", "HSCT in remission", 9, HSCT_IN_REMISSION, 28, (9,)),
    Proportion("unrelated donor", "HSCT in remission", 22, HSCT_IN_REMISSION, 69, (22,)),  # 11 + 6 + 5
    Proportion("related donor", "HSCT in remission", 7, HSCT_IN_REMISSION, 22, (7,)),  # 6 siblings and a mother
    Proportion("unknown donor", "HSCT in remission", 3, HSCT_IN_REMISSION, 9, (3,)),
    Proportion("sibling donor", "HSCT in remission", 6, HSCT_IN_REMISSION, derived=True),  # 5 + 1
    Proportion("haploidentical donor", "HSCT in remission", 1, HSCT_IN_REMISSION, derived=True),
    Proportion("cells from blood", "HSCT in remission", 17, HSCT_IN_REMISSION, derived=True),  # 11 + 5 + 1
    Proportion("cells from marrow", "HSCT in remission", 7, HSCT_IN_REMISSION, derived=True),  # 6 + 1
    Proportion("cells from cord blood", "HSCT in remission", 5, HSCT_IN_REMISSION, derived=True),
    # --- Deaths after HSCT: 5 + 3 + 1 = 9. The population is not named. The 32 are the only transplants described up to
    # there and the 100-day figure is a stated endpoint of them, so 32 is my reading; 38 cannot be ruled out.
    Proportion("death after HSCT", "HSCT in remission", 9, HSCT_IN_REMISSION, derived=True),
    Proportion("death after HSCT from infection", "HSCT in remission", 5, HSCT_IN_REMISSION, derived=True),
    Proportion("death after HSCT from progression", "HSCT in remission", 3, HSCT_IN_REMISSION, derived=True),
    Proportion("death after HSCT from GvHD", "HSCT in remission", 1, HSCT_IN_REMISSION, derived=True),
    Proportion("death after HSCT other than from progression", "HSCT in remission", 6, HSCT_IN_REMISSION, derived=True),
    Proportion("death within 100 days of HSCT", "HSCT in remission", 3, HSCT_IN_REMISSION, derived=True),  # 2 + 1
    Proportion("death within 100 days from infection", "HSCT in remission", 2, HSCT_IN_REMISSION, derived=True),
    Proportion("death within 100 days from GvHD", "HSCT in remission", 1, HSCT_IN_REMISSION, derived=True),
    Proportion("death within 100 days from progression", "HSCT in remission", 0, HSCT_IN_REMISSION, derived=True),
    Proportion("death after 100 days", "HSCT in remission", 6, HSCT_IN_REMISSION, derived=True),  # 9 - 3
    Proportion("death after 100 days from infection", "HSCT in remission", 3, HSCT_IN_REMISSION, derived=True),  # 5 - 2
    Proportion("death after 100 days from progression", "HSCT in remission", 3, HSCT_IN_REMISSION, derived=True),
    Proportion("alive at cut-off after HSCT", "HSCT in remission", 23, HSCT_IN_REMISSION, derived=True),  # 32 - 9
)

MEDIANS = (
    Median("age", "enrolled", 39, "years", 1, range=(18, 79)),
    Median("cycles received", "enrolled", 2, "cycles", 1, range=(1, 5)),
    Median("cycles before HSCT", "HSCT in remission", 2, "cycles", 1, range=(1, 5)),
    # By which method follow-up was measured, and whether in all 189, is not said.
    Median("follow-up", "enrolled", 9.8, "months", TENTH_OF_A_MONTH),
    Median("overall survival", "enrolled", 6.1, "months", TENTH_OF_A_MONTH, interval_95=(4.2, 7.5)),
    # Which transplants censor (the 32 or all 38) is not said.
    Median("overall survival, censored at HSCT", "enrolled", 5.1, "months", TENTH_OF_A_MONTH, interval_95=(4.1, 7.1)),
    # One printed figure serves two analyses, and no interval is printed. The population is not named; relapse-free
    # survival exists for responders only, so it is the 81.
    Median("relapse-free survival", "responders", 5.9, "months", TENTH_OF_A_MONTH),
    Median("relapse-free survival, censored at HSCT", "responders", 5.9, "months", TENTH_OF_A_MONTH),
)

RATES = (
    # 3 of 32 would have been printed as 9 %, 3 of 38 as 8 %. So 11 % is an estimate that allows for follow-up shorter
    # than 100 days after some of the transplants (Kaplan-Meier at day 100), and must be compared as such: three deaths
    # among 32 and 11 % are both right, and are not the same figure.
    Rate("100-day mortality after HSCT", "HSCT in remission", 0.11, ONE_PERCENT, not_quotients=((3, 32), (3, 38))),
)


class Reading(NamedTuple):
    """A figure that depends on how a sentence is read, under each reading."""

    name: str
    population: str
    inclusive: tuple[int, int]  # count, denominator
    exclusive: tuple[int, int]


# Of the 43 never transplanted, 20 had a prior HSCT, 7 were 65 or over and 2 were both. Either the 20 and the 7 include
# the 2 (inclusive), or the three counts are separate cells (exclusive). The summary says two thirds of those not
# transplanted were 65 or over or had a prior HSCT: inclusive gives 20 + 7 - 2 = 25 of 43 (58 %), exclusive gives
# 20 + 7 + 2 = 29 of 43 (67 %). The summary decides for the exclusive reading. Everything below follows by subtraction.
READINGS = (
    Reading("aged 65 or over or prior HSCT", "responders never transplanted", (25, 43), (29, 43)),
    Reading("neither aged 65 or over nor prior HSCT", "responders never transplanted", (18, 43), (14, 43)),
    Reading("prior HSCT, all", "responders never transplanted", (20, 43), (22, 43)),
    Reading("aged 65 or over, all", "responders never transplanted", (7, 43), (9, 43)),
    Reading("no prior HSCT, all", "responders never transplanted", (23, 43), (21, 43)),
    # Of the 29 responders with prior HSCT, 24 had no transplant in remission; those never transplanted leave the six.
    Reading("HSCT after other treatment", "responders with prior HSCT", (4, 29), (2, 29)),
    Reading("HSCT after other treatment", "responders without prior HSCT", (2, 52), (4, 52)),
    Reading("any HSCT", "responders with prior HSCT", (9, 29), (7, 29)),
    Reading("any HSCT", "responders without prior HSCT", (29, 52), (31, 52)),
    Reading("never HSCT", "responders with prior HSCT", (20, 29), (22, 29)),
    Reading("never HSCT", "responders without prior HSCT", (23, 52), (21, 52)),
)
MY_READING = "exclusive"
