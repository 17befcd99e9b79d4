"""A service in a world of its own: topics, a group, processes of `python -m consumer`, and looks into Kafka."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from operator import methodcaller
from pathlib import Path
from types import TracebackType
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]

from kafka_local import Broker
from tests.integration.oracle import Logged

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models" / "season_classifier.onnx"

STOP_S = 30.0  # in which SIGTERM must have ended a service

TOPICS = ("READINGS_TOPIC", "PREDICTIONS_TOPIC", "DEAD_LETTER_TOPIC", "CHANGELOG_TOPIC")


class World:
    """Names of topics and a group that nobody else uses, and what stands in them."""

    def __init__(self, servers: str, partitions: int = 4) -> None:
        self.servers, self.partitions = servers, partitions
        self.name = f"t{uuid.uuid4().hex[:8]}"
        self.environ = {
            "KAFKA_BOOTSTRAP_SERVERS": servers,
            "READINGS_TOPIC": f"{self.name}.readings",
            "PREDICTIONS_TOPIC": f"{self.name}.predictions",
            "DEAD_LETTER_TOPIC": f"{self.name}.dead-letter",
            "CONSUMER_GROUP": f"{self.name}.group",
            "CHANGELOG_TOPIC": f"{self.name}.group.windows",
            "TOPIC_PARTITIONS": str(partitions),
            "HTTP_PORT": "0",
            "LOG_FORMAT": "json",
            # The shortest that a broker allows by default: who is killed holds its partitions that long.
            "KAFKA_SESSION_TIMEOUT_MS": "6000",
        }
        self.admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})
        topic = NewTopic(self.environ["READINGS_TOPIC"], partitions, config={"max.message.bytes": str(2**21 + 2**16)})
        self.admin.create_topics([topic])[topic.topic].result()

    def publish(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Messages as `produce` takes them (key, value, headers, partition), in their order."""
        settings = {"bootstrap.servers": self.servers, "partitioner": "murmur2_random", "message.max.bytes": 2**22}
        producer = Producer(settings)
        failed: list[KafkaError] = []
        for message in messages:
            while True:
                try:
                    producer.produce(
                        self.environ["READINGS_TOPIC"],
                        **message,
                        on_delivery=lambda error, _: failed.append(error) if error else None,
                    )
                    break
                except BufferError:
                    producer.poll(0.1)
        producer.flush()
        assert not failed

    def topic(self, setting: str) -> str:
        """The name of a topic: CHANGELOG_TOPIC's follows from the group where nothing else is set."""
        default = f"{self.environ['CONSUMER_GROUP']}.windows" if setting == "CHANGELOG_TOPIC" else ""
        return self.environ.get(setting, default)

    def log(self, setting: str, unreadable: Set[tuple[int, int]] = frozenset()) -> list[list[Logged]]:
        """What a `read_committed` subscriber sees of a topic, by partition.

        What no client can read has to be told, as partition and offset: it comes without key and value.
        """
        consumer = Consumer(
            {
                "bootstrap.servers": self.servers,
                "group.id": "none",
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
            }
        )
        topic = self.topic(setting)
        logs: list[list[Logged]] = [[] for _ in range(self.partitions)]
        ended: set[int] = set()

        def pass_over(partition: int, offset: int) -> TopicPartition:
            while (partition, offset) in unreadable:
                logs[partition].append(Logged(partition, offset, None, None, []))
                offset += 1
            return TopicPartition(topic, partition, offset or OFFSET_BEGINNING)

        consumer.assign([pass_over(partition, 0) for partition in range(self.partitions)])
        while len(ended) < self.partitions:
            for message in consumer.consume(1 if unreadable else 1000, 0.1):  # waits as long, whatever comes
                partition, error = message.partition() or 0, message.error()
                if error is not None and error.code() == KafkaError._PARTITION_EOF:
                    ended.add(partition)
                elif error is not None:
                    assert unreadable, error
                else:
                    logs[partition].append(_logged(message))
                    next_offset = (message.offset() or 0) + 1
                    if (partition, next_offset) in unreadable:
                        consumer.seek(pass_over(partition, next_offset))
        consumer.close()
        return logs

    def flat(self, setting: str) -> list[Logged]:
        """The same, all partitions in a row."""
        return [message for log in self.log(setting) for message in log]

    def behind(self) -> int:
        """How many messages of `readings` the group has not committed yet. KafkaException while it cannot be told."""
        topic = self.environ["READINGS_TOPIC"]
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": self.environ["CONSUMER_GROUP"]})
        places = [TopicPartition(topic, p) for p in range(self.partitions)]
        try:
            ends = [consumer.get_watermark_offsets(place, 10)[1] for place in places]
            committed = consumer.committed(places, 10)
        finally:
            consumer.close()
        return sum(end - max(0, at.offset) for end, at in zip(ends, committed, strict=True))

    def settled(self) -> bool:
        """Whether no transaction is open on any topic, so that subscribers see all there is. KafkaException."""
        topics = [self.topic(name) for name in TOPICS]
        places = [TopicPartition(topic, p) for topic in topics for p in range(self.partitions)]
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        ends = []
        for level in (IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED):
            answers = self.admin.list_offsets(
                dict.fromkeys(places, latest), isolation_level=level, request_timeout=5.0
            )
            ends.append([answers[place].result().offset for place in places])
        return ends[0] == ends[1]

    def wait_until_read(self, seconds: float = 60) -> None:
        """Waits until the group has committed all of `readings`."""
        wait(lambda: self.behind() == 0, seconds, "the group does not come to the end of the readings")

    def service(self, folder: Path, **settings: str) -> "ServiceProcess":
        """A process of the service, with further settings."""
        return ServiceProcess(self.environ | settings, folder / f"{self.name}-{uuid.uuid4().hex[:4]}.log")


