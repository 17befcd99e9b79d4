"""--since and --until: which hours of a file are read."""

from pathlib import Path

from season import instants
from tests.season.files.made import hours, parsed, rows


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
