"""The fake's client for questions to the broker."""

from collections.abc import Mapping
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, TypeVar

from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]

from tests.fake_kafka.process import FakeProcess, call


class FakeAdminClient:
    """Asks for offsets."""

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self.process: FakeProcess = properties["bootstrap.servers"]

    @call
    def list_offsets(
        self,
        partitions: Mapping[TopicPartition, OffsetSpec],
        isolation_level: IsolationLevel = IsolationLevel.READ_UNCOMMITTED,
        request_timeout: float = -1,
    ) -> dict[TopicPartition, "Future[Offset]"]:
        """Return the first offset of each partition or its end."""
        committed = isolation_level == IsolationLevel.READ_COMMITTED
        answers = {}
        for at, which in partitions.items():
            log = self.process.broker.log(at.topic, at.partition)
            latest = type(which) is type(OffsetSpec.latest())  # type: ignore[no-untyped-call]
            answers[at] = done(Offset(log.limit(committed) if latest else log.start))
        return answers

    def list_topics(self, timeout: float = -1) -> Any:
        """Return the cluster, of which nothing is known."""
        return SimpleNamespace(cluster_id="", brokers={}, topics={})


class Offset:
    """An answer to a question for an offset."""

    def __init__(self, offset: int) -> None:
        self.offset = offset


T = TypeVar("T")


def done(value: T) -> "Future[T]":
    """Return an answer that is there already."""
    future: Future[T] = Future()
    future.set_result(value)
    return future
