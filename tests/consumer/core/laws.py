"""What the laws of the core are tried on: streams of readings in which everything that can happen is common."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from consumer.core.columns import READING
from consumer.core.days import locate
from consumer.core.outcome import Readings, Rules
from season.calendar import DAY, HOUR, I64, Calendar

PLACES = [
    ("Europe/Rome", "00:00", "2021-03-27"),
    ("Europe/Rome", "02:00", "2021-10-30"),
    ("Europe/Rome", "06:00", "2021-06-01"),
    ("Asia/Kolkata", "00:00", "2021-06-01"),
    ("Australia/Lord_Howe", "00:00", "2021-04-03"),
    ("America/St_Johns", "00:00", "1988-10-29"),
    ("Antarctica/Vostok", "00:00", "1994-01-30"),
    ("Pacific/Apia", "06:00", "2011-12-28"),
    ("America/Sao_Paulo", "00:00", "2018-11-03"),
]
Row = tuple[float, str, int, float]  # when it arrives, zone, instant, demand

_calendars: dict[tuple[str, str], Calendar] = {}


@dataclass(frozen=True)
class Case:
    """A calendar, rules, and readings as (zone, instant, demand, wall clock) in their order."""

    calendar: Calendar
    rules: Rules
    readings: tuple[tuple[str, int, float, float], ...]

    def batch(self, start: int, end: int) -> Readings:
        """Some of the readings as columns."""
        return columns(self.readings[start:end], self.calendar)


def columns(rows: Sequence[tuple[str, int, float, float]], calendar: Calendar) -> Readings:
    """Readings as columns."""
    names = [zone.encode() for zone, *_ in rows]
    records = np.zeros(len(rows), READING)
    records["name_length"] = [len(name) for name in names]
    records["name_start"] = np.cumsum(records["name_length"]) - records["name_length"]
    records["instant"] = [instant for _, instant, *_ in rows]
    records["demand"] = [demand for _, _, demand, _ in rows]
    full, clocks = locate(records, calendar)
    assert full.all()
    return Readings(np.frombuffer(b"".join(names), np.uint8), records, clocks)


def calendar_of(zone: str, day_start: str) -> Calendar:
    """A calendar, made once."""
    if (zone, day_start) not in _calendars:
        _calendars[zone, day_start] = Calendar(zone, day_start)
    return _calendars[zone, day_start]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Some days of some zones in a row, then disorder, gaps, repeats, corrections and broken clocks.

    The choices are drawn, the many numbers come from a seeded generator: an example stays small to draw, and
    nothing that can happen to a window is rare (a test counts).
    """
    zone, day_start, date = draw(st.sampled_from(PLACES))
    calendar = calendar_of(zone, day_start)
    grace = draw(st.sampled_from([0, HOUR, 6 * HOUR, DAY, 3 * DAY]))
    rules = Rules(grace, draw(st.integers(0, 12)), draw(st.sampled_from([0.0, min(HOUR, grace)])))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    first = int(np.datetime64(date, "D").astype(np.int64))
    names = [f"zone {i}" for i in range(draw(st.integers(1, 4)))]
    days, disorder = draw(st.integers(1, 6)), draw(st.sampled_from([0, 2, 30, 80]))
    mischief = draw(st.sampled_from([0.0, 0.02, 0.3]))
    rows: list[Row] = []
    for name in names:
        for day in range(first, first + days):
            rows += _day(name, _hours(calendar, day), random, disorder)
    rows += [_again(row, random, disorder) for row in rows if random.random() < mischief]
    rows.sort(key=lambda row: (row[0], row[1]))
    ahead = [3 * DAY if random.random() < 0.99 else -HOUR for _ in rows]
    return Case(
        calendar,
        rules,
        tuple((name, at, value, at + more) for (_, name, at, value), more in zip(rows, ahead, strict=True)),
    )


def _day(name: str, hours: I64, random: np.random.Generator, disorder: int) -> list[Row]:
    """A day's readings as they arrive: some lost, some days flat, some flat but for one hour that is corrected."""
    values = random.choice([1.0, 1.0, 30000.0]) * random.choice([1.0, 2.0, 3.0], len(hours))
    kind = random.random()
    if kind < 0.5:
        values[:] = random.choice([0.0, -0.0, 5.0])
    lost = random.choice([0, 0, 1, 2, 5, 20]) if random.random() < 0.5 else 0
    here = np.sort(random.permutation(len(hours))[lost:])
    rows = [(hours[i] + random.random() * disorder * HOUR, name, int(hours[i]), float(values[i])) for i in here]
    if kind < 0.3 and rows:
        arrival, _, at, value = rows[0]
        rows[0] = (arrival, name, at, value + 1.0)
        rows.append((arrival + (25 + disorder) * HOUR, name, at, value))
    return rows


def _hours(calendar: Calendar, day: int) -> I64:
    """The hours of a local date's window, none for a date that does not exist."""
    number = np.array([day], np.int64)
    start = calendar.starts(number)
    return calendar.hours(day).instants if calendar.days(start)[0] == day else np.empty(0, np.int64)


def _again(row: Row, random: np.random.Generator, disorder: int) -> Row:
    """The same hour once more: a repeat, or a correction."""
    arrival, name, at, value = row
    value = value if random.random() < 0.5 else float(random.choice([value, 0.0, -0.0, value + 1, 5.0]))
    return (arrival + random.random() * (disorder + 12) * HOUR, name, at, value)
