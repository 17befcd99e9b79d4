"""Reads the rows of a file: from bytes to the three fields of a reading, line by line, CSV and JSON lines alike.

A row is one line: an open quote spoils its own row and no other one, and a bad row has a line number.
A line is read up to a limit, so that a file that is not text cannot fill the memory.
"""

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from season.files.options import FileOptions
from season.files.records import STDIN, BadRow, RowTally, quoted, shown
from season.settings import SettingError

_MAX_LINE_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"
_NOT_TEXT = {
    b"\xff\xfe": "is UTF-16, not UTF-8: save it as UTF-8",
    b"\xfe\xff": "is UTF-16, not UTF-8: save it as UTF-8",
    b"\x1f\x8b": "is compressed: unpack it first",
    b"PK\x03\x04": "is a workbook or an archive: save it as CSV or unpack it first",
}
_OBJECT = msgspec.json.Decoder(dict[str, object])


class Row(NamedTuple):
    """One row: its line in the file, its zone (None: the options say), its stamp, its demand.

    A JSON line's demand is a number, a CSV's a text.
    """

    line: int
    zone: str | None
    stamp: str
    demand: str | float


@contextmanager
def opened(file: str) -> Iterator[BinaryIO]:
    """Open a file or, for "-", standard input, as bytes. Raises `SettingError` where it cannot be read."""
    try:
        if file == STDIN:
            if sys.stdin is None:
                raise SettingError("standard input is closed: - cannot be read")
            yield sys.stdin.buffer
        else:
            with Path(file).open("rb") as opened_file:
                yield opened_file
    except OSError as error:
        raise SettingError(f"{shown(file)} cannot be read: {error.strerror}") from None
    except ValueError as error:  # a null byte in the name
        raise SettingError(f"{file!r} cannot be read: {error}") from None


def rows(source: BinaryIO, file: str, options: FileOptions, tally: RowTally) -> Iterator[Row | BadRow]:
    """Yield the rows of an open file. Raises `SettingError` where the whole file cannot be read so."""
    lines = _lines(source, file, tally)
    line, first = next(((line, text) for line, text in lines if text.strip()), (0, None))
    if first is None:
        raise SettingError(f"{shown(file)} is empty: a CSV with a header or JSON lines are allowed")
    if first.lstrip().startswith(b"{"):
        yield from _json_rows(_chain(line, first, lines), file, options, tally)
    else:
        yield from _csv_rows(_header(first, file, options), lines, file, options, tally)


def check_head(source: BinaryIO, file: str, options: FileOptions) -> None:
    """Read the header alone. Raises `SettingError` where the file cannot be read at all."""
    for _ in rows(source, file, options, RowTally()):
        return


def _lines(source: BinaryIO, file: str, tally: RowTally) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number; one that is too long comes cut, so that it is a bad row."""
    line = 0
    while text := source.readline(_MAX_LINE_BYTES):
        line += 1
        tally.bytes += len(text)
        if line == 1:
            _refuse_other_than_text(text, file)
            text = text.removeprefix(_BOM)
        yield line, text
        while len(text) == _MAX_LINE_BYTES and not text.endswith(b"\n"):
            text = source.readline(_MAX_LINE_BYTES)
            tally.bytes += len(text)


def _chain(line: int, first: bytes, lines: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    yield line, first
    yield from lines


def _refuse_other_than_text(start: bytes, file: str) -> None:
    for magic, sentence in _NOT_TEXT.items():
        if start.startswith(magic):
            raise SettingError(f"{shown(file)} {sentence}")
    if b"\0" in start:
        raise SettingError(f"{shown(file)} is not a text: a CSV with a header or JSON lines are allowed")


def _split(text: bytes, delimiter: str) -> list[str]:
    """Return the fields of a line. Bytes that are not UTF-8 become lone surrogates: only used fields matter."""
    line = text.decode(errors="surrogateescape").rstrip("\r\n")
    if len(text) == _MAX_LINE_BYTES:
        raise ValueError(f"the line is longer than {_MAX_LINE_BYTES} bytes")
    if '"' not in line:
        return [field.strip() for field in line.split(delimiter)]
    try:
        fields = next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ValueError(f"the quotes of the line do not fit: {error}") from None
    return [field.strip() for field in fields]


class _Header(NamedTuple):
    width: int
    zone: int | None
    stamp: int
    demand: int


def _header(text: bytes, file: str, options: FileOptions) -> _Header:
    try:
        columns = _split(text, options.delimiter)
    except ValueError as error:
        raise SettingError(f"{shown(file)} has a header that cannot be read: {error}") from None

    def index_of(option: str, name: str, instead: str = "") -> int:
        if columns.count(name) == 1:
            return columns.index(name)
        many = "more than one" if name in columns else "no"
        there = ", ".join(quoted(column) for column in columns[:12]) + (", …" if len(columns) > 12 else "")
        split = next((mark for mark in ";\t,|" if len(columns) == 1 and mark in columns[0]), None)
        hint = f" (is --delimiter {split!r} meant?)" if split else ""
        raise SettingError(
            f"{shown(file)} has {many} column {name!r}: {option} names one of its columns{instead}; "
            f"they are {there}{hint}"
        )

    return _Header(
        len(columns),
        None if options.zone is not None else index_of("--zone-column", options.zone_column, ", or --zone the zone"),
        index_of("--time-column", options.time_column),
        index_of("--demand-column", options.demand_column),
    )


def _csv_rows(
    header: _Header, lines: Iterator[tuple[int, bytes]], file: str, options: FileOptions, tally: RowTally
) -> Iterator[Row | BadRow]:
    for line, text in lines:
        if text.isspace():
            continue
        tally.rows += 1
        try:
            fields = _split(text, options.delimiter)
        except ValueError as error:
            yield BadRow(file, line, str(error))
            continue
        if len(fields) < header.width or any(fields[header.width :]):
            yield BadRow(file, line, f"the row has {len(fields)} fields, the header {header.width}")
            continue
        zone = None if header.zone is None else fields[header.zone]
        yield Row(line, zone, fields[header.stamp], fields[header.demand])


def _json_rows(
    lines: Iterator[tuple[int, bytes]], file: str, options: FileOptions, tally: RowTally
) -> Iterator[Row | BadRow]:
    for line, text in lines:
        if text.isspace():
            continue
        tally.rows += 1
        try:
            yield _json_row(line, _OBJECT.decode(text), options)
        except (ValueError, RecursionError) as error:
            yield BadRow(file, line, f"the line is not a JSON object with a reading: {error}")


def _json_row(line: int, row: dict[str, object], options: FileOptions) -> Row:
    zone = None if options.zone is not None else row.get(options.zone_column)
    stamp, demand = row.get(options.time_column), row.get(options.demand_column)
    if options.zone is None and not isinstance(zone, str):
        raise ValueError(f"{options.zone_column!r} is {quoted(zone)}, a text is allowed (--zone-column, --zone)")
    if not isinstance(stamp, str):
        raise ValueError(f"{options.time_column!r} is {quoted(stamp)}, a text is allowed (--time-column)")
    if isinstance(demand, bool) or not isinstance(demand, int | float):
        raise ValueError(f"{options.demand_column!r} is {quoted(demand)}, a number is allowed (--demand-column)")
    return Row(line, zone if isinstance(zone, str) else None, stamp, demand)
