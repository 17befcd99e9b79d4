"""A consumer of one topic: messages, and what else it meets, by partition."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import numpy as np
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, ThrottleEvent, TopicPartition

from season.client.errors import ClientError, Code, client_error, translated
from season.client.message import KafkaMessage

BEGINNING = OFFSET_BEGINNING
"""In the place of an offset: the first one that is left."""

Properties = dict[str, Any]
GroupMetadata = object
"""Who a member is, for a transaction that carries its offsets."""


@dataclass(frozen=True)
class PartitionEvent:
    """What a consumer meets in the place of a message; an error of no partition has the partition -1."""

    partition: int
    offset: int
    error: ClientError

    @property
    def is_end(self) -> bool:
        """Return whether the partition has been read to its end, which is `offset`."""
        return self.error.code == Code.PARTITION_EOF


@dataclass(frozen=True)
class Batch:
    """What a poll brought: runs of messages of one partition, as they came, and the events behind them."""

    runs: list[tuple[int, list[KafkaMessage]]]
    events: list[PartitionEvent]

    def __bool__(self) -> bool:
        return bool(self.runs or self.events)

    @property
    def messages(self) -> list[KafkaMessage]:
        """Return the messages of all partitions, as they came."""
        return [message for _, messages in self.runs for message in messages]


Rebalance = Callable[[list[int]], None]
"""Gets partitions that come or go, inside the client's callback: it must raise nothing."""


class TopicConsumer:
    """The client, for the partitions of one topic. Calls raise ClientError."""

    def __init__(
        self,
        properties: Properties,
        topic: str,
        *,
        on_error: Callable[[ClientError], None] | None = None,
        on_statistics: Callable[[str], None] | None = None,
        on_throttle: Callable[[float], None] | None = None,
    ) -> None:
        """Get callbacks for errors of no call, statistics, and the seconds that a quota has made the client wait."""
        self._topic = topic
        self._consumer: Consumer = consumer_client(properties | _callbacks(on_error, on_statistics, on_throttle))

    def subscribe(self, *, assigned: Rebalance, revoked: Rebalance, lost: Rebalance) -> None:
        """Become a member of the group. Partitions that come are to be added, those that go to be removed."""

        def called(callback: Rebalance) -> Callable[[Consumer, list[TopicPartition]], None]:
            return lambda _consumer, partitions: callback([at.partition for at in partitions])

        with translated():
            self._consumer.subscribe(
                [self._topic], on_assign=called(assigned), on_revoke=called(revoked), on_lost=called(lost)
            )

    def poll(self, wait_s: float, most: int = 1) -> Batch:
        """Return what is there, at most so many messages and events, after a wait of `wait_s` seconds for the first.

        `consume` would wait the whole time unless as many come, so the first is waited for by itself.
        """
        with translated():
            first = self._consumer.poll(wait_s)
            if first is None:
                return Batch([], [])
            polled = [first, *self._consumer.consume(most - 1, 0)] if most > 1 else [first]
        events: list[PartitionEvent] = []
        if any(map(Message.error, polled)):
            events = [_event(message, error) for message in polled if (error := message.error()) is not None]
            polled = [message for message in polled if message.error() is None]
        return Batch(list(_runs(polled)), events)

    def assigned(self) -> list[int]:
        """Return the partitions that are read."""
        return [at.partition for at in self._consumer.assignment()]

    def assign(self, offsets: Mapping[int, int]) -> None:
        """Read these partitions, from these offsets on, and no others."""
        with translated():
            self._consumer.assign(self._at(offsets))

    def add(self, offsets: Mapping[int, int]) -> None:
        """Read these partitions too, from these offsets on."""
        with translated():
            self._consumer.incremental_assign(self._at(offsets))

    def remove(self, partitions: Iterable[int]) -> None:
        """Read these no more."""
        with translated():
            self._consumer.incremental_unassign(self._named(partitions))

    def seek(self, partition: int, offset: int) -> None:
        """Go on from an offset. The code is STATE where the client has given the partition up."""
        with translated():
            self._consumer.seek(TopicPartition(self._topic, partition, offset))

    def pause(self, partitions: Iterable[int]) -> None:
        """Let these wait."""
        with translated():
            self._consumer.pause(self._named(partitions))

    def resume(self, partitions: Iterable[int]) -> None:
        """Let these go on."""
        with translated():
            self._consumer.resume(self._named(partitions))

    def known_end(self, partition: int) -> int:
        """Return a partition's end as the last fetch brought it, without asking the broker; negative before one."""
        bounds = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), cached=True)
        return bounds[1] if bounds else -1

    def end(self, partition: int, timeout_s: float) -> int:
        """Ask the broker for a partition's end: the last stable offset where only committed messages are read."""
        with translated():
            bounds = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), timeout_s)
        if bounds is None:
            raise ClientError(Code.TIMED_OUT)
        return bounds[1]

    def committed(self, partition: int, timeout_s: float) -> int | None:
        """Ask for the group's offset, None where it has none; a stable one, which no open transaction changes."""
        with translated():
            (answer,) = self._consumer.committed([TopicPartition(self._topic, partition)], timeout_s)
        if answer.error is not None:
            raise client_error(answer.error)
        return answer.offset if answer.offset >= 0 else None

    def partitions(self, timeout_s: float) -> list[int]:
        """Ask for the topic's partitions; the client knows their leaders then. Never creates the topic."""
        with translated():
            topics = self._consumer.list_topics(self._topic, timeout=timeout_s).topics
        return list(topics[self._topic].partitions)

    def member_id(self) -> str:
        """Return the name by which the group knows this member; it changes when it is let in anew."""
        return self._consumer.memberid()

    def group_metadata(self) -> GroupMetadata:
        """Return who this member is now."""
        return self._consumer.consumer_group_metadata()

    def serve(self) -> None:
        """Serve the client's lines for KAFKA_DEBUG, where nobody polls it."""
        with translated():
            self._consumer.poll(0)

    def close(self) -> None:
        """Leave the group, and end the client."""
        self._consumer.close()

    def _at(self, offsets: Mapping[int, int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, partition, offset) for partition, offset in offsets.items()]

    def _named(self, partitions: Iterable[int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, partition) for partition in partitions]


