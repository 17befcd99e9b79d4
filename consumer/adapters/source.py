"""The readings topic as a member of the consumer group sees it: messages, and partitions that come and go."""

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from consumer.adapters.group import ForeignGroupError
from consumer.adapters.logs import client_logger
from consumer.adapters.session import is_newer_protocol
from season.client.consumer import GroupMetadata, PartitionEvent, TopicConsumer, consumer_client, generation
from season.client.errors import ClientError, Code
from season.client.message import KafkaMessage
from season.kafka import DENIALS, groupless, merged_properties, refuse
from season.settings import RefusedError, SettingError
from season.standstill import STATISTICS, Standstills
from season.trial import UNREADABLE

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
    # What waits in this process, of all partitions together; a fetch is begun below it, and comes on top.
    "queued.max.messages.kbytes": 32 * 1024,
    # Default 50 MiB, compressed: readings unpack to six times that and take as much again, so that a backlog of 32
    # partitions took 770 MB above an idle process. With this, 150 MB at the same pace.
    "fetch.max.bytes": 2 * 1024 * 1024,
    **STATISTICS,
}
_BATCH = 5000
_ASK = 3.0  # seconds that the broker may take for an answer
_TRY = 0.01  # the longest wait while it is tried what can be read
_AGAIN = 2.0  # seconds until a member that was refused asks again
_THROTTLED_S = 60.0
_TWINS = 20.0  # seconds: fenced again so soon after joining anew, there is another one of this name, and alive
_SETTINGS: dict[int, str] = {
    Code.INVALID_SESSION_TIMEOUT: "KAFKA_SESSION_TIMEOUT_MS",
    Code.INVALID_GROUP_ID: "CONSUMER_GROUP",
}
# Under the newer protocol, where a group of the classic one has members and is not converted.
_FOREIGN = {Code.INCONSISTENT_GROUP_PROTOCOL, Code.GROUP_ID_NOT_FOUND}


class Owner(Protocol):
    """Who is told of partitions that come and go, inside the client's callback; it must raise nothing."""

    def assigned(self, partitions: list[int]) -> None:
        """These come: they are paused until `start`."""

    def revoked(self, partitions: list[int]) -> None:
        """These go after this call."""

    def lost(self, partitions: list[int]) -> None:
        """These belong to another already: nothing of them may be committed."""


