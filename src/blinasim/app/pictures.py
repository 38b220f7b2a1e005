"""Pictures of a page: a figure as SVG text with its alternative text, as wide as a phone at least."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass

from matplotlib.figure import Figure

from blinasim.report import style

#: Inches: a phone shows a figure of this width without making its letters much smaller.
WIDTH = 4.3


@dataclass(frozen=True)
class Picture:
    """A figure drawn: plain text, which a cache can keep."""

    svg: str
    alt: str
    width_px: int

    @classmethod
    def of(cls, figure: Figure) -> Picture:
        """Draw a figure."""
        svg = style.render(figure, ".svg").decode()
        return cls(svg, getattr(figure, "alt", ""), round(96 * float(figure.get_size_inches()[0])))

    @property
    def as_html(self) -> str:
        """The picture as an element of a page; one wider than a phone is scrolled within its own box."""
        data = base64.b64encode(self.svg.encode()).decode()
        least = self.width_px if self.width_px > 100 * WIDTH else 0
        look = f"width:100%;max-width:{round(1.25 * self.width_px)}px;min-width:{round(0.75 * least)}px;height:auto"
        reached = ' tabindex="0" role="group" aria-label="Figure, wider than a narrow screen"' if least else ""
        return (
            f'<div class="wide"{reached}><img src="data:image/svg+xml;base64,{data}" '
            f'alt="{html.escape(self.alt, quote=True)}" style="{look}"></div>'
        )
