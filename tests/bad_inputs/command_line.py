"""Bad inputs: names, options and changes as they are typed, and where results should go."""

from __future__ import annotations

from typing import Final

from bad_inputs.rows import NO_ALIAS, SHIPPED, TOO_DEEP, Bad, Folder, Link, bad

WRITTEN = "a change is written dotted.key=value, such as cohort.size=100"
NO_NAME = "is no name for a scenario; begin with a letter, go on with letters, digits, - or _"
RUN = "run baseline --replications 1 --out "
HERE = "an empty name, or ., is the folder you are in, or holds it; choose another --out"
TAKEN = "already exists; say --force to replace it, or --out for another folder"


def change(what: str, setting: str, line: str, said: str | None = None) -> Bad:
    """A ``--set`` is wrong; the line begins with it."""
    return bad(what, ("show", "baseline", "--set", setting), f"--set {said or setting}: {line}")


CHANGES = [
    change("set without equals", "cohort.size", WRITTEN),
    change("set of no key", "=5", WRITTEN),
    change("set of half a key", "cohort..size=1", WRITTEN),
    change("set of an unknown key", "zzz=1", "zzz: no such setting"),
    change("set of a typo", "cohort.siez=5", "cohort.siez: no such setting; did you mean size?"),
    change("set of a key without its table", "size=5", "size: no such setting; did you mean cohort.size?"),
    change("set of a wrong type", "cohort.size=many", "cohort.size: 'many' should be a valid integer"),
    change("set of a list", "cohort.size=[1, 2]", "cohort.size: [1, 2] should be a valid integer"),
    change("set of a negative size", "cohort.size=-1", "cohort.size: -1 should be greater than or equal to 1"),
    change("set to nothing", "cohort.size=", "cohort.size: null should be a valid integer"),
    change("set of a table to a number", "cohort=5", "cohort: 5 should be a table of settings"),
    change("set below a text", "title.x=1", "title: {'x': 1} should be text"),
    change("set of the base", "extends=baseline", "extends cannot be changed by --set; name another scenario instead"),
    change(
        "set of broken YAML",
        "cohort.size=[1",
        "not valid YAML: while parsing a flow sequence begun at 1:1, expected ',' or ']', but got '<stream end>'",
    ),
    change("set of an alias", "why=&a x", f"anchors and aliases (&a) {NO_ALIAS}"),
    change(
        "set with a line break", "cohort.size=1\n2", "cohort.size: '1 2' should be a valid integer", "cohort.size=1\\n2"
    ),
    change("set of nested lists", "why=" + "[" * 50_000, TOO_DEEP, f"why={'[' * 53}..."),
    change("set of a key of 20,000 parts", "a." * 20_000 + "a=1", TOO_DEEP, f"{('a.' * 40)[:57]}..."),
    bad(
        "the second of two sets",
        "show baseline --set cohort.size=5 --set cohort.sizes=5",
        "--set cohort.sizes=5: cohort.sizes: no such setting; did you mean size?",
    ),
]

NAMES = [
    bad("unknown scenario", "run basline", f"no scenario named 'basline'; did you mean baseline? {SHIPPED}"),
    bad(
        "a design for a scenario",
        "run phase3_early_search",
        "phase3_early_search is a trial design, not a scenario; evaluate it with blinasim trial, in Python with "
        "evaluate_design",
    ),
    bad(
        "a scenario for a design",
        "trial baseline",
        "baseline is a scenario, not a trial design; simulate it with blinasim run, in Python with simulate",
    ),
    bad("scenario in capitals", "run BASELINE", f"no scenario named 'BASELINE'; did you mean baseline? {SHIPPED}"),
    bad("unknown scenario like no other", "trace zzz", f"no scenario named 'zzz' {SHIPPED}"),
    bad("scenario of no name", ("show", ""), f"no scenario named '' {SHIPPED}"),
    bad("scenario of a long name", ("show", "a" * 5000), f"no scenario named '{'a' * 57}...' {SHIPPED}"),
    bad("missing file", "run gone.yaml", "gone.yaml: no such scenario file"),
    bad(
        "shipped name with an ending",
        "run baseline.yaml",
        "baseline.yaml: no such scenario file; did you mean baseline?",
    ),
    bad("file of a long name", ("show", "a" * 300 + ".yaml"), f"{'a' * 300}.yaml: cannot be read (File name too long)"),
    bad(
        "directory named x.yaml",
        "show x.yaml",
        "x.yaml: is not a file; name a scenario's YAML file",
        {"x.yaml": Folder()},
    ),
    bad(
        "loop of links",
        "show x.yaml",
        "x.yaml: cannot be read (Too many levels of symbolic links)",
        {"x.yaml": Link("y.yaml"), "y.yaml": Link("x.yaml")},
    ),
    bad("link to nothing", "show x.yaml", "x.yaml: no such scenario file", {"x.yaml": Link("gone.yaml")}),
]

