"""What is published: real days as many zones, with what goes wrong at a publisher, by the seed, without end."""

import csv
import heapq
import itertools
import json
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from season import instants
from season.calendar import HOUR, Calendar
from season.kafka import murmur2_partition
from tests.integration.world import ROOT

ROME = Calendar("Europe/Rome")
ZONES_EACH = 4  # in each partition
Message = dict[str, Any]  # as `produce` takes it


def messages(seed: int, partitions: int) -> Iterator[Message]:
    """Messages in the order in which a publisher would send them, for ever."""
    chance = random.Random(seed)
    for generation in itertools.count():
        arrivals: list[tuple[float, int, Message]] = []
        number = itertools.count()
        zones = _zones(generation, partitions)
        for at, load in _hours(chance):
            for scale, zone in enumerate(zones, 1):
                for arrival, message in _hour(chance, zone, at, load * scale / 7):
                    heapq.heappush(arrivals, (arrival, next(number), message))
            while arrivals and arrivals[0][0] <= at:
                yield heapq.heappop(arrivals)[2]
        while arrivals:
            yield heapq.heappop(arrivals)[2]


def reading(zone: str, at: int, demand: float) -> Message:
    """A message that is a reading."""
    value = json.dumps({"zone": zone, "timestamp": instants.format(at), "demand_mw": demand})
    return {"key": zone.encode(), "value": value.encode()}


def altered(message: Message) -> Message:
    """Another reading in the place of this one: for a transaction that is aborted, so that whoever takes it errs."""
    try:
        value = json.loads(message["value"])
        return {**message, "value": json.dumps(value | {"demand_mw": value["demand_mw"] + 5000.0}).encode()}
    except (TypeError, ValueError):
        return message  # it is no reading


def _zones(generation: int, partitions: int) -> list[str]:
    """Names of which each partition gets as many as the others."""
    found: dict[int, list[str]] = {partition: [] for partition in range(partitions)}
    for name in (f"zone-{generation}.{number}-è" for number in itertools.count()):
        of = found[murmur2_partition(name.encode(), partitions)]
        if len(of) < ZONES_EACH:
            of.append(name)
        if all(len(names) == ZONES_EACH for names in found.values()):
            break
    return [name for names in zip(*found.values(), strict=True) for name in names]


def _hours(chance: random.Random) -> list[tuple[int, float]]:
    """The real hours of Italy, from some day on that is at least a year before their end."""
    with (ROOT / "data" / "italy_load_2015_2021.csv").open() as file:
        rows = [(instants.parse(stamp), float(load)) for stamp, load in list(csv.reader(file))[1:]]
    return rows[chance.randrange(len(rows) - 366 * 24) :]


def _hour(chance: random.Random, zone: str, at: int, load: float) -> Iterator[tuple[float, Message]]:
    """When messages of one hour of one zone arrive, on the clock of the readings, and what they are."""
    if chance.random() < 0.004:
        return
    day = int(ROME.days(np.array([at]))[0])
    value = 777.0 if _flat(zone, day) else load
    arrival = at + chance.random() * 20 * HOUR
    yield arrival, reading(zone, at, value)
    if chance.random() < 0.03:
        again = value if chance.random() < 0.5 else value + 1.0
        yield arrival + chance.random() * 40 * HOUR, reading(zone, at, again)
    if chance.random() < 0.004:
        yield at + (60 + chance.random() * 60) * HOUR, reading(zone, at, value + 2.0)  # late
    if chance.random() < 0.01:
        yield arrival, _wrong(chance, zone, at, value)


def _flat(zone: str, day: int) -> bool:
    """Whether all hours of the day are equal in this zone, as a broken meter's are."""
    return (day + sum(zone.encode())) % 29 == 0


def _wrong(chance: random.Random, zone: str, at: int, value: float) -> Message:
    right = reading(zone, at, value)
    return chance.choice(
        [
            {**right, "value": chance.randbytes(chance.randrange(60))},
            {**right, "value": None},
            {**right, "value": right["value"][:-3], "headers": [("trace", b"\xff"), ("trace", None)]},
            {**right, "key": b"another zone"},
            {**right, "key": None},
            reading(zone, at + 1800, value),
            reading(zone, 4_000_000_000 // HOUR * HOUR, value),
        ]
    )
