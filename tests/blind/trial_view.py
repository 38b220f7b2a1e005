"""The trial's view a second time: one patient after another, in plain Python, from the words of SPECIFICATION.md.

Written before `blinasim.trial` and `blinasim.statistics` were read; the history of this file shows it, and what the
comparison then found the specification not to say (its sections 9.3 and 9.5 to 9.12) was changed afterwards, together
with it. Nothing here is quick and nothing is shared with them: days are integers or None, curves are exact fractions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, comb, exp, isnan, log, nan

MONTH_DAYS = 365.25 / 12
NORMAL_975 = 1.959963984540054
Day = int | None


@dataclass(frozen=True)
class Life:
    """One patient as lived: days since first infusion, None for what never happened."""

    entry_day: int
    age_years: int
    prior_hsct: bool
    salvage_lines: int
    blasts_pct: float
    cycle_starts: tuple[int, ...]
    remission: Day
    crh_at_first: bool  # the depth found at the first assessment in remission
    deepening: Day
    mrd: str  # "negative", "positive", "unknown"
    switch: Day
    hsct: Day
    relapse_detected: Day
    death: Day
    cause: str
    lost: Day  # to follow-up, whatever else happens
    conditioning: str = ""  # as recorded; "" is missing
    donor: str = ""
    source: str = ""


@dataclass(frozen=True)
class Rules:
    """What the trial does and by what names of rules it censors."""

    cutoff_day: int  # of the calendar
    infusion_days: int = 28
    rest_days: int = 14
    most_cycles: int = 5
    visits_every_days: int = 91
    rfs_censoring: str = "last_assessment"
    hsct_censoring: str = "on_study"
    median_follow_up: str = "reverse_km"


@dataclass(frozen=True)
class Seen:
    """The same patient as in the data base at the cut-off."""

    life: Life
    potential: int
    follow_up: int
    dead: bool
    lost: bool
    last_visit: int
    cycles: int
    remission: Day
    crh: bool
    deepening: Day
    switch: Day
    hsct: Day
    on_study: bool
    relapse_detected: Day
    death: Day

    @property
    def responder(self) -> bool:
        return self.remission is not None


@dataclass(frozen=True)
class Time:
    """A time to an event: of kind 1, 2, ..., or censored, kind 0."""

    days: int
    kind: int


def last_visit(day: int, rules: Rules) -> int:
    """Walk along the protocol's calendar of visits up to a day; day 0 before the first visit."""
    latest, visit, number = 0, rules.infusion_days, 1
    while visit <= day:
        latest = visit
        number += 1
        visit += rules.infusion_days + rules.rest_days if number <= rules.most_cycles else rules.visits_every_days
    return latest


def lost_day(uniform: float, per_year: float) -> Day:
    """Turn a uniform into the day of loss: an exponential time, rounded up to whole days, at least one."""
    return max(1, ceil(-log(1 - uniform) / per_year * 365.25)) if per_year else None


def observe(life: Life, rules: Rules) -> Seen | None:
    """See one patient; None if the trial ends before the first infusion."""
    potential = rules.cutoff_day - life.entry_day
    if potential < 0:
        return None
    end = potential
    if life.lost is not None and life.lost < end:
        end = life.lost
    dead = life.death is not None and life.death <= end  # the event precedes the censoring of its day
    if dead:
        assert life.death is not None
        end = life.death

    def known(day: Day) -> Day:
        return day if day is not None and day <= end else None

    hsct, switch, detected = known(life.hsct), known(life.switch), known(life.relapse_detected)
    on_study = hsct is not None and switch is None and not (detected is not None and detected <= hsct)
    visit = last_visit(end, rules)
    if (found := known(life.remission)) is not None and found > visit:
        visit = found  # off the calendar, where a cycle was delayed
    return Seen(
        life=life,
        potential=potential,
        follow_up=end,
        dead=dead,
        lost=not dead and end < potential,
        last_visit=visit,
        cycles=sum(1 for start in life.cycle_starts if start <= end),
        remission=known(life.remission),
        crh=life.crh_at_first and known(life.deepening) is None,
        deepening=known(life.deepening),
        switch=switch,
        hsct=hsct,
        on_study=on_study and known(life.remission) is not None,
        relapse_detected=detected,
        death=known(life.death),
    )


