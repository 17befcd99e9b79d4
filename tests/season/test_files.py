"""Files as people and portals have them become the right hours, or a sentence that names the row."""

import argparse
import datetime
import math
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from season import instants
from season.files import BadRow, FileOptions, FileReading, Tally, add_options, check, options, read
from season.files.numbers import demand
from season.messages import DEMAND_LIMIT
from season.settings import SettingError

ROME = ZoneInfo("Europe/Rome")
HOUR = 3600
# The instants at which Italy's clock is changed: 02:00 becomes 03:00, and 03:00 becomes 02:00.
SPRING = instants.parse("2021-03-28T01:00:00Z")
AUTUMN = instants.parse("2021-10-31T01:00:00Z")


def parsed(*arguments: str) -> FileOptions:
    """The options that a command line with these arguments has."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    return options(parser.parse_args(arguments))


def _write(path: Path, text: str | bytes) -> str:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def rows(tmp_path: Path, text: str | bytes, *arguments: str) -> list[FileReading | BadRow]:
    """What a file with this text becomes under these arguments."""
    return list(read(_write(tmp_path / "readings.csv", text), parsed(*arguments)))


def hours(items: list[FileReading | BadRow]) -> list[tuple[str, float]]:
    """Readings as (instant, demand); bad rows fail the test."""
    assert [str(item) for item in items if isinstance(item, BadRow)] == []
    return [(instants.format(item.instant), item.demand_mw) for item in items if isinstance(item, FileReading)]


def reasons(items: list[FileReading | BadRow]) -> list[tuple[int, str]]:
    """The bad rows as (line, reason)."""
    return [(item.line, item.reason) for item in items if isinstance(item, BadRow)]


def local(instant: int, pattern: str = "%d.%m.%Y %H:%M") -> str:
    """What a clock in Rome shows at an instant."""
    return datetime.datetime.fromtimestamp(instant, ROME).strftime(pattern)


# --- the plain road ---------------------------------------------------------------------------------------------


def test_a_csv_with_the_default_columns_needs_no_option(tmp_path: Path) -> None:
    """zone, timestamp and demand_mw are read where they stand; other columns and the order do not matter."""
    text = "demand_mw,source,timestamp,zone\n31234.5,x,2021-06-01T13:00:00Z,IT\n-2,y,2021-06-01T16:00:00+02:00,FR\n"
    assert rows(tmp_path, text) == [
        FileReading("IT", instants.parse("2021-06-01T13:00:00Z"), 31234.5),
        FileReading("FR", instants.parse("2021-06-01T14:00:00Z"), -2.0),
    ]


def test_json_lines_are_read_with_the_same_options(tmp_path: Path) -> None:
    """A file whose first line is an object is JSON lines; the column options name its fields."""
    text = '\n{"t": "2021-06-01T13:00:00Z", "mw": 5, "zone": "IT"}\n\n'
    text += '{"mw": 6.5, "t": "2021-06-01T14:00:00Z", "zone": "FR"}'
    items = rows(tmp_path, text, "--time-column", "t", "--demand-column", "mw")
    assert items == [
        FileReading("IT", instants.parse("2021-06-01T13:00:00Z"), 5.0),
        FileReading("FR", instants.parse("2021-06-01T14:00:00Z"), 6.5),
    ]
    assert all(type(item.demand_mw) is float for item in items if isinstance(item, FileReading))


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("{}", "'zone' is None"),
        ('{"zone": 5, "timestamp": "2021-06-01T13:00:00Z", "demand_mw": 1}', "'zone' is 5"),
        ('{"zone": "IT", "timestamp": 5, "demand_mw": 1}', "'timestamp' is 5"),
        ('{"zone": "IT", "timestamp": "2021-06-01T13:00:00Z", "demand_mw": "1"}', "'demand_mw' is '1'"),
        ('{"zone": "IT", "timestamp": "2021-06-01T13:00:00Z", "demand_mw": true}', "'demand_mw' is True"),
        ('{"zone": "IT", "timestamp": "2021-06-01T13:00:00Z", "demand_mw": 1e39}', "32-bit"),
        ('{"zone": "IT", "timestamp": "2021-06-01T13:00:00Z", "demand_mw": NaN}', "not a JSON object"),
        ('{"zone": "IT", "timestamp": "2021-06-01T13:00:00Z", "demand_mw": ' + "9" * 400 + "}", "3"),
        ('{"zone": "", "timestamp": "2021-06-01T13:00:00Z", "demand_mw": 1}', "0 bytes"),
        ('{"zone": "\\ud800", "timestamp": "2021-06-01T13:00:00Z", "demand_mw": 1}', ""),
        ('["IT"]', "not a JSON object"),
        ("[" * 3000, "not a JSON object"),
        ("{" * 3000, "not a JSON object"),
        ('{"a":' * 3000, "not a JSON object"),
        ("IT,2021-06-01T13:00:00Z,1", "not a JSON object"),
    ],
)
def test_a_bad_json_line_spoils_only_itself(tmp_path: Path, line: str, part: str) -> None:
    """A line that is no reading is named, and the next one is read."""
    good = '{"zone": "IT", "timestamp": "2021-06-01T13:00:00Z", "demand_mw": 1}'
    items = rows(tmp_path, f"{good}\n{line}\n{good}\n")
    assert [type(item) for item in items] == [FileReading, BadRow, FileReading]
    assert reasons(items)[0][0] == 2
    assert part in reasons(items)[0][1]


def test_standard_input_is_read_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file "-" is standard input, and a reading is given before the next line is there."""
    source = BytesIO(b"timestamp,demand_mw\n2021-06-01T13:00:00Z,1\n2021-06-01T14:00:00Z,2\n")
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(source))
    tally = Tally()
    first = next(iter(read("-", parsed("--zone", "IT"), tally)))
    assert first == FileReading("IT", instants.parse("2021-06-01T13:00:00Z"), 1.0)
    assert tally.rows == 1


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    """What Excel writes around the text is not part of it."""
    text = b"\xef\xbb\xbftimestamp,demand_mw\r\n2021-06-01T13:00:00Z,1\r\n\r\n2021-06-01T14:00:00Z,2"
    assert [demand for _, demand in hours(rows(tmp_path, text, "--zone", "IT"))] == [1.0, 2.0]


