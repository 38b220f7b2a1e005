"""Bad inputs: what is not YAML as it should be, and what would harm who reads it."""

from __future__ import annotations

import codecs
from typing import Final

from bad_inputs.rows import NO_ALIAS, NOT_DECIMAL, NOT_UTF8, TOO_DEEP, scenario

TOO_LARGE = "s.yaml: cannot be read (larger than 1,000,000 bytes)"
NO_TAG = "is not allowed; write plain values"

YAML_ITSELF = [
    scenario("empty file", "", "s.yaml: the file is empty"),
    scenario("only a comment", "# nothing yet\n", "s.yaml: the file is empty"),
    scenario("null document", "---\n", "s.yaml:1:1: a scenario is a table of settings, such as `title: ...`"),
    scenario("a list", "- title: x\n", "s.yaml:1:1: a scenario is a table of settings, such as `title: ...`"),
    scenario(
        "bracket left open",
        "title: [x\n",
        "s.yaml:2:1: not valid YAML: while parsing a flow sequence begun at 1:8, "
        "expected ',' or ']', but got '<stream end>'",
    ),
    scenario(
        "tab for indentation",
        "title: x\npolicy:\n\tcycles: {}\n",
        "s.yaml:3:1: not valid YAML: while scanning for the next token, "
        "found character '\\t' that cannot start any token",
    ),
    scenario(
        "two documents",
        "title: x\n---\ntitle: y\n",
        "s.yaml:2:1: not valid YAML: expected a single document in the stream begun at 1:1, but found another document",
    ),
    scenario("duplicate key", "title: x\nwhy: a\ntitle: y\n", "s.yaml:3:1: title is written twice, first on line 1"),
    scenario(
        "duplicate key within",
        "title: x\ncohort: {size: 5, size: 6}\n",
        "s.yaml:2:19: size is written twice, first on line 2",
    ),
    scenario("NUL byte", "title: x\nwhy: a\0b\n", "s.yaml:2:7: the character U+0000 is not allowed; remove it"),
    scenario("control character", "title: a\x1b[1m\n", "s.yaml:1:9: the character U+001B is not allowed; remove it"),
    scenario("latin-1", "title: x\nwhy: Hämatologie\n".encode("latin-1"), f"s.yaml:2:7: {NOT_UTF8}"),
    scenario("half a byte order mark", b"\xef\xff", f"s.yaml:1:1: {NOT_UTF8}"),
    scenario("UTF-16", "title: x\n".encode("utf-16"), f"s.yaml:1:1: {NOT_UTF8}"),
    scenario(
        "byte order mark hides nothing",
        codecs.BOM_UTF8 + b"titel: x\n",
        "s.yaml:1:1: titel: no such setting; did you mean title?",
    ),
    scenario("key that is a list", "title: x\n? [a, b]\n: 1\n", "s.yaml:2:3: a key must be a plain word"),
    scenario(
        "other version of YAML",
        "%YAML 9.9\n---\ntitle: x\n",
        "s.yaml:1:1: not valid YAML: found incompatible YAML document (version 1.* is required)",
    ),
]

HOSTILE = [
    scenario(
        "alias bomb",
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{name}: &{name} [{', '.join([f'*{below}'] * 9)}]\n"
            for below, name in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        f"s.yaml:1:4: anchors and aliases (&a) {NO_ALIAS}",
    ),
    scenario("alias of itself", "title: &a [*a]\n", f"s.yaml:1:8: anchors and aliases (&a) {NO_ALIAS}"),
    scenario("alias of nothing", "title: x\nwhy: *gone\n", f"s.yaml:2:6: anchors and aliases (*gone) {NO_ALIAS}"),
    scenario("merge key", "title: x\n<<: {why: y}\n", "s.yaml:2:1: <<: no such setting"),
    scenario(
        "tag that runs a command",
        "title: !!python/object/apply:os.system ['touch owned']\n",
        f"s.yaml:1:8: tag !!python/object/apply:os.system {NO_TAG}",
    ),
    scenario("binary tag", "title: !!binary aGVsbG8=\n", f"s.yaml:1:8: tag !!binary {NO_TAG}"),
    scenario("tag of one's own", "title: x\ncohort: !mine {}\n", f"s.yaml:2:9: tag !mine {NO_TAG}"),
    scenario("nested lists", "title: " + "[" * 100_000 + "]" * 100_000, f"s.yaml:1:39: {TOO_DEEP}"),
    scenario("nested lists left open", "title: " + "[" * 900_000, f"s.yaml:1:39: {TOO_DEEP}"),
    scenario("nested tables", "title: " + "{a: " * 200_000, f"s.yaml:1:129: {TOO_DEEP}"),
    scenario("nested blocks", "".join(" " * depth + "a:\n" for depth in range(1000)), f"s.yaml:32:32: {TOO_DEEP}"),
    scenario("nested keys", "? " * 400_000, f"s.yaml:1:65: {TOO_DEEP}"),
    scenario("a million levels", "[" * 1_000_001, TOO_LARGE),
    scenario("a line of 5 MB", "title: " + "a" * 5_000_000, TOO_LARGE),
    scenario(
        "a line of just under 1 MB",
        "title: " + "a" * 900_000,
        f"s.yaml:1:1: title: '{'a' * 57}...' should have at most 200 characters",
    ),
    scenario("a key of 900 kB", "? " + "k" * 900_000 + "\n: 1\n", f"s.yaml:1:3: {'k' * 57}...: no such setting"),
    scenario("key with a line break", 'title: x\n"a\\nb": 1\n', "s.yaml:2:1: a\\nb: no such setting"),
    scenario("key that colours the terminal", 'title: x\n"\\e[31m": 1\n', "s.yaml:2:1: \\x1b[31m: no such setting"),
    scenario(
        "integer of 10,000 digits",
        "title: x\ncohort: {size: " + "9" * 10_000 + "}\n",
        f"s.yaml:2:16: '{'9' * 57}...' {NOT_DECIMAL}",
    ),
    scenario(
        "integer of 100 digits",
        "title: x\nstudy: {seed: " + "9" * 100 + "}\n",
        f"s.yaml:2:9: study.seed: {'9' * 57}... should be less than or equal to 9223372036854775807",
    ),
]


TABLE: Final = [*YAML_ITSELF, *HOSTILE]
