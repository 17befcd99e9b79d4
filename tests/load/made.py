"""Readings made by a formula, so that what must come out of hundreds of millions is known without keeping them.

Every zone has a reading for each hour of the days 0, 1, 2 … in UTC, in an order that is disturbed a little. Some are
repeated, some are corrected once their day was scored, and some come two days too late.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle

import numpy as np

from season import instants
from season.calendar import DAY, HOUR

START = 31_536_000
"""The first instant, 1971-01-01: half a million hours of each zone lie before the wall clock."""

_SHAPE = [0, 1, 1, 2, 3, 5, 8, 13, 16, 17, 18, 18, 17, 16, 16, 16, 17, 19, 20, 19, 15, 11, 6, 3]
_CORRECTION = 1000

Message = tuple[bytes, bytes]


@dataclass(frozen=True)
class Totals:
    """What the first days of all zones come to."""

    messages: int
    predictions: int
    repeats: int
    corrections: int
    late: int


def day_of(zones: int, day: int) -> Iterator[list[Message]]:
    """The messages (key and value) of a day of all zones: a part for each hour, and one of corrections."""
    names = [_name(zone) for zone in range(zones)]
    for place in range(24):
        # Every second zone sends each pair of hours the wrong way round.
        hours = (place, place ^ 1)
        stamps = [_stamp(day, hour) for hour in hours]
        values = [_demand(0, day, hour) for hour in hours]
        part = [
            (
                name,
                b'{"zone":"%s","timestamp":"%s","demand_mw":%d.5}' % (name, stamps[odd], values[odd] + zone % 1000),
            )
            for (zone, name), odd in zip(enumerate(names), cycle((0, 1)), strict=False)
        ]
        if place == 1 and day >= 3:
            part += [_message(zone, day - 3, 5, 7) for zone in range(zones) if late(zone, day)]
        if place == 7:
            part += [part[zone] for zone in range(zones) if repeated(zone, day)]
        yield part
    yield [_message(zone, day, 12, _CORRECTION) for zone in range(zones) if corrected(zone, day)]


def steps(zone: int, day: int, revision: int) -> list[float]:
    """What a prediction must have as its steps."""
    values = [_demand(zone, day, hour) + 0.5 for hour in range(24)]
    values[12] += _CORRECTION * revision
    return values


def repeated(zone: int, day: int) -> bool:
    """Whether one of the day's readings comes twice."""
    return (zone + day) % 10 == 0


def corrected(zone: int, day: int) -> bool:
    """Whether one of the day's readings is corrected after the day was scored, which scores it once more."""
    return (zone + day) % 20 == 3


def late(zone: int, day: int) -> bool:
    """Whether a reading of three days before comes on this day (none does on the first three)."""
    return (zone + day) % 50 == 7


def totals(zones: int, days: int) -> Totals:
    """What the first days come to."""
    corrections = _count(corrected, zones, range(days))
    repeats = _count(repeated, zones, range(days))
    behind = _count(late, zones, range(3, days))
    return Totals(
        messages=24 * zones * days + corrections + repeats + behind,
        predictions=zones * days + corrections,
        repeats=repeats,
        corrections=corrections,
        late=behind,
    )


def number(name: bytes) -> int:
    """The number of a zone from its name."""
    return int(name[5:])


def _name(zone: int) -> bytes:
    return b"zone-%06d" % zone


def _stamp(day: int, hour: int) -> bytes:
    return instants.format(START + day * DAY + hour * HOUR).encode()


def _demand(zone: int, day: int, hour: int) -> int:
    """Whole megawatts; half a megawatt is added in the message."""
    return 20_000 + zone % 1000 + 10 * (day % 100) + 500 * _SHAPE[hour]


def _message(zone: int, day: int, hour: int, more: int) -> Message:
    name, demand = _name(zone), _demand(zone, day, hour) + more
    return name, b'{"zone":"%s","timestamp":"%s","demand_mw":%d.5}' % (name, _stamp(day, hour), demand)


def _count(true: Callable[[int, int], bool], zones: int, days: range) -> int:
    """For how many zones and days it is true; all of the rules above come round every 100 zones."""
    alike = np.bincount(np.arange(zones) % 100, minlength=100).tolist()
    return sum(count for day in days for zone, count in enumerate(alike) if count and true(zone, day))
