"""Figures within a page: matplotlib's SVG made small, harmless, and free of clashes between figures."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
_HREF: Final = (f"{_XLINK}href", "href")
#: Numbers with more decimals than anybody sees: a tenth of a point is a thirtieth of a millimetre.
_LONG: Final = re.compile(r"-?\d+\.\d{2,}")
_COMMAND: Final = re.compile(r"\s*([MLQCz])\s*")
_REFERENCE: Final = re.compile(r"url\(#([^)]+)\)")
_MOVED: Final = re.compile(r"translate\(([-\d.]+)(?:[ ,]+([-\d.]+))?\)")
#: Attributes whose numbers are coordinates, in points.
_COORDINATES: Final = frozenset({"d", "x", "y", "points", "transform"})
#: What the page says once for all figures, or does not need.
_LEFT_OUT: Final = frozenset({"metadata", "style", "title"})


@dataclass(frozen=True)
class Picture:
    """A figure of a page.

    Attributes
    ----------
    name : str
        Of its files in the folder, ``figures/NAME.svg`` and ``.png``.
    alt : str
        What it shows, in words.
    label : str
        Id of the element of the page that holds those words.
    svg : str
        An ``<svg>`` element.
    """

    name: str
    alt: str
    label: str
    svg: str


@dataclass
class Album:
    """The figures of one page: their ids differ, and a letter is outlined once for all of them.

    Text is drawn as outlines, so that it looks the same where the font is missing; the alternative text says it in
    words.
    """

    _letters: dict[str, str] = field(default_factory=dict)
    _ids: int = 0

    def add(self, name: str, alt: str, text: str) -> Picture:
        """Turn a matplotlib SVG file into a picture.

        Parameters
        ----------
        name, alt : str
            Of the figure.
        text : str
            The file. It is parsed, so that nothing of a user's text can become markup.

        Returns
        -------
        Picture
        """
        root = ET.fromstring(text)
        box = root.attrib["viewBox"]
        width, height = box.split()[2:]
        self._rename(root)
        for element in root.iter():
            _tidy(element)
        size, label = {"width": f"{float(width):.0f}", "height": f"{float(height):.0f}"}, self._new_id()
        root.attrib = {"viewBox": box, **size, "role": "img", "aria-labelledby": label}
        return Picture(name, alt, label, ET.tostring(root, encoding="unicode"))

    def _rename(self, root: ET.Element) -> None:
        """Give what is referred to an id of the page, and leave out all other ids, and letters that it has already."""
        new = {name: self._new_id() for name in sorted(set(_referred(root)))}
        for part in root.iter(f"{_SVG}defs"):
            for shape in list(part):
                outline = shape.get("d", "") if shape.get("transform", "").startswith("scale") else ""
                if outline and (name := shape.get("id", "")) in new:
                    if outline in self._letters:
                        part.remove(shape)
                    new[name] = self._letters.setdefault(outline, new[name])
        for element in root.iter():
            if (name := element.attrib.pop("id", "")) in new:
                element.set("id", new[name])
            for key, value in element.attrib.items():
                if key in _HREF and value.startswith("#"):
                    element.set(key, f"#{new[value[1:]]}")
                elif "url(" in value:
                    element.set(key, _REFERENCE.sub(lambda found: f"url(#{new[found[1]]})", value))

    def _new_id(self) -> str:
        self._ids += 1
        return f"g{self._ids}"


def _referred(root: ET.Element) -> Iterator[str]:
    for element in root.iter():
        for key, value in element.attrib.items():
            if key in _HREF:
                yield value.removeprefix("#")
            elif "url(" in value:
                yield from _REFERENCE.findall(value)


def _tidy(element: ET.Element) -> None:
    """Round coordinates, and leave out what a page does not need; namespaces go, as HTML knows SVG."""
    element.tag = element.tag.removeprefix(_SVG)
    for child in [child for child in element if child.tag.removeprefix(_SVG) in _LEFT_OUT]:
        element.remove(child)
    element.tail = None
    if not (element.text or "").strip():
        element.text = None
    element.attrib = {
        key.removeprefix(_XLINK): _rounded(value) if key in _COORDINATES else value
        for key, value in element.attrib.items()
    }
    moved = _MOVED.fullmatch(element.get("transform", ""))
    if element.tag == "use" and moved and "x" not in element.attrib:  # a letter: two numbers say where it is
        del element.attrib["transform"]
        element.set("x", moved[1])
        if moved[2] and float(moved[2]):
            element.set("y", moved[2])


def _rounded(value: str) -> str:
    # What follows "scale" keeps its digits: letters are drawn large.
    before, scale, after = value.partition("scale(")
    return _LONG.sub(_one_decimal, _COMMAND.sub(r"\1", before)).strip() + scale + after


def _one_decimal(found: re.Match[str]) -> str:
    return f"{float(found[0]):.1f}".removesuffix(".0")
