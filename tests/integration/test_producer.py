"""The producer on a real Apache Kafka: every row delivered once under its zone's key, or told."""

import datetime
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

from kafka_local import Broker, BrokerError
from season import instants
from season.kafka import murmur2_partition
from season.messages import decode_reading, encode_reading
from tests.integration.batches import SMALL, bomb, mute, send
from tests.integration.world import wait

ROOT = Path(__file__).parents[2]
START = instants.parse("2021-01-01T00:00:00Z")
HEADER = "zone,timestamp,demand_mw\n"


STARTED: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def _nothing_left_running() -> Iterator[None]:
    """Ends what a failed test has left."""
    yield
    while STARTED:
        process = STARTED.pop()
        process.kill()
        process.communicate()


class ProducerRun:
    """One producer as a user starts it, against a topic of its own."""

    def __init__(self, broker: Broker | str, topic: str, *arguments: str, **environ: str) -> None:
        servers = broker if isinstance(broker, str) else broker.bootstrap_servers
        self.process = subprocess.Popen(
            [sys.executable, "-m", "producer", *arguments],
            cwd=ROOT,
            env={
                **os.environ,
                "KAFKA_BOOTSTRAP_SERVERS": servers,
                "READINGS_TOPIC": topic,
                **environ,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        STARTED.append(self.process)

    def give(self, text: str) -> None:
        """Writes to its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def end(self, timeout: float = 60) -> tuple[int, str, str]:
        """Its exit status, standard output and standard error, once it has ended."""
        out, err = self.process.communicate(timeout=timeout)
        assert "Traceback" not in err
        return self.process.returncode, out, err


@pytest.fixture(scope="module")
def mortal() -> Iterator[Broker]:
    """A broker that these tests may kill."""
    with Broker() as running:
        yield running


@pytest.fixture
def own(mortal: Broker) -> Broker:
    """The broker that may be killed: it runs when a test begins."""
    try:
        assert mortal.pid
    except BrokerError:
        mortal.restart()
    return mortal


@pytest.fixture
def topic() -> str:
    """A topic's name that no other test has."""
    return f"readings-{uuid.uuid4().hex[:8]}"


def rows(zone: str, hours: range) -> str:
    """Rows of a CSV, the demand being the hour's number."""
    return "".join(f"{zone},{instants.format(START + hour * 3600)},{hour}\n" for hour in hours)


@contextmanager
def reader(broker: Broker, topic: str) -> Iterator[Consumer]:
    """A consumer of committed messages that stands at the beginning of every partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "group.id": "test",
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        yield consumer
    finally:
        consumer.close()


def messages(broker: Broker, topic: str) -> list[tuple[int, str, int, float, int]]:
    """All messages: partition, zone, hour, demand and message time, each key held to its zone."""
    found = []
    with reader(broker, topic) as consumer:
        left = len(consumer.assignment())
        while left:
            message = consumer.poll(10)
            assert message is not None
            error = message.error()
            if error is not None:
                assert error.code() == KafkaError._PARTITION_EOF
                left -= 1
                continue
            zone, instant, demand = decode_reading(message.value())
            assert message.key() == zone.encode()
            found.append((message.partition() or 0, zone, (instant - START) // 3600, demand, message.timestamp()[1]))
    return found


def hours(broker: Broker, topic: str) -> dict[str, list[int]]:
    """The hours on the topic in their order, by zone."""
    found: dict[str, list[int]] = {}
    for _, zone, hour, demand, _ in messages(broker, topic):
        assert demand == hour
        found.setdefault(zone, []).append(hour)
    return found


def test_every_row_is_delivered_once_in_order(broker: Broker, topic: str, tmp_path: Path) -> None:
    """The missing topic is created, keys choose partitions as in Java, the message time is the wall clock."""
    path = tmp_path / "readings.csv"
    zones = ["IT", "FR", "Südtirol", "DE", "AT"]
    lines = [rows(zone, range(hour, hour + 1)) for hour in range(200) for zone in zones]
    path.write_text(HEADER + "".join(lines), "utf-8")
    began = time.time() * 1000
    status, out, err = ProducerRun(broker, topic, str(path), TOPIC_PARTITIONS="3").end()
    assert (status, err) == (0, "")
    assert "delivered 1,000 readings of 5 zones, 2021-01-01T00:00:00Z to 2021-01-09T07:00:00Z" in out
    assert "1,000 rows read, 0 bad" in out
    assert hours(broker, topic) == {zone: list(range(200)) for zone in zones}
    for partition, zone, _, _, stamp in messages(broker, topic):
        assert partition == murmur2_partition(zone.encode(), 3)
        assert began <= stamp <= time.time() * 1000


def test_a_small_queue_loses_nothing(broker: Broker, topic: str) -> None:
    """Back-pressure: a queue of 100 messages is waited for, tens of thousands go through it."""
    run = ProducerRun(broker, topic, "-", KAFKA_QUEUE_BUFFERING_MAX_MESSAGES="100")
    run.process.stdin.write(HEADER + rows("IT", range(20_000)))  # type: ignore[union-attr]
    status, out, err = run.end()
    assert (status, err) == (0, "")
    assert "delivered 20,000 readings" in out
    assert hours(broker, topic) == {"IT": list(range(20_000))}


def test_a_bad_row_ends_it_after_what_came_before(broker: Broker, topic: str) -> None:
    """Status 1, the row's file, line and reason, and what was delivered before."""
    run = ProducerRun(broker, topic, "-")
    status, out, err = _give_all(run, HEADER + rows("IT", range(3)) + "IT,,5\n" + rows("IT", range(3, 6)))
    assert status == 1
    assert err.startswith("standard input:5: '' is not a time")
    assert "delivered 3 readings" in out
    assert "4 rows read, 1 bad" in out
    assert hours(broker, topic) == {"IT": [0, 1, 2]}


def test_skip_bad_tells_and_counts_bad_rows(broker: Broker, topic: str) -> None:
    """Status 0, each bad row told, all others delivered."""
    run = ProducerRun(broker, topic, "-", "--skip-bad")
    text = HEADER + rows("IT", range(3)) + "IT,,5\nIT\n" + rows("IT", range(3, 6))
    status, out, err = _give_all(run, text)
    assert status == 0
    assert [line.split(" ")[1].split(":")[1] for line in err.splitlines()] == ["5", "6"]
    assert "8 rows read, 2 bad" in out
    assert hours(broker, topic) == {"IT": list(range(6))}


def _give_all(run: ProducerRun, text: str) -> tuple[int, str, str]:
    out, err = run.process.communicate(text, timeout=60)
    assert "Traceback" not in err
    return run.process.returncode, out, err


def test_resume_sends_only_what_is_later_in_its_zone(broker: Broker, topic: str) -> None:
    """Each zone goes on behind its own latest reading; malformed and wrongly keyed messages do not count."""
    assert _give_all(ProducerRun(broker, topic, "-"), HEADER + rows("IT", range(10)) + rows("FR", range(5)))[0] == 0
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "partitioner": "murmur2_random"})
    later = START + 1000 * 3600
    producer.produce(topic, encode_reading("IT", later, 1.0), b"FR")
    producer.produce(topic, encode_reading("IT", later, 1.0)[:-1], b"IT")
    producer.produce(topic, None, b"IT")
    producer.flush()
    text = HEADER + rows("IT", range(12)) + rows("FR", range(7)) + rows("DE", range(2))
    status, out, _ = _give_all(ProducerRun(broker, topic, "-", "--resume"), text)
    assert status == 0
    assert "delivered 6 readings of 3 zones" in out
    assert "15 readings skipped" in out


