"""Bad inputs: settings of the wrong kind, out of range, at odds with each other, or that do not exist."""

from __future__ import annotations

from typing import Final

from bad_inputs.rows import NOT_DECIMAL, bad, scenario

FITNESS = "policy.transplant.candidates.fitness"

VALUES = [
    scenario(
        "infinite by its exponent",
        "title: x\ncohort: {prior_hsct_share: 1e999}\n",
        f"s.yaml:2:28: '1e999' {NOT_DECIMAL}",
    ),
    scenario(
        "infinite",
        "title: x\ncohort: {prior_hsct_share: -.INF}\n",
        "s.yaml:2:10: cohort.prior_hsct_share: -inf should be a finite number",
    ),
    scenario(
        "not a number",
        "title: x\ncohort: {prior_hsct_share: .NaN}\n",
        "s.yaml:2:10: cohort.prior_hsct_share: nan should be a finite number",
    ),
    scenario("hexadecimal", "title: x\ncohort: {size: 0x10}\n", f"s.yaml:2:16: '0x10' {NOT_DECIMAL}"),
    scenario("octal", "title: x\ncohort: {size: 0o17}\n", f"s.yaml:2:16: '0o17' {NOT_DECIMAL}"),
    scenario("octal of old", "title: x\ncohort: {size: 017}\n", f"s.yaml:2:16: '017' {NOT_DECIMAL}"),
    scenario("underscores", "title: x\ncohort: {size: 1_000}\n", f"s.yaml:2:16: '1_000' {NOT_DECIMAL}"),
    scenario(
        "sexagesimal",
        "title: x\ncohort: {size: 1:30}\n",
        "s.yaml:2:10: cohort.size: '1:30' should be a valid integer",
    ),
    scenario(
        "timestamp",
        "title: x\ncohort: {size: 2020-01-01}\n",
        "s.yaml:2:10: cohort.size: '2020-01-01' should be a valid integer",
    ),
    scenario(
        "decimal for a whole number",
        "title: x\ncohort: {size: 189.0}\n",
        "s.yaml:2:10: cohort.size: 189.0 should be a valid integer",
    ),
    scenario(
        "text for a number",
        "title: x\ncohort:\n  size: '189'\n",
        "s.yaml:3:3: cohort.size: '189' should be a valid integer",
    ),
    scenario(
        "true for a number",
        "title: x\ncohort: {size: true}\n",
        "s.yaml:2:10: cohort.size: true should be a valid integer",
    ),
    scenario("true for text", "title: true\n", "s.yaml:1:1: title: true should be text; put it in quotes"),
    scenario(
        "yes for text by the old YAML",
        "%YAML 1.1\n---\ntitle: yes\n",
        "s.yaml:3:1: title: true should be text; put it in quotes",
    ),
    scenario("number for text", "title: 5\n", "s.yaml:1:1: title: 5 should be text; put it in quotes"),
    scenario("nothing for text", "title:\n", "s.yaml:1:1: title: null should be text"),
    scenario("empty text", "title: ''\n", "s.yaml:1:1: title: '' should have at least 1 character"),
    scenario(
        "yes for true",
        "title: x\npolicy: {transplant: {offered: yes}}\n",
        "s.yaml:2:23: policy.transplant.offered: 'yes' should be true or false",
    ),
    scenario(
        "number for a table",
        "title: x\ncohort: 5\n",
        "s.yaml:2:1: cohort: 5 should be a table of settings",
    ),
    scenario("table left empty", "title: x\npolicy:\n", "s.yaml:2:1: policy: null should be a table of settings"),
    scenario(
        "text for a list",
        "title: x\npolicy: {transplant: {candidates: {fitness: good}}}\n",
        f"s.yaml:2:36: {FITNESS}: 'good' should be a list",
    ),
    scenario(
        "typo in a list",
        "title: x\npolicy: {transplant: {candidates: {fitness: [good, fare]}}}\n",
        f"s.yaml:2:52: {FITNESS}.1: 'fare' is not one of 'good', 'fair', 'poor'; did you mean fair?",
    ),
    scenario(
        "typo in a choice",
        "title: x\npolicy: {donor_search: {starts: Remision}}\n",
        "s.yaml:2:25: policy.donor_search.starts: 'Remision' is not one of 'enrolment', 'remission'; "
        "did you mean remission?",
    ),
]

