"""CSV: its columns, its quotes and its bad rows."""

from pathlib import Path

from season import instants
from season.files import FileReading
from tests.season.files.made import hours, reasons, rows


def test_a_csv_with_the_default_columns_needs_no_option(tmp_path: Path) -> None:
    """zone, timestamp and demand_mw are read where they stand; other columns and the order do not matter."""
    text = "demand_mw,source,timestamp,zone\n31234.5,x,2021-06-01T13:00:00Z,IT\n-2,y,2021-06-01T16:00:00+02:00,FR\n"
    assert rows(tmp_path, text) == [
        FileReading("IT", instants.parse("2021-06-01T13:00:00Z"), 31234.5),
        FileReading("FR", instants.parse("2021-06-01T14:00:00Z"), -2.0),
    ]


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    """What Excel writes around the text is not part of it."""
    text = b"\xef\xbb\xbftimestamp,demand_mw\r\n2021-06-01T13:00:00Z,1\r\n\r\n2021-06-01T14:00:00Z,2"
    assert [demand for _, demand in hours(rows(tmp_path, text, "--zone", "IT"))] == [1.0, 2.0]


def test_a_decimal_comma_that_the_delimiter_cuts_is_a_bad_row(tmp_path: Path) -> None:
    """Fields beyond the header are told; empty ones, of a delimiter at the line's end, are none."""
    text = "Date,Load,Zone\n2023-12-01T00:00:00Z,17003,081,North,\n2023-12-01T01:00:00Z,17003,North,\n"
    text += "2023-12-01T00:00:00Z,1\n"
    items = rows(tmp_path, text, "--time-column=Date", "--demand-column=Load", "--zone-column=Zone")
    assert reasons(items) == [(2, "the row has 5 fields, the header 3"), (4, "the row has 2 fields, the header 3")]
    assert len(items) == 3


def test_a_header_alone_is_no_mistake(tmp_path: Path) -> None:
    """A file without rows has no readings."""
    assert rows(tmp_path, "zone,timestamp,demand_mw\n") == []


def test_an_open_quote_and_bad_bytes_spoil_only_their_own_row(tmp_path: Path) -> None:
    """The rows that follow are read; bytes that are not UTF-8 matter only where they are used."""
    good = b"IT,2021-06-01T13:00:00Z,1,\n"
    bad = [
        b'"IT,2021-06-01T13:00:00Z,1,\n',
        b'"I"T,2021-06-01T13:00:00Z,1,\n',
        b"S\xfcdtirol,2021-06-01T13:00:00Z,1,\n",
    ]
    bad += [
        b"," + good[2:-1] + b"\n",
        b"x" * 201 + good[2:],
        b"IT,2021-06-01T13:00:00Z,\xff,\n",
        b"y" * 2_500_000 + b"\n",
    ]
    unused = b"IT,2021-06-01T13:00:00Z,1,\xfcber\n"
    text = b"zone,timestamp,demand_mw,note\n" + b"".join(row + good for row in bad) + unused
    items = rows(tmp_path, text)
    assert [line for line, _ in reasons(items)] == [2 + 2 * index for index in range(len(bad))]
    assert len(items) == 2 * len(bad) + 1
