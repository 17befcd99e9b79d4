"""Readings that keep coming, one for each partition at a time, and how long the service let a partition wait."""

import itertools
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import Producer

from season.calendar import HOUR
from season.kafka import murmur2_partition
from tests.integration.test_service import reading
from tests.integration.world import World

_FIRST = 1_609_459_200  # 2021-01-01T00:00Z


def zones(partitions: int) -> list[str]:
    """A zone for each partition, in their order."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < partitions:
        found.setdefault(murmur2_partition(f"zone-{number}".encode(), partitions), f"zone-{number}")
        number += 1
    return [found[partition] for partition in range(partitions)]


@contextmanager
def traffic(world: World, every: float = 0.05) -> Iterator[None]:
    """Publishes the next hour of a zone of each partition, again and again, while the context lasts."""
    ended = threading.Event()
    names = zones(world.partitions)
    producer = Producer({"bootstrap.servers": world.servers, "partitioner": "murmur2_random", "linger.ms": 0})

    def publish() -> None:
        hour = 0
        while not ended.wait(every):
            for name in names:
                message = reading(name, _FIRST + hour * HOUR, 20_000.0 + 100.0 * (hour % 24))
                producer.produce(world.environ["READINGS_TOPIC"], **message)
            producer.poll(0)
            hour += 1

    thread = threading.Thread(target=publish, daemon=True, name="traffic")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        assert producer.flush(60) == 0


def gaps(world: World, since: float, until: float) -> list[float]:
    """For each partition the longest time between two instants, in seconds, in which nothing of it was committed."""
    longest = []
    for log in world.log("CHANGELOG_TOPIC"):
        times = [since, *sorted({message.time for message in log if since < message.time < until}), until]
        longest.append(max(after - before for before, after in itertools.pairwise(times)))
    return longest


def tell(what: str, world: World, since: float) -> list[float]:
    """The longest stops of the partitions from an instant on, printed (`pytest -s` shows them)."""
    stopped = gaps(world, since, time.time())
    shown = ", ".join(f"{seconds:.2f}" for seconds in stopped)
    sys.stdout.write(f"{what}: partitions stood still for {shown} s\n")
    return stopped


def went_on(world: World, since: float) -> set[int]:
    """The partitions of which something was committed since then."""
    logs = world.log("CHANGELOG_TOPIC")
    return {partition for partition, log in enumerate(logs) if log and log[-1].time > since}
