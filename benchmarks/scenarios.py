"""The readings of each benchmark, as data: what is published, and what must come out of it.

A scenario is an endless stream of parts. Each part carries its messages and says to how many predictions and dead
letters they lead, so nobody has to know afterwards what was published.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from season import instants
from season.calendar import DAY, HOUR, Calendar

START = 1577836800
"""2020-01-01T00:00:00Z."""

Message = tuple[bytes, bytes]  # key and value


@dataclass(frozen=True)
class Part:
    """Messages that are published together, and what they lead to once all before them were read."""

    messages: list[Message]
    predictions: int = 0
    letters: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Scenario:
    """Readings of so many zones; each repeat of a benchmark publishes the next `repeat_parts` parts."""

    name: str
    parts_of: Callable[[Sequence[bytes]], Iterator[Part]]
    repeat_parts: int
    warm_up_parts: int = 24
    zones: int = 2000
    partitions: int = 4
    time_zone: str = "UTC"
    zone_name: Callable[[int], bytes] = b"zone-%06d".__mod__

    def parts(self) -> Iterator[Part]:
        """Return all parts from the first one on."""
        return self.parts_of([self.zone_name(number) for number in range(self.zones)])


def steady(zones: Sequence[bytes]) -> Iterator[Part]:
    """Yield the next hour of every zone."""
    for hour in count():
        messages = [_reading(number, zone, hour) for number, zone in enumerate(zones)]
        yield Part(messages, predictions=len(zones) if hour % 24 == 23 else 0)


def staggered(zones: Sequence[bytes]) -> Iterator[Part]:
    """Yield the next hour of every zone, while each 24th zone is at the same hour: it completes its day.

    The first part brings zone after zone to its hour.
    """
    yield Part([_reading(n, zone, hour) for hour in range(24) for n, zone in enumerate(zones) if hour < n % 24])
    for sweep in count():
        messages = [_reading(number, zone, number % 24 + sweep) for number, zone in enumerate(zones)]
        yield Part(messages, predictions=sum((number + sweep) % 24 == 23 for number in range(len(zones))))


def shuffled(zones: Sequence[bytes]) -> Iterator[Part]:
    """Yield two days of every zone in any order: with a day of grace none of it is late."""
    random = np.random.default_rng(0)
    for first in count(step=48):
        messages = [_reading(n, zone, hour) for hour in range(first, first + 48) for n, zone in enumerate(zones)]
        yield Part([messages[i] for i in random.permutation(len(messages))], predictions=2 * len(zones))


def corrected(zones: Sequence[bytes]) -> Iterator[Part]:
    """Yield the next hour of every zone, 5 % of it twice, and corrections of 5 % of the hour six hours before.

    A correction of a window that was scored has it scored again.
    """
    for hour, part in enumerate(steady(zones)):
        corrected_hour = hour - 6
        repeats = [m for number, m in enumerate(part.messages) if (number + hour) % 20 == 3]
        corrections = [
            _reading(number, zone, corrected_hour, more=1000)
            for number, zone in enumerate(zones)
            if corrected_hour >= 0 and (number + corrected_hour) % 20 == 13
        ]
        scored_before = hour % 24 == 23 or corrected_hour // 24 < hour // 24
        again = len(corrections) if scored_before else 0
        yield Part([*part.messages, *repeats, *corrections], part.predictions + again)


def refused(zones: Sequence[bytes]) -> Iterator[Part]:
    """Yield the next hour of every zone and, for each 100th reading, one that is refused, for each reason in turn."""
    for hour, part in enumerate(steady(zones)):
        wrong: list[Message] = []
        letters: Counter[str] = Counter()
        for number in range(-hour % 100, len(zones), 100):
            reason, spoiled = _REFUSALS[(number + hour) // 100 % len(_REFUSALS)]
            wrong.append(spoiled(number, zones[number], hour))
            letters[reason] += 1
        yield Part(part.messages + wrong, part.predictions, letters)


_REFUSALS: list[tuple[str, Callable[[int, bytes, int], Message]]] = [
    ("malformed", lambda number, zone, hour: (zone, _reading(number, zone, hour)[1][:-1])),
    ("bad_timestamp", lambda number, zone, hour: (zone, _value(zone, START + HOUR * hour + 1800, 20_000))),
    ("key_mismatch", lambda number, zone, hour: (b"another zone", _reading(number, zone, hour)[1])),
    ("future_reading", lambda number, zone, hour: (zone, _value(zone, 32_503_680_000, 20_000))),  # the year 3000
    # Its window has ended: the zone's reading of this hour, nine days later, is read before it.
    ("late", lambda number, zone, hour: (zone, _value(zone, START + HOUR * hour - 9 * DAY, 20_000))),
]


def clock_change(hours: int) -> Callable[[Sequence[bytes]], Iterator[Part]]:
    """Return the scenario of Rome's days of so many hours alone, year after year, for all zones at once."""

    def parts(zones: Sequence[bytes]) -> Iterator[Part]:
        calendar = Calendar("Europe/Rome")
        first = int(calendar.days(np.array([0]))[0]) + 1
        days = np.arange(first, first + 50 * 365)
        for day in days[calendar.counts(days) == hours].tolist():
            for hour, instant in enumerate(calendar.hours(day).instants.tolist()):
                messages = [(z, _value(z, instant, _demand(n, hour))) for n, z in enumerate(zones)]
                yield Part(messages, predictions=len(zones) if hour == hours - 1 else 0)

    return parts