def test_the_tally_counts_rows_bytes_and_what_the_time_span_leaves_out(tmp_path: Path) -> None:
    """Progress and the last word rest on the tally: every byte, every row, also those that are left out."""
    text = "timestamp,demand_mw\n" + "".join(f"2021-06-01T{hour:02}:00:00Z,1\n" for hour in range(24))
    tally = Tally()
    file = _write(tmp_path / "readings.csv", text)
    kept = list(read(file, parsed("--zone", "IT", "--since", "2021-06-01T20:00:00Z"), tally))
    assert len(kept) == 4
    assert tally == Tally(rows=24, outside=20, bytes=len(text))


# --- files as the portals give them -----------------------------------------------------------------------------


def test_entsoe_load_as_its_portal_gave_it_until_2024(tmp_path: Path) -> None:
    """Quarter hours as intervals of local time, everything in quotes, a forecast beside the load."""
    text = (
        '\ufeff"Time (CET/CEST)","Day-ahead Total Load Forecast [MW] - BZN|DE-LU",'
        '"Actual Total Load [MW] - BZN|DE-LU"\n'
        '"01.01.2021 00:00 - 01.01.2021 00:15","41893","42500"\n'
        '"01.01.2021 00:15 - 01.01.2021 00:30","41593","42300"\n'
        '"01.01.2021 00:30 - 01.01.2021 00:45","41293","42100"\n'
        '"01.01.2021 00:45 - 01.01.2021 01:00","40993","41900"\n'
        '"01.01.2021 01:00 - 01.01.2021 01:15","40693","N/A"\n'
    )
    items = rows(
        tmp_path, text, "--zone=DE", "--time-column=Time (CET/CEST)", "--time-zone=Europe/Berlin", "--step=15m",
        "--demand-column=Actual Total Load [MW] - BZN|DE-LU",
    )  # fmt: skip
    assert items == [
        FileReading("DE", instants.parse("2020-12-31T23:00:00Z"), 42200.0),
        BadRow(str(tmp_path / "readings.csv"), 6, "there is no demand ('N/A')"),
    ]


