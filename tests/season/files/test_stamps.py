"""How an instant may be written, and what names none."""

from pathlib import Path

import pytest

from season import instants
from season.files import BadRow
from tests.season.files.made import HOUR, hours, reasons, rows


def test_stamps_with_an_offset_do_not_go_by_the_time_zone(tmp_path: Path) -> None:
    """An offset in the stamp says all; --time-zone is for the rows without one."""
    text = "timestamp,demand_mw\n2021-06-01T13:00:00Z,1\n2021-06-01 16:00,2\n2021-06-01T11:00-0400,3\n"
    items = rows(tmp_path, text, "--zone=IT", "--time-zone=Europe/Rome")
    assert [text for text, _ in hours(items)] == [f"2021-06-01T{hour}:00:00Z" for hour in (13, 14, 15)]


def test_a_stamp_without_an_offset_needs_a_time_zone(tmp_path: Path) -> None:
    """Nobody guesses whose local time it is."""
    items = rows(tmp_path, "timestamp,demand_mw\n2021-06-01 16:00,2\n", "--zone=IT")
    assert reasons(items) == [(2, "'2021-06-01 16:00' has no offset: --time-zone says whose local time it is")]


@pytest.mark.parametrize(
    ("stamp", "instant"),
    [
        ("31.12.2020 23:45", "2020-12-31T22:45:00Z"),
        ("31.12.2020 24:00", "2020-12-31T23:00:00Z"),
        ("01/01/2021 00:15:00", "2020-12-31T23:15:00Z"),
        ("1/1/2021 0:15", "2020-12-31T23:15:00Z"),
        ("2021-01-01T00:15", "2020-12-31T23:15:00Z"),
        ("2021/01/01 00:15:00.000", "2020-12-31T23:15:00Z"),
        ("2021-01-01T00:15:00+01", "2020-12-31T23:15:00Z"),
        ("2021-01-01 00:15:00 CET", "2020-12-31T23:15:00Z"),
        ("01.01.2021 00:15 (UTC)", "2021-01-01T00:15:00Z"),
    ],
)
def test_the_forms_of_a_stamp(tmp_path: Path, stamp: str, instant: str) -> None:
    """Year first or day first, with dots, slashes or dashes, with or without seconds, offset and 24:00."""
    text = f"timestamp,demand_mw\n{stamp},1\n"
    [item] = rows(tmp_path, text, "--zone=IT", "--time-zone=Europe/Rome", "--step=15m", "--stamps=end")
    start = instants.parse(instant) - 900
    missing = [start - start % HOUR + quarter for quarter in range(0, HOUR, 900)]
    missing.remove(start)
    assert isinstance(item, BadRow)
    assert f"({', '.join(instants.format(step) for step in missing)})" in item.reason


@pytest.mark.parametrize(
    "stamp",
    [
        "", "yesterday", "2021-06-01", "13:00", "2021-02-30 00:00", "12/31/2021 00:00", "2021-06-01 25:00",
        "2021-06-01 24:01", "2021-06-01 12:60", "2021-06-01 12:00:60", "2021-06-01T12:00:00.5Z", "2021-W22-2 12:00",
        "2021-06-01 12:00 PM", "2021-06-01T12:00:00+25:00", "0000-01-01T00:00:00Z", "1969-12-31T23:00:00Z",
        "1970-01-01 00:00", "2021.06-01 12:00", "01.06.21 12:00", "\u0662021-06-01 12:00", "2021-06-01 12:00 - ",
        "2021-06-01 12:00 - 2021-06-01 14:00", "2021-06-01 12:00 - 2021-06-01 12:15", "2021-06-01 12:07",
        "2021-06-01T12:00:30Z", "2021-06-01 12:00 XYZ",
    ],
)  # fmt: skip
def test_a_stamp_that_names_no_hour_is_a_bad_row(tmp_path: Path, stamp: str) -> None:
    """Whatever stands there, the sentence names its line and the next row is read."""
    text = f"timestamp,demand_mw\n{stamp},1\n2021-06-01 12:00,1\n"
    items = rows(tmp_path, text, "--zone=IT", "--time-zone=Europe/Rome")
    assert [line for line, _ in reasons(items)] == [2]
    assert len(items) == 2
