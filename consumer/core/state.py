"""What one partition remembers: each zone's stream time and its open windows, as columns.

The state changes in one way only, `apply(changes)`: while readings flow and while the changelog is read back, so
that what a restart restores is what there was. `snapshot` gives any range of zones as changes that make them anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from season.calendar import I64, Calendar
from season.steps import F64, STEPS

NEVER = -(2**40)  # the stream time of a zone that has none: earlier than any instant, and safe to calculate with
# A zone in a snapshot (its number, times and name) and a window beside its hours, in bytes.
_ZONE_BYTES, _WINDOW_BYTES = 40, 16
_DAYS = 2**22  # more than the days up to the year 9999


Column = TypeVar("Column", I64, F64, NDArray[np.int32])


def _none() -> I64:
    return np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Changes:
    """Differences between two states of a partition. Zones are numbers in order of their first reading.

    - `names`: zones new to the state, numbered from `first_name` on.
    - `zones`, `stream`, `horizon` [z]: the zones whose time moved. Windows that end at the horizon or before it
      have ended, for ever.
    - `cell_zones`, `cell_days`, `cell_places`, `cells` [c]: hours of windows and their values, later ones over
      earlier ones. Cells of windows that the horizon has ended mean nothing.
    - `window_zones`, `window_days`, `revisions` [w]: how often each of these windows has been scored.
    - `anew`: a range of zones, first to end, of which nothing that was known before stands; then `hours`
      [w, width] are all hours of the windows, NaN for a missing one. In differences `width` is 0.
    """

    names: tuple[str, ...] = ()
    first_name: int = 0
    zones: I64 = field(default_factory=_none)
    stream: I64 = field(default_factory=_none)
    horizon: I64 = field(default_factory=_none)
    cell_zones: I64 = field(default_factory=_none)
    cell_days: I64 = field(default_factory=_none)
    cell_places: I64 = field(default_factory=_none)
    cells: F64 = field(default_factory=lambda: np.empty(0))
    window_zones: I64 = field(default_factory=_none)
    window_days: I64 = field(default_factory=_none)
    revisions: I64 = field(default_factory=_none)
    hours: F64 = field(default_factory=lambda: np.empty((0, 0)))
    anew: tuple[int, int] = (0, 0)


def merge(steps: Sequence[Changes]) -> Changes:
    """The changes of several steps, one after the other, as one; none of them a snapshot, and no name left out."""
    names = tuple(name for step in steps for name in step.names)
    first_name = next((step.first_name for step in steps if step.names), 0)
    columns = [f.name for f in fields(Changes) if f.name not in {"names", "first_name", "hours", "anew"}]
    merged: dict[str, Any] = {c: np.concatenate([getattr(step, c) for step in steps]) for c in columns}
    return Changes(names, first_name, **merged)


def _lengthened(column: Column, length: int, blank: int) -> Column:
    """The column with more rows, all of them blank. Few calls copy it: a copy has room for as many rows again."""
    room = column if column.base is None else column.base
    if length > len(room):
        room = _with_room(column, max(length, 2 * len(column)))
    room[len(column) : length] = blank
    return room[:length]


def _with_room(column: Column, length: int) -> Column:
    """A longer column that begins with this one. Memory is taken by what is written to it, not by its length."""
    room = np.empty((length, *column.shape[1:]), column.dtype)
    room[: len(column)] = column
    return room


def window_keys(zones: I64, days: I64) -> I64:
    """One number for each window of a partition; they sort by zone, then by day."""
    return zones * _DAYS + days


class State:
    """The open windows and stream times of one partition; row numbers are valid until the next `apply`."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.names: list[str] = []
        self.numbers: dict[str, int] = {}
        self.stream = _none()
        self.horizon = _none()
        # Open windows, a row each; a free row has zone -1. A missing hour is NaN, which no reading can be.
        self.zone = np.full(1, -1, np.int64)
        self.day = np.zeros(1, np.int64)
        self.end = np.zeros(1, np.int64)
        self.revision = np.zeros(1, np.int64)
        self.values = np.full((1, STEPS), np.nan)
        self._free = np.zeros(1, np.int64)  # a stack of the free rows, `_spare` high
        self._spare = 1
        # The row of a zone's window stands at the place of its day, modulo the width: found without a search.
        self._ring = np.full((0, 4), -1, np.int32)

    @property
    def open_windows(self) -> int:
        """The number of windows that have a reading and have not ended."""
        return len(self.zone) - self._spare

    def rows(self, zones: I64, days: I64) -> I64:
        """The row of each window, -1 where it is not open; zones beyond those known have none."""
        rows = np.full(len(zones), -1, np.int64)
        known = zones < len(self._ring)
        rows[known] = self._ring[zones[known], days[known] % self._ring.shape[1]]
        rows[self.day[rows] != days] = -1
        return rows

    def rows_of(self, zones: I64) -> I64:
        """The rows of all open windows of these (known, different) zones, by zone and then by day."""
        rows = self._ring[zones].ravel().astype(np.int64)
        rows = rows[rows >= 0]
        return rows[np.lexsort((self.day[rows], self.zone[rows]))]

    def with_windows(self, zones: I64) -> I64:
        """Those of the zones that have an open window."""
        return zones[(self._ring[zones] >= 0).any(axis=1)]

    def apply(self, changes: Changes) -> None:
        """Makes the changes. They may be those of several steps, one after the other."""
        self._meet(changes)
        self._forget(*changes.anew)
        self.stream[changes.zones] = changes.stream
        self.horizon[changes.zones] = changes.horizon
        rows = self.rows_of(np.unique(changes.zones))
        self.close(rows[self.end[rows] <= self.horizon[self.zone[rows]]])
        self._write(changes)
        if changes.anew != (0, 0):
            ends = self.calendar.ends(changes.window_days)
            rows = self.open(changes.window_zones, changes.window_days, ends)
            self.values[rows, : changes.hours.shape[1]] = changes.hours
        rows = self.rows(changes.window_zones, changes.window_days)
        self.revision[rows[rows >= 0]] = changes.revisions[rows >= 0]

    def snapshot(self, first: int, end: int) -> Changes:
        """The changes that make the zones from `first` up to `end` anew as they are now."""
        zones = np.arange(first, end)
        rows = self.rows_of(zones)
        return Changes(
            names=tuple(self.names[first:end]),
            first_name=first,
            zones=zones,
            stream=self.stream[zones],
            horizon=self.horizon[zones],
            window_zones=self.zone[rows],
            window_days=self.day[rows],
            revisions=self.revision[rows],
            hours=self.values[rows, : self.calendar.counts(self.day[rows]).max(initial=0)],
            anew=(first, end),
        )

    @property
    def size(self) -> int:
        """About how many bytes a snapshot of all zones takes."""
        return _ZONE_BYTES * len(self.names) + self.open_windows * (_WINDOW_BYTES + 8 * self.values.shape[1])

    def sizes(self, first: int, end: int) -> I64:
        """About how many bytes each zone of a range takes in a snapshot."""
        windows = np.count_nonzero(self._ring[first:end] >= 0, axis=1)
        sizes: I64 = _ZONE_BYTES + windows * (_WINDOW_BYTES + 8 * self.values.shape[1])
        return sizes

    def open(self, zones: I64, days: I64, ends: I64) -> I64:
        """Opens windows, none of whose hours is there yet; the rows that they get."""
        self._widen(int(self.calendar.counts(days).max(initial=0)))
        while self._spare < len(zones):
            self._grow()
        rows = self._free[self._spare - len(zones) : self._spare].copy()
        self._spare -= len(zones)
        self.zone[rows], self.day[rows], self.end[rows], self.revision[rows] = zones, days, ends, 0
        self.values[rows] = np.nan
        self._enter(rows)
        return rows

    def close(self, rows: I64) -> None:
        """Forgets the windows of these (different) rows."""
        self._ring[self.zone[rows], self.day[rows] % self._ring.shape[1]] = -1
        self.zone[rows] = -1
        self._free[self._spare : self._spare + len(rows)] = rows
        self._spare += len(rows)

    def cut(self, known: int) -> None:
        """Forgets the zones from number `known` on; none of their windows is open."""
        for name in self.names[known:]:
            del self.numbers[name]
        del self.names[known:]
        self.stream, self.horizon, self._ring = self.stream[:known], self.horizon[:known], self._ring[:known]

    def _meet(self, changes: Changes) -> None:
        """Makes room for new zones; those whose names are not told yet (a later change will) are named ''."""
        used = (changes.zones, changes.cell_zones, changes.window_zones)
        known = max(changes.first_name + len(changes.names) if changes.names else 0, changes.anew[1])
        last = max(known, *(int(zones.max(initial=-1)) + 1 for zones in used))
        if last > len(self.names):
            self.names.extend([""] * (last - len(self.names)))
            self.stream = _lengthened(self.stream, last, NEVER)
            self.horizon = _lengthened(self.horizon, last, NEVER)
            self._ring = _lengthened(self._ring, last, -1)
        end = changes.first_name + len(changes.names)
        if changes.names:
            self.names[changes.first_name : end] = changes.names
            self.numbers.update(zip(changes.names, range(changes.first_name, end), strict=True))

    def _forget(self, first: int, end: int) -> None:
        self.close(self.rows_of(np.arange(first, end)))
        self.stream[first:end] = self.horizon[first:end] = NEVER

    def _write(self, changes: Changes) -> None:
        zones, days = changes.cell_zones, changes.cell_days
        rows = self.rows(zones, days)
        absent = np.flatnonzero(rows < 0)
        if len(absent):
            _, firsts = np.unique(window_keys(zones[absent], days[absent]), return_index=True)
            opened = absent[firsts]
            ends = self.calendar.ends(days[opened])
            new = ends > self.horizon[zones[opened]]
            self.open(zones[opened[new]], days[opened[new]], ends[new])
            rows = self.rows(zones, days)
        open_ = rows >= 0
        self.values[rows[open_], changes.cell_places[open_]] = changes.cells[open_]

    def _enter(self, rows: I64) -> None:
        """Enters rows into the ring, which is made wider where two windows of a zone want one place."""
        width = self._ring.shape[1]
        places = self.zone[rows] * width + self.day[rows] % width
        if (self._ring.ravel()[places] >= 0).any() or len(np.unique(places)) < len(places):
            self._ring = np.full((len(self._ring), 2 * width), -1, np.int32)
            return self._enter(np.flatnonzero(self.zone >= 0))
        self._ring.ravel()[places] = rows
        return None

    def _grow(self) -> None:
        """Twice as many rows."""
        old = len(self.zone)
        columns = (self.zone, self.day, self.end, self.revision, self.values, self._free)
        roomy = (_with_room(column, 2 * old) for column in columns)
        self.zone, self.day, self.end, self.revision, self.values, self._free = roomy
        self.zone[old:] = -1
        self._free[self._spare : self._spare + old] = np.arange(old, 2 * old)
        self._spare += old

    def _widen(self, width: int) -> None:
        """Room for the hours of a longer day: 25 once a year, up to 31 in the history of the world's zones."""
        more = width - self.values.shape[1]
        if more > 0:
            self.values = np.hstack([self.values, np.full((len(self.values), more), np.nan)])