def first_readings(split: int) -> Callable[[Sequence[bytes]], Iterator[Part]]:
    """Return parts that open a window of the first `split` zones, of the others, and then a second one of each."""

    def parts(zones: Sequence[bytes]) -> Iterator[Part]:
        readings = [_reading(number, zone, 0) for number, zone in enumerate(zones)]
        yield Part(readings[:split])
        yield Part(readings[split:])
        yield Part([_reading(number, zone, 24) for number, zone in enumerate(zones)])

    return parts


def long_name(number: int) -> bytes:
    """Return a name of 200 bytes, which are all that a zone's name may have, most of them not ASCII."""
    words = ("Überlandwerk Köln · Αττική · Київ · 東京電力 · " * 6).encode()[:192].decode(errors="ignore").encode()
    return words.ljust(193, b".") + b"-%06d" % number


def _reading(number: int, zone: bytes, hour: int, more: int = 0) -> Message:
    """Return a zone's reading of an hour since the start."""
    return zone, _value(zone, START + HOUR * hour, _demand(number, hour) + more)


def _demand(number: int, hour: int) -> int:
    return 20_000 + 7 * (number % 1000) + 900 * abs(12 - hour % 24)


def _value(zone: bytes, instant: int, demand: int) -> bytes:
    return b'{"zone":"%b","timestamp":"%b","demand_mw":%d.5}' % (zone, _stamp(instant), demand)


def _stamp(instant: int) -> bytes:
    """Return the timestamp of an instant; each is formatted once, since all zones have it."""
    stamp = _stamps.get(instant)
    if stamp is None:
        stamp = _stamps[instant] = instants.format(instant).encode()
    return stamp


_stamps: dict[int, bytes] = {}

BACKLOG = Scenario("3,360,000 readings, 2,000 zones, 4 partitions", steady, repeat_parts=1680)

HARD = [
    Scenario("100,000 zones, hour after hour", staggered, repeat_parts=5, warm_up_parts=1, zones=100_000),
    Scenario("shuffled within the grace period", shuffled, repeat_parts=5, warm_up_parts=1),
    Scenario("5 % repeats, 5 % corrections", corrected, repeat_parts=240),
    Scenario("1 % refused, for five reasons", refused, repeat_parts=240),
    Scenario("names of 200 bytes, not ASCII", steady, repeat_parts=240, zone_name=long_name),
    Scenario("a day of 23 hours, 20,000 zones", clock_change(23), 23, 23, zones=20_000, time_zone="Europe/Rome"),
    Scenario("a day of 25 hours, 20,000 zones", clock_change(25), 25, 25, zones=20_000, time_zone="Europe/Rome"),
    Scenario("32 partitions", steady, repeat_parts=240, partitions=32),
]

SMALL = Scenario("240,000 readings, 2,000 zones, 4 partitions", steady, repeat_parts=120)

LIGHT_LOAD = Scenario("a light load", staggered, repeat_parts=1, warm_up_parts=1, zones=240)

KNOWN_ZONES = 250_000
OPEN_WINDOWS = Scenario("open windows", first_readings(KNOWN_ZONES), repeat_parts=1, warm_up_parts=0, zones=500_000)

STAGES = Scenario("960,000 readings, 2,000 zones, 4 partitions", steady, repeat_parts=480)
