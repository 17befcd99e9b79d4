"""Reads megawatts as people and portals write them: decimal dot or comma, with or without thousand separators.

The text must be a decimal number before Python's own `float` gets it, which would accept `nan`, `inf`,
`1_000` and digits of other scripts.
"""

import re

from season.files.records import quoted
from season.messages import DEMAND_LIMIT

_EXPONENT = r"(?:[eE][+-]?[0-9]+)?"
_DOT = re.compile(rf"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+){_EXPONENT}")
_COMMA = re.compile(rf"[+-]?(?:[0-9]+,?[0-9]*|,[0-9]+){_EXPONENT}")
# Groups of three digits, all set apart by the same mark: dot, comma, apostrophe or one of three spaces.
_GROUPED = re.compile(
    "[+-]?[0-9]{1,3}(?:(?P<mark>[.,' \u00a0\u202f])[0-9]{3})(?:(?P=mark)[0-9]{3})*(?P<rest>[.,][0-9]*)?"
)
_NOTHING = {"", "-", "n/a", "n/e", "nan", "null", "none"}


def demand(text: str, decimal: str | None) -> float:
    """Return the number in a field. Raises ValueError with a sentence where it is not finite as a 32-bit float.

    `decimal` None is the dot; then `31,234` is refused, since nobody has said that its comma is not one.
    """
    if decimal != "," and _DOT.fullmatch(text):
        value = float(text)
    elif decimal == "," and _COMMA.fullmatch(text):
        value = float(text.replace(",", "."))
    else:
        value = _grouped(text, decimal)
    return finite(value, text)


def finite(value: float, text: object) -> float:
    """Return the value itself. Raises ValueError where a 32-bit float cannot hold it."""
    if not -DEMAND_LIMIT < value < DEMAND_LIMIT:
        raise ValueError(f"the demand {quoted(text)} is not finite as a 32-bit float")
    return value


def _grouped(text: str, decimal: str | None) -> float:
    match = _GROUPED.fullmatch(text)
    point = decimal or "."
    if text.lower() in _NOTHING:
        raise ValueError(f"there is no demand ({quoted(text)})")
    if match is None or match["mark"] == point or (match["rest"] or point)[0] != point:
        hint = "; is --decimal , meant?" if decimal is None and _COMMA.fullmatch(text) else ""
        raise ValueError(f"the demand {quoted(text)} is not a number with the decimal mark {point}{hint}")
    if decimal is None and match["mark"] == "," and match["rest"] is None:
        raise ValueError(f"the demand {quoted(text)} could have a decimal comma or thousands: --decimal says which")
    return float(text.replace(match["mark"], "").replace(point, "."))
