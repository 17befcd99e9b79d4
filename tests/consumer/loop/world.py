"""The real loop on a Kafka in memory: members that go as far as a test lets them, and what must have come out."""

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any, cast

from consumer.adapters.asked import Inquirer
from consumer.adapters.http import Status
from consumer.adapters.logs import Complaints
from consumer.adapters.metrics import Metrics
from consumer.adapters.model import Attempt
from consumer.adapters.probe import Probe
from consumer.adapters.restore import Restorer
from consumer.adapters.source import Source
from consumer.adapters.transaction import Transactions
from consumer.admission import Admission
from consumer.assignment import Assignment
from consumer.commit_policy import CommitPolicy
from consumer.monitor import Monitor
from consumer.reload import Models
from consumer.service import Service
from consumer.session import Session
from consumer.settings import Settings
from consumer.writing import Writing
from season.cli import StoppedError
from season.client.admin import Admin
from season.settings import load
from season.topics import DEAD_LETTER_BYTES, Described, Topic
from tests.chaos.verdict import Verdict, judge
from tests.fake_kafka.admin import FakeAdminClient
from tests.fake_kafka.broker import Clock, FakeKafka
from tests.fake_kafka.consumer import FakeConsumer
from tests.fake_kafka.log import FakeRecord
from tests.fake_kafka.process import FakeProcess, Incident, KilledError
from tests.fake_kafka.producer import FakeProducer
from tests.integration.oracle import Logged
from tests.integration.world import MODEL

PARTITIONS = 2
GROUP = "group"
NAMES = {
    "READINGS_TOPIC": "w.readings",
    "PREDICTIONS_TOPIC": "w.predictions",
    "DEAD_LETTER_TOPIC": "w.dead-letter",
    "CHANGELOG_TOPIC": "w.windows",
}
TOPICS = Described(*(Topic(NAMES[name], PARTITIONS, f"id of {NAMES[name]}") for name in NAMES))
_TURNS = 600  # in which the members must have come to the end of the readings
_CALLS = 40  # that each member makes before the next one goes on
Message = Mapping[str, Any]


