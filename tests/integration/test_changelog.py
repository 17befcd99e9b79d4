"""The changelog on a real broker: compacted it gives the state back, and damaged it stops the start."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from consumer.adapters.asked import Inquirer
from consumer.adapters.logs import Complaints
from consumer.adapters.restore import Restored, Restorer
from consumer.adapters.transaction import Output, Transactions
from consumer.core import changelog
from consumer.core.changelog import Changelog, number
from consumer.core.claim import is_claim
from consumer.core.record import Origin, decode
from consumer.core.state import State
from kafka_local import Broker
from season.calendar import HOUR
from season.client.admin import Admin
from tests.consumer.core.laws import columns
from tests.consumer.core.test_changelog import columns_of
from tests.integration.oracle import Logged
from tests.integration.test_promises import START, day
from tests.integration.test_service import ROME, RULES
from tests.integration.world import World, wait

# What a broker compacts at once: a segment a moment, cleaned however little of it is superseded, tombstones too.
COMPACTED_AT_ONCE = {
    "cleanup.policy": "compact",
    "segment.ms": "50",
    "min.cleanable.dirty.ratio": "0.01",
    "delete.retention.ms": "100",
}
Log = Sequence[Logged]
Row = tuple[str, int, float, float]


def create(world: World, topic: str, config: dict[str, str]) -> None:
    """A topic made by hand, with as many partitions as `readings`."""
    world.admin.create_topics([NewTopic(topic, world.partitions, config=config)])[topic].result()


class Writer:
    """A partition's state and its changelog, written in transactions by the service's own classes."""

    def __init__(self, world: World) -> None:
        self.topic = world.environ["CHANGELOG_TOPIC"]
        self.state, self.log = State(ROME), Changelog()
        self._place = Origin("id", 7, ROME.time_zone, ROME.day_start)
        self._transactions = Transactions(world.environ, world.name, lambda: False)
        self._transactions.acquire_id(lambda _: None)
        self._member = Consumer({"bootstrap.servers": world.servers, "group.id": world.environ["CONSUMER_GROUP"]})

    def commit(self, several: Iterable[Sequence[Row]]) -> None:
        """One commit; of several batches of readings, as that many commits would write them."""
        self._transactions.start(self._records(several), "", {}, self._member.consumer_group_metadata())
        self._transactions.finish()

    def commit_begun(self, several: Iterable[Sequence[Row]]) -> None:
        """The second half of a commit whose offsets are sent already."""
        for output in self._records(several):
            self._transactions._send(*output)
        self._transactions._conclude("", {}, self._member.consumer_group_metadata())

    def _records(self, several: Iterable[Sequence[Row]]) -> Iterator[Output]:
        for rows in several:
            self.state.read(columns(rows, ROME), 9e9, RULES)
            for key, value in self.log.records(self.state, self.state.changes(), self._place):
                yield self.topic, key, value, None, 0
            self.state.commit()

    def send_offset(self, readings: str) -> None:
        """The first half of the next commit: the group's offset, without records and undecided."""
        offsets = [TopicPartition(readings, 0, self._place.offset)]
        # A new broker has no coordinator for groups until somebody asks, and sending offsets would wait for ever.
        wait(lambda: bool(self._member.committed(offsets, 10)), 30, "there is no coordinator for the group")
        self._transactions._begin()
        send, member = self._transactions._client.send_offsets, self._member.consumer_group_metadata()
        self._transactions._repeat(lambda timeout_s: send(readings, {0: self._place.offset}, member, timeout_s))

    def close(self) -> None:
        """Ends the clients."""
        self._member.close()


@contextmanager
def restoring(world: World) -> Iterator[tuple[Restorer, Inquirer]]:
    """The service's own restorer, at partition 0, and who it asks."""
    environ = world.environ
    names = environ["CONSUMER_GROUP"], environ["READINGS_TOPIC"], environ["CHANGELOG_TOPIC"]
    with (
        closing(Inquirer(environ, Admin(world.admin), *names, Complaints())) as asked,
        closing(Restorer(environ, asked, names[2], ROME)) as restorer,
    ):
        restorer.begin(0)
        yield restorer, asked


