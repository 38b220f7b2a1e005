"""How numbers and lists are written, in every table, page and figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from blinasim.study.measures import Unit

#: What a cell says where the quantity does not exist.
NOT_APPLICABLE: Final = "n/a"
#: How a unit is written: factor, decimals of a value, of a mean difference, and what follows a difference.
_WRITTEN: Final[dict[Unit, tuple[int, int, int, str]]] = {
    "share": (100, 1, 2, " pp"),
    "months": (1, 2, 3, ""),
    "days": (1, 1, 2, ""),
    "searches": (1, 1, 2, ""),
    "patient-days": (1, 0, 1, ""),
    "years": (1, 2, 3, ""),
    "QALYs": (1, 3, 4, ""),
    "money": (1, 0, 0, ""),
}


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Write how many there are of something, one or several."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def value(number: float, unit: Unit) -> str:
    """Write a value in its unit."""
    if math.isnan(number):
        return NOT_APPLICABLE
    factor, decimals, _, _ = _WRITTEN[unit]
    return f"{factor * number:,.{decimals}f}{' %' if unit == 'share' else ''}"


def signed(number: float, unit: Unit) -> str:
    """Write a mean difference with its sign, without its unit; shares in points. Only nothing at all is 0."""
    factor, _, decimals, _ = _WRITTEN[unit]
    return f"{factor * number:+,.{decimals}f}" if number else "0"


def signed_value(number: float, unit: Unit) -> str:
    """Write the difference of one trial so, with the decimals of a value."""
    factor, decimals, _, _ = _WRITTEN[unit]
    return f"{factor * number:+,.{decimals}f}" if number else "0"


def with_limits(mean: float, lower: float, upper: float, unit: Unit) -> str:
    """Write a mean difference with the interval that more trials would narrow."""
    if math.isnan(mean):
        return NOT_APPLICABLE
    said = f"{signed(mean, unit)}{_WRITTEN[unit][3]}"
    return said if math.isnan(lower) else f"{said} ({signed(lower, unit)}, {signed(upper, unit)})"


def share(part: float) -> str:
    """Write a share in whole per cent, and never a small one as none or a large one as all."""
    if 0.0 < part < 0.005:
        return "<1 %"
    if 0.995 < part < 1.0:
        return ">99 %"
    return f"{100 * part:.0f} %"


def fold(times: float) -> str:
    """Write how many times the variance is reduced."""
    if math.isnan(times):
        return NOT_APPLICABLE
    if math.isinf(times):
        return "no difference in any trial"
    return f"{times:,.0f}x" if times >= 10 else f"{times:.1f}x"


def with_error(mean: float, mcse: float, unit: Unit) -> str:
    """Write a mean difference with its Monte Carlo standard error."""
    if math.isnan(mean):
        return NOT_APPLICABLE
    factor, _, decimals, suffix = _WRITTEN[unit]
    error = "" if math.isnan(mcse) else f" ±{factor * mcse:.{decimals}f}"
    return f"{signed(mean, unit)}{suffix}{error}"


def three_digits(value: float) -> str:
    """Write a parameter's value to three digits, large ones in full."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def listed(names: Sequence[str], last: str = "and") -> str:
    """Write names as a list within a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


def lower_first(text: str) -> str:
    """Let a label go on in the middle of a sentence."""
    return text[:1].lower() + text[1:]


def minus(text: str) -> str:
    """Write hyphens before numbers as the minus signs that they are."""
    return text.replace("-", "−")
