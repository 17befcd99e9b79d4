"""What the service relies on, held by the fake as by a real broker: one suite for both."""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]

from tests.fake_kafka.broker import Clock, FakeKafka
from tests.fake_kafka.interface import FAKE, REAL, ClientClasses, ConsumerCalls, ProducerCalls
from tests.fake_kafka.process import FakeProcess

_SECONDS = 30.0
_FENCED = {KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH}
_STABLE_S = 0.5
READ = {
    "enable.auto.commit": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
    "isolation.level": "read_committed",
}


class Cluster:
    """A topic of two partitions with a name of its own, and clients for it; real ones, or the fake's."""

    def __init__(self, topic: str, servers: object, clients: ClientClasses, wait: Callable[[float], None]) -> None:
        self.topic, self._servers, self._clients, self.wait = topic, servers, clients, wait
        self._made: list[ConsumerCalls] = []

    def producer(self, name: str = "id", timeout_ms: int = 60_000) -> ProducerCalls:
        """Return a transactional producer whose id has this name in this test, and which has taken it."""
        made = self._clients.producer(
            {
                "bootstrap.servers": self._servers,
                "transactional.id": f"{self.topic}.{name}",
                "transaction.timeout.ms": timeout_ms,
                "retry.backoff.ms": 1,
            }
        )
        made.init_transactions(_SECONDS)
        return made

    def member(self) -> "Membership":
        """Return a member of the group, with all that it has been given so far."""
        return Membership(self.consumer(**{"partition.assignment.strategy": "cooperative-sticky"}), self.topic)

    def consumer(self, **more: Any) -> ConsumerCalls:
        """Return a consumer that has the group's name."""
        made = self._clients.consumer(
            {"bootstrap.servers": self._servers, "group.id": f"{self.topic}.group", **READ, **more}
        )
        self._made.append(made)
        return made

    def read(self, isolation: str = "read_committed", start: int = 0) -> tuple[list[tuple[int, bytes]], int]:
        """Return the offsets and values of partition 0, and the offset at which it ends for this reader."""
        reader = self.consumer(**{"isolation.level": isolation})
        reader.incremental_assign([TopicPartition(self.topic, 0, start)])
        found: list[tuple[int, bytes]] = []
        while True:
            message = reader.poll(_SECONDS)
            assert message is not None, "neither a message nor an end"
            error, offset = message.error(), message.offset() or 0
            if error is not None:
                assert error.code() == KafkaError._PARTITION_EOF, error
                return found, offset
            found.append((offset, message.value() or b""))

    def committed(self, seconds: float = _SECONDS) -> int:
        """Return the group's offset of partition 0, -1001 where it has none; KafkaException where it is unstable."""
        (at,) = self.consumer().committed([TopicPartition(self.topic, 0)], seconds)
        if at.error is not None:
            raise KafkaException(at.error)
        return int(at.offset)

    def end(self) -> int:
        """Return the end of partition 0, open transactions included."""
        admin = self._clients.admin({"bootstrap.servers": self._servers})
        at = TopicPartition(self.topic, 0)
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        return int(admin.list_offsets({at: latest}, request_timeout=_SECONDS)[at].result().offset)

    def offset(self, offset: int) -> list[TopicPartition]:
        """Return a next offset of partition 0, as a transaction takes it."""
        return [TopicPartition(self.topic, 0, offset)]

    def close(self) -> None:
        """End the consumers."""
        for made in self._made:
            made.close()