def restored(world: World) -> Restored:
    """What the service's own restorer makes of the changelog."""
    with restoring(world) as (restorer, _):
        return whole_of(restorer)


def whole_of(restorer: Restorer) -> Restored:
    """What it makes of partition 0."""
    found: dict[int, Restored] = {}
    wait(lambda: bool(found.update(restorer.proceed(0.1)) or found), 60, "the changelog is not read to its end")
    return found[0]


def test_the_end_is_asked_for_once_the_groups_offset_is_stable(broker: Broker) -> None:
    """An owner of before stands between its offsets and its records: what it then commits is restored, all of it."""
    world = World(broker.bootstrap_servers, partitions=1)
    world.environ["CHANGELOG_TOPIC"] = f"{world.name}.windows"
    create(world, world.environ["CHANGELOG_TOPIC"], {})
    with closing(Writer(world)) as writer:
        writer.send_offset(world.environ["READINGS_TOPIC"])
        with restoring(world) as (restorer, asked):
            until = time.monotonic() + 2
            while time.monotonic() < until:
                assert not restorer.proceed(0.1)
            # More records than a restorer takes in one turn: one that has its end already would stop before the last.
            rows = [[("a zone", START + n % 24 * HOUR, float(n), 9e9)] for n in range(900)]
            writer.commit_begun(rows)
            again = asked.committed(0)
            wait(again.answered, 60, "the group's offset is not told")
            time.sleep(1)  # and the restorer's own question is answered
            found = whole_of(restorer)
    known = writer.state.known
    assert found.origin is not None
    assert found.origin.offset == found.committed == 7
    assert columns_of(found.state.snapshot(0, known)) == columns_of(writer.state.snapshot(0, known))


def cleaned(world: World, writer: Writer, oldest: int) -> bool:
    """Whether nothing older is left. A broker never cleans the segment that it writes to: a commit begins another."""
    writer.commit([()])
    return min(number(m.key) or 0 for m in world.flat("CHANGELOG_TOPIC") if m.value is not None) >= oldest


def test_what_the_brokers_cleaner_leaves_gives_the_state_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much compaction has taken of the records, the state and the changelog's stand are what they were."""
    monkeypatch.setattr(changelog, "_CHUNK_BYTES", 3000)  # a turn of several chunks
    random = np.random.default_rng(0)
    with Broker(tmp_path / "kafka", {"log.cleaner.backoff.ms": "100"}) as broker:
        world = World(broker.bootstrap_servers, partitions=1)
        world.environ["CHANGELOG_TOPIC"] = f"{world.name}.windows"
        create(world, world.environ["CHANGELOG_TOPIC"], COMPACTED_AT_ONCE)
        writer = Writer(world)
        for turn in range(3):
            for hour in range(turn * 50, (turn + 1) * 50):
                zones = random.choice(50, 40, replace=False)
                rows = [(f"zone {zone}", START + hour * HOUR, float(random.normal()), 9e9) for zone in zones]
                writer.commit([rows])
            oldest, known = writer.log.oldest, writer.state.known
            assert oldest > turn * 50
            wait(partial(cleaned, world, writer, oldest), 60, "the broker does not compact the changelog")
            again = restored(world)
            assert columns_of(again.state.snapshot(0, known)) == columns_of(writer.state.snapshot(0, known))
            assert replace(again.changelog, owed=0) == replace(writer.log, owed=0)
            writer.state, writer.log = again.state, again.changelog
        writer.close()