def test_entsoe_load_as_its_portal_gives_it_since(tmp_path: Path) -> None:
    """The area in a column, seconds and slashes, and across a clock change the clock's name behind each time."""
    text = '"MTU (CET/CEST)","Area","Actual Total Load (MW)","Day-ahead Total Load Forecast (MW)"\n' + "".join(
        f'"26/10/2025 {start}:00 ({a}) - 26/10/2025 {end}:00 ({b})","BZN|IT-North","{load}","1"\n'
        for start, a, end, b, load in [
            ("01:00", "CEST", "02:00", "CEST", 10), ("02:00", "CEST", "02:00", "CET", 11),
            ("02:00", "CET", "03:00", "CET", 12), ("03:00", "CET", "04:00", "CET", 13),
        ]
    )  # fmt: skip
    items = rows(
        tmp_path, text, "--zone-column=Area", "--time-column=MTU (CET/CEST)",
        "--demand-column=Actual Total Load (MW)", "--time-zone=Europe/Rome",
    )  # fmt: skip
    assert hours(items) == [
        (f"2025-10-{d}:00:00Z", mw) for d, mw in [("25T23", 10), ("26T00", 11), ("26T01", 12), ("26T02", 13)]
    ]
    assert {item.zone for item in items if isinstance(item, FileReading)} == {"BZN|IT-North"}


def test_entsoe_load_as_its_file_library_gives_it(tmp_path: Path) -> None:
    """Tabs, UTC without an offset, a fraction of zero, several areas among each other."""
    text = "DateTime(UTC)\tResolutionCode\tAreaMapCode\tTotalLoad[MW]\n" + "".join(
        f"2026-02-01 0{hour}:{minute:02}:00.000\tPT15M\t{area}\t{load + minute}.000000\n"
        for hour in range(2)
        for minute in range(0, 60, 15)
        for area, load in [("AT", 6000), ("IT", 30000)]
    )
    items = rows(
        tmp_path, text, r"--delimiter=\t", "--zone-column=AreaMapCode", "--time-column=DateTime(UTC)",
        "--time-zone=UTC", "--demand-column=TotalLoad[MW]", "--step=15m",
    )  # fmt: skip
    assert items == [
        FileReading(area, instants.parse(f"2026-02-01T0{hour}:00:00Z"), load + 22.5)
        for hour in range(2)
        for area, load in [("AT", 6000), ("IT", 30000)]
    ]


def test_terna_load_as_its_download_center_gives_it(tmp_path: Path) -> None:
    """Semicolons, decimal commas, thousand dots, several zones, and the latest row first."""
    text = "Date;Total Load [MW];Forecast Total Load [MW];Bidding Zone\r\n" + "".join(
        f"01/12/2023 00:{minute:02}:00;17.003,{load:03};17812,24;{zone}\r\n"
        for minute in (45, 30, 15, 0)
        for zone, load in [("North", minute), ("South", 100)]
    )
    items = rows(
        tmp_path, text, "--delimiter=;", "--decimal=,", "--zone-column=Bidding Zone", "--time-column=Date",
        "--demand-column=Total Load [MW]", "--time-zone=Europe/Rome", "--step=15m",
    )  # fmt: skip
    start = instants.parse("2023-11-30T23:00:00Z")
    assert items == [
        FileReading("North", start, math.fsum([17003.0, 17003.015, 17003.03, 17003.045]) / 4),
        FileReading("South", start, 17003.1),
    ]