OPTIONS = [
    bad("unknown command", "shw", "No such command 'shw'. Did you mean 'show'? (see blinasim --help)"),
    bad("unknown option", "--nope", "No such option: --nope (see blinasim --help)"),
    bad(
        "typo of an option",
        "run baseline --sed 1",
        "No such option: --sed (Possible options: --seed, --set) (see blinasim run --help)",
    ),
    bad("argument left out", "show", "Missing argument 'scenario' (see blinasim show --help)"),
    bad("argument too many", "show baseline x", "Got unexpected extra argument(s) (x) (see blinasim show --help)"),
    bad("option without its value", "run baseline --out", "Option '--out' requires an argument (see blinasim --help)"),
    bad(
        "negative seed",
        "run baseline --seed -1",
        "Invalid value for '--seed': Input should be greater than or equal to 0 (see blinasim run --help)",
    ),
    bad(
        "no trials",
        "run baseline --replications 0",
        "Invalid value for '--replications': Input should be greater than or equal to 1 (see blinasim run --help)",
    ),
    bad(
        "half a trial",
        "run baseline --replications 1.5",
        "Invalid value for '--replications': Input should be a valid integer, unable to parse string as an integer "
        "(see blinasim run --help)",
    ),
    bad(
        "trial beyond any study",
        "trace baseline --trial 99999999999999999999",
        "Invalid value for '--trial': Input should be less than or equal to 10000000 (see blinasim trace --help)",
    ),
    bad("patient beyond the cohort", "trace baseline --patient 190", "--patient 190: the cohort has patients 1 to 189"),
]

OUTPUT = [
    bad("results are there", "run baseline", f"results/baseline {TAKEN}", {"results/baseline/mine.txt": "keep"}),
    bad("out is a file", RUN + "o", f"o {TAKEN}", {"o": "keep"}),
    bad("out is a file, by force", RUN + "o --force", "o is not a folder; choose another --out", {"o": "keep"}),
    bad("out is a link to nothing", RUN + "o", f"o {TAKEN}", {"o": Link("gone")}),
    bad("out is a loop of links", RUN + "o", f"o {TAKEN}", {"o": Link("o")}),
    bad("out below a file", RUN + "f/o", "f/o: cannot be written (Not a directory); choose another --out", {"f": "x"}),
    bad(
        "out far below a file",
        RUN + "f/a/o",
        "f/a/o: cannot be written (Not a directory); choose another --out",
        {"f": "x"},
    ),
    bad(
        "out of a long name, in a folder to be made",
        RUN + "new/" + "a" * 300,
        f"new/{'a' * 300}: cannot be written (File name too long); choose another --out",
    ),
    bad("out is here", RUN + ".", HERE),
    bad(
        "out of no name",
        (*RUN.split(), ""),
        HERE,
    ),
    bad(
        "out is here, by force",
        RUN + ". --force",
        HERE,
    ),
    bad("out is above, by force", RUN + ".. --force", ".. is the folder you are in, or holds it; choose another --out"),
    bad("new onto a file", "new mine", "mine.yaml already exists; choose another name", {"mine.yaml": "keep"}),
    bad("new onto a link", "new mine", "mine.yaml already exists; choose another name", {"mine.yaml": Link("gone")}),
    bad(
        "new in a missing folder",
        "new gone/mine",
        "gone/mine.yaml: cannot be written (No such file or directory); choose another name",
    ),
    bad("new of no name", ("new", ""), f"'' {NO_NAME}"),
    bad("new of two lines", ("new", "a\nb"), f"'a\\nb' {NO_NAME}"),
    bad("new of a name that YAML misreads", ("new", "a: b"), f"'a: b' {NO_NAME}"),
    bad("new of a number", ("new", "2024"), f"'2024' {NO_NAME}"),
]


TABLE: Final = [*CHANGES, *NAMES, *OPTIONS, *OUTPUT]