def test_resume_waits_for_open_transactions_and_ignores_aborted_ones(broker: Broker, topic: str) -> None:
    """The topic's end is where it was when it was asked for, an open transaction included; aborted is not there."""
    assert _give_all(ProducerRun(broker, topic, "-"), HEADER + rows("IT", range(2)))[0] == 0
    for committed, expected in ((False, [2, 3, 4]), (True, [4])):
        producer = Producer(
            {
                "bootstrap.servers": broker.bootstrap_servers,
                "transactional.id": f"{topic}-{committed}",
                "transaction.timeout.ms": 600_000,
                "partitioner": "murmur2_random",
            }
        )
        producer.init_transactions()
        producer.begin_transaction()
        zone = "IT" if not committed else "FR"
        producer.produce(topic, encode_reading(zone, START + 3 * 3600, 3.0), zone.encode())
        producer.flush()
        run = ProducerRun(broker, topic, "-", "--resume")
        run.give(HEADER + rows(zone, range(5) if committed else range(2, 5)))
        time.sleep(2.5)
        assert run.process.poll() is None
        (producer.commit_transaction if committed else producer.abort_transaction)()
        status, out, _ = run.end()
        assert status == 0
        assert f"delivered {len(expected)} reading" in out
        assert [hour for _, found, hour, _, _ in messages(broker, topic) if found == zone][
            -len(expected) :
        ] == expected


