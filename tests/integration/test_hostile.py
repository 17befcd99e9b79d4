"""What a publisher can put on the topic to stop the stream, on a real broker: nothing does."""

import time
from collections.abc import Set
from pathlib import Path
from typing import Any

import numpy as np

from kafka_local import Broker
from season.calendar import HOUR
from tests.integration.batches import bomb, mute, send, wild
from tests.integration.oracle import Logged
from tests.integration.test_service import ROME, check, reading
from tests.integration.world import World, wait

START = int(ROME.starts(np.array([18779]))[0])  # 2021-06-01
ZONES = ["IT", "FR", "DE", "ES", "PL"]
# A client that unpacks no more than 2 MB fails at once on what the usual one takes 100 MB to fail on.
SMALL = {"KAFKA_FETCH_MAX_BYTES": "1000000", "KAFKA_RECEIVE_MESSAGE_MAX_BYTES": "2000000"}


class Hostile(World):
    """A world with batches that the service's client cannot unpack."""

    def __init__(self, servers: str, partitions: int = 2) -> None:
        super().__init__(servers, partitions)
        self.unreadable: set[tuple[int, int]] = set()

    def bomb(self, partition: int, count: int, size: int = 4_000_000) -> None:
        """Sends a batch of `count` records, a few kilobytes of zstd that unpack to `size` bytes."""
        first = send(self.servers, self.environ["READINGS_TOPIC"], partition, bomb(count, size))
        self.unreadable |= {(partition, first + place) for place in range(count)}

    def mute(self, partition: int, before: int, count: int) -> None:
        """Sends a batch with records that a client stands still before, without a word, behind good ones."""
        first = send(self.servers, self.environ["READINGS_TOPIC"], partition, mute(before, count))
        self.unreadable |= {(partition, first + before + place) for place in range(count)}

    def log(self, setting: str, unreadable: Set[tuple[int, int]] = frozenset()) -> list[list[Logged]]:
        """The log as the service must take it."""
        return super().log(setting, self.unreadable if setting == "READINGS_TOPIC" else unreadable)

    def letters(self) -> list[dict[str, str]]:
        """The headers of all dead letters, by partition and offset of what they are of."""
        headers = [
            {name: (value or b"").decode() for name, value in m.headers} for m in self.flat("DEAD_LETTER_TOPIC")
        ]
        return sorted(headers, key=lambda h: (int(h["source.partition"]), int(h["source.offset"])))


def day(start: int = START) -> list[dict[str, Any]]:
    """A day of all zones, hour by hour."""
    return [reading(zone, start + hour * HOUR, 100.0 + hour) for hour in range(24) for zone in ZONES]


def test_a_batch_that_cannot_be_unpacked_costs_its_messages_alone(broker: Broker, tmp_path: Path) -> None:
    """Kilobytes of zstd that unpack to 150 MB: a letter for each offset, what stands around them is scored."""
    world = Hostile(broker.bootstrap_servers)
    messages = day()
    world.publish(messages[:50])
    world.bomb(1, 300, 150_000_000)
    world.publish(messages[50:])
    with world.service(tmp_path) as service:
        world.wait_until_read()
        metrics = service.metrics()
        assert service.stop() == 0
        assert len(service.events()) < 20  # not a line for each offset
    expected = check(world)
    assert {zone: len(rows) for zone, rows in expected.predictions.items()} == dict.fromkeys(ZONES, 1)
    assert metrics["season_readings_total"] == len(messages) + 300
    assert metrics['season_dead_letters_total{reason="malformed"}'] == 300
    assert metrics["season_lag_messages"] == 0
    topic = world.environ["READINGS_TOPIC"]
    assert [letter["error"] for letter in world.letters()] == [
        f"the message at offset {offset} of partition 1 of {topic} cannot be unpacked or parsed by the Kafka client"
        for _, offset in sorted(world.unreadable)
    ]


def test_a_record_before_which_a_client_stands_still_is_passed_over(broker: Broker, tmp_path: Path) -> None:
    """A length below -1, which the broker lets pass, and of which the client says nothing: a letter each."""
    world = Hostile(broker.bootstrap_servers)
    messages = day()
    world.publish(messages[:50])
    world.mute(0, 2, 3)
    world.publish(messages[50:])
    world.mute(1, 0, 1)  # the last that there is
    with world.service(tmp_path) as service:
        world.wait_until_read()
        assert service.metrics()["season_lag_messages"] == 0
        assert service.stop() == 0
    expected = check(world)
    assert {zone: len(rows) for zone, rows in expected.predictions.items()} == dict.fromkeys(ZONES, 1)
    assert len(world.letters()) == 2 + 3 + 1


def test_records_that_lie_about_their_offsets_lose_no_others(broker: Broker, tmp_path: Path) -> None:
    """Neither what comes behind them, nor the place from which the next start goes on."""
    world = Hostile(broker.bootstrap_servers)
    messages = day()
    for start in range(0, len(messages), 20):
        world.publish(messages[start : start + 20])
        for partition in range(2):
            send(broker.bootstrap_servers, world.environ["READINGS_TOPIC"], partition, wild(7, 3, 2**30))
    for _ in range(2):
        with world.service(tmp_path) as service:
            service.ready()
            world.wait_until_read()
            wait(lambda: service.metrics()["season_lag_messages"] == 0, 10, "the lag is not 0")
            assert service.stop() == 0
        world.publish(day(START + 86400))
    with world.service(tmp_path) as service:
        world.wait_until_read()
        assert service.stop() == 0
    expected = check(world)
    assert {zone: len(rows) for zone, rows in expected.predictions.items()} == dict.fromkeys(ZONES, 2)


def test_unreadable_batches_under_kills(broker: Broker, tmp_path: Path) -> None:
    """Killed again and again among batches that cannot be unpacked: each of their offsets has one letter."""
    world = Hostile(broker.bootstrap_servers)
    messages = day()
    for place, count in enumerate([1, 30, 2, 60]):
        world.publish(messages[place * 30 : (place + 1) * 30])
        world.bomb(place % 2, count)
        world.bomb(0, count)
    for seconds in (1.0, 1.5, 2.0):
        with world.service(tmp_path, INSTANCE_ID="one", **SMALL) as service:
            service.ready()
            time.sleep(seconds)
            service.kill()
    with world.service(tmp_path, INSTANCE_ID="one", **SMALL) as service:
        world.wait_until_read(120)
        assert service.stop() == 0
    expected = check(world)
    assert {zone: len(rows) for zone, rows in expected.predictions.items()} == dict.fromkeys(ZONES, 1)
    letters = [(int(letter["source.partition"]), int(letter["source.offset"])) for letter in world.letters()]
    assert letters == sorted(world.unreadable)
