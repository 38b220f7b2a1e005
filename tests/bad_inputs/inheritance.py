"""Bad inputs: what a file extends or names."""

from __future__ import annotations

from typing import Final

from bad_inputs.rows import OUTSIDE, SHIPPED, Link, bad, scenario

DESIGN = """title: x
arms: [{name: a, scenario: baseline}]
size: 20
accrual: [{patients_per_month: 12}]
estimand: {treatment: all, variable: response, summary: response_rate}
plan: {kind: exact, p0: 0.30, p1: 0.43}
"""

TABLE: Final = [
    scenario(
        "extends a list",
        "extends: [a, b]\n",
        "s.yaml:1:1: extends: ['a', 'b'] should be the name or the file of one scenario",
    ),
    scenario(
        "extends nothing",
        "title: x\nextends: ''\n",
        "s.yaml:2:1: extends: '' should be the name or the file of one scenario",
    ),
    scenario(
        "extends null",
        "extends:\ntitle: x\n",
        "s.yaml:1:1: extends: null should be the name or the file of one scenario",
    ),
    scenario(
        "extends itself", "extends: ./s.yaml\n", "s.yaml:1:1: extends: inheritance goes in a circle (s.yaml -> s.yaml)"
    ),
    scenario(
        "extends in a circle of three",
        "extends: b.yaml\n",
        "c.yaml:2:1: extends: inheritance goes in a circle (s.yaml -> b.yaml -> c.yaml -> s.yaml); "
        "inherited by s.yaml (extends: b.yaml)",
        b="extends: c.yaml\n",
        c="title: x\nextends: s.yaml\n",
    ),
    scenario(
        "extends without end",
        "extends: a0.yaml\n",
        "a19.yaml:1:1: extends: more than 20 scenarios extend each other here; inherited by s.yaml (extends: a0.yaml)",
        **{f"a{number}": f"extends: a{number + 1}.yaml\n" for number in range(1000)},
    ),
    scenario(
        "extends a typo of a shipped name",
        "extends: basline\n",
        f"s.yaml:1:1: extends: no scenario named 'basline'; did you mean baseline? {SHIPPED}",
    ),
    scenario(
        "extends a file that is not there",
        "extends: erly.yaml\n",
        "s.yaml:1:1: extends: erly.yaml: no such scenario file; did you mean early.yaml?",
        early="title: x\n",
    ),
    scenario(
        "the base extends a file that is not there",
        "extends: b.yaml\n",
        "b.yaml:1:1: extends: gone.yaml: no such scenario file; inherited by s.yaml (extends: b.yaml)",
        b="extends: gone.yaml\n",
    ),
    scenario(
        "typo in an inherited file",
        "extends: b.yaml\ntitle: y\n",
        "b.yaml:2:10: cohort.siez: no such setting; did you mean size?; inherited by s.yaml (extends: b.yaml)",
        b="title: x\ncohort: {siez: 1}\n",
    ),
    scenario(
        "wrong value inherited through two levels",
        "extends: b.yaml\n",
        "c.yaml:2:10: cohort.size: 0 should be greater than or equal to 1; inherited by s.yaml (extends: b.yaml)",
        b="extends: c.yaml\nwhy: b\n",
        c="title: x\ncohort: {size: 0}\n",
    ),
    scenario(
        "empty file inherited through two levels",
        "extends: b.yaml\n",
        "c.yaml: the file is empty; inherited by s.yaml (extends: b.yaml)",
        b="extends: c.yaml\n",
        c="",
    ),
    scenario(
        "own fault comes before an inherited one",
        "extends: b.yaml\ncohort: {sites: 0}\n",
        "s.yaml:2:10: cohort.sites: 0 should be greater than or equal to 1",
        b="title: x\ncohort: {size: 0}\n",
    ),
    scenario(
        "extends a file above its folder",
        "title: x\nextends: ../b.yaml\n",
        f"s.yaml:2:1: extends: '../b.yaml' {OUTSIDE}",
    ),
    scenario(
        "extends a file by its whole path",
        "extends: /etc/b.yaml\n",
        f"s.yaml:1:1: extends: '/etc/b.yaml' {OUTSIDE}",
    ),
    scenario(
        "the base extends a file above the folder of the file asked for",
        "extends: b.yaml\n",
        f"b.yaml:1:1: extends: '../c.yaml' {OUTSIDE}; inherited by s.yaml (extends: b.yaml)",
        b="extends: ../c.yaml\n",
    ),
    bad(
        "extends a link that leads out",
        "show s.yaml",
        f"s.yaml:1:1: extends: 'b.yaml' {OUTSIDE}",
        {"s.yaml": "extends: b.yaml\n", "b.yaml": Link("/etc/hostname")},
    ),
    bad(
        "arm of a design above its folder",
        "trial d.yaml",
        f"d.yaml:2:18: arms.0.scenario: arm a: scenario: '../s.yaml' {OUTSIDE}",
        {"d.yaml": DESIGN.replace("baseline", "../s.yaml")},
    ),
    bad(
        "arm of a design with patients above its folder",
        "trial d.yaml",
        "d.yaml:2:18: arms.0.scenario: arm a: --set cohort.data={file: ../p.csv, rows: resampled}: cohort.data.file: "
        f"'../p.csv' {OUTSIDE}",
        {
            "d.yaml": DESIGN.replace(
                "scenario: baseline",
                "scenario: baseline, changes: ['cohort.data={file: ../p.csv, rows: resampled}']",
            )
        },
    ),
    bad(
        "fault in the base in another folder",
        "show s.yaml",
        "bases/b.yaml:1:1: titel: no such setting; did you mean title?; inherited by s.yaml (extends: bases/b.yaml)",
        {"s.yaml": "extends: bases/b.yaml\n", "bases/b.yaml": "titel: x\n"},
    ),
]