def test_a_decimal_comma_that_the_delimiter_cuts_is_a_bad_row(tmp_path: Path) -> None:
    """Fields beyond the header are told; empty ones, of a delimiter at the line's end, are none."""
    text = "Date,Load,Zone\n2023-12-01T00:00:00Z,17003,081,North,\n2023-12-01T01:00:00Z,17003,North,\n"
    text += "2023-12-01T00:00:00Z,1\n"
    items = rows(tmp_path, text, "--time-column=Date", "--demand-column=Load", "--zone-column=Zone")
    assert reasons(items) == [(2, "the row has 5 fields, the header 3"), (4, "the row has 2 fields, the header 3")]
    assert len(items) == 3


# --- local time across both clock changes -----------------------------------------------------------------------


def series(change: int, step: int) -> range:
    """The starts of the steps of eight hours, the clock being changed in the middle."""
    return range(change - 4 * HOUR, change + 4 * HOUR, step)


def averaged(items: list[FileReading | BadRow]) -> list[int]:
    """The instants of readings, whose demands must be their instants (the mean of their steps' starts)."""
    assert reasons(items) == []
    readings = [item for item in items if isinstance(item, FileReading)]
    assert [item.demand_mw for item in readings] == [
        pytest.approx(item.instant + (readings[0].demand_mw - readings[0].instant)) for item in readings
    ]
    return [item.instant for item in readings]


@pytest.mark.parametrize("change", [SPRING, AUTUMN])
@pytest.mark.parametrize("step", [HOUR, 1800, 900, 300])
@pytest.mark.parametrize("stamps", ["start", "end", "end by length", "interval"])
def test_local_stamps_come_out_right_across_both_clock_changes(
    tmp_path: Path, change: int, step: int, stamps: str
) -> None:
    """Every hour gets its instant and its own steps, whichever end is stamped and however the ends are written.

    `end` is what the clock shows at the step's end, `end by length` the shown start plus the length.
    """

    def stamp(start: int) -> str:
        if stamps == "start":
            return local(start)
        if stamps == "interval":
            return f"{local(start)} - {local(start + step)}"
        if stamps == "end":
            return local(start + step)
        shown = datetime.datetime.fromtimestamp(start, ROME).replace(tzinfo=None)
        return (shown + datetime.timedelta(seconds=step)).strftime("%d.%m.%Y %H:%M")

    text = "timestamp,demand_mw\n" + "".join(f"{stamp(start)},{start}\n" for start in series(change, step))
    items = rows(
        tmp_path, text, "--zone=IT", "--time-zone=Europe/Rome", f"--step={step // 60}m",
        f"--stamps={'end' if stamps.startswith('end') else 'start'}",
    )  # fmt: skip
    assert averaged(items) == list(series(change, HOUR))


def test_the_doubled_hour_goes_by_order_in_each_zone_by_itself(tmp_path: Path) -> None:
    """Rows of several zones among each other: each zone's first row of a doubled stamp is its earlier one."""
    text = "zone,timestamp,demand_mw\n" + "".join(
        f"{zone},{local(start)},{start}\n" for start in series(AUTUMN, HOUR) for zone in ("A", "B", "C")
    )
    items = rows(tmp_path, text, "--time-zone=Europe/Rome")
    for zone in ("A", "B", "C"):
        assert averaged([item for item in items if isinstance(item, FileReading) and item.zone == zone]) == list(
            series(AUTUMN, HOUR)
        )


def test_doubled_quarters_may_also_stand_each_beside_its_like(tmp_path: Path) -> None:
    """A file that was sorted by its local stamps has 02:00 twice, then 02:15 twice: the order still decides."""
    starts = sorted(series(AUTUMN, 900), key=local)
    text = "timestamp,demand_mw\n" + "".join(f"{local(start)},{start}\n" for start in starts)
    items = rows(tmp_path, text, "--zone=IT", "--time-zone=Europe/Rome", "--step=15m")
    assert sorted(averaged(items)) == list(series(AUTUMN, HOUR))


