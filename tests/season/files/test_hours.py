"""Shorter steps become hours of the time zone's clock."""

from pathlib import Path

from season import instants
from season.files import BadRow, FileReading
from tests.season.files.made import hours, reasons, rows


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
