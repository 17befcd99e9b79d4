"""The calendar is held to a clock that is asked minute by minute, in every kind of time zone there is."""

import datetime
import zoneinfo
from importlib import import_module, resources

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from season import calendar
from season.calendar import DAY, HOUR, Calendar

# One of each kind: usual, half an hour off, half-hour saving, skipped dates, clocks changed at midnight, by
# two hours and by seven, seconds off the hour, saving in the other half of the year, rules without an end.
ZONES = [
    "UTC",
    "Europe/Rome",
    "Europe/Dublin",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kwajalein",
    "Pacific/Kiritimati",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Havana",
    "Asia/Beirut",
    "Asia/Gaza",
    "Antarctica/Vostok",
    "Antarctica/Troll",
    "Antarctica/Casey",
    "Africa/Monrovia",
    "Africa/Casablanca",
    "America/Nuuk",
    "Asia/Tehran",
    "Asia/Pyongyang",
]
_calendars: dict[tuple[str, str], Calendar] = {}


def calendar_of(zone: str, day_start: str) -> Calendar:
    """A calendar, made once."""
    return _calendars.setdefault((zone, day_start), Calendar(zone, day_start))


def clock(instant: int, zone: datetime.tzinfo) -> int:
    """What the local clock reads, as seconds since its 1970-01-01T00:00."""
    local = datetime.datetime.fromtimestamp(instant, zone).replace(tzinfo=datetime.UTC)
    return int(local.timestamp())


def changes(zone: str) -> list[int]:
    """The instants of all clock changes of a zone since 1969 that its file lists."""
    in_python = import_module("zoneinfo._zoneinfo").ZoneInfo
    with resources.files("tzdata").joinpath("zoneinfo", *zone.split("/")).open("rb") as file:
        return [int(t) for t in in_python.from_file(file)._trans_utc]


def days_near_changes() -> st.SearchStrategy[tuple[str, int]]:
    """A zone and a day, mostly near one of its clock changes."""

    def near(zone: str) -> st.SearchStrategy[tuple[str, int]]:
        listed = [t // DAY for t in changes(zone) if 0 < t < 130 * 365 * DAY] or [0]
        some = st.sampled_from(listed).flatmap(lambda day: st.integers(day - 2, day + 2))
        return st.tuples(st.just(zone), some | st.integers(0, 40000))

    return st.sampled_from(ZONES).flatmap(near)


@pytest.mark.parametrize("zone", sorted(zoneinfo.available_timezones())[::7] + ZONES)
def test_every_clock_change_is_found(zone: str) -> None:
    """The table of offsets equals the time zone's own list of changes: no two hide within a day."""
    listed = np.array([t for t in changes(zone) if calendar._FIRST < t < calendar._NEAR], np.int64)
    own = calendar_of(zone, "00:00")
    info = calendar._zone(zone)
    around = np.sort(np.concatenate([listed - 1, listed, listed + HOUR, np.array([0])]))
    expected = [datetime.datetime.fromtimestamp(int(t), info).utcoffset() for t in around]
    assert own.offsets(around).tolist() == [offset.total_seconds() for offset in expected if offset is not None]


@settings(max_examples=150)
@given(days_near_changes(), st.sampled_from(["00:00", "02:00", "06:00", "23:00"]))
@example(("America/St_Johns", 6877), "00:00")  # 1988-10-30: midnight comes twice, two hours apart
@example(("Antarctica/Vostok", 8796), "23:00")  # 1994-01-31: seven hours come twice
@example(("Pacific/Apia", 15337), "06:00")  # 2011-12-29: the next date does not exist
def test_windows_are_what_a_clock_asked_each_second_says(place: tuple[str, int], day_start: str) -> None:
    """A window starts when the clock first reaches its date and day start; its hours are the full hours."""
    name, day = place
    own, zone, shift = calendar_of(name, day_start), calendar._zone(name), int(day_start[:2]) * HOUR
    middle = np.array([day * DAY + 43200 - shift // 2], np.int64)
    number = own.days(middle)
    start, end = int(own.starts(number)[0]), int(own.ends(number)[0])
    goal = int(number[0]) * DAY + shift
    assert clock(start, zone) >= goal > max(clock(t, zone) for t in range(start - 40 * HOUR, start, 60))
    assert clock(start - 1, zone) < goal
    assert start <= middle[0] < end
    full = [t for t in range(start, end, 15) if clock(t, zone) % HOUR == 0]
    hours = own.hours(int(number[0]))
    assert hours.instants.tolist() == full
    assert hours.steps.tolist() == [(clock(t, zone) - shift) // HOUR % 24 for t in full]
    assert own.counts(number).tolist() == [len(full)]
    assert own.hour_indices(hours.instants, np.repeat(number, len(full))).tolist() == list(range(len(full)))
    assert own.instants(np.repeat(number, len(full)), np.arange(len(full))).tolist() == full
    assert np.unique(own.days(hours.instants)).tolist() == number.tolist()


@given(st.sampled_from(ZONES), st.integers(0, 253402300799))
def test_instants_far_away_have_windows(zone: str, instant: int) -> None:
    """Up to the end of year 9999 every instant lies in its window."""
    own, at = calendar_of(zone, "06:00"), np.array([instant], np.int64)
    day = own.days(at)
    assert own.starts(day)[0] <= instant < own.ends(day)[0]
    assert 1 <= own.months(day)[0] <= 12
    try:
        expected = datetime.datetime.fromtimestamp(instant, calendar._zone(zone)).utcoffset()
    except OverflowError:
        return
    assert expected is not None
    assert own.offsets(at)[0] == expected.total_seconds()


@pytest.mark.parametrize(
    ("zone", "date", "hours"),
    [
        ("Europe/Rome", "2021-03-28", 23),
        ("Europe/Rome", "2021-10-31", 25),
        ("Antarctica/Vostok", "1994-02-01", 24),
        ("Antarctica/Vostok", "1994-11-01", 17),
        ("America/St_Johns", "1988-10-30", 26),
        ("Pacific/Apia", "2011-12-29", 24),
    ],
)
def test_known_days(zone: str, date: str, hours: int) -> None:
    """Days whose length is known from history."""
    day = np.array([np.datetime64(date, "D").astype(np.int64)])
    assert calendar_of(zone, "00:00").counts(day).tolist() == [hours]


def test_a_skipped_date_has_no_window() -> None:
    """Samoa had no 2011-12-30: after the 29th comes the 31st, whatever the day start."""
    day = int(np.datetime64("2011-12-30", "D").astype(np.int64))
    for day_start in ("00:00", "06:00"):
        own = calendar_of("Pacific/Apia", day_start)
        before = np.array([day - 1], np.int64)
        assert own.ends(before) == own.starts(before + 2)
        around = np.arange(own.starts(before)[0] - DAY, own.ends(before)[0] + DAY, HOUR)
        assert day not in own.days(around)


@pytest.mark.parametrize(
    "zone", ["", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "zone.tab", "Europe", "Ünited"]
)
def test_unknown_time_zones_are_refused(zone: str) -> None:
    """A name that the tz database does not have is refused with a sentence, as is a path out of it."""
    with pytest.raises(ValueError, match="tz database"):
        Calendar(zone)


@pytest.mark.parametrize("day_start", ["", "6:00", "24:00", "06:30", "06:00:00", "٠٦:00"])
def test_day_starts_are_full_hours(day_start: str) -> None:
    """A day starts at a full hour, written as two digits and :00."""
    with pytest.raises(ValueError, match="full hour"):
        Calendar("Europe/Rome", day_start)
