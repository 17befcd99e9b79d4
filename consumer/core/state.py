"""The state of one partition, and the transaction that is changing it.

`read` and `advance` change the state in place and note what they overwrite in a journal. Read forwards, the journal
gives the changelog its differences (`changes`); read backwards, it undoes the transaction (`rollback`); `commit`
empties it. A restore reads a changelog back with `apply`; `snapshot` returns a range of zones as such changes.
"""

import numpy as np
from numpy.typing import NDArray

from consumer.core import apply, columns, rule
from consumer.core.changes import Changes
from consumer.core.columns import (
    CELLS,
    LINKS,
    NEVER,
    OPEN,
    SCORINGS,
    SPARE,
    TIMES,
    USED,
    Happened,
    Records,
    lengthened,
)
from consumer.core.ending import end
from consumer.core.names import Names
from consumer.core.outcome import Endings, Outcome, Readings, Rules, Scorings, Windows, join
from season.calendar import I64, Calendar
from season.steps import F64

# The bytes in a snapshot of a zone (its number, times and name), and of a window without its hours.
_ZONE_BYTES, _WINDOW_BYTES = 40, 16
_NO_CAUSE = np.array([-1])  # the cause -1 is its last item: a window that no reading of a batch ended


class State:
    """The open windows and stream times of one partition. Rows and numbers are those of `columns.py`."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.names = Names()
        self.known = 0  # the number of zones; during a restore some of them have no name yet
        self._zones, self._windows, self._values, self._free = columns.no_tables()
        self._journal = columns.empty_journal()
        self._counts = self._journal[0]
        self._transaction = 0
        self._committed = 0  # how many zones the last commit knew
        self._early: dict[int, str] = {}  # names of zones that came before those of lower numbers

    @property
    def stream(self) -> I64:
        """Return the stream times of all zones [z]."""
        return self._zones["stream"][: self.known]

    @property
    def watermark(self) -> I64:
        """Return the watermarks of all zones [z]: windows that end there or before have ended, for ever."""
        return self._zones["watermark"][: self.known]

    @property
    def open_windows(self) -> int:
        """Return the number of windows that have a reading and have not ended."""
        ended = np.count_nonzero(self._journal[2][: self._counts[LINKS]] < 0)
        return len(self._windows) - int(self._counts[SPARE]) - int(ended)

    def read(self, readings: Readings, now: float, rules: Rules) -> Outcome:
        """Read a batch; `now` is the wall clock in epoch seconds."""
        ahead = readings.records["instant"] > now + rules.max_future
        here = np.flatnonzero(~ahead)
        if len(here) < len(readings):
            readings = readings.select(here)
        records = readings.records
        self.names.number(readings.text, records)
        self._cover(len(self.names))
        self._widen(int(records["hours"].max(initial=0)))
        self._lengthen_journal(len(records))
        happened = self._read_all(readings, rules.grace)
        return self._outcome(happened, np.flatnonzero(ahead), here, records, rules)

    def advance(self, zones: I64, stream: I64, rules: Rules) -> Endings:
        """Move the stream times of (different) zones on without a reading, and end the windows that end by that.

        With unchanged stream times it ends the windows that end by a grace period shorter than before.
        """
        self._lengthen_journal(len(zones))
        happened = self._nothing_happened(0)
        rule.advance(zones, stream, rules.grace, self._transaction, self._tables, self._journal, happened)
        return end(self._ended(happened, _NO_CAUSE), self.calendar, rules.max_filled)

    @property
    def changed(self) -> bool:
        """Return whether the transaction has changed anything."""
        return bool(self._counts[:SPARE].any())

    def changes(self) -> Changes:
        """Return what the transaction has changed."""
        _, cells, _, scored, times = self._journal
        moved, stream, watermark = (np.empty(self._counts[TIMES], np.int64) for _ in range(3))
        apply.gather_times(self._zones, times, moved, stream, watermark)
        count = int(self._counts[CELLS])
        zone, day, hour_index = (np.empty(count, np.int64) for _ in range(3))
        value = np.empty(count)
        count = apply.gather_cells(self._windows, self._values, cells, count, zone, day, hour_index, value)
        rescored = self._windows[np.unique(scored[: self._counts[SCORINGS]])]
        rescored = rescored[rescored["phase"] == OPEN]
        return Changes(
            names=tuple(self.names.texts(np.arange(self._committed, len(self.names)))),
            first_name=self._committed,
            zones=moved,
            stream=stream,
            watermark=watermark,
            cell_zones=zone[:count],
            cell_days=day[:count],
            cell_indices=hour_index[:count],
            cells=value[:count],
            window_zones=rescored["zone"].astype(np.int64),
            window_days=rescored["day"].astype(np.int64),
            revisions=rescored["revision"].astype(np.int64),
        )

    def commit(self) -> None:
        """Commit what the transaction changed."""
        rule.commit(self._tables, self._journal)
        self._transaction += 1
        self._committed = len(self.names)

    def rollback(self) -> None:
        """Undo all changes since the last commit."""
        rule.rollback(self._tables, self._journal)
        self.names.cut(self._committed)
        self.known = self._committed
        self._transaction += 1

    def apply(self, changes: Changes) -> None:
        """Apply the changes of a changelog's record; records come in their order, and no transaction is open."""
        used = (changes.zones, changes.cell_zones, changes.window_zones)
        named = changes.first_name + len(changes.names) if changes.names else 0
        self._cover(max(self.known, named, changes.renewed[1], *(int(zones.max(initial=-1)) + 1 for zones in used)))
        self._name(changes)
        self._widen(changes.hours.shape[1])
        self._widen(int(self.calendar.counts(np.unique(changes.cell_days)).max(initial=0)))
        while self._counts[SPARE] < len(changes.cells) + len(changes.window_zones):
            self._double_rows()
        tables, counts = self._tables, self._counts
        apply.forget(tables, counts, *changes.renewed)
        apply.set_times(tables, counts, changes.zones, changes.stream, changes.watermark)
        cells = (changes.cell_zones, changes.cell_days, self.calendar.ends(changes.cell_days))
        apply.set_cells(tables, counts, *cells, changes.cell_indices, changes.cells)
        windows = (changes.window_zones, changes.window_days)
        if changes.renewed != (0, 0):
            ends = self.calendar.ends(changes.window_days)
            apply.set_windows(tables, counts, *windows, ends, changes.hours)
        apply.set_revisions(tables, *windows, changes.revisions)

    def snapshot(self, first: int, end: int) -> Changes:
        """Return the zones from `first` up to `end` as the changes that restore them."""
        numbers = np.arange(first, end)
        rows = self.rows_of(numbers)
        windows = self._windows[rows]
        days = windows["day"].astype(np.int64)
        return Changes(
            names=tuple(self.names.texts(numbers)),
            first_name=first,
            zones=numbers,
            stream=self._zones["stream"][first:end].copy(),
            watermark=self._zones["watermark"][first:end].copy(),
            window_zones=windows["zone"].astype(np.int64),
            window_days=days,
            revisions=windows["revision"].astype(np.int64),
            hours=self._values[rows, : self.calendar.counts(np.unique(days)).max(initial=0)],
            renewed=(first, end),
        )

    @property
    def named(self) -> bool:
        """Return whether the names of all zones are known, as they are after a restore."""
        return len(self.names) == self.known

    @property
    def size(self) -> int:
        """Return about how many bytes a snapshot of all zones takes."""
        return _ZONE_BYTES * self.known + self.open_windows * self._window_bytes

    def sizes(self, first: int, end: int) -> I64:
        """Return about how many bytes each zone of a range takes in a snapshot."""
        windows = np.zeros(end - first, np.int64)
        apply.count_windows(self._tables, first, windows)
        sizes: I64 = _ZONE_BYTES + windows * self._window_bytes
        return sizes

    def rows_of(self, zones: I64) -> NDArray[np.int32]:
        """Return the rows of all open windows of these (different) zones, zone by zone and by day."""
        rows = np.empty(len(self._windows), np.int32)
        return rows[: apply.rows_of(self._tables, zones, rows)]

    def windows_at(self, rows: NDArray[np.int32]) -> Records:
        """Return windows, as records of the type `WINDOW`."""
        return self._windows[rows]

    def values_at(self, rows: NDArray[np.int32]) -> F64:
        """Return the hours [n, width] of windows, NaN for a missing one."""
        return self._values[rows]

    def with_windows(self, zones: I64) -> I64:
        """Return those of the zones that have an open window."""
        return zones[self._zones["newest"][zones] >= 0]

    def latest_ends(self, zones: I64) -> I64:
        """Return the end [z] of the newest open window of zones [z] that have one."""
        ends: I64 = self._windows["end"][self._zones["newest"][zones]]
        return ends

    @property
    def _tables(self) -> columns.Tables:
        return self._zones, self._windows, self._values, self._free

    @property
    def _window_bytes(self) -> int:
        return _WINDOW_BYTES + 8 * int(self._values.shape[1])

    def _read_all(self, readings: Readings, grace: int) -> Happened:
        """Apply the rule to readings whose zones are numbered, with more rows each time that none is free."""
        records, number = readings.records, self._transaction
        fates, event_counts, scorings, hours, steps, flat, ended = self._nothing_happened(len(records))
        at = 0
        while True:
            happened = fates, event_counts, scorings, hours, steps, flat, ended
            at = rule.read(records, at, readings.clocks, grace, number, self._tables, self._journal, happened)
            if at == len(records):
                return happened
            self._double_rows()
            ended = lengthened(ended, len(self._windows), int(event_counts[rule.UNSCORED]))

    def _nothing_happened(self, readings: int) -> Happened:
        return columns.nothing_happened(readings, *self._values.shape)

    def _outcome(self, happened: Happened, future: I64, here: I64, records: Records, rules: Rules) -> Outcome:
        fates, event_counts, _, _, _, flat, _ = happened
        late = fates == rule.LATE
        endings = end(self._ended(happened, here), self.calendar, rules.max_filled)
        return Outcome(
            future=future,
            late=here[late],
            late_days=records["day"][late].astype(np.int64),
            accepted=int(np.count_nonzero(~late)),
            accepted_zones=records["zone"][~late].astype(np.int64),
            repeats=int(np.count_nonzero(fates == rule.REPEAT)),
            corrections=int(np.count_nonzero(fates == rule.CORRECTION)),
            scorings=join(self._scored(happened, here), endings.scored),
            incomplete=endings.incomplete,
            constant=endings.constant,
            flattened=self._events(flat[: event_counts[rule.FLAT]], here),
        )

    def _scored(self, happened: Happened, here: I64) -> Scorings:
        _, event_counts, scorings, hours, steps, _, _ = happened
        count = event_counts[rule.SCORED]
        scorings = scorings[:count]
        windows = self._windows[scorings["row"]]
        zones, days = windows["zone"].astype(np.int64), windows["day"].astype(np.int64)
        return Scorings(
            Windows(here[scorings["cause"]], zones, days, hours[:count]),
            steps[:count],
            np.zeros(count, np.int64),
            scorings["revision"].astype(np.int64),
        )

    def _ended(self, happened: Happened, here: I64) -> Windows:
        _, event_counts, *_, ended = happened
        return self._events(ended[: event_counts[rule.UNSCORED]], here)

    def _events(self, events: Records, here: I64) -> Windows:
        """Return the windows of `events`; a cause of -1 becomes the last of `here`."""
        windows = self._windows[events["row"]]
        zones, days = windows["zone"].astype(np.int64), windows["day"].astype(np.int64)
        return Windows(here[events["cause"]], zones, days, self._values[events["row"]])

    def _name(self, changes: Changes) -> None:
        """Name the zones; a name that comes before those of lower numbers waits until they are there."""
        first = len(self.names)
        numbered = zip(range(changes.first_name, changes.first_name + len(changes.names)), changes.names, strict=True)
        self._early.update((number, name) for number, name in numbered if number >= first)
        end = first
        while end in self._early:
            end += 1
        self.names.add([self._early.pop(number) for number in range(first, end)])
        self._committed = len(self.names)

    def _cover(self, known: int) -> None:
        """Make room for `known` zones; the new ones have no times and no windows."""
        if known > len(self._zones):
            self._zones = lengthened(self._zones, 2 * known, self.known)
        if known > self.known:
            new = self._zones[self.known : known]
            new["stream"], new["watermark"] = NEVER, NEVER
            new["oldest"], new["newest"], new["touched"] = -1, -1, -1
            self.known = known

    def _lengthen_journal(self, changes: int) -> None:
        """Make room for `changes` more changes in the journal."""
        counts, cells, links, scored, times = self._journal
        used = int(counts[[CELLS, SCORINGS, TIMES]].max())
        if used + changes > len(cells):
            length = max(used + changes, 2 * len(cells))
            cells, scored, times = (lengthened(column, length, used) for column in (cells, scored, times))
        self._journal = counts, cells, links, scored, times

    def _double_rows(self) -> None:
        """Make room for as many windows again. The new rows are taken when no others are free any more."""
        counts, cells, links, scored, times = self._journal
        rows, spare, used = len(self._windows), int(counts[SPARE]), int(counts[USED])
        self._windows, self._values = (lengthened(column, 2 * rows, used) for column in (self._windows, self._values))
        self._free = lengthened(self._free, 2 * rows, spare)
        self._free[rows : rows + spare] = self._free[:spare]
        # The new rows go under the others on the stack, the lowest on top of them.
        self._free[:rows] = np.arange(2 * rows - 1, rows - 1, -1)
        counts[SPARE] += rows
        # Each window may be opened and ended within one transaction.
        self._journal = counts, cells, lengthened(links, 4 * rows, int(counts[LINKS])), scored, times

    def _widen(self, hours: int) -> None:
        """Make room for the hours of a longer day: 25 once a year, up to 31 in the history of the world's zones."""
        if hours > self._values.shape[1]:
            more = np.full((len(self._values), hours - self._values.shape[1]), np.nan)
            self._values = np.hstack([self._values, more])
