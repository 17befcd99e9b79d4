"""A few days of readings in which all that can happen to one is common, few enough to be read a hundred times."""

import json
import random
from collections.abc import Iterator

from season import instants
from season.calendar import HOUR
from season.kafka import murmur2_partition
from tests.consumer.loop.world import PARTITIONS, Message

_FIRST = instants.parse("2021-05-31T22:00:00Z")
_FAR = 4_000_000_000 // HOUR * HOUR  # behind any wall clock here


def readings(seed: int = 0, days: int = 3) -> list[Message]:
    """Return days of a zone in each partition, in the order of their arrival.

    With gaps, repeats, corrections, late ones, those from the future, and messages that are no readings.
    """
    chance = random.Random(seed)
    arrivals = [arrival for zone in _zones() for arrival in _of_zone(chance, zone, days)]
    return [message for _, message in sorted(arrivals, key=lambda arrival: arrival[0])]


def altered(message: Message) -> Message:
    """Return another reading in the place of this one: of an aborted transaction, so that who reads it errs."""
    try:
        value = json.loads(message["value"])
    except ValueError:
        return message  # it is no reading
    return {**message, "value": json.dumps(value | {"demand_mw": value["demand_mw"] + 5000.0}).encode()}


def _zones() -> list[str]:
    names = [f"zone {number}" for number in range(20)]
    return [next(n for n in names if murmur2_partition(n.encode(), PARTITIONS) == p) for p in range(PARTITIONS)]


def _of_zone(chance: random.Random, zone: str, days: int) -> Iterator[tuple[float, Message]]:
    """Yield when messages arrive, in the readings' own time, and what they are."""
    for hour in range(days * 24):
        at = _FIRST + hour * HOUR
        value = 20_000.0 + chance.random() * 10_000
        arrival = at + chance.random() * 5 * HOUR
        if chance.random() > 0.01:
            yield arrival, _reading(zone, at, value)
        if chance.random() < 0.05:
            yield arrival + chance.random() * 30 * HOUR, _reading(zone, at, chance.choice([value, value + 1]))
        if chance.random() < 0.02:
            yield arrival, _reading(zone, _FAR, value)
        if chance.random() < 0.02:
            yield arrival, {"key": zone.encode(), "value": b"no reading"}
        if chance.random() < 0.02:
            yield at + 60 * HOUR, _reading(zone, at, value)  # late


def _reading(zone: str, at: int, value: float) -> Message:
    text = json.dumps({"zone": zone, "timestamp": instants.format(at), "demand_mw": value})
    return {"key": zone.encode(), "value": text.encode()}