class Membership:
    """A member of the group, and what its callbacks were told."""

    def __init__(self, consumer: ConsumerCalls, topic: str) -> None:
        self.consumer = consumer
        self.calls: list[tuple[str, list[int]]] = []

        def callback(name: str, do: Callable[[Any], None]) -> Callable[[Any, Any], None]:
            def called(_consumer: Any, partitions: list[TopicPartition]) -> None:
                self.calls.append((name, [at.partition for at in partitions]))
                do(partitions)

            return called

        def assign(partitions: list[TopicPartition]) -> None:
            consumer.incremental_assign([TopicPartition(at.topic, at.partition, 0) for at in partitions])

        consumer.subscribe(
            [topic],
            on_assign=callback("assigned", assign),
            on_revoke=callback("revoked", consumer.incremental_unassign),
            on_lost=callback("lost", consumer.incremental_unassign),
        )

    @property
    def partitions(self) -> set[int]:
        """What it has."""
        return {at.partition for at in self.consumer.assignment()}

    def poll_until(self, true: Callable[[], bool], *others: "Membership") -> None:
        """Poll, and let the others poll, until something is so; no partition is in two hands meanwhile."""
        for _ in range(300):
            if true():
                return
            for member in (self, *others):
                member.consumer.poll(0.1)
                owned = [number for one in (self, *others) for number in one.partitions]
                assert len(owned) == len(set(owned))
        raise AssertionError(f"it does not become so: {self.calls}, {[other.calls for other in others]}")


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.broker)])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A topic on either."""
    topic = f"t{uuid.uuid4().hex[:8]}"
    if request.param == "fake":
        clock = Clock()
        made = Cluster(topic, FakeProcess(FakeKafka({topic: 2}, clock)), FAKE, clock.sleep)
    else:
        servers = request.getfixturevalue("broker").bootstrap_servers
        made = Cluster(topic, servers, REAL, time.sleep)
        admin = AdminClient({"bootstrap.servers": servers})
        admin.create_topics([NewTopic(topic, 2)])[topic].result()
    yield made
    made.close()


def refused(call: Callable[..., object], *arguments: object) -> KafkaError:
    """Make a call that must be refused, and return the error."""
    with pytest.raises(KafkaException) as caught:
        call(*arguments)
    error = caught.value.args[0]
    assert isinstance(error, KafkaError)
    return error


def write(producer: ProducerCalls, topic: str, *values: bytes) -> None:
    """Open a transaction and write these, as far as the broker."""
    producer.begin_transaction()
    for value in values:
        producer.produce(topic, value, b"key", 0)
    producer.flush(_SECONDS)


def test_what_a_transaction_wrote_is_read_once_it_is_committed(cluster: Cluster) -> None:
    """All of it, and the end that a reader is told of lies behind its marker."""
    producer = cluster.producer()
    write(producer, cluster.topic, b"a", b"b")
    producer.commit_transaction(_SECONDS)
    assert cluster.read() == ([(0, b"a"), (1, b"b")], 3)


def test_what_an_aborted_transaction_wrote_is_never_read(cluster: Cluster) -> None:
    """It takes offsets, though."""
    producer = cluster.producer()
    write(producer, cluster.topic, b"undone")
    producer.abort_transaction(_SECONDS)
    write(producer, cluster.topic, b"a")
    producer.commit_transaction(_SECONDS)
    assert cluster.read() == ([(2, b"a")], 4)
    assert cluster.read("read_uncommitted")[0] == [(0, b"undone"), (2, b"a")]


def test_reading_goes_on_at_the_next_offset_over_markers(cluster: Cluster) -> None:
    """From a marker's offset too."""
    producer = cluster.producer()
    for value in (b"a", b"b"):
        write(producer, cluster.topic, value)
        producer.commit_transaction(_SECONDS)
    assert cluster.read(start=1) == ([(2, b"b")], 4)
    assert cluster.read(start=4) == ([], 4)


def test_the_last_stable_offset_holds_readers_back(cluster: Cluster) -> None:
    """What was committed behind an open transaction is read once that one has ended; the end lies behind both."""
    open_, other = cluster.producer("open"), cluster.producer("other")
    write(open_, cluster.topic, b"a")
    write(other, cluster.topic, b"b")
    other.commit_transaction(_SECONDS)
    assert cluster.read() == ([], 0)
    assert cluster.end() == 3
    open_.commit_transaction(_SECONDS)
    assert cluster.read() == ([(0, b"a"), (1, b"b")], 4)


def test_offsets_and_messages_of_a_transaction_appear_together(cluster: Cluster) -> None:
    """As long as it is open the group's offset is not told, and once it is committed both are there."""
    producer, member = cluster.producer(), cluster.member()
    member.poll_until(lambda: member.partitions == {0, 1})
    assert cluster.committed() == -1001
    write(producer, cluster.topic, b"a")
    producer.send_offsets_to_transaction(cluster.offset(7), member.consumer.consumer_group_metadata(), _SECONDS)
    assert refused(cluster.committed, _STABLE_S).code() == KafkaError._TIMED_OUT
    assert cluster.read() == ([], 0)
    producer.commit_transaction(_SECONDS)
    assert cluster.committed() == 7
    assert cluster.read() == ([(0, b"a")], 2)


def test_offsets_of_an_aborted_transaction_are_none(cluster: Cluster) -> None:
    """The group stands where it stood."""
    producer, member = cluster.producer(), cluster.member()
    member.poll_until(lambda: member.partitions == {0, 1})
    for offset, end in ((5, producer.commit_transaction), (7, producer.abort_transaction)):
        producer.begin_transaction()
        producer.send_offsets_to_transaction(
            cluster.offset(offset), member.consumer.consumer_group_metadata(), _SECONDS
        )
        end(_SECONDS)
    assert cluster.committed() == 5


def test_a_commit_of_an_old_generation_is_refused(cluster: Cluster) -> None:
    """Once another member was let in; the transaction can only be aborted then, and is not there."""
    producer, member = cluster.producer(), cluster.member()
    member.poll_until(lambda: member.partitions == {0, 1})
    old = member.consumer.consumer_group_metadata()
    other = cluster.member()
    member.poll_until(lambda: len(member.partitions) == len(other.partitions) == 1, other)
    write(producer, cluster.topic, b"undone")
    error = refused(producer.send_offsets_to_transaction, cluster.offset(7), old, _SECONDS)
    assert (error.code(), error.txn_requires_abort()) == (KafkaError.ILLEGAL_GENERATION, True)
    assert refused(producer.commit_transaction, _SECONDS).txn_requires_abort()
    producer.abort_transaction(_SECONDS)
    assert cluster.committed() == -1001
    assert cluster.read() == ([], 2)