MEANINGS = [
    scenario(
        "impossible probability",
        "title: x\ncohort:\n  prior_hsct_share: 1.2\n",
        "s.yaml:3:3: cohort.prior_hsct_share: 1.2 should be less than or equal to 1",
    ),
    scenario(
        "negative days",
        "title: x\ntrial: {accrual: {gap_days: -1}}\n",
        "s.yaml:2:19: trial.accrual.gap_days: -1 should be greater than or equal to 0",
    ),
    scenario(
        "negative days of a donor type",
        "title: x\npolicy: {donor_search: {accept_from_day: {cord: -9}}}\n",
        "s.yaml:2:43: policy.donor_search.accept_from_day.cord: -9 should be greater than or equal to 0",
    ),
    scenario(
        "no accrual at all",
        "title: x\ntrial: {accrual: {pieces: []}}\n",
        "s.yaml:2:19: trial.accrual.pieces: [] should have at least 1 item",
    ),
    scenario(
        "accrual of no days",
        "title: x\ntrial:\n  accrual:\n    pieces:\n      - {days: 10}\n      - {days: 0}\n",
        "s.yaml:6:10: trial.accrual.pieces.1.days: 0 should be greater than or equal to 1",
    ),
    scenario(
        "accrual of nobody",
        "title: x\ntrial: {accrual: {pieces: [{days: 10, relative_rate: 0}]}}\n",
        "s.yaml:2:9: trial.accrual: at least one stretch needs a relative_rate above 0",
    ),
    scenario(
        "ages out of order",
        "title: x\ncohort: {age: {min_years: 50}}\n",
        "s.yaml:2:10: cohort.age: needs min_years < median_years < 65 <= max_years",
    ),
    scenario(
        "shares that are more than all",
        "title: x\ncohort: {blasts: {from_75_pct: 0.9}}\n",
        "s.yaml:2:10: cohort.blasts: the four shares must add up to 1, not 1.344",
    ),
    scenario(
        "shares that contradict each other",
        "title: x\ncohort: {no_prior_salvage_share: 0.7}\n",
        "s.yaml:2:10: cohort: no_prior_salvage_share + two_or_more_salvage_share must be at most 1",
    ),
    scenario(
        "settings that contradict each other",
        "title: x\ncohort: {data: {file: p.csv, match_margins: [age]}}\n",
        "s.yaml:2:30: cohort.data: match_margins needs rows: resampled",
    ),
]

KEYS = [
    scenario("unknown key at the top", "titel: x\n", "s.yaml:1:1: titel: no such setting; did you mean title?"),
    scenario("empty key", "title: x\n'': 2\n", "s.yaml:2:1: '': no such setting"),
    bad(
        "a key called like what may stand elsewhere",
        ("show", "baseline", "--set", "policy.donor_search.AfterCycle=1"),
        "--set policy.donor_search.AfterCycle=1: policy.donor_search.AfterCycle: no such setting",
    ),
    scenario("numeric key", "title: x\n1: 2\n", "s.yaml:2:1: 1: no such setting"),
    scenario(
        "unknown key of level 2",
        "title: x\ncohort: {siez: 5}\n",
        "s.yaml:2:10: cohort.siez: no such setting; did you mean size?",
    ),
    scenario(
        "unknown key of level 3",
        "title: x\npolicy:\n  cycles: {rest_day: 3}\n",
        "s.yaml:3:12: policy.cycles.rest_day: no such setting; did you mean rest_days?",
    ),
    scenario(
        "unknown key of level 4",
        "title: x\npolicy:\n  transplant:\n    candidates:\n      max_agee_years: 70\n",
        "s.yaml:5:7: policy.transplant.candidates.max_agee_years: no such setting; did you mean max_age_years?",
    ),
    scenario(
        "unknown key in a list",
        "title: x\ntrial: {accrual: {pieces: [{dayss: 3}]}}\n",
        "s.yaml:2:29: trial.accrual.pieces.0.dayss: no such setting; did you mean days?",
    ),
    scenario(
        "unknown key of a table of names",
        "title: x\npolicy: {donor_search: {accept_from_day: {sibbling: 0}}}\n",
        "s.yaml:2:43: policy.donor_search.accept_from_day.sibbling: 'sibbling' is not one of 'sibling', 'unrelated', "
        "'haploidentical', 'cord'; did you mean sibling?",
    ),
    scenario(
        "key at the wrong level",
        "title: x\nmax_age_years: 70\n",
        "s.yaml:2:1: max_age_years: no such setting; did you mean policy.transplant.candidates.max_age_years?",
    ),
    scenario("table that is not there", "title: x\nwards: {beds: 3}\n", "s.yaml:2:1: wards: no such setting"),
    scenario("required key left out", "why: y\n", "s.yaml:1:1: title: is required"),
    scenario(
        "required key within",
        "title: x\ncohort: {data: {rows: as_given}}\n",
        "s.yaml:2:10: cohort.data.file: is required",
    ),
]

