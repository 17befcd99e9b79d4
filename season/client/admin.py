"""Questions to the broker, and the creation of topics. Every call raises ClientError."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

from confluent_kafka import ConsumerGroupType, IsolationLevel, TopicCollection, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from season.client.consumer import Properties
from season.client.errors import ClientError, Code, client_error, translated

Position = Literal["earliest", "latest", "max_timestamp"]
"""Which offset of a partition: its first one, its end, or that of the record with the latest timestamp."""

_SPECS: dict[Position, Callable[[], OffsetSpec]] = {
    "earliest": OffsetSpec.earliest,
    "latest": OffsetSpec.latest,
    "max_timestamp": OffsetSpec.max_timestamp,
}
_KINDS = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "broker": ResourceType.BROKER}


@dataclass(frozen=True)
class PartitionDescription:
    """A partition: whether it has a leader, and how many of its replicas are in sync."""

    number: int
    has_leader: bool
    replicas: int
    in_sync: int


@dataclass(frozen=True)
class ClusterDescription:
    """The cluster's id, its brokers as host:port by their ids, and its topics."""

    cluster_id: str
    brokers: Mapping[int, str]
    topics: Mapping[str, Sequence[PartitionDescription]]


@dataclass(frozen=True)
class TopicDescription:
    """A topic. `operations` are those that the broker allows, None where it was not asked or does not say."""

    name: str
    topic_id: str
    partitions: Sequence[PartitionDescription]
    operations: frozenset[str] | None


@dataclass(frozen=True)
class MemberDescription:
    """One member of a group: what its client calls itself, where it runs, and its partitions by topic."""

    client_id: str
    host: str
    partitions: Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class GroupDescription:
    """A group; `assignor` is "" where there are no members, `operations` as of a topic."""

    name: str
    state: str
    protocol: Literal["classic", "consumer"]
    assignor: str
    members: Sequence[MemberDescription]
    operations: frozenset[str] | None


class PendingOffset:
    """An offset that was asked for; the answer comes by itself."""

    def __init__(self, future: "Future[Any]") -> None:
        self._future = future

    def done(self) -> bool:
        """Return whether the answer is there."""
        return self._future.done()

    def result(self) -> int:
        """Return the offset, waiting for it. Where a partition's leader has just gone, the client gives none."""
        with translated():
            offset = int(self._future.result().offset)
        if offset < 0:
            raise ClientError(Code.LEADER_NOT_AVAILABLE)
        return offset

    def timestamp(self) -> float:
        """Return the timestamp of the record at the offset, in seconds; negative where there is none."""
        with translated():
            return float(self._future.result().timestamp) / 1000


class Admin:
    """The client for questions. Safe for several threads."""

    def __init__(self, client: AdminClient) -> None:
        self._client = client

    def serve(self) -> None:
        """Serve the client's callbacks, and its lines for KAFKA_DEBUG."""
        self._client.poll(0)

    def cluster(self, timeout_s: float) -> ClusterDescription:
        """Describe the cluster. No topic is named: that would create it where the broker allows it."""
        with translated():
            found = self._client.list_topics(timeout=timeout_s)
        return ClusterDescription(
            str(found.cluster_id),
            {number: f"{broker.host}:{broker.port}" for number, broker in found.brokers.items()},
            {
                name: [
                    PartitionDescription(one.id, one.leader >= 0, len(one.replicas), len(one.isrs))
                    for one in topic.partitions.values()
                ]
                for name, topic in found.topics.items()
            },
        )

    def topics(
        self, names: Iterable[str], timeout_s: float, *, operations: bool = False
    ) -> dict[str, TopicDescription | ClientError]:
        """Describe topics, and the allowed operations where they are asked for. None is created."""
        options: dict[str, Any] = {"include_authorized_operations": True} if operations else {}
        with translated():
            futures = self._client.describe_topics(TopicCollection(list(names)), request_timeout=timeout_s, **options)
        return {name: _topic(future) for name, future in futures.items()}

    def group(self, name: str, timeout_s: float, *, operations: bool = False) -> GroupDescription:
        """Describe a group, and the allowed operations where they are asked for."""
        options: dict[str, Any] = {"include_authorized_operations": True} if operations else {}
        with translated():
            futures = self._client.describe_consumer_groups([name], request_timeout=timeout_s, **options)
            return _group(name, futures[name].result())

    def configuration(self, kind: Literal["topic", "group", "broker"], name: str, timeout_s: float) -> dict[str, str]:
        """Return the configuration of a topic, a group or a broker; settings without a value are left out."""
        resource = ConfigResource(_KINDS[kind], name)
        with translated():
            entries = self._client.describe_configs([resource], request_timeout=timeout_s)[resource].result()
        return {name: str(entry.value) for name, entry in entries.items() if entry.value is not None}

    def create_topic(
        self,
        name: str,
        partitions: int,
        configuration: Mapping[str, str],
        timeout_s: float,
        *,
        only_ask: bool = False,
    ) -> None:
        """Create a topic; with `only_ask` none is created, and what would be refused is raised all the same."""
        topic = NewTopic(name, partitions, config=dict(configuration))
        with translated():
            self._client.create_topics([topic], request_timeout=timeout_s, validate_only=only_ask)[name].result()

    def offsets(
        self, topic: str, partitions: Iterable[int], position: Position, timeout_s: float, *, committed: bool = False
    ) -> dict[int, PendingOffset]:
        """Ask for offsets of partitions, without waiting; with `committed` the end is the last stable offset."""
        spec = _SPECS[position]()
        level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
        asked = {TopicPartition(topic, partition): spec for partition in partitions}
        if not asked:
            return {}
        with translated():
            answers = self._client.list_offsets(asked, isolation_level=level, request_timeout=timeout_s)
        return {at.partition: PendingOffset(future) for at, future in answers.items()}


def admin_client(properties: Properties, *, on_error: Callable[[ClientError], None] | None = None) -> Admin:
    """Make a client, which connects when it is used. `on_error` gets errors of no call, once the client is served."""
    callbacks: Properties = {} if on_error is None else {"error_cb": lambda error: on_error(client_error(error))}
    with translated():
        return Admin(AdminClient({**properties, **callbacks}))


def _topic(answer: "Future[Any]") -> TopicDescription | ClientError:
    try:
        with translated():
            found = answer.result()
    except ClientError as error:
        return error
    partitions = [
        PartitionDescription(one.id, one.leader is not None and one.leader.id >= 0, len(one.replicas), len(one.isr))
        for one in found.partitions
    ]
    return TopicDescription(found.name, str(found.topic_id), partitions, _operations(found))


def _group(name: str, found: Any) -> GroupDescription:
    return GroupDescription(
        name,
        found.state.name.lower(),
        "consumer" if found.type == ConsumerGroupType.CONSUMER else "classic",
        found.partition_assignor,
        [
            MemberDescription(one.client_id, one.host.removeprefix("/"), _by_topic(one.assignment))
            for one in found.members
        ],
        _operations(found),
    )


def _operations(found: Any) -> frozenset[str] | None:
    """Return what the broker allows; a broker without an authorizer allows everything, and may say nothing."""
    allowed = getattr(found, "authorized_operations", None)
    return frozenset(operation.name for operation in allowed) if allowed else None


def _by_topic(assignment: Any) -> dict[str, list[int]]:
    partitions: dict[str, list[int]] = {}
    for at in getattr(assignment, "topic_partitions", None) or []:
        partitions.setdefault(at.topic, []).append(at.partition)
    return {topic: sorted(numbers) for topic, numbers in sorted(partitions.items())}