def test_a_commit_of_a_member_that_has_left_is_refused(cluster: Cluster) -> None:
    """The group does not know it any more."""
    producer, member = cluster.producer(), cluster.member()
    member.poll_until(lambda: member.partitions == {0, 1})
    left = member.consumer.consumer_group_metadata()
    member.consumer.close()
    producer.begin_transaction()
    error = refused(producer.send_offsets_to_transaction, cluster.offset(7), left, _SECONDS)
    assert (error.code(), error.txn_requires_abort()) == (KafkaError.UNKNOWN_MEMBER_ID, True)


def test_the_commit_of_one_that_never_joined_is_accepted(cluster: Cluster) -> None:
    """Kafka has it so: which is why a member that was thrown out commits nothing (`Source.group_metadata`)."""
    producer = cluster.producer()
    stranger = cluster.consumer()
    producer.begin_transaction()
    producer.send_offsets_to_transaction(cluster.offset(7), stranger.consumer_group_metadata(), _SECONDS)
    producer.commit_transaction(_SECONDS)
    assert cluster.committed() == 7


def test_an_id_fences_its_predecessor(cluster: Cluster) -> None:
    """What the predecessor left open is aborted at once, and no call of it does anything any more."""
    older = cluster.producer()
    write(older, cluster.topic, b"undone")
    newer = cluster.producer()
    assert cluster.read() == ([], 2)
    error = refused(older.commit_transaction, _SECONDS)
    assert error.code() in _FENCED
    assert error.fatal()
    write(newer, cluster.topic, b"a")
    newer.commit_transaction(_SECONDS)
    assert cluster.read() == ([(2, b"a")], 4)


def test_a_predecessor_without_a_transaction_is_fenced_too(cluster: Cluster) -> None:
    """It finds out at the latest when it commits."""
    older = cluster.producer()
    cluster.producer()
    older.begin_transaction()
    older.produce(cluster.topic, b"undone", b"key", 0)
    assert refused(older.commit_transaction, _SECONDS).code() in _FENCED
    assert cluster.read()[0] == []


def test_a_transaction_that_is_open_for_too_long_is_aborted(cluster: Cluster) -> None:
    """By the broker, at one of its looks; its producer is fenced with it."""
    slow = cluster.producer(timeout_ms=1000)
    write(slow, cluster.topic, b"undone")
    for _ in range(60):
        if cluster.read()[1] == 2:
            break
        cluster.wait(1.0)
    assert cluster.read() == ([], 2)
    assert refused(slow.commit_transaction, _SECONDS).code() in _FENCED


def test_partitions_move_one_by_one(cluster: Cluster) -> None:
    """A newcomer gets a partition once its owner has given it up, and what stays is not taken from its owner."""
    member = cluster.member()
    member.poll_until(lambda: member.partitions == {0, 1})
    other = cluster.member()
    member.poll_until(lambda: len(member.partitions) == len(other.partitions) == 1, other)
    (moved,) = other.partitions
    calls = [call for call in member.calls if call[1]]
    assert calls == [("assigned", [0, 1]), ("revoked", [moved])]
    other.consumer.close()
    member.poll_until(lambda: member.partitions == {0, 1})


def test_an_end_comes_once_and_again_after_a_message(cluster: Cluster) -> None:
    """Each time that a reader has come there, by whatever way."""
    producer, reader = cluster.producer(), cluster.consumer()
    reader.incremental_assign([TopicPartition(cluster.topic, 0, 0)])
    seen: list[object] = []
    for value in (b"a", b"b"):
        write(producer, cluster.topic, value)
        producer.commit_transaction(_SECONDS)
        while not seen or seen[-1] != cluster.end():
            message = reader.poll(_SECONDS)
            assert message is not None
            seen.append(message.offset() if message.error() is not None else message.value())
        assert reader.poll(0.5) is None
    assert [one for one in seen if one != 0] in ([b"a", 2, b"b", 4], [b"a", 1, 2, b"b", 3, 4], [b"a", 2, b"b", 3, 4])


def test_what_was_truncated_is_told(cluster: Cluster) -> None:
    """A reader that stands before the first offset, or behind the end, gets an error and no message."""
    reader = cluster.consumer()
    reader.incremental_assign([TopicPartition(cluster.topic, 0, 5)])
    message = reader.poll(_SECONDS)
    assert message is not None
    error = message.error()
    assert error is not None
    assert error.code() == KafkaError._AUTO_OFFSET_RESET