def test_a_third_row_of_a_doubled_hour_is_refused(tmp_path: Path) -> None:
    """The clock shows 02:00 twice and not three times."""
    text = "timestamp,demand_mw\n" + 3 * "2021-10-31 02:00,1\n" + 2 * "2021-10-31 04:00,1\n"
    items = rows(tmp_path, text, "--zone=IT", "--time-zone=Europe/Rome")
    assert [line for line, _ in reasons(items)] == [4]
    assert "more often" in reasons(items)[0][1]
    assert len(items) == 5


@pytest.mark.parametrize("stamps", ["start", "end"])
def test_a_local_time_that_does_not_exist_is_a_bad_row(tmp_path: Path, stamps: str) -> None:
    """In March no clock in Rome shows 02:30; the rows around it are read."""
    text = "timestamp,demand_mw\n2021-03-28 01:30,1\n2021-03-28 02:30,1\n2021-03-28 03:30,1\n"
    items = rows(tmp_path, text, "--zone=IT", "--time-zone=Europe/Rome", "--step=30m", f"--stamps={stamps}")
    assert (3, "the local time 2021-03-28 02:30:00 does not exist in Europe/Rome") in reasons(items)


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


# --- steps and hours --------------------------------------------------------------------------------------------


def test_an_hour_that_lacks_a_step_is_a_bad_row(tmp_path: Path) -> None:
    """It is named by its first row, with what it lacks; the hours around it are averaged."""
    quarters = [f"2021-06-01T{hour:02}:{minute:02}:00Z" for hour in range(3) for minute in range(0, 60, 15)]
    quarters.remove("2021-06-01T01:30:00Z")
    text = "timestamp,demand_mw\n" + "".join(f"{quarter},4\n" for quarter in quarters)
    items = rows(tmp_path, text, "--zone=IT", "--step=15m")
    assert reasons(items) == [(6, "the hour 2021-06-01T01:00:00Z of 'IT' lacks 1 of 4 steps (2021-06-01T01:30:00Z)")]
    assert len(items) == 3


def test_an_hour_that_lacks_a_step_is_told_within_a_day_of_rows(tmp_path: Path) -> None:
    """A stream without an end still hears of it, and the memory is bounded."""
    halves = [instants.parse("2021-06-01T00:00:00Z") + 1800 * half for half in range(1, 200)]
    text = "timestamp,demand_mw\n" + "".join(f"{instants.format(half)},4\n" for half in halves)
    items = rows(tmp_path, text, "--zone=IT", "--step=30m")
    assert [index for index, item in enumerate(items) if isinstance(item, BadRow)] == [24]


def test_a_step_that_comes_twice_is_a_bad_row(tmp_path: Path) -> None:
    """A repeated quarter neither weighs double nor stands for a missing one."""
    text = "timestamp,demand_mw\n" + "".join(
        f"2021-06-01T00:{minute:02}:00Z,{minute}\n" for minute in (0, 15, 15, 30, 45)
    )
    items = rows(tmp_path, text, "--zone=IT", "--step=15m")
    assert reasons(items) == [(4, "the step 2021-06-01T00:15:00Z of 'IT' comes twice")]
    assert items[1] == FileReading("IT", instants.parse("2021-06-01T00:00:00Z"), 22.5)


def test_hours_are_those_of_the_time_zones_clock(tmp_path: Path) -> None:
    """Half-hourly rows of India make hours of India's clock, also where they are stamped in UTC."""
    text = "timestamp,demand_mw\n2021-06-01T00:30:00Z,1\n2021-06-01T01:00:00Z,3\n"
    items = rows(tmp_path, text, "--zone=IN", "--step=30m", "--time-zone=Asia/Kolkata")
    assert hours(items) == [("2021-06-01T00:30:00Z", 2.0)]
    items = rows(
        tmp_path,
        text.replace("00:30:00Z", "06:00:00+05:30").replace("01:00:00Z", "06:30:00+05:30"),
        "--zone=IN",
        "--step=30m",
    )
    assert hours(items) == [("2021-06-01T00:30:00Z", 2.0)]