class StopEvent(threading.Event):
    """What ends the loop, and what it waits on, by the test's clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        """Let the time pass."""
        self._clock.sleep(timeout or 0.0)
        return self.is_set()


class LoopMember:
    """One instance of the service, wired as `consumer.bootstrap` wires it."""

    def __init__(self, broker: FakeKafka, name: str) -> None:
        self.name = name
        self.process = FakeProcess(broker, self._run)
        self.stopped = StopEvent(broker.clock)
        self.source: Source | None = None
        self.metrics = Metrics()

    def stop(self) -> None:
        """SIGTERM: let it come to its end."""
        self.stopped.set()
        for _ in range(_TURNS):
            if not self.process.go(_CALLS):
                return
        raise AssertionError(f"{self.name} does not end")

    def losses(self) -> list[str]:
        """Return its metric of readings that were lost, where there are any: nothing here loses one."""
        lines = self.metrics.text().decode().splitlines()
        return [line for line in lines if line.startswith("season_lost_messages_total") and not line.endswith(" 0.0")]

    @property
    def client(self) -> FakeConsumer:
        """The client by which it is a member of its group."""
        assert self.source is not None
        return cast(Any, self.source)._consumer._consumer  # type: ignore[no-any-return]

    def _run(self) -> None:
        clock, status = self.process.broker.clock, Status(self.process.broker.clock.monotonic)
        properties = {"bootstrap.servers": self.process}
        environ: Any = {"CLIENT": properties, "KAFKA_BOOTSTRAP_SERVERS": self.process}
        settings, complaints, admin = (
            load(Settings, {"CONSUMER_GROUP": GROUP}),
            Complaints(),
            Admin(cast(Any, FakeAdminClient(properties))),
        )
        source = self.source = Source(environ, GROUP, TOPICS.readings.name)
        session = Session(
            source=source,
            transactions=Transactions(environ, f"{GROUP}-{self.name}", self.stopped.is_set),
            writing=Writing(status.cannot_write, str, clock.monotonic),
            topics=TOPICS,
            letter_bytes=DEAD_LETTER_BYTES,
            stopped=self.stopped,
        )
        session.transactions.acquire_id(session.writing.waiting)
        inquirer = Inquirer(environ, admin, GROUP, TOPICS.readings.name, TOPICS.changelog.name, complaints)
        restorer = Restorer(environ, inquirer, TOPICS.changelog.name, models().calendar)
        service = Service(
            session=session,
            assignment=Assignment(
                settings=settings,
                topics=TOPICS,
                restorer=restorer,
                calendar=models().calendar,
                changed=status.partitions,
            ),
            policy=CommitPolicy(settings.commit_interval),
            models=models(),
            monitor=Monitor(
                metrics=self.metrics,
                status=status,
                probe=Probe(admin, TOPICS, status.answered, complaints),
                admission=Admission("6 s"),
                complaints=complaints,
            ),
            stopped=self.stopped,
            wall=clock.time,
        )
        with closing(source):
            service.run()


class LoopWorld:
    """Topics, a group, members by name, and a publisher. Looks as the chaos' world does to its verdict."""

    def __init__(self, marker_delay_s: float = 0.0) -> None:
        self.broker = FakeKafka(dict.fromkeys(NAMES.values(), PARTITIONS), Clock(), marker_delay_s)
        self.environ, self.partitions = NAMES, PARTITIONS
        self.members: dict[str, LoopMember] = {}
        self._ever: list[LoopMember] = []
        self._publisher = FakeProcess(self.broker)

    def start(self, name: str, *events: Incident, fetch: int = 1000) -> LoopMember:
        """Start a member, or the next one of its name, with what is to happen at its calls."""
        member = self.members[name] = LoopMember(self.broker, name)
        self._ever.append(member)
        member.process.events += events
        member.process.fetch = fetch
        return member

    def publish(self, messages: Sequence[Message]) -> None:
        """Publish readings outside of transactions."""
        producer = FakeProducer({"bootstrap.servers": self._publisher})
        for message in messages:
            producer.produce(NAMES["READINGS_TOPIC"], **message)

    def publisher(self, name: str = "publisher") -> FakeProducer:
        """Return a publisher with transactions."""
        producer = FakeProducer({"bootstrap.servers": self._publisher, "transactional.id": name})
        producer.init_transactions()
        return producer

    def evict(self, member: LoopMember) -> None:
        """Let the group go on without a member, which does not know: its session is over."""
        if member.source is not None:
            self.broker.group(GROUP).remove(member.client.memberid())

    def go(self, *names: str, calls: int = _CALLS) -> None:
        """Let these members make some calls each, in turn."""
        for name in names or tuple(self.members):
            member = self.members[name]
            member.process.go(calls)
            self.check(member.name)

    def settle(self, *names: str, restart: Callable[[str], None] = lambda _: None) -> None:
        """Let these members go on until all readings are read and committed; `restart` is for who dies meanwhile."""
        for _ in range(_TURNS):
            if self.settled():
                return
            self.go(*names)
            for member in list(self.members.values()):
                if member.process.killed:
                    restart(member.name)
        raise AssertionError(f"the members do not come to the end of the readings: {self._behind()} are left")

    def settled(self) -> bool:
        """Return whether the group has committed all there is, and no transaction is open."""
        return not self.broker.open_transactions() and not self._behind()

    def finish(self, restart: Callable[[str], None]) -> Verdict:
        """Let all members come to the end, stop them, and judge what came out."""
        self.settle(restart=restart)
        for member in self.members.values():
            if not member.process.killed:
                member.stop()
                self.check(member.name)
        found = judge(self)
        found.failures += [f"{member.name} says: {line}" for member in self._ever for line in member.losses()]
        return found

    def close(self) -> None:
        """End the members' threads."""
        for member in self._ever:
            member.process.kill()

    def log(self, setting: str) -> list[list[Logged]]:
        """What a `read_committed` subscriber sees of a topic, by partition."""
        logs = []
        for number, log in enumerate(self.broker.logs(NAMES[setting])):
            seen, offset = [], log.start
            while (found := log.next(offset, committed=True)) is not None:
                seen.append(_logged(number, *found))
                offset = found[0] + 1
            logs.append(seen)
        return logs

    def _behind(self) -> dict[int, int]:
        """The next offsets that are not committed, by partition."""
        offsets = self.broker.group(GROUP).offsets
        topic = NAMES["READINGS_TOPIC"]
        return {
            number: found[0]
            for number, log in enumerate(self.broker.logs(topic))
            if (found := log.next(offsets.get((topic, number), 0), committed=True)) is not None
        }

    def check(self, name: str) -> None:
        """Raise what ended a member, if that was not the test."""
        error = self.members[name].process.error
        if error is not None and not isinstance(error, (KilledError, StoppedError)):
            raise error


@functools.cache
def models() -> Models:
    """Return the model of all members: to load it for each one would take longer than all the rest."""
    asked, stopped = threading.Event(), threading.Event()
    return Models(lambda: Attempt(str(MODEL), {}), MODEL, 10.0, asked, stopped, Metrics())


def _logged(partition: int, offset: int, record: FakeRecord) -> Logged:
    return Logged(partition, offset, record.key, record.value, record.headers, record.time)
