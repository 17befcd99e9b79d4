"""Turns local stamps into instants: the order of the rows decides which of a doubled hour's two is meant.

A stamp that the clock shows twice names two instants; each row takes the earliest of them that its zone has
not had. So the first row of a doubled hour is the earlier one, four quarters may come before the four others
or each next to its twin, and a third row is refused.

A stamp that ends a step may be written in two ways across a clock change, and both are in use: as what the
clock then shows (in October 02:00 twice, in March 03:00 after 01:00) or as the step's start plus its length
(in October 03:00 twice, in March 02:00 after 01:00). So an ending stamp also names the instants at which the
clock arrives at it from below, and the rule above decides between the two: by the time the first file comes to
03:00, its zone has had the earlier of the two instants.
"""

from functools import lru_cache

import numpy as np

from season.calendar import DAY, HOUR, Calendar


@lru_cache(maxsize=8)
def calendar(time_zone: str) -> Calendar:
    """Return a time zone's calendar, built once, which takes a tenth of a second. Raises what `Calendar` raises."""
    return Calendar(time_zone)


class LocalClock:
    """The clock of one time zone and the doubled stamps seen so far, by zone: about one row in 8,760."""

    def __init__(self, time_zone: str, ending: bool) -> None:
        self._calendar = calendar(time_zone)
        self._ending = ending
        self._dates: dict[int, list[int]] = {}
        self._named: dict[int, list[int]] = {}
        self._had: set[tuple[str, int]] = set()

    def instant(self, zone: str, clock: int) -> int:
        """Return the instant that the zone's next row with this stamp names. Raises ValueError if there is none."""
        offsets = self._offsets(clock // DAY)
        if len(offsets) == 1:
            return clock - offsets[0]
        if clock not in self._named:
            self._named[clock] = self._names(clock)
        named = self._named[clock]
        if not named:
            raise ValueError(f"the local time {_text(clock)} does not exist in {self._calendar.time_zone}")
        if len(named) == 1:
            return named[0]
        for instant in named:
            if (zone, instant) not in self._had:
                self._had.add((zone, instant))
                return instant
        raise ValueError(f"the local time {_text(clock)} comes more often than it does in {self._calendar.time_zone}")

    def offset(self, instant: int) -> int:
        """Return the offset from UTC at an instant, in seconds."""
        offsets = self._offsets(instant // DAY)
        return offsets[0] if len(offsets) == 1 else self._offset(instant)

    def changes(self, clock: int) -> bool:
        """Return whether the clock is changed within a day or so of a local time."""
        return len(self._offsets(clock // DAY)) > 1

    def _names(self, clock: int) -> list[int]:
        named = set(self._shows(clock))
        if self._ending:
            named |= {instant + 1 for instant in self._shows(clock - 1)}
        return sorted(named)

    def _shows(self, clock: int) -> list[int]:
        """Return the instants at which the clock shows this time."""
        return [clock - offset for offset in self._offsets(clock // DAY) if self._offset(clock - offset) == offset]

    def _offset(self, instant: int) -> int:
        return int(self._calendar.offsets(np.array([instant], np.int64))[0])

    def _offsets(self, date: int) -> list[int]:
        """Return the offsets in force around a date, by local clock or by UTC, a day on either side included."""
        if date not in self._dates:
            hours = np.arange((date - 1) * DAY, (date + 2) * DAY + 1, HOUR // 2, dtype=np.int64)
            self._dates[date] = [int(offset) for offset in np.unique(self._calendar.offsets(hours))]
        return self._dates[date]


def _text(clock: int) -> str:
    return str(np.datetime64(clock, "s")).replace("T", " ")