def first(*days: Day) -> Day:
    happened = [day for day in days if day is not None]
    return min(happened) if happened else None


def censored_at_hsct(time: Time, hsct: Day, origin: int) -> Time:
    """An event on the day of the transplant precedes the censoring there."""
    if hsct is None or time.days <= hsct - origin:
        return time
    return Time(hsct - origin, 0)


def censoring_hsct(seen: Seen, rules: Rules) -> Day:
    if rules.hsct_censoring == "any_recorded" or seen.on_study:
        return seen.hsct
    return None


def overall_survival(seen: Seen) -> Time:
    return Time(seen.follow_up, int(seen.dead))


def relapse_free_survival(seen: Seen, rules: Rules) -> Time:
    assert seen.remission is not None
    event = first(seen.relapse_detected, seen.death)
    if event is not None:
        return Time(event - seen.remission, 1)
    end = seen.follow_up
    if rules.rfs_censoring == "last_assessment":
        end = seen.last_visit
    return Time(end - seen.remission, 0)


def to_hsct(seen: Seen) -> Time:
    """From remission: 1 HSCT, on study or not, 2 relapse detected, 3 death; in the order of the day."""
    assert seen.remission is not None
    for day in range(seen.remission, seen.follow_up + 1):
        if seen.death == day:
            return Time(day - seen.remission, 3)
        if seen.relapse_detected == day:
            return Time(day - seen.remission, 2)
        if seen.hsct == day:
            return Time(day - seen.remission, 1)
    return Time(seen.follow_up - seen.remission, 0)


def after_hsct(seen: Seen) -> Time:
    """From HSCT: 1 relapse detected, 2 death without one."""
    assert seen.hsct is not None
    if seen.relapse_detected is not None:
        return Time(seen.relapse_detected - seen.hsct, 1)
    return Time(seen.follow_up - seen.hsct, 2 if seen.dead else 0)


# --- Estimators ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    day: int
    at_risk: int
    survival: Fraction  # from this day on
    greenwood: Fraction | None  # sum of d / (n (n - d)); None once the curve is 0


def kaplan_meier(times: Sequence[Time]) -> list[Step]:
    """The steps of the curve; whoever is censored on a day is still at risk of that day's events."""
    steps, survival, greenwood = [], Fraction(1), Fraction(0)
    for day in sorted({time.days for time in times if time.kind}):
        at_risk = sum(1 for time in times if time.days >= day)
        events = sum(1 for time in times if time.days == day and time.kind)
        survival *= Fraction(at_risk - events, at_risk)
        if events < at_risk:
            greenwood += Fraction(events, at_risk * (at_risk - events))
        steps.append(Step(day, at_risk, survival, greenwood if survival else None))
    return steps


def survival_at(times: Sequence[Time], day: float) -> float:
    """The curve on a day; no value where everybody's time is shorter and somebody was censored last."""
    value = Fraction(1)
    for step in kaplan_meier(times):
        if step.day <= day:
            value = step.survival
    if value and (not times or max(time.days for time in times) < day):
        return nan
    return float(value)


def median(times: Sequence[Time]) -> float:
    """The first day on which the curve is at most one half; infinite if it never is, nan where there is nobody."""
    if not times:
        return nan
    for step in kaplan_meier(times):
        if step.survival <= Fraction(1, 2):
            return float(step.day)
    return float("inf")


