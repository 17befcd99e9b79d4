"""Reads partitions' changelogs back, a part at each call, so that other partitions go on flowing meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consumer.adapters.asked import Asked, Inquirer
from consumer.adapters.logs import client_logger
from consumer.core.changelog import Changelog
from consumer.core.record import DamagedError, Origin
from consumer.core.replay import Replay
from consumer.core.state import State
from season.calendar import Calendar
from season.client.consumer import BEGINNING, PartitionEvent, TopicConsumer, consumer_client
from season.client.message import KafkaMessage
from season.kafka import groupless, merged_properties, refuse_reader
from season.settings import SettingError

READER: dict[str, Any] = {
    "group.id": "none",  # the client wants one; no group is joined, and no offset committed
    "enable.auto.commit": False,
    "isolation.level": "read_committed",
    "enable.partition.eof": True,
    "auto.offset.reset": "earliest",
    "allow.auto.create.topics": False,
    # Default 500 ms: how long the broker waits for more before it says that a partition has ended.
    "fetch.wait.max.ms": 10,
}
"""The properties of a client that reads a changelog and belongs to no group."""
_READ: dict[str, Any] = {
    **READER,
    "fetch.queue.backoff.ms": 1,
    "queued.max.messages.kbytes": 16 * 1024,
    # Default 50 MiB: what one fetch of many partitions' changelogs may add to that, before it is unpacked.
    "fetch.max.bytes": 4 * 1024 * 1024,
}
_BATCH = 200


@dataclass
class Restored:
    """What a changelog partition held, and what the broker says of the readings.

    The state, where it belongs (None where the changelog held nothing) and how the changelog goes on; the group's
    offset (None where it has none), the first offset that is left of the readings and the next one.
    """

    state: State
    origin: Origin | None
    changelog: Changelog
    committed: int | None
    bounds: tuple[int, int]


class _Reading:
    """The restore of one partition.

    The order of the questions matters. A transaction of the partition's owner of before may be open, with offsets
    that the broker has taken and records that it has not got yet. Once the group's offset is stable, each such
    transaction has ended; the changelog's end that is asked for after that lies behind its records, and no other
    can come: the group has a new generation.

    The readings' bounds are asked for last, when no more records are taken. A member that stands still here for a
    while may read on what another has written for the same partition since; bounds of before would not fit it.
    """

    def __init__(self, calendar: Calendar, broker: Inquirer, partition: int) -> None:
        self.replay = Replay(calendar)
        self.committed = broker.committed(partition)
        self._broker, self._partition = broker, partition
        self._end: Asked[int] | None = None
        self._bounds: tuple[Asked[int], Asked[int]] | None = None
        self.position = 0
        self.reached = -1

    def apply(self, message: KafkaMessage) -> None:
        """Apply one record to the state. Raises DamagedError."""
        if self._bounds is None:
            self.replay.apply(message.key(), message.value())

    def end(self) -> int | None:
        """Ask for the changelog's end, and return it; None until the broker has answered. Raises RefusedError."""
        if not self.committed.answered():
            return None
        if self._end is None:
            self._end = self._broker.changelog_end(self._partition)
        return self._end.value if self._end.answered() else None

    def left(self) -> int:
        """Return how many offsets of the changelog are still to be read; 0 while its end is not known."""
        return max(0, (self.end() or 0) - self.position)

    def result(self) -> Restored | None:
        """Return what was restored, None while the changelog is not read to its end. RefusedError, DamagedError."""
        if self._bounds is None:
            end = self.end()
            # The end of what is committed; the end that counts lies behind the open transactions of the dead too.
            if end is None or self.reached < end:
                return None
            self._bounds = self._broker.first(self._partition), self._broker.end(self._partition)
        answered = [question.answered() for question in self._bounds]
        if not all(answered):
            return None
        low, high = self._bounds
        changelog = self.replay.finish()
        return Restored(
            self.replay.state, self.replay.origin, changelog, self.committed.value, (low.value, high.value)
        )


class Restorer:
    """Reads changelog partitions to their ends. Not for use by several threads."""

    def __init__(self, environ: Mapping[str, str], broker: Inquirer, topic: str, calendar: Calendar) -> None:
        properties = groupless(merged_properties(consumer_client, environ, _READ))
        self._consumer = TopicConsumer({**properties, "logger": client_logger()}, topic)
        self._broker = broker
        self._topic = topic
        self._calendar = calendar
        self._readings: dict[int, _Reading] = {}
        # Asked for once, the topic's leaders are known; else the first assignment waits a second for them.
        self._consumer.partitions(10.0)

    @property
    def partitions(self) -> set[int]:
        """Return the partitions that are being restored."""
        return set(self._readings)

    def begin(self, partition: int) -> None:
        """Begin to restore a partition, from the start of its changelog. Raises ClientError."""
        self.drop(partition)
        self._consumer.add({partition: BEGINNING})
        self._readings[partition] = _Reading(self._calendar, self._broker, partition)

    def drop(self, partition: int) -> None:
        """Stop restoring a partition. Nothing happens where it is not being restored."""
        if self._readings.pop(partition, None) is not None:
            self._consumer.remove([partition])

    def proceed(self, wait: float) -> dict[int, Restored]:
        """Read on, and return the partitions that are restored now; wait for records for at most `wait` seconds.

        Raises RefusedError, and SettingError where a changelog is damaged.
        """
        batch = self._consumer.poll(wait, _BATCH)
        for message in batch.messages:
            self._apply(message)
        for event in batch.events:
            self._note(event)
        found = {partition: self._result(partition) for partition in self._readings}
        result = {partition: restored for partition, restored in found.items() if restored is not None}
        for partition in result:
            self.drop(partition)
        return result

    def left(self) -> dict[int, int]:
        """Return how many offsets of each partition's changelog are still to be read, 0 for an unknown end."""
        return {partition: reading.left() for partition, reading in self._readings.items()}

    def close(self) -> None:
        """Close the client."""
        self._consumer.close()

    def _apply(self, message: KafkaMessage) -> None:
        partition, offset = message.partition() or 0, message.offset() or 0
        reading = self._readings.get(partition)
        if reading is None:
            return
        try:
            reading.apply(message)
        except DamagedError as damage:
            raise self._damaged(partition, f"offset {offset}: {damage}") from None
        reading.position = offset + 1

    def _note(self, event: PartitionEvent) -> None:
        reading = self._readings.get(event.partition)
        if reading is None:
            return
        refuse_reader([event.error])
        if event.is_end:
            reading.reached = event.offset

    def _result(self, partition: int) -> Restored | None:
        try:
            return self._readings[partition].result()
        except DamagedError as damage:
            raise self._damaged(partition, str(damage)) from None

    def _damaged(self, partition: int, what: str) -> SettingError:
        return SettingError(
            f"CHANGELOG_TOPIC={self._topic!r}: partition {partition} is no changelog that this program can go on "
            f"from: {what}. Take a new CONSUMER_GROUP (and so a new changelog), and new topics for predictions and "
            "dead letters, to read everything anew"
        )
