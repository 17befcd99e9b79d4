"""Kafka in memory: the logs of some topics, and the coordinators of transactions and groups.

It keeps the laws of `test_laws.py`, which a real broker keeps too. No thread is here, and time is the test's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from confluent_kafka import KafkaError, KafkaException

from season.kafka import murmur2_partition
from tests.fake_kafka.group import FakeGroup, Key, Metadata
from tests.fake_kafka.log import ABORTED, COMMITTED, OPEN, FakeLog, FakeRecord, Transaction


@dataclass(eq=False)
class ProducerState:
    """What the coordinator knows of a transactional id: its newest epoch, and that one's transaction."""

    timeout_s: float
    epoch: int = -1
    transaction: Transaction | None = None


class Clock:
    """Time that only passes where somebody waits, or a test says so."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._start, self._passed = start, 0.0

    def monotonic(self) -> float:
        """As in `time`."""
        return self._passed

    def time(self) -> float:
        """As in `time`."""
        return self._start + self._passed

    def sleep(self, seconds: float) -> None:
        """As in `time`."""
        self._passed += seconds


class FakeKafka:
    """A cluster.

    `marker_delay_s` lies between the decision of a commit and its marker in the group, and again in the topics.
    """

    def __init__(self, topics: Mapping[str, int], clock: Clock, marker_delay_s: float = 0.0) -> None:
        self.clock = clock
        self.marker_delay_s = marker_delay_s
        self._logs = {topic: [FakeLog() for _ in range(partitions)] for topic, partitions in topics.items()}
        self._producers: dict[str, ProducerState] = {}
        self._groups: dict[str, FakeGroup] = {}
        self._due: list[tuple[float, Callable[[], None]]] = []  # markers that are still to be written

    def log(self, topic: str, partition: int) -> FakeLog:
        """Return a partition's log."""
        return self._logs[topic][partition]

    def logs(self, topic: str) -> list[FakeLog]:
        """Return the logs of a topic."""
        return self._logs[topic]

    def group(self, name: str) -> FakeGroup:
        """Return a consumer group; each is there as soon as one asks for it."""
        partitions = max(map(len, self._logs.values()))
        return self._groups.setdefault(name, FakeGroup(name, partitions))

    def pass_time(self) -> None:
        """Do what is due by now: write markers, and end transactions that have been open for too long."""
        now = self.clock.monotonic()
        due = [write for at, write in self._due if at <= now]
        self._due = [(at, write) for at, write in self._due if at > now]
        for write in due:
            write()
        for producer in self._producers.values():
            transaction = producer.transaction
            if transaction and transaction.outcome == OPEN and now - transaction.began > producer.timeout_s:
                self._end(producer, committed=False)
                producer.epoch += 1

    def write(self, topic: str, partition: int, record: FakeRecord) -> None:
        """Append a record; partition -1 is the one that the key's murmur2 hash chooses."""
        if partition < 0:
            partition = murmur2_partition(record.key or b"", len(self._logs[topic]))
        self.log(topic, partition).append(record)

    # The coordinator of transactions

    def register(self, name: str, timeout_s: float) -> int:
        """Give a transactional id to who asks: the transaction of its predecessor ends, and it is fenced."""
        producer = self._producers.setdefault(name, ProducerState(timeout_s))
        self._write_markers()
        if producer.transaction is not None and producer.transaction.outcome == OPEN:
            self._end(producer, committed=False)
            self._write_markers()
        producer.transaction = None
        producer.timeout_s = timeout_s
        producer.epoch += 1
        return producer.epoch

    def owns(self, name: str, epoch: int) -> bool:
        """Return whether nobody has been given the id since this epoch."""
        return self._producers[name].epoch == epoch

    def begin(self, name: str, epoch: int) -> Transaction:
        """Open a transaction, or return the one that is open: the first write to the broker does it."""
        producer = self._owned(name, epoch)
        if producer.transaction is None or producer.transaction.outcome != OPEN:
            self._write_markers()  # until the last one's are there a client is told to ask again
            producer.transaction = Transaction(self.clock.monotonic())
        return producer.transaction

    def add_offsets(self, name: str, epoch: int, offsets: dict[Key, int], metadata: Metadata) -> None:
        """Let a transaction carry offsets of a group, where the group knows who sends them. KafkaException."""
        self._owned(name, epoch)
        group = self.group(metadata.group)
        group.check(metadata)
        group.add_pending(self.begin(name, epoch), offsets)

    def end(self, name: str, epoch: int, committed: bool) -> None:
        """Decide a transaction. To say the same again, since the answer got lost, changes nothing. KafkaException."""
        producer = self._owned(name, epoch)
        outcome = COMMITTED if committed else ABORTED
        if producer.transaction is None or producer.transaction.outcome == outcome:
            return
        if producer.transaction.outcome != OPEN:
            raise KafkaException(KafkaError(KafkaError.INVALID_TXN_STATE, fatal=True))
        self._end(producer, committed)

    def open_transactions(self) -> bool:
        """Return whether anything is held back by a transaction."""
        return bool(self._due) or any(log.stable < log.end for logs in self._logs.values() for log in logs)

    def _owned(self, name: str, epoch: int) -> ProducerState:
        if not self.owns(name, epoch):
            raise KafkaException(KafkaError(KafkaError._FENCED, fatal=True))
        return self._producers[name]

    def _end(self, producer: ProducerState, committed: bool) -> None:
        transaction = producer.transaction
        assert transaction is not None
        transaction.outcome = COMMITTED if committed else ABORTED
        now = self.clock.monotonic()
        # FakeGroup and topics hear of it by markers of their own, in no order: here the group does first.
        for group in self._groups.values():
            self._due.append((now + self.marker_delay_s, partial(group.end_pending, transaction, committed)))
        for log in transaction.logs:
            self._due.append((now + 2 * self.marker_delay_s, partial(log.mark, transaction)))
        if not self.marker_delay_s:
            self._write_markers()

    def _write_markers(self) -> None:
        due, self._due = self._due, []
        for _, write in due:
            write()