def consumer_client(properties: Properties) -> Any:
    """Make a client, which connects only when it is used. Raises ClientError where it refuses the properties."""
    with translated():
        return Consumer(properties)


def _event(message: Message, error: KafkaError) -> PartitionEvent:
    partition = message.partition()
    return PartitionEvent(-1 if partition is None else partition, message.offset() or 0, client_error(error))


def _runs(messages: list[Message]) -> Iterator[tuple[int, list[KafkaMessage]]]:
    """Yield runs of messages of one partition, as they came."""
    partitions = np.fromiter(map(Message.partition, messages), np.int64, len(messages))
    starts = [0, *(np.flatnonzero(partitions[1:] != partitions[:-1]) + 1).tolist(), len(messages)]
    for start, end in pairwise(starts):
        if start < end:
            yield int(partitions[start]), cast(list[KafkaMessage], messages[start:end])


def generation(metadata: GroupMetadata) -> int:
    """Return the generation (the newer protocol's member epoch) in a member's metadata; positive in a group.

    The client packs the metadata as a mark of seven bytes and the generation, in this machine's byte order.
    """
    assert isinstance(metadata, bytes)
    assert metadata.startswith(b"CGMDv2:"), metadata
    return int.from_bytes(metadata[7:11], sys.byteorder, signed=True)


def _callbacks(
    on_error: Callable[[ClientError], None] | None,
    on_statistics: Callable[[str], None] | None,
    on_throttle: Callable[[float], None] | None,
) -> Properties:
    """Return the client's properties for callbacks; none of them holds the consumer, which would form a cycle."""
    callbacks: Properties = {}
    if on_error is not None:
        callbacks["error_cb"] = _error_callback(on_error)
    if on_statistics is not None:
        callbacks["stats_cb"] = on_statistics
    if on_throttle is not None:

        def throttled(event: ThrottleEvent) -> None:
            on_throttle(event.throttle_time)

        callbacks["throttle_cb"] = throttled
    return callbacks


def _error_callback(on_error: Callable[[ClientError], None]) -> Callable[[KafkaError], None]:
    return lambda error: on_error(client_error(error))
