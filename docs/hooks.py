"""What the site has besides the pages in ``docs/``; MkDocs calls it (``hooks`` in mkdocs.yml).

- The README, the specification and others that stand elsewhere (``BROUGHT_IN``) stay there and become pages.
- ``<!-- part: NAME -->`` in a page stands for what ``docs/parts.py`` makes of the code and the data, and
  ``<!-- readme: HEADING -->`` for a section of the README.
- A link to any other file of the repository leads to a page that shows the file, so that the site needs no code host.
- Notebooks in ``notebooks/`` are pages, shown as they are stored, and listed after the guides.
"""

from __future__ import annotations

import json
import posixpath
import re
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from parts import PARTS, ROOT

DOCS: Final = ROOT / "docs"
#: Files of the repository that are pages of the site, by the page.
BROUGHT_IN: Final = {
    "specification.md": "SPECIFICATION.md",
    "architecture.md": "ARCHITECTURE.md",
    "changelog.md": "CHANGELOG.md",
    "notebooks/index.md": "notebooks/README.md",
}
#: Where a link to a file of the repository leads, besides the pages above.
LEADS_TO: Final = {**{source: page for page, source in BROUGHT_IN.items()}, "README.md": "index.md"}
#: The folder of the site in which files are shown.
SHOWN: Final = "source"
LANGUAGES: Final = {".py": "python", ".yaml": "yaml", ".json": "json", ".cff": "yaml", ".md": "markdown"}

_LINK = re.compile(r"(!?\[(?:[^\[\]]|\[[^\[\]]*\])*\])\(([^()\s]+)\)")
_BLOCK = re.compile(r"(^ *```.*?^ *```$)", re.DOTALL | re.MULTILINE)
_PART = re.compile(r"<!-- part: (\w+) -->")
_SECTION = re.compile(r"<!-- readme: (.+?) -->")
_HREF = re.compile(r'href="([^"]*)"')
_ROLE = re.compile(r":(?:mod|func|class|meth|attr):<code>")
_PICTURE = re.compile(r"<p>(<img [^>]*>)</p>")
_ABSOLUTE = re.compile(r"[a-z]+:|#|/")


# --- what MkDocs calls ------------------------------------------------------------------------------------------------


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the notebooks after the guides."""
    found = {"Notebooks": ["notebooks/index.md", *notebooks()]}
    nav: list[Any] = config.nav or []
    if found not in nav:  # the same list is given again where the site is served
        nav.insert(next(number for number, item in enumerate(nav) if "How to" in item) + 1, found)
    return config


@event_priority(100)  # before the plugin that makes pages of notebooks
def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    for page, source in BROUGHT_IN.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    for path in notebooks():
        files.append(File(path, str(ROOT), config.site_dir, config.use_directory_urls))
    for target in sorted(linked_files()):
        files.append(File.generated(config, shown_at(target), content=shown(target)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    return finished(markdown, page.file.src_uri, home_of(page.file.src_uri))


def on_page_content(html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Let links of notebooks lead to pages and pictures scroll; leave Sphinx's roles out, as a name follows."""
    here = page.file.src_uri
    if here.endswith(".ipynb"):
        html = _HREF.sub(lambda link: f'href="{relative(link[1], here, here, ".html")}"', html)
    html = _PICTURE.sub(r'<div class="picture" role="group" tabindex="0" aria-label="Picture">\1</div>', html)
    return _ROLE.sub("<code>", html)


# --- pages ------------------------------------------------------------------------------------------------------------


def notebooks() -> list[str]:
    return [f"notebooks/{path.name}" for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]


def home_of(page: str) -> str:
    """Return the path in the repository of a page's text."""
    if page.startswith(f"{SHOWN}/"):
        return page.removeprefix(f"{SHOWN}/").removesuffix(".md")
    return BROUGHT_IN.get(page, f"docs/{page}")


def finished(text: str, page: str, source: str) -> str:
    """Return a page's Markdown with its parts filled in and its links leading to pages of the site."""
    text = _PART.sub(lambda asked: part(asked[1], page), text)
    text = relinked(text, page, source)
    return _SECTION.sub(lambda asked: relinked(readme_section(asked[1]), page, "README.md"), text)