@dataclass
class Polled:
    """What one look brought: messages by partition, ends reached (with the next offset), partitions cut short.

    `unreadable`: offsets that come next and that no client can read. A partition's end stands behind its messages.
    """

    messages: dict[int, list[KafkaMessage]] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    unreadable: dict[int, range] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many messages came."""
        return sum(map(len, self.messages.values()))


class Source:
    """The group membership. Not for use by several threads."""

    def __init__(self, environ: Mapping[str, str], group: str, topic: str) -> None:
        self._topic = topic
        self._member: str | None = None  # who we were when the latest partitions came
        ours: dict[str, Any] = {**_READ, **assignment(environ), "group.id": group}
        properties = merged_properties(consumer_client, environ, ours)
        self._standstills = Standstills(groupless(properties), topic, log.warning)
        self._properties = {**properties, "logger": client_logger()}
        self._consumer = self._client()
        self._fenced = -math.inf  # when another member of our name was let in last
        self._throttled = -math.inf  # when the broker made us wait last, for a quota
        self._refused: float | None = None  # when the group refused this client, which is of no use after that
        self._refusal = ""  # why it did, until it lets us in

    @property
    def properties(self) -> Mapping[str, Any]:
        """The properties of the client that is the member."""
        return self._properties

    def subscribe(self, owner: Owner) -> None:
        """Joins the group."""
        self._owner = owner

        def assigned(partitions: list[int]) -> None:
            member = self._consumer.member_id()
            if self._member not in (None, member) and (held := self._consumer.assigned()):
                # Thrown out and let in again without a word of the client's: another may have had what is kept.
                self._consumer.pause(held)
                self._standstills.forget(held)
                owner.lost(held)
                owner.assigned(held)
            self._member = member
            # A plain offset needs no answer of the broker's, so that `start` can seek at any time. It is never read.
            self._consumer.add(dict.fromkeys(partitions, 0))
            self._consumer.pause(partitions)
            owner.assigned(partitions)

        def revoked(partitions: list[int]) -> None:
            owner.revoked(partitions)
            self._standstills.forget(partitions)
            self._consumer.remove(partitions)

        def lost(partitions: list[int]) -> None:
            owner.lost(partitions)
            self._standstills.forget(partitions)
            self._consumer.remove(partitions)

        self._consumer.subscribe(assigned=assigned, revoked=revoked, lost=lost)

    def poll(self, wait: float, most: int = _BATCH) -> Polled:
        """Up to `most` of what is there, `wait` seconds at most for the first. RefusedError, ClientError."""
        taken = Polled()
        if self._refused is not None and not self._join_again(wait):
            return taken
        batch = self._consumer.poll(min(wait, _TRY) if self._standstills.trying else wait, 1 + min(most, _BATCH))
        if batch:
            for partition, messages in batch.runs:
                taken.messages.setdefault(partition, []).extend(messages)
            for event in batch.events:
                self._hear(event, taken)
            self._note(taken)
        taken.unreadable = self._standstills.proceed()
        for partition, found in taken.unreadable.items():
            log.warning("messages cannot be read", partition=partition, first=found[0], last=found[-1])
        return taken

    def start(self, partition: int, offset: int) -> None:
        """Lets an assigned partition flow from an offset."""
        self._standstills.begin(partition, offset)
        try:
            self._consumer.seek(partition, offset)
        except ClientError as error:
            if error.code != Code.STATE:
                raise
            # The client has given the partition up (its offset was gone): it is handed to it anew.
            self._consumer.remove([partition])
            self._consumer.add({partition: offset})
        self._consumer.resume([partition])

    def pause(self, partitions: Iterable[int]) -> None:
        """Stops the flow of partitions until their next `start`."""
        partitions = list(partitions)
        self._standstills.forget(partitions)
        self._consumer.pause(partitions)

    def known_end(self, partition: int) -> int:
        """The end of a partition as the last fetch told it, without asking the broker; -1 before the first."""
        return self._consumer.known_end(partition)

    def end(self, partition: int) -> int:
        """The end of a partition of which messages came. ClientError."""
        known = self.known_end(partition)
        if known > 0:
            return known
        # The client has given the partition up, and what it knew.
        return self._consumer.end(partition, _ASK)

    def group_metadata(self) -> GroupMetadata | None:
        """Who this member is: a commit with it is refused once the group has gone on without it.

        None where the group has thrown it out already. With the metadata of one that has not joined (again) yet the
        broker would take a commit as from one that is in no group.
        """
        before = self._consumer.member_id()
        metadata = self._consumer.group_metadata()
        same = self._member and before == self._member == self._consumer.member_id()
        return metadata if same else None

    def outside(self) -> str | None:
        """Return why this member is not in the group, or None once it has an assignment, be it an empty one.

        Under the classic protocol a member has an id before it is let in, but is called back with each assignment.
        Under the newer one it is not called back with an empty assignment, but has a generation once it is let in.
        """
        if self._refused is None:
            if is_newer_protocol(self._properties):
                joined = generation(self._consumer.group_metadata()) > 0
            else:
                joined = self._member is not None and self._consumer.member_id() == self._member
            if joined:
                self._refusal = ""
                return None
        return self._refusal or "the group has not let this member in yet"

    def throttled(self) -> bool:
        """Return whether a quota of the broker's has made this client wait within the last minute."""
        return time.monotonic() - self._throttled < _THROTTLED_S

    def close(self) -> None:
        """Leaves the group."""
        self._standstills.close()
        self._consumer.close()

    def _client(self) -> TopicConsumer:
        return TopicConsumer(
            self._properties,
            self._topic,
            on_statistics=self._standstills.note_statistics,
            on_throttle=self._throttle,
        )

    def _throttle(self, seconds: float) -> None:
        if seconds > 0:
            self._throttled = time.monotonic()

    def _note(self, taken: Polled) -> None:
        """What came is no standstill; what was on its way before a seek has not come."""
        for partition, messages in taken.messages.items():
            start = self._standstills.start(partition)
            if (messages[0].offset() or 0) < start:
                messages[:] = [message for message in messages if (message.offset() or 0) >= start]
            if messages:
                self._standstills.came(partition, messages[-1].offset())
            if partition in taken.ends and taken.ends[partition] <= (messages[-1].offset() or 0 if messages else -1):
                del taken.ends[partition]  # more came after it
        for partition in taken.ends:
            self._standstills.came(partition, None)
        for partition in [partition for partition, messages in taken.messages.items() if not messages]:
            del taken.messages[partition]

    def _hear(self, event: PartitionEvent, taken: Polled) -> None:
        """What is no message: an end, a gap, or an error of the client's."""
        error, partition = event.error, event.partition
        if event.is_end:
            taken.ends[partition] = event.offset
        elif error.code in {Code.AUTO_OFFSET_RESET, Code.OFFSET_OUT_OF_RANGE}:
            taken.gone.append(partition)
        elif error.code in UNREADABLE:
            self._standstills.doubt(partition, event.offset, error.sentence)
        else:
            refuse([error])
            if error.code == Code.INCONSISTENT_GROUP_PROTOCOL:
                raise ForeignGroupError(error.sentence)
            if error.code in _SETTINGS:
                raise SettingError(f"{_SETTINGS[error.code]}: the broker refuses it: {error.sentence}")
            if error.fatal or error.code == Code.FATAL:
                self._react_to_fatal(error)
            else:
                log.warning("Kafka", error=error.sentence, code=error.name)

    def _react_to_fatal(self, error: ClientError) -> None:
        """After this the client does nothing any more; of the cause it keeps the sentence alone."""
        name = f"KAFKA_GROUP_INSTANCE_ID={self._properties.get('group.instance.id')!r}"
        if _means(error, Code.UNRELEASED_INSTANCE_ID):
            self._refused = time.monotonic()
            self._refusal = f"{name}: the group still has a member of this name, living or not; asking again"
        elif _means(error, Code.FENCED_INSTANCE_ID):
            # Also after a crash of the broker: it let this member in, and the answer that says so got lost.
            before, self._fenced = self._fenced, time.monotonic()
            if self._fenced - before < _TWINS:
                raise RefusedError(
                    f"{name}: a newer member of this name has joined the group, so this older one stops; give each "
                    "instance a name of its own"
                )
            self._refused = self._fenced
            log.warning(f"{name}: the group let another member of this name in, or forgot this one; joining again")
        elif _means(error, Code.UNSUPPORTED_VERSION):
            raise SettingError(
                "KAFKA_GROUP_PROTOCOL='consumer': this broker does not speak it, Kafka 4.0 and later do; classic is "
                "allowed"
            )
        elif any(_means(error, code) for code in _FOREIGN):
            raise ForeignGroupError(error.sentence)
        else:
            refuse([ClientError(code) for code in DENIALS if _means(error, code)])
            raise RefusedError(f"Kafka: {error.sentence}")

    def _join_again(self, wait: float) -> bool:
        """Joins with a new client once it is time to; until then, waits a little."""
        assert self._refused is not None
        if time.monotonic() - self._refused < _AGAIN:
            time.sleep(min(wait, _AGAIN))
            return False
        self._refused = None
        self._consumer.close()
        self._consumer = self._client()
        self.subscribe(self._owner)
        return True


def _means(fatal: ClientError, code: int) -> bool:
    """Whether a fatal error is this one, of which it carries the words alone."""
    return ClientError(code).meaning in fatal.sentence


def assignment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Partitions move one by one; under the newer group protocol the broker sees to it and takes no assignor."""
    if environ.get("KAFKA_GROUP_PROTOCOL", "").lower() == "consumer":
        return {}
    # Members hear of a rebalance with their next heartbeat, each 3 s by default: so long would a partition that
    # moves stand still, and once more where another member has to give it up first.
    return {"partition.assignment.strategy": "cooperative-sticky", "heartbeat.interval.ms": 500}