class ServiceProcess:
    """A process of `python -m consumer`, or of a launcher of it; killed where the test ends without `stop`."""

    def __init__(self, environ: Mapping[str, str], log: Path, module: str = "consumer") -> None:
        self.log = log
        clean = {name: value for name, value in os.environ.items() if not name.startswith("KAFKA_")}
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module], cwd=ROOT, env=clean | dict(environ), stderr=stderr
            )

    def __enter__(self) -> "ServiceProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.kill()
        if error is not None:
            sys.stderr.write(self.log.read_text()[-6000:])

    def stop(self) -> int:
        """SIGTERM: the exit status. 10 s are promised; a machine that is busy with other tests gets more."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_S)

    def kill(self) -> None:
        """SIGKILL, which no process can catch."""
        self.process.kill()
        self.process.wait(60)

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of an answer of its HTTP server."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port()}{path}", timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def port(self) -> int:
        """The port that it took, from its log."""
        wait(lambda: self._port() is not None or self.process.poll() is not None, 60, "no port in the log")
        port = self._port()
        assert port is not None, self.log.read_text()
        return port

    def ready(self, seconds: float = 60) -> None:
        """Waits for /readyz."""
        wait(lambda: self.get("/readyz")[0] == 200, seconds, "not ready")

    def metrics(self) -> dict[str, float]:
        """Its metrics, by name and labels."""
        lines = [line.rsplit(" ", 1) for line in self.get("/metrics")[1].splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in lines}

    def says(self, expected: Mapping[str, float], seconds: float = 60) -> None:
        """Waits until its metrics have these values: a commit is counted after the broker shows it to others.

        A name without labels stands for the sum over them.
        """
        end = time.monotonic() + seconds
        while (said := _sums(self.metrics(), expected)) != expected and time.monotonic() < end:
            time.sleep(0.1)
        assert said == expected

    def events(self) -> list[dict[str, Any]]:
        """Its log, line by line."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def _port(self) -> int | None:
        found = re.search(r'"port": ?(\d+)', self.log.read_text())
        return int(found[1]) if found else None


def _sums(metrics: Mapping[str, float], names: Iterable[str]) -> dict[str, float]:
    """The values of these metrics, summed over labels where the name has none; not those that are absent."""
    found = {name: [metrics[full] for full in metrics if name in {full, full.split("{")[0]}] for name in names}
    return {name: sum(values) for name, values in found.items() if values}


def ended(
    environ: Mapping[str, str], *command: str, text: str | None = None, seconds: float = 60
) -> "subprocess.CompletedProcess[str]":
    """Run `python -m ...` with these settings alone until it ends by itself; `text` is its standard input."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **environ},
        input=text,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def group_world(broker: Broker, protocol: str, partitions: int = 4) -> World:
    """A world whose services speak this group protocol."""
    world = World(broker.bootstrap_servers, partitions)
    world.environ["KAFKA_GROUP_PROTOCOL"] = protocol
    if protocol == "consumer":
        world.environ.pop("KAFKA_SESSION_TIMEOUT_MS")
    return world


def wait(true: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Waits until something is true; while the broker cannot tell, it is not.

    A topic just made has no leader for a moment, a coordinator moves, and the offsets of an open transaction are
    told only when it has ended. No limit is shorter than a minute: it is there to end a test, not to time it.
    """
    end = time.monotonic() + max(seconds, 60.0)
    while True:
        why = otherwise
        try:
            if true():
                return
        except KafkaException as exception:
            why = f"{otherwise}: {exception.args[0].str()}"
        assert time.monotonic() < end, why
        time.sleep(0.1)


_headers = methodcaller("headers")  # see consumer.adapters.letters


def _logged(message: Any) -> Logged:
    try:
        headers = list(_headers(message) or [])
    except (SystemError, UnicodeError):
        headers = []
    place, stamp = (message.partition(), message.offset()), message.timestamp()[1] / 1000
    return Logged(*place, message.key(), message.value(), headers, stamp)
