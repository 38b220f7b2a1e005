"""Look for what a reader of the built site would stumble over: ``python docs/check_site.py FOLDER``.

Every internal link and anchor must lead somewhere, and nothing may be loaded from elsewhere, so that the site reads
without a network. Prints one line a fault; the exit code is 1 if there is any.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

#: What makes a browser fetch something, by tag and attribute; a link to follow is another matter.
LOADS = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src"), ("object", "data")}
#: Links in a page's head that only say something.
SAYS = {"canonical", "prev", "next", "alternate"}
_FETCHED_BY_STYLE = re.compile(r"(?:url\(|@import\s+)[\"']?(https?:)?//")


@dataclass
class PageOf(HTMLParser):
    """What a page links to, what it loads, and the anchors it has."""

    path: Path
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: D102
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        for name, value in given.items():
            if (tag, name) in LOADS and not SAYS & set(given.get("rel", "").split()):
                self.loads.append(value)


def faults(folder: Path) -> list[str]:
    pages = {path: PageOf(path) for path in sorted(folder.rglob("*.html"))}
    found = [] if pages else [f"{folder}: no pages"]
    for path, page in pages.items():
        where = path.relative_to(folder)
        for target in page.loads:
            if urlsplit(target).netloc:
                found.append(f"{where}: loads {target}")
            elif not target.startswith("data:"):
                found += _broken(target, path, folder, pages)
        for target in page.links:
            found += _broken(target, path, folder, pages)
    for style in folder.rglob("*.css"):
        if _FETCHED_BY_STYLE.search(style.read_text(encoding="utf-8")):
            found.append(f"{style.relative_to(folder)}: loads from elsewhere")
    return found


def _broken(target: str, path: Path, folder: Path, pages: dict[Path, PageOf]) -> list[str]:
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return []
    name, anchor = urldefrag(target)
    # The page for what is not found is shown at any depth, and so names things from the root.
    base = folder if name.startswith("/") else path.parent
    file = (base / unquote(name).lstrip("/")).resolve() if name else path
    file = file / "index.html" if file.is_dir() else file
    where = path.relative_to(folder)
    if not file.is_file():
        return [f"{where}: links to {target}, which is not there"]
    known = pages.get(file)
    # Material's own anchor for the top of a page is made in the browser.
    if known and anchor and not anchor.startswith("__") and unquote(anchor) not in known.anchors:
        return [f"{where}: links to {target}, an anchor that is not there"]
    return []


def main() -> int:
    if len(sys.argv) != 2:
        print("say which folder holds the built site: python docs/check_site.py FOLDER", file=sys.stderr)
        return 2
    found = faults(Path(sys.argv[1]).resolve())
    print(*found, sep="\n") if found else print("every internal link leads somewhere; nothing is loaded from elsewhere")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
