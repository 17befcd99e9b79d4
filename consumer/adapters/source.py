"""The readings topic as a member of the consumer group sees it: messages, and partitions that come and go."""

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from consumer.adapters.group import ForeignGroupError
from consumer.adapters.logs import client_logger
from consumer.adapters.session_timeout import is_newer_protocol
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
_MAX_MESSAGES = 5000
_ANSWER_S = 3.0  # how long the broker may take for an answer
_TRIAL_WAIT_S = 0.01  # the longest wait while it is tried what can be read
_REJOIN_DELAY_S = 2.0  # after which a member that was refused asks again
_THROTTLED_S = 60.0  # for which a quota counts as in force after it made us wait
_TWIN_S = 20.0  # fenced again so soon after joining again: another member of this name is alive
_SETTINGS: dict[int, str] = {
    Code.INVALID_SESSION_TIMEOUT: "KAFKA_SESSION_TIMEOUT_MS",
    Code.INVALID_GROUP_ID: "CONSUMER_GROUP",
}
# Under the newer protocol, where a group of the classic one has members and is not converted.
_FOREIGN = {Code.INCONSISTENT_GROUP_PROTOCOL, Code.GROUP_ID_NOT_FOUND}


class Owner(Protocol):
    """What `Source` calls when partitions come and go: inside the client's callback, where nothing may be raised."""

    def assigned(self, partitions: list[int]) -> None:
        """Take over partitions, which are paused until `start`."""

    def revoked(self, partitions: list[int]) -> None:
        """Give up partitions, which go after this call."""

    def lost(self, partitions: list[int]) -> None:
        """Drop partitions that another member has already: nothing of them may be committed."""


@dataclass
class Polled:
    """What one poll brought: messages by partition, and the ends of partitions that were reached behind them.

    `ends` has the next offset for each such partition. `gone` are partitions whose next offset the broker has
    no more. `unreadable` are offsets that come next and that no client can read.
    """

    messages: dict[int, list[KafkaMessage]] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    unreadable: dict[int, range] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Return the number of messages."""
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
        """Return the properties of the client that is a member of the group."""
        return self._properties

    def subscribe(self, owner: Owner) -> None:
        """Join the group; `owner` is called when partitions come and go."""
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

    def poll(self, wait: float, most: int = _MAX_MESSAGES) -> Polled:
        """Return at most `most` messages that are there; wait at most `wait` seconds for the first.

        Raises RefusedError, SettingError, ForeignGroupError and ClientError.
        """
        polled = Polled()
        if self._refused is not None and not self._join_again(wait):
            return polled
        batch = self._consumer.poll(
            min(wait, _TRIAL_WAIT_S) if self._standstills.trying else wait, 1 + min(most, _MAX_MESSAGES)
        )
        if batch:
            for partition, messages in batch.runs:
                polled.messages.setdefault(partition, []).extend(messages)
            for event in batch.events:
                self._note_event(event, polled)
            self._drop_stale(polled)
        polled.unreadable = self._standstills.proceed()
        for partition, found in polled.unreadable.items():
            log.warning("messages cannot be read", partition=partition, first=found[0], last=found[-1])
        return polled

    def start(self, partition: int, offset: int) -> None:
        """Let an assigned partition flow from an offset."""
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
        """Let partitions wait until their next `start`."""
        partitions = list(partitions)
        self._standstills.forget(partitions)
        self._consumer.pause(partitions)

    def known_end(self, partition: int) -> int:
        """Return the end of a partition as of the last fetch, without asking the broker; -1 before the first one."""
        return self._consumer.known_end(partition)

    def end(self, partition: int) -> int:
        """Return the end of a partition with messages; ask the broker where the client forgot it. ClientError."""
        known = self.known_end(partition)
        if known > 0:
            return known
        # The client has given the partition up, and what it knew.
        return self._consumer.end(partition, _ANSWER_S)

    def group_metadata(self) -> GroupMetadata | None:
        """Return who this member is; a commit with that is refused once the group has gone on without this member.

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
        """Leave the group."""
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

    def _drop_stale(self, polled: Polled) -> None:
        """Drop messages from before the last seek, and ends with messages behind them; note which partitions flow."""
        for partition, messages in polled.messages.items():
            start = self._standstills.start(partition)
            if (messages[0].offset() or 0) < start:
                messages[:] = [message for message in messages if (message.offset() or 0) >= start]
            if messages:
                self._standstills.came(partition, messages[-1].offset())
            if partition in polled.ends and polled.ends[partition] <= (
                messages[-1].offset() or 0 if messages else -1
            ):
                del polled.ends[partition]  # more came after it
        for partition in polled.ends:
            self._standstills.came(partition, None)
        for partition in [partition for partition, messages in polled.messages.items() if not messages]:
            del polled.messages[partition]

    def _note_event(self, event: PartitionEvent, polled: Polled) -> None:
        """Note what came in place of a message: an end, a gap, or an error of the client's.

        Raises RefusedError, SettingError and ForeignGroupError for the errors that end the program.
        """
        error, partition = event.error, event.partition
        if event.is_end:
            polled.ends[partition] = event.offset
        elif error.code in {Code.AUTO_OFFSET_RESET, Code.OFFSET_OUT_OF_RANGE}:
            polled.gone.append(partition)
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
        """Raise what ends the program, or note that a new client has to join: this one does nothing any more.

        A fatal error has one code for all causes; which cause it is, its sentence alone says.
        """
        name = f"KAFKA_GROUP_INSTANCE_ID={self._properties.get('group.instance.id')!r}"
        if _means(error, Code.UNRELEASED_INSTANCE_ID):
            self._refused = time.monotonic()
            self._refusal = f"{name}: the group still has a member of this name, living or not; asking again"
        elif _means(error, Code.FENCED_INSTANCE_ID):
            # Also after a crash of the broker: it let this member in, and the answer that says so got lost.
            before, self._fenced = self._fenced, time.monotonic()
            if self._fenced - before < _TWIN_S:
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
        """Join with a new client, and return True, once it is time to; before that wait a little and return False."""
        assert self._refused is not None
        if time.monotonic() - self._refused < _REJOIN_DELAY_S:
            time.sleep(min(wait, _REJOIN_DELAY_S))
            return False
        self._refused = None
        self._consumer.close()
        self._consumer = self._client()
        self.subscribe(self._owner)
        return True


def _means(fatal: ClientError, code: int) -> bool:
    """Return whether a fatal error was caused by the error `code`: its sentence has the words of that error."""
    return ClientError(code).meaning in fatal.sentence


def assignment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the properties that let partitions move one by one. The newer group protocol does so by itself."""
    if environ.get("KAFKA_GROUP_PROTOCOL", "").lower() == "consumer":
        return {}
    # Members hear of a rebalance with their next heartbeat, each 3 s by default: so long would a partition that
    # moves stand still, and once more where another member has to give it up first.
    return {"partition.assignment.strategy": "cooperative-sticky", "heartbeat.interval.ms": 500}
