"""The calls of Kafka's client for which the fake stands in: mypy holds both to them, the laws to what they do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import confluent_kafka
from confluent_kafka import Message, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.fake_kafka.admin import FakeAdminClient
from tests.fake_kafka.consumer import FakeConsumer
from tests.fake_kafka.producer import FakeProducer


class ConsumerCalls(Protocol):
    """The calls of a consumer."""

    def subscribe(self, topics: list[str], *, on_assign: Any, on_revoke: Any, on_lost: Any) -> None: ...  # noqa: D102
    def poll(self, timeout: float) -> Message | None: ...  # noqa: D102
    def consume(self, num_messages: int, timeout: float) -> list[Message]: ...  # noqa: D102
    def memberid(self) -> str: ...  # noqa: D102
    def consumer_group_metadata(self) -> Any: ...  # noqa: D102
    def assignment(self) -> list[TopicPartition]: ...  # noqa: D102
    def incremental_assign(self, partitions: list[TopicPartition]) -> None: ...  # noqa: D102
    def incremental_unassign(self, partitions: list[TopicPartition]) -> None: ...  # noqa: D102
    def seek(self, partition: TopicPartition) -> None: ...  # noqa: D102
    def pause(self, partitions: list[TopicPartition]) -> None: ...  # noqa: D102
    def resume(self, partitions: list[TopicPartition]) -> None: ...  # noqa: D102
    def committed(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]: ...  # noqa: D102
    def list_topics(self, topic: str, timeout: float) -> Any: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class ProducerCalls(Protocol):
    """The calls of a producer."""

    def init_transactions(self, timeout: float) -> None: ...  # noqa: D102
    def begin_transaction(self) -> None: ...  # noqa: D102
    def produce(self, topic: str, value: bytes | None, key: bytes | None, partition: int) -> None: ...  # noqa: D102
    def send_offsets_to_transaction(  # noqa: D102
        self, positions: list[TopicPartition], group_metadata: Any, timeout: float
    ) -> None: ...
    def commit_transaction(self, timeout: float) -> None: ...  # noqa: D102
    def abort_transaction(self, timeout: float) -> None: ...  # noqa: D102
    def poll(self, timeout: float) -> int: ...  # noqa: D102
    def flush(self, timeout: float) -> int: ...  # noqa: D102


@dataclass(frozen=True)
class ClientClasses:
    """What makes a consumer, a producer and a client for questions, each from its properties."""

    consumer: Callable[[dict[str, Any]], ConsumerCalls]
    producer: Callable[[dict[str, Any]], ProducerCalls]
    admin: Callable[[dict[str, Any]], Any]


REAL = ClientClasses(confluent_kafka.Consumer, confluent_kafka.Producer, AdminClient)
FAKE = ClientClasses(FakeConsumer, FakeProducer, FakeAdminClient)
