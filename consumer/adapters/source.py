"""The readings topic as a member of the consumer group sees it: messages, and partitions that come and go."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from consumer.adapters.logs import client_logger
from consumer.adapters.trial import UNREADABLE, Trial, partial
from season.kafka import MEMBERS_ONLY, beside, refuse
from season.settings import SettingError

log = structlog.get_logger()

_READ = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "isolation.level": "read_committed",
    # A partition's end is told as an event: the position alone never reaches it over transaction markers.
    "enable.partition.eof": True,
    # What lies before the first offset that is left was lost: that is for us to see and to say, not to skip.
    "auto.offset.reset": "error",
    "allow.auto.create.topics": False,
    # Default 1,000 ms: how long a fetcher rests when the queue was full once.
    "fetch.queue.backoff.ms": 1,
    # Default 500 ms: how long a partition that comes waits for a fetch that is under way without it.
    "fetch.wait.max.ms": 100,
    # What waits in this process, of all partitions together.
    "queued.max.messages.kbytes": 32 * 1024,
    # They show where a partition stands still without a word.
    "statistics.interval.ms": 2000,
}
_BATCH = 5000
_STANDS = 3  # looks at the statistics at which a partition has not moved before it is asked why
_ASK = 3.0  # seconds that the broker may take for an answer
_TRY = 0.01  # the longest wait while it is asked what cannot be read
_SETTINGS = {
    KafkaError.INVALID_SESSION_TIMEOUT: "KAFKA_SESSION_TIMEOUT_MS",
    KafkaError.INVALID_GROUP_ID: "CONSUMER_GROUP",
    KafkaError.INCONSISTENT_GROUP_PROTOCOL: "KAFKA_GROUP_PROTOCOL",
}


class Owner(Protocol):
    """Who is told of partitions that come and go, inside the client's callback; it must raise nothing."""

    def assigned(self, partitions: list[int]) -> None:
        """These come: they are paused until `start`."""

    def revoked(self, partitions: list[int]) -> None:
        """These go after this call: the last time to commit what is in hand."""

    def lost(self, partitions: list[int]) -> None:
        """These belong to another already: nothing of them may be committed."""


@dataclass
class Taken:
    """What one look brought: messages by partition, ends reached (with the next offset), partitions cut short.

    `unreadable`: offsets that come next and that no client can read. A partition's end stands behind its messages.
    """

    messages: dict[int, list[Message]] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    unreadable: dict[int, range] = field(default_factory=dict)


@dataclass
class _Flow:
    """How a partition comes in: from where, as long as nothing has come; where its client stood at the last look."""

    start: int | None
    ended: int = 0  # how many messages of the same look came before its end
    stood: int = -1
    looks: int = 0
    trial: Trial | None = None