POLICIES = [
    scenario(
        "latest cycle before the earliest",
        "title: x\npolicy: {transplant: {latest_cycle: 1, earliest_cycle: 3}}\n",
        "s.yaml:2:23: policy.transplant: latest_cycle 1 comes before earliest_cycle 3; no transplant could be on time: "
        "raise the one or lower the other",
    ),
    scenario(
        "earliest cycle that is never given",
        "title: x\npolicy:\n  cycles: {maximum: 3}\n  transplant: {earliest_cycle: 4}\n",
        "s.yaml:4:16: policy: transplant.earliest_cycle 4 is beyond cycles.maximum 3: lower the one or raise the other",
    ),
    scenario(
        "search after a cycle that is never given",
        "title: x\npolicy: {donor_search: {starts: {after_cycle: 6}}}\n",
        "s.yaml:2:34: policy: donor_search.starts.after_cycle 6 is beyond cycles.maximum 5: "
        "lower the one or raise the other",
    ),
    scenario(
        "start of the search that is neither word nor table",
        "title: x\npolicy: {donor_search: {starts: never}}\n",
        "s.yaml:2:25: policy.donor_search.starts: 'never' is not one of 'enrolment', 'remission'",
    ),
    scenario(
        "start of the search in a misspelt table",
        "title: x\npolicy: {donor_search: {starts: {after_cycl: 2}}}\n",
        "s.yaml:2:34: policy.donor_search.starts.after_cycl: no such setting; did you mean after_cycle?",
    ),
    scenario(
        "start of the search after cycle 0",
        "title: x\npolicy: {donor_search: {starts: {after_cycle: 0}}}\n",
        "s.yaml:2:34: policy.donor_search.starts.after_cycle: 0 should be greater than or equal to 1",
    ),
    scenario(
        "stop without response after a third cycle",
        "title: x\npolicy: {cycles: {stop_without_response_after: 3}}\n",
        "s.yaml:2:19: policy.cycles.stop_without_response_after: 3 should be less than or equal to 2",
    ),
    scenario(
        "conditioning that there is not",
        "title: x\npolicy: {transplant: {conditioning: {forced: reducd}}}\n",
        "s.yaml:2:38: policy.transplant.conditioning.forced: 'reducd' is not one of 'myeloablative', 'reduced'; "
        "did you mean reduced?",
    ),
    scenario(
        "treatment that there is not",
        "title: x\npolicy: {therapy: none_at_all}\n",
        "s.yaml:2:10: policy.therapy: 'none_at_all' is not one of 'blinatumomab', 'standard'",
    ),
    scenario(
        "no beds where transplants are offered",
        "title: x\ncapacity: {transplant_beds: {places: 0}}\n",
        "s.yaml:2:30: the scenario: capacity.transplant_beds.places is 0 while policy.transplant.offered is true: "
        "give at least one bed, or offer no transplantation",
    ),
    scenario(
        "other patients for places that nobody counts",
        "title: x\ncapacity: {search_coordinators: {background: {arrivals_per_year: 3.0}}}\n",
        "s.yaml:2:34: capacity: search_coordinators.background means nothing without search_coordinators.places; "
        "say how many there are",
    ),
    scenario(
        "priority that there is not",
        "title: x\ncapacity: {transplant_beds: {places: 2, priority: mrd_first}}\n",
        "s.yaml:2:41: capacity.transplant_beds.priority: 'mrd_first' is not one of 'first_come', 'mrd_negative_first', "
        "'mrd_positive_first'; did you mean mrd_positive_first?",
    ),
    scenario(
        "half a bed",
        "title: x\ncapacity: {transplant_beds: {places: 2.5}}\n",
        "s.yaml:2:30: capacity.transplant_beds.places: 2.5 should be a valid integer",
    ),
    scenario(
        "a stay of no days",
        "title: x\ncapacity: {transplant_beds: {places: 2, stay_days: 0}}\n",
        "s.yaml:2:41: capacity.transplant_beds.stay_days: 0 should be greater than or equal to 1",
    ),
    bad(
        "array engine asked for where places are counted",
        "run scarce_beds --engine fast",
        "engine fast knows no counted places (capacity); ask for des or auto",
    ),
    bad(
        "policy of one's own without a class",
        "run baseline --policy mine.py",
        "--policy mine.py: a policy is named as file.py:Class",
    ),
]


TABLE: Final = [*VALUES, *MEANINGS, *KEYS, *POLICIES]
