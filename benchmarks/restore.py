"""Seconds until the open windows of all zones are read back, beside a plain record per zone in JSON.

`python -m benchmarks.restore --zones 1000000` takes some minutes, most of them to fill the changelog: every hour of
two days of every zone goes through step, state, changelog and transaction as in the service, so what is read back is
what differences, chunks and the broker's compaction have left. The baseline's topic is as small as one can be: a
record for each zone, once. Everything runs in processes of its own, so that the peaks of memory are its own too.
"""

import argparse
import json
import logging
import multiprocessing
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from benchmarks.columns import columns
from benchmarks.tables import TableRow, say, table
from consumer.adapters.asked import Inquirer
from consumer.adapters.logs import Complaints
from consumer.adapters.restore import Restorer
from consumer.adapters.transaction import Output, Transactions
from consumer.core.changelog import Changelog
from consumer.core.outcome import Rules
from consumer.core.record import Origin
from consumer.core.state import State
from kafka_local import Broker
from season.calendar import Calendar
from season.client.admin import Admin
from season.topics import Topics, ensure
from tests.load.process import MB, held

ZONES = 20_000
RUNS = 3
PARTITIONS = 4
BLOCK = 2000  # readings of a partition in one commit
HOURS = 48  # two whole days, both still open: grace is a day
RULES = Rules(grace_period=86400, max_filled=2, max_future=3600.0)
MIDNIGHT = 1622498400  # 2021-06-01 in Rome
NOW = 2e9
PLAIN = "record-per-zone"

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Read:
    """What reading back took: seconds, open windows, MB of the process before it, at its peak and of the state."""

    seconds: float
    windows: int
    before: float
    peak: float
    state: float