def test_hourly_rows_of_a_half_hour_zone_are_read(tmp_path: Path) -> None:
    """A full hour of India's clock is no full hour of UTC's."""
    text = "timestamp,demand_mw\n2021-06-01T00:30:00Z,1\n2021-06-01T01:30:00Z,3\n"
    assert len(hours(rows(tmp_path, text, "--zone=IN"))) == 2


def test_quarter_hours_read_as_hours_are_noticed(tmp_path: Path) -> None:
    """Who forgets --step is told at the second row, with a hint."""
    text = "timestamp,demand_mw\n2021-06-01T00:00:00Z,1\n2021-06-01T00:15:00Z,3\n"
    items = rows(tmp_path, text, "--zone=IT")
    assert "--step" in reasons(items)[0][1]
    assert reasons(items)[0][0] == 3


# --- the time span ----------------------------------------------------------------------------------------------


def test_since_is_included_and_until_excluded(tmp_path: Path) -> None:
    """Of a day's hours those from --since on and before --until are read; bad demands outside do not matter."""
    text = "timestamp,demand_mw\n" + "".join(
        f"2021-06-01T{h:02}:00:00Z,{h if 5 <= h < 8 else ''}\n" for h in range(24)
    )
    items = rows(tmp_path, text, "--zone=IT", "--since=2021-06-01T05:00:00Z", "--until=2021-06-01T10:00:00+02:00")
    assert [demand for _, demand in hours(items)] == [5, 6, 7]


def test_a_date_is_its_midnight_in_the_time_zone_or_in_utc() -> None:
    """Without a time zone UTC's midnight; where a clock change skips midnight, the date's first instant."""
    assert parsed("--since=2021-06-01").since == instants.parse("2021-06-01T00:00:00Z")
    assert parsed("--since=2021-06-01", "--time-zone=Europe/Rome").since == instants.parse("2021-05-31T22:00:00Z")
    assert parsed("--until=2018-11-04", "--time-zone=America/Sao_Paulo").until == instants.parse(
        "2018-11-04T03:00:00Z"
    )


def test_the_time_span_cuts_whole_hours_of_shorter_steps(tmp_path: Path) -> None:
    """An hour belongs to the span by its start, so that no edge makes an hour that lacks steps."""
    text = "timestamp,demand_mw\n" + "".join(
        f"2021-06-01T{hour:02}:{minute:02}:00Z,{hour}\n" for hour in range(4) for minute in range(0, 60, 15)
    )
    items = rows(
        tmp_path, text, "--zone=IT", "--step=15m", "--since=2021-06-01T00:30:00Z", "--until=2021-06-01T02:30:00Z"
    )
    assert [demand for _, demand in hours(items)] == [1, 2]


