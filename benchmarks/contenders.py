"""The programs that are measured, and what is the same for all of them as processes."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from benchmarks.bare import MESSAGES_A_PREDICTION
from benchmarks.outputs import Demand, Outputs, Subscriber
from kafka_local.broker import free_port
from kafka_local.leash import leashed
from tests.load.process import held

ROOT = Path(__file__).resolve().parent.parent
LONGEST_S = 240.0
"""Nothing that a contender has to do may take longer; so long may it be held, too, without losing its partitions."""


def predictions_alone(demand: Demand) -> Outputs:
    """Return what must come of a program that knows no dead letters."""
    return Outputs(demand.outputs.predictions)


def _all_outputs(demand: Demand) -> Outputs:
    return demand.outputs


def _one_in_24(demand: Demand) -> Outputs:
    return Outputs(demand.messages // MESSAGES_A_PREDICTION)


@dataclass(frozen=True)
class Contender:
    """A program that reads readings and writes predictions in transactions.

    `expect` says what must come out of it. Its group's offsets say how far it is or, where those come late, the
    predictions that a subscriber sees.
    """

    name: str
    command: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    expect: Callable[[Demand], Outputs] = _all_outputs
    offsets_come_late: bool = False

    @property
    def group(self) -> str:
        """Return the name that the group has, and a part of the topics' names."""
        return self.name.replace(" ", "-")


SERVICE = Contender("service", (sys.executable, "-m", "consumer"))
BARE = Contender("bare loop", (sys.executable, "-m", "benchmarks.bare"), expect=_one_in_24)
BARE_AT_ONCE = Contender("bare loop", (*BARE.command, "--at-once"), expect=_one_in_24)
NAIVE = Contender("naive loop", (sys.executable, "-m", "benchmarks.plain"), expect=predictions_alone)


@dataclass(frozen=True)
class Setup:
    """Where a contender works: the broker, the topic of readings, and the time zone of its windows."""

    servers: str
    topic: str
    partitions: int
    time_zone: str
    folder: Path

    def predictions(self, contender: Contender) -> str:
        """Return the topic that a contender writes its predictions to."""
        return f"{self.topic}.{contender.group}.predictions"

    def dead_letters(self, contender: Contender) -> str:
        """Return the topic that a contender writes its dead letters to."""
        return f"{self.topic}.{contender.group}.dead-letter"

    def environ(self, contender: Contender) -> dict[str, str]:
        """Return the environment of a contender's process."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("KAFKA_")}
        return others | {
            "KAFKA_BOOTSTRAP_SERVERS": self.servers,
            "KAFKA_SESSION_TIMEOUT_MS": str(int(LONGEST_S * 1000)),
            "CONSUMER_GROUP": f"{self.topic}.{contender.group}",
            "READINGS_TOPIC": self.topic,
            "PREDICTIONS_TOPIC": self.predictions(contender),
            "DEAD_LETTER_TOPIC": self.dead_letters(contender),
            "WINDOW_TIME_ZONE": self.time_zone,
            "WORK_FOLDER": str(self.folder),
            **contender.settings,
        }


class Process:
    """A contender's process, from its start to its end, as a context manager."""

    def __init__(self, contender: Contender, setup: Setup) -> None:
        self.contender, self.setup = contender, setup
        self._log = setup.folder / f"{setup.topic}.{contender.group}.log"
        self._http_port = free_port()
        environ = setup.environ(contender)
        # Uncommitted: the offsets of a transaction that is open at the moment are not waited for.
        group = {"group.id": environ["CONSUMER_GROUP"], "isolation.level": "read_uncommitted", "log_level": 2}
        self._group = Consumer({"bootstrap.servers": setup.servers, **group})
        self._subscriber = (
            Subscriber(setup.servers, setup.predictions(contender)) if contender.offsets_come_late else None
        )
        with self._log.open("wb") as log:
            self.began_s = time.perf_counter()
            self._process = subprocess.Popen(
                leashed(contender.command),
                cwd=ROOT,
                env=environ | {"HTTP_PORT": str(self._http_port)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def __enter__(self) -> "Process":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._group.close()
        if self._subscriber is not None:
            self._subscriber.close()
        self.release()
        self._process.terminate()
        try:
            self._process.wait(15)
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    def hold(self) -> None:
        """Make it stand still."""
        self._process.send_signal(signal.SIGSTOP)

    def release(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def wait_until_done(self, demand: Demand) -> None:
        """Wait until it has committed all that was published. RuntimeError."""
        done = self._has_committed if self._subscriber is None else self._has_predicted
        self._wait(lambda: done(demand), f"comes to the end of {demand.messages:,} messages")

    def wait_until_ready(self) -> None:
        """Wait for 200 at /readyz. RuntimeError."""
        self._wait(self._ready, "is ready")

    def cpu_s(self) -> float:
        """Return the processor seconds that all its threads have used, in user and in kernel mode."""
        return held(self._process.pid).processor

    def resident_bytes(self) -> int:
        """Return the memory that it has resident now."""
        return held(self._process.pid).resident

    def _wait(self, true: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + LONGEST_S
        while not true():
            if self._process.poll() is not None or time.monotonic() > end:
                log = self._log.read_text("utf-8", "replace")[-2000:]
                raise RuntimeError(f"the {self.contender.name} never {what}; its log ends with:\n{log}")
            time.sleep(0.01)

    def _has_predicted(self, demand: Demand) -> bool:
        assert self._subscriber is not None
        self._subscriber.read(0.01)
        return self._subscriber.counts.total() >= self.contender.expect(demand).predictions

    def _has_committed(self, demand: Demand) -> bool:
        partitions = [TopicPartition(self.setup.topic, number) for number in range(self.setup.partitions)]
        try:
            return sum(max(0, at.offset) for at in self._group.committed(partitions, 10)) >= demand.messages
        except KafkaException as exception:
            # While the broker has not yet loaded the group.
            if exception.args[0].code() != KafkaError.NOT_COORDINATOR and not exception.args[0].retriable():
                raise
            return False

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._http_port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False
