"""Any file is read as it comes, and counted, or it is a sentence."""

import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from season import instants
from season.files import BadRow, FileReading, RowTally, check, read
from season.settings import SettingError
from tests.season.files.made import parsed, write


def test_standard_input_is_read_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file "-" is standard input, and a reading is given before the next line is there."""
    source = BytesIO(b"timestamp,demand_mw\n2021-06-01T13:00:00Z,1\n2021-06-01T14:00:00Z,2\n")
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(source))
    tally = RowTally()
    first = next(iter(read("-", parsed("--zone", "IT"), tally)))
    assert first == FileReading("IT", instants.parse("2021-06-01T13:00:00Z"), 1.0)
    assert tally.rows == 1


def test_the_tally_counts_rows_bytes_and_what_the_time_span_leaves_out(tmp_path: Path) -> None:
    """Progress and the last word rest on the tally: every byte, every row, also those that are left out."""
    text = "timestamp,demand_mw\n" + "".join(f"2021-06-01T{hour:02}:00:00Z,1\n" for hour in range(24))
    tally = RowTally()
    file = write(tmp_path / "readings.csv", text)
    kept = list(read(file, parsed("--zone", "IT", "--since", "2021-06-01T20:00:00Z"), tally))
    assert len(kept) == 4
    assert tally == RowTally(rows=24, outside=20, bytes=len(text))


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"zone;timestamp;demand_mw\n", "is --delimiter ';' meant?"),
        (b"zone,time,demand_mw\n", "no column 'timestamp': --time-column"),
        (b"zone,timestamp,load\n", "no column 'demand_mw': --demand-column"),
        (b"timestamp,demand_mw\n", "no column 'zone': --zone-column"),
        (b"zone,timestamp,timestamp,demand_mw\n", "more than one column 'timestamp'"),
        (bytes(range(256)) * 10, "not a text"),
        (b"\x89PNG\r\n\x1a\n\0\0", "no column"),
        (b"PK\x03\x04\x14\0", "workbook"),
        (b"\x1f\x8b\x08\0", "compressed"),
        ("zone,timestamp\n".encode("utf-16"), "UTF-16"),
        (b'"zone,timestamp,demand_mw\n', "header that cannot be read"),
        (b"x" * 3_000_000, "header that cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path, content: bytes, part: str) -> None:
    """One sentence with the file's name and what is allowed, from `read` and beforehand from `check`."""
    file = write(tmp_path / "readings.csv", content)
    for attempt in (check, lambda *arguments: list(read(*arguments))):
        with pytest.raises(SettingError) as caught:
            attempt(file, parsed())
        assert part in str(caught.value)
        assert file in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_a_folder_is_a_sentence(tmp_path: Path) -> None:
    """What the system says, behind the file's name."""
    for file in (str(tmp_path / "none.csv"), str(tmp_path), "nul\0byte"):
        with pytest.raises(SettingError, match="cannot be read"):
            check(file, parsed())


@given(st.binary(max_size=300))
def test_any_bytes_are_readings_bad_rows_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    """Nothing that a file can hold ends in a traceback."""
    file = write(tmp_path_factory.getbasetemp() / "any.csv", b"zone,timestamp,demand_mw\n" + content)
    assert all(isinstance(item, FileReading | BadRow) for item in read(file, parsed()))
    file = write(tmp_path_factory.getbasetemp() / "any.csv", content)
    try:
        assert all(isinstance(item, FileReading | BadRow) for item in read(file, parsed()))
    except SettingError:
        return
