"""Write the golden results anew, on purpose, and print what changed: ``python tests/golden/update.py [NAME ...]``."""

import sys

from results import FOLDER, differences, figures_of, names, read, write


def main() -> None:
    asked = sys.argv[1:] or names()
    unknown = set(asked) - set(names())
    if unknown:
        sys.exit(f"no shipped scenario or design is called {', '.join(sorted(unknown))}")
    changed = 0
    for name in asked:
        found = figures_of(name)
        moved = differences(read(name), found)
        if moved:
            write(name, found)
            changed += 1
            print(f"{name}: {len(moved)} figures changed", *moved[:40], sep="\n  ")
            if len(moved) > 40:
                print(f"  and {len(moved) - 40} more")
    for path in sorted(FOLDER.glob("*.json")):
        if path.stem not in names():
            path.unlink()
            print(f"{path.name} removed: there is no such scenario or design any more")
    print(f"{changed} of {len(asked)} files changed" + ("; say why in CHANGELOG.md" if changed else ""))


if __name__ == "__main__":
    main()