def part(name: str, page: str) -> str:
    if name not in PARTS:
        raise PluginError(f"{page}: there is no part {name}; docs/parts.py has {', '.join(PARTS)}")
    return PARTS[name]()


def readme_section(heading: str) -> str:
    """Return the text under a heading of the README, up to the next heading."""
    wanted: list[str] | None = None
    in_block = False
    for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines():
        in_block ^= line.startswith("```")
        if not in_block and line.startswith("#"):
            if wanted is not None:
                break
            wanted = [] if line.lstrip("# ") == heading else None
        elif wanted is not None:
            wanted.append(line)
    if wanted is None:
        raise PluginError(f"README.md has no heading {heading!r}")
    return "\n".join(wanted).strip()


def relinked(text: str, page: str, source: str) -> str:
    """Let the links of a text that stands somewhere in the repository lead to pages of the site."""

    def relink(link: re.Match[str]) -> str:
        return f"{link[1]}({relative(link[2], page, source)})"

    # Every second piece is a block of code.
    return "".join(piece if number % 2 else _LINK.sub(relink, piece) for number, piece in enumerate(_BLOCK.split(text)))


def relative(link: str, page: str, source: str, suffix: str = ".md") -> str:
    """Return a link of a file of the repository as a link of a page; other links as they are."""
    target = resolved(link, source)
    if target is None:
        return link
    path, mark, anchor = target.partition("#")
    to = posixpath.relpath(site_path(path), posixpath.dirname(page))
    return f"{to.removesuffix('.md') + suffix if to.endswith('.md') else to}{mark}{anchor}"


def resolved(link: str, source: str) -> str | None:
    """Return the path in the repository to which a relative link of a file leads."""
    if _ABSOLUTE.match(link):
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), link))


def site_path(path: str) -> str:
    """Return the path in the site of a file of the repository."""
    if path in LEADS_TO:
        return LEADS_TO[path]
    if path.startswith("docs/") and not path.endswith(".py"):
        return path.removeprefix("docs/")
    return path if path.endswith(".ipynb") else shown_at(path)


# --- files of the repository ------------------------------------------------------------------------------------------


def linked_files() -> set[str]:
    """Return the files outside ``docs/`` to which some page links, or a file so linked to."""
    found: set[str] = set()
    pages = (path.relative_to(ROOT).as_posix() for path in DOCS.rglob("*.md"))
    waiting = ["README.md", *BROUGHT_IN.values(), *pages, *notebooks()]
    while waiting:
        source = waiting.pop()
        for target in links(source):
            if site_path(target).startswith(f"{SHOWN}/") and target not in found:
                found.add(target)
                waiting += [target] if target.endswith(".md") else []
    return found


def links(source: str) -> set[str]:
    """Return the files of the repository to which a Markdown file links, its parts included."""
    text = (ROOT / source).read_text(encoding="utf-8")
    if source.endswith(".ipynb"):
        cells = json.loads(text)["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    text += "".join(PARTS[name]() for name in _PART.findall(text) if name in PARTS)
    targets = (resolved(target, source) for _, target in _LINK.findall("".join(_BLOCK.split(text)[::2])))
    return {target.partition("#")[0] for target in targets if target}


def shown_at(path: str) -> str:
    return f"{SHOWN}/{path}.md"


def shown(path: str) -> str:
    """Return a page that shows a file of the repository as it is, or names what a folder holds."""
    file = ROOT / path
    if file.is_dir():
        names = (f"- `{inner.name}`" for inner in sorted(file.iterdir()) if not inner.name.startswith(("_", ".")))
        return "\n".join([f"# `{path}/`\n", *names, ""])
    if not file.is_file():
        raise PluginError(f"{path}: a page links to it, and there is no such file")
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".md":
        return text
    language = LANGUAGES.get(file.suffix, "text")
    return f"---\nsearch: {{exclude: true}}\nhide: [toc]\n---\n# `{path}`\n\n```{language}\n{text.rstrip()}\n```\n"
