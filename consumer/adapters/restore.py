"""Reads partitions' changelogs back, a bit at each call, so that other partitions go on flowing meanwhile."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from consumer.adapters.logs import client_logger
from consumer.core.changelog import Changelog, number
from consumer.core.record import DamagedError, Place, decode
from consumer.core.state import State
from season.calendar import Calendar
from season.kafka import beside
from season.settings import SettingError

_READ: dict[str, Any] = {
    "group.id": "none",  # the client wants one; no group is joined, and no offset committed
    "enable.auto.commit": False,
    "isolation.level": "read_committed",
    "enable.partition.eof": True,
    "auto.offset.reset": "earliest",
    "allow.auto.create.topics": False,
    "fetch.queue.backoff.ms": 1,
    # Default 500 ms: how long the broker waits for more before it says that a partition has ended.
    "fetch.wait.max.ms": 10,
    "queued.max.messages.kbytes": 16 * 1024,
}
_BATCH = 200
_GROUP_ONLY = ("group.protocol", "group.instance.id", "session.timeout.ms", "heartbeat.interval.ms")


@dataclass
class Restored:
    """What a changelog partition held: the state, where it belongs (None where it held nothing), how to go on."""

    state: State
    place: Place | None
    changelog: Changelog


class _Reading:
    """One partition on its way."""

    def __init__(self, calendar: Calendar, end: int) -> None:
        self.state = State(calendar)
        self.end = end
        self.place: Place | None = None
        self.first: int | None = None
        self.gone = -1
        self.last = -1
        self.records = 0

    def take(self, message: Message) -> None:
        """One record. Raises DamagedError."""
        at, value = number(message.key()), message.value()
        if at is None:
            raise DamagedError("its key is no record's number")
        if value is None:
            self.gone = max(self.gone, at)
            return
        changes, self.place = decode(value)
        self.state.apply(changes)
        self.first = at if self.first is None else self.first
        self.last = max(self.last, at)
        self.records += 1

    def finish(self) -> Restored:
        """What it comes to. Raises DamagedError."""
        if "" in self.state.names:
            raise DamagedError("the names of some zones are missing: a part of it is gone")
        oldest = max(self.gone + 1, self.first or 0)
        return Restored(self.state, self.place, Changelog(oldest, max(self.last, self.gone) + 1))


class Restorer:
    """Reads changelog partitions to their ends. Not for use by several threads."""

    def __init__(self, environ: Mapping[str, str], admin: AdminClient, topic: str, calendar: Calendar) -> None:
        kept = {name: value for name, value in beside(Consumer, environ, _READ).items() if name not in _GROUP_ONLY}
        self._consumer = Consumer({**kept, "logger": client_logger()})
        self._admin = admin
        self._topic = topic
        self._calendar = calendar
        self._readings: dict[int, _Reading] = {}
        # Asked for once, the topic's leaders are known; else the first assignment waits a second for them.
        self._consumer.list_topics(topic, timeout=10.0)

    @property
    def partitions(self) -> set[int]:
        """The partitions that are being restored."""
        return set(self._readings)

    def begin(self, partition: int) -> None:
        """Starts to restore a partition, from the beginning. KafkaException."""
        self.drop(partition)
        self._readings[partition] = _Reading(self._calendar, self._end(partition))
        self._consumer.incremental_assign([TopicPartition(self._topic, partition, OFFSET_BEGINNING)])

    def drop(self, partition: int) -> None:
        """Forgets a partition, where it is being restored."""
        if self._readings.pop(partition, None) is not None:
            self._consumer.incremental_unassign([TopicPartition(self._topic, partition)])

    def proceed(self, wait: float) -> dict[int, Restored]:
        """Reads on for a moment; the partitions that are whole now. SettingError where one is damaged."""
        whole: dict[int, Restored] = {}
        first = self._consumer.poll(wait)
        if first is None:
            return whole
        for message in [first, *self._consumer.consume(_BATCH, 0)]:
            partition = message.partition()
            assert partition is not None
            if partition in self._readings and self._take(partition, message):
                whole[partition] = self._finish(partition)
        return whole

    def look_again(self) -> None:
        """Asks anew who leads the topic's partitions: what the client remembers may be of before a crash."""
        with contextlib.suppress(KafkaException):
            self._admin.list_topics(timeout=1.0)

    def progress(self) -> dict[int, int]:
        """Records read so far, by partition."""
        return {partition: reading.records for partition, reading in self._readings.items()}

    def close(self) -> None:
        """Ends the client."""
        self._consumer.close()

    def _take(self, partition: int, message: Message) -> bool:
        """Whether the partition's end is reached."""
        reading, error = self._readings[partition], message.error()
        if error is not None:
            # The end of what is committed; the end that counts lies behind the open transactions of the dead too.
            return bool(error.code() == KafkaError._PARTITION_EOF and (message.offset() or 0) >= reading.end)
        try:
            reading.take(message)
        except DamagedError as damage:
            raise self._damaged(partition, f"offset {message.offset()}: {damage}") from None
        return False

    def _finish(self, partition: int) -> Restored:
        try:
            return self._readings[partition].finish()
        except DamagedError as damage:
            raise self._damaged(partition, str(damage)) from None
        finally:
            self.drop(partition)

    def _end(self, partition: int) -> int:
        """The end of the partition, open transactions included."""
        at = TopicPartition(self._topic, partition)
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        answers = self._admin.list_offsets(
            {at: latest}, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=10.0
        )
        return int(answers[at].result().offset)

    def _damaged(self, partition: int, what: str) -> SettingError:
        return SettingError(
            f"CHANGELOG_TOPIC={self._topic!r}: partition {partition} is no changelog that this program can go on "
            f"from: {what}. Take a new CONSUMER_GROUP (and so a new changelog), and new topics for predictions and "
            "dead letters, to read everything anew"
        )
