"""A producer, with transactions where it has a `transactional.id`."""

from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from season.client.consumer import GroupMetadata, Properties
from season.client.errors import ClientError, client_error, translated
from season.client.message import Headers

Delivered = Callable[[ClientError | None, str], None]
"""Gets each message's error, or None, and its topic."""


class ClientProducer:
    """The client. Calls raise ClientError; those with a timeout return by then, if the client keeps its word."""

    def __init__(
        self,
        properties: Properties,
        *,
        on_delivery: Delivered | None = None,
        on_error: Callable[[ClientError], None] | None = None,
    ) -> None:
        """Get callbacks for what becomes of each message, and for errors of no call."""
        callbacks: Properties = {}
        if on_delivery is not None:
            callbacks["on_delivery"] = _delivery_callback(on_delivery)
        if on_error is not None:
            callbacks["error_cb"] = lambda error: on_error(client_error(error))
        self._producer: Producer = producer_client(properties | callbacks)

    def produce(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        partition: int = -1,
        headers: Headers | None = None,
    ) -> None:
        """Queue a message; -1 is the partition that the key decides. BufferError where no room is left."""
        try:
            self._producer.produce(topic, value, key, partition, headers=headers or [])
        except KafkaException as exception:
            raise client_error(exception.args[0]) from None

    def poll(self, timeout_s: float) -> None:
        """Serve callbacks, for so long at most."""
        self._producer.poll(timeout_s)

    def flush(self, timeout_s: float) -> int:
        """Send what is queued, for so long at most; return how many messages are left."""
        with translated():
            return self._producer.flush(timeout_s)

    def left(self) -> int:
        """Return how many messages are queued or being sent."""
        return len(self._producer)

    def init_transactions(self, timeout_s: float) -> None:
        """Acquire the id, which fences its predecessor and ends its transaction."""
        with translated():
            self._producer.init_transactions(timeout_s)

    def begin_transaction(self) -> None:
        """Begin a transaction; the broker hears of it with the first write."""
        with translated():
            self._producer.begin_transaction()

    def send_offsets(
        self, topic: str, next_offsets: Mapping[int, int], metadata: GroupMetadata, timeout_s: float
    ) -> None:
        """Let the transaction carry next offsets of a member's group."""
        offsets = [TopicPartition(topic, partition, offset) for partition, offset in next_offsets.items()]
        with translated():
            self._producer.send_offsets_to_transaction(offsets, metadata, timeout_s)

    def commit_transaction(self, timeout_s: float) -> None:
        """Commit, once all messages are delivered."""
        with translated():
            self._producer.commit_transaction(timeout_s)

    def abort_transaction(self, timeout_s: float) -> None:
        """Abort."""
        with translated():
            self._producer.abort_transaction(timeout_s)


def producer_client(properties: Properties) -> Any:
    """Make a client, which connects only when it is used. Raises ClientError where it refuses the properties."""
    with translated():
        return Producer(properties)


def _delivery_callback(on_delivery: Delivered) -> Callable[[KafkaError | None, Message], None]:
    def delivered(error: KafkaError | None, message: Message) -> None:
        on_delivery(None if error is None else client_error(error), (message and message.topic()) or "")

    return delivered