def reverse_median(times: Sequence[Time]) -> float:
    """The median of the ends of observation: the dead of a day are no longer at risk of that day's ends."""
    ends = [time.days for time in times if not time.kind]
    left = Fraction(1)
    for day in sorted(set(ends)):
        at_risk = sum(1 for time in times if time.days > day or (time.days == day and not time.kind))
        left *= Fraction(at_risk - ends.count(day), at_risk)
        if left <= Fraction(1, 2):
            return float(day)
    return float("inf") if times else nan


def median_interval(times: Sequence[Time]) -> tuple[float, float]:
    """First days on which the lower and the upper log-log limit of the curve are at most one half."""
    if not times:
        return nan, nan
    limits = []
    for sign in (1, -1):
        days = [step.day for step in kaplan_meier(times) if _log_log_limit(step, sign) <= 0.5]
        limits.append(float(days[0]) if days else float("inf"))
    return limits[0], limits[1]


def _log_log_limit(step: Step, sign: int) -> float:
    if step.greenwood is None:
        return 0.0
    value = float(step.survival)
    width = NORMAL_975 * float(step.greenwood) ** 0.5 / abs(log(value))
    return float(value ** exp(sign * width))


def cumulative_incidence(times: Sequence[Time], kind: int, day: float) -> float:
    """Aalen and Johansen's estimate on a day, with the same rule for no value."""
    free, total = Fraction(1), Fraction(0)
    for now in sorted({time.days for time in times if time.kind}):
        if now > day:
            break
        at_risk = sum(1 for time in times if time.days >= now)
        total += free * Fraction(sum(1 for time in times if time.days == now and time.kind == kind), at_risk)
        free *= Fraction(at_risk - sum(1 for time in times if time.days == now and time.kind), at_risk)
    if free and (not times or max(time.days for time in times) < day):
        return nan
    return float(total)


def restricted_mean_days(times: Sequence[Time], day: float) -> float:
    """The area under the curve up to a day, day by day; of the last day the fraction."""
    if isnan(survival_at(times, day)):
        return nan
    steps, area, value = {step.day: step.survival for step in kaplan_meier(times)}, Fraction(0), Fraction(1)
    for now in range(ceil(day)):
        value = steps.get(now, value)
        area += value * min(Fraction(1), Fraction(day) - now)
    return float(area)


def exact_interval(count: int, total: int) -> tuple[float, float]:
    """Clopper and Pearson's 95 % interval, by bisection of the binomial tails."""
    lower = 0.0 if count == 0 else _bisect(lambda p: 1 - _below(count, total, p) - 0.025)
    upper = 1.0 if count == total else _bisect(lambda p: 0.025 - _below(count + 1, total, p))
    return lower, upper


def _below(count: int, total: int, p: float) -> float:
    return float(sum(comb(total, k) * p**k * (1 - p) ** (total - k) for k in range(count)))