# --- demands ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("31234.5", None, 31234.5), ("+5", None, 5.0), ("-5.", None, -5.0), (".5", None, 0.5), ("1e3", None, 1000.0),
        ("31,234.5", None, 31234.5), ("1,031,234.5", None, 1031234.5), ("31 234", None, 31234.0),
        ("31\u00a0234.5", None, 31234.5), ("31'234.5", None, 31234.5), ("31,234", ".", 31234.0),
        ("31234,5", ",", 31234.5), ("31.234,5", ",", 31234.5), ("31.234", ",", 31234.0),
        ("1.031.234", ",", 1031234.0),
        ("-31 234,5", ",", -31234.5), ("31,234", ",", 31.234), ("3.4028235e38", None, 3.4028235e38),
    ],
)  # fmt: skip
def test_demands_with_decimal_marks_and_thousands(text: str, decimal: str | None, value: float) -> None:
    """The mark that is not the decimal one may group digits by three, and so may spaces and apostrophes."""
    assert demand(text, decimal) == value


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        ("", None), ("N/A", None), ("n/e", None), ("-", None), ("nan", None), ("inf", None), ("1_000", None),
        ("31,234", None), ("31234,5", None), ("31,23,456", None), ("1,031 234", None), ("31234.5", ","),
        ("1,234,5", ","), ("1.234.5", None), ("\u0663", None), ("0x10", None), ("1e39", None), ("-1e39", None),
        ("5 MW", None), ("1e999", None), ("- 5", None), ("1.234,5", "."), ("1,234.5", ","),
    ],
)  # fmt: skip
def test_a_text_that_is_no_demand_is_refused(text: str, decimal: str | None) -> None:
    """What is not clearly one finite number is a sentence, never a guess."""
    with pytest.raises(ValueError, match="demand"):
        demand(text, decimal)


@given(st.floats(-3e38, 3e38))
def test_a_number_is_read_to_the_last_bit(value: float) -> None:
    """Reading adds no rounding of its own, with either decimal mark."""
    assert demand(repr(value), None) == value
    assert demand(repr(value).replace(".", ","), ",") == value


def test_the_limit_of_a_demand_is_that_of_32_bit_floats() -> None:
    """The last 64-bit float that still rounds to a finite 32-bit one is taken, the next is not."""
    assert demand("3.4028235677973362e38", None) < DEMAND_LIMIT
    with pytest.raises(ValueError, match="32-bit"):
        demand("3.4028235677973366e38", None)


# --- files that cannot be read ----------------------------------------------------------------------------------


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
    file = _write(tmp_path / "readings.csv", content)
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


@given(st.binary(max_size=300))
def test_any_bytes_are_readings_bad_rows_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    """Nothing that a file can hold ends in a traceback."""
    file = _write(tmp_path_factory.getbasetemp() / "any.csv", b"zone,timestamp,demand_mw\n" + content)
    assert all(isinstance(item, FileReading | BadRow) for item in read(file, parsed()))
    file = _write(tmp_path_factory.getbasetemp() / "any.csv", content)
    try:
        assert all(isinstance(item, FileReading | BadRow) for item in read(file, parsed()))
    except SettingError:
        return


# --- options ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "part"),
    [
        ("--time-zone=Europe/Roma", "--time-zone: time zone 'Europe/Roma'"),
        ("--time-zone=", "--time-zone"),
        ("--time-zone=/etc/localtime", "--time-zone"),
        ("--delimiter=;;", "--delimiter ';;': one character"),
        ("--delimiter=", "--delimiter"),
        ('--delimiter="', "--delimiter"),
        ("--decimal=;", "--decimal ';'"),
        ("--step=7m", "--step '7m': a step that divides an hour"),
        ("--step=2h", "--step"),
        ("--step=0", "--step"),
        ("--step=15", "--step"),
        ("--step=1500ms", "--step"),
        ("--since=yesterday", "--since 'yesterday'"),
        ("--until=2021-02-30", "--until '2021-02-30'"),
        ("--since=2021-06-01T13:00", "--since"),
        ("--zone=", "--zone"),
        ("--zone=" + "x" * 201, "--zone"),
    ],
)
def test_a_wrong_option_is_a_sentence(argument: str, part: str) -> None:
    """It names the option, its value and what is allowed."""
    with pytest.raises(SettingError) as caught:
        parsed(argument)
    assert part in str(caught.value)


def test_a_since_later_than_until_is_a_sentence() -> None:
    """The two are compared as instants; the same one twice is an empty span."""
    assert parsed("--since=2021-06-01", "--until=2021-06-01").since == instants.parse("2021-06-01T00:00:00Z")
    with pytest.raises(SettingError, match="--since 2021-06-02 is later than --until 2021-06-01"):
        parsed("--since=2021-06-02", "--until=2021-06-01")