def main(zones: int = ZONES, runs: int = RUNS) -> None:
    """Print the table."""
    with Broker() as broker:
        environ = {"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers, "CONSUMER_GROUP": "bench"}
        began = time.perf_counter()
        _apart(fill, environ, zones)
        _apart(fill_plain, environ, zones)
        say(f"filled with {zones * HOURS:,} readings in {time.perf_counter() - began:.0f} s")
        reads = [(_apart(restore, environ), _apart(restore_plain, environ)) for _ in range(runs)]
        sizes = [_megabytes(broker, topic) for topic in ("bench.windows", PLAIN)]
    if any(read.windows != 2 * zones for pair in reads for read in pair):
        raise RuntimeError(f"not all came back: {reads}")
    name = f"{zones:,} zones, two open windows each"
    row = TableRow(name, list(zip(*[(ours.seconds, plain.seconds) for ours, plain in reads], strict=True)))
    table("Restoring: seconds", ["changelog", "JSON for each zone"], [row])
    for what, size, read in zip(("changelog", "JSON for each zone"), sizes, reads[-1], strict=True):
        above = f"{read.peak - read.before:,.0f} MB above the {read.before:,.0f} MB before it"
        say(f"{what}: {size:,.0f} MB on the broker's disk; a peak {above}, for a state of {read.state:,.0f} MB")
    say("")


def fill(environ: Mapping[str, str], zones: int) -> None:
    """Write two days of every zone, hour by hour, as the service writes them."""
    logging.disable(logging.WARNING)  # of the Kafka client: a new broker is not ready at once
    topics = ensure(Admin(_admin(environ)), Topics.from_environment(environ))
    calendar = Calendar("Europe/Rome")
    transactions = Transactions(environ, "bench", lambda: False)
    transactions.acquire_id(lambda _: None)
    member = Consumer({"bootstrap.servers": environ["KAFKA_BOOTSTRAP_SERVERS"], "group.id": "bench"})
    parts = [(State(calendar), Changelog()) for _ in range(PARTITIONS)]
    random = np.random.default_rng(0)
    for hour in range(HOURS):
        for first in range(0, zones // PARTITIONS, BLOCK):
            outputs: list[Output] = []
            for number, (state, log) in enumerate(parts):
                names = _names(number, range(first, min(first + BLOCK, zones // PARTITIONS)))
                instants = np.full(len(names), MIDNIGHT + 3600 * hour)
                demands = random.normal(30000, 8000, len(names)).round(1)
                state.read(columns(names, instants, demands, calendar), NOW, RULES)
                origin = Origin(topics.readings.topic_id, 0, "Europe/Rome", "00:00")
                for key, value in log.records(state, state.changes(), origin):
                    outputs.append((topics.changelog.name, key, value, None, number))
                state.commit()
            transactions.start(outputs, topics.readings.name, {}, member.consumer_group_metadata())
            transactions.finish()
    member.close()


def fill_plain(environ: Mapping[str, str], zones: int) -> None:
    """Write a record for each zone."""
    admin = _admin(environ)
    admin.create_topics([NewTopic(PLAIN, PARTITIONS)])[PLAIN].result()
    settings = {"linger.ms": 50, "compression.type": "lz4", "queue.buffering.max.messages": 1_000_000}
    producer = Producer({"bootstrap.servers": environ["KAFKA_BOOTSTRAP_SERVERS"], **settings})
    random = np.random.default_rng(0)
    for number in range(PARTITIONS):
        for name in _names(number, range(zones // PARTITIONS)):
            hours = random.normal(30000, 8000, (2, 24)).round(1).tolist()
            windows = [{"day": day, "revision": 1, "hours": hours[day - 18779]} for day in (18779, 18780)]
            value = {"stream": MIDNIGHT + 47 * 3600, "watermark": MIDNIGHT + 23 * 3600, "windows": windows}
            producer.produce(PLAIN, json.dumps(value), name, number)
        producer.flush()


def restore(environ: Mapping[str, str]) -> Read:
    """Restore all partitions through the service's own restorer."""
    calendar = Calendar("Europe/Rome")
    before, began = _peak(), time.perf_counter()
    asked = Inquirer(environ, Admin(_admin(environ)), "bench", "readings", "bench.windows", Complaints())
    restorer = Restorer(environ, asked, "bench.windows", calendar)
    for number in range(PARTITIONS):
        restorer.begin(number)
    states: list[State] = []
    while len(states) < PARTITIONS:
        states += [restored.state for restored in restorer.proceed(0.01).values()]
    seconds = time.perf_counter() - began
    restorer.close()
    asked.close()
    windows = sum(state.open_windows for state in states)
    return Read(seconds, windows, before, _peak(), sum(state.size for state in states) / 1e6)


def restore_plain(environ: Mapping[str, str]) -> Read:
    """Read all partitions' records into a dict for each."""
    before, began = _peak(), time.perf_counter()
    settings = {
        "group.id": "none",
        "enable.partition.eof": True,
        "fetch.queue.backoff.ms": 1,
        "fetch.wait.max.ms": 10,
    }
    consumer = Consumer({"bootstrap.servers": environ["KAFKA_BOOTSTRAP_SERVERS"], **settings})
    consumer.assign([TopicPartition(PLAIN, number, OFFSET_BEGINNING) for number in range(PARTITIONS)])
    zones: dict[str, Any] = {}
    ended = size = 0
    while ended < PARTITIONS:
        first = consumer.poll(1.0)
        for message in [first, *consumer.consume(1000, 0)] if first is not None else []:
            error, value = message.error(), message.value() or b""
            if error is not None and error.code() == KafkaError._PARTITION_EOF:
                ended += 1
            else:
                zones[(message.key() or b"").decode()] = json.loads(value)
                size += len(value)
    seconds = time.perf_counter() - began
    consumer.close()
    return Read(seconds, sum(len(zone["windows"]) for zone in zones.values()), before, _peak(), size / 1e6)


def _names(partition: int, zones: range) -> list[str]:
    return [f"zone-{PARTITIONS * zone + partition:07d}" for zone in zones]


def _admin(environ: Mapping[str, str]) -> AdminClient:
    return AdminClient({"bootstrap.servers": environ["KAFKA_BOOTSTRAP_SERVERS"]})


def _apart(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Make a call in a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(call, *args, **kwargs).result()


def _peak() -> float:
    """Return the MB that this process has had in memory at most; `getrusage` would tell its parent's as well."""
    return held(os.getpid()).peak / MB


def _megabytes(broker: Broker, topic: str) -> float:
    logs = Path(broker.folder, "data").glob(f"{topic}-[0-9]*/*.log")
    return sum(log.stat().st_size for log in logs) / 1e6


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--zones", type=int, default=ZONES, help=f"how many ({ZONES:,})")
    main(parser.parse_args().zones, 1)