def test_resume_passes_over_what_no_client_can_read(broker: Broker, topic: str) -> None:
    """Batches that cannot be unpacked or parsed are told with their place, and what stands behind them counts."""
    small = {"TOPIC_PARTITIONS": "1", **SMALL}
    assert _give_all(ProducerRun(broker, topic, "-", **small), HEADER + rows("IT", range(10)))[0] == 0
    send(broker.bootstrap_servers, topic, 0, bomb(30, 4_000_000))
    send(broker.bootstrap_servers, topic, 0, mute(2, 3))
    assert _give_all(ProducerRun(broker, topic, "-", **small), HEADER + rows("IT", range(10, 12)))[0] == 0
    send(broker.bootstrap_servers, topic, 0, bomb(2, 4_000_000))  # the last that there is
    status, out, err = _give_all(ProducerRun(broker, topic, "-", "--resume", **small), HEADER + rows("IT", range(15)))
    assert status == 0
    assert "delivered 3 readings of 1 zone" in out
    assert "12 readings skipped" in out
    for offsets in ("10 to 39", "42 to 44", "47 to 48"):
        assert f"passing over offsets {offsets} of partition 0 of {topic}: " in err


def test_speed_paces_by_the_readings_own_time(broker: Broker, topic: str) -> None:
    """Two zones of 24 hours at 12 hours a second take two seconds, not four."""
    text = HEADER + "".join(rows(zone, range(hour, hour + 1)) for hour in range(25) for zone in ("IT", "FR"))
    status, _, _ = _give_all(ProducerRun(broker, topic, "-", "--speed=12"), text)
    assert status == 0
    stamps = [stamp for _, _, _, _, stamp in messages(broker, topic)]
    assert len(stamps) == 50
    assert 1900 <= max(stamps) - min(stamps) <= 3500


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_what_is_in_hand_delivered(broker: Broker, topic: str, name: int) -> None:
    """Also while it waits for the next line of standard input: status 0, and all that came is on the topic."""
    run = ProducerRun(broker, topic, "-")
    run.give(HEADER + rows("IT", range(100)))
    wait(lambda: _has(broker, topic, 100), 60, "the readings do not come")
    run.process.send_signal(name)
    run.process.wait(60)
    status, out, err = run.end()
    assert (status, err) == (0, "stopped by a signal\n")
    assert "delivered 100 readings" in out


def _has(broker: Broker, topic: str, count: int) -> bool:
    with reader(broker, topic) as consumer:
        ends = [consumer.get_watermark_offsets(partition, timeout=10)[1] for partition in consumer.assignment()]
        return sum(ends) >= count


