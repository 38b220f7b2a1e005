"""Write ``requirements.lock`` and ``sbom.json`` from ``constraints.txt``; run it where the versions there change.

Usage: ``python docs/lock.py`` in an environment with what is pinned and with pip-tools (``--bill``: the bill alone).
The versions have their home in ``constraints.txt``; the lock adds the hashes of their files, for every system and
Python, and names no registry. The bill of materials (CycloneDX) says it all again for programs, with licences.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
CONSTRAINTS, LOCK, SBOM = ROOT / "constraints.txt", ROOT / "requirements.lock", ROOT / "sbom.json"
HEADER: Final = (
    "# The files of the versions in constraints.txt, by their hashes. Written by docs/lock.py; use with:\n"
    "# pip install --require-hashes -r requirements.lock\n"
)
#: Licences read in the pinned versions of packages whose metadata say none (atheris, axe-playwright-python and Ciw, in
#: their licence files), or which the extra ``dev`` does not install; in the words that `licence` finds where they are.
READ: Final = {
    "atheris": "Apache-2.0",
    "axe-playwright-python": "MIT",
    "ciw": "MIT",
    "networkx": "BSD-3-Clause",
    "salabim": "MIT License",
    "tqdm": "MPL-2.0 AND MIT",
}
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def canonical(name: str) -> str:
    """Return a package's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> dict[str, str]:
    """Return versions by canonical name."""
    return {canonical(name): version for name, version in _PIN.findall(text)}


def locked(text: str) -> dict[str, tuple[str, list[str]]]:
    """Return version and hashes by canonical name."""
    entries = re.split(r"\n(?=[A-Za-z0-9])", text)
    found = ((_PIN.search(entry), _HASH.findall(entry)) for entry in entries)
    return {canonical(pin[1]): (pin[2], hashes) for pin, hashes in found if pin}


def compiled(constraints: str) -> str:
    """Ask the registry for the hashes; a package that the pins need and do not name is an error."""
    with tempfile.TemporaryDirectory() as folder:
        wanted, lock = Path(folder) / "constraints.in", Path(folder) / "lock"
        wanted.write_text(constraints, encoding="utf-8")
        said_not = ("header", "annotate", "emit-index-url", "emit-trusted-host", "emit-find-links", "emit-options")
        options = [*(f"--no-{what}" for what in said_not), "--generate-hashes", "--allow-unsafe", "--strip-extras"]
        command = [sys.executable, "-m", "piptools", "compile", "--quiet", *options, "-o", str(lock), str(wanted)]
        subprocess.run(command, check=True)
        text = lock.read_text(encoding="utf-8")
    more = sorted(set(locked(text)) - set(pins(constraints)))
    if more:
        raise SystemExit(f"constraints.txt does not pin {', '.join(more)}")
    return HEADER + text


def licence(name: str) -> str | None:
    """Return what a package says of its licence."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return READ.get(name)
    if said := about.get("License-Expression"):
        return said
    classes = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or () if line.startswith("License")]
    if named := [one for one in classes if one != "OSI Approved"]:
        return " or ".join(named)
    first = (about.get("License") or "").strip().partition("\n")[0]
    return first or READ.get(name)


def component(name: str, version: str, hashes: list[str], said: str | None) -> dict[str, Any]:
    """Return a package as CycloneDX has it."""
    return {
        "type": "library",
        "bom-ref": f"pkg:pypi/{name}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        "licenses": [{"license": {"name": said}}] if said else [],
        "hashes": [{"alg": "SHA-256", "content": one} for one in hashes],
    }


def bill(lock: str, version: str, licences: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the bill of materials of a lock."""
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "blinasim",
                "name": "blinasim",
                "version": version,
                "licenses": [{"license": {"id": "MIT"}}],
            }
        },
        "components": [
            component(name, pinned, hashes, licences.get(name))
            for name, (pinned, hashes) in sorted(locked(lock).items())
        ],
    }


def written(document: Mapping[str, Any]) -> str:
    """Return a document as it stands in its file: a line a component, so that changes can be read."""
    lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in document["components"])
    rest = {key: value for key, value in document.items() if key != "components"}
    head = json.dumps(rest, indent=1, ensure_ascii=False).removesuffix("\n}")
    return f'{head},\n "components": [\n{lines}\n ]\n}}\n'


def main() -> None:
    from blinasim import __version__

    if "--bill" not in sys.argv[1:]:
        LOCK.write_text(compiled(CONSTRAINTS.read_text(encoding="utf-8")), encoding="utf-8")
    lock = LOCK.read_text(encoding="utf-8")
    licences = {name: licence(name) for name in locked(lock)}
    if silent := sorted(name for name, said in licences.items() if said is None):
        print(f"no licence is known of {', '.join(silent)}: not installed here, or they do not say")
    SBOM.write_text(written(bill(lock, __version__, licences)), encoding="utf-8")


if __name__ == "__main__":
    main()
