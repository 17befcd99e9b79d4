"""Asks the broker about a partition that is restored, without waiting for answers: others flow meanwhile.

Each question is repeated until it is answered. The group's offset is a stable one: the broker does not answer while a
transaction with offsets of the group is open, such as the last owner's. A consumer asks for it, on a thread of its
own, since the admin client ends the process (an assertion in librdkafka 2.16) if the group's coordinator goes away
during such a question.
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from consumer.adapters.logs import Complaints, client_logger
from season.kafka import groupless, known_offset, merged_properties, refuse

_ANSWER_S = 5.0  # after which a question counts as not answered
_STABLE_OFFSET_S = 0.5  # the same for the group's offset, since other partitions' questions wait for the thread
_RETRY_DELAY_S = 0.1
_PROPERTIES = {"enable.auto.commit": False, "isolation.level": "read_committed", "allow.auto.create.topics": False}

T = TypeVar("T")


class Asked(Generic[T]):
    """One question under way; `value` is there once `answered` has said so."""

    def __init__(
        self, ask: Callable[[], "Future[Any]"], read: Callable[[Any], T], failed: Callable[[KafkaError], None]
    ) -> None:
        self.value: T
        self._ask, self._read, self._failed = ask, read, failed
        self._future: Future[Any] | None = ask()
        self._retry_at = 0.0
        self._done = False

    def answered(self) -> bool:
        """Return whether the answer is there; ask again after an error. Raises RefusedError."""
        if self._future is None and time.monotonic() >= self._retry_at:
            self._future = self._ask()
        if self._future is not None and self._future.done() and not self._done:
            try:
                self.value = self._read(self._future.result())
                self._done = True
            except KafkaException as exception:
                refuse([exception.args[0]])
                self._failed(exception.args[0])
                self._future, self._retry_at = None, time.monotonic() + _RETRY_DELAY_S
        return self._done


class Inquirer:
    """Asks the broker about a group and the partitions of two topics."""

    def __init__(
        self,
        environ: Mapping[str, str],
        admin: AdminClient,
        group: str,
        readings: str,
        changelog: str,
        complaints: Complaints,
    ) -> None:
        self._admin, self._readings, self._changelog = admin, readings, changelog
        self._complaints = complaints
        properties = groupless(merged_properties(Consumer, environ, {**_PROPERTIES, "group.id": group}))
        self._consumer = Consumer({**properties, "logger": client_logger()})
        self._thread = ThreadPoolExecutor(1, "offsets")

    def changelog_end(self, partition: int) -> Asked[int]:
        """Ask for the changelog's end, open transactions included."""
        return self._offset(self._changelog, partition, OffsetSpec.latest())  # type: ignore[no-untyped-call]

    def first(self, partition: int) -> Asked[int]:
        """Ask for the first offset that is left of the readings."""
        return self._offset(self._readings, partition, OffsetSpec.earliest())  # type: ignore[no-untyped-call]

    def end(self, partition: int) -> Asked[int]:
        """Ask for the readings' end."""
        return self._offset(self._readings, partition, OffsetSpec.latest())  # type: ignore[no-untyped-call]

    def committed(self, partition: int) -> Asked[int | None]:
        """Ask for the group's offset of the readings, None where it has none."""
        at = TopicPartition(self._readings, partition)

        def read(answers: list[TopicPartition]) -> int | None:
            (answer,) = answers
            if answer.error is not None:
                raise KafkaException(answer.error)
            return answer.offset if answer.offset >= 0 else None

        return Asked(
            lambda: self._thread.submit(self._ask_committed, at),
            read,
            lambda error: self._complaints(error, asked="the group's offset, which no open transaction changes"),
        )

    def _ask_committed(self, at: TopicPartition) -> list[TopicPartition]:
        self._consumer.poll(0)  # serves the client's lines for KAFKA_DEBUG, since nobody else does
        return self._consumer.committed([at], _STABLE_OFFSET_S)

    def close(self) -> None:
        """End the client."""
        self._thread.shutdown(cancel_futures=True)
        self._consumer.close()

    def _offset(self, topic: str, partition: int, which: OffsetSpec) -> Asked[int]:
        at = TopicPartition(topic, partition)

        def ask() -> "Future[Any]":
            return self._admin.list_offsets(
                {at: which}, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=_ANSWER_S
            )[at]

        return Asked(ask, known_offset, self._retry)

    def _retry(self, error: KafkaError) -> None:
        # After a crash of the broker the client goes on asking the old leader, unless it fetches the metadata.
        with contextlib.suppress(KafkaException):
            self._admin.list_topics(timeout=1.0)
        self._complaints(error, asked="a topic's offsets")
