"""The rule that cuts a zone's local days into windows of hours; service and trainer both go by it.

A window is one local day, from `day_start` to the next. It is numbered by its local date, as days since
1970-01-01, so that windows sort by their numbers. Its hours are the instants from its start up to its end at
which the local clock reads a full hour: 24, and on the day of a clock change mostly 23 or 25.

- Where a clock change skips `day_start`, the window begins at the first instant after the gap; where
  `day_start` comes twice, at the first of the two. Both are one sentence: a window begins at the first
  instant at which the local clock has reached its date and `day_start`.
- A date that a clock change skips as a whole (Samoa's 2011-12-30) has no window.

Time zones come from the pinned `tzdata` package, never from the machine. Instants are whole seconds since
1970-01-01T00:00:00Z in int64 arrays.
"""

import datetime
import re
import zoneinfo
from dataclasses import dataclass
from functools import cached_property
from importlib import resources

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

HOUR = 3600
DAY = 86400
MAX_WINDOW_HOURS = 32  # more than the 31 hours of the longest window that any time zone has had
# The Gregorian calendar, weekdays included, repeats after 400 years, and so do the rules of every time zone.
_CYCLE = 146097 * DAY
_FIRST = int(datetime.datetime(1969, 1, 1, tzinfo=datetime.UTC).timestamp())
_NEAR = int(datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC).timestamp())
_FAR = _NEAR + _CYCLE
_FOREVER_S = 2**60
# The days whose windows are worked out once, with days of margin to what a clock's table holds.
_TABLE = np.arange(_FIRST // DAY + 10, _NEAR // DAY - 10)


@dataclass(frozen=True, eq=False)
class WindowHours:
    """The hours of one window: `instants` [k] (epoch seconds) and their `steps` [k] (0 to 23)."""

    instants: I64
    steps: I64


@dataclass(frozen=True, eq=False)
class _Clock:
    """A time zone as stretches of one UTC offset; stretch i is `begins[i] <= t < ends[i]`, all arrays [k]."""

    begins: I64
    ends: I64
    offsets: I64

    @cached_property
    def reached(self) -> I64:
        """Return the local time that the clock has reached by the end of each stretch (exclusive), in seconds [k]."""
        return np.maximum.accumulate(self.ends + self.offsets)

    @cached_property
    def peaks(self) -> I64:
        """Return the latest local time that the clock has shown before each stretch begins, in seconds [k]."""
        return np.concatenate(([-_FOREVER_S], self.reached[:-1] - 1))

    @cached_property
    def skipped(self) -> I64:
        """Return the local dates that no instant has, latest first, as numbers of days."""
        before, after = self.begins[1:] + self.offsets[:-1], self.begins[1:] + self.offsets[1:]
        firsts, lasts = -(-before // DAY), after // DAY
        dates = [day for first, last in zip(firsts, lasts, strict=True) for day in range(first, last)]
        return np.array(sorted(dates, reverse=True), np.int64)

    def stretch(self, instants: I64) -> I64:
        return np.searchsorted(self.begins, instants, "right") - 1


class Calendar:
    """Windows of one time zone and day start: immutable, every method works on whole arrays.

    Raises `ValueError`, with a sentence, for a time zone that `tzdata` does not know and for a `day_start`
    that is not a full hour such as "06:00".
    """

    def __init__(self, time_zone: str, day_start: str = "00:00") -> None:
        self._zone = _zone(time_zone)
        if not re.fullmatch(r"([01][0-9]|2[0-3]):00", day_start, re.ASCII):
            raise ValueError(f"day start {day_start!r} is not a full hour from 00:00 to 23:00")
        self.time_zone = time_zone
        self.day_start = day_start
        self._shift = int(day_start[:2]) * HOUR
        self._clock, self._until = _clock(self._zone, _FIRST, _NEAR), _NEAR
        self._irregular: dict[int, WindowHours] = {}

    @cached_property
    def _table(self) -> tuple[I64, I64, Bool]:
        """Start, end and whether it is irregular of the windows of all days in `_TABLE`."""
        return self._starts(_TABLE), self._ends(_TABLE), self._are_irregular(_TABLE)

    @cached_property
    def windows(self) -> tuple[I64, I64, Bool]:
        """Return the windows of 1969 to 2099 by time: their numbers, starts, and which are irregular, all [d].

        Each ends where the next one begins; a date that does not exist has none.
        """
        there = ~np.isin(_TABLE, self._clock.skipped)
        starts, _, irregular = self._table
        return _TABLE[there], starts[there], irregular[there]

    def offsets(self, instants: I64) -> I64:
        """Return the offset from UTC at each instant [n], in seconds."""
        near = self._near(instants)
        return self._clock.offsets[self._clock.stretch(near)]

    def on_the_hour(self, instants: I64) -> Bool:
        """Return whether the local clock reads a full hour at each instant [n]."""
        full: Bool = (instants + self.offsets(instants)) % HOUR == 0
        return full

    def days(self, instants: I64) -> I64:
        """Return the number of the window that holds each instant [n]."""
        near = self._near(instants)
        stretch = self._clock.stretch(near)
        clock = np.maximum(near + self._clock.offsets[stretch], self._clock.peaks[stretch])
        days = (clock - self._shift) // DAY
        for skipped in self._clock.skipped:
            days[days == skipped] -= 1
        numbers: I64 = days + (instants - near) // DAY
        return numbers

    def starts(self, days: I64) -> I64:
        """Return the first instant of each window [n]."""
        rows = _table_rows(days)
        return self._starts(days) if rows is None else self._table[0][rows]

    def ends(self, days: I64) -> I64:
        """Return the first instant after each window [n]: the start of the next."""
        rows = _table_rows(days)
        return self._ends(days) if rows is None else self._table[1][rows]

    def counts(self, days: I64) -> I64:
        """Return how many hours each window [n] has."""
        counts = np.full(days.shape, 24, np.int64)
        for day, rows in self.irregular(days):
            counts[rows] = len(self.hours(day).instants)
        return counts

    def hour_indices(self, instants: I64, days: I64) -> I64:
        """Return the index [n] of each full hour among the hours of its window, from 0."""
        indices = (instants - self.starts(days)) // HOUR
        for day, rows in self.irregular(days):
            indices[rows] = np.searchsorted(self.hours(day).instants, instants[rows])
        return indices

    def instants(self, days: I64, indices: I64) -> I64:
        """Return the instant [n] of each hour, from its window and its index there: the inverse of `hour_indices`."""
        instants = self.starts(days) + indices * HOUR
        for day, rows in self.irregular(days):
            instants[rows] = self.hours(day).instants[indices[rows]]
        return instants

    def hours(self, day: int) -> WindowHours:
        """Return the hours of one window, in order of time."""
        if day not in self._irregular:
            self._irregular[day] = self._hours(day)
        return self._irregular[day]

    def irregular(self, days: I64) -> list[tuple[int, Bool]]:
        """Return the windows among `days` that are not simply 24 hours in a row, each with the mask of its rows."""
        rows = _table_rows(days)
        irregular = self._are_irregular(days) if rows is None else self._table[2][rows]
        return [(int(day), days == day) for day in np.unique(days[irregular])] if irregular.any() else []

    def months(self, days: I64) -> I64:
        """Return the month, 1 to 12, in which the middle of each window [n] falls, by the local clock."""
        middles = (self.starts(days) + self.ends(days)) // 2
        dates = (middles + self.offsets(middles)).astype("datetime64[s]")
        return dates.astype("datetime64[M]").astype(np.int64) % 12 + 1

    def date(self, day: int) -> datetime.date:
        """Return the local date of one window."""
        return datetime.date(1970, 1, 1) + datetime.timedelta(days=int(day))

    def _starts(self, days: I64) -> I64:
        cycles = self._cycles(days * DAY)
        clock = days * DAY - cycles + self._shift
        stretch = np.searchsorted(self._clock.reached, clock, "right")
        starts: I64 = np.maximum(self._clock.begins[stretch], clock - self._clock.offsets[stretch])
        return starts + cycles

    def _ends(self, days: I64) -> I64:
        next_days = days + 1
        for skipped in self._clock.skipped[::-1]:
            next_days[next_days == skipped] += 1
        return self._starts(next_days)

    def _are_irregular(self, days: I64) -> Bool:
        starts, ends = self._starts(days), self._ends(days)
        first, last = (self._clock.stretch(self._near(edge)) for edge in (starts, ends - 1))
        irregular: Bool = (first != last) | (ends - starts != DAY) | ~self.on_the_hour(starts)
        return irregular

    def _hours(self, day: int) -> WindowHours:
        window = np.array([day], np.int64)
        start, end = int(self.starts(window)[0]), int(self.ends(window)[0])
        instants = np.concatenate(
            [
                np.arange(begin + -(begin + offset) % HOUR, min(end, finish), HOUR)
                for begin, finish, offset in self._stretches(start, end)
            ]
        )
        clock = instants + self.offsets(instants)
        return WindowHours(instants, (clock - self._shift) // HOUR % 24)

    def _stretches(self, start: int, end: int) -> list[tuple[int, int, int]]:
        """Return begin, end and offset of each stretch of one offset between two instants."""
        near = int(self._near(np.array([start], np.int64))[0])
        cycles = start - near
        clock = self._clock
        first, last = clock.stretch(np.array([near, end - cycles - 1], np.int64))
        return [
            (max(start, int(clock.begins[i]) + cycles), int(clock.ends[i]) + cycles, int(clock.offsets[i]))
            for i in range(first, last + 1)
        ]

    def _near(self, instants: I64) -> I64:
        """Return instants moved back by whole cycles of the Gregorian calendar, so that the table holds them."""
        return instants - self._cycles(instants)

    def _cycles(self, instants: I64) -> I64:
        # Days of margin: the window around the table's last instant has to lie in it as a whole.
        if not len(instants) or instants.max() < _NEAR - 3 * DAY:
            return np.zeros(instants.shape, np.int64)
        if self._until == _NEAR:
            self._clock, self._until = _clock(self._zone, _FIRST, _FAR + 366 * DAY), _FAR
        return np.maximum(instants - _NEAR, 0) // _CYCLE * _CYCLE


def _table_rows(days: I64) -> I64 | None:
    """Return the rows of days in `_TABLE`, None where one of them is not there."""
    rows: I64 = days - _TABLE[0]
    # Read as unsigned, a negative row is larger than every table: one comparison checks both ends.
    return rows if rows.view(np.uint64).max(initial=0) < len(_TABLE) else None


def _zone(name: str) -> zoneinfo.ZoneInfo:
    """Return a time zone from the `tzdata` package: `zoneinfo` itself would prefer the machine's files."""
    sentence = f"time zone {name!r} is not in the tz database; a name such as 'Europe/Rome' is allowed"
    if not re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", name, re.ASCII):
        raise ValueError(sentence)
    try:
        with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
            return zoneinfo.ZoneInfo.from_file(file, key=name)
    except (OSError, ValueError):
        raise ValueError(sentence) from None


def _clock(zone: zoneinfo.ZoneInfo, first: int, last: int) -> _Clock:
    """Return the stretches of one offset between two instants: each day is asked, and halved where it differs.

    No time zone since 1969 has two clock changes within a day that cancel each other (a test asks them all).
    """

    def offset(instant: int) -> int:
        moment = datetime.datetime.fromtimestamp(instant, zone).utcoffset()
        return int(moment.total_seconds()) if moment is not None else 0

    def changes(low: int, high: int, before: int, after: int) -> list[int]:
        if before == after:
            return []
        if high - low == 1:
            return [high]
        middle = (low + high) // 2
        between = offset(middle)
        return changes(low, middle, before, between) + changes(middle, high, between, after)

    begins, offsets = [-_FOREVER_S], [offset(first)]
    for day in range(first, last, DAY):
        after = offset(day + DAY)
        for change in changes(day, day + DAY, offsets[-1], after):
            begins.append(change)
            offsets.append(offset(change))
    stretches = np.array(begins, np.int64)
    return _Clock(stretches, np.append(stretches[1:], _FOREVER_S), np.array(offsets, np.int64))
