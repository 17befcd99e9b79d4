"""Asks the broker about a partition that is restored, without waiting for answers: others flow meanwhile.

Each question is repeated until it is answered. The group's offset is a stable one: the broker does not answer while a
transaction with offsets of the group is open, such as the last owner's. A consumer asks for it, on a thread of its
own, since the admin client ends the process (an assertion in librdkafka 2.16) if the group's coordinator goes away
during such a question.
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

from consumer.adapters.logs import Complaints, client_logger
from season.client.admin import Admin, Position
from season.client.consumer import TopicConsumer, consumer_client
from season.client.errors import ClientError
from season.kafka import groupless, merged_properties, refuse

_ANSWER_S = 5.0  # after which a question counts as not answered
_STABLE_OFFSET_S = 0.5  # the same for the group's offset, since other partitions' questions wait for the thread
_RETRY_DELAY_S = 0.1
_PROPERTIES = {"enable.auto.commit": False, "isolation.level": "read_committed", "allow.auto.create.topics": False}

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Answer(Protocol[T_co]):
    """An answer that comes by itself."""

    def done(self) -> bool:
        """Return whether it is there."""

    def result(self) -> T_co:
        """Return it. Raises ClientError."""


class Asked(Generic[T]):
    """One question under way; `value` is there once `answered` has said so."""

    def __init__(self, ask: Callable[[], Answer[T]], failed: Callable[[ClientError], None]) -> None:
        self.value: T
        self._ask, self._failed = ask, failed
        self._answer: Answer[T] | None = ask()
        self._retry_at = 0.0
        self._done = False

    def answered(self) -> bool:
        """Return whether the answer is there; ask again after an error. Raises RefusedError."""
        if self._answer is None and time.monotonic() >= self._retry_at:
            self._answer = self._ask()
        if self._answer is not None and self._answer.done() and not self._done:
            try:
                self.value = self._answer.result()
                self._done = True
            except ClientError as error:
                refuse([error])
                self._failed(error)
                self._answer, self._retry_at = None, time.monotonic() + _RETRY_DELAY_S
        return self._done


class Inquirer:
    """Asks the broker about a group and the partitions of two topics."""

    def __init__(
        self,
        environ: Mapping[str, str],
        admin: Admin,
        group: str,
        readings: str,
        changelog: str,
        complaints: Complaints,
    ) -> None:
        self._admin, self._readings, self._changelog = admin, readings, changelog
        self._complaints = complaints
        properties = groupless(merged_properties(consumer_client, environ, {**_PROPERTIES, "group.id": group}))
        self._consumer = TopicConsumer({**properties, "logger": client_logger()}, readings)
        self._thread = ThreadPoolExecutor(1, "offsets")

    def changelog_end(self, partition: int) -> Asked[int]:
        """Ask for the changelog's end, open transactions included."""
        return self._offset(self._changelog, partition, "latest")

    def first(self, partition: int) -> Asked[int]:
        """Ask for the first offset that is left of the readings."""
        return self._offset(self._readings, partition, "earliest")

    def end(self, partition: int) -> Asked[int]:
        """Ask for the readings' end."""
        return self._offset(self._readings, partition, "latest")

    def committed(self, partition: int) -> Asked[int | None]:
        """Ask for the group's offset of the readings, None where it has none."""
        return Asked(
            lambda: self._thread.submit(self._ask_committed, partition),
            lambda error: self._complaints(error, asked="the group's offset, which no open transaction changes"),
        )

    def _ask_committed(self, partition: int) -> int | None:
        self._consumer.serve()
        return self._consumer.committed(partition, _STABLE_OFFSET_S)

    def close(self) -> None:
        """End the client."""
        self._thread.shutdown(cancel_futures=True)
        self._consumer.close()

    def _offset(self, topic: str, partition: int, position: Position) -> Asked[int]:
        return Asked(lambda: self._admin.offsets(topic, [partition], position, _ANSWER_S)[partition], self._retry)

    def _retry(self, error: ClientError) -> None:
        # After a crash of the broker the client goes on asking the old leader, unless it fetches the metadata.
        with contextlib.suppress(ClientError):
            self._admin.cluster(1.0)
        self._complaints(error, asked="a topic's offsets")
