"""Instants as text: RFC 3339 to whole seconds since 1970-01-01T00:00:00Z and back, strict and without clocks.

Accepted besides `2021-06-01T13:00:00Z`: lower-case `t` and `z`, a space for the `T`, an offset such as `+02:00`
(`-00:00` too), a fraction of the second that is zero. Refused: a stamp without seconds or offset, `24:00`,
a leap second `:60`, `+0200`, week and ordinal dates, digits that are not ASCII.
"""

import datetime
import re

import numpy as np

_RFC3339 = re.compile(
    r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"[Tt ]([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
_EPOCH_DAY = datetime.date(1970, 1, 1).toordinal()
_MAX_QUOTED_CHARACTERS = 40


def parse(text: str) -> int:
    """Return the instant that an RFC 3339 text names, in whole seconds since 1970; negative before it.

    Raises `ValueError` with a sentence where the text is no such instant, or none of a whole second.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(f"{_shown(text)} is not an RFC 3339 instant such as 2021-06-01T13:00:00Z")
    year, month, day, hour, minute, second, fraction, sign, ahead, minutes = match.groups()
    if fraction and fraction.strip("0"):
        raise ValueError(f"{_shown(text)} is not a whole second")
    try:
        days = datetime.date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError:
        raise ValueError(f"{_shown(text)} has a date that does not exist") from None
    clock = days * 86400 + int(hour) * 3600 + int(minute) * 60 + int(second)
    if sign is None:
        return clock
    offset = int(ahead) * 3600 + int(minutes) * 60
    return clock + offset if sign == "-" else clock - offset


def format(seconds: int) -> str:  # noqa: A001  (read as instants.format)
    """Return the instant `seconds` after 1970-01-01T00:00:00Z as text in UTC, such as `2021-06-01T13:00:00Z`."""
    return f"{np.datetime64(int(seconds), 's')}Z"


def _shown(text: str) -> str:
    """Return a text as a sentence can quote it: printable, and cut where it is long."""
    return (
        repr(text)
        if len(text) <= _MAX_QUOTED_CHARACTERS
        else f"{text[:_MAX_QUOTED_CHARACTERS]!r}… ({len(text)} characters)"
    )