def _bisect(rising: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def middle(values: Sequence[float]) -> float:
    """The sample median: the mean of the middle two where their number is even."""
    ordered = sorted(values)
    size = len(ordered)
    return nan if not size else (ordered[(size - 1) // 2] + ordered[size // 2]) / 2


def share(part: int, whole: int) -> float:
    return part / whole if whole else nan


# --- The results table -----------------------------------------------------------------------------------------------


def counts(lives: Sequence[Life], rules: Rules) -> dict[str, tuple[int, int]]:
    """Every share of the results table as a count and its denominator."""
    patients = [seen for life in lives if (seen := observe(life, rules)) is not None]
    responders = [p for p in patients if p.responder]
    transplanted = [p for p in patients if p.on_study]
    never = [p for p in responders if p.hsct is None]
    naive = [p for p in responders if not p.life.prior_hsct]
    prior = [p for p in responders if p.life.prior_hsct]
    cr = [p for p in responders if not p.crh]
    crh = [p for p in responders if p.crh]

    unrelated = [p for p in transplanted if p.life.donor in ("unrelated", "cord")]  # cord blood is unrelated
    related = [p for p in transplanted if p.life.donor in ("sibling", "haploidentical")]

    def of(whole: list[Seen], rule: Callable[[Seen], bool]) -> tuple[int, int]:
        return sum(1 for p in whole if rule(p)), len(whole)

    def died(p: Seen, within: int, cause: str = "") -> bool:
        assert p.hsct is not None
        return p.death is not None and p.death - p.hsct <= within and cause in ("", p.life.cause)

    def old(p: Seen) -> bool:
        return p.life.age_years >= 65

    def in_cycle_1(p: Seen) -> bool:
        assert p.remission is not None
        return not any(start < p.remission for start in p.life.cycle_starts[1:])

    ever = 10**9
    return {
        "two or more prior salvage therapies": of(patients, lambda p: p.life.salvage_lines >= 2),
        "prior HSCT": of(patients, lambda p: p.life.prior_hsct),
        "marrow blasts of 75 % or more": of(patients, lambda p: p.life.blasts_pct >= 75),
        "response": of(patients, lambda p: p.responder),
        "response, no prior HSCT": of([p for p in patients if not p.life.prior_hsct], lambda p: p.responder),
        "response, prior HSCT": of([p for p in patients if p.life.prior_hsct], lambda p: p.responder),
        "HSCT": of(responders, lambda p: p.on_study),
        "HSCT, no prior HSCT": of(naive, lambda p: p.on_study),
        "HSCT, prior HSCT": of(prior, lambda p: p.on_study),
        "HSCT in CR": of(transplanted, lambda p: not p.crh),
        "HSCT in CRh*": of(transplanted, lambda p: p.crh),
        "HSCT of CR": of(cr, lambda p: p.on_study),
        "HSCT of CRh*": of(crh, lambda p: p.on_study),
        "myeloablative": of(transplanted, lambda p: p.life.conditioning == "myeloablative"),
        "reduced": of(transplanted, lambda p: p.life.conditioning == "reduced"),
        "conditioning unknown": of(transplanted, lambda p: p.life.conditioning == ""),
        "unrelated": of(transplanted, lambda p: p in unrelated),
        "unrelated, blood": of(unrelated, lambda p: p.life.donor == "unrelated" and p.life.source == "blood"),
        "unrelated, marrow": of(unrelated, lambda p: p.life.donor == "unrelated" and p.life.source == "marrow"),
        "unrelated, cord": of(unrelated, lambda p: p.life.donor == "cord"),
        "related": of(transplanted, lambda p: p in related),
        "sibling": of(transplanted, lambda p: p.life.donor == "sibling"),
        "sibling, blood": of(related, lambda p: p.life.donor == "sibling" and p.life.source == "blood"),
        "sibling, marrow": of(related, lambda p: p.life.donor == "sibling" and p.life.source == "marrow"),
        "haploidentical, blood": of(related, lambda p: p.life.donor == "haploidentical" and p.life.source == "blood"),
        "haploidentical": of(transplanted, lambda p: p.life.donor == "haploidentical"),
        "donor unknown": of(transplanted, lambda p: p.life.donor == ""),
        "later HSCT": of(responders, lambda p: p.hsct is not None and not p.on_study),
        "never HSCT": of(responders, lambda p: p.hsct is None),
        "never, prior HSCT alone": of(never, lambda p: p.life.prior_hsct and not old(p)),
        "never, 65 or more alone": of(never, lambda p: old(p) and not p.life.prior_hsct),
        "never, both": of(never, lambda p: old(p) and p.life.prior_hsct),
        "never, neither": of(never, lambda p: not old(p) and not p.life.prior_hsct),
        "never, one or both": of(never, lambda p: old(p) or p.life.prior_hsct),
        "deaths by day 100": of(transplanted, lambda p: died(p, 100)),
        "deaths by day 100, infection": of(transplanted, lambda p: died(p, 100, "infection")),
        "deaths by day 100, GvHD": of(transplanted, lambda p: died(p, 100, "GvHD")),
        "deaths": of(transplanted, lambda p: died(p, ever)),
        "deaths, infection": of(transplanted, lambda p: died(p, ever, "infection")),
        "deaths, progression": of(transplanted, lambda p: died(p, ever, "progression")),
        "deaths, GvHD": of(transplanted, lambda p: died(p, ever, "GvHD")),
        "remission in cycle 1": of(responders, in_cycle_1),
        "CRh*": of(responders, lambda p: p.crh),
        "MRD-negative": of([p for p in responders if p.life.mrd != "unknown"], lambda p: p.life.mrd == "negative"),
    }


def times(lives: Sequence[Life], rules: Rules) -> dict[str, list[Time]]:
    """Every time to an event of the results table, patient by patient."""
    patients = [seen for life in lives if (seen := observe(life, rules)) is not None]
    responders = [p for p in patients if p.responder]
    transplanted = [p for p in patients if p.on_study]
    rfs = [relapse_free_survival(p, rules) for p in responders]
    return {
        "OS": [overall_survival(p) for p in patients],
        "OS, censored": [censored_at_hsct(overall_survival(p), censoring_hsct(p, rules), 0) for p in patients],
        "RFS": rfs,
        "RFS, censored": [
            censored_at_hsct(time, censoring_hsct(p, rules), p.remission or 0)
            for time, p in zip(rfs, responders, strict=True)
        ],
        "death after HSCT": [Time(p.follow_up - (p.hsct or 0), int(p.dead)) for p in transplanted],
        "to HSCT": [to_hsct(p) for p in responders],
        "after HSCT": [after_hsct(p) for p in transplanted],
    }


def estimates(lives: Sequence[Life], rules: Rules) -> dict[str, float]:
    """Every figure of the results table that is no share; days are days, months of 30.4375 days are months."""
    patients = [seen for life in lives if (seen := observe(life, rules)) is not None]
    transplanted = [p for p in patients if p.on_study]
    curves = times(lives, rules)
    follow_up = reverse_median(curves["OS"])
    if rules.median_follow_up == "enrolment_to_cutoff":
        follow_up = middle([p.potential for p in patients])
    year, half_a_year = 12 * MONTH_DAYS, 6 * MONTH_DAYS
    return {
        "age": middle([p.life.age_years for p in patients]),
        "cycles": middle([p.cycles for p in patients]),
        "cycles before HSCT": middle([p.cycles for p in transplanted]),
        "follow-up, months": follow_up / MONTH_DAYS,
        "OS, months": median(curves["OS"]) / MONTH_DAYS,
        "OS censored at HSCT, months": median(curves["OS, censored"]) / MONTH_DAYS,
        "RFS, months": median(curves["RFS"]) / MONTH_DAYS,
        "RFS censored at HSCT, months": median(curves["RFS, censored"]) / MONTH_DAYS,
        "100-day mortality": 1 - survival_at(curves["death after HSCT"], 100),
        "OS at 12 months": survival_at(curves["OS"], year),
        "OS at 24 months": survival_at(curves["OS"], 2 * year),
        "OS at 36 months": survival_at(curves["OS"], 3 * year),
        "RMST to 12 months": restricted_mean_days(curves["OS"], year) / MONTH_DAYS,
        "RMST to 24 months": restricted_mean_days(curves["OS"], 2 * year) / MONTH_DAYS,
        "remission to HSCT, days": middle([(p.hsct or 0) - (p.remission or 0) for p in transplanted]),
        "HSCT by 6 months": cumulative_incidence(curves["to HSCT"], 1, half_a_year),
        "relapse before HSCT by 6 months": cumulative_incidence(curves["to HSCT"], 2, half_a_year),
        "death before either by 6 months": cumulative_incidence(curves["to HSCT"], 3, half_a_year),
        "relapse by 12 months after HSCT": cumulative_incidence(curves["after HSCT"], 1, year),
        "non-relapse death by 12 months after HSCT": cumulative_incidence(curves["after HSCT"], 2, year),
    }