def test_a_missing_topic_that_must_not_be_created_stops_it(broker: Broker, topic: str) -> None:
    """CREATE_TOPICS=false: a sentence and status 2."""
    status, out, err = _give_all(ProducerRun(broker, topic, "-", CREATE_TOPICS="false"), HEADER)
    assert (status, out) == (2, "")
    assert topic in err


def test_a_file_that_turns_out_to_be_none_ends_it_after_what_came_before(
    broker: Broker, topic: str, tmp_path: Path
) -> None:
    """Standard input is looked at only when its turn comes: what was read before is delivered and said."""
    path = tmp_path / "readings.csv"
    path.write_text(HEADER + rows("IT", range(3)))
    status, out, err = _give_all(ProducerRun(broker, topic, str(path), "-"), "no,such,columns\n")
    assert status == 2
    assert "standard input has no column 'zone'" in err
    assert "delivered 3 readings" in out
    assert hours(broker, topic) == {"IT": [0, 1, 2]}


def test_a_broker_that_cannot_be_reached_is_waited_for(topic: str, tmp_path: Path) -> None:
    """The wait has a log line, and SIGTERM ends it with status 0."""
    path = tmp_path / "readings.csv"
    path.write_text(HEADER)
    run = ProducerRun("127.0.0.1:1", topic, str(path))
    assert run.process.stderr is not None
    assert "waiting for the broker" in run.process.stderr.readline()
    run.process.send_signal(signal.SIGTERM)
    run.process.wait(60)
    assert run.end()[0] == 0


def test_a_broker_that_goes_and_comes_loses_and_doubles_nothing(own: Broker, topic: str) -> None:
    """Kill -9 of the broker in the middle: the producer says that it waits, and goes on."""
    run = ProducerRun(own, topic, "-", "--speed=100")
    run.give(HEADER + rows("IT", range(1500)))
    wait(lambda: _has(own, topic, 200), 60, "the readings do not come")
    own.kill()
    line = run.process.stderr.readline()  # type: ignore[union-attr]
    own.restart()
    status, out, _ = run.end(90)
    assert status == 0
    assert "waiting" in line
    assert "delivered 1,500 readings" in out
    assert hours(own, topic) == {"IT": list(range(1500))}


def test_a_delivery_that_fails_is_an_exit_status(own: Broker, topic: str) -> None:
    """Who sets a timeout gets the failure: status 1, a sentence, and what was not delivered."""
    run = ProducerRun(
        own, topic, "-", "--speed=100", KAFKA_DELIVERY_TIMEOUT_MS="1500", KAFKA_REQUEST_TIMEOUT_MS="1000"
    )
    run.give(HEADER + rows("IT", range(3000)))
    wait(lambda: _has(own, topic, 100), 60, "the readings do not come")
    own.kill()
    status, out, err = run.end()
    assert status == 1
    assert "a delivery failed: " in err
    assert "NOT delivered" in out
    own.restart()
    delivered = int(out.split("delivered ")[1].split(" ")[0].replace(",", ""))
    assert len(hours(own, topic)["IT"]) >= delivered


def test_a_signal_while_the_broker_is_away_does_not_wait_for_it(own: Broker, topic: str) -> None:
    """Gone within ten seconds, with status 1 and the number of readings that were not delivered."""
    run = ProducerRun(own, topic, "-", "--speed=100")
    run.give(HEADER + rows("IT", range(3000)))
    wait(lambda: _has(own, topic, 100), 60, "the readings do not come")
    own.kill()
    time.sleep(1)
    began = datetime.datetime.now(datetime.UTC)
    run.process.send_signal(signal.SIGTERM)
    status, out, _ = run.end(60)
    # 10 s are promised: what a busy machine adds is not ours.
    assert datetime.datetime.now(datetime.UTC) - began < datetime.timedelta(seconds=20)
    assert status == 1
    assert "NOT delivered" in out
