"""Contenders work off the same backlog, one after the other, each as a process with a group of its own.

Starting up is no part of the time: all of them have joined their groups and have read a first backlog. Then, in each
repeat, all stand still (SIGSTOP) while a backlog is published; one after the other is let go, and timed until its
group has committed all of it.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from benchmarks.contenders import Contender, Process, Setup
from benchmarks.outputs import Demand, Outputs, check, published
from benchmarks.scenarios import Message, Part, Scenario
from season.kafka import PARTITIONER

PUBLISHED_AT_ONCE = 10_000
QUEUED = 200_000  # messages in the publisher, at most, before it waits for the broker

_numbers = count(1)


@dataclass(frozen=True)
class Run:
    """How a contender worked off one backlog; `began` is the wall clock when it was let go."""

    messages: int
    seconds: float
    cpu_seconds: float
    began: float

    @property
    def thousands_a_second(self) -> float:
        """Return its pace."""
        return self.messages / self.seconds / 1000

    @property
    def cpu_seconds_a_million(self) -> float:
        """Return the processor seconds that a million messages took."""
        return self.cpu_seconds / self.messages * 1e6


class Backlog:
    """The topic of readings, what was published to it so far, and what that leads to."""

    def __init__(self, setup: Setup, scenario: Scenario) -> None:
        self._topic, self._parts = setup.topic, scenario.parts()
        self._producer = Producer(
            {
                "bootstrap.servers": setup.servers,
                "partitioner": PARTITIONER,
                "acks": 1,
                "linger.ms": 20,
                "queue.buffering.max.messages": QUEUED + PUBLISHED_AT_ONCE,
                "log_level": 2,
            }
        )
        self.demand = Demand(0, Outputs(0))

    def next_parts(self, parts: int) -> list[Part]:
        """Return the next parts of the scenario for somebody else to publish; what they lead to is counted here."""
        parts_now = list(islice(self._parts, parts))
        for part in parts_now:
            self._count(part)
        return parts_now

    def add(self, parts: int) -> int:
        """Publish the next parts of the scenario and return how many messages they have."""
        before = self.demand.messages
        for part in islice(self._parts, parts):
            self._publish(part.messages)
            self._count(part)
        if self._producer.flush(60):
            raise RuntimeError("the broker does not take the backlog")
        return self.demand.messages - before

    def _publish(self, messages: list[Message]) -> None:
        for first in range(0, len(messages), PUBLISHED_AT_ONCE):
            while len(self._producer) > QUEUED:
                self._producer.poll(0.01)
            batch = [{"key": key, "value": value} for key, value in messages[first : first + PUBLISHED_AT_ONCE]]
            if self._producer.produce_batch(self._topic, batch) != len(batch):
                raise RuntimeError("the publisher's queue is full")

    def _count(self, part: Part) -> None:
        before = self.demand.outputs
        outputs = Outputs(before.predictions + part.predictions, before.letters + part.letters)
        self.demand = Demand(self.demand.messages + len(part.messages), outputs)


def race(servers: str, scenario: Scenario, contenders: Sequence[Contender], repeats: int) -> list[list[Run]]:
    """Return each contender's runs. WrongOutputsError where one of them has not published what it had to."""
    with contest(servers, scenario, contenders) as (backlog, processes):
        runs: list[list[Run]] = [[] for _ in processes]
        for repeat in range(repeats):
            for process in processes:
                process.hold()
            messages = backlog.add(scenario.repeat_parts)
            for turn in range(len(processes)):
                number = (turn + repeat) % len(processes)  # nobody is always the first
                runs[number].append(work_off(processes[number], backlog.demand, messages))
    return runs


@contextmanager
def contest(
    servers: str, scenario: Scenario, contenders: Sequence[Contender]
) -> Iterator[tuple[Backlog, list[Process]]]:
    """Yield a scenario's backlog and the contenders that have read its beginning; at the end, check what came out."""
    with TemporaryDirectory() as folder:
        setup = Setup(servers, f"bench-{next(_numbers)}", scenario.partitions, scenario.time_zone, Path(folder))
        _create_topics(setup, contenders)
        backlog = Backlog(setup, scenario)
        with ExitStack() as stack:
            processes = [stack.enter_context(Process(contender, setup)) for contender in contenders]
            backlog.add(scenario.warm_up_parts)
            for process in processes if scenario.warm_up_parts else []:
                process.wait_until_done(backlog.demand)
            yield backlog, processes
        for contender in contenders:
            found = published(servers, setup.predictions(contender), setup.dead_letters(contender))
            check(contender.name, contender.expect(backlog.demand), found)


def work_off(process: Process, demand: Demand, messages: int) -> Run:
    """Let a contender work off the backlog, and hold it again."""
    cpu, wall, began = process.cpu_s(), time.time(), time.perf_counter()
    process.release()
    process.wait_until_done(demand)
    seconds = time.perf_counter() - began
    process.hold()
    return Run(messages, seconds, process.cpu_s() - cpu, wall)


def _create_topics(setup: Setup, contenders: Sequence[Contender]) -> None:
    """Create what the service alone would create by itself."""
    names = [setup.topic, *(setup.predictions(contender) for contender in contenders)]
    admin = AdminClient({"bootstrap.servers": setup.servers, "log_level": 2})
    for future in admin.create_topics([NewTopic(name, setup.partitions) for name in names]).values():
        future.result()
