"""Local time across both clock changes."""

import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from season import instants
from season.files import BadRow, FileReading
from tests.season.files.made import HOUR, reasons, rows

ROME = ZoneInfo("Europe/Rome")
# The instants at which Italy's clock is changed: 02:00 becomes 03:00, and 03:00 becomes 02:00.
SPRING = instants.parse("2021-03-28T01:00:00Z")
AUTUMN = instants.parse("2021-10-31T01:00:00Z")


def local(instant: int, pattern: str = "%d.%m.%Y %H:%M") -> str:
    """What a clock in Rome shows at an instant."""
    return datetime.datetime.fromtimestamp(instant, ROME).strftime(pattern)


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
