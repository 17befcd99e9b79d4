"""What is measured of a group while it works: a row every few seconds, and where the rows go."""

import csv
import math
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from kafka_local import Broker
from tests.integration.world import ServiceProcess, World
from tests.load.process import disk, held

NAN = math.nan


@dataclass(frozen=True)
class MemberSample:
    """One member in one sample; NaN while it is down."""

    resident_bytes: float = NAN
    handles: float = NAN
    threads: float = NAN
    processor_seconds: float = NAN


@dataclass(frozen=True)
class Sample:
    """Seconds since the start; messages that the group has committed and those that wait; the changelog's size."""

    seconds: float
    committed: float
    lag: float
    changelog_bytes: float
    changelog_records: float
    members: tuple[MemberSample, ...]


class Sampler:
    """Takes samples. The changelog's records, which must be read to be counted, are counted once a minute."""

    def __init__(self, world: World, broker: Broker) -> None:
        self._world, self._broker = world, broker
        # Uncommitted, so that an open transaction does not keep the group's offsets from being told.
        self._looks = Consumer(
            {
                "bootstrap.servers": world.servers,
                "group.id": world.environ["CONSUMER_GROUP"],
                "isolation.level": "read_uncommitted",
            }
        )
        self._readings = [TopicPartition(world.environ["READINGS_TOPIC"], p) for p in range(world.partitions)]
        self._changelog = f"{world.environ['CONSUMER_GROUP']}.windows"
        self._began = time.monotonic()
        self._records, self._counted = NAN, -math.inf

    def sample(self, services: Sequence[ServiceProcess]) -> Sample:
        """What is so now."""
        now = time.monotonic() - self._began
        if now - self._counted >= 60:
            self._records, self._counted = self._count(), now
        committed, lag = self.progress()
        folders = [self._broker.folder / "data" / f"{self._changelog}-{p}" for p in range(self._world.partitions)]
        return Sample(now, committed, lag, disk(folders), self._records, tuple(_member(s) for s in services))

    def progress(self) -> tuple[float, float]:
        """Messages that the group has committed, and those that wait; NaN while the broker cannot tell."""
        try:
            ends = [self._looks.get_watermark_offsets(place, 10)[1] for place in self._readings]
            places = self._looks.committed(self._readings, 10)
        except KafkaException:
            return NAN, NAN
        done = sum(max(0, place.offset) for place in places)
        return done, sum(ends) - done

    def close(self) -> None:
        """Ends its client."""
        self._looks.close()

    def _count(self) -> int:
        """The records that a restore of all partitions would read."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._world.servers,
                "group.id": "none",
                "enable.partition.eof": True,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.queue.backoff.ms": 1,
                "queued.max.messages.kbytes": 8 * 1024,
            }
        )
        consumer.assign([TopicPartition(self._changelog, p, 0) for p in range(self._world.partitions)])
        records, ended = 0, set[int | None]()
        while len(ended) < self._world.partitions:
            for message in consumer.consume(500, 0.1):
                error = message.error()
                records += error is None
                if error is not None and error.code() == KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
        consumer.close()
        return records


def _member(service: ServiceProcess) -> MemberSample:
    try:
        now = held(service.process.pid)
    except (OSError, ValueError):
        return MemberSample()
    return MemberSample(now.resident, now.handles, now.threads, now.processor)


def write(samples: Sequence[Sample], file: Path) -> None:
    """The samples as CSV."""
    single = [field.name for field in fields(Sample) if field.name != "members"]
    each = [f"member{n}_{field.name}" for n in range(len(samples[0].members)) for field in fields(MemberSample)]
    with file.open("w", newline="") as text:
        rows = csv.writer(text)
        rows.writerow(single + each)
        for sample in samples:
            values = [getattr(sample, name) for name in single] + [v for m in sample.members for v in astuple(m)]
            rows.writerow("" if math.isnan(value) else f"{value:.10g}" for value in values)
