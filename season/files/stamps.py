"""Reads the stamps of files: ISO 8601 and day-first dates, with or without an offset, single or as an interval.

Accepted: `2021-06-01T13:00:00Z`, `2021-06-01 13:00+0200`, `01.06.2021 13:00`, `01/06/2021 13:00:00`, an interval
of two of them (`01.06.2021 13:00 - 01.06.2021 13:15`: its start counts), `24:00` for the midnight that
ends a date, and the names of the clock that ENTSO-E's portal writes behind (`26/10/2025 02:00 (CEST)`).
"""

import datetime
import re
from functools import lru_cache
from typing import NamedTuple

from season.calendar import DAY
from season.files.records import quoted

_STAMP = re.compile(
    r"(?:(?P<y>[0-9]{4})(?P<a>[-/.])(?P<m>[0-9]{1,2})(?P=a)(?P<d>[0-9]{1,2})"
    r"|(?P<d2>[0-9]{1,2})(?P<b>[-/.])(?P<m2>[0-9]{1,2})(?P=b)(?P<y2>[0-9]{4}))"
    r"(?:[Tt]|\ +)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]+))?)?"
    r"\ *(?:(?P<utc>[Zz])|(?P<sign>[+-])(?P<ahead>[0-9]{2})(?::?(?P<minutes>[0-9]{2}))?|\(?(?P<clock>[A-Z]{3,4})\)?)?"
)
# The clocks that ENTSO-E's portal offers, in hours ahead of UTC.
_CLOCKS = {"UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "TRT": 3}
_EPOCH_DAY = datetime.date(1970, 1, 1).toordinal()
_ALLOWED = "such as 2021-06-01T13:00:00Z, 2021-06-01 13:00, 01.06.2021 13:00 or 01/06/2021 13:00:00"


class Stamp(NamedTuple):
    """What a stamp says: its local clock as seconds, its offset from UTC (or None), an interval's length."""

    clock: int
    offset: int | None
    length: int | None


@lru_cache(maxsize=65536)  # in a file of many zones each stamp comes once for each zone
def parse(text: str) -> Stamp:
    """Return what a stamp says. Raises ValueError with a sentence about what is wrong."""
    first, dash, last = text.partition(" - ")
    clock, offset = _point(first)
    if not dash:
        return Stamp(clock, offset, None)
    end, end_offset = _point(last)
    if offset is not None and end_offset is not None:
        end += offset - end_offset
    return Stamp(clock, offset, end - clock)


def _point(text: str) -> tuple[int, int | None]:
    match = _STAMP.fullmatch(text)
    if match is None:
        raise ValueError(f"{quoted(text)} is not a time {_ALLOWED}")
    year, month, day = match["y"] or match["y2"], match["m"] or match["m2"], match["d"] or match["d2"]
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    if (match["fraction"] or "").strip("0"):
        raise ValueError(f"{quoted(text)} is not a whole second")
    if hour > 24 or minute > 59 or second > 59 or (hour == 24 and (minute or second)):
        raise ValueError(f"{quoted(text)} has a time of day that does not exist")
    try:
        days = datetime.date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError:
        order = " (the day is read before the month)" if match["d2"] else ""
        raise ValueError(f"{quoted(text)} has a date that does not exist{order}") from None
    return days * DAY + hour * 3600 + minute * 60 + second, _offset(match)


def _offset(match: re.Match[str]) -> int | None:
    if match["utc"]:
        return 0
    if match["clock"]:
        if match["clock"] not in _CLOCKS:
            raise ValueError(f"{quoted(match['clock'])} is not a clock that is known ({', '.join(_CLOCKS)} are)")
        return _CLOCKS[match["clock"]] * 3600
    if not match["sign"]:
        return None
    ahead, minutes = int(match["ahead"]), int(match["minutes"] or 0)
    if ahead > 23 or minutes > 59:
        raise ValueError(f"{quoted(match[0])} has an offset that does not exist")
    return (ahead * 3600 + minutes * 60) * (-1 if match["sign"] == "-" else 1)
