"""Readings a second that the whole service works off from a backlog on a real Apache Kafka, beside a plain loop.

`python -m consumer` and `benchmarks/plain.py` run as processes of their own and read the same topic, each in its
group. Both stand still (SIGSTOP) while a backlog is published; then one after the other is let go, and timed until
its group has committed all of it. Starting up is no part of the time, and both must have published the same.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from benchmarks.side import Pair, table
from kafka_local import Broker
from kafka_local.leash import leashed
from season.kafka import PARTITIONER
from season.messages import encode_reading

ROOT = Path(__file__).resolve().parent.parent
READINGS = 300_000
ZONES = 2000
PARTITIONS = 4
RUNS = 5
TOPIC = "readings"
MIDNIGHT = 1622498400  # 2021-06-01 in Rome
LONGEST = 120.0  # seconds that anything may take


class Reader:
    """A process that reads the topic in its group."""

    def __init__(self, servers: str, group: str, command: list[str], log: Path) -> None:
        settings = {
            "KAFKA_BOOTSTRAP_SERVERS": servers,
            "KAFKA_SESSION_TIMEOUT_MS": str(int(2 * LONGEST * 1000)),
            "CONSUMER_GROUP": group,
            "READINGS_TOPIC": TOPIC,
            "PREDICTIONS_TOPIC": f"{group}.predictions",
            "DEAD_LETTER_TOPIC": f"{group}.dead-letter",
            "HTTP_PORT": "0",
        }
        others = {name: value for name, value in os.environ.items() if not name.startswith("KAFKA_")}
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                leashed([sys.executable, *command]),
                cwd=ROOT,
                env=others | settings,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self._log = log
        self._looks = Consumer({"bootstrap.servers": servers, "group.id": group})

    def hold(self) -> None:
        """Lets it stand still."""
        self._process.send_signal(signal.SIGSTOP)

    def seconds_until(self, offset: int) -> float:
        """Lets it go; the seconds until its group has committed so many messages."""
        began = time.perf_counter()
        self._process.send_signal(signal.SIGCONT)
        while self._committed() < offset:
            if self._process.poll() is not None or time.perf_counter() - began > LONGEST:
                raise RuntimeError(f"it does not come to the end: {self._log.read_text('utf-8', 'replace')[-2000:]}")
            time.sleep(0.01)
        return time.perf_counter() - began

    def stop(self) -> None:
        """Ends the process."""
        self._looks.close()
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(15)
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    def _committed(self) -> int:
        try:
            places = self._looks.committed([TopicPartition(TOPIC, p) for p in range(PARTITIONS)], 10)
        except KafkaException as exception:
            # While the broker has not yet loaded the group.
            if exception.args[0].code() != KafkaError.NOT_COORDINATOR and not exception.args[0].retriable():
                raise
            return -1
        return sum(max(0, place.offset) for place in places)


class Backlog:
    """The topic: every zone's next hour, hour by hour."""

    def __init__(self, servers: str) -> None:
        admin = AdminClient({"bootstrap.servers": servers})
        # The plain loop makes no topics: what a group writes to is made here.
        names = [(TOPIC, PARTITIONS), ("plain.predictions", PARTITIONS)]
        for future in admin.create_topics([NewTopic(name, count) for name, count in names]).values():
            future.result()
        self._producer = Producer(
            {"bootstrap.servers": servers, "partitioner": PARTITIONER, "linger.ms": 50, "acks": 1, "log_level": 2}
        )
        self._hour = 0
        self.length = 0

    def add(self, readings: int) -> None:
        """Publishes more of it."""
        zones = [f"zone-{number:04d}" for number in range(ZONES)]
        for _ in range(readings // ZONES):
            instant = MIDNIGHT + 3600 * self._hour
            for number, zone in enumerate(zones):
                demand = 20000.0 + 7 * number + 900.5 * abs(12 - self._hour % 24)
                self._producer.produce(TOPIC, encode_reading(zone, instant, demand), zone, on_delivery=_delivered)
            self._producer.poll(0)
            self._hour += 1
        self._producer.flush()
        self.length += readings // ZONES * ZONES


def main(runs: int = RUNS) -> None:
    """Prints the table."""
    with TemporaryDirectory() as folder, Broker() as broker, ExitStack() as stack:
        backlog = Backlog(broker.bootstrap_servers)
        commands = {"service": ["-m", "consumer"], "plain": ["-m", "benchmarks.plain"]}
        readers = [
            stack.enter_context(_running(Reader(broker.bootstrap_servers, group, command, Path(folder, group))))
            for group, command in commands.items()
        ]
        backlog.add(24 * ZONES)  # a day to warm up: groups joined, code loaded
        for reader in readers:
            reader.seconds_until(backlog.length)
        paces = [_run(backlog, readers, backwards=bool(run % 2)) for run in range(runs)]
        ours, plain = [_published(broker.bootstrap_servers, f"{group}.predictions") for group in commands]
    if ours != plain:
        raise RuntimeError(f"they did not do the same: {len(ours)} predictions, {len(plain)} of the plain loop")
    name = f"a backlog of {READINGS:,} readings, {ZONES:,} zones"
    title = "The whole service: thousands of readings a second"
    pair = Pair(name, *zip(*paces, strict=True))
    table(title, "service", "plain loop", [pair], more_is_better=True)


def _run(backlog: Backlog, readers: list[Reader], backwards: bool) -> tuple[float, float]:
    """Thousands of readings a second of both, on one more backlog."""
    for reader in readers:
        reader.hold()
    backlog.add(READINGS)
    paces = [0.0, 0.0]
    for place in (1, 0) if backwards else (0, 1):
        paces[place] = READINGS / readers[place].seconds_until(backlog.length) / 1000
        readers[place].hold()
    return paces[0], paces[1]


def _published(servers: str, topic: str) -> list[tuple[str, float]]:
    """Zone and logit of all predictions on a topic, sorted."""
    settings = {"bootstrap.servers": servers, "group.id": "none", "auto.offset.reset": "earliest"}
    consumer = Consumer({**settings, "enable.partition.eof": True, "fetch.queue.backoff.ms": 1})
    consumer.assign([TopicPartition(topic, p, 0) for p in range(PARTITIONS)])
    found: list[tuple[str, float]] = []
    ends = 0
    while ends < PARTITIONS:
        for message in consumer.consume(5000, 0.2):
            if message.error() is not None:
                ends += 1
            else:
                prediction = json.loads(message.value() or b"")
                found.append((prediction["zone"], prediction["logit"]))
    consumer.close()
    return sorted(found)


@contextmanager
def _running(reader: Reader) -> Iterator[Reader]:
    try:
        yield reader
    finally:
        reader.stop()


def _delivered(error: object, _message: object) -> None:
    if error is not None:
        raise RuntimeError(f"the backlog is not whole: {error}")
