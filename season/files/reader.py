"""Turns a file's rows into readings: checks zone, instant and demand, builds hours, and cuts the time span.

A row that the service would refuse is refused here where that can be known: a zone without text or too long,
an instant before 1970 or on no clock's full hour, a demand that no 32-bit float holds. Full hours are those
of the clock of --time-zone or, without it, of the stamp's own offset.
"""

from collections.abc import Iterator

from season.calendar import HOUR
from season.files import numbers, stamps
from season.files.clock import LocalClock
from season.files.hours import Hours
from season.files.options import FileOptions
from season.files.records import BadRow, FileReading, RowTally, quoted
from season.files.rows import Row, check_head, opened, rows
from season.messages import MAX_ZONE_BYTES

# Every offset in use today is a multiple of a quarter of an hour.
_QUARTER_S = 900


def read(file: str, options: FileOptions, tally: RowTally | None = None) -> Iterator[FileReading | BadRow]:
    """Yield the readings of a file ("-": standard input) in the order of its rows, in bounded memory.

    `tally`, where one is given, is kept up to date. Raises `SettingError` where the file as a whole cannot be
    read: not there, empty, no text, or without a column that the options name.
    """
    counted = tally if tally is not None else RowTally()
    reader = _RowReader(file, options, counted)
    with opened(file) as source:
        for row in rows(source, file, options, counted):
            if isinstance(row, BadRow):
                yield row
                continue
            try:
                yield from reader.convert(row)
            except ValueError as error:
                yield BadRow(file, row.line, str(error))
        yield from reader.hours.end()


def check(file: str, options: FileOptions) -> None:
    """Raise `SettingError` for what a file's first lines show to be wrong; standard input is not read."""
    if file != "-":
        with opened(file) as source:
            check_head(source, file, options)


class _RowReader:
    """The state of reading one file, from row to row."""

    def __init__(self, file: str, options: FileOptions, tally: RowTally) -> None:
        self.hours = Hours(file, options.step)
        self._options = options
        self._tally = tally
        self._ending = options.stamps == "end"
        self._clock = LocalClock(options.time_zone, self._ending) if options.time_zone is not None else None
        self._zones: set[str] = set()
        self._minutes: dict[str, int] = {}

    def convert(self, row: Row) -> Iterator[FileReading | BadRow]:
        """Yield the readings and bad rows that a row completes. Raises ValueError where it is a bad one itself."""
        options = self._options
        zone = self._zone(row.zone)
        instant, offset = self._instant(zone, row.stamp)
        past_hour = self._past_hour(zone, instant + offset, row.stamp)
        hour = instant - past_hour if options.step < HOUR else instant
        if (options.since is not None and hour < options.since) or (
            options.until is not None and hour >= options.until
        ):
            self._tally.outside += 1
            return
        if hour < 0:
            raise ValueError(f"{quoted(row.stamp)} is before 1970")
        if isinstance(row.demand, str):
            demand = numbers.demand(row.demand, options.decimal)
        else:
            demand = float(numbers.finite(row.demand, row.demand))
        if options.step < HOUR:
            yield from self.hours.add(row.line, zone, instant, hour, demand)
        else:
            yield FileReading(zone, instant, demand)

    def _zone(self, zone: str | None) -> str:
        if zone is None:
            return self._options.zone or ""
        if zone not in self._zones:
            try:
                size = len(zone.encode())
            except UnicodeEncodeError:
                raise ValueError(f"the zone {quoted(zone)} is not UTF-8") from None
            if not 0 < size <= MAX_ZONE_BYTES:
                raise ValueError(f"the zone {quoted(zone)} has {size} bytes: 1 to {MAX_ZONE_BYTES} are allowed")
            self._zones.add(zone)
        return zone

    def _instant(self, zone: str, text: str) -> tuple[int, int]:
        """Return the start of the row's step, and the offset of the clock that its hours go by."""
        step = self._options.step
        clock, offset, length = stamps.parse(text)
        if length is not None and length != step and not self._may_differ(clock, offset):
            raise ValueError(f"{quoted(text, 60)} is an interval of {length // 60} minutes, --step says {step // 60}")
        if offset is None:
            if self._clock is None:
                raise ValueError(f"{quoted(text)} has no offset: --time-zone says whose local time it is")
            instant = self._clock.instant(zone, clock)
        else:
            instant = clock - offset
        if self._ending and length is None:
            instant -= step
        return instant, self._clock.offset(instant) if self._clock is not None else offset or 0

    def _past_hour(self, zone: str, clock: int, text: str) -> int:
        """Return the seconds since the clock's full hour. Raises ValueError where no row of this step can stand."""
        step, past_hour = self._options.step, clock % HOUR
        if step < HOUR:
            if past_hour % step:
                raise ValueError(f"{quoted(text)} is not on a step of {step // 60} minutes")
            return past_hour
        if past_hour % _QUARTER_S:
            raise ValueError(f"{quoted(text)} is not on the hour")
        first = self._minutes.setdefault(zone, past_hour)
        if past_hour != first:
            raise ValueError(
                f"{quoted(text)} is {past_hour // 60} minutes past the hour, the zone's first row {first // 60}: "
                "a shorter --step may be meant, or --time-zone, whose clock's hours count"
            )
        return past_hour

    def _may_differ(self, clock: int, offset: int | None) -> bool:
        """Return whether a clock change may stand between the ends of an interval of local times."""
        return offset is None and self._clock is not None and self._clock.changes(clock)
