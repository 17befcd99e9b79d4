"""The fake's producer, with the calls that the service uses, and the errors of Kafka's own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from tests.fake_kafka.broker import FakeKafka
from tests.fake_kafka.group import Metadata
from tests.fake_kafka.log import FakeRecord, Headers
from tests.fake_kafka.process import FakeProcess, call


class FakeProducer:
    """Writes messages, in transactions where it has a `transactional.id`."""

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self.process: FakeProcess = properties["bootstrap.servers"]
        self._broker: FakeKafka = self.process.broker
        self._name: str | None = properties.get("transactional.id")
        self._timeout_s = properties.get("transaction.timeout.ms", 60_000) / 1000
        self._epoch = -1
        self._failed: KafkaError | None = None  # what the transaction has to be aborted for
        self._queue: list[Callable[[], None]] = []  # what is still to be sent

    @call
    def init_transactions(self, timeout: float = -1) -> None:
        """Get the id."""
        assert self._name is not None
        self._epoch = self._broker.register(self._name, self._timeout_s)

    @call
    def begin_transaction(self) -> None:
        """Begin; the broker hears of it with the first write."""
        self._raise_failure()

    @call
    def produce(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int = -1,
        headers: Sequence[tuple[str, str | bytes | None]] = (),
    ) -> None:
        """Write a message. That this producer was fenced shows with a later call, since no answer is waited for."""
        as_read: Headers = [(name, text.encode() if isinstance(text, str) else text) for name, text in headers]
        self._queue.append(lambda: self._write(topic, partition, key, value, as_read))
        if not self.process.lazy:
            self.flush()

    @call
    def send_offsets_to_transaction(
        self, positions: list[TopicPartition], group_metadata: Metadata, timeout: float = -1
    ) -> None:
        """Let the transaction carry next offsets of a group."""
        assert self._name is not None
        self._raise_failure()
        offsets = {(at.topic, at.partition): at.offset for at in positions}
        try:
            self._broker.add_offsets(self._name, self._epoch, offsets, group_metadata)
        except KafkaException as exception:
            self._failed = exception.args[0]
            raise

    @call
    def commit_transaction(self, timeout: float = -1) -> None:
        """Commit, or say again that it was committed."""
        assert self._name is not None
        self._raise_failure()
        self.flush()
        self._broker.end(self._name, self._epoch, committed=True)

    @call
    def abort_transaction(self, timeout: float = -1) -> None:
        """Abort."""
        assert self._name is not None
        self._failed = None
        self._queue.clear()
        self._broker.end(self._name, self._epoch, committed=False)

    def poll(self, timeout: float = -1) -> int:
        """Serve callbacks, of which there are none."""
        return 0

    def flush(self, timeout: float = -1) -> int:
        """Send what is still to be sent."""
        queue, self._queue = self._queue, []
        for send in queue:
            send()
        return 0

    def _write(self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        transaction = None
        if self._name is not None:
            if self._failed is not None or not self._broker.owns(self._name, self._epoch):
                return
            transaction = self._broker.begin(self._name, self._epoch)
        self._broker.write(topic, partition, FakeRecord(key, value, headers, self._broker.clock.time(), transaction))

    def _raise_failure(self) -> None:
        if self._failed is not None:
            raise KafkaException(self._failed)