@pytest.fixture(scope="module")
def written(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world whose service is gone, and has committed so often that records of both kinds are needed."""
    world = World(broker.bootstrap_servers, partitions=1)
    world.environ["CHANGELOG_TOPIC"] = f"{world.name}.windows"
    with world.service(tmp_path_factory.mktemp("written")) as service:
        world.publish([message for zone in "abcdefgh" for message in day(zone, range(1))])
        for hour in range(1, 24):
            world.publish(day("a", range(hour, hour + 1)))
            world.wait_until_read()
            log = world.log("CHANGELOG_TOPIC")[0]
            if needed(log, chunk=True) and needed(log, chunk=False):
                break
        assert service.stop() == 0
    return world


def whole(log: Log) -> Log:
    """Nothing is changed."""
    return log


def flipped(log: Log) -> Log:
    """One bit of one value is another one."""
    value = bytearray(log[-1].value or b"")
    value[len(value) // 2] ^= 4
    return [*log[:-1], record(log[-1].key, bytes(value))]


def later_version(log: Log) -> Log:
    """The last record is of a format that is not known yet."""
    value = log[-1].value or b""
    return [*log[:-1], record(log[-1].key, value[:6] + b"\x63" + value[7:])]


def foreign(log: Log) -> Log:
    """Somebody else's record stands there too, with a key like ours."""
    return [*log, record(b"%d" % 10**9, b'{"zone": "IT"}')]


def foreign_key(log: Log) -> Log:
    """Somebody else's record with a key of his."""
    return [*log, record(b"IT", b"{}")]


def without_a_chunk(log: Log) -> Log:
    """A range of zones, which is needed, is missing."""
    return [message for message in log if message is not needed(log, chunk=True)[-1]]


def without_a_difference(log: Log) -> Log:
    """What one commit changed, which is needed, is missing."""
    return [message for message in log if message is not needed(log, chunk=False)[-1]]


def twice(log: Log) -> Log:
    """Two programs wrote the same numbers."""
    return [*log, log[-1]]


def record(key: bytes | None, value: bytes) -> Logged:
    """A record of the changelog."""
    return Logged(0, 0, key, value, [])


def needed(log: Log, chunk: bool) -> Log:
    """The records of a kind that are needed, but for the last: after that one nothing shows a hole."""
    records = [message for message in log if message.value and not is_claim(message.key)]
    values = [(number(message.key) or 0, decode(message.value or b""), message) for message in records]
    since = values[-1][1][1].since
    return [message for at, (changes, _), message in values[:-1] if at >= since and any(changes.renewed) == chunk]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (flipped, "checksum"),
        (later_version, "version 99"),
        (foreign, "no changelog record of this program"),
        (foreign_key, "key"),
        (without_a_chunk, "missing"),
        (without_a_difference, "missing"),
        (twice, "somebody else"),
    ],
)
def test_a_damaged_or_foreign_changelog_stops_the_start(
    written: World, tmp_path: Path, damage: Callable[[Log], Log], says: str
) -> None:
    """Status 2 and a sentence that names the setting, the partition and what is wrong; no traceback."""
    topic = copied(written, damage)
    with written.service(tmp_path, CHANGELOG_TOPIC=topic) as service:
        assert service.process.wait(60) == 2
        log = service.log.read_text()
    assert says in log
    assert f"CHANGELOG_TOPIC='{topic}': partition 0 " in log
    assert "Traceback" not in log


def test_a_copy_of_a_changelog_is_one(written: World, tmp_path: Path) -> None:
    """The same without damage starts: so it is the damage that stops it."""
    with written.service(tmp_path, CHANGELOG_TOPIC=copied(written, whole)) as service:
        service.ready()
        assert service.stop() == 0


def copied(world: World, damage: Callable[[Log], Log]) -> str:
    """A topic with the changelog's records, tombstones left out, damaged."""
    topic = f"{world.environ['CHANGELOG_TOPIC']}.{damage.__name__}"
    create(world, topic, {"cleanup.policy": "compact"})
    producer = Producer({"bootstrap.servers": world.servers})
    for message in damage([message for message in world.log("CHANGELOG_TOPIC")[0] if message.value]):
        producer.produce(topic, message.value, message.key)
    producer.flush()
    return topic
