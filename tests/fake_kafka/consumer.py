"""The fake's consumer, with the calls that the service uses, and the errors of Kafka's own.

What a client does by itself on threads of its own (to fetch, to hear from its group) happens here within its calls.
"""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from tests.fake_kafka.broker import FakeKafka
from tests.fake_kafka.group import FakeGroup, Key, Metadata
from tests.fake_kafka.log import FakeRecord
from tests.fake_kafka.process import FakeProcess, call

Partitions = Callable[["FakeConsumer", list[TopicPartition]], None]
EMPTY_WAIT_S = 0.1
"""What a wait for messages lasts at least where none come, so that a test need not make a thousand of them."""


class _Position:
    """Where a consumer stands in a partition that is assigned to it."""

    def __init__(self, offset: int) -> None:
        self.offset = max(offset, 0)  # OFFSET_BEGINNING is negative
        self.paused = False
        self.end_seen = -1  # the end that was told of last


class FakeConsumer:
    """Reads partitions, as a member of a group where it subscribes."""

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self.process: FakeProcess = properties["bootstrap.servers"]
        self._broker: FakeKafka = self.process.broker
        self._group_name: str = properties["group.id"]
        self._committed = properties.get("isolation.level", "read_committed") == "read_committed"
        self._ends = bool(properties.get("enable.partition.eof"))
        self._positions: dict[Key, _Position] = {}
        self._fetched = 0
        self._topic: str | None = None
        self._member = ""
        self._unnoticed = False  # let in anew, without a word to who uses the client
        self._callbacks: tuple[Partitions, Partitions, Partitions]

    @property
    def _group(self) -> FakeGroup:
        return self._broker.group(self._group_name)

    @call
    def subscribe(self, topics: list[str], on_assign: Partitions, on_revoke: Partitions, on_lost: Partitions) -> None:
        """Join the group with the next poll."""
        (self._topic,) = topics
        self._callbacks = on_assign, on_revoke, on_lost

    @call
    def poll(self, timeout: float = -1) -> Message | None:
        """Return one message or event; a wait sends a fetch off, and time passes where nothing comes."""
        return next(iter(self._wait_for(1, timeout)), None)

    @call
    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Message]:
        """Return messages and events that are there."""
        return self._wait_for(num_messages, timeout)

    def memberid(self) -> str:
        """Return the name that the group has given to this member; it changes when it is let in anew."""
        return self._member

    def consumer_group_metadata(self) -> Metadata:
        """Return who this member is, as far as it knows."""
        return self._group.metadata(self._member) if self._member else Metadata(self._group_name)

    def rejoin(self) -> None:
        """Be thrown out and let in again on the client's own thread: who uses it hears of it with the next poll."""
        self._group.remove(self._member)
        self._member, self._unnoticed = self._group.join(), True
        self._group.heartbeat(self._member)

    def assignment(self) -> list[TopicPartition]:
        """Return the partitions that are read."""
        return [TopicPartition(*key) for key in self._positions]

    @call
    def incremental_assign(self, partitions: list[TopicPartition]) -> None:
        """Read these too."""
        for at in partitions:
            self._positions[at.topic, at.partition] = _Position(at.offset)
        self._tell_group()

    @call
    def incremental_unassign(self, partitions: list[TopicPartition]) -> None:
        """Read these no more."""
        for at in partitions:
            self._positions.pop((at.topic, at.partition), None)
        self._tell_group()

    @call
    def seek(self, partition: TopicPartition) -> None:
        """Go on from an offset; an error where the partition is not assigned."""
        self._position(partition).offset = partition.offset
        self._position(partition).end_seen = -1

    def pause(self, partitions: list[TopicPartition]) -> None:
        """Let these wait."""
        for at in partitions:
            self._position(at).paused = True

    def resume(self, partitions: list[TopicPartition]) -> None:
        """Let these go on."""
        for at in partitions:
            self._position(at).paused = False

    def get_watermark_offsets(
        self, partition: TopicPartition, timeout: float = -1, cached: bool = False
    ) -> tuple[int, int]:
        """Return a partition's first offset and its end."""
        log = self._broker.log(partition.topic, partition.partition)
        return log.start, log.end

    @call
    def committed(self, partitions: list[TopicPartition], timeout: float = -1) -> list[TopicPartition]:
        """Return the group's offsets; an error while a transaction that carries one of them is open."""
        keys = [(at.topic, at.partition) for at in partitions]
        if not all(map(self._group.stable, keys)):
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, retriable=True))
        return [TopicPartition(*key, self._group.offsets.get(key, -1001)) for key in keys]

    @call
    def commit(self, offsets: list[TopicPartition], asynchronous: bool) -> None:
        """Commit offsets outside of transactions. An error where the group has gone on without this member."""
        assert not asynchronous
        self._group.check(self.consumer_group_metadata())
        self._group.offsets |= {(at.topic, at.partition): at.offset for at in offsets}

    def list_topics(self, topic: str, timeout: float = -1) -> Any:
        """Return a topic's partitions."""
        partitions = dict.fromkeys(range(len(self._broker.logs(topic))))
        return SimpleNamespace(topics={topic: SimpleNamespace(partitions=partitions)})

    @call
    def close(self) -> None:
        """Leave the group."""
        if self._member:
            self._call_back(1, {number for topic, number in self._positions if topic == self._topic})
            self._group.remove(self._member)
            self._member = ""

    def _wait_for(self, most: int, timeout: float) -> list[Message]:
        self._hear_from_group()
        if timeout > 0:
            self._fetched = self.process.fetch
        messages: list[Message] = []
        while len(messages) < most and (message := self._next()) is not None:
            messages.append(message)
        if not messages and timeout > 0:
            self._broker.clock.sleep(max(timeout, EMPTY_WAIT_S))
        return messages

    def _next(self) -> Message | None:
        """Return the next message, or the event that a partition has ended; from each partition in its turn."""
        if self._fetched > 0:
            for key, position in list(self._positions.items()):
                if position.paused:
                    continue
                message = self._read(key, position)
                if message is not None:
                    self._fetched -= 1
                    self._positions[key] = self._positions.pop(key)  # the others come first the next time
                    return message
        return None

    def _read(self, key: Key, position: _Position) -> Message | None:
        log = self._broker.log(*key)
        if not log.start <= position.offset <= log.end:
            position.paused = True
            return Message(*key, position.offset, error=KafkaError(KafkaError._AUTO_OFFSET_RESET))
        found = log.next(position.offset, self._committed)
        if found is not None:
            offset, record = found
            position.offset, position.end_seen = offset + 1, -1
            return _message(key, offset, record)
        position.offset = max(position.offset, log.limit(self._committed))  # over markers, and what was aborted
        if not self._ends or position.end_seen == position.offset:
            return None
        position.end_seen = position.offset
        return Message(*key, position.offset, error=KafkaError(KafkaError._PARTITION_EOF))

    def _hear_from_group(self) -> None:
        """Join, or give up and get partitions, each told by a callback."""
        if self._topic is None:
            return
        assign, revoke, lose = range(3)
        if not self._member:
            self._member = self._group.join()
        target = self._group.heartbeat(self._member)
        if target is None:
            self._call_back(lose, self._read_numbers())
            self._member = self._group.join()
            target = self._group.heartbeat(self._member) or set()
        if self._unnoticed:
            # What it reads may have been another's in between, and is another's where it is not meant for it.
            self._unnoticed = False
            self._call_back(revoke, self._read_numbers() - target)
            self._tell_group()
            self._call_back(assign, target - self._read_numbers(), even_none=True)
        if gone := self._read_numbers() - self._group.targets()[self._member]:
            self._call_back(revoke, gone)
        elif come := target - self._read_numbers():
            self._call_back(assign, come)

    def _read_numbers(self) -> set[int]:
        return {number for topic, number in self._positions if topic == self._topic}

    def _tell_group(self) -> None:
        if self._member:
            self._group.own(self._member, self._read_numbers())

    def _call_back(self, which: int, numbers: set[int], even_none: bool = False) -> None:
        if numbers or even_none:
            assert self._topic is not None
            self._callbacks[which](self, [TopicPartition(self._topic, number) for number in sorted(numbers)])

    def _position(self, at: TopicPartition) -> _Position:
        try:
            return self._positions[at.topic, at.partition]
        except KeyError:
            raise KafkaException(KafkaError(KafkaError._STATE)) from None


def _message(key: Key, offset: int, record: FakeRecord) -> Message:
    headers: list[tuple[str, str | bytes | None]] = [*record.headers]
    return Message(*key, offset, record.key, record.value, headers or None, timestamp=(1, int(record.time * 1000)))