class Source:
    """The group membership. Not for use by several threads."""

    def __init__(self, environ: Mapping[str, str], group: str, topic: str) -> None:
        self._topic = topic
        self._member: str | None = None  # who we were when the latest partitions came
        self._flows: dict[int, _Flow] = {}
        self._partial = 0
        ours: dict[str, Any] = {**_READ, **assignment(environ), "group.id": group}
        properties = beside(Consumer, environ, ours)
        self._alone = {name: value for name, value in properties.items() if name not in MEMBERS_ONLY}
        self._consumer = Consumer({**properties, "logger": client_logger(), "stats_cb": self._look})

    def subscribe(self, owner: Owner) -> None:
        """Joins the group."""

        def assigned(consumer: Consumer, partitions: list[TopicPartition]) -> None:
            member = consumer.memberid()
            if self._member not in (None, member) and (held := consumer.assignment()):
                # Thrown out and let in again without a word of the client's: another may have had what is kept.
                consumer.pause(held)
                self._forget(p.partition for p in held)
                owner.lost([p.partition for p in held])
                owner.assigned([p.partition for p in held])
            self._member = member
            # A plain offset needs no answer of the broker's, so that `start` can seek at any time. It is never read.
            consumer.incremental_assign([TopicPartition(p.topic, p.partition, 0) for p in partitions])
            consumer.pause(partitions)
            owner.assigned([p.partition for p in partitions])

        def revoked(consumer: Consumer, partitions: list[TopicPartition]) -> None:
            owner.revoked([p.partition for p in partitions])
            self._forget(p.partition for p in partitions)
            consumer.incremental_unassign(partitions)

        def lost(consumer: Consumer, partitions: list[TopicPartition]) -> None:
            owner.lost([p.partition for p in partitions])
            self._forget(p.partition for p in partitions)
            consumer.incremental_unassign(partitions)

        self._consumer.subscribe([self._topic], on_assign=assigned, on_revoke=revoked, on_lost=lost)

    def take(self, wait: float) -> Taken:
        """What is there, after waiting up to `wait` seconds for the first of it. RefusedError, KafkaException."""
        taken = Taken()
        trying = any(flow.trial is not None for flow in self._flows.values())
        first = self._consumer.poll(min(wait, _TRY) if trying else wait)
        if first is not None:
            messages = taken.messages
            for message in [first, *self._consumer.consume(_BATCH, 0)]:
                if message.error() is None:
                    messages.setdefault(message.partition() or 0, []).append(message)
                else:
                    self._hear(message, taken)
            for partition in taken.messages.keys() | taken.ends.keys():
                self._came(partition, taken)
        self._try(taken)
        return taken

    def start(self, partition: int, offset: int) -> None:
        """Lets an assigned partition flow from an offset."""
        self._forget([partition])
        self._flows[partition] = _Flow(offset)
        at = TopicPartition(self._topic, partition, offset)
        try:
            self._consumer.seek(at)
        except KafkaException as exception:
            if exception.args[0].code() != KafkaError._STATE:
                raise
            # The client has given the partition up (its offset was gone): it is handed to it anew.
            self._consumer.incremental_unassign([at])
            self._consumer.incremental_assign([at])
        self._consumer.resume([at])

    def pause(self, partitions: Iterable[int]) -> None:
        """Stops the flow of partitions until their next `start`."""
        partitions = list(partitions)
        self._forget(partitions)
        self._consumer.pause([TopicPartition(self._topic, p) for p in partitions])

    def known_end(self, partition: int) -> int:
        """The end of a partition as the last fetch told it, without asking the broker; -1 before the first."""
        bounds = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), cached=True)
        return bounds[1] if bounds else -1

    def end(self, partition: int) -> int:
        """The end of a partition of which messages came. KafkaException."""
        known = self.known_end(partition)
        if known > 0:
            return known
        # The client has given the partition up, and what it knew.
        bounds = self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), _ASK)
        if bounds is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return bounds[1]

    def offsets(self, following: Mapping[int, int]) -> list[TopicPartition]:
        """Next offsets in the form in which a transaction takes them."""
        return [TopicPartition(self._topic, partition, offset) for partition, offset in following.items()]

    def group_metadata(self) -> object | None:
        """Who this member is: a commit with it is refused once the group has gone on without it.

        None where the group has thrown it out already. With the metadata of one that has not joined (again) yet the
        broker would take a commit as from one that is in no group.
        """
        before = self._consumer.memberid()
        metadata = self._consumer.consumer_group_metadata()
        same = self._member and before == self._member == self._consumer.memberid()
        return metadata if same else None

    def joined(self) -> bool:
        """Whether the group has taken this member."""
        return bool(self._consumer.memberid())

    def close(self) -> None:
        """Leaves the group."""
        self._forget(list(self._flows))
        self._consumer.close()

    def _hear(self, event: Message, taken: Taken) -> None:
        """What is no message: an end, a gap, or an error of the client's."""
        error, partition = event.error(), event.partition() or 0
        assert error is not None
        if error.code() == KafkaError._PARTITION_EOF:
            taken.ends[partition] = event.offset() or 0
            if partition in self._flows:
                self._flows[partition].ended = len(taken.messages.get(partition, ()))
        elif error.code() in {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}:
            taken.gone.append(partition)
        elif error.code() in UNREADABLE:
            flow = self._flows.get(partition)
            if flow is not None:
                self._doubt(partition, max(event.offset() or 0, flow.start or 0), error.str())
        else:
            refuse([error])
            if error.code() in _SETTINGS:
                raise SettingError(f"{_SETTINGS[error.code()]}: the broker refuses it: {error.str()}")
            if error.fatal():
                raise KafkaException(error)
            log.warning("Kafka", error=error.str(), code=error.name())

    def _came(self, partition: int, taken: Taken) -> None:
        """Something came of a partition: it does not stand still."""
        flow = self._flows.get(partition)
        if flow is None:
            return
        start, flow.start, flow.looks = flow.start, None, 0
        messages = taken.messages.get(partition, [])
        if flow.ended != len(messages):
            taken.ends.pop(partition, None)  # more came after it
        if messages and start is not None and (messages[0].offset() or 0) < start:
            # They were on their way before a seek.
            taken.messages[partition] = [message for message in messages if (message.offset() or 0) >= start]
        last = (messages[-1].offset() or 0) if messages else -1
        if flow.trial is not None and (partition in taken.ends or last >= flow.trial.first):
            flow.trial.close()
            flow.trial = None

    def _look(self, statistics: str) -> None:
        """Counts how often a partition has not moved, while answers came that got the client nowhere."""
        told = json.loads(statistics)
        partitions = told["topics"].get(self._topic, {}).get("partitions", {})
        before, self._partial = self._partial, partial(told)
        for number, flow in self._flows.items():
            at = partitions.get(str(number), {})
            offset = at.get("next_offset", -1)
            stands = 0 <= offset < at.get("ls_offset", -1) and at["fetchq_cnt"] == 0 and offset == flow.stood
            flow.stood, flow.looks = offset, flow.looks + 1 if stands and self._partial > before else 0

    def _doubt(self, partition: int, offset: int, why: str) -> None:
        flow = self._flows[partition]
        if flow.trial is None:
            log.warning("trying what can be read", partition=partition, offset=offset, why=why)
            flow.trial = Trial(self._alone, self._topic, partition, offset)

    def _try(self, taken: Taken) -> None:
        """Goes on to find out what cannot be read."""
        for partition, flow in self._flows.items():
            if flow.looks >= _STANDS:
                flow.looks = 0
                self._doubt(partition, flow.stood, "nothing comes, though there is more")
            found = flow.trial.unreadable() if flow.trial is not None else None
            if flow.trial is not None and found is not None:
                flow.trial.close()
                flow.trial = None
                if found:
                    log.warning("messages cannot be read", partition=partition, first=found[0], last=found[-1])
                    taken.unreadable[partition] = found

    def _forget(self, partitions: Iterable[int]) -> None:
        for partition in partitions:
            flow = self._flows.pop(partition, None)
            if flow is not None and flow.trial is not None:
                flow.trial.close()


def assignment(environ: Mapping[str, str]) -> dict[str, str]:
    """Partitions move one by one; under the newer group protocol the broker sees to it and takes no assignor."""
    if environ.get("KAFKA_GROUP_PROTOCOL", "").lower() == "consumer":
        return {}
    return {"partition.assignment.strategy": "cooperative-sticky"}
