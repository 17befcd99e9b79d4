"""Milliseconds from publishing a reading to the prediction that it causes, in the hands of a subscriber.

The subscriber is a `read_committed` one. Readings come at a steady rate, and one in 24 completes a window. The bare
loop commits at once when nothing more waits. The contenders are measured in turn: while one is, the other stands
still, and catches up afterwards.
"""

import json
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.contenders import BARE_AT_ONCE, LONGEST_S, SERVICE, Process, Setup
from benchmarks.figures import percentile
from benchmarks.outputs import Demand
from benchmarks.race import contest
from benchmarks.scenarios import LIGHT_LOAD, Message
from benchmarks.tables import TableRow, report, table
from kafka_local import Broker
from season import instants
from season.calendar import HOUR
from season.kafka import PARTITIONER

REPEATS = 3
CONTENDERS = [SERVICE, BARE_AT_ONCE]
SETTLING_S = 0.5  # after the others were made to stand still
POLL_S = 0.1


@dataclass(frozen=True)
class Load:
    """Readings a second, how often each zone sends in a run, and the publisher's `linger.ms`."""

    rate: int
    sweeps: int
    linger_ms: int


# At 5,000/s a publisher that sends each reading by itself keeps the broker busier than the contenders do, and what
# is measured is its queue (a second and more): there it waits as clients do by default.
LOADS = (Load(200, 4, linger_ms=0), Load(5000, 40, linger_ms=5))

Cause = tuple[str, int]
"""Zone and instant of the reading that completed a window."""


def main() -> None:
    """Print the table."""
    logging.disable(logging.WARNING)  # of the Kafka client: a new broker is not ready at once
    rows = []
    with Broker() as broker:
        for load in LOADS:
            report(f"latency at {load.rate:,} readings/s")
            runs = measure(broker.bootstrap_servers, load, REPEATS)
            windows = len(runs[0][0])
            for percent in (50, 99):
                figures = [[percentile(run, percent) for run in runs_of_one] for runs_of_one in runs]
                rows.append(TableRow(f"p{percent} at {load.rate:,} readings/s, {windows} windows a run", figures))
    table("Latency in milliseconds", [contender.name for contender in CONTENDERS], rows)


def measure(servers: str, load: Load, repeats: int) -> list[list[list[float]]]:
    """Return the latencies of each contender's runs, in milliseconds."""
    with contest(servers, LIGHT_LOAD, CONTENDERS) as (backlog, processes):
        runs: list[list[list[float]]] = [[] for _ in processes]
        for repeat in range(repeats):
            for turn in range(len(processes)):
                number = (turn + repeat) % len(processes)  # nobody is always the first
                others = [process for process in processes if process is not processes[number]]
                for process in others:
                    process.hold()
                before = backlog.demand
                messages = [message for part in backlog.next_parts(load.sweeps) for message in part.messages]
                runs[number].append(_run(processes[number], messages, load, before, backlog.demand))
                for process in others:
                    process.release()
                    process.wait_until_done(backlog.demand)
    return runs


def _run(process: Process, messages: Sequence[Message], load: Load, before: Demand, after: Demand) -> list[float]:
    """Publish at a rate, and return how long each output of one contender took."""
    time.sleep(SETTLING_S)
    expect = process.contender.expect
    subscriber = _Subscriber(process, expect(after).predictions - expect(before).predictions)
    subscriber.start()
    sent = _publish(process.setup, messages, load)
    process.wait_until_done(after)
    return [1000 * (arrived - sent[cause(value)]) for value, arrived in subscriber.finish()]


def cause(value: bytes) -> Cause:
    """Return a prediction's last hour, or the reading that a bare loop passes on."""
    output = json.loads(value)
    if "timestamp" in output:
        return output["zone"], instants.parse(output["timestamp"])
    return output["zone"], instants.parse(output["window_end"]) - HOUR


def _publish(setup: Setup, messages: Sequence[Message], load: Load) -> dict[Cause, float]:
    """Publish each message when it is due, and return when each one was handed to the client."""
    settings = {"partitioner": PARTITIONER, "acks": 1, "linger.ms": load.linger_ms, "log_level": 2}
    producer = Producer({"bootstrap.servers": setup.servers, **settings})
    producer.list_topics(setup.topic, 10)  # connected before the first message
    causes = [cause(value) for _, value in messages]
    sent: dict[Cause, float] = {}
    began = time.perf_counter()
    for number, (key, value) in enumerate(messages):
        while (early := began + number / load.rate - time.perf_counter()) > 0:
            producer.poll(0)
            time.sleep(min(early, 0.001))
        sent[causes[number]] = time.perf_counter()
        producer.produce(setup.topic, value, key)
    producer.flush()
    return sent


class _Subscriber(threading.Thread):
    """Notes when each of the next predictions of a contender arrives."""

    def __init__(self, process: Process, expected: int) -> None:
        super().__init__(daemon=True)
        self._expected = expected
        self._arrivals: list[tuple[bytes, float]] = []
        setup, topic = process.setup, process.setup.predictions(process.contender)
        settings = {"group.id": "none", "isolation.level": "read_committed", "enable.auto.commit": False}
        self._consumer = Consumer(
            {"bootstrap.servers": setup.servers, **settings, "fetch.queue.backoff.ms": 1, "log_level": 2}
        )
        partitions = [TopicPartition(topic, number) for number in range(setup.partitions)]
        for partition in partitions:
            partition.offset = self._consumer.get_watermark_offsets(partition, 10)[1]
        self._consumer.assign(partitions)

    def run(self) -> None:
        while len(self._arrivals) < self._expected:
            message = self._consumer.poll(POLL_S)
            if message is not None:
                self._arrivals.append((message.value() or b"", time.perf_counter()))

    def finish(self) -> list[tuple[bytes, float]]:
        """Return what came and when. RuntimeError where something never comes."""
        self.join(LONGEST_S)
        if self.is_alive():
            raise RuntimeError(f"{len(self._arrivals)} predictions came where {self._expected} were expected")
        self._consumer.close()
        return self._arrivals
